/*
 * Credentials for login checks, from a table of sources. Everything is asked
 * as the user, without a question on any screen, and within
 * MM_SECRET_SECONDS for each source.
 *
 *   command         the argument vector of the setting password_command: no
 *                   shell, no terminal, /dev/null as input; the first line of
 *                   its output. For xoauth2 and oauthbearer it prints the token.
 *   secret-service  the desktop's keyring, asked over the session bus.
 *                   Nothing is unlocked and nothing is started.
 *   netrc           ~/.netrc.
 *   systemd         $CREDENTIALS_DIRECTORY/mail.ACCOUNT.SIDE (systemd.exec(5),
 *                   SetCredential=, LoadCredential=), for a service.
 *   prompt          the terminal; only when somebody who sits there asked.
 *
 * The setting `credential` names one; auto (or nothing) is the command where
 * there is one, else the keyring, else netrc. A stored password is not taken
 * for a token. The host's limits (agent.conf, limits.credentials and
 * limits.password_programs) come first.
 *
 * What is no password: a client certificate with its key (setting
 * client_cert), and a Kerberos ticket.
 */
#ifndef MM_AGENT_SECRETS_H
#define MM_AGENT_SECRETS_H

#include "agent/conf.h"
#include "agent/reader.h"
#include "common/secret.h"
#include "schemas/settings.h"

#define MM_SECRET_SECONDS 10

enum mm_credential {
	MM_CRED_FOUND,
	MM_CRED_NONE,        /* nobody said where it is */
	MM_CRED_UNAVAILABLE, /* the source failed, or gave nothing */
	MM_CRED_TIMEOUT,
	MM_CRED_FORBIDDEN,  /* by the host's limits */
	MM_CRED_LOCKED,     /* the keyring is locked */
	MM_CRED_MISSING,    /* the source holds nothing for this server and user */
	MM_CRED_NO_SERVICE, /* no keyring can be asked */
	MM_CRED_UNSAFE,     /* others may read or write it */
	MM_CRED_BAD,        /* what came is no password: too long, a zero byte ... */
	MM_CRED_NO_TICKET,
	MM_CRED_TICKET_KIND, /* tickets are kept where the probe cannot reach them */
	MM_CRED_NO_CERT,
	MM_CRED_COUNT
};

/* The classes under which a login stays untested. */
const char *mm_credential_class(enum mm_credential c);
/* One sentence for the user. */
const char *mm_credential_text(enum mm_credential c);

/* What is looked for. Texts are canonical values of settings, or NULL. */
struct mm_wish {
	const char *account;
	enum mm_side side;
	const char *protocol, *host, *username, *auth;
	int port;
	const char *command, *source; /* password_command, credential */
	const char *client_cert;
};

struct mm_finder {
	struct mm_arena *arena;
	const struct mm_conf *conf; /* NULL: no limits (tests) */
	const struct mm_identity *who;
	bool prompt; /* somebody sits at the terminal and wants to be asked */
};

struct mm_found {
	struct mm_secret *secret; /* set only with MM_CRED_FOUND; the caller frees it */
	const char *admin;        /* otherwise: why, one sentence, without a secret; in the arena */
};

/* A password or token. */
enum mm_credential mm_credential_get(
    const struct mm_finder *f, const struct mm_wish *w, struct mm_found *out);
/* A certificate with its key, the bytes of w->client_cert. */
enum mm_credential mm_client_cert_get(
    const struct mm_finder *f, const struct mm_wish *w, struct mm_found *out);
/* The path of the user's ticket cache, in the arena: KRB5CCNAME in a session,
 * else default_ccache_name of /etc/krb5.conf, else /tmp/krb5cc_UID. */
enum mm_credential mm_ticket_get(const struct mm_finder *f, const char **path, const char **admin);

#endif
