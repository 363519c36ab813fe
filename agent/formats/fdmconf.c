#include "agent/formats/fdmconf.h"

#include <string.h>

#include "agent/formats/fdmconf_lex.h"
#include "common/text.h"

static const char *const fetches[] = {"stdin", "pop3", "pop3s", "imap", "imaps", "maildir", "maildirs",
    "mbox", "mboxes", "nntp", "nntps", NULL};

struct part {
	const char *section, *key, *value;
	char kind;
	int rank;
	size_t from, to, vfrom, vto; /* with its word; the value as spelled */
};

struct account {
	const char *name, *type; /* type: NULL where it is none of ours */
	const char *state;
	bool conditional; /* within ifdef */
	size_t from, to, type_to;
};

struct scan {
	struct mm_text in;
	struct mm_arena *a;
	struct mm_fdm_token *t;
	size_t nt, cap_t, i;
	struct part *p;
	struct account *acc;
	size_t np, cap_p, nacc, cap_acc;
	unsigned depth;  /* of ifdef */
	size_t late_end; /* behind a macro that has been given a text, and is not known yet */
	const char *late;
};

static int wrong(const struct scan *s, size_t i, const char *what, struct mm_err *err)
{
	return mm_err_set(err, MM_EX_DATAERR, "line %d: %s; fdm refuses the file",
	    mm_line_number(s->in, i < s->nt ? s->t[i].from : s->in.n), what);
}

static bool is(const struct scan *s, size_t i, const char *text)
{
	return i < s->nt && (s->t[i].form == MM_FDM_WORD || s->t[i].form == MM_FDM_SIGN) &&
	       strcmp(s->t[i].text, text) == 0;
}

static bool is_term(const struct scan *s, size_t i)
{
	return i < s->nt && s->t[i].form != MM_FDM_WORD && s->t[i].form != MM_FDM_SIGN;
}

/* A value: terms joined by +. Behind it; 0: there is none. */
static size_t value_end(const struct scan *s, size_t i)
{
	if (!is_term(s, i))
		return 0;
	for (i++; is(s, i, "+"); i += 2)
		if (!is_term(s, i + 1))
			return 0;
	return i;
}

static struct part *add_part(struct scan *s, const char *section, const char *key, int rank, size_t i)
{
	struct part *p = mm_arena_push(s->a, &s->p, &s->np, &s->cap_p, sizeof(*s->p));

	*p = (struct part){.section = section,
	    .key = key,
	    .value = "yes",
	    .kind = 's',
	    .rank = rank,
	    .from = s->t[i].from,
	    .to = s->t[i].to,
	    .vfrom = s->t[i].from,
	    .vto = s->t[i].to};
	return p;
}

/* The value in the tokens i..end. */
static void give_value(struct scan *s, struct part *p, size_t i, size_t end)
{
	const struct mm_fdm_token *t = &s->t[i];

	p->vfrom = t->from;
	p->vto = p->to = s->t[end - 1].to;
	p->value = t->text;
	if (end - i > 1 || t->open || t->form == MM_FDM_MACRO) {
		p->kind = 'v';
		p->value = mm_text_dup(s->in, p->vfrom, p->vto, s->a);
	} else if (t->form == MM_FDM_COMMAND) {
		p->kind = 'e';
	}
}

static const struct mm_fdm_word *word_at(const struct scan *s, size_t i)
{
	for (size_t k = 1; k < MM_FDM_WORDS; k++)
		if (is(s, i, mm_fdm_words[k].word))
			return &mm_fdm_words[k];
	return NULL;
}

/* { "a" "b" }: only looked at. */
static size_t list_end(const struct scan *s, size_t i)
{
	if (!is(s, i, "{"))
		return value_end(s, i);
	for (i++; is_term(s, i);)
		i = value_end(s, i) != 0 ? value_end(s, i) : s->nt;
	return is(s, i, "}") ? i + 1 : 0;
}

