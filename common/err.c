#include "common/err.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Here are the functions themselves. */
#undef mm_err_set
#undef mm_err_sys
#undef mm_err_prefix

/* Nothing that came from outside may forge a line or drive a terminal: C0,
 * DEL, and the C1 controls in their UTF-8 form. */
static void blunt(char *s)
{
	for (unsigned char *p = (unsigned char *)s; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f) {
			*p = '?';
		} else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f) {
			p[0] = '?';
			p[1] = '?';
		}
	}
}

/* End an overlong text in "..." without cutting a character in two. */
static void shorten(char *s, size_t size)
{
	size_t at = size - sizeof("...");
	while (at > 0 && ((unsigned char)s[at] & 0xc0) == 0x80)
		at--;
	memcpy(s + at, "...", sizeof("..."));
}

int mm_err_vset(struct mm_err *err, int code, const char *fmt, va_list ap)
{
	if (err == NULL)
		return -1;
	/* The arguments may point into err->text. */
	char text[MM_ERR_TEXT_MAX];
	int saved = errno;
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n < 0)
		text[0] = '\0';
	else if ((size_t)n >= sizeof(text))
		shorten(text, sizeof(text));
	blunt(text);
	memcpy(err->text, text, sizeof(text));
	err->code = code;
	errno = saved;
	return -1;
}

int mm_err_set(struct mm_err *err, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	mm_err_vset(err, code, fmt, ap);
	va_end(ap);
	return -1;
}

int mm_err_sys(struct mm_err *err, int code, const char *fmt, ...)
{
	int saved = errno;
	char what[MM_ERR_TEXT_MAX];
	char why[128];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (n < 0)
		what[0] = '\0';
	mm_err_set(err, code, "%s: %s", what, strerror_r(saved, why, sizeof(why)));
	errno = saved;
	return -1;
}

int mm_err_prefix(struct mm_err *err, const char *fmt, ...)
{
	if (err == NULL)
		return -1;
	char prefix[MM_ERR_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	if (n < 0)
		prefix[0] = '\0';
	return mm_err_set(err, err->code, "%s: %s", prefix, err->text);
}

void mm_oom(void)
{
	static const char text[] = "mailmuster: out of memory\n";
	/* Nothing can be done about a failing stderr here. */
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(MM_EX_FAILED);
	_exit(MM_EX_FAILED);
}
