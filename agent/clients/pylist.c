#include "agent/clients/pylist.h"

#include <string.h>

#include "common/buf.h"
#include "common/text.h"
#include "schemas/settings.h"

static void quote(struct mm_buf *b, const char *s)
{
	mm_buf_addc(b, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			mm_buf_addc(b, '\\');
		mm_buf_addc(b, *s);
	}
	mm_buf_addc(b, '"');
}

const char *mm_py_list(
    const char *argv, const char *head, const char *tail, struct mm_arena *a, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(8 * MM_VALUE_MAX);
	const char *const *v;
	const char *out;
	size_t n;

	if (mm_argv_parse(argv, a, &v, &n, err) != 0)
		return NULL;
	mm_buf_adds(&b, head);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			mm_buf_adds(&b, ", ");
		quote(&b, v[i]);
	}
	if (n == 1 && mm_ends_with(head, "("))
		mm_buf_addc(&b, ',');
	mm_buf_adds(&b, tail);
	out = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

/* One literal without prefix, with no escapes but \\ \" \'; NULL: not one. */
static const char *literal(const char *p, struct mm_arena *a, const char **out)
{
	char q = *p, *w;

	if (q != '"' && q != '\'')
		return NULL;
	*out = w = mm_arena_alloc(a, strlen(p) + 1, 1);
	for (p++; *p != '\0' && *p != q; p++) {
		if (*p == '\\' && strchr("\\\"'", p[1]) == NULL)
			return NULL;
		if (*p == '\\')
			p++;
		*w++ = *p;
	}
	return *p == q ? p + 1 : NULL;
}

const char *mm_py_argv(const char *text, const char *head, const char *tail, struct mm_arena *a)
{
	const char **v = NULL, *p;
	size_t n = 0, cap = 0;

	if (!mm_starts_with(text, head) || !mm_ends_with(text, tail) ||
	    strlen(text) < strlen(head) + strlen(tail))
		return NULL;
	text = mm_arena_strndup(a, text + strlen(head), strlen(text) - strlen(head) - strlen(tail));
	for (p = text + strspn(text, " \t\n"); *p != '\0'; p += strspn(p, " \t\n")) {
		const char *one;

		p = literal(p, a, &one);
		if (p == NULL)
			return NULL;
		*(const char **)mm_arena_push(a, &v, &n, &cap, sizeof(*v)) = one;
		p += strspn(p, " \t\n");
		if (*p != ',' && *p != '\0')
			return NULL;
		p += *p == ',';
	}
	if (n == 0)
		return NULL;
	*(const char **)mm_arena_push(a, &v, &n, &cap, sizeof(*v)) = NULL;
	return mm_argv_text(v, a);
}

struct mm_native mm_py_get(const void *ctx, const char *key)
{
	struct mm_in_section in = *(const struct mm_in_section *)ctx;
	struct mm_native v = mm_get_in_section(&in, key);

	if (v.text != NULL)
		return v;
	in.section = "DEFAULT";
	return mm_get_in_section(&in, key);
}
