/*
 * Rollouts as the store keeps them. controller/rollout calculates; the
 * driver asks it, sends, and writes down here.
 *
 * What a process writes before it sends: mm_store_rollout_claim() makes a
 * host "sent" and is committed first. A process that is killed leaves hosts
 * "sent"; the next one that gets the lease puts them back with
 * mm_store_rollout_reclaim(). So a host may be sent a request twice, and is never
 * forgotten; an agent takes the same settings as often as they come.
 *
 * One process drives a rollout: the one that holds the lease. It renews it
 * in time; a lease that has expired is taken over. Functions that take a
 * lease change nothing without it and return MM_ROLLOUT_LOST. Check-ins take
 * hosts without a lease, within the same window.
 *
 * Every row of rollout_hosts carries the rollout's sequence number of its last
 * change, so that a driver, which has all hosts in memory, reads only what others
 * changed: mm_store_rollout_hosts(after = the highest seq that it has seen).
 *
 * Conventions are those of store.h. Every change of a rollout's state is an
 * entry in the audit log ("rollout.create", ".pause", ".halt" ...), results of hosts
 * are not: the reports are.
 */
#ifndef MM_CONTROLLER_STORE_ROLLOUT_H
#define MM_CONTROLLER_STORE_ROLLOUT_H

#include "controller/rollout/words.h"
#include "controller/store/store.h"

#define MM_ROLLOUT_LOST 2 /* another process has the lease, or nobody */

enum mm_rollout_kind { MM_ROLLOUT_APPLY, MM_ROLLOUT_ROLLBACK, MM_ROLLOUT_KIND_COUNT };
const char *mm_rollout_kind_name(enum mm_rollout_kind k);

struct mm_rollout {
	int64_t id;       /* from 1 */
	int64_t revision; /* that its hosts are to have; of a rollback the newest one that it made */
	int64_t first; /* of a rollback the first one that it made: its hosts are to have first..revision */
	enum mm_rollout_kind kind;
	int64_t of;            /* the rollout that a rollback takes back, else 0 */
	const char *selection; /* in words: "--all", "--tag berlin" */
	const char *terms;     /* mm_ro_terms_json() */
	const char *seed;      /* of ranks, jitter and retries */
	enum mm_ro_state state;
	const char *why;     /* one sentence, "" when the state says it all */
	const char *because; /* mm_ro_because_name(), "" */
	int64_t waves;       /* how many there are */
	int64_t wave;        /* the present one, from 0 */
	int64_t wave_since;  /* opened */
	int64_t bake_since;  /* settled, 0 = not yet */
	int64_t approved;    /* the highest wave that an admin let through, -1 = none */
	int64_t window;      /* hosts in flight at once; check-ins keep to it as well */
	int64_t hosts;
	const char *who, *reason; /* of the creation */
	int64_t created, changed; /* changed: of the rollout, not of its hosts */
	int64_t seq;              /* of the newest change of a host */
	const char *owner;        /* of the lease, "" = nobody's */
	int64_t owner_pid, lease_until;
};

struct mm_rollout_host {
	int64_t rollout;
	const char *host;
	int64_t wave, rank;
	enum mm_rh_state state;
	bool late, forgiven;
	bool touched;    /* a request was handed out that may have changed it; true of "sent" ones anyway */
	bool by_checkin; /* the last request was fetched by the host itself */
	int64_t tries, next_try;
	int64_t sent;           /* when the last request was handed out, 0 = never */
	int64_t landed;         /* when its answer, or its failure, was recorded, 0 = never */
	const char *request_id; /* of the last request, "" */
	int64_t before;         /* revision that it had, 0 = none or unknown */
	int64_t revision;       /* that it is to have */
	int64_t users, tested, verified, failed; /* of its answer; users, not logins */
	const char *outcome;                     /* class, the push's own word, "" */
	const char *text;                        /* one sentence, "" */
	int64_t seq;
};

/* For creation. */
struct mm_rollout_member {
	const char *host;
	int64_t wave, rank;
	int64_t revision; /* that it is to have; 0 = the rollout's */
};

/* Store a rollout with all its hosts, in state running with wave 0 open (its
 * hosts released). Uses revision, first (0 = the same), kind, of, selection, terms, seed, waves, window;
 * who and reason are those of the handle. Each host's `before` is the revision that it
 * last answered for. Hosts that an older rollout still had to serve are
 * superseded there; one that is left with nothing to serve is superseded itself. */
int mm_store_rollout_create(struct mm_store *s, const struct mm_rollout *r,
    const struct mm_rollout_member *hosts, size_t n, int64_t *id, struct mm_err *err);

