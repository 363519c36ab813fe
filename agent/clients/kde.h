/*
 * KDE's configuration as its programs read it: files of one name laid over
 * each other. Those of the system come first ($XDG_CONFIG_DIRS, /etc/xdg where
 * it is not set, the last of them first), the user's own comes last and wins,
 * but for what is locked above.
 *
 * Sources: src/core/kconfig.cpp of KConfig 5.103, kreadconfig5.
 */
#ifndef MM_AGENT_CLIENTS_KDE_H
#define MM_AGENT_CLIENTS_KDE_H

#include "agent/clients/adapter.h"
#include "agent/formats/kconfig.h"

#define MM_KDE_GROUPS_MAX 512 /* headers of one file; more of them are refused */

struct mm_kde_layer {
	const char *path;
	struct mm_doc doc;
};

struct mm_kde_file {
	const char *path;       /* the user's own */
	struct mm_kde_layer *v; /* in the order in which they are read */
	size_t n;               /* at least 1: the last is the user's own, which may be empty */
};

struct mm_kde_value {
	const char *text; /* NULL: nothing is said, the program's default counts */
	const char *path; /* NULL: it stands nowhere */
	int line;
	const char *over_path; /* locked there, or NULL */
	int over_line;
	/* Where a variable stands that is not known, or a value of its own for one language; or NULL. */
	const char *unsure_path;
	int unsure_line;
	bool language;
};

int mm_kde_load(struct mm_reader *r, const char *name, struct mm_kde_file *out, struct mm_err *err);
struct mm_kde_value mm_kde_get(
    struct mm_reader *r, const struct mm_kde_file *f, const char *group, const char *key);
/* All groups whose names begin so, each once, NULL-terminated. */
const char *const *mm_kde_groups(
    struct mm_reader *r, const struct mm_kde_file *f, const char *prefix, size_t *n);
/* KConfigGroup::readEntry() for bool. */
bool mm_kde_true(const char *text, bool dflt);
/* One more setting of an account: where it stands as the value says. */
void mm_kde_see(struct mm_seen *seen, const struct mm_kde_value *v, const char *canonical);

/* Edits of the user's own file: the group is added where it is not there.
 * `value` NULL: nothing. */
void mm_kde_want(struct mm_reader *r, const struct mm_kde_file *f, struct mm_edit_list *l, const char *group,
    const char *key, const char *value);
/* Everything that stands in the group, or in the whole file with NULL. */
void mm_kde_take_away(
    struct mm_reader *r, const struct mm_kde_file *f, struct mm_edit_list *l, const char *group);

#endif
