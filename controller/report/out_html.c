/* The page for a browser or for paper: rows are gathered, and printed at the end, worst first. */
#include "controller/report/outputs.h"
#include "controller/report/page.h"

static struct mm_page *page(struct mm_out *o)
{
	if (o->state == NULL) {
		struct mm_page *p = mm_arena_alloc(o->arena, 1, sizeof(*p));
		*p = (struct mm_page){.f = o->f, .meta = o->meta, .dims = o->dims, .a = o->arena};
		o->state = p;
	}
	return o->state;
}

static void judged(struct mm_out *o, const struct mm_check_result *r)
{
	mm_page_result(page(o), r);
}

static void row(struct mm_out *o, union mm_report_row r)
{
	struct mm_page *p = page(o);
	switch (o->section) {
	case MM_SEC_DIFFERENCES:
		mm_page_finding(p, r.finding);
		break;
	case MM_SEC_LOGINS:
		mm_page_login(p, r.login);
		break;
	case MM_SEC_CERTS:
		mm_page_cert(p, r.cert);
		break;
	case MM_SEC_REMARKS:
		mm_page_remark(p, r.remark);
		break;
	case MM_SEC_WAIVERS:
		mm_page_waiver(p, r.waiver);
		break;
	case MM_SEC_HOSTS:
		mm_page_host(p, r.host);
		break;
	case MM_SEC_SAMPLES:
		mm_page_sample(p, r.sample);
		break;
	case MM_SEC_CHANGES:
		mm_page_change(p, r.change);
		break;
	case MM_SEC_CHECK_CHANGES:
	case MM_SEC_CHECKS:
	case MM_SEC_RESULTS:
	case MM_SEC_ALL_RESULTS:
	case MM_SEC_PLACES:
	case MM_SEC_ALL_FINDINGS:
	case MM_SEC_ALL_LOGINS:
	case MM_SEC_COUNT:
		break;
	}
}

static void join(struct mm_out *o, const struct mm_out *part)
{
	if (part->state != NULL)
		mm_page_join(page(o), part->state);
}

static void end(struct mm_out *o)
{
	struct mm_page *p = page(o);
	static void (*const part[])(const struct mm_page *p) = {mm_page_head, mm_page_summary,
	    mm_page_changes, mm_page_time, mm_page_by_check, mm_page_checks, mm_page_drift, mm_page_by_group,
	    mm_page_by_client, mm_page_logins, mm_page_certs, mm_page_remarks, mm_page_waivers,
	    mm_page_evidence, mm_page_record};
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++)
		part[i](p);
	fputs("</main>\n</div>\n<footer><p>Compliant means: read back from the mail program's own "
	      "configuration, or proven by a live login, and not too long ago. Evidence is "
	      "\u201cattested\u201d when the agent collected it with its own rights, \u201cclaimed\u201d "
	      "when it came from the user's own session.</p>\n<p>Written by mailmuster ",
	    o->f);
	mm_html_text(o->f, o->meta->version);
	fputs(".</p></footer>\n</body>\n</html>\n", o->f);
}

static const struct mm_output_parts parts = {
    .sections = {MM_SEC_DIFFERENCES, MM_SEC_LOGINS, MM_SEC_HOSTS, MM_SEC_COUNT},
    .join = join,
};

const struct mm_output mm_output_html = {
    .name = "html",
    .about = "one self-contained page, for a browser or for paper",
    .sections = {MM_SEC_CHANGES, MM_SEC_DIFFERENCES, MM_SEC_LOGINS, MM_SEC_CERTS, MM_SEC_REMARKS,
	MM_SEC_WAIVERS, MM_SEC_HOSTS, MM_SEC_SAMPLES, MM_SEC_COUNT},
    .judged = judged,
    .row = row,
    .end = end,
    .parts = &parts,
};
