#include "tests/bench/fleet/server.h"

#include <errno.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "common/frame.h"
#include "tests/bench/fleet/simagent.h"

#define TURN_MS 50
#define ACCEPT_MAX 64 /* in one turn */

struct loop;

struct conn {
	struct conn *next;
	struct loop *loop;
	size_t host;
	int fd; /* of one that says nothing; -1: the session has it */
	ssh_session session;
	ssh_channel channel;
	struct ssh_server_callbacks_struct on_session;
	struct ssh_channel_callbacks_struct on_channel;
	struct mm_frame_decoder decoder;
	struct mm_sim_request request;
	struct mm_buf raw; /* what came, where it is to be kept */
	int64_t due;       /* when it answers; 0: the request is not complete */
	bool answered, over;
};

struct loop {
	const struct mm_sim_server *server;
	ssh_bind bind;
	ssh_event event;
	ssh_key user_key;
	struct conn *conns;
	int fresh[ACCEPT_MAX];
	size_t n_fresh;
	int late; /* the listener of those that were down */
};

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- sockets */

/* With a full queue of one the kernel answers no SYN. */
static int fill_queue(uint32_t port, struct mm_err *err)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	for (int i = 0; i < 2; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd < 0 || (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS))
			return mm_err_sys(err, MM_EX_FAILED, "port %u", (unsigned)port);
	}
	return 0;
}

int mm_sim_listen(uint32_t port, bool deaf, struct mm_err *err)
{
	const int on = 1;
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, deaf ? 0 : 4096) < 0)
		return mm_err_sys(err, MM_EX_FAILED, "port %u", (unsigned)port);
	return deaf && fill_queue(port, err) < 0 ? -1 : fd;
}

/* Which host was meant? -1: none. */
static int64_t host_of(const struct mm_sim_world *w, int fd)
{
	struct sockaddr_in to;
	socklen_t n = sizeof(to);
	if (getsockname(fd, (struct sockaddr *)&to, &n) < 0)
		return -1;
	uint32_t a = ntohl(to.sin_addr.s_addr), net = a >> 16 & 255, row = a >> 8 & 255, place = a & 255;
	int64_t host = ((int64_t)net - 1) * 62500 + (int64_t)row * 250 + (int64_t)place - 1;
	return net < 1 || row > 249 || place < 1 || place > 250 || host >= w->head->hosts ? -1 : host;
}

/* ---- what libssh calls: nothing is written from inside */

static int on_key(ssh_session session, const char *user, struct ssh_key_struct *key, char state, void *arg)
{
	const struct conn *c = arg;
	(void)session;
	(void)user;
	bool ours = ssh_key_cmp(key, c->loop->user_key, SSH_KEY_CMP_PUBLIC) == 0;
	return ours && (state == SSH_PUBLICKEY_STATE_NONE || state == SSH_PUBLICKEY_STATE_VALID)
		   ? SSH_AUTH_SUCCESS
		   : SSH_AUTH_DENIED;
}

static int on_exec(ssh_session session, ssh_channel channel, const char *command, void *arg)
{
	(void)session;
	(void)channel;
	(void)command;
	(void)arg;
	return 0;
}

static int on_data(ssh_session session, ssh_channel channel, void *data, uint32_t len, int errout, void *arg)
{
	struct conn *c = arg;
	struct mm_frame f;
	int rc = mm_frame_feed(&c->decoder, data, len, NULL);
	(void)session;
	(void)channel;
	(void)errout;
	if (c->host == 0 && c->loop->server->keep != NULL)
		mm_buf_add(&c->raw, data, len);
	while (rc == 0 && !c->request.complete && (rc = mm_frame_next(&c->decoder, &f, NULL)) > 0)
		rc = mm_sim_request_frame(&c->request, &f, NULL);
	if (rc < 0)
		c->over = true;
	if (c->request.complete && c->due == 0)
		c->due = now_ms() + c->loop->server->answer_ms;
	return (int)len;
}

static ssh_channel on_open(ssh_session session, void *arg)
{
	struct conn *c = arg;
	if (c->channel != NULL)
		return NULL;
	c->channel = ssh_channel_new(session);
	c->on_channel = (struct ssh_channel_callbacks_struct){
	    .userdata = c, .channel_data_function = on_data, .channel_exec_request_function = on_exec};
	ssh_callbacks_init(&c->on_channel);
	ssh_set_channel_callbacks(c->channel, &c->on_channel);
	return c->channel;
}

static int on_accept(socket_t fd, int events, void *arg)
{
	struct loop *l = arg;
	(void)events;
	while (l->n_fresh < ACCEPT_MAX) {
		int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (got < 0)
			break;
		l->fresh[l->n_fresh++] = got;
	}
	return 0;
}

/* ---- connections */

