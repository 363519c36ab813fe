#include "agent/modes.h"

#include "agent/clients/adapter.h"
#include "common/text.h"

struct files {
	struct mm_reader *r;
	struct mm_config_file *v;
	size_t n, cap;
};

static struct mm_config_file *file(struct files *f, const char *path)
{
	for (size_t i = 0; i < f->n; i++)
		if (mm_streq(f->v[i].path, path))
			return &f->v[i];
	struct mm_config_file *x = mm_arena_push(f->r->arena, &f->v, &f->n, &f->cap, sizeof(*f->v));
	*x = (struct mm_config_file){.path = path};
	return x;
}

static void gather(struct files *f, const struct mm_place *p, const struct mm_view *view)
{
	file(f, p->path);
	for (size_t i = 0; i < view->n; i++)
		for (int s = 0; s < MM_SET_COUNT; s++)
			if (view->accounts[i].s[s].path != NULL)
				file(f, view->accounts[i].s[s].path);
	for (size_t i = 0; i < view->n_traps; i++)
		if (view->traps[i].path != NULL)
			file(f, view->traps[i].path)->secret |= view->traps[i].kind == MM_TRAP_PASSWORD;
}

const struct mm_config_file *mm_modes_files(
    struct mm_reader *r, const struct mm_place *p, const struct mm_view *view, size_t *n)
{
	struct files f = {.r = r};
	gather(&f, p, view);
	*n = f.n;
	return f.v;
}

void mm_modes_look(struct mm_reader *r, const struct mm_place *p, struct mm_view *view)
{
	struct files f = {.r = r};
	struct stat st;
	gather(&f, p, view);
	for (size_t i = 0; i < f.n; i++) {
		if (!mm_reader_stat(r, f.v[i].path, &st))
			continue;
		unsigned mode = (unsigned)st.st_mode & 07777u;
		if ((mode & 022u) != 0)
			mm_add_trap(r->arena, view, MM_TRAP_OTHER, f.v[i].path, 0,
			    mm_arena_printf(r->arena,
				"Others may write to this file (mode %04o), and so direct the mail "
				"elsewhere.",
				mode));
		if (f.v[i].secret && (mode & 044u) != 0)
			mm_add_trap(r->arena, view, MM_TRAP_OTHER, f.v[i].path, 0,
			    mm_arena_printf(r->arena,
				"Others may read this file (mode %04o), in which a password stands.", mode));
	}
}
