#include "controller/policy/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/text.h"

#define MARK "#@line "

struct loader {
	struct mm_arena *arena;
	struct mm_diags *diags;
	struct mm_buf out;
	int dirfd; /* folder of the policy; -1: includes are not possible */
	const char *open[MM_POLICY_INCLUDE_DEPTH + 1]; /* files being read, outermost first */
	size_t depth;
	size_t files;
	bool in_comment; /* inside a block comment, at the start of the next line */
};

/* ---- reading files */

/* Open a file below `dirfd` step by step; no step may be a symbolic link. */
static int open_below(int dirfd, const char *rel)
{
	int fd = -1, at = dirfd;
	while (true) {
		size_t n = strcspn(rel, "/");
		char part[256];
		if (n == 0 || n >= sizeof(part) || (rel[0] == '.' && (n == 1 || (n == 2 && rel[1] == '.')))) {
			errno = EINVAL;
			fd = -1;
		} else {
			bool last = rel[n] == '\0';
			snprintf(part, sizeof(part), "%.*s", (int)n, rel);
			fd = openat(at, part,
			    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
				(last ? 0 : O_DIRECTORY));
		}
		int saved = errno;
		if (at != dirfd)
			close(at);
		errno = saved;
		if (fd < 0 || rel[n] == '\0')
			return fd;
		at = fd;
		rel += n + 1;
	}
}

static int read_fd(int fd, size_t max, struct mm_buf *out, const char **why)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		*why = "is not a regular file; name a plain file";
		return -1;
	}
	while (true) {
		char chunk[16384];
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*why = "cannot be read; look at its file system";
			return -1;
		}
		mm_buf_add(out, chunk, (size_t)n);
		if (out->len > max || !mm_buf_ok(out)) {
			*why = "is larger than 8 MiB; split the policy or import users as CSV";
			return -1;
		}
	}
}

static const char *open_trouble(int e)
{
	switch (e) {
	case ENOENT:
		return "does not exist; check the name";
	case EACCES:
	case EPERM:
		return "may not be read; check its permissions";
	case ELOOP:
	case ENOTDIR:
		return "is reached through a symbolic link or is no file; use a plain file below the "
		       "policy's folder";
	case EINVAL:
		return "has an empty, \".\" or \"..\" part in its path; name a file below the policy's "
		       "folder";
	default:
		return strerror(e);
	}
}

/* ---- lines */

/* Is the next line inside a block comment? Strings cannot span lines. */
static bool comment_after(const char *p, const char *end, bool in_comment)
{
	bool in_string = false;
	for (; p < end; p++) {
		bool pair = p + 1 < end;
		if (in_comment) {
			if (pair && p[0] == '*' && p[1] == '/') {
				in_comment = false;
				p++;
			}
		} else if (in_string) {
			if (*p == '\\' && pair)
				p++;
			else if (*p == '"')
				in_string = false;
		} else if (*p == '"') {
			in_string = true;
		} else if (*p == '#' || (pair && p[0] == '/' && p[1] == '/')) {
			return false;
		} else if (pair && p[0] == '/' && p[1] == '*') {
			in_comment = true;
			p++;
		}
	}
	return in_comment;
}

static const char *skip(const char *p, const char *end, const char *chars)
{
	while (p < end && *p != '\0' && strchr(chars, *p) != NULL)
		p++;
	return p;
}

/* Does the line begin with @include? Then *path is what stands between the
 * quotes, or NULL when the line is not exactly an include. */
static bool is_include(const char *p, const char *end, struct mm_arena *a, const char **path)
{
	static const char word[] = "@include";
	const size_t n = sizeof(word) - 1;
	*path = NULL;
	p = skip(p, end, " \t");
	if ((size_t)(end - p) < n || memcmp(p, word, n) != 0)
		return false;
	p = skip(p + n, end, " \t");
	const char *stop = p < end && *p == '"' ? memchr(p + 1, '"', (size_t)(end - p - 1)) : NULL;
	if (stop == NULL)
		return true;
	const char *name = mm_arena_strndup(a, p + 1, (size_t)(stop - p - 1));
	const char *rest = skip(stop + 1, end, " \t\r;");
	bool alone = rest == end || *rest == '#' || (end - rest > 1 && rest[0] == '/' && rest[1] == '/');
	if (alone && name[0] != '\0' && strchr(name, '\\') == NULL && !mm_has_control(name))
		*path = name;
	return true;
}

static void add_text(struct loader *l, const char *name, const char *text, size_t len);

static void include(struct loader *l, struct mm_origin at, const char *path)
{
	struct mm_diags *d = l->diags;
	if (path == NULL) {
		mm_diag_error(d, at, "@include is malformed; write @include \"file.conf\" alone on its line");
		return;
	}
	if (l->dirfd < 0) {
		mm_diag_error(
		    d, at, "@include \"%s\" is not possible here; import the policy from its folder", path);
		return;
	}
	if (path[0] == '/') {
		mm_diag_error(
		    d, at, "@include \"%s\" lies outside the policy's folder; name a file below it", path);
		return;
	}
	for (size_t i = 0; i < l->depth; i++)
		if (strcmp(l->open[i], path) == 0) {
			mm_diag_error(d, at, "@include \"%s\" includes itself; break the circle", path);
			return;
		}
	if (l->depth > MM_POLICY_INCLUDE_DEPTH - 1 || l->files >= MM_POLICY_FILES_MAX) {
		mm_diag_error(d, at, "@include \"%s\": more than %d files or %d levels; join some of them",
		    path, MM_POLICY_FILES_MAX, MM_POLICY_INCLUDE_DEPTH);
		return;
	}
	l->files++;
	struct mm_buf b = MM_BUF_INIT(MM_POLICY_TEXT_MAX + 16384u);
	const char *why = NULL;
	int fd = open_below(l->dirfd, path);
	if (fd < 0)
		mm_diag_error(d, at, "@include \"%s\" %s", path, open_trouble(errno));
	else if (read_fd(fd, MM_POLICY_TEXT_MAX, &b, &why) != 0)
		mm_diag_error(d, at, "@include \"%s\" %s", path, why);
	else {
		mm_buf_addf(&l->out, MARK "1 \"%s\"\n", path);
		add_text(l, path, mm_buf_str(&b), b.len);
		mm_buf_addf(&l->out, MARK "%d \"%s\"\n", at.line + 1, at.file);
	}
	if (fd >= 0)
		close(fd);
	mm_buf_free(&b);
}

