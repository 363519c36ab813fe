/*
 * Secrets: passwords and private keys while they are in memory.
 *
 * The bytes lie in memory that is locked (as far as RLIMIT_MEMLOCK lets us)
 * and left out of core dumps, and are wiped when freed. A secret is never
 * put into argv, the environment, a log, a report or a plain mm_buf.
 */
#ifndef MM_COMMON_SECRET_H
#define MM_COMMON_SECRET_H

#include <stddef.h>

#include "common/err.h"

#define MM_SECRET_MAX 4096              /* bytes */
#define MM_SECRET_PEM_MAX (64u * 1024u) /* a private key with its certificates */

struct mm_secret; /* opaque; holds up to a maximum of bytes plus a NUL */

struct mm_secret *mm_secret_new(void); /* for up to MM_SECRET_MAX bytes */
struct mm_secret *mm_secret_new_max(size_t max);
void mm_secret_free(struct mm_secret *s);               /* wipes; NULL is allowed */
const char *mm_secret_bytes(const struct mm_secret *s); /* NUL-terminated */
size_t mm_secret_len(const struct mm_secret *s);
int mm_secret_set(struct mm_secret *s, const void *p, size_t n, struct mm_err *err);
/* Append; what would not fit is an error and leaves the secret as it was. */
int mm_secret_add(struct mm_secret *s, const void *p, size_t n, struct mm_err *err);
/* Read from a descriptor until end of file; too long is an error. */
int mm_secret_read_fd(struct mm_secret *s, int fd, struct mm_err *err);
/* Keep the first line, without its CR LF: what password commands print. */
void mm_secret_first_line(struct mm_secret *s);
/* Ask on the terminal without echo; fails when there is none. */
int mm_secret_prompt(struct mm_secret *s, const char *prompt, struct mm_err *err);

#endif
