#include "controller/request_build.h"

#include <string.h>

#include "common/frame.h"
#include "common/text.h"
#include "controller/hostwide.h"
#include "controller/policy_store.h"
#include "schemas/proto.h"

#define ENVELOPE_MAX MM_FRAME_MAX
#define DAYS_MAX 366
#define SHEETS_MAX ((size_t)4 * 1024 * 1024) /* kept of users of single hosts ... */
#define SHEETS_UNUSED ((size_t)128 * 1024)   /* ... when none of them is met again */
#define TRIED 2                              /* hosts after which that shows */

/* One user's sheet, encoded once for all hosts that the policy does not name. */
struct sheet {
	const char *login;
	const char *body;
	size_t len;
	size_t n_accounts;
	char sha256[MM_SHA256_HEX];
};

struct sheets {
	struct sheet **items;
	size_t n, cap;
};

struct mm_request_builder {
	struct mm_store *store;
	struct mm_request_key key;
	bool read_only;
	struct mm_arena *a; /* policy */
	struct mm_stored_policy p;
	struct mm_arena *cached; /* where what is in the cache lies */
	struct sheets cache;     /* in order of login */
	size_t hits, hosts;      /* since the cache began: found in it, served */
	bool all_cached;         /* `cache` holds everybody who is in the store */
	bool hostwide_cached;
	const struct mm_sheet *hostwide; /* of everybody, on hosts that the policy does not name */
	struct mm_buf scratch, payload, envelope;
	struct mm_checkpoint_row point; /* the newest; its seq is 0 when there is none */
};

/* ---- the builder */

void mm_request_builder_follow(struct mm_request_builder *b, mm_request_rekey *rekey, void *ctx)
{
	b->key.rekey = rekey;
	b->key.ctx = ctx;
}

static int load(struct mm_request_builder *b, int64_t revision, struct mm_err *err)
{
	if (revision == MM_NO_POLICY)
		return 0;

	int rc = mm_policy_stored(b->store, revision, b->a, &b->p, err);

	if (rc == 1 && revision)
		return mm_err_set(err, MM_EX_FAILED, "there is no revision %lld", (long long)revision);
	if (rc == 1)
		return mm_err_set(
		    err, MM_EX_FAILED, "there is no policy yet; run: mailmuster policy import FILE");
	if (rc || b->read_only)
		return rc;
	return mm_store_revision_pushable(b->store, b->p.revision.number, err);
}

int mm_request_builder_new(struct mm_store *store, const struct mm_key *key, int64_t revision, bool read_only,
    struct mm_request_builder **out, struct mm_err *err)
{
	struct mm_request_builder *b = mm_xcalloc(1, sizeof(*b));

	b->store = store;
	b->read_only = read_only;
	b->a = mm_arena_new();
	b->cached = mm_arena_new();
	b->scratch = MM_BUF_INIT(MM_FRAME_MAX);
	b->payload = MM_BUF_INIT(MM_FRAME_MAX);
	b->envelope = MM_BUF_INIT(ENVELOPE_MAX);
	b->key.rotations = MM_BUF_INIT(MM_FRAME_MAX);
	if (mm_request_key_take(&b->key, store, key, err) || load(b, revision, err) ||
	    mm_store_checkpoint_newest(store, &b->point, err) < 0) {
		mm_request_builder_free(b);
		return -1;
	}
	*out = b;
	return 0;
}

void mm_request_builder_free(struct mm_request_builder *b)
{
	if (!b)
		return;
	mm_buf_free(&b->scratch);
	mm_buf_free(&b->payload);
	mm_buf_free(&b->envelope);
	mm_buf_free(&b->key.rotations);
	mm_arena_free(b->cached);
	mm_arena_free(b->a);
	free(b);
}

int64_t mm_request_builder_revision(const struct mm_request_builder *b)
{
	return b->p.revision.number;
}

/* ---- sheets */

