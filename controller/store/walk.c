#include "controller/store/walk.h"

#include <string.h>

#include "controller/store/walks.h"

/* Each walk stands on one row; the place at hand is the first of them all. */
struct walk {
	struct mm_store *s;
	const struct mm_walk_cbs *cbs;
	void *arg;
	struct mm_evidence_filter f;
	struct mm_moment m;
	struct mm_waivers *waivers;
	struct mm_q hosts, listed;
	struct mm_cover_walk cover;
	struct mm_finding_walk findings;
	struct mm_login_walk logins;
	bool hosts_open, listed_open, cover_open, findings_open, logins_open;
	int host_row, listed_row;
	/* of the place at hand: rows' texts go with the next step */
	struct mm_buf host, user;
};

/* ---- opening and closing */

static int open_hosts(struct walk *w, struct mm_err *err)
{
	const struct mm_evidence_filter *f = &w->f;

	if (!w->cbs->host)
		return 0;
	if (mm_q_start(w->s, &w->hosts, MM_SQL_WALK_HOSTS, err, "tttti", f->host, f->user, f->tag, f->group,
		w->m.now))
		return -1;
	w->hosts_open = true;
	w->host_row = mm_q_step(&w->hosts, err);
	return w->host_row < 0 ? -1 : 0;
}

static int open_listed(struct walk *w, struct mm_err *err)
{
	const struct mm_evidence_filter *f = &w->f;

	if (!w->cbs->place)
		return 0;
	if (mm_q_start(w->s, &w->listed, MM_SQL_HOST_USERS_AT, err, "tttti", f->host, f->user, f->tag,
		f->group, w->m.now))
		return -1;
	w->listed_open = true;
	w->listed_row = mm_q_step(&w->listed, err);
	if (w->listed_row < 0 || mm_cover_open(&w->cover, w->s, f, &w->m, err))
		return -1;
	w->cover_open = true;
	return 0;
}

static int open_rows(struct walk *w, struct mm_err *err)
{
	if (!w->cbs->login && !w->cbs->finding)
		return 0;
	if (mm_waivers_load(w->s, &w->m, &w->waivers, err))
		return -1;
	if (w->cbs->login) {
		if (mm_login_walk_open(&w->logins, w->s, &w->f, MM_WHICH_ALL, w->waivers, err))
			return -1;
		w->logins_open = true;
	}
	if (w->cbs->finding) {
		if (mm_finding_walk_open(&w->findings, w->s, &w->f, MM_WHICH_ALL, w->waivers, err))
			return -1;
		w->findings_open = true;
	}
	return 0;
}

static void close_all(struct walk *w)
{
	if (w->findings_open)
		mm_finding_walk_close(&w->findings);
	if (w->logins_open)
		mm_login_walk_close(&w->logins);
	if (w->cover_open)
		mm_cover_close(&w->cover);
	if (w->listed_open)
		mm_q_done(&w->listed);
	if (w->hosts_open)
		mm_q_done(&w->hosts);
	mm_waivers_free(w->waivers);
	mm_buf_free(&w->host);
	mm_buf_free(&w->user);
}

/* ---- hosts */

/* Of the past: what had been received by then. */
static int as_it_was(struct walk *w, struct mm_walk_host *h, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(w->s, &q, MM_SQL_HOST_SEEN_AT, err, "ti", h->host, w->m.now))
		return -1;
	rc = mm_q_step(&q, err);
	h->seen = rc == 1 ? mm_q_int(&q, 0) : 0;
	h->revision = rc == 1 ? mm_q_int(&q, 3) : 0;
	h->expired = rc == 1 && mm_q_int(&q, 4) != 0;
	mm_q_done(&q);
	if (h->inventory_seen > w->m.now) {
		h->inventory_seen = 0;
		h->os = NULL;
	}
	return rc < 0 ? -1 : 0;
}

static int take_host(struct walk *w, struct mm_err *err)
{
	struct mm_q *q = &w->hosts;
	struct mm_walk_host h = {.host = mm_q_str(q, 0),
	    .seen = mm_q_int(q, 1),
	    .revision = mm_q_int(q, 2),
	    .expired = mm_q_int(q, 3) != 0,
	    .os = mm_q_text(q, 4),
	    .inventory_seen = mm_q_int(q, 5),
	    .clients = mm_q_int(q, 6)};

	if ((w->m.past && as_it_was(w, &h, err)) || w->cbs->host(&h, w->arg, err))
		return -1;
	w->host_row = mm_q_step(q, err);
	return w->host_row < 0 ? -1 : 0;
}

