#include "controller/push/local.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "controller/push/sshbuf.h"

int64_t mm_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct mm_ssh_reader reader(const struct mm_frame *f)
{
	return (struct mm_ssh_reader){(const unsigned char *)f->body, f->len};
}

int mm_local_get_slot(const struct mm_frame *f, struct mm_ssh_reader *r, unsigned *slot)
{
	*r = reader(f);
	return mm_ssh_read_u32(r, slot);
}

static void put_keys(struct mm_buf *b, const struct mm_sshkey *keys, size_t n)
{
	mm_ssh_put_u32(b, n);
	for (size_t i = 0; i < n; i++)
		mm_ssh_put_string(b, keys[i].blob, keys[i].len);
}

static int get_keys(struct mm_ssh_reader *r, struct mm_arena *a, const struct mm_sshkey **out, size_t *n)
{
	unsigned count;
	if (mm_ssh_read_u32(r, &count) < 0 || count > 64)
		return -1;
	struct mm_sshkey *keys = mm_arena_alloc(a, count + 1, sizeof(*keys));
	for (unsigned i = 0; i < count; i++) {
		const unsigned char *blob;
		size_t len;
		if (mm_ssh_read_string(r, &blob, &len) < 0 ||
		    mm_sshkey_from_blob(blob, len, a, &keys[i], NULL) < 0)
			return -1;
	}
	*out = keys;
	*n = count;
	return 0;
}

void mm_local_put_config(struct mm_buf *b, const struct mm_worker_config *c)
{
	mm_ssh_put_u32(b, (size_t)c->kind);
	mm_ssh_put_u32(b, c->connect_ms);
	mm_ssh_put_u32(b, c->banner_ms);
	mm_ssh_put_u32(b, c->handshake_ms);
	mm_ssh_put_u32(b, c->silence_ms);
	mm_ssh_put_u32(b, c->total_ms);
	mm_ssh_put_string(b, c->seed != NULL ? c->seed : (const unsigned char *)"", c->seed != NULL ? 32 : 0);
	mm_ssh_put_text(b, c->agent_path);
	put_keys(b, c->user_keys, c->n_user_keys);
	mm_ssh_put_text(b, c->identity_file);
	mm_ssh_put_text(b, c->ssh_program);
}

int mm_local_get_config(const struct mm_frame *f, struct mm_arena *a, struct mm_worker_config *out)
{
	struct mm_ssh_reader r = reader(f);
	struct mm_worker_config c = {0};
	unsigned kind;
	size_t n;
	if (mm_ssh_read_u32(&r, &kind) < 0 || kind > MM_WORKER_RESOLVE ||
	    mm_ssh_read_u32(&r, &c.connect_ms) < 0 || mm_ssh_read_u32(&r, &c.banner_ms) < 0 ||
	    mm_ssh_read_u32(&r, &c.handshake_ms) < 0 || mm_ssh_read_u32(&r, &c.silence_ms) < 0 ||
	    mm_ssh_read_u32(&r, &c.total_ms) < 0 || mm_ssh_read_string(&r, &c.seed, &n) < 0 ||
	    (n != 0 && n != 32))
		return -1;
	c.kind = (enum mm_worker_kind)kind;
	if (n == 0)
		c.seed = NULL;
	c.agent_path = mm_ssh_read_text(&r, a);
	if (c.agent_path == NULL || get_keys(&r, a, &c.user_keys, &c.n_user_keys) < 0)
		return -1;
	c.identity_file = mm_ssh_read_text(&r, a);
	c.ssh_program = c.identity_file != NULL ? mm_ssh_read_text(&r, a) : NULL;
	if (c.ssh_program == NULL)
		return -1;
	*out = c;
	return 0;
}

void mm_local_put_job(struct mm_buf *b, const struct mm_worker_job *j)
{
	mm_ssh_put_u32(b, j->slot);
	mm_ssh_put_u32(b, j->port);
	mm_ssh_put_text(b, j->name);
	mm_ssh_put_text(b, j->addresses);
	mm_ssh_put_text(b, j->login);
	mm_ssh_put_text(b, j->proxy_command);
	mm_ssh_put_text(b, j->known_hosts);
	put_keys(b, j->keys, j->n_keys);
}

int mm_local_get_job(const struct mm_frame *f, struct mm_arena *a, struct mm_worker_job *out)
{
	struct mm_ssh_reader r = reader(f);
	struct mm_worker_job j = {0};
	if (mm_ssh_read_u32(&r, &j.slot) < 0 || mm_ssh_read_u32(&r, &j.port) < 0 || j.port > 65535)
		return -1;
	const char **texts[] = {&j.name, &j.addresses, &j.login, &j.proxy_command, &j.known_hosts};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if ((*texts[i] = mm_ssh_read_text(&r, a)) == NULL)
			return -1;
	if (get_keys(&r, a, &j.keys, &j.n_keys) < 0)
		return -1;
	*out = j;
	return 0;
}

