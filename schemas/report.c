#include "schemas/report.h"

#include "common/text.h"
#include "schemas/proto.h"
#include "schemas/wire.h"

#define AGENT_MAX 64 /* a version */

static const char *const evidence_words[] = {"attested", "claimed", NULL};

/* ---- report heads */

/* A report comes from a request's op, or from a user's own session. */
static bool is_report_op(const char *s)
{
	return mm_op_by_name(s) >= 0 || mm_streq(s, "login");
}

void mm_report_head_encode(const struct mm_report_head *h, struct mm_buf *out)
{
	json_t *o = json_object();
	mm_json_set_str(o, "id", h->id);
	mm_json_set_str(o, "host", h->host);
	mm_json_set_str(o, "request_id", h->request_id);
	mm_json_set_str(o, "op", h->op);
	mm_json_set_str(o, "evidence", evidence_words[h->evidence]);
	mm_json_set_int(o, "epoch", h->epoch);
	mm_json_set_int(o, "serial", h->serial);
	mm_json_set_int(o, "revision", h->revision);
	mm_json_set_int(o, "collected", h->collected);
	mm_wire_put(o, "agent", h->agent, AGENT_MAX);
	mm_json_set_str(o, "user", h->user);
	size_t n = 0;
	while (h->users != NULL && h->users[n] != NULL)
		n++;
	mm_wire_put_strings(o, "users", h->users, n, MM_REPORT_NAME_MAX);
	mm_json_set_bool(o, "expired", h->expired);
	if (h->machine != NULL)
		mm_json_set(o, "system", mm_system_json(h->machine));
	mm_wire_finish(o, out);
}

static int read_system(const json_t *o, struct mm_arena *a, struct mm_report_head *h, struct mm_err *err)
{
	const json_t *member;
	struct mm_system *s;
	if (mm_json_object(o, "system", true, &member, err) != 0)
		return -1;
	if (member == NULL)
		return 0;
	s = mm_arena_alloc(a, 1, sizeof(*s));
	h->machine = s;
	return mm_system_read(member, a, s, err);
}

static int read_head(const json_t *o, struct mm_arena *a, struct mm_report_head *h, struct mm_err *err)
{
	const char *evidence;
	size_t n;
	if (mm_wire_form_str(o, "id", mm_wire_is_id, false, a, &h->id, err) != 0 ||
	    mm_wire_form_str(o, "host", mm_is_login, false, a, &h->host, err) != 0 ||
	    mm_wire_form_str(o, "request_id", mm_wire_is_id, true, a, &h->request_id, err) != 0 ||
	    mm_wire_form_str(o, "op", is_report_op, false, a, &h->op, err) != 0 ||
	    mm_wire_listed(o, "evidence", evidence_words, false, &evidence, err) != 0 ||
	    mm_json_int(o, "epoch", 0, MM_WIRE_INT_MAX, &h->epoch, err) != 0 ||
	    mm_json_int(o, "serial", 0, MM_WIRE_INT_MAX, &h->serial, err) != 0 ||
	    mm_json_int(o, "revision", 0, MM_WIRE_INT_MAX, &h->revision, err) != 0 ||
	    mm_json_int(o, "collected", 0, MM_WIRE_INT_MAX, &h->collected, err) != 0)
		return -1;
	h->evidence = mm_streq(evidence, evidence_words[MM_EV_CLAIMED]) ? MM_EV_CLAIMED : MM_EV_ATTESTED;
	if (mm_wire_str_opt(o, "agent", AGENT_MAX, "", a, &h->agent, err) != 0 ||
	    mm_wire_form_str(o, "user", mm_is_login, true, a, &h->user, err) != 0 ||
	    mm_wire_strings(o, "users", MM_MANIFEST_MAX, MM_REPORT_NAME_MAX, mm_is_report_user, a, &h->users,
		&n, err) != 0)
		return -1;
	if (mm_json_bool_opt(o, "expired", false, &h->expired, err) != 0)
		return -1;
	return read_system(o, a, h, err);
}

int mm_report_head_decode(
    const char *json, size_t n, struct mm_arena *a, struct mm_report_head *out, struct mm_err *err)
{
	json_t *o = mm_wire_load("report", json, n, err);
	if (o == NULL)
		return -1;
	struct mm_report_head h = {.id = NULL};
	int rc = read_head(o, a, &h, err);
	if (rc == 0)
		*out = h;
	else
		mm_err_prefix(err, "report");
	json_decref(o);
	return rc;
}

/* ---- hello and refused */

static bool is_reason(const char *s)
{
	return mm_wire_is_client(s); /* a word like the names of adapters */
}

void mm_hello_encode(const struct mm_hello *h, struct mm_buf *out)
{
	json_t *o = json_object();
	mm_wire_put(o, "agent", h->agent, AGENT_MAX);
	mm_wire_put_proto(o, h->major, h->minor);
	mm_json_set_str(o, "host", h->host);
	mm_wire_finish(o, out);
}

