#include "controller/policy/layers.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"

const char *mm_trail_verdict_name(enum mm_trail_verdict v)
{
	static const char *const names[MM_TRAIL_COUNT] = {"won", "overridden", "blocked", "not applicable"};
	return names[v];
}

/* ---- who applies */

static bool in_group(const struct mm_subject *u, const char *group)
{
	for (size_t i = 0; u->groups != NULL && u->groups[i] != NULL; i++)
		if (mm_streq(u->groups[i], group))
			return true;
	return false;
}

static void push(
    const struct mm_scope ***list, size_t *n, size_t *cap, const struct mm_scope *s, struct mm_arena *a)
{
	const struct mm_scope **x = mm_arena_push(a, list, n, cap, sizeof(*x));
	*x = s;
}

static int by_priority(const void *a, const void *b)
{
	const struct mm_scope *x = *(const struct mm_scope *const *)a,
			      *y = *(const struct mm_scope *const *)b;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return strcmp(x->name.text, y->name.text);
}

static void add_groups(
    const struct mm_policy *p, const struct mm_subject *u, struct mm_arena *a, struct mm_layers *l)
{
	for (size_t i = 0; u->groups != NULL && u->groups[i] != NULL; i++) {
		const struct mm_scope *g = mm_scope_find(&p->groups, u->groups[i]);
		bool seen = g == NULL;
		for (size_t k = 0; k < l->n; k++)
			seen = seen || l->scopes[k] == g;
		if (!seen)
			push(&l->scopes, &l->n, &l->cap, g, a);
	}
	if (l->n > 1)
		qsort(l->scopes, l->n, sizeof(const struct mm_scope *), by_priority);
}

void mm_layers_of(const struct mm_policy *p, const struct mm_subject *u, const char *host, bool explain,
    struct mm_arena *a, struct mm_layers *out)
{
	*out = (struct mm_layers){.explain = explain};
	add_groups(p, u, a, out);
	const struct mm_scope *h = mm_scope_find(&p->hosts, host), *x = mm_scope_find(&p->users, u->login);
	if (h != NULL)
		push(&out->scopes, &out->n, &out->cap, h, a);
	if (x != NULL)
		push(&out->scopes, &out->n, &out->cap, x, a);
	for (size_t i = 0; explain && i < p->groups.n; i++)
		if (!in_group(u, p->groups.items[i].name.text))
			push(&out->others, &out->n_others, &out->cap_others, &p->groups.items[i], a);
	for (size_t i = 0; explain && i < p->hosts.n; i++)
		if (&p->hosts.items[i] != h)
			push(&out->others, &out->n_others, &out->cap_others, &p->hosts.items[i], a);
}

bool mm_scopes_tie(const struct mm_scope *x, const struct mm_scope *y)
{
	return x != y && x->layer == MM_LAYER_GROUP && y->layer == MM_LAYER_GROUP &&
	       x->priority == y->priority;
}

/* ---- trails */

struct mm_trail_step *mm_trail_add(struct mm_trail *t, struct mm_arena *a, enum mm_layer layer,
    const struct mm_scope *scope, struct mm_origin at, const char *written, const char *value)
{
	struct mm_trail_step *s = mm_arena_push(a, &t->steps, &t->n, &t->cap, sizeof(*s));
	*s = (struct mm_trail_step){.layer = layer,
	    .name = scope != NULL ? scope->name.text : "",
	    .priority = scope != NULL ? scope->priority : 0,
	    .at = at,
	    .written = written,
	    .value = value,
	    .verdict = MM_TRAIL_OVERRIDDEN};
	return s;
}

void mm_trail_add_other(struct mm_trail *t, struct mm_arena *a, const struct mm_scope *scope,
    struct mm_origin at, const char *written, const char *user)
{
	struct mm_trail_step *s = mm_trail_add(t, a, scope->layer, scope, at, written, NULL);
	s->verdict = MM_TRAIL_NOT_APPLICABLE;
	s->why = scope->layer == MM_LAYER_HOST
		     ? mm_arena_printf(a, "not applicable: on host %s only", scope->name.text)
		     : mm_arena_printf(a, "not applicable: %s is not in %s", user, scope->name.text);
}

const char *mm_trail_who(const struct mm_trail_step *s, struct mm_arena *a)
{
	const char *layer = mm_layer_name(s->layer), *blank = s->name[0] != '\0' ? " " : "";
	if (s->at.file == NULL)
		return mm_arena_printf(a, "%s%s%s", layer, blank, s->name);
	return mm_arena_printf(a, "%s%s%s (%s)", layer, blank, s->name, mm_origin_text(s->at, a));
}

/* The strongest step that applies; with `final` the weakest that is not built in. */
static struct mm_trail_step *winner(struct mm_trail *t, bool final)
{
	struct mm_trail_step *win = NULL;
	for (size_t i = 0; i < t->n; i++) {
		bool locked = final && win != NULL && win->layer != MM_LAYER_BUILTIN;
		if (t->steps[i].verdict != MM_TRAIL_NOT_APPLICABLE && !locked)
			win = &t->steps[i];
	}
	return win;
}

static const char *overridden_by(const struct mm_trail_step *win, struct mm_arena *words)
{
	return words != NULL ? mm_arena_printf(words, "overridden by %s", mm_trail_who(win, words))
			     : "overridden";
}

static const char *blocked_by(struct mm_origin final, struct mm_arena *words)
{
	return words != NULL ? mm_arena_printf(words, "blocked: final (%s)", mm_origin_text(final, words))
			     : "blocked: final";
}

void mm_trail_judge(struct mm_trail *t, struct mm_arena *words, struct mm_origin final)
{
	struct mm_trail_step *win = winner(t, final.file != NULL);
	if (win == NULL)
		return;
	const char *over = overridden_by(win, words);
	for (struct mm_trail_step *s = t->steps; s < t->steps + t->n; s++) {
		if (s->verdict == MM_TRAIL_NOT_APPLICABLE)
			continue;
		s->verdict = s < win ? MM_TRAIL_OVERRIDDEN : MM_TRAIL_BLOCKED;
		s->why = s > win ? blocked_by(final, words) : over;
	}
	win->verdict = MM_TRAIL_WON;
	win->why = "won";
	t->winner = win;
	t->value = win->value;
}

void mm_trail_drop(struct mm_trail *t, struct mm_arena *words, const char *because)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->steps[i].verdict == MM_TRAIL_NOT_APPLICABLE)
			continue;
		t->steps[i].verdict = MM_TRAIL_NOT_APPLICABLE;
		t->steps[i].why =
		    words != NULL ? mm_arena_printf(words, "not applicable: %s", because) : because;
	}
	t->winner = NULL;
	t->value = NULL;
}
