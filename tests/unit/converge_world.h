/*
 * A scratch home, a policy for the made-up client, and what a run said: the
 * fixture of test_agent_converge.c.
 */
#ifndef MM_TEST_CONVERGE_WORLD_H
#define MM_TEST_CONVERGE_WORLD_H

#include "agent/collect.h"
#include "agent/converge.h"

struct world {
	struct mm_arena *a;
	char home[64];
	const char *state;
	const struct mm_client *client; /* NULL: the made-up one */
	struct mm_identity who;
	struct mm_account acc[2];
	struct mm_client_rule rule;
	struct mm_sheet sheet;
	struct mm_collect found;
	struct mm_converge c;
};

int mm_world_setup(void **state);
int mm_world_teardown(void **state);

void put_file(struct world *w, const char *name, const char *text);
const char *get_file(struct world *w, const char *name); /* NULL = not there */
/* One run, with what comes before it: journal read, a killed run settled. */
int run(struct world *w, enum mm_how how);
void apply(struct world *w);
/* Findings that are no facts. */
size_t settings_told(const struct world *w);
/* The one finding about this; fails when there is none, or more than one. */
const struct mm_finding *finding(struct world *w, const char *account, const char *setting);
void expect(struct world *w, const char *account, const char *setting, enum mm_state st, enum mm_action act);

#endif
