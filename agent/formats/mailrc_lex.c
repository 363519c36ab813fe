#include "agent/formats/mailrc_lex.h"

#include <string.h>

#include "agent/formats/splice.h"
#include "common/text.h"

/* One line with what goes on joined, and where each byte of it stands in the text. */
struct joined {
	char *p;
	size_t *at;
	size_t n;
	size_t next; /* in the text */
};

enum truth { COND_NO, COND_YES, COND_PERHAPS };

struct scan {
	struct mm_text in;
	struct mm_arena *a;
	struct mm_mailrc *out;
	enum truth ifs[MM_MAILRC_IFS_MAX];
	size_t n_ifs, block_ifs;
	const char *account;                                 /* NULL: not in one */
	size_t open;                                         /* its command */
	size_t accounts[MM_MAILRC_ACCOUNTS_MAX], n_accounts; /* the commands that open them */
	bool macro;                                          /* the block is a define */
	bool outside;                                        /* the way of quoting outside of the block */
	bool later;                                          /* ... and where accounts begin */
	int line;
};

static bool ends_open(struct mm_text in, size_t from, size_t end)
{
	size_t n = 0;

	while (end > from && in.p[end - 1] == '\\') {
		end--;
		n++;
	}
	return n % 2 == 1;
}

/* The line that begins at `pos`; its number is s->line afterwards plus what was joined. */
static int join(struct scan *s, size_t pos, struct joined *j, int *lines, struct mm_err *err)
{
	struct mm_text in = s->in;
	size_t end = mm_line_next(in, pos), cap = 0;

	*j = (struct joined){.next = end};
	for (*lines = 1; end < in.n && ends_open(in, pos, end - 1); (*lines)++)
		end = mm_line_next(in, end);
	cap = end - pos;
	j->p = mm_arena_alloc(s->a, cap + 1, 1);
	j->at = mm_arena_alloc(s->a, cap + 1, sizeof(*j->at));
	for (size_t from = pos; from < end;) {
		size_t next = mm_line_next(in, from), to = next;
		bool open = false;

		if (in.p[to - 1] == '\n')
			to--;
		if (memchr(in.p + from, '\r', to - from) != NULL)
			return mm_err_set(err, MM_EX_DATAERR,
			    "line %d: a CR, which s-nail takes for a part of the value",
			    mm_line_number(in, from));
		open = ends_open(in, from, to);
		if (open && next == in.n)
			return mm_err_set(err, MM_EX_DATAERR, "the last line ends in a backslash");
		for (; from > pos && from < to && mm_is_blank(in.p[from]); from++)
			;
		for (size_t i = from; i < (open ? to - 1 : to); i++) {
			j->at[j->n] = i;
			j->p[j->n++] = in.p[i];
		}
		j->at[j->n] = to;
		from = next;
	}
	j->next = end;
	return 0;
}

/* ---- values */

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '-';
}

struct decode {
	const char *p;
	struct mm_buf b;
	mm_mailrc_lookup *lookup;
	const void *ctx;
	struct mm_arena *a;
	bool unknown;
};

static void variable(struct decode *d)
{
	bool brace = d->p[1] == '{';
	const char *name = d->p + (brace ? 2 : 1), *e = name, *value;

	while (is_name(*e))
		e++;
	if (brace ? *e != '}' || e == name : e == name) {
		d->unknown |= brace || (*name != '\0' && strchr("?!*@#^", *name) != NULL);
		mm_buf_addc(&d->b, *d->p++);
		return;
	}
	value =
	    d->lookup != NULL ? d->lookup(d->ctx, mm_arena_strndup(d->a, name, (size_t)(e - name))) : NULL;
	d->unknown |= value == NULL;
	mm_buf_adds(&d->b, value != NULL ? value : "");
	d->p = e + (brace ? 1 : 0);
}

static void dollar_escape(struct decode *d)
{
	static const char names[] = "abEefnrtv\\'\"?", codes[] = "\a\b\033\033\f\n\r\t\v\\'\"?";
	const char *k = d->p[0] != '\0' ? strchr(names, d->p[0]) : NULL;

	d->unknown |= k == NULL; /* bytes by their numbers: not from people */
	if (k != NULL)
		mm_buf_addc(&d->b, codes[k - names]);
	d->p += d->p[0] != '\0' ? 1 : 0;
}

/* The inside of quotes; d->p is at the one that opens. False: not closed. */
static bool shell_quoted(struct decode *d)
{
	bool dollar = *d->p == '$';
	char q = d->p[dollar ? 1 : 0];

	for (d->p += dollar ? 2 : 1; *d->p != '\0' && *d->p != q;) {
		if (*d->p == '\\' && dollar) {
			d->p++;
			dollar_escape(d);
		} else if (*d->p == '\\' && q == '"' && d->p[1] != '\0' &&
			   strchr("$`\"\\", d->p[1]) != NULL) {
			mm_buf_addc(&d->b, d->p[1]);
			d->p += 2;
		} else if (*d->p == '$' && q == '"') {
			variable(d);
		} else {
			mm_buf_addc(&d->b, *d->p++);
		}
	}
	if (*d->p == '\0')
		return false;
	d->p++;
	return true;
}

