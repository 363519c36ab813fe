/* mailmuster export events, send, status: what changed, for other systems. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/cmd.h"
#include "controller/event_text.h"
#include "controller/export_send.h"

#define FOLLOW_S 2
#define CHUNK 1000 /* entries read in one go */

static int load(struct mm_ctl *c, struct mm_arena *a, struct mm_ctl_conf *conf, struct mm_err *err)
{
	char *path = mm_ctl_path(c, "controller.conf");
	int rc = mm_ctl_open(c, err) != 0 || mm_ctl_conf_load(path, a, conf, err) != 0 ? -1 : 0;
	free(path);
	return rc;
}

/* ---- events */

struct printing {
	bool syslog;
	char fleet[MM_ID_LEN], host[256];
};

static int print_event(const struct mm_event *e, void *arg, struct mm_err *err)
{
	const struct printing *p = arg;
	struct mm_buf b = MM_BUF_INIT(1024 * 1024);
	(void)err;
	if (p->syslog) {
		mm_event_syslog(e, p->fleet, p->host, &b);
	} else {
		json_t *o = mm_event_json(e, p->fleet);
		mm_json_dump(o, &b);
		json_decref(o);
	}
	puts(mm_buf_str(&b));
	mm_buf_free(&b);
	return 0;
}

static int print_events(struct mm_ctl *c, struct printing *p, int64_t after, bool follow, struct mm_err *err)
{
	int64_t last = after;
	if (mm_store_fleet_id(c->store, p->fleet, err) != 0)
		return -1;
	if (gethostname(p->host, sizeof(p->host) - 1) != 0)
		snprintf(p->host, sizeof(p->host), "-");
	for (;;) {
		if (mm_store_events(c->store, after, CHUNK, print_event, p, &last, err) != 0)
			return -1;
		if (last != after) {
			after = last;
			continue;
		}
		if (fflush(stdout) != 0)
			return mm_err_sys(err, MM_EX_FAILED, "cannot write");
		if (!follow)
			return 0;
		sleep(FOLLOW_S);
	}
}

static int cmd_events(struct mm_ctl *c, int argc, char **argv)
{
	struct printing p = {.syslog = false};
	const char *format = "json", *since = NULL;
	int64_t after = 0, from = 0;
	bool follow = false;
	const struct mm_opt opts[] = {
	    {.name = "after",
		.kind = MM_OPT_INT,
		.dest = &after,
		.min = 0,
		.max = INT64_MAX,
		.arg = "SEQ",
		.help = "only what came with later entries of the audit log"},
	    {.name = "since",
		.kind = MM_OPT_STRING,
		.dest = &since,
		.arg = "TIME",
		.help = "only what came since then"},
	    {.name = "format",
		.kind = MM_OPT_STRING,
		.dest = &format,
		.arg = "FORMAT",
		.help = "json (a line each) or syslog (RFC 5424)"},
	    {.name = "follow",
		.letter = 'f',
		.kind = MM_OPT_FLAG,
		.dest = &follow,
		.help = "go on until stopped"},
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "export events",
	    .operands = "",
	    .about =
		"What changed, oldest first: acts, findings and login checks that are not what they were.",
	    .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc >= 0)
		return rc;
	p.syslog = mm_streq(format, "syslog");
	if (!p.syslog && !mm_streq(format, "json"))
		return mm_ctl_usage("export events", "--format is json or syslog");
	if (since != NULL && mm_time_parse(since, &from) != 0)
		return mm_ctl_usage(
		    "export events", "--since is neither YYYY-MM-DD nor YYYY-MM-DDTHH:MM:SSZ");
	if (mm_ctl_open(c, &err) != 0 ||
	    (since != NULL && mm_store_events_before(c->store, from, &after, &err) != 0) ||
	    print_events(c, &p, after, follow, &err) != 0)
		return mm_ctl_fail("export events", &err);
	return MM_EX_OK;
}

/* ---- send */

static int cmd_send(struct mm_ctl *c, int argc, char **argv)
{
	bool due = false, failed = false;
	const struct mm_opt opts[] = {
	    {.name = "due",
		.kind = MM_OPT_FLAG,
		.dest = &due,
		.help = "leave alone what is to wait after trouble"},
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "export send",
	    .operands = "",
	    .about = "Carry events to the file, the collector and the webhook of controller.conf, now.\n"
		     "serve does the same by itself. Exit status 1 when one did not take them.",
	    .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	struct mm_arena *a;
	struct mm_ctl_conf conf;
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc >= 0)
		return rc;
	a = mm_arena_new();
	rc = load(c, a, &conf, &err);
	if (rc == 0)
		rc = mm_export_send(c, &conf.export, !due, &failed, &err);
	mm_arena_free(a);
	if (rc != 0)
		return mm_ctl_fail("export send", &err);
	return failed ? MM_EX_FAILED : MM_EX_OK;
}

