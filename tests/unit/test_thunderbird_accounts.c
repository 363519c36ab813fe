/*
 * Accounts in Thunderbird: what changing them touches, and what is left when
 * they go, above all after Thunderbird has made the profile its own.
 */
#include "thunderbird_world.h"

/* ---- changes */

static void notes_about_passwords(void **state)
{
	const char *text;
	W;

	mm_tb_in_profile(w, mm_tb_private);
	mm_tb_run(w);
	assert_non_null(strstr(w->run.v[0].done.note, "password once"));
	text = mm_tb_get(w, mm_tb_after(w), PREFS);
	mm_tb_put(w, PREFS, text);
	w->acc[0].want.v[MM_SET_IN_PORT] = "1993";
	mm_tb_run(w);
	assert_null(w->run.v[0].done.note);
	w->acc[0].want.v[MM_SET_OUT_USERNAME] = "alice";
	mm_tb_run(w);
	assert_non_null(strstr(w->run.v[0].done.note, "password again"));
}

/* A port that is not set moves with the security; the policy's stays. */
static void port_follows_security(void **state)
{
	W;

	mm_tb_in_profile(w,
	    "user_pref(\"mail.accountmanager.accounts\", \"a\");\nuser_pref(\"mail.account.a.server\", "
	    "\"s\");\n"
	    "user_pref(\"mail.account.a.identities\", \"i\");\nuser_pref(\"mail.server.s.type\", \"imap\");\n"
	    "user_pref(\"mail.server.s.hostname\", \"imap.acme.example\");\n"
	    "user_pref(\"mail.server.s.userName\", \"alice@acme.example\");\n"
	    "user_pref(\"mail.server.s.socketType\", 2);\n"
	    "user_pref(\"mail.identity.i.useremail\", \"alice@acme.example\");\n");
	w->acc[0].want.v[MM_SET_IN_PORT] = "143";
	mm_tb_run(w);
	assert_non_null(strstr(mm_tb_get(w, mm_tb_after(w), PREFS), "\"mail.server.s.port\", 143"));
	/* It had no outgoing server: it has one of its own now. */
	assert_non_null(
	    strstr(mm_tb_get(w, mm_tb_after(w), PREFS), "\"mail.identity.i.smtpServer\", \"smtp_mm_work\""));
	mm_tb_undo(w);
	assert_string_equal(mm_tb_get(w, mm_tb_after(w), PREFS), mm_tb_get(w, w->r, PREFS));
}

static void account_without_identity(void **state)
{
	const char *text;
	W;

	mm_tb_in_profile(w, "user_pref(\"mail.accountmanager.accounts\", "
			    "\"a\");\nuser_pref(\"mail.account.a.server\", \"s\");\n"
			    "user_pref(\"mail.server.s.type\", \"imap\");\n"
			    "user_pref(\"mail.server.s.hostname\", \"imap.acme.example\");\n"
			    "user_pref(\"mail.server.s.userName\", \"alice@acme.example\");\n");
	mm_tb_run(w);
	text = mm_tb_get(w, mm_tb_after(w), PREFS);
	assert_non_null(strstr(text, "\"mail.account.a.identities\", \"id_mm_work\""));
	assert_non_null(strstr(text, "\"mail.identity.id_mm_work.useremail\", \"alice@acme.example\""));
	mm_tb_undo(w);
	assert_string_equal(mm_tb_get(w, mm_tb_after(w), PREFS), mm_tb_get(w, w->r, PREFS));
}

/* The user deleted our account in Thunderbird, which leaves its outgoing server. */
static void added_again(void **state)
{
	const char *text;
	W;

	mm_tb_in_profile(w, "user_pref(\"mail.smtpservers\", \"smtp_mm_work\");\n"
			    "user_pref(\"mail.smtpserver.smtp_mm_work.hostname\", \"smtp.acme.example\");\n"
			    "user_pref(\"mail.smtpserver.smtp_mm_work.port\", 25);\n");
	mm_tb_run(w);
	text = mm_tb_get(w, mm_tb_after(w), PREFS);
	assert_null(strstr(text, "-2"));
	assert_non_null(strstr(text, "\"mail.smtpserver.smtp_mm_work.port\", 465"));
	assert_non_null(strstr(text, "\"mail.smtpservers\", \"smtp_mm_work\""));
}

