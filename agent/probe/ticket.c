#include "agent/probe/ticket.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"

static int announce(const char *path, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	int rc = setenv("KRB5CCNAME", mm_arena_printf(a, "FILE:%s", path), 1);
	mm_arena_free(a);
	return rc == 0 ? 0 : mm_err_sys(err, MM_EX_FAILED, "cannot name the ticket cache");
}

int mm_ticket_begin(const struct mm_probe_task *tasks, size_t n, const char **path, struct mm_err *err)
{
	*path = NULL;
	for (size_t i = 0; i < n; i++) {
		const char *c = tasks[i].ccache;
		if (c == NULL || !mm_streq(tasks[i].auth, "gssapi"))
			continue;
		if (c[0] != '/' || mm_has_control(c))
			return mm_err_set(err, MM_EX_DATAERR, "the ticket cache is no absolute path");
		if (*path != NULL && strcmp(*path, c) != 0)
			return mm_err_set(err, MM_EX_DATAERR, "the tasks name two ticket caches");
		*path = c;
	}
	return *path != NULL ? announce(*path, err) : 0;
}
