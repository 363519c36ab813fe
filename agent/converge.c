#include "agent/converge.h"

#include <string.h>

#include "agent/classify.h"
#include "agent/facts.h"
#include "agent/hostwide.h"
#include "agent/modes.h"
#include "agent/needs.h"
#include "agent/place.h"
#include "common/text.h"

#define BACKWARDS                                                                                            \
	"revision %lld was applied in this home already and this host brings revision %lld: nothing is "     \
	"changed until it has caught up"

/* ---- findings */

static void put(struct mm_converge *c, const struct mm_finding *f)
{
	c->sink->finding(c->sink, f);
}

void mm_report_whole(
    struct mm_converge *c, const char *client, const char *path, enum mm_state state, const char *reason)
{
	const struct mm_finding f = {.user = c->who->login,
	    .client = client,
	    .path = path,
	    .account = "",
	    .setting = "",
	    .state = state,
	    .action = MM_ACT_NONE,
	    .reason = reason};
	put(c, &f);
}

static enum mm_action action_of(
    const struct mm_converge *c, const struct mm_todo *t, const struct mm_judged *j)
{
	if (!j->write)
		return c->how == MM_HOW_AUDIT && j->action != MM_ACT_REVERTED ? MM_ACT_NONE : j->action;
	if (c->how == MM_HOW_PLAN)
		return MM_ACT_WOULD_CHANGE;
	if (c->how == MM_HOW_AUDIT)
		return MM_ACT_NONE;
	if (t->m.seen == NULL)
		return MM_ACT_CREATED;
	return j->state == MM_ST_UNMANAGED ? MM_ACT_ADOPTED : MM_ACT_CORRECTED;
}

/* Where the value stands, when that is another file than the place's. */
static void set_origin(struct mm_finding *f, const struct mm_judged *j)
{
	const struct mm_seen *s = j->seen;
	if (s == NULL)
		return;
	if (j->state == MM_ST_OVERRIDDEN && s->over_path != NULL) {
		f->override_path = s->over_path;
		f->line = s->over_line;
	} else if (j->state == MM_ST_UNKNOWN && s->unsure_path != NULL) {
		f->override_path = mm_streq(s->unsure_path, f->path) ? NULL : s->unsure_path;
		f->line = s->unsure_line;
	} else if (s->path != NULL) {
		f->override_path = mm_streq(s->path, f->path) ? NULL : s->path;
		f->line = s->line;
	}
}

static void report_setting(
    struct mm_place_run *p, const struct mm_todo *t, enum mm_setting s, const char **note, unsigned *costs)
{
	const struct mm_judged *j = &t->s[s];
	struct mm_finding f = {.user = p->c->who->login,
	    .client = p->client->name,
	    .path = p->place->path,
	    .account = t->m.acc->name,
	    .setting = mm_setting_def(s)->id,
	    .desired = j->desired,
	    .found = j->found,
	    .state = j->state,
	    .action = action_of(p->c, t, j),
	    .reason = j->reason};
	/* Recognised as the policy's account, it is a difference to be made good. */
	if (p->c->how == MM_HOW_AUDIT && j->write && j->state == MM_ST_UNMANAGED)
		f.state = MM_ST_PENDING;
	if (j->write && f.reason[0] == '\0' && *note != NULL) {
		f.reason = *note;
		*note = NULL;
	} else if (f.reason[0] == '\0' && j->seen != NULL && j->seen->note != NULL) {
		f.reason = j->seen->note;
	}
	if (j->write) {
		f.costs = *costs;
		*costs = 0;
	}
	set_origin(&f, j);
	put(p->c, &f);
}

static void report_account(struct mm_place_run *p, const char *account, const char *found,
    enum mm_state state, enum mm_action action, const char *reason)
{
	const struct mm_finding f = {.user = p->c->who->login,
	    .client = p->client->name,
	    .path = p->place->path,
	    .account = account,
	    .setting = "",
	    .found = found,
	    .state = state,
	    .action = action,
	    .reason = reason};
	put(p->c, &f);
}

static void report_todo(struct mm_place_run *p, const struct mm_todo *t)
{
	const char *note = t->note;
	unsigned costs = t->costs;
	if (t->absent)
		report_account(p, t->m.acc->name, NULL, t->m.row != NULL ? MM_ST_REMOVED : MM_ST_PENDING,
		    p->c->how == MM_HOW_AUDIT ? MM_ACT_NONE : MM_ACT_REPORTED,
		    "the account is not configured here");
	for (int s = 0; s < MM_SET_COUNT; s++) {
		if (t->s[s].asked)
			report_setting(p, t, (enum mm_setting)s, &note, &costs);
	}
}

