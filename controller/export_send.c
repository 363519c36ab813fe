#include "controller/export_send.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/file.h"
#include "common/json.h"
#include "common/proc.h"
#include "common/text.h"
#include "controller/deliver/deliver.h"
#include "controller/event_text.h"
#include "controller/outside.h"

#define BATCH_BYTES (256u * 1024u) /* as much is sent at once; an entry is not parted */
#define BATCH_MAX (40u * 1024u * 1024u)
#define BATCH_ENTRIES 5000
#define SECRET_MAX 4096
#define TIMEOUT_S 30
#define WAIT_MAX_S 3600

static const char *const names[MM_EXPORT_COUNT] = {"file", "syslog", "webhook"};

const char *mm_export_name(enum mm_export_kind k)
{
	return names[k];
}

const char *mm_export_where(const struct mm_export_conf *c, enum mm_export_kind k, struct mm_arena *a)
{
	if (k == MM_EXPORT_FILE)
		return c->file;
	if (k == MM_EXPORT_SYSLOG)
		return c->syslog;
	if (c->webhook_url == NULL)
		return NULL;
	const char *host = strstr(c->webhook_url, "://");
	size_t n = host != NULL ? (size_t)(host - c->webhook_url) + 3 : 0;
	n += strcspn(c->webhook_url + n, "/?#");
	return mm_arena_printf(a, "%.*s", (int)n, c->webhook_url);
}

/* ---- how far a target is */

static const char *note_name(enum mm_export_kind k, char out[32])
{
	snprintf(out, 32, "export.%s", names[k]);
	return out;
}

int mm_export_state_get(struct mm_store *s, enum mm_export_kind k, struct mm_arena *a,
    struct mm_export_state *out, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(65536);
	char name[32];
	json_t *o = NULL;
	const char *trouble = NULL;
	*out = (struct mm_export_state){.seq = -1, .trouble = ""};
	int rc = mm_store_note_get(s, note_name(k, name), &text, err);
	if (rc == 0 && text.len > 0) {
		o = mm_json_load(name, mm_buf_str(&text), text.len, err);
		rc = o == NULL || mm_json_int(o, "seq", 0, INT64_MAX, &out->seq, err) != 0 ||
			     mm_json_int_opt(o, "next", 0, INT64_MAX, 0, &out->next, err) != 0 ||
			     mm_json_int_opt(o, "tries", 0, INT64_MAX, 0, &out->tries, err) != 0 ||
			     mm_json_str_opt(o, "trouble", 65536, &trouble, err) != 0
			 ? -1
			 : 0;
	}
	if (rc == 0 && trouble != NULL)
		out->trouble = mm_arena_strdup(a, trouble);
	json_decref(o);
	mm_buf_free(&text);
	return rc < 0 ? -1 : 0;
}

int mm_export_state_set(
    struct mm_store *s, enum mm_export_kind k, const struct mm_export_state *st, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(65536);
	char name[32];
	json_t *o = json_object();
	mm_json_set_int(o, "seq", st->seq);
	if (st->tries > 0) {
		mm_json_set_int(o, "next", st->next);
		mm_json_set_int(o, "tries", st->tries);
		mm_json_set_str(o, "trouble", st->trouble);
	}
	mm_json_dump(o, &text);
	json_decref(o);
	int rc = mm_store_note_set(s, note_name(k, name), mm_buf_str(&text), err);
	mm_buf_free(&text);
	return rc;
}

/* ---- a batch */

struct batch {
	enum mm_export_kind kind;
	char fleet[MM_ID_LEN], host[256];
	struct mm_buf body;
	int64_t events, of_entry; /* in it; of the entry at hand */
	int64_t seq;              /* of that */
	int64_t time;
	char from[256]; /* host of that */
	char first[64]; /* id of the first event */
};

static void add_line(struct batch *b, const char *json, const char *syslog)
{
	if (b->kind == MM_EXPORT_SYSLOG)
		mm_buf_addf(&b->body, "%zu %s", strlen(syslog), syslog);
	else
		mm_buf_addf(
		    &b->body, "%s%s", b->kind == MM_EXPORT_WEBHOOK && b->events > 0 ? ",\n" : "", json);
	if (b->kind == MM_EXPORT_FILE)
		mm_buf_addc(&b->body, '\n');
	b->events++;
}

