#include "controller/policy/explain.h"

#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"

/* One thing that has a trail. */
struct item {
	const char *account; /* name, or NULL */
	const char *label;
	const char *id;
	const struct mm_trail *trail;
};

struct items {
	struct item *list;
	size_t n, cap;
	struct mm_arena *a;
};

static void add(struct items *x, const struct mm_paccount *acc, const char *id, const struct mm_trail *t)
{
	struct item *i = mm_arena_push(x->a, &x->list, &x->n, &x->cap, sizeof(*i));
	*i = (struct item){.id = id, .trail = t};
	if (acc != NULL) {
		i->account = acc->name.text;
		i->label = acc->label.text;
	}
}

static void add_client(struct items *x, const struct mm_resolved_client *c)
{
	add(x, NULL, mm_arena_printf(x->a, "clients.%s", c->name), &c->mode);
	if (c->scope.n > 1) /* more than what is built in */
		add(x, NULL, mm_arena_printf(x->a, "clients.%s.scope", c->name), &c->scope);
	for (int s = 0; s < MM_SET_COUNT; s++)
		if (c->setting[s].n > 0)
			add(x, NULL,
			    mm_arena_printf(
				x->a, "clients.%s.%s", c->name, mm_setting_def((enum mm_setting)s)->id),
			    &c->setting[s]);
}

static void collect(const struct mm_resolved *r, struct items *x)
{
	for (size_t i = 0; i < r->n_accounts; i++)
		for (int s = 0; s < MM_SET_COUNT; s++)
			add(x, r->accounts[i].account, mm_setting_def((enum mm_setting)s)->id,
			    &r->accounts[i].set[s]);
	for (size_t i = 0; i < r->n_clients; i++)
		add_client(x, &r->clients[i]);
	add(x, NULL, "create", &r->create);
}

static bool is_under(const char *id, const char *start)
{
	size_t n = strlen(start);
	return strncmp(id, start, n) == 0 && (id[n] == '\0' || id[n] == '.');
}

static int unknown(const struct items *all, const char *setting, const char *id, struct mm_err *err)
{
	const char **known = mm_arena_alloc(all->a, all->n + MM_SET_COUNT + 2, sizeof(*known));
	size_t n = 0;
	for (int s = 0; s < MM_SET_COUNT; s++)
		known[n++] = mm_setting_def((enum mm_setting)s)->id;
	for (size_t i = 0; i < all->n; i++)
		known[n++] = all->list[i].id;
	for (size_t i = 0; i < n; i++)
		if (is_under(known[i], id))
			return mm_err_set(err, MM_EX_FAILED, "no layer says anything about %s", setting);
	const char *near = mm_nearest(id, known);
	if (near == NULL)
		return mm_err_set(err, MM_EX_FAILED,
		    "no setting %s; try incoming.host, or leave it away for all settings", setting);
	return mm_err_set(err, MM_EX_FAILED, "no setting %s; did you mean %s?", setting, near);
}

/* The items that were asked for and that some layer spoke about. */
static int choose(const struct mm_resolved *r, const char *setting, struct items *out, struct mm_err *err)
{
	struct items all = {.a = out->a};
	const char *colon = setting != NULL ? strchr(setting, ':') : NULL;
	const char *id = setting == NULL ? "" : colon != NULL ? colon + 1 : setting;
	const char *account =
	    colon != NULL ? mm_arena_strndup(out->a, setting, (size_t)(colon - setting)) : NULL;
	bool has_account = account == NULL;
	collect(r, &all);
	for (size_t i = 0; i < all.n; i++) {
		const struct item *x = &all.list[i];
		bool mine = account == NULL || mm_streq(x->account, account);
		has_account = has_account || mine;
		if (!mine || x->trail->n == 0 || (id[0] != '\0' && !is_under(x->id, id)))
			continue;
		*(struct item *)mm_arena_push(out->a, &out->list, &out->n, &out->cap, sizeof(*x)) = *x;
	}
	if (!has_account)
		return mm_err_set(err, MM_EX_FAILED, "%s has no account %s", r->user, account);
	return out->n > 0 ? 0 : unknown(&all, setting, id, err);
}

/* ---- for people */

static const char *value_of(const struct mm_trail_step *s, struct mm_arena *a)
{
	if (s->written == NULL)
		return "(unset)";
	if (s->value == NULL)
		return s->written;
	return mm_streq(s->written, s->value) ? s->value
					      : mm_arena_printf(a, "%s (from %s)", s->value, s->written);
}

