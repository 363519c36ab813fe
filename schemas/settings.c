#include "schemas/settings.h"

#include <assert.h>
#include <string.h>

#include "common/text.h"

static const char *const incoming_words[] = {"imap", "pop3", NULL};
static const char *const outgoing_words[] = {"smtp", NULL};
static const char *const credential_words[] = {
    "auto", "command", "secret-service", "netrc", "systemd", "none", NULL};
static const char *const tls_words[] = {"1.2", "1.3", NULL};
const char *const mm_security_words[] = {"tls", "starttls", "none", NULL};
const char *const mm_auth_words[] = {"password", "plain", "login", "cram-md5", "scram-sha-256", "gssapi",
    "xoauth2", "oauthbearer", "external", "none", NULL};

static const char *const side_names[MM_SIDE_COUNT] = {"account", "incoming", "outgoing"};

#define TEXT_MAX 1024
#define ADDRESS_MAX 254 /* RFC 5321 4.5.3.1.3, without the angle brackets */
#define HOST_MAX 253
#define USERNAME_MAX 320 /* local part, '@', domain at their longest */
#define PATH_LEN_MAX 4095
#define FOLDER_MAX 255 /* of a name in UTF-8: what Dovecot and Cyrus take at their longest */

/* One row per setting; incoming and outgoing share their forms. */
/* clang-format off */
static const struct mm_setting_def defs[MM_SET_COUNT] = {
    [MM_SET_ADDRESS] = {"account.address", "address", MM_SIDE_ACCOUNT, MM_TYPE_ADDRESS, 3, ADDRESS_MAX, NULL, NULL,
	MM_SETF_TEMPLATE | MM_SETF_REQUIRED | MM_SETF_NOCASE, "Mail address",
	"The address that stands in From."},
    [MM_SET_REAL_NAME] = {"account.real_name", "real_name", MM_SIDE_ACCOUNT, MM_TYPE_TEXT, 1, TEXT_MAX, NULL, NULL,
	MM_SETF_TEMPLATE, "Real name",
	"The name that stands beside the address in From."},
    [MM_SET_REPLY_TO] = {"account.reply_to", "reply_to", MM_SIDE_ACCOUNT, MM_TYPE_ADDRESS, 3, ADDRESS_MAX, NULL, NULL,
	MM_SETF_TEMPLATE | MM_SETF_NOCASE, "Reply-To address",
	"Where answers shall go, if not to the address."},
    [MM_SET_ORGANISATION] = {"account.organisation", "organisation", MM_SIDE_ACCOUNT, MM_TYPE_TEXT, 1, TEXT_MAX, NULL, NULL,
	MM_SETF_TEMPLATE, "Organisation",
	"The text of the Organization header."},
    [MM_SET_FOLDER_SENT] = {"account.folder_sent", "folder_sent", MM_SIDE_ACCOUNT, MM_TYPE_FOLDER, 1, FOLDER_MAX, NULL, NULL,
	MM_SETF_TEMPLATE, "Folder for sent mail",
	"The mailbox on the incoming server that keeps copies of what is sent."},
    [MM_SET_FOLDER_DRAFTS] = {"account.folder_drafts", "folder_drafts", MM_SIDE_ACCOUNT, MM_TYPE_FOLDER, 1, FOLDER_MAX, NULL, NULL,
	MM_SETF_TEMPLATE, "Folder for drafts",
	"The mailbox on the incoming server that keeps what is not finished."},
    [MM_SET_FOLDER_TRASH] = {"account.folder_trash", "folder_trash", MM_SIDE_ACCOUNT, MM_TYPE_FOLDER, 1, FOLDER_MAX, NULL, NULL,
	MM_SETF_TEMPLATE, "Folder for deleted mail",
	"The mailbox on the incoming server where deleted mail goes."},
    [MM_SET_FOLDER_JUNK] = {"account.folder_junk", "folder_junk", MM_SIDE_ACCOUNT, MM_TYPE_FOLDER, 1, FOLDER_MAX, NULL, NULL,
	MM_SETF_TEMPLATE, "Folder for junk mail",
	"The mailbox on the incoming server where junk goes."},

    [MM_SET_IN_PROTOCOL] = {"incoming.protocol", "protocol", MM_SIDE_INCOMING, MM_TYPE_WORD, 0, 0, incoming_words, NULL,
	MM_SETF_REQUIRED, "Incoming protocol",
	"How mail is read: imap or pop3."},
    [MM_SET_IN_HOST] = {"incoming.host", "host", MM_SIDE_INCOMING, MM_TYPE_HOST, 1, HOST_MAX, NULL, NULL,
	MM_SETF_TEMPLATE | MM_SETF_REQUIRED | MM_SETF_NOCASE, "Incoming server",
	"The name of the IMAP or POP3 server, without a port."},
    [MM_SET_IN_PORT] = {"incoming.port", "port", MM_SIDE_INCOMING, MM_TYPE_INT, 1, 65535, NULL, NULL,
	MM_SETF_REQUIRED, "Incoming port",
	"The TCP port; when not given, the usual one of protocol and security."},
    [MM_SET_IN_SECURITY] = {"incoming.security", "security", MM_SIDE_INCOMING, MM_TYPE_WORD, 0, 0, mm_security_words, "tls",
	MM_SETF_REQUIRED, "Incoming connection security",
	"tls from the first byte, starttls required, or none (needs rules.allow_cleartext)."},
    [MM_SET_IN_AUTH] = {"incoming.auth", "auth", MM_SIDE_INCOMING, MM_TYPE_WORD, 0, 0, mm_auth_words, "password",
	0, "Incoming authentication",
	"How the user proves to the incoming server who they are."},
    [MM_SET_IN_USERNAME] = {"incoming.username", "username", MM_SIDE_INCOMING, MM_TYPE_TEXT, 1, USERNAME_MAX, NULL, NULL,
	MM_SETF_TEMPLATE, "Incoming user name",
	"The name at the incoming server."},
    [MM_SET_IN_PASSWORD_COMMAND] = {"incoming.password_command", "password_command", MM_SIDE_INCOMING, MM_TYPE_ARGV, 1, MM_ARGV_MAX, NULL, NULL,
	MM_SETF_TEMPLATE, "Incoming password command",
	"Program and arguments that print the password; no shell is used."},
    [MM_SET_IN_CREDENTIAL] = {"incoming.credential", "credential", MM_SIDE_INCOMING, MM_TYPE_WORD, 0, 0, credential_words, NULL,
	MM_SETF_TEST, "Incoming credential source",
	"Where the login check takes the password from; auto is the password command, else Secret Service, else netrc."},
    [MM_SET_IN_CLIENT_CERT] = {"incoming.client_cert", "client_cert", MM_SIDE_INCOMING, MM_TYPE_PATH, 2, PATH_LEN_MAX, NULL, NULL,
	MM_SETF_TEMPLATE, "Incoming client certificate",
	"PEM file on the workstation with the user's certificate and its key."},
    [MM_SET_IN_TLS_MIN] = {"incoming.tls_min", "tls_min", MM_SIDE_INCOMING, MM_TYPE_WORD, 0, 0, tls_words, "1.2",
	0, "Incoming TLS floor",
	"The oldest TLS version that is accepted."},
    [MM_SET_IN_CA_FILE] = {"incoming.ca_file", "ca_file", MM_SIDE_INCOMING, MM_TYPE_PATH, 2, PATH_LEN_MAX, NULL, NULL,
	MM_SETF_TEMPLATE, "Incoming CA file",
	"PEM file on the workstation with the authorities that are trusted."},
    [MM_SET_IN_PIN] = {"incoming.pin", "pin", MM_SIDE_INCOMING, MM_TYPE_PIN, 1, 0, NULL, NULL,
	0, "Incoming key pin",
	"sha256//BASE64 of the server's public key; several are separated by ';'."},
    [MM_SET_IN_LEAVE_ON_SERVER] = {"incoming.leave_on_server", "leave_on_server", MM_SIDE_INCOMING, MM_TYPE_BOOL, 0, 0, NULL, "yes",
	0, "Leave mail on the server",
	"POP3: whether fetched mail stays on the server."},

    [MM_SET_OUT_PROTOCOL] = {"outgoing.protocol", "protocol", MM_SIDE_OUTGOING, MM_TYPE_WORD, 0, 0, outgoing_words, NULL,
	MM_SETF_REQUIRED, "Outgoing protocol",
	"How mail is sent: smtp."},
    [MM_SET_OUT_HOST] = {"outgoing.host", "host", MM_SIDE_OUTGOING, MM_TYPE_HOST, 1, HOST_MAX, NULL, NULL,
	MM_SETF_TEMPLATE | MM_SETF_REQUIRED | MM_SETF_NOCASE, "Outgoing server",
	"The name of the submission server, without a port."},
    [MM_SET_OUT_PORT] = {"outgoing.port", "port", MM_SIDE_OUTGOING, MM_TYPE_INT, 1, 65535, NULL, NULL,
	MM_SETF_REQUIRED, "Outgoing port",
	"The TCP port; when not given, the usual one of the security."},
    [MM_SET_OUT_SECURITY] = {"outgoing.security", "security", MM_SIDE_OUTGOING, MM_TYPE_WORD, 0, 0, mm_security_words, "tls",
	MM_SETF_REQUIRED, "Outgoing connection security",
	"tls from the first byte, starttls required, or none (needs rules.allow_cleartext)."},
    [MM_SET_OUT_AUTH] = {"outgoing.auth", "auth", MM_SIDE_OUTGOING, MM_TYPE_WORD, 0, 0, mm_auth_words, "password",
	0, "Outgoing authentication",
	"How the user proves to the outgoing server who they are."},
    [MM_SET_OUT_USERNAME] = {"outgoing.username", "username", MM_SIDE_OUTGOING, MM_TYPE_TEXT, 1, USERNAME_MAX, NULL, NULL,
	MM_SETF_TEMPLATE, "Outgoing user name",
	"The name at the outgoing server."},
    [MM_SET_OUT_PASSWORD_COMMAND] = {"outgoing.password_command", "password_command", MM_SIDE_OUTGOING, MM_TYPE_ARGV, 1, MM_ARGV_MAX, NULL, NULL,
	MM_SETF_TEMPLATE, "Outgoing password command",
	"Program and arguments that print the password; no shell is used."},
    [MM_SET_OUT_CREDENTIAL] = {"outgoing.credential", "credential", MM_SIDE_OUTGOING, MM_TYPE_WORD, 0, 0, credential_words, NULL,
	MM_SETF_TEST, "Outgoing credential source",
	"Where the login check takes the password from; auto is the password command, else Secret Service, else netrc."},
    [MM_SET_OUT_CLIENT_CERT] = {"outgoing.client_cert", "client_cert", MM_SIDE_OUTGOING, MM_TYPE_PATH, 2, PATH_LEN_MAX, NULL, NULL,
	MM_SETF_TEMPLATE, "Outgoing client certificate",
	"PEM file on the workstation with the user's certificate and its key."},
    [MM_SET_OUT_TLS_MIN] = {"outgoing.tls_min", "tls_min", MM_SIDE_OUTGOING, MM_TYPE_WORD, 0, 0, tls_words, "1.2",
	0, "Outgoing TLS floor",
	"The oldest TLS version that is accepted."},
    [MM_SET_OUT_CA_FILE] = {"outgoing.ca_file", "ca_file", MM_SIDE_OUTGOING, MM_TYPE_PATH, 2, PATH_LEN_MAX, NULL, NULL,
	MM_SETF_TEMPLATE, "Outgoing CA file",
	"PEM file on the workstation with the authorities that are trusted."},
    [MM_SET_OUT_PIN] = {"outgoing.pin", "pin", MM_SIDE_OUTGOING, MM_TYPE_PIN, 1, 0, NULL, NULL,
	0, "Outgoing key pin",
	"sha256//BASE64 of the server's public key; several are separated by ';'."},
};
/* clang-format on */

