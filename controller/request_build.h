/*
 * Requests, ready to send: resolve the users of a host, encode and hash their
 * sheets, take a serial, sign.
 *
 * One builder serves one run over many hosts with one policy revision; sheets
 * and their hashes are kept between hosts. Not for several threads.
 */
#ifndef MM_CONTROLLER_REQUEST_BUILD_H
#define MM_CONTROLLER_REQUEST_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "controller/request_key.h"
#include "controller/store/store.h"
#include "schemas/discover.h"
#include "schemas/request.h"
#include "schemas/signing.h"

#define MM_REQUEST_DAYS 7 /* until a request expires, unless said otherwise */

#define MM_NO_POLICY (-1)
struct mm_request_builder;

/* `revision` 0 = the current one, MM_NO_POLICY = none: it can make an
 * MM_OP_DISCOVER only. It must be pushable, unless the builder is
 * for reading only (`read_only`: plan, status, verify ...; apply and preflight
 * are then refused). `key` must be the key of the store's current epoch; it and the
 * store must outlive the builder. */
int mm_request_builder_new(struct mm_store *store, const struct mm_key *key, int64_t revision, bool read_only,
    struct mm_request_builder **out, struct mm_err *err);
/* Whom to ask for the key when it was rotated meanwhile; the key must outlive
 * the builder. Without it such a request fails. */
void mm_request_builder_follow(struct mm_request_builder *b, mm_request_rekey *rekey, void *ctx);
void mm_request_builder_free(struct mm_request_builder *b); /* NULL is allowed */
int64_t mm_request_builder_revision(const struct mm_request_builder *b);

struct mm_request_made {
	char id[MM_ID_LEN]; /* request id */
	int64_t epoch, serial, revision, issued, expires;
	size_t n_users, n_acks;
};

/* Append the whole stream for one host to `out`: magic, ENVELOPE, SHEET*,
 * REQUEST_END. The serial is stored by then (in the caller's transaction, if
 * there is one: commit before sending). `days` 0 = MM_REQUEST_DAYS. `out`
 * should be limited to MM_STREAM_MAX; too much is an error. */
int mm_request_prepare(struct mm_request_builder *b, const char *host, enum mm_op op, int64_t days,
    struct mm_buf *out, struct mm_request_made *made, struct mm_err *err);
/* An MM_OP_APPLY of a plan: refused there when `expect` (schemas/plan.h) is no
 * longer what it would change. */
int mm_request_prepare_planned(struct mm_request_builder *b, const char *host, const char *expect,
    struct mm_buf *out, struct mm_request_made *made, struct mm_err *err);
/* The same without sheets, for MM_OP_STATUS, MM_OP_VERIFY and MM_OP_RESTORE: it is about what
 * the host holds, whatever the policy has become, and carries
 * acknowledgements. A restore brings nothing new: a read_only builder makes it. */
#define MM_REQUEST_USERS 60
struct mm_held_ask {
	enum mm_op op;
	/* A verify, or a restore, can be about those of `users` that the host has; NULL:
	 * everybody. More than MM_REQUEST_USERS of them: a verify is about everybody, a
	 * restore an error. */
	const char *const *users;
	size_t n_users;
	bool again;         /* MM_VERIFY_AGAIN */
	int64_t generation; /* of a restore; 0 = the last run */
};
int mm_request_prepare_held(struct mm_request_builder *b, const char *host, const struct mm_held_ask *ask,
    struct mm_buf *out, struct mm_request_made *made, struct mm_err *err);
/* An MM_OP_PREFLIGHT: the sheets of those of `ask->users` (NULL: of everybody)
 * whom the host has and who have accounts; no acknowledgements. Passwords are
 * used for it: the builder must not be a read_only one, so that the revision
 * is one that may be pushed. */
int mm_request_prepare_preflight(struct mm_request_builder *b, const char *host,
    const struct mm_held_ask *ask, struct mm_buf *out, struct mm_request_made *made, struct mm_err *err);
/* An MM_OP_DISCOVER, about those of `ask->users` (NULL: of everybody) whom the
 * host has; `what` says the rest, its users are not used. */
int mm_request_prepare_discover(struct mm_request_builder *b, const char *host, const struct mm_held_ask *ask,
    const struct mm_discover_ask *what, struct mm_buf *out, struct mm_request_made *made, struct mm_err *err);
/* Whose sheets these are; the names live in `a`. */
int mm_request_people(struct mm_request_builder *b, const char *host, const struct mm_held_ask *ask,
    struct mm_arena *a, const char *const **users, size_t *n, struct mm_err *err);

#endif
