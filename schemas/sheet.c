#include "schemas/sheet.h"

#include <string.h>

#include "common/text.h"
#include "schemas/proto.h"
#include "schemas/wire.h"

#define LABEL_MAX 256

static const char *const sheet_members[] = {"proto", "user", "revision", "create", "allow_cleartext",
    "tls_min", "check", "accounts", "clients", NULL};
static const char *const account_members[] = {
    "name", "label", "renamed_from", "replaces", "settings", "differs", NULL};
static const char *const client_members[] = {"client", "mode", "settings", "scope", NULL};
/* What tells agents of minor version 0 that something is asked of them that they cannot do. */
#define ROW_SYSTEM "system.clients"
static const char *const no_hosts[] = {NULL};

const struct mm_client_rule *mm_sheet_rule(const struct mm_sheet *s, const char *client)
{
	for (size_t i = 0; i < s->n_clients; i++) {
		if (mm_streq(s->clients[i].client, client))
			return &s->clients[i];
	}
	return NULL;
}

bool mm_sheet_is_system(const struct mm_sheet *s)
{
	return mm_streq(s->user, MM_SYSTEM_USER);
}

bool mm_is_report_user(const char *s)
{
	return s != NULL && (mm_streq(s, MM_SYSTEM_USER) || mm_is_login(s));
}

enum mm_mode mm_sheet_mode(const struct mm_sheet *s, const char *client, enum mm_setting set)
{
	const struct mm_client_rule *rule = mm_sheet_rule(s, client);
	if (rule == NULL)
		return MM_MODE_AUDIT;
	if (set < MM_SET_COUNT && rule->setting_mode[set] >= 0)
		return (enum mm_mode)rule->setting_mode[set];
	return rule->mode;
}

/* ---- writing */

static void put_row(json_t *rows, const char *id, const char *value)
{
	json_t *row = json_array();
	if (json_array_append_new(row, json_string(id)) != 0 ||
	    json_array_append_new(row, json_string(value)) != 0 || json_array_append_new(rows, row) != 0)
		mm_oom();
}

static bool any_differs(const struct mm_account *acc)
{
	bool any = false;
	for (int s = 0; s < MM_SET_COUNT; s++)
		any |= acc->differs[s];
	return any;
}

static json_t *differs_json(const struct mm_account *acc)
{
	json_t *list = json_array();
	for (int s = 0; s < MM_SET_COUNT; s++) {
		if (acc->differs[s] &&
		    json_array_append_new(list, json_string(mm_setting_def((enum mm_setting)s)->id)) != 0)
			mm_oom();
	}
	return list;
}

/* The clients of this sheet that get their settings from the system's files. */
static void put_system_row(json_t *rows, const struct mm_sheet *s)
{
	struct mm_buf names = MM_BUF_INIT(MM_VALUE_MAX);
	for (size_t i = 0; i < s->n_clients; i++) {
		if (s->clients[i].scope == MM_REACH_SYSTEM)
			mm_buf_addf(&names, "%s%s", names.len > 0 ? " " : "", s->clients[i].client);
	}
	if (names.len > 0 && mm_buf_ok(&names) && json_array_size(rows) < MM_ROWS_MAX)
		put_row(rows, ROW_SYSTEM, mm_buf_str(&names));
	mm_buf_free(&names);
}

static json_t *account_json(const struct mm_sheet *sheet, const struct mm_account *acc)
{
	json_t *o = json_object();
	mm_json_set_str(o, "name", acc->name);
	mm_wire_put(o, "label", acc->label, LABEL_MAX);
	mm_json_set_str(o, "renamed_from", acc->renamed_from);
	const char *const *hosts = acc->replaces != NULL ? acc->replaces : no_hosts;
	size_t n = 0;
	while (hosts[n] != NULL)
		n++;
	mm_wire_put_strings(o, "replaces", hosts, n, MM_VALUE_MAX);
	json_t *rows = json_array();
	for (int s = 0; s < MM_SET_COUNT; s++) {
		if (acc->want.v[s] != NULL)
			put_row(rows, mm_setting_def((enum mm_setting)s)->id, acc->want.v[s]);
	}
	for (size_t i = 0; i < acc->n_unknown; i++)
		put_row(rows, acc->unknown[i].id, acc->unknown[i].value);
	if (acc == sheet->accounts && !mm_sheet_is_system(sheet))
		put_system_row(rows, sheet);
	mm_json_set(o, "settings", rows);
	if (any_differs(acc))
		mm_json_set(o, "differs", differs_json(acc));
	return o;
}

