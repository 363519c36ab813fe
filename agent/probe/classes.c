#include "agent/probe/classes.h"

#include <assert.h>

static const struct mm_cls_def table[MM_CLS_COUNT] = {
    [MM_CLS_NONE] = {"", "The settings work.", "{protocol} at {host}:{port} works.", MM_SEV_NONE},

    [MM_CLS_BAD_SETTINGS] = {"BAD_SETTINGS", "The mail settings are not usable as they are.",
	"The settings cannot be tested: {detail}. Correct them in the policy.", MM_SEV_WRONG},
    [MM_CLS_BAD_HOST_SYNTAX] = {"BAD_HOST_SYNTAX",
	"The server name contains a character that is not allowed.",
	"The server name is no host name: {detail}. Nothing was sent.", MM_SEV_WRONG},

    [MM_CLS_DNS_NO_SUCH_NAME] = {"DNS_NO_SUCH_NAME", "There is no server called {host}.",
	"The name service says that {host} does not exist. Check its spelling, or the zone.", MM_SEV_WRONG},
    [MM_CLS_DNS_NO_ADDRESS] = {"DNS_NO_ADDRESS", "{host} exists but is not the address of a mail server.",
	"{host} has no A or AAAA record; use a host that has an address.", MM_SEV_WRONG},
    [MM_CLS_DNS_UNAVAILABLE] = {"DNS_UNAVAILABLE",
	"This computer cannot look up names at the moment (no internet, or the name service is down).",
	"Looking up {host} failed for now ({detail}). Check the resolvers of this computer and the zone's "
	"servers.",
	MM_SEV_UNTESTED},

    [MM_CLS_NET_NO_ROUTE] = {"NET_NO_ROUTE", "This computer has no network route to the mail server.",
	"No route to any address of {host}: the interface is down, or there is no default route for its "
	"address family.",
	MM_SEV_UNTESTED},
    [MM_CLS_HOST_UNREACHABLE] = {"HOST_UNREACHABLE", "The mail server cannot be reached from this network.",
	"{host} port {port} is unreachable after {ms} ms: at once means that a firewall rejects it, about 3 "
	"s that the"
	" machine is down.",
	MM_SEV_WRONG},
    [MM_CLS_CONN_REFUSED] = {"CONN_REFUSED", "Nothing answers on port {port} of {host}.",
	"The connection to {host} port {port} was refused: wrong port, service down, or a firewall that "
	"rejects.",
	MM_SEV_WRONG},
    [MM_CLS_CONN_TIMEOUT] = {"CONN_TIMEOUT",
	"No answer from {host} port {port} (often a firewall or antivirus that blocks mail).",
	"No answer to the connection to {host} port {port} within {ms} ms: packets are dropped, or the "
	"machine is"
	" down.",
	MM_SEV_WRONG},
    [MM_CLS_CONN_FAILED] = {"CONN_FAILED", "The connection to {host} failed.",
	"Connecting to {host} port {port} failed: {detail}.", MM_SEV_WRONG},

    [MM_CLS_NO_GREETING] = {"NO_GREETING", "The server accepted the connection but stays silent.",
	"{host} port {port} accepts connections, but neither a greeting nor TLS came: overloaded, another "
	"service, or"
	" a proxy in between.",
	MM_SEV_WRONG},
    [MM_CLS_NOT_MAIL_SERVER] = {"NOT_MAIL_SERVER",
	"What answers at {host} port {port} is not a mail server (a web page, or a network that wants a "
	"login first?).",
	"{host} port {port} does not speak a mail protocol; it says: {server}.", MM_SEV_WRONG},
    [MM_CLS_WRONG_PROTOCOL] = {"WRONG_PROTOCOL", "Port {port} is for {other}, not for {protocol}.",
	"{host} port {port} speaks {other}; the settings say {protocol}. Correct protocol or port.",
	MM_SEV_WRONG},
    [MM_CLS_SERVER_REFUSES] = {"SERVER_REFUSES", "The server does not accept connections now.",
	"{host} port {port} refuses with its greeting: {server}. A 421 is temporary, a 554 often a blocked "
	"address.",
	MM_SEV_TEMPORARY},
    [MM_CLS_TOO_MANY_CONNECTIONS] = {"TOO_MANY_CONNECTIONS",
	"Too many programs are connected to this mailbox; close one and try again.",
	"{host} limits the connections of a user or an address: {server}.", MM_SEV_TEMPORARY},
    [MM_CLS_EHLO_REJECTED] = {"EHLO_REJECTED",
	"The server did not accept how this computer introduces itself.",
	"{host} refused EHLO and HELO: {server}. Look at its rules for client names.", MM_SEV_WRONG},
    [MM_CLS_CONN_DROPPED] = {"CONN_DROPPED", "The server closed the connection before the login.",
	"{host} port {port} closed the connection before the login; its last words: {server}.",
	MM_SEV_TEMPORARY},
    [MM_CLS_SERVER_SLOW] = {"SERVER_SLOW", "The server is too slow to answer.",
	"{host} port {port} greeted and then did not answer within {ms} ms; the login was not begun.",
	MM_SEV_TEMPORARY},
    [MM_CLS_PROTOCOL_ERROR] = {"PROTOCOL_ERROR", "The server answers in a way that is not understood.",
	"{host} port {port} broke the {protocol} protocol ({detail}); its last words: {server}.",
	MM_SEV_WRONG},

    [MM_CLS_TLS_TO_PLAIN_PORT] = {"TLS_TO_PLAIN_PORT",
	"Port {port} needs STARTTLS, not SSL/TLS from the beginning.",
	"{host} port {port} greets in clear; the settings say TLS. Use STARTTLS here, or the TLS port.",
	MM_SEV_WRONG},
    [MM_CLS_PLAIN_TO_TLS_PORT] = {"PLAIN_TO_TLS_PORT", "Port {port} needs SSL/TLS from the beginning.",
	"{host} port {port} speaks TLS at once; the settings say {security}.", MM_SEV_WRONG},
    [MM_CLS_TLS_VERSION_TOO_OLD] = {"TLS_VERSION_TOO_OLD", "The server uses outdated encryption.",
	"{host} port {port} has only TLS 1.0 or 1.1; upgrade the server (RFC 8997).", MM_SEV_WRONG},
    [MM_CLS_TLS_OTHER] = {"TLS_OTHER", "Encryption could not be agreed with the server.",
	"The TLS handshake with {host} port {port} failed: {detail}.", MM_SEV_WRONG},
    [MM_CLS_TLS_CLOSED] = {"TLS_CLOSED",
	"The server closed the connection while encryption was being set up.",
	"{host} port {port} closed the connection in the TLS handshake: TLS is not set up there, or this "
	"address is"
	" limited.",
	MM_SEV_WRONG},
    [MM_CLS_TLS_CLIENT_CERT] = {"TLS_CLIENT_CERT", "The server wants a certificate from this computer.",
	"{host} port {port} asked for a client certificate and closed the connection without one.",
	MM_SEV_WRONG},
    [MM_CLS_STARTTLS_NOT_OFFERED] = {"STARTTLS_NOT_OFFERED",
	"The server does not offer encryption on this port; the password was not sent.",
	"{host} port {port} does not offer STARTTLS. Use the TLS port, or switch it on there.", MM_SEV_WRONG},
    [MM_CLS_STARTTLS_STRIPPED] = {"STARTTLS_STRIPPED",
	"Something between this computer and the server removes the encryption; the password was not sent.",
	"The offer of STARTTLS by {host} port {port} was overwritten on the way (XXXX or ****): mail "
	"inspection, or"
	" an attack.",
	MM_SEV_ALARM},
    [MM_CLS_STARTTLS_REFUSED] = {"STARTTLS_REFUSED",
	"The server cannot encrypt right now; the password was not sent.",
	"{host} port {port} offers STARTTLS and then refuses it: {server}. Look at its certificate and key.",
	MM_SEV_TEMPORARY},
    [MM_CLS_STARTTLS_INJECTION] = {"STARTTLS_INJECTION",
	"The connection seems to be tampered with; nothing was sent.",
	"{host} port {port} sent more before TLS was on than it may (response injection, as in "
	"CVE-2021-22947).",
	MM_SEV_ALARM},

    [MM_CLS_CERT_EXPIRED] = {"CERT_EXPIRED", "The server's certificate expired on {not_after}.",
	"The certificate {bad_subject} of {host} expired on {not_after}. Renew it; if all servers look "
	"expired, set"
	" this computer's clock.",
	MM_SEV_WRONG},
    [MM_CLS_CERT_NOT_YET_VALID] = {"CERT_NOT_YET_VALID",
	"The server's certificate is valid only from {not_before}; is this computer's clock right?",
	"The certificate {bad_subject} of {host} is valid from {not_before}. Check the clock first.",
	MM_SEV_WRONG},
    [MM_CLS_CERT_SELF_SIGNED] = {"CERT_SELF_SIGNED", "The server's identity cannot be checked.",
	"{host} shows the self-signed certificate {subject}. Give it one of a CA that this computer trusts.",
	MM_SEV_WRONG},
    [MM_CLS_CERT_UNKNOWN_CA] = {"CERT_UNKNOWN_CA", "The server's identity cannot be checked.",
	"The certificate of {host} was issued by {issuer}, which leads to no trusted CA ({chain} "
	"certificates sent)."
	" Deploy the CA, or complete the chain.",
	MM_SEV_WRONG},
    [MM_CLS_CERT_NAME_MISMATCH] = {"CERT_NAME_MISMATCH",
	"The server that answers is not certified as {host}.",
	"The certificate is for {san}, not for {host}. Use a name of it, or have it reissued.", MM_SEV_WRONG},
    [MM_CLS_CERT_WEAK] = {"CERT_WEAK", "The server's certificate is too weak.",
	"The certificate of {host} has too small a key or an outdated signature ({detail}).", MM_SEV_WRONG},
    [MM_CLS_CERT_PIN] = {"CERT_PIN", "The server's key is not the expected one.",
	"The public key of {host} differs from the pin: key change, or interception.", MM_SEV_ALARM},
    [MM_CLS_CERT_OTHER] = {"CERT_OTHER", "The server's certificate is not valid.",
	"The certificate of {host} is not accepted: {detail}.", MM_SEV_WRONG},

    [MM_CLS_AUTH_NOT_OFFERED] = {"AUTH_NOT_OFFERED", "This server has no login; wrong server or port?",
	"{host} port {port} offers no login (a server for incoming mail instead of submission?).",
	MM_SEV_WRONG},
    [MM_CLS_AUTH_NEEDS_TLS] = {"AUTH_NEEDS_TLS", "This server accepts passwords only with encryption.",
	"{host} port {port} allows no login without TLS; set the security to tls or starttls.", MM_SEV_WRONG},
    [MM_CLS_AUTH_MECH_NOT_OFFERED] = {"AUTH_MECH_NOT_OFFERED",
	"The chosen way to log in is not available here.",
	"The settings want {wanted}; {host} offers {offered}.", MM_SEV_WRONG},
    [MM_CLS_AUTH_REJECTED] = {"AUTH_REJECTED",
	"User name or password not accepted; check the spelling, Caps Lock, and the full address as user "
	"name.",
	"{host} refused the login by {mech}: {server}. Servers do not tell a wrong name from a wrong "
	"password.",
	MM_SEV_WRONG},
    [MM_CLS_AUTH_ACCOUNT_DISABLED] = {"AUTH_ACCOUNT_DISABLED", "The account is disabled; ask the help desk.",
	"{host} says that the account may not log in: {server}.", MM_SEV_WRONG},
    [MM_CLS_AUTH_PASSWORD_EXPIRED] = {"AUTH_PASSWORD_EXPIRED", "The password has expired; change it.",
	"{host} says that the password has expired: {server}.", MM_SEV_WRONG},
    [MM_CLS_AUTH_APP_PASSWORD] = {"AUTH_APP_PASSWORD", "This account needs an app password here.",
	"{host} accepts only an application-specific password: {server}.", MM_SEV_WRONG},
    [MM_CLS_AUTH_BASIC_DISABLED] = {"AUTH_BASIC_DISABLED",
	"Password login is switched off; this account needs the sign-in in a browser.",
	"{host} has basic authentication disabled: {server}. Set auth to xoauth2.", MM_SEV_WRONG},
    [MM_CLS_AUTH_WEB_LOGIN] = {"AUTH_WEB_LOGIN", "Sign in once with a web browser, then try again.",
	"{host} wants a login on its web page first: {server}.", MM_SEV_WRONG},
    [MM_CLS_AUTH_TOKEN_REFUSED] = {"AUTH_TOKEN_REFUSED", "The sign-in has expired; sign in again.",
	"{host} refused the token: {server}. Look at its expiry, scope, and this computer's clock.",
	MM_SEV_WRONG},
    [MM_CLS_AUTH_AUTHZ] = {"AUTH_AUTHZ", "You may not open this mailbox.",
	"{host} accepted the credential but not for this mailbox: {server}.", MM_SEV_WRONG},
    [MM_CLS_AUTH_TEMP] = {"AUTH_TEMP", "The server has a problem; your settings are not the cause.",
	"{host} cannot check logins now: {server}.", MM_SEV_TEMPORARY},
    [MM_CLS_AUTH_SLOW] = {"AUTH_SLOW", "The server is too slow to answer the login.",
	"{host} did not answer the login within {ms} ms (a penalty after wrong passwords?); do not retry at "
	"once.",
	MM_SEV_TEMPORARY},
    [MM_CLS_AUTH_CONN_DROPPED] = {"AUTH_CONN_DROPPED", "The server closed the connection during the login.",
	"{host} closed the connection instead of answering the login; its last words: {server}.",
	MM_SEV_TEMPORARY},
    [MM_CLS_AUTH_UNCLEAR] = {"AUTH_UNCLEAR", "The server refused the login without a clear reason.",
	"{host} refused the login by {mech}, not in the words for a wrong password: {server}.", MM_SEV_WRONG},
    [MM_CLS_MAILBOX_UNUSABLE] = {"MAILBOX_UNUSABLE", "The login works but the mailbox cannot be opened.",
	"{host} accepted the login and then refused the mailbox: {server}.", MM_SEV_WRONG},
    [MM_CLS_MAILBOX_NO_ANSWER] = {"MAILBOX_NO_ANSWER",
	"The login works but the server gave no answer about the mailbox.",
	"{host} accepted the login and then did not answer or hung up when the mailbox was opened.",
	MM_SEV_TEMPORARY},

    [MM_CLS_PREAUTH_NOT_A_TEST] = {"PREAUTH_NOT_A_TEST",
	"The server wanted no password, so the password is not tested.",
	"{host} port {port} greets with PREAUTH: it logs everybody in, which proves nothing about the "
	"password.",
	MM_SEV_UNTESTED},
    [MM_CLS_NO_SECRET] = {"NO_SECRET",
	"The server answers as it should; the login is not tested, there was no password.",
	"No password was available; all steps before the login held.", MM_SEV_UNTESTED},
    [MM_CLS_BAD_SECRET] = {"BAD_SECRET", "The stored password is not usable, so the login is not tested.",
	"The password that was found {detail}; look at what the password command prints. Nothing was sent.",
	MM_SEV_UNTESTED},
    [MM_CLS_NO_USERNAME] = {"NO_USERNAME", "The login is not tested, there is no user name.",
	"The settings hold no user name; all steps before the login held.", MM_SEV_UNTESTED},
    [MM_CLS_NO_LOGIN_WANTED] = {"NO_LOGIN_WANTED", "These settings use no login, so there is none to test.",
	"The setting auth is none; all steps before a login held.", MM_SEV_UNTESTED},
    [MM_CLS_NO_TLS_WANTED] = {"NO_TLS_WANTED", "These settings use no encryption, so there is none to test.",
	"The setting security is none; the server greets as {protocol}.", MM_SEV_UNTESTED},
    [MM_CLS_MECH_DIFFERS] = {"MECH_DIFFERS", "The login is not tested in the way that the mail program uses.",
	"The settings want {wanted}; with {host} only {mech} could be tried.", MM_SEV_UNTESTED},
    [MM_CLS_MECH_NOT_TESTABLE] = {"MECH_NOT_TESTABLE", "This way to log in cannot be tested from here.",
	"The test program cannot do {wanted}; all steps before the login held.", MM_SEV_UNTESTED},
    [MM_CLS_LIBRARY_LIMIT] = {"LIBRARY_LIMIT", "This server cannot be tested from here.",
	"The mail library of the test program did not understand what {host} offers ({detail}); nothing was "
	"proven.",
	MM_SEV_UNTESTED},
    [MM_CLS_CA_FILE_UNREADABLE] = {"CA_FILE_UNREADABLE",
	"This computer lacks the list of trusted certificates.",
	"The CA file for {host} cannot be read on this computer ({detail}).", MM_SEV_UNTESTED},
    [MM_CLS_ROUNDTRIP_NOT_TESTED] = {"ROUNDTRIP_NOT_TESTED", "The login works; no test message was sent.",
	"The login held; this version sends no test message.", MM_SEV_UNTESTED},
    [MM_CLS_LOCAL_TROUBLE] = {"LOCAL_TROUBLE", "The test could not be made on this computer.",
	"The test itself failed on this computer: {detail}.", MM_SEV_UNTESTED},
};

const struct mm_cls_def *mm_cls_def(enum mm_cls c)
{
	assert(c >= 0 && c < MM_CLS_COUNT);
	return &table[c];
}

enum mm_result mm_cls_result(enum mm_cls c)
{
	switch (mm_cls_def(c)->severity) {
	case MM_SEV_NONE:
		return MM_LOGIN_PASSED;
	case MM_SEV_UNTESTED:
		return MM_LOGIN_UNTESTED;
	case MM_SEV_WRONG:
	case MM_SEV_TEMPORARY:
	case MM_SEV_ALARM:
		break;
	}
	return MM_LOGIN_FAILED;
}
