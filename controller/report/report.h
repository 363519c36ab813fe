/*
 * Reports: one model of the fleet's evidence, walked in sections, and a table
 * of outputs that print it.
 *
 * A new format is one file and one line in outputs.c. An output says which
 * sections it wants and gets their rows one at a time, so that memory does
 * not grow with the fleet: a section is walked host by host. Rows are valid
 * during the call only.
 *
 * Freshness: a row whose evidence is older than meta->fleet.stale_after never
 * counts as passed; a share is always printed with its denominator and the
 * number that is stale.
 */
#ifndef MM_CONTROLLER_REPORT_H
#define MM_CONTROLLER_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/digest.h"
#include "common/err.h"
#include "controller/checks/check.h"
#include "controller/store/changes.h"
#include "controller/store/store.h"
#include "controller/store/store_samples.h"

/* One user on one host: the unit people ask about. */
struct mm_place_row {
	const char *host, *user;
	enum mm_audit audit; /* worst of its findings and logins; stale evidence is unknown */
	int64_t settings, settings_by[MM_AUDIT_COUNT]; /* open findings, by enum mm_audit */
	int64_t logins, logins_by[MM_LOGIN_COUNT];     /* fresh ones by result */
	int64_t logins_stale;
	int64_t seen; /* oldest evidence of the place: its age is the place's age */
	bool stale;
	bool claimed;    /* at least one row rests on what the user's own run claimed */
	const char *why; /* the first thing that keeps it from passing, one sentence; "" */
};

/* A remark that logins made about one server, whoever saw it. */
struct mm_remark_row {
	const char *protocol, *server, *cls, *admin; /* the words of the latest that saw it */
	int port;
	int64_t users, hosts; /* how many saw it; a user on two hosts counts twice */
	int64_t seen;         /* latest */
	bool stale;           /* also the latest is too old */
};
/* A certificate that logins were shown by one server, whoever saw it. */
struct mm_cert_row {
	const char *protocol, *server, *subject, *issuer; /* "" where it was not told */
	int port;
	int64_t not_after;
	int64_t users, hosts; /* how many saw it last; a user on two hosts counts twice */
	int64_t seen;         /* latest */
	bool stale;           /* also the latest is too old */
};

/* One moment's side of a change. */
struct mm_change_side {
	bool there;
	const char *state; /* of a setting its state, of a login its result */
	const char *cls;   /* of a login that did not pass, "" */
	const char *found; /* or NULL; of a login the server with its port */
	const char *desired;
	enum mm_audit audit;
	int64_t since;
	bool stale;
};
/* What a report says otherwise than one of an earlier moment: a setting, or a login check. */
struct mm_change_row {
	enum mm_turn change;
	bool login;
	const char *host, *user, *account;
	const char *client, *path, *setting; /* of a login the first two are "", and this is its side */
	int line;
	struct mm_change_side then, now;
};
struct mm_check_change {
	const struct mm_check_sum *then, *now; /* of the same check, by the same baseline */
};

#define MM_SAMPLE_DAYS 365       /* that are shown */
#define MM_SAMPLE_RENEWED_S 3600 /* so old is today\'s when a report takes it anew */

struct mm_report_meta {
	struct mm_fleet fleet;
	const char *title;
	const char *version;         /* of this program */
	struct mm_revision revision; /* current; number 0 = none */
	struct mm_evidence_filter filter;
	struct mm_checkpoint_row checkpoint; /* of the audit log, the newest; seq 0 = none */
	int64_t checkpoint_seen,
	    checkpoint_hosts;             /* the newest that hosts have handed back, and how many did */
	int64_t waivers, waivers_expired; /* in force, of the whole fleet, and those that have expired */
	int64_t waiver_ends;              /* when the first of those in force ends; 0 = there is none */
	/* What is judged by, and the sum of each of its checks (baseline->n of them). NULL: there
	 * is none, and the sections of checks are empty. */
	const struct mm_baseline *baseline;
	const char *baseline_by; /* who chose it: "the policy", "--baseline" ... */
	const struct mm_check_sum *sums;
	int64_t since;                        /* what changed since is told, too; 0 = it is not */
	const struct mm_check_sum *sums_then; /* as `sums`, at that time */
	/* A UUID that names the fleet for good: made from the first key that signed for it. */
	char fleet_id[MM_UUID_LEN];
};

