/*
 * What a host offers in its first packet (SSH_MSG_KEXINIT, RFC 4253, 7.1),
 * and what we offer. libssh2 only says that there was nothing in common;
 * this module says what.
 */
#ifndef MM_PUSH_KEXINIT_H
#define MM_PUSH_KEXINIT_H

#include <stdbool.h>

#include "common/buf.h"

#define MM_KEXINIT_MAX 16384 /* bytes of a host's first words that are kept */

/* Methods that libssh2 1.10 has and that are not broken. The order matters:
 * dh-group-exchange would cost 29 ms of CPU and is left out. */
#define MM_SSH2_KEX "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384"
#define MM_SSH2_CRYPT "aes128-ctr,aes256-ctr,aes192-ctr"
#define MM_SSH2_MAC "hmac-sha2-256,hmac-sha2-512"

enum mm_kex_verdict {
	MM_KEX_UNKNOWN,           /* no KEXINIT in these bytes, or nothing wrong with it */
	MM_KEX_NOTHING_IN_COMMON, /* *why names the kind and both lists */
	MM_KEX_OTHER_HOSTKEY,     /* only the types of the host key differ; *why lists the host's */
};

/* `raw`: what the host sent, from its first byte. `hostkeys`: the host key
 * algorithms that we asked for. */
enum mm_kex_verdict mm_kexinit_explain(const struct mm_buf *raw, const char *hostkeys, struct mm_buf *why);

#endif
