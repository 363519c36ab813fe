#include "controller/store/vouch.h"

#include "common/text.h"

/* ---- digests */

/* By hand: there are some hundred in a report, and printf would be most of the cost. */
static void put(struct mm_buf *b, const void *text, size_t n)
{
	char number[24];
	size_t at = sizeof(number), left = n;

	number[--at] = ':';
	do
		number[--at] = (char)('0' + left % 10);
	while (left /= 10);
	mm_buf_add(b, number + at, sizeof(number) - at);
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

/* Every column of every row, whatever it is. */
static int add_rows(struct mm_store *s, enum mm_sql id, const char *host, const char *user,
    struct mm_sha256_ctx *sum, int64_t *rows, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(SIZE_MAX / 2);
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, id, err, "tt", host, user))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		int n = sqlite3_column_count(q.st);

		++*rows;
		mm_buf_reset(&b);
		for (int i = 0; i < n; i++) {
			const char *text = mm_q_text(&q, i);

			if (text)
				put(&b, text, (size_t)sqlite3_column_bytes(q.st, i));
			else
				mm_buf_adds(&b, "-\n");
		}
		mm_sha256_add(sum, b.data, b.len);
	}
	mm_q_done(&q);
	mm_buf_free(&b);
	return rc;
}

int mm_vouch_digest(struct mm_store *s, const char *salt, const char *host, const char *user,
    char out[MM_SHA256_HEX], struct mm_err *err)
{
	struct mm_sha256_ctx *c = mm_sha256_begin();
	struct mm_buf b = MM_BUF_INIT(SIZE_MAX / 2);
	uint8_t sum[MM_SHA256_LEN];
	int64_t rows = 0;
	int rc;

	mm_buf_adds(&b, MM_VOUCH_FORMAT);
	put_place(&b, salt, host, user);
	mm_sha256_add(c, b.data, b.len);
	mm_buf_free(&b);
	rc = add_rows(s, MM_SQL_VOUCH_FINDINGS, host, user, c, &rows, err);
	/* Where the ones end and the others begin. */
	mm_sha256_add(c, "logins\n", 7);
	if (!rc)
		rc = add_rows(s, MM_SQL_VOUCH_LOGINS, host, user, c, &rows, err);
	mm_sha256_end(c, sum);
	mm_hex(sum, sizeof(sum), out);
	if (rows == 0)
		snprintf(out, MM_SHA256_HEX, "-");
	return rc;
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

/* ---- a report */

static int salt_of(
    struct mm_store *s, const char *host, const char *user, char salt[MM_ID_LEN], struct mm_err *err)
{
	struct mm_q q;
	int rc;

	*salt = '\0';
	if (mm_q_start(s, &q, MM_SQL_VOUCH_GET, err, "tt", host, user))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1)
		snprintf(salt, MM_ID_LEN, "%s", mm_q_str(&q, 0));
	mm_q_done(&q);
	return rc < 0 ? -1 : 0;
}

static int vouch(struct mm_intake *t, const char *user, struct mm_vouch_list *out, struct mm_err *err)
{
	char salt[MM_ID_LEN], digest[MM_SHA256_HEX], name[MM_VOUCH_NAME];
	const char *host = t->in->head->host;
	bool fresh;

	if (salt_of(t->s, host, user, salt, err))
		return -1;
	fresh = *salt == '\0';
	if (fresh)
		mm_random_id(salt);
	if (mm_vouch_digest(t->s, salt, host, user, digest, err))
		return -1;
	mm_vouch_name(salt, host, user, name);
	if (mm_streq(digest, "-")) {
		if (!fresh)
			add_line(out, name, digest);
		return mm_q_run(t->s, MM_SQL_VOUCH_DROP, err, "tt", host, user) < 0 ? -1 : 0;
	}
	add_line(out, name, digest);
	return fresh && mm_q_run(t->s, MM_SQL_VOUCH_SET, err, "ttt", host, user, salt) < 0 ? -1 : 0;
}

/* Rows of anybody may have been closed. */
static int add_all(struct mm_intake *t, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(t->s, &q, MM_SQL_VOUCH_USERS, err, "t", t->in->head->host))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1)
		mm_intake_changed(t, mm_q_str(&q, 0), 0);
	mm_q_done(&q);
	mm_intake_sort_changed(t);
	return rc;
}

int mm_intake_vouch(struct mm_intake *t, struct mm_vouch_list *out, struct mm_err *err)
{
	if (t->gone && add_all(t, err))
		return -1;
	for (size_t i = 0; i < t->n_changed; i++) {
		const char *user = t->changed[i].user;

		if (i + 1 < t->n_changed && mm_streq(t->changed[i + 1].user, user))
			continue;
		if (vouch(t, user, out, err))
			return -1;
	}
	return 0;
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
