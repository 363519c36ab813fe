/*
 * One connection spoken over by libcurl: TLS or STARTTLS, greeting,
 * capabilities, and the login where there is one. The handle is CONNECT_ONLY:
 * libcurl stops after the login and the connection is ours to use; and it
 * says no LOGOUT of its own, for which it would block the whole loop up to
 * two minutes.
 *
 * The login is libcurl's; whether it held is said by the dialog.
 */
#ifndef MM_AGENT_PROBE_TALK_H
#define MM_AGENT_PROBE_TALK_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/probe/diagnose.h"
#include "agent/probe/trace.h"
#include "common/err.h"
#include "common/secret.h"

struct mm_limits {
	int dns_ms;     /* name service */
	int dial_ms;    /* TCP connection, all addresses together */
	int answer_ms;  /* each step of TLS, greeting, and each reply before and after the login */
	int login_ms;   /* reply to the login: servers are slow on purpose */
	int talk_ms;    /* all of a talk, whatever trickles in */
	int silence_ms; /* then a second look begins */
	int look_ms;    /* a second look, after its connection */
	int trip_ms;    /* a round trip, from the acceptance of the message on */
};
extern const struct mm_limits mm_limits_default;

struct mm_talk_plan {
	const struct mm_endpoint *ep;
	const struct mm_limits *limits;
	enum mm_look look;                   /* MM_LOOK_NONE: the talk itself. A look has no credentials. */
	bool login;                          /* with what is needed for it below */
	const struct mm_secret *secret;      /* NULL: the way to log in needs none */
	const struct mm_secret *certificate; /* of the client, with its key, PEM; NULL: none */
	const char *login_options;           /* for libcurl; NULL: its own choice */
	const struct mm_trace *trace;        /* who looks on; NULL: nobody */
	CURLSH *sessions; /* to resume one of, or add ours to; NULL: in full, and forgotten */
};

struct mm_talk {
	CURLM *multi;
	CURL *easy;
	struct curl_slist *names; /* for CURLOPT_RESOLVE */
	const struct mm_limits *limits;
	const struct mm_trace *trace;   /* NULL: nobody looks on */
	const struct mm_secret *secret; /* what must not be shown; NULL: none */
	struct mm_dialog dialog;
	struct mm_tls_watch tls;
	bool finished; /* `end` is valid */
	enum mm_end end;
	char error[CURL_ERROR_SIZE]; /* libcurl's words */
	char gss[256];               /* those of the Kerberos library, when it failed; else "" */
	int fd;                      /* until libcurl has taken it, else -1 */
	int sock;                    /* the same number, for waiting only */
	enum mm_look look;
	bool poked;
	bool ours;     /* MM_LOOK_WEB: libcurl has left the connection to us */
	unsigned turn; /* steps so far; libcurl works once between two */
	unsigned said; /* the one in which our last line went out */
	/* clock.h; 0 = did not come to pass */
	int64_t began, last_event, tls_began, tls_done, greeted, auth_began, auth_done;
};

/* Takes the connected socket `fd`, also on failure. Free with mm_talk_end(). */
struct mm_talk *mm_talk_begin(CURLM *multi, const struct mm_talk_plan *plan, int fd, struct mm_err *err);
/* libcurl says that the transfer of this handle is over. */
void mm_talk_done(struct mm_talk *t, CURLcode code);
/* The talk of a handle. */
struct mm_talk *mm_talk_of(CURL *easy);
/* Look at deadlines and at what was said; may finish the talk. */
void mm_talk_step(struct mm_talk *t, int64_t now);
/* Break it off. */
void mm_talk_abort(struct mm_talk *t, enum mm_end end);
/* When to step at the latest. */
int64_t mm_talk_wake(const struct mm_talk *t, int64_t now);
/* Connected, perhaps encrypted, and not a word from the server since. */
bool mm_talk_silent(const struct mm_talk *t, int64_t now);
/* A look saw what it was to see. */
bool mm_talk_settled(const struct mm_talk *t);
/* Closes the connection; what was seen stays. NULL is allowed. */
void mm_talk_close(struct mm_talk *t);
void mm_talk_end(struct mm_talk *t); /* closes; NULL is allowed */

/* libcurl and OpenSSL with memory that is wiped when freed, so before anything else of OpenSSL;
 * SSLKEYLOGFILE is ignored. */
int mm_curl_init(struct mm_err *err);

#endif
