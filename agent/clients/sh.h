/*
 * Argument vectors <-> what programs hand to `/bin/sh -c`.
 *
 * msmtp, mutt and others know a password command only as a line for the
 * shell. An argument vector is written so that the shell gives back exactly
 * its words; a line that the person wrote is read as a vector where it is
 * nothing but words, and as ["/bin/sh","-c",LINE] otherwise. Nothing is run.
 */
#ifndef MM_AGENT_CLIENTS_SH_H
#define MM_AGENT_CLIENTS_SH_H

#include "common/err.h"
#include "common/mem.h"

/* `argv` in canonical text (schemas/settings.h). NULL: not a vector, or it
 * holds control characters. */
const char *mm_sh_line(const char *argv, struct mm_arena *a, struct mm_err *err);
/* Canonical text; never NULL. */
const char *mm_sh_argv(const char *line, struct mm_arena *a);

/* The same for the inside of mutt's backticks, where mutt and neomutt treat
 * backslash, '$' and '`' differently: such a line goes in base64. */
const char *mm_sh_backtick(const char *argv, struct mm_arena *a, struct mm_err *err);
const char *mm_sh_from_backtick(const char *command, struct mm_arena *a);

#endif
