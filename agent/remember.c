#include "agent/remember.h"

#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"

#define FILE_MAX (8u * 1024u * 1024u)
#define LOCK_MS 2000

/* ---- how long an answer counts */

enum rest { REST_NOT, REST_A_WHILE, REST_A_DAY, REST_UNTIL_CHANGED };

/* What says nothing about the credential (no network, a certificate of the
 * server's that is wrong ...) costs nobody an attempt and is not in the table.
 * What somebody mends on the server without a new password is tried again
 * after a day. */
static const struct {
	const char *cls;
	enum rest rest;
} answers[] = {
    {"", REST_A_WHILE}, /* begun, and no answer */
    {"AUTH_REJECTED", REST_UNTIL_CHANGED}, {"AUTH_TOKEN_REFUSED", REST_UNTIL_CHANGED},
    {"AUTH_UNCLEAR", REST_UNTIL_CHANGED}, {"AUTH_CERT_REFUSED", REST_A_DAY},
    {"AUTH_ACCOUNT_DISABLED", REST_A_DAY}, {"AUTH_PASSWORD_EXPIRED", REST_UNTIL_CHANGED},
    {"AUTH_APP_PASSWORD", REST_UNTIL_CHANGED}, {"AUTH_BASIC_DISABLED", REST_A_DAY},
    {"AUTH_WEB_LOGIN", REST_A_DAY}, {"AUTH_AUTHZ", REST_A_DAY}, {"AUTH_TEMP", REST_A_WHILE},
    {"AUTH_SLOW", REST_A_WHILE}, {"AUTH_CONN_DROPPED", REST_A_WHILE}, {"TOO_MANY_CONNECTIONS", REST_A_WHILE},
    {"MECH_DIFFERS", REST_A_WHILE},   /* it was presented, if not as it should be */
    {"PROTOCOL_ERROR", REST_A_WHILE}, /* perhaps after it was presented */
};

static enum rest rest_of(const char *cls)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (mm_streq(answers[i].cls, cls))
			return answers[i].rest;
	return REST_NOT;
}

static int64_t rests_until(const struct mm_tried *t)
{
	switch (rest_of(t->cls)) {
	case REST_UNTIL_CHANGED:
		return INT64_MAX;
	case REST_A_DAY:
		return t->when + MM_REMEMBER_SECONDS;
	case REST_A_WHILE:
		return t->when + MM_COOL_DOWN_SECONDS;
	case REST_NOT:
		break;
	}
	return 0;
}

/* ---- rows */

static struct mm_proof *find_proof(const struct mm_memory *m, const char *account, const char *side)
{
	for (size_t i = 0; i < m->n_proofs; i++)
		if (mm_streq(m->proofs[i].account, account) && mm_streq(m->proofs[i].side, side))
			return &m->proofs[i];
	return NULL;
}

/* One row for each way to log in: two accounts that use different ones on one
 * server must not make each other's refusal forgotten. `ways` NULL: any. */
static struct mm_tried *find_tried(const struct mm_memory *m, const char *login, const char *ways)
{
	for (size_t i = 0; i < m->n_tried; i++)
		if (mm_streq(m->tried[i].login, login) && (ways == NULL || mm_streq(m->tried[i].ways, ways)))
			return &m->tried[i];
	return NULL;
}

static struct mm_proof *add_proof(struct mm_memory *m)
{
	struct mm_proof *p = mm_arena_push(m->arena, &m->proofs, &m->n_proofs, &m->cap_proofs, sizeof(*p));
	*p = (struct mm_proof){.when = 0};
	return p;
}

static struct mm_tried *add_tried(struct mm_memory *m)
{
	struct mm_tried *t = mm_arena_push(m->arena, &m->tried, &m->n_tried, &m->cap_tried, sizeof(*t));
	*t = (struct mm_tried){.cls = "", .text = "", .admin = ""};
	return t;
}

static void drop_tried(struct mm_memory *m, const char *login, const char *ways)
{
	struct mm_tried *t;
	while ((t = find_tried(m, login, ways)) != NULL) {
		size_t i = (size_t)(t - m->tried);
		memmove(t, t + 1, (m->n_tried - i - 1) * sizeof(*t));
		m->n_tried--;
	}
}