/* ---- status */

static json_t *state_json(
    enum mm_export_kind k, const char *where, const struct mm_export_state *st, int64_t last)
{
	json_t *o = json_object();
	char when[MM_TIME_MAX];
	mm_json_set_str(o, "target", mm_export_name(k));
	mm_json_set_str(o, "where", where);
	if (st->seq >= 0) {
		mm_json_set_int(o, "seq", st->seq);
		mm_json_set_int(o, "behind", last - st->seq);
	}
	if (st->tries > 0) {
		mm_json_set_int(o, "tries", st->tries);
		mm_json_set_str(o, "next", mm_time_utc(st->next, when));
		mm_json_set_str(o, "trouble", st->trouble);
	}
	return o;
}

static void state_row(struct mm_table *t, enum mm_export_kind k, const char *where,
    const struct mm_export_state *st, int64_t last)
{
	char when[MM_TIME_MAX];
	mm_table_cell(t, MM_BOLD, "%s", mm_export_name(k));
	mm_table_cell(t, MM_PLAIN, "%s", where);
	if (st->seq < 0)
		mm_table_cell(t, MM_PLAIN, "begins with the next event");
	else
		mm_table_cell(t, MM_PLAIN, "entry %" PRId64 ", %" PRId64 " behind", st->seq, last - st->seq);
	if (st->tries > 0)
		mm_table_cell(t, MM_PLAIN, "%s (%" PRId64 " times; next %s)", st->trouble, st->tries,
		    mm_time_utc(st->next, when));
	else
		mm_table_cell(t, MM_DIM, "-");
}

static int show(struct mm_ctl *c, const struct mm_export_conf *conf, json_t *list, struct mm_table *t,
    bool *trouble, struct mm_arena *a, struct mm_err *err)
{
	int64_t last = 0;
	int rc = mm_store_events_newest(c->store, &last, err);
	for (int i = 0; rc == 0 && i < MM_EXPORT_COUNT; i++) {
		enum mm_export_kind k = (enum mm_export_kind)i;
		const char *where = mm_export_where(conf, k, a);
		struct mm_export_state st;
		if (where == NULL)
			continue;
		rc = mm_export_state_get(c->store, k, a, &st, err);
		if (rc != 0)
			break;
		*trouble = *trouble || st.tries > 0;
		json_array_append_new(list, state_json(k, where, &st, last));
		state_row(t, k, where, &st, last);
	}
	return rc;
}

static int cmd_status(struct mm_ctl *c, int argc, char **argv)
{
	static const char *const heads[] = {"target", "where", "taken", "trouble", NULL};
	bool json = false, trouble = false;
	const struct mm_opt opts[] = {MM_OPT_JSON(&json), {.name = NULL}};
	const struct mm_args args = {.what = "export status",
	    .operands = "",
	    .about = "How far each target of controller.conf is. Exit status 2 when one is in trouble.",
	    .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	struct mm_ctl_conf conf;
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc >= 0)
		return rc;
	struct mm_arena *a = mm_arena_new();
	struct mm_table *t = mm_table_new(heads);
	json_t *list = json_array();
	rc = load(c, a, &conf, &err);
	if (rc == 0)
		rc = show(c, &conf.export, list, t, &trouble, a, &err);
	if (rc == 0 && json)
		mm_ctl_json(json_incref(list));
	else if (rc == 0 && json_array_size(list) == 0)
		printf("controller.conf names no target: see mailmuster(1), export\n");
	else if (rc == 0)
		mm_table_print(t, stdout);
	json_decref(list);
	mm_table_free(t);
	mm_arena_free(a);
	if (rc != 0)
		return mm_ctl_fail("export status", &err);
	return trouble ? MM_EX_DIFF : MM_EX_OK;
}

static const struct mm_subcmd subs[] = {
    {"events", "[--after SEQ] [--follow]", "what changed, as JSON lines or syslog messages", cmd_events},
    {"send", "[--due]", "carry events to where controller.conf says", cmd_send},
    {"status", "", "how far each of these is", cmd_status},
    {NULL, NULL, NULL, NULL},
};

static int run(struct mm_ctl *c, int argc, char **argv)
{
	return mm_ctl_sub(c, "export", subs, argc, argv);
}

extern const struct mm_cmd mm_cmd_export;
const struct mm_cmd mm_cmd_export = {"export", "events|send|status", "what changed, for other systems", run};
