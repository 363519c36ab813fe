#include "controller/event_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "controller/report/report.h"

#define FACILITY 13 /* RFC 5424 6.2.1: log audit */
#define SENTENCE_BYTES 65536

static enum mm_audit audit_of(const struct mm_event *e)
{
	if (e->finding != NULL)
		return e->finding->audit;
	return e->login != NULL ? e->login->audit : MM_AUDIT_NOT_APPLICABLE;
}

enum mm_loudness mm_event_loudness(const struct mm_event *e)
{
	if (e->kind == MM_EVENT_ACT)
		return MM_LOUD_NOTICE;
	if (e->gone)
		return MM_LOUD_INFO;
	switch (audit_of(e)) {
	case MM_AUDIT_FAIL:
		return MM_LOUD_WARNING;
	case MM_AUDIT_UNKNOWN:
	case MM_AUDIT_NOT_APPLICABLE: /* a fact that is not well */
		return MM_LOUD_NOTICE;
	case MM_AUDIT_PASS:
	case MM_AUDIT_WAIVED:
	case MM_AUDIT_COUNT:
		break;
	}
	return MM_LOUD_INFO;
}

static const char *loudness_name(enum mm_loudness l)
{
	return l == MM_LOUD_WARNING ? "warning" : l == MM_LOUD_NOTICE ? "notice" : "info";
}

void mm_event_id(const struct mm_event *e, char out[MM_EVENT_ID_MAX])
{
	static const char mark[MM_EVENT_COUNT] = {'a', 'f', 'l'};
	if (e->kind == MM_EVENT_ACT)
		snprintf(out, MM_EVENT_ID_MAX, "%" PRId64, e->seq);
	else
		snprintf(out, MM_EVENT_ID_MAX, "%" PRId64 ".%c%" PRId64, e->seq, mark[e->kind], e->row);
}

/* ---- in words */

static void act_sentence(const struct mm_audit_entry *a, struct mm_buf *out)
{
	mm_buf_addf(out, "%s: %s", a->who, a->action);
	if (a->object != NULL && a->object[0] != '\0')
		mm_buf_addf(out, " %s", a->object);
	if (a->reason[0] != '\0')
		mm_buf_addf(out, " (%s)", a->reason);
}

void mm_event_sentence(const struct mm_event *e, struct mm_buf *out)
{
	if (e->kind == MM_EVENT_ACT) {
		act_sentence(e->entry, out);
		return;
	}
	const struct mm_finding_row *f = e->finding;
	if (f != NULL)
		mm_buf_addf(out, "%s on %s, %s%s%s%s%s: ", f->f.user, f->host, f->f.client,
		    f->f.account[0] != '\0' ? ", account " : "", f->f.account,
		    f->f.setting[0] != '\0' ? ", " : "", f->f.setting);
	else
		mm_buf_addf(out, "%s on %s, account %s, %s login: ", e->login->l.user, e->login->host,
		    e->login->l.account, e->login->l.side);
	if (e->gone)
		mm_buf_addf(out, "is no more (was %s)", e->was);
	else if (f != NULL)
		mm_finding_sentence(f, out);
	else
		mm_login_sentence(e->login, out);
}

/* ---- JSON */

static void add_act(json_t *o, const struct mm_audit_entry *a)
{
	json_t *detail =
	    a->detail != NULL ? mm_json_load("detail", a->detail, strlen(a->detail), NULL) : NULL;
	mm_json_set_str(o, "who", a->who);
	mm_json_set_str(o, "action", a->action);
	mm_json_set_str(o, "object", a->object);
	mm_json_set(o, "detail", detail != NULL ? detail : json_null());
	mm_json_set_str(o, "reason", a->reason);
	mm_json_set_str(o, "entry_sha256", a->sha256);
}

