#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "controller/preflight.h"
#include "controller/push_print.h"

static json_t *counts(const uint32_t *n, int max, const char *(*name)(int))
{
	json_t *o = json_object();
	for (int i = 0; i < max; i++)
		if (n[i] > 0)
			mm_json_set_int(o, name(i), n[i]);
	return o;
}

static const char *action(int i)
{
	return mm_action_name((enum mm_action)i);
}

static const char *state(int i)
{
	return mm_state_name((enum mm_state)i);
}

static const char *result(int i)
{
	return mm_result_name((enum mm_result)i);
}

static void set_ms(json_t *o, const char *key, int ms)
{
	if (ms >= 0)
		mm_json_set_int(o, key, ms);
}

static json_t *host_json(const struct mm_host_result *r)
{
	const struct mm_ended *out = &r->outcome;
	json_t *o = json_object(), *t = json_object();
	char shown[MM_FINGERPRINT_MAX];
	(void)snprintf(shown, sizeof(shown), "%s", out->fingerprint);
	mm_json_set_str(o, "host", r->target->host.id);
	mm_json_set_str(o, "outcome", mm_push_class_def(out->cls)->name);
	mm_json_set_str(o, "text", out->text);
	if (out->code >= 0)
		mm_json_set_int(o, "code", out->code);
	mm_json_set_str(o, "reason", out->reason[0] != '\0' ? out->reason : NULL);
	if (out->pinned > 0 && out->pinned <= r->target->n_keys) {
		const struct mm_sshkey *k = &r->target->keys[out->pinned - 1];
		mm_sshkey_fingerprint(k->blob, k->len, shown);
	}
	mm_json_set_str(o, "host_key", *shown != '\0' ? shown : NULL);
	mm_json_set_str(o, "transport", out->by_ssh ? "ssh" : "libssh2");
	mm_json_set_str(o, "request_id", r->made.id[0] != '\0' ? r->made.id : NULL);
	mm_json_set_str(o, "superseded_by", out->cls == MM_PC_SUPERSEDED ? r->by.request_id : NULL);
	mm_json_set_str(o, "agent", r->agent[0] != '\0' ? r->agent : NULL);
	mm_json_set(o, "actions", counts(r->actions, MM_ACT_COUNT, action));
	mm_json_set(o, "states", counts(r->states, MM_ST_COUNT, state));
	mm_json_set(o, "logins", counts(r->logins, MM_LOGIN_COUNT, result));
	set_ms(t, "connect", out->ms_connect);
	set_ms(t, "handshake", out->ms_handshake);
	set_ms(t, "auth", out->ms_auth);
	set_ms(t, "answer", out->ms_answer);
	mm_json_set(o, "ms", t);
	return o;
}

static json_t *change_json(const struct mm_change *g)
{
	json_t *o = json_object(), *places = json_array();
	mm_json_set_int(o, "count", (int64_t)g->count);
	mm_json_set_int(o, "hosts", (int64_t)g->hosts);
	mm_json_set_str(o, "client", g->client);
	mm_json_set_str(o, "account", g->account);
	mm_json_set_str(o, "setting", g->setting);
	mm_json_set_str(o, "action", mm_action_name(g->action));
	mm_json_set_str(o, "state", mm_state_name(g->state));
	mm_json_set_bool(o, "removes", mm_change_removes(g));
	for (const struct mm_change_place *p = g->first; p != NULL; p = p->next) {
		json_t *e = json_object();
		mm_json_set_str(e, "host", p->host);
		mm_json_set_str(e, "user", p->user);
		mm_json_set_str(e, "path", p->path);
		if (p->line > 0)
			mm_json_set_int(e, "line", p->line);
		mm_json_set_str(e, "found", p->found);
		mm_json_set_str(e, "desired", p->desired);
		json_array_append_new(places, e);
	}
	mm_json_set(o, "places", places);
	return o;
}

json_t *mm_push_reach_json(const struct mm_push_summary *s)
{
	struct mm_changes_sum sum = mm_changes_sum(s->changes);
	json_t *o = json_object(), *clients = json_array(), *costs = json_object(), *servers = json_array();
	mm_json_set_int(o, "changes", (int64_t)sum.changes);
	mm_json_set_int(o, "removals", (int64_t)sum.removals);
	mm_json_set_int(o, "users", (int64_t)sum.users);
	mm_json_set_int(o, "hosts", (int64_t)sum.hosts);
	for (const char *const *c = sum.clients; *c != NULL; c++)
		json_array_append_new(clients, json_string(*c));
	mm_json_set(o, "clients", clients);
	for (const char *const *h = sum.servers; *h != NULL; h++)
		json_array_append_new(servers, json_string(*h));
	mm_json_set(o, "servers", servers);
	for (int i = 0; i < MM_COST_COUNT; i++)
		mm_json_set_int(costs, mm_cost_name(i), (int64_t)sum.n_paying[i]);
	mm_json_set(o, "costs", costs);
	return o;
}

json_t *mm_push_changes_json(const struct mm_push_summary *s)
{
	json_t *changes = json_array();
	size_t n;
	const struct mm_change *const *list = mm_changes_sorted(s->changes, &n);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(changes, change_json(list[i]));
	return changes;
}

static json_t *trouble_json(const struct mm_trouble *t)
{
	json_t *o = json_object();
	mm_json_set_str(o, "host", t->host);
	mm_json_set_str(o, "user", t->user);
	mm_json_set_str(o, "client", t->login ? NULL : t->client);
	mm_json_set_str(o, "account", t->account);
	mm_json_set_bool(o, "login", t->login);
	mm_json_set_str(o, "what", t->what);
	mm_json_set_str(o, "text", t->text);
	return o;
}

