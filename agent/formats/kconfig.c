#include "agent/formats/kconfig.h"

#include <stdlib.h>
#include <string.h>

#include "agent/formats/lines.h"
#include "common/text.h"

#define NESTED '\x1d'
#define LOCKED "[$i]"

/* isspace() in the C locale */
static bool is_space(char c)
{
	return c != '\0' && strchr(" \t\n\v\f\r", c) != NULL;
}

/* ---- values */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `\xHH` at p[0] = 'x'; how much of it is taken. */
static size_t unescape_hex(const char *p, size_t left, char *out)
{
	*out = 'x';
	if (left < 3)
		return left; /* the rest is lost */
	if (hex(p[1]) >= 0 && hex(p[2]) >= 0)
		*out = (char)(hex(p[1]) * 16 + hex(p[2]));
	return 3;
}

/* printableToString(); *n is the length, as a NUL may come out of it. */
static const char *unescape(const char *raw, size_t len, struct mm_arena *a, size_t *n)
{
	static const char from[] = "stnr\\", to[] = " \t\n\r\\";
	char *out = mm_arena_alloc(a, len + 2, 1), *w = out;
	size_t i = 0;

	while (i < len) {
		const char *at;

		if (raw[i] != '\\') {
			*w++ = raw[i++];
			continue;
		}
		if (++i == len)
			break; /* a backslash at the end is lost */
		at = strchr(from, raw[i]);
		if (raw[i] == 'x') {
			i += unescape_hex(raw + i, len - i, w++);
			continue;
		}
		*w++ = at != NULL ? to[at - from] : '\\';
		if (raw[i] == ';' || raw[i] == ',')
			*w++ = raw[i];
		i++; /* also what no escape is known for */
	}
	*n = (size_t)(w - out);
	return out;
}

/* Text without blanks at its ends, decoded; NULL where a NUL comes out of it. */
static const char *decode_part(const char *p, size_t n, struct mm_arena *a)
{
	const char *out;
	size_t len;

	while (n > 0 && is_space(p[n - 1]))
		n--;
	for (; n > 0 && is_space(*p); n--)
		p++;
	out = unescape(p, n, a, &len);
	return strlen(out) == len ? out : NULL;
}

/* Names keep their blanks, unless an escape is among them. */
static const char *decode_name(const char *p, size_t n, struct mm_arena *a)
{
	return n > 0 && memchr(p, '\\', n) != NULL ? decode_part(p, n, a) : mm_arena_strndup(a, p, n);
}

/* `raw` is what stands behind the name: "=value". */
static const char *decode(const char *raw, struct mm_arena *a)
{
	size_t n = strlen(raw);
	const char *out;

	if (raw[0] != '=' || is_space(raw[n - 1]) || strchr(raw, '\n') != NULL)
		return NULL;
	out = decode_part(raw + 1, n - 1, a);
	return out != NULL && mm_is_utf8(out, strlen(out)) ? out : NULL;
}

/* As stringToPrintable() does it. */
static void spell_text(struct mm_buf *b, const char *text, const char *special)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];
		bool edge = i == 0 || i + 1 == n;

		if (c == '\n' || c == '\r' || c == '\t' || c == '\\' || (c == ' ' && edge))
			mm_buf_addf(b, "\\%c",
			    c == '\n'   ? 'n'
			    : c == '\r' ? 'r'
			    : c == '\t' ? 't'
			    : c == ' '  ? 's'
					: '\\');
		else if (c < 0x20 || c == 0x7f || strchr(special, c) != NULL)
			mm_buf_addf(b, "\\x%02x", c);
		else
			mm_buf_addc(b, (char)c);
	}
}

/* ---- keys */

struct name {
	const char *base;   /* decoded, with the language behind it */
	size_t to;          /* where it ends in what stands before = */
	bool options, lock; /* something in brackets that is no language */
	bool deleted, expand;
	bool none; /* the program passes over such a line */
};

static void read_options(struct name *k, const char *p, const char *end)
{
	k->options = true;
	for (; p < end; p++) {
		k->lock = k->lock || *p == 'i';
		k->expand = k->expand || *p == 'e';
		k->deleted = k->deleted || *p == 'd';
	}
}

/* The name before the first bracket, one language, options behind both. Other
 * orders are possible, but nobody writes them: passed over. */
static struct name split_name(const char *text, struct mm_arena *a)
{
	size_t n = strcspn(text, "[");
	const char *p = text + n;
	struct name k = {.to = n};

	k.base = decode_name(text, n, a);
	k.none = k.base == NULL || k.base[0] == '\0';
	while (*p == '[' && !k.none) {
		const char *end = strchr(p, ']');

		if (end != NULL && p[1] == '$')
			read_options(&k, p + 2, end);
		else if (end == NULL || end == p + 1 || k.to != n || k.options || k.base == NULL)
			k.none = true;
		else {
			k.to = (size_t)(end + 1 - text);
			k.base = mm_arena_printf(a, "%s%.*s", k.base, (int)(end + 1 - p), p);
		}
		p = end != NULL ? end + 1 : p + strlen(p);
	}
	k.none = k.none || *p != '\0';
	return k;
}

