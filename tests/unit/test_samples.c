/* The frozen samples: what version 1.0 put on the wire is understood, value
 * by value, and written again with the same meaning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/frame.h"
#include "common/json.h"
#include "schemas/facts.h"
#include "schemas/probe.h"
#include "schemas/proto.h"
#include "schemas/sheet.h"
#include "schemas/signing.h"
#include "tests/unit/samples_box.h"

static void check_request(struct box *b, const char *json, size_t n)
{
	struct mm_request r;
	if (mm_request_decode(json, n, b->a, &r, &b->err) != 0)
		fail_msg("%s", b->err.text);
	assert_int_equal(r.op, MM_OP_APPLY);
	assert_string_equal(r.id, "00112233445566778899aabbccddeeff");
	assert_string_equal(r.host, "ws1.acme.example");
	assert_int_equal(r.epoch, 2);
	assert_int_equal(r.serial, 1795600000);
	assert_int_equal(r.revision, 12);
	assert_int_equal(r.issued, 1795600000);
	assert_int_equal(r.expires, 1796204800);
	assert_int_equal(r.n_manifest, 2);
	assert_string_equal(r.manifest[0].user, "alice.smith");
	assert_string_equal(r.manifest[1].user, "bob");
	assert_int_equal(r.n_ack, 2);
	assert_string_equal(r.ack[0], "ffeeddccbbaa99887766554433221100");
	assert_int_equal(r.n_op_args, 0);
	const char *const sheets[] = {"v1/sheet-alice.json", "v1/sheet-bob.json"};
	for (size_t i = 0; i < 2; i++) {
		char hex[MM_SHA256_HEX];
		size_t len;
		const char *sheet = sample(b, sheets[i], &len);
		mm_sha256_hex(sheet, len, hex);
		assert_string_equal(hex, r.manifest[i].sha256);
	}
}

static void request(void **state)
{
	struct box *b = *state;
	size_t n;
	const char *json = sample(b, "v1/request.json", &n);
	struct mm_request r;
	struct mm_buf again = NEW_BUF;
	check_request(b, json, n);
	assert_int_equal(mm_request_decode(json, n, b->a, &r, &b->err), 0);
	assert_int_equal(r.major, 1);
	assert_int_equal(r.minor, 0);
	mm_request_encode(&r, &again);
	same_meaning(json, n, &again);
}

static void envelope(void **state)
{
	struct box *b = *state;
	size_t n, len;
	const char *json = sample(b, "v1/envelope.json", &n);
	const char *pem = sample(b, "v1/test-key.pub.pem", &len);
	struct mm_key *key = NULL;
	struct mm_envelope_raw raw;
	char keyid[MM_SHA256_HEX];
	assert_int_equal(mm_key_from_public_pem(pem, len, &key, &b->err), 0);
	assert_string_equal(
	    mm_key_id(key), "a050837d85070582ccf7394b0988847cc312cb88259b894899f6f239cf1791a5");
	assert_int_equal(mm_envelope_decode(json, n, &raw, &b->err), 0);
	assert_int_equal(mm_envelope_verify(&raw, MM_REQUEST_TYPE, &key, 1, keyid, &b->err), 0);
	assert_string_equal(keyid, mm_key_id(key));
	check_request(b, raw.payload.data, raw.payload.len);
	mm_envelope_raw_free(&raw);
	mm_key_free(key);
}

/* Ed25519 signatures do not vary: signing today gives the envelope of then. */
static void envelope_again(void **state)
{
	struct box *b = *state;
	size_t n, len;
	const char *json = sample(b, "v1/envelope.json", &n);
	const char *payload = sample(b, "v1/request.json", &len);
	unsigned char seed[MM_KEY_RAW];
	for (unsigned char i = 0; i < MM_KEY_RAW; i++)
		seed[i] = i;
	struct mm_key *key = NULL;
	struct mm_buf again = NEW_BUF;
	assert_int_equal(mm_key_from_seed(seed, &key, &b->err), 0);
	assert_int_equal(mm_envelope_sign(MM_REQUEST_TYPE, payload, len, key, &again, &b->err), 0);
	same_meaning(json, n, &again);
	mm_key_free(key);
}

