#include "controller/report/servers.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"

struct cert {
	struct mm_cert_row row;
	char host[MM_REPORT_NAME_MAX + 1]; /* that was counted last: rows come host by host */
};

struct remark {
	struct mm_remark_row row;
	char host[MM_REPORT_NAME_MAX + 1]; /* that was counted last: rows come host by host */
};

struct mm_servers {
	struct mm_arena *a;
	struct cert *certs;
	size_t n_certs, cap_certs, last;
	struct remark *remarks;
	size_t n_remarks, cap_remarks;
};

struct mm_servers *mm_servers_new(struct mm_arena *a)
{
	struct mm_servers *s = mm_arena_alloc(a, 1, sizeof(*s));
	s->a = a;
	return s;
}

static bool another(char last[MM_REPORT_NAME_MAX + 1], const char *host)
{
	if (strcmp(last, host) == 0)
		return false;
	snprintf(last, MM_REPORT_NAME_MAX + 1, "%s", host);
	return true;
}

/* ---- certificates */

static bool same_cert(const struct mm_cert_row *x, const struct mm_cert_row *y)
{
	return x->port == y->port && x->not_after == y->not_after && mm_streq(x->server, y->server) &&
	       mm_streq(x->protocol, y->protocol) && mm_streq(x->subject, y->subject);
}

static struct cert *cert_of(struct mm_servers *s, const struct mm_cert_row *r)
{
	for (size_t i = 0; i < s->n_certs; i++) {
		size_t at = (s->last + i) % s->n_certs;
		if (same_cert(&s->certs[at].row, r))
			return &s->certs[s->last = at];
	}
	if (s->n_certs >= MM_CERTS_MAX)
		return NULL;
	struct cert *c = mm_arena_push(s->a, &s->certs, &s->n_certs, &s->cap_certs, sizeof(*s->certs));
	*c = (struct cert){.row = *r};
	c->row.protocol = mm_arena_strdup(s->a, r->protocol);
	c->row.server = mm_arena_strdup(s->a, r->server);
	c->row.subject = mm_arena_strdup(s->a, r->subject);
	c->row.issuer = mm_arena_strdup(s->a, r->issuer);
	c->row.users = c->row.hosts = c->row.seen = 0;
	c->row.stale = true;
	return c;
}

static void add_cert(struct cert *c, const struct mm_cert_row *r)
{
	c->row.users += r->users;
	c->row.hosts += r->hosts;
	c->row.stale = c->row.stale && r->stale;
	if (r->seen > c->row.seen)
		c->row.seen = r->seen;
}

static const char *or_none(const char *s)
{
	return s != NULL ? s : "";
}

static void take_cert(struct mm_servers *s, const struct mm_login_row *l)
{
	struct mm_cert_row r = {.protocol = l->l.protocol,
	    .server = l->l.host,
	    .subject = or_none(l->l.tls.subject),
	    .issuer = or_none(l->l.tls.issuer),
	    .port = l->l.port,
	    .not_after = l->l.tls.not_after,
	    .users = 1,
	    .seen = l->seen,
	    .stale = l->stale};
	struct cert *c = cert_of(s, &r);
	if (c == NULL)
		return;
	r.hosts = another(c->host, l->host);
	add_cert(c, &r);
}

/* ---- remarks */

static struct remark *remark_of(struct mm_servers *s, const struct mm_remark_row *r)
{
	for (size_t i = 0; i < s->n_remarks; i++) {
		const struct mm_remark_row *x = &s->remarks[i].row;
		if (x->port == r->port && mm_streq(x->cls, r->cls) && mm_streq(x->server, r->server) &&
		    mm_streq(x->protocol, r->protocol))
			return &s->remarks[i];
	}
	if (s->n_remarks >= MM_REMARKS_MAX)
		return NULL;
	struct remark *m =
	    mm_arena_push(s->a, &s->remarks, &s->n_remarks, &s->cap_remarks, sizeof(*s->remarks));
	*m = (struct remark){.row = {.protocol = mm_arena_strdup(s->a, r->protocol),
				 .server = mm_arena_strdup(s->a, r->server),
				 .cls = mm_arena_strdup(s->a, r->cls),
				 .port = r->port,
				 .stale = true}};
	return m;
}