/* ---- lines */

struct key_at { /* for finding keys that come again after a lock */
	const char *section, *key;
	size_t line;
	bool locked;
};

struct scan {
	struct mm_text in;
	struct mm_arena *a;
	const char *section;
	bool lock_group, lock_file;
	struct key_at *keys;
	size_t n_keys, cap_keys;
};

static int nul_in_name(int no, struct mm_err *err)
{
	return mm_err_set(err, MM_EX_DATAERR, "line %d: a NUL byte in a name", no);
}

static int header_line(struct scan *s, struct mm_line *l, size_t from, size_t to, int no, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	bool lock = false, any = false, nul = false;
	size_t at = from;

	while (at < to && s->in.p[at] == '[') {
		const char *end = memchr(s->in.p + at, ']', to - at), *part;
		size_t n;

		if (end == NULL) { /* the group before goes on */
			l->kind = MM_LINE_COMMENT;
			mm_buf_free(&b);
			return 0;
		}
		n = (size_t)(end - s->in.p) - at - 1;
		at += n + 2;
		if (at == to && n == 2 && mm_text_is(s->in, at - 4, at, LOCKED)) {
			lock = true;
			break;
		}
		part = decode_name(end - n, n, s->a);
		nul = nul || part == NULL;
		if (b.len > 0)
			mm_buf_addc(&b, NESTED);
		mm_buf_adds(&b, part != NULL ? part : "");
		any = any || b.len > 0;
	}
	s->lock_file = s->lock_file || (lock && !any);
	s->lock_group = s->lock_file || lock;
	s->section = any ? mm_arena_strdup(s->a, mm_buf_str(&b)) : MM_KCONFIG_FILE;
	mm_buf_free(&b);
	if (nul)
		return nul_in_name(no, err);
	l->kind = MM_LINE_HEADER;
	l->section = s->section;
	l->value = lock ? LOCKED : "";
	return 0;
}

static int key_line(struct scan *s, struct mm_line *l, size_t from, size_t to, int no, struct mm_err *err)
{
	const char *text = mm_text_dup(s->in, from, to, s->a), *eq = strchr(text, '=');
	size_t n = eq != NULL ? (size_t)(eq - text) : to - from;
	struct name k;

	while (n > 0 && is_space(text[n - 1]))
		n--;
	k = split_name(mm_arena_strndup(s->a, text, n), s->a);
	l->kind = MM_LINE_COMMENT;
	if (k.base == NULL)
		return nul_in_name(no, err);
	if (k.none || (eq == NULL && !k.deleted))
		return 0;
	*l = (struct mm_line){.kind = MM_LINE_KEY,
	    .from = l->from,
	    .end = l->end,
	    .next = l->next,
	    .section = s->section,
	    .key = k.base,
	    .kfrom = from,
	    .vfrom = k.options ? from + k.to : from + (size_t)(eq - text),
	    .vto = to};
	text = mm_text_dup(s->in, l->vfrom, to, s->a);
	l->value = k.options ? NULL : decode(text, s->a);
	l->unreadable = l->value == NULL;
	if (l->unreadable)
		l->value = text;
	*(struct key_at *)mm_arena_push(s->a, &s->keys, &s->n_keys, &s->cap_keys, sizeof(*s->keys)) =
	    (struct key_at){
		.section = l->section, .key = l->key, .line = (size_t)no, .locked = k.lock || s->lock_group};
	return 0;
}

static int scan_line(void *ctx, struct mm_line *l, int no, struct mm_err *err)
{
	struct scan *s = ctx;
	size_t from = l->from, to = l->end;

	while (to > from && is_space(s->in.p[to - 1]))
		to--;
	while (from < to && is_space(s->in.p[from]))
		from++;
	if (from == to)
		l->kind = MM_LINE_BLANK;
	else if (s->in.p[from] == '#')
		l->kind = MM_LINE_COMMENT;
	else if (s->in.p[from] == '[')
		return header_line(s, l, from, to, no, err);
	else
		return key_line(s, l, from, to, no, err);
	return 0;
}

static int by_name(const void *x, const void *y)
{
	const struct key_at *a = x, *b = y;
	int rc = strcmp(a->section, b->section);

	if (rc == 0)
		rc = strcmp(a->key, b->key);
	return rc != 0 ? rc : (a->line > b->line) - (a->line < b->line);
}

static int check_locks(struct scan *s, struct mm_err *err)
{
	if (s->n_keys > 1)
		qsort(s->keys, s->n_keys, sizeof(*s->keys), by_name);
	for (size_t i = 1; i < s->n_keys; i++) {
		const struct key_at *k = &s->keys[i];

		if (k[-1].locked && strcmp(k->section, k[-1].section) == 0 && strcmp(k->key, k[-1].key) == 0)
			return mm_err_set(
			    err, MM_EX_DATAERR, "line %zu: %s is locked above", k->line, k->key);
	}
	return 0;
}

