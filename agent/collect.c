#include "agent/collect.h"

#include <string.h>

#include "common/frame.h"
#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "schemas/facts.h"
#include "schemas/proto.h"

static void take_finding(struct mm_collect *c, const char *json, size_t n)
{
	struct mm_finding f;
	if (mm_finding_decode(json, n, c->a, &f, NULL) != 0)
		return;
	*(struct mm_finding *)mm_arena_push(c->a, &c->findings, &c->n_findings, &c->cap_findings, sizeof(f)) =
	    f;
	c->exit_bits |= mm_finding_verdict(&f).exit_bit;
}

static void take_login(struct mm_collect *c, const char *json, size_t n)
{
	struct mm_login l;
	if (mm_login_decode(json, n, c->a, &l, NULL) != 0)
		return;
	*(struct mm_login *)mm_arena_push(c->a, &c->logins, &c->n_logins, &c->cap_logins, sizeof(l)) = l;
	c->exit_bits |= mm_login_verdict(l.result, l.cls).exit_bit;
}

/* Through the wire's form and back: a deep copy, cleaned of what may not be printed. */
static void keep_finding(struct mm_sink *s, const struct mm_finding *f)
{
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	mm_finding_encode(f, &b);
	take_finding((struct mm_collect *)s, mm_buf_str(&b), b.len);
	mm_buf_free(&b);
}

static void keep_login(struct mm_sink *s, const struct mm_login *l)
{
	struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
	mm_login_encode(l, &b);
	take_login((struct mm_collect *)s, mm_buf_str(&b), b.len);
	mm_buf_free(&b);
}

void mm_collect_init(struct mm_collect *c, struct mm_arena *a)
{
	*c = (struct mm_collect){.sink = {.finding = keep_finding, .login = keep_login}, .a = a};
}

void mm_collect_frames(struct mm_collect *c, const struct mm_buf *frames)
{
	struct mm_frame_decoder d;
	struct mm_frame f;
	mm_frame_decoder_init(&d, false);
	if (mm_frame_feed(&d, mm_buf_str(frames), frames->len, NULL) == 0) {
		while (mm_frame_next(&d, &f, NULL) > 0) {
			if (f.type == MM_FT_FINDING)
				take_finding(c, f.body, f.len);
			else if (f.type == MM_FT_LOGIN)
				take_login(c, f.body, f.len);
		}
	}
	mm_frame_decoder_free(&d);
}

int mm_collect_status(const struct mm_collect *c)
{
	return (c->exit_bits & MM_EX_FAILED) != 0 ? MM_EX_FAILED : c->exit_bits;
}

/* ---- for people */

static enum mm_colour colour_of(const struct mm_finding *f)
{
	struct mm_verdict v = mm_finding_verdict(f);
	if (v.exit_bit == MM_EX_OK)
		return f->action == MM_ACT_NONE ? MM_DIM : MM_GREEN;
	return v.exit_bit == MM_EX_FAILED ? MM_RED : MM_YELLOW;
}

/* What is not well among the facts is told by the file's own finding. */
static bool worth_showing(const struct mm_finding *f)
{
	if (mm_is_fact(f->setting))
		return false;
	return f->action != MM_ACT_NONE || (f->state != MM_ST_COMPLIANT && f->state != MM_ST_UNMANAGED);
}

static void print_row(struct mm_table *t, const struct mm_finding *f)
{
	const char *where = f->override_path != NULL ? f->override_path : f->path;
	mm_table_cell(t, MM_PLAIN, "%s", f->user);
	mm_table_cell(t, MM_PLAIN, "%s", f->client);
	mm_table_cell(t, MM_PLAIN, "%s%s%s", f->account, f->setting[0] != '\0' ? " " : "", f->setting);
	mm_table_cell(t, colour_of(f), "%s", mm_state_name(f->state));
	mm_table_cell(t, MM_PLAIN, "%s", f->action == MM_ACT_NONE ? "" : mm_action_name(f->action));
	if (f->desired != NULL && !mm_streq(f->found, f->desired))
		mm_table_cell(t, MM_PLAIN, "%s -> %s", f->found != NULL ? f->found : "(none)", f->desired);
	else
		mm_table_cell(t, MM_PLAIN, "%s", f->found != NULL ? f->found : "");
	if (f->line > 0)
		mm_table_cell(t, MM_DIM, "%s:%d", where, f->line);
	else
		mm_table_cell(t, MM_DIM, "%s", where);
	mm_table_cell(t, MM_PLAIN, "%s", f->reason);
}

