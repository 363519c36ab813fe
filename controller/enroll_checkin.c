#include "controller/enroll_checkin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/file.h"
#include "common/text.h"
#include "controller/enroll_remote.h"
#include "controller/push/knownhosts.h"

#define AUTHORIZED_MAX ((size_t)16 * 1024 * 1024)

/* ---- where to */

/* HOST, HOST:PORT, [HOST], [HOST]:PORT; an address with colons needs brackets. */
static int split_port(char *host, struct mm_enroll_checkin *k)
{
	char *end = host[0] == '[' ? strchr(host, ']') : strchr(host, ':');
	int64_t port = 22;
	k->host = host;
	if (host[0] == '[') {
		if (end == NULL)
			return -1;
		*end++ = '\0';
		k->host = host + 1;
	}
	if (end != NULL && *end != '\0') {
		if (*end != ':' || mm_parse_int(end + 1, 1, 65535, &port) != 0)
			return -1;
		*end = '\0';
	}
	k->port = (int)port;
	return mm_is_hostname(k->host) ? 0 : -1;
}

static int split(const char *text, struct mm_arena *a, struct mm_enroll_checkin *k, struct mm_err *err)
{
	char *copy = mm_arena_strdup(a, text), *at = strchr(copy, '@');
	if (at != NULL) {
		*at = '\0';
		k->account = copy;
		if (mm_is_login(copy) && split_port(at + 1, k) == 0)
			return 0;
	}
	return mm_err_set(err, MM_EX_USAGE, "--checkin: \"%s\" is not ACCOUNT@HOST[:PORT]", text);
}

/* ---- the controller's host keys */

struct finding {
	struct mm_arena *a;
	struct mm_enroll_checkin *k;
};

static int found(void *ctx, size_t i, const struct mm_sshkey *key, int line, struct mm_err *err)
{
	struct finding *f = ctx;
	(void)i;
	(void)line;
	if (f->k->n_keys == MM_SSHKEYS_MAX)
		return 0;
	return mm_sshkey_from_blob(key->blob, key->len, f->a, &f->k->keys[f->k->n_keys++], err);
}

static void skipped(void *ctx, int line, const char *why)
{
	(void)ctx;
	(void)line;
	(void)why;
}

static int keys_from_file(
    const char *file, struct mm_arena *a, struct mm_enroll_checkin *k, struct mm_err *err)
{
	static const struct mm_known_ops ops = {.found = found, .skipped = skipped};
	const struct mm_known_host host = {.id = k->host, .address = "", .port = k->port};
	struct mm_buf text = MM_BUF_INIT(MM_KNOWNHOSTS_MAX);
	struct mm_known_stats stats = {0};
	struct finding f = {.a = a, .k = k};
	int rc = mm_ctl_read(file, MM_KNOWNHOSTS_MAX, &text, err);
	if (rc == 0)
		rc = mm_knownhosts_read(mm_buf_str(&text), text.len, &host, 1, &ops, &f, &stats, err);
	if (rc == 0 && k->n_keys == 0)
		rc = mm_err_set(
		    err, MM_EX_DATAERR, "%s holds no usable key of %s port %d", file, k->host, k->port);
	mm_buf_free(&text);
	return rc;
}

static int keys_by_scan(struct mm_arena *a, struct mm_enroll_checkin *k, struct mm_err *err)
{
	const struct mm_remote r = {.host = k->host, .address = k->host, .port = k->port};
	k->scanned = true;
	return mm_remote_scan(&r, a, k->keys, &k->n_keys, err);
}

int mm_enroll_checkin_prepare(
    const struct mm_checkin_opts *o, struct mm_arena *a, struct mm_enroll_checkin *k, struct mm_err *err)
{
	*k = (struct mm_enroll_checkin){.n_keys = 0};
	if (split(o->destination, a, k, err) != 0)
		return -1;
	if ((o->known_hosts != NULL ? keys_from_file(o->known_hosts, a, k, err) : keys_by_scan(a, k, err)) !=
	    0)
		return -1;
	mm_sshkey_fingerprint(k->keys[0].blob, k->keys[0].len, k->fingerprint);
	return 0;
}

/* ---- for the host */

void mm_enroll_checkin_conf(const struct mm_enroll_checkin *k, const char *config, struct mm_buf *out)
{
	const char *slash = strrchr(config, '/');
	int n = slash != NULL ? (int)(slash - config) : 0;
	mm_buf_addf(out, "checkin = { destination = \"%s@%s\"; port = %d; identity = \"" MM_CHECKIN_KEY "\";",
	    k->account, k->host, k->port);
	/* Beside agent.conf is where the agent looks by itself, too. */
	if (config[strcspn(config, "\"\\%$\n")] == '\0')
		mm_buf_addf(out, " known_hosts = \"%.*s/known_hosts\";", n, config);
	mm_buf_adds(out, " };\n");
}

void mm_enroll_checkin_known(const struct mm_enroll_checkin *k, struct mm_buf *out)
{
	for (size_t i = 0; i < k->n_keys; i++) {
		mm_buf_addf(out, k->port == 22 ? "%s " : "[%s]:%d ", k->host, k->port);
		mm_sshkey_text(&k->keys[i], out);
		mm_buf_addc(out, '\n');
	}
}

/* ---- for the account here */

/* The command passes through the account's shell, inside double quotes. */
static bool is_plain_path(const char *s)
{
	for (; *s != '\0'; s++)
		if (strchr("/._-+,=@", *s) == NULL && (*s < '0' || *s > '9') && (*s < 'A' || *s > 'Z') &&
		    (*s < 'a' || *s > 'z'))
			return false;
	return true;
}

