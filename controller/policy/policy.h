/*
 * A policy: what an admin wrote, read, checked and ready to be resolved.
 *
 * The language is libconfig's grammar with the keys of DESIGN.md and
 * mailmuster-policy(5). Everything that was written keeps its file:line.
 * Settings of endpoints, accounts and overrides come from the settings table
 * (schemas/settings.h): a new setting there is a new key here.
 *
 * All memory of a policy lies in the arena that it was loaded into.
 */
#ifndef MM_POLICY_POLICY_H
#define MM_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/digest.h"
#include "controller/policy/diag.h"
#include "schemas/settings.h"
#include "schemas/sheet.h"
#include "schemas/state.h"

#define MM_POLICY_FORMAT 1
#define MM_PRIORITY_MAX 9999
#define MM_APPROVALS_MAX 16
#define MM_REPLACES_MAX 64 /* host names in one `replaces` */

/* The layers, weakest first. */
enum mm_layer {
	MM_LAYER_BUILTIN,
	MM_LAYER_ORGANISATION, /* endpoints, accounts and rules */
	MM_LAYER_GROUP,
	MM_LAYER_HOST,
	MM_LAYER_USER,
	MM_LAYER_COUNT
};
const char *mm_layer_name(enum mm_layer l);

/* A text that was written somewhere. at.file NULL: it was not written. */
struct mm_said {
	const char *text;
	struct mm_origin at;
};

struct mm_said_list {
	struct mm_said *items;
	size_t n, cap;
};

/* What was written for one setting. `text` is canonical, or as written where
 * there are placeholders; NULL with a place means "unset" (an override takes
 * the value away). Lists of arguments are compact JSON. */
struct mm_pvalue {
	const char *text;
	struct mm_origin at;
	bool template;
};

struct mm_block {
	struct mm_pvalue v[MM_SET_COUNT];
};

struct mm_endpoint {
	struct mm_said name;
	enum mm_side side;   /* by its protocol; MM_SIDE_COUNT when that is wrong */
	struct mm_block set; /* rows of `side` only */
};

struct mm_paccount {
	struct mm_said name;
	struct mm_said label, renamed_from;
	struct mm_said_list replaces;
	struct mm_said incoming, outgoing; /* names of endpoints */
	/* Identity, and the rows of both endpoints: the organisation's layer. */
	struct mm_block set;
};

struct mm_override {
	struct mm_said account;
	struct mm_block *set;
};

struct mm_pmode {
	int mode; /* enum mm_mode, -1 when not said */
	struct mm_origin at;
};

struct mm_pclient {
	struct mm_said name;
	struct mm_pmode mode;
	struct mm_pmode scope;    /* enum mm_reach */
	struct mm_pmode *setting; /* MM_SET_COUNT of them */
};

/* A group, a host or a user of the policy: all three can say the same. */
struct mm_scope {
	enum mm_layer layer;
	struct mm_said name;
	int priority; /* groups only */
	struct mm_origin priority_at;
	struct mm_said_list accounts;
	struct mm_override *overrides;
	size_t n_overrides, cap_overrides;
	struct mm_pclient *clients;
	size_t n_clients, cap_clients;
	int create; /* enum mm_create, -1 when not said */
	struct mm_origin create_at;
};

struct mm_scopes { /* sorted by name once loaded */
	struct mm_scope *items;
	size_t n, cap;
};

struct mm_rules {
	bool allow_cleartext;
	const char *tls_min;
	enum mm_level check;
	int approvals;     /* how many others must approve a revision */
	bool discover_all; /* a discover tells accounts in full that the policy does not know */
	struct mm_origin allow_cleartext_at, tls_min_at, check_at, approvals_at, discover_at;
};

/* What the policy is judged by: a compliance baseline, and what is changed of it.
 * Only its form is checked here: controller/checks knows what there is. */
struct mm_ptailor {
	struct mm_said check;
	struct mm_said severity;
	int threshold; /* -1 when not said */
	struct mm_origin threshold_at;
	struct mm_said off; /* why it is not looked at */
};

struct mm_paudit {
	struct mm_said baseline; /* text NULL: not said */
	struct mm_ptailor *tailor;
	size_t n, cap;
};

struct mm_policy {
	const char *name; /* of the file */
	const char *text; /* with its includes resolved: what a revision stores */
	size_t len;
	char sha256[MM_SHA256_HEX]; /* of text */
	struct mm_said organisation, domain;
	struct mm_endpoint *endpoints;
	size_t n_endpoints, cap_endpoints;
	struct mm_paccount *accounts; /* as written */
	size_t n_accounts, cap_accounts;
	struct mm_scopes groups, hosts, users;
	struct mm_origin final[MM_SET_COUNT]; /* file NULL: not final */
	struct mm_rules rules;
	struct mm_paudit audit;
};

struct mm_known_route { /* a client that can be set up through the system's files */
	const char *client;
	bool identity;       /* writes names of people */
	const char *why_not; /* it cannot, though there are such files: why; else NULL */
};

struct mm_policy_opts {
	/* Adapters that exist, NULL-terminated; NULL: any name is taken. */
	const char *const *known_clients;
	/* The last has no name; NULL: any client may have scope = "system". */
	const struct mm_known_route *known_routes;
	/* The text is a revision that was accepted once: what the checks say
	 * now are warnings. Grammar, types and ranges stay errors. */
	bool stored;
};

/* Read, check. -1: there are errors in `diags` (sorted; each one line, code
 * MM_EX_DATAERR) and *out is not set. 0: there may be warnings. `opts` may be
 * NULL. Includes are read below the folder of `path` only. */
int mm_policy_load_file(const char *path, const struct mm_policy_opts *opts, struct mm_arena *a,
    struct mm_policy **out, struct mm_diags *diags);
/* The same for a stored text; `name` is the main file's. */
int mm_policy_load_text(const char *name, const char *text, size_t len, const struct mm_policy_opts *opts,
    struct mm_arena *a, struct mm_policy **out, struct mm_diags *diags);

/* Does anybody have a client with scope = "system"? */
bool mm_policy_has_hostwide(const struct mm_policy *p);
/* Lower-case hex over the text with its includes resolved. */
const char *mm_policy_sha256(const struct mm_policy *p);

/* NULL when there is none of this name. */
const struct mm_endpoint *mm_policy_endpoint(const struct mm_policy *p, const char *name);
const struct mm_paccount *mm_policy_account(const struct mm_policy *p, const char *name);
const struct mm_scope *mm_scope_find(const struct mm_scopes *s, const char *name);
const struct mm_override *mm_scope_override(const struct mm_scope *s, const char *account);
const struct mm_pclient *mm_scope_client(const struct mm_scope *s, const char *client);

/* Same value, however it was written? For templates: the same text. */
bool mm_pvalue_equal(enum mm_setting s, const struct mm_pvalue *x, const struct mm_pvalue *y);

#endif
