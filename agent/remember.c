#include "agent/remember.h"

#include <string.h>

#include "agent/definite.h"
#include "common/mem.h"
#include "common/text.h"

/* ---- how long an answer counts */

enum rest { REST_NOT, REST_A_WHILE, REST_A_DAY, REST_UNTIL_CHANGED };

/* What says nothing about the credential (no network, a certificate of the
 * server's that is wrong ...) costs nobody an attempt and is not in the table.
 * What somebody mends on the server without a new password is tried again
 * after a day. */
static const struct {
	const char *cls;
	enum rest rest;
	bool password; /* about the password itself: the server's other ports would say the same */
} answers[] = {
    {"AUTH_REJECTED", REST_UNTIL_CHANGED, true}, {"AUTH_TOKEN_REFUSED", REST_UNTIL_CHANGED, false},
    {"AUTH_UNCLEAR", REST_UNTIL_CHANGED, true}, {"AUTH_CERT_REFUSED", REST_A_DAY, false},
    {"AUTH_UNPROVEN", REST_A_DAY, true}, {"AUTH_ACCOUNT_DISABLED", REST_A_DAY, false},
    {"AUTH_PASSWORD_EXPIRED", REST_UNTIL_CHANGED, true}, {"AUTH_APP_PASSWORD", REST_UNTIL_CHANGED, true},
    {"AUTH_BASIC_DISABLED", REST_A_DAY, false}, {"AUTH_WEB_LOGIN", REST_A_DAY, false},
    {"AUTH_AUTHZ", REST_A_DAY, false}, {"AUTH_TEMP", REST_A_WHILE, false}, {"AUTH_SLOW", REST_A_WHILE, false},
    {"AUTH_CONN_DROPPED", REST_A_WHILE, false}, {"TOO_MANY_CONNECTIONS", REST_A_WHILE, false},
    {"MECH_DIFFERS", REST_A_WHILE, false},   /* it was presented, if not as it should be */
    {"PROTOCOL_ERROR", REST_A_WHILE, false}, /* perhaps after it was presented */
};
#define N_ANSWERS (sizeof(answers) / sizeof(answers[0]))

static enum rest rest_of(const char *cls)
{
	for (size_t i = 0; i < N_ANSWERS; i++)
		if (mm_streq(answers[i].cls, cls))
			return answers[i].rest;
	return REST_NOT;
}

/* No answer: it may have been the password that was refused. */
static bool about_password(const struct mm_tried *t)
{
	if (t->begun != 0)
		return true;
	for (size_t i = 0; i < N_ANSWERS; i++)
		if (mm_streq(answers[i].cls, t->cls))
			return answers[i].password;
	return false;
}

static int64_t answer_rests_until(const struct mm_tried *t)
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

/* A clock that was put back must not make us wait for ever. */
static bool is_rest(int64_t since, int64_t until, int64_t now)
{
	return until > now && (since <= now || until == INT64_MAX);
}

static bool rests(const struct mm_tried *t, int64_t now, struct mm_rest *out)
{
	int64_t answered = answer_rests_until(t), begun = t->begun + MM_COOL_DOWN_SECONDS;
	*out = (struct mm_rest){.t = t, .until = answered};
	if (is_rest(t->when, answered, now))
		return true;
	*out = (struct mm_rest){.t = t, .until = begun, .broken_off = true};
	return t->begun != 0 && is_rest(t->begun, begun, now);
}

/* ---- rows */

static struct mm_proof *find_proof(const struct mm_memory *m, const char *account, const char *side)
{
	for (size_t i = 0; i < m->n_proofs; i++)
		if (mm_streq(m->proofs[i].account, account) && mm_streq(m->proofs[i].side, side))
			return &m->proofs[i];
	return NULL;
}

static struct mm_worked *find_worked(const struct mm_memory *m, const char *place)
{
	for (size_t i = 0; i < m->n_worked; i++)
		if (mm_streq(m->worked[i].place, place))
			return &m->worked[i];
	return NULL;
}

/* One row for each way to log in: two accounts that use different ones on one
 * server must not make each other's refusal forgotten. */
static struct mm_tried *find_tried(const struct mm_memory *m, const struct mm_login_key *k)
{
	for (size_t i = 0; i < m->n_tried; i++)
		if (mm_streq(m->tried[i].k.login, k->login) && mm_streq(m->tried[i].k.place, k->place))
			return &m->tried[i];
	return NULL;
}

static void drop(struct mm_memory *m, size_t i)
{
	struct mm_tried *t = &m->tried[i];
	memmove(t, t + 1, (m->n_tried - i - 1) * sizeof(*t));
	m->n_tried--;
}

