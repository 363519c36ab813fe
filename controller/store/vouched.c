/*
 * The findings and login checks, those that are open and those that have ended,
 * against the entries that vouch for them.
 * Memory grows with the number of places.
 */
#include "common/text.h"
#include "controller/store/chain.h"
#include "controller/store/vouch.h"

/* The newest line of a name. */
struct line {
	char name[MM_VOUCH_NAME], digest[MM_SHA256_HEX];
	const char *host;
	int64_t seq;
	bool met; /* the place is there */
};

struct removal {
	const char *host;
	int64_t seq;
};

struct lines {
	struct mm_arena *a;
	struct line *slots; /* by hash, "" = free; n < cap / 2 */
	size_t n, cap;
	struct removal *removals;
	size_t n_removals, cap_removals;
};

/* ---- what the log says */

/* A name is a hash already. */
static struct line *find(const struct lines *l, const char *name)
{
	char head[17];
	uint8_t bytes[8] = {0};
	uint64_t h = 0;

	snprintf(head, sizeof(head), "%.16s", name);
	(void)mm_unhex(head, bytes, sizeof(bytes));
	memcpy(&h, bytes, sizeof(h));
	for (size_t at = (size_t)h & (l->cap - 1);; at = (at + 1) & (l->cap - 1))
		if (*l->slots[at].name == '\0' || mm_streq(l->slots[at].name, name))
			return &l->slots[at];
}

static void grow(struct lines *l)
{
	struct line *old = l->slots;
	size_t n = l->cap;

	l->cap = n ? 2 * n : 1024;
	l->slots = mm_xcalloc(l->cap, sizeof(*l->slots));
	for (size_t i = 0; i < n; i++)
		if (*old[i].name)
			*find(l, old[i].name) = old[i];
	free(old);
}

static void take_line(struct lines *l, const char *name, const char *digest, const char *host, int64_t seq)
{
	struct line *at;

	if (l->cap < 2 * (l->n + 1))
		grow(l);
	at = find(l, name);
	if (*at->name == '\0') {
		l->n++;
		snprintf(at->name, sizeof(at->name), "%s", name);
	}
	if (!at->host || !mm_streq(at->host, host))
		at->host = mm_arena_strdup(l->a, host);
	snprintf(at->digest, sizeof(at->digest), "%s", digest);
	at->seq = seq;
}

/* NAME:DIGEST or NAME:DIGEST:HOST, parted by blanks. */
static void take_lines(struct lines *l, const char *text, const char *host, int64_t seq)
{
	struct mm_arena *a = mm_arena_new();
	char *save = mm_arena_strdup(a, text);

	while (save && *save) {
		char *name = save, *digest, *of;

		if ((save = strchr(save, ' ')))
			*save++ = '\0';
		if (!(digest = strchr(name, ':')))
			continue;
		*digest++ = '\0';
		if ((of = strchr(digest, ':')))
			*of++ = '\0';
		if (strlen(name) == MM_VOUCH_NAME - 1)
			take_line(l, name, digest, of ? of : host, seq);
	}
	mm_arena_free(a);
}

static void take_entry(struct lines *l, struct mm_q *q)
{
	const char *action = mm_q_str(q, 1), *host = mm_q_str(q, 2), *detail = mm_q_str(q, 3), *text;
	struct removal *r;
	json_t *o;

	if (mm_streq(action, "host.remove")) {
		r = mm_arena_push(l->a, &l->removals, &l->n_removals, &l->cap_removals, sizeof(*r));
		*r = (struct removal){.host = mm_arena_strdup(l->a, host), .seq = mm_q_int(q, 0)};
		return;
	}
	o = mm_json_load("detail", detail, strlen(detail), NULL); /* the chain says when it is none */
	text = json_string_value(json_object_get(o, "places"));
	if (text)
		take_lines(l, text, host, mm_q_int(q, 0));
	json_decref(o);
}

static int by_host(const void *a, const void *b)
{
	const struct removal *x = a, *y = b;
	int c = strcmp(x->host, y->host);

	return c ? c : (x->seq > y->seq) - (x->seq < y->seq);
}

static int read_lines(struct mm_store *s, struct lines *l, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	*l = (struct lines){.a = mm_arena_new()};
	grow(l);
	if (mm_q_start(s, &q, MM_SQL_VOUCH_ENTRIES, err, ""))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1)
		take_entry(l, &q);
	mm_q_done(&q);
	if (l->n_removals > 1)
		qsort(l->removals, l->n_removals, sizeof(*l->removals), by_host);
	return rc;
}

static void free_lines(struct lines *l)
{
	free(l->slots);
	mm_arena_free(l->a);
}

/* Was its host removed since? */
static bool removed(const struct lines *l, const struct line *x)
{
	size_t from = 0, to = l->n_removals;

	while (from < to) { /* the first that is behind x */
		size_t mid = (from + to) / 2;
		const struct removal *r = &l->removals[mid];
		int c = strcmp(r->host, x->host);

		if (c < 0 || (c == 0 && r->seq < x->seq))
			from = mid + 1;
		else
			to = mid;
	}
	return from < l->n_removals && mm_streq(l->removals[from].host, x->host);
}

static bool stands(const struct lines *l, const struct line *x)
{
	return *x->name && !mm_streq(x->digest, "-") && !removed(l, x);
}

int mm_vouch_carried(struct mm_store *s, int64_t to, struct mm_vouch_list *out, struct mm_err *err)
{
	struct lines l;
	int rc = read_lines(s, &l, err);

	for (size_t i = 0; !rc && i < l.cap; i++) {
		const struct line *x = &l.slots[i];

		if (!stands(&l, x) || x->seq > to)
			continue;
		const char **slot = mm_arena_push(out->a, &out->items, &out->n, &out->cap, sizeof(*slot));
		*slot = mm_arena_printf(out->a, "%s:%s:%s", x->name, x->digest, x->host);
	}
	free_lines(&l);
	return rc;
}

