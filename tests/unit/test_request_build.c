/* From the store to the bytes that a host is sent, and back again. */
#include "store_fixture.h"

#include "common/frame.h"
#include "common/text.h"
#include "controller/request_build.h"
#include "controller/store/store_keys.h"
#include "schemas/proto.h"
#include "schemas/sheet.h"

static const char policy[] =
    "format = 1;\n"
    "organisation = { name = \"Acme\"; domain = \"acme.example\"; };\n"
    "endpoints = {\n"
    "  in = { protocol = \"imap\"; host = \"imap.acme.example\"; port = 993; security = \"tls\"; auth = "
    "\"password\";\n"
    "         username = \"%{address}\"; tls_min = \"1.2\"; };\n"
    "  out = { protocol = \"smtp\"; host = \"smtp.acme.example\"; port = 465; security = \"tls\"; auth = "
    "\"password\";\n"
    "          username = \"%{login}\"; };\n"
    "};\n"
    "accounts = { work = { label = \"Acme\"; address = \"%{address}\"; real_name = \"%{name}\";\n"
    "                      incoming = \"in\"; outgoing = \"out\"; }; };\n"
    "groups = { staff = { priority = 10; accounts = [ \"work\" ]; clients = { mutt = \"enforce\"; }; };\n"
    "           rooms = { priority = 20; override = { work = { account = { organisation = \"%{attr.room}\"; "
    "}; }; }; }; };\n"
    "hosts = ( { host = \"kiosk\"; override = { work = { incoming = { port = 1993; }; }; }; } );\n"
    "rules = { allow_cleartext = false; tls_min = \"1.2\"; check = \"login\"; approvals = 0; };\n";

struct job {
	struct fixture *f;
	struct mm_key *key;
	struct mm_request_builder *b;
	struct mm_buf out;
	struct mm_request_made made;
	/* as the agent would see it */
	struct mm_request r;
	struct mm_sheet sheets[8];
	size_t n_sheets;
};

static int setup(void **state)
{
	struct job *j = mm_xcalloc(1, sizeof(*j));
	struct mm_buf pem = MM_BUF_INIT(4096);
	void *fixture = NULL;
	int64_t epoch = 0;

	store_setup(&fixture);
	j->f = fixture;
	j->out = MM_BUF_INIT(MM_STREAM_MAX);
	ok(j->f, mm_key_generate(&j->key, &j->f->err));
	ok(j->f, mm_key_public_pem(j->key, &pem, &j->f->err));
	ok(j->f, mm_store_key_add(j->f->s, mm_key_id(j->key), mm_buf_str(&pem), &epoch, &j->f->err));
	mm_buf_free(&pem);
	add_user(j->f, "alice", "alice@acme.example", "staff");
	add_user(j->f, "bob", "bob@acme.example", "staff");
	add_user(j->f, "guest", "guest@acme.example", NULL);
	add_host(j->f, "ws1", "alice");
	add_host(j->f, "ws2", NULL);
	add_host(j->f, "kiosk", "alice");
	add_revision(j->f, policy, 5, 0);
	*state = j;
	return 0;
}

static int teardown(void **state)
{
	struct job *j = *state;
	void *fixture = j->f;

	mm_request_builder_free(j->b);
	mm_key_free(j->key);
	mm_buf_free(&j->out);
	free(j);
	return store_teardown(&fixture);
}

static void builder(struct job *j, bool read_only)
{
	mm_request_builder_free(j->b);
	j->b = NULL;
	ok(j->f, mm_request_builder_new(j->f->s, j->key, 0, read_only, &j->b, &j->f->err));
}

static void read_envelope(struct job *j, const struct mm_frame *fr)
{
	struct mm_envelope_raw raw = {.type = MM_BUF_INIT(256), .payload = MM_BUF_INIT(MM_FRAME_MAX)};
	struct mm_key *const trusted[] = {j->key};
	char keyid[MM_SHA256_HEX];

	ok(j->f, mm_envelope_decode(fr->body, fr->len, &raw, &j->f->err));
	ok(j->f, mm_envelope_verify(&raw, MM_REQUEST_TYPE, trusted, 1, keyid, &j->f->err));
	ok(j->f, mm_request_decode(raw.payload.data, raw.payload.len, j->f->a, &j->r, &j->f->err));
	mm_envelope_raw_free(&raw);
}