/* The one there is, as the youngest; or a new one. */
static struct mm_tried *row_of(struct mm_memory *m, const struct mm_login_key *k)
{
	struct mm_tried row = {.cls = "", .text = "", .admin = "", .fix = ""};
	struct mm_tried *old = find_tried(m, k);
	if (old != NULL) {
		row = *old;
		drop(m, (size_t)(old - m->tried));
	}
	row.k = *k;
	row.k.protocol = mm_arena_strdup(m->arena, k->protocol);
	struct mm_tried *t = mm_memory_add_tried(m);
	*t = row;
	return t;
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

/* Several words for one thing: the password itself goes over the wire. Each
 * other way to log in is one of its own, NULL where each port counts for itself. */
static const char *manner_of(const char *auth)
{
	static const char *const clear[] = {"password", "plain", "login"};
	static const char *const others[] = {"cram-md5", "scram-sha-256"};
	for (size_t i = 0; i < sizeof(clear) / sizeof(clear[0]); i++)
		if (mm_streq(auth, clear[i]))
			return clear[0];
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (mm_streq(auth, others[i]))
			return others[i];
	return NULL;
}

static void seal(const struct mm_memory *m, struct mm_buf *b, char out[MM_SHA256_HEX])
{
	uint8_t mac[MM_SHA256_LEN];
	mm_hmac_sha256(m->key, sizeof(m->key), mm_buf_str(b), b->len, mac);
	mm_hex(mac, sizeof(mac), out);
	explicit_bzero(mac, sizeof(mac));
	mm_buf_reset(b);
}

static void add_host(struct mm_buf *b, const char *host)
{
	for (const char *c = host; *c != '\0'; c++) /* written otherwise it is no other server */
		mm_buf_addc(b, *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c);
	mm_buf_addc(b, '\n');
}

void mm_login_key(const struct mm_memory *m, const struct mm_login *l, const struct mm_secret *credential,
    struct mm_login_key *out)
{
	struct mm_buf b = MM_BUF_INIT(8192);
	uint8_t mac[MM_SHA256_LEN];
	const char *manner = manner_of(l->auth);
	*out = (struct mm_login_key){.protocol = l->protocol, .port = l->port};
	add_host(&b, l->host);
	mm_buf_addf(&b, "%s\n%d\n%s\n%s\n%s", l->protocol, l->port, l->security, l->auth, l->username);
	seal(m, &b, out->place);
	if (credential != NULL) {
		mm_hmac_sha256(
		    m->key, sizeof(m->key), mm_secret_bytes(credential), mm_secret_len(credential), mac);
		mm_hex(mac, sizeof(mac), out->credential);
		mm_buf_add(&b, mac, sizeof(mac));
		add_host(&b, l->host);
		if (manner != NULL)
			mm_buf_addf(&b, "%s\n%s", manner, l->username);
		else
			mm_buf_addf(&b, "%s\n%s\n%d\n%s", l->auth, l->protocol, l->port, l->username);
		seal(m, &b, out->login);
	}
	explicit_bzero(mac, sizeof(mac));
	mm_buf_free(&b);
}

/* ---- questions */

bool mm_memory_proven(
    const struct mm_memory *m, const char *account, const char *side, const char *settings, int64_t now)
{
	const struct mm_proof *p = find_proof(m, account, side);
	return p != NULL && mm_streq(p->settings, settings) && p->when <= now &&
	       now - p->when < MM_REMEMBER_SECONDS;
}

bool mm_memory_refused(
    const struct mm_memory *m, const struct mm_login_key *k, int64_t now, struct mm_rest *out)
{
	const struct mm_tried *t = find_tried(m, k);
	return t != NULL && rests(t, now, out);
}

static bool is_in_force(const struct mm_login_key *places, size_t n, const char *place)
{
	for (size_t i = 0; i < n; i++)
		if (mm_streq(places[i].place, place))
			return true;
	return false;
}

bool mm_memory_refused_elsewhere(const struct mm_memory *m, const struct mm_login_key *k,
    const struct mm_login_key *in_force, size_t n, int64_t now, struct mm_rest *out)
{
	for (size_t i = m->n_tried; i > 0; i--) {
		const struct mm_tried *t = &m->tried[i - 1];
		if (mm_streq(t->k.login, k->login) && !mm_streq(t->k.place, k->place) && !t->here_only &&
		    about_password(t) && is_in_force(in_force, n, t->k.place) && rests(t, now, out))
			return true;
	}
	return false;
}

int64_t mm_memory_again_at(
    const struct mm_memory *m, const struct mm_login_key *k, int cool_down_s, int64_t now, int64_t *last)
{
	*last = 0;
	for (size_t i = 0; i < m->n_tried; i++) {
		const struct mm_tried *t = &m->tried[i];
		if (mm_streq(t->k.login, k->login) && t->again > *last && t->again <= now)
			*last = t->again;
	}
	return *last != 0 ? *last + cool_down_s : 0;
}

enum mm_history mm_memory_history(const struct mm_memory *m, const struct mm_login_key *k, int64_t *when)
{
	const struct mm_worked *w = find_worked(m, k->place);
	if (w == NULL)
		return MM_NEVER_WORKED;
	*when = w->when;
	return mm_streq(w->login, k->login) ? MM_THIS_WORKED : MM_ANOTHER_WORKED;
}

bool mm_memory_evidence(const struct mm_memory *m, const struct mm_login_key *k, struct mm_past *out)
{
	const struct mm_worked *w = find_worked(m, k->place);
	if (w == NULL || w->failed >= w->when)
		return false;
	out->when = w->when;
	memcpy(out->credential, w->credential, sizeof(out->credential));
	return true;
}

bool mm_memory_proven_since(
    const struct mm_memory *m, const char *account, const char *side, const char *settings, int64_t since)
{
	const struct mm_proof *p = find_proof(m, account, side);
	return p != NULL && mm_streq(p->settings, settings) && p->when > 0 && p->when >= since;
}

/* ---- answers */

void mm_memory_begin(struct mm_memory *m, const struct mm_login_key *k, int64_t now, bool again)
{
	struct mm_tried *t = row_of(m, k);
	t->begun = now;
	if (again)
		t->again = now;
}

void mm_memory_undo(struct mm_memory *m, const struct mm_login_key *k)
{
	struct mm_tried *t = find_tried(m, k);
	if (t == NULL)
		return;
	t->begun = 0;
	if (t->cls[0] == '\0')
		drop(m, (size_t)(t - m->tried));
}

static void note_proof(struct mm_memory *m, const struct mm_login *l, const char *settings)
{
	struct mm_proof *p = find_proof(m, l->account, l->side);
	/* What was not tested says nothing, and must not erase what is known. */
	if (l->result == MM_LOGIN_UNTESTED || (p == NULL && l->result == MM_LOGIN_FAILED))
		return;
	if (p == NULL)
		p = mm_memory_add_proof(m);
	p->account = mm_arena_strdup(m->arena, l->account);
	p->side = mm_arena_strdup(m->arena, l->side);
	memcpy(p->settings, settings, strlen(settings) + 1);
	/* a failure takes the proof back */
	p->when = l->result == MM_LOGIN_PASSED ? l->when : 0;
}

/* What holds proves the credential: for its port whatever the way, and of what
 * other ports said that it is their own matter. */
static void note_passed(struct mm_memory *m, const struct mm_login *l, const struct mm_login_key *k)
{
	for (size_t i = m->n_tried; i > 0; i--) {
		struct mm_tried *t = &m->tried[i - 1];
		if (!mm_streq(t->k.login, k->login))
			continue;
		t->here_only = true;
		if (t->k.port == k->port && mm_streq(t->k.protocol, k->protocol))
			drop(m, i - 1);
	}
	struct mm_worked *w = find_worked(m, k->place);
	if (w == NULL)
		w = mm_memory_add_worked(m);
	memcpy(w->place, k->place, sizeof(w->place));
	memcpy(w->login, k->login, sizeof(w->login));
	memcpy(w->credential, k->credential, sizeof(w->credential));
	w->when = l->when;
	w->failed = 0;
}

/* Another secret that is refused says nothing about the settings. */
static void note_failed(struct mm_memory *m, const struct mm_login *l, const struct mm_login_key *k)
{
	struct mm_worked *w = find_worked(m, k->place);
	enum mm_definite how = l->result == MM_LOGIN_FAILED ? mm_definite(l->cls) : MM_DEFINITE_NO;
	if (w != NULL &&
	    (how == MM_DEFINITE_YES || (how == MM_DEFINITE_SECRET && mm_streq(w->login, k->login))))
		w->failed = l->when;
}

static void note_refused(
    struct mm_memory *m, const struct mm_login *l, const struct mm_login_key *k, bool works)
{
	struct mm_tried *t = row_of(m, k);
	t->cls = mm_arena_strdup(m->arena, l->cls);
	t->text = mm_arena_strdup(m->arena, l->text);
	t->admin = mm_arena_strdup(m->arena, l->admin);
	t->fix = mm_arena_strdup(m->arena, l->ladder.fix != NULL ? l->ladder.fix : "");
	t->when = l->when;
	t->begun = 0;
	t->here_only = works;
}

void mm_memory_note(struct mm_memory *m, const struct mm_login *l, const char *settings,
    const struct mm_login_key *k, bool works)
{
	/* what failed behind the login is no matter of the credential */
	bool taken = l->result == MM_LOGIN_PASSED || (l->any && l->reached >= MM_LEVEL_LOGIN);
	if (settings != NULL)
		note_proof(m, l, settings);
	if (k == NULL)
		return;
	if (!taken)
		note_failed(m, l, k);
	if (taken)
		note_passed(m, l, k);
	else if (rest_of(l->cls) == REST_NOT)
		mm_memory_undo(m, k); /* it was not presented */
	else
		note_refused(m, l, k, works);
}
