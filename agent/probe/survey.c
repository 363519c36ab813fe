#include "agent/probe/survey.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "common/text.h"

/* Newest first: the OCSP answer is then seen at once. */
static const struct {
	enum mm_look look;
	const char *name;
	bool old;
} versions[MM_SURVEY_VERSIONS] = {
    {MM_LOOK_ONLY_13, "TLSv1.3", false},
    {MM_LOOK_ONLY_12, "TLSv1.2", false},
    {MM_LOOK_ONLY_11, "TLSv1.1", true},
    {MM_LOOK_ONLY_10, "TLSv1.0", true},
};

/* ---- looking */

static void dial_addresses(struct mm_survey *s, int64_t now)
{
	for (size_t i = 0; i < MM_ADDRS_MAX; i++) {
		s->address_done[i] = s->name.n < 2 || i >= s->name.n;
		if (!s->address_done[i])
			mm_line_dial(
			    &s->address[i], &s->name.addrs[i], 1, s->ep.port, now, s->limits->look_ms);
	}
}

/* The version that held first, once more. */
static size_t control(const struct mm_survey *s)
{
	size_t k = 0;
	while (k < MM_SURVEY_VERSIONS && s->offers[k] != MM_YES)
		k++;
	return k;
}

static bool wants_control(const struct mm_survey *s)
{
	return s->want_tls && s->version == MM_SURVEY_VERSIONS && s->closed &&
	       control(s) < MM_SURVEY_VERSIONS;
}

static bool looking(const struct mm_survey *s)
{
	return s->version < MM_SURVEY_VERSIONS || wants_control(s);
}

static void dial_version(struct mm_survey *s, int64_t now)
{
	if (!looking(s))
		return;
	bool again = s->version == MM_SURVEY_VERSIONS;
	mm_line_title(&s->line, s->trace, "survey: %s %s", versions[again ? control(s) : s->version].name,
	    again ? "once more" : "alone");
	mm_line_dial(&s->line, s->name.addrs, s->name.n, s->ep.port, now, s->limits->look_ms);
}

void mm_survey_begin(struct mm_survey *s, CURLM *multi, const struct mm_limits *limits,
    const struct mm_endpoint *ep, const struct mm_name_answer *name, bool tls, const struct mm_trace *trace,
    int64_t now)
{
	*s = (struct mm_survey){.ep = *ep, .multi = multi, .limits = limits, .name = *name, .want_tls = tls};
	s->trace = trace;
	s->ep.level = MM_LEVEL_TLS;
	s->ep.pin = NULL;
	s->version = tls ? 0 : MM_SURVEY_VERSIONS;
	dial_addresses(s, now);
	dial_version(s, now);
}

/* Without an alert or an end of the connection nothing is proven: the
 * handshake may have failed on our side, or the network. */
static enum mm_tri offers(const struct mm_talk *t)
{
	if (t == NULL || !t->tls.started)
		return MM_UNKNOWN;
	if (t->tls.done)
		return MM_YES;
	bool refused = (t->end == MM_END_TLS && t->tls.alert_in >= 0) || t->end == MM_END_TLS_CLOSED;
	return refused ? MM_NO : MM_UNKNOWN;
}

static void take_version(struct mm_survey *s, const struct mm_talk *t)
{
	s->offers[s->version] = offers(t);
	s->closed = s->closed || (s->offers[s->version] == MM_NO && t->tls.alert_in < 0);
	if (s->ocsp == NULL && t != NULL && t->tls.done && t->tls.ocsp != NULL) {
		s->ocsp = t->tls.ocsp;
		memcpy(s->ocsp_text, t->tls.ocsp_text, sizeof(s->ocsp_text));
	}
}

/* It closes on a good handshake, too: then its closing told nothing. */
static void take_control(struct mm_survey *s, const struct mm_talk *t)
{
	for (size_t k = 0; offers(t) != MM_YES && k < MM_SURVEY_VERSIONS; k++)
		if (s->offers[k] == MM_NO)
			s->offers[k] = MM_UNKNOWN;
	s->closed = false;
}

static void step_version(struct mm_survey *s, int64_t now)
{
	bool again = s->version == MM_SURVEY_VERSIONS;
	enum mm_look look = versions[again ? control(s) : s->version].look;
	struct mm_talk_plan plan = {.ep = &s->ep, .limits = s->limits, .look = look};
	if (!mm_line_step(&s->line, s->multi, &plan, now))
		return;
	if (again)
		take_control(s, s->line.talk);
	else
		take_version(s, s->line.talk);
	mm_line_hang_up(&s->line);
	s->version += !again;
	dial_version(s, now);
}

static bool step_address(struct mm_survey *s, size_t i, int64_t now)
{
	struct mm_line *l = &s->address[i];
	if (s->address_done[i])
		return true;
	if (mm_dial_step(&l->dial, now) == MM_DIAL_PENDING)
		return false;
	mm_line_hang_up(l);
	s->address_done[i] = true;
	return true;
}

void mm_survey_step(struct mm_survey *s, int64_t now)
{
	bool all = true;
	for (size_t i = 0; i < MM_ADDRS_MAX; i++)
		all = step_address(s, i, now) && all;
	if (looking(s))
		step_version(s, now);
	s->done = all && !looking(s);
}

size_t mm_survey_poll(const struct mm_survey *s, struct pollfd *fds, size_t max)
{
	size_t n = mm_line_poll(&s->line, fds, max);
	for (size_t i = 0; i < MM_ADDRS_MAX; i++)
		n += mm_line_poll(&s->address[i], fds + n, max - n);
	return n;
}

