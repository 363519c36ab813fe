/*
 * JSON written straight into text, for whoever writes rows by the hundred
 * thousand: what comes out is byte for byte what mm_json_dump() prints of the
 * same values (compact, members in the order they were put).
 *
 * A value goes where the text stands: a comma is put before it when something
 * stands before it in the same object or array. `key` NULL: an item of an
 * array, or a value by itself.
 */
#ifndef MM_COMMON_JSON_TEXT_H
#define MM_COMMON_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

/* A text as mm_json_set_str() sets it; NULL puts nothing. */
void mm_json_put_str(struct mm_buf *b, const char *key, const char *s);
/* The same, but NULL is null. */
void mm_json_put_text(struct mm_buf *b, const char *key, const char *s);
void mm_json_put_int(struct mm_buf *b, const char *key, int64_t v);
void mm_json_put_bool(struct mm_buf *b, const char *key, bool v);
void mm_json_put_null(struct mm_buf *b, const char *key);
/* A moment as RFC 3339 has it; null when it is 0 or before. */
void mm_json_put_time(struct mm_buf *b, const char *key, int64_t t);
/* A value that is there already. */
void mm_json_put(struct mm_buf *b, const char *key, json_t *stolen);
/* The members of an object that is there already, into the one at hand. */
void mm_json_put_members(struct mm_buf *b, json_t *stolen);

void mm_json_open(struct mm_buf *b, const char *key); /* an object */
void mm_json_close(struct mm_buf *b);
void mm_json_open_list(struct mm_buf *b, const char *key);
void mm_json_close_list(struct mm_buf *b);

#endif
