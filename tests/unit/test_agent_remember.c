/* The memory of login checks: proofs, and the budget of attempts. */
#include <string.h>

#include "agent/remember.h"
#include "common/file.h"
#include "common/text.h"
#include "tests/lib/testutil.h"

#define NOW INT64_C(1800000000)
#define SETTINGS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHERS "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct world {
	struct mm_arena *a;
	char dir[64];
	struct mm_secret *password;
};

static int setup(void **state)
{
	struct world *w = mm_xcalloc(1, sizeof(*w));
	w->a = mm_arena_new();
	memcpy(w->dir, "/tmp/mm-mem-XXXXXX", 19);
	assert_non_null(mkdtemp(w->dir));
	w->password = mm_secret_new();
	assert_int_equal(mm_secret_set(w->password, "wrong-42", 8, NULL), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	unlink(mm_arena_printf(w->a, "%s/logins.json", w->dir));
	unlink(mm_arena_printf(w->a, "%s/logins.lock", w->dir));
	assert_int_equal(rmdir(w->dir), 0);
	mm_secret_free(w->password);
	mm_arena_free(w->a);
	free(w);
	return 0;
}

static struct mm_login login(const char *host, int port, const char *user)
{
	return (struct mm_login){.account = "work",
	    .side = "incoming",
	    .protocol = "imap",
	    .host = host,
	    .port = port,
	    .security = "tls",
	    .auth = "password",
	    .username = user,
	    .cls = "",
	    .text = "",
	    .admin = "",
	    .when = NOW};
}

static const struct mm_login *usual(void)
{
	static struct mm_login l;
	l = login("imap.acme.example", 993, "alice");
	return &l;
}

/* What the memory says about this login; NULL = it may be tried. */
static const struct mm_tried *asked(
    struct world *w, const struct mm_login *l, const struct mm_secret *s, int64_t now, int64_t *until)
{
	struct mm_memory m;
	struct mm_login_key k;
	struct mm_rest rest;
	mm_memory_load(w->dir, w->a, &m);
	mm_login_key(&m, l, s, &k);
	if (!mm_memory_refused(&m, &k, now, &rest))
		return NULL;
	*until = rest.until;
	return rest.t;
}

static bool may(struct world *w, const struct mm_login *l, int64_t now)
{
	int64_t until;
	return asked(w, l, w->password, now, &until) == NULL;
}

/* Does what another port said hold it up, while `in_force` is a setting, too? NULL: no. */
static const struct mm_tried *held_up(
    struct world *w, const struct mm_login *l, const struct mm_login *in_force, int64_t now)
{
	struct mm_memory m;
	struct mm_login_key k, places[2];
	struct mm_rest rest;
	mm_memory_load(w->dir, w->a, &m);
	mm_login_key(&m, l, w->password, &k);
	mm_login_key(&m, l, NULL, &places[0]);
	mm_login_key(&m, in_force, NULL, &places[1]);
	return mm_memory_refused_elsewhere(&m, &k, places, 2, now, &rest) ? rest.t : NULL;
}

static void answer_beside(
    struct world *w, const struct mm_login *l, enum mm_result result, const char *cls, bool works)
{
	struct mm_memory m;
	struct mm_login_key k;
	struct mm_login said = *l;
	said.result = result;
	said.cls = cls;
	said.text = "The server said no.";
	said.admin = "For the admin.";
	said.ladder.fix = "Mend it.";
	assert_int_equal(mm_memory_open(w->dir, w->a, &m, NULL), 0);
	mm_login_key(&m, l, w->password, &k);
	mm_memory_note(&m, &said, SETTINGS, &k, works);
	assert_int_equal(mm_memory_close(&m, true, NULL), 0);
}

static void answer(struct world *w, const struct mm_login *l, enum mm_result result, const char *cls)
{
	answer_beside(w, l, result, cls, false);
}

static void begin(struct world *w, const struct mm_login *l, int64_t now, bool undo)
{
	struct mm_memory m;
	struct mm_login_key k;
	assert_int_equal(mm_memory_open(w->dir, w->a, &m, NULL), 0);
	mm_login_key(&m, l, w->password, &k);
	if (undo)
		mm_memory_undo(&m, &k);
	else
		mm_memory_begin(&m, &k, now, false);
	assert_int_equal(mm_memory_close(&m, true, NULL), 0);
}

static void test_refused(void **state)
{
	struct world *w = *state;
	int64_t until = 0;
	assert_true(may(w, usual(), NOW));
	answer(w, usual(), MM_LOGIN_FAILED, "AUTH_REJECTED");
	const struct mm_tried *t = asked(w, usual(), w->password, NOW + 400 * 86400, &until);
	assert_non_null(t);
	assert_true(until == INT64_MAX);
	assert_true(t->when == NOW);
	assert_string_equal(t->cls, "AUTH_REJECTED");
	assert_string_equal(t->text, "The server said no.");
	assert_string_equal(t->admin, "For the admin.");
	assert_string_equal(t->fix, "Mend it.");
	/* a clock that was put back changes nothing about a wrong password */
	assert_false(may(w, usual(), NOW - 86400));
}

/* The budget is by server, user and credential; not by account or side. */
static void test_key(void **state)
{
	struct world *w = *state;
	struct mm_login other = *usual();
	answer(w, usual(), MM_LOGIN_FAILED, "AUTH_REJECTED");
	other.account = "second";
	other.side = "outgoing";
	assert_false(may(w, &other, NOW));
	other = login("imap2.acme.example", 993, "alice");
	assert_true(may(w, &other, NOW));
	other = login("imap.acme.example", 143, "alice");
	assert_true(may(w, &other, NOW));
	other = login("imap.acme.example", 993, "bob");
	assert_true(may(w, &other, NOW));
	/* no boundary between the parts can be moved */
	other = login("imap.acme.example\n993\nalice", 0, "");
	assert_true(may(w, &other, NOW));
	mm_secret_set(w->password, "right-42", 8, NULL);
	assert_true(may(w, usual(), NOW));
	mm_secret_set(w->password, "wrong-42", 8, NULL);
	assert_false(may(w, usual(), NOW));
}

static void test_settings_change(void **state)
{
	struct world *w = *state;
	struct mm_login other = *usual();
	answer(w, usual(), MM_LOGIN_FAILED, "AUTH_REJECTED");
	other.auth = "cram-md5";
	assert_true(may(w, &other, NOW));
	other = *usual();
	other.security = "starttls";
	assert_true(may(w, &other, NOW));
	other = *usual();
	other.protocol = "pop3";
	assert_true(may(w, &other, NOW));
}

static void test_rests(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *cls;
		int64_t seconds; /* 0: none; INT64_MAX: until something changes */
	} rows[] = {{"AUTH_REJECTED", INT64_MAX}, {"AUTH_TOKEN_REFUSED", INT64_MAX},
	    {"AUTH_UNCLEAR", INT64_MAX}, {"AUTH_PASSWORD_EXPIRED", INT64_MAX},
	    {"AUTH_APP_PASSWORD", INT64_MAX}, {"AUTH_ACCOUNT_DISABLED", MM_REMEMBER_SECONDS},
	    {"AUTH_BASIC_DISABLED", MM_REMEMBER_SECONDS}, {"AUTH_WEB_LOGIN", MM_REMEMBER_SECONDS},
	    {"AUTH_AUTHZ", MM_REMEMBER_SECONDS}, {"AUTH_CERT_REFUSED", MM_REMEMBER_SECONDS},
	    {"AUTH_UNPROVEN", MM_REMEMBER_SECONDS}, {"AUTH_SLOW", MM_COOL_DOWN_SECONDS},
	    {"AUTH_TEMP", MM_COOL_DOWN_SECONDS}, {"AUTH_CONN_DROPPED", MM_COOL_DOWN_SECONDS},
	    {"TOO_MANY_CONNECTIONS", MM_COOL_DOWN_SECONDS}, {"CERT_EXPIRED", 0}, {"CONN_TIMEOUT", 0},
	    {"MAILBOX_UNUSABLE", 0}, {"AUTH_MECH_NOT_OFFERED", 0}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t until = 0;
		const struct mm_login l = login(rows[i].cls, 993, "alice");
		answer(w, &l, MM_LOGIN_FAILED, rows[i].cls);
		const struct mm_tried *t = asked(w, &l, w->password, NOW + 1, &until);
		assert_int_equal(t != NULL, rows[i].seconds != 0);
		if (rows[i].seconds == INT64_MAX)
			assert_true(until == INT64_MAX);
		else if (rows[i].seconds != 0)
			assert_true(until == NOW + rows[i].seconds);
		if (rows[i].seconds == 0 || rows[i].seconds == INT64_MAX)
			continue;
		assert_false(may(w, &l, NOW + rows[i].seconds - 1));
		assert_true(may(w, &l, NOW + rows[i].seconds));
		/* written by a clock that was ahead: no rest without end */
		assert_true(may(w, &l, NOW - 1));
	}
}

