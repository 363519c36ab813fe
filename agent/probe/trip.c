#include "agent/probe/trip.h"

#include <string.h>
#include <time.h>

#include "agent/probe/redact.h"
#include "agent/probe/sender.h"

enum stage { OPEN, TIDY, SEND_MAIL, SEND_RCPT, SEND_DATA, SEND_TEXT, PAUSE, REOPEN, LOOK, OVER };

/* Milliseconds before each look; the last one repeats. */
static const int pauses[] = {200, 500, 1000, 2000, 5000, 10000, 30000};
#define N_PAUSES (sizeof(pauses) / sizeof(pauses[0]))
#define POP3_PAUSE_MS 1000 /* each look is a login */

static bool is_pop3(const struct mm_trip *t)
{
	return t->plan.incoming->mail == MM_MAIL_POP3;
}

/* The answer is searched for the outgoing password; these words come from the
 * incoming server, which knows another one. */
static void copy(const struct mm_trip *t, char *to, size_t size, const char *from)
{
	const struct mm_secret *s = t->plan.talk.secret;
	bool reveals = s != NULL && mm_reveals(from, strlen(from), mm_secret_bytes(s), mm_secret_len(s));
	if (reveals)
		from = MM_REDACT_WITHHELD;
	mm_span_copy((struct mm_span){from, strlen(from)}, to, size);
}

static bool over(struct mm_trip *t, enum mm_trip_state state, int64_t now)
{
	t->stage = OVER;
	t->seen.state = state;
	t->seen.ms = (int)(now - t->began);
	if (t->accepted != 0)
		t->seen.waited_ms = now - t->accepted;
	return true;
}

static bool untested(struct mm_trip *t, const char *why, int64_t now)
{
	copy(t, t->seen.said, sizeof(t->seen.said), why);
	return over(t, MM_TRIP_UNTESTED, now);
}

/* ---- the incoming connection */

static void hang_up(struct mm_trip *t)
{
	if (t->connected) {
		mm_chat_leave(&t->chat);
		mm_chat_end(&t->chat);
	}
	t->connected = false;
	mm_line_hang_up(&t->line);
}

static void dial(struct mm_trip *t, int stage, int64_t now)
{
	hang_up(t);
	t->stage = stage;
	mm_line_dial(&t->line, t->plan.addrs, t->plan.n_addrs, t->plan.incoming->port, now,
	    t->plan.talk.limits->dial_ms);
}

/* As strict as the test of the incoming server itself. */
static bool logged_in(const struct mm_trip *t)
{
	const struct mm_talk *k = t->line.talk;
	return k != NULL && k->end == MM_END_OK && mm_dialog_logged_in(&k->dialog) &&
	       (t->plan.incoming->auth->accepts & MM_MECH_BIT(k->dialog.used)) != 0 &&
	       (t->plan.incoming->security == MM_SEC_NONE || k->tls.done);
}

static void begin_pass(struct mm_trip *t, int stage, int64_t now)
{
	const char *id = stage == LOOK ? t->id : NULL;
	t->stage = stage;
	t->pass =
	    (struct mm_box_pass){.mark = {.id = id, .address = t->plan.address, .now = (int64_t)time(NULL)}};
	mm_box_pass(&t->box, &t->pass, now);
}

static void rest(struct mm_trip *t, int64_t now)
{
	int pause = pauses[t->looks < N_PAUSES ? t->looks : N_PAUSES - 1];
	t->looks++;
	if (is_pop3(t)) {
		hang_up(t); /* what comes later is not seen over this connection */
		pause = pause < POP3_PAUSE_MS ? POP3_PAUSE_MS : pause;
	}
	/* the last look is at the end of the time, not after it */
	int64_t end = t->accepted + t->plan.wait_ms, at = now + pause;
	t->next_look = now < end && at > end ? end : at;
	t->stage = PAUSE;
}

static bool opened(struct mm_trip *t, int64_t now)
{
	if (!mm_line_step(&t->line, t->plan.multi, &t->plan.talk, now))
		return false;
	if (logged_in(t)) {
		mm_chat_begin(&t->chat, t->line.talk);
		mm_box_begin(&t->box, &t->chat);
		t->connected = true;
		begin_pass(t, t->stage == OPEN ? TIDY : LOOK, now);
	} else if (t->stage == OPEN) {
		return untested(t, "the incoming server could not be logged in to once more", now);
	} else {
		rest(t, now);
	}
	return t->stage == OVER;
}

