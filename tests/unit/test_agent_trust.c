/* Every check that a request must pass: one test each, which fails when the
 * check is taken out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "agent/trust.h"
#include "common/json.h"
#include "common/text.h"
#include "schemas/proto.h"

#define NOW 1800000000

struct world {
	struct mm_arena *a;
	struct mm_key *key, *stranger;
	struct mm_conf *conf;
	struct mm_keyring *keys;
	struct mm_last last;
	struct mm_account acc;
	struct mm_client_rule rule;
	struct mm_sheet sheet;
	struct mm_buf bytes; /* of the sheet */
	struct mm_manifest_entry entry;
	struct mm_request req;
	struct mm_blob blobs[4];
	size_t n_blobs;
	struct mm_trusted out;
};

static const char *const none[] = {NULL};

static int setup(void **state)
{
	struct world *w = mm_xcalloc(1, sizeof(*w));
	struct mm_err err;
	struct mm_buf pem = MM_BUF_INIT(4096), conf = MM_BUF_INIT(8192);
	w->a = mm_arena_new();
	assert_int_equal(mm_key_generate(&w->key, &err), 0);
	assert_int_equal(mm_key_generate(&w->stranger, &err), 0);
	assert_int_equal(mm_key_public_pem(w->key, &pem, &err), 0);
	mm_buf_adds(&conf, "host = \"ws1\"; keys = [ \"");
	for (const char *p = mm_buf_str(&pem); *p != '\0'; p++) {
		if (*p == '\n')
			mm_buf_adds(&conf, "\\n");
		else
			mm_buf_addc(&conf, *p);
	}
	mm_buf_adds(&conf, "\" ]; limits = { domains = [ \"acme.example\" ]; "
			   "password_programs = [ \"/usr/bin/pass\" ]; clients = [ \"mutt\" ]; };");
	assert_int_equal(mm_conf_parse("test.conf", mm_buf_str(&conf), &w->conf, &err), 0);
	mm_buf_free(&pem);
	mm_buf_free(&conf);
	w->keys = mm_keyring_new(w->conf);

	w->acc = (struct mm_account){.name = "work", .label = "Work", .replaces = none};
	w->acc.want.v[MM_SET_ADDRESS] = "alice@acme.example";
	w->acc.want.v[MM_SET_IN_PROTOCOL] = "imap";
	w->acc.want.v[MM_SET_IN_HOST] = "imap.acme.example";
	w->acc.want.v[MM_SET_IN_PORT] = "993";
	w->acc.want.v[MM_SET_IN_SECURITY] = "tls";
	w->acc.want.v[MM_SET_IN_AUTH] = "password";
	w->acc.want.v[MM_SET_IN_USERNAME] = "alice";
	w->acc.want.v[MM_SET_OUT_PROTOCOL] = "smtp";
	w->acc.want.v[MM_SET_OUT_HOST] = "smtp.acme.example";
	w->acc.want.v[MM_SET_OUT_PORT] = "465";
	w->acc.want.v[MM_SET_OUT_SECURITY] = "tls";
	w->acc.want.v[MM_SET_OUT_AUTH] = "password";
	w->acc.want.v[MM_SET_OUT_USERNAME] = "alice";
	w->rule = (struct mm_client_rule){.client = "mutt", .mode = MM_MODE_ENFORCE};
	for (int s = 0; s < MM_SET_COUNT; s++)
		w->rule.setting_mode[s] = -1;
	w->sheet = (struct mm_sheet){.user = "alice",
	    .revision = 3,
	    .accounts = &w->acc,
	    .n_accounts = 1,
	    .clients = &w->rule,
	    .n_clients = 1,
	    .tls_min = "1.2",
	    .check = MM_LEVEL_LOGIN};
	w->bytes = MM_BUF_INIT(65536);
	w->entry.user = "alice";
	w->req = (struct mm_request){.major = MM_PROTO_MAJOR,
	    .minor = MM_PROTO_MINOR,
	    .op = MM_OP_APPLY,
	    .id = "00112233445566778899aabbccddeeff",
	    .host = "ws1",
	    .epoch = 1,
	    .serial = 100,
	    .revision = 3,
	    .issued = NOW - 10,
	    .expires = NOW + 1000,
	    .manifest = &w->entry,
	    .n_manifest = 1};
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	mm_key_free(w->key);
	mm_key_free(w->stranger);
	mm_keyring_free(w->keys);
	mm_conf_free(w->conf);
	mm_buf_free(&w->bytes);
	mm_arena_free(w->a);
	free(w);
	return 0;
}

