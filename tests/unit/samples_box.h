/* What tests of the frozen samples share: an arena, a sample read whole, and
 * whether two texts are the same JSON. */
#ifndef MM_TESTS_SAMPLES_BOX_H
#define MM_TESTS_SAMPLES_BOX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/frame.h"
#include "common/mem.h"

#define SAMPLES MM_SOURCE_DIR "/schemas/samples/"
#define NEW_BUF MM_BUF_INIT(MM_FRAME_MAX)

struct box {
	struct mm_arena *a;
	struct mm_err err;
};

/* cmocka setup and teardown; *state is a struct box. */
int box_setup(void **state);
int box_teardown(void **state);
/* A whole sample, in the arena; n may be NULL. */
const char *sample(const struct box *b, const char *name, size_t *n);
/* Both texts mean the same JSON. Frees the second. */
void same_meaning(const char *x, size_t n, struct mm_buf *y);

#endif