/* ---- sending */

static void send_mail(struct mm_trip *t, int64_t now)
{
	t->stage = SEND_MAIL;
	mm_sender_mail(t->out, t->plan.address, now);
}

static void send_text(struct mm_trip *t, int64_t now)
{
	struct mm_buf text = MM_BUF_INIT(2 * MM_TRIP_MESSAGE_MAX);
	mm_trip_message(&text, t->id, t->plan.address, (int64_t)time(NULL));
	mm_buf_adds(&text, ".\r\n");
	mm_chat_send(t->out, (struct mm_span){mm_buf_str(&text), text.len}, now);
	mm_buf_free(&text);
	t->stage = SEND_TEXT;
}

static bool refused(struct mm_trip *t, const struct mm_smtp_reply *r, enum mm_cls cls, int64_t now)
{
	mm_sender_words(r, t->seen.said, sizeof(t->seen.said));
	/* a server that wants us later has not judged the settings */
	if (mm_cls_def(cls)->severity == MM_SEV_REMARK && r->code < 500)
		return over(t, MM_TRIP_UNTESTED, now);
	t->seen.cls = mm_cls_def(cls)->severity == MM_SEV_REMARK ? MM_CLS_TRIP_REFUSED : cls;
	return over(t, MM_TRIP_REFUSED, now);
}

/* Once the text is out, silence says nothing: it may have been taken. */
static bool unanswered(struct mm_trip *t, int64_t now)
{
	if (t->stage != SEND_TEXT)
		return untested(t, "the outgoing server stopped answering before the message was sent", now);
	t->accepted = now;
	rest(t, now);
	return false;
}

static bool answered(struct mm_trip *t, const struct mm_smtp_reply *r, int64_t now)
{
	static const enum mm_sender_verb verbs[] = {[SEND_MAIL] = MM_SENDER_MAIL,
	    [SEND_RCPT] = MM_SENDER_RCPT,
	    [SEND_DATA] = MM_SENDER_DATA,
	    [SEND_TEXT] = MM_SENDER_DATA};
	enum mm_cls cls = mm_sender_class(verbs[t->stage], r);
	bool go_ahead = t->stage != SEND_DATA ? r->code / 100 == 2 : r->code == 354;
	if (cls != MM_CLS_NONE)
		return refused(t, r, cls, now);
	if (!go_ahead)
		return untested(t, "the outgoing server answered out of turn", now);
	if (t->stage == SEND_MAIL) {
		t->stage = SEND_RCPT;
		mm_chat_say(t->out, MM_REPLY_SMTP, now, "RCPT TO:<%s>", t->plan.address);
	} else if (t->stage == SEND_RCPT) {
		t->stage = SEND_DATA;
		mm_chat_say(t->out, MM_REPLY_SMTP, now, "DATA");
	} else if (t->stage == SEND_DATA) {
		send_text(t, now);
	} else {
		t->accepted = now;
		rest(t, now);
	}
	return false;
}

static bool sending(struct mm_trip *t, int64_t now)
{
	struct mm_smtp_reply r;
	if (t->out->state != MM_CHAT_REPLIED || !mm_smtp_reply(mm_chat_reply(t->out), &r))
		return unanswered(t, now);
	return answered(t, &r, now);
}

/* ---- looking */

static void note_left(struct mm_trip *t, const char *folder)
{
	t->seen.left_over = true;
	copy(t, t->seen.left_in, sizeof(t->seen.left_in), folder[0] != '\0' ? folder : "INBOX");
}

static bool tidied(struct mm_trip *t, enum mm_box_state s, int64_t now)
{
	if (s == MM_BOX_TROUBLE)
		return untested(t, t->pass.trouble, now);
	t->seen.cleaned = t->pass.removed;
	if (t->pass.left_over)
		note_left(t, t->pass.left_in);
	if (is_pop3(t))
		hang_up(t);
	send_mail(t, now);
	return false;
}

static bool time_is_up(const struct mm_trip *t, int64_t now)
{
	return now - t->accepted >= t->plan.wait_ms;
}