static void test_success_forgives(void **state)
{
	struct world *w = *state;
	answer(w, usual(), MM_LOGIN_FAILED, "AUTH_SLOW");
	answer(w, usual(), MM_LOGIN_PASSED, "");
	assert_true(may(w, usual(), NOW));
}

/* What says nothing about the credential does not make its refusal forgotten,
 * and what failed behind a login that was taken does. */
static void test_what_was_not_presented(void **state)
{
	struct world *w = *state;
	answer(w, usual(), MM_LOGIN_FAILED, "AUTH_REJECTED");
	begin(w, usual(), NOW + 1, false);
	answer(w, usual(), MM_LOGIN_FAILED, "CONN_REFUSED");
	assert_false(may(w, usual(), NOW + 86400));
	struct mm_login taken = *usual();
	taken.any = true;
	taken.reached = MM_LEVEL_LOGIN;
	answer(w, &taken, MM_LOGIN_FAILED, "MAILBOX_UNUSABLE");
	assert_true(may(w, usual(), NOW));
}

/* IMAP and SMTP on one host: a refused password is refused. */
static void test_other_ports(void **state)
{
	struct world *w = *state;
	struct mm_login smtp = *usual(), other = *usual();
	smtp.protocol = "smtp";
	smtp.port = 465;
	answer(w, usual(), MM_LOGIN_FAILED, "AUTH_REJECTED");
	const struct mm_tried *t = held_up(w, &smtp, usual(), NOW + 400 * 86400);
	assert_non_null(t);
	assert_int_equal(t->k.port, 993);
	assert_string_equal(t->k.protocol, "imap");
	/* of its own port it is not said */
	assert_true(may(w, &smtp, NOW));
	assert_null(held_up(w, usual(), &smtp, NOW));
	/* in other words it is the same password; by another mechanism it is not what was refused */
	smtp.auth = "plain";
	assert_non_null(held_up(w, &smtp, usual(), NOW));
	smtp.auth = "cram-md5";
	assert_null(held_up(w, &smtp, usual(), NOW));
	smtp.auth = "password";
	/* the settings with which it was refused have gone */
	other.port = 143;
	assert_null(held_up(w, &smtp, &other, NOW));
	/* another server, user, password */
	other = smtp;
	other.host = "smtp.acme.example";
	assert_null(held_up(w, &other, usual(), NOW));
	other = smtp;
	other.username = "bob";
	assert_null(held_up(w, &other, usual(), NOW));
	mm_secret_set(w->password, "right-42", 8, NULL);
	assert_null(held_up(w, &smtp, usual(), NOW));
}

