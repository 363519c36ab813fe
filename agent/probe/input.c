#include "agent/probe/input.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define RECORD_HEADER 4
#define CHUNK 16384

/* Bytes on their way; wiped, because a record may be among them. */
struct pipe_in {
	int fd; /* -1: at its end */
	char *data;
	size_t len, cap;
};

struct reader {
	struct mm_arena *mem;
	struct mm_input *in;
	size_t task_cap, secret_cap;
	int64_t highest; /* index of a secret that is needed, -1 = none */
	struct pipe_in tasks, secrets;
};

static void wipe(struct pipe_in *p)
{
	if (p->data != NULL)
		explicit_bzero(p->data, p->cap);
	free(p->data);
	p->data = NULL;
}

static void consume(struct pipe_in *p, size_t n)
{
	p->len -= n;
	memmove(p->data, p->data + n, p->len);
	explicit_bzero(p->data + p->len, n);
}

/* 1: bytes came; 0: end of file. `cap` was allocated once, with room for the
 * longest line or record. */
static int pull(struct pipe_in *p, struct mm_err *err)
{
	ssize_t n;
	do
		n = read(p->fd, p->data + p->len, p->cap - p->len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot read the tasks");
	if (n == 0)
		p->fd = -1;
	p->len += (size_t)n;
	return n > 0;
}

/* ---- tasks */

static int take_line(struct reader *r, const char *line, size_t n, struct mm_err *err)
{
	if (n == 0)
		return 0;
	if (r->in->n == MM_PROBE_TASKS_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "more than %d tasks", MM_PROBE_TASKS_MAX);
	struct mm_probe_task t;
	if (mm_probe_task_decode(line, n, r->mem, &t, err) != 0)
		return mm_err_prefix(err, "task %zu", r->in->n + 1);
	struct mm_probe_task *slot = mm_arena_push(r->mem, &r->in->tasks, &r->in->n, &r->task_cap, sizeof(t));
	*slot = t;
	if (t.secret > r->highest)
		r->highest = t.secret;
	if (t.certificate > r->highest)
		r->highest = t.certificate;
	return 0;
}

static int take_lines(struct reader *r, struct mm_err *err)
{
	struct pipe_in *p = &r->tasks;
	for (char *end; (end = memchr(p->data, '\n', p->len)) != NULL;) {
		size_t n = (size_t)(end - p->data);
		if (take_line(r, p->data, n, err) != 0)
			return -1;
		consume(p, n + 1);
	}
	if (p->len == p->cap)
		return mm_err_set(err, MM_EX_DATAERR, "a task has more than %u bytes", MM_PROBE_LINE_MAX);
	if (p->fd >= 0 || p->len == 0)
		return 0;
	return mm_err_set(err, MM_EX_DATAERR, "the last task has no end of line");
}

/* ---- secrets */

static uint32_t record_len(const char *p)
{
	uint32_t n = 0;
	for (int i = 0; i < RECORD_HEADER; i++)
		n = (n << 8) | (unsigned char)p[i];
	return n;
}

static void push_secret(struct mm_input *in, size_t *cap, struct mm_secret *s)
{
	if (in->n_secrets == *cap) {
		*cap = *cap != 0 ? 2 * *cap : 16;
		in->secrets = mm_xrealloc(in->secrets, *cap, sizeof(*in->secrets));
	}
	in->secrets[in->n_secrets++] = s;
}

static int take_records(struct reader *r, struct mm_err *err)
{
	struct pipe_in *p = &r->secrets;
	while (p->len >= RECORD_HEADER) {
		uint32_t n = record_len(p->data);
		if (n > MM_SECRET_PEM_MAX)
			return mm_err_set(
			    err, MM_EX_DATAERR, "a secret has more than %u bytes", MM_SECRET_PEM_MAX);
		if (p->len < RECORD_HEADER + n)
			break;
		if (r->in->n_secrets == MM_PROBE_TASKS_MAX)
			return mm_err_set(err, MM_EX_DATAERR, "more than %d secrets", MM_PROBE_TASKS_MAX);
		struct mm_secret *s = mm_secret_new_max(n);
		push_secret(r->in, &r->secret_cap, s);
		if (mm_secret_set(s, p->data + RECORD_HEADER, n, err) != 0)
			return -1;
		if (memchr(mm_secret_bytes(s), '\0', n) != NULL)
			return mm_err_set(
			    err, MM_EX_DATAERR, "secret %zu holds a zero byte", r->in->n_secrets - 1);
		consume(p, RECORD_HEADER + n);
	}
	if (p->fd < 0 && p->len > 0)
		return mm_err_set(err, MM_EX_DATAERR, "the last secret is cut short");
	return 0;
}

/* ---- both */

static bool wants_secrets(const struct reader *r)
{
	return r->secrets.fd >= 0 && (r->tasks.fd >= 0 || r->highest >= (int64_t)r->in->n_secrets);
}

static int read_both(struct reader *r, struct mm_err *err)
{
	while (r->tasks.fd >= 0 || wants_secrets(r)) {
		struct pollfd p[2] = {
		    {.fd = r->tasks.fd, .events = POLLIN}, {.fd = r->secrets.fd, .events = POLLIN}};
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return mm_err_sys(err, MM_EX_FAILED, "cannot wait for the tasks");
		if (p[0].revents != 0 && (pull(&r->tasks, err) < 0 || take_lines(r, err) != 0))
			return -1;
		if (p[1].revents != 0 && (pull(&r->secrets, err) < 0 || take_records(r, err) != 0))
			return -1;
	}
	if (r->highest >= (int64_t)r->in->n_secrets)
		return mm_err_set(err, MM_EX_DATAERR, "secret %lld is named by a task and did not come",
		    (long long)r->highest);
	return 0;
}

/* Only a certificate with its key may be longer than a password. */
static int check_lengths(const struct mm_input *in, struct mm_err *err)
{
	for (size_t i = 0; i < in->n; i++) {
		int64_t s = in->tasks[i].secret;
		if (s >= 0 && mm_secret_len(in->secrets[s]) > MM_SECRET_MAX)
			return mm_err_set(err, MM_EX_DATAERR, "secret %lld has more than %d bytes",
			    (long long)s, MM_SECRET_MAX);
	}
	return 0;
}

static void count_uses(struct mm_input *in)
{
	in->uses = mm_xcalloc(in->n_secrets + 1, sizeof(*in->uses));
	for (size_t i = 0; i < in->n; i++) {
		if (in->tasks[i].secret >= 0)
			in->uses[in->tasks[i].secret]++;
		if (in->tasks[i].certificate >= 0)
			in->uses[in->tasks[i].certificate]++;
	}
}

int mm_input_read(int task_fd, int secret_fd, struct mm_arena *mem, struct mm_input *out, struct mm_err *err)
{
	*out = (struct mm_input){.n = 0};
	struct reader r = {.mem = mem, .in = out, .highest = -1};
	r.tasks = (struct pipe_in){.fd = task_fd, .cap = MM_PROBE_LINE_MAX + 1};
	r.secrets = (struct pipe_in){.fd = secret_fd, .cap = MM_SECRET_PEM_MAX + RECORD_HEADER + CHUNK};
	r.tasks.data = mm_xcalloc(r.tasks.cap, 1);
	r.secrets.data = mm_xcalloc(r.secrets.cap, 1);
	int rc = read_both(&r, err);
	if (rc == 0)
		rc = check_lengths(out, err);
	wipe(&r.tasks);
	wipe(&r.secrets);
	if (rc == 0)
		count_uses(out);
	else
		mm_input_free(out);
	return rc;
}

const struct mm_secret *mm_input_secret(const struct mm_input *in, const struct mm_probe_task *t)
{
	return t->secret >= 0 ? in->secrets[t->secret] : NULL;
}

const struct mm_secret *mm_input_certificate(const struct mm_input *in, const struct mm_probe_task *t)
{
	return t->certificate >= 0 ? in->secrets[t->certificate] : NULL;
}

void mm_input_hold(struct mm_input *in, const struct mm_probe_task *t)
{
	if (t->secret >= 0)
		in->uses[t->secret]++;
	if (t->certificate >= 0)
		in->uses[t->certificate]++;
}

static void release(struct mm_input *in, int64_t i)
{
	if (i < 0 || --in->uses[i] > 0)
		return;
	mm_secret_free(in->secrets[i]);
	in->secrets[i] = NULL;
}

void mm_input_release(struct mm_input *in, const struct mm_probe_task *t)
{
	release(in, t->secret);
	release(in, t->certificate);
}

void mm_input_free(struct mm_input *in)
{
	for (size_t i = 0; i < in->n_secrets; i++)
		mm_secret_free(in->secrets[i]);
	free(in->secrets);
	free(in->uses);
	*in = (struct mm_input){.n = 0};
}
