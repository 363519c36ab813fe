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
	struct mm_buf out;      /* what libssh2 has written and the socket has not taken yet */
	bool heard;             /* the host has sent a byte */
	bool unanswered;        /* it has sent something since we last did */
	bool eof_sent;
	bool all_written; /* the request's last byte is in `out`, or gone */
	bool deaf;        /* the socket takes nothing any more */
	bool closing;     /* nor does it give anything */
	unsigned watched; /* what epoll waits for */
	bool sign_failed; /* on our side */
	size_t key;       /* the user key that is being tried */
};

/* Above the largest packet of libssh2, which is 35000 bytes. */
#define MM_SSH2_OUT_MAX ((size_t)128 * 1024)

/* Go on with the next address; the error of the last one ends the session. */
bool mm_ssh2_connect_next(struct mm_session *s, int error);
void mm_ssh2_close_socket(struct mm_session *s);
/* libssh2's only ways to read and to write: its LIBSSH2_CALLBACK_RECV and
 * LIBSSH2_CALLBACK_SEND. What is written is gathered until mm_ssh2_flush(), so
 * that packets that follow one another leave together. */
ssize_t mm_ssh2_receive(libssh2_socket_t fd, void *p, size_t n, int flags, void **abstract);
ssize_t mm_ssh2_send(libssh2_socket_t fd, const void *p, size_t n, int flags, void **abstract);
/* Hand what was gathered to the socket: 1 all of it, 0 it takes no more for
 * now, -1 the connection broke. Call it before waiting for the host. */
int mm_ssh2_flush(struct mm_session *s);
/* Nothing is to be sent for now: what the host sent is acknowledged at once,
 * which saves it a round trip where it waits for that (Nagle). */
void mm_ssh2_acknowledge(struct mm_session *s);

#endif
