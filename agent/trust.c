#include "agent/trust.h"

#include <string.h>

#include "agent/clients/client.h"
#include "agent/envelope_child.h"
#include "common/text.h"
#include "schemas/discover.h"
#include "schemas/proto.h"

struct checking {
	const struct mm_conf *c;
	struct mm_keyring *keys;
	const struct mm_last *last;
	int64_t now;
	const struct mm_blob *sheets;
	size_t n_sheets;
	struct mm_arena *a;
	struct mm_trusted *t;
	const char **refused;
	struct mm_err *err;
};

static int refuse(struct checking *k, const char *word)
{
	*k->refused = word;
	k->err->code = MM_EX_NOPERM;
	return -1;
}

#define REFUSE(k, word, ...) (mm_err_set((k)->err, MM_EX_NOPERM, __VA_ARGS__), refuse(k, word))

/* ---- envelope and form */

/* What mm_request_decode() says by its code. */
static const char *word_for(int code)
{
	if (code == MM_EX_NOPERM)
		return MM_REFUSED_PROTOCOL;
	return code == MM_EX_USAGE ? MM_REFUSED_OP : MM_REFUSED_MALFORMED;
}

static int check_signature(struct checking *k, struct mm_blob envelope)
{
	struct mm_envelope_raw raw;
	if (mm_envelope_decode_apart(envelope.p, envelope.n, &raw, k->err) != 0)
		return refuse(k, MM_REFUSED_MALFORMED);
	int rc = mm_keyring_verify(k->keys, &raw, MM_REQUEST_TYPE, k->t->keyid, k->err);
	if (rc != 0) {
		refuse(k, MM_REFUSED_SIGNATURE);
	} else {
		mm_sha256_hex(mm_buf_str(&raw.payload), raw.payload.len, k->t->digest);
		rc = mm_request_decode(
		    mm_buf_str(&raw.payload), raw.payload.len, k->a, &k->t->request, k->err);
		if (rc != 0)
			refuse(k, word_for(k->err->code));
	}
	mm_envelope_raw_free(&raw);
	return rc;
}

/* ---- for us, new, in time */

static int check_host(struct checking *k)
{
	if (mm_streq(k->t->request.host, k->c->host))
		return 0;
	return REFUSE(
	    k, MM_REFUSED_HOST, "the request is for the host %s; this is %s", k->t->request.host, k->c->host);
}

/* Nothing that was captured before can be signed by the only key that is left. */
static bool begins_anew(const struct checking *k)
{
	return k->last->key[0] != '\0' && mm_keyring_count(k->keys) == 1 &&
	       !mm_keyring_knows(k->keys, k->last->key);
}

static int check_replay(struct checking *k)
{
	const struct mm_request *r = &k->t->request;
	const struct mm_last *l = k->last;
	if (l->digest[0] == '\0' || begins_anew(k) || r->epoch > l->epoch ||
	    (r->epoch == l->epoch && r->serial > l->serial))
		return 0;
	if (r->epoch == l->epoch && r->serial == l->serial && mm_streq(k->t->digest, l->digest)) {
		k->t->repeated = true;
		return 0;
	}
	if (r->epoch == l->epoch && r->serial == l->serial)
		return REFUSE(k, MM_REFUSED_REPLAY,
		    "another request with the epoch %lld and the serial %lld was seen before",
		    (long long)r->epoch, (long long)r->serial);
	return REFUSE(k, MM_REFUSED_REPLAY,
	    "the request has epoch %lld, serial %lld; epoch %lld, serial %lld was seen before",
	    (long long)r->epoch, (long long)r->serial, (long long)l->epoch, (long long)l->serial);
}

static int check_time(struct checking *k)
{
	const struct mm_request *r = &k->t->request;
	char when[MM_TIME_MAX];
	if (k->now > r->expires)
		return REFUSE(
		    k, MM_REFUSED_EXPIRED, "the request expired at %s", mm_time_utc(r->expires, when));
	if (r->issued > k->now + MM_CLOCK_SKEW)
		return REFUSE(k, MM_REFUSED_EXPIRED,
		    "the request was issued in the future, at %s: one of the two clocks is wrong",
		    mm_time_utc(r->issued, when));
	return 0;
}

/* ---- manifest */

static struct mm_wanted *entry_for(struct checking *k, const struct mm_blob *b, const char *sum)
{
	for (size_t i = 0; i < k->t->n; i++) {
		if (k->t->wanted[i].bytes.p == NULL && strcmp(k->t->request.manifest[i].sha256, sum) == 0) {
			k->t->wanted[i].bytes = *b;
			return &k->t->wanted[i];
		}
	}
	return NULL;
}

