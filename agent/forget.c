#include "agent/forget.h"

#include <string.h>

#include "common/text.h"

static bool has_word(const char *key, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcasestr(key, *words) != NULL)
			return true;
	return false;
}

/* Is this the name of a key whose value is a password, in whatever program's grammar? */
static bool is_password_key(const char *key)
{
	static const char *const secret[] = {"pass", "secret", "token", ".raw", NULL};
	/* "passwordeval", "PassCmd", "remotepassfile": where one is to be found */
	static const char *const not [] = {
	    "cmd", "command", "eval", "exec", "file", "lookup", "prompt", "remember", "use", "store", NULL};
	return has_word(key, secret) && !has_word(key, not );
}

static bool is_switch(const char *value)
{
	static const char *const words[] = {
	    "", "yes", "no", "true", "false", "on", "off", "0", "1", "-1", NULL};
	for (size_t i = 0; words[i] != NULL; i++)
		if (mm_streq_nocase(value, words[i]))
			return true;
	return false;
}

/* The password in "scheme://user:password@host": where it begins (at its
 * colon), and its length. NULL: there is none. */
static const char *in_address(const char *value, size_t *n)
{
	const char *server = strstr(value, "://"), *at, *colon;
	if (server == NULL)
		return NULL;
	server += 3;
	size_t whole = strcspn(server, " \t\r\n"), authority = strcspn(server, " \t\r\n/");
	colon = memchr(server, ':', authority);
	at = memrchr(server, '@', authority);
	/* a password may hold '/', whoever wrote it; a port does not */
	if (at == NULL && colon != NULL &&
	    1 + strspn(colon + 1, "0123456789") < (size_t)(server + authority - colon))
		at = memrchr(server, '@', whole);
	if (at == NULL || colon == NULL || colon > at || colon + 1 == at || colon[1] == '$')
		return NULL;
	*n = (size_t)(at - colon);
	return colon;
}

static const char *without_passwords(const char *value, struct mm_arena *a)
{
	const char *found = NULL, *now = value;
	size_t n = 0;
	while ((found = in_address(now, &n)) != NULL)
		now = mm_arena_printf(a, "%.*s%s", (int)(found - now), now, found + n);
	return now;
}

void mm_forget_secret(struct mm_done_edit *d, struct mm_arena *a)
{
	struct mm_edit *e = &d->e;
	if (!e->had || e->former == NULL || (e->op != MM_EDIT_SET && e->op != MM_EDIT_DELETE))
		return;
	const char *clean = without_passwords(e->former, a);
	if (e->key != NULL && e->former_kind != 'e' && is_password_key(e->key) && !is_switch(e->former)) {
		d->secret = true;
		e->former = e->former_raw = NULL;
		e->former_kind = '\0';
		e->had = false; /* so that nothing is put back */
	} else if (clean != e->former) {
		d->secret = true;
		e->former = clean;
		e->former_raw = NULL;
	}
}