static void add_remark(struct mm_servers *s, struct remark *m, const struct mm_remark_row *r)
{
	m->row.users += r->users;
	m->row.hosts += r->hosts;
	m->row.stale = m->row.stale && r->stale;
	if (r->seen < m->row.seen)
		return;
	m->row.seen = r->seen;
	if (!mm_streq(m->row.admin, r->admin))
		m->row.admin = mm_arena_strdup(s->a, r->admin);
}

static void take_remarks(struct mm_servers *s, const struct mm_login_row *l)
{
	for (size_t i = 0; i < l->l.ladder.n_notes; i++) {
		const struct mm_note *note = &l->l.ladder.notes[i];
		struct mm_remark_row r = {.protocol = l->l.protocol,
		    .server = l->l.host,
		    .cls = note->cls,
		    .admin = note->admin[0] != '\0' ? note->admin : note->text,
		    .port = l->l.port,
		    .users = 1,
		    .seen = l->seen,
		    .stale = l->stale};
		struct remark *m = remark_of(s, &r);
		if (m == NULL)
			continue;
		r.hosts = another(m->host, l->host);
		add_remark(s, m, &r);
	}
}

static int by_server(const void *x, const void *y)
{
	const struct mm_remark_row *a = &((const struct remark *)x)->row,
				   *b = &((const struct remark *)y)->row;
	int rc = strcmp(a->server, b->server);
	if (rc == 0)
		rc = (a->port > b->port) - (a->port < b->port);
	return rc != 0 ? rc : strcmp(a->cls, b->cls);
}

/* ---- both */

int mm_servers_take(const struct mm_login_row *r, void *arg, struct mm_err *err)
{
	(void)err;
	struct mm_servers *s = arg;
	if (r->l.tls.not_after != 0)
		take_cert(s, r);
	take_remarks(s, r);
	return 0;
}

void mm_servers_join(struct mm_servers *s, const struct mm_servers *more)
{
	for (size_t i = 0; i < more->n_certs; i++) {
		struct cert *c = cert_of(s, &more->certs[i].row);
		if (c != NULL)
			add_cert(c, &more->certs[i].row);
	}
	for (size_t i = 0; i < more->n_remarks; i++) {
		struct remark *m = remark_of(s, &more->remarks[i].row);
		if (m != NULL)
			add_remark(s, m, &more->remarks[i].row);
	}
}

int mm_servers_rows(
    struct mm_servers *s, enum mm_section sec, mm_section_cb *cb, void *arg, struct mm_err *err)
{
	int rc = 0;
	for (size_t i = 0; sec == MM_SEC_CERTS && rc == 0 && i < s->n_certs; i++)
		rc = cb((union mm_report_row){.cert = &s->certs[i].row}, arg, err);
	if (s->n_remarks > 1)
		qsort(s->remarks, s->n_remarks, sizeof(*s->remarks), by_server);
	for (size_t i = 0; sec == MM_SEC_REMARKS && rc == 0 && i < s->n_remarks; i++)
		rc = cb((union mm_report_row){.remark = &s->remarks[i].row}, arg, err);
	return rc;
}

int mm_report_servers(struct mm_store *s, enum mm_section sec, const struct mm_evidence_filter *filter,
    mm_section_cb *cb, void *arg, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_servers *all = mm_servers_new(a);
	struct mm_evidence_filter lean = *filter;
	lean.lean = true;
	int rc = mm_store_logins(s, &lean, mm_servers_take, all, err);
	if (rc == 0)
		rc = mm_servers_rows(all, sec, cb, arg, err);
	mm_arena_free(a);
	return rc;
}