static void names_that_are_taken(void **state)
{
	const char *text;
	W;

	mm_tb_in_profile(w, "user_pref(\"mail.server.server_mm_work.name\", \"somebody's\");\n"
			    "user_pref(\"mail.identity.id7.smtpServer\", \"smtp_mm_work-2\");\n"
			    "user_pref(\"mail.smtpserver.smtp_mm_work-2.hostname\", \"x.example\");\n");
	mm_tb_run(w);
	assert_string_equal(w->run.v[0].key, "account_mm_work-3");
	text = mm_tb_get(w, mm_tb_after(w), PREFS);
	assert_non_null(strstr(text, "\"mail.account.account_mm_work-3.server\", \"server_mm_work-3\""));
	assert_non_null(strstr(text, "\"mail.identity.id_mm_work-3.smtpServer\", \"smtp_mm_work-3\""));
	assert_non_null(strstr(text, "\"mail.smtpserver.smtp_mm_work-2.hostname\", \"x.example\""));
	mm_tb_undo(w);
	assert_string_equal(mm_tb_get(w, mm_tb_after(w), PREFS), mm_tb_get(w, w->r, PREFS));
}

static const char adoptable[] = "user_pref(\"mail.account.account3.server\", \"server3\");\n"
				"user_pref(\"mail.account.account3.identities\", \"id3\");\n"
				"user_pref(\"mail.server.server3.type\", \"imap\");\n"
				"user_pref(\"mail.server.server3.hostname\", \"imap.acme.example\");\n"
				"user_pref(\"mail.server.server3.userName\", \"alice@acme.example\");\n"
				"user_pref(\"mail.identity.id3.useremail\", \"alice@acme.example\");\n"
				"user_pref(\"mail.accountmanager.accounts\", \"account1,account3\");\n";

/* A key of ours that points elsewhere already is not taken over. */
static void outgoing_key_is_taken(void **state)
{
	struct mm_err err;
	W;

	mm_tb_in_profile(
	    w, mm_arena_printf(w->a, "%s%suser_pref(\"mail.smtpserver.smtp_mm_work.uid\", \"1\");\n",
		   mm_tb_private, adoptable));
	assert_int_equal(mm_tb_refused(w, &err), -1);
	assert_int_equal(err.code, MM_EX_DIFF);
	assert_non_null(strstr(err.text, "smtp_mm_work"));
}

/* The user sends from a private account through our server: it stays ours to change. */
static void our_server_is_shared(void **state)
{
	const char *text;
	W;

	mm_tb_in_profile(w, mm_tb_private);
	mm_tb_run(w);
	mm_tb_append(w, PREFS, "user_pref(\"mail.identity.id1.smtpServer\", \"smtp_mm_work\");\n");
	mm_tb_put(w, PREFS, mm_tb_get(w, mm_tb_after(w), PREFS));
	w->acc[0].want.v[MM_SET_OUT_HOST] = "smtp2.acme.example";
	mm_tb_run(w);
	text = mm_tb_get(w, mm_tb_after(w), PREFS);
	assert_non_null(strstr(text, "\"mail.smtpserver.smtp_mm_work.hostname\", \"smtp2.acme.example\""));
	assert_null(strstr(text, "smtp_mm_work-2"));
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
	const char *text = mm_tb_get(w, mm_tb_after(w), PREFS);

	assert_null(strstr(text, "mm_work\""));
	assert_null(strstr(text, "mm_work."));
	assert_non_null(strstr(text, "server_mm_workshop"));
}

static void removal_after_use(void **state)
{
	const char *text;
	W;

	mm_tb_in_profile(w, mm_tb_private);
	mm_tb_run(w);
	mm_tb_append(w, PREFS, added);
	mm_tb_append(w, PREFS,
	    "user_pref(\"mail.accountmanager.defaultaccount\", \"account_mm_work\");\n"
	    "user_pref(\"mail.smtp.defaultserver\", \"smtp_mm_work\");\n"
	    "user_pref(\"mail.identity.id1.smtpServer\", \"smtp_mm_work\");\n"
	    "user_pref(\"mail.server.server1.deferred_to_account\", \"account_mm_work\");\n"
	    "user_pref(\"mail.identity.id9.smtpServer\", \"smtp1\");\n");
	mm_tb_undo(w);
	nothing_of_ours(w);
	text = mm_tb_get(w, mm_tb_after(w), PREFS);
	assert_int_equal(strncmp(text, mm_tb_private, strlen(mm_tb_private)), 0);
	assert_null(strstr(text, "default"));
	assert_null(strstr(text, "id1.smtpServer"));
	assert_null(strstr(text, "deferred"));
	assert_non_null(strstr(text, "id9.smtpServer"));
}