/* Every sheet must be the one that the manifest names in the same place. */
static void read_sheet(struct job *j, const struct mm_frame *fr)
{
	char sha256[MM_SHA256_HEX];

	mm_sha256_hex(fr->body, fr->len, sha256);
	assert_true(j->n_sheets < j->r.n_manifest);
	assert_string_equal(j->r.manifest[j->n_sheets].sha256, sha256);
	if (j->n_sheets < 8) {
		ok(j->f, mm_sheet_decode(fr->body, fr->len, j->f->a, &j->sheets[j->n_sheets], &j->f->err));
		assert_string_equal(j->sheets[j->n_sheets].user, j->r.manifest[j->n_sheets].user);
	}
	j->n_sheets++;
}

static void read_back(struct job *j)
{
	struct mm_frame_decoder d;
	struct mm_frame fr = {0};

	mm_frame_decoder_init(&d, true);
	ok(j->f, mm_frame_feed(&d, j->out.data, j->out.len, &j->f->err));
	assert_int_equal(mm_frame_next(&d, &fr, &j->f->err), 1);
	assert_int_equal(fr.type, MM_FT_ENVELOPE);
	read_envelope(j, &fr);
	j->n_sheets = 0;
	while (mm_frame_next(&d, &fr, &j->f->err) == 1 && fr.type == MM_FT_SHEET)
		read_sheet(j, &fr);
	assert_int_equal(fr.type, MM_FT_REQUEST_END);
	assert_int_equal(fr.len, 0);
	assert_true(mm_frame_at_boundary(&d));
	assert_int_equal(j->n_sheets, j->r.n_manifest);
	mm_frame_decoder_free(&d);
}

static void prepare(struct job *j, const char *host, enum mm_op op)
{
	mm_buf_reset(&j->out);
	ok(j->f, mm_request_prepare(j->b, host, op, 0, &j->out, &j->made, &j->f->err));
	read_back(j);
}

static void test_one_host(void **state)
{
	struct job *j = *state;

	builder(j, false);
	assert_int_equal(mm_request_builder_revision(j->b), 1);
	prepare(j, "ws1", MM_OP_APPLY);
	assert_int_equal(j->r.op, MM_OP_APPLY);
	assert_string_equal(j->r.host, "ws1");
	assert_string_equal(j->r.id, j->made.id);
	assert_int_equal(j->r.epoch, 1);
	assert_int_equal(j->r.serial, T0);
	assert_int_equal(j->r.revision, 1);
	assert_int_equal(j->r.issued, T0);
	assert_int_equal(j->r.expires, T0 + INT64_C(86400) * MM_REQUEST_DAYS);
	assert_int_equal(j->r.n_ack, 0);
	assert_int_equal(j->n_sheets, 1);
	assert_int_equal(j->made.n_users, 1);
	assert_string_equal(j->sheets[0].user, "alice");
	assert_string_equal(j->sheets[0].accounts[0].want.v[MM_SET_IN_HOST], "imap.acme.example");
	assert_string_equal(j->sheets[0].accounts[0].want.v[MM_SET_IN_USERNAME], "alice@acme.example");
	prepare(j, "ws1", MM_OP_PLAN);
	assert_int_equal(j->r.op, MM_OP_PLAN);
	assert_int_equal(j->r.serial, T0 + 1);
}

static void test_everybody_with_accounts(void **state)
{
	struct job *j = *state;

	builder(j, false);
	for (int round = 0; round < 2; round++) { /* the second comes from the cache */
		prepare(j, "ws2", MM_OP_APPLY);
		assert_int_equal(j->n_sheets, 2);
		assert_string_equal(j->sheets[0].user, "alice");
		assert_string_equal(j->sheets[1].user, "bob");
	}
}

