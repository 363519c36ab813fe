#include "agent/clients/keys.h"

#include <string.h>

#include "agent/clients/sh.h"
#include "common/text.h"

const struct mm_word mm_words_yes_no[] = {{"yes", "yes"}, {"no", "no"}, {"on", "yes"}, {"off", "no"},
    {"true", "yes"}, {"false", "no"}, {"1", "yes"}, {"0", "no"}, {NULL, NULL}};

const char *mm_word_canon(const struct mm_word *w, const char *native)
{
	for (; w->native != NULL; w++)
		if (mm_streq_nocase(w->native, native))
			return w->canon;
	return NULL;
}

const char *mm_word_native(const struct mm_word *w, const char *canon)
{
	for (; w->native != NULL; w++)
		if (mm_streq(w->canon, canon))
			return w->native;
	return NULL;
}

struct mm_native mm_get_in_section(const void *ctx, const char *key)
{
	const struct mm_in_section *in = ctx;
	const struct mm_item *it = mm_doc_find(in->doc, in->section, key);

	if (it == NULL)
		return (struct mm_native){.text = NULL};
	return (struct mm_native){.text = it->value, .path = in->path, .line = it->line};
}

void mm_see(struct mm_seen_account *acc, enum mm_setting s, struct mm_native v, const char *value)
{
	acc->s[s].value = value;
	acc->s[s].from_default = v.text == NULL && value != NULL;
	acc->s[s].path = v.text != NULL ? v.path : NULL;
	acc->s[s].line = v.text != NULL ? v.line : 0;
}

static const char *canonical(const struct mm_key *k, const char *text, struct mm_arena *a)
{
	for (const struct mm_word *w = k->words; w != NULL && w->native != NULL; w++)
		if (mm_streq_nocase(w->native, text))
			return w->canon;
	if (text[0] == '\0')
		return k->dflt;
	return k->shell ? mm_sh_argv(text, a) : text;
}

void mm_keys_see(const struct mm_key *keys, size_t n, mm_key_get *get, const void *ctx, struct mm_arena *a,
    struct mm_seen_account *acc)
{
	for (size_t i = 0; i < n; i++) {
		struct mm_native v = get(ctx, keys[i].key);

		mm_see(acc, keys[i].s, v, v.text != NULL ? canonical(&keys[i], v.text, a) : keys[i].dflt);
	}
}

void mm_see_over(struct mm_seen *seen, struct mm_native by, const char *name, const char *note)
{
	seen->over_path = by.path;
	seen->over_line = by.line;
	seen->over_by = name;
	seen->note = note;
}

void mm_see_all_over(struct mm_seen_account *acc, struct mm_native by, const char *name)
{
	for (enum mm_setting s = 0; s < MM_SET_COUNT; s++) {
		enum mm_side side = mm_setting_def(s)->side;
		bool has = side == MM_SIDE_INCOMING   ? acc->has_incoming
			   : side == MM_SIDE_OUTGOING ? acc->has_outgoing
						      : acc->has_incoming == acc->has_outgoing;

		if (has || acc->s[s].value != NULL)
			mm_see_over(&acc->s[s], by, name, NULL);
	}
}

void mm_see_unsure(struct mm_seen *seen, struct mm_native at, const char *why)
{
	seen->unsure_path = at.path;
	seen->unsure_line = at.line;
	seen->unsure_why = why;
	seen->unsure_open = false;
}

struct mm_trap *mm_trap_of(struct mm_arena *a, struct mm_view *out, enum mm_trap_kind kind,
    struct mm_native at, const struct mm_seen_account *acc, const char *text)
{
	struct mm_trap *t =
	    mm_add_trap(a, out, kind, at.path, at.line, mm_arena_printf(a, "'%s' %s", acc->label, text));

	t->key = acc->key;
	return t;
}

void mm_trap_deletes(
    struct mm_arena *a, struct mm_view *out, const struct mm_seen_account *acc, const char *path)
{
	const struct mm_seen *leave = &acc->s[MM_SET_IN_LEAVE_ON_SERVER];
	struct mm_native at = {.path = leave->path != NULL ? leave->path : path, .line = leave->line};

	if (mm_streq(acc->s[MM_SET_IN_PROTOCOL].value, "pop3") && mm_streq(leave->value, "no"))
		mm_trap_of(a, out, MM_TRAP_OTHER, at, acc, "deletes fetched mail from the server.");
}

void mm_trap_exception(struct mm_arena *a, struct mm_view *out, struct mm_native at, const char *host)
{
	for (size_t i = 0; i < out->n; i++) {
		const struct mm_seen_account *acc = &out->accounts[i];

		if (mm_streq_nocase(acc->s[MM_SET_IN_HOST].value, host) ||
		    mm_streq_nocase(acc->s[MM_SET_OUT_HOST].value, host))
			mm_trap_of(a, out, MM_TRAP_EXCEPTION, at, acc,
			    mm_arena_printf(a,
				"takes a certificate of %s that fails verification, by an exception that was "
				"stored.",
				host))
			    ->endpoint = host;
	}
}

