#include "agent/probe/scout.h"

#include <string.h>

#include "agent/probe/lint.h"
#include "common/text.h"

bool mm_scout_helps(enum mm_cls cls)
{
	static const enum mm_cls list[] = {MM_CLS_DNS_NO_SUCH_NAME, MM_CLS_DNS_NO_ADDRESS,
	    MM_CLS_CONN_REFUSED, MM_CLS_CONN_TIMEOUT, MM_CLS_CONN_FAILED, MM_CLS_HOST_UNREACHABLE,
	    MM_CLS_NO_GREETING, MM_CLS_NOT_MAIL_SERVER, MM_CLS_WRONG_PROTOCOL, MM_CLS_TLS_TO_PLAIN_PORT,
	    MM_CLS_PLAIN_TO_TLS_PORT, MM_CLS_TLS_CLOSED, MM_CLS_TLS_CLIENT_CERT, MM_CLS_STARTTLS_NOT_OFFERED,
	    MM_CLS_STARTTLS_STRIPPED, MM_CLS_STARTTLS_REFUSED, MM_CLS_AUTH_NOT_OFFERED,
	    MM_CLS_AUTH_NEEDS_TLS};
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (list[i] == cls)
			return true;
	return false;
}

/* ---- where to look */

static bool is_same(const struct mm_endpoint *a, const struct mm_endpoint *b)
{
	return a->port == b->port && a->security == b->security && mm_streq_nocase(a->host, b->host);
}

struct places {
	const struct mm_endpoint *own;
	struct mm_endpoint *out;
	size_t n;
};

static void add(struct places *p, const char *host, int port, enum mm_security security)
{
	struct mm_endpoint e = *p->own;
	e.host = host;
	e.port = port;
	e.security = security;
	if (p->n == MM_SCOUT_MAX || security == MM_SEC_NONE || is_same(&e, p->own))
		return;
	for (size_t i = 0; i < p->n; i++)
		if (is_same(&e, &p->out[i]))
			return;
	/* a pin is of one server, and nothing is to be logged in by */
	if (!mm_streq_nocase(host, p->own->host))
		e.pin = NULL;
	e.level = MM_LEVEL_TLS;
	e.has_secret = e.has_certificate = e.has_ticket = false;
	p->out[p->n++] = e;
}

static enum mm_security security_of(const char *word)
{
	if (mm_streq(word, "tls"))
		return MM_SEC_TLS;
	return mm_streq(word, "starttls") ? MM_SEC_STARTTLS : MM_SEC_NONE;
}

size_t mm_scout_places(const struct mm_probe_task *t, const struct mm_endpoint *ep, struct mm_endpoint *out)
{
	struct places p = {.own = ep, .out = out};
	add(&p, ep->host, ep->port, ep->security == MM_SEC_TLS ? MM_SEC_STARTTLS : MM_SEC_TLS);
	for (const struct mm_pair *k = mm_pairs; k->protocol != NULL; k++)
		if (mm_streq(k->protocol, t->protocol))
			add(&p, ep->host, k->port, security_of(k->security));
	for (size_t i = 0; i < t->n_known; i++)
		if (mm_streq(t->known[i].protocol, t->protocol))
			add(&p, t->known[i].host, t->known[i].port, security_of(t->known[i].security));
	return p.n;
}

/* ---- looking */

void mm_scout_begin(struct mm_scout *s, CURLM *multi, struct mm_resolver *resolver,
    const struct mm_limits *limits, const struct mm_probe_task *t, const struct mm_endpoint *ep,
    const struct mm_trace *trace, int64_t now)
{
	struct mm_endpoint places[MM_SCOUT_MAX];
	*s = (struct mm_scout){.multi = multi, .resolver = resolver, .limits = *limits, .asked = now};
	/* a hint is not worth a long wait */
	s->limits.talk_ms = limits->look_ms;
	s->trace = trace;
	s->limits.dns_ms = limits->dns_ms < limits->look_ms ? limits->dns_ms : limits->look_ms;
	s->n = mm_scout_places(t, ep, places);
	for (size_t i = 0; i < s->n; i++) {
		s->look[i].ep = places[i];
		s->look[i].name = mm_resolver_ask(resolver, places[i].host);
	}
	s->done = s->n == 0;
}

static bool works(const struct mm_scout_look *k)
{
	const struct mm_talk *t = k->line.talk;
	if (t == NULL)
		return false;
	struct mm_signals seen = {
	    .ep = &k->ep, .dialled = true, .end = t->end, .dialog = &t->dialog, .tls = &t->tls};
	return mm_diagnose(&seen) == MM_CLS_NONE;
}

static void finish(struct mm_scout_look *k)
{
	k->works = works(k);
	k->done = true;
	mm_line_hang_up(&k->line);
}

static void step_look(struct mm_scout *s, struct mm_scout_look *k, int64_t now)
{
	struct mm_talk_plan plan = {.ep = &k->ep, .limits = &s->limits};
	if (k->begun) {
		if (mm_line_step(&k->line, s->multi, &plan, now))
			finish(k);
	} else if (mm_name_answer(s->resolver, k->name, &k->at)) {
		k->begun = true;
		if (k->at.gai != 0) {
			finish(k);
			return;
		}
		mm_line_title(&k->line, s->trace, "another way: %s port %d with %s", k->ep.host, k->ep.port,
		    mm_security_label(k->ep.security));
		mm_line_dial(&k->line, k->at.addrs, k->at.n, k->ep.port, now, s->limits.look_ms);
	} else if (now >= s->asked + s->limits.dns_ms) {
		finish(k);
	}
}

void mm_scout_step(struct mm_scout *s, int64_t now)
{
	s->done = true;
	for (size_t i = 0; i < s->n; i++) {
		if (!s->look[i].done)
			step_look(s, &s->look[i], now);
		s->done = s->done && s->look[i].done;
	}
}

size_t mm_scout_poll(const struct mm_scout *s, struct pollfd *fds, size_t max)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++)
		n += mm_line_poll(&s->look[i].line, fds + n, max - n);
	return n;
}

int64_t mm_scout_wake(const struct mm_scout *s, int64_t now)
{
	int64_t first = INT64_MAX;
	for (size_t i = 0; i < s->n; i++) {
		const struct mm_scout_look *k = &s->look[i];
		int64_t at = k->begun ? mm_line_wake(&k->line, now) : s->asked + s->limits.dns_ms;
		if (!k->done && at < first)
			first = at;
	}
	return first;
}

void mm_scout_end(struct mm_scout *s)
{
	for (size_t i = 0; i < s->n; i++)
		mm_line_hang_up(&s->look[i].line);
}

/* ---- telling */

bool mm_scout_tell(const struct mm_scout *s, const struct mm_endpoint *ep, struct mm_buf *out)
{
	const struct mm_scout_look *k = s->look;
	while (k < s->look + s->n && !k->works)
		k++;
	if (k == s->look + s->n)
		return false;
	bool same = mm_streq_nocase(k->ep.host, ep->host);
	if (same)
		mm_buf_addf(out, "Port %d", k->ep.port);
	else
		mm_buf_addf(out, "%s port %d", k->ep.host, k->ep.port);
	mm_buf_addf(out, " answers with %s; the settings say ", mm_security_label(k->ep.security));
	if (!same)
		mm_buf_addf(out, "%s ", ep->host);
	mm_buf_addf(out, "port %d with %s.", ep->port, mm_security_label(ep->security));
	return true;
}
