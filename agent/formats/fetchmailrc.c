#include "agent/formats/fetchmailrc.h"

#include <string.h>

#include "agent/formats/fetchmailrc_lex.h"
#include "common/text.h"

struct option {
	const struct mm_fm_word *word;
	const char *section, *key, *value;
	size_t from, to;   /* of all its words */
	size_t vfrom, vto; /* of the value as spelled */
};

struct entry {
	const char *section, *name;
	bool active;
	size_t from, to; /* `poll NAME` */
};

struct anchor { /* where the options of a section may go first */
	const char *section;
	size_t at;
};

struct scan {
	struct mm_text in;
	struct mm_arena *a;
	struct mm_fm_token *t;
	size_t nt, cap_t, i;
	struct option *o;
	size_t no, cap_o;
	struct entry *e;
	size_t ne, cap_e;
	struct anchor *anchors;
	size_t n_anchors, cap_anchors;
	const char *server, *user; /* sections where the cursor is */
	unsigned users;
};

/* ---- entries */

static void add_anchor(struct scan *s, const char *section, size_t at)
{
	struct anchor *x =
	    mm_arena_push(s->a, &s->anchors, &s->n_anchors, &s->cap_anchors, sizeof(*s->anchors));

	*x = (struct anchor){.section = section, .at = at};
}

static int wrong(const struct scan *s, const struct mm_fm_token *t, const char *what, struct mm_err *err)
{
	return mm_err_set(err, MM_EX_DATAERR, "line %d: %s; fetchmail refuses the file",
	    mm_line_number(s->in, t->from), what);
}

static int open_entry(struct scan *s, const struct mm_fm_word *w, struct mm_err *err)
{
	const struct mm_fm_token *t = &s->t[s->i];
	bool defaults = w->form == MM_FM_DEFAULTS;
	const struct mm_fm_token *name = defaults ? t : t + 1;
	unsigned before = 0;
	struct entry *e;

	if (!defaults && (s->i + 1 == s->nt || mm_fm_keyword(name) != NULL || mm_has_control(name->text)))
		return wrong(s, t, "an entry without a name", err);
	if (s->ne == MM_FETCHMAILRC_ENTRIES_MAX)
		return wrong(s, t, "too many entries", err);
	for (size_t i = 0; i < s->ne; i++)
		before += strcmp(s->e[i].name, name->text) == 0;
	e = mm_arena_push(s->a, &s->e, &s->ne, &s->cap_e, sizeof(*s->e));
	*e = (struct entry){.name = name->text,
	    .section = before > 0 ? mm_arena_printf(s->a, "%s\n%u", name->text, before + 1) : name->text,
	    .active = !mm_streq(w->word, "skip"),
	    .from = t->from,
	    .to = name->to};
	s->server = e->section;
	s->user = NULL;
	s->users = 0;
	add_anchor(s, e->section, e->to);
	s->i += defaults ? 1 : 2;
	return 0;
}

static struct option *add_option(struct scan *s, const struct mm_fm_word *w, const char *section, size_t from)
{
	struct option *o = mm_arena_push(s->a, &s->o, &s->no, &s->cap_o, sizeof(*s->o));

	*o = (struct option){
	    .word = w, .section = section, .key = w->key != NULL ? w->key : w->word, .from = from};
	return o;
}

static const char *user_section(struct scan *s)
{
	if (s->user == NULL) {
		s->user = mm_arena_printf(s->a, "%s\t0", s->server);
	}
	return s->user;
}

static int take_user(struct scan *s, const struct mm_fm_word *w, struct mm_err *err)
{
	const struct mm_fm_token *t = &s->t[s->i];
	struct option *o;

	if (s->i + 1 == s->nt || mm_fm_keyword(t + 1) != NULL)
		return wrong(s, t, "`user` without a name", err);
	s->user = mm_arena_printf(s->a, "%s\t%u", s->server, ++s->users);
	o = add_option(s, w, s->user, t->from);
	o->value = t[1].text;
	o->vfrom = t[1].from;
	o->vto = o->to = t[1].to;
	s->i += 2;
	if (s->i < s->nt && mm_fm_keyword(&s->t[s->i]) != NULL &&
	    mm_fm_keyword(&s->t[s->i])->form == MM_FM_WHERE)
		o->to = s->t[s->i++].to;
	add_anchor(s, s->user, o->to);
	return 0;
}

