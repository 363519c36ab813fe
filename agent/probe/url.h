/*
 * The address of an endpoint as people type it:
 *
 *   imaps://alice@imap.acme.example[:993]
 *
 * imap, imaps, pop3, pop3s, smtp, smtps, submission, submissions, and
 * imap+starttls, pop3+starttls, smtp+starttls. Without an "s" the security
 * is STARTTLS, never none: that must be asked for. The user name may hold a
 * raw '@' (the last one ends it) and %XX. A password in it is refused: it
 * would stand in the list of processes.
 */
#ifndef MM_AGENT_PROBE_URL_H
#define MM_AGENT_PROBE_URL_H

#include "common/err.h"
#include "common/mem.h"
#include "schemas/probe.h"

#define MM_URL_MAX 2048

/* `security` (NULL = as the scheme says) may not contradict the scheme.
 * Sets protocol, host, port, security and username (NULL when there is
 * none) of `out`, nothing else. The host is not checked for syntax. */
int mm_probe_url_parse(
    const char *url, const char *security, struct mm_arena *a, struct mm_probe_task *out, struct mm_err *err);

#endif
