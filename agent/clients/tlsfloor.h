/*
 * The lowest TLS version of programs that leave it to a library of the
 * system's, from the file in which the machine's owner can raise it, and from
 * what the library does without: tried with the programs of Debian 12 against
 * a server that speaks nothing newer (tests/clients/real/all_tls_floor.py,
 * test_tls_floor.py).
 *
 *   GnuTLS 3.7    NORMAL has 1.0 to 1.3. What /etc/gnutls/config disables is
 *                 gone for every program, whatever its own priorities say
 *                 (gnutls manual, "System-wide configuration of the library").
 *   OpenSSL 3.0   1.0 to 1.3: security level 2 refuses signatures of 1.0 and
 *                 1.1, and a key exchange of RSA has none. MinProtocol of
 *                 /etc/ssl/openssl.cnf (config(5), SSL_CONF_cmd(3)) holds
 *                 where nobody sets one in the program.
 *   Qt 5.15       sets 1.0 itself, which beats MinProtocol.
 *
 * Said is only what is certain: on a system that was not tried, no more than
 * what is disabled by name; nothing where a file has what is not understood
 * here, or where the user's environment names another one.
 */
#ifndef MM_AGENT_CLIENTS_TLSFLOOR_H
#define MM_AGENT_CLIENTS_TLSFLOOR_H

#include "agent/clients/client.h"

#define MM_GNUTLS_CONFIG "/etc/gnutls/config"
#define MM_OPENSSL_CONFIG "/etc/ssl/openssl.cnf"

struct mm_tls_floor {
	const char *version; /* "1.0" ... "1.3"; NULL: not known */
	const char *path;    /* where it is said, or what stands in the way; NULL: the library's own */
	int line;
	const char *why; /* version NULL: one sentence */
};

struct mm_tls_own {
	const char *version; /* the program's own lowest; NULL: it leaves that to the library */
	bool set;            /* somebody has set it; else it is what the program does by itself */
};

/* Texts live in the reader's arena. */
void mm_tls_floor(
    struct mm_reader *r, enum mm_tls_library library, const struct mm_tls_own *own, struct mm_tls_floor *out);

#endif
