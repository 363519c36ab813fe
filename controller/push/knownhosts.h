/*
 * known_hosts files (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) as a source of
 * pinned keys: plain and hashed names, [host]:port.
 *
 * A key that is marked @revoked anywhere in the file is taken for no host.
 * @cert-authority lines and wildcards cannot be pinned and are skipped with
 * a word. A bad line costs itself only.
 */
#ifndef MM_PUSH_KNOWNHOSTS_H
#define MM_PUSH_KNOWNHOSTS_H

#include <stddef.h>

#include "common/err.h"
#include "controller/push/sshkey.h"

#define MM_KNOWNHOSTS_MAX ((size_t)64 * 1024 * 1024) /* bytes of a file */
#define MM_KNOWNHOSTS_LINE 16384                     /* longer ones are bad */

struct mm_known_host {
	const char *id;      /* also tried as a name */
	const char *address; /* "" = same as id */
	int port;
};

struct mm_known_ops {
	/* This key is host i's. Called once for each host and key. */
	int (*found)(void *ctx, size_t i, const struct mm_sshkey *key, int line, struct mm_err *err);
	/* A line was not used, and why. */
	void (*skipped)(void *ctx, int line, const char *why);
};

struct mm_known_stats {
	size_t lines;                        /* with a key */
	size_t used, bad, revoked, unusable; /* unusable: authorities and wildcards */
	size_t unknown;                      /* good, but of no host that we have */
};

/* -1 only when found() said so. */
int mm_knownhosts_read(const char *text, size_t n, const struct mm_known_host *hosts, size_t n_hosts,
    const struct mm_known_ops *ops, void *ctx, struct mm_known_stats *stats, struct mm_err *err);

#endif
