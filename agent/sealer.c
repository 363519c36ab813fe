#include "agent/sealer.h"

#include <string.h>

#include "schemas/proto.h"

struct mm_sealer {
	struct mm_arena *a;
	struct mm_key *key; /* NULL = there is none */
	struct mm_sealing sealing;
	struct mm_report_head head; /* of the report under way */
	bool known, carried;
	unsigned char (*sigs)[MM_SIGNATURE];
	size_t n, cap;
	const struct mm_checkpoint *checkpoint;
};

struct mm_sealer *mm_sealer_new(const struct mm_conf *c)
{
	struct mm_sealer *s = mm_xcalloc(1, sizeof(*s));
	s->a = mm_arena_new();
	if (mm_key_load_private(c->report_key, &s->key, NULL) != 0)
		s->key = NULL;
	return s;
}

void mm_sealer_free(struct mm_sealer *s)
{
	char unused[MM_SHA256_HEX];
	if (s == NULL)
		return;
	(void)mm_sealing_end(&s->sealing, unused);
	mm_key_free(s->key);
	mm_arena_free(s->a);
	free(s);
}

/* Every report keeps its place in the list: what cannot be signed gets a
 * signature that does not hold. */
static void seal(struct mm_sealer *s)
{
	char sha256[MM_SHA256_HEX];
	struct mm_buf text = MM_BUF_INIT(MM_STATEMENT_MAX);
	if (!mm_sealing_end(&s->sealing, sha256) || s->n >= MM_SEALS_MAX)
		return;
	unsigned char(*sig)[MM_SIGNATURE] = mm_arena_push(s->a, &s->sigs, &s->n, &s->cap, sizeof(*s->sigs));
	memset(*sig, 0, sizeof(*sig));
	if (s->known) {
		mm_report_statement(&s->head, s->carried ? MM_EV_CLAIMED : s->head.evidence, sha256, &text);
		if (mm_sign(s->key, mm_buf_str(&text), text.len, *sig, NULL) != 0)
			memset(*sig, 0, sizeof(*sig));
	}
	mm_buf_free(&text);
}

void mm_sealer_frame(struct mm_sealer *s, uint16_t type, const void *body, size_t len, bool carried)
{
	if (s == NULL || s->key == NULL)
		return;
	if (type == MM_FT_REPORT) {
		seal(s);
		s->carried = carried;
		s->known = mm_report_head_decode(body, len, s->a, &s->head, NULL) == 0;
	}
	mm_sealing_add(&s->sealing, type, body, len);
}

void mm_sealer_checkpoint(struct mm_sealer *s, const struct mm_checkpoint *c)
{
	s->checkpoint = c;
}

struct mm_end_seals mm_sealer_end(struct mm_sealer *s)
{
	struct mm_end_seals x = {.checkpoint = s->checkpoint};
	if (s->key == NULL)
		return x;
	seal(s);
	x.key = mm_key_id(s->key);
	x.sigs = (const unsigned char(*)[MM_SIGNATURE])s->sigs;
	x.n = s->n;
	return x;
}
