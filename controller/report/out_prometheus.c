/*
 * Prometheus' text format, for the textfile collector of node_exporter: write
 * it with --output, which puts the whole file in place at once.
 *
 * Labels are the ids of checks and words of our own. People, workstations and
 * servers are none: there are many, and a workstation could make them up.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/term.h"
#include "common/text.h"
#include "controller/report/about.h"
#include "controller/report/outputs.h"

#define N_WITHIN 5
static const int within_days[N_WITHIN] = {0, 7, 14, 30, 90};

struct own {
	struct mm_arena *arena;
	struct mm_check_sum *sums;
	size_t n, cap;
	int64_t certs, expiring[N_WITHIN], first_expiry; /* of certificates that were seen lately */
};

static void begin(struct mm_out *o)
{
	struct own *own = mm_xcalloc(1, sizeof(*own));
	own->arena = mm_arena_new();
	o->state = own;
}

static void done(struct mm_out *o)
{
	struct own *own = o->state;
	mm_arena_free(own->arena);
	free(own);
}

static void cert(struct own *own, const struct mm_cert_row *r, int64_t now)
{
	if (r->stale)
		return;
	own->certs++;
	for (size_t i = 0; i < N_WITHIN; i++)
		own->expiring[i] += r->not_after <= now + (int64_t)within_days[i] * 86400;
	if (own->first_expiry == 0 || r->not_after < own->first_expiry)
		own->first_expiry = r->not_after;
}

static void row(struct mm_out *o, union mm_report_row r)
{
	struct own *own = o->state;
	if (o->section == MM_SEC_CHECKS) {
		struct mm_check_sum *kept =
		    mm_arena_push(own->arena, &own->sums, &own->n, &own->cap, sizeof(*kept));
		*kept = *r.sum;
	} else {
		cert(own, r.cert, o->meta->fleet.now);
	}
}

/* ---- writing */

