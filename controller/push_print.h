/* What a push or a plan says at its end, for people and for machines. */
#ifndef MM_CONTROLLER_PUSH_PRINT_H
#define MM_CONTROLLER_PUSH_PRINT_H

#include "controller/push_op.h"

void mm_push_print(const struct mm_push_summary *s); /* to stdout */
void mm_push_print_json(const struct mm_push_summary *s);

#endif
