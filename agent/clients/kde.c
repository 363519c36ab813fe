#include "agent/clients/kde.h"

#include <string.h>

#include "agent/clients/keys.h"
#include "common/text.h"

/* ---- the layers */

static int add_layer(struct mm_reader *r, struct mm_kde_file *f, const char *path, struct mm_err *err)
{
	struct mm_kde_layer l = {.path = path};
	size_t headers = 0;

	if (mm_load_doc(r, path, &mm_format_kconfig, &l.doc, err) != 0)
		return -1;
	for (size_t i = 0; i < l.doc.n; i++)
		headers += l.doc.items[i].kind == 'c' ? 1 : 0;
	if (headers > MM_KDE_GROUPS_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "%s: more than %d groups", path, MM_KDE_GROUPS_MAX);
	f->v[f->n++] = l;
	return 0;
}

int mm_kde_load(struct mm_reader *r, const char *name, struct mm_kde_file *out, struct mm_err *err)
{
	const char *dirs = r->env(r, "XDG_CONFIG_DIRS"), *end;
	size_t n = 2;

	*out = (struct mm_kde_file){.path = mm_config_path(r, name)};
	if (dirs == NULL || dirs[0] == '\0')
		dirs = "/etc/xdg";
	for (const char *p = dirs; *p != '\0'; p++)
		n += *p == ':' ? 1 : 0;
	out->v = mm_arena_alloc(r->arena, n, sizeof(*out->v));
	for (end = dirs + strlen(dirs); end > dirs;) {
		const char *colon = memrchr(dirs, ':', (size_t)(end - dirs));
		const char *from = colon != NULL ? colon + 1 : dirs;

		if (*from == '/' &&
		    add_layer(r, out, mm_arena_printf(r->arena, "%.*s/%s", (int)(end - from), from, name),
			err) != 0)
			return -1;
		end = colon != NULL ? colon : dirs;
	}
	return add_layer(r, out, out->path, err);
}

/* ---- values */

static const char *variable(struct mm_reader *r, const char *name)
{
	if (strcmp(name, "HOME") == 0)
		return r->home;
	if (strcmp(name, "USER") == 0 || strcmp(name, "LOGNAME") == 0)
		return r->login;
	return r->env(r, name);
}

/* $NAME and ${NAME}; `$$` is a dollar sign, another one is dropped. */
static const char *expand(struct mm_reader *r, const char *text, bool *unsure)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	const char *out;

	for (const char *p = text; *p != '\0';) {
		bool brace = p[0] == '$' && p[1] == '{';
		size_t n = p[0] != '$' ? 0 : brace ? strcspn(p + 2, "}") : strspn(p + 1, letters);
		const char *value;

		if (p[0] != '$' || p[1] == '$') {
			mm_buf_addc(&b, *p);
			p += p[0] == '$' ? 2 : 1;
			continue;
		}
		value = variable(r, mm_arena_strndup(r->arena, p + (brace ? 2 : 1), n));
		*unsure = *unsure || value == NULL;
		mm_buf_adds(&b, value != NULL ? value : "");
		p += n + (brace ? 2 : 1);
		p += brace && *p == '}' ? 1 : 0;
	}
	out = mm_buf_ok(&b) ? mm_arena_strdup(r->arena, mm_buf_str(&b)) : text;
	mm_buf_free(&b);
	return out;
}

static void see_language(
    const struct mm_kde_layer *l, const char *group, const char *key, struct mm_kde_value *v)
{
	size_t n = strlen(key);

	for (size_t i = 0; i < l->doc.n; i++) {
		const struct mm_item *it = &l->doc.items[i];

		if (it->kind == 'c' || strcmp(it->section, group) != 0 || strncmp(it->key, key, n) != 0 ||
		    it->key[n] != '[')
			continue;
		v->language = true;
		v->unsure_path = l->path;
		v->unsure_line = it->line;
	}
}

/* Where the group, or the whole file, is locked. */
static int lock_line(const struct mm_doc *d, const char *group)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].kind == 'c' && d->items[i].value[0] != '\0' &&
		    (strcmp(d->items[i].section, group) == 0 ||
			strcmp(d->items[i].section, MM_KCONFIG_FILE) == 0))
			return d->items[i].line;
	return 0;
}

static void lock(struct mm_kde_value *v, const struct mm_kde_layer *l, int line)
{
	v->over_path = l->path;
	v->over_line = line;
}

static void take(struct mm_reader *r, const struct mm_kde_layer *l, const struct mm_item *it, bool own,
    struct mm_kde_value *v)
{
	struct mm_kconfig_value k = mm_kconfig_value(&l->doc, it, r->arena);
	bool unsure = false;

