/* Finding the sources, and who has the last word about each. */
#include <string.h>

#include "agent/clients/evolution.h"
#include "common/text.h"

#define AUTOCONFIG "Autoconfig"
#define COLLECTION "Collection"
#define GOA "GNOME Online Accounts"

/* e_util_strdup_strip() */
static const char *strip(const char *text, struct mm_arena *a)
{
	static const char blanks[] = " \t\n\f\r";
	size_t n;

	if (text == NULL)
		return NULL;
	text += strspn(text, blanks);
	n = strlen(text);
	while (n > 0 && strchr(blanks, text[n - 1]) != NULL)
		n--;
	return n > 0 ? mm_arena_strndup(a, text, n) : NULL;
}

const char *mm_evo_get(const struct mm_evo_source *s, const char *group, const char *key, struct mm_arena *a)
{
	return strip(mm_keyfile_get(&s->doc, group, key), a);
}

/* g_key_file_get_boolean(); what is no boolean leaves the default, true. */
bool mm_evo_is_false(const char *value)
{
	size_t n = value != NULL ? strcspn(value, " \t\n\f\r") : 0;

	if (value == NULL || value[n + strspn(value + n, " \t\n\f\r")] != '\0')
		return false;
	return (n == 5 && strncmp(value, "false", n) == 0) || (n == 1 && value[0] == '0');
}

bool mm_evo_is_mail(const struct mm_evo_source *s, struct mm_arena *a)
{
	const char *backend = mm_evo_get(s, MM_EVO_ACCOUNT, "BackendName", a);

	return mm_streq(backend, "imapx") || mm_streq(backend, "pop");
}

const struct mm_evo_source *mm_evo_find(const struct mm_evo *e, const char *uid)
{
	for (size_t i = 0; uid != NULL && i < e->n; i++)
		if (strcmp(e->v[i].uid, uid) == 0)
			return &e->v[i];
	return NULL;
}

static const struct mm_evo_source *follow(const struct mm_evo *e, const struct mm_evo_source *s,
    const char *group, const char *key, const char *target, struct mm_arena *a)
{
	const char *uid = mm_evo_get(s, group, key, a);

	if (uid != NULL && strcmp(uid, "self") != 0)
		return mm_evo_find(e, uid);
	for (size_t i = 0; i < s->doc.n; i++)
		if (strcmp(s->doc.items[i].section, target) == 0)
			return s;
	return NULL;
}

const struct mm_evo_source *mm_evo_identity(
    const struct mm_evo *e, const struct mm_evo_source *account, struct mm_arena *a)
{
	return follow(e, account, MM_EVO_ACCOUNT, "IdentityUid", MM_EVO_IDENTITY, a);
}

const struct mm_evo_source *mm_evo_transport(
    const struct mm_evo *e, const struct mm_evo_source *identity, struct mm_arena *a)
{
	return follow(e, identity, MM_EVO_SUBMISSION, "TransportUid", MM_EVO_TRANSPORT, a);
}

size_t mm_evo_users(
    const struct mm_evo *e, const char *group, const char *key, const char *uid, struct mm_arena *a)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n; i++)
		n += mm_streq(mm_evo_get(&e->v[i], group, key, a), uid) ? 1 : 0;
	return n;
}

/* ---- reading the files */

static bool about_mail(struct mm_text t)
{
	static const char *const groups[] = {MM_EVO_ACCOUNT, MM_EVO_IDENTITY, MM_EVO_TRANSPORT};

	for (size_t i = 0; t.n > 0 && i < sizeof(groups) / sizeof(groups[0]); i++)
		if (memmem(t.p, t.n, groups[i], strlen(groups[i])) != NULL)
			return true;
	return false;
}

/* 1: read; 0: not there, or of no interest to the program either. */
static int read_source(struct mm_reader *r, const char *path, struct mm_doc *doc, struct mm_err *err)
{
	struct mm_text t;
	int rc = mm_read_text(r, path, &t, err);
	struct mm_err trouble;

	if (rc <= 0)
		return rc;
	if (mm_format_keyfile.parse(t, r->arena, doc, &trouble) == 0)
		return 1;
	if (!about_mail(t))
		return 0;
	return mm_err_set(err, MM_EX_DATAERR, "%s: %s", path, trouble.text);
}

static int load_dir(
    struct mm_reader *r, const char *dir, struct mm_evo_source **v, size_t *n, struct mm_err *err)
{
	const char *const *names;
	size_t cap = 0;
	int rc = r->list(r, dir, &names, err);

	*v = NULL;
	*n = 0;
	for (size_t i = 0; rc > 0 && names[i] != NULL; i++) {
		struct mm_evo_source s = {.path = mm_arena_printf(r->arena, "%s/%s", dir, names[i])};

		if (names[i][0] == '.' || !mm_ends_with(names[i], MM_EVO_SUFFIX))
			continue;
		s.uid = mm_arena_strndup(r->arena, names[i], strlen(names[i]) - (sizeof(MM_EVO_SUFFIX) - 1));
		rc = read_source(r, s.path, &s.doc, err);
		if (rc > 0)
			*(struct mm_evo_source *)mm_arena_push(r->arena, v, n, &cap, sizeof(**v)) = s;
		rc = rc < 0 ? -1 : 1;
	}
	return rc < 0 ? -1 : 0;
}

