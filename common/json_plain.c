#include "common/json_plain.h"

#include <string.h>

#include "common/err.h"
#include "common/json.h"

#define DIGITS_MAX 15 /* within what every JSON implementation holds exactly */
#define NAME_MAX 128  /* bytes of a member's name */
#define TEXT_MAX 4096 /* bytes of a text in which something is escaped */

struct reader {
	const char *p, *end;
};

/* A text as it stands in the document. */
struct slice {
	const char *p;
	size_t n;
	bool escaped;
};

static bool take(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

/* Behind the opening quote, up to and with the closing one. */
static bool take_text(struct reader *r, struct slice *s)
{
	*s = (struct slice){.p = r->p};
	while (r->p < r->end && *r->p >= ' ' && *r->p <= '~' && *r->p != '"') {
		if (*r->p == '\\') {
			s->escaped = true;
			if (++r->p == r->end || (*r->p != '"' && *r->p != '\\'))
				return false;
		}
		r->p++;
	}
	s->n = (size_t)(r->p - s->p);
	return take(r, '"');
}

static json_t *made(json_t *j)
{
	if (j == NULL)
		mm_oom();
	return j;
}

static json_t *text_value(struct reader *r)
{
	struct slice s;
	char plain[TEXT_MAX];
	size_t n = 0;
	if (!take_text(r, &s))
		return NULL;
	if (!s.escaped)
		return made(json_stringn_nocheck(s.p, s.n));
	if (s.n > sizeof(plain))
		return NULL;
	for (size_t i = 0; i < s.n; i++) {
		i += s.p[i] == '\\';
		plain[n++] = s.p[i];
	}
	return made(json_stringn_nocheck(plain, n));
}

/* -0 and what has a point or an exponent is no whole number. */
static json_t *number_value(struct reader *r)
{
	bool minus = take(r, '-');
	const char *first = r->p;
	json_int_t v = 0;
	while (r->p < r->end && *r->p >= '0' && *r->p <= '9' && r->p - first < DIGITS_MAX)
		v = 10 * v + (*r->p++ - '0');
	if (r->p == first || (*first == '0' && (minus || r->p > first + 1)))
		return NULL;
	return made(json_integer(minus ? -v : v));
}

static json_t *word_value(struct reader *r)
{
	static const struct {
		const char *word;
		size_t n;
		json_t *(*make)(void);
	} words[] = {{"true", 4, json_true}, {"false", 5, json_false}, {"null", 4, json_null}};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if ((size_t)(r->end - r->p) >= words[i].n && memcmp(r->p, words[i].word, words[i].n) == 0) {
			r->p += words[i].n;
			return words[i].make();
		}
	return NULL;
}

static json_t *value(struct reader *r, int depth);

/* `"name":value`, with a name that the object does not have yet. */
static bool take_member(struct reader *r, int depth, json_t *o)
{
	struct slice s;
	char name[NAME_MAX + 1];
	json_t *v;
	if (!take(r, '"') || !take_text(r, &s) || s.escaped || s.n > NAME_MAX || !take(r, ':'))
		return false;
	memcpy(name, s.p, s.n);
	name[s.n] = '\0';
	if (json_object_get(o, name) != NULL || (v = value(r, depth)) == NULL)
		return false;
	if (json_object_set_new_nocheck(o, name, v) != 0)
		mm_oom();
	return true;
}

static bool take_item(struct reader *r, int depth, json_t *list)
{
	json_t *v = value(r, depth);
	if (v != NULL && json_array_append_new(list, v) != 0)
		mm_oom();
	return v != NULL;
}

static json_t *container(struct reader *r, int depth, json_t *c, char close,
    bool (*take_one)(struct reader *r, int depth, json_t *c))
{
	bool good = depth <= MM_JSON_DEPTH;
	if (good && !take(r, close)) {
		do
			good = take_one(r, depth, c);
		while (good && take(r, ','));
		good = good && take(r, close);
	}
	if (good)
		return c;
	json_decref(c);
	return NULL;
}

static json_t *value(struct reader *r, int depth)
{
	if (take(r, '"'))
		return text_value(r);
	if (take(r, '{'))
		return container(r, depth + 1, made(json_object()), '}', take_member);
	if (take(r, '['))
		return container(r, depth + 1, made(json_array()), ']', take_item);
	if (r->p < r->end && (*r->p == '-' || (*r->p >= '0' && *r->p <= '9')))
		return number_value(r);
	return word_value(r);
}

json_t *mm_json_plain(const char *p, size_t n)
{
	struct reader r = {p, p + n};
	json_t *j = n > 0 && (*p == '{' || *p == '[') ? value(&r, 0) : NULL;
	if (j != NULL && r.p != r.end) {
		json_decref(j);
		j = NULL;
	}
	return j;
}
