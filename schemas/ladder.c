#include "schemas/ladder.h"

#include <assert.h>

#include "common/text.h"
#include "schemas/report.h"
#include "schemas/wire.h"

#define WORD_MAX 64
#define MS_MAX 3600000
#define CAPABILITIES_MAX 4096

static const char *const rung_names[MM_RUNG_COUNT] = {
    "settings", "dns", "tcp", "tls", "greeting", "login", "mailbox", "sender", "roundtrip"};
static const char *const step_states[MM_STEP_COUNT] = {"held", "failed", "untested"};
static const char *const ocsp_words[] = {"none", "good", "revoked", "unknown", "invalid", NULL};
static const char *const trip_words[] = {"arrived", "junk", "bounced", "not-seen", NULL};

static int by_name(const char *const *names, int n, const char *s)
{
	for (int i = 0; i < n; i++)
		if (mm_streq(names[i], s))
			return i;
	return -1;
}

const char *mm_rung_name(enum mm_rung r)
{
	assert(r < MM_RUNG_COUNT);
	return rung_names[r];
}

int mm_rung_by_name(const char *s)
{
	return by_name(rung_names, MM_RUNG_COUNT, s);
}

const char *mm_step_state_name(enum mm_step_state s)
{
	assert(s < MM_STEP_COUNT);
	return step_states[s];
}

int mm_step_state_by_name(const char *s)
{
	return by_name(step_states, MM_STEP_COUNT, s);
}

/* ---- writing */

static void put_tri(json_t *o, const char *key, enum mm_tri t)
{
	if (t != MM_UNKNOWN)
		mm_json_set_bool(o, key, t == MM_YES);
}

static void append(json_t *list, json_t *stolen)
{
	if (json_array_append_new(list, stolen) != 0)
		mm_oom();
}

static void put_steps(json_t *o, const struct mm_ladder *l)
{
	json_t *list = json_array();
	for (size_t i = 0; i < l->n_steps && i < MM_STEPS_MAX; i++) {
		json_t *s = json_object();
		mm_json_set_str(s, "rung", mm_rung_name(l->steps[i].rung));
		mm_json_set_str(s, "state", mm_step_state_name(l->steps[i].state));
		mm_json_set_int(s, "ms", l->steps[i].ms);
		mm_wire_put(s, "text", l->steps[i].text, MM_REPORT_TEXT_MAX);
		append(list, s);
	}
	mm_json_set(o, "steps", list);
}

static void put_notes(json_t *o, const struct mm_ladder *l)
{
	json_t *list = json_array();
	for (size_t i = 0; i < l->n_notes && i < MM_NOTES_MAX; i++) {
		json_t *n = json_object();
		mm_wire_put(n, "class", l->notes[i].cls, WORD_MAX);
		mm_wire_put(n, "text", l->notes[i].text, MM_REPORT_TEXT_MAX);
		mm_wire_put(n, "admin", l->notes[i].admin, MM_REPORT_TEXT_MAX);
		append(list, n);
	}
	mm_json_set(o, "notes", list);
}

static void put_addresses(json_t *o, const struct mm_endpoint_facts *e)
{
	json_t *list = json_array();
	for (size_t i = 0; i < e->n_addresses && i < MM_ADDRESS_FACTS_MAX; i++) {
		json_t *a = json_object();
		mm_wire_put(a, "ip", e->addresses[i].ip, WORD_MAX);
		mm_json_set_int(a, "ms", e->addresses[i].ms);
		mm_wire_put(a, "error", e->addresses[i].error, MM_REPORT_TEXT_MAX);
		append(list, a);
	}
	mm_json_set(o, "addresses", list);
}

static void put_endpoint(json_t *o, const struct mm_endpoint_facts *e)
{
	json_t *j = json_object();
	if (e->n_addresses > 0)
		put_addresses(j, e);
	mm_wire_put(j, "greeting", e->greeting, MM_SERVER_TEXT_MAX);
	mm_wire_put(j, "capabilities", e->capabilities, CAPABILITIES_MAX);
	mm_wire_put(j, "mechanisms", e->mechanisms, MM_REPORT_TEXT_MAX);
	mm_wire_put(j, "mechanism", e->mechanism, WORD_MAX);
	if (e->size > 0)
		mm_json_set_int(j, "size", e->size);
	put_tri(j, "cleartext_login", e->cleartext_login);
	if (json_object_size(j) > 0)
		mm_json_set(o, "endpoint", j);
	else
		json_decref(j);
}

