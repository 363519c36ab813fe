/*
 * Thunderbird's adapter beyond the golden folders of tests/clients: numbers
 * and words, hashes of installations, places, what wins, refusals with their
 * codes.
 */
#include "thunderbird_world.h"

/* ---- tables */

static void install_hashes(void **state)
{
	/* The first six are what Thunderbird itself wrote when started from there. */
	static const struct {
		const char *dir, *section;
	} known[] = {{"/usr/lib/thunderbird", "InstallFDC34C9F024745EB"},
	    {"/opt/thunderbird", "Install9238613B8C3D2579"}, {"/opt/tb", "Install5585C215202ACA6B"},
	    {"/opt/q", "InstallCF679BA5807DE6E3"},
	    {"/opt/mozilla/thunderbird-esr-lab", "InstallF9BE4CE491DD3061"},
	    {"/opt/a-really-long-directory-name-for-hash/thunderbird-153-esr/app", "InstallC9E20E92C7181D7F"},
	    {"/usr/lib64/thunderbird", "Install3DDF446CE6CB1A45"},
	    {"/app/lib/thunderbird", "InstallBD520B11F73A6B64"},
	    {"/opt/betterbird", "InstallF72D9E66FA3C07ED"}};
	W;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_string_equal(mm_tb_install_section(w->a, known[i].dir), known[i].section);
}

static void numbers_and_words(void **state)
{
	static const struct {
		enum mm_setting s;
		const char *pref, *word;
		bool both, says;
	} rows[] = {{MM_SET_IN_SECURITY, "0", "none", true, false},
	    {MM_SET_OUT_SECURITY, "2", "starttls", true, false},
	    {MM_SET_IN_SECURITY, "3", "tls", true, false}, {MM_SET_IN_SECURITY, "1", "none", false, true},
	    {MM_SET_OUT_SECURITY, "4", "none", false, true}, {MM_SET_IN_SECURITY, "5", "none", false, true},
	    {MM_SET_IN_AUTH, "3", "password", true, false}, {MM_SET_IN_AUTH, "4", "cram-md5", true, false},
	    {MM_SET_OUT_AUTH, "5", "gssapi", true, false}, {MM_SET_IN_AUTH, "7", "external", true, false},
	    {MM_SET_OUT_AUTH, "10", "xoauth2", true, true}, {MM_SET_OUT_AUTH, "1", "none", true, false},
	    {MM_SET_IN_AUTH, "6", "ntlm", false, false},
	    {MM_SET_IN_AUTH, "8", "any encrypted (8)", false, false},
	    {MM_SET_IN_AUTH, "99", "99", false, false}, {MM_SET_IN_TLS_MIN, "3", "1.2", true, false},
	    {MM_SET_IN_TLS_MIN, "1", "1.0", true, false},
	    {MM_SET_IN_LEAVE_ON_SERVER, "true", "yes", true, false},
	    {MM_SET_IN_LEAVE_ON_SERVER, "false", "no", true, false},
	    {MM_SET_IN_PORT, "993", "993", true, false}, {MM_SET_IN_USERNAME, "3", "3", true, false}};
	W;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *note;

		assert_string_equal(mm_tb_to_word(rows[i].s, rows[i].pref, w->a, &note), rows[i].word);
		/* What is worse than it looks is said. */
		assert_true((note != NULL) == rows[i].says);
		if (rows[i].both)
			assert_string_equal(mm_tb_to_pref(rows[i].s, rows[i].word), rows[i].pref);
	}
	assert_null(mm_tb_to_pref(MM_SET_IN_AUTH, "scram-sha-256"));
	assert_null(mm_tb_to_pref(MM_SET_IN_AUTH, "any encrypted (8)"));
	assert_null(mm_tb_to_pref(MM_SET_IN_SECURITY, "1"));
}

static void defaults(void **state)
{
	(void)state;
	assert_string_equal(mm_tb_default(MM_SET_IN_PORT, "imap", "tls"), "993");
	assert_string_equal(mm_tb_default(MM_SET_IN_PORT, "imap", "starttls"), "143");
	assert_string_equal(mm_tb_default(MM_SET_IN_PORT, "pop3", "tls"), "995");
	assert_string_equal(mm_tb_default(MM_SET_IN_PORT, "pop3", "none"), "110");
	assert_string_equal(mm_tb_default(MM_SET_OUT_PORT, "smtp", "tls"), "465");
	assert_string_equal(mm_tb_default(MM_SET_OUT_PORT, "smtp", "starttls"), "587");
	assert_null(mm_tb_default(MM_SET_IN_PORT, "ews", "tls"));
	assert_string_equal(mm_tb_default(MM_SET_IN_LEAVE_ON_SERVER, "pop3", "tls"), "no");
	assert_null(mm_tb_default(MM_SET_IN_LEAVE_ON_SERVER, "imap", "tls"));
	assert_null(mm_tb_default(MM_SET_IN_HOST, "imap", "tls"));
}

