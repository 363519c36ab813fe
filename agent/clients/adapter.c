#include "agent/clients/adapter.h"

#include <string.h>

const char *mm_home_path(struct mm_reader *r, const char *rel)
{
	return mm_arena_printf(r->arena, "%s/%s", r->home, rel);
}

static const char *below(struct mm_reader *r, const char *variable, const char *dflt, const char *rel)
{
	const char *xdg = r->env(r, variable);

	if (xdg != NULL && xdg[0] == '/')
		return mm_arena_printf(r->arena, "%s/%s", xdg, rel);
	return mm_arena_printf(r->arena, "%s/%s/%s", r->home, dflt, rel);
}

const char *mm_config_path(struct mm_reader *r, const char *rel)
{
	return below(r, "XDG_CONFIG_HOME", ".config", rel);
}

const char *mm_data_path(struct mm_reader *r, const char *rel)
{
	return below(r, "XDG_DATA_HOME", ".local/share", rel);
}

const char *mm_path_dir(struct mm_arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path)
		return "/";
	return mm_arena_strndup(a, path, (size_t)(slash - path));
}

int mm_read_text(struct mm_reader *r, const char *path, struct mm_text *out, struct mm_err *err)
{
	enum mm_file_trouble why = MM_FILE_OK;
	int rc = r->file(r, path, out, &why, err);

	if (rc < 0 && err != NULL && strstr(err->text, path) == NULL)
		mm_err_prefix(err, "%s", path);
	return rc;
}

bool mm_have_file(struct mm_reader *r, const char *path)
{
	struct mm_text t;
	enum mm_file_trouble why = MM_FILE_OK;

	return r->file(r, path, &t, &why, NULL) != 0;
}

bool mm_running(struct mm_reader *r, const char *comm)
{
	return r->running != NULL && r->running(r, comm);
}

void mm_want_edit(struct mm_edit_list *l, struct mm_arena *a, enum mm_edit_op op, const char *section,
    const char *key, char kind, const char *value)
{
	struct mm_edit *e = mm_arena_push(a, &l->v, &l->n, &l->cap, sizeof(*l->v));

	*e = (struct mm_edit){.op = op, .section = section, .key = key, .kind = kind, .value = value};
}

void mm_want_file(struct mm_edits *out, struct mm_arena *a, const char *path, const struct mm_format *format,
    const struct mm_edit_list *l, mode_t create_mode)
{
	struct mm_file_edit *v;

	if (l->n == 0)
		return;
	v = mm_arena_alloc(a, out->n + 1, sizeof(*v));
	if (out->n > 0)
		memcpy(v, out->files, out->n * sizeof(*v));
	v[out->n++] = (struct mm_file_edit){
	    .path = path, .format = format, .edits = l->v, .n = l->n, .create_mode = create_mode};
	out->files = v;
}

void mm_add_place(struct mm_arena *a, struct mm_place **v, size_t *n, const struct mm_place *p)
{
	struct mm_place *grown = mm_arena_alloc(a, *n + 1, sizeof(*grown));

	if (*n > 0)
		memcpy(grown, *v, *n * sizeof(*grown));
	grown[(*n)++] = *p;
	*v = grown;
}

const char *const mm_trap_kind_names[MM_TRAP_KIND_COUNT] = {
    [MM_TRAP_OTHER] = "other",
    [MM_TRAP_PASSWORD] = "password",
    [MM_TRAP_NO_VERIFY] = "no-verify",
    [MM_TRAP_CHAIN_ONLY] = "chain-only",
    [MM_TRAP_NO_DATES] = "no-dates",
    [MM_TRAP_EXCEPTION] = "exception",
    [MM_TRAP_CLEAR] = "cleartext",
    [MM_TRAP_OPPORTUNISTIC] = "opportunistic",
};

struct mm_trap *mm_add_trap(struct mm_arena *a, struct mm_view *view, enum mm_trap_kind kind,
    const char *path, int line, const char *text)
{
	struct mm_trap *v = mm_arena_alloc(a, view->n_traps + 1, sizeof(*v));

	if (view->n_traps > 0)
		memcpy(v, view->traps, view->n_traps * sizeof(*v));
	v[view->n_traps] = (struct mm_trap){.kind = kind, .path = path, .line = line, .text = text};
	view->traps = v;
	return &v[view->n_traps++];
}
