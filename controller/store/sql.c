#include <stdarg.h>

#include "common/json.h"
#include "controller/store/internal.h"

int mm_q_fail(struct mm_store *s, const char *what, struct mm_err *err)
{
	int rc = sqlite3_extended_errcode(s->db);

	if ((rc & 0xff) == SQLITE_BUSY)
		return mm_err_set(err, MM_EX_FAILED,
		    "store: %s: another process kept the store locked for %d s", what,
		    MM_STORE_BUSY_MS / 1000);
	return mm_err_set(err, MM_EX_FAILED, "store: %s: %s", what, sqlite3_errmsg(s->db));
}

static int prepare(struct mm_store *s, struct mm_q *q, enum mm_sql id, struct mm_err *err)
{
	const struct mm_sql_text *t = &mm_sql_texts[id];
	sqlite3_stmt *st = s->cache[id];

	q->s = s;
	q->id = id;
	q->own = s->taken[id];
	if (st && !q->own) {
		q->st = st;
		s->taken[id] = true;
		return 0;
	}
	if (sqlite3_prepare_v3(s->db, t->sql, -1, q->own ? 0 : SQLITE_PREPARE_PERSISTENT, &q->st, NULL))
		return mm_q_fail(s, t->name, err);
	if (!q->own) {
		s->cache[id] = q->st;
		s->taken[id] = true;
	}
	return 0;
}

static int bind_one(struct mm_q *q, int i, char kind, va_list *ap)
{
	const char *text;
	const void *blob;
	size_t len;

	switch (kind) {
	case 'i':
		return sqlite3_bind_int64(q->st, i, va_arg(*ap, int64_t));
	case 't':
		text = va_arg(*ap, const char *);
		return text ? sqlite3_bind_text(q->st, i, text, -1, SQLITE_STATIC)
			    : sqlite3_bind_null(q->st, i);
	default:
		blob = va_arg(*ap, const void *);
		len = va_arg(*ap, size_t);
		return sqlite3_bind_blob64(q->st, i, blob ? blob : "", len, SQLITE_STATIC);
	}
}

/* Statements that do not ask for workstations have no such parameters. */
static int bind_part(struct mm_q *q)
{
	int rc = 0;

	if (sqlite3_bind_parameter_count(q->st) < MM_Q_PART_TO)
		return 0;
	if (q->s->part_from)
		rc = sqlite3_bind_text(q->st, MM_Q_PART_FROM, q->s->part_from, -1, SQLITE_STATIC);
	if (!rc && q->s->part_to)
		rc = sqlite3_bind_text(q->st, MM_Q_PART_TO, q->s->part_to, -1, SQLITE_STATIC);
	return rc;
}

int mm_q_vstart(
    struct mm_store *s, struct mm_q *q, enum mm_sql id, struct mm_err *err, const char *fmt, va_list ap)
{
	va_list args;
	int rc = 0;

	if (prepare(s, q, id, err))
		return -1;
	va_copy(args, ap);
	for (int i = 0; !rc && fmt[i]; i++)
		rc = bind_one(q, i + 1, fmt[i], &args);
	va_end(args);
	if (!rc && (s->part_from || s->part_to))
		rc = bind_part(q);
	if (rc) {
		mm_q_fail(s, mm_sql_texts[id].name, err);
		mm_q_done(q);
		return -1;
	}
	return 0;
}

int mm_q_start(struct mm_store *s, struct mm_q *q, enum mm_sql id, struct mm_err *err, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = mm_q_vstart(s, q, id, err, fmt, ap);
	va_end(ap);
	return rc;
}

int mm_q_step(struct mm_q *q, struct mm_err *err)
{
	switch (sqlite3_step(q->st)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return mm_q_fail(q->s, mm_sql_texts[q->id].name, err);
	}
}

void mm_q_done(struct mm_q *q)
{
	if (q->own) {
		sqlite3_finalize(q->st);
	} else {
		sqlite3_reset(q->st);
		sqlite3_clear_bindings(q->st);
		q->s->taken[q->id] = false;
	}
	q->st = NULL;
}

int64_t mm_q_int(struct mm_q *q, int col)
{
	return sqlite3_column_int64(q->st, col);
}

const char *mm_q_text(struct mm_q *q, int col)
{
	return (const char *)sqlite3_column_text(q->st, col);
}

const char *mm_q_str(struct mm_q *q, int col)
{
	const char *t = mm_q_text(q, col);

	return t ? t : "";
}

int mm_q_run(struct mm_store *s, enum mm_sql id, struct mm_err *err, const char *fmt, ...)
{
	struct mm_q q;
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = mm_q_vstart(s, &q, id, err, fmt, ap);
	va_end(ap);
	if (rc)
		return -1;
	rc = mm_q_step(&q, err);
	if (!rc)
		rc = sqlite3_changes(s->db);
	mm_q_done(&q);
	return rc;
}

int mm_q_one(struct mm_store *s, int64_t *out, enum mm_sql id, struct mm_err *err, const char *fmt, ...)
{
	struct mm_q q;
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = mm_q_vstart(s, &q, id, err, fmt, ap);
	va_end(ap);
	if (rc)
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1)
		*out = mm_q_int(&q, 0);
	mm_q_done(&q);
	return rc < 0 ? -1 : !rc;
}

const char *mm_detail(struct mm_arena *a, ...)
{
	struct mm_buf b = MM_BUF_INIT(MM_STORE_TEXT_MAX);
	json_t *o = json_object();
	const char *name, *value, *out;
	va_list ap;

	va_start(ap, a);
	while ((name = va_arg(ap, const char *))) {
		value = va_arg(ap, const char *);
		if (value)
			mm_json_set_str(o, name, value);
	}
	va_end(ap);
	mm_json_dump(o, &b);
	json_decref(o);
	out = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

const char *const *mm_split_lines(struct mm_arena *a, const char *text, size_t *n)
{
	char *copy = mm_arena_strdup(a, text ? text : "");
	const char **items = NULL;
	size_t cap = 0;

	*n = 0;
	while (*copy) {
		char *nl = strchr(copy, '\n');

		if (nl)
			*nl = '\0';
		/* The returned place is the new element: the array may have moved. */
		const char **slot = mm_arena_push(a, &items, n, &cap, sizeof(*items));
		*slot = copy;
		if (!nl)
			break;
		copy = nl + 1;
	}
	return items;
}