/* Encode the sheet and put it, and its hash, into the request. */
static void seal_sheet(struct world *w)
{
	mm_buf_reset(&w->bytes);
	mm_sheet_encode(&w->sheet, &w->bytes);
	mm_sha256_hex(mm_buf_str(&w->bytes), w->bytes.len, w->entry.sha256);
	w->blobs[0] = (struct mm_blob){mm_buf_str(&w->bytes), w->bytes.len};
	w->n_blobs = 1;
}

static struct mm_blob sign(struct world *w, const struct mm_key *key, const char *type)
{
	struct mm_buf payload = MM_BUF_INIT(65536), env = MM_BUF_INIT(262144);
	struct mm_err err;
	mm_request_encode(&w->req, &payload);
	assert_int_equal(mm_envelope_sign(type, mm_buf_str(&payload), payload.len, key, &env, &err), 0);
	struct mm_blob b = {mm_arena_strndup(w->a, mm_buf_str(&env), env.len), env.len};
	mm_buf_free(&payload);
	mm_buf_free(&env);
	return b;
}

static const char *check_blob(struct world *w, struct mm_blob env, struct mm_err *err)
{
	const char *word = "";
	*err = MM_ERR_NONE;
	if (mm_trust_check(
		w->conf, w->keys, &w->last, NOW, env, w->blobs, w->n_blobs, w->a, &w->out, &word, err) == 0)
		return "ok";
	assert_int_equal(err->code, MM_EX_NOPERM);
	assert_true(err->text[0] != '\0');
	return word;
}

static const char *check(struct world *w)
{
	struct mm_err err;
	return check_blob(w, sign(w, w->key, MM_REQUEST_TYPE), &err);
}

#define W struct world *w = *state

static void good(void **state)
{
	W;
	seal_sheet(w);
	assert_string_equal(check(w), "ok");
	assert_int_equal(w->out.n, 1);
	assert_string_equal(w->out.wanted[0].user, "alice");
	assert_string_equal(w->out.wanted[0].sheet.accounts[0].want.v[MM_SET_IN_HOST], "imap.acme.example");
	assert_string_equal(w->out.keyid, mm_key_id(w->key));
	assert_false(w->out.repeated);
}

static void malformed(void **state)
{
	W;
	struct mm_err err;
	seal_sheet(w);
	assert_string_equal(check_blob(w, (struct mm_blob){"{}", 2}, &err), MM_REFUSED_MALFORMED);
	assert_string_equal(check_blob(w, (struct mm_blob){"", 0}, &err), MM_REFUSED_MALFORMED);
	struct mm_blob b = sign(w, w->key, MM_REQUEST_TYPE);
	b.n--;
	assert_string_equal(check_blob(w, b, &err), MM_REFUSED_MALFORMED);
}

static void signature_by_stranger(void **state)
{
	W;
	struct mm_err err;
	seal_sheet(w);
	assert_string_equal(check_blob(w, sign(w, w->stranger, MM_REQUEST_TYPE), &err), MM_REFUSED_SIGNATURE);
}

static void signature_for_other_type(void **state)
{
	W;
	struct mm_err err;
	seal_sheet(w);
	assert_string_equal(check_blob(w, sign(w, w->key, "application/other"), &err), MM_REFUSED_SIGNATURE);
}

/* One byte of the payload, wherever it is, spoils the signature or the form. */
static void signature_over_every_byte(void **state)
{
	W;
	struct mm_err err;
	seal_sheet(w);
	struct mm_blob b = sign(w, w->key, MM_REQUEST_TYPE);
	char *copy = mm_arena_strndup(w->a, b.p, b.n);
	for (size_t i = 20; i < b.n; i += 97) {
		char was = copy[i];
		copy[i] = was == 'A' ? 'B' : 'A';
		const char *word = check_blob(w, (struct mm_blob){copy, b.n}, &err);
		assert_true(mm_streq(word, MM_REFUSED_SIGNATURE) || mm_streq(word, MM_REFUSED_MALFORMED));
		copy[i] = was;
	}
}

