/* The commands that only look: status, explain. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/cmd.h"
#include "agent/collect.h"
#include "agent/generations.h"
#include "agent/session.h"
#include "agent/spool.h"
#include "agent/userrun.h"
#include "common/json.h"
#include "common/term.h"
#include "common/text.h"

static int status_of(const struct mm_err *err)
{
	return err->code != 0 ? err->code : MM_EX_FAILED;
}

static void print_json(json_t *o)
{
	struct mm_buf out = MM_BUF_INIT(1u << 26);
	mm_json_dump(o, &out);
	json_decref(o);
	printf("%s\n", mm_buf_str(&out));
	mm_buf_free(&out);
}

static void print_line(const char *label, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void print_line(const char *label, const char *fmt, ...)
{
	struct mm_buf raw = MM_BUF_INIT(65536), safe = MM_BUF_INIT(262144);
	va_list ap;
	va_start(ap, fmt);
	mm_buf_vaddf(&raw, fmt, ap);
	va_end(ap);
	mm_printable(&safe, mm_buf_str(&raw), raw.len);
	printf("%-12s %s\n", label, mm_buf_str(&safe));
	mm_buf_free(&safe);
	mm_buf_free(&raw);
}

/* ---- status */

struct overview {
	struct mm_disabled off;
	bool disabled, has_sheet, expired;
	int64_t journal_revision;
	size_t owned, generations, waiting;
};

static int look(struct mm_session *s, struct overview *v, struct mm_err *err)
{
	struct mm_journal j;
	int64_t *all;
	const char *const *ids;
	int off = mm_disabled_get(s->conf, s->now, s->a, &v->off, err);
	v->disabled = off > 0;
	v->expired = mm_held_expired(&s->held, s->now);
	if (off < 0 || mm_journal_load(s->state_dir, s->a, &j, err) != 0 ||
	    mm_generation_list(s->state_dir, s->a, &all, &v->generations, err) != 0 ||
	    mm_spool_list(s->state_dir, s->a, &ids, &v->waiting, err) != 0)
		return -1;
	v->owned = j.rows.n;
	v->journal_revision = j.revision;
	return 0;
}

static void status_json(const struct mm_session *s, const struct overview *v)
{
	json_t *o = json_object();
	mm_json_set_str(o, "host", s->conf->host);
	mm_json_set_str(o, "config", s->conf->path);
	mm_json_set_str(o, "user", s->who.login);
	mm_json_set_bool(o, "disabled", v->disabled);
	mm_json_set_str(o, "disabled_reason", v->disabled ? v->off.reason : NULL);
	mm_json_set_bool(o, "managed", v->has_sheet);
	mm_json_set_str(o, "request_id", s->held.request_id);
	mm_json_set_int(o, "epoch", s->held.epoch);
	mm_json_set_int(o, "serial", s->held.serial);
	mm_json_set_int(o, "revision", s->held.revision);
	mm_json_set_int(o, "expires", s->held.expires);
	mm_json_set_bool(o, "expired", v->expired);
	mm_json_set_int(o, "applied_revision", v->journal_revision);
	mm_json_set_int(o, "accounts", (int64_t)v->owned);
	mm_json_set_int(o, "generations", (int64_t)v->generations);
	mm_json_set_int(o, "waiting_reports", (int64_t)v->waiting);
	print_json(o);
}

static void status_text(const struct mm_session *s, const struct overview *v)
{
	char when[MM_TIME_MAX];
	print_line("Host", "%s (%s)", s->conf->host, s->conf->path);
	print_line("User", "%s", s->who.login);
	if (v->disabled)
		print_line("Switched off", "%s", v->off.reason);
	if (!v->has_sheet) {
		print_line("Policy", "nothing is stored for this user");
	} else {
		print_line("Policy", "revision %lld, request %s (epoch %lld, serial %lld)",
		    (long long)s->held.revision, s->held.request_id, (long long)s->held.epoch,
		    (long long)s->held.serial);
		print_line("Valid until", "%s%s", mm_time_utc(s->held.expires, when),
		    v->expired ? " - EXPIRED: nothing is changed any more" : "");
	}
	print_line("Managed", "%zu account%s, revision %lld applied last", v->owned, v->owned == 1 ? "" : "s",
	    (long long)v->journal_revision);
	print_line("Undo", "%zu generation%s kept", v->generations, v->generations == 1 ? "" : "s");
	print_line("Waiting", "%zu report%s", v->waiting, v->waiting == 1 ? "" : "s");
}