void mm_trap_accepted(
    struct mm_reader *r, struct mm_view *out, const char *path, const char *mark, const char *label)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_text t;

	if (out->n > 0 && mm_read_text(r, path, &t, &err) == 1 &&
	    memmem(t.p, t.n, mark, strlen(mark)) != NULL)
		mm_add_trap(r->arena, out, MM_TRAP_EXCEPTION, path, 0,
		    mm_arena_printf(r->arena,
			"%s takes certificates that fail verification, by exceptions that were stored here.",
			label));
}

void mm_trap_kept(
    struct mm_reader *r, struct mm_view *out, const char *path, const char *mark, const char *label)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_text t;

	if (out->n > 0 && mm_read_text(r, path, &t, &err) == 1 &&
	    memmem(t.p, t.n, mark, strlen(mark)) != NULL)
		mm_add_trap(r->arena, out, MM_TRAP_PASSWORD, path, 0,
		    mm_arena_printf(r->arena, "%s keeps passwords in clear text in this file.", label));
}

void mm_want_set(
    struct mm_edit_list *l, struct mm_arena *a, const char *section, const char *key, const char *value)
{
	if (value != NULL)
		mm_want_edit(l, a, MM_EDIT_SET, section, key, 's', value);
}

static const char *native(const struct mm_key *k, const char *value, struct mm_arena *a, struct mm_err *err)
{
	const char *word = k->words != NULL ? mm_word_native(k->words, value) : NULL;

	if (word != NULL)
		return word;
	return k->shell ? mm_sh_line(value, a, err) : value;
}

int mm_keys_want(const struct mm_key *keys, size_t n, const struct mm_values *want, const char *section,
    struct mm_edit_list *l, struct mm_arena *a, struct mm_err *err)
{
	for (size_t i = 0; i < n; i++) {
		char kind = keys[i].kind != 0 ? keys[i].kind : 's';
		const char *value = want->v[keys[i].s], *text;

		if (value == NULL)
			continue;
		text = native(&keys[i], value, a, err);
		if (text == NULL)
			return -1;
		mm_want_edit(l, a, MM_EDIT_SET, section, keys[i].key, kind, text);
		if (keys[i].also != NULL)
			mm_want_edit(l, a, MM_EDIT_SET, section, keys[i].also, kind, text);
	}
	return 0;
}

bool mm_among(const char *list, const char *value)
{
	size_t n = strlen(value);

	for (const char *p = list; *p != '\0'; p += strspn(p, " ")) {
		size_t k = strcspn(p, " ");

		if (k == n && memcmp(p, value, n) == 0)
			return true;
		p += k;
	}
	return false;
}

const char *mm_cannot(const struct mm_cannot *rows, enum mm_setting s, const char *value)
{
	for (; rows->why != NULL; rows++)
		if (rows->s == s && (rows->only == NULL || !mm_among(rows->only, value)))
			return rows->why;
	return NULL;
}

int mm_find_first(struct mm_reader *r, const char *program, const char *const *paths, size_t n_paths,
    const char *fresh, bool create, struct mm_place **places, size_t *n)
{
	*places = NULL;
	*n = 0;
	for (size_t i = 0; i < n_paths; i++) {
		struct mm_place p = {.path = paths[i], .label = "", .exists = true, .in_use = *n == 0};

		if (mm_have_file(r, paths[i]))
			mm_add_place(r->arena, places, n, &p);
	}
	if (*n == 0 && create && r->program(r, program)) {
		struct mm_place p = {.path = fresh, .label = "", .in_use = true};

		mm_add_place(r->arena, places, n, &p);
	}
	return 0;
}

const char *mm_free_name(
    const char *name, bool (*taken)(const void *ctx, const char *name), const void *ctx, struct mm_arena *a)
{
	const char *try = name;

	for (int i = 2; taken(ctx, try); i++)
		try = mm_arena_printf(a, "%s-%d", name, i);
	return try;
}

int mm_load_doc(
    struct mm_reader *r, const char *path, const struct mm_format *f, struct mm_doc *out, struct mm_err *err)
{
	struct mm_text t;
	int rc = mm_read_text(r, path, &t, err);

	*out = (struct mm_doc){.items = NULL, .n = 0, .eol = "\n"};
	if (rc <= 0)
		return rc;
	if (f->parse(t, r->arena, out, err) != 0)
		return mm_err_prefix(err, "%s", path);
	return 0;
}

const struct mm_seen_account *mm_seen_named(const struct mm_view *view, const char *key)
{
	for (size_t i = 0; view != NULL && i < view->n; i++)
		if (mm_streq(view->accounts[i].key, key))
			return &view->accounts[i];
	return NULL;
}

int mm_read_sections(struct mm_reader *r, const struct mm_place *p, const struct mm_sections *how,
    struct mm_doc *doc, struct mm_view *out, struct mm_err *err)
{
	*out = (struct mm_view){0};
	if (mm_load_doc(r, p->path, how->format, doc, err) != 0)
		return -1;
	out->accounts = mm_arena_alloc(r->arena, doc->n + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < doc->n; i++) {
		const struct mm_item *it = &doc->items[i];
		struct mm_in_section in = {.doc = doc, .section = it->section, .path = p->path};

		if (it->kind == 'c' && mm_seen_named(out, it->section) == NULL && how->is_account(doc, it))
			how->see(&out->accounts[out->n++], &in, r->arena, out);
	}
	return 0;
}
