/*
 * The questions of a discovery, all at the same time: six SRV look-ups and
 * two files over https. Each is bounded in time and bytes; what comes is only
 * read here, and judged elsewhere.
 */
#ifndef MM_AGENT_PROBE_DISCOVER_ASK_H
#define MM_AGENT_PROBE_DISCOVER_ASK_H

#include "agent/probe/autoconfig.h"
#include "agent/probe/srv.h"

#define MM_ASK_FILES 2
#define MM_ASK_HTTPS_MS 10000

struct mm_ask_srv {
	int code; /* 0, or HOST_NOT_FOUND, NO_DATA, TRY_AGAIN, NO_RECOVERY of netdb.h */
	unsigned char *answer;
	size_t n;
};

struct mm_ask_file {
	char url[512];
	char *body; /* NULL: not there */
	size_t n;
	char trouble[256]; /* why not; "" when it came */
	bool absent;       /* there is no such host, or no such file: the usual case */
};

struct mm_ask {
	struct mm_ask_srv srv[MM_SRV_SERVICES];
	struct mm_ask_file file[MM_ASK_FILES];
};

/* `ca_file` NULL: the system's. `family` AF_UNSPEC: both. mm_curl_init() and the sandbox come before. Free
 * with mm_ask_free(), also after a failure. */
int mm_ask_all(const char *domain, const char *ca_file, int family, struct mm_ask *out, struct mm_err *err);
void mm_ask_free(struct mm_ask *a);

#endif