/* ---- the file */

static int hash_member(const json_t *o, const char *key, char out[MM_SHA256_HEX])
{
	const char *s;
	if (mm_json_str(o, key, MM_SHA256_HEX - 1, &s, NULL) != 0 || strlen(s) != MM_SHA256_HEX - 1)
		return -1;
	memcpy(out, s, MM_SHA256_HEX);
	return 0;
}

static int proof_parse(struct mm_memory *m, const json_t *o)
{
	const char *account, *side;
	struct mm_proof p;
	if (mm_json_str(o, "account", MM_NAME_MAX, &account, NULL) != 0 ||
	    mm_json_str(o, "side", 16, &side, NULL) != 0 || hash_member(o, "settings", p.settings) != 0 ||
	    mm_json_int(o, "when", 0, INT64_MAX, &p.when, NULL) != 0)
		return -1;
	p.account = mm_arena_strdup(m->arena, account);
	p.side = mm_arena_strdup(m->arena, side);
	*add_proof(m) = p;
	return 0;
}

static int tried_parse(struct mm_memory *m, const json_t *o)
{
	const char *cls, *text, *admin;
	struct mm_tried t;
	if (hash_member(o, "login", t.login) != 0 || hash_member(o, "ways", t.ways) != 0 ||
	    mm_json_str(o, "class", 64, &cls, NULL) != 0 ||
	    mm_json_str(o, "text", MM_REPORT_TEXT_MAX, &text, NULL) != 0 ||
	    mm_json_str(o, "admin", MM_REPORT_TEXT_MAX, &admin, NULL) != 0 ||
	    mm_json_int(o, "when", 0, INT64_MAX, &t.when, NULL) != 0)
		return -1;
	t.cls = mm_arena_strdup(m->arena, cls);
	t.text = mm_arena_strdup(m->arena, text);
	t.admin = mm_arena_strdup(m->arena, admin);
	*add_tried(m) = t;
	return 0;
}

static int rows_parse(
    struct mm_memory *m, const json_t *o, const char *key, int (*one)(struct mm_memory *, const json_t *))
{
	const json_t *rows;
	if (mm_json_array(o, key, MM_REMEMBER_MAX, false, &rows, NULL) != 0)
		return -1;
	for (size_t i = 0; i < json_array_size(rows); i++)
		if (one(m, json_array_get(rows, i)) != 0)
			return -1;
	return 0;
}

static int parse(struct mm_memory *m, const json_t *o)
{
	char key[MM_SHA256_HEX];
	int rc = hash_member(o, "key", key);
	if (rc == 0)
		rc = mm_unhex(key, m->key, MM_SHA256_LEN);
	explicit_bzero(key, sizeof(key));
	if (rc != 0 || rows_parse(m, o, "proofs", proof_parse) != 0)
		return -1;
	return rows_parse(m, o, "tried", tried_parse);
}

void mm_memory_load(const char *dir, struct mm_arena *a, struct mm_memory *out)
{
	struct mm_buf text = MM_BUF_INIT(FILE_MAX);
	*out = (struct mm_memory){.arena = a,
	    .dir = mm_arena_strdup(a, dir),
	    .file = mm_arena_printf(a, "%s/logins.json", dir),
	    .lock = -1};
	json_t *o = NULL;
	if (mm_file_read_own(out->file, FILE_MAX, true, &text, NULL) == 0)
		o = mm_json_load("logins", mm_buf_str(&text), text.len, NULL);
	if (o == NULL || parse(out, o) != 0) {
		out->n_proofs = out->n_tried = 0;
		mm_random(out->key, sizeof(out->key));
	}
	json_decref(o);
	if (text.data != NULL)
		explicit_bzero(text.data, text.cap);
	mm_buf_free(&text);
}

static void append(json_t *rows, json_t *row)
{
	if (json_array_append_new(rows, row) != 0)
		mm_oom();
}

