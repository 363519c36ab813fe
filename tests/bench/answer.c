/*
 * mm-bench-answer: what an agent says when everything is in order, and
 * nothing else: the simulated agent of the fleet behind a forced command, on
 * a host that has just been set up. It checks no signature; it is for
 * measuring the controller's side.
 */
#include <stdio.h>

#include "common/proc.h"
#include "tests/bench/fleet/simagent.h"

static int read_request(struct mm_sim_request *r, struct mm_err *err)
{
	struct mm_frame_decoder d;
	struct mm_frame f;
	int rc = 0;
	mm_frame_decoder_init(&d, true);
	while (rc == 0 && !r->complete) {
		rc = mm_frame_read_fd(&d, 0, 30000, &f, err);
		rc = rc > 0 ? mm_sim_request_frame(r, &f, err) : -1;
	}
	mm_frame_decoder_free(&d);
	return rc;
}

int main(void)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_sim_request r;
	struct mm_sim_host host = {.revision = 0};
	struct mm_buf out = MM_BUF_INIT(MM_STREAM_MAX);
	mm_process_init();
	mm_sim_request_init(&r);
	int rc = read_request(&r, &err);
	if (rc == 0) {
		(void)mm_sim_answer(&r, &host, 0, &out);
		rc = mm_write_all(1, out.data, out.len, &err);
	}
	if (rc != 0)
		fprintf(stderr, "mm-bench-answer: %s\n", err.text);
	mm_buf_free(&out);
	mm_sim_request_free(&r);
	return rc == 0 ? 0 : 1;
}
