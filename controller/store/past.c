/*
 * The digest of what has ended at a place: a chain, of which each entry that
 * ended something is a link. So a report costs what it ends, not what ever did.
 */
#include "controller/store/vouch.h"

#define PAST_FORMAT "mailmuster-past-1\n"

struct walk {
	struct mm_q q;
	int row; /* 1 = it stands on one */
};

static int go_on(struct walk *w, struct mm_err *err)
{
	w->row = mm_q_step(&w->q, err);
	return w->row < 0 ? -1 : 0;
}

/* Column 0: the entry that ended it. */
static int64_t ender(struct walk *w)
{
	return w->row ? mm_q_int(&w->q, 0) : INT64_MAX;
}

static int add_those(struct walk *w, int64_t of, struct mm_sha256_ctx *sum, int64_t *rows, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(SIZE_MAX / 2);
	int rc = 0;

	while (!rc && w->row && ender(w) == of) {
		mm_vouch_row(&w->q, &b, sum);
		++*rows;
		rc = go_on(w, err);
	}
	mm_buf_free(&b);
	return rc;
}

/* What one entry ended, behind what ended before. */
static int link_up(
    struct walk *findings, struct walk *logins, char past[MM_SHA256_HEX], int64_t *rows, struct mm_err *err)
{
	int64_t of = ender(findings) < ender(logins) ? ender(findings) : ender(logins);
	struct mm_sha256_ctx *c = mm_sha256_begin();
	uint8_t sum[MM_SHA256_LEN];
	char entry[32];
	int rc;

	mm_sha256_add(c, PAST_FORMAT, strlen(PAST_FORMAT));
	mm_sha256_add(c, past, strlen(past));
	snprintf(entry, sizeof(entry), "\n%lld\n", (long long)of);
	mm_sha256_add(c, entry, strlen(entry));
	rc = add_those(findings, of, c, rows, err);
	mm_sha256_add(c, "logins\n", 7);
	if (!rc)
		rc = add_those(logins, of, c, rows, err);
	mm_sha256_end(c, sum);
	mm_hex(sum, sizeof(sum), past);
	return rc;
}

static int link_all(
    struct walk *findings, struct walk *logins, char past[MM_SHA256_HEX], int64_t *rows, struct mm_err *err)
{
	if (go_on(findings, err) || go_on(logins, err))
		return -1;
	while (findings->row || logins->row)
		if (link_up(findings, logins, past, rows, err))
			return -1;
	return 0;
}

int mm_past_all(struct mm_store *s, const char *host, const char *user, char past[MM_SHA256_HEX],
    int64_t *rows, struct mm_err *err)
{
	struct walk f, l;
	int rc;

	*past = '\0';
	*rows = 0;
	if (mm_q_start(s, &f.q, MM_SQL_PAST_FINDINGS, err, "tt", host, user))
		return -1;
	rc = mm_q_start(s, &l.q, MM_SQL_PAST_LOGINS, err, "tt", host, user);
	if (!rc) {
		rc = link_all(&f, &l, past, rows, err);
		mm_q_done(&l.q);
	}
	mm_q_done(&f.q);
	return rc;
}

int mm_past_add(struct mm_store *s, const char *host, const char *user, int64_t closed, int64_t entry,
    char past[MM_SHA256_HEX], struct mm_err *err)
{
	struct walk f, l;
	int64_t rows = 0;
	int rc;

	if (mm_q_start(s, &f.q, MM_SQL_PAST_FINDINGS_OF, err, "ttii", host, user, closed, entry))
		return -1;
	rc = mm_q_start(s, &l.q, MM_SQL_PAST_LOGINS_OF, err, "ttii", host, user, closed, entry);
	if (!rc) {
		rc = link_all(&f, &l, past, &rows, err);
		mm_q_done(&l.q);
	}
	mm_q_done(&f.q);
	return rc;
}
