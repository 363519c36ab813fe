/*
 * What the HTML report keeps while rows go by, and its parts: the page is
 * printed when all rows have been seen, worst first. What is kept is bounded,
 * whatever the fleet's size: counts, and the first rows of each kind.
 */
#ifndef MM_CONTROLLER_REPORT_PAGE_H
#define MM_CONTROLLER_REPORT_PAGE_H

#include "controller/report/dims.h"
#include "controller/report/fold.h"
#include "controller/report/html.h"
#include "controller/report/report.h"
#include "controller/report/svg.h"

enum {
	MM_PAGE_NAMES = 40,    /* rows of a table by group or client */
	MM_PAGE_FOLDS = 30,    /* folds of one kind that are shown */
	MM_PAGE_CERTS = 60,    /* those that expire first */
	MM_PAGE_HOSTS = 40,    /* silent for longest */
	MM_PAGE_WAIVERS = 200, /* expired first */
	MM_PAGE_REMARKS = 100,
	MM_PAGE_CHANGES = 60, /* in all, and of each kind while rows go by */
	MM_PAGE_DAYS = 366,
	MM_PAGE_AGES = 6,
	MM_PAGE_EXPIRIES = 6
};

/* The outcomes in the order in which they are stacked: the good one first. */
#define MM_PAGE_SERIES 6
extern const struct mm_svg_series mm_page_series[MM_PAGE_SERIES];
void mm_page_counts(const int64_t by[MM_OUT_COUNT], int64_t out[MM_PAGE_SERIES]);

struct mm_page_trend {
	enum mm_dim dim;
	const char *name;
	struct mm_svg_point *v;
	size_t n, cap;
};

struct mm_page_host {
	const char *host, *address, *text;
	int64_t seen;
};

struct mm_page_waiver {
	struct mm_waiver w;
	bool expired;
};

struct mm_page_change {
	const char *of, *then, *now;
};

struct mm_page {
	FILE *f;
	const struct mm_report_meta *meta;
	const struct mm_dims *dims;
	struct mm_arena *a;
	struct mm_folds *checks; /* by mm_check.index */
	size_t n_checks;
	struct mm_folds drift, logins;
	int64_t logins_by[MM_CLASS_COUNT];
	int64_t ages[MM_PAGE_AGES], never;
	int64_t expiries[MM_PAGE_EXPIRIES], n_certs;
	struct mm_cert_row *certs;
	size_t kept_certs;
	struct mm_remark_row *remarks;
	size_t n_remarks, cap_remarks;
	int64_t remarks_left;
	struct mm_page_host *hosts;
	size_t n_hosts;
	int64_t silent;
	struct mm_page_waiver *waivers;
	size_t n_waivers, cap_waivers;
	int64_t waivers_left, waivers_expired;
	struct mm_svg_day *days;
	size_t n_days, cap_days;
	const char *sample_baseline; /* of the last sample */
	int64_t baseline_since;      /* the day of the first sample with it, when one before had another */
	struct mm_page_trend *trends;
	size_t n_trends, cap_trends, hint;
	int64_t changes_by[MM_TURN_COUNT];
	struct mm_page_change *changes[MM_TURN_COUNT]; /* the first of each kind */
	size_t n_changes[MM_TURN_COUNT], cap_changes[MM_TURN_COUNT];
};

/* gather.c: take a row. */
void mm_page_result(struct mm_page *p, const struct mm_check_result *r);
void mm_page_finding(struct mm_page *p, const struct mm_finding_row *r);
void mm_page_login(struct mm_page *p, const struct mm_login_row *r);
void mm_page_cert(struct mm_page *p, const struct mm_cert_row *r);
void mm_page_remark(struct mm_page *p, const struct mm_remark_row *r);
void mm_page_waiver(struct mm_page *p, const struct mm_waiver *w);
void mm_page_host(struct mm_page *p, const struct mm_host_row *h);
void mm_page_sample(struct mm_page *p, const struct mm_sample *v);
const struct mm_page_trend *mm_page_trend_of(const struct mm_page *p, enum mm_dim dim, const char *name);

/* Add what a part of the fleet has kept: results, findings, logins and hosts. Parts come in the order
 * of their workstations; what they point to must stay. */
void mm_page_join(struct mm_page *p, const struct mm_page *part);

void mm_page_change(struct mm_page *p, const struct mm_change_row *r); /* page_changes.c */

/* The parts, in their order; each a <section> with a heading of level 2. */
void mm_page_head(const struct mm_page *p);     /* page_head.c: title, what, as of when, contents */
void mm_page_summary(const struct mm_page *p);  /* page_head.c */
void mm_page_changes(const struct mm_page *p);  /* page_changes.c: nothing when it was not asked for */
void mm_page_time(const struct mm_page *p);     /* page_time.c */
void mm_page_by_check(const struct mm_page *p); /* page_by.c */
void mm_page_by_group(const struct mm_page *p);
void mm_page_by_client(const struct mm_page *p);
void mm_page_checks(const struct mm_page *p);   /* page_checks.c: what fails, to file:line */
void mm_page_drift(const struct mm_page *p);    /* page_checks.c */
void mm_page_logins(const struct mm_page *p);   /* page_servers.c */
void mm_page_certs(const struct mm_page *p);    /* page_servers.c */
void mm_page_remarks(const struct mm_page *p);  /* page_servers.c */
void mm_page_waivers(const struct mm_page *p);  /* page_evidence.c */
void mm_page_evidence(const struct mm_page *p); /* page_evidence.c: how old, who is silent */
void mm_page_record(const struct mm_page *p);   /* page_evidence.c: the audit log behind it */

/* Shared pieces. */
void mm_page_section(const struct mm_page *p, const char *id, const char *title);
void mm_page_section_end(const struct mm_page *p);
void mm_page_empty(const struct mm_page *p, const char *sentence);
/* "and 1,234 more: mailmuster report --format csv", when n > 0. */
void mm_page_more(const struct mm_page *p, int64_t n, const char *what);
/* The places of a fold, worst first. */
void mm_page_places(const struct mm_page *p, const char *label, const struct mm_fold *f);
/* "120 fail, 3 waived, 4 unknown" */
void mm_page_fold_counts(const struct mm_page *p, const struct mm_fold *f);

#endif
