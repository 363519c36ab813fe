#include "agent/match.h"

#include "common/text.h"

bool mm_match_applies(const struct mm_client *cl, const struct mm_account *acc)
{
	return (cl->incoming && (acc->want.v[MM_SET_IN_HOST] != NULL || acc->differs[MM_SET_IN_HOST])) ||
	       (cl->outgoing && (acc->want.v[MM_SET_OUT_HOST] != NULL || acc->differs[MM_SET_OUT_HOST]));
}

static bool host_matches(const struct mm_account *acc, enum mm_setting s, const struct mm_seen_account *seen)
{
	const char *found = seen->s[s].value;
	if (found == NULL)
		return false;
	if (mm_setting_equal(s, found, acc->want.v[s]))
		return true;
	for (const char *const *old = acc->replaces; *old != NULL; old++) {
		if (mm_setting_equal(s, found, *old))
			return true;
	}
	return false;
}

static bool who_matches(
    const struct mm_account *acc, enum mm_setting user, const struct mm_seen_account *seen)
{
	const char *want = acc->want.v[MM_SET_ADDRESS];
	const char *address = seen->s[MM_SET_ADDRESS].value, *name = seen->s[user].value;
	if (address != NULL && !seen->s[MM_SET_ADDRESS].from_default)
		return mm_setting_equal(MM_SET_ADDRESS, address, want);
	return name != NULL &&
	       (mm_setting_equal(user, name, acc->want.v[user]) || mm_streq_nocase(name, want));
}

/* The incoming side identifies an account where there is one. */
static bool adoptable(const struct mm_account *acc, const struct mm_seen_account *seen)
{
	if (seen->has_incoming && acc->want.v[MM_SET_IN_HOST] != NULL)
		return host_matches(acc, MM_SET_IN_HOST, seen) && who_matches(acc, MM_SET_IN_USERNAME, seen);
	if (seen->has_outgoing && acc->want.v[MM_SET_OUT_HOST] != NULL)
		return host_matches(acc, MM_SET_OUT_HOST, seen) &&
		       who_matches(acc, MM_SET_OUT_USERNAME, seen);
	return false;
}

static struct mm_row *row_of(struct mm_rows *rows, const struct mm_account *acc)
{
	struct mm_row *former = NULL;
	for (size_t i = 0; i < rows->n; i++) {
		if (mm_streq(rows->r[i].account, acc->name))
			return &rows->r[i];
		if (acc->renamed_from != NULL && mm_streq(rows->r[i].account, acc->renamed_from))
			former = &rows->r[i];
	}
	if (former != NULL)
		former->account = acc->name;
	return former;
}

static void claim(struct mm_match *m, const struct mm_view *view, size_t i, bool *claimed)
{
	m->seen = &view->accounts[i];
	claimed[i] = true;
}

void mm_match_accounts(const struct mm_client *cl, const struct mm_sheet *sheet, struct mm_rows *rows,
    const struct mm_view *view, struct mm_match *out, bool *claimed)
{
	for (size_t k = 0; k < sheet->n_accounts; k++) {
		const struct mm_account *acc = &sheet->accounts[k];
		out[k] = (struct mm_match){.index = k};
		if (!mm_match_applies(cl, acc))
			continue;
		out[k].acc = acc;
		out[k].row = row_of(rows, acc);
		for (size_t i = 0; out[k].row != NULL && i < view->n; i++) {
			if (!claimed[i] && mm_streq(view->accounts[i].key, out[k].row->key))
				claim(&out[k], view, i, claimed);
		}
	}
	for (size_t k = 0; k < sheet->n_accounts; k++) {
		for (size_t i = 0; out[k].acc != NULL && out[k].seen == NULL && i < view->n; i++) {
			if (!claimed[i] && adoptable(out[k].acc, &view->accounts[i]))
				claim(&out[k], view, i, claimed);
		}
	}
}
