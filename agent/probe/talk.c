#include "agent/probe/talk.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/probe/clock.h"
#include "common/mem.h"
#include "common/text.h"

const struct mm_limits mm_limits_default = {
    .dns_ms = 15000,
    .dial_ms = 8000,
    .answer_ms = 20000,
    .login_ms = 30000,
    .talk_ms = 90000,
    .silence_ms = 3000,
    .look_ms = 4000,
    .trip_ms = 120000,
};

/* libcurl's own time-outs must not come before ours: they know less. */
#define CURL_TIMEOUT_MS 300000L
#define OTHER_PROTOCOL_SNIFF_MS 1500
#define WEB_POLL_MS 50

/* Looks carry no credentials, and take every certificate. */
static bool is_look(const struct mm_talk *t)
{
	return t->look != MM_LOOK_NONE;
}

/* ---- callbacks: they only take notes */

static void stamp(int64_t *at, int64_t now)
{
	if (*at == 0)
		*at = now;
}

/* What libcurl shows in the turn in which our line went out had come before
 * it: it answers something else. */
static void on_line_in(struct mm_talk *t, const char *p, size_t n)
{
	while (n > 0) {
		const char *end = memchr(p, '\n', n);
		size_t len = end != NULL ? (size_t)(end - p) + 1 : n;
		if (t->dialog.auth_open && t->said == t->turn)
			t->dialog.auth_early = true;
		mm_dialog_in(&t->dialog, p, len);
		p += len;
		n -= len;
	}
	stamp(&t->greeted, t->last_event);
	if (t->dialog.auth_sent && !t->dialog.auth_open)
		stamp(&t->auth_done, t->last_event);
}

/* "gss_init_sec_context() failed: REASON. ": said nowhere else. */
static void take_gss(struct mm_talk *t, const char *p, size_t n)
{
	static const char sign[] = "() failed: ";
	const char *at = n > 4 && memcmp(p, "gss_", 4) == 0 ? memmem(p, n, sign, strlen(sign)) : NULL;
	if (at == NULL || t->gss[0] != '\0')
		return;
	at += strlen(sign);
	n -= (size_t)(at - p);
	while (n > 0 && (at[n - 1] == '\n' || at[n - 1] == ' ' || at[n - 1] == '.'))
		n--;
	snprintf(t->gss, sizeof(t->gss), "%.*s", (int)n, at);
}

static int on_debug(CURL *easy, curl_infotype type, char *data, size_t n, void *ctx)
{
	struct mm_talk *t = ctx;
	(void)easy;
	if (type == CURLINFO_TEXT)
		take_gss(t, data, n);
	if (type != CURLINFO_HEADER_IN && type != CURLINFO_HEADER_OUT)
		return 0;
	t->last_event = mm_clock_ms();
	if (type == CURLINFO_HEADER_IN) {
		mm_trace_server(t->trace, data, n, t->secret);
		on_line_in(t, data, n);
		return 0;
	}
	enum mm_veil veil = t->dialog.auth_open ? MM_VEIL_INSIDE : MM_VEIL_BEGINS;
	t->said = t->turn;
	mm_dialog_out(&t->dialog, data, n);
	mm_trace_client(t->trace, data, n, t->dialog.auth_open ? veil : MM_VEIL_OPEN, t->secret);
	if (t->dialog.auth_open)
		stamp(&t->auth_began, t->last_event);
	return 0;
}

static void on_tls(void *ctx)
{
	struct mm_talk *t = ctx;
	t->last_event = mm_clock_ms();
	stamp(&t->tls_began, t->last_event);
	if (!t->tls.done)
		return;
	stamp(&t->tls_done, t->last_event);
	mm_trace_note(t->trace, "%s, %s%s", t->tls.version, t->tls.cipher,
	    t->tls.resumed ? ", resumed: no certificate is shown again" : "");
	mm_dialog_tls(&t->dialog);
}

