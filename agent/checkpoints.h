/*
 * The controller's checkpoints that this host has seen: a witness of its audit
 * log. STATE/checkpoints holds the last MM_CHECKPOINTS_KEPT, one JSON line
 * each, oldest first. What a controller says now never replaces what it said
 * of a later state: a log that was put back is found out by whoever is handed
 * the newest.
 */
#ifndef MM_AGENT_CHECKPOINTS_H
#define MM_AGENT_CHECKPOINTS_H

#include "agent/conf.h"
#include "schemas/seal.h"

#define MM_CHECKPOINTS_KEPT 16

/* Keep what a verified request has brought (NULL: it brought none); *newest is
 * what this host holds then. 0: it holds one, 1: none, -1: error. */
int mm_checkpoints_keep(const struct mm_conf *c, const struct mm_checkpoint *now,
    struct mm_checkpoint *newest, struct mm_err *err);

#endif