/* `account NAME [users] [disabled] TYPE`: the index of TYPE; 0: no definition. */
static size_t type_at(const struct scan *s, size_t i, bool *disabled)
{
	i = is(s, i, "account") ? value_end(s, i + 1) : 0;
	if (i != 0 && (is(s, i, "user") || is(s, i, "users")))
		i = list_end(s, i + 1);
	*disabled = i != 0 && is(s, i, "disabled");
	i += *disabled ? 1 : 0;
	for (size_t k = 0; i != 0 && fetches[k] != NULL; k++)
		if (is(s, i, fetches[k]))
			return i;
	return 0;
}

static int take_value(struct scan *s, const struct mm_fdm_word *w, struct part *p, struct mm_err *err)
{
	size_t from = s->i + 1, end = w->rank == MM_FDM_FOLDER ? list_end(s, from) : value_end(s, from);

	if (end == 0 || (w->rank == MM_FDM_FOLDER && is(s, from, "{") && end == from + 2))
		return wrong(s, s->i, "a word without its value", err);
	if (is(s, from, "{")) {
		p->kind = 'c';
		p->value = "";
		p->to = p->vto = s->t[end - 1].to;
	} else {
		give_value(s, p, from, end);
	}
	if (strcmp(w->word, "pipe") == 0) {
		p->kind = 'c';
		p->value = "pipe";
	} else if (w->rank == MM_FDM_PASS && p->kind == 's') {
		p->kind = 'c';
		p->value = "";
	}
	s->i = end;
	return 0;
}

/* new-only, and for POP3 its cache. */
static int take_only(struct scan *s, const struct account *acc, const struct mm_fdm_word *w, struct part *p,
    struct mm_err *err)
{
	bool pop = mm_starts_with(acc->type, "pop3");
	size_t end;

	p->value = w->word;
	if (pop != is(s, s->i + 1, "cache"))
		return pop ? wrong(s, s->i, "new-only without its cache", err) : (s->i++, 0);
	if (!pop) {
		s->i++;
		return 0;
	}
	end = value_end(s, s->i + 2);
	if (end == 0)
		return wrong(s, s->i, "a cache without its path", err);
	p->key = "cache";
	give_value(s, p, s->i + 2, end);
	s->i = end;
	return 0;
}

static int take_words(struct scan *s, const struct account *acc, struct mm_err *err)
{
	int rank = MM_FDM_TYPE;
	const struct mm_fdm_word *w;

	while ((w = word_at(s, s->i)) != NULL) {
		struct part *p = add_part(s, acc->name, w->key, w->rank, s->i);

		if (w->rank <= rank || (w->not != NULL && mm_starts_with(acc->type, w->not )))
			return wrong(s, s->i, "words of an account in a wrong order", err);
		if (strcmp(w->word, "starttls") == 0 && mm_ends_with(acc->type, "s"))
			return wrong(s, s->i, "starttls in an account that is encrypted already", err);
		rank = w->rank;
		if (w->value ? take_value(s, w, p, err) != 0
			     : (w->rank == MM_FDM_ONLY && take_only(s, acc, w, p, err) != 0))
			return -1;
		if (!w->value && w->rank != MM_FDM_ONLY)
			s->i++;
	}
	return is(s, s->i, "+") ? wrong(s, s->i, "a + that joins no texts", err) : 0;
}

static int take_account(struct scan *s, size_t type, bool disabled, struct mm_err *err)
{
	size_t first = s->i, end = value_end(s, s->i + 1), before = s->np;
	const struct mm_fdm_token *name = &s->t[first + 1];
	bool plain = end == first + 2 && name->form == MM_FDM_STRING && !name->open;
	const char *word = s->t[type].text;
	bool ours = mm_starts_with(word, "imap") || mm_starts_with(word, "pop3");
	struct account *acc;

	if (s->nacc == MM_FDMCONF_ACCOUNTS_MAX)
		return wrong(s, first, "too many accounts", err);
	for (size_t i = 0; plain && i < s->nacc; i++)
		if (!s->acc[i].conditional && s->depth == 0 && strcmp(s->acc[i].name, name->text) == 0)
			return wrong(s, first, "a second account of this name", err);
	s->i = type + 1;
	if (!plain || mm_has_control(name->text))
		return 0; /* nothing that is edited */
	acc = mm_arena_push(s->a, &s->acc, &s->nacc, &s->cap_acc, sizeof(*s->acc));
	*acc = (struct account){.name = name->text,
	    .type = ours ? word : NULL,
	    .conditional = s->depth > 0,
	    .state = !ours          ? "other"
		     : disabled     ? "disabled"
		     : s->depth > 0 ? "conditional"
				    : "",
	    .from = s->t[first].from};
	add_part(s, acc->name, "account", -1, first)->kind = 'c';
	s->p[before].value = acc->state;
	if (!ours)
		return 0;
	add_part(s, acc->name, "protocol", -1, type)->kind = 'c';
	s->p[s->np - 1].value = mm_starts_with(word, "imap") ? "imap" : "pop3";
	if (mm_ends_with(word, "s"))
		add_part(s, acc->name, "tls", MM_FDM_TYPE, type)->from = s->t[type].to - 1;
	acc->type_to = s->t[type].to;
	if (take_words(s, acc, err) != 0)
		return -1;
	acc->to = s->t[s->i - 1].to;
	return 0;
}

