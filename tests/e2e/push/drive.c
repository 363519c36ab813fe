/*
 * mm-push-drive [--identity FILE] [--parallel N] [--timeout S] [--connect-ms N]
 *   [--banner-ms N] [--handshake-ms N] [--silence-ms N] [--size BYTES] < hosts
 *
 * A line of input: HOST ADDRESS PORT LOGIN libssh2|ssh KEYFILE|- [PROXYCOMMAND]
 * where KEYFILE holds the pinned keys, one "TYPE BASE64" a line. The request
 * is not signed: the agents of these tests look at frames only.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cli.h"
#include "common/file.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/proc.h"
#include "controller/push/push.h"
#include "schemas/proto.h"

struct drive {
	struct mm_arena *arena;
	size_t size, asked, prepared;
};

struct host {
	size_t frames, restarts;
};

static int read_keys(struct drive *d, const char *path, struct mm_push_job *job, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(65536);
	struct mm_sshkey *keys = mm_arena_alloc(d->arena, MM_SSHKEYS_MAX, sizeof(*keys));
	job->keys = keys;
	if (strcmp(path, "-") == 0)
		return 0;
	int rc = mm_file_read_own(path, 65536, false, &text, err);
	for (char *p = text.data; rc == 0 && p != NULL && *p != '\0' && job->n_keys < MM_SSHKEYS_MAX;) {
		char *nl = strchr(p, '\n');
		if (nl != NULL)
			*nl = '\0';
		rc = mm_sshkey_parse(p, d->arena, &keys[job->n_keys], err);
		job->n_keys += rc == 0;
		p = nl != NULL ? nl + 1 : NULL;
	}
	mm_buf_free(&text);
	return rc;
}

static int next(void *ctx, struct mm_push_job *job, struct mm_err *err)
{
	struct drive *d = ctx;
	char line[4096], *f[7] = {0};
	if (fgets(line, sizeof(line), stdin) == NULL)
		return 0;
	char *copy = mm_arena_strdup(d->arena, line), *at = copy;
	copy[strcspn(copy, "\n")] = '\0';
	for (int i = 0; i < 7 && at != NULL; i++)
		f[i] = i < 6 ? strsep(&at, " ") : at;
	if (f[5] == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "a line needs six fields");
	*job = (struct mm_push_job){.host = f[0],
	    .address = f[1],
	    .port = (int)strtoul(f[2], NULL, 10),
	    .login = f[3],
	    .by_ssh = strcmp(f[4], "ssh") == 0,
	    .proxy_command = f[6],
	    .arg = mm_arena_alloc(d->arena, 1, sizeof(struct host))};
	d->asked++;
	return read_keys(d, f[5], job, err) < 0 ? -1 : 1;
}

static int prepare(void *ctx, const struct mm_push_job *job, struct mm_buf *out, struct mm_err *err)
{
	struct drive *d = ctx;
	if (strcmp(job->host, "unprepared") == 0)
		return mm_err_set(err, MM_EX_FAILED, "no policy for this host");
	d->prepared++;
	mm_frame_magic(out);
	char *body = mm_xcalloc(MM_FRAME_MAX, 1);
	for (size_t left = d->size; left > 0;) {
		size_t n = left < MM_FRAME_MAX ? left : MM_FRAME_MAX;
		mm_frame_put(out, MM_FT_ENVELOPE, body, n);
		left -= n;
	}
	free(body);
	mm_frame_put(out, MM_FT_REQUEST_END, "", 0);
	return 0;
}

static int frame(void *ctx, const struct mm_push_job *job, const struct mm_frame *f, struct mm_err *err)
{
	(void)ctx;
	(void)err;
	((struct host *)job->arg)->frames += f->type != MM_FT_END;
	return 0;
}

static void restart(void *ctx, const struct mm_push_job *job)
{
	(void)ctx;
	((struct host *)job->arg)->frames = 0;
	((struct host *)job->arg)->restarts++;
}

static void print(json_t *o)
{
	struct mm_buf b = MM_BUF_INIT(65536);
	mm_json_dump(o, &b);
	printf("%s\n", mm_buf_str(&b));
	fflush(stdout);
	mm_buf_free(&b);
	json_decref(o);
}

static int done(void *ctx, const struct mm_push_job *job, const struct mm_outcome *o, struct mm_err *err)
{
	(void)ctx;
	(void)err;
	const struct host *h = job->arg;
	json_t *j = json_object();
	char shown[MM_FINGERPRINT_MAX];
	(void)snprintf(shown, sizeof(shown), "%s", o->fingerprint);
	if (o->pinned > 0)
		mm_sshkey_fingerprint(job->keys[o->pinned - 1].blob, job->keys[o->pinned - 1].len, shown);
	mm_json_set_str(j, "host", job->host);
	mm_json_set_str(j, "class", mm_push_class_def(o->cls)->name);
	mm_json_set_str(j, "text", o->text);
	mm_json_set_str(j, "fingerprint", shown);
	mm_json_set_str(j, "reason", o->reason);
	mm_json_set_int(j, "code", o->code);
	mm_json_set_int(j, "frames", (int64_t)h->frames);
	mm_json_set_int(j, "restarts", (int64_t)h->restarts);
	mm_json_set_bool(j, "delivered", o->delivered);
	mm_json_set_bool(j, "by_ssh", o->by_ssh);
	mm_json_set_int(j, "ms_connect", o->ms_connect);
	mm_json_set_int(j, "ms_handshake", o->ms_handshake);
	mm_json_set_int(j, "ms_auth", o->ms_auth);
	mm_json_set_int(j, "ms_answer", o->ms_answer);
	print(j);
	return 0;
}

static int stop_fd(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void summary(const struct drive *d, const struct mm_push_stats *s)
{
	struct rusage own, children;
	getrusage(RUSAGE_SELF, &own);
	getrusage(RUSAGE_CHILDREN, &children);
	json_t *j = json_object();
	mm_json_set_int(j, "asked", (int64_t)d->asked);
	mm_json_set_int(j, "prepared", (int64_t)d->prepared);
	mm_json_set_int(j, "workers_started", (int64_t)s->workers_started);
	mm_json_set_int(j, "workers_died", (int64_t)s->workers_died);
	mm_json_set_int(j, "parallel", s->parallel);
	mm_json_set_int(j, "cpu_us",
	    (own.ru_utime.tv_sec + own.ru_stime.tv_sec + children.ru_utime.tv_sec +
		children.ru_stime.tv_sec) *
		    1000000 +
		own.ru_utime.tv_usec + own.ru_stime.tv_usec + children.ru_utime.tv_usec +
		children.ru_stime.tv_usec);
	mm_json_set_int(j, "rss_kb", own.ru_maxrss);
	mm_json_set_int(j, "worker_rss_kb", children.ru_maxrss);
	print(j);
}

int main(int argc, char **argv)
{
	const char *identity_path = NULL;
	int64_t parallel = 0, timeout = 0, connect = 0, banner = 0, handshake = 0, silence = 0, size = 4096;
	const struct mm_opt opts[] = {
	    {"identity", 'i', MM_OPT_STRING, &identity_path, 0, 0, "FILE", "SSH key"},
	    {"parallel", 0, MM_OPT_INT, &parallel, 1, MM_PUSH_PARALLEL_MAX, "N", "hosts at once"},
	    {"timeout", 0, MM_OPT_INT, &timeout, 1, 3600, "S", "for one host"},
	    {"connect-ms", 0, MM_OPT_INT, &connect, 1, 60000, "MS", "limit"},
	    {"banner-ms", 0, MM_OPT_INT, &banner, 1, 60000, "MS", "limit"},
	    {"handshake-ms", 0, MM_OPT_INT, &handshake, 1, 60000, "MS", "limit"},
	    {"silence-ms", 0, MM_OPT_INT, &silence, 1, 60000, "MS", "limit"},
	    {"size", 0, MM_OPT_INT, &size, 0, MM_STREAM_MAX, "BYTES", "of the request"},
	    {.name = NULL},
	};
	struct mm_err err = MM_ERR_NONE;
	struct mm_identity *id = NULL;
	struct mm_push_stats stats = {0};
	mm_process_init();
	int n = argc - 1;
	if (mm_cli_parse(opts, &n, argv + 1, &err) < 0 || mm_identity_load(identity_path, &id, &err) < 0) {
		fprintf(stderr, "mm-push-drive: %s\n", err.text);
		return err.code;
	}
	struct drive d = {.arena = mm_arena_new(), .size = (size_t)size};
	const struct mm_push_ops ops = {
	    .next = next, .prepare = prepare, .frame = frame, .restart = restart, .done = done};
	const struct mm_push_opts o = {.identity = id,
	    .parallel = (unsigned)parallel,
	    .timeout_s = (unsigned)timeout,
	    .stop_fd = stop_fd(),
	    .connect_ms = (unsigned)connect,
	    .banner_ms = (unsigned)banner,
	    .handshake_ms = (unsigned)handshake,
	    .silence_ms = (unsigned)silence};
	int rc = mm_push_run(&o, &ops, &d, &stats, &err);
	if (rc < 0)
		fprintf(stderr, "mm-push-drive: %s\n", err.text);
	summary(&d, &stats);
	mm_identity_free(id);
	mm_arena_free(d.arena);
	return rc < 0 ? err.code : rc > 0 ? MM_EX_INTERRUPTED : MM_EX_OK;
}
