/*
 * The accounts of a file in the grammar of msmtp and mpop, with what each
 * inherits: `account a : b, c` takes over what b and c (in this order) set or
 * inherited, the last of several keys wins, `defaults` counts for the
 * accounts behind it and comes last. Tried against mpop 1.4.18, msmtp 1.8.23.
 */
#ifndef MM_AGENT_CLIENTS_STANZAS_H
#define MM_AGENT_CLIENTS_STANZAS_H

#include "agent/clients/keys.h"

#define MM_STANZA_KEYS_MAX 32

struct mm_stanza {
	const char *name, *parents;
	const char *path;
	const char *const *keys;
	bool has_keys, by_eval;
	const struct mm_item *own[MM_STANZA_KEYS_MAX], *dflt[MM_STANZA_KEYS_MAX];
	/* the line of an eval behind it, which may have set it otherwise; 0: none */
	int unsure[MM_STANZA_KEYS_MAX], dflt_unsure[MM_STANZA_KEYS_MAX];
};

struct mm_stanzas {
	struct mm_stanza *v;
	size_t n, cap;
	const struct mm_item *dflt[MM_STANZA_KEYS_MAX];
	int unsure[MM_STANZA_KEYS_MAX]; /* of the defaults */
	const char *broken;             /* NULL, or why the program refuses the whole file */
};

/* `keys`: those that count, NULL-terminated, at most MM_STANZA_KEYS_MAX. What
 * makes `label` refuse the file beside its grammar is an error, or a trap of `view`
 * where the output of a command may have mended it.
 * An absent file has no accounts. */
int mm_stanzas_load(struct mm_reader *r, const char *path, const char *const *keys, const char *label,
    struct mm_stanzas *out, struct mm_view *view, struct mm_err *err);
struct mm_stanza *mm_stanza_named(const struct mm_stanzas *c, const char *name);
/* `account default : x`: another name, no account. */
bool mm_stanza_is_alias(const struct mm_stanza *s);
/* A new account at the end of the file, before anything is set in it. */
struct mm_stanza mm_stanza_fresh(const struct mm_stanzas *c, const char *path, const char *const *keys);
/* ctx: a struct mm_stanza. */
mm_key_get mm_stanza_get;
bool mm_stanza_given(struct mm_native v); /* set, and not to nothing */
bool mm_stanza_on(struct mm_native v, bool dflt);
/* Could the output of a command set this key otherwise? Then `seen`, which is
 * made of it, is a guess; with `open` until the key is written. */
void mm_stanza_doubt(const struct mm_stanza *s, const char *key, bool open, struct mm_seen *seen);

/* Security and port, of tls, tls_starttls and port; the usual ports are those of `protocol`. */
void mm_stanza_see_security(const struct mm_stanza *s, enum mm_setting security, enum mm_setting port,
    const char *protocol, struct mm_seen_account *acc);
/* Keys that win over others whatever those say: password, socket. */
void mm_stanza_see_over(const struct mm_stanza *s, enum mm_setting command, enum mm_setting host,
    enum mm_setting port, const char *note, struct mm_seen_account *acc);
/* What is wrong whatever the policy says. `clear`: the words of auth, parted
 * by blanks, that send the password as it is. */
void mm_stanza_traps(const struct mm_stanza *s, const char *clear, struct mm_arena *a, struct mm_view *out);
/* tls and tls_starttls. */
void mm_stanza_want_security(
    const char *security, const char *section, struct mm_edit_list *l, struct mm_arena *a);

/* Edits for a new account; its name. The first account of all becomes the default, too. */
const char *mm_stanza_add(
    const struct mm_stanzas *c, const struct mm_change *ch, struct mm_edit_list *l, struct mm_arena *a);
void mm_stanza_add_default(const struct mm_stanzas *c, const struct mm_change *ch, const char *key,
    struct mm_edit_list *l, struct mm_arena *a);
/* What else goes with an account that we made; an error when another account inherits from it. */
int mm_stanza_remove(const struct mm_stanzas *c, const char *key, struct mm_edit_list *l, struct mm_arena *a,
    struct mm_err *err);

#endif
