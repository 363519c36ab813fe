#include "agent/probe/line.h"

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
		if (s == MM_DIAL_DONE)
			l->talk = mm_talk_begin(multi, plan, mm_dial_take(&l->dial), NULL);
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

void mm_line_hang_up(struct mm_line *l)
{
	if (l->dialling)
		mm_dial_end(&l->dial);
	l->dialling = false;
	mm_talk_end(l->talk);
	l->talk = NULL;
}
