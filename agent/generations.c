#include "agent/generations.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/json.h"
#include "common/text.h"

#define META_MAX (16u * 1024u * 1024u)

static const char *folder(struct mm_arena *a, const char *dir, int64_t number)
{
	return mm_arena_printf(a, "%s/generations/%lld", dir, (long long)number);
}

static const char *bytes_path(struct mm_arena *a, const char *dir, int64_t number, size_t i)
{
	return mm_arena_printf(a, "%s/generations/%lld/%zu", dir, (long long)number, i);
}

/* ---- listing and pruning */

static int ascending(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;
	return (*a > *b) - (*a < *b);
}

/* All folders, complete or not. */
static int list_all(const char *dir, struct mm_arena *a, int64_t **out, size_t *n, struct mm_err *err)
{
	const char *path = mm_arena_printf(a, "%s/generations", dir);
	int64_t *list = NULL;
	size_t cap = 0;
	*n = 0;
	DIR *d = opendir(path);
	if (d == NULL && errno != ENOENT && errno != ENOTDIR)
		return mm_err_sys(err, MM_EX_FAILED, "cannot list %s", path);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		int64_t number;
		if (mm_parse_int(e->d_name, 1, INT64_MAX - 1, &number) == 0)
			*(int64_t *)mm_arena_push(a, &list, n, &cap, sizeof(*list)) = number;
	}
	if (d != NULL)
		closedir(d);
	if (*n > 0)
		qsort(list, *n, sizeof(*list), ascending);
	*out = list;
	return 0;
}

static bool complete(struct mm_arena *a, const char *dir, int64_t number)
{
	return access(mm_arena_printf(a, "%s/meta.json", folder(a, dir, number)), F_OK) == 0;
}

int mm_generation_list(const char *dir, struct mm_arena *a, int64_t **out, size_t *n, struct mm_err *err)
{
	int64_t *all = NULL;
	size_t count = 0, kept = 0;
	if (list_all(dir, a, &all, &count, err) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (complete(a, dir, all[i]))
			all[kept++] = all[i];
	}
	*out = all;
	*n = kept;
	return 0;
}

void mm_generation_drop(const char *dir, int64_t number)
{
	struct mm_arena *a = mm_arena_new();
	const char *path = folder(a, dir, number);
	DIR *d;
	/* The description first: what is left is then an incomplete one. */
	unlink(mm_arena_printf(a, "%s/meta.json", path));
	if ((d = opendir(path)) != NULL) {
		for (struct dirent *e; (e = readdir(d)) != NULL;)
			unlinkat(dirfd(d), e->d_name, 0);
		closedir(d);
	}
	rmdir(path);
	mm_arena_free(a);
}

static size_t size_of(struct mm_arena *a, const char *path)
{
	size_t total = 0;
	struct stat st;
	DIR *d = opendir(path);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (stat(mm_arena_printf(a, "%s/%s", path, e->d_name), &st) == 0 && S_ISREG(st.st_mode))
			total += (size_t)st.st_size;
	}
	if (d != NULL)
		closedir(d);
	return total;
}

/* Newest first, until there are too many or they are too large; the newest
 * one always stays. */
static void prune(const char *dir, struct mm_arena *a)
{
	int64_t *all = NULL;
	size_t n = 0, kept = 0, bytes = 0;
	if (list_all(dir, a, &all, &n, NULL) != 0)
		return;
	for (size_t i = n; i-- > 0;) {
		bytes += size_of(a, folder(a, dir, all[i]));
		if (complete(a, dir, all[i]) &&
		    (kept == 0 || (kept < MM_GENERATIONS_KEEP && bytes <= MM_GENERATIONS_BYTES)))
			kept++;
		else
			mm_generation_drop(dir, all[i]);
	}
}

/* ---- saving */

static void sum_of(struct mm_text t, char out[MM_SHA256_HEX])
{
	out[0] = '\0';
	if (t.p != NULL)
		mm_sha256_hex(t.p, t.n, out);
}

static bool has_secret(const struct mm_generation *g, const char *path)
{
	for (size_t i = 0; i < g->did.n_edits; i++)
		if (g->did.edits[i].secret && mm_streq(g->did.edits[i].path, path))
			return true;
	for (size_t i = 0; g->view != NULL && i < g->view->n_traps; i++)
		if (g->view->traps[i].kind == MM_TRAP_PASSWORD && mm_streq(g->view->traps[i].path, path))
			return true;
	return false;
}

static json_t *files_json(const struct mm_generation *g, const struct mm_overlay_file *const *files, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++) {
		char before[MM_SHA256_HEX], after[MM_SHA256_HEX];
		json_t *f = json_object();
		sum_of(files[i]->before, before);
		sum_of(files[i]->after, after);
		mm_json_set_str(f, "path", files[i]->path);
		mm_json_set_str(f, "before", before);
		mm_json_set_str(f, "after", after);
		if (has_secret(g, files[i]->path))
			mm_json_set_bool(f, "kept", false);
		if (json_array_append_new(list, f) != 0)
			mm_oom();
	}
	return list;
}

