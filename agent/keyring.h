/*
 * Whom this host obeys: the keys of agent.conf, each replaced by the one that
 * the controller has put in its place (schemas/rotation.h). A key that was
 * replaced is not obeyed any more.
 *
 *   STATE/keys   the rotations that this host has taken, one JSON line each,
 *                oldest first; 0600, replaced atomically
 *
 * agent.conf stays as it is. Who writes another key there (an enrolment) has
 * decided anew: rotations that do not begin at one of its keys mean nothing.
 */
#ifndef MM_AGENT_KEYRING_H
#define MM_AGENT_KEYRING_H

#include "agent/conf.h"
#include "schemas/rotation.h"

struct mm_keyring;

/* The keys of agent.conf alone, and with what this host has taken. STATE/keys
 * that cannot be read, or does not hold, is an error: it must not bring former
 * keys back. */
struct mm_keyring *mm_keyring_new(const struct mm_conf *c);
int mm_keyring_load(const struct mm_conf *c, struct mm_keyring **out, struct mm_err *err);
void mm_keyring_free(struct mm_keyring *r);
size_t mm_keyring_count(const struct mm_keyring *r);

/* As mm_envelope_verify(). When no key of the ring has signed, but one to
 * which the envelope's rotations lead from a key of the ring, that key takes
 * its place here; the caller saves. */
int mm_keyring_verify(struct mm_keyring *r, const struct mm_envelope_raw *raw, const char *type,
    char keyid[MM_SHA256_HEX], struct mm_err *err);
bool mm_keyring_changed(const struct mm_keyring *r);
int mm_keyring_save(struct mm_keyring *r, const struct mm_conf *c, struct mm_err *err);

/* Is this a key of the ring, or one that was replaced by such a key? */
bool mm_keyring_knows(const struct mm_keyring *r, const char *id);

#endif
