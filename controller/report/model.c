#include "controller/report/report.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"
#include "controller/report/servers.h"
#include "controller/store/store_keys.h"

/* ---- places */

struct walk {
	struct mm_store *store;
	const struct mm_evidence_filter *filter;
	mm_section_cb *cb;
	void *arg;
};

static void why_of(const struct mm_place *p, struct mm_buf *why)
{
	const struct mm_waiver_of *w = NULL;

	if (p->worst == MM_AUDIT_PASS || p->worst == MM_AUDIT_NOT_APPLICABLE)
		return;
	if (p->worst == MM_AUDIT_UNKNOWN && p->settings_stale > 0) {
		mm_buf_adds(why, "the evidence is too old");
	} else if (p->finding != NULL && p->finding->audit == p->worst) {
		mm_finding_sentence(p->finding, why);
		w = &p->finding->waiver;
	} else if (p->worst == MM_AUDIT_UNKNOWN && p->logins_stale > 0) {
		mm_buf_adds(why, "the login was proven too long ago");
	} else if (p->login != NULL) {
		mm_login_sentence(p->login, why);
		w = &p->login->waiver;
	}
	if (w != NULL)
		mm_waiver_sentence(w, why);
}

static int pass_place(const struct mm_place *p, void *arg, struct mm_err *err)
{
	const struct walk *w = arg;
	struct mm_buf why = MM_BUF_INIT(4096);
	struct mm_place_row r = {.host = p->host,
	    .user = p->user,
	    .audit = p->worst,
	    .settings = p->settings,
	    .logins = p->logins,
	    .logins_stale = p->logins_stale,
	    .seen = p->seen,
	    .stale = p->stale,
	    .claimed = p->claimed};

	memcpy(r.settings_by, p->settings_by, sizeof(r.settings_by));
	memcpy(r.logins_by, p->logins_result, sizeof(r.logins_by));
	why_of(p, &why);
	r.why = mm_buf_str(&why);
	int rc = w->cb((union mm_report_row){.place = &r}, w->arg, err);
	mm_buf_free(&why);
	return rc;
}

/* ---- the other sections pass rows through */

static int pass_host(const struct mm_host_row *h, void *arg, struct mm_err *err)
{
	const struct walk *w = arg;
	return w->cb((union mm_report_row){.host = h}, w->arg, err);
}

static int pass_finding(const struct mm_finding_row *r, void *arg, struct mm_err *err)
{
	const struct walk *w = arg;
	return w->cb((union mm_report_row){.finding = r}, w->arg, err);
}

/* Those that hold or have expired at the time of the view. */
static int pass_waiver(const struct mm_waiver *v, void *arg, struct mm_err *err)
{
	const struct walk *w = arg;
	int64_t at = w->filter->at;
	if (at > 0 ? v->added > at || (v->removed > 0 && v->removed <= at) : v->removed > 0)
		return 0;
	return w->cb((union mm_report_row){.waiver = v}, w->arg, err);
}

static int pass_sample(const struct mm_sample *v, void *arg, struct mm_err *err)
{
	const struct walk *w = arg;
	return w->cb((union mm_report_row){.sample = v}, w->arg, err);
}

/* Of a part of the fleet nothing was measured over time. */
static int samples(struct mm_store *s, struct walk *w, struct mm_err *err)
{
	int64_t now = w->filter->at > 0 ? w->filter->at : mm_store_now(s);
	if (mm_filter_narrows(w->filter))
		return 0;
	return mm_store_samples_each(s, now - MM_SAMPLE_DAYS * INT64_C(86400), now, pass_sample, w, err);
}

bool mm_filter_narrows(const struct mm_evidence_filter *f)
{
	return f->host != NULL || f->user != NULL || f->client != NULL || f->account != NULL ||
	       f->setting != NULL || f->tag != NULL || f->group != NULL;
}

static int pass_login(const struct mm_login_row *r, void *arg, struct mm_err *err)
{
	const struct walk *w = arg;
	return w->cb((union mm_report_row){.login = r}, w->arg, err);
}