static void add_finding(json_t *o, const struct mm_finding_row *r)
{
	mm_json_set_str(o, "host", r->host);
	mm_json_set_str(o, "user", r->f.user);
	mm_json_set_str(o, "client", r->f.client);
	mm_json_set_str(o, "path", r->f.path);
	if (r->f.line > 0)
		mm_json_set_int(o, "line", r->f.line);
	mm_json_set_str(o, "account", r->f.account);
	mm_json_set_str(o, "setting", r->f.setting);
	mm_json_set_str(o, "desired", r->f.desired);
	mm_json_set_str(o, "found", r->f.found);
	mm_json_set_str(o, "action", mm_action_name(r->f.action));
	mm_json_set_str(o, "reason", r->f.reason);
	mm_json_set_int(o, "revision", r->revision);
}

static void add_login(json_t *o, const struct mm_login_row *r)
{
	mm_json_set_str(o, "host", r->host);
	mm_json_set_str(o, "user", r->l.user);
	mm_json_set_str(o, "account", r->l.account);
	mm_json_set_str(o, "side", r->l.side);
	mm_json_set_str(o, "protocol", r->l.protocol);
	mm_json_set_str(o, "server", r->l.host);
	mm_json_set_int(o, "port", r->l.port);
	mm_json_set_str(o, "class", r->l.cls);
	mm_json_set_str(o, "advice", r->l.admin);
}

static const char *evidence_word(const struct mm_event *e)
{
	enum mm_evidence ev = e->finding != NULL ? e->finding->evidence : e->login->evidence;
	return ev == MM_EV_CLAIMED ? "claimed" : "attested";
}

static const char *state_word(const struct mm_event *e)
{
	if (e->gone)
		return "gone";
	return e->finding != NULL ? mm_state_name(e->finding->f.state) : mm_result_name(e->login->l.result);
}

json_t *mm_event_json(const struct mm_event *e, const char *fleet)
{
	json_t *o = json_object();
	struct mm_buf text = MM_BUF_INIT(SENTENCE_BYTES);
	char id[MM_EVENT_ID_MAX], when[MM_TIME_MAX];
	mm_event_id(e, id);
	mm_event_sentence(e, &text);
	mm_json_set_int(o, "format", 1);
	mm_json_set_str(o, "fleet", fleet);
	mm_json_set_str(o, "id", id);
	mm_json_set_str(o, "time", mm_time_utc(e->time, when));
	mm_json_set_str(o, "kind", mm_event_kind_name(e->kind));
	mm_json_set_str(o, "severity", loudness_name(mm_event_loudness(e)));
	mm_json_set_str(o, "text", mm_buf_str(&text));
	mm_buf_free(&text);
	if (e->kind == MM_EVENT_ACT) {
		add_act(o, e->entry);
		return o;
	}
	if (e->finding != NULL)
		add_finding(o, e->finding);
	else
		add_login(o, e->login);
	mm_json_set_str(o, "was", e->was);
	mm_json_set_str(o, "state", state_word(e));
	mm_json_set_str(o, "audit", mm_audit_name(audit_of(e)));
	mm_json_set_str(o, "evidence", evidence_word(e));
	return o;
}

/* ---- RFC 5424 */