/* Who is concerned; of what is right only a verify and a preflight name everybody. */
static json_t *places_json(const struct mm_cause *g)
{
	json_t *places = json_array();
	for (const struct mm_cause_place *p = g->first; p != NULL; p = p->next) {
		json_t *e = json_object();
		mm_json_set_str(e, "host", p->host);
		mm_json_set_str(e, "user", p->user);
		json_array_append_new(places, e);
	}
	return places;
}

static json_t *cause_json(const struct mm_push_summary *s, const struct mm_cause *g)
{
	json_t *o = json_object();
	struct mm_verdict v = mm_login_verdict(g->result, g->cls);
	mm_json_set_str(o, "result", mm_result_name(g->result));
	mm_json_set_str(o, "class", g->cls);
	mm_json_set_str(o, "verdict", mm_audit_name(v.audit));
	mm_json_set_str(o, "protocol", g->protocol);
	mm_json_set_str(o, "server", g->server);
	if (g->port > 0)
		mm_json_set_int(o, "port", g->port);
	mm_json_set_int(o, "logins", (int64_t)g->logins);
	mm_json_set_int(o, "users", (int64_t)g->users);
	mm_json_set_int(o, "hosts", (int64_t)g->hosts);
	mm_json_set_str(o, "text", g->text);
	mm_json_set_str(o, "admin", g->admin);
	mm_json_set_str(o, "fix", g->fix);
	if (s->op == MM_OP_VERIFY || s->op == MM_OP_PREFLIGHT || v.exit_bit != MM_EX_OK)
		mm_json_set(o, "places", places_json(g));
	return o;
}

static json_t *causes_json(const struct mm_push_summary *s)
{
	json_t *list = json_array();
	size_t n;
	const struct mm_cause *const *sorted = mm_causes_sorted(s->causes, &n);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, cause_json(s, sorted[i]));
	return list;
}

static json_t *summary_json(const struct mm_push_summary *s)
{
	json_t *o = json_object(), *by = json_object();
	mm_json_set_int(o, "hosts", (int64_t)s->n);
	for (int c = 0; c < MM_PC_COUNT; c++)
		if (s->by_class[c] > 0)
			mm_json_set_int(
			    by, mm_push_class_def((enum mm_push_class)c)->name, (int64_t)s->by_class[c]);
	mm_json_set(o, "outcomes", by);
	mm_json_set_bool(o, "interrupted", s->interrupted);
	mm_json_set_int(o, "took_ms", s->took_ms);
	mm_json_set_int(o, "workers_started", (int64_t)s->stats.workers_started);
	mm_json_set_int(o, "workers_died", (int64_t)s->stats.workers_died);
	mm_json_set_int(o, "exit_status", s->exit_status);
	return o;
}

static json_t *people_json(const struct mm_push_summary *s)
{
	const struct mm_preflight_people p = mm_preflight_count(s);
	json_t *o = json_object();
	mm_json_set_int(o, "all", (int64_t)p.all);
	mm_json_set_int(o, "works", (int64_t)p.works);
	mm_json_set_int(o, "fails", (int64_t)p.fails);
	mm_json_set_int(o, "unknown", (int64_t)p.unknown);
	mm_json_set_int(o, "uncounted_hosts", (int64_t)p.open_hosts);
	return o;
}

/* Everything but the hosts. */
static json_t *head_json(const struct mm_push_summary *s)
{
	json_t *o = json_object(), *troubles = json_array();
	mm_json_set_str(o, "op", mm_op_name(s->op));
	mm_json_set_int(o, "revision", s->revision);
	mm_json_set(o, "summary", summary_json(s));
	if (s->op == MM_OP_PLAN) {
		mm_json_set(o, "changes", mm_push_changes_json(s));
		mm_json_set(o, "reach", mm_push_reach_json(s));
	}
	if (s->op == MM_OP_PREFLIGHT)
		mm_json_set(o, "people", people_json(s));
	mm_json_set(o, "causes", causes_json(s));
	for (size_t i = 0; i < s->n_troubles; i++)
		json_array_append_new(troubles, trouble_json(&s->troubles[i]));
	mm_json_set(o, "troubles", troubles);
	if (s->op != MM_OP_DISCOVER && s->op != MM_OP_PREFLIGHT)
		mm_json_set_int(o, "released", (int64_t)s->released);
	mm_json_set_int(o, "more_troubles", (int64_t)s->more_troubles);
	return o;
}

static void print_value(json_t *stolen, struct mm_buf *b)
{
	mm_buf_reset(b);
	mm_json_dump(stolen, b);
	json_decref(stolen);
}

/* The hosts one by one: what is held does not grow with the fleet. */
void mm_push_print_json(const struct mm_push_summary *s, const char *key, json_t *stolen)
{
	struct mm_buf b = MM_BUF_INIT(SIZE_MAX / 2);
	json_t *head = head_json(s);
	if (key != NULL)
		mm_json_set(head, key, stolen);
	print_value(head, &b);
	(void)fwrite(b.data, 1, b.len - 1, stdout); /* it goes on where its last brace was */
	fputs(",\"hosts\":[", stdout);
	for (size_t i = 0; i < s->n; i++) {
		print_value(host_json(&s->hosts[i]), &b);
		(void)fwrite(b.data, 1, b.len, stdout);
		if (i + 1 < s->n)
			putchar(',');
	}
	puts("]}");
	mm_buf_free(&b);
}
