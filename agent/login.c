#include "agent/login.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/held.h"
#include "agent/session.h"
#include "agent/spool.h"
#include "agent/userrun.h"
#include "common/file.h"
#include "common/proc.h"
#include "common/text.h"
#include "schemas/facts.h"

#define SESSION_LOCK_MS 200 /* whoever holds it does what we would do */

/* A spool that also remembers what it was told, to compare with last time. */
struct teller {
	struct mm_spool_report report; /* its sink is first */
	void (*finding)(struct mm_sink *s, const struct mm_finding *f);
	struct mm_sha256_ctx *sha;
	int exit_bits;
};

static void tell_finding(struct mm_sink *s, const struct mm_finding *f)
{
	struct teller *t = (struct teller *)s;
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	mm_finding_encode(f, &b);
	mm_sha256_add(t->sha, mm_buf_str(&b), b.len);
	mm_buf_free(&b);
	t->exit_bits |= mm_finding_verdict(f).exit_bit;
	t->finding(s, f);
}

static struct mm_report_head head_of(const struct mm_session *s, const char *const *users)
{
	return (struct mm_report_head){.host = s->conf->host,
	    .op = "login",
	    .evidence = MM_EV_CLAIMED,
	    .epoch = s->held.epoch,
	    .serial = s->held.serial,
	    .revision = s->held.revision,
	    .collected = s->now,
	    .agent = MM_VERSION,
	    .user = s->who.login,
	    .users = users,
	    .expired = mm_held_expired(&s->held, s->now)};
}

/* ---- is it news? */

static bool is_news(const struct mm_session *s, const char *digest)
{
	const char *path = mm_arena_printf(s->a, "%s/told", s->state_dir);
	struct mm_buf old = MM_BUF_INIT(256);
	struct stat st;
	bool same = stat(path, &st) == 0 && mm_file_read_own(path, 256, false, &old, NULL) == 0 &&
		    mm_streq(mm_buf_str(&old), digest) && s->now - st.st_mtime < MM_LOGIN_REPEAT_S &&
		    st.st_mtime <= s->now;
	mm_buf_free(&old);
	return !same;
}

static void spool(struct mm_session *s, struct teller *t)
{
	uint8_t sum[MM_SHA256_LEN];
	char digest[MM_SHA256_HEX];
	struct mm_err err = MM_ERR_NONE;
	mm_sha256_end(t->sha, sum);
	mm_hex(sum, sizeof(sum), digest);
	if (t->report.n == 0 || !is_news(s, digest)) {
		mm_spool_discard(&t->report);
		return;
	}
	if (mm_spool_commit(&t->report, s->state_dir, &err) == 0)
		mm_write_own(
		    mm_arena_printf(s->a, "%s/told", s->state_dir), digest, strlen(digest), 0600, NULL);
}

/* ---- login checks */

static void prove(struct mm_session *s, const struct mm_user_run *done)
{
	static const char *const nobody[] = {NULL};
	struct mm_spool_report report;
	mm_spool_begin(&report, head_of(s, nobody));
	struct mm_user_run r = *done;
	r.sink = &report.sink;
	mm_user_prove(&r);
	if (report.n > 0)
		mm_spool_commit(&report, s->state_dir, NULL);
	else
		mm_spool_discard(&report);
}

/* Away from the session: no terminal, no descriptors, no parent that waits. */
static void detach(struct mm_session *s, const struct mm_user_run *r)
{
	pid_t pid = fork();
	if (pid != 0)
		return;
	setsid();
	int null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 || chdir("/") != 0)
		_exit(1);
	mm_close_above(2);
	prove(s, r);
	_exit(0);
}

static int run(struct mm_session *s, bool wait, struct mm_blockers *blockers)
{
	const char *const own[] = {s->who.login, NULL};
	struct teller t = {.sha = mm_sha256_begin()};
	mm_spool_begin(&t.report, head_of(s, own));
	t.finding = t.report.sink.finding;
	t.report.sink.finding = tell_finding;
	struct mm_user_run r = {.conf = s->conf,
	    .who = &s->who,
	    .sheet = &s->sheet,
	    .how = MM_HOW_APPLY,
	    .expired = mm_held_expired(&s->held, s->now),
	    .sparing = true,
	    .lock_ms = blockers != NULL ? MM_LOCK_MS : SESSION_LOCK_MS,
	    .sink = &t.report.sink};
	int rc = mm_user_run(&r);
	if (blockers != NULL)
		*blockers = r.blockers;
	spool(s, &t);
	if (rc == 0 && !r.expired && mm_user_needs_proof(&r)) {
		if (wait)
			prove(s, &r);
		else
			detach(s, &r);
	}
	return (t.exit_bits & MM_EX_FAILED) != 0 ? MM_EX_FAILED : t.exit_bits;
}

int mm_login_session(const struct mm_conf *c, bool wait, struct mm_blockers *blockers, struct mm_err *err)
{
	struct mm_session s;
	int got = mm_session_open(c, &s, err);
	int status = got >= 0 ? MM_EX_OK : err->code != 0 ? err->code : MM_EX_FAILED;
	struct mm_disabled off;
	/* No sheet: nobody manages this user's mail here. */
	if (got > 0 && mm_disabled_get(c, s.now, s.a, &off, err) == 0)
		status = run(&s, wait, blockers);
	/* Whoever starts us where something waits is not to do so for nothing. */
	if (got >= 0 && blockers != NULL && blockers->n == 0)
		mm_blockers_none(s.state_dir);
	if (got >= 0)
		mm_session_close(&s);
	return status;
}

void mm_login_give_up(const struct mm_conf *c)
{
	struct mm_session s;
	struct mm_err err = MM_ERR_NONE;
	if (mm_session_open(c, &s, &err) < 0)
		return;
	mm_blockers_none(s.state_dir);
	mm_session_close(&s);
}
