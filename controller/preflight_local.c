#include "controller/preflight_local.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/endpoints.h"

#define DATE_LEN 10 /* of mm_time_utc() */

static const char *class_of(const struct mm_policy_endpoint *p)
{
	if (!p->answered)
		return "PROBE_SILENT";
	if (p->lacking != NULL)
		return "AUTH_NOT_OFFERED";
	return p->seen.result != MM_LOGIN_PASSED || p->ok ? p->seen.cls : "AUTH_UNKNOWN";
}

static const char *why(const struct mm_policy_endpoint *p, struct mm_arena *a)
{
	if (!p->answered)
		return "mailmuster-probe gave no answer.";
	if (p->lacking != NULL)
		return mm_arena_printf(a, "The policy logs in with %s, and the server offers %s.", p->lacking,
		    *p->seen.ladder.endpoint.mechanisms != '\0' ? p->seen.ladder.endpoint.mechanisms
								: "nothing");
	if (p->seen.result == MM_LOGIN_PASSED && !p->ok)
		return "The server did not say how one logs in.";
	return *p->seen.admin != '\0' ? p->seen.admin : p->seen.text;
}

static const char *fix(const struct mm_policy_endpoint *p)
{
	if (p->answered && p->ca_file != NULL && mm_streq(p->seen.cls, "CA_FILE_UNREADABLE"))
		return "The policy's CA file is a path on the workstations: say --ca-file FILE for one on "
		       "this machine.";
	return p->answered && p->lacking == NULL && p->seen.ladder.fix != NULL ? p->seen.ladder.fix : "";
}

static const char *result_word(const struct mm_policy_endpoint *p)
{
	if (p->ok)
		return "ok";
	return p->answered && (p->lacking != NULL || p->seen.result == MM_LOGIN_FAILED) ? "failed"
											: "unknown";
}

static const char *expiry(const struct mm_policy_endpoint *p, struct mm_arena *a)
{
	char when[MM_TIME_MAX];
	if (!p->answered || p->seen.tls.not_after == 0)
		return NULL;
	return mm_arena_strndup(a, mm_time_utc(p->seen.tls.not_after, when), DATE_LEN);
}

static const char *auths_of(const struct mm_policy_endpoint *p, struct mm_arena *a)
{
	const char *all = "";
	for (size_t i = 0; i < p->n_auths; i++)
		all = mm_arena_printf(a, "%s%s%s", all, i > 0 ? " " : "", p->auths[i]);
	return all;
}

/* ---- for people */

static void say_printable(const char *text)
{
	struct mm_buf b = MM_BUF_INIT(65536);
	mm_printable(&b, text, strlen(text));
	fputs(mm_buf_str(&b), stdout);
	mm_buf_free(&b);
}

static void row(struct mm_table *t, const struct mm_policy_endpoint *p, struct mm_arena *a)
{
	const char *until = expiry(p, a), *word = result_word(p);
	const char *version = p->answered ? p->seen.tls.version : NULL;
	const char *offered = p->answered ? p->seen.ladder.endpoint.mechanisms : NULL;
	mm_table_cell(t, MM_BOLD, "%s %s:%d %s", p->protocol, p->host, p->port, p->security);
	mm_table_cell(t, MM_PLAIN, "%zu", p->people);
	mm_table_cell(t, p->ok ? MM_GREEN : mm_streq(word, "failed") ? MM_RED : MM_YELLOW, "%s", word);
	mm_table_cell(t, MM_PLAIN, "%s", p->ok ? "-" : class_of(p));
	mm_table_cell(t, MM_PLAIN, "%s", version != NULL ? version : "-");
	mm_table_cell(t, MM_PLAIN, "%s", until != NULL ? until : "-");
	mm_table_cell(t, MM_PLAIN, "%s", offered != NULL && *offered != '\0' ? offered : "-");
	mm_table_cell(t, p->lacking != NULL ? MM_RED : MM_PLAIN, "%s", auths_of(p, a));
}

static void line(const char *label, const char *text)
{
	if (*text == '\0')
		return;
	printf("  %-5s", label);
	say_printable(text);
	putchar('\n');
}

static void details(const struct mm_policy_endpoint *p, struct mm_arena *a)
{
	const struct mm_ladder *l = &p->seen.ladder;
	size_t notes = 0;
	for (size_t i = 0; p->answered && i < l->n_notes; i++)
		notes += *l->notes[i].admin != '\0';
	if (p->ok && notes == 0)
		return;
	printf("\n%s %s:%d\n", p->protocol, p->host, p->port);
	if (!p->ok) {
		line("why", why(p, a));
		line("fix", fix(p));
	}
	for (size_t i = 0; p->answered && i < l->n_notes; i++)
		line("note", l->notes[i].admin);
}

