/*
 * What servers say to mailmuster-probe, and what people type.
 *
 * The first byte chooses the protocol. Then each line begins with '<' (the
 * server's), '>' (ours), 'T' (TLS comes on), 'U' (an address as typed) or 'H'
 * (a host name). Oracles: no login without a line with credentials and an
 * answer; a secret never survives redaction; what is accepted is well formed.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "agent/probe/diagnose.h"
#include "agent/probe/dialog.h"
#include "agent/probe/redact.h"
#include "agent/probe/url.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET "correct-horse-battery"

static void check_redaction(const char *line, size_t n)
{
	struct mm_buf b = MM_BUF_INIT(8192);
	struct mm_secret *s = mm_secret_new();
	assert(mm_secret_set(s, SECRET, strlen(SECRET), NULL) == 0);
	mm_redact(&b, line, n, s);
	assert(mm_buf_ok(&b) && b.len <= MM_REDACT_MAX);
	assert(!mm_reveals(mm_buf_str(&b), b.len, SECRET, strlen(SECRET)));
	assert(!mm_has_control(mm_buf_str(&b)) && mm_is_utf8(mm_buf_str(&b), b.len));
	mm_buf_free(&b);
	mm_secret_free(s);
}

static void check_url(struct mm_arena *a, const char *line, size_t n)
{
	struct mm_probe_task t = mm_probe_task_none;
	struct mm_err err = MM_ERR_NONE;
	if (mm_probe_url_parse(mm_arena_strndup(a, line, n), NULL, a, &t, &err) != 0) {
		assert(err.code == MM_EX_USAGE && err.text[0] != '\0');
		return;
	}
	assert(t.host[0] != '\0' && t.port >= 1 && t.port <= 65535);
	assert(t.username == NULL || !mm_has_control(t.username));
	assert(!mm_streq(t.security, "none"));
}

static void check_host(struct mm_arena *a, const char *line, size_t n)
{
	struct mm_endpoint ep;
	struct mm_buf b = MM_BUF_INIT(256);
	struct mm_probe_task t = {.protocol = "imap",
	    .security = "tls",
	    .auth = "password",
	    .port = 993,
	    .secret = -1,
	    .certificate = -1,
	    .retrieve = -1};
	t.host = mm_arena_strndup(a, line, n);
	enum mm_cls c = mm_endpoint_lint(&t, &ep, &b);
	assert(mm_buf_ok(&b));
	assert((c == MM_CLS_NONE) == mm_is_hostname(t.host));
	mm_buf_free(&b);
}

static void check_dialog(const struct mm_dialog *d)
{
	if (mm_dialog_logged_in(d))
		assert(d->auth_sent && !d->auth_open && d->used != MM_MECH_NONE &&
		       d->greeting == MM_GREETING_OK);
	assert(strlen(d->last) < sizeof(d->last) && strlen(d->auth_text) < sizeof(d->auth_text));
	if (d->auth_reply == MM_REPLY_NO) {
		enum mm_cls c = mm_auth_reply_class(d);
		assert(mm_cls_result(c) == MM_LOGIN_FAILED);
	}
}

static void take(struct mm_dialog *d, struct mm_arena *a, const char *line, size_t n)
{
	switch (line[0]) {
	case '<':
		mm_dialog_in(d, line + 1, n - 1);
		check_redaction(line + 1, n - 1);
		break;
	case '>':
		mm_dialog_out(d, line + 1, n - 1);
		break;
	case 'T':
		mm_dialog_tls(d);
		break;
	case 'U':
		check_url(a, line + 1, n - 1);
		break;
	case 'H':
		check_host(a, line + 1, n - 1);
		break;
	default:
		break;
	}
	check_dialog(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mm_dialog d;
	if (size == 0)
		return 0;
	mm_dialog_init(&d, (enum mm_mail)(data[0] % MM_MAIL_COUNT));
	struct mm_arena *a = mm_arena_new();
	const char *p = (const char *)data + 1;
	for (size_t left = size - 1; left > 0;) {
		const char *end = memchr(p, '\n', left);
		size_t n = end != NULL ? (size_t)(end - p) + 1 : left;
		take(&d, a, p, n);
		p += n;
		left -= n;
	}
	mm_arena_free(a);
	return 0;
}
