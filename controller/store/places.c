/*
 * What each place comes to. A summary in `places` counts the kinds of its
 * findings and logins; it is judged here, at the reader's time. Where a
 * summary cannot say it exactly - some rows stale and some not - the rows of
 * that place are counted, and so they are for the past.
 */
#include "common/text.h"
#include "controller/store/walks.h"

#define TOO_MANY "*" /* kinds for a summary */

static void weigh(struct mm_place *p, enum mm_audit audit)
{
	if (mm_audit_weight(audit) > mm_audit_weight(p->worst))
		p->worst = audit;
}

static void add_settings(struct mm_place *p, enum mm_state state, enum mm_audit audit, bool stale, int64_t n)
{
	p->settings += n;
	p->settings_by[audit] += n;
	if (stale)
		p->settings_stale += n;
	else
		p->settings_state[state] += n;
	p->stale |= stale;
	weigh(p, audit);
}

static void add_logins(struct mm_place *p, int result, enum mm_audit audit, bool stale, int64_t n)
{
	p->logins += n;
	p->logins_by[audit] += n;
	if (stale)
		p->logins_stale += n;
	else if (result >= 0)
		p->logins_result[result] += n;
	p->stale |= stale;
	weigh(p, audit);
}

static void add_age(struct mm_place *p, int64_t seen, bool claimed)
{
	if (p->seen == 0 || seen < p->seen)
		p->seen = seen;
	p->claimed |= claimed;
}

/* ---- the rows that show why */

static bool passes(enum mm_audit a)
{
	return a == MM_AUDIT_PASS || a == MM_AUDIT_NOT_APPLICABLE;
}

static const char *kept(struct mm_arena *a, const char *s)
{
	return mm_arena_strdup(a, s);
}

static struct mm_waiver_of keep_waiver(struct mm_arena *a, const struct mm_waiver_of *w)
{
	struct mm_waiver_of out = *w;

	out.owner = kept(a, w->owner);
	out.reason = kept(a, w->reason);
	return out;
}

static void show_finding(struct mm_place_walk *w, const struct mm_finding_row *r)
{
	struct mm_place *p = &w->p;
	struct mm_finding_row *c;

	if (!w->why || passes(r->audit) ||
	    (p->finding && mm_audit_weight(r->audit) <= mm_audit_weight(p->finding->audit)))
		return;
	c = mm_arena_alloc(w->a, 1, sizeof(*c));
	*c = *r;
	c->host = kept(w->a, r->host);
	c->f.user = kept(w->a, r->f.user);
	c->f.client = kept(w->a, r->f.client);
	c->f.path = kept(w->a, r->f.path);
	c->f.account = kept(w->a, r->f.account);
	c->f.setting = kept(w->a, r->f.setting);
	c->f.desired = kept(w->a, r->f.desired);
	c->f.found = kept(w->a, r->f.found);
	c->f.override_path = kept(w->a, r->f.override_path);
	c->f.reason = kept(w->a, r->f.reason);
	c->waiver = keep_waiver(w->a, &r->waiver);
	p->finding = c;
}

/* Of the login only what a sentence needs. */
static void show_login(struct mm_place_walk *w, const struct mm_login_row *r)
{
	struct mm_place *p = &w->p;
	struct mm_login_row *c;

	if (!w->why || passes(r->audit) ||
	    (p->login && mm_audit_weight(r->audit) <= mm_audit_weight(p->login->audit)))
		return;
	c = mm_arena_alloc(w->a, 1, sizeof(*c));
	*c = *r;
	c->host = kept(w->a, r->host);
	c->l = (struct mm_login){.user = kept(w->a, r->l.user),
	    .account = kept(w->a, r->l.account),
	    .side = kept(w->a, r->l.side),
	    .protocol = kept(w->a, r->l.protocol),
	    .host = kept(w->a, r->l.host),
	    .port = r->l.port,
	    .security = kept(w->a, r->l.security),
	    .auth = kept(w->a, r->l.auth),
	    .username = kept(w->a, r->l.username),
	    .result = r->l.result,
	    .cls = kept(w->a, r->l.cls),
	    .text = kept(w->a, r->l.text),
	    .admin = kept(w->a, r->l.admin),
	    .when = r->l.when};
	c->waiver = keep_waiver(w->a, &r->waiver);
	p->login = c;
}

