/* What the page keeps of the rows that go by. */
#include <string.h>

#include "common/text.h"
#include "controller/report/page.h"

#define DAY INT64_C(86400)

const struct mm_svg_series mm_page_series[MM_PAGE_SERIES] = {{"compliant", "compliant"}, {"waived", "waived"},
    {"deferred", "deferred"}, {"unknown", "unknown"}, {"drifted", "drifted"}, {"failed", "failed"}};

void mm_page_counts(const int64_t by[MM_OUT_COUNT], int64_t out[MM_PAGE_SERIES])
{
	static const enum mm_check_outcome order[MM_PAGE_SERIES] = {
	    MM_OUT_COMPLIANT, MM_OUT_WAIVED, MM_OUT_DEFERRED, MM_OUT_UNKNOWN, MM_OUT_DRIFTED, MM_OUT_FAILED};
	for (size_t i = 0; i < MM_PAGE_SERIES; i++)
		out[i] = by[order[i]];
}

/* ---- results of checks */

static void count_age(struct mm_page *p, int64_t seen)
{
	static const int64_t below[MM_PAGE_AGES - 1] = {DAY, 3 * DAY, 7 * DAY, 30 * DAY, 90 * DAY};
	int64_t age = p->meta->fleet.now - seen;
	size_t i = 0;
	if (seen == 0) {
		p->never++;
		return;
	}
	while (i < MM_PAGE_AGES - 1 && age >= below[i])
		i++;
	p->ages[i]++;
}

static struct mm_folds *folds_at(struct mm_page *p, size_t index)
{
	if (index >= p->n_checks) {
		size_t n = index + 32;
		struct mm_folds *more = mm_arena_alloc(p->a, n, sizeof(*more));
		if (p->n_checks > 0)
			memcpy(more, p->checks, p->n_checks * sizeof(*more));
		p->checks = more;
		p->n_checks = n;
	}
	return &p->checks[index];
}

static enum mm_class class_of(enum mm_check_outcome o)
{
	switch (o) {
	case MM_OUT_DRIFTED:
	case MM_OUT_FAILED:
		return MM_CLASS_FAIL;
	case MM_OUT_WAIVED:
		return MM_CLASS_WAIVED;
	case MM_OUT_UNKNOWN:
	case MM_OUT_DEFERRED:
		return MM_CLASS_UNSURE;
	case MM_OUT_COMPLIANT:
	case MM_OUT_NOT_APPLICABLE:
	case MM_OUT_COUNT:
		break;
	}
	return MM_CLASS_COUNT;
}

void mm_page_result(struct mm_page *p, const struct mm_check_result *r)
{
	enum mm_class c = class_of(r->outcome);
	if (r->outcome != MM_OUT_NOT_APPLICABLE)
		count_age(p, r->seen);
	if (c == MM_CLASS_COUNT)
		return;
	struct mm_fold *f = mm_fold_of(folds_at(p, r->check->index), r->client, "", p->a);
	if (f == NULL)
		return;
	/* what is wrong says what is to do, and not what is unknown */
	bool first = f->todo == NULL || (c == MM_CLASS_FAIL && f->n[MM_CLASS_FAIL] == 0);
	if (first && r->fix != NULL && *r->fix != '\0') {
		f->todo = mm_arena_strdup(p->a, r->fix);
		f->todo_of_fail = c == MM_CLASS_FAIL;
	}
	const char *name = mm_outcome_name(r->outcome);
	const struct mm_fold_place at = {.host = r->host,
	    .user = r->user,
	    .account = r->account,
	    .path = r->path,
	    .line = r->line,
	    .found = r->found,
	    .wanted = r->wanted,
	    .mark = name,
	    .word = name,
	    .why = r->why,
	    .since = r->since,
	    .seen = r->seen,
	    .stale = r->stale,
	    .claimed = r->evidence == MM_EV_CLAIMED,
	    .waiver = r->waiver};
	mm_fold_add(f, c, &at, p->a);
}

