/*
 * SARIF 2.1.0: checks are rules, what is not as it should be is a result.
 * What is compliant or does not apply is counted in the properties of the run
 * and is no result: tools that read SARIF show each as an alert.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/json_text.h"
#include "common/text.h"
#include "controller/report/about.h"
#include "controller/report/json_rows.h"
#include "controller/report/outputs.h"

#define SCHEMA "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

static const char *level(enum mm_severity s)
{
	static const char *const v[MM_SEV_COUNT] = {
	    [MM_SEV_INFO] = "note",
	    [MM_SEV_LOW] = "note",
	    [MM_SEV_MEDIUM] = "warning",
	    [MM_SEV_HIGH] = "error",
	    [MM_SEV_CRITICAL] = "error",
	};
	return v[s];
}

/* The scale of code scanning: above 9.0 critical, 7.0 high, 4.0 medium, 0.1 low. */
static const char *security_severity(enum mm_severity s)
{
	static const char *const v[MM_SEV_COUNT] = {
	    [MM_SEV_INFO] = "0.0",
	    [MM_SEV_LOW] = "3.0",
	    [MM_SEV_MEDIUM] = "5.5",
	    [MM_SEV_HIGH] = "8.0",
	    [MM_SEV_CRITICAL] = "9.5",
	};
	return v[s];
}

static json_t *message(const char *text)
{
	json_t *o = json_object();
	mm_json_set_str(o, "text", text[0] != '\0' ? text : "-");
	return o;
}

static void append_text(json_t *array, const char *s)
{
	json_t *o = json_object(); /* for what is not UTF-8 */
	mm_json_set_str(o, "s", s);
	json_array_append(array, json_object_get(o, "s"));
	json_decref(o);
}

/* How it is set right, a line per mail program. */
static void help(const struct mm_check *c, struct mm_buf *out)
{
	mm_buf_adds(out, c->rationale);
	for (size_t i = 0; i < c->n_refs; i++) {
		mm_buf_addf(out, "\n%s", c->refs[i].document);
		if (c->refs[i].section[0] != '\0')
			mm_buf_addf(out, " section %s", c->refs[i].section);
		mm_buf_addf(out, ": %s", c->refs[i].words);
	}
	for (size_t i = 0; i < c->n_fixes; i++)
		mm_buf_addf(out, "\n%s: %s", c->fixes[i].client[0] != '\0' ? c->fixes[i].client : "To do",
		    c->fixes[i].text);
}

static json_t *rule_properties(const struct mm_check *c)
{
	json_t *o = json_object(), *tags = json_array();
	json_array_append_new(tags, json_string("security"));
	for (size_t i = 0; i < c->n_controls; i++) {
		struct mm_buf b = MM_BUF_INIT(4096);
		mm_buf_addf(&b, "%s/%s", c->controls[i].framework, c->controls[i].id);
		append_text(tags, mm_buf_str(&b));
		mm_buf_free(&b);
	}
	mm_json_set(o, "tags", tags);
	mm_json_set_str(o, "security-severity", security_severity(c->severity));
	mm_json_set_str(o, "precision", "high");
	mm_json_set_str(o, "severity", mm_severity_name(c->severity));
	mm_json_set_str(o, "tailored", c->tailored);
	mm_json_set_str(o, "off", c->off);
	return o;
}

/* "implicit-tls" is CheckImplicitTls: how SARIF's viewers expect a rule's name. */
static void pascal(const char *id, struct mm_buf *out)
{
	bool up = true;
	mm_buf_adds(out, "Check");
	for (; *id != '\0'; id++) {
		bool lower = *id >= 'a' && *id <= 'z';
		if (*id != '-')
			mm_buf_addc(out, (char)(up && lower ? *id - 'a' + 'A' : *id));
		up = *id == '-';
	}
}

static json_t *rule(const struct mm_check *c)
{
	struct mm_buf b = MM_BUF_INIT(1u << 18);
	json_t *o = json_object(), *config = json_object();
	mm_json_set_str(o, "id", c->id);
	pascal(c->id, &b);
	mm_json_set_str(o, "name", mm_buf_str(&b));
	mm_buf_reset(&b);
	mm_json_set(o, "shortDescription", message(c->title));
	mm_json_set(o, "fullDescription", message(c->rationale));
	help(c, &b);
	mm_json_set(o, "help", message(mm_buf_str(&b)));
	mm_json_set_bool(config, "enabled", c->off == NULL);
	mm_json_set_str(config, "level", level(c->severity));
	mm_json_set(o, "defaultConfiguration", config);
	mm_json_set(o, "properties", rule_properties(c));
	mm_buf_free(&b);
	return o;
}