static int hosts_up_to(struct walk *w, const char *host, struct mm_err *err)
{
	while (w->host_row > 0 && (!host || strcmp(mm_q_str(&w->hosts, 0), host) <= 0))
		if (take_host(w, err))
			return -1;
	return 0;
}

/* ---- places */

struct key {
	const char *host, *user;
};

static int order(struct key a, struct key b)
{
	int rc = strcmp(a.host, b.host);

	return rc ? rc : strcmp(a.user, b.user);
}

static bool earlier(bool there, struct key k, struct key *first)
{
	if (!there || (first->host && order(k, *first) >= 0))
		return false;
	*first = k;
	return true;
}

static struct key listed_key(struct walk *w)
{
	return w->listed_row > 0 ? (struct key){mm_q_str(&w->listed, 0), mm_q_str(&w->listed, 1)}
				 : (struct key){NULL, NULL};
}

static struct key finding_key(const struct walk *w)
{
	return (struct key){w->findings.r.host, w->findings.r.f.user};
}

static struct key login_key(const struct walk *w)
{
	return (struct key){w->logins.r.host, w->logins.r.l.user};
}

/* The next (host, user) of any; false: there is none. */
static bool next_place(struct walk *w, struct key *at)
{
	struct key first = {NULL, NULL};

	earlier(w->listed_row > 0, listed_key(w), &first);
	earlier(w->findings.row > 0, finding_key(w), &first);
	earlier(w->logins.row > 0, login_key(w), &first);
	if (!first.host)
		return false;
	mm_buf_reset(&w->host);
	mm_buf_reset(&w->user);
	mm_buf_adds(&w->host, first.host);
	mm_buf_adds(&w->user, first.user);
	*at = (struct key){mm_buf_str(&w->host), mm_buf_str(&w->user)};
	return true;
}

static int begin_place(struct walk *w, struct key at, struct mm_err *err)
{
	struct mm_walk_place p = {.host = at.host, .user = at.user};
	struct mm_cover c = {.seen = 0};

	while (w->listed_row > 0 && order(listed_key(w), at) == 0)
		w->listed_row = mm_q_step(&w->listed, err);
	if (w->listed_row < 0)
		return -1;
	if (!w->cbs->place)
		return 0;
	p.heard = (w->findings.row > 0 && order(finding_key(w), at) == 0) ||
		  (w->logins.row > 0 && order(login_key(w), at) == 0);
	if (!p.heard && mm_cover_of(&w->cover, at.host, at.user, &c, err))
		return -1;
	p.heard |= c.seen > 0;
	return w->cbs->place(&p, w->arg, err);
}

static int one_place(struct walk *w, struct key at, struct mm_err *err)
{
	if (begin_place(w, at, err))
		return -1;
	while (w->logins.row > 0 && order(login_key(w), at) == 0)
		if (w->cbs->login(&w->logins.r, w->arg, err) || mm_login_walk_next(&w->logins, err))
			return -1;
	while (w->findings.row > 0 && order(finding_key(w), at) == 0)
		if (w->cbs->finding(&w->findings.r, w->arg, err) || mm_finding_walk_next(&w->findings, err))
			return -1;
	return w->cbs->place_end ? w->cbs->place_end(w->arg, err) : 0;
}

static int run(struct walk *w, struct mm_err *err)
{
	struct key at;

	if (open_hosts(w, err) || open_listed(w, err) || open_rows(w, err))
		return -1;
	while (next_place(w, &at))
		if (hosts_up_to(w, at.host, err) || one_place(w, at, err))
			return -1;
	return hosts_up_to(w, NULL, err);
}

int mm_store_walk(struct mm_store *s, const struct mm_evidence_filter *f, const struct mm_walk_cbs *cbs,
    void *arg, struct mm_err *err)
{
	struct walk w = {.s = s,
	    .cbs = cbs,
	    .arg = arg,
	    .f = f ? *f : mm_everything,
	    .host = MM_BUF_INIT(65536),
	    .user = MM_BUF_INIT(65536)};
	int rc;

	w.f.history = w.f.differences = false;
	w.f.facts = w.f.lean = true;
	w.m = mm_moment_of(s, &w.f);
	rc = run(&w, err);
	close_all(&w);
	return rc;
}