static void print(const struct mm_policy_endpoints *e, struct mm_arena *a)
{
	static const char *const heads[] = {
	    "ENDPOINT", "PEOPLE", "RESULT", "CLASS", "TLS", "CERTIFICATE UNTIL", "OFFERS", "POLICY", NULL};
	struct mm_table *t = mm_table_new(heads);
	size_t ok = 0;
	for (size_t i = 0; i < e->n; i++) {
		row(t, &e->items[i], a);
		ok += e->items[i].ok;
	}
	if (e->n > 0)
		mm_table_print(t, stdout);
	mm_table_free(t);
	for (size_t i = 0; i < e->n; i++)
		details(&e->items[i], a);
	printf("%s%zu of %zu endpoint%s as the policy wants them, for %zu %s (revision %lld; nobody logged "
	       "in)\n",
	    e->n > 0 ? "\n" : "", ok, e->n, e->n == 1 ? "" : "s", e->people,
	    e->people == 1 ? "person" : "people", (long long)e->revision);
}

/* ---- for machines */

static json_t *strings(const char *const *list)
{
	json_t *o = json_array();
	for (; *list != NULL; list++)
		json_array_append_new(o, json_string(*list));
	return o;
}

static json_t *endpoint_json(const struct mm_policy_endpoint *p, struct mm_arena *a)
{
	json_t *o = json_object(), *notes = json_array();
	const struct mm_ladder *l = &p->seen.ladder;
	mm_json_set_str(o, "protocol", p->protocol);
	mm_json_set_str(o, "host", p->host);
	mm_json_set_int(o, "port", p->port);
	mm_json_set_str(o, "security", p->security);
	mm_json_set_int(o, "people", (int64_t)p->people);
	mm_json_set_str(o, "result", result_word(p));
	mm_json_set_str(o, "class", p->ok ? "" : class_of(p));
	mm_json_set_str(o, "why", p->ok ? "" : why(p, a));
	mm_json_set_str(o, "fix", p->ok ? "" : fix(p));
	mm_json_set(o, "auth", strings(p->auths));
	mm_json_set_str(o, "offered", p->answered ? l->endpoint.mechanisms : NULL);
	if (p->answered && p->seen.tls.version != NULL) {
		json_t *tls = json_object();
		mm_json_set_str(tls, "version", p->seen.tls.version);
		mm_json_set_str(tls, "subject", p->seen.tls.subject);
		mm_json_set_int(tls, "not_after", p->seen.tls.not_after);
		mm_json_set(o, "tls", tls);
	}
	for (size_t i = 0; p->answered && i < l->n_notes; i++) {
		json_t *n = json_object();
		mm_json_set_str(n, "class", l->notes[i].cls);
		mm_json_set_str(n, "text", l->notes[i].admin);
		json_array_append_new(notes, n);
	}
	mm_json_set(o, "notes", notes);
	return o;
}

static void print_json(const struct mm_policy_endpoints *e, int status, struct mm_arena *a)
{
	json_t *o = json_object(), *list = json_array();
	mm_json_set_str(o, "op", "preflight-local");
	mm_json_set_int(o, "revision", e->revision);
	mm_json_set_int(o, "people", (int64_t)e->people);
	for (size_t i = 0; i < e->n; i++)
		json_array_append_new(list, endpoint_json(&e->items[i], a));
	mm_json_set(o, "endpoints", list);
	mm_json_set_int(o, "exit_status", status);
	mm_ctl_json(o);
}

/* ---- the command */

/* The probe knows no folder of ours. */
static int absolute(const char **path, struct mm_arena *a, struct mm_err *err)
{
	char *real = realpath(*path, NULL);
	if (real == NULL || access(real, R_OK) != 0) {
		free(real);
		return mm_err_sys(err, MM_EX_FAILED, "--ca-file %s", *path);
	}
	*path = mm_arena_strdup(a, real);
	free(real);
	return 0;
}

int mm_preflight_local(struct mm_ctl *c, const struct mm_selection *sel, const char *ca_file, bool json)
{
	struct mm_policy_endpoints e;
	struct mm_err err = MM_ERR_NONE;
	struct mm_arena *a = mm_arena_new();
	int status = MM_EX_OK;
	if ((ca_file != NULL && absolute(&ca_file, a, &err) != 0) || mm_ctl_open(c, &err) != 0 ||
	    mm_endpoints_gather(c->store, sel, a, &e, &err) != 0 ||
	    mm_endpoints_probe(&e, ca_file, &err) != 0) {
		mm_arena_free(a);
		return mm_ctl_fail("preflight", &err);
	}
	for (size_t i = 0; i < e.n; i++)
		status |= e.items[i].ok ? MM_EX_OK : MM_EX_DIFF;
	if (e.n == 0) /* nothing was seen to be right */
		status = MM_EX_DIFF;
	if (json)
		print_json(&e, status, a);
	else
		print(&e, a);
	mm_arena_free(a);
	return status;
}
