/*
 * Waivers against the entries of the audit log that tell of them. Pruning
 * writes what it knows of each one down again (waiver.keep), so that the log
 * goes on to tell of all of them.
 */
#include "common/text.h"
#include "controller/store/chain.h"
#include "controller/store/internal.h"

#define SLACK 5 /* seconds between the row and its entry, where the entry does not say */

/* As the log has it; the values stand in `values`, as an entry has them. */
struct told {
	int64_t id, seq;
	json_t *values;
	bool met;
};

struct log {
	struct mm_arena *a;
	struct told *items;
	size_t n, cap;
	int64_t erased; /* entries whose part apart is gone */
	int64_t first;  /* when the first entry was made */
};

static const char *member(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static const char *number(struct mm_arena *a, int64_t v)
{
	return mm_arena_printf(a, "%lld", (long long)v);
}

/* ---- what the log says */

static struct told *find(struct log *l, int64_t id)
{
	for (size_t i = l->n; i > 0; i--)
		if (l->items[i - 1].id == id)
			return &l->items[i - 1];
	return NULL;
}

/* Columns: MM_SQL_WAIVER_ENTRIES. What an older program did not write down is the entry's own. */
static void take_entry(struct log *l, struct mm_q *q)
{
	const char *action = mm_q_str(q, 3), *detail = mm_q_str(q, 5);
	const char *when = number(l->a, mm_q_int(q, 1));
	json_t *o = mm_json_load("detail", detail, strlen(detail), NULL);
	struct told *t;
	int64_t id = 0;

	if (!o || mm_parse_int(mm_q_str(q, 4), 1, INT64_MAX, &id)) {
		l->erased += mm_q_int(q, 6) && !mm_streq(action, "waiver.remove");
		json_decref(o);
		return;
	}
	t = find(l, id);
	if (mm_streq(action, "waiver.remove")) {
		if (t) {
			mm_json_set_str(
			    t->values, "removed", *member(o, "removed") ? member(o, "removed") : when);
			mm_json_set_bool(t->values, "removed_about", *member(o, "removed") == '\0');
		}
		json_decref(o);
		return;
	}
	if (mm_streq(action, "waiver.add")) {
		mm_json_set_str(o, "added_by", mm_q_str(q, 2));
		if (*member(o, "added") == '\0') {
			mm_json_set_str(o, "added", when);
			mm_json_set_bool(o, "added_about", true);
		}
	}
	if (t)
		json_decref(t->values);
	else
		t = mm_arena_push(l->a, &l->items, &l->n, &l->cap, sizeof(*l->items));
	*t = (struct told){.id = id, .seq = mm_q_int(q, 0), .values = o};
}

static int read_log(struct mm_store *s, struct log *l, int64_t to, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	*l = (struct log){.a = mm_arena_new()};
	if (mm_q_one(s, &l->first, MM_SQL_AUDIT_FIRST_TIME, err, "") < 0 ||
	    mm_q_start(s, &q, MM_SQL_WAIVER_ENTRIES, err, "i", to))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1)
		take_entry(l, &q);
	mm_q_done(&q);
	return rc;
}

static void free_log(struct log *l)
{
	for (size_t i = 0; i < l->n; i++)
		json_decref(l->items[i].values);
	mm_arena_free(l->a);
}

/* ---- against the rows */

struct checking {
	struct log l;
	const struct mm_row_check *c;
	bool pruned, kept; /* entries are gone; those of waivers were written down again */
	bool erased;       /* or may have been: somebody */
	int64_t rows, unvouched;
};

static int fault(struct checking *c, int64_t id, const char *text, struct mm_err *err)
{
	return c->c->cb(mm_arena_printf(c->l.a, "waivers: %lld", (long long)id), text, c->c->arg, err);
}

static bool about(const json_t *o, const char *name, bool slack, int64_t is)
{
	int64_t said = 0;

	(void)mm_parse_int(member(o, name), 0, INT64_MAX, &said);
	return slack && said > 0 ? is <= said && is >= said - SLACK : is == said;
}