/* A word of the file and what stands behind it, only to be read. */
static void take_fact(struct scan *s, const char *key, size_t first, size_t value, size_t end)
{
	struct part *p = add_part(s, "", key, 0, first);

	p->kind = 'c';
	p->value = end > value ? mm_text_dup(s->in, s->t[value].from, s->t[end - 1].to, s->a) : "";
	s->i = end - 1;
}

/* $x = VALUE, include PATH, set verify-certificates, set proxy, and what depends on macros. */
static int take_other(struct scan *s, struct mm_err *err)
{
	const struct mm_fdm_token *t = &s->t[s->i];
	size_t end;

	if (t->form == MM_FDM_MACRO && is(s, s->i + 1, "=")) {
		end = value_end(s, s->i + 2);
		if (end == 0)
			return wrong(s, s->i, "a macro without its value", err);
		give_value(s, add_part(s, "", t->text, 0, s->i), s->i + 2, end);
		s->p[s->np - 1].kind = 'c';
		s->p[s->np - 1].value = mm_text_dup(s->in, s->p[s->np - 1].vfrom, s->p[s->np - 1].vto, s->a);
		s->i = end;
		s->late = t->text[0] == '$' ? t->text : NULL;
		s->late_end = end;
		return 0;
	}
	if (is(s, s->i, "include") && is_term(s, s->i + 1)) {
		take_fact(s, "include", s->i, s->i + 1, s->i + 2);
	} else if (is(s, s->i, "set") && is(s, s->i + 1, "proxy") && is_term(s, s->i + 2)) {
		take_fact(s, "proxy", s->i, s->i + 2, s->i + 3);
	} else if (is(s, s->i, "set") && is(s, s->i + 1, "verify-certificates")) {
		add_part(s, "", "verify-certificates", 0, s->i)->to = s->t[s->i + 1].to;
		s->i++;
	} else if ((is(s, s->i, "ifdef") || is(s, s->i, "ifndef")) && is_term(s, s->i + 1)) {
		/* The parser has not done with a text directly before it: more could be joined. */
		bool late =
		    s->late != NULL && s->late_end == s->i && strcmp(s->late, s->t[s->i + 1].text) == 0;

		s->depth++;
		take_fact(s, s->t[s->i].text, s->i, s->i + 1, s->i + 2);
		if (late)
			s->p[s->np - 1].value = "";
	} else if (is(s, s->i, "endif") && s->depth > 0) {
		s->depth--;
		take_fact(s, "endif", s->i, s->i + 1, s->i + 1);
	}
	s->i++;
	return 0;
}

static int scan(struct mm_text in, struct mm_arena *a, struct scan *s, struct mm_err *err)
{
	const char *why = NULL;
	struct mm_fdm_token t;
	size_t pos = 0, type;
	bool disabled;
	int rc;

	*s = (struct scan){.in = in, .a = a};
	if (mm_text_check(in, err) != 0)
		return -1;
	while ((rc = mm_fdm_next(in, &pos, a, &t, &why)) == 1)
		*(struct mm_fdm_token *)mm_arena_push(a, &s->t, &s->nt, &s->cap_t, sizeof(*s->t)) = t;
	if (rc < 0)
		return mm_err_set(
		    err, MM_EX_DATAERR, "line %d: %s; fdm refuses the file", mm_line_number(in, pos), why);
	while (s->i < s->nt) {
		type = type_at(s, s->i, &disabled);
		if ((type != 0 ? take_account(s, type, disabled, err) : take_other(s, err)) != 0)
			return -1;
	}
	return 0;
}

