#include "agent/needs.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/sessionbus.h"
#include "common/mem.h"
#include "common/text.h"

#define BUS "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"

enum met { NOT_MET, MET, NOBODY };

struct meeting {
	struct mm_bus b;
	const struct mm_identity *who;
	struct mm_arena *a;
};

/* Takes `m`; `rc` is that of filling it. */
static enum met call(struct meeting *t, sd_bus_message *m, int rc, sd_bus_message **reply)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	enum met got = NOT_MET;
	if (rc >= 0)
		rc = t->b.sd.call(t->b.bus, m, mm_bus_left(&t->b), &e, reply);
	if (rc >= 0)
		got = MET;
	else if (t->b.sd.error_has_name(&e, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
		 t->b.sd.error_has_name(&e, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
		got = NOBODY;
	t->b.sd.error_free(&e);
	t->b.sd.message_unref(m);
	return got;
}

static enum met call_method(struct meeting *t, const struct mm_need *n)
{
	sd_bus_message *m = NULL, *reply = NULL;
	int rc = mm_bus_method(&t->b, &m, n->service, n->path, n->interface, n->method);
	if (rc >= 0 && n->arg != NULL)
		rc = t->b.sd.message_append(m, "s", n->arg);
	enum met got = call(t, m, rc, &reply);
	t->b.sd.message_unref(reply);
	return got;
}

/* ---- restarting */

static enum met owner_of(struct meeting *t, const char *service, pid_t *pid)
{
	sd_bus_message *m = NULL, *reply = NULL;
	uint32_t n = 0;
	int rc = mm_bus_method(&t->b, &m, BUS, BUS_PATH, BUS, "GetConnectionUnixProcessID");
	if (rc >= 0)
		rc = t->b.sd.message_append(m, "s", service);
	enum met got = call(t, m, rc, &reply);
	if (got == MET && (t->b.sd.message_read(reply, "u", &n) < 0 || n < 2 || n > INT32_MAX))
		got = NOT_MET;
	*pid = (pid_t)n;
	t->b.sd.message_unref(reply);
	return got;
}

/* The bus counts processes as its own machine does, which may be another
 * than ours: is it the user's, and of that name? */
static bool is_program(const struct meeting *t, pid_t pid, const char *program)
{
	char comm[32];
	struct stat st;
	const char *path = mm_arena_printf(t->a, "/proc/%d/comm", (int)pid);
	FILE *f = fopen(path, "re");
	bool is = f != NULL && fstat(fileno(f), &st) == 0 && st.st_uid == t->who->uid &&
		  fgets(comm, sizeof(comm), f) != NULL && strcspn(comm, "\n") == strlen(program) &&
		  mm_starts_with(comm, program);
	if (f != NULL)
		fclose(f);
	return is;
}

static bool await_end(struct meeting *t, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int rc;
	do {
		rc = poll(&p, 1, (int)(mm_bus_left(&t->b) / 1000));
	} while (rc < 0 && errno == EINTR);
	return rc == 1;
}

/* Looked at behind the descriptor, its number belongs to nobody else. */
static bool end(struct meeting *t, pid_t pid, const char *program)
{
	int fd = pidfd_open(pid, 0);
	if (fd < 0)
		return errno == ESRCH;
	bool ended =
	    is_program(t, pid, program) && pidfd_send_signal(fd, SIGTERM, NULL, 0) == 0 && await_end(t, fd);
	close(fd);
	return ended;
}

static enum met start(struct meeting *t, const char *service)
{
	sd_bus_message *m = NULL, *reply = NULL;
	int rc = mm_bus_method(&t->b, &m, BUS, BUS_PATH, BUS, "StartServiceByName");
	if (rc >= 0)
		rc = t->b.sd.message_append(m, "su", service, (uint32_t)0);
	enum met got = call(t, m, rc, &reply);
	t->b.sd.message_unref(reply);
	return got;
}

static enum met restart(struct meeting *t, const struct mm_need *n)
{
	pid_t pid;
	enum met got = owner_of(t, n->service, &pid);
	if (got != MET)
		return got;
	return end(t, pid, n->program) ? start(t, n->service) : NOT_MET;
}

/* ---- all of them */

static const char *meet_all(struct meeting *t, const struct mm_need *needs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum met got =
		    needs[i].kind == MM_NEED_RESTART ? restart(t, &needs[i]) : call_method(t, &needs[i]);
		if (got == NOT_MET)
			return needs[i].failed;
	}
	return NULL;
}

const char *mm_needs_meet(
    const struct mm_identity *who, const struct mm_need *needs, size_t n, struct mm_arena *a)
{
	struct meeting t = {.who = who, .a = a};
	const char *address = n > 0 ? mm_session_bus(who, a) : NULL;
	if (address == NULL)
		return NULL;
	int rc = mm_bus_open(&t.b, address, MM_NEEDS_SECONDS);
	/* A socket that nobody listens on is left of a session that is over. */
	bool nobody = rc == -ECONNREFUSED || rc == -ENOENT;
	const char *failed = nobody ? NULL : rc < 0 ? needs[0].failed : meet_all(&t, needs, n);
	mm_bus_close(&t.b);
	return failed;
}