static int write_meta(const char *path, const struct mm_generation *g,
    const struct mm_overlay_file *const *files, size_t n, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(META_MAX);
	struct mm_row did = g->did;
	struct mm_rows one = {.r = &did, .n = 1};
	json_t *o = json_object();
	mm_json_set_int(o, "version", 1);
	mm_json_set_str(o, "run", g->run);
	mm_json_set_int(o, "time", g->time);
	mm_json_set_int(o, "revision", g->revision);
	mm_json_set_str(o, "client", g->client);
	mm_json_set_str(o, "path", g->path);
	mm_json_set(o, "files", files_json(g, files, n));
	mm_json_set(o, "rows_before", mm_rows_json(&g->rows_before));
	mm_json_set(o, "did", mm_rows_json(&one));
	mm_json_dump(o, &text);
	json_decref(o);
	int rc = mm_buf_ok(&text) ? mm_write_own(path, mm_buf_str(&text), text.len, 0600, err)
				  : mm_err_set(err, MM_EX_FAILED, "%s would be too large", path);
	mm_buf_free(&text);
	return rc;
}

int mm_generation_save(const char *dir, struct mm_generation *g, const struct mm_overlay_file *const *files,
    size_t n, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	int64_t *all = NULL;
	size_t count = 0;
	int rc = list_all(dir, a, &all, &count, err);
	g->number = count > 0 ? all[count - 1] + 1 : 1;
	const char *path = folder(a, dir, g->number);
	if (rc == 0)
		rc = mm_mkdirs(path, 0700, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (files[i]->before.p != NULL && !has_secret(g, files[i]->path))
			rc = mm_write_own(bytes_path(a, dir, g->number, i), files[i]->before.p,
			    files[i]->before.n, 0600, err);
	}
	if (rc == 0)
		rc = write_meta(mm_arena_printf(a, "%s/meta.json", path), g, files, n, err);
	if (rc == 0)
		prune(dir, a);
	else
		mm_generation_drop(dir, g->number);
	mm_arena_free(a);
	return rc;
}

/* ---- loading */

static int file_parse(const json_t *f, struct mm_arena *a, struct mm_generation_file *out, struct mm_err *err)
{
	const char *path, *before, *after;
	if (mm_json_str(f, "path", 4096, &path, err) != 0 ||
	    mm_json_str(f, "before", MM_SHA256_HEX - 1, &before, err) != 0 ||
	    mm_json_str(f, "after", MM_SHA256_HEX - 1, &after, err) != 0 ||
	    mm_json_bool_opt(f, "kept", true, &out->kept, err) != 0)
		return -1;
	out->path = mm_arena_strdup(a, path);
	memcpy(out->before, before, strlen(before) + 1);
	memcpy(out->after, after, strlen(after) + 1);
	return 0;
}

static int parse(const json_t *o, struct mm_arena *a, struct mm_generation *g, struct mm_err *err)
{
	const char *run, *client, *path;
	const json_t *files, *rows, *did;
	struct mm_rows one;
	int64_t version;
	if (mm_json_int(o, "version", 1, 1, &version, err) != 0 ||
	    mm_json_str(o, "run", 64, &run, err) != 0 ||
	    mm_json_int(o, "time", 0, INT64_MAX, &g->time, err) != 0 ||
	    mm_json_int(o, "revision", 0, INT64_MAX, &g->revision, err) != 0 ||
	    mm_json_str(o, "client", 64, &client, err) != 0 ||
	    mm_json_str(o, "path", 4096, &path, err) != 0 ||
	    mm_json_array(o, "files", 1024, false, &files, err) != 0 ||
	    mm_json_array(o, "rows_before", MM_JOURNAL_ROWS_MAX, false, &rows, err) != 0 ||
	    mm_json_array(o, "did", 1, false, &did, err) != 0 ||
	    mm_rows_parse(rows, a, &g->rows_before, err) != 0 || mm_rows_parse(did, a, &one, err) != 0)
		return -1;
	g->n = json_array_size(files);
	struct mm_generation_file *list = mm_arena_alloc(a, g->n + 1, sizeof(*list));
	for (size_t i = 0; i < g->n; i++) {
		if (file_parse(json_array_get(files, i), a, &list[i], err) != 0)
			return -1;
	}
	if (one.n == 1)
		g->did = one.r[0];
	g->files = list;
	g->run = mm_arena_strdup(a, run);
	g->client = mm_arena_strdup(a, client);
	g->path = mm_arena_strdup(a, path);
	return 0;
}

int mm_generation_load(
    const char *dir, int64_t number, struct mm_arena *a, struct mm_generation *out, struct mm_err *err)
{
	const char *path = mm_arena_printf(a, "%s/meta.json", folder(a, dir, number));
	struct mm_buf text = MM_BUF_INIT(META_MAX);
	struct mm_generation g = {.number = number};
	int rc = mm_file_read_own(path, META_MAX, false, &text, err);
	json_t *o = rc == 0 ? mm_json_load(path, mm_buf_str(&text), text.len, err) : NULL;
	if (o == NULL)
		rc = -1;
	else if (parse(o, a, &g, err) != 0)
		rc = mm_err_prefix(err, "%s", path);
	json_decref(o);
	mm_buf_free(&text);
	if (rc == 0)
		*out = g;
	return rc;
}

int mm_generation_bytes(
    const char *dir, int64_t number, size_t i, struct mm_arena *a, struct mm_text *out, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	int rc = mm_file_read_own(bytes_path(a, dir, number, i), MM_FORMAT_TEXT_MAX, false, &text, err);
	if (rc == 0)
		*out = (struct mm_text){.p = mm_arena_strndup(a, mm_buf_str(&text), text.len), .n = text.len};
	mm_buf_free(&text);
	return rc;
}
