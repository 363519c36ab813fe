#include "controller/push/answer.h"

#include <string.h>

#include "common/mem.h"
#include "schemas/proto.h"

void mm_answer_init(struct mm_answer *a)
{
	*a = (struct mm_answer){.state = MM_ANSWER_OPEN};
	mm_frame_decoder_init(&a->in, true);
	mm_tally_init(&a->tally);
}

void mm_answer_free(struct mm_answer *a)
{
	mm_frame_decoder_free(&a->in);
	mm_tally_free(&a->tally);
}

size_t mm_answer_held(const struct mm_answer *a)
{
	return a->in.in.len;
}

static void copy(char *out, size_t size, const char *s)
{
	size_t n = strlen(s) < size ? strlen(s) : size - 1;
	memcpy(out, s, n);
	out[n] = '\0';
}

static int take_refused(struct mm_answer *a, const struct mm_frame *f, struct mm_err *err)
{
	struct mm_arena *arena = mm_arena_new();
	struct mm_refused r;
	int rc = mm_refused_decode(f->body, f->len, arena, &r, err);
	if (rc == 0) {
		a->refused_code = r.code;
		a->refused_epoch = r.epoch;
		a->refused_serial = r.serial;
		copy(a->refused_reason, sizeof(a->refused_reason), r.reason);
		copy(a->refused_text, sizeof(a->refused_text), r.text != NULL ? r.text : "");
		a->state = MM_ANSWER_REFUSED;
	}
	mm_arena_free(arena);
	return rc;
}

static int take_hello(struct mm_answer *a, const struct mm_frame *f, struct mm_err *err)
{
	struct mm_arena *arena = mm_arena_new();
	struct mm_hello h;
	int rc = a->hello || a->tally.frames > 0
		     ? mm_err_set(err, MM_EX_DATAERR, "HELLO is not the first frame")
		     : mm_hello_decode(f->body, f->len, arena, &h, err);
	if (rc == 0)
		copy(a->host, sizeof(a->host), h.host);
	a->hello = true;
	mm_arena_free(arena);
	return rc;
}

static int take(
    struct mm_answer *a, const struct mm_frame *f, mm_answer_frame *frame, void *ctx, struct mm_err *err)
{
	if (a->state != MM_ANSWER_OPEN)
		return mm_err_set(
		    err, MM_EX_DATAERR, "a frame of type %u after the end of the answer", (unsigned)f->type);
	if (f->type != MM_FT_HELLO && f->type != MM_FT_REFUSED && f->type != MM_FT_KEEPALIVE && !a->hello)
		return mm_err_set(err, MM_EX_DATAERR, "the answer does not begin with HELLO");
	int rc;
	switch (f->type) {
	case MM_FT_KEEPALIVE:
		return f->len == 0 ? 0 : mm_err_set(err, MM_EX_DATAERR, "a keep-alive that is not empty");
	case MM_FT_HELLO:
		rc = take_hello(a, f, err);
		break;
	case MM_FT_REPORT:
	case MM_FT_FINDING:
	case MM_FT_LOGIN:
		rc = frame(ctx, f, err);
		break;
	case MM_FT_REFUSED:
		return take_refused(a, f, err);
	case MM_FT_END:
		rc = mm_end_check(&a->tally, f->body, f->len, err);
		if (rc == 0)
			rc = frame(ctx, f, err);
		a->state = MM_ANSWER_COMPLETE;
		return rc;
	default:
		return mm_err_set(
		    err, MM_EX_DATAERR, "a frame of type %u has no place in an answer", (unsigned)f->type);
	}
	mm_tally_add(&a->tally, f->type, f->body, f->len);
	return rc;
}

int mm_answer_feed(
    struct mm_answer *a, const void *p, size_t n, mm_answer_frame *frame, void *ctx, struct mm_err *err)
{
	struct mm_frame f;
	int rc = mm_frame_feed(&a->in, p, n, err);
	while (rc == 0 && (rc = mm_frame_next(&a->in, &f, err)) > 0)
		rc = take(a, &f, frame, ctx, err);
	if (rc < 0)
		a->state = MM_ANSWER_BAD;
	return rc;
}
