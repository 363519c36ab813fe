/* What a store holds, handed to the judge. */
#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "controller/audit/verify.h"
#include "controller/store/store_keys.h"

struct walk {
	struct mm_judge *j;
	int64_t hosts_seq, hosts; /* the newest checkpoint that hosts have handed back */
	char place[256];
	char fleet[MM_ID_LEN];
};

static int take_signer(const struct mm_store_key *k, void *arg, struct mm_err *err)
{
	struct walk *w = arg;
	struct mm_rotation r;
	if (mm_judge_signer(w->j, k->pem, false, err) != 0)
		return -1;
	if (mm_store_key_rotation(k, w->fleet, &r) == 0)
		mm_judge_rotation(w->j, &r);
	return 0;
}

static int take_report_key(const char *host, const char *pem, void *arg, struct mm_err *err)
{
	(void)err;
	mm_judge_report_key(arg, host, pem);
	return 0;
}

static int take_point(const struct mm_checkpoint_row *r, void *arg, struct mm_err *err)
{
	struct walk *w = arg;
	char hosts[64];
	(void)err;
	snprintf(hosts, sizeof(hosts), "%" PRId64 " hosts", w->hosts);
	mm_judge_checkpoint(w->j, &r->c, r->c.seq == w->hosts_seq ? hosts : NULL);
	return 0;
}

static int take_alarm(const struct mm_alarm *al, void *arg, struct mm_err *err)
{
	struct walk *w = arg;
	char when[MM_TIME_MAX];
	(void)err;
	snprintf(w->place, sizeof(w->place), "host %s", al->host);
	mm_judge_fault(w->j, al->seq, w->place, "%s (heard at %s)", al->text, mm_time_utc(al->heard, when));
	return 0;
}

static int take_seal(const struct mm_seal_row *r, void *arg, struct mm_err *err)
{
	struct walk *w = arg;
	(void)err;
	snprintf(w->place, sizeof(w->place), "reports: host %s, report %s", r->host, r->id);
	mm_judge_fault(w->j, 0, w->place, "%s",
	    r->state == MM_SEAL_MISSING ? "not signed, but this host has signed before"
					: "the host's signature does not hold");
	return 0;
}

static int take_entry(const struct mm_chain_entry *e, void *arg, struct mm_err *err)
{
	struct walk *w = arg;
	(void)err;
	mm_judge_entry(w->j, e);
	return 0;
}

static int take_row_fault(const char *place, const char *text, void *arg, struct mm_err *err)
{
	struct walk *w = arg;
	(void)err;
	mm_judge_fault(w->j, 0, place, "%s", text);
	return 0;
}

int mm_judge_store(struct mm_judge *j, struct mm_store *s, bool evidence, struct mm_err *err)
{
	struct walk w = {.j = j};
	struct mm_checkpoint anchor;
	if (mm_store_fleet_id(s, w.fleet, err) != 0)
		return -1;
	mm_judge_scope(j, w.fleet, true);
	if (mm_store_key_each(s, take_signer, &w, err) != 0 ||
	    mm_store_report_keys(s, NULL, take_report_key, j, err) != 0)
		return -1;
	int rc = mm_store_anchor(s, &anchor, err);
	if (rc < 0)
		return -1;
	if (rc == 0)
		mm_judge_anchor(j, &anchor);
	if (mm_store_checkpoint_hosts(s, &w.hosts_seq, &w.hosts, err) != 0 ||
	    mm_store_checkpoint_each(s, take_point, &w, err) != 0 ||
	    mm_store_chain_each(s, 0, take_entry, &w, err) != 0 ||
	    mm_store_alarm_each(s, take_alarm, &w, err) != 0)
		return -1;
	if (!evidence)
		return 0;
	struct mm_vouched v = {.places = 0};
	if (mm_store_seals_bad(s, 0, take_seal, &w, err) != 0 ||
	    mm_store_rows_check(s, &v, take_row_fault, &w, err) != 0 ||
	    mm_store_vouched_check(s, &v, take_row_fault, &w, err) != 0)
		return -1;
	mm_judge_evidence(j, &v);
	return 0;
}

int mm_audit_chain(struct mm_store *s, int64_t *entries, struct mm_err *err)
{
	struct mm_judge *j = mm_judge_new();
	mm_judge_no_reports(j);
	int rc = mm_judge_store(j, s, false, err);
	const struct mm_audited *r = mm_judge_end(j);
	if (rc == 0 && r->n_faults > 0)
		rc = mm_err_set(err, MM_EX_DIFF, "%s: %s", r->faults[0].place, r->faults[0].text);
	*entries = r->entries;
	mm_judge_free(j);
	return rc;
}
