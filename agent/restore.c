#include "agent/restore.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/generations.h"
#include "agent/hostwide.h"
#include "agent/place.h"
#include "agent/userrun.h"
#include "common/text.h"

struct write {
	const char *path;
	char now[MM_SHA256_HEX]; /* "" = it is not there */
	struct mm_text text;     /* p == NULL: it is to go */
};

struct restoring {
	const struct mm_restore_job *job;
	struct mm_arena *a;
	struct mm_reader *reader;
	struct write *writes; /* of this generation */
	size_t n_writes, cap_writes;
	struct mm_restored *done;
	size_t n, cap;
	struct mm_err *err;
};

static void note(struct restoring *r, const struct mm_generation *g, const char *path, const char *how)
{
	struct mm_restored *d = mm_arena_push(r->a, &r->done, &r->n, &r->cap, sizeof(*d));
	*d = (struct mm_restored){
	    .generation = g->number, .path = path, .how = how, .client = g->client, .place = g->path};
}

static void plan(struct restoring *r, const char *path, const char *now, struct mm_text text)
{
	struct write *w = mm_arena_push(r->a, &r->writes, &r->n_writes, &r->cap_writes, sizeof(*w));
	*w = (struct write){.path = path, .text = text};
	memcpy(w->now, now, strlen(now) + 1);
}

static int carry_out(struct restoring *r, const struct write *w)
{
	const struct mm_identity *who = r->job->who;
	const char *path = w->path, *expect = w->now;
	struct mm_text text = w->text;
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
	const struct mm_route *route = mm_is_hostwide(r->job->who) ? mm_route_by_name(g->client) : NULL;
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
		plan(r, f[i].path, now, after);
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
	    mm_generation_bytes(r->job->state_dir, g->number, i, r->a, &former, r->err) != 0)
		return -1;
	plan(r, f->path, sum, former);
	note(r, g, f->path, former.p != NULL ? "former content" : "removed");
	return 0;
}

/* ---- one generation */

/* An older change of a place is not taken back under a newer one. */
static const char *why_left(struct restoring *r, const struct mm_generation *g)
{
	const struct mm_restore_job *job = r->job;
	for (size_t i = 0; i < r->n; i++)
		if (r->done[i].left && mm_streq(r->done[i].client, g->client) &&
		    mm_streq(r->done[i].place, g->path))
			return "a newer change there is not taken back";
	if (job->forbids == NULL || r->n_writes == 0)
		return NULL;
	struct mm_overlay *o = mm_overlay_new(r->reader);
	for (size_t i = 0; i < r->n_writes; i++)
		mm_overlay_put(o, r->writes[i].path, r->writes[i].text, 0600);
	return job->forbids(job->ctx, g, r->reader, o);
}

static int take_back(struct restoring *r, const struct mm_generation *g)
{
	struct mm_journal *j = r->job->journal;
	for (size_t i = 0; i < r->n_writes; i++)
		if (carry_out(r, &r->writes[i]) != 0)
			return mm_err_prefix(r->err, "generation %lld", (long long)g->number);
	mm_rows_install(r->a, &j->rows, g->client, g->path, &g->rows_before);
	if (mm_journal_save(j, r->err) != 0)
		return -1;
	mm_generation_drop(r->job->state_dir, g->number);
	return 0;
}

/* The other way round than they were written. */
static int restore_generation(struct restoring *r, int64_t number)
{
	struct mm_generation g;
	size_t before = r->n;
	r->n_writes = 0;
	mm_reader_forget(r->reader);
	if (mm_generation_load(r->job->state_dir, number, r->a, &g, r->err) != 0)
		return -1;
	for (size_t i = g.n; i-- > 0;) {
		if (restore_file(r, &g, i) != 0)
			return mm_err_prefix(r->err, "generation %lld", (long long)number);
	}
	const char *why = why_left(r, &g);
	if (why == NULL)
		return take_back(r, &g);
	r->n = before;
	note(r, &g, g.path, why);
	r->done[r->n - 1].left = true;
	return 0;
}

/* ---- which */

/* The first generation of the newest one's run. */
static int first_of_last_run(struct restoring *r, const int64_t *all, size_t n, int64_t *out)
{
	struct mm_generation last, g;
	*out = all[n - 1];
	if (mm_generation_load(r->job->state_dir, all[n - 1], r->a, &last, r->err) != 0)
		return -1;
	for (size_t i = n; i-- > 0;) {
		if (mm_generation_load(r->job->state_dir, all[i], r->a, &g, r->err) != 0)
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
	if (mm_generation_list(r->job->state_dir, r->a, &all, &n, r->err) != 0)
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

int mm_restore_by(const struct mm_restore_job *job, struct mm_arena *a, struct mm_restored **out, size_t *n,
    struct mm_err *err)
{
	struct restoring r = {.job = job, .a = a, .reader = mm_reader_new(a, job->who), .err = err};
	int rc = restore_down_to(&r, job->number);
	*out = r.done;
	*n = r.n;
	return rc;
}

int mm_restore(const struct mm_session *s, int64_t number, struct mm_arena *a, struct mm_restored **out,
    size_t *n, struct mm_err *err)
{
	const char *lock_path = mm_arena_printf(a, "%s/lock", s->state_dir);
	struct mm_journal journal;
	if (access(s->state_dir, F_OK) != 0 && errno == ENOENT)
		return mm_err_set(err, MM_EX_FAILED, "nothing was ever changed in your configs");
	int lock = mm_lock_file(lock_path, MM_LOCK_MS, err);
	if (lock < 0)
		return -1;
	const struct mm_restore_job job = {
	    .who = &s->who, .state_dir = s->state_dir, .journal = &journal, .number = number};
	int rc = mm_journal_load(s->state_dir, a, &journal, err);
	if (rc == 0) {
		mm_journal_recover(&journal, mm_reader_text, mm_reader_new(a, &s->who));
		rc = mm_restore_by(&job, a, out, n, err);
	}
	close(lock);
	return rc;
}
