#include "controller/report/json_rows.h"

#include "common/json.h"
#include "common/text.h"
#include "controller/report/about.h"
#include "schemas/wire.h"

void mm_row_set_time(json_t *o, const char *key, int64_t t)
{
	char buf[MM_TIME_MAX];
	if (t > 0)
		mm_json_set_str(o, key, mm_time_utc(t, buf));
	else
		mm_json_set(o, key, json_null());
}

void mm_row_set_text(json_t *o, const char *key, const char *s)
{
	if (s != NULL)
		mm_json_set_str(o, key, s);
	else
		mm_json_set(o, key, json_null());
}

static void set_audits(json_t *o, const char *key, const int64_t by[MM_AUDIT_COUNT])
{
	json_t *c = json_object();
	for (int i = 0; i < MM_AUDIT_COUNT; i++)
		mm_json_set_int(c, mm_audit_name((enum mm_audit)i), by[i]);
	mm_json_set(o, key, c);
}

static void set_results(json_t *o, const char *key, const int64_t by[MM_LOGIN_COUNT], int64_t stale)
{
	json_t *c = json_object();
	for (int i = 0; i < MM_LOGIN_COUNT; i++)
		mm_json_set_int(c, mm_result_name((enum mm_result)i), by[i]);
	mm_json_set_int(c, "stale", stale);
	mm_json_set(o, key, c);
}

json_t *mm_fleet_json(const struct mm_fleet *f)
{
	json_t *o = json_object();
	mm_row_set_time(o, "now", f->now);
	mm_json_set_int(o, "stale_after_seconds", f->stale_after);
	mm_json_set_int(o, "revision", f->revision);
	json_t *h = json_object();
	mm_json_set_int(h, "total", f->hosts);
	mm_json_set_int(h, "fresh", f->hosts_fresh);
	mm_json_set_int(h, "stale", f->hosts_stale);
	mm_json_set_int(h, "never", f->hosts_never);
	mm_json_set_int(h, "on_current_revision", f->hosts_current);
	mm_json_set_int(h, "pending", f->hosts_pending);
	mm_json_set_int(h, "refused", f->hosts_refused);
	mm_json_set_int(h, "unreachable", f->hosts_unreachable);
	mm_json_set(o, "hosts", h);
	json_t *p = json_object();
	mm_json_set_int(p, "total", f->places);
	set_audits(p, "by_result", f->places_by);
	mm_json_set_int(p, "stale", f->places_stale);
	mm_json_set_int(p, "unheard", f->places_unheard);
	mm_json_set(o, "places", p);
	json_t *u = json_object();
	mm_json_set_int(u, "total", f->users);
	mm_json_set_int(u, "seen", f->users_seen);
	mm_json_set(o, "users", u);
	json_t *s = json_object(), *by = json_object();
	mm_json_set_int(s, "total", f->settings);
	for (int i = 0; i < MM_ST_COUNT; i++)
		mm_json_set_int(by, mm_state_name((enum mm_state)i), f->settings_state[i]);
	mm_json_set(s, "by_state", by);
	set_audits(s, "by_result", f->settings_by);
	mm_json_set_int(s, "stale", f->settings_stale);
	mm_json_set(o, "settings", s);
	json_t *l = json_object();
	mm_json_set_int(l, "total", f->logins);
	set_results(l, "by_result", f->logins_result, f->logins_stale);
	mm_json_set(o, "logins", l);
	json_t *seals = json_object();
	mm_json_set_int(seals, "bad_or_missing", f->seals_bad);
	mm_json_set(o, "signatures", seals);
	mm_json_set_int(o, "audit_alarms", f->alarms);
	mm_row_set_time(o, "oldest_evidence", f->oldest_seen);
	mm_row_set_time(o, "newest_evidence", f->newest_seen);
	return o;
}

