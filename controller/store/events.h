/*
 * What changed, in the order in which the controller learnt of it: the acts of
 * the audit log, and for each report the findings and login checks that are
 * not what they were before it. What stayed as it was is no event, nor is
 * what was right from the first moment.
 *
 * An event is found again under the same number (seq, row) however often it is
 * asked for: whoever carries events elsewhere keeps the seq up to which he
 * came, and carries an entry's events again when he was interrupted in them.
 *
 * Conventions are those of store.h.
 */
#ifndef MM_CONTROLLER_STORE_EVENTS_H
#define MM_CONTROLLER_STORE_EVENTS_H

#include "controller/store/store.h"

enum mm_event_kind { MM_EVENT_ACT, MM_EVENT_FINDING, MM_EVENT_LOGIN, MM_EVENT_COUNT };
const char *mm_event_kind_name(enum mm_event_kind k); /* act, finding, login */

struct mm_event {
	enum mm_event_kind kind;
	int64_t seq;  /* of the audit log's entry that it came with */
	int64_t row;  /* which interval; 0 for an act */
	int64_t time; /* of the entry */
	const struct mm_audit_entry *entry;
	/* FINDING, LOGIN: as it is now, or as it was when it has `gone`. Waivers are not looked at. */
	const struct mm_finding_row *finding;
	const struct mm_login_row *login;
	const char *was; /* its state before, of a login result and class; "" = it is new */
	bool gone;
};

typedef int mm_event_cb(const struct mm_event *e, void *arg, struct mm_err *err);

/* The events of at most `entries` entries behind `after`. *last: the entry
 * that was looked at last (`after` when there is none). */
int mm_store_events(struct mm_store *s, int64_t after, int64_t entries, mm_event_cb *cb, void *arg,
    int64_t *last, struct mm_err *err);
/* The number of the last entry; 0 = there is none. */
int mm_store_events_newest(struct mm_store *s, int64_t *seq, struct mm_err *err);
/* The last entry before a time; 0 = there is none. */
int mm_store_events_before(struct mm_store *s, int64_t time, int64_t *seq, struct mm_err *err);

#endif
