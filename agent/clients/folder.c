#include "agent/clients/folder.h"

#include <string.h>

#include "common/buf.h"
#include "common/digest.h"
#include "common/text.h"

#define NAME_MAX_BYTES 4096 /* longer names are none of ours */

size_t mm_folder_levels(const char *name, const char *levels[MM_FOLDER_LEVELS_MAX], struct mm_arena *a)
{
	size_t n = 0;

	for (const char *p = name; n < MM_FOLDER_LEVELS_MAX; p++) {
		size_t k = strcspn(p, "/");

		levels[n++] = mm_arena_strndup(a, p, k);
		p += k;
		if (*p == '\0')
			break;
	}
	return n;
}

static bool is_plain(char c)
{
	return c >= 0x20 && c <= 0x7e && c != '&';
}

static void add_utf16(struct mm_buf *b, uint32_t cp)
{
	if (cp >= 0x10000) {
		add_utf16(b, 0xd800 + ((cp - 0x10000) >> 10));
		cp = 0xdc00 + ((cp - 0x10000) & 0x3ff);
	}
	mm_buf_addc(b, (char)(cp >> 8));
	mm_buf_addc(b, (char)(cp & 0xff));
}

/* "&...-": base64 without filling, with a comma for the slash. */
static void add_shifted(struct mm_buf *out, const struct mm_buf *utf16)
{
	struct mm_buf b = MM_BUF_INIT(2 * NAME_MAX_BYTES);

	mm_base64(utf16->data, utf16->len, &b);
	mm_buf_addc(out, '&');
	for (size_t i = 0; i < b.len && b.data[i] != '='; i++)
		mm_buf_addc(out, b.data[i] == '/' ? ',' : b.data[i]);
	mm_buf_addc(out, '-');
	mm_buf_free(&b);
}

const char *mm_mutf7(const char *utf8, struct mm_arena *a)
{
	struct mm_buf out = MM_BUF_INIT(4 * NAME_MAX_BYTES), run = MM_BUF_INIT(NAME_MAX_BYTES);
	size_t n = strlen(utf8), k;
	const char *text;
	uint32_t cp;

	for (const char *p = utf8; *p != '\0'; p += k, n -= k) {
		k = mm_utf8_next(p, n, &cp);
		k = k > 0 ? k : 1;
		if ((unsigned char)*p >= 0x80) {
			add_utf16(&run, cp);
			continue;
		}
		if (run.len > 0)
			add_shifted(&out, &run);
		mm_buf_reset(&run);
		if (*p == '&')
			mm_buf_adds(&out, "&-");
		else
			mm_buf_addc(&out, *p);
	}
	if (run.len > 0)
		add_shifted(&out, &run);
	text = mm_arena_strdup(a, mm_buf_str(&out));
	mm_buf_free(&out);
	mm_buf_free(&run);
	return text;
}

static bool add_utf8(struct mm_buf *out, uint32_t cp)
{
	if (cp < 0x80)
		return false; /* belongs outside of it */
	if (cp < 0x800) {
		mm_buf_addc(out, (char)(0xc0 | (cp >> 6)));
	} else {
		if (cp < 0x10000) {
			mm_buf_addc(out, (char)(0xe0 | (cp >> 12)));
		} else {
			mm_buf_addc(out, (char)(0xf0 | (cp >> 18)));
			mm_buf_addc(out, (char)(0x80 | ((cp >> 12) & 0x3f)));
		}
		mm_buf_addc(out, (char)(0x80 | ((cp >> 6) & 0x3f)));
	}
	mm_buf_addc(out, (char)(0x80 | (cp & 0x3f)));
	return true;
}

static bool from_utf16(struct mm_buf *out, const struct mm_buf *b)
{
	const unsigned char *p = (const unsigned char *)b->data;
	bool ok = b->len > 0 && b->len % 2 == 0;

	for (size_t i = 0; ok && i < b->len; i += 2) {
		uint32_t cp = ((uint32_t)p[i] << 8) | p[i + 1], low;

		if (cp >= 0xd800 && cp < 0xdc00 && i + 3 < b->len) {
			low = ((uint32_t)p[i + 2] << 8) | p[i + 3];
			ok = low >= 0xdc00 && low < 0xe000;
			cp = 0x10000 + ((cp - 0xd800) << 10) + (low & 0x3ff);
			i += 2;
		} else {
			ok = cp < 0xd800 || cp >= 0xe000;
		}
		ok = ok && add_utf8(out, cp);
	}
	return ok;
}

/* The n bytes between & and -. */
static bool unshift(struct mm_buf *out, const char *s, size_t n)
{
	struct mm_buf text = MM_BUF_INIT(NAME_MAX_BYTES + 4), raw = MM_BUF_INIT(NAME_MAX_BYTES);
	bool ok;

	for (size_t i = 0; i < n; i++)
		mm_buf_addc(&text, s[i] == ',' ? '/' : s[i]);
	while (mm_buf_ok(&text) && text.len % 4 != 0)
		mm_buf_addc(&text, '=');
	ok = mm_buf_ok(&text) && mm_unbase64(text.data, text.len, &raw) == 0 && from_utf16(out, &raw);
	mm_buf_free(&text);
	mm_buf_free(&raw);
	return ok;
}

const char *mm_mutf7_decode(const char *s, struct mm_arena *a)
{
	struct mm_buf out = MM_BUF_INIT(4 * NAME_MAX_BYTES);
	const char *text = NULL;
	bool ok = true;

	for (; ok && *s != '\0'; s++) {
		size_t n = *s == '&' ? strcspn(s + 1, "-") : 0;

		if (*s != '&') {
			ok = is_plain(*s);
			mm_buf_addc(&out, *s);
		} else if (n == 0 && s[1] == '-') {
			mm_buf_addc(&out, '&');
			s++;
		} else {
			ok = n > 0 && s[n + 1] == '-' && unshift(&out, s + 1, n);
			s += ok ? n + 1 : 0;
		}
	}
	if (ok && mm_buf_ok(&out))
		text = mm_arena_strdup(a, mm_buf_str(&out));
	mm_buf_free(&out);
	return text;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

const char *mm_percent(const char *s, const char *plain, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(3 * strlen(s) + 1);
	const char *out;

	for (; *s != '\0'; s++) {
		if (is_alnum(*s) || strchr(plain, *s) != NULL)
			mm_buf_addc(&b, *s);
		else
			mm_buf_addf(&b, "%%%02X", (unsigned char)*s);
	}
	out = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return p != NULL ? (int)(p - digits) : -1;
}

const char *mm_percent_decode(const char *s, struct mm_arena *a)
{
	char *out = mm_arena_alloc(a, strlen(s) + 1, 1), *w = out;

	for (; *s != '\0'; s++) {
		int high = s[0] == '%' ? digit(s[1]) : -1, low = high >= 0 ? digit(s[2]) : -1;

		if (low >= 0 && high + low > 0) {
			*w++ = (char)(high * 16 + low);
			s += 2;
		} else {
			*w++ = *s;
		}
	}
	*w = '\0';
	return out;
}
