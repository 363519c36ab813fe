#include "schemas/wire.h"

#include <string.h>

#include "common/digest.h"
#include "common/text.h"
#include "schemas/proto.h"
#include "schemas/settings.h"

static const char lower_hex[] = "0123456789abcdef";
static const char name_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
static const char setting_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789_.";

json_t *mm_wire_load(const char *what, const char *json, size_t n, struct mm_err *err)
{
	json_t *o = mm_json_load(what, json, n, err);
	if (o != NULL && !json_is_object(o)) {
		json_decref(o);
		o = NULL;
		mm_err_set(err, MM_EX_DATAERR, "%s: not an object", what);
	}
	return o;
}

/* ---- forms */

bool mm_wire_text_ok(const char *s)
{
	if (s == NULL || mm_has_control(s))
		return false;
	/* C1 controls are U+0080 to U+009F: a terminal may obey them, too. */
	for (const char *p = s; (p = strchr(p, 0xc2)) != NULL; p++) {
		if ((unsigned char)p[1] < 0xa0)
			return false;
	}
	return true;
}

static bool made_of(const char *s, const char *chars, size_t min, size_t max)
{
	if (s == NULL)
		return false;
	size_t n = strspn(s, chars);
	return s[n] == '\0' && n >= min && n <= max;
}

bool mm_wire_is_id(const char *s)
{
	return made_of(s, lower_hex, MM_ID_LEN - 1, MM_ID_LEN - 1);
}

bool mm_wire_is_sha256(const char *s)
{
	return made_of(s, lower_hex, MM_SHA256_HEX - 1, MM_SHA256_HEX - 1);
}

bool mm_wire_is_client(const char *s)
{
	return made_of(s, name_chars, 1, MM_NAME_MAX);
}

bool mm_wire_is_setting_id(const char *s)
{
	return made_of(s, setting_chars, 1, 64);
}

/* ---- reading */

static int check_text(const char *key, const char *s, struct mm_err *err)
{
	if (!mm_wire_text_ok(s))
		return mm_err_set(err, MM_EX_DATAERR, "\"%s\": control character", key);
	return 0;
}

int mm_wire_str_opt(const json_t *o, const char *key, size_t max, const char *dflt, struct mm_arena *a,
    const char **out, struct mm_err *err)
{
	const char *s;
	if (mm_json_str_opt(o, key, max, &s, err) != 0)
		return -1;
	if (s == NULL) {
		*out = dflt;
		return 0;
	}
	if (check_text(key, s, err) != 0)
		return -1;
	*out = mm_arena_strdup(a, s);
	return 0;
}

int mm_wire_str(
    const json_t *o, const char *key, size_t max, struct mm_arena *a, const char **out, struct mm_err *err)
{
	const char *s;
	if (mm_json_str(o, key, max, &s, err) != 0 || check_text(key, s, err) != 0)
		return -1;
	*out = mm_arena_strdup(a, s);
	return 0;
}

int mm_wire_form_str(const json_t *o, const char *key, mm_wire_form *ok, bool optional, struct mm_arena *a,
    const char **out, struct mm_err *err)
{
	const char *s;
	int rc = optional ? mm_json_str_opt(o, key, 512, &s, err) : mm_json_str(o, key, 512, &s, err);
	if (rc != 0)
		return -1;
	if (s != NULL && !ok(s))
		return mm_err_set(err, MM_EX_DATAERR, "\"%s\": malformed: \"%.80s\"", key, s);
	*out = mm_arena_strdup(a, s);
	return 0;
}

int mm_wire_word(const json_t *o, const char *key, int (*by_name)(const char *), int *out, struct mm_err *err)
{
	const char *s;
	if (mm_json_str(o, key, 64, &s, err) != 0)
		return -1;
	int v = by_name(s);
	if (v < 0)
		return mm_err_set(err, MM_EX_DATAERR, "\"%s\": unknown word \"%s\"", key, s);
	*out = v;
	return 0;
}

int mm_wire_listed(const json_t *o, const char *key, const char *const *words, bool optional,
    const char **out, struct mm_err *err)
{
	const char *s;
	int rc = optional ? mm_json_str_opt(o, key, 64, &s, err) : mm_json_str(o, key, 64, &s, err);
	if (rc != 0)
		return -1;
	if (s == NULL) {
		*out = NULL;
		return 0;
	}
	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], s) == 0) {
			*out = words[i];
			return 0;
		}
	}
	return mm_err_set(err, MM_EX_DATAERR, "\"%s\": unknown word \"%s\"", key, s);
}

static int check_item(
    const char *key, const json_t *item, size_t max_len, mm_wire_form *ok, struct mm_err *err)
{
	const char *s = json_string_value(item);
	if (s == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "\"%s\": an entry is not a string", key);
	if (strlen(s) > max_len)
		return mm_err_set(
		    err, MM_EX_DATAERR, "\"%s\": an entry has more than %zu bytes", key, max_len);
	if (strlen(s) != json_string_length(item) || check_text(key, s, err) != 0)
		return mm_err_set(err, MM_EX_DATAERR, "\"%s\": control character", key);
	if (ok != NULL && !ok(s))
		return mm_err_set(err, MM_EX_DATAERR, "\"%s\": malformed entry \"%.80s\"", key, s);
	return 0;
}

