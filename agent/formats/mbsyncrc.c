#include "agent/formats/mbsyncrc.h"

#include <string.h>

#include "agent/formats/lines.h"
#include "common/text.h"

static const char *const openers[] = {"IMAPAccount", "IMAPStore", "MaildirStore", "Channel", "Group", NULL};
/* With one argument each; more is an error that makes mbsync refuse the file. */
static const char *const singles[] = {"Host", "Port", "User", "UserCmd", "Pass", "PassCmd", "SSLType",
    "TLSType", "UseIMAPS", "RequireSSL", "RequireCRAM", "UseSSLv2", "UseSSLv3", "UseTLSv1", "UseTLSv1.1",
    "UseTLSv1.2", "SystemCertificates", "CertificateFile", "ClientCertificate", "ClientKey", "CipherString",
    "Timeout", "Tunnel", "Account", "Path", "Inbox", "SubFolders", "MapInbox", "Trash", "Far", "Near",
    "Master", "Slave", "UseKeychain", NULL};
static const char *const lists[] = {"AuthMechs", "AuthMech", "SSLVersions", "SSLVersion", "TLSVersions",
    "Patterns", "Pattern", "Sync", "Create", "Expunge", "Remove", NULL};

struct scan {
	struct mm_text in;
	struct mm_arena *a;
	struct mm_line *v;
	size_t n, cap;
	const char *section;
	const char **names; /* sections so far */
	size_t n_names, cap_names;
};

static const char *usual(const char *const *list, const char *word)
{
	for (; *list != NULL; list++)
		if (mm_streq_nocase(*list, word))
			return *list;
	return NULL;
}

static bool space(char c)
{
	return mm_is_blank(c) || c == '\v' || c == '\f' || c == '\r';
}

/* The argument at *i, decoded; 1, 0 at the end of the arguments, or -1. */
static int argument(struct mm_text in, size_t *i, size_t end, struct mm_arena *a, const char **out)
{
	bool quoted = false, escaped = false;
	char *p;
	size_t n = 0;

	while (*i < end && space(in.p[*i]))
		(*i)++;
	if (*i == end || in.p[*i] == '#')
		return 0;
	p = mm_arena_alloc(a, end - *i + 1, 1);
	for (; *i < end && (quoted || escaped || !space(in.p[*i])); (*i)++) {
		char c = in.p[*i];

		if (escaped && (unsigned char)c < 32)
			return -1;
		if (escaped || (c != '\\' && c != '"'))
			p[n++] = c;
		else if (c == '"')
			quoted = !quoted;
		escaped = !escaped && c == '\\';
	}
	*out = p;
	return escaped || quoted ? -1 : 1;
}

/* The arguments from `i`, joined; how many, or -1. They span *from to *to. */
static int arguments(
    struct mm_text in, size_t i, size_t end, struct mm_arena *a, const char **out, size_t *from, size_t *to)
{
	const char *one;
	int n = 0, rc;

	while (i < end && space(in.p[i]))
		i++;
	*from = *to = i;
	*out = "";
	while ((rc = argument(in, &i, end, a, &one)) == 1) {
		*out = n++ > 0 ? mm_arena_printf(a, "%s %s", *out, one) : one;
		*to = i;
	}
	return rc < 0 ? -1 : n;
}

static unsigned seen_before(const struct scan *s, const char *name)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->n_names; i++)
		n += strcmp(s->names[i], name) == 0;
	return n;
}

static int open_section(
    struct scan *s, struct mm_line *l, const char *keyword, const char *name, struct mm_err *err)
{
	const char *plain = mm_arena_printf(s->a, "%s %s", keyword, name);
	unsigned before = seen_before(s, plain);
	const char *section = before > 0 ? mm_arena_printf(s->a, "%s\n%u", plain, before + 1) : plain;

	if (s->n_names == MM_MBSYNCRC_SECTIONS_MAX)
		return mm_err_set(
		    err, MM_EX_DATAERR, "line %zu: more than %d sections", s->n, MM_MBSYNCRC_SECTIONS_MAX);
	*(const char **)mm_arena_push(s->a, &s->names, &s->n_names, &s->cap_names, sizeof(*s->names)) = plain;
	s->section = section;
	l->kind = MM_LINE_HEADER;
	l->section = section;
	l->value = "";
	return 0;
}

static int keyword_line(struct scan *s, struct mm_line *l, size_t i, struct mm_err *err)
{
	const char *word, *opener, *key;
	size_t from = i;
	int n;

	if (argument(s->in, &i, l->end, s->a, &word) != 1)
		return mm_err_set(err, MM_EX_DATAERR, "line %zu: a quote or backslash is not finished", s->n);
	n = arguments(s->in, i, l->end, s->a, &l->value, &l->vfrom, &l->vto);
	if (n <= 0)
		return mm_err_set(err, MM_EX_DATAERR, "line %zu: %s", s->n,
		    n < 0 ? "a quote or backslash is not finished" : "a keyword without an argument");
	opener = usual(openers, word);
	if (opener != NULL)
		return open_section(s, l, opener, l->value, err);
	key = usual(singles, word);
	if (key != NULL && n > 1)
		return mm_err_set(
		    err, MM_EX_DATAERR, "line %zu: more than one argument; mbsync refuses the file", s->n);
	if (key == NULL)
		key = usual(lists, word);
	l->kind = MM_LINE_KEY;
	l->section = s->section;
	l->key = key != NULL ? key : word;
	l->kfrom = from;
	return 0;
}

