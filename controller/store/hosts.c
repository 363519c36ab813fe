#include "common/text.h"
#include "controller/store/rollout_internal.h"
#include "controller/store/vouch.h"

/* ---- reading */

/* Columns: id address port account proxy_command transport all_users
 * report_key enrolled tags users; the last two as lines. */
static void host_from_row(struct mm_q *q, struct mm_arena *a, struct mm_store_host *h)
{
	*h = (struct mm_store_host){.id = mm_arena_strdup(a, mm_q_str(q, 0)),
	    .address = mm_arena_strdup(a, mm_q_str(q, 1)),
	    .port = (int)mm_q_int(q, 2),
	    .account = mm_arena_strdup(a, mm_q_str(q, 3)),
	    .proxy_command = mm_arena_strdup(a, mm_q_text(q, 4)),
	    .transport = mm_arena_strdup(a, mm_q_str(q, 5)),
	    .all_users = mm_q_int(q, 6) != 0,
	    .report_key = mm_arena_strdup(a, mm_q_text(q, 7)),
	    .enrolled = mm_q_int(q, 8)};
	h->tags = mm_split_lines(a, mm_q_text(q, 9), &h->n_tags);
	h->users = mm_split_lines(a, mm_q_text(q, 10), &h->n_users);
}

int mm_store_host_get(
    struct mm_store *s, const char *id, struct mm_arena *a, struct mm_store_host *out, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_HOST_GET, err, "t", id))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1)
		host_from_row(&q, a, out);
	mm_q_done(&q);
	return rc < 0 ? -1 : !rc;
}

int mm_store_host_each(struct mm_store *s, const char *tag,
    int (*cb)(const struct mm_store_host *h, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	enum mm_sql id = tag ? MM_SQL_HOST_EACH_TAG : MM_SQL_HOST_EACH;
	struct mm_store_host h;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, id, err, tag ? "t" : "", tag))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		struct mm_arena *a = mm_arena_new();

		host_from_row(&q, a, &h);
		rc = cb(&h, arg, err);
		mm_arena_free(a);
		if (rc)
			break;
	}
	mm_q_done(&q);
	return rc;
}

/* ---- writing */

static bool same_list(const char *const *x, size_t nx, const char *const *y, size_t ny)
{
	if (nx != ny)
		return false;
	for (size_t i = 0; i < nx; i++) {
		bool found = false;

		for (size_t k = 0; k < ny && !found; k++)
			found = mm_streq(x[i], y[k]);
		if (!found)
			return false;
	}
	return true;
}

static bool same_host(const struct mm_store_host *old, const struct mm_store_host *h)
{
	return mm_streq(old->address, h->address) && old->port == h->port &&
	       mm_streq(old->account, h->account) && mm_streq(old->proxy_command, h->proxy_command) &&
	       mm_streq(old->transport, h->transport) && old->all_users == h->all_users &&
	       (!h->report_key || mm_streq(old->report_key, h->report_key)) &&
	       (!h->enrolled || old->enrolled == h->enrolled) &&
	       same_list(old->tags, old->n_tags, h->tags, h->n_tags) &&
	       same_list(old->users, old->n_users, h->users, h->n_users);
}

static int check_host(const struct mm_store_host *h, struct mm_err *err)
{
	if (!mm_is_login(h->id))
		return mm_err_set(err, MM_EX_DATAERR,
		    "host \"%s\": a host id has letters, digits, '_', '.', '@' and '-', and does not begin "
		    "with '-' or '.'",
		    h->id);
	if (*h->address && !mm_is_hostname(h->address))
		return mm_err_set(err, MM_EX_DATAERR, "host %s: \"%s\" is neither a host name nor an address",
		    h->id, h->address);
	if (h->port < 1 || h->port > 65535)
		return mm_err_set(err, MM_EX_DATAERR, "host %s: port %d is not in 1..65535", h->id, h->port);
	if (!mm_is_login(h->account))
		return mm_err_set(
		    err, MM_EX_DATAERR, "host %s: \"%s\" cannot be an account", h->id, h->account);
	if (!mm_streq(h->transport, "libssh2") && !mm_streq(h->transport, "ssh"))
		return mm_err_set(err, MM_EX_DATAERR,
		    "host %s: transport is \"libssh2\" or \"ssh\", not \"%s\"", h->id, h->transport);
	if (h->proxy_command && mm_has_control(h->proxy_command))
		return mm_err_set(
		    err, MM_EX_DATAERR, "host %s: control character in the proxy command", h->id);
	return 0;
}

