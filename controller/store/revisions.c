#include "controller/store/internal.h"

/* Columns of MM_SQL_REVISION_GET and _EACH; the text comes last. */
static void from_row(struct mm_q *q, struct mm_revision *r)
{
	*r = (struct mm_revision){.number = mm_q_int(q, 0),
	    .parent = mm_q_int(q, 1),
	    .sha256 = mm_q_str(q, 2),
	    .author = mm_q_str(q, 3),
	    .author_uid = mm_q_int(q, 4),
	    .time = mm_q_int(q, 5),
	    .message = mm_q_str(q, 6),
	    .source = mm_q_str(q, 7),
	    .approvals = mm_q_int(q, 8),
	    .needed = mm_q_int(q, 9),
	    .n_approved = mm_q_int(q, 10),
	    .approvers = mm_q_str(q, 11),
	    .current = mm_q_int(q, 12) != 0,
	    .baseline = mm_q_str(q, 13)};
}

static void keep(struct mm_arena *a, struct mm_revision *r)
{
	r->sha256 = mm_arena_strdup(a, r->sha256);
	r->author = mm_arena_strdup(a, r->author);
	r->message = mm_arena_strdup(a, r->message);
	r->source = mm_arena_strdup(a, r->source);
	r->approvers = mm_arena_strdup(a, r->approvers);
	r->baseline = mm_arena_strdup(a, r->baseline);
}

int mm_store_revision_current(struct mm_store *s, int64_t *number, struct mm_err *err)
{
	int64_t n = 0;

	if (mm_q_one(s, &n, MM_SQL_META_GET, err, "t", "current_revision") < 0)
		return -1;
	*number = n;
	return 0;
}

int mm_store_revision_get(
    struct mm_store *s, int64_t number, struct mm_arena *a, struct mm_revision *out, struct mm_err *err)
{
	struct mm_revision r;
	struct mm_q q;
	int rc;

	if (number == 0 && mm_store_revision_current(s, &number, err))
		return -1;
	if (mm_q_start(s, &q, MM_SQL_REVISION_GET, err, "i", number))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		from_row(&q, &r);
		keep(a, &r);
		r.len = (size_t)sqlite3_column_bytes(q.st, 14);
		r.text = mm_arena_strndup(a, mm_q_str(&q, 14), r.len);
		*out = r;
	}
	mm_q_done(&q);
	return rc < 0 ? -1 : !rc;
}

int mm_store_revision_at(struct mm_store *s, int64_t at, int64_t *number, int64_t *time, struct mm_err *err)
{
	struct mm_arena *a;
	struct mm_revision r = {.number = 0};
	struct mm_q q;
	int rc;

	if (at == 0) {
		a = mm_arena_new();
		rc = mm_store_revision_get(s, 0, a, &r, err);
		if (rc == 0) {
			*number = r.number;
			*time = r.time;
		}
		mm_arena_free(a);
		return rc;
	}
	if (mm_q_start(s, &q, MM_SQL_REVISION_AT, err, "i", at))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		*number = mm_q_int(&q, 0);
		*time = mm_q_int(&q, 1);
	}
	mm_q_done(&q);
	return rc < 0 ? -1 : !rc;
}

int mm_store_revision_each(struct mm_store *s,
    int (*cb)(const struct mm_revision *r, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_revision r;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_REVISION_EACH, err, ""))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		from_row(&q, &r);
		if ((rc = cb(&r, arg, err)))
			break;
	}
	mm_q_done(&q);
	return rc;
}

/* number, sha256, approvals, needed, n_approved of one revision. */
struct head {
	int64_t number, approvals, needed, approved, author_uid;
	char sha256[MM_SHA256_HEX], baseline[MM_SHA256_HEX];
};

static int head_of(struct mm_store *s, int64_t number, struct head *h, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	*h = (struct head){.author_uid = -1};
	if (mm_q_start(s, &q, MM_SQL_REVISION_HEAD, err, "i", number))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		*h = (struct head){.number = number,
		    .approvals = mm_q_int(&q, 0),
		    .needed = mm_q_int(&q, 1),
		    .approved = mm_q_int(&q, 2),
		    .author_uid = mm_q_int(&q, 3)};
		snprintf(h->sha256, sizeof(h->sha256), "%s", mm_q_str(&q, 4));
		snprintf(h->baseline, sizeof(h->baseline), "%s", mm_q_str(&q, 5));
	}
	mm_q_done(&q);
	return rc < 0 ? -1 : !rc;
}

