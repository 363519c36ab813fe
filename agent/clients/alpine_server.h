/*
 * Servers as Alpine writes them: host[:port]/flag/flag=value, in braces before
 * a mailbox, or in a list parted by commas (imap/src/c-client/mail.c,
 * mail_valid_net_parse).
 */
#ifndef MM_AGENT_CLIENTS_ALPINE_SERVER_H
#define MM_AGENT_CLIENTS_ALPINE_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/mem.h"

#define MM_PINE_FLAGS_MAX 32

struct mm_pine_server {
	const char *host;
	const char *port; /* NULL: the usual */
	const char *flags[MM_PINE_FLAGS_MAX];
	size_t n;
	const char *tail; /* behind the brace: the mailbox; or what follows in the list */
};

/* Up to one of the characters of `stop`. */
bool mm_pine_server_parse(const char *s, const char *stop, struct mm_arena *a, struct mm_pine_server *out);
/* The value of a flag, "" for one without, NULL where it is not there. */
const char *mm_pine_flag(const struct mm_pine_server *s, const char *name, struct mm_arena *a);
bool mm_pine_is_pop3(const struct mm_pine_server *s, struct mm_arena *a);
/* tls, starttls, none, or "starttls if offered". */
const char *mm_pine_security(const struct mm_pine_server *s, struct mm_arena *a);
bool mm_pine_is_security_flag(const char *flag);
/* A user name as the value of a flag. */
const char *mm_pine_quoted(const char *user, struct mm_arena *a);

#endif
