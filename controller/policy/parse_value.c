#include <string.h>

#include "common/text.h"
#include "controller/policy/parse.h"
#include "controller/policy/template.h"

#define TEXT_MAX 4096 /* bytes of one text in a policy */

static const char *type_word(const config_setting_t *s)
{
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_STRING:
		return "a text";
	case CONFIG_TYPE_INT:
		return "a number";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_GROUP:
		return "a block";
	default:
		return "a list";
	}
}

static int wrong_type(struct mm_parser *p, const config_setting_t *s, const char *what, const char *write)
{
	if (!mm_parse_bad(s))
		mm_diag_error(p->diags, mm_parse_at(p, s), "%s is %s; write %s", what, type_word(s), write);
	return -1;
}

/* Text that may stand in a policy: valid, and not able to forge a line. */
static int text_ok(struct mm_parser *p, struct mm_origin at, const char *what, const char *t)
{
	const char *why = NULL;
	if (mm_has_control(t))
		why = "holds a control character; remove it";
	else if (!mm_is_utf8(t, strlen(t)))
		why = "is invalid UTF-8; save the file as UTF-8";
	else if (strlen(t) > TEXT_MAX)
		why = "is longer than 4096 bytes; shorten it";
	else if (mm_has_bidi(t))
		mm_diag_warn(p->diags, at,
		    "%s holds a character that reorders text; look at it in an editor that shows it", what);
	if (why != NULL)
		mm_diag_error(p->diags, at, "%s %s", what, why);
	return why != NULL ? -1 : 0;
}

int mm_parse_text(struct mm_parser *p, config_setting_t *s, const char *what, struct mm_said *out)
{
	*out = (struct mm_said){NULL, mm_parse_at(p, s)};
	if (config_setting_type(s) != CONFIG_TYPE_STRING)
		return wrong_type(p, s, what, "a text in double quotes");
	const char *t = config_setting_get_string(s);
	if (text_ok(p, mm_parse_at(p, s), what, t) != 0)
		return -1;
	if (t[0] == '\0') {
		mm_diag_error(
		    p->diags, mm_parse_at(p, s), "%s is empty; fill it in, or remove the line", what);
		return -1;
	}
	*out = (struct mm_said){mm_arena_strdup(p->arena, t), mm_parse_at(p, s)};
	return 0;
}

int mm_parse_number(
    struct mm_parser *p, config_setting_t *s, const char *what, int64_t min, int64_t max, int *out)
{
	if (config_setting_type(s) != CONFIG_TYPE_INT)
		return wrong_type(p, s, what, "a number");
	int v = config_setting_get_int(s);
	if (v < min || v > max) {
		mm_diag_error(p->diags, mm_parse_at(p, s),
		    "%s: %d is out of range; write a number from %lld to %lld", what, v, (long long)min,
		    (long long)max);
		return -1;
	}
	*out = v;
	return 0;
}

int mm_parse_bool(struct mm_parser *p, config_setting_t *s, const char *what, bool *out)
{
	if (config_setting_type(s) != CONFIG_TYPE_BOOL)
		return wrong_type(p, s, what, "true or false, without quotes");
	*out = config_setting_get_bool(s) == CONFIG_TRUE;
	return 0;
}

int mm_parse_word(struct mm_parser *p, config_setting_t *s, const char *what, int (*by_name)(const char *),
    const char *words, int *out)
{
	struct mm_said t;
	if (mm_parse_text(p, s, what, &t) != 0)
		return -1;
	int v = by_name(t.text);
	if (v < 0) {
		mm_diag_error(p->diags, t.at, "%s: \"%s\" is not known; write %s", what, t.text, words);
		return -1;
	}
	*out = v;
	return 0;
}

void mm_parse_list(struct mm_parser *p, config_setting_t *s, const char *what, struct mm_said_list *out)
{
	if (!config_setting_is_list(s)) {
		wrong_type(p, s, what, "a list of texts: [ \"...\", \"...\" ]");
		return;
	}
	for (int i = 0; i < config_setting_length(s); i++) {
		config_setting_t *e = config_setting_get_elem(s, (unsigned)i);
		struct mm_said t;
		size_t k = 0;
		if (mm_parse_text(p, e, what, &t) != 0)
			continue;
		while (k < out->n && !mm_streq(out->items[k].text, t.text))
			k++;
		if (k < out->n) {
			mm_diag_error(p->diags, t.at, "%s: duplicate %s; keep one of the two", what, t.text);
			continue;
		}
		struct mm_said *x = mm_arena_push(p->arena, &out->items, &out->n, &out->cap, sizeof(*x));
		*x = t;
	}
}

/* ---- one row of the settings table */

static const char *advice(const struct mm_setting_def *d, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(512);
	const char *text;
	switch (d->type) {
	case MM_TYPE_INT:
		return mm_arena_printf(
		    a, "write a number from %lld to %lld", (long long)d->min, (long long)d->max);
	case MM_TYPE_WORD:
		for (size_t i = 0; d->words[i] != NULL; i++)
			mm_buf_addf(&b, "%s\"%s\"", i == 0 ? "write one of " : ", ", d->words[i]);
		text = mm_arena_strdup(a, mm_buf_str(&b));
		mm_buf_free(&b);
		return text;
	case MM_TYPE_HOST:
		return "write a host name such as imap.acme.example";
	case MM_TYPE_ADDRESS:
		return "write an address such as \"%{address}\"";
	case MM_TYPE_BOOL:
		return "write true or false, without quotes";
	case MM_TYPE_ARGV:
		return "write a list such as [ \"/usr/bin/pass\", \"show\", \"mail\" ]";
	case MM_TYPE_PATH:
		return "write an absolute path";
	case MM_TYPE_PIN:
		return "write sha256// and the base64 of the public key's SHA-256";
	case MM_TYPE_FOLDER:
		return "write the name of a mailbox such as \"Sent\" or \"INBOX/Sent\"";
	default:
		return "write a text in double quotes";
	}
}

