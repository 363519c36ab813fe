/*
 * What the commands that read evidence have in common: whom and what they are
 * asked about, and as of when.
 */
#ifndef MM_CONTROLLER_QUERY_H
#define MM_CONTROLLER_QUERY_H

#include "common/cli.h"
#include "controller/cmd.h"
#include "controller/store/store.h"

struct mm_query {
	struct mm_evidence_filter f;
	int64_t stale_days;
	const char *as_of;
	bool json, help;
};
#define MM_QUERY_INIT                                                                                        \
	{                                                                                                    \
		.stale_days = MM_STALE_DAYS                                                                  \
	}

#define MM_QUERY_OPTS(q)                                                                                     \
	{.name = "host",                                                                                     \
	    .kind = MM_OPT_STRING,                                                                           \
	    .dest = &(q)->f.host,                                                                            \
	    .arg = "HOST",                                                                                   \
	    .help = "only this workstation"},                                                                \
	    {.name = "user",                                                                                 \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(q)->f.user,                                                                        \
		.arg = "LOGIN",                                                                              \
		.help = "only this user"},                                                                   \
	    {.name = "group",                                                                                \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(q)->f.group,                                                                       \
		.arg = "GROUP",                                                                              \
		.help = "only users of this group"},                                                         \
	    {.name = "tag",                                                                                  \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(q)->f.tag,                                                                         \
		.arg = "TAG",                                                                                \
		.help = "only workstations with this tag"},                                                  \
	    {.name = "client",                                                                               \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(q)->f.client,                                                                      \
		.arg = "CLIENT",                                                                             \
		.help = "only this mail program"},                                                           \
	    {.name = "as-of",                                                                                \
		.kind = MM_OPT_STRING,                                                                       \
		.dest = &(q)->as_of,                                                                         \
		.arg = "DATE",                                                                               \
		.help = "as it stood then: the end of a day (2026-11-23, UTC), or a moment (RFC 3339)"},     \
	    {.name = "stale-after",                                                                          \
		.kind = MM_OPT_INT,                                                                          \
		.dest = &(q)->stale_days,                                                                    \
		.min = 1,                                                                                    \
		.max = 3650,                                                                                 \
		.arg = "DAYS",                                                                               \
		.help = "evidence older than this is stale (7)"},                                            \
	{                                                                                                    \
		.name = "help", .letter = 'h', .kind = MM_OPT_FLAG, .dest = &(q)->help,                      \
		.help = "show this help"                                                                     \
	}

/* Parse the options, put them into q->f and open the store. *go is false when
 * there is nothing left to do; the return value is then the exit status. */
int mm_query_open(struct mm_ctl *c, struct mm_query *q, const struct mm_opt *opts, const char *name,
    const char *about, int argc, char **argv, bool *go);
/* Does the store know whom and what the filter names? A host or a user that was removed counts
 * while there is evidence of it. -1: it does not (MM_EX_FAILED), with the name that is near. */
int mm_query_names(struct mm_store *s, const struct mm_evidence_filter *f, struct mm_err *err);
/* The last second of a day ("2026-11-23"), or a moment ("2026-11-23T10:00:00Z",
 * "2026-11-23T11:00:00+01:00"). Today is now. -1: neither, or in the future (after `now`). */
int mm_query_time(const char *text, int64_t now, int64_t *out, struct mm_err *err);
/* The first second of a day ("2026-11-23"), or a moment; else as mm_query_time(). */
int mm_query_since(const char *text, int64_t now, int64_t *out, struct mm_err *err);

#endif
