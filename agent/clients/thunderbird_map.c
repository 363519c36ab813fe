#include <string.h>

#include "agent/clients/thunderbird.h"
#include "common/text.h"

const struct mm_tb_map mm_tb_map[] = {
    {MM_SET_ADDRESS, MM_TB_IDENTITY, "useremail", 's'},
    {MM_SET_REAL_NAME, MM_TB_IDENTITY, "fullName", 's'},
    {MM_SET_REPLY_TO, MM_TB_IDENTITY, "reply_to", 's'},
    {MM_SET_ORGANISATION, MM_TB_IDENTITY, "organization", 's'},
    {MM_SET_IN_PROTOCOL, MM_TB_SERVER, "type", 's'},
    {MM_SET_IN_HOST, MM_TB_SERVER, "hostname", 's'},
    {MM_SET_IN_PORT, MM_TB_SERVER, "port", 'i'},
    {MM_SET_IN_SECURITY, MM_TB_SERVER, "socketType", 'i'},
    {MM_SET_IN_AUTH, MM_TB_SERVER, "authMethod", 'i'},
    {MM_SET_IN_USERNAME, MM_TB_SERVER, "userName", 's'},
    {MM_SET_IN_LEAVE_ON_SERVER, MM_TB_SERVER, "leave_on_server", 'b'},
    {MM_SET_OUT_PROTOCOL, MM_TB_SMTP, "type", 's'},
    {MM_SET_OUT_HOST, MM_TB_SMTP, "hostname", 's'},
    {MM_SET_OUT_PORT, MM_TB_SMTP, "port", 'i'},
    {MM_SET_OUT_SECURITY, MM_TB_SMTP, "try_ssl", 'i'},
    {MM_SET_OUT_AUTH, MM_TB_SMTP, "authMethod", 'i'},
    {MM_SET_OUT_USERNAME, MM_TB_SMTP, "username", 's'},
    {MM_SET_NONE, MM_TB_SMTP, "", 0},
};

const char *mm_tb_key(struct mm_arena *a, enum mm_tb_unit unit, const char *key, const char *name)
{
	static const char *const units[] = {
	    [MM_TB_SERVER] = "server", [MM_TB_IDENTITY] = "identity", [MM_TB_SMTP] = "smtpserver"};

	return mm_arena_printf(a, "mail.%s.%s.%s", units[unit], key, name);
}

struct word {
	const char *pref, *word;
};

static const struct word securities[] = {{"0", "none"}, {"2", "starttls"}, {"3", "tls"}, {NULL, NULL}};
static const struct word auths[] = {{"1", "none"}, {"3", "password"}, {"4", "cram-md5"}, {"5", "gssapi"},
    {"7", "external"}, {"10", "xoauth2"}, {NULL, NULL}};
/* Read, never written: what they do depends on what the server offers. */
static const struct word other_auths[] = {{"0", "any (0)"}, {"2", "old (2)"}, {"6", "ntlm"},
    {"8", "any encrypted (8)"}, {"9", "any (9)"}, {NULL, NULL}};
static const struct word floors[] = {{"1", "1.0"}, {"2", "1.1"}, {"3", "1.2"}, {"4", "1.3"}, {NULL, NULL}};
static const struct word bools[] = {{"false", "no"}, {"true", "yes"}, {NULL, NULL}};

static const struct word *words_of(enum mm_setting s)
{
	switch (s) {
	case MM_SET_IN_SECURITY:
	case MM_SET_OUT_SECURITY:
		return securities;
	case MM_SET_IN_AUTH:
	case MM_SET_OUT_AUTH:
		return auths;
	case MM_SET_IN_TLS_MIN:
	case MM_SET_OUT_TLS_MIN:
		return floors;
	case MM_SET_IN_LEAVE_ON_SERVER:
		return bools;
	default:
		return NULL;
	}
}

static const char *word_for(const struct word *w, const char *pref)
{
	for (; w->pref != NULL; w++)
		if (strcmp(w->pref, pref) == 0)
			return w->word;
	return NULL;
}

/* Today's Thunderbird knows 0, 2 and 3; with 1 ("STARTTLS if available" of
 * long ago) and others it speaks plaintext. */
static const char *odd_security(const char *value, struct mm_arena *a, const char **note)
{
	*note = mm_arena_printf(a, "Thunderbird takes the number %s for no encryption at all.%s", value,
	    strcmp(value, "1") == 0 ? " It once meant STARTTLS if available." : "");
	return "none";
}

const char *mm_tb_to_word(enum mm_setting s, const char *value, struct mm_arena *a, const char **note)
{
	const struct word *words = words_of(s);
	const char *word = words != NULL ? word_for(words, value) : value;

	*note = NULL;
	if (word == NULL && words == securities)
		return odd_security(value, a, note);
	if (word == NULL && words == auths)
		word = word_for(other_auths, value);
	if (words == auths && mm_streq(value, "10"))
		*note = "Thunderbird signs in with OAuth2 by itself, in a window of its own, with a provider "
			"that it knows by the server's name.";
	return word != NULL ? word : value;
}

