#include "controller/audit/export.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "controller/store/store_keys.h"

#define PART_MAX (64u * 1024u * 1024u)

struct writing {
	struct mm_store *s;
	FILE *f;
	bool personal;
	struct mm_sha256_ctx *sha;
	struct mm_buf part;
	struct mm_arena *a;
	struct mm_checkpoint *points; /* to stand behind their entries */
	size_t n_points, cap_points, at;
	int64_t entries;
};

static int put(struct writing *w, const char *p, size_t n, struct mm_err *err)
{
	mm_sha256_add(w->sha, p, n);
	return fwrite(p, 1, n, w->f) == n ? 0 : mm_err_sys(err, MM_EX_FAILED, "cannot write the export");
}

/* "@NAME ...\n" and the part's lines. */
static int put_part(struct writing *w, const char *head, struct mm_err *err)
{
	if (!mm_buf_ok(&w->part))
		return mm_err_set(err, MM_EX_FAILED, "a part of the export exceeds %u bytes", PART_MAX);
	int rc = put(w, head, strlen(head), err);
	if (rc == 0 && w->part.len > 0)
		rc = put(w, w->part.data, w->part.len, err);
	mm_buf_reset(&w->part);
	return rc;
}

static int put_summed(struct writing *w, const char *name, struct mm_err *err)
{
	char sum[MM_SHA256_HEX], head[256];
	mm_sha256_hex(mm_buf_str(&w->part), w->part.len, sum);
	snprintf(head, sizeof(head), "@%s %s\n", name, sum);
	return put_part(w, head, err);
}

static int put_point(struct writing *w, const char *name, const struct mm_checkpoint *c, struct mm_err *err)
{
	struct mm_buf head = MM_BUF_INIT(256);
	mm_buf_addf(&head, "@%s %" PRId64 " ", name, c->seq);
	mm_base64(c->sig, MM_SIGNATURE, &head);
	mm_buf_addc(&head, '\n');
	mm_checkpoint_statement(c, &w->part);
	int rc = put_part(w, mm_buf_str(&head), err);
	mm_buf_free(&head);
	return rc;
}

/* ---- keys */

/* The DER form is the base64 between the lines of the PEM. */
static bool add_key(struct writing *w, const char *who, const char *pem)
{
	struct mm_key *k = NULL;
	if (mm_key_from_public_pem(pem, strlen(pem), &k, NULL) != 0)
		return false;
	mm_buf_addf(&w->part, "%s %s ", who, mm_key_id(k));
	for (const char *line = pem; *line != '\0';) {
		size_t n = strcspn(line, "\n");
		if (*line != '-')
			mm_buf_add(&w->part, line, n);
		line += n + (line[n] == '\n');
	}
	mm_key_free(k);
	return true;
}

static int take_signer(const struct mm_store_key *k, void *arg, struct mm_err *err)
{
	struct writing *w = arg;
	(void)err;
	if (!add_key(w, "controller", k->pem))
		return 0;
	if (*k->former != '\0')
		mm_buf_addf(&w->part, " %" PRId64 " %" PRId64 " %s %s %s", k->epoch, k->added, k->former,
		    k->sig, k->proof);
	mm_buf_addc(&w->part, '\n');
	return 0;
}

static int take_report_key(const char *host, const char *pem, void *arg, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	(void)err;
	struct writing *w = arg;
	if (add_key(w, mm_arena_printf(a, "host %s", host), pem))
		mm_buf_addc(&w->part, '\n');
	mm_arena_free(a);
	return 0;
}

/* ---- entries */

static int take_point(const struct mm_checkpoint_row *r, void *arg, struct mm_err *err)
{
	struct writing *w = arg;
	struct mm_checkpoint *c = mm_arena_push(w->a, &w->points, &w->n_points, &w->cap_points, sizeof(*c));
	(void)err;
	*c = r->c;
	return 0;
}

static int points_to(struct writing *w, int64_t seq, struct mm_err *err)
{
	for (; w->at < w->n_points && w->points[w->at].seq <= seq; w->at++)
		if (w->points[w->at].seq == seq && put_point(w, "checkpoint", &w->points[w->at], err) != 0)
			return -1;
	return 0;
}