/* ---- settings and logins */

static const char *audit_mark(enum mm_audit a)
{
	static const char *const mark[MM_AUDIT_COUNT] = {[MM_AUDIT_PASS] = "compliant",
	    [MM_AUDIT_FAIL] = "failed",
	    [MM_AUDIT_UNKNOWN] = "unknown",
	    [MM_AUDIT_NOT_APPLICABLE] = "na",
	    [MM_AUDIT_WAIVED] = "waived"};
	return mark[a];
}

static enum mm_class class_of_audit(enum mm_audit a)
{
	if (a == MM_AUDIT_FAIL)
		return MM_CLASS_FAIL;
	return a == MM_AUDIT_WAIVED ? MM_CLASS_WAIVED : MM_CLASS_UNSURE;
}

void mm_page_finding(struct mm_page *p, const struct mm_finding_row *r)
{
	const struct mm_finding *f = &r->f;
	enum mm_setting s = mm_setting_by_id(f->setting);
	struct mm_fold *fold =
	    mm_fold_of(&p->drift, f->client, s != MM_SET_NONE ? mm_setting_def(s)->label : f->setting, p->a);
	if (fold == NULL)
		return;
	const struct mm_fold_place at = {.host = r->host,
	    .user = f->user,
	    .account = f->account,
	    .path = f->override_path != NULL ? f->override_path : f->path,
	    .line = f->line,
	    .found = f->found,
	    .wanted = f->desired,
	    .mark = audit_mark(r->audit),
	    .word = mm_state_name(f->state),
	    .why = f->reason,
	    .since = r->since,
	    .seen = r->seen,
	    .stale = r->stale,
	    .claimed = r->evidence == MM_EV_CLAIMED,
	    .waiver = r->waiver};
	mm_fold_add(fold, class_of_audit(r->audit), &at, p->a);
}

void mm_page_login(struct mm_page *p, const struct mm_login_row *r)
{
	const struct mm_login *l = &r->l;
	if (r->audit == MM_AUDIT_PASS || r->audit == MM_AUDIT_NOT_APPLICABLE)
		return;
	p->logins_by[class_of_audit(r->audit)]++;
	struct mm_fold *fold = mm_fold_of(&p->logins, l->cls[0] != '\0' ? l->cls : mm_result_name(l->result),
	    mm_result_name(l->result), p->a);
	if (fold == NULL)
		return;
	if (fold->text == NULL)
		fold->text = mm_arena_strdup(p->a, l->text);
	if (fold->todo == NULL && l->ladder.fix != NULL && *l->ladder.fix != '\0')
		fold->todo = mm_arena_strdup(p->a, l->ladder.fix);
	const struct mm_fold_place at = {.host = r->host,
	    .user = l->user,
	    .account = l->account,
	    .path = l->host,
	    .line = l->port,
	    .found = l->protocol,
	    .mark = audit_mark(r->audit),
	    .word = mm_result_name(l->result),
	    .why = l->admin[0] != '\0' ? l->admin : l->text,
	    .since = r->since,
	    .seen = r->seen,
	    .stale = r->stale,
	    .claimed = r->evidence == MM_EV_CLAIMED,
	    .waiver = r->waiver};
	mm_fold_add(fold, class_of_audit(r->audit), &at, p->a);
}

/* ---- servers */

static void keep_cert(struct mm_page *p, const struct mm_cert_row *r)
{
	if (p->certs == NULL)
		p->certs = mm_arena_alloc(p->a, MM_PAGE_CERTS, sizeof(*p->certs));
	size_t at = p->kept_certs;
	while (at > 0 && p->certs[at - 1].not_after > r->not_after)
		at--;
	if (at == MM_PAGE_CERTS)
		return;
	if (p->kept_certs < MM_PAGE_CERTS)
		p->kept_certs++;
	memmove(&p->certs[at + 1], &p->certs[at], (p->kept_certs - at - 1) * sizeof(*p->certs));
	p->certs[at] = *r;
	p->certs[at].server = mm_arena_strdup(p->a, r->server);
	p->certs[at].protocol = mm_arena_strdup(p->a, r->protocol);
	p->certs[at].subject = mm_arena_strdup(p->a, r->subject);
	p->certs[at].issuer = mm_arena_strdup(p->a, r->issuer);
}

