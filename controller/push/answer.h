/*
 * One host's answer while it arrives: bytes in, frames out, END checked.
 */
#ifndef MM_PUSH_ANSWER_H
#define MM_PUSH_ANSWER_H

#include "common/frame.h"
#include "controller/push/outcome.h"
#include "schemas/report.h"

enum mm_answer_state {
	MM_ANSWER_OPEN,     /* more is to come */
	MM_ANSWER_COMPLETE, /* a good END */
	MM_ANSWER_REFUSED,  /* the agent refused; see `refused_*` */
	MM_ANSWER_BAD,      /* it breaks the protocol */
};

struct mm_answer {
	enum mm_answer_state state;
	struct mm_frame_decoder in;
	struct mm_tally tally;
	bool hello;
	char host[256]; /* as HELLO names it; "" before it came */
	int refused_code;
	int64_t refused_epoch, refused_serial; /* of a replay: what the host has seen, 0 = not told */
	char refused_reason[32];
	char refused_text[512];
};

void mm_answer_init(struct mm_answer *a);
void mm_answer_free(struct mm_answer *a);
/* Take bytes; `frame` gets every REPORT, FINDING and LOGIN frame, and an END that is good. -1 with
 * an error when the answer is MM_ANSWER_BAD. */
typedef int mm_answer_frame(void *ctx, const struct mm_frame *f, struct mm_err *err);
int mm_answer_feed(
    struct mm_answer *a, const void *p, size_t n, mm_answer_frame *frame, void *ctx, struct mm_err *err);
/* Bytes of memory that it holds. */
size_t mm_answer_held(const struct mm_answer *a);

#endif
