/* Contradictions of equal priority, over everybody's real memberships. */
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "controller/policy/layers.h"

struct finder {
	const struct mm_policy *p;
	const struct mm_membership *m;
	size_t n;
	struct mm_diags *d;
	size_t found;
};

void mm_conflict_report(struct mm_diags *d, const char *what, const struct mm_wish *x,
    const struct mm_wish *y, const char *login, size_t others)
{
	bool later = strcmp(x->at.file, y->at.file) != 0 ? strcmp(x->at.file, y->at.file) > 0
							 : x->at.line >= y->at.line;
	const struct mm_wish *b = later ? x : y, *a = later ? y : x;
	char more[48] = "";
	if (others > 0)
		snprintf(more, sizeof(more), " and %zu more", others);
	mm_diag_error(d, b->at,
	    "%s: group %s wants %s here, group %s wants %s at %s:%d, both have priority %d, and %s%s is in "
	    "both; give one a "
	    "higher priority",
	    what, b->scope->name.text, b->text != NULL ? b->text : "it unset", a->scope->name.text,
	    a->text != NULL ? a->text : "it unset", a->at.file, a->at.line, b->scope->priority, login, more);
}

static bool is_in(const struct mm_membership *m, const char *group)
{
	for (size_t i = 0; m->groups != NULL && m->groups[i] != NULL; i++)
		if (mm_streq(m->groups[i], group))
			return true;
	return false;
}

/* Is the account given to this user, by a group or by name? A host may give
 * it as well, so with hosts that give it everybody counts. */
static bool has_account(const struct finder *f, const struct mm_membership *m, const char *account)
{
	const struct mm_scopes *lists[] = {&f->p->groups, &f->p->hosts, &f->p->users};
	for (size_t l = 0; l < 3; l++)
		for (size_t i = 0; i < lists[l]->n; i++) {
			const struct mm_scope *sc = &lists[l]->items[i];
			bool applies = sc->layer == MM_LAYER_GROUP  ? is_in(m, sc->name.text)
				       : sc->layer == MM_LAYER_USER ? mm_streq(m->login, sc->name.text)
								    : true;
			for (size_t k = 0; applies && k < sc->accounts.n; k++)
				if (mm_streq(sc->accounts.items[k].text, account))
					return true;
		}
	return false;
}

/* Who is in both? Only then the two wishes are a contradiction. */
static void judge(
    struct finder *f, const char *what, const char *account, const struct mm_wish *x, const struct mm_wish *y)
{
	const char *first = NULL;
	size_t count = 0;
	for (size_t i = 0; i < f->n; i++) {
		const struct mm_membership *m = &f->m[i];
		if (!is_in(m, x->scope->name.text) || !is_in(m, y->scope->name.text) ||
		    (account != NULL && !has_account(f, m, account)))
			continue;
		if (count++ == 0)
			first = m->login;
	}
	if (count == 0)
		return;
	mm_conflict_report(f->d, what, x, y, first, count - 1);
	f->found++;
}

static void overrides(struct finder *f, const struct mm_scope *x, const struct mm_scope *y)
{
	for (size_t i = 0; i < x->n_overrides; i++) {
		const char *account = x->overrides[i].account.text;
		const struct mm_override *o = mm_scope_override(y, account);
		const struct mm_paccount *acc = mm_policy_account(f->p, account);
		for (int s = 0; o != NULL && acc != NULL && s < MM_SET_COUNT; s++) {
			const struct mm_pvalue *v = &x->overrides[i].set->v[s], *w = &o->set->v[s];
			bool blocked = f->p->final[s].file != NULL && acc->set.v[s].at.file != NULL;
			if (v->at.file == NULL || w->at.file == NULL || blocked ||
			    mm_pvalue_equal((enum mm_setting)s, v, w))
				continue;
			judge(f,
			    mm_arena_printf(f->d->arena, "%s of account %s",
				mm_setting_def((enum mm_setting)s)->id, account),
			    account, &(struct mm_wish){x, v->at, v->text},
			    &(struct mm_wish){y, w->at, w->text});
		}
	}
}

static bool differ(const struct mm_pmode *a, const struct mm_pmode *b)
{
	return a->mode >= 0 && b->mode >= 0 && a->mode != b->mode;
}

static void modes(struct finder *f, const char *what, const struct mm_scope *x, const struct mm_pmode *a,
    const struct mm_scope *y, const struct mm_pmode *b)
{
	judge(f, what, NULL, &(struct mm_wish){x, a->at, mm_mode_name((enum mm_mode)a->mode)},
	    &(struct mm_wish){y, b->at, mm_mode_name((enum mm_mode)b->mode)});
}

static void clients(struct finder *f, const struct mm_scope *x, const struct mm_scope *y)
{
	struct mm_arena *arena = f->d->arena;
	for (size_t i = 0; i < x->n_clients; i++) {
		const struct mm_pclient *a = &x->clients[i], *b = mm_scope_client(y, a->name.text);
		if (b != NULL && differ(&a->mode, &b->mode))
			modes(f, mm_arena_printf(arena, "mode of client %s", a->name.text), x, &a->mode, y,
			    &b->mode);
		for (int s = 0; b != NULL && s < MM_SET_COUNT; s++)
			if (differ(&a->setting[s], &b->setting[s]))
				modes(f,
				    mm_arena_printf(arena, "mode of %s of client %s",
					mm_setting_def((enum mm_setting)s)->id, a->name.text),
				    x, &a->setting[s], y, &b->setting[s]);
	}
}

size_t mm_policy_conflicts(
    const struct mm_policy *p, const struct mm_membership *m, size_t n, struct mm_diags *d)
{
	struct finder f = {.p = p, .m = m, .n = n, .d = d};
	for (size_t i = 0; i < p->groups.n; i++)
		for (size_t k = 0; k < i; k++) {
			const struct mm_scope *x = &p->groups.items[i], *y = &p->groups.items[k];
			if (!mm_scopes_tie(x, y))
				continue;
			overrides(&f, x, y);
			clients(&f, x, y);
			if (x->create >= 0 && y->create >= 0 && x->create != y->create)
				judge(&f, "create", NULL,
				    &(struct mm_wish){
					x, x->create_at, mm_create_name((enum mm_create)x->create)},
				    &(struct mm_wish){
					y, y->create_at, mm_create_name((enum mm_create)y->create)});
		}
	return f.found;
}