static int check_sheet(struct checking *k, const struct mm_blob *b, size_t number)
{
	char sum[MM_SHA256_HEX];
	mm_sha256_hex(b->p, b->n, sum);
	struct mm_wanted *w = entry_for(k, b, sum);
	if (w == NULL)
		return REFUSE(
		    k, MM_REFUSED_MANIFEST, "sheet %zu of the request is not in its manifest", number);
	w->user = k->t->request.manifest[w - k->t->wanted].user;
	if (mm_sheet_decode(b->p, b->n, k->a, &w->sheet, k->err) != 0) {
		mm_err_prefix(k->err, "the sheet of %s", w->user);
		return refuse(k, MM_REFUSED_MALFORMED);
	}
	if (!mm_streq(w->sheet.user, w->user))
		return REFUSE(k, MM_REFUSED_MANIFEST, "the sheet of %s is in the manifest for %s",
		    w->sheet.user, w->user);
	return 0;
}

static int check_manifest(struct checking *k)
{
	const struct mm_request *r = &k->t->request;
	k->t->n = r->n_manifest;
	k->t->wanted = mm_arena_alloc(k->a, r->n_manifest + 1, sizeof(*k->t->wanted));
	for (size_t i = 0; i < k->n_sheets; i++) {
		if (check_sheet(k, &k->sheets[i], i + 1) != 0)
			return -1;
	}
	for (size_t i = 0; i < k->t->n; i++) {
		if (k->t->wanted[i].bytes.p == NULL)
			return REFUSE(
			    k, MM_REFUSED_MANIFEST, "the sheet of %s is missing", r->manifest[i].user);
	}
	return 0;
}

/* ---- limits */

static int check_program(const struct mm_conf *c, const char *where, const char *command, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	const char *const *argv;
	size_t n;
	int rc = mm_argv_parse(command, a, &argv, &n, err);
	if (rc == 0 && (n == 0 || !mm_conf_allows_program(c, argv[0])))
		rc = mm_err_set(err, MM_EX_NOPERM,
		    "%s: the program %s is not in limits.password_programs of %s", where,
		    n > 0 ? argv[0] : "", c->path);
	mm_arena_free(a);
	return rc;
}

static int check_floor(const struct mm_sheet *s, const char *where, const char *security, const char *tls_min,
    struct mm_err *err)
{
	if (mm_streq(security, "none") && !s->allow_cleartext)
		return mm_err_set(err, MM_EX_NOPERM, "%s: cleartext without allow_cleartext", where);
	if (tls_min != NULL && s->tls_min != NULL && strcmp(tls_min, s->tls_min) < 0)
		return mm_err_set(err, MM_EX_NOPERM, "%s: TLS %s is below the rule, which is %s", where,
		    tls_min, s->tls_min);
	return 0;
}

static int check_side(const struct mm_conf *c, const struct mm_sheet *s, const struct mm_account *acc,
    enum mm_side side, struct mm_err *err)
{
	const char *v[MM_SET_COUNT], *where = mm_side_name(side);
	for (int i = 0; i < MM_SET_COUNT; i++)
		v[i] = NULL;
	for (int i = MM_SET_IN_PROTOCOL; i < MM_SET_OUT_PROTOCOL; i++) {
		enum mm_setting set = side == MM_SIDE_INCOMING ? (enum mm_setting)i
							       : mm_setting_on_side((enum mm_setting)i, side);
		v[i] = set != MM_SET_NONE ? acc->want.v[set] : NULL;
	}
	if (v[MM_SET_IN_HOST] != NULL && !mm_conf_allows_host(c, v[MM_SET_IN_HOST]))
		return mm_err_set(err, MM_EX_NOPERM, "%s.host: %s is in none of limits.domains of %s", where,
		    v[MM_SET_IN_HOST], c->path);
	if (v[MM_SET_IN_PASSWORD_COMMAND] != NULL &&
	    check_program(c, where, v[MM_SET_IN_PASSWORD_COMMAND], err) != 0)
		return -1;
	return check_floor(s, where, v[MM_SET_IN_SECURITY], v[MM_SET_IN_TLS_MIN], err);
}

static int check_clients(const struct mm_conf *c, const struct mm_sheet *s, struct mm_err *err)
{
	for (size_t i = 0; i < s->n_clients; i++) {
		enum mm_mode m = s->clients[i].mode;
		if ((m == MM_MODE_ENFORCE || m == MM_MODE_DEFAULT) &&
		    !mm_conf_allows_client(c, s->clients[i].client))
			return mm_err_set(err, MM_EX_NOPERM, "the client %s is not in limits.clients of %s",
			    s->clients[i].client, c->path);
	}
	return 0;
}

