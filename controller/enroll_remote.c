#include "controller/enroll_remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/proc.h"
#include "common/text.h"

#define SCAN_MAX 65536
#define SCAN_S 10
#define ALIAS "mailmuster-enrol"

static void take_scan_line(char *line, struct mm_arena *a, struct mm_sshkey *keys, size_t *n)
{
	char *key = strchr(line, ' ');
	if (*line == '#' || key == NULL || *n >= MM_SSHKEYS_MAX)
		return;
	if (mm_sshkey_parse(key + 1, a, &keys[*n], NULL) == 0)
		(*n)++;
}

/* ssh-keyscan says the same once for each type of key, and ends lines as a terminal wants it. */
static const char *first_words(struct mm_buf *said)
{
	char *line = said->len > 0 ? said->data + strspn(said->data, "\r\n") : NULL;
	if (line == NULL || *line == '\0')
		return "nothing answers as an SSH server";
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

int mm_remote_scan(const struct mm_remote *r, struct mm_arena *a, struct mm_sshkey keys[MM_SSHKEYS_MAX],
    size_t *n, struct mm_err *err)
{
	const char *const argv[] = {"/usr/bin/ssh-keyscan", "-T", "5", "-p",
	    mm_arena_printf(a, "%d", r->port), "-t", "ed25519,ecdsa,rsa", "--", r->address, NULL};
	const struct mm_run run = {.argv = argv, .timeout_ms = SCAN_S * 1000};
	struct mm_buf out = MM_BUF_INIT(SCAN_MAX), said = MM_BUF_INIT(4096);
	struct mm_run_result res;
	int rc = mm_run(&run, &out, &said, &res, err);
	*n = 0;
	for (char *at = out.data, *line; rc == 0 && at != NULL && (line = strsep(&at, "\n")) != NULL;)
		take_scan_line(line, a, keys, n);
	if (rc == 0 && *n == 0)
		rc = mm_err_set(err, MM_EX_FAILED,
		    "%s shows no host key at %s port %d: %.200s; is the address right (mailmuster host show "
		    "%s)?",
		    r->host, r->address, r->port, first_words(&said), r->host);
	mm_buf_free(&out);
	mm_buf_free(&said);
	return rc;
}

/* ---- the admin's ssh */

static int write_known_hosts(const struct mm_remote *r, const char *path, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(SCAN_MAX);
	for (size_t i = 0; i < r->n_keys; i++) {
		mm_buf_adds(&b, ALIAS " ");
		mm_sshkey_text(&r->keys[i], &b);
		mm_buf_addc(&b, '\n');
	}
	int rc = mm_write_own(path, mm_buf_str(&b), b.len, 0600, err);
	mm_buf_free(&b);
	return rc;
}

struct args {
	const char *v[32];
	size_t n;
};

static void add(struct args *l, const char *option)
{
	l->v[l->n++] = "-o";
	l->v[l->n++] = option;
}

static void build(const struct mm_remote *r, const char *known_hosts, struct mm_arena *a, struct args *l)
{
	struct mm_buf algorithms = MM_BUF_INIT(1024);
	mm_sshkey_algorithms(r->keys, r->n_keys, false, &algorithms);
	l->v[l->n++] = "/usr/bin/ssh";
	l->v[l->n++] = "-T";
	add(l, "StrictHostKeyChecking=yes");
	add(l, mm_arena_printf(a, "UserKnownHostsFile=\"%s\"", known_hosts));
	add(l, "GlobalKnownHostsFile=/dev/null");
	add(l, "HostKeyAlias=" ALIAS);
	add(l, "UpdateHostKeys=no");
	add(l, "ControlPath=none");
	add(l, mm_arena_printf(a, "HostKeyAlgorithms=%s", mm_buf_str(&algorithms)));
	if (r->proxy_command != NULL)
		add(l, mm_arena_printf(a, "ProxyCommand=%s", r->proxy_command));
	if (r->identity != NULL) {
		l->v[l->n++] = "-i";
		l->v[l->n++] = r->identity;
	}
	l->v[l->n++] = "-p";
	l->v[l->n++] = mm_arena_printf(a, "%d", r->port);
	l->v[l->n++] = "-l";
	l->v[l->n++] = r->login;
	l->v[l->n++] = "--";
	l->v[l->n++] = r->address;
	l->v[l->n++] = mm_streq(r->login, "root") ? "sh" : "sudo -n sh";
	mm_buf_free(&algorithms);
}

/* ssh may ask the admin for a password, and needs his agent for that. */
static const char *const *environment(struct mm_arena *a)
{
	static const char *const names[] = {"PATH", "HOME", "LANG", "USER", "LOGNAME", "TERM",
	    "SSH_AUTH_SOCK", "DISPLAY", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE"};
	const char **env = mm_arena_alloc(a, sizeof(names) / sizeof(*names) + 1, sizeof(*env));
	size_t n = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (getenv(names[i]) != NULL)
			env[n++] = mm_arena_printf(a, "%s=%s", names[i], getenv(names[i]));
	return env;
}

static int explain(
    const struct mm_remote *r, const struct mm_run_result *res, const char *said, struct mm_err *err)
{
	const char *last = said + strlen(said);
	while (last > said && (last[-1] == '\n' || last[-1] == '\r'))
		last--;
	const char *line = last;
	while (line > said && line[-1] != '\n')
		line--;
	if (res->how == MM_RUN_TIMEOUT)
		return mm_err_set(err, MM_EX_FAILED, "%s: not done after %d s", r->host, MM_REMOTE_TIMEOUT_S);
	return mm_err_set(err, MM_EX_FAILED, "%s: %.*s (exit %d)", r->host,
	    (int)(last - line < 400 ? last - line : 400), last > line ? line : "ssh failed", res->status);
}

static int run(const struct mm_remote *r, const char *known_hosts, const char *script, size_t n,
    struct mm_buf *out, int *status, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct args l = {.n = 0};
	struct mm_buf said = MM_BUF_INIT(65536);
	struct mm_run_result res;
	build(r, known_hosts, a, &l);
	const struct mm_run how = {.argv = l.v,
	    .env = environment(a),
	    .stdin_data = script,
	    .stdin_len = n,
	    .timeout_ms = MM_REMOTE_TIMEOUT_S * 1000};
	int rc = mm_run(&how, out, &said, &res, err);
	if (rc == 0 && (res.how != MM_RUN_EXITED || res.status != 0)) {
		*status = res.how == MM_RUN_EXITED ? res.status : -1;
		rc = explain(r, &res, mm_buf_str(&said), err);
	}
	mm_buf_free(&said);
	mm_arena_free(a);
	return rc;
}

int mm_remote_script(const struct mm_remote *r, const char *script, size_t n, struct mm_buf *out, int *status,
    struct mm_err *err)
{
	const char *tmp = getenv("TMPDIR");
	char dir[1024], path[1100];
	*status = -1;
	(void)snprintf(dir, sizeof(dir), "%s/mailmuster-XXXXXX",
	    tmp != NULL && *tmp == '/' && strlen(tmp) < 900 ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		return mm_err_sys(err, MM_EX_FAILED, "cannot make a private folder");
	(void)snprintf(path, sizeof(path), "%s/known_hosts", dir);
	int rc = write_known_hosts(r, path, err);
	if (rc == 0)
		rc = run(r, path, script, n, out, status, err);
	(void)unlink(path);
	(void)rmdir(dir);
	return rc;
}
