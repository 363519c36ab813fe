/* The signatures of reports: told apart, verified late, loud when they stop. */
#include "common/frame.h"
#include "schemas/proto.h"
#include "schemas/signing.h"
#include "store_fixture.h"

#include <string.h>

#define HASH "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct signer {
	struct mm_key *k;
	struct mm_buf pem;
};

static void give_key(struct fixture *f, struct signer *s)
{
	struct mm_store_host h;
	enum mm_put done;

	ok(f, mm_key_generate(&s->k, &f->err));
	s->pem = MM_BUF_INIT(4096);
	ok(f, mm_key_public_pem(s->k, &s->pem, &f->err));
	ok(f, mm_store_host_get(f->s, "ws1", f->a, &h, &f->err));
	h.report_key = mm_buf_str(&s->pem);
	ok(f, mm_store_host_put(f->s, &h, &done, &f->err));
}

static void drop(struct signer *s)
{
	mm_key_free(s->k);
	mm_buf_free(&s->pem);
}

static struct mm_seal seal_for(struct fixture *f, const struct signer *s, const struct made *m)
{
	struct mm_seal seal;
	struct mm_buf text = MM_BUF_INIT(MM_STATEMENT_MAX);

	memcpy(seal.sha256, HASH, sizeof(seal.sha256));
	memcpy(seal.key, mm_key_id(s->k), sizeof(seal.key));
	mm_report_statement(&m->head, m->head.evidence, seal.sha256, &text);
	ok(f, mm_sign(s->k, mm_buf_str(&text), text.len, seal.sig, &f->err));
	mm_buf_free(&text);
	return seal;
}

static void counts(
    struct fixture *f, int64_t none, int64_t unchecked, int64_t good, int64_t bad, int64_t missing)
{
	int64_t n[MM_SEAL_COUNT];

	ok(f, mm_store_seals_count(f->s, n, &f->err));
	assert_int_equal(n[MM_SEAL_NONE], none);
	assert_int_equal(n[MM_SEAL_UNCHECKED], unchecked);
	assert_int_equal(n[MM_SEAL_GOOD], good);
	assert_int_equal(n[MM_SEAL_BAD], bad);
	assert_int_equal(n[MM_SEAL_MISSING], missing);
}

static void check(struct fixture *f, int64_t max, int64_t want, int64_t want_bad)
{
	int64_t n = -1, bad = -1;

	ok(f, mm_store_seals_check(f->s, max, &n, &bad, &f->err));
	assert_int_equal(n, want);
	assert_int_equal(bad, want_bad);
}

static void store_signed(struct fixture *f, struct made *m, const struct mm_seal *seal)
{
	m->in.seal = seal;
	assert_true(store_report(f, m));
}

static void test_states(void **state)
{
	struct fixture *f = *state;
	struct signer s, other;
	struct made m;
	struct mm_seal seal;

	make_report(&m, "r0", "alice");
	store_signed(f, &m, NULL); /* before it had a key: no alarm */
	counts(f, 1, 0, 0, 0, 0);
	give_key(f, &s);
	make_report(&m, "r1", "alice");
	seal = seal_for(f, &s, &m);
	store_signed(f, &m, &seal);
	make_report(&m, "r2", "alice");
	seal = seal_for(f, &s, &m);
	m.head.collected++; /* another than what was signed */
	store_signed(f, &m, &seal);
	make_report(&m, "r3", "alice");
	m.head.evidence = MM_EV_CLAIMED;
	seal = seal_for(f, &s, &m);
	m.head.evidence = MM_EV_ATTESTED; /* carried, but passed off as seen by root */
	store_signed(f, &m, &seal);
	counts(f, 1, 3, 0, 0, 0);
	check(f, 2, 2, 1);
	check(f, 0, 1, 1);
	counts(f, 1, 0, 1, 2, 0);
	/* A new key does not make what the old one signed bad, and a stranger's is none. */
	make_report(&m, "r4", "alice");
	seal = seal_for(f, &s, &m);
	give_key(f, &other);
	store_signed(f, &m, &seal);
	drop(&s);
	ok(f, mm_key_generate(&s.k, &f->err));
	make_report(&m, "r5", "alice");
	seal = seal_for(f, &s, &m);
	store_signed(f, &m, &seal);
	check(f, 0, 2, 1);
	counts(f, 1, 0, 2, 3, 0);
	drop(&s);
	drop(&other);
}

static int take_bad(const struct mm_seal_row *r, void *arg, struct mm_err *err)
{
	(void)err;
	assert_string_equal(r->host, "ws1");
	assert_string_equal(r->id, "r2");
	assert_int_equal(r->state, MM_SEAL_MISSING);
	++*(int *)arg;
	return 0;
}

