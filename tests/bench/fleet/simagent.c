#include "tests/bench/fleet/simagent.h"

#include <string.h>
#include <time.h>

#include "common/text.h"
#include "schemas/proto.h"
#include "schemas/report.h"
#include "schemas/signing.h"

#define AGENT "0.1.0"

void mm_sim_request_init(struct mm_sim_request *r)
{
	*r = (struct mm_sim_request){.a = mm_arena_new()};
}

void mm_sim_request_free(struct mm_sim_request *r)
{
	mm_arena_free(r->a);
	r->a = NULL;
}

static int take_envelope(struct mm_sim_request *r, const struct mm_frame *f, struct mm_err *err)
{
	struct mm_envelope_raw raw;
	if (mm_envelope_decode(f->body, f->len, &raw, err) != 0)
		return -1;
	int rc = mm_request_decode(mm_buf_str(&raw.payload), raw.payload.len, r->a, &r->request, err);
	mm_envelope_raw_free(&raw);
	r->has_request = rc == 0;
	return rc;
}

int mm_sim_request_frame(struct mm_sim_request *r, const struct mm_frame *f, struct mm_err *err)
{
	switch (f->type) {
	case MM_FT_ENVELOPE:
		return take_envelope(r, f, err);
	case MM_FT_SHEET:
		return mm_sheet_decode(f->body, f->len, r->a,
		    mm_arena_push(r->a, &r->sheets, &r->n_sheets, &r->cap_sheets, sizeof(*r->sheets)), err);
	case MM_FT_REQUEST_END:
		r->complete = r->has_request;
		return r->complete ? 0 : mm_err_set(err, MM_EX_DATAERR, "a request without its envelope");
	default:
		return mm_err_set(err, MM_EX_DATAERR, "a frame of type %u", (unsigned)f->type);
	}
}

/* ---- what a request does to a host */

enum deed { KEPT, CHANGED, UNDONE, WOULD };

struct answer {
	const struct mm_sim_request *r;
	struct mm_sim_host *host;
	uint32_t flags;
	enum deed deed;
	bool fails; /* no login passes with these settings */
	struct mm_buf *out, body;
	struct mm_tally tally;
};

/* The same settings under another revision are the same settings. */
static void digest_of(const struct mm_sim_request *r, uint8_t out[MM_SHA256_LEN])
{
	struct mm_buf text = MM_BUF_INIT(MM_FRAME_MAX);
	struct mm_sha256_ctx *c = mm_sha256_begin();
	for (size_t i = 0; i < r->n_sheets; i++) {
		struct mm_sheet s = r->sheets[i];
		s.revision = 0;
		mm_buf_reset(&text);
		mm_sheet_encode(&s, &text);
		mm_sha256_add(c, mm_buf_str(&text), text.len);
	}
	mm_sha256_end(c, out);
	mm_buf_free(&text);
}

static bool wants_broken(const struct mm_sim_request *r)
{
	for (size_t i = 0; i < r->n_sheets; i++)
		for (size_t k = 0; k < r->sheets[i].n_accounts; k++) {
			const char *host = r->sheets[i].accounts[k].want.v[MM_SET_IN_HOST];
			if (host != NULL && strncmp(host, "broken.", 7) == 0)
				return true;
		}
	return false;
}

static bool has_session(const struct answer *a)
{
	return a->host->kind != MM_SIM_NO_SESSION || (a->flags & MM_SIM_ALL_SESSIONS) != 0;
}

static void change(struct answer *a, const uint8_t digest[MM_SHA256_LEN])
{
	struct mm_sim_host *h = a->host;
	bool first = h->revision == 0;
	a->fails = has_session(a) && (wants_broken(a->r) || (h->kind == MM_SIM_BROKEN && !first));
	if (a->fails && !first) {
		h->reverts++;
		a->deed = UNDONE;
		return;
	}
	memcpy(h->former, h->digest, sizeof(h->former));
	h->former_revision = h->revision;
	memcpy(h->digest, digest, sizeof(h->digest));
	h->revision = a->r->request.revision;
	h->changes++;
	h->unconfirmed = !has_session(a);
	a->deed = CHANGED;
}

