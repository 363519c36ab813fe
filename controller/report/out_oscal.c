/*
 * OSCAL assessment results 1.2.1, JSON.
 *
 * An observation for each check, outcome, kind of evidence and freshness,
 * with all that it was made on as subjects, else a fleet would fill a disk: a
 * workstation once where all is well, each object where it is not. A finding
 * for each control, of all checks that are evidence for it. There are two states only: what nobody knows,
 * what is stale and what was waived is never "satisfied".
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "controller/report/about.h"
#include "controller/report/json_rows.h"
#include "controller/report/oscal.h"
#include "controller/report/outputs.h"
#include "controller/report/spool.h"

enum fresh { FRESH, STALE, NEVER, N_FRESH };
static const char *const fresh_name[N_FRESH] = {"fresh", "stale", "never"};

#define PER_CHECK (MM_OUT_COUNT * 2 * N_FRESH)
#define CHECKS_MAX (MM_SPOOL_STREAMS / PER_CHECK) /* a baseline that has more shows these */

struct group {
	int64_t results;
	int64_t oldest, expires;
	bool examined, tested;
	int64_t host; /* number of the workstation that was told last */
};

struct own {
	struct mm_spool *subjects;
	struct mm_arena *arena;
	struct group *groups;
	size_t n_checks; /* of the baseline, PER_CHECK groups each */
	struct mm_check_sum *sums;
	size_t n, cap;
	struct mm_buf text, host;
	int64_t host_number; /* rows come host by host */
};

static void begin_own(struct mm_out *o)
{
	struct own *own = mm_xcalloc(1, sizeof(*own));
	own->subjects = mm_spool_new();
	own->arena = mm_arena_new();
	own->n_checks = o->meta->baseline != NULL ? o->meta->baseline->n : 0;
	if (own->n_checks > CHECKS_MAX)
		own->n_checks = CHECKS_MAX;
	own->groups = mm_arena_alloc(own->arena, own->n_checks * PER_CHECK + 1, sizeof(*own->groups));
	own->text = MM_BUF_INIT(1u << 20);
	own->host = MM_BUF_INIT(1u << 16);
	own->host_number = 1;
	o->state = own;
}

static void done(struct mm_out *o)
{
	struct own *own = o->state;
	mm_spool_free(own->subjects);
	mm_arena_free(own->arena);
	mm_buf_free(&own->text);
	mm_buf_free(&own->host);
	free(own);
}

static void put(struct mm_out *o, const char *before, json_t *stolen)
{
	fputs(before, o->f);
	mm_json_write(o->f, stolen);
}

static void set_uuid(const struct mm_out *o, json_t *j, const char *key, const char *kind, const char *name)
{
	const struct mm_baseline *b = o->meta->baseline;
	char uuid[MM_UUID_LEN];
	MM_REPORT_UUID(o->meta, uuid, "oscal", kind, b != NULL ? b->id : "", name);
	mm_json_set_str(j, key, uuid);
}

/* ---- head */

static json_t *metadata(struct mm_out *o)
{
	struct own *own = o->state;
	const struct mm_report_meta *m = o->meta;
	struct mm_about about[MM_ABOUT_MAX];
	size_t n = mm_report_about(m, own->arena, about);
	json_t *j = json_object(), *props = json_array();
	char now[MM_TIME_MAX];
	mm_oscal_set_line(j, "title", m->title);
	mm_oscal_set_time(j, "last-modified", m->fleet.now);
	mm_buf_reset(&own->text);
	mm_buf_addf(
	    &own->text, "revision %" PRId64 ", %s", m->revision.number, mm_time_utc(m->fleet.now, now));
	mm_oscal_set_string(j, "version", mm_buf_str(&own->text));
	mm_json_set_str(j, "oscal-version", MM_OSCAL_VERSION);
	for (size_t i = 0; i < n; i++)
		mm_oscal_prop(props, about[i].name, about[i].value);
	mm_json_set(j, "props", props);
	return j;
}

/* The plan that is imported is the baseline, a resource of this document. */
static json_t *import_ap(struct mm_out *o)
{
	json_t *j = json_object(), *u = json_object();
	char href[MM_UUID_LEN + 1];
	set_uuid(o, u, "uuid", "resource", "baseline");
	snprintf(href, sizeof(href), "#%s", json_string_value(json_object_get(u, "uuid")));
	json_decref(u);
	mm_json_set_str(j, "href", href);
	return j;
}

