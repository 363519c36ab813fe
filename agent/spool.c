#include "agent/spool.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/text.h"
#include "schemas/proto.h"

#define SUFFIX ".frames"

static const char *path_of(struct mm_arena *a, const char *dir, const char *id)
{
	return mm_arena_printf(a, "%s/spool/%s" SUFFIX, dir, id);
}

static bool is_id(const char *s, size_t n)
{
	return n == MM_ID_LEN - 1 && strspn(s, "0123456789abcdef") >= n;
}

/* ---- writing */

static void add(struct mm_spool_report *r, uint16_t type, struct mm_buf *body)
{
	if (body->len <= MM_FRAME_MAX && mm_buf_ok(body)) {
		mm_frame_put(&r->frames, type, mm_buf_str(body), body->len);
		mm_tally_add(&r->tally, type, mm_buf_str(body), body->len);
	}
	mm_buf_free(body);
}

static void add_finding(struct mm_sink *s, const struct mm_finding *f)
{
	struct mm_spool_report *r = (struct mm_spool_report *)s;
	struct mm_buf body = MM_BUF_INIT(MM_FRAME_MAX);
	mm_finding_encode(f, &body);
	add(r, MM_FT_FINDING, &body);
	r->n++;
}

static void add_login(struct mm_sink *s, const struct mm_login *l)
{
	struct mm_spool_report *r = (struct mm_spool_report *)s;
	struct mm_buf body = MM_BUF_INIT(MM_FRAME_MAX);
	mm_login_encode(l, &body);
	add(r, MM_FT_LOGIN, &body);
	r->n++;
}

void mm_spool_begin(struct mm_spool_report *r, struct mm_report_head head)
{
	struct mm_buf body = MM_BUF_INIT(MM_FRAME_MAX);
	*r = (struct mm_spool_report){
	    .sink = {.finding = add_finding, .login = add_login}, .frames = MM_BUF_INIT(MM_SPOOL_REPORT_MAX)};
	mm_tally_init(&r->tally);
	mm_random_id(r->id);
	head.id = r->id;
	mm_report_head_encode(&head, &body);
	add(r, MM_FT_REPORT, &body);
}

void mm_spool_discard(struct mm_spool_report *r)
{
	mm_tally_free(&r->tally);
	mm_buf_free(&r->frames);
}

static int write_report(struct mm_spool_report *r, const char *dir, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_buf end = MM_BUF_INIT(MM_FRAME_MAX);
	mm_end_encode(&r->tally, &end);
	mm_frame_put(&r->frames, MM_FT_END, mm_buf_str(&end), end.len);
	int rc = mm_mkdirs(mm_arena_printf(a, "%s/spool", dir), 0700, err);
	if (rc == 0 && !mm_buf_ok(&r->frames))
		rc = mm_err_set(err, MM_EX_FAILED, "the report is larger than %u bytes", MM_SPOOL_REPORT_MAX);
	if (rc == 0)
		rc = mm_write_own(path_of(a, dir, r->id), mm_buf_str(&r->frames), r->frames.len, 0600, err);
	mm_buf_free(&end);
	mm_buf_free(&r->frames);
	mm_arena_free(a);
	return rc;
}

/* ---- listing */

struct entry {
	const char *id;
	struct timespec t;
	size_t size;
};

static int by_age(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	if (a->t.tv_sec != b->t.tv_sec)
		return a->t.tv_sec < b->t.tv_sec ? -1 : 1;
	if (a->t.tv_nsec != b->t.tv_nsec)
		return a->t.tv_nsec < b->t.tv_nsec ? -1 : 1;
	return strcmp(a->id, b->id);
}

static int scan(const char *dir, struct mm_arena *a, struct entry **out, size_t *n, struct mm_err *err)
{
	const char *path = mm_arena_printf(a, "%s/spool", dir);
	size_t cap = 0;
	DIR *d = opendir(path);
	*n = 0;
	*out = NULL;
	if (d == NULL && errno != ENOENT && errno != ENOTDIR)
		return mm_err_sys(err, MM_EX_FAILED, "cannot list %s", path);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		struct stat st;
		if (!mm_ends_with(e->d_name, SUFFIX) ||
		    !is_id(e->d_name, strlen(e->d_name) - strlen(SUFFIX)) ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		struct entry *x = mm_arena_push(a, out, n, &cap, sizeof(*x));
		*x = (struct entry){.id = mm_arena_strndup(a, e->d_name, MM_ID_LEN - 1),
		    .t = st.st_mtim,
		    .size = (size_t)st.st_size};
	}
	if (d != NULL)
		closedir(d);
	if (*n > 0)
		qsort(*out, *n, sizeof(**out), by_age);
	return 0;
}

