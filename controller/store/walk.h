/*
 * All evidence in one pass, host by host and user by user, for whoever judges
 * a user's findings and logins together; and which waiver covers what.
 * Statements run side by side, each in the order of an index, and are merged:
 * memory does not grow.
 *
 * Conventions are those of store.h.
 */
#ifndef MM_CONTROLLER_STORE_WALK_H
#define MM_CONTROLLER_STORE_WALK_H

#include "controller/store/store.h"

/* The time that a view is of, and before which evidence is stale in it. */
struct mm_moment {
	int64_t now;  /* of the view */
	int64_t edge; /* evidence that was seen before is stale */
	int64_t past; /* the same as now when the view is not of the present: what came later is not in it */
};
struct mm_moment mm_moment_of(struct mm_store *s, const struct mm_evidence_filter *f);
/* ---- waivers, matched (waived.c) */

/* Two checks say of findings and logins what these say of themselves: who accepts the check
 * accepts the difference, and the failed login. */
#define MM_CHECK_SETTINGS "settings-as-desired"
#define MM_CHECK_LOGIN_PROVEN "login-proven"

struct mm_waivers;
/* Those that were there at `m`, with those that had expired by then. */
int mm_waivers_load(
    struct mm_store *s, const struct mm_moment *m, struct mm_waivers **out, struct mm_err *err);
void mm_waivers_free(struct mm_waivers *w);
bool mm_waivers_any(const struct mm_waivers *w);
/* Is there any that may cover something of this user on this host? Rows are
 * asked for place by place; what was found for the last place is kept. */
int mm_waivers_place(struct mm_waivers *w, const char *host, const char *user, bool *any, struct mm_err *err);
/* Of the place asked about last: the one that covers this check furthest. */
struct mm_waiver_of mm_waivers_find(
    const struct mm_waivers *w, const char *client, const char *account, const char *check);
/* The same of two names for what it is about: the one that reaches further. */
struct mm_waiver_of mm_waivers_find_either(const struct mm_waivers *w, const char *client,
    const char *account, const char *check, const char *other);

/* ---- hosts and places, with their rows (walk.c) */

struct mm_walk_host {
	const char *host;
	int64_t seen;     /* newest evidence, 0 = never reported */
	int64_t revision; /* that its agent holds, 0 = none */
	bool expired;     /* the request in force there has expired */
	const char *os;   /* of its inventory; NULL = none was told */
	int64_t inventory_seen, clients;
};

struct mm_walk_place {
	const char *host, *user;
	bool heard; /* there is evidence, and be it that there is nothing */
};

/* In this order: host(), then per user who has evidence or is listed for it
 * by name place(), his logins (by account and side, lean), his findings and facts (by
 * client, path, account, setting), place_end(). Any may be NULL, and what nobody asks
 * for is not read. filter->differences, ->history and ->facts are not looked at.
 * NULL = everything. */
struct mm_walk_cbs {
	int (*host)(const struct mm_walk_host *h, void *arg, struct mm_err *err);
	int (*place)(const struct mm_walk_place *p, void *arg, struct mm_err *err);
	int (*login)(const struct mm_login_row *r, void *arg, struct mm_err *err);
	int (*finding)(const struct mm_finding_row *r, void *arg, struct mm_err *err);
	int (*place_end)(void *arg, struct mm_err *err);
};
int mm_store_walk(struct mm_store *s, const struct mm_evidence_filter *f, const struct mm_walk_cbs *cbs,
    void *arg, struct mm_err *err);

#endif
