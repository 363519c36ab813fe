/* Passwords that stood in a config are kept neither in the journal nor in a generation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/forget.h"
#include "agent/restore.h"
#include "common/file.h"
#include "common/text.h"
#include "converge_world.h"

#define W struct world *w = *state
#define SECRET "geheim-4711"

static unsigned files_seen;

static int holds_no_secret(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	struct mm_err err;

	(void)st;
	(void)ftw;
	if (type != FTW_F)
		return 0;
	assert_int_equal(mm_file_read_own(path, 1u << 20, false, &b, &err), 0);
	if (memmem(mm_buf_str(&b), b.len, SECRET, strlen(SECRET)) != NULL)
		fail_msg("%s holds the password", path);
	files_seen++;
	mm_buf_free(&b);
	return 0;
}

static void nothing_kept(struct world *w)
{
	files_seen = 0;
	assert_int_equal(nftw(w->state, holds_no_secret, 8, FTW_PHYS), 0);
	assert_true(files_seen >= 2); /* the journal, and what the generation is */
}

static void use(struct world *w, const char *client)
{
	w->client = mm_client_by_name(client);
	w->rule.client = client;
	w->acc[0].want.v[MM_SET_IN_SECURITY] = "tls";
	w->acc[0].want.v[MM_SET_IN_AUTH] = "password";
	w->acc[0].want.v[MM_SET_IN_PASSWORD_COMMAND] = "[\"/usr/bin/pass\",\"show\",\"x\"]";
}

static void put_aerc(struct world *w, const char *text)
{
	struct mm_err err;

	assert_int_equal(mm_mkdirs(mm_arena_printf(w->a, "%s/.config/aerc", w->home), 0700, &err), 0);
	put_file(w, ".config/aerc/accounts.conf", text);
}

static void gone(struct world *w)
{
	w->sheet.n_accounts = 0;
	apply(w);
	assert_non_null(strstr(finding(w, "work", "")->reason, "but for a password"));
	nothing_kept(w);
}

static void in_an_address(void **state)
{
	W;

	use(w, "aerc");
	put_aerc(
	    w, "[mine]\nfrom = Al <alice@acme.example>\nsource = imaps://al:" SECRET "@imap.acme.example\n");
	apply(w);
	assert_non_null(
	    strstr(get_file(w, ".config/aerc/accounts.conf"), "imaps://alice@imap.acme.example:993"));
	nothing_kept(w);
	gone(w);
	assert_non_null(
	    strstr(get_file(w, ".config/aerc/accounts.conf"), "source = imaps://al@imap.acme.example\n"));
}

static void in_a_mailrc(void **state)
{
	W;

	use(w, "s_nail");
	put_file(w, ".mailrc",
	    "set hold v15-compat from=alice@acme.example inbox=imaps://al:" SECRET
	    "@imap.acme.example mta=/x\n");
	apply(w);
	expect(w, "work", "incoming.username", MM_ST_UNMANAGED, MM_ACT_ADOPTED);
	nothing_kept(w);
	gone(w);
	assert_string_equal(get_file(w, ".mailrc"),
	    "set hold v15-compat from=alice@acme.example inbox=imaps://al@imap.acme.example mta=/x\n");
}

/* Other files of the same place keep their bytes. */
static void restored_by_its_edits(void **state)
{
	struct mm_session s = {.conf = NULL};
	struct mm_restored *done;
	struct mm_err err = MM_ERR_NONE;
	size_t n;
	W;

	use(w, "aerc");
	put_aerc(w, "[mine]\nfrom = alice@acme.example\nsource = imaps://al:" SECRET
		    "@imap.acme.example\ncopy-to = Sent\n");
	apply(w);
	s.who = w->who;
	s.state_dir = w->state;
	assert_int_equal(mm_restore(&s, 0, w->a, &done, &n, &err), 0);
	assert_true(n >= 1);
	assert_non_null(strstr(done[0].how, "is not kept"));
	assert_string_equal(get_file(w, ".config/aerc/accounts.conf"),
	    "[mine]\nfrom = alice@acme.example\nsource = imaps://al@imap.acme.example\ncopy-to = Sent\n");
}

