#include "controller/rollout_land.h"

#include "common/text.h"

enum mm_rh_state mm_rollout_state_of(const struct mm_host_result *r)
{
	const struct mm_push_class_def *d = mm_push_class_def(r->outcome.cls);
	if (r->outcome.cls == MM_PC_SUPERSEDED)
		return MM_RH_SUPERSEDED;
	if (d->exit_bit == MM_EX_UNREACHABLE)
		return MM_RH_UNREACHABLE;
	if (r->outcome.cls != MM_PC_OK)
		return MM_RH_FAILED;
	if (r->people.reverted > 0)
		return MM_RH_REVERTED;
	if (r->people.errors > 0 || r->reports == 0)
		return MM_RH_FAILED;
	return r->people.failed > 0 ? MM_RH_LOGIN : MM_RH_OK;
}

static const char *sentence(const struct mm_host_result *r)
{
	if (r->outcome.text[0] != '\0')
		return r->outcome.text;
	if (r->outcome.cls == MM_PC_OK && r->reports == 0)
		return "it answered, but not to this request";
	return r->people.text != NULL ? r->people.text : "";
}

struct mm_rollout_host mm_rollout_host_of(const struct mm_host_result *r, const char *host)
{
	return (struct mm_rollout_host){.host = host,
	    .state = mm_rollout_state_of(r),
	    .touched = r->outcome.delivered || r->outcome.cls == MM_PC_OK,
	    .users = r->people.users,
	    .tested = r->people.tested,
	    .verified = r->people.verified,
	    .failed = r->people.failed,
	    .outcome = mm_push_class_def(r->outcome.cls)->name,
	    .text = sentence(r)};
}

/* The same revision, by another way: the rollout counts it. */
static int count_in(struct mm_store *s, const char *host, const struct mm_rollout_offer *offer,
    const struct mm_host_result *r, struct mm_err *err)
{
	struct mm_rollout_host h = mm_rollout_host_of(r, host);
	if (offer->claimable) {
		int rc = mm_store_rollout_checkin(s, offer->rollout, host, r->made.id, err);
		if (rc != 0)
			return rc;
	}
	return mm_store_rollout_landed(s, offer->rollout, &h, err);
}

int mm_rollout_hear(struct mm_store *s, const char *host, int64_t revision, const struct mm_host_result *r,
    struct mm_err *err)
{
	struct mm_rollout_offer offer = {.rollout = 0};
	if (r->outcome.cls == MM_PC_SUPERSEDED)
		return 0;
	if (mm_store_rollout_offer(s, host, &offer, err) < 0)
		return -1;
	if (offer.rollout > 0 && offer.revision == revision) {
		int rc = count_in(s, host, &offer, r, err);
		if (rc <= 0)
			return rc;
	}
	if (r->outcome.cls != MM_PC_OK || !offer.any)
		return 0;
	return mm_store_rollout_overtaken(s, host, revision, NULL, err);
}
