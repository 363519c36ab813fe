#include "controller/push_answer.h"

#include <string.h>

#include "common/text.h"
#include "controller/preflight.h"
#include "schemas/facts.h"
#include "schemas/proto.h"

#define FINDINGS_OF_ONE 24
#define FINDINGS_MAX 1000000 /* of one host, in one answer */

struct report {
	struct mm_report_head head;
	struct mm_finding *findings;
	size_t n_findings, cap_findings;
	struct mm_login *logins;
	size_t n_logins, cap_logins;
	struct mm_seal seal;
};

struct mm_collect {
	struct mm_arena *a;
	const char *host;
	struct report *reports;
	size_t n, cap, rows;
	struct mm_sealing sealing; /* of the report that came last */
	const struct mm_checkpoint *checkpoint;
};

struct mm_collect *mm_collect_new(const char *host)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_collect *c = mm_arena_alloc(a, 1, sizeof(*c));
	c->a = a;
	c->host = mm_arena_strdup(a, host);
	return c;
}

void mm_collect_free(struct mm_collect *c)
{
	char unused[MM_SHA256_HEX];
	if (c == NULL)
		return;
	(void)mm_sealing_end(&c->sealing, unused);
	mm_arena_free(c->a);
}

static void end_report(struct mm_collect *c)
{
	char sha256[MM_SHA256_HEX];
	if (mm_sealing_end(&c->sealing, sha256))
		memcpy(c->reports[c->n - 1].seal.sha256, sha256, sizeof(sha256));
}

/* The signatures of the reports, and what the host has seen of our log. */
static int take_end(struct mm_collect *c, const struct mm_frame *f, struct mm_err *err)
{
	struct mm_end_seals x;
	end_report(c);
	if (mm_end_seals_decode(f->body, f->len, c->a, &x, err) != 0)
		return -1;
	for (size_t i = 0; x.key != NULL && i < x.n && i < c->n; i++) {
		memcpy(c->reports[i].seal.key, x.key, MM_SHA256_HEX);
		memcpy(c->reports[i].seal.sig, x.sigs[i], MM_SIGNATURE);
	}
	c->checkpoint = x.checkpoint;
	return 0;
}

/* A host may speak for itself only. */
static int take_report(struct mm_collect *c, const struct mm_frame *f, struct mm_err *err)
{
	struct mm_report_head head;
	end_report(c);
	if (mm_report_head_decode(f->body, f->len, c->a, &head, err) != 0)
		return -1;
	if (!mm_streq(head.host, c->host))
		return mm_err_set(err, MM_EX_DATAERR, "a report in the name of host \"%s\"", head.host);
	struct report *r = mm_arena_push(c->a, &c->reports, &c->n, &c->cap, sizeof(*r));
	*r = (struct report){.head = head};
	mm_sealing_add(&c->sealing, f->type, f->body, f->len);
	return 0;
}

int mm_collect_frame(struct mm_collect *c, const struct mm_frame *f, struct mm_err *err)
{
	if (f->type == MM_FT_END)
		return take_end(c, f, err);
	if (f->type == MM_FT_REPORT)
		return take_report(c, f, err);
	if (c->n == 0)
		return mm_err_set(err, MM_EX_DATAERR, "a finding or login without a report");
	if (++c->rows > FINDINGS_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "more than %d findings and logins", FINDINGS_MAX);
	mm_sealing_add(&c->sealing, f->type, f->body, f->len);
	struct report *r = &c->reports[c->n - 1];
	if (f->type == MM_FT_FINDING) {
		/* One account has about as many: the array need not grow. */
		if (r->cap_findings == 0)
			r->findings =
			    mm_arena_alloc(c->a, r->cap_findings = FINDINGS_OF_ONE, sizeof(*r->findings));
		struct mm_finding *place =
		    mm_arena_push(c->a, &r->findings, &r->n_findings, &r->cap_findings, sizeof(*place));
		const struct mm_finding *last = r->n_findings > 1 ? place - 1 : NULL;
		return mm_finding_decode_after(f->body, f->len, c->a, last, place, err);
	}
	struct mm_login *place =
	    mm_arena_push(c->a, &r->logins, &r->n_logins, &r->cap_logins, sizeof(*place));
	return mm_login_decode(f->body, f->len, c->a, place, err);
}

