/*
 * Which profile a start takes: toolkit/profile/nsToolkitProfileService.cpp,
 * and what 153 did when it was tried.
 */
#include <string.h>

#include "agent/clients/cityhash.h"
#include "agent/clients/thunderbird.h"
#include "agent/formats/ini.h"
#include "common/text.h"

#define OWN_PROFILE "mailmuster"
#define FLATPAK(app) ".var/app/" app "/.thunderbird"

/* Flathub's name is in lower case since 2026. On an update the folder of the
 * old name becomes a link to the new one: the same files a second time. */
static const struct root {
	const char *path;
	bool machine;
	const char *program;
	const char *renamed; /* NULL, or the root that it may be the same as */
	bool suite;
} roots[] = {{".thunderbird", true, "Thunderbird", NULL, false},
    {"snap/thunderbird/common/.thunderbird", false, "Thunderbird", NULL, false},
    {FLATPAK("org.mozilla.thunderbird"), false, "Thunderbird", NULL, false},
    {FLATPAK("org.mozilla.Thunderbird"), false, "Thunderbird", FLATPAK("org.mozilla.thunderbird"), false},
    {FLATPAK("eu.betterbird.Betterbird"), false, "Betterbird", NULL, false},
    {".mozilla/seamonkey", false, "SeaMonkey", NULL, true}};

struct candidate {
	const char *dir; /* as it stands in profiles.ini */
	bool marked;     /* Default=1 */
};

struct listing { /* profiles.ini, and installs.ini where that counts */
	struct candidate *v;
	size_t n, cap;
	const char **installs; /* what installed programs point to */
	size_t n_installs, cap_installs;
};

static const char *get(const struct mm_doc *d, const char *section, const char *key)
{
	const struct mm_item *it = mm_doc_find(d, section, key);

	return it != NULL && it->value[0] != '\0' ? it->value : NULL;
}

/* Absent: an empty document. */
static int read_ini(
    struct mm_reader *r, const char *root, const char *name, struct mm_doc *d, struct mm_err *err)
{
	const char *path = mm_arena_printf(r->arena, "%s/%s", root, name);
	struct mm_text text;
	int rc = mm_read_text(r, path, &text, err);

	*d = (struct mm_doc){.n = 0};
	if (rc <= 0)
		return rc;
	return mm_format_ini.parse(text, r->arena, d, err) == 0 ? 0 : mm_err_prefix(err, "%s", path);
}

static bool is_profile_section(const char *s)
{
	return mm_starts_with(s, "Profile") && s[7] >= '0' && s[7] <= '9';
}

/* A folder outside of the home is not ours to look at. */
static bool is_safe(const char *dir)
{
	return dir != NULL && strcmp(dir, "..") != 0 && strstr(dir, "../") == NULL &&
	       !mm_ends_with(dir, "/..");
}

static void add_install(struct listing *l, struct mm_arena *a, const char *dir)
{
	for (size_t i = 0; i < l->n_installs; i++)
		if (strcmp(l->installs[i], dir) == 0)
			return;
	*(const char **)mm_arena_push(
	    a, &l->installs, &l->n_installs, &l->cap_installs, sizeof(*l->installs)) = dir;
}

static void list_installs(struct listing *l, struct mm_arena *a, const struct mm_doc *d, const char *prefix)
{
	for (size_t i = 0; i < d->n; i++) {
		const char *s = d->items[i].section;

		if (d->items[i].kind == 'c' && mm_starts_with(s, prefix) && is_safe(get(d, s, "Default")))
			add_install(l, a, get(d, s, "Default"));
	}
}

static int load(struct mm_reader *r, const char *root, struct listing *l, struct mm_err *err)
{
	struct mm_doc d, old;

	if (read_ini(r, root, "profiles.ini", &d, err) != 0)
		return -1;
	for (size_t i = 0; i < d.n; i++) {
		const char *s = d.items[i].section, *dir = get(&d, s, "Path");

		if (d.items[i].kind == 'c' && is_profile_section(s) && is_safe(dir))
			*(struct candidate *)mm_arena_push(r->arena, &l->v, &l->n, &l->cap, sizeof(*l->v)) =
			    (struct candidate){dir, mm_streq(get(&d, s, "Default"), "1")};
	}
	list_installs(l, r->arena, &d, "Install");
	if (l->n_installs > 0 || d.n == 0 || get(&d, "General", "Version") != NULL)
		return 0;
	/* installs.ini counts for a profiles.ini of the first version only. */
	if (read_ini(r, root, "installs.ini", &old, err) != 0)
		return -1;
	list_installs(l, r->arena, &old, "");
	return 0;
}

