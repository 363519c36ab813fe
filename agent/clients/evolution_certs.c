/*
 * The certificates that somebody accepted by hand: camel-cert.db, in
 * $XDG_DATA_HOME/evolution (camel-certdb.c, camel-file-utils.c of
 * evolution-data-server 3.46.4). Numbers have 7 bits a byte, the highest
 * first, and the last byte has the eighth bit; a text has its length and one
 * before it. Version and count, then for each: issuer, subject, host,
 * fingerprint, trust.
 */
#include "agent/clients/evolution.h"
#include "agent/clients/keys.h"

#define CERTS_MAX 10000 /* more are not looked at */

enum trust { TRUST_NEVER = 1, TRUST_MARGINAL, TRUST_FULLY, TRUST_ULTIMATE };

struct bytes {
	const unsigned char *p, *end;
};

static bool take_number(struct bytes *b, unsigned *out)
{
	unsigned v = 0;

	for (int i = 0; i < 5 && b->p < b->end; i++) {
		unsigned char c = *b->p++;

		v = (v << 7) | (c & 0x7fu);
		if ((c & 0x80u) != 0) {
			*out = v;
			return true;
		}
	}
	return false;
}

static bool take_text(struct bytes *b, struct mm_arena *a, const char **out)
{
	unsigned n;

	if (!take_number(b, &n) || n == 0 || n - 1 > (size_t)(b->end - b->p))
		return false;
	*out = mm_arena_strndup(a, (const char *)b->p, n - 1);
	b->p += n - 1;
	return true;
}

void mm_evo_exceptions(struct mm_reader *r, struct mm_view *view)
{
	const char *path = mm_data_path(r, "evolution/camel-cert.db"), *text[4];
	struct mm_err err = MM_ERR_NONE;
	unsigned version, count, trust;
	struct mm_text file;
	struct bytes b;

	if (view->n == 0 || mm_read_text(r, path, &file, &err) != 1)
		return;
	b = (struct bytes){(const unsigned char *)file.p, (const unsigned char *)file.p + file.n};
	if (!take_number(&b, &version) || !take_number(&b, &count))
		return;
	for (unsigned i = 0; i < count && i < CERTS_MAX; i++) {
		for (size_t k = 0; k < 4; k++)
			if (!take_text(&b, r->arena, &text[k]))
				return;
		if (!take_number(&b, &trust))
			return;
		if (trust >= TRUST_MARGINAL && trust <= TRUST_ULTIMATE)
			mm_trap_exception(r->arena, view, (struct mm_native){.path = path}, text[2]);
	}
}
