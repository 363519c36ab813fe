#include "schemas/probe.h"

#include "common/text.h"
#include "schemas/wire.h"

static const char *const protocol_words[] = {"imap", "pop3", "smtp", NULL};

const struct mm_probe_task mm_probe_task_none = {
    .level = MM_LEVEL_LOGIN, .secret = -1, .certificate = -1, .retrieve = -1};

static void put_timeouts(json_t *o, const struct mm_probe_task *t)
{
	json_t *j = json_object();
	if (t->connect_s > 0)
		mm_json_set_int(j, "connect", t->connect_s);
	if (t->answer_s > 0)
		mm_json_set_int(j, "answer", t->answer_s);
	if (t->login_s > 0)
		mm_json_set_int(j, "login", t->login_s);
	if (t->trip_s > 0)
		mm_json_set_int(j, "roundtrip", t->trip_s);
	if (json_object_size(j) > 0)
		mm_json_set(o, "timeouts", j);
	else
		json_decref(j);
}

static void put_known(json_t *o, const struct mm_probe_task *t)
{
	json_t *list = json_array();
	for (size_t i = 0; i < t->n_known && i < MM_PROBE_KNOWN_MAX; i++) {
		json_t *k = json_object();
		mm_json_set_str(k, "protocol", t->known[i].protocol);
		mm_json_set_str(k, "host", t->known[i].host);
		mm_json_set_int(k, "port", t->known[i].port);
		mm_json_set_str(k, "security", t->known[i].security);
		if (json_array_append_new(list, k) != 0)
			mm_oom();
	}
	mm_json_set(o, "known", list);
}

static void put_index(json_t *o, const char *key, int64_t i)
{
	if (i >= 0)
		mm_json_set_int(o, key, i);
}

void mm_probe_task_encode(const struct mm_probe_task *t, struct mm_buf *out)
{
	json_t *o = json_object();
	mm_json_set_int(o, "id", t->id);
	mm_json_set_str(o, "level", mm_level_name(t->level));
	mm_json_set_str(o, "protocol", t->protocol);
	mm_json_set_str(o, "host", t->host);
	mm_json_set_int(o, "port", t->port);
	mm_json_set_str(o, "security", t->security);
	mm_json_set_str(o, "auth", t->auth);
	mm_json_set_str(o, "username", t->username);
	put_index(o, "secret", t->secret);
	mm_json_set_str(o, "tls_min", t->tls_min);
	mm_json_set_str(o, "ca_file", t->ca_file);
	mm_json_set_str(o, "pin", t->pin);
	mm_json_set_str(o, "sender", t->sender);
	mm_json_set_str(o, "address", t->address);
	mm_json_set_str(o, "ehlo", t->ehlo);
	mm_json_set_str(o, "ccache", t->ccache);
	put_index(o, "certificate", t->certificate);
	put_index(o, "retrieve", t->retrieve);
	put_timeouts(o, t);
	if (t->survey)
		mm_json_set_bool(o, "survey", true);
	if (t->n_known > 0)
		put_known(o, t);
	mm_wire_finish(o, out);
}

/* An optional member with the form and limits of a setting. */
static int read_setting(const json_t *o, const char *key, enum mm_setting s, struct mm_arena *a,
    const char **out, struct mm_err *err)
{
	const char *text;
	if (mm_json_str_opt(o, key, MM_VALUE_MAX, &text, err) != 0)
		return -1;
	*out = NULL;
	if (text != NULL && mm_setting_canon(s, text, a, out, err) != 0)
		return mm_err_prefix(err, "\"%s\"", key);
	return 0;
}

#define SECONDS_MAX 600

static int read_timeouts(const json_t *o, struct mm_probe_task *t, struct mm_err *err)
{
	const json_t *j;
	int64_t connect, answer, login, trip;
	if (mm_json_object(o, "timeouts", true, &j, err) != 0)
		return -1;
	if (mm_json_int_opt(j, "connect", 1, SECONDS_MAX, 0, &connect, err) != 0 ||
	    mm_json_int_opt(j, "answer", 1, SECONDS_MAX, 0, &answer, err) != 0 ||
	    mm_json_int_opt(j, "login", 1, SECONDS_MAX, 0, &login, err) != 0 ||
	    mm_json_int_opt(j, "roundtrip", 1, SECONDS_MAX, 0, &trip, err) != 0)
		return mm_err_prefix(err, "\"timeouts\"");
	t->connect_s = (int)connect;
	t->answer_s = (int)answer;
	t->login_s = (int)login;
	t->trip_s = (int)trip;
	return 0;
}

