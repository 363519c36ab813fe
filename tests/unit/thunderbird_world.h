/*
 * A scratch root with a home in which Thunderbird lives, and a sheet with two
 * accounts, the second switched off: the fixture of test_thunderbird*.c.
 */
#ifndef MM_TEST_THUNDERBIRD_WORLD_H
#define MM_TEST_THUNDERBIRD_WORLD_H

#include "agent/clients/clients.h"
#include "agent/clients/thunderbird.h"
#include "common/text.h"
#include "tests/lib/clientrun.h"
#include "tests/lib/rootreader.h"
#include "tests/lib/testutil.h"

#define HOME "/home/alice"
#define ROOT HOME "/.thunderbird"
#define PROFILE ROOT "/p.default"
#define PREFS PROFILE "/prefs.js"

extern const char mm_tb_ini[];     /* profiles.ini that points to PROFILE */
extern const char mm_tb_private[]; /* prefs.js with a private account, account1 */

struct world {
	struct mm_arena *a;
	struct mm_test_dir dir;
	const char *root;
	struct mm_reader *r; /* the disk */
	struct mm_account acc[2];
	struct mm_sheet sheet;
	struct mm_client_run run;
};
#define W struct world *w = *state
#define T(f) cmocka_unit_test_setup_teardown(f, mm_tb_setup, mm_tb_teardown)

int mm_tb_setup(void **state);
int mm_tb_teardown(void **state);

void mm_tb_put(struct world *w, const char *path, const char *text);
/* NULL: not there. */
const char *mm_tb_get(struct world *w, struct mm_reader *r, const char *path);
/* profiles.ini, and this as prefs.js. */
void mm_tb_in_profile(struct world *w, const char *prefs);
struct mm_values mm_tb_work(void); /* what acc[0] wants */

void mm_tb_run(struct world *w); /* ... and it reads back */
int mm_tb_refused(struct world *w, struct mm_err *err);
void mm_tb_undo(struct world *w);
struct mm_reader *mm_tb_after(struct world *w); /* the disk as it would be now */
/* Thunderbird, or its user, has written more into a file. */
void mm_tb_append(struct world *w, const char *path, const char *lines);

#endif
