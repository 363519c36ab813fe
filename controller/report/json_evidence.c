/* What comes by the hundred thousand, as JSON: written straight into text. */
#include "common/json_text.h"
#include "controller/report/about.h"
#include "controller/report/json_rows.h"
#include "schemas/wire.h"

static void put_audits(struct mm_buf *o, const char *key, const int64_t by[MM_AUDIT_COUNT])
{
	mm_json_open(o, key);
	for (int i = 0; i < MM_AUDIT_COUNT; i++)
		mm_json_put_int(o, mm_audit_name((enum mm_audit)i), by[i]);
	mm_json_close(o);
}

static void put_results(struct mm_buf *o, const char *key, const int64_t by[MM_LOGIN_COUNT], int64_t stale)
{
	mm_json_open(o, key);
	for (int i = 0; i < MM_LOGIN_COUNT; i++)
		mm_json_put_int(o, mm_result_name((enum mm_result)i), by[i]);
	mm_json_put_int(o, "stale", stale);
	mm_json_close(o);
}

void mm_fleet_text(struct mm_buf *o, const char *key, const struct mm_fleet *f)
{
	mm_json_open(o, key);
	mm_json_put_time(o, "now", f->now);
	mm_json_put_int(o, "stale_after_seconds", f->stale_after);
	mm_json_put_int(o, "revision", f->revision);
	mm_json_open(o, "hosts");
	mm_json_put_int(o, "total", f->hosts);
	mm_json_put_int(o, "fresh", f->hosts_fresh);
	mm_json_put_int(o, "stale", f->hosts_stale);
	mm_json_put_int(o, "never", f->hosts_never);
	mm_json_put_int(o, "on_current_revision", f->hosts_current);
	mm_json_put_int(o, "pending", f->hosts_pending);
	mm_json_put_int(o, "refused", f->hosts_refused);
	mm_json_put_int(o, "unreachable", f->hosts_unreachable);
	mm_json_close(o);
	mm_json_open(o, "places");
	mm_json_put_int(o, "total", f->places);
	put_audits(o, "by_result", f->places_by);
	mm_json_put_int(o, "stale", f->places_stale);
	mm_json_put_int(o, "unheard", f->places_unheard);
	mm_json_close(o);
	mm_json_open(o, "users");
	mm_json_put_int(o, "total", f->users);
	mm_json_put_int(o, "seen", f->users_seen);
	mm_json_close(o);
	mm_json_open(o, "settings");
	mm_json_put_int(o, "total", f->settings);
	mm_json_open(o, "by_state");
	for (int i = 0; i < MM_ST_COUNT; i++)
		mm_json_put_int(o, mm_state_name((enum mm_state)i), f->settings_state[i]);
	mm_json_close(o);
	put_audits(o, "by_result", f->settings_by);
	mm_json_put_int(o, "stale", f->settings_stale);
	mm_json_close(o);
	mm_json_open(o, "logins");
	mm_json_put_int(o, "total", f->logins);
	put_results(o, "by_result", f->logins_result, f->logins_stale);
	mm_json_close(o);
	mm_json_open(o, "signatures");
	mm_json_put_int(o, "bad_or_missing", f->seals_bad);
	mm_json_close(o);
	mm_json_put_int(o, "audit_alarms", f->alarms);
	mm_json_put_time(o, "oldest_evidence", f->oldest_seen);
	mm_json_put_time(o, "newest_evidence", f->newest_seen);
	mm_json_close(o);
}

void mm_place_text(struct mm_buf *o, const struct mm_place_row *p)
{
	mm_json_open(o, NULL);
	mm_json_put_str(o, "host", p->host);
	mm_json_put_str(o, "user", p->user);
	mm_json_put_str(o, "result", mm_audit_name(p->audit));
	mm_json_put_int(o, "settings", p->settings);
	put_audits(o, "settings_by_result", p->settings_by);
	mm_json_put_int(o, "logins", p->logins);
	put_results(o, "logins_by_result", p->logins_by, p->logins_stale);
	mm_json_put_time(o, "oldest_evidence", p->seen);
	mm_json_put_bool(o, "stale", p->stale);
	mm_json_put_str(o, "evidence", mm_evidence_name(p->claimed ? MM_EV_CLAIMED : MM_EV_ATTESTED));
	mm_json_put_str(o, "why", p->why);
	mm_json_close(o);
}

