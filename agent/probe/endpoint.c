#include "agent/probe/endpoint.h"

#include <string.h>
#include <strings.h>

#include "common/text.h"

static const struct {
	const char *word, *label;
} mails[MM_MAIL_COUNT] = {
    [MM_MAIL_IMAP] = {"imap", "IMAP"},
    [MM_MAIL_POP3] = {"pop3", "POP3"},
    [MM_MAIL_SMTP] = {"smtp", "SMTP"},
};

static const struct {
	const char *word, *label;
} securities[MM_SEC_COUNT] = {
    [MM_SEC_TLS] = {"tls", "TLS"},
    [MM_SEC_STARTTLS] = {"starttls", "STARTTLS"},
    [MM_SEC_NONE] = {"none", "no encryption"},
};

static const char *const mech_names[MM_MECH_COUNT] = {
    [MM_MECH_NONE] = "none",
    [MM_MECH_PLAIN] = "PLAIN",
    [MM_MECH_LOGIN] = "LOGIN",
    [MM_MECH_CRAM_MD5] = "CRAM-MD5",
    [MM_MECH_DIGEST_MD5] = "DIGEST-MD5",
    [MM_MECH_SCRAM_SHA_1] = "SCRAM-SHA-1",
    [MM_MECH_SCRAM_SHA_256] = "SCRAM-SHA-256",
    [MM_MECH_NTLM] = "NTLM",
    [MM_MECH_GSSAPI] = "GSSAPI",
    [MM_MECH_XOAUTH2] = "XOAUTH2",
    [MM_MECH_OAUTHBEARER] = "OAUTHBEARER",
    [MM_MECH_EXTERNAL] = "EXTERNAL",
    [MM_MECH_OTHER] = "another mechanism",
    [MM_MECH_COMMAND] = "the protocol's own login",
    [MM_MECH_APOP] = "APOP",
};

#define PASSWORD_WAYS (MM_MECH_BIT(MM_MECH_PLAIN) | MM_MECH_BIT(MM_MECH_LOGIN) | MM_MECH_BIT(MM_MECH_COMMAND))

/* LOGIN_OPTIONS is always given: libcurl's own choice (GSSAPI, DIGEST-MD5,
 * CRAM-MD5, ... PLAIN) is not what a mail client does. */
static const struct mm_auth auths[] = {
    {"password", PASSWORD_WAYS, "AUTH=PLAIN;AUTH=LOGIN", .own_command = true, .testable = true},
    {"plain", MM_MECH_BIT(MM_MECH_PLAIN), "AUTH=PLAIN", .testable = true},
    {"login", MM_MECH_BIT(MM_MECH_LOGIN), "AUTH=LOGIN", .testable = true},
    {"cram-md5", MM_MECH_BIT(MM_MECH_CRAM_MD5), "AUTH=CRAM-MD5", .testable = true},
    {"scram-sha-256", MM_MECH_BIT(MM_MECH_SCRAM_SHA_256), NULL, .testable = false},
    {"gssapi", MM_MECH_BIT(MM_MECH_GSSAPI), "AUTH=GSSAPI", .ticket = true, .testable = true},
    {"xoauth2", MM_MECH_BIT(MM_MECH_XOAUTH2), "AUTH=XOAUTH2", .token = true, .testable = true},
    {"oauthbearer", MM_MECH_BIT(MM_MECH_OAUTHBEARER), "AUTH=OAUTHBEARER", .token = true, .testable = true},
    {"external", MM_MECH_BIT(MM_MECH_EXTERNAL), "AUTH=EXTERNAL", .certificate = true, .testable = true},
    {"none", 0, NULL, .testable = true},
    {.word = NULL},
};

const char *mm_mail_word(enum mm_mail m)
{
	return mails[m].word;
}

const char *mm_mail_label(enum mm_mail m)
{
	return mails[m].label;
}

const char *mm_security_label(enum mm_security s)
{
	return securities[s].label;
}

const char *mm_mech_name(enum mm_mech m)
{
	return mech_names[m];
}

enum mm_mech mm_mech_by_name(const char *s, size_t n)
{
	for (int m = MM_MECH_PLAIN; m < MM_MECH_OTHER; m++)
		if (strlen(mech_names[m]) == n && strncasecmp(mech_names[m], s, n) == 0)
			return (enum mm_mech)m;
	return MM_MECH_OTHER;
}

