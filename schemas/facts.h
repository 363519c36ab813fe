/*
 * Facts: what an agent has looked at beside the policy's settings, told
 * whether it is well or not, so that an auditor has evidence and not silence.
 *
 * A fact travels as a finding (schemas/report.h) whose `setting` is the
 * fact's id and whose `found` is one of the words below: checks judge by
 * `found` alone. It is no setting and no difference: it counts in no exit
 * status and in no sum of settings, and changes nothing
 * (mm_finding_verdict()). Who does not look sends no row, and that is unknown.
 *
 *   state "compliant"                        well
 *   state "unmanaged", action "reported"     not well; `reason` says why, line and override_path where
 *   state "unknown"                          this agent cannot tell, and says why; no `found`
 *
 * `account` is the policy's name of a managed account, the program's own
 * name of an account that no policy knows, and "" for the file as a whole.
 *
 *   id                            about             found
 *   client.password               account, or ""    "no" | "in clear": a password stands in the config, or
 *                                                   in a file that it reads; "" where that is of no one
 *                                                   account. Never the password.
 *   client.certificate_check      account           "yes": the certificate and its name are verified before
 *                                                   anything is told to the server | "no" | "chain only": the
 *                                                   host name is not compared | "no dates": an expired one is
 *                                                   taken | "no tls": there is nothing to verify
 *   client.certificate_exception  account           "none", or the endpoints whose certificates a person has
 *                                                   accepted by hand, "HOST:PORT" or "HOST", parted
 *                                                   by blanks; "*": nothing says of which servers
 *   client.cleartext              account           "no" | "yes": a session is not encrypted |
 *                                                   "opportunistic": it is not if the server (or whoever
 *                                                   stands between) says so
 *   client.tls_min                account           "1.0" ... "1.3": the lowest version of TLS that the
 * program takes, by its own setting or that of the system's library; well from 1.2 on | "no tls". line and
 *                                                   override_path also where it is well
 *   client.unmanaged_account      account           the domain of an account that no policy knows, "" if it
 *                                                   has none
 *   file.mode                     ""                "0600"; desired: the widest that is well, "0600" where a
 *                                                   password stands in it, else "0644"
 *   file.owner                    ""                login, or the number where it has none; desired: the user
 *
 * Of several sides, or files, of one account the worst is told. file.mode and
 * file.owner are of the file in `path`, which may be another one than the
 * program's main config.
 *
 * Sources: RFC 8314 3, 5.3 (certificates), RFC 8996 and 8997 (versions), RFC
 * 9325 (opportunistic TLS), RFC 9525 (names).
 */
#ifndef MM_SCHEMAS_FACTS_H
#define MM_SCHEMAS_FACTS_H

#include <stdbool.h>

#include "schemas/report.h"

enum mm_fact {
	MM_FACT_PASSWORD,
	MM_FACT_CERT_CHECK,
	MM_FACT_CERT_EXCEPTION,
	MM_FACT_CLEARTEXT,
	MM_FACT_TLS_MIN,
	MM_FACT_UNMANAGED_ACCOUNT,
	MM_FACT_FILE_MODE,
	MM_FACT_FILE_OWNER,
	MM_FACT_COUNT,
	MM_FACT_NONE = MM_FACT_COUNT
};

#define MM_FOUND_NO "no"
#define MM_FOUND_YES "yes"
#define MM_FOUND_IN_CLEAR "in clear"
#define MM_FOUND_CHAIN_ONLY "chain only"
#define MM_FOUND_NO_DATES "no dates"
#define MM_FOUND_NO_TLS "no tls"
#define MM_FOUND_NONE "none"
#define MM_FOUND_ANY "*"
#define MM_FOUND_OPPORTUNISTIC "opportunistic"

const char *mm_fact_id(enum mm_fact f);
const char *mm_fact_label(enum mm_fact f);   /* for people: "password in the config" */
enum mm_fact mm_fact_by_id(const char *id);  /* MM_FACT_NONE: none that is known here */
const char *mm_fact_desired(enum mm_fact f); /* the last of the words that are well, or NULL: it depends */
/* What `found` can be, the best first, NULL-terminated; or NULL: no words. */
const char *const *mm_fact_words(enum mm_fact f);
/* Also of facts that newer agents know: no setting's id begins as theirs do. */
bool mm_is_fact(const char *setting);

/* mm_verdict() of a finding; a fact counts for nothing. */
struct mm_verdict mm_finding_verdict(const struct mm_finding *f);
/* What is there now: a finding tells what was found, and what the agent did then came after. May be NULL. */
const char *mm_finding_now(const struct mm_finding *f);

#endif
