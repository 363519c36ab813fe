#include "agent/conf.h"

#include <errno.h>
#include <libconfig.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/text.h"
#include "schemas/settings.h"

#define LIST_MAX 1024
#define STATE_NAME "mailmuster-agent"

struct reader {
	struct mm_conf *c;
	struct mm_err *err;
};

static int bad(struct reader *r, const config_setting_t *s, const char *what)
{
	return mm_err_set(r->err, MM_EX_DATAERR, "%s:%u: %s %s", r->c->path,
	    s != NULL ? config_setting_source_line(s) : 0, s != NULL ? config_setting_name(s) : "", what);
}

/* ---- who may have written it */

static int check_writers(const char *path, struct mm_err *err)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot look at %s", path);
	if ((st.st_mode & 022) != 0)
		return mm_err_set(err, MM_EX_NOPERM, "%s can be written by others; chmod go-w it", path);
	return 0;
}

static int read_guarded(const char *path, struct mm_buf *text, struct mm_err *err)
{
	if (mm_file_read_own(path, MM_CONF_MAX, false, text, err) != 0)
		return -1;
	return check_writers(path, err);
}

/* ---- values */

static int take_text(struct reader *r, const config_setting_t *s, const char **out)
{
	const char *v = config_setting_get_string(s);
	if (v == NULL)
		return bad(r, s, "must be a string");
	if (mm_has_control(v) || *v == '\0')
		return bad(r, s, "is empty or contains a control character");
	*out = mm_arena_strdup(r->c->arena, v);
	return 0;
}

static int take_path(struct reader *r, const config_setting_t *s, const char **out)
{
	if (take_text(r, s, out) != 0)
		return -1;
	return (*out)[0] == '/' ? 0 : bad(r, s, "must be an absolute path");
}

static int take_name(struct reader *r, const config_setting_t *s, const char **out)
{
	if (take_text(r, s, out) != 0)
		return -1;
	return mm_is_login(*out) ? 0 : bad(r, s, "is not a valid name");
}

static int take_list(struct reader *r, const config_setting_t *s, const char *const **out)
{
	if (!config_setting_is_array(s) && !config_setting_is_list(s))
		return bad(r, s, "must be a list of strings");
	int n = config_setting_length(s);
	if (n > LIST_MAX)
		return bad(r, s, "has too many members");
	const char **list = mm_arena_alloc(r->c->arena, (size_t)n + 1, sizeof(*list));
	for (int i = 0; i < n; i++) {
		const char *v = config_setting_get_string_elem(s, i);
		if (v == NULL)
			return bad(r, s, "must be a list of strings");
		list[i] = mm_arena_strdup(r->c->arena, v);
	}
	*out = list;
	return 0;
}

static int take_key(struct reader *r, const config_setting_t *s, const char *text)
{
	struct mm_conf *c = r->c;
	struct mm_buf file = MM_BUF_INIT(MM_CONF_MAX);
	int rc = 0;
	if (c->n_keys == MM_KEYS_MAX)
		return bad(r, s, "has too many keys");
	if (text[0] == '/') {
		rc = read_guarded(text, &file, r->err);
		text = mm_buf_str(&file);
	}
	if (rc == 0)
		rc = mm_key_from_public_pem(text, strlen(text), &c->keys[c->n_keys], r->err);
	mm_buf_free(&file);
	if (rc != 0)
		return mm_err_prefix(r->err, "%s:%u", c->path, config_setting_source_line(s));
	c->n_keys++;
	return 0;
}

static int take_keys(struct reader *r, const config_setting_t *s)
{
	const char *const *list;
	if (take_list(r, s, &list) != 0)
		return -1;
	for (; *list != NULL; list++) {
		if (take_key(r, s, *list) != 0)
			return -1;
	}
	return 0;
}

const char *const mm_credential_words[] = {
    "command", "secret-service", "netrc", "systemd", "ticket", "client-cert", NULL};

static bool listed(const char *const *list, const char *s)
{
	for (; *list != NULL; list++) {
		if (strcmp(*list, s) == 0)
			return true;
	}
	return false;
}

