#include "common/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/text.h"

static int usage(struct mm_err *err, const char *text, const char *name)
{
	return mm_err_set(err, MM_EX_USAGE, "option --%s %s", name, text);
}

static int unknown(const struct mm_opt *opts, const char *arg, size_t n, struct mm_err *err)
{
	size_t count = 0;
	while (opts[count].name != NULL)
		count++;
	const char **names = mm_xcalloc(count + 1, sizeof(*names));
	for (size_t i = 0; i < count; i++)
		names[i] = opts[i].name;
	char *asked = mm_xstrdup(arg);
	asked[n] = '\0';
	const char *near = mm_starts_with(asked, "--") ? mm_nearest(asked + 2, names) : NULL;
	if (near != NULL)
		mm_err_set(err, MM_EX_USAGE, "unknown option %s; did you mean --%s?", asked, near);
	else
		mm_err_set(err, MM_EX_USAGE, "unknown option %s", asked);
	free(asked);
	free(names);
	return -1;
}

static int store(const struct mm_opt *o, const char *value, struct mm_err *err)
{
	switch (o->kind) {
	case MM_OPT_FLAG:
		*(bool *)o->dest = true;
		return 0;
	case MM_OPT_STRING:
		*(const char **)o->dest = value;
		return 0;
	case MM_OPT_INT:
		if (mm_parse_int(value, o->min, o->max, o->dest) == 0)
			return 0;
		return mm_err_set(err, MM_EX_USAGE,
		    "option --%s needs a number from %lld to %lld, not \"%s\"", o->name, (long long)o->min,
		    (long long)o->max, value);
	case MM_OPT_LIST: {
		struct mm_opt_list *l = o->dest;
		l->items = mm_xrealloc(l->items, l->n + 1, sizeof(*l->items));
		l->items[l->n++] = value;
		return 0;
	}
	}
	return usage(err, "is of no known kind", o->name);
}

static const struct mm_opt *find_long(const struct mm_opt *opts, const char *name, size_t n)
{
	for (; opts->name != NULL; opts++) {
		if (strlen(opts->name) == n && memcmp(opts->name, name, n) == 0)
			return opts;
	}
	return NULL;
}

static const struct mm_opt *find_letter(const struct mm_opt *opts, char letter)
{
	for (; opts->name != NULL; opts++) {
		if (opts->letter != 0 && opts->letter == letter)
			return opts;
	}
	return NULL;
}

/* One argument that begins with '-'; `next` is the one behind it, or NULL.
 * Returns how many arguments were used, or -1. */
static int option(const struct mm_opt *opts, const char *arg, const char *next, struct mm_err *err)
{
	const struct mm_opt *o = NULL;
	const char *value = NULL;
	if (arg[1] == '-') {
		size_t n = strcspn(arg + 2, "=");
		o = find_long(opts, arg + 2, n);
		if (o == NULL)
			return unknown(opts, arg, n + 2, err);
		value = arg[n + 2] == '=' ? arg + n + 3 : NULL;
	} else {
		o = find_letter(opts, arg[1]);
		if (o == NULL)
			return unknown(opts, arg, 2, err);
		value = arg[2] != '\0' ? arg + 2 : NULL;
	}
	if (o->kind == MM_OPT_FLAG)
		return value != NULL ? usage(err, "takes no value", o->name) : store(o, "", err) < 0 ? -1 : 1;
	if (value != NULL)
		return store(o, value, err) < 0 ? -1 : 1;
	if (next == NULL)
		return usage(err, "needs a value", o->name);
	return store(o, next, err) < 0 ? -1 : 2;
}

int mm_cli_parse(const struct mm_opt *opts, int *argc, char **argv, struct mm_err *err)
{
	int operands = 0;
	bool only_operands = false;
	for (int i = 0; i < *argc;) {
		char *arg = argv[i];
		if (only_operands || arg[0] != '-' || arg[1] == '\0') {
			argv[operands++] = arg;
			i++;
		} else if (strcmp(arg, "--") == 0) {
			only_operands = true;
			i++;
		} else {
			int used = option(opts, arg, i + 1 < *argc ? argv[i + 1] : NULL, err);
			if (used < 0)
				return -1;
			i += used;
		}
	}
	if (operands < *argc)
		argv[operands] = NULL;
	*argc = operands;
	return 0;
}

void mm_cli_free(const struct mm_opt *opts)
{
	for (; opts->name != NULL; opts++) {
		if (opts->kind != MM_OPT_LIST)
			continue;
		struct mm_opt_list *l = opts->dest;
		free(l->items);
		*l = (struct mm_opt_list){.items = NULL};
	}
}

static void left_column(const struct mm_opt *o, struct mm_buf *out)
{
	mm_buf_reset(out);
	if (o->letter != 0)
		mm_buf_addf(out, "  -%c, --%s", o->letter, o->name);
	else
		mm_buf_addf(out, "      --%s", o->name);
	if (o->kind != MM_OPT_FLAG)
		mm_buf_addf(out, " %s", o->arg != NULL ? o->arg : "VALUE");
}

void mm_cli_help(const char *usage_line, const char *about, const struct mm_opt *opts)
{
	struct mm_buf left = MM_BUF_INIT(256);
	size_t width = 0;
	printf("Usage: %s\n", usage_line);
	if (about != NULL)
		printf("\n%s\n", about);
	for (const struct mm_opt *o = opts; o->name != NULL; o++) {
		left_column(o, &left);
		if (left.len > width)
			width = left.len;
	}
	if (opts->name != NULL)
		printf("\nOptions:\n");
	for (const struct mm_opt *o = opts; o->name != NULL; o++) {
		left_column(o, &left);
		printf("%-*s  %s\n", (int)width, mm_buf_str(&left), o->help != NULL ? o->help : "");
	}
	mm_buf_free(&left);
}
