#include "agent/versions.h"

#include <stdbool.h>
#include <string.h>

#include "common/file.h"
#include "common/text.h"

struct paragraph {
	const char *package, *version;
	size_t package_len, version_len;
	bool installed;
};

static bool field(const char *line, size_t n, const char *name, const char **value, size_t *len)
{
	size_t k = strlen(name);
	if (n < k || strncmp(line, name, k) != 0)
		return false;
	*value = line + k;
	*len = n - k;
	return true;
}

static void take_line(struct paragraph *p, const char *line, size_t n)
{
	const char *status;
	size_t len;
	if (field(line, n, "Package: ", &p->package, &p->package_len) ||
	    field(line, n, "Version: ", &p->version, &p->version_len))
		return;
	if (field(line, n, "Status: ", &status, &len))
		p->installed = len >= 13 && strncmp(status + len - 13, " ok installed", 13) == 0;
}

static void take_paragraph(const struct paragraph *p, struct mm_version *v, size_t n, struct mm_arena *a)
{
	for (size_t i = 0; p->installed && p->package != NULL && p->version != NULL && i < n; i++)
		if (strlen(v[i].package) == p->package_len &&
		    strncmp(v[i].package, p->package, p->package_len) == 0)
			v[i].version = mm_arena_strndup(a, p->version, p->version_len);
}

void mm_versions_find(const char *status_file, struct mm_version *v, size_t n, struct mm_arena *a)
{
	struct mm_buf text = MM_BUF_INIT(MM_DPKG_STATUS_MAX);
	enum mm_file_trouble why;
	struct paragraph p = {.installed = false};
	if (mm_file_read("/", status_file, 0, MM_DPKG_STATUS_MAX, &text, NULL, &why, NULL) != 0) {
		mm_buf_free(&text);
		return;
	}
	const char *s = mm_buf_str(&text), *end = s + text.len;
	while (s < end) {
		const char *lf = memchr(s, '\n', (size_t)(end - s));
		size_t len = (size_t)((lf != NULL ? lf : end) - s);
		if (len == 0) {
			take_paragraph(&p, v, n, a);
			p = (struct paragraph){.installed = false};
		} else {
			take_line(&p, s, len);
		}
		s += len + 1;
	}
	take_paragraph(&p, v, n, a);
	mm_buf_free(&text);
}