static int parse(struct mm_text in, struct mm_arena *a, struct mm_doc *out, struct mm_err *err)
{
	struct mm_item *items = NULL;
	size_t n = 0, cap = 0, counted = 0;
	struct scan s;
	int line = 1;

	if (scan(in, a, &s, err) != 0)
		return -1;
	for (size_t i = 0; i < s.np; i++) {
		const struct part *p = &s.p[i];

		for (; counted < p->from; counted++)
			line += in.p[counted] == '\n';
		*(struct mm_item *)mm_arena_push(a, &items, &n, &cap, sizeof(*items)) = (struct mm_item){
		    .section = p->section, .key = p->key, .value = p->value, .kind = p->kind, .line = line};
	}
	mm_mark_winners(items, n, a);
	*out = (struct mm_doc){.items = items, .n = n, .eol = "\n"};
	return 0;
}

/* What can be set, before what is only looked at ("server pipe"). */
static const struct part *part_of(const struct scan *s, const struct mm_edit *e)
{
	const struct part *p = NULL, *x = s->p;

	for (size_t i = 0; i < s->np; i++, x++)
		if (x->rank >= 0 && strcmp(x->section, e->section) == 0 && strcmp(x->key, e->key) == 0 &&
		    (x->kind != 'c' || p == NULL || p->kind == 'c'))
			p = x;
	return p;
}

static const struct account *account_of(const struct scan *s, const char *name)
{
	for (size_t i = s->nacc; i-- > 0;)
		if (s->acc[i].type != NULL && strcmp(s->acc[i].name, name) == 0)
			return &s->acc[i];
	return NULL;
}

static bool name_taken(const struct scan *s, const char *name)
{
	size_t i = 0;

	while (i < s->nacc && strcmp(s->acc[i].name, name) != 0)
		i++;
	return i < s->nacc;
}

static const struct mm_fdm_word *word_of(const char *key, const char *value)
{
	const struct mm_fdm_word *found = NULL;

	for (size_t i = 0; i < MM_FDM_WORDS; i++)
		if (strcmp(mm_fdm_words[i].key, key) == 0 &&
		    (found == NULL || mm_streq(mm_fdm_words[i].word, value)))
			found = &mm_fdm_words[i];
	return mm_streq(key, "cache") ? word_of("only", "new-only") : found;
}

/* What the value of an item read back from this spelling would be; NULL: it is not a value. */
static const char *meaning(const char *raw, struct mm_arena *a, char *kind)
{
	struct scan s;
	struct part p = {.kind = 's'};
	struct mm_text text;
	const char *line = mm_arena_printf(a, "$m=%s\n", raw);

	text = (struct mm_text){.p = line, .n = strlen(line)};
	if (scan(text, a, &s, NULL) != 0 || s.np != 1 || s.nt < 3 || value_end(&s, 2) != s.nt ||
	    s.t[2].from != 3 || s.t[s.nt - 1].to != text.n - 1)
		return NULL;
	give_value(&s, &p, 2, s.nt);
	*kind = p.kind;
	return p.value;
}

static const char *spell(const struct mm_fdm_word *w, const struct mm_edit *e, struct mm_arena *a)
{
	const char *const raws[] = {e->raw, e->kind == 'v' ? e->value : NULL};
	char kind = 's';

	if (!w->value && strcmp(e->key, "cache") != 0) {
		if (w->rank == MM_FDM_ONLY)
			return mm_streq(e->value, "new-only") || mm_streq(e->value, "old-only") ? e->value
												: NULL;
		return mm_streq(e->value, "yes") ? w->word : NULL;
	}
	for (size_t i = 0; i < 2; i++)
		if (raws[i] != NULL && mm_streq(meaning(raws[i], a, &kind), e->value) && kind == e->kind)
			return raws[i];
	return e->kind == 'v' ? NULL : mm_fdm_spell(e->value, e->kind == 'e', strcmp(e->key, "port") == 0, a);
}