/* One word, up to a blank or `;`. False: a quote is not closed. */
static bool shell_word(struct decode *d)
{
	while (*d->p != '\0' && !mm_is_blank(*d->p) && *d->p != ';') {
		if (*d->p == '\'' || *d->p == '"' || (*d->p == '$' && d->p[1] == '\'')) {
			if (!shell_quoted(d))
				return false;
		} else if (*d->p == '$') {
			variable(d);
		} else {
			if (*d->p == '\\' && d->p[1] != '\0')
				d->p++;
			mm_buf_addc(&d->b, *d->p++);
		}
	}
	return true;
}

static void old_word(struct decode *d)
{
	char q = '\0';

	for (; *d->p != '\0' && (q != '\0' || !mm_is_blank(*d->p)); d->p++) {
		if (q == '\0' && (*d->p == '"' || *d->p == '\''))
			q = *d->p;
		else if (q != '\0' && *d->p == q)
			q = '\0';
		else if (*d->p == '\\' && d->p[1] != '\0' && (q == '\0' || d->p[1] == q))
			mm_buf_addc(&d->b, *++d->p);
		else
			mm_buf_addc(&d->b, *d->p);
	}
}

/* 1, 0: not known, -1: not closed. `*end` is behind the word. */
static int word(struct decode *d, bool shell, const char **text)
{
	bool closed = true;

	mm_buf_reset(&d->b);
	d->unknown = false;
	if (shell)
		closed = shell_word(d);
	else
		old_word(d);
	*text = closed && !d->unknown ? mm_arena_strndup(d->a, mm_buf_str(&d->b), d->b.len) : NULL;
	return !closed ? -1 : d->unknown ? 0 : 1;
}

const char *mm_mailrc_decode(
    const char *raw, bool shell, mm_mailrc_lookup *lookup, const void *ctx, struct mm_arena *a)
{
	struct decode d = {
	    .p = raw, .b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX), .lookup = lookup, .ctx = ctx, .a = a};
	const char *text = NULL;

	if (word(&d, shell, &text) != 1 || *d.p != '\0')
		text = NULL;
	mm_buf_free(&d.b);
	return text;
}

struct mm_mailrc_set mm_mailrc_set(const struct mm_mailrc_word *w, struct mm_arena *a)
{
	const char *text = w->text != NULL ? w->text : w->raw, *eq = strchr(text, '=');
	struct mm_mailrc_set s = {.name = text, .value = "yes", .kind = 'b'};

	if (eq != NULL) {
		s.name = mm_arena_strndup(a, text, (size_t)(eq - text));
		s.value = eq + 1;
		s.kind = w->text != NULL ? 's' : 'v';
	} else if (mm_starts_with(text, "no") && text[2] != '\0') {
		s.name = text + 2;
		s.value = "no";
	}
	return s;
}

/* ---- commands */