static void protocol(void **state)
{
	W;
	seal_sheet(w);
	w->req.minor = MM_PROTO_MINOR + 1;
	assert_string_equal(check(w), "ok");
	w->req.major = MM_PROTO_MAJOR + 1;
	assert_string_equal(check(w), MM_REFUSED_PROTOCOL);
}

static void other_host(void **state)
{
	W;
	seal_sheet(w);
	w->req.host = "ws2";
	assert_string_equal(check(w), MM_REFUSED_HOST);
}

static void remember_last(struct world *w)
{
	w->last.epoch = w->req.epoch;
	w->last.serial = w->req.serial;
	memcpy(w->last.digest, w->out.digest, sizeof(w->last.digest));
}

static void replay(void **state)
{
	W;
	seal_sheet(w);
	assert_string_equal(check(w), "ok");
	remember_last(w);
	w->req.serial--;
	assert_string_equal(check(w), MM_REFUSED_REPLAY);
	w->req.serial += 2;
	assert_string_equal(check(w), "ok");
	assert_false(w->out.repeated);
}

static void lower_epoch(void **state)
{
	W;
	seal_sheet(w);
	w->req.epoch = 2;
	assert_string_equal(check(w), "ok");
	remember_last(w);
	w->req.epoch = 1;
	w->req.serial = 100000;
	assert_string_equal(check(w), MM_REFUSED_REPLAY);
	w->req.epoch = 3;
	w->req.serial = 1;
	assert_string_equal(check(w), "ok");
}

static void same_again(void **state)
{
	W;
	seal_sheet(w);
	assert_string_equal(check(w), "ok");
	remember_last(w);
	assert_string_equal(check(w), "ok");
	assert_true(w->out.repeated);
}

static void same_serial_other_content(void **state)
{
	W;
	seal_sheet(w);
	assert_string_equal(check(w), "ok");
	remember_last(w);
	w->req.op = MM_OP_PLAN;
	assert_string_equal(check(w), MM_REFUSED_REPLAY);
}

static void expired(void **state)
{
	W;
	seal_sheet(w);
	w->req.expires = NOW;
	assert_string_equal(check(w), "ok");
	w->req.expires = NOW - 1;
	assert_string_equal(check(w), MM_REFUSED_EXPIRED);
}

static void from_the_future(void **state)
{
	W;
	seal_sheet(w);
	w->req.issued = NOW + MM_CLOCK_SKEW;
	assert_string_equal(check(w), "ok");
	w->req.issued = NOW + MM_CLOCK_SKEW + 1;
	assert_string_equal(check(w), MM_REFUSED_EXPIRED);
}

static void sheet_missing(void **state)
{
	W;
	seal_sheet(w);
	w->n_blobs = 0;
	assert_string_equal(check(w), MM_REFUSED_MANIFEST);
}

static void sheet_twice(void **state)
{
	W;
	seal_sheet(w);
	w->blobs[w->n_blobs++] = w->blobs[0];
	assert_string_equal(check(w), MM_REFUSED_MANIFEST);
}

static void sheet_surplus(void **state)
{
	W;
	struct mm_buf other = MM_BUF_INIT(65536);
	seal_sheet(w);
	struct mm_sheet s = w->sheet;
	s.user = "bob";
	mm_sheet_encode(&s, &other);
	w->blobs[w->n_blobs++] = (struct mm_blob){mm_buf_str(&other), other.len};
	assert_string_equal(check(w), MM_REFUSED_MANIFEST);
	mm_buf_free(&other);
}

static void sheet_altered(void **state)
{
	W;
	seal_sheet(w);
	char *copy = mm_arena_strndup(w->a, w->blobs[0].p, w->blobs[0].n);
	char *host = strstr(copy, "imap.acme");
	assert_non_null(host);
	*host = 'x';
	w->blobs[0].p = copy;
	assert_string_equal(check(w), MM_REFUSED_MANIFEST);
}