static json_t *client_json(const struct mm_client_rule *rule)
{
	json_t *o = json_object();
	mm_json_set_str(o, "client", rule->client);
	mm_json_set_str(o, "mode", mm_mode_name(rule->mode));
	json_t *rows = json_array();
	for (int s = 0; s < MM_SET_COUNT; s++) {
		if (rule->setting_mode[s] >= 0)
			put_row(rows, mm_setting_def((enum mm_setting)s)->id,
			    mm_mode_name((enum mm_mode)rule->setting_mode[s]));
	}
	mm_json_set(o, "settings", rows);
	if (rule->scope != MM_REACH_USER)
		mm_json_set_str(o, "scope", mm_reach_name(rule->scope));
	return o;
}

/* The lowest that has everything that is said: the older the agent may be. */
static int minor_of(const struct mm_sheet *s)
{
	bool new = mm_sheet_is_system(s);
	for (size_t i = 0; i < s->n_clients; i++)
		new |= s->clients[i].scope != MM_REACH_USER;
	for (size_t i = 0; i < s->n_accounts; i++)
		new |= any_differs(&s->accounts[i]);
	return new ? 1 : 0;
}

json_t *mm_sheet_json(const struct mm_sheet *s)
{
	json_t *o = json_object();
	mm_wire_put_proto(o, MM_PROTO_MAJOR, minor_of(s));
	mm_json_set_str(o, "user", s->user);
	mm_json_set_int(o, "revision", s->revision);
	mm_json_set_str(o, "create", mm_create_name(s->create));
	mm_json_set_bool(o, "allow_cleartext", s->allow_cleartext);
	mm_json_set_str(o, "tls_min", s->tls_min);
	mm_json_set_str(o, "check", mm_level_name(s->check));
	json_t *list = json_array();
	for (size_t i = 0; i < s->n_accounts; i++) {
		if (json_array_append_new(list, account_json(s, &s->accounts[i])) != 0)
			mm_oom();
	}
	mm_json_set(o, "accounts", list);
	list = json_array();
	for (size_t i = 0; i < s->n_clients; i++) {
		if (json_array_append_new(list, client_json(&s->clients[i])) != 0)
			mm_oom();
	}
	mm_json_set(o, "clients", list);
	return o;
}

void mm_sheet_encode(const struct mm_sheet *s, struct mm_buf *out)
{
	mm_wire_finish(mm_sheet_json(s), out);
}

/* ---- reading */

struct reader {
	struct mm_arena *a;
	bool newer; /* the sheet's minor is newer than ours */
	struct mm_err *err;
};

static int refuse_strangers(const struct reader *r, const json_t *o, const char *const *names)
{
	if (!json_is_object(o))
		return mm_err_set(r->err, MM_EX_DATAERR, "an entry is not an object");
	return r->newer ? 0 : mm_json_only(o, names, r->err);
}

struct row {
	const char *id, *value; /* borrowed from the JSON */
};

/* One [id, value] of a list; `seen` holds the ids so far. */
static int read_row(const struct reader *r, const json_t *item, json_t *seen, struct row *out)
{
	const char *id = json_string_value(json_array_get(item, 0));
	const char *value = json_string_value(json_array_get(item, 1));
	if (json_array_size(item) != 2 || value == NULL || !mm_wire_is_setting_id(id))
		return mm_err_set(r->err, MM_EX_DATAERR, "\"settings\": a row is not [id, value]");
	size_t len = json_string_length(json_array_get(item, 1));
	if (len > MM_VALUE_MAX)
		return mm_err_set(r->err, MM_EX_DATAERR, "%s: more than %d bytes", id, MM_VALUE_MAX);
	if (strlen(value) != len || !mm_wire_text_ok(value))
		return mm_err_set(r->err, MM_EX_DATAERR, "%s: control character", id);
	if (json_object_get(seen, id) != NULL)
		return mm_err_set(r->err, MM_EX_DATAERR, "%s stands twice", id);
	mm_json_set_bool(seen, id, true);
	*out = (struct row){id, value};
	return 0;
}