static int read_known(const json_t *o, struct mm_arena *a, struct mm_probe_task *t, struct mm_err *err)
{
	const json_t *list;
	if (mm_json_array(o, "known", MM_PROBE_KNOWN_MAX, true, &list, err) != 0)
		return -1;
	size_t n = json_array_size(list);
	struct mm_probe_known *known = n > 0 ? mm_arena_alloc(a, n, sizeof(*known)) : NULL;
	for (size_t i = 0; i < n; i++) {
		const json_t *k = json_array_get(list, i);
		if (!json_is_object(k))
			return mm_err_set(err, MM_EX_DATAERR, "\"known\": not an object");
		if (mm_wire_listed(k, "protocol", protocol_words, false, &known[i].protocol, err) != 0 ||
		    mm_wire_form_str(k, "host", mm_is_hostname, false, a, &known[i].host, err) != 0 ||
		    mm_wire_int(k, "port", 1, 65535, &known[i].port, err) != 0 ||
		    mm_wire_listed(k, "security", mm_security_words, false, &known[i].security, err) != 0)
			return mm_err_prefix(err, "\"known\"");
	}
	t->known = known;
	t->n_known = n;
	return 0;
}

/* What later versions of the task brought. */
static int read_more(const json_t *o, struct mm_arena *a, struct mm_probe_task *t, struct mm_err *err)
{
	if (read_setting(o, "address", MM_SET_ADDRESS, a, &t->address, err) != 0 ||
	    mm_wire_form_str(o, "ehlo", mm_is_hostname, true, a, &t->ehlo, err) != 0 ||
	    read_setting(o, "ccache", MM_SET_IN_CLIENT_CERT, a, &t->ccache, err) != 0 ||
	    mm_json_int_opt(o, "certificate", 0, MM_PROBE_TASKS_MAX - 1, -1, &t->certificate, err) != 0 ||
	    mm_json_int_opt(o, "retrieve", 0, MM_WIRE_INT_MAX, -1, &t->retrieve, err) != 0 ||
	    mm_json_bool_opt(o, "survey", false, &t->survey, err) != 0 || read_timeouts(o, t, err) != 0)
		return -1;
	return read_known(o, a, t, err);
}

static int read_task(const json_t *o, struct mm_arena *a, struct mm_probe_task *t, struct mm_err *err)
{
	int level = 0;
	if (mm_json_int(o, "id", 0, MM_WIRE_INT_MAX, &t->id, err) != 0 ||
	    mm_wire_word(o, "level", mm_level_by_name, &level, err) != 0 ||
	    mm_wire_listed(o, "protocol", protocol_words, false, &t->protocol, err) != 0 ||
	    read_setting(o, "host", MM_SET_IN_HOST, a, &t->host, err) != 0 ||
	    mm_wire_int(o, "port", 1, 65535, &t->port, err) != 0 ||
	    mm_wire_listed(o, "security", mm_security_words, false, &t->security, err) != 0 ||
	    mm_wire_listed(o, "auth", mm_auth_words, true, &t->auth, err) != 0 ||
	    read_setting(o, "username", MM_SET_IN_USERNAME, a, &t->username, err) != 0 ||
	    mm_json_int_opt(o, "secret", 0, MM_PROBE_TASKS_MAX - 1, -1, &t->secret, err) != 0 ||
	    read_setting(o, "tls_min", MM_SET_IN_TLS_MIN, a, &t->tls_min, err) != 0 ||
	    read_setting(o, "ca_file", MM_SET_IN_CA_FILE, a, &t->ca_file, err) != 0 ||
	    read_setting(o, "pin", MM_SET_IN_PIN, a, &t->pin, err) != 0 ||
	    read_setting(o, "sender", MM_SET_ADDRESS, a, &t->sender, err) != 0 ||
	    read_more(o, a, t, err) != 0)
		return -1;
	if (t->host == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "\"host\" is missing");
	if (t->auth == NULL)
		t->auth = mm_setting_def(MM_SET_IN_AUTH)->dflt;
	t->level = (enum mm_level)level;
	return 0;
}

int mm_probe_task_decode(
    const char *json, size_t n, struct mm_arena *a, struct mm_probe_task *out, struct mm_err *err)
{
	if (n > MM_PROBE_LINE_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "probe task: more than %u bytes", MM_PROBE_LINE_MAX);
	json_t *o = mm_wire_load("probe task", json, n, err);
	if (o == NULL)
		return -1;
	struct mm_probe_task t = mm_probe_task_none;
	int rc = read_task(o, a, &t, err);
	if (rc == 0)
		*out = t;
	else
		mm_err_prefix(err, "probe task");
	json_decref(o);
	return rc;
}

void mm_probe_answer_encode(int64_t id, const struct mm_login *l, struct mm_buf *out)
{
	json_t *o = json_object();
	mm_json_set_int(o, "id", id);
	mm_login_put(o, l);
	mm_wire_finish(o, out);
}

int mm_probe_answer_decode(
    const char *json, size_t n, struct mm_arena *a, int64_t *id, struct mm_login *out, struct mm_err *err)
{
	if (n > MM_PROBE_LINE_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "probe answer: more than %u bytes", MM_PROBE_LINE_MAX);
	json_t *o = mm_wire_load("probe answer", json, n, err);
	if (o == NULL)
		return -1;
	struct mm_login l = {.user = "", .account = ""};
	int64_t number;
	int rc = -1;
	if (mm_json_int(o, "id", 0, MM_WIRE_INT_MAX, &number, err) == 0)
		rc = mm_login_get(o, a, &l, err);
	if (rc == 0) {
		*out = l;
		*id = number;
	} else {
		mm_err_prefix(err, "probe answer");
	}
	json_decref(o);
	return rc;
}
