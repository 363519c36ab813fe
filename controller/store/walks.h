/*
 * Inside the store: walks over evidence that can be merged with each other.
 *
 * Each walk stands on one row, in order of host, then user; opening it goes to
 * the first. Nothing is joined in SQL that comes in the same order: coverage
 * is walked beside the findings, and waivers, which are few, are held in memory and
 * matched here. What a walk shows lives until it is moved.
 */
#ifndef MM_CONTROLLER_STORE_WALKS_H
#define MM_CONTROLLER_STORE_WALKS_H

#include "controller/store/internal.h"
#include "controller/store/login_body.h"
#include "controller/store/walk.h"

extern const struct mm_evidence_filter mm_everything;

/* ---- up to when a place is known completely (covers.c) */

struct mm_cover {
	int64_t seen; /* 0 = never */
	enum mm_evidence evidence;
	int64_t revision;
	bool expired;
};
struct mm_cover_walk {
	struct mm_store *s;
	struct mm_moment m;
	struct mm_q q;
	bool open;
	int row;
	char *host, *user; /* asked about last */
	struct mm_cover found;
};
int mm_cover_open(struct mm_cover_walk *w, struct mm_store *s, const struct mm_evidence_filter *f,
    const struct mm_moment *m, struct mm_err *err);
/* Of places in ascending order. */
int mm_cover_of(
    struct mm_cover_walk *w, const char *host, const char *user, struct mm_cover *out, struct mm_err *err);
void mm_cover_close(struct mm_cover_walk *w);
/* When a login check was made last, as far as was known at `m`; 0 = that was not kept. */
int mm_login_seen_at(struct mm_store *s, const struct mm_moment *m, const char *host, const char *user,
    const char *account, const char *side, int64_t *seen, struct mm_err *err);

/* ---- findings and logins (evidence.c) */

enum mm_which { MM_WHICH_ALL, MM_WHICH_DIFFERING }; /* differing: all that are not compliant, or not passed */

struct mm_finding_walk {
	struct mm_store *s;
	struct mm_moment m;
	bool history;
	struct mm_q q;
	struct mm_cover_walk cover;
	struct mm_waivers *waivers;
	bool own_waivers;
	struct mm_cover at; /* of the row's place */
	int row;            /* 1 = r is one, 0 = the end */
	struct mm_finding_row r;
};
/* `waivers` may be of another walk of the same moment, NULL = load them. */
int mm_finding_walk_open(struct mm_finding_walk *w, struct mm_store *s, const struct mm_evidence_filter *f,
    enum mm_which which, struct mm_waivers *waivers, struct mm_err *err);
int mm_finding_walk_next(struct mm_finding_walk *w, struct mm_err *err);
void mm_finding_walk_close(struct mm_finding_walk *w);

struct mm_login_walk {
	struct mm_store *s;
	struct mm_moment m;
	bool history;
	struct mm_q q;
	struct mm_waivers *waivers;
	bool own_waivers;
	struct mm_login_reader *lean; /* NULL = rows in full */
	struct mm_arena *a;           /* of the row */
	int row;
	struct mm_login_row r;
};
int mm_login_walk_open(struct mm_login_walk *w, struct mm_store *s, const struct mm_evidence_filter *f,
    enum mm_which which, struct mm_waivers *waivers, struct mm_err *err);
int mm_login_walk_next(struct mm_login_walk *w, struct mm_err *err);
void mm_login_walk_close(struct mm_login_walk *w);

/* ---- places: what a user on a host comes to (places.c) */

struct mm_place_walk {
	struct mm_store *s;
	struct mm_moment m;
	struct mm_evidence_filter f;
	struct mm_waivers *waivers;
	bool rows, detail; /* by the rows alone; beside the summaries, those that differ */
	bool why;
	struct mm_q q; /* the summaries */
	bool open;
	struct mm_cover_walk cover;
	struct mm_finding_walk findings;
	struct mm_login_walk logins;
	bool findings_open, logins_open;
	struct mm_arena *a; /* of the place */
	int row;
	struct mm_place p;
	int64_t covered; /* of the places so far, those that a report has covered */
};
/* Those that have a finding or a login. With `why`, the place's worst rows, too. */
int mm_place_walk_open(struct mm_place_walk *w, struct mm_store *s, const struct mm_evidence_filter *f,
    bool why, struct mm_err *err);
int mm_place_walk_next(struct mm_place_walk *w, struct mm_err *err);
void mm_place_walk_close(struct mm_place_walk *w);

/* fail is worse than unknown, unknown than what was waived, that than pass,
 * and anything is more than "not applicable". */
int mm_audit_weight(enum mm_audit a);

#endif
