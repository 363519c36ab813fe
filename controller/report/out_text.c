#include <inttypes.h>

#include "common/term.h"
#include "common/text.h"
#include "controller/report/outputs.h"

static const char *printable(struct mm_buf *b, const char *s)
{
	mm_buf_reset(b);
	mm_printable(b, s, strlen(s));
	return mm_buf_str(b);
}

static void begin(struct mm_out *o)
{
	char now[MM_TIME_MAX];
	const struct mm_fleet *f = &o->meta->fleet;
	fprintf(o->f, "%s\n%s, ", o->meta->title, mm_time_utc(f->now, now));
	if (f->revision > 0)
		fprintf(o->f, "policy revision %" PRId64 "\n\n", f->revision);
	else
		fputs("no policy\n\n", o->f);
	fprintf(o->f,
	    "workstations  %" PRId64 " of %" PRId64 " reported lately, %" PRId64 " stale, %" PRId64
	    " never, %" PRId64 " on the current revision\n",
	    f->hosts_fresh, f->hosts, f->hosts_stale, f->hosts_never, f->hosts_current);
	fprintf(o->f,
	    "people        %" PRId64 " of %" PRId64
	    " have the settings of the policy and can log in, %" PRId64 " not, %" PRId64 " waived, %" PRId64
	    " unknown (%" PRId64 " stale, %" PRId64 " never heard of)\n",
	    f->places_by[MM_AUDIT_PASS], f->places, f->places_by[MM_AUDIT_FAIL],
	    f->places_by[MM_AUDIT_WAIVED], f->places_by[MM_AUDIT_UNKNOWN], f->places_stale,
	    f->places_unheard);
	fprintf(o->f,
	    "logins        %" PRId64 " of %" PRId64 " passed, %" PRId64 " failed, %" PRId64
	    " untested, %" PRId64 " stale\n",
	    f->logins_result[MM_LOGIN_PASSED], f->logins, f->logins_result[MM_LOGIN_FAILED],
	    f->logins_result[MM_LOGIN_UNTESTED], f->logins_stale);
	const struct mm_baseline *b = o->meta->baseline;
	if (b != NULL)
		fprintf(o->f, "judged by     %s: %s, %s (%s)\n              sha256 %s\n", b->id, b->title,
		    b->version, o->meta->baseline_by, b->sha256);
	if (f->alarms > 0)
		fprintf(o->f,
		    "AUDIT LOG     %" PRId64
		    " checkpoints that hosts have seen are not in it: mailmuster audit verify\n",
		    f->alarms);
	if (f->seals_bad > 0)
		fprintf(o->f,
		    "signatures    %" PRId64
		    " reports are not what their host has signed: mailmuster audit verify\n",
		    f->seals_bad);
}

static void section(struct mm_out *o)
{
	char t[MM_TIME_MAX];
	fprintf(o->f, "\n%s", mm_section_title(o->section));
	if (o->section == MM_SEC_CHANGES || o->section == MM_SEC_CHECK_CHANGES)
		fprintf(o->f, " since %s", mm_time_utc(o->meta->since, t));
	fputc('\n', o->f);
}

static void place(struct mm_out *o, const struct mm_place_row *p)
{
	char age[MM_TIME_MAX * 2];
	struct mm_buf b = MM_BUF_INIT(8192);
	fprintf(o->f,
	    "  %-7s %s on %s, settings %" PRId64 "/%" PRId64 ", logins %" PRId64 "/%" PRId64
	    ", evidence %s%s\n",
	    mm_audit_name(p->audit), p->user, p->host, p->settings_by[MM_AUDIT_PASS],
	    p->settings - p->settings_by[MM_AUDIT_NOT_APPLICABLE], p->logins_by[MM_LOGIN_PASSED], p->logins,
	    mm_age(o->meta->fleet.now, p->seen, age), p->claimed ? " (claimed)" : "");
	if (p->why[0] != '\0')
		fprintf(o->f, "          %s\n", printable(&b, p->why));
	mm_buf_free(&b);
}

static void waiver_of(struct mm_out *o, const struct mm_waiver_of *w)
{
	struct mm_buf s = MM_BUF_INIT(8192), b = MM_BUF_INIT(16384);
	mm_waiver_sentence(w, &s);
	if (s.len > 0)
		fprintf(o->f, "      %s\n", printable(&b, mm_buf_str(&s)));
	mm_buf_free(&b);
	mm_buf_free(&s);
}

