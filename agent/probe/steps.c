/*
 * The ladder: which rungs held, which one did not, and which were not come
 * to. A rung holds by what was seen of it and by nothing else.
 */
#include <netdb.h>
#include <string.h>

#include "agent/probe/maker.h"
#include "common/text.h"

struct ladder {
	const struct mm_maker *m;
	struct mm_timing t;
	struct mm_step *steps;
	size_t n;
	bool over; /* a rung did not hold */
};

/* ---- did it hold? */

static bool settings_held(const struct mm_maker *m)
{
	(void)m;
	return true; /* otherwise there is no attempt */
}

static bool dns_held(const struct mm_maker *m)
{
	return m->a->signals.gai == 0;
}

static bool tcp_held(const struct mm_maker *m)
{
	return m->a->signals.dialled;
}

static bool tls_held(const struct mm_maker *m)
{
	const struct mm_signals *s = &m->a->signals;
	enum mm_level level;
	return s->tls != NULL && s->tls->done && mm_level_reached(s, &level) && level >= MM_LEVEL_TLS;
}

/* With what the server offers; on the way to STARTTLS that is asked before
 * and again behind it. */
static bool greeting_held(const struct mm_maker *m)
{
	const struct mm_signals *s = &m->a->signals;
	const struct mm_dialog *d = s->dialog;
	if (d == NULL || (d->greeting != MM_GREETING_OK && d->greeting != MM_GREETING_PREAUTH))
		return false;
	if (s->end == MM_END_OK || s->end == MM_END_DENIED || d->auth_sent)
		return true;
	/* a handshake may come to its end and its certificate be refused */
	return m->a->ep.security == MM_SEC_STARTTLS && !tls_held(m) &&
	       (d->starttls_sent || s->end == MM_END_STARTTLS);
}

static bool login_held(const struct mm_maker *m)
{
	enum mm_level level;
	return mm_level_reached(&m->a->signals, &level) && level >= MM_LEVEL_LOGIN;
}

static bool mailbox_held(const struct mm_maker *m)
{
	return m->a->signals.mailbox == MM_MAILBOX_OK;
}

static bool sender_held(const struct mm_maker *m)
{
	return m->a->signals.sender.held;
}

static bool trip_held(const struct mm_maker *m)
{
	return m->a->signals.trip.state == MM_TRIP_ARRIVED;
}

static bool (*const held[MM_RUNG_COUNT])(const struct mm_maker *) = {
    [MM_RUNG_SETTINGS] = settings_held,
    [MM_RUNG_DNS] = dns_held,
    [MM_RUNG_TCP] = tcp_held,
    [MM_RUNG_TLS] = tls_held,
    [MM_RUNG_GREETING] = greeting_held,
    [MM_RUNG_LOGIN] = login_held,
    [MM_RUNG_MAILBOX] = mailbox_held,
    [MM_RUNG_SENDER] = sender_held,
    [MM_RUNG_ROUNDTRIP] = trip_held,
};

/* ---- what was asked for */

static bool is_smtp(const struct mm_maker *m)
{
	return mm_streq(m->task->protocol, "smtp");
}

static bool is_asked(const struct mm_maker *m, enum mm_rung r)
{
	switch (r) {
	case MM_RUNG_SETTINGS:
	case MM_RUNG_DNS:
	case MM_RUNG_TCP:
		return true;
	case MM_RUNG_TLS:
		return m->task->level >= MM_LEVEL_TLS && !mm_streq(m->task->security, "none");
	case MM_RUNG_GREETING:
		return m->task->level >= MM_LEVEL_TLS;
	case MM_RUNG_LOGIN:
		return m->task->level >= MM_LEVEL_LOGIN;
	case MM_RUNG_MAILBOX:
		return m->task->level >= MM_LEVEL_LOGIN && !is_smtp(m);
	case MM_RUNG_SENDER:
		return m->task->level >= MM_LEVEL_LOGIN && is_smtp(m);
	case MM_RUNG_ROUNDTRIP:
		return m->task->level >= MM_LEVEL_ROUNDTRIP && is_smtp(m);
	case MM_RUNG_COUNT:
		break;
	}
	return false;
}

/* With STARTTLS the greeting comes first; but what the server offers is
 * asked again behind TLS, and where that fails, TLS was before it. */
static bool greets_first(const struct mm_maker *m)
{
	if (!mm_streq(m->task->security, "starttls"))
		return false;
	return !tls_held(m) || greeting_held(m);
}

/* ---- what was seen of it */

static const char *until(const struct mm_maker *m)
{
	return mm_arena_strndup(m->mem, mm_maker_date(m, m->a->signals.tls->cert.not_after), 10);
}

static const char *address(const struct mm_maker *m)
{
	const struct mm_dial *d = &m->a->line.dial;
	char text[MM_ADDR_TEXT_MAX];
	return d->won >= 0 ? mm_arena_strdup(m->mem, mm_addr_text(&d->addrs[d->won], text)) : "";
}

static const char *addresses(const struct mm_maker *m)
{
	const struct mm_name_answer *n = &m->a->name;
	const char *all = "";
	char text[MM_ADDR_TEXT_MAX];
	for (size_t i = 0; i < n->n; i++)
		all = mm_arena_printf(
		    m->mem, "%s%s%s", all, i > 0 ? ", " : "", mm_addr_text(&n->addrs[i], text));
	return all;
}

static const char *mailbox_text(const struct mm_maker *m)
{
	const struct mm_mailbox_seen *b = &m->a->after.mailbox.seen;
	const char *text = b->has_messages ? mm_arena_printf(m->mem, "%lld message%s", (long long)b->messages,
						 b->messages == 1 ? "" : "s")
					   : "";
	if (!b->quota.storage)
		return text;
	return mm_arena_printf(m->mem, "%s%s%lld of %lld KiB used", text, text[0] != '\0' ? ", " : "",
	    (long long)b->quota.used, (long long)b->quota.limit);
}