static json_t *back_matter(struct mm_out *o)
{
	const struct mm_baseline *b = o->meta->baseline;
	json_t *j = json_object(), *all = json_array(), *r = json_object(), *props = json_array();
	set_uuid(o, r, "uuid", "resource", "baseline");
	mm_oscal_set_line(r, "title", b != NULL ? b->title : "no baseline");
	mm_oscal_set_line(r, "description",
	    "The checks that were made: a baseline of Mailmuster with what "
	    "the policy changed of it.");
	mm_oscal_prop(props, "baseline", b != NULL ? b->id : "none");
	mm_oscal_prop(props, "baseline-sha256", b != NULL ? b->sha256 : NULL);
	mm_json_set(r, "props", props);
	if (b != NULL && b->href[0] != '\0') {
		json_t *link = json_object(), *links = json_array();
		mm_json_set_str(link, "href", b->href);
		json_array_append_new(links, link);
		mm_json_set(r, "rlinks", links);
	}
	json_array_append_new(all, r);
	mm_json_set(j, "resources", all);
	return j;
}

static json_t *fleet_component(struct mm_out *o)
{
	json_t *j = json_object(), *status = json_object();
	set_uuid(o, j, "uuid", "component", "fleet");
	mm_json_set_str(j, "type", "this-system");
	mm_oscal_set_line(j, "title", "The fleet");
	mm_oscal_set_line(j, "description",
	    "The workstations whose mail settings this Mailmuster keeps, and its own record.");
	mm_json_set_str(status, "state", "operational");
	mm_json_set(j, "status", status);
	return j;
}

static void begin(struct mm_out *o)
{
	const struct mm_fleet *f = &o->meta->fleet;
	begin_own(o);
	json_t *id = json_object(), *result = json_object();
	set_uuid(o, id, "uuid", "assessment-results", "");
	fprintf(
	    o->f, "{\"assessment-results\":{\"uuid\":\"%s\"", json_string_value(json_object_get(id, "uuid")));
	json_decref(id);
	put(o, ",\n\"metadata\":", metadata(o));
	put(o, ",\n\"import-ap\":", import_ap(o));
	put(o, ",\n\"back-matter\":", back_matter(o));
	set_uuid(o, result, "uuid", "result", "");
	mm_oscal_set_line(result, "title", o->meta->title);
	mm_oscal_set_time(result, "start", f->oldest_seen > 0 ? f->oldest_seen : f->now);
	mm_oscal_set_time(result, "end", f->now);
	struct mm_buf b = MM_BUF_INIT(4096), open = MM_BUF_INIT(1u << 16);
	mm_buf_addf(&b,
	    "%" PRId64 " of %" PRId64 " workstations reported lately, %" PRId64 " are stale, %" PRId64
	    " were never heard of.",
	    f->hosts_fresh, f->hosts, f->hosts_stale, f->hosts_never);
	mm_oscal_set_line(result, "description", mm_buf_str(&b));
	mm_json_dump(result, &open);
	json_decref(result);
	/* the result goes on: its closing brace comes at the end */
	fprintf(o->f, ",\n\"results\":[%.*s", (int)open.len - 1, mm_buf_str(&open));
	put(o, ",\n\"local-definitions\":{\"components\":[", fleet_component(o));
	fputs("]", o->f);
	mm_buf_free(&b);
	mm_buf_free(&open);
}

/* ---- rows */

static json_t *inventory_item(struct mm_out *o, const struct mm_host_row *h)
{
	json_t *j = json_object(), *props = json_array();
	char seen[MM_TIME_MAX];
	set_uuid(o, j, "uuid", "host", h->host);
	mm_oscal_set_line(j, "description", h->host);
	mm_oscal_prop(props, "host", h->host);
	mm_oscal_prop(props, "freshness", fresh_name[h->seen == 0 ? NEVER : h->stale ? STALE : FRESH]);
	if (h->seen > 0)
		mm_oscal_prop(props, "seen", mm_time_utc(h->seen, seen));
	mm_oscal_prop_int(props, "policy-revision", h->revision);
	mm_json_set(j, "props", props);
	return j;
}

static size_t group_of(const struct mm_check_result *r)
{
	enum fresh f = r->seen == 0 ? NEVER : r->stale ? STALE : FRESH;
	size_t claimed = r->evidence == MM_EV_CLAIMED;
	return ((r->check->index * MM_OUT_COUNT + (size_t)r->outcome) * 2 + claimed) * N_FRESH + f;
}

static bool well(enum mm_check_outcome o)
{
	return o == MM_OUT_COMPLIANT || o == MM_OUT_NOT_APPLICABLE;
}

