/*
 * What was said: reads along the lines of an IMAP, POP3 or SMTP dialog and
 * keeps what a diagnosis needs. Knows nothing of libcurl, of sockets or of
 * TLS; every line from the server is hostile until proven otherwise, and all
 * memory is inside the struct.
 *
 * Of the client's lines only the verb, the tag and the mechanism's name are
 * kept, never an argument: they hold the password.
 *
 * That a login succeeded is said here and nowhere else: `auth_sent` and
 * `auth_reply` == MM_REPLY_OK. libcurl reports success also where it sent
 * nothing (no AUTH offered, PREAUTH, HELO instead of EHLO).
 *
 * Sources: RFC 9051, RFC 3501 (IMAP), RFC 1939, RFC 2449, RFC 5034 (POP3), RFC
 * 5321, RFC 3207, RFC 4954 (SMTP), RFC 2595, RFC 8437.
 */
#ifndef MM_AGENT_PROBE_DIALOG_H
#define MM_AGENT_PROBE_DIALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/probe/endpoint.h"
#include "schemas/ladder.h"

#define MM_DIALOG_LINES 2000 /* from the server, then it is not a mail server that we test */
#define MM_DIALOG_TEXT 512
#define MM_DIALOG_CAPS 1536 /* of the capability list; words beyond it are left out */
#define MM_DIALOG_MECHS 256

enum mm_greeting {
	MM_GREETING_NONE, /* nothing was said yet */
	MM_GREETING_OK,
	MM_GREETING_PREAUTH,    /* IMAP: logged in without being asked */
	MM_GREETING_REFUSED,    /* * BYE, -ERR, 4xx, 5xx */
	MM_GREETING_OTHER_MAIL, /* the greeting of another mail protocol */
	MM_GREETING_STRANGE,    /* HTTP, SSH, anything else */
};

enum mm_reply { MM_REPLY_NONE, MM_REPLY_OK, MM_REPLY_NO };

struct mm_dialog {
	enum mm_mail mail;
	enum mm_greeting greeting;
	enum mm_mail greeting_mail; /* MM_GREETING_OTHER_MAIL: which */
	bool tls;                   /* from here on the words are encrypted */

	/* capabilities, since the last change to TLS */
	unsigned mechs;         /* MM_MECH_BITs of the SASL mechanisms offered */
	bool login_disabled;    /* IMAP LOGINDISABLED */
	bool apop_stamp;        /* POP3: the greeting invites to APOP, RFC 1939 7 */
	bool starttls_offered;  /* before TLS */
	bool starttls_odd_case; /* not in capitals: libcurl before 8.17 does not see it */
	bool starttls_masked;   /* XXXX or ****: something in between removed it */
	bool caps_heard;        /* a capability list came */
	bool plus_in_clear;     /* a mechanism that binds to TLS was offered without it (RFC 5802 6) */
	int64_t size;           /* SMTP SIZE; 0 = no limit, or not said */
	/* printable ASCII, words separated by spaces; an SMTP or POP3 line of
	 * several words is one: "AUTH=PLAIN,LOGIN" */
	char caps[MM_DIALOG_CAPS];
	char mech_names[MM_DIALOG_MECHS]; /* the SASL names, as the server writes them */
	enum mm_tri cleartext_login;      /* is a password taken before TLS? */
	bool disabled_before_tls;         /* LOGINDISABLED, then TLS: libcurl does not forget it */

	bool starttls_sent, starttls_refused;
	bool ehlo_sent, helo_sent;

	bool auth_sent;  /* a line with credentials, or that begins their exchange, went out */
	bool auth_open;  /* ... and its final reply is awaited */
	bool user_open;  /* POP3: USER is open, PASS has yet to follow */
	bool auth_early; /* a reply was there before the line that it is taken for an answer to */
	bool auth_mixed; /* SMTP: the lines of the reply have different codes */
	enum mm_mech used;
	enum mm_reply auth_reply;
	int auth_code;                       /* SMTP: 535 ...; 0 elsewhere */
	bool auth_bad;                       /* IMAP: the reply was BAD, not NO */
	bool token_error;                    /* a challenge that reads {"status":...} came, RFC 7628 3.2.2 */
	char token_text[MM_DIALOG_TEXT / 2]; /* ... in words */
	char tag[16];                        /* IMAP: of the open command */

	char auth_text[2 * MM_DIALOG_TEXT]; /* all lines of the reply to the login */
	char last[MM_DIALOG_TEXT];          /* the server's last line */
	char first[MM_DIALOG_TEXT / 2];     /* the server's first line */
	char alert[MM_DIALOG_TEXT / 2];     /* an [ALERT], to be shown to the user (RFC 9051 7.1) */
	char bye[MM_DIALOG_TEXT / 2];       /* IMAP: the server took its leave (7.1.5); not its greeting */
	uint32_t lines;
	bool inside;     /* IMAP: of a line that holds a literal (RFC 9051 4.3) */
	int64_t literal; /* ... of which so many bytes are still to come */
};

void mm_dialog_init(struct mm_dialog *d, enum mm_mail mail);
/* A line of the server, with or without its CR LF. */
void mm_dialog_in(struct mm_dialog *d, const char *line, size_t n);
/* A line that went to the server. */
void mm_dialog_out(struct mm_dialog *d, const char *line, size_t n);
/* TLS is on: what was offered before does not count any more. */
void mm_dialog_tls(struct mm_dialog *d);
/* Is a password taken before TLS, as far as was heard? */
enum mm_tri mm_dialog_cleartext(const struct mm_dialog *d);
/* What a way to log in is called in this protocol: "PLAIN", "USER and PASS". */
const char *mm_dialog_mech(const struct mm_dialog *d, enum mm_mech m);
/* The only definition of a login that held. */
bool mm_dialog_logged_in(const struct mm_dialog *d);
/* It makes no sense to wait for more: not a server of this kind, or endless. */
bool mm_dialog_hopeless(const struct mm_dialog *d);

#endif
