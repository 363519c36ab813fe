/*
 * A request: what the controller asks of one host. JSON, signed as a DSSE
 * envelope; published schema: schemas/json/request.schema.json.
 */
#ifndef MM_SCHEMAS_REQUEST_H
#define MM_SCHEMAS_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/digest.h"
#include "common/err.h"
#include "common/mem.h"
#include "schemas/sheet.h"

struct mm_checkpoint; /* schemas/seal.h */

enum mm_op {
	MM_OP_APPLY,
	MM_OP_PLAN,
	MM_OP_STATUS,
	MM_OP_PREFLIGHT,
	MM_OP_VERIFY,
	MM_OP_RESTORE,
	MM_OP_DISCOVER,
	MM_OP_COUNT
};
const char *mm_op_name(enum mm_op op);
int mm_op_by_name(const char *s);

#define MM_MANIFEST_MAX 4096 /* users of one host */
#define MM_OP_ARGS_MAX 64
#define MM_ACK_MAX 4096 /* acknowledged reports in one request */

/* "+generation=7": back to before this one; without it, what the last run changed. No login looks so. */
#define MM_RESTORE_GENERATION "+generation="
/* Present again what servers have refused: it was mended there. No login looks so. */
#define MM_VERIFY_AGAIN "+again"

struct mm_manifest_entry {
	const char *user;
	char sha256[MM_SHA256_HEX]; /* of the sheet frame's body */
};

struct mm_request {
	int major, minor; /* protocol version */
	enum mm_op op;
	const char *id;   /* request id, MM_ID_LEN - 1 hex digits */
	const char *host; /* host id */
	int64_t epoch, serial;
	int64_t revision;        /* fleet revision */
	int64_t issued, expires; /* unix seconds */
	const struct mm_manifest_entry *manifest;
	size_t n_manifest;
	/* The system's sheet; NULL: nothing is asked for system-wide. It is signed
	 * with the request, of which an agent of minor version 0 ignores it. */
	const struct mm_sheet *hostwide;
	const char *const *ack; /* report ids that the store holds */
	size_t n_ack;
	const char
	    *expect; /* of an apply that carries out a plan: its number (schemas/plan.h); NULL = none */
	/* of a verify: logins that it is about (none: everybody), and MM_VERIFY_AGAIN;
	 * of a restore: the same, and one MM_RESTORE_GENERATION; of a preflight: MM_VERIFY_AGAIN;
	 * of a discover: schemas/discover.h */
	const char *const *op_args;
	size_t n_op_args;
	/* The newest checkpoint of the controller's audit log, for the host to
	 * keep and hand back; NULL = none. An agent of minor version 1 ignores it. */
	const struct mm_checkpoint *checkpoint;
};

/* The number of a restore's argument. -1: it is none. */
int mm_restore_generation(const char *arg, int64_t *number);

void mm_request_encode(const struct mm_request *r, struct mm_buf *out);
/* Strings live in `a`. Checks form only (types, ranges, names, limits,
 * duplicates); the checks of trust are the agent's. Unknown major: error with
 * code MM_EX_NOPERM whose text names our range; unknown op: MM_EX_USAGE;
 * anything else: MM_EX_DATAERR. A member that this build does not know is
 * refused, unless the request's minor is newer than ours. */
int mm_request_decode(
    const char *json, size_t n, struct mm_arena *a, struct mm_request *out, struct mm_err *err);

#endif