/* Root has no mail settings that are managed; it asks for the host. */
static int host_status(const struct mm_conf *c, bool json, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_held_state st;
	const char *const *users;
	struct mm_disabled off;
	char when[MM_TIME_MAX];
	size_t n = 0;
	int64_t now = time(NULL);
	int is_off = mm_disabled_get(c, now, a, &off, err);
	int rc = is_off < 0 || mm_held_load(c, a, &st, err) != 0 || mm_held_users(c, a, &users, &n, err) != 0;
	if (rc == 0 && json) {
		json_t *o = json_object();
		mm_json_set_str(o, "host", c->host);
		mm_json_set_bool(o, "disabled", is_off > 0);
		mm_json_set_str(o, "request_id", st.held.request_id);
		mm_json_set_int(o, "epoch", st.last.epoch);
		mm_json_set_int(o, "serial", st.last.serial);
		mm_json_set_int(o, "revision", st.held.revision);
		mm_json_set_int(o, "expires", st.held.expires);
		mm_json_set_bool(o, "expired", mm_held_expired(&st.held, now));
		mm_json_set_int(o, "users", (int64_t)n);
		print_json(o);
	} else if (rc == 0) {
		print_line("Host", "%s (%s)", c->host, c->path);
		if (is_off > 0)
			print_line("Switched off", "%s", off.reason);
		if (st.held.request_id == NULL)
			print_line("Policy", "no request was received yet");
		else
			print_line("Policy", "revision %lld, request %s, valid until %s%s",
			    (long long)st.held.revision, st.held.request_id,
			    mm_time_utc(st.held.expires, when),
			    mm_held_expired(&st.held, now) ? " - EXPIRED" : "");
		print_line("Users", "%zu", n);
	}
	mm_arena_free(a);
	return rc == 0 ? MM_EX_OK : status_of(err);
}

static int self_status(const struct mm_conf *c, bool json, struct mm_err *err)
{
	struct mm_session s;
	struct overview v = {.owned = 0};
	int got = mm_session_open(c, &s, err);
	if (got < 0)
		return status_of(err);
	v.has_sheet = got > 0;
	int rc = look(&s, &v, err);
	if (rc == 0 && json)
		status_json(&s, &v);
	else if (rc == 0)
		status_text(&s, &v);
	mm_session_close(&s);
	if (rc != 0)
		return status_of(err);
	return v.expired ? MM_EX_DIFF : MM_EX_OK;
}

int mm_cmd_status(int argc, char **argv, struct mm_err *err)
{
	struct mm_common_opts common = {.config = NULL};
	const struct mm_opt opts[] = {MM_COMMON_OPTS(common)};
	struct mm_conf *conf;
	int rc = mm_cmd_parse(opts, &common, "mailmuster-agent status [--json]",
	    "Says which request is in force here. Exit status 2: it has expired.", 0, &argc, argv, err);
	if (rc != 0)
		return rc > 0 ? MM_EX_OK : status_of(err);
	if (mm_cmd_conf(&common, &conf, err) != 0)
		return status_of(err);
	int status = conf->hostwide && geteuid() == 0 ? host_status(conf, common.json, err)
						      : self_status(conf, common.json, err);
	mm_conf_free(conf);
	return status;
}

/* ---- explain */

static const char *applied_of(const struct mm_journal *j, const struct mm_finding *f)
{
	const struct mm_row *row = mm_rows_find(&j->rows, f->client, f->path, f->account);
	enum mm_setting s = mm_setting_by_id(f->setting);
	if (row == NULL || s == MM_SET_NONE || row->applied.v[s] == NULL)
		return "";
	return row->applied.v[s];
}

