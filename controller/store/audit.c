/*
 * Appending to the audit log, and reading it for people. The chain of hashes
 * is in chain.h; whether it holds is looked at in controller/audit.
 */
#include "common/text.h"
#include "controller/store/chain.h"
#include "controller/store/internal.h"

int mm_audit_last(struct mm_store *s, int64_t *seq, char prev[MM_SHA256_HEX], struct mm_err *err)
{
	struct mm_q q;
	int rc;

	*seq = 0;
	snprintf(prev, MM_SHA256_HEX, "%s", MM_CHAIN_FIRST);
	if (mm_q_start(s, &q, MM_SQL_AUDIT_LAST, err, ""))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		*seq = mm_q_int(&q, 0);
		snprintf(prev, MM_SHA256_HEX, "%s", mm_q_str(&q, 1));
	}
	mm_q_done(&q);
	return rc < 0 ? -1 : 0;
}

int mm_audit_next(struct mm_store *s, int64_t *seq, struct mm_err *err)
{
	char prev[MM_SHA256_HEX];

	if (mm_audit_last(s, seq, prev, err))
		return -1;
	++*seq;
	return 0;
}

static int insert(struct mm_store *s, const struct mm_chain_entry *r, struct mm_err *err)
{
	char sum[MM_SHA256_HEX];

	mm_chain_hash(r, sum);
	return mm_q_run(s, MM_SQL_AUDIT_ADD, err, "iitttttttt", r->seq, r->time, r->who, r->action, r->object,
		   r->detail, r->reason, r->apart, r->prev, sum) < 0
		   ? -1
		   : 0;
}

/* An entry is made of lines: no text may hold a break. */
static const char *one_line(struct mm_arena *a, const char *text)
{
	char *copy = mm_arena_strdup(a, text);

	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	return copy;
}

static int append(struct mm_store *s, const char *action, const char *object, const char *detail,
    bool personal, struct mm_err *err)
{
	char prev[MM_SHA256_HEX], apart[MM_SHA256_HEX] = "", salt[MM_ID_LEN];
	struct mm_chain_entry r = {.time = mm_store_now(s),
	    .who = s->who,
	    .action = action,
	    .object = personal ? "" : object,
	    .detail = personal ? "" : detail,
	    .reason = s->reason ? s->reason : "",
	    .apart = apart,
	    .prev = prev};

	if (mm_audit_last(s, &r.seq, prev, err))
		return -1;
	r.seq++;
	if (personal) {
		mm_random_id(salt);
		mm_chain_apart(salt, object, detail, apart);
	}
	if (insert(s, &r, err))
		return -1;
	s->appended++;
	if (personal && mm_q_run(s, MM_SQL_AUDIT_ADD_PERSONAL, err, "ittt", r.seq, salt, object, detail) < 0)
		return -1;
	return 0;
}

int mm_store_audit(struct mm_store *s, const char *action, const char *object, const char *detail,
    bool personal, struct mm_err *err)
{
	struct mm_arena *a = NULL;
	bool own;
	int rc;

	if (mm_store_join(s, &own, err))
		return -1;
	object = object ? object : "";
	if (mm_has_control(object)) {
		a = mm_arena_new();
		object = one_line(a, object);
	}
	rc = mm_store_leave(s, own, append(s, action, object, detail ? detail : "{}", personal, err), err);
	mm_arena_free(a);
	return rc;
}

/* Columns: seq time who action object detail reason apart prev sha256, then
 * salt object detail of the part that stands apart (NULL when erased). */
static void entry_from_row(struct mm_q *q, struct mm_audit_entry *e)
{
	bool personal = *mm_q_str(q, 7) != '\0';

	*e = (struct mm_audit_entry){.seq = mm_q_int(q, 0),
	    .time = mm_q_int(q, 1),
	    .who = mm_q_str(q, 2),
	    .action = mm_q_str(q, 3),
	    .object = personal ? mm_q_text(q, 11) : mm_q_str(q, 4),
	    .detail = personal ? mm_q_text(q, 12) : mm_q_str(q, 5),
	    .reason = mm_q_str(q, 6),
	    .personal = personal,
	    .prev = mm_q_str(q, 8),
	    .sha256 = mm_q_str(q, 9)};
}

int mm_store_audit_each(struct mm_store *s, int64_t after,
    int (*cb)(const struct mm_audit_entry *e, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_audit_entry e;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_AUDIT_EACH, err, "i", after))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		entry_from_row(&q, &e);
		if ((rc = cb(&e, arg, err)))
			break;
	}
	mm_q_done(&q);
	return rc;
}
