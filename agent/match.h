/*
 * Which account of a client is which account of the sheet. Pure.
 *
 * First by the journal's native key; then, for accounts without a row or
 * whose row's key is gone, by address and host (adoption): the host must be
 * the endpoint's or one of `replaces`, the address the account's; a client
 * that names no address is matched by its user name.
 */
#ifndef MM_AGENT_MATCH_H
#define MM_AGENT_MATCH_H

#include "agent/clients/client.h"
#include "agent/journal.h"
#include "schemas/sheet.h"

struct mm_match {
	const struct mm_account *acc;
	size_t index;                       /* in the sheet */
	struct mm_row *row;                 /* NULL = never ours */
	const struct mm_seen_account *seen; /* NULL = the client does not have it */
};

/* Has this client something to do with this account at all? */
bool mm_match_applies(const struct mm_client *cl, const struct mm_account *acc);
/* Fills `out` (sheet->n_accounts entries; acc NULL where it does not apply)
 * and `claimed` (view->n entries). Rows of renamed accounts are renamed. */
void mm_match_accounts(const struct mm_client *cl, const struct mm_sheet *sheet, struct mm_rows *rows,
    const struct mm_view *view, struct mm_match *out, bool *claimed);

#endif
