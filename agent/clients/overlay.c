#include "agent/clients/overlay.h"

#include <string.h>

#include "agent/clients/adapter.h"
#include "common/text.h"

struct mm_overlay {
	struct mm_reader reader;
	struct mm_reader *below;
	struct mm_overlay_file *v;
	size_t n, cap;
};

static struct mm_overlay_file *find(const struct mm_overlay *o, const char *path)
{
	for (size_t i = 0; i < o->n; i++)
		if (mm_streq(o->v[i].path, path))
			return &o->v[i];
	return NULL;
}

static int over_file(
    struct mm_reader *r, const char *path, struct mm_text *out, enum mm_file_trouble *why, struct mm_err *err)
{
	struct mm_overlay *o = r->ctx;
	const struct mm_overlay_file *f = find(o, path);

	if (f == NULL)
		return o->below->file(o->below, path, out, why, err);
	if (f->after.p == NULL) {
		if (why != NULL)
			*why = MM_FILE_ABSENT;
		return 0;
	}
	*out = f->after;
	return 1;
}

/* Under which name does `dir` hold `path`, or the folder that it is in? */
static const char *name_in(const char *dir, const char *path, struct mm_arena *a)
{
	size_t n = strlen(dir);

	if (strncmp(dir, path, n) != 0 || path[n] != '/')
		return NULL;
	return mm_arena_strndup(a, path + n + 1, strcspn(path + n + 1, "/"));
}

static bool has_name(const char *const *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i], name) == 0)
			return true;
	return false;
}

static void insert(const char **v, size_t *n, const char *name)
{
	size_t i = *n;

	for (; i > 0 && strcmp(v[i - 1], name) > 0; i--)
		v[i] = v[i - 1];
	v[i] = name;
	(*n)++;
}

static int over_list(struct mm_reader *r, const char *path, const char *const **names, struct mm_err *err)
{
	struct mm_overlay *o = r->ctx;
	const char *const *below = NULL;
	int rc = o->below->list(o->below, path, &below, err);
	size_t n = 0, used = 0;
	const char **v;

	if (rc < 0)
		return rc;
	while (rc == 1 && below[n] != NULL)
		n++;
	v = mm_arena_alloc(r->arena, n + o->n + 1, sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		const struct mm_overlay_file *f = find(o, mm_arena_printf(r->arena, "%s/%s", path, below[i]));

		if (f == NULL || f->after.p != NULL)
			v[used++] = below[i];
	}
	for (size_t i = 0; i < o->n; i++) {
		const char *name = name_in(path, o->v[i].path, r->arena);

		if (name != NULL && o->v[i].after.p != NULL && !has_name(v, used, name)) {
			insert(v, &used, name);
			rc = 1;
		}
	}
	v[used] = NULL;
	*names = v;
	return rc;
}

static const char *over_env(struct mm_reader *r, const char *name)
{
	struct mm_overlay *o = r->ctx;

	return o->below->env(o->below, name);
}

static bool over_program(struct mm_reader *r, const char *name)
{
	struct mm_overlay *o = r->ctx;

	return o->below->program(o->below, name);
}

static bool over_locked(struct mm_reader *r, const char *path)
{
	struct mm_overlay *o = r->ctx;

	return o->below->locked(o->below, path);
}

static bool over_running(struct mm_reader *r, const char *comm)
{
	struct mm_overlay *o = r->ctx;

	return mm_running(o->below, comm);
}

struct mm_overlay *mm_overlay_new(struct mm_reader *below)
{
	struct mm_overlay *o = mm_arena_alloc(below->arena, 1, sizeof(*o));

	o->below = below;
	o->reader = (struct mm_reader){
	    .arena = below->arena,
	    .login = below->login,
	    .home = below->home,
	    .file = over_file,
	    .list = over_list,
	    .env = over_env,
	    .program = over_program,
	    .locked = over_locked,
	    .running = over_running,
	    .ctx = o,
	};
	return o;
}

struct mm_reader *mm_overlay_reader(struct mm_overlay *o)
{
	return &o->reader;
}

static struct mm_overlay_file *touch(struct mm_overlay *o, const char *path)
{
	struct mm_overlay_file *f = find(o, path);

