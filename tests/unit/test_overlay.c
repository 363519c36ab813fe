/* Edits in memory over a reader: what is read back, what differs, all or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/clients/overlay.h"
#include "agent/formats/muttrc.h"
#include "common/text.h"

/* A file system of two files. */
static int below_file(
    struct mm_reader *r, const char *path, struct mm_text *out, enum mm_file_trouble *why, struct mm_err *err)
{
	(void)r;
	if (strcmp(path, "/h/broken") == 0) {
		*why = MM_FILE_OWNER;
		return mm_err_set(err, MM_EX_FAILED, "belongs to somebody else");
	}
	if (strcmp(path, "/h/rc") != 0) {
		*why = MM_FILE_ABSENT;
		return 0;
	}
	*out = (struct mm_text){.p = "set a=b\n", .n = 8};
	return 1;
}

static int below_list(struct mm_reader *r, const char *path, const char *const **names, struct mm_err *err)
{
	static const char *const v[] = {"broken", "rc", NULL};

	(void)r, (void)err;
	*names = v;
	return strcmp(path, "/h") == 0 ? 1 : 0;
}

static const char *below_env(struct mm_reader *r, const char *name)
{
	(void)r;
	return strcmp(name, "X") == 0 ? "y" : NULL;
}

static bool below_yes(struct mm_reader *r, const char *name)
{
	(void)r;
	return strcmp(name, "yes") == 0;
}

static struct mm_overlay *setup(struct mm_reader *r)
{
	*r = (struct mm_reader){.arena = mm_arena_new(),
	    .login = "alice",
	    .home = "/h",
	    .file = below_file,
	    .list = below_list,
	    .env = below_env,
	    .program = below_yes,
	    .locked = below_yes};
	return mm_overlay_new(r);
}

static int apply(struct mm_overlay *o, const char *path, const char *key, mode_t mode, struct mm_edit *e,
    struct mm_err *err)
{
	struct mm_file_edit f = {
	    .path = path, .format = &mm_format_muttrc, .edits = e, .n = 1, .create_mode = mode};
	struct mm_edits edits = {.files = &f, .n = 1};

	*e = (struct mm_edit){.op = MM_EDIT_SET, .section = "", .key = key, .value = "x", .kind = 's'};
	return mm_overlay_apply(o, &edits, err);
}

static void reads_back(void **state)
{
	struct mm_reader below;
	struct mm_overlay *o = setup(&below);
	struct mm_reader *r = mm_overlay_reader(o);
	enum mm_file_trouble why = MM_FILE_OK;
	struct mm_err err = MM_ERR_NONE;
	struct mm_text t;
	struct mm_edit e;
	size_t n;

	(void)state;
	assert_int_equal(apply(o, "/h/rc", "a", 0, &e, &err), 0);
	assert_true(e.changed);
	assert_string_equal(e.former, "b");
	assert_int_equal(r->file(r, "/h/rc", &t, &why, &err), 1);
	assert_memory_equal(t.p, "set a=\"x\"\n", 10);
	assert_int_equal(apply(o, "/h/d/new", "a", 0600, &e, &err), 0);
	const struct mm_overlay_file *f = mm_overlay_files(o, &n);
	assert_int_equal(n, 2);
	assert_string_equal(f[0].path, "/h/rc");
	assert_memory_equal(f[0].before.p, "set a=b\n", 8);
	assert_null(f[1].before.p);
	assert_int_equal(f[1].create_mode, 0600);
	assert_string_equal(r->env(r, "X"), "y");
	assert_true(r->program(r, "yes") && !r->locked(r, "no"));
	mm_arena_free(below.arena);
}

static void lists(void **state)
{
	struct mm_reader below;
	struct mm_overlay *o = setup(&below);
	struct mm_reader *r = mm_overlay_reader(o);
	const char *const *names;
	struct mm_err err = MM_ERR_NONE;

	(void)state;
	mm_overlay_put(o, "/h/new", (struct mm_text){.p = "", .n = 0}, 0600);
	mm_overlay_put(o, "/h/rc", (struct mm_text){0}, 0);
	mm_overlay_put(o, "/h/d/deep", (struct mm_text){.p = "", .n = 0}, 0600);
	assert_int_equal(r->list(r, "/h", &names, &err), 1);
	assert_string_equal(names[0], "broken");
	assert_string_equal(names[1], "d");
	assert_string_equal(names[2], "new");
	assert_null(names[3]);
	assert_int_equal(r->list(r, "/h/d", &names, &err), 1);
	assert_string_equal(names[0], "deep");
	assert_int_equal(r->list(r, "/nowhere", &names, &err), 0);
	mm_arena_free(below.arena);
}

static void all_or_nothing(void **state)
{
	struct mm_reader below;
	struct mm_overlay *o = setup(&below);
	struct mm_edit good = {.op = MM_EDIT_SET, .section = "", .key = "a", .value = "x", .kind = 's'},
		       bad = good;
	struct mm_file_edit f[] = {
	    {.path = "/h/rc", .format = &mm_format_muttrc, .edits = &good, .n = 1},
	    {.path = "/h/absent", .format = &mm_format_muttrc, .edits = &bad, .n = 1},
	};
	struct mm_edits e = {.files = f, .n = 2};
	struct mm_err err = MM_ERR_NONE;
	size_t n;

	(void)state;
	assert_int_equal(mm_overlay_apply(o, &e, &err), -1);
	assert_string_equal(err.text, "/h/absent is not there");
	mm_overlay_files(o, &n);
	assert_int_equal(n, 0);
	f[1].path = "/h/broken";
	assert_int_equal(mm_overlay_apply(o, &e, &err), -1);
	assert_string_equal(err.text, "/h/broken: belongs to somebody else");
	mm_overlay_files(o, &n);
	assert_int_equal(n, 0);
	mm_arena_free(below.arena);
}

static void equal_is_no_difference(void **state)
{
	struct mm_reader below;
	struct mm_overlay *o = setup(&below);
	struct mm_edit e, back;
	struct mm_file_edit f = {.path = "/h/rc", .format = &mm_format_muttrc, .edits = &back, .n = 1};
	struct mm_edits edits = {.files = &f, .n = 1};
	struct mm_err err = MM_ERR_NONE;
	size_t n;

	(void)state;
	assert_int_equal(apply(o, "/h/rc", "a", 0, &e, &err), 0);
	assert_true(mm_edit_inverse(&e, &back));
	assert_int_equal(mm_overlay_apply(o, &edits, &err), 0);
	mm_overlay_files(o, &n);
	assert_int_equal(n, 0);
	mm_overlay_put(o, "/h/absent", (struct mm_text){0}, 0);
	mm_overlay_files(o, &n);
	assert_int_equal(n, 0);
	mm_arena_free(below.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_back),
	    cmocka_unit_test(lists),
	    cmocka_unit_test(all_or_nothing),
	    cmocka_unit_test(equal_is_no_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
