/*
 * Memory for libcurl and OpenSSL: the one copies the password, the other takes
 * a private key apart, and both free their copies as they are, so everything
 * that they free is wiped first.
 */
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "agent/probe/talk.h"

static void wiping_free(void *p)
{
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void *wiping_realloc(void *p, size_t n)
{
	if (p == NULL)
		return malloc(n);
	size_t old = malloc_usable_size(p);
	void *q = malloc(n);
	if (q == NULL)
		return NULL;
	memcpy(q, p, old < n ? old : n);
	wiping_free(p);
	return q;
}

static void *openssl_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return n > 0 ? malloc(n) : NULL;
}

static void *openssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	if (n > 0)
		return wiping_realloc(p, n);
	wiping_free(p);
	return NULL;
}

static void openssl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	wiping_free(p);
}

int mm_curl_init(struct mm_err *err)
{
	/* TLS keys in a file would be worth as much as the passwords */
	unsetenv("SSLKEYLOGFILE");
	/* refused once OpenSSL has allocated something */
	if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1)
		return mm_err_set(err, MM_EX_FAILED, "OpenSSL was used before its memory was set up");
	CURLcode rc =
	    curl_global_init_mem(CURL_GLOBAL_ALL, malloc, wiping_free, wiping_realloc, strdup, calloc);
	if (rc != CURLE_OK)
		return mm_err_set(err, MM_EX_FAILED, "libcurl: %s", curl_easy_strerror(rc));
	return 0;
}