/* A misspelt word would forbid what the admin meant to allow. */
static int take_credentials(struct reader *r, const config_setting_t *s)
{
	if (take_list(r, s, &r->c->credentials) != 0)
		return -1;
	for (const char *const *w = r->c->credentials; *w != NULL; w++) {
		if (!listed(mm_credential_words, *w))
			return bad(r, s, "names a source of credentials that is not known");
	}
	return 0;
}

static int take_limit(struct reader *r, const config_setting_t *s)
{
	const char *name = config_setting_name(s);
	struct mm_conf *c = r->c;
	if (mm_streq(name, "domains"))
		return take_list(r, s, &c->domains);
	if (mm_streq(name, "password_programs"))
		return take_list(r, s, &c->programs);
	if (mm_streq(name, "clients"))
		return take_list(r, s, &c->clients);
	if (mm_streq(name, "credentials"))
		return take_credentials(r, s);
	return bad(r, s, "is not a known limit");
}

static int take_limits(struct reader *r, const config_setting_t *s)
{
	if (!config_setting_is_group(s))
		return bad(r, s, "must be a group { ... }");
	for (int i = 0; i < config_setting_length(s); i++) {
		if (take_limit(r, config_setting_get_elem(s, (unsigned)i)) != 0)
			return -1;
	}
	return 0;
}

/* ---- the check-in */

static int take_destination(struct reader *r, const config_setting_t *s, struct mm_checkin_conf *k)
{
	const char *text;
	if (take_text(r, s, &text) != 0)
		return -1;
	const char *at = strchr(text, '@');
	if (at == NULL)
		return bad(r, s, "must be ACCOUNT@HOST");
	k->account = mm_arena_strndup(r->c->arena, text, (size_t)(at - text));
	k->host = at + 1;
	return mm_is_login(k->account) && mm_is_hostname(k->host) ? 0 : bad(r, s, "must be ACCOUNT@HOST");
}

static int take_port(struct reader *r, const config_setting_t *s, struct mm_checkin_conf *k)
{
	int port = config_setting_type(s) == CONFIG_TYPE_INT ? config_setting_get_int(s) : 0;
	if (port < 1 || port > 65535)
		return bad(r, s, "must be a number from 1 to 65535");
	k->port = port;
	return 0;
}

/* ssh_config(5) expands these in file names. */
static int take_ssh_path(struct reader *r, const config_setting_t *s, const char **out)
{
	if (take_path(r, s, out) != 0)
		return -1;
	return strpbrk(*out, "%$\"\\") == NULL ? 0 : bad(r, s, "must hold none of % $ \" \\");
}

static int take_checkin_member(struct reader *r, const config_setting_t *s, struct mm_checkin_conf *k)
{
	const char *name = config_setting_name(s);
	if (mm_streq(name, "destination"))
		return take_destination(r, s, k);
	if (mm_streq(name, "port"))
		return take_port(r, s, k);
	if (mm_streq(name, "identity"))
		return take_ssh_path(r, s, &k->identity);
	if (mm_streq(name, "known_hosts"))
		return take_ssh_path(r, s, &k->known_hosts);
	return bad(r, s, "is not a known setting of the check-in");
}

static int take_checkin(struct reader *r, const config_setting_t *s)
{
	struct mm_checkin_conf *k = mm_arena_alloc(r->c->arena, 1, sizeof(*k));
	*k = (struct mm_checkin_conf){.port = 22};
	if (!config_setting_is_group(s))
		return bad(r, s, "must be a group { ... }");
	for (int i = 0; i < config_setting_length(s); i++) {
		if (take_checkin_member(r, config_setting_get_elem(s, (unsigned)i), k) != 0)
			return -1;
	}
	r->c->checkin = k;
	return k->host != NULL ? 0 : bad(r, s, "has no destination");
}

/* ---- the probe */

