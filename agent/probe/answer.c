#include "agent/probe/answer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>
#include <time.h>

#include "agent/probe/maker.h"
#include "agent/probe/redact.h"
#include "common/text.h"

#define SENTENCE_MAX 4096u

static const char *redacted(const struct mm_maker *m, const char *s, const struct mm_secret *secret)
{
	struct mm_buf b = MM_BUF_INIT(8 * MM_REDACT_MAX);
	if (s == NULL || s[0] == '\0')
		return NULL;
	mm_redact(&b, s, strlen(s), secret);
	const char *out = mm_arena_strdup(m->mem, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

const char *mm_maker_clean(const struct mm_maker *m, const char *s)
{
	return redacted(m, s, m->a != NULL ? m->a->secret : NULL);
}

/* The settings' own words stand in every answer, also where somebody's
 * password is a part of them: withholding them would tell just that. */
static const char *printable(const struct mm_maker *m, const char *s)
{
	return redacted(m, s, NULL);
}

static const char *number(const struct mm_maker *m, int64_t n)
{
	return mm_arena_printf(m->mem, "%lld", (long long)n);
}

const char *mm_maker_date(const struct mm_maker *m, int64_t t)
{
	char text[MM_TIME_MAX];
	return mm_arena_strdup(m->mem, mm_time_utc(t, text));
}

/* ---- what was said */

static const char *offered(const struct mm_maker *m, const struct mm_dialog *d)
{
	struct mm_buf b = MM_BUF_INIT(512);
	for (int i = MM_MECH_PLAIN; i < MM_MECH_COUNT; i++)
		if ((d->mechs & MM_MECH_BIT(i)) != 0)
			mm_buf_addf(&b, "%s%s", b.len > 0 ? ", " : "", mm_dialog_mech(d, (enum mm_mech)i));
	const char *out = mm_arena_strdup(m->mem, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

static void place_dialog(struct mm_maker *m, const struct mm_dialog *d)
{
	const struct mm_look_result *plain = &m->a->signals.look[MM_LOOK_PLAIN];
	bool looked = plain->greeting == MM_GREETING_OTHER_MAIL;
	m->places.v[MM_PLACE_OTHER] = mm_mail_label(looked ? plain->greeting_mail : d->greeting_mail);
	m->places.v[MM_PLACE_MECH] = mm_dialog_mech(d, d->used);
	m->places.v[MM_PLACE_OFFERED] = offered(m, d);
}

/* ---- what a lower layer says */

static const char *cert_detail(const struct mm_tls_watch *w)
{
	return w->trouble != MM_CERT_OK ? w->trouble_text : NULL;
}

/* About ticket and certificate. */
static const char *means_detail(const struct mm_maker *m)
{
	const struct mm_signals *s = &m->a->signals;
	if (m->cls == MM_CLS_REFUSED_ELSEWHERE)
		return mm_arena_printf(
		    m->mem, "port %d (%s)", s->ep->refused_on->port, mm_mail_label(s->ep->refused_on->mail));
	if (m->cls == MM_CLS_NO_CLIENT_CERT && s->end != MM_END_OWN_CERT)
		return "none was given";
	if (m->cls == MM_CLS_NO_TICKET && s->gss == NULL)
		return "no ticket cache was named";
	if (m->cls == MM_CLS_NO_TICKET || m->cls == MM_CLS_KRB_FAILED || m->cls == MM_CLS_KRB_NO_ANSWER)
		return s->gss != NULL ? s->gss : s->dialog->auth_text;
	if (m->cls == MM_CLS_AUTH_TOKEN_REFUSED)
		return s->dialog->token_error ? s->dialog->token_text : s->dialog->auth_text;
	return m->cls == MM_CLS_AUTH_CERT_REFUSED && s->dialog->auth_sent ? s->dialog->auth_text : NULL;
}

/* Behind the login, libcurl has no words. */
static const char *after_detail(const struct mm_signals *s)
{
	if (s->trip.state == MM_TRIP_BOUNCED || s->trip.state == MM_TRIP_UNTESTED)
		return s->trip.said;
	if (s->ep->level != MM_LEVEL_ROUNDTRIP || s->trip.state != MM_TRIP_NOT_RUN)
		return NULL;
	if (s->ep->mail != MM_MAIL_SMTP)
		return "this is a server for incoming mail";
	if (!s->sender.run)
		return "the user's address is not known";
	return s->sender.held ? "no incoming server is named for it" : s->sender.said;
}

/* Which name servers this computer asks (resolv.conf(5)); "" = not known. */
static const char *resolvers(struct mm_arena *mem)
{
	struct __res_state r = {.options = 0};
	const char *all = "";
	if (res_ninit(&r) != 0)
		return all;
	for (int i = 0; i < r.nscount && i < MAXNS; i++) {
		char text[INET6_ADDRSTRLEN] = "";
		const struct sockaddr_in6 *v6 = r._u._ext.nsaddrs[i];
		if (r.nsaddr_list[i].sin_family == AF_INET)
			inet_ntop(AF_INET, &r.nsaddr_list[i].sin_addr, text, sizeof(text));
		else if (v6 != NULL)
			inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
		all = mm_arena_printf(mem, "%s%s%s", all, i > 0 ? ", " : "", text);
	}
	res_nclose(&r);
	return all;
}

static const char *name_detail(const struct mm_maker *m)
{
	const struct mm_attempt *a = m->a;
	bool late = a->name.addrs == NULL && a->name.ms >= a->limits->dns_ms;
	if (a->signals.gai != EAI_AGAIN)
		return gai_strerror(a->signals.gai);
	const char *why = late ? "no answer in time" : gai_strerror(EAI_AGAIN), *asked = resolvers(m->mem);
	return asked[0] != '\0' ? mm_arena_printf(m->mem, "%s; asked was %s", why, asked) : why;
}

static const char *detail(const struct mm_maker *m)
{
	const struct mm_signals *s = &m->a->signals;
	if (m->a->local[0] != '\0')
		return m->a->local;
	if (m->cls == MM_CLS_TLS_INTERCEPTED)
		return s->between_cert;
	if (m->cls == MM_CLS_PROTOCOL_ERROR)
		return mm_words_breach(m);
	if (m->a->signals.mailbox == MM_MAILBOX_OK)
		return after_detail(&m->a->signals);
	const char *means = means_detail(m);
	if (means != NULL)
		return means;
	if (s->gai != 0)
		return name_detail(m);
	if (!s->dialled)
		return strerror(s->dial_errno);
	if (m->cls == MM_CLS_TLS_OTHER && s->look[MM_LOOK_TLS12].tls)
		return "the settings demand TLS 1.3, and the server has no more than 1.2";
	if (m->cls == MM_CLS_TLS_OTHER && s->tls->alert_in >= 0)
		return mm_arena_printf(m->mem, "the server says \"%s\"", mm_tls_alert_text(s->tls->alert_in));
	if (m->cls == MM_CLS_LIBRARY_LIMIT)
		return s->dialog->disabled_before_tls ? "LOGINDISABLED before STARTTLS"
						      : "words in small letters";
	const char *cert = s->tls != NULL ? cert_detail(s->tls) : NULL;
	if (cert != NULL || m->a->line.talk == NULL)
		return cert;
	return mm_words_openssl(m, m->a->line.talk->error);
}

/* How long the step took that did not come to its end. */
static int64_t waited(const struct mm_maker *m)
{
	const struct mm_attempt *a = m->a;
	if (!a->signals.dialled)
		return a->tcp_ms;
	if (m->cls == MM_CLS_AUTH_SLOW)
		return a->limits->login_ms;
	if (m->cls == MM_CLS_TRIP_NOT_SEEN)
		return a->signals.trip.waited_ms;
	return a->limits->answer_ms;
}

/* As people write it; for sentences. */
static const char *minute(const struct mm_maker *m, int64_t t)
{
	const char *full = mm_maker_date(m, t);
	return strlen(full) < 16 ? full : mm_arena_printf(m->mem, "%.10s %.5s UTC", full, full + 11);
}

static void place_cert(struct mm_maker *m, const struct mm_tls_watch *w)
{
	const struct mm_cert_facts *bad = w->bad != NULL ? w->bad : &w->cert;
	m->places.v[MM_PLACE_SUBJECT] = mm_maker_clean(m, w->cert.subject);
	m->places.v[MM_PLACE_ISSUER] = mm_maker_clean(m, w->cert.issuer);
	m->places.v[MM_PLACE_SAN] = mm_maker_clean(m, w->cert.san[0] != '\0' ? w->cert.san : w->cert.subject);
	m->places.v[MM_PLACE_BAD_SUBJECT] = mm_maker_clean(m, bad->subject);
	m->places.v[MM_PLACE_CHAIN] =
	    mm_arena_printf(m->mem, "%d certificate%s", w->chain, w->chain == 1 ? "" : "s");
	m->places.v[MM_PLACE_FINGERPRINT] = mm_arena_strdup(m->mem, w->fingerprint);
	m->places.v[MM_PLACE_PIN] = mm_arena_strdup(m->mem, w->pin);
	m->places.v[MM_PLACE_NOT_BEFORE] = minute(m, bad->not_before);
	m->places.v[MM_PLACE_NOT_AFTER] = minute(m, bad->not_after);
}

static void place_task(struct mm_maker *m)
{
	const struct mm_probe_task *t = m->task;
	m->places.v[MM_PLACE_HOST] = printable(m, t->host);
	m->places.v[MM_PLACE_PORT] = number(m, t->port);
	m->places.v[MM_PLACE_WANTED] = t->auth;
	m->places.v[MM_PLACE_SENDER] = printable(m, t->sender != NULL ? t->sender : t->address);
	m->places.v[MM_PLACE_PROTOCOL] = t->protocol;
	m->places.v[MM_PLACE_SECURITY] = t->security;
	if (m->a == NULL)
		return;
	m->places.v[MM_PLACE_PROTOCOL] = mm_mail_label(m->a->ep.mail);
	m->places.v[MM_PLACE_SECURITY] = mm_security_label(m->a->ep.security);
}

static void place_attempt(struct mm_maker *m)
{
	const struct mm_signals *s = &m->a->signals;
	m->places.v[MM_PLACE_DETAIL] = mm_maker_clean(m, detail(m));
	m->places.v[MM_PLACE_MS] = number(m, waited(m));
	m->places.v[MM_PLACE_SERVER] = mm_words_server(m);
	if (s->dialog != NULL)
		place_dialog(m, s->dialog);
	if (s->tls != NULL && s->tls->have_cert)
		place_cert(m, s->tls);
}

const char *mm_maker_sentence(const struct mm_maker *m, const char *tmpl)
{
	struct mm_buf b = MM_BUF_INIT(SENTENCE_MAX);
	const char *out = mm_sentence(tmpl, &m->places, &b) == 0 ? mm_buf_str(&b) : tmpl;
	out = mm_arena_strdup(m->mem, out);
	mm_buf_free(&b);
	return out;
}

/* ---- verdict */

static struct mm_login base(const struct mm_probe_task *t)
{
	return (struct mm_login){
	    .user = "",
	    .account = "",
	    .side = mm_streq(t->protocol, "smtp") ? "outgoing" : "incoming",
	    .protocol = t->protocol,
	    .host = t->host,
	    .security = t->security,
	    .auth = t->auth != NULL ? t->auth : "password",
	    .username = t->username != NULL ? t->username : "",
	    .port = t->port,
	    .level = t->level,
	    .timing = {-1, -1, -1, -1, -1},
	    .when = (int64_t)time(NULL),
	};
}

static void put_verdict(const struct mm_maker *m, struct mm_login *out)
{
	const struct mm_cls_def *def = mm_cls_def(m->cls);
	out->result = mm_cls_result(m->cls);
	out->cls = def->word;
	out->text = mm_maker_sentence(m, def->user);
	out->admin = mm_maker_sentence(m, def->admin);
	out->ladder.fix = mm_advice_make(m);
}

void mm_maker_begin(struct mm_maker *m, const struct mm_probe_task *task, struct mm_arena *mem)
{
	*m = (struct mm_maker){.task = task, .mem = mem};
	place_task(m);
}

enum mm_cls mm_answer_make(
    const struct mm_attempt *a, const struct mm_probe_task *task, struct mm_arena *mem, struct mm_login *out)
{
	struct mm_maker m = {.a = a, .task = task, .mem = mem};
	m.cls = a->local[0] != '\0' ? MM_CLS_LOCAL_TROUBLE : mm_diagnose(&a->signals);
	*out = base(task);
	place_task(&m);
	place_attempt(&m);
	put_verdict(&m, out);
	out->any = mm_level_reached(&a->signals, &out->reached);
	/* of a success only what the server wants the user to see (RFC 9051 7.1) */
	if (out->result != MM_LOGIN_PASSED ||
	    (m.places.v[MM_PLACE_SERVER] != NULL && strstr(m.places.v[MM_PLACE_SERVER], "[ALERT]") != NULL))
		out->server_text = m.places.v[MM_PLACE_SERVER];
	out->timing = mm_facts_timing(a);
	out->tls = mm_facts_tls(&m);
	out->ladder.endpoint = mm_facts_endpoint(&m);
	out->ladder.mailbox = mm_facts_mailbox(&m);
	out->ladder.trip = mm_facts_trip(&m);
	mm_steps_make(&m, out);
	mm_notes_make(&m, out);
	return m.cls;
}

void mm_answer_refuse(const struct mm_probe_task *task, enum mm_cls cls, const char *detail_text,
    struct mm_arena *mem, struct mm_login *out)
{
	struct mm_maker m = {.task = task, .mem = mem, .cls = cls};
	*out = base(task);
	place_task(&m);
	m.places.v[MM_PLACE_DETAIL] = mm_maker_clean(&m, detail_text);
	put_verdict(&m, out);
	mm_steps_refuse(&m, out);
}