static json_t *subject(struct mm_out *o, const struct mm_check_result *r)
{
	struct own *own = o->state;
	json_t *j = json_object();
	bool fleet = r->host[0] == '\0';
	set_uuid(o, j, "subject-uuid", fleet ? "component" : "host", fleet ? "fleet" : r->host);
	mm_json_set_str(j, "type", fleet ? "component" : "inventory-item");
	if (well(r->outcome))
		return j;
	mm_buf_reset(&own->text);
	mm_check_result_of(r, &own->text);
	mm_oscal_set_line(j, "title", mm_buf_str(&own->text));
	mm_buf_reset(&own->text);
	mm_result_words(r, &own->text);
	mm_oscal_set_line(j, "remarks", mm_buf_str(&own->text));
	return j;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static void result(struct mm_out *o, const struct mm_check_result *r)
{
	struct own *own = o->state;
	if (r->check->index >= own->n_checks)
		return;
	if (!mm_streq(mm_buf_str(&own->host), r->host)) {
		mm_buf_reset(&own->host);
		mm_buf_adds(&own->host, r->host);
		own->host_number++;
	}
	size_t at = group_of(r);
	struct group *g = &own->groups[at];
	g->oldest = earlier(g->oldest, r->seen);
	g->expires = earlier(g->expires, r->expires);
	g->examined |= r->method == MM_METHOD_EXAMINE;
	g->tested |= r->method == MM_METHOD_TEST;
	g->results++;
	bool told = g->host == own->host_number;
	g->host = own->host_number;
	if (told && well(r->outcome))
		return;
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	mm_buf_adds(&b, mm_spool_empty(own->subjects, at) ? "\n" : ",\n");
	json_t *j = subject(o, r);
	mm_json_dump(j, &b);
	json_decref(j);
	mm_spool_add(own->subjects, at, mm_buf_str(&b), b.len);
	mm_buf_free(&b);
}

static void row(struct mm_out *o, union mm_report_row r)
{
	struct own *own = o->state;
	if (o->section == MM_SEC_HOSTS) {
		put(o, o->rows > 0 ? ",\n" : ",\n\"inventory-items\":[\n", inventory_item(o, r.host));
	} else if (o->section == MM_SEC_CHECKS) {
		struct mm_check_sum *kept =
		    mm_arena_push(own->arena, &own->sums, &own->n, &own->cap, sizeof(*kept));
		*kept = *r.sum;
	} else {
		result(o, r.result);
	}
}

static void section_end(struct mm_out *o)
{
	if (o->section == MM_SEC_HOSTS)
		fputs(o->rows > 0 ? "]}" : "}", o->f);
}

/* ---- what was reviewed, observed and found */

static json_t *reviewed(const struct mm_baseline *b)
{
	json_t *j = json_object(), *all = json_array(), *one = json_object();
	json_t *controls = json_array(), *seen = json_object();
	for (size_t i = 0; b != NULL && i < b->n; i++)
		for (size_t k = 0; k < b->checks[i].n_controls; k++) {
			const struct mm_control *c = &b->checks[i].controls[k];
			struct mm_buf id = MM_BUF_INIT(256);
			mm_oscal_control(c->id, &id);
			if (mm_streq(c->framework, b->framework) &&
			    json_object_get(seen, mm_buf_str(&id)) == NULL) {
				json_t *control = json_object();
				mm_json_set_str(control, "control-id", mm_buf_str(&id));
				json_array_append_new(controls, control);
				mm_json_set_bool(seen, mm_buf_str(&id), true);
			}
			mm_buf_free(&id);
		}
	if (json_array_size(controls) > 0)
		mm_json_set(one, "include-controls", json_incref(controls));
	else
		mm_json_set(one, "include-all", json_object());
	json_decref(controls);
	json_decref(seen);
	json_array_append_new(all, one);
	mm_json_set(j, "control-selections", all);
	return j;
}

static void observation_name(size_t at, const struct mm_check *c, struct mm_buf *out)
{
	size_t in = at % PER_CHECK;
	mm_buf_reset(out);
	mm_buf_addf(out, "%s/%s/%s/%s", c->id, mm_outcome_name((enum mm_check_outcome)(in / 2 / N_FRESH)),
	    in / N_FRESH % 2 != 0 ? "claimed" : "attested", fresh_name[in % N_FRESH]);
}

static json_t *methods(const struct group *g, bool never)
{
	json_t *all = json_array();
	if (never)
		json_array_append_new(all, json_string("UNKNOWN"));
	if (!never && g->examined)
		json_array_append_new(all, json_string("EXAMINE"));
	if (!never && g->tested)
		json_array_append_new(all, json_string("TEST"));
	return all;
}

static json_t *observation_props(size_t at, const struct mm_check *c, const struct group *g)
{
	size_t in = at % PER_CHECK;
	json_t *props = json_array();
	mm_oscal_prop(props, "check", c->id);
	mm_oscal_prop(props, "severity", mm_severity_name(c->severity));
	mm_oscal_prop(props, "outcome", mm_outcome_name((enum mm_check_outcome)(in / 2 / N_FRESH)));
	if (in % N_FRESH != NEVER)
		mm_oscal_prop(props, "evidence", in / N_FRESH % 2 != 0 ? "claimed" : "attested");
	mm_oscal_prop(props, "freshness", fresh_name[in % N_FRESH]);
	mm_oscal_prop_int(props, "results", g->results);
	return props;
}

static void observation(struct mm_out *o, size_t at, const struct mm_check *c, const char *before)
{
	struct own *own = o->state;
	const struct group *g = &own->groups[at];
	bool never = at % N_FRESH == NEVER;
	json_t *j = json_object();
	observation_name(at, c, &own->text);
	set_uuid(o, j, "uuid", "observation", mm_buf_str(&own->text));
	mm_oscal_set_line(j, "title", mm_buf_str(&own->text));
	mm_oscal_set_line(j, "description", c->title);
	mm_json_set(j, "props", observation_props(at, c, g));
	mm_json_set(j, "methods", methods(g, never));
	mm_oscal_set_time(j, "collected", never || g->oldest == 0 ? o->meta->fleet.now : g->oldest);
	if (g->expires > 0 && !never)
		mm_oscal_set_time(j, "expires", g->expires);
	if (never)
		mm_oscal_set_line(
		    j, "remarks", "Nothing was ever collected; the time is that of this report.");
	struct mm_buf b = MM_BUF_INIT(1u << 16);
	mm_json_dump(j, &b);
	json_decref(j);
	fprintf(o->f, "%s%.*s,\"subjects\":[", before, (int)b.len - 1, mm_buf_str(&b));
	mm_spool_pour(own->subjects, at, o->f);
	fputs("]}", o->f);
	mm_buf_free(&b);
}

struct verdict {
	const char *state, *reason;
};

/* No state: there was nothing to be looked at. */
static struct verdict judge(const struct mm_check_sum *s)
{
	int64_t fails = s->by[MM_OUT_DRIFTED] + s->by[MM_OUT_FAILED];
	if (s->results == s->by[MM_OUT_NOT_APPLICABLE])
		return (struct verdict){.state = NULL};
	if (fails > 0)
		return (struct verdict){"not-satisfied", "fail"};
	if (s->by[MM_OUT_COMPLIANT] + s->by[MM_OUT_NOT_APPLICABLE] < s->results)
		return (struct verdict){"not-satisfied", "other"};
	return (struct verdict){"satisfied", "pass"};
}

/* What a finding is about, and all checks that are evidence for it. */
struct target {
	struct mm_oscal_target t;
	const struct mm_check_sum **of;
	size_t n;
	struct mm_check_sum sum; /* of all of them; its check is the gravest */
};

static void add_sum(struct mm_check_sum *to, const struct mm_check_sum *s)
{
	if (to->check == NULL || s->check->severity > to->check->severity)
		to->check = s->check;
	for (int i = 0; i < MM_OUT_COUNT; i++)
		to->by[i] += s->by[i];
	to->results += s->results;
	to->stale += s->stale;
	to->claimed += s->claimed;
	to->expired_waivers += s->expired_waivers;
}

struct targets {
	struct target *v;
	size_t n, cap;
};

static struct target *target_of(struct own *own, struct targets *all, const struct mm_oscal_target *t)
{
	for (size_t i = 0; i < all->n; i++)
		if (mm_streq(all->v[i].t.id, t->id) && mm_streq(all->v[i].t.type, t->type))
			return &all->v[i];
	struct target *one = mm_arena_push(own->arena, &all->v, &all->n, &all->cap, sizeof(*one));
	*one = (struct target){.t = *t, .of = mm_arena_alloc(own->arena, own->n, sizeof(*one->of))};
	return one;
}

static void add_check(struct mm_out *o, struct targets *all, const struct mm_check_sum *s)
{
	struct own *own = o->state;
	struct mm_oscal_target t;
	if (s->check->index >= own->n_checks || judge(s).state == NULL)
		return;
	for (size_t n = 0; mm_oscal_target(o->meta->baseline, s->check, n, &t); n++) {
		struct target *one = target_of(own, all, &t);
		if (one->n > 0 && one->of[one->n - 1] == s)
			continue; /* two of its controls have one name */
		one->of[one->n++] = s;
		add_sum(&one->sum, s);
	}
}

static void add_related(struct mm_out *o, const struct mm_check *c, json_t *all)
{
	struct own *own = o->state;
	for (size_t at = c->index * PER_CHECK; at < (c->index + 1) * PER_CHECK; at++) {
		if (own->groups[at].results == 0)
			continue;
		json_t *one = json_object();
		observation_name(at, c, &own->text);
		set_uuid(o, one, "observation-uuid", "observation", mm_buf_str(&own->text));
		json_array_append_new(all, one);
	}
}

static json_t *target_props(const struct target *t)
{
	json_t *props = json_array();
	const struct mm_check_sum *s = &t->sum;
	for (size_t i = 0; i < t->n; i++)
		mm_oscal_prop(props, "check", t->of[i]->check->id);
	mm_oscal_prop(props, "severity", mm_severity_name(s->check->severity));
	mm_oscal_prop_int(props, "results", s->results);
	for (int i = 0; i < MM_OUT_COUNT; i++)
		mm_oscal_prop_int(props, mm_outcome_name((enum mm_check_outcome)i), s->by[i]);
	mm_oscal_prop_int(props, "stale", s->stale);
	mm_oscal_prop_int(props, "claimed", s->claimed);
	mm_oscal_prop_int(props, "expired-waivers", s->expired_waivers);
	return props;
}

/* Each check with its numbers, and what the policy changed of it. */
static void tell_checks(const struct target *t, struct mm_buf *title, struct mm_buf *numbers)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct mm_check *c = t->of[i]->check;
		mm_buf_addf(title, "%s%s", i > 0 ? "; " : "", c->title);
		mm_buf_addf(numbers, "%s%s: ", i > 0 ? ". " : "", c->id);
		mm_sum_words(t->of[i], numbers);
		if (c->tailored != NULL)
			mm_buf_addf(numbers, " (the policy: %s)", c->tailored);
	}
}

