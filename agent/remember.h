/*
 * What a user's earlier login checks said: so that a session does not prove
 * again what was proven today, and so that nobody is locked out of a server
 * by our tests.
 *
 * The attempt budget: a password that a server refused is not presented to it
 * again until the password, or what is sent with it, changes. The memory is
 * by server, user name and credential, so that it holds for every account,
 * side and kind of run that would say the same to the same server. A server
 * is a host, not a port: behind its ports for incoming and for outgoing mail
 * the wrong passwords are often counted together. What is refused as a
 * password on one port is not tried on the others, for as long as the
 * settings with which it was refused are in force; where it has worked on
 * another port, the refusal is that port's matter. Tokens and certificates
 * are made for a service: for them each port counts for itself. Servers that
 * were slow, or said that they had trouble, are left alone for a while. An
 * attempt is written down before it is made: a run that is killed in the
 * middle counts, too.
 *
 * Beside it stands when a login last worked, and with which credential: what
 * a refusal means depends on that.
 *
 * DIR/logins.json, written as the user, under a lock (DIR/logins.lock) that is
 * held for moments only. Servers, user names and credentials are known by
 * HMACs under a random key that never leaves the file.
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

/* One login as a server sees it: HMACs. */
struct mm_login_key {
	char login[MM_SHA256_HEX]; /* over host, user name, credential, and password or not */
	char place[MM_SHA256_HEX]; /* over host, user name, protocol, port, security, auth */
	/* over the credential alone; "" = none, or not told */
	char credential[MM_SHA256_HEX];
	const char *protocol;
	int port;
};

struct mm_tried { /* the last attempt with a credential that did not pass */
	struct mm_login_key k;
	const char *cls;                /* of the answer; "" = none came yet */
	const char *text, *admin, *fix; /* its sentences */
	int64_t when;                   /* of the answer */
	int64_t begun;                  /* of an attempt after it whose answer never came; 0 = none */
	int64_t again;  /* when it was last presented because somebody asked for it; 0 = never */
	bool here_only; /* the same credential has worked on another port of the server */
};

struct mm_worked { /* the last login that passed with these settings */
	char place[MM_SHA256_HEX], login[MM_SHA256_HEX];
	char credential[MM_SHA256_HEX]; /* "" = a ticket, or not known */
	int64_t when;
	int64_t failed; /* when these settings last failed for a reason of their own; 0 = never */
};

struct mm_memory {
	struct mm_arena *arena;
	const char *dir, *file;
	uint8_t key[MM_SHA256_LEN];
	struct mm_proof *proofs;
	size_t n_proofs, cap_proofs;
	struct mm_tried *tried;
	size_t n_tried, cap_tried;
	struct mm_worked *worked;
	size_t n_worked, cap_worked;
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

/* `l` says protocol, host, port, security, auth and user name; its protocol
 * is borrowed. `credential` NULL: only the place is wanted. */
void mm_login_key(const struct mm_memory *m, const struct mm_login *l, const struct mm_secret *credential,
    struct mm_login_key *out);

/* Why a login rests. */
struct mm_rest {
	const struct mm_tried *t;
	int64_t until;   /* INT64_MAX = until the credential or the settings change */
	bool broken_off; /* by an attempt whose answer never came */
};
/* May this login be tried, as far as it was tried here before? false: it may. */
bool mm_memory_refused(
    const struct mm_memory *m, const struct mm_login_key *k, int64_t now, struct mm_rest *out);
/* ... as far as the same password was refused on another port? `in_force` are
 * the places of all settings of today: what was refused with other ones was
 * changed since, and holds nothing up. */
bool mm_memory_refused_elsewhere(const struct mm_memory *m, const struct mm_login_key *k,
    const struct mm_login_key *in_force, size_t n, int64_t now, struct mm_rest *out);
/* Somebody says that the server was mended. When may this credential be
 * presented once more? In the past: now. `last` = when that was done last. */
int64_t mm_memory_again_at(
    const struct mm_memory *m, const struct mm_login_key *k, int cool_down_s, int64_t now, int64_t *last);
/* It is about to be tried; `again`: because somebody said so. */
void mm_memory_begin(struct mm_memory *m, const struct mm_login_key *k, int64_t now, bool again);
/* It was not, after all: nothing was sent. What was answered before stands. */
void mm_memory_undo(struct mm_memory *m, const struct mm_login_key *k);
/* An answer came; `settings` NULL: it proves nothing that is in force; `k`
 * NULL: no credential was presented. `works`: in the same
 * run another port of the server took the credential. */
void mm_memory_note(struct mm_memory *m, const struct mm_login *l, const char *settings,
    const struct mm_login_key *k, bool works);

/* When did a login with these settings last pass, and was it with this
 * credential? */
enum mm_history { MM_NEVER_WORKED, MM_THIS_WORKED, MM_ANOTHER_WORKED };
enum mm_history mm_memory_history(const struct mm_memory *m, const struct mm_login_key *k, int64_t *when);

/* The settings of a place are known to have worked here, and nothing that
 * came later says that they do not any more. */
struct mm_past {
	int64_t when;
	char credential[MM_SHA256_HEX]; /* "" = a ticket, or not known */
};
bool mm_memory_evidence(const struct mm_memory *m, const struct mm_login_key *k, struct mm_past *out);
/* Passed with the same settings, at `since` or later. */
bool mm_memory_proven_since(
    const struct mm_memory *m, const char *account, const char *side, const char *settings, int64_t since);

/* The file, for remember.c (remember_file.c). */
struct mm_proof *mm_memory_add_proof(struct mm_memory *m);
struct mm_tried *mm_memory_add_tried(struct mm_memory *m);
struct mm_worked *mm_memory_add_worked(struct mm_memory *m);

#endif