static void finding(struct mm_out *o, const struct mm_finding_row *r)
{
	char age[MM_TIME_MAX * 2];
	struct mm_buf s = MM_BUF_INIT(8192), b = MM_BUF_INIT(16384);
	mm_finding_sentence(r, &s);
	fprintf(o->f, "  %s on %s, %s\n", r->f.user, r->host, printable(&b, mm_buf_str(&s)));
	const char *path = r->f.override_path != NULL ? r->f.override_path : r->f.path;
	fprintf(o->f, "      %s", printable(&b, path));
	if (r->f.line > 0)
		fprintf(o->f, ":%d", r->f.line);
	fprintf(o->f, ", since %s%s\n", mm_age(o->meta->fleet.now, r->since, age),
	    r->stale ? ", evidence is stale" : "");
	waiver_of(o, &r->waiver);
	mm_buf_free(&b);
	mm_buf_free(&s);
}

static void login(struct mm_out *o, const struct mm_login_row *r)
{
	char age[MM_TIME_MAX * 2];
	struct mm_buf s = MM_BUF_INIT(8192), b = MM_BUF_INIT(16384);
	mm_login_sentence(r, &s);
	fprintf(o->f, "  %s on %s, %s\n", r->l.user, r->host, printable(&b, mm_buf_str(&s)));
	fprintf(o->f, "      %s", printable(&b, r->l.cls));
	if (r->l.admin[0] != '\0')
		fprintf(o->f, ": %s", printable(&b, r->l.admin));
	if (!mm_streq(r->l.ladder.fix, ""))
		fprintf(o->f, "\n      to do: %s", printable(&b, r->l.ladder.fix));
	fprintf(o->f, "\n      held: %s, since %s", mm_login_held(&r->l),
	    mm_age(o->meta->fleet.now, r->since, age));
	fputs(", last passed: ", o->f);
	fprintf(o->f, "%s\n", mm_age(o->meta->fleet.now, r->last_passed, age));
	waiver_of(o, &r->waiver);
	mm_buf_free(&b);
	mm_buf_free(&s);
}

static void remark(struct mm_out *o, const struct mm_remark_row *r)
{
	char age[MM_TIME_MAX * 2];
	struct mm_buf b = MM_BUF_INIT(16384);
	fprintf(o->f, "  %s:%d (%s)", printable(&b, r->server), r->port, r->protocol);
	fprintf(o->f, ", %s\n", printable(&b, r->cls));
	fprintf(o->f, "      %s\n", printable(&b, r->admin));
	fprintf(o->f, "      seen %s by %" PRId64 " on %" PRId64 " workstations%s\n",
	    mm_age(o->meta->fleet.now, r->seen, age), r->users, r->hosts,
	    r->stale ? ", evidence is stale" : "");
	mm_buf_free(&b);
}

static void waiver(struct mm_out *o, const struct mm_waiver *w)
{
	char until[MM_TIME_MAX];
	struct mm_buf s = MM_BUF_INIT(8192), b = MM_BUF_INIT(16384);
	mm_waiver_scope(w, &s);
	fprintf(o->f, "  %" PRId64 ": %s, ", w->id, printable(&b, mm_buf_str(&s)));
	fprintf(o->f, "%s %s\n", w->until <= o->meta->fleet.now ? "EXPIRED on" : "until",
	    mm_time_utc(w->until, until));
	fprintf(o->f, "      owner %s: ", printable(&b, w->owner));
	fprintf(o->f, "%s\n", printable(&b, w->reason));
	mm_buf_free(&b);
	mm_buf_free(&s);
}

static void controls(struct mm_out *o, const struct mm_check *c)
{
	for (size_t i = 0; i < c->n_controls; i++)
		fprintf(o->f, "%s%s", i > 0 ? ", " : "  ", c->controls[i].id);
	fputc('\n', o->f);
}

static void check(struct mm_out *o, const struct mm_check_sum *s)
{
	struct mm_buf w = MM_BUF_INIT(4096), b = MM_BUF_INIT(16384);
	const struct mm_check *c = s->check;
	mm_check_sum_words(s, &w);
	fprintf(o->f, "  %-8s %s: %s\n", mm_severity_name(c->severity), c->id, printable(&b, mm_buf_str(&w)));
	fprintf(o->f, "           %s.", printable(&b, c->title));
	controls(o, c);
	if (c->tailored != NULL)
		fprintf(o->f, "           the policy: %s\n", printable(&b, c->tailored));
	mm_buf_free(&b);
	mm_buf_free(&w);
}