int mm_trust_limits(const struct mm_conf *c, const struct mm_sheet *s, struct mm_err *err)
{
	for (size_t i = 0; i < s->n_accounts; i++) {
		for (int side = MM_SIDE_INCOMING; side < MM_SIDE_COUNT; side++) {
			if (check_side(c, s, &s->accounts[i], (enum mm_side)side, err) != 0)
				return mm_err_prefix(err, "%s, account %s", s->user, s->accounts[i].name);
		}
	}
	return check_clients(c, s, err) == 0 ? 0 : mm_err_prefix(err, "%s", s->user);
}

static int check_limits(struct checking *k)
{
	const struct mm_sheet *hostwide = k->t->request.hostwide;
	if (hostwide != NULL && mm_trust_limits(k->c, hostwide, k->err) != 0)
		return refuse(k, MM_REFUSED_LIMITS);
	for (size_t i = 0; i < k->t->n; i++) {
		if (mm_trust_limits(k->c, &k->t->wanted[i].sheet, k->err) != 0)
			return refuse(k, MM_REFUSED_LIMITS);
	}
	return 0;
}

/* ---- op */

/* Were sheets accepted here, a verify could make programs run that no apply has brought. */
static int check_verify(struct checking *k)
{
	const struct mm_request *r = &k->t->request;
	if (r->n_manifest > 0)
		return REFUSE(
		    k, MM_REFUSED_OP, "a verify is about what this host holds, and brings no sheets");
	for (size_t i = 0; i < r->n_op_args; i++) {
		if (!mm_is_login(r->op_args[i]) && !mm_streq(r->op_args[i], MM_VERIFY_AGAIN))
			return REFUSE(k, MM_REFUSED_OP, "\"%s\" is no login", r->op_args[i]);
	}
	return 0;
}

static int check_restore(struct checking *k)
{
	const struct mm_request *r = &k->t->request;
	int64_t number = 0;
	if (r->n_manifest > 0)
		return REFUSE(
		    k, MM_REFUSED_OP, "a restore is about what was changed here, and brings no sheets");
	for (size_t i = 0; i < r->n_op_args; i++) {
		if (mm_is_login(r->op_args[i]))
			continue;
		if (number != 0 || mm_restore_generation(r->op_args[i], &number) != 0)
			return REFUSE(k, MM_REFUSED_OP, "\"%s\" is no argument of a restore", r->op_args[i]);
	}
	return 0;
}

/* Whom it is about, its sheets say. */
static int check_preflight(struct checking *k)
{
	const struct mm_request *r = &k->t->request;
	for (size_t i = 0; i < r->n_op_args; i++) {
		if (!mm_streq(r->op_args[i], MM_VERIFY_AGAIN))
			return REFUSE(
			    k, MM_REFUSED_OP, "\"%s\" is no argument of a preflight", r->op_args[i]);
	}
	return 0;
}

static int check_discover(struct checking *k)
{
	const struct mm_request *r = &k->t->request;
	struct mm_discover_ask ask;
	if (r->n_manifest > 0)
		return REFUSE(k, MM_REFUSED_OP, "a discover is about what is there, and brings no sheets");
	if (mm_discover_decode(r->op_args, r->n_op_args, k->a, &ask, k->err) != 0)
		return refuse(k, MM_REFUSED_OP);
	return 0;
}

static int check_op(struct checking *k)
{
	enum mm_op op = k->t->request.op;
	if (op == MM_OP_APPLY || op == MM_OP_PLAN || op == MM_OP_STATUS)
		return 0;
	if (op == MM_OP_VERIFY)
		return check_verify(k);
	if (op == MM_OP_PREFLIGHT)
		return check_preflight(k);
	if (op == MM_OP_DISCOVER)
		return check_discover(k);
	if (op == MM_OP_RESTORE)
		return check_restore(k);
	return REFUSE(k, MM_REFUSED_OP, "this agent does not carry out \"%s\"", mm_op_name(op));
}

int mm_trust_check(const struct mm_conf *c, struct mm_keyring *keys, const struct mm_last *last, int64_t now,
    struct mm_blob envelope, const struct mm_blob *sheets, size_t n_sheets, struct mm_arena *a,
    struct mm_trusted *out, const char **refused, struct mm_err *err)
{
	struct mm_trusted t = {.repeated = false};
	struct checking k = {.c = c,
	    .keys = keys,
	    .last = last,
	    .now = now,
	    .sheets = sheets,
	    .n_sheets = n_sheets,
	    .a = a,
	    .t = &t,
	    .refused = refused,
	    .err = err};
	if (check_signature(&k, envelope) != 0 || check_host(&k) != 0 || check_replay(&k) != 0 ||
	    check_time(&k) != 0 || check_manifest(&k) != 0 || check_limits(&k) != 0 || check_op(&k) != 0)
		return -1;
	*out = t;
	return 0;
}
