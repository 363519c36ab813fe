/*
 * The hash chain. An entry's hash is the SHA-256 over
 *
 *     "mailmuster-audit-1\n" then for each of
 *     prev, seq, time, who, action, object, detail, reason, apart
 *     LENGTH ":" TEXT "\n"
 *
 * with numbers in decimal and prev the hash of the entry before, in hex (64
 * zeros for the first). In a personal entry object and detail are empty and
 * apart is the SHA-256 over the salt, object and detail, written the same way;
 * in others apart is empty.
 */
#include "common/text.h"
#include "controller/store/internal.h"

#define FIRST_PREV "0000000000000000000000000000000000000000000000000000000000000000"

struct row {
	int64_t seq, time;
	const char *who, *action, *object, *detail, *reason, *apart, *prev;
};

static void add_field(struct mm_sha256_ctx *c, const char *text)
{
	char head[32];
	int n = snprintf(head, sizeof(head), "%zu:", strlen(text));

	mm_sha256_add(c, head, (size_t)n);
	mm_sha256_add(c, text, strlen(text));
	mm_sha256_add(c, "\n", 1);
}

static void add_number(struct mm_sha256_ctx *c, int64_t v)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)v);
	add_field(c, text);
}

static void finish(struct mm_sha256_ctx *c, char out[MM_SHA256_HEX])
{
	uint8_t sum[MM_SHA256_LEN];

	mm_sha256_end(c, sum);
	mm_hex(sum, sizeof(sum), out);
}

static void hash_entry(const struct row *r, char out[MM_SHA256_HEX])
{
	struct mm_sha256_ctx *c = mm_sha256_begin();

	mm_sha256_add(c, "mailmuster-audit-1\n", 19);
	add_field(c, r->prev);
	add_number(c, r->seq);
	add_number(c, r->time);
	add_field(c, r->who);
	add_field(c, r->action);
	add_field(c, r->object);
	add_field(c, r->detail);
	add_field(c, r->reason);
	add_field(c, r->apart);
	finish(c, out);
}

static void hash_apart(const char *salt, const char *object, const char *detail, char out[MM_SHA256_HEX])
{
	struct mm_sha256_ctx *c = mm_sha256_begin();

	add_field(c, salt);
	add_field(c, object);
	add_field(c, detail);
	finish(c, out);
}

int mm_audit_last(struct mm_store *s, int64_t *seq, char prev[MM_SHA256_HEX], struct mm_err *err)
{
	struct mm_q q;
	int rc;

	*seq = 0;
	snprintf(prev, MM_SHA256_HEX, "%s", FIRST_PREV);
	if (mm_q_start(s, &q, MM_SQL_AUDIT_LAST, err, ""))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		*seq = mm_q_int(&q, 0);
		snprintf(prev, MM_SHA256_HEX, "%s", mm_q_str(&q, 1));
	}
	mm_q_done(&q);
	return rc < 0 ? -1 : 0;
}

int mm_audit_next(struct mm_store *s, int64_t *seq, struct mm_err *err)
{
	char prev[MM_SHA256_HEX];

	if (mm_audit_last(s, seq, prev, err))
		return -1;
	++*seq;
	return 0;
}

static int insert(struct mm_store *s, const struct row *r, struct mm_err *err)
{
	char sum[MM_SHA256_HEX];

	hash_entry(r, sum);
	return mm_q_run(s, MM_SQL_AUDIT_ADD, err, "iitttttttt", r->seq, r->time, r->who, r->action, r->object,
		   r->detail, r->reason, r->apart, r->prev, sum) < 0
		   ? -1
		   : 0;
}

