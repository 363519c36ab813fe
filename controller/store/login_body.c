/*
 * Reading stored login checks by the hundred thousand. The store writes their
 * bodies itself (mm_login_encode(): one object, no blanks, members in one
 * order), so they are read in one pass here; and what a server says of itself
 * - its certificate, what it offers, remarks - is the same in all that have
 * tried it: it is decoded once for each different text. Whatever does not look
 * as expected is left to mm_login_decode().
 */
#include "controller/store/login_body.h"

#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "schemas/wire.h"

#define SEEN 64 /* different texts that are kept; further ones take the place of others */

struct facts {
	struct mm_arena *a;
	char *text;
	struct mm_tls_facts tls;
	struct mm_ladder ladder;
};

struct mm_login_reader {
	struct facts seen[SEEN];
	struct mm_buf key;
};

struct mm_login_reader *mm_login_reader_new(void)
{
	struct mm_login_reader *r = mm_xcalloc(1, sizeof(*r));

	r->key = MM_BUF_INIT(1u << 20);
	return r;
}

void mm_login_reader_free(struct mm_login_reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < SEEN; i++)
		mm_arena_free(r->seen[i].a);
	mm_buf_free(&r->key);
	free(r);
}

/* ---- members */

struct slice {
	const char *p;
	size_t n;
};

/* The end of the value that begins at p, NULL when it is none. */
static const char *value_end(const char *p)
{
	int depth = 0;
	bool text = false;

	for (; *p; p++) {
		if (text) {
			p += strcspn(p, "\"\\");
			if (*p == '\0')
				return NULL;
			if (*p == '"')
				text = false;
			else if (p[1])
				p++;
		} else if (*p == '"') {
			text = true;
		} else if (*p == '{' || *p == '[') {
			depth++;
		} else if (*p == '}' || *p == ']') {
			if (depth-- == 0)
				return p;
		} else if (*p == ',' && depth == 0) {
			return p;
		}
	}
	return NULL;
}

/* The next `"key":value`; at the end false, with *at at the closing brace. */
static bool next_member(const char **at, struct slice *key, struct slice *value)
{
	const char *p = *at, *end;

	if (*p != '{' && *p != ',')
		return false;
	if (*++p != '"')
		return false;
	end = strchr(p + 1, '"');
	if (!end || end[1] != ':')
		return false;
	*key = (struct slice){p + 1, (size_t)(end - p - 1)};
	*value = (struct slice){end + 2, 0};
	*at = value_end(end + 2);
	if (!*at)
		return false;
	value->n = (size_t)(*at - value->p);
	return true;
}

static bool is(struct slice s, const char *word)
{
	return strlen(word) == s.n && memcmp(s.p, word, s.n) == 0;
}

/* A string without an escape, as it stands. */
static bool text_of(struct slice v, struct mm_arena *a, const char **out)
{
	if (v.n < 2 || v.p[0] != '"' || memchr(v.p, '\\', v.n))
		return false;
	*out = mm_arena_strndup(a, v.p + 1, v.n - 2);
	return true;
}

static bool number_of(struct slice v, int64_t *out)
{
	char digits[24];

	if (v.n == 0 || v.n >= sizeof(digits))
		return false;
	memcpy(digits, v.p, v.n);
	digits[v.n] = '\0';
	return mm_parse_int(digits, -MM_WIRE_INT_MAX, MM_WIRE_INT_MAX, out) == 0;
}

/* ---- one login */

struct reading {
	struct mm_arena *a;
	struct mm_login *l;
	struct mm_buf *key; /* the members that are of the server */
};

static const char *const texts[] = {"user", "account", "side", "protocol", "host", "security", "auth",
    "username", "class", "text", "admin", "server_text"};

static const char **text_place(struct mm_login *l, size_t i)
{
	const char **const places[] = {&l->user, &l->account, &l->side, &l->protocol, &l->host, &l->security,
	    &l->auth, &l->username, &l->cls, &l->text, &l->admin, &l->server_text};

	return places[i];
}

static bool read_text(struct reading *r, struct slice key, struct slice value, bool *known)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		*known = is(key, texts[i]);
		if (*known)
			return text_of(value, r->a, text_place(r->l, i));
	}
	return true;
}

