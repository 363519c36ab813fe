/* The system's sheet of a host, from those of its users. */
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "controller/policy/layers.h"

/* Where a login can stand in a value: every route has a way to write it there. */
static bool takes_login(enum mm_setting s)
{
	return s == MM_SET_ADDRESS || s == MM_SET_IN_USERNAME || s == MM_SET_OUT_USERNAME ||
	       s == MM_SET_IN_PASSWORD_COMMAND || s == MM_SET_OUT_PASSWORD_COMMAND;
}

static const struct mm_resolved_account *same_account(
    const struct mm_resolved *r, const struct mm_paccount *of)
{
	for (size_t i = 0; i < r->n_accounts; i++)
		if (r->accounts[i].account == of)
			return &r->accounts[i];
	return NULL;
}

static bool takes_part(const struct mm_resolved *r)
{
	for (size_t i = 0; i < r->n_clients && r->n_accounts > 0; i++)
		if (mm_streq(r->clients[i].scope.value, mm_reach_name(MM_REACH_SYSTEM)))
			return true;
	return false;
}

static const char *value_of(
    const struct mm_resolved_account *as_is, const struct mm_resolved_account *as_any, enum mm_setting s)
{
	return (takes_login(s) ? as_any : as_is)->set[s].value;
}

/* The values of the first, to be compared with those of the others. */
static void first_account(
    struct mm_hostwide *h, const struct mm_resolved_account *as_is, const struct mm_resolved_account *as_any)
{
	struct mm_account *out = &h->accounts[h->n];
	mm_sheet_account_of(as_is, out, h->a);
	for (int s = 0; s < MM_SET_COUNT; s++)
		out->want.v[s] = mm_arena_strdup(h->a, value_of(as_is, as_any, (enum mm_setting)s));
	h->of[h->n++] = as_is->account;
}

static void compare_account(
    struct mm_account *out, const struct mm_resolved_account *as_is, const struct mm_resolved_account *as_any)
{
	for (int s = 0; s < MM_SET_COUNT; s++) {
		const char *value = value_of(as_is, as_any, (enum mm_setting)s);
		if (out->differs[s] || mm_streq(value, out->want.v[s]))
			continue;
		out->differs[s] = true;
		out->want.v[s] = NULL;
	}
}

/* Only accounts that everybody has who takes part are left. */
static void compare_accounts(
    struct mm_hostwide *h, const struct mm_resolved *as_is, const struct mm_resolved *as_any)
{
	size_t kept = 0;
	for (size_t i = 0; i < h->n; i++) {
		const struct mm_resolved_account *x = same_account(as_is, h->of[i]),
						 *y = same_account(as_any, h->of[i]);
		if (x == NULL || y == NULL)
			continue;
		compare_account(&h->accounts[i], x, y);
		h->accounts[kept] = h->accounts[i];
		h->of[kept++] = h->of[i];
	}
	h->n = kept;
}

/* Of two users the more demanding mode holds: the file is one for both. */
static enum mm_mode stronger(enum mm_mode x, enum mm_mode y)
{
	static const enum mm_mode order[] = {MM_MODE_ENFORCE, MM_MODE_DEFAULT, MM_MODE_AUDIT, MM_MODE_IGNORE};
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (x == order[i] || y == order[i])
			return order[i];
	return x;
}

static enum mm_mode mode_of(const struct mm_client_rule *r, int s)
{
	return r->setting_mode[s] >= 0 ? (enum mm_mode)r->setting_mode[s] : r->mode;
}

static void merge(struct mm_client_rule *into, const struct mm_client_rule *r)
{
	enum mm_mode mode = stronger(into->mode, r->mode);
	for (int s = 0; s < MM_SET_COUNT; s++) {
		enum mm_mode m = stronger(mode_of(into, s), mode_of(r, s));
		into->setting_mode[s] = m != mode ? (int)m : -1;
	}
	into->mode = mode;
}

static void add_rules(const struct mm_resolved *r, struct mm_client_rule *rules, size_t *n)
{
	for (size_t i = 0; i < r->n_clients; i++) {
		struct mm_client_rule one;
		size_t k = 0;
		mm_sheet_rule_of(&r->clients[i], &one);
		while (k < *n && !mm_streq(rules[k].client, one.client))
			k++;
		if (one.scope != MM_REACH_SYSTEM || k == MM_SHEET_CLIENTS_MAX)
			continue;
		if (k < *n)
			merge(&rules[k], &one);
		else
			rules[(*n)++] = one;
	}
}

static int by_client(const void *a, const void *b)
{
	return strcmp(((const struct mm_client_rule *)a)->client, ((const struct mm_client_rule *)b)->client);
}

void mm_hostwide_init(struct mm_hostwide *h, struct mm_arena *a)
{
	*h = (struct mm_hostwide){.a = a,
	    .accounts = mm_arena_alloc(a, MM_SHEET_ACCOUNTS_MAX, sizeof(*h->accounts)),
	    .of = mm_arena_alloc(a, MM_SHEET_ACCOUNTS_MAX, sizeof(const struct mm_paccount *)),
	    .rules = mm_arena_alloc(a, MM_SHEET_CLIENTS_MAX, sizeof(*h->rules))};
}

void mm_hostwide_add(struct mm_hostwide *h, const struct mm_resolved *as_is, const struct mm_resolved *as_any)
{
	if (!takes_part(as_is))
		return;
	if (h->any) {
		compare_accounts(h, as_is, as_any);
	} else {
		h->base = mm_resolve_sheet(as_is, 0, h->a);
		for (size_t i = 0; i < as_is->n_accounts; i++)
			first_account(h, &as_is->accounts[i], &as_any->accounts[i]);
	}
	h->any = true;
	add_rules(as_is, h->rules, &h->n_rules);
}

bool mm_hostwide_sheet(struct mm_hostwide *h, int64_t revision, struct mm_sheet *out)
{
	if (!h->any)
		return false;
	qsort(h->rules, h->n_rules, sizeof(*h->rules), by_client);
	*out = h->base;
	out->user = MM_SYSTEM_USER;
	out->revision = revision;
	out->accounts = h->accounts;
	out->n_accounts = h->n;
	out->clients = h->rules;
	out->n_clients = h->n_rules;
	return true;
}
