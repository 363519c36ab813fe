/*
 * himalaya: what its versions call things. The file says which one it is for:
 *
 *   0.6-0.9     [work] imap-host, imap-ssl, imap-starttls, imap-passwd-cmd (from 0.8 on imap-passwd.cmd)
 *   1.0-beta    [accounts.work] backend = "imap", imap.host, imap.encryption, imap.passwd.cmd
 *   1.0-1.2     [accounts.work] backend.type, backend.host, backend.encryption.type, backend.auth.cmd
 *   2.x         [accounts.work] imap.server = "imaps://host:993", imap.sasl.plain.password.command
 *
 * Sources: config.sample.toml, CHANGELOG.md, MIGRATION.md and src/config.rs of
 * pimalaya/himalaya, email/src/{imap,smtp}/config.rs and process/src/command.rs
 * of pimalaya/core (commands go to `sh -c`). Debian has no package: no real
 * program proved it.
 */
#ifndef MM_AGENT_CLIENTS_HIMALAYA_H
#define MM_AGENT_CLIENTS_HIMALAYA_H

#include "agent/clients/tomlkeys.h"

enum mm_himalaya_version {
	MM_HIMALAYA_NONE, /* it cannot be known */
	MM_HIMALAYA_V0,
	MM_HIMALAYA_BETA,
	MM_HIMALAYA_V1,
	MM_HIMALAYA_V2
};

struct mm_himalaya_side {
	enum mm_side side;
	const char *protocol;   /* "imap": the word for this backend */
	const char *prefix;     /* "backend." */
	const char *backend;    /* the key that says which backend it is, or NULL */
	const char *encryption; /* the key of that, NULL: by hand */
	const char *raw, *keyring;
	const char *auth, *auth_password; /* the key of the kind of login, and its word for a password */
	const struct mm_key *keys;        /* host, port, login, command: n_keys of them */
	size_t n_keys;
};

struct mm_himalaya_words {
	const char *prefix; /* of the accounts' tables: "accounts", or "" */
	const struct mm_key *account;
	size_t n_account;
	struct mm_himalaya_side in, out;
	const char *const (*names)[2]; /* see struct mm_toml_at */
};

/* Not for version 2, which has addresses of servers. */
const struct mm_himalaya_words *mm_himalaya_words(enum mm_himalaya_version v);
enum mm_himalaya_version mm_himalaya_version_of(const struct mm_toml_at *account);

/* Version 2: himalaya_v2.c */
void mm_himalaya_see_v2(struct mm_seen_account *s, const struct mm_toml_at *at, struct mm_view *out);
int mm_himalaya_write_v2(const struct mm_toml_at *at, const struct mm_change *ch,
    const struct mm_seen_account *now, struct mm_edit_list *l, struct mm_err *err);

#define MM_HIMALAYA_RAW "A password stands in the file; himalaya then runs no command."
#define MM_HIMALAYA_KEYRING "The password is in the system's keyring; himalaya then runs no command."

#endif
