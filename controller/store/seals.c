/*
 * The signatures of reports: verified long after the reports came in, with
 * every key that their host has had.
 */
#include <stdlib.h>

#include "common/text.h"
#include "controller/store/internal.h"

#define BATCH 256                  /* reports in one transaction */
#define CHECKED_TO "seals_checked" /* meta: reports up to this number were looked at */

static const char *const names[MM_SEAL_COUNT] = {
    [MM_SEAL_NONE] = "unsigned",
    [MM_SEAL_UNCHECKED] = "unchecked",
    [MM_SEAL_GOOD] = "good",
    [MM_SEAL_BAD] = "bad",
    [MM_SEAL_MISSING] = "missing",
};

const char *mm_seal_name(enum mm_seal_state s)
{
	return names[s];
}

static const char *signature_text(struct mm_arena *a, const unsigned char sig[MM_SIGNATURE])
{
	struct mm_buf b = MM_BUF_INIT(128);

	mm_base64(sig, MM_SIGNATURE, &b);
	return mm_buf_take(&b, a);
}

int mm_store_host_signs(struct mm_store *s, const char *host, bool *signs, struct mm_err *err)
{
	int64_t v = 0;

	if (mm_q_one(s, &v, MM_SQL_HOST_SIGNS, err, "t", host) < 0)
		return -1;
	*signs = v != 0;
	return 0;
}

/* What of the signature goes into the report's row and entry. */
int mm_intake_seal(struct mm_intake *t, struct mm_err *err)
{
	const struct mm_seal *seal = t->in->seal;
	bool signs = false;

	t->frames_sha256 = seal ? seal->sha256 : "";
	t->key_id = seal ? seal->key : "";
	t->signature = seal && *seal->key ? signature_text(t->a, seal->sig) : "";
	t->seal = *t->key_id ? MM_SEAL_UNCHECKED : MM_SEAL_NONE;
	if (t->seal == MM_SEAL_UNCHECKED)
		return 0;
	if (mm_store_host_signs(t->s, t->in->head->host, &signs, err))
		return -1;
	if (signs)
		t->seal = MM_SEAL_MISSING;
	return 0;
}

/* ---- verifying */

struct unchecked {
	int64_t id;
	struct mm_report_head head;
	struct mm_seal seal;
	bool formed; /* hash, key and signature have the form of such */
};

struct host_keys {
	struct mm_key *keys[MM_KEYS_MAX];
	size_t n;
};

static int take_key(const char *host, const char *pem, void *arg, struct mm_err *err)
{
	struct host_keys *k = arg;

	(void)host;
	(void)err;
	if (k->n < MM_KEYS_MAX && mm_key_from_public_pem(pem, strlen(pem), &k->keys[k->n], NULL) == 0)
		k->n++;
	return 0;
}

static void free_keys(struct host_keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		mm_key_free(k->keys[i]);
	k->n = 0;
}

int mm_store_report_keys(struct mm_store *s, const char *host,
    int (*cb)(const char *host, const char *pem, void *arg, struct mm_err *err), void *arg,
    struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_REPORT_KEYS, err, "t", host))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1)
		if ((rc = cb(mm_q_str(&q, 0), mm_q_str(&q, 1), arg, err)))
			break;
	mm_q_done(&q);
	return rc;
}

static bool take_signature(const char *text, unsigned char sig[MM_SIGNATURE])
{
	struct mm_buf b = MM_BUF_INIT(128);
	bool good = mm_unbase64(text, strlen(text), &b) == 0 && b.len == MM_SIGNATURE;

	if (good)
		memcpy(sig, b.data, MM_SIGNATURE);
	mm_buf_free(&b);
	return good;
}

static void from_row(struct mm_q *q, struct mm_arena *a, struct unchecked *u)
{
	*u = (struct unchecked){.id = mm_q_int(q, 0),
	    .head = {.host = mm_arena_strdup(a, mm_q_str(q, 1)),
		.id = mm_arena_strdup(a, mm_q_str(q, 2)),
		.request_id = mm_arena_strdup(a, mm_q_text(q, 3)),
		.collected = mm_q_int(q, 4),
		.evidence = mm_q_int(q, 5) ? MM_EV_CLAIMED : MM_EV_ATTESTED}};
	snprintf(u->seal.sha256, sizeof(u->seal.sha256), "%s", mm_q_str(q, 6));
	snprintf(u->seal.key, sizeof(u->seal.key), "%s", mm_q_str(q, 7));
	u->formed = take_signature(mm_q_str(q, 8), u->seal.sig);
}

