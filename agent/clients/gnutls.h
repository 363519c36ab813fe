/*
 * TLS floors as priority strings of GnuTLS (gnutls_priority_init(3)), for the
 * programs that are set with one.
 */
#ifndef MM_AGENT_CLIENTS_GNUTLS_H
#define MM_AGENT_CLIENTS_GNUTLS_H

/* "1.2", "1.3", "1.0"; a string that is not known comes back as it is, so that
 * it equals no policy's floor. NULL is the library's own default, NORMAL. */
const char *mm_gnutls_floor(const char *priorities);
/* The string for a floor of the settings table. */
const char *mm_gnutls_priorities(const char *tls_min);

#endif
