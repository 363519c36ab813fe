/* The ladder, remarks and facts of a login, as they travel. */
#include "common/json.h"
#include "common/mem.h"
#include "schemas/report.h"
#include "schemas/wire.h"
#include "tests/lib/testutil.h"

#define LEN(x) (sizeof(x) / sizeof(*(x)))

static const struct mm_step steps[] = {
    {MM_RUNG_SETTINGS, MM_STEP_HELD, 0, "IMAP, port 993, TLS"},
    {MM_RUNG_TLS, MM_STEP_FAILED, 12, ""},
    {MM_RUNG_LOGIN, MM_STEP_UNTESTED, -1, ""},
};
static const struct mm_note notes[] = {
    {"CERT_EXPIRES_SOON", "", "Renew it."}, {"OVERQUOTA", "Full.", "90 %"}};
static const struct mm_address_facts addresses[] = {
    {"192.0.2.1", 3, ""}, {"2001:db8::1", -1, "Network is unreachable"}};
static const struct mm_cert_link chain[] = {{"CN=a", "CN=b", "RSA 2048", "sha256WithRSAEncryption", 20},
    {"CN=b", "CN=b", "EC prime256v1", "ecdsa-with-SHA256", 30}};

static struct mm_login full(void)
{
	return (struct mm_login){.user = "alice",
	    .account = "work",
	    .side = "incoming",
	    .protocol = "imap",
	    .host = "h",
	    .security = "tls",
	    .auth = "password",
	    .username = "alice",
	    .port = 993,
	    .level = MM_LEVEL_LOGIN,
	    .result = MM_LOGIN_FAILED,
	    .cls = "CERT_EXPIRED",
	    .text = "t",
	    .admin = "a",
	    .tls = {.subject = "CN=a",
		.key = "RSA 2048",
		.signature = "sha256WithRSAEncryption",
		.fingerprint = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		.pin = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		.offered = "TLSv1.2 TLSv1.3",
		.ocsp = "good",
		.name_match = MM_NO,
		.resumed = true,
		.chain = chain,
		.n_chain = LEN(chain)},
	    .timing = {-1, -1, -1, -1, -1},
	    .ladder = {.steps = steps,
		.n_steps = LEN(steps),
		.notes = notes,
		.n_notes = LEN(notes),
		.fix = "Renew it.",
		.endpoint = {.addresses = addresses,
		    .n_addresses = LEN(addresses),
		    .greeting = "* OK ready",
		    .capabilities = "IMAP4rev1 AUTH=PLAIN",
		    .mechanisms = "PLAIN",
		    .mechanism = "PLAIN",
		    .size = 1000,
		    .cleartext_login = MM_YES},
		.mailbox = {true, true, 7, 10, 20},
		.trip = {"junk", "Junk", 1500}}};
}

static struct mm_login through_json(const struct mm_login *l, struct mm_arena *mem)
{
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	struct mm_login out;
	struct mm_err err = MM_ERR_NONE;
	mm_login_encode(l, &b);
	assert_true(mm_buf_ok(&b));
	if (mm_login_decode(mm_buf_str(&b), b.len, mem, &out, &err) != 0)
		fail_msg("%s", err.text);
	mm_buf_free(&b);
	return out;
}

static void test_round_trip(void **state)
{
	(void)state;
	struct mm_arena *mem = mm_arena_new();
	struct mm_login in = full(), out = through_json(&in, mem);
	const struct mm_ladder *l = &out.ladder;
	assert_int_equal(l->n_steps, LEN(steps));
	for (size_t i = 0; i < LEN(steps); i++) {
		assert_int_equal(l->steps[i].rung, steps[i].rung);
		assert_int_equal(l->steps[i].state, steps[i].state);
		assert_int_equal(l->steps[i].ms, steps[i].ms);
		assert_string_equal(l->steps[i].text, steps[i].text);
	}
	assert_int_equal(l->n_notes, LEN(notes));
	assert_string_equal(l->notes[1].cls, "OVERQUOTA");
	assert_string_equal(l->notes[1].text, "Full.");
	assert_string_equal(l->notes[1].admin, "90 %");
	assert_string_equal(l->fix, "Renew it.");
	assert_int_equal(l->endpoint.n_addresses, 2);
	assert_string_equal(l->endpoint.addresses[1].ip, "2001:db8::1");
	assert_int_equal(l->endpoint.addresses[1].ms, -1);
	assert_string_equal(l->endpoint.addresses[1].error, "Network is unreachable");
	assert_string_equal(l->endpoint.greeting, "* OK ready");
	assert_string_equal(l->endpoint.capabilities, "IMAP4rev1 AUTH=PLAIN");
	assert_string_equal(l->endpoint.mechanisms, "PLAIN");
	assert_string_equal(l->endpoint.mechanism, "PLAIN");
	assert_int_equal(l->endpoint.size, 1000);
	assert_int_equal(l->endpoint.cleartext_login, MM_YES);
	assert_int_equal(l->mailbox.quota_limit, 20);
	assert_string_equal(l->trip.state, "junk");
	assert_int_equal(l->trip.delay_ms, 1500);
	assert_string_equal(out.tls.fingerprint, full().tls.fingerprint);
	assert_string_equal(out.tls.pin, full().tls.pin);
	assert_string_equal(out.tls.offered, "TLSv1.2 TLSv1.3");
	assert_string_equal(out.tls.ocsp, "good");
	assert_int_equal(out.tls.name_match, MM_NO);
	assert_true(out.tls.resumed);
	assert_int_equal(out.tls.n_chain, 2);
	assert_string_equal(out.tls.chain[1].key, "EC prime256v1");
	assert_int_equal(out.tls.chain[1].not_after, 30);
	mm_arena_free(mem);
}