int mm_report_section(struct mm_store *s, enum mm_section sec, const struct mm_evidence_filter *filter,
    mm_section_cb *cb, void *arg, struct mm_err *err)
{
	struct mm_evidence_filter f = filter != NULL ? *filter : (struct mm_evidence_filter){.at = 0};
	struct walk w = {.store = s, .filter = &f, .cb = cb, .arg = arg};
	switch (sec) {
	case MM_SEC_PLACES:
		return mm_store_places(s, &f, pass_place, &w, err);
	case MM_SEC_HOSTS:
		return mm_store_host_rows(s, &f, pass_host, &w, err);
	case MM_SEC_DIFFERENCES:
		f.differences = true;
		return mm_store_findings(s, &f, pass_finding, &w, err);
	case MM_SEC_LOGINS:
		f.differences = true;
		return mm_store_logins(s, &f, pass_login, &w, err);
	case MM_SEC_REMARKS:
		return mm_report_servers(s, sec, &f, cb, arg, err);
	case MM_SEC_WAIVERS:
		return mm_store_waiver_each(s, f.at > 0, pass_waiver, &w, err);
	case MM_SEC_CERTS:
		return mm_report_servers(s, sec, &f, cb, arg, err);
	case MM_SEC_SAMPLES:
		return samples(s, &w, err);
	case MM_SEC_ALL_FINDINGS:
		return mm_store_findings(s, &f, pass_finding, &w, err);
	case MM_SEC_ALL_LOGINS:
		return mm_store_logins(s, &f, pass_login, &w, err);
	case MM_SEC_CHECKS:
	case MM_SEC_RESULTS:
	case MM_SEC_ALL_RESULTS:
	case MM_SEC_CHECK_CHANGES:
	case MM_SEC_CHANGES:
	case MM_SEC_COUNT:
		break;
	}
	return 0;
}

/* ---- the head */

static int oldest_key(const struct mm_store_key *k, void *arg, struct mm_err *err)
{
	(void)err;
	struct mm_buf *id = arg;
	mm_buf_reset(id);
	mm_buf_adds(id, k->id);
	return 0;
}

/* The name space of everything that Mailmuster names: version 5 of
 * "urn:mailmuster" among the URLs. */
#define NAMES "46aea1f7-ce7e-545f-b196-bfe8648c25cc"

static int fleet_id(struct mm_store *s, char out[MM_UUID_LEN], struct mm_err *err)
{
	struct mm_buf id = MM_BUF_INIT(1024);
	int rc = mm_store_key_each(s, oldest_key, &id, err);
	mm_uuid5(NAMES, mm_buf_str(&id), id.len, out);
	mm_buf_free(&id);
	return rc;
}

static int count_waiver(union mm_report_row row, void *arg, struct mm_err *err)
{
	(void)err;
	struct mm_report_meta *meta = arg;
	if (row.waiver->until <= meta->fleet.now) {
		meta->waivers_expired++;
		return 0;
	}
	meta->waivers++;
	if (meta->waiver_ends == 0 || row.waiver->until < meta->waiver_ends)
		meta->waiver_ends = row.waiver->until;
	return 0;
}

int mm_report_meta(struct mm_store *s, const struct mm_evidence_filter *filter, struct mm_arena *a,
    struct mm_report_meta *meta, struct mm_err *err)
{
	*meta = (struct mm_report_meta){.title = "Mail settings of the fleet", .version = MM_VERSION};
	if (filter != NULL)
		meta->filter = *filter;
	if (mm_store_fleet(s, &meta->filter, &meta->fleet, err) < 0 || fleet_id(s, meta->fleet_id, err) < 0 ||
	    mm_store_checkpoint_newest(s, &meta->checkpoint, err) < 0 ||
	    mm_store_checkpoint_hosts(s, &meta->checkpoint_seen, &meta->checkpoint_hosts, err) < 0 ||
	    mm_report_section(s, MM_SEC_WAIVERS, &meta->filter, count_waiver, meta, err) < 0)
		return -1;
	if (meta->filter.at != 0 && meta->fleet.revision == 0)
		return 0;
	return mm_store_revision_get(s, meta->fleet.revision, a, &meta->revision, err) < 0 ? -1 : 0;
}
