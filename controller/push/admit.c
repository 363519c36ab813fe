#include "controller/push/admit.h"

#include <stdlib.h>
#include <string.h>

#include "controller/push/sshbuf.h"

#define YOUNG_MS 1000    /* a connection that is younger may well be of a living host */
#define WAITING_MAX 1024 /* hosts taken from next() that wait for their turn */

/* ---- jobs in and out of slots */

static void wait_again(struct mm_push_run_state *r, struct mm_job *j)
{
	j->next = NULL;
	*r->waiting_end = j;
	r->waiting_end = &j->next;
	r->n_waiting++;
}

void mm_push_leave_slot(struct mm_push_run_state *r, struct mm_job *j)
{
	r->slots[j->slot] = NULL;
	r->in_flight--;
	if (!j->live)
		r->connecting--;
	if (j->by_ssh)
		r->ssh_jobs--;
	if (j->worker != NULL)
		j->worker->jobs--;
	r->held -= j->received;
}

int mm_push_finish(
    struct mm_push_run_state *r, struct mm_job *j, const struct mm_outcome *o, struct mm_err *err)
{
	int rc = r->ops->done(r->ctx, &j->pub, o, err);
	mm_job_free(j);
	return rc;
}

void mm_push_again(struct mm_push_run_state *r, struct mm_job *j, int64_t not_before)
{
	mm_job_reset(j);
	j->not_before = not_before;
	r->ops->restart(r->ctx, &j->pub);
	r->stats->served_again++;
	wait_again(r, j);
}

static void enter_slot(struct mm_push_run_state *r, struct mm_job *j)
{
	size_t i = 0;
	while (i < r->n_slots && r->slots[i] != NULL)
		i++;
	if (i == r->n_slots) {
		r->n_slots = r->n_slots == 0 ? 64 : r->n_slots * 2;
		r->slots = mm_xrealloc(r->slots, r->n_slots, sizeof(struct mm_job *));
		memset(r->slots + i, 0, (r->n_slots - i) * sizeof(struct mm_job *));
	}
	r->slots[i] = j;
	j->slot = (unsigned)i;
	j->began = mm_now_ms();
	r->in_flight++;
	r->connecting++;
	if (j->by_ssh)
		r->ssh_jobs++;
}

/* ---- starting a host */

static int make_dir(struct mm_push_run_state *r, struct mm_err *err)
{
	if (r->dir != NULL)
		return 0;
	const char *tmp = getenv("XDG_RUNTIME_DIR");
	struct mm_buf b = MM_BUF_INIT(4096);
	mm_buf_addf(&b, "%s/mailmuster-push-XXXXXX", tmp != NULL && *tmp == '/' ? tmp : "/tmp");
	char *dir = mm_xstrdup(mm_buf_str(&b));
	mm_buf_free(&b);
	if (mkdtemp(dir) == NULL) {
		free(dir);
		return mm_err_sys(err, MM_EX_FAILED, "cannot make a private folder");
	}
	r->dir = dir;
	return 0;
}

int mm_push_send_job(struct mm_push_run_state *r, struct mm_job *j, struct mm_err *err)
{
	j->worker = mm_pool_choose(&r->pool, j->by_ssh ? MM_WORKER_SSH : MM_WORKER_LIBSSH2, err);
	if (j->worker == NULL ||
	    (j->by_ssh && (make_dir(r, err) < 0 || mm_job_write_known_hosts(j, r->dir, err) < 0)))
		return -1;
	struct mm_worker_job w = {
	    .slot = j->slot,
	    .port = (unsigned)j->pub.port,
	    .name = j->pub.address,
	    .addresses = j->by_ssh ? j->pub.address : j->addresses,
	    .login = j->pub.login,
	    .proxy_command = j->pub.proxy_command,
	    .known_hosts = j->known_hosts,
	    .keys = j->pub.keys,
	    .n_keys = j->pub.n_keys,
	};
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	mm_local_put_job(&b, &w);
	mm_local_send(&j->worker->talk, MM_LT_JOB, b.data, b.len);
	mm_buf_free(&b);
	j->worker->jobs++;
	j->state = MM_JOB_RUNNING;
	j->tries++;
	return 0;
}

static int send_name(struct mm_push_run_state *r, struct mm_job *j, struct mm_err *err)
{
	j->worker = mm_pool_choose(&r->pool, MM_WORKER_RESOLVE, err);
	if (j->worker == NULL)
		return -1;
	struct mm_buf b = MM_BUF_INIT(4096);
	mm_ssh_put_u32(&b, j->slot);
	mm_ssh_put_text(&b, j->pub.address);
	mm_local_send(&j->worker->talk, MM_LT_RESOLVE, b.data, b.len);
	mm_buf_free(&b);
	j->worker->jobs++;
	j->state = MM_JOB_RESOLVING;
	return 0;
}

static int begin(struct mm_push_run_state *r, struct mm_job *j, struct mm_err *err)
{
	enter_slot(r, j);
	return j->by_ssh || j->addresses != NULL ? mm_push_send_job(r, j, err) : send_name(r, j, err);
}

/* Hosts that are silent for longer count against the other budget only. */
static size_t young(const struct mm_push_run_state *r)
{
	int64_t limit = mm_now_ms() - YOUNG_MS;
	size_t n = 0;
	for (size_t i = 0; i < r->n_slots; i++)
		n += r->slots[i] != NULL && !r->slots[i]->live && r->slots[i]->began > limit;
	return n;
}

/* The first of those that wait whose turn it can be. */
static struct mm_job *take_waiting(struct mm_push_run_state *r)
{
	int64_t now = mm_now_ms();
	for (struct mm_job **at = &r->waiting; *at != NULL; at = &(*at)->next) {
		struct mm_job *j = *at;
		if (j->not_before > now || (j->by_ssh && r->ssh_jobs >= MM_PUSH_SSH_MAX))
			continue;
		*at = j->next;
		if (*at == NULL)
			r->waiting_end = at;
		r->n_waiting--;
		return j;
	}
	return NULL;
}

/* 1: *out, maybe NULL when that host was done at once; 0: no more, or none now. */
static int take_next(struct mm_push_run_state *r, struct mm_job **out, struct mm_err *err)
{
	struct mm_push_job pub = {0};
	struct mm_outcome why;
	int rc = r->ops->next(r->ctx, &pub, err);
	if (rc == MM_PUSH_LATER)
		return 0;
	if (rc <= 0) {
		r->exhausted = true;
		return rc;
	}
	*out = mm_job_new(&pub, &why);
	if (*out == NULL)
		return r->ops->done(r->ctx, &pub, &why, err) < 0 ? -1 : 1;
	return 1;
}

int mm_push_admit(struct mm_push_run_state *r, struct mm_err *err)
{
	size_t fresh = young(r);
	while (r->in_flight - r->connecting + fresh < r->parallel && r->connecting < r->max_connecting) {
		struct mm_job *j = take_waiting(r);
		if (j == NULL) {
			if (r->exhausted || r->n_waiting >= WAITING_MAX)
				return 0;
			int rc = take_next(r, &j, err);
			if (rc <= 0)
				return rc;
			if (j == NULL)
				continue;
			if (j->by_ssh && r->ssh_jobs >= MM_PUSH_SSH_MAX) {
				wait_again(r, j);
				continue;
			}
		}
		if (begin(r, j, err) < 0)
			return -1;
		fresh++;
	}
	return 0;
}
