#include "agent/probe/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "agent/probe/tls_cert.h"
#include "agent/probe/tls_ocsp.h"
#include "common/mem.h"

void mm_tls_watch_init(struct mm_tls_watch *w)
{
	*w = (struct mm_tls_watch){.alert_in = -1};
}

void mm_tls_watch_free(struct mm_tls_watch *w)
{
	free(w->links);
	free(w->bad);
	w->links = NULL;
	w->bad = NULL;
	w->n_links = 0;
}

static void set(char *out, size_t size, const char *s)
{
	snprintf(out, size, "%s", s != NULL ? s : "");
}

static void read_session(struct mm_tls_watch *w, const SSL *ssl)
{
	const SSL_CIPHER *c = SSL_get_current_cipher(ssl);
	if (c == NULL)
		c = SSL_get_pending_cipher(ssl);
	set(w->version, sizeof(w->version), SSL_get_version(ssl));
	if (c != NULL)
		set(w->cipher, sizeof(w->cipher), SSL_CIPHER_get_name(c));
}

static void tell(struct mm_tls_watch *w)
{
	if (w->event != NULL)
		w->event(w->ctx);
}

static void on_cert(struct mm_tls_watch *w, X509 *leaf, const STACK_OF(X509) * sent)
{
	if (w->have_cert || leaf == NULL)
		return;
	w->have_cert = true;
	w->chain = sk_X509_num(sent);
	mm_cert_facts_read(leaf, &w->cert);
	mm_cert_fingerprint(leaf, w->fingerprint);
	mm_cert_pin(leaf, w->pin, sizeof(w->pin));
	mm_cert_issuer_url(leaf, w->issuer_url, sizeof(w->issuer_url));
	w->name_match = w->host != NULL && mm_cert_is_for(leaf, w->host);
	w->n_links = mm_chain_read(sent, &w->links);
}

/* The session holds what its server sent then; only one that is read from a
 * file would not. */
static void read_resumed(struct mm_tls_watch *w, const SSL *ssl)
{
	w->resumed = SSL_session_reused(ssl) == 1;
	if (w->resumed)
		on_cert(w, SSL_get0_peer_certificate(ssl), SSL_get_peer_cert_chain(ssl));
}

static void on_info(const SSL *ssl, int where, int ret)
{
	struct mm_tls_watch *w = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	if ((where & SSL_CB_HANDSHAKE_START) != 0 && !w->started) {
		w->started = true;
		w->offered = SSL_get_session(ssl) != NULL;
		tell(w);
	}
	/* 0: close_notify, which says nothing about the handshake */
	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (ret & 0xff) != 0)
		w->alert_in = ret & 0xff;
	if ((where & SSL_CB_HANDSHAKE_DONE) != 0 && !w->done) {
		w->done = true;
		read_session(w, ssl);
		read_resumed(w, ssl);
		tell(w);
	}
}

static void add_trouble(struct mm_tls_watch *w, const char *words)
{
	size_t have = strlen(w->troubles);
	if (strstr(w->troubles, words) != NULL)
		return;
	snprintf(w->troubles + have, sizeof(w->troubles) - have, "%s%s", have > 0 ? "; " : "", words);
}

/* The first error is the one that is told; libcurl stops there too. */
static int on_verify(int ok, X509_STORE_CTX *store)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct mm_tls_watch *w = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	on_cert(w, X509_STORE_CTX_get0_cert(store), X509_STORE_CTX_get0_untrusted(store));
	if (ok == 1)
		return 1;
	add_trouble(w, X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)));
	if (w->trouble == MM_CERT_OK) {
		int code = X509_STORE_CTX_get_error(store);
		X509 *bad = X509_STORE_CTX_get_current_cert(store);
		w->trouble = mm_cert_trouble_of(code);
		set(w->trouble_text, sizeof(w->trouble_text), X509_verify_cert_error_string(code));
		w->bad = mm_xcalloc(1, sizeof(*w->bad));
		*w->bad = w->cert;
		if (bad != NULL)
			mm_cert_facts_read(bad, w->bad);
		read_session(w, ssl);
	}
	return w->tolerant ? 1 : 0;
}

/* The handshake goes on, whatever the answer says: it is reported. */
static int on_ocsp(SSL *ssl, void *ctx)
{
	struct mm_tls_watch *w = ctx;
	if (w->trouble == MM_CERT_OK)
		w->ocsp = mm_ocsp_read(ssl, w->ocsp_text, sizeof(w->ocsp_text));
	return 1;
}

/* We have none to offer; OpenSSL then goes on without. */
static int on_client_cert(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
	struct mm_tls_watch *w = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	(void)cert;
	(void)key;
	w->client_cert_asked = true;
	return 0;
}

void mm_tls_watch_attach(struct mm_tls_watch *w, void *ssl_ctx)
{
	SSL_CTX *ctx = ssl_ctx;
	SSL_CTX_set_app_data(ctx, w);
	SSL_CTX_set_info_callback(ctx, on_info);
	SSL_CTX_set_client_cert_cb(ctx, on_client_cert);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, on_verify);
	if (!w->ask_ocsp)
		return;
	SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp);
	SSL_CTX_set_tlsext_status_cb(ctx, on_ocsp);
	SSL_CTX_set_tlsext_status_arg(ctx, w);
}

const char *mm_tls_alert_text(int alert)
{
	return alert < 0 ? "no alert" : SSL_alert_desc_string_long(alert);
}
