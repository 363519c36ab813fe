#include "agent/probe/diagnose.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "agent/probe/tickets.h"

/* What the way to log in needs: a ticket, a certificate, a password or token. */
static bool has_means(const struct mm_endpoint *ep)
{
	if (ep->auth->ticket)
		return ep->has_ticket;
	return ep->auth->certificate ? ep->has_certificate : ep->has_secret;
}

bool mm_login_possible(const struct mm_endpoint *ep)
{
	return ep->level >= MM_LEVEL_LOGIN && has_means(ep) && ep->username != NULL &&
	       ep->auth->accepts != 0 && ep->auth->testable;
}

static bool accepted(const struct mm_signals *s)
{
	return (s->ep->auth->accepts & MM_MECH_BIT(s->dialog->used)) != 0;
}

/* ---- name and connection */

static enum mm_cls of_name(int gai)
{
	switch (gai) {
	case EAI_NONAME:
		return MM_CLS_DNS_NO_SUCH_NAME;
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		return MM_CLS_DNS_NO_ADDRESS;
	default:
		return MM_CLS_DNS_UNAVAILABLE;
	}
}

static enum mm_cls of_dial(int e)
{
	switch (e) {
	case ECONNREFUSED:
		return MM_CLS_CONN_REFUSED;
	case ETIMEDOUT:
		return MM_CLS_CONN_TIMEOUT;
	case EHOSTUNREACH:
		return MM_CLS_HOST_UNREACHABLE;
	case ENETUNREACH:
	case EADDRNOTAVAIL:
		return MM_CLS_NET_NO_ROUTE;
	default:
		return MM_CLS_CONN_FAILED;
	}
}

/* ---- second look */

static bool is_settled(const struct mm_look_result *r)
{
	return r->tls || r->greeting != MM_GREETING_NONE;
}

static bool handshake_failed(const struct mm_signals *s)
{
	return (s->end == MM_END_TLS || s->end == MM_END_TLS_CLOSED) && !s->tls->have_cert && !s->tls->done;
}

static bool is_quiet(const struct mm_signals *s)
{
	if (!s->silent && s->end != MM_END_TIMEOUT)
		return false;
	return s->dialog->greeting == MM_GREETING_NONE && !s->tls->done && !s->tls->have_cert;
}

static enum mm_look next_version(const struct mm_signals *s)
{
	if (s->ep->tls_min == 13 && !s->look[MM_LOOK_TLS12].run)
		return MM_LOOK_TLS12;
	if (!s->look[MM_LOOK_TLS12].tls && !s->look[MM_LOOK_OLD_TLS].run)
		return MM_LOOK_OLD_TLS;
	return MM_LOOK_NONE;
}

static enum mm_look look_at_quiet(const struct mm_signals *s)
{
	if (s->ep->security != MM_SEC_TLS && !s->look[MM_LOOK_TLS].run)
		return MM_LOOK_TLS;
	if (s->look[MM_LOOK_TLS].tls || s->look[MM_LOOK_PLAIN].run)
		return MM_LOOK_NONE;
	return MM_LOOK_PLAIN;
}

/* Encrypted, and not a word. */
static bool is_mute(const struct mm_signals *s)
{
	return (s->silent || s->end == MM_END_TIMEOUT) && s->tls->done &&
	       s->dialog->greeting == MM_GREETING_NONE;
}

enum mm_look mm_next_look(const struct mm_signals *s)
{
	if (!s->dialled || s->dialog == NULL || s->dialog->auth_sent)
		return MM_LOOK_NONE;
	bool implicit = s->ep->security == MM_SEC_TLS;
	if (is_quiet(s))
		return look_at_quiet(s);
	if (is_mute(s))
		return s->look[MM_LOOK_WEB].run ? MM_LOOK_NONE : MM_LOOK_WEB;
	if (s->end == MM_END_CERT && !s->look[MM_LOOK_CERT].run)
		return MM_LOOK_CERT;
	if (!handshake_failed(s))
		return MM_LOOK_NONE;
	/* an alert proves that TLS is spoken */
	if (implicit && s->tls->alert_in < 0 && !s->look[MM_LOOK_PLAIN].run)
		return MM_LOOK_PLAIN;
	if (is_settled(&s->look[MM_LOOK_PLAIN]))
		return MM_LOOK_NONE;
	return next_version(s);
}