static const char *whole_name(const char *s)
{
	static const struct {
		const char *name;
		size_t min; /* so many bytes are enough */
	} names[] = {{"set", 2}, {"unset", 3}, {"account", 2}, {"define", 3}, {"if", 1}, {"else", 2},
	    {"elif", 3}, {"endif", 2}, {"source", 2}, {"source_if", 7}, {"call", 3}, {"call_if", 5},
	    {"xcall", 2}, {"eval", 2}, {"read", 3}, {"readsh", 5}, {"readall", 5}, {"environ", 3},
	    {"commandalias", 3}, {"netrc", 3}, {"unaccount", 4}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (s[0] == names[i].name[0] && strlen(s) >= names[i].min && mm_starts_with(names[i].name, s))
			return names[i].name;
	return s;
}

static bool is_modifier(const char *s)
{
	return mm_streq(s, "wysh") || mm_streq(s, "ignerr") || mm_streq(s, "u") || mm_streq(s, "scope");
}

/* The name, behind its modifiers. */
static const char *command_name(struct scan *s, const struct joined *j, size_t *i, bool *shell)
{
	for (;;) {
		size_t from;
		const char *name;

		while (*i < j->n && (mm_is_blank(j->p[*i]) || j->p[*i] == '\\'))
			(*i)++;
		from = *i;
		while (*i < j->n && !mm_is_blank(j->p[*i]) && (j->p[*i] != ';' || !*shell))
			(*i)++;
		name = mm_arena_strndup(s->a, j->p + from, *i - from);
		if (!is_modifier(name))
			return whole_name(name);
		*shell |= mm_streq(name, "wysh");
	}
}

static enum truth condition(const struct mm_mailrc_cmd *c)
{
	static const char *const yes[] = {"1", "true", "yes", "on"}, *const no[] = {
									 "0", "false", "no", "off"};
	const char *text = c->n_words == 1 && c->words[0].text != NULL ? c->words[0].text : "";

	for (size_t i = 0; i < 4; i++) {
		if (mm_streq_nocase(text, yes[i]))
			return COND_YES;
		if (mm_streq_nocase(text, no[i]))
			return COND_NO;
	}
	return COND_PERHAPS;
}

static enum truth standing(const struct scan *s, size_t from)
{
	enum truth t = COND_YES;

	for (size_t i = from; i < s->n_ifs; i++) {
		if (s->ifs[i] == COND_NO)
			return COND_NO;
		if (s->ifs[i] == COND_PERHAPS)
			t = COND_PERHAPS;
	}
	return t;
}

static int take_if(struct scan *s, const struct mm_mailrc_cmd *c, struct mm_err *err)
{
	size_t base = s->account != NULL ? s->block_ifs : 0;

	if (mm_streq(c->name, "if")) {
		if (s->n_ifs == MM_MAILRC_IFS_MAX)
			return mm_err_set(err, MM_EX_DATAERR,
			    "line %d: more than %d conditions within each other", c->line, MM_MAILRC_IFS_MAX);
		s->ifs[s->n_ifs++] = condition(c);
		return 0;
	}
	if (s->n_ifs == base)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: %s without if", c->line, c->name);
	if (mm_streq(c->name, "endif"))
		s->n_ifs--;
	else if (mm_streq(c->name, "else") && s->ifs[s->n_ifs - 1] != COND_PERHAPS)
		s->ifs[s->n_ifs - 1] = s->ifs[s->n_ifs - 1] == COND_YES ? COND_NO : COND_YES;
	else
		s->ifs[s->n_ifs - 1] = COND_PERHAPS;
	return 0;
}

static void take_compat(struct scan *s, const struct mm_mailrc_cmd *c)
{
	for (size_t i = 0; i < c->n_words; i++) {
		struct mm_mailrc_set set = mm_mailrc_set(&c->words[i], s->a);

		if (mm_streq(c->name, "unset"))
			set = (struct mm_mailrc_set){.name = c->words[i].text, .kind = 'b'};
		if (mm_streq(set.name, "v15-compat"))
			s->out->shell = set.kind != 'b' && set.value[0] != '\0';
	}
}

static bool opens_block(const struct mm_mailrc_cmd *c)
{
	return (mm_streq(c->name, "account") || mm_streq(c->name, "define")) && c->n_words == 2 &&
	       mm_streq(c->words[1].text, "{");
}

/* Of several accounts of one name the last one counts. */
static void shadow(struct scan *s)
{
	const char *hidden = mm_arena_printf(s->a, "\n=%s", s->account);

	for (size_t i = 0; i < s->n_accounts; i++) {
		size_t k = s->accounts[i];

		if (!mm_streq(s->out->v[k].section, s->account))
			continue;
		for (s->out->v[k++].section = hidden;
		     k < s->open && s->out->v[k].line_from < s->out->v[s->accounts[i]].close; k++)
			s->out->v[k].section = hidden;
	}
	s->out->v[s->open].section = s->account;
}

static int open_block(struct scan *s, const struct mm_mailrc_cmd *c, struct mm_err *err)
{
	s->macro = mm_streq(c->name, "define");
	s->account = c->words[0].text != NULL ? c->words[0].text : c->words[0].raw;
	s->open = s->out->n - 1;
	s->block_ifs = s->n_ifs;
	s->outside = s->out->shell;
	s->out->shell = s->later;
	if (s->macro)
		return 0;
	if (s->account[0] == '\0' || s->account[0] == '\n' || s->n_accounts == MM_MAILRC_ACCOUNTS_MAX)
		return mm_err_set(
		    err, MM_EX_DATAERR, "line %d: an account without a name, or too many", c->line);
	shadow(s);
	s->accounts[s->n_accounts++] = s->open;
	return 0;
}

static int close_block(struct scan *s, size_t pos, struct mm_err *err)
{
	struct mm_mailrc_cmd *open = &s->out->v[s->open];

	if (s->n_ifs != s->block_ifs)
		return mm_err_set(err, MM_EX_DATAERR, "line %d: a condition is not closed", s->line);
	open->close = pos;
	open->close_shell = s->out->shell;
	s->out->shell = s->outside;
	s->account = NULL;
	return 0;
}

static const char *section(const struct scan *s)
{
	size_t base = s->account != NULL ? s->block_ifs : 0;
	const char *name = s->account != NULL ? s->account : "";

	return standing(s, base) == COND_PERHAPS ? mm_arena_printf(s->a, "\n?%s", name) : name;
}

/* The words of one command; false: it is void. */
static bool words(struct scan *s, const struct joined *j, size_t *i, struct mm_mailrc_cmd *c)
{
	struct decode d = {.p = j->p + *i, .b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX), .a = s->a};
	size_t cap = 0;
	int rc = 1;

	for (;;) {
		struct mm_mailrc_word w = {0};
		const char *from;

		while (mm_is_blank(*d.p))
			d.p++;
		if (*d.p == '\0' || (c->shell && (*d.p == ';' || *d.p == '#')))
			break;
		from = d.p;
		rc = word(&d, c->shell, &w.text);
		if (rc < 0)
			break;
		w.from = j->at[from - j->p];
		w.to = j->at[d.p - j->p - 1] + 1;
		w.raw = mm_arena_strndup(s->a, from, (size_t)(d.p - from));
		c->to = w.to;
		*(struct mm_mailrc_word *)mm_arena_push(s->a, &c->words, &c->n_words, &cap, sizeof(w)) = w;
	}
	mm_buf_free(&d.b);
	*i = rc < 0 || *d.p == '#' ? j->n : (size_t)(d.p - j->p);
	return rc >= 0;
}

