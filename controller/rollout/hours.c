#include "controller/rollout/hours.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "common/text.h"

#define ALL_DAYS 0x7fu
#define DAY_MIN 1440

/* As tm_wday has them. */
static const char *const day_names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", NULL};

/* ---- reading */

struct cursor {
	const char *text; /* all of it, for errors */
	const char *p;
	struct mm_err *err;
};

static int wrong(const struct cursor *c, const char *what)
{
	return mm_err_set(c->err, MM_EX_USAGE,
	    "hours \"%s\": %s; write them like \"Mon-Fri 20:00-06:00\", several parted by \";\"", c->text,
	    what);
}

static void skip_blanks(struct cursor *c)
{
	while (*c->p == ' ')
		c->p++;
}

static int read_day(struct cursor *c, int *day)
{
	for (int i = 0; day_names[i] != NULL; i++) {
		char three[4] = "";

		for (size_t k = 0; k < 3 && c->p[k] != '\0'; k++)
			three[k] = c->p[k];
		if (mm_streq_nocase(three, day_names[i]) && !isalpha((unsigned char)c->p[3])) {
			*day = i;
			c->p += 3;
			return 0;
		}
	}
	return wrong(c, "there is a day that is none of Mon, Tue, Wed, Thu, Fri, Sat, Sun");
}

/* "Mon-Fri", "Sat,Sun", "Fri-Mon": a list of days and ranges. */
static int read_days(struct cursor *c, unsigned *days)
{
	int from, to;

	*days = 0;
	for (;;) {
		if (read_day(c, &from) != 0)
			return -1;
		to = from;
		if (*c->p == '-') {
			c->p++;
			if (read_day(c, &to) != 0)
				return -1;
		}
		for (int d = from;; d = (d + 1) % 7) {
			*days |= 1u << d;
			if (d == to)
				break;
		}
		if (*c->p != ',')
			return 0;
		c->p++;
		skip_blanks(c);
	}
}

static int read_number(struct cursor *c, int max, int *out)
{
	int v = 0;

	for (int i = 0; i < 2; i++) {
		if (*c->p < '0' || *c->p > '9')
			return wrong(c, "a time is written HH:MM");
		v = v * 10 + (*c->p++ - '0');
	}
	if (v > max)
		return wrong(c, "there is no such time of day");
	*out = v;
	return 0;
}

static int read_clock(struct cursor *c, int *minutes)
{
	int h, m;

	if (read_number(c, 24, &h) != 0)
		return -1;
	if (*c->p != ':')
		return wrong(c, "a time is written HH:MM");
	c->p++;
	if (read_number(c, 59, &m) != 0)
		return -1;
	if (h == 24 && m > 0)
		return wrong(c, "there is no such time of day");
	*minutes = h * 60 + m;
	return 0;
}

static int read_span(struct cursor *c, struct mm_span *out)
{
	struct mm_span s = {.days = ALL_DAYS};

	skip_blanks(c);
	if (isalpha((unsigned char)*c->p)) {
		if (read_days(c, &s.days) != 0)
			return -1;
		if (*c->p != ' ')
			return wrong(c, "times are missing behind the days");
		skip_blanks(c);
	}
	if (read_clock(c, &s.start) != 0)
		return -1;
	if (*c->p != '-')
		return wrong(c, "an end is missing, as in 20:00-06:00");
	c->p++;
	if (read_clock(c, &s.end) != 0)
		return -1;
	if (s.start == DAY_MIN)
		return wrong(c, "nothing starts at 24:00");
	if (s.end <= s.start)
		s.end += DAY_MIN;
	skip_blanks(c);
	*out = s;
	return 0;
}

int mm_hours_parse(const char *text, struct mm_hours *out, struct mm_err *err)
{
	struct cursor c = {.text = text, .p = text, .err = err};
	struct mm_hours h = {.n = 0};

	skip_blanks(&c);
	while (*c.p != '\0') {
		if (h.n == MM_HOURS_MAX)
			return wrong(&c, "there are more than 16 spans");
		if (read_span(&c, &h.spans[h.n++]) != 0)
			return -1;
		if (*c.p == '\0')
			break;
		if (*c.p != ';')
			return wrong(&c, "something stands behind the times");
		c.p++;
		skip_blanks(&c);
		if (*c.p == '\0')
			return wrong(&c, "nothing stands behind the last \";\"");
	}
	*out = h;
	return 0;
}

/* ---- writing */

static void print_days(unsigned days, struct mm_buf *out)
{
	bool any = false;

	/* The week begins on Monday, as people write it. */
	for (int k = 1; k <= 7; k++) {
		int first = k;

		if ((days & 1u << k % 7) == 0)
			continue;
		while (k < 7 && (days & 1u << (k + 1) % 7) != 0)
			k++;
		mm_buf_addf(out, "%s%s", any ? "," : "", day_names[first % 7]);
		if (k > first)
			mm_buf_addf(out, "%s%s", k > first + 1 ? "-" : ",", day_names[k % 7]);
		any = true;
	}
	mm_buf_addc(out, ' ');
}

void mm_hours_print(const struct mm_hours *h, struct mm_buf *out)
{
	for (size_t i = 0; i < h->n; i++) {
		const struct mm_span *s = &h->spans[i];
		int end = s->end > DAY_MIN ? s->end - DAY_MIN : s->end;

		if (i > 0)
			mm_buf_adds(out, "; ");
		if (s->days != ALL_DAYS)
			print_days(s->days, out);
		mm_buf_addf(out, "%02d:%02d-%02d:%02d", s->start / 60, s->start % 60, end / 60, end % 60);
	}
}

/* ---- the clock on the wall */

/* `minutes` after midnight of the day that lies `days` after now's. */
static int64_t moment(const struct tm *today, int days, int minutes)
{
	struct tm t = {.tm_year = today->tm_year,
	    .tm_mon = today->tm_mon,
	    .tm_mday = today->tm_mday + days + minutes / DAY_MIN,
	    .tm_hour = minutes % DAY_MIN / 60,
	    .tm_min = minutes % 60,
	    .tm_isdst = -1};

	return (int64_t)mktime(&t);
}

/* Start and end of the span that begins on that day; false: none does. */
static bool span_on(const struct mm_span *s, const struct tm *today, int days, int64_t *start, int64_t *end)
{
	if ((s->days & 1u << (today->tm_wday + days + 7) % 7) == 0)
		return false;
	*start = moment(today, days, s->start);
	*end = moment(today, days, s->end);
	return *end > *start;
}

int64_t mm_hours_next(const struct mm_hours *h, int64_t now)
{
	time_t clock = (time_t)now;
	struct tm today;
	int64_t start, end, next = INT64_MAX;

	if (h->n == 0 || localtime_r(&clock, &today) == NULL)
		return now;
	for (size_t i = 0; i < h->n; i++)
		for (int d = -1; d <= 8; d++) {
			if (!span_on(&h->spans[i], &today, d, &start, &end) || end <= now)
				continue;
			if (start <= now)
				return now;
			if (start < next)
				next = start;
		}
	return next;
}

bool mm_hours_open(const struct mm_hours *h, int64_t now)
{
	return mm_hours_next(h, now) == now;
}
