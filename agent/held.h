/*
 * What this host holds: the last (epoch, serial) that it has seen, the last
 * request that it was asked to apply, every user's sheet, and whether an
 * admin of the host has switched the agent off.
 *
 *   STATE/held.json        replay state and the head of the last applied request; 0600
 *   STATE/sheets/LOGIN     one JSON line (struct mm_held), then the sheet's bytes; owned
 *                          by the user, 0400, in a folder that only root can change
 *   STATE/sheets/+system   the same for the system's files
 *   STATE/disabled.json    present while switched off
 *
 * All are replaced atomically. Texts live in the caller's arena.
 */
#ifndef MM_AGENT_HELD_H
#define MM_AGENT_HELD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/conf.h"
#include "common/digest.h"
#include "common/err.h"
#include "common/mem.h"
#include "schemas/request.h"
#include "schemas/sheet.h"

/* The request in force. request_id NULL: none yet. */
struct mm_held {
	const char *request_id;
	int64_t epoch, serial, revision, issued, expires;
};

/* The newest request of any op that was accepted: what replays are measured
 * against. digest is the SHA-256 of its signed bytes; "" = none yet. key is that
 * of its signature; "" = not known (an older agent took it). */
struct mm_last {
	int64_t epoch, serial;
	char digest[MM_SHA256_HEX];
	char key[MM_SHA256_HEX];
};

struct mm_held_state {
	struct mm_last last;
	struct mm_held held;
};

/* Make the state folders. Only the owner of the installation can. */
int mm_held_prepare(const struct mm_conf *c, struct mm_err *err);
/* A missing file is an empty state. */
int mm_held_load(const struct mm_conf *c, struct mm_arena *a, struct mm_held_state *out, struct mm_err *err);
int mm_held_save(const struct mm_conf *c, const struct mm_held_state *s, struct mm_err *err);

int mm_held_put_sheet(const struct mm_conf *c, const struct mm_held *h, const char *user, uid_t uid,
    gid_t gid, const char *bytes, size_t len, struct mm_err *err);
/* 1: found, 0: this user has none, -1: error. */
int mm_held_get_sheet(const struct mm_conf *c, const char *user, struct mm_arena *a, struct mm_held *h,
    struct mm_sheet *sheet, struct mm_err *err);
/* Nothing is held for this user any more. */
int mm_held_drop_sheet(const struct mm_conf *c, const char *user, struct mm_err *err);
/* Logins that have a sheet, sorted, NULL-terminated; the system's, which has
 * MM_SYSTEM_USER, is the first. */
int mm_held_users(
    const struct mm_conf *c, struct mm_arena *a, const char *const **out, size_t *n, struct mm_err *err);

bool mm_held_expired(const struct mm_held *h, int64_t now);

struct mm_disabled {
	const char *reason;
	int64_t since, until; /* until 0: for good */
};
/* 1: switched off now, 0: not (or its time is over), -1: error. */
int mm_disabled_get(
    const struct mm_conf *c, int64_t now, struct mm_arena *a, struct mm_disabled *out, struct mm_err *err);
int mm_disabled_set(
    const struct mm_conf *c, const struct mm_disabled *d, struct mm_err *err); /* NULL: on again */

#endif
