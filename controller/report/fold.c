#include "controller/report/fold.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"

static const size_t room[MM_CLASS_COUNT] = {MM_KEPT_FAIL, MM_KEPT_WAIVED, MM_KEPT_UNSURE};

struct mm_fold *mm_fold_of(struct mm_folds *l, const char *key, const char *sub, struct mm_arena *a)
{
	for (size_t i = 0; i < l->n; i++)
		if (mm_streq(l->v[i]->key, key) && mm_streq(l->v[i]->sub, sub))
			return l->v[i];
	if (l->n >= MM_FOLDS_MAX) {
		l->left++;
		return NULL;
	}
	struct mm_fold **at = mm_arena_push(a, &l->v, &l->n, &l->cap, sizeof(struct mm_fold *));
	*at = mm_arena_alloc(a, 1, sizeof(struct mm_fold));
	(*at)->key = mm_arena_strdup(a, key);
	(*at)->sub = mm_arena_strdup(a, sub);
	return *at;
}

static void count_place(struct mm_fold *f, const struct mm_fold_place *p)
{
	bool same_host = mm_streq(f->last_host, p->host);
	if (mm_fold_rows(f) > 0 && same_host && mm_streq(f->last_user, p->user))
		return;
	f->users++;
	f->hosts += mm_fold_rows(f) == 0 || !same_host;
	snprintf(f->last_host, sizeof(f->last_host), "%s", p->host);
	snprintf(f->last_user, sizeof(f->last_user), "%s", p->user);
}

static struct mm_fold_place copy(const struct mm_fold_place *p, struct mm_arena *a)
{
	struct mm_fold_place c = *p;
	const char **const texts[] = {&c.host, &c.user, &c.account, &c.path, &c.found, &c.wanted, &c.why,
	    &c.waiver.owner, &c.waiver.reason};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = mm_arena_strdup(a, *texts[i]);
	return c;
}

void mm_fold_add(struct mm_fold *f, enum mm_class c, const struct mm_fold_place *p, struct mm_arena *a)
{
	count_place(f, p);
	f->n[c]++;
	f->expired += c != MM_CLASS_WAIVED && p->waiver.id > 0 && p->waiver.expired;
	if (f->n_kept[c] >= room[c])
		return;
	if (f->kept[c] == NULL)
		f->kept[c] = mm_arena_alloc(a, room[c], sizeof(*f->kept[c]));
	f->kept[c][f->n_kept[c]++] = copy(p, a);
}

static void join(struct mm_fold *f, const struct mm_fold *more, struct mm_arena *a)
{
	if (f->text == NULL)
		f->text = more->text;
	if (f->todo == NULL || (f->n[MM_CLASS_FAIL] == 0 && more->todo_of_fail)) {
		f->todo = more->todo;
		f->todo_of_fail = more->todo_of_fail;
	}
	f->users += more->users;
	f->hosts += more->hosts;
	f->expired += more->expired;
	for (enum mm_class c = 0; c < MM_CLASS_COUNT; c++) {
		f->n[c] += more->n[c];
		if (more->n_kept[c] > 0 && f->kept[c] == NULL)
			f->kept[c] = mm_arena_alloc(a, room[c], sizeof(*f->kept[c]));
		for (size_t i = 0; i < more->n_kept[c] && f->n_kept[c] < room[c]; i++)
			f->kept[c][f->n_kept[c]++] = more->kept[c][i];
	}
}

void mm_folds_join(struct mm_folds *l, const struct mm_folds *more, struct mm_arena *a)
{
	for (size_t i = 0; i < more->n; i++) {
		struct mm_fold *f = mm_fold_of(l, more->v[i]->key, more->v[i]->sub, a);
		if (f != NULL)
			join(f, more->v[i], a);
		else
			l->left += mm_fold_rows(more->v[i]) - 1; /* one is counted */
	}
	l->left += more->left;
}

int64_t mm_fold_rows(const struct mm_fold *f)
{
	return f->n[MM_CLASS_FAIL] + f->n[MM_CLASS_WAIVED] + f->n[MM_CLASS_UNSURE];
}

static int worse(const void *x, const void *y)
{
	const struct mm_fold *a = *(struct mm_fold *const *)x, *b = *(struct mm_fold *const *)y;
	static const enum mm_class order[] = {MM_CLASS_FAIL, MM_CLASS_UNSURE, MM_CLASS_WAIVED};
	for (size_t i = 0; i < MM_CLASS_COUNT; i++)
		if (a->n[order[i]] != b->n[order[i]])
			return a->n[order[i]] < b->n[order[i]] ? 1 : -1;
	int rc = strcmp(a->key, b->key);
	return rc != 0 ? rc : strcmp(a->sub, b->sub);
}

void mm_folds_sort(struct mm_folds *l)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(struct mm_fold *), worse);
}
