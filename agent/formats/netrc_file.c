#include "agent/formats/netrc_file.h"

#include <string.h>

#include "agent/formats/netrc_lex.h"
#include "agent/formats/splice.h"
#include "common/text.h"

struct word {                              /* a keyword and what stands behind it */
	const char *section, *key, *value; /* value: of a login */
	size_t from, vfrom, to;
	int line;
};

struct scan {
	struct mm_netrc_lexer l;
	struct mm_arena *a;
	const char *text;
	size_t counted; /* line ends up to here */
	int line;
	struct word *v;
	size_t n, cap;
	const char *section;
	const char **machines;
	size_t n_machines, cap_machines;
};

static const char *lower(const char *s, struct mm_arena *a)
{
	char *p = mm_arena_strdup(a, s);

	for (char *c = p; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return p;
}

static int open_entry(struct scan *s, const char *machine, struct mm_err *err)
{
	unsigned before = 0;

	if (s->n_machines == MM_NETRC_ENTRIES_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "more than %d entries", MM_NETRC_ENTRIES_MAX);
	for (size_t i = 0; i < s->n_machines; i++)
		before += mm_streq(s->machines[i], machine) ? 1 : 0;
	*(const char **)mm_arena_push(
	    s->a, &s->machines, &s->n_machines, &s->cap_machines, sizeof(*s->machines)) = machine;
	s->section = before > 0 ? mm_arena_printf(s->a, "%s\n%u", machine, before + 1) : machine;
	return 0;
}

static int line_of(struct scan *s, size_t at)
{
	for (; s->counted < at; s->counted++)
		s->line += s->text[s->counted] == '\n' ? 1 : 0;
	return s->line;
}

static int bad(struct scan *s, struct mm_err *err)
{
	return mm_err_set(err, MM_EX_DATAERR, "line %d: a word without its value, or one that does not end",
	    line_of(s, (size_t)(s->l.p - s->text)));
}

/* The keyword that was just read, with its value. */
static int take(struct scan *s, const char *key, struct mm_err *err)
{
	struct word w = {.key = key, .from = (size_t)(s->l.from - s->text)};
	bool machine = mm_streq(key, "machine");

	w.line = line_of(s, w.from);
	w.to = (size_t)(s->l.p - s->text);
	if (mm_streq(key, "default")) {
		if (open_entry(s, "\ndefault", err) != 0)
			return -1;
	} else {
		if (mm_netrc_next(&s->l) <= 0)
			return bad(s, err);
		w.vfrom = (size_t)(s->l.from - s->text);
		w.to = (size_t)(s->l.p - s->text);
		if (machine && open_entry(s, lower(s->l.word, s->a), err) != 0)
			return -1;
		if (mm_streq(key, "login"))
			w.value = mm_arena_strdup(s->a, s->l.word);
	}
	w.section = s->section;
	*(struct word *)mm_arena_push(s->a, &s->v, &s->n, &s->cap, sizeof(*s->v)) = w;
	return 0;
}

static int words(struct scan *s, struct mm_err *err)
{
	static const char *const keys[] = {"machine", "default", "login", "password", "account"};
	int rc;

	while ((rc = mm_netrc_next(&s->l)) > 0) {
		size_t k = 0;

		while (k < 5 && !mm_netrc_is(&s->l, keys[k]))
			k++;
		if (k < 5
			? take(s, keys[k], err) != 0
			: mm_netrc_is(&s->l, "macdef") && mm_netrc_skip_macro(&s->l) != 0 && bad(s, err) != 0)
			return -1;
	}
	return rc < 0 ? bad(s, err) : 0;
}

static int scan(struct mm_text in, struct mm_arena *a, struct scan *s, struct mm_err *err)
{
	int rc;

	if (mm_text_check(in, err) != 0)
		return -1;
	*s = (struct scan){.a = a, .text = mm_text_dup(in, 0, in.n, a), .line = 1, .section = ""};
	s->l.p = s->text;
	rc = words(s, err);
	explicit_bzero(s->l.word, sizeof(s->l.word));
	return rc;
}

static int parse(struct mm_text in, struct mm_arena *a, struct mm_doc *out, struct mm_err *err)
{
	struct scan s;
	struct mm_item *items;

	if (scan(in, a, &s, err) != 0)
		return -1;
	items = mm_arena_alloc(a, s.n + 1, sizeof(*items));
	for (size_t i = 0; i < s.n; i++)
		items[i] = (struct mm_item){.section = s.v[i].section,
		    .key = s.v[i].key,
		    .value = s.v[i].value != NULL ? s.v[i].value : "",
		    .kind = s.v[i].value != NULL ? 's' : 'c',
		    .line = s.v[i].line};
	mm_mark_winners(items, s.n, a);
	*out = (struct mm_doc){.items = items, .n = s.n, .eol = mm_text_eol(in)};
	return 0;
}

/* ---- editing */

static bool means(const char *raw, const char *value)
{
	struct mm_netrc_lexer l = {.p = raw};

	return mm_netrc_next(&l) == 1 && *l.p == '\0' && l.from == raw && mm_streq(l.word, value);
}

static const char *quoted(const char *s, struct mm_arena *a)
{
	char *p = mm_arena_alloc(a, 2 * strlen(s) + 3, 1), *w = p;

	*w++ = '"';
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			*w++ = '\\';
		*w++ = *s;
	}
	*w = '"';
	return p;
}

