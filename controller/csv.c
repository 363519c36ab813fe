#include "controller/csv.h"

#include <string.h>

#include "common/text.h"

void mm_csv_init(struct mm_csv *c, const char *text, size_t len)
{
	*c = (struct mm_csv){.p = text, .end = text + len, .line = 1};
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		c->p += 3;
}

static bool at_break(const struct mm_csv *c)
{
	return c->p == c->end || *c->p == '\n' || (*c->p == '\r' && c->p + 1 < c->end && c->p[1] == '\n');
}

static void take_break(struct mm_csv *c)
{
	if (c->p < c->end && *c->p == '\r')
		c->p++;
	if (c->p < c->end) {
		c->p++;
		c->line++;
	}
}

/* After an error: go on with the next line. */
static int give_up(struct mm_csv *c, struct mm_err *err, const char *text)
{
	while (!at_break(c))
		c->p++;
	take_break(c);
	return mm_err_set(err, MM_EX_DATAERR, "%s", text);
}

/* Behind the opening quote; the content without doubled quotes goes to out. */
static const char *quoted(struct mm_csv *c, char *out, size_t *n)
{
	for (; c->p < c->end; c->p++) {
		if (*c->p == '"') {
			if (c->p + 1 == c->end || c->p[1] != '"') {
				c->p++;
				return c->p < c->end && *c->p != ',' && !at_break(c)
					   ? "text behind a closing quote"
					   : NULL;
			}
			c->p++;
		} else if (*c->p == '\n') {
			c->line++;
		}
		if (*n == MM_CSV_FIELD_MAX)
			return "a field is longer than 4096 bytes";
		out[(*n)++] = *c->p;
	}
	return "a quote is not closed";
}

static const char *bare(struct mm_csv *c, char *out, size_t *n)
{
	for (; !at_break(c) && *c->p != ','; c->p++) {
		if (*c->p == '"')
			return "a quote inside a field that is not quoted";
		if (*n == MM_CSV_FIELD_MAX)
			return "a field is longer than 4096 bytes";
		out[(*n)++] = *c->p;
	}
	return NULL;
}

static const char *field(struct mm_csv *c, struct mm_arena *a, const char **out)
{
	char text[MM_CSV_FIELD_MAX + 1];
	const char *wrong;
	size_t n = 0;

	if (c->p < c->end && *c->p == '"') {
		c->p++;
		wrong = quoted(c, text, &n);
	} else {
		wrong = bare(c, text, &n);
	}
	if (wrong)
		return wrong;
	text[n] = '\0';
	if (strlen(text) != n || mm_has_control(text))
		return "a control character";
	if (!mm_is_utf8(text, n))
		return "text that is not UTF-8";
	*out = mm_arena_strndup(a, text, n);
	return NULL;
}

int mm_csv_next(struct mm_csv *c, struct mm_arena *a, struct mm_csv_record *out, struct mm_err *err)
{
	const char *wrong;

	while (c->p < c->end && at_break(c))
		take_break(c);
	out->line = c->line;
	out->n = 0;
	if (c->p == c->end)
		return 0;
	for (;;) {
		if (out->n == MM_CSV_FIELDS_MAX)
			return give_up(c, err, "more than 64 fields");
		wrong = field(c, a, &out->field[out->n]);
		if (wrong)
			return give_up(c, err, wrong);
		out->n++;
		if (at_break(c))
			break;
		c->p++; /* the comma */
	}
	take_break(c);
	return 1;
}