/* The user's own defaults stay. */
static void removal_keeps_what_is_not_ours(void **state)
{
	W;

	mm_tb_in_profile(w, mm_tb_private);
	mm_tb_run(w);
	mm_tb_append(w, PREFS,
	    "user_pref(\"mail.smtp.defaultserver\", \"smtp1\");\n"
	    "user_pref(\"mail.accountmanager.defaultaccount\", \"account1\");\n");
	mm_tb_undo(w);
	assert_non_null(
	    strstr(mm_tb_get(w, mm_tb_after(w), PREFS), "\"mail.smtp.defaultserver\", \"smtp1\""));
	assert_non_null(strstr(
	    mm_tb_get(w, mm_tb_after(w), PREFS), "\"mail.accountmanager.defaultaccount\", \"account1\""));
}

static void removal_of_adopted_keeps_the_account(void **state)
{
	const char *text;
	W;

	mm_tb_in_profile(w, mm_arena_printf(w->a, "%s%s", mm_tb_private, adoptable));
	mm_tb_run(w);
	assert_string_equal(w->run.v[0].key, "account3");
	/* account1 sends with the same server, so this one got its own. */
	text = mm_tb_get(w, mm_tb_after(w), PREFS);
	assert_non_null(strstr(text, "\"mail.smtpserver.smtp1.hostname\", \"smtp.home.example\""));
	assert_non_null(strstr(text, "\"mail.identity.id3.smtpServer\", \"smtp_mm_work\""));
	mm_tb_append(w, PREFS, "user_pref(\"mail.smtpserver.smtp_mm_work.uid\", \"1-2-3\");\n");
	mm_tb_undo(w);
	assert_string_equal(mm_tb_get(w, mm_tb_after(w), PREFS), mm_tb_get(w, w->r, PREFS));
}

/* A profile that we made goes, unless Thunderbird lives in it by now. */
static void profile_goes(void **state)
{
	W;

	mm_tb_put(w, "/usr/bin/thunderbird", "");
	w->sheet.create = MM_CREATE_ALWAYS;
	mm_tb_run(w);
	mm_tb_undo(w);
	assert_string_equal(mm_tb_get(w, mm_tb_after(w), ROOT "/profiles.ini"), "");
	assert_string_equal(mm_tb_get(w, mm_tb_after(w), ROOT "/mailmuster.default/prefs.js"), "");
}

static void profile_stays(void **state)
{
	const char *text;
	W;

	mm_tb_put(w, "/usr/bin/thunderbird", "");
	w->sheet.create = MM_CREATE_ALWAYS;
	mm_tb_run(w);
	mm_tb_append(w, ROOT "/mailmuster.default/prefs.js", "user_pref(\"mail.rights.version\", 1);\n");
	mm_tb_append(w, ROOT "/profiles.ini", "Locked=1\n");
	mm_tb_undo(w);
	text = mm_tb_get(w, mm_tb_after(w), ROOT "/profiles.ini");
	assert_non_null(strstr(text, "Path=mailmuster.default\n"));
	assert_non_null(strstr(text, "Default=mailmuster.default\n"));
	assert_non_null(strstr(text, "Locked=1\n"));
	assert_string_equal(mm_tb_get(w, mm_tb_after(w), ROOT "/mailmuster.default/prefs.js"),
	    "user_pref(\"mail.rights.version\", 1);\n");
}

/* The account with which the profile came goes, another one stays. */
static void profile_stays_for_the_other(void **state)
{
	struct mm_err err = MM_ERR_NONE;
	const char *text;
	W;

	mm_tb_put(w, "/usr/bin/thunderbird", "");
	w->sheet.create = MM_CREATE_ALWAYS;
	w->sheet.n_accounts = 2;
	mm_tb_run(w);
	w->run.n = 1;
	assert_int_equal(mm_client_undo(&w->run, &err), 0);
	text = mm_tb_get(w, mm_tb_after(w), ROOT "/profiles.ini");
	assert_non_null(strstr(text, "Default=mailmuster.default\n"));
	text = mm_tb_get(w, mm_tb_after(w), ROOT "/mailmuster.default/prefs.js");
	assert_null(strstr(text, "mm_work"));
	assert_non_null(strstr(text, "\"mail.accountmanager.accounts\", \"account_mm_team\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(notes_about_passwords),
	    T(port_follows_security),
	    T(account_without_identity),
	    T(added_again),
	    T(names_that_are_taken),
	    T(outgoing_key_is_taken),
	    T(our_server_is_shared),
	    T(removal_after_use),
	    T(removal_keeps_what_is_not_ours),
	    T(removal_of_adopted_keeps_the_account),
	    T(profile_goes),
	    T(profile_stays),
	    T(profile_stays_for_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
