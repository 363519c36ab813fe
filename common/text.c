#include "common/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c;
}

int mm_parse_int(const char *s, int64_t min, int64_t max, int64_t *out)
{
	if (s == NULL)
		return -1;
	bool minus = *s == '-';
	const char *p = s + (minus ? 1 : 0);
	if (*p == '\0')
		return -1;
	int64_t v = 0;
	for (; *p != '\0'; p++) {
		if (!is_digit(*p))
			return -1;
		int64_t digit = *p - '0';
		/* Built up on the negative side, which reaches one further. */
		if (__builtin_mul_overflow(v, (int64_t)10, &v) || __builtin_sub_overflow(v, digit, &v))
			return -1;
	}
	if (!minus && __builtin_sub_overflow((int64_t)0, v, &v))
		return -1;
	if (v < min || v > max)
		return -1;
	*out = v;
	return 0;
}

bool mm_streq(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

bool mm_streq_nocase(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	for (; *a != '\0' && lower(*a) == lower(*b); a++)
		b++;
	return lower(*a) == lower(*b);
}

bool mm_starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool mm_ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);
	return k <= n && memcmp(s + n - k, suffix, k) == 0;
}

bool mm_has_control(const char *s)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;
		if (c < 0x20 || c == 0x7f)
			return true;
	}
	return false;
}

size_t mm_utf8_next(const char *s, size_t n, uint32_t *cp)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	if (n == 0)
		return 0;
	unsigned char c = (unsigned char)s[0];
	size_t len = c < 0x80 ? 1 : c < 0xc0 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf8 ? 4 : 0;
	if (len == 0 || len > n)
		return 0;
	uint32_t v = len == 1 ? c : c & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		unsigned char d = (unsigned char)s[i];
		if ((d & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (d & 0x3fU);
	}
	if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*cp = v;
	return len;
}

bool mm_is_utf8(const char *s, size_t n)
{
	for (size_t at = 0; at < n;) {
		uint32_t cp = 0;
		if ((unsigned char)s[at] < 0x80) {
			at++;
			continue;
		}
		size_t len = mm_utf8_next(s + at, n - at, &cp);
		if (len == 0)
			return false;
		at += len;
	}
	return true;
}

bool mm_is_bidi(uint32_t cp)
{
	return (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) || cp == 0x200e ||
	       cp == 0x200f;
}

bool mm_has_bidi(const char *s)
{
	for (size_t at = 0, n = strlen(s); at < n;) {
		uint32_t cp = 0;
		size_t len = mm_utf8_next(s + at, n - at, &cp);
		if (len > 0 && mm_is_bidi(cp))
			return true;
		at += len > 0 ? len : 1;
	}
	return false;
}

/* Resolvers read a name whose last label is a number as an address, in
 * forms (1.2, 0x7f000001) that nobody means. */
static bool looks_numeric(const char *label, size_t n)
{
	bool hex = n > 2 && label[0] == '0' && lower(label[1]) == 'x';
	for (size_t i = hex ? 2 : 0; i < n; i++) {
		if (hex ? !is_hex(label[i]) : !is_digit(label[i]))
			return false;
	}
	return true;
}

static bool is_label(const char *s, size_t n)
{
	if (n == 0 || n > 63 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_alnum(s[i]) && s[i] != '-' && s[i] != '_')
			return false;
	}
	return true;
}

bool mm_is_hostname(const char *s)
{
	unsigned char addr[sizeof(struct in6_addr)];
	if (strchr(s, ':') != NULL)
		return inet_pton(AF_INET6, s, addr) == 1;
	if (strlen(s) > 253)
		return false;
	for (;;) {
		size_t n = strcspn(s, ".");
		if (!is_label(s, n))
			return false;
		if (s[n] == '\0')
			return !looks_numeric(s, n);
		/* The last label of an address is a number; see below. */
		const char *last = strrchr(s, '.') + 1;
		if (looks_numeric(last, strlen(last)))
			return inet_pton(AF_INET, s, addr) == 1;
		s += n + 1;
	}
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;
	return m < c ? m : c;
}

