#include "controller/report/certs.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"

struct cert {
	struct mm_cert_row row;
	char host[MM_REPORT_NAME_MAX + 1]; /* that was counted last: rows come host by host */
};

struct certs {
	struct mm_arena *a;
	struct cert *v;
	size_t n, cap, last;
};

static bool is_cert(const struct mm_cert_row *r, const struct mm_login *l)
{
	return r->port == l->port && r->not_after == l->tls.not_after && mm_streq(r->server, l->host) &&
	       mm_streq(r->protocol, l->protocol) &&
	       mm_streq(r->subject, l->tls.subject != NULL ? l->tls.subject : "");
}

static struct cert *cert_of(struct certs *all, const struct mm_login *l)
{
	for (size_t i = 0; i < all->n; i++) {
		size_t at = (all->last + i) % all->n;
		if (is_cert(&all->v[at].row, l))
			return &all->v[all->last = at];
	}
	if (all->n >= MM_CERTS_MAX)
		return NULL;
	struct cert *c = mm_arena_push(all->a, &all->v, &all->n, &all->cap, sizeof(*all->v));
	*c = (struct cert){
	    .row = {.protocol = mm_arena_strdup(all->a, l->protocol),
		.server = mm_arena_strdup(all->a, l->host),
		.subject = mm_arena_strdup(all->a, l->tls.subject != NULL ? l->tls.subject : ""),
		.issuer = mm_arena_strdup(all->a, l->tls.issuer != NULL ? l->tls.issuer : ""),
		.port = l->port,
		.not_after = l->tls.not_after,
		.stale = true}};
	return c;
}

static int take(const struct mm_login_row *l, void *arg, struct mm_err *err)
{
	(void)err;
	struct certs *all = arg;
	if (l->l.tls.not_after == 0)
		return 0;
	struct cert *c = cert_of(all, &l->l);
	if (c == NULL)
		return 0;
	c->row.users++;
	c->row.hosts += !mm_streq(c->host, l->host);
	snprintf(c->host, sizeof(c->host), "%s", l->host);
	c->row.stale = c->row.stale && l->stale;
	if (l->seen > c->row.seen)
		c->row.seen = l->seen;
	return 0;
}

int mm_report_certs(struct mm_store *s, const struct mm_evidence_filter *filter, mm_section_cb *cb, void *arg,
    struct mm_err *err)
{
	struct certs all = {.a = mm_arena_new()};
	struct mm_evidence_filter lean = *filter;
	lean.lean = true;
	int rc = mm_store_logins(s, &lean, take, &all, err);
	for (size_t i = 0; rc == 0 && i < all.n; i++)
		rc = cb((union mm_report_row){.cert = &all.v[i].row}, arg, err);
	mm_arena_free(all.a);
	return rc;
}