static int take_seconds(struct reader *r, const config_setting_t *s, int *out)
{
	int n = config_setting_type(s) == CONFIG_TYPE_INT ? config_setting_get_int(s) : 0;
	if (n < 1 || n > MM_PROBE_LIMIT_MAX)
		return bad(r, s, "must be a number of seconds from 1 to 600");
	*out = n;
	return 0;
}

static int take_again(struct reader *r, const config_setting_t *s, int *out)
{
	int n = config_setting_type(s) == CONFIG_TYPE_INT ? config_setting_get_int(s) : 0;
	if (n < MM_AGAIN_MIN || n > MM_AGAIN_MAX)
		return bad(r, s, "must be a number of seconds from 60 to 604800");
	*out = n;
	return 0;
}

static int take_days(struct reader *r, const config_setting_t *s, int *out)
{
	int n = config_setting_type(s) == CONFIG_TYPE_INT ? config_setting_get_int(s) : 0;
	if (n < 1 || n > MM_DEFERRAL_MAX)
		return bad(r, s, "must be a number of days from 1 to 365");
	*out = n;
	return 0;
}

static int take_ehlo(struct reader *r, const config_setting_t *s, struct mm_probe_conf *p)
{
	if (take_text(r, s, &p->ehlo) != 0)
		return -1;
	return mm_is_hostname(p->ehlo) ? 0 : bad(r, s, "must be a host name");
}

static int take_probe_member(struct reader *r, const config_setting_t *s, struct mm_probe_conf *p)
{
	const char *name = config_setting_name(s);
	if (mm_streq(name, "program"))
		return take_path(r, s, &p->program);
	if (mm_streq(name, "ehlo"))
		return take_ehlo(r, s, p);
	if (mm_streq(name, "connect"))
		return take_seconds(r, s, &p->connect_s);
	if (mm_streq(name, "answer"))
		return take_seconds(r, s, &p->answer_s);
	if (mm_streq(name, "login"))
		return take_seconds(r, s, &p->login_s);
	if (mm_streq(name, "again"))
		return take_again(r, s, &p->again_s);
	return bad(r, s, "is not a known setting of the probe");
}

static int take_probe(struct reader *r, const config_setting_t *s)
{
	if (!config_setting_is_group(s))
		return take_path(r, s, &r->c->probe.program);
	for (int i = 0; i < config_setting_length(s); i++) {
		if (take_probe_member(r, config_setting_get_elem(s, (unsigned)i), &r->c->probe) != 0)
			return -1;
	}
	return 0;
}

static int take_setting(struct reader *r, const config_setting_t *s)
{
	const char *name = config_setting_name(s);
	struct mm_conf *c = r->c;
	if (mm_streq(name, "host"))
		return take_name(r, s, &c->host);
	if (mm_streq(name, "login"))
		return take_name(r, s, &c->login);
	if (mm_streq(name, "keys"))
		return take_keys(r, s);
	if (mm_streq(name, "limits"))
		return take_limits(r, s);
	if (mm_streq(name, "state_dir"))
		return take_path(r, s, &c->state_dir);
	if (mm_streq(name, "probe"))
		return take_probe(r, s);
	if (mm_streq(name, "report_key"))
		return take_path(r, s, &c->report_key);
	if (mm_streq(name, "checkin"))
		return take_checkin(r, s);
	if (mm_streq(name, "deferral_days"))
		return take_days(r, s, &r->c->deferral_days);
	return bad(r, s, "is not a known setting");
}

/* ---- the whole */