/* ---- by the rows */

static int order_of(const char *host, const char *user, const struct mm_place *p)
{
	int rc = strcmp(host, p->host);

	return rc ? rc : strcmp(user, p->user);
}

static int rows_findings(struct mm_place_walk *w, struct mm_finding_walk *f, struct mm_err *err)
{
	while (f->row && order_of(f->r.host, f->r.f.user, &w->p) == 0) {
		add_settings(&w->p, f->r.f.state, f->r.audit, f->r.stale, 1);
		add_age(&w->p, f->r.seen, f->r.evidence == MM_EV_CLAIMED);
		show_finding(w, &f->r);
		if (mm_finding_walk_next(f, err))
			return -1;
	}
	return 0;
}

static int rows_logins(struct mm_place_walk *w, struct mm_login_walk *l, struct mm_err *err)
{
	while (l->row && order_of(l->r.host, l->r.l.user, &w->p) == 0) {
		add_logins(&w->p, (int)l->r.l.result, l->r.audit, l->r.stale, 1);
		add_age(&w->p, l->r.seen, l->r.evidence == MM_EV_CLAIMED);
		show_login(w, &l->r);
		if (mm_login_walk_next(l, err))
			return -1;
	}
	return 0;
}

static void begin_place(struct mm_place_walk *w, const char *host, const char *user)
{
	w->p = (struct mm_place){.host = mm_arena_strdup(w->a, host),
	    .user = mm_arena_strdup(w->a, user),
	    .worst = MM_AUDIT_NOT_APPLICABLE};
}

static int rows_next(struct mm_place_walk *w, struct mm_err *err)
{
	struct mm_finding_walk *f = &w->findings;
	struct mm_login_walk *l = &w->logins;

	w->row = f->row || l->row;
	if (!w->row)
		return 0;
	if (!f->row)
		begin_place(w, l->r.host, l->r.l.user);
	else
		begin_place(w, f->r.host, f->r.f.user);
	if (f->row && l->row && order_of(l->r.host, l->r.l.user, &w->p) < 0)
		begin_place(w, l->r.host, l->r.l.user);
	return rows_findings(w, f, err) || rows_logins(w, l, err) ? -1 : 0;
}

/* The rows of one place, instead of its summary. */
static int count_rows(struct mm_place_walk *w, struct mm_err *err)
{
	struct mm_evidence_filter one = w->f;
	struct mm_finding_walk f;
	struct mm_login_walk l;
	int rc = -1;

	one.host = w->p.host;
	one.user = w->p.user;
	begin_place(w, one.host, one.user);
	if (mm_finding_walk_open(&f, w->s, &one, MM_WHICH_ALL, w->waivers, err))
		return -1;
	if (!mm_login_walk_open(&l, w->s, &one, MM_WHICH_ALL, w->waivers, err)) {
		rc = rows_findings(w, &f, err) || rows_logins(w, &l, err) ? -1 : 0;
		mm_login_walk_close(&l);
	}
	mm_finding_walk_close(&f);
	return rc;
}

/* ---- by the summaries */

/* Columns of MM_SQL_PLACES. */
enum {
	C_HOST,
	C_USER,
	C_SETTINGS,
	C_SETTINGS_OLDEST,
	C_SETTINGS_NEWEST,
	C_SETTINGS_CLAIMED,
	C_LOGINS,
	C_LOGINS_OLDEST,
	C_LOGINS_NEWEST,
	C_LOGINS_CLAIMED
};

/* One line "COUNT WORD WORD REST"; false at the end. The texts live in `a`. */
struct kind {
	int64_t n;
	char *first, *second;
};

static bool next_kind(char **at, struct kind *k)
{
	char *line = *at, *end, *blank;

	if (!line || !*line)
		return false;
	end = strchr(line, '\n');
	if (end)
		*end = '\0';
	*at = end ? end + 1 : NULL;
	blank = strchr(line, ' ');
	if (!blank)
		return false;
	*blank = '\0';
	k->first = blank + 1;
	blank = strchr(k->first, ' ');
	if (!blank || mm_parse_int(line, 0, INT64_MAX, &k->n))
		return false;
	*blank = '\0';
	k->second = blank + 1;
	return true;
}

struct ages {
	int64_t oldest, newest;
	bool stale, mixed;
};