static void test_host_layer_is_not_cached(void **state)
{
	struct job *j = *state;

	builder(j, false);
	prepare(j, "ws1", MM_OP_APPLY);
	assert_string_equal(j->sheets[0].accounts[0].want.v[MM_SET_IN_PORT], "993");
	prepare(j, "kiosk", MM_OP_APPLY);
	assert_string_equal(j->sheets[0].accounts[0].want.v[MM_SET_IN_PORT], "1993");
	prepare(j, "ws2", MM_OP_APPLY);
	assert_string_equal(j->sheets[0].accounts[0].want.v[MM_SET_IN_PORT], "993");
}

static const struct mm_client_rule *client_rule(const struct mm_sheet *s)
{
	const struct mm_client_rule *r = mm_sheet_rule(s, "mutt");

	assert_non_null(r);
	return r;
}

/* The same policy with mutt set up for everybody, as revision 2. */
static void system_wide(struct job *j, const char *clients)
{
	const char *was = "clients = { mutt = \"enforce\"; };", *at = strstr(policy, was);

	add_revision(j->f,
	    mm_arena_printf(j->f->a, "%.*sclients = { mutt = { %s }; };%s", (int)(at - policy), policy,
		clients, at + strlen(was)),
	    5, 0);
	builder(j, false);
}

static void test_hostwide(void **state)
{
	struct job *j = *state;

	builder(j, false);
	prepare(j, "ws1", MM_OP_APPLY);
	assert_null(j->r.hostwide);
	assert_int_equal(j->r.minor, 0);

	system_wide(
	    j, "mode = \"enforce\"; scope = \"system\"; settings = { outgoing = { port = \"audit\"; }; };");
	prepare(j, "ws2", MM_OP_APPLY); /* everybody */
	assert_non_null(j->r.hostwide);
	assert_int_equal(j->r.minor, 1);
	assert_int_equal(j->r.hostwide->revision, 2);
	assert_int_equal(j->r.hostwide->n_accounts, 1);
	const struct mm_account *acc = &j->r.hostwide->accounts[0];
	assert_string_equal(acc->want.v[MM_SET_ADDRESS], MM_SYSTEM_LOGIN "@acme.example");
	assert_string_equal(acc->want.v[MM_SET_OUT_USERNAME], MM_SYSTEM_LOGIN);
	assert_string_equal(acc->want.v[MM_SET_IN_HOST], "imap.acme.example");
	assert_false(acc->differs[MM_SET_ADDRESS]);
	assert_int_equal(client_rule(j->r.hostwide)->mode, MM_MODE_ENFORCE);
	assert_int_equal(client_rule(j->r.hostwide)->scope, MM_REACH_SYSTEM);
	assert_int_equal(mm_sheet_mode(j->r.hostwide, "mutt", MM_SET_OUT_PORT), MM_MODE_AUDIT);
	/* in the user's own files it is looked at only */
	assert_int_equal(client_rule(&j->sheets[0])->mode, MM_MODE_AUDIT);
	assert_int_equal(client_rule(&j->sheets[0])->scope, MM_REACH_SYSTEM);
	assert_string_equal(j->sheets[0].accounts[0].want.v[MM_SET_ADDRESS], "alice@acme.example");

	prepare(j, "kiosk", MM_OP_PLAN); /* with a layer of its own */
	assert_string_equal(j->r.hostwide->accounts[0].want.v[MM_SET_IN_PORT], "1993");
	const struct mm_held_ask ask = {.op = MM_OP_STATUS};
	mm_buf_reset(&j->out);
	ok(j->f, mm_request_prepare_held(j->b, "ws1", &ask, &j->out, &j->made, &j->f->err));
	read_back(j);
	assert_null(j->r.hostwide);
}