/* ---- places */

static const char *full_dir(struct mm_arena *a, const char *root, const char *dir)
{
	size_t n = strlen(dir);

	while (n > 1 && dir[n - 1] == '/')
		n--;
	return dir[0] == '/' ? mm_arena_strndup(a, dir, n) : mm_arena_printf(a, "%s/%.*s", root, (int)n, dir);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static const char *prefs_of(struct mm_arena *a, const char *root, const char *dir)
{
	return mm_arena_printf(a, "%s/prefs.js", full_dir(a, root, dir));
}

static struct mm_place make_place(struct mm_reader *r, const struct mm_tb_profile *profile)
{
	const char *dir = full_dir(r->arena, profile->root, profile->dir);
	const char *lock = mm_arena_printf(r->arena, "%s/.parentlock", dir);

	return (struct mm_place){
	    .path = prefs_of(r->arena, profile->root, profile->dir),
	    .label = mm_arena_printf(r->arena, "profile %s", base_name(dir)),
	    .busy = r->locked(r, lock) ? mm_arena_printf(r->arena, "%s is running", profile->program) : NULL,
	    .lock = lock,
	    .priv = profile,
	};
}

struct finder {
	struct mm_reader *r;
	struct mm_place *v;
	size_t n;
	const char *unused; /* what a start takes and never started yet: the folder's name */
};

static bool is_known(const struct finder *f, const char *path)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].path, path) == 0)
			return true;
	return false;
}

static bool add_place(
    struct finder *f, const struct root *from, const char *root, const char *dir, bool in_use)
{
	struct mm_tb_profile *profile;
	const char *path = prefs_of(f->r->arena, root, dir);
	struct mm_place p;

	if (is_known(f, path) || !mm_have_file(f->r, path))
		return false;
	profile = mm_arena_alloc(f->r->arena, 1, sizeof(*profile));
	*profile = (struct mm_tb_profile){.program = from->program,
	    .root = root,
	    .dir = dir,
	    .machine = from->machine,
	    .suite = from->suite,
	    .by_us = mm_starts_with(dir, OWN_PROFILE)};
	p = make_place(f->r, profile);
	p.exists = true;
	p.in_use = in_use;
	mm_add_place(f->r->arena, &f->v, &f->n, &p);
	return true;
}

/* The same list of profiles, byte for byte, under the name before: a link, or
 * a copy that no program starts from any more. */
static bool is_again(struct mm_reader *r, const struct root *from)
{
	struct mm_text text[2];
	const char *const dirs[] = {from->path, from->renamed};

	for (size_t i = 0; i < 2; i++)
		if (dirs[i] == NULL ||
		    mm_read_text(r, mm_home_path(r, mm_arena_printf(r->arena, "%s/profiles.ini", dirs[i])),
			&text[i], NULL) != 1)
			return false;
	return text[0].n == text[1].n && memcmp(text[0].p, text[1].p, text[0].n) == 0;
}

static int look_in(struct finder *f, const struct root *from, struct mm_err *err)
{
	const char *root = mm_home_path(f->r, from->path);
	struct listing l = {.n = 0};
	bool have = false;

	if (from->renamed != NULL && is_again(f->r, from))
		return 0;
	if (load(f->r, root, &l, err) != 0)
		return -1;
	for (size_t i = 0; i < l.n_installs; i++) {
		if (add_place(f, from, root, l.installs[i], true))
			have = true;
		else if (from->machine && f->unused == NULL)
			f->unused = l.installs[i];
	}
	for (size_t i = 0; i < l.n && l.n_installs == 0 && !have; i++)
		have = l.v[i].marked && add_place(f, from, root, l.v[i].dir, true);
	for (size_t i = 0; i < l.n && l.n_installs == 0 && !have; i++)
		have = add_place(f, from, root, l.v[i].dir, true);
	for (size_t i = 0; i < l.n; i++)
		add_place(f, from, root, l.v[i].dir, false);
	return 0;
}

/* ---- a profile of our own */

const char *mm_tb_install_section(struct mm_arena *a, const char *install_dir)
{
	size_t n = strlen(install_dir);
	unsigned char *utf16 = mm_arena_alloc(a, n + 1, 2);

	for (size_t i = 0; i < n; i++)
		utf16[2 * i] = (unsigned char)install_dir[i];
	return mm_arena_printf(a, "Install%llX", (unsigned long long)mm_cityhash64_v1(utf16, 2 * n));
}

static const char *install_dir(struct mm_reader *r)
{
	static const char *const dirs[] = {
	    "/usr/lib/thunderbird", "/usr/lib64/thunderbird", "/opt/thunderbird"};
	const char *const *names;
	struct mm_err err;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (r->list(r, dirs[i], &names, &err) == 1)
			return dirs[i];
	return dirs[0];
}

