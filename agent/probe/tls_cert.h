/* Certificates into text; the only other user of OpenSSL beside tls.c. */
#ifndef MM_AGENT_PROBE_TLS_CERT_H
#define MM_AGENT_PROBE_TLS_CERT_H

#include <openssl/x509.h>

#include "agent/probe/tls.h"

void mm_cert_facts_read(X509 *cert, struct mm_cert_facts *out);
/* X509_V_ERR_... to our words. */
enum mm_cert_trouble mm_cert_trouble_of(int x509_error);

#endif