/* "Not said" is neither 0 nor "". */
static void test_nothing_known(void **state)
{
	(void)state;
	struct mm_arena *mem = mm_arena_new();
	struct mm_login in = full();
	in.tls = (struct mm_tls_facts){.version = NULL};
	in.ladder = (struct mm_ladder){.fix = ""};
	struct mm_login out = through_json(&in, mem);
	assert_int_equal(out.ladder.n_steps + out.ladder.n_notes + out.ladder.endpoint.n_addresses, 0);
	assert_string_equal(out.ladder.fix, "");
	assert_null(out.ladder.endpoint.greeting);
	assert_null(out.ladder.endpoint.mechanisms);
	assert_int_equal(out.ladder.endpoint.cleartext_login, MM_UNKNOWN);
	assert_false(out.ladder.mailbox.has_messages);
	assert_false(out.ladder.mailbox.has_quota);
	assert_null(out.ladder.trip.state);
	assert_null(out.tls.offered);
	assert_null(out.tls.ocsp);
	assert_int_equal(out.tls.name_match, MM_UNKNOWN);
	assert_false(out.tls.resumed);
	mm_arena_free(mem);
}

/* What is too much is not written... */
static void test_limits_when_writing(void **state)
{
	(void)state;
	struct mm_arena *mem = mm_arena_new();
	struct mm_step many[MM_STEPS_MAX + 3];
	struct mm_note more[MM_NOTES_MAX + 3];
	struct mm_address_facts all[MM_ADDRESS_FACTS_MAX + 3];
	struct mm_cert_link links[MM_CHAIN_FACTS_MAX + 3];
	for (size_t i = 0; i < LEN(many); i++)
		many[i] = steps[0];
	for (size_t i = 0; i < LEN(more); i++)
		more[i] = notes[0];
	for (size_t i = 0; i < LEN(all); i++)
		all[i] = addresses[0];
	for (size_t i = 0; i < LEN(links); i++)
		links[i] = chain[0];
	struct mm_login in = full();
	in.ladder.steps = many;
	in.ladder.n_steps = LEN(many);
	in.ladder.notes = more;
	in.ladder.n_notes = LEN(more);
	in.ladder.endpoint.addresses = all;
	in.ladder.endpoint.n_addresses = LEN(all);
	in.tls.chain = links;
	in.tls.n_chain = LEN(links);
	in.ladder.endpoint.greeting = "a\r\nb\x1b[31m";
	in.ladder.endpoint.capabilities = mm_arena_printf(mem, "%05000d", 0);
	struct mm_login out = through_json(&in, mem);
	assert_int_equal(out.ladder.n_steps, MM_STEPS_MAX);
	assert_int_equal(out.ladder.n_notes, MM_NOTES_MAX);
	assert_int_equal(out.ladder.endpoint.n_addresses, MM_ADDRESS_FACTS_MAX);
	assert_int_equal(out.tls.n_chain, MM_CHAIN_FACTS_MAX);
	assert_string_equal(out.ladder.endpoint.greeting, "a\?\?b?[31m");
	assert_int_equal(strlen(out.ladder.endpoint.capabilities), 4096);
	mm_arena_free(mem);
}

static int read_ladder(const char *json, struct mm_arena *mem, struct mm_err *err)
{
	struct mm_ladder l;
	json_t *o = mm_json_load("test", json, strlen(json), err);
	assert_non_null(o);
	int rc = mm_ladder_get(o, mem, &l, err);
	json_decref(o);
	return rc;
}

