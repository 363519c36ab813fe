/*
 * The journal: what Mailmuster owns in one user's configs, and what it last
 * applied there. JSON in the user's own state folder, written only as the
 * user, replaced atomically.
 *
 *   {"version":1, "revision":N, "restored":N, "rows":[...], "intent":{...}}
 *
 * A row is one account in one place of one client: its native key, whether
 * we created or adopted it, the value of each setting as last applied, and
 * every edit with what stood there before us, so that removal puts it back.
 * Several edits of one place are folded into one that keeps the *first*
 * former value: the journal does not grow with use.
 *
 * A change of the settings with which somebody logs in is on trial until a
 * login has proven it (agent/confirm.h): the row then holds, per side, what
 * this takes back. What was taken back is remembered, so that the same
 * revision does not do it again.
 *
 * Before files are written, the intent says which, with the SHA-256 of the
 * old and of the new bytes, and what the rows of the place will be. A run
 * that was killed is settled by mm_journal_recover() at the next one.
 *
 * A journal of a newer version, or one that does not parse, is an error:
 * who cannot read what we own must not guess.
 */
#ifndef MM_AGENT_JOURNAL_H
#define MM_AGENT_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/formats/format.h"
#include "common/digest.h"
#include "common/err.h"
#include "common/mem.h"
#include "schemas/settings.h"

#define MM_JOURNAL_VERSION 1
#define MM_JOURNAL_MAX (16u * 1024u * 1024u)
#define MM_JOURNAL_ROWS_MAX 4096

struct mm_done_edit { /* an edit that was carried out, and its file */
	const char *path;
	const char *format;
	bool created_file; /* the file was not there before */
	bool secret;       /* a password stood there before, and is not kept (forget.h) */
	struct mm_edit e;
};

struct mm_trial_edit {
	struct mm_done_edit d; /* with what stood there just before */
	/* What the row's own edit of the same thing said before: */
	bool fresh; /* there was none */
	enum mm_edit_op op;
	const char *value;
	char kind;
};

/* The changes to one side of an account that no login has proven yet. */
struct mm_trial {
	enum mm_side side;
	int64_t revision, since;
	char settings[MM_SHA256_HEX]; /* mm_settings_hash() of what is on trial */
	int64_t worked;               /* when the former settings last worked; 0 = not known that they did */
	char credential[MM_SHA256_HEX]; /* ... and with what (remember.h); "" = not known */
	struct mm_values before;        /* what had been applied, of this side */
	struct mm_trial_edit *edits;    /* in the order they were made */
	size_t n, cap;
};

/* A change that was taken back: not again, until the policy or somebody says so. */
struct mm_reverted {
	const char *account;
	enum mm_side side;
	int64_t revision;
	char settings[MM_SHA256_HEX];
	const char *cls, *text, *admin; /* of the login that failed */
	int64_t when;
};
#define MM_REVERTED_MAX 256

/* A place in which something waits to be written, and since when. */
struct mm_put_off {
	const char *client, *path;
	int64_t since;
};
#define MM_PUT_OFF_MAX 256

struct mm_row {
	const char *client, *path, *account;
	const char *key;
	bool created; /* by us; else adopted */
	struct mm_values applied;
	int64_t revision;           /* that `applied` is as a whole; 0 = not known, or it is of none */
	const char *host;           /* that was the first to bring it; NULL = not known */
	int64_t brought;            /* when that host last said so, to the day */
	struct mm_done_edit *edits; /* in the order they were first made */
	size_t n_edits, cap_edits;
	struct mm_trial *trial[MM_SIDE_COUNT]; /* NULL = proven, or not to be proven */
};

struct mm_rows {
	struct mm_row *r;
	size_t n, cap;
};

struct mm_intent_file {
	const char *path;
	char before[MM_SHA256_HEX]; /* "" = the file was not there */
	char after[MM_SHA256_HEX];  /* "" = it is removed */
};

struct mm_intent {
	const char *client, *path; /* NULL client: no intent */
	const struct mm_intent_file *files;
	size_t n;
	struct mm_rows rows; /* of this place, once it is carried out */
};

struct mm_journal {
	struct mm_arena *arena;
	const char *file;
	int64_t revision; /* highest fleet revision that was ever applied here */
	int64_t
	    restored; /* up to this one an admin has taken things back: it is not applied again; 0 = none */
	struct mm_rows rows;
	struct mm_intent intent;
	struct mm_reverted *reverted;
	size_t n_reverted, cap_reverted;
	struct mm_put_off *put_off;
	size_t n_put_off, cap_put_off;
	char saved[MM_SHA256_HEX]; /* of the bytes on disk; "" = none */
};

/* `dir` is the user's state folder; it need not exist. */
int mm_journal_load(const char *dir, struct mm_arena *a, struct mm_journal *out, struct mm_err *err);
/* Writes only what differs from the disk; makes the folder. */
int mm_journal_save(struct mm_journal *j, struct mm_err *err);

struct mm_row *mm_rows_find(
    const struct mm_rows *rows, const char *client, const char *path, const char *account);
struct mm_row *mm_rows_add(struct mm_arena *a, struct mm_rows *rows);
/* A deep copy of the rows of one place, to be changed and then installed. */
struct mm_rows mm_rows_copy(
    struct mm_arena *a, const struct mm_rows *from, const char *client, const char *path);
/* Replace the rows of one place. */
void mm_rows_install(struct mm_arena *a, struct mm_rows *rows, const char *client, const char *path,
    const struct mm_rows *with);
void mm_rows_remove(struct mm_rows *rows, const struct mm_row *row);
/* Record a carried-out edit, folding it into an earlier one of the same place. */
void mm_row_record(struct mm_arena *a, struct mm_row *row, const struct mm_done_edit *done);

/* The same for an edit that is on trial. */
void mm_row_record_trial(
    struct mm_arena *a, struct mm_row *row, struct mm_trial *t, const struct mm_done_edit *done);
/* An edit on trial was taken back: the row says what it said before it. */
void mm_row_unrecord(struct mm_row *row, const struct mm_trial_edit *e);

/* Was this taken back, with these settings and this revision? NULL: no. */
const struct mm_reverted *mm_journal_reverted(const struct mm_journal *j, const char *account,
    enum mm_side side, int64_t revision, const char *settings);
/* It replaces what is there about the account's side; texts are borrowed. */
void mm_journal_add_reverted(struct mm_journal *j, const struct mm_reverted *r);
void mm_journal_drop_reverted(struct mm_journal *j, const char *account, enum mm_side side);

/* Since when something is put off there: `now`, if it was not before. */
int64_t mm_journal_put_off(struct mm_journal *j, const char *client, const char *path, int64_t now);
/* Nothing is, any more. */
void mm_journal_caught_up(struct mm_journal *j, const char *client, const char *path);

/* Settle what a killed run left behind. `read` gives the text of a file now:
 * 1 and *text, 0 when it is not there, -1 when it cannot be read. Returns 1
 * when there was something to settle (the journal is changed, not saved), 0
 * when not. */
typedef int mm_text_source(void *ctx, const char *path, struct mm_text *text);
int mm_journal_recover(struct mm_journal *j, mm_text_source *read, void *ctx);

/* Rows and edits as JSON, shared with generations. */
json_t *mm_rows_json(const struct mm_rows *rows);
int mm_rows_parse(const json_t *list, struct mm_arena *a, struct mm_rows *out, struct mm_err *err);

#endif
