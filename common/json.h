/*
 * JSON from outside, over jansson: strict loading with limits, and reading
 * of members with types checked and errors that name the member.
 *
 * Loading uses JSON_REJECT_DUPLICATES; nesting is limited by jansson itself
 * (2048) and, before parsing, by us (MM_JSON_DEPTH). Strings with NUL or
 * control characters are refused where a text is asked for.
 */
#ifndef MM_COMMON_JSON_H
#define MM_COMMON_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

#define MM_JSON_DEPTH 16

/* A new reference, or NULL with an error that starts with `what`. */
json_t *mm_json_load(const char *what, const char *p, size_t n, struct mm_err *err);
/* Compact, members in the order they were set. */
void mm_json_dump(const json_t *j, struct mm_buf *out);
/* A text of UTF-8 as it stands in JSON, with its quotes. */
void mm_json_quote(struct mm_buf *b, const char *s, size_t n);

/* Members of an object. `max` in bytes. Strings are borrowed from `o`. */
int mm_json_str(const json_t *o, const char *key, size_t max, const char **out, struct mm_err *err);
/* NULL when absent or null. */
int mm_json_str_opt(const json_t *o, const char *key, size_t max, const char **out, struct mm_err *err);
int mm_json_int(const json_t *o, const char *key, int64_t min, int64_t max, int64_t *out, struct mm_err *err);
int mm_json_int_opt(const json_t *o, const char *key, int64_t min, int64_t max, int64_t dflt, int64_t *out,
    struct mm_err *err);
int mm_json_bool_opt(const json_t *o, const char *key, bool dflt, bool *out, struct mm_err *err);
/* Borrowed; an absent `optional` member gives NULL, which jansson's functions
 * (json_array_size(), json_array_foreach() ...) take as an empty array, and
 * those for objects as an empty object. An absent member and null are alike. */
int mm_json_array(const json_t *o, const char *key, size_t max_items, bool optional, const json_t **out,
    struct mm_err *err);
int mm_json_object(const json_t *o, const char *key, bool optional, const json_t **out, struct mm_err *err);
/* Every member must be one of the NULL-terminated names. */
int mm_json_only(const json_t *o, const char *const *names, struct mm_err *err);

/* Set members; out of memory ends the program, NULL text sets nothing. Text
 * that is not UTF-8 is set in the form of mm_printable(). */
void mm_json_set_str(json_t *o, const char *key, const char *s);
void mm_json_set_int(json_t *o, const char *key, int64_t v);
void mm_json_set_bool(json_t *o, const char *key, bool v);
void mm_json_set(json_t *o, const char *key, json_t *stolen);

#endif