/* ---- the administrator's templates */

static int load_templates(struct mm_reader *r, struct mm_evo *out, struct mm_err *err)
{
	const char *dirs = r->env(r, "XDG_CONFIG_DIRS");

	*out = (struct mm_evo){.dir = ""};
	if (dirs == NULL || dirs[0] == '\0')
		dirs = "/etc/xdg";
	while (*dirs != '\0') {
		size_t n = strcspn(dirs, ":"), more;
		struct mm_evo_source *found, *all;

		if (dirs[0] == '/') {
			const char *dir =
			    mm_arena_printf(r->arena, "%.*s/evolution-data-server/autoconfig", (int)n, dirs);

			if (load_dir(r, dir, &found, &more, err) != 0)
				return -1;
			all = mm_arena_alloc(r->arena, out->n + more + 1, sizeof(*all));
			if (out->n > 0)
				memcpy(all, out->v, out->n * sizeof(*all));
			out->v = all;
			for (size_t i = 0; i < more; i++)
				if (mm_evo_find(out, found[i].uid) == NULL)
					all[out->n++] = found[i];
		}
		dirs += n + (dirs[n] == ':' ? 1 : 0);
	}
	return 0;
}

static void over(struct mm_evo_source *s, const char *path, int line, const char *by, bool holds)
{
	s->over_path = path;
	s->over_line = line;
	s->over_by = by;
	s->over_holds = holds;
}

static int line_of(const struct mm_doc *d, const char *group)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].kind == 'c' && strcmp(d->items[i].section, group) == 0)
			return d->items[i].line;
	return 0;
}

/* A copy of a template: of the same revision it is the user's own, of
 * another the template's keys come over it, of none it is deleted. */
static void under_template(struct mm_evo_source *s, const struct mm_evo *templates, struct mm_arena *a)
{
	const struct mm_evo_source *t = mm_evo_find(templates, s->uid);
	int line = line_of(&s->doc, AUTOCONFIG);

	if (line == 0)
		return;
	if (t == NULL)
		over(s, s->path, line,
		    "[Autoconfig] without a template, with which the program deletes the file", false);
	else if (!mm_streq(
		     mm_evo_get(s, AUTOCONFIG, "Revision", a), mm_evo_get(t, AUTOCONFIG, "Revision", a))) {
		s->template = &t->doc;
		s->template_path = t->path;
	}
}

static void add_templates(struct mm_evo *e, const struct mm_evo *templates, struct mm_arena *a)
{
	struct mm_evo_source *all = mm_arena_alloc(a, e->n + templates->n + 1, sizeof(*all));

	if (e->n > 0)
		memcpy(all, e->v, e->n * sizeof(*all));
	e->v = all;
	for (size_t i = 0; i < templates->n; i++) {
		struct mm_evo_source s = templates->v[i];

		if (mm_evo_find(e, s.uid) != NULL || line_of(&s.doc, AUTOCONFIG) == 0)
			continue;
		over(&s, s.path, line_of(&s.doc, AUTOCONFIG), "the administrator's template", true);
		all[e->n++] = s;
	}
}

/* ---- who else has a say */

/* What a collection holds is written anew from where the collection comes from. */
static void under_collection(struct mm_reader *r, struct mm_evo *e, struct mm_evo_source *s)
{
	const struct mm_evo_source *p = mm_evo_find(e, mm_evo_get(s, MM_EVO_DATA, "Parent", r->arena));
	const char *id, *accounts;
	struct mm_doc goa;
	struct mm_err err;

	if (p == NULL || line_of(&p->doc, COLLECTION) == 0)
		return;
	id = mm_evo_get(p, GOA, "AccountId", r->arena);
	if (id == NULL) {
		over(s, p->path, line_of(&p->doc, COLLECTION), "the collection that it belongs to", true);
		return;
	}
	accounts = mm_config_path(r, "goa-1.0/accounts.conf");
	if (read_source(r, accounts, &goa, &err) != 1)
		goa = (struct mm_doc){.n = 0};
	over(s, accounts, line_of(&goa, mm_arena_printf(r->arena, "Account %s", id)), GOA, true);
}

static void switched_off(struct mm_evo_source *s)
{
	const struct mm_item *it = mm_keyfile_find(&s->doc, MM_EVO_DATA, "Enabled");

	if (it != NULL && mm_evo_is_false(it->value))
		over(s, s->path, it->line, "Enabled=false", false);
}

int mm_evo_load(struct mm_reader *r, const char *dir, struct mm_evo *out, struct mm_err *err)
{
	struct mm_evo templates;

	*out = (struct mm_evo){.dir = dir};
	if (load_dir(r, dir, &out->v, &out->n, err) != 0 || load_templates(r, &templates, err) != 0)
		return -1;
	for (size_t i = 0; i < out->n; i++)
		under_template(&out->v[i], &templates, r->arena);
	add_templates(out, &templates, r->arena);
	for (size_t i = 0; i < out->n; i++) {
		under_collection(r, out, &out->v[i]);
		switched_off(&out->v[i]);
	}
	return 0;
}
