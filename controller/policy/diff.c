#include "controller/policy/diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"

/* ---- flat */

struct flat {
	struct mm_arena *a;
	struct mm_flat_list *out;
};

static void put(struct flat *f, const char *key, const char *value, struct mm_origin at)
{
	struct mm_flat *x = mm_arena_push(f->a, &f->out->items, &f->out->n, &f->out->cap, sizeof(*x));
	*x = (struct mm_flat){key, value, at};
}

static void put_said(struct flat *f, const char *what, const char *name, const struct mm_said *s)
{
	if (s->text != NULL)
		put(f, mm_arena_printf(f->a, "%s.%s", what, name), s->text, s->at);
}

static void put_list(struct flat *f, const char *what, const char *name, const struct mm_said_list *l)
{
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	for (size_t i = 0; i < l->n; i++)
		mm_buf_addf(&b, "%s%s", i > 0 ? ", " : "", l->items[i].text);
	if (l->n > 0)
		put(f, mm_arena_printf(f->a, "%s.%s", what, name), mm_arena_strdup(f->a, mm_buf_str(&b)),
		    l->items[0].at);
	mm_buf_free(&b);
}

/* `ids`: as "incoming.port", for what has several sides; else as "port". */
static void put_block(struct flat *f, const char *what, const struct mm_block *b, enum mm_side only, bool ids)
{
	for (int s = 0; s < MM_SET_COUNT; s++) {
		const struct mm_setting_def *d = mm_setting_def((enum mm_setting)s);
		if (b->v[s].at.file != NULL && (only == MM_SIDE_COUNT || d->side == only))
			put(f, mm_arena_printf(f->a, "%s.%s", what, ids ? d->id : d->key), b->v[s].text,
			    b->v[s].at);
	}
}

static void put_account(struct flat *f, const struct mm_paccount *acc)
{
	const char *what = mm_arena_printf(f->a, "accounts.%s", acc->name.text);
	put_said(f, what, "label", &acc->label);
	put_said(f, what, "renamed_from", &acc->renamed_from);
	put_said(f, what, "incoming", &acc->incoming);
	put_said(f, what, "outgoing", &acc->outgoing);
	put_list(f, what, "replaces", &acc->replaces);
	put_block(f, what, &acc->set, MM_SIDE_ACCOUNT, false);
}

static void put_client(struct flat *f, const char *what, const struct mm_pclient *c)
{
	what = mm_arena_printf(f->a, "%s.clients.%s", what, c->name.text);
	if (c->mode.mode >= 0)
		put(f, what, mm_mode_name((enum mm_mode)c->mode.mode), c->mode.at);
	if (c->scope.mode >= 0)
		put(f, mm_arena_printf(f->a, "%s.scope", what), mm_reach_name((enum mm_reach)c->scope.mode),
		    c->scope.at);
	for (int s = 0; s < MM_SET_COUNT; s++)
		if (c->setting[s].mode >= 0)
			put(f, mm_arena_printf(f->a, "%s.%s", what, mm_setting_def((enum mm_setting)s)->id),
			    mm_mode_name((enum mm_mode)c->setting[s].mode), c->setting[s].at);
}

static void put_scopes(struct flat *f, const char *kind, const struct mm_scopes *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct mm_scope *s = &list->items[i];
		const char *what = mm_arena_printf(f->a, "%s.%s", kind, s->name.text);
		put(f, what, "", s->name.at);
		if (s->layer == MM_LAYER_GROUP)
			put(f, mm_arena_printf(f->a, "%s.priority", what),
			    mm_arena_printf(f->a, "%d", s->priority), s->priority_at);
		put_list(f, what, "accounts", &s->accounts);
		for (size_t k = 0; k < s->n_overrides; k++)
			put_block(f,
			    mm_arena_printf(f->a, "%s.override.%s", what, s->overrides[k].account.text),
			    s->overrides[k].set, MM_SIDE_COUNT, true);
		for (size_t k = 0; k < s->n_clients; k++)
			put_client(f, what, &s->clients[k]);
		if (s->create >= 0)
			put(f, mm_arena_printf(f->a, "%s.create", what),
			    mm_create_name((enum mm_create)s->create), s->create_at);
	}
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct mm_flat *)a)->key, ((const struct mm_flat *)b)->key);
}