/* An address that is not the login's, and a name, are nobody else's. */
static void test_hostwide_differs(void **state)
{
	struct job *j = *state;

	add_user(j->f, "carol", "c.jones@acme.example", "staff");
	system_wide(j, "mode = \"enforce\"; scope = \"system\";");
	prepare(j, "ws2", MM_OP_APPLY);
	const struct mm_account *acc = &j->r.hostwide->accounts[0];
	assert_true(acc->differs[MM_SET_ADDRESS]);
	assert_null(acc->want.v[MM_SET_ADDRESS]);
	assert_true(acc->differs[MM_SET_IN_USERNAME]);
	assert_false(acc->differs[MM_SET_OUT_USERNAME]);
	assert_string_equal(acc->want.v[MM_SET_OUT_USERNAME], MM_SYSTEM_LOGIN);
}

static void test_acks(void **state)
{
	struct job *j = *state;
	struct mm_report_head head = {
	    .id = "0123456789abcdef0123456789abcdef", .host = "ws1", .op = "apply", .agent = "0"};
	struct mm_report_in in = {.head = &head, .direct = true};
	bool fresh = false;

	ok(j->f, mm_store_report(j->f->s, &in, &fresh, &j->f->err));
	builder(j, false);
	prepare(j, "ws1", MM_OP_APPLY);
	assert_int_equal(j->r.n_ack, 1);
	assert_string_equal(j->r.ack[0], head.id);
	assert_int_equal(j->made.n_acks, 1);
	prepare(j, "ws2", MM_OP_APPLY);
	assert_int_equal(j->r.n_ack, 0);
}

static int ask(struct job *j, const char *host, struct mm_held_ask what)
{
	return mm_request_prepare_held(j->b, host, &what, &j->out, &j->made, &j->f->err);
}

/* About what the host holds: no sheet, whatever the policy has become. */
static void test_about_what_is_held(void **state)
{
	struct job *j = *state;
	struct mm_report_head head = {
	    .id = "0123456789abcdef0123456789abcdef", .host = "ws1", .op = "login", .agent = "0"};
	struct mm_report_in in = {.head = &head};
	bool fresh = false;

	ok(j->f, mm_store_report(j->f->s, &in, &fresh, &j->f->err));
	builder(j, true);
	ok(j->f, ask(j, "ws1", (struct mm_held_ask){.op = MM_OP_STATUS}));
	read_back(j);
	assert_int_equal(j->r.op, MM_OP_STATUS);
	assert_int_equal(j->n_sheets, 0);
	assert_int_equal(j->r.n_ack, 1);
	assert_string_equal(j->r.ack[0], head.id);
	assert_int_equal(ask(j, "nowhere", (struct mm_held_ask){.op = MM_OP_STATUS}), -1);
	assert_int_equal(ask(j, "ws1", (struct mm_held_ask){.op = MM_OP_APPLY}), -1);
}

static void verify(struct job *j, const char *host, const char *const *users, size_t n)
{
	mm_buf_reset(&j->out);
	ok(j->f, ask(j, host, (struct mm_held_ask){.op = MM_OP_VERIFY, .users = users, .n_users = n}));
	read_back(j);
	assert_int_equal(j->r.op, MM_OP_VERIFY);
	assert_int_equal(j->n_sheets, 0);
	assert_int_equal(j->r.n_manifest, 0);
}

