/*
 * What the documents of this folder have in common: reading members of a
 * JSON object into an arena with types, limits and form checked, and writing
 * texts that came from outside. Internal to schemas/.
 *
 * Nothing that was decoded holds a control character (C0, DEL or C1): every
 * text may be printed as it stands. What is encoded is cleaned the same way,
 * so that a config file with a stray byte cannot spoil a whole report.
 *
 * Errors have the code MM_EX_DATAERR unless a function says otherwise.
 */
#ifndef MM_SCHEMAS_WIRE_H
#define MM_SCHEMAS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"
#include "common/mem.h"
#include "schemas/report.h"

/* Integers that every JSON implementation holds exactly (RFC 8259, 6). */
#define MM_WIRE_INT_MAX ((INT64_C(1) << 53) - 1)
#define MM_WIRE_PROTO_MAX 65535

/* A new reference to an object; NULL on error, which starts with `what`. */
json_t *mm_wire_load(const char *what, const char *json, size_t n, struct mm_err *err);

/* ---- forms; NULL has none of them */
bool mm_wire_text_ok(const char *s);       /* no control character */
bool mm_wire_is_id(const char *s);         /* MM_ID_LEN - 1 lower-case hex digits */
bool mm_wire_is_sha256(const char *s);     /* 64 lower-case hex digits */
bool mm_wire_is_client(const char *s);     /* an adapter's name, [a-z0-9_-]{1,32} */
bool mm_wire_is_setting_id(const char *s); /* [a-z0-9_.]{1,64}, known or not */

/* ---- reading; texts are copied into the arena, `max` is in bytes */
int mm_wire_str(
    const json_t *o, const char *key, size_t max, struct mm_arena *a, const char **out, struct mm_err *err);
/* Absent or null gives `dflt`. */
int mm_wire_str_opt(const json_t *o, const char *key, size_t max, const char *dflt, struct mm_arena *a,
    const char **out, struct mm_err *err);
/* A text of a given form; with `optional`, absent gives NULL. */
typedef bool mm_wire_form(const char *s);
int mm_wire_form_str(const json_t *o, const char *key, mm_wire_form *ok, bool optional, struct mm_arena *a,
    const char **out, struct mm_err *err);
/* One of a table's words. `by_name` returns -1 for a stranger. */
int mm_wire_word(
    const json_t *o, const char *key, int (*by_name)(const char *), int *out, struct mm_err *err);
/* One of a NULL-terminated list; with `optional`, absent gives NULL. */
int mm_wire_listed(const json_t *o, const char *key, const char *const *words, bool optional,
    const char **out, struct mm_err *err);
/* A list without repetition, NULL-terminated, never NULL. `ok` may be NULL. */
int mm_wire_strings(const json_t *o, const char *key, size_t max_items, size_t max_len, mm_wire_form *ok,
    struct mm_arena *a, const char *const **out, size_t *n, struct mm_err *err);
/* An int, within min..max. */
int mm_wire_int(const json_t *o, const char *key, int min, int max, int *out, struct mm_err *err);
/* "proto":[major,minor]. Any version is read; see mm_wire_known(). */
int mm_wire_proto(const json_t *o, int *major, int *minor, struct mm_err *err);
/* Refuse a major that is not ours (code MM_EX_NOPERM, text names our range);
 * refuse members outside `names` unless the minor is newer than ours. */
int mm_wire_known(const json_t *o, int major, int minor, const char *const *names, struct mm_err *err);

/* ---- writing */
/* Cleaned, and cut to `max` bytes ("..." at its end); NULL sets nothing. */
void mm_wire_put(json_t *o, const char *key, const char *s, size_t max);
void mm_wire_put_strings(json_t *o, const char *key, const char *const *list, size_t n, size_t max);
void mm_wire_put_proto(json_t *o, int major, int minor);
/* Append `s` to `b` with everything replaced that may not be printed. */
void mm_wire_clean(struct mm_buf *b, const char *s);
/* Dump and give up the reference. */
void mm_wire_finish(json_t *o, struct mm_buf *out);

/* ---- the part of a login that login frames and probe answers share; the ladder
 * stands in the controller's JSON reports, too */
void mm_login_put(json_t *o, const struct mm_login *l);
int mm_login_get(const json_t *o, struct mm_arena *a, struct mm_login *out, struct mm_err *err);
void mm_ladder_put(json_t *o, const struct mm_ladder *l);
int mm_ladder_get(const json_t *o, struct mm_arena *a, struct mm_ladder *out, struct mm_err *err);
void mm_ladder_put_tls(json_t *tls, const struct mm_tls_facts *t); /* key, signature, ..., chain */
int mm_ladder_get_tls(const json_t *tls, struct mm_arena *a, struct mm_tls_facts *t, struct mm_err *err);

#endif
