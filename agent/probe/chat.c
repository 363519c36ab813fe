#include "agent/probe/chat.h"

#include <stdarg.h>
#include <string.h>

#define OUT_MAX (16u * 1024u)

void mm_chat_begin(struct mm_chat *c, const struct mm_talk *talk)
{
	*c = (struct mm_chat){.talk = talk, .out = MM_BUF_INIT(OUT_MAX)};
	c->in = MM_BUF_INIT(MM_REPLY_MAX + CURL_MAX_WRITE_SIZE);
}

/* IMAP servers may speak unasked. Elsewhere a reply too many would be taken
 * for that to the next command, and prove what was never asked. */
static bool in_step(struct mm_chat *c, enum mm_reply_kind kind)
{
	char early[512];
	size_t n = 0;
	if (kind == MM_REPLY_IMAP)
		return true;
	/* what is behind the last reply */
	if (c->in.len > c->scan.at) {
		c->in.len -= c->scan.at;
		memmove(c->in.data, c->in.data + c->scan.at, c->in.len + 1);
		return false;
	}
	mm_buf_reset(&c->in);
	if (curl_easy_recv(c->talk->easy, early, sizeof(early), &n) != CURLE_OK || n == 0)
		return true;
	mm_buf_add(&c->in, early, n);
	mm_trace_server(c->talk->trace, early, n, c->talk->secret);
	return false;
}

static void open_command(struct mm_chat *c, enum mm_reply_kind kind, int64_t now)
{
	bool step = in_step(c, kind);
	if (step)
		mm_buf_reset(&c->in); /* of IMAP the reply is still there */
	mm_buf_reset(&c->out);
	c->sent = 0;
	c->scan = (struct mm_reply_scan){.kind = kind, .tag = c->tag};
	c->deadline = now + c->talk->limits->answer_ms;
	c->state = step ? MM_CHAT_PENDING : MM_CHAT_BROKEN;
	c->commands++;
}

void mm_chat_say(struct mm_chat *c, enum mm_reply_kind kind, int64_t now, const char *fmt, ...)
{
	va_list ap;
	open_command(c, kind, now);
	snprintf(c->tag, sizeof(c->tag), "M%u", c->commands % 100000);
	if (kind == MM_REPLY_IMAP)
		mm_buf_addf(&c->out, "%s ", c->tag);
	va_start(ap, fmt);
	mm_buf_vaddf(&c->out, fmt, ap);
	va_end(ap);
	mm_buf_adds(&c->out, "\r\n");
	if (!mm_buf_ok(&c->out))
		c->state = MM_CHAT_BROKEN;
	mm_trace_client(c->talk->trace, c->out.data, c->out.len, MM_VEIL_OPEN, c->talk->secret);
}

void mm_chat_send(struct mm_chat *c, struct mm_span bytes, int64_t now)
{
	open_command(c, MM_REPLY_SMTP, now);
	mm_buf_add(&c->out, bytes.p, bytes.n);
	if (!mm_buf_ok(&c->out))
		c->state = MM_CHAT_BROKEN;
}

static CURLcode put(struct mm_chat *c)
{
	CURLcode rc = CURLE_OK;
	while (rc == CURLE_OK && c->sent < c->out.len) {
		size_t n = 0;
		rc = curl_easy_send(c->talk->easy, c->out.data + c->sent, c->out.len - c->sent, &n);
		if (rc == CURLE_OK)
			c->sent += n;
	}
	return rc;
}

static CURLcode get(struct mm_chat *c)
{
	char buf[4096];
	size_t n = 0;
	CURLcode rc = curl_easy_recv(c->talk->easy, buf, sizeof(buf), &n);
	if (rc != CURLE_OK)
		return rc;
	if (n == 0)
		return CURLE_RECV_ERROR;
	mm_buf_add(&c->in, buf, n);
	enum mm_scan s = mm_reply_scan(&c->scan, c->in.data, c->in.len);
	if (s == MM_SCAN_BROKEN || !mm_buf_ok(&c->in))
		c->state = MM_CHAT_BROKEN;
	else if (s == MM_SCAN_DONE)
		c->state = MM_CHAT_REPLIED;
	mm_trace_server(c->talk->trace, buf, n, c->talk->secret);
	return CURLE_OK;
}

bool mm_chat_go(struct mm_chat *c, int64_t now)
{
	if (c->state != MM_CHAT_PENDING)
		return true;
	CURLcode rc = put(c);
	while (rc == CURLE_OK && c->state == MM_CHAT_PENDING)
		rc = get(c);
	if (c->state != MM_CHAT_PENDING)
		return true;
	if (rc != CURLE_OK && rc != CURLE_AGAIN)
		c->state = MM_CHAT_LOST;
	else if (now >= c->deadline)
		c->state = MM_CHAT_SILENT;
	return c->state != MM_CHAT_PENDING;
}

struct pollfd mm_chat_poll(const struct mm_chat *c)
{
	bool sending = c->sent < c->out.len;
	return (struct pollfd){.fd = c->talk->sock, .events = sending ? POLLOUT : POLLIN};
}

struct mm_span mm_chat_heard(const struct mm_chat *c)
{
	return (struct mm_span){mm_buf_str(&c->in), c->in.len};
}

void mm_chat_words(const struct mm_chat *c, char *to, size_t size)
{
	struct mm_span all = mm_chat_heard(c);
	struct mm_buf b = MM_BUF_INIT(MM_REPLY_MAX + CURL_MAX_WRITE_SIZE);
	while (all.n > 0 && b.len < size) {
		struct mm_span line = mm_span_line(&all);
		mm_buf_add(&b, line.p, line.n);
		mm_buf_adds(&b, all.n > 0 ? " " : "");
	}
	mm_span_copy((struct mm_span){mm_buf_str(&b), b.len}, to, size);
	mm_buf_free(&b);
}

struct mm_span mm_chat_reply(const struct mm_chat *c)
{
	return (struct mm_span){mm_buf_str(&c->in), c->state == MM_CHAT_REPLIED ? c->scan.at : 0};
}

void mm_chat_leave(struct mm_chat *c)
{
	const char *bye = c->talk->dialog.mail == MM_MAIL_IMAP ? "MX LOGOUT\r\n" : "QUIT\r\n";
	size_t n = 0;
	if (c->state != MM_CHAT_IDLE && c->state != MM_CHAT_REPLIED)
		return;
	(void)curl_easy_send(c->talk->easy, bye, strlen(bye), &n);
	mm_trace_client(c->talk->trace, bye, strlen(bye), MM_VEIL_OPEN, c->talk->secret);
}

void mm_chat_end(struct mm_chat *c)
{
	mm_buf_free(&c->in);
	mm_buf_free(&c->out);
}
