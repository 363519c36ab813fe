#include "controller/push/ssh2.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/text.h"
#include "controller/push/kexinit.h"
#include "controller/push/signer.h"

static const char *last_error(struct mm_ssh2 *x)
{
	char *text = NULL;
	(void)libssh2_session_last_error(x->session, &text, NULL, 0);
	return text != NULL && *text != '\0' ? text : "no reason given";
}

/* ---- beginning */

static bool try_next(struct mm_session *s)
{
	return mm_ssh2_connect_next(s, ETIMEDOUT);
}

static void start(struct mm_session *s)
{
	struct mm_ssh2 *x = mm_arena_alloc(s->arena, 1, sizeof(*x));
	*x = (struct mm_ssh2){.fd = -1,
	    .address = s->job.addresses,
	    .hello = MM_BUF_INIT(MM_KEXINIT_MAX),
	    .out = MM_BUF_INIT(MM_SSH2_OUT_MAX),
	    .hostkeys = MM_BUF_INIT(512)};
	s->own.ssh2 = x;
	mm_sshkey_algorithms(s->job.keys, s->job.n_keys, true, &x->hostkeys);
	if (x->hostkeys.len == 0)
		mm_session_end(s, MM_PC_NO_METHOD,
		    "only an RSA host key is pinned, which the SSH library here can check with SHA-1 only; "
		    "transport ssh can serve this host");
	else
		mm_ssh2_connect_next(s, EADDRNOTAVAIL);
}

/* ---- session */

static int prefer(LIBSSH2_SESSION *session, const char *hostkeys)
{
	const struct {
		int method;
		const char *list;
	} prefs[] = {{LIBSSH2_METHOD_KEX, MM_SSH2_KEX}, {LIBSSH2_METHOD_HOSTKEY, hostkeys},
	    {LIBSSH2_METHOD_CRYPT_CS, MM_SSH2_CRYPT}, {LIBSSH2_METHOD_CRYPT_SC, MM_SSH2_CRYPT},
	    {LIBSSH2_METHOD_MAC_CS, MM_SSH2_MAC}, {LIBSSH2_METHOD_MAC_SC, MM_SSH2_MAC},
	    {LIBSSH2_METHOD_COMP_CS, "none"}, {LIBSSH2_METHOD_COMP_SC, "none"}};
	for (size_t i = 0; i < sizeof(prefs) / sizeof(*prefs); i++)
		if (libssh2_session_method_pref(session, prefs[i].method, prefs[i].list) != 0)
			return -1;
	return 0;
}

/* ISO C has no conversion from function to object pointer; libssh2's
 * interface needs one. */
static void set_callbacks(LIBSSH2_SESSION *session)
{
	ssize_t (*const receive)(libssh2_socket_t, void *, size_t, int, void **) = mm_ssh2_receive;
	ssize_t (*const send)(libssh2_socket_t, const void *, size_t, int, void **) = mm_ssh2_send;
	void *p;
	_Static_assert(sizeof(p) == sizeof(receive) && sizeof(p) == sizeof(send), "POSIX says so");
	memcpy(&p, &receive, sizeof(p));
	libssh2_session_callback_set(session, LIBSSH2_CALLBACK_RECV, p);
	memcpy(&p, &send, sizeof(p));
	libssh2_session_callback_set(session, LIBSSH2_CALLBACK_SEND, p);
}

static bool step_connect(struct mm_session *s)
{
	struct mm_ssh2 *x = s->own.ssh2;
	int error = 0;
	socklen_t n = sizeof(error);
	struct sockaddr_storage peer;
	socklen_t pn = sizeof(peer);
	if (getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 || error != 0) {
		mm_ssh2_connect_next(s, error != 0 ? error : errno);
		return false;
	}
	if (getpeername(x->fd, (struct sockaddr *)&peer, &pn) < 0)
		return false; /* still on its way */
	x->session = libssh2_session_init_ex(NULL, NULL, NULL, s);
	if (x->session == NULL || prefer(x->session, mm_buf_str(&x->hostkeys)) < 0) {
		mm_session_end(s, MM_PC_LOCAL, "the SSH library does not take the list of methods");
		return false;
	}
	libssh2_session_set_blocking(x->session, 0);
	set_callbacks(x->session);
	mm_session_phase(s, MM_PH_BANNER);
	x->step = MM_S2_HANDSHAKE;
	return true;
}

