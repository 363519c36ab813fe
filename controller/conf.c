#include "controller/conf.h"

#include <errno.h>
#include <libconfig.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/text.h"

struct reader {
	const char *path;
	struct mm_arena *a;
	struct mm_ctl_conf *c;
	struct mm_err *err;
};

struct key {
	const char *name;
	int (*read)(struct reader *r, const config_setting_t *s);
};

static int bad(struct reader *r, const config_setting_t *s, const char *what)
{
	const char *name = config_setting_name(s);
	return mm_err_set(r->err, MM_EX_DATAERR, "%s:%u: %s %s", r->path, config_setting_source_line(s),
	    name != NULL ? name : "", what);
}

static int take_bool(struct reader *r, const config_setting_t *s, bool *out)
{
	if (config_setting_type(s) != CONFIG_TYPE_BOOL)
		return bad(r, s, "must be true or false");
	*out = config_setting_get_bool(s) != 0;
	return 0;
}

/* Every member of a block through its key; the table ends with a NULL name. */
static int take_keys(struct reader *r, const config_setting_t *block, const struct key *keys)
{
	const char *names[16];
	size_t n = 0;
	if (!config_setting_is_group(block))
		return bad(r, block, "must be a block in braces");
	for (const struct key *k = keys; k->name != NULL; k++)
		names[n++] = k->name;
	names[n] = NULL;
	for (int i = 0; i < config_setting_length(block); i++) {
		const config_setting_t *s = config_setting_get_elem(block, (unsigned)i);
		const struct key *k = keys;
		while (k->name != NULL && !mm_streq(k->name, config_setting_name(s)))
			k++;
		const char *near = k->name == NULL ? mm_nearest(config_setting_name(s), names) : NULL;
		if (k->name == NULL)
			return bad(r, s,
			    near != NULL ? mm_arena_printf(r->a, "is not known; did you mean %s?", near)
					 : "is not known");
		if (k->read(r, s) != 0)
			return -1;
	}
	return 0;
}

/* ---- witness */

static int read_files(struct reader *r, const config_setting_t *s)
{
	struct mm_witness_conf *w = &r->c->witness;
	if (!config_setting_is_array(s) && !config_setting_is_list(s))
		return bad(r, s, "must be a list of paths: [ \"/srv/...\" ]");
	for (int i = 0; i < config_setting_length(s); i++) {
		const char *path = config_setting_get_string_elem(s, i);
		if (path == NULL || *path != '/' || mm_has_control(path))
			return bad(r, s, "holds something that is no absolute path");
		if (w->n_files == MM_WITNESS_FILES)
			return bad(r, s, "holds more than 16 files");
		w->files[w->n_files++] = mm_arena_strdup(r->a, path);
	}
	return 0;
}

static int read_syslog(struct reader *r, const config_setting_t *s)
{
	return take_bool(r, s, &r->c->witness.syslog);
}

static int read_hosts(struct reader *r, const config_setting_t *s)
{
	return take_bool(r, s, &r->c->witness.hosts);
}

static int read_witness(struct reader *r, const config_setting_t *s)
{
	static const struct key keys[] = {
	    {"files", read_files}, {"syslog", read_syslog}, {"hosts", read_hosts}, {NULL, NULL}};
	return take_keys(r, s, keys);
}

/* ---- export */

static int take_text(struct reader *r, const config_setting_t *s, const char **out)
{
	const char *text = config_setting_get_string(s);
	if (text == NULL || text[0] == '\0' || mm_has_control(text))
		return bad(r, s, "must be a text in double quotes");
	*out = mm_arena_strdup(r->a, text);
	return 0;
}

static int take_path(struct reader *r, const config_setting_t *s, const char **out)
{
	if (take_text(r, s, out) != 0)
		return -1;
	return **out == '/' ? 0 : bad(r, s, "must be an absolute path");
}

static int read_export_file(struct reader *r, const config_setting_t *s)
{
	return take_path(r, s, &r->c->export.file);
}