/* `word`, `no word`, `word VALUE`, `word VALUE VALUE ...` */
static int take_option(struct scan *s, const struct mm_fm_word *w, bool no, size_t from, struct mm_err *err)
{
	const struct mm_fm_token *t = &s->t[s->i++];
	bool first = true;
	struct option *o;

	if (w->server && s->user != NULL)
		return wrong(s, t, "an option of the server behind those of a user", err);
	o = add_option(s, w, w->server ? s->server : user_section(s), from);
	o->vfrom = from;
	o->vto = o->to = t->to;
	o->value = no ? "no" : "yes";
	if (w->form == MM_FM_FLAG)
		return 0;
	if (no || s->i == s->nt || mm_fm_keyword(&s->t[s->i]) != NULL)
		return wrong(s, t, "an option without its value", err);
	for (o->value = "";
	     s->i < s->nt && (first || (w->form == MM_FM_LIST && mm_fm_keyword(&s->t[s->i]) == NULL));
	     s->i++, first = false) {
		t = &s->t[s->i];
		o->value = first ? t->text : mm_arena_printf(s->a, "%s %s", o->value, t->text);
		o->vfrom = first ? t->from : o->vfrom;
		o->vto = o->to = t->to;
	}
	return 0;
}

/* The rest of `set ...`: a name, and words that are no keywords. */
static int skip_set(struct scan *s, struct mm_err *err)
{
	const struct mm_fm_token *t = &s->t[s->i++];

	if (s->i < s->nt && mm_streq(s->t[s->i].text, "no"))
		s->i++;
	if (s->i == s->nt ||
	    (mm_fm_keyword(&s->t[s->i]) != NULL && mm_fm_keyword(&s->t[s->i])->form <= MM_FM_DEFAULTS))
		return wrong(s, t, "`set` without a name", err);
	for (s->i++; s->i < s->nt && mm_fm_keyword(&s->t[s->i]) == NULL; s->i++)
		;
	return 0;
}

static int take(struct scan *s, struct mm_err *err)
{
	const struct mm_fm_token *t = &s->t[s->i];
	const struct mm_fm_word *w = mm_fm_keyword(t), *no = w == NULL ? mm_fm_negated(t) : NULL;

	if (no != NULL && s->server != NULL)
		return take_option(s, no, true, t->from, err);
	if (w == NULL)
		return wrong(s, t, "an unknown word", err);
	if (w->form == MM_FM_POLL || w->form == MM_FM_DEFAULTS)
		return open_entry(s, w, err);
	if (w->form == MM_FM_SET)
		return skip_set(s, err);
	if (w->form == MM_FM_NOISE || w->form == MM_FM_WHERE) {
		s->i++;
		return 0;
	}
	if (s->server == NULL)
		return wrong(s, t, "an option before the first entry", err);
	if (w->form == MM_FM_USER)
		return take_user(s, w, err);
	if (w->form != MM_FM_NO)
		return take_option(s, w, false, t->from, err);
	if (++s->i == s->nt || mm_fm_keyword(t + 1) == NULL || mm_fm_keyword(t + 1)->form != MM_FM_FLAG)
		return wrong(s, t, "`no` without an option", err);
	return take_option(s, mm_fm_keyword(t + 1), true, t->from, err);
}

static int scan(struct mm_text in, struct mm_arena *a, struct scan *s, struct mm_err *err)
{
	struct mm_fm_token t;
	size_t pos = 0;
	int rc;

	*s = (struct scan){.in = in, .a = a};
	if (mm_text_check(in, err) != 0)
		return -1;
	while ((rc = mm_fm_next_token(in, &pos, a, &t)) == 1)
		*(struct mm_fm_token *)mm_arena_push(a, &s->t, &s->nt, &s->cap_t, sizeof(*s->t)) = t;
	if (rc < 0)
		return mm_err_set(err, MM_EX_DATAERR,
		    "line %d: a quote is not closed, or not parted from the next word",
		    mm_line_number(in, pos));
	while (s->i < s->nt)
		if (take(s, err) != 0)
			return -1;
	return 0;
}

/* ---- the document */

static void push(struct mm_arena *a, struct mm_item **v, size_t *n, size_t *cap, struct mm_item it)
{
	*(struct mm_item *)mm_arena_push(a, v, n, cap, sizeof(**v)) = it;
}

