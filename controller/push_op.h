/*
 * One operation on many hosts: prepare and sign the requests, push them,
 * store what the agents report. The command line is cmd_push.c's business,
 * SSH is controller/push's.
 */
#ifndef MM_CONTROLLER_PUSH_OP_H
#define MM_CONTROLLER_PUSH_OP_H

#include "controller/cmd.h"
#include "controller/push/push.h"
#include "controller/push_causes.h"
#include "controller/push_changes.h"
#include "controller/push_select.h"
#include "controller/request_build.h"
#include "schemas/plan.h"
#include "schemas/request.h"

struct mm_host_result;
struct mm_push_summary;

/* Who hands out the hosts one by one: a rollout, whose next hosts depend on
 * what became of those before. */
struct mm_push_feed {
	/* The hosts are chosen (s->targets), nothing is sent yet. */
	int (*begin)(void *ctx, const struct mm_push_summary *s, struct mm_err *err);
	/* 1: s->targets[*i] is next (more than once is allowed, when its last
	 * time is over), 0: no more, MM_PUSH_LATER: none now. Who lets a host
	 * begin has stored mm_store_push_want() for it. */
	int (*next)(void *ctx, size_t *i, struct mm_err *err);
	/* This one's result is stored; the transaction is still open. */
	int (*done)(void *ctx, size_t i, const struct mm_host_result *r, struct mm_err *err);
	/* May be NULL: what stands in the progress line behind the counts. */
	const char *(*say)(void *ctx);
	void *ctx;
};

struct mm_push_how {
	enum mm_op op;
	int64_t parallel;     /* 0 = MM_PUSH_PARALLEL */
	int64_t timeout_s;    /* for one host, 0 = MM_PUSH_TIMEOUT_S */
	const char *identity; /* SSH key; NULL = the state folder's; "agent" = the ssh-agent's keys */
	bool progress;        /* show it, if stderr is a terminal */
	bool again;           /* MM_VERIFY_AGAIN */
	int64_t generation;   /* of a restore; 0 = the last run */
	/* An apply that carries out a plan: what it says of each host (as
	 * mm_plan_digest_end(); NULL: nothing, and it is left alone), and of which
	 * revision it is. */
	const char *(*planned)(const void *plan, const char *host);
	const void *plan;
	int64_t plan_revision;
	const char *plan_sha256; /* of the file */
	const char *reason;      /* of what is asked of the hosts, for the audit log, or NULL */
	/* A discover: what may be told, whether there is no policy, and who hears it. */
	const struct mm_discover_ask *discover;
	bool no_policy;
	void (*hear)(void *ctx, const char *host, const struct mm_finding *f);
	void *hear_ctx;
	bool retry;                      /* of what hosts owe an answer for: nothing new is wanted */
	int64_t revision;                /* of an apply: 0 = the current one */
	const struct mm_push_feed *feed; /* NULL: all hosts, in their order */
};

/* Of an apply: what it says of the host's people (push_judge.h). */
struct mm_judgement {
	int64_t users;    /* that the answer covers */
	int64_t tested;   /* with a login that failed and did not fail before, or with none that failed */
	int64_t verified; /* of these: every login passed */
	int64_t failed;   /* with one that failed for good */
	int64_t reverted; /* findings: changes that the agent took back */
	int64_t errors;   /* findings that count as failed */
	const char *text; /* the first of what is wrong, "" when nothing is */
};

/* What became of one host. */
struct mm_host_result {
	const struct mm_target *target;
	struct mm_ended outcome;
	struct mm_request_made made; /* id "" = nothing was made for it */
	struct mm_issued by;         /* MM_PC_SUPERSEDED: the newer request */
	const char *agent;           /* version, "" = did not say */
	/* of the report that answers the request */
	uint32_t findings, actions[MM_ACT_COUNT], states[MM_ST_COUNT], logins[MM_LOGIN_COUNT];
	uint32_t errors;  /* findings that count as failed */
	uint32_t reports; /* that answer the request: a complete answer has at least one */
	uint32_t covered; /* users whom these cover */
	uint32_t spooled; /* older reports that came along */
	const char *plan; /* of a plan: mm_plan_digest_end(); else NULL */
	size_t changes;   /* that it holds */
	struct mm_judgement people;
	int exit_bits;
};

/* A login that was refused, or a finding that is not in order: for the end of
 * the output. */
struct mm_trouble {
	const char *host, *user, *client, *account, *what, *text;
	bool login;
};
#define MM_TROUBLE_MAX 1000 /* kept in memory; the store has them all */

struct mm_push_summary {
	struct mm_arena *arena;
	enum mm_op op;
	int64_t revision;
	struct mm_target *targets;
	struct mm_host_result *hosts; /* in the order of `targets` */
	size_t n;
	size_t by_class[MM_PC_COUNT];
	struct mm_changes *changes; /* for MM_OP_PLAN */
	const struct mm_push_how *how;
	struct mm_causes *causes; /* every login check that answers the requests */
	struct mm_trouble *troubles;
	size_t n_troubles, cap_troubles, more_troubles;
	size_t released; /* accounts that are not the policy's any more, and stay (MM_REASON_RELEASED) */
	const char *released_here; /* where the first of them is */
	const char *agent;         /* the version that was met last, or NULL */
	struct mm_push_stats stats;
	int64_t took_ms;
	bool interrupted;
	bool rolled;     /* it was a rollout: who decided which hosts were served */
	int exit_status; /* enum mm_exit, combined */
};

/* Run. -1: nothing or not everything could be done, for a reason on our
 * side; the error says which. Else 0, and the summary says what came of it;
 * free it in both cases. */
int mm_push_run_op(struct mm_ctl *c, const struct mm_selection *sel, const struct mm_push_how *how,
    struct mm_push_summary *out, struct mm_err *err);
void mm_push_summary_free(struct mm_push_summary *s);

#endif
