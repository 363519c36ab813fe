/*
 * The transport over libssh2, in a worker process. See session.h for the
 * interface; what libssh2 1.10 cannot do stands in kexinit.h and sshkey.c.
 * ssh2.c drives the library, ssh2_net.c has the socket.
 */
#ifndef MM_PUSH_SSH2_H
#define MM_PUSH_SSH2_H

#include <libssh2.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "controller/push/session.h"

/* Once per process, before the sandbox. */
int mm_ssh2_init(struct mm_err *err);

/* ---- between the two files */

enum mm_ssh2_step {
	MM_S2_CONNECT,
	MM_S2_HANDSHAKE,
	MM_S2_AUTH,
	MM_S2_OPEN,
	MM_S2_EXEC,
	MM_S2_RUN,
	MM_S2_CLOSE
};

struct mm_ssh2 {
	int fd;
	enum mm_ssh2_step step;
	const char *address; /* the next one to try */
	LIBSSH2_SESSION *session;
	LIBSSH2_CHANNEL *channel;
	struct mm_buf hello;    /* the host's first words, until keys are exchanged */
	size_t hello_taken;     /* bytes of them that libssh2 has read */
	struct mm_buf hostkeys; /* algorithms asked for */
	bool heard;             /* the host has sent a byte */
	bool eof_sent;
	unsigned watched; /* what epoll waits for */
	bool sign_failed; /* on our side */
	size_t key;       /* the user key that is being tried */
};

/* Go on with the next address; the error of the last one ends the session. */
bool mm_ssh2_connect_next(struct mm_session *s, int error);
void mm_ssh2_close_socket(struct mm_session *s);
/* libssh2's only way to read: its LIBSSH2_CALLBACK_RECV. */
ssize_t mm_ssh2_receive(libssh2_socket_t fd, void *p, size_t n, int flags, void **abstract);

#endif
