#include "schemas/seal.h"

#include <string.h>

#include "common/text.h"
#include "schemas/proto.h"
#include "schemas/wire.h"

#define SIG_TEXT_MAX 128 /* base64 */

/* ---- reports */

void mm_report_statement(const struct mm_report_head *h, enum mm_evidence evidence,
    const char sha256[MM_SHA256_HEX], struct mm_buf *out)
{
	mm_buf_addf(out,
	    "mailmuster-report-1\nhost %s\nreport %s\nrequest %s\ncollected %lld\nevidence %s\nsha256 %s\n",
	    h->host, h->id, h->request_id != NULL ? h->request_id : "-", (long long)h->collected,
	    evidence == MM_EV_ATTESTED ? "attested" : "claimed", sha256);
}

int mm_report_verify(const struct mm_key *k, const struct mm_report_head *h, enum mm_evidence evidence,
    const struct mm_seal *seal, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(MM_STATEMENT_MAX);
	mm_report_statement(h, evidence, seal->sha256, &text);
	int rc = mm_verify(k, mm_buf_str(&text), text.len, seal->sig, err);
	mm_buf_free(&text);
	return rc;
}

bool mm_sealing_end(struct mm_sealing *s, char sha256[MM_SHA256_HEX])
{
	uint8_t sum[MM_SHA256_LEN];
	if (s->sha == NULL)
		return false;
	mm_sha256_end(s->sha, sum);
	s->sha = NULL;
	mm_hex(sum, sizeof(sum), sha256);
	return true;
}

void mm_sealing_add(struct mm_sealing *s, uint16_t type, const void *body, size_t len)
{
	unsigned char head[6] = {(unsigned char)(type >> 8), (unsigned char)type, (unsigned char)(len >> 24),
	    (unsigned char)(len >> 16), (unsigned char)(len >> 8), (unsigned char)len};
	if (type == MM_FT_REPORT && s->sha == NULL)
		s->sha = mm_sha256_begin();
	if (s->sha == NULL || type == MM_FT_KEEPALIVE || type == MM_FT_END)
		return;
	mm_sha256_add(s->sha, head, sizeof(head));
	mm_sha256_add(s->sha, body, len);
}

/* ---- checkpoints */

void mm_checkpoint_statement(const struct mm_checkpoint *c, struct mm_buf *out)
{
	mm_buf_addf(out,
	    "mailmuster-checkpoint-1\nfleet %s\nseq %lld\nentries %lld\ntime %lld\nsha256 %s\nkey %s\n",
	    c->fleet, (long long)c->seq, (long long)c->entries, (long long)c->time, c->sha256, c->key);
}

int mm_checkpoint_sign(struct mm_checkpoint *c, const struct mm_key *k, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(MM_STATEMENT_MAX);
	memcpy(c->key, mm_key_id(k), sizeof(c->key));
	mm_checkpoint_statement(c, &text);
	int rc = mm_sign(k, mm_buf_str(&text), text.len, c->sig, err);
	mm_buf_free(&text);
	return rc;
}

int mm_checkpoint_verify(const struct mm_checkpoint *c, const struct mm_key *k, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(MM_STATEMENT_MAX);
	if (!mm_streq(c->key, mm_key_id(k)))
		return mm_err_set(err, MM_EX_NOPERM, "signed by another key, %.16s...", c->key);
	mm_checkpoint_statement(c, &text);
	int rc = mm_verify(k, mm_buf_str(&text), text.len, c->sig, err);
	mm_buf_free(&text);
	return rc;
}

static json_t *signature_json(const unsigned char sig[MM_SIGNATURE])
{
	struct mm_buf b = MM_BUF_INIT(SIG_TEXT_MAX);
	mm_base64(sig, MM_SIGNATURE, &b);
	json_t *v = json_string(mm_buf_str(&b));
	mm_buf_free(&b);
	return v;
}

static int read_signature(const char *text, unsigned char sig[MM_SIGNATURE], struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(SIG_TEXT_MAX);
	bool good = text != NULL && mm_unbase64(text, strlen(text), &b) == 0 && b.len == MM_SIGNATURE;
	if (good)
		memcpy(sig, b.data, MM_SIGNATURE);
	mm_buf_free(&b);
	return good ? 0 : mm_err_set(err, MM_EX_DATAERR, "not an Ed25519 signature in base64");
}

json_t *mm_checkpoint_json(const struct mm_checkpoint *c)
{
	json_t *o = json_object();
	mm_json_set_str(o, "fleet", c->fleet);
	mm_json_set_int(o, "seq", c->seq);
	mm_json_set_int(o, "entries", c->entries);
	mm_json_set_int(o, "time", c->time);
	mm_json_set_str(o, "sha256", c->sha256);
	mm_json_set_str(o, "key", c->key);
	mm_json_set(o, "sig", signature_json(c->sig));
	return o;
}

