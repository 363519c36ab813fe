/*
 * The words of TOML 1.0 (toml.io/en/v1.0.0): keys, strings, numbers, dates.
 * Arrays and tables are toml_scan.h.
 */
#ifndef MM_AGENT_FORMATS_TOML_VALUE_H
#define MM_AGENT_FORMATS_TOML_VALUE_H

#include "agent/formats/format.h"

#define MM_TOML_DEPTH_MAX 64 /* names in a path, and arrays and tables in each other */

struct mm_toml_cursor {
	struct mm_text in;
	size_t at;
	struct mm_arena *a;
};

struct mm_toml_value {
	char kind;        /* 's', 'i' (decimal), 'b' (true, false); 'u': as it is spelled */
	const char *text; /* decoded */
};

/* An error that names the line of the cursor. */
int mm_toml_wrong(const struct mm_toml_cursor *c, const char *what, struct mm_err *err);

void mm_toml_blanks(struct mm_toml_cursor *c);
/* A comment up to its line end; no comment there is fine. */
int mm_toml_comment(struct mm_toml_cursor *c, struct mm_err *err);
bool mm_toml_at_newline(const struct mm_toml_cursor *c);
void mm_toml_newline(struct mm_toml_cursor *c);

/* One key in its only canonical spelling: bare where it can be, else "...". */
int mm_toml_key(struct mm_toml_cursor *c, const char **name, struct mm_err *err);
/* Keys with dots between them; at most MM_TOML_DEPTH_MAX. */
int mm_toml_path(struct mm_toml_cursor *c, const char **names, size_t *n, struct mm_err *err);
/* A string, number, date or boolean. */
int mm_toml_scalar(struct mm_toml_cursor *c, struct mm_toml_value *out, struct mm_err *err);

/* "..." with its escapes; `n` bytes of UTF-8. */
const char *mm_toml_quote(const char *s, size_t n, struct mm_arena *a);
/* Can it stand between single quotes? */
bool mm_toml_is_literal(const char *s);

#endif
