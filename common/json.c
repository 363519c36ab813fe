#include "common/json.h"

#include <string.h>

#include "common/json_plain.h"
#include "common/term.h"
#include "common/text.h"

#define DUMP_DEPTH 2048

/* jansson's iteration is declared for a changeable object; this changes nothing. */
static json_t *changeable(const json_t *o)
{
	union {
		const json_t *in;
		json_t *out;
	} u = {.in = o};
	return u.out;
}

/* Nesting is limited before the parser sees it: jansson's own limit of 2048
 * is deep for those who walk the result. Quotes decide what is a bracket. */
static bool too_deep(const char *p, size_t n)
{
	size_t depth = 0;
	bool quoted = false;
	for (size_t i = 0; i < n; i++) {
		if (quoted && p[i] == '\\')
			i++;
		else if (p[i] == '"')
			quoted = !quoted;
		else if (!quoted && (p[i] == '{' || p[i] == '['))
			depth++;
		else if (!quoted && (p[i] == '}' || p[i] == ']') && depth > 0)
			depth--;
		if (depth > MM_JSON_DEPTH)
			return true;
	}
	return false;
}

json_t *mm_json_load(const char *what, const char *p, size_t n, struct mm_err *err)
{
	json_t *j = n > 0 ? mm_json_plain(p, n) : NULL;
	if (j != NULL)
		return j;
	if (too_deep(p, n)) {
		mm_err_set(err, MM_EX_DATAERR, "%s: JSON is nested deeper than %d", what, MM_JSON_DEPTH);
		return NULL;
	}
	json_error_t e;
	j = json_loadb(n > 0 ? p : "", n, JSON_REJECT_DUPLICATES, &e);
	if (j == NULL)
		mm_err_set(err, MM_EX_DATAERR, "%s: line %d, column %d: %s", what, e.line, e.column, e.text);
	return j;
}

/* ---- dumping: jansson's own spends most of its time on looking for loops */

static void put_escape(struct mm_buf *b, unsigned char c)
{
	static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: the byte, its letter */
	for (const char *p = shorts; *p != '\0'; p += 2) {
		if ((unsigned char)p[0] == c) {
			mm_buf_addc(b, '\\');
			mm_buf_addc(b, p[1]);
			return;
		}
	}
	mm_buf_addf(b, "\\u%04X", (unsigned)c);
}

void mm_json_quote(struct mm_buf *b, const char *s, size_t n)
{
	size_t from = 0;
	mm_buf_addc(b, '"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		mm_buf_add(b, s + from, i - from);
		put_escape(b, c);
		from = i + 1;
	}
	mm_buf_add(b, s + from, n - from);
	mm_buf_addc(b, '"');
}

static void dump(const json_t *v, size_t depth, struct mm_buf *b);

static void dump_object(const json_t *v, size_t depth, struct mm_buf *b)
{
	json_t *o = changeable(v);
	char before = '{';
	for (void *i = json_object_iter(o); i != NULL; i = json_object_iter_next(o, i)) {
		const char *key = json_object_iter_key(i);
		mm_buf_addc(b, before);
		mm_json_quote(b, key, strlen(key));
		mm_buf_addc(b, ':');
		dump(json_object_iter_value(i), depth, b);
		before = ',';
	}
	mm_buf_adds(b, before == '{' ? "{}" : "}");
}

static void dump_array(const json_t *v, size_t depth, struct mm_buf *b)
{
	mm_buf_addc(b, '[');
	for (size_t i = 0; i < json_array_size(v); i++) {
		if (i > 0)
			mm_buf_addc(b, ',');
		dump(json_array_get(v, i), depth, b);
	}
	mm_buf_addc(b, ']');
}

static int add_piece(const char *p, size_t n, void *out)
{
	mm_buf_add(out, p, n);
	return 0;
}

