/*
 * A client as a table: which key holds which setting, with the words of both
 * sides, read in both directions; and what every adapter of one file needs
 * besides (where the file is, what the program cannot do, an overriding key).
 *
 * Everything returned lives in the arena that is given, or is constant.
 */
#ifndef MM_AGENT_CLIENTS_KEYS_H
#define MM_AGENT_CLIENTS_KEYS_H

#include "agent/clients/adapter.h"

struct mm_native {        /* a value as it stands in a file */
	const char *text; /* NULL: not set */
	const char *path;
	int line;
};

/* One word in both languages. Reading takes the first row whose `native`
 * is the text (without regard to case), writing the first row whose `canon`
 * is the value. A word without `canon` means that nothing is set. Ends with
 * {NULL, NULL}. */
struct mm_word {
	const char *native, *canon;
};
extern const struct mm_word mm_words_yes_no[]; /* yes, on, true, 1 and their opposites */

struct mm_key {
	enum mm_setting s;
	const char *key;
	const char *also; /* NULL, or a second key that gets the same value (certificate and key) */
	const struct mm_word *words; /* NULL: as it stands */
	const char *dflt;            /* canonical: what the program does without the key; NULL: nothing */
	bool shell;                  /* a command line for /bin/sh */
	char kind;                   /* 0 = 's': how the editor spells it */
};

/* How a key's effective value is found; `ctx` is the adapter's. */
typedef struct mm_native mm_key_get(const void *ctx, const char *key);

/* What an empty document or a section of it says; for mm_keys_see(). */
struct mm_in_section {
	const struct mm_doc *doc;
	const char *section;
	const char *path;
};
mm_key_get mm_get_in_section;

/* Fill in one setting: `value` canonical, `v` where it comes from. */
void mm_see(struct mm_seen_account *acc, enum mm_setting s, struct mm_native v, const char *value);
/* All settings of the table. */
void mm_keys_see(const struct mm_key *keys, size_t n, mm_key_get *get, const void *ctx, struct mm_arena *a,
    struct mm_seen_account *acc);
/* Something stands in the file that wins over this setting. */
void mm_see_over(struct mm_seen *seen, struct mm_native by, const char *name, const char *note);

/* Nothing of the whole account is in effect: so it stands over every setting
 * of the sides that it has. */
void mm_see_all_over(struct mm_seen_account *acc, struct mm_native by, const char *name);
/* `value` may not be what is in effect, and nobody can tell without trying. */
void mm_see_unsure(struct mm_seen *seen, struct mm_native at, const char *why);
/* "'label' TEXT", of this account. */
struct mm_trap *mm_trap_of(struct mm_arena *a, struct mm_view *out, enum mm_trap_kind kind,
    struct mm_native at, const struct mm_seen_account *acc, const char *text);
/* A POP3 account that does not leave mail on the server; `path` is where that
 * would be said, where nothing is. */
void mm_trap_deletes(
    struct mm_arena *a, struct mm_view *out, const struct mm_seen_account *acc, const char *path);
/* A certificate exception for this host is stored in the file: a trap for each account on it. */
void mm_trap_exception(struct mm_arena *a, struct mm_view *out, struct mm_native at, const char *host);

/* A file into which the program writes certificates that somebody accepted by
 * hand, and which says nothing of hosts: a trap where it holds `mark`. */
void mm_trap_accepted(
    struct mm_reader *r, struct mm_view *out, const char *path, const char *mark, const char *label);
/* A file of its own in which the program keeps passwords in clear: a trap where
 * it holds `mark`. */
void mm_trap_kept(
    struct mm_reader *r, struct mm_view *out, const char *path, const char *mark, const char *label);
#define MM_PEM_MARK "-----BEGIN CERTIFICATE-----"

/* Edits for all settings of the table that `want` names. */
int mm_keys_want(const struct mm_key *keys, size_t n, const struct mm_values *want, const char *section,
    struct mm_edit_list *l, struct mm_arena *a, struct mm_err *err);
