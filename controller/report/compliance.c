/* The sections of checks, and their words. */
#include <inttypes.h>

#include "common/text.h"
#include "controller/checks/baseline.h"
#include "controller/report/report.h"

struct pass {
	bool all;
	mm_section_cb *cb;
	void *arg;
};

static int pass_result(const struct mm_check_result *r, void *arg, struct mm_err *err)
{
	const struct pass *p = arg;
	if (!p->all && (r->outcome == MM_OUT_COMPLIANT || r->outcome == MM_OUT_NOT_APPLICABLE))
		return 0;
	return p->cb((union mm_report_row){.result = r}, p->arg, err);
}

int mm_report_checks(struct mm_store *s, enum mm_section sec, const struct mm_report_meta *meta,
    mm_section_cb *cb, void *arg, struct mm_err *err)
{
	struct pass p = {.all = sec == MM_SEC_ALL_RESULTS, .cb = cb, .arg = arg};
	if (meta->baseline == NULL)
		return 0;
	if (sec != MM_SEC_CHECKS)
		return mm_checks_walk(s, meta->baseline, &meta->filter, pass_result, &p, NULL, err);
	for (size_t i = 0; i < meta->baseline->n; i++)
		if (cb((union mm_report_row){.sum = &meta->sums[i]}, arg, err) != 0)
			return -1;
	return 0;
}

/* ---- words */

static void fleet_words(const struct mm_check_sum *s, struct mm_buf *out)
{
	for (int o = 0; o < MM_OUT_COUNT; o++)
		if (s->by[o] > 0)
			mm_buf_adds(out, o == MM_OUT_NOT_APPLICABLE
					     ? "not applicable"
					     : mm_outcome_name((enum mm_check_outcome)o));
}

void mm_check_sum_words(const struct mm_check_sum *s, struct mm_buf *out)
{
	const char *units = mm_check_unit(s->check);
	int64_t whole = s->results - s->by[MM_OUT_NOT_APPLICABLE], good = s->by[MM_OUT_COMPLIANT];
	if (s->check->off != NULL) {
		mm_buf_addf(out, "turned off: %s", s->check->off);
		return;
	}
	if (units[0] == '\0') {
		fleet_words(s, out);
		return;
	}
	if (whole == 0) {
		mm_buf_addf(out, "no %s to look at", units);
		return;
	}
	mm_buf_addf(
	    out, "%" PRId64 " of %" PRId64 " %s (%" PRId64 " %%)", good, whole, units, good * 100 / whole);
	for (int o = MM_OUT_DRIFTED; o < MM_OUT_NOT_APPLICABLE; o++)
		if (s->by[o] > 0)
			mm_buf_addf(
			    out, ", %" PRId64 " %s", s->by[o], mm_outcome_name((enum mm_check_outcome)o));
	if (s->by[MM_OUT_UNKNOWN] > 0 || s->stale > 0)
		mm_buf_addf(out, ", %" PRId64 " stale", s->stale);
	if (s->expired_waivers > 0)
		mm_buf_addf(out, ", %" PRId64 " with an expired waiver", s->expired_waivers);
}

void mm_check_result_of(const struct mm_check_result *r, struct mm_buf *out)
{
	if (r->user[0] != '\0')
		mm_buf_addf(out, "%s on ", r->user);
	mm_buf_adds(out, r->host[0] != '\0' ? r->host : "the fleet");
	if (r->client[0] != '\0')
		mm_buf_addf(out, ", %s", r->client);
	if (r->account[0] != '\0')
		mm_buf_addf(out, ", %s", r->account);
}

void mm_check_result_sentence(const struct mm_check_result *r, struct mm_buf *out)
{
	if (r->found != NULL && r->found[0] != '\0')
		mm_buf_addf(out, "found %s", r->found);
	if (r->wanted != NULL && !mm_streq(r->wanted, r->found))
		mm_buf_addf(
		    out, "%swanted %s", r->found != NULL && r->found[0] != '\0' ? ", " : "", r->wanted);
	if (r->why[0] != '\0')
		mm_buf_addf(out, "%s%s", out->len > 0 ? ": " : "", r->why);
}
