/*
 * What live logins saw of the servers, folded: the certificates that they were
 * shown, and what they remarked. Kept is one row for each server and what was
 * seen of it, not the logins.
 */
#ifndef MM_CONTROLLER_REPORT_SERVERS_H
#define MM_CONTROLLER_REPORT_SERVERS_H

#include "controller/report/report.h"

#define MM_CERTS_MAX 4096   /* further ones are left out */
#define MM_REMARKS_MAX 4096 /* of servers and classes; further ones are left out */

struct mm_servers;
struct mm_servers *mm_servers_new(struct mm_arena *a); /* in the arena */
/* Login checks come in order of host. `arg` is a struct mm_servers. */
int mm_servers_take(const struct mm_login_row *r, void *arg, struct mm_err *err);
/* What others have taken of the workstations that come next. */
void mm_servers_join(struct mm_servers *s, const struct mm_servers *more);
/* MM_SEC_CERTS in the order in which they were seen first, or MM_SEC_REMARKS by server. */
int mm_servers_rows(
    struct mm_servers *s, enum mm_section sec, mm_section_cb *cb, void *arg, struct mm_err *err);

/* Walk the logins for one of the two. */
int mm_report_servers(struct mm_store *s, enum mm_section sec, const struct mm_evidence_filter *filter,
    mm_section_cb *cb, void *arg, struct mm_err *err);

#endif
