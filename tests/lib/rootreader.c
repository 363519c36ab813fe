#include "tests/lib/rootreader.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/text.h"

struct root {
	const char *path;
};

int mm_slurp(const char *path, struct mm_arena *a, struct mm_text *out)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	char *p;

	if (f == NULL)
		return 0;
	if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode)) {
		fclose(f);
		return 0;
	}
	p = mm_arena_alloc(a, (size_t)st.st_size + 1, 1);
	*out = (struct mm_text){.p = p, .n = fread(p, 1, (size_t)st.st_size, f)};
	fclose(f);
	return 1;
}

static const char *under(struct mm_reader *r, const char *path)
{
	const struct root *root = r->ctx;

	return mm_arena_printf(r->arena, "%s%s", root->path, path);
}

static int root_file(
    struct mm_reader *r, const char *path, struct mm_text *out, enum mm_file_trouble *why, struct mm_err *err)
{
	const char *real = under(r, path);
	int rc = mm_slurp(real, r->arena, out);

	if (rc == 0 && access(real, F_OK) == 0) {
		*why = MM_FILE_TYPE;
		return mm_err_set(err, MM_EX_FAILED, "%s is not a regular file", path);
	}
	*why = rc == 1 ? MM_FILE_OK : MM_FILE_ABSENT;
	return rc;
}

static int by_name(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static int root_list(struct mm_reader *r, const char *path, const char *const **names, struct mm_err *err)
{
	DIR *d = opendir(under(r, path));
	const char **v = NULL;
	size_t n = 0, cap = 0;
	struct dirent *e;

	(void)err;
	if (d == NULL)
		return 0;
	while ((e = readdir(d)) != NULL)
		if (!mm_streq(e->d_name, ".") && !mm_streq(e->d_name, ".."))
			*(const char **)mm_arena_push(r->arena, &v, &n, &cap, sizeof(*v)) =
			    mm_arena_strdup(r->arena, e->d_name);
	closedir(d);
	if (n > 0)
		qsort(v, n, sizeof(*v), by_name);
	*(const char **)mm_arena_push(r->arena, &v, &n, &cap, sizeof(*v)) = NULL;
	*names = (const char *const *)v;
	return 1;
}

static const char *root_env(struct mm_reader *r, const char *name)
{
	struct mm_text t;
	size_t len = strlen(name);

	if (mm_slurp(under(r, "/env"), r->arena, &t) != 1)
		return NULL;
	for (const char *p = t.p; *p != '\0'; p += strcspn(p, "\n"), p += *p == '\n')
		if (strncmp(p, name, len) == 0 && p[len] == '=')
			return mm_arena_strndup(r->arena, p + len + 1, strcspn(p + len + 1, "\n"));
	return NULL;
}

static bool root_program(struct mm_reader *r, const char *name)
{
	return access(under(r, mm_arena_printf(r->arena, "/usr/bin/%s", name)), F_OK) == 0;
}

static bool root_locked(struct mm_reader *r, const char *path)
{
	return access(under(r, mm_arena_printf(r->arena, "%s.locked", path)), F_OK) == 0;
}

/* An empty file below /running stands for a process. */
static bool root_running(struct mm_reader *r, const char *comm)
{
	return access(under(r, mm_arena_printf(r->arena, "/running/%s", comm)), F_OK) == 0;
}

struct mm_reader *mm_rootreader_new(struct mm_arena *a, const char *root, const char *login, const char *home)
{
	struct mm_reader *r = mm_arena_alloc(a, 1, sizeof(*r));
	struct root *ctx = mm_arena_alloc(a, 1, sizeof(*ctx));

	ctx->path = mm_arena_strdup(a, root);
	*r = (struct mm_reader){
	    .arena = a,
	    .login = login,
	    .home = home,
	    .file = root_file,
	    .list = root_list,
	    .env = root_env,
	    .program = root_program,
	    .locked = root_locked,
	    .running = root_running,
	    .ctx = ctx,
	};
	return r;
}
