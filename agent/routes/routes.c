#include "agent/routes/route.h"

#include <string.h>

#include "agent/clients/adapter.h"
#include "common/text.h"

#define TEXT_MAX (2 * (size_t)MM_FORMAT_TEXT_MAX)

#define MM_ROUTE(name, identity) &mm_route_##name,
const struct mm_route *const mm_routes[] = {
#include "agent/routes/routes.def"
    NULL};
#undef MM_ROUTE

#define MM_ROUTE(name, identity) &mm_route_client_##name,
const struct mm_client *const mm_route_clients[] = {
#include "agent/routes/routes.def"
    NULL};
#undef MM_ROUTE

const struct mm_route *mm_route_by_name(const char *client)
{
	for (size_t i = 0; mm_routes[i] != NULL; i++)
		if (mm_streq(mm_routes[i]->client->name, client))
			return mm_routes[i];
	return NULL;
}

/* ---- the reader */

struct through {
	const struct mm_route *route;
	struct mm_reader *below;
};

static bool is_below(const char *dir, const char *path)
{
	size_t n = strlen(dir);
	return mm_streq(dir, path) || (strncmp(dir, path, n) == 0 && path[n] == '/');
}

static bool is_its_own(const struct mm_route *route, const char *path)
{
	for (size_t i = 0; route->dirs[i] != NULL; i++)
		if (is_below(route->dirs[i], path))
			return true;
	return false;
}

static int through_file(
    struct mm_reader *r, const char *path, struct mm_text *out, enum mm_file_trouble *why, struct mm_err *err)
{
	const struct through *t = r->ctx;
	struct mm_text raw = {.p = NULL};
	int rc = t->below->file(t->below, path, &raw, why, err);
	if (rc <= 0)
		return rc;
	*out = raw;
	if (!is_its_own(t->route, path))
		return 1;
	*why = MM_FILE_SYSTEM;
	if (memmem(raw.p, raw.n, MM_SYSTEM_LOGIN, strlen(MM_SYSTEM_LOGIN)) != NULL)
		return mm_err_set(err, MM_EX_DATAERR, "%s holds \"%s\", which stands for a login elsewhere",
		    path, MM_SYSTEM_LOGIN);
	return mm_route_decode(t->route, r->arena, path, raw, out, err) == 0 ? 1 : -1;
}

static int through_list(struct mm_reader *r, const char *path, const char *const **names, struct mm_err *err)
{
	const struct through *t = r->ctx;
	return t->below->list(t->below, path, names, err);
}

static const char *through_env(struct mm_reader *r, const char *name)
{
	const struct through *t = r->ctx;
	return t->below->env(t->below, name);
}

static bool through_program(struct mm_reader *r, const char *name)
{
	const struct through *t = r->ctx;
	return t->below->program(t->below, name);
}

static bool through_locked(struct mm_reader *r, const char *path)
{
	const struct through *t = r->ctx;
	return t->below->locked(t->below, path);
}

struct mm_reader *mm_route_reader(const struct mm_route *route, struct mm_reader *r)
{
	struct mm_reader *out = mm_arena_alloc(r->arena, 1, sizeof(*out));
	struct through *t = mm_arena_alloc(r->arena, 1, sizeof(*t));
	*t = (struct through){.route = route, .below = r};
	*out = (struct mm_reader){.arena = r->arena,
	    .login = r->login,
	    .home = r->home,
	    .file = through_file,
	    .list = through_list,
	    .env = through_env,
	    .program = through_program,
	    .locked = through_locked,
	    .ctx = t};
	return out;
}

/* ---- both directions */

static int swap_all(struct mm_arena *a, struct mm_text in, const char *from, const char *to,
    struct mm_text *out, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(TEXT_MAX);
	int rc = 0;
	if (in.n > 0 && memchr(in.p, '\0', in.n) != NULL)
		return mm_err_set(err, MM_EX_DATAERR, "the file holds a NUL byte");
	mm_route_swap(&b, in.p, in.n, from, to);
	if (mm_buf_ok(&b))
		*out = (struct mm_text){mm_arena_strndup(a, mm_buf_str(&b), b.len), b.len};
	else
		rc = mm_err_set(err, MM_EX_DATAERR, "the file is too long");
	mm_buf_free(&b);
	return rc;
}

int mm_route_decode(const struct mm_route *route, struct mm_arena *a, const char *path, struct mm_text in,
    struct mm_text *out, struct mm_err *err)
{
	if (route->login != NULL)
		return swap_all(a, in, route->login, MM_SYSTEM_LOGIN, out, err);
	return route->decode(a, path, in, out, err);
}