/* What is behind the line that says which check of what went how. */
static void rest_of_result(struct mm_out *o, const struct mm_check_result *r, struct mm_buf *b)
{
	char age[MM_TIME_MAX * 2];
	struct mm_buf w = MM_BUF_INIT(16384);
	mm_check_result_sentence(r, &w);
	if (w.len > 0)
		fprintf(o->f, "      %s\n", printable(b, mm_buf_str(&w)));
	if (r->path != NULL && r->path[0] != '\0') {
		fprintf(o->f, "      %s", printable(b, r->path));
		if (r->line > 0)
			fprintf(o->f, ":%d", r->line);
		fputc('\n', o->f);
	}
	fprintf(o->f, "      evidence %s%s%s", mm_age(o->meta->fleet.now, r->seen, age),
	    r->stale ? ", stale" : "", r->evidence == MM_EV_CLAIMED ? ", claimed" : "");
	if (r->since > 0)
		fprintf(o->f, ", so since %s", mm_age(o->meta->fleet.now, r->since, age));
	fputc('\n', o->f);
	if (r->fix[0] != '\0')
		fprintf(o->f, "      to do: %s\n", printable(b, r->fix));
	waiver_of(o, &r->waiver);
	mm_buf_free(&w);
}

/* Results of one thing that are unknown for one reason come one behind the other: they are told once. */
struct unknown {
	struct mm_arena *a; /* of what follows */
	struct mm_check_result first;
	struct mm_buf checks; /* their names */
	int64_t n;
};

static bool may_fold(const struct mm_check_result *r)
{
	return r->outcome == MM_OUT_UNKNOWN || r->outcome == MM_OUT_DEFERRED ||
	       (r->outcome == MM_OUT_WAIVED && r->seen == 0);
}

static bool is_alike(const struct mm_check_result *x, const struct mm_check_result *r)
{
	return x->outcome == r->outcome && x->evidence == r->evidence && x->stale == r->stale &&
	       x->waiver.id == r->waiver.id && x->seen == r->seen && mm_streq(x->why, r->why) &&
	       mm_streq(x->account, r->account) && mm_streq(x->client, r->client) &&
	       mm_streq(x->user, r->user) && mm_streq(x->host, r->host);
}

static struct mm_check_result copy_of(const struct mm_check_result *r, struct mm_arena *a)
{
	struct mm_check_result c = *r;
	const char **texts[] = {&c.host, &c.user, &c.client, &c.account, &c.path, &c.found, &c.wanted, &c.why,
	    &c.fix, &c.waiver.owner, &c.waiver.reason};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = *texts[i] != NULL ? mm_arena_strdup(a, *texts[i]) : NULL;
	return c;
}

static void result(struct mm_out *o, const struct mm_check_result *r, struct mm_buf *b)
{
	struct mm_buf w = MM_BUF_INIT(16384);
	mm_check_result_of(r, &w);
	fprintf(o->f, "  %-9s %-8s %s: %s\n", mm_outcome_name(r->outcome),
	    mm_severity_name(r->check->severity), r->check->id, printable(b, mm_buf_str(&w)));
	rest_of_result(o, r, b);
	mm_buf_free(&w);
}

static void results(struct mm_out *o, const struct unknown *u, struct mm_buf *b)
{
	struct mm_check_result r = u->first;
	struct mm_buf w = MM_BUF_INIT(16384);
	r.path = r.found = r.wanted = NULL; /* of one of them only */
	mm_check_result_of(&r, &w);
	fprintf(o->f, "  %-9s %" PRId64 " checks: %s\n", mm_outcome_name(r.outcome), u->n,
	    printable(b, mm_buf_str(&w)));
	fprintf(o->f, "      %s\n", mm_buf_str(&u->checks));
	rest_of_result(o, &r, b);
	mm_buf_free(&w);
}

static void tell_unknown(struct mm_out *o)
{
	struct unknown *u = o->state;
	struct mm_buf b = MM_BUF_INIT(65536);
	if (u != NULL && u->n == 1)
		result(o, &u->first, &b);
	else if (u != NULL && u->n > 1)
		results(o, u, &b);
	if (u != NULL)
		u->n = 0;
	mm_buf_free(&b);
}

static void take_result(struct mm_out *o, const struct mm_check_result *r)
{
	struct unknown *u = o->state;
	if (u == NULL) {
		o->state = u = mm_arena_alloc(o->arena, 1, sizeof(*u));
		u->checks = MM_BUF_INIT(65536);
	}
	if (u->n == 0 || !is_alike(&u->first, r)) {
		tell_unknown(o);
		mm_arena_free(u->a);
		u->a = mm_arena_new();
		u->first = copy_of(r, u->a);
		mm_buf_reset(&u->checks);
	}
	if (!mm_streq(u->first.fix, r->fix))
		u->first.fix = ""; /* each has its own */
	mm_buf_addf(&u->checks, "%s%s", u->checks.len > 0 ? ", " : "", r->check->id);
	u->n++;
	if (!may_fold(r))
		tell_unknown(o);
}