static void put_mailbox(json_t *o, const struct mm_mailbox_facts *m)
{
	if (!m->has_messages && !m->has_quota)
		return;
	json_t *j = json_object();
	if (m->has_messages)
		mm_json_set_int(j, "messages", m->messages);
	if (m->has_quota) {
		mm_json_set_int(j, "quota_used", m->quota_used);
		mm_json_set_int(j, "quota_limit", m->quota_limit);
	}
	mm_json_set(o, "mailbox", j);
}

static void put_trip(json_t *o, const struct mm_trip_facts *t)
{
	if (t->state == NULL)
		return;
	json_t *j = json_object();
	mm_json_set_str(j, "state", t->state);
	mm_wire_put(j, "folder", t->folder, MM_REPORT_NAME_MAX);
	mm_json_set_int(j, "delay_ms", t->delay_ms);
	mm_json_set(o, "roundtrip", j);
}

void mm_ladder_put(json_t *o, const struct mm_ladder *l)
{
	if (l->n_steps > 0)
		put_steps(o, l);
	if (l->n_notes > 0)
		put_notes(o, l);
	if (!mm_streq(l->fix, ""))
		mm_wire_put(o, "fix", l->fix, MM_REPORT_TEXT_MAX);
	put_endpoint(o, &l->endpoint);
	put_mailbox(o, &l->mailbox);
	put_trip(o, &l->trip);
}

void mm_ladder_put_tls(json_t *tls, const struct mm_tls_facts *t)
{
	mm_wire_put(tls, "key", t->key, WORD_MAX);
	mm_wire_put(tls, "signature", t->signature, WORD_MAX);
	mm_wire_put(tls, "fingerprint", t->fingerprint, WORD_MAX);
	mm_wire_put(tls, "pin", t->pin, WORD_MAX);
	mm_wire_put(tls, "offered", t->offered, WORD_MAX);
	mm_json_set_str(tls, "ocsp", t->ocsp);
	put_tri(tls, "name_match", t->name_match);
	if (t->resumed)
		mm_json_set_bool(tls, "resumed", true);
	if (t->n_chain == 0)
		return;
	json_t *list = json_array();
	for (size_t i = 0; i < t->n_chain && i < MM_CHAIN_FACTS_MAX; i++) {
		json_t *c = json_object();
		mm_wire_put(c, "subject", t->chain[i].subject, MM_REPORT_TEXT_MAX);
		mm_wire_put(c, "issuer", t->chain[i].issuer, MM_REPORT_TEXT_MAX);
		mm_wire_put(c, "key", t->chain[i].key, WORD_MAX);
		mm_wire_put(c, "signature", t->chain[i].signature, WORD_MAX);
		mm_json_set_int(c, "not_after", t->chain[i].not_after);
		append(list, c);
	}
	mm_json_set(tls, "chain", list);
}

/* ---- reading */

static int get_tri(const json_t *o, const char *key, enum mm_tri *out, struct mm_err *err)
{
	bool yes = false;
	const json_t *v = json_object_get(o, key);
	*out = MM_UNKNOWN;
	if (v == NULL || json_is_null(v))
		return 0;
	if (mm_json_bool_opt(o, key, false, &yes, err) != 0)
		return -1;
	*out = yes ? MM_YES : MM_NO;
	return 0;
}

/* How an element of a list is read into place `i` of it. */
typedef int read_fn(const json_t *o, struct mm_arena *a, void *list, size_t i, struct mm_err *err);

