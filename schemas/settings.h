/*
 * The settings table: every thing that a policy can want of a mail account.
 *
 * A new setting is one row in settings.c and nothing else: the policy
 * language, resolve, sheets, findings, explain, reports and the JSON Schema
 * take names, types, ranges and words from here. What a client can express
 * is the business of its adapter.
 *
 * Values travel and are compared as canonical text: integers in decimal
 * without leading zeros, words in lower case, host names in lower case, lists
 * (argument vectors) as compact JSON arrays of strings.
 *
 * Sources: RFC 9051 (IMAP), RFC 1939 (POP3), RFC 6409 (submission), RFC 8314
 * (implicit TLS, ports 993, 995, 465), RFC 8997 (TLS floor), RFC 4422 (SASL).
 */
#ifndef MM_SCHEMAS_SETTINGS_H
#define MM_SCHEMAS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/mem.h"

/* The three groups of an account; also the first part of a setting's id. */
enum mm_side { MM_SIDE_ACCOUNT, MM_SIDE_INCOMING, MM_SIDE_OUTGOING, MM_SIDE_COUNT };
const char *mm_side_name(enum mm_side s); /* "account", "incoming", "outgoing" */

enum mm_setting {
	MM_SET_ADDRESS,      /* account.address */
	MM_SET_REAL_NAME,    /* account.real_name */
	MM_SET_REPLY_TO,     /* account.reply_to */
	MM_SET_ORGANISATION, /* account.organisation */
	MM_SET_FOLDER_SENT,  /* account.folder_sent: a mailbox on the account's IMAP server */
	MM_SET_FOLDER_DRAFTS,
	MM_SET_FOLDER_TRASH,
	MM_SET_FOLDER_JUNK,
	MM_SET_IN_PROTOCOL, /* incoming.protocol: imap | pop3 */
	MM_SET_IN_HOST,
	MM_SET_IN_PORT,
	MM_SET_IN_SECURITY, /* tls (implicit) | starttls (required) | none */
	MM_SET_IN_AUTH,     /* see mm_auth_words */
	MM_SET_IN_USERNAME,
	MM_SET_IN_PASSWORD_COMMAND, /* argument vector */
	MM_SET_IN_CREDENTIAL,       /* auto | command | secret-service | netrc | systemd | none */
	MM_SET_IN_CLIENT_CERT,      /* absolute path of a PEM with certificate and key */
	MM_SET_IN_TLS_MIN,          /* 1.2 | 1.3 */
	MM_SET_IN_CA_FILE,          /* absolute path on the workstation */
	MM_SET_IN_PIN,              /* sha256//BASE64 of the public key, as in RFC 7469 */
	MM_SET_IN_LEAVE_ON_SERVER,  /* POP3: yes | no; default yes, always written explicitly */
	MM_SET_OUT_PROTOCOL,        /* outgoing.protocol: smtp */
	MM_SET_OUT_HOST,
	MM_SET_OUT_PORT,
	MM_SET_OUT_SECURITY,
	MM_SET_OUT_AUTH,
	MM_SET_OUT_USERNAME,
	MM_SET_OUT_PASSWORD_COMMAND,
	MM_SET_OUT_CREDENTIAL,
	MM_SET_OUT_CLIENT_CERT,
	MM_SET_OUT_TLS_MIN,
	MM_SET_OUT_CA_FILE,
	MM_SET_OUT_PIN,
	MM_SET_COUNT,
	MM_SET_NONE = MM_SET_COUNT /* "no setting": the account as a whole */
};

enum mm_type {
	MM_TYPE_TEXT,    /* UTF-8 without control characters */
	MM_TYPE_ADDRESS, /* local@domain, RFC 5321 4.1.2 without quoted local parts */
	MM_TYPE_HOST,    /* see mm_is_hostname() */
	MM_TYPE_INT,
	MM_TYPE_WORD, /* one of `words` */
	MM_TYPE_BOOL, /* yes | no; libconfig booleans in policy */
	MM_TYPE_ARGV, /* list of strings, first an absolute path */
	MM_TYPE_PATH, /* absolute, no "..", no control characters */
	MM_TYPE_PIN,
	MM_TYPE_FOLDER, /* IMAP mailbox in UTF-8, levels parted by '/', not the inbox itself */
};

