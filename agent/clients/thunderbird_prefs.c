#include <stdlib.h>
#include <string.h>

#include "agent/clients/thunderbird.h"
#include "agent/formats/prefsjs.h"
#include "common/json.h"
#include "common/text.h"

#define MACHINE_PREFS "/etc/thunderbird/pref"
static const char *const machine_dirs[] = {"/usr/lib/thunderbird/defaults/pref",
    "/usr/lib64/thunderbird/defaults/pref", "/opt/thunderbird/defaults/pref", MACHINE_PREFS, NULL};
/* The first that exists counts. */
static const char *const policy_files[] = {"/etc/thunderbird/policies/policies.json",
    "/usr/lib/thunderbird/distribution/policies.json", "/usr/lib64/thunderbird/distribution/policies.json",
    "/opt/thunderbird/distribution/policies.json", NULL};

struct loader {
	struct mm_reader *r;
	struct mm_tb_prefs *t;
	size_t cap;
	struct mm_view *view; /* may be NULL */
};

static void trap(struct loader *l, const char *path, int line, const char *text)
{
	if (l->view != NULL)
		mm_add_trap(l->r->arena, l->view, MM_TRAP_OTHER, path, line, text);
}

static bool is_relevant(const char *key)
{
	return mm_starts_with(key, "mail.") || mm_starts_with(key, "security.tls.version.") ||
	       mm_starts_with(key, "network.proxy.") || strcmp(key, "general.config.filename") == 0;
}

static void add(struct loader *l, const struct mm_tb_pref *p)
{
	struct mm_tb_pref *to;

	if (!is_relevant(p->key))
		return;
	to = mm_arena_push(l->r->arena, &l->t->v, &l->t->n, &l->cap, sizeof(*l->t->v));
	*to = *p;
}

/* ---- files of preferences */

static void take(struct loader *l, const struct mm_doc *d, const char *path, enum mm_tb_layer user)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct mm_item *it = &d->items[i];
		enum mm_tb_layer layer = it->section[0] == '\0'            ? user
					 : mm_streq(it->section, "locked") ? MM_TB_LOCKED
									   : MM_TB_DEFAULT;

		add(l, &(struct mm_tb_pref){it->key, it->value, it->kind, layer, path, it->line});
	}
}

static int take_file(struct loader *l, const char *path, enum mm_tb_layer layer, struct mm_err *err)
{
	struct mm_text text;
	struct mm_doc d;
	int rc = mm_read_text(l->r, path, &text, err);

	if (rc <= 0)
		return rc;
	if (mm_format_prefsjs.parse(text, l->r->arena, &d, err) != 0)
		return mm_err_prefix(err, "%s", path);
	take(l, &d, path, layer);
	return 0;
}

/* An error in a file of the machine costs Thunderbird a statement and never
 * the start; what is lost in it we cannot say, and we do not stop for it. */
static void take_machine_file(struct loader *l, const char *path)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_text text;
	struct mm_doc d;
	int rc = mm_read_text(l->r, path, &text, &err);

	if (rc == 0)
		return;
	if (rc < 0 || mm_prefsjs_parse_defaults(text, l->r->arena, &d, &err) != 0)
		trap(l, path, 0,
		    mm_arena_printf(l->r->arena,
			"Settings of this machine for all users could not be read, and may win: %s",
			err.text));
	else
		take(l, &d, path, MM_TB_DEFAULT);
}

static void take_machine_dir(struct loader *l, const char *dir)
{
	const char *const *names;
	struct mm_err err;

	if (l->r->list(l->r, dir, &names, &err) != 1)
		return;
	for (; *names != NULL; names++)
		if (mm_ends_with(*names, ".js"))
			take_machine_file(l, mm_arena_printf(l->r->arena, "%s/%s", dir, *names));
}

/* ---- policies.json */

static bool has_int(const struct mm_tb_prefs *t, const char *key)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].kind == 'i' && strcmp(t->v[i].key, key) == 0)
			return true;
	return false;
}

/* The policy engine makes 0 and 1 a bool where no integer stands yet. */
static bool policy_value(const struct loader *l, const char *key, const json_t *v, struct mm_tb_pref *p)
{
	struct mm_arena *a = l->r->arena;
	json_int_t i = json_integer_value(v);

	if (json_is_string(v)) {
		p->kind = 's';
		p->value = mm_arena_strdup(a, json_string_value(v));
	} else if (json_is_boolean(v) || (json_is_integer(v) && (i == 0 || i == 1) && !has_int(l->t, key))) {
		p->kind = 'b';
		p->value = json_is_true(v) || i == 1 ? "true" : "false";
	} else if (json_is_integer(v)) {
		p->kind = 'i';
		p->value = mm_arena_printf(a, "%lld", (long long)i);
	}
	return p->value != NULL;
}

static void take_policy(struct loader *l, const char *path, const char *key, const json_t *rule)
{
	struct mm_tb_pref p = {.key = mm_arena_strdup(l->r->arena, key), .path = path, .kind = 's'};
	const char *status = json_string_value(json_object_get(rule, "Status"));

	if (mm_streq(status, "clear")) {
		p.layer = MM_TB_POLICY;
	} else {
		p.layer = mm_streq(status, "locked") ? MM_TB_LOCKED
			  : mm_streq(status, "user") ? MM_TB_POLICY
						     : MM_TB_DEFAULT;
		if (!policy_value(l, key, json_object_get(rule, "Value"), &p))
			return;
	}
	add(l, &p);
}

