/*
 * The agent's answer on standard output: magic, HELLO, reports, END; counted
 * and hashed as it goes, with a keep-alive when there was nothing to say.
 */
#ifndef MM_AGENT_ANSWER_H
#define MM_AGENT_ANSWER_H

#include <stdint.h>

#include "agent/sealer.h"
#include "common/buf.h"
#include "common/err.h"
#include "schemas/report.h"

struct mm_answer {
	int fd;
	struct mm_tally tally;
	struct mm_sealer *sealer; /* NULL: nothing is signed; set after mm_answer_begin() */
	size_t sent;              /* bytes */
	int64_t last_ms;          /* when something was sent */
	bool broken;              /* nobody listens any more: the run goes on, silently */
	bool overflow;            /* the stream's limit was reached: reports were left out */
};

void mm_answer_begin(struct mm_answer *a, int fd, const char *host);
void mm_answer_frame(struct mm_answer *a, uint16_t type, const void *body, size_t len);
/* A whole report: head, then ready-made frames; `h` NULL: the frames are whole
 * reports of users' own runs. Left out, and remembered as
 * overflow, when the stream's limit does not allow it. */
void mm_answer_report(struct mm_answer *a, const struct mm_report_head *h, const struct mm_buf *frames);
void mm_answer_keepalive(struct mm_answer *a);
/* END; false when the answer did not get through. */
bool mm_answer_end(struct mm_answer *a);
void mm_answer_refuse(struct mm_answer *a, const struct mm_refused *r);

#endif