static void begin(struct mm_out *o)
{
	const struct mm_baseline *b = o->meta->baseline;
	fputs("{\"$schema\":\"" SCHEMA "\",\"version\":\"2.1.0\",\"runs\":[{\n\"tool\":{\"driver\":{"
	      "\"name\":\"Mailmuster\",\"semanticVersion\":\"" MM_VERSION "\",\"rules\":[",
	    o->f);
	for (size_t i = 0; b != NULL && i < b->n; i++) {
		fputs(i > 0 ? ",\n" : "\n", o->f);
		mm_json_write(o->f, rule(&b->checks[i]));
	}
	json_t *auto_id = json_object(), *when = json_object();
	struct mm_buf id = MM_BUF_INIT(4096);
	char now[MM_TIME_MAX];
	/* it ends with a slash: all of it names a series of runs, so that two fleets are two */
	mm_buf_addf(&id, "mailmuster/%s/%s/", b != NULL ? b->id : "none", o->meta->fleet_id);
	mm_json_set_str(auto_id, "id", mm_buf_str(&id));
	mm_buf_free(&id);
	fputs("\n]}},\n\"automationDetails\":", o->f);
	mm_json_write(o->f, auto_id);
	mm_json_set_bool(when, "executionSuccessful", true);
	mm_json_set_str(when, "endTimeUtc", mm_time_utc(o->meta->fleet.now, now));
	fputs(",\n\"invocations\":[", o->f);
	mm_json_write(o->f, when);
	fputc(']', o->f);
}

static void section(struct mm_out *o)
{
	fputs(o->section == MM_SEC_CHECKS ? ",\n\"properties\":{\"checks\":["
					  : ",\n\"columnKind\":"
					    "\"unicodeCodePoints\",\"results\":[",
	    o->f);
	o->state = NULL; /* no row yet */
}

/* file://HOST/path (RFC 8089), its bytes percent-encoded. */
static void file_uri(const char *host, const char *path, struct mm_buf *out)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
	mm_buf_addf(out, "file://");
	for (int part = 0; part < 2; part++)
		for (const char *p = part == 0 ? host : path; *p != '\0'; p++)
			if (strchr(plain, *p) != NULL)
				mm_buf_addc(out, *p);
			else
				mm_buf_addf(out, "%%%02X", (unsigned)(unsigned char)*p);
}

static json_t *physical(const struct mm_check_result *r)
{
	if (r->path == NULL || r->path[0] != '/')
		return NULL;
	struct mm_buf b = MM_BUF_INIT(1u << 16);
	json_t *o = json_object(), *artifact = json_object(), *region = json_object();
	file_uri(r->host, r->path, &b);
	mm_json_set_str(artifact, "uri", mm_buf_str(&b));
	mm_buf_free(&b);
	mm_json_set(o, "artifactLocation", artifact);
	mm_json_set_int(region, "startLine", r->line > 0 ? r->line : 1);
	mm_json_set(o, "region", region);
	return o;
}

static void join(struct mm_buf *b, const struct mm_check_result *r)
{
	const char *const parts[] = {r->host, r->user, r->client, r->account};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i][0] != '\0')
			mm_buf_addf(b, "%s%s", b->len > 0 ? "/" : "", parts[i]);
	if (b->len == 0)
		mm_buf_adds(b, "fleet");
}

static json_t *location(const struct mm_check_result *r)
{
	json_t *o = json_object(), *logical = json_object(), *all = json_array();
	struct mm_buf b = MM_BUF_INIT(1u << 16);
	json_t *where = physical(r);
	if (where != NULL)
		mm_json_set(o, "physicalLocation", where);
	join(&b, r);
	mm_json_set_str(logical, "fullyQualifiedName", mm_buf_str(&b));
	mm_json_set_str(logical, "kind", r->client[0] != '\0' ? "member" : "resource");
	mm_buf_free(&b);
	json_array_append_new(all, logical);
	mm_json_set(o, "logicalLocations", all);
	return o;
}