static int parse(struct mm_text in, struct mm_arena *a, struct mm_doc *out, struct mm_err *err)
{
	struct mm_item *items = NULL;
	size_t n = 0, cap = 0, e = 0, counted = 0;
	struct scan s;
	int line = 1;

	if (scan(in, a, &s, err) != 0)
		return -1;
	for (size_t i = 0; i <= s.no; i++) {
		size_t at = i < s.no ? s.o[i].from : in.n;

		for (; e < s.ne && s.e[e].from < at; e++) {
			for (; counted < s.e[e].from; counted++)
				line += in.p[counted] == '\n';
			push(a, &items, &n, &cap,
			    (struct mm_item){.section = s.e[e].section,
				.key = "poll",
				.value = s.e[e].active ? "poll" : "skip",
				.kind = 'c',
				.line = line});
		}
		if (i == s.no)
			break;
		for (; counted < at; counted++)
			line += in.p[counted] == '\n';
		push(a, &items, &n, &cap,
		    (struct mm_item){.section = s.o[i].section,
			.key = s.o[i].key,
			.value = s.o[i].value,
			.kind = s.o[i].word->form == MM_FM_LIST ? 'c' : 's',
			.line = line});
	}
	mm_mark_winners(items, n, a);
	*out = (struct mm_doc){.items = items, .n = n, .eol = mm_text_eol(in)};
	return 0;
}

/* ---- editing */

static const struct option *winner(const struct scan *s, const struct mm_edit *e)
{
	for (size_t i = s->no; i-- > 0;)
		if (s->o[i].word->form != MM_FM_LIST && strcmp(s->o[i].section, e->section) == 0 &&
		    strcmp(s->o[i].key, e->key) == 0)
			return &s->o[i];
	return NULL;
}

/* Behind the last option of the section; 0: there is no such section. */
static size_t place(const struct scan *s, const char *section)
{
	size_t at = 0;

	for (size_t i = 0; i < s->n_anchors; i++)
		if (strcmp(s->anchors[i].section, section) == 0)
			at = s->anchors[i].at;
	for (size_t i = 0; i < s->no; i++)
		if (strcmp(s->o[i].section, section) == 0)
			at = s->o[i].to;
	return at;
}

static const char *meaning(const char *raw, struct mm_arena *a)
{
	struct mm_text in = {.p = raw, .n = strlen(raw)};
	struct mm_fm_token t;
	size_t pos = 0;

	if (mm_fm_next_token(in, &pos, a, &t) != 1 || t.from != 0 || t.to != in.n ||
	    mm_fm_keyword(&t) != NULL)
		return NULL;
	return t.text;
}

/* What stands for the value of this key. */
static int spell(const struct mm_fm_word *w, const struct mm_edit *e, struct mm_arena *a, const char **out,
    struct mm_err *err)
{
	bool flag = w != NULL && w->form == MM_FM_FLAG;

	if (w == NULL || w->form == MM_FM_LIST || w->server != (strchr(e->section, '\t') == NULL))
		return mm_err_set(err, MM_EX_DATAERR, "'%s' is not an option of this place", e->key);
	if (e->value == NULL || mm_has_control(e->value) ||
	    (flag && !mm_streq(e->value, "yes") && !mm_streq(e->value, "no")))
		return mm_err_set(
		    err, MM_EX_DATAERR, "%s: this value cannot stand in fetchmail's file", e->key);
	if (flag)
		*out = mm_streq(e->value, "yes") ? w->word : mm_arena_printf(a, "no %s", w->word);
	else
		*out = mm_fm_is_bare(e->value) ? e->value : mm_fm_quote(e->value, a);
	return 0;
}

static const char *raw_value(const struct mm_edit *e, const struct mm_fm_word *w, struct mm_arena *a)
{
	bool flag = w != NULL && w->form == MM_FM_FLAG;

	if (e->raw == NULL || (!flag && !mm_streq(meaning(e->raw, a), e->value)))
		return NULL;
	return flag && mm_starts_with(e->raw, "no") != mm_streq(e->value, "no") ? NULL : e->raw;
}

/* Options of any user of the entry that `section` ("NAME\tK") belongs to, besides `but`. */
static bool has_users(const struct scan *s, const char *section, const struct option *but)
{
	size_t n = (size_t)(strchr(section, '\t') - section) + 1;

	for (size_t i = 0; i < s->no; i++)
		if (&s->o[i] != but && strncmp(s->o[i].section, section, n) == 0)
			return true;
	return false;
}

/* The first `user` of an entry that has no options of users yet. */
static size_t place_of_user(struct scan *s, const char *section)
{
	const char *tab = strchr(section, '\t');

	if (!mm_streq(tab, "\t1") || has_users(s, section, NULL))
		return 0;
	return place(s, mm_arena_strndup(s->a, section, (size_t)(tab - section)));
}

static int set(
    struct scan *s, struct mm_edit *e, const struct option *o, struct mm_cuts *cuts, struct mm_err *err)
{
	const struct mm_fm_word *w = mm_fm_by_key(e->key);
	size_t at = place(s, e->section);
	const char *text;

