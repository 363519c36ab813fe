#include "agent/formats/splice.h"

#include <stdint.h>
#include <string.h>

void mm_cut_add(struct mm_cuts *c, size_t from, size_t to, const char *put)
{
	struct mm_cut *k;

	if (c->n > 0 && from < c->v[c->n - 1].to) /* neighbours that share a line end */
		from = c->v[c->n - 1].to;
	if (from >= to && *put == '\0')
		return;
	k = mm_arena_push(c->a, &c->v, &c->n, &c->cap, sizeof(*c->v));
	*k = (struct mm_cut){.from = from, .to = to, .put = put};
}

const char *mm_text_eol(struct mm_text in)
{
	const char *lf = in.n != 0 ? memchr(in.p, '\n', in.n) : NULL;

	return lf != NULL && lf > in.p && lf[-1] == '\r' ? "\r\n" : "\n";
}

size_t mm_line_start(struct mm_text in, size_t pos)
{
	while (pos > 0 && in.p[pos - 1] != '\n')
		pos--;
	return pos;
}

size_t mm_line_next(struct mm_text in, size_t pos)
{
	const char *lf = pos < in.n ? memchr(in.p + pos, '\n', in.n - pos) : NULL;

	return lf == NULL ? in.n : (size_t)(lf - in.p) + 1;
}

size_t mm_line_end(struct mm_text in, size_t pos)
{
	size_t next = mm_line_next(in, pos);

	if (next > pos && in.p[next - 1] == '\n') {
		next--;
		if (next > pos && in.p[next - 1] == '\r')
			next--;
	}
	return next;
}

int mm_line_number(struct mm_text in, size_t pos)
{
	int n = 1;

	for (size_t i = 0; i < pos && i < in.n; i++)
		if (in.p[i] == '\n')
			n++;
	return n;
}

bool mm_text_is(struct mm_text in, size_t from, size_t to, const char *s)
{
	size_t n = strlen(s);

	return to <= in.n && to - from == n && memcmp(in.p + from, s, n) == 0;
}

bool mm_one_line(const char *s)
{
	size_t n = strlen(s);

	return strchr(s, '\n') == NULL && (n == 0 || s[n - 1] != '\r');
}

const char *mm_text_dup(struct mm_text in, size_t from, size_t to, struct mm_arena *a)
{
	return from == to ? "" : mm_arena_strndup(a, in.p + from, to - from);
}

/* What joins a new last line to a text without a final line end. A text that
 * ends in CR gets CR LF, so that its CR is not taken for half a line end. */
static const char *joint(struct mm_text in)
{
	return in.n > 0 && in.p[in.n - 1] == '\r' ? "\r\n" : mm_text_eol(in);
}

static size_t eol_before(struct mm_text in, size_t pos)
{
	if (pos == 0 || in.p[pos - 1] != '\n')
		return 0;
	return pos > 1 && in.p[pos - 2] == '\r' ? 2 : 1;
}

void mm_cut_lines(struct mm_cuts *c, struct mm_text in, size_t from, size_t to)
{
	size_t first = mm_line_start(in, from);
	size_t last = to > from && in.p[to - 1] == '\n' ? to : mm_line_next(in, to);

	if (last == in.n && (last == first || in.p[last - 1] != '\n'))
		first -= eol_before(in, first);
	mm_cut_add(c, first, last, "");
}

static const char *with_eol(struct mm_arena *a, const char *lines, const char *eol)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	const char *out;

	for (const char *p = lines; *p != '\0'; p++) {
		if (*p == '\n')
			mm_buf_adds(&b, eol);
		else
			mm_buf_addc(&b, *p);
	}
	out = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

void mm_put_lines(struct mm_cuts *c, struct mm_text in, size_t at, const char *lines)
{
	bool open_end = at == in.n && in.n > 0 && in.p[in.n - 1] != '\n';
	const char *eol = open_end ? joint(in) : mm_text_eol(in);
	const char *body = with_eol(c->a, lines, eol);

	mm_cut_add(c, at, at,
	    open_end ? mm_arena_printf(c->a, "%s%s", eol, body) : mm_arena_printf(c->a, "%s%s", body, eol));
}

int mm_text_check(struct mm_text in, struct mm_err *err)
{
	const char *nul;

	if (in.n > MM_FORMAT_TEXT_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "the file is larger than %u bytes", MM_FORMAT_TEXT_MAX);
	nul = in.n != 0 ? memchr(in.p, '\0', in.n) : NULL;
	if (nul != NULL)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: the file holds a NUL byte: not a text",
		    mm_line_number(in, (size_t)(nul - in.p)));
	return 0;
}

static uint64_t hash_text(uint64_t h, const char *s)
{
	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return (h ^ 0xff) * 1099511628211u;
}

void mm_mark_winners(struct mm_item *items, size_t n, struct mm_arena *a)
{
	const struct mm_item **slot;
	size_t mask = 15;

	while (mask < 2 * n)
		mask = mask * 2 + 1;
	slot = mm_arena_alloc(a, mask + 1, sizeof(*slot));
	for (size_t i = n; i-- > 0;) {
		struct mm_item *it = &items[i];
		uint64_t h = hash_text(hash_text(1469598103934665603u, it->section), it->key);
		size_t at = (size_t)(h ^ (h >> 32)) & mask;

		it->wins = it->kind == 'c';
		if (it->wins)
			continue;
		while (slot[at] != NULL &&
		       (strcmp(slot[at]->key, it->key) != 0 || strcmp(slot[at]->section, it->section) != 0))
			at = (at + 1) & mask;
		it->wins = slot[at] == NULL;
		if (it->wins)
			slot[at] = it;
	}
}

static struct mm_text apply(struct mm_text in, const struct mm_cuts *cuts, struct mm_arena *a)
{
	size_t n = in.n, at = 0, w = 0;
	char *p;

	for (size_t i = 0; i < cuts->n; i++)
		n = n - (cuts->v[i].to - cuts->v[i].from) + strlen(cuts->v[i].put);
	p = mm_arena_alloc(a, n + 1, 1);
	for (size_t i = 0; i <= cuts->n; i++) {
		size_t to = i < cuts->n ? cuts->v[i].from : in.n;

		if (to > at)
			memcpy(p + w, in.p + at, to - at);
		w += to - at;
		if (i == cuts->n)
			break;
		memcpy(p + w, cuts->v[i].put, strlen(cuts->v[i].put));
		w += strlen(cuts->v[i].put);
		at = cuts->v[i].to;
	}
	return (struct mm_text){.p = p, .n = n};
}

static bool same_text(struct mm_text x, struct mm_text y)
{
	return x.n == y.n && (x.n == 0 || memcmp(x.p, y.p, x.n) == 0);
}

int mm_edit_run(struct mm_text in, struct mm_edit *edits, size_t n, mm_edit_one *one, struct mm_arena *a,
    struct mm_buf *out, struct mm_err *err)
{
	if (mm_text_check(in, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct mm_cuts cuts = {.a = a};
		struct mm_text now;

		edits[i].had = false;
		edits[i].former = edits[i].former_raw = NULL;
		edits[i].former_kind = 's';
		edits[i].changed = false;
		if (one(in, &edits[i], &cuts, err) != 0)
			return -1;
		if (cuts.n == 0)
			continue;
		now = apply(in, &cuts, a);
		edits[i].changed = !same_text(in, now);
		in = now;
		if (mm_text_check(in, err) != 0)
			return -1;
	}
	mm_buf_add(out, in.p, in.n);
	if (!mm_buf_ok(out))
		return mm_err_set(err, MM_EX_DATAERR, "the file would become too large");
	return 0;
}