const char *mm_tb_to_pref(enum mm_setting s, const char *word)
{
	const struct word *w = words_of(s);

	if (w == NULL)
		return word;
	for (; w->pref != NULL; w++)
		if (strcmp(w->word, word) == 0)
			return w->pref;
	return NULL;
}

static const char *default_port(const char *type, const char *security)
{
	bool tls = mm_streq(security, "tls");

	if (mm_streq(type, "imap"))
		return tls ? "993" : "143";
	if (mm_streq(type, "pop3"))
		return tls ? "995" : "110";
	return mm_streq(type, "smtp") ? (tls ? "465" : "587") : NULL;
}

const char *mm_tb_default(enum mm_setting s, const char *type, const char *security)
{
	switch (s) {
	case MM_SET_IN_PORT:
	case MM_SET_OUT_PORT:
		return default_port(type, security);
	case MM_SET_IN_SECURITY:
	case MM_SET_OUT_SECURITY:
		return "none";
	case MM_SET_IN_AUTH:
	case MM_SET_OUT_AUTH:
		return "password";
	case MM_SET_IN_TLS_MIN:
	case MM_SET_OUT_TLS_MIN:
		return "1.2";
	case MM_SET_IN_LEAVE_ON_SERVER:
		return mm_streq(type, "pop3") ? "no" : NULL;
	case MM_SET_OUT_PROTOCOL:
		return "smtp";
	default:
		return NULL;
	}
}

/* ---- what it cannot express */

/* OAuth2Providers.sys.mjs of 153: these names and everything below them. */
static const char *const oauth_hosts[] = {"googlemail.com", "gmail.com", "imap.mail.ru", "smtp.mail.ru",
    "imap.yandex.com", "smtp.yandex.com", "yahoo.com", "att.net", "aol.com", "office365.com", "outlook.com",
    "hotmail.com", "imap.fastmail.com", "pop.fastmail.com", "smtp.fastmail.com", "imap.comcast.net",
    "pop.comcast.net", "smtp.comcast.net", "thundermail.com", NULL};

static bool knows_oauth(const char *host)
{
	for (; host != NULL && strchr(host, '.') != NULL; host = strchr(host, '.') + 1)
		for (size_t i = 0; oauth_hosts[i] != NULL; i++)
			if (mm_streq_nocase(host, oauth_hosts[i]))
				return true;
	return false;
}

static const char *no_auth(const char *auth, const char *host, bool incoming)
{
	if (mm_streq(auth, "plain") || mm_streq(auth, "login"))
		return "Thunderbird chooses between PLAIN and LOGIN itself; auth = \"password\" allows both.";
	if (mm_streq(auth, "oauthbearer"))
		return "Thunderbird speaks OAuth2 as XOAUTH2 only.";
	if (mm_streq(auth, "xoauth2") && !knows_oauth(host))
		return "Thunderbird knows no OAuth2 provider for this server; it would never log in.";
	if (mm_streq(auth, "none") && incoming)
		return "Thunderbird cannot read mail without authentication.";
	return mm_tb_to_pref(MM_SET_IN_AUTH, auth) == NULL
		   ? "Thunderbird cannot be told to use this kind of authentication."
		   : NULL;
}

static bool is_ascii(const char *s)
{
	while (*s != '\0' && (unsigned char)*s < 0x80)
		s++;
	return *s == '\0';
}

const char *mm_tb_unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	switch (s) {
	case MM_SET_IN_PASSWORD_COMMAND:
	case MM_SET_OUT_PASSWORD_COMMAND:
	case MM_SET_IN_CA_FILE:
	case MM_SET_OUT_CA_FILE:
		return MM_CLIENT_NOT_ITS_BUSINESS;
	case MM_SET_IN_LEAVE_ON_SERVER:
		return mm_streq(all->v[MM_SET_IN_PROTOCOL], "pop3") ? NULL : MM_CLIENT_NOT_ITS_BUSINESS;
	case MM_SET_FOLDER_TRASH:
		return is_ascii(value) && strchr(value, '&') == NULL
			   ? NULL
			   : "Thunderbird loses a trash whose name is not plain ASCII, and makes one of its "
			     "own.";
	case MM_SET_IN_PIN:
	case MM_SET_OUT_PIN:
		return "Thunderbird cannot pin a server's key.";
	case MM_SET_IN_CLIENT_CERT:
	case MM_SET_OUT_CLIENT_CERT:
		return "Thunderbird takes client certificates from its own store, not from a file.";
	case MM_SET_IN_TLS_MIN:
	case MM_SET_OUT_TLS_MIN:
		return mm_streq(value, "1.3")
			   ? "Thunderbird has one TLS floor for all accounts, and it is left at 1.2."
			   : NULL;
	case MM_SET_IN_HOST:
		return strchr(value, ':') != NULL
			   ? "Thunderbird takes no IPv6 address as the server of incoming mail."
			   : NULL;
	case MM_SET_IN_AUTH:
		return no_auth(value, all->v[MM_SET_IN_HOST], true);
	case MM_SET_OUT_AUTH:
		return no_auth(value, all->v[MM_SET_OUT_HOST], false);
	case MM_SET_OUT_USERNAME:
		return is_ascii(value) ? NULL : "Thunderbird garbles user names for SMTP that are not ASCII.";
	default:
		return NULL;
	}
}
