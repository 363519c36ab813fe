#include "controller/rollout/share.h"

#include <string.h>

#include "common/text.h"

/* "12.5" as 1250: without floating point, so that 0.29% is exactly that. */
static int percent(const char *text, size_t n, int64_t *out)
{
	char whole[16];
	int64_t units, cents = 0;
	const char *dot = memchr(text, '.', n);
	size_t head = dot != NULL ? (size_t)(dot - text) : n;
	size_t tail = n - head;

	if (head == 0 || head >= sizeof(whole) || tail == 1 || tail > 3)
		return -1;
	memcpy(whole, text, head);
	whole[head] = '\0';
	if (mm_parse_int(whole, 0, 100, &units) != 0)
		return -1;
	for (size_t i = 1; i < 3; i++) {
		char c = '0';
		if (i < tail)
			c = text[head + i];
		if (c < '0' || c > '9')
			return -1;
		cents = cents * 10 + (c - '0');
	}
	*out = units * MM_PERCENT + cents;
	return *out <= 100 * MM_PERCENT ? 0 : -1;
}

int mm_share_parse(const char *text, struct mm_share *out)
{
	size_t n = strlen(text);
	struct mm_share s = {.kind = MM_SHARE_ANY};

	if (mm_streq(text, "any")) {
		*out = s;
		return 0;
	}
	if (n > 0 && text[n - 1] == '%') {
		s.kind = MM_SHARE_PERCENT;
		if (percent(text, n - 1, &s.n) != 0)
			return -1;
	} else {
		s.kind = MM_SHARE_COUNT;
		if (mm_parse_int(text, 0, MM_SHARE_COUNT_MAX, &s.n) != 0)
			return -1;
	}
	*out = s;
	return 0;
}

void mm_share_print(const struct mm_share *s, struct mm_buf *out)
{
	int64_t cents = s->n % MM_PERCENT;

	if (s->kind == MM_SHARE_ANY)
		mm_buf_adds(out, "any");
	else if (s->kind == MM_SHARE_COUNT)
		mm_buf_addf(out, "%lld", (long long)s->n);
	else if (cents == 0)
		mm_buf_addf(out, "%lld%%", (long long)(s->n / MM_PERCENT));
	else if (cents % 10 == 0)
		mm_buf_addf(out, "%lld.%lld%%", (long long)(s->n / MM_PERCENT), (long long)(cents / 10));
	else
		mm_buf_addf(out, "%lld.%02lld%%", (long long)(s->n / MM_PERCENT), (long long)cents);
}

int64_t mm_share_of(const struct mm_share *s, int64_t whole)
{
	if (s->kind == MM_SHARE_ANY)
		return INT64_MAX;
	return s->kind == MM_SHARE_COUNT ? s->n : whole * s->n / (100 * MM_PERCENT);
}

int64_t mm_share_need(const struct mm_share *s, int64_t whole)
{
	if (s->kind != MM_SHARE_PERCENT)
		return mm_share_of(s, whole);
	return (whole * s->n + 100 * MM_PERCENT - 1) / (100 * MM_PERCENT);
}
