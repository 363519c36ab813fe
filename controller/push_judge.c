#include "controller/push_judge.h"

#include <stdarg.h>

#include "common/text.h"
#include "controller/store/store_rollout.h"
#include "schemas/facts.h"

static const char *const passing[] = {"DNS_NO_SUCH_NAME", "DNS_NO_ADDRESS", "DNS_UNAVAILABLE", "NET_NO_ROUTE",
    "HOST_UNREACHABLE", "CONN_REFUSED", "CONN_TIMEOUT", "CONN_FAILED", "CONN_DROPPED", "NO_GREETING",
    "SERVER_REFUSES", "TOO_MANY_CONNECTIONS", "SERVER_SLOW", "AUTH_TEMP", "AUTH_SLOW", "AUTH_CONN_DROPPED",
    "AUTH_UNCLEAR", "AUTH_UNPROVEN", "TLS_CLOSED", "TLS_INTERCEPTED", "MAILBOX_NO_ANSWER", "SENDER_NO_ANSWER",
    "KRB_NO_ANSWER", "LOCAL_TROUBLE", NULL};

bool mm_login_passing_trouble(const char *cls)
{
	for (const char *const *p = passing; *p != NULL; p++)
		if (mm_streq(*p, cls))
			return true;
	return false;
}

/* A login that failed before: before the rollout, where one brought this. */
struct before {
	const char *user, *account, *side, *cls;
};

struct judging {
	struct mm_arena *a;
	struct before *before;
	size_t n_before, cap_before;
	int64_t since;         /* what began to fail then or later did not fail before */
	struct mm_arena *keep; /* of the text */
	struct mm_judgement sum;
};

/* The first is kept, what the agent took back goes before all else. */
static void note(struct judging *j, bool first, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void note(struct judging *j, bool first, const char *fmt, ...)
{
	struct mm_buf b = MM_BUF_INIT(4096);
	va_list ap;
	if (*j->sum.text != '\0' && !first)
		return;
	va_start(ap, fmt);
	mm_buf_vaddf(&b, fmt, ap);
	va_end(ap);
	j->sum.text = mm_arena_strdup(j->keep, mm_buf_str(&b));
	mm_buf_free(&b);
}

static int take_before(const struct mm_login_row *r, void *arg, struct mm_err *err)
{
	struct judging *j = arg;
	(void)err;
	if (r->l.result != MM_LOGIN_FAILED || r->since >= j->since)
		return 0;
	struct before *b = mm_arena_push(j->a, &j->before, &j->n_before, &j->cap_before, sizeof(*b));
	*b = (struct before){mm_arena_strdup(j->a, r->l.user), mm_arena_strdup(j->a, r->l.account),
	    mm_arena_strdup(j->a, r->l.side), mm_arena_strdup(j->a, r->l.cls)};
	return 0;
}

/* A secret that was refused on one side is refused on the other, too. */
static bool same_trouble(const struct before *b, const struct mm_login *l)
{
	if (!mm_streq(b->user, l->user) || !mm_streq(b->account, l->account))
		return false;
	return mm_streq(b->side, l->side) ||
	       (mm_starts_with(b->cls, "AUTH_") && mm_starts_with(l->cls, "AUTH_"));
}

static bool failed_before(const struct judging *j, const struct mm_login *l)
{
	for (size_t i = 0; i < j->n_before; i++)
		if (same_trouble(&j->before[i], l))
			return true;
	return false;
}

static void judge_user(struct judging *j, const struct mm_report_in *p, const char *user)
{
	size_t passed = 0, failed = 0, hard = 0, as_before = 0;
	for (size_t i = 0; i < p->n_logins; i++) {
		const struct mm_login *l = &p->logins[i];
		if (!mm_streq(l->user, user))
			continue;
		passed += l->result == MM_LOGIN_PASSED;
		as_before += l->result == MM_LOGIN_FAILED && failed_before(j, l);
		if (l->result == MM_LOGIN_FAILED && !failed_before(j, l)) {
			bool for_good = !mm_login_passing_trouble(l->cls);
			failed++;
			hard += for_good;
			if (for_good)
				note(j, false, "%s: %s %s: %s", user, l->side, l->cls,
				    *l->admin != '\0' ? l->admin : l->text);
		}
	}
	j->sum.users++;
	/* Half of what somebody needs proves nothing for the other half. */
	j->sum.tested += failed > 0 || (passed > 0 && as_before == 0);
	j->sum.verified += passed > 0 && failed + as_before == 0;
	j->sum.failed += hard > 0;
}

static void judge_findings(struct judging *j, const struct mm_report_in *p)
{
	for (size_t i = 0; i < p->n_findings; i++) {
		const struct mm_finding *f = &p->findings[i];
		bool reverted = f->action == MM_ACT_REVERTED;
		bool error = !reverted && mm_finding_verdict(f).exit_bit == MM_EX_FAILED;
		/* The agent's own sentence begins so. */
		bool said = reverted && mm_starts_with(f->reason, "taken back");
		if (said)
			note(j, j->sum.reverted == 0, "%s: %s %s", f->user, f->client, f->reason);
		else if (reverted || error)
			note(j, reverted && j->sum.reverted == 0, "%s: %s %s%s%s", f->user, f->client,
			    reverted ? "taken back" : mm_state_name(f->state), *f->reason != '\0' ? ": " : "",
			    f->reason);
		j->sum.reverted += reverted;
		j->sum.errors += error;
	}
}

/* Tried again, what a rollout broke did not fail before it. */
static int begin_of_rollout(struct judging *j, struct mm_store *s, const char *host, struct mm_err *err)
{
	struct mm_rollout_offer offer;
	struct mm_rollout_host h;
	struct mm_rollout r;
	j->since = INT64_MAX;
	if (mm_store_rollout_offer(s, host, &offer, err) < 0)
		return -1;
	int rc = offer.rollout > 0 ? mm_store_rollout_host(s, offer.rollout, host, j->a, &h, err) : 1;
	if (rc == 0)
		rc = mm_store_rollout_get(s, offer.rollout, j->a, &r, err);
	if (rc == 0 && h.touched)
		j->since = r.created;
	return rc < 0 ? -1 : 0;
}

static int load_before(
    struct judging *j, struct mm_store *s, const struct mm_report_in *p, struct mm_err *err)
{
	const struct mm_evidence_filter f = {.host = p->head->host};
	for (size_t i = 0; i < p->n_logins; i++)
		if (p->logins[i].result == MM_LOGIN_FAILED)
			return begin_of_rollout(j, s, p->head->host, err) < 0
				   ? -1
				   : mm_store_logins(s, &f, take_before, j, err);
	return 0;
}

int mm_push_judge(struct mm_store *s, const struct mm_collect *c, const char *request_id, struct mm_arena *a,
    struct mm_judgement *out, struct mm_err *err)
{
	struct judging j = {.a = mm_arena_new(), .keep = a, .sum = {.text = ""}};
	struct mm_report_in p;
	int rc = 0;
	for (size_t i = 0; rc == 0 && mm_collect_report(c, request_id, i, &p); i++) {
		judge_findings(&j, &p);
		rc = load_before(&j, s, &p, err);
		for (const char *const *u = p.head->users; rc == 0 && u != NULL && *u != NULL; u++)
			judge_user(&j, &p, *u);
	}
	if (rc == 0)
		*out = j.sum;
	mm_arena_free(j.a);
	return rc;
}
