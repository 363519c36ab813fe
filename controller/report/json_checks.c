/* Checks, baselines and results as JSON: schemas/json/fleet-report.schema.json. */
#include "common/json.h"
#include "common/json_text.h"
#include "common/text.h"
#include "controller/checks/baseline.h"
#include "controller/report/json_rows.h"

json_t *mm_baseline_json(const struct mm_baseline *b, const char *by)
{
	json_t *o = json_object();
	mm_json_set_str(o, "id", b->id);
	mm_json_set_str(o, "title", b->title);
	mm_json_set_str(o, "framework", b->framework);
	mm_json_set_str(o, "version", b->version);
	mm_json_set_str(o, "href", b->href);
	mm_json_set_str(o, "sha256", b->sha256);
	mm_json_set_str(o, "chosen_by", by);
	return o;
}

static json_t *refs_json(const struct mm_check *c)
{
	json_t *refs = json_array();
	for (size_t i = 0; i < c->n_refs; i++) {
		json_t *r = json_object();
		mm_json_set_str(r, "document", c->refs[i].document);
		mm_json_set_str(r, "section", c->refs[i].section);
		mm_json_set_str(r, "words", c->refs[i].words);
		json_array_append_new(refs, r);
	}
	return refs;
}

json_t *mm_check_about_json(const struct mm_check *c)
{
	json_t *o = json_object(), *controls = json_array(), *fixes = json_object();
	for (size_t i = 0; i < c->n_controls; i++) {
		json_t *k = json_object();
		mm_json_set_str(k, "framework", c->controls[i].framework);
		mm_json_set_str(k, "id", c->controls[i].id);
		json_array_append_new(controls, k);
	}
	for (size_t i = 0; i < c->n_fixes; i++)
		mm_json_set_str(
		    fixes, c->fixes[i].client[0] != '\0' ? c->fixes[i].client : "any", c->fixes[i].text);
	mm_json_set_str(o, "id", c->id);
	mm_json_set_str(o, "title", c->title);
	mm_json_set_str(o, "rationale", c->rationale);
	mm_json_set_str(o, "severity", mm_severity_name(c->severity));
	mm_json_set_str(o, "test", c->test);
	mm_json_set_int(o, "threshold", c->threshold);
	mm_json_set_str(o, "units", mm_check_unit(c));
	mm_row_set_text(o, "off", c->off);
	mm_row_set_text(o, "tailored", c->tailored);
	mm_json_set(o, "references", refs_json(c));
	mm_json_set(o, "controls", controls);
	mm_json_set(o, "fixes", fixes);
	return o;
}

static void set_sum(json_t *o, const struct mm_check_sum *s)
{
	json_t *by = json_object();
	for (int i = 0; i < MM_OUT_COUNT; i++)
		mm_json_set_int(by, mm_outcome_name((enum mm_check_outcome)i), s->by[i]);
	mm_json_set_int(o, "results", s->results);
	mm_json_set(o, "by_outcome", by);
	mm_json_set_int(o, "stale", s->stale);
	mm_json_set_int(o, "claimed", s->claimed);
	mm_json_set_int(o, "expired_waivers", s->expired_waivers);
	mm_json_set_int(o, "users", s->users);
	mm_json_set_int(o, "users_failing", s->users_failing);
	mm_row_set_time(o, "oldest_evidence", s->oldest);
}

json_t *mm_check_json(const struct mm_check_sum *s)
{
	json_t *o = mm_check_about_json(s->check);
	set_sum(o, s);
	return o;
}

json_t *mm_check_change_json(const struct mm_check_change *r)
{
	json_t *o = json_object(), *then = json_object(), *now = json_object();
	mm_json_set_str(o, "check", r->now->check->id);
	set_sum(then, r->then);
	set_sum(now, r->now);
	mm_json_set(o, "then", then);
	mm_json_set(o, "now", now);
	return o;
}

void mm_check_result_text(struct mm_buf *o, const struct mm_check_result *r)
{
	mm_json_open(o, NULL);
	mm_json_put_str(o, "check", r->check->id);
	mm_json_put_str(o, "outcome", mm_outcome_name(r->outcome));
	mm_json_put_str(o, "severity", mm_severity_name(r->check->severity));
	mm_json_put_str(o, "host", r->host);
	mm_json_put_str(o, "user", r->user);
	mm_json_put_str(o, "client", r->client);
	mm_json_put_str(o, "account", r->account);
	mm_json_put_text(o, "path", r->path);
	mm_json_put_int(o, "line", r->line);
	mm_json_put_text(o, "found", r->found);
	mm_json_put_text(o, "wanted", r->wanted);
	mm_json_put_str(o, "why", r->why);
	mm_json_put_str(o, "fix", r->fix);
	mm_json_put_str(o, "method", r->method == MM_METHOD_TEST ? "test" : "examine");
	mm_json_put_str(o, "evidence", r->evidence == MM_EV_CLAIMED ? "claimed" : "attested");
	mm_json_put_time(o, "since", r->since);
	mm_json_put_time(o, "seen", r->seen);
	mm_json_put_time(o, "expires", r->expires);
	mm_json_put_bool(o, "stale", r->stale);
	mm_waiver_of_text(o, &r->waiver);
	mm_json_close(o);
}
