#include "agent/clients/sh.h"

#include <string.h>

#include "common/buf.h"
#include "common/digest.h"
#include "common/text.h"
#include "schemas/settings.h"

#define LINE_MAX_BYTES 65536u
#define B64_HEAD "echo "
#define B64_TAIL " | base64 -d | sh"

static bool plain(const char *s)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+:,./-";

	return s[0] != '\0' && s[strspn(s, ok)] == '\0';
}

static void quote(struct mm_buf *b, const char *s)
{
	if (plain(s)) {
		mm_buf_adds(b, s);
		return;
	}
	mm_buf_addc(b, '\'');
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			mm_buf_adds(b, "'\\''");
		else
			mm_buf_addc(b, *s);
	}
	mm_buf_addc(b, '\'');
}

const char *mm_sh_line(const char *argv, struct mm_arena *a, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(LINE_MAX_BYTES);
	const char *const *v;
	const char *out;
	size_t n;

	if (mm_argv_parse(argv, a, &v, &n, err) != 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (mm_has_control(v[i])) {
			mm_buf_free(&b);
			mm_err_set(err, MM_EX_DATAERR, "the password command holds a control character");
			return NULL;
		}
		if (i > 0)
			mm_buf_addc(&b, ' ');
		quote(&b, v[i]);
	}
	out = mm_buf_take(&b, a);
	if (out == NULL)
		mm_err_set(
		    err, MM_EX_DATAERR, "the password command is longer than %u bytes", LINE_MAX_BYTES);
	return out;
}

/* The quoted part that begins at p[0]; NULL when it is more than text. */
static const char *quoted(const char *p, struct mm_buf *w)
{
	char q = *p++;

	for (; *p != '\0' && *p != q; p++) {
		if (q == '"' && strchr("$`\\!", *p) != NULL)
			return NULL;
		mm_buf_addc(w, *p);
	}
	return *p == q ? p + 1 : NULL;
}

/* One word of a line that is nothing but words; NULL otherwise. */
static const char *word(const char *p, struct mm_buf *w)
{
	if (*p == '#' || *p == '~')
		return NULL;
	while (*p != '\0' && *p != ' ' && *p != '\t') {
		if (*p == '\'' || *p == '"') {
			p = quoted(p, w);
			if (p == NULL)
				return NULL;
		} else if (*p == '\\') {
			if (p[1] == '\0' || p[1] == '\n')
				return NULL;
			mm_buf_addc(w, p[1]);
			p += 2;
		} else if (strchr("|&;<>()$`*?[]{}!^=\n\r", *p) != NULL) {
			/* '=' is an assignment only in front; being strict there costs nothing */
			if (*p != '=' || w->len == 0)
				return NULL;
			mm_buf_addc(w, *p++);
		} else {
			mm_buf_addc(w, *p++);
		}
	}
	return p;
}

static bool words(const char *line, struct mm_arena *a, const char ***out, size_t *n)
{
	size_t cap = 0;

	*out = NULL;
	*n = 0;
	for (const char *p = line + strspn(line, " \t"); *p != '\0'; p += strspn(p, " \t")) {
		struct mm_buf w = MM_BUF_INIT(LINE_MAX_BYTES);
		const char *text;

		p = word(p, &w);
		text = mm_buf_take(&w, a);
		if (p == NULL || text == NULL)
			return false;
		*(const char **)mm_arena_push(a, out, n, &cap, sizeof(**out)) = text;
	}
	return *n > 0 && (*out)[0][0] == '/';
}

const char *mm_sh_argv(const char *line, struct mm_arena *a)
{
	const char **v;
	size_t n;

	if (!words(line, a, &v, &n))
		return mm_argv_text((const char *const[]){"/bin/sh", "-c", line, NULL}, a);
	const char **whole = mm_arena_alloc(a, n + 1, sizeof(*whole));

	memcpy(whole, v, n * sizeof(*whole));
	return mm_argv_text(whole, a);
}

const char *mm_sh_backtick(const char *argv, struct mm_arena *a, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(2 * LINE_MAX_BYTES);
	const char *line = mm_sh_line(argv, a, err);

	if (line == NULL || strpbrk(line, "\\$`") == NULL)
		return line;
	mm_buf_adds(&b, B64_HEAD);
	mm_base64(line, strlen(line), &b);
	mm_buf_adds(&b, B64_TAIL);
	return mm_buf_take(&b, a);
}

const char *mm_sh_from_backtick(const char *command, struct mm_arena *a)
{
	size_t n = strlen(command), head = strlen(B64_HEAD), tail = strlen(B64_TAIL);
	struct mm_buf b = MM_BUF_INIT(LINE_MAX_BYTES);
	const char *line = NULL;

	if (mm_starts_with(command, B64_HEAD) && mm_ends_with(command, B64_TAIL) && n > head + tail &&
	    mm_unbase64(command + head, n - head - tail, &b) == 0 && memchr(b.data, '\0', b.len) == NULL)
		line = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return mm_sh_argv(line != NULL ? line : command, a);
}
