/* From memory to disk: what makes a crash at any moment harmless. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/generations.h"
#include "agent/hostwide.h"
#include "agent/place.h"
#include "common/text.h"

#define FILES_MAX 64

struct batch {
	struct mm_place_run *p;
	const struct mm_overlay_file *f[FILES_MAX];
	size_t n;
	int lock;
	int64_t generation;
};

/* ---- the order: new files first, then those that point to them, then what
 * goes. A crash in between leaves a config that works. */

static int rank(const struct mm_overlay_file *f)
{
	if (f->before.p == NULL)
		return 0;
	return f->after.p != NULL ? 1 : 2;
}

static bool differs(const struct mm_overlay_file *f)
{
	if (f->before.p == NULL || f->after.p == NULL)
		return f->before.p != f->after.p;
	return f->before.n != f->after.n || memcmp(f->before.p, f->after.p, f->before.n) != 0;
}

static bool below(const char *home, const char *path)
{
	size_t n = strlen(home);
	return strncmp(path, home, n) == 0 && path[n] == '/';
}

/* As it will lie on the disk. */
static int as_written(struct mm_place_run *p, const struct mm_overlay_file *f,
    const struct mm_overlay_file **out, struct mm_err *err)
{
	struct mm_overlay_file *raw = mm_arena_alloc(p->c->arena, 1, sizeof(*raw));
	*raw = *f;
	*out = raw;
	if (p->route == NULL)
		return 0;
	if (mm_route_encode(p->route, p->c->arena, f->path, f->before, &raw->before, err) != 0)
		return -1;
	return mm_route_encode(p->route, p->c->arena, f->path, f->after, &raw->after, err);
}

static int may_write(
    const struct mm_place_run *p, const char *path, enum mm_file_trouble *why, struct mm_err *err)
{
	*why = MM_FILE_LINK;
	if (mm_is_hostwide(p->c->who))
		return mm_hostwide_may_write(p, path, why, err);
	return below(p->c->who->home, path) ? 0
					    : mm_err_set(err, MM_EX_FAILED, "%s is not in the home", path);
}

static int collect(struct batch *b, enum mm_file_trouble *why, struct mm_err *err)
{
	size_t n;
	const struct mm_overlay_file *f = mm_overlay_files(b->p->overlay, &n);
	for (int r = 0; r <= 2; r++) {
		for (size_t i = 0; i < n; i++) {
			if (rank(&f[i]) != r || !differs(&f[i]))
				continue;
			if (may_write(b->p, f[i].path, why, err) != 0)
				return -1;
			if (b->n == FILES_MAX)
				return mm_err_set(err, MM_EX_FAILED, "too many files in one change");
			*why = MM_FILE_SYSTEM;
			if (as_written(b->p, &f[i], &b->f[b->n++], err) != 0)
				return -1;
		}
	}
	*why = MM_FILE_OK;
	return 0;
}

/* ---- the client's lock */