static int take_setting(
    const struct reader *r, const struct row *row, struct mm_account *acc, struct mm_unknown_row *unknown)
{
	enum mm_setting s = mm_setting_by_id(row->id);
	struct mm_err why = MM_ERR_NONE;
	if (mm_streq(row->id, ROW_SYSTEM))
		return 0;
	if (s != MM_SET_NONE && mm_setting_canon(s, row->value, r->a, &acc->want.v[s], &why) == 0)
		return 0;
	if (s != MM_SET_NONE && !r->newer)
		return mm_err_set(r->err, MM_EX_DATAERR, "%s: %s", row->id, why.text);
	unknown[acc->n_unknown++] = (struct mm_unknown_row){
	    .id = mm_arena_strdup(r->a, row->id), .value = mm_arena_strdup(r->a, row->value)};
	return 0;
}

static int read_settings(const struct reader *r, const json_t *o, struct mm_account *acc)
{
	const json_t *rows;
	if (mm_json_array(o, "settings", MM_ROWS_MAX, false, &rows, r->err) != 0)
		return -1;
	struct mm_unknown_row *unknown = mm_arena_alloc(r->a, json_array_size(rows) + 1, sizeof(*unknown));
	json_t *seen = json_object();
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < json_array_size(rows); i++) {
		struct row row;
		rc = read_row(r, json_array_get(rows, i), seen, &row);
		if (rc == 0)
			rc = take_setting(r, &row, acc, unknown);
	}
	acc->unknown = unknown;
	json_decref(seen);
	return rc;
}

static int read_differs(const struct reader *r, const json_t *o, struct mm_account *acc)
{
	const char *const *ids;
	size_t n;
	if (mm_wire_strings(o, "differs", MM_ROWS_MAX, MM_NAME_MAX * 2, mm_wire_is_setting_id, r->a, &ids, &n,
		r->err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		enum mm_setting s = mm_setting_by_id(ids[i]);
		if (s != MM_SET_NONE)
			acc->differs[s] = true;
	}
	return 0;
}

static int read_account(const struct reader *r, const json_t *o, struct mm_account *acc)
{
	size_t n;
	if (refuse_strangers(r, o, account_members) != 0 ||
	    mm_wire_form_str(o, "name", mm_is_account_name, false, r->a, &acc->name, r->err) != 0)
		return -1;
	if (mm_wire_str_opt(o, "label", LABEL_MAX, NULL, r->a, &acc->label, r->err) != 0 ||
	    mm_wire_form_str(o, "renamed_from", mm_is_account_name, true, r->a, &acc->renamed_from, r->err) !=
		0 ||
	    mm_wire_strings(
		o, "replaces", MM_REPLACES_MAX, 253, mm_is_hostname, r->a, &acc->replaces, &n, r->err) != 0 ||
	    read_settings(r, o, acc) != 0 || read_differs(r, o, acc) != 0)
		return mm_err_prefix(r->err, "account %s", acc->name);
	return 0;
}

static int read_accounts(const struct reader *r, const json_t *o, struct mm_sheet *s)
{
	const json_t *list;
	if (mm_json_array(o, "accounts", MM_SHEET_ACCOUNTS_MAX, false, &list, r->err) != 0)
		return -1;
	size_t n = json_array_size(list);
	struct mm_account *accounts = mm_arena_alloc(r->a, n + 1, sizeof(*accounts));
	for (size_t i = 0; i < n; i++) {
		if (read_account(r, json_array_get(list, i), &accounts[i]) != 0)
			return -1;
		for (size_t k = 0; k < i; k++) {
			if (mm_streq(accounts[k].name, accounts[i].name))
				return mm_err_set(
				    r->err, MM_EX_DATAERR, "account %s stands twice", accounts[i].name);
		}
	}
	s->accounts = accounts;
	s->n_accounts = n;
	return 0;
}

static int read_modes(const struct reader *r, const json_t *o, struct mm_client_rule *rule)
{
	const json_t *rows;
	if (mm_json_array(o, "settings", MM_ROWS_MAX, true, &rows, r->err) != 0)
		return -1;
	for (int s = 0; s < MM_SET_COUNT; s++)
		rule->setting_mode[s] = -1;
	json_t *seen = json_object();
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < json_array_size(rows); i++) {
		struct row row;
		rc = read_row(r, json_array_get(rows, i), seen, &row);
		if (rc != 0)
			break;
		int mode = mm_mode_by_name(row.value);
		enum mm_setting s = mm_setting_by_id(row.id);
		if (mode < 0)
			rc = mm_err_set(
			    r->err, MM_EX_DATAERR, "%s: unknown mode \"%.40s\"", row.id, row.value);
		else if (s != MM_SET_NONE) /* an unknown setting is reported, whatever its mode */
			rule->setting_mode[s] = mode;
	}
	json_decref(seen);
	return rc;
}

