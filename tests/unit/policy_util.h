/*
 * Shared by the tests of controller/policy: load a text and look at what is
 * said about it.
 */
#ifndef MM_TEST_POLICY_UTIL_H
#define MM_TEST_POLICY_UTIL_H

#include "controller/policy/policy.h"

/* A policy without fault; tests put something into it or take a line away. */
#define POLICY_HEAD "format = 1;\n"
#define POLICY_IN                                                                                            \
	"endpoints = { in = { protocol = \"imap\"; host = \"imap.acme.example\"; username = \"%{login}\"; "  \
	"};\n"
#define POLICY_OUT                                                                                           \
	"out = { protocol = \"smtp\"; host = \"smtp.acme.example\"; username = \"%{login}\"; }; };\n"
#define POLICY_ACCOUNTS                                                                                      \
	"accounts = { work = { address = \"%{address}\"; incoming = \"in\"; outgoing = \"out\"; }; };\n"
#define POLICY_GROUPS "groups = { staff = { priority = 10; accounts = [ \"work\" ]; }; };\n"
#define POLICY_BASE POLICY_HEAD POLICY_IN POLICY_OUT POLICY_ACCOUNTS POLICY_GROUPS

struct loaded {
	struct mm_arena *arena;
	struct mm_diags diags;
	struct mm_policy *policy; /* NULL when there were errors */
};

static inline void load_n(struct loaded *l, const char *text, size_t n, const struct mm_policy_opts *opts)
{
	*l = (struct loaded){.arena = mm_arena_new()};
	mm_diags_init(&l->diags, l->arena);
	int rc = mm_policy_load_text("p.conf", text, n, opts, l->arena, &l->policy, &l->diags);
	if ((rc == 0) != (l->policy != NULL) || (rc == 0) != (l->diags.errors == 0))
		abort();
}

static inline void load(struct loaded *l, const char *text)
{
	load_n(l, text, strlen(text), NULL);
}

static inline void unload(struct loaded *l)
{
	mm_arena_free(l->arena);
}

/* All diagnostics, one a line. */
static inline const char *said(const struct loaded *l)
{
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	for (size_t i = 0; i < l->diags.n; i++) {
		mm_diag_line(&l->diags, &l->diags.items[i], &b);
		mm_buf_addc(&b, '\n');
	}
	const char *text = mm_arena_strdup(l->arena, mm_buf_str(&b));
	mm_buf_free(&b);
	return text;
}

/* Compare and print both, so that a table is gone through to its end. */
static inline int differs(const char *got, const char *want)
{
	if (strcmp(got, want) == 0)
		return 0;
	fprintf(stderr, "got:  %swant: %s\n", got, want);
	return 1;
}

#endif
