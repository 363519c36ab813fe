#include "controller/push_overtaken.h"

#include "common/text.h"
#include "schemas/proto.h"

/* ---- whose is the request that was there first? */

static bool newer(const struct mm_serial *seen, const struct mm_request_made *made)
{
	return seen->epoch > made->epoch || (seen->epoch == made->epoch && seen->serial > made->serial);
}

static int replayed(struct mm_store *s, const char *host, enum mm_op op, const struct mm_request_made *made,
    const struct mm_ended *o, struct mm_arena *a, enum mm_overtaken *out, struct mm_issued *by,
    struct mm_err *err)
{
	const struct mm_serial seen = {.epoch = o->seen_epoch, .serial = o->seen_serial};
	struct mm_issued got;
	if (!newer(&seen, made))
		return 0;
	int rc = mm_store_issued_get(s, host, &seen, a, &got, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	bool same = op == MM_OP_APPLY && mm_streq(got.op, mm_op_name(op)) && got.revision >= made->revision;
	*out = same ? MM_OV_DONE : MM_OV_AGAIN;
	*by = got;
	return 0;
}

void mm_overtaken_key(const struct mm_request_made *made, struct mm_ended *o, struct mm_arena *a)
{
	if (o->cls != MM_PC_REFUSED || !mm_streq(o->reason, MM_REFUSED_SIGNATURE) || made->epoch < 2)
		return;
	o->text = mm_arena_printf(a,
	    "%s; the signing key was rotated: an agent that is older than that (protocol 1.2) does not "
	    "follow it, "
	    "nor one that another key was put in place of, so update it there, or enrol the host anew "
	    "(mailmuster host enroll)",
	    o->text);
}

int mm_overtaken(struct mm_store *s, const char *host, enum mm_op op, const struct mm_request_made *made,
    const struct mm_ended *o, struct mm_arena *a, enum mm_overtaken *out, struct mm_issued *by,
    struct mm_err *err)
{
	int64_t rivals = 0;
	*out = MM_OV_NO;
	if (o->cls != MM_PC_REFUSED)
		return 0;
	if (mm_streq(o->reason, MM_REFUSED_REPLAY))
		return replayed(s, host, op, made, o, a, out, by, err);
	if (!mm_streq(o->reason, MM_REFUSED_BUSY))
		return 0;
	if (mm_store_unanswered(s, host, made->id, MM_RIVAL_S, &rivals, err) < 0)
		return -1;
	*out = rivals > 0 ? MM_OV_AGAIN : MM_OV_NO;
	return 0;
}

/* ---- what has become of it? */

static int judge(const struct mm_host_row *r, void *arg, struct mm_err *err)
{
	int *bits = arg;
	(void)err;
	bool right = r->settings[MM_AUDIT_FAIL] + r->settings[MM_AUDIT_UNKNOWN] +
			 r->logins_by[MM_AUDIT_FAIL] + r->logins_by[MM_AUDIT_UNKNOWN] ==
		     0;
	*bits = right && !r->push.pending ? MM_EX_OK : MM_EX_DIFF;
	return 0;
}

static int answered(struct mm_store *s, const char *host, const struct mm_issued *by, struct mm_arena *keep,
    struct mm_ended *o, int *bits, struct mm_err *err)
{
	const struct mm_evidence_filter f = {.host = host};
	mm_ended_set(o, keep, MM_PC_SUPERSEDED, "another run has brought revision %lld there meanwhile",
	    (long long)by->revision);
	if (mm_store_host_rows(s, &f, judge, bits, err) < 0)
		return -1;
	if (*bits != MM_EX_OK)
		mm_ended_set(o, keep, MM_PC_SUPERSEDED,
		    "another run has brought revision %lld there meanwhile; differences are left: "
		    "mailmuster drift --host %s",
		    (long long)by->revision, host);
	return 0;
}

static void failed(const struct mm_push_state *p, struct mm_arena *keep, struct mm_ended *o, int *bits)
{
	int cls = mm_push_class_by_name(p->outcome);
	*bits = MM_EX_DIFF | (cls >= 0 ? mm_push_class_def((enum mm_push_class)cls)->exit_bit : MM_EX_OK);
	mm_ended_set(o, keep, MM_PC_SUPERSEDED, "another run was there first, and has failed: %s", p->text);
}

int mm_overtaken_fate(struct mm_store *s, const char *host, const struct mm_issued *by, struct mm_arena *keep,
    struct mm_ended *o, int *bits, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_push_state p = {.request_id = ""};
	int rc = mm_store_answered(s, host, by->request_id, err);
	if (rc == 0) {
		rc = answered(s, host, by, keep, o, bits, err);
	} else if (rc > 0) {
		rc = mm_store_push_get(s, host, a, &p, err) < 0 ? -1 : 1;
		if (rc > 0 && mm_streq(p.request_id, by->request_id)) {
			failed(&p, keep, o, bits);
			rc = 0;
		}
	}
	mm_arena_free(a);
	return rc;
}
