#include "agent/userrun.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/discover.h"
#include "agent/home.h"
#include "agent/hostwide.h"
#include "agent/probe_run.h"
#include "agent/take_back.h"
#include "agent/trial_sink.h"
#include "common/file.h"
#include "common/text.h"

/* ---- who */

static const char *plain_home(struct mm_arena *a, const char *home)
{
	size_t n = home != NULL ? strlen(home) : 0;
	while (n > 1 && home[n - 1] == '/')
		n--;
	return mm_arena_strndup(a, home != NULL ? home : "", n);
}

int mm_identity_self(const char *login, struct mm_arena *a, struct mm_identity *out, struct mm_err *err)
{
	const struct passwd *pw = getpwuid(geteuid());
	const char *home = getenv("HOME");
	const char *name = login != NULL ? login : pw != NULL ? pw->pw_name : NULL;
	if (name == NULL)
		return mm_err_set(err, MM_EX_FAILED,
		    "user number %u has no name here; set login in agent.conf", (unsigned)geteuid());
	if (home == NULL || home[0] != '/')
		home = pw != NULL ? pw->pw_dir : NULL;
	*out = (struct mm_identity){.login = mm_arena_strdup(a, name),
	    .uid = geteuid(),
	    .gid = getegid(),
	    .home = plain_home(a, home),
	    .session = true};
	return 0;
}

int mm_identity_of(const char *login, struct mm_arena *a, struct mm_identity *out, struct mm_err *err)
{
	errno = 0;
	const struct passwd *pw = getpwnam(login);
	/* "Not there" and "cannot be asked" are different answers (getpwnam(3)). */
	if (pw == NULL && errno != 0 && errno != ENOENT && errno != ESRCH && errno != EBADF && errno != EPERM)
		return mm_err_sys(err, MM_EX_FAILED, "cannot look up the user %s", login);
	if (pw == NULL)
		return 0;
	*out = (struct mm_identity){.login = mm_arena_strdup(a, login),
	    .uid = pw->pw_uid,
	    .gid = pw->pw_gid,
	    .home = plain_home(a, pw->pw_dir)};
	return 1;
}

/* ---- the run */

struct state {
	struct mm_user_run *r;
	struct mm_arena *a;
	struct mm_converge c;
	struct mm_journal journal;
	int lock;
};

static void whole(struct state *s, enum mm_state state, const char *reason)
{
	mm_report_whole(&s->c, MM_CLIENT_AGENT, "", state, reason);
}

static int failed(struct state *s, const struct mm_err *err)
{
	whole(s, MM_ST_ERROR, mm_arena_strdup(s->a, err->text));
	return -1;
}

/* A home that cannot be written to needs no lock: nothing will be changed. */
static int lock(struct state *s)
{
	struct mm_err err = MM_ERR_NONE;
	s->lock = -1;
	if ((s->c.how != MM_HOW_APPLY && !s->r->again && !s->r->restore) ||
	    mm_mkdirs(s->c.state_dir, 0700, &err) != 0)
		return 0;
	s->lock = mm_lock_file(mm_arena_printf(s->a, "%s/lock", s->c.state_dir), s->r->lock_ms, &err);
	if (s->lock >= 0 || errno == EROFS || errno == ENOSPC || errno == EACCES)
		return 0;
	whole(s, MM_ST_DEFERRED, "another run of mailmuster-agent is at work for this user");
	return -1;
}

static int open_journal(struct state *s)
{
	struct mm_err err = MM_ERR_NONE;
	if (mm_journal_load(s->c.state_dir, s->a, &s->journal, &err) != 0)
		return failed(s, &err);
	struct mm_reader *r = mm_reader_new(s->a, s->r->who);
	if (mm_journal_recover(&s->journal, mm_reader_text, r) > 0 && s->c.how == MM_HOW_APPLY &&
	    mm_journal_save(&s->journal, &err) != 0)
		return failed(s, &err);
	s->c.journal = &s->journal;
	return 0;
}

/* Somebody says that it was mended: what was taken back may be tried again. */
static int forget_reverted(struct state *s)
{
	struct mm_err err = MM_ERR_NONE;
	if (!s->r->again || (s->journal.n_reverted == 0 && s->journal.restored == 0))
		return 0;
	s->journal.n_reverted = 0;
	s->journal.restored = 0;
	return mm_journal_save(&s->journal, &err) == 0 ? 0 : failed(s, &err);
}

