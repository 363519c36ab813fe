/*
 * A sheet carried out on one client, in memory: find, read, match, change
 * through an overlay, read back. What the agent's converge does, without
 * journal and files, so that adapters can be tested alone.
 */
#ifndef MM_TESTS_LIB_CLIENTRUN_H
#define MM_TESTS_LIB_CLIENTRUN_H

#include "agent/clients/overlay.h"

struct mm_run_account {
	const struct mm_account *acc;
	const char *key;
	bool created;
	struct mm_edits done;
};

struct mm_client_run {
	struct mm_reader *r;
	const struct mm_client *client;
	struct mm_overlay *o;
	const struct mm_place *place;
	struct mm_run_account *v;
	size_t n;
};

/* -1 with the adapter's or the editor's error. place == NULL: the client is
 * not here. */
int mm_client_run(struct mm_client_run *run, struct mm_reader *r, const struct mm_client *client,
    const struct mm_sheet *sheet, struct mm_err *err);
/* What does not read back as wanted, in words, or NULL. */
const char *mm_client_unproven(struct mm_client_run *run);
/* Take everything back: the inverse edits, and what the adapter adds. */
int mm_client_undo(struct mm_client_run *run, struct mm_err *err);
/* "key setting = value (path:line) ..." for each setting and trap. */
void mm_client_show(struct mm_reader *r, const struct mm_client *client, struct mm_buf *out);

#endif
