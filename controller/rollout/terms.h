/*
 * The terms of a rollout: waves, budgets, gate, times. Written by an admin
 * as NAME = TEXT (options of the command line, or the rollout section of a
 * file), kept in the store as a JSON object of the same texts.
 *
 *   waves "1,5%,25%,100%"   sizes of the waves: hosts, or percent of all that
 *        were chosen (rounded down, at least 1); the last one repeats until
 *        nobody is left
 *   failed "5%/2%", login "2%/1%", unreachable "any/any"
 *        budgets WAVE/TOTAL: so many hosts of a wave, and of all, may end like
 *        this, and it goes on; one more, and it halts. N, N% (rounded down) or
 *        "any"; one value stands for both. login counts hosts with a login
 *        check that failed, and those that took the change back.
 *   gate "95%"               of the *tested* users of a wave must be verified,
 *        or it halts; "0" or "0%" = no gate
 *   min_tested "1"           users tested in a wave, N (or all, where there are
 *        fewer) or N% of its users; fewer is inconclusive
 *   min_reported "50%"       hosts of a wave that have answered, N (or all) or
 *        N% of them; fewer is inconclusive
 *   bake "10m"               wait after each wave but the last: "90s", "10m",
 *        "2h", "1d", "0"
 *   approve "no"             "yes": an admin approves each further wave
 *   window "100"             hosts in flight at once
 *   hours ""                 "Mon-Fri 20:00-06:00": nothing new is sent at other
 *        times (hours.h); "" = always
 *   jitter "0"               each host waits a part of this time, its own, after
 *        its wave has opened
 *   rate "0"                 logins per minute on one mail server; 0 = no limit
 *   sticky "no"              "yes": the same hosts come first in every rollout
 *
 * Inconclusive: the rollout pauses, and neither goes on nor aborts. Machines
 * that are off burn no budget by default; min_reported keeps them from being
 * taken for success.
 *
 * The defaults above are for a change that nobody has tried: one host and
 * everything that makes hosts differ (assign.h), then 5 %, 25 %, the rest.
 */
#ifndef MM_ROLLOUT_TERMS_H
#define MM_ROLLOUT_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "controller/rollout/hours.h"
#include "controller/rollout/share.h"

#define MM_RO_WAVES_MAX 32
#define MM_RO_WINDOW_MAX 4096
#define MM_RO_TIME_MAX (30 * 86400) /* bake, jitter; seconds */

enum mm_budget { MM_BUDGET_FAILED, MM_BUDGET_LOGIN, MM_BUDGET_UNREACHABLE, MM_BUDGET_COUNT };
/* In the order of the terms. */
const char *mm_budget_name(enum mm_budget b);              /* "failed": the name of the term */
const char *mm_budget_words(enum mm_budget b);             /* "with a failed login check": behind a number */
const char *mm_budget_clause(enum mm_budget b, int64_t n); /* "have a failed login check": behind "N hosts" */

struct mm_budget_terms {
	struct mm_share wave, total;
};

struct mm_ro_terms {
	struct mm_share waves[MM_RO_WAVES_MAX];
	size_t n_waves;
	struct mm_budget_terms budgets[MM_BUDGET_COUNT];
	struct mm_share gate; /* always a percentage; 0 = no gate */
	struct mm_share min_tested, min_reported;
	int64_t bake_s;
	bool approve;
	int64_t window;
	struct mm_hours hours;
	int64_t jitter_s;
	int64_t rate;
	bool sticky;
};

void mm_ro_terms_default(struct mm_ro_terms *t);

/* The names, in the order above; ends with NULL. */
extern const char *const mm_ro_term_names[];

/* Set one term. One line on failure (MM_EX_USAGE) that says which term,
 * what was given and what is allowed; *t is then as before. */
int mm_ro_terms_set(struct mm_ro_terms *t, const char *name, const char *value, struct mm_err *err);
/* The text of one term, such as mm_ro_terms_set() takes. Appends. */
void mm_ro_terms_get(const struct mm_ro_terms *t, const char *name, struct mm_buf *out);

/* {"waves": "1,5%,25%,100%", ...}: all terms. Appends. */
void mm_ro_terms_json(const struct mm_ro_terms *t, struct mm_buf *out);
/* Terms that are absent have their defaults; an unknown one is an error
 * (MM_EX_DATAERR). */
int mm_ro_terms_from_json(const char *json, size_t n, struct mm_ro_terms *out, struct mm_err *err);

#endif