static json_t *finding(struct mm_out *o, const struct target *t)
{
	struct verdict v = judge(&t->sum);
	struct mm_buf title = MM_BUF_INIT(1u << 16), numbers = MM_BUF_INIT(1u << 18);
	json_t *j = json_object(), *target = json_object(), *status = json_object(), *seen = json_array();
	set_uuid(o, j, "uuid", "finding", t->t.id);
	tell_checks(t, &title, &numbers);
	mm_oscal_set_line(j, "title", mm_buf_str(&title));
	mm_oscal_set_line(j, "description", mm_buf_str(&numbers));
	mm_buf_free(&title);
	mm_buf_free(&numbers);
	mm_json_set(j, "props", target_props(t));
	mm_json_set_str(status, "state", v.state);
	mm_json_set_str(status, "reason", v.reason);
	mm_json_set_str(target, "type", t->t.type);
	mm_json_set_str(target, "target-id", t->t.id);
	mm_json_set(target, "status", status);
	mm_json_set(j, "target", target);
	for (size_t i = 0; i < t->n; i++)
		add_related(o, t->of[i]->check, seen);
	mm_json_set(j, "related-observations", seen);
	return j;
}

static size_t findings(struct mm_out *o)
{
	struct own *own = o->state;
	struct targets all = {.v = NULL};
	for (size_t i = 0; i < own->n; i++)
		add_check(o, &all, &own->sums[i]);
	for (size_t i = 0; i < all.n; i++)
		put(o, i > 0 ? ",\n" : ",\n\"findings\":[\n", finding(o, &all.v[i]));
	return all.n;
}

static void end(struct mm_out *o)
{
	struct own *own = o->state;
	size_t n = 0;
	put(o, ",\n\"reviewed-controls\":", reviewed(o->meta->baseline));
	for (size_t at = 0; at < own->n_checks * PER_CHECK; at++)
		if (own->groups[at].results > 0)
			observation(o, at, &o->meta->baseline->checks[at / PER_CHECK],
			    n++ > 0 ? ",\n" : ",\n\"observations\":[\n");
	fputs(n > 0 ? "]" : "", o->f);
	n = findings(o);
	fputs(n > 0 ? "]}]}}\n" : "}]}}\n", o->f);
	o->trouble = mm_spool_failed(own->subjects);
}

const struct mm_output mm_output_oscal = {
    .name = "oscal",
    .about = "OSCAL assessment results " MM_OSCAL_VERSION " (JSON), for GRC tools",
    .sections = {MM_SEC_HOSTS, MM_SEC_CHECKS, MM_SEC_ALL_RESULTS, MM_SEC_COUNT},
    .begin = begin,
    .row = row,
    .section_end = section_end,
    .end = end,
    .done = done,
};
