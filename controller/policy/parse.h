/*
 * Inside controller/policy: from libconfig's tree to struct mm_policy.
 * parse.c has the blocks, parse_scope.c groups, hosts and users,
 * parse_value.c single values, parse_audit.c the audit block. Only these and parse.h
 * know libconfig.
 *
 * Every function reports into p->diags and goes on, so that all errors of a
 * file are listed.
 */
#ifndef MM_POLICY_PARSE_H
#define MM_POLICY_PARSE_H

#include <libconfig.h>

#include "controller/policy/policy.h"
#include "controller/policy/source.h"

struct mm_parser {
	const struct mm_source *src;
	struct mm_arena *arena;
	struct mm_arena *scratch; /* names of places for messages; freed after reading */
	struct mm_diags *diags;
	struct mm_policy *policy;
	const struct mm_policy_opts *opts;
};

/* A key of a block. `what` names the block for messages: "group sales". */
struct mm_key {
	const char *name;
	void (*read)(struct mm_parser *p, config_setting_t *s, void *into, const char *what);
};

/* ---- parse.c */
/* Fill p->policy from a text that mm_scan() has passed. */
void mm_parse_policy(struct mm_parser *p, const char *clean);

struct mm_origin mm_parse_at(const struct mm_parser *p, const config_setting_t *s);
/* Was the name ("*N") or the value (MM_SCAN_BAD) reported before? */
bool mm_parse_skip(const config_setting_t *s);
bool mm_parse_bad(const config_setting_t *s);
/* Is it a { } group? Reports when not. */
bool mm_parse_is_block(struct mm_parser *p, config_setting_t *s, const char *what);
/* Read a block of named blocks: use() gets each with what to call it, kind and
 * name ("group staff"). */
void mm_parse_named(struct mm_parser *p, config_setting_t *s, void *into, const char *what, const char *kind,
    void (*use)(struct mm_parser *p, config_setting_t *x, void *into, const char *who));
/* Read every member of a block through its key; the table ends with a NULL
 * name. Reports unknown keys with the nearest known one. */
void mm_parse_keys(
    struct mm_parser *p, config_setting_t *block, const struct mm_key *keys, void *into, const char *what);
/* An unknown key: also looks whether it wants to hold a secret. `known` ends
 * with NULL. */
void mm_parse_unknown(
    struct mm_parser *p, const config_setting_t *s, const char *what, const char *const *known);

/* ---- parse_value.c: -1 when reported */
int mm_parse_text(struct mm_parser *p, config_setting_t *s, const char *what, struct mm_said *out);
int mm_parse_number(
    struct mm_parser *p, config_setting_t *s, const char *what, int64_t min, int64_t max, int *out);
int mm_parse_bool(struct mm_parser *p, config_setting_t *s, const char *what, bool *out);
/* A word of a table: `by_name` gives its number or -1; `words` is for the message. */
int mm_parse_word(struct mm_parser *p, config_setting_t *s, const char *what, int (*by_name)(const char *),
    const char *words, int *out);
/* A list of texts. Duplicates are reported. */
void mm_parse_list(struct mm_parser *p, config_setting_t *s, const char *what, struct mm_said_list *out);
/* One setting of the table. */
void mm_parse_setting(
    struct mm_parser *p, config_setting_t *s, enum mm_setting set, const char *what, struct mm_pvalue *out);

/* ---- parse_scope.c */
void mm_parse_groups(struct mm_parser *p, config_setting_t *s, void *into, const char *what);
void mm_parse_hosts(struct mm_parser *p, config_setting_t *s, void *into, const char *what);
void mm_parse_users(struct mm_parser *p, config_setting_t *s, void *into, const char *what);

/* ---- parse_audit.c */
void mm_parse_audit(struct mm_parser *p, config_setting_t *s, void *into, const char *what);

#endif