static int read_collector(struct reader *r, const config_setting_t *s)
{
	static const char *const schemes[] = {"tls://", "tcp://", "udp://"};
	int64_t port;
	if (take_text(r, s, &r->c->export.syslog) != 0)
		return -1;
	const char *url = r->c->export.syslog, *colon = strrchr(url, ':');
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (mm_starts_with(url, schemes[i]) && colon != NULL && colon > url + strlen(schemes[i]) &&
		    strpbrk(url + strlen(schemes[i]), "/@?# ") == NULL &&
		    mm_parse_int(colon + 1, 1, 65535, &port) == 0)
			return 0;
	return bad(r, s, "must be tls://HOST:PORT, tcp://HOST:PORT or udp://HOST:PORT");
}

static int read_collector_ca(struct reader *r, const config_setting_t *s)
{
	return take_path(r, s, &r->c->export.syslog_ca_file);
}

/* What is told is not for everybody on the way. */
static int read_url(struct reader *r, const config_setting_t *s)
{
	static const char *const near[] = {"https://", "http://127.0.0.1:", "http://127.0.0.1/",
	    "http://[::1]", "http://localhost:", "http://localhost/"};
	if (take_text(r, s, &r->c->export.webhook_url) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(near) / sizeof(*near); i++)
		if (mm_starts_with(r->c->export.webhook_url, near[i]))
			return 0;
	return bad(r, s, "must be an https:// URL (http:// is for this machine only)");
}

static int read_secret_file(struct reader *r, const config_setting_t *s)
{
	return take_path(r, s, &r->c->export.webhook_secret_file);
}

static int read_webhook_ca(struct reader *r, const config_setting_t *s)
{
	return take_path(r, s, &r->c->export.webhook_ca_file);
}

static int read_webhook(struct reader *r, const config_setting_t *s)
{
	static const struct key keys[] = {
	    {"url", read_url}, {"secret_file", read_secret_file}, {"ca_file", read_webhook_ca}, {NULL, NULL}};
	if (take_keys(r, s, keys) != 0)
		return -1;
	if (r->c->export.webhook_url == NULL || r->c->export.webhook_secret_file == NULL)
		return bad(r, s, "needs url and secret_file");
	return 0;
}

static int read_export(struct reader *r, const config_setting_t *s)
{
	static const struct key keys[] = {{"file", read_export_file}, {"syslog", read_collector},
	    {"syslog_ca_file", read_collector_ca}, {"webhook", read_webhook}, {NULL, NULL}};
	return take_keys(r, s, keys);
}

/* ---- the file */

static const struct key top[] = {{"witness", read_witness}, {"export", read_export}, {NULL, NULL}};

int mm_ctl_conf_parse(
    const char *path, const char *text, struct mm_arena *a, struct mm_ctl_conf *out, struct mm_err *err)
{
	struct mm_ctl_conf c = {.witness = {.hosts = true}};
	struct reader r = {.path = path, .a = a, .c = &c, .err = err};
	config_t cfg;
	int rc;
	/* libconfig opens any file that is named there, also within a comment or text. */
	if (strstr(text, "@include") != NULL)
		return mm_err_set(err, MM_EX_DATAERR, "%s: \"@include\" has no place here", path);
	config_init(&cfg);
	if (config_read_string(&cfg, text) != CONFIG_TRUE)
		rc = mm_err_set(
		    err, MM_EX_DATAERR, "%s:%d: %s", path, config_error_line(&cfg), config_error_text(&cfg));
	else
		rc = take_keys(&r, config_root_setting(&cfg), top);
	config_destroy(&cfg);
	if (rc == 0)
		*out = c;
	return rc;
}

int mm_ctl_conf_load(const char *path, struct mm_arena *a, struct mm_ctl_conf *out, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(MM_CTL_CONF_MAX);
	int rc = 0;
	if (access(path, F_OK) == 0 || errno != ENOENT)
		rc = mm_file_read_own(path, MM_CTL_CONF_MAX, false, &text, err);
	if (rc == 0 && strlen(mm_buf_str(&text)) != text.len)
		rc = mm_err_set(err, MM_EX_DATAERR, "%s: holds a NUL byte", path);
	if (rc == 0)
		rc = mm_ctl_conf_parse(path, mm_buf_str(&text), a, out, err);
	mm_buf_free(&text);
	return rc;
}