static const char *argv_of(struct mm_parser *p, config_setting_t *s, const char *what)
{
	int n = config_setting_length(s);
	const char **argv = mm_arena_alloc(p->arena, (size_t)n + 1, sizeof(*argv));
	for (int i = 0; i < n; i++) {
		config_setting_t *e = config_setting_get_elem(s, (unsigned)i);
		if (config_setting_type(e) != CONFIG_TYPE_STRING) {
			wrong_type(p, e, what, "only texts into the list");
			return NULL;
		}
		argv[i] = mm_arena_strdup(p->arena, config_setting_get_string(e));
		if (text_ok(p, mm_parse_at(p, e), what, argv[i]) != 0)
			return NULL;
	}
	return n > 0 ? mm_argv_text(argv, p->arena) : "[]";
}

/* The text of a value, if its type is that of the setting. */
static const char *value_text(
    struct mm_parser *p, config_setting_t *s, const struct mm_setting_def *d, const char *what)
{
	struct mm_said t = {NULL, {NULL, 0}};
	int type = config_setting_type(s);
	switch (d->type) {
	case MM_TYPE_INT:
		if (type == CONFIG_TYPE_INT)
			return mm_arena_printf(p->arena, "%d", config_setting_get_int(s));
		break;
	case MM_TYPE_BOOL:
		if (type == CONFIG_TYPE_BOOL)
			return config_setting_get_bool(s) == CONFIG_TRUE ? "yes" : "no";
		break;
	case MM_TYPE_ARGV:
		if (type == CONFIG_TYPE_LIST)
			return argv_of(p, s, what);
		break;
	default:
		if (type != CONFIG_TYPE_STRING)
			break;
		mm_parse_text(p, s, what, &t);
		return t.text;
	}
	wrong_type(p, s, what, advice(d, p->scratch) + strlen("write "));
	return NULL;
}

/* A host with a port or a scheme deserves better words than "invalid". */
static bool host_trouble(struct mm_parser *p, struct mm_origin at, const char *what, const char *t)
{
	const char *scheme = strstr(t, "://"), *colon = strrchr(t, ':');
	int64_t port;
	if (scheme != NULL)
		mm_diag_error(p->diags, at, "%s \"%s\" holds a scheme; write the host name alone", what, t);
	else if (colon != NULL && strchr(t, ':') == colon &&
		 mm_parse_int(colon + 1, 0, INT32_MAX, &port) == 0)
		mm_diag_error(p->diags, at, "%s \"%s\" holds a port; write host = \"%.*s\" and port = %lld",
		    what, t, (int)(colon - t), t, (long long)port);
	else
		return false;
	return true;
}

/* Placeholders are filled with a sample, so that the rest of the value can be
 * checked; where an attribute is asked for, only the person's value can tell. */
static int check_template(
    struct mm_parser *p, enum mm_setting set, const char *t, const char **sample, struct mm_err *err)
{
	static const struct mm_subject anybody = {
	    .login = "login", .name = "Name", .address = "local@domain.example"};
	if (mm_template_check(t, err) != 0)
		return -1;
	*sample = NULL;
	if (strstr(t, "%{attr.") != NULL)
		return 0;
	return mm_template_expand_value(set, t, &anybody, p->arena, sample, err);
}

static int check_value(
    struct mm_parser *p, enum mm_setting set, const char *t, struct mm_pvalue *out, struct mm_err *err)
{
	const struct mm_setting_def *d = mm_setting_def(set);
	const char *sample = t, *canon = NULL;
	bool may = (d->flags & MM_SETF_TEMPLATE) != 0;
	if (!may && strstr(t, "%{") != NULL)
		return mm_err_set(err, MM_EX_DATAERR, "placeholders are not possible here");
	out->template = may && mm_template_is(t);
	if (out->template && check_template(p, set, t, &sample, err) != 0)
		return -1;
	if (sample != NULL && mm_setting_canon(set, sample, p->arena, &canon, err) != 0)
		return -1;
	out->text = out->template ? t : canon;
	return 0;
}

void mm_parse_setting(
    struct mm_parser *p, config_setting_t *s, enum mm_setting set, const char *block, struct mm_pvalue *out)
{
	const struct mm_setting_def *d = mm_setting_def(set);
	const char *what = mm_arena_printf(p->scratch, "%s: %s", block, d->key);
	struct mm_origin at = mm_parse_at(p, s);
	struct mm_pvalue v = {.at = at};
	struct mm_err err = MM_ERR_NONE;
	*out = v; /* said, whatever comes: nobody shall report it as missing */
	const char *t = value_text(p, s, d, what);
	if (t == NULL || (d->type == MM_TYPE_HOST && host_trouble(p, at, what, t)))
		return;
	if (check_value(p, set, t, &v, &err) != 0) {
		/* Some messages say themselves what to do; the advice lists numbers and words. */
		bool done = strchr(err.text, ';') != NULL,
		     listed = d->type == MM_TYPE_INT || d->type == MM_TYPE_WORD;
		if (listed && strstr(t, "%{") == NULL)
			mm_diag_error(
			    p->diags, at, "%s: %s is not possible; %s", what, t, advice(d, p->scratch));
		else
			mm_diag_error(p->diags, at, "%s: %s%s%s", what, err.text, done ? "" : "; ",
			    done ? "" : advice(d, p->scratch));
		return;
	}
	*out = v;
}
