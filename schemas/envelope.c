#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/frame.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"
#include "schemas/rotation.h"
#include "schemas/signing.h"
#include "schemas/wire.h"

#define TYPE_MAX 256
#define SIG_LEN 64
#define SIG_BASE64_MAX 88
/* What a frame can carry in base64, roughly; the frame's own limit is exact. */
#define PAYLOAD_MAX (MM_FRAME_MAX / 4 * 3)

/* DSSE v1, "PAE": what is signed in place of the bare payload. */
static void pae(const char *type, const void *payload, size_t n, struct mm_buf *out)
{
	mm_buf_addf(out, "DSSEv1 %zu %s %zu ", strlen(type), type, n);
	mm_buf_add(out, payload, n);
}

int mm_envelope_sign(const char *type, const void *payload, size_t n, const struct mm_key *k,
    struct mm_buf *out, struct mm_err *err)
{
	return mm_envelope_sign_with(type, payload, n, k, NULL, out, err);
}

int mm_envelope_sign_with(const char *type, const void *payload, size_t n, const struct mm_key *k,
    const char *rotations, struct mm_buf *out, struct mm_err *err)
{
	if (n > PAYLOAD_MAX || strlen(type) > TYPE_MAX)
		return mm_err_set(err, MM_EX_FAILED,
		    "envelope: more than %u bytes to sign, or than %d in the type", PAYLOAD_MAX, TYPE_MAX);
	struct mm_buf text = MM_BUF_INIT(PAYLOAD_MAX + TYPE_MAX + 64);
	unsigned char sig[SIG_LEN];
	pae(type, payload, n, &text);
	int rc = mm_sign(k, text.data, text.len, sig, err);
	mm_buf_free(&text);
	if (rc != 0)
		return -1;
	/* Base64, hexadecimal and a media type hold nothing that JSON escapes. */
	assert(strpbrk(type, "\"\\") == NULL && mm_wire_text_ok(type));
	mm_buf_adds(out, "{\"payload\":\"");
	mm_base64(payload, n, out);
	mm_buf_addf(out, "\",\"payloadType\":\"%s\",\"signatures\":[{\"keyid\":\"%s\",\"sig\":\"", type,
	    mm_key_id(k));
	mm_base64(sig, sizeof(sig), out);
	mm_buf_adds(out, "\"}]");
	if (rotations != NULL)
		mm_buf_addf(out, ",\"rotations\":%s", rotations);
	mm_buf_addc(out, '}');
	return mm_buf_ok(out) ? 0 : mm_err_set(err, MM_EX_FAILED, "envelope: no room");
}

static int read_base64(const json_t *o, const char *key, size_t max, struct mm_buf *out, struct mm_err *err)
{
	const char *s;
	if (mm_json_str(o, key, max, &s, err) != 0)
		return -1;
	if (mm_unbase64(s, strlen(s), out) != 0 || !mm_buf_ok(out))
		return mm_err_set(err, MM_EX_DATAERR, "\"%s\": not base64, or too long", key);
	return 0;
}

static int read_signature(const json_t *o, struct mm_envelope_raw *raw, struct mm_err *err)
{
	const char *keyid;
	if (!json_is_object(o))
		return mm_err_set(err, MM_EX_DATAERR, "\"signatures\": an entry is not an object");
	if (mm_json_str(o, "keyid", MM_SHA256_HEX, &keyid, err) != 0)
		return -1;
	if (!mm_wire_is_sha256(keyid))
		return mm_err_set(err, MM_EX_DATAERR, "\"keyid\": not a SHA-256 in hex");
	struct mm_buf sig = MM_BUF_INIT(SIG_LEN + 8);
	int rc = read_base64(o, "sig", SIG_BASE64_MAX, &sig, err);
	if (rc == 0 && sig.len != SIG_LEN)
		rc = mm_err_set(err, MM_EX_DATAERR, "\"sig\": not %d bytes", SIG_LEN);
	if (rc == 0) {
		memcpy(raw->sigs[raw->n].keyid, keyid, MM_SHA256_HEX);
		memcpy(raw->sigs[raw->n].sig, sig.data, SIG_LEN);
		raw->n++;
	}
	mm_buf_free(&sig);
	return rc;
}

