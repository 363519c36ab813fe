#include "controller/policy/policy.h"

#include <assert.h>
#include <string.h>

#include "common/text.h"
#include "controller/policy/check.h"
#include "controller/policy/parse.h"
#include "controller/policy/scan.h"

const char *mm_layer_name(enum mm_layer l)
{
	static const char *const names[MM_LAYER_COUNT] = {
	    "built-in", "organisation", "group", "host", "user"};
	return names[l];
}

static void built_in_rules(struct mm_rules *r)
{
	r->tls_min = "1.2"; /* RFC 8997 */
	r->check = MM_LEVEL_LOGIN;
}

static void check(struct mm_policy *p, const struct mm_policy_opts *opts, struct mm_diags *d)
{
	struct mm_diags found;
	mm_diags_init(&found, d->arena);
	mm_check_policy(p, &found);
	mm_check_hostwide(p, opts, &found);
	if (opts != NULL && opts->stored)
		mm_diags_demote(&found);
	mm_diags_join(d, &found);
}

static int load(const struct mm_source *src, const struct mm_policy_opts *opts, struct mm_arena *a,
    struct mm_policy **out, struct mm_diags *d)
{
	struct mm_policy *p = mm_arena_alloc(a, 1, sizeof(*p));
	struct mm_parser parser = {
	    .src = src, .arena = a, .scratch = mm_arena_new(), .diags = d, .policy = p, .opts = opts};
	struct mm_buf clean = MM_BUF_INIT(4 * MM_POLICY_TEXT_MAX);
	p->name = src->name;
	p->text = src->text;
	p->len = src->len;
	mm_sha256_hex(src->text, src->len, p->sha256);
	built_in_rules(&p->rules);
	if (mm_scan(src, parser.scratch, &clean, d) == 0) {
		assert(mm_buf_ok(&clean)); /* the scanner adds a few bytes per token */
		mm_parse_policy(&parser, mm_buf_str(&clean));
		check(p, opts, d);
	}
	mm_buf_free(&clean);
	mm_arena_free(parser.scratch);
	mm_diags_sort(d);
	if (d->errors > 0)
		return -1;
	*out = p;
	return 0;
}

int mm_policy_load_file(const char *path, const struct mm_policy_opts *opts, struct mm_arena *a,
    struct mm_policy **out, struct mm_diags *diags)
{
	struct mm_source src;
	if (mm_source_file(path, a, &src, diags) != 0)
		return -1;
	return load(&src, opts, a, out, diags);
}

int mm_policy_load_text(const char *name, const char *text, size_t len, const struct mm_policy_opts *opts,
    struct mm_arena *a, struct mm_policy **out, struct mm_diags *diags)
{
	struct mm_source src;
	if (mm_source_text(name, text, len, a, &src, diags) != 0)
		return -1;
	return load(&src, opts, a, out, diags);
}

const char *mm_policy_sha256(const struct mm_policy *p)
{
	return p->sha256;
}

/* ---- finding things */

const struct mm_endpoint *mm_policy_endpoint(const struct mm_policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_endpoints; i++)
		if (mm_streq(p->endpoints[i].name.text, name))
			return &p->endpoints[i];
	return NULL;
}

const struct mm_paccount *mm_policy_account(const struct mm_policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_accounts; i++)
		if (mm_streq(p->accounts[i].name.text, name))
			return &p->accounts[i];
	return NULL;
}

const struct mm_scope *mm_scope_find(const struct mm_scopes *s, const char *name)
{
	size_t lo = 0, hi = s->n;
	while (name != NULL && lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(s->items[mid].name.text, name);
		if (c == 0)
			return &s->items[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const struct mm_override *mm_scope_override(const struct mm_scope *s, const char *account)
{
	for (size_t i = 0; i < s->n_overrides; i++)
		if (mm_streq(s->overrides[i].account.text, account))
			return &s->overrides[i];
	return NULL;
}

const struct mm_pclient *mm_scope_client(const struct mm_scope *s, const char *client)
{
	for (size_t i = 0; i < s->n_clients; i++)
		if (mm_streq(s->clients[i].name.text, client))
			return &s->clients[i];
	return NULL;
}

bool mm_pvalue_equal(enum mm_setting s, const struct mm_pvalue *x, const struct mm_pvalue *y)
{
	if (x->text == NULL || y->text == NULL)
		return x->text == y->text;
	if (x->template || y->template)
		return x->template == y->template && strcmp(x->text, y->text) == 0;
	return mm_setting_equal(s, x->text, y->text);
}
