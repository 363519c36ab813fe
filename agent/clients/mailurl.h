/*
 * Server addresses as aerc, s-nail and others write them,
 * scheme[+mechanism]://[user[:password]@]host[:port][/...][?...], and mailboxes
 * ("Name <address>", RFC 5322 3.4). User names are percent-encoded.
 */
#ifndef MM_AGENT_CLIENTS_MAILURL_H
#define MM_AGENT_CLIENTS_MAILURL_H

#include "agent/clients/keys.h"

struct mm_mail_url {
	const char *scheme;    /* in lower case, without the mechanism */
	const char *mechanism; /* behind '+', in lower case; "" without one */
	const char *user;      /* decoded, or NULL */
	bool has_password;
	const char *host;
	const char *port; /* as it stands, or NULL */
	const char *rest; /* from '/' or '?' on, as it stands, never NULL */
};

/* False: not the address of a server. */
bool mm_mail_url_parse(const char *s, struct mm_arena *a, struct mm_mail_url *out);
/* The port is left out where it is NULL. A password never is in it. */
const char *mm_mail_url_print(const struct mm_mail_url *u, struct mm_arena *a);

/* One mailbox; *name is NULL where there is none. NULL: no address. */
const char *mm_mailbox_parse(const char *s, struct mm_arena *a, const char **name);
const char *mm_mailbox_print(const char *address, const char *name, struct mm_arena *a);

/* For keys that hold several settings: what `want` says, else what stands there, else the whole account. */
const char *mm_joined(const struct mm_change *ch, const struct mm_seen_account *now, enum mm_setting s);
/* Is one of the settings wanted? Ends with MM_SET_NONE. */
bool mm_wants_any(const struct mm_change *ch, const enum mm_setting *s);

#endif
