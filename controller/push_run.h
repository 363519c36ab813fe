/*
 * The state of one operation under way. Internal to it: push_op.c drives the
 * engine, push_record.c stores what became of each host.
 */
#ifndef MM_CONTROLLER_PUSH_RUN_H
#define MM_CONTROLLER_PUSH_RUN_H

#include "controller/push_answer.h"
#include "controller/push_op.h"

#define MM_PUSH_ROUNDS 5 /* times that a host is asked at which another run of ours was faster */

struct mm_push_run {
	struct mm_ctl *c;
	const struct mm_push_how *how;
	struct mm_push_summary *s;
	struct mm_key **keys; /* that have signed; the last is in use */
	size_t n_keys, cap_keys;
	struct mm_request_builder *builder;
	struct mm_request_builder **others; /* of other revisions, that hosts owe an answer for */
	size_t n_others, cap_others;
	struct mm_collect **answers; /* one for each host */
	size_t *queue, n_queue;      /* of this round */
	size_t next;                 /* the next of the queue to hand out */
	size_t *again, n_again;      /* for the next round */
	size_t round;
	bool *decided; /* one for each host: it has an outcome */
	size_t finished;
	size_t out; /* handed out, and neither stored nor put off to the next round */
	bool in_transaction;
	const char *const *users; /* whom a verify or preflight is about; NULL = everybody */
	size_t n_users;
	size_t logins; /* that have come in, for the progress line */
	size_t *ready; /* hosts that are finished and not yet stored */
	size_t n_ready;
	int64_t ready_since;
};

/* One transaction for everything that one turn of the engine brings. */
int mm_push_transaction(struct mm_push_run *o, struct mm_err *err);
/* Store the hosts that are finished; what another run was faster at goes into
 * the queue of the next round. */
int mm_push_store_ready(struct mm_push_run *o, struct mm_err *err);

#endif
