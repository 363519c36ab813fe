/*
 * Findings and logins kept in memory, to be printed as tables or as JSON.
 */
#ifndef MM_AGENT_COLLECT_H
#define MM_AGENT_COLLECT_H

#include <stdio.h>

#include "agent/sink.h"
#include "common/buf.h"

struct mm_collect {
	struct mm_sink sink; /* first member */
	struct mm_arena *a;
	struct mm_finding *findings;
	size_t n_findings, cap_findings;
	struct mm_login *logins;
	size_t n_logins, cap_logins;
	int exit_bits;
};

void mm_collect_init(struct mm_collect *c, struct mm_arena *a);
/* From frames FINDING and LOGIN, as a worker's result holds them. */
void mm_collect_frames(struct mm_collect *c, const struct mm_buf *frames);

/* What a command says in the end: 0, 2, or 1 which stands alone. */
int mm_collect_status(const struct mm_collect *c);
/* Differences (everything with `all`), logins, and one line that counts. */
void mm_collect_print(const struct mm_collect *c, bool all, FILE *f);
void mm_collect_json(const struct mm_collect *c, FILE *f);

#endif