const char *mm_side_name(enum mm_side s)
{
	assert(s < MM_SIDE_COUNT);
	return side_names[s];
}

const struct mm_setting_def *mm_setting_def(enum mm_setting s)
{
	assert(s < MM_SET_COUNT);
	return &defs[s];
}

enum mm_setting mm_setting_by_id(const char *id)
{
	int s = 0;
	while (s < MM_SET_COUNT && !mm_streq(defs[s].id, id))
		s++;
	return (enum mm_setting)s;
}

enum mm_setting mm_setting_by_key(enum mm_side side, const char *key)
{
	int s = 0;
	while (s < MM_SET_COUNT && (defs[s].side != side || !mm_streq(defs[s].key, key)))
		s++;
	return (enum mm_setting)s;
}

enum mm_setting mm_setting_on_side(enum mm_setting s, enum mm_side side)
{
	return mm_setting_by_key(side, mm_setting_def(s)->key);
}

struct port_row {
	const char *protocol;
	int tls, other;
};

int mm_default_port(const char *protocol, const char *security)
{
	static const struct port_row ports[] = {{"imap", 993, 143}, {"pop3", 995, 110}, {"smtp", 465, 587}};
	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++) {
		if (!mm_streq(ports[i].protocol, protocol))
			continue;
		if (mm_streq(security, "tls"))
			return ports[i].tls;
		return mm_streq(security, "starttls") || mm_streq(security, "none") ? ports[i].other : 0;
	}
	return 0;
}

static bool made_of(const char *s, const char *chars, size_t max)
{
	size_t n = s == NULL ? 0 : strspn(s, chars);
	return n > 0 && n <= max && s[n] == '\0';
}

bool mm_is_account_name(const char *s)
{
	return made_of(s, "abcdefghijklmnopqrstuvwxyz0123456789_-", MM_NAME_MAX);
}

bool mm_is_login(const char *s)
{
	return made_of(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@-", 255) &&
	       s[0] != '-' && s[0] != '.';
}
