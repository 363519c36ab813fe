/*
 * Credentials for login checks: what a password command prints.
 *
 * The command runs as the user, as an argument vector without a shell, in a
 * session of its own (no terminal), with /dev/null as input and
 * MM_SECRET_SECONDS to answer; the first line of its output is the secret.
 * Programs that the host's limits do not name are never started.
 */
#ifndef MM_AGENT_SECRETS_H
#define MM_AGENT_SECRETS_H

#include "agent/conf.h"
#include "agent/reader.h"
#include "common/secret.h"

#define MM_SECRET_SECONDS 10

enum mm_credential {
	MM_CRED_FOUND,
	MM_CRED_NONE,        /* nobody said where it is: no password command */
	MM_CRED_UNAVAILABLE, /* the command failed or printed nothing */
	MM_CRED_TIMEOUT,
	MM_CRED_FORBIDDEN, /* not in limits.password_programs */
};

/* The classes under which a login stays untested. */
const char *mm_credential_class(enum mm_credential c);
/* One sentence for the user. */
const char *mm_credential_text(enum mm_credential c);

/* `command` is the canonical text of the setting, or NULL. `conf` NULL: no
 * limits (tests). *out is set only with MM_CRED_FOUND; the caller frees it. */
enum mm_credential mm_credential_get(
    const struct mm_conf *conf, const struct mm_identity *who, const char *command, struct mm_secret **out);

#endif
