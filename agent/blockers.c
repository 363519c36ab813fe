#include "agent/blockers.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "agent/sessionbus.h"
#include "common/text.h"

#define TOLD_MAX 4096 /* bytes: a revision and the names of all clients */
/* What a program has to write when its windows close is written by others of its processes, too. */
#define SETTLE_MS 500

#define NOTIFY "org.freedesktop.Notifications"
#define NOTIFY_PATH "/org/freedesktop/Notifications"

void mm_blockers_add(struct mm_blockers *b, struct mm_reader *r, const struct mm_client *client, bool tell)
{
	size_t n;
	const pid_t *met = mm_reader_met(r, &n);
	for (size_t i = 0; i < n && b->n < MM_BLOCKERS_MAX; i++) {
		size_t k = 0;
		while (k < b->n && (b->v[k].client != client || b->v[k].pid != met[i]))
			k++;
		if (k == b->n)
			b->v[b->n++] = (struct mm_blocker){.client = client, .pid = met[i]};
		b->v[k].tell |= tell;
	}
}

/* ---- telling the user */

static bool notify(struct mm_bus *bus, const char *program, struct mm_arena *a)
{
	sd_bus_message *m = NULL, *reply = NULL;
	const char *title = mm_arena_printf(a, "New mail settings for %s", program);
	const char *text = mm_arena_printf(
	    a, "%s is running. Please close it, so that the new settings can be applied.", program);
	int rc = mm_bus_method(bus, &m, NOTIFY, NOTIFY_PATH, NOTIFY, "Notify");
	if (rc >= 0)
		rc = bus->sd.message_append(m, "susssasa{sv}i", "Mailmuster", (uint32_t)0, "mail-client",
		    title, text, 0, 0, (int32_t)-1);
	if (rc >= 0)
		rc = bus->sd.call(bus->bus, m, mm_bus_left(bus), NULL, &reply);
	bus->sd.message_unref(reply);
	bus->sd.message_unref(m);
	return rc >= 0;
}

/* The file: a line with the revision, and one for each client that was told of. */
static void load_told(const char *path, const char *revision, struct mm_buf *told)
{
	struct mm_err err = MM_ERR_NONE;
	if (mm_file_read_own(path, TOLD_MAX, false, told, &err) == 0 &&
	    mm_starts_with(mm_buf_str(told), revision))
		return;
	mm_buf_reset(told);
	mm_buf_adds(told, revision);
}

static bool is_told(const struct mm_buf *told, const char *line)
{
	const char *at = mm_buf_str(told);
	while ((at = strchr(at, '\n')) != NULL && !mm_starts_with(++at, line))
		;
	return at != NULL;
}

static bool tell_all(
    const struct mm_blockers *b, const struct mm_identity *who, struct mm_buf *told, struct mm_arena *a)
{
	struct mm_bus bus;
	const char *address = NULL;
	bool any = false, open = false, alive = true;
	for (size_t i = 0; i < b->n && alive; i++) {
		const char *line = mm_arena_printf(a, "%s\n", b->v[i].client->name);
		if (!b->v[i].tell || is_told(told, line))
			continue;
		if (!open) {
			address = mm_session_bus(who, a);
			if (address == NULL)
				return any;
			alive = mm_bus_open(&bus, address, MM_NOTIFY_SECONDS) >= 0;
			open = true;
		}
		alive = alive && notify(&bus, b->v[i].client->label, a);
		if (alive)
			mm_buf_adds(told, line);
		any |= alive;
	}
	if (open)
		mm_bus_close(&bus);
	return any;
}

static void mark(const char *dir, const char *name, struct mm_arena *a)
{
	const char *path = mm_arena_printf(a, "%s/%s", dir, name);
	if (access(path, F_OK) != 0)
		mm_write_own(path, "", 0, 0600, NULL);
}

void mm_blockers_none(const char *dir)
{
	struct mm_arena *a = mm_arena_new();
	unlink(mm_arena_printf(a, "%s/deferred", dir));
	mm_arena_free(a);
}