static int find_mail(const char *word)
{
	for (int m = 0; m < MM_MAIL_COUNT; m++)
		if (mm_streq(mails[m].word, word))
			return m;
	return -1;
}

static int find_security(const char *word)
{
	for (int s = 0; s < MM_SEC_COUNT; s++)
		if (mm_streq(securities[s].word, word))
			return s;
	return -1;
}

static const struct mm_auth *find_auth(const char *word)
{
	const struct mm_auth *a = auths;
	while (a->word != NULL && !mm_streq(a->word, word))
		a++;
	return a->word != NULL ? a : NULL;
}

static enum mm_cls wrong(struct mm_buf *detail, const char *what)
{
	mm_buf_adds(detail, what);
	return MM_CLS_BAD_SETTINGS;
}

/* Says which byte is to blame, so that a comma typed for a dot is seen. */
static enum mm_cls lint_host(const char *host, struct mm_buf *detail)
{
	if (host == NULL || host[0] == '\0') {
		mm_buf_adds(detail, "the server name is empty");
		return MM_CLS_BAD_HOST_SYNTAX;
	}
	if (mm_is_hostname(host))
		return MM_CLS_NONE;
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	size_t at = strspn(host, allowed);
	if (host[at] == '\0')
		mm_buf_adds(
		    detail, "the parts between the dots are empty, too long, or begin or end with a hyphen");
	else if (host[at] > ' ' && host[at] < 0x7f)
		mm_buf_addf(detail, "'%c' at position %zu", host[at], at + 1);
	else
		mm_buf_addf(detail, "byte 0x%02x at position %zu", (unsigned)(unsigned char)host[at], at + 1);
	return MM_CLS_BAD_HOST_SYNTAX;
}

static const char *lint_texts(const struct mm_probe_task *t)
{
	if (t->username != NULL && mm_has_control(t->username))
		return "the user name contains a control character";
	if (t->ca_file != NULL && (mm_has_control(t->ca_file) || t->ca_file[0] != '/'))
		return "the CA file is not an absolute path";
	if (t->pin != NULL && (mm_has_control(t->pin) || !mm_starts_with(t->pin, "sha256//")))
		return "the pin does not begin with sha256//";
	if (t->sender != NULL && (mm_has_control(t->sender) || strpbrk(t->sender, "<> ") != NULL))
		return "the sender is no mail address";
	if (t->port < 1 || t->port > 65535)
		return "the port is not between 1 and 65535";
	if (t->tls_min != NULL && !mm_streq(t->tls_min, "1.2") && !mm_streq(t->tls_min, "1.3"))
		return "the lowest TLS version is neither 1.2 nor 1.3";
	return NULL;
}

enum mm_cls mm_endpoint_lint(const struct mm_probe_task *t, struct mm_endpoint *out, struct mm_buf *detail)
{
	int mail = find_mail(t->protocol), security = find_security(t->security);
	const struct mm_auth *auth = find_auth(t->auth != NULL ? t->auth : "password");
	if (mail < 0)
		return wrong(detail, "the protocol is none of imap, pop3, smtp");
	if (security < 0)
		return wrong(detail, "the security is none of tls, starttls, none");
	if (auth == NULL)
		return wrong(detail, "the auth word is not known");
	enum mm_cls cls = lint_host(t->host, detail);
	if (cls != MM_CLS_NONE)
		return cls;
	const char *bad = lint_texts(t);
	if (bad != NULL)
		return wrong(detail, bad);
	*out = (struct mm_endpoint){
	    .mail = (enum mm_mail)mail,
	    .security = (enum mm_security)security,
	    .level = t->level,
	    .auth = auth,
	    .host = t->host,
	    .port = t->port,
	    .username = t->username != NULL && t->username[0] != '\0' ? t->username : NULL,
	    .tls_min = mm_streq(t->tls_min, "1.3") ? 13 : 12,
	    .ca_file = t->ca_file,
	    .pin = t->pin,
	    .ehlo = t->ehlo,
	    .has_secret = t->secret >= 0,
	    .has_certificate = t->certificate >= 0,
	    .has_ticket = t->ccache != NULL,
	};
	return MM_CLS_NONE;
}