void mm_waiver_of_text(struct mm_buf *o, const struct mm_waiver_of *w)
{
	if (w->id <= 0) {
		mm_json_put_null(o, "waiver");
		return;
	}
	mm_json_open(o, "waiver");
	mm_json_put_int(o, "id", w->id);
	mm_json_put_time(o, "until", w->until);
	mm_json_put_bool(o, "expired", w->expired);
	mm_json_put_str(o, "owner", w->owner);
	mm_json_put_str(o, "reason", w->reason);
	mm_json_close(o);
}

void mm_finding_text(struct mm_buf *o, const struct mm_finding_row *r)
{
	const struct mm_finding *f = &r->f;
	mm_json_open(o, NULL);
	mm_json_put_str(o, "host", r->host);
	mm_json_put_str(o, "user", f->user);
	mm_json_put_str(o, "client", f->client);
	mm_json_put_str(o, "path", f->path);
	mm_json_put_int(o, "line", f->line);
	mm_json_put_str(o, "account", f->account);
	mm_json_put_str(o, "setting", f->setting);
	mm_json_put_text(o, "desired", f->desired);
	mm_json_put_text(o, "found", f->found);
	mm_json_put_text(o, "override_path", f->override_path);
	mm_json_put_str(o, "state", mm_state_name(f->state));
	mm_json_put_str(o, "action", mm_action_name(f->action));
	mm_json_put_str(o, "reason", f->reason);
	mm_json_put_str(o, "result", mm_audit_name(r->audit));
	mm_json_put_time(o, "since", r->since);
	mm_json_put_time(o, "seen", r->seen);
	mm_json_put_str(o, "evidence", mm_evidence_name(r->evidence));
	mm_json_put_int(o, "revision", r->revision);
	mm_json_put_bool(o, "stale", r->stale);
	mm_waiver_of_text(o, &r->waiver);
	mm_json_close(o);
}

static void put_tls(struct mm_buf *o, const struct mm_tls_facts *t)
{
	if (t->version == NULL)
		return;
	json_t *more = json_object();
	mm_json_open(o, "tls");
	mm_json_put_text(o, "version", t->version);
	mm_json_put_text(o, "cipher", t->cipher);
	mm_json_put_text(o, "subject", t->subject);
	mm_json_put_text(o, "issuer", t->issuer);
	mm_json_put_text(o, "san", t->san);
	mm_json_put_time(o, "not_before", t->not_before);
	mm_json_put_time(o, "not_after", t->not_after);
	mm_ladder_put_tls(more, t);
	mm_json_put_members(o, more);
	mm_json_close(o);
}

void mm_login_text(struct mm_buf *o, const struct mm_login_row *r)
{
	const struct mm_login *l = &r->l;
	json_t *ladder = json_object();
	mm_json_open(o, NULL);
	mm_json_put_str(o, "host", r->host);
	mm_json_put_str(o, "user", l->user);
	mm_json_put_str(o, "account", l->account);
	mm_json_put_str(o, "side", l->side);
	mm_json_put_str(o, "protocol", l->protocol);
	mm_json_put_str(o, "server", l->host);
	mm_json_put_int(o, "port", l->port);
	mm_json_put_str(o, "security", l->security);
	mm_json_put_text(o, "username", l->username);
	mm_json_put_str(o, "result", mm_result_name(l->result));
	mm_json_put_text(o, "reached", l->any ? mm_level_name(l->reached) : NULL);
	mm_json_put_str(o, "class", l->cls);
	mm_json_put_str(o, "text", l->text);
	mm_json_put_str(o, "admin", l->admin);
	mm_json_put_text(o, "server_text", l->server_text);
	put_tls(o, &l->tls);
	mm_ladder_put(ladder, &l->ladder);
	mm_json_put_members(o, ladder);
	mm_json_put_time(o, "tried", l->when);
	mm_json_put_time(o, "since", r->since);
	mm_json_put_time(o, "seen", r->seen);
	mm_json_put_time(o, "last_passed", r->last_passed);
	mm_json_put_str(o, "evidence", mm_evidence_name(r->evidence));
	mm_json_put_bool(o, "stale", r->stale);
	mm_json_put_str(o, "audit", mm_audit_name(r->audit));
	mm_waiver_of_text(o, &r->waiver);
	mm_json_close(o);
}

