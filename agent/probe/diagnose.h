/*
 * From what was seen to what is wrong: a pure function over the signals of
 * one test, after the decision table measured with real servers. It says no
 * more than the signals carry; where two causes look the same, the class is
 * the one that names both.
 */
#ifndef MM_AGENT_PROBE_DIAGNOSE_H
#define MM_AGENT_PROBE_DIAGNOSE_H

#include <stdbool.h>

#include "agent/probe/classes.h"
#include "agent/probe/dialog.h"
#include "agent/probe/endpoint.h"
#include "agent/probe/proven.h"
#include "agent/probe/tls.h"

/* How a talk ended, in libcurl's terms or in ours. */
enum mm_end {
	MM_END_NOT_RUN,
	MM_END_OK,
	MM_END_TIMEOUT,    /* our deadline */
	MM_END_HOPELESS,   /* broken off, see mm_dialog_hopeless() */
	MM_END_TLS,        /* handshake failed */
	MM_END_TLS_CLOSED, /* ... because the other side hung up */
	MM_END_CERT,       /* chain or name refused */
	MM_END_PIN,
	MM_END_STARTTLS, /* not there, or refused */
	MM_END_DENIED,   /* login refused, or none possible */
	MM_END_LOST,     /* connection lost */
	MM_END_WEIRD,    /* an answer that libcurl did not expect */
	MM_END_EHLO,     /* neither EHLO nor HELO accepted */
	MM_END_CA,       /* CA file unreadable */
	MM_END_OWN_CERT, /* the client certificate or its key is not usable */
	MM_END_LOCAL,    /* anything else: ours */
};

enum mm_mailbox {
	MM_MAILBOX_NOT_RUN,
	MM_MAILBOX_OK,
	MM_MAILBOX_NO,
	MM_MAILBOX_SILENT, /* no answer, or the connection went */
	MM_MAILBOX_DOUBT,  /* POP3: what was taken for a login need not have been one */
};

/* A second look: one more connection, never with credentials, to tell
 * apart what looks the same from the first. */
enum mm_look {
	MM_LOOK_NONE,
	MM_LOOK_PLAIN,   /* is there a greeting in clear; or does it wait for us to speak? */
	MM_LOOK_TLS,     /* settings say clear or STARTTLS: is there TLS at once? */
	MM_LOOK_TLS12,   /* the floor is 1.3: would 1.2 do? */
	MM_LOOK_OLD_TLS, /* would 1.0 or 1.1 do? */
	MM_LOOK_WEB,     /* TLS, and then silence: does it wait for us to speak, as web servers do? */
	MM_LOOK_CERT,    /* the certificate was refused: what else is wrong with it? */
	/* for the survey of an endpoint: does it speak this version? */
	MM_LOOK_ONLY_10,
	MM_LOOK_ONLY_11,
	MM_LOOK_ONLY_12,
	MM_LOOK_ONLY_13,
	MM_LOOK_COUNT
};

struct mm_look_result {
	bool run;
	bool tls; /* a handshake came to its end */
	enum mm_greeting greeting;
	enum mm_mail greeting_mail;
};

struct mm_signals {
	const struct mm_endpoint *ep;
	int gai;        /* of getaddrinfo(); 0 = there are addresses */
	bool dialled;   /* a TCP connection came about */
	int dial_errno; /* otherwise: why not */
	bool crowded;   /* other connections of ours to this endpoint held, and were open meanwhile */
	bool silent;    /* connected, and not a byte for a while; the talk goes on */
	enum mm_end end;
	const struct mm_dialog *dialog; /* not NULL when end != MM_END_NOT_RUN */
	const struct mm_tls_watch *tls; /* likewise */
	const char *looked;             /* what a second look read where a greeting is; NULL: nothing */
	const char *gss;                /* why the Kerberos library failed; NULL: it did not */
	enum mm_mailbox mailbox;
	struct mm_sender_seen sender;
	struct mm_trip_seen trip;
	struct mm_look_result look[MM_LOOK_COUNT];
	/* a product that was seen on the way, by the test or by a look (between.h); NULL: none */
	const char *between_cert, *between_words;
};

enum mm_cls mm_diagnose(const struct mm_signals *s);
/* Which look would tell more; MM_LOOK_NONE when enough is known. */
enum mm_look mm_next_look(const struct mm_signals *s);
/* Highest level that held; false when not even `reach` did. */
bool mm_level_reached(const struct mm_signals *s, enum mm_level *out);
/* May credentials be sent? Only where they are wanted and can be used. */
bool mm_login_possible(const struct mm_endpoint *ep);

/* The class of a refused login, from the reply (auth_reply.c). */
enum mm_cls mm_auth_reply_class(const struct mm_dialog *d);
/* A refusal to talk at all: greeting or last line of a closed connection. */
enum mm_cls mm_refusal_class(const char *text, enum mm_cls otherwise);

#endif
