#include "controller/store/vouch.h"

#include "common/text.h"

/* ---- digests */

#define PIECE 4096     /* bytes that are digested at once */
#define LINE_SHORT 512 /* of bytes that are put together before they are added */

/* By hand: there are some hundred in a report, and printf would be most of the cost. */
static void put(struct mm_buf *b, const void *text, size_t n)
{
	char line[LINE_SHORT + 32];
	size_t at = 24, from = at, left = n;

	line[--from] = ':';
	do
		line[--from] = (char)('0' + left % 10);
	while (left /= 10);
	if (n <= LINE_SHORT) {
		memcpy(line + at, text, n);
		line[at + n] = '\n';
		mm_buf_add(b, line + from, at + n + 1 - from);
		return;
	}
	mm_buf_add(b, line + from, at - from);
	mm_buf_add(b, text, n);
	mm_buf_addc(b, '\n');
}

static void put_place(struct mm_buf *b, const char *salt, const char *host, const char *user)
{
	put(b, salt, strlen(salt));
	put(b, host, strlen(host));
	put(b, user, strlen(user));
}

void mm_vouch_name(const char *salt, const char *host, const char *user, char out[MM_VOUCH_NAME])
{
	struct mm_buf b = MM_BUF_INIT(SIZE_MAX / 2);
	char sum[MM_SHA256_HEX];

	put_place(&b, salt, host, user);
	mm_sha256_hex(b.data, b.len, sum);
	snprintf(out, MM_VOUCH_NAME, "%.*s", MM_VOUCH_NAME - 1, sum);
	mm_buf_free(&b);
}

/* A walk over the open rows of a place. */
struct looking {
	struct mm_store *s;
	const char *host, *user;
	struct mm_sha256_ctx *sum;
	struct mm_buf number;
	struct mm_buf b; /* what goes into it next */
	int64_t rows;
	struct mm_summary *whole; /* what counts them, or NULL */
};

/* Where the columns of MM_SQL_VOUCH_FINDINGS and MM_SQL_VOUCH_LOGINS are. */
static const struct mm_summary_cols of_findings = {.settings = true,
					.setting = 3,
					.evidence = 11,
					.seen = 15,
					.words = {0, 8, 9}},
				    of_logins = {.evidence = 6, .seen = 8, .words = {2, 3, -1}};

/* The form of a number is SQLite's, in which it was always digested. */
static void put_column(struct looking *l, struct mm_q *q, int i)
{
	const char *text;

	if (sqlite3_column_type(q->st, i) == SQLITE_INTEGER) {
		mm_buf_reset(&l->number);
		mm_buf_add_int(&l->number, mm_q_int(q, i));
		put(&l->b, l->number.data, l->number.len);
		return;
	}
	text = mm_q_text(q, i);
	if (text)
		put(&l->b, text, (size_t)sqlite3_column_bytes(q->st, i));
	else
		mm_buf_adds(&l->b, "-\n");
}

/* Every column of every row, whatever it is. */
static int add_rows(struct looking *l, enum mm_sql id, const struct mm_summary_cols *cols, struct mm_err *err)
{
	struct mm_q q;
	int rc, n;

	if (mm_q_start(l->s, &q, id, err, "tt", l->host, l->user))
		return -1;
	n = sqlite3_column_count(q.st);
	while ((rc = mm_q_step(&q, err)) == 1) {
		l->rows++;
		for (int i = 0; i < n; i++)
			put_column(l, &q, i);
		if (l->whole)
			mm_summary_row(l->whole, &q, cols);
		if (l->b.len >= PIECE) {
			mm_sha256_add(l->sum, l->b.data, l->b.len);
			mm_buf_reset(&l->b);
		}
	}
	mm_q_done(&q);
	return rc;
}

void mm_vouch_row(struct mm_q *q, struct mm_buf *b, struct mm_sha256_ctx *sum)
{
	int n = sqlite3_column_count(q->st);

	mm_buf_reset(b);
	for (int i = 1; i < n; i++) {
		const char *text = mm_q_text(q, i);

		if (text)
			put(b, text, (size_t)sqlite3_column_bytes(q->st, i));
		else
			mm_buf_adds(b, "-\n");
	}
	mm_sha256_add(sum, b->data, b->len);
}