	v->text = k.text;
	v->path = l->path;
	v->line = it->line;
	if (!v->language)
		v->unsure_path = NULL;
	if (k.expand && k.text != NULL) {
		v->text = expand(r, k.text, &unsure);
		v->unsure_path = unsure ? l->path : v->unsure_path;
		v->unsure_line = unsure ? it->line : v->unsure_line;
	}
	if (k.locked && !own)
		lock(v, l, it->line);
}

struct mm_kde_value mm_kde_get(
    struct mm_reader *r, const struct mm_kde_file *f, const char *group, const char *key)
{
	struct mm_kde_value v = {.text = NULL};

	for (size_t i = 0; i < f->n && v.over_path == NULL; i++) {
		const struct mm_kde_layer *l = &f->v[i];
		const struct mm_item *it = mm_doc_find(&l->doc, group, key);
		bool own = i + 1 == f->n;

		see_language(l, group, key, &v);
		if (it != NULL)
			take(r, l, it, own, &v);
		if (!own && v.over_path == NULL && mm_kconfig_locks(&l->doc, group))
			lock(&v, l, lock_line(&l->doc, group));
	}
	return v;
}

bool mm_kde_true(const char *text, bool dflt)
{
	static const char *const no[] = {"false", "no", "off", "0"};

	for (size_t i = 0; text != NULL && i < sizeof(no) / sizeof(no[0]); i++)
		if (mm_streq_nocase(text, no[i]))
			return false;
	return text != NULL ? true : dflt;
}

static bool among(const char *const *v, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i], s) == 0)
			return true;
	return false;
}

const char *const *mm_kde_groups(
    struct mm_reader *r, const struct mm_kde_file *f, const char *prefix, size_t *n)
{
	const char **v = NULL;
	size_t used = 0, cap = 0;

	for (size_t i = 0; i < f->n; i++)
		for (size_t k = 0; k < f->v[i].doc.n; k++) {
			const struct mm_item *it = &f->v[i].doc.items[k];

			if (it->kind == 'c' && mm_starts_with(it->section, prefix) &&
			    !among(v, used, it->section))
				*(const char **)mm_arena_push(r->arena, &v, &used, &cap, sizeof(*v)) =
				    it->section;
		}
	*(const char **)mm_arena_push(r->arena, &v, &used, &cap, sizeof(*v)) = NULL;
	*n = used - 1;
	return v;
}

void mm_kde_see(struct mm_seen *seen, const struct mm_kde_value *v, const char *canonical)
{
	*seen = (struct mm_seen){.value = canonical,
	    .from_default = v->text == NULL && canonical != NULL,
	    .path = v->text != NULL ? v->path : NULL,
	    .line = v->text != NULL ? v->line : 0};
	if (v->over_path != NULL) {
		seen->over_path = v->over_path;
		seen->over_line = v->over_line;
		seen->over_by = "a value that is locked for KDE";
		seen->over_holds = true;
	}
	seen->unsure_path = v->unsure_path;
	seen->unsure_line = v->unsure_line;
	seen->unsure_why = "it hangs on a variable, or on the language";
	seen->unsure_open = v->unsure_path != NULL && v->over_path == NULL && !v->language;
}

/* ---- writing */

static bool has_group(const struct mm_kde_file *f, const struct mm_edit_list *l, const char *group)
{
	const struct mm_doc *own = &f->v[f->n - 1].doc;

	for (size_t i = 0; i < own->n; i++)
		if (own->items[i].kind == 'c' && strcmp(own->items[i].section, group) == 0)
			return true;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].op == MM_EDIT_SECTION_ADD && strcmp(l->v[i].section, group) == 0)
			return true;
	return false;
}

void mm_kde_want(struct mm_reader *r, const struct mm_kde_file *f, struct mm_edit_list *l, const char *group,
    const char *key, const char *value)
{
	if (value == NULL)
		return;
	if (!has_group(f, l, group))
		mm_want_edit(l, r->arena, MM_EDIT_SECTION_ADD, group, "", 's', NULL);
	mm_want_set(l, r->arena, group, key, value);
}

static bool is_in(const struct mm_item *it, const char *group)
{
	return group == NULL || strcmp(it->section, group) == 0;
}

void mm_kde_take_away(
    struct mm_reader *r, const struct mm_kde_file *f, struct mm_edit_list *l, const char *group)
{
	const struct mm_doc *own = &f->v[f->n - 1].doc;

	for (size_t i = 0; i < own->n; i++)
		if (own->items[i].kind != 'c' && own->items[i].wins && is_in(&own->items[i], group))
			mm_want_edit(
			    l, r->arena, MM_EDIT_DELETE, own->items[i].section, own->items[i].key, 's', NULL);
	for (size_t i = own->n; i-- > 0;)
		if (own->items[i].kind == 'c' && is_in(&own->items[i], group))
			mm_want_edit(
			    l, r->arena, MM_EDIT_SECTION_REMOVE, own->items[i].section, "", 's', NULL);
}
