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
#include "schemas/seal.h"
#include "schemas/sheet.h"
#include "schemas/signing.h"

#define SAMPLES MM_SOURCE_DIR "/schemas/samples/"
#define NEW_BUF MM_BUF_INIT(MM_FRAME_MAX)

struct box {
	struct mm_arena *a;
	struct mm_err err;
};

static int setup(void **state)
{
	struct box *b = mm_xcalloc(1, sizeof(*b));
	b->a = mm_arena_new();
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct box *b = *state;
	mm_arena_free(b->a);
	free(b);
	return 0;
}

/* A whole sample, in the arena. */
static const char *sample(const struct box *b, const char *name, size_t *n)
{
	const char *path = mm_arena_printf(b->a, SAMPLES "%s", name);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("%s is missing", path);
	char *data = mm_arena_alloc(b->a, 65536, 1);
	size_t got = fread(data, 1, 65535, f);
	fclose(f);
	assert_in_range(got, 1, 65534);
	if (n != NULL)
		*n = got;
	return data;
}

/* Both texts mean the same JSON. Frees the second. */
static void same_meaning(const char *x, size_t n, struct mm_buf *y)
{
	assert_true(mm_buf_ok(y));
	json_t *jx = json_loadb(x, n, JSON_REJECT_DUPLICATES, NULL);
	json_t *jy = json_loadb(mm_buf_str(y), y->len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(jx);
	if (!json_equal(jx, jy))
		fail_msg("%.*s\n became\n%s", (int)n, x, mm_buf_str(y));
	json_decref(jx);
	json_decref(jy);
	mm_buf_free(y);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(sealed)};
	return cmocka_run_group_tests(tests, setup, teardown);
}