static json_t *place_json(const struct mm_place_row *p)
{
	json_t *o = json_object();
	mm_json_set_str(o, "host", p->host);
	mm_json_set_str(o, "user", p->user);
	mm_json_set_str(o, "result", mm_audit_name(p->audit));
	mm_json_set_int(o, "settings", p->settings);
	set_audits(o, "settings_by_result", p->settings_by);
	mm_json_set_int(o, "logins", p->logins);
	set_results(o, "logins_by_result", p->logins_by, p->logins_stale);
	mm_row_set_time(o, "oldest_evidence", p->seen);
	mm_json_set_bool(o, "stale", p->stale);
	mm_json_set_str(o, "evidence", mm_evidence_name(p->claimed ? MM_EV_CLAIMED : MM_EV_ATTESTED));
	mm_json_set_str(o, "why", p->why);
	return o;
}

void mm_waiver_of_json(json_t *o, const struct mm_waiver_of *w)
{
	json_t *j = w->id > 0 ? json_object() : json_null();
	if (w->id > 0) {
		mm_json_set_int(j, "id", w->id);
		mm_row_set_time(j, "until", w->until);
		mm_json_set_bool(j, "expired", w->expired);
		mm_json_set_str(j, "owner", w->owner);
		mm_json_set_str(j, "reason", w->reason);
	}
	mm_json_set(o, "waiver", j);
}

static json_t *finding_json(const struct mm_finding_row *r)
{
	const struct mm_finding *f = &r->f;
	json_t *o = json_object();
	mm_json_set_str(o, "host", r->host);
	mm_json_set_str(o, "user", f->user);
	mm_json_set_str(o, "client", f->client);
	mm_json_set_str(o, "path", f->path);
	mm_json_set_int(o, "line", f->line);
	mm_json_set_str(o, "account", f->account);
	mm_json_set_str(o, "setting", f->setting);
	mm_row_set_text(o, "desired", f->desired);
	mm_row_set_text(o, "found", f->found);
	mm_row_set_text(o, "override_path", f->override_path);
	mm_json_set_str(o, "state", mm_state_name(f->state));
	mm_json_set_str(o, "action", mm_action_name(f->action));
	mm_json_set_str(o, "reason", f->reason);
	mm_json_set_str(o, "result", mm_audit_name(r->audit));
	mm_row_set_time(o, "since", r->since);
	mm_row_set_time(o, "seen", r->seen);
	mm_json_set_str(o, "evidence", mm_evidence_name(r->evidence));
	mm_json_set_int(o, "revision", r->revision);
	mm_json_set_bool(o, "stale", r->stale);
	mm_waiver_of_json(o, &r->waiver);
	return o;
}

static void set_tls(json_t *o, const struct mm_tls_facts *t)
{
	if (t->version == NULL)
		return;
	json_t *j = json_object();
	mm_row_set_text(j, "version", t->version);
	mm_row_set_text(j, "cipher", t->cipher);
	mm_row_set_text(j, "subject", t->subject);
	mm_row_set_text(j, "issuer", t->issuer);
	mm_row_set_text(j, "san", t->san);
	mm_row_set_time(j, "not_before", t->not_before);
	mm_row_set_time(j, "not_after", t->not_after);
	mm_ladder_put_tls(j, t);
	mm_json_set(o, "tls", j);
}

