/*
 * Changes on trial: those to the settings with which somebody logs in, from
 * when they are written until a login has proven them. Part of a place's run
 * (place.h); what comes of a trial is agent/confirm.h's.
 *
 * What had worked before is never guessed: it is what a login check on this
 * host, or in this home, has seen (agent/remember.h).
 */
#ifndef MM_AGENT_TRIAL_H
#define MM_AGENT_TRIAL_H

#include "agent/place.h"
#include "agent/remember.h"

/* A host that has not been in the home for so long has no say in it any more. */
#define MM_HOST_GONE_SECONDS (14 * 86400)

/* How far a side's login is proven, and the hash of its settings so. */
enum mm_level mm_side_level(const struct mm_sheet *sheet, enum mm_side side);
void mm_side_hash(
    const struct mm_sheet *sheet, const struct mm_account *acc, enum mm_side side, char out[MM_SHA256_HEX]);

/* The trial to which an edit of this side belongs; NULL: there is nothing to
 * prove, or the same settings were proven a short while ago. `row` still says
 * what was applied before. */
struct mm_trial *mm_trial_open(
    struct mm_place_run *p, const struct mm_todo *t, struct mm_row *row, enum mm_side side);
/* What is wanted now is what is on trial, unless that is proven, or not to be proven any more. */
void mm_trial_renew(const struct mm_place_run *p, const struct mm_todo *t, struct mm_row *row);

/* What was taken back under this revision is not written again; nor does a
 * second host with the same home write over what the first one brought with
 * this revision. */
void mm_trial_hold(struct mm_place_run *p, struct mm_todo *t);

/* Not proven since it was written? */
bool mm_trial_is_open(const struct mm_memory *m, const struct mm_row *row, enum mm_side side);

#endif