static int refuse_includes(const char *path, const char *text, struct mm_err *err)
{
	int line = 1;
	for (const char *p = text; *p != '\0'; line++) {
		p += strspn(p, " \t");
		if (strncmp(p, "@include", 8) == 0)
			return mm_err_set(err, MM_EX_DATAERR, "%s:%d: @include is not allowed", path, line);
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return 0;
}

/* The end of a string or comment that begins at p, or p when none does. */
static const char *skip_quoted(const char *p)
{
	const char *end;
	if (*p == '#' || strncmp(p, "//", 2) == 0)
		return p + strcspn(p, "\n");
	if (strncmp(p, "/*", 2) == 0)
		return (end = strstr(p + 2, "*/")) != NULL ? end + 2 : p + strlen(p);
	if (*p != '"')
		return p;
	for (p++; *p != '\0' && *p != '"'; p++)
		p += *p == '\\' && p[1] != '\0';
	return *p == '"' ? p + 1 : p;
}

/* libconfig 1.5 takes 4294967297 for 1. No number here needs ten digits. */
static int refuse_long_numbers(const char *path, const char *text, struct mm_err *err)
{
	for (const char *p = text; *p != '\0';) {
		const char *after = skip_quoted(p);
		size_t n = strspn(p, "0123456789abcdefABCDEFxX");
		if (after == p && *p >= '0' && *p <= '9' && n > 9)
			return mm_err_set(
			    err, MM_EX_DATAERR, "%s: the number %.*s is too large", path, (int)n, p);
		p = after != p ? after : p + (n > 0 ? n : 1);
	}
	return 0;
}

static int check_complete(struct reader *r)
{
	struct mm_conf *c = r->c;
	if (c->host == NULL)
		return mm_err_set(r->err, MM_EX_DATAERR, "%s: host is missing", c->path);
	if (c->n_keys == 0)
		return mm_err_set(
		    r->err, MM_EX_DATAERR, "%s: keys is missing: whom should we trust?", c->path);
	return 0;
}

static int parse(struct mm_conf *c, const char *text, struct mm_err *err)
{
	struct reader r = {.c = c, .err = err};
	config_t cfg;
	config_init(&cfg);
	int rc = refuse_includes(c->path, text, err);
	if (rc == 0)
		rc = refuse_long_numbers(c->path, text, err);
	if (rc == 0 && config_read_string(&cfg, text) != CONFIG_TRUE)
		rc = mm_err_set(err, MM_EX_DATAERR, "%s:%d: %s", c->path, config_error_line(&cfg),
		    config_error_text(&cfg));
	const config_setting_t *root = config_root_setting(&cfg);
	for (int i = 0; rc == 0 && i < config_setting_length(root); i++)
		rc = take_setting(&r, config_setting_get_elem(root, (unsigned)i));
	if (rc == 0)
		rc = check_complete(&r);
	config_destroy(&cfg);
	return rc;
}

int mm_conf_parse(const char *path, const char *text, struct mm_conf **out, struct mm_err *err)
{
	static const char *const none[] = {NULL};
	struct mm_arena *a = mm_arena_new();
	struct mm_conf *c = mm_arena_alloc(a, 1, sizeof(*c));
	c->arena = a;
	c->path = mm_arena_strdup(a, path);
	c->domains = c->programs = none;
	c->probe.again_s = MM_AGAIN_USUAL;
	c->deferral_days = MM_DEFERRAL_USUAL;
	if (parse(c, text, err) != 0) {
		mm_conf_free(c);
		return -1;
	}
	*out = c;
	return 0;
}

void mm_conf_free(struct mm_conf *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n_keys; i++)
		mm_key_free(c->keys[i]);
	mm_arena_free(c->arena);
}

/* XDG base folders count only when absolute (basedir-spec 0.8). */
static const char *xdg(struct mm_arena *a, const char *name, const char *home, const char *dflt)
{
	const char *v = geteuid() != 0 ? getenv(name) : NULL;
	if (v != NULL && v[0] == '/')
		return mm_arena_strdup(a, v);
	return mm_arena_printf(a, "%s/%s", home, dflt);
}

static const char *choose_path(struct mm_arena *a, const char *home)
{
	if (geteuid() == 0)
		return MM_CONF_SYSTEM;
	const char *own =
	    mm_arena_printf(a, "%s/mailmuster/agent.conf", xdg(a, "XDG_CONFIG_HOME", home, ".config"));
	return access(own, F_OK) == 0 ? own : MM_CONF_SYSTEM;
}

