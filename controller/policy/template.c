#include "controller/policy/template.h"

#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/text.h"

static const char *const names[] = {
    "login", "name", "address", "address.local", "address.domain", "attr.NAME", NULL};

bool mm_template_is(const char *text)
{
	return text != NULL && strchr(text, '%') != NULL;
}

static const char *attr_of(const char *name)
{
	return mm_starts_with(name, "attr.") ? name + 5 : NULL;
}

/* The placeholder at *p (which is '%'): its name, "" for %%; *p moves behind
 * it. NULL: malformed. */
static const char *next_name(const char **p, char *buf, size_t size)
{
	if ((*p)[1] == '%') {
		*p += 2;
		return "";
	}
	const char *stop = (*p)[1] == '{' ? strchr(*p, '}') : NULL;
	if (stop == NULL || (size_t)(stop - *p) < 3 || (size_t)(stop - *p) - 2 >= size)
		return NULL;
	snprintf(buf, size, "%.*s", (int)(stop - *p - 2), *p + 2);
	*p = stop + 1;
	return buf;
}

static int unknown(const char *name, struct mm_err *err)
{
	const char *near = mm_nearest(name, names);
	if (near != NULL)
		return mm_err_set(
		    err, MM_EX_DATAERR, "unknown placeholder %%{%s}; did you mean %%{%s}?", name, near);
	return mm_err_set(err, MM_EX_DATAERR,
	    "unknown placeholder %%{%s}; known are login, name, address, address.local, address.domain, "
	    "attr.NAME",
	    name);
}

int mm_template_check(const char *text, struct mm_err *err)
{
	char buf[128];
	for (const char *p = strchr(text, '%'); p != NULL; p = strchr(p, '%')) {
		const char *name = next_name(&p, buf, sizeof(buf));
		if (name == NULL)
			return mm_err_set(err, MM_EX_DATAERR,
			    "a percent sign alone; write %%%% for a percent sign, %%{login} for a "
			    "placeholder");
		size_t i = 0;
		while (names[i] != NULL && !mm_streq(names[i], name))
			i++;
		const char *of = attr_of(name);
		bool attr = of != NULL && of[0] != '\0';
		if (name[0] != '\0' && names[i] == NULL && !attr)
			return unknown(name, err);
	}
	return 0;
}

static const char *attribute(const struct mm_subject *u, const char *name)
{
	for (size_t i = 0; i < u->n_attributes; i++)
		if (mm_streq_nocase(u->attributes[i].name, name))
			return u->attributes[i].value;
	return NULL;
}

static int put_in(const char *name, const struct mm_subject *u, struct mm_buf *b, struct mm_err *err)
{
	const char *attr = attr_of(name), *v = NULL;
	const char *at = u->address != NULL ? strrchr(u->address, '@') : NULL;
	size_t n = 0;
	if (attr != NULL)
		v = attribute(u, attr);
	else if (mm_streq(name, "login"))
		v = u->login_text != NULL ? u->login_text : u->login;
	else if (mm_streq(name, "name"))
		v = u->name;
	else if (mm_streq(name, "address"))
		v = u->address;
	else if (mm_streq(name, "address.domain"))
		v = at != NULL ? at + 1 : NULL;
	else if (at != NULL && at > u->address) {
		v = u->address;
		n = (size_t)(at - u->address);
	}
	if (v == NULL || v[0] == '\0')
		return mm_err_set(err, MM_EX_DATAERR, "%s has no %s%s", u->login,
		    attr != NULL ? "attribute " : "", attr != NULL ? attr : name);
	mm_buf_add(b, v, n > 0 ? n : strlen(v));
	return 0;
}

int mm_template_expand(
    const char *text, const struct mm_subject *u, struct mm_arena *a, const char **out, struct mm_err *err)
{
	if (mm_template_check(text, err) != 0)
		return -1;
	struct mm_buf b = MM_BUF_INIT(MM_EXPANDED_MAX);
	char buf[128];
	int rc = 0;
	while (*text != '\0' && rc == 0) {
		size_t n = strcspn(text, "%");
		mm_buf_add(&b, text, n);
		text += n;
		if (*text == '\0')
			break;
		const char *name = next_name(&text, buf, sizeof(buf));
		if (name == NULL || name[0] == '\0')
			mm_buf_addc(&b, '%');
		else
			rc = put_in(name, u, &b, err);
	}
	if (rc == 0 && !mm_buf_ok(&b))
		rc = mm_err_set(err, MM_EX_DATAERR, "longer than %d bytes when expanded", MM_EXPANDED_MAX);
	if (rc == 0)
		*out = mm_arena_strndup(a, mm_buf_str(&b), b.len);
	mm_buf_free(&b);
	return rc;
}

int mm_template_expand_value(enum mm_setting s, const char *text, const struct mm_subject *u,
    struct mm_arena *a, const char **out, struct mm_err *err)
{
	const char *const *argv;
	size_t n;
	if (mm_setting_def(s)->type != MM_TYPE_ARGV)
		return mm_template_expand(text, u, a, out, err);
	if (mm_argv_parse(text, a, &argv, &n, err) != 0)
		return -1;
	const char **done = mm_arena_alloc(a, n + 1, sizeof(*done));
	for (size_t i = 0; i < n; i++)
		if (mm_template_expand(argv[i], u, a, &done[i], err) != 0)
			return -1;
	*out = mm_argv_text(done, a);
	return 0;
}