void mm_trouble_add(struct mm_push_summary *s, const struct mm_trouble *t)
{
	if (s->n_troubles >= MM_TROUBLE_MAX) {
		s->more_troubles++;
		return;
	}
	struct mm_trouble *place =
	    mm_arena_push(s->arena, &s->troubles, &s->n_troubles, &s->cap_troubles, sizeof(*place));
	*place = (struct mm_trouble){
	    .host = mm_arena_strdup(s->arena, t->host),
	    .user = mm_arena_strdup(s->arena, t->user),
	    .client = mm_arena_strdup(s->arena, t->client),
	    .account = mm_arena_strdup(s->arena, t->account),
	    .what = mm_arena_strdup(s->arena, t->what),
	    .text = mm_arena_strdup(s->arena, t->text),
	    .login = t->login,
	};
}

static const char *or_none(const char *s)
{
	return s != NULL ? s : "(none)";
}

static void count_finding(
    struct mm_collect *c, const struct mm_finding *f, struct mm_host_result *r, struct mm_push_summary *s)
{
	struct mm_verdict v = mm_verdict(f->state, f->action);
	if (mm_is_fact(f->setting)) /* kept, and no news of this push */
		return;
	r->findings++;
	r->actions[f->action]++;
	r->states[f->state]++;
	r->errors += v.exit_bit == MM_EX_FAILED;
	if (s->op == MM_OP_PREFLIGHT) {
		mm_preflight_finding(s, r, f);
		return;
	}
	if (s->op == MM_OP_DISCOVER && f->state != MM_ST_ERROR && f->state != MM_ST_DEFERRED) {
		s->how->hear(s->how->hear_ctx, c->host, f);
		return;
	}
	if (mm_streq(f->reason, MM_REASON_RELEASED) && s->released++ == 0)
		s->released_here =
		    mm_arena_printf(s->arena, "%s@%s, %s %s", f->user, c->host, f->client, f->account);
	if (v.exit_bit == MM_EX_OK)
		return;
	r->exit_bits |= MM_EX_DIFF;
	if (s->op == MM_OP_PLAN && f->action == MM_ACT_WOULD_CHANGE) {
		mm_changes_add(s->changes, c->host, f);
		return;
	}
	struct mm_trouble t = {.host = c->host,
	    .user = f->user,
	    .client = f->client,
	    .account = f->account,
	    .what = mm_arena_printf(
		c->a, "%s%s%s", mm_state_name(f->state), *f->setting != '\0' ? " " : "", f->setting)};
	t.text = f->reason != NULL && *f->reason != '\0'
		     ? f->reason
		     : mm_arena_printf(
			   c->a, "%s is %s, should be %s", f->path, or_none(f->found), or_none(f->desired));
	mm_trouble_add(s, &t);
}

static void count_login(
    struct mm_collect *c, const struct mm_login *l, struct mm_host_result *r, struct mm_push_summary *s)
{
	r->logins[l->result]++;
	if (s->op == MM_OP_PREFLIGHT) {
		mm_preflight_login(s, c->host, l);
		return;
	}
	r->exit_bits |= mm_login_verdict(l->result, l->cls).exit_bit;
	mm_causes_add(s->causes, c->host, l);
	/* A verify shows them by cause. */
	if (l->result != MM_LOGIN_FAILED || s->op == MM_OP_VERIFY)
		return;
	struct mm_trouble t = {.host = c->host,
	    .user = l->user,
	    .client = "",
	    .account = l->account,
	    .login = true,
	    .what = mm_arena_printf(c->a, "%s %s", l->side, l->cls),
	    .text = *l->admin != '\0' ? l->admin : l->text};
	mm_trouble_add(s, &t);
}

static void count(
    struct mm_collect *c, const struct report *p, struct mm_host_result *r, struct mm_push_summary *s)
{
	for (size_t i = 0; i < p->n_findings; i++)
		count_finding(c, &p->findings[i], r, s);
	if (s->op == MM_OP_PLAN)
		mm_changes_servers(s->changes, p->findings, p->n_findings);
	for (size_t i = 0; i < p->n_logins; i++)
		count_login(c, &p->logins[i], r, s);
	for (const char *const *u = p->head.users; u != NULL && *u != NULL; u++)
		r->covered++;
	/* Most hosts have the same one. */
	if (!mm_streq(s->agent, p->head.agent))
		s->agent = mm_arena_strdup(s->arena, p->head.agent);
	if (r->agent[0] == '\0')
		r->agent = s->agent;
}

