#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/proc.h"
#include "common/text.h"
#include "controller/deliver/deliver.h"

#define WAIT_MS 5000 /* for a collector to read up to our end and close */
#define HOST_MAX 256

struct task {
	const char *url, *ca_file;
	int64_t timeout_s;
	const json_t *headers;
	const char *body;
	size_t len;
};

/* ---- the web */

static size_t swallow(char *p, size_t size, size_t n, void *arg)
{
	(void)p;
	(void)arg;
	return size * n;
}

static int usual(CURL *c, const struct task *t, struct mm_err *err)
{
	CURLcode rc = curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)t->timeout_s);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https,http");
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (rc == CURLE_OK && t->ca_file != NULL)
		rc = curl_easy_setopt(c, CURLOPT_CAINFO, t->ca_file);
	if (rc != CURLE_OK)
		return mm_err_set(err, MM_EX_FAILED, "libcurl: %s", curl_easy_strerror(rc));
	return 0;
}

static int trouble(CURLcode rc, const char *detail, struct mm_err *err)
{
	/* How long it took to fail is no part of what is wrong. */
	bool timed = rc == CURLE_COULDNT_CONNECT || rc == CURLE_OPERATION_TIMEDOUT;
	const char *more = detail[0] != '\0' && !timed ? detail : curl_easy_strerror(rc);
	return mm_err_set(err, MM_EX_FAILED, "%s", more);
}

static int headers(const struct task *t, struct curl_slist **list, struct mm_err *err)
{
	for (size_t i = 0; i < json_array_size(t->headers); i++) {
		const char *h = json_string_value(json_array_get(t->headers, i));
		struct curl_slist *more = h != NULL ? curl_slist_append(*list, h) : NULL;
		if (more == NULL)
			return mm_err_set(err, MM_EX_DATAERR, "a header is not a text");
		*list = more;
	}
	return 0;
}

static int post_with(CURL *c, const struct task *t, struct curl_slist *list, struct mm_err *err)
{
	char detail[CURL_ERROR_SIZE] = "";
	long status = 0;
	CURLcode rc = curl_easy_setopt(c, CURLOPT_URL, t->url);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_ERRORBUFFER, detail);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, swallow);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->len);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_POSTFIELDS, t->body);
	if (rc == CURLE_OK)
		rc = curl_easy_perform(c);
	if (rc == CURLE_OK)
		rc = curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	if (rc != CURLE_OK)
		return trouble(rc, detail, err);
	/* A redirect is not followed: what was set up is where the events go. */
	if (status < 200 || status > 299)
		return mm_err_set(err, MM_EX_FAILED, "it answered with status %ld", status);
	return 0;
}

static int post(CURL *c, const struct task *t, struct mm_err *err)
{
	struct curl_slist *list = NULL;
	int rc = headers(t, &list, err);
	if (rc == 0)
		rc = post_with(c, t, list, err);
	curl_slist_free_all(list);
	return rc;
}

/* ---- streams */

static int until(curl_socket_t fd, short what, int ms, struct mm_err *err)
{
	struct pollfd p = {.fd = fd, .events = what};
	int n = poll(&p, 1, ms);
	if (n > 0)
		return 0;
	return n == 0 ? mm_err_set(err, MM_EX_FAILED, "it takes nothing more")
		      : mm_err_sys(err, MM_EX_FAILED, "cannot wait");
}

static int send_all(CURL *c, curl_socket_t fd, const struct task *t, struct mm_err *err)
{
	size_t done = 0;
	while (done < t->len) {
		size_t n = 0;
		CURLcode rc = curl_easy_send(c, t->body + done, t->len - done, &n);
		if (rc == CURLE_AGAIN) {
			if (until(fd, POLLOUT, (int)t->timeout_s * 1000, err) != 0)
				return -1;
			continue;
		}
		if (rc != CURLE_OK)
			return trouble(rc, "", err);
		done += n;
	}
	return 0;
}

/* TCP says that bytes were taken only by what comes back: our end is
 * answered by theirs once they have read up to it, and by a reset if not. */
static int see_it_read(curl_socket_t fd, struct mm_err *err)
{
	char b[512];
	if (shutdown(fd, SHUT_WR) != 0)
		return mm_err_sys(err, MM_EX_FAILED, "the connection broke");
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		/* One that never closes, but keeps the connection, has it. */
		if (poll(&p, 1, WAIT_MS) <= 0)
			return 0;
		ssize_t n = recv(fd, b, sizeof(b), 0);
		if (n < 0 && errno == EINTR)
			continue;
		return n >= 0 ? 0 : mm_err_sys(err, MM_EX_FAILED, "the connection broke");
	}
}

static int stream_with(CURL *c, const struct task *t, bool tls, struct mm_err *err)
{
	char detail[CURL_ERROR_SIZE] = "", url[HOST_MAX + 16];
	curl_socket_t fd = CURL_SOCKET_BAD;
	snprintf(url, sizeof(url), "%s%s", tls ? "https://" : "http://", t->url + strlen("tls://"));
	CURLcode rc = curl_easy_setopt(c, CURLOPT_URL, url);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_ERRORBUFFER, detail);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_PROXY, "");
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_SSL_ENABLE_ALPN, 0L);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
	if (rc == CURLE_OK)
		rc = curl_easy_perform(c);
	if (rc == CURLE_OK)
		rc = curl_easy_getinfo(c, CURLINFO_ACTIVESOCKET, &fd);
	if (rc != CURLE_OK)
		return trouble(rc, detail, err);
	if (send_all(c, fd, t, err) != 0)
		return -1;
	return tls ? 0 : see_it_read(fd, err);
}

