/*
 * mailmuster-probe: see DESIGN.md, "Programs", and schemas/probe.h. Reads all
 * tasks, goes into its sandbox, and only then speaks with anybody.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/probe/engine.h"
#include "agent/probe/hand.h"
#include "agent/probe/input.h"
#include "agent/probe/ticket.h"
#include "common/cli.h"
#include "common/frame.h"
#include "common/proc.h"
#include "common/sandbox.h"

#define WANTED_FILES 4096
#define ANSWER_MAX (256u * 1024u)

struct options {
	struct mm_hand_opts hand;
	int64_t password_fd, connect_s, answer_s, login_s;
	bool json, help, version;
	bool by_hand;
};

struct run {
	const struct options *o;
	struct mm_input *in;
	size_t failed, untested;
};

static int print_json(int64_t id, const struct mm_login *l, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(ANSWER_MAX);
	mm_probe_answer_encode(id, l, &b);
	mm_buf_addc(&b, '\n');
	int rc = mm_buf_ok(&b) ? mm_write_all(STDOUT_FILENO, b.data, b.len, err)
			       : mm_err_set(err, MM_EX_FAILED, "the answer %lld is too long", (long long)id);
	mm_buf_free(&b);
	return rc;
}

static int told(void *ctx, size_t job, const struct mm_login *l, struct mm_err *err)
{
	struct run *r = ctx;
	const struct mm_probe_task *t = &r->in->tasks[job];
	r->failed += l->result == MM_LOGIN_FAILED;
	r->untested += l->result == MM_LOGIN_UNTESTED;
	mm_input_release(r->in, t);
	if (r->o->json)
		return print_json(t->id, l, err);
	mm_hand_print(l);
	fflush(stdout);
	return 0;
}

/* Each connection is a descriptor; the sandbox lets nobody change limits. */
static void raise_file_limit(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= WANTED_FILES)
		return;
	r.rlim_cur = r.rlim_max < WANTED_FILES ? r.rlim_max : WANTED_FILES;
	setrlimit(RLIMIT_NOFILE, &r);
}

static int enter_sandbox(const struct mm_input *in, const char *ccache, struct mm_err *err)
{
	const char **paths = mm_xcalloc(in->n + 2, sizeof(*paths));
	size_t n = 0;
	for (size_t i = 0; i < in->n; i++) {
		const char *ca = in->tasks[i].ca_file;
		if (ca != NULL && (n == 0 || strcmp(paths[n - 1], ca) != 0))
			paths[n++] = ca;
	}
	if (ccache != NULL)
		paths[n++] = ccache;
	struct mm_sandbox_opts o = {.read_paths = paths};
	int rc = mm_sandbox_enter(MM_SANDBOX_PROBE, &o, err);
	free(paths);
	return rc;
}

static int test_all(struct run *r, struct mm_err *err)
{
	struct mm_limits limits = mm_limits_default;
	limits.dial_ms = (int)r->o->connect_s * 1000;
	limits.answer_ms = (int)r->o->answer_s * 1000;
	limits.login_ms = (int)r->o->login_s * 1000;
	struct mm_engine_opts eo = {.limits = &limits, .told = told, .ctx = r};
	struct mm_job *jobs = mm_xcalloc(r->in->n + 1, sizeof(*jobs));
	for (size_t i = 0; i < r->in->n; i++)
		jobs[i] = (struct mm_job){.task = &r->in->tasks[i],
		    .secret = mm_input_secret(r->in, &r->in->tasks[i]),
		    .certificate = mm_input_certificate(r->in, &r->in->tasks[i])};
	raise_file_limit();
	const char *ccache = NULL;
	int rc = mm_ticket_begin(r->in->tasks, r->in->n, &ccache, err);
	if (rc == 0)
		rc = mm_curl_init(err);
	if (rc == 0)
		rc = enter_sandbox(r->in, ccache, err);
	if (rc == 0)
		rc = mm_engine_run(jobs, r->in->n, &eo, err);
	free(jobs);
	return rc;
}

/* By hand the results speak; to the agent every answer is a good answer. */
static int verdict(const struct run *r)
{
	if (!r->o->by_hand)
		return MM_EX_OK;
	if (r->failed > 0)
		return MM_EX_DIFF;
	return r->untested > 0 ? MM_EX_FAILED : MM_EX_OK;
}