static int read_client(const struct reader *r, const json_t *o, struct mm_client_rule *rule)
{
	int mode = 0, scope = MM_REACH_USER;
	if (refuse_strangers(r, o, client_members) != 0 ||
	    mm_wire_form_str(o, "client", mm_wire_is_client, false, r->a, &rule->client, r->err) != 0)
		return -1;
	if (mm_wire_word(o, "mode", mm_mode_by_name, &mode, r->err) != 0 || read_modes(r, o, rule) != 0)
		return mm_err_prefix(r->err, "client %s", rule->client);
	/* One that a newer agent would know is not guessed at. */
	if (json_object_get(o, "scope") != NULL &&
	    mm_wire_word(o, "scope", mm_reach_by_name, &scope, r->err) != 0)
		return mm_err_prefix(r->err, "client %s", rule->client);
	rule->mode = (enum mm_mode)mode;
	rule->scope = (enum mm_reach)scope;
	return 0;
}

static int read_clients(const struct reader *r, const json_t *o, struct mm_sheet *s)
{
	const json_t *list;
	if (mm_json_array(o, "clients", MM_SHEET_CLIENTS_MAX, false, &list, r->err) != 0)
		return -1;
	size_t n = json_array_size(list);
	struct mm_client_rule *rules = mm_arena_alloc(r->a, n + 1, sizeof(*rules));
	for (size_t i = 0; i < n; i++) {
		if (read_client(r, json_array_get(list, i), &rules[i]) != 0)
			return -1;
		for (size_t k = 0; k < i; k++) {
			if (mm_streq(rules[k].client, rules[i].client))
				return mm_err_set(
				    r->err, MM_EX_DATAERR, "client %s stands twice", rules[i].client);
		}
	}
	s->clients = rules;
	s->n_clients = n;
	return 0;
}

static int read_rules(const struct reader *r, const json_t *o, struct mm_sheet *s)
{
	int create = 0, level = 0;
	if (mm_wire_word(o, "create", mm_create_by_name, &create, r->err) != 0 ||
	    mm_json_bool_opt(o, "allow_cleartext", false, &s->allow_cleartext, r->err) != 0 ||
	    mm_wire_listed(
		o, "tls_min", mm_setting_def(MM_SET_IN_TLS_MIN)->words, false, &s->tls_min, r->err) != 0 ||
	    mm_wire_word(o, "check", mm_level_by_name, &level, r->err) != 0)
		return -1;
	s->create = (enum mm_create)create;
	s->check = (enum mm_level)level;
	return 0;
}

static int read_sheet(struct reader *r, const json_t *o, struct mm_sheet *s)
{
	int major, minor;
	if (mm_wire_proto(o, &major, &minor, r->err) != 0 ||
	    mm_wire_known(o, major, minor, sheet_members, r->err) != 0)
		return -1;
	r->newer = minor > MM_PROTO_MINOR;
	if (mm_wire_form_str(o, "user", mm_is_report_user, false, r->a, &s->user, r->err) != 0 ||
	    mm_json_int(o, "revision", 0, MM_WIRE_INT_MAX, &s->revision, r->err) != 0)
		return -1;
	if (read_rules(r, o, s) != 0 || read_accounts(r, o, s) != 0)
		return -1;
	return read_clients(r, o, s);
}

int mm_sheet_from_json(const json_t *o, struct mm_arena *a, struct mm_sheet *out, struct mm_err *err)
{
	struct reader r = {.a = a, .err = err};
	struct mm_sheet s = {.user = NULL};
	int rc = read_sheet(&r, o, &s);
	if (rc == 0)
		*out = s;
	else
		mm_err_prefix(err, "sheet");
	return rc;
}

int mm_sheet_decode(const char *json, size_t n, struct mm_arena *a, struct mm_sheet *out, struct mm_err *err)
{
	json_t *o = mm_wire_load("sheet", json, n, err);
	if (o == NULL)
		return -1;
	int rc = mm_sheet_from_json(o, a, out, err);
	json_decref(o);
	return rc;
}