static int take_event(const struct mm_event *e, void *arg, struct mm_err *err)
{
	struct batch *b = arg;
	struct mm_buf json = MM_BUF_INIT(1024 * 1024), line = MM_BUF_INIT(2 * MM_SYSLOG_BYTES);
	(void)err;
	if (b->seq != e->seq)
		b->of_entry = 0;
	b->seq = e->seq;
	b->time = e->time;
	if (b->of_entry++ >= MM_EXPORT_PER_REPORT) {
		snprintf(b->from, sizeof(b->from), "%s", e->entry->object);
		return 0;
	}
	if (b->first[0] == '\0')
		mm_event_id(e, b->first);
	if (b->kind == MM_EXPORT_SYSLOG) {
		mm_event_syslog(e, b->fleet, b->host, &line);
	} else {
		json_t *o = mm_event_json(e, b->fleet);
		mm_json_dump(o, &json);
		json_decref(o);
	}
	add_line(b, mm_buf_str(&json), mm_buf_str(&line));
	mm_buf_free(&json);
	mm_buf_free(&line);
	return 0;
}

/* One sentence for what one workstation has too much of. */
static void add_rest(struct batch *b)
{
	struct mm_buf json = MM_BUF_INIT(4096), line = MM_BUF_INIT(2 * MM_SYSLOG_BYTES);
	char text[1024], when[MM_TIME_MAX], id[64];
	json_t *o = json_object();
	snprintf(id, sizeof(id), "%" PRId64 ".more", b->seq);
	snprintf(text, sizeof(text), "%" PRId64 " further changes on %s: mailmuster drift --host %s",
	    b->of_entry - MM_EXPORT_PER_REPORT, b->from, b->from);
	mm_json_set_int(o, "format", 1);
	mm_json_set_str(o, "fleet", b->fleet);
	mm_json_set_str(o, "id", id);
	mm_json_set_str(o, "time", mm_time_utc(b->time, when));
	mm_json_set_str(o, "kind", "more");
	mm_json_set_str(o, "severity", "warning");
	mm_json_set_str(o, "host", b->from);
	mm_json_set_int(o, "changes", b->of_entry - MM_EXPORT_PER_REPORT);
	mm_json_set_str(o, "text", text);
	mm_json_dump(o, &json);
	json_decref(o);
	mm_syslog_line(MM_LOUD_WARNING, b->time, b->host, "more", "-", text, &line);
	add_line(b, mm_buf_str(&json), mm_buf_str(&line));
	mm_buf_free(&json);
	mm_buf_free(&line);
}

/* *end: the entry up to which it goes. */
static int fill(struct mm_store *s, struct batch *b, int64_t after, int64_t *end, struct mm_err *err)
{
	int64_t at = after, last = after;
	if (mm_store_fleet_id(s, b->fleet, err) != 0)
		return -1;
	if (gethostname(b->host, sizeof(b->host) - 1) != 0 || b->host[0] == '\0')
		snprintf(b->host, sizeof(b->host), "-");
	for (int i = 0; i < BATCH_ENTRIES && b->body.len < BATCH_BYTES; i++) {
		b->of_entry = 0;
		if (mm_store_events(s, at, 1, take_event, b, &last, err) != 0)
			return -1;
		if (last == at)
			break;
		at = last;
		if (b->of_entry > MM_EXPORT_PER_REPORT)
			add_rest(b);
	}
	*end = at;
	return mm_buf_ok(&b->body) ? 0 : mm_err_set(err, MM_EX_FAILED, "too many events at once");
}

/* ---- handing it over */

static int read_answer(const struct mm_buf *out, const struct mm_run_result *res, struct mm_err *err)
{
	bool taken = false;
	const char *text = NULL;
	if (res->how != MM_RUN_EXITED || res->status != 0)
		return mm_err_set(err, MM_EX_FAILED, "%s ended without an answer", MM_DELIVER_PROGRAM);
	json_t *o = mm_json_load("answer", mm_buf_str(out), out->len, err);
	int rc = o == NULL || mm_json_bool_opt(o, "taken", false, &taken, err) != 0 ||
			 mm_json_str_opt(o, "text", 65536, &text, err) != 0
		     ? -1
		     : 0;
	if (rc == 0 && !taken)
		rc = mm_err_set(err, MM_EX_FAILED, "%s", text != NULL ? text : "it was not taken");
	json_decref(o);
	return rc;
}

