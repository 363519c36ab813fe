/*
 * Rows of the store against the entries of the audit log that tell of them:
 * revisions and approvals. Reports: rows_reports.c; waivers: rows_waivers.c.
 */
#include "common/text.h"
#include "controller/store/chain.h"
#include "controller/store/internal.h"

struct checking {
	struct mm_store *s;
	int (*cb)(const char *place, const char *text, void *arg, struct mm_err *err);
	void *arg;
	struct mm_vouched *v;
	struct mm_rows_reports *reports;
	struct mm_arena *a;
	int64_t *revisions; /* that an entry tells of */
	size_t n_revisions, cap_revisions;
};

static int fault(struct checking *c, const char *place, const char *text, struct mm_err *err)
{
	return c->cb(place, text, c->arg, err);
}

static const char *member(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

/* ---- revisions and approvals */

static int look_revision(struct checking *c, const char *object, const json_t *o, struct mm_err *err)
{
	const char *place = mm_arena_printf(c->a, "revisions: %s", object);
	char sum[MM_SHA256_HEX];
	struct mm_q q;
	int64_t number = 0, *slot;
	bool same = false;
	int rc;

	if (mm_parse_int(object, 1, INT64_MAX, &number))
		return 0;
	slot = mm_arena_push(c->a, &c->revisions, &c->n_revisions, &c->cap_revisions, sizeof(*c->revisions));
	*slot = number;
	if (mm_q_start(c->s, &q, MM_SQL_ROW_REVISION, err, "i", number))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		mm_sha256_hex(sqlite3_column_blob(q.st, 0), (size_t)sqlite3_column_bytes(q.st, 0), sum);
		same = mm_streq(sum, member(o, "sha256")) && mm_streq(sum, mm_q_str(&q, 1)) &&
		       mm_streq(mm_q_str(&q, 2), member(o, "author")) &&
		       mm_streq(mm_q_str(&q, 3), member(o, "message"));
	}
	mm_q_done(&q);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return fault(c, place, "removed", err);
	return same ? 0 : fault(c, place, "changed: the log tells of another text, author or message", err);
}

static int look_approval(struct checking *c, const char *object, const json_t *o, struct mm_err *err)
{
	int64_t number = 0, uid = 0, found = 0;

	if (mm_parse_int(object, 1, INT64_MAX, &number) ||
	    mm_parse_int(member(o, "uid"), -1, INT64_MAX, &uid))
		return 0;
	if (mm_q_one(c->s, &found, MM_SQL_ROW_APPROVAL, err, "ii", number, uid) < 0)
		return -1;
	return found
		   ? 0
		   : fault(c,
			 mm_arena_printf(c->a, "approvals: revision %s by uid %lld", object, (long long)uid),
			 "removed", err);
}

static bool told(const struct checking *c, int64_t number)
{
	for (size_t i = 0; i < c->n_revisions; i++)
		if (c->revisions[i] == number)
			return true;
	return false;
}

/* Rows of which no entry tells; with an anchor theirs may have been pruned. */
static int surplus(struct checking *c, bool pruned, struct mm_err *err)
{
	struct mm_q q;
	int rc = 0;

	if (mm_q_start(c->s, &q, MM_SQL_ROW_REVISIONS, err, ""))
		return -1;
	while (!pruned && (rc = mm_q_step(&q, err)) == 1)
		if (!told(c, mm_q_int(&q, 0)) &&
		    (rc = fault(c, mm_arena_printf(c->a, "revisions: %lld", (long long)mm_q_int(&q, 0)),
			 "inserted: no entry of the log tells of it", err)))
			break;
	mm_q_done(&q);
	if (rc || mm_q_start(c->s, &q, MM_SQL_ROW_APPROVALS_SURPLUS, err, "i", (int64_t)pruned))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1)
		if ((rc = fault(c,
			 mm_arena_printf(c->a, "approvals: revision %lld by uid %lld",
			     (long long)mm_q_int(&q, 0), (long long)mm_q_int(&q, 1)),
			 "inserted: no entry of the log tells of it", err)))
			break;
	mm_q_done(&q);
	return rc;
}

/* ---- all of it */

static int look(struct checking *c, struct mm_q *q, struct mm_err *err)
{
	const char *action = mm_q_str(q, 1), *object = mm_q_str(q, 2), *detail = mm_q_str(q, 3);
	json_t *o = mm_json_load("detail", detail, strlen(detail), NULL);
	int rc = 0;

	if (!o) /* the chain says what is wrong with it */
		return 0;
	if (mm_streq(action, "report"))
		rc = mm_rows_report(c->reports, mm_q_int(q, 0), object, o, err);
	else if (mm_streq(action, "host.remove"))
		mm_rows_host_removed(c->reports, object);
	else if (mm_streq(action, "user.erase"))
		mm_rows_erasure(c->reports, o);
	else if (mm_streq(action, "policy.approve"))
		rc = look_approval(c, object, o, err);
	else
		rc = look_revision(c, object, o, err);
	json_decref(o);
	return rc;
}

static int look_all(struct checking *c, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(c->s, &q, MM_SQL_ROW_ENTRIES, err, ""))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1)
		if ((rc = look(c, &q, err)))
			break;
	mm_q_done(&q);
	return rc;
}

static int check(struct checking *c, struct mm_err *err)
{
	const struct mm_row_check k = {.cb = c->cb, .arg = c->arg, .v = c->v};
	struct mm_checkpoint anchor = {.seq = 0};
	int pruned = mm_store_anchor(c->s, &anchor, err);
	int rc;

	if (pruned < 0 || !(c->reports = mm_rows_reports_new(c->s, &k, anchor.seq, err)))
		return -1;
	rc = look_all(c, err) || surplus(c, pruned == 0, err) ||
		     mm_rows_reports_end(c->reports, anchor.seq, err) ||
		     mm_rows_waivers(c->s, &k, pruned == 0, err)
		 ? -1
		 : 0;
	mm_rows_reports_free(c->reports);
	return rc;
}

int mm_store_rows_check(struct mm_store *s, struct mm_vouched *v,
    int (*cb)(const char *place, const char *text, void *arg, struct mm_err *err), void *arg,
    struct mm_err *err)
{
	struct checking c = {.s = s, .cb = cb, .arg = arg, .v = v, .a = mm_arena_new()};
	int rc = check(&c, err);

	mm_arena_free(c.a);
	return rc;
}
