#include <string.h>

#include "common/text.h"
#include "schemas/report.h"
#include "schemas/wire.h"

#define CLASS_MAX 64
#define TIMING_MAX 3600000 /* an hour in milliseconds */

static const char *const side_words[] = {"incoming", "outgoing", NULL};
static const char *const protocol_words[] = {"imap", "pop3", "smtp", NULL};

/* ---- writing */

static bool has_tls(const struct mm_tls_facts *t)
{
	return t->version != NULL || t->cipher != NULL || t->subject != NULL || t->issuer != NULL ||
	       t->san != NULL;
}

static json_t *tls_json(const struct mm_tls_facts *t)
{
	json_t *o = json_object();
	mm_wire_put(o, "version", t->version, CLASS_MAX);
	mm_wire_put(o, "cipher", t->cipher, CLASS_MAX);
	mm_wire_put(o, "subject", t->subject, MM_REPORT_TEXT_MAX);
	mm_wire_put(o, "issuer", t->issuer, MM_REPORT_TEXT_MAX);
	mm_wire_put(o, "san", t->san, MM_REPORT_TEXT_MAX);
	mm_json_set_int(o, "not_before", t->not_before);
	mm_json_set_int(o, "not_after", t->not_after);
	mm_ladder_put_tls(o, t);
	return o;
}

static json_t *timing_json(const struct mm_timing *t)
{
	json_t *o = json_object();
	mm_json_set_int(o, "dns", t->dns);
	mm_json_set_int(o, "tcp", t->tcp);
	mm_json_set_int(o, "tls", t->tls);
	mm_json_set_int(o, "greeting", t->greeting);
	mm_json_set_int(o, "login", t->login);
	return o;
}

void mm_login_put(json_t *o, const struct mm_login *l)
{
	if (!mm_streq(l->side, ""))
		mm_json_set_str(o, "side", l->side);
	mm_json_set_str(o, "protocol", l->protocol);
	mm_wire_put(o, "host", l->host, MM_REPORT_NAME_MAX);
	mm_json_set_int(o, "port", l->port);
	mm_json_set_str(o, "security", l->security);
	if (!mm_streq(l->auth, ""))
		mm_json_set_str(o, "auth", l->auth);
	mm_wire_put(o, "username", l->username, MM_REPORT_NAME_MAX);
	mm_json_set_str(o, "level", mm_level_name(l->level));
	if (l->any)
		mm_json_set_str(o, "reached", mm_level_name(l->reached));
	mm_json_set_str(o, "result", mm_result_name(l->result));
	mm_wire_put(o, "class", l->cls, CLASS_MAX);
	mm_wire_put(o, "text", l->text, MM_REPORT_TEXT_MAX);
	mm_wire_put(o, "admin", l->admin, MM_REPORT_TEXT_MAX);
	mm_wire_put(o, "server_text", l->server_text, MM_SERVER_TEXT_MAX);
	if (has_tls(&l->tls))
		mm_json_set(o, "tls", tls_json(&l->tls));
	mm_json_set(o, "timing", timing_json(&l->timing));
	mm_ladder_put(o, &l->ladder);
	mm_json_set_int(o, "when", l->when);
}

void mm_login_encode(const struct mm_login *l, struct mm_buf *out)
{
	json_t *o = json_object();
	mm_json_set_str(o, "user", l->user);
	mm_wire_put(o, "account", l->account, MM_REPORT_NAME_MAX);
	mm_login_put(o, l);
	mm_wire_finish(o, out);
}

/* ---- reading */

static bool is_class(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	return n <= CLASS_MAX && s[n] == '\0';
}

static int read_tls(const json_t *o, struct mm_arena *a, struct mm_tls_facts *t, struct mm_err *err)
{
	const json_t *tls;
	if (mm_json_object(o, "tls", true, &tls, err) != 0)
		return -1;
	if (tls == NULL)
		return 0;
	if (mm_wire_str_opt(tls, "version", CLASS_MAX, NULL, a, &t->version, err) != 0 ||
	    mm_wire_str_opt(tls, "cipher", CLASS_MAX, NULL, a, &t->cipher, err) != 0 ||
	    mm_wire_str_opt(tls, "subject", MM_REPORT_TEXT_MAX, NULL, a, &t->subject, err) != 0 ||
	    mm_wire_str_opt(tls, "issuer", MM_REPORT_TEXT_MAX, NULL, a, &t->issuer, err) != 0 ||
	    mm_wire_str_opt(tls, "san", MM_REPORT_TEXT_MAX, NULL, a, &t->san, err) != 0 ||
	    mm_json_int_opt(tls, "not_before", -MM_WIRE_INT_MAX, MM_WIRE_INT_MAX, 0, &t->not_before, err) !=
		0 ||
	    mm_json_int_opt(tls, "not_after", -MM_WIRE_INT_MAX, MM_WIRE_INT_MAX, 0, &t->not_after, err) !=
		0 ||
	    mm_ladder_get_tls(tls, a, t, err) != 0)
		return mm_err_prefix(err, "\"tls\"");
	return 0;
}

