#include "agent/formats/inis_scan.h"

#include <stdlib.h>
#include <string.h>

#include "agent/formats/inis.h"
#include "common/text.h"

struct scan {
	const struct mm_ini_rules *r;
	struct mm_text in;
	struct mm_arena *a;
	struct mm_line *v;
	size_t n, cap;
	const char *section; /* NULL: before the first header */
	size_t sections;
	size_t counted; /* text before this byte ... */
	int line;       /* ... has this many lines */
};

static bool space(char c)
{
	return mm_is_blank(c) || c == '\r' || c == '\v' || c == '\f';
}

void mm_ini_trim(struct mm_text in, size_t *from, size_t *to)
{
	while (*from < *to && (space(in.p[*from]) || in.p[*from] == '\n'))
		(*from)++;
	while (*to > *from && (space(in.p[*to - 1]) || in.p[*to - 1] == '\n'))
		(*to)--;
}

static const char *lower(const char *s, struct mm_arena *a)
{
	char *p = mm_arena_strdup(a, s);

	for (char *c = p; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return p;
}

/* Lines are counted as they are met: an entry may span many. */
static int line_no(struct scan *s, size_t pos)
{
	for (; s->counted < pos; s->counted++)
		s->line += s->in.p[s->counted] == '\n';
	return s->line + 1;
}

static struct mm_line *new_line(struct scan *s, size_t pos)
{
	struct mm_line *l = mm_arena_push(s->a, &s->v, &s->n, &s->cap, sizeof(*s->v));

	*l = (struct mm_line){.from = pos,
	    .end = mm_line_end(s->in, pos),
	    .next = mm_line_next(s->in, pos),
	    .no = line_no(s, pos),
	    .section = s->section != NULL ? s->section : ""};
	return l;
}

static int key_entry(struct scan *s, struct mm_line *l, size_t i, struct mm_err *err)
{
	size_t sep = i, kfrom = i, kto;

	while (sep < l->end && strchr(s->r->separators, s->in.p[sep]) == NULL)
		sep++;
	if (s->r->bare && sep < l->end) /* a comment may stand before the separator */
		for (size_t k = i; k < sep; k++)
			if (s->in.p[k] == '#' || s->in.p[k] == ';')
				sep = l->end;
	kto = sep;
	if (sep == l->end && s->r->bare)
		for (kto = i; kto < l->end && s->in.p[kto] != '#' && s->in.p[kto] != ';';)
			kto++;
	mm_ini_trim(s->in, &kfrom, &kto);
	if ((sep == l->end && !s->r->bare) || kfrom == kto)
		return mm_err_set(
		    err, MM_EX_DATAERR, "line %d: neither '[section]' nor 'key = value'", l->no);
	if (s->section == NULL && !s->r->no_head)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: a key before the first '[section]'", l->no);
	l->kind = MM_LINE_KEY;
	l->key = mm_text_dup(s->in, kfrom, kto, s->a);
	if (s->r->fold)
		l->key = lower(l->key, s->a);
	l->kfrom = kfrom;
	l->kto = l->vfrom = l->vto = kto;
	l->value = "true";
	l->alone = sep == l->end;
	if (!l->alone && s->r->value(s->in, l, sep + 1, s->a) != 0)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: not a value", l->no);
	if (!mm_ini_is_key(s->r, l->key))
		return mm_err_set(err, MM_EX_DATAERR, "line %d: not a key", l->no);
	return 0;
}

static int header_entry(struct scan *s, size_t i, struct mm_err *err)
{
	struct mm_line *l = &s->v[s->n - 1];
	size_t rest = l->end, next = l->next;
	const char *name = s->r->header(s->in, i + 1, l->end, s->a, &rest);

	if (name == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: not the header of a section", l->no);
	if (s->sections++ == MM_INI_SECTIONS_MAX)
		return mm_err_set(
		    err, MM_EX_DATAERR, "line %d: more than %d sections", l->no, MM_INI_SECTIONS_MAX);
	for (size_t k = 0; s->r->strict && k < s->n - 1; k++)
		if (s->v[k].kind == MM_LINE_HEADER && strcmp(s->v[k].section, name) == 0)
			return mm_err_set(err, MM_EX_DATAERR,
			    "line %d: section [%s] comes twice; the program refuses the file", l->no, name);
	l->kind = MM_LINE_HEADER;
	l->section = s->section = name;
	l->value = "";
	while (rest < l->end && space(s->in.p[rest]))
		rest++;
	if (!s->r->bare || rest == l->end || s->in.p[rest] == '#' || s->in.p[rest] == ';')
		return 0;
	/* git takes a key in the line of the header. */
	l->end = rest;
	l = new_line(s, rest);
	l->next = next;
	l->inside = true;
	return key_entry(s, l, rest, err);
}

static int by_place(const void *x, const void *y)
{
	const struct mm_line *const *p = x, *const *q = y;
	int d = strcmp((*p)->section, (*q)->section);

	return d != 0 ? d : strcmp((*p)->key, (*q)->key);
}

static int check_twice(const struct scan *s, struct mm_err *err)
{
	const struct mm_line **v = mm_arena_alloc(s->a, s->n + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].kind == MM_LINE_KEY)
			v[n++] = &s->v[i];
	qsort(v, n, sizeof(*v), by_place);
	for (size_t i = 1; i < n; i++)
		if (by_place(&v[i - 1], &v[i]) == 0)
			return mm_err_set(err, MM_EX_DATAERR,
			    "line %d: '%s' comes twice in its section; the program refuses the file",
			    v[i]->no > v[i - 1]->no ? v[i]->no : v[i - 1]->no, v[i]->key);
	return 0;
}

static int entry(struct scan *s, size_t pos, struct mm_err *err)
{
	struct mm_line *l = new_line(s, pos);
	size_t i = pos;

	if (pos == 0 && !s->r->strict && s->in.n >= 3 && memcmp(s->in.p, "\xef\xbb\xbf", 3) == 0)
		i += 3;
	while (i < l->end && space(s->in.p[i]))
		i++;
	l->kind = i == l->end ? MM_LINE_BLANK : MM_LINE_COMMENT;
	if (i == l->end || s->in.p[i] == '#' || s->in.p[i] == ';')
		return 0;
	return s->in.p[i] == '[' ? header_entry(s, i, err) : key_entry(s, l, i, err);
}

static int check_utf8(const struct scan *s, struct mm_err *err)
{
	for (size_t i = 0, n; i < s->in.n; i += n) {
		uint32_t cp;

		n = mm_utf8_next(s->in.p + i, s->in.n - i, &cp);
		if (n == 0)
			return mm_err_set(err, MM_EX_DATAERR,
			    "line %d: not UTF-8; the program refuses the file", mm_line_number(s->in, i));
	}
	return 0;
}

int mm_ini_scan(const struct mm_ini_rules *rules, struct mm_text in, struct mm_arena *a, struct mm_line **out,
    size_t *n, struct mm_err *err)
{
	struct scan s = {.r = rules, .in = in, .a = a};

	if (mm_text_check(in, err) != 0)
		return -1;
	if (rules->strict && check_utf8(&s, err) != 0)
		return -1;
	for (size_t pos = 0; pos < in.n; pos = s.v[s.n - 1].next)
		if (entry(&s, pos, err) != 0)
			return -1;
	if (rules->strict && check_twice(&s, err) != 0)
		return -1;
	*out = s.v;
	*n = s.n;
	return 0;
}

bool mm_ini_is_key(const struct mm_ini_rules *r, const char *key)
{
	if (key[0] == '\0' || strchr("#;[`\"", key[0]) != NULL || mm_has_control(key))
		return false;
	if (space(key[0]) || space(key[strlen(key) - 1]) || strpbrk(key, r->separators) != NULL ||
	    (unsigned char)key[0] == 0xef)
		return false;
	for (const char *p = key; *p != '\0'; p++) {
		bool letter = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '-';

		if ((r->fold && *p >= 'A' && *p <= 'Z') || (r->bare && !letter))
			return false;
	}
	return true;
}

static bool set_again(const struct mm_edit *edits, size_t i, size_t n)
{
	for (size_t k = i + 1; k < n; k++)
		if (edits[k].op >= MM_EDIT_SECTION_ADD ||
		    (strcmp(edits[k].key, edits[i].key) == 0 &&
			strcmp(edits[k].section, edits[i].section) == 0))
			return true;
	return false;
}

int mm_ini_verify(const struct mm_line_grammar *g, const struct mm_buf *text, const struct mm_edit *edits,
    size_t n, struct mm_arena *a, struct mm_err *err)
{
	struct mm_doc d;

	if (mm_lines_parse(g, (struct mm_text){.p = n > 0 ? text->data : "", .n = text->len}, a, &d, err) !=
	    0)
		return mm_err_prefix(err, "%s", "this cannot be written here");
	for (size_t i = 0; i < n; i++) {
		const struct mm_item *it;

		if (edits[i].op != MM_EDIT_SET || set_again(edits, i, n))
			continue;
		it = mm_doc_find(&d, edits[i].section, edits[i].key);
		if (it == NULL || !mm_streq(it->value, edits[i].value))
			return mm_err_set(err, MM_EX_DATAERR,
			    "%s: this value would be read as another one beside what stands in the file",
			    edits[i].key);
	}
	return 0;
}
