#include "controller/audit/signers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#define SIGNERS_MAX (2 * MM_ROTATIONS_MAX)

struct signer {
	struct mm_key *key;
	bool counts;
	bool given;       /* from outside */
	bool vouched;     /* a key before has signed for it, or an entry names it */
	int64_t replaced; /* by the entry with this number; 0 = not yet */
};

struct mm_signers {
	struct signer list[SIGNERS_MAX];
	size_t n;
	bool only;   /* those that count were given */
	bool logged; /* the log knows of keys */
	struct mm_rotation rotations[MM_ROTATIONS_MAX];
	size_t n_rotations;
};

struct mm_signers *mm_signers_new(void)
{
	return mm_xcalloc(1, sizeof(struct mm_signers));
}

void mm_signers_free(struct mm_signers *s)
{
	for (size_t i = 0; i < s->n; i++)
		mm_key_free(s->list[i].key);
	free(s);
}

static struct signer *find(struct mm_signers *s, const char *id)
{
	for (size_t i = 0; i < s->n; i++)
		if (mm_streq(mm_key_id(s->list[i].key), id))
			return &s->list[i];
	return NULL;
}

int mm_signers_add(struct mm_signers *s, const char *pem, bool given, struct mm_err *err)
{
	struct mm_key *k = NULL;
	if (mm_key_from_public_pem(pem, strlen(pem), &k, err) != 0)
		return -1;
	s->only = s->only || given;
	struct signer *known = find(s, mm_key_id(k));
	if (known != NULL || s->n == SIGNERS_MAX) {
		mm_key_free(k);
		return known != NULL
			   ? 0
			   : mm_err_set(err, MM_EX_DATAERR, "more than %d signing keys", SIGNERS_MAX);
	}
	s->list[s->n++] = (struct signer){.key = k, .counts = given || !s->only, .given = given};
	return 0;
}

void mm_signers_rotation(struct mm_signers *s, const struct mm_rotation *r)
{
	if (s->n_rotations < MM_ROTATIONS_MAX)
		s->rotations[s->n_rotations++] = *r;
}

/* ---- statements */

static bool holds(struct mm_signers *s, const struct mm_rotation *r)
{
	const struct signer *former = find(s, r->former);
	struct mm_key *fresh = NULL;
	if (former == NULL || mm_rotation_verify(r, former->key, &fresh, NULL) != 0)
		return false;
	mm_key_free(fresh);
	return true;
}

/* Of two keys whom a statement joins, both count or none. */
static bool join(struct mm_signers *s, const struct mm_rotation *r)
{
	struct signer *former = find(s, r->former), *fresh = find(s, r->key);
	if (former == NULL || fresh == NULL || former->counts == fresh->counts)
		return false;
	former->counts = fresh->counts = true;
	return true;
}

void mm_signers_settle(struct mm_signers *s, mm_signers_fault *fault, void *ctx)
{
	size_t good = 0;
	for (size_t i = 0; i < s->n_rotations; i++) {
		struct mm_rotation *r = &s->rotations[i];
		struct signer *fresh = find(s, r->key);
		if (fresh != NULL && holds(s, r)) {
			fresh->vouched = true;
			s->rotations[good++] = *r;
		} else {
			fault(ctx, 0, r->key,
			    "the statement by which it took the place of the one before does not hold");
		}
	}
	s->n_rotations = good;
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < good; i++)
			more = join(s, &s->rotations[i]) || more;
	}
}

/* ---- what the log says */

void mm_signers_logged(struct mm_signers *s, int64_t seq, const char *key, const char *former)
{
	struct signer *k = find(s, key), *f = former != NULL ? find(s, former) : NULL;
	s->logged = true;
	if (k != NULL)
		k->vouched = true;
	if (f != NULL && f->replaced == 0)
		f->replaced = seq;
}

void mm_signers_end(struct mm_signers *s, bool pruned, mm_signers_fault *fault, void *ctx)
{
	for (size_t i = 0; i < s->n && !pruned && s->logged; i++)
		if (!s->list[i].vouched && !s->list[i].given)
			fault(ctx, 0, mm_key_id(s->list[i].key),
			    "neither the key before nor an entry of the log knows it");
}

/* ---- signatures */

bool mm_signers_hold(const struct mm_signers *s, const struct mm_checkpoint *c)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].counts && mm_checkpoint_verify(c, s->list[i].key, NULL) == 0)
			return true;
	return false;
}

int64_t mm_signers_late(const struct mm_signers *s, const struct mm_checkpoint *c)
{
	for (size_t i = 0; i < s->n; i++)
		if (mm_streq(mm_key_id(s->list[i].key), c->key) && s->list[i].replaced > 0 &&
		    c->seq >= s->list[i].replaced)
			return s->list[i].replaced;
	return 0;
}

bool mm_signers_signed(const struct mm_signers *s, const char *text, size_t n, const char *sig)
{
	struct mm_buf b = MM_BUF_INIT(128);
	bool good = false;
	if (mm_unbase64(sig, strlen(sig), &b) == 0 && b.len == MM_SIGNATURE)
		for (size_t i = 0; i < s->n && !good; i++)
			good = s->list[i].counts &&
			       mm_verify(s->list[i].key, text, n, (const unsigned char *)b.data, NULL) == 0;
	mm_buf_free(&b);
	return good;
}