/* For mm_report_write(): the baseline to judge by. */
struct mm_report_checks {
	const struct mm_baseline *baseline;
	const char *by;
	struct mm_check_sum *sums; /* baseline->n of them, filled in for the caller */
	int64_t since; /* of outputs that have mm_output_tells_changes(): what changed since; 0 = no */
	bool
	    sample; /* it is what the policy says, all of it: what is counted may be kept as today's sample */
};

enum mm_section {
	MM_SEC_PLACES,       /* struct mm_place_row */
	MM_SEC_DIFFERENCES,  /* struct mm_finding_row: what is not compliant */
	MM_SEC_LOGINS,       /* struct mm_login_row: what did not pass */
	MM_SEC_REMARKS,      /* struct mm_remark_row: what works, and needs attention */
	MM_SEC_WAIVERS,      /* struct mm_waiver: accepted for a while, and those that have expired */
	MM_SEC_HOSTS,        /* struct mm_host_row */
	MM_SEC_CERTS,        /* struct mm_cert_row */
	MM_SEC_SAMPLES,      /* struct mm_sample: of the year before now; none when the filter narrows */
	MM_SEC_ALL_FINDINGS, /* every open finding */
	MM_SEC_ALL_LOGINS,
	MM_SEC_CHECKS,      /* struct mm_check_sum: every check, also those that are turned off */
	MM_SEC_RESULTS,     /* struct mm_check_result: what is neither compliant nor not applicable */
	MM_SEC_ALL_RESULTS, /* every result */
	/* Both only when meta->since is set. */
	MM_SEC_CHECK_CHANGES, /* struct mm_check_change: every check that looked at something at either time
			       */
	MM_SEC_CHANGES,       /* struct mm_change_row: settings, then logins */
	MM_SEC_COUNT
};

union mm_report_row {
	const struct mm_place_row *place;
	const struct mm_finding_row *finding;
	const struct mm_login_row *login;
	const struct mm_remark_row *remark;
	const struct mm_waiver *waiver;
	const struct mm_host_row *host;
	const struct mm_check_sum *sum;
	const struct mm_check_result *result;
	const struct mm_cert_row *cert;
	const struct mm_sample *sample;
	const struct mm_check_change *check_change;
	const struct mm_change_row *change;
};

struct mm_output;
struct mm_dims;

struct mm_out {
	const struct mm_output *output;
	FILE *f;
	const struct mm_report_meta *meta;
	int64_t rows; /* of the section at hand */
	enum mm_section section;
	struct mm_arena *arena;     /* until the report is written */
	const struct mm_dims *dims; /* the results that went by, counted; NULL without `judged` */
	bool apart;                 /* a part of the fleet (struct mm_output_parts), `f` is NULL */
	void *state;                /* the output's own, in the arena */
	int trouble;                /* errno of what failed besides `f`; set by the output */
};

/* For an output that can put parts of the fleet together. A part is filled by judged() and row() of
 * an mm_out of its own with `apart` set, it may be in another process: what join() is to see of it lies in
 * the part's arena. Any but `sections` and `join` may be NULL. */
struct mm_output_parts {
	enum mm_section sections[MM_SEC_COUNT + 1]; /* whose rows go to the parts; MM_SEC_COUNT ends */
	void (*open)(struct mm_out *part);          /* before other processes are started */
	void (*settle)(struct mm_out *part);        /* its last row has gone by; still over there */
	void (*join)(
	    struct mm_out *o, const struct mm_out *part); /* in the order of workstations, before begin() */
	void (*pour)(
	    struct mm_out *o); /* the rows of o->section, of all parts, between section() and section_end() */
	void (*drop)(struct mm_out *part); /* frees what open() has made */
};