static void apply(struct answer *a)
{
	struct mm_sim_host *h = a->host;
	uint8_t digest[MM_SHA256_LEN];
	digest_of(a->r, digest);
	if (h->revision != 0 && memcmp(digest, h->digest, sizeof(digest)) == 0) {
		h->revision = a->r->request.revision;
		h->unconfirmed = h->unconfirmed && !has_session(a);
		return;
	}
	if (a->r->request.op == MM_OP_PLAN)
		a->deed = WOULD;
	else
		change(a, digest);
}

/* ---- what it says */

static void put(struct answer *a, enum mm_frame_type type)
{
	mm_frame_put(a->out, (uint16_t)type, mm_buf_str(&a->body), a->body.len);
	mm_tally_add(&a->tally, (uint16_t)type, mm_buf_str(&a->body), a->body.len);
	mm_buf_reset(&a->body);
}

static void put_head(struct answer *a)
{
	const struct mm_request *q = &a->r->request;
	const char **users = mm_arena_alloc(a->r->a, q->n_manifest + 1, sizeof(*users));
	char id[MM_ID_LEN];
	for (size_t i = 0; i < q->n_manifest; i++)
		users[i] = q->manifest[i].user;
	mm_random_id(id);
	const struct mm_report_head head = {.id = id,
	    .host = q->host,
	    .request_id = q->id,
	    .op = mm_op_name(q->op),
	    .evidence = MM_EV_ATTESTED,
	    .epoch = q->epoch,
	    .serial = q->serial,
	    .revision = q->revision,
	    .collected = time(NULL),
	    .agent = AGENT,
	    .users = users};
	mm_report_head_encode(&head, &a->body);
	put(a, MM_FT_REPORT);
}

static const struct {
	enum mm_state state;
	enum mm_action action;
	const char *reason;
} said[] = {
    [KEPT] = {MM_ST_COMPLIANT, MM_ACT_NONE, ""},
    [CHANGED] = {MM_ST_COMPLIANT, MM_ACT_CORRECTED, ""},
    [UNDONE] = {MM_ST_PENDING, MM_ACT_REVERTED, "the login that worked before fails with it"},
    [WOULD] = {MM_ST_PENDING, MM_ACT_WOULD_CHANGE, ""},
};

static void put_finding(
    struct answer *a, const struct mm_sheet *s, const struct mm_account *account, enum mm_setting set)
{
	enum mm_state state = said[a->deed].state;
	if (state == MM_ST_COMPLIANT && a->host->unconfirmed)
		state = MM_ST_UNCONFIRMED;
	const struct mm_finding f = {.user = s->user,
	    .client = "mutt",
	    .path = "/home/x/.muttrc",
	    .account = account->name,
	    .setting = mm_setting_def(set)->id,
	    .desired = account->want.v[set],
	    .found = state == MM_ST_PENDING ? NULL : account->want.v[set],
	    .line = (int)set + 1,
	    .state = state,
	    .action = said[a->deed].action,
	    .reason = state == MM_ST_UNCONFIRMED ? "nobody is logged in" : said[a->deed].reason};
	mm_finding_encode(&f, &a->body);
	put(a, MM_FT_FINDING);
}

static void judge(const struct answer *a, struct mm_login *l)
{
	if (!has_session(a)) {
		l->result = MM_LOGIN_UNTESTED;
		l->reached = MM_LEVEL_TLS;
		l->cls = "NO_SECRET";
		l->text = l->admin = "nobody is logged in";
	} else if (a->fails) {
		l->result = MM_LOGIN_FAILED;
		l->reached = MM_LEVEL_TLS;
		l->cls = "AUTH_REJECTED";
		l->text = l->admin = "the server refuses a password that worked before";
	}
}

