/*
 * What a rollout does next: a function of what became of each host, the
 * terms and the time. It sends nothing and stores nothing; the driver does
 * what it says, writes that down, and asks again, after a restart as well.
 *
 * The life of a wave: its hosts are released, and sent, `window` at a time.
 * When each was tried it has settled. It bakes (not the last one); hosts
 * that are unreachable are tried again meanwhile. Then, when nothing of it is in
 * flight: too few reports or tests: pause; too few verified: halt; an
 * approval that is wanted: pause; else the next wave. Who is still
 * unreachable then goes to the late lane and holds up nobody.
 *
 * - In-flight hosts land after a halt or a pause: their results are recorded.
 * - Unreachable hosts (late ones, too) count for their own budget alone.
 * - Hosts that are superseded leave the count: wave and fleet are smaller.
 * - The outcome of a late host counts for the total, not for its wave.
 * - `forgiven` hosts (resume after a halt) burn no budget and no gate.
 * - Hosts released again (retry) in a wave that is over are sent as well.
 * - After the last wave an inconclusive result holds up nothing any more;
 *   too few verified still halts.
 *
 * It costs a few passes over the hosts: ask once per batch of results, not
 * once per result. Sentences count waves from 1.
 */
#ifndef MM_ROLLOUT_DECIDE_H
#define MM_ROLLOUT_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/rollout/terms.h"
#include "controller/rollout/words.h"

/* Logins that serving a host brings to a mail server. */
struct mm_ro_load {
	unsigned server; /* the caller's number for it, below n_servers */
	int64_t logins;
};

struct mm_ro_host {
	int64_t wave, rank;
	enum mm_rh_state state;
	bool late;     /* is, or was, in the late lane */
	bool forgiven; /* its failure does not count any more */
	int64_t tries;
	int64_t next_try;   /* not before; 0 = at once */
	int64_t not_before; /* jitter: seconds after the opening of its wave, mm_ro_jitter() */
	int64_t sent;       /* when it was sent something last, 0 = never */
	/* of its answer: */
	int64_t users;                  /* whom it covers */
	int64_t tested;                 /* of them: with a login check that passed or failed */
	int64_t verified;               /* of them: every login passed */
	const struct mm_ro_load *loads; /* only for terms with a rate */
	size_t n_loads;
};

struct mm_ro_now {
	int64_t now;
	enum mm_ro_state state;
	int64_t wave;       /* the present one, from 0 */
	int64_t n_waves;    /* of the rollout */
	int64_t wave_since; /* when it was opened */
	int64_t bake_since; /* when it settled; MM_RO_BAKING */
	int64_t approved;   /* the highest wave that an admin let through (inconclusive or not); -1 = none */
	size_t n_servers;   /* for rates */
};

enum mm_ro_act {
	MM_ROA_SEND,  /* these hosts, now, in this order */
	MM_ROA_WAIT,  /* until `until`, or until something lands */
	MM_ROA_BAKE,  /* the wave has settled: state becomes baking, from now on */
	MM_ROA_NEXT,  /* open wave `wave`; who is unreachable in the present one is late */
	MM_ROA_PAUSE, /* state becomes paused, for `text` */
	MM_ROA_HALT,  /* state becomes halted, for `text` */
	MM_ROA_DONE,  /* state becomes done; who is unreachable is late */
	MM_ROA_REST,  /* nothing to do in this state, unless an admin acts; `until` for late hosts */
};

/* Why it waits, pauses or halts; for --json. */
enum mm_ro_because {
	MM_ROB_NONE,
	MM_ROB_FLIGHT, /* the window is full, or the last ones are on their way */
	MM_ROB_BAKE,
	MM_ROB_HOURS,
	MM_ROB_RATE,
	MM_ROB_JITTER,
	MM_ROB_RETRY,    /* unreachable or late hosts that are not due yet */
	MM_ROB_REPORTED, /* inconclusive: too few hosts have answered */
	MM_ROB_TESTED,   /* inconclusive: too few users were tested */
	MM_ROB_APPROVAL, /* an admin has to approve the next wave */
	MM_ROB_BUDGET,
	MM_ROB_GATE, /* too few of the tested users are verified */
	MM_ROB_COUNT
};
const char *mm_ro_because_name(enum mm_ro_because b);

#define MM_RO_TEXT 320

struct mm_ro_decision {
	enum mm_ro_act act;
	enum mm_ro_because because;
	enum mm_budget budget; /* MM_ROB_BUDGET: which */
	size_t n_send;         /* indices are in the caller's array */
	int64_t until;         /* unix seconds; 0 = nothing to wait for but what is in flight */
	int64_t wave;          /* MM_ROA_NEXT */
	char text[MM_RO_TEXT]; /* one sentence with the numbers, for every act */
};

/* `send` has room for `room` indices of hosts; no more are sent than fit.
 * Hosts may stand in any order. */
void mm_ro_decide(const struct mm_ro_terms *t, const struct mm_ro_now *now, const struct mm_ro_host *hosts,
    size_t n, size_t *send, size_t room, struct mm_ro_decision *out);

/* The same numbers for people and for JSON. */
struct mm_ro_count {
	int64_t hosts; /* without superseded ones */
	int64_t by[MM_RH_COUNT];
	int64_t late; /* that are, or were, in the late lane */
	int64_t answered;
	int64_t burnt[MM_BUDGET_COUNT];  /* what counts for the budgets */
	int64_t users, tested, verified; /* of those that answered and are not forgiven */
};
/* Of one wave (as its gate sees it: without late ones' outcomes), or of all: wave -1. */
void mm_ro_count(const struct mm_ro_host *hosts, size_t n, int64_t wave, struct mm_ro_count *out);

/* Where one that is done stands: late hosts change that. */
void mm_ro_done_text(const struct mm_ro_count *c, char out[MM_RO_TEXT]);

#endif
