#include "controller/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/json.h"
#include "common/text.h"

char *mm_ctl_path(const struct mm_ctl *c, const char *name)
{
	size_t n = strlen(c->state) + strlen(name) + 2;
	char *out = mm_xcalloc(1, n);

	snprintf(out, n, "%s/%s", c->state, name);
	return out;
}

int mm_ctl_open(struct mm_ctl *c, struct mm_err *err)
{
	char *path;
	int rc = 0;

	if (c->store)
		return 0;
	path = mm_ctl_path(c, "store.db");
	if (access(path, F_OK) && errno == ENOENT)
		rc = mm_err_set(
		    err, MM_EX_FAILED, "there is no store in %s; make one with: mailmuster init", c->state);
	else
		rc = mm_store_open(path, &c->store, err);
	free(path);
	if (!rc)
		mm_store_set_who(c->store, c->who);
	return rc;
}

int mm_ctl_fail(const char *what, const struct mm_err *err)
{
	fprintf(stderr, "mailmuster %s: %s\n", what, err->text);
	return err->code ? err->code : MM_EX_FAILED;
}

int mm_ctl_usage(const char *what, const char *text)
{
	fprintf(stderr, "mailmuster %s: %s; see mailmuster %s --help\n", what, text, what);
	return MM_EX_USAGE;
}

void mm_ctl_json(json_t *stolen)
{
	struct mm_buf b = MM_BUF_INIT(SIZE_MAX / 2);

	mm_json_dump(stolen, &b);
	json_decref(stolen);
	puts(mm_buf_str(&b));
	mm_buf_free(&b);
}

int mm_ctl_read(const char *path, size_t max, struct mm_buf *out, struct mm_err *err)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	char chunk[65536];
	ssize_t n;

	if (fd < 0)
		return mm_err_sys(err, MM_EX_FAILED, "%s", path);
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || out->len + (size_t)n > max)
			break;
		mm_buf_add(out, chunk, (size_t)n);
	}
	if (n < 0)
		mm_err_sys(err, MM_EX_FAILED, "%s", path);
	else if (n > 0)
		mm_err_set(err, MM_EX_DATAERR, "%s: more than %zu bytes", path, max);
	if (!standard)
		close(fd);
	return n ? -1 : 0;
}

/* Devices, pipes and our own output are written to; in no case is something put in their place. */
static int open_as_it_is(const char *path)
{
	struct stat st, out;

	if (stat(path, &st) != 0)
		return -1;
	if (fstat(STDOUT_FILENO, &out) == 0 && out.st_dev == st.st_dev && out.st_ino == st.st_ino)
		return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ? -1 : open(path, O_WRONLY | O_CLOEXEC);
}

