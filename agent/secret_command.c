/* The password command. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/secret_source.h"
#include "agent/sessionbus.h"
#include "common/mem.h"
#include "common/proc.h"

#define ENV_MAX 16

/* What password stores need, and nothing that could make one ask on a screen. */
static const char *const *environment(const struct mm_finder *f)
{
	static const char *const kept[] = {"XDG_RUNTIME_DIR", "GNUPGHOME", "PASSWORD_STORE_DIR", "KRB5CCNAME",
	    "XDG_CONFIG_HOME", "XDG_DATA_HOME", NULL};
	const struct mm_identity *who = f->who;
	const char **env = mm_arena_alloc(f->arena, ENV_MAX, sizeof(*env));
	const char *run = mm_arena_printf(f->arena, "/run/user/%u", (unsigned)who->uid);
	const char *bus = mm_session_bus(f->who, f->arena);
	struct stat st;
	size_t n = 0;
	env[n++] = "PATH=/usr/local/bin:/usr/bin:/bin";
	env[n++] = "LANG=C.UTF-8";
	env[n++] = mm_arena_printf(f->arena, "HOME=%s", who->home);
	env[n++] = mm_arena_printf(f->arena, "USER=%s", who->login);
	env[n++] = mm_arena_printf(f->arena, "LOGNAME=%s", who->login);
	for (size_t i = 0; who->session && kept[i] != NULL; i++) {
		if (getenv(kept[i]) != NULL)
			env[n++] = mm_arena_printf(f->arena, "%s=%s", kept[i], getenv(kept[i]));
	}
	if (!who->session && lstat(run, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == who->uid)
		env[n++] = mm_arena_printf(f->arena, "XDG_RUNTIME_DIR=%s", run);
	if (bus != NULL)
		env[n++] = mm_arena_printf(f->arena, "DBUS_SESSION_BUS_ADDRESS=%s", bus);
	return env;
}

static enum mm_credential say(
    const struct mm_finder *f, const char *program, const char *what, const char **why, enum mm_credential c)
{
	*why = mm_arena_printf(f->arena, "The password command %s %s.", program, what);
	return c;
}

static enum mm_credential judge(const struct mm_finder *f, const char *program,
    const struct mm_run_result *res, struct mm_secret *s, const char **why)
{
	if (res->how == MM_RUN_TIMEOUT)
		return say(f, program,
		    mm_arena_printf(f->arena, "did not end within %d seconds", MM_SECRET_SECONDS), why,
		    MM_CRED_TIMEOUT);
	if (res->how == MM_RUN_OVERFLOW)
		return say(f, program, mm_arena_printf(f->arena, "printed more than %d bytes", MM_SECRET_MAX),
		    why, MM_CRED_BAD);
	if (res->how == MM_RUN_SIGNALED)
		return say(f, program, mm_arena_printf(f->arena, "was ended by signal %d", res->status), why,
		    MM_CRED_UNAVAILABLE);
	if (res->status != 0)
		return say(f, program, mm_arena_printf(f->arena, "ended with exit status %d", res->status),
		    why, MM_CRED_UNAVAILABLE);
	if (memchr(mm_secret_bytes(s), '\0', mm_secret_len(s)) != NULL)
		return say(f, program, "printed a zero byte", why, MM_CRED_BAD);
	mm_secret_first_line(s);
	return mm_secret_len(s) > 0 ? MM_CRED_FOUND
				    : say(f, program, "printed nothing", why, MM_CRED_UNAVAILABLE);
}

static bool there(const struct mm_finder *f, const struct mm_wish *w)
{
	(void)f;
	return w->command != NULL;
}

static enum mm_credential get(
    const struct mm_finder *f, const struct mm_wish *w, struct mm_secret *s, const char **why)
{
	const char *const *argv;
	size_t n;
	struct mm_err err = MM_ERR_NONE;
	struct mm_run_result res = {.how = MM_RUN_EXITED};
	if (w->command == NULL) {
		*why = "The policy names no password command.";
		return MM_CRED_NONE;
	}
	if (mm_argv_parse(w->command, f->arena, &argv, &n, &err) != 0 || n == 0) {
		*why = "The password command cannot be read.";
		return MM_CRED_UNAVAILABLE;
	}
	if (f->conf != NULL && !mm_conf_allows_program(f->conf, argv[0]))
		return say(f, argv[0], "is not among limits.password_programs in agent.conf", why,
		    MM_CRED_FORBIDDEN);
	const struct mm_run run = {
	    .argv = argv, .env = environment(f), .timeout_ms = MM_SECRET_SECONDS * 1000, .new_session = true};
	if (mm_run_secret(&run, s, &res, &err) != 0)
		return say(f, argv[0], "could not be started", why, MM_CRED_UNAVAILABLE);
	return judge(f, argv[0], &res, s, why);
}

const struct mm_secret_source mm_source_command = {"command", there, get};
