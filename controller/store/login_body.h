/*
 * Reading stored login checks by the hundred thousand: without what every run
 * measures anew (timing, steps, addresses, mailbox, round trip), and with what
 * servers say of themselves decoded once.
 */
#ifndef MM_CONTROLLER_STORE_LOGIN_BODY_H
#define MM_CONTROLLER_STORE_LOGIN_BODY_H

#include "schemas/report.h"

struct mm_login_reader;
struct mm_login_reader *mm_login_reader_new(void);
void mm_login_reader_free(struct mm_login_reader *r); /* NULL is allowed */
/* Texts of the login itself live in `a`, the others until the next call. */
int mm_login_read_lean(struct mm_login_reader *r, const char *body, struct mm_arena *a, struct mm_login *out,
    struct mm_err *err);

#endif
