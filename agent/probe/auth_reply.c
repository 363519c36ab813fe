/*
 * What servers say when they refuse a login. Response codes: RFC 5530 and RFC
 * 9051 (IMAP), RFC 2449 and RFC 3206 (POP3), RFC 4954 section 6 and RFC 5248
 * (SMTP). The words without a code are those of Gmail, Exchange Online,
 * Dovecot and Courier.
 */
#include <string.h>

#include "agent/probe/diagnose.h"

#define ANY (-1)

struct pattern {
	int code;         /* SMTP reply code, ANY = whatever */
	const char *text; /* anywhere in the reply, in any case; NULL = whatever */
	enum mm_cls cls;
};

/* The first that fits. */
static const struct pattern patterns[] = {
    {ANY, "5.7.139", MM_CLS_AUTH_BASIC_DISABLED},
    {534, "5.7.9", MM_CLS_AUTH_APP_PASSWORD},
    {ANY, "application-specific password", MM_CLS_AUTH_APP_PASSWORD},
    {ANY, "[WEBALERT", MM_CLS_AUTH_WEB_LOGIN},
    {ANY, "web browser", MM_CLS_AUTH_WEB_LOGIN},
    {ANY, "[EXPIRED]", MM_CLS_AUTH_PASSWORD_EXPIRED},
    {432, NULL, MM_CLS_AUTH_PASSWORD_EXPIRED},
    {534, "5.7.12", MM_CLS_AUTH_PASSWORD_EXPIRED},
    {ANY, "[CONTACTADMIN]", MM_CLS_AUTH_ACCOUNT_DISABLED},
    {ANY, "[SYS/PERM]", MM_CLS_AUTH_ACCOUNT_DISABLED},
    {525, NULL, MM_CLS_AUTH_ACCOUNT_DISABLED},
    {ANY, "[AUTHORIZATIONFAILED]", MM_CLS_AUTH_AUTHZ},
    {ANY, "[LIMIT]", MM_CLS_TOO_MANY_CONNECTIONS},
    {ANY, "number of connections", MM_CLS_TOO_MANY_CONNECTIONS},
    {ANY, "too many connections", MM_CLS_TOO_MANY_CONNECTIONS},
    {ANY, "[UNAVAILABLE]", MM_CLS_AUTH_TEMP},
    {ANY, "[INUSE]", MM_CLS_AUTH_TEMP},
    {ANY, "[IN-USE]", MM_CLS_AUTH_TEMP},
    {ANY, "[SYS/TEMP]", MM_CLS_AUTH_TEMP},
    {ANY, "[LOGIN-DELAY]", MM_CLS_AUTH_TEMP},
    {ANY, "[PRIVACYREQUIRED]", MM_CLS_AUTH_NEEDS_TLS},
    {ANY, "Plaintext authentication disallowed", MM_CLS_AUTH_NEEDS_TLS},
    {538, NULL, MM_CLS_AUTH_NEEDS_TLS},
    {530, "STARTTLS", MM_CLS_AUTH_NEEDS_TLS},
    {504, NULL, MM_CLS_AUTH_MECH_NOT_OFFERED},
    {534, NULL, MM_CLS_AUTH_MECH_NOT_OFFERED},
    {ANY, "unsupported authentication mechanism", MM_CLS_AUTH_MECH_NOT_OFFERED},
    {535, NULL, MM_CLS_AUTH_REJECTED},
};

static bool fits(const struct pattern *p, const struct mm_dialog *d)
{
	return (p->code == ANY || p->code == d->auth_code) &&
	       (p->text == NULL || strcasestr(d->auth_text, p->text) != NULL);
}

enum mm_cls mm_auth_reply_class(const struct mm_dialog *d)
{
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		if (fits(&patterns[i], d))
			return patterns[i].cls;
	if (d->token_error)
		return MM_CLS_AUTH_TOKEN_REFUSED;
	if (d->auth_code >= 400 && d->auth_code < 500)
		return MM_CLS_AUTH_TEMP;
	/* 535 is the code for it; other codes, and IMAP's BAD, are not */
	return d->auth_bad || d->auth_code != 0 ? MM_CLS_AUTH_UNCLEAR : MM_CLS_AUTH_REJECTED;
}

enum mm_cls mm_refusal_class(const char *text, enum mm_cls otherwise)
{
	static const struct {
		const char *text;
		enum mm_cls cls;
	} refusals[] = {
	    {"[LIMIT]", MM_CLS_TOO_MANY_CONNECTIONS},
	    {"too many connections", MM_CLS_TOO_MANY_CONNECTIONS},
	    {"number of connections", MM_CLS_TOO_MANY_CONNECTIONS},
	    {"too many concurrent", MM_CLS_TOO_MANY_CONNECTIONS},
	    {"auth process broken", MM_CLS_AUTH_TEMP},
	};
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (strcasestr(text, refusals[i].text) != NULL)
			return refusals[i].cls;
	return otherwise;
}