struct mm_output {
	const char *name;                           /* "text" */
	const char *about;                          /* one line for the help */
	enum mm_section sections[MM_SEC_COUNT + 1]; /* in the order wanted; MM_SEC_COUNT ends */
	/* Any may be NULL. Write errors are noticed once, at the end, by ferror(). */
	void (*begin)(struct mm_out *o);
	void (*section)(struct mm_out *o); /* before its first row, also when there is none */
	void (*row)(struct mm_out *o, union mm_report_row row);
	void (*section_end)(struct mm_out *o); /* o->rows is then complete */
	void (*end)(struct mm_out *o);
	/* Every result of the checks, in one walk before begin(); o->dims counts them. May be NULL. */
	void (*judged)(struct mm_out *o, const struct mm_check_result *r);
	void (*done)(
	    struct mm_out *o); /* frees what `state` holds outside the arena; also when the walk failed */
	const struct mm_output_parts *parts; /* NULL: one walk over the fleet */
	const struct mm_output *in_full;     /* the same with every row; NULL: it has them all, or never */
};

extern const struct mm_output *const mm_outputs[]; /* NULL-terminated */
const struct mm_output *mm_output_by_name(const char *name);
bool mm_output_tells_changes(const struct mm_output *o);

/* Walk the store and print. -1: the store or the output failed. `checks` NULL: without. */
int mm_report_write(struct mm_store *s, const struct mm_output *output,
    const struct mm_evidence_filter *filter, const struct mm_report_checks *checks, FILE *f,
    struct mm_err *err);

/* Fill in the head only (for status). `a` holds the revision's texts. */
int mm_report_meta(struct mm_store *s, const struct mm_evidence_filter *filter, struct mm_arena *a,
    struct mm_report_meta *meta, struct mm_err *err);

/* Is the report of a part of the fleet? */
bool mm_filter_narrows(const struct mm_evidence_filter *f);

/* Walk one section; of those of checks there is nothing here: mm_report_checks(). */
typedef int mm_section_cb(union mm_report_row row, void *arg, struct mm_err *err);
int mm_report_section(struct mm_store *s, enum mm_section sec, const struct mm_evidence_filter *filter,
    mm_section_cb *cb, void *arg, struct mm_err *err);

/* Walk one of the sections of checks, with meta's baseline and sums. */
int mm_report_checks(struct mm_store *s, enum mm_section sec, const struct mm_report_meta *meta,
    mm_section_cb *cb, void *arg, struct mm_err *err);

/* Walk one of the sections of changes, with meta's filter and since. */
int mm_report_changes(struct mm_store *s, enum mm_section sec, const struct mm_report_meta *meta,
    mm_section_cb *cb, void *arg, struct mm_err *err);

/* Words for people. */
/* "alice on ws1, mutt, work, incoming.port": what changed. */
void mm_change_of(const struct mm_change_row *r, struct mm_buf *out);
/* "drifted: 143 instead of 993, stale"; "not there". */
void mm_change_side_words(const struct mm_change_side *s, struct mm_buf *out);
/* "38 of 40 accounts (95 %), 2 failed, 1 unknown, 1 stale"; of the fleet: the outcome. */
void mm_check_sum_words(const struct mm_check_sum *s, struct mm_buf *out);
/* "alice on ws1, mutt, work": what a result is about; "the fleet". */
void mm_check_result_of(const struct mm_check_result *r, struct mm_buf *out);
/* "found none, wanted tls or starttls: the session is not encrypted" */
void mm_check_result_sentence(const struct mm_check_result *r, struct mm_buf *out);
const char *mm_section_title(enum mm_section s);
/* "3 h ago", "never"; buf: MM_TIME_MAX bytes. */
const char *mm_age(int64_t now, int64_t then, char *buf);
/* What a finding or login says, in one sentence, for people. */
void mm_finding_sentence(const struct mm_finding_row *r, struct mm_buf *out);
void mm_login_sentence(const struct mm_login_row *r, struct mm_buf *out);
/* "waiver 3 of bob, until ...: why", or that it has expired; nothing if there is none. */
void mm_waiver_sentence(const struct mm_waiver_of *w, struct mm_buf *out);
/* Whom and what it covers: "user alice, check incoming.port". */
void mm_waiver_scope(const struct mm_waiver *w, struct mm_buf *out);
/* How far a login came: the highest level that held. One that an agent only
 * retells, since the same password is not presented twice, was not looked at. */
const char *mm_login_held(const struct mm_login *l);

#endif