static json_t *proofs_json(const struct mm_memory *m)
{
	json_t *rows = json_array();
	for (size_t i = m->n_proofs > MM_REMEMBER_MAX ? m->n_proofs - MM_REMEMBER_MAX : 0; i < m->n_proofs;
	     i++) {
		json_t *r = json_object();
		mm_json_set_str(r, "account", m->proofs[i].account);
		mm_json_set_str(r, "side", m->proofs[i].side);
		mm_json_set_str(r, "settings", m->proofs[i].settings);
		mm_json_set_int(r, "when", m->proofs[i].when);
		append(rows, r);
	}
	return rows;
}

static json_t *tried_json(const struct mm_memory *m)
{
	json_t *rows = json_array();
	for (size_t i = m->n_tried > MM_REMEMBER_MAX ? m->n_tried - MM_REMEMBER_MAX : 0; i < m->n_tried;
	     i++) {
		json_t *r = json_object();
		mm_json_set_str(r, "login", m->tried[i].login);
		mm_json_set_str(r, "ways", m->tried[i].ways);
		mm_json_set_str(r, "class", m->tried[i].cls);
		mm_json_set_str(r, "text", m->tried[i].text);
		mm_json_set_str(r, "admin", m->tried[i].admin);
		mm_json_set_int(r, "when", m->tried[i].when);
		append(rows, r);
	}
	return rows;
}

static int save(const struct mm_memory *m, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(FILE_MAX);
	char key[MM_SHA256_HEX];
	json_t *o = json_object();
	mm_hex(m->key, sizeof(m->key), key);
	mm_json_set_str(o, "key", key);
	mm_json_set(o, "proofs", proofs_json(m));
	mm_json_set(o, "tried", tried_json(m));
	mm_json_dump(o, &text);
	json_decref(o);
	int rc = mm_buf_ok(&text) ? mm_write_own(m->file, mm_buf_str(&text), text.len, 0600, err)
				  : mm_err_set(err, MM_EX_FAILED, "%s grows too large", m->file);
	explicit_bzero(key, sizeof(key));
	mm_buf_free(&text);
	return rc;
}

int mm_memory_open(const char *dir, struct mm_arena *a, struct mm_memory *out, struct mm_err *err)
{
	if (mm_mkdirs(dir, 0700, err) != 0)
		return -1;
	int lock = mm_lock_file(mm_arena_printf(a, "%s/logins.lock", dir), LOCK_MS, err);
	if (lock < 0)
		return -1;
	mm_memory_load(dir, a, out);
	out->lock = lock;
	/* The key must outlive us, or nothing said now is understood later. */
	if (access(out->file, F_OK) == 0 || save(out, err) == 0)
		return 0;
	mm_memory_close(out, false, NULL);
	return -1;
}

int mm_memory_close(struct mm_memory *m, bool keep, struct mm_err *err)
{
	int rc = keep ? save(m, err) : 0;
	if (m->lock >= 0)
		close(m->lock);
	m->lock = -1;
	return rc;
}

/* ---- hashes */

void mm_settings_hash(
    const struct mm_account *acc, enum mm_side side, enum mm_level level, char out[MM_SHA256_HEX])
{
	struct mm_buf b = MM_BUF_INIT(MM_SET_COUNT * (MM_VALUE_MAX + 64u));
	const char *sender = side == MM_SIDE_OUTGOING ? acc->want.v[MM_SET_ADDRESS] : NULL;
	mm_buf_addf(&b, "%s\n", mm_level_name(level));
	if (sender != NULL) /* whom the server lets send is a part of the proof */
		mm_buf_addf(&b, "%s\n", sender);
	for (int s = 0; s < MM_SET_COUNT; s++) {
		const struct mm_setting_def *d = mm_setting_def((enum mm_setting)s);
		if (d->side == side && acc->want.v[s] != NULL)
			mm_buf_addf(&b, "%s=%s\n", d->id, acc->want.v[s]);
	}
	mm_sha256_hex(mm_buf_str(&b), b.len, out);
	mm_buf_free(&b);
}

