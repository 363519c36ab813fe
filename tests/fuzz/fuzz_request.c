/* Requests: what decodes is in form, and encodes to what decodes to the same. */
#include <stdint.h>
#include <string.h>

#include "common/frame.h"
#include "common/text.h"
#include "schemas/proto.h"
#include "schemas/request.h"
#include "schemas/settings.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct mm_request *r)
{
	assert(r->major == MM_PROTO_MAJOR && r->op < MM_OP_COUNT);
	assert(strlen(r->id) == MM_ID_LEN - 1 && mm_is_login(r->host));
	assert(r->expires >= r->issued && r->epoch >= 0 && r->serial >= 0);
	assert(r->n_manifest <= MM_MANIFEST_MAX && r->n_ack <= MM_ACK_MAX);
	for (size_t i = 0; i < r->n_manifest; i++)
		assert(
		    mm_is_login(r->manifest[i].user) && strlen(r->manifest[i].sha256) == MM_SHA256_HEX - 1);
	for (size_t i = 0; i < r->n_op_args; i++)
		assert(!mm_has_control(r->op_args[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	struct mm_request r, again;
	struct mm_buf one = MM_BUF_INIT(4 * MM_FRAME_MAX), two = MM_BUF_INIT(4 * MM_FRAME_MAX);
	if (mm_request_decode((const char *)data, size, a, &r, &err) == 0) {
		check(&r);
		mm_request_encode(&r, &one);
		assert(mm_buf_ok(&one) && mm_request_decode(one.data, one.len, a, &again, &err) == 0);
		mm_request_encode(&again, &two);
		assert(mm_streq(mm_buf_str(&one), mm_buf_str(&two)));
	} else {
		assert(err.code == MM_EX_DATAERR || err.code == MM_EX_NOPERM || err.code == MM_EX_USAGE);
		assert(err.text[0] != '\0');
	}
	mm_buf_free(&one);
	mm_buf_free(&two);
	mm_arena_free(a);
	return 0;
}