static void lost(struct mm_session *s, int rc)
{
	struct mm_ssh2 *x = s->own.ssh2;
	if (!x->heard)
		mm_session_end(s, MM_PC_LOST,
		    "the host closed the connection before its SSH banner (too many connections there: "
		    "MaxStartups, "
		    "or a wrapper that refuses us)");
	else if (s->phase < MM_PH_AUTH)
		mm_session_end(s, MM_PC_LOST, "the host closed the connection during the SSH handshake");
	else if (s->phase == MM_PH_AUTH)
		mm_session_end(s, MM_PC_LOST, "the host closed the connection during authentication");
	else
		mm_session_end(s, MM_PC_LOST, "the connection broke: %s (%d)", last_error(x), rc);
}

/* An error of libssh2 that means the same in every step. */
static bool failed(struct mm_session *s, int rc)
{
	struct mm_ssh2 *x = s->own.ssh2;
	switch (rc) {
	case LIBSSH2_ERROR_EAGAIN:
		return false;
	case LIBSSH2_ERROR_SOCKET_DISCONNECT:
	case LIBSSH2_ERROR_SOCKET_RECV:
	case LIBSSH2_ERROR_SOCKET_SEND:
	case LIBSSH2_ERROR_BANNER_SEND:
	case LIBSSH2_ERROR_CHANNEL_CLOSED:
		lost(s, rc);
		return false;
	default:
		mm_session_end(
		    s, MM_PC_HOSTILE, "the host breaks the SSH protocol: %s (%d)", last_error(x), rc);
		return false;
	}
}

static void other_host_key(struct mm_session *s, const char *offered)
{
	struct mm_buf pinned = MM_BUF_INIT(512);
	for (size_t i = 0; i < s->job.n_keys; i++) {
		char fp[MM_FINGERPRINT_MAX];
		mm_sshkey_fingerprint(s->job.keys[i].blob, s->job.keys[i].len, fp);
		mm_buf_addf(&pinned, "%s%s %s", i > 0 ? ", " : "", s->job.keys[i].type, fp);
	}
	if (s->job.n_keys == 0)
		mm_session_end(s, MM_PC_HOSTKEY_UNKNOWN,
		    "no host key is pinned for this host; it shows %s. Compare it on the host, then enrol it",
		    offered);
	else
		mm_session_end(s, MM_PC_HOSTKEY_CHANGED,
		    "the host key has changed: pinned is %s, the host shows %s. A reinstalled host, or "
		    "somebody in "
		    "between",
		    mm_buf_str(&pinned), offered);
	mm_buf_free(&pinned);
}

/* Does the host speak SSH at all? What it said is repeated, as it may help. */
static void no_banner(struct mm_session *s)
{
	struct mm_ssh2 *x = s->own.ssh2;
	size_t n = strcspn(mm_buf_str(&x->hello), "\r\n");
	if (!x->heard)
		lost(s, LIBSSH2_ERROR_SOCKET_DISCONNECT);
	else if (n < 8 || memcmp(mm_buf_str(&x->hello), "SSH-", 4) != 0)
		mm_session_end(s, MM_PC_NOT_SSH, "port %u does not speak SSH: it says \"%.*s\"", s->job.port,
		    (int)(n < 80 ? n : 80), mm_buf_str(&x->hello));
	else
		mm_session_end(s, MM_PC_LOST, "the host closed the connection during the SSH handshake");
}

