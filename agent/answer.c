#include "agent/answer.h"

#include <time.h>

#include "common/frame.h"
#include "schemas/proto.h"

#define RESERVE (2u * MM_FRAME_MAX) /* of the stream's limit, for END and keep-alive frames */

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void put(struct mm_answer *a, const struct mm_buf *bytes)
{
	if (!a->broken && mm_write_all(a->fd, mm_buf_str(bytes), bytes->len, NULL) != 0)
		a->broken = true;
	a->sent += bytes->len;
	a->last_ms = now_ms();
}

void mm_answer_frame(struct mm_answer *a, uint16_t type, const void *body, size_t len)
{
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_HEADER + (size_t)MM_FRAME_MAX);
	mm_frame_put(&b, type, body, len);
	mm_tally_add(&a->tally, type, body, len);
	mm_sealer_frame(a->sealer, type, body, len, false);
	put(a, &b);
	mm_buf_free(&b);
}

static void put_body(struct mm_answer *a, uint16_t type, struct mm_buf *body)
{
	mm_answer_frame(a, type, mm_buf_str(body), body->len);
	mm_buf_free(body);
}

void mm_answer_begin(struct mm_answer *a, int fd, const char *host)
{
	struct mm_buf magic = MM_BUF_INIT(64), body = MM_BUF_INIT(4096);
	const struct mm_hello h = {
	    .agent = MM_VERSION, .major = MM_PROTO_MAJOR, .minor = MM_PROTO_MINOR, .host = host};
	*a = (struct mm_answer){.fd = fd};
	mm_tally_init(&a->tally);
	mm_frame_magic(&magic);
	put(a, &magic);
	mm_buf_free(&magic);
	mm_hello_encode(&h, &body);
	put_body(a, MM_FT_HELLO, &body);
}

static void forward(struct mm_answer *a, const struct mm_buf *frames, bool carried)
{
	struct mm_frame_decoder d;
	struct mm_frame f;
	mm_frame_decoder_init(&d, false);
	if (mm_frame_feed(&d, mm_buf_str(frames), frames->len, NULL) == 0) {
		while (mm_frame_next(&d, &f, NULL) > 0) {
			mm_tally_add(&a->tally, f.type, f.body, f.len);
			mm_sealer_frame(a->sealer, f.type, f.body, f.len, carried);
		}
		put(a, frames);
	}
	mm_frame_decoder_free(&d);
}

void mm_answer_report(struct mm_answer *a, const struct mm_report_head *h, const struct mm_buf *frames)
{
	struct mm_buf body = MM_BUF_INIT(MM_FRAME_MAX);
	if (h != NULL)
		mm_report_head_encode(h, &body);
	if (a->sent + body.len + frames->len + RESERVE > MM_STREAM_MAX) {
		a->overflow = true;
		mm_buf_free(&body);
		return;
	}
	if (h != NULL)
		put_body(a, MM_FT_REPORT, &body);
	if (frames->len > 0)
		forward(a, frames, h == NULL);
}

void mm_answer_keepalive(struct mm_answer *a)
{
	if (a->sent + RESERVE < MM_STREAM_MAX && now_ms() - a->last_ms >= MM_KEEPALIVE_S * 1000)
		mm_answer_frame(a, MM_FT_KEEPALIVE, "", 0);
}

bool mm_answer_end(struct mm_answer *a)
{
	struct mm_buf body = MM_BUF_INIT(MM_FRAME_MAX),
		      frame = MM_BUF_INIT(MM_FRAME_HEADER + (size_t)MM_FRAME_MAX);
	struct mm_end_seals seals = {.key = NULL};
	if (a->sealer != NULL)
		seals = mm_sealer_end(a->sealer);
	mm_end_encode_sealed(&a->tally, &seals, &body);
	mm_frame_put(&frame, MM_FT_END, mm_buf_str(&body), body.len);
	put(a, &frame);
	mm_buf_free(&frame);
	mm_buf_free(&body);
	return !a->broken;
}

void mm_answer_refuse(struct mm_answer *a, const struct mm_refused *r)
{
	struct mm_buf body = MM_BUF_INIT(MM_FRAME_MAX);
	mm_refused_encode(r, &body);
	put_body(a, MM_FT_REFUSED, &body);
	mm_tally_free(&a->tally);
}