static void report_removal(struct mm_place_run *p, const struct mm_removal *g)
{
	enum mm_how how = p->c->how;
	enum mm_action act = how == MM_HOW_PLAN ? MM_ACT_WOULD_CHANGE : MM_ACT_REMOVED;
	if (g->released)
		report_account(p, g->account, g->key, MM_ST_UNMANAGED, MM_ACT_NONE, MM_REASON_RELEASED);
	else if (g->fail != NULL)
		report_account(
		    p, g->account, g->key, g->overdue ? MM_ST_ERROR : MM_ST_DEFERRED, MM_ACT_NONE, g->fail);
	else if (!g->write || how == MM_HOW_AUDIT)
		report_account(p, g->account, g->key, MM_ST_PENDING,
		    how == MM_HOW_AUDIT ? MM_ACT_NONE : MM_ACT_REPORTED, "no longer in the policy");
	else
		report_account(p, g->account, g->key, MM_ST_PENDING, act,
		    g->created ? "no longer in the policy"
		    : g->secret
			? "no longer in the policy; the former values are put back, but for a password, "
			  "which is not kept"
			: "no longer in the policy; the former values are put back");
}

/* Of other people's accounts only the domain is told. */
static void report_unmanaged(struct mm_place_run *p, const struct mm_seen_account *acc)
{
	const char *address = acc->s[MM_SET_ADDRESS].value;
	const char *at = address != NULL ? strrchr(address, '@') : NULL;
	report_account(p, acc->key, at != NULL ? at + 1 : NULL, MM_ST_UNMANAGED, MM_ACT_NONE, "");
}

static void report_traps(struct mm_place_run *p)
{
	struct mm_buf all = MM_BUF_INIT(MM_REPORT_TEXT_MAX);
	for (size_t i = 0; i < p->view.n_traps && mm_buf_ok(&all); i++) {
		const struct mm_trap *t = &p->view.traps[i];
		if (t->quiet)
			continue;
		mm_buf_addf(
		    &all, "%s%s", all.len > 0 ? "; " : "", t->path != NULL ? t->path : p->place->path);
		if (t->line > 0)
			mm_buf_addf(&all, ":%d", t->line);
		mm_buf_addf(&all, ": %s", t->text);
	}
	if (all.len > 0)
		mm_report_whole(p->c, p->client->name, p->place->path, MM_ST_UNMANAGED,
		    mm_arena_strdup(p->c->arena, mm_buf_str(&all)));
	mm_buf_free(&all);
}

static void report_place(struct mm_place_run *p)
{
	for (size_t i = 0; i < p->n_gone; i++)
		report_removal(p, &p->gone[i]);
	for (size_t i = 0; i < p->n; i++) {
		if (p->todo[i].m.acc != NULL)
			report_todo(p, &p->todo[i]);
	}
	for (size_t i = 0; i < p->view.n && !p->read_only && !p->provided; i++) {
		if (!p->claimed[i] && !p->view.accounts[i].quiet &&
		    !mm_place_is_shared(p, &p->view.accounts[i]))
			report_unmanaged(p, &p->view.accounts[i]);
	}
	if (!p->read_only && !p->provided)
		report_traps(p);
	mm_facts_report(p);
}

/* ---- evidence for login checks */

/* What is to be written is in effect once it is written: not after a mere look. */
static bool side_in_effect(const struct mm_todo *t, enum mm_side side, bool written)
{
	bool any = false;
	for (int s = 0; s < MM_SET_COUNT; s++) {
		const struct mm_judged *j = &t->s[s];
		if (!j->asked || mm_setting_def((enum mm_setting)s)->side != side)
			continue;
		any = true;
		if (j->state == MM_ST_UNKNOWN) /* perhaps; a login with them would prove another thing */
			return false;
		if (j->write && !written)
			return false;
		/* what the program cannot be told is one thing, another server another */
		if (j->state == MM_ST_UNSUPPORTED && mm_place_essential((enum mm_setting)s))
			return false;
		if (!j->write && j->state != MM_ST_UNSUPPORTED &&
		    !(j->state == MM_ST_COMPLIANT &&
			mm_setting_satisfies((enum mm_setting)s, j->found, j->desired)))
			return false;
	}
	return any;
}

