/*
 * Who stands between this computer and the mail server: antivirus programs,
 * firewalls and proxies that open TLS show certificates of their own making,
 * and some greet in their own name. Known by the words of a table; a
 * certificate counts only where it was made for the host that was asked for,
 * as such a product does: the same maker's mail gateway shows another name.
 *
 * Sources: the issuers are those that the makers' own help pages name for
 * their roots ("Avast Web/Mail Shield Root", "ESET SSL Filter CA", ...);
 * greetings are those of the mail scanners of AVG, Avast and Norton, and the
 * asterisks of Cisco's "inspect esmtp".
 */
#ifndef MM_AGENT_PROBE_BETWEEN_H
#define MM_AGENT_PROBE_BETWEEN_H

#include "agent/probe/dialog.h"
#include "agent/probe/tls.h"

/* A product's name; NULL: none is known by these words. */
const char *mm_between_issuer(const char *issuer);
const char *mm_between_greeting(const char *line);

/* What was seen on a connection; NULL: nothing of the kind. */
const char *mm_between_by_cert(const struct mm_tls_watch *w);
const char *mm_between_by_words(const struct mm_dialog *d);

#endif