static int read_rotations(const json_t *o, struct mm_envelope_raw *raw, struct mm_err *err)
{
	const json_t *list;
	if (mm_json_array(o, "rotations", MM_ROTATIONS_MAX, true, &list, err) != 0)
		return -1;
	if (json_array_size(list) > 0)
		raw->rotations = mm_xcalloc(json_array_size(list), sizeof(*raw->rotations));
	for (; raw->n_rotations < json_array_size(list); raw->n_rotations++) {
		if (mm_rotation_read(
			json_array_get(list, raw->n_rotations), &raw->rotations[raw->n_rotations], err) != 0)
			return -1;
	}
	return 0;
}

static int read_envelope(const json_t *o, struct mm_envelope_raw *raw, struct mm_err *err)
{
	const char *type;
	const json_t *list;
	if (mm_json_str(o, "payloadType", TYPE_MAX, &type, err) != 0)
		return -1;
	mm_buf_adds(&raw->type, type);
	if (read_base64(o, "payload", MM_FRAME_MAX, &raw->payload, err) != 0 ||
	    mm_json_array(o, "signatures", MM_SIGNATURES_MAX, false, &list, err) != 0)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (read_signature(json_array_get(list, i), raw, err) != 0)
			return -1;
	}
	return raw->n > 0 ? read_rotations(o, raw, err) : mm_err_set(err, MM_EX_DATAERR, "no signature");
}

int mm_envelope_decode(const char *json, size_t n, struct mm_envelope_raw *out, struct mm_err *err)
{
	if (n > MM_FRAME_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "envelope: more than %u bytes", MM_FRAME_MAX);
	json_t *o = mm_wire_load("envelope", json, n, err);
	if (o == NULL)
		return -1;
	struct mm_envelope_raw raw = {.type = MM_BUF_INIT(TYPE_MAX), .payload = MM_BUF_INIT(PAYLOAD_MAX)};
	int rc = read_envelope(o, &raw, err);
	if (rc == 0) {
		*out = raw;
	} else {
		mm_envelope_raw_free(&raw);
		mm_err_prefix(err, "envelope");
	}
	json_decref(o);
	return rc;
}

void mm_envelope_raw_free(struct mm_envelope_raw *raw)
{
	mm_buf_free(&raw->type);
	mm_buf_free(&raw->payload);
	free(raw->rotations);
	raw->rotations = NULL;
	raw->n = raw->n_rotations = 0;
}

/* The first signature that claims to be by this key; a second one by the same
 * key is not looked at. */
static bool holds(const struct mm_envelope_raw *raw, const struct mm_buf *text, const struct mm_key *k)
{
	for (size_t i = 0; i < raw->n; i++) {
		if (mm_streq(raw->sigs[i].keyid, mm_key_id(k)))
			return mm_verify(k, text->data, text->len, raw->sigs[i].sig, NULL) == 0;
	}
	return false;
}

int mm_envelope_verify(const struct mm_envelope_raw *raw, const char *want_type,
    struct mm_key *const *trusted, size_t n_trusted, char keyid[MM_SHA256_HEX], struct mm_err *err)
{
	if (!mm_streq(mm_buf_str(&raw->type), want_type))
		return mm_err_set(err, MM_EX_NOPERM, "envelope: payload type is \"%s\", not \"%s\"",
		    mm_buf_str(&raw->type), want_type);
	struct mm_buf text = MM_BUF_INIT(PAYLOAD_MAX + TYPE_MAX + 64);
	pae(want_type, mm_buf_str(&raw->payload), raw->payload.len, &text);
	const struct mm_key *good = NULL;
	for (size_t i = 0; good == NULL && mm_buf_ok(&text) && i < n_trusted; i++) {
		if (holds(raw, &text, trusted[i]))
			good = trusted[i];
	}
	mm_buf_free(&text);
	if (good == NULL)
		return mm_err_set(
		    err, MM_EX_NOPERM, "envelope: no good signature by one of %zu trusted keys", n_trusted);
	memcpy(keyid, mm_key_id(good), MM_SHA256_HEX);
	return 0;
}