static void sheet_of_somebody_else(void **state)
{
	W;
	seal_sheet(w);
	w->entry.user = "bob";
	assert_string_equal(check(w), MM_REFUSED_MANIFEST);
}

/* A manifest that names a user twice does not even decode. */
static void user_twice(void **state)
{
	W;
	struct mm_buf payload = MM_BUF_INIT(65536), twice = MM_BUF_INIT(65536), env = MM_BUF_INIT(262144);
	struct mm_err err;
	seal_sheet(w);
	mm_request_encode(&w->req, &payload);
	const char *at = strstr(mm_buf_str(&payload), "\"alice\":");
	assert_non_null(at);
	mm_buf_add(&twice, mm_buf_str(&payload), (size_t)(at - mm_buf_str(&payload)));
	mm_buf_addf(&twice, "\"alice\":\"%s\",%s", w->entry.sha256, at);
	assert_int_equal(
	    mm_envelope_sign(MM_REQUEST_TYPE, mm_buf_str(&twice), twice.len, w->key, &env, &err), 0);
	assert_string_equal(
	    check_blob(w, (struct mm_blob){mm_buf_str(&env), env.len}, &err), MM_REFUSED_MALFORMED);
	mm_buf_free(&payload);
	mm_buf_free(&twice);
	mm_buf_free(&env);
}

static void limit_domain(void **state)
{
	W;
	static const struct {
		enum mm_setting set;
		const char *host, *word;
	} cases[] = {{MM_SET_IN_HOST, "acme.example", "ok"}, {MM_SET_IN_HOST, "a.b.acme.example", "ok"},
	    {MM_SET_IN_HOST, "evilacme.example", MM_REFUSED_LIMITS},
	    {MM_SET_IN_HOST, "acme.example.evil.test", MM_REFUSED_LIMITS},
	    {MM_SET_IN_HOST, "192.0.2.1", MM_REFUSED_LIMITS},
	    {MM_SET_OUT_HOST, "smtp.evil.test", MM_REFUSED_LIMITS}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *was = w->acc.want.v[cases[i].set];
		w->acc.want.v[cases[i].set] = cases[i].host;
		seal_sheet(w);
		assert_string_equal(check(w), cases[i].word);
		w->acc.want.v[cases[i].set] = was;
	}
}

static void limit_program(void **state)
{
	W;
	static const enum mm_setting sets[] = {MM_SET_IN_PASSWORD_COMMAND, MM_SET_OUT_PASSWORD_COMMAND};
	for (size_t i = 0; i < 2; i++) {
		w->acc.want.v[sets[i]] = "[\"/usr/bin/pass\",\"show\",\"mail\"]";
		seal_sheet(w);
		assert_string_equal(check(w), "ok");
		w->acc.want.v[sets[i]] = "[\"/bin/sh\",\"-c\",\"id\"]";
		seal_sheet(w);
		assert_string_equal(check(w), MM_REFUSED_LIMITS);
		w->acc.want.v[sets[i]] = NULL;
	}
}

static void limit_client(void **state)
{
	W;
	w->rule.client = "msmtp";
	seal_sheet(w);
	assert_string_equal(check(w), MM_REFUSED_LIMITS);
	w->rule.mode = MM_MODE_DEFAULT;
	seal_sheet(w);
	assert_string_equal(check(w), MM_REFUSED_LIMITS);
	/* What is not written to exceeds nothing. */
	w->rule.mode = MM_MODE_IGNORE;
	seal_sheet(w);
	assert_string_equal(check(w), "ok");
}

static void cleartext(void **state)
{
	W;
	static const enum mm_setting sets[] = {MM_SET_IN_SECURITY, MM_SET_OUT_SECURITY};
	for (size_t i = 0; i < 2; i++) {
		w->acc.want.v[sets[i]] = "none";
		w->sheet.allow_cleartext = false;
		seal_sheet(w);
		assert_string_equal(check(w), MM_REFUSED_LIMITS);
		w->sheet.allow_cleartext = true;
		seal_sheet(w);
		assert_string_equal(check(w), "ok");
		w->acc.want.v[sets[i]] = "tls";
	}
}