static json_t *login_json(const struct mm_login_row *r)
{
	const struct mm_login *l = &r->l;
	json_t *o = json_object();
	mm_json_set_str(o, "host", r->host);
	mm_json_set_str(o, "user", l->user);
	mm_json_set_str(o, "account", l->account);
	mm_json_set_str(o, "side", l->side);
	mm_json_set_str(o, "protocol", l->protocol);
	mm_json_set_str(o, "server", l->host);
	mm_json_set_int(o, "port", l->port);
	mm_json_set_str(o, "security", l->security);
	mm_row_set_text(o, "username", l->username);
	mm_json_set_str(o, "result", mm_result_name(l->result));
	mm_row_set_text(o, "reached", l->any ? mm_level_name(l->reached) : NULL);
	mm_json_set_str(o, "class", l->cls);
	mm_json_set_str(o, "text", l->text);
	mm_json_set_str(o, "admin", l->admin);
	mm_row_set_text(o, "server_text", l->server_text);
	set_tls(o, &l->tls);
	mm_ladder_put(o, &l->ladder);
	mm_row_set_time(o, "tried", l->when);
	mm_row_set_time(o, "since", r->since);
	mm_row_set_time(o, "seen", r->seen);
	mm_row_set_time(o, "last_passed", r->last_passed);
	mm_json_set_str(o, "evidence", mm_evidence_name(r->evidence));
	mm_json_set_bool(o, "stale", r->stale);
	mm_json_set_str(o, "audit", mm_audit_name(r->audit));
	mm_waiver_of_json(o, &r->waiver);
	return o;
}

static json_t *remark_json(const struct mm_remark_row *r)
{
	json_t *o = json_object();
	mm_json_set_str(o, "protocol", r->protocol);
	mm_json_set_str(o, "server", r->server);
	mm_json_set_int(o, "port", r->port);
	mm_json_set_str(o, "class", r->cls);
	mm_json_set_str(o, "admin", r->admin);
	mm_json_set_int(o, "users", r->users);
	mm_json_set_int(o, "hosts", r->hosts);
	mm_row_set_time(o, "seen", r->seen);
	mm_json_set_bool(o, "stale", r->stale);
	return o;
}

static json_t *waiver_json(const struct mm_waiver *w)
{
	json_t *o = json_object();
	mm_json_set_int(o, "id", w->id);
	mm_json_set_str(o, "host", w->host);
	mm_json_set_str(o, "user", w->user);
	mm_json_set_str(o, "group", w->group);
	mm_json_set_str(o, "client", w->client);
	mm_json_set_str(o, "account", w->account);
	mm_json_set_str(o, "check", w->check);
	mm_json_set_str(o, "reason", w->reason);
	mm_json_set_str(o, "owner", w->owner);
	mm_json_set_str(o, "added_by", w->added_by);
	mm_row_set_time(o, "added", w->added);
	mm_row_set_time(o, "until", w->until);
	mm_row_set_time(o, "removed", w->removed);
	return o;
}

static json_t *host_json(const struct mm_host_row *h)
{
	json_t *o = json_object();
	mm_json_set_str(o, "host", h->host);
	mm_json_set_str(o, "address", h->address);
	json_t *tags = json_array();
	for (size_t i = 0; i < h->n_tags; i++)
		json_array_append_new(tags, json_string(h->tags[i]));
	mm_json_set(o, "tags", tags);
	mm_row_set_time(o, "seen", h->seen);
	mm_row_set_time(o, "received", h->received);
	mm_json_set_str(o, "agent", h->agent);
	mm_json_set_int(o, "revision", h->revision);
	mm_json_set_bool(o, "stale", h->stale);
	mm_json_set_bool(o, "request_expired", h->expired);
	mm_json_set_int(o, "users", h->users);
	set_audits(o, "settings_by_result", h->settings);
	set_results(o, "logins_by_result", h->logins, h->logins_stale);
	if (h->push.host != NULL && h->push.host[0] != '\0') {
		json_t *p = json_object();
		mm_json_set_int(p, "wanted_revision", h->push.revision);
		mm_json_set_int(p, "done_revision", h->push.done_revision);
		mm_json_set_bool(p, "pending", h->push.pending);
		mm_json_set_str(p, "outcome", h->push.outcome);
		mm_json_set_str(p, "text", h->push.text);
		mm_json_set_int(p, "attempts", h->push.attempts);
		mm_row_set_time(p, "last_attempt", h->push.last_attempt);
		mm_json_set(o, "push", p);
	}
	return o;
}

