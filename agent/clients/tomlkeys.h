/*
 * keys.h over a TOML file: the key "backend.host" of the section
 * "accounts.work" is the key "host" of the table accounts.work.backend,
 * wherever that stands (agent/formats/toml.h).
 */
#ifndef MM_AGENT_CLIENTS_TOMLKEYS_H
#define MM_AGENT_CLIENTS_TOMLKEYS_H

#include "agent/clients/keys.h"
#include "agent/formats/toml.h"

struct mm_toml_at {
	const struct mm_doc *doc;
	const char *section, *path;
	struct mm_arena *a;
	/* NULL, or pairs of two names for one key, of which the file has the one or the other; ends with
	 * {NULL, NULL}. The first is written where neither is there. */
	const char *const (*names)[2];
};

/* The item of a key under either of its names, or NULL. */
const struct mm_item *mm_toml_find(const struct mm_toml_at *at, const char *key);
bool mm_toml_has_table(const struct mm_toml_at *at, const char *key);
mm_key_get mm_get_toml; /* `ctx` is a struct mm_toml_at */
/* A key that is true. */
bool mm_toml_yes(const struct mm_toml_at *at, const char *key);

/* The tables right below `prefix` ("" = the root), in order, as they are spelled. */
const char *const *mm_toml_tables(const struct mm_doc *d, const char *prefix, struct mm_arena *a, size_t *n);

/* A string, array of strings or table of a command as an argument vector;
 * `pipe`: an array is a pipeline of shell commands, and not a vector. */
const char *mm_toml_command(const struct mm_item *it, bool pipe, struct mm_arena *a);

void mm_toml_want(
    const struct mm_toml_at *at, struct mm_edit_list *l, const char *key, char kind, const char *value);
void mm_toml_drop(const struct mm_toml_at *at, struct mm_edit_list *l, const char *key);
/* mm_keys_want() for such keys. */
int mm_toml_keys_want(const struct mm_key *keys, size_t n, const struct mm_values *want,
    const struct mm_toml_at *at, struct mm_edit_list *l, struct mm_err *err);

/* All settings of that side are another program's. */
void mm_see_side_over(
    struct mm_seen_account *s, struct mm_native by, enum mm_side side, const char *name, const char *note);

/* The version of a program that cargo installed for the user ("1.2.0"), from
 * cargo's own list ($CARGO_HOME/.crates.toml); NULL: not known. */
const char *mm_cargo_version(struct mm_reader *r, const char *program);

#endif
