#include "agent/probe/attempt.h"

#include <errno.h>

#include "agent/probe/between.h"

#define SASL_MECHS (~(MM_MECH_BIT(MM_MECH_COMMAND) | MM_MECH_BIT(MM_MECH_NONE)))

static void dial(struct mm_attempt *a, struct mm_line *l, int64_t now)
{
	int limit = l == &a->line ? a->limits->dial_ms : a->limits->look_ms;
	mm_line_dial(l, a->name.addrs, a->name.n, a->ep.port, now, limit);
}

/* ---- the test itself */

static void begin_talk(struct mm_attempt *a, int64_t now)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_talk_plan plan = {.ep = &a->ep, .limits = a->limits, .trace = a->trace};
	if (mm_login_possible(&a->ep)) {
		plan.login = true;
		plan.secret = a->secret;
		plan.certificate = a->certificate;
		plan.login_options = a->own_command ? NULL : a->ep.auth->login_options;
	}
	if (a->sessions != NULL)
		plan.sessions = mm_sessions_with(a->sessions, &a->name.addrs[a->line.dial.won], now);
	a->line.talk = mm_talk_begin(a->multi, &plan, mm_dial_take(&a->line.dial), &err);
	if (a->line.talk == NULL) {
		snprintf(a->local, sizeof(a->local), "%.*s", (int)sizeof(a->local) - 1, err.text);
		a->done = true;
		return;
	}
	a->signals.dialog = &a->line.talk->dialog;
	a->signals.tls = &a->line.talk->tls;
}

static void step_dial(struct mm_attempt *a, int64_t now)
{
	enum mm_dial_state s = mm_dial_step(&a->line.dial, now);
	if (s == MM_DIAL_PENDING)
		return;
	a->line.dialling = false;
	a->tcp_ms = (int)(now - a->dial_began);
	a->signals.dialled = s == MM_DIAL_DONE;
	if (s == MM_DIAL_FAILED) {
		a->signals.dial_errno = mm_dial_errno(&a->line.dial);
		a->done = true;
	} else if (a->ep.level == MM_LEVEL_REACH) {
		mm_dial_end(&a->line.dial);
		a->done = true;
	} else {
		begin_talk(a, now);
	}
}

/* Where "password" allows the protocol's own login and the server has no
 * SASL at all, libcurl must not be told a mechanism: then it uses LOGIN or
 * USER. Nothing was sent in the first try, so no attempt was wasted. APOP
 * would come first where the greeting invites to it; not what clients do. */
static bool wants_own_command(const struct mm_attempt *a)
{
	const struct mm_dialog *d = a->signals.dialog;
	return a->signals.end == MM_END_DENIED && !d->auth_sent && a->ep.auth->own_command &&
	       !a->own_command && (d->mechs & SASL_MECHS) == 0 && !d->login_disabled && !d->apop_stamp &&
	       d->mail != MM_MAIL_SMTP;
}

static bool holds(const struct mm_attempt *a)
{
	enum mm_level level;
	return a->signals.end == MM_END_OK && mm_level_reached(&a->signals, &level) &&
	       level >= MM_LEVEL_LOGIN;
}

static void step_after(struct mm_attempt *a, int64_t now)
{
	if (a->after.running)
		mm_after_go(&a->after, now);
	if (a->after.running)
		return;
	a->signals.mailbox = a->after.mailbox.state;
	a->signals.sender = a->after.sender.seen;
	if (mm_after_trip(&a->after) != NULL)
		a->signals.trip = *mm_after_trip(&a->after);
}

/* What failed in a session of somebody else's proves nothing: servers exist
 * that cannot resume. Nothing was sent but our half of the handshake. */
static bool wants_own_session(const struct mm_attempt *a)
{
	enum mm_end e = a->signals.end;
	return a->line.talk->tls.offered &&
	       (e == MM_END_TLS || e == MM_END_TLS_CLOSED || e == MM_END_CERT || e == MM_END_PIN);
}

