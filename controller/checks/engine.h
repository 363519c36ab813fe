/*
 * Inside controller/checks: the results of the user at hand while they grow.
 * fold.c knows what is stale, waived or missing and hands results out; walk.c
 * brings the evidence and asks the tests.
 */
#ifndef MM_CONTROLLER_CHECKS_ENGINE_H
#define MM_CONTROLLER_CHECKS_ENGINE_H

#include "controller/checks/baseline.h"
#include "controller/checks/plan.h"

#define MM_CHECKS_AGENT "agent" /* the client of findings about a user as a whole */

struct mm_cell {
	bool used, stale, claimed;
	enum mm_check_outcome outcome;
	enum mm_method method;
	const char *path, *found, *wanted, *why; /* only kept for a callback */
	int line;
	int64_t since, seen;
	struct mm_waiver_of waiver;
};

struct mm_cells {
	char name[MM_REPORT_NAME_MAX + 1];
	bool live;   /* the policy's, and configured here */
	bool speaks; /* ... and its program talks with servers */
	struct mm_cell *cells;
};

struct mm_engine {
	struct mm_store *store;
	const struct mm_baseline *b;
	const struct mm_evidence_filter *filter;
	mm_result_cb *cb;
	void *arg;
	struct mm_check_sum *sums;
	struct mm_login_tap *tap; /* or NULL */
	struct mm_plan plan;
	struct mm_waivers *waivers;
	bool waivable; /* is there one that may cover something of the place at hand? */
	int64_t now, stale_after;
	struct mm_revision revision;
	struct mm_arena *texts; /* of the place at hand, NULL without a callback */
	const char *host, *user;
	char client[MM_REPORT_NAME_MAX + 1];
	struct mm_cells *accounts;
	size_t n, cap;
	bool has_logins;
	char auth[MM_SIDE_COUNT][32]; /* of the account and path that the last row was of */
	char auth_of[MM_REPORT_NAME_MAX + 1];
	/* Whose fact of a test with fact_decides came last. */
	char told_of[MM_REPORT_NAME_MAX + 1], told_path[MM_REPORT_PATH_MAX + 1];
	bool *counted, *failing; /* per check, of the place at hand */
	struct mm_say say;
};

/* A piece of evidence, judged. */
struct mm_item {
	enum mm_check_outcome outcome;
	enum mm_method method;
	const char *setting; /* or "login", "" */
	const char *path, *found, *wanted, *why;
	int line;
	int64_t since, seen;
	bool stale, claimed, changed; /* changed: somebody did, it had been right */
};

/* Into the cell of this check, the worst wins; completes `it` (stale, drifted, waived). */
void mm_cell_fold(
    struct mm_engine *e, struct mm_cell *c, size_t check, const char *account, struct mm_item *it);
/* Count it, and hand it to the callback. */
int mm_cell_emit(
    struct mm_engine *e, size_t check, const char *account, const struct mm_cell *c, struct mm_err *err);
/* The cells of an account of the client at hand; "" = the client as a whole. */
struct mm_cells *mm_cells_of(struct mm_engine *e, const char *name);
/* All of the client at hand is told: what nobody looked at is unknown. Hands everything out. */
int mm_cells_flush(struct mm_engine *e, struct mm_err *err);

#endif
