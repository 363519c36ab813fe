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

/* ---- the file */

static const struct key top[] = {{"witness", read_witness}, {NULL, NULL}};

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