void mm_blockers_tell(
    const struct mm_blockers *b, const struct mm_identity *who, const char *dir, int64_t revision)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_buf told = MM_BUF_INIT(TOLD_MAX);
	if (b->n == 0 || access(dir, W_OK) != 0) {
		mm_blockers_none(dir);
	} else {
		const char *path = mm_arena_printf(a, "%s/notified", dir);
		load_told(path, mm_arena_printf(a, "%lld\n", (long long)revision), &told);
		mark(dir, "deferred", a);
		if (tell_all(b, who, &told, a) && !told.failed)
			mm_write_own(path, mm_buf_str(&told), told.len, 0600, NULL);
	}
	mm_buf_free(&told);
	mm_arena_free(a);
}

/* ---- waiting for them */

struct waiting {
	struct pollfd p[MM_BLOCKERS_MAX + 2];
	const struct mm_client *client[MM_BLOCKERS_MAX];
	size_t n;
};

/* Looked at behind the descriptor, its number belongs to nobody else. -1: not
 * the user's, or (ESRCH) gone. */
static int open_own(pid_t pid)
{
	char path[32];
	struct stat st;
	int fd = pidfd_open(pid, 0);
	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	if (stat(path, &st) == 0 && st.st_uid == geteuid())
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

/* One that is gone already has ended as well: then there is nothing to wait for. */
static bool add_all(struct waiting *w, const struct mm_blockers *b)
{
	bool ended = false;
	for (size_t i = 0; i < b->n; i++) {
		if (b->v[i].pid == 0)
			continue;
		int fd = open_own(b->v[i].pid);
		if (fd >= 0) {
			w->client[w->n] = b->v[i].client;
			w->p[w->n++] = (struct pollfd){.fd = fd, .events = POLLIN};
		} else {
			ended |= errno == ESRCH;
		}
	}
	return ended;
}

static bool all_ended(const struct waiting *w, const struct mm_client *client)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->client[i] == client && w->p[i].fd >= 0)
			return false;
	return true;
}

/* The entries behind the processes: the clock, and the signals. */
static enum mm_waited other(const struct waiting *w)
{
	if (w->p[w->n + 1].revents != 0)
		return MM_WAITED_OVER;
	return w->p[w->n].revents != 0 ? MM_WAITED_LATE : MM_WAITED_ENDED;
}

static enum mm_waited settle(struct waiting *w)
{
	int rc = poll(&w->p[w->n], 2, SETTLE_MS);
	return rc > 0 ? other(w) : MM_WAITED_ENDED;
}

static enum mm_waited sleep_on(struct waiting *w)
{
	for (;;) {
		bool ended = false;
		int rc = poll(w->p, (nfds_t)w->n + 2, -1);
		if (rc < 0 && errno == EINTR)
			continue;
		if (rc < 0)
			return MM_WAITED_NONE;
		if (other(w) != MM_WAITED_ENDED)
			return other(w);
		for (size_t i = 0; i < w->n; i++) {
			if (w->p[i].fd < 0 || w->p[i].revents == 0)
				continue;
			close(w->p[i].fd);
			w->p[i].fd = -1; /* poll() skips it */
			ended |= all_ended(w, w->client[i]);
		}
		if (ended)
			return settle(w);
	}
}

static int timer_at(int64_t until)
{
	const struct itimerspec at = {.it_value = {.tv_sec = until}};
	int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC);
	if (fd >= 0 && timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void close_all(struct waiting *w)
{
	for (size_t i = 0; i < w->n + 2; i++)
		if (w->p[i].fd >= 0)
			close(w->p[i].fd);
}

enum mm_waited mm_blockers_wait(const struct mm_blockers *b, int64_t until)
{
	struct waiting w = {.n = 0};
	sigset_t ends, old;
	pid_t parent = getppid();
	enum mm_waited got = MM_WAITED_NONE;
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, &old);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	bool ended = add_all(&w, b);
	w.p[w.n] = (struct pollfd){.fd = timer_at(until), .events = POLLIN};
	w.p[w.n + 1] = (struct pollfd){.fd = signalfd(-1, &ends, SFD_CLOEXEC), .events = POLLIN};
	if (w.p[w.n].fd < 0 || w.p[w.n + 1].fd < 0)
		got = MM_WAITED_NONE;
	else if (getppid() != parent)
		got = MM_WAITED_OVER;
	else if (ended)
		got = settle(&w);
	else if (w.n > 0)
		got = sleep_on(&w);
	close_all(&w);
	prctl(PR_SET_PDEATHSIG, 0);
	/* What came is answered by our end: it is not delivered again. */
	if (got != MM_WAITED_OVER)
		sigprocmask(SIG_SETMASK, &old, NULL);
	return got;
}
