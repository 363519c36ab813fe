#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"
#include "controller/checks/baseline.h"

static const char *const severities[MM_SEV_COUNT] = {"info", "low", "medium", "high", "critical"};
static const char *const outcomes[MM_OUT_COUNT] = {
    "compliant", "drifted", "failed", "unknown", "waived", "deferred", "notapplicable"};

const char *mm_severity_name(enum mm_severity s)
{
	assert(s < MM_SEV_COUNT);
	return severities[s];
}

int mm_severity_by_name(const char *s)
{
	for (int i = 0; i < MM_SEV_COUNT; i++)
		if (mm_streq(severities[i], s))
			return i;
	return -1;
}

const char *mm_outcome_name(enum mm_check_outcome o)
{
	assert(o < MM_OUT_COUNT);
	return outcomes[o];
}

const char *mm_check_fix(const struct mm_check *c, const char *client)
{
	const char *any = "";
	for (size_t i = 0; i < c->n_fixes; i++) {
		if (client[0] != '\0' && strcmp(c->fixes[i].client, client) == 0)
			return c->fixes[i].text;
		if (c->fixes[i].client[0] == '\0')
			any = c->fixes[i].text;
	}
	return any;
}

const struct mm_baseline *mm_baseline_only(const struct mm_baseline *b, const char *check, struct mm_arena *a)
{
	struct mm_baseline *one = mm_arena_alloc(a, 1, sizeof(*one));
	struct mm_check *c = mm_arena_alloc(a, 1, sizeof(*c));
	for (size_t i = 0; i < b->n; i++) {
		if (!mm_streq(b->checks[i].id, check))
			continue;
		*c = b->checks[i];
		c->index = 0;
		*one = *b;
		one->checks = c;
		one->n = 1;
		return one;
	}
	return NULL;
}

/* ---- where the files are */

/* PREFIX/bin/mailmuster has its data in PREFIX/share/mailmuster; what /proc
 * says about us nobody can forge. */
static const char *installed(struct mm_arena *a)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	for (int up = 0; up < 2 && n > 0; up++)
		while (n > 0 && self[--n] != '/')
			;
	return mm_arena_printf(a, "%.*s/share/mailmuster/policies/baselines", n > 0 ? (int)n : 0, self);
}

const char *mm_baseline_find(const char *name, const char *folder, struct mm_arena *a, const char **looked)
{
	const char *env = getenv("MAILMUSTER_BASELINES");
	const char *places[3] = {folder != NULL ? mm_arena_printf(a, "%sbaselines", folder) : NULL,
	    env != NULL && env[0] != '\0' ? env : NULL, installed(a)};
	struct mm_buf b = MM_BUF_INIT(16384);
	bool is_name = strchr(name, '/') == NULL; /* and no way out of these folders */
	for (size_t i = 0; i < 3; i++) {
		if (places[i] == NULL)
			continue;
		const char *path = mm_arena_printf(a, "%s/%s.conf", places[i], name);
		if (is_name && access(path, F_OK) == 0) {
			mm_buf_free(&b);
			return path;
		}
		mm_buf_addf(&b, "%s%s", b.len > 0 ? ", " : "", places[i]);
	}
	if (looked != NULL)
		*looked = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return NULL;
}