static int get_list(const json_t *o, const char *key, size_t max, size_t size, read_fn *read,
    struct mm_arena *a, void **out, size_t *n, struct mm_err *err)
{
	const json_t *list;
	*out = NULL;
	*n = 0;
	if (mm_json_array(o, key, max, true, &list, err) != 0)
		return -1;
	size_t count = json_array_size(list);
	if (count == 0)
		return 0;
	*out = mm_arena_alloc(a, count, size);
	for (size_t i = 0; i < count; i++) {
		const json_t *e = json_array_get(list, i);
		if (!json_is_object(e))
			return mm_err_set(err, MM_EX_DATAERR, "\"%s\": not an object", key);
		if (read(e, a, *out, i, err) != 0)
			return mm_err_prefix(err, "\"%s\"", key);
	}
	*n = count;
	return 0;
}

static int get_step(const json_t *o, struct mm_arena *a, void *list, size_t i, struct mm_err *err)
{
	struct mm_step *s = (struct mm_step *)list + i;
	int rung = 0, state = 0;
	int64_t ms;
	if (mm_wire_word(o, "rung", mm_rung_by_name, &rung, err) != 0 ||
	    mm_wire_word(o, "state", mm_step_state_by_name, &state, err) != 0 ||
	    mm_json_int_opt(o, "ms", -1, MS_MAX, -1, &ms, err) != 0)
		return -1;
	s->rung = (enum mm_rung)rung;
	s->state = (enum mm_step_state)state;
	s->ms = (int)ms;
	return mm_wire_str_opt(o, "text", MM_REPORT_TEXT_MAX, "", a, &s->text, err);
}

static int get_note(const json_t *o, struct mm_arena *a, void *list, size_t i, struct mm_err *err)
{
	struct mm_note *n = (struct mm_note *)list + i;
	if (mm_wire_str(o, "class", WORD_MAX, a, &n->cls, err) != 0 ||
	    mm_wire_str_opt(o, "text", MM_REPORT_TEXT_MAX, "", a, &n->text, err) != 0)
		return -1;
	return mm_wire_str_opt(o, "admin", MM_REPORT_TEXT_MAX, "", a, &n->admin, err);
}

static int get_address(const json_t *o, struct mm_arena *a, void *list, size_t i, struct mm_err *err)
{
	struct mm_address_facts *f = (struct mm_address_facts *)list + i;
	int64_t ms;
	if (mm_wire_str(o, "ip", WORD_MAX, a, &f->ip, err) != 0 ||
	    mm_json_int_opt(o, "ms", -1, MS_MAX, -1, &ms, err) != 0)
		return -1;
	f->ms = (int)ms;
	return mm_wire_str_opt(o, "error", MM_REPORT_TEXT_MAX, "", a, &f->error, err);
}

static int get_link(const json_t *o, struct mm_arena *a, void *list, size_t i, struct mm_err *err)
{
	struct mm_cert_link *c = (struct mm_cert_link *)list + i;
	if (mm_wire_str_opt(o, "subject", MM_REPORT_TEXT_MAX, "", a, &c->subject, err) != 0 ||
	    mm_wire_str_opt(o, "issuer", MM_REPORT_TEXT_MAX, "", a, &c->issuer, err) != 0 ||
	    mm_wire_str_opt(o, "key", WORD_MAX, "", a, &c->key, err) != 0 ||
	    mm_wire_str_opt(o, "signature", WORD_MAX, "", a, &c->signature, err) != 0)
		return -1;
	return mm_json_int_opt(o, "not_after", -MM_WIRE_INT_MAX, MM_WIRE_INT_MAX, 0, &c->not_after, err);
}

static int get_endpoint(const json_t *o, struct mm_arena *a, struct mm_endpoint_facts *e, struct mm_err *err)
{
	const json_t *j;
	void *list;
	if (mm_json_object(o, "endpoint", true, &j, err) != 0)
		return -1;
	if (j == NULL)
		return 0;
	if (get_list(j, "addresses", MM_ADDRESS_FACTS_MAX, sizeof(struct mm_address_facts), get_address, a,
		&list, &e->n_addresses, err) != 0)
		return -1;
	e->addresses = list;
	if (mm_wire_str_opt(j, "greeting", MM_SERVER_TEXT_MAX, NULL, a, &e->greeting, err) != 0 ||
	    mm_wire_str_opt(j, "capabilities", CAPABILITIES_MAX, NULL, a, &e->capabilities, err) != 0 ||
	    mm_wire_str_opt(j, "mechanisms", MM_REPORT_TEXT_MAX, NULL, a, &e->mechanisms, err) != 0 ||
	    mm_wire_str_opt(j, "mechanism", WORD_MAX, NULL, a, &e->mechanism, err) != 0 ||
	    mm_json_int_opt(j, "size", 0, MM_WIRE_INT_MAX, 0, &e->size, err) != 0)
		return -1;
	return get_tri(j, "cleartext_login", &e->cleartext_login, err);
}

