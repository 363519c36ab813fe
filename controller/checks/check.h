/*
 * Compliance checks: what is looked at, against which rule, and how it went.
 *
 * A *check* is data (policies/baselines): an id, what it means, its severity,
 * where it is written, which controls it is evidence for, and how each client
 * is set right. A *baseline* is the selection of them that an organisation
 * has chosen, with its policy's tailoring applied. A *result* is one check on
 * one object: an account in a client of a user on a host, a login, or the
 * fleet itself.
 *
 * Results come from evidence and from nothing else: what no agent looked at
 * is unknown, what is too old is unknown since then, and no result is ever a
 * pass by inference. Every result says when its evidence was collected and
 * until when it counts.
 */
#ifndef MM_CONTROLLER_CHECKS_CHECK_H
#define MM_CONTROLLER_CHECKS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/store/store.h"

enum mm_severity { MM_SEV_INFO, MM_SEV_LOW, MM_SEV_MEDIUM, MM_SEV_HIGH, MM_SEV_CRITICAL, MM_SEV_COUNT };
const char *mm_severity_name(enum mm_severity s); /* info, low, medium, high, critical */
int mm_severity_by_name(const char *s);           /* -1: none of them */

/* How a check went on one object. */
enum mm_check_outcome {
	MM_OUT_COMPLIANT,
	MM_OUT_DRIFTED,  /* fails, and was as it should be before */
	MM_OUT_FAILED,   /* fails */
	MM_OUT_UNKNOWN,  /* nobody looked, it cannot be known, or the evidence is too old (result.stale) */
	MM_OUT_WAIVED,   /* fails or is unknown, and somebody accepts that until result.waiver.until */
	MM_OUT_DEFERRED, /* could not be looked at or changed: the program was running, the home away */
	MM_OUT_NOT_APPLICABLE,
	MM_OUT_COUNT
};
const char *mm_outcome_name(
    enum mm_check_outcome o); /* compliant, drifted, failed, unknown, waived, deferred, notapplicable */

/* Where a rule is written. */
struct mm_rule_ref {
	const char *document; /* "RFC 8314" */
	const char *section;  /* "3.3"; "" = as a whole */
	const char *words;    /* what it says, in our own words */
};

struct mm_control {
	const char *framework; /* "nist-800-53-r5", "pci-dss-4", "bsi-grundschutz", "rfc" */
	const char *id;        /* "SC-8(1)", "4.2.1", "APP.5.3.A4" */
};

struct mm_fix {
	const char *client; /* mm_client_by_name() of the agent; "" = any */
	const char *text;   /* one line: what to set where */
};

struct mm_check {
	const char *id;        /* "implicit-tls": [a-z0-9-]{1,40}, permanent; also what a waiver names */
	const char *title;     /* one line, says what is right */
	const char *rationale; /* why it matters, one or two sentences */
	enum mm_severity severity;
	const char *test;  /* which test of tests.c looks */
	int64_t threshold; /* of tests that have one, in the test's unit; 0 = none */
	const struct mm_rule_ref *refs;
	size_t n_refs;
	const struct mm_control *controls;
	size_t n_controls;
	const struct mm_fix *fixes;
	size_t n_fixes;
	const char *off;      /* the policy has turned it off: why; NULL = on */
	const char *tailored; /* what the policy changed, one line; NULL = as it comes */
	size_t index;         /* place in its baseline's checks */
};

struct mm_baseline {
	const char *id;        /* "rfc8314" */
	const char *title;     /* "RFC 8314: cleartext considered obsolete" */
	const char *framework; /* whose controls it is about; "" = the RFCs alone */
	const char *version;   /* of the framework: "rev 5, moderate" */
	const char *href;      /* of the framework's catalogue, or "" */
	const char *sha256;    /* over the texts it was read from, hex */
	const struct mm_check *checks;
	size_t n;
};

enum mm_method {
	MM_METHOD_EXAMINE, /* a config was read, or the record looked at */
	MM_METHOD_TEST,    /* a live login was made */
};

struct mm_check_result {
	const struct mm_check *check;
	const char *host, *user, *client, *account; /* "" = not of one; all "" = of the fleet */
	const char *path;                           /* where it stands, or NULL */
	int line;                                   /* 0 = none */
	const char *found, *wanted;                 /* or NULL */
	enum mm_check_outcome outcome;
	const char *why; /* one sentence; "" when the outcome says it all */
	const char *fix; /* how this client is set right, one line, or "" */
	enum mm_method method;
	enum mm_evidence evidence; /* attested or claimed */
	int64_t since;             /* in this outcome since, as far as is known; 0 = not known */
	int64_t seen;              /* when the evidence was collected; 0 = never */
	int64_t expires;           /* until when it counts as evidence; 0 = never collected */
	bool stale;
	struct mm_waiver_of waiver; /* also one that has expired */
};

/* One check over all that was asked about. */
struct mm_check_sum {
	const struct mm_check *check;
	int64_t results; /* sum of `by` */
	int64_t by[MM_OUT_COUNT];
	int64_t stale;                /* of the unknown ones */
	int64_t claimed;              /* of all */
	int64_t expired_waivers;      /* of the drifted, failed and unknown ones */
	int64_t users, users_failing; /* (host, user) pairs */
	int64_t oldest;               /* oldest evidence, 0 = none */
};

typedef int mm_result_cb(const struct mm_check_result *r, void *arg, struct mm_err *err);

/* Whoever wants the login checks that go by, lean, instead of walking them once more. */
struct mm_login_tap {
	int (*take)(const struct mm_login_row *r, void *arg, struct mm_err *err);
	void *arg;
	bool told; /* set when they went by: not when no check looks at logins */
};

/* Every result, in order of host, user, client, account, check; those of the
 * fleet first. One pass over the store, memory of one host; rows are valid
 * during the call only. `sums` (mm_baseline.n of them) or `cb` may be NULL. */
int mm_checks_walk(struct mm_store *s, const struct mm_baseline *b, const struct mm_evidence_filter *f,
    mm_result_cb *cb, void *arg, struct mm_check_sum *sums, struct mm_err *err);

/* The same with more said of how. */
#define MM_CHECKS_FLEET 0x1u  /* results of the fleet as a whole */
#define MM_CHECKS_PLACES 0x2u /* all others */
struct mm_checks_how {
	const struct mm_baseline *baseline;
	const struct mm_evidence_filter *filter; /* NULL = everything */
	mm_result_cb *cb;                        /* or NULL */
	void *arg;
	struct mm_check_sum *sums; /* or NULL; zeroed at first */
	struct mm_login_tap *tap;  /* or NULL */
	unsigned what;
};
int mm_checks_run(struct mm_store *s, const struct mm_checks_how *how, struct mm_err *err);
/* Add the sums of further parts of the fleet (n of them, of the same baseline). */
void mm_check_sums_join(struct mm_check_sum *sums, const struct mm_check_sum *more, size_t n);

#endif