/* What the next revision inherits: the rule of a pushable parent is the
 * parent's own; one that still waits passes on what it waits for, so that a
 * chain of unapproved revisions cannot talk its way out of the rule. */
static int64_t needed_after(const struct head *parent, int64_t own)
{
	int64_t inherited = parent->approved >= parent->needed ? parent->approvals : parent->needed;

	return own > inherited ? own : inherited;
}

static const char *baseline_of(const struct mm_revision *r)
{
	return r->baseline ? r->baseline : "";
}

static int note_revision(struct mm_store *s, const struct mm_revision *r, const char *action, int64_t number,
    const char *sha256, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	const char *object = mm_arena_printf(a, "%lld", (long long)number);
	const char *detail = mm_detail(a, "sha256", sha256, "author", r->author, "message", r->message,
	    "source", r->source, "baseline", baseline_of(r)[0] != '\0' ? r->baseline : NULL, NULL);
	int rc = mm_store_audit(s, action, object, detail, false, err);

	mm_arena_free(a);
	return rc;
}

struct terms {
	int64_t parent, approvals, needed;
};

/* The next number, which is the current one from now on. */
static int write_next(struct mm_store *s, const struct mm_revision *r, const char *action,
    const struct terms *t, int64_t *number, struct mm_err *err)
{
	char sha256[MM_SHA256_HEX], text[32];
	int64_t last = 0;

	mm_sha256_hex(r->text, r->len, sha256);
	if (mm_q_one(s, &last, MM_SQL_REVISION_LAST, err, "") < 0)
		return -1;
	*number = last + 1;
	snprintf(text, sizeof(text), "%lld", (long long)*number);
	if (mm_q_run(s, MM_SQL_REVISION_ADD, err, "iibttiittiit", *number, t->parent, (const void *)r->text,
		r->len, sha256, r->author, r->author_uid, mm_store_now(s), r->message, r->source,
		t->approvals, t->needed, baseline_of(r)) < 0 ||
	    mm_q_run(s, MM_SQL_META_SET, err, "tt", "current_revision", text) < 0)
		return -1;
	return note_revision(s, r, action, *number, sha256, err);
}

static int add(struct mm_store *s, const struct mm_revision *r, const char *action, int64_t *number,
    bool *kept, struct mm_err *err)
{
	char sha256[MM_SHA256_HEX];
	int64_t parent = 0;
	struct head h;

	mm_sha256_hex(r->text, r->len, sha256);
	if (mm_store_revision_current(s, &parent, err) || head_of(s, parent, &h, err) < 0)
		return -1;
	*kept = parent > 0 && strcmp(h.sha256, sha256) == 0 && strcmp(h.baseline, baseline_of(r)) == 0;
	if (*kept) {
		*number = parent;
		return 0;
	}
	const struct terms t = {parent, r->approvals, needed_after(&h, r->approvals)};
	return write_next(s, r, action, &t, number, err);
}

static int too_long(const struct mm_revision *r, struct mm_err *err)
{
	return r->len > MM_STORE_TEXT_MAX
		   ? mm_err_set(err, MM_EX_DATAERR, "policy: %zu bytes; at most %u are allowed", r->len,
			 MM_STORE_TEXT_MAX)
		   : 0;
}

int mm_store_revision_add(struct mm_store *s, const struct mm_revision *r, const char *action,
    int64_t *number, bool *kept, struct mm_err *err)
{
	int64_t n = 0;
	bool same = false;

	if (too_long(r, err) || mm_store_begin(s, err) ||
	    mm_store_end(s, add(s, r, action, &n, &same, err), err))
		return -1;
	*number = n;
	*kept = same;
	return 0;
}

/* What `of` is short of, before its text may come back. */
static int was_approved(const struct head *of, int64_t needed, struct mm_err *err)
{
	if (of->approved >= needed)
		return 0;
	return mm_err_set(err, MM_EX_NOPERM,
	    "revision %lld, which comes back, has %lld of %lld approvals; somebody other than its author "
	    "runs: mailmuster policy approve %lld",
	    (long long)of->number, (long long)of->approved, (long long)needed, (long long)of->number);
}

static int bring_back(
    struct mm_store *s, const struct mm_revision *r, int64_t of, int64_t *number, struct mm_err *err)
{
	int64_t parent = 0, rule;
	struct head now, then = {.number = 0};