static void drop(struct conn *c)
{
	if (c->session != NULL) {
		(void)ssh_event_remove_session(c->loop->event, c->session);
		ssh_free(c->session);
		mm_frame_decoder_free(&c->decoder);
		mm_sim_request_free(&c->request);
		mm_buf_free(&c->raw);
	}
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

static int greet(struct conn *c, int fd)
{
	c->session = ssh_new();
	mm_frame_decoder_init(&c->decoder, true);
	mm_sim_request_init(&c->request);
	c->raw = MM_BUF_INIT(MM_STREAM_MAX);
	c->on_session = (struct ssh_server_callbacks_struct){
	    .userdata = c, .auth_pubkey_function = on_key, .channel_open_request_session_function = on_open};
	ssh_callbacks_init(&c->on_session);
	ssh_set_server_callbacks(c->session, &c->on_session);
	ssh_set_auth_methods(c->session, SSH_AUTH_METHOD_PUBLICKEY);
	if (ssh_bind_accept_fd(c->loop->bind, c->session, fd) != SSH_OK)
		return -1;
	ssh_set_blocking(c->session, 0);
	if (ssh_handle_key_exchange(c->session) == SSH_ERROR)
		return -1;
	return ssh_event_add_session(c->loop->event, c->session) == SSH_OK ? 0 : -1;
}

static void welcome(struct loop *l, int fd)
{
	struct mm_sim_world *w = l->server->world;
	int64_t host = host_of(w, fd);
	if (host < 0) {
		close(fd);
		return;
	}
	struct conn *c = mm_xcalloc(1, sizeof(*c));
	*c = (struct conn){.next = l->conns, .loop = l, .host = (size_t)host, .fd = -1};
	l->conns = c;
	mm_sim_lock(w, c->host);
	w->hosts[host].connections++;
	mm_sim_unlock(w, c->host);
	if (w->hosts[host].kind == MM_SIM_HANG && (w->head->flags & MM_SIM_ALL_SPEAK) == 0)
		c->fd = fd;
	else if (greet(c, fd) < 0)
		c->over = true;
}

static void answer(struct conn *c)
{
	struct mm_sim_world *w = c->loop->server->world;
	struct mm_buf out = MM_BUF_INIT(MM_STREAM_MAX);
	c->answered = true;
	if (c->raw.len > 0 && mm_write_own(c->loop->server->keep, c->raw.data, c->raw.len, 0600, NULL) < 0)
		c->over = true;
	mm_sim_lock(w, c->host);
	bool sent = mm_sim_answer(&c->request, &w->hosts[c->host], w->head->flags, &out);
	mm_sim_unlock(w, c->host);
	if (sent && ssh_channel_write(c->channel, mm_buf_str(&out), (uint32_t)out.len) == (int)out.len) {
		(void)ssh_channel_request_send_exit_status(c->channel, 0);
		(void)ssh_channel_send_eof(c->channel);
		(void)ssh_channel_close(c->channel);
	} else {
		c->over = true;
	}
	mm_buf_free(&out);
}

/* One that says nothing: is the other side gone? */
static bool gone(const struct conn *c)
{
	struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};
	return poll(&p, 1, 0) > 0;
}

static bool finished(const struct conn *c)
{
	if (c->over)
		return true;
	return c->fd >= 0 ? gone(c) : (ssh_get_status(c->session) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0;
}

static void look_after(struct loop *l)
{
	int64_t now = now_ms();
	for (struct conn **at = &l->conns; *at != NULL;) {
		struct conn *c = *at;
		if (c->due != 0 && !c->answered && now >= c->due)
			answer(c);
		if (finished(c)) {
			*at = c->next;
			drop(c);
		} else {
			at = &c->next;
		}
	}
	for (size_t i = 0; i < l->n_fresh; i++)
		welcome(l, l->fresh[i]);
	l->n_fresh = 0;
}

/* Those that were down come up, and go. */
static int late_ones(struct loop *l, struct mm_err *err)
{
	const struct mm_sim_head *head = l->server->world->head;
	bool up = (head->flags & MM_SIM_ALL_UP) != 0;
	if (up && l->late < 0) {
		l->late = mm_sim_listen(head->port + 1, false, err);
		return l->late < 0 ? -1 : ssh_event_add_fd(l->event, l->late, POLLIN, on_accept, l);
	}
	if (!up && l->late >= 0) {
		(void)ssh_event_remove_fd(l->event, l->late);
		close(l->late);
		l->late = -1;
	}
	return 0;
}

static int set_up(struct loop *l, struct mm_err *err)
{
	const bool no = false;
	ssh_key key = NULL;
	if (ssh_init() != SSH_OK ||
	    ssh_pki_import_privkey_file(l->server->host_key, NULL, NULL, NULL, &key) != SSH_OK)
		return mm_err_set(err, MM_EX_FAILED, "%s: no host key", l->server->host_key);
	if (ssh_pki_import_pubkey_file(l->server->user_key, &l->user_key) != SSH_OK)
		return mm_err_set(err, MM_EX_FAILED, "%s: no public key", l->server->user_key);
	l->bind = ssh_bind_new();
	l->event = ssh_event_new();
	if (ssh_bind_options_set(l->bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no) != SSH_OK ||
	    ssh_bind_options_set(l->bind, SSH_BIND_OPTIONS_IMPORT_KEY, key) != SSH_OK ||
	    ssh_bind_options_set(l->bind, SSH_BIND_OPTIONS_KEY_EXCHANGE, "curve25519-sha256") != SSH_OK ||
	    ssh_event_add_fd(l->event, l->server->listener, POLLIN, on_accept, l) != SSH_OK)
		return mm_err_set(err, MM_EX_FAILED, "libssh does not take the options");
	return 0;
}

int mm_sim_serve(const struct mm_sim_server *server, struct mm_err *err)
{
	struct loop l = {.server = server, .late = -1};
	if (set_up(&l, err) < 0)
		return -1;
	for (;;) {
		/* An error is that of one connection, which shows in its status. */
		if (ssh_event_dopoll(l.event, TURN_MS) == SSH_ERROR)
			(void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		look_after(&l);
		if (late_ones(&l, err) < 0)
			return -1;
	}
}