/* What a greeting in clear means. */
static enum mm_cls of_plain_look(const struct mm_signals *s)
{
	switch (s->look[MM_LOOK_PLAIN].greeting) {
	case MM_GREETING_OK:
	case MM_GREETING_PREAUTH:
	case MM_GREETING_REFUSED: /* where the settings say clear, it was only late */
		return s->ep->security == MM_SEC_TLS ? MM_CLS_TLS_TO_PLAIN_PORT : MM_CLS_NONE;
	case MM_GREETING_OTHER_MAIL:
		return MM_CLS_WRONG_PROTOCOL;
	case MM_GREETING_STRANGE:
		return MM_CLS_NOT_MAIL_SERVER;
	case MM_GREETING_NONE:
		break;
	}
	return MM_CLS_NONE;
}

/* ---- encryption */

/* It asked for one, and then it was over. */
static enum mm_cls wants_cert(const struct mm_signals *s)
{
	return mm_login_possible(s->ep) && s->ep->has_certificate ? MM_CLS_AUTH_CERT_REFUSED
								  : MM_CLS_TLS_CLIENT_CERT;
}

static enum mm_cls of_handshake(const struct mm_signals *s)
{
	enum mm_cls plain = of_plain_look(s);
	if (plain != MM_CLS_NONE)
		return plain;
	if (s->look[MM_LOOK_OLD_TLS].tls)
		return MM_CLS_TLS_VERSION_TOO_OLD;
	if (s->look[MM_LOOK_TLS12].tls)
		return MM_CLS_TLS_OTHER;
	if (s->tls->client_cert_asked)
		return wants_cert(s);
	/* Courier closes without a word when an address has too many */
	if (s->end == MM_END_TLS_CLOSED && s->crowded)
		return MM_CLS_TOO_MANY_CONNECTIONS;
	return s->end == MM_END_TLS_CLOSED ? MM_CLS_TLS_CLOSED : MM_CLS_TLS_OTHER;
}

static enum mm_cls of_cert(const struct mm_signals *s)
{
	switch (s->tls->trouble) {
	case MM_CERT_OK: /* the chain held, so it was the name */
		return s->tls->have_cert ? MM_CLS_CERT_NAME_MISMATCH : MM_CLS_CERT_OTHER;
	case MM_CERT_EXPIRED:
		return MM_CLS_CERT_EXPIRED;
	case MM_CERT_NOT_YET_VALID:
		return MM_CLS_CERT_NOT_YET_VALID;
	case MM_CERT_SELF_SIGNED:
		return MM_CLS_CERT_SELF_SIGNED;
	case MM_CERT_UNKNOWN_CA:
		return MM_CLS_CERT_UNKNOWN_CA;
	case MM_CERT_WEAK:
		return MM_CLS_CERT_WEAK;
	case MM_CERT_OTHER:
		break;
	}
	return MM_CLS_CERT_OTHER;
}

static enum mm_cls of_starttls(const struct mm_signals *s)
{
	const struct mm_dialog *d = s->dialog;
	if (d->starttls_masked)
		return MM_CLS_STARTTLS_STRIPPED;
	if (d->starttls_sent)
		return MM_CLS_STARTTLS_REFUSED;
	return d->starttls_odd_case ? MM_CLS_LIBRARY_LIMIT : MM_CLS_STARTTLS_NOT_OFFERED;
}

/* ---- ends without a verdict of the server */