/* 6.3.3: '"', '\' and ']' are escaped; control characters have no place in a line. */
static void add_param(struct mm_buf *b, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	mm_buf_addf(b, " %s=\"", name);
	for (const char *p = value; *p != '\0'; p++) {
		if (strchr("\"\\]", *p) != NULL)
			mm_buf_addc(b, '\\');
		mm_buf_addc(b, (unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p);
	}
	mm_buf_addc(b, '"');
}

/* 6: printable ASCII without blanks, "-" when there is none. */
static void add_word(struct mm_buf *b, const char *s, size_t max)
{
	size_t n = 0;
	for (; *s != '\0' && n < max; s++, n++)
		mm_buf_addc(b, *s > 0x20 && *s < 0x7f ? *s : '?');
	mm_buf_adds(b, n > 0 ? " " : "- ");
}

/* As much of it as still fits, ending with a whole character. */
static void add_text(struct mm_buf *b, const char *s)
{
	size_t room = b->len < MM_SYSLOG_BYTES ? MM_SYSLOG_BYTES - b->len : 0;
	size_t n = strlen(s);
	if (n > room) {
		for (n = room; n > 0 && ((unsigned char)s[n] & 0xc0u) == 0x80; n--)
			;
	}
	for (size_t i = 0; i < n; i++)
		mm_buf_addc(b, (unsigned char)s[i] < 0x20 || s[i] == 0x7f ? ' ' : s[i]);
}

void mm_syslog_line(enum mm_loudness loud, int64_t time, const char *host, const char *msgid,
    const char *data, const char *text, struct mm_buf *out)
{
	char when[MM_TIME_MAX];
	mm_buf_addf(out, "<%d>1 %s ", FACILITY * 8 + (int)loud, mm_time_utc(time, when));
	add_word(out, host, 255);
	mm_buf_adds(out, "mailmuster - ");
	add_word(out, msgid, 32);
	/* 6.4: the byte order mark says that the message is UTF-8. */
	mm_buf_addf(out, "%s \xef\xbb\xbf", data);
	add_text(out, text);
}

static const char *clipped(const char *s, char *buf, size_t size)
{
	size_t n = s != NULL ? strlen(s) : 0;
	if (n < size)
		return s;
	for (n = size - 1; n > 0 && ((unsigned char)s[n] & 0xc0u) == 0x80; n--)
		;
	memcpy(buf, s, n);
	buf[n] = '\0';
	return buf;
}

static void add_data(struct mm_buf *b, const struct mm_event *e, const char *fleet)
{
	char id[MM_EVENT_ID_MAX], v[512];
	mm_event_id(e, id);
	mm_buf_adds(b, "[mailmuster@32473");
	add_param(b, "fleet", fleet);
	add_param(b, "id", id);
	if (e->kind == MM_EVENT_ACT) {
		add_param(b, "who", clipped(e->entry->who, v, sizeof(v)));
		add_param(b, "action", e->entry->action);
		add_param(b, "object", clipped(e->entry->object, v, sizeof(v)));
	} else if (e->finding != NULL) {
		const struct mm_finding *f = &e->finding->f;
		add_param(b, "host", e->finding->host);
		add_param(b, "user", clipped(f->user, v, sizeof(v)));
		add_param(b, "client", f->client);
		add_param(b, "account", clipped(f->account, v, sizeof(v)));
		add_param(b, "setting", clipped(f->setting, v, sizeof(v)));
		add_param(b, "path", clipped(f->path, v, sizeof(v)));
	} else {
		add_param(b, "host", e->login->host);
		add_param(b, "user", clipped(e->login->l.user, v, sizeof(v)));
		add_param(b, "account", clipped(e->login->l.account, v, sizeof(v)));
		add_param(b, "side", e->login->l.side);
		add_param(b, "server", clipped(e->login->l.host, v, sizeof(v)));
		add_param(b, "class", clipped(e->login->l.cls, v, sizeof(v)));
	}
	if (e->kind != MM_EVENT_ACT) {
		add_param(b, "was", e->was);
		add_param(b, "state", state_word(e));
		add_param(b, "evidence", evidence_word(e));
	}
	mm_buf_addc(b, ']');
}

void mm_event_syslog(const struct mm_event *e, const char *fleet, const char *host, struct mm_buf *out)
{
	struct mm_buf data = MM_BUF_INIT(MM_SYSLOG_BYTES), text = MM_BUF_INIT(SENTENCE_BYTES),
		      line = MM_BUF_INIT(2 * MM_SYSLOG_BYTES);
	add_data(&data, e, fleet);
	mm_event_sentence(e, &text);
	mm_syslog_line(mm_event_loudness(e), e->time, host, mm_event_kind_name(e->kind), mm_buf_str(&data),
	    mm_buf_str(&text), &line);
	mm_buf_adds(out, mm_buf_str(&line));
	mm_buf_free(&data);
	mm_buf_free(&text);
	mm_buf_free(&line);
}