static void sheet_of_alice(void **state)
{
	struct box *b = *state;
	size_t n;
	const char *json = sample(b, "v1/sheet-alice.json", &n);
	struct mm_sheet s;
	struct mm_buf again = NEW_BUF;
	assert_int_equal(mm_sheet_decode(json, n, b->a, &s, &b->err), 0);
	assert_string_equal(s.user, "alice.smith");
	assert_int_equal(s.create, MM_CREATE_EXISTING);
	assert_int_equal(s.check, MM_LEVEL_LOGIN);
	assert_int_equal(s.n_accounts, 2);
	const struct mm_account *work = &s.accounts[0], *archive = &s.accounts[1];
	assert_string_equal(work->name, "work");
	assert_string_equal(work->label, "Acme mail");
	assert_string_equal(work->replaces[0], "mail.old.example");
	assert_string_equal(work->want.v[MM_SET_REAL_NAME], "`id`\"; $(x) | y");
	assert_string_equal(
	    work->want.v[MM_SET_IN_PASSWORD_COMMAND], "[\"/usr/bin/pass\",\"show\",\"mail/alice.smith\"]");
	assert_string_equal(work->want.v[MM_SET_OUT_SECURITY], "starttls");
	assert_string_equal(work->want.v[MM_SET_OUT_PORT], "587");
	assert_null(work->want.v[MM_SET_REPLY_TO]);
	assert_string_equal(archive->renamed_from, "old");
	assert_string_equal(archive->want.v[MM_SET_IN_HOST], "2001:db8::1");
	assert_string_equal(archive->want.v[MM_SET_IN_LEAVE_ON_SERVER], "yes");
	assert_string_equal(archive->want.v[MM_SET_REAL_NAME], "Zo\xc3\xab");
	assert_int_equal(mm_sheet_mode(&s, "thunderbird", MM_SET_IN_HOST), MM_MODE_ENFORCE);
	assert_int_equal(mm_sheet_mode(&s, "mutt", MM_SET_IN_HOST), MM_MODE_AUDIT);
	assert_int_equal(mm_sheet_mode(&s, "mutt", MM_SET_REAL_NAME), MM_MODE_IGNORE);
	assert_int_equal(mm_sheet_mode(&s, "msmtp", MM_SET_OUT_HOST), MM_MODE_DEFAULT);
	mm_sheet_encode(&s, &again);
	same_meaning(json, n, &again);
}

static void sheet_of_bob(void **state)
{
	struct box *b = *state;
	size_t n;
	const char *json = sample(b, "v1/sheet-bob.json", &n);
	struct mm_sheet s;
	struct mm_buf again = NEW_BUF;
	assert_int_equal(mm_sheet_decode(json, n, b->a, &s, &b->err), 0);
	assert_int_equal(s.create, MM_CREATE_ALWAYS);
	assert_int_equal(s.check, MM_LEVEL_ROUNDTRIP);
	assert_true(s.allow_cleartext);
	assert_string_equal(s.tls_min, "1.3");
	mm_sheet_encode(&s, &again);
	same_meaning(json, n, &again);
}

/* ---- streams */

/* Every frame of a stream, in the arena; returns their number. */
static size_t frames_of(struct box *b, const char *name, struct mm_frame *out, size_t max)
{
	size_t n, count = 0;
	const char *bytes = sample(b, name, &n);
	struct mm_frame_decoder d;
	struct mm_frame f;
	int rc;
	mm_frame_decoder_init(&d, true);
	assert_int_equal(mm_frame_feed(&d, bytes, n, &b->err), 0);
	while ((rc = mm_frame_next(&d, &f, &b->err)) == 1) {
		assert_true(count < max);
		f.body = mm_arena_strndup(b->a, f.len > 0 ? f.body : "", f.len);
		out[count++] = f;
	}
	assert_int_equal(rc, 0);
	assert_true(mm_frame_at_boundary(&d));
	mm_frame_decoder_free(&d);
	return count;
}