static bool handshake_failed(struct mm_session *s, int rc)
{
	struct mm_ssh2 *x = s->own.ssh2;
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return false;
	struct mm_buf why = MM_BUF_INIT(1024);
	enum mm_kex_verdict v = mm_kexinit_explain(&x->hello, mm_buf_str(&x->hostkeys), &why);
	if (v == MM_KEX_NOTHING_IN_COMMON || (v == MM_KEX_OTHER_HOSTKEY && s->job.n_keys == 0))
		mm_session_end(s, MM_PC_NO_METHOD, "%s%s; transport ssh can serve this host",
		    v == MM_KEX_OTHER_HOSTKEY ? "no host key algorithm in common: the host offers " : "",
		    mm_buf_str(&why));
	else if (v == MM_KEX_OTHER_HOSTKEY)
		other_host_key(s, mm_buf_str(&why));
	else if (rc == LIBSSH2_ERROR_BANNER_RECV || rc == LIBSSH2_ERROR_SOCKET_NONE)
		no_banner(s);
	else if (rc == LIBSSH2_ERROR_HOSTKEY_INIT || rc == LIBSSH2_ERROR_HOSTKEY_SIGN)
		mm_session_end(
		    s, MM_PC_HOSTILE, "the host could not prove that it has its host key: %s", last_error(x));
	else
		(void)failed(s, rc);
	mm_buf_free(&why);
	return false;
}

/* Byte for byte, before the host learns anything about us. */
static bool host_key_ok(struct mm_session *s)
{
	struct mm_ssh2 *x = s->own.ssh2;
	size_t n = 0;
	int type = 0;
	const char *blob = libssh2_session_hostkey(x->session, &n, &type);
	if (blob == NULL || n == 0) {
		mm_session_end(s, MM_PC_HOSTILE, "the host showed no host key");
		return false;
	}
	s->outcome.pinned = mm_sshkey_pinned(s->job.keys, s->job.n_keys, blob, n);
	if (s->outcome.pinned > 0)
		return true;
	mm_sshkey_fingerprint(blob, n, s->outcome.fingerprint);
	struct mm_sshkey shown;
	const char *word = mm_sshkey_from_blob(blob, n, s->arena, &shown, NULL) == 0 ? shown.type : "a key";
	other_host_key(s, mm_arena_printf(s->arena, "%s %s", word, s->outcome.fingerprint));
	return false;
}

static bool step_handshake(struct mm_session *s)
{
	struct mm_ssh2 *x = s->own.ssh2;
	int rc = libssh2_session_handshake(x->session, x->fd);
	if (rc != 0)
		return handshake_failed(s, rc);
	x->step = MM_S2_AUTH;
	if (!host_key_ok(s))
		return false;
	mm_session_phase(s, MM_PH_AUTH);
	return true;
}

/* ---- authentication */

/* libssh2 frees the signature with free(), as no allocator was given. */
static int sign_callback(LIBSSH2_SESSION *session, unsigned char **sig, size_t *sig_len,
    const unsigned char *data, size_t data_len, void **abstract)
{
	(void)session;
	struct mm_session *s = *abstract;
	struct mm_buf b = MM_BUF_INIT(4096);
	if (mm_signer_sign(mm_session_signer(s), s->own.ssh2->key, data, data_len, &b, NULL) < 0 ||
	    !mm_buf_ok(&b)) {
		mm_buf_free(&b);
		s->own.ssh2->sign_failed = true;
		return -1;
	}
	*sig = (unsigned char *)b.data;
	*sig_len = b.len;
	return 0;
}

static bool not_accepted(struct mm_session *s)
{
	struct mm_signer *signer = mm_session_signer(s);
	char fp[MM_FINGERPRINT_MAX];
	const struct mm_sshkey *k = mm_signer_key(signer, 0);
	mm_sshkey_fingerprint(k->blob, k->len, fp);
	mm_session_end(s, MM_PC_AUTH,
	    "the host does not let %s in with our SSH key %s%s: is it in the account's authorized_keys?",
	    s->job.login, fp, mm_signer_count(signer) > 1 ? " (nor with the others of the ssh-agent)" : "");
	return false;
}

static bool step_auth(struct mm_session *s)
{
	struct mm_ssh2 *x = s->own.ssh2;
	struct mm_signer *signer = mm_session_signer(s);
	const struct mm_sshkey *k = mm_signer_key(signer, x->key);
	void *abstract = s;
	int rc =
	    libssh2_userauth_publickey(x->session, s->job.login, k->blob, k->len, sign_callback, &abstract);
	if (x->sign_failed) {
		mm_session_end(s, MM_PC_LOCAL, "our SSH key could not sign (is the ssh-agent still there?)");
		return false;
	}
	switch (rc) {
	case 0:
		mm_session_phase(s, MM_PH_ANSWER);
		mm_session_need(s);
		x->step = MM_S2_OPEN;
		return true;
	case LIBSSH2_ERROR_AUTHENTICATION_FAILED:
	case LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED:
	case LIBSSH2_ERROR_METHOD_NOT_SUPPORTED:
		if (++x->key < mm_signer_count(signer))
			return true;
		return not_accepted(s);
	default:
		return failed(s, rc);
	}
}

