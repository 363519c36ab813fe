/* The limits of what is followed in mutt's files and hooks: behind each, nothing is certain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/mutt_eval.h"
#include "agent/clients/mutt_later.h"
#include "common/text.h"

#define ACCOUNT "set from=a@b.example folder=imaps://h.example/ spoolfile=+INBOX\n"

struct files {
	const char *main; /* ~/.muttrc */
	const char *each; /* ~/fN, with the next number in the place of %d, up to `last` */
	int last;
};

static int read_file(
    struct mm_reader *r, const char *path, struct mm_text *out, enum mm_file_trouble *why, struct mm_err *err)
{
	const struct files *f = r->ctx;
	const char *text = NULL;
	int64_t n;

	if (mm_streq(path, "/h/.muttrc"))
		text = f->main;
	else if (mm_starts_with(path, "/h/f") && mm_parse_int(path + 4, 0, 9999, &n) == 0)
		text = n < f->last ? mm_arena_printf(r->arena, "%s%d\n", f->each, (int)n + 1) : "set beep\n";
	else if (mm_starts_with(path, "/h/locked")) {
		*why = MM_FILE_OWNER;
		return mm_err_set(err, MM_EX_FAILED, "belongs to somebody else");
	}
	*why = MM_FILE_OK;
	if (text == NULL)
		return 0;
	*out = (struct mm_text){.p = text, .n = strlen(text)};
	return 1;
}

static int no_list(struct mm_reader *r, const char *path, const char *const **names, struct mm_err *err)
{
	(void)r, (void)path, (void)names, (void)err;
	return 0;
}

static const char *no_env(struct mm_reader *r, const char *name)
{
	(void)r, (void)name;
	return NULL;
}

/* What may win over the address, or NULL. */
static const char *doubt(struct mm_arena *a, const struct mm_client *c, const struct files *f)
{
	struct files copy = *f;
	struct mm_reader r = {.arena = a,
	    .login = "a",
	    .home = "/h",
	    .file = read_file,
	    .list = no_list,
	    .env = no_env,
	    .ctx = &copy};
	struct mm_place p = {.path = "/h/.muttrc", .exists = true, .in_use = true, .label = ""};
	struct mm_err err = MM_ERR_NONE;
	struct mm_view v;

	assert_int_equal(c->read(&r, &p, &v, &err), 0);
	assert_int_equal(v.n, 1);
	assert_string_equal(v.accounts[0].s[MM_SET_ADDRESS].value, "a@b.example");
	assert_null(v.accounts[0].s[MM_SET_ADDRESS].over_path);
	return v.accounts[0].s[MM_SET_ADDRESS].unsure_why;
}

static void doubted(const char *why, const char *part)
{
	assert_non_null(why);
	assert_non_null(strstr(why, part));
}