static void print_steps(struct mm_table *t, const struct item *x, struct mm_arena *a)
{
	for (size_t i = 0; i < x->trail->n; i++) {
		const struct mm_trail_step *s = &x->trail->steps[i];
		enum mm_colour c = s->verdict == MM_TRAIL_WON ? MM_GREEN : MM_DIM;
		mm_table_cell(t, MM_PLAIN, "%s", i == 0 ? x->id : "");
		if (s->layer == MM_LAYER_GROUP)
			mm_table_cell(t, c, "group %s (%d)", s->name, s->priority);
		else
			mm_table_cell(
			    t, c, "%s%s%s", mm_layer_name(s->layer), s->name[0] != '\0' ? " " : "", s->name);
		mm_table_cell(t, c, "%s", mm_origin_text(s->at, a));
		mm_table_cell(t, c, "%s", value_of(s, a));
		mm_table_cell(t, c, "%s", s->why);
	}
}

static void print_part(const struct items *x, size_t from, size_t to, FILE *f)
{
	static const char *const heads[] = {"SETTING", "LAYER", "WHERE", "VALUE", "VERDICT", NULL};
	const struct item *first = &x->list[from];
	struct mm_table *t = mm_table_new(heads);
	if (first->account != NULL)
		fprintf(f, "\naccount %s%s%s%s\n", first->account, first->label != NULL ? " (" : "",
		    first->label != NULL ? first->label : "", first->label != NULL ? ")" : "");
	else
		fprintf(f, "\nclients\n");
	for (size_t i = from; i < to; i++)
		print_steps(t, &x->list[i], x->a);
	mm_table_print(t, f);
	mm_table_free(t);
}

int mm_explain_print(const struct mm_resolved *r, const char *setting, FILE *f, struct mm_err *err)
{
	struct items x = {.a = mm_arena_new()};
	int rc = choose(r, setting, &x, err);
	if (rc == 0) {
		fprintf(
		    f, "%s%s%s\n", r->user, r->host != NULL ? " on " : "", r->host != NULL ? r->host : "");
		if (r->n_accounts == 0)
			fprintf(f, "no account: no group of this user gives one\n");
	}
	for (size_t from = 0, to; rc == 0 && from < x.n; from = to) {
		for (to = from + 1; to < x.n && mm_streq(x.list[to].account, x.list[from].account); to++)
			continue;
		print_part(&x, from, to, f);
	}
	mm_arena_free(x.a);
	return rc;
}

/* ---- for machines */

static json_t *step_json(const struct mm_trail_step *s)
{
	json_t *o = json_object();
	mm_json_set_str(o, "layer", mm_layer_name(s->layer));
	if (s->name[0] != '\0')
		mm_json_set_str(o, "name", s->name);
	if (s->layer == MM_LAYER_GROUP)
		mm_json_set_int(o, "priority", s->priority);
	mm_json_set_str(o, "file", s->at.file);
	if (s->at.line > 0)
		mm_json_set_int(o, "line", s->at.line);
	mm_json_set(o, "written", s->written != NULL ? json_string(s->written) : json_null());
	mm_json_set(o, "value", s->value != NULL ? json_string(s->value) : json_null());
	mm_json_set_str(o, "verdict", mm_trail_verdict_name(s->verdict));
	mm_json_set_str(o, "why", s->why);
	return o;
}

static json_t *item_json(const struct item *x)
{
	json_t *o = json_object(), *trail = json_array();
	mm_json_set_str(o, "account", x->account);
	mm_json_set_str(o, "id", x->id);
	mm_json_set(o, "value", x->trail->value != NULL ? json_string(x->trail->value) : json_null());
	for (size_t i = 0; i < x->trail->n; i++)
		if (json_array_append_new(trail, step_json(&x->trail->steps[i])) != 0)
			mm_oom();
	mm_json_set(o, "trail", trail);
	return o;
}

int mm_explain_json(const struct mm_resolved *r, const char *setting, json_t **out, struct mm_err *err)
{
	struct items x = {.a = mm_arena_new()};
	int rc = choose(r, setting, &x, err);
	if (rc == 0) {
		json_t *o = json_object(), *list = json_array();
		mm_json_set_str(o, "user", r->user);
		mm_json_set_str(o, "host", r->host);
		mm_json_set_str(o, "policy_sha256", r->policy->sha256);
		for (size_t i = 0; i < x.n; i++)
			if (json_array_append_new(list, item_json(&x.list[i])) != 0)
				mm_oom();
		mm_json_set(o, "settings", list);
		*out = o;
	}
	mm_arena_free(x.a);
	return rc;
}