static const char *why(enum mm_setting s, const char *value)
{
	struct mm_values all = mm_tb_work();

	all.v[s] = value;
	return mm_client_thunderbird.unsupported(s, value, &all);
}

static void what_it_cannot(void **state)
{
	struct mm_values pop = mm_tb_work(), google = mm_tb_work();

	(void)state;
	assert_ptr_equal(why(MM_SET_IN_PASSWORD_COMMAND, "[\"/bin/x\"]"), MM_CLIENT_NOT_ITS_BUSINESS);
	assert_ptr_equal(why(MM_SET_OUT_CA_FILE, "/etc/x"), MM_CLIENT_NOT_ITS_BUSINESS);
	assert_ptr_equal(why(MM_SET_IN_LEAVE_ON_SERVER, "yes"), MM_CLIENT_NOT_ITS_BUSINESS);
	pop.v[MM_SET_IN_PROTOCOL] = "pop3";
	assert_null(mm_client_thunderbird.unsupported(MM_SET_IN_LEAVE_ON_SERVER, "yes", &pop));
	assert_non_null(strstr(why(MM_SET_OUT_PIN, "sha256//x"), "pin"));
	assert_null(why(MM_SET_IN_TLS_MIN, "1.2"));
	assert_non_null(strstr(why(MM_SET_OUT_TLS_MIN, "1.3"), "floor"));
	assert_non_null(strstr(why(MM_SET_IN_HOST, "::1"), "IPv6"));
	assert_null(why(MM_SET_OUT_HOST, "::1"));
	assert_null(why(MM_SET_IN_USERNAME, "zo\xc3\xab"));
	assert_non_null(strstr(why(MM_SET_OUT_USERNAME, "zo\xc3\xab"), "ASCII"));
	assert_non_null(why(MM_SET_IN_AUTH, "plain"));
	assert_non_null(why(MM_SET_OUT_AUTH, "login"));
	assert_non_null(why(MM_SET_IN_AUTH, "scram-sha-256"));
	assert_non_null(why(MM_SET_IN_AUTH, "oauthbearer"));
	assert_non_null(why(MM_SET_IN_AUTH, "none"));
	assert_null(why(MM_SET_OUT_AUTH, "none"));
	assert_null(why(MM_SET_IN_AUTH, "gssapi"));
	assert_non_null(why(MM_SET_IN_AUTH, "xoauth2"));
	google.v[MM_SET_IN_HOST] = "imap.GMAIL.com";
	assert_null(mm_client_thunderbird.unsupported(MM_SET_IN_AUTH, "xoauth2", &google));
	google.v[MM_SET_IN_HOST] = "imap.notgmail.com";
	assert_non_null(mm_client_thunderbird.unsupported(MM_SET_IN_AUTH, "xoauth2", &google));
}

/* ---- places */

