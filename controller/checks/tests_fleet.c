/* Tests of workstations, and of the record itself. */
#include <inttypes.h>
#include <string.h>

#include "common/digest.h"
#include "common/text.h"
#include "controller/audit/verify.h"
#include "controller/checks/tests.h"
#include "controller/store/store_keys.h"
#include "controller/store/store_rollout.h"

/* ---- workstations */

void mm_host_inventory(const struct mm_look_host *l, struct mm_say *out)
{
	out->seen = l->host->inventory_seen;
	if (l->host->os == NULL || l->host->inventory_seen == 0)
		mm_say(out, MM_OUT_UNKNOWN, "the workstation has never said what it is and what it has");
	else
		mm_say(out, MM_OUT_COMPLIANT, "");
}

void mm_host_policy(const struct mm_look_host *l, struct mm_say *out)
{
	out->seen = l->host->seen;
	if (l->revision == 0)
		mm_say(out, MM_OUT_NOT_APPLICABLE, "there is no policy");
	else if (l->host->seen == 0)
		mm_say(out, MM_OUT_UNKNOWN, "the workstation has never reported");
	else if (l->host->revision == 0)
		mm_say(out, MM_OUT_FAILED, "the workstation holds no policy");
	else if (l->host->revision != l->revision)
		mm_sayf(out, MM_OUT_FAILED,
		    "the workstation holds revision %" PRId64 ", the current one is %" PRId64,
		    l->host->revision, l->revision);
	else if (l->host->expired)
		mm_say(out, MM_OUT_FAILED, "the request that is in force there has expired");
	else
		mm_say(out, MM_OUT_COMPLIANT, "");
}

/* ---- the record */

struct generations {
	int64_t n, newest, oldest;
};

static int count_revision(const struct mm_revision *r, void *arg, struct mm_err *err)
{
	struct generations *g = arg;
	(void)err;
	if (g->n++ == 0)
		g->newest = r->number;
	g->oldest = r->number;
	return 0;
}

/* Revisions are numbered from 1 without gaps, newest first. */
int mm_fleet_generations(const struct mm_look_fleet *l, struct mm_say *out, struct mm_err *err)
{
	struct generations g = {0, 0, 0};
	if (mm_store_revision_each(l->store, count_revision, &g, err) != 0)
		return -1;
	if (g.n == 0)
		mm_say(out, MM_OUT_NOT_APPLICABLE, "there is no policy yet");
	else if (g.oldest != 1 || g.newest != g.n)
		mm_sayf(out, MM_OUT_FAILED, "%" PRId64 " %s kept of %" PRId64, g.n,
		    g.n == 1 ? "revision is" : "revisions are", g.newest);
	else
		mm_sayf(out, MM_OUT_COMPLIANT, "%" PRId64 " %s kept, from the first", g.n,
		    g.n == 1 ? "revision is" : "revisions are");
	return 0;
}

struct tested {
	int64_t revision, threshold;
	struct mm_say *say;
	int64_t id;
};

static int look_at_rollout(const struct mm_rollout *r, void *arg, struct mm_err *err)
{
	struct tested *t = arg;
	(void)err;
	if (r->revision != t->revision || t->id != 0)
		return 0;
	t->id = r->id;
	if (r->waves < t->threshold)
		mm_sayf(t->say, MM_OUT_FAILED,
		    "rollout %" PRId64 " of revision %" PRId64 " has %" PRId64
		    " wave: nobody tried it before the others",
		    r->id, r->revision, r->waves);
	else if (r->wave > 0 || r->state == MM_RO_DONE)
		mm_sayf(t->say, MM_OUT_COMPLIANT,
		    "rollout %" PRId64 " of revision %" PRId64 " went on after its first wave", r->id,
		    r->revision);
	else
		mm_sayf(t->say, MM_OUT_UNKNOWN,
		    "rollout %" PRId64 " of revision %" PRId64 " is in its first wave", r->id, r->revision);
	return 0;
}

struct holders {
	int64_t revision, n;
};

static int count_holder(const struct mm_walk_host *h, void *arg, struct mm_err *err)
{
	struct holders *x = arg;
	(void)err;
	x->n += h->revision == x->revision;
	return 0;
}

int mm_fleet_tested(const struct mm_look_fleet *l, struct mm_say *out, struct mm_err *err)
{
	static const struct mm_walk_cbs hosts = {.host = count_holder};
	struct tested t = {.revision = l->revision.number, .threshold = l->check->threshold, .say = out};
	struct holders h = {.revision = l->revision.number};
	if (l->revision.number == 0) {
		mm_say(out, MM_OUT_NOT_APPLICABLE, "there is no policy yet");
		return 0;
	}
	if (mm_store_rollout_each(l->store, false, look_at_rollout, &t, err) != 0)
		return -1;
	if (t.id != 0)
		return 0;
	if (mm_store_walk(l->store, NULL, &hosts, &h, err) != 0)
		return -1;
	if (h.n == 0)
		mm_sayf(
		    out, MM_OUT_NOT_APPLICABLE, "no workstation has revision %" PRId64 " yet", t.revision);
	else
		mm_sayf(out, MM_OUT_FAILED,
		    "revision %" PRId64 " went to %" PRId64 " workstation%s without a rollout in waves",
		    t.revision, h.n, h.n == 1 ? "" : "s");
	return 0;
}

