/* The certificates that live logins were shown, folded by server. */
#ifndef MM_CONTROLLER_REPORT_CERTS_H
#define MM_CONTROLLER_REPORT_CERTS_H

#include "controller/report/report.h"

#define MM_CERTS_MAX 4096 /* further ones are left out */

int mm_report_certs(struct mm_store *s, const struct mm_evidence_filter *filter, mm_section_cb *cb, void *arg,
    struct mm_err *err);

#endif