static enum mm_cls of_timeout(const struct mm_signals *s)
{
	const struct mm_dialog *d = s->dialog;
	if (d->auth_open)
		return MM_CLS_AUTH_SLOW;
	if (is_quiet(s)) {
		enum mm_cls plain = of_plain_look(s);
		if (plain != MM_CLS_NONE)
			return plain;
		return s->look[MM_LOOK_TLS].tls ? MM_CLS_PLAIN_TO_TLS_PORT : MM_CLS_NO_GREETING;
	}
	if (s->tls->started && !s->tls->done)
		return MM_CLS_TLS_OTHER;
	if (s->look[MM_LOOK_WEB].greeting == MM_GREETING_STRANGE)
		return MM_CLS_NOT_MAIL_SERVER;
	return d->greeting == MM_GREETING_NONE ? MM_CLS_NO_GREETING : MM_CLS_SERVER_SLOW;
}

static enum mm_cls of_lost(const struct mm_signals *s)
{
	const struct mm_dialog *d = s->dialog;
	if (d->auth_open)
		return mm_refusal_class(d->last, MM_CLS_AUTH_CONN_DROPPED);
	/* in TLS 1.3 the alert arrives after the handshake is done for us */
	if (s->tls->done && d->greeting == MM_GREETING_NONE && s->tls->client_cert_asked)
		return wants_cert(s);
	bool wordless = d->greeting == MM_GREETING_NONE && s->crowded;
	return mm_refusal_class(d->last, wordless ? MM_CLS_TOO_MANY_CONNECTIONS : MM_CLS_CONN_DROPPED);
}

static enum mm_cls of_weird(const struct mm_signals *s)
{
	const struct mm_dialog *d = s->dialog;
	if (d->greeting == MM_GREETING_REFUSED)
		return mm_refusal_class(d->last, MM_CLS_SERVER_REFUSES);
	if (d->starttls_sent && !s->tls->done)
		return MM_CLS_STARTTLS_INJECTION;
	return MM_CLS_PROTOCOL_ERROR;
}

static enum mm_cls of_hopeless(const struct mm_signals *s)
{
	switch (s->dialog->greeting) {
	case MM_GREETING_OTHER_MAIL:
		return MM_CLS_WRONG_PROTOCOL;
	case MM_GREETING_STRANGE:
		return MM_CLS_NOT_MAIL_SERVER;
	case MM_GREETING_NONE:
	case MM_GREETING_OK:
	case MM_GREETING_PREAUTH:
	case MM_GREETING_REFUSED:
		break;
	}
	return MM_CLS_PROTOCOL_ERROR;
}

/* ---- login */

/* The server ended up where no login was tried; why? */
static enum mm_cls of_no_attempt(const struct mm_signals *s)
{
	const struct mm_dialog *d = s->dialog;
	unsigned usable = d->mechs & s->ep->auth->accepts;
	bool command = d->mail == MM_MAIL_IMAP && s->ep->auth->own_command && !d->login_disabled;
	if (!d->tls && usable == 0 && (d->login_disabled || d->starttls_offered))
		return MM_CLS_AUTH_NEEDS_TLS;
	/* offered after all, but libcurl did not take it: names not in capitals, or
	 * a LOGINDISABLED from before STARTTLS that it never forgets */
	if (usable != 0 || command)
		return MM_CLS_LIBRARY_LIMIT;
	if (d->mechs == 0 && d->mail == MM_MAIL_SMTP)
		return MM_CLS_AUTH_NOT_OFFERED;
	return MM_CLS_AUTH_MECH_NOT_OFFERED;
}

/* MIT Kerberos' words (lib/krb5 and lib/gssapi/krb5, 1.20) for a ticket that
 * is not there; everything else is about a ticket that is. */
static enum mm_cls of_gss(const char *text)
{
	static const char *const none[] = {"No Kerberos credentials", "No credentials cache",
	    "No credentials were supplied", "Credentials cache", "Ticket expired", "Credential has expired",
	    "credentials have expired", "Matching credential not found", NULL};
	if (strcasestr(text, MM_TICKET_SILENT) != NULL || strcasestr(text, "Cannot contact any KDC") != NULL)
		return MM_CLS_KRB_NO_ANSWER;
	for (const char *const *w = none; *w != NULL; w++)
		if (strcasestr(text, *w) != NULL)
			return MM_CLS_NO_TICKET;
	return MM_CLS_KRB_FAILED;
}