static int read_timing(const json_t *o, struct mm_timing *t, struct mm_err *err)
{
	const json_t *timing;
	*t = (struct mm_timing){-1, -1, -1, -1, -1};
	if (mm_json_object(o, "timing", true, &timing, err) != 0)
		return -1;
	if (timing == NULL)
		return 0;
	const char *const names[] = {"dns", "tcp", "tls", "greeting", "login"};
	int *const places[] = {&t->dns, &t->tcp, &t->tls, &t->greeting, &t->login};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		int64_t v;
		if (mm_json_int_opt(timing, names[i], -1, TIMING_MAX, -1, &v, err) != 0)
			return mm_err_prefix(err, "\"timing\"");
		*places[i] = (int)v;
	}
	return 0;
}

static int read_endpoint(const json_t *o, struct mm_arena *a, struct mm_login *l, struct mm_err *err)
{
	if (mm_wire_listed(o, "side", side_words, true, &l->side, err) != 0 ||
	    mm_wire_listed(o, "protocol", protocol_words, false, &l->protocol, err) != 0 ||
	    mm_wire_form_str(o, "host", mm_is_hostname, false, a, &l->host, err) != 0 ||
	    mm_wire_int(o, "port", 1, 65535, &l->port, err) != 0 ||
	    mm_wire_listed(o, "security", mm_security_words, false, &l->security, err) != 0 ||
	    mm_wire_listed(o, "auth", mm_auth_words, true, &l->auth, err) != 0 ||
	    mm_wire_str_opt(o, "username", MM_REPORT_NAME_MAX, "", a, &l->username, err) != 0)
		return -1;
	/* The probe is not told the side, but only one side speaks SMTP. */
	if (l->side == NULL)
		l->side = mm_streq(l->protocol, "smtp") ? "outgoing" : "incoming";
	if (l->auth == NULL)
		l->auth = "";
	return 0;
}

static int read_outcome(const json_t *o, struct mm_arena *a, struct mm_login *l, struct mm_err *err)
{
	int level = 0, reached = 0, result = 0;
	l->any = json_object_get(o, "reached") != NULL;
	if (mm_wire_word(o, "level", mm_level_by_name, &level, err) != 0 ||
	    (l->any && mm_wire_word(o, "reached", mm_level_by_name, &reached, err) != 0) ||
	    mm_wire_word(o, "result", mm_result_by_name, &result, err) != 0 ||
	    mm_wire_form_str(o, "class", is_class, true, a, &l->cls, err) != 0)
		return -1;
	if (l->cls == NULL)
		l->cls = "";
	l->level = (enum mm_level)level;
	l->reached = (enum mm_level)reached;
	l->result = (enum mm_result)result;
	if (l->result == MM_LOGIN_PASSED && (!l->any || l->reached < l->level))
		return mm_err_set(err, MM_EX_DATAERR, "\"result\": passed, but the level was not reached");
	return 0;
}

int mm_login_get(const json_t *o, struct mm_arena *a, struct mm_login *out, struct mm_err *err)
{
	if (read_endpoint(o, a, out, err) != 0 || read_outcome(o, a, out, err) != 0 ||
	    mm_wire_str_opt(o, "text", MM_REPORT_TEXT_MAX, "", a, &out->text, err) != 0 ||
	    mm_wire_str_opt(o, "admin", MM_REPORT_TEXT_MAX, "", a, &out->admin, err) != 0 ||
	    mm_wire_str_opt(o, "server_text", MM_SERVER_TEXT_MAX, NULL, a, &out->server_text, err) != 0 ||
	    read_tls(o, a, &out->tls, err) != 0 || read_timing(o, &out->timing, err) != 0 ||
	    mm_ladder_get(o, a, &out->ladder, err) != 0)
		return -1;
	return mm_json_int(o, "when", 0, MM_WIRE_INT_MAX, &out->when, err);
}

int mm_login_facts_decode(
    const char *json, size_t n, struct mm_arena *a, struct mm_login *out, struct mm_err *err)
{
	json_t *o = mm_wire_load("login", json, n, err);
	int rc = -1;
	if (o == NULL)
		return -1;
	if (read_tls(o, a, &out->tls, err) == 0)
		rc = mm_ladder_get(o, a, &out->ladder, err);
	json_decref(o);
	return rc;
}

int mm_login_decode(const char *json, size_t n, struct mm_arena *a, struct mm_login *out, struct mm_err *err)
{
	json_t *o = mm_wire_load("login", json, n, err);
	if (o == NULL)
		return -1;
	struct mm_login l = {.user = NULL};
	int rc = -1;
	if (mm_wire_form_str(o, "user", mm_is_login, false, a, &l.user, err) == 0 &&
	    mm_wire_str_opt(o, "account", MM_REPORT_NAME_MAX, "", a, &l.account, err) == 0)
		rc = mm_login_get(o, a, &l, err);
	if (rc == 0)
		*out = l;
	else
		mm_err_prefix(err, "login");
	json_decref(o);
	return rc;
}