/* ---- datagrams */

static int open_udp(const char *hostport, struct mm_err *err)
{
	char host[HOST_MAX];
	const char *colon = strrchr(hostport, ':'), *from = hostport;
	size_t n = colon != NULL ? (size_t)(colon - hostport) : 0;
	if (n > 2 && from[0] == '[' && from[n - 1] == ']') {
		from++;
		n -= 2;
	}
	if (colon == NULL || n == 0 || n >= sizeof(host))
		return mm_err_set(err, MM_EX_DATAERR, "no host and port");
	memcpy(host, from, n);
	host[n] = '\0';
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
	struct addrinfo *list = NULL;
	int rc = getaddrinfo(host, colon + 1, &hints, &list), fd = -1;
	if (rc != 0)
		return mm_err_set(err, MM_EX_FAILED, "%s: %s", host, gai_strerror(rc));
	for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	return fd >= 0 ? fd : mm_err_sys(err, MM_EX_FAILED, "%s", host);
}

/* The length of the message at p, which begins behind the blank. */
static int message_at(const char *p, size_t left, size_t *skip, size_t *n, struct mm_err *err)
{
	size_t digits = 0, len = 0;
	for (; digits < left && digits < 8 && p[digits] >= '0' && p[digits] <= '9'; digits++)
		len = len * 10 + (size_t)(p[digits] - '0');
	if (digits == 0 || digits == left || p[digits] != ' ' || len > left - digits - 1)
		return mm_err_set(err, MM_EX_DATAERR, "the body is no row of messages");
	*skip = digits + 1;
	*n = len;
	return 0;
}

static int send_datagrams(int fd, const struct task *t, struct mm_err *err)
{
	for (size_t at = 0; at < t->len;) {
		size_t skip = 0, n = 0;
		if (message_at(t->body + at, t->len - at, &skip, &n, err) != 0)
			return -1;
		at += skip;
		if (send(fd, t->body + at, n, MSG_NOSIGNAL) < 0)
			return mm_err_sys(err, MM_EX_FAILED, "a message was not taken");
		at += n;
	}
	return 0;
}

static int datagrams(const struct task *t, struct mm_err *err)
{
	int fd = open_udp(t->url + strlen("udp://"), err);
	if (fd < 0)
		return -1;
	int rc = send_datagrams(fd, t, err);
	close(fd);
	return rc;
}

/* ---- the task */

static int with_curl(const struct task *t, struct mm_err *err)
{
	bool tls = mm_starts_with(t->url, "tls://");
	CURL *c = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
	if (c == NULL)
		mm_oom();
	int rc = usual(c, t, err);
	if (rc == 0)
		rc = tls || mm_starts_with(t->url, "tcp://") ? stream_with(c, t, tls, err) : post(c, t, err);
	curl_easy_cleanup(c);
	curl_global_cleanup();
	return rc;
}

static int read_task(const struct mm_buf *in, json_t **head, struct task *t, struct mm_err *err)
{
	const char *end = in->len > 0 ? memchr(in->data, '\n', in->len) : NULL;
	if (end == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "no task on standard input");
	size_t n = (size_t)(end - (const char *)in->data);
	*head = mm_json_load("task", (const char *)in->data, n, err);
	if (*head == NULL || mm_json_str(*head, "url", 4096, &t->url, err) != 0 ||
	    mm_json_str_opt(*head, "ca_file", 4096, &t->ca_file, err) != 0 ||
	    mm_json_int_opt(*head, "timeout", 1, 600, 30, &t->timeout_s, err) != 0 ||
	    mm_json_array(*head, "headers", MM_DELIVER_HEADERS, true, &t->headers, err) != 0)
		return -1;
	t->body = end + 1;
	t->len = in->len - n - 1;
	if (!mm_starts_with(t->url, "http") && strlen(t->url) > HOST_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "the host's name is too long");
	return 0;
}

static int read_all(struct mm_buf *in, struct mm_err *err)
{
	char b[65536];
	ssize_t n;
	while ((n = read(STDIN_FILENO, b, sizeof(b))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mm_err_sys(err, MM_EX_FAILED, "standard input");
		mm_buf_add(in, b, (size_t)n);
	}
	return mm_buf_ok(in) ? 0 : mm_err_set(err, MM_EX_DATAERR, "the body is too long");
}

static void answer(int rc, const struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(65536);
	json_t *o = json_object();
	mm_json_set_bool(o, "taken", rc == 0);
	if (rc != 0)
		mm_json_set_str(o, "text", err->text);
	mm_json_dump(o, &b);
	json_decref(o);
	puts(mm_buf_str(&b));
	mm_buf_free(&b);
}

int main(void)
{
	struct mm_buf in = MM_BUF_INIT(MM_DELIVER_MAX + 65536);
	struct mm_err err = MM_ERR_NONE;
	struct task t = {.url = ""};
	json_t *head = NULL;
	mm_process_init();
	mm_no_core();
	int rc = read_all(&in, &err);
	if (rc == 0)
		rc = read_task(&in, &head, &t, &err);
	if (rc == 0)
		rc = mm_starts_with(t.url, "udp://") ? datagrams(&t, &err) : with_curl(&t, &err);
	answer(rc, &err);
	json_decref(head);
	mm_buf_free(&in);
	return fflush(stdout) == 0 ? MM_EX_OK : MM_EX_FAILED;
}
