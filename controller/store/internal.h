/*
 * Inside the store: the handle, the table of statements, running them.
 * Only files of this folder include this header (and sqlite3.h).
 */
#ifndef MM_CONTROLLER_STORE_INTERNAL_H
#define MM_CONTROLLER_STORE_INTERNAL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/digest.h"
#include "common/err.h"
#include "common/json.h"
#include "controller/store/sql.h"
#include "controller/store/store.h"

#define MM_ERASED "+erased"        /* the user of a waiver whose user was erased */
#define MM_ANCHOR "audit_anchor"   /* note: where the log begins */
#define MM_STORE_APP_ID 0x4d4d7374 /* "MMst", in the file's header */

struct mm_migration {
	int number;
	const char *name;
	const char *sql;
};
extern const struct mm_migration mm_migrations[]; /* ends with a NULL name */

struct mm_store {
	sqlite3 *db;
	sqlite3_stmt *cache[MM_SQL_COUNT];
	bool taken[MM_SQL_COUNT]; /* a walk stands on it, or stood to its end */
	int depth;                /* open transactions, inner ones are savepoints */
	char *path;               /* of a handle that was left (view.h), and which file that was */
	dev_t dev;
	ino_t ino;
	char *part_from, *part_to; /* the workstations that it shows, NULL = from the first, to the last */
	char *who;
	char *reason;
	int64_t fixed_now;
	int64_t appended;  /* audit entries since the last checkpoint */
	int64_t heard_seq; /* whose hash this is; 0 = none */
	char heard_sha256[MM_SHA256_HEX];
};

/* A statement under way. */
struct mm_q {
	struct mm_store *s;
	sqlite3_stmt *st;
	enum mm_sql id;
	bool own; /* the cached one was busy (a walk inside a walk) */
};

/* Prepare and bind. `fmt`: i = int64_t, t = const char * (NULL is NULL),
 * b = const void *, size_t. Parameters are ?1, ?2 ... in this order. The texts must
 * live until the statement is done. */
int mm_q_start(struct mm_store *s, struct mm_q *q, enum mm_sql id, struct mm_err *err, const char *fmt, ...);
int mm_q_vstart(
    struct mm_store *s, struct mm_q *q, enum mm_sql id, struct mm_err *err, const char *fmt, va_list ap);
int mm_q_step(struct mm_q *q, struct mm_err *err); /* 1 = a row, 0 = the end, -1 */
void mm_q_done(struct mm_q *q);
/* Columns of the present row; texts live until the next step. */
int64_t mm_q_int(struct mm_q *q, int col);
const char *mm_q_text(struct mm_q *q, int col); /* NULL for NULL */
const char *mm_q_str(struct mm_q *q, int col);  /* "" for NULL */

/* Run a statement that gives no rows; returns the number of changed rows or -1. */
int mm_q_run(struct mm_store *s, enum mm_sql id, struct mm_err *err, const char *fmt, ...);
/* Run a query for one number; *out stays as it is when there is no row (1). */
int mm_q_one(struct mm_store *s, int64_t *out, enum mm_sql id, struct mm_err *err, const char *fmt, ...);

/* Set *err from the connection: what, and SQLite's words. */
int mm_q_fail(struct mm_store *s, const char *what, struct mm_err *err);

/* A JSON object for an audit detail, from name/value pairs; a NULL name ends
 * it, pairs with a NULL value are left out. In `a`. */
const char *mm_detail(struct mm_arena *a, ...) __attribute__((sentinel));

/* The parameters of HOSTS_MEANT (sql_texts.c) that stand for a part of the fleet. */
#define MM_Q_PART_FROM 30
#define MM_Q_PART_TO 31
/* store.c: the connection of a handle that has none. */
int mm_store_connect(struct mm_store *s, const char *path, bool fresh, struct mm_err *err);
void mm_store_disconnect(struct mm_store *s);

/* End a transaction that this function began: commit when rc is 0. */
int mm_store_end(struct mm_store *s, int rc, struct mm_err *err);
/* The same for a step that is mostly part of something larger. Where a
 * transaction is open it has no savepoint of its own (for which SQLite copies
 * each page that is written): whoever has begun rolls back when it fails. */
int mm_store_join(struct mm_store *s, bool *own, struct mm_err *err);
int mm_store_leave(struct mm_store *s, bool own, int rc, struct mm_err *err);

