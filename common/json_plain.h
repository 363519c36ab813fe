/*
 * The JSON that our own programs write, read in one pass: no blanks, texts of
 * printable ASCII in which at most quotes and backslashes are escaped, whole
 * numbers of at most 15 digits. The tree is the one that jansson would make.
 *
 * This accepts less than RFC 8259 allows, and nothing that jansson would read
 * otherwise, or refuse (a name that stands twice). Whatever is not plain is
 * for the real parser, which says what is wrong with it, if anything is.
 */
#ifndef MM_COMMON_JSON_PLAIN_H
#define MM_COMMON_JSON_PLAIN_H

#include <jansson.h>
#include <stddef.h>

/* An object or an array, nested at most MM_JSON_DEPTH deep; a new reference, or NULL. */
json_t *mm_json_plain(const char *p, size_t n);

#endif
