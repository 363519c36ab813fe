/*
 * Memory for libcurl: it copies the password and frees the copy as it is, so
 * everything that it frees is wiped first.
 */
#include <malloc.h>
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

int mm_curl_init(struct mm_err *err)
{
	/* TLS keys in a file would be worth as much as the passwords */
	unsetenv("SSLKEYLOGFILE");
	CURLcode rc =
	    curl_global_init_mem(CURL_GLOBAL_ALL, malloc, wiping_free, wiping_realloc, strdup, calloc);
	if (rc != CURLE_OK)
		return mm_err_set(err, MM_EX_FAILED, "libcurl: %s", curl_easy_strerror(rc));
	return 0;
}
