/*
 * A reader (agent/clients/client.h) over a folder that plays the root of a
 * file system, for tests: /home/alice/.muttrc is ROOT/home/alice/.muttrc.
 * A program is installed when ROOT/usr/bin has it; a file FILE.locked beside
 * FILE stands for an fcntl lock; ROOT/env holds NAME=value lines.
 */
#ifndef MM_TESTS_LIB_ROOTREADER_H
#define MM_TESTS_LIB_ROOTREADER_H

#include "agent/clients/client.h"

struct mm_reader *mm_rootreader_new(
    struct mm_arena *a, const char *root, const char *login, const char *home);
/* A whole file of the real file system; 0 when it is not there. */
int mm_slurp(const char *path, struct mm_arena *a, struct mm_text *out);

#endif
