/*
 * What the audit log vouches for: the findings and login checks of each place
 * (a user on a host), those that are open and those that have ended. A report
 * that changed rows of a place has in its entry "NAME:DIGEST"; the newest one
 * of a NAME counts.
 *
 * NAME is the first half of the SHA-256 over salt, host and user, DIGEST the
 * SHA-256 over the format, salt, host, user, the digest of what has ended (past.c) and every
 * value of every open row in order, each as LENGTH ":" TEXT "\n", or "-\n" where there is none;
 * "-" = no row is left. In the first format nothing is said of what has ended. The salt stands in `vouched`
 * and goes when a person is erased: neither says anything then. An entry of pruning has "NAME:DIGEST:HOST"
 * for those whose entries went.
 */
#ifndef MM_CONTROLLER_STORE_VOUCH_H
#define MM_CONTROLLER_STORE_VOUCH_H

#include "controller/store/internal.h"

#define MM_VOUCH_FORMAT "mailmuster-place-2\n"
#define MM_VOUCH_FORMAT_1 "mailmuster-place-1\n"
#define MM_PAST_UNKNOWN "?" /* in `vouched`: nobody has looked yet */
#define MM_VOUCH_NAME 33    /* with the NUL */
#define MM_VOUCH_LINES 4096 /* in one entry; more go into further ones */

void mm_vouch_name(const char *salt, const char *host, const char *user, char out[MM_VOUCH_NAME]);
struct mm_vouch_place {
	const char *salt, *host, *user;
	const char *past; /* "" = nothing has ended; NULL = the first format */
};
/* The digest of the rows as they are; *open = how many of them are. */
int mm_vouch_digest(struct mm_store *s, const struct mm_vouch_place *p, char out[MM_SHA256_HEX],
    int64_t *open, struct mm_err *err);
/* Every column of the present row but the first, whatever it is. */
void mm_vouch_row(struct mm_q *q, struct mm_buf *scratch, struct mm_sha256_ctx *sum);

/* past.c: the digest of all that has ended there, "" when nothing has; and how many rows. */
int mm_past_all(struct mm_store *s, const char *host, const char *user, char past[MM_SHA256_HEX],
    int64_t *rows, struct mm_err *err);
/* That of what had ended before becomes that with what `entry` has ended, at `closed`. */
int mm_past_add(struct mm_store *s, const char *host, const char *user, int64_t closed, int64_t entry,
    char past[MM_SHA256_HEX], struct mm_err *err);

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

/* Of all places of a host, whose rows `entry` has ended at `now`. */
int mm_vouch_host_ends(struct mm_store *s, const char *host, int64_t now, int64_t entry,
    struct mm_vouch_list *out, struct mm_err *err);
/* Of the places whose rows the report changed; their summaries (`places`) are written, too. */
int mm_intake_vouch(struct mm_intake *t, struct mm_vouch_list *out, struct mm_err *err);
/* The names of a person's places, before they are erased. */
int mm_vouch_of_user(struct mm_store *s, const char *user, struct mm_vouch_list *out, struct mm_err *err);
/* What entries up to `to` vouch for and no later one does (vouched.c). */
int mm_vouch_carried(struct mm_store *s, int64_t to, struct mm_vouch_list *out, struct mm_err *err);

#endif