static int write_lists(struct mm_store *s, const struct mm_store_host *h, struct mm_err *err)
{
	if (mm_q_run(s, MM_SQL_HOST_TAGS_CLEAR, err, "t", h->id) < 0 ||
	    mm_q_run(s, MM_SQL_HOST_USERS_CLEAR, err, "t", h->id) < 0)
		return -1;
	for (size_t i = 0; i < h->n_tags; i++) {
		if (!mm_is_login(h->tags[i]))
			return mm_err_set(
			    err, MM_EX_DATAERR, "host %s: \"%s\" cannot be a tag", h->id, h->tags[i]);
		if (mm_q_run(s, MM_SQL_HOST_TAG_ADD, err, "tt", h->id, h->tags[i]) < 0)
			return -1;
	}
	for (size_t i = 0; !h->all_users && i < h->n_users; i++) {
		if (!mm_is_login(h->users[i]))
			return mm_err_set(
			    err, MM_EX_DATAERR, "host %s: \"%s\" cannot be a login", h->id, h->users[i]);
		if (mm_q_run(s, MM_SQL_HOST_USER_ADD, err, "tt", h->id, h->users[i]) < 0)
			return -1;
	}
	return 0;
}

static int note_host(struct mm_store *s, const struct mm_store_host *h, enum mm_put what, struct mm_arena *a,
    struct mm_err *err)
{
	const char *port = mm_arena_printf(a, "%d", h->port);
	const char *detail = mm_detail(a, "address", h->address, "port", port, "account", h->account,
	    "transport", h->transport, "proxy_command", h->proxy_command, "report_key", h->report_key, NULL);

	return mm_store_audit(
	    s, what == MM_PUT_ADDED ? "host.add" : "host.change", h->id, detail, false, err);
}

static int host_put(struct mm_store *s, const struct mm_store_host *h, enum mm_put *done, struct mm_arena *a,
    struct mm_err *err)
{
	struct mm_store_host old = {0};
	int rc = mm_store_host_get(s, h->id, a, &old, err);

	if (rc < 0)
		return -1;
	*done = rc ? MM_PUT_ADDED : same_host(&old, h) ? MM_PUT_KEPT : MM_PUT_CHANGED;
	if (*done == MM_PUT_KEPT)
		return 0;
	if (mm_q_run(s, MM_SQL_HOST_PUT, err, "ttitttitii", h->id, h->address, (int64_t)h->port, h->account,
		h->proxy_command, h->transport, (int64_t)h->all_users, h->report_key, h->enrolled,
		mm_store_now(s)) < 0 ||
	    write_lists(s, h, err))
		return -1;
	if (h->report_key &&
	    mm_q_run(s, MM_SQL_REPORT_KEY_ADD, err, "tti", h->id, h->report_key, mm_store_now(s)) < 0)
		return -1;
	return note_host(s, h, *done, a, err);
}

int mm_store_host_put(
    struct mm_store *s, const struct mm_store_host *h, enum mm_put *done, struct mm_err *err)
{
	enum mm_put what = MM_PUT_KEPT;
	struct mm_arena *a;
	int rc;

	if (check_host(h, err) || mm_store_begin(s, err))
		return -1;
	a = mm_arena_new();
	rc = mm_store_end(s, host_put(s, h, &what, a, err), err);
	mm_arena_free(a);
	if (!rc)
		*done = what;
	return rc;
}

static int host_remove(struct mm_store *s, const char *id, struct mm_err *err)
{
	int64_t now = mm_store_now(s), entry = 0;
	struct mm_vouch_list places = {.a = NULL};
	int n = mm_q_run(s, MM_SQL_HOST_DELETE, err, "t", id);

	if (n <= 0)
		return n;
	if (mm_audit_next(s, &entry, err) ||
	    mm_q_run(s, MM_SQL_HOST_CLOSE_FINDINGS, err, "tii", id, now, entry) < 0 ||
	    mm_q_run(s, MM_SQL_HOST_CLOSE_LOGINS, err, "tii", id, now, entry) < 0 ||
	    mm_rollout_forget_host(s, id, err) || mm_store_audit(s, "host.remove", id, NULL, false, err))
		return -1;
	places.a = mm_arena_new();
	if (mm_vouch_host_ends(s, id, now, entry, &places, err) || mm_vouch_note(s, id, &places, 0, err))
		n = -1;
	mm_arena_free(places.a);
	return n < 0 ? -1 : 1;
}

