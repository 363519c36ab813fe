/*
 * Which hosts a command is for. Options of one kind widen the choice (--host
 * a --host b), options of different kinds narrow it (--tag berlin --group
 * staff). Hosts that could not be reached the last time come last, so that
 * they keep nobody waiting.
 */
#ifndef MM_CONTROLLER_PUSH_SELECT_H
#define MM_CONTROLLER_PUSH_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cli.h"
#include "controller/push/sshkey.h"
#include "controller/store/store.h"

struct mm_selection {
	struct mm_opt_list hosts, tags, groups, users;
	bool all, pending;
	int64_t limit; /* 0 = none */
	/* Not for the command line: just these, sorted; NULL = whoever else was
	 * chosen. One that the store does not know (any more) is left out. */
	const char *const *only;
	size_t n_only;
};

/* For tables of options. */
#define MM_SELECTION_OPTS(s)                                                                                 \
	{.name = "all", .letter = 'a', .kind = MM_OPT_FLAG, .dest = &(s)->all, .help = "every host"},        \
	    {.name = "host",                                                                                 \
		.kind = MM_OPT_LIST,                                                                         \
		.dest = &(s)->hosts,                                                                         \
		.arg = "HOST",                                                                               \
		.help = "this host; may be repeated"},                                                       \
	    {.name = "tag",                                                                                  \
		.kind = MM_OPT_LIST,                                                                         \
		.dest = &(s)->tags,                                                                          \
		.arg = "TAG",                                                                                \
		.help = "hosts with this tag"},                                                              \
	    {.name = "group",                                                                                \
		.kind = MM_OPT_LIST,                                                                         \
		.dest = &(s)->groups,                                                                        \
		.arg = "GROUP",                                                                              \
		.help = "hosts of users of this group"},                                                     \
	    {.name = "user",                                                                                 \
		.kind = MM_OPT_LIST,                                                                         \
		.dest = &(s)->users,                                                                         \
		.arg = "LOGIN",                                                                              \
		.help = "hosts of this user"},                                                               \
	{                                                                                                    \
		.name = "limit", .kind = MM_OPT_INT, .dest = &(s)->limit, .min = 1, .max = 1000000,          \
		.arg = "N", .help = "at most N hosts"                                                        \
	}

/* One chosen host, with what is needed to reach it. */
struct mm_target {
	struct mm_store_host host;
	const struct mm_sshkey *keys;
	size_t n_keys;
	bool last_unreachable;
	int64_t has;  /* the revision that it last answered for, 0 = none */
	int64_t owed; /* the revision that it is to have: with `pending` the one that it owes an answer
		       * for, in a rollout that one's; 0 = the run's */
};

/* Everything lives in `a`. No selector at all is an error (MM_EX_USAGE); a
 * host, tag, group or user that the store does not know is one, too
 * (MM_EX_FAILED, with the nearest name). No host at all is not. */
int mm_select_users(struct mm_store *s, const struct mm_selection *sel, struct mm_arena *a,
    const char *const **out, size_t *n, struct mm_err *err);
int mm_select(struct mm_store *s, const struct mm_selection *sel, struct mm_arena *a, struct mm_target **out,
    size_t *n, struct mm_err *err);

#endif