static void family(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP mailmuster_%s %s\n# TYPE mailmuster_%s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and newline are escaped; other control
 * characters and bytes that are not UTF-8 have no place in it. */
static void label(FILE *f, const char *comma, const char *name, const char *value)
{
	struct mm_buf b = MM_BUF_INIT(1u << 16);
	mm_printable(&b, value, strlen(value));
	fprintf(f, "%s%s=\"", comma, name);
	for (const char *p = mm_buf_str(&b); *p != '\0'; p++) {
		if (*p == '\\' || *p == '"')
			fputc('\\', f);
		fputc(*p, f);
	}
	fputc('"', f);
	mm_buf_free(&b);
}

static void plain(FILE *f, const char *name, const char *help, int64_t v)
{
	family(f, name, "gauge", help);
	fprintf(f, "mailmuster_%s %" PRId64 "\n", name, v);
}

static void counted(FILE *f, const char *name, const char *key, const char *value, int64_t v)
{
	fprintf(f, "mailmuster_%s{%s=\"%s\"} %" PRId64 "\n", name, key, value, v);
}

/* So that an alert can ask for what is critical, and tell what is turned off from what nobody has. */
static void check_info(FILE *f, const struct own *own)
{
	family(f, "check_info", "gauge",
	    "What a check is about: severity, title, and whether the policy has it on.");
	for (size_t i = 0; i < own->n; i++) {
		const struct mm_check *c = own->sums[i].check;
		fputs("mailmuster_check_info{", f);
		label(f, "", "check", c->id);
		label(f, ",", "severity", mm_severity_name(c->severity));
		label(f, ",", "title", c->title);
		label(f, ",", "enabled", c->off == NULL ? "yes" : "no");
		fputs("} 1\n", f);
	}
}

static void checks(FILE *f, const struct own *own)
{
	check_info(f, own);
	family(f, "check_results", "gauge",
	    "Objects by check and outcome; the sum over the outcomes is the whole.");
	for (size_t i = 0; i < own->n; i++)
		for (int k = 0; k < MM_OUT_COUNT; k++)
			fprintf(f, "mailmuster_check_results{check=\"%s\",outcome=\"%s\"} %" PRId64 "\n",
			    own->sums[i].check->id, mm_outcome_name((enum mm_check_outcome)k),
			    own->sums[i].by[k]);
	static const struct {
		const char *name, *help;
		size_t at;
	} more[] = {
	    {"check_results_stale", "Of those with outcome unknown: the evidence is too old.",
		offsetof(struct mm_check_sum, stale)},
	    {"check_results_claimed", "Of all: they rest on what a user's own run claimed.",
		offsetof(struct mm_check_sum, claimed)},
	    {"check_waivers_expired", "Results that a waiver covered which has expired.",
		offsetof(struct mm_check_sum, expired_waivers)},
	    {"check_users", "Users on a workstation that the check looked at.",
		offsetof(struct mm_check_sum, users)},
	    {"check_users_failing", "Of them, with a result that failed or drifted.",
		offsetof(struct mm_check_sum, users_failing)},
	    {"check_oldest_evidence_timestamp_seconds", "When the oldest evidence was collected, 0 for none.",
		offsetof(struct mm_check_sum, oldest)},
	};
	for (size_t m = 0; m < sizeof(more) / sizeof(more[0]); m++) {
		family(f, more[m].name, "gauge", more[m].help);
		for (size_t i = 0; i < own->n; i++) {
			int64_t v;
			memcpy(&v, (const char *)&own->sums[i] + more[m].at, sizeof(v));
			counted(f, more[m].name, "check", own->sums[i].check->id, v);
		}
	}
}

static void fleet(FILE *f, const struct mm_fleet *t)
{
	family(f, "hosts", "gauge", "Workstations by the age of their evidence; the sum is the whole.");
	counted(f, "hosts", "state", "fresh", t->hosts_fresh);
	counted(f, "hosts", "state", "stale", t->hosts_stale);
	counted(f, "hosts", "state", "never", t->hosts_never);
	plain(f, "hosts_on_current_revision",
	    "Workstations that are fresh and on the current policy revision.", t->hosts_current);
	plain(f, "hosts_pending", "Workstations that are owed a revision.", t->hosts_pending);
	plain(f, "witness_alarms", "Checkpoints that workstations have seen and the audit log does not have.",
	    t->alarms);
	plain(f, "reports_bad_signature", "Fresh reports whose signature is bad or missing.", t->seals_bad);
	family(f, "logins", "gauge", "Login checks by result, stale ones apart; the sum is the whole.");
	for (int i = 0; i < MM_LOGIN_COUNT; i++)
		counted(f, "logins", "result", mm_result_name((enum mm_result)i), t->logins_result[i]);
	counted(f, "logins", "result", "stale", t->logins_stale);
	family(f, "settings", "gauge", "Settings by verdict; the sum is the whole, stale ones are unknown.");
	for (int i = 0; i < MM_AUDIT_COUNT; i++)
		counted(f, "settings", "verdict", mm_audit_name((enum mm_audit)i), t->settings_by[i]);
	family(f, "people", "gauge", "Users on a workstation by verdict; the sum is the whole.");
	for (int i = 0; i < MM_AUDIT_COUNT; i++)
		counted(f, "people", "verdict", mm_audit_name((enum mm_audit)i), t->places_by[i]);
	plain(f, "people_stale", "Of the unknown ones: the evidence is too old.", t->places_stale);
	plain(f, "oldest_evidence_timestamp_seconds",
	    "When the workstation whose evidence is oldest last told, 0 for none.", t->oldest_seen);
	plain(f, "newest_evidence_timestamp_seconds",
	    "When the workstation whose evidence is newest last told, 0 for none.", t->newest_seen);
}

static void waivers(FILE *f, const struct mm_report_meta *m)
{
	family(f, "waivers", "gauge", "Waivers by state; what an expired one covered counts as what it is.");
	counted(f, "waivers", "state", "in_force", m->waivers);
	counted(f, "waivers", "state", "expired", m->waivers_expired);
	plain(f, "waivers_first_expiry_timestamp_seconds",
	    "When the first of the waivers that are in force ends, 0 for none.", m->waiver_ends);
}

static void certificates(FILE *f, const struct own *own)
{
	family(f, "certificates_expiring", "gauge",
	    "Certificates, as logins saw them, that end within so many days; 0 for those that have ended.");
	for (size_t i = 0; i < N_WITHIN; i++)
		fprintf(f, "mailmuster_certificates_expiring{within_days=\"%d\"} %" PRId64 "\n",
		    within_days[i], own->expiring[i]);
	plain(f, "certificates", "Certificates of servers that a login saw lately.", own->certs);
	plain(f, "certificates_first_expiry_timestamp_seconds",
	    "When the first of these certificates ends, 0 for none.", own->first_expiry);
}

static void about(struct mm_out *o)
{
	const struct mm_report_meta *m = o->meta;
	const struct mm_baseline *b = m->baseline;
	family(o->f, "report_info", "gauge",
	    "What the other metrics are about: program, fleet, baseline and policy.");
	fputs("mailmuster_report_info{", o->f);
	label(o->f, "", "version", m->version);
	label(o->f, ",", "fleet", m->fleet_id);
	label(o->f, ",", "policy_sha256", m->revision.sha256 != NULL ? m->revision.sha256 : "");
	label(o->f, ",", "baseline", b != NULL ? b->id : "");
	label(o->f, ",", "baseline_version", b != NULL ? b->version : "");
	label(o->f, ",", "baseline_sha256", b != NULL ? b->sha256 : "");
	fputs("} 1\n", o->f);
	plain(o->f, "policy_revision", "The policy revision in force, 0 for none.", m->revision.number);
	plain(o->f, "report_timestamp_seconds", "As of when all this is.", m->fleet.now);
	plain(o->f, "stale_after_seconds", "Evidence older than this is stale.", m->fleet.stale_after);
}

static void end(struct mm_out *o)
{
	const struct own *own = o->state;
	about(o);
	fleet(o->f, &o->meta->fleet);
	checks(o->f, own);
	waivers(o->f, o->meta);
	certificates(o->f, own);
}

const struct mm_output mm_output_prometheus = {
    .name = "prometheus",
    .about = "Prometheus' text format, for the textfile collector of node_exporter",
    .sections = {MM_SEC_CHECKS, MM_SEC_CERTS, MM_SEC_COUNT},
    .begin = begin,
    .row = row,
    .end = end,
    .done = done,
};