static int scan(struct mm_text in, struct mm_arena *a, struct mm_line **out, size_t *n, struct mm_err *err)
{
	struct scan s = {.in = in, .a = a, .section = ""};

	if (mm_text_check(in, err) != 0)
		return -1;
	for (size_t pos = 0; pos < in.n;) {
		struct mm_line *l = mm_arena_push(a, &s.v, &s.n, &s.cap, sizeof(*s.v));
		size_t i = pos;

		*l =
		    (struct mm_line){.from = pos, .end = mm_line_end(in, pos), .next = mm_line_next(in, pos)};
		pos = l->next;
		if (l->end - l->from > MM_MBSYNCRC_LINE_MAX)
			return mm_err_set(
			    err, MM_EX_DATAERR, "line %zu: longer than %d bytes", s.n, MM_MBSYNCRC_LINE_MAX);
		while (i < l->end && space(in.p[i]))
			i++;
		l->kind = i == l->end ? MM_LINE_BLANK : MM_LINE_COMMENT;
		if (i == l->end)
			s.section = "";
		else if (in.p[i] != '#' && keyword_line(&s, l, i, err) != 0)
			return -1;
		if (l->section == NULL)
			l->section = s.section;
	}
	*out = s.v;
	*n = s.n;
	return 0;
}

static const char *decode(const char *raw, struct mm_arena *a)
{
	struct mm_text in = {.p = raw, .n = strlen(raw)};
	const char *out;
	size_t from, to;

	if (!mm_one_line(raw) || arguments(in, 0, in.n, a, &out, &from, &to) <= 0)
		return NULL;
	return from == 0 && to == in.n ? out : NULL;
}

static bool is_bare(const char *value)
{
	return value[0] != '\0' && value[0] != '#' && strpbrk(value, " \"\\") == NULL;
}

static const char *quote(const char *value, struct mm_arena *a)
{
	char *p, *w;

	if (is_bare(value))
		return value;
	p = w = mm_arena_alloc(a, 2 * strlen(value) + 3, 1);
	*w++ = '"';
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			*w++ = '\\';
		*w++ = *value;
	}
	*w = '"';
	return p;
}

static bool is_word(const char *s)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	return s[0] != '\0' && s[strspn(s, ok)] == '\0';
}

static int spell(const char *key, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	const char *list = usual(lists, key), *single = usual(singles, key), *meaning = decode(value, a);

	if (!is_word(key) || usual(openers, key) != NULL || (single != NULL && strcmp(single, key) != 0) ||
	    (list != NULL && strcmp(list, key) != 0))
		return mm_err_set(err, MM_EX_DATAERR, "'%s' is not a keyword of a section", key);
	if (mm_has_control(value))
		return mm_err_set(err, MM_EX_DATAERR,
		    "%s: a control character cannot stand in mbsync's configuration", key);
	if (list != NULL && (meaning == NULL || strcmp(meaning, value) != 0))
		return mm_err_set(err, MM_EX_DATAERR, "%s: '%s' is not a list of words", key, value);
	*out = list != NULL ? value : quote(value, a);
	if (strlen(key) + strlen(*out) + 64 > MM_MBSYNCRC_LINE_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "%s: mbsync takes lines of at most %d bytes", key,
		    MM_MBSYNCRC_LINE_MAX);
	return 0;
}

static int header(
    const char *section, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	const char *blank = strchr(section, ' ');
	const char *keyword = blank != NULL ? mm_arena_strndup(a, section, (size_t)(blank - section)) : "";
	const char *opener = usual(openers, keyword);

	(void)value;
	if (blank == NULL || opener == NULL || strcmp(opener, keyword) != 0 || mm_has_control(section) ||
	    blank[1] == '\0' || strlen(section) > MM_MBSYNCRC_LINE_MAX / 4)
		return mm_err_set(err, MM_EX_DATAERR, "'%s' cannot be a section", section);
	*out = mm_arena_printf(a, "%s %s", keyword, quote(blank + 1, a));
	return 0;
}

static const struct mm_line_grammar grammar = {.header_key = "section",
    .scan = scan,
    .decode = decode,
    .spell = spell,
    .header = header,
    .between = " "};

/* Without the first of two the second would count, under its name. */
static int check_removal(struct mm_text in, const struct mm_edit *e, struct mm_arena *a, struct mm_err *err)
{
	const char *second = mm_arena_printf(a, "%s\n2", e->section);
	struct mm_line *v;
	size_t n;

	if (scan(in, a, &v, &n, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (v[i].kind == MM_LINE_HEADER && strcmp(v[i].section, second) == 0)
			return mm_err_set(err, MM_EX_DATAERR,
			    "there is a second %s, which would take its place", e->section);
	return 0;
}

static int parse(struct mm_text in, struct mm_arena *a, struct mm_doc *out, struct mm_err *err)
{
	return mm_lines_parse(&grammar, in, a, out, err);
}

static int edit_one(struct mm_text in, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	if (e->op == MM_EDIT_SECTION_REMOVE && check_removal(in, e, cuts->a, err) != 0)
		return -1;
	return mm_lines_edit_one(&grammar, in, e, cuts, err);
}

static int edit(struct mm_text in, struct mm_edit *edits, size_t n, struct mm_arena *a, struct mm_buf *out,
    struct mm_err *err)
{
	return mm_lines_edit(&grammar, edit_one, in, edits, n, a, out, err);
}

const struct mm_format mm_format_mbsyncrc = {.name = "mbsyncrc", .parse = parse, .edit = edit};
