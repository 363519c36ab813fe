/*
 * What can be seen of a TLS handshake, also of one that fails: libcurl says
 * little (no certificate after a failed chain, the same code for a wrong
 * name), so we look on through OpenSSL's own callbacks, attached to the
 * SSL_CTX that libcurl hands to CURLOPT_SSL_CTX_FUNCTION. They observe; the
 * verdict on the chain stays OpenSSL's, that on the name libcurl's.
 */
#ifndef MM_AGENT_PROBE_TLS_H
#define MM_AGENT_PROBE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mm_cert_trouble {
	MM_CERT_OK,
	MM_CERT_EXPIRED,
	MM_CERT_NOT_YET_VALID,
	MM_CERT_SELF_SIGNED,
	MM_CERT_UNKNOWN_CA,
	MM_CERT_WEAK,
	MM_CERT_OTHER,
};

struct mm_cert_facts {
	char subject[256], issuer[256]; /* RFC 4514, printable ASCII */
	char san[1024];                 /* "DNS:a, DNS:b, IP:c"; "" = none; ends in ", ..." when cut */
	int64_t not_before, not_after;  /* unix seconds */
};

/* A certificate of the chain that the server sent. */
struct mm_chain_link {
	char subject[256], issuer[256];
	char key[48];       /* "RSA 2048", "EC prime256v1" */
	char signature[48]; /* "sha256WithRSAEncryption" */
	int64_t not_after;
	bool weak; /* below RSA 2048 or EC 224, or signed over SHA-1 or MD5 */
};
#define MM_CHAIN_MAX 8

struct mm_tls_watch {
	/* told on: when the handshake begins and ends; may be NULL */
	void (*event)(void *ctx);
	void *ctx;
	bool ask_ocsp;    /* ask for a stapled answer about the certificate (RFC 6066 8) */
	bool tolerant;    /* accept every certificate; only for talks without credentials */
	const char *host; /* the name that the certificate is to hold; may be NULL */

	bool started, done;
	bool client_cert_asked; /* a CertificateRequest came (perhaps an optional one) */
	int alert_in;           /* TLS alert that the server sent (RFC 8446 6), -1 = none */
	char version[16], cipher[64];
	/* The session was another connection's: no certificate was sent. What is told of it here was seen
	 * in the handshake in full that made the session (sessions.h). */
	bool resumed;
	bool offered;       /* we wanted to resume one */
	int chain;          /* certificates that the server sent */
	const char *ocsp;   /* "none", "good", "revoked", "unknown", "invalid"; NULL: not known */
	char ocsp_text[96]; /* why invalid */
	bool have_cert;
	struct mm_cert_facts cert;   /* the server's own */
	char fingerprint[65];        /* SHA-256 of it, hexadecimal */
	char pin[64];                /* sha256//BASE64 of its key (RFC 7469 2.4), as a pin is written */
	char issuer_url[256];        /* where its issuer's certificate is published (RFC 5280 4.2.2.1) */
	bool name_match;             /* a subject alternative name is `host`; CN does not count */
	struct mm_chain_link *links; /* its own first; freed by mm_tls_watch_free() */
	size_t n_links;
	enum mm_cert_trouble trouble;
	char trouble_text[128]; /* OpenSSL's words */
	char troubles[512];     /* all of them, separated by "; "; more than one only when tolerant */
	struct mm_cert_facts
	    *bad; /* the certificate that is to blame; NULL without trouble; freed likewise */
};

void mm_tls_watch_init(struct mm_tls_watch *w);
void mm_tls_watch_free(struct mm_tls_watch *w);
/* ssl_ctx: the SSL_CTX that libcurl passes; the watch outlives it. */
void mm_tls_watch_attach(struct mm_tls_watch *w, void *ssl_ctx);
/* "handshake failure"; never NULL. */
const char *mm_tls_alert_text(int alert);

#endif
