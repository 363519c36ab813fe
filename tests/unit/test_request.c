/* Requests: round trip, every member's form and limit, versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/frame.h"
#include "common/json.h"
#include "schemas/proto.h"
#include "schemas/request.h"
#include "tests/unit/edited.h"

#define ID "00112233445566778899aabbccddeeff"
#define HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static struct mm_arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = mm_arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mm_arena_free(arena);
	return 0;
}

static const char good[] =
    "{\"proto\":[1,0],\"op\":\"plan\",\"id\":\"" ID "\",\"host\":\"ws1\",\"epoch\":2,"
    "\"serial\":7,\"revision\":12,\"issued\":100,\"expires\":200,\"manifest\":{\"alice\":\"" HASH
    "\"},\"ack\":[\"" ID "\"],\"op_args\":[\"x\"]}";

/* The good request with one member replaced (or removed, when value is NULL). */
static char *with(const char *key, const char *value)
{
	return edited(arena, good, key, value);
}

static int decode(const char *json, struct mm_request *r, struct mm_err *err)
{
	*err = MM_ERR_NONE;
	return mm_request_decode(json, strlen(json), arena, r, err);
}

static void refused(const char *json, int code, const char *word)
{
	struct mm_request r = {.serial = 4711};
	struct mm_err err;
	if (decode(json, &r, &err) == 0)
		fail_msg("accepted: %.200s", json);
	assert_int_equal(r.serial, 4711);
	assert_int_equal(err.code, code);
	if (strstr(err.text, word) == NULL)
		fail_msg("\"%s\" does not name \"%s\"", err.text, word);
}

static void decodes(void **state)
{
	(void)state;
	struct mm_request r;
	struct mm_err err;
	assert_int_equal(decode(good, &r, &err), 0);
	assert_int_equal(r.major, 1);
	assert_int_equal(r.minor, 0);
	assert_int_equal(r.op, MM_OP_PLAN);
	assert_string_equal(r.id, ID);
	assert_string_equal(r.host, "ws1");
	assert_int_equal(r.epoch, 2);
	assert_int_equal(r.serial, 7);
	assert_int_equal(r.revision, 12);
	assert_int_equal(r.issued, 100);
	assert_int_equal(r.expires, 200);
	assert_int_equal(r.n_manifest, 1);
	assert_string_equal(r.manifest[0].user, "alice");
	assert_string_equal(r.manifest[0].sha256, HASH);
	assert_int_equal(r.n_ack, 1);
	assert_string_equal(r.ack[0], ID);
	assert_int_equal(r.n_op_args, 1);
	assert_string_equal(r.op_args[0], "x");
}

static void round_trip(void **state)
{
	(void)state;
	struct mm_request r;
	struct mm_err err;
	assert_int_equal(decode(good, &r, &err), 0);
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	mm_request_encode(&r, &b);
	assert_true(mm_buf_ok(&b));
	assert_string_equal(mm_buf_str(&b), good);
	mm_buf_free(&b);
}

static void every_op(void **state)
{
	(void)state;
	for (int op = 0; op < MM_OP_COUNT; op++) {
		struct mm_request r;
		struct mm_err err;
		const char *word = mm_op_name((enum mm_op)op);
		assert_int_equal(mm_op_by_name(word), op);
		assert_int_equal(decode(with("op", mm_arena_printf(arena, "\"%s\"", word)), &r, &err), 0);
		assert_int_equal(r.op, op);
	}
	assert_int_equal(mm_op_by_name("Apply"), -1);
	assert_int_equal(mm_op_by_name(NULL), -1);
	refused(with("op", "\"destroy\""), MM_EX_USAGE, "destroy");
	refused(with("op", "1"), MM_EX_DATAERR, "op");
}

static void every_member_is_needed(void **state)
{
	(void)state;
	const char *const needed[] = {
	    "proto", "op", "id", "host", "epoch", "serial", "revision", "issued", "expires", "manifest"};
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		refused(with(needed[i], NULL), MM_EX_DATAERR, needed[i]);
	struct mm_request r;
	struct mm_err err;
	assert_int_equal(decode(with("ack", NULL), &r, &err), 0);
	assert_int_equal(r.n_ack, 0);
	assert_null(r.ack[0]);
	assert_int_equal(decode(with("op_args", NULL), &r, &err), 0);
	assert_int_equal(r.n_op_args, 0);
}