static int make_line(const struct mm_ctl *c, const char *host, const char *public_key, struct mm_arena *a,
    struct mm_enroll_checkin *k, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(2 * MM_SSHKEY_BLOB_MAX);
	struct mm_sshkey key;
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return mm_err_sys(err, MM_EX_FAILED, "where is this program?");
	self[n] = '\0';
	if (!is_plain_path(self) || !is_plain_path(c->state))
		return mm_err_set(err, MM_EX_USAGE,
		    "%s or %s cannot stand in a forced command: letters, digits and /._-+,=@ only", self,
		    c->state);
	if (public_key == NULL || mm_sshkey_parse(public_key, a, &key, err) != 0)
		return mm_err_set(err, MM_EX_FAILED, "%s did not tell a usable key for its check-in", host);
	mm_sshkey_text(&key, &text);
	k->blob = strchr(mm_arena_strdup(a, mm_buf_str(&text)), ' ') + 1;
	k->line =
	    mm_arena_printf(a, "command=\"%s --state %s checkin --host %s\",restrict %s mailmuster-agent@%s",
		self, c->state, host, mm_buf_str(&text), host);
	mm_buf_free(&text);
	return 0;
}

/* Another line for this host, or for this key. */
static bool is_older(const char *line, const struct mm_enroll_checkin *k, const char *mark)
{
	return line[0] != '#' && (strstr(line, k->blob) != NULL || strstr(line, mark) != NULL);
}

static void merge(
    char *old, const char *host, struct mm_arena *a, const struct mm_enroll_checkin *k, struct mm_buf *out)
{
	const char *mark = mm_arena_printf(a, " checkin --host %s\"", host);
	bool there = false;
	for (char *line; (line = strsep(&old, "\n")) != NULL;) {
		bool same = mm_streq(line, k->line);
		bool drop = same ? there : is_older(line, k, mark) || (*line == '\0' && old == NULL);
		if (!drop)
			mm_buf_addf(out, "%s\n", line);
		there = there || same;
	}
	if (!there)
		mm_buf_addf(out, "%s\n", k->line);
}

/* Root may write for the account: then the file becomes the account's, which
 * is whose folder it lies in. */
static int give_away(const char *path, const struct stat *dir, struct mm_err *err)
{
	if (geteuid() != 0 || lchown(path, dir->st_uid, dir->st_gid) == 0)
		return 0;
	return mm_err_sys(err, MM_EX_FAILED, "%s", path);
}

struct place {
	const char *base, *path;
	struct stat dir;
};

static int find_place(const char *file, struct mm_arena *a, struct place *p, struct mm_err *err)
{
	const char *slash = strrchr(file, '/'), *name = slash != NULL ? slash + 1 : file;
	const char *dir = slash == NULL ? "." : mm_arena_strndup(a, file, (size_t)(slash - file));
	char *real = realpath(*dir != '\0' ? dir : "/", NULL);
	if (real == NULL || stat(real, &p->dir) != 0) {
		free(real);
		return mm_err_sys(err, MM_EX_FAILED, "%s", dir);
	}
	p->base = mm_arena_strdup(a, real);
	p->path = mm_arena_printf(a, "%s/%s", real, name);
	free(real);
	return 0;
}

/* 1: somebody else wrote meanwhile. */
static int put_once(const struct place *p, const char *host, struct mm_arena *a, struct mm_enroll_checkin *k,
    struct mm_err *err)
{
	struct mm_replace_opts opts = {.create_mode = 0600, .has_expect = true};
	struct mm_buf old = MM_BUF_INIT(AUTHORIZED_MAX), new = MM_BUF_INIT(AUTHORIZED_MAX);
	enum mm_file_trouble why = MM_FILE_OK;
	enum mm_replaced done = MM_KEPT;
	int rc = mm_file_read(p->base, p->path, p->dir.st_uid, AUTHORIZED_MAX, &old, NULL, &why, err);
	if (rc == 0)
		mm_sha256_hex(mm_buf_str(&old), old.len, opts.expect_sha256);
	if (rc == 0 || why == MM_FILE_ABSENT) {
		merge(mm_arena_strdup(a, mm_buf_str(&old)), host, a, k, &new);
		rc = mm_replace(
		    p->base, p->path, p->dir.st_uid, mm_buf_str(&new), new.len, &opts, &done, &why, err);
	}
	if (rc == 0 && done == MM_CREATED)
		rc = give_away(p->path, &p->dir, err);
	if (rc == 0)
		k->written = done == MM_KEPT ? "kept" : "written";
	mm_buf_free(&old);
	mm_buf_free(&new);
	return rc != 0 && why == MM_FILE_CHANGED ? 1 : rc;
}

/* Many hosts may be enrolled at the same time. */
static int put_line(
    const char *file, const char *host, struct mm_arena *a, struct mm_enroll_checkin *k, struct mm_err *err)
{
	struct place p;
	int rc = find_place(file, a, &p, err);
	for (int tries = 0; rc >= 0 && tries < 20; tries++) {
		rc = put_once(&p, host, a, k, err);
		if (rc <= 0)
			break;
		usleep(20000);
	}
	return rc == 0 ? 0 : -1;
}

int mm_enroll_checkin_finish(const struct mm_ctl *c, const struct mm_checkin_opts *o, const char *host,
    const char *public_key, struct mm_arena *a, struct mm_enroll_checkin *k, struct mm_err *err)
{
	if (make_line(c, host, public_key, a, k, err) != 0)
		return -1;
	return o->authorized_keys != NULL ? put_line(o->authorized_keys, host, a, k, err) : 0;
}
