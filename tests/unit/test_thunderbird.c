/*
 * Thunderbird's adapter beyond the golden folders of tests/clients: numbers
 * and words, hashes of installations, refusals with their codes, and removal
 * after Thunderbird has made the profile its own.
 */
#include "agent/clients/clients.h"
#include "agent/clients/thunderbird.h"
#include "agent/formats/prefsjs.h"
#include "common/text.h"
#include "tests/lib/clientrun.h"
#include "tests/lib/rootreader.h"
#include "tests/lib/testutil.h"
#include <cmocka.h>
#include <setjmp.h>

#define HOME "/home/alice"
#define ROOT HOME "/.thunderbird"
#define PROFILE ROOT "/p.default"
#define PREFS PROFILE "/prefs.js"

static const char ini[] = "[InstallFDC34C9F024745EB]\nDefault=p.default\n\n"
			  "[Profile0]\nName=p\nIsRelative=1\nPath=p.default\n\n[General]\nVersion=2\n";
static const char private[] = "user_pref(\"mail.account.account1.identities\", \"id1\");\n"
			      "user_pref(\"mail.account.account1.server\", \"server1\");\n"
			      "user_pref(\"mail.account.account2.server\", \"server2\");\n"
			      "user_pref(\"mail.accountmanager.accounts\", \"account1,account2\");\n"
			      "user_pref(\"mail.identity.id1.useremail\", \"alice@home.example\");\n"
			      "user_pref(\"mail.server.server1.hostname\", \"imap.home.example\");\n"
			      "user_pref(\"mail.server.server1.type\", \"imap\");\n"
			      "user_pref(\"mail.server.server1.userName\", \"alice\");\n"
			      "user_pref(\"mail.server.server2.type\", \"none\");\n"
			      "user_pref(\"mail.smtpserver.smtp1.hostname\", \"smtp.home.example\");\n"
			      "user_pref(\"mail.smtpservers\", \"smtp1\");\n";

struct world {
	struct mm_arena *a;
	struct mm_test_dir dir;
	const char *root;
	struct mm_reader *r; /* the disk */
	struct mm_account acc[2];
	struct mm_sheet sheet;
	struct mm_client_run run;
};
#define W struct world *w = *state

/* ---- a folder that plays the root */