size_t mm_distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	size_t *rows = mm_xcalloc(3 * (nb + 1), sizeof(*rows));
	size_t *before = rows, *last = rows + nb + 1, *now = rows + 2 * (nb + 1);
	for (size_t j = 0; j <= nb; j++)
		last[j] = j;
	for (size_t i = 1; i <= na; i++) {
		now[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			bool same = lower(a[i - 1]) == lower(b[j - 1]);
			now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (same ? 0 : 1));
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]) && before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		size_t *spare = before;
		before = last;
		last = now;
		now = spare;
	}
	size_t d = last[nb];
	free(rows);
	return d;
}

const char *mm_nearest(const char *s, const char *const *list)
{
	size_t limit = (strlen(s) + 1) / 3;
	const char *best = NULL;
	for (; *list != NULL; list++) {
		/* Cheaper than the distance, and never larger. */
		size_t n = strlen(*list), k = strlen(s);
		if ((n > k ? n - k : k - n) > limit)
			continue;
		size_t d = mm_distance(s, *list);
		if (d > limit || (best != NULL && d == limit))
			continue;
		best = *list;
		limit = d;
	}
	return best;
}

static char *put_digits(char *at, int v, int n)
{
	for (int i = n; i-- > 0; v /= 10)
		at[i] = (char)('0' + v % 10);
	return at + n;
}

const char *mm_time_utc(int64_t unix_time, char *buf)
{
	/* Years 1000 to 9999: what the form can hold. */
	const int64_t first = -30610224000, last = 253402300799;
	struct tm tm;
	time_t t = (time_t)unix_time;
	if (unix_time < first || unix_time > last || gmtime_r(&t, &tm) == NULL) {
		memcpy(buf, "?", 2);
		return buf;
	}
	const int parts[] = {tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec};
	static const char before[] = "--T::";
	char *at = put_digits(buf, tm.tm_year + 1900, 4);
	for (size_t i = 0; i < 5; i++) {
		*at++ = before[i];
		at = put_digits(at, parts[i], 2);
	}
	memcpy(at, "Z", 2);
	return buf;
}

int mm_time_parse(const char *s, int64_t *out)
{
	struct tm tm = {.tm_mday = 0};
	char again[MM_TIME_MAX];
	const char *end = strptime(s, "%Y-%m-%d", &tm);
	bool day = end != NULL && *end == '\0';
	if (end != NULL && *end == 'T')
		end = strptime(end, "T%H:%M:%SZ", &tm);
	if (end == NULL || *end != '\0')
		return -1;
	*out = timegm(&tm);
	/* timegm() would make the 3rd of March of a 31st of February. */
	return strncmp(mm_time_utc(*out, again), s, day ? strlen(s) : MM_TIME_MAX) == 0 ? 0 : -1;
}

const char *mm_duration(int64_t seconds, char *buf)
{
	static const struct {
		uint64_t size;
		const char *name;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	const char *sign = seconds < 0 ? "-" : "";
	uint64_t rest = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
	size_t i = 0;
	while (i < 3 && rest < units[i].size)
		i++;
	uint64_t big = rest / units[i].size;
	uint64_t small = i < 3 ? rest % units[i].size / units[i + 1].size : 0;
	/* Room for whatever the compiler fears; the longest is 23 bytes. */
	char text[80];
	if (small > 0)
		snprintf(text, sizeof(text), "%s%llu %s %llu %s", sign, (unsigned long long)big,
		    units[i].name, (unsigned long long)small, units[i + 1].name);
	else
		snprintf(text, sizeof(text), "%s%llu %s", sign, (unsigned long long)big, units[i].name);
	size_t n = strnlen(text, MM_TIME_MAX - 1);
	memcpy(buf, text, n);
	buf[n] = '\0';
	return buf;
}