static void test_other_ports_by_class(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *cls;
		bool holds;
	} rows[] = {{"AUTH_REJECTED", true}, {"AUTH_UNCLEAR", true}, {"AUTH_UNPROVEN", true},
	    {"AUTH_PASSWORD_EXPIRED", true}, {"AUTH_APP_PASSWORD", true}, {"AUTH_ACCOUNT_DISABLED", false},
	    {"AUTH_BASIC_DISABLED", false}, {"AUTH_TEMP", false}, {"AUTH_SLOW", false},
	    {"TOO_MANY_CONNECTIONS", false}, {"PROTOCOL_ERROR", false}, {"CERT_EXPIRED", false}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm_login in = login(rows[i].cls, 993, "alice"), out = login(rows[i].cls, 465, "alice");
		answer(w, &in, MM_LOGIN_FAILED, rows[i].cls);
		assert_int_equal(held_up(w, &out, &in, NOW + 1) != NULL, rows[i].holds);
	}
	/* an attempt without an answer may have been a wrong password: for a while */
	struct mm_login in = login("killed", 993, "alice"), out = login("killed", 465, "alice");
	begin(w, &in, NOW, false);
	assert_non_null(held_up(w, &out, &in, NOW + 1));
	assert_null(held_up(w, &out, &in, NOW + MM_COOL_DOWN_SECONDS));
}

/* Tokens are made for a service: one for mail that comes in may send nothing. */
static void test_tokens_by_port(void **state)
{
	struct world *w = *state;
	struct mm_login in = login("h", 993, "alice"), out = login("h", 465, "alice");
	in.auth = out.auth = "xoauth2";
	answer(w, &in, MM_LOGIN_FAILED, "AUTH_TOKEN_REFUSED");
	assert_false(may(w, &in, NOW));
	assert_null(held_up(w, &out, &in, NOW));
}

