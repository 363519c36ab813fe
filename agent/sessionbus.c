#include "agent/sessionbus.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "common/mem.h"
#include "common/text.h"

/* A socket, and nothing else that an address may mean: unixexec: runs a program. */
static bool is_socket(const char *address)
{
	for (const char *p = address; p != NULL; p = strchr(p, ';')) {
		p += *p == ';';
		if (*p != '\0' && !mm_starts_with(p, "unix:"))
			return false;
	}
	return address[0] != '\0';
}

const char *mm_session_bus(const struct mm_identity *who, struct mm_arena *a)
{
	const char *address = who->session ? getenv("DBUS_SESSION_BUS_ADDRESS") : NULL;
	const char *path = mm_arena_printf(a, "/run/user/%u/bus", (unsigned)who->uid);
	struct stat st;
	if (address != NULL)
		return is_socket(address) ? mm_arena_strdup(a, address) : NULL;
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == who->uid)
		return mm_arena_printf(a, "unix:path=%s", path);
	return NULL;
}

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

uint64_t mm_bus_left(const struct mm_bus *b)
{
	int64_t n = b->deadline - now_us();
	return n > 0 ? (uint64_t)n : 1;
}

/* sd-bus would wait for a bus that accepts and says nothing as long as it likes. */
static int await_ready(struct mm_bus *b)
{
	int rc;
	while ((rc = b->sd.is_ready(b->bus)) == 0) {
		if (now_us() >= b->deadline)
			return -ETIMEDOUT;
		rc = b->sd.process(b->bus, NULL);
		if (rc == 0)
			rc = b->sd.wait(b->bus, mm_bus_left(b));
		if (rc < 0 && rc != -EINTR)
			return rc;
	}
	return rc < 0 ? rc : 0;
}

int mm_bus_open(struct mm_bus *b, const char *address, int seconds)
{
	*b = (struct mm_bus){.deadline = now_us() + (int64_t)seconds * 1000000};
	if (!mm_sdbus_load(&b->sd))
		return -EOPNOTSUPP;
	int rc = b->sd.new(&b->bus);
	if (rc >= 0)
		rc = b->sd.set_address(b->bus, address);
	if (rc >= 0)
		rc = b->sd.set_bus_client(b->bus, true);
	if (rc >= 0)
		rc = b->sd.start(b->bus);
	return rc >= 0 ? await_ready(b) : rc;
}

/* No flush: that would wait for a bus that says nothing. */
void mm_bus_close(struct mm_bus *b)
{
	if (b->bus != NULL)
		b->sd.close_unref(b->bus);
	b->bus = NULL;
}

int mm_bus_method(struct mm_bus *b, sd_bus_message **m, const char *service, const char *path,
    const char *iface, const char *name)
{
	int rc = b->sd.message_new_method_call(b->bus, m, service, path, iface, name);
	return rc < 0 ? rc : b->sd.message_set_auto_start(*m, false);
}
