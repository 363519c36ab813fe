#include "agent/secrets.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "common/mem.h"
#include "common/proc.h"
#include "schemas/settings.h"

static const struct {
	const char *cls, *text;
} words[] = {
    [MM_CRED_FOUND] = {"", ""},
    [MM_CRED_NONE] = {"NO_CREDENTIAL_SOURCE",
	"There is no credential source: the policy names no password command."},
    [MM_CRED_UNAVAILABLE] = {"CREDENTIAL_UNAVAILABLE", "The password command gave no password."},
    [MM_CRED_TIMEOUT] = {"CREDENTIAL_TIMEOUT", "The password command did not answer in time."},
    [MM_CRED_FORBIDDEN] = {"CREDENTIAL_FORBIDDEN", "This host does not allow the password command."},
};

const char *mm_credential_class(enum mm_credential c)
{
	return words[c].cls;
}

const char *mm_credential_text(enum mm_credential c)
{
	return words[c].text;
}

/* What password stores need, and nothing that could make one ask on a screen. */
static const char *const *environment(struct mm_arena *a, const struct mm_identity *who)
{
	static const char *const kept[] = {"DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "GNUPGHOME",
	    "PASSWORD_STORE_DIR", "KRB5CCNAME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", NULL};
	const char **env = mm_arena_alloc(a, 16, sizeof(*env));
	const char *run = mm_arena_printf(a, "/run/user/%u", (unsigned)who->uid);
	struct stat st;
	size_t n = 0;
	env[n++] = "PATH=/usr/local/bin:/usr/bin:/bin";
	env[n++] = "LANG=C.UTF-8";
	env[n++] = mm_arena_printf(a, "HOME=%s", who->home);
	env[n++] = mm_arena_printf(a, "USER=%s", who->login);
	env[n++] = mm_arena_printf(a, "LOGNAME=%s", who->login);
	for (size_t i = 0; who->session && kept[i] != NULL; i++) {
		if (getenv(kept[i]) != NULL)
			env[n++] = mm_arena_printf(a, "%s=%s", kept[i], getenv(kept[i]));
	}
	if (!who->session && lstat(run, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == who->uid) {
		env[n++] = mm_arena_printf(a, "XDG_RUNTIME_DIR=%s", run);
		env[n++] = mm_arena_printf(a, "DBUS_SESSION_BUS_ADDRESS=unix:path=%s/bus", run);
	}
	return env;
}

static enum mm_credential judge(int rc, const struct mm_run_result *res, struct mm_secret *s)
{
	if (rc != 0)
		return MM_CRED_UNAVAILABLE;
	if (res->how == MM_RUN_TIMEOUT)
		return MM_CRED_TIMEOUT;
	mm_secret_first_line(s);
	return res->how == MM_RUN_EXITED && res->status == 0 && mm_secret_len(s) > 0 ? MM_CRED_FOUND
										     : MM_CRED_UNAVAILABLE;
}

enum mm_credential mm_credential_get(
    const struct mm_conf *conf, const struct mm_identity *who, const char *command, struct mm_secret **out)
{
	struct mm_arena *a = mm_arena_new();
	const char *const *argv;
	size_t n;
	struct mm_err err = MM_ERR_NONE;
	struct mm_run_result res = {.how = MM_RUN_EXITED};
	enum mm_credential got = MM_CRED_NONE;
	if (command == NULL)
		goto out;
	got = MM_CRED_UNAVAILABLE;
	if (mm_argv_parse(command, a, &argv, &n, &err) != 0 || n == 0)
		goto out;
	got = MM_CRED_FORBIDDEN;
	if (conf != NULL && !mm_conf_allows_program(conf, argv[0]))
		goto out;
	const struct mm_run run = {.argv = argv,
	    .env = environment(a, who),
	    .timeout_ms = MM_SECRET_SECONDS * 1000,
	    .new_session = true};
	struct mm_secret *s = mm_secret_new();
	got = judge(mm_run_secret(&run, s, &res, &err), &res, s);
	if (got == MM_CRED_FOUND)
		*out = s;
	else
		mm_secret_free(s);
out:
	mm_arena_free(a);
	return got;
}