static int list_unchecked(struct mm_store *s, int64_t after, int64_t max, struct mm_arena *a,
    struct unchecked **out, size_t *n, struct mm_err *err)
{
	struct unchecked *list = NULL, *place;
	size_t cap = 0, count = 0;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_SEALS_UNCHECKED, err, "ii", after, max))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		place = mm_arena_push(a, &list, &count, &cap, sizeof(*list));
		from_row(&q, a, place);
	}
	mm_q_done(&q);
	*out = list;
	*n = count;
	return rc;
}

static int judge(struct mm_store *s, const struct unchecked *u, enum mm_seal_state *state, struct mm_err *err)
{
	struct host_keys k = {.n = 0};

	*state = MM_SEAL_BAD;
	if (mm_store_report_keys(s, u->head.host, take_key, &k, err))
		return -1;
	for (size_t i = 0; u->formed && i < k.n; i++)
		if (mm_streq(mm_key_id(k.keys[i]), u->seal.key) &&
		    mm_report_verify(k.keys[i], &u->head, u->head.evidence, &u->seal, NULL) == 0)
			*state = MM_SEAL_GOOD;
	free_keys(&k);
	return 0;
}

static int check_batch(struct mm_store *s, int64_t *after, int64_t max, int64_t *n, int64_t *bad,
    struct mm_arena *a, struct mm_err *err)
{
	enum mm_seal_state state;
	struct unchecked *list;
	size_t count = 0;
	char to[32];

	if (list_unchecked(s, *after, max, a, &list, &count, err))
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (judge(s, &list[i], &state, err) ||
		    mm_q_run(s, MM_SQL_SEAL_SET, err, "ii", list[i].id, (int64_t)state) < 0)
			return -1;
		*bad += state == MM_SEAL_BAD;
		*after = list[i].id;
	}
	*n = (int64_t)count;
	snprintf(to, sizeof(to), "%lld", (long long)*after);
	return count > 0 && mm_q_run(s, MM_SQL_META_SET, err, "tt", CHECKED_TO, to) < 0 ? -1 : 0;
}

int mm_store_seals_check(struct mm_store *s, int64_t max, int64_t *n, int64_t *bad, struct mm_err *err)
{
	int64_t after = 0, got, want;

	*n = *bad = 0;
	if (mm_q_one(s, &after, MM_SQL_META_GET, err, "t", CHECKED_TO) < 0)
		return -1;
	do {
		struct mm_arena *a = mm_arena_new();
		int rc;

		got = 0;
		want = max > 0 && max - *n < BATCH ? max - *n : BATCH;
		rc = mm_store_begin(s, err);
		if (!rc)
			rc = mm_store_end(s, check_batch(s, &after, want, &got, bad, a, err), err);
		mm_arena_free(a);
		if (rc)
			return -1;
		*n += got;
	} while (got == want && (max == 0 || *n < max));
	return 0;
}

/* ---- telling */

int mm_store_seals_bad(struct mm_store *s, int64_t since,
    int (*cb)(const struct mm_seal_row *r, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_seal_row r;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_SEALS_BAD, err, "i", since))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		r = (struct mm_seal_row){.host = mm_q_str(&q, 0),
		    .id = mm_q_str(&q, 1),
		    .evidence = mm_q_int(&q, 2) ? MM_EV_CLAIMED : MM_EV_ATTESTED,
		    .received = mm_q_int(&q, 3),
		    .state = mm_q_int(&q, 4) == MM_SEAL_MISSING ? MM_SEAL_MISSING : MM_SEAL_BAD};
		if ((rc = cb(&r, arg, err)))
			break;
	}
	mm_q_done(&q);
	return rc;
}

int mm_store_seals_count(struct mm_store *s, int64_t n[MM_SEAL_COUNT], struct mm_err *err)
{
	struct mm_q q;
	int rc;

	for (int i = 0; i < MM_SEAL_COUNT; i++)
		n[i] = 0;
	if (mm_q_start(s, &q, MM_SQL_SEALS_COUNT, err, ""))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		int64_t state = mm_q_int(&q, 0);

		n[state < 0 || state >= MM_SEAL_COUNT ? MM_SEAL_BAD : state] += mm_q_int(&q, 1);
	}
	mm_q_done(&q);
	return rc;
}
