/*
 * Mailbox and server addresses of mutt and neomutt: imap[s]://, pop[s]://,
 * smtp[s]:// (url.c), the old {host:port/ssl}box (imap/util.c), and the bare
 * [user@]host[:port] of pop_host.
 */
#ifndef MM_AGENT_CLIENTS_MUTT_URL_H
#define MM_AGENT_CLIENTS_MUTT_URL_H

#include <stdbool.h>

#include "common/mem.h"

struct mm_mutt_url {
	const char *protocol; /* imap, pop3 or smtp */
	bool tls;             /* implicit */
	const char *user;     /* decoded, or NULL */
	bool has_password;
	const char *host;
	const char *port; /* as it stands, or NULL */
	const char *path; /* behind the slash, as it stands, never NULL */
};

/* False: it is not the address of a server. */
bool mm_mutt_url_parse(const char *s, struct mm_arena *a, struct mm_mutt_url *out);
/* pop_host. */
bool mm_mutt_pop_host_parse(const char *s, struct mm_arena *a, struct mm_mutt_url *out);
/* With the user percent-encoded and the port always written. */
const char *mm_mutt_url_print(const struct mm_mutt_url *u, struct mm_arena *a);
/* The address in "Name <address>", NULL when there is none, and the name, which may be NULL. */
const char *mm_mutt_mailbox(const char *from, struct mm_arena *a, const char **name);

#endif