/* Which value is another than the log says? NULL: none is. */
static const char *other(const json_t *o, const struct mm_waiver *w, bool erased)
{
	char until[MM_TIME_MAX];
	const struct {
		const char *name, *value;
	} texts[] = {{"host", w->host}, {"user", w->user}, {"group", w->group}, {"client", w->client},
	    {"account", w->account}, {"check", w->check}, {"owner", w->owner},
	    {"until", mm_time_utc(w->until, until)}, {"waiver_reason", w->reason}, {"added_by", w->added_by}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!mm_streq(member(o, texts[i].name), texts[i].value) && !(i == 1 && erased))
			return mm_streq(texts[i].name, "waiver_reason") ? "reason" : texts[i].name;
	if (!about(o, "added", json_is_true(json_object_get(o, "added_about")), w->added))
		return "added";
	return about(o, "removed", json_is_true(json_object_get(o, "removed_about")), w->removed) ? NULL
												  : "removed";
}

static int look(const struct mm_waiver *w, void *arg, struct mm_err *err)
{
	struct checking *c = arg;
	struct told *t = find(&c->l, w->id);
	const char *name;

	c->rows++;
	if (!t && mm_streq(w->user, MM_ERASED) && c->l.erased-- > 0)
		return 0;
	/* Of an erased person nothing is written down again, and older programs never did. */
	if (!t && c->pruned && (!c->kept || mm_streq(w->user, MM_ERASED)) && w->added < c->l.first) {
		c->unvouched++;
		return 0;
	}
	if (!t)
		return fault(c, w->id, "inserted: no entry of the log tells of it", err);
	t->met = true;
	c->unvouched += mm_streq(member(t->values, "vouched"), "no");
	name = other(t->values, w, c->erased && mm_streq(w->user, MM_ERASED));
	return name ? fault(c, w->id,
			  mm_arena_printf(c->l.a, "changed: \"%s\" is another than entry %lld says", name,
			      (long long)t->seq),
			  err)
		    : 0;
}

int mm_rows_waivers(struct mm_store *s, const struct mm_row_check *k, bool pruned, struct mm_err *err)
{
	struct checking c = {.c = k, .pruned = pruned};
	int64_t kept = 0, erased = 0;
	int rc = mm_q_one(s, &kept, MM_SQL_WAIVERS_KEPT, err, "") < 0 ||
			 mm_q_one(s, &erased, MM_SQL_ERASURES, err, "") < 0
		     ? -1
		     : 0;

	c.kept = kept > 0;
	c.erased = pruned || erased > 0;
	if (rc || (rc = read_log(s, &c.l, INT64_MAX, err))) {
		free_log(&c.l);
		return rc;
	}
	rc = mm_store_waiver_each(s, true, look, &c, err);
	for (size_t i = 0; !rc && i < c.l.n; i++)
		if (!c.l.items[i].met)
			rc = fault(&c, c.l.items[i].id, "removed", err);
	k->v->waivers = c.rows;
	k->v->waivers_unvouched = c.unvouched;
	free_log(&c.l);
	return rc;
}

/* ---- before their entries go */

static int keep(struct mm_store *s, int64_t id, const json_t *values, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(MM_STORE_TEXT_MAX);
	char object[32];
	int rc;

	mm_json_dump(values, &text);
	snprintf(object, sizeof(object), "%lld", (long long)id);
	rc =
	    mm_store_audit(s, "waiver.keep", object, mm_buf_str(&text), *member(values, "user") != '\0', err);
	mm_buf_free(&text);
	return rc;
}

struct keeping {
	struct mm_store *s;
	struct log *all;
};

/* One of which no entry tells: what it is from now on, and that nobody vouches for it. */
static int keep_untold(const struct mm_waiver *w, void *arg, struct mm_err *err)
{
	struct keeping *k = arg;
	json_t *o;
	int rc;

	if (find(k->all, w->id) || mm_streq(w->user, MM_ERASED))
		return 0;
	o = mm_waiver_values(w);
	mm_json_set_str(o, "added_by", w->added_by);
	mm_json_set_str(o, "added", number(k->all->a, w->added));
	mm_json_set_str(o, "removed", number(k->all->a, w->removed));
	mm_json_set_str(o, "vouched", "no");
	rc = keep(k->s, w->id, o, err);
	json_decref(o);
	return rc;
}

int mm_waivers_keep(struct mm_store *s, int64_t to, struct mm_err *err)
{
	struct log all;
	struct keeping k = {.s = s, .all = &all};
	int rc = read_log(s, &all, INT64_MAX, err);

	for (size_t i = 0; !rc && i < all.n; i++)
		if (all.items[i].seq <= to)
			rc = keep(s, all.items[i].id, all.items[i].values, err);
	if (!rc)
		rc = mm_store_waiver_each(s, true, keep_untold, &k, err);
	free_log(&all);
	return rc;
}
