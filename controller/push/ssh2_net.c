#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/push/ssh2.h"

/* ---- reading */

/* A read that is not filled has emptied the socket: until epoll says that more
 * has come there is nothing to ask for. */
static ssize_t receive_now(struct mm_session *s, int fd, void *p, size_t n, int flags)
{
	struct mm_ssh2 *x = s->own.ssh2;
	if (x->closing)
		return 0;
	if (!s->ready)
		return -EAGAIN;
	ssize_t got = recv(fd, p, n, flags);
	int error = errno;
	s->ready = got == 0 || (size_t)got == n;
	if (got < 0)
		return -error;
	x->unanswered = true;
	if (got > 0 && !x->heard) {
		x->heard = true;
		mm_session_live(s);
		mm_session_phase(s, MM_PH_HANDSHAKE);
	}
	return got;
}

/* libssh2's only way to read. It reads a host's banner byte by byte; what
 * comes first is therefore read at once and kept, which also lets us say what
 * the host offered. */
ssize_t mm_ssh2_receive(libssh2_socket_t fd, void *p, size_t n, int flags, void **abstract)
{
	struct mm_session *s = *abstract;
	struct mm_ssh2 *x = s->own.ssh2;
	char chunk[4096];
	size_t left = x->hello.len - x->hello_taken;
	if (left == 0 && x->step != MM_S2_HANDSHAKE && x->hello.data != NULL) {
		mm_buf_free(&x->hello); /* it has served */
		x->hello_taken = 0;
	}
	if (left == 0 && (x->step != MM_S2_HANDSHAKE || x->hello.len + sizeof(chunk) > x->hello.max))
		return receive_now(s, fd, p, n, flags);
	if (left == 0) {
		ssize_t got = receive_now(s, fd, chunk, sizeof(chunk), flags);
		if (got <= 0)
			return got;
		mm_buf_add(&x->hello, chunk, (size_t)got);
		left = (size_t)got;
	}
	size_t take = left < n ? left : n;
	memcpy(p, x->hello.data + x->hello_taken, take);
	x->hello_taken += take;
	return (ssize_t)take;
}

/* ---- writing */

ssize_t mm_ssh2_send(libssh2_socket_t fd, const void *p, size_t n, int flags, void **abstract)
{
	struct mm_session *s = *abstract;
	struct mm_ssh2 *x = s->own.ssh2;
	(void)fd;
	(void)flags;
	if (x->deaf || x->closing)
		return -EPIPE;
	if (x->out.len + n > x->out.max && mm_ssh2_flush(s) < 0)
		return -errno;
	if (x->out.len + n > x->out.max)
		return -EAGAIN;
	mm_buf_add(&x->out, p, n);
	return (ssize_t)n;
}

int mm_ssh2_flush(struct mm_session *s)
{
	struct mm_ssh2 *x = s->own.ssh2;
	size_t at = 0;
	while (at < x->out.len) {
		ssize_t n = send(x->fd, x->out.data + at, x->out.len - at, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return -1;
		if (n < 0)
			break;
		at += (size_t)n;
	}
	if (at < x->out.len) {
		mm_buf_consume(&x->out, at);
		return 0;
	}
	if (at > 0) {
		x->unanswered = false;
		mm_buf_free(&x->out);
	}
	s->outcome.delivered = x->all_written;
	return 1;
}

void mm_ssh2_acknowledge(struct mm_session *s)
{
	struct mm_ssh2 *x = s->own.ssh2;
	int on = 1;
	if (x->unanswered)
		(void)setsockopt(x->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	x->unanswered = false;
}

/* ---- connecting */

static int open_socket(struct mm_ssh2 *x, const char *literal, unsigned port)
{
	char service[8];
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM},
			*ai;
	(void)snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(literal, service, &hints, &ai) != 0) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	int on = 1;
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0 && errno != EINPROGRESS) {
			int saved = errno;
			close(fd);
			errno = saved;
			fd = -1;
		}
	}
	freeaddrinfo(ai);
	x->fd = fd;
	return fd;
}

/* The next address of the list, copied; NULL at the end. */
static const char *next_address(struct mm_session *s)
{
	struct mm_ssh2 *x = s->own.ssh2;
	x->address += strspn(x->address, " ");
	size_t n = strcspn(x->address, " ");
	const char *a = n > 0 ? mm_arena_strndup(s->arena, x->address, n) : NULL;
	x->address += n;
	return a;
}

static void connect_failed(struct mm_session *s, int error)
{
	const char *h = s->job.name;
	switch (error) {
	case ECONNREFUSED:
		mm_session_end(s, MM_PC_CONN_REFUSED,
		    "port %u refuses the connection: no sshd there, or a firewall", s->job.port);
		return;
	case ETIMEDOUT:
		mm_session_end(s, MM_PC_CONN_TIMEOUT,
		    "no answer to the connection within %u s: switched off?",
		    mm_session_config(s)->connect_ms / 1000);
		return;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EADDRNOTAVAIL:
		mm_session_end(s, MM_PC_NO_ROUTE, "no route to %s: %s", h, strerror(error));
		return;
	default:
		mm_session_end(s, MM_PC_CONN_REFUSED, "cannot connect: %s", strerror(error));
	}
}

void mm_ssh2_close_socket(struct mm_session *s)
{
	struct mm_ssh2 *x = s->own.ssh2;
	if (x->fd < 0)
		return;
	close(x->fd); /* and epoll forgets it: nobody else has it */
	x->fd = -1;
}

/* Go on with the next address; the error of the last one ends the session. */
bool mm_ssh2_connect_next(struct mm_session *s, int error)
{
	const char *a;
	mm_ssh2_close_socket(s);
	while ((a = next_address(s)) != NULL) {
		if (open_socket(s->own.ssh2, a, s->job.port) >= 0) {
			mm_session_phase(s, MM_PH_CONNECT);
			s->own.ssh2->watched = EPOLLOUT;
			if (mm_session_watch(s, s->own.ssh2->fd, EPOLLOUT, true) == 0)
				return true;
		}
		error = errno;
		mm_ssh2_close_socket(s);
	}
	connect_failed(s, error);
	return false;
}