	if (f != NULL)
		return f;
	f = mm_arena_push(o->reader.arena, &o->v, &o->n, &o->cap, sizeof(*o->v));
	*f = (struct mm_overlay_file){.path = mm_arena_strdup(o->reader.arena, path)};
	return f;
}

static int edit_one(
    struct mm_overlay *o, const struct mm_file_edit *e, struct mm_text *out, struct mm_err *err)
{
	struct mm_arena *a = o->reader.arena;
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	struct mm_text in = {.p = "", .n = 0};
	enum mm_file_trouble why = MM_FILE_OK;
	int rc = o->reader.file(&o->reader, e->path, &in, &why, err);

	if (rc < 0)
		return mm_err_prefix(err, "%s", e->path);
	if (rc == 0) {
		if (e->create_mode == 0)
			return mm_err_set(err, MM_EX_FAILED, "%s is not there", e->path);
		in = (struct mm_text){.p = "", .n = 0};
	}
	rc = e->format->edit(in, e->edits, e->n, a, &b, err);
	if (rc == 0)
		*out = (struct mm_text){
		    .p = b.len > 0 ? mm_arena_strndup(a, mm_buf_str(&b), b.len) : "", .n = b.len};
	mm_buf_free(&b);
	return rc == 0 ? 0 : mm_err_prefix(err, "%s", e->path);
}

static int before(struct mm_overlay *o, const char *path, struct mm_text *out, struct mm_err *err)
{
	enum mm_file_trouble why = MM_FILE_OK;
	int rc = o->below->file(o->below, path, out, &why, err);

	if (rc == 0)
		*out = (struct mm_text){0};
	return rc < 0 ? -1 : 0;
}

static int apply_file(struct mm_overlay *o, const struct mm_file_edit *e, struct mm_err *err)
{
	struct mm_text after, was = {0};
	struct mm_overlay_file *f;

	if (edit_one(o, e, &after, err) != 0 || before(o, e->path, &was, err) != 0)
		return -1;
	f = find(o, e->path);
	if (f == NULL) {
		if (was.p == NULL && after.n == 0)
			return 0; /* nothing came into being */
		f = touch(o, e->path);
		f->before = was;
	}
	f->after = after;
	if (e->create_mode != 0)
		f->create_mode = e->create_mode;
	return 0;
}

int mm_overlay_apply(struct mm_overlay *o, struct mm_edits *e, struct mm_err *err)
{
	size_t n = o->n;
	struct mm_overlay_file *saved = mm_arena_alloc(o->reader.arena, n + 1, sizeof(*saved));

	if (n > 0)
		memcpy(saved, o->v, n * sizeof(*saved));
	for (size_t i = 0; i < e->n; i++)
		if (apply_file(o, &e->files[i], err) != 0) {
			if (n > 0)
				memcpy(o->v, saved, n * sizeof(*saved));
			o->n = n;
			return -1;
		}
	return 0;
}

void mm_overlay_put(struct mm_overlay *o, const char *path, struct mm_text text, mode_t create_mode)
{
	struct mm_overlay_file *f = find(o, path);
	struct mm_err err;

	if (f == NULL) {
		struct mm_text was = {0};

		if (before(o, path, &was, &err) != 0)
			was = (struct mm_text){0};
		f = touch(o, path);
		f->before = was;
	}
	f->after = text;
	f->create_mode = create_mode;
}

static bool differs(const struct mm_overlay_file *f)
{
	if ((f->before.p == NULL) != (f->after.p == NULL) || f->before.n != f->after.n)
		return true;
	return f->before.p != NULL && f->after.p != NULL && f->before.n > 0 &&
	       memcmp(f->before.p, f->after.p, f->before.n) != 0;
}

const struct mm_overlay_file *mm_overlay_files(const struct mm_overlay *o, size_t *n)
{
	struct mm_overlay_file *v = mm_arena_alloc(o->reader.arena, o->n + 1, sizeof(*v));

	*n = 0;
	for (size_t i = 0; i < o->n; i++)
		if (differs(&o->v[i]))
			v[(*n)++] = o->v[i];
	return v;
}