/* Behind what comes before this rank. */
static size_t place(const struct scan *s, const struct account *acc, int rank)
{
	size_t at = acc->type_to;

	for (size_t i = 0; i < s->np; i++)
		if (s->p[i].from >= acc->from && s->p[i].to <= acc->to && s->p[i].rank >= 0 &&
		    s->p[i].rank < rank && strcmp(s->p[i].section, acc->name) == 0)
			at = s->p[i].to;
	return at;
}

static int cannot(const struct mm_edit *e, struct mm_err *err)
{
	return mm_err_set(err, MM_EX_DATAERR, "%s: this cannot stand in fdm's file", e->key);
}

static int set_global(struct scan *s, const struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	if (strcmp(e->key, "verify-certificates") != 0 || !mm_streq(e->value, "yes"))
		return cannot(e, err);
	mm_put_lines(cuts, s->in, s->in.n, "set verify-certificates");
	return 0;
}

static int insert(struct scan *s, const struct mm_edit *e, const struct mm_fdm_word *w, const char *text,
    struct mm_cuts *cuts, struct mm_err *err)
{
	const struct account *acc = account_of(s, e->section);
	size_t at = acc != NULL && w != NULL ? place(s, acc, w->rank) : 0;
	bool cache = strcmp(e->key, "cache") == 0;

	if (at == 0)
		return mm_err_set(err, MM_EX_DATAERR, "there is no account '%s'", e->section);
	if (at < s->in.n && strchr(" \t\r\n", s->in.p[at]) == NULL)
		return cannot(e, err); /* words that touch: nothing goes between them */
	if ((w->not != NULL && mm_starts_with(acc->type, w->not )) ||
	    (w->rank == MM_FDM_ONLY && cache != mm_starts_with(acc->type, "pop3")))
		return cannot(e, err);
	for (size_t i = 0; i < s->np; i++)
		if (s->p[i].rank == w->rank && strcmp(s->p[i].section, acc->name) == 0)
			return cannot(e, err);
	mm_cut_add(cuts, at, at,
	    w->rank == MM_FDM_TYPE ? text
	    : cache                ? mm_arena_printf(s->a, " new-only cache %s", text)
	    : w->value             ? mm_arena_printf(s->a, " %s %s", w->word, text)
				   : mm_arena_printf(s->a, " %s", text));
	return 0;
}

static int set(
    struct scan *s, const struct mm_edit *e, const struct part *p, struct mm_cuts *cuts, struct mm_err *err)
{
	const struct mm_fdm_word *w = word_of(e->key, e->value);
	const char *text;

	if (e->value == NULL || (p != NULL && p->kind == 'c'))
		return cannot(e, err);
	if (p != NULL && strcmp(p->value, e->value) == 0 &&
	    (p->kind == e->kind || (e->kind != 'e' && e->kind != 'v' && p->kind == 's')))
		return 0;
	if (e->section[0] == '\0')
		return set_global(s, e, cuts, err);
	if (w == NULL)
		return cannot(e, err);
	if (e->kind != 'e' && e->kind != 'v' && strcmp(e->key, "pass") == 0)
		return mm_err_set(err, MM_EX_DATAERR, "no password is written in clear text");
	text = spell(w, e, s->a);
	if (text == NULL)
		return cannot(e, err);
	if (p == NULL)
		return insert(s, e, w, text, cuts, err);
	mm_cut_add(cuts, p->vfrom, p->vto, text);
	return 0;
}

/* With the blanks before it, one of them left where its neighbours would be one word; or its line. */
static void cut_part(struct mm_text in, const struct part *p, struct mm_cuts *cuts)
{
	size_t start = mm_line_start(in, p->from), from = p->from;

	while (from > start && mm_is_blank(in.p[from - 1]))
		from--;
	if (from == start && p->to == mm_line_end(in, p->to))
		mm_cut_lines(cuts, in, p->from, p->to);
	else
		mm_cut_add(
		    cuts, from == start ? p->from : from, p->to, mm_fdm_glued(in, from, p->to) ? " " : "");
}

