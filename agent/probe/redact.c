#include "agent/probe/redact.h"

#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "common/term.h"

#define HALF_FROM 8 /* shorter secrets count only as a whole: half of them is an ordinary word */

static bool has(const char *text, size_t n, const char *what, size_t len)
{
	for (size_t i = 0; len > 0 && i + len <= n; i++)
		if (strncasecmp(text + i, what, len) == 0)
			return true;
	return false;
}

static bool has_part(const char *text, size_t n, const char *secret, size_t len)
{
	if (len < HALF_FROM)
		return has(text, n, secret, len);
	size_t half = (len + 1) / 2;
	return has(text, n, secret, half) || has(text, n, secret + len - half, half);
}

static int base64_value(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c != '\0' ? strchr(digits, c) : NULL;
	return p != NULL ? (int)(p - digits) : -1;
}

/* Whatever is left of base64 after a server cut it: no padding needed, any
 * length, beginning at any of its characters. */
static size_t decode_loosely(const char *s, size_t n, char *out)
{
	unsigned acc = 0, bits = 0;
	size_t len = 0;
	for (size_t i = 0; i < n; i++) {
		acc = (acc << 6) | (unsigned)base64_value(s[i]);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[len++] = (char)((acc >> bits) & 0xff);
		}
	}
	return len;
}

static bool run_reveals(const char *run, size_t n, const char *secret, size_t len)
{
	char *plain = mm_xcalloc(n + 1, 1);
	bool found = false;
	for (size_t shift = 0; shift < 4 && shift < n && !found; shift++)
		found = has_part(plain, decode_loosely(run + shift, n - shift, plain), secret, len);
	explicit_bzero(plain, n + 1);
	free(plain);
	return found;
}

static bool base64_reveals(const char *text, size_t n, const char *secret, size_t len)
{
	for (size_t i = 0; i < n;) {
		size_t end = i;
		while (end < n && base64_value(text[end]) >= 0)
			end++;
		if (end > i && run_reveals(text + i, end - i, secret, len))
			return true;
		i = end + 1;
	}
	return false;
}

static bool quoted_reveals(const char *text, size_t n, const char *secret, size_t len)
{
	char *plain = mm_xcalloc(n + 1, 1);
	size_t out = 0;
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\\' && i + 1 < n)
			i++;
		plain[out++] = text[i];
	}
	bool found = has_part(plain, out, secret, len);
	explicit_bzero(plain, n + 1);
	free(plain);
	return found;
}

bool mm_reveals(const char *text, size_t n, const char *secret, size_t len)
{
	if (len == 0 || n == 0)
		return false;
	return has_part(text, n, secret, len) || quoted_reveals(text, n, secret, len) ||
	       base64_reveals(text, n, secret, len);
}

/* ---- echoed commands */

static size_t word_len(const char *s, size_t n)
{
	size_t i = 0;
	while (i < n && s[i] != ' ')
		i++;
	return i;
}

/* How many words after this one may stay? -1: not a command with a secret. */
static int words_kept(const char *word, size_t n)
{
	static const struct {
		const char *word;
		int kept;
	} commands[] = {{"AUTHENTICATE", 1}, {"AUTH", 1}, {"PASS", 0}, {"APOP", 0}};
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strlen(commands[i].word) == n && memcmp(commands[i].word, word, n) == 0)
			return commands[i].kept;
	/* "LOGIN failed." is what servers say, "LOGIN name password" what we do */
	return n == 5 && memcmp(word, "LOGIN", 5) == 0 ? 1 : -1;
}

/* Returns whether something was hidden. */
static bool hide_arguments(struct mm_buf *out, const char *s, size_t n)
{
	int left = -1;
	for (size_t i = 0; i < n;) {
		size_t len = word_len(s + i, n - i);
		if (len == 0) {
			mm_buf_addc(out, s[i++]);
			continue;
		}
		if (left == 0) {
			mm_buf_adds(out, "***");
			return true;
		}
		const char *word = s + i;
		mm_printable(out, word, len);
		i += len;
		left = left > 0 ? left - 1 : words_kept(word, len);
	}
	return false;
}

/* Is one of the words a command with a secret? */
static bool is_login_command(const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t len = word_len(s + i, n - i);
		if (len > 0 && words_kept(s + i, len) >= 0)
			return true;
		i += len > 0 ? len : 1;
	}
	return false;
}

static bool gives_away(const struct mm_secret *s, const char *text, size_t n)
{
	return s != NULL && mm_reveals(text, n, mm_secret_bytes(s), mm_secret_len(s));
}

/* Looked at before and after: making it printable may put together what was
 * apart. */
void mm_redact(struct mm_buf *out, const char *text, size_t n, const struct mm_secret *secret)
{
	struct mm_buf all = MM_BUF_INIT(8 * (n + 1));
	hide_arguments(&all, text, n);
	size_t len = all.len < MM_REDACT_MAX ? all.len : MM_REDACT_MAX;
	/* not in the middle of a character */
	while (len > 0 && len < all.len && ((unsigned char)all.data[len] & 0xc0) == 0x80)
		len--;
	if (gives_away(secret, text, n) || gives_away(secret, mm_buf_str(&all), len))
		mm_buf_adds(out, MM_REDACT_WITHHELD);
	else
		mm_buf_add(out, mm_buf_str(&all), len);
	if (all.data != NULL)
		explicit_bzero(all.data, all.cap);
	mm_buf_free(&all);
}

void mm_redact_command(
    struct mm_buf *out, const char *line, size_t n, bool login, const struct mm_secret *secret)
{
	struct mm_buf all = MM_BUF_INIT(8 * (n + 1));
	bool hidden = hide_arguments(&all, line, n);
	/* "AUTH PLAIN" alone, with the rest in lines to come, has nothing to hide */
	bool bare = login && !hidden && is_login_command(line, n);
	if ((login && !hidden && !bare) || gives_away(secret, mm_buf_str(&all), all.len)) {
		mm_buf_reset(&all);
		mm_printable(&all, line, word_len(line, n));
		mm_buf_adds(&all, " ***");
	}
	size_t len = all.len < MM_REDACT_MAX ? all.len : MM_REDACT_MAX;
	if (gives_away(secret, mm_buf_str(&all), len))
		mm_buf_adds(out, "***");
	else
		mm_buf_add(out, mm_buf_str(&all), len);
	if (all.data != NULL)
		explicit_bzero(all.data, all.cap);
	mm_buf_free(&all);
}
