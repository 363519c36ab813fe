/*
 * What a user's earlier login checks said: so that a session does not prove
 * again what was proven today, and does not present a password again that
 * the server has refused (servers lock accounts).
 *
 * DIR/logins.json, written as the user. Credentials are known only by their
 * HMAC under a random key that never leaves the file.
 */
#ifndef MM_AGENT_REMEMBER_H
#define MM_AGENT_REMEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/secret.h"
#include "schemas/report.h"
#include "schemas/sheet.h"

#define MM_REMEMBER_SECONDS (24 * 3600)

struct mm_remembered {
	const char *account, *side;
	char settings[MM_SHA256_HEX];
	char credential[MM_SHA256_HEX]; /* "" = none was presented */
	enum mm_result result;
	const char *cls;
	int64_t when;
};

struct mm_memory {
	struct mm_arena *arena;
	const char *file;
	uint8_t key[MM_SHA256_LEN];
	struct mm_remembered *r;
	size_t n, cap;
	bool changed;
};

/* A file that does not parse is forgotten: it only saves work. */
void mm_memory_load(const char *dir, struct mm_arena *a, struct mm_memory *out);
int mm_memory_save(struct mm_memory *m, struct mm_err *err);

/* Over everything of a side that a login depends on. */
void mm_settings_hash(
    const struct mm_account *acc, enum mm_side side, enum mm_level level, char out[MM_SHA256_HEX]);
void mm_credential_hash(const struct mm_memory *m, const struct mm_secret *s, char out[MM_SHA256_HEX]);

/* Passed with the same settings, not long ago. */
bool mm_memory_proven(
    const struct mm_memory *m, const char *account, const char *side, const char *settings, int64_t now);
/* Refused with the same settings and the same credential, not long ago. */
bool mm_memory_refused(const struct mm_memory *m, const char *account, const char *side, const char *settings,
    const char *credential, int64_t now);
void mm_memory_note(
    struct mm_memory *m, const struct mm_login *l, const char *settings, const char *credential);

#endif