static void try_again(struct mm_attempt *a, int64_t now)
{
	a->sessions = NULL;
	a->signals.end = MM_END_NOT_RUN;
	a->signals.dialog = NULL;
	a->signals.tls = NULL;
	a->dial_began = now;
	mm_line_hang_up(&a->line);
	dial(a, &a->line, now);
}

/* The one who stands there may show itself to the test, or only to a look. */
static void see_between(struct mm_attempt *a, const struct mm_talk *t)
{
	const char *cert = mm_between_by_cert(&t->tls), *words = mm_between_by_words(&t->dialog);
	a->signals.between_cert = cert != NULL ? cert : a->signals.between_cert;
	a->signals.between_words = words != NULL ? words : a->signals.between_words;
}

static void talk_over(struct mm_attempt *a, int64_t now)
{
	see_between(a, a->line.talk);
	mm_line_note_end(a->trace, a->line.talk);
	a->signals.end = a->line.talk->end;
	if (a->line.talk->gss[0] != '\0')
		a->signals.gss = a->line.talk->gss;
	bool other_way = wants_own_command(a);
	a->own_command = a->own_command || other_way;
	if (other_way || wants_own_session(a)) {
		try_again(a, now);
	} else if (holds(a)) {
		mm_after_begin(&a->after, a->line.talk, a->sender, a->trip, now);
		step_after(a, now);
	}
}

static void step_line(struct mm_attempt *a, int64_t now)
{
	if (a->line.dialling) {
		step_dial(a, now);
		return;
	}
	if (a->after.running) {
		step_after(a, now);
		return;
	}
	if (a->signals.end != MM_END_NOT_RUN)
		return;
	mm_talk_step(a->line.talk, now);
	if (a->line.talk->finished)
		talk_over(a, now);
}

/* ---- second looks */

static const char *const questions[MM_LOOK_COUNT] = {
    [MM_LOOK_PLAIN] = "does it greet in clear?",
    [MM_LOOK_TLS] = "does it speak TLS at once?",
    [MM_LOOK_TLS12] = "would TLS 1.2 do?",
    [MM_LOOK_OLD_TLS] = "would TLS 1.0 or 1.1 do?",
    [MM_LOOK_WEB] = "does it wait for us to speak, as web servers do?",
    [MM_LOOK_CERT] = "what else is wrong with the certificate?",
};

static void begin_look(struct mm_attempt *a, enum mm_look look, int64_t now)
{
	a->look = look;
	a->signals.look[look].run = true;
	mm_line_title(&a->look_line, a->trace, "second look: %s", questions[look]);
	dial(a, &a->look_line, now);
}

static void look_over(struct mm_attempt *a)
{
	const struct mm_talk *t = a->look_line.talk;
	struct mm_look_result *r = &a->signals.look[a->look];
	if (t != NULL) {
		see_between(a, t);
		r->tls = t->tls.done;
		r->greeting = t->dialog.greeting;
		r->greeting_mail = t->dialog.greeting_mail;
		if (r->greeting == MM_GREETING_STRANGE || r->greeting == MM_GREETING_OTHER_MAIL) {
			snprintf(a->looked, sizeof(a->looked), "%.*s", (int)sizeof(a->looked) - 1,
			    t->dialog.first);
			a->signals.looked = a->looked;
		}
		if (a->look == MM_LOOK_CERT)
			snprintf(a->troubles, sizeof(a->troubles), "%s%s%s", t->tls.troubles,
			    t->tls.troubles[0] != '\0' && !t->tls.name_match ? "; " : "",
			    t->tls.name_match ? "" : "it is not for this name");
	}
	bool settled = t != NULL && mm_talk_settled(t);
	mm_line_hang_up(&a->look_line);
	a->look = MM_LOOK_NONE;
	/* the answer is known: no use in waiting for the first connection */
	if (settled && a->line.talk != NULL && mm_talk_silent(a->line.talk, INT64_MAX))
		mm_talk_abort(a->line.talk, MM_END_TIMEOUT);
}