static void put(struct world *w, const char *path, const char *text)
{
	char *real = mm_arena_printf(w->a, "%s%s", w->root, path);
	FILE *f;

	for (char *p = real + strlen(w->root) + 1; *p != '\0'; p++)
		if (*p == '/') {
			*p = '\0';
			mkdir(real, 0700);
			*p = '/';
		}
	f = fopen(real, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static const char *get(struct world *w, struct mm_reader *r, const char *path)
{
	struct mm_text t;
	enum mm_file_trouble why;

	if (r->file(r, path, &t, &why, NULL) != 1)
		return NULL;
	return mm_arena_strndup(w->a, t.p, t.n);
}

static struct mm_values work(void)
{
	return (struct mm_values){.v = {[MM_SET_ADDRESS] = "alice@acme.example",
				      [MM_SET_REAL_NAME] = "Alice",
				      [MM_SET_IN_PROTOCOL] = "imap",
				      [MM_SET_IN_HOST] = "imap.acme.example",
				      [MM_SET_IN_PORT] = "993",
				      [MM_SET_IN_SECURITY] = "tls",
				      [MM_SET_IN_AUTH] = "password",
				      [MM_SET_IN_USERNAME] = "alice@acme.example",
				      [MM_SET_OUT_PROTOCOL] = "smtp",
				      [MM_SET_OUT_HOST] = "smtp.acme.example",
				      [MM_SET_OUT_PORT] = "465",
				      [MM_SET_OUT_SECURITY] = "tls",
				      [MM_SET_OUT_AUTH] = "password",
				      [MM_SET_OUT_USERNAME] = "alice@acme.example"}};
}

static int setup(void **state)
{
	static const char *const none[] = {NULL};
	struct world *w = mm_xcalloc(1, sizeof(*w));

	w->a = mm_arena_new();
	w->dir = mm_test_mkdir();
	w->root = w->dir.path;
	w->r = mm_rootreader_new(w->a, w->root, "alice", HOME);
	w->acc[0] = (struct mm_account){.name = "work", .label = "Acme", .replaces = none, .want = work()};
	w->acc[1] = (struct mm_account){.name = "team", .label = "Team", .replaces = none, .want = work()};
	w->acc[1].want.v[MM_SET_ADDRESS] = w->acc[1].want.v[MM_SET_IN_USERNAME] = "team@acme.example";
	w->sheet = (struct mm_sheet){.user = "alice", .accounts = w->acc, .n_accounts = 1};
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	W;

	mm_test_rmdir(&w->dir);
	mm_arena_free(w->a);
	free(w);
	return 0;
}

static struct mm_reader *after(struct world *w)
{
	return mm_overlay_reader(w->run.o);
}

static void run(struct world *w)
{
	struct mm_err err = MM_ERR_NONE;

	if (mm_client_run(&w->run, w->r, &mm_client_thunderbird, &w->sheet, &err) != 0)
		fail_msg("%s", err.text);
	assert_non_null(w->run.place);
	assert_null(mm_client_unproven(&w->run));
}

static int refused(struct world *w, struct mm_err *err)
{
	*err = MM_ERR_NONE;
	return mm_client_run(&w->run, w->r, &mm_client_thunderbird, &w->sheet, err);
}

static void undo(struct world *w)
{
	struct mm_err err = MM_ERR_NONE;

	if (mm_client_undo(&w->run, &err) != 0)
		fail_msg("%s", err.text);
}

/* Thunderbird, or its user, has written more into a file. */
static void append(struct world *w, const char *path, const char *lines)
{
	const char *old = get(w, after(w), path), *text;

	text = mm_arena_printf(w->a, "%s%s", old != NULL ? old : "", lines);
	mm_overlay_put(w->run.o, path, (struct mm_text){text, strlen(text)}, 0600);
}

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
		bool both;
	} rows[] = {{MM_SET_IN_SECURITY, "0", "none", true}, {MM_SET_OUT_SECURITY, "2", "starttls", true},
	    {MM_SET_IN_SECURITY, "3", "tls", true}, {MM_SET_IN_SECURITY, "1", "none", false},
	    {MM_SET_OUT_SECURITY, "4", "none", false}, {MM_SET_IN_SECURITY, "5", "none", false},
	    {MM_SET_IN_AUTH, "3", "password", true}, {MM_SET_IN_AUTH, "4", "cram-md5", true},
	    {MM_SET_OUT_AUTH, "5", "gssapi", true}, {MM_SET_IN_AUTH, "7", "external", true},
	    {MM_SET_OUT_AUTH, "10", "xoauth2", true}, {MM_SET_OUT_AUTH, "1", "none", true},
	    {MM_SET_IN_AUTH, "6", "ntlm", false}, {MM_SET_IN_AUTH, "8", "any encrypted (8)", false},
	    {MM_SET_IN_AUTH, "99", "99", false}, {MM_SET_IN_TLS_MIN, "3", "1.2", true},
	    {MM_SET_IN_TLS_MIN, "1", "1.0", true}, {MM_SET_IN_LEAVE_ON_SERVER, "true", "yes", true},
	    {MM_SET_IN_LEAVE_ON_SERVER, "false", "no", true}, {MM_SET_IN_PORT, "993", "993", true},
	    {MM_SET_IN_USERNAME, "3", "3", true}};
	W;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *note;

		assert_string_equal(mm_tb_to_word(rows[i].s, rows[i].pref, w->a, &note), rows[i].word);
		assert_true(
		    (note != NULL) == (strstr("145", rows[i].pref) != NULL &&
					  mm_streq(rows[i].word, "none") && rows[i].s != MM_SET_OUT_AUTH) ||
		    mm_streq(rows[i].word, "xoauth2"));
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
	struct mm_values all = work();

	all.v[s] = value;
	return mm_client_thunderbird.unsupported(s, value, &all);
}