static void put_login(
    struct answer *a, const struct mm_sheet *s, const struct mm_account *account, enum mm_setting of_host)
{
	bool in = of_host == MM_SET_IN_HOST;
	const char *host = account->want.v[of_host];
	struct mm_login l = {.user = s->user,
	    .account = account->name,
	    .side = in ? "incoming" : "outgoing",
	    .protocol = in ? "imap" : "smtp",
	    .host = host,
	    .security = "tls",
	    .auth = "password",
	    .username = s->user,
	    .port = in ? 993 : 465,
	    .level = MM_LEVEL_LOGIN,
	    .reached = MM_LEVEL_LOGIN,
	    .any = true,
	    .result = MM_LOGIN_PASSED,
	    .cls = "",
	    .text = "",
	    .admin = "",
	    .timing = {1, 1, 1, 1, 1},
	    .when = time(NULL)};
	if (host == NULL)
		return;
	judge(a, &l);
	mm_login_encode(&l, &a->body);
	put(a, MM_FT_LOGIN);
}

static void put_sheet(struct answer *a, const struct mm_sheet *s)
{
	for (size_t i = 0; i < s->n_accounts; i++) {
		const struct mm_account *account = &s->accounts[i];
		for (int k = 0; k < MM_SET_COUNT; k++) {
			const struct mm_setting_def *d = mm_setting_def((enum mm_setting)k);
			if (account->want.v[k] != NULL && (d->flags & MM_SETF_TEST) == 0)
				put_finding(a, s, account, (enum mm_setting)k);
		}
		if (a->r->request.op == MM_OP_PLAN)
			continue;
		put_login(a, s, account, MM_SET_IN_HOST);
		put_login(a, s, account, MM_SET_OUT_HOST);
	}
}

static void refuse(struct answer *a, const char *reason, const char *text)
{
	const struct mm_refused no = {.code = MM_EX_NOPERM,
	    .reason = reason,
	    .text = text,
	    .epoch = a->host->epoch,
	    .serial = a->host->serial};
	a->host->refused++;
	mm_refused_encode(&no, &a->body);
	put(a, MM_FT_REFUSED);
}

static bool stale(const struct mm_sim_host *h, const struct mm_request *q)
{
	return q->epoch < h->epoch || (q->epoch == h->epoch && q->serial < h->serial);
}

static void serve(struct answer *a)
{
	const struct mm_request *q = &a->r->request;
	if (stale(a->host, q)) {
		refuse(a, MM_REFUSED_REPLAY, "a newer request was here");
		return;
	}
	a->host->epoch = q->epoch;
	a->host->serial = q->serial;
	if (q->op != MM_OP_APPLY && q->op != MM_OP_PLAN) {
		refuse(a, MM_REFUSED_OP, "a simulated agent applies and plans");
		return;
	}
	apply(a);
	const struct mm_hello hello = {
	    .agent = AGENT, .major = MM_PROTO_MAJOR, .minor = MM_PROTO_MINOR, .host = q->host};
	mm_hello_encode(&hello, &a->body);
	put(a, MM_FT_HELLO);
	put_head(a);
	for (size_t i = 0; i < a->r->n_sheets; i++)
		put_sheet(a, &a->r->sheets[i]);
	mm_end_encode(&a->tally, &a->body);
	put(a, MM_FT_END);
}

bool mm_sim_answer(
    const struct mm_sim_request *r, struct mm_sim_host *host, uint32_t flags, struct mm_buf *out)
{
	struct answer a = {
	    .r = r, .host = host, .flags = flags, .out = out, .body = MM_BUF_INIT(MM_FRAME_MAX)};
	host->requests++;
	mm_tally_init(&a.tally);
	mm_frame_magic(out);
	serve(&a);
	mm_tally_free(&a.tally);
	mm_buf_free(&a.body);
	return host->kind != MM_SIM_LOST || a.deed != CHANGED;
}