/* "User name or password" would be a lie where none was used. */
static enum mm_cls of_refusal(const struct mm_auth *auth, enum mm_cls cls)
{
	if (cls != MM_CLS_AUTH_REJECTED)
		return cls;
	if (auth->ticket)
		return MM_CLS_KRB_FAILED;
	if (auth->certificate)
		return MM_CLS_AUTH_CERT_REFUSED;
	return auth->token ? MM_CLS_AUTH_TOKEN_REFUSED : cls;
}

static enum mm_cls of_denied(const struct mm_signals *s)
{
	const struct mm_dialog *d = s->dialog;
	if (s->gss != NULL)
		return of_gss(s->gss);
	if (!d->auth_sent)
		return of_no_attempt(s);
	if (!accepted(s))
		return MM_CLS_MECH_DIFFERS;
	/* libcurl does not wait for the NO behind the error object of a token */
	return d->auth_reply == MM_REPLY_NO || d->token_error
		   ? of_refusal(s->ep->auth, mm_auth_reply_class(d))
		   : MM_CLS_AUTH_UNCLEAR;
}

static enum mm_cls of_trip(const struct mm_signals *s)
{
	switch (s->trip.state) {
	case MM_TRIP_ARRIVED:
		return MM_CLS_NONE;
	case MM_TRIP_BOUNCED:
		return MM_CLS_TRIP_BOUNCED;
	case MM_TRIP_NOT_SEEN:
		return MM_CLS_TRIP_NOT_SEEN;
	case MM_TRIP_REFUSED:
		return s->trip.cls;
	case MM_TRIP_NOT_RUN:
	case MM_TRIP_UNTESTED:
		break;
	}
	return MM_CLS_ROUNDTRIP_NOT_TESTED;
}

static enum mm_cls of_sender(const struct mm_signals *s)
{
	if (s->sender.run && mm_cls_result(s->sender.cls) != MM_LOGIN_PASSED)
		return s->sender.cls;
	return s->ep->level > MM_LEVEL_LOGIN ? of_trip(s) : MM_CLS_NONE;
}

static enum mm_cls of_mailbox(const struct mm_signals *s)
{
	switch (s->mailbox) {
	case MM_MAILBOX_OK:
		return of_sender(s);
	case MM_MAILBOX_NO:
		return MM_CLS_MAILBOX_UNUSABLE;
	case MM_MAILBOX_SILENT:
		return MM_CLS_MAILBOX_NO_ANSWER;
	case MM_MAILBOX_DOUBT:
		return MM_CLS_AUTH_UNPROVEN;
	case MM_MAILBOX_NOT_RUN:
		break;
	}
	return MM_CLS_LOCAL_TROUBLE;
}

static enum mm_cls why_no_login(const struct mm_signals *s)
{
	const struct mm_endpoint *ep = s->ep;
	if (ep->auth->accepts == 0)
		return MM_CLS_NO_LOGIN_WANTED;
	if (!ep->auth->testable)
		return MM_CLS_MECH_NOT_TESTABLE;
	if (ep->username == NULL)
		return MM_CLS_NO_USERNAME;
	if (ep->auth->ticket)
		return s->gss != NULL ? of_gss(s->gss) : MM_CLS_NO_TICKET;
	if (ep->refused_on != NULL)
		return MM_CLS_REFUSED_ELSEWHERE;
	return ep->auth->certificate ? MM_CLS_NO_CLIENT_CERT : MM_CLS_NO_SECRET;
}

