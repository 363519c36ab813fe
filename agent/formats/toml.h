/*
 * TOML 1.0 (toml.io/en/v1.0.0): himalaya, meli.
 *
 * All of the grammar is read: bare, quoted and dotted keys, [tables],
 * [[arrays of tables]], inline tables, the four kinds of strings, numbers,
 * dates. What TOML forbids is an error here: a key or table that comes twice,
 * a table that is extended from elsewhere, control characters, bytes that are
 * no UTF-8, integers beyond 64 bits. A byte order mark is passed over.
 *
 * Items: wherever a value stands, its section is the whole path of its table
 * and its key the last name; names are spelled bare where they can be, else
 * as "...": `a.b = 1` in [x], `b = 1` in [x.a] and `x.a = { b = 1 }` are one
 * item, section "x.a", key "b". Elements of [[t]] are called t[0], t[1] ...
 * Kinds: s strings, i integers (decimal), b booleans (true, false), u all
 * else (arrays, floats, dates), as it is spelled. Headers ("") and inline
 * tables ("{") are items with the key "" and of kind c.
 *
 * Edits: SET, DELETE; SECTION_ADD ([header] at the end), SECTION_REMOVE (a
 * header below which nothing is left). A new key comes behind the last one of
 * its table, in a table that is not there yet with dots into the nearest one
 * around it. A value in '...' stays so where it can; others become "...".
 */
#ifndef MM_AGENT_FORMATS_TOML_H
#define MM_AGENT_FORMATS_TOML_H

#include "agent/formats/format.h"

extern const struct mm_format mm_format_toml;

/* The same with lines `include("file")`, which meli gives to m4: items with the
 * key "include" and of kind c, behind all others. */
extern const struct mm_format mm_format_meli;

/* A name of a path (section or key), decoded: `"a b"` is a b. */
const char *mm_toml_name(const char *spelled, struct mm_arena *a);
/* A name as it stands in a path. NULL: it is not UTF-8. */
const char *mm_toml_spell_name(const char *name, struct mm_arena *a);
/* The strings of an array as it is spelled (an item of kind u), NULL-terminated;
 * NULL: not an array of strings. */
const char *const *mm_toml_strings(const char *spelled, struct mm_arena *a, size_t *n);
/* An array of strings as it is spelled; NULL where one is not UTF-8. */
const char *mm_toml_array(const char *const *strings, struct mm_arena *a);

#endif
