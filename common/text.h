/*
 * Small questions about text and numbers.
 *
 * Numbers from outside are read only by mm_parse_int(): decimal, optional
 * minus, no blanks, within min..max; anything else is refused.
 */
#ifndef MM_COMMON_TEXT_H
#define MM_COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int mm_parse_int(const char *s, int64_t min, int64_t max, int64_t *out); /* 0 or -1 */

bool mm_streq(const char *a, const char *b);        /* NULL equals NULL only */
bool mm_streq_nocase(const char *a, const char *b); /* ASCII, whatever the locale */
bool mm_starts_with(const char *s, const char *prefix);
bool mm_ends_with(const char *s, const char *suffix);
/* Any byte below 0x20, or 0x7f. */
bool mm_has_control(const char *s);
/* Valid UTF-8, no overlong forms, no surrogates (RFC 3629). */
bool mm_is_utf8(const char *s, size_t n);
/* The code point that begins at s, and how many bytes it takes; 0 when those
 * bytes are not UTF-8 (or n is 0). */
size_t mm_utf8_next(const char *s, size_t n, uint32_t *cp);
/* A code point that reorders text for the reader (U+202A-202E, U+2066-2069,
 * U+200E, U+200F): legal, but a reason for suspicion in a name. */
bool mm_has_bidi(const char *s);
bool mm_is_bidi(uint32_t cp);
/* DNS host name or address literal as RFC 1123 2.1 has it; '_' allowed. No
 * port, no brackets, no final dot, no blank; IPv6 literals with ':' only if
 * they parse with inet_pton. */
bool mm_is_hostname(const char *s);
/* Optimal string alignment distance, case-insensitive; for "did you mean". */
size_t mm_distance(const char *a, const char *b);
/* The entry of a NULL-terminated list that is nearest to `s`, or NULL when
 * nothing is near enough to be worth saying. */
const char *mm_nearest(const char *s, const char *const *list);

/* "2026-11-23T10:00:00Z"; buf needs MM_TIME_MAX bytes. */
#define MM_TIME_MAX 32
const char *mm_time_utc(int64_t unix_time, char *buf);
/* The same, or "2026-11-23" for its first second; all of it UTC. -1: neither. */
int mm_time_parse(const char *s, int64_t *out);
/* "3 d 4 h", "12 min", "5 s": the largest two units. */
const char *mm_duration(int64_t seconds, char *buf);

#endif