static void take_policies(struct loader *l)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_text text = {.p = NULL};
	const char *path = NULL;
	json_t *doc, *rules;
	int rc = 0;

	for (size_t i = 0; rc == 0 && policy_files[i] != NULL; i++) {
		path = policy_files[i];
		rc = mm_read_text(l->r, path, &text, &err);
	}
	if (rc == 0)
		return;
	doc = rc < 0 ? NULL : mm_json_load("policies.json", text.p, text.n, &err);
	if (doc == NULL)
		trap(l, path, 0,
		    mm_arena_printf(
			l->r->arena, "Thunderbird ignores all policies of this file: %s", err.text));
	rules = json_object_get(json_object_get(doc, "policies"), "Preferences");
	for (void *i = json_object_iter(rules); i != NULL; i = json_object_iter_next(rules, i))
		take_policy(l, path, json_object_iter_key(i), json_object_iter_value(i));
	json_decref(doc);
}

/* ---- which value wins */

static int compare(const void *x, const void *y)
{
	const struct mm_tb_pref *a = x, *b = y;
	int by_key = strcmp(a->key, b->key);

	if (by_key != 0)
		return by_key;
	if (a->layer != b->layer)
		return a->layer < b->layer ? -1 : 1;
	return 0;
}

/* A merge sort, since the last of several equal statements wins. */
static void sort(struct mm_tb_pref *v, struct mm_tb_pref *spare, size_t n)
{
	size_t half = n / 2, i = 0, j = half, k = 0;

	if (n < 2)
		return;
	sort(v, spare, half);
	sort(v + half, spare, n - half);
	while (i < half || j < n)
		spare[k++] = j == n || (i < half && compare(&v[i], &v[j]) <= 0) ? v[i++] : v[j++];
	memcpy(v, spare, n * sizeof(*v));
}

static void settle(struct mm_tb_prefs *t)
{
	size_t n = 0;

	sort(t->v, mm_arena_alloc(t->a, t->n + 1, sizeof(*t->v)), t->n);
	for (size_t i = 0; i < t->n; i++)
		if (i + 1 == t->n || strcmp(t->v[i].key, t->v[i + 1].key) != 0)
			t->v[n++] = t->v[i];
	t->n = n;
}

static void look_for_traps(struct loader *l)
{
	static const char *const lists[] = {"mail.accountmanager.accounts", "mail.smtpservers", NULL};
	const struct mm_tb_pref *p = mm_tb_find(l->t, "general.config.filename");

	if (p != NULL && !mm_streq(p->value, MM_TB_OWN_SCRIPT))
		trap(l, p->path, p->line,
		    "A configuration script (general.config.filename) may set what it likes at each start; "
		    "it is not run to find out.");
	for (size_t i = 0; lists[i] != NULL; i++) {
		p = mm_tb_find(l->t, lists[i]);
		if (p != NULL && p->layer == MM_TB_USERJS)
			trap(l, p->path, p->line,
			    mm_arena_printf(l->r->arena,
				"%s stands in user.js: accounts that are added get lost at the next start.",
				lists[i]));
	}
}

int mm_tb_load(struct mm_reader *r, const char *prefs_path, bool machine, struct mm_tb_prefs *out,
    struct mm_view *view, struct mm_err *err)
{
	struct mm_tb_prefs t = {.a = r->arena};
	struct loader l = {.r = r, .t = &t, .view = view};
	const char *userjs = mm_arena_printf(r->arena, "%s/user.js", mm_path_dir(r->arena, prefs_path));

	for (size_t i = 0; machine && machine_dirs[i] != NULL; i++)
		take_machine_dir(&l, machine_dirs[i]);
	if (take_file(&l, prefs_path, MM_TB_PREFS, err) != 0 || take_file(&l, userjs, MM_TB_USERJS, err) != 0)
		return -1;
	if (machine)
		take_policies(&l);
	settle(&t);
	look_for_traps(&l);
	*out = t;
	return 0;
}

/* ---- asking */

size_t mm_tb_first(const struct mm_tb_prefs *t, const char *prefix)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(t->v[mid].key, prefix) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct mm_tb_pref *mm_tb_find(const struct mm_tb_prefs *t, const char *key)
{
	size_t i = mm_tb_first(t, key);

	return i < t->n && strcmp(t->v[i].key, key) == 0 ? &t->v[i] : NULL;
}

const char *mm_tb_text(const struct mm_tb_prefs *t, const char *key)
{
	const struct mm_tb_pref *p = mm_tb_find(t, key);

	return p != NULL && p->kind == 's' && p->value != NULL ? p->value : "";
}

const char *mm_tb_layer_name(enum mm_tb_layer l)
{
	static const char *const names[] = {[MM_TB_DEFAULT] = "a default of this machine",
	    [MM_TB_PREFS] = "prefs.js",
	    [MM_TB_USERJS] = "user.js",
	    [MM_TB_POLICY] = "a policy of this machine",
	    [MM_TB_LOCKED] = "a locked preference"};

	return names[l];
}
