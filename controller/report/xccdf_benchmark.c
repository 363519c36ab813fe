#include <inttypes.h>

#include "common/text.h"
#include "controller/report/about.h"
#include "controller/report/xccdf.h"
#include "controller/report/xml.h"

const char *mm_xccdf_severity(enum mm_severity s)
{
	static const char *const v[MM_SEV_COUNT] = {
	    [MM_SEV_INFO] = "info",
	    [MM_SEV_LOW] = "low",
	    [MM_SEV_MEDIUM] = "medium",
	    [MM_SEV_HIGH] = "high",
	    [MM_SEV_CRITICAL] = "high", /* there is nothing above */
	};
	return v[s];
}

static void fixes(struct mm_buf *b, const struct mm_check *c)
{
	for (size_t i = 0; i < c->n_fixes; i++) {
		mm_buf_adds(b, "<fixtext>");
		if (c->fixes[i].client[0] != '\0') {
			mm_xml_text(b, c->fixes[i].client);
			mm_buf_adds(b, ": ");
		}
		mm_xml_text(b, c->fixes[i].text);
		mm_buf_adds(b, "</fixtext>");
	}
}

static void references(struct mm_buf *b, const struct mm_check *c)
{
	for (size_t i = 0; i < c->n_refs; i++) {
		mm_buf_adds(b, "<reference>");
		mm_xml_text(b, c->refs[i].document);
		if (c->refs[i].section[0] != '\0') {
			mm_buf_adds(b, " section ");
			mm_xml_text(b, c->refs[i].section);
		}
		mm_buf_adds(b, ": ");
		mm_xml_text(b, c->refs[i].words);
		mm_buf_adds(b, "</reference>");
	}
}

static void rule(struct mm_buf *b, const struct mm_check *c)
{
	mm_buf_addf(b, "<Rule id=\"xccdf_mailmuster_rule_%s\" severity=\"%s\" selected=\"%s\">\n", c->id,
	    mm_xccdf_severity(c->severity), c->off != NULL ? "false" : "true");
	mm_xml_elem(b, "title", c->title);
	mm_xml_elem(b, "description", c->rationale);
	if (c->off != NULL || c->tailored != NULL) {
		mm_buf_adds(b, "<warning>");
		mm_xml_text(b, c->off != NULL ? "turned off by the policy: " : "tailored by the policy: ");
		mm_xml_text(b, c->off != NULL ? c->off : c->tailored);
		mm_buf_adds(b, "</warning>");
	}
	references(b, c);
	mm_xml_elem(b, "rationale", c->rationale);
	for (size_t i = 0; i < c->n_controls; i++) {
		mm_buf_adds(b, "<ident system=\"urn:mailmuster:framework:");
		mm_xml_text(b, c->controls[i].framework);
		mm_buf_adds(b, "\">");
		mm_xml_text(b, c->controls[i].id);
		mm_buf_adds(b, "</ident>");
	}
	fixes(b, c);
	mm_buf_adds(b, "<check system=\"urn:mailmuster:check\"/></Rule>\n");
}

static void head(struct mm_buf *b, const struct mm_report_meta *m)
{
	const struct mm_baseline *base = m->baseline;
	struct mm_arena *a = mm_arena_new();
	struct mm_about about[MM_ABOUT_MAX];
	size_t n = mm_report_about(m, a, about);
	char now[MM_TIME_MAX];
	mm_time_utc(m->fleet.now, now);
	mm_buf_addf(b, "<Benchmark xmlns=\"" MM_XCCDF_NS "\" id=\"xccdf_mailmuster_benchmark_%s\">\n",
	    base != NULL ? base->id : "none");
	mm_buf_addf(b, "<status date=\"%.10s\">accepted</status>\n", now);
	mm_xml_elem(b, "title", base != NULL ? base->title : "no baseline");
	mm_xml_elem(
	    b, "description", "The checks of a baseline of Mailmuster, with what the policy changed.");
	for (size_t i = 0; i < n; i++) {
		mm_buf_addf(b, "<plain-text id=\"%s\">", about[i].name);
		mm_xml_text(b, about[i].value);
		mm_buf_adds(b, "</plain-text>\n");
	}
	mm_buf_addf(b, "<version time=\"%s\">revision %" PRId64, now, m->revision.number);
	mm_xml_text(b, base != NULL && base->version[0] != '\0' ? ", " : "");
	mm_xml_text(b, base != NULL ? base->version : "");
	mm_buf_adds(b, "</version>\n<metadata xmlns:dc=\"http://purl.org/dc/elements/1.1/\">");
	mm_xml_elem(b, "dc:creator", about[0].value);
	mm_xml_elem(b, "dc:source", base != NULL ? base->href : "");
	mm_buf_adds(b, "</metadata>\n");
	mm_arena_free(a);
}

void mm_xccdf_benchmark(const struct mm_report_meta *m, FILE *f)
{
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	head(&b, m);
	fputs(mm_buf_str(&b), f);
	for (size_t i = 0; m->baseline != NULL && i < m->baseline->n; i++) {
		mm_buf_reset(&b);
		rule(&b, &m->baseline->checks[i]);
		fputs(mm_buf_str(&b), f);
	}
	mm_buf_free(&b);
}