static void print_findings(const struct mm_collect *c, bool all, FILE *f)
{
	static const char *const heads[] = {
	    "USER", "CLIENT", "SETTING", "STATE", "ACTION", "FOUND -> DESIRED", "WHERE", "WHY", NULL};
	struct mm_table *t = mm_table_new(heads);
	size_t shown = 0;
	for (size_t i = 0; i < c->n_findings; i++) {
		if (!all && !worth_showing(&c->findings[i]))
			continue;
		print_row(t, &c->findings[i]);
		shown++;
	}
	if (shown > 0)
		mm_table_print(t, f);
	mm_table_free(t);
}

static void print_logins(const struct mm_collect *c, FILE *f)
{
	static const char *const heads[] = {"USER", "ACCOUNT", "SERVER", "LOGIN", "CLASS", "WHY", NULL};
	static const enum mm_colour colours[] = {
	    [MM_LOGIN_PASSED] = MM_GREEN, [MM_LOGIN_FAILED] = MM_RED, [MM_LOGIN_UNTESTED] = MM_YELLOW};
	struct mm_table *t = mm_table_new(heads);
	for (size_t i = 0; i < c->n_logins; i++) {
		const struct mm_login *l = &c->logins[i];
		mm_table_cell(t, MM_PLAIN, "%s", l->user);
		mm_table_cell(t, MM_PLAIN, "%s", l->account);
		mm_table_cell(t, MM_PLAIN, "%s %s:%d", l->protocol, l->host, l->port);
		mm_table_cell(t, colours[l->result], "%s", mm_result_name(l->result));
		mm_table_cell(t, MM_PLAIN, "%s", l->cls);
		mm_table_cell(t, MM_PLAIN, "%s", l->text);
	}
	if (c->n_logins > 0)
		mm_table_print(t, f);
	mm_table_free(t);
}

void mm_collect_print(const struct mm_collect *c, bool all, FILE *f)
{
	size_t count[MM_ST_COUNT] = {0}, sum = 0;
	const char *comma = "";
	print_findings(c, all, f);
	print_logins(c, f);
	for (size_t i = 0; i < c->n_findings; i++)
		count[c->findings[i].state] += !mm_is_fact(c->findings[i].setting);
	for (int s = 0; s < MM_ST_COUNT; s++) {
		if (count[s] == 0)
			continue;
		sum += count[s];
		fprintf(f, "%s%zu %s", comma, count[s], mm_state_name((enum mm_state)s));
		comma = ", ";
	}
	fprintf(f, "%s\n", sum > 0 ? "" : "nothing to compare");
}

/* ---- for machines */

static void add_body(struct mm_buf *out, bool first, struct mm_buf *body)
{
	mm_buf_adds(out, first ? "" : ",");
	mm_buf_adds(out, mm_buf_str(body));
	mm_buf_free(body);
}

void mm_collect_json(const struct mm_collect *c, FILE *f)
{
	struct mm_buf out = MM_BUF_INIT((size_t)MM_STREAM_MAX);
	mm_buf_adds(&out, "{\"findings\":[");
	for (size_t i = 0; i < c->n_findings; i++) {
		struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
		mm_finding_encode(&c->findings[i], &b);
		add_body(&out, i == 0, &b);
	}
	mm_buf_adds(&out, "],\"logins\":[");
	for (size_t i = 0; i < c->n_logins; i++) {
		struct mm_buf b = MM_BUF_INIT(MM_FRAME_MAX);
		mm_login_encode(&c->logins[i], &b);
		add_body(&out, i == 0, &b);
	}
	mm_buf_addf(&out, "],\"exit\":%d}\n", mm_collect_status(c));
	fwrite(mm_buf_str(&out), 1, out.len, f);
	mm_buf_free(&out);
}
