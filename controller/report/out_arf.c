/*
 * ARF 1.1 (NIST IR 7694): the baseline in a SCAP source data stream as the
 * request, the workstations as assets, an XCCDF TestResult as each report,
 * and which report is about which assets.
 */
#include <stdlib.h>

#include "common/text.h"
#include "controller/report/about.h"
#include "controller/report/outputs.h"
#include "controller/report/spool.h"
#include "controller/report/xccdf.h"
#include "controller/report/xml.h"

enum { RELATIONS, ASSETS };

struct own {
	struct mm_xccdf *x;
	struct mm_spool *spool;
	const struct mm_report_meta *m;
};

static void before(struct mm_buf *out, const char *id)
{
	mm_buf_addf(out, "<arf:report id=\"report-%s\"><arf:content>", id);
}

static void target(const char *host, const char *id, void *arg)
{
	struct own *own = arg;
	struct mm_buf b = MM_BUF_INIT(1u << 16);
	char asset[MM_UUID_LEN];
	MM_REPORT_UUID(own->m, asset, "arf", "asset", host);
	mm_buf_addf(&b,
	    "<core:relationship type=\"arfvocab:isAbout\" subject=\"report-%s\">"
	    "<core:ref>asset-%s</core:ref></core:relationship>\n",
	    id, asset);
	mm_spool_add(own->spool, RELATIONS, mm_buf_str(&b), b.len);
	mm_buf_reset(&b);
	mm_buf_addf(&b,
	    "<arf:asset id=\"asset-%s\"><ai:computing-device><ai:synthetic-id "
	    "resource=\"urn:mailmuster:fleet:%s\"",
	    asset, own->m->fleet_id);
	mm_xml_attr(&b, "id", host[0] != '\0' ? host : "the fleet");
	mm_buf_adds(&b, "/></ai:computing-device></arf:asset>\n");
	mm_spool_add(own->spool, ASSETS, mm_buf_str(&b), b.len);
	mm_buf_free(&b);
}

static void begin(struct mm_out *o)
{
	struct own *own = mm_xcalloc(1, sizeof(*own));
	own->m = o->meta;
	own->spool = mm_spool_new();
	own->x = mm_xccdf_new(o->meta,
	    &(struct mm_xccdf_use){
		.before = before, .after = "</arf:content></arf:report>\n", .target = target, .arg = own});
	o->state = own;
}

static void row(struct mm_out *o, union mm_report_row r)
{
	struct own *own = o->state;
	mm_xccdf_add(own->x, r.result);
}

static void request(struct mm_out *o)
{
	char now[MM_TIME_MAX];
	mm_time_utc(o->meta->fleet.now, now);
	fprintf(o->f,
	    "<arf:report-requests><arf:report-request id=\"request\"><arf:content>\n"
	    "<ds:data-stream-collection xmlns:ds=\"http://scap.nist.gov/schema/scap/source/1.2\" "
	    "xmlns:xlink=\"http://www.w3.org/1999/xlink\" id=\"scap_mailmuster_collection_baseline\" "
	    "schematron-version=\"1.2\">\n"
	    "<ds:data-stream id=\"scap_mailmuster_datastream_baseline\" scap-version=\"1.2\" "
	    "use-case=\"OTHER\" timestamp=\"%s\">\n"
	    "<ds:checklists><ds:component-ref id=\"scap_mailmuster_cref_benchmark\" "
	    "xlink:href=\"#scap_mailmuster_comp_benchmark\"/></ds:checklists></ds:data-stream>\n"
	    "<ds:component id=\"scap_mailmuster_comp_benchmark\" timestamp=\"%s\">\n",
	    now, now);
	mm_xccdf_benchmark(o->meta, o->f);
	fputs("</Benchmark></ds:component></ds:data-stream-collection>\n"
	      "</arf:content></arf:report-request></arf:report-requests>\n",
	    o->f);
}

static void end(struct mm_out *o)
{
	struct own *own = o->state;
	mm_xccdf_finish(own->x);
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<arf:asset-report-collection "
	      "xmlns:arf=\"http://scap.nist.gov/schema/asset-reporting-format/1.1\" "
	      "xmlns:core=\"http://scap.nist.gov/schema/reporting-core/1.1\" "
	      "xmlns:ai=\"http://scap.nist.gov/schema/asset-identification/1.1\" "
	      "xmlns:arfvocab=\"http://scap.nist.gov/specifications/arf/vocabulary/relationships/1.0#\">\n"
	      "<core:relationships>\n",
	    o->f);
	mm_spool_pour(own->spool, RELATIONS, o->f);
	fputs("</core:relationships>\n", o->f);
	request(o);
	fputs("<arf:assets>\n", o->f);
	mm_spool_pour(own->spool, ASSETS, o->f);
	fputs("</arf:assets>\n<arf:reports>\n", o->f);
	mm_xccdf_results(own->x, o->f);
	fputs("</arf:reports>\n</arf:asset-report-collection>\n", o->f);
	o->trouble = mm_xccdf_failed(own->x) != 0 ? mm_xccdf_failed(own->x) : mm_spool_failed(own->spool);
}

static void done(struct mm_out *o)
{
	struct own *own = o->state;
	mm_xccdf_free(own->x);
	mm_spool_free(own->spool);
	free(own);
}

const struct mm_output mm_output_arf = {
    .name = "arf",
    .about = "ARF 1.1: XCCDF results with the workstations as assets, for SCAP tools",
    .sections = {MM_SEC_ALL_RESULTS, MM_SEC_COUNT},
    .begin = begin,
    .row = row,
    .end = end,
    .done = done,
};
