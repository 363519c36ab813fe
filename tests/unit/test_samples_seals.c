/* The frozen samples of protocol 1.2: signatures and checkpoints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/frame.h"
#include "common/json.h"
#include "schemas/facts.h"
#include "schemas/probe.h"
#include "schemas/proto.h"
#include "schemas/rotation.h"
#include "schemas/seal.h"
#include "schemas/sheet.h"
#include "schemas/signing.h"
#include "tests/unit/samples_box.h"

static struct mm_key *sample_key(struct box *b)
{
	size_t n;
	struct mm_key *k = NULL;
	const char *pem = sample(b, "v1/test-key.pub.pem", &n);
	assert_int_equal(mm_key_from_public_pem(pem, n, &k, &b->err), 0);
	return k;
}

static void sealed(void **state)
{
	struct box *b = *state;
	struct mm_key *k = sample_key(b);
	struct mm_request r;
	struct mm_end_seals x;
	struct mm_checkpoint c;
	size_t n;
	const char *json = sample(b, "v1.2/request.json", &n);
	assert_int_equal(mm_request_decode(json, n, b->a, &r, &b->err), 0);
	assert_int_equal(r.checkpoint->seq, 1234);
	assert_int_equal(r.checkpoint->entries, 1200);
	assert_int_equal(mm_checkpoint_verify(r.checkpoint, k, &b->err), 0);
	struct mm_buf again = NEW_BUF;
	mm_request_encode(&r, &again);
	same_meaning(json, n, &again);
	json = sample(b, "v1.2/end.json", &n);
	assert_int_equal(mm_end_seals_decode(json, n, b->a, &x, &b->err), 0);
	assert_int_equal(x.n, 1);
	assert_int_equal(mm_checkpoint_verify(x.checkpoint, k, &b->err), 0);
	const struct mm_report_head h = {.host = "ws1.acme.example",
	    .id = "ffeeddccbbaa99887766554433221100",
	    .request_id = "00112233445566778899aabbccddeeff",
	    .collected = 1795600000};
	struct mm_seal seal;
	mm_sha256_hex("frames", 6, seal.sha256);
	memcpy(seal.sig, x.sigs[0], sizeof(seal.sig));
	assert_int_equal(mm_report_verify(k, &h, MM_EV_ATTESTED, &seal, &b->err), 0);
	assert_int_equal(mm_report_verify(k, &h, MM_EV_CLAIMED, &seal, &b->err), -1);
	json = sample(b, "v1.2/checkpoint.json", &n);
	assert_int_equal(mm_checkpoint_decode(json, n, &c, &b->err), 0);
	assert_int_equal(mm_checkpoint_verify(&c, k, &b->err), 0);
	c.seq++;
	assert_int_equal(mm_checkpoint_verify(&c, k, &b->err), -1);
	assert_int_equal(b->err.code, MM_EX_NOPERM);
	mm_key_free(k);
}

/* Protocol 1.3: by the key of v1 one comes to trust the key that has signed. */
static void rotated(void **state)
{
	struct box *b = *state;
	struct mm_key *k = sample_key(b), *fresh = NULL;
	struct mm_envelope_raw raw;
	char keyid[MM_SHA256_HEX];
	size_t n;
	const char *json = sample(b, "v1.3/envelope.json", &n);
	assert_int_equal(mm_envelope_decode(json, n, &raw, &b->err), 0);
	assert_int_equal(mm_envelope_verify(&raw, MM_REQUEST_TYPE, &k, 1, keyid, &b->err), -1);
	assert_int_equal(raw.n_rotations, 1);
	struct mm_rotation *r = &raw.rotations[0];
	assert_int_equal(r->epoch, 2);
	assert_int_equal(mm_rotation_verify(r, k, &fresh, &b->err), 0);
	assert_int_equal(mm_envelope_verify(&raw, MM_REQUEST_TYPE, &fresh, 1, keyid, &b->err), 0);
	json_t *o = mm_rotation_json(r);
	struct mm_buf text = NEW_BUF;
	struct mm_rotation again;
	mm_json_dump(o, &text);
	json_decref(o);
	assert_int_equal(mm_rotation_decode(mm_buf_str(&text), text.len, &again, &b->err), 0);
	assert_memory_equal(&again, r, sizeof(again));
	mm_buf_free(&text);
	/* Each signature counts. */
	mm_key_free(fresh);
	fresh = NULL;
	r->sig[5] ^= 1;
	assert_int_equal(mm_rotation_verify(r, k, &fresh, &b->err), -1);
	assert_int_equal(b->err.code, MM_EX_NOPERM);
	r->sig[5] ^= 1;
	r->proof[5] ^= 1;
	assert_int_equal(mm_rotation_verify(r, k, &fresh, &b->err), -1);
	r->proof[5] ^= 1;
	r->public[5] ^= 1;
	assert_int_equal(mm_rotation_verify(r, k, &fresh, &b->err), -1);
	r->public[5] ^= 1;
	r->epoch++;
	assert_int_equal(mm_rotation_verify(r, k, &fresh, &b->err), -1);
	assert_null(fresh);
	mm_envelope_raw_free(&raw);
	mm_key_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(sealed), cmocka_unit_test(rotated)};
	return cmocka_run_group_tests(tests, box_setup, box_teardown);
}