static int scan(struct mm_text in, struct mm_arena *a, struct mm_line **out, size_t *n, struct mm_err *err)
{
	struct scan s = {.in = in, .a = a, .section = ""};

	if (mm_lines_scan(in, scan_line, &s, a, out, n, err) != 0)
		return -1;
	return check_locks(&s, err);
}

/* ---- writing */

/* A new key is written as it is named. */
static int spell(const char *key, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	struct name k = split_name(key, a);

	if (k.none || k.options || k.base == NULL || strcmp(k.base, key) != 0 || key[0] == '#' ||
	    strpbrk(key, "=\n\\") != NULL || is_space(key[0]) || is_space(key[strlen(key) - 1]))
		return mm_err_set(err, MM_EX_DATAERR, "%s: not a key of this file", key);
	if (!mm_is_utf8(value, strlen(value)))
		return mm_err_set(err, MM_EX_DATAERR, "%s: a value that is not UTF-8", key);
	mm_buf_addc(&b, '=');
	spell_text(&b, value, "");
	*out = mm_buf_take(&b, a);
	return *out != NULL ? 0 : mm_err_set(err, MM_EX_DATAERR, "%s: too long", key);
}

static int header(
    const char *section, const char *value, struct mm_arena *a, const char **out, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	bool lock = mm_streq(value, LOCKED);

	if (section[0] == NESTED || section[0] == '\0' || (value != NULL && value[0] != '\0' && !lock))
		return mm_err_set(err, MM_EX_DATAERR, "'%s' cannot be the name of a group", section);
	for (const char *p = section;; p++) {
		size_t n = strcspn(p, "\x1d");
		const char *part = mm_arena_strndup(a, p, n);

		mm_buf_addc(&b, '[');
		spell_text(&b, part, strcmp(part, "$i") == 0 ? "[]$" : "[]");
		mm_buf_addc(&b, ']');
		p += n;
		if (*p == '\0')
			break;
	}
	mm_buf_adds(&b, lock ? LOCKED : "");
	*out = mm_buf_take(&b, a);
	return *out != NULL ? 0 : mm_err_set(err, MM_EX_DATAERR, "%s: too long", section);
}

/* What is written as it is spelled must be what is read. */
static int verify(const struct mm_line_grammar *g, const struct mm_buf *text, const struct mm_edit *edits,
    size_t n, struct mm_arena *a, struct mm_err *err)
{
	struct mm_doc d = {.n = 0};
	bool parsed = false;

	for (size_t i = 0; i < n; i++) {
		const struct mm_item *it;

		if (edits[i].op != MM_EDIT_SET || edits[i].kind != 'u')
			continue;
		if (!parsed && mm_lines_parse(g, (struct mm_text){.p = mm_buf_str(text), .n = text->len}, a,
				   &d, err) != 0)
			return -1;
		parsed = true;
		it = mm_doc_find(&d, edits[i].section, edits[i].key);
		if (it == NULL || it->kind != 'u' || strcmp(it->value, edits[i].value) != 0)
			return mm_err_set(err, MM_EX_DATAERR, "%s: not options of a key", edits[i].key);
	}
	return 0;
}

static const struct mm_line_grammar grammar = {.header_key = "",
    .scan = scan,
    .decode = decode,
    .spell = spell,
    .header = header,
    .between = "",
    .unreadable = true,
    .verify = verify};

MM_LINES_FORMAT(mm_format_kconfig, "kconfig", grammar);

/* ---- what adapters ask */

struct mm_kconfig_value mm_kconfig_value(const struct mm_doc *d, const struct mm_item *it, struct mm_arena *a)
{
	struct mm_kconfig_value v = {.text = it->kind == 's' ? it->value : NULL};
	bool file = false;

	for (const struct mm_item *h = d->items; h < it; h++)
		if (h->kind == 'c') {
			v.locked = h->value[0] != '\0';
			file = file || (v.locked && strcmp(h->section, MM_KCONFIG_FILE) == 0);
		}
	v.locked = v.locked || file;
	if (it->kind == 'u' && it->value[0] == '[') {
		const char *eq = strchr(it->value, '=');
		size_t n = eq != NULL ? (size_t)(eq - it->value) : strlen(it->value);
		struct name k = split_name(mm_arena_printf(a, "k%.*s", (int)n, it->value), a);

		v.locked = v.locked || k.lock;
		v.expand = k.expand;
		v.deleted = k.deleted;
		v.text = eq != NULL && !k.deleted ? decode(eq, a) : NULL;
	}
	return v;
}

bool mm_kconfig_locks(const struct mm_doc *d, const char *group)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct mm_item *h = &d->items[i];

		if (h->kind == 'c' && h->value[0] != '\0' &&
		    (strcmp(h->section, MM_KCONFIG_FILE) == 0 || mm_streq(h->section, group)))
			return true;
	}
	return false;
}