struct wrong {
	const char *key, *value;
};

static void malformed_members(void **state)
{
	(void)state;
	static const struct wrong all[] = {
	    {"proto", "1"},
	    {"proto", "[1]"},
	    {"proto", "[1,0,0]"},
	    {"proto", "[1,-1]"},
	    {"proto", "[\"1\",0]"},
	    {"proto", "[1.0,0]"},
	    {"proto", "[1,65536]"},
	    {"id", "\"abc\""},
	    {"id", "\"" ID "0\""},
	    {"id", "\"00112233445566778899AABBCCDDEEFF\""},
	    {"id", "7"},
	    {"host", "\"\""},
	    {"host", "\"a/b\""},
	    {"host", "\"a\\u0001b\""},
	    {"host", "null"},
	    {"epoch", "-1"},
	    {"epoch", "1.5"},
	    {"epoch", "\"1\""},
	    {"serial", "-1"},
	    {"serial", "9007199254740992"},
	    {"revision", "-1"},
	    {"issued", "-1"},
	    {"issued", "201"},
	    {"expires", "true"},
	    {"manifest", "[]"},
	    {"manifest", "{\"alice\":\"ab\"}"},
	    {"manifest", "{\"alice\":null}"},
	    {"manifest", "{\"-alice\":\"" HASH "\"}"},
	    {"manifest", "{\"\":\"" HASH "\"}"},
	    {"ack", "{}"},
	    {"ack", "[1]"},
	    {"ack", "[\"xyz\"]"},
	    {"ack", "[\"" ID "\",\"" ID "\"]"},
	    {"op_args", "[null]"},
	    {"op_args", "[\"a\\nb\"]"},
	    {"op_args", "[\"a\\u009bb\"]"},
	    {"op_args", "[\"a\",\"a\"]"},
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		refused(with(all[i].key, all[i].value), MM_EX_DATAERR, all[i].key);
}

static void malformed_documents(void **state)
{
	(void)state;
	refused("", MM_EX_DATAERR, "request");
	refused("[]", MM_EX_DATAERR, "request");
	refused("null", MM_EX_DATAERR, "request");
	refused("{", MM_EX_DATAERR, "request");
	refused("{\"proto\":[1,0],\"proto\":[1,0]}", MM_EX_DATAERR, "request");
	refused(mm_arena_printf(arena, "%s{}", good), MM_EX_DATAERR, "request");
	refused(with("host", "\"a\\u0000b\""), MM_EX_DATAERR, "request");
	/* one user twice in the manifest is a duplicate member */
	refused(mm_arena_printf(arena, "{\"manifest\":{\"a\":\"%s\",\"a\":\"%s\"}}", HASH, HASH),
	    MM_EX_DATAERR, "request");
}

static void versions(void **state)
{
	(void)state;
	struct mm_request r;
	struct mm_err err;
	refused(with("proto", "[2,0]"), MM_EX_NOPERM, "1.0 to 1.3");
	refused(with("proto", "[0,9]"), MM_EX_NOPERM, "1.0 to 1.3");
	refused(with("novelty", "1"), MM_EX_DATAERR, "novelty");
	json_t *o = json_loads(with("novelty", "1"), 0, NULL);
	json_t *proto = json_loads("[1,4]", 0, NULL);
	mm_json_set(o, "proto", proto);
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	mm_json_dump(o, &b);
	assert_int_equal(decode(mm_buf_str(&b), &r, &err), 0);
	assert_int_equal(r.minor, 4);
	mm_buf_free(&b);
	json_decref(o);
}

/* A version that is unknown is said before anything else is looked at. */
static void version_comes_first(void **state)
{
	(void)state;
	refused("{\"proto\":[2,0],\"op\":\"fly\",\"host\":7}", MM_EX_NOPERM, "protocol 2.0");
}

static char *manifest_of(int n)
{
	json_t *m = json_object();
	for (int i = 0; i < n; i++)
		mm_json_set_str(m, mm_arena_printf(arena, "user%d", i), HASH);
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	mm_json_dump(m, &b);
	char *text = mm_arena_strdup(arena, mm_buf_str(&b));
	mm_buf_free(&b);
	json_decref(m);
	return text;
}

static char *list_of(int n, const char *fmt_prefix, int digits)
{
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	mm_buf_addc(&b, '[');
	for (int i = 0; i < n; i++)
		mm_buf_addf(&b, "%s\"%s%0*d\"", i == 0 ? "" : ",", fmt_prefix, digits, i);
	mm_buf_addc(&b, ']');
	assert_true(mm_buf_ok(&b));
	char *text = mm_arena_strdup(arena, mm_buf_str(&b));
	mm_buf_free(&b);
	return text;
}

static void limits(void **state)
{
	(void)state;
	struct mm_request r;
	struct mm_err err;
	assert_int_equal(decode(with("manifest", manifest_of(MM_MANIFEST_MAX)), &r, &err), 0);
	assert_int_equal(r.n_manifest, MM_MANIFEST_MAX);
	assert_string_equal(r.manifest[MM_MANIFEST_MAX - 1].user, "user4095");
	refused(with("manifest", manifest_of(MM_MANIFEST_MAX + 1)), MM_EX_DATAERR, "4096");
	assert_int_equal(decode(with("ack", list_of(MM_ACK_MAX, "", 32)), &r, &err), 0);
	assert_int_equal(r.n_ack, MM_ACK_MAX);
	refused(with("ack", list_of(MM_ACK_MAX + 1, "", 32)), MM_EX_DATAERR, "ack");
	assert_int_equal(decode(with("op_args", list_of(64, "", 1024)), &r, &err), 0);
	refused(with("op_args", list_of(65, "", 4)), MM_EX_DATAERR, "op_args");
	refused(with("op_args", list_of(1, "", 1025)), MM_EX_DATAERR, "op_args");
	assert_int_equal(decode(with("serial", "9007199254740991"), &r, &err), 0);
	assert_int_equal(decode(with("manifest", "{}"), &r, &err), 0);
	assert_int_equal(r.n_manifest, 0);
}

/* The largest request that the limits allow fits the frame that carries it. */
static void largest_fits(void **state)
{
	(void)state;
	struct mm_manifest_entry *m = mm_arena_alloc(arena, MM_MANIFEST_MAX, sizeof(*m));
	const char **ack = mm_arena_alloc(arena, MM_ACK_MAX, sizeof(*ack));
	for (int i = 0; i < MM_MANIFEST_MAX; i++) {
		m[i].user = mm_arena_printf(arena, "user.with-a-long-name.%d", i);
		memcpy(m[i].sha256, HASH, sizeof(HASH));
	}
	for (int i = 0; i < MM_ACK_MAX; i++)
		ack[i] = mm_arena_printf(arena, "%032d", i);
	struct mm_request r = {.major = MM_PROTO_MAJOR,
	    .minor = MM_PROTO_MINOR,
	    .op = MM_OP_APPLY,
	    .id = ID,
	    .host = "ws1",
	    .issued = 1,
	    .expires = 2,
	    .manifest = m,
	    .n_manifest = MM_MANIFEST_MAX,
	    .ack = ack,
	    .n_ack = MM_ACK_MAX};
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX / 4 * 3);
	mm_request_encode(&r, &b);
	assert_true(mm_buf_ok(&b));
	struct mm_request again;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_request_decode(b.data, b.len, arena, &again, &err), 0);
	mm_buf_free(&b);
}

/* Which generation a restore is about. */
static void generation(void **state)
{
	static const char *const wrong[] = {"alice", "generation=7", "+generation",
	    "+generation=", "+generation=0", "+generation=-1", "+generation=7 ", "+generation=x",
	    "+generation=99999999999999999999", "+again"};
	int64_t number = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(mm_restore_generation(wrong[i], &number), -1);
	assert_int_equal(number, 77);
	assert_int_equal(mm_restore_generation("+generation=7", &number), 0);
	assert_int_equal(number, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decodes),
	    cmocka_unit_test(round_trip),
	    cmocka_unit_test(every_op),
	    cmocka_unit_test(generation),
	    cmocka_unit_test(every_member_is_needed),
	    cmocka_unit_test(malformed_members),
	    cmocka_unit_test(malformed_documents),
	    cmocka_unit_test(versions),
	    cmocka_unit_test(version_comes_first),
	    cmocka_unit_test(limits),
	    cmocka_unit_test(largest_fits),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
