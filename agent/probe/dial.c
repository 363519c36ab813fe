#include "agent/probe/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

void mm_dial_begin(
    struct mm_dial *d, const struct mm_addr *addrs, size_t n, int port, int64_t now, int limit_ms)
{
	*d = (struct mm_dial){.addrs = addrs, .n = n, .port = port, .next = now, .won = -1};
	d->deadline = now + limit_ms;
	for (size_t i = 0; i < MM_ADDRS_MAX; i++)
		d->fd[i] = d->ms[i] = -1;
}

_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
    "the port stands at one place in both");

static struct mm_addr with_port(const struct mm_addr *a, int port)
{
	struct mm_addr out = *a;
	in_port_t p = htons((uint16_t)port);
	memcpy((char *)&out.sa + offsetof(struct sockaddr_in, sin_port), &p, sizeof(p));
	return out;
}

static void give_up(struct mm_dial *d, size_t i, int error, int64_t now)
{
	if (d->fd[i] >= 0)
		close(d->fd[i]);
	d->fd[i] = -1;
	d->error[i] = error;
	d->ms[i] = (int)(now - d->began[i]);
}

static void begin_one(struct mm_dial *d, int64_t now)
{
	size_t i = d->begun++;
	struct mm_addr a = with_port(&d->addrs[i], d->port);
	d->next = now + MM_DIAL_STAGGER_MS;
	d->began[i] = now;
	d->fd[i] = socket(a.sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->fd[i] < 0 || (connect(d->fd[i], (struct sockaddr *)&a.sa, a.len) != 0 && errno != EINPROGRESS))
		give_up(d, i, errno, now);
}

static bool is_connected(struct mm_dial *d, size_t i, int64_t now)
{
	struct pollfd p = {.fd = d->fd[i], .events = POLLOUT};
	if (p.fd < 0 || poll(&p, 1, 0) <= 0)
		return false;
	int error = 0;
	socklen_t len = sizeof(error);
	if (getsockopt(d->fd[i], SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error != 0)
		give_up(d, i, error, now);
	else
		d->ms[i] = (int)(now - d->began[i]);
	return error == 0;
}

static bool any_open(const struct mm_dial *d)
{
	for (size_t i = 0; i < d->begun; i++)
		if (d->fd[i] >= 0)
			return true;
	return false;
}

enum mm_dial_state mm_dial_step(struct mm_dial *d, int64_t now)
{
	for (size_t i = 0; i < d->begun; i++) {
		if (is_connected(d, i, now)) {
			d->won = (int)i;
			return MM_DIAL_DONE;
		}
	}
	if (now >= d->deadline) {
		for (size_t i = 0; i < d->begun; i++)
			if (d->fd[i] >= 0)
				give_up(d, i, ETIMEDOUT, now);
		return MM_DIAL_FAILED;
	}
	while (d->begun < d->n && (!any_open(d) || now >= d->next))
		begin_one(d, now);
	return any_open(d) ? MM_DIAL_PENDING : MM_DIAL_FAILED;
}

int mm_dial_take(struct mm_dial *d)
{
	int fd = d->fd[d->won];
	d->fd[d->won] = -1;
	mm_dial_end(d);
	return fd;
}

/* What the server did tells more than what our own network lacks. */
static int weight(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return 5;
	case EHOSTUNREACH:
		return 4;
	case ETIMEDOUT:
		return 3;
	case ENETUNREACH:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return 1;
	case 0:
		return 0;
	default:
		return 2;
	}
}

int mm_dial_errno(const struct mm_dial *d)
{
	int best = 0;
	for (size_t i = 0; i < d->begun; i++)
		if (weight(d->error[i]) > weight(best))
			best = d->error[i];
	return best != 0 ? best : ETIMEDOUT;
}

size_t mm_dial_poll(const struct mm_dial *d, struct pollfd *fds, size_t max)
{
	size_t n = 0;
	for (size_t i = 0; i < d->begun && n < max; i++)
		if (d->fd[i] >= 0)
			fds[n++] = (struct pollfd){.fd = d->fd[i], .events = POLLOUT};
	return n;
}

int64_t mm_dial_wake(const struct mm_dial *d)
{
	return d->begun < d->n && d->next < d->deadline ? d->next : d->deadline;
}

void mm_dial_end(struct mm_dial *d)
{
	for (size_t i = 0; i < MM_ADDRS_MAX; i++) {
		if (d->fd[i] >= 0)
			close(d->fd[i]);
		d->fd[i] = -1;
	}
}