static void done(struct mm_out *o)
{
	struct unknown *u = o->state;
	if (u == NULL)
		return;
	mm_arena_free(u->a);
	mm_buf_free(&u->checks);
}

static void check_change(struct mm_out *o, const struct mm_check_change *r)
{
	struct mm_buf then = MM_BUF_INIT(4096), now = MM_BUF_INIT(4096), b = MM_BUF_INIT(16384);
	mm_check_sum_words(r->then, &then);
	mm_check_sum_words(r->now, &now);
	fprintf(o->f, "  %s\n", r->now->check->id);
	fprintf(o->f, "      then: %s\n", printable(&b, mm_buf_str(&then)));
	fprintf(o->f, "      now:  %s\n", printable(&b, mm_buf_str(&now)));
	mm_buf_free(&b);
	mm_buf_free(&now);
	mm_buf_free(&then);
}

static void change(struct mm_out *o, const struct mm_change_row *r)
{
	struct mm_buf of = MM_BUF_INIT(16384), then = MM_BUF_INIT(16384), now = MM_BUF_INIT(16384);
	struct mm_buf b = MM_BUF_INIT(65536);
	mm_change_of(r, &of);
	mm_change_side_words(&r->then, &then);
	mm_change_side_words(&r->now, &now);
	fprintf(o->f, "  %-7s %s\n", mm_turn_name(r->change), printable(&b, mm_buf_str(&of)));
	fprintf(o->f, "          then %s", printable(&b, mm_buf_str(&then)));
	fprintf(o->f, "\n          now  %s\n", printable(&b, mm_buf_str(&now)));
	mm_buf_free(&b);
	mm_buf_free(&now);
	mm_buf_free(&then);
	mm_buf_free(&of);
}

static void host(struct mm_out *o, const struct mm_host_row *h)
{
	char age[MM_TIME_MAX * 2];
	struct mm_buf b = MM_BUF_INIT(8192);
	fprintf(o->f, "  %s: last report %s%s, revision %" PRId64, h->host,
	    mm_age(o->meta->fleet.now, h->seen, age), h->stale ? " (stale)" : "", h->revision);
	if (h->push.host != NULL && h->push.host[0] != '\0' && h->push.pending)
		fprintf(o->f, ", revision %" PRId64 " pending: %s", h->push.revision,
		    printable(&b, h->push.text[0] != '\0' ? h->push.text : "not tried yet"));
	fputc('\n', o->f);
	mm_buf_free(&b);
}

static void row(struct mm_out *o, union mm_report_row r)
{
	switch (o->section) {
	case MM_SEC_PLACES:
		place(o, r.place);
		break;
	case MM_SEC_DIFFERENCES:
		finding(o, r.finding);
		break;
	case MM_SEC_LOGINS:
		login(o, r.login);
		break;
	case MM_SEC_REMARKS:
		remark(o, r.remark);
		break;
	case MM_SEC_WAIVERS:
		waiver(o, r.waiver);
		break;
	case MM_SEC_HOSTS:
		host(o, r.host);
		break;
	case MM_SEC_CHECKS:
		check(o, r.sum);
		break;
	case MM_SEC_RESULTS:
	case MM_SEC_ALL_RESULTS:
		take_result(o, r.result);
		break;
	case MM_SEC_CHECK_CHANGES:
		check_change(o, r.check_change);
		break;
	case MM_SEC_CHANGES:
		change(o, r.change);
		break;
	case MM_SEC_CERTS:
	case MM_SEC_SAMPLES:
	case MM_SEC_ALL_FINDINGS:
	case MM_SEC_ALL_LOGINS:
	case MM_SEC_COUNT:
		break;
	}
}

static void section_end(struct mm_out *o)
{
	tell_unknown(o);
	int64_t unheard = o->section == MM_SEC_PLACES ? o->meta->fleet.places_unheard : 0;
	if (unheard > 0)
		fprintf(o->f, "  unknown %" PRId64 " more, of whom nothing was ever reported\n", unheard);
	else if (o->rows == 0)
		fputs("  nothing\n", o->f);
}

const struct mm_output mm_output_text = {
    .name = "text",
    .about = "plain text for a terminal or a mail",
    .sections = {MM_SEC_CHECK_CHANGES, MM_SEC_CHANGES, MM_SEC_CHECKS, MM_SEC_RESULTS, MM_SEC_PLACES,
	MM_SEC_DIFFERENCES, MM_SEC_LOGINS, MM_SEC_REMARKS, MM_SEC_WAIVERS, MM_SEC_HOSTS, MM_SEC_COUNT},
    .begin = begin,
    .section = section,
    .row = row,
    .section_end = section_end,
    .done = done,
};