/* `work` is for what resolving needs; what lasts goes into `keep`. */
static int make_sheet(struct mm_request_builder *b, const struct mm_store_user *u, const char *host,
    struct mm_arena *work, struct mm_arena *keep, struct sheet **out, struct mm_err *err)
{
	struct mm_subject subject = mm_subject_of(u, work);
	struct mm_resolved *r;
	struct mm_sheet sheet;
	struct mm_diags d;
	struct sheet *s;

	mm_diags_init(&d, work);
	if (mm_resolve(b->p.policy, &subject, host, 0, work, &r, &d)) {
		mm_diags_err(&d, err);
		return mm_err_prefix(err, "user %s", u->login);
	}
	sheet = mm_resolve_sheet(r, b->p.revision.number, work);
	mm_buf_reset(&b->scratch);
	mm_sheet_encode(&sheet, &b->scratch);
	if (!mm_buf_ok(&b->scratch))
		return mm_err_set(
		    err, MM_EX_DATAERR, "user %s: the sheet exceeds %u bytes", u->login, MM_FRAME_MAX);
	s = mm_arena_alloc(keep, 1, sizeof(*s));
	s->login = mm_arena_strdup(keep, u->login);
	s->body = mm_arena_strndup(keep, mm_buf_str(&b->scratch), b->scratch.len);
	s->len = b->scratch.len;
	s->n_accounts = sheet.n_accounts;
	mm_sha256_hex(s->body, s->len, s->sha256);
	*out = s;
	return 0;
}

static void append(struct sheets *list, struct mm_arena *a, struct sheet *s)
{
	struct sheet **slot = mm_arena_push(a, &list->items, &list->n, &list->cap, sizeof(*list->items));

	*slot = s;
}

