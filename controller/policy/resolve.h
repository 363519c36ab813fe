/*
 * From a policy and a person to what that person must have on a host, with
 * the trail of every value: each layer that said something, where, and why
 * it won or lost. Pure: no file, no clock, no store.
 *
 * Layers: built-in < organisation < groups by priority < host < user. A
 * setting that is `final` keeps the value of the lowest layer that says
 * something (built-in values do not count).
 *
 * Accounts come in the order in which layers give them: groups by rising
 * priority (then by name), host, user; so the first is the main one.
 */
#ifndef MM_POLICY_RESOLVE_H
#define MM_POLICY_RESOLVE_H

#include "controller/policy/policy.h"
#include "controller/policy/template.h"
#include "schemas/sheet.h"

enum mm_trail_verdict {
	MM_TRAIL_WON,
	MM_TRAIL_OVERRIDDEN,
	MM_TRAIL_BLOCKED, /* by final */
	MM_TRAIL_NOT_APPLICABLE,
	MM_TRAIL_COUNT
};
const char *mm_trail_verdict_name(enum mm_trail_verdict v);

struct mm_trail_step {
	enum mm_layer layer;
	const char *name; /* of the group, host or user; "" otherwise */
	int priority;     /* groups */
	struct mm_origin at;
	const char *written; /* before expansion; NULL: unset */
	const char *value;   /* after it; NULL: unset, or it cannot be filled in */
	const char *trouble; /* why it cannot be, or NULL */
	enum mm_trail_verdict verdict;
	const char *why; /* "won", "overridden by group sales (policy.conf:12)" ... */
};

struct mm_trail {
	struct mm_trail_step *steps; /* weakest first */
	size_t n, cap;
	const char *value;                  /* what holds; NULL: the policy does not say */
	const struct mm_trail_step *winner; /* NULL when nothing won */
};

struct mm_resolved_account {
	const struct mm_paccount *account;
	struct mm_trail set[MM_SET_COUNT];
};

struct mm_resolved_client {
	const char *name;
	struct mm_trail mode;                  /* values are mode words */
	struct mm_trail scope;                 /* user or system */
	struct mm_trail setting[MM_SET_COUNT]; /* no winner: as mode */
};

struct mm_resolved {
	const struct mm_policy *policy;
	const char *user, *host; /* host may be NULL */
	struct mm_resolved_account *accounts;
	size_t n_accounts;
	struct mm_resolved_client *clients; /* by name */
	size_t n_clients;
	struct mm_trail create;
};

/* Steps also for groups that the user is not in and for hosts other than
 * `host`, as not applicable, and `why` in full ("overridden" without it). For
 * explain: it costs time in big policies. */
#define MM_RESOLVE_EXPLAIN 0x1u

/* -1: the policy cannot hold for this user; every reason is a diagnostic and
 * *out is not set. Groups that the policy does not name are ignored. */
int mm_resolve(const struct mm_policy *p, const struct mm_subject *u, const char *host, unsigned flags,
    struct mm_arena *a, struct mm_resolved **out, struct mm_diags *d);

/* What the system's files of a host have to say, gathered from its users one
 * by one: the accounts that everybody has who has a client with the scope
 * "system", with the values that are the same for all of them. */
struct mm_hostwide {
	struct mm_arena *a;
	bool any;
	struct mm_sheet base;
	struct mm_account *accounts;
	const struct mm_paccount **of;
	size_t n;
	struct mm_client_rule *rules;
	size_t n_rules;
};
void mm_hostwide_init(struct mm_hostwide *h, struct mm_arena *a);
/* A user twice: as what he is, and with MM_SYSTEM_LOGIN where the login
 * belongs (login_text of struct mm_subject). Both may go afterwards, the
 * policy may not. */
void mm_hostwide_add(
    struct mm_hostwide *h, const struct mm_resolved *as_is, const struct mm_resolved *as_any);
/* False: nobody has a client with that scope. Borrows from `h`. */
bool mm_hostwide_sheet(struct mm_hostwide *h, int64_t revision, struct mm_sheet *out);
/* What is sent to the workstation. Strings are borrowed from `r` and its
 * policy. */
struct mm_sheet mm_resolve_sheet(const struct mm_resolved *r, int64_t revision, struct mm_arena *a);

struct mm_membership {
	const char *login;
	const char *const *groups; /* NULL-terminated */
};

/* Groups of equal priority that want different things of somebody who is in
 * both: one error per setting, naming both lines and one such user. Returns
 * how many were found. */
size_t mm_policy_conflicts(
    const struct mm_policy *p, const struct mm_membership *m, size_t n, struct mm_diags *d);

#endif