static int deliver(json_t *task, const char *p, size_t n, struct mm_err *err)
{
	struct mm_buf in = MM_BUF_INIT(BATCH_MAX + 65536), out = MM_BUF_INIT(65536);
	struct mm_run_result res;
	char program[4096];
	mm_json_set_int(task, "timeout", TIMEOUT_S);
	mm_json_dump(task, &in);
	mm_buf_addc(&in, '\n');
	mm_buf_add(&in, p, n);
	int rc = mm_find_beside(MM_DELIVER_PROGRAM, program, sizeof(program), err);
	const char *const argv[] = {program, NULL};
	const struct mm_run run = {.argv = argv,
	    .stdin_data = mm_buf_str(&in),
	    .stdin_len = in.len,
	    .timeout_ms = 3 * TIMEOUT_S * 1000,
	    .new_session = true};
	if (rc == 0)
		rc = mm_run(&run, &out, NULL, &res, err);
	if (rc == 0)
		rc = read_answer(&out, &res, err);
	mm_buf_free(&in);
	mm_buf_free(&out);
	return rc;
}

static int to_syslog(const struct mm_export_conf *c, const struct batch *b, struct mm_err *err)
{
	json_t *task = json_object();
	mm_json_set_str(task, "url", c->syslog);
	mm_json_set_str(task, "ca_file", c->syslog_ca_file);
	int rc = deliver(task, mm_buf_str(&b->body), b->body.len, err);
	json_decref(task);
	return rc;
}

/* "Mailmuster-Signature: t=TIME,v1=HEX": HMAC-SHA-256 over TIME "." BODY. */
static int sign(const struct mm_export_conf *c, int64_t now, const struct mm_buf *body, struct mm_buf *out,
    struct mm_err *err)
{
	struct mm_buf secret = MM_BUF_INIT(SECRET_MAX), text = MM_BUF_INIT(BATCH_MAX + 64);
	uint8_t mac[MM_SHA256_LEN];
	char hex[MM_SHA256_HEX];
	int rc = mm_file_read_own(c->webhook_secret_file, SECRET_MAX, true, &secret, err);
	while (rc == 0 && secret.len > 0 && strchr("\r\n", mm_buf_str(&secret)[secret.len - 1]) != NULL)
		secret.len--;
	if (rc == 0 && secret.len < 16)
		rc = mm_err_set(
		    err, MM_EX_DATAERR, "%s: a secret has at least 16 bytes", c->webhook_secret_file);
	if (rc == 0) {
		mm_buf_addf(&text, "%" PRId64 ".", now);
		mm_buf_add(&text, mm_buf_str(body), body->len);
		mm_hmac_sha256(secret.data, secret.len, mm_buf_str(&text), text.len, mac);
		mm_hex(mac, sizeof(mac), hex);
		mm_buf_addf(out, "Mailmuster-Signature: t=%" PRId64 ",v1=%s", now, hex);
	}
	if (secret.data != NULL)
		explicit_bzero(secret.data, secret.cap);
	mm_buf_free(&secret);
	mm_buf_free(&text);
	return rc;
}

static int to_webhook(const struct mm_export_conf *c, const struct batch *b, int64_t now, struct mm_err *err)
{
	struct mm_buf body = MM_BUF_INIT(BATCH_MAX), mac = MM_BUF_INIT(256), id = MM_BUF_INIT(256);
	json_t *task = json_object(), *headers = json_array();
	mm_buf_addf(&body, "{\"format\":1,\"fleet\":\"%s\",\"events\":[", b->fleet);
	mm_buf_add(&body, mm_buf_str(&b->body), b->body.len);
	mm_buf_adds(&body, "]}\n");
	mm_buf_addf(&id, "Mailmuster-Delivery: %s-%s", b->fleet, b->first[0] != '\0' ? b->first : "more");
	int rc = sign(c, now, &body, &mac, err);
	json_array_append_new(headers, json_string("Content-Type: application/json"));
	json_array_append_new(headers, json_string(mm_buf_str(&mac)));
	json_array_append_new(headers, json_string(mm_buf_str(&id)));
	json_array_append_new(headers, json_string("User-Agent: mailmuster/" MM_VERSION));
	mm_json_set(task, "headers", headers);
	mm_json_set_str(task, "url", c->webhook_url);
	mm_json_set_str(task, "ca_file", c->webhook_ca_file);
	if (rc == 0)
		rc = deliver(task, mm_buf_str(&body), body.len, err);
	json_decref(task);
	mm_buf_free(&body);
	mm_buf_free(&mac);
	mm_buf_free(&id);
	return rc;
}

static int hand_over(const struct mm_export_conf *c, const struct batch *b, int64_t now, struct mm_err *err)
{
	switch (b->kind) {
	case MM_EXPORT_FILE:
		return mm_outside_append("export file", c->file, mm_buf_str(&b->body), b->body.len, err);
	case MM_EXPORT_SYSLOG:
		return to_syslog(c, b, err);
	case MM_EXPORT_WEBHOOK:
	case MM_EXPORT_COUNT:
		break;
	}
	return to_webhook(c, b, now, err);
}