static void place_checkin(struct mm_conf *c)
{
	struct mm_checkin_conf *k;
	const char *slash = strrchr(c->path, '/');
	int n = slash != NULL ? (int)(slash - c->path) : 0;
	if (c->checkin == NULL)
		return;
	k = mm_arena_alloc(c->arena, 1, sizeof(*k));
	*k = *c->checkin;
	if (k->identity == NULL)
		k->identity = mm_arena_printf(c->arena, "%s/ssh_key", c->state_dir);
	if (k->known_hosts == NULL)
		k->known_hosts = mm_arena_printf(c->arena, "%.*s/known_hosts", n, c->path);
	c->checkin = k;
}

/* The probe lies where the agent lies; what /proc says about us nobody can forge. */
static const char *beside_us(struct mm_arena *a, const char *name)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0)
		return mm_arena_printf(a, "/usr/bin/%s", name);
	self[n] = '\0';
	char *slash = strrchr(self, '/');
	return mm_arena_printf(a, "%.*s/%s", (int)(slash - self), self, name);
}

/* Whose installation is it? What root wrote holds for the whole host, unless
 * it names one user; what a user wrote, for that user. */
static void place(struct mm_conf *c, const char *home)
{
	struct stat st;
	c->hostwide = c->login == NULL && lstat(c->path, &st) == 0 && st.st_uid == 0;
	if (c->state_dir == NULL && c->hostwide)
		c->state_dir = "/var/lib/" STATE_NAME;
	if (c->state_dir == NULL)
		c->state_dir = mm_arena_printf(
		    c->arena, "%s/" STATE_NAME, xdg(c->arena, "XDG_STATE_HOME", home, ".local/state"));
	if (c->probe.program == NULL)
		c->probe.program = beside_us(c->arena, "mailmuster-probe");
	if (c->report_key == NULL)
		c->report_key = mm_arena_printf(c->arena, "%s/report.key", c->state_dir);
	place_checkin(c);
}

int mm_conf_load(const char *path, const char *home, struct mm_conf **out, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_buf text = MM_BUF_INIT(MM_CONF_MAX);
	if (path == NULL)
		path = choose_path(a, home);
	int rc = read_guarded(path, &text, err);
	if (rc == 0 && memchr(mm_buf_str(&text), '\0', text.len) != NULL)
		rc = mm_err_set(err, MM_EX_DATAERR, "%s contains a NUL byte", path);
	if (rc == 0)
		rc = mm_conf_parse(path, mm_buf_str(&text), out, err);
	if (rc == 0)
		place(*out, home);
	mm_buf_free(&text);
	mm_arena_free(a);
	return rc;
}

/* ---- limits */

static bool is_literal(const char *host)
{
	return strchr(host, ':') != NULL || host[strspn(host, "0123456789.")] == '\0';
}

static bool domain_covers(const char *domain, const char *host)
{
	size_t n = strlen(domain), k = strlen(host);
	if (n == 0)
		return false;
	if (mm_streq(domain, "*") || mm_streq_nocase(domain, host))
		return true;
	if (is_literal(host) || k <= n + 1)
		return false;
	return host[k - n - 1] == '.' && mm_streq_nocase(host + k - n, domain);
}

bool mm_conf_allows_host(const struct mm_conf *c, const char *host)
{
	for (const char *const *d = c->domains; *d != NULL; d++) {
		if (domain_covers(*d, host))
			return true;
	}
	return false;
}

bool mm_conf_allows_program(const struct mm_conf *c, const char *program)
{
	return listed(c->programs, program);
}

bool mm_conf_allows_client(const struct mm_conf *c, const char *client)
{
	return c->clients == NULL || listed(c->clients, client);
}

bool mm_conf_allows_credential(const struct mm_conf *c, const char *word)
{
	return c->credentials == NULL || listed(c->credentials, word);
}

const char *mm_conf_user_state(const struct mm_conf *c, const char *home, struct mm_arena *a)
{
	return c->hostwide ? mm_arena_printf(a, "%s/.local/state/" STATE_NAME, home) : c->state_dir;
}