static void test_missing(void **state)
{
	struct fixture *f = *state;
	struct signer s;
	struct made m;
	struct mm_seal seal;
	struct mm_fleet fleet;
	bool signs = true;
	int n = 0;

	ok(f, mm_store_host_signs(f->s, "ws1", &signs, &f->err));
	assert_false(signs);
	give_key(f, &s);
	make_report(&m, "r1", "alice");
	seal = seal_for(f, &s, &m);
	store_signed(f, &m, &seal);
	ok(f, mm_store_host_signs(f->s, "ws1", &signs, &f->err));
	assert_true(signs);
	make_report(&m, "r2", "alice");
	store_signed(f, &m, NULL);
	counts(f, 0, 1, 0, 0, 1);
	ok(f, mm_store_seals_bad(f->s, 0, take_bad, &n, &f->err));
	assert_int_equal(n, 1);
	ok(f, mm_store_fleet(f->s, NULL, &fleet, &f->err));
	assert_int_equal(fleet.seals_bad, 1);
	ok(f, mm_store_seals_bad(f->s, T0 + 1, take_bad, &n, &f->err));
	assert_int_equal(n, 1);
	drop(&s);
}

/* What both sides hash: from one REPORT to the next, keeping alive left out. */
static void test_sealing(void **state)
{
	struct mm_sealing s = {.sha = NULL};
	char one[MM_SHA256_HEX], two[MM_SHA256_HEX];

	(void)state;
	assert_false(mm_sealing_end(&s, one));
	mm_sealing_add(&s, MM_FT_FINDING, "{}", 2); /* of no report */
	assert_false(mm_sealing_end(&s, one));
	mm_sealing_add(&s, MM_FT_REPORT, "{}", 2);
	mm_sealing_add(&s, MM_FT_FINDING, "{1}", 3);
	assert_true(mm_sealing_end(&s, one));
	mm_sealing_add(&s, MM_FT_REPORT, "{}", 2);
	mm_sealing_add(&s, MM_FT_KEEPALIVE, "", 0);
	mm_sealing_add(&s, MM_FT_FINDING, "{1}", 3);
	assert_true(mm_sealing_end(&s, two));
	assert_string_equal(one, two);
	mm_sealing_add(&s, MM_FT_REPORT, "{}", 2);
	mm_sealing_add(&s, MM_FT_LOGIN, "{1}", 3);
	assert_true(mm_sealing_end(&s, two));
	assert_string_not_equal(one, two);
}

static void test_end(void **state)
{
	struct fixture *f = *state;
	unsigned char sigs[2][MM_SIGNATURE];
	struct mm_checkpoint point = {.seq = 7, .entries = 7, .time = T0, .sha256 = HASH, .key = HASH}, back;
	const struct mm_end_seals x = {
	    .key = HASH, .sigs = (const unsigned char(*)[MM_SIGNATURE])sigs, .n = 2, .checkpoint = &point};
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	struct mm_end_seals got;
	struct mm_tally t;

	memset(sigs[0], 1, MM_SIGNATURE);
	memset(sigs[1], 2, MM_SIGNATURE);
	mm_random_id(point.fleet);
	mm_tally_init(&t);
	mm_end_encode_sealed(&t, &x, &b);
	mm_tally_init(&t);
	ok(f, mm_end_check(&t, b.data, b.len, &f->err)); /* as a program that knows no seals */
	ok(f, mm_end_seals_decode(b.data, b.len, f->a, &got, &f->err));
	assert_int_equal(got.n, 2);
	assert_memory_equal(got.sigs[1], sigs[1], MM_SIGNATURE);
	back = *got.checkpoint;
	assert_int_equal(back.seq, 7);
	assert_string_equal(back.fleet, point.fleet);
	ok(f, mm_end_seals_decode("{\"frames\":1}", 12, f->a, &got, &f->err));
	assert_null(got.key);
	assert_null(got.checkpoint);
	static const char *const bad[] = {"{\"key\":\"x\"}",
	    "{\"key\":\"" HASH "\",\"signatures\":[\"AA==\"]}", "{\"key\":\"" HASH "\",\"signatures\":[1]}",
	    "{\"checkpoint\":{\"seq\":0}}", "{\"checkpoint\":1}"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(mm_end_seals_decode(bad[i], strlen(bad[i]), f->a, &got, &f->err), -1);
		assert_int_equal(f->err.code, MM_EX_DATAERR);
	}
	mm_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_states, people_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_missing, people_setup, store_teardown),
	    cmocka_unit_test(test_sealing),
	    cmocka_unit_test_setup_teardown(test_end, people_setup, store_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
