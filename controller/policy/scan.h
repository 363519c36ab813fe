/*
 * What libconfig does not say, or says wrongly, is found here, before it
 * reads a policy: a grammar check that names the fault, numbers that it would
 * wrap (4294967297 reads as 1), names given twice, bytes that are no text.
 *
 * The result is the same policy for libconfig, line for line, without
 * comments and without faults that were reported already: a bad value
 * becomes MM_SCAN_BAD, a name given twice becomes "*N". Neither can be
 * written by a person, so the reader skips both in silence. Arrays become
 * lists.
 */
#ifndef MM_POLICY_SCAN_H
#define MM_POLICY_SCAN_H

#include <stdint.h>

#include "common/buf.h"
#include "controller/policy/source.h"

#define MM_SCAN_BAD "0L"          /* the only 64-bit integers in the result */
#define MM_POLICY_DEPTH 16        /* of braces, brackets and parentheses */
#define MM_POLICY_NAMES_MAX 20000 /* names in one group */
#define MM_POLICY_NAME_MAX 64     /* bytes of a name */

/* -1: the text is not libconfig's grammar, and one error says where. 0: `out`
 * can be given to libconfig; there may be errors all the same. */
int mm_scan(const struct mm_source *s, struct mm_arena *a, struct mm_buf *out, struct mm_diags *d);

#endif