/* What works on one port and not on another is the other's matter, whichever was first. */
static void test_worked_on_another_port(void **state)
{
	struct world *w = *state;
	struct mm_login in = login("h", 993, "alice"), out = login("h", 465, "alice");
	answer(w, &in, MM_LOGIN_PASSED, "");
	answer_beside(w, &out, MM_LOGIN_FAILED, "AUTH_REJECTED", true);
	assert_null(held_up(w, &in, &out, NOW));
	assert_false(may(w, &out, NOW));
	in.host = out.host = "g";
	answer(w, &out, MM_LOGIN_FAILED, "AUTH_REJECTED");
	assert_non_null(held_up(w, &in, &out, NOW));
	answer(w, &in, MM_LOGIN_PASSED, "");
	assert_null(held_up(w, &in, &out, NOW));
	assert_false(may(w, &out, NOW));
	/* in another run it worked, and now it does not: that is about the password */
	in.host = out.host = "f";
	answer(w, &in, MM_LOGIN_PASSED, "");
	answer(w, &out, MM_LOGIN_FAILED, "AUTH_REJECTED");
	assert_non_null(held_up(w, &in, &out, NOW));
}

/* Somebody asks for one more attempt, and again, and again. */
static void test_again(void **state)
{
	struct world *w = *state;
	struct mm_memory m;
	struct mm_login_key k, other;
	struct mm_login smtp = login("imap.acme.example", 465, "alice");
	int64_t last;
	answer(w, usual(), MM_LOGIN_FAILED, "AUTH_REJECTED");
	assert_int_equal(mm_memory_open(w->dir, w->a, &m, NULL), 0);
	mm_login_key(&m, usual(), w->password, &k);
	mm_login_key(&m, &smtp, w->password, &other);
	assert_true(mm_memory_again_at(&m, &k, 1800, NOW, &last) <= NOW);
	mm_memory_begin(&m, &k, NOW, true);
	assert_int_equal(mm_memory_close(&m, true, NULL), 0);
	answer(w, usual(), MM_LOGIN_FAILED, "AUTH_REJECTED");
	mm_memory_load(w->dir, w->a, &m);
	assert_true(mm_memory_again_at(&m, &k, 1800, NOW + 1799, &last) == NOW + 1800);
	assert_true(last == NOW);
	/* on whichever port */
	assert_true(mm_memory_again_at(&m, &other, 1800, NOW + 1, &last) == NOW + 1800);
	/* a clock that was put back */
	assert_true(mm_memory_again_at(&m, &k, 1800, NOW - 1, &last) <= NOW - 1);
	/* nothing was sent: what was said before stands */
	begin(w, usual(), NOW, true);
	assert_false(may(w, usual(), NOW));
}

static enum mm_history history(struct world *w, const struct mm_login *l, int64_t *when)
{
	struct mm_memory m;
	struct mm_login_key k;
	mm_memory_load(w->dir, w->a, &m);
	mm_login_key(&m, l, w->password, &k);
	return mm_memory_history(&m, &k, when);
}

static void test_history(void **state)
{
	struct world *w = *state;
	int64_t when = 0;
	struct mm_login other = *usual();
	assert_int_equal(history(w, usual(), &when), MM_NEVER_WORKED);
	answer(w, usual(), MM_LOGIN_PASSED, "");
	answer(w, usual(), MM_LOGIN_FAILED, "AUTH_REJECTED");
	assert_int_equal(history(w, usual(), &when), MM_THIS_WORKED);
	assert_true(when == NOW);
	mm_secret_set(w->password, "right-42", 8, NULL);
	assert_int_equal(history(w, usual(), &when), MM_ANOTHER_WORKED);
	other.auth = "plain";
	assert_int_equal(history(w, &other, &when), MM_NEVER_WORKED);
	other = *usual();
	other.port = 143;
	assert_int_equal(history(w, &other, &when), MM_NEVER_WORKED);
}

