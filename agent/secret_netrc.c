/* ~/.netrc */
#include <unistd.h>

#include "agent/netrc.h"
#include "agent/secret_source.h"
#include "common/mem.h"

static const char *path_of(const struct mm_finder *f)
{
	return mm_arena_printf(f->arena, "%s/.netrc", f->who->home);
}

static bool there(const struct mm_finder *f, const struct mm_wish *w)
{
	(void)w;
	return access(path_of(f), F_OK) == 0;
}

static enum mm_credential get(
    const struct mm_finder *f, const struct mm_wish *w, struct mm_secret *s, const char **why)
{
	const char *path = path_of(f), *user = w->username != NULL ? w->username : "";
	struct mm_secret *text = mm_secret_new_max(MM_SECRET_PEM_MAX);
	enum mm_credential got = mm_secret_file(f, path, 0077, text, why);
	int found = got == MM_CRED_FOUND ? mm_netrc_find(mm_secret_bytes(text), w->host, user, s) : 0;
	mm_secret_free(text);
	if (got != MM_CRED_FOUND)
		return got;
	if (found < 0) {
		*why = mm_arena_printf(f->arena, "%s cannot be understood.", path);
		return MM_CRED_BAD;
	}
	if (found > 0 && mm_secret_len(s) > 0)
		return MM_CRED_FOUND;
	*why = mm_arena_printf(
	    f->arena, "%s has no password of the login %s on the machine %s.", path, user, w->host);
	return MM_CRED_MISSING;
}

const struct mm_secret_source mm_source_netrc = {"netrc", there, get};
