#include "agent/formats/prefsjs.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "agent/formats/prefsjs_lex.h"
#include "agent/formats/splice.h"
#include "common/text.h"

static const struct mm_pref *winner(const struct mm_pref *v, size_t n, const char *key)
{
	while (n-- > 0)
		if (v[n].section[0] == '\0' && strcmp(v[n].key, key) == 0)
			return &v[n];
	return NULL;
}

static void to_items(const struct mm_pref *v, size_t n, struct mm_arena *a, struct mm_doc *out)
{
	out->n = n;
	out->items = mm_arena_alloc(a, n + 1, sizeof(*out->items));
	for (size_t i = 0; i < n; i++)
		out->items[i] = (struct mm_item){
		    .section = v[i].section,
		    .key = v[i].key,
		    .value = v[i].value,
		    .kind = v[i].kind,
		    .line = v[i].line,
		};
	mm_mark_winners(out->items, n, a);
}

static int parse_any(
    struct mm_text in, bool defaults, struct mm_arena *a, struct mm_doc *out, struct mm_err *err)
{
	struct mm_pref *v;
	size_t n;

	if (mm_prefs_scan(in, defaults, a, &v, &n, err) != 0)
		return -1;
	to_items(v, n, a, out);
	out->eol = mm_text_eol(in);
	return 0;
}

static int parse(struct mm_text in, struct mm_arena *a, struct mm_doc *out, struct mm_err *err)
{
	return parse_any(in, false, a, out, err);
}

int mm_prefsjs_parse_defaults(struct mm_text in, struct mm_arena *a, struct mm_doc *out, struct mm_err *err)
{
	return parse_any(in, true, a, out, err);
}

static const char *quote(const char *s, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);

	mm_buf_addc(&b, '"');
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			mm_buf_addf(&b, "\\%c", c);
		else if (c == '\n' || c == '\r')
			mm_buf_adds(&b, c == '\n' ? "\\n" : "\\r");
		else if (c < 0x20 || c == 0x7f)
			mm_buf_addf(&b, "\\x%02x", c);
		else
			mm_buf_addc(&b, (char)c);
	}
	mm_buf_addc(&b, '"');
	return mm_buf_take(&b, a);
}

/* `raw` as a value in a statement of its own: does it still mean this? */
static bool raw_means(const char *raw, const char *value, char kind, struct mm_arena *a)
{
	static const char head[] = "user_pref(\"k\",";
	const char *text;
	struct mm_pref *v;
	struct mm_err err;
	size_t n;

	if (raw == NULL)
		return false;
	text = mm_arena_printf(a, "%s%s);", head, raw);
	if (mm_prefs_scan((struct mm_text){.p = text, .n = strlen(text)}, false, a, &v, &n, &err) != 0)
		return false;
	return n == 1 && v[0].kind == kind && strcmp(v[0].value, value) == 0 && v[0].vfrom == strlen(head) &&
	       v[0].vto == strlen(head) + strlen(raw);
}

static int spell(const struct mm_edit *e, const char *value, char kind, struct mm_arena *a, const char **out,
    struct mm_err *err)
{
	int64_t v;

	if (value == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "%s: no value given", e->key);
	if (raw_means(e->raw, value, kind, a)) {
		*out = e->raw;
		return 0;
	}
	if (kind == 's') {
		*out = quote(value, a);
		if (*out == NULL)
			return mm_err_set(err, MM_EX_DATAERR, "%s: the value is too long", e->key);
		return 0;
	}
	if (kind == 'i' ? mm_parse_int(value, INT32_MIN, INT32_MAX, &v) != 0 ||
			      strcmp(mm_arena_printf(a, "%lld", (long long)v), value) != 0
			: kind != 'b' || (!mm_streq(value, "true") && !mm_streq(value, "false")))
		return mm_err_set(err, MM_EX_DATAERR, "%s: '%s' is not a value of type '%c' for a preference",
		    e->key, value, kind);
	*out = value;
	return 0;
}

static void remember(struct mm_edit *e, struct mm_text in, const struct mm_pref *p, struct mm_arena *a)
{
	e->former = p->value;
	e->former_kind = p->kind;
	e->former_raw = mm_text_dup(in, p->vfrom, p->vto, a);
}

static int store(struct mm_text in, const struct mm_pref *p, const struct mm_edit *e, const char *value,
    char kind, struct mm_cuts *cuts, struct mm_err *err)
{
	const char *spelled, *name;

	if (p != NULL && p->kind == kind && strcmp(p->value, value) == 0)
		return 0;
	if (spell(e, value, kind, cuts->a, &spelled, err) != 0)
		return -1;
	if (p != NULL) {
		mm_cut_add(cuts, p->vfrom, p->vto, spelled);
		return 0;
	}
	name = quote(e->key, cuts->a);
	if (name == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "the name of the preference is too long");
	mm_put_lines(cuts, in, in.n, mm_arena_printf(cuts->a, "user_pref(%s, %s);", name, spelled));
	return 0;
}

static bool blank_between(struct mm_text in, size_t from, size_t to)
{
	while (from < to && mm_is_blank(in.p[from]))
		from++;
	return from >= to;
}