static int store_report(
    struct mm_store *store, const struct report *p, bool ours, int64_t checkpoint, struct mm_err *err)
{
	struct mm_report_head head = p->head;
	bool fresh;
	/* A plan says what would be, not what is. */
	if (mm_streq(p->head.op, mm_op_name(MM_OP_PLAN)))
		return 0;
	/* Whatever it says of itself: what was carried is a claim. */
	if (!ours)
		head.evidence = MM_EV_CLAIMED;
	const struct mm_report_in in = {.head = &head,
	    .findings = p->findings,
	    .n_findings = p->n_findings,
	    .logins = p->logins,
	    .n_logins = p->n_logins,
	    .direct = ours,
	    .checkpoint = checkpoint,
	    .seal = &p->seal};
	return mm_store_report(store, &in, &fresh, err);
}

static bool answers(const struct report *p, const struct mm_host_result *r)
{
	return mm_streq(p->head.request_id, r->made.id);
}

bool mm_collect_report(const struct mm_collect *c, const char *request_id, size_t i, struct mm_report_in *out)
{
	for (size_t k = 0; k < c->n; k++) {
		const struct report *p = &c->reports[k];
		if (!mm_streq(p->head.request_id, request_id) || i-- > 0)
			continue;
		*out = (struct mm_report_in){.head = &p->head,
		    .findings = p->findings,
		    .n_findings = p->n_findings,
		    .logins = p->logins,
		    .n_logins = p->n_logins,
		    .direct = true};
		return true;
	}
	return false;
}

static void note_plan(const struct mm_collect *c, struct mm_host_result *r, struct mm_arena *keep)
{
	char hex[MM_SHA256_HEX];
	struct mm_plan_digest *d = mm_plan_digest_new();
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; answers(&c->reports[i], r) && k < c->reports[i].n_findings; k++)
			mm_plan_digest_add(d, &c->reports[i].findings[k]);
	r->changes = mm_plan_digest_end(d, hex);
	r->plan = mm_arena_strdup(keep, hex);
}

/* A host that has signed what it reported, and does so no more. */
static int look_at_seals(
    const struct mm_collect *c, struct mm_store *store, struct mm_push_summary *s, struct mm_err *err)
{
	bool signs = false;
	size_t i = 0;
	while (i < c->n && *c->reports[i].seal.key != '\0')
		i++;
	if (i == c->n)
		return 0;
	if (mm_store_host_signs(store, c->host, &signs, err) < 0)
		return -1;
	const struct mm_trouble t = {.host = c->host,
	    .user = "",
	    .client = "",
	    .account = "",
	    .what = "report not signed",
	    .text = "this host has signed its reports before: is its agent the one that was installed?"};
	if (signs)
		mm_trouble_add(s, &t);
	return signs;
}

/* What the host has seen of our log must be in it. */
static int look_at_checkpoint(
    struct mm_collect *c, struct mm_store *store, struct mm_push_summary *s, bool *ours, struct mm_err *err)
{
	struct mm_trouble t = {
	    .host = c->host, .user = "", .client = "", .account = "", .what = "audit log contradicted"};
	*ours = c->checkpoint != NULL;
	if (!*ours)
		return 0;
	if (mm_store_checkpoint_heard(store, c->host, c->checkpoint, c->a, &t.text, err) < 0)
		return -1;
	*ours = t.text == NULL;
	if (t.text != NULL)
		mm_trouble_add(s, &t);
	return t.text != NULL;
}

int mm_collect_store(struct mm_collect *c, struct mm_store *store, struct mm_host_result *r,
    struct mm_push_summary *s, struct mm_err *err)
{
	if (s->op == MM_OP_PLAN)
		note_plan(c, r, s->arena);
	/* It is about settings that are not in force, or about no policy's at all. */
	bool keep = s->op != MM_OP_PREFLIGHT && s->op != MM_OP_DISCOVER;
	bool seen = false;
	int unsealed = keep ? look_at_seals(c, store, s, err) : 0;
	int alarm = look_at_checkpoint(c, store, s, &seen, err);
	if (unsealed < 0 || alarm < 0)
		return -1;
	if (unsealed > 0 || alarm > 0)
		r->exit_bits |= MM_EX_DIFF;
	/* First what was carried, whatever time it claims to be of: what was
	 * seen just now has the last word. */
	for (int ours = 0; ours <= 1; ours++) {
		for (size_t i = 0; i < c->n; i++) {
			const struct report *p = &c->reports[i];
			if (answers(p, r) != (ours == 1))
				continue;
			if (ours == 1)
				count(c, p, r, s);
			r->reports += ours == 1;
			r->spooled += ours == 0;
			if (keep &&
			    store_report(store, p, ours == 1, seen ? c->checkpoint->seq : 0, err) != 0)
				return -1;
		}
	}
	return 0;
}
