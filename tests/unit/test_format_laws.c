/*
 * The laws of the editors on every file of the golden folders
 * (tests/clients/CLIENT/CASE/before): untidy files from real life. What a
 * client's files are edited with follows from their names.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "agent/formats/format.h"
#include "common/text.h"
#include "tests/lib/laws.h"

struct walk {
	unsigned files, edits, refused;
};

static const char *format_of(const char *path)
{
	static const struct {
		const char *end, *format;
	} names[] = {{"/prefs.js", "prefs.js"}, {"/user.js", "prefs.js"}, {"/geary.ini", "keyfile"},
	    {".source", "keyfile"}, {"/accounts.conf", "keyfile"}, {".ini", "ini"}, {"msmtprc", "msmtprc"},
	    {"/msmtp/config", "msmtprc"}, {"mpoprc", "msmtprc"}, {"/mpop/config", "msmtprc"},
	    {".mbsyncrc", "mbsyncrc"}, {"/isyncrc", "mbsyncrc"}, {"/accounts.conf", "go-ini"},
	    {".fetchmailrc", "fetchmailrc"}, {".fdm.conf", "fdmconf"}, {".mh_profile", "mhprofile"},
	    {".mailrc", "mailrc"}, {"s-nail.rc", "mailrc"}, {".netrc", "netrc"}, {".emacs", "elisp"},
	    {".el", "elisp"}, {"fdm.d/accounts", "fdmconf"}, {"/getmailrc", "python-ini"},
	    {"/getmail/work", "python-ini"}, {".offlineimaprc", "python-ini-percent"},
	    {"/offlineimap/config", "python-ini-percent"}, {".gitconfig", "gitconfig"},
	    {"/git/config", "gitconfig"}, {"muttrc", "muttrc"}, {"Muttrc", "muttrc"}, {".rc", "muttrc"},
	    {".mutt/account", "muttrc"}, {"/mailtransports", "kconfig"}, {"/emailidentities", "kconfig"},
	    {"_0rc", "kconfig"}, {"_1rc", "kconfig"}, {"/agentsrc", "keyfile"}, {"balsa/config", "keyfile"},
	    {"/meli/config.toml", "meli"}, {".toml", "toml"}, {"/config-private", "keyfile"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (mm_ends_with(path, names[i].end))
			return names[i].format;
	return NULL;
}

static void one(
    struct walk *w, const char *path, const struct mm_format *f, struct mm_text in, const struct mm_edit *e)
{
	struct mm_arena *a = mm_arena_new();
	bool refused;
	const char *broken = mm_laws_broken(f, in, e, a, &refused);

	if (broken != NULL)
		fail_msg("%s: %s %s: %s", path, mm_edit_op_name(e->op), e->key, broken);
	w->edits++;
	w->refused += refused ? 1 : 0;
	mm_arena_free(a);
}

static void new_things(struct walk *w, const char *path, const struct mm_format *f, struct mm_text in)
{
	static const struct mm_edit edits[] = {
	    {.op = MM_EDIT_SET, .section = "", .key = "zz_new", .value = "`id`\"; $(x) | y", .kind = 's'},
	    {.op = MM_EDIT_SET, .section = "", .key = "zz_new", .value = "993", .kind = 'i'},
	    {.op = MM_EDIT_SET, .section = "", .key = "zz_new", .value = "yes", .kind = 'b'},
	    {.op = MM_EDIT_SET, .section = "", .key = "zz_new", .value = "/bin/true", .kind = 'e'},
	    {.op = MM_EDIT_DELETE, .section = "", .key = "zz_new", .kind = 's'},
	    {.op = MM_EDIT_LIST_ADD,
		.section = "",
		.key = "mail.accountmanager.accounts",
		.value = "zz",
		.kind = 's'},
	    {.op = MM_EDIT_LIST_ADD,
		.section = "account2",
		.key = "mail.accountmanager.accounts",
		.value = "zz",
		.kind = 's'},
	    {.op = MM_EDIT_LIST_REMOVE,
		.section = "",
		.key = "mail.accountmanager.accounts",
		.value = "account1",
		.kind = 's'},
	    {.op = MM_EDIT_SECTION_ADD, .section = "zz", .key = "", .kind = 's'},
	    {.op = MM_EDIT_SECTION_REMOVE, .section = "work", .key = "", .kind = 's'},
	    {.op = MM_EDIT_BLOCK_SET, .section = "", .key = "", .value = "source ~/x\nset a=b", .kind = 's'},
	    {.op = MM_EDIT_BLOCK_REMOVE, .section = "", .key = "", .kind = 's'},
	};

	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++)
		one(w, path, f, in, &edits[i]);
}

static void each_item(struct walk *w, const char *path, const struct mm_format *f, struct mm_text in)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_doc d;

	if (f->parse(in, a, &d, NULL) != 0) {
		mm_arena_free(a);
		return;
	}
	for (size_t i = 0; i < d.n; i++) {
		struct mm_edit e = {
		    .op = MM_EDIT_SET, .section = d.items[i].section, .key = d.items[i].key, .kind = 's'};

		if (d.items[i].kind == 'c')
			continue;
		e.value = "it's \"new\" \\ #; `x` $y";
		one(w, path, f, in, &e);
		e.value = "7";
		e.kind = 'i';
		one(w, path, f, in, &e);
		e.op = MM_EDIT_DELETE;
		one(w, path, f, in, &e);
	}
	mm_arena_free(a);
}

static void check_file(struct walk *w, const char *path, size_t size)
{
	const struct mm_format *f = mm_format_by_name(format_of(path));
	char *text = mm_xcalloc(size + 1, 1);
	FILE *in = fopen(path, "rb");

	assert_non_null(in);
	assert_int_equal(fread(text, 1, size, in), size);
	fclose(in);
	w->files++;
	new_things(w, path, f, (struct mm_text){.p = text, .n = size});
	each_item(w, path, f, (struct mm_text){.p = text, .n = size});
	free(text);
}

static void visit(struct walk *w, const char *dir, bool inside)
{
	struct mm_arena *a = mm_arena_new();
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		const char *path = mm_arena_printf(a, "%s/%s", dir, e->d_name);
		struct stat st;

		if (mm_streq(e->d_name, ".") || mm_streq(e->d_name, "..") || stat(path, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode))
			visit(w, path, inside || mm_streq(e->d_name, "before"));
		else if (inside && format_of(path) != NULL)
			check_file(w, path, (size_t)st.st_size);
	}
	if (d != NULL)
		closedir(d);
	mm_arena_free(a);
}

static void all_samples(void **state)
{
	struct walk w = {0};

	(void)state;
	visit(&w, MM_SOURCE_DIR "/tests/clients", false);
	print_message("%u files, %u edits, %u of them refused\n", w.files, w.edits, w.refused);
	assert_true(w.files > 30);
	assert_true(w.edits - w.refused > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_samples)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
