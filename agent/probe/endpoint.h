/*
 * One thing to be tested, typed: a task (schemas/probe.h) after its words
 * were looked up and its texts were found harmless.
 *
 * libcurl passes CR and LF in a user name on to the server, where they end
 * the command and begin another; therefore nothing with a control character
 * goes any further than here.
 */
#ifndef MM_AGENT_PROBE_ENDPOINT_H
#define MM_AGENT_PROBE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "schemas/probe.h"

#include "agent/probe/classes.h"

enum mm_mail { MM_MAIL_IMAP, MM_MAIL_POP3, MM_MAIL_SMTP, MM_MAIL_COUNT };
const char *mm_mail_word(enum mm_mail m);  /* "imap" */
const char *mm_mail_label(enum mm_mail m); /* "IMAP" */

enum mm_security { MM_SEC_TLS, MM_SEC_STARTTLS, MM_SEC_NONE, MM_SEC_COUNT };
const char *mm_security_label(enum mm_security s); /* "TLS", "STARTTLS", "no encryption" */

/* Ways to log in that are seen on the wire. */
enum mm_mech {
	MM_MECH_NONE,
	MM_MECH_PLAIN,
	MM_MECH_LOGIN,
	MM_MECH_CRAM_MD5,
	MM_MECH_DIGEST_MD5,
	MM_MECH_SCRAM_SHA_1,
	MM_MECH_SCRAM_SHA_256,
	MM_MECH_NTLM,
	MM_MECH_GSSAPI,
	MM_MECH_XOAUTH2,
	MM_MECH_OAUTHBEARER,
	MM_MECH_EXTERNAL,
	MM_MECH_OTHER,
	MM_MECH_COMMAND, /* IMAP LOGIN, POP3 USER and PASS */
	MM_MECH_APOP,
	MM_MECH_COUNT
};
#define MM_MECH_BIT(m) (1u << (m))
const char *mm_mech_name(enum mm_mech m);
/* A SASL name as a server or a client writes it, in any case. */
enum mm_mech mm_mech_by_name(const char *s, size_t n);

/* What a word of the setting `auth` means here. */
struct mm_auth {
	const char *word;
	unsigned accepts;          /* MM_MECH_BITs: a login by another way is no test of this setting */
	const char *login_options; /* for libcurl; NULL: nothing to choose */
	bool own_command;          /* the protocol's own login will do where SASL has none of them */
	bool token;                /* the secret is a token and not a password */
	bool ticket;               /* no secret: a Kerberos ticket */
	bool certificate;          /* no secret: the client certificate of the TLS connection */
	bool testable;             /* libcurl as Debian builds it can do it */
};

struct mm_endpoint {
	enum mm_mail mail;
	enum mm_security security;
	enum mm_level level;
	const struct mm_auth *auth;
	const char *host;
	int port;
	const char *username;      /* NULL = none */
	int tls_min;               /* 12 or 13 */
	const char *ca_file, *pin; /* NULL = none */
	const char *ehlo;          /* NULL = the address of this computer */
	bool has_secret;
	bool has_certificate; /* sent whatever the way to log in is, when the server asks for one */
	bool has_ticket;      /* a ticket cache was named */
	const struct mm_endpoint
	    *refused_on; /* that refused the password in this run, so it is not sent; NULL: none */
};

/* Check a task and translate it; strings are borrowed from it. Returns
 * MM_CLS_NONE, or the class of what is wrong with `detail` saying it. */
enum mm_cls mm_endpoint_lint(const struct mm_probe_task *t, struct mm_endpoint *out, struct mm_buf *detail);

#endif