/* Written by an agent that counted each port for itself: proofs stay. */
static void test_older_file(void **state)
{
	struct world *w = *state;
	struct mm_memory m;
	struct mm_buf text = MM_BUF_INIT(4096);
	mm_buf_addf(&text,
	    "{\"key\":\"%s\",\"proofs\":[{\"account\":\"work\",\"side\":\"incoming\",\"settings\":\"%s\","
	    "\"when\":%lld}],\"tried\":[{\"login\":\"%s\",\"ways\":\"%s\",\"class\":\"AUTH_REJECTED\","
	    "\"text\":\"\",\"admin\":\"\",\"when\":1}]}",
	    SETTINGS, SETTINGS, (long long)NOW, OTHERS, OTHERS);
	char *path = mm_arena_printf(w->a, "%s/logins.json", w->dir);
	assert_int_equal(mm_write_own(path, mm_buf_str(&text), text.len, 0600, NULL), 0);
	mm_buf_free(&text);
	mm_memory_load(w->dir, w->a, &m);
	assert_true(mm_memory_proven(&m, "work", "incoming", SETTINGS, NOW));
	assert_int_equal(m.n_tried, 0);
	assert_true(may(w, usual(), NOW));
}

/* A run that was killed between question and answer has used its attempt. */
static void test_begun(void **state)
{
	struct world *w = *state;
	int64_t until = 0;
	begin(w, usual(), NOW, false);
	const struct mm_tried *t = asked(w, usual(), w->password, NOW + 1, &until);
	assert_non_null(t);
	assert_string_equal(t->cls, "");
	assert_true(until == NOW + MM_COOL_DOWN_SECONDS);
	assert_true(may(w, usual(), until));
	begin(w, usual(), NOW, true);
	assert_true(may(w, usual(), NOW + 1));
	/* what was answered is not taken back */
	answer(w, usual(), MM_LOGIN_FAILED, "AUTH_REJECTED");
	begin(w, usual(), NOW, true);
	assert_false(may(w, usual(), NOW + 1));
}

static void test_proofs(void **state)
{
	struct world *w = *state;
	struct mm_memory m;
	answer(w, usual(), MM_LOGIN_PASSED, "");
	mm_memory_load(w->dir, w->a, &m);
	assert_int_equal(m.n_proofs, 1);
	assert_true(mm_memory_proven(&m, "work", "incoming", SETTINGS, NOW));
	assert_false(mm_memory_proven(&m, "work", "incoming", OTHERS, NOW));
	assert_false(mm_memory_proven(&m, "work", "outgoing", SETTINGS, NOW));
	assert_false(mm_memory_proven(&m, "work", "incoming", SETTINGS, NOW + MM_REMEMBER_SECONDS));
	assert_false(mm_memory_proven(&m, "work", "incoming", SETTINGS, NOW - 1));
	/* what was not tested leaves it; a failure takes it back */
	answer(w, usual(), MM_LOGIN_UNTESTED, "DNS_UNAVAILABLE");
	mm_memory_load(w->dir, w->a, &m);
	assert_true(mm_memory_proven(&m, "work", "incoming", SETTINGS, NOW));
	answer(w, usual(), MM_LOGIN_FAILED, "CERT_EXPIRED");
	mm_memory_load(w->dir, w->a, &m);
	assert_false(mm_memory_proven(&m, "work", "incoming", SETTINGS, NOW));
}

static struct mm_buf file_of(struct world *w)
{
	struct mm_buf text = MM_BUF_INIT(1u << 20);
	assert_int_equal(
	    mm_file_read_own(mm_arena_printf(w->a, "%s/logins.json", w->dir), 1u << 20, true, &text, NULL),
	    0);
	return text;
}

static void test_file(void **state)
{
	struct world *w = *state;
	answer(w, usual(), MM_LOGIN_FAILED, "AUTH_REJECTED");
	struct mm_buf text = file_of(w);
	assert_null(strstr(mm_buf_str(&text), "wrong-42"));
	assert_null(strstr(mm_buf_str(&text), "imap.acme.example"));
	assert_null(strstr(mm_buf_str(&text), "alice"));
	/* cut short: forgotten, not believed */
	char *path = mm_arena_printf(w->a, "%s/logins.json", w->dir);
	assert_int_equal(mm_write_own(path, mm_buf_str(&text), text.len / 2, 0600, NULL), 0);
	assert_true(may(w, usual(), NOW));
	/* open to others: likewise */
	assert_int_equal(mm_write_own(path, mm_buf_str(&text), text.len, 0644, NULL), 0);
	assert_true(may(w, usual(), NOW));
	mm_buf_free(&text);
}