static bool word_of(struct slice v, int (*by_name)(const char *s), int *out)
{
	char word[32];

	if (v.n < 2 || v.n - 2 >= sizeof(word))
		return false;
	memcpy(word, v.p + 1, v.n - 2);
	word[v.n - 2] = '\0';
	*out = by_name(word);
	return *out >= 0;
}

static bool read_word(struct reading *r, struct slice key, struct slice value, bool *known)
{
	struct mm_login *l = r->l;
	int word = 0;
	int64_t n = 0;

	*known = true;
	if (is(key, "level")) {
		if (!word_of(value, mm_level_by_name, &word))
			return false;
		l->level = (enum mm_level)word;
	} else if (is(key, "reached")) {
		if (!word_of(value, mm_level_by_name, &word))
			return false;
		l->reached = (enum mm_level)word;
		l->any = true;
	} else if (is(key, "result")) {
		if (!word_of(value, mm_result_by_name, &word))
			return false;
		l->result = (enum mm_result)word;
	} else if (is(key, "port")) {
		if (!number_of(value, &n) || n < 1 || n > 65535)
			return false;
		l->port = (int)n;
	} else if (is(key, "when")) {
		return number_of(value, &l->when);
	} else {
		*known = false;
	}
	return true;
}

static void keep(struct reading *r, struct slice key, struct slice value)
{
	mm_buf_addc(r->key, r->key->len ? ',' : '{');
	mm_buf_addc(r->key, '"');
	mm_buf_add(r->key, key.p, key.n);
	mm_buf_adds(r->key, "\":");
	mm_buf_add(r->key, value.p, value.n);
}

/* What every run measures anew: nobody who reads all logins asks for it. */
static bool is_measured(struct slice key)
{
	return is(key, "timing") || is(key, "steps") || is(key, "addresses") || is(key, "mailbox") ||
	       is(key, "roundtrip");
}

static bool read_members(struct reading *r, const char *body)
{
	struct slice key, value;
	const char *at = body;
	bool known = false;

	while (next_member(&at, &key, &value)) {
		if (!read_text(r, key, value, &known))
			return false;
		if (!known && !read_word(r, key, value, &known))
			return false;
		if (!known && !is_measured(key))
			keep(r, key, value);
	}
	return at && *at == '}' && at[1] == '\0';
}

/* ---- what servers say */

static uint64_t hash_of(const char *s)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	return h;
}

static int facts_of(struct mm_login_reader *r, struct mm_login *l, struct mm_err *err)
{
	const char *text = mm_buf_str(&r->key);
	struct facts *f = &r->seen[hash_of(text) % SEEN];
	struct mm_login got = {.user = NULL};

	if (!mm_streq(f->text, text)) {
		mm_arena_free(f->a);
		*f = (struct facts){.a = mm_arena_new()};
		if (mm_login_facts_decode(text, r->key.len, f->a, &got, err))
			return -1;
		f->text = mm_arena_strdup(f->a, text);
		f->tls = got.tls;
		f->ladder = got.ladder;
	}
	l->tls = f->tls;
	l->ladder = f->ladder;
	return 0;
}

static bool complete(const struct mm_login *l)
{
	return l->user && l->side && l->protocol && l->host && l->security && l->port;
}

int mm_login_read_lean(
    struct mm_login_reader *r, const char *body, struct mm_arena *a, struct mm_login *out, struct mm_err *err)
{
	struct mm_login l = {.account = "",
	    .auth = "",
	    .username = "",
	    .cls = "",
	    .text = "",
	    .admin = "",
	    .timing = {-1, -1, -1, -1, -1}};
	struct reading read = {.a = a, .l = &l, .key = &r->key};

	mm_buf_reset(&r->key);
	if (!read_members(&read, body) || !complete(&l))
		return mm_login_decode(body, strlen(body), a, out, err);
	if (r->key.len > 0) {
		mm_buf_addc(&r->key, '}');
		if (!mm_buf_ok(&r->key))
			return mm_login_decode(body, strlen(body), a, out, err);
		if (facts_of(r, &l, err))
			return -1;
	}
	*out = l;
	return 0;
}
