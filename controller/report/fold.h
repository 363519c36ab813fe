/*
 * Rows of one kind, folded: how many there are, and the first of them.
 *
 * A page that shows 100,000 workstations shows what is wrong, how often, and
 * some places to begin with; the whole list is in the other formats. A list
 * holds at most MM_FOLDS_MAX folds (what comes after is counted in `left`), a
 * fold some places of each class (`kept`); everything lies in the arena.
 */
#ifndef MM_CONTROLLER_REPORT_FOLD_H
#define MM_CONTROLLER_REPORT_FOLD_H

#include "common/mem.h"
#include "controller/store/store.h"

#define MM_FOLDS_MAX 256

enum mm_class { MM_CLASS_FAIL, MM_CLASS_WAIVED, MM_CLASS_UNSURE, MM_CLASS_COUNT };
#define MM_KEPT_FAIL 12
#define MM_KEPT_WAIVED 5
#define MM_KEPT_UNSURE 5

/* Texts may be NULL or "". */
struct mm_fold_place {
	const char *host, *user, *account;
	const char *path; /* or the server */
	int line;         /* or its port */
	const char *found, *wanted;
	const char *mark, *word; /* how it went: class of the style sheet, word; not copied */
	const char *why;
	int64_t since, seen;
	bool stale, claimed;
	struct mm_waiver_of waiver;
};

struct mm_fold {
	const char *key, *sub;   /* what its rows have in common */
	const char *text, *todo; /* said of it, and what to do */
	bool todo_of_fail;       /* what to do was said of what fails */
	int64_t n[MM_CLASS_COUNT];
	int64_t users, hosts; /* (host, user) pairs; rows come in their order */
	int64_t expired;      /* waivers that have run out, of MM_CLASS_FAIL and _UNSURE */
	struct mm_fold_place *kept[MM_CLASS_COUNT];
	size_t n_kept[MM_CLASS_COUNT];
	char last_host[MM_REPORT_NAME_MAX + 1], last_user[MM_REPORT_NAME_MAX + 1];
};

struct mm_folds {
	struct mm_fold **v;
	size_t n, cap;
	int64_t left; /* rows of folds that did not find room */
};

/* The fold of this key; made when there is room, else NULL and counted. */
struct mm_fold *mm_fold_of(struct mm_folds *l, const char *key, const char *sub, struct mm_arena *a);
void mm_fold_add(struct mm_fold *f, enum mm_class c, const struct mm_fold_place *p, struct mm_arena *a);
/* Add what was folded of the workstations that come next; its places lie in its own arena still. */
void mm_folds_join(struct mm_folds *l, const struct mm_folds *more, struct mm_arena *a);
/* Worst first. */
void mm_folds_sort(struct mm_folds *l);
int64_t mm_fold_rows(const struct mm_fold *f);

#endif