static void note_effect(struct mm_place_run *p)
{
	bool written = p->c->how == MM_HOW_APPLY;
	for (size_t i = 0; i < p->n && !p->read_only; i++) {
		const struct mm_todo *t = &p->todo[i];
		for (int side = MM_SIDE_INCOMING; t->m.acc != NULL && side < MM_SIDE_COUNT; side++) {
			struct mm_effect *e = &p->c->effect[i][side];
			bool has = side == MM_SIDE_INCOMING ? p->client->incoming : p->client->outgoing;
			if (!has || (t->m.seen == NULL && !(t->write && written)) ||
			    (t->m.seen != NULL && t->m.seen->quiet)) /* nobody logs in with it alone */
				continue;
			e->present = true;
			e->in_effect |= side_in_effect(t, (enum mm_side)side, written);
		}
	}
}

/* ---- writing */

static void restart_rows(struct mm_place_run *p)
{
	p->rows = mm_rows_copy(p->c->arena, &p->c->journal->rows, p->client->name, p->place->path);
}

/* After writing: does the program see it on the disk, too? */
static void check_disk(struct mm_place_run *p)
{
	struct mm_view *view = mm_arena_alloc(p->c->arena, 1, sizeof(*view));
	struct mm_err err = MM_ERR_NONE;
	if (p->client->read(p->reader, p->place, view, &err) != 0) {
		mm_place_fail(p, MM_ST_ERROR, mm_arena_strdup(p->c->arena, err.text));
		return;
	}
	p->after = view;
	for (size_t i = 0; i < p->n; i++) {
		for (int s = 0; p->todo[i].write && s < MM_SET_COUNT; s++) {
			struct mm_judged *j = &p->todo[i].s[s];
			const struct mm_seen *now = NULL;
			for (size_t k = 0; k < view->n; k++) {
				if (mm_streq(view->accounts[k].key, p->todo[i].key))
					now = &view->accounts[k].s[s];
			}
			if (!j->write ||
			    (now != NULL && mm_setting_satisfies((enum mm_setting)s, now->value, j->desired)))
				continue;
			j->write = false;
			j->state = MM_ST_ERROR;
			j->reason = "was written, but reads back differently";
		}
	}
}

/* Nobody's session is root's business. */
static void meet_needs(struct mm_place_run *p)
{
	const char *failed =
	    mm_is_hostwide(p->c->who) ? NULL : mm_needs_meet(p->c->who, p->needs, p->n_needs, p->c->arena);
	for (size_t i = 0; i < p->n && failed != NULL; i++) {
		const char **note = &p->todo[i].note;
		if (p->todo[i].write)
			*note =
			    *note == NULL ? failed : mm_arena_printf(p->c->arena, "%s; %s", *note, failed);
	}
}

static void apply_place(struct mm_place_run *p)
{
	struct mm_err err = MM_ERR_NONE;
	enum mm_file_trouble why = MM_FILE_OK;
	bool pending = mm_place_pending(p);
	mm_place_own(p);
	if (pending && mm_commit(p, &why, &err) != 0) {
		mm_place_fail(p, mm_trouble_state(why), mm_arena_strdup(p->c->arena, err.text));
		restart_rows(p);
		mm_place_own(p);
		pending = false;
	}
	mm_rows_install(p->c->arena, &p->c->journal->rows, p->client->name, p->place->path, &p->rows);
	if (pending) {
		p->c->changed++;
		meet_needs(p);
		check_disk(p);
	}
}

/* ---- one place, one client */

static void read_failed(struct mm_place_run *p, const struct mm_err *err)
{
	enum mm_file_trouble why = mm_reader_trouble(p->base);
	mm_report_whole(p->c, p->client->name, p->place->path, mm_trouble_state(why),
	    mm_arena_strdup(p->c->arena, err->text));
	mm_facts_unread(p);
}

/* Asked when the place was found, or now: a running program puts it off. */
static void note_blockers(struct mm_place_run *p, bool busy)
{
	bool later = false;
	for (size_t i = 0; i < p->n; i++)
		later |= p->todo[i].later;
	if ((busy || later) && !mm_is_hostwide(p->c->who))
		mm_blockers_add(&p->c->blockers, p->base, p->client, busy);
}

static void run_place(struct mm_place_run *p)
{
	struct mm_err err = MM_ERR_NONE;
	mm_reader_trouble(p->base);
	if (p->place->exists && p->client->read(p->reader, p->place, &p->view, &err) != 0) {
		read_failed(p, &err);
		return;
	}
	if (p->place->exists && !p->read_only)
		mm_modes_look(p->base, p->place, &p->view);
	restart_rows(p);
	mm_place_judge(p);
	bool busy = p->c->how == MM_HOW_APPLY && p->place->busy != NULL && mm_place_pending(p);
	if (busy)
		mm_place_fail(p, MM_ST_DEFERRED, p->place->busy);
	if (p->c->how != MM_HOW_AUDIT && mm_place_pending(p))
		mm_place_attempt(p);
	note_blockers(p, busy);
	if (p->c->how == MM_HOW_APPLY)
		apply_place(p);
	if (p->c->how == MM_HOW_APPLY)
		mm_place_put_off(p);
	note_effect(p);
	report_place(p);
}

