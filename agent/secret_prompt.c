/* The terminal, when somebody who sits there asked for it. */
#include "agent/secret_source.h"
#include "common/mem.h"

static bool there(const struct mm_finder *f, const struct mm_wish *w)
{
	(void)w;
	return f->prompt;
}

static enum mm_credential get(
    const struct mm_finder *f, const struct mm_wish *w, struct mm_secret *s, const char **why)
{
	struct mm_err err = MM_ERR_NONE;
	const char *question = mm_arena_printf(f->arena,
	    "Password of %s on %s (%s): ", w->username != NULL ? w->username : "?", w->host, w->protocol);
	if (mm_secret_prompt(s, question, &err) == 0 && mm_secret_len(s) > 0)
		return MM_CRED_FOUND;
	*why = mm_arena_strdup(f->arena, err.text[0] != '\0' ? err.text : "no password was typed");
	return MM_CRED_UNAVAILABLE;
}

const struct mm_secret_source mm_source_prompt = {"prompt", there, get};
