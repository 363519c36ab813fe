#include "agent/probe/line.h"

#include <stdarg.h>
#include <string.h>

void mm_line_title(struct mm_line *l, const struct mm_trace *to, const char *fmt, ...)
{
	char title[320];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(title, sizeof(title), fmt, ap);
	va_end(ap);
	mm_trace_log_begin(&l->log, to, title);
}

void mm_line_dial(
    struct mm_line *l, const struct mm_addr *addrs, size_t n, int port, int64_t now, int limit_ms)
{
	mm_dial_begin(&l->dial, addrs, n, port, now, limit_ms);
	l->dialling = true;
}

bool mm_line_step(struct mm_line *l, CURLM *multi, const struct mm_talk_plan *plan, int64_t now)
{
	if (l->dialling) {
		enum mm_dial_state s = mm_dial_step(&l->dial, now);
		if (s == MM_DIAL_PENDING)
			return false;
		l->dialling = false;
		struct mm_talk_plan own = *plan;
		own.trace = l->log.to != NULL ? &l->log.trace : plan->trace;
		if (s == MM_DIAL_DONE)
			l->talk = mm_talk_begin(multi, &own, mm_dial_take(&l->dial), NULL);
		return l->talk == NULL;
	}
	if (l->talk == NULL)
		return true;
	mm_talk_step(l->talk, now);
	return l->talk->finished;
}

size_t mm_line_poll(const struct mm_line *l, struct pollfd *fds, size_t max)
{
	return l->dialling ? mm_dial_poll(&l->dial, fds, max) : 0;
}

int64_t mm_line_wake(const struct mm_line *l, int64_t now)
{
	if (l->dialling)
		return mm_dial_wake(&l->dial);
	return l->talk != NULL && !l->talk->finished ? mm_talk_wake(l->talk, now) : INT64_MAX;
}

void mm_line_note_end(const struct mm_trace *to, const struct mm_talk *t)
{
	if (t->tls.started && !t->tls.done && t->tls.alert_in >= 0)
		mm_trace_note(to, "refused: %s", mm_tls_alert_text(t->tls.alert_in));
	else if (t->end == MM_END_TLS_CLOSED || t->end == MM_END_LOST)
		mm_trace_note(to, "the server closed the connection");
	else if (t->end == MM_END_TIMEOUT)
		mm_trace_note(to, "no answer");
	else if (t->end == MM_END_TLS)
		mm_trace_note(to, "no handshake");
	else if (t->end == MM_END_CERT || t->end == MM_END_PIN)
		mm_trace_note(to, "the certificate is not accepted");
}

void mm_line_hang_up(struct mm_line *l)
{
	if (l->dialling)
		mm_dial_end(&l->dial);
	l->dialling = false;
	if (l->log.to != NULL && l->talk != NULL)
		mm_line_note_end(&l->log.trace, l->talk);
	else if (l->log.to != NULL)
		mm_trace_note(&l->log.trace, "no connection: %s", strerror(mm_dial_errno(&l->dial)));
	mm_talk_end(l->talk);
	l->talk = NULL;
	mm_trace_log_tell(&l->log);
}
