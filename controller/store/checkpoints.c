/*
 * Checkpoints of the audit log, and what hosts hand back of them.
 */
#include "common/text.h"
#include "controller/store/internal.h"
#include "controller/store/store_keys.h"

#define FLEET "fleet" /* meta: random, made with the store */

int mm_store_fleet_id(struct mm_store *s, char out[MM_ID_LEN], struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_META_GET, err, "t", FLEET))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1)
		snprintf(out, MM_ID_LEN, "%s", mm_q_str(&q, 0));
	else if (rc == 0)
		mm_err_set(err, MM_EX_DATAERR, "store: it has lost its fleet id");
	mm_q_done(&q);
	return rc == 1 ? 0 : -1;
}

static int from_row(struct mm_q *q, const char *fleet, struct mm_checkpoint_row *r)
{
	struct mm_buf sig = MM_BUF_INIT(128);
	const char *text = mm_q_str(q, 5);

	*r = (struct mm_checkpoint_row){
	    .c = {.seq = mm_q_int(q, 0), .entries = mm_q_int(q, 1), .time = mm_q_int(q, 2)},
	    .witnesses = mm_q_int(q, 6),
	    .hosts = mm_q_int(q, 7) != 0};
	snprintf(r->c.fleet, sizeof(r->c.fleet), "%s", fleet);
	snprintf(r->c.sha256, sizeof(r->c.sha256), "%s", mm_q_str(q, 3));
	snprintf(r->c.key, sizeof(r->c.key), "%s", mm_q_str(q, 4));
	/* A malformed signature is one that does not hold. */
	if (mm_unbase64(text, strlen(text), &sig) == 0 && sig.len == MM_SIGNATURE)
		memcpy(r->c.sig, sig.data, MM_SIGNATURE);
	mm_buf_free(&sig);
	return 0;
}

int mm_store_checkpoint_each(struct mm_store *s,
    int (*cb)(const struct mm_checkpoint_row *r, void *arg, struct mm_err *err), void *arg,
    struct mm_err *err)
{
	struct mm_checkpoint_row r;
	char fleet[MM_ID_LEN];
	struct mm_q q;
	int rc;

	if (mm_store_fleet_id(s, fleet, err) || mm_q_start(s, &q, MM_SQL_CHECKPOINT_EACH, err, ""))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		from_row(&q, fleet, &r);
		if ((rc = cb(&r, arg, err)))
			break;
	}
	mm_q_done(&q);
	return rc;
}

int mm_store_checkpoint_newest(struct mm_store *s, struct mm_checkpoint_row *out, struct mm_err *err)
{
	char fleet[MM_ID_LEN];
	struct mm_q q;
	int rc;

	if (mm_store_fleet_id(s, fleet, err) || mm_q_start(s, &q, MM_SQL_CHECKPOINT_NEWEST, err, ""))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1)
		from_row(&q, fleet, out);
	mm_q_done(&q);
	return rc < 0 ? -1 : !rc;
}

static int add(
    struct mm_store *s, const struct mm_key *k, bool hosts, struct mm_checkpoint *c, struct mm_err *err)
{
	struct mm_buf sig = MM_BUF_INIT(128);
	int rc;

	*c = (struct mm_checkpoint){.time = mm_store_now(s)};
	/* One that is signed by a former key would say that the key was stolen. */
	if (mm_store_key_in_use(s, k, NULL, err) || mm_store_fleet_id(s, c->fleet, err) ||
	    mm_audit_last(s, &c->seq, c->sha256, err) ||
	    mm_q_one(s, &c->entries, MM_SQL_AUDIT_COUNT, err, "") < 0)
		return -1;
	if (c->seq == 0)
		return 1;
	if (mm_checkpoint_sign(c, k, err))
		return -1;
	mm_base64(c->sig, MM_SIGNATURE, &sig);
	rc = mm_q_run(s, MM_SQL_CHECKPOINT_ADD, err, "iiittti", c->seq, c->entries, c->time, c->sha256,
	    c->key, mm_buf_str(&sig), (int64_t)hosts);
	mm_buf_free(&sig);
	return rc < 0 ? -1 : rc == 0;
}

int mm_store_checkpoint_make(
    struct mm_store *s, const struct mm_key *k, bool hosts, struct mm_checkpoint *out, struct mm_err *err)
{
	int rc;

	if (mm_store_begin(s, err))
		return -1;
	rc = add(s, k, hosts, out, err);
	if (mm_store_end(s, rc < 0 ? -1 : 0, err))
		return -1;
	s->appended = 0;
	return rc;
}

int mm_store_checkpoint_taken(struct mm_store *s, int64_t seq, int64_t witnesses, struct mm_err *err)
{
	return mm_q_run(s, MM_SQL_CHECKPOINT_TAKEN, err, "ii", seq, witnesses) < 0 ? -1 : 0;
}

int64_t mm_store_appended(const struct mm_store *s)
{
	return s->appended;
}

/* ---- what hosts hand back */

struct signers {
	const struct mm_checkpoint *c;
	bool good;
};

static int try_key(const struct mm_store_key *k, void *arg, struct mm_err *err)
{
	struct signers *x = arg;
	struct mm_key *key = NULL;

	(void)err;
	if (mm_key_from_public_pem(k->pem, strlen(k->pem), &key, NULL) == 0)
		x->good = x->good || mm_checkpoint_verify(x->c, key, NULL) == 0;
	mm_key_free(key);
	return 0;
}

