/* Argument vectors <-> string literals of Python, for programs that eval() a value. */
#ifndef MM_AGENT_CLIENTS_PYLIST_H
#define MM_AGENT_CLIENTS_PYLIST_H

#include "agent/clients/keys.h"

#include "common/err.h"
#include "common/mem.h"

/* `head` "a", "b" `tail`; with one element and a tuple (head ends in '('), a comma
 * follows it. NULL: not a vector, or it holds control characters. */
const char *mm_py_list(
    const char *argv, const char *head, const char *tail, struct mm_arena *a, struct mm_err *err);
/* Canonical text of what mm_py_list() made, or a person in the same form; NULL: it is more than that. */
const char *mm_py_argv(const char *text, const char *head, const char *tail, struct mm_arena *a);

/* For mm_keys_see(): what stands in [DEFAULT] counts in every section that does
 * not say otherwise (configparser). */
mm_key_get mm_py_get;

#endif
