/* A fresh store in a folder of its own, with a fixed clock, for the tests of
 * the store and of what stands on it. */
#ifndef MM_TESTS_STORE_FIXTURE_H
#define MM_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/store/store.h"

#define T0 INT64_C(1790000000)

struct fixture {
	char dir[64];
	char path[96];
	struct mm_store *s;
	struct mm_arena *a;
	struct mm_err err;
};

/* cmocka setup and teardown; *state is a struct fixture. */
int store_setup(void **state);
int store_teardown(void **state);
/* The same with alice (staff), bob and host ws1. */
int people_setup(void **state);

/* Shorthands that fail the test when they fail. */
void add_user(struct fixture *f, const char *login, const char *address, const char *group);
void add_host(struct fixture *f, const char *id, const char *user /* NULL = all */);
int64_t add_revision(struct fixture *f, const char *text, int64_t uid, int64_t approvals);
int64_t count_audit(struct fixture *f);

/* A report of host ws1 at T0, to be filled and stored. */
struct made {
	struct mm_report_head head;
	struct mm_finding f[8];
	struct mm_login l[4];
	const char *users[4];
	struct mm_report_in in;
};

void make_report(struct made *m, const char *id, const char *user);
/* About account work, in mutt; reported when it is not compliant. */
struct mm_finding *add_finding(
    struct made *m, const char *user, const char *setting, enum mm_state state, const char *found);
struct mm_login *add_login(struct made *m, const char *user, enum mm_result result, const char *cls);
bool store_report(struct fixture *f, struct made *m); /* was it new? */

/* `f->err` belongs to the call that failed. */
#define ok(f, call)                                                                                          \
	do {                                                                                                 \
		if (call)                                                                                    \
			fail_msg("%s: %s", #call, (f)->err.text);                                            \
	} while (0)

#endif