static int take_entry(const struct mm_chain_entry *e, void *arg, struct mm_err *err)
{
	struct writing *w = arg;
	char head[128];
	w->entries++;
	mm_chain_text(e, &w->part);
	snprintf(head, sizeof(head), "@entry %" PRId64 " %s\n", e->seq, e->sha256);
	if (put_part(w, head, err) != 0)
		return -1;
	if (w->personal && *e->apart != '\0' && e->salt != NULL) {
		mm_chain_apart_text(e, &w->part);
		snprintf(head, sizeof(head), "@personal %" PRId64 " %s\n", e->seq, e->apart);
		if (put_part(w, head, err) != 0)
			return -1;
	}
	return points_to(w, e->seq, err);
}

/* ---- the whole */

static int begin(struct writing *w, struct mm_err *err)
{
	char fleet[MM_ID_LEN];
	struct mm_checkpoint anchor;
	if (mm_store_fleet_id(w->s, fleet, err) != 0)
		return -1;
	mm_buf_addf(&w->part, "%s\nfleet %s\nmade %" PRId64 "\npersonal %s\n", MM_EXPORT_FORMAT, fleet,
	    mm_store_now(w->s), w->personal ? "yes" : "no");
	if (put_summed(w, "export", err) != 0 || mm_store_key_each(w->s, take_signer, w, err) != 0 ||
	    mm_store_report_keys(w->s, NULL, take_report_key, w, err) != 0 || put_summed(w, "keys", err) != 0)
		return -1;
	int rc = mm_store_anchor(w->s, &anchor, err);
	return rc == 0 ? put_point(w, "anchor", &anchor, err) : rc < 0 ? -1 : 0;
}

static int end(struct writing *w, const struct mm_key *k, struct mm_err *err)
{
	char hex[MM_SHA256_HEX];
	uint8_t sum[MM_SHA256_LEN];
	unsigned char sig[MM_SIGNATURE];
	struct mm_buf b = MM_BUF_INIT(512), text = MM_BUF_INIT(512);
	mm_sha256_end(w->sha, sum);
	w->sha = NULL;
	mm_hex(sum, sizeof(sum), hex);
	mm_buf_addf(&text, "%s %s\n", MM_EXPORT_END, hex);
	mm_buf_addf(&b, "@end %s ", hex);
	int rc = k != NULL ? mm_sign(k, mm_buf_str(&text), text.len, sig, err) : 0;
	if (rc == 0 && k != NULL)
		mm_base64(sig, MM_SIGNATURE, &b);
	else if (rc == 0)
		mm_buf_addc(&b, '-');
	mm_buf_addc(&b, '\n');
	if (rc == 0 && (fwrite(mm_buf_str(&b), 1, b.len, w->f) != b.len || fflush(w->f) != 0))
		rc = mm_err_sys(err, MM_EX_FAILED, "cannot write the export");
	mm_buf_free(&b);
	mm_buf_free(&text);
	return rc;
}

int mm_audit_export(
    struct mm_store *s, const struct mm_key *k, bool personal, FILE *f, int64_t *entries, struct mm_err *err)
{
	struct writing w = {.s = s,
	    .f = f,
	    .personal = personal,
	    .sha = mm_sha256_begin(),
	    .part = MM_BUF_INIT(PART_MAX),
	    .a = mm_arena_new()};
	uint8_t unused[MM_SHA256_LEN];
	/* One state of the store, whatever others do meanwhile. */
	int rc = mm_store_begin(s, err);
	if (rc == 0) {
		rc = begin(&w, err) != 0 || mm_store_checkpoint_each(s, take_point, &w, err) != 0 ||
			     mm_store_chain_each(s, 0, take_entry, &w, err) != 0
			 ? -1
			 : 0;
		mm_store_rollback(s);
	}
	if (rc == 0)
		rc = end(&w, k, err);
	if (w.sha != NULL)
		mm_sha256_end(w.sha, unused);
	mm_buf_free(&w.part);
	mm_arena_free(w.a);
	*entries = w.entries;
	return rc;
}
