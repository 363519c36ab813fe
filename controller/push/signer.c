#include "controller/push/signer.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/mem.h"
#include "controller/push/sshagent.h"
#include "schemas/signing.h"

struct mm_signer {
	const struct mm_worker_config *config;
	struct mm_key *own; /* signs for user_keys[0]; NULL = all keys are the agent's */
	int agent;
};

int mm_signer_new(const struct mm_worker_config *c, struct mm_signer **out, struct mm_err *err)
{
	struct mm_signer *s = mm_xcalloc(1, sizeof(*s));
	s->config = c;
	s->agent = -1;
	int rc = 0;
	if (c->seed != NULL)
		rc = mm_key_from_seed(c->seed, &s->own, err);
	if (rc == 0 && c->agent_path[0] != '\0' && (s->agent = mm_agent_connect(c->agent_path, err)) < 0)
		rc = -1;
	if (rc < 0) {
		mm_signer_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

void mm_signer_free(struct mm_signer *s)
{
	if (s == NULL)
		return;
	mm_key_free(s->own);
	if (s->agent >= 0)
		close(s->agent);
	free(s);
}

size_t mm_signer_count(const struct mm_signer *s)
{
	return s->config->n_user_keys;
}

const struct mm_sshkey *mm_signer_key(const struct mm_signer *s, size_t i)
{
	return &s->config->user_keys[i];
}

int mm_signer_sign(
    struct mm_signer *s, size_t i, const void *data, size_t n, struct mm_buf *sig, struct mm_err *err)
{
	if (i > 0 || s->own == NULL)
		return mm_agent_sign(s->agent, mm_signer_key(s, i), data, n, sig, err);
	unsigned char raw[64];
	if (mm_sign(s->own, data, n, raw, err) < 0)
		return -1;
	mm_buf_add(sig, raw, sizeof(raw));
	return 0;
}
