/*
 * Nothing that leaves the process may hold a password: a server may repeat
 * what it was sent ("500 unknown command: AUTH PLAIN AGFs..."), as it was
 * sent, in base64, in quotation marks with backslashes, or cut short.
 */
#ifndef MM_AGENT_PROBE_REDACT_H
#define MM_AGENT_PROBE_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/secret.h"

#define MM_REDACT_MAX 512
#define MM_REDACT_WITHHELD "(withheld: it repeats the password)"

/* Does the text hold the secret, or half of it when it has 8 bytes or more?
 * Plain in any case, with backslashes, or inside base64. */
bool mm_reveals(const char *text, size_t n, const char *secret, size_t len);

/* Append a text from outside for printing: at most MM_REDACT_MAX bytes,
 * control characters as \xNN; withheld as a whole when it reveals the
 * secret (NULL = there is none); arguments of AUTH, AUTHENTICATE, PASS and
 * LOGIN commands in it are replaced by ***. */
void mm_redact(struct mm_buf *out, const char *text, size_t n, const struct mm_secret *secret);

/* A line that we sent, for printing: *** for the arguments of a command that
 * carries a password, and for all behind the first word when what is left
 * still reveals one. With `login` the line is known to begin a login, and no
 * word behind the command and its mechanism stays. */
void mm_redact_command(
    struct mm_buf *out, const char *line, size_t n, bool login, const struct mm_secret *secret);

#endif
