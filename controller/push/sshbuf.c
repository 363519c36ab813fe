#include "controller/push/sshbuf.h"

#include <string.h>

int mm_ssh_read_u32(struct mm_ssh_reader *r, unsigned *v)
{
	if (r->left < 4)
		return -1;
	*v = (unsigned)r->p[0] << 24 | (unsigned)r->p[1] << 16 | (unsigned)r->p[2] << 8 | r->p[3];
	r->p += 4;
	r->left -= 4;
	return 0;
}

int mm_ssh_read_string(struct mm_ssh_reader *r, const unsigned char **p, size_t *n)
{
	unsigned len;
	if (mm_ssh_read_u32(r, &len) < 0 || len > r->left)
		return -1;
	*p = r->p;
	*n = len;
	r->p += len;
	r->left -= len;
	return 0;
}

void mm_ssh_put_u32(struct mm_buf *b, size_t v)
{
	unsigned char u[4] = {
	    (unsigned char)(v >> 24), (unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v};
	mm_buf_add(b, u, sizeof(u));
}

void mm_ssh_put_string(struct mm_buf *b, const void *p, size_t n)
{
	mm_ssh_put_u32(b, n);
	mm_buf_add(b, p, n);
}

const char *mm_ssh_read_text(struct mm_ssh_reader *r, struct mm_arena *a)
{
	const unsigned char *p;
	size_t n;
	if (mm_ssh_read_string(r, &p, &n) < 0 || memchr(p, '\0', n) != NULL)
		return NULL;
	return mm_arena_strndup(a, (const char *)p, n);
}

void mm_ssh_put_text(struct mm_buf *b, const char *s)
{
	mm_ssh_put_string(b, s != NULL ? s : "", s != NULL ? strlen(s) : 0);
}