/* Where `login` is, or belongs, in the cache. */
static size_t cache_find(const struct sheets *c, const char *login, bool *found)
{
	size_t lo = 0, hi = c->n;

	*found = false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strcmp(c->items[mid]->login, login);

		if (order == 0) {
			*found = true;
			return mid;
		}
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Most users have one host: with many of them the cache begins anew, and what
 * a push holds does not grow with the fleet. */
static void cache_bound(struct mm_request_builder *b)
{
	bool used = b->hosts++ < TRIED || b->hits >= b->cache.n;
	if (b->all_cached || mm_arena_used(b->cached) < (used ? SHEETS_MAX : SHEETS_UNUSED))
		return;
	b->hits = b->hosts = 0;
	mm_arena_free(b->cached);
	b->cached = mm_arena_new();
	b->cache = (struct sheets){.n = 0};
}

static void cache_insert(struct mm_request_builder *b, size_t at, struct sheet *s)
{
	struct sheets *c = &b->cache;

	append(c, b->cached, s);
	memmove(&c->items[at + 1], &c->items[at], (c->n - 1 - at) * sizeof(*c->items));
	c->items[at] = s;
}

struct host_job {
	struct mm_request_builder *b;
	const char *host;                       /* NULL: the policy says nothing about this host */
	const struct mm_held_ask *ask;          /* about what the host holds: without sheets; or NULL */
	const struct mm_held_ask *only;         /* a preflight: of its users the sheets; or NULL */
	const struct mm_discover_ask *discover; /* ... and no sheets; or NULL */
	const char *const *args;                /* of the op */
	size_t n_args;
	const char *expect; /* the plan that is carried out; or NULL */
	struct mm_arena *a; /* of this request */
	struct sheets list;
	const struct mm_sheet *hostwide;
};

static int one_user(struct host_job *j, const struct mm_store_user *u, struct sheet **out, struct mm_err *err)
{
	struct mm_arena *work, *keep = j->host ? j->a : j->b->cached;
	bool found = false;
	size_t at = j->host ? 0 : cache_find(&j->b->cache, u->login, &found);
	int rc;

	if (found && j->b->cache.items) {
		j->b->hits++;
		*out = j->b->cache.items[at];
		return 0;
	}
	work = mm_arena_new();
	rc = make_sheet(j->b, u, j->host, work, keep, out, err);
	mm_arena_free(work);
	if (!rc && !j->host)
		cache_insert(j->b, at, *out);
	return rc;
}

static int any_user(const struct mm_store_user *u, void *arg, struct mm_err *err)
{
	struct host_job *j = arg;
	struct sheet *s;

	if (one_user(j, u, &s, err))
		return -1;
	if (s->n_accounts > 0)
		append(&j->list, j->a, s);
	return 0;
}

/* users = "*": everybody who has accounts. */
static int all_users(struct host_job *j, struct mm_err *err)
{
	if (!j->host && j->b->all_cached) {
		for (size_t i = 0; i < j->b->cache.n; i++)
			if (j->b->cache.items[i]->n_accounts > 0)
				append(&j->list, j->a, j->b->cache.items[i]);
		return 0;
	}
	if (mm_store_user_each(j->b->store, NULL, any_user, j, err))
		return -1;
	j->b->all_cached = j->b->all_cached || !j->host;
	return 0;
}

static int listed_user(struct host_job *j, const char *login, struct mm_err *err)
{
	struct mm_store_user u;
	struct sheet *s;
	bool found = false;
	size_t at = j->host ? 0 : cache_find(&j->b->cache, login, &found);
	int rc;

	if (found && j->b->cache.items) {
		j->b->hits++;
		append(&j->list, j->a, j->b->cache.items[at]);
		return 0;
	}
	rc = mm_store_user_get(j->b->store, login, j->a, &u, err);
	if (rc == 1)
		return mm_err_set(err, MM_EX_DATAERR, "user %s is not known", login);
	if (rc || one_user(j, &u, &s, err))
		return -1;
	append(&j->list, j->a, s);
	return 0;
}

static int gather(struct host_job *j, const struct mm_store_host *h, struct mm_err *err)
{
	int rc = 0;

	if (h->all_users)
		rc = all_users(j, err);
	for (size_t i = 0; !h->all_users && !rc && i < h->n_users; i++)
		rc = listed_user(j, h->users[i], err);
	if (!rc && j->list.n > MM_MANIFEST_MAX)
		rc = mm_err_set(err, MM_EX_DATAERR,
		    "%zu users, but a request holds at most %d: list the users of this host by name",
		    j->list.n, MM_MANIFEST_MAX);
	return rc;
}

static int gather_hostwide(struct host_job *j, const struct mm_store_host *h, struct mm_err *err)
{
	struct mm_request_builder *b = j->b;
	const struct mm_hostwide_job job = {.store = b->store, .p = &b->p, .host = j->host, .users = h};
	bool everybody = h->all_users && !j->host;

	if (!everybody)
		return mm_hostwide_of(&job, j->a, &j->hostwide, err);
	if (!b->hostwide_cached && mm_hostwide_of(&job, b->a, &b->hostwide, err))
		return -1;
	b->hostwide_cached = true;
	j->hostwide = b->hostwide;
	return 0;
}

/* ---- the request */

static int sign_request(struct host_job *j, const char *host, enum mm_op op, int64_t days,
    struct mm_request_made *m, struct mm_err *err)
{
	struct mm_request_builder *b = j->b;
	struct mm_manifest_entry *manifest = mm_arena_alloc(j->a, j->list.n + 1, sizeof(*manifest));
	struct mm_request r = {.major = MM_PROTO_MAJOR,
	    .minor = 0, /* the lowest that says it all */
	    .op = op,
	    .id = m->id,
	    .host = host,
	    .revision = b->p.revision.number,
	    .manifest = manifest,
	    .n_manifest = j->list.n,
	    .hostwide = j->hostwide,
	    .checkpoint = b->point.hosts ? &b->point.c : NULL,
	    .expect = j->expect,
	    .op_args = j->args,
	    .n_op_args = j->n_args};
	struct mm_serial serial;
	for (size_t i = 0; i < j->list.n; i++) {
		manifest[i].user = j->list.items[i]->login;
		memcpy(manifest[i].sha256, j->list.items[i]->sha256, sizeof(manifest[i].sha256));
	}
	mm_random_id(m->id);
	if (mm_store_serial_take(b->store, host, m->id, &serial, err) ||
	    mm_request_key_follow(&b->key, b->store, serial.epoch, err))
		return -1;
	if (op != MM_OP_PREFLIGHT && op != MM_OP_DISCOVER &&
	    mm_store_acks(b->store, host, m->id, MM_ACK_MAX, j->a, &r.ack, &r.n_ack, err))
		return -1;
	const struct mm_issued issued = {m->id, mm_op_name(op), b->p.revision.number};
	if (mm_store_issued_note(b->store, host, &serial, &issued, err))
		return -1;
	r.epoch = serial.epoch;
	r.serial = serial.serial;
	r.issued = mm_store_now(b->store);
	r.expires = r.issued + days * 86400;
	mm_buf_reset(&b->payload);
	mm_buf_reset(&b->envelope);
	mm_request_encode(&r, &b->payload);
	if (!mm_buf_ok(&b->payload))
		return mm_err_set(err, MM_EX_DATAERR, "the request exceeds %u bytes", MM_FRAME_MAX);
	if (mm_request_key_sign(&b->key, &b->payload, &b->envelope, err))
		return -1;
	if (!mm_buf_ok(&b->envelope))
		return mm_err_set(err, MM_EX_DATAERR, "the signed request exceeds %u bytes", ENVELOPE_MAX);
	m->epoch = r.epoch;
	m->serial = r.serial;
	m->revision = r.revision;
	m->issued = r.issued;
	m->expires = r.expires;
	m->n_users = j->list.n;
	m->n_acks = r.n_ack;
	return 0;
}

static int write_frames(struct host_job *j, struct mm_buf *out, struct mm_err *err)
{
	mm_frame_magic(out);
	mm_frame_put(out, MM_FT_ENVELOPE, j->b->envelope.data, j->b->envelope.len);
	for (size_t i = 0; i < j->list.n; i++)
		mm_frame_put(out, MM_FT_SHEET, j->list.items[i]->body, j->list.items[i]->len);
	mm_frame_put(out, MM_FT_REQUEST_END, NULL, 0);
	if (!mm_buf_ok(out))
		return mm_err_set(
		    err, MM_EX_DATAERR, "the request and its sheets exceed %zu bytes", out->max);
	return 0;
}

/* Of the users of a verify those that this host has. */
static int choose(struct host_job *j, const struct mm_store_host *h, struct mm_err *err)
{
	const struct mm_held_ask *ask = j->ask;
	const char **args = mm_arena_alloc(j->a, ask->n_users + 2, sizeof(*args));
	size_t n = 0;
	for (size_t i = 0; ask->users && i < ask->n_users; i++) {
		bool has = h->all_users;
		for (size_t k = 0; !has && k < h->n_users; k++)
			has = mm_streq(h->users[k], ask->users[i]);
		if (has)
			args[n++] = ask->users[i];
	}
	/* Nobody must not become everybody. */
	if (ask->users && n == 0)
		return mm_err_set(err, MM_EX_FAILED, "has none of these users");
	if (n > MM_REQUEST_USERS && ask->op == MM_OP_RESTORE)
		return mm_err_set(err, MM_EX_USAGE, "has %zu of these users, and a restore names at most %d",
		    n, MM_REQUEST_USERS);
	if (n > MM_REQUEST_USERS)
		n = 0;
	if (ask->again)
		args[n++] = MM_VERIFY_AGAIN;
	if (ask->generation > 0)
		args[n++] = mm_arena_printf(j->a, MM_RESTORE_GENERATION "%lld", (long long)ask->generation);
	j->args = args;
	j->n_args = n;
	return 0;
}

static bool is_wanted(const struct mm_held_ask *ask, const char *login)
{
	for (size_t i = 0; ask->users && i < ask->n_users; i++)
		if (mm_streq(ask->users[i], login))
			return true;
	return ask->users == NULL;
}

/* Of the gathered sheets those that say something, and are asked for. */
static int narrow(struct host_job *j)
{
	static const char *const again[] = {MM_VERIFY_AGAIN};
	size_t n = 0;
	for (size_t i = 0; i < j->list.n; i++)
		if (j->list.items[i]->n_accounts > 0 && is_wanted(j->only, j->list.items[i]->login))
			j->list.items[n++] = j->list.items[i];
	j->list.n = n;
	j->args = again;
	j->n_args = j->only->again ? 1 : 0;
	return 0;
}

struct logins {
	struct mm_arena *a;
	const char **items;
	size_t n, cap;
};

static int add_login(const struct mm_store_user *u, void *arg, struct mm_err *err)
{
	struct logins *l = arg;
	(void)err;
	*(const char **)mm_arena_push(l->a, &l->items, &l->n, &l->cap, sizeof(*l->items)) =
	    mm_arena_strdup(l->a, u->login);
	return 0;
}

/* Those who are asked about, as far as the host may have them. */
static int name_people(struct host_job *j, const struct mm_store_host *h, struct mm_err *err)
{
	struct mm_discover_ask ask = *j->discover;
	struct logins l = {.a = j->a};
	ask.users = h->all_users ? j->only->users : h->users;
	ask.n_users = h->all_users ? j->only->n_users : h->n_users;
	if (ask.users == NULL && h->all_users) {
		if (mm_store_user_each(j->b->store, NULL, add_login, &l, err))
			return -1;
		ask.users = l.items;
		ask.n_users = l.n;
	}
	const char **chosen = mm_arena_alloc(j->a, ask.n_users + 1, sizeof(*chosen));
	size_t n = 0;
	for (size_t i = 0; ask.users && i < ask.n_users; i++)
		if (is_wanted(j->only, ask.users[i]))
			chosen[n++] = ask.users[i];
	ask.users = chosen;
	ask.n_users = n;
	return mm_discover_encode(&ask, j->a, &j->args, &j->n_args, err);
}

/* What goes along with the request. */
static int load_up(struct host_job *j, const struct mm_store_host *h, struct mm_err *err)
{
	if (j->ask)
		return choose(j, h, err);
	if (j->discover)
		return name_people(j, h, err);
	if (gather(j, h, err))
		return -1;
	return j->only ? narrow(j) : gather_hostwide(j, h, err);
}

static int prepare(struct host_job *j, const char *host, enum mm_op op, int64_t days, struct mm_buf *out,
    struct mm_request_made *made, struct mm_err *err)
{
	struct mm_store_host h;
	int rc = mm_store_host_get(j->b->store, host, j->a, &h, err);
	if (rc == 1)
		return mm_err_set(err, MM_EX_FAILED, "is not in the inventory");
	if (rc || load_up(j, &h, err) || mm_store_begin(j->b->store, err))
		return -1;
	rc = sign_request(j, host, op, days, made, err);
	if (!rc)
		rc = write_frames(j, out, err);
	if (rc)
		mm_store_rollback(j->b->store);
	else
		rc = mm_store_commit(j->b->store, err);
	return rc;
}

static int prepare_for(struct host_job *j, const char *host, enum mm_op op, int64_t days, struct mm_buf *out,
    struct mm_request_made *made, struct mm_err *err)
{
	struct mm_request_made m = {.n_users = 0};
	size_t before = out->len;
	int rc;
	if (j->b->read_only && (op == MM_OP_APPLY || op == MM_OP_PREFLIGHT))
		return mm_err_set(err, MM_EX_NOPERM,
		    "a request that needs an approved revision was asked of a read-only run");
	if (days == 0)
		days = MM_REQUEST_DAYS;
	if (days < 0 || days > DAYS_MAX)
		return mm_err_set(err, MM_EX_USAGE, "a request holds for 1 to %d days", DAYS_MAX);
	cache_bound(j->b);
	j->a = mm_arena_new();
	j->host = j->b->p.policy && mm_scope_find(&j->b->p.policy->hosts, host) ? host : NULL;
	rc = prepare(j, host, op, days, out, &m, err);
	mm_arena_free(j->a);
	if (rc) {
		out->len = before; /* nothing of a request that failed may be sent */
		if (out->data)
			out->data[before] = '\0';
		return mm_err_prefix(err, "host %s", host);
	}
	*made = m;
	return 0;
}

int mm_request_prepare(struct mm_request_builder *b, const char *host, enum mm_op op, int64_t days,
    struct mm_buf *out, struct mm_request_made *made, struct mm_err *err)
{
	struct host_job j = {.b = b};
	if (op == MM_OP_RESTORE)
		return mm_err_set(err, MM_EX_USAGE, "a restore brings no sheets");
	return prepare_for(&j, host, op, days, out, made, err);
}

int mm_request_prepare_planned(struct mm_request_builder *b, const char *host, const char *expect,
    struct mm_buf *out, struct mm_request_made *made, struct mm_err *err)
{
	struct host_job j = {.b = b, .expect = expect};
	return prepare_for(&j, host, MM_OP_APPLY, 0, out, made, err);
}

int mm_request_prepare_held(struct mm_request_builder *b, const char *host, const struct mm_held_ask *ask,
    struct mm_buf *out, struct mm_request_made *made, struct mm_err *err)
{
	struct host_job j = {.b = b, .ask = ask};
	if (ask->op != MM_OP_STATUS && ask->op != MM_OP_VERIFY && ask->op != MM_OP_RESTORE)
		return mm_err_set(err, MM_EX_USAGE, "%s needs sheets", mm_op_name(ask->op));
	return prepare_for(&j, host, ask->op, 0, out, made, err);
}

int mm_request_prepare_preflight(struct mm_request_builder *b, const char *host,
    const struct mm_held_ask *ask, struct mm_buf *out, struct mm_request_made *made, struct mm_err *err)
{
	struct host_job j = {.b = b, .only = ask};
	return prepare_for(&j, host, MM_OP_PREFLIGHT, 0, out, made, err);
}

int mm_request_prepare_discover(struct mm_request_builder *b, const char *host, const struct mm_held_ask *ask,
    const struct mm_discover_ask *what, struct mm_buf *out, struct mm_request_made *made, struct mm_err *err)
{
	struct host_job j = {.b = b, .only = ask, .discover = what};
	return prepare_for(&j, host, MM_OP_DISCOVER, 0, out, made, err);
}

int mm_request_people(struct mm_request_builder *b, const char *host, const struct mm_held_ask *ask,
    struct mm_arena *a, const char *const **users, size_t *n, struct mm_err *err)
{
	struct host_job j = {.b = b, .only = ask, .a = mm_arena_new()};
	struct mm_store_host h;
	int rc;
	cache_bound(b);
	j.host = mm_scope_find(&b->p.policy->hosts, host) ? host : NULL;
	rc = mm_store_host_get(b->store, host, j.a, &h, err);
	if (rc == 1)
		rc = mm_err_set(err, MM_EX_FAILED, "is not in the inventory");
	if (rc || gather(&j, &h, err) || narrow(&j)) {
		mm_arena_free(j.a);
		return mm_err_prefix(err, "host %s", host);
	}
	const char **names = mm_arena_alloc(a, j.list.n + 1, sizeof(*names));
	for (size_t i = 0; i < j.list.n; i++)
		names[i] = mm_arena_strdup(a, j.list.items[i]->login);
	*users = names;
	*n = j.list.n;
	mm_arena_free(j.a);
	return 0;
}