static void what_it_cannot(void **state)
{
	struct mm_values pop = work(), google = work();

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

	put(w, ROOT "/profiles.ini", ini);
	put(w, PREFS, private);
	assert_int_equal(mm_client_thunderbird.find(w->r, true, &p, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_true(p->exists && p->in_use);
	assert_string_equal(p->path, PREFS);
	assert_string_equal(p->lock, PROFILE "/.parentlock");
	assert_null(p->busy);
	put(w, PROFILE "/.parentlock.locked", "");
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
	put(w, "/usr/bin/thunderbird", "");
	assert_int_equal(mm_client_thunderbird.find(w->r, false, &p, &n, &err), 0);
	assert_int_equal(n, 0);
	/* An old folder of ours, which nothing points to, is not taken for a new one. */
	put(w, ROOT "/mailmuster.default/prefs.js", "");
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

	put(w, "/usr/bin/thunderbird", "");
	w->sheet.create = MM_CREATE_ALWAYS;
	run(w);
	f = mm_overlay_files(w->run.o, &n);
	assert_int_equal(n, 2);
	assert_string_equal(f[0].path, ROOT "/mailmuster.default/prefs.js");
	assert_int_equal(f[0].create_mode, 0600);
	assert_string_equal(f[1].path, ROOT "/profiles.ini");
	assert_int_equal(f[1].create_mode, 0644);
}

/* ---- refusals */

static void in_profile(struct world *w, const char *prefs)
{
	put(w, ROOT "/profiles.ini", ini);
	put(w, PREFS, prefs);
}

/* What would crash Thunderbird, or make it drop the account. */
static void bad_hosts(void **state)
{
	static const char *const hosts[] = {
	    "imap.acme.example:993", "imap.acme.example ", "mail server", "[::1]", "", "a..b", NULL};
	struct mm_err err;
	W;

	in_profile(w, private);
	for (size_t i = 0; hosts[i] != NULL; i++) {
		w->acc[0].want.v[MM_SET_IN_HOST] = hosts[i];
		assert_int_equal(refused(w, &err), -1);
		assert_int_equal(err.code, MM_EX_DATAERR);
		w->acc[0].want.v[MM_SET_IN_HOST] = "imap.acme.example";
		w->acc[0].want.v[MM_SET_OUT_HOST] = hosts[i];
		assert_int_equal(refused(w, &err), -1);
		assert_int_equal(err.code, MM_EX_DATAERR);
		w->acc[0].want.v[MM_SET_OUT_HOST] = "smtp.acme.example";
	}
	run(w);
}

static void what_cannot_be_here(void **state)
{
	struct mm_err err;
	W;

	in_profile(w, private);
	w->acc[0].want.v[MM_SET_IN_HOST] = "IMAP.home.example";
	w->acc[0].want.v[MM_SET_IN_USERNAME] = "alice";
	assert_int_equal(refused(w, &err), -1);
	assert_int_equal(err.code, MM_EX_DIFF);
	assert_non_null(strstr(err.text, "account1"));
	w->acc[0].want.v[MM_SET_ADDRESS] = "alice@home.example";
	w->acc[0].want.v[MM_SET_IN_PROTOCOL] = "pop3";
	assert_int_equal(refused(w, &err), -1);
	assert_int_equal(err.code, MM_EX_DIFF);
	assert_non_null(strstr(err.text, "imap account"));
	w->acc[0].want = work();
	w->acc[0].want.v[MM_SET_IN_HOST] = NULL;
	assert_int_equal(refused(w, &err), -1);
	assert_int_equal(err.code, MM_EX_DIFF);
}

/* ---- changes */

static void notes_about_passwords(void **state)
{
	const char *text;
	W;

	in_profile(w, private);
	run(w);
	assert_non_null(strstr(w->run.v[0].done.note, "password once"));
	text = get(w, after(w), PREFS);
	put(w, PREFS, text);
	w->acc[0].want.v[MM_SET_IN_PORT] = "1993";
	run(w);
	assert_null(w->run.v[0].done.note);
	w->acc[0].want.v[MM_SET_OUT_USERNAME] = "alice";
	run(w);
	assert_non_null(strstr(w->run.v[0].done.note, "password again"));
}

/* A port that is not set moves with the security; the policy's stays. */
static void port_follows_security(void **state)
{
	W;

	in_profile(w,
	    "user_pref(\"mail.accountmanager.accounts\", \"a\");\nuser_pref(\"mail.account.a.server\", "
	    "\"s\");\n"
	    "user_pref(\"mail.account.a.identities\", \"i\");\nuser_pref(\"mail.server.s.type\", \"imap\");\n"
	    "user_pref(\"mail.server.s.hostname\", \"imap.acme.example\");\n"
	    "user_pref(\"mail.server.s.userName\", \"alice@acme.example\");\n"
	    "user_pref(\"mail.server.s.socketType\", 2);\n"
	    "user_pref(\"mail.identity.i.useremail\", \"alice@acme.example\");\n");
	w->acc[0].want.v[MM_SET_IN_PORT] = "143";
	run(w);
	assert_non_null(strstr(get(w, after(w), PREFS), "\"mail.server.s.port\", 143"));
	/* It had no outgoing server: it has one of its own now. */
	assert_non_null(strstr(get(w, after(w), PREFS), "\"mail.identity.i.smtpServer\", \"smtp_mm_work\""));
	undo(w);
	assert_string_equal(get(w, after(w), PREFS), get(w, w->r, PREFS));
}

static void account_without_identity(void **state)
{
	const char *text;
	W;

	in_profile(w, "user_pref(\"mail.accountmanager.accounts\", "
		      "\"a\");\nuser_pref(\"mail.account.a.server\", \"s\");\n"
		      "user_pref(\"mail.server.s.type\", \"imap\");\n"
		      "user_pref(\"mail.server.s.hostname\", \"imap.acme.example\");\n"
		      "user_pref(\"mail.server.s.userName\", \"alice@acme.example\");\n");
	run(w);
	text = get(w, after(w), PREFS);
	assert_non_null(strstr(text, "\"mail.account.a.identities\", \"id_mm_work\""));
	assert_non_null(strstr(text, "\"mail.identity.id_mm_work.useremail\", \"alice@acme.example\""));
	undo(w);
	assert_string_equal(get(w, after(w), PREFS), get(w, w->r, PREFS));
}

/* The user deleted our account in Thunderbird, which leaves its outgoing server. */
static void added_again(void **state)
{
	const char *text;
	W;

	in_profile(w, "user_pref(\"mail.smtpservers\", \"smtp_mm_work\");\n"
		      "user_pref(\"mail.smtpserver.smtp_mm_work.hostname\", \"smtp.acme.example\");\n"
		      "user_pref(\"mail.smtpserver.smtp_mm_work.port\", 25);\n");
	run(w);
	text = get(w, after(w), PREFS);
	assert_null(strstr(text, "-2"));
	assert_non_null(strstr(text, "\"mail.smtpserver.smtp_mm_work.port\", 465"));
	assert_non_null(strstr(text, "\"mail.smtpservers\", \"smtp_mm_work\""));
}

static void names_that_are_taken(void **state)
{
	const char *text;
	W;

	in_profile(w, "user_pref(\"mail.server.server_mm_work.name\", \"somebody's\");\n"
		      "user_pref(\"mail.identity.id7.smtpServer\", \"smtp_mm_work-2\");\n"
		      "user_pref(\"mail.smtpserver.smtp_mm_work-2.hostname\", \"x.example\");\n");
	run(w);
	assert_string_equal(w->run.v[0].key, "account_mm_work-2");
	text = get(w, after(w), PREFS);
	assert_non_null(strstr(text, "\"mail.account.account_mm_work-2.server\", \"server_mm_work-2\""));
	assert_non_null(strstr(text, "\"mail.identity.id_mm_work-2.smtpServer\", \"smtp_mm_work-2-2\""));
	assert_non_null(strstr(text, "\"mail.smtpserver.smtp_mm_work-2.hostname\", \"x.example\""));
	undo(w);
	assert_string_equal(get(w, after(w), PREFS), get(w, w->r, PREFS));
}

/* ---- removal */

/* What 153 adds at its first start. */
static const char added[] =
    "user_pref(\"mail.account.lastKey\", 2);\n"
    "user_pref(\"mail.identity.id_mm_work.fcc_folder\", "
    "\"imap://alice%40acme.example@imap.acme.example/Sent\");\n"
    "user_pref(\"mail.server.server_mm_work.directory\", \"/home/alice/x\");\n"
    "user_pref(\"mail.server.server_mm_work.directory-rel\", \"[ProfD]ImapMail/imap.acme.example\");\n"
    "user_pref(\"mail.smtpserver.smtp_mm_work.uid\", \"1-2-3\");\n"
    "user_pref(\"mail.server.server_mm_workshop.name\", \"not ours\");\n";

static void nothing_of_ours(struct world *w)
{
	const char *text = get(w, after(w), PREFS);

	assert_null(strstr(text, "mm_work\""));
	assert_null(strstr(text, "mm_work."));
	assert_non_null(strstr(text, "server_mm_workshop"));
}

static void removal_after_use(void **state)
{
	const char *text;
	W;

	in_profile(w, private);
	run(w);
	append(w, PREFS, added);
	append(w, PREFS,
	    "user_pref(\"mail.accountmanager.defaultaccount\", \"account_mm_work\");\n"
	    "user_pref(\"mail.smtp.defaultserver\", \"smtp_mm_work\");\n"
	    "user_pref(\"mail.identity.id1.smtpServer\", \"smtp_mm_work\");\n"
	    "user_pref(\"mail.server.server1.deferred_to_account\", \"account_mm_work\");\n"
	    "user_pref(\"mail.identity.id9.smtpServer\", \"smtp1\");\n");
	undo(w);
	nothing_of_ours(w);
	text = get(w, after(w), PREFS);
	assert_int_equal(strncmp(text, private, sizeof(private) - 1), 0);
	assert_null(strstr(text, "default"));
	assert_null(strstr(text, "id1.smtpServer"));
	assert_null(strstr(text, "deferred"));
	assert_non_null(strstr(text, "id9.smtpServer"));
}

/* The user's own default server stays, and so does an outgoing server of ours
 * that they took over for good. */
static void removal_keeps_what_is_not_ours(void **state)
{
	W;

	in_profile(w, private);
	run(w);
	append(w, PREFS,
	    "user_pref(\"mail.smtp.defaultserver\", \"smtp1\");\n"
	    "user_pref(\"mail.accountmanager.defaultaccount\", \"account1\");\n");
	undo(w);
	assert_non_null(strstr(get(w, after(w), PREFS), "\"mail.smtp.defaultserver\", \"smtp1\""));
	assert_non_null(
	    strstr(get(w, after(w), PREFS), "\"mail.accountmanager.defaultaccount\", \"account1\""));
}

static void removal_of_adopted_keeps_the_account(void **state)
{
	const char *text;
	W;

	in_profile(w, mm_arena_printf(w->a, "%s%s", private,
			  "user_pref(\"mail.account.account3.server\", \"server3\");\n"
			  "user_pref(\"mail.account.account3.identities\", \"id3\");\n"
			  "user_pref(\"mail.server.server3.type\", \"imap\");\n"
			  "user_pref(\"mail.server.server3.hostname\", \"imap.acme.example\");\n"
			  "user_pref(\"mail.server.server3.userName\", \"alice@acme.example\");\n"
			  "user_pref(\"mail.identity.id3.useremail\", \"alice@acme.example\");\n"
			  "user_pref(\"mail.accountmanager.accounts\", \"account1,account3\");\n"));
	run(w);
	assert_string_equal(w->run.v[0].key, "account3");
	/* account1 sends with the same server, so this one got its own. */
	text = get(w, after(w), PREFS);
	assert_non_null(strstr(text, "\"mail.smtpserver.smtp1.hostname\", \"smtp.home.example\""));
	assert_non_null(strstr(text, "\"mail.identity.id3.smtpServer\", \"smtp_mm_work\""));
	append(w, PREFS, "user_pref(\"mail.smtpserver.smtp_mm_work.uid\", \"1-2-3\");\n");
	undo(w);
	assert_string_equal(get(w, after(w), PREFS), get(w, w->r, PREFS));
}

/* A profile that we made goes, unless Thunderbird lives in it by now. */
static void profile_goes(void **state)
{
	W;

	put(w, "/usr/bin/thunderbird", "");
	w->sheet.create = MM_CREATE_ALWAYS;
	run(w);
	undo(w);
	assert_string_equal(get(w, after(w), ROOT "/profiles.ini"), "");
	assert_string_equal(get(w, after(w), ROOT "/mailmuster.default/prefs.js"), "");
}

static void profile_stays(void **state)
{
	const char *text;
	W;

	put(w, "/usr/bin/thunderbird", "");
	w->sheet.create = MM_CREATE_ALWAYS;
	run(w);
	append(w, ROOT "/mailmuster.default/prefs.js", "user_pref(\"mail.rights.version\", 1);\n");
	append(w, ROOT "/profiles.ini", "Locked=1\n");
	undo(w);
	text = get(w, after(w), ROOT "/profiles.ini");
	assert_non_null(strstr(text, "Path=mailmuster.default\n"));
	assert_non_null(strstr(text, "Default=mailmuster.default\n"));
	assert_non_null(strstr(text, "Locked=1\n"));
	assert_string_equal(get(w, after(w), ROOT "/mailmuster.default/prefs.js"),
	    "user_pref(\"mail.rights.version\", 1);\n");
}

/* The account with which the profile came goes, another one stays. */
static void profile_stays_for_the_other(void **state)
{
	struct mm_err err = MM_ERR_NONE;
	const char *text;
	W;

	put(w, "/usr/bin/thunderbird", "");
	w->sheet.create = MM_CREATE_ALWAYS;
	w->sheet.n_accounts = 2;
	run(w);
	w->run.n = 1;
	assert_int_equal(mm_client_undo(&w->run, &err), 0);
	text = get(w, after(w), ROOT "/profiles.ini");
	assert_non_null(strstr(text, "Default=mailmuster.default\n"));
	text = get(w, after(w), ROOT "/mailmuster.default/prefs.js");
	assert_null(strstr(text, "mm_work"));
	assert_non_null(strstr(text, "\"mail.accountmanager.accounts\", \"account_mm_team\""));
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

	in_profile(w, private);
	put(w, "/etc/thunderbird/pref/lock.js",
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

	put(w, HOME "/snap/thunderbird/common/.thunderbird/profiles.ini", ini);
	put(w, HOME "/snap/thunderbird/common/.thunderbird/p.default/prefs.js", private);
	put(w, "/etc/thunderbird/pref/lock.js", "pref(\"mail.server.server1.port\", 1993, locked);\n");
	assert_string_equal(see(w, MM_SET_IN_PORT)->value, "143");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

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
	    T(notes_about_passwords),
	    T(port_follows_security),
	    T(account_without_identity),
	    T(added_again),
	    T(names_that_are_taken),
	    T(removal_after_use),
	    T(removal_keeps_what_is_not_ours),
	    T(removal_of_adopted_keeps_the_account),
	    T(profile_goes),
	    T(profile_stays),
	    T(profile_stays_for_the_other),
	    T(locks_win_and_hold),
	    T(machine_files_are_not_snaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
