/*
 * The user's Kerberos ticket cache. Only caches in one file (FILE:) can be
 * opened to the probe in its sandbox; KCM, KEYRING, DIR, MEMORY and API cannot.
 * Sources: MIT Kerberos 1.20, doc/basic/ccache_def.rst and
 * doc/admin/conf_files/krb5_conf.rst (default_ccache_name).
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/secret_source.h"
#include "common/buf.h"
#include "common/file.h"
#include "common/mem.h"
#include "common/text.h"

#define CONF "/etc/krb5.conf"
#define CONF_MAX (256u * 1024u)

/* "default_ccache_name = VALUE" of the file, as it stands. NULL: not set. */
static const char *configured(struct mm_arena *a)
{
	static const char key[] = "default_ccache_name";
	struct mm_buf text = MM_BUF_INIT(CONF_MAX);
	const char *value = NULL;
	if (mm_file_read("/", CONF, 0, CONF_MAX, &text, NULL, &(enum mm_file_trouble){MM_FILE_OK}, NULL) == 0)
		value = mm_buf_str(&text);
	while (value != NULL && *value != '\0') {
		value += strspn(value, " \t\n\r");
		size_t n = strcspn(value, "\n");
		const char *eq = memchr(value, '=', n);
		if (strncmp(value, key, sizeof(key) - 1) == 0 && eq != NULL) {
			eq += 1 + strspn(eq + 1, " \t");
			value = mm_arena_strndup(a, eq, strcspn(eq, " \t\r\n"));
			break;
		}
		value += n;
	}
	if (value != NULL && *value == '\0')
		value = NULL;
	mm_buf_free(&text);
	return value;
}

/* %{uid}, %{euid}, %{USERID} and %{username}, in names that are not ours. */
static const char *expand(const struct mm_finder *f, const char *name)
{
	struct mm_buf b = MM_BUF_INIT(4096);
	while (*name != '\0') {
		size_t n = mm_starts_with(name, "%{") ? strcspn(name, "}") : 0;
		if (n == 0) {
			mm_buf_addc(&b, *name++);
			continue;
		}
		if (mm_starts_with(name, "%{username}"))
			mm_buf_adds(&b, f->who->login);
		else
			mm_buf_addf(&b, "%u", (unsigned)f->who->uid);
		name += n + (name[n] == '}');
	}
	const char *out = mm_arena_strdup(f->arena, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

static const char *cache_name(const struct mm_finder *f)
{
	const char *name = f->who->session ? getenv("KRB5CCNAME") : NULL;
	if (name != NULL && name[0] != '\0')
		return mm_arena_strdup(f->arena, name);
	name = configured(f->arena);
	if (name != NULL)
		return expand(f, name);
	return mm_arena_printf(f->arena, "FILE:/tmp/krb5cc_%u", (unsigned)f->who->uid);
}

/* A ticket that others can read is no secret, and one of another's no proof. */
static enum mm_credential look(const struct mm_finder *f, const char *path, const char **why)
{
	struct mm_secret *s = mm_secret_new_max(MM_SECRET_PEM_MAX);
	enum mm_credential got = mm_secret_file(f, path, 0077, s, why);
	mm_secret_free(s);
	/* a cache is binary, and may be long: what is in it is the probe's business */
	return got == MM_CRED_BAD ? MM_CRED_FOUND : got;
}

enum mm_credential mm_ticket_get(const struct mm_finder *f, const char **path, const char **admin)
{
	if (f->conf != NULL && !mm_conf_allows_credential(f->conf, "ticket")) {
		*admin = "limits.credentials in agent.conf does not name ticket.";
		return MM_CRED_FORBIDDEN;
	}
	const char *name = cache_name(f);
	const char *file = mm_starts_with(name, "FILE:") ? name + 5 : name;
	if (file[0] != '/' || mm_has_control(file)) {
		*admin = mm_arena_printf(f->arena,
		    "The ticket cache is %.*s; only one in a file (FILE:) can be handed to the login check.",
		    (int)strcspn(name, ":"), name);
		return MM_CRED_TICKET_KIND;
	}
	enum mm_credential got = look(f, file, admin);
	if (got == MM_CRED_FOUND)
		*path = file;
	return got == MM_CRED_MISSING ? MM_CRED_NO_TICKET : got;
}
