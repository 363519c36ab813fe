/*
 * msmtp for everybody: /etc/msmtprc, in which the accounts of the user's own
 * file win (msmtp 1.8.23, with the program).
 *
 * The login: %U in `from`; `user` knows no such thing, but the output of a
 * command takes the place of an `eval` line, and passwordeval is a command
 * anyhow. Both are run by msmtp, as the user.
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/stanzas.h"
#include "agent/routes/route.h"
#include "common/text.h"

#define SYSTEM_FILE "/etc/msmtprc"

static const char *const dirs[] = {SYSTEM_FILE, NULL};

/* ---- one line */

struct line {
	const char *p; /* the whole of it */
	size_t indent, word, gap, n;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct line split(const char *p, size_t n)
{
	struct line l = {.p = p, .n = n};
	while (l.indent < n && is_blank(p[l.indent]))
		l.indent++;
	size_t at = l.indent;
	while (at < n && !is_blank(p[at]))
		at++;
	l.word = at - l.indent;
	while (at + l.gap < n && is_blank(p[at + l.gap]))
		l.gap++;
	return l;
}

static bool is(const struct line *l, const char *word)
{
	return l->word == strlen(word) && memcmp(l->p + l->indent, word, l->word) == 0;
}

static const char *rest(const struct line *l, size_t *n)
{
	size_t at = l->indent + l->word + l->gap;
	*n = l->n - at;
	return l->p + at;
}

static bool has(const char *s, size_t n, const char *what)
{
	return memmem(s, n, what, strlen(what)) != NULL;
}

/* Indentation, another word, the same gap. */
static void start(struct mm_buf *out, const struct line *l, const char *word)
{
	mm_buf_add(out, l->p, l->indent);
	mm_buf_adds(out, word);
	mm_buf_add(out, l->p + l->indent + l->word, l->gap);
}

#define LOGIN_IN_SHELL "\"$USER\""
#define ECHO_USER "echo user "

/* Bytes that belong together; are we within single quotes after them? */
static size_t next_in_shell(const char *s, size_t n, bool *quoted)
{
	if (*s == '\'')
		*quoted = !*quoted;
	return *s == '\\' && !*quoted && n > 1 ? 2 : 1;
}

/* Inside of single quotes they are left for the variable's sake. */
static void encode_command(struct mm_buf *out, const char *s, size_t n)
{
	bool quoted = false;
	for (size_t k = strlen(MM_SYSTEM_LOGIN); n > 0;) {
		if (n >= k && memcmp(s, MM_SYSTEM_LOGIN, k) == 0) {
			mm_buf_adds(out, quoted ? "'" LOGIN_IN_SHELL "'" : LOGIN_IN_SHELL);
			s += k;
			n -= k;
			continue;
		}
		size_t one = next_in_shell(s, n, &quoted);
		mm_buf_add(out, s, one);
		s += one;
		n -= one;
	}
}

static void decode_command(struct mm_buf *out, const char *s, size_t n)
{
	static const char inside[] = "'" LOGIN_IN_SHELL "'";
	bool quoted = false;
	while (n > 0) {
		const char *form = quoted ? inside : LOGIN_IN_SHELL;
		size_t k = strlen(form);
		if (n >= k && memcmp(s, form, k) == 0) {
			mm_buf_adds(out, MM_SYSTEM_LOGIN);
			s += k;
			n -= k;
			continue;
		}
		size_t one = next_in_shell(s, n, &quoted);
		mm_buf_add(out, s, one);
		s += one;
		n -= one;
	}
}

static bool encode_line(struct mm_buf *out, const char *p, size_t len)
{
	struct line l = split(p, len);
	size_t n;
	const char *s = rest(&l, &n);
	if (!has(s, n, MM_SYSTEM_LOGIN))
		return false;
	if (is(&l, "from")) {
		start(out, &l, "from");
		mm_route_swap(out, s, n, MM_SYSTEM_LOGIN, "%U");
	} else if (is(&l, "user")) {
		start(out, &l, "eval");
		mm_buf_adds(out, ECHO_USER);
		mm_route_swap(out, s, n, MM_SYSTEM_LOGIN, LOGIN_IN_SHELL);
	} else if (is(&l, "passwordeval")) {
		start(out, &l, "passwordeval");
		encode_command(out, s, n);
	} else {
		return false;
	}
	return true;
}

static bool decode_line(struct mm_buf *out, const char *p, size_t len)
{
	struct line l = split(p, len);
	size_t n, k = strlen(ECHO_USER);
	const char *s = rest(&l, &n);
	if (is(&l, "from") && has(s, n, "%U")) {
		start(out, &l, "from");
		mm_route_swap(out, s, n, "%U", MM_SYSTEM_LOGIN);
	} else if (is(&l, "eval") && n > k && memcmp(s, ECHO_USER, k) == 0 && !is_blank(s[k]) &&
		   has(s, n, LOGIN_IN_SHELL)) {
		start(out, &l, "user");
		mm_route_swap(out, s + k, n - k, LOGIN_IN_SHELL, MM_SYSTEM_LOGIN);
	} else if (is(&l, "passwordeval") && has(s, n, LOGIN_IN_SHELL)) {
		start(out, &l, "passwordeval");
		decode_command(out, s, n);
	} else {
		return false;
	}
	return true;
}

static int encode(
    struct mm_arena *a, const char *path, struct mm_text in, struct mm_text *out, struct mm_err *err)
{
	(void)path;
	return mm_route_lines(a, in, encode_line, out, err);
}

static int decode(
    struct mm_arena *a, const char *path, struct mm_text in, struct mm_text *out, struct mm_err *err)
{
	(void)path;
	return mm_route_lines(a, in, decode_line, out, err);
}

/* ---- as a client */

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	(void)create;
	(void)err;
	return mm_route_place(r, "msmtp", SYSTEM_FILE, places, n);
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	return mm_client_msmtp.read(r, p, out, err);
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	if (mm_client_msmtp.change(r, p, now, ch, out, err) != 0)
		return -1;
	for (size_t i = 0; i < out->n; i++)
		if (out->files[i].create_mode != 0)
			out->files[i].create_mode = 0644; /* everybody reads it */
	return 0;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	const char *why = mm_route_no_login(s, value);
	return why != NULL ? why : mm_client_msmtp.unsupported(s, value, all);
}