static void note_found(struct mm_trip *t, int64_t now)
{
	if (t->pass.found && t->seen.delay_ms == 0) {
		t->seen.delay_ms = now > t->accepted ? now - t->accepted : 1;
		t->seen.junk = t->pass.junk;
		copy(t, t->seen.folder, sizeof(t->seen.folder),
		    t->pass.folder[0] != '\0' ? t->pass.folder : "INBOX");
	}
	if (t->pass.bounced)
		copy(t, t->seen.said, sizeof(t->seen.said),
		    t->pass.reason[0] != '\0' ? t->pass.reason : "no reason is given");
	if (t->pass.left_over)
		note_left(t, t->pass.left_in);
}

static bool looked(struct mm_trip *t, enum mm_box_state s, int64_t now)
{
	note_found(t, now);
	bool arrived = t->seen.delay_ms != 0, bounced = t->seen.said[0] != '\0', late = time_is_up(t, now);
	if (s == MM_BOX_TROUBLE) {
		/* what was found may not be removed yet: once more, with a new connection */
		hang_up(t);
		if (late && (arrived || bounced))
			note_left(t, t->seen.folder);
	}
	if (!late && (s == MM_BOX_TROUBLE || !(arrived || bounced))) {
		rest(t, now);
		return false;
	}
	return over(t, arrived ? MM_TRIP_ARRIVED : bounced ? MM_TRIP_BOUNCED : MM_TRIP_NOT_SEEN, now);
}

static bool paused(struct mm_trip *t, int64_t now)
{
	if (now < t->next_look)
		return false;
	if (t->connected)
		begin_pass(t, LOOK, now);
	else
		dial(t, REOPEN, now);
	return true;
}

/* ---- for the attempt */

void mm_trip_begin(struct mm_trip *t, const struct mm_trip_plan *plan, struct mm_chat *out, int64_t now)
{
	*t = (struct mm_trip){.plan = *plan, .out = out, .began = now};
	if (plan->why_not != NULL || plan->incoming == NULL || plan->n_addrs == 0) {
		(void)untested(
		    t, plan->why_not != NULL ? plan->why_not : "no incoming server was named for it", now);
		return;
	}
	mm_trip_id(t->id, (int64_t)time(NULL), plan->host);
	dial(t, OPEN, now);
}

/* One step; false when there is nothing to do but wait. */
static bool step(struct mm_trip *t, int64_t now)
{
	enum stage before = (enum stage)t->stage;
	enum mm_box_state s;
	switch (before) {
	case OPEN:
	case REOPEN:
		(void)opened(t, now);
		return t->stage != (int)before;
	case TIDY:
	case LOOK:
		s = mm_box_go(&t->box, now);
		if (s == MM_BOX_PENDING)
			return false;
		(void)(before == TIDY ? tidied(t, s, now) : looked(t, s, now));
		return true;
	case SEND_MAIL:
	case SEND_RCPT:
	case SEND_DATA:
	case SEND_TEXT:
		if (!mm_chat_go(t->out, now))
			return false;
		(void)sending(t, now);
		return true;
	case PAUSE:
		return paused(t, now);
	case OVER:
		break;
	}
	return false;
}

bool mm_trip_go(struct mm_trip *t, int64_t now)
{
	while (step(t, now))
		;
	return t->stage == OVER;
}

size_t mm_trip_poll(const struct mm_trip *t, struct pollfd *fds, size_t max)
{
	if (t->stage == OPEN || t->stage == REOPEN)
		return mm_line_poll(&t->line, fds, max);
	const struct mm_chat *c = t->stage == TIDY || t->stage == LOOK ? &t->chat : t->out;
	if (max == 0 || t->stage == PAUSE || t->stage == OVER)
		return 0;
	fds[0] = mm_chat_poll(c);
	return 1;
}

int64_t mm_trip_wake(const struct mm_trip *t, int64_t now)
{
	if (t->stage == OPEN || t->stage == REOPEN)
		return mm_line_wake(&t->line, now);
	if (t->stage == PAUSE)
		return t->next_look;
	if (t->stage == OVER)
		return now;
	return t->stage == TIDY || t->stage == LOOK ? t->chat.deadline : t->out->deadline;
}

void mm_trip_end(struct mm_trip *t)
{
	hang_up(t);
}