int mm_spool_list(const char *dir, struct mm_arena *a, const char *const **ids, size_t *n, struct mm_err *err)
{
	struct entry *e;
	if (scan(dir, a, &e, n, err) != 0)
		return -1;
	const char **list = mm_arena_alloc(a, *n + 1, sizeof(*list));
	for (size_t i = 0; i < *n; i++)
		list[i] = e[i].id;
	*ids = list;
	return 0;
}

void mm_spool_acknowledge(const char *dir, const char *const *ids, size_t n)
{
	struct mm_arena *a = mm_arena_new();
	for (size_t i = 0; i < n; i++) {
		if (is_id(ids[i], strlen(ids[i])))
			unlink(path_of(a, dir, ids[i]));
	}
	mm_arena_free(a);
}

/* ---- reading */

struct walk {
	struct mm_tally tally;
	struct mm_frame_decoder d;
	struct mm_frame f;
};

/* 1: w->f is a frame, 0: END came and was good, -1: trouble. */
static int next(struct walk *w, struct mm_err *err)
{
	int rc = mm_frame_next(&w->d, &w->f, err);
	if (rc == 0)
		return mm_err_set(err, MM_EX_DATAERR, "the report is cut short");
	if (rc > 0 && w->f.type == MM_FT_END)
		return mm_end_check(&w->tally, w->f.body, w->f.len, err);
	if (rc > 0)
		mm_tally_add(&w->tally, w->f.type, w->f.body, w->f.len);
	return rc;
}

/* Twice over the frames: first whether all is well, then to hand them over. */
static int walk_frames(const struct mm_buf *text, mm_take_frame *take, void *ctx, struct mm_err *err)
{
	struct walk w = {.tally = {.frames = 0}};
	mm_tally_init(&w.tally);
	mm_frame_decoder_init(&w.d, false);
	int rc = mm_frame_feed(&w.d, mm_buf_str(text), text->len, err);
	while (rc == 0 && (rc = next(&w, err)) > 0)
		rc = take != NULL ? take(ctx, &w.f, err) : 0;
	mm_frame_decoder_free(&w.d);
	mm_tally_free(&w.tally);
	return rc;
}

int mm_spool_read(const char *dir, const char *id, mm_take_frame *take, void *ctx, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_buf text = MM_BUF_INIT(MM_SPOOL_REPORT_MAX + MM_FRAME_MAX);
	const char *path = path_of(a, dir, id);
	int rc = mm_file_read_own(path, MM_SPOOL_REPORT_MAX + MM_FRAME_MAX, false, &text, err);
	if (rc == 0)
		rc = walk_frames(&text, NULL, NULL, err);
	if (rc == 0)
		rc = walk_frames(&text, take, ctx, err);
	else
		mm_err_prefix(err, "%s", path);
	mm_buf_free(&text);
	mm_arena_free(a);
	return rc;
}

/* ---- making room */

struct loaded { /* one report, decoded */
	struct mm_arena *a;
	struct mm_report_head head;
	struct mm_finding *findings;
	size_t n_findings, cap_findings;
	struct mm_login *logins;
	size_t n_logins, cap_logins;
};

static int load_frame(void *ctx, const struct mm_frame *f, struct mm_err *err)
{
	struct loaded *l = ctx;
	if (f->type == MM_FT_REPORT)
		return mm_report_head_decode(f->body, f->len, l->a, &l->head, err);
	if (f->type == MM_FT_FINDING)
		return mm_finding_decode(f->body, f->len, l->a,
		    mm_arena_push(l->a, &l->findings, &l->n_findings, &l->cap_findings, sizeof(*l->findings)),
		    err);
	if (f->type == MM_FT_LOGIN)
		return mm_login_decode(f->body, f->len, l->a,
		    mm_arena_push(l->a, &l->logins, &l->n_logins, &l->cap_logins, sizeof(*l->logins)), err);
	return mm_err_set(
	    err, MM_EX_DATAERR, "a frame of type %u has no place in a report", (unsigned)f->type);
}