/* ---- the user's own file */

/* The account that a plain msmtp takes from it, or NULL: the system's. */
static const char *default_of(struct mm_reader *r, const char *path, struct mm_err *err)
{
	static const char *const keys[] = {"host", NULL};
	struct mm_view ignored = {0};
	struct mm_stanzas c;
	if (mm_stanzas_load(r, path, keys, "msmtp", &c, &ignored, err) != 0)
		return NULL;
	const struct mm_stanza *d = mm_stanza_named(&c, "default");
	if (d == NULL)
		return NULL;
	return mm_stanza_is_alias(d) ? mm_arena_strndup(r->arena, d->parents, strcspn(d->parents, " ,"))
				     : d->name;
}

static const struct mm_seen_account *named(const struct mm_view *v, const char *key)
{
	for (size_t i = 0; i < v->n; i++)
		if (mm_streq(v->accounts[i].key, key))
			return &v->accounts[i];
	return NULL;
}

static void win(struct mm_seen_account *acc, const struct mm_seen_account *own, const char *path)
{
	for (int s = 0; s < MM_SET_COUNT; s++)
		mm_route_won(&acc->s[s], &own->s[s], path, "the account in the user's own file");
}

static int home(struct mm_reader *user, struct mm_view *view, struct mm_err *err)
{
	struct mm_place *places;
	struct mm_view own;
	size_t n;
	if (mm_client_msmtp.find(user, false, &places, &n, err) != 0)
		return -1;
	if (n == 0)
		return 0;
	if (mm_client_msmtp.read(user, &places[0], &own, err) != 0)
		return -1;
	const struct mm_seen_account *first = named(&own, default_of(user, places[0].path, err));
	for (size_t i = 0; i < view->n; i++) {
		const struct mm_seen_account *same = named(&own, view->accounts[i].key);
		if (same != NULL)
			win(&view->accounts[i], same, places[0].path);
		else if (first != NULL && i == 0)
			win(&view->accounts[i], first, places[0].path);
	}
	return 0;
}

const struct mm_client mm_route_client_msmtp = {
    .name = "msmtp",
    .label = "msmtp",
    .programs = (const char *const[]){"msmtp", NULL},
    .outgoing = true,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};

const struct mm_route mm_route_msmtp = {
    .client = &mm_route_client_msmtp,
    .dirs = dirs,
    .decode = decode,
    .encode = encode,
    .whole = true,
    .home = home,
};
