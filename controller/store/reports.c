#include "controller/store/vouch.h"

#define COVERS_MAX (1u << 20)
#define ROW_FORMAT "mailmuster-report-row-1\n"

static const char *some(const char *s)
{
	return s && *s ? s : NULL;
}

/* All that the signature is over stands in the entry: whoever has the log and
 * the host's key needs no store. */
static int note_report(struct mm_intake *t, struct mm_err *err)
{
	struct mm_arena *a = t->a;
	const struct mm_report_head *h = t->in->head;
	struct mm_vouch_list places = {.a = a};
	size_t told = 0;

	if (mm_intake_vouch(t, &places, err))
		return -1;
	const char *detail = mm_detail(a, "id", h->id, "request", h->request_id, "op", h->op, "evidence",
	    h->evidence == MM_EV_ATTESTED ? "attested" : "claimed", "collected",
	    mm_arena_printf(a, "%lld", (long long)h->collected), "revision",
	    mm_arena_printf(a, "%lld", (long long)h->revision), "findings",
	    mm_arena_printf(a, "%zu", t->in->n_findings), "logins",
	    mm_arena_printf(a, "%zu", t->in->n_logins), "frames", some(t->frames_sha256), "key",
	    some(t->key_id), "signature", some(t->signature), "row", t->row_sha256, "places",
	    mm_vouch_part(&places, &told), NULL);

	return mm_store_audit(t->s, "report", h->host, detail, false, err) ||
		       mm_vouch_note(t->s, h->host, &places, told, err)
		   ? -1
		   : 0;
}

/* Whom and which logins it speaks for, as 0008-places.sql says. What is beyond
 * the limit was not confirmed as far as a view of the past can tell. */
static void list_covers(const struct mm_intake *t, struct mm_buf *b)
{
	const struct mm_report_in *in = t->in;

	mm_buf_addc(b, '\n');
	for (size_t i = 0; in->head->users && in->head->users[i]; i++)
		if (mm_intake_speaks_for(t, in->head->users[i]))
			mm_buf_addf(b, "%s\n", in->head->users[i]);
	for (size_t i = 0; i < in->n_logins; i++) {
		const struct mm_login *l = &in->logins[i];

		if (mm_intake_speaks_for(t, l->user))
			mm_buf_addf(b, "%s\t%s\t%s\n", l->user, l->account, l->side);
	}
}

void mm_report_row_digest(const struct mm_report_row *r, char out[MM_SHA256_HEX])
{
	struct mm_buf b = MM_BUF_INIT(2 * COVERS_MAX);
	const char *const texts[] = {r->salt, r->covers ? r->covers : "", r->user ? r->user : "", r->agent};

	mm_buf_addf(&b, ROW_FORMAT "%lld %lld %lld %lld %lld\n", (long long)r->received, (long long)r->seen,
	    (long long)r->expired, (long long)r->epoch, (long long)r->serial);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		mm_buf_addf(&b, "%zu:", strlen(texts[i]));
		mm_buf_adds(&b, texts[i]);
		mm_buf_addc(&b, '\n');
	}
	mm_sha256_hex(b.data, b.len, out);
	mm_buf_free(&b);
}

static int insert_head(struct mm_intake *t, struct mm_err *err)
{
	const struct mm_report_head *h = t->in->head;
	struct mm_buf covers = MM_BUF_INIT(COVERS_MAX);
	char salt[MM_ID_LEN];
	int64_t now = t->now;
	int n;

	list_covers(t, &covers);
	const struct mm_report_row row = {.salt = salt,
	    .covers = mm_buf_str(&covers),
	    .user = h->user,
	    .agent = h->agent,
	    .received = now,
	    .seen = t->seen,
	    .expired = h->expired,
	    .epoch = h->epoch,
	    .serial = h->serial};
	mm_random_id(salt);
	mm_report_row_digest(&row, t->row_sha256);
	n = mm_q_run(t->s, MM_SQL_REPORT_ADD, err, "ttttiiiiiiittiiitttiitt", h->host, h->id, h->request_id,
	    h->op, (int64_t)h->evidence, h->epoch, h->serial, h->revision, h->collected, now, t->seen,
	    h->agent, h->user, (int64_t)h->expired, (int64_t)t->in->n_findings, (int64_t)t->in->n_logins,
	    t->frames_sha256, t->key_id, t->signature, (int64_t)t->seal, t->entry, row.covers, salt);
	mm_buf_free(&covers);
	if (n < 0)
		return -1;
	return mm_q_run(t->s, MM_SQL_HOST_SEEN, err, "tiitiiii", h->host, t->seen, now, h->agent, h->revision,
		   (int64_t)h->expired, (int64_t)(t->seal == MM_SEAL_UNCHECKED), t->in->checkpoint) < 0
		   ? -1
		   : 0;
}

