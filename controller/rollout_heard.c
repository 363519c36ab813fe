#include "controller/rollout_heard.h"

#include "common/text.h"
#include "controller/push_judge.h"

struct person {
	const char *login;
	bool passed, failed, failed_for_good;
};

struct hearing {
	struct mm_arena *a;
	int64_t since; /* when the host was sent the settings */
	struct person *people;
	size_t n, cap;
	const char *text; /* the first of what is wrong */
	bool reverted;
};

static struct person *person_of(struct hearing *h, const char *login)
{
	for (size_t i = 0; i < h->n; i++)
		if (mm_streq(h->people[i].login, login))
			return &h->people[i];
	struct person *p = mm_arena_push(h->a, &h->people, &h->n, &h->cap, sizeof(*p));
	*p = (struct person){.login = mm_arena_strdup(h->a, login)};
	return p;
}

/* What failed before as well says nothing. */
static int take_login(const struct mm_login_row *r, void *arg, struct mm_err *err)
{
	struct hearing *h = arg;
	(void)err;
	if (r->seen < h->since || r->l.result == MM_LOGIN_UNTESTED ||
	    (r->l.result == MM_LOGIN_FAILED && r->since < h->since))
		return 0;
	struct person *p = person_of(h, r->l.user);
	if (r->l.result == MM_LOGIN_PASSED) {
		p->passed = true;
		return 0;
	}
	p->failed = true;
	if (mm_login_passing_trouble(r->l.cls))
		return 0;
	p->failed_for_good = true;
	if (h->text == NULL)
		h->text = mm_arena_printf(h->a, "%s: %s %s: %s", r->l.user, r->l.side, r->l.cls,
		    *r->l.admin != '\0' ? r->l.admin : r->l.text);
	return 0;
}

static int take_finding(const struct mm_finding_row *r, void *arg, struct mm_err *err)
{
	struct hearing *h = arg;
	(void)err;
	if (r->f.action != MM_ACT_REVERTED || r->seen < h->since || h->reverted)
		return 0;
	h->reverted = true;
	h->text = mm_arena_printf(h->a, "%s: %s taken back%s%s", r->f.user, r->f.client,
	    *r->f.reason != '\0' ? ": " : "", r->f.reason);
	return 0;
}

static struct mm_rollout_host counted(const struct hearing *h, const struct mm_rollout_host *was)
{
	struct mm_rollout_host now = *was;
	int64_t tested = 0, verified = 0, failed = 0;
	for (size_t i = 0; i < h->n; i++) {
		const struct person *p = &h->people[i];
		tested += p->passed || p->failed;
		verified += p->passed && !p->failed;
		failed += p->failed_for_good;
	}
	if (tested < was->tested)
		return now;
	now.tested = tested;
	now.verified = verified;
	now.failed = failed;
	now.users = tested > was->users ? tested : was->users;
	if (was->state == MM_RH_FAILED)
		return now;
	now.state = h->reverted ? MM_RH_REVERTED : failed > 0 ? MM_RH_LOGIN : MM_RH_OK;
	now.text = h->text != NULL && now.state != MM_RH_OK ? h->text : "";
	return now;
}

static int count_anew(
    struct mm_store *s, struct hearing *h, const struct mm_rollout_host *was, struct mm_err *err)
{
	const struct mm_evidence_filter f = {.host = was->host};
	if (mm_store_logins(s, &f, take_login, h, err) < 0 ||
	    mm_store_findings(s, &f, take_finding, h, err) < 0)
		return -1;
	struct mm_rollout_host now = counted(h, was);
	if (now.state == was->state && now.tested == was->tested && now.verified == was->verified &&
	    now.failed == was->failed)
		return 0;
	now.request_id = NULL;
	return mm_store_rollout_landed(s, was->rollout, &now, err) < 0 ? -1 : 0;
}

int mm_rollout_heard(struct mm_store *s, const char *host, struct mm_err *err)
{
	struct mm_rollout_offer offer = {.rollout = 0};
	struct mm_rollout_host was;
	if (mm_store_rollout_offer(s, host, &offer, err) < 0)
		return -1;
	if (offer.rollout == 0 || !mm_rh_answered(offer.state))
		return 0;
	struct hearing h = {.a = mm_arena_new()};
	int rc = mm_store_rollout_host(s, offer.rollout, host, h.a, &was, err);
	h.since = was.sent;
	if (rc == 0)
		rc = count_anew(s, &h, &was, err);
	mm_arena_free(h.a);
	return rc < 0 ? -1 : 0;
}