int mm_store_rollout_get(struct mm_store *s, int64_t id, struct mm_arena *a, struct mm_rollout *out,
    struct mm_err *err); /* 1 = none */
/* The newest one, of whatever state. 1 = none. */
int mm_store_rollout_last(struct mm_store *s, struct mm_arena *a, struct mm_rollout *out, struct mm_err *err);
/* Newest first. `live`: only those that a driver has something to do for: running, baking; and
 * paused, halted, done, aborted or superseded ones with hosts in flight, or
 * (done) in the late lane. */
int mm_store_rollout_each(struct mm_store *s, bool live,
    int (*cb)(const struct mm_rollout *r, void *arg, struct mm_err *err), void *arg, struct mm_err *err);

/* Hosts whose seq is > after; 0 = all, in order of wave and rank, else of seq. */
int mm_store_rollout_hosts(struct mm_store *s, int64_t id, int64_t after,
    int (*cb)(const struct mm_rollout_host *h, void *arg, struct mm_err *err), void *arg, struct mm_err *err);
int mm_store_rollout_host(struct mm_store *s, int64_t id, const char *host, struct mm_arena *a,
    struct mm_rollout_host *out, struct mm_err *err); /* 1 = not in it */
/* Hosts that may be sent something now: released, or unreachable or late and
 * due, in waves up to the present one; in order of wave and rank. */
int mm_store_rollout_due(struct mm_store *s, int64_t id, size_t max,
    int (*cb)(const struct mm_rollout_host *h, void *arg, struct mm_err *err), void *arg, struct mm_err *err);

/* Numbers per wave and state, for lists. */
struct mm_rollout_count {
	int64_t wave;
	int64_t hosts, by[MM_RH_COUNT], late, forgiven, touched;
	int64_t users, tested, verified, failed; /* tested, verified: of hosts that are not forgiven */
};
/* One call per wave, in order; `wave` -1 at the end is all of them. */
int mm_store_rollout_counts(struct mm_store *s, int64_t id,
    int (*cb)(const struct mm_rollout_count *c, void *arg, struct mm_err *err), void *arg,
    struct mm_err *err);

/* ---- the lease */

#define MM_LEASE_OWNER_MAX 128

struct mm_rollout_lease {
	int64_t rollout;
	char owner[MM_LEASE_OWNER_MAX]; /* unique for the process: "serve on mail1 (3f2a...)" */
	int64_t pid;                    /* for people */
};
/* Take or renew it for `seconds`. 0: ours. MM_ROLLOUT_LOST: it is another's;
 * *holder (may be NULL) then says whose and until when, in `a`. 1 = no such rollout. */
int mm_store_rollout_lease(struct mm_store *s, const struct mm_rollout_lease *l, int64_t seconds,
    struct mm_arena *a, struct mm_rollout *holder, struct mm_err *err);
int mm_store_rollout_release(struct mm_store *s, const struct mm_rollout_lease *l, struct mm_err *err);

/* ---- what the driver does: 0, -1, MM_ROLLOUT_LOST; 1 = an admin, or a newer
 * rollout, was faster: the state does not allow it any more, look again */

/* The decisions of controller/rollout/decide.h. bake: baking from now on.
 * next: who is unreachable in the present wave is late, wave + 1 is opened
 * and its hosts are released. done: likewise late. `because` as mm_ro_because_name(). */
int mm_store_rollout_bake(struct mm_store *s, const struct mm_rollout_lease *l, struct mm_err *err);
int mm_store_rollout_next(struct mm_store *s, const struct mm_rollout_lease *l, struct mm_err *err);
int mm_store_rollout_done(
    struct mm_store *s, const struct mm_rollout_lease *l, const char *why, struct mm_err *err);
int mm_store_rollout_stop(struct mm_store *s, const struct mm_rollout_lease *l,
    enum mm_ro_state state /* paused or halted */, const char *because, const char *why, struct mm_err *err);

/* Before it is sent: released, unreachable or late becomes sent, tries + 1.
 * 1: it is in none of these states any more (a check-in was faster, it was superseded),
 * or the rollout sends nothing now (paused meanwhile): leave it alone.
 * Wrap many in mm_store_begin() and mm_store_commit(), and commit before sending. */
int mm_store_rollout_claim(struct mm_store *s, const struct mm_rollout_lease *l, const char *host,
    const char *request_id, struct mm_err *err);