/* ---- against the rows */

struct checking {
	struct mm_store *s;
	int (*cb)(const char *place, const char *text, void *arg, struct mm_err *err);
	void *arg;
	struct lines l;
	struct mm_vouched *out;
};

static int __attribute__((format(printf, 5, 6)))
fault(struct checking *c, const char *host, const char *user, struct mm_err *err, const char *fmt, ...)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_buf b = MM_BUF_INIT(4096);
	va_list ap;
	int rc;

	va_start(ap, fmt);
	mm_buf_vaddf(&b, fmt, ap);
	va_end(ap);
	rc = c->cb(mm_arena_printf(a, "evidence: host %s%s%s", host, *user ? ", user " : "", user),
	    mm_buf_str(&b), c->arg, err);
	mm_buf_free(&b);
	mm_arena_free(a);
	return rc;
}

/* A row of `vouched`, and what is to be said of it. */
struct place {
	struct mm_vouch_place p; /* with the digest of what has ended, as it is now */
	char past[MM_SHA256_HEX];
	const char *kept; /* and as it was kept */
	int64_t open, ended;
};

/* The entry says something else: of which of the two? */
static int name_fault(struct checking *c, const struct place *o, const struct line *x, struct mm_err *err)
{
	struct mm_vouch_place as_kept = o->p;
	char digest[MM_SHA256_HEX];
	int64_t open;

	as_kept.past = o->kept;
	if (mm_vouch_digest(c->s, &as_kept, digest, &open, err))
		return -1;
	return fault(c, o->p.host, o->p.user, err,
	    "changed: the findings and login checks of %s on %s%s are not those that entry %lld vouches for",
	    o->p.user, o->p.host, mm_streq(digest, x->digest) ? " that have ended" : "", (long long)x->seq);
}

static int compare(
    struct checking *c, struct place *o, const struct line *x, const char *digest, struct mm_err *err)
{
	struct mm_vouch_place first = o->p;
	char old[MM_SHA256_HEX];
	int64_t open;

	if (mm_streq(digest, x->digest))
		return mm_streq(o->kept, o->p.past)
			   ? 0
			   : fault(c, o->p.host, o->p.user, err,
				 "changed: what is kept of that which has ended there is not its digest");
	first.past = NULL;
	if (mm_vouch_digest(c->s, &first, old, &open, err))
		return -1;
	if (!mm_streq(old, x->digest))
		return name_fault(c, o, x, err);
	c->out->ended_unvouched += o->ended > 0;
	return 0;
}

static int look_place(struct checking *c, struct place *o, struct mm_err *err)
{
	char name[MM_VOUCH_NAME], digest[MM_SHA256_HEX];
	struct line *x;

	if (mm_past_all(c->s, o->p.host, o->p.user, o->past, &o->ended, err))
		return -1;
	o->p.past = o->past;
	if (mm_vouch_digest(c->s, &o->p, digest, &o->open, err))
		return -1;
	c->out->places += o->open > 0;
	c->out->ended += o->ended > 0;
	if (*o->p.salt == '\0') {
		c->out->unvouched += o->open > 0;
		c->out->ended_unvouched += o->ended > 0;
		return 0;
	}
	mm_vouch_name(o->p.salt, o->p.host, o->p.user, name);
	x = find(&c->l, name);
	if (!stands(&c->l, x))
		return fault(
		    c, o->p.host, o->p.user, err, "changed: no entry of the log vouches for its findings");
	x->met = true;
	return compare(c, o, x, digest, err);
}

static int look(struct checking *c, struct mm_q *q, struct mm_err *err)
{
	struct place o = {.p = {.host = mm_q_str(q, 0), .user = mm_q_str(q, 1), .salt = mm_q_str(q, 2)},
	    .kept = mm_q_str(q, 3)};

	return look_place(c, &o, err);
}

static int look_all(struct checking *c, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(c->s, &q, MM_SQL_VOUCH_EACH, err, ""))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1)
		if ((rc = look(c, &q, err)))
			break;
	mm_q_done(&q);
	return rc;
}

/* Rows of a place that nobody knows of, and places that are gone. */
static int surplus(struct checking *c, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(c->s, &q, MM_SQL_VOUCH_SURPLUS, err, ""))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1)
		if ((rc = fault(c, mm_q_str(&q, 0), mm_q_str(&q, 1), err,
			 "inserted: no entry of the log vouches for these findings or login checks")))
			break;
	mm_q_done(&q);
	for (size_t i = 0; !rc && i < c->l.cap; i++) {
		const struct line *x = &c->l.slots[i];

		if (!x->met && stands(&c->l, x))
			rc = fault(c, x->host, "", err,
			    "removed: entry %lld vouches for the findings of a user of whom nothing is there",
			    (long long)x->seq);
	}
	return rc;
}

int mm_store_vouched_check(struct mm_store *s, struct mm_vouched *out,
    int (*cb)(const char *place, const char *text, void *arg, struct mm_err *err), void *arg,
    struct mm_err *err)
{
	struct checking c = {.s = s, .cb = cb, .arg = arg, .out = out};
	int rc;

	/* One view of log and rows: reports come in while we look, and a reader stops nobody. */
	if (mm_q_run(s, MM_SQL_SAVEPOINT, err, "") < 0)
		return -1;
	rc = read_lines(s, &c.l, err);
	if (!rc)
		rc = look_all(&c, err);
	if (!rc)
		rc = surplus(&c, err);
	free_lines(&c.l);
	if (mm_q_run(s, MM_SQL_RELEASE, rc ? NULL : err, "") < 0)
		rc = -1;
	return rc;
}
