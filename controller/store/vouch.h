/*
 * What the audit log vouches for: the open findings and login checks of each
 * place (a user on a host). A report that changed rows of a place has in its
 * entry "NAME:DIGEST"; the newest one of a NAME counts.
 *
 * NAME is the first half of the SHA-256 over salt, host and user, DIGEST the
 * SHA-256 over MM_VOUCH_FORMAT, salt, host, user and every value of every open
 * row in order, each as LENGTH ":" TEXT "\n", or "-\n" where there is none; "-" = no open
 * row is left. The salt stands in `vouched` and goes when a person is erased:
 * neither says anything then. An entry of pruning has "NAME:DIGEST:HOST" for
 * those whose entries went.
 */
#ifndef MM_CONTROLLER_STORE_VOUCH_H
#define MM_CONTROLLER_STORE_VOUCH_H

#include "controller/store/internal.h"

#define MM_VOUCH_FORMAT "mailmuster-place-1\n"
#define MM_VOUCH_NAME 33    /* with the NUL */
#define MM_VOUCH_LINES 4096 /* in one entry; more go into further ones */

void mm_vouch_name(const char *salt, const char *host, const char *user, char out[MM_VOUCH_NAME]);
/* The digest of the rows as they are, "-" when none is open. */
int mm_vouch_digest(struct mm_store *s, const char *salt, const char *host, const char *user,
    char out[MM_SHA256_HEX], struct mm_err *err);

/* Lines for an entry, and how they get there. */
struct mm_vouch_list {
	struct mm_arena *a;
	const char **items;
	size_t n, cap;
};
/* The next part of them, parted by blanks, from *at on, which moves; NULL = no more. In l->a. */
const char *mm_vouch_part(const struct mm_vouch_list *l, size_t *at);
/* What is left of them from `at` on: entries of their own. */
int mm_vouch_note(
    struct mm_store *s, const char *object, const struct mm_vouch_list *l, size_t at, struct mm_err *err);

/* Of the places whose rows the report changed; their summaries (`places`) are written, too. */
int mm_intake_vouch(struct mm_intake *t, struct mm_vouch_list *out, struct mm_err *err);
/* The names of a person's places, before they are erased. */
int mm_vouch_of_user(struct mm_store *s, const char *user, struct mm_vouch_list *out, struct mm_err *err);
/* What entries up to `to` vouch for and no later one does (vouched.c). */
int mm_vouch_carried(struct mm_store *s, int64_t to, struct mm_vouch_list *out, struct mm_err *err);

#endif
