/*
 * The judge of the audit log: takes what a store or an export holds, entry by
 * entry, and what witnesses have, and says what was changed, removed,
 * reordered or inserted, and where. It needs no store.
 *
 * Order: keys, then the anchor, then checkpoints, then the entries as they
 * stand, then the end. Memory grows with the number of checkpoints and hosts,
 * not with that of entries.
 */
#ifndef MM_CONTROLLER_AUDIT_VERIFY_H
#define MM_CONTROLLER_AUDIT_VERIFY_H

#include "controller/store/chain.h"
#include "schemas/rotation.h"

#define MM_FAULTS_MAX 100 /* kept; more are counted */

struct mm_fault {
	int64_t seq;  /* the first entry that it is about; 0 = it is about something else */
	int64_t line; /* of the export, 1 is the first; 0 = it is about something else */
	const char
	    *place; /* "entry 17", "entry 17 (line 120)", "line 120", "reports: host ws1, report 52..." */
	const char *text;
};

struct mm_audited {
	int64_t entries, first, last; /* as far as they go */
	int64_t pruned;               /* entries before the first: gone with an anchor */
	int64_t checkpoints;          /* of this log whose signature holds */
	int64_t signing_keys;         /* of the log itself, one after the other */
	int64_t witnessed;            /* up to this entry, 0 = none */
	int64_t witnessed_time;
	const char *witness;        /* who has the last one, "" when nobody */
	int64_t unwitnessed, since; /* entries behind it, and the time of the first of them */
	int64_t personal, erased;   /* parts that stand apart, and of them those that were erased */
	int64_t reports, reports_signed, reports_bad,
	    reports_unknown;        /* unknown: no key of that host is here */
	struct mm_vouched evidence; /* places, of a store only */
	const struct mm_fault *faults;
	size_t n_faults, more_faults; /* more than MM_FAULTS_MAX are counted only */
};

struct mm_judge;
struct mm_judge *mm_judge_new(void);
void mm_judge_free(struct mm_judge *j); /* and all that it has said */

/* `personal` false: parts that stand apart are not there, and that is right. */
void mm_judge_scope(struct mm_judge *j, const char *fleet, bool personal);
/* The signatures of reports are not looked at: they take the most time. */
void mm_judge_no_reports(struct mm_judge *j);
/* A key of the controller's: PEM; the log's own newest first. With `given` it is from outside, and no
 * other key counts but by statements (signers.h). */
int mm_judge_signer(struct mm_judge *j, const char *pem, bool given, struct mm_err *err);
void mm_judge_rotation(struct mm_judge *j, const struct mm_rotation *r);
void mm_judge_report_key(struct mm_judge *j, const char *host, const char *pem);
void mm_judge_anchor(struct mm_judge *j, const struct mm_checkpoint *c);
/* `witness` NULL: it lies with the log itself, which proves nothing about it. */
void mm_judge_checkpoint(struct mm_judge *j, const struct mm_checkpoint *c, const char *witness);
void mm_judge_entry(struct mm_judge *j, const struct mm_chain_entry *e);
/* What comes now begins in this line of an export. */
void mm_judge_at(struct mm_judge *j, int64_t line);
/* The export is not the file that was written, whatever its parts say. */
void mm_judge_altered(struct mm_judge *j);
/* How many places were looked at. */
void mm_judge_evidence(struct mm_judge *j, const struct mm_vouched *v);
/* Something else is wrong. */
void mm_judge_fault(struct mm_judge *j, int64_t seq, const char *place, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Has one of the controller's keys signed this? `sig` in base64. */
bool mm_judge_signed(struct mm_judge *j, const char *text, size_t n, const char *sig);
/* Faults in the order of where they are. Borrowed from `j`. */
const struct mm_audited *mm_judge_end(struct mm_judge *j);

/* ---- sources (verify_store.c, witnessed.c, import.c) */

/* The log of a store, its checkpoints, keys, anchor, and with `evidence` the rows of
 * revisions, approvals, reports, findings and logins against their entries. Hosts that hold
 * checkpoints are witnesses. */
int mm_judge_store(struct mm_judge *j, struct mm_store *s, bool evidence, struct mm_err *err);
/* The log and its checkpoints alone; an error with code MM_EX_DIFF tells the first
 * thing that is wrong. */
int mm_audit_chain(struct mm_store *s, int64_t *entries, struct mm_err *err);
/* An auditor's file: JSON lines, or the system's log, of which other lines are passed over. A
 * line that is none is a fault; a file that cannot be read an error. */
int mm_judge_witness_file(struct mm_judge *j, const char *path, struct mm_err *err);
/* An export (export.h). -1: it cannot be read; whatever is wrong with it is a fault. */
int mm_judge_export(struct mm_judge *j, const char *path, struct mm_err *err);

#endif
