/*
 * Events carried to other systems (controller.conf, `export`): a file of JSON
 * lines, a syslog collector, a webhook. Each target has its own place in the
 * record; what was not taken is tried again later, longer and longer (at most
 * an hour), and nothing is left out: at least once, in order.
 *
 * A target begins with what happens after it was named for the first time.
 */
#ifndef MM_CONTROLLER_EXPORT_SEND_H
#define MM_CONTROLLER_EXPORT_SEND_H

#include "controller/cmd.h"
#include "controller/conf.h"

/* More changes than this of one report are told in one sentence. */
#define MM_EXPORT_PER_REPORT 1000

enum mm_export_kind { MM_EXPORT_FILE, MM_EXPORT_SYSLOG, MM_EXPORT_WEBHOOK, MM_EXPORT_COUNT };
const char *mm_export_name(enum mm_export_kind k); /* file, syslog, webhook */
/* Where it goes, without what may be secret in it (a webhook's path); NULL = it is not set up. */
const char *mm_export_where(const struct mm_export_conf *c, enum mm_export_kind k, struct mm_arena *a);

/* How far a target is. */
struct mm_export_state {
	int64_t seq;         /* taken up to this entry; -1 = it has not begun */
	int64_t next, tries; /* after trouble: not before, and how often in a row */
	const char *trouble; /* the last one, "" = none */
};
int mm_export_state_get(struct mm_store *s, enum mm_export_kind k, struct mm_arena *a,
    struct mm_export_state *out, struct mm_err *err);
int mm_export_state_set(
    struct mm_store *s, enum mm_export_kind k, const struct mm_export_state *st, struct mm_err *err);

/* Is there a target that has something to be sent now? */
int mm_export_due(struct mm_store *s, const struct mm_export_conf *c, bool *due, struct mm_err *err);
/* Send what is due (`now`: also what was to wait). -1: the store failed; a
 * target that did not take it is no error of this function: *failed. */
int mm_export_send(
    struct mm_ctl *c, const struct mm_export_conf *conf, bool now, bool *failed, struct mm_err *err);

#endif
