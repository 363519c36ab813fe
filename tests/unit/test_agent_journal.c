#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/journal.h"
#include "common/file.h"
#include "common/text.h"

struct world {
	struct mm_arena *a;
	char dir[64];
	struct mm_journal j;
	struct mm_text files[3]; /* "/f/0".. as recovery sees them; p NULL = not there */
	bool unreadable;
};

static int setup(void **state)
{
	struct world *w = mm_xcalloc(1, sizeof(*w));
	struct mm_err err;
	w->a = mm_arena_new();
	memcpy(w->dir, "/tmp/mm-jour-XXXXXX", 20);
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(mm_journal_load(w->dir, w->a, &w->j, &err), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	unlink(mm_arena_printf(w->a, "%s/journal.json", w->dir));
	assert_int_equal(rmdir(w->dir), 0);
	mm_arena_free(w->a);
	free(w);
	return 0;
}

#define W struct world *w = *state

static struct mm_done_edit set_edit(const char *path, const char *key, const char *value, const char *former)
{
	return (struct mm_done_edit){.path = path,
	    .format = "ini",
	    .e = {.op = MM_EDIT_SET,
		.section = "work",
		.key = key,
		.value = value,
		.kind = 's',
		.had = former != NULL,
		.former = former,
		.former_kind = 's',
		.changed = true}};
}

static struct mm_row *add_row(struct world *w, struct mm_rows *rows, const char *account)
{
	struct mm_row *r = mm_rows_add(w->a, rows);
	*r = (struct mm_row){
	    .client = "fake", .path = "/f/0", .account = account, .key = "k", .created = true};
	return r;
}

static void reload(struct world *w)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_journal j;
	if (mm_journal_load(w->dir, w->a, &j, &err) != 0)
		fail_msg("%s", err.text);
	w->j = j;
}

static void save(struct world *w)
{
	struct mm_err err = MM_ERR_NONE;
	if (mm_journal_save(&w->j, &err) != 0)
		fail_msg("%s", err.text);
}

static void round_trip(void **state)
{
	W;
	struct mm_row *r = add_row(w, &w->j.rows, "work");
	r->applied.v[MM_SET_IN_HOST] = "imap.acme.example";
	r->applied.v[MM_SET_REAL_NAME] = "`id`\"; $(x) | y";
	struct mm_done_edit d = set_edit("/f/0", "host", "new", "old\twith\nlines");
	d.created_file = true;
	mm_row_record(w->a, r, &d);
	d = set_edit("/f/1", "latin", "x", "caf\xe9");
	mm_row_record(w->a, r, &d);
	w->j.revision = 42;
	save(w);
	reload(w);
	assert_int_equal(w->j.revision, 42);
	r = mm_rows_find(&w->j.rows, "fake", "/f/0", "work");
	assert_non_null(r);
	assert_true(r->created);
	assert_string_equal(r->applied.v[MM_SET_REAL_NAME], "`id`\"; $(x) | y");
	assert_null(r->applied.v[MM_SET_IN_PORT]);
	assert_int_equal(r->n_edits, 2);
	assert_string_equal(r->edits[0].e.former, "old\twith\nlines");
	assert_true(r->edits[0].created_file);
	assert_true(r->edits[0].e.had);
	/* Bytes that are not UTF-8 come back as they were. */
	assert_string_equal(r->edits[1].e.former, "caf\xe9");
	assert_int_equal(r->edits[1].e.former_kind, 's');
}

static void nothing_to_say_writes_nothing(void **state)
{
	W;
	save(w);
	assert_int_equal(access(w->j.file, F_OK), -1);
}

