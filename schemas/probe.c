#include "schemas/probe.h"

#include "common/text.h"
#include "schemas/wire.h"

static const char *const protocol_words[] = {"imap", "pop3", "smtp", NULL};

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
	if (t->secret >= 0)
		mm_json_set_int(o, "secret", t->secret);
	mm_json_set_str(o, "tls_min", t->tls_min);
	mm_json_set_str(o, "ca_file", t->ca_file);
	mm_json_set_str(o, "pin", t->pin);
	mm_json_set_str(o, "sender", t->sender);
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
	    read_setting(o, "sender", MM_SET_ADDRESS, a, &t->sender, err) != 0)
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
	struct mm_probe_task t = {.id = 0};
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
