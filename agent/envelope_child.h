/*
 * Decoding an envelope in a child without rights: what arrives from outside
 * is taken apart by a process that can open, send and start nothing.
 */
#ifndef MM_AGENT_ENVELOPE_CHILD_H
#define MM_AGENT_ENVELOPE_CHILD_H

#include "schemas/signing.h"

/* As mm_envelope_decode(). The child has 10 s and is killed then. */
int mm_envelope_decode_apart(const char *json, size_t n, struct mm_envelope_raw *out, struct mm_err *err);

#endif
