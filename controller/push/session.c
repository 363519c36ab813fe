#include "controller/push/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/term.h"

void mm_session_phase(struct mm_session *s, enum mm_phase p)
{
	int64_t now = mm_now_ms();
	int took = (int)(now - s->phase_began);
	struct mm_outcome *o = &s->outcome;
	/* The same phase again is the next address of the host: it begins anew. */
	enum mm_phase left = p == s->phase ? MM_PH_ANSWER : s->phase;
	if (left == MM_PH_CONNECT)
		o->ms_connect = took;
	else if (left == MM_PH_BANNER)
		o->ms_handshake = took;
	else if (left == MM_PH_HANDSHAKE)
		o->ms_handshake = (o->ms_handshake > 0 ? o->ms_handshake : 0) + took;
	else if (left == MM_PH_AUTH)
		o->ms_auth = took;
	s->phase = p;
	s->phase_began = now;
	s->heard = now;
}

void mm_session_end(struct mm_session *s, enum mm_push_class c, const char *fmt, ...)
{
	if (s->ended)
		return;
	char text[MM_OUTCOME_TEXT];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mm_outcome_set(&s->outcome, c, "%s", text);
	s->outcome.early = s->phase < MM_PH_ANSWER;
	if (s->phase == MM_PH_ANSWER)
		s->outcome.ms_answer = (int)(mm_now_ms() - s->phase_began);
	s->ended = true;
	mm_session_over(s);
}

void mm_session_stderr(struct mm_session *s, const void *p, size_t n)
{
	size_t room = MM_STDERR_MAX - s->errout.len;
	mm_buf_add(&s->errout, p, n < room ? n : room);
}

const char *mm_session_first_line(struct mm_session *s)
{
	const char *text = mm_buf_str(&s->errout);
	text += strspn(text, "\r\n \t");
	size_t n = strcspn(text, "\r\n");
	struct mm_buf line = MM_BUF_INIT((size_t)4 * MM_STDERR_MAX);
	mm_printable(&line, text, n < 200 ? n : 200);
	const char *copy = mm_arena_strdup(s->arena, mm_buf_str(&line));
	mm_buf_free(&line);
	return copy;
}

void mm_session_exited(struct mm_session *s, int status)
{
	const char *line = mm_session_first_line(s);
	s->outcome.code = status;
	if (status == 127 || status == 126)
		mm_session_end(s, MM_PC_NO_AGENT,
		    "there is no mailmuster-agent that could be run (exit %d)%s%s", status,
		    *line != '\0' ? ": " : "", line);
	else if (*line != '\0')
		mm_session_end(s, MM_PC_NO_END, "the agent stopped (exit %d): %s", status, line);
	else
		mm_session_end(s, MM_PC_NO_END, "the agent stopped (exit %d) without a word", status);
}