static int take(struct scan *s, struct mm_mailrc_cmd *c, struct mm_err *err)
{
	bool setter = mm_streq(c->name, "set") || mm_streq(c->name, "unset");

	if (s->account != NULL && s->macro)
		return 0;
	if (mm_streq(c->name, "if") || mm_streq(c->name, "elif") || mm_streq(c->name, "else") ||
	    mm_streq(c->name, "endif"))
		return take_if(s, c, err);
	if (standing(s, 0) == COND_NO)
		return 0;
	c->section = section(s);
	if (setter)
		take_compat(s, c);
	c->next_shell = s->out->shell;
	*(struct mm_mailrc_cmd *)mm_arena_push(s->a, &s->out->v, &s->out->n, &s->out->cap, sizeof(*c)) = *c;
	return s->account == NULL && opens_block(c) ? open_block(s, c, err) : 0;
}

static int one_line(struct scan *s, size_t pos, const struct joined *j, struct mm_err *err)
{
	size_t i = 0;
	bool first = true, line_shell = s->out->shell;

	while (i < j->n && mm_is_blank(j->p[i]))
		i++;
	if (s->account != NULL && i < j->n && j->p[i] == '}' &&
	    j->p[i + 1 + strspn(j->p + i + 1, " \t")] == '\0')
		return close_block(s, pos, err);
	while (s->out->shell && i < j->n && (mm_is_blank(j->p[i]) || j->p[i] == ';'))
		i++;
	while (i < j->n && j->p[i] != '#') {
		struct mm_mailrc_cmd c = {.line = s->line,
		    .from = j->at[i],
		    .line_from = pos,
		    .line_to = j->at[j->n],
		    .shell = s->out->shell,
		    .line_shell = line_shell};
		bool valid;

		c.name = command_name(s, j, &i, &c.shell);
		c.to = i > 0 ? j->at[i - 1] + 1 : pos;
		valid = words(s, j, &i, &c);
		c.alone = first && c.to == j->at[j->n];
		first = false;
		if (valid && take(s, &c, err) != 0)
			return -1;
		while (i < j->n && (mm_is_blank(j->p[i]) || (c.shell && j->p[i] == ';')))
			i++;
	}
	return 0;
}

static int read_lines(struct scan *s, struct mm_err *err)
{
	for (size_t pos = 0; pos < s->in.n;) {
		struct joined j;
		int lines;

		if (join(s, pos, &j, &lines, err) != 0 || one_line(s, pos, &j, err) != 0)
			return -1;
		s->line += lines;
		pos = j.next;
	}
	if (s->account != NULL)
		return mm_err_set(
		    err, MM_EX_DATAERR, "'%s' is not closed: s-nail does not take it", s->account);
	if (s->n_ifs > 0)
		return mm_err_set(err, MM_EX_DATAERR, "a condition is not closed: s-nail refuses the file");
	return 0;
}

int mm_mailrc_scan(
    struct mm_text in, bool shell, struct mm_arena *a, struct mm_mailrc *out, struct mm_err *err)
{
	struct mm_mailrc first = {.shell = shell}, second = {.shell = shell};
	struct scan s = {.in = in, .a = a, .out = &first, .later = shell, .line = 1};

	if (mm_text_check(in, err) != 0 || read_lines(&s, err) != 0)
		return -1;
	if (first.shell == shell) {
		*out = first;
		return 0;
	}
	s = (struct scan){.in = in, .a = a, .out = &second, .later = first.shell, .line = 1};
	if (read_lines(&s, err) != 0)
		return -1;
	*out = second;
	return 0;
}
