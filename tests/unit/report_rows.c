#include "tests/unit/report_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define DAY 86400

static const struct mm_rule_ref refs[] = {{"RFC 8314", "3.3", "implicit TLS is preferred"}};
static const struct mm_control controls[] = {
    {"nist-800-53-r5", "SC-8(1)"}, {"nist-800-53-r5", "CM-6 b"}, {"pci-dss-4", "4.2.1"}};
static const struct mm_control of_login[] = {{"nist-800-53-r5", "SC-8(1)"}, {"nist-800-53-r5", "IA-2"}};
static const struct mm_fix fixes[] = {{"mutt", "set folder to imaps://"}, {"", "use port 993"}};

static const struct mm_check checks[ROWS_CHECKS] = {
    {.id = "implicit-tls",
	.title = "Mail is fetched and sent over TLS from the first byte",
	.rationale = "What begins in clear can be kept in clear by whoever sits between.",
	.severity = MM_SEV_CRITICAL,
	.test = "security",
	.refs = refs,
	.n_refs = 1,
	.controls = controls,
	.n_controls = 3,
	.fixes = fixes,
	.n_fixes = 2,
	.index = 0},
    {.id = "login",
	.title = "The login works",
	.rationale = "Nobody without mail.",
	.severity = MM_SEV_MEDIUM,
	.test = "login",
	.controls = of_login,
	.n_controls = 2,
	.tailored = "severity medium instead of high",
	.index = 1},
    {.id = "audit-log",
	.title = "The record is whole",
	.rationale = "Evidence that can be edited is none.",
	.severity = MM_SEV_LOW,
	.test = "chain",
	.index = 2},
    {.id = "pop3-leave",
	.title = "Mail stays on the server",
	.rationale = "One place.",
	.severity = MM_SEV_INFO,
	.test = "none",
	.off = "we do not use POP3",
	.index = 3},
};

const struct mm_baseline rows_baseline = {.id = "nist-800-53-moderate",
    .title = "NIST SP 800-53 rev 5, moderate",
    .framework = "nist-800-53-r5",
    .version = "rev 5, moderate",
    .href = "https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final",
    .sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    .checks = checks,
    .n = ROWS_CHECKS};

static const char *const nasty[] = {
    "]]><script>alert(\"1\")</script>&amp;'",
    "\x1b[31mred\x07\x01 \xff\xfe \xc3( \xed\xa0\x80",
    "=cmd|' /C calc'!A0\r\n\"quoted\"\t",
    "\xef\xbf\xbe\xef\xbf\xbf \xe2\x80\xa8 \xe2\x80\xae \xc2\x85",
    " \xc2\xa0[link](javascript:alert(1)) `code` *b* <b> \xe3\x80\x80",
    "\" } ] , { \\ \\\" \\u0000 %s%n%d",
};
#define N_NASTY (sizeof(nasty) / sizeof(nasty[0]))

struct rows {
	struct mm_out o;
	bool nasty;
	size_t n;
	struct mm_check_sum sums[ROWS_CHECKS];
};

static const char *text(struct rows *rows, const char *plain)
{
	return rows->nasty ? nasty[rows->n % N_NASTY] : plain;
}

static void give(struct rows *rows, const struct mm_check_result *r)
{
	struct mm_check_sum *s = &rows->sums[r->check->index];
	rows->n++;
	s->results++;
	s->by[r->outcome]++;
	s->stale += r->outcome == MM_OUT_UNKNOWN && r->stale;
	s->claimed += r->evidence == MM_EV_CLAIMED;
	s->expired_waivers += r->waiver.id != 0 && r->waiver.expired;
	bool well = r->outcome == MM_OUT_COMPLIANT || r->outcome == MM_OUT_NOT_APPLICABLE;
	if (rows->o.section == MM_SEC_ALL_RESULTS || (rows->o.section == MM_SEC_RESULTS && !well)) {
		rows->o.output->row(&rows->o, (union mm_report_row){.result = r});
		rows->o.rows++;
	}
}

/* Outcomes take turns with the workstations, so that groups of them form. */
static void of_user(struct rows *rows, const char *host, const char *user, size_t turn)
{
	struct mm_check_result r = {.check = &checks[0],
	    .host = host,
	    .user = user,
	    .client = "mutt",
	    .account = text(rows, "work"),
	    .path = rows->nasty ? "/home/x/a b%\x01\xff\"<&?#/.muttrc" : "/home/x/.muttrc",
	    .line = turn == 2 ? 7 : 0,
	    .found = text(rows, "none"),
	    .wanted = "tls",
	    .outcome = (enum mm_check_outcome)(turn % MM_OUT_COUNT),
	    .why = text(rows, ""),
	    .fix = text(rows, ""),
	    .method = MM_METHOD_EXAMINE,
	    .evidence = turn % 3 == 1 ? MM_EV_CLAIMED : MM_EV_ATTESTED,
	    .since = ROWS_NOW - 3 * DAY,
	    .seen = ROWS_NOW - 3600,
	    .expires = ROWS_NOW - 3600 + 7 * DAY};
	if (r.outcome == MM_OUT_WAIVED || r.outcome == MM_OUT_FAILED)
		r.waiver = (struct mm_waiver_of){.id = 7,
		    .until = r.outcome == MM_OUT_WAIVED ? ROWS_NOW + DAY : ROWS_NOW - DAY,
		    .expired = r.outcome == MM_OUT_FAILED,
		    .owner = text(rows, "dana"),
		    .reason = text(rows, "scanner")};
	give(rows, &r);
	r.check = &checks[1];
	r.method = MM_METHOD_TEST;
	r.path = NULL;
	r.line = 0;
	r.found = r.wanted = NULL;
	r.outcome = turn % 4 == 0 ? MM_OUT_UNKNOWN : MM_OUT_COMPLIANT;
	r.waiver = (struct mm_waiver_of){.id = 0};
	if (turn % 8 == 0) {
		r.seen = r.expires = r.since = 0; /* never */
	} else if (turn % 8 == 4) {
		r.stale = true;
		r.seen = ROWS_NOW - 20 * DAY;
		r.expires = ROWS_NOW - 13 * DAY;
	}
	give(rows, &r);
}