static int read_tls(const char *json, struct mm_arena *mem, struct mm_err *err)
{
	struct mm_tls_facts t = {.version = NULL};
	json_t *o = mm_json_load("test", json, strlen(json), err);
	assert_non_null(o);
	int rc = mm_ladder_get_tls(o, mem, &t, err);
	json_decref(o);
	return rc;
}

static char *list_of(struct mm_arena *mem, const char *key, const char *element, size_t n)
{
	char *all = mm_arena_printf(mem, "{\"%s\":[%s", key, element);
	for (size_t i = 1; i < n; i++)
		all = mm_arena_printf(mem, "%s,%s", all, element);
	return mm_arena_printf(mem, "%s]}", all);
}

/* ... and refused when it comes. */
static void test_limits_when_reading(void **state)
{
	(void)state;
	struct mm_arena *mem = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	static const char step[] = "{\"rung\":\"dns\",\"state\":\"held\",\"ms\":1,\"text\":\"\"}";
	static const char note[] = "{\"class\":\"OVERQUOTA\",\"text\":\"\",\"admin\":\"\"}";
	assert_int_equal(read_ladder(list_of(mem, "steps", step, MM_STEPS_MAX), mem, &err), 0);
	assert_int_equal(read_ladder(list_of(mem, "steps", step, MM_STEPS_MAX + 1), mem, &err), -1);
	assert_int_equal(err.code, MM_EX_DATAERR);
	assert_int_equal(read_ladder(list_of(mem, "notes", note, MM_NOTES_MAX), mem, &err), 0);
	assert_int_equal(read_ladder(list_of(mem, "notes", note, MM_NOTES_MAX + 1), mem, &err), -1);
	assert_int_equal(read_tls(list_of(mem, "chain", "{}", MM_CHAIN_FACTS_MAX), mem, &err), 0);
	assert_int_equal(read_tls(list_of(mem, "chain", "{}", MM_CHAIN_FACTS_MAX + 1), mem, &err), -1);
	mm_arena_free(mem);
}

static void test_refused(void **state)
{
	(void)state;
	struct mm_arena *mem = mm_arena_new();
	static const char *const ladders[] = {
	    "{\"steps\":[{\"rung\":\"cellar\",\"state\":\"held\"}]}",
	    "{\"steps\":[{\"rung\":\"dns\",\"state\":\"perhaps\"}]}",
	    "{\"steps\":[{\"rung\":\"dns\",\"state\":\"held\",\"ms\":-2}]}",
	    "{\"steps\":[{\"rung\":\"dns\",\"state\":\"held\",\"text\":\"a\\u001b\"}]}",
	    "{\"steps\":[1]}",
	    "{\"steps\":{}}",
	    "{\"notes\":[{\"text\":\"no class\"}]}",
	    "{\"fix\":7}",
	    "{\"endpoint\":{\"addresses\":[{\"ms\":1}]}}",
	    "{\"endpoint\":{\"size\":-1}}",
	    "{\"endpoint\":{\"cleartext_login\":\"yes\"}}",
	    "{\"mailbox\":{\"messages\":-1}}",
	    "{\"roundtrip\":{\"state\":\"lost\"}}",
	};
	for (size_t i = 0; i < LEN(ladders); i++) {
		struct mm_err err = MM_ERR_NONE;
		if (read_ladder(ladders[i], mem, &err) == 0)
			fail_msg("accepted %s", ladders[i]);
		assert_int_equal(err.code, MM_EX_DATAERR);
	}
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(read_tls("{\"ocsp\":\"maybe\"}", mem, &err), -1);
	assert_int_equal(read_tls("{\"name_match\":1}", mem, &err), -1);
	assert_int_equal(read_tls("{\"resumed\":1}", mem, &err), -1);
	mm_arena_free(mem);
}

static void test_words(void **state)
{
	(void)state;
	for (int i = 0; i < MM_RUNG_COUNT; i++)
		assert_int_equal(mm_rung_by_name(mm_rung_name((enum mm_rung)i)), i);
	for (int i = 0; i < MM_STEP_COUNT; i++)
		assert_int_equal(mm_step_state_by_name(mm_step_state_name((enum mm_step_state)i)), i);
	assert_int_equal(mm_rung_by_name("cellar"), -1);
	assert_int_equal(mm_step_state_by_name(""), -1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {MM_TEST(test_round_trip), MM_TEST(test_nothing_known),
	    MM_TEST(test_limits_when_writing), MM_TEST(test_limits_when_reading), MM_TEST(test_refused),
	    MM_TEST(test_words)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
