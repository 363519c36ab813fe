#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/conf.h"
#include "common/file.h"
#include "common/text.h"

struct world {
	struct mm_arena *a;
	char dir[64];
	const char *pub, *pem; /* file, and its text on one line */
};

static int setup(void **state)
{
	struct world *w = mm_xcalloc(1, sizeof(*w));
	struct mm_err err;
	struct mm_key *k;
	struct mm_buf pem = MM_BUF_INIT(4096), line = MM_BUF_INIT(4096);
	w->a = mm_arena_new();
	memcpy(w->dir, "/tmp/mm-conf-XXXXXX", 20);
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(mm_key_generate(&k, &err), 0);
	assert_int_equal(mm_key_public_pem(k, &pem, &err), 0);
	mm_key_free(k);
	w->pub = mm_arena_printf(w->a, "%s/key.pub", w->dir);
	assert_int_equal(mm_write_own(w->pub, mm_buf_str(&pem), pem.len, 0644, &err), 0);
	for (const char *p = mm_buf_str(&pem); *p != '\0'; p++)
		mm_buf_addf(&line, *p == '\n' ? "\\n" : "%c", *p);
	w->pem = mm_arena_strdup(w->a, mm_buf_str(&line));
	mm_buf_free(&pem);
	mm_buf_free(&line);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	unlink(w->pub);
	unlink(mm_arena_printf(w->a, "%s/agent.conf", w->dir));
	assert_int_equal(rmdir(w->dir), 0);
	mm_arena_free(w->a);
	free(w);
	return 0;
}

#define W struct world *w = *state

static struct mm_conf *parsed(struct world *w, const char *more)
{
	struct mm_conf *c = NULL;
	struct mm_err err = MM_ERR_NONE;
	const char *text = mm_arena_printf(w->a, "host = \"ws1\";\nkeys = [ \"%s\" ];\n%s", w->pem, more);
	if (mm_conf_parse("agent.conf", text, &c, &err) != 0)
		fail_msg("%s", err.text);
	return c;
}

static void refused(struct world *w, const char *text, const char *says)
{
	struct mm_conf *c = NULL;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_conf_parse("agent.conf", text, &c, &err), -1);
	assert_int_equal(err.code, MM_EX_DATAERR);
	if (strstr(err.text, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, says);
	(void)w;
}

static void all_keys(void **state)
{
	W;
	struct mm_conf *c =
	    parsed(w, "limits = { domains = [ \"acme.example\", \"192.0.2.7\" ]; "
		      "password_programs = ( \"/usr/bin/pass\" ); clients = [ \"mutt\" ]; };\n"
		      "state_dir = \"/var/x\"; probe = \"/p\"; report_key = \"/k\"; login = \"alice\";");
	assert_string_equal(c->host, "ws1");
	assert_int_equal(c->n_keys, 1);
	assert_string_equal(c->state_dir, "/var/x");
	assert_string_equal(c->probe.program, "/p");
	assert_string_equal(c->report_key, "/k");
	assert_string_equal(c->login, "alice");
	assert_int_equal(c->deferral_days, MM_DEFERRAL_USUAL);
	assert_true(mm_conf_allows_program(c, "/usr/bin/pass"));
	assert_false(mm_conf_allows_program(c, "/usr/bin/pass2"));
	assert_true(mm_conf_allows_client(c, "mutt"));
	assert_false(mm_conf_allows_client(c, "msmtp"));
	mm_conf_free(c);
}

static void deferrals(void **state)
{
	static const char *const bad[] = {"0", "366", "-1", "\"a week\""};
	W;
	struct mm_conf *c = parsed(w, "deferral_days = 365;");
	assert_int_equal(c->deferral_days, 365);
	mm_conf_free(c);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(w, mm_arena_printf(w->a, "deferral_days = %s;", bad[i]), "from 1 to 365");
}

