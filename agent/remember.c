#include "agent/remember.h"

#include <string.h>

#include "common/file.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"

#define FILE_MAX (1024u * 1024u)
#define ROWS_MAX 1024

static struct mm_remembered *find(const struct mm_memory *m, const char *account, const char *side)
{
	for (size_t i = 0; i < m->n; i++) {
		if (mm_streq(m->r[i].account, account) && mm_streq(m->r[i].side, side))
			return &m->r[i];
	}
	return NULL;
}

static struct mm_remembered *add(struct mm_memory *m)
{
	struct mm_remembered *r = mm_arena_push(m->arena, &m->r, &m->n, &m->cap, sizeof(*r));
	*r = (struct mm_remembered){.when = 0};
	return r;
}

static int row_parse(struct mm_memory *m, const json_t *o)
{
	const char *account, *side, *settings, *credential, *result, *cls;
	int64_t when;
	if (mm_json_str(o, "account", MM_NAME_MAX, &account, NULL) != 0 ||
	    mm_json_str(o, "side", 16, &side, NULL) != 0 ||
	    mm_json_str(o, "settings", MM_SHA256_HEX - 1, &settings, NULL) != 0 ||
	    mm_json_str(o, "credential", MM_SHA256_HEX - 1, &credential, NULL) != 0 ||
	    mm_json_str(o, "result", 16, &result, NULL) != 0 ||
	    mm_json_str(o, "class", 64, &cls, NULL) != 0 ||
	    mm_json_int(o, "when", 0, INT64_MAX, &when, NULL) != 0 || mm_result_by_name(result) < 0)
		return -1;
	struct mm_remembered *r = add(m);
	r->account = mm_arena_strdup(m->arena, account);
	r->side = mm_arena_strdup(m->arena, side);
	r->cls = mm_arena_strdup(m->arena, cls);
	r->result = (enum mm_result)mm_result_by_name(result);
	r->when = when;
	memcpy(r->settings, settings, strlen(settings) + 1);
	memcpy(r->credential, credential, strlen(credential) + 1);
	return 0;
}

static int parse(struct mm_memory *m, const json_t *o)
{
	const char *key;
	const json_t *rows;
	if (mm_json_str(o, "key", MM_SHA256_HEX - 1, &key, NULL) != 0 || strlen(key) != MM_SHA256_HEX - 1 ||
	    mm_unhex(key, m->key, MM_SHA256_LEN) != 0 ||
	    mm_json_array(o, "rows", ROWS_MAX, false, &rows, NULL) != 0)
		return -1;
	for (size_t i = 0; i < json_array_size(rows); i++) {
		if (row_parse(m, json_array_get(rows, i)) != 0)
			return -1;
	}
	return 0;
}

void mm_memory_load(const char *dir, struct mm_arena *a, struct mm_memory *out)
{
	struct mm_buf text = MM_BUF_INIT(FILE_MAX);
	*out = (struct mm_memory){.arena = a, .file = mm_arena_printf(a, "%s/logins.json", dir)};
	json_t *o = NULL;
	if (mm_file_read_own(out->file, FILE_MAX, true, &text, NULL) == 0)
		o = mm_json_load("logins", mm_buf_str(&text), text.len, NULL);
	if (o == NULL || parse(out, o) != 0) {
		out->n = 0;
		mm_random(out->key, sizeof(out->key));
	}
	json_decref(o);
	if (text.data != NULL)
		explicit_bzero(text.data, text.cap);
	mm_buf_free(&text);
}

int mm_memory_save(struct mm_memory *m, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(FILE_MAX);
	char key[MM_SHA256_HEX];
	if (!m->changed)
		return 0;
	json_t *o = json_object(), *rows = json_array();
	mm_hex(m->key, sizeof(m->key), key);
	mm_json_set_str(o, "key", key);
	for (size_t i = m->n > ROWS_MAX ? m->n - ROWS_MAX : 0; i < m->n; i++) {
		json_t *r = json_object();
		mm_json_set_str(r, "account", m->r[i].account);
		mm_json_set_str(r, "side", m->r[i].side);
		mm_json_set_str(r, "settings", m->r[i].settings);
		mm_json_set_str(r, "credential", m->r[i].credential);
		mm_json_set_str(r, "result", mm_result_name(m->r[i].result));
		mm_json_set_str(r, "class", m->r[i].cls);
		mm_json_set_int(r, "when", m->r[i].when);
		if (json_array_append_new(rows, r) != 0)
			mm_oom();
	}
	mm_json_set(o, "rows", rows);
	mm_json_dump(o, &text);
	json_decref(o);
	int rc = mm_write_own(m->file, mm_buf_str(&text), text.len, 0600, err);
	mm_buf_free(&text);
	return rc;
}

void mm_settings_hash(
    const struct mm_account *acc, enum mm_side side, enum mm_level level, char out[MM_SHA256_HEX])
{
	struct mm_buf b = MM_BUF_INIT(MM_SET_COUNT * (MM_VALUE_MAX + 64u));
	mm_buf_addf(&b, "%s\n", mm_level_name(level));
	for (int s = 0; s < MM_SET_COUNT; s++) {
		const struct mm_setting_def *d = mm_setting_def((enum mm_setting)s);
		if (d->side == side && acc->want.v[s] != NULL)
			mm_buf_addf(&b, "%s=%s\n", d->id, acc->want.v[s]);
	}
	mm_sha256_hex(mm_buf_str(&b), b.len, out);
	mm_buf_free(&b);
}

void mm_credential_hash(const struct mm_memory *m, const struct mm_secret *s, char out[MM_SHA256_HEX])
{
	uint8_t mac[MM_SHA256_LEN];
	mm_hmac_sha256(m->key, sizeof(m->key), mm_secret_bytes(s), mm_secret_len(s), mac);
	mm_hex(mac, sizeof(mac), out);
}

static bool recent(const struct mm_remembered *r, int64_t now)
{
	return r->when <= now && now - r->when < MM_REMEMBER_SECONDS;
}

bool mm_memory_proven(
    const struct mm_memory *m, const char *account, const char *side, const char *settings, int64_t now)
{
	const struct mm_remembered *r = find(m, account, side);
	return r != NULL && r->result == MM_LOGIN_PASSED && mm_streq(r->settings, settings) && recent(r, now);
}

bool mm_memory_refused(const struct mm_memory *m, const char *account, const char *side, const char *settings,
    const char *credential, int64_t now)
{
	const struct mm_remembered *r = find(m, account, side);
	return r != NULL && r->result == MM_LOGIN_FAILED && mm_starts_with(r->cls, "AUTH_REJECTED") &&
	       mm_streq(r->settings, settings) && mm_streq(r->credential, credential) && recent(r, now);
}

void mm_memory_note(
    struct mm_memory *m, const struct mm_login *l, const char *settings, const char *credential)
{
	struct mm_remembered *r = find(m, l->account, l->side);
	/* What was not tested says nothing, and must not erase what is known. */
	if (l->result == MM_LOGIN_UNTESTED)
		return;
	if (r == NULL)
		r = add(m);
	r->account = mm_arena_strdup(m->arena, l->account);
	r->side = mm_arena_strdup(m->arena, l->side);
	r->cls = mm_arena_strdup(m->arena, l->cls);
	r->result = l->result;
	r->when = l->when;
	memcpy(r->settings, settings, strlen(settings) + 1);
	memcpy(r->credential, credential, strlen(credential) + 1);
	m->changed = true;
}
