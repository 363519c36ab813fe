#include "common/json_text.h"

#include <string.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"

/* The comma and the name. */
static void begin(struct mm_buf *b, const char *key)
{
	char last = b->len > 0 ? b->data[b->len - 1] : '{';
	if (last != '{' && last != '[' && last != ':')
		mm_buf_addc(b, ',');
	if (key == NULL)
		return;
	mm_buf_addc(b, '"');
	mm_buf_adds(b, key);
	mm_buf_add(b, "\":", 2);
}

void mm_json_put_str(struct mm_buf *b, const char *key, const char *s)
{
	if (s == NULL)
		return;
	begin(b, key);
	size_t n = strlen(s);
	if (mm_is_utf8(s, n)) {
		mm_json_quote(b, s, n);
		return;
	}
	struct mm_buf shown = MM_BUF_INIT(4 * n);
	mm_printable(&shown, s, n);
	mm_json_quote(b, mm_buf_str(&shown), shown.len);
	mm_buf_free(&shown);
}

void mm_json_put_text(struct mm_buf *b, const char *key, const char *s)
{
	if (s != NULL)
		mm_json_put_str(b, key, s);
	else
		mm_json_put_null(b, key);
}

void mm_json_put_int(struct mm_buf *b, const char *key, int64_t v)
{
	begin(b, key);
	mm_buf_add_int(b, v);
}

void mm_json_put_bool(struct mm_buf *b, const char *key, bool v)
{
	begin(b, key);
	mm_buf_adds(b, v ? "true" : "false");
}

void mm_json_put_null(struct mm_buf *b, const char *key)
{
	begin(b, key);
	mm_buf_add(b, "null", 4);
}

void mm_json_put_time(struct mm_buf *b, const char *key, int64_t t)
{
	char text[MM_TIME_MAX];
	if (t > 0)
		mm_json_put_str(b, key, mm_time_utc(t, text));
	else
		mm_json_put_null(b, key);
}

void mm_json_put(struct mm_buf *b, const char *key, json_t *stolen)
{
	begin(b, key);
	mm_json_dump(stolen, b);
	json_decref(stolen);
}

void mm_json_put_members(struct mm_buf *b, json_t *stolen)
{
	const char *key;
	json_t *value;
	json_object_foreach(stolen, key, value)
	{
		begin(b, key);
		mm_json_dump(value, b);
	}
	json_decref(stolen);
}

void mm_json_open(struct mm_buf *b, const char *key)
{
	begin(b, key);
	mm_buf_addc(b, '{');
}

void mm_json_close(struct mm_buf *b)
{
	mm_buf_addc(b, '}');
}

void mm_json_open_list(struct mm_buf *b, const char *key)
{
	begin(b, key);
	mm_buf_addc(b, '[');
}

void mm_json_close_list(struct mm_buf *b)
{
	mm_buf_addc(b, ']');
}
