/*
 * Inside controller/policy: the layers of one user, and how a trail is
 * judged. Shared by resolve.c and resolve_client.c.
 */
#ifndef MM_POLICY_LAYERS_H
#define MM_POLICY_LAYERS_H

#include "controller/policy/resolve.h"

struct mm_layers {
	const struct mm_scope **scopes; /* that apply, weakest first */
	size_t n, cap;
	const struct mm_scope **others; /* that do not; only for explain */
	size_t n_others, cap_others;
	bool explain; /* somebody will read why */
};

/* The scopes of a user on a host (NULL: on none in particular). */
void mm_layers_of(const struct mm_policy *p, const struct mm_subject *u, const char *host, bool explain,
    struct mm_arena *a, struct mm_layers *out);

struct mm_trail_step *mm_trail_add(struct mm_trail *t, struct mm_arena *a, enum mm_layer layer,
    const struct mm_scope *scope, struct mm_origin at, const char *written, const char *value);
/* For a scope of `others`. */
void mm_trail_add_other(struct mm_trail *t, struct mm_arena *a, const struct mm_scope *scope,
    struct mm_origin at, const char *written, const char *user);
/* Decide who wins; `final` (file NULL: no) blocks what is above the lowest. `words` is
 * where it is written why, NULL when nobody reads that: a push resolves everybody. */
void mm_trail_judge(struct mm_trail *t, struct mm_arena *words, struct mm_origin final);
/* Nothing of it applies, because. */
void mm_trail_drop(struct mm_trail *t, struct mm_arena *words, const char *because);
/* "group sales (policy.conf:12)" */
const char *mm_trail_who(const struct mm_trail_step *s, struct mm_arena *a);

/* Groups of equal priority? */
bool mm_scopes_tie(const struct mm_scope *x, const struct mm_scope *y);

/* What a group wants of something, for messages. */
struct mm_wish {
	const struct mm_scope *scope;
	struct mm_origin at;
	const char *text; /* NULL: unset */
};
/* `what`: "incoming.port of account work"; `others`: how many more users than
 * `login` are in both groups. */
void mm_conflict_report(struct mm_diags *d, const char *what, const struct mm_wish *x,
    const struct mm_wish *y, const char *login, size_t others);

/* ---- resolve_client.c: clients and create of one user */
void mm_resolve_clients(
    struct mm_resolved *r, const struct mm_layers *l, struct mm_arena *a, struct mm_diags *d);
/* The parts of a sheet. */
void mm_sheet_account_of(const struct mm_resolved_account *r, struct mm_account *out, struct mm_arena *a);
void mm_sheet_rule_of(const struct mm_resolved_client *r, struct mm_client_rule *out);

#endif
