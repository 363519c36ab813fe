/*
 * The loop: for every client and every place of one user, read what is in
 * effect, compare it three ways, change what the policy enforces, report.
 *
 * Nothing is written before the edited texts have been read back in memory
 * by the client's own rules and show what is wanted. Then, per place: bytes
 * before to a generation, intent to the journal, files replaced (only if
 * they still are what was read), journal brought up to date.
 */
#ifndef MM_AGENT_CONVERGE_H
#define MM_AGENT_CONVERGE_H

#include "agent/blockers.h"
#include "agent/clients/client.h"
#include "agent/conf.h"
#include "agent/journal.h"
#include "agent/reader.h"
#include "agent/sink.h"
#include "schemas/sheet.h"

enum mm_how {
	MM_HOW_APPLY,
	MM_HOW_PLAN,  /* the same without writing: "would-change" */
	MM_HOW_AUDIT, /* look and compare only */
};

/* What is known of one side (incoming, outgoing) of an account on this host,
 * over all clients: the evidence on which a login check may be run. */
struct mm_effect {
	bool present;   /* some client has it */
	bool in_effect; /* some client has exactly what is desired, and nothing can be in the way unseen:
			 * with a setting whose state is unknown, no login stands for what it uses */
};

struct mm_memory;

struct mm_converge {
	struct mm_arena *arena;
	const struct mm_identity *who;
	const struct mm_conf *conf;             /* for limits.clients; NULL = all */
	const struct mm_client *const *clients; /* NULL-terminated */
	const struct mm_sheet *sheet;
	struct mm_journal *journal;
	const char *state_dir;    /* the user's */
	struct mm_memory *memory; /* of its login checks; NULL: read when it is wanted */
	const char *run;          /* id of this run */
	int64_t now;
	enum mm_how how;
	struct mm_sink *sink;
	struct mm_effect effect[MM_SHEET_ACCOUNTS_MAX][MM_SIDE_COUNT]; /* out */
	size_t changed;                                                /* out: places written to */
	struct mm_blockers blockers;                                   /* out: what keeps changes waiting */
};

/* -1 only when the journal cannot be written; everything else is a finding. */
int mm_converge(struct mm_converge *c, struct mm_err *err);

/* One place of a client that a row of the journal is about: found, and read.
 * 1: `p` and `place` are filled in, 0: it is not there any more, -1: error. */
struct mm_place_run;
int mm_converge_place(struct mm_converge *c, struct mm_reader *r, const char *client, const char *path,
    struct mm_place_run *p, struct mm_err *err);

/* A finding about the user, a client or a file as a whole. */
void mm_report_whole(
    struct mm_converge *c, const char *client, const char *path, enum mm_state state, const char *reason);

#endif