void mm_login_key(const struct mm_memory *m, const struct mm_login *l, const struct mm_secret *credential,
    struct mm_login_key *out)
{
	struct mm_buf b = MM_BUF_INIT(8192);
	uint8_t mac[MM_SHA256_LEN];
	mm_hmac_sha256(m->key, sizeof(m->key), mm_secret_bytes(credential), mm_secret_len(credential), mac);
	mm_buf_add(&b, mac, sizeof(mac));
	for (const char *c = l->host; *c != '\0'; c++) /* written otherwise it is no other server */
		mm_buf_addc(&b, *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c);
	mm_buf_addf(&b, "\n%d\n%s", l->port, l->username);
	mm_hmac_sha256(m->key, sizeof(m->key), mm_buf_str(&b), b.len, mac);
	mm_hex(mac, sizeof(mac), out->login);
	mm_buf_reset(&b);
	mm_buf_addf(&b, "%s\n%s\n%s", l->protocol, l->security, l->auth);
	mm_sha256_hex(mm_buf_str(&b), b.len, out->ways);
	explicit_bzero(mac, sizeof(mac));
	mm_buf_free(&b);
}

/* ---- questions and answers */

bool mm_memory_proven(
    const struct mm_memory *m, const char *account, const char *side, const char *settings, int64_t now)
{
	const struct mm_proof *p = find_proof(m, account, side);
	return p != NULL && mm_streq(p->settings, settings) && p->when <= now &&
	       now - p->when < MM_REMEMBER_SECONDS;
}

const struct mm_tried *mm_memory_refused(
    const struct mm_memory *m, const struct mm_login_key *k, int64_t now, int64_t *until)
{
	const struct mm_tried *t = find_tried(m, k->login, k->ways);
	if (t == NULL)
		return NULL;
	*until = rests_until(t);
	/* A clock that was put back must not make us wait for ever. */
	if (*until <= now || (t->when > now && *until != INT64_MAX))
		return NULL;
	return t;
}

static struct mm_tried *row_of(struct mm_memory *m, const struct mm_login_key *k)
{
	drop_tried(m, k->login, k->ways);
	struct mm_tried *t = add_tried(m);
	memcpy(t->login, k->login, sizeof(t->login));
	memcpy(t->ways, k->ways, sizeof(t->ways));
	return t;
}

void mm_memory_begin(struct mm_memory *m, const struct mm_login_key *k, int64_t now)
{
	row_of(m, k)->when = now;
}

void mm_memory_undo(struct mm_memory *m, const struct mm_login_key *k)
{
	const struct mm_tried *t = find_tried(m, k->login, k->ways);
	if (t != NULL && t->cls[0] == '\0')
		drop_tried(m, k->login, k->ways);
}

static void note_proof(struct mm_memory *m, const struct mm_login *l, const char *settings)
{
	struct mm_proof *p = find_proof(m, l->account, l->side);
	/* What was not tested says nothing, and must not erase what is known. */
	if (l->result == MM_LOGIN_UNTESTED || (p == NULL && l->result == MM_LOGIN_FAILED))
		return;
	if (p == NULL)
		p = add_proof(m);
	p->account = mm_arena_strdup(m->arena, l->account);
	p->side = mm_arena_strdup(m->arena, l->side);
	memcpy(p->settings, settings, strlen(settings) + 1);
	/* a failure takes the proof back */
	p->when = l->result == MM_LOGIN_PASSED ? l->when : 0;
}

void mm_memory_note(
    struct mm_memory *m, const struct mm_login *l, const char *settings, const struct mm_login_key *k)
{
	note_proof(m, l, settings);
	if (k == NULL)
		return;
	if (l->result == MM_LOGIN_PASSED || rest_of(l->cls) == REST_NOT) {
		/* one that held proves the credential, whatever the way */
		drop_tried(m, k->login, l->result == MM_LOGIN_PASSED ? NULL : k->ways);
		return;
	}
	struct mm_tried *t = row_of(m, k);
	t->cls = mm_arena_strdup(m->arena, l->cls);
	t->text = mm_arena_strdup(m->arena, l->text);
	t->admin = mm_arena_strdup(m->arena, l->admin);
	t->when = l->when;
}

void mm_memory_forgive(struct mm_memory *m)
{
	m->n_tried = 0;
}
