/*
 * A TLS server on loopback with a certificate of its own making, and a
 * client with libcurl: what the probe does, in small.
 */
#ifndef MM_TESTS_SANDBOX_TLS_H
#define MM_TESTS_SANDBOX_TLS_H

#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"

struct mm_tls_server {
	pid_t pid;
	uint16_t port;
};

/* Listen on a free port; the certificate (for "localhost") is left in a file. */
void mm_tls_server_start(struct mm_tls_server *s, const char *cert_path);
void mm_tls_server_stop(struct mm_tls_server *s);
/* Connect by name, verify against the file, exchange a byte. 0 or -1. */
int mm_tls_client(const struct mm_tls_server *s, const char *ca_path);
void mm_tls_read(const char *path, struct mm_buf *out);

#endif