int mm_fleet_approved(const struct mm_look_fleet *l, struct mm_say *out, struct mm_err *err)
{
	const struct mm_revision *r = &l->revision;
	int64_t needed = r->needed > l->check->threshold ? r->needed : l->check->threshold;
	(void)err;
	if (r->number == 0)
		mm_say(out, MM_OUT_NOT_APPLICABLE, "there is no policy yet");
	else if (r->n_approved >= needed)
		mm_sayf(out, MM_OUT_COMPLIANT, "revision %" PRId64 " is approved by %s", r->number,
		    r->n_approved > 0 ? r->approvers : "nobody, and needs nobody");
	else
		mm_sayf(out, MM_OUT_FAILED,
		    "revision %" PRId64 " by %.64s is approved by %" PRId64 " of %" PRId64 " others",
		    r->number, r->author, r->n_approved, needed);
	return 0;
}

struct unsigned_reports {
	int64_t from, to, n;
	char first[160];
};

static int take_seal(const struct mm_seal_row *r, void *arg, struct mm_err *err)
{
	struct unsigned_reports *u = arg;
	(void)err;
	if (r->received <= u->to && u->n++ == 0)
		(void)snprintf(u->first, sizeof(u->first), "host %.100s, report %.40s", r->host, r->id);
	return 0;
}

/* The chain, what its witnesses have seen, and the signatures of the evidence that counts. */
int mm_fleet_record(const struct mm_look_fleet *l, struct mm_say *out, struct mm_err *err)
{
	struct mm_err bad = MM_ERR_NONE;
	struct unsigned_reports u = {.from = l->now - l->stale_after, .to = l->now};
	int64_t n = 0;
	if (mm_store_seals_bad(l->store, u.from, take_seal, &u, err) != 0)
		return -1;
	if (mm_audit_chain(l->store, &n, &bad) != 0)
		mm_sayf(out, MM_OUT_FAILED, "%.400s", bad.text);
	else if (u.n > 0)
		mm_sayf(out, MM_OUT_FAILED, "%" PRId64 " %s no good signature (%s): mailmuster audit verify",
		    u.n, u.n == 1 ? "report bears" : "reports bear", u.first);
	else
		mm_sayf(out, MM_OUT_COMPLIANT, "%" PRId64 " %s, and the chain holds", n,
		    n == 1 ? "entry" : "entries");
	return 0;
}

struct fresh {
	int64_t edge, hosts, good, stale, never;
};

static int count_fresh(const struct mm_walk_host *h, void *arg, struct mm_err *err)
{
	struct fresh *f = arg;
	(void)err;
	f->hosts++;
	f->never += h->seen == 0;
	f->stale += h->seen != 0 && h->seen < f->edge;
	f->good += h->seen != 0 && h->seen >= f->edge;
	return 0;
}

/* The threshold is a share in per cent. */
int mm_fleet_fresh(const struct mm_look_fleet *l, struct mm_say *out, struct mm_err *err)
{
	static const struct mm_walk_cbs hosts = {.host = count_fresh};
	struct fresh f = {.edge = l->now - l->stale_after};
	if (mm_store_walk(l->store, l->filter, &hosts, &f, err) != 0)
		return -1;
	if (f.hosts == 0)
		mm_say(out, MM_OUT_NOT_APPLICABLE, "there is no workstation");
	else
		mm_sayf(out, f.good * 100 >= l->check->threshold * f.hosts ? MM_OUT_COMPLIANT : MM_OUT_FAILED,
		    "%" PRId64 " of %" PRId64 " workstations (%" PRId64 " %%) reported lately, %" PRId64
		    " stale, %" PRId64 " never; wanted are %" PRId64 " %%",
		    f.good, f.hosts, f.good * 100 / f.hosts, f.stale, f.never, l->check->threshold);
	return 0;
}

/* Is the current text the one that was imported, and is there a key that
 * requests are signed with? */
int mm_fleet_integrity(const struct mm_look_fleet *l, struct mm_say *out, struct mm_err *err)
{
	const struct mm_revision *r = &l->revision;
	char sha256[MM_SHA256_HEX];
	struct mm_store_key key;
	if (r->number == 0) {
		mm_say(out, MM_OUT_NOT_APPLICABLE, "there is no policy yet");
		return 0;
	}
	int rc = mm_store_key_current(l->store, l->a, &key, err);
	if (rc < 0)
		return -1;
	mm_sha256_hex(r->text, r->len, sha256);
	if (!mm_streq(sha256, r->sha256))
		mm_sayf(out, MM_OUT_FAILED,
		    "the text of revision %" PRId64 " is not the one that was imported", r->number);
	else if (rc == 1)
		mm_say(out, MM_OUT_FAILED, "there is no key to sign requests with");
	else
		mm_sayf(out, MM_OUT_COMPLIANT, "revision %" PRId64 " is as imported; requests are signed",
		    r->number);
	return 0;
}