void mm_page_cert(struct mm_page *p, const struct mm_cert_row *r)
{
	static const int64_t below[MM_PAGE_EXPIRIES - 1] = {0, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY};
	int64_t left = r->not_after - p->meta->fleet.now;
	size_t i = 0;
	while (i < MM_PAGE_EXPIRIES - 1 && left >= below[i])
		i++;
	p->expiries[i]++;
	p->n_certs++;
	keep_cert(p, r);
}

void mm_page_remark(struct mm_page *p, const struct mm_remark_row *r)
{
	if (p->n_remarks >= MM_PAGE_REMARKS) {
		p->remarks_left++;
		return;
	}
	struct mm_remark_row *c =
	    mm_arena_push(p->a, &p->remarks, &p->n_remarks, &p->cap_remarks, sizeof(*p->remarks));
	*c = *r;
	c->protocol = mm_arena_strdup(p->a, r->protocol);
	c->server = mm_arena_strdup(p->a, r->server);
	c->cls = mm_arena_strdup(p->a, r->cls);
	c->admin = mm_arena_strdup(p->a, r->admin);
}

/* ---- waivers and hosts */

void mm_page_waiver(struct mm_page *p, const struct mm_waiver *w)
{
	bool expired = w->until <= p->meta->fleet.now;
	p->waivers_expired += expired;
	if (p->n_waivers >= MM_PAGE_WAIVERS) {
		p->waivers_left++;
		return;
	}
	struct mm_page_waiver *c =
	    mm_arena_push(p->a, &p->waivers, &p->n_waivers, &p->cap_waivers, sizeof(*p->waivers));
	*c = (struct mm_page_waiver){.w = *w, .expired = expired};
	const char **const texts[] = {&c->w.host, &c->w.user, &c->w.group, &c->w.client, &c->w.account,
	    &c->w.check, &c->w.reason, &c->w.owner, &c->w.added_by};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = mm_arena_strdup(p->a, *texts[i]);
}

/* Longest silent first; 0 is never. NULL: there is no room. */
static struct mm_page_host *room_for_host(struct mm_page *p, int64_t seen)
{
	if (p->hosts == NULL)
		p->hosts = mm_arena_alloc(p->a, MM_PAGE_HOSTS, sizeof(*p->hosts));
	size_t at = p->n_hosts;
	while (at > 0 && p->hosts[at - 1].seen > seen)
		at--;
	if (at == MM_PAGE_HOSTS)
		return NULL;
	if (p->n_hosts < MM_PAGE_HOSTS)
		p->n_hosts++;
	memmove(&p->hosts[at + 1], &p->hosts[at], (p->n_hosts - at - 1) * sizeof(*p->hosts));
	return &p->hosts[at];
}

void mm_page_host(struct mm_page *p, const struct mm_host_row *h)
{
	if (h->seen > 0 && !h->stale)
		return;
	p->silent++;
	struct mm_page_host *at = room_for_host(p, h->seen);
	if (at == NULL)
		return;
	bool told = h->push.host != NULL && h->push.host[0] != '\0' && h->push.pending;
	*at = (struct mm_page_host){.host = mm_arena_strdup(p->a, h->host),
	    .address = mm_arena_strdup(p->a, h->address),
	    .text = told ? mm_arena_strdup(p->a, h->push.text) : "",
	    .seen = h->seen};
}

/* ---- parts of the fleet */