int64_t mm_survey_wake(const struct mm_survey *s, int64_t now)
{
	int64_t first = mm_line_wake(&s->line, now);
	for (size_t i = 0; i < MM_ADDRS_MAX; i++) {
		int64_t at = mm_line_wake(&s->address[i], now);
		first = at < first ? at : first;
	}
	return first;
}

void mm_survey_end(struct mm_survey *s)
{
	mm_line_hang_up(&s->line);
	for (size_t i = 0; i < MM_ADDRS_MAX; i++)
		mm_line_hang_up(&s->address[i]);
}

/* ---- telling */

/* An address family that this computer does not have is no fault of the server. */
static bool is_ours(int error)
{
	return error == ENETUNREACH || error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
}

static int error_of(const struct mm_survey *s, size_t i)
{
	return s->address[i].dial.error[0];
}

static bool answers(const struct mm_survey *s, size_t i)
{
	return s->address[i].dial.ms[0] >= 0 && error_of(s, i) == 0;
}

static bool is_v6(const struct mm_survey *s, size_t i)
{
	return s->name.addrs[i].sa.ss_family == AF_INET6;
}

static const char *address_text(const struct mm_survey *s, size_t i, struct mm_arena *mem)
{
	char text[MM_ADDR_TEXT_MAX];
	return mm_arena_strdup(mem, mm_addr_text(&s->name.addrs[i], text));
}

static void tell_addresses(const struct mm_survey *s, struct mm_arena *mem, struct mm_login *out)
{
	struct mm_address_facts *list = mm_arena_alloc(mem, s->name.n, sizeof(*list));
	size_t n = s->name.n < MM_ADDRESS_FACTS_MAX ? s->name.n : MM_ADDRESS_FACTS_MAX;
	for (size_t i = 0; i < n; i++)
		list[i] = (struct mm_address_facts){
		    .ip = address_text(s, i, mem),
		    .ms = s->address[i].dial.ms[0],
		    .error = answers(s, i) ? "" : mm_arena_strdup(mem, strerror(error_of(s, i))),
		};
	out->ladder.endpoint.addresses = list;
	out->ladder.endpoint.n_addresses = n;
}

/* Those of one family that are dead, "a (why), b (why)"; NULL when all
 * answer. `alive`: how many do. */
static const char *dead_of(const struct mm_survey *s, bool v6, struct mm_arena *mem, size_t *alive)
{
	const char *dead = NULL;
	*alive = 0;
	for (size_t i = 0; i < s->name.n; i++) {
		if (is_v6(s, i) != v6)
			continue;
		if (answers(s, i))
			(*alive)++;
		else if (!is_ours(error_of(s, i)))
			dead = mm_arena_printf(mem, "%s%s%s (%s)", dead != NULL ? dead : "",
			    dead != NULL ? ", " : "", address_text(s, i, mem), strerror(error_of(s, i)));
	}
	return dead;
}

static void note_addresses(const struct mm_survey *s, const struct mm_maker *m, struct mm_login *out)
{
	size_t alive4, alive6;
	const char *dead4 = dead_of(s, false, m->mem, &alive4);
	const char *dead6 = dead_of(s, true, m->mem, &alive6);
	/* where none answers at all, that is the verdict */
	if (alive4 + alive6 == 0)
		return;
	if (dead6 != NULL)
		mm_note_add(
		    m, alive6 == 0 && alive4 > 0 ? MM_CLS_IPV6_BROKEN : MM_CLS_ADDRESS_DEAD, dead6, out);
	if (dead4 != NULL)
		mm_note_add(m, MM_CLS_ADDRESS_DEAD, dead4, out);
}

static void tell_versions(const struct mm_survey *s, const struct mm_maker *m, struct mm_login *out)
{
	const char *all = "", *old = "";
	bool known = true;
	for (size_t k = MM_SURVEY_VERSIONS; k-- > 0;) {
		known = known && s->offers[k] != MM_UNKNOWN;
		if (s->offers[k] != MM_YES)
			continue;
		all = mm_arena_printf(m->mem, "%s%s%s", all, all[0] != '\0' ? " " : "", versions[k].name);
		if (versions[k].old)
			old = mm_arena_printf(
			    m->mem, "%s%s%s", old, old[0] != '\0' ? " and " : "", versions[k].name);
	}
	/* A server that refuses the version by which it was just spoken to hangs up at random. */
	bool likely = out->tls.version == NULL || strstr(all, out->tls.version) != NULL;
	if (known && likely)
		out->tls.offered = all;
	/* where there is nothing else, that is the verdict */
	if (old[0] != '\0' && !mm_streq(out->cls, mm_cls_def(MM_CLS_TLS_VERSION_TOO_OLD)->word))
		mm_note_add(m, MM_CLS_OLD_TLS_OFFERED, old, out);
}

void mm_survey_tell(const struct mm_survey *s, const struct mm_maker *m, struct mm_login *out)
{
	if (s->name.n > 1) {
		tell_addresses(s, m->mem, out);
		note_addresses(s, m, out);
	}
	if (!s->want_tls)
		return;
	tell_versions(s, m, out);
	out->tls.ocsp = s->ocsp;
	if (s->ocsp != NULL && strcmp(s->ocsp, "revoked") == 0)
		mm_note_add(m, MM_CLS_OCSP_REVOKED, NULL, out);
	else if (s->ocsp != NULL && strcmp(s->ocsp, "invalid") == 0)
		mm_note_add(m, MM_CLS_OCSP_INVALID, mm_arena_strdup(m->mem, s->ocsp_text), out);
}
