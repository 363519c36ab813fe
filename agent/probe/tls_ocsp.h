/* A stapled OCSP answer (RFC 6066 8, RFC 6960), for tls.c. Internal to agent/probe. */
#ifndef MM_AGENT_PROBE_TLS_OCSP_H
#define MM_AGENT_PROBE_TLS_OCSP_H

#include <stddef.h>

#include <openssl/ssl.h>

/* "none", "good", "revoked", "unknown" (what the responder says of the
 * server's certificate), or "invalid" with the reason in `why`. The chain of
 * the session has been verified before. */
const char *mm_ocsp_read(SSL *ssl, char *why, size_t size);

#endif
