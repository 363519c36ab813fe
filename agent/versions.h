/*
 * Which version of a program is installed, from what Debian's package
 * manager wrote down: nothing is started to find out.
 *
 * Source: deb-status in dpkg(1) 1.21, /var/lib/dpkg/status: paragraphs of
 * "Field: value" lines, parted by empty lines.
 */
#ifndef MM_AGENT_VERSIONS_H
#define MM_AGENT_VERSIONS_H

#include <stddef.h>

#include "common/mem.h"

#define MM_DPKG_STATUS "/var/lib/dpkg/status"
#define MM_DPKG_STATUS_MAX (64u * 1024u * 1024u)

struct mm_version {
	const char *package;
	const char *version; /* NULL: not installed as a package */
};

/* Fill in the versions of the `n` packages. A list that cannot be read leaves
 * them NULL. */
void mm_versions_find(const char *status_file, struct mm_version *v, size_t n, struct mm_arena *a);

#endif
