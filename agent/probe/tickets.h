/*
 * Kerberos service tickets, fetched before anybody logs in with them.
 *
 * libcurl fetches them in the middle of a login by gss_init_sec_context(),
 * which blocks until the ticket service (KDC) has answered: one that is silent
 * would hold up every other connection of the run. So threads make the same
 * call first. A ticket that they get lies in the run's cache (ticket.h), where
 * libcurl finds it without asking anybody; where they get none, libcurl is not
 * let at it. While a ticket is awaited, no connection is open for it.
 *
 * Each service principal is asked for once in a run, all at the same time: a
 * ticket service that is silent is waited for once, however many users and
 * services wait for it. What the call does besides (the host's canonical name
 * is looked up, krb5.conf(5) dns_canonicalize_hostname) libcurl's will do
 * again: where that is slow, the login has to come after everybody else's.
 */
#ifndef MM_AGENT_PROBE_TICKETS_H
#define MM_AGENT_PROBE_TICKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/probe/endpoint.h"

#define MM_TICKET_THREADS 16
#define MM_TICKET_SLOW_MS 500 /* with the ticket in the cache */
#define MM_TICKET_WHY_MAX 256

/* Why there is none, where nobody answered in time; else the Kerberos
 * library's words. */
#define MM_TICKET_SILENT "No answer from the ticket service"

struct mm_ticket; /* of one service; belongs to the tickets */
struct mm_tickets;

struct mm_ticket_answer {
	const char *why; /* there is none; NULL: there is one */
	bool slow;       /* a login with it blocks for MM_TICKET_SLOW_MS or longer */
};

/* As gss_init_sec_context() for "imap@host": true when there is a ticket now,
 * or `why` of MM_TICKET_WHY_MAX bytes. A test can have one that hangs. */
typedef bool mm_ticket_fetch(const char *service, char *why);

/* `fetch` NULL: from the Kerberos library. `wake` is called from another
 * thread when an answer is there. */
struct mm_tickets *mm_tickets_new(mm_ticket_fetch *fetch, void (*wake)(void *ctx), void *ctx);
/* Returns false when a thread still hangs in the Kerberos library; it is left
 * alone. NULL is allowed. */
bool mm_tickets_free(struct mm_tickets *t);

/* Ask for the ticket that a login to the endpoint needs, or join those who did. */
struct mm_ticket *mm_tickets_ask(struct mm_tickets *t, const struct mm_endpoint *ep);
/* False: not yet. When `limit_ms` have gone since it was asked for, the answer
 * is MM_TICKET_SILENT. */
bool mm_ticket_answer(struct mm_tickets *t, const struct mm_ticket *of, int limit_ms, int64_t now,
    struct mm_ticket_answer *out);
/* When that will be. */
int64_t mm_ticket_wake(const struct mm_ticket *of, int limit_ms);

#endif
