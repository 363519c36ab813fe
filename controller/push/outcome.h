/*
 * How serving one host ended: a class, a sentence for the admin, and how
 * long each phase took. One table says what a class is called in JSON and in
 * the store, and which bit of the exit status it sets.
 */
#ifndef MM_PUSH_OUTCOME_H
#define MM_PUSH_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mem.h"

enum mm_push_class {
	MM_PC_OK,              /* a complete answer with a good END */
	MM_PC_SUPERSEDED,      /* a newer request of ours has reached the host before this one */
	MM_PC_REFUSED,         /* the agent said REFUSED: code and reason are its own */
	MM_PC_HOSTKEY_UNKNOWN, /* no key is pinned for this host */
	MM_PC_HOSTKEY_CHANGED, /* another key than the pinned one */
	MM_PC_AUTH,            /* the host does not accept our SSH key */
	MM_PC_NO_METHOD,       /* nothing in common with libssh2 */
	MM_PC_CONN_REFUSED,
	MM_PC_CONN_TIMEOUT,
	MM_PC_NO_ROUTE,
	MM_PC_DNS,
	MM_PC_SILENT,            /* accepts the connection, sends no banner */
	MM_PC_NOT_SSH,           /* something else answers on that port */
	MM_PC_HANDSHAKE_TIMEOUT, /* key exchange or authentication did not end */
	MM_PC_ANSWER_TIMEOUT,    /* logged in, but no answer or no keep-alive */
	MM_PC_HOSTILE,           /* breaks the protocol: SSH's or ours */
	MM_PC_LOST,              /* the connection broke */
	MM_PC_NO_AGENT,          /* logged in, but there is no mailmuster-agent */
	MM_PC_CRASH,             /* the SSH library aborted while talking to this host */
	MM_PC_NO_END,            /* the agent stopped before its answer was complete */
	MM_PC_LOCAL,             /* nothing was sent: a trouble on this side */
	MM_PC_INTERRUPTED,       /* the run was stopped before this host was done */
	MM_PC_COUNT
};

struct mm_push_class_def {
	const char *name;  /* "host-key-changed": JSON, store, --json */
	const char *label; /* for the headline of a group in the summary */
	int exit_bit;      /* MM_EX_OK, MM_EX_HOSTS_FAILED or MM_EX_UNREACHABLE */
};

const struct mm_push_class_def *mm_push_class_def(enum mm_push_class c);
/* -1 when the word is none of them. */
int mm_push_class_by_name(const char *name);

#define MM_OUTCOME_TEXT 640

struct mm_outcome {
	enum mm_push_class cls;
	int code;                   /* exit status of the remote command or REFUSED.code; -1 = none */
	char reason[32];            /* REFUSED.reason */
	int64_t seen_epoch;         /* of a replay: the newest request that the host has seen ... */
	int64_t seen_serial;        /* ... 0 = not told */
	char text[MM_OUTCOME_TEXT]; /* one printable sentence, "" for MM_PC_OK */
	char fingerprint[64];       /* of the key that the host showed, "" = none seen, or a pinned one: */
	unsigned pinned;            /* which of the pinned keys it was, from 1; 0 = none of them */
	bool delivered;             /* the request was written to the host completely */
	bool by_ssh;                /* the system's ssh was the transport */
	bool early;                 /* ended before authentication: nothing has happened on the host */
	/* milliseconds, -1 = not reached */
	int ms_connect, ms_handshake, ms_auth, ms_answer;
};

#define MM_OUTCOME_NONE                                                                                      \
	((struct mm_outcome){                                                                                \
	    .code = -1, .ms_connect = -1, .ms_handshake = -1, .ms_auth = -1, .ms_answer = -1})

/* Set class and text; control characters become '?', too long text is cut. */
void mm_outcome_set(struct mm_outcome *o, enum mm_push_class c, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same as it is kept of thousands of hosts: texts, of which most have
 * none, live in an arena; "" = none, never NULL. */
struct mm_ended {
	enum mm_push_class cls;
	int code;
	const char *reason, *text, *fingerprint;
	int64_t seen_epoch, seen_serial;
	int ms_connect, ms_handshake, ms_auth, ms_answer;
	unsigned pinned;
	bool delivered, by_ssh;
};

#define MM_ENDED_NONE                                                                                        \
	((struct mm_ended){.reason = "",                                                                     \
	    .text = "",                                                                                      \
	    .fingerprint = "",                                                                               \
	    .code = -1,                                                                                      \
	    .ms_connect = -1,                                                                                \
	    .ms_handshake = -1,                                                                              \
	    .ms_auth = -1,                                                                                   \
	    .ms_answer = -1})

struct mm_ended mm_ended_of(const struct mm_outcome *o, struct mm_arena *a);
/* It refused a plan that does not hold for it any more: nothing stays pending there. */
bool mm_ended_moved(const struct mm_ended *e);
/* As mm_outcome_set(). */
void mm_ended_set(struct mm_ended *e, struct mm_arena *a, enum mm_push_class c, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
