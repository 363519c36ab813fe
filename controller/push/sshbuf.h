/*
 * Reading and writing the data types of SSH: uint32 and string (RFC 4251,
 * section 5). Used for keys, the ssh-agent, and the talk with our workers.
 */
#ifndef MM_PUSH_SSHBUF_H
#define MM_PUSH_SSHBUF_H

#include <stddef.h>

#include "common/buf.h"
#include "common/mem.h"

struct mm_ssh_reader {
	const unsigned char *p;
	size_t left;
};

/* -1 when the value is cut short; the reader is then of no further use. */
int mm_ssh_read_u32(struct mm_ssh_reader *r, unsigned *v);
int mm_ssh_read_string(struct mm_ssh_reader *r, const unsigned char **p, size_t *n);
/* A string without NUL, copied into `a`; NULL when it is cut or has one. */
const char *mm_ssh_read_text(struct mm_ssh_reader *r, struct mm_arena *a);

void mm_ssh_put_u32(struct mm_buf *b, size_t v);
void mm_ssh_put_string(struct mm_buf *b, const void *p, size_t n);
void mm_ssh_put_text(struct mm_buf *b, const char *s); /* NULL is written as "" */

#endif
