/*
 * Two runs at the same time (two admins, a push and a check-in, a plan beside
 * a push): what a refusal means when the store can prove that the host has
 * seen, or works on, another request of ours.
 *
 * A replay that the store cannot explain stays what it is: an alarm.
 */
#ifndef MM_CONTROLLER_PUSH_OVERTAKEN_H
#define MM_CONTROLLER_PUSH_OVERTAKEN_H

#include <stdint.h>

#include "controller/push/outcome.h"
#include "controller/request_build.h"
#include "controller/store/store.h"

#define MM_RIVAL_S 1200 /* a host is done with a request after this time, or has given it up */

enum mm_overtaken {
	MM_OV_NO,    /* the refusal stands */
	MM_OV_DONE,  /* a newer apply of ours, of the same or a newer revision: nothing is left to be sent */
	MM_OV_AGAIN, /* another request of ours was there first: ask again, with a new serial */
};

/* `o` is the refusal of the request `made` with this op. With MM_OV_DONE `by`
 * is the newer request; its texts live in `a`. */
int mm_overtaken(struct mm_store *s, const char *host, enum mm_op op, const struct mm_request_made *made,
    const struct mm_ended *o, struct mm_arena *a, enum mm_overtaken *out, struct mm_issued *by,
    struct mm_err *err);

/* A host that does not believe the signature, after a rotation: what to do about it is added to
 * the sentence of `o`, in `a`. */
void mm_overtaken_key(const struct mm_request_made *made, struct mm_ended *o, struct mm_arena *a);

/* What has become of the newer request: 0 and *bits (of the exit status) when
 * it is known, 1 while it is under way. Writes the sentence of `o`, into `keep`. */
int mm_overtaken_fate(struct mm_store *s, const char *host, const struct mm_issued *by, struct mm_arena *keep,
    struct mm_ended *o, int *bits, struct mm_err *err);

#endif