static void dump(const json_t *v, size_t depth, struct mm_buf *b)
{
	if (depth > DUMP_DEPTH) /* a loop, which no value of ours contains */
		b->failed = true;
	else if (json_is_object(v))
		dump_object(v, depth + 1, b);
	else if (json_is_array(v))
		dump_array(v, depth + 1, b);
	else if (json_is_string(v))
		mm_json_quote(b, json_string_value(v), json_string_length(v));
	else if (json_is_integer(v))
		mm_buf_add_int(b, json_integer_value(v));
	else if (json_dump_callback(v, add_piece, b, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
		b->failed = true; /* for want of memory only */
}

void mm_json_dump(const json_t *j, struct mm_buf *out)
{
	dump(j, 0, out);
}

/* ---- reading */

static int bad(struct mm_err *err, const char *key, const char *what)
{
	return mm_err_set(err, MM_EX_DATAERR, "member \"%s\" %s", key, what);
}

/* An absent member and null are the same: NULL. */
static const json_t *member(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	return json_is_null(v) ? NULL : v;
}

static int text_of(const json_t *v, const char *key, size_t max, const char **out, struct mm_err *err)
{
	if (!json_is_string(v))
		return bad(err, key, "must be a string");
	const char *s = json_string_value(v);
	size_t n = json_string_length(v);
	if (n > max)
		return mm_err_set(err, MM_EX_DATAERR, "member \"%s\" is longer than %zu bytes", key, max);
	if (strlen(s) != n || mm_has_control(s))
		return bad(err, key, "contains a control character");
	*out = s;
	return 0;
}

int mm_json_str(const json_t *o, const char *key, size_t max, const char **out, struct mm_err *err)
{
	const json_t *v = member(o, key);
	return v != NULL ? text_of(v, key, max, out, err) : bad(err, key, "is missing");
}

int mm_json_str_opt(const json_t *o, const char *key, size_t max, const char **out, struct mm_err *err)
{
	const json_t *v = member(o, key);
	if (v != NULL)
		return text_of(v, key, max, out, err);
	*out = NULL;
	return 0;
}

static int int_of(
    const json_t *v, const char *key, int64_t min, int64_t max, int64_t *out, struct mm_err *err)
{
	if (!json_is_integer(v))
		return bad(err, key, "must be an integer");
	json_int_t n = json_integer_value(v);
	if (n < min || n > max)
		return mm_err_set(err, MM_EX_DATAERR, "member \"%s\" is %lld and must be from %lld to %lld",
		    key, (long long)n, (long long)min, (long long)max);
	*out = n;
	return 0;
}

int mm_json_int(const json_t *o, const char *key, int64_t min, int64_t max, int64_t *out, struct mm_err *err)
{
	const json_t *v = member(o, key);
	return v != NULL ? int_of(v, key, min, max, out, err) : bad(err, key, "is missing");
}

int mm_json_int_opt(const json_t *o, const char *key, int64_t min, int64_t max, int64_t dflt, int64_t *out,
    struct mm_err *err)
{
	const json_t *v = member(o, key);
	if (v != NULL)
		return int_of(v, key, min, max, out, err);
	*out = dflt;
	return 0;
}

int mm_json_bool_opt(const json_t *o, const char *key, bool dflt, bool *out, struct mm_err *err)
{
	const json_t *v = member(o, key);
	if (v != NULL && !json_is_boolean(v))
		return bad(err, key, "must be true or false");
	*out = v != NULL ? json_is_true(v) : dflt;
	return 0;
}

int mm_json_array(
    const json_t *o, const char *key, size_t max_items, bool optional, const json_t **out, struct mm_err *err)
{
	const json_t *v = member(o, key);
	if (v == NULL && !optional)
		return bad(err, key, "is missing");
	if (v != NULL && !json_is_array(v))
		return bad(err, key, "must be an array");
	if (v != NULL && json_array_size(v) > max_items)
		return mm_err_set(err, MM_EX_DATAERR, "member \"%s\" has %zu items; %zu are allowed", key,
		    json_array_size(v), max_items);
	*out = v;
	return 0;
}

int mm_json_object(const json_t *o, const char *key, bool optional, const json_t **out, struct mm_err *err)
{
	const json_t *v = member(o, key);
	if (v == NULL && !optional)
		return bad(err, key, "is missing");
	if (v != NULL && !json_is_object(v))
		return bad(err, key, "must be an object");
	*out = v;
	return 0;
}

static bool listed(const char *key, const char *const *names)
{
	for (; *names != NULL; names++) {
		if (strcmp(key, *names) == 0)
			return true;
	}
	return false;
}

int mm_json_only(const json_t *o, const char *const *names, struct mm_err *err)
{
	json_t *obj = changeable(o);
	for (void *i = json_object_iter(obj); i != NULL; i = json_object_iter_next(obj, i)) {
		const char *key = json_object_iter_key(i);
		if (!listed(key, names))
			return bad(err, key, "is unknown");
	}
	return 0;
}

void mm_json_set(json_t *o, const char *key, json_t *stolen)
{
	if (stolen == NULL || json_object_set_new(o, key, stolen) != 0)
		mm_oom();
}

void mm_json_set_str(json_t *o, const char *key, const char *s)
{
	if (s == NULL)
		return;
	size_t n = strlen(s);
	if (mm_is_utf8(s, n)) {
		mm_json_set(o, key, json_stringn_nocheck(s, n));
		return;
	}
	/* JSON has no other bytes; the reader is to see that they were there. */
	struct mm_buf shown = MM_BUF_INIT(4 * n);
	mm_printable(&shown, s, n);
	mm_json_set(o, key, json_string(mm_buf_str(&shown)));
	mm_buf_free(&shown);
}

void mm_json_set_int(json_t *o, const char *key, int64_t v)
{
	mm_json_set(o, key, json_integer(v));
}

void mm_json_set_bool(json_t *o, const char *key, bool v)
{
	mm_json_set(o, key, json_boolean(v));
}