	if (o != NULL && e->value != NULL && strcmp(o->value, e->value) == 0)
		return 0;
	if (w != NULL && w->form == MM_FM_USER && o == NULL)
		at = place_of_user(s, e->section);
	if (at == 0 || w == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "there is no such entry");
	text = raw_value(e, w, s->a);
	if (text == NULL && spell(w, e, s->a, &text, err) != 0)
		return -1;
	if (o != NULL)
		mm_cut_add(cuts, o->vfrom, o->vto, text);
	else
		mm_cut_add(cuts, at, at,
		    w->form == MM_FM_FLAG ? mm_arena_printf(s->a, " %s", text)
					  : mm_arena_printf(s->a, " %s %s", w->word, text));
	return 0;
}

static int drop(struct scan *s, const struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	for (size_t i = 0; i < s->no; i++) {
		const struct option *o = &s->o[i];
		size_t from = o->from;

		if (o->word->form == MM_FM_LIST || strcmp(o->section, e->section) != 0 ||
		    strcmp(o->key, e->key) != 0)
			continue;
		if (o->word->form == MM_FM_USER && has_users(s, e->section, o))
			return mm_err_set(err, MM_EX_DATAERR, "a user with options cannot be taken out");
		while (from > 0 && mm_is_blank(s->in.p[from - 1]))
			from--;
		mm_cut_add(cuts, from, o->to, "");
	}
	return 0;
}

static const struct entry *entry_of(const struct scan *s, const char *section)
{
	for (size_t i = 0; i < s->ne; i++)
		if (strcmp(s->e[i].section, section) == 0)
			return &s->e[i];
	return NULL;
}

static int add_entry(struct scan *s, const struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	if (e->section[0] == '\0' || mm_has_control(e->section) || mm_streq(e->section, "defaults"))
		return mm_err_set(err, MM_EX_DATAERR, "this cannot be the name of an entry");
	mm_put_lines(cuts, s->in, s->in.n,
	    mm_arena_printf(
		s->a, "poll %s", mm_fm_is_bare(e->section) ? e->section : mm_fm_quote(e->section, s->a)));
	return 0;
}

static bool blank_between(struct mm_text in, size_t from, size_t to)
{
	while (from < to && mm_is_blank(in.p[from]))
		from++;
	return from == to;
}

/* Only an entry that is nothing but its name, alone in its line. */
static int remove_entry(
    struct scan *s, const struct mm_edit *e, const struct entry *x, struct mm_cuts *cuts, struct mm_err *err)
{
	size_t n = strlen(e->section);

	if (entry_of(s, mm_arena_printf(s->a, "%s\n2", e->section)) != NULL)
		return mm_err_set(err, MM_EX_DATAERR, "there is a second entry of this name");
	for (size_t i = 0; i < s->no; i++)
		if (strncmp(s->o[i].section, e->section, n) == 0 &&
		    (s->o[i].section[n] == '\0' || s->o[i].section[n] == '\t'))
			return 0; /* somebody put an option into it */
	if (blank_between(s->in, x->to, mm_line_end(s->in, x->to)) &&
	    blank_between(s->in, mm_line_start(s->in, x->from), x->from))
		mm_cut_lines(cuts, s->in, x->from, x->to);
	return 0;
}

static int edit_entry(struct scan *s, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	const struct entry *x = entry_of(s, e->section);

	e->had = x != NULL;
	if (e->op == MM_EDIT_SECTION_ADD)
		return x != NULL ? 0 : add_entry(s, e, cuts, err);
	return x != NULL ? remove_entry(s, e, x, cuts, err) : 0;
}

static int edit_one(struct mm_text in, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	const struct option *o;
	struct scan s;

	if (scan(in, cuts->a, &s, err) != 0)
		return -1;
	if (e->op == MM_EDIT_SECTION_ADD || e->op == MM_EDIT_SECTION_REMOVE)
		return edit_entry(&s, e, cuts, err);
	if (e->op != MM_EDIT_SET && e->op != MM_EDIT_DELETE)
		return mm_err_set(err, MM_EX_DATAERR, "this kind of file has neither lists nor blocks");
	o = winner(&s, e);
	e->had = o != NULL;
	if (o != NULL) {
		e->former = o->value;
		e->former_raw = mm_text_dup(in, o->vfrom, o->vto, cuts->a);
	}
	return e->op == MM_EDIT_SET ? set(&s, e, o, cuts, err) : drop(&s, e, cuts, err);
}

static int edit(struct mm_text in, struct mm_edit *edits, size_t n, struct mm_arena *a, struct mm_buf *out,
    struct mm_err *err)
{
	return mm_edit_run(in, edits, n, edit_one, a, out, err);
}

const struct mm_format mm_format_fetchmailrc = {.name = "fetchmailrc", .parse = parse, .edit = edit};
