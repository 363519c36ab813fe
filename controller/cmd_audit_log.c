#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/cmd_audit.h"

struct query {
	int64_t after, since, until; /* until 0: no end */
	const char *who, *action, *object;
	bool json;
	int64_t printed;
};

static bool wanted(const struct query *q, const struct mm_audit_entry *e)
{
	size_t n = q->action ? strlen(q->action) : 0;

	if (e->time < q->since || (q->until > 0 && e->time > q->until))
		return false;
	if (q->who && !strstr(e->who, q->who))
		return false;
	/* "policy" stands for policy.import, policy.rollback ... */
	if (q->action && (strncmp(e->action, q->action, n) != 0 || (e->action[n] && e->action[n] != '.')))
		return false;
	return !q->object || mm_streq(q->object, e->object);
}

static int print_json(struct query *q, const struct mm_audit_entry *e, struct mm_err *err)
{
	json_t *o = json_object();
	json_t *detail = e->detail ? mm_json_load("detail", e->detail, strlen(e->detail), err) : json_null();
	struct mm_buf b = MM_BUF_INIT(SIZE_MAX / 2);

	if (!detail) {
		json_decref(o);
		return -1;
	}
	mm_json_set_int(o, "seq", e->seq);
	mm_json_set_int(o, "time", e->time);
	mm_json_set_str(o, "who", e->who);
	mm_json_set_str(o, "action", e->action);
	mm_json_set_str(o, "object", e->object);
	mm_json_set(o, "detail", detail);
	mm_json_set_str(o, "reason", e->reason);
	mm_json_set_bool(o, "personal", e->personal);
	mm_json_set_str(o, "prev", e->prev);
	mm_json_set_str(o, "sha256", e->sha256);
	mm_json_dump(o, &b);
	json_decref(o);
	printf("%s%s", q->printed++ > 0 ? "," : "", mm_buf_str(&b));
	mm_buf_free(&b);
	return 0;
}

#define LONG 400 /* bytes of a value; of more only --json shows them */

/* "name=value", or of a long list how much of it there is. */
static void value(const char *name, const char *v, struct mm_buf *out)
{
	size_t words = 1;

	mm_buf_addf(out, "%s%s=", out->len ? " " : "", name);
	if (strlen(v) <= LONG) {
		mm_buf_adds(out, v);
		return;
	}
	for (const char *p = v; *p; p++)
		words += *p == ' ';
	mm_buf_addf(out, "(%zu words; --json shows them)", words);
}

/* "name=value name=value" from the entry's JSON. */
static void summary(const struct mm_audit_entry *e, struct mm_buf *out)
{
	json_t *detail = e->detail ? mm_json_load("detail", e->detail, strlen(e->detail), NULL) : NULL;
	const char *name;
	json_t *v;

	if (!e->detail)
		mm_buf_adds(out, "(erased)");
	json_object_foreach(detail, name, v)
	{
		if (json_is_string(v) && *json_string_value(v))
			value(name, json_string_value(v), out);
	}
	json_decref(detail);
	if (*e->reason)
		mm_buf_addf(out, "%sreason: %s", out->len ? "; " : "", e->reason);
}

static void print_cell(const char *text, int width)
{
	struct mm_buf b = MM_BUF_INIT(SIZE_MAX / 2);

	mm_printable(&b, text, strlen(text));
	printf("%-*s  ", width, mm_buf_str(&b));
	mm_buf_free(&b);
}

/* One line after the other: the log may be longer than memory. */
static void print_line(struct query *q, const struct mm_audit_entry *e)
{
	struct mm_buf text = MM_BUF_INIT(SIZE_MAX / 2), shown = MM_BUF_INIT(SIZE_MAX / 2);
	char when[MM_TIME_MAX];

	if (q->printed++ == 0)
		printf("%6s  %-20s  %-24s  %-16s  %-16s  %s\n", "SEQ", "TIME", "WHO", "ACTION", "OBJECT",
		    "DETAIL");
	summary(e, &text);
	mm_printable(&shown, mm_buf_str(&text), text.len);
	printf("%6lld  %-20s  ", (long long)e->seq, mm_time_utc(e->time, when));
	print_cell(e->who, 24);
	print_cell(e->action, 16);
	print_cell(e->object ? e->object : "(erased)", 16);
	printf("%s\n", mm_buf_str(&shown));
	mm_buf_free(&text);
	mm_buf_free(&shown);
}

static int take(const struct mm_audit_entry *e, void *arg, struct mm_err *err)
{
	struct query *q = arg;

	if (!wanted(q, e))
		return 0;
	if (q->json)
		return print_json(q, e, err);
	print_line(q, e);
	return 0;
}

static int read_time(const char *option, const char *text, bool whole_day, int64_t *out, struct mm_err *err)
{
	if (!text)
		return 0;
	if (mm_time_parse(text, out))
		return mm_err_set(err, MM_EX_USAGE,
		    "%s: \"%s\" is neither YYYY-MM-DD nor YYYY-MM-DDTHH:MM:SSZ", option, text);
	if (whole_day && strlen(text) == strlen("YYYY-MM-DD"))
		*out += 86399;
	return 0;
}

static int print_log(struct mm_ctl *c, struct query *q, struct mm_err *err)
{
	int rc;

	if (q->json)
		putchar('[');
	rc = mm_store_audit_each(c->store, q->after, take, q, err);
	if (q->json)
		puts("]");
	return rc;
}

int mm_audit_log(struct mm_ctl *c, int argc, char **argv)
{
	struct query q = {.after = 0};
	const char *since = NULL, *until = NULL;
	const struct mm_opt opts[] = {
	    {.name = "after",
		.kind = MM_OPT_INT,
		.dest = &q.after,
		.min = 0,
		.max = INT64_MAX,
		.arg = "SEQ",
		.help = "only later entries"},
	    {.name = "since",
		.kind = MM_OPT_STRING,
		.dest = &since,
		.arg = "DATE",
		.help = "not before (UTC)"},
	    {.name = "until",
		.kind = MM_OPT_STRING,
		.dest = &until,
		.arg = "DATE",
		.help = "not after (UTC)"},
	    {.name = "who",
		.kind = MM_OPT_STRING,
		.dest = &q.who,
		.arg = "TEXT",
		.help = "whose name holds this"},
	    {.name = "action",
		.kind = MM_OPT_STRING,
		.dest = &q.action,
		.arg = "ACTION",
		.help = "policy.import, or policy for all of policy"},
	    {.name = "object",
		.kind = MM_OPT_STRING,
		.dest = &q.object,
		.arg = "OBJECT",
		.help = "a host, a login, a revision"},
	    MM_OPT_JSON(&q.json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "audit log",
	    .operands = "",
	    .about = "Who did what, and every report, oldest first.",
	    .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	if (read_time("--since", since, false, &q.since, &err) ||
	    read_time("--until", until, true, &q.until, &err) || mm_ctl_open(c, &err))
		return mm_ctl_fail("audit log", &err);
	if (print_log(c, &q, &err))
		return mm_ctl_fail("audit log", &err);
	if (q.printed == 0 && !q.json)
		puts("No entry is like that.");
	return MM_EX_OK;
}