static void a_place(void **state)
{
	struct mm_place *p;
	size_t n;
	struct mm_err err;
	W;

	mm_tb_put(w, ROOT "/profiles.ini", mm_tb_ini);
	mm_tb_put(w, PREFS, mm_tb_private);
	assert_int_equal(mm_client_thunderbird.find(w->r, true, &p, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_true(p->exists && p->in_use);
	assert_string_equal(p->path, PREFS);
	assert_string_equal(p->lock, PROFILE "/.parentlock");
	assert_null(p->busy);
	mm_tb_put(w, PROFILE "/.parentlock.locked", "");
	assert_int_equal(mm_client_thunderbird.find(w->r, true, &p, &n, &err), 0);
	assert_string_equal(p->busy, "Thunderbird is running");
}

static void a_new_place(void **state)
{
	struct mm_place *p;
	size_t n;
	struct mm_err err;
	W;

	assert_int_equal(mm_client_thunderbird.find(w->r, true, &p, &n, &err), 0);
	assert_int_equal(n, 0); /* not installed */
	mm_tb_put(w, "/usr/bin/thunderbird", "");
	assert_int_equal(mm_client_thunderbird.find(w->r, false, &p, &n, &err), 0);
	assert_int_equal(n, 0);
	/* An old folder of ours, which nothing points to, is not taken for a new one. */
	mm_tb_put(w, ROOT "/mailmuster.default/prefs.js", "");
	assert_int_equal(mm_client_thunderbird.find(w->r, true, &p, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_true(!p->exists && p->in_use);
	assert_string_equal(p->path, ROOT "/mailmuster-2.default/prefs.js");
	assert_string_equal(p->extra_dirs[0], ROOT);
	assert_string_equal(p->extra_dirs[1], ROOT "/mailmuster-2.default");
	assert_null(p->extra_dirs[2]);
}

static void modes_of_new_files(void **state)
{
	const struct mm_overlay_file *f;
	size_t n;
	W;

	mm_tb_put(w, "/usr/bin/thunderbird", "");
	w->sheet.create = MM_CREATE_ALWAYS;
	mm_tb_run(w);
	f = mm_overlay_files(w->run.o, &n);
	assert_int_equal(n, 2);
	assert_string_equal(f[0].path, ROOT "/mailmuster.default/prefs.js");
	assert_int_equal(f[0].create_mode, 0600);
	assert_string_equal(f[1].path, ROOT "/profiles.ini");
	assert_int_equal(f[1].create_mode, 0644);
}

/* ---- refusals */

/* What would crash Thunderbird, or make it drop the account. */
static void bad_hosts(void **state)
{
	static const char *const hosts[] = {
	    "imap.acme.example:993", "imap.acme.example ", "mail server", "[::1]", "", "a..b", NULL};
	struct mm_err err;
	W;

	mm_tb_in_profile(w, mm_tb_private);
	for (size_t i = 0; hosts[i] != NULL; i++) {
		w->acc[0].want.v[MM_SET_IN_HOST] = hosts[i];
		assert_int_equal(mm_tb_refused(w, &err), -1);
		assert_int_equal(err.code, MM_EX_DATAERR);
		w->acc[0].want.v[MM_SET_IN_HOST] = "imap.acme.example";
		w->acc[0].want.v[MM_SET_OUT_HOST] = hosts[i];
		assert_int_equal(mm_tb_refused(w, &err), -1);
		assert_int_equal(err.code, MM_EX_DATAERR);
		w->acc[0].want.v[MM_SET_OUT_HOST] = "smtp.acme.example";
	}
	mm_tb_run(w);
}

static void what_cannot_be_here(void **state)
{
	struct mm_err err;
	W;

	mm_tb_in_profile(w, mm_tb_private);
	w->acc[0].want.v[MM_SET_IN_HOST] = "IMAP.home.example";
	w->acc[0].want.v[MM_SET_IN_USERNAME] = "alice";
	assert_int_equal(mm_tb_refused(w, &err), -1);
	assert_int_equal(err.code, MM_EX_DIFF);
	assert_non_null(strstr(err.text, "account1"));
	w->acc[0].want.v[MM_SET_ADDRESS] = "alice@home.example";
	w->acc[0].want.v[MM_SET_IN_PROTOCOL] = "pop3";
	assert_int_equal(mm_tb_refused(w, &err), -1);
	assert_int_equal(err.code, MM_EX_DIFF);
	assert_non_null(strstr(err.text, "imap account"));
	w->acc[0].want = mm_tb_work();
	w->acc[0].want.v[MM_SET_IN_HOST] = NULL;
	assert_int_equal(mm_tb_refused(w, &err), -1);
	assert_int_equal(err.code, MM_EX_DIFF);
}

/* ---- what wins */

static const struct mm_seen *see(struct world *w, enum mm_setting s)
{
	struct mm_place *p;
	size_t n;
	struct mm_view *view = mm_arena_alloc(w->a, 1, sizeof(*view));
	struct mm_err err;

	assert_int_equal(mm_client_thunderbird.find(w->r, false, &p, &n, &err), 0);
	assert_int_equal(mm_client_thunderbird.read(w->r, p, view, &err), 0);
	assert_int_equal(view->n, 1);
	return &view->accounts[0].s[s];
}

static void locks_win_and_hold(void **state)
{
	const struct mm_seen *s;
	W;

	mm_tb_in_profile(w, mm_tb_private);
	mm_tb_put(w, "/etc/thunderbird/pref/lock.js",
	    "pref(\"mail.server.server1.port\", 1993, locked);\n"
	    "pref(\"mail.server.server1.hostname\", \"x.example\");\n"
	    "pref(\"mail.server.server1.authMethod\", 5);\n");
	s = see(w, MM_SET_IN_PORT);
	assert_string_equal(s->value, "1993");
	assert_string_equal(s->over_path, "/etc/thunderbird/pref/lock.js");
	assert_string_equal(s->over_by, "a locked preference");
	assert_true(s->over_holds);
	assert_null(see(w, MM_SET_IN_HOST)->over_path);
	assert_string_equal(see(w, MM_SET_IN_HOST)->value, "imap.home.example");
	assert_string_equal(see(w, MM_SET_IN_AUTH)->value, "gssapi");
	assert_false(see(w, MM_SET_IN_AUTH)->from_default);
}

/* What belongs to the machine does not reach into snap's and flatpak's own trees. */
static void machine_files_are_not_snaps(void **state)
{
	W;

	mm_tb_put(w, HOME "/snap/thunderbird/common/.thunderbird/profiles.ini", mm_tb_ini);
	mm_tb_put(w, HOME "/snap/thunderbird/common/.thunderbird/p.default/prefs.js", mm_tb_private);
	mm_tb_put(w, "/etc/thunderbird/pref/lock.js", "pref(\"mail.server.server1.port\", 1993, locked);\n");
	assert_string_equal(see(w, MM_SET_IN_PORT)->value, "143");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(install_hashes),
	    T(numbers_and_words),
	    cmocka_unit_test(defaults),
	    cmocka_unit_test(what_it_cannot),
	    T(a_place),
	    T(a_new_place),
	    T(modes_of_new_files),
	    T(bad_hosts),
	    T(what_cannot_be_here),
	    T(locks_win_and_hold),
	    T(machine_files_are_not_snaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