static const char *free_dir(struct mm_reader *r, const char *root)
{
	const char *dir = OWN_PROFILE ".default";

	for (int i = 2; mm_have_file(r, prefs_of(r->arena, root, dir)); i++)
		dir = mm_arena_printf(r->arena, OWN_PROFILE "-%d.default", i);
	return dir;
}

static void offer_new(struct finder *f)
{
	struct mm_arena *a = f->r->arena;
	struct mm_tb_profile *profile = mm_arena_alloc(a, 1, sizeof(*profile));
	const char **dirs = mm_arena_alloc(a, 3, sizeof(*dirs));
	struct mm_place p;

	*profile = (struct mm_tb_profile){.program = roots[0].program,
	    .root = mm_home_path(f->r, roots[0].path),
	    .machine = roots[0].machine,
	    .by_us = true,
	    .install = mm_tb_install_section(a, install_dir(f->r))};
	profile->dir = f->unused != NULL ? f->unused : free_dir(f->r, profile->root);
	p = make_place(f->r, profile);
	dirs[0] = profile->root;
	dirs[1] = mm_path_dir(a, p.path);
	p.extra_dirs = dirs;
	p.in_use = true;
	mm_add_place(a, &f->v, &f->n, &p);
}

static bool one_in_use(const struct finder *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].in_use)
			return true;
	return false;
}

static void used_first(struct finder *f)
{
	struct mm_place *v = mm_arena_alloc(f->r->arena, f->n + 1, sizeof(*v));
	size_t n = 0;

	for (int used = 1; used >= 0; used--)
		for (size_t i = 0; i < f->n; i++)
			if (f->v[i].in_use == (used == 1))
				v[n++] = f->v[i];
	f->v = v;
}

int mm_tb_find_places(
    struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	struct finder f = {.r = r};

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (look_in(&f, &roots[i], err) != 0)
			return -1;
	if (create && !one_in_use(&f) && r->program(r, "thunderbird"))
		offer_new(&f);
	used_first(&f);
	*places = f.v;
	*n = f.n;
	return 0;
}

/* ---- profiles.ini for it */

static const char *section_of(const struct mm_doc *d, const char *dir)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].kind == 'c' && is_profile_section(d->items[i].section) &&
		    mm_streq(get(d, d->items[i].section, "Path"), dir))
			return d->items[i].section;
	return NULL;
}

static bool has_section(const struct mm_doc *d, const char *section)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->items[i].section, section) == 0)
			return true;
	return false;
}

static void set(
    struct mm_edit_list *l, struct mm_arena *a, const char *section, const char *key, const char *value)
{
	mm_want_edit(l, a, MM_EDIT_SET, section, key, 's', value);
}

static void add_section(struct mm_edit_list *l, struct mm_arena *a, const char *section)
{
	mm_want_edit(l, a, MM_EDIT_SECTION_ADD, section, "", 's', NULL);
}

static void add_profile(struct mm_edit_list *l, struct mm_arena *a, const struct mm_doc *d, const char *dir)
{
	const char *section = "Profile0";

	for (int i = 1; has_section(d, section); i++)
		section = mm_arena_printf(a, "Profile%d", i);
	add_section(l, a, section);
	set(l, a, section, "Name", OWN_PROFILE);
	set(l, a, section, "IsRelative", dir[0] == '/' ? "0" : "1");
	set(l, a, section, "Path", dir);
}

int mm_tb_list_profile(
    struct mm_reader *r, const struct mm_tb_profile *p, struct mm_edits *out, struct mm_err *err)
{
	const char *install =
	    p->install != NULL ? p->install : mm_tb_install_section(r->arena, install_dir(r));
	struct mm_edit_list l = {.n = 0};
	struct mm_doc d;

	if (read_ini(r, p->root, "profiles.ini", &d, err) != 0)
		return -1;
	if (!has_section(&d, "General")) {
		add_section(&l, r->arena, "General");
		set(&l, r->arena, "General", "StartWithLastProfile", "1");
		set(&l, r->arena, "General", "Version", "2");
	}
	if (section_of(&d, p->dir) == NULL)
		add_profile(&l, r->arena, &d, p->dir);
	if (get(&d, install, "Default") == NULL) {
		add_section(&l, r->arena, install);
		set(&l, r->arena, install, "Default", p->dir);
	}
	mm_want_file(
	    out, r->arena, mm_arena_printf(r->arena, "%s/profiles.ini", p->root), &mm_format_ini, &l, 0644);
	return 0;
}
