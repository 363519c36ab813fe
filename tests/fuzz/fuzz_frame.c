/*
 * The frame decoder. Input: one byte that chooses how the rest is cut into
 * pieces and whether a magic is needed, then the stream. Oracle: however the
 * stream is cut, the same frames come out and the same verdict.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/digest.h"
#include "common/frame.h"

struct outcome {
	uint8_t digest[MM_SHA256_LEN]; /* of all types and bodies */
	size_t frames;
	bool broken;
	bool boundary;
};

static void take_all(struct mm_frame_decoder *d, struct mm_sha256_ctx *c, struct outcome *o)
{
	struct mm_frame f;
	struct mm_err e = MM_ERR_NONE;
	int rc = 0;
	while ((rc = mm_frame_next(d, &f, &e)) == 1) {
		assert(f.len <= MM_FRAME_MAX);
		mm_sha256_add(c, &f.type, sizeof(f.type));
		mm_sha256_add(c, f.body, f.len);
		o->frames++;
	}
	if (rc < 0) {
		assert(e.code == MM_EX_DATAERR && e.text[0] != '\0');
		o->broken = true;
	}
}

static struct outcome decode(const uint8_t *data, size_t size, size_t piece, bool magic)
{
	struct mm_frame_decoder d;
	struct outcome o = {.frames = 0};
	struct mm_sha256_ctx *c = mm_sha256_begin();
	mm_frame_decoder_init(&d, magic);
	for (size_t at = 0; at < size && !o.broken; at += piece) {
		struct mm_err e = MM_ERR_NONE;
		size_t n = size - at < piece ? size - at : piece;
		if (mm_frame_feed(&d, data + at, n, &e) < 0) {
			assert(e.code == MM_EX_DATAERR && e.text[0] != '\0');
			o.broken = true;
			break;
		}
		take_all(&d, c, &o);
	}
	assert(d.noise <= MM_FRAME_NOISE);
	o.boundary = mm_frame_at_boundary(&d);
	mm_sha256_end(c, o.digest);
	mm_frame_decoder_free(&d);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	bool magic = (data[0] & 1) != 0;
	size_t piece = (size_t)(data[0] >> 1) + 1;
	struct outcome cut = decode(data + 1, size - 1, piece, magic);
	struct outcome whole = decode(data + 1, size - 1, size, magic);
	assert(cut.broken == whole.broken);
	/* Too much noise is found before what would follow it. */
	if (!cut.broken) {
		assert(cut.frames == whole.frames && cut.boundary == whole.boundary);
		assert(memcmp(cut.digest, whole.digest, sizeof(cut.digest)) == 0);
	}
	return 0;
}
