#include "agent/checkin.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "agent/answer.h"
#include "agent/receive.h"
#include "agent/serve_users.h"
#include "agent/sshlink.h"
#include "common/file.h"
#include "common/frame.h"
#include "schemas/proto.h"

#define LOCK_MS 2000
#define PARALLEL 4
#define HOME_MS 5000
#define SPOOL_MS 60000 /* for one user's spool */
#define KNOWN_HOSTS_MAX (1024u * 1024u)

struct job {
	const struct mm_conf *conf;
	int hang_s, wait_ms;
	struct mm_arena *a;
	struct mm_checked_in done;
	bool late; /* connected, but it did not answer in time */
	struct mm_err *err;
};

/* ---- what waits in the spools */

struct collecting {
	struct mm_answer answer;
	size_t reports;
};

static size_t count_reports(const struct mm_buf *frames)
{
	struct mm_frame_decoder d;
	struct mm_frame f;
	size_t n = 0;
	mm_frame_decoder_init(&d, false);
	if (mm_frame_feed(&d, mm_buf_str(frames), frames->len, NULL) == 0) {
		while (mm_frame_next(&d, &f, NULL) > 0)
			n += f.type == MM_FT_REPORT;
	}
	mm_frame_decoder_free(&d);
	return n;
}

/* A user whose spool cannot be read keeps it; the answer to the request will
 * tell what is wrong with that home. */
static void spool_done(void *ctx, const struct mm_worker_result *res)
{
	struct collecting *c = ctx;
	if (res->spool == NULL || res->spool->len == 0)
		return;
	size_t before = c->answer.sent;
	mm_answer_report(&c->answer, NULL, res->spool);
	if (c->answer.sent != before)
		c->reports += count_reports(res->spool);
}

static int collect_into(struct job *j, int fd)
{
	static const struct mm_sheet no_sheet;
	const char *const *names;
	size_t n;
	if (mm_held_users(j->conf, j->a, &names, &n, j->err) != 0)
		return -1;
	struct mm_user_job *users = mm_arena_alloc(j->a, n + 1, sizeof(*users));
	for (size_t i = 0; i < n; i++) {
		users[i] = (struct mm_user_job){.user = names[i], .sheet = &no_sheet};
		mm_user_job_resolve(j->conf, &users[i], j->a);
	}
	struct collecting c = {.reports = 0};
	const struct mm_user_batch b = {.conf = j->conf,
	    .spool_only = true,
	    .collect = true,
	    .w = {.host = j->conf->host,
		.parallel = PARALLEL,
		.home_ms = HOME_MS,
		.hang_ms = SPOOL_MS,
		.total_ms = SPOOL_MS,
		.done = spool_done,
		.ctx = &c}};
	mm_answer_begin(&c.answer, fd, j->conf->host);
	c.answer.sealer = mm_sealer_new(j->conf);
	mm_serve_users(&b, users, n);
	/* What is left out for its size is carried the next time. */
	bool whole = mm_answer_end(&c.answer);
	mm_sealer_free(c.answer.sealer);
	mm_tally_free(&c.answer.tally);
	j->done.reports = c.reports;
	return whole ? 0 : mm_err_set(j->err, MM_EX_FAILED, "there is no memory for the reports");
}