int mm_store_host_remove(struct mm_store *s, const char *id, struct mm_err *err)
{
	int n;

	if (mm_store_begin(s, err))
		return -1;
	n = host_remove(s, id, err);
	if (mm_store_end(s, n < 0 ? -1 : 0, err))
		return -1;
	return n == 0;
}

/* ---- host keys */

static int note_hostkey(struct mm_store *s, const struct mm_hostkey *k, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	char sha256[MM_SHA256_HEX];
	int rc;

	mm_sha256_hex(k->blob, k->len, sha256);
	rc = mm_store_audit(s, "hostkey.put", k->host,
	    mm_detail(a, "algorithm", k->algorithm, "sha256", sha256, "source", k->source, NULL), false, err);
	mm_arena_free(a);
	return rc;
}

static int hostkey_put(struct mm_store *s, const struct mm_hostkey *k, enum mm_put *done, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	*done = MM_PUT_ADDED;
	if (mm_q_start(s, &q, MM_SQL_HOSTKEY_GET, err, "tt", k->host, k->algorithm))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1) {
		bool same = (size_t)sqlite3_column_bytes(q.st, 0) == k->len &&
			    memcmp(sqlite3_column_blob(q.st, 0), k->blob, k->len) == 0;
		*done = same ? MM_PUT_KEPT : MM_PUT_CHANGED;
	}
	mm_q_done(&q);
	if (rc < 0)
		return -1;
	if (*done == MM_PUT_KEPT)
		return 0;
	if (mm_q_run(s, MM_SQL_HOSTKEY_PUT, err, "ttbti", k->host, k->algorithm, k->blob, k->len, k->source,
		mm_store_now(s)) < 0)
		return -1;
	return note_hostkey(s, k, err);
}

int mm_store_hostkey_put(
    struct mm_store *s, const struct mm_hostkey *k, enum mm_put *done, struct mm_err *err)
{
	enum mm_put what = MM_PUT_KEPT;

	if (k->len == 0)
		return mm_err_set(err, MM_EX_DATAERR, "host %s: empty host key", k->host);
	if (mm_store_begin(s, err) || mm_store_end(s, hostkey_put(s, k, &what, err), err))
		return -1;
	*done = what;
	return 0;
}

static int hostkey_remove(struct mm_store *s, const char *host, const char *algorithm, struct mm_err *err)
{
	struct mm_arena *a;
	int n = mm_q_run(s, MM_SQL_HOSTKEY_DELETE, err, "tt", host, algorithm);
	int rc;

	if (n <= 0)
		return n;
	a = mm_arena_new();
	rc =
	    mm_store_audit(s, "hostkey.remove", host, mm_detail(a, "algorithm", algorithm, NULL), false, err);
	mm_arena_free(a);
	return rc ? -1 : n;
}

int mm_store_hostkey_remove(struct mm_store *s, const char *host, const char *algorithm, struct mm_err *err)
{
	int n;

	if (mm_store_begin(s, err))
		return -1;
	n = hostkey_remove(s, host, algorithm, err);
	if (mm_store_end(s, n < 0 ? -1 : 0, err))
		return -1;
	return n == 0;
}

int mm_store_hostkey_each(struct mm_store *s, const char *host,
    int (*cb)(const struct mm_hostkey *k, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_hostkey k;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_HOSTKEY_EACH, err, "t", host))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		k = (struct mm_hostkey){.host = mm_q_str(&q, 0),
		    .algorithm = mm_q_str(&q, 1),
		    .blob = sqlite3_column_blob(q.st, 2),
		    .len = (size_t)sqlite3_column_bytes(q.st, 2),
		    .source = mm_q_str(&q, 3),
		    .added = mm_q_int(&q, 4)};
		if ((rc = cb(&k, arg, err)))
			break;
	}
	mm_q_done(&q);
	return rc;
}