static void the_probe(void **state)
{
	W;
	struct mm_conf *c = parsed(w, "");
	assert_null(c->probe.ehlo);
	assert_int_equal(c->probe.connect_s, 0);
	assert_int_equal(c->probe.again_s, MM_AGAIN_USUAL);
	mm_conf_free(c);
	c = parsed(w, "probe = { program = \"/p\"; ehlo = \"ws1.acme.example\"; connect = 1; answer = 600; "
		      "login = 30; again = 604800; };");
	assert_string_equal(c->probe.program, "/p");
	assert_int_equal(c->probe.again_s, 604800);
	assert_string_equal(c->probe.ehlo, "ws1.acme.example");
	assert_int_equal(c->probe.connect_s, 1);
	assert_int_equal(c->probe.answer_s, 600);
	assert_int_equal(c->probe.login_s, 30);
	mm_conf_free(c);
	static const struct {
		const char *member, *says;
	} cases[] = {{"program = \"p\";", "absolute path"}, {"ehlo = \"a b\";", "must be a host name"},
	    {"ehlo = \"x\\r\\nQUIT\";", "control character"}, {"connect = 0;", "from 1 to 600"},
	    {"answer = 601;", "from 1 to 600"}, {"login = \"30\";", "from 1 to 600"},
	    {"again = 59;", "from 60 to 604800"}, {"again = 604801;", "from 60 to 604800"},
	    {"again = \"1h\";", "from 60 to 604800"}, {"retries = 3;", "not a known setting of the probe"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refused(w,
		    mm_arena_printf(w->a, "host = \"ws1\";\nkeys = [ \"%s\" ];\nprobe = { %s };", w->pem,
			cases[i].member),
		    cases[i].says);
}

static void sources_of_credentials(void **state)
{
	W;
	struct mm_conf *c = parsed(w, "");
	for (const char *const *word = mm_credential_words; *word != NULL; word++)
		assert_true(mm_conf_allows_credential(c, *word));
	mm_conf_free(c);
	c = parsed(w, "limits = { credentials = [ \"netrc\", \"ticket\" ]; };");
	for (const char *const *word = mm_credential_words; *word != NULL; word++)
		assert_int_equal(mm_conf_allows_credential(c, *word),
		    strcmp(*word, "netrc") == 0 || strcmp(*word, "ticket") == 0);
	mm_conf_free(c);
	c = parsed(w, "limits = { credentials = [ ]; };");
	assert_false(mm_conf_allows_credential(c, "netrc"));
	mm_conf_free(c);
	refused(w,
	    mm_arena_printf(w->a,
		"host = \"ws1\";\nkeys = [ \"%s\" ];\nlimits = { credentials = [ \"keyring\" ]; };", w->pem),
	    "not known");
}

static void a_checkin(void **state)
{
	W;
	struct mm_conf *c = parsed(w, "");
	assert_null(c->checkin);
	mm_conf_free(c);
	c = parsed(w, "checkin = { destination = \"mm@admin.example\"; port = 2222; identity = \"/i\"; "
		      "known_hosts = \"/h h\"; };");
	assert_string_equal(c->checkin->account, "mm");
	assert_string_equal(c->checkin->host, "admin.example");
	assert_int_equal(c->checkin->port, 2222);
	assert_string_equal(c->checkin->identity, "/i");
	assert_string_equal(c->checkin->known_hosts, "/h h");
	mm_conf_free(c);
	c = parsed(w, "checkin = { destination = \"mm@2001:db8::1\"; };");
	assert_string_equal(c->checkin->host, "2001:db8::1");
	assert_int_equal(c->checkin->port, 22);
	mm_conf_free(c);
}

static void wrong_checkins(void **state)
{
	W;
	static const struct {
		const char *member, *says;
	} cases[] = {{"", "has no destination"}, {"destination = \"admin\";", "must be ACCOUNT@HOST"},
	    {"destination = \"@admin\";", "must be ACCOUNT@HOST"},
	    {"destination = \"mm@\";", "must be ACCOUNT@HOST"},
	    {"destination = \"-oProxyCommand=x@admin\";", "must be ACCOUNT@HOST"},
	    {"destination = \"mm@-x\";", "must be ACCOUNT@HOST"},
	    {"destination = \"mm@a b\";", "must be ACCOUNT@HOST"},
	    {"destination = \"mm@a:22\";", "must be ACCOUNT@HOST"}, {"port = 0;", "from 1 to 65535"},
	    {"port = 65536;", "from 1 to 65535"}, {"port = \"22\";", "from 1 to 65535"},
	    {"port = 4294967318;", "4294967318 is too large"}, {"identity = \"x\";", "absolute path"},
	    {"identity = \"/%h\";", "must hold none"}, {"known_hosts = \"/$HOME\";", "must hold none"},
	    {"known_hosts = \"/a\\\"b\";", "must hold none"}, {"key = \"/x\";", "not a known setting"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refused(w, mm_arena_printf(w->a, "checkin = { %s };", cases[i].member), cases[i].says);
	refused(w, "checkin = \"mm@admin\";", "must be a group");
}

/* Ten digits in a text or a comment are no number. */
static void long_numbers(void **state)
{
	W;
	struct mm_conf *c = parsed(w, "# 12345678901\n/* 12345678901 */ // 12345678901\n"
				      "state_dir = \"/12345678901\";");
	mm_conf_free(c);
	refused(w, "x = 12345678901;", "too large");
	refused(w, "x = \"\\\"\"; y = 0x1ffffffff;", "too large");
}

static void absent_limits(void **state)
{
	W;
	struct mm_conf *c = parsed(w, "");
	assert_false(mm_conf_allows_host(c, "imap.acme.example"));
	assert_false(mm_conf_allows_program(c, "/usr/bin/pass"));
	assert_true(mm_conf_allows_client(c, "mutt"));
	mm_conf_free(c);
}

static void domains(void **state)
{
	W;
	static const struct {
		const char *host;
		bool allowed;
	} cases[] = {{"acme.example", true}, {"ACME.example", true}, {"imap.acme.example", true},
	    {"a.b.acme.example", true}, {"xacme.example", false}, {"acme.example.test", false},
	    {"example", false}, {".acme.example", false}, {"", false}, {"192.0.2.7", true},
	    {"1.192.0.2.7", false}, {"2001:db8::1", true}, {"2001:db8::2", false}};
	struct mm_conf *c =
	    parsed(w, "limits = { domains = [ \"acme.example\", \"192.0.2.7\", \"2001:db8::1\", \"\" ]; };");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (mm_conf_allows_host(c, cases[i].host) != cases[i].allowed)
			fail_msg("%s", cases[i].host);
	}
	mm_conf_free(c);
	c = parsed(w, "limits = { domains = [ \"*\" ]; };");
	assert_true(mm_conf_allows_host(c, "anything.test"));
	mm_conf_free(c);
}

static void wrong_texts(void **state)
{
	W;
	refused(w, "host = \"ws1\";", "keys is missing");
	refused(w, mm_arena_printf(w->a, "keys = [ \"%s\" ];", w->pem), "host is missing");
	refused(w, "host = \"ws1\";\nwhat = 3;", "agent.conf:2: what is not a known setting");
	refused(w, "host = 7;", "agent.conf:1: host must be a string");
	refused(w, "host = \"a b\";", "not a valid name");
	refused(w, "host = \"../x\";", "not a valid name");
	refused(w, "\nhost =", "agent.conf:");
	refused(w, "state_dir = \"var\";", "must be an absolute path");
	refused(w, "limits = [ ];", "must be a group");
	refused(w, "limits = { domain = [ ]; };", "not a known limit");
	refused(w, "limits = { domains = \"x\"; };", "list of strings");
	refused(w, "limits = { domains = [ 1 ]; };", "list of strings");
	refused(w, "keys = [ \"no key\" ];", "agent.conf:1");
	refused(w, "host = \"ws1\";\n  @include \"/etc/passwd\"\n", "agent.conf:2: @include");
}

static const char *write_conf(struct world *w, mode_t mode)
{
	struct mm_err err;
	const char *path = mm_arena_printf(w->a, "%s/agent.conf", w->dir);
	const char *text = mm_arena_printf(
	    w->a, "host = \"ws1\"; keys = [ \"%s\" ]; checkin = { destination = \"mm@admin\"; };", w->pub);
	assert_int_equal(mm_write_own(path, text, strlen(text), mode, &err), 0);
	return path;
}

static void writable_by_others(void **state)
{
	W;
	static const mode_t bad[] = {0664, 0646, 0666, 0620};
	struct mm_conf *c;
	struct mm_err err;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *path = write_conf(w, bad[i]);
		assert_int_equal(mm_conf_load(path, "/home/x", &c, &err), -1);
		assert_int_equal(err.code, MM_EX_NOPERM);
	}
	assert_int_equal(mm_conf_load(write_conf(w, 0644), "/home/x", &c, &err), 0);
	assert_string_equal(c->checkin->known_hosts, mm_arena_printf(w->a, "%s/known_hosts", w->dir));
	assert_string_equal(c->checkin->identity, mm_arena_printf(w->a, "%s/ssh_key", c->state_dir));
	mm_conf_free(c);
	assert_int_equal(chmod(w->pub, 0664), 0);
	assert_int_equal(mm_conf_load(write_conf(w, 0644), "/home/x", &c, &err), -1);
}

static void belongs_to_others(void **state)
{
	W;
	struct mm_conf *c;
	struct mm_err err;
	const char *path = write_conf(w, 0644);
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(path, 12345, 12345), 0);
	assert_int_equal(mm_conf_load(path, "/home/x", &c, &err), -1);
	assert_int_equal(err.code, MM_EX_NOPERM);
}

static void is_a_link(void **state)
{
	W;
	struct mm_conf *c;
	struct mm_err err;
	const char *path = write_conf(w, 0644), *link = mm_arena_printf(w->a, "%s/link", w->dir);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(mm_conf_load(link, "/home/x", &c, &err), -1);
	assert_int_equal(unlink(link), 0);
}

/* Root cannot know a user's environment: the place must not depend on it. */
static void where_users_keep_state(void **state)
{
	W;
	struct mm_conf *c = parsed(w, "state_dir = \"/var/lib/x\";");
	c->hostwide = true;
	assert_string_equal(
	    mm_conf_user_state(c, "/home/alice", w->a), "/home/alice/.local/state/mailmuster-agent");
	c->hostwide = false;
	assert_string_equal(mm_conf_user_state(c, "/home/alice", w->a), "/var/lib/x");
	mm_conf_free(c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(all_keys), T(deferrals), T(the_probe), T(sources_of_credentials),
	    T(a_checkin), T(wrong_checkins), T(long_numbers), T(absent_limits), T(domains), T(wrong_texts),
	    T(writable_by_others), T(belongs_to_others), T(is_a_link), T(where_users_keep_state)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