static void unchanged_is_not_written(void **state)
{
	W;
	struct stat before, after;
	add_row(w, &w->j.rows, "work");
	save(w);
	assert_int_equal(stat(w->j.file, &before), 0);
	assert_int_equal(before.st_mode & 07777, 0600);
	reload(w);
	save(w);
	assert_int_equal(stat(w->j.file, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void refused(struct world *w, const char *text, const char *says)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_journal j;
	assert_int_equal(mm_write_own(w->j.file, text, strlen(text), 0600, &err), 0);
	assert_int_equal(mm_journal_load(w->dir, w->a, &j, &err), -1);
	if (strstr(err.text, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, says);
}

static void what_cannot_be_read(void **state)
{
	W;
	refused(w, "{\"version\":2,\"revision\":1,\"rows\":[],\"more\":1}", "newer mailmuster-agent");
	refused(w, "{\"version\":1,\"revision\":1,\"rows\":[{}]}", "client");
	refused(w, "{\"version\":1,\"revision\":1,\"rows\":[", "journal");
	refused(w, "", "journal");
	refused(w, "{\"version\":1,\"revision\":-1,\"rows\":[]}", "revision");
	refused(w,
	    "{\"version\":1,\"revision\":1,\"rows\":[{\"client\":\"c\",\"path\":\"/"
	    "p\",\"account\":\"a\",\"key\":\"k\","
	    "\"applied\":{},\"edits\":[{\"path\":\"/p\",\"format\":\"ini\",\"op\":\"explode\"}]}]}",
	    "no known kind");
}

static void record_folds(void **state)
{
	W;
	struct mm_row *r = add_row(w, &w->j.rows, "work");
	struct mm_done_edit d = set_edit("/f/0", "host", "one", "first");
	mm_row_record(w->a, r, &d);
	d = set_edit("/f/0", "host", "two", "one");
	mm_row_record(w->a, r, &d);
	assert_int_equal(r->n_edits, 1);
	assert_string_equal(r->edits[0].e.former, "first");
	assert_string_equal(r->edits[0].e.value, "two");
	d = set_edit("/f/1", "host", "two", NULL);
	mm_row_record(w->a, r, &d);
	d = set_edit("/f/0", "port", "1", NULL);
	mm_row_record(w->a, r, &d);
	assert_int_equal(r->n_edits, 3);
	struct mm_done_edit list = {.path = "/f/0",
	    .format = "ini",
	    .e = {.op = MM_EDIT_LIST_ADD, .key = "list", .value = "a", .changed = true}};
	mm_row_record(w->a, r, &list);
	list.e.section = "b"; /* only where it goes */
	mm_row_record(w->a, r, &list);
	assert_int_equal(r->n_edits, 4);
	list.e.value = "c";
	mm_row_record(w->a, r, &list);
	assert_int_equal(r->n_edits, 5);
}

static void install_replaces_one_place(void **state)
{
	W;
	add_row(w, &w->j.rows, "work");
	add_row(w, &w->j.rows, "team");
	add_row(w, &w->j.rows, "far")->path = "/elsewhere";
	struct mm_rows copy = mm_rows_copy(w->a, &w->j.rows, "fake", "/f/0");
	assert_int_equal(copy.n, 2);
	mm_rows_remove(&copy, &copy.r[0]);
	mm_rows_install(w->a, &w->j.rows, "fake", "/f/0", &copy);
	assert_int_equal(w->j.rows.n, 2);
	assert_null(mm_rows_find(&w->j.rows, "fake", "/f/0", "work"));
	assert_non_null(mm_rows_find(&w->j.rows, "fake", "/f/0", "team"));
	assert_non_null(mm_rows_find(&w->j.rows, "fake", "/elsewhere", "far"));
}

/* ---- recovery */

static int read_one(void *ctx, const char *path, struct mm_text *text)
{
	struct world *w = ctx;
	const struct mm_text *t = &w->files[path[3] - '0'];
	if (w->unreadable)
		return -1;
	*text = *t;
	return t->p != NULL;
}

#define TEXT(s) ((struct mm_text){.p = (s), .n = sizeof(s) - 1})
#define OLD0 "[work]\nhost=old\n"
#define NEW0 "[work]\nhost=new\n"

/* An intent over two files: /f/0 is changed, /f/1 is new. Saved and loaded,
 * as after a kill. */
static void intend(struct world *w)
{
	struct mm_intent_file *f = mm_arena_alloc(w->a, 2, sizeof(*f));
	f[0].path = "/f/0";
	mm_sha256_hex(OLD0, strlen(OLD0), f[0].before);
	mm_sha256_hex(NEW0, strlen(NEW0), f[0].after);
	f[1].path = "/f/1";
	mm_sha256_hex("[x]\ny=1\n", 8, f[1].after);
	struct mm_rows rows = {.n = 0};
	struct mm_row *r = add_row(w, &rows, "work");
	r->applied.v[MM_SET_IN_HOST] = "new";
	struct mm_done_edit d = set_edit("/f/0", "host", "new", "old");
	mm_row_record(w->a, r, &d);
	d = set_edit("/f/1", "y", "1", NULL);
	d.e.section = "x";
	mm_row_record(w->a, r, &d);
	w->j.intent = (struct mm_intent){.client = "fake", .path = "/f/0", .files = f, .n = 2, .rows = rows};
	save(w);
	reload(w);
	assert_int_equal(w->j.rows.n, 0);
	assert_int_equal(w->j.intent.n, 2);
}

static struct mm_row *recovered(struct world *w)
{
	assert_int_equal(mm_journal_recover(&w->j, read_one, w), 1);
	assert_null(w->j.intent.client);
	return mm_rows_find(&w->j.rows, "fake", "/f/0", "work");
}

static void no_intent(void **state)
{
	W;
	assert_int_equal(mm_journal_recover(&w->j, read_one, w), 0);
}

static void killed_before_the_first_file(void **state)
{
	W;
	intend(w);
	w->files[0] = TEXT(OLD0);
	assert_null(recovered(w));
}

static void killed_after_the_last_file(void **state)
{
	W;
	intend(w);
	w->files[0] = TEXT(NEW0);
	w->files[1] = TEXT("[x]\ny=1\n");
	struct mm_row *r = recovered(w);
	assert_non_null(r);
	assert_string_equal(r->applied.v[MM_SET_IN_HOST], "new");
	assert_int_equal(r->n_edits, 2);
}

static void killed_in_between(void **state)
{
	W;
	intend(w);
	w->files[0] = TEXT(OLD0);
	w->files[1] = TEXT("[x]\ny=1\n");
	struct mm_row *r = recovered(w);
	assert_non_null(r);
	assert_null(r->applied.v[MM_SET_IN_HOST]);
	assert_int_equal(r->n_edits, 1);
	assert_string_equal(r->edits[0].path, "/f/1");
}

static void written_to_since(void **state)
{
	W;
	intend(w);
	w->files[0] = TEXT("; added later\n[work]\nhost=new\n");
	struct mm_row *r = recovered(w);
	assert_non_null(r);
	assert_int_equal(r->n_edits, 1);
	assert_string_equal(r->edits[0].e.former, "old");
}

static void written_to_but_not_by_us(void **state)
{
	W;
	intend(w);
	w->files[0] = TEXT("[work]\nhost=other\n");
	assert_null(recovered(w));
}

static void nothing_can_be_read(void **state)
{
	W;
	intend(w);
	w->unreadable = true;
	assert_null(recovered(w));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(round_trip), T(nothing_to_say_writes_nothing),
	    T(unchanged_is_not_written), T(what_cannot_be_read), T(record_folds),
	    T(install_replaces_one_place), T(no_intent), T(killed_before_the_first_file),
	    T(killed_after_the_last_file), T(killed_in_between), T(written_to_since),
	    T(written_to_but_not_by_us), T(nothing_can_be_read)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