void mm_host_text(struct mm_buf *o, const struct mm_host_row *h)
{
	mm_json_open(o, NULL);
	mm_json_put_str(o, "host", h->host);
	mm_json_put_str(o, "address", h->address);
	mm_json_open_list(o, "tags");
	for (size_t i = 0; i < h->n_tags; i++)
		mm_json_put_str(o, NULL, h->tags[i]);
	mm_json_close_list(o);
	mm_json_put_time(o, "seen", h->seen);
	mm_json_put_time(o, "received", h->received);
	mm_json_put_str(o, "agent", h->agent);
	mm_json_put_int(o, "revision", h->revision);
	mm_json_put_bool(o, "stale", h->stale);
	mm_json_put_bool(o, "request_expired", h->expired);
	mm_json_put_int(o, "users", h->users);
	put_audits(o, "settings_by_result", h->settings);
	put_results(o, "logins_by_result", h->logins, h->logins_stale);
	if (h->push.host != NULL && h->push.host[0] != '\0') {
		mm_json_open(o, "push");
		mm_json_put_int(o, "wanted_revision", h->push.revision);
		mm_json_put_int(o, "done_revision", h->push.done_revision);
		mm_json_put_bool(o, "pending", h->push.pending);
		mm_json_put_str(o, "outcome", h->push.outcome);
		mm_json_put_str(o, "text", h->push.text);
		mm_json_put_int(o, "attempts", h->push.attempts);
		mm_json_put_time(o, "last_attempt", h->push.last_attempt);
		mm_json_close(o);
	}
	mm_json_close(o);
}

static void put_side(struct mm_buf *o, const char *key, const struct mm_change_side *s, bool login)
{
	if (!s->there) {
		mm_json_put_null(o, key);
		return;
	}
	mm_json_open(o, key);
	mm_json_put_str(o, "state", s->state);
	if (login)
		mm_json_put_str(o, "class", s->cls);
	else
		mm_json_put_text(o, "desired", s->desired);
	mm_json_put_text(o, login ? "server" : "found", s->found);
	mm_json_put_str(o, "result", mm_audit_name(s->audit));
	mm_json_put_time(o, "since", s->since);
	mm_json_put_bool(o, "stale", s->stale);
	mm_json_close(o);
}

void mm_change_text(struct mm_buf *o, const struct mm_change_row *r)
{
	mm_json_open(o, NULL);
	mm_json_put_str(o, "change", mm_turn_name(r->change));
	mm_json_put_str(o, "of", r->login ? "login" : "setting");
	mm_json_put_str(o, "host", r->host);
	mm_json_put_str(o, "user", r->user);
	mm_json_put_str(o, "account", r->account);
	if (r->login) {
		mm_json_put_str(o, "side", r->setting);
	} else {
		mm_json_put_str(o, "client", r->client);
		mm_json_put_str(o, "path", r->path);
		mm_json_put_int(o, "line", r->line);
		mm_json_put_str(o, "setting", r->setting);
	}
	put_side(o, "then", &r->then, r->login);
	put_side(o, "now", &r->now, r->login);
	mm_json_close(o);
}
