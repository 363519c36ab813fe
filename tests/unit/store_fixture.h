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

/* Shorthands that fail the test when they fail. */
void add_user(struct fixture *f, const char *login, const char *address, const char *group);
void add_host(struct fixture *f, const char *id, const char *user /* NULL = all */);
int64_t add_revision(struct fixture *f, const char *text, int64_t uid, int64_t approvals);
int64_t count_audit(struct fixture *f);

/* `f->err` belongs to the call that failed. */
#define ok(f, call)                                                                                          \
	do {                                                                                                 \
		if (call)                                                                                    \
			fail_msg("%s: %s", #call, (f)->err.text);                                            \
	} while (0)

#endif
