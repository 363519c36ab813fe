/* The memory of login checks on the disk. */
#include <string.h>
#include <unistd.h>

#include "agent/remember.h"
#include "common/file.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"

#define FILE_MAX (8u * 1024u * 1024u)
#define LOCK_MS 2000

/* ---- rows */

struct mm_proof *mm_memory_add_proof(struct mm_memory *m)
{
	struct mm_proof *p = mm_arena_push(m->arena, &m->proofs, &m->n_proofs, &m->cap_proofs, sizeof(*p));
	*p = (struct mm_proof){.when = 0};
	return p;
}

struct mm_tried *mm_memory_add_tried(struct mm_memory *m)
{
	struct mm_tried *t = mm_arena_push(m->arena, &m->tried, &m->n_tried, &m->cap_tried, sizeof(*t));
	*t = (struct mm_tried){.cls = "", .text = "", .admin = "", .fix = ""};
	return t;
}

struct mm_worked *mm_memory_add_worked(struct mm_memory *m)
{
	struct mm_worked *w = mm_arena_push(m->arena, &m->worked, &m->n_worked, &m->cap_worked, sizeof(*w));
	*w = (struct mm_worked){.when = 0};
	return w;
}

/* ---- reading */

static int hash_member(const json_t *o, const char *key, char out[MM_SHA256_HEX])
{
	const char *s;
	if (mm_json_str(o, key, MM_SHA256_HEX - 1, &s, NULL) != 0 || strlen(s) != MM_SHA256_HEX - 1)
		return -1;
	memcpy(out, s, MM_SHA256_HEX);
	return 0;
}

static int time_member(const json_t *o, const char *key, int64_t *out)
{
	return mm_json_int(o, key, 0, INT64_MAX, out, NULL);
}

static int text_member(struct mm_memory *m, const json_t *o, const char *key, size_t max, const char **out)
{
	const char *s;
	if (mm_json_str(o, key, max, &s, NULL) != 0)
		return -1;
	*out = mm_arena_strdup(m->arena, s);
	return 0;
}

static int proof_parse(struct mm_memory *m, const json_t *o)
{
	struct mm_proof p;
	if (text_member(m, o, "account", MM_NAME_MAX, &p.account) != 0 ||
	    text_member(m, o, "side", 16, &p.side) != 0 || hash_member(o, "settings", p.settings) != 0 ||
	    time_member(o, "when", &p.when) != 0)
		return -1;
	*mm_memory_add_proof(m) = p;
	return 0;
}

static int key_parse(struct mm_memory *m, const json_t *o, struct mm_login_key *k)
{
	int64_t port;
	if (hash_member(o, "login", k->login) != 0 || hash_member(o, "place", k->place) != 0 ||
	    text_member(m, o, "protocol", 16, &k->protocol) != 0 ||
	    mm_json_int(o, "port", 0, 65535, &port, NULL) != 0)
		return -1;
	k->port = (int)port;
	return 0;
}

static int tried_parse(struct mm_memory *m, const json_t *o)
{
	struct mm_tried t;
	/* of an older agent, which counted each port for itself: it says nothing to us */
	if (json_object_get(o, "place") == NULL)
		return 0;
	if (key_parse(m, o, &t.k) != 0 || text_member(m, o, "class", 64, &t.cls) != 0 ||
	    text_member(m, o, "text", MM_REPORT_TEXT_MAX, &t.text) != 0 ||
	    text_member(m, o, "admin", MM_REPORT_TEXT_MAX, &t.admin) != 0 ||
	    text_member(m, o, "fix", MM_REPORT_TEXT_MAX, &t.fix) != 0 ||
	    time_member(o, "when", &t.when) != 0 || time_member(o, "begun", &t.begun) != 0 ||
	    time_member(o, "again", &t.again) != 0)
		return -1;
	t.here_only = json_is_true(json_object_get(o, "here_only"));
	*mm_memory_add_tried(m) = t;
	return 0;
}

static int worked_parse(struct mm_memory *m, const json_t *o)
{
	struct mm_worked w;
	if (hash_member(o, "place", w.place) != 0 || hash_member(o, "login", w.login) != 0 ||
	    time_member(o, "when", &w.when) != 0)
		return -1;
	/* an older agent did not keep these */
	w.credential[0] = '\0';
	w.failed = 0;
	if ((json_object_get(o, "credential") != NULL && hash_member(o, "credential", w.credential) != 0) ||
	    (json_object_get(o, "failed") != NULL && time_member(o, "failed", &w.failed) != 0))
		return -1;
	*mm_memory_add_worked(m) = w;
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
	if (rc != 0 || rows_parse(m, o, "proofs", proof_parse) != 0 ||
	    rows_parse(m, o, "tried", tried_parse) != 0)
		return -1;
	/* an older agent did not keep it */
	return json_object_get(o, "worked") == NULL ? 0 : rows_parse(m, o, "worked", worked_parse);
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
		out->n_proofs = out->n_tried = out->n_worked = 0;
		mm_random(out->key, sizeof(out->key));
	}
	json_decref(o);
	if (text.data != NULL)
		explicit_bzero(text.data, text.cap);
	mm_buf_free(&text);
}

/* ---- writing */

static void append(json_t *rows, json_t *row)
{
	if (json_array_append_new(rows, row) != 0)
		mm_oom();
}

static size_t first_of(size_t n)
{
	return n > MM_REMEMBER_MAX ? n - MM_REMEMBER_MAX : 0;
}

static json_t *proofs_json(const struct mm_memory *m)
{
	json_t *rows = json_array();
	for (size_t i = first_of(m->n_proofs); i < m->n_proofs; i++) {
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
	for (size_t i = first_of(m->n_tried); i < m->n_tried; i++) {
		const struct mm_tried *t = &m->tried[i];
		json_t *r = json_object();
		mm_json_set_str(r, "login", t->k.login);
		mm_json_set_str(r, "place", t->k.place);
		mm_json_set_str(r, "protocol", t->k.protocol);
		mm_json_set_int(r, "port", t->k.port);
		mm_json_set_str(r, "class", t->cls);
		mm_json_set_str(r, "text", t->text);
		mm_json_set_str(r, "admin", t->admin);
		mm_json_set_str(r, "fix", t->fix);
		mm_json_set_int(r, "when", t->when);
		mm_json_set_int(r, "begun", t->begun);
		mm_json_set_int(r, "again", t->again);
		mm_json_set_bool(r, "here_only", t->here_only);
		append(rows, r);
	}
	return rows;
}

static json_t *worked_json(const struct mm_memory *m)
{
	json_t *rows = json_array();
	for (size_t i = first_of(m->n_worked); i < m->n_worked; i++) {
		json_t *r = json_object();
		mm_json_set_str(r, "place", m->worked[i].place);
		mm_json_set_str(r, "login", m->worked[i].login);
		mm_json_set_int(r, "when", m->worked[i].when);
		if (m->worked[i].credential[0] != '\0')
			mm_json_set_str(r, "credential", m->worked[i].credential);
		if (m->worked[i].failed != 0)
			mm_json_set_int(r, "failed", m->worked[i].failed);
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
	mm_json_set(o, "worked", worked_json(m));
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