static void explain_row(
    struct mm_table *t, const struct mm_session *s, const struct mm_journal *j, const struct mm_finding *f)
{
	enum mm_setting set = mm_setting_by_id(f->setting);
	mm_table_cell(t, MM_PLAIN, "%s", f->client);
	mm_table_cell(t, MM_PLAIN, "%s %s", f->account, f->setting);
	mm_table_cell(t, MM_PLAIN, "%s", f->desired != NULL ? f->desired : "");
	mm_table_cell(t, MM_PLAIN, "%s", applied_of(j, f));
	mm_table_cell(t, MM_PLAIN, "%s", f->found != NULL ? f->found : "");
	mm_table_cell(t, MM_PLAIN, "%s",
	    set != MM_SET_NONE ? mm_mode_name(mm_sheet_mode(&s->sheet, f->client, set)) : "");
	mm_table_cell(t, MM_PLAIN, "%s", mm_state_name(f->state));
	const char *where = f->override_path != NULL ? f->override_path : f->path;
	if (f->line > 0)
		mm_table_cell(t, MM_DIM, "%s:%d", where, f->line);
	else
		mm_table_cell(t, MM_DIM, "%s", where);
	mm_table_cell(t, MM_PLAIN, "%s", f->reason);
}

static int explain(const struct mm_session *s, const char *setting, bool json, struct mm_err *err)
{
	static const char *const heads[] = {
	    "CLIENT", "SETTING", "DESIRED", "APPLIED", "FOUND", "MODE", "STATE", "WHERE", "WHY", NULL};
	struct mm_collect c;
	struct mm_journal j;
	size_t shown = 0;
	mm_collect_init(&c, s->a);
	if (mm_journal_load(s->state_dir, s->a, &j, err) != 0)
		return status_of(err);
	struct mm_user_run r = {
	    .conf = s->conf, .who = &s->who, .sheet = &s->sheet, .how = MM_HOW_AUDIT, .sink = &c.sink};
	mm_user_run(&r);
	struct mm_table *t = mm_table_new(heads);
	for (size_t i = 0; i < c.n_findings; i++) {
		if (setting != NULL && !mm_streq(c.findings[i].setting, setting))
			continue;
		c.findings[shown++] = c.findings[i];
		explain_row(t, s, &j, &c.findings[shown - 1]);
	}
	c.n_findings = shown;
	if (json)
		mm_collect_json(&c, stdout);
	else if (shown > 0)
		mm_table_print(t, stdout);
	mm_table_free(t);
	if (shown == 0)
		return mm_err_set(err, MM_EX_FAILED, "nothing here has the setting %s",
			   setting != NULL ? setting : ""),
		       MM_EX_FAILED;
	return MM_EX_OK;
}

int mm_cmd_explain(int argc, char **argv, struct mm_err *err)
{
	struct mm_common_opts common = {.config = NULL};
	const struct mm_opt opts[] = {MM_COMMON_OPTS(common)};
	struct mm_conf *conf;
	struct mm_session s;
	int rc = mm_cmd_parse(opts, &common, "mailmuster-agent explain [SETTING] [--json]",
	    "Shows each of your settings: what is desired, what was applied last, what is found, and where.",
	    1, &argc, argv, err);
	if (rc != 0)
		return rc > 0 ? MM_EX_OK : status_of(err);
	if (argc == 1 && mm_setting_by_id(argv[0]) == MM_SET_NONE)
		return mm_err_set(err, MM_EX_FAILED, "there is no setting \"%s\"", argv[0]), MM_EX_FAILED;
	if (mm_cmd_conf(&common, &conf, err) != 0)
		return status_of(err);
	int status, got = mm_session_open(conf, &s, err);
	if (got > 0)
		status = explain(&s, argc == 1 ? argv[0] : NULL, common.json, err);
	else if (got == 0)
		status = (mm_err_set(err, MM_EX_FAILED, "nothing is stored for this user"), MM_EX_FAILED);
	else
		status = status_of(err);
	if (got >= 0)
		mm_session_close(&s);
	mm_conf_free(conf);
	return status;
}
