/*
 * Passwords that stood in a file do not go into the journal.
 *
 * The journal keeps what our edits replaced for as long as we own an
 * account. A password is not ours to keep: of an address only the password
 * goes, of a key that is nothing but a password the whole value. Taking such
 * an edit back then gives no password back: the program asks.
 */
#ifndef MM_AGENT_FORGET_H
#define MM_AGENT_FORGET_H

#include "agent/journal.h"

/* Of a carried-out edit: take out what is secret of the former value, and mark it. */
void mm_forget_secret(struct mm_done_edit *d, struct mm_arena *a);

#endif