/* ---- the command */

static bool no_session(struct mm_session *s, int rc)
{
	if (rc == LIBSSH2_ERROR_CHANNEL_FAILURE || rc == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED ||
	    rc == LIBSSH2_ERROR_REQUEST_DENIED) {
		mm_session_end(s, MM_PC_NO_AGENT, "the host accepts our key but refuses to run a command: %s",
		    last_error(s->own.ssh2));
		return false;
	}
	return failed(s, rc);
}

static bool step_open(struct mm_session *s)
{
	struct mm_ssh2 *x = s->own.ssh2;
	x->channel = libssh2_channel_open_session(x->session);
	if (x->channel == NULL)
		return no_session(s, libssh2_session_last_errno(x->session));
	x->step = MM_S2_EXEC;
	return true;
}

static bool step_exec(struct mm_session *s)
{
	struct mm_ssh2 *x = s->own.ssh2;
	int rc = libssh2_channel_exec(x->channel, MM_REMOTE_COMMAND);
	if (rc != 0)
		return no_session(s, rc);
	x->step = MM_S2_RUN;
	return true;
}

/* True when nothing is left to write for now. */
static bool write_request(struct mm_session *s)
{
	struct mm_ssh2 *x = s->own.ssh2;
	while (s->request_sent < s->request.len) {
		ssize_t n = libssh2_channel_write(
		    x->channel, s->request.data + s->request_sent, s->request.len - s->request_sent);
		if (n == LIBSSH2_ERROR_CHANNEL_CLOSED || n == LIBSSH2_ERROR_CHANNEL_EOF_SENT) {
			x->eof_sent = true; /* it reads no more; what it says counts */
			return true;
		}
		if (n < 0)
			return failed(s, (int)n);
		s->request_sent += (size_t)n;
		s->heard = mm_now_ms();
	}
	/* What waits for its answer holds no request any more. */
	mm_buf_free(&s->request);
	s->request_sent = 0;
	if (!s->request_complete || x->eof_sent)
		return true;
	int rc = libssh2_channel_send_eof(x->channel);
	if (rc != 0)
		return failed(s, rc);
	x->eof_sent = x->all_written = true;
	return true;
}

/* One stream until it has no more for now; false when the session ended. */
static bool read_stream(struct mm_session *s, int id)
{
	struct mm_ssh2 *x = s->own.ssh2;
	char chunk[32768];
	while (!mm_session_choked(s)) {
		ssize_t n = libssh2_channel_read_ex(x->channel, id, chunk, sizeof(chunk));
		if (n == LIBSSH2_ERROR_EAGAIN || n == 0)
			return true;
		if (n < 0)
			return failed(s, (int)n);
		s->heard = mm_now_ms();
		if (id == 0)
			mm_session_data(s, chunk, (size_t)n);
		else
			mm_session_stderr(s, chunk, (size_t)n);
	}
	return true;
}

/* Both streams until there is nothing more. Reading one takes what has come
 * of the other off the socket, too, which then wakes nobody. */
static bool read_streams(struct mm_session *s)
{
	LIBSSH2_CHANNEL *c = s->own.ssh2->channel;
	do {
		if (!read_stream(s, 0))
			return false;
		/* Of the first nothing is left: what is there is of the second. */
		if (libssh2_poll_channel_read(c, 1) == 1 && !read_stream(s, SSH_EXTENDED_DATA_STDERR))
			return false;
	} while (!mm_session_choked(s) && libssh2_poll_channel_read(c, 0) == 1);
	return true;
}

