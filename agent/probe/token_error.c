#include "agent/probe/token_error.h"

#include <stdio.h>

#include "common/digest.h"
#include "common/json.h"
#include "common/text.h"

#define OBJECT_MAX 4096u
#define WORD_MAX 128

/* RFC 7628 has a string, some servers write a number. */
static void add_status(const json_t *o, struct mm_buf *out)
{
	const char *text;
	int64_t number;
	if (mm_json_str(o, "status", WORD_MAX, &text, NULL) == 0)
		mm_buf_addf(out, "status %s", text);
	else if (mm_json_int(o, "status", 0, 999999, &number, NULL) == 0)
		mm_buf_addf(out, "status %lld", (long long)number);
	else
		mm_buf_adds(out, "no status");
}

static void add_member(const json_t *o, const char *key, struct mm_buf *out)
{
	const char *text;
	if (mm_json_str_opt(o, key, WORD_MAX, &text, NULL) == 0 && text != NULL && text[0] != '\0')
		mm_buf_addf(out, ", %s %s", key, text);
}

bool mm_token_error(const char *b64, size_t n, char *out, size_t size)
{
	struct mm_buf raw = MM_BUF_INIT(OBJECT_MAX), words = MM_BUF_INIT(4 * WORD_MAX);
	json_t *o = NULL;
	while (n > 0 && b64[n - 1] == ' ')
		n--;
	if (n > 0 && n <= OBJECT_MAX && mm_unbase64(b64, n, &raw) == 0 && mm_buf_ok(&raw))
		o = mm_json_load("token", mm_buf_str(&raw), raw.len, NULL);
	bool is = json_is_object(o);
	if (is) {
		add_status(o, &words);
		add_member(o, "scope", &words);
		add_member(o, "schemes", &words);
		snprintf(out, size, "%s", mm_buf_str(&words));
	}
	json_decref(o);
	mm_buf_free(&raw);
	mm_buf_free(&words);
	return is;
}
