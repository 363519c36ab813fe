/* What is wrong with a job before anything is asked of anybody. */
#include "agent/probe/engine.h"
#include "common/text.h"

/* POP3 and IMAP send it in a line of their own: a line break would begin the
 * next command. */
static enum mm_cls lint_secret(const struct mm_secret *s, struct mm_buf *detail)
{
	if (s == NULL)
		return MM_CLS_NONE;
	if (mm_secret_len(s) == 0)
		mm_buf_adds(detail, "is empty");
	else if (mm_has_control(mm_secret_bytes(s)))
		mm_buf_adds(detail, "contains a line break or another control character");
	return detail->len > 0 ? MM_CLS_BAD_SECRET : MM_CLS_NONE;
}

/* What the policy does not name gets nothing, not even a look. */
static enum mm_cls lint_policy(const struct mm_probe_task *t)
{
	for (size_t i = 0; i < t->n_known; i++)
		if (mm_streq_nocase(t->known[i].host, t->host))
			return MM_CLS_NONE;
	return t->n_known == 0 ? MM_CLS_NONE : MM_CLS_NOT_IN_POLICY;
}

enum mm_cls mm_job_lint(const struct mm_job *job, struct mm_endpoint *out, struct mm_buf *detail)
{
	enum mm_cls cls = mm_endpoint_lint(job->task, out, detail);
	if (cls == MM_CLS_NONE)
		cls = lint_policy(job->task);
	if (cls == MM_CLS_NONE)
		cls = lint_secret(job->secret, detail);
	if (cls != MM_CLS_NONE)
		return cls;
	out->has_secret = job->secret != NULL;
	out->has_certificate = job->certificate != NULL;
	return MM_CLS_NONE;
}

struct mm_limits mm_job_limits(const struct mm_probe_task *t, const struct mm_limits *usual)
{
	struct mm_limits l = *usual;
	if (t->connect_s > 0)
		l.dial_ms = t->connect_s * 1000;
	if (t->answer_s > 0)
		l.answer_ms = t->answer_s * 1000;
	if (t->login_s > 0)
		l.login_ms = t->login_s * 1000;
	if (t->trip_s > 0)
		l.trip_ms = t->trip_s * 1000;
	return l;
}