int mm_wire_strings(const json_t *o, const char *key, size_t max_items, size_t max_len, mm_wire_form *ok,
    struct mm_arena *a, const char *const **out, size_t *n, struct mm_err *err)
{
	const json_t *list;
	if (mm_json_array(o, key, max_items, true, &list, err) != 0)
		return -1;
	size_t count = json_array_size(list);
	const char **items = mm_arena_alloc(a, count + 1, sizeof(*items));
	json_t *seen = json_object();
	int rc = -1;
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(list, i);
		if (check_item(key, item, max_len, ok, err) != 0)
			goto out;
		const char *s = json_string_value(item);
		if (json_object_get(seen, s) != NULL) {
			mm_err_set(err, MM_EX_DATAERR, "\"%s\": \"%s\" stands twice", key, s);
			goto out;
		}
		mm_json_set_bool(seen, s, true);
		items[i] = mm_arena_strdup(a, s);
	}
	*out = items;
	*n = count;
	rc = 0;
out:
	json_decref(seen);
	return rc;
}

int mm_wire_int(const json_t *o, const char *key, int min, int max, int *out, struct mm_err *err)
{
	int64_t v;
	if (mm_json_int(o, key, min, max, &v, err) != 0)
		return -1;
	*out = (int)v;
	return 0;
}

static bool version_part(const json_t *v, int *out)
{
	json_int_t i = json_is_integer(v) ? json_integer_value(v) : -1;
	if (i < 0 || i > MM_WIRE_PROTO_MAX)
		return false;
	*out = (int)i;
	return true;
}

int mm_wire_proto(const json_t *o, int *major, int *minor, struct mm_err *err)
{
	const json_t *v;
	int x, y;
	if (mm_json_array(o, "proto", 2, false, &v, err) != 0)
		return -1;
	if (json_array_size(v) != 2 || !version_part(json_array_get(v, 0), &x) ||
	    !version_part(json_array_get(v, 1), &y))
		return mm_err_set(err, MM_EX_DATAERR, "\"proto\": not a pair of small numbers");
	*major = x;
	*minor = y;
	return 0;
}

int mm_wire_known(const json_t *o, int major, int minor, const char *const *names, struct mm_err *err)
{
	if (major != MM_PROTO_MAJOR)
		return mm_err_set(err, MM_EX_NOPERM, "protocol %d.%d is not known here, only %d.0 to %d.%d",
		    major, minor, MM_PROTO_MAJOR, MM_PROTO_MAJOR, MM_PROTO_MINOR);
	return minor > MM_PROTO_MINOR ? 0 : mm_json_only(o, names, err);
}

/* ---- writing */

/* C0, DEL, C1 */
static bool is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0);
}

void mm_wire_clean(struct mm_buf *b, const char *s)
{
	for (size_t n = strlen(s); n > 0;) {
		uint32_t cp = 0;
		size_t len = mm_utf8_next(s, n, &cp);
		if (len == 0)
			mm_buf_adds(b, "\xef\xbf\xbd"); /* U+FFFD */
		else if (is_control(cp))
			mm_buf_addc(b, '?');
		else
			mm_buf_add(b, s, len);
		len = len > 0 ? len : 1;
		s += len;
		n -= len;
	}
}

/* Where to cut so that `max` bytes hold the start of the text and "...". */
static size_t cut_at(const char *s, size_t max)
{
	size_t n = max < 3 ? 0 : max - 3;
	while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* Printable ASCII, and not more than `max` of it: that is clean as it stands. */
static bool is_clean(const char *s, size_t max, size_t *n)
{
	size_t i = 0;
	while (i <= max && s[i] >= ' ' && s[i] <= '~')
		i++;
	*n = i;
	return i <= max && s[i] == '\0';
}

static json_t *clean_string(const char *s, size_t max)
{
	size_t len;
	if (is_clean(s, max, &len)) {
		json_t *as_it_is = json_stringn_nocheck(s, len);
		if (as_it_is == NULL)
			mm_oom();
		return as_it_is;
	}
	/* Cleaning makes three bytes of one at most; what lies beyond the
	 * limit need not be looked at. */
	size_t n = strnlen(s, max + 4);
	char *head = mm_xcalloc(n + 1, 1);
	memcpy(head, s, n);
	struct mm_buf b = MM_BUF_INIT(3 * max + 16);
	mm_wire_clean(&b, head);
	free(head);
	json_t *j;
	if (b.len <= max) {
		j = json_string(mm_buf_str(&b));
	} else {
		struct mm_buf cut = MM_BUF_INIT(max + 4);
		mm_buf_add(&cut, b.data, cut_at(b.data, max));
		mm_buf_adds(&cut, "...");
		j = json_string(mm_buf_str(&cut));
		mm_buf_free(&cut);
	}
	mm_buf_free(&b);
	if (j == NULL)
		mm_oom();
	return j;
}

void mm_wire_put(json_t *o, const char *key, const char *s, size_t max)
{
	if (s != NULL)
		mm_json_set(o, key, clean_string(s, max));
}

void mm_wire_put_strings(json_t *o, const char *key, const char *const *list, size_t n, size_t max)
{
	json_t *array = json_array();
	for (size_t i = 0; i < n; i++) {
		if (json_array_append_new(array, clean_string(list[i], max)) != 0)
			mm_oom();
	}
	mm_json_set(o, key, array);
}

void mm_wire_put_proto(json_t *o, int major, int minor)
{
	json_t *v = json_array();
	if (json_array_append_new(v, json_integer(major)) != 0 ||
	    json_array_append_new(v, json_integer(minor)) != 0)
		mm_oom();
	mm_json_set(o, "proto", v);
}

void mm_wire_finish(json_t *o, struct mm_buf *out)
{
	mm_json_dump(o, out);
	json_decref(o);
}