static bool step_run(struct mm_session *s)
{
	struct mm_ssh2 *x = s->own.ssh2;
	/* No read while a packet of ours is half out: libssh2 could not send
	 * the window adjustment that reading brings about. */
	if (!x->eof_sent && !write_request(s))
		return false;
	if (!read_streams(s))
		return false;
	if (libssh2_channel_eof(x->channel) != 1)
		return false;
	x->step = MM_S2_CLOSE;
	return true;
}

static bool step_close(struct mm_session *s)
{
	struct mm_ssh2 *x = s->own.ssh2;
	if (libssh2_channel_close(x->channel) == LIBSSH2_ERROR_EAGAIN)
		return false;
	mm_session_exited(s, libssh2_channel_get_exit_status(x->channel));
	return false;
}

static void rearm(struct mm_session *s)
{
	struct mm_ssh2 *x = s->own.ssh2;
	unsigned events = 0;
	if (x->step == MM_S2_CONNECT || x->out.len > 0) {
		events = EPOLLOUT;
	} else {
		int dirs = libssh2_session_block_directions(x->session);
		events |= (dirs & LIBSSH2_SESSION_BLOCK_INBOUND) != 0 ? EPOLLIN : 0u;
		events |= (dirs & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0 ? EPOLLOUT : 0u;
		if (events == 0)
			events = EPOLLIN;
	}
	if (events == x->watched)
		return;
	x->watched = events;
	if (mm_session_watch(s, x->fd, events, false) < 0)
		mm_session_end(s, MM_PC_LOCAL, "cannot wait for the host: %s", strerror(errno));
}

static void go_on(struct mm_session *s)
{
	static bool (*const steps[])(struct mm_session *) = {
	    [MM_S2_CONNECT] = step_connect,
	    [MM_S2_HANDSHAKE] = step_handshake,
	    [MM_S2_AUTH] = step_auth,
	    [MM_S2_OPEN] = step_open,
	    [MM_S2_EXEC] = step_exec,
	    [MM_S2_RUN] = step_run,
	    [MM_S2_CLOSE] = step_close,
	};
	while (!s->ended && steps[s->own.ssh2->step](s))
		;
}

/* False: the host takes no more for now. */
static bool flush(struct mm_session *s)
{
	struct mm_ssh2 *x = s->own.ssh2;
	int rc = x->out.len > 0 ? mm_ssh2_flush(s) : 1;
	if (rc >= 0)
		return rc > 0;
	/* It hears nothing any more, but what it has said counts. */
	mm_buf_free(&x->out);
	x->deaf = s->ready = true;
	go_on(s);
	if (!s->ended)
		lost(s, LIBSSH2_ERROR_SOCKET_SEND);
	return true;
}

static void pump(struct mm_session *s)
{
	struct mm_ssh2 *x = s->own.ssh2;
	mm_session_serving(s, true);
	/* It has nothing to answer before it has what was written. */
	if (flush(s)) {
		go_on(s);
		if (!s->ended)
			(void)flush(s);
	}
	mm_session_serving(s, false);
	if (s->ended || x->fd < 0)
		return;
	mm_ssh2_acknowledge(s);
	rearm(s);
}

static void stop(struct mm_session *s)
{
	struct mm_ssh2 *x = s->own.ssh2;
	if (x == NULL)
		return;
	if (x->session != NULL) {
		mm_session_serving(s, true);
		if (x->step > MM_S2_AUTH)
			(void)libssh2_session_disconnect(x->session, "done");
		(void)mm_ssh2_flush(s);
		x->closing = true; /* so that no call can want to wait */
		for (int i = 0; i < 16 && libssh2_session_free(x->session) == LIBSSH2_ERROR_EAGAIN; i++)
			;
		mm_session_serving(s, false);
	}
	mm_ssh2_close_socket(s);
	mm_buf_free(&x->hello);
	mm_buf_free(&x->out);
	mm_buf_free(&x->hostkeys);
}

const struct mm_transport mm_transport_libssh2 = {
    .start = start,
    .pump = pump,
    .try_next = try_next,
    .stop = stop,
};

int mm_ssh2_init(struct mm_err *err)
{
	if (libssh2_init(0) != 0)
		return mm_err_set(err, MM_EX_FAILED, "the SSH library cannot be initialised");
	return 0;
}