/* Does the policy let us write to this client's files? */
static bool is_changed(const struct mm_client_rule *rule)
{
	return rule != NULL && (rule->mode == MM_MODE_ENFORCE || rule->mode == MM_MODE_DEFAULT);
}

static bool may_add(
    const struct mm_converge *c, const struct mm_client_rule *rule, const struct mm_place *place)
{
	if (!is_changed(rule) || !place->in_use)
		return false;
	return c->sheet->create == MM_CREATE_ALWAYS ||
	       (c->sheet->create == MM_CREATE_EXISTING && place->exists);
}

static void run_client(struct mm_converge *c, struct mm_reader *r, const struct mm_client *cl)
{
	const struct mm_client_rule *rule = mm_sheet_rule(c->sheet, cl->name);
	struct mm_place *places = NULL;
	size_t n = 0;
	struct mm_err err = MM_ERR_NONE;
	bool create = is_changed(rule) && c->sheet->create == MM_CREATE_ALWAYS;
	if (rule != NULL && rule->mode == MM_MODE_IGNORE)
		return;
	mm_reader_trouble(r);
	mm_reader_forget(r);
	if (cl->find(r, create, &places, &n, &err) != 0) {
		mm_report_whole(c, cl->name, "", mm_trouble_state(mm_reader_trouble(r)),
		    mm_arena_strdup(c->arena, err.text));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct mm_place_run p = {.c = c,
		    .client = cl,
		    .place = &places[i],
		    .named = rule != NULL,
		    .may_create = may_add(c, rule, &places[i]),
		    .read_only = !places[i].in_use};
		mm_hostwide_place(&p, r, cl->name);
		if (places[i].exists || p.may_create)
			run_place(&p);
	}
	if (c->sink->alive != NULL)
		c->sink->alive(c->sink);
}

int mm_converge_place(struct mm_converge *c, struct mm_reader *r, const char *client, const char *path,
    struct mm_place_run *p, struct mm_err *err)
{
	struct mm_place *places = NULL;
	size_t n = 0;
	for (size_t i = 0; c->clients[i] != NULL; i++) {
		const struct mm_client *cl = c->clients[i];
		const struct mm_client_rule *rule = mm_sheet_rule(c->sheet, client);
		if (!mm_streq(cl->name, client) || !is_changed(rule) || rule->scope != MM_REACH_USER ||
		    (c->conf != NULL && !mm_conf_allows_client(c->conf, client)))
			continue;
		if (cl->find(r, false, &places, &n, err) != 0)
			return -1;
		for (size_t k = 0; k < n; k++) {
			if (!mm_streq(places[k].path, path) || !places[k].exists || !places[k].in_use)
				continue;
			*p = (struct mm_place_run){
			    .c = c, .client = cl, .place = &places[k], .reader = r, .base = r, .named = true};
			return cl->read(r, p->place, &p->view, err) == 0 ? 1 : -1;
		}
	}
	return 0;
}

/* ---- the system's files */

/* Which account is the policy's, before the user's own files are laid over
 * it: what those say may be of another server. */
static void recognise(struct mm_place_run *p)
{
	const struct mm_sheet *s = p->c->sheet;
	struct mm_match *m = mm_arena_alloc(p->c->arena, s->n_accounts + 1, sizeof(*m));
	bool *claimed = mm_arena_alloc(p->c->arena, p->view.n + 1, sizeof(*claimed));
	mm_match_accounts(p->client, s, &p->rows, &p->view, m, claimed);
	for (size_t i = 0; i < s->n_accounts; i++) {
		const char *key = m[i].seen != NULL ? m[i].seen->key : NULL;
		for (size_t k = 0; m[i].acc != NULL && key == NULL && k < p->view.n; k++)
			if (!claimed[k] && mm_streq(p->view.accounts[k].key, s->accounts[i].name))
				key = p->view.accounts[k].key;
		if (key != NULL)
			*mm_rows_add(p->c->arena, &p->rows) = (struct mm_row){.client = p->client->name,
			    .path = p->place->path,
			    .account = s->accounts[i].name,
			    .key = key};
	}
}

