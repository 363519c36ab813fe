/*
 * The journal's members as JSON. For journal*.c.
 *
 * Paths and former values are whatever bytes stood in a user's files: what
 * JSON cannot hold goes as base64 under "KEY.b64".
 */
#ifndef MM_AGENT_JOURNAL_JSON_H
#define MM_AGENT_JOURNAL_JSON_H

#include "agent/journal.h"

void mm_journal_put_bytes(json_t *o, const char *key, const char *s); /* NULL: nothing */
int mm_journal_get_bytes(
    const json_t *o, const char *key, struct mm_arena *a, const char **out, struct mm_err *err);
void mm_journal_put_kind(json_t *o, const char *key, char kind); /* '\0': nothing */
int mm_journal_get_kind(const json_t *o, const char *key, char *out, struct mm_err *err);
json_t *mm_journal_edit_json(const struct mm_done_edit *d);
int mm_journal_edit_parse(const json_t *o, struct mm_arena *a, struct mm_done_edit *d, struct mm_err *err);

/* Member "trials" of a row, left out where there is none. */
void mm_trials_json(json_t *row, const struct mm_row *r);
int mm_trials_parse(const json_t *row, struct mm_arena *a, struct mm_row *r, struct mm_err *err);
/* Member "reverted" of the journal. */
json_t *mm_reverted_json(const struct mm_journal *j);
int mm_reverted_parse(const json_t *o, struct mm_journal *j, struct mm_err *err);
/* Member "put_off" of the journal. */
json_t *mm_put_off_json(const struct mm_journal *j);
int mm_put_off_parse(const json_t *o, struct mm_journal *j, struct mm_err *err);

#endif
