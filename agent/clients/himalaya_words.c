#include "agent/clients/himalaya.h"

static const struct mm_word encryption[] = {{"tls", "tls"}, {"start-tls", "starttls"}, {"none", "none"},
    {"true", "tls"}, {"false", "none"}, {NULL, NULL}};

/* Folders that himalaya looks for where it is told nothing. */
#define FOLDERS(sent_, drafts_, trash_)                                                                      \
	{.s = MM_SET_FOLDER_SENT, .key = (sent_), .dflt = "Sent"},                                           \
	    {.s = MM_SET_FOLDER_DRAFTS, .key = (drafts_), .dflt = "Drafts"},                                 \
	{                                                                                                    \
		.s = MM_SET_FOLDER_TRASH, .key = (trash_), .dflt = "Trash"                                   \
	}
#define PERSON                                                                                               \
	{.s = MM_SET_ADDRESS, .key = "email"},                                                               \
	{                                                                                                    \
		.s = MM_SET_REAL_NAME, .key = "display-name"                                                 \
	}
#define SERVER(side_, host_, port_, login_)                                                                  \
	{.s = MM_SET_##side_##_HOST, .key = (host_)},                                                        \
	    {.s = MM_SET_##side_##_PORT, .key = (port_), .kind = 'i'},                                       \
	{                                                                                                    \
		.s = MM_SET_##side_##_USERNAME, .key = (login_)                                              \
	}
#define COMMAND(side_, key_)                                                                                 \
	{                                                                                                    \
		.s = MM_SET_##side_##_PASSWORD_COMMAND, .key = (key_), .shell = true                         \
	}
#define ENCRYPTION(side_, key_)                                                                              \
	{                                                                                                    \
		.s = MM_SET_##side_##_SECURITY, .key = (key_), .words = encryption, .dflt = "tls"            \
	}
#define N(v) (sizeof(v) / sizeof((v)[0]))

/* ---- 0.6 to 0.9 */

static const struct mm_key v0_account[] = {
    PERSON, FOLDERS("folder-aliases.sent", "folder-aliases.drafts", "folder-aliases.trash")};
static const struct mm_key v0_in[] = {
    SERVER(IN, "imap-host", "imap-port", "imap-login"), COMMAND(IN, "imap-passwd.cmd")};
static const struct mm_key v0_out[] = {
    SERVER(OUT, "smtp-host", "smtp-port", "smtp-login"), COMMAND(OUT, "smtp-passwd.cmd")};
static const char *const v0_names[][2] = {{"imap-passwd.cmd", "imap-passwd-cmd"},
    {"smtp-passwd.cmd", "smtp-passwd-cmd"}, {"display-name", "name"}, {NULL, NULL}};

/* ---- the betas of 1.0 */

static const struct mm_key beta_account[] = {
    PERSON, FOLDERS("folder.aliases.sent", "folder.aliases.drafts", "folder.aliases.trash")};
static const struct mm_key beta_in[] = {SERVER(IN, "imap.host", "imap.port", "imap.login"),
    ENCRYPTION(IN, "imap.encryption"), COMMAND(IN, "imap.passwd.cmd")};
static const struct mm_key beta_out[] = {SERVER(OUT, "smtp.host", "smtp.port", "smtp.login"),
    ENCRYPTION(OUT, "smtp.encryption"), COMMAND(OUT, "smtp.passwd.cmd")};
static const char *const beta_names[][2] = {{"imap.passwd.cmd", "imap.password.cmd"},
    {"smtp.passwd.cmd", "smtp.password.cmd"}, {"imap.passwd.raw", "imap.password.raw"},
    {"smtp.passwd.raw", "smtp.password.raw"}, {"folder.aliases.sent", "folder.alias.sent"},
    {"folder.aliases.drafts", "folder.alias.drafts"}, {"folder.aliases.trash", "folder.alias.trash"},
    {NULL, NULL}};

/* ---- 1.0 to 1.2; the last betas had `encryption` as a word */

#define SEND "message.send.backend."
static const struct mm_key v1_account[] = {
    PERSON, FOLDERS("folder.aliases.sent", "folder.aliases.drafts", "folder.aliases.trash")};
static const struct mm_key v1_in[] = {SERVER(IN, "backend.host", "backend.port", "backend.login"),
    ENCRYPTION(IN, "backend.encryption.type"), COMMAND(IN, "backend.auth.cmd")};
static const struct mm_key v1_out[] = {SERVER(OUT, SEND "host", SEND "port", SEND "login"),
    ENCRYPTION(OUT, SEND "encryption.type"), COMMAND(OUT, SEND "auth.cmd")};
static const char *const v1_names[][2] = {{"backend.auth.cmd", "backend.auth.command"},
    {SEND "auth.cmd", SEND "auth.command"}, {"backend.encryption.type", "backend.encryption"},
    {SEND "encryption.type", SEND "encryption"}, {NULL, NULL}};

static const struct mm_himalaya_words words[] = {
    [MM_HIMALAYA_V0] = {.prefix = "",
	.account = v0_account,
	.n_account = N(v0_account),
	.names = v0_names,
	.in = {.side = MM_SIDE_INCOMING,
	    .protocol = "imap",
	    .prefix = "imap-",
	    .backend = "backend",
	    .raw = "imap-passwd.raw",
	    .keyring = "imap-passwd.keyring",
	    .auth = "imap-auth",
	    .auth_password = "passwd",
	    .keys = v0_in,
	    .n_keys = N(v0_in)},
	.out = {.side = MM_SIDE_OUTGOING,
	    .protocol = "smtp",
	    .prefix = "smtp-",
	    .backend = "sender",
	    .raw = "smtp-passwd.raw",
	    .keyring = "smtp-passwd.keyring",
	    .auth = "smtp-auth",
	    .auth_password = "passwd",
	    .keys = v0_out,
	    .n_keys = N(v0_out)}},
    [MM_HIMALAYA_BETA] = {.prefix = "accounts",
	.account = beta_account,
	.n_account = N(beta_account),
	.names = beta_names,
	.in = {.side = MM_SIDE_INCOMING,
	    .protocol = "imap",
	    .prefix = "imap.",
	    .backend = "backend",
	    .encryption = "imap.encryption",
	    .raw = "imap.passwd.raw",
	    .keyring = "imap.passwd.keyring",
	    .keys = beta_in,
	    .n_keys = N(beta_in)},
	.out = {.side = MM_SIDE_OUTGOING,
	    .protocol = "smtp",
	    .prefix = "smtp.",
	    .backend = "message.send.backend",
	    .encryption = "smtp.encryption",
	    .raw = "smtp.passwd.raw",
	    .keyring = "smtp.passwd.keyring",
	    .keys = beta_out,
	    .n_keys = N(beta_out)}},
    [MM_HIMALAYA_V1] = {.prefix = "accounts",
	.account = v1_account,
	.n_account = N(v1_account),
	.names = v1_names,
	.in = {.side = MM_SIDE_INCOMING,
	    .protocol = "imap",
	    .prefix = "backend.",
	    .backend = "backend.type",
	    .encryption = "backend.encryption.type",
	    .raw = "backend.auth.raw",
	    .keyring = "backend.auth.keyring",
	    .auth = "backend.auth.type",
	    .auth_password = "password",
	    .keys = v1_in,
	    .n_keys = N(v1_in)},
	.out = {.side = MM_SIDE_OUTGOING,
	    .protocol = "smtp",
	    .prefix = SEND,
	    .backend = SEND "type",
	    .encryption = SEND "encryption.type",
	    .raw = SEND "auth.raw",
	    .keyring = SEND "auth.keyring",
	    .auth = SEND "auth.type",
	    .auth_password = "password",
	    .keys = v1_out,
	    .n_keys = N(v1_out)}},
};

const struct mm_himalaya_words *mm_himalaya_words(enum mm_himalaya_version v)
{
	return &words[v];
}

enum mm_himalaya_version mm_himalaya_version_of(const struct mm_toml_at *at)
{
	if (mm_toml_find(at, "imap.server") != NULL || mm_toml_find(at, "smtp.server") != NULL)
		return MM_HIMALAYA_V2;
	if (mm_toml_has_table(at, "backend") || mm_toml_has_table(at, "message.send.backend"))
		return MM_HIMALAYA_V1;
	if (mm_toml_find(at, "backend") != NULL || mm_toml_find(at, "imap.host") != NULL ||
	    mm_toml_find(at, "smtp.host") != NULL)
		return MM_HIMALAYA_BETA;
	return MM_HIMALAYA_NONE;
}