/* Numbers that may be -1 travel plus one. */
static void put_signed(struct mm_buf *b, int v)
{
	mm_ssh_put_u32(b, (size_t)v + 1);
}

static int get_signed(struct mm_ssh_reader *r, int *v)
{
	unsigned u;
	if (mm_ssh_read_u32(r, &u) < 0 || u > 0x7fffffff)
		return -1;
	*v = (int)u - 1;
	return 0;
}

void mm_local_put_outcome(struct mm_buf *b, unsigned slot, const struct mm_outcome *o)
{
	mm_ssh_put_u32(b, slot);
	mm_ssh_put_u32(b, (size_t)o->cls);
	mm_ssh_put_u32(b, (o->delivered ? 1u : 0u) | (o->by_ssh ? 2u : 0u) | (o->early ? 4u : 0u));
	put_signed(b, o->code);
	put_signed(b, o->ms_connect);
	put_signed(b, o->ms_handshake);
	put_signed(b, o->ms_auth);
	put_signed(b, o->ms_answer);
	mm_ssh_put_text(b, o->text);
	mm_ssh_put_text(b, o->fingerprint);
	mm_ssh_put_u32(b, o->pinned);
}

static int get_field(struct mm_ssh_reader *r, char *out, size_t size)
{
	const unsigned char *p;
	size_t n;
	if (mm_ssh_read_string(r, &p, &n) < 0 || n >= size)
		return -1;
	memcpy(out, p, n);
	out[n] = '\0';
	return 0;
}

int mm_local_get_outcome(const struct mm_frame *f, struct mm_outcome *out)
{
	struct mm_ssh_reader r;
	struct mm_outcome o = MM_OUTCOME_NONE;
	unsigned slot, cls, flags;
	char text[MM_OUTCOME_TEXT];
	if (mm_local_get_slot(f, &r, &slot) < 0 || mm_ssh_read_u32(&r, &cls) < 0 || cls >= MM_PC_COUNT ||
	    mm_ssh_read_u32(&r, &flags) < 0 || get_signed(&r, &o.code) < 0 ||
	    get_signed(&r, &o.ms_connect) < 0 || get_signed(&r, &o.ms_handshake) < 0 ||
	    get_signed(&r, &o.ms_auth) < 0 || get_signed(&r, &o.ms_answer) < 0 ||
	    get_field(&r, text, sizeof(text)) < 0 ||
	    get_field(&r, o.fingerprint, sizeof(o.fingerprint)) < 0 || mm_ssh_read_u32(&r, &o.pinned) < 0 ||
	    o.pinned > MM_SSHKEYS_MAX)
		return -1;
	mm_outcome_set(&o, (enum mm_push_class)cls, "%s", text);
	o.delivered = (flags & 1u) != 0;
	o.by_ssh = (flags & 2u) != 0;
	o.early = (flags & 4u) != 0;
	*out = o;
	return 0;
}

void mm_local_init(struct mm_local *l, int fd)
{
	*l = (struct mm_local){.fd = fd, .out = MM_BUF_INIT(MM_LOCAL_HIGH + 2 * (size_t)MM_STREAM_MAX)};
	mm_frame_decoder_init(&l->in, false);
}

void mm_local_free(struct mm_local *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	mm_frame_decoder_free(&l->in);
	mm_buf_free(&l->out);
}

void mm_local_send(struct mm_local *l, enum mm_local_type type, const void *body, size_t n)
{
	mm_frame_put(&l->out, (uint16_t)type, body, n);
}

size_t mm_local_unsent(const struct mm_local *l)
{
	return l->out.len - l->sent;
}

int mm_local_flush(struct mm_local *l)
{
	if (l->out.failed)
		return -1;
	while (l->sent < l->out.len) {
		ssize_t n =
		    send(l->fd, l->out.data + l->sent, l->out.len - l->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return -1;
		l->sent += (size_t)n;
	}
	if (l->sent == l->out.len) {
		mm_buf_reset(&l->out);
		l->sent = 0;
	} else if (l->sent > l->out.len / 2) {
		mm_buf_consume(&l->out, l->sent);
		l->sent = 0;
	}
	return 0;
}

int mm_local_fill(struct mm_local *l)
{
	char chunk[65536];
	ssize_t n;
	do
		n = recv(l->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	/* MM_STREAM_MAX bounds one host's stream; this one carries many. */
	l->in.total = 0;
	if (n == 0 || mm_frame_feed(&l->in, chunk, (size_t)n, NULL) < 0)
		return -1;
	return 1;
}

int mm_local_next(struct mm_local *l, struct mm_frame *f)
{
	return mm_frame_next(&l->in, f, NULL);
}
