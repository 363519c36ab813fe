/*
 * What leaves the audit log: entries that are too old, and what stands apart
 * about a person. The chain holds afterwards, and says so.
 */
#include "common/text.h"
#include "controller/store/store_keys.h"
#include "controller/store/vouch.h"

/* ---- entries */

static int anchor_at(struct mm_store *s, int64_t seq, const struct mm_key *k, struct mm_checkpoint *c,
    int64_t *n, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	*c = (struct mm_checkpoint){.seq = seq, .time = mm_store_now(s)};
	if (mm_store_key_in_use(s, k, NULL, err) || mm_store_fleet_id(s, c->fleet, err) ||
	    mm_q_one(s, n, MM_SQL_PRUNE_COUNT, err, "i", seq) < 0 ||
	    mm_q_one(s, &c->entries, MM_SQL_AUDIT_COUNT, err, "") < 0 ||
	    mm_q_start(s, &q, MM_SQL_AUDIT_HASH, err, "i", seq))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1)
		snprintf(c->sha256, sizeof(c->sha256), "%s", mm_q_str(&q, 0));
	mm_q_done(&q);
	return rc == 1 ? mm_checkpoint_sign(c, k, err) : -1;
}

static int note_prune(struct mm_store *s, const struct mm_checkpoint *c, int64_t n, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(MM_STATEMENT_MAX);
	struct mm_arena *a = mm_arena_new();
	json_t *o = mm_checkpoint_json(c);
	int rc;

	mm_json_dump(o, &text);
	json_decref(o);
	rc = mm_store_note_set(s, MM_ANCHOR, mm_buf_str(&text), err);
	if (!rc)
		rc = mm_store_audit(s, "audit.prune", mm_arena_printf(a, "%lld", (long long)c->seq),
		    mm_detail(a, "seq", mm_arena_printf(a, "%lld", (long long)c->seq), "sha256", c->sha256,
			"entries", mm_arena_printf(a, "%lld", (long long)n), "waivers", "kept", NULL),
		    false, err);
	mm_buf_free(&text);
	mm_arena_free(a);
	return rc;
}

static int prune(struct mm_store *s, int64_t before, const struct mm_key *k, int64_t *n, struct mm_arena *a,
    struct mm_err *err)
{
	struct mm_vouch_list kept = {.a = a};
	struct mm_checkpoint c;
	int64_t to = 0;

	*n = 0;
	if (mm_q_one(s, &to, MM_SQL_PRUNE_TO, err, "i", before) < 0)
		return -1;
	if (to == 0)
		return 0;
	if (anchor_at(s, to, k, &c, n, err) || mm_vouch_carried(s, to, &kept, err) ||
	    mm_waivers_keep(s, to, err) || mm_q_run(s, MM_SQL_PRUNE_PERSONAL, err, "i", to) < 0 ||
	    mm_q_run(s, MM_SQL_PRUNE_LOG, err, "i", to) < 0 ||
	    mm_q_run(s, MM_SQL_PRUNE_CHECKPOINTS, err, "i", to) < 0)
		return -1;
	s->heard_seq = 0;
	return note_prune(s, &c, *n, err) || mm_vouch_note(s, "", &kept, 0, err) ? -1 : 0;
}

int mm_store_audit_prune(
    struct mm_store *s, int64_t before, const struct mm_key *k, int64_t *n, struct mm_err *err)
{
	struct mm_arena *a;
	int64_t gone = 0;
	int rc;

	if (mm_store_begin(s, err))
		return -1;
	a = mm_arena_new();
	rc = mm_store_end(s, prune(s, before, k, &gone, a, err), err);
	mm_arena_free(a);
	if (!rc)
		*n = gone;
	return rc;
}

/* ---- a person */

static int list_parts(struct mm_store *s, const char *login, json_t *list, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_ERASE_PARTS, err, "t", login))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1)
		if (json_array_append_new(list, json_integer(mm_q_int(&q, 0))))
			mm_oom();
	mm_q_done(&q);
	return rc;
}

#define REPORTS_MAX 20000 /* named in one entry */

/* From which reports a person goes, part by part; the first in `o`, others as entries of their own. */
static int note_reports(struct mm_store *s, const int64_t *entries, size_t n, json_t *o, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(MM_STORE_TEXT_MAX);
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i += REPORTS_MAX) {
		json_t *list = json_array(), *more = i > 0 ? json_object() : o;

		for (size_t k = i; k < n && k < i + REPORTS_MAX; k++)
			if (json_array_append_new(list, json_integer(entries[k])))
				mm_oom();
		mm_json_set(more, "reports", list);
		if (i == 0)
			continue;
		mm_buf_reset(&text);
		mm_json_dump(more, &text);
		json_decref(more);
		rc = mm_store_audit(s, "user.erase", "", mm_buf_str(&text), false, err);
	}
	mm_buf_free(&text);
	return rc;
}

static int list_reports(
    struct mm_store *s, const char *login, struct mm_arena *a, json_t *o, struct mm_err *err)
{
	int64_t *entries = NULL;
	size_t n = 0, cap = 0;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_ERASE_REPORTS_LIST, err, "t", login))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		int64_t *slot = mm_arena_push(a, &entries, &n, &cap, sizeof(*entries));

		*slot = mm_q_int(&q, 0);
	}
	mm_q_done(&q);
	return rc ? rc : note_reports(s, entries, n, o, err);
}

static int erase(struct mm_store *s, const char *login, struct mm_err *err)
{
	static const enum mm_sql rows[] = {MM_SQL_ERASE_PERSONAL, MM_SQL_ERASE_FINDINGS, MM_SQL_ERASE_LOGINS,
	    MM_SQL_ERASE_COVERAGE, MM_SQL_ERASE_PLACES, MM_SQL_ERASE_VOUCHED, MM_SQL_ERASE_REPORTS,
	    MM_SQL_ERASE_COVERS, MM_SQL_ERASE_WAIVERS, MM_SQL_COUNT};
	struct mm_buf text = MM_BUF_INIT(MM_STORE_TEXT_MAX);
	json_t *o = json_object(), *list = json_array();
	struct mm_vouch_list places = {.a = mm_arena_new()};
	const char *part;
	size_t told = 0;
	int64_t gone = 0;
	int rc = list_parts(s, login, list, err);

	rc = rc ? rc : mm_vouch_of_user(s, login, &places, err);
	rc = rc ? rc : list_reports(s, login, places.a, o, err);

	for (int i = 0; !rc && rows[i] != MM_SQL_COUNT; i++) {
		int n = mm_q_run(s, rows[i], err, "t", login);

		rc = n < 0 ? -1 : 0;
		gone += n > 0 ? n : 0;
	}
	mm_json_set_int(o, "rows", gone);
	mm_json_set(o, "entries", list);
	if ((part = mm_vouch_part(&places, &told)))
		mm_json_set_str(o, "places", part);
	mm_json_dump(o, &text);
	json_decref(o);
	/* Whose they were is what is erased. */
	if (!rc)
		rc = mm_store_audit(s, "user.erase", "", mm_buf_str(&text), false, err) ||
			     mm_vouch_note(s, "", &places, told, err)
			 ? -1
			 : 0;
	mm_arena_free(places.a);
	mm_buf_free(&text);
	return rc;
}

int mm_store_user_erase(struct mm_store *s, const char *login, struct mm_err *err)
{
	if (mm_store_begin(s, err))
		return -1;
	return mm_store_end(s, erase(s, login, err), err);
}