static bool same(const struct mm_finding *x, const struct mm_finding *y)
{
	return mm_streq(x->user, y->user) && mm_streq(x->client, y->client) && mm_streq(x->path, y->path) &&
	       mm_streq(x->account, y->account) && mm_streq(x->setting, y->setting);
}

static const struct mm_finding *find(const struct loaded *l, const struct mm_finding *f)
{
	for (size_t i = 0; i < l->n_findings; i++) {
		if (same(&l->findings[i], f))
			return &l->findings[i];
	}
	return NULL;
}

static bool acted(const struct mm_finding *f)
{
	assert(f != NULL);
	return f->action != MM_ACT_NONE && f->action != MM_ACT_REPORTED;
}

/* Of one thing both tell, the newer counts, unless only the older tells what
 * was done about it. */
static void merge(const struct loaded *older, const struct loaded *newer, struct mm_sink *s)
{
	for (size_t i = 0; i < newer->n_findings; i++) {
		const struct mm_finding *f = &newer->findings[i], *old = find(older, f);
		s->finding(s, old != NULL && acted(old) && !acted(f) ? old : f);
	}
	for (size_t i = 0; i < older->n_findings; i++) {
		if (acted(&older->findings[i]) && find(newer, &older->findings[i]) == NULL)
			s->finding(s, &older->findings[i]);
	}
	for (size_t i = 0; i < older->n_logins; i++)
		s->login(s, &older->logins[i]);
	for (size_t i = 0; i < newer->n_logins; i++)
		s->login(s, &newer->logins[i]);
}

static void say_folded(const struct loaded *older, const struct loaded *newer, struct mm_sink *s)
{
	char when[MM_TIME_MAX];
	const struct mm_finding f = {.user = newer->head.user != NULL ? newer->head.user : "unknown",
	    .client = MM_CLIENT_AGENT,
	    .path = "",
	    .account = "",
	    .setting = "",
	    .state = MM_ST_UNKNOWN,
	    .action = MM_ACT_NONE,
	    .reason =
		mm_arena_printf(newer->a, "the spool was full: the report of %s is folded into this one",
		    mm_time_utc(older->head.collected, when))};
	if (find(newer, &f) == NULL)
		s->finding(s, &f);
}

static void drop(const char *dir, const char *id)
{
	mm_spool_acknowledge(dir, &id, 1);
}

/* The new report takes the older one's place in time, so that it is folded
 * again first. A report that cannot be read is of no use to anybody. */
static int fold(const char *dir, const struct entry *e, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct loaded older = {.a = a}, newer = {.a = a};
	struct mm_spool_report r;
	struct mm_err unread = MM_ERR_NONE;
	int rc = 0;
	if (mm_spool_read(dir, e[0].id, load_frame, &older, &unread) != 0 || older.head.id == NULL) {
		drop(dir, e[0].id);
	} else if (mm_spool_read(dir, e[1].id, load_frame, &newer, &unread) != 0 || newer.head.id == NULL) {
		drop(dir, e[1].id);
	} else {
		mm_spool_begin(&r, newer.head);
		merge(&older, &newer, &r.sink);
		say_folded(&older, &newer, &r.sink);
		rc = write_report(&r, dir, err);
		const struct timespec t[2] = {e[1].t, e[1].t};
		if (rc == 0) {
			utimensat(AT_FDCWD, path_of(a, dir, r.id), t, AT_SYMLINK_NOFOLLOW);
			drop(dir, e[0].id);
			drop(dir, e[1].id);
		}
	}
	mm_arena_free(a);
	return rc;
}

static int make_room(const char *dir, struct mm_err *err)
{
	/* Each round takes one file away; more rounds would mean that none goes. */
	for (int round = 0; round < MM_SPOOL_FILES; round++) {
		struct mm_arena *a = mm_arena_new();
		struct entry *e;
		size_t n, bytes = 0;
		int rc = scan(dir, a, &e, &n, err);
		for (size_t i = 0; rc == 0 && i < n; i++)
			bytes += e[i].size;
		bool full = rc == 0 && n > 1 && (n > MM_SPOOL_FILES || bytes > MM_SPOOL_BYTES);
		if (full)
			rc = fold(dir, e, err);
		mm_arena_free(a);
		if (!full || rc != 0)
			return rc;
	}
	return 0;
}

int mm_spool_commit(struct mm_spool_report *r, const char *dir, struct mm_err *err)
{
	if (write_report(r, dir, err) != 0)
		return -1;
	return make_room(dir, err);
}
