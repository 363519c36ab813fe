/* Reading X509 certificates for tls.c. Internal to agent/probe. */
#ifndef MM_AGENT_PROBE_TLS_CERT_H
#define MM_AGENT_PROBE_TLS_CERT_H

#include <openssl/x509.h>

#include "agent/probe/tls.h"

void mm_cert_facts_read(X509 *cert, struct mm_cert_facts *out);
/* X509_V_ERR_...; of a server that shows the wrong name OpenSSL knows nothing. */
enum mm_cert_trouble mm_cert_trouble_of(int x509_error);
/* By its subject alternative names alone (RFC 9525 6.3), of which an address
 * literal is one, too. */
bool mm_cert_is_for(X509 *cert, const char *host);
/* SHA-256 of the whole certificate; "" when it cannot be encoded. */
void mm_cert_fingerprint(X509 *cert, char out[65]);
/* sha256//BASE64 of its SubjectPublicKeyInfo (RFC 7469 2.4), as libcurl takes pins. */
void mm_cert_pin(const X509 *cert, char *out, size_t size);
/* Where the certificate says its issuer's is published (caIssuers, RFC 5280
 * 4.2.2.1), printable; "": nowhere. */
void mm_cert_issuer_url(X509 *cert, char *out, size_t size);
/* What is told of a chain, at most MM_CHAIN_MAX of it; free() the list. */
size_t mm_chain_read(const STACK_OF(X509) * chain, struct mm_chain_link **out);

#endif