static void request_stream(void **state)
{
	struct box *b = *state;
	static const uint16_t types[] = {MM_FT_ENVELOPE, MM_FT_SHEET, MM_FT_SHEET, MM_FT_REQUEST_END};
	static const char *const names[] = {"v1/envelope.json", "v1/sheet-alice.json", "v1/sheet-bob.json"};
	struct mm_frame f[8];
	assert_int_equal(frames_of(b, "v1/request.frames", f, 8), 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(f[i].type, types[i]);
	for (size_t i = 0; i < 3; i++) {
		size_t n;
		const char *body = sample(b, names[i], &n);
		assert_int_equal(f[i].len, n);
		assert_memory_equal(f[i].body, body, n);
	}
	assert_int_equal(f[3].len, 0);
	/* and these are the bytes that we would send today */
	struct mm_buf again = NEW_BUF;
	size_t n;
	const char *bytes = sample(b, "v1/request.frames", &n);
	mm_frame_magic(&again);
	for (size_t i = 0; i < 4; i++)
		mm_frame_put(&again, f[i].type, f[i].body, f[i].len);
	assert_int_equal(again.len, n);
	assert_memory_equal(again.data, bytes, n);
	mm_buf_free(&again);
}

static void check_heads(struct box *b, const struct mm_frame *first, const struct mm_frame *second)
{
	struct mm_report_head h;
	struct mm_buf again = NEW_BUF;
	assert_int_equal(mm_report_head_decode(first->body, first->len, b->a, &h, &b->err), 0);
	assert_string_equal(h.id, "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf");
	assert_string_equal(h.request_id, "00112233445566778899aabbccddeeff");
	assert_string_equal(h.op, "apply");
	assert_int_equal(h.evidence, MM_EV_ATTESTED);
	assert_string_equal(h.users[1], "bob");
	assert_int_equal(h.collected, 1795600007);
	mm_report_head_encode(&h, &again);
	same_meaning(first->body, first->len, &again);
	assert_int_equal(mm_report_head_decode(second->body, second->len, b->a, &h, &b->err), 0);
	assert_string_equal(h.op, "login");
	assert_int_equal(h.evidence, MM_EV_CLAIMED);
	assert_null(h.request_id);
	assert_string_equal(h.user, "bob");
	assert_true(h.expired);
	mm_report_head_encode(&h, &again);
	same_meaning(second->body, second->len, &again);
}

static void check_findings(struct box *b, const struct mm_frame *first, const struct mm_frame *second)
{
	struct mm_finding f;
	struct mm_buf again = NEW_BUF;
	assert_int_equal(mm_finding_decode(first->body, first->len, b->a, &f, &b->err), 0);
	assert_string_equal(f.client, "mutt");
	assert_string_equal(f.setting, "incoming.host");
	assert_string_equal(f.desired, "imap.acme.example");
	assert_string_equal(f.found, "mail.old.example");
	assert_int_equal(f.line, 17);
	assert_string_equal(f.override_path, "/home/alice.smith/.mutt/hooks");
	assert_int_equal(f.state, MM_ST_OVERRIDDEN);
	assert_int_equal(f.action, MM_ACT_REPORTED);
	mm_finding_encode(&f, &again);
	same_meaning(first->body, first->len, &again);
	assert_int_equal(mm_finding_decode(second->body, second->len, b->a, &f, &b->err), 0);
	assert_string_equal(f.setting, "");
	assert_null(f.desired);
	assert_int_equal(f.state, MM_ST_PENDING);
	assert_int_equal(f.action, MM_ACT_CREATED);
	mm_finding_encode(&f, &again);
	same_meaning(second->body, second->len, &again);
}

static void check_logins(struct box *b, const struct mm_frame *const f[3])
{
	struct mm_login l[3];
	for (size_t i = 0; i < 3; i++) {
		struct mm_buf again = NEW_BUF;
		assert_int_equal(mm_login_decode(f[i]->body, f[i]->len, b->a, &l[i], &b->err), 0);
		mm_login_encode(&l[i], &again);
		same_meaning(f[i]->body, f[i]->len, &again);
	}
	assert_int_equal(l[0].result, MM_LOGIN_PASSED);
	assert_string_equal(l[0].tls.cipher, "TLS_AES_256_GCM_SHA384");
	assert_int_equal(l[0].tls.not_after, 1800000000);
	assert_int_equal(l[0].timing.login, 15);
	assert_int_equal(l[1].result, MM_LOGIN_FAILED);
	assert_string_equal(l[1].cls, "AUTH_REJECTED");
	assert_int_equal(l[1].reached, MM_LEVEL_TLS);
	assert_string_equal(l[1].server_text, "535 5.7.8 Authentication failed");
	assert_int_equal(l[2].result, MM_LOGIN_UNTESTED);
	assert_false(l[2].any);
	assert_null(l[2].tls.version);
	assert_int_equal(l[2].timing.dns, -1);
}

static void answer_stream(void **state)
{
	struct box *b = *state;
	static const uint16_t types[] = {MM_FT_HELLO, MM_FT_KEEPALIVE, MM_FT_REPORT, MM_FT_FINDING,
	    MM_FT_FINDING, MM_FT_LOGIN, MM_FT_LOGIN, MM_FT_REPORT, MM_FT_LOGIN, MM_FT_END};
	struct mm_frame f[16];
	struct mm_tally t;
	assert_int_equal(frames_of(b, "v1/answer.frames", f, 16), 10);
	mm_tally_init(&t);
	for (size_t i = 0; i < 10; i++) {
		assert_int_equal(f[i].type, types[i]);
		mm_tally_add(&t, f[i].type, f[i].body, f[i].len);
	}
	if (mm_end_check(&t, f[9].body, f[9].len, &b->err) != 0)
		fail_msg("%s", b->err.text);
	struct mm_hello h;
	assert_int_equal(mm_hello_decode(f[0].body, f[0].len, b->a, &h, &b->err), 0);
	assert_string_equal(h.agent, "0.1.0");
	assert_string_equal(h.host, "ws1.acme.example");
	check_heads(b, &f[2], &f[7]);
	check_findings(b, &f[3], &f[4]);
	const struct mm_frame *const logins[] = {&f[5], &f[6], &f[8]};
	check_logins(b, logins);
}

static void refused_stream(void **state)
{
	struct box *b = *state;
	struct mm_frame f[4];
	struct mm_refused r;
	assert_int_equal(frames_of(b, "v1/refused.frames", f, 4), 2);
	assert_int_equal(f[1].type, MM_FT_REFUSED);
	assert_int_equal(mm_refused_decode(f[1].body, f[1].len, b->a, &r, &b->err), 0);
	assert_int_equal(r.code, 77);
	assert_string_equal(r.reason, MM_REFUSED_REPLAY);
	struct mm_buf again = NEW_BUF;
	mm_refused_encode(&r, &again);
	same_meaning(f[1].body, f[1].len, &again);
}

/* ---- probe */

/* The two lines of a sample; each ends with a newline. */
static void two_lines(struct box *b, const char *name, const char *line[2])
{
	char *text = mm_arena_strdup(b->a, sample(b, name, NULL));
	for (size_t i = 0; i < 2; i++) {
		line[i] = strsep(&text, "\n");
		assert_non_null(text);
	}
	assert_string_equal(text, "");
}

static void probe_tasks(void **state)
{
	struct box *b = *state;
	const char *line[2];
	struct mm_probe_task t[2];
	two_lines(b, "v1/probe-tasks.jsonl", line);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(mm_probe_task_decode(line[i], strlen(line[i]), b->a, &t[i], &b->err), 0);
	assert_int_equal(t[0].id, 1);
	assert_string_equal(t[0].username, "alice.smith@acme.example");
	assert_int_equal(t[0].secret, 0);
	assert_string_equal(t[0].ca_file, "/etc/ssl/certs/acme.pem");
	assert_int_equal(t[1].level, MM_LEVEL_REACH);
	assert_int_equal(t[1].secret, -1);
	assert_null(t[1].username);
	for (size_t i = 0; i < 2; i++) {
		struct mm_buf again = NEW_BUF;
		mm_probe_task_encode(&t[i], &again);
		same_meaning(line[i], strlen(line[i]), &again);
	}
}

static void probe_answers(void **state)
{
	struct box *b = *state;
	const char *line[2];
	struct mm_login l[2];
	int64_t id[2];
	two_lines(b, "v1/probe-answers.jsonl", line);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
		    mm_probe_answer_decode(line[i], strlen(line[i]), b->a, &id[i], &l[i], &b->err), 0);
		assert_int_equal(id[i], i + 1);
	}
	assert_string_equal(l[0].cls, "TLS_EXPIRED");
	assert_null(l[0].tls.version);
	assert_int_equal(l[0].tls.not_after, 1795340000);
	assert_int_equal(l[1].result, MM_LOGIN_PASSED);
	assert_string_equal(l[1].side, "outgoing");
	assert_int_equal(l[1].timing.greeting, 3);
	struct mm_buf again = NEW_BUF;
	mm_probe_answer_encode(id[0], &l[0], &again);
	same_meaning(line[0], strlen(line[0]), &again);
}

