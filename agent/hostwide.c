#include "agent/hostwide.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/sandbox.h"
#include "common/text.h"

#define WRITE_PATHS_MAX 64

bool mm_is_hostwide(const struct mm_identity *who)
{
	return mm_streq(who->login, MM_SYSTEM_USER);
}

struct mm_identity mm_hostwide_identity(void)
{
	return (struct mm_identity){.login = MM_SYSTEM_USER, .uid = 0, .gid = 0, .home = "/"};
}

const char *mm_hostwide_state(const struct mm_conf *c, struct mm_arena *a)
{
	return mm_arena_printf(a, "%s/system", c->state_dir);
}

struct mm_sheet mm_hostwide_nothing(int64_t revision)
{
	return (struct mm_sheet){.user = MM_SYSTEM_USER,
	    .revision = revision,
	    .create = MM_CREATE_NEVER,
	    .tls_min = "1.2",
	    .check = MM_LEVEL_REACH};
}

void mm_hostwide_place(struct mm_place_run *p, struct mm_reader *r, const char *client)
{
	p->base = p->reader = r;
	if (!mm_is_hostwide(p->c->who))
		return;
	p->route = mm_route_by_name(client);
	p->reader = mm_route_reader(p->route, r);
}

/* ---- what may be written */

static bool is_below(const char *dir, const char *path)
{
	size_t n = strlen(dir);
	return strncmp(dir, path, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static int not_only_root(const char *what, enum mm_file_trouble *why, struct mm_err *err)
{
	*why = MM_FILE_OWNER;
	return mm_err_set(err, MM_EX_FAILED, "%s can be changed by others than root", what);
}

/* What is there of the path, from the top; the rest will be made by us. */
static int check_way(const char *path, enum mm_file_trouble *why, struct mm_err *err)
{
	char part[4096];
	struct stat st;
	size_t n = strlen(path);
	if (n >= sizeof(part))
		return mm_err_set(err, MM_EX_FAILED, "%s: the path is too long", path);
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (stat(part, &st) != 0)
			return errno == ENOENT ? 0 : mm_err_sys(err, MM_EX_FAILED, "%s", part);
		if (st.st_uid != 0 || (st.st_mode & 022) != 0)
			return not_only_root(part, why, err);
	}
	return 0;
}

int mm_hostwide_may_write(
    const struct mm_place_run *p, const char *path, enum mm_file_trouble *why, struct mm_err *err)
{
	*why = MM_FILE_LINK;
	for (size_t i = 0; p->route != NULL && p->route->dirs[i] != NULL; i++) {
		if (is_below(p->route->dirs[i], path))
			return check_way(path, why, err);
	}
	return mm_err_set(err, MM_EX_FAILED, "%s is no file of a route", path);
}

/* ---- rights */

/* A file is replaced by a new one beside it: that takes the folder. */
static const char *folder_to_write(const char *path, struct mm_arena *a)
{
	struct stat st;
	while (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		const char *slash = strrchr(path, '/');
		if (slash == NULL || slash == path)
			return "/";
		path = mm_arena_strndup(a, path, (size_t)(slash - path));
	}
	return path;
}

int mm_hostwide_confine(const struct mm_conf *c, const struct mm_sheet *sheet, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	const char *paths[WRITE_PATHS_MAX + 1];
	size_t n = 0;
	paths[n++] = mm_hostwide_state(c, a);
	/* A route of which nothing is asked may have something to take back. */
	for (size_t i = 0; mm_routes[i] != NULL; i++) {
		bool asked =
		    sheet->n_clients == 0 || mm_sheet_rule(sheet, mm_routes[i]->client->name) != NULL;
		for (size_t k = 0; asked && mm_routes[i]->dirs[k] != NULL && n < WRITE_PATHS_MAX; k++)
			paths[n++] = folder_to_write(mm_routes[i]->dirs[k], a);
	}
	paths[n] = NULL;
	const struct mm_sandbox_opts opts = {.write_paths = paths};
	int rc = mm_sandbox_enter(MM_SANDBOX_FILES, &opts, err);
	mm_arena_free(a);
	return rc;
}
