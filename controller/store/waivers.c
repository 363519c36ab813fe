#include "common/text.h"
#include "controller/store/internal.h"

json_t *mm_waiver_values(const struct mm_waiver *w)
{
	char until[MM_TIME_MAX];
	json_t *o = json_object();
	const struct {
		const char *name, *value;
	} texts[] = {{"host", w->host}, {"user", w->user}, {"group", w->group}, {"client", w->client},
	    {"account", w->account}, {"check", w->check}, {"owner", w->owner},
	    {"until", mm_time_utc(w->until, until)}, {"waiver_reason", w->reason}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		mm_json_set_str(o, texts[i].name, texts[i].value);
	return o;
}

static int note(struct mm_store *s, int64_t id, const struct mm_waiver *w, int64_t now, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(MM_STORE_TEXT_MAX);
	char number[32], added[32];
	json_t *o = mm_waiver_values(w);
	int rc;

	snprintf(number, sizeof(number), "%lld", (long long)id);
	snprintf(added, sizeof(added), "%lld", (long long)now);
	mm_json_set_str(o, "added", added);
	mm_json_dump(o, &text);
	json_decref(o);
	rc = mm_store_audit(s, "waiver.add", number, mm_buf_str(&text), *w->user != '\0', err);
	mm_buf_free(&text);
	return rc;
}

static int add(struct mm_store *s, const struct mm_waiver *w, int64_t *id, struct mm_err *err)
{
	int64_t now = mm_store_now(s);

	if (mm_q_one(s, id, MM_SQL_WAIVER_ADD, err, "tttttttttii", w->host, w->user, w->group, w->client,
		w->account, w->check, w->reason, w->owner, s->who, now, w->until))
		return -1;
	return note(s, *id, w, now, err);
}

int mm_store_waiver_add(struct mm_store *s, const struct mm_waiver *w, int64_t *id, struct mm_err *err)
{
	if (mm_store_begin(s, err))
		return -1;
	return mm_store_end(s, add(s, w, id, err), err);
}

static int take_away(struct mm_store *s, int64_t id, bool personal, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	int64_t now = mm_store_now(s);
	int rc = mm_q_run(s, MM_SQL_WAIVER_REMOVE, err, "ii", id, now) < 0
		     ? -1
		     : mm_store_audit(s, "waiver.remove", mm_arena_printf(a, "%lld", (long long)id),
			   mm_detail(a, "removed", mm_arena_printf(a, "%lld", (long long)now), NULL),
			   personal, err);

	mm_arena_free(a);
	return rc;
}

int mm_store_waiver_remove(struct mm_store *s, int64_t id, struct mm_err *err)
{
	struct mm_q q;
	bool personal;
	int rc;

	if (mm_store_begin(s, err))
		return -1;
	if (mm_q_start(s, &q, MM_SQL_WAIVER_GET, err, "i", id))
		return mm_store_end(s, -1, err);
	rc = mm_q_step(&q, err);
	personal = rc == 1 && *mm_q_str(&q, 0) != '\0';
	mm_q_done(&q);
	if (rc == 1)
		return mm_store_end(s, take_away(s, id, personal, err), err);
	rc = mm_store_end(s, rc, err);
	return rc ? -1 : 1;
}

static void from_row(struct mm_q *q, struct mm_waiver *w)
{
	*w = (struct mm_waiver){.id = mm_q_int(q, 0),
	    .host = mm_q_str(q, 1),
	    .user = mm_q_str(q, 2),
	    .group = mm_q_str(q, 3),
	    .client = mm_q_str(q, 4),
	    .account = mm_q_str(q, 5),
	    .check = mm_q_str(q, 6),
	    .reason = mm_q_str(q, 7),
	    .owner = mm_q_str(q, 8),
	    .added_by = mm_q_str(q, 9),
	    .added = mm_q_int(q, 10),
	    .until = mm_q_int(q, 11),
	    .removed = mm_q_int(q, 12)};
}

int mm_store_waiver_each(struct mm_store *s, bool all,
    int (*cb)(const struct mm_waiver *w, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_waiver w;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_WAIVER_EACH, err, "i", (int64_t)all))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		from_row(&q, &w);
		if ((rc = cb(&w, arg, err)))
			break;
	}
	mm_q_done(&q);
	return rc;
}