/* ---- what 1.1 added */

static void system_request(void **state)
{
	struct box *b = *state;
	size_t n;
	const char *json = sample(b, "v1.1/request.json", &n);
	struct mm_request r;
	struct mm_buf again = NEW_BUF;
	if (mm_request_decode(json, n, b->a, &r, &b->err) != 0)
		fail_msg("%s", b->err.text);
	assert_non_null(r.hostwide);
	assert_true(mm_sheet_is_system(r.hostwide));
	const struct mm_account *acc = &r.hostwide->accounts[0];
	assert_string_equal(acc->want.v[MM_SET_OUT_USERNAME], MM_SYSTEM_LOGIN);
	assert_string_equal(acc->want.v[MM_SET_ADDRESS], MM_SYSTEM_LOGIN "@acme.example");
	assert_true(acc->differs[MM_SET_REAL_NAME]);
	assert_null(acc->want.v[MM_SET_REAL_NAME]);
	assert_false(acc->differs[MM_SET_OUT_HOST]);
	assert_int_equal(r.hostwide->clients[0].scope, MM_REACH_SYSTEM);
	assert_int_equal(mm_sheet_mode(r.hostwide, "msmtp", MM_SET_OUT_TLS_MIN), MM_MODE_AUDIT);
	assert_int_equal(mm_sheet_mode(r.hostwide, "msmtp", MM_SET_OUT_HOST), MM_MODE_ENFORCE);
	r.minor = 0; /* written with the lowest minor version that has it */
	mm_request_encode(&r, &again);
	same_meaning(json, n, &again);
}