/* After the intervals: they need to know what was covered before. */
static int set_coverage(struct mm_intake *t, struct mm_err *err)
{
	const struct mm_report_head *h = t->in->head;
	bool newer = false;

	for (size_t i = 0; h->users && h->users[i]; i++) {
		if (!mm_intake_speaks_for(t, h->users[i]))
			continue;
		if (mm_intake_newer(t, h->users[i], &newer, err))
			return -1;
		if (newer && mm_q_run(t->s, MM_SQL_COVERAGE_SET, err, "ttiiii", h->host, h->users[i], t->seen,
				 (int64_t)h->evidence, h->revision, (int64_t)h->expired) < 0)
			return -1;
	}
	return 0;
}

/* A report of the whole host is silent about users who are no longer its:
 * what was known of them has ended. */
static int drop_gone(struct mm_intake *t, struct mm_err *err)
{
	const struct mm_report_head *h = t->in->head;
	int findings, logins;

	if (h->user)
		return 0;
	if (mm_q_run(t->s, MM_SQL_COVERAGE_GONE, err, "ti", h->host, t->seen) < 0)
		return -1;
	findings = t->strangers
		       ? mm_q_run(t->s, MM_SQL_FINDINGS_GONE, err, "tiii", h->host, t->seen, t->now, t->entry)
		       : 0;
	logins = findings < 0
		     ? -1
		     : mm_q_run(t->s, MM_SQL_LOGINS_GONE, err, "tiii", h->host, t->seen, t->now, t->entry);
	if (logins < 0)
		return -1;
	t->gone = findings + logins > 0;
	return t->gone ? mm_places_renew(t->s, h->host, err) : 0;
}

static int take(struct mm_intake *t, bool *fresh, struct mm_err *err)
{
	const struct mm_report_head *h = t->in->head;
	int64_t ignored = 0;
	int rc = mm_q_one(t->s, &ignored, MM_SQL_HOST_EXISTS, err, "t", h->host);

	if (rc < 0)
		return -1;
	if (rc == 1)
		return mm_err_set(
		    err, MM_EX_DATAERR, "report of host \"%s\", which is not in the inventory", h->host);
	rc = mm_q_one(t->s, &ignored, MM_SQL_REPORT_KNOWN, err, "tt", h->host, h->id);
	if (rc < 0)
		return -1;
	*fresh = rc == 1;
	/* An answer proves that its request, and the acknowledgements in it, arrived. */
	if (h->request_id && mm_q_run(t->s, MM_SQL_ACK_DROP, err, "tt", h->host, h->request_id) < 0)
		return -1;
	if (mm_q_run(t->s, MM_SQL_ACK_ADD, err, "tt", h->host, h->id) < 0)
		return -1;
	if (!*fresh)
		return 0;
	if (mm_audit_next(t->s, &t->entry, err) || mm_intake_seal(t, err) || insert_head(t, err) ||
	    mm_intake_evidence(t, err) || set_coverage(t, err) || drop_gone(t, err) ||
	    mm_intake_inventory(t, err))
		return -1;
	return note_report(t, err);
}

int mm_store_report(struct mm_store *s, const struct mm_report_in *in, bool *fresh, struct mm_err *err)
{
	int64_t now = mm_store_now(s);
	struct mm_intake t = {.s = s, .in = in, .a = mm_arena_new(), .now = now};
	bool is_new = false, own;
	int rc;

	/* The workstation's clock may be wrong; evidence is never of the future. */
	t.seen = in->direct || in->head->collected > now ? now : in->head->collected;
	rc = mm_store_join(s, &own, err);
	if (!rc)
		rc = mm_store_leave(s, own, take(&t, &is_new, err), err);
	mm_arena_free(t.a);
	if (!rc)
		*fresh = is_new;
	return rc;
}

static int list_acks(struct mm_store *s, const char *host, size_t max, struct mm_arena *a,
    const char *const **ids, size_t *n, struct mm_err *err)
{
	const char **items = NULL;
	const char **slot;
	size_t cap = 0, count = 0;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_ACK_LIST, err, "ti", host, (int64_t)max))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		slot = mm_arena_push(a, &items, &count, &cap, sizeof(*items));
		*slot = mm_arena_strdup(a, mm_q_str(&q, 0));
	}
	mm_q_done(&q);
	*n = count;
	slot = mm_arena_push(a, &items, &count, &cap, sizeof(*items));
	*slot = NULL;
	*ids = items;
	return rc;
}

int mm_store_acks(struct mm_store *s, const char *host, const char *request_id, size_t max,
    struct mm_arena *a, const char *const **ids, size_t *n, struct mm_err *err)
{
	const char *const *list = NULL;
	size_t count = 0;
	bool own;
	int rc;

	if (mm_store_join(s, &own, err))
		return -1;
	rc = list_acks(s, host, max, a, &list, &count, err);
	if (!rc && count > 0)
		rc = count < max ? mm_q_run(s, MM_SQL_ACK_SENT_ALL, err, "tt", host, request_id)
				 : mm_q_run(s, MM_SQL_ACK_SENT, err, "tti", host, request_id, (int64_t)max);
	rc = rc < 0 ? -1 : 0;
	if (mm_store_leave(s, own, rc, err))
		return -1;
	*ids = list;
	*n = count;
	return 0;
}
