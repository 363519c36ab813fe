#include "controller/people.h"

#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "controller/policy_store.h"
#include "schemas/settings.h"

const char *const *mm_list(struct mm_arena *a, const char *const *items, size_t n)
{
	const char **out = mm_arena_alloc(a, n + 1, sizeof(*out));

	for (size_t i = 0; i < n; i++)
		out[i] = items[i];
	return out;
}

static bool is_attr_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return n > 0 && n <= 64 && s[n] == '\0';
}

static bool is_text(const char *s)
{
	return strlen(s) <= 1024 && !mm_has_control(s) && mm_is_utf8(s, strlen(s));
}

const char *mm_user_trouble(const struct mm_store_user *u, struct mm_arena *a)
{
	struct mm_err err = MM_ERR_NONE;
	const char *ignored;

	if (!mm_is_login(u->login))
		return mm_arena_printf(a, "\"%s\" cannot be a login", u->login);
	if (!is_text(u->name))
		return "the name has a control character, is not UTF-8 or is longer than 1024 bytes";
	if (*u->address && mm_setting_canon(MM_SET_ADDRESS, u->address, a, &ignored, &err))
		return mm_arena_printf(a, "address \"%s\": %s", u->address, err.text);
	for (size_t i = 0; i < u->n_groups; i++)
		if (!mm_is_login(u->groups[i]))
			return mm_arena_printf(a, "\"%s\" cannot be a group", u->groups[i]);
	for (size_t i = 0; i < u->n_attrs; i++) {
		if (!is_attr_name(u->attrs[i].name))
			return mm_arena_printf(a,
			    "\"%s\" cannot be an attribute: letters, digits, '_' and '-'", u->attrs[i].name);
		if (!is_text(u->attrs[i].value))
			return mm_arena_printf(a, "attribute %s: not a text", u->attrs[i].name);
	}
	return NULL;
}

static int check_policy(struct mm_ctl *c, const char *const *logins, struct mm_diags *d, struct mm_err *err)
{
	struct mm_stored_policy p;
	int rc = mm_policy_stored(c->store, 0, d->arena, &p, err);

	if (rc)
		return rc < 0 ? -1 : 0; /* no policy yet: nothing to contradict */
	return mm_policy_holds(c->store, p.policy, logins, d, err);
}

int mm_people_end(struct mm_ctl *c, const char *what, const char *const *logins, struct mm_diags *diags)
{
	struct mm_err err = MM_ERR_NONE;

	if (diags->errors == 0 && check_policy(c, logins, diags, &err)) {
		mm_store_rollback(c->store);
		return mm_ctl_fail(what, &err);
	}
	if (diags->errors) {
		mm_store_rollback(c->store);
		mm_diags_sort(diags);
		mm_diags_print(diags, stderr);
		fprintf(stderr, "mailmuster %s: nothing was changed\n", what);
		return MM_EX_DATAERR;
	}
	if (mm_store_commit(c->store, &err))
		return mm_ctl_fail(what, &err);
	return 0;
}

void mm_people_done(const struct mm_tally_put *t, bool json)
{
	if (json) {
		json_t *o = json_object();

		mm_json_set_int(o, "added", t->n[MM_PUT_ADDED]);
		mm_json_set_int(o, "changed", t->n[MM_PUT_CHANGED]);
		mm_json_set_int(o, "kept", t->n[MM_PUT_KEPT]);
		mm_json_set_int(o, "removed", t->removed);
		mm_ctl_json(o);
		return;
	}
	printf("%lld added, %lld changed, %lld removed, %lld kept\n", (long long)t->n[MM_PUT_ADDED],
	    (long long)t->n[MM_PUT_CHANGED], (long long)t->removed, (long long)t->n[MM_PUT_KEPT]);
}