/* The hash of entry `seq` here. 1: it is not here. */
static int our_hash(struct mm_store *s, int64_t seq, char out[MM_SHA256_HEX], struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (s->heard_seq == seq) {
		memcpy(out, s->heard_sha256, MM_SHA256_HEX);
		return 0;
	}
	if (mm_q_start(s, &q, MM_SQL_AUDIT_HASH, err, "i", seq))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		snprintf(out, MM_SHA256_HEX, "%s", mm_q_str(&q, 0));
		/* Every host of a push hands the same one back. */
		s->heard_seq = seq;
		memcpy(s->heard_sha256, out, MM_SHA256_HEX);
	}
	mm_q_done(&q);
	return rc < 0 ? -1 : !rc;
}

static int alarm_about(
    struct mm_store *s, const char *host, const struct mm_checkpoint *c, const char *text, struct mm_err *err)
{
	struct mm_buf body = MM_BUF_INIT(MM_STATEMENT_MAX);
	json_t *o = mm_checkpoint_json(c);
	struct mm_arena *a = mm_arena_new();
	int rc;

	mm_json_dump(o, &body);
	json_decref(o);
	rc = mm_q_run(s, MM_SQL_ALARM_ADD, err, "tittit", host, c->seq, c->sha256, mm_buf_str(&body),
	    mm_store_now(s), text);
	if (rc > 0)
		rc = mm_store_audit(s, "audit.alarm", host,
		    mm_detail(a, "text", text, "seq", mm_arena_printf(a, "%lld", (long long)c->seq), "sha256",
			c->sha256, NULL),
		    false, err);
	mm_buf_free(&body);
	mm_arena_free(a);
	return rc < 0 ? -1 : 0;
}

/* What contradicts our log; NULL: nothing does. In `a`. */
static int contradiction(struct mm_store *s, const struct mm_checkpoint *c, struct mm_arena *a,
    const char **what, struct mm_err *err)
{
	char fleet[MM_ID_LEN], have[MM_SHA256_HEX], last_hash[MM_SHA256_HEX], when[MM_TIME_MAX];
	int64_t last = 0;
	int rc;

	*what = NULL;
	if ((rc = our_hash(s, c->seq, have, err)) < 0 || mm_store_fleet_id(s, fleet, err))
		return -1;
	if (rc == 0 && mm_streq(have, c->sha256) && mm_streq(fleet, c->fleet))
		return 0;
	if (mm_audit_last(s, &last, last_hash, err))
		return -1;
	mm_time_utc(c->time, when);
	if (!mm_streq(fleet, c->fleet))
		*what = mm_arena_printf(a, "it has seen a checkpoint of another store (of %s)", when);
	else if (c->seq > last)
		*what = mm_arena_printf(a,
		    "it has seen a checkpoint of %s at entry %lld, but the log here ends at %lld: the store "
		    "was put "
		    "back to an older state",
		    when, (long long)c->seq, (long long)last);
	else if (rc == 0)
		*what = mm_arena_printf(a,
		    "it has seen another entry %lld in the checkpoint of %s: the store was put back, or the "
		    "log "
		    "written anew",
		    (long long)c->seq, when);
	return 0;
}

int mm_store_checkpoint_heard(struct mm_store *s, const char *host, const struct mm_checkpoint *c,
    struct mm_arena *a, const char **alarm, struct mm_err *err)
{
	struct signers x = {.c = c};
	const char *what;

	*alarm = NULL;
	if (contradiction(s, c, a, &what, err))
		return -1;
	if (!what)
		return 0;
	if (mm_store_key_each(s, try_key, &x, err))
		return -1;
	if (!x.good) {
		*alarm = "it hands back a checkpoint that nobody here has signed";
		return 0;
	}
	*alarm = what;
	return alarm_about(s, host, c, what, err);
}

int mm_store_alarm_each(struct mm_store *s,
    int (*cb)(const struct mm_alarm *al, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_alarm al;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_ALARM_EACH, err, ""))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		al = (struct mm_alarm){.host = mm_q_str(&q, 0),
		    .seq = mm_q_int(&q, 1),
		    .heard = mm_q_int(&q, 2),
		    .text = mm_q_str(&q, 3),
		    .body = mm_q_str(&q, 4)};
		if ((rc = cb(&al, arg, err)))
			break;
	}
	mm_q_done(&q);
	return rc;
}

int mm_store_checkpoint_hosts(struct mm_store *s, int64_t *newest, int64_t *hosts, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	*newest = *hosts = 0;
	if (mm_q_start(s, &q, MM_SQL_CHECKPOINT_HOSTS, err, ""))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		*newest = mm_q_int(&q, 0);
		*hosts = mm_q_int(&q, 1);
	}
	mm_q_done(&q);
	return rc < 0 ? -1 : 0;
}

/* ---- notes */

int mm_store_note_get(struct mm_store *s, const char *name, struct mm_buf *out, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_META_GET, err, "t", name))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1)
		mm_buf_adds(out, mm_q_str(&q, 0));
	mm_q_done(&q);
	return rc < 0 ? -1 : 0;
}

int mm_store_note_set(struct mm_store *s, const char *name, const char *text, struct mm_err *err)
{
	return mm_q_run(s, MM_SQL_META_SET, err, "tt", name, text) < 0 ? -1 : 0;
}

int mm_store_anchor(struct mm_store *s, struct mm_checkpoint *out, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(MM_STATEMENT_MAX);
	int rc = mm_store_note_get(s, MM_ANCHOR, &text, err);

	if (!rc)
		rc = text.len == 0 ? 1 : mm_checkpoint_decode(mm_buf_str(&text), text.len, out, err);
	mm_buf_free(&text);
	return rc;
}