static int spell(
    const struct mm_edit *e, bool glued, struct mm_arena *a, const char **out, struct mm_err *err)
{
	static const char *const keywords = "machine default login password account macdef";
	bool keyword = false;

	if (e->raw != NULL && means(e->raw, e->value) && (!glued || e->raw[0] == '"')) {
		*out = e->raw;
		return 0;
	}
	for (const char *p = keywords; *p != '\0'; p += strspn(p, " ")) {
		size_t n = strcspn(p, " ");

		keyword |= strlen(e->value) == n && memcmp(e->value, p, n) == 0;
		p += n;
	}
	*out = !glued && !keyword && strpbrk(e->value, "\"\\#") == NULL && means(e->value, e->value)
		   ? e->value
		   : quoted(e->value, a);
	if (mm_has_control(e->value) || !means(*out, e->value))
		return mm_err_set(err, MM_EX_DATAERR, "this login cannot be written in a netrc");
	return 0;
}

static bool is_space(char c)
{
	return mm_is_blank(c) || c == '\n' || c == '\r';
}

static int set(struct mm_text in, const struct word *login, const struct word *machine, struct mm_edit *e,
    struct mm_cuts *cuts, struct mm_err *err)
{
	size_t to = login != NULL ? login->to : machine->to;
	bool glued = to < in.n && !is_space(in.p[to]);
	const char *word;

	if (e->value == NULL || e->kind != 's')
		return mm_err_set(err, MM_EX_DATAERR, "no login given");
	if (login != NULL && mm_streq(login->value, e->value))
		return 0;
	if (login == NULL && glued)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: there is no room for a login", machine->line);
	if (spell(e, glued, cuts->a, &word, err) != 0)
		return -1;
	if (login != NULL)
		mm_cut_add(cuts, login->vfrom, login->to, word);
	else
		mm_cut_add(cuts, to, to, mm_arena_printf(cuts->a, " login %s", word));
	return 0;
}

static int edit_one(struct mm_text in, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	const struct word *login = NULL, *machine = NULL;
	struct scan s;

	if (scan(in, cuts->a, &s, err) != 0)
		return -1;
	if ((e->op != MM_EDIT_SET && e->op != MM_EDIT_DELETE) || !mm_streq(e->key, "login"))
		return mm_err_set(err, MM_EX_DATAERR, "only logins are edited in a netrc");
	for (size_t i = 0; i < s.n; i++)
		if (mm_streq(s.v[i].section, e->section)) {
			machine = machine == NULL && s.v[i].value == NULL ? &s.v[i] : machine;
			login = s.v[i].value != NULL ? &s.v[i] : login;
		}
	if (login != NULL) {
		e->had = true;
		e->former = login->value;
		e->former_raw = mm_text_dup(in, login->vfrom, login->to, cuts->a);
	}
	if (e->op == MM_EDIT_SET && (login != NULL || (machine != NULL && e->section[0] != '\0')))
		return set(in, login, machine, e, cuts, err);
	if (e->op == MM_EDIT_SET)
		return mm_err_set(err, MM_EX_DATAERR, "there is no such entry in the file");
	for (size_t i = 0; i < s.n; i++) {
		size_t from = s.v[i].from;

		if (s.v[i].value == NULL || !mm_streq(s.v[i].section, e->section))
			continue;
		while (from > 0 && mm_is_blank(in.p[from - 1]))
			from--;
		mm_cut_add(cuts, from, s.v[i].to, s.v[i].to < in.n && !is_space(in.p[s.v[i].to]) ? " " : "");
	}
	return 0;
}

static int edit(struct mm_text in, struct mm_edit *edits, size_t n, struct mm_arena *a, struct mm_buf *out,
    struct mm_err *err)
{
	return mm_edit_run(in, edits, n, edit_one, a, out, err);
}

const struct mm_format mm_format_netrc = {.name = "netrc", .parse = parse, .edit = edit};
