/*
 * The hash chain of the audit log. An entry's hash is the SHA-256 over
 *
 *     "mailmuster-audit-1\n" then for each of
 *     prev, seq, time, who, action, object, detail, reason, apart
 *     LENGTH ":" TEXT "\n"
 *
 * with numbers in decimal and prev the hash of the entry before, in hex (64
 * zeros for the first). In a personal entry object and detail are empty and
 * apart is the SHA-256 over the salt, object and detail, written the same way;
 * in others apart is empty. No text holds a line break: an entry is ten lines.
 */
#ifndef MM_CONTROLLER_STORE_CHAIN_H
#define MM_CONTROLLER_STORE_CHAIN_H

#include "controller/store/store.h"

#define MM_CHAIN_FIRST "0000000000000000000000000000000000000000000000000000000000000000"
#define MM_CHAIN_FORMAT "mailmuster-audit-1"

struct mm_chain_entry {
	int64_t seq, time;
	const char *who, *action, *object, *detail, *reason, *apart, *prev;
	const char *sha256; /* as it stands in the log */
	/* What stands apart; salt is NULL when there is nothing, or it was erased. */
	const char *salt, *p_object, *p_detail;
};

/* What is hashed. */
void mm_chain_text(const struct mm_chain_entry *e, struct mm_buf *out);
void mm_chain_apart_text(const struct mm_chain_entry *e, struct mm_buf *out);
void mm_chain_hash(const struct mm_chain_entry *e, char out[MM_SHA256_HEX]);
void mm_chain_apart(const char *salt, const char *object, const char *detail, char out[MM_SHA256_HEX]);

/* The rows as they are, in order, with seq > after. */
int mm_store_chain_each(struct mm_store *s, int64_t after,
    int (*cb)(const struct mm_chain_entry *e, void *arg, struct mm_err *err), void *arg, struct mm_err *err);

/* What was compared with the entries that vouch for it; unvouched: of a program
 * that did not do so yet. */
struct mm_vouched {
	int64_t places, unvouched;          /* with open findings and login checks */
	int64_t ended, ended_unvouched;     /* places with such that have ended */
	int64_t reports, reports_unvouched; /* rows: when they came, whom they cover */
	int64_t covered, covered_unvouched; /* up to when a user is known completely */
	int64_t waivers, waivers_unvouched;
};
/* Findings and login checks. *out is counted into. */
int mm_store_vouched_check(struct mm_store *s, struct mm_vouched *out,
    int (*cb)(const char *place, const char *text, void *arg, struct mm_err *err), void *arg,
    struct mm_err *err);

#endif
