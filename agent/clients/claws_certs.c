/*
 * The certificates that Claws Mail has stored: certs/HOST.PORT.cert, or with
 * the preference unsafe_ssl_certs HOST.PORT.FINGERPRINT.cert, in DER
 * (src/common/ssl_certificate.c, and what 4.1.1 wrote).
 *
 * It stores every one that it accepted, those that were valid and those that
 * somebody clicked through, and takes a stored one again without verifying
 * it. No file says which is which. One that signs itself is certain: no
 * authority vouches for it. Of all others only a verification could tell.
 */
#include <string.h>

#include "agent/clients/adapter.h"
#include "agent/clients/claws.h"
#include "agent/clients/keys.h"
#include "common/text.h"

#define SUFFIX ".cert"

struct der { /* what one element holds */
	unsigned char tag;
	const unsigned char *p;
	size_t n;
};

/* The element at the start of `in`, which then begins behind it (X.690 8.1). */
static bool next(struct der *in, struct der *out)
{
	size_t head = 2, n;

	if (in->n < 2)
		return false;
	out->tag = in->p[0];
	n = in->p[1];
	if (n >= 0x80) {
		size_t bytes = n & 0x7f;
		if (bytes == 0 || bytes > 3 || in->n < head + bytes)
			return false;
		for (n = 0; head < 2 + bytes; head++)
			n = n << 8 | in->p[head];
	}
	if (n > in->n - head)
		return false;
	*out = (struct der){.tag = out->tag, .p = in->p + head, .n = n};
	in->p += head + n;
	in->n -= head + n;
	return true;
}

/* Issuer and subject are the same (RFC 5280 4.1). */
static bool signs_itself(struct mm_text t)
{
	struct der in = {.p = (const unsigned char *)t.p, .n = t.n}, cert, tbs, e, issuer, subject;

	if (!next(&in, &cert) || cert.tag != 0x30 || !next(&cert, &tbs) || tbs.tag != 0x30 || !next(&tbs, &e))
		return false;
	if (e.tag == 0xa0 && !next(&tbs, &e)) /* version; then the serial number */
		return false;
	return next(&tbs, &e) && next(&tbs, &issuer) && next(&tbs, &e) && next(&tbs, &subject) &&
	       issuer.tag == 0x30 && subject.tag == 0x30 && issuer.n == subject.n &&
	       memcmp(issuer.p, subject.p, issuer.n) == 0;
}

static bool is_of(const char *name, const char *host, const char *port, struct mm_arena *a)
{
	size_t n = strlen(name), end = strlen(SUFFIX);

	return host != NULL && port != NULL && n > end && strcmp(name + n - end, SUFFIX) == 0 &&
	       mm_starts_with(name, mm_arena_printf(a, "%s.%s.", host, port));
}

static const char *host_of(const struct mm_seen_account *acc, const char *name, struct mm_arena *a)
{
	const struct mm_seen *s = acc->s;

	if (is_of(name, s[MM_SET_IN_HOST].value, s[MM_SET_IN_PORT].value, a))
		return s[MM_SET_IN_HOST].value;
	return is_of(name, s[MM_SET_OUT_HOST].value, s[MM_SET_OUT_PORT].value, a) ? s[MM_SET_OUT_HOST].value
										  : NULL;
}

static void look_at(struct mm_reader *r, const char *dir, const char *name, struct mm_view *out)
{
	const char *path = mm_arena_printf(r->arena, "%s/%s", dir, name);
	struct mm_err err = MM_ERR_NONE;
	struct mm_text t = {.p = NULL};

	for (size_t i = 0; i < out->n; i++) {
		const char *host = host_of(&out->accounts[i], name, r->arena);

		if (host == NULL || (t.p == NULL && mm_read_text(r, path, &t, &err) != 1))
			continue;
		if (!signs_itself(t)) {
			mm_see_unsure(&out->accounts[i].exceptions, (struct mm_native){.path = path},
			    "a certificate is stored here, and nothing says whether it was valid or accepted "
			    "by hand");
			continue;
		}
		mm_trap_of(r->arena, out, MM_TRAP_EXCEPTION, (struct mm_native){.path = path},
		    &out->accounts[i],
		    mm_arena_printf(r->arena,
			"takes a certificate of %s that signs itself, because it was accepted once and is "
			"stored.",
			host))
		    ->endpoint = host;
	}
}

void mm_claws_certs(struct mm_reader *r, const char *dir, struct mm_view *out)
{
	const char *const *names;
	struct mm_err err = MM_ERR_NONE;

	if (out->n == 0 || r->list(r, dir, &names, &err) != 1)
		return;
	for (size_t i = 0; names[i] != NULL; i++)
		look_at(r, dir, names[i], out);
}