static void results(struct rows *rows, size_t hosts)
{
	struct mm_check_result fleet = {.check = &checks[2],
	    .host = "",
	    .user = "",
	    .client = "",
	    .account = "",
	    .outcome = MM_OUT_COMPLIANT,
	    .why = "",
	    .fix = "",
	    .seen = ROWS_NOW,
	    .expires = ROWS_NOW + DAY};
	rows->n = 0;
	memset(rows->sums, 0, sizeof(rows->sums));
	for (size_t i = 0; i < ROWS_CHECKS; i++)
		rows->sums[i].check = &checks[i];
	give(rows, &fleet);
	for (size_t i = 0; i < hosts; i++) {
		char host[64];
		snprintf(host, sizeof(host), "ws%05zu", i);
		of_user(rows, host, "alice", i);
		of_user(rows, host, "bob@acme.example", 0);
	}
}

size_t rows_results(size_t hosts)
{
	return 1 + 4 * hosts;
}

static void cert_rows(struct rows *rows)
{
	struct mm_cert_row r = {.protocol = "imap",
	    .server = rows->nasty ? "a\"\\\n{}" : "imap.acme.example",
	    .subject = text(rows, "CN=imap"),
	    .issuer = "",
	    .port = 993,
	    .not_after = ROWS_NOW + 5 * DAY,
	    .users = 1,
	    .hosts = 1,
	    .seen = ROWS_NOW - 60};
	rows->o.output->row(&rows->o, (union mm_report_row){.cert = &r});
	r.stale = true; /* does not count */
	rows->o.output->row(&rows->o, (union mm_report_row){.cert = &r});
}

static void host_rows(struct rows *rows, size_t hosts)
{
	for (size_t i = 0; i < hosts; i++) {
		char host[64];
		snprintf(host, sizeof(host), "ws%05zu", i);
		struct mm_host_row h = {.host = host,
		    .address = "127.0.2.1",
		    .seen = ROWS_NOW - 3600,
		    .received = ROWS_NOW - 3600,
		    .agent = text(rows, "1.0"),
		    .revision = 3};
		rows->o.output->row(&rows->o, (union mm_report_row){.host = &h});
		rows->o.rows++;
	}
}

static void section(struct rows *rows, size_t hosts)
{
	switch (rows->o.section) {
	case MM_SEC_CHECKS:
		results(rows, hosts); /* for the sums */
		for (size_t i = 0; i < ROWS_CHECKS; i++, rows->o.rows++)
			rows->o.output->row(&rows->o, (union mm_report_row){.sum = &rows->sums[i]});
		break;
	case MM_SEC_RESULTS:
	case MM_SEC_ALL_RESULTS:
		results(rows, hosts);
		break;
	case MM_SEC_CERTS:
		cert_rows(rows);
		break;
	case MM_SEC_HOSTS:
		host_rows(rows, hosts);
		break;
	default:
		break;
	}
}

char *rows_render(const char *format, size_t hosts, bool nasty_too)
{
	const struct mm_output *out = mm_output_by_name(format);
	assert_non_null(out);
	out = out->in_full != NULL ? out->in_full : out;
	struct mm_report_meta meta = {.title = "Mail settings of the fleet",
	    .version = "1.2.3",
	    .fleet = {.now = ROWS_NOW,
		.stale_after = 7 * DAY,
		.revision = 3,
		.hosts = (int64_t)hosts,
		.hosts_fresh = (int64_t)hosts,
		.oldest_seen = ROWS_NOW - 20 * DAY,
		.newest_seen = ROWS_NOW - 60},
	    .revision = {.number = 3,
		.sha256 = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"},
	    .baseline = &rows_baseline,
	    .fleet_id = "2ed6657d-e927-568b-95e1-2665a8aea6a2"};
	char *all = NULL;
	size_t n = 0;
	struct rows rows = {
	    .o = {.output = out, .f = open_memstream(&all, &n), .meta = &meta}, .nasty = nasty_too};
	assert_non_null(rows.o.f);
	if (out->begin != NULL)
		out->begin(&rows.o);
	for (size_t i = 0; out->sections[i] != MM_SEC_COUNT; i++) {
		rows.o.section = out->sections[i];
		rows.o.rows = 0;
		if (out->section != NULL)
			out->section(&rows.o);
		section(&rows, hosts);
		if (out->section_end != NULL)
			out->section_end(&rows.o);
	}
	if (out->end != NULL)
		out->end(&rows.o);
	if (out->done != NULL)
		out->done(&rows.o);
	assert_int_equal(rows.o.trouble, 0);
	assert_int_equal(fclose(rows.o.f), 0);
	return all;
}