static struct mm_done_edit edit(enum mm_edit_op op, const char *key, const char *former, char kind)
{
	return (struct mm_done_edit){.e = {.op = op,
					 .key = key,
					 .value = "x",
					 .had = true,
					 .changed = true,
					 .former = former,
					 .former_raw = former,
					 .former_kind = kind}};
}

static void what_is_secret(void **state)
{
	static const struct {
		const char *key, *former;
		char kind;
		const char *kept; /* NULL: nothing */
		bool secret;
	} rows[] = {{"imap_pass", SECRET, 's', NULL, true}, {"Pass", SECRET, 's', NULL, true},
	    {"smtppass", SECRET, 's', NULL, true}, {"auth.raw", SECRET, 's', NULL, true},
	    {"smtp-auth-password-a@b", SECRET, 's', NULL, true},
	    {"imap_pass", "pass show x", 'e', "pass show x", false},
	    {"PassCmd", "cat x", 's', "cat x", false}, {"passwordeval", "cat x", 's', "cat x", false},
	    {"remember_password", "true", 's', "true", false}, {"use_secret", "1", 's', "1", false},
	    {"source", "imaps://u:" SECRET "@h:993/x", 's', "imaps://u@h:993/x", true},
	    {"source", "imaps://u:a/b@" SECRET "@h", 's', "imaps://u@h", true},
	    {"source", "imaps://u@h:993", 's', "imaps://u@h:993", false},
	    {"source", "imaps://h:993/a@b", 's', "imaps://h:993/a@b", false},
	    {"source", "imaps://[::1]:993", 's', "imaps://[::1]:993", false},
	    {"url", "smtps://$u:$p@h", 'v', "smtps://$u:$p@h", false}, {"host", "h", 's', "h", false}};
	struct mm_arena *a = mm_arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm_done_edit d = edit(MM_EDIT_SET, rows[i].key, rows[i].former, rows[i].kind);

		mm_forget_secret(&d, a);
		if (rows[i].kept != NULL && (d.e.former == NULL || strcmp(d.e.former, rows[i].kept) != 0))
			fail_msg("%s: %s", rows[i].former, d.e.former);
		if (rows[i].kept == NULL)
			assert_null(d.e.former);
		assert_int_equal(d.secret, rows[i].secret);
		assert_true(!d.secret || d.e.former_raw == NULL);
	}
	mm_arena_free(a);
}

/* A journal from before: what it kept is forgotten when it is read. */
static void old_journals(void **state)
{
	static const char text[] =
	    "{\"version\":1,\"revision\":3,\"rows\":[{\"client\":\"aerc\",\"path\":\"/"
	    "x\",\"account\":\"work\","
	    "\"key\":\"mine\",\"created\":false,\"applied\":{},\"edits\":[{\"path\":\"/"
	    "x\",\"format\":\"go-ini\","
	    "\"op\":\"set\",\"section\":\"mine\",\"key\":\"source\",\"value\":\"imaps://a@h\",\"kind\":\"s\","
	    "\"had\":true,\"former\":\"imaps://a:" SECRET "@h\",\"former_raw\":\"imaps://a:" SECRET
	    "@h\"}]}]}";
	struct mm_journal j;
	struct mm_err err = MM_ERR_NONE;
	W;

	assert_int_equal(mm_mkdirs(w->state, 0700, &err), 0);
	put_file(w, ".local/state/x/journal.json", text);
	assert_int_equal(mm_journal_load(w->state, w->a, &j, &err), 0);
	assert_string_equal(j.rows.r[0].edits[0].e.former, "imaps://a@h");
	assert_int_equal(mm_journal_save(&j, &err), 0);
	assert_null(strstr(get_file(w, ".local/state/x/journal.json"), SECRET));
	assert_non_null(strstr(get_file(w, ".local/state/x/journal.json"), "\"secret\":true"));
	assert_int_equal(mm_journal_load(w->state, w->a, &j, &err), 0);
	assert_true(j.rows.r[0].edits[0].secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_secret),
	    cmocka_unit_test_setup_teardown(in_an_address, mm_world_setup, mm_world_teardown),
	    cmocka_unit_test_setup_teardown(in_a_mailrc, mm_world_setup, mm_world_teardown),
	    cmocka_unit_test_setup_teardown(restored_by_its_edits, mm_world_setup, mm_world_teardown),
	    cmocka_unit_test_setup_teardown(old_journals, mm_world_setup, mm_world_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
