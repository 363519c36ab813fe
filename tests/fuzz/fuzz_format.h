/*
 * One input of an editor's fuzz target: the edit, then the text.
 *
 *	op (a digit) kind (a letter) LF section LF key LF value LF text...
 *
 * so that a corpus file can be read and written by hand.
 */
#ifndef MM_TESTS_FUZZ_FORMAT_H
#define MM_TESTS_FUZZ_FORMAT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/laws.h"

static const char *fuzz_line(const uint8_t **p, size_t *n, struct mm_arena *a)
{
	const uint8_t *lf = *n > 0 ? memchr(*p, '\n', *n) : NULL;
	size_t len = lf != NULL ? (size_t)(lf - *p) : *n;
	const char *s = len > 0 ? mm_arena_strndup(a, (const char *)*p, len) : "";

	*p += lf != NULL ? len + 1 : len;
	*n -= lf != NULL ? len + 1 : len;
	return s;
}

static int fuzz_format(const struct mm_format *f, const uint8_t *p, size_t n)
{
	struct mm_arena *a = mm_arena_new();
	const char *head = fuzz_line(&p, &n, a), *broken;
	struct mm_edit e = {.op = MM_EDIT_SET, .kind = 's'};
	bool refused;

	if (head[0] != '\0') {
		e.op = (enum mm_edit_op)((unsigned char)head[0] % MM_EDIT_OP_COUNT);
		e.kind = head[1] != '\0' ? head[1] : 's';
	}
	e.section = fuzz_line(&p, &n, a);
	e.key = fuzz_line(&p, &n, a);
	e.value = fuzz_line(&p, &n, a);
	broken = mm_laws_broken(f, (struct mm_text){.p = (const char *)p, .n = n}, &e, a, &refused);
	if (broken != NULL) {
		fprintf(stderr, "%s: %s\n", f->name, broken);
		abort();
	}
	mm_arena_free(a);
	return 0;
}

#endif