static const char *trip_text(const struct mm_maker *m)
{
	const struct mm_trip_seen *t = &m->a->signals.trip;
	return mm_arena_printf(m->mem, "found in %s after %lld ms%s", mm_maker_clean(m, t->folder),
	    (long long)t->delay_ms, t->left_over ? "" : ", removed");
}

static const char *text_held(const struct mm_maker *m, enum mm_rung r)
{
	const struct mm_signals *s = &m->a->signals;
	switch (r) {
	case MM_RUNG_SETTINGS:
		return mm_arena_printf(
		    m->mem, "%s, port %d, %s", m->task->protocol, m->task->port, m->task->security);
	case MM_RUNG_DNS:
		return addresses(m);
	case MM_RUNG_TCP:
		return address(m);
	case MM_RUNG_TLS:
		return mm_arena_printf(m->mem, "%s%s, certificate until %s", s->tls->version,
		    s->tls->resumed ? " resumed" : "", until(m));
	case MM_RUNG_GREETING:
		return mm_maker_clean(m, s->dialog->first);
	case MM_RUNG_LOGIN:
		return mm_arena_printf(m->mem, "by %s", mm_dialog_mech(s->dialog, s->dialog->used));
	case MM_RUNG_MAILBOX:
		return mailbox_text(m);
	case MM_RUNG_SENDER:
		return mm_maker_clean(m, m->task->sender);
	case MM_RUNG_ROUNDTRIP:
		return trip_text(m);
	case MM_RUNG_COUNT:
		break;
	}
	return "";
}

static const char *text_broken(const struct mm_maker *m)
{
	const char *words = mm_words_broken(m);
	return words != NULL ? mm_arena_strdup(m->mem, words) : NULL;
}

static int ms_of(const struct ladder *l, enum mm_rung r)
{
	switch (r) {
	case MM_RUNG_DNS:
		return l->m->a->dns_ms;
	case MM_RUNG_TCP:
		return l->m->a->tcp_ms;
	case MM_RUNG_TLS:
		return l->t.tls;
	case MM_RUNG_GREETING:
		return l->t.greeting;
	case MM_RUNG_LOGIN:
		return l->t.login;
	case MM_RUNG_MAILBOX:
		return l->m->a->after.mailbox.seen.ms;
	case MM_RUNG_SENDER:
		return l->m->a->after.sender.seen.ms;
	case MM_RUNG_ROUNDTRIP:
		return l->m->a->signals.trip.ms;
	case MM_RUNG_SETTINGS:
	case MM_RUNG_COUNT:
		break;
	}
	return -1;
}

/* ---- climbing */

/* Some verdicts say that nothing is wrong, or that we could not look: then
 * the rung is as untested as the verdict. */
static enum mm_step_state broken(const struct mm_maker *m)
{
	bool seen = m->cls == MM_CLS_DNS_UNAVAILABLE || m->cls == MM_CLS_NET_NO_ROUTE ||
		    m->cls == MM_CLS_KRB_NO_ANSWER;
	return seen || mm_cls_result(m->cls) == MM_LOGIN_FAILED ? MM_STEP_FAILED : MM_STEP_UNTESTED;
}

static struct mm_step *push(struct ladder *l, enum mm_rung r)
{
	struct mm_step *s = &l->steps[l->n++];
	*s = (struct mm_step){.rung = r, .state = MM_STEP_UNTESTED, .ms = -1, .text = ""};
	return s;
}

static void climb(struct ladder *l, enum mm_rung r)
{
	struct mm_step *s = push(l, r);
	if (l->over)
		return;
	l->over = !held[r](l->m);
	s->state = l->over ? broken(l->m) : MM_STEP_HELD;
	if (s->state != MM_STEP_UNTESTED)
		s->ms = ms_of(l, r);
	const char *text = l->over ? text_broken(l->m) : text_held(l->m, r);
	s->text = text != NULL ? text : "";
}

void mm_steps_make(const struct mm_maker *m, struct mm_login *out)
{
	struct ladder l = {.m = m, .t = mm_facts_timing(m->a)};
	l.steps = mm_arena_alloc(m->mem, MM_RUNG_COUNT, sizeof(*l.steps));
	bool swap = greets_first(m);
	for (int i = 0; i < MM_RUNG_COUNT; i++) {
		int r = i;
		if (swap && (r == MM_RUNG_TLS || r == MM_RUNG_GREETING))
			r = r == MM_RUNG_TLS ? MM_RUNG_GREETING : MM_RUNG_TLS;
		if (is_asked(m, (enum mm_rung)r))
			climb(&l, (enum mm_rung)r);
	}
	out->ladder.steps = l.steps;
	out->ladder.n_steps = l.n;
}

void mm_steps_refuse(const struct mm_maker *m, struct mm_login *out)
{
	struct ladder l = {.m = m};
	l.steps = mm_arena_alloc(m->mem, MM_RUNG_COUNT, sizeof(*l.steps));
	for (int r = 0; r < MM_RUNG_COUNT; r++)
		if (is_asked(m, (enum mm_rung)r))
			push(&l, (enum mm_rung)r);
	/* a password that cannot be used is no fault of the settings */
	bool fine = m->cls == MM_CLS_BAD_SECRET;
	l.steps[0].state = fine ? MM_STEP_HELD : broken(m);
	if (!fine && m->places.v[MM_PLACE_DETAIL] != NULL)
		l.steps[0].text = m->places.v[MM_PLACE_DETAIL];
	out->ladder.steps = l.steps;
	out->ladder.n_steps = l.n;
}