static json_t *side_json(const struct mm_change_side *s, bool login)
{
	if (!s->there)
		return json_null();
	json_t *o = json_object();
	mm_json_set_str(o, "state", s->state);
	if (login)
		mm_json_set_str(o, "class", s->cls);
	else
		mm_row_set_text(o, "desired", s->desired);
	mm_row_set_text(o, login ? "server" : "found", s->found);
	mm_json_set_str(o, "result", mm_audit_name(s->audit));
	mm_row_set_time(o, "since", s->since);
	mm_json_set_bool(o, "stale", s->stale);
	return o;
}

static json_t *change_json(const struct mm_change_row *r)
{
	json_t *o = json_object();
	mm_json_set_str(o, "change", mm_turn_name(r->change));
	mm_json_set_str(o, "of", r->login ? "login" : "setting");
	mm_json_set_str(o, "host", r->host);
	mm_json_set_str(o, "user", r->user);
	mm_json_set_str(o, "account", r->account);
	if (r->login) {
		mm_json_set_str(o, "side", r->setting);
	} else {
		mm_json_set_str(o, "client", r->client);
		mm_json_set_str(o, "path", r->path);
		mm_json_set_int(o, "line", r->line);
		mm_json_set_str(o, "setting", r->setting);
	}
	mm_json_set(o, "then", side_json(&r->then, r->login));
	mm_json_set(o, "now", side_json(&r->now, r->login));
	return o;
}

json_t *mm_row_json(enum mm_section sec, union mm_report_row row)
{
	switch (sec) {
	case MM_SEC_PLACES:
		return place_json(row.place);
	case MM_SEC_DIFFERENCES:
	case MM_SEC_ALL_FINDINGS:
		return finding_json(row.finding);
	case MM_SEC_LOGINS:
	case MM_SEC_ALL_LOGINS:
		return login_json(row.login);
	case MM_SEC_REMARKS:
		return remark_json(row.remark);
	case MM_SEC_WAIVERS:
		return waiver_json(row.waiver);
	case MM_SEC_HOSTS:
		return host_json(row.host);
	case MM_SEC_CHECKS:
		return mm_check_json(row.sum);
	case MM_SEC_RESULTS:
	case MM_SEC_ALL_RESULTS:
		return mm_check_result_json(row.result);
	case MM_SEC_CHECK_CHANGES:
		return mm_check_change_json(row.check_change);
	case MM_SEC_CHANGES:
		return change_json(row.change);
	case MM_SEC_CERTS:
	case MM_SEC_SAMPLES:
	case MM_SEC_COUNT:
		break;
	}
	return json_null();
}

void mm_row_print(FILE *f, enum mm_section sec, union mm_report_row row, int64_t n)
{
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	json_t *o = mm_row_json(sec, row);
	mm_json_dump(o, &b);
	json_decref(o);
	fputs(n > 0 ? ",\n" : "\n", f);
	fputs(mm_buf_str(&b), f);
	mm_buf_free(&b);
}

const char *mm_section_key(enum mm_section sec)
{
	static const char *const key[MM_SEC_COUNT] = {
	    [MM_SEC_PLACES] = "places",
	    [MM_SEC_DIFFERENCES] = "differences",
	    [MM_SEC_LOGINS] = "logins_not_passed",
	    [MM_SEC_REMARKS] = "remarks",
	    [MM_SEC_WAIVERS] = "waivers",
	    [MM_SEC_HOSTS] = "hosts",
	    [MM_SEC_ALL_FINDINGS] = "findings",
	    [MM_SEC_ALL_LOGINS] = "logins",
	    [MM_SEC_CHECKS] = "checks",
	    [MM_SEC_RESULTS] = "not_compliant",
	    [MM_SEC_ALL_RESULTS] = "results",
	    [MM_SEC_CHECK_CHANGES] = "changes_by_check",
	    [MM_SEC_CHANGES] = "changes",
	};
	return key[sec];
}