static int append(struct mm_store *s, const char *action, const char *object, const char *detail,
    bool personal, struct mm_err *err)
{
	char prev[MM_SHA256_HEX], apart[MM_SHA256_HEX] = "", salt[MM_ID_LEN];
	struct row r = {.time = mm_store_now(s),
	    .who = s->who,
	    .action = action,
	    .object = personal ? "" : object,
	    .detail = personal ? "" : detail,
	    .reason = s->reason ? s->reason : "",
	    .apart = apart,
	    .prev = prev};

	if (mm_audit_last(s, &r.seq, prev, err))
		return -1;
	r.seq++;
	if (personal) {
		mm_random_id(salt);
		hash_apart(salt, object, detail, apart);
	}
	if (insert(s, &r, err))
		return -1;
	s->appended++;
	if (personal && mm_q_run(s, MM_SQL_AUDIT_ADD_PERSONAL, err, "ittt", r.seq, salt, object, detail) < 0)
		return -1;
	return 0;
}

int mm_store_audit(struct mm_store *s, const char *action, const char *object, const char *detail,
    bool personal, struct mm_err *err)
{
	if (mm_store_begin(s, err))
		return -1;
	return mm_store_end(
	    s, append(s, action, object ? object : "", detail ? detail : "{}", personal, err), err);
}

/* Columns: seq time who action object detail reason apart prev sha256, then
 * salt object detail of the part that stands apart (NULL when erased). */
static void entry_from_row(struct mm_q *q, struct mm_audit_entry *e)
{
	bool personal = *mm_q_str(q, 7) != '\0';

	*e = (struct mm_audit_entry){.seq = mm_q_int(q, 0),
	    .time = mm_q_int(q, 1),
	    .who = mm_q_str(q, 2),
	    .action = mm_q_str(q, 3),
	    .object = personal ? mm_q_text(q, 11) : mm_q_str(q, 4),
	    .detail = personal ? mm_q_text(q, 12) : mm_q_str(q, 5),
	    .reason = mm_q_str(q, 6),
	    .personal = personal,
	    .prev = mm_q_str(q, 8),
	    .sha256 = mm_q_str(q, 9)};
}

int mm_store_audit_each(struct mm_store *s, int64_t after,
    int (*cb)(const struct mm_audit_entry *e, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_audit_entry e;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_AUDIT_EACH, err, "i", after))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		entry_from_row(&q, &e);
		if ((rc = cb(&e, arg, err)))
			break;
	}
	mm_q_done(&q);
	return rc;
}

static int check_entry(struct mm_q *q, int64_t seq, const char *prev, struct mm_err *err)
{
	char sum[MM_SHA256_HEX];
	struct row r = {.seq = mm_q_int(q, 0),
	    .time = mm_q_int(q, 1),
	    .who = mm_q_str(q, 2),
	    .action = mm_q_str(q, 3),
	    .object = mm_q_str(q, 4),
	    .detail = mm_q_str(q, 5),
	    .reason = mm_q_str(q, 6),
	    .apart = mm_q_str(q, 7),
	    .prev = mm_q_str(q, 8)};

	if (r.seq != seq)
		return mm_err_set(err, MM_EX_DIFF, "audit log: entry %lld is missing", (long long)seq);
	hash_entry(&r, sum);
	if (!mm_streq(r.prev, prev) || !mm_streq(sum, mm_q_str(q, 9)))
		return mm_err_set(err, MM_EX_DIFF, "audit log: entry %lld was altered", (long long)seq);
	if (*r.apart && mm_q_text(q, 10)) {
		hash_apart(mm_q_str(q, 10), mm_q_str(q, 11), mm_q_str(q, 12), sum);
		if (!mm_streq(sum, r.apart))
			return mm_err_set(err, MM_EX_DIFF,
			    "audit log: the personal part of entry %lld was altered", (long long)seq);
	}
	return 0;
}

int mm_store_audit_verify(struct mm_store *s, int64_t *n, struct mm_err *err)
{
	char prev[MM_SHA256_HEX] = FIRST_PREV;
	int64_t good = 0;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_AUDIT_EACH, err, "i", INT64_C(0)))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		if ((rc = check_entry(&q, good + 1, prev, err)))
			break;
		good++;
		snprintf(prev, sizeof(prev), "%s", mm_q_str(&q, 9));
	}
	mm_q_done(&q);
	if (!rc)
		*n = good;
	return rc;
}