static int read_form(
    const json_t *o, const char *name, mm_wire_form *form, char *out, size_t size, struct mm_err *err)
{
	const char *s;
	if (mm_json_str(o, name, size, &s, err) != 0)
		return -1;
	if (!form(s))
		return mm_err_set(err, MM_EX_DATAERR, "\"%s\": malformed", name);
	memcpy(out, s, strlen(s) + 1);
	return 0;
}

int mm_checkpoint_read(const json_t *o, struct mm_checkpoint *out, struct mm_err *err)
{
	struct mm_checkpoint c;
	const char *sig;
	if (!json_is_object(o))
		return mm_err_set(err, MM_EX_DATAERR, "checkpoint: not an object");
	if (read_form(o, "fleet", mm_wire_is_id, c.fleet, sizeof(c.fleet), err) != 0 ||
	    mm_json_int(o, "seq", 1, MM_WIRE_INT_MAX, &c.seq, err) != 0 ||
	    mm_json_int(o, "entries", 1, MM_WIRE_INT_MAX, &c.entries, err) != 0 ||
	    mm_json_int(o, "time", 0, MM_WIRE_INT_MAX, &c.time, err) != 0 ||
	    read_form(o, "sha256", mm_wire_is_sha256, c.sha256, sizeof(c.sha256), err) != 0 ||
	    read_form(o, "key", mm_wire_is_sha256, c.key, sizeof(c.key), err) != 0 ||
	    mm_json_str(o, "sig", SIG_TEXT_MAX, &sig, err) != 0 || read_signature(sig, c.sig, err) != 0)
		return mm_err_prefix(err, "checkpoint");
	*out = c;
	return 0;
}

int mm_checkpoint_decode(const char *json, size_t n, struct mm_checkpoint *out, struct mm_err *err)
{
	json_t *o = mm_wire_load("checkpoint", json, n, err);
	if (o == NULL)
		return -1;
	int rc = mm_checkpoint_read(o, out, err);
	json_decref(o);
	return rc;
}

/* ---- END */

static json_t *seals_json(const struct mm_end_seals *x)
{
	json_t *list = json_array();
	for (size_t i = 0; i < x->n && i < MM_SEALS_MAX; i++)
		if (json_array_append_new(list, signature_json(x->sigs[i])) != 0)
			mm_oom();
	return list;
}

void mm_end_encode_sealed(struct mm_tally *t, const struct mm_end_seals *x, struct mm_buf *out)
{
	json_t *o = mm_end_json(t);
	if (x != NULL && x->key != NULL) {
		mm_json_set_str(o, "key", x->key);
		mm_json_set(o, "signatures", seals_json(x));
	}
	if (x != NULL && x->checkpoint != NULL)
		mm_json_set(o, "checkpoint", mm_checkpoint_json(x->checkpoint));
	mm_wire_finish(o, out);
}

static int read_seals(const json_t *o, struct mm_arena *a, struct mm_end_seals *x, struct mm_err *err)
{
	const json_t *list, *point;
	if (mm_wire_form_str(o, "key", mm_wire_is_sha256, true, a, &x->key, err) != 0 ||
	    mm_json_array(o, "signatures", MM_SEALS_MAX, true, &list, err) != 0 ||
	    mm_json_object(o, "checkpoint", true, &point, err) != 0)
		return -1;
	if (x->key != NULL) {
		unsigned char(*sigs)[MM_SIGNATURE] =
		    mm_arena_alloc(a, json_array_size(list) + 1, sizeof(*sigs));
		x->sigs = (const unsigned char(*)[MM_SIGNATURE])sigs;
		for (x->n = 0; x->n < json_array_size(list); x->n++)
			if (read_signature(json_string_value(json_array_get(list, x->n)), sigs[x->n], err) !=
			    0)
				return mm_err_prefix(err, "\"signatures\"");
	}
	if (point == NULL)
		return 0;
	struct mm_checkpoint *c = mm_arena_alloc(a, 1, sizeof(*c));
	x->checkpoint = c;
	return mm_checkpoint_read(point, c, err);
}

int mm_end_seals_decode(
    const char *json, size_t n, struct mm_arena *a, struct mm_end_seals *out, struct mm_err *err)
{
	struct mm_end_seals x = {.key = NULL};
	json_t *o = mm_wire_load("end", json, n, err);
	if (o == NULL)
		return -1;
	int rc = read_seals(o, a, &x, err);
	if (rc == 0)
		*out = x;
	else
		mm_err_prefix(err, "end");
	json_decref(o);
	return rc;
}
