/*
 * Baselines as texts: reading them, and what a policy changes of them.
 *
 * A baseline is libconfig (mailmuster-baseline(5)): which checks it selects,
 * each with the controls that it is evidence for, and, in the same text or in
 * files that it includes, the library of checks. It is read like a policy:
 * includes below its own folder only, numbers checked against the text, every
 * fault one line with file:line.
 */
#ifndef MM_CONTROLLER_CHECKS_BASELINE_H
#define MM_CONTROLLER_CHECKS_BASELINE_H

#include "controller/checks/check.h"
#include "controller/policy/policy.h"

#define MM_BASELINE_FORMAT 1
#define MM_BASELINE_DEFAULT "rfc8314" /* of a policy that names none */
#define MM_CHECKS_MAX 256             /* in one library */

/* -1: errors in `d`, *out is not set. Everything lies in `a`; *text (may be
 * NULL) is the text with its includes resolved, over which sha256 is. */
int mm_baseline_load_file(const char *path, struct mm_arena *a, const struct mm_baseline **out,
    struct mm_said *text, struct mm_diags *d);
/* The same for a stored text. */
int mm_baseline_load_text(const char *name, const char *text, struct mm_arena *a,
    const struct mm_baseline **out, struct mm_diags *d);

/* The baseline with what the policy changes of it. Names that it does not
 * know are errors in `d` with the policy's file:line. */
int mm_baseline_tailor(const struct mm_baseline *b, const struct mm_paudit *audit, struct mm_arena *a,
    const struct mm_baseline **out, struct mm_diags *d);

/* The baseline with one of its checks alone; NULL when it has none of this id. */
const struct mm_baseline *mm_baseline_only(
    const struct mm_baseline *b, const char *check, struct mm_arena *a);

/* The file of a baseline: FOLDER/baselines/NAME.conf (folder NULL: not there),
 * then $MAILMUSTER_BASELINES/NAME.conf, then what was installed beside this
 * program. NULL when there is none; `looked` (may be NULL) gets where it was looked for. */
const char *mm_baseline_find(const char *name, const char *folder, struct mm_arena *a, const char **looked);

/* What a policy asks for: its baseline's files are found (`folder` as in
 * mm_baseline_find()), read and tailored. Everything that is wrong is an error in `d`,
 * at the place in the policy. Where the policy names none and the program's data are
 * not there, *out is NULL and that is no error. `text` (may be NULL): what to store, and the file's name. */
int mm_baseline_of_policy(const struct mm_policy *p, const char *folder, struct mm_arena *a,
    const struct mm_baseline **out, struct mm_said *text, struct mm_diags *d);

/* The fix of a check for a client: its own, else the one for any, else "". */
const char *mm_check_fix(const struct mm_check *c, const char *client);
/* What its results are counted in: "accounts", "logins", "mail programs", "workstations";
 * "" = there is one, of the fleet. */
const char *mm_check_unit(const struct mm_check *c);

#endif