static int look(struct mm_store *s, const struct mm_vouch_place *p, struct mm_summary *whole,
    char out[MM_SHA256_HEX], int64_t *open, struct mm_err *err)
{
	struct looking l = {.s = s,
	    .host = p->host,
	    .user = p->user,
	    .sum = mm_sha256_begin(),
	    .number = MM_BUF_INIT(32),
	    .b = MM_BUF_INIT(SIZE_MAX / 2),
	    .whole = whole};
	uint8_t sum[MM_SHA256_LEN];
	int rc;

	mm_buf_adds(&l.b, p->past ? MM_VOUCH_FORMAT : MM_VOUCH_FORMAT_1);
	put_place(&l.b, p->salt, p->host, p->user);
	if (p->past)
		put(&l.b, p->past, strlen(p->past));
	rc = add_rows(&l, MM_SQL_VOUCH_FINDINGS, &of_findings, err);
	/* Where the ones end and the others begin. */
	mm_buf_adds(&l.b, "logins\n");
	if (!rc)
		rc = add_rows(&l, MM_SQL_VOUCH_LOGINS, &of_logins, err);
	mm_sha256_add(l.sum, l.b.data, l.b.len);
	mm_sha256_end(l.sum, sum);
	mm_buf_free(&l.b);
	mm_buf_free(&l.number);
	mm_hex(sum, sizeof(sum), out);
	*open = l.rows;
	return rc;
}

int mm_vouch_digest(struct mm_store *s, const struct mm_vouch_place *p, char out[MM_SHA256_HEX],
    int64_t *open, struct mm_err *err)
{
	return look(s, p, NULL, out, open, err);
}

/* ---- lines */

const char *mm_vouch_part(const struct mm_vouch_list *l, size_t *at)
{
	struct mm_buf b = MM_BUF_INIT(MM_STORE_TEXT_MAX);
	size_t end = *at + MM_VOUCH_LINES;
	const char *out = NULL;

	if (*at >= l->n)
		return NULL;
	for (; *at < l->n && *at < end; ++*at)
		mm_buf_addf(&b, "%s%s", b.len > 0 ? " " : "", l->items[*at]);
	out = mm_arena_strdup(l->a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

int mm_vouch_note(
    struct mm_store *s, const char *object, const struct mm_vouch_list *l, size_t at, struct mm_err *err)
{
	const char *part;

	while ((part = mm_vouch_part(l, &at)))
		if (mm_store_audit(
			s, "audit.vouch", object, mm_detail(l->a, "places", part, NULL), false, err))
			return -1;
	return 0;
}

static void add_line(struct mm_vouch_list *l, const char *name, const char *digest)
{
	const char **slot = mm_arena_push(l->a, &l->items, &l->n, &l->cap, sizeof(*l->items));

	*slot = mm_arena_printf(l->a, "%s%s%s", name, *digest ? ":" : "", digest);
}

/* ---- a report: what it changed is summed up, and vouched for */

/* What is kept of a place beside its rows. */
struct kept {
	char salt[MM_ID_LEN], past[MM_SHA256_HEX];
	bool fresh; /* it has no salt yet */
};

static int read_kept(
    struct mm_store *s, const char *host, const char *user, struct kept *k, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	*k = (struct kept){.fresh = true};
	if (mm_q_start(s, &q, MM_SQL_VOUCH_GET, err, "tt", host, user))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		snprintf(k->salt, sizeof(k->salt), "%s", mm_q_str(&q, 0));
		snprintf(k->past, sizeof(k->past), "%s", mm_q_str(&q, 1));
		k->fresh = *k->salt == '\0';
	}
	mm_q_done(&q);
	if (k->fresh)
		mm_random_id(k->salt);
	return rc < 0 ? -1 : 0;
}

/* What an entry does to the rows of a place. */
struct act {
	struct mm_store *s;
	const char *host;
	int64_t closed, entry; /* what it ends */
	bool summed;           /* the summary is written, too */
};

/* The rows of a place are read once, for its summary and for its digest. */
static int sum_up(const struct act *t, const struct mm_vouch_place *p, unsigned what,
    char digest[MM_SHA256_HEX], int64_t *open, struct mm_err *err)
{
	struct mm_arena *a;
	struct mm_summary *whole;
	int rc;

	if (!t->summed)
		return look(t->s, p, NULL, digest, open, err);
	a = mm_arena_new();
	whole = mm_summary_new(a);
	rc = look(t->s, p, whole, digest, open, err);
	if (!rc)
		rc = mm_summary_write(t->s, p->host, p->user, what, whole, err);
	mm_arena_free(a);
	return rc;
}

static int renew_past(
    const struct act *t, const char *user, unsigned what, struct kept *k, struct mm_err *err)
{
	int64_t rows;

	if (mm_streq(k->past, MM_PAST_UNKNOWN))
		return mm_past_all(t->s, t->host, user, k->past, &rows, err);
	return what & MM_CHANGED_ENDED ? mm_past_add(t->s, t->host, user, t->closed, t->entry, k->past, err)
				       : 0;
}

static int vouch(
    const struct act *t, const char *user, unsigned what, struct mm_vouch_list *out, struct mm_err *err)
{
	char digest[MM_SHA256_HEX], name[MM_VOUCH_NAME], before[MM_SHA256_HEX];
	struct kept k;
	int64_t open = 0;

	if (read_kept(t->s, t->host, user, &k, err))
		return -1;
	snprintf(before, sizeof(before), "%s", k.past);
	if (renew_past(t, user, what, &k, err))
		return -1;
	if (what == MM_CHANGED_ENDED && !k.fresh && mm_streq(before, k.past))
		return 0; /* it was somebody else's that ended */
	const struct mm_vouch_place p = {.salt = k.salt, .host = t->host, .user = user, .past = k.past};
	if (sum_up(t, &p, what, digest, &open, err))
		return -1;
	mm_vouch_name(k.salt, t->host, user, name);
	if (open == 0 && *k.past == '\0') {
		if (!k.fresh)
			add_line(out, name, "-");
		return mm_q_run(t->s, MM_SQL_VOUCH_DROP, err, "tt", t->host, user) < 0 ? -1 : 0;
	}
	add_line(out, name, digest);
	if (!k.fresh && mm_streq(before, k.past))
		return 0;
	return mm_q_run(t->s, MM_SQL_VOUCH_SET, err, "tttt", t->host, user, k.salt, k.past) < 0 ? -1 : 0;
}

/* Rows of anybody may have been closed. */
static int add_all(struct mm_intake *t, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(t->s, &q, MM_SQL_VOUCH_USERS, err, "t", t->in->head->host))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1)
		mm_intake_changed(t, mm_q_str(&q, 0), MM_CHANGED_ENDED);
	mm_q_done(&q);
	return rc;
}

