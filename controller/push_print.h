/* What a push or a plan says at its end, for people and for machines. */
#ifndef MM_CONTROLLER_PUSH_PRINT_H
#define MM_CONTROLLER_PUSH_PRINT_H

#include <jansson.h>

#include "controller/push_op.h"

void mm_push_print(const struct mm_push_summary *s); /* to stdout */
/* One object, to stdout, with a member more unless `key` is NULL. */
void mm_push_print_json(const struct mm_push_summary *s, const char *key, json_t *stolen);
/* Of a plan: how far it goes, and its changes in groups. */
json_t *mm_push_reach_json(const struct mm_push_summary *s);
json_t *mm_push_changes_json(const struct mm_push_summary *s);

#endif