/* What came of it. `state`: ok, failed, unreachable, login, reverted,
 * superseded; released puts it back as if it had never been sent (nothing went
 * out: tries - 1). An unreachable host that was late stays late. Uses host, state,
 * next_try, touched (stays true once it is), users, tested, verified, failed, outcome, text, and
 * request_id: a host that was sent another request since is left alone (1), as is one
 * that is not in the rollout; NULL = whatever it was sent.
 * No lease: what has landed has landed, and also a report that a check-in brought counts. A host
 * that has answered already takes a new answer (the user's next session confirmed or reverted it). */
int mm_store_rollout_landed(
    struct mm_store *s, int64_t id, const struct mm_rollout_host *h, struct mm_err *err);

/* Hosts in flight that nobody waits for: those the driver before us sent
 * (all that were pushed, when `pushed`), and those that fetched it by check-in before
 * `checkin_before` and have not answered. The former are released again (late ones: late), at
 * once; the latter are unreachable (late), tried again at `next_try`. *n = how many. */
int mm_store_rollout_reclaim(struct mm_store *s, const struct mm_rollout_lease *l, bool pushed,
    int64_t checkin_before, int64_t next_try, int64_t *n, struct mm_err *err);

/* ---- what an admin does. MM_EX_FAILED with a sentence when the state does
 * not allow it. The handle's who and reason stand in the audit log. */

int mm_store_rollout_pause(struct mm_store *s, int64_t id, struct mm_err *err);
/* Of a paused one: on as it was; a wave that had settled bakes anew, its
 * unreachable hosts are due at once. Of a halted one: what has failed so far is forgiven. */
int mm_store_rollout_resume(struct mm_store *s, int64_t id, struct mm_err *err);
/* The present wave's gate: an approval that is wanted, or an inconclusive
 * result, lets the next wave begin. Not what a budget or the gate halted. */
int mm_store_rollout_approve(struct mm_store *s, int64_t id, struct mm_err *err);
/* What it wanted of hosts that have not answered is not owed any more (push state). `taken_back`: for
 * a rollback, which says so. */
int mm_store_rollout_abort(struct mm_store *s, int64_t id, bool taken_back, struct mm_err *err);
/* Failed hosts (failed, login, reverted), or unreachable ones (unreachable, late), are
 * released again, and what they did is forgotten by the budgets; a halted or done
 * rollout runs again. *n = how many; none changes nothing. */
int mm_store_rollout_retry(
    struct mm_store *s, int64_t id, bool failed, bool unreachable, int64_t *n, struct mm_err *err);

/* ---- check-ins, and pushes beside a rollout */

struct mm_rollout_offer {
	int64_t rollout;        /* 0 = none has to do with this host */
	int64_t revision;       /* the newest one released to this host, 0 = none */
	enum mm_rh_state state; /* of the host in that rollout */
	bool claimable;         /* mm_store_rollout_checkin() may take it now */
	int64_t held;           /* the newest revision whose rollout keeps this host waiting, 0 = none */
	int64_t held_by;        /* that rollout */
	bool any;               /* this host is in a rollout, whatever became of either */
};
/* What the rollouts say of this host. Released: a host that was sent it, or answered; or
 * that is released, unreachable or late in a rollout that is running, baking or done. */
int mm_store_rollout_offer(
    struct mm_store *s, const char *host, struct mm_rollout_offer *out, struct mm_err *err);
/* The host fetches it: as mm_store_rollout_claim(), without a lease and only when fewer than
 * `window` hosts are in flight. 1: not now. The caller looks at the terms' hours. */
int mm_store_rollout_checkin(
    struct mm_store *s, int64_t id, const char *host, const char *request_id, struct mm_err *err);
/* A host was sent `revision` outside of any rollout: rollouts of older (or the same) revisions that
 * have it waiting, released, unreachable or late count it as superseded. *n (may be NULL) = in how many. */
int mm_store_rollout_overtaken(
    struct mm_store *s, const char *host, int64_t revision, int64_t *n, struct mm_err *err);

/* ---- what the workstations said of themselves (store: inventory.c) */

struct mm_inventory_client {
	const char *name;
	const char *version; /* "" = unknown */
	bool used;           /* somebody's settings in it are known: it is more than installed */
};
struct mm_inventory {
	const char *host;
	const char *os;                            /* "Debian GNU/Linux 12 (bookworm)", "" = unknown */
	const struct mm_inventory_client *clients; /* sorted by name */
	size_t n_clients;
	int64_t seen; /* 0 = nothing is known */
};
/* In order of host; every host of the inventory once. NULL = all. */
int mm_store_inventory(struct mm_store *s, const char *host,
    int (*cb)(const struct mm_inventory *i, void *arg, struct mm_err *err), void *arg, struct mm_err *err);

#endif
