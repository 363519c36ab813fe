/*
 * The laws of agent/formats/format.h as an oracle for tests and fuzzing: one
 * edit is carried out on one text, and everything that must hold is looked at.
 */
#ifndef MM_TESTS_LIB_LAWS_H
#define MM_TESTS_LIB_LAWS_H

#include "agent/formats/format.h"

/* NULL: all laws hold, or the editor refused (then *refused is true). Else
 * the law that is broken, in words that live in `a`. */
const char *mm_laws_broken(const struct mm_format *f, struct mm_text in, const struct mm_edit *edit,
    struct mm_arena *a, bool *refused);

#endif