int mm_intake_vouch(struct mm_intake *t, struct mm_vouch_list *out, struct mm_err *err)
{
	const struct act act = {
	    .s = t->s, .host = t->in->head->host, .closed = t->seen, .entry = t->entry, .summed = true};
	unsigned what = 0;

	if (t->gone && add_all(t, err))
		return -1;
	mm_intake_sort_changed(t);
	for (size_t i = 0; i < t->n_changed; i++) {
		const char *user = t->changed[i].user;

		what |= t->changed[i].what;
		if (i + 1 < t->n_changed && mm_streq(t->changed[i + 1].user, user))
			continue;
		if (vouch(&act, user, what, out, err))
			return -1;
		what = 0;
	}
	return 0;
}

int mm_vouch_host_ends(struct mm_store *s, const char *host, int64_t now, int64_t entry,
    struct mm_vouch_list *out, struct mm_err *err)
{
	const struct act act = {.s = s, .host = host, .closed = now, .entry = entry};
	const char **users = NULL;
	size_t n = 0, cap = 0;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_VOUCH_USERS, err, "t", host))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		const char **slot = mm_arena_push(out->a, &users, &n, &cap, sizeof(*users));

		*slot = mm_arena_strdup(out->a, mm_q_str(&q, 0));
	}
	mm_q_done(&q);
	for (size_t i = 0; !rc && i < n; i++)
		rc = vouch(&act, users[i], MM_CHANGED_SETTINGS | MM_CHANGED_ENDED, out, err);
	return rc;
}

/* ---- a person */

int mm_vouch_of_user(struct mm_store *s, const char *user, struct mm_vouch_list *out, struct mm_err *err)
{
	char name[MM_VOUCH_NAME];
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_VOUCH_OF, err, "t", user))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		mm_vouch_name(mm_q_str(&q, 1), mm_q_str(&q, 0), user, name);
		add_line(out, name, "-");
	}
	mm_q_done(&q);
	return rc;
}