void mm_want_set(
    struct mm_edit_list *l, struct mm_arena *a, const char *section, const char *key, const char *value);

/* The word of the other side, or NULL. */
const char *mm_word_canon(const struct mm_word *w, const char *native);
const char *mm_word_native(const struct mm_word *w, const char *canon);

/* What a client cannot hold. Looked up in order; ends with a row without `why`. */
struct mm_cannot {
	enum mm_setting s;
	const char *only; /* NULL: no value at all; else the values that it can hold, parted by blanks */
	const char *why;  /* one sentence, or MM_CLIENT_NOT_ITS_BUSINESS */
};
/* Is it one of the words, parted by blanks? */
bool mm_among(const char *list, const char *value);
const char *mm_cannot(const struct mm_cannot *rows, enum mm_setting s, const char *value);

/* The login check speaks with the server itself. */
#define MM_THROUGH_PROXY "goes through a proxy; the login check does not, and says nothing of that way."

/* Nothing that this product writes makes a program delete mail. */
#define MM_FETCHER_NEVER_DELETES                                                                             \
	"Fetched mail always stays on the server: no setting that deletes mail is written here."
#define MM_FETCHER_HAS_NO_IDENTITY "This program only fetches mail; it has no identity."
/* The rows of a program that only fetches. */
#define MM_CANNOT_IDENTITY                                                                                   \
	{MM_SET_ADDRESS, NULL, MM_FETCHER_HAS_NO_IDENTITY},                                                  \
	    {MM_SET_REAL_NAME, NULL, MM_FETCHER_HAS_NO_IDENTITY},                                            \
	    {MM_SET_REPLY_TO, NULL, MM_FETCHER_HAS_NO_IDENTITY},                                             \
	{                                                                                                    \
		MM_SET_ORGANISATION, NULL, MM_FETCHER_HAS_NO_IDENTITY                                        \
	}

/* The same of both sides: CA_FILE, PIN ... */
#define MM_CANNOT_PAIR(key_, why_)                                                                           \
	{MM_SET_IN_##key_, NULL, why_},                                                                      \
	{                                                                                                    \
		MM_SET_OUT_##key_, NULL, why_                                                                \
	}

/* The rows of a program that has no folder roles. */
#define MM_CANNOT_FOLDERS(why_)                                                                              \
	{MM_SET_FOLDER_SENT, NULL, why_}, {MM_SET_FOLDER_DRAFTS, NULL, why_},                                \
	    {MM_SET_FOLDER_TRASH, NULL, why_},                                                               \
	{                                                                                                    \
		MM_SET_FOLDER_JUNK, NULL, why_                                                               \
	}

/* Of several places the first that is there is the one in use; without any,
 * `fresh` is offered where `create` says so and the program is installed. */
int mm_find_first(struct mm_reader *r, const char *program, const char *const *paths, size_t n_paths,
    const char *fresh, bool create, struct mm_place **places, size_t *n);

/* `name`, or with -2, -3 ... behind it: the first for which taken() is false. */
const char *mm_free_name(
    const char *name, bool (*taken)(const void *ctx, const char *name), const void *ctx, struct mm_arena *a);

/* Parse the file with the format; an absent file is an empty document. */
int mm_load_doc(
    struct mm_reader *r, const char *path, const struct mm_format *f, struct mm_doc *out, struct mm_err *err);

/* A file whose sections are accounts: one for each header that is_account()
 * takes and that did not come before; see() fills it in and adds traps. */
struct mm_sections {
	const struct mm_format *format;
	bool (*is_account)(const struct mm_doc *d, const struct mm_item *header);
	void (*see)(struct mm_seen_account *acc, const struct mm_in_section *in, struct mm_arena *a,
	    struct mm_view *out);
};
int mm_read_sections(struct mm_reader *r, const struct mm_place *p, const struct mm_sections *how,
    struct mm_doc *doc, struct mm_view *out, struct mm_err *err);
/* The account of that native name in a view, or NULL. */
const struct mm_seen_account *mm_seen_named(const struct mm_view *view, const char *key);

#endif
