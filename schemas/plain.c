#include "schemas/plain.h"

#define DIGITS_MAX 15 /* within what every JSON implementation holds exactly */

struct reader {
	const char *p, *end;
};

static bool take(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static bool take_name(struct reader *r, struct mm_plain *m)
{
	if (!take(r, '"'))
		return false;
	m->name = r->p;
	while (r->p < r->end && ((*r->p >= 'a' && *r->p <= 'z') || *r->p == '_'))
		r->p++;
	m->name_len = (size_t)(r->p - m->name);
	return m->name_len > 0 && take(r, '"') && take(r, ':');
}

static bool take_text(struct reader *r, struct mm_plain *m)
{
	m->text = r->p;
	while (r->p < r->end && *r->p >= ' ' && *r->p <= '~' && *r->p != '"') {
		if (*r->p == '\\') {
			m->escaped = true;
			if (++r->p == r->end || (*r->p != '"' && *r->p != '\\'))
				return false;
		}
		r->p++;
	}
	m->len = (size_t)(r->p - m->text);
	return take(r, '"');
}

static bool take_number(struct reader *r, struct mm_plain *m)
{
	const char *first = r->p;
	while (r->p < r->end && *r->p >= '0' && *r->p <= '9' && r->p - first < DIGITS_MAX)
		m->number = 10 * m->number + (*r->p++ - '0');
	return r->p > first && (*first != '0' || r->p == first + 1);
}

const char *mm_plain_copy(const struct mm_plain *m, struct mm_arena *a)
{
	char *text = mm_arena_strndup(a, m->text, m->len), *to = text;
	if (!m->escaped)
		return text;
	for (const char *p = m->text; p < m->text + m->len; p++) {
		p += *p == '\\';
		*to++ = *p;
	}
	*to = '\0';
	return text;
}

int mm_plain_read(const char *json, size_t n, struct mm_plain *out, size_t max)
{
	struct reader r = {json, json + n};
	size_t count = 0;
	if (!take(&r, '{'))
		return -1;
	do {
		struct mm_plain m = {.text = NULL};
		if (count == max || !take_name(&r, &m) ||
		    !(take(&r, '"') ? take_text(&r, &m) : take_number(&r, &m)))
			return -1;
		out[count++] = m;
	} while (take(&r, ','));
	return take(&r, '}') && r.p == r.end ? (int)count : -1;
}
