/* Shared by the tests of the editors: one text, one edit, one expected text. */
#ifndef MM_TESTS_FORMAT_UTIL_H
#define MM_TESTS_FORMAT_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/laws.h"

struct edit_case {
	const char *in;
	enum mm_edit_op op;
	char kind;
	const char *section, *key, *value;
	const char *out; /* NULL: refused */
};

static inline struct mm_text text_of(const char *s)
{
	return (struct mm_text){.p = s, .n = strlen(s)};
}

static inline void run_case(const struct mm_format *f, const struct edit_case *c)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	struct mm_edit e = {
	    .op = c->op, .kind = c->kind, .section = c->section, .key = c->key, .value = c->value};
	struct mm_edit law = e;
	struct mm_err err = MM_ERR_NONE;
	bool refused;
	int rc = f->edit(text_of(c->in), &e, 1, a, &b, &err);
	const char *broken;

	if (c->out == NULL) {
		if (rc == 0)
			fail_msg("not refused: %s", c->in);
		assert_int_equal(err.code, MM_EX_DATAERR);
		assert_int_equal(b.len, 0);
	} else {
		if (rc != 0)
			fail_msg("%s: %s", c->in, err.text);
		assert_string_equal(mm_buf_str(&b), c->out);
		assert_int_equal(e.changed, strcmp(c->in, c->out) != 0);
	}
	broken = mm_laws_broken(f, text_of(c->in), &law, a, &refused);
	if (broken != NULL)
		fail_msg("%s: %s", c->in, broken);
	mm_buf_free(&b);
	mm_arena_free(a);
}

#define RUN_CASES(format, cases)                                                                             \
	for (size_t i_ = 0; i_ < sizeof(cases) / sizeof((cases)[0]); i_++)                                   \
	run_case(format, &(cases)[i_])

struct item_case { /* one text and the items in it, "section|key|kind|value" a line; NULL: malformed */
	const char *in;
	const char *items;
};

static inline void run_items(const struct mm_format *f, const struct item_case *c)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_buf b = MM_BUF_INIT(65536);
	struct mm_err err = MM_ERR_NONE;
	struct mm_doc d;
	int rc = f->parse(text_of(c->in), a, &d, &err);

	if (c->items == NULL) {
		if (rc == 0)
			fail_msg("accepted: %s", c->in);
		assert_int_equal(err.code, MM_EX_DATAERR);
		assert_non_null(strstr(err.text, "line "));
	} else {
		if (rc != 0)
			fail_msg("%s: %s", c->in, err.text);
		for (size_t i = 0; i < d.n; i++)
			mm_buf_addf(&b, "%s%s|%s|%c|%s\n", d.items[i].wins ? "" : "~", d.items[i].section,
			    d.items[i].key, d.items[i].kind, d.items[i].value);
		assert_string_equal(mm_buf_str(&b), c->items);
	}
	mm_buf_free(&b);
	mm_arena_free(a);
}

#define RUN_ITEMS(format, cases)                                                                             \
	for (size_t i_ = 0; i_ < sizeof(cases) / sizeof((cases)[0]); i_++)                                   \
	run_items(format, &(cases)[i_])

/* What every editor refuses. */
static inline void check_limits(const struct mm_format *f)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	struct mm_doc d;
	size_t n = MM_FORMAT_TEXT_MAX;
	char *big = mm_xcalloc(n + 1, 1);

	memset(big, '\n', n + 1);
	assert_int_equal(f->parse((struct mm_text){.p = big, .n = n}, a, &d, &err), 0);
	assert_int_equal(f->parse((struct mm_text){.p = big, .n = n + 1}, a, &d, &err), -1);
	assert_int_equal(err.code, MM_EX_DATAERR);
	assert_int_equal(f->parse((struct mm_text){.p = "\n\0\n", .n = 3}, a, &d, &err), -1);
	assert_int_equal(err.code, MM_EX_DATAERR);
	assert_non_null(strstr(err.text, "line 2"));
	free(big);
	mm_arena_free(a);
}

#endif
