#include "agent/clients/tomlkeys.h"

#include <string.h>

#include "agent/clients/sh.h"
#include "common/text.h"

/* The table and the last name of a key. */
static const char *split(const struct mm_toml_at *at, const char *key, const char **last)
{
	const char *dot = strrchr(key, '.');
	int n = dot != NULL ? (int)(dot - key) : 0;

	*last = dot != NULL ? dot + 1 : key;
	if (n == 0)
		return at->section;
	return at->section[0] == '\0' ? mm_arena_strndup(at->a, key, (size_t)n)
				      : mm_arena_printf(at->a, "%s.%.*s", at->section, n, key);
}

static const struct mm_item *find_as(const struct mm_toml_at *at, const char *key)
{
	const char *last, *section = split(at, key, &last);

	return mm_doc_find(at->doc, section, last);
}

static const char *other_name(const struct mm_toml_at *at, const char *key)
{
	for (size_t i = 0; at->names != NULL && at->names[i][0] != NULL; i++)
		if (strcmp(at->names[i][0], key) == 0)
			return at->names[i][1];
	return NULL;
}

const struct mm_item *mm_toml_find(const struct mm_toml_at *at, const char *key)
{
	const struct mm_item *it = find_as(at, key);
	const char *other = it == NULL ? other_name(at, key) : NULL;

	return other != NULL ? find_as(at, other) : it;
}

bool mm_toml_has_table(const struct mm_toml_at *at, const char *key)
{
	const char *path = mm_arena_printf(at->a, "%s.%s", at->section, key);
	size_t n = strlen(path);

	for (size_t i = 0; i < at->doc->n; i++)
		if (mm_starts_with(at->doc->items[i].section, path) &&
		    (at->doc->items[i].section[n] == '\0' || at->doc->items[i].section[n] == '.'))
			return true;
	return false;
}

struct mm_native mm_get_toml(const void *ctx, const char *key)
{
	const struct mm_toml_at *at = ctx;
	const struct mm_item *it = mm_toml_find(at, key);

	if (it == NULL)
		return (struct mm_native){.text = NULL};
	return (struct mm_native){.text = it->value, .path = at->path, .line = it->line};
}

bool mm_toml_yes(const struct mm_toml_at *at, const char *key)
{
	const struct mm_item *it = mm_toml_find(at, key);

	return it != NULL && mm_streq(it->value, "true");
}

/* How long the first name of a path is. */
static size_t first_name(const char *path)
{
	size_t n = 1;

	if (path[0] != '"')
		return strcspn(path, ".[");
	while (path[n] != '\0' && path[n] != '"')
		n += path[n] == '\\' && path[n + 1] != '\0' ? 2 : 1;
	return path[n] == '"' ? n + 1 : n;
}

const char *const *mm_toml_tables(const struct mm_doc *d, const char *prefix, struct mm_arena *a, size_t *n)
{
	const char **v = NULL;
	size_t used = 0, cap = 0, skip = strlen(prefix);

	for (size_t i = 0; i < d->n; i++) {
		const char *path = d->items[i].section, *name;
		bool known = false;

		if (skip > 0 && (!mm_starts_with(path, prefix) || path[skip] != '.'))
			continue;
		path += skip > 0 ? skip + 1 : 0;
		name = mm_arena_strndup(a, path, first_name(path));
		for (size_t k = 0; k < used && !known; k++)
			known = strcmp(v[k], name) == 0;
		if (!known && name[0] != '\0')
			*(const char **)mm_arena_push(a, &v, &used, &cap, sizeof(*v)) = name;
	}
	*n = used;
	return v;
}

const char *mm_toml_command(const struct mm_item *it, bool pipe, struct mm_arena *a)
{
	const char *const *words, *line = "";
	size_t n = 0;

	if (it == NULL || it->kind == 's')
		return it != NULL ? mm_sh_argv(it->value, a) : NULL;
	words = mm_toml_strings(it->value, a, &n);
	if (words == NULL || n == 0)
		return it->value;
	if (!pipe)
		return mm_argv_text(words, a);
	for (size_t i = 0; i < n; i++)
		line = mm_arena_printf(a, "%s%s%s", line, i > 0 ? " | " : "", words[i]);
	return mm_sh_argv(line, a);
}

static void want_edit(const struct mm_toml_at *at, struct mm_edit_list *l, enum mm_edit_op op,
    const char *key, char kind, const char *value)
{
	const char *other = find_as(at, key) == NULL ? other_name(at, key) : NULL, *last, *section;

	if (other != NULL && find_as(at, other) != NULL)
		key = other;
	section = split(at, key, &last);
	mm_want_edit(l, at->a, op, section, last, kind, value);
}

void mm_toml_want(
    const struct mm_toml_at *at, struct mm_edit_list *l, const char *key, char kind, const char *value)
{
	if (value != NULL)
		want_edit(at, l, MM_EDIT_SET, key, kind, value);
}

void mm_toml_drop(const struct mm_toml_at *at, struct mm_edit_list *l, const char *key)
{
	if (mm_toml_find(at, key) != NULL)
		want_edit(at, l, MM_EDIT_DELETE, key, 's', NULL);
}

int mm_toml_keys_want(const struct mm_key *keys, size_t n, const struct mm_values *want,
    const struct mm_toml_at *at, struct mm_edit_list *l, struct mm_err *err)
{
	struct mm_edit_list plain = {.v = NULL};

	if (mm_keys_want(keys, n, want, "", &plain, at->a, err) != 0)
		return -1;
	for (size_t i = 0; i < plain.n; i++)
		mm_toml_want(at, l, plain.v[i].key, plain.v[i].kind, plain.v[i].value);
	return 0;
}

void mm_see_side_over(
    struct mm_seen_account *s, struct mm_native by, enum mm_side side, const char *name, const char *note)
{
	for (enum mm_setting i = 0; i < MM_SET_COUNT; i++)
		if (mm_setting_def(i)->side == side)
			mm_see_over(&s->s[i], by, name, note);
}

const char *mm_cargo_version(struct mm_reader *r, const char *program)
{
	const char *home = r->env(r, "CARGO_HOME"), *path;
	struct mm_doc d;

	if (home == NULL || home[0] != '/')
		home = mm_home_path(r, ".cargo");
	path = mm_arena_printf(r->arena, "%s/.crates.toml", home);
	if (mm_load_doc(r, path, &mm_format_toml, &d, NULL) != 0)
		return NULL;
	for (size_t i = 0; i < d.n; i++) {
		const char *name = mm_toml_name(d.items[i].key, r->arena), *blank = strchr(name, ' ');

		/* "himalaya 1.2.0 (registry+https://...)" = ["himalaya"] */
		if (mm_streq(d.items[i].section, "v1") && blank != NULL &&
		    strlen(program) == (size_t)(blank - name) && mm_starts_with(name, program))
			return mm_arena_strndup(r->arena, blank + 1, strcspn(blank + 1, " "));
	}
	return NULL;
}
