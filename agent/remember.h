/*
 * What a user's earlier login checks said: so that a session does not prove
 * again what was proven today, and so that nobody is locked out of a server
 * by our tests.
 *
 * The attempt budget: a password that a server refused is not presented to it
 * again until the password, or what is sent with it, changes. The memory is
 * by server (host and port), user name and credential, so that it holds for
 * every account, side and kind of run that would say the same to the same
 * server. Servers that were slow, or said that they had trouble, are left
 * alone for a while. An attempt is written down before it is made: a run
 * that is killed in the middle counts, too.
 *
 * DIR/logins.json, written as the user, under a lock (DIR/logins.lock) that is
 * held for moments only. Credentials are known by an HMAC under a random key
 * that never leaves the file.
 */
#ifndef MM_AGENT_REMEMBER_H
#define MM_AGENT_REMEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/secret.h"
#include "schemas/report.h"
#include "schemas/sheet.h"

#define MM_REMEMBER_SECONDS (24 * 3600) /* a proof is good for */
#define MM_COOL_DOWN_SECONDS (15 * 60)  /* after trouble of the server, or a run that was broken off */
#define MM_REMEMBER_MAX 1024            /* rows of each kind; the oldest go first */

struct mm_proof { /* a check that passed */
	const char *account, *side;
	char settings[MM_SHA256_HEX];
	int64_t when;
};

struct mm_tried {                  /* the last attempt with a credential that did not pass */
	char login[MM_SHA256_HEX]; /* HMAC over host, port, user name and credential */
	char ways[MM_SHA256_HEX];  /* over what else is said: protocol, security, auth */
	const char *cls;           /* of the answer; "" = none came yet */
	const char *text, *admin;  /* its sentences */
	int64_t when;
};

struct mm_memory {
	struct mm_arena *arena;
	const char *dir, *file;
	uint8_t key[MM_SHA256_LEN];
	struct mm_proof *proofs;
	size_t n_proofs, cap_proofs;
	struct mm_tried *tried;
	size_t n_tried, cap_tried;
	int lock;
};

/* Read what is there. A file that does not parse is forgotten, with its key. */
void mm_memory_load(const char *dir, struct mm_arena *a, struct mm_memory *out);
/* The same to be changed: the lock is held, and the key is on the disk, until
 * mm_memory_close(). -1: the folder cannot be written to; nothing is open. */
int mm_memory_open(const char *dir, struct mm_arena *a, struct mm_memory *out, struct mm_err *err);
/* With `save`, what was changed is written. */
int mm_memory_close(struct mm_memory *m, bool save, struct mm_err *err);

/* Over everything of a side that a check depends on. */
void mm_settings_hash(
    const struct mm_account *acc, enum mm_side side, enum mm_level level, char out[MM_SHA256_HEX]);
/* Passed with the same settings, not long ago. */
bool mm_memory_proven(
    const struct mm_memory *m, const char *account, const char *side, const char *settings, int64_t now);

/* One login as a server sees it. */
struct mm_login_key {
	char login[MM_SHA256_HEX], ways[MM_SHA256_HEX];
};
/* `l` says protocol, host, port, security, auth and user name. */
void mm_login_key(const struct mm_memory *m, const struct mm_login *l, const struct mm_secret *credential,
    struct mm_login_key *out);

/* May this login be tried? NULL: yes. Else what was answered, and until when
 * it rests: INT64_MAX = until the credential or the settings change. */
const struct mm_tried *mm_memory_refused(
    const struct mm_memory *m, const struct mm_login_key *k, int64_t now, int64_t *until);
/* It is about to be tried. */
void mm_memory_begin(struct mm_memory *m, const struct mm_login_key *k, int64_t now);
/* It was not, after all: nothing was sent. */
void mm_memory_undo(struct mm_memory *m, const struct mm_login_key *k);
/* An answer came; `k` NULL: no credential was presented. */
void mm_memory_note(
    struct mm_memory *m, const struct mm_login *l, const char *settings, const struct mm_login_key *k);
/* Forget every refusal: somebody says that the server has changed. */
void mm_memory_forgive(struct mm_memory *m);

#endif