static int get_mailbox(const json_t *o, struct mm_mailbox_facts *m, struct mm_err *err)
{
	const json_t *j;
	if (mm_json_object(o, "mailbox", true, &j, err) != 0)
		return -1;
	if (j == NULL)
		return 0;
	m->has_messages = json_object_get(j, "messages") != NULL;
	m->has_quota = json_object_get(j, "quota_limit") != NULL;
	if (mm_json_int_opt(j, "messages", 0, MM_WIRE_INT_MAX, 0, &m->messages, err) != 0 ||
	    mm_json_int_opt(j, "quota_used", 0, MM_WIRE_INT_MAX, 0, &m->quota_used, err) != 0)
		return -1;
	return mm_json_int_opt(j, "quota_limit", 0, MM_WIRE_INT_MAX, 0, &m->quota_limit, err);
}

static int get_trip(const json_t *o, struct mm_arena *a, struct mm_trip_facts *t, struct mm_err *err)
{
	const json_t *j;
	if (mm_json_object(o, "roundtrip", true, &j, err) != 0)
		return -1;
	if (j == NULL)
		return 0;
	if (mm_wire_listed(j, "state", trip_words, false, &t->state, err) != 0 ||
	    mm_wire_str_opt(j, "folder", MM_REPORT_NAME_MAX, NULL, a, &t->folder, err) != 0)
		return -1;
	return mm_json_int_opt(j, "delay_ms", 0, MM_WIRE_INT_MAX, 0, &t->delay_ms, err);
}

int mm_ladder_get(const json_t *o, struct mm_arena *a, struct mm_ladder *out, struct mm_err *err)
{
	void *list;
	*out = (struct mm_ladder){.fix = ""};
	if (get_list(o, "steps", MM_STEPS_MAX, sizeof(struct mm_step), get_step, a, &list, &out->n_steps,
		err) != 0)
		return -1;
	out->steps = list;
	if (get_list(o, "notes", MM_NOTES_MAX, sizeof(struct mm_note), get_note, a, &list, &out->n_notes,
		err) != 0)
		return -1;
	out->notes = list;
	if (mm_wire_str_opt(o, "fix", MM_REPORT_TEXT_MAX, "", a, &out->fix, err) != 0 ||
	    get_endpoint(o, a, &out->endpoint, err) != 0 || get_mailbox(o, &out->mailbox, err) != 0)
		return -1;
	return get_trip(o, a, &out->trip, err);
}

int mm_ladder_get_tls(const json_t *tls, struct mm_arena *a, struct mm_tls_facts *t, struct mm_err *err)
{
	void *list;
	if (mm_wire_str_opt(tls, "key", WORD_MAX, NULL, a, &t->key, err) != 0 ||
	    mm_wire_str_opt(tls, "signature", WORD_MAX, NULL, a, &t->signature, err) != 0 ||
	    mm_wire_str_opt(tls, "fingerprint", WORD_MAX, NULL, a, &t->fingerprint, err) != 0 ||
	    mm_wire_str_opt(tls, "pin", WORD_MAX, NULL, a, &t->pin, err) != 0 ||
	    mm_wire_str_opt(tls, "offered", WORD_MAX, NULL, a, &t->offered, err) != 0 ||
	    mm_wire_listed(tls, "ocsp", ocsp_words, true, &t->ocsp, err) != 0 ||
	    get_tri(tls, "name_match", &t->name_match, err) != 0 ||
	    mm_json_bool_opt(tls, "resumed", false, &t->resumed, err) != 0 ||
	    get_list(tls, "chain", MM_CHAIN_FACTS_MAX, sizeof(struct mm_cert_link), get_link, a, &list,
		&t->n_chain, err) != 0)
		return -1;
	t->chain = list;
	return 0;
}