static void system_user(void **state)
{
	struct box *b = *state;
	size_t n;
	const char *json = sample(b, "v1.1/sheet-bob.json", &n);
	struct mm_sheet s;
	struct mm_buf again = NEW_BUF;
	assert_int_equal(mm_sheet_decode(json, n, b->a, &s, &b->err), 0);
	assert_int_equal(mm_sheet_rule(&s, "msmtp")->scope, MM_REACH_SYSTEM);
	assert_int_equal(mm_sheet_rule(&s, "thunderbird")->scope, MM_REACH_USER);
	assert_null(mm_sheet_rule(&s, "mutt"));
	/* the row is for those who do not know the scope */
	assert_int_equal(s.accounts[0].n_unknown, 0);
	mm_sheet_encode(&s, &again);
	same_meaning(json, n, &again);
}

static void system_finding(void **state)
{
	struct box *b = *state;
	size_t n;
	const char *json = sample(b, "v1.1/finding.json", &n);
	struct mm_finding f;
	assert_int_equal(mm_finding_decode(json, n, b->a, &f, &b->err), 0);
	assert_string_equal(f.user, MM_SYSTEM_USER);
	assert_string_equal(f.path, "/etc/msmtprc");
}

/* A reader of settings takes it for a setting that it does not know; it counts for nothing. */
static void facts(void **state)
{
	struct box *b = *state;
	size_t n;
	struct mm_finding f;
	struct mm_buf again = NEW_BUF;
	const char *json = sample(b, "v1.2/fact.json", &n);
	assert_int_equal(mm_finding_decode(json, n, b->a, &f, &b->err), 0);
	assert_int_equal(mm_fact_by_id(f.setting), MM_FACT_CERT_CHECK);
	assert_string_equal(f.found, MM_FOUND_NO);
	assert_int_equal(mm_setting_by_id(f.setting), MM_SET_NONE);
	assert_int_equal(mm_verdict(f.state, f.action).exit_bit, MM_EX_OK);
	assert_int_equal(mm_finding_verdict(&f).audit, MM_AUDIT_NOT_APPLICABLE);
	mm_finding_encode(&f, &again);
	same_meaning(json, n, &again);
	json = sample(b, "v1.2/fact-unknown.json", &n);
	assert_int_equal(mm_finding_decode(json, n, b->a, &f, &b->err), 0);
	assert_int_equal(mm_fact_by_id(f.setting), MM_FACT_PASSWORD);
	assert_null(f.found);
	assert_int_equal(mm_finding_verdict(&f).exit_bit, MM_EX_OK);
}