static struct ages ages_of(int64_t oldest, int64_t newest, int64_t cover, int64_t edge)
{
	struct ages a = {
	    .oldest = oldest > cover ? oldest : cover, .newest = newest > cover ? newest : cover};

	a.stale = a.newest < edge;
	a.mixed = !a.stale && a.oldest < edge;
	return a;
}

/* A kind of findings: "STATE", "ACTION CLIENT". */
static void judge_setting(struct mm_place_walk *w, struct kind *k, bool stale, bool waivable)
{
	char *client = strchr(k->second, ' ');
	int state, action;

	if (client)
		*client++ = '\0';
	if (w->f.client && !mm_streq(client ? client : "", w->f.client))
		return;
	state = mm_state_by_name(k->first);
	action = mm_action_by_name(k->second);
	/* What may be waived is counted row by row. */
	if (waivable && state != MM_ST_COMPLIANT)
		return;
	if (state < 0)
		state = MM_ST_UNKNOWN;
	add_settings(&w->p, (enum mm_state)state,
	    mm_audit_of(
		mm_verdict((enum mm_state)state, action < 0 ? MM_ACT_NONE : (enum mm_action)action).audit,
		stale, false),
	    stale, k->n);
}

static void judge_login(struct mm_place_walk *w, struct kind *k, bool stale, bool waivable)
{
	int result = mm_result_by_name(k->first);
	enum mm_audit audit = MM_AUDIT_UNKNOWN;

	if (waivable && result != MM_LOGIN_PASSED)
		return;
	if (result >= 0)
		audit = mm_audit_of(mm_login_verdict((enum mm_result)result, k->second).audit, stale, false);
	add_logins(&w->p, result, audit, stale, k->n);
}

/* The rows of this place that differ: those that may be waived are counted, the others only shown. */
static int differing(struct mm_place_walk *w, bool count, struct mm_err *err)
{
	struct mm_finding_walk *f = &w->findings;
	struct mm_login_walk *l = &w->logins;
	int rc;

	for (; f->row && (rc = order_of(f->r.host, f->r.f.user, &w->p)) <= 0;) {
		if (rc == 0) {
			if (count)
				add_settings(&w->p, f->r.f.state, f->r.audit, f->r.stale, 1);
			show_finding(w, &f->r);
		}
		if (mm_finding_walk_next(f, err))
			return -1;
	}
	for (; l->row && (rc = order_of(l->r.host, l->r.l.user, &w->p)) <= 0;) {
		if (rc == 0) {
			if (count)
				add_logins(&w->p, (int)l->r.l.result, l->r.audit, l->r.stale, 1);
			show_login(w, &l->r);
		}
		if (mm_login_walk_next(l, err))
			return -1;
	}
	return 0;
}

static void judge_all(struct mm_place_walk *w, const struct ages *s, const struct ages *l, bool waivable)
{
	char *settings = mm_arena_strdup(w->a, mm_q_str(&w->q, C_SETTINGS)),
	     *logins = mm_arena_strdup(w->a, mm_q_str(&w->q, C_LOGINS));
	struct kind k;

	while (next_kind(&settings, &k))
		judge_setting(w, &k, s->stale, waivable);
	while (next_kind(&logins, &k))
		judge_login(w, &k, l->stale, waivable);
}

/* Can the summary say it? Not, when some rows are stale and some are not, or
 * when some rest on what covers the place and some on what came beside it. */
static bool summary_says(struct mm_place_walk *w, const struct mm_cover *c, struct ages *s, struct ages *l)
{
	struct mm_q *q = &w->q;
	const char *settings = mm_q_str(q, C_SETTINGS), *logins = mm_q_str(q, C_LOGINS);
	int64_t newest = mm_q_int(q, C_SETTINGS_NEWEST), oldest = mm_q_int(q, C_SETTINGS_OLDEST);

	*s = ages_of(oldest, newest, c->seen, w->m.edge);
	*l = ages_of(mm_q_int(q, C_LOGINS_OLDEST), mm_q_int(q, C_LOGINS_NEWEST), 0, w->m.edge);
	if (mm_streq(settings, TOO_MANY) || mm_streq(logins, TOO_MANY))
		return false;
	if (*settings && (s->mixed || (newest > c->seen && (oldest <= c->seen || w->f.client))))
		return false;
	return !(*logins && l->mixed);
}

