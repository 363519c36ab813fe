#include "agent/clients/encword.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "common/buf.h"
#include "common/digest.h"
#include "common/text.h"

#define TEXT_MAX 65536
#define CHARSET_MAX 32
#define CHUNK 45 /* bytes of text in one word: 60 of base64 */

/* Charset, encoding and text of "=?charset?B?text?="; *end is behind it. */
struct word {
	char charset[CHARSET_MAX + 1];
	char encoding;
	const char *text, *end;
	size_t n;
};

static bool is_word(const char *s, struct word *w)
{
	size_t n;

	if (!mm_starts_with(s, "=?"))
		return false;
	n = strspn(s + 2, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
	if (n == 0 || n > CHARSET_MAX || s[2 + n] != '?' || s[3 + n] == '\0' || s[4 + n] != '?')
		return false;
	memcpy(w->charset, s + 2, n);
	w->charset[n] = '\0';
	w->encoding = s[3 + n];
	w->text = s + 5 + n;
	w->n = strcspn(w->text, "? ");
	w->end = w->text + w->n + 2;
	return mm_starts_with(w->text + w->n, "?=");
}

static int hex(char c)
{
	static const char digits[] = "0123456789ABCDEF0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)((at - digits) % 16) : -1;
}

static bool unquote(const struct word *w, struct mm_buf *out)
{
	for (size_t i = 0; i < w->n; i++) {
		int high, low;

		if (w->text[i] != '=') {
			mm_buf_addc(out, w->text[i] == '_' ? ' ' : w->text[i]);
			continue;
		}
		high = i + 2 < w->n ? hex(w->text[i + 1]) : -1;
		low = high >= 0 ? hex(w->text[i + 2]) : -1;
		if (low < 0)
			return false;
		mm_buf_addc(out, (char)(high * 16 + low));
		i += 2;
	}
	return true;
}

/* gcc 12 -fanalyzer takes iconv_open()'s (iconv_t)-1 for memory that is lost. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif
static bool to_utf8(const char *charset, struct mm_buf *in, struct mm_buf *out)
{
	char chunk[256], *from = in->data;
	size_t left = in->len;
	iconv_t cd = iconv_open("UTF-8", charset);
	bool good = true;

	if (cd == (iconv_t)-1)
		return false;
	while (good && left > 0) {
		char *to = chunk;
		size_t room = sizeof(chunk), rc = iconv(cd, &from, &left, &to, &room);

		mm_buf_add(out, chunk, (size_t)(to - chunk));
		good = rc != (size_t)-1 || errno == E2BIG;
	}
	iconv_close(cd);
	return good;
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

static bool decode_word(const struct word *w, struct mm_buf *out)
{
	struct mm_buf bytes = MM_BUF_INIT(TEXT_MAX), text = MM_BUF_INIT(TEXT_MAX);
	bool good = w->encoding == 'B' || w->encoding == 'b'   ? mm_unbase64(w->text, w->n, &bytes) == 0
		    : w->encoding == 'Q' || w->encoding == 'q' ? unquote(w, &bytes)
							       : false;

	good = good && to_utf8(w->charset, &bytes, &text) && mm_buf_ok(&text) &&
	       memchr(mm_buf_str(&text), '\0', text.len) == NULL && mm_is_utf8(mm_buf_str(&text), text.len);
	if (good)
		mm_buf_add(out, mm_buf_str(&text), text.len);
	mm_buf_free(&bytes);
	mm_buf_free(&text);
	return good;
}

/* The inside of a quoted string; p stands at its first quotation mark. */
static const char *quoted(const char *p, struct mm_buf *out)
{
	for (p++; *p != '\0' && *p != '"'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		mm_buf_addc(out, *p);
	}
	return *p == '"' ? p + 1 : p;
}

/* Blanks between two encoded words part only the words. */
static const char *behind(const char *end)
{
	const char *next = end + strspn(end, " \t");
	struct mm_buf trial = MM_BUF_INIT(TEXT_MAX);
	struct word w;
	bool word = is_word(next, &w) && decode_word(&w, &trial);

	mm_buf_free(&trial);
	return word ? next : end;
}

const char *mm_encwords_decode(const char *s, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(TEXT_MAX);
	const char *out, *p = s;

	while (*p != '\0') {
		struct word w;

		if (*p == '"')
			p = quoted(p, &b);
		else if (is_word(p, &w) && decode_word(&w, &b))
			p = behind(w.end);
		else
			mm_buf_addc(&b, *p++);
	}
	out = mm_buf_ok(&b) ? mm_arena_strdup(a, mm_buf_str(&b)) : s;
	mm_buf_free(&b);
	return out;
}

const char *mm_encwords(const char *utf8, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(TEXT_MAX);
	const char *out;

	while (*utf8 != '\0') {
		size_t n = strnlen(utf8, CHUNK);

		while (n > 1 && utf8[n] != '\0' && ((unsigned char)utf8[n] & 0xc0) == 0x80)
			n--; /* a character stays in one word */
		mm_buf_adds(&b, b.len > 0 ? " =?UTF-8?B?" : "=?UTF-8?B?");
		mm_base64(utf8, n, &b);
		mm_buf_adds(&b, "?=");
		utf8 += n;
	}
	out = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}