static void add_text(struct loader *l, const char *name, const char *text, size_t len)
{
	const char *p = text, *end = text + len;
	l->open[l->depth++] = name;
	for (int line = 1; p < end; line++) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const char *stop = eol != NULL ? eol : end, *path;
		if (!l->in_comment && is_include(p, stop, l->arena, &path)) {
			include(l, (struct mm_origin){name, line}, path);
		} else {
			l->in_comment = comment_after(p, stop, l->in_comment);
			mm_buf_add(&l->out, p, (size_t)(stop - p));
			if (eol != NULL || l->depth > 1)
				mm_buf_addc(&l->out, '\n');
		}
		p = eol != NULL ? eol + 1 : end;
	}
	l->depth--;
}

/* ---- where each line came from */

static bool parse_mark(const char *p, const char *end, struct mm_arena *a, struct mm_origin *at)
{
	size_t n = sizeof(MARK) - 1;
	if ((size_t)(end - p) < n || memcmp(p, MARK, n) != 0)
		return false;
	p += n;
	const char *blank = memchr(p, ' ', (size_t)(end - p));
	if (blank == NULL || end - blank < 4 || blank[1] != '"' || end[-1] != '"')
		return false;
	int64_t line;
	const char *file = mm_arena_strndup(a, blank + 2, (size_t)(end - blank - 3));
	if (mm_parse_int(mm_arena_strndup(a, p, (size_t)(blank - p)), 1, INT32_MAX - 1, &line) != 0 ||
	    mm_has_control(file) || strchr(file, '"') != NULL)
		return false;
	*at = (struct mm_origin){file, (int)line};
	return true;
}

static void map_lines(struct mm_source *s, struct mm_arena *a)
{
	size_t cap = 0;
	struct mm_origin at = {s->name, 1};
	for (const char *p = s->text, *end = s->text + s->len; p < end;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		const char *stop = eol != NULL ? eol : end;
		struct mm_origin *x = mm_arena_push(a, &s->lines, &s->n_lines, &cap, sizeof(*x));
		*x = at;
		if (!parse_mark(p, stop, a, &at) && at.line < INT32_MAX)
			at.line++;
		p = stop + 1;
	}
}

struct mm_origin mm_source_at(const struct mm_source *s, size_t line)
{
	if (s->n_lines == 0)
		return (struct mm_origin){s->name, 1};
	return s->lines[line == 0 ? 0 : line > s->n_lines ? s->n_lines - 1 : line - 1];
}

static int finish(struct loader *l, const char *name, struct mm_source *out)
{
	int rc = -1;
	if (l->out.failed || l->out.len > MM_POLICY_TEXT_MAX)
		mm_diag_error(l->diags, (struct mm_origin){name, 0},
		    "the policy is larger than 8 MiB; split it or import users as CSV");
	else {
		*out = (struct mm_source){.name = mm_arena_strdup(l->arena, name),
		    .text = mm_arena_strndup(l->arena, mm_buf_str(&l->out), l->out.len),
		    .len = l->out.len};
		map_lines(out, l->arena);
		rc = 0;
	}
	mm_buf_free(&l->out);
	return rc;
}

int mm_source_text(const char *name, const char *text, size_t len, struct mm_arena *a, struct mm_source *out,
    struct mm_diags *d)
{
	struct loader l = {
	    .arena = a, .diags = d, .out = MM_BUF_INIT(MM_POLICY_TEXT_MAX + 16384u), .dirfd = -1};
	add_text(&l, name, text, len);
	return finish(&l, name, out);
}

int mm_source_file(const char *path, struct mm_arena *a, struct mm_source *out, struct mm_diags *d)
{
	const char *slash = strrchr(path, '/');
	const char *name = mm_arena_strdup(a, slash != NULL ? slash + 1 : path);
	const char *folder = slash != NULL ? mm_arena_strndup(a, path, (size_t)(slash + 1 - path)) : "";
	struct mm_origin at = {name, 0};
	struct loader l = {
	    .arena = a, .diags = d, .out = MM_BUF_INIT(MM_POLICY_TEXT_MAX + 16384u), .dirfd = -1};
	struct mm_buf b = MM_BUF_INIT(MM_POLICY_TEXT_MAX + 16384u);
	const char *why = NULL;
	int rc = -1, fd = -1;
	d->folder = folder;
	l.dirfd = open(folder[0] != '\0' ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l.dirfd >= 0)
		fd = openat(l.dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		mm_diag_error(d, at, "%s", open_trouble(errno));
	else if (read_fd(fd, MM_POLICY_TEXT_MAX, &b, &why) != 0)
		mm_diag_error(d, at, "%s", why);
	else {
		add_text(&l, name, mm_buf_str(&b), b.len);
		rc = finish(&l, name, out);
	}
	if (fd >= 0)
		close(fd);
	if (l.dirfd >= 0)
		close(l.dirfd);
	mm_buf_free(&b);
	mm_buf_free(&l.out);
	return rc;
}