void mm_page_join(struct mm_page *p, const struct mm_page *part)
{
	for (size_t i = 0; i < part->n_checks; i++)
		if (part->checks[i].n > 0)
			mm_folds_join(folds_at(p, i), &part->checks[i], p->a);
	mm_folds_join(&p->drift, &part->drift, p->a);
	mm_folds_join(&p->logins, &part->logins, p->a);
	for (size_t i = 0; i < MM_CLASS_COUNT; i++)
		p->logins_by[i] += part->logins_by[i];
	for (size_t i = 0; i < MM_PAGE_AGES; i++)
		p->ages[i] += part->ages[i];
	p->never += part->never;
	p->silent += part->silent;
	for (size_t i = 0; i < part->n_hosts; i++) {
		struct mm_page_host *at = room_for_host(p, part->hosts[i].seen);
		if (at != NULL)
			*at = part->hosts[i];
	}
}

/* ---- samples */

static void from_sample(const struct mm_sample *v, int64_t out[MM_PAGE_SERIES])
{
	const int64_t n[MM_PAGE_SERIES] = {
	    v->compliant, v->waived, v->deferred, v->unknown, v->drifted, v->failed};
	memcpy(out, n, sizeof(n));
}

static bool is_trend(const struct mm_page_trend *t, enum mm_dim dim, const char *name)
{
	return t->dim == dim && mm_streq(t->name, name);
}

/* A day's samples come in the order of the day before: the next is where we look first. */
static struct mm_page_trend *trend(struct mm_page *p, enum mm_dim dim, const char *name)
{
	for (size_t i = 0; i < p->n_trends; i++) {
		size_t at = (p->hint + i) % p->n_trends;
		if (is_trend(&p->trends[at], dim, name)) {
			p->hint = at + 1;
			return &p->trends[at];
		}
	}
	struct mm_page_trend *t =
	    mm_arena_push(p->a, &p->trends, &p->n_trends, &p->cap_trends, sizeof(*p->trends));
	*t = (struct mm_page_trend){.dim = dim, .name = mm_arena_strdup(p->a, name)};
	return t;
}

const struct mm_page_trend *mm_page_trend_of(const struct mm_page *p, enum mm_dim dim, const char *name)
{
	for (size_t i = 0; i < p->n_trends; i++)
		if (is_trend(&p->trends[i], dim, name))
			return &p->trends[i];
	return NULL;
}

static void note_baseline(struct mm_page *p, const struct mm_sample *v)
{
	if (mm_streq(p->sample_baseline, v->baseline))
		return;
	p->baseline_since = p->sample_baseline != NULL ? v->day : 0;
	p->sample_baseline = mm_arena_strdup(p->a, v->baseline);
}

static int64_t whole_of(const struct mm_svg_day *d)
{
	int64_t whole = 0;
	for (size_t i = 0; i < MM_PAGE_SERIES; i++)
		whole += d->n[i];
	return whole;
}

/* A day on which there was nothing to check is a gap. */
void mm_page_sample(struct mm_page *p, const struct mm_sample *v)
{
	struct mm_svg_day day = {.day = v->day};
	from_sample(v, day.n);
	int64_t whole = whole_of(&day);
	if (whole == 0)
		return;
	if (mm_streq(v->dimension, mm_dim_name(MM_DIM_ALL))) {
		note_baseline(p, v);
		struct mm_svg_day *d =
		    mm_arena_push(p->a, &p->days, &p->n_days, &p->cap_days, sizeof(*p->days));
		*d = day;
		return;
	}
	for (enum mm_dim dim = MM_DIM_CHECK; dim < MM_DIM_COUNT; dim++) {
		if (!mm_streq(v->dimension, mm_dim_name(dim)))
			continue;
		struct mm_page_trend *t = trend(p, dim, v->name);
		struct mm_svg_point *pt = mm_arena_push(p->a, &t->v, &t->n, &t->cap, sizeof(*t->v));
		*pt = (struct mm_svg_point){.day = v->day, .percent = mm_svg_percent(v->compliant, whole)};
	}
}