int mm_hello_decode(const char *json, size_t n, struct mm_arena *a, struct mm_hello *out, struct mm_err *err)
{
	json_t *o = mm_wire_load("hello", json, n, err);
	if (o == NULL)
		return -1;
	struct mm_hello h = {.agent = NULL};
	int rc = -1;
	if (mm_wire_str_opt(o, "agent", AGENT_MAX, "", a, &h.agent, err) == 0 &&
	    mm_wire_proto(o, &h.major, &h.minor, err) == 0 &&
	    mm_wire_form_str(o, "host", mm_is_login, false, a, &h.host, err) == 0)
		rc = 0;
	if (rc == 0)
		*out = h;
	else
		mm_err_prefix(err, "hello");
	json_decref(o);
	return rc;
}

void mm_refused_encode(const struct mm_refused *r, struct mm_buf *out)
{
	json_t *o = json_object();
	mm_json_set_int(o, "code", r->code);
	mm_json_set_str(o, "reason", r->reason);
	mm_wire_put(o, "text", r->text, MM_ERR_TEXT_MAX);
	if (r->serial > 0) {
		mm_json_set_int(o, "epoch", r->epoch);
		mm_json_set_int(o, "serial", r->serial);
	}
	mm_wire_finish(o, out);
}

int mm_refused_decode(
    const char *json, size_t n, struct mm_arena *a, struct mm_refused *out, struct mm_err *err)
{
	json_t *o = mm_wire_load("refusal", json, n, err);
	if (o == NULL)
		return -1;
	struct mm_refused r = {.reason = NULL};
	int rc = -1;
	/* A refusal that says "0, all is well" would be none. */
	if (mm_wire_int(o, "code", 1, 255, &r.code, err) == 0 &&
	    mm_wire_form_str(o, "reason", is_reason, false, a, &r.reason, err) == 0 &&
	    mm_wire_str_opt(o, "text", MM_ERR_TEXT_MAX, "", a, &r.text, err) == 0 &&
	    mm_json_int_opt(o, "epoch", 0, MM_WIRE_INT_MAX, 0, &r.epoch, err) == 0 &&
	    mm_json_int_opt(o, "serial", 0, MM_WIRE_INT_MAX, 0, &r.serial, err) == 0)
		rc = 0;
	if (rc == 0)
		*out = r;
	else
		mm_err_prefix(err, "refusal");
	json_decref(o);
	return rc;
}

/* ---- count and hash of an answer */

void mm_tally_init(struct mm_tally *t)
{
	*t = (struct mm_tally){.sha = mm_sha256_begin()};
}

void mm_tally_add(struct mm_tally *t, uint16_t type, const void *body, size_t len)
{
	if (type == MM_FT_KEEPALIVE || type == MM_FT_END)
		return;
	unsigned char head[6] = {(unsigned char)(type >> 8), (unsigned char)type, (unsigned char)(len >> 24),
	    (unsigned char)(len >> 16), (unsigned char)(len >> 8), (unsigned char)len};
	mm_sha256_add(t->sha, head, sizeof(head));
	mm_sha256_add(t->sha, body, len);
	t->frames++;
}

static void finish(struct mm_tally *t, char hex[MM_SHA256_HEX])
{
	uint8_t sum[MM_SHA256_LEN];
	mm_sha256_end(t->sha, sum);
	t->sha = NULL;
	mm_hex(sum, sizeof(sum), hex);
}

void mm_tally_free(struct mm_tally *t)
{
	char unused[MM_SHA256_HEX];
	if (t->sha != NULL)
		finish(t, unused);
}

json_t *mm_end_json(struct mm_tally *t)
{
	char hex[MM_SHA256_HEX];
	finish(t, hex);
	json_t *o = json_object();
	mm_json_set_int(o, "frames", t->frames);
	mm_json_set_str(o, "sha256", hex);
	return o;
}

void mm_end_encode(struct mm_tally *t, struct mm_buf *out)
{
	mm_wire_finish(mm_end_json(t), out);
}

int mm_end_check(struct mm_tally *t, const char *json, size_t n, struct mm_err *err)
{
	char hex[MM_SHA256_HEX];
	finish(t, hex);
	json_t *o = mm_wire_load("end", json, n, err);
	if (o == NULL)
		return -1;
	int64_t frames;
	const char *sha256;
	int rc = -1;
	if (mm_json_int(o, "frames", 0, MM_WIRE_INT_MAX, &frames, err) != 0 ||
	    mm_json_str(o, "sha256", MM_SHA256_HEX, &sha256, err) != 0)
		mm_err_prefix(err, "end");
	else if (frames != t->frames)
		mm_err_set(err, MM_EX_DATAERR, "end: answer has %lld frames, %lld were announced",
		    (long long)t->frames, (long long)frames);
	else if (!mm_streq(sha256, hex))
		mm_err_set(err, MM_EX_DATAERR, "end: SHA-256 of the answer does not match");
	else
		rc = 0;
	json_decref(o);
	return rc;
}
