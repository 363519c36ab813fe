#include <string.h>

#include "common/text.h"
#include "controller/store/internal.h"
#include "controller/store/store_keys.h"

/* ---- keys */

static int next_epoch(struct mm_store *s, int64_t *epoch, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_KEY_EACH, err, ""))
		return -1;
	rc = mm_q_step(&q, err);
	*epoch = rc == 1 ? mm_q_int(&q, 0) + 1 : 1;
	mm_q_done(&q);
	return rc < 0 ? -1 : 0;
}

static int log_key(struct mm_store *s, const char *action, const char *id, int64_t epoch, const char *former,
    struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	const char *number = mm_arena_printf(a, "%lld", (long long)epoch);
	int rc =
	    mm_store_audit(s, action, id, mm_detail(a, "epoch", number, "former", former, NULL), false, err);

	mm_arena_free(a);
	return rc;
}

static int key_add(struct mm_store *s, const char *id, const char *pem, int64_t *epoch, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_store_key last = {.id = NULL};
	int rc = mm_store_key_current(s, a, &last, err) < 0 || next_epoch(s, epoch, err) ? -1 : 0;

	if (!rc &&
	    mm_q_run(s, MM_SQL_KEY_ADD, err, "ittittt", *epoch, id, pem, mm_store_now(s), "", "", "") < 0)
		rc = -1;
	if (!rc)
		rc = log_key(s, "key.add", id, *epoch, last.id, err);
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

static int rotate(struct mm_store *s, const struct mm_key *former, const struct mm_key *fresh,
    struct mm_rotation *r, struct mm_err *err)
{
	struct mm_buf pem = MM_BUF_INIT(4096), sig = MM_BUF_INIT(128), proof = MM_BUF_INIT(128);
	int rc;

	r->time = mm_store_now(s);
	if (mm_store_key_in_use(s, former, NULL, err) || mm_store_fleet_id(s, r->fleet, err) ||
	    next_epoch(s, &r->epoch, err) || mm_rotation_sign(r, former, fresh, err))
		return -1;
	if (r->epoch > MM_ROTATIONS_MAX)
		return mm_err_set(
		    err, MM_EX_FAILED, "a store holds at most %d signing keys", MM_ROTATIONS_MAX);
	if (mm_key_public_pem(fresh, &pem, err))
		return -1;
	mm_base64(r->sig, sizeof(r->sig), &sig);
	mm_base64(r->proof, sizeof(r->proof), &proof);
	rc = mm_q_run(s, MM_SQL_KEY_ADD, err, "ittittt", r->epoch, r->key, mm_buf_str(&pem), r->time,
	    r->former, mm_buf_str(&sig), mm_buf_str(&proof));
	mm_buf_free(&pem);
	mm_buf_free(&sig);
	mm_buf_free(&proof);
	return rc < 0 ? -1 : log_key(s, "key.rotate", r->key, r->epoch, r->former, err);
}

int mm_store_key_rotate(struct mm_store *s, const struct mm_key *former, const struct mm_key *fresh,
    struct mm_rotation *out, struct mm_err *err)
{
	struct mm_rotation r;

	memset(&r, 0, sizeof(r));
	if (mm_store_begin(s, err) || mm_store_end(s, rotate(s, former, fresh, &r, err), err))
		return -1;
	*out = r;
	return 0;
}

/* Columns: epoch id pem added former sig proof. */
static void key_from_row(struct mm_q *q, struct mm_store_key *k)
{
	*k = (struct mm_store_key){.epoch = mm_q_int(q, 0),
	    .id = mm_q_str(q, 1),
	    .pem = mm_q_str(q, 2),
	    .added = mm_q_int(q, 3),
	    .former = mm_q_str(q, 4),
	    .sig = mm_q_str(q, 5),
	    .proof = mm_q_str(q, 6)};
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
		k.former = mm_arena_strdup(a, k.former);
		k.sig = mm_arena_strdup(a, k.sig);
		k.proof = mm_arena_strdup(a, k.proof);
		*out = k;
	}
	mm_q_done(&q);
	return rc < 0 ? -1 : rc != 1;
}

int mm_store_key_in_use(struct mm_store *s, const struct mm_key *k, int64_t *epoch, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_store_key known;
	int rc = mm_store_key_current(s, a, &known, err);

	if (rc == 1)
		rc = mm_err_set(err, MM_EX_FAILED, "there is no signing key; run: mailmuster init");
	else if (rc == 0 && !mm_streq(known.id, mm_key_id(k)))
		rc = mm_err_set(err, MM_EX_NOPERM,
		    "the signing key is %.16s, but the key of epoch %lld is %.16s", mm_key_id(k),
		    (long long)known.epoch, known.id);
	if (rc == 0 && epoch)
		*epoch = known.epoch;
	mm_arena_free(a);
	return rc;
}

int mm_store_key_hosts(struct mm_store *s, int64_t epoch, int64_t *n, struct mm_err *err)
{
	*n = 0;
	return mm_q_one(s, n, MM_SQL_KEY_HOSTS, err, "i", epoch) < 0 ? -1 : 0;
}

/* ---- statements */

static void take_bytes(const char *text, unsigned char *out, size_t n)
{
	struct mm_buf b = MM_BUF_INIT(128);

	/* What is malformed is a signature that does not hold. */
	if (mm_unbase64(text, strlen(text), &b) == 0 && b.len == n)
		memcpy(out, b.data, n);
	mm_buf_free(&b);
}

int mm_store_key_rotation(const struct mm_store_key *k, const char *fleet, struct mm_rotation *out)
{
	struct mm_key *key = NULL;

	if (*k->former == '\0')
		return 1;
	memset(out, 0, sizeof(*out));
	out->epoch = k->epoch;
	out->time = k->added;
	snprintf(out->fleet, sizeof(out->fleet), "%s", fleet);
	snprintf(out->former, sizeof(out->former), "%s", k->former);
	snprintf(out->key, sizeof(out->key), "%s", k->id);
	if (mm_key_from_public_pem(k->pem, strlen(k->pem), &key, NULL) == 0)
		mm_key_public_raw(key, out->public);
	mm_key_free(key);
	take_bytes(k->sig, out->sig, sizeof(out->sig));
	take_bytes(k->proof, out->proof, sizeof(out->proof));
	return 0;
}

struct rotations {
	const char *fleet;
	json_t *list;
	bool over; /* what is older leads nowhere */
};

/* Newest first. */
static int add_rotation(const struct mm_store_key *k, void *arg, struct mm_err *err)
{
	struct rotations *x = arg;
	struct mm_rotation r;

	(void)err;
	x->over = x->over || mm_store_key_rotation(k, x->fleet, &r) != 0;
	if (!x->over && json_array_insert_new(x->list, 0, mm_rotation_json(&r)) != 0)
		mm_oom();
	return 0;
}

int mm_store_rotations(struct mm_store *s, struct mm_buf *out, struct mm_err *err)
{
	char fleet[MM_ID_LEN];
	struct rotations x = {.fleet = fleet};
	int rc;

	if (mm_store_fleet_id(s, fleet, err))
		return -1;
	x.list = json_array();
	rc = mm_store_key_each(s, add_rotation, &x, err);
	if (!rc && json_array_size(x.list) > 0)
		mm_json_dump(x.list, out);
	json_decref(x.list);
	return rc;
}

/* ---- serials */

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