void mm_policy_flatten(const struct mm_policy *p, struct mm_arena *a, struct mm_flat_list *out)
{
	struct flat f = {.a = a, .out = out};
	const struct mm_rules *r = &p->rules;
	*out = (struct mm_flat_list){0};
	put_said(&f, "organisation", "name", &p->organisation);
	put_said(&f, "organisation", "domain", &p->domain);
	for (size_t i = 0; i < p->n_endpoints; i++)
		put_block(&f, mm_arena_printf(a, "endpoints.%s", p->endpoints[i].name.text),
		    &p->endpoints[i].set, MM_SIDE_COUNT, false);
	for (size_t i = 0; i < p->n_accounts; i++)
		put_account(&f, &p->accounts[i]);
	put_scopes(&f, "groups", &p->groups);
	put_scopes(&f, "hosts", &p->hosts);
	put_scopes(&f, "users", &p->users);
	for (int s = 0; s < MM_SET_COUNT; s++)
		if (p->final[s].file != NULL)
			put(&f, mm_arena_printf(a, "final.%s", mm_setting_def((enum mm_setting)s)->id), "yes",
			    p->final[s]);
	/* Rules hold whether they are written or not. */
	put(&f, "rules.allow_cleartext", r->allow_cleartext ? "yes" : "no", r->allow_cleartext_at);
	put(&f, "rules.tls_min", r->tls_min, r->tls_min_at);
	put(&f, "rules.check", mm_level_name(r->check), r->check_at);
	put(&f, "rules.approvals", mm_arena_printf(a, "%d", r->approvals), r->approvals_at);
	put(&f, "rules.discover", r->discover_all ? "all" : "known", r->discover_at);
	qsort(out->items, out->n, sizeof(*out->items), by_key);
}

/* ---- difference */

static struct mm_policy_change *add(struct mm_policy_diff *d, struct mm_arena *a, const char *key)
{
	struct mm_policy_change *c = mm_arena_push(a, &d->items, &d->n, &d->cap, sizeof(*c));
	*c = (struct mm_policy_change){.key = key};
	return c;
}

static void was(struct mm_policy_change *c, const struct mm_flat *x)
{
	c->had = true;
	c->old_value = x->value;
	c->old_at = x->at;
}

static void is(struct mm_policy_change *c, const struct mm_flat *y)
{
	c->has = true;
	c->new_value = y->value;
	c->new_at = y->at;
}

static void changed(
    struct mm_policy_diff *d, struct mm_arena *a, const struct mm_flat *x, const struct mm_flat *y)
{
	if (mm_streq(x->value, y->value))
		return;
	struct mm_policy_change *c = add(d, a, x->key);
	was(c, x);
	is(c, y);
}

void mm_policy_diff(const struct mm_policy *before, const struct mm_policy *after, struct mm_arena *a,
    struct mm_policy_diff *out)
{
	struct mm_flat_list x = {0}, y = {0};
	size_t i = 0, k = 0;
	*out = (struct mm_policy_diff){0};
	if (before != NULL)
		mm_policy_flatten(before, a, &x);
	mm_policy_flatten(after, a, &y);
	while (i < x.n || k < y.n) {
		int c = i == x.n ? 1 : k == y.n ? -1 : strcmp(x.items[i].key, y.items[k].key);
		if (c < 0)
			was(add(out, a, x.items[i].key), &x.items[i]);
		else if (c > 0)
			is(add(out, a, y.items[k].key), &y.items[k]);
		else
			changed(out, a, &x.items[i], &y.items[k]);
		i += c <= 0;
		k += c >= 0;
	}
}

static const char *shown(const char *value)
{
	return value != NULL ? value : "(unset)";
}

void mm_policy_diff_print(const struct mm_policy_diff *d, FILE *f)
{
	bool colour = mm_term_colour(f);
	struct mm_buf b = MM_BUF_INIT(1u << 16);
	for (size_t i = 0; i < d->n; i++) {
		const struct mm_policy_change *c = &d->items[i];
		struct mm_origin at = c->has ? c->new_at : c->old_at;
		enum mm_colour paint = !c->had ? MM_GREEN : !c->has ? MM_RED : MM_YELLOW;
		mm_buf_reset(&b);
		mm_buf_addf(&b, "%s", c->key);
		if (c->had && c->has)
			mm_buf_addf(&b, ": %s -> %s", shown(c->old_value), shown(c->new_value));
		else if (shown(c->has ? c->new_value : c->old_value)[0] != '\0')
			mm_buf_addf(&b, ": %s", shown(c->has ? c->new_value : c->old_value));
		if (at.file != NULL)
			mm_buf_addf(&b, " (%s:%d)", at.file, at.line);
		fprintf(f, "%s%s %s%s\n", mm_colour_code(paint, colour),
		    !c->had   ? "+"
		    : !c->has ? "-"
			      : "~",
		    mm_buf_str(&b), mm_colour_code(MM_PLAIN, colour));
	}
	mm_buf_free(&b);
}

json_t *mm_policy_diff_json(const struct mm_policy_diff *d)
{
	json_t *list = json_array();
	for (size_t i = 0; i < d->n; i++) {
		const struct mm_policy_change *c = &d->items[i];
		struct mm_origin at = c->has ? c->new_at : c->old_at;
		json_t *o = json_object();
		mm_json_set_str(o, "key", c->key);
		mm_json_set_str(o, "change", !c->had ? "added" : !c->has ? "removed" : "changed");
		mm_json_set(o, "old", c->old_value != NULL ? json_string(c->old_value) : json_null());
		mm_json_set(o, "new", c->new_value != NULL ? json_string(c->new_value) : json_null());
		mm_json_set_str(o, "file", at.file);
		if (at.line > 0)
			mm_json_set_int(o, "line", at.line);
		if (json_array_append_new(list, o) != 0)
			mm_oom();
	}
	return list;
}