static void test_limit(void **state)
{
	struct world *w = *state;
	struct mm_memory m;
	struct mm_login_key k;
	assert_int_equal(mm_memory_open(w->dir, w->a, &m, NULL), 0);
	for (int i = 1; i <= MM_REMEMBER_MAX + 5; i++) {
		struct mm_login l = login("h", i, "alice");
		mm_login_key(&m, &l, w->password, &k);
		mm_memory_begin(&m, &k, NOW, false);
	}
	assert_int_equal(mm_memory_close(&m, true, NULL), 0);
	mm_memory_load(w->dir, w->a, &m);
	assert_int_equal(m.n_tried, MM_REMEMBER_MAX);
	struct mm_login first = login("h", 1, "alice"), last = login("h", MM_REMEMBER_MAX + 5, "alice");
	assert_true(may(w, &first, NOW));
	assert_false(may(w, &last, NOW));
}

static void test_one_at_a_time(void **state)
{
	struct world *w = *state;
	struct mm_memory m, second;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_memory_open(w->dir, w->a, &m, NULL), 0);
	assert_int_equal(mm_memory_open(w->dir, w->a, &second, &err), -1);
	assert_int_equal(mm_memory_close(&m, false, NULL), 0);
	assert_int_equal(mm_memory_open(w->dir, w->a, &second, &err), 0);
	assert_int_equal(mm_memory_close(&second, false, NULL), 0);
	/* no folder, no memory */
	assert_int_equal(mm_memory_open("/proc/none", w->a, &m, &err), -1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Two accounts, one server, one password, two ways to say it: run after run. */
static void test_ways_do_not_take_turns(void **state)
{
	struct world *w = *state;
	struct mm_login plain = *usual(), cram = *usual(),
			capitals = login("IMAP.Acme.example", 993, "alice");
	cram.auth = "cram-md5";
	answer(w, &plain, MM_LOGIN_FAILED, "AUTH_REJECTED");
	assert_true(may(w, &cram, NOW));
	begin(w, &cram, NOW, false);
	assert_false(may(w, &plain, NOW));
	answer(w, &cram, MM_LOGIN_FAILED, "AUTH_REJECTED");
	assert_false(may(w, &plain, NOW));
	assert_false(may(w, &cram, NOW));
	assert_false(may(w, &capitals, NOW));
	/* each mechanism is a matter of its own, run after run */
	answer(w, &cram, MM_LOGIN_PASSED, "");
	assert_true(may(w, &cram, NOW));
	assert_false(may(w, &plain, NOW));
}

/* What may have been presented is not presented again at once. */
static void test_replies_that_are_not_understood(void **state)
{
	struct world *w = *state;
	static const char *const classes[] = {"PROTOCOL_ERROR", "MECH_DIFFERS"};
	for (size_t i = 0; i < 2; i++) {
		answer(w, usual(), MM_LOGIN_FAILED, classes[i]);
		assert_false(may(w, usual(), NOW + 1));
		assert_true(may(w, usual(), NOW + MM_COOL_DOWN_SECONDS));
	}
}

static bool same_proof(const struct mm_account *x, const struct mm_account *y, enum mm_side side)
{
	char a[MM_SHA256_HEX], b[MM_SHA256_HEX];
	mm_settings_hash(x, side, MM_LEVEL_LOGIN, a);
	mm_settings_hash(y, side, MM_LEVEL_LOGIN, b);
	return mm_streq(a, b);
}

/* Outgoing servers judge the sender: what held for another address is no proof. */
static void test_address_is_a_part_of_the_proof(void **state)
{
	(void)state;
	struct mm_account x = {.name = "work"}, y = {.name = "work"};
	x.want.v[MM_SET_OUT_HOST] = y.want.v[MM_SET_OUT_HOST] = "smtp.acme.example";
	x.want.v[MM_SET_ADDRESS] = y.want.v[MM_SET_ADDRESS] = "alice@acme.example";
	assert_true(same_proof(&x, &y, MM_SIDE_OUTGOING));
	y.want.v[MM_SET_ADDRESS] = "a.smith@acme.example";
	assert_false(same_proof(&x, &y, MM_SIDE_OUTGOING));
	assert_true(same_proof(&x, &y, MM_SIDE_INCOMING));
}

int main(void)
{
	const struct CMUnitTest tests[] = {T(test_refused), T(test_key), T(test_settings_change),
	    T(test_rests), T(test_success_forgives), T(test_what_was_not_presented), T(test_other_ports),
	    T(test_other_ports_by_class), T(test_tokens_by_port), T(test_worked_on_another_port),
	    T(test_again), T(test_history), T(test_older_file), T(test_begun), T(test_proofs), T(test_file),
	    T(test_limit), T(test_one_at_a_time), T(test_ways_do_not_take_turns),
	    T(test_replies_that_are_not_understood), T(test_address_is_a_part_of_the_proof)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
