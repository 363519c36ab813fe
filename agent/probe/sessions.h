/*
 * TLS sessions that the tests of one endpoint share: the first of them
 * negotiates in full and has its certificate verified, those after it resume
 * its session, at about half the cost for both sides.
 *
 * That is honest as far as the following goes, and no further:
 * - Only tests with one host, port, protocol, security, floor, CA file and pin
 *   share: those of a site (site.h), each with a share of libcurl's of its own.
 *   Nothing can come from a connection with other parameters of trust, such as
 *   a look, which takes every certificate.
 * - Only with the same address: another one of the same name may be another
 *   server, and is asked in full.
 * - A resumed connection shows no certificate (RFC 8446 2.2). What its answer
 *   says about it is what the handshake in full showed, which OpenSSL keeps
 *   with the session in memory, and the answer says `resumed`. OpenSSL's
 *   verdict on the chain is the session's; libcurl looks at the name and at
 *   the pin of that certificate again.
 * - A session is offered for MM_SESSION_MS, then somebody negotiates in full
 *   again: a certificate that is exchanged by a server that keeps the keys of
 *   its tickets is seen so much later at the latest. One that does not keep
 *   them cannot resume, and is asked in full at once.
 * - Never with a client certificate: the server would take the session's owner
 *   for the one who logs in, whoever that is, and no certificate would be
 *   proven to work. Never for looks and surveys, whose subject is the handshake
 *   itself, nor where an endpoint has one test only.
 * - What fails in a session that was resumed is tried again in full before it
 *   is told (attempt.c).
 * Not shared, though it would be honest: TLS 1.3 behind STARTTLS. libcurl 7.88
 * looks for the session under the protocol's name (smtp) and, as it comes after
 * the handshake, keeps it under that of the encrypted one (smtps).
 */
#ifndef MM_AGENT_PROBE_SESSIONS_H
#define MM_AGENT_PROBE_SESSIONS_H

#include <curl/curl.h>
#include <stdint.h>

#include "agent/probe/resolve.h"

#define MM_SESSION_MS 60000

struct mm_sessions; /* NULL: none yet */

/* Where the sessions with this address are kept, for CURLOPT_SHARE; it lives
 * until mm_sessions_end(). */
CURLSH *mm_sessions_with(struct mm_sessions **all, const struct mm_addr *at, int64_t now);
/* After every handle that shares them. */
void mm_sessions_end(struct mm_sessions **all);

#endif