/* Only those whom the host has; too many are everybody; nobody is nobody. */
static void test_verify_names_its_users(void **state)
{
	struct job *j = *state;
	static const char *const two[] = {"alice", "zoe"}, *const zoe[] = {"zoe"};
	const char *many[MM_REQUEST_USERS + 1];
	char names[MM_REQUEST_USERS + 1][8];

	for (size_t i = 0; i <= MM_REQUEST_USERS; i++) {
		snprintf(names[i], sizeof(names[i]), "u%zu", i);
		many[i] = names[i];
	}
	builder(j, true);
	add_host(j->f, "ws7", "alice");
	add_host(j->f, "ws8", NULL);
	verify(j, "ws7", NULL, 0);
	assert_int_equal(j->r.n_op_args, 0);
	verify(j, "ws7", two, 2);
	assert_int_equal(j->r.n_op_args, 1);
	assert_string_equal(j->r.op_args[0], "alice");
	mm_buf_reset(&j->out);
	ok(j->f, ask(j, "ws7",
		     (struct mm_held_ask){.op = MM_OP_VERIFY, .users = two, .n_users = 2, .again = true}));
	read_back(j);
	assert_int_equal(j->r.n_op_args, 2);
	assert_string_equal(j->r.op_args[1], MM_VERIFY_AGAIN);
	verify(j, "ws8", two, 2);
	assert_int_equal(j->r.n_op_args, 2);
	verify(j, "ws8", many, MM_REQUEST_USERS);
	assert_int_equal(j->r.n_op_args, MM_REQUEST_USERS);
	verify(j, "ws8", many, MM_REQUEST_USERS + 1);
	assert_int_equal(j->r.n_op_args, 0);
	assert_int_equal(
	    ask(j, "ws7", (struct mm_held_ask){.op = MM_OP_VERIFY, .users = zoe, .n_users = 1}), -1);
	assert_non_null(strstr(j->f->err.text, "none of these users"));
}

static void expect_refusal(struct job *j, const char *host, enum mm_op op, int code, const char *words)
{
	size_t before;

	mm_buf_adds(&j->out, "before");
	before = j->out.len;
	assert_int_equal(mm_request_prepare(j->b, host, op, 0, &j->out, &j->made, &j->f->err), -1);
	assert_int_equal(j->f->err.code, code);
	if (!strstr(j->f->err.text, words))
		fail_msg("\"%s\" lacks \"%s\"", j->f->err.text, words);
	assert_int_equal(j->out.len, before);
}

static void test_refusals(void **state)
{
	struct job *j = *state;

	builder(j, true);
	expect_refusal(j, "ws1", MM_OP_APPLY, MM_EX_NOPERM, "read-only");
	expect_refusal(j, "ws1", MM_OP_PREFLIGHT, MM_EX_NOPERM, "read-only");
	expect_refusal(j, "ws1", MM_OP_RESTORE, MM_EX_USAGE, "no sheets");
	expect_refusal(j, "nowhere", MM_OP_PLAN, MM_EX_FAILED, "inventory");
	add_host(j->f, "ws3", "carol");
	expect_refusal(j, "ws3", MM_OP_PLAN, MM_EX_DATAERR, "carol");
	assert_int_equal(mm_request_prepare(j->b, "ws1", MM_OP_PLAN, 367, &j->out, &j->made, &j->f->err), -1);
	assert_int_equal(j->f->err.code, MM_EX_USAGE);
	prepare(j, "ws1", MM_OP_PLAN);
}

static void test_user_whom_the_policy_cannot_serve(void **state)
{
	struct job *j = *state;
	enum mm_put done;

	ok(j->f, mm_store_member_put(j->f->s, "rooms", "alice", &done, &j->f->err));
	builder(j, false);
	expect_refusal(j, "ws1", MM_OP_APPLY, MM_EX_DATAERR, "room");
}

static void test_needs_approval(void **state)
{
	struct job *j = *state;

	add_revision(j->f, mm_arena_printf(j->f->a, "%s\n", policy), 5, 1);
	assert_int_equal(mm_request_builder_new(j->f->s, j->key, 0, false, &j->b, &j->f->err), -1);
	assert_int_equal(j->f->err.code, MM_EX_NOPERM);
	builder(j, true); /* looking at it is allowed */
	prepare(j, "ws1", MM_OP_PLAN);
	ok(j->f, mm_store_revision_approve(j->f->s, 2, "bob", 6, &j->f->err));
	builder(j, false);
	prepare(j, "ws1", MM_OP_APPLY);
	assert_int_equal(j->r.revision, 2);
}

