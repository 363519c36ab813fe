#include "agent/restore.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/generations.h"
#include "agent/hostwide.h"
#include "agent/place.h"
#include "agent/userrun.h"
#include "common/text.h"

struct restoring {
	const struct mm_session *s;
	struct mm_arena *a;
	struct mm_journal journal;
	struct mm_reader *reader;
	struct mm_restored *done;
	size_t n, cap;
	struct mm_err *err;
};

static void note(struct restoring *r, const struct mm_generation *g, const char *path, const char *how)
{
	struct mm_restored *d = mm_arena_push(r->a, &r->done, &r->n, &r->cap, sizeof(*d));
	*d = (struct mm_restored){.generation = g->number, .path = path, .how = how};
}

static int replace(struct restoring *r, const char *path, const char *expect, struct mm_text text)
{
	const struct mm_identity *who = &r->s->who;
	bool hostwide = mm_is_hostwide(who);
	struct mm_replace_opts opts = {
	    .create_mode = hostwide ? 0644 : 0600, .dir_mode = hostwide ? 0755 : 0700, .has_expect = true};
	enum mm_replaced done;
	enum mm_file_trouble why;
	memcpy(opts.expect_sha256, expect, strlen(expect) + 1);
	if (text.p == NULL)
		return mm_file_remove(who->home, path, who->uid, expect, &why, r->err);
	return mm_replace(who->home, path, who->uid, text.p, text.n, &opts, &done, &why, r->err);
}

/* ---- our own edits, against today's text */

static int undo_edits(struct restoring *r, const struct mm_generation *g, const char *path)
{
	const struct mm_route *route = mm_is_hostwide(&r->s->who) ? mm_route_by_name(g->client) : NULL;
	struct mm_overlay *o = mm_overlay_new(route != NULL ? mm_route_reader(route, r->reader) : r->reader);
	struct mm_row part = g->did;
	size_t n = 0;
	part.edits = mm_arena_alloc(r->a, g->did.n_edits + 1, sizeof(*part.edits));
	part.n_edits = 0;
	for (size_t i = 0; i < g->did.n_edits; i++) {
		if (mm_streq(g->did.edits[i].path, path))
			part.edits[part.n_edits++] = g->did.edits[i];
	}
	if (mm_undo_row(o, r->a, &part, false, r->err) != 0)
		return -1;
	const struct mm_overlay_file *f = mm_overlay_files(o, &n);
	for (size_t i = 0; i < n; i++) {
		char now[MM_SHA256_HEX] = "";
		struct mm_text before = f[i].before, after = f[i].after;
		if (route != NULL && (mm_route_encode(route, r->a, f[i].path, before, &before, r->err) != 0 ||
					 mm_route_encode(route, r->a, f[i].path, after, &after, r->err) != 0))
			return -1;
		if (before.p != NULL)
			mm_sha256_hex(before.p, before.n, now);
		if (replace(r, f[i].path, now, after) != 0)
			return -1;
	}
	bool secret = false;
	for (size_t i = 0; i < part.n_edits; i++)
		secret |= part.edits[i].secret;
	note(r, g, path,
	    n == 0   ? "nothing to do"
	    : secret ? "our edits taken back; a password that stood there is not kept"
		     : "our edits taken back");
	return 0;
}

/* ---- one file */

static int restore_file(struct restoring *r, const struct mm_generation *g, size_t i)
{
	const struct mm_generation_file *f = &g->files[i];
	struct mm_text now = {.p = NULL}, former = {.p = NULL};
	enum mm_file_trouble why;
	char sum[MM_SHA256_HEX] = "";
	int got = r->reader->file(r->reader, f->path, &now, &why, r->err);
	if (got < 0)
		return -1;
	if (got > 0)
		mm_sha256_hex(now.p, now.n, sum);
	if (strcmp(sum, f->before) == 0) {
		note(r, g, f->path, "nothing to do");
		return 0;
	}
	if (strcmp(sum, f->after) != 0 || (!f->kept && f->before[0] != '\0'))
		return undo_edits(r, g, f->path);
	if (f->before[0] != '\0' &&
	    mm_generation_bytes(r->s->state_dir, g->number, i, r->a, &former, r->err) != 0)
		return -1;
	if (replace(r, f->path, sum, former) != 0)
		return -1;
	note(r, g, f->path, former.p != NULL ? "former content" : "removed");
	return 0;
}

/* The other way round than they were written. */
static int restore_generation(struct restoring *r, int64_t number)
{
	struct mm_generation g;
	if (mm_generation_load(r->s->state_dir, number, r->a, &g, r->err) != 0)
		return -1;
	for (size_t i = g.n; i-- > 0;) {
		if (restore_file(r, &g, i) != 0)
			return mm_err_prefix(r->err, "generation %lld", (long long)number);
	}
	mm_rows_install(r->a, &r->journal.rows, g.client, g.path, &g.rows_before);
	if (mm_journal_save(&r->journal, r->err) != 0)
		return -1;
	mm_generation_drop(r->s->state_dir, number);
	return 0;
}

/* ---- which */

/* The first generation of the newest one's run. */
static int first_of_last_run(struct restoring *r, const int64_t *all, size_t n, int64_t *out)
{
	struct mm_generation last, g;
	*out = all[n - 1];
	if (mm_generation_load(r->s->state_dir, all[n - 1], r->a, &last, r->err) != 0)
		return -1;
	for (size_t i = n; i-- > 0;) {
		if (mm_generation_load(r->s->state_dir, all[i], r->a, &g, r->err) != 0)
			return -1;
		if (!mm_streq(g.run, last.run))
			return 0;
		*out = all[i];
	}
	return 0;
}

static int restore_down_to(struct restoring *r, int64_t number)
{
	int64_t *all;
	size_t n;
	if (mm_generation_list(r->s->state_dir, r->a, &all, &n, r->err) != 0)
		return -1;
	if (n == 0)
		return mm_err_set(r->err, MM_EX_FAILED, "there is no generation to go back to");
	if (number == 0 && first_of_last_run(r, all, n, &number) != 0)
		return -1;
	if (number < all[0] || number > all[n - 1])
		return mm_err_set(r->err, MM_EX_FAILED, "there is no generation %lld; there are %lld to %lld",
		    (long long)number, (long long)all[0], (long long)all[n - 1]);
	for (size_t i = n; i-- > 0 && all[i] >= number;) {
		if (restore_generation(r, all[i]) != 0)
			return -1;
	}
	return 0;
}

int mm_restore(const struct mm_session *s, int64_t number, struct mm_arena *a, struct mm_restored **out,
    size_t *n, struct mm_err *err)
{
	struct restoring r = {.s = s, .a = a, .reader = mm_reader_new(a, &s->who), .err = err};
	const char *lock_path = mm_arena_printf(a, "%s/lock", s->state_dir);
	if (access(s->state_dir, F_OK) != 0 && errno == ENOENT)
		return mm_err_set(err, MM_EX_FAILED, "nothing was ever changed in your configs");
	int lock = mm_lock_file(lock_path, MM_LOCK_MS, err);
	if (lock < 0)
		return -1;
	int rc = mm_journal_load(s->state_dir, a, &r.journal, err);
	if (rc == 0) {
		mm_journal_recover(&r.journal, mm_reader_text, r.reader);
		rc = restore_down_to(&r, number);
	}
	close(lock);
	*out = r.done;
	*n = r.n;
	return rc;
}