/* Into memory first: no connection waits for a slow home. */
static int collect(struct job *j)
{
	int fd = memfd_create("reports", MFD_CLOEXEC);
	if (fd < 0)
		return mm_err_sys(j->err, MM_EX_FAILED, "cannot collect the reports");
	if (collect_into(j, fd) != 0 || lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* ---- the talk */

static int send_reports(struct job *j, int from, const struct mm_sshlink *l)
{
	char chunk[65536];
	ssize_t n;
	while ((n = read(from, chunk, sizeof(chunk))) > 0) {
		if (mm_write_within(l->in, chunk, (size_t)n, j->wait_ms, j->err) != 0)
			return -1;
	}
	return n == 0 ? 0 : mm_err_sys(j->err, MM_EX_FAILED, "cannot read the collected reports");
}

/* Something comes, or the other side is gone (and ssh knows why). */
static bool request_comes(struct job *j, const struct mm_sshlink *l)
{
	struct pollfd p = {.fd = l->out, .events = POLLIN};
	int rc;
	do
		rc = poll(&p, 1, j->wait_ms);
	while (rc < 0 && errno == EINTR);
	j->late = rc == 0;
	return rc > 0 && (p.revents & POLLIN) != 0;
}

static int no_way(struct job *j, const char *said)
{
	const struct mm_checkin_conf *k = j->conf->checkin;
	/* It is there, but it is not the right one, or does not want us. */
	bool refused =
	    strstr(said, "verification failed") != NULL || strstr(said, "Permission denied") != NULL;
	int code = refused ? MM_EX_NOPERM : MM_EX_UNREACHABLE;
	if (*said == '\0')
		said = j->late ? "no answer in time" : "the connection ended before the check-in did";
	mm_err_set(j->err, code, "%s@%s port %d: %s", k->account, k->host, k->port, said);
	return code;
}

/* The controller ended without a request, or after it with an error. */
static int turned_away(struct job *j, int remote, const char *said)
{
	const struct mm_checkin_conf *k = j->conf->checkin;
	int code = remote == MM_EX_NOPERM ? MM_EX_NOPERM : MM_EX_FAILED;
	if (remote == 0)
		said = "it sent no request";
	mm_err_set(j->err, code, "%s@%s: the controller says: %s", k->account, k->host,
	    *said != '\0' ? said : "nothing");
	return code;
}

/* `status` is mm_receive()'s if a request came. What this host refused is
 * known over there (MM_EX_HOSTS_FAILED): our own words say more. */
static int conclude(struct job *j, struct mm_sshlink *l, bool came, int status)
{
	struct mm_buf said = MM_BUF_INIT(MM_SSHLINK_SAID_MAX);
	int remote = mm_sshlink_close(l, came ? j->wait_ms : 5000, &said);
	if (remote == MM_SSHLINK_LOST)
		status = no_way(j, mm_buf_str(&said));
	else if (!came || (remote != MM_EX_OK && remote != MM_EX_HOSTS_FAILED))
		status = turned_away(j, remote, mm_buf_str(&said));
	j->done.asked = came && (remote == MM_EX_OK || remote == MM_EX_HOSTS_FAILED);
	mm_buf_free(&said);
	return status;
}

static int talk(struct job *j, int reports)
{
	struct mm_sshlink l;
	int status = MM_EX_FAILED;
	if (mm_sshlink_open(j->conf->checkin, (unsigned)j->wait_ms / 1000, MM_CHECKIN_LIFE_S, &l, j->err) !=
	    0)
		return MM_EX_FAILED;
	bool came = send_reports(j, reports, &l) == 0 && request_comes(j, &l);
	if (came) {
		const struct mm_receive r = {
		    .conf = j->conf, .in = l.out, .out = l.in, .now = time(NULL), .hang_s = j->hang_s};
		status = mm_receive(&r, j->err);
	}
	return conclude(j, &l, came, status);
}

/* ---- before it */

/* ssh looks at the rights of the key itself, but trusts known_hosts blindly. */
static int check_files(struct job *j)
{
	const struct mm_checkin_conf *k = j->conf->checkin;
	struct mm_buf text = MM_BUF_INIT(KNOWN_HOSTS_MAX);
	int rc = mm_file_read_own(k->known_hosts, KNOWN_HOSTS_MAX, false, &text, j->err);
	mm_buf_free(&text);
	if (rc == 0 && access(k->identity, R_OK) != 0)
		rc = mm_err_sys(j->err, MM_EX_FAILED, "the host's key %s", k->identity);
	return rc;
}

static int status_of(const struct mm_err *err)
{
	return err->code != 0 ? err->code : MM_EX_FAILED;
}

static int run_locked(struct job *j)
{
	if (mm_held_prepare(j->conf, j->err) != 0)
		return status_of(j->err);
	int lock =
	    mm_lock_file(mm_arena_printf(j->a, "%s/checkin.lock", j->conf->state_dir), LOCK_MS, j->err);
	if (lock < 0)
		return mm_err_prefix(j->err, "another check-in is under way"), status_of(j->err);
	int reports = collect(j);
	int status = reports >= 0 ? talk(j, reports) : status_of(j->err);
	if (reports >= 0)
		close(reports);
	close(lock);
	return status;
}

int mm_checkin(const struct mm_conf *c, int hang_s, int wait_s, struct mm_checked_in *out, struct mm_err *err)
{
	struct job j = {.conf = c, .hang_s = hang_s, .wait_ms = wait_s * 1000, .err = err};
	if (c->hostwide && geteuid() != 0)
		return mm_err_set(err, MM_EX_NOPERM, "only root checks in for the whole host"), MM_EX_NOPERM;
	if (check_files(&j) != 0)
		return status_of(err);
	j.a = mm_arena_new();
	int status = run_locked(&j);
	mm_arena_free(j.a);
	*out = j.done;
	return status;
}