static int from_summary(struct mm_place_walk *w, struct mm_err *err)
{
	struct mm_q *q = &w->q;
	struct mm_place *p = &w->p;
	struct mm_cover c;
	struct ages s, l;
	bool waivable = false;

	begin_place(w, mm_q_str(q, C_HOST), mm_q_str(q, C_USER));
	if (mm_cover_of(&w->cover, p->host, p->user, &c, err) ||
	    mm_waivers_place(w->waivers, p->host, p->user, &waivable, err))
		return -1;
	w->covered += c.seen > 0;
	if (!summary_says(w, &c, &s, &l))
		return (w->detail && differing(w, false, err)) || count_rows(w, err) ? -1 : 0;
	judge_all(w, &s, &l, waivable);
	if (w->detail && differing(w, waivable, err))
		return -1;
	if (p->settings > 0)
		add_age(p, s.oldest,
		    mm_q_int(q, C_SETTINGS_NEWEST) > c.seen ? mm_q_int(q, C_SETTINGS_CLAIMED) != 0
							    : c.evidence == MM_EV_CLAIMED);
	if (p->logins > 0)
		add_age(p, l.oldest, mm_q_int(q, C_LOGINS_CLAIMED) != 0);
	return 0;
}

static int summary_next(struct mm_place_walk *w, struct mm_err *err)
{
	do {
		w->row = mm_q_step(&w->q, err);
		if (w->row <= 0)
			return w->row;
		if (from_summary(w, err))
			return -1;
		/* Of the chosen client it may have nothing. */
	} while (w->p.settings + w->p.logins == 0);
	return 0;
}

int mm_place_walk_next(struct mm_place_walk *w, struct mm_err *err)
{
	mm_arena_reset(w->a);
	return w->rows ? rows_next(w, err) : summary_next(w, err);
}

static int open_all(struct mm_place_walk *w, struct mm_err *err)
{
	const struct mm_evidence_filter *f = &w->f;
	enum mm_which which = w->rows ? MM_WHICH_ALL : MM_WHICH_DIFFERING;

	if (mm_waivers_load(w->s, &w->m, &w->waivers, err))
		return -1;
	w->detail = w->why || mm_waivers_any(w->waivers);
	if (w->rows || w->detail) {
		w->findings_open = !mm_finding_walk_open(&w->findings, w->s, f, which, w->waivers, err);
		w->logins_open =
		    w->findings_open && !mm_login_walk_open(&w->logins, w->s, f, which, w->waivers, err);
		if (!w->logins_open)
			return -1;
	}
	if (w->rows)
		return 0;
	if (mm_cover_open(&w->cover, w->s, f, &w->m, err))
		return -1;
	w->open = !mm_q_start(w->s, &w->q, MM_SQL_PLACES, err, "tttt", f->host, f->user, f->tag, f->group);
	return w->open ? 0 : -1;
}

int mm_place_walk_open(struct mm_place_walk *w, struct mm_store *s, const struct mm_evidence_filter *f,
    bool why, struct mm_err *err)
{
	*w = (struct mm_place_walk){.s = s,
	    .m = mm_moment_of(s, f),
	    .f = *f,
	    .why = why,
	    .rows = f->at || f->account || f->setting,
	    .a = mm_arena_new()};
	w->f.facts = w->f.differences = w->f.history = false;
	w->f.lean = true;
	if (!open_all(w, err) && !mm_place_walk_next(w, err))
		return 0;
	mm_place_walk_close(w);
	return -1;
}

void mm_place_walk_close(struct mm_place_walk *w)
{
	if (w->open)
		mm_q_done(&w->q);
	mm_cover_close(&w->cover);
	if (w->findings_open)
		mm_finding_walk_close(&w->findings);
	if (w->logins_open)
		mm_login_walk_close(&w->logins);
	mm_waivers_free(w->waivers);
	mm_arena_free(w->a);
}

int mm_store_places(struct mm_store *s, const struct mm_evidence_filter *f,
    int (*cb)(const struct mm_place *p, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_place_walk w;
	int rc = 0;

	if (mm_place_walk_open(&w, s, f ? f : &mm_everything, true, err))
		return -1;
	while (!rc && w.row) {
		rc = cb(&w.p, arg, err);
		if (!rc)
			rc = mm_place_walk_next(&w, err);
	}
	mm_place_walk_close(&w);
	return rc;
}