static int encode(const struct mm_route *route, struct mm_arena *a, const char *path, struct mm_text in,
    struct mm_text *out, struct mm_err *err)
{
	if (route->login != NULL)
		return swap_all(a, in, MM_SYSTEM_LOGIN, route->login, out, err);
	return route->encode(a, path, in, out, err);
}

int mm_route_encode(const struct mm_route *route, struct mm_arena *a, const char *path, struct mm_text in,
    struct mm_text *out, struct mm_err *err)
{
	struct mm_text back;
	if (in.p == NULL || !is_its_own(route, path)) {
		*out = in;
		return 0;
	}
	if (encode(route, a, path, in, out, err) != 0 ||
	    mm_route_decode(route, a, path, *out, &back, err) != 0)
		return -1;
	if (back.n != in.n || memcmp(back.p, in.p, in.n) != 0)
		return mm_err_set(err, MM_EX_FAILED, "%s: cannot be written for everybody", path);
	return 0;
}

int mm_route_lines(
    struct mm_arena *a, struct mm_text in, mm_route_line *f, struct mm_text *out, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(TEXT_MAX);
	const char *p = in.p, *end = in.p + in.n;
	if (in.n > 0 && memchr(in.p, '\0', in.n) != NULL)
		return mm_err_set(err, MM_EX_DATAERR, "the file holds a NUL byte");
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl != NULL ? nl : end) - p);
		if (!f(&b, p, n))
			mm_buf_add(&b, p, n);
		if (nl != NULL)
			mm_buf_addc(&b, '\n');
		p += n + (nl != NULL ? 1 : 0);
	}
	int rc = mm_buf_ok(&b) ? 0 : mm_err_set(err, MM_EX_DATAERR, "the file is too long");
	if (rc == 0)
		*out = (struct mm_text){mm_arena_strndup(a, mm_buf_str(&b), b.len), b.len};
	mm_buf_free(&b);
	return rc;
}

void mm_route_swap(struct mm_buf *out, const char *s, size_t n, const char *from, const char *to)
{
	size_t k = strlen(from);
	const char *hit;
	while ((hit = memmem(s, n, from, k)) != NULL) {
		mm_buf_add(out, s, (size_t)(hit - s));
		mm_buf_adds(out, to);
		n -= (size_t)(hit - s) + k;
		s = hit + k;
	}
	mm_buf_add(out, s, n);
}

void mm_route_personal(struct mm_view *view, const char *login, struct mm_arena *a)
{
	for (size_t i = 0; i < view->n; i++) {
		for (int s = 0; s < MM_SET_COUNT; s++) {
			struct mm_seen *seen = &view->accounts[i].s[s];
			if (seen->value == NULL || strstr(seen->value, MM_SYSTEM_LOGIN) == NULL)
				continue;
			struct mm_buf b = MM_BUF_INIT(MM_VALUE_MAX * 2);
			mm_route_swap(&b, seen->value, strlen(seen->value), MM_SYSTEM_LOGIN, login);
			seen->value = mm_arena_strdup(a, mm_buf_str(&b));
			mm_buf_free(&b);
		}
	}
}

/* ---- what the modules share */

const char *mm_route_no_login(enum mm_setting s, const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@+.-";
	bool takes = s == MM_SET_ADDRESS || s == MM_SET_IN_USERNAME || s == MM_SET_OUT_USERNAME;
	if (strstr(value, MM_SYSTEM_LOGIN) == NULL || mm_setting_def(s)->type == MM_TYPE_ARGV)
		return NULL;
	if (!takes)
		return "One file for everybody has no room for a login in this setting.";
	return value[strspn(value, plain)] == '\0' ? NULL
						   : "Beside a login, which the program puts in, only "
						     "letters, digits and _ @ + . - can stand.";
}

int mm_route_place(
    struct mm_reader *r, const char *program, const char *path, struct mm_place **places, size_t *n)
{
	const struct mm_place p = {.path = path, .label = "", .exists = true, .in_use = true};
	*places = NULL;
	*n = 0;
	if (mm_have_file(r, path) || r->program(r, program))
		mm_add_place(r->arena, places, n, &p);
	return 0;
}

void mm_route_won(struct mm_seen *shared, const struct mm_seen *home, const char *path, const char *by)
{
	shared->value = home->value;
	shared->from_default = home->from_default;
	shared->over_path = home->path != NULL ? home->path : path;
	shared->over_line = home->line;
	shared->over_by = by;
	shared->over_holds = home->over_path == NULL;
}