/* reports.c -> intervals.c: one report being stored. */
struct mm_intake {
	struct mm_store *s;
	const struct mm_report_in *in;
	struct mm_arena *a;
	int64_t seen;  /* when its evidence was collected, by our clock as far as we can tell */
	int64_t entry; /* its number in the audit log */
	const char *frames_sha256, *key_id, *signature; /* "" = none */
	enum mm_seal_state seal;
	char row_sha256[MM_SHA256_HEX]; /* mm_report_row_digest() */
	int64_t now;                    /* when it came */
	bool strangers;                 /* there are open findings of users whom it does not cover */
	bool gone;                      /* rows of users who left were closed */
	struct mm_changed_place *changed;
	size_t n_changed, cap_changed;
};
int mm_intake_seal(struct mm_intake *t, struct mm_err *err); /* seals.c */
/* audit.c: the number of the entry that is appended next. In a transaction. */
int mm_audit_last(struct mm_store *s, int64_t *seq, char sha256[MM_SHA256_HEX], struct mm_err *err);
int mm_audit_next(struct mm_store *s, int64_t *seq, struct mm_err *err);
/* "alice (uid 1000), bob (uid 1001)" in the arena; NULL when nobody has approved it. */
int mm_revision_approvers(
    struct mm_store *s, int64_t number, struct mm_arena *a, const char **out, struct mm_err *err);
/* Whose rows were written: their summaries are made anew before the end (vouch.c). */
#define MM_CHANGED_SETTINGS 0x1u
#define MM_CHANGED_LOGINS 0x2u
#define MM_CHANGED_ENDED 0x4u /* and some of them have ended */
struct mm_changed_place {
	const char *user;
	unsigned what;
};
void mm_intake_changed(struct mm_intake *t, const char *user, unsigned what);
void mm_intake_sort_changed(struct mm_intake *t);
/* The summary of a place, from all its open rows, in any order. */
struct mm_summary;
struct mm_summary *mm_summary_new(struct mm_arena *a);
/* The statement's present row; `cols`: which of its columns are these. */
struct mm_summary_cols {
	bool settings; /* a finding, else a login check */
	int setting, evidence, seen;
	int words[3]; /* client, state, action; or result, class, -1 */
};
void mm_summary_row(struct mm_summary *x, struct mm_q *q, const struct mm_summary_cols *cols);
int mm_summary_write(struct mm_store *s, const char *host, const char *user, unsigned what,
    struct mm_summary *x, struct mm_err *err);
/* For whoever else writes rows of findings or logins that are open. `what`: MM_CHANGED_... */
int mm_place_renew(struct mm_store *s, const char *host, const char *user, unsigned what, struct mm_err *err);
int mm_places_renew(struct mm_store *s, const char *host, struct mm_err *err); /* all of a host */
int mm_intake_evidence(struct mm_intake *t, struct mm_err *err);
/* Does this report say something newer of this user than the store knows? */
int mm_intake_newer(struct mm_intake *t, const char *user, bool *newer, struct mm_err *err);
bool mm_intake_speaks_for(const struct mm_intake *t, const char *user);
bool mm_intake_covers(const struct mm_intake *t, const char *user);
/* inventory.c: what the host says of itself. */
int mm_intake_inventory(struct mm_intake *t, struct mm_err *err);

/* A verdict with what stands over it: stale evidence is unknown, whatever it says. */
enum mm_audit mm_audit_of(enum mm_audit verdict, bool stale, bool waived);

/* The push_state columns from `col` on, in the order of sql_texts.c. */
void mm_push_from_row(struct mm_q *q, int col, struct mm_push_state *out);
/* Rows against the entries that tell of them (rows.c, rows_waivers.c). */
struct mm_row_check {
	int (*cb)(const char *place, const char *text, void *arg, struct mm_err *err);
	void *arg;
	struct mm_vouched *v; /* counted into */
};
int mm_rows_waivers(struct mm_store *s, const struct mm_row_check *c, bool pruned, struct mm_err *err);
/* rows_reports.c: what it is told in the order of the log, and then the rows of which nothing
 * was told. `anchor`: entries up to this one are gone. */
struct mm_rows_reports;
struct mm_rows_reports *mm_rows_reports_new(
    struct mm_store *s, const struct mm_row_check *c, int64_t anchor, struct mm_err *err);
int mm_rows_report(
    struct mm_rows_reports *r, int64_t seq, const char *host, const json_t *detail, struct mm_err *err);
void mm_rows_host_removed(struct mm_rows_reports *r, const char *host);
void mm_rows_erasure(struct mm_rows_reports *r, const json_t *detail);
int mm_rows_reports_end(struct mm_rows_reports *r, int64_t anchor, struct mm_err *err);
void mm_rows_reports_free(struct mm_rows_reports *r);
/* What an entry does not say of its report's row, but vouches for: "row" in its detail. */
struct mm_report_row {
	const char *salt, *covers, *user, *agent; /* covers, user: NULL = none */
	int64_t received, seen, expired, epoch, serial;
};
void mm_report_row_digest(const struct mm_report_row *r, char out[MM_SHA256_HEX]);
/* Entries up to `to` will go: new ones say what they say. */
int mm_waivers_keep(struct mm_store *s, int64_t to, struct mm_err *err);
/* As an entry has them; the caller unrefs. */
json_t *mm_waiver_values(const struct mm_waiver *w);

/* Split "a\nb\nc" (sorted by the query) into an array in `a`; NULL or "" is empty. */
const char *const *mm_split_lines(struct mm_arena *a, const char *text, size_t *n);

#endif
