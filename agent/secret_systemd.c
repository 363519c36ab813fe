/*
 * Credentials that systemd hands to a service (systemd.exec(5), CREDENTIALS):
 * $CREDENTIALS_DIRECTORY/mail.ACCOUNT.incoming and .outgoing. The folder can
 * be read by the service's user alone: an agent that serves other users as
 * root cannot pass it on to them, and does not try.
 */
#include <stdlib.h>

#include "agent/secret_source.h"
#include "common/mem.h"

static bool there(const struct mm_finder *f, const struct mm_wish *w)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	(void)f;
	(void)w;
	return dir != NULL && dir[0] == '/';
}

static enum mm_credential get(
    const struct mm_finder *f, const struct mm_wish *w, struct mm_secret *s, const char **why)
{
	if (!there(f, w)) {
		*why = "This is no service with credentials of systemd (CREDENTIALS_DIRECTORY is not set).";
		return MM_CRED_MISSING;
	}
	const char *path = mm_arena_printf(
	    f->arena, "%s/mail.%s.%s", getenv("CREDENTIALS_DIRECTORY"), w->account, mm_side_name(w->side));
	/* systemd gives mode 0400 or, with an ACL for the service's user, 0440 */
	enum mm_credential got = mm_secret_file(f, path, 0037, s, why);
	if (got != MM_CRED_FOUND)
		return got;
	mm_secret_first_line(s);
	if (mm_secret_len(s) > 0)
		return MM_CRED_FOUND;
	*why = mm_arena_printf(f->arena, "%s is empty.", path);
	return MM_CRED_UNAVAILABLE;
}

const struct mm_secret_source mm_source_systemd = {"systemd", there, get};