static void prepare(struct state *s, struct mm_user_run *r)
{
	char *run = mm_arena_alloc(s->a, 1, MM_ID_LEN);
	mm_random_id(run);
	s->r = r;
	s->lock = -1;
	s->c = (struct mm_converge){.arena = s->a,
	    .who = r->who,
	    .conf = r->conf,
	    .clients = r->clients != NULL       ? r->clients
		       : mm_is_hostwide(r->who) ? mm_route_clients
						: mm_clients,
	    .sheet = r->sheet,
	    .state_dir = mm_is_hostwide(r->who) ? mm_hostwide_state(r->conf, s->a)
						: mm_conf_user_state(r->conf, r->who->home, s->a),
	    .run = run,
	    .now = time(NULL),
	    .how = r->expired && r->how == MM_HOW_APPLY ? MM_HOW_AUDIT : r->how,
	    .sink = r->sink};
}

typedef struct mm_outcome outcomes[MM_SIDE_COUNT];

static struct mm_probe_run probe_of(struct state *s, outcomes *outcome)
{
	return (struct mm_probe_run){.arena = s->a,
	    .conf = s->r->conf,
	    .who = s->r->who,
	    .sheet = s->r->sheet,
	    .effect = (const struct mm_effect(*)[MM_SIDE_COUNT])s->r->effect,
	    .state_dir = s->c.state_dir,
	    .now = s->c.now,
	    .sparing = s->r->sparing,
	    .again = s->r->again,
	    .survey = s->r->verify || s->r->preflight,
	    .trial = s->r->preflight,
	    .prompt = s->r->prompt,
	    .sink = s->r->sink,
	    .journal = s->c.journal,
	    .outcome = outcome};
}

static int prove(struct state *s, outcomes *outcome)
{
	struct mm_err err = MM_ERR_NONE;
	const struct mm_probe_run p = probe_of(s, outcome);
	return mm_probe_run(&p, &err) == 0 ? 0 : failed(s, &err);
}

/* Everything of the sheet, as far as a login: no message is sent over a server that is not in use yet. */
static int try_out(struct state *s)
{
	struct mm_sheet sheet = *s->r->sheet;
	struct mm_err err = MM_ERR_NONE;
	struct mm_probe_run p = probe_of(s, NULL);
	if (sheet.check > MM_LEVEL_LOGIN)
		sheet.check = MM_LEVEL_LOGIN;
	for (size_t i = 0; i < sheet.n_accounts; i++)
		for (int side = 0; side < MM_SIDE_COUNT; side++)
			s->r->effect[i][side] = (struct mm_effect){.present = true, .in_effect = true};
	p.sheet = &sheet;
	return mm_probe_run(&p, &err) == 0 ? 0 : failed(s, &err);
}

static outcomes *no_outcomes(struct state *s)
{
	return mm_arena_alloc(s->a, s->r->sheet->n_accounts + 1, sizeof(outcomes));
}

static bool is_proven_here(const struct state *s)
{
	return s->r->verify || (s->r->probe && !s->r->expired);
}

/* Compare and change, log in, and then decide on what is on trial. */
static int converge(struct state *s)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_trial_sink waiting;
	struct mm_settled_list settled = {.n = 0};
	outcomes *outcome = no_outcomes(s);
	bool decide = s->c.how == MM_HOW_APPLY && is_proven_here(s);
	mm_trial_sink_begin(&waiting, &s->c, s->r->sink);
	s->c.sink = &waiting.sink;
	if (s->c.how == MM_HOW_APPLY)
		mm_confirm_proven(&s->c);
	int rc = mm_converge(&s->c, &err);
	if (s->c.how == MM_HOW_APPLY)
		mm_blockers_tell(&s->c.blockers, s->c.who, s->c.state_dir, s->c.sheet->revision);
	s->r->blockers = s->c.blockers;
	s->c.sink = s->r->sink;
	if (rc != 0)
		failed(s, &err);
	memcpy(s->r->effect, s->c.effect, sizeof(s->r->effect));
	if (rc == 0 && is_proven_here(s))
		rc = prove(s, outcome);
	if (decide &&
	    mm_confirm(&s->c, (const struct mm_outcome(*)[MM_SIDE_COUNT])outcome, &settled, &err) != 0)
		rc = failed(s, &err);
	s->r->changed = s->c.changed;
	mm_trial_sink_end(&waiting, decide ? &settled : NULL);
	return rc;
}

/* Nobody's password is root's business, and nothing there is on trial. */
static int converge_hostwide(struct state *s)
{
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_converge(&s->c, &err);
	if (rc != 0)
		failed(s, &err);
	s->r->changed = s->c.changed;
	memcpy(s->r->effect, s->c.effect, sizeof(s->r->effect));
	return rc;
}

