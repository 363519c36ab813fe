#include "agent/probe/ticket.h"

#include <krb5.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
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

#define COPY "MEMORY:mailmuster-probe"

static krb5_error_code copy(krb5_context k, krb5_ccache from, krb5_ccache to)
{
	krb5_principal who;
	krb5_error_code rc = krb5_cc_get_principal(k, from, &who);
	if (rc != 0)
		return rc;
	rc = krb5_cc_initialize(k, to, who);
	krb5_free_principal(k, who);
	return rc != 0 ? rc : krb5_cc_copy_creds(k, from, to);
}

void mm_ticket_copy(const char *path)
{
	krb5_context k;
	krb5_ccache from = NULL, to = NULL;
	if (krb5_init_context(&k) != 0)
		return;
	struct mm_buf name = MM_BUF_INIT(8192);
	mm_buf_addf(&name, "FILE:%s", path);
	if (mm_buf_ok(&name) && krb5_cc_resolve(k, mm_buf_str(&name), &from) == 0 &&
	    krb5_cc_resolve(k, COPY, &to) == 0 && copy(k, from, to) == 0)
		setenv("KRB5CCNAME", COPY, 1);
	mm_buf_free(&name);
	if (from != NULL)
		krb5_cc_close(k, from);
	if (to != NULL)
		krb5_cc_close(k, to);
	krb5_free_context(k);
}
