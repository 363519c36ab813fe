#include "agent/trial.h"

#include <string.h>

#include "common/text.h"

enum mm_level mm_side_level(const struct mm_sheet *sheet, enum mm_side side)
{
	bool trip = sheet->check == MM_LEVEL_ROUNDTRIP && side == MM_SIDE_INCOMING;
	return trip ? MM_LEVEL_LOGIN : sheet->check;
}

void mm_side_hash(
    const struct mm_sheet *sheet, const struct mm_account *acc, enum mm_side side, char out[MM_SHA256_HEX])
{
	mm_settings_hash(acc, side, mm_side_level(sheet, side), out);
}

static enum mm_setting on(enum mm_side side, enum mm_setting incoming)
{
	return side == MM_SIDE_INCOMING ? incoming : mm_setting_on_side(incoming, MM_SIDE_OUTGOING);
}

/* ---- what was there before, and whether it worked */

/* As the policy had spelled it, where it is still that. */
static const char *former(
    const struct mm_todo *t, const struct mm_row *row, enum mm_side side, enum mm_setting incoming)
{
	enum mm_setting s = on(side, incoming);
	const char *seen = t->m.seen->s[s].value, *applied = row->applied.v[s];
	if (seen != NULL && applied != NULL && mm_setting_satisfies(s, seen, applied))
		return applied;
	return seen != NULL ? seen : mm_setting_def(s)->dflt;
}

static struct mm_login former_login(const struct mm_todo *t, const struct mm_row *row, enum mm_side side)
{
	struct mm_login l = {.protocol = former(t, row, side, MM_SET_IN_PROTOCOL),
	    .host = former(t, row, side, MM_SET_IN_HOST),
	    .security = former(t, row, side, MM_SET_IN_SECURITY),
	    .auth = former(t, row, side, MM_SET_IN_AUTH),
	    .username = former(t, row, side, MM_SET_IN_USERNAME)};
	const char *port = former(t, row, side, MM_SET_IN_PORT);
	int64_t n = 0;
	if (l.protocol == NULL)
		l.protocol = side == MM_SIDE_INCOMING ? "imap" : "smtp";
	if (l.security == NULL)
		l.security = "none";
	if (l.auth == NULL)
		l.auth = "password";
	if (l.username == NULL)
		l.username = "";
	l.port = port != NULL && mm_parse_int(port, 1, 65535, &n) == 0
		     ? (int)n
		     : mm_default_port(l.protocol, l.security);
	return l;
}

static const struct mm_memory *memory(struct mm_converge *c)
{
	if (c->memory == NULL) {
		c->memory = mm_arena_alloc(c->arena, 1, sizeof(*c->memory));
		mm_memory_load(c->state_dir, c->arena, c->memory);
	}
	return c->memory;
}

/* A program that says how the password travels may be what "password" left open. */
static void find_evidence(
    struct mm_converge *c, const struct mm_todo *t, const struct mm_row *row, struct mm_trial *trial)
{
	struct mm_login l = former_login(t, row, trial->side);
	struct mm_login_key key;
	struct mm_past e;
	if (l.host == NULL)
		return;
	mm_login_key(memory(c), &l, NULL, &key);
	bool found = mm_memory_evidence(memory(c), &key, &e);
	if (!found && (mm_streq(l.auth, "plain") || mm_streq(l.auth, "login"))) {
		l.auth = "password";
		mm_login_key(memory(c), &l, NULL, &key);
		found = mm_memory_evidence(memory(c), &key, &e);
	}
	if (!found)
		return;
	trial->worked = e.when;
	memcpy(trial->credential, e.credential, sizeof(e.credential));
}

/* ---- trials */

static bool to_be_proven(struct mm_converge *c, const struct mm_account *acc, enum mm_side side)
{
	const char *auth = acc->want.v[on(side, MM_SET_IN_AUTH)];
	char settings[MM_SHA256_HEX];
	if (side == MM_SIDE_ACCOUNT || c->sheet->check < MM_LEVEL_LOGIN || mm_streq(auth, "none"))
		return false;
	mm_side_hash(c->sheet, acc, side, settings);
	return !mm_memory_proven(memory(c), acc->name, mm_side_name(side), settings, c->now);
}