static int take_back(struct state *s)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_taken taken;
	if (s->lock < 0) {
		whole(s, MM_ST_DEFERRED, "the home cannot be written to: nothing is taken back");
		return 0;
	}
	int rc = mm_take_back(&s->c, s->r->generation, &taken, &err);
	if (rc != 0)
		failed(s, &err);
	s->c.sink = &taken.sink;
	if (mm_converge(&s->c, &err) != 0)
		rc = failed(s, &err);
	s->c.sink = s->r->sink;
	return rc;
}

/* What an admin has taken back stays so; a newer revision ends that, and the journal is told. */
static int heed(struct state *s)
{
	struct mm_err err = MM_ERR_NONE;
	const int64_t before = s->journal.restored;
	if (!mm_is_taken_back(&s->c))
		return s->journal.restored != before && mm_journal_save(&s->journal, &err) != 0
			   ? failed(s, &err)
			   : 0;
	s->c.how = MM_HOW_AUDIT;
	whole(s, MM_ST_DEFERRED,
	    mm_arena_printf(s->a,
		"revision %lld was taken back here, as an admin asked: it is not applied again; a newer one "
		"is, or this one once somebody says that it was mended (verify --again)",
		(long long)s->c.sheet->revision));
	return 0;
}

static int run(struct state *s)
{
	const char *trouble = mm_is_hostwide(s->r->who) ? NULL : mm_home_trouble(s->r->who, s->a);
	if (s->r->sink->alive != NULL)
		s->r->sink->alive(s->r->sink);
	if (trouble != NULL) {
		whole(s, MM_ST_DEFERRED, trouble);
		return 0;
	}
	if (s->r->discover != NULL) {
		mm_discover_user(s->r->discover, s->r->conf, s->r->who, s->r->sink);
		return 0;
	}
	if (s->r->preflight)
		return try_out(s);
	if (lock(s) != 0 || open_journal(s) != 0 || forget_reverted(s) != 0)
		return -1;
	if (s->r->expired)
		whole(s, MM_ST_DEFERRED,
		    "the request in force has expired: settings stay as they are, nothing is changed");
	if (s->r->restore)
		return take_back(s);
	if (heed(s) != 0)
		return -1;
	return mm_is_hostwide(s->r->who) ? converge_hostwide(s) : converge(s);
}

int mm_user_run(struct mm_user_run *r)
{
	struct state s = {.a = mm_arena_new()};
	prepare(&s, r);
	int rc = run(&s);
	if (s.lock >= 0)
		close(s.lock);
	mm_arena_free(s.a);
	return rc;
}

static bool any_on_trial(const struct mm_journal *j)
{
	for (size_t i = 0; i < j->rows.n; i++)
		for (int side = 0; side < MM_SIDE_COUNT; side++)
			if (j->rows.r[i].trial[side] != NULL)
				return true;
	return false;
}

/* What was on trial while we logged in; somebody may have come in between. */
static int decide(struct state *s, outcomes *outcome)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_settled_list settled = {.n = 0};
	if (!any_on_trial(&s->journal))
		return 0;
	if (lock(s) != 0 || open_journal(s) != 0)
		return -1;
	s->c.sink = s->r->sink;
	int rc = mm_confirm(&s->c, (const struct mm_outcome(*)[MM_SIDE_COUNT])outcome, &settled, &err);
	mm_settled_tell(&s->c, &settled);
	return rc == 0 ? 0 : failed(s, &err);
}

int mm_user_prove(struct mm_user_run *r)
{
	struct state s = {.a = mm_arena_new()};
	struct mm_err err = MM_ERR_NONE;
	prepare(&s, r);
	outcomes *outcome = no_outcomes(&s);
	if (mm_journal_load(s.c.state_dir, s.a, &s.journal, &err) == 0)
		s.c.journal = &s.journal;
	int rc = prove(&s, outcome);
	if (rc == 0 && s.c.journal != NULL)
		rc = decide(&s, outcome);
	if (s.lock >= 0)
		close(s.lock);
	mm_arena_free(s.a);
	return rc;
}

bool mm_user_needs_proof(struct mm_user_run *r)
{
	struct state s = {.a = mm_arena_new()};
	prepare(&s, r);
	const struct mm_probe_run p = probe_of(&s, NULL);
	bool yes = mm_probe_wanted(&p);
	mm_arena_free(s.a);
	return yes;
}