static void test_wrong_key(void **state)
{
	struct job *j = *state;
	struct mm_key *other = NULL;

	ok(j->f, mm_key_generate(&other, &j->f->err));
	assert_int_equal(mm_request_builder_new(j->f->s, other, 0, false, &j->b, &j->f->err), -1);
	assert_int_equal(j->f->err.code, MM_EX_NOPERM);
	assert_null(j->b);
	assert_int_equal(mm_request_builder_new(j->f->s, j->key, 9, false, &j->b, &j->f->err), -1);
	assert_int_equal(j->f->err.code, MM_EX_FAILED);
	mm_key_free(other);
}

/* What did not fit was not sent, and its serial was not used. */
static void test_too_big(void **state)
{
	struct job *j = *state;

	builder(j, false);
	j->out.max = 1000;
	expect_refusal(j, "ws2", MM_OP_APPLY, MM_EX_DATAERR, "exceed");
	j->out.max = MM_STREAM_MAX;
	mm_buf_reset(&j->out);
	prepare(j, "ws2", MM_OP_APPLY);
	assert_int_equal(j->r.serial, T0);
}

static void test_too_many_users(void **state)
{
	struct job *j = *state;
	char login[32];

	ok(j->f, mm_store_begin(j->f->s, &j->f->err));
	for (int i = 0; i < MM_MANIFEST_MAX - 2; i++) {
		snprintf(login, sizeof(login), "u%d", i);
		add_user(j->f, login, "u@acme.example", "staff");
	}
	ok(j->f, mm_store_commit(j->f->s, &j->f->err));
	builder(j, false);
	prepare(j, "ws2", MM_OP_APPLY);
	assert_int_equal(j->n_sheets, MM_MANIFEST_MAX);
	add_user(j->f, "one.more", "u@acme.example", "staff");
	builder(j, false);
	mm_buf_reset(&j->out);
	expect_refusal(j, "ws2", MM_OP_APPLY, MM_EX_DATAERR, "4097 users");
}

/* More sheets than are kept: the same request before and after they went. */
static void test_cache_is_bounded(void **state)
{
	enum { MANY = 4000 };
	struct job *j = *state;
	static char logins[MANY][8];
	const char *users[MANY];
	struct mm_store_host h = {.id = "hall",
	    .address = "",
	    .port = 22,
	    .account = "root",
	    .transport = "libssh2",
	    .users = users};
	char first[MM_SHA256_HEX], middle[MM_SHA256_HEX];
	enum mm_put done;

	ok(j->f, mm_store_begin(j->f->s, &j->f->err));
	for (h.n_users = 0; h.n_users < MANY; h.n_users++) {
		snprintf(logins[h.n_users], sizeof(logins[0]), "u%04d", (int)h.n_users);
		users[h.n_users] = logins[h.n_users];
		add_user(j->f, users[h.n_users], "u@acme.example", "staff");
	}
	ok(j->f, mm_store_host_put(j->f->s, &h, &done, &j->f->err));
	ok(j->f, mm_store_commit(j->f->s, &j->f->err));
	builder(j, false);
	prepare(j, "ws1", MM_OP_APPLY);
	memcpy(first, j->r.manifest[0].sha256, sizeof(first));
	prepare(j, "hall", MM_OP_APPLY);
	memcpy(middle, j->r.manifest[MANY / 2].sha256, sizeof(middle));
	prepare(j, "ws1", MM_OP_APPLY);
	assert_string_equal(j->r.manifest[0].sha256, first);
	prepare(j, "hall", MM_OP_APPLY);
	assert_int_equal(j->n_sheets, MANY);
	assert_string_equal(j->r.manifest[MANY / 2].sha256, middle);
	prepare(j, "ws2", MM_OP_APPLY); /* everybody, from here on all of them are kept */
	assert_int_equal(j->n_sheets, MANY + 2);
	prepare(j, "ws2", MM_OP_APPLY);
	assert_int_equal(j->n_sheets, MANY + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_one_host, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_everybody_with_accounts, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_host_layer_is_not_cached, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_hostwide, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_hostwide_differs, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_acks, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_about_what_is_held, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_verify_names_its_users, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_user_whom_the_policy_cannot_serve, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_needs_approval, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_wrong_key, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_too_big, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_too_many_users, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_cache_is_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