struct mm_trial *mm_trial_open(
    struct mm_place_run *p, const struct mm_todo *t, struct mm_row *row, enum mm_side side)
{
	struct mm_trial *trial = row->trial[side];
	if (trial != NULL)
		return trial;
	/* Whoever had no account here loses none; the system's files are nobody's alone. */
	if (t->m.seen == NULL || p->route != NULL || !to_be_proven(p->c, t->m.acc, side))
		return NULL;
	trial = mm_arena_alloc(p->c->arena, 1, sizeof(*trial));
	trial->side = side;
	trial->since = p->c->now;
	for (int s = 0; s < MM_SET_COUNT; s++)
		if (mm_setting_def((enum mm_setting)s)->side == side)
			trial->before.v[s] = row->applied.v[s];
	find_evidence(p->c, t, row, trial);
	row->trial[side] = trial;
	return trial;
}

void mm_trial_renew(const struct mm_place_run *p, const struct mm_todo *t, struct mm_row *row)
{
	for (int side = 0; side < MM_SIDE_COUNT; side++) {
		struct mm_trial *trial = row->trial[side];
		if (trial == NULL)
			continue;
		mm_side_hash(p->c->sheet, t->m.acc, (enum mm_side)side, trial->settings);
		trial->revision = p->c->sheet->revision;
		if (!to_be_proven(p->c, t->m.acc, (enum mm_side)side))
			row->trial[side] = NULL;
	}
}

bool mm_trial_is_open(const struct mm_memory *m, const struct mm_row *row, enum mm_side side)
{
	const struct mm_trial *t = row->trial[side];
	return t != NULL &&
	       !mm_memory_proven_since(m, row->account, mm_side_name(side), t->settings, t->since);
}

/* ---- what was taken back */

static const char *why_held(struct mm_arena *a, const struct mm_reverted *r)
{
	char full[MM_TIME_MAX];
	mm_time_utc(r->when, full);
	return mm_arena_printf(a,
	    "taken back on %.10s %.5s UTC, because the login failed (%s): %s It is not tried again before "
	    "the policy changes or somebody runs \"mailmuster-agent verify --again\".",
	    full, full + 11, r->cls, r->admin);
}

static void hold(struct mm_todo *t, int side, const char *why)
{
	for (int s = 0; s < MM_SET_COUNT; s++) {
		struct mm_judged *j = &t->s[s];
		if (!j->write ||
		    (side >= 0 && mm_setting_def((enum mm_setting)s)->side != (enum mm_side)side))
			continue;
		j->write = false;
		j->state = MM_ST_PENDING;
		j->action = MM_ACT_REVERTED;
		j->reason = why;
	}
}

/* Two hosts, one home, and the policy gives each of them another value: the
 * first one's stays, or each would write over the other's for ever. */
static void yield_to_host(struct mm_place_run *p, struct mm_todo *t)
{
	const struct mm_row *row = t->m.row;
	if (p->c->conf == NULL || row == NULL || row->host == NULL || mm_streq(row->host, p->c->conf->host) ||
	    row->revision != p->c->sheet->revision || p->c->now - row->brought > MM_HOST_GONE_SECONDS)
		return;
	for (int s = 0; s < MM_SET_COUNT; s++) {
		struct mm_judged *judged = &t->s[s];
		const char *applied = row->applied.v[s];
		if (!judged->write || applied == NULL ||
		    mm_setting_satisfies((enum mm_setting)s, applied, judged->desired))
			continue;
		judged->write = false;
		judged->state = MM_ST_OVERRIDDEN;
		judged->action = MM_ACT_REPORTED;
		judged->reason = mm_arena_printf(p->c->arena,
		    "the host %s has the same home, and the same revision sets %s there", row->host, applied);
	}
}

void mm_trial_hold(struct mm_place_run *p, struct mm_todo *t)
{
	char settings[MM_SHA256_HEX];
	if (p->provided || p->c->journal == NULL)
		return;
	for (int side = MM_SIDE_INCOMING; side < MM_SIDE_COUNT; side++) {
		mm_side_hash(p->c->sheet, t->m.acc, (enum mm_side)side, settings);
		const struct mm_reverted *r = mm_journal_reverted(
		    p->c->journal, t->m.acc->name, (enum mm_side)side, p->c->sheet->revision, settings);
		if (r != NULL) /* nor is an account made with it */
			hold(t, t->m.seen != NULL ? side : -1, why_held(p->c->arena, r));
	}
	yield_to_host(p, t);
}