int mm_ctl_create(struct mm_ctl_file *o, const char *path, mode_t mode, struct mm_err *err)
{
	int fd = open_as_it_is(path);
	const char *real = fd < 0 ? realpath(path, o->real) : NULL;
	struct stat st;

	o->path = real != NULL ? real : path;
	o->whole = fd < 0;
	snprintf(o->part, sizeof(o->part), "%.4095s.part", o->path);
	if (o->whole && strlen(o->path) >= sizeof(o->real))
		return mm_err_set(err, MM_EX_USAGE, "the name of the output file is too long");
	if (o->whole && stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return mm_err_set(err, MM_EX_FAILED, "cannot write %s: %s", path,
		    S_ISDIR(st.st_mode) ? "it is a folder" : "it cannot be opened");
	if (o->whole)
		fd = open(o->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (o->whole && fd >= 0)
		(void)fchmod(fd, mode);
	o->f = fd >= 0 ? fdopen(fd, "w") : NULL;
	return o->f != NULL ? 0 : mm_err_sys(err, MM_EX_FAILED, "cannot write %s", path);
}

int mm_ctl_finish(struct mm_ctl_file *o, bool keep, struct mm_err *err)
{
	bool written = keep && fflush(o->f) == 0 && (!o->whole || fsync(fileno(o->f)) == 0);
	int rc = 0;

	if (keep && !written)
		rc = mm_err_sys(err, MM_EX_FAILED, "cannot write %s", o->path);
	if (fclose(o->f) != 0 && rc == 0 && keep)
		rc = mm_err_sys(err, MM_EX_FAILED, "cannot write %s", o->path);
	if (!o->whole)
		return keep ? rc : -1;
	if (keep && rc == 0 && rename(o->part, o->path) != 0)
		rc = mm_err_sys(err, MM_EX_FAILED, "cannot rename %s to %s", o->part, o->path);
	if (!keep || rc != 0)
		unlink(o->part);
	return keep ? rc : -1;
}

int mm_ctl_can_create(const char *path, struct mm_err *err)
{
	struct mm_ctl_file o;
	struct mm_err none = MM_ERR_NONE;

	if (mm_ctl_create(&o, path, 0600, err) != 0)
		return -1;
	(void)mm_ctl_finish(&o, false, &none);
	return 0;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

bool mm_ctl_is_line(const char *s)
{
	return s == NULL || (strlen(s) <= MM_CTL_LINE_MAX && !mm_has_control(s) && mm_is_utf8(s, strlen(s)));
}

/* Entries of the audit log are made of lines, and stand there for ever. */
static int check_reason(const struct mm_args *a)
{
	for (const struct mm_opt *o = a->opts; o->name != NULL; o++)
		if (o->kind == MM_OPT_STRING && mm_streq(o->name, "reason") &&
		    !mm_ctl_is_line(*(const char **)o->dest))
			return mm_ctl_usage(a->what, "--reason is a single line of at most 1000 bytes");
	return -1;
}

int mm_ctl_args(const struct mm_args *a, int *argc, char **argv)
{
	struct mm_err err = MM_ERR_NONE;
	char usage[256];

	snprintf(usage, sizeof(usage), "mailmuster %s%s%s", a->what, *a->operands ? " " : "", a->operands);
	if (wants_help(*argc, argv)) {
		mm_cli_help(usage, a->about, a->opts);
		return MM_EX_OK;
	}
	if (mm_cli_parse(a->opts, argc, argv, &err))
		return mm_ctl_usage(a->what, err.text);
	if (*argc >= a->min && *argc <= a->max)
		return check_reason(a);
	fprintf(stderr, "mailmuster %s: %s; usage: %s\n", a->what,
	    *argc < a->min ? "something is missing" : "too many words", usage);
	return MM_EX_USAGE;
}

static void sub_help(FILE *f, const char *cmd, const struct mm_subcmd *table)
{
	fprintf(f, "Usage: mailmuster %s COMMAND ...\n\nCommands:\n", cmd);
	for (; table->name; table++)
		fprintf(f, "  %-9s %-22s %s\n", table->name, table->usage, table->about);
}

int mm_ctl_sub(struct mm_ctl *c, const char *cmd, const struct mm_subcmd *table, int argc, char **argv)
{
	const char *names[32];
	const char *near;
	size_t n = 0;

	if (argc > 0 && (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h") || !strcmp(argv[0], "help"))) {
		sub_help(stdout, cmd, table);
		return MM_EX_OK;
	}
	if (argc == 0) {
		sub_help(stderr, cmd, table);
		return MM_EX_USAGE;
	}
	for (const struct mm_subcmd *t = table; t->name; t++) {
		if (strcmp(t->name, argv[0]) == 0)
			return t->run(c, argc - 1, argv + 1);
		if (n < 31)
			names[n++] = t->name;
	}
	names[n] = NULL;
	near = mm_nearest(argv[0], names);
	fprintf(stderr, "mailmuster %s: there is no \"%s\"%s%s%s\n", cmd, argv[0],
	    near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return MM_EX_USAGE;
}