static void tls_floor(void **state)
{
	W;
	w->sheet.tls_min = "1.3";
	w->acc.want.v[MM_SET_OUT_TLS_MIN] = "1.2";
	seal_sheet(w);
	assert_string_equal(check(w), MM_REFUSED_LIMITS);
	w->acc.want.v[MM_SET_OUT_TLS_MIN] = "1.3";
	seal_sheet(w);
	assert_string_equal(check(w), "ok");
}

static void op(void **state)
{
	W;
	seal_sheet(w);
	w->req.op = MM_OP_PLAN;
	assert_string_equal(check(w), "ok");
	w->req.op = MM_OP_STATUS;
	assert_string_equal(check(w), "ok");
	w->req.op = MM_OP_DISCOVER;
	assert_string_equal(check(w), MM_REFUSED_OP);
}

/* A verify is about what the host holds: it brings no sheets, and names logins only. */
static void verify(void **state)
{
	static const char *const good_args[] = {"alice", "bob", NULL},
				 *const bad[] = {"alice", "../bob", NULL},
				 *const again[] = {MM_VERIFY_AGAIN, NULL};
	W;
	seal_sheet(w);
	w->req.op = MM_OP_VERIFY;
	assert_string_equal(check(w), MM_REFUSED_OP);
	w->req.n_manifest = 0;
	w->n_blobs = 0;
	assert_string_equal(check(w), "ok");
	w->req.op_args = good_args;
	w->req.n_op_args = 2;
	assert_string_equal(check(w), "ok");
	w->req.op_args = bad;
	assert_string_equal(check(w), MM_REFUSED_OP);
	w->req.op_args = again;
	w->req.n_op_args = 1;
	assert_string_equal(check(w), "ok");
}

static void many_users(void **state)
{
	W;
	enum { N = MM_MANIFEST_MAX };
	struct mm_manifest_entry *entries = mm_arena_alloc(w->a, N, sizeof(*entries));
	struct mm_blob *blobs = mm_arena_alloc(w->a, N, sizeof(*blobs));
	struct mm_err err;
	const char *word = "";
	for (size_t i = 0; i < N; i++) {
		struct mm_buf b = MM_BUF_INIT(65536);
		entries[i].user = mm_arena_printf(w->a, "u%zu", i);
		struct mm_sheet s = w->sheet;
		s.user = entries[i].user;
		mm_sheet_encode(&s, &b);
		blobs[N - 1 - i] = (struct mm_blob){mm_arena_strndup(w->a, mm_buf_str(&b), b.len), b.len};
		mm_sha256_hex(mm_buf_str(&b), b.len, entries[i].sha256);
		mm_buf_free(&b);
	}
	w->req.manifest = entries;
	w->req.n_manifest = N;
	struct mm_buf payload = MM_BUF_INIT(1u << 22), env = MM_BUF_INIT(1u << 23);
	mm_request_encode(&w->req, &payload);
	assert_int_equal(
	    mm_envelope_sign(MM_REQUEST_TYPE, mm_buf_str(&payload), payload.len, w->key, &env, &err), 0);
	assert_int_equal(
	    mm_trust_check(w->conf, w->keys, &w->last, NOW, (struct mm_blob){mm_buf_str(&env), env.len},
		blobs, N, w->a, &w->out, &word, &err),
	    0);
	assert_string_equal(w->out.wanted[17].user, w->out.wanted[17].sheet.user);
	mm_buf_free(&payload);
	mm_buf_free(&env);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(good), T(malformed), T(signature_by_stranger),
	    T(signature_for_other_type), T(signature_over_every_byte), T(protocol), T(other_host), T(replay),
	    T(lower_epoch), T(same_again), T(same_serial_other_content), T(expired), T(from_the_future),
	    T(sheet_missing), T(sheet_twice), T(sheet_surplus), T(sheet_altered), T(sheet_of_somebody_else),
	    T(user_twice), T(limit_domain), T(limit_program), T(limit_client), T(cleartext), T(tls_floor),
	    T(op), T(verify), T(many_users)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