static int run(struct options *o, char *const *urls, size_t n, int secret_fd, struct mm_err *err)
{
	struct mm_arena *mem = mm_arena_new();
	struct mm_input in;
	struct run r = {.o = o, .in = &in};
	o->hand.password_fd = (int)o->password_fd;
	int rc = o->by_hand ? mm_hand_tasks(urls, n, &o->hand, mem, &in, err)
			    : mm_input_read(STDIN_FILENO, secret_fd, mem, &in, err);
	if (rc == 0) {
		rc = test_all(&r, err);
		mm_input_free(&in);
	}
	mm_arena_free(mem);
	return rc == 0 ? verdict(&r) : err->code;
}

static const char usage[] = "mailmuster-probe [OPTIONS] SCHEME://[USER@]HOST[:PORT]...\n"
			    "       mailmuster-probe < TASKS 3< SECRETS";
static const char about[] =
    "Logs in to mail servers and says what is wrong. SCHEME is imap, imaps, pop3, pop3s, smtp, smtps,\n"
    "submission or submissions; without the s, STARTTLS is required. Without USER the login is left out.\n"
    "Status: 0 passed, 2 failed, 1 not tested, 64 wrong usage.";

static int act(
    struct options *o, const struct mm_opt *opts, int argc, char **argv, int secret_fd, struct mm_err *err)
{
	if (o->help) {
		mm_cli_help(usage, about, opts);
		return 0;
	}
	if (o->version) {
		puts("mailmuster-probe " MM_VERSION);
		return 0;
	}
	o->by_hand = argc > 0;
	if (!o->by_hand && isatty(STDIN_FILENO)) {
		mm_err_set(err, MM_EX_USAGE, "no address given; --help says more");
		return err->code;
	}
	o->json = o->json || !o->by_hand;
	return run(o, argv, (size_t)argc, secret_fd, err);
}

int main(int argc, char **argv)
{
	/* before anything else is opened: is descriptor 3 ours? */
	int secret_fd = fcntl(MM_PROBE_SECRET_FD, F_GETFD) >= 0 ? MM_PROBE_SECRET_FD : -1;
	mm_process_init();
	mm_no_core();
	struct options o = {.password_fd = -1,
	    .connect_s = mm_limits_default.dial_ms / 1000,
	    .answer_s = mm_limits_default.answer_ms / 1000,
	    .login_s = mm_limits_default.login_ms / 1000};
	struct mm_err err = MM_ERR_NONE;
	const struct mm_opt opts[] = {
	    {"ca-file", 0, MM_OPT_STRING, &o.hand.ca_file, 0, 0, "FILE",
		"trust the CAs in FILE and no others"},
	    {"tls-min", 0, MM_OPT_STRING, &o.hand.tls_min, 0, 0, "VERSION",
		"lowest TLS version: 1.2 (default) or 1.3"},
	    {"security", 0, MM_OPT_STRING, &o.hand.security, 0, 0, "WORD", "tls, starttls or none"},
	    {"auth", 0, MM_OPT_STRING, &o.hand.auth, 0, 0, "WORD",
		"how to log in: password (default), plain, login, ..."},
	    {"pin", 0, MM_OPT_STRING, &o.hand.pin, 0, 0, "PIN", "sha256//BASE64 of the server's public key"},
	    {"level", 0, MM_OPT_STRING, &o.hand.level, 0, 0, "LEVEL", "how far to go: reach, tls or login"},
	    {"password-fd", 0, MM_OPT_INT, &o.password_fd, 0, 1023, "N",
		"read the password from descriptor N"},
	    {"connect-timeout", 0, MM_OPT_INT, &o.connect_s, 1, 600, "S", "seconds for the connection"},
	    {"answer-timeout", 0, MM_OPT_INT, &o.answer_s, 1, 600, "S",
		"seconds for each answer of the server"},
	    {"login-timeout", 0, MM_OPT_INT, &o.login_s, 1, 600, "S", "seconds for the answer to the login"},
	    {"json", 0, MM_OPT_FLAG, &o.json, 0, 0, NULL, "one JSON object a line"},
	    {"help", 'h', MM_OPT_FLAG, &o.help, 0, 0, NULL, "this text"},
	    {"version", 'V', MM_OPT_FLAG, &o.version, 0, 0, NULL, "the version"},
	    {NULL, 0, MM_OPT_FLAG, NULL, 0, 0, NULL, NULL},
	};
	int n = argc - 1;
	int rc = mm_cli_parse(opts, &n, argv + 1, &err) == 0 ? act(&o, opts, n, argv + 1, secret_fd, &err)
							     : err.code;
	if (err.text[0] != '\0')
		fprintf(stderr, "mailmuster-probe: %s\n", err.text);
	mm_cli_free(opts);
	return rc;
}