/* What they give to this user, and where his own win over them. */
static void look_at_provided(struct mm_converge *c, struct mm_reader *r, const char *client)
{
	const struct mm_route *route = mm_route_by_name(client);
	struct mm_place *places = NULL;
	size_t n = 0;
	struct mm_err err = MM_ERR_NONE;
	if (route == NULL) {
		mm_report_whole(c, client, "", MM_ST_UNSUPPORTED,
		    "this agent cannot set up this program through the system's files");
		return;
	}
	struct mm_place_run p = {.c = c,
	    .client = route->client,
	    .reader = mm_route_reader(route, r),
	    .base = r,
	    .named = true,
	    .provided = true};
	mm_reader_trouble(r);
	if (route->client->find(p.reader, false, &places, &n, &err) != 0 || n == 0)
		return;
	p.place = &places[0];
	if (route->client->read(p.reader, p.place, &p.view, &err) != 0) {
		read_failed(&p, &err);
		return;
	}
	mm_route_personal(&p.view, c->who->login, c->arena);
	recognise(&p);
	if (route->home != NULL && route->home(r, &p.view, &err) != 0) {
		read_failed(&p, &err);
		return;
	}
	mm_place_judge(&p);
	note_effect(&p);
	report_place(&p);
}

static bool owns(const struct mm_journal *j, const char *client)
{
	for (size_t i = 0; i < j->rows.n; i++) {
		if (mm_streq(j->rows.r[i].client, client))
			return true;
	}
	return false;
}

/* A client that the system's files provide for has nothing of ours in the
 * home, and one that no longer has a rule nothing in the system's. */
static void run_scoped(struct mm_converge *c, struct mm_reader *r, const struct mm_client *cl)
{
	const struct mm_sheet *whole = c->sheet;
	const struct mm_client_rule *rule = mm_sheet_rule(whole, cl->name);
	struct mm_sheet nothing = *whole;
	bool hostwide = mm_is_hostwide(c->who);
	bool provided = !hostwide && rule != NULL && rule->scope == MM_REACH_SYSTEM;
	if ((hostwide && rule == NULL && !owns(c->journal, cl->name)) ||
	    (rule != NULL && rule->mode == MM_MODE_IGNORE))
		return;
	nothing.n_accounts = nothing.n_clients = 0;
	if (provided || (hostwide && rule == NULL))
		c->sheet = &nothing;
	run_client(c, r, cl);
	c->sheet = whole;
	if (provided)
		look_at_provided(c, r, cl->name);
}

/* ---- the whole */

static void report_unknown_settings(struct mm_converge *c)
{
	for (size_t i = 0; i < c->sheet->n_accounts; i++) {
		const struct mm_account *acc = &c->sheet->accounts[i];
		for (size_t k = 0; k < acc->n_unknown; k++) {
			const struct mm_finding f = {.user = c->who->login,
			    .client = MM_CLIENT_AGENT,
			    .path = "",
			    .account = acc->name,
			    .setting = acc->unknown[k].id,
			    .desired = acc->unknown[k].value,
			    .state = MM_ST_UNSUPPORTED,
			    .action = MM_ACT_NONE,
			    .reason = "this agent does not know the setting"};
			put(c, &f);
		}
	}
}

int mm_converge(struct mm_converge *c, struct mm_err *err)
{
	if (c->sheet->revision < c->journal->revision) {
		mm_report_whole(c, MM_CLIENT_AGENT, "", MM_ST_DEFERRED,
		    mm_arena_printf(
			c->arena, BACKWARDS, (long long)c->journal->revision, (long long)c->sheet->revision));
		return 0;
	}
	struct mm_reader *r = mm_reader_new(c->arena, c->who);
	/* Some programs share a file: first those that are changed, so that the
	 * others are judged by what stands there afterwards. */
	for (int changed = 1; changed >= 0; changed--) {
		for (size_t i = 0; c->clients[i] != NULL; i++) {
			const char *name = c->clients[i]->name;
			if (is_changed(mm_sheet_rule(c->sheet, name)) == (changed == 1) &&
			    (c->conf == NULL || mm_conf_allows_client(c->conf, name)))
				run_scoped(c, r, c->clients[i]);
		}
	}
	report_unknown_settings(c);
	if (c->how != MM_HOW_APPLY)
		return 0;
	/* A home that cannot be written to, and in which nothing is ours, needs no journal. */
	if (c->journal->rows.n > 0 || c->journal->saved[0] != '\0')
		c->journal->revision = c->sheet->revision;
	return mm_journal_save(c->journal, err);
}
