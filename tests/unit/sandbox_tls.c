#include "tests/unit/sandbox_tls.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "tests/lib/testutil.h"

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();
	assert_non_null(x);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME *name = X509_get_subject_name(x);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
	assert_non_null(san);
	X509_add_ext(x, san, -1);
	X509_EXTENSION_free(san);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

_Noreturn static void serve(int listener, EVP_PKEY *key, X509 *cert)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	if (ctx == NULL || SSL_CTX_use_certificate(ctx, cert) != 1 || SSL_CTX_use_PrivateKey(ctx, key) != 1)
		_exit(1);
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		int s = accept(listener, NULL, NULL);
		SSL *ssl = SSL_new(ctx);
		char c = 0;
		if (s < 0 || ssl == NULL)
			_exit(1);
		SSL_set_fd(ssl, s);
		if (SSL_accept(ssl) == 1 && SSL_read(ssl, &c, 1) == 1)
			SSL_write(ssl, &c, 1);
		SSL_shutdown(ssl);
		SSL_free(ssl);
		close(s);
	}
}

void mm_tls_server_start(struct mm_tls_server *s, const char *cert_path)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	assert_non_null(key);
	X509 *cert = make_certificate(key);
	FILE *f = fopen(cert_path, "we");
	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, cert), 1);
	fclose(f);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	s->port = ntohs(a.sin_port);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0)
		serve(listener, key, cert);
	close(listener);
	X509_free(cert);
	EVP_PKEY_free(key);
}

void mm_tls_server_stop(struct mm_tls_server *s)
{
	assert_int_equal(kill(s->pid, SIGKILL), 0);
	assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
}

static int exchange(CURL *c)
{
	size_t n = 0;
	char byte = 0;
	if (curl_easy_send(c, "x", 1, &n) != CURLE_OK || n != 1)
		return -1;
	for (int i = 0; i < 50; i++) {
		CURLcode rc = curl_easy_recv(c, &byte, 1, &n);
		if (rc == CURLE_OK)
			return n == 1 && byte == 'x' ? 0 : -1;
		if (rc != CURLE_AGAIN)
			return -1;
		poll(NULL, 0, 20);
	}
	return -1;
}

int mm_tls_client(const struct mm_tls_server *s, const char *ca_path)
{
	char url[64];
	char why[CURL_ERROR_SIZE] = "";
	snprintf(url, sizeof(url), "https://localhost:%u/", (unsigned)s->port);
	CURL *c = curl_easy_init();
	if (c == NULL)
		return -1;
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(c, CURLOPT_CAINFO, ca_path);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, 10L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
	CURLcode rc = curl_easy_perform(c);
	/* A refusal must be for want of the certificate, not for any reason. */
	if (rc != CURLE_OK && rc != CURLE_SSL_CACERT_BADFILE)
		fprintf(stderr, "curl: %d %s\n", (int)rc, why);
	int result = rc == CURLE_OK ? exchange(c) : rc == CURLE_SSL_CACERT_BADFILE ? -1 : -2;
	curl_easy_cleanup(c);
	if (result == -2)
		_exit(7);
	return result;
}

void mm_tls_read(const char *path, struct mm_buf *out)
{
	char chunk[4096];
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		mm_buf_add(out, chunk, (size_t)n);
	close(fd);
}