static void step_look(struct mm_attempt *a, int64_t now)
{
	struct mm_talk_plan plan = {.ep = &a->ep, .limits = a->limits, .look = a->look};
	if (mm_line_step(&a->look_line, a->multi, &plan, now))
		look_over(a);
}

static void finish(struct mm_attempt *a)
{
	/* nothing of ours is open: a login that did not hold needs its leave, too */
	if (a->signals.end == MM_END_OK && a->after.chat.talk == NULL)
		mm_chat_leave(&(struct mm_chat){.talk = a->line.talk});
	mm_after_end(&a->after);
	a->done = true;
}

static void maybe_look(struct mm_attempt *a, int64_t now)
{
	bool over = a->signals.end != MM_END_NOT_RUN;
	a->signals.silent = a->line.talk != NULL && mm_talk_silent(a->line.talk, now);
	if (!over && !a->signals.silent)
		return;
	enum mm_look look = mm_next_look(&a->signals);
	if (look != MM_LOOK_NONE)
		begin_look(a, look, now);
	else if (over)
		finish(a);
}

/* ---- for the engine */

void mm_attempt_begin(struct mm_attempt *a, const struct mm_name_answer *name, int64_t now)
{
	a->name = *name;
	a->signals.ep = &a->ep;
	a->signals.gai = name->gai;
	a->dns_ms = name->ms;
	a->dial_began = now;
	if (a->title != NULL)
		mm_trace_title(a->trace, a->title);
	if (name->gai == 0 && a->signals.dial_errno == 0)
		dial(a, &a->line, now);
	else
		a->done = true;
}

void mm_attempt_step(struct mm_attempt *a, int64_t now)
{
	/* the look first: what it sees may end the test's own talk */
	if (!a->done && a->look != MM_LOOK_NONE)
		step_look(a, now);
	if (!a->done)
		step_line(a, now);
	if (a->done || a->line.dialling || a->after.running || a->look != MM_LOOK_NONE)
		return;
	maybe_look(a, now);
}

#define SOON_DIALLED_MS 100
#define SOON_AGREED_MS 1000

bool mm_attempt_shakes_hands(const struct mm_attempt *a, int64_t now)
{
	const struct mm_talk *t = a->line.talk;
	if (a->done || a->ep.level == MM_LEVEL_REACH || a->ep.security == MM_SEC_NONE)
		return false;
	if (a->line.dialling)
		return now < a->dial_began + SOON_DIALLED_MS;
	return t != NULL && !t->finished && !t->tls.done && now < t->began + SOON_AGREED_MS;
}

size_t mm_attempt_poll(const struct mm_attempt *a, struct pollfd *fds, size_t max)
{
	size_t n = mm_line_poll(&a->line, fds, max);
	n += mm_line_poll(&a->look_line, fds + n, max - n);
	return n + mm_after_poll(&a->after, fds + n, max - n);
}

int64_t mm_attempt_wake(const struct mm_attempt *a, int64_t now)
{
	if (a->done)
		return now;
	int64_t first = mm_line_wake(&a->line, now), second = mm_line_wake(&a->look_line, now);
	if (a->after.running && mm_after_wake(&a->after, now) < first)
		first = mm_after_wake(&a->after, now);
	return first < second ? first : second;
}

void mm_attempt_close(struct mm_attempt *a)
{
	mm_after_end(&a->after);
	if (a->line.dialling)
		mm_dial_end(&a->line.dial);
	a->line.dialling = false;
	mm_talk_close(a->line.talk);
	mm_line_hang_up(&a->look_line);
}

void mm_attempt_end(struct mm_attempt *a)
{
	mm_attempt_close(a);
	mm_line_hang_up(&a->line);
	a->signals.dialog = NULL;
	a->signals.tls = NULL;
}
