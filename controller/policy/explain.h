/*
 * Why has this user this value? The trail of a resolved user as a table for
 * people and as JSON. Resolve with MM_RESOLVE_EXPLAIN for a full trail.
 *
 * SETTING is what an admin types behind the user: NULL for everything, an id
 * ("incoming.host"), the beginning of ids ("incoming", "clients",
 * "clients.mutt"), or "create"; "ACCOUNT:" in front keeps to one account.
 */
#ifndef MM_POLICY_EXPLAIN_H
#define MM_POLICY_EXPLAIN_H

#include <jansson.h>
#include <stdio.h>

#include "controller/policy/resolve.h"

/* -1 with code MM_EX_FAILED: nothing of that name, the error suggests one; or
 * no layer says anything about it. Nothing is printed then. */
int mm_explain_print(const struct mm_resolved *r, const char *setting, FILE *f, struct mm_err *err);

/* {user, host?, policy_sha256, settings: [{account?, id, value, trail: [{layer,
 * name?, priority?, file?, line?, written, value, verdict, why}]}]}; new
 * reference. value null: unset or not said. */
int mm_explain_json(const struct mm_resolved *r, const char *setting, json_t **out, struct mm_err *err);

#endif
