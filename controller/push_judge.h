/*
 * What the answer of one host says of its people's logins, for the budgets
 * and the gate of a rollout.
 *
 * Of a user who could not log in before either (same account and side, or
 * the same account's secret was refused on the other side, by the store's last evidence) this answer proves
 * nothing about the new settings: such a user counts as not tested. A failure that may well pass by itself
 * (no name service, no connection, a busy server) counts as tested and not verified, but is no failed login
 * check: a laptop away from home does not halt a rollout, a server that nobody can reach does.
 */
#ifndef MM_CONTROLLER_PUSH_JUDGE_H
#define MM_CONTROLLER_PUSH_JUDGE_H

#include "controller/push_answer.h"

/* The reports that answer this request, before they are stored. The text lives in `a`. */
int mm_push_judge(struct mm_store *s, const struct mm_collect *c, const char *request_id, struct mm_arena *a,
    struct mm_judgement *out, struct mm_err *err);
/* Could the failure of this class be over in a minute? */
bool mm_login_passing_trouble(const char *cls);

#endif