static CURLcode on_ssl_ctx(CURL *easy, void *ssl_ctx, void *ctx)
{
	struct mm_talk *t = ctx;
	(void)easy;
	mm_tls_watch_attach(&t->tls, ssl_ctx);
	return CURLE_OK;
}

static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *addr)
{
	struct mm_talk *t = ctx;
	int fd = t->fd;
	(void)addr;
	if (purpose != CURLSOCKTYPE_IPCXN || fd < 0)
		return CURL_SOCKET_BAD;
	t->fd = -1;
	return fd;
}

static int on_sockopt(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	(void)ctx;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

/* ---- setting up */

static enum mm_security security_of(const struct mm_talk_plan *p)
{
	if (p->look == MM_LOOK_PLAIN)
		return MM_SEC_NONE;
	return p->look == MM_LOOK_TLS || p->look == MM_LOOK_WEB ? MM_SEC_TLS : p->ep->security;
}

/* The EHLO name is our address as a literal (RFC 5321 4.1.3), as graphical
 * mail programs send it: a bare host name is refused by many servers. */
static void add_ehlo_name(struct mm_buf *url, int fd)
{
	struct sockaddr_storage sa = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(sa);
	char text[INET6_ADDRSTRLEN] = "";
	getsockname(fd, (struct sockaddr *)&sa, &len);
	if (sa.ss_family == AF_INET6) {
		struct sockaddr_in6 v6;
		memcpy(&v6, &sa, sizeof(v6));
		inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
	} else {
		struct sockaddr_in v4;
		memcpy(&v4, &sa, sizeof(v4));
		inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
	}
	mm_buf_addf(url, "%%5B%s%s%%5D", sa.ss_family == AF_INET6 ? "IPv6:" : "", text);
}

static const char *scheme_of(const struct mm_talk_plan *p)
{
	/* libcurl then waits for no greeting */
	return p->look == MM_LOOK_WEB ? "http" : mm_mail_word(p->ep->mail);
}

static CURLcode set_url(struct mm_talk *t, const struct mm_talk_plan *p, enum mm_security sec)
{
	const struct mm_endpoint *ep = p->ep;
	bool literal = strchr(ep->host, ':') != NULL;
	struct mm_buf url = MM_BUF_INIT(1024);
	mm_buf_addf(&url, "%s%s://%s%s%s:%d/", scheme_of(p), sec == MM_SEC_TLS ? "s" : "", literal ? "[" : "",
	    ep->host, literal ? "]" : "", ep->port);
	if (ep->mail == MM_MAIL_SMTP && ep->ehlo != NULL)
		mm_buf_adds(&url, ep->ehlo);
	else if (ep->mail == MM_MAIL_SMTP)
		add_ehlo_name(&url, t->fd);
	CURLcode rc = curl_easy_setopt(t->easy, CURLOPT_URL, mm_buf_str(&url));
	mm_buf_free(&url);
	return rc;
}

#define SET(option, value)                                                                                   \
	do {                                                                                                 \
		CURLcode rc_ = curl_easy_setopt(t->easy, (option), (value));                                 \
		if (rc_ != CURLE_OK)                                                                         \
			return rc_;                                                                          \
	} while (0)

/* libcurl must not look names up: it is told an address, and then given a
 * socket that is connected already. */
static CURLcode set_connection(struct mm_talk *t, const struct mm_talk_plan *p, struct curl_slist **names)
{
	struct mm_buf entry = MM_BUF_INIT(512);
	mm_buf_addf(&entry, "%s:%d:127.0.0.1", p->ep->host, p->ep->port);
	*names = curl_slist_append(NULL, mm_buf_str(&entry));
	mm_buf_free(&entry);
	if (strchr(p->ep->host, ':') == NULL)
		SET(CURLOPT_RESOLVE, *names);
	SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
	SET(CURLOPT_OPENSOCKETDATA, t);
	SET(CURLOPT_SOCKOPTFUNCTION, on_sockopt);
	SET(CURLOPT_CONNECT_ONLY, 1L);
	SET(CURLOPT_FRESH_CONNECT, 1L);
	SET(CURLOPT_PROTOCOLS_STR,
	    is_look(t) ? "imap,imaps,pop3,pop3s,smtp,smtps,https" : "imap,imaps,pop3,pop3s,smtp,smtps");
	SET(CURLOPT_SSL_ENABLE_ALPN, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOSIGNAL, 1L);
	/* per connection; lines of half as much are read whole (16 KiB would do no more) */
	SET(CURLOPT_BUFFERSIZE, 8192L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, CURL_TIMEOUT_MS);
	SET(CURLOPT_SERVER_RESPONSE_TIMEOUT, CURL_TIMEOUT_MS / 1000);
	SET(CURLOPT_VERBOSE, 1L);
	SET(CURLOPT_DEBUGFUNCTION, on_debug);
	SET(CURLOPT_DEBUGDATA, t);
	SET(CURLOPT_ERRORBUFFER, t->error);
	SET(CURLOPT_PRIVATE, t);
	return CURLE_OK;
}

/* Versions of TLS that are taken; for a look perhaps others than the policy
 * allows, which then needs OpenSSL's lowest level of security (TLS 1.0 and
 * 1.1 sign over SHA-1). 0 = as the policy says. */
static const struct {
	long versions;
	bool lax;
} look_tls[MM_LOOK_COUNT] = {
    [MM_LOOK_TLS12] = {CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2, false},
    [MM_LOOK_OLD_TLS] = {CURL_SSLVERSION_TLSv1_0 | CURL_SSLVERSION_MAX_TLSv1_1, true},
    [MM_LOOK_ONLY_10] = {CURL_SSLVERSION_TLSv1_0 | CURL_SSLVERSION_MAX_TLSv1_0, true},
    [MM_LOOK_ONLY_11] = {CURL_SSLVERSION_TLSv1_1 | CURL_SSLVERSION_MAX_TLSv1_1, true},
    [MM_LOOK_ONLY_12] = {CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2, true},
    [MM_LOOK_ONLY_13] = {CURL_SSLVERSION_TLSv1_3 | CURL_SSLVERSION_MAX_TLSv1_3, true},
};

static long tls_versions(const struct mm_talk_plan *p)
{
	if (look_tls[p->look].versions != 0)
		return look_tls[p->look].versions;
	return p->ep->tls_min == 13 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2;
}

/* Does a look want to know what OpenSSL thinks of the certificate? */
static bool judges(enum mm_look look)
{
	return look == MM_LOOK_CERT || look == MM_LOOK_ONLY_12 || look == MM_LOOK_ONLY_13;
}

/* CAPATH NULL: otherwise Debian's folder is trusted beside the CA file, and
 * the cache of the parsed CA file is off, at 28 ms per login. */
static CURLcode set_tls(struct mm_talk *t, const struct mm_talk_plan *p, enum mm_security sec)
{
	SET(CURLOPT_USE_SSL, sec == MM_SEC_NONE ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
	SET(CURLOPT_SSLVERSION, tls_versions(p));
	if (look_tls[p->look].lax)
		SET(CURLOPT_SSL_CIPHER_LIST, "DEFAULT@SECLEVEL=0");
	SET(CURLOPT_CAPATH, NULL);
	if (p->ep->ca_file != NULL)
		SET(CURLOPT_CAINFO, p->ep->ca_file);
	/* what a look sees of the certificate ends it; the handshake is done then */
	SET(CURLOPT_SSL_VERIFYPEER, !is_look(t) || judges(p->look) ? 1L : 0L);
	SET(CURLOPT_SSL_VERIFYHOST, is_look(t) ? 0L : 2L);
	if (p->ep->pin != NULL && !is_look(t))
		SET(CURLOPT_PINNEDPUBLICKEY, p->ep->pin);
	/* a resumed session skips the certificate, which is what a look is about */
	assert(p->sessions == NULL || (!is_look(t) && p->certificate == NULL));
	SET(CURLOPT_SSL_SESSIONID_CACHE, p->sessions != NULL ? 1L : 0L);
	SET(CURLOPT_SHARE, p->sessions);
	SET(CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	SET(CURLOPT_SSL_CTX_DATA, t);
	return CURLE_OK;
}

/* From memory, never through a file. The same text holds certificate, chain
 * and key. An encrypted key must not make OpenSSL ask on a terminal. */
static CURLcode set_certificate(struct mm_talk *t, const struct mm_secret *pem)
{
	/* libcurl copies it; the structure is not const, its content is left alone */
	struct curl_blob blob = {.len = mm_secret_len(pem), .flags = CURL_BLOB_COPY};
	const char *bytes = mm_secret_bytes(pem);
	memcpy(&blob.data, &bytes, sizeof(blob.data));
	SET(CURLOPT_SSLCERTTYPE, "PEM");
	SET(CURLOPT_SSLKEYTYPE, "PEM");
	SET(CURLOPT_SSLCERT_BLOB, &blob);
	SET(CURLOPT_SSLKEY_BLOB, &blob);
	SET(CURLOPT_KEYPASSWD, "");
	return CURLE_OK;
}

/* A Kerberos login is made by whoever the ticket is for: the user name has to
 * be said as the one to act for, or anybody's ticket would pass. libcurl takes
 * GSSAPI only with a name that has a realm, and uses nothing of it. */
static CURLcode set_ticket_user(struct mm_talk *t, const char *user)
{
	struct mm_buf name = MM_BUF_INIT(1024);
	mm_buf_addf(&name, "%s@ticket", user);
	CURLcode rc = curl_easy_setopt(t->easy, CURLOPT_USERNAME, mm_buf_str(&name));
	mm_buf_free(&name);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(t->easy, CURLOPT_SASL_AUTHZID, user);
	return rc;
}

static CURLcode set_user(struct mm_talk *t, const struct mm_talk_plan *p)
{
	if (p->ep->auth->ticket)
		return set_ticket_user(t, p->ep->username);
	return curl_easy_setopt(t->easy, CURLOPT_USERNAME, p->ep->username);
}

static CURLcode set_login(struct mm_talk *t, const struct mm_talk_plan *p)
{
	CURLcode rc = set_user(t, p);
	if (rc != CURLE_OK)
		return rc;
	/* Forced only where the RFC allows it without an offer (RFC 4954 4). A
	 * ticket is too long for a command line of SMTP; libcurl then makes the
	 * message anew, with a Kerberos context that is used up. */
	SET(CURLOPT_SASL_IR, p->ep->mail == MM_MAIL_SMTP && !p->ep->auth->ticket ? 1L : 0L);
	if (p->login_options != NULL)
		SET(CURLOPT_LOGIN_OPTIONS, p->login_options);
	/* with a password libcurl would not take EXTERNAL */
	if (p->ep->auth->token)
		SET(CURLOPT_XOAUTH2_BEARER, mm_secret_bytes(p->secret));
	else if (!p->ep->auth->ticket && !p->ep->auth->certificate)
		SET(CURLOPT_PASSWORD, mm_secret_bytes(p->secret));
	return CURLE_OK;
}

static CURLcode set_all(struct mm_talk *t, const struct mm_talk_plan *p, struct curl_slist **names)
{
	enum mm_security sec = security_of(p);
	CURLcode rc = set_url(t, p, sec);
	if (rc == CURLE_OK)
		rc = set_connection(t, p, names);
	if (rc == CURLE_OK)
		rc = set_tls(t, p, sec);
	if (rc == CURLE_OK && p->login && p->certificate != NULL && p->look == MM_LOOK_NONE)
		rc = set_certificate(t, p->certificate);
	if (rc == CURLE_OK && p->login && p->look == MM_LOOK_NONE)
		rc = set_login(t, p);
	return rc;
}

struct mm_talk *mm_talk_begin(CURLM *multi, const struct mm_talk_plan *plan, int fd, struct mm_err *err)
{
	struct mm_talk *t = mm_xcalloc(1, sizeof(*t));
	t->multi = multi;
	t->limits = plan->limits;
	t->fd = t->sock = fd;
	t->look = plan->look;
	t->trace = plan->trace;
	t->secret = plan->secret;
	t->began = t->last_event = mm_clock_ms();
	mm_dialog_init(&t->dialog, plan->ep->mail);
	mm_tls_watch_init(&t->tls);
	t->tls.event = on_tls;
	t->tls.ctx = t;
	t->tls.tolerant = is_look(t);
	t->tls.ask_ocsp = plan->look == MM_LOOK_ONLY_12 || plan->look == MM_LOOK_ONLY_13;
	t->tls.host = plan->ep->host;
	t->easy = curl_easy_init();
	if (t->easy == NULL)
		mm_oom();
	CURLcode rc = set_all(t, plan, &t->names);
	if (rc == CURLE_OK && curl_multi_add_handle(multi, t->easy) == CURLM_OK)
		return t;
	mm_err_set(err, MM_EX_FAILED, "libcurl: %s", curl_easy_strerror(rc));
	mm_talk_end(t);
	return NULL;
}

/* ---- going on */

static bool hung_up(const char *error)
{
	static const char *const words[] = {"SSL_connect: SSL_ERROR_SYSCALL", "SSL_ERROR_ZERO_RETURN",
	    "Connection reset by peer", "Broken pipe", "unexpected eof",
	    /* the first words stay in libcurl's buffer, and these it says in passing */
	    "getpeername() failed", NULL};
	for (const char *const *w = words; *w != NULL; w++)
		if (strstr(error, *w) != NULL)
			return true;
	return false;
}

static enum mm_end end_of(CURLcode code, const char *error)
{
	switch (code) {
	case CURLE_OK:
		return MM_END_OK;
	case CURLE_OPERATION_TIMEDOUT:
		return MM_END_TIMEOUT;
	case CURLE_SSL_CONNECT_ERROR:
		return hung_up(error) ? MM_END_TLS_CLOSED : MM_END_TLS;
	case CURLE_PEER_FAILED_VERIFICATION:
		return MM_END_CERT;
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return MM_END_PIN;
	case CURLE_USE_SSL_FAILED:
		return MM_END_STARTTLS;
	case CURLE_LOGIN_DENIED:
	case CURLE_AUTH_ERROR:
		return MM_END_DENIED;
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
		return MM_END_LOST;
	case CURLE_RECV_ERROR:
		/* libcurl's limit for a reply that does not end */
		return strstr(error, "Too large") != NULL || strstr(error, "too big") != NULL ? MM_END_WEIRD
											      : MM_END_LOST;
	case CURLE_WEIRD_SERVER_REPLY:
		return MM_END_WEIRD;
	case CURLE_REMOTE_ACCESS_DENIED:
		return MM_END_EHLO;
	case CURLE_SSL_CACERT_BADFILE:
		return MM_END_CA;
	case CURLE_SSL_CERTPROBLEM:
		return MM_END_OWN_CERT;
	default:
		return MM_END_LOCAL;
	}
}

static void finish(struct mm_talk *t, enum mm_end end)
{
	if (t->finished)
		return;
	t->finished = true;
	t->end = end;
}

/* An empty line makes a web server complain, and so show itself. */
static void ask_web(struct mm_talk *t)
{
	size_t n = 0;
	t->ours = true;
	if (curl_easy_send(t->easy, "\r\n\r\n", 4, &n) != CURLE_OK)
		finish(t, MM_END_LOST);
}

static void hear_web(struct mm_talk *t)
{
	char buf[512];
	size_t n = 0;
	CURLcode rc = curl_easy_recv(t->easy, buf, sizeof(buf), &n);
	if (rc == CURLE_OK && n > 0)
		on_line_in(t, buf, n);
	else if (rc != CURLE_AGAIN)
		finish(t, MM_END_LOST);
}

void mm_talk_done(struct mm_talk *t, CURLcode code)
{
	if (code == CURLE_OK && t->look == MM_LOOK_WEB && !t->finished) {
		ask_web(t);
		return;
	}
	if (t->error[0] == '\0')
		snprintf(t->error, sizeof(t->error), "%s", curl_easy_strerror(code));
	finish(t, mm_dialog_hopeless(&t->dialog) ? MM_END_HOPELESS : end_of(code, t->error));
}

struct mm_talk *mm_talk_of(CURL *easy)
{
	char *p = NULL;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &p);
	return (void *)p;
}

static int64_t deadline(const struct mm_talk *t)
{
	int64_t whole = t->began + (is_look(t) ? t->limits->look_ms : t->limits->talk_ms);
	int64_t step = t->last_event + (t->dialog.auth_open ? t->limits->login_ms : t->limits->answer_ms);
	return step < whole ? step : whole;
}

/* A server that waits for us to speak first, such as a web server, is made
 * to show itself. Only in a look in clear, where nothing else is sent. */
static void poke(struct mm_talk *t, int64_t now)
{
	if (t->look != MM_LOOK_PLAIN || t->poked || t->tls.started || t->dialog.lines > 0 ||
	    now < t->began + OTHER_PROTOCOL_SNIFF_MS)
		return;
	t->poked = true;
	if (t->fd < 0)
		(void)!send(t->sock, "\r\n\r\n", 4, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void mm_talk_step(struct mm_talk *t, int64_t now)
{
	t->turn++;
	if (t->finished)
		return;
	if (t->ours)
		hear_web(t);
	if (t->finished)
		return;
	if (mm_dialog_hopeless(&t->dialog))
		mm_talk_abort(t, MM_END_HOPELESS);
	else if (is_look(t) && mm_talk_settled(t))
		mm_talk_abort(t, MM_END_OK);
	else if (now >= deadline(t))
		mm_talk_abort(t, MM_END_TIMEOUT);
	else
		poke(t, now);
}

void mm_talk_abort(struct mm_talk *t, enum mm_end end)
{
	finish(t, end);
	if (t->error[0] == '\0' && end == MM_END_TIMEOUT)
		snprintf(t->error, sizeof(t->error), "no answer in time");
	curl_multi_remove_handle(t->multi, t->easy);
}

int64_t mm_talk_wake(const struct mm_talk *t, int64_t now)
{
	int64_t at = deadline(t);
	int64_t from = t->tls_done != 0 ? t->tls_done : t->began;
	int64_t quiet = from + (is_look(t) ? OTHER_PROTOCOL_SNIFF_MS : t->limits->silence_ms);
	if (t->ours)
		quiet = now + WEB_POLL_MS;
	return quiet > now && quiet < at ? quiet : at;
}

bool mm_talk_silent(const struct mm_talk *t, int64_t now)
{
	int64_t from = t->tls_done != 0 ? t->tls_done : t->began;
	bool in_handshake = t->tls.have_cert && !t->tls.done;
	return !t->finished && t->dialog.lines == 0 && !in_handshake && now >= from + t->limits->silence_ms;
}

bool mm_talk_settled(const struct mm_talk *t)
{
	if (t->look == MM_LOOK_PLAIN || t->look == MM_LOOK_WEB)
		return t->dialog.greeting != MM_GREETING_NONE;
	return t->tls.done;
}

void mm_talk_close(struct mm_talk *t)
{
	if (t == NULL)
		return;
	if (t->easy != NULL) {
		curl_multi_remove_handle(t->multi, t->easy);
		curl_easy_cleanup(t->easy);
	}
	t->easy = NULL;
	curl_slist_free_all(t->names);
	t->names = NULL;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

void mm_talk_end(struct mm_talk *t)
{
	if (t == NULL)
		return;
	mm_talk_close(t);
	mm_tls_watch_free(&t->tls);
	free(t);
}
