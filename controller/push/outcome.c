#include "controller/push/outcome.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/err.h"
#include "common/text.h"
#include "schemas/proto.h"

static const struct mm_push_class_def defs[MM_PC_COUNT] = {
    [MM_PC_OK] = {"ok", "answered", MM_EX_OK},
    [MM_PC_SUPERSEDED] = {"superseded", "a newer request of ours was there first", MM_EX_OK},
    [MM_PC_REFUSED] = {"refused-by-agent", "the agent refused the request", MM_EX_HOSTS_FAILED},
    [MM_PC_HOSTKEY_UNKNOWN] = {"host-key-unknown", "no host key is pinned", MM_EX_HOSTS_FAILED},
    [MM_PC_HOSTKEY_CHANGED] = {"host-key-changed", "THE HOST KEY HAS CHANGED", MM_EX_HOSTS_FAILED},
    [MM_PC_AUTH] = {"auth-failed", "our SSH key is not accepted", MM_EX_HOSTS_FAILED},
    [MM_PC_NO_METHOD] = {"no-common-method", "no SSH method in common", MM_EX_HOSTS_FAILED},
    [MM_PC_CONN_REFUSED] = {"connect-refused", "connection refused", MM_EX_UNREACHABLE},
    [MM_PC_CONN_TIMEOUT] = {"connect-timeout", "no answer to the connection", MM_EX_UNREACHABLE},
    [MM_PC_NO_ROUTE] = {"no-route", "no route", MM_EX_UNREACHABLE},
    [MM_PC_DNS] = {"dns", "the name does not resolve", MM_EX_UNREACHABLE},
    [MM_PC_SILENT] = {"silent", "connected, but the host says nothing", MM_EX_UNREACHABLE},
    [MM_PC_NOT_SSH] = {"not-ssh", "something else than SSH answers", MM_EX_HOSTS_FAILED},
    [MM_PC_HANDSHAKE_TIMEOUT] = {"handshake-timeout", "the SSH handshake did not end", MM_EX_UNREACHABLE},
    [MM_PC_ANSWER_TIMEOUT] = {"answer-timeout", "the agent did not answer in time", MM_EX_HOSTS_FAILED},
    [MM_PC_HOSTILE] = {"hostile", "the host breaks the protocol", MM_EX_HOSTS_FAILED},
    [MM_PC_LOST] = {"connection-lost", "the connection broke", MM_EX_UNREACHABLE},
    [MM_PC_NO_AGENT] = {"no-agent", "no mailmuster-agent there", MM_EX_HOSTS_FAILED},
    [MM_PC_CRASH] = {"worker-crash", "the SSH library aborted", MM_EX_HOSTS_FAILED},
    [MM_PC_NO_END] = {"agent-no-end", "the answer is not complete", MM_EX_HOSTS_FAILED},
    [MM_PC_LOCAL] = {"local", "nothing was sent", MM_EX_HOSTS_FAILED},
    [MM_PC_INTERRUPTED] = {"interrupted", "not served, the run was stopped", MM_EX_OK},
};

const struct mm_push_class_def *mm_push_class_def(enum mm_push_class c)
{
	return &defs[c];
}

int mm_push_class_by_name(const char *name)
{
	for (int i = 0; i < MM_PC_COUNT; i++)
		if (mm_streq(defs[i].name, name))
			return i;
	return -1;
}

static void print(char text[MM_OUTCOME_TEXT], const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
static void print(char text[MM_OUTCOME_TEXT], const char *fmt, va_list ap)
{
	(void)vsnprintf(text, MM_OUTCOME_TEXT, fmt, ap);
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
}

void mm_outcome_set(struct mm_outcome *o, enum mm_push_class c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	print(o->text, fmt, ap);
	va_end(ap);
	o->cls = c;
}

static const char *keep(struct mm_arena *a, const char *s)
{
	return *s != '\0' ? mm_arena_strdup(a, s) : "";
}

struct mm_ended mm_ended_of(const struct mm_outcome *o, struct mm_arena *a)
{
	return (struct mm_ended){.cls = o->cls,
	    .code = o->code,
	    .reason = keep(a, o->reason),
	    .text = keep(a, o->text),
	    .fingerprint = keep(a, o->fingerprint),
	    .pinned = o->pinned,
	    .seen_epoch = o->seen_epoch,
	    .seen_serial = o->seen_serial,
	    .ms_connect = o->ms_connect,
	    .ms_handshake = o->ms_handshake,
	    .ms_auth = o->ms_auth,
	    .ms_answer = o->ms_answer,
	    .delivered = o->delivered,
	    .by_ssh = o->by_ssh};
}

void mm_ended_set(struct mm_ended *e, struct mm_arena *a, enum mm_push_class c, const char *fmt, ...)
{
	char text[MM_OUTCOME_TEXT];
	va_list ap;
	va_start(ap, fmt);
	print(text, fmt, ap);
	va_end(ap);
	e->text = keep(a, text);
	e->cls = c;
}

bool mm_ended_moved(const struct mm_ended *e)
{
	return e->cls == MM_PC_REFUSED && mm_streq(e->reason, MM_REFUSED_MOVED);
}