	if (mm_store_revision_current(s, &parent, err) || head_of(s, parent, &now, err) < 0)
		return -1;
	rule = needed_after(&now, r->approvals);
	if (of > 0 && (head_of(s, of, &then, err) < 0 || was_approved(&then, rule, err)))
		return -1;
	const struct terms t = {parent, rule, of > 0 ? rule : 0};
	if (write_next(s, r, "policy.rollback", &t, number, err))
		return -1;
	return of > 0 && mm_q_run(s, MM_SQL_APPROVE_AS, err, "ii", *number, of) < 0 ? -1 : 0;
}

int mm_store_revision_back(
    struct mm_store *s, const struct mm_revision *r, int64_t of, int64_t *number, struct mm_err *err)
{
	int64_t n = 0;

	if (too_long(r, err) || mm_store_begin(s, err) || mm_store_end(s, bring_back(s, r, of, &n, err), err))
		return -1;
	*number = n;
	return 0;
}

static int approve(struct mm_store *s, int64_t number, const char *who, int64_t uid, struct mm_err *err)
{
	char object[32], detail[256];
	struct head h;
	int rc = head_of(s, number, &h, err);

	if (rc < 0)
		return -1;
	if (rc == 1)
		return mm_err_set(err, MM_EX_FAILED, "there is no revision %lld", (long long)number);
	if (uid < 0 || uid == h.author_uid)
		return mm_err_set(err, MM_EX_NOPERM,
		    "revision %lld was imported by uid %lld: somebody else has to approve it",
		    (long long)number, (long long)h.author_uid);
	rc = mm_q_run(s, MM_SQL_APPROVE, err, "iiti", number, uid, who, mm_store_now(s));
	if (rc < 0)
		return -1;
	if (rc == 0)
		return mm_err_set(err, MM_EX_NOPERM, "revision %lld is approved by uid %lld already",
		    (long long)number, (long long)uid);
	snprintf(object, sizeof(object), "%lld", (long long)number);
	snprintf(detail, sizeof(detail), "{\"uid\":\"%lld\",\"sha256\":\"%s\"}", (long long)uid, h.sha256);
	return mm_store_audit(s, "policy.approve", object, detail, false, err);
}

int mm_revision_approvers(
    struct mm_store *s, int64_t number, struct mm_arena *a, const char **out, struct mm_err *err)
{
	struct mm_q q;
	const char *who = NULL;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_APPROVERS, err, "i", number))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1 && *mm_q_str(&q, 0) != '\0')
		who = mm_arena_strdup(a, mm_q_str(&q, 0));
	mm_q_done(&q);
	if (rc < 0)
		return -1;
	*out = who;
	return 0;
}

int mm_store_revision_approve(
    struct mm_store *s, int64_t number, const char *who, int64_t uid, struct mm_err *err)
{
	if (mm_store_begin(s, err))
		return -1;
	return mm_store_end(s, approve(s, number, who, uid, err), err);
}

int mm_store_revision_pushable(struct mm_store *s, int64_t number, struct mm_err *err)
{
	struct head h;
	int rc = head_of(s, number, &h, err);

	if (rc < 0)
		return -1;
	if (rc == 1)
		return mm_err_set(err, MM_EX_FAILED, "there is no revision %lld", (long long)number);
	if (h.approved < h.needed)
		return mm_err_set(err, MM_EX_NOPERM,
		    "revision %lld has %lld of %lld approvals; somebody other than its author runs: "
		    "mailmuster policy approve %lld",
		    (long long)number, (long long)h.approved, (long long)h.needed, (long long)number);
	return 0;
}

int mm_store_baseline_put(
    struct mm_store *s, const char *sha256, const char *name, const char *text, struct mm_err *err)
{
	return mm_q_run(s, MM_SQL_BASELINE_ADD, err, "ttbi", sha256, name, (const void *)text, strlen(text),
		   mm_store_now(s)) < 0
		   ? -1
		   : 0;
}

int mm_store_baseline_get(struct mm_store *s, const char *sha256, struct mm_arena *a, const char **name,
    const char **text, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_BASELINE_GET, err, "t", sha256))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		*name = mm_arena_strdup(a, mm_q_str(&q, 0));
		*text = mm_arena_strdup(a, mm_q_str(&q, 1));
	}
	mm_q_done(&q);
	return rc < 0 ? -1 : !rc;
}
