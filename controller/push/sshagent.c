#include "controller/push/sshagent.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/frame.h"
#include "controller/push/sshbuf.h"

#define ANSWER_MAX (256u * 1024u) /* OpenSSH's AGENT_MAX_LEN */

enum { REQUEST_IDENTITIES = 11, IDENTITIES_ANSWER = 12, SIGN_REQUEST = 13, SIGN_RESPONSE = 14 };

int mm_agent_connect(const char *path, struct mm_err *err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	if (n == 0 || n >= sizeof(sa.sun_path))
		return mm_err_set(
		    err, MM_EX_FAILED, "the path of the ssh-agent's socket is empty or too long");
	memcpy(sa.sun_path, path, n);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot make a socket for the ssh-agent");
	struct timeval limit = {.tv_sec = MM_AGENT_TIMEOUT_S};
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0) {
		mm_err_sys(err, MM_EX_FAILED, "no ssh-agent at %s", path);
		close(fd);
		return -1;
	}
	return fd;
}

static int read_exactly(int fd, void *p, size_t n, struct mm_err *err)
{
	char *at = p;
	while (n > 0) {
		ssize_t got = read(fd, at, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return mm_err_sys(err, MM_EX_FAILED, "the ssh-agent does not answer");
		if (got == 0)
			return mm_err_set(err, MM_EX_FAILED, "the ssh-agent closed the connection");
		at += got;
		n -= (size_t)got;
	}
	return 0;
}

/* Send one message, read one; `answer` gets its body behind the type byte. */
static int ask(
    int fd, const struct mm_buf *body, unsigned char want, struct mm_buf *answer, struct mm_err *err)
{
	struct mm_buf msg = MM_BUF_INIT(ANSWER_MAX);
	mm_ssh_put_string(&msg, body->data, body->len);
	int rc = mm_buf_ok(&msg) ? mm_write_all(fd, msg.data, msg.len, err)
				 : mm_err_set(err, MM_EX_FAILED, "too much for the ssh-agent");
	mm_buf_free(&msg);
	unsigned char head[5];
	if (rc < 0 || read_exactly(fd, head, sizeof(head), err) < 0)
		return -1;
	struct mm_ssh_reader r = {head, 4};
	unsigned len;
	if (mm_ssh_read_u32(&r, &len) < 0 || len < 1 || len > ANSWER_MAX)
		return mm_err_set(err, MM_EX_FAILED, "the ssh-agent's answer is malformed");
	char chunk[4096];
	for (size_t left = len - 1; left > 0;) {
		size_t n = left < sizeof(chunk) ? left : sizeof(chunk);
		if (read_exactly(fd, chunk, n, err) < 0)
			return -1;
		mm_buf_add(answer, chunk, n);
		left -= n;
	}
	if (head[4] != want)
		return mm_err_set(err, MM_EX_FAILED, "the ssh-agent refused (answer %u)", (unsigned)head[4]);
	return 0;
}

static int parse_list(struct mm_ssh_reader r, struct mm_arena *a, struct mm_sshkey *keys, size_t *n)
{
	unsigned count;
	size_t found = 0;
	if (mm_ssh_read_u32(&r, &count) < 0)
		return -1;
	for (unsigned i = 0; i < count && found < MM_AGENT_KEYS_MAX; i++) {
		const unsigned char *blob, *comment;
		size_t blen, comment_len;
		if (mm_ssh_read_string(&r, &blob, &blen) < 0 ||
		    mm_ssh_read_string(&r, &comment, &comment_len) < 0)
			return -1;
		if (mm_sshkey_from_blob(blob, blen, a, &keys[found], NULL) == 0)
			found++;
	}
	*n = found;
	return 0;
}

int mm_agent_list(
    int fd, struct mm_arena *a, struct mm_sshkey keys[MM_AGENT_KEYS_MAX], size_t *n, struct mm_err *err)
{
	struct mm_buf body = MM_BUF_INIT(8), answer = MM_BUF_INIT(ANSWER_MAX);
	mm_buf_addc(&body, (char)REQUEST_IDENTITIES);
	int rc = ask(fd, &body, IDENTITIES_ANSWER, &answer, err);
	struct mm_ssh_reader r = {(const unsigned char *)mm_buf_str(&answer), answer.len};
	if (rc == 0 && parse_list(r, a, keys, n) < 0)
		rc = mm_err_set(err, MM_EX_FAILED, "the ssh-agent's list of keys is malformed");
	mm_buf_free(&body);
	mm_buf_free(&answer);
	return rc;
}

/* The answer is string(string(algorithm) string(signature)). */
static int parse_signature(
    const struct mm_buf *answer, const struct mm_sshkey *k, struct mm_buf *sig, struct mm_err *err)
{
	struct mm_ssh_reader r = {(const unsigned char *)mm_buf_str(answer), answer->len};
	const unsigned char *blob, *alg, *bare;
	size_t blen, alen, n;
	if (mm_ssh_read_string(&r, &blob, &blen) < 0)
		return mm_err_set(err, MM_EX_FAILED, "the ssh-agent's signature is malformed");
	struct mm_ssh_reader in = {blob, blen};
	if (mm_ssh_read_string(&in, &alg, &alen) < 0 || mm_ssh_read_string(&in, &bare, &n) < 0)
		return mm_err_set(err, MM_EX_FAILED, "the ssh-agent's signature is malformed");
	if (alen != strlen(k->type) || memcmp(alg, k->type, alen) != 0)
		return mm_err_set(
		    err, MM_EX_FAILED, "the ssh-agent signed with another algorithm than %s", k->type);
	mm_buf_add(sig, bare, n);
	return 0;
}

int mm_agent_sign(
    int fd, const struct mm_sshkey *k, const void *data, size_t n, struct mm_buf *sig, struct mm_err *err)
{
	struct mm_buf body = MM_BUF_INIT(ANSWER_MAX - 8), answer = MM_BUF_INIT(ANSWER_MAX);
	mm_buf_addc(&body, (char)SIGN_REQUEST);
	mm_ssh_put_string(&body, k->blob, k->len);
	mm_ssh_put_string(&body, data, n);
	mm_ssh_put_u32(&body, 0);
	int rc = mm_buf_ok(&body) ? ask(fd, &body, SIGN_RESPONSE, &answer, err)
				  : mm_err_set(err, MM_EX_FAILED, "too much for the ssh-agent");
	if (rc == 0)
		rc = parse_signature(&answer, k, sig, err);
	mm_buf_free(&body);
	mm_buf_free(&answer);
	return rc;
}
