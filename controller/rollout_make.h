/*
 * A new rollout: which hosts, in which waves, on which terms; stored, not
 * yet begun by anybody.
 */
#ifndef MM_CONTROLLER_ROLLOUT_MAKE_H
#define MM_CONTROLLER_ROLLOUT_MAKE_H

#include "controller/cmd.h"
#include "controller/push_select.h"
#include "controller/rollout/assign.h"
#include "controller/rollout/terms.h"
#include "controller/store/store_rollout.h"

/* Up to so many hosts are a small fleet: one host first, then the rest, and
 * nobody waits for a bake, or for people to be logged in. */
#define MM_ROLLOUT_SMALL 20

/* The options of a command line; NULL = not given. */
struct mm_rollout_opts {
	const char *waves, *max_failed, *max_unreachable, *max_login_failed, *gate, *bake, *min_tested,
	    *min_reported, *in_flight, *maintenance, *jitter, *rate;
	bool approve_each, sticky, detach;
};
#define MM_ROLLOUT_OPTS(o)                                                                                   \
	{.name = "waves",                                                                                    \
	    .kind = MM_OPT_STRING,                                                                           \
	    .dest = &(o)->waves,                                                                             \
	    .arg = "LIST",                                                                                   \
	    .help = "hosts or percent in each wave, the last repeats (1,5%,25%,100%)"},                      \
	    {.name = "max-failed",                                                                           \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(o)->max_failed,                                                                    \
		.arg = "N[%][/N[%]]",                                                                        \
		.help = "hosts of a wave (/ of all) that may fail; one more halts (5%/2%)"},                 \
	    {.name = "max-login-failed",                                                                     \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(o)->max_login_failed,                                                              \
		.arg = "N[%][/N[%]]",                                                                        \
		.help = "... where a login that worked before fails (2%/1%)"},                               \
	    {.name = "max-unreachable",                                                                      \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(o)->max_unreachable,                                                               \
		.arg = "N[%][/N[%]]",                                                                        \
		.help = "... that may be unreachable (any)"},                                                \
	    {.name = "gate",                                                                                 \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(o)->gate,                                                                          \
		.arg = "N%",                                                                                 \
		.help = "of the tested users of a wave whose logins must pass (95%)"},                       \
	    {.name = "min-tested",                                                                           \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(o)->min_tested,                                                                    \
		.arg = "N[%]",                                                                               \
		.help = "users of a wave that must be tested, or it pauses (1)"},                            \
	    {.name = "min-reported",                                                                         \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(o)->min_reported,                                                                  \
		.arg = "N[%]",                                                                               \
		.help = "hosts of a wave that must answer, or it pauses (50%)"},                             \
	    {.name = "bake",                                                                                 \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(o)->bake,                                                                          \
		.arg = "TIME",                                                                               \
		.help = "wait so long after each wave: 90s, 10m, 2h (10m)"},                                 \
	    {.name = "approve-each",                                                                         \
		.kind = MM_OPT_FLAG,                                                                         \
		.dest = &(o)->approve_each,                                                                  \
		.help = "pause after each wave until somebody approves"},                                    \
	    {.name = "in-flight",                                                                            \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(o)->in_flight,                                                                     \
		.arg = "N",                                                                                  \
		.help = "hosts in flight at once (100)"},                                                    \
	    {.name = "maintenance",                                                                          \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(o)->maintenance,                                                                   \
		.arg = "HOURS",                                                                              \
		.help = "only then: \"Mon-Fri 20:00-06:00\""},                                               \
	    {.name = "jitter",                                                                               \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(o)->jitter,                                                                        \
		.arg = "TIME",                                                                               \
		.help = "spread the hosts of a wave over this time"},                                        \
	    {.name = "rate",                                                                                 \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(o)->rate,                                                                          \
		.arg = "N",                                                                                  \
		.help = "logins per minute on one mail server"},                                             \
	    {.name = "sticky",                                                                               \
		.kind = MM_OPT_FLAG,                                                                         \
		.dest = &(o)->sticky,                                                                        \
		.help = "the same hosts come first every time"},                                             \
	{                                                                                                    \
		.name = "detach", .kind = MM_OPT_FLAG, .dest = &(o)->detach,                                 \
		.help = "only store the rollout; mailmuster serve drives it"                                 \
	}
bool mm_rollout_opts_any(const struct mm_rollout_opts *o);

struct mm_rollout_new {
	int64_t revision;
	enum mm_rollout_kind kind;
	int64_t of;            /* of a rollback */
	const char *selection; /* in words */
	const struct mm_target *targets;
	size_t n;
	int64_t first;            /* of a rollback to several revisions; 0 = `revision` */
	const int64_t *revisions; /* of each target; NULL = `revision` for all */
};
struct mm_rollout_made {
	int64_t id;
	struct mm_ro_terms terms;
	struct mm_ro_plan plan;
	struct mm_ro_worst_case worst;
};
/* Everything in `a`. */
int mm_rollout_make(struct mm_ctl *c, const struct mm_rollout_new *what, const struct mm_rollout_opts *o,
    struct mm_arena *a, struct mm_rollout_made *out, struct mm_err *err);

#endif