/* ---- a target */

/* Failed: longer and longer until the next attempt; the same trouble is said once. */
static void put_off(
    struct mm_export_state *st, enum mm_export_kind k, int64_t now, const char *text, struct mm_arena *a)
{
	int64_t wait = st->tries < 8 ? INT64_C(15) << st->tries : WAIT_MAX_S;
	if (!mm_streq(st->trouble, text))
		fprintf(stderr, "mailmuster: events are not taken by %s: %s\n", names[k], text);
	st->tries++;
	st->next = now + (wait < WAIT_MAX_S ? wait : WAIT_MAX_S);
	st->trouble = mm_arena_strdup(a, text);
}

static int send_batch(struct mm_store *s, const struct mm_export_conf *c, enum mm_export_kind k,
    struct mm_export_state *st, struct mm_arena *a, struct mm_err *err)
{
	struct batch b = {.kind = k, .body = MM_BUF_INIT(BATCH_MAX)};
	struct mm_err why = MM_ERR_NONE;
	int64_t end = st->seq;
	int rc = fill(s, &b, st->seq, &end, err);
	if (rc == 0 && b.events > 0 && hand_over(c, &b, mm_store_now(s), &why) != 0) {
		put_off(st, k, mm_store_now(s), why.text, a);
		end = st->seq;
	} else if (rc == 0) {
		*st = (struct mm_export_state){.seq = end, .trouble = ""};
	}
	mm_buf_free(&b.body);
	return rc == 0 ? mm_export_state_set(s, k, st, err) : -1;
}

static int send_up_to(struct mm_store *s, const struct mm_export_conf *c, enum mm_export_kind k, int64_t last,
    struct mm_export_state *st, struct mm_arena *a, struct mm_err *err)
{
	int64_t before;
	int rc;
	do {
		before = st->seq;
		rc = send_batch(s, c, k, st, a, err);
	} while (rc == 0 && st->tries == 0 && st->seq > before && st->seq < last);
	return rc;
}

/* 1: it has to begin here. */
static int begins_here(enum mm_export_kind k, const struct mm_export_state *st, int64_t last)
{
	if (st->seq > last)
		fprintf(stderr,
		    "mailmuster: %s was told of entry %" PRId64 ", and the record ends at %" PRId64
		    ": was the store put back? See mailmuster audit verify\n",
		    names[k], st->seq, last);
	return st->seq < 0 || st->seq > last;
}

static int serve_target(struct mm_store *s, const struct mm_export_conf *c, enum mm_export_kind k, bool now,
    bool *failed, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_export_state st;
	int64_t last = 0;
	int rc = mm_export_state_get(s, k, a, &st, err);
	if (rc == 0)
		rc = mm_store_events_newest(s, &last, err);
	if (rc == 0 && begins_here(k, &st, last)) {
		st = (struct mm_export_state){.seq = last, .trouble = ""};
		rc = mm_export_state_set(s, k, &st, err);
	} else if (rc == 0 && st.seq < last && (now || st.next <= mm_store_now(s))) {
		rc = send_up_to(s, c, k, last, &st, a, err);
		*failed = *failed || st.tries > 0;
	}
	mm_arena_free(a);
	return rc < 0 ? -1 : 0;
}

int mm_export_send(
    struct mm_ctl *c, const struct mm_export_conf *conf, bool now, bool *failed, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	char *path = mm_ctl_path(c, "export.lock");
	/* Two at once would send everything twice. */
	int lock = mm_lock_file(path, 2 * TIMEOUT_S * 1000, err), rc = lock < 0 ? -1 : 0;
	free(path);
	for (int k = 0; rc == 0 && k < MM_EXPORT_COUNT; k++)
		if (mm_export_where(conf, (enum mm_export_kind)k, a) != NULL)
			rc = serve_target(c->store, conf, (enum mm_export_kind)k, now, failed, err);
	if (lock >= 0)
		close(lock);
	mm_arena_free(a);
	return rc;
}

int mm_export_due(struct mm_store *s, const struct mm_export_conf *c, bool *due, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	int64_t last = 0;
	int rc = mm_store_events_newest(s, &last, err);
	*due = false;
	for (int k = 0; rc == 0 && k < MM_EXPORT_COUNT; k++) {
		struct mm_export_state st;
		if (mm_export_where(c, (enum mm_export_kind)k, a) == NULL)
			continue;
		rc = mm_export_state_get(s, (enum mm_export_kind)k, a, &st, err);
		*due = *due || (rc == 0 && st.seq != last && st.next <= mm_store_now(s));
	}
	mm_arena_free(a);
	return rc;
}
