#include "thunderbird_world.h"

const char mm_tb_ini[] = "[InstallFDC34C9F024745EB]\nDefault=p.default\n\n"
			 "[Profile0]\nName=p\nIsRelative=1\nPath=p.default\n\n[General]\nVersion=2\n";
const char mm_tb_private[] = "user_pref(\"mail.account.account1.identities\", \"id1\");\n"
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

/* ---- a folder that plays the root */

void mm_tb_put(struct world *w, const char *path, const char *text)
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

const char *mm_tb_get(struct world *w, struct mm_reader *r, const char *path)
{
	struct mm_text t;
	enum mm_file_trouble why;

	if (r->file(r, path, &t, &why, NULL) != 1)
		return NULL;
	return mm_arena_strndup(w->a, t.p, t.n);
}

struct mm_values mm_tb_work(void)
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

int mm_tb_setup(void **state)
{
	static const char *const none[] = {NULL};
	struct world *w = mm_xcalloc(1, sizeof(*w));

	w->a = mm_arena_new();
	w->dir = mm_test_mkdir();
	w->root = w->dir.path;
	w->r = mm_rootreader_new(w->a, w->root, "alice", HOME);
	w->acc[0] =
	    (struct mm_account){.name = "work", .label = "Acme", .replaces = none, .want = mm_tb_work()};
	w->acc[1] =
	    (struct mm_account){.name = "team", .label = "Team", .replaces = none, .want = mm_tb_work()};
	w->acc[1].want.v[MM_SET_ADDRESS] = w->acc[1].want.v[MM_SET_IN_USERNAME] = "team@acme.example";
	w->sheet = (struct mm_sheet){.user = "alice", .accounts = w->acc, .n_accounts = 1};
	*state = w;
	return 0;
}

int mm_tb_teardown(void **state)
{
	W;

	mm_test_rmdir(&w->dir);
	mm_arena_free(w->a);
	free(w);
	return 0;
}

struct mm_reader *mm_tb_after(struct world *w)
{
	return mm_overlay_reader(w->run.o);
}

void mm_tb_run(struct world *w)
{
	struct mm_err err = MM_ERR_NONE;

	if (mm_client_run(&w->run, w->r, &mm_client_thunderbird, &w->sheet, &err) != 0)
		fail_msg("%s", err.text);
	assert_non_null(w->run.place);
	assert_null(mm_client_unproven(&w->run));
}

int mm_tb_refused(struct world *w, struct mm_err *err)
{
	*err = MM_ERR_NONE;
	return mm_client_run(&w->run, w->r, &mm_client_thunderbird, &w->sheet, err);
}

void mm_tb_undo(struct world *w)
{
	struct mm_err err = MM_ERR_NONE;

	if (mm_client_undo(&w->run, &err) != 0)
		fail_msg("%s", err.text);
}

/* Thunderbird, or its user, has written more into a file. */
void mm_tb_append(struct world *w, const char *path, const char *lines)
{
	const char *old = mm_tb_get(w, mm_tb_after(w), path), *text;

	text = mm_arena_printf(w->a, "%s%s", old != NULL ? old : "", lines);
	mm_overlay_put(w->run.o, path, (struct mm_text){text, strlen(text)}, 0600);
}

void mm_tb_in_profile(struct world *w, const char *prefs)
{
	mm_tb_put(w, ROOT "/profiles.ini", mm_tb_ini);
	mm_tb_put(w, PREFS, prefs);
}