static void drop(struct mm_text in, const struct mm_pref *p, struct mm_cuts *cuts)
{
	if (blank_between(in, mm_line_start(in, p->from), p->from) &&
	    blank_between(in, p->to, mm_line_end(in, p->to)))
		mm_cut_lines(cuts, in, p->from, p->to);
	else
		mm_cut_add(cuts, p->from, p->to, "");
}

static void drop_all(
    struct mm_text in, const struct mm_pref *v, size_t n, const char *key, struct mm_cuts *cuts)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].section[0] == '\0' && strcmp(v[i].key, key) == 0)
			drop(in, &v[i], cuts);
}

/* The member `m` of a comma-separated list, blanks around it ignored. */
static const char *member(const char *list, const char *m, size_t *len)
{
	for (const char *p = list;;) {
		size_t n = strcspn(p, ","), skip = strspn(p, " \t"), k;

		k = skip > n ? 0 : n - skip;
		while (k > 0 && mm_is_blank(p[skip + k - 1]))
			k--;
		if (k == strlen(m) && memcmp(p + skip, m, k) == 0) {
			*len = n;
			return p;
		}
		if (p[n] == '\0')
			return NULL;
		p += n + 1;
	}
}

static const char *with_member(const char *list, const struct mm_edit *e, struct mm_arena *a)
{
	size_t n;
	const char *before =
	    e->section != NULL && e->section[0] != '\0' ? member(list, e->section, &n) : NULL;

	if (list[0] == '\0')
		return e->value;
	if (before == NULL)
		return mm_arena_printf(a, "%s,%s", list, e->value);
	return mm_arena_printf(a, "%.*s%s,%s", (int)(before - list), list, e->value, before);
}

static const char *without_member(const char *list, const char *at, size_t len, struct mm_arena *a)
{
	if (at[len] == ',')
		return mm_arena_printf(a, "%.*s%s", (int)(at - list), list, at + len + 1);
	if (at > list)
		return mm_arena_strndup(a, list, (size_t)(at - list) - 1);
	return "";
}

static int edit_list(struct mm_text in, struct mm_edit *e, const struct mm_pref *v, size_t n,
    struct mm_cuts *cuts, struct mm_err *err)
{
	const struct mm_pref *p = winner(v, n, e->key);
	const char *list = p != NULL ? p->value : "", *at;
	size_t len = 0;

	if (e->value == NULL || e->value[0] == '\0' || strpbrk(e->value, ", \t") != NULL)
		return mm_err_set(err, MM_EX_DATAERR, "%s: a list cannot hold this member", e->key);
	if (p != NULL && p->kind != 's')
		return mm_err_set(err, MM_EX_DATAERR, "line %d: %s is not a list", p->line, e->key);
	at = member(list, e->value, &len);
	e->had = at != NULL;
	if (p != NULL)
		remember(e, in, p, cuts->a);
	if (e->had == (e->op == MM_EDIT_LIST_ADD))
		return 0;
	if (e->op == MM_EDIT_LIST_ADD)
		return store(in, p, e, with_member(list, e, cuts->a), 's', cuts, err);
	assert(at != NULL); /* e->had, and the member is to go */
	/* Somebody may have written it twice. */
	for (; at != NULL; at = member(list, e->value, &len))
		list = without_member(list, at, len, cuts->a);
	if (list[0] != '\0' || raw_means(e->raw, "", 's', cuts->a))
		return store(in, p, e, list, 's', cuts, err);
	drop_all(in, v, n, e->key, cuts);
	return 0;
}

static int edit_one(struct mm_text in, struct mm_edit *e, struct mm_cuts *cuts, struct mm_err *err)
{
	const struct mm_pref *p;
	struct mm_pref *v;
	size_t n;

	if (mm_prefs_scan(in, false, cuts->a, &v, &n, err) != 0)
		return -1;
	if (e->op == MM_EDIT_LIST_ADD || e->op == MM_EDIT_LIST_REMOVE)
		return edit_list(in, e, v, n, cuts, err);
	if (e->op != MM_EDIT_SET && e->op != MM_EDIT_DELETE)
		return mm_err_set(err, MM_EX_DATAERR, "prefs.js has neither sections nor blocks");
	if (e->section != NULL && e->section[0] != '\0')
		return mm_err_set(err, MM_EX_DATAERR, "prefs.js has no sections");
	p = winner(v, n, e->key);
	e->had = p != NULL;
	if (p != NULL)
		remember(e, in, p, cuts->a);
	if (e->op == MM_EDIT_DELETE) {
		drop_all(in, v, n, e->key, cuts);
		return 0;
	}
	if (e->value == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "%s: no value given", e->key);
	return store(in, p, e, e->value, e->kind, cuts, err);
}

static int edit(struct mm_text in, struct mm_edit *edits, size_t n, struct mm_arena *a, struct mm_buf *out,
    struct mm_err *err)
{
	return mm_edit_run(in, edits, n, edit_one, a, out, err);
}

const struct mm_format mm_format_prefsjs = {.name = "prefs.js", .parse = parse, .edit = edit};