static void drop(const struct scan *s, const struct mm_edit *e, struct mm_cuts *cuts)
{
	for (size_t i = 0; i < s->np; i++) {
		const struct part *p = &s->p[i];

		if (p->kind == 'c' || strcmp(p->section, e->section) != 0 || strcmp(p->key, e->key) != 0)
			continue;
		cut_part(s->in, p, cuts);
	}
}

/* Nothing but its name and protocol, alone in its line. */
static bool bare(const struct scan *s, const struct account *acc)
{
	size_t parts = 0, start = mm_line_start(s->in, acc->from);

	for (size_t i = 0; i < s->np; i++)
		parts += strcmp(s->p[i].section, acc->name) == 0;
	return parts == 2 && start == acc->from && acc->to == mm_line_end(s->in, acc->to);
}

static int edit_account(struct scan *s, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	const struct account *acc = account_of(s, e->section);
	const char *name = mm_fdm_quote(e->section, s->a);
	const char *type = e->value != NULL ? e->value : "imap";

	e->had = acc != NULL;
	e->former = acc != NULL ? (mm_starts_with(acc->type, "imap") ? "imap" : "pop3") : NULL;
	if (e->op == MM_EDIT_SECTION_REMOVE) {
		if (acc != NULL && bare(s, acc))
			mm_cut_lines(cuts, s->in, acc->from, acc->to);
		return 0;
	}
	if (acc != NULL)
		return 0;
	if (name == NULL || e->section[0] == '\0' || name_taken(s, e->section) ||
	    (strcmp(type, "imap") != 0 && strcmp(type, "pop3") != 0))
		return mm_err_set(err, MM_EX_DATAERR, "this cannot be an account of fdm");
	mm_put_lines(cuts, s->in, s->in.n, mm_arena_printf(s->a, "account %s %s", name, type));
	return 0;
}

static int edit_one(struct mm_text in, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	const struct part *p;
	struct scan s;

	if (scan(in, cuts->a, &s, err) != 0)
		return -1;
	if (e->op == MM_EDIT_SECTION_ADD || e->op == MM_EDIT_SECTION_REMOVE)
		return edit_account(&s, e, cuts, err);
	if (e->op != MM_EDIT_SET && e->op != MM_EDIT_DELETE)
		return mm_err_set(err, MM_EX_DATAERR, "this kind of file has neither lists nor blocks");
	p = part_of(&s, e);
	if (p != NULL && p->kind != 'c') {
		e->had = true;
		e->former = p->value;
		e->former_kind = p->kind;
		e->former_raw = mm_text_dup(in, p->vfrom, p->vto, cuts->a);
	}
	if (e->op == MM_EDIT_SET)
		return set(&s, e, p, cuts, err);
	drop(&s, e, cuts);
	return 0;
}

/* Was it taken for something else, by what stands behind it? Of several edits of one item the last. */
static bool read_back(const struct scan *s, const struct mm_edit *edits, size_t n, size_t i)
{
	const struct part *p = part_of(s, &edits[i]);

	for (size_t k = i + 1; k < n; k++)
		if (strcmp(edits[k].section, edits[i].section) == 0 && mm_streq(edits[k].key, edits[i].key))
			return true;
	return edits[i].op != MM_EDIT_SET || (p != NULL && strcmp(p->value, edits[i].value) == 0);
}

/* What is written is looked at once more: nothing that fdm refuses or takes for another value. */
static int edit(struct mm_text in, struct mm_edit *edits, size_t n, struct mm_arena *a, struct mm_buf *out,
    struct mm_err *err)
{
	size_t before = out->len;
	struct scan s;
	int rc;

	if (mm_edit_run(in, edits, n, edit_one, a, out, err) != 0)
		return -1;
	in = (struct mm_text){.p = mm_buf_str(out) + before, .n = out->len - before};
	rc = scan(in, a, &s, err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (!read_back(&s, edits, n, i))
			rc = cannot(&edits[i], err);
	if (rc != 0)
		out->len = before;
	return rc;
}

const struct mm_format mm_format_fdmconf = {.name = "fdmconf", .parse = parse, .edit = edit};