/* What stays the same as long as it is the same thing: no line, no value. */
static json_t *fingerprints(
    const struct mm_report_meta *m, const struct mm_check_result *r, char uuid[MM_UUID_LEN])
{
	json_t *o = json_object();
	MM_REPORT_UUID(m, uuid, "result", r->check->id, r->host, r->user, r->client, r->account,
	    r->path != NULL ? r->path : "");
	mm_json_set_str(o, "mailmusterObject/v1", uuid);
	return o;
}

static json_t *suppressions(const struct mm_check_result *r)
{
	struct mm_buf b = MM_BUF_INIT(1u << 16);
	json_t *o = json_object(), *all = json_array();
	mm_waiver_sentence(&r->waiver, &b);
	mm_json_set_str(o, "kind", "external");
	mm_json_set_str(o, "status", r->outcome == MM_OUT_WAIVED ? "accepted" : "rejected");
	mm_json_set_str(o, "justification", mm_buf_str(&b));
	mm_buf_free(&b);
	json_array_append_new(all, o);
	return all;
}

/* fail: it is wrong. open: nobody knows. review: it could not be looked at. */
static const char *kind(enum mm_check_outcome o)
{
	return o == MM_OUT_UNKNOWN ? "open" : o == MM_OUT_DEFERRED ? "review" : "fail";
}

static void result(const struct mm_report_meta *m, const struct mm_check_result *r, struct mm_buf *out)
{
	struct mm_buf b = MM_BUF_INIT(1u << 18);
	json_t *o = json_object(), *locations = json_array();
	char uuid[MM_UUID_LEN];
	bool fails = mm_streq(kind(r->outcome), "fail");
	mm_json_set_str(o, "ruleId", r->check->id);
	mm_json_set_int(o, "ruleIndex", (int64_t)r->check->index);
	mm_json_set_str(o, "kind", kind(r->outcome));
	mm_json_set_str(o, "level", fails ? level(r->check->severity) : "none");
	mm_buf_addf(&b, "%s: ", mm_outcome_name(r->outcome));
	mm_check_result_of(r, &b);
	mm_buf_adds(&b, ": ");
	mm_result_words(r, &b);
	mm_buf_addc(&b, '.');
	mm_json_set(o, "message", message(mm_buf_str(&b)));
	mm_buf_free(&b);
	json_array_append_new(locations, location(r));
	mm_json_set(o, "locations", locations);
	mm_json_set(o, "partialFingerprints", fingerprints(m, r, uuid));
	mm_json_set_str(o, "correlationGuid", uuid);
	if (r->waiver.id != 0)
		mm_json_set(o, "suppressions", suppressions(r));
	mm_json_open(out, NULL);
	mm_json_put_members(out, o);
	mm_buf_adds(out, ",\"properties\":");
	mm_check_result_text(out, r);
	mm_json_close(out);
}

static void row(struct mm_out *o, union mm_report_row r)
{
	fputs(o->state != NULL ? ",\n" : "\n", o->f);
	o->state = o; /* there is one */
	struct mm_buf text = MM_BUF_INIT(1u << 20);
	if (o->section == MM_SEC_CHECKS)
		mm_row_text(&text, o->section, r);
	else
		result(o->meta, r.result, &text);
	fputs(mm_buf_str(&text), o->f);
	mm_buf_free(&text);
}

static void section_end(struct mm_out *o)
{
	if (o->section == MM_SEC_RESULTS) {
		fputs("\n]", o->f);
		return;
	}
	fputs("\n],\"report\":", o->f);
	mm_json_write(o->f, mm_report_head_json(o->meta));
	fputs(",\"fleet\":", o->f);
	mm_fleet_write(o->f, &o->meta->fleet);
	fputs(",\"waivers\":", o->f);
	json_t *waivers = json_object();
	mm_json_set_int(waivers, "in_force", o->meta->waivers);
	mm_json_set_int(waivers, "expired", o->meta->waivers_expired);
	mm_json_write(o->f, waivers);
	fputc('}', o->f);
}

static void end(struct mm_out *o)
{
	fputs("\n}]}\n", o->f);
}

const struct mm_output mm_output_sarif = {
    .name = "sarif",
    .about = "SARIF 2.1.0: what is not compliant, for code scanning and its viewers",
    .sections = {MM_SEC_CHECKS, MM_SEC_RESULTS, MM_SEC_COUNT},
    .begin = begin,
    .section = section,
    .row = row,
    .section_end = section_end,
    .end = end,
};