static void system_report(void **state)
{
	struct box *b = *state;
	size_t n;
	struct mm_report_head h;
	struct mm_buf again = NEW_BUF;
	const char *json = sample(b, "v1.1/report.json", &n);
	assert_int_equal(mm_report_head_decode(json, n, b->a, &h, &b->err), 0);
	assert_string_equal(h.machine->os, "Debian GNU/Linux 12 (bookworm)");
	assert_int_equal(h.machine->n_clients, 3);
	assert_string_equal(h.machine->clients[1].client, "mutt");
	assert_string_equal(h.machine->clients[1].version, "2.2.9-1+b1");
	assert_string_equal(h.machine->clients[2].version, "");
	mm_report_head_encode(&h, &again);
	same_meaning(json, n, &again);
}

/* ---- what a later version may send */

static void newer_minor(void **state)
{
	struct box *b = *state;
	size_t n;
	const char *json = sample(b, "newer/request-minor.json", &n);
	check_request(b, json, n);
	struct mm_sheet s;
	json = sample(b, "newer/sheet-minor.json", &n);
	assert_int_equal(mm_sheet_decode(json, n, b->a, &s, &b->err), 0);
	const struct mm_account *a = &s.accounts[0];
	assert_int_equal(a->n_unknown, 2);
	assert_string_equal(a->unknown[0].id, "incoming.auth");
	assert_string_equal(a->unknown[0].value, "passkey");
	assert_string_equal(a->unknown[1].id, "account.signature");
	assert_null(a->want.v[MM_SET_IN_AUTH]);
	assert_string_equal(a->want.v[MM_SET_IN_HOST], "imap.acme.example");
	assert_int_equal(mm_sheet_mode(&s, "thunderbird", MM_SET_IN_PORT), MM_MODE_AUDIT);
	assert_int_equal(mm_sheet_mode(&s, "thunderbird", MM_SET_IN_HOST), MM_MODE_ENFORCE);
}

static void newer_major(void **state)
{
	struct box *b = *state;
	size_t n;
	struct mm_request r;
	const char *json = sample(b, "newer/request-major.json", &n);
	assert_int_equal(mm_request_decode(json, n, b->a, &r, &b->err), -1);
	assert_int_equal(b->err.code, MM_EX_NOPERM);
	assert_non_null(strstr(b->err.text, "protocol 2.0"));
	assert_non_null(strstr(b->err.text, "1.0 to 1.3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request),
	    cmocka_unit_test(envelope),
	    cmocka_unit_test(envelope_again),
	    cmocka_unit_test(sheet_of_alice),
	    cmocka_unit_test(sheet_of_bob),
	    cmocka_unit_test(request_stream),
	    cmocka_unit_test(answer_stream),
	    cmocka_unit_test(refused_stream),
	    cmocka_unit_test(probe_tasks),
	    cmocka_unit_test(probe_answers),
	    cmocka_unit_test(system_request),
	    cmocka_unit_test(system_user),
	    cmocka_unit_test(system_finding),
	    cmocka_unit_test(facts),
	    cmocka_unit_test(system_report),
	    cmocka_unit_test(newer_minor),
	    cmocka_unit_test(newer_major),
	};
	return cmocka_run_group_tests(tests, box_setup, box_teardown);
}