#define MM_SETF_TEMPLATE 0x01u /* may hold %{...} placeholders in policy */
#define MM_SETF_REQUIRED 0x02u /* a resolved account must have it */
#define MM_SETF_NOCASE 0x04u   /* equal without regard to case */
#define MM_SETF_TEST 0x08u     /* for the login check only: no client holds it, no finding is made of it */

struct mm_setting_def {
	const char *id;  /* "incoming.host" */
	const char *key; /* "host": the name inside an endpoint or account block of a policy */
	enum mm_side side;
	enum mm_type type;
	int64_t min, max;         /* MM_TYPE_INT: range; texts: length in bytes */
	const char *const *words; /* MM_TYPE_WORD */
	const char *dflt;         /* canonical built-in value, or NULL */
	unsigned flags;
	const char *label; /* for people: "IMAP/POP3 server" */
	const char *help;  /* one sentence for man page and commented policy */
};

const struct mm_setting_def *mm_setting_def(enum mm_setting s);
/* MM_SET_NONE when the id is not known. */
enum mm_setting mm_setting_by_id(const char *id);
/* The setting of a side by its key in a policy, or MM_SET_NONE. */
enum mm_setting mm_setting_by_key(enum mm_side side, const char *key);
/* incoming.host -> outgoing.host and back; MM_SET_NONE where there is none. */
enum mm_setting mm_setting_on_side(enum mm_setting s, enum mm_side side);

/* Check a value of this setting and give its canonical form (in `a`); the
 * error says what is wrong without place or name. Placeholders are NOT known
 * here: check the expanded text. */
int mm_setting_canon(
    enum mm_setting s, const char *text, struct mm_arena *a, const char **out, struct mm_err *err);
/* Same meaning? Both canonical or as a client wrote them (case of hosts). NULL = absent. */
bool mm_setting_equal(enum mm_setting s, const char *x, const char *y);
/* Is what was found as good as what is desired? Equal, or plain or login where
 * "password" leaves the choice, or a TLS floor that is higher still: nobody
 * lowers it. */
bool mm_setting_satisfies(enum mm_setting s, const char *found, const char *desired);

/* No canonical value is longer, so that a sheet or a finding always fits its frame. */
#define MM_VALUE_MAX 16384 /* bytes */
#define MM_ARGV_MAX 64     /* entries of an argument vector, the program included */
#define MM_ARG_MAX 4096    /* bytes of one entry */
#define MM_PINS_MAX                                                                                          \
	8 /* alternatives in a pin, separated by ';' as libcurl has it (RFC 7469 4.3: backup pins) */

/* Argument vectors <-> canonical text. argv ends with NULL. Parsing checks the
 * limits above, that the first entry is an absolute path without "..", and
 * that nothing holds a control character. mm_argv_text() takes any bytes:
 * what is not printable UTF-8 is replaced, and such a text equals no policy's. */
int mm_argv_parse(
    const char *text, struct mm_arena *a, const char *const **argv, size_t *n, struct mm_err *err);
const char *mm_argv_text(const char *const *argv, struct mm_arena *a);

/* The usual port: imap 993/143, pop3 995/110, smtp 465/587 (RFC 8314 7.3);
 * 0 when the pair makes no sense. */
int mm_default_port(const char *protocol, const char *security);

/* Auth words: password (SASL PLAIN or LOGIN, or the protocol's own login, inside
 * TLS), plain, login, cram-md5, scram-sha-256, gssapi, xoauth2, oauthbearer,
 * external, none. */
extern const char *const mm_auth_words[];
extern const char *const mm_security_words[];

/* One account, resolved or as found: a text per setting, NULL = not set. */
#define MM_NAME_MAX 32
struct mm_values {
	const char *v[MM_SET_COUNT];
};

/* Account names match [a-z0-9_-]{1,32}. */
bool mm_is_account_name(const char *s);
/* Logins, host ids and group names: [A-Za-z0-9_.@-]{1,255}, not beginning with '-' or '.', not "..". */
bool mm_is_login(const char *s);

#endif
