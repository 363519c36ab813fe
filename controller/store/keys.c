#include "controller/store/internal.h"

static int key_add(struct mm_store *s, const char *id, const char *pem, int64_t *epoch, struct mm_err *err)
{
	struct mm_arena *a;
	char number[32];
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_KEY_EACH, err, ""))
		return -1;
	rc = mm_q_step(&q, err);
	*epoch = rc == 1 ? mm_q_int(&q, 0) + 1 : 1;
	mm_q_done(&q);
	if (rc < 0 || mm_q_run(s, MM_SQL_KEY_ADD, err, "itti", *epoch, id, pem, mm_store_now(s)) < 0)
		return -1;
	a = mm_arena_new();
	snprintf(number, sizeof(number), "%lld", (long long)*epoch);
	rc = mm_store_audit(s, "key.add", id, mm_detail(a, "epoch", number, NULL), false, err);
	mm_arena_free(a);
	return rc;
}

int mm_store_key_add(struct mm_store *s, const char *id, const char *pem, int64_t *epoch, struct mm_err *err)
{
	int64_t e = 0;

	if (mm_store_begin(s, err) || mm_store_end(s, key_add(s, id, pem, &e, err), err))
		return -1;
	*epoch = e;
	return 0;
}

/* Columns: epoch id pem added. */
static void key_from_row(struct mm_q *q, struct mm_store_key *k)
{
	*k = (struct mm_store_key){
	    .epoch = mm_q_int(q, 0), .id = mm_q_str(q, 1), .pem = mm_q_str(q, 2), .added = mm_q_int(q, 3)};
}

int mm_store_key_each(struct mm_store *s,
    int (*cb)(const struct mm_store_key *k, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_store_key k;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_KEY_EACH, err, ""))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		key_from_row(&q, &k);
		if ((rc = cb(&k, arg, err)))
			break;
	}
	mm_q_done(&q);
	return rc;
}

int mm_store_key_current(struct mm_store *s, struct mm_arena *a, struct mm_store_key *out, struct mm_err *err)
{
	struct mm_store_key k;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_KEY_EACH, err, ""))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		key_from_row(&q, &k);
		k.id = mm_arena_strdup(a, k.id);
		k.pem = mm_arena_strdup(a, k.pem);
		*out = k;
	}
	mm_q_done(&q);
	return rc < 0 ? -1 : !rc;
}

static int serial_take(
    struct mm_store *s, const char *host, const char *request_id, struct mm_serial *out, struct mm_err *err)
{
	int64_t last = 0, now = mm_store_now(s);
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_SERIAL_GET, err, "t", host))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		out->epoch = mm_q_int(&q, 0);
		last = mm_q_int(&q, 1);
	}
	mm_q_done(&q);
	if (rc < 0)
		return -1;
	if (out->epoch == 0)
		return mm_err_set(err, MM_EX_FAILED, "there is no signing key; run: mailmuster init");
	out->serial = last + 1 > now ? last + 1 : now;
	rc = mm_q_run(s, MM_SQL_SERIAL_SET, err, "tiit", host, out->epoch, out->serial, request_id);
	return rc < 0 ? -1 : 0;
}

int mm_store_serial_take(
    struct mm_store *s, const char *host, const char *request_id, struct mm_serial *out, struct mm_err *err)
{
	struct mm_serial n = {0};
	bool own;

	if (mm_store_join(s, &own, err) ||
	    mm_store_leave(s, own, serial_take(s, host, request_id, &n, err), err))
		return -1;
	*out = n;
	return 0;
}

/* ---- what was signed lately */

static int issued_note(struct mm_store *s, const char *host, const struct mm_serial *serial,
    const struct mm_issued *what, struct mm_err *err)
{
	int64_t now = mm_store_now(s);

	if (mm_q_run(s, MM_SQL_ISSUED_PRUNE, err, "ti", host, now - MM_ISSUED_KEPT_S) < 0)
		return -1;
	return mm_q_run(s, MM_SQL_ISSUED_ADD, err, "tiittii", host, serial->epoch, serial->serial,
		   what->request_id, what->op, what->revision, now) < 0
		   ? -1
		   : 0;
}

int mm_store_issued_note(struct mm_store *s, const char *host, const struct mm_serial *serial,
    const struct mm_issued *what, struct mm_err *err)
{
	bool own;

	if (mm_store_join(s, &own, err))
		return -1;
	return mm_store_leave(s, own, issued_note(s, host, serial, what, err), err);
}

int mm_store_issued_get(struct mm_store *s, const char *host, const struct mm_serial *serial,
    struct mm_arena *a, struct mm_issued *out, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_ISSUED_GET, err, "tii", host, serial->epoch, serial->serial))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1)
		*out = (struct mm_issued){.request_id = mm_arena_strdup(a, mm_q_str(&q, 0)),
		    .op = mm_arena_strdup(a, mm_q_str(&q, 1)),
		    .revision = mm_q_int(&q, 2)};
	mm_q_done(&q);
	return rc < 0 ? -1 : !rc;
}

int mm_store_unanswered(struct mm_store *s, const char *host, const char *request_id, int64_t seconds,
    int64_t *n, struct mm_err *err)
{
	return mm_q_one(s, n, MM_SQL_ISSUED_SINCE, err, "tit", host, mm_store_now(s) - seconds, request_id) <
		       0
		   ? -1
		   : 0;
}

int mm_store_answered(struct mm_store *s, const char *host, const char *request_id, struct mm_err *err)
{
	int64_t n = 0;

	if (mm_q_one(s, &n, MM_SQL_ANSWERED, err, "tt", host, request_id) < 0)
		return -1;
	return n == 0;
}
