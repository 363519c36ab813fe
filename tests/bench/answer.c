/*
 * mm-bench-answer: what an agent says when everything is in order, and
 * nothing else: reads a request, answers for each user of its manifest with
 * ten findings and two logins. It checks no signature; it is for measuring
 * the controller's side.
 */
#include <stdio.h>
#include <time.h>

#include "common/digest.h"
#include "common/frame.h"
#include "common/mem.h"
#include "common/proc.h"
#include "schemas/proto.h"
#include "schemas/report.h"
#include "schemas/request.h"
#include "schemas/signing.h"

struct answer {
	struct mm_buf out;
	struct mm_tally tally;
};

static void put(struct answer *a, enum mm_frame_type type, struct mm_buf *body)
{
	mm_frame_put(&a->out, (uint16_t)type, mm_buf_str(body), body->len);
	mm_tally_add(&a->tally, (uint16_t)type, mm_buf_str(body), body->len);
	mm_buf_reset(body);
}

static int read_request(struct mm_arena *arena, struct mm_request *req, struct mm_err *err)
{
	struct mm_frame_decoder d;
	struct mm_envelope_raw raw = {0};
	struct mm_frame f;
	int rc, got = -1;
	mm_frame_decoder_init(&d, true);
	while ((rc = mm_frame_read_fd(&d, 0, 30000, &f, err)) > 0 && f.type != MM_FT_REQUEST_END) {
		if (f.type != MM_FT_ENVELOPE)
			continue;
		if (mm_envelope_decode(f.body, f.len, &raw, err) == 0)
			got = mm_request_decode(mm_buf_str(&raw.payload), raw.payload.len, arena, req, err);
		mm_envelope_raw_free(&raw);
	}
	mm_frame_decoder_free(&d);
	return rc < 0 ? -1 : got;
}

static void put_report(struct answer *a, const struct mm_request *req, struct mm_arena *arena)
{
	struct mm_buf body = MM_BUF_INIT(MM_FRAME_MAX);
	const char **users = mm_arena_alloc(arena, req->n_manifest + 1, sizeof(*users));
	char id[MM_ID_LEN];
	for (size_t i = 0; i < req->n_manifest; i++)
		users[i] = req->manifest[i].user;
	mm_random_id(id);
	const struct mm_report_head head = {.id = id,
	    .host = req->host,
	    .request_id = req->id,
	    .op = mm_op_name(req->op),
	    .evidence = MM_EV_ATTESTED,
	    .epoch = req->epoch,
	    .serial = req->serial,
	    .revision = req->revision,
	    .collected = time(NULL),
	    .agent = "0.1.0",
	    .users = users};
	mm_report_head_encode(&head, &body);
	put(a, MM_FT_REPORT, &body);
	for (size_t i = 0; i < req->n_manifest; i++) {
		for (int s = MM_SET_IN_PROTOCOL; s < MM_SET_IN_PROTOCOL + 10; s++) {
			const struct mm_finding f = {.user = users[i],
			    .client = "mutt",
			    .path = "/home/x/.muttrc",
			    .account = "work",
			    .setting = mm_setting_def((enum mm_setting)s)->id,
			    .desired = "1",
			    .found = "1",
			    .line = s,
			    .state = MM_ST_COMPLIANT,
			    .action = MM_ACT_NONE,
			    .reason = ""};
			mm_finding_encode(&f, &body);
			put(a, MM_FT_FINDING, &body);
		}
		for (int side = 0; side < 2; side++) {
			const struct mm_login l = {.user = users[i],
			    .account = "work",
			    .side = side == 0 ? "incoming" : "outgoing",
			    .protocol = side == 0 ? "imap" : "smtp",
			    .host = "mail.acme.example",
			    .security = "tls",
			    .auth = "password",
			    .username = users[i],
			    .port = 993,
			    .level = MM_LEVEL_LOGIN,
			    .reached = MM_LEVEL_LOGIN,
			    .any = true,
			    .result = MM_LOGIN_PASSED,
			    .cls = "",
			    .text = "",
			    .admin = "",
			    .timing = {1, 1, 1, 1, 1},
			    .when = time(NULL)};
			mm_login_encode(&l, &body);
			put(a, MM_FT_LOGIN, &body);
		}
	}
	mm_buf_free(&body);
}

int main(void)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_arena *arena = mm_arena_new();
	struct mm_request req;
	struct answer a = {.out = MM_BUF_INIT(MM_STREAM_MAX)};
	struct mm_buf body = MM_BUF_INIT(MM_FRAME_MAX);
	mm_process_init();
	if (read_request(arena, &req, &err) != 0) {
		fprintf(stderr, "mm-bench-answer: %s\n", err.text);
		return 1;
	}
	mm_tally_init(&a.tally);
	mm_frame_magic(&a.out);
	const struct mm_hello hello = {
	    .agent = "0.1.0", .major = MM_PROTO_MAJOR, .minor = MM_PROTO_MINOR, .host = req.host};
	mm_hello_encode(&hello, &body);
	put(&a, MM_FT_HELLO, &body);
	put_report(&a, &req, arena);
	mm_end_encode(&a.tally, &body);
	mm_frame_put(&a.out, MM_FT_END, mm_buf_str(&body), body.len);
	int rc = mm_write_all(1, a.out.data, a.out.len, &err);
	mm_buf_free(&body);
	mm_buf_free(&a.out);
	mm_arena_free(arena);
	return rc == 0 ? 0 : 1;
}