static const char *many(struct mm_arena *a, const char *head, const char *line, int n)
{
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	const char *out;

	mm_buf_adds(&b, head);
	for (int i = 0; i < n; i++)
		mm_buf_addf(&b, "%s%d\n", line, i);
	out = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

static void files_and_depth(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct files f = {.main = ACCOUNT "source ~/f1\n", .each = "source ~/f"};

	(void)state;
	f.last = MM_MUTT_DEPTH_MAX - 1; /* with the first one, as deep as it may be */
	assert_null(doubt(a, &mm_client_mutt, &f));
	f.last++;
	doubted(doubt(a, &mm_client_mutt, &f), "too many");
	f.last = 0;
	f.main = many(a, ACCOUNT, "source ~/f", MM_MUTT_FILES_MAX - 1);
	assert_null(doubt(a, &mm_client_mutt, &f));
	f.main = many(a, ACCOUNT, "source ~/f", MM_MUTT_FILES_MAX);
	doubted(doubt(a, &mm_client_mutt, &f), "too many");
	mm_arena_free(a);
}

static void hooks(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct files f = {.each = "folder-hook . source\\ ~/f"};

	(void)state;
	f.main = many(a, ACCOUNT, "folder-hook . set\\ my_x=", MM_MUTT_LATER_MAX);
	assert_null(doubt(a, &mm_client_mutt, &f));
	f.main = many(a, ACCOUNT, "folder-hook . set\\ my_x=", MM_MUTT_LATER_MAX + 1);
	doubted(doubt(a, &mm_client_mutt, &f), "more hooks");
	f.main = ACCOUNT "folder-hook . source\\ ~/f1\n";
	f.last = MM_MUTT_LATER_DEPTH_MAX;
	assert_null(doubt(a, &mm_client_mutt, &f));
	f.last++;
	doubted(doubt(a, &mm_client_mutt, &f), "more hooks");
	mm_arena_free(a);
}

static void conditions(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct files f = {.main = ACCOUNT "ifdef x 'source ~/f1'\n", .each = "ifdef x source\\ ~/f"};

	(void)state;
	assert_null(doubt(a, &mm_client_neomutt, &f));
	f.main = ACCOUNT "ifdef x 'set from=c@d.example'\n";
	doubted(doubt(a, &mm_client_neomutt, &f), "condition");
	assert_null(doubt(a, &mm_client_mutt, &f)); /* to mutt it is an unknown command */
	f.main = ACCOUNT "ifdef x 'set from=c@d.example'\nset from=a@b.example\n";
	assert_null(doubt(a, &mm_client_neomutt, &f));
	f.main = ACCOUNT "ifdef x 'set from=c@d.example\n";
	doubted(doubt(a, &mm_client_neomutt, &f), "condition");
	f.main = ACCOUNT "ifdef x `y`\n";
	doubted(doubt(a, &mm_client_neomutt, &f), "condition");
	mm_arena_free(a);
}

/* What stands before the address may say what it likes, if it is over when that is set. */
static void order(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {{"source 'x|'\n" ACCOUNT, NULL}, {ACCOUNT "source 'x|'\n", "output of a command"},
	    {ACCOUNT "source ~/locked\n", "cannot be read"}, {"source ~/locked\n" ACCOUNT, NULL},
	    {ACCOUNT "source $NOBODY_KNOWS/x\n", "not known"}, {ACCOUNT "source ~other/x\n", "not known"},
	    {ACCOUNT "source =x\n", "not known"}, {ACCOUNT "source not/there\n", "where mutt is started"},
	    {ACCOUNT "source ~/not-there\n", NULL}, {ACCOUNT "source 'x|'\nset from=a@b.example\n", NULL},
	    {ACCOUNT "source 'x|'\nreset all\n" ACCOUNT, NULL}, {"push ':x'\n" ACCOUNT, "keys are typed"},
	    {"exec enter-command\n" ACCOUNT, "keys are typed"}, {"exec sync-mailbox\n" ACCOUNT, NULL},
	    {"push `x`\n" ACCOUNT, "keys are typed"}, {"push '<f2>'\n" ACCOUNT, NULL},
	    {"macro index <F2> ':x'\npush '<f2>'\n" ACCOUNT, "keys are typed"},
	    {"macro index <F2> ':x'\npush '<f3>'\n" ACCOUNT, NULL},
	    {"bind index , enter-command\npush ',x'\n" ACCOUNT, "keys are typed"},
	    {"folder-hook other.example 'source x|'\n" ACCOUNT, NULL},
	    {"folder-hook h.example 'push :x'\n" ACCOUNT, "keys are typed"},
	    {"send-hook . 'source \"x|\"'\n" ACCOUNT, "output of a command"},
	    {"send-hook . 'source \"x|\"; set from=a@b.example'\n" ACCOUNT, NULL},
	    {"save-hook . 'source \"x|\"'\n" ACCOUNT, NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mm_arena *a = mm_arena_new();
		struct files f = {.main = cases[i].text, .each = ""};
		const char *why = doubt(a, &mm_client_mutt, &f);

		if (why == NULL || cases[i].why == NULL ? why != cases[i].why
							: strstr(why, cases[i].why) == NULL)
			fail_msg("%s: %s", cases[i].text, why != NULL ? why : "certain");
		mm_arena_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(files_and_depth), cmocka_unit_test(hooks),
	    cmocka_unit_test(conditions), cmocka_unit_test(order)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