/* libcurl is content; that alone proves nothing. */
static enum mm_cls of_ok(const struct mm_signals *s)
{
	const struct mm_endpoint *ep = s->ep;
	if (ep->security != MM_SEC_NONE && !s->tls->done)
		return MM_CLS_LOCAL_TROUBLE;
	if (s->dialog->bye[0] != '\0')
		return mm_refusal_class(
		    s->dialog->bye, s->dialog->auth_sent ? MM_CLS_AUTH_CONN_DROPPED : MM_CLS_SERVER_REFUSES);
	if (ep->level < MM_LEVEL_LOGIN)
		return ep->security == MM_SEC_NONE ? MM_CLS_NO_TLS_WANTED : MM_CLS_NONE;
	if (!mm_login_possible(ep))
		return why_no_login(s);
	if (s->dialog->greeting == MM_GREETING_PREAUTH)
		return MM_CLS_PREAUTH_NOT_A_TEST;
	if (!s->dialog->auth_sent)
		return of_no_attempt(s);
	if (!accepted(s))
		return MM_CLS_MECH_DIFFERS;
	return mm_dialog_logged_in(s->dialog) ? of_mailbox(s) : MM_CLS_PROTOCOL_ERROR;
}

static enum mm_cls of_signals(const struct mm_signals *s)
{
	if (s->gai != 0)
		return of_name(s->gai);
	if (!s->dialled)
		return of_dial(s->dial_errno);
	switch (s->end) {
	case MM_END_NOT_RUN:
		return s->ep->level == MM_LEVEL_REACH ? MM_CLS_NONE : MM_CLS_LOCAL_TROUBLE;
	case MM_END_OK:
		return of_ok(s);
	case MM_END_TIMEOUT:
		return of_timeout(s);
	case MM_END_HOPELESS:
		return of_hopeless(s);
	case MM_END_TLS:
	case MM_END_TLS_CLOSED:
		return of_handshake(s);
	case MM_END_CERT:
		return of_cert(s);
	case MM_END_PIN:
		return MM_CLS_CERT_PIN;
	case MM_END_STARTTLS:
		return of_starttls(s);
	case MM_END_DENIED:
		return of_denied(s);
	case MM_END_LOST:
		return of_lost(s);
	case MM_END_WEIRD:
		return of_weird(s);
	case MM_END_EHLO:
		return s->dialog->starttls_masked ? MM_CLS_STARTTLS_STRIPPED : MM_CLS_EHLO_REJECTED;
	case MM_END_CA:
		return MM_CLS_CA_FILE_UNREADABLE;
	case MM_END_OWN_CERT:
		return MM_CLS_NO_CLIENT_CERT;
	case MM_END_LOCAL:
		break;
	}
	return MM_CLS_LOCAL_TROUBLE;
}

/* What a product that opens TLS may be the cause of. What is wrong with the
 * dates or with the name of its certificate is so with the server's, too. */
static bool may_be_between(enum mm_cls cls)
{
	return cls == MM_CLS_CERT_UNKNOWN_CA || cls == MM_CLS_CERT_WEAK || cls == MM_CLS_CERT_PIN ||
	       cls == MM_CLS_CERT_OTHER || cls == MM_CLS_TLS_OTHER || cls == MM_CLS_TLS_VERSION_TOO_OLD;
}

enum mm_cls mm_diagnose(const struct mm_signals *s)
{
	enum mm_cls cls = of_signals(s);
	return s->between_cert != NULL && may_be_between(cls) ? MM_CLS_TLS_INTERCEPTED : cls;
}

/* In TLS 1.3 the handshake is done for us before the server has looked at our
 * certificate. */
static bool cert_trouble(const struct mm_signals *s)
{
	enum mm_cls cls = mm_diagnose(s);
	return cls == MM_CLS_TLS_CLIENT_CERT || (cls == MM_CLS_AUTH_CERT_REFUSED && !s->dialog->auth_sent);
}

bool mm_level_reached(const struct mm_signals *s, enum mm_level *out)
{
	*out = MM_LEVEL_REACH;
	if (!s->dialled)
		return false;
	if (s->dialog == NULL || s->end == MM_END_CERT || s->end == MM_END_PIN)
		return true;
	bool proven = mm_dialog_logged_in(s->dialog) && s->mailbox != MM_MAILBOX_DOUBT;
	if (s->end == MM_END_OK && proven && accepted(s))
		*out = s->trip.state == MM_TRIP_ARRIVED ? MM_LEVEL_ROUNDTRIP : MM_LEVEL_LOGIN;
	else if (s->tls->done && !cert_trouble(s))
		*out = MM_LEVEL_TLS;
	return true;
}