/* As the program would make it, were it the first: whatever our umask says. */
static int open_lock(const struct mm_place_fd *at)
{
	int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(at->dirfd, at->name, flags);
	if (fd >= 0 || errno != ENOENT)
		return fd;
	fd = openat(at->dirfd, at->name, flags | O_CREAT | O_EXCL, 0644);
	if (fd >= 0 && fchmod(fd, 0644) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* As the program takes it; an open-file-description lock is not lost when
 * somebody in this process closes another descriptor of the file. */
static int take_lock(struct batch *b, enum mm_file_trouble *why, struct mm_err *err)
{
	const struct mm_identity *who = b->p->c->who;
	struct mm_place_fd at;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	b->lock = -1;
	if (b->p->place->lock == NULL)
		return 0;
	if (mm_file_resolve(who->home, b->p->place->lock, who->uid, &at, why, err) != 0)
		return -1;
	b->lock = open_lock(&at);
	int failed = errno;
	close(at.dirfd);
	errno = failed;
	if (b->lock < 0) {
		*why = errno == EROFS || errno == EACCES ? MM_FILE_READONLY : MM_FILE_SYSTEM;
		return mm_err_sys(err, MM_EX_FAILED, "cannot open %s", b->p->place->lock);
	}
	if (fcntl(b->lock, F_OFD_SETLK, &lock) == 0)
		return 0;
	*why = MM_FILE_CHANGED; /* to be tried again */
	close(b->lock);
	b->lock = -1;
	return mm_err_set(err, MM_EX_FAILED, "%s is running", b->p->client->label);
}

static int make_dirs(const struct batch *b, struct mm_err *err)
{
	const char *const *d = b->p->place->extra_dirs;
	for (; d != NULL && *d != NULL; d++) {
		if (below(b->p->c->who->home, *d) && mm_mkdirs(*d, 0700, err) != 0)
			return -1;
	}
	return 0;
}

/* ---- generation and intent */

static void hash(struct mm_text t, char out[MM_SHA256_HEX])
{
	out[0] = '\0';
	if (t.p != NULL)
		mm_sha256_hex(t.p, t.n, out);
}

static int save_generation(struct batch *b, struct mm_err *err)
{
	struct mm_place_run *p = b->p;
	const struct mm_converge *c = p->c;
	struct mm_generation g = {.run = c->run,
	    .time = c->now,
	    .revision = c->sheet->revision,
	    .client = p->client->name,
	    .path = p->place->path,
	    .rows_before = mm_rows_copy(c->arena, &c->journal->rows, p->client->name, p->place->path),
	    .did = p->did,
	    .view = &p->view};
	if (mm_generation_save(c->state_dir, &g, b->f, b->n, err) != 0)
		return -1;
	b->generation = g.number;
	return 0;
}

static int save_intent(struct batch *b, struct mm_err *err)
{
	struct mm_place_run *p = b->p;
	struct mm_journal *j = p->c->journal;
	struct mm_intent_file *files = mm_arena_alloc(p->c->arena, b->n + 1, sizeof(*files));
	for (size_t i = 0; i < b->n; i++) {
		files[i].path = b->f[i]->path;
		hash(b->f[i]->before, files[i].before);
		hash(b->f[i]->after, files[i].after);
	}
	j->intent = (struct mm_intent){
	    .client = p->client->name, .path = p->place->path, .files = files, .n = b->n, .rows = p->rows};
	if (mm_journal_save(j, err) == 0)
		return 0;
	j->intent = (struct mm_intent){.client = NULL};
	return -1;
}

/* ---- files */

static int put(const struct mm_identity *who, const struct mm_overlay_file *f, struct mm_text expect,
    struct mm_text text, enum mm_file_trouble *why, struct mm_err *err)
{
	struct mm_replace_opts opts = {.create_mode = f->create_mode != 0 ? f->create_mode : 0600,
	    .dir_mode = mm_is_hostwide(who) ? 0755 : 0700,
	    .has_expect = true};
	enum mm_replaced done;
	hash(expect, opts.expect_sha256);
	if (text.p != NULL)
		return mm_replace(who->home, f->path, who->uid, text.p, text.n, &opts, &done, why, err);
	return mm_file_remove(who->home, f->path, who->uid, opts.expect_sha256, why, err);
}

/* The first `n` files may be written already: as they were before. */
static void put_back(const struct batch *b, size_t n)
{
	enum mm_file_trouble why;
	while (n-- > 0)
		put(b->p->c->who, b->f[n], b->f[n]->after, b->f[n]->before, &why, NULL);
}

static int write_files(const struct batch *b, enum mm_file_trouble *why, struct mm_err *err)
{
	for (size_t i = 0; i < b->n; i++) {
		if (put(b->p->c->who, b->f[i], b->f[i]->before, b->f[i]->after, why, err) != 0) {
			/* This one, too: a folder that could not be flushed comes after the rename. */
			put_back(b, i + 1);
			return -1;
		}
	}
	return 0;
}

static int carry_out(struct batch *b, enum mm_file_trouble *why, struct mm_err *err)
{
	struct mm_journal *j = b->p->c->journal;
	*why = MM_FILE_SYSTEM;
	if (make_dirs(b, err) != 0 || take_lock(b, why, err) != 0) {
		if (errno == EROFS)
			*why = MM_FILE_READONLY;
		return -1;
	}
	*why = MM_FILE_SYSTEM;
	if (save_generation(b, err) != 0 || save_intent(b, err) != 0) {
		if (errno == EROFS || errno == EACCES)
			*why = MM_FILE_READONLY;
		return -1;
	}
	int rc = write_files(b, why, err);
	if (rc != 0) {
		/* Whatever could not be put back is ours: the files say what it is. */
		mm_journal_recover(j, mm_reader_text, b->p->base);
		return -1;
	}
	j->intent = (struct mm_intent){.client = NULL};
	mm_rows_install(b->p->c->arena, &j->rows, b->p->client->name, b->p->place->path, &b->p->rows);
	return 0;
}

int mm_commit(struct mm_place_run *p, enum mm_file_trouble *why, struct mm_err *err)
{
	struct batch b = {.p = p, .lock = -1};
	struct mm_err later = MM_ERR_NONE;
	if (collect(&b, why, err) != 0)
		return -1;
	int rc = b.n > 0 ? carry_out(&b, why, err) : 0;
	if (b.lock >= 0)
		close(b.lock);
	if (rc != 0 && b.generation > 0)
		mm_generation_drop(p->c->state_dir, b.generation);
	/* If this fails the intent is still on disk, and the next run settles it. */
	if (b.n > 0 && mm_journal_save(p->c->journal, &later) != 0 && rc == 0)
		p->c->journal->saved[0] = '\0';
	return rc;
}
