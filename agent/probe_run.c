#include "agent/probe_run.h"

#include <string.h>
#include <time.h>

#include "agent/attempts.h"
#include "agent/probe_check.h"
#include "agent/probe_pipe.h"
#include "agent/remember.h"
#include "common/text.h"

#define CHECKS_MAX ((size_t)MM_SHEET_ACCOUNTS_MAX * 2)

struct run {
	const struct mm_probe_run *r;
	struct mm_check checks[CHECKS_MAX];
	size_t n;
	struct mm_probe_known known[MM_PROBE_KNOWN_MAX];
	size_t n_known;
	const struct mm_secret *records[CHECKS_MAX * 2];
	size_t n_records;
	struct mm_login_key in_force[CHECKS_MAX]; /* the places of all settings of the sheet */
	size_t n_in_force;
	bool ran; /* the probe was started in this round */
};

/* ---- reporting */

static void note_outcome(const struct run *run, const struct mm_check *k, const struct mm_login *l)
{
	struct mm_arena *a = run->r->arena;
	const struct mm_secret *credential = mm_check_credential(k);
	struct mm_memory m;
	struct mm_login_key key;
	if (run->r->outcome == NULL)
		return;
	struct mm_outcome *o = &run->r->outcome[k->acc - run->r->sheet->accounts][k->side];
	*o = (struct mm_outcome){.told = true,
	    .result = l->result,
	    .cls = mm_arena_strdup(a, l->cls),
	    .text = mm_arena_strdup(a, l->text),
	    .admin = mm_arena_strdup(a, l->admin),
	    .when = l->when};
	memcpy(o->settings, k->settings, sizeof(o->settings));
	o->elsewhere = k->elsewhere;
	if (credential == NULL)
		return;
	mm_memory_load(run->r->state_dir, a, &m);
	mm_login_key(&m, l, credential, &key);
	memcpy(o->credential, key.credential, sizeof(o->credential));
}

static void report(const struct run *run, struct mm_check *k, struct mm_login *l)
{
	k->state = MM_CHECK_DONE;
	mm_check_name(k, l);
	note_outcome(run, k, l);
	run->r->sink->login(run->r->sink, l);
}

static void report_untested(
    const struct run *run, struct mm_check *k, const char *cls, const char *text, const char *admin)
{
	struct mm_login l = {.result = MM_LOGIN_UNTESTED,
	    .cls = cls,
	    .text = text,
	    .admin = admin,
	    .timing = {-1, -1, -1, -1, -1}};
	report(run, k, &l);
}

/* What a refused password means depends on what worked before. */
static void add_history(
    const struct run *run, const struct mm_memory *m, const struct mm_login_key *key, struct mm_login *l)
{
	int64_t when = 0;
	if (!mm_streq(l->cls, "AUTH_REJECTED"))
		return;
	enum mm_history h = mm_memory_history(m, key, &when);
	mm_attempt_history(h, when, run->r->arena, l);
}

/* ---- what is to be tested */

/* A message is looked for where it comes in, however fresh the proof of that is. */
static bool is_wanted(const struct mm_probe_run *r, const struct mm_memory *m, const struct mm_check *k)
{
	if (!r->sparing || !mm_memory_proven(m, k->acc->name, mm_side_name(k->side), k->settings, r->now))
		return true;
	struct mm_check out;
	mm_check_init(&out, r, k->acc, MM_SIDE_OUTGOING);
	return k->side == MM_SIDE_INCOMING && r->sheet->check == MM_LEVEL_ROUNDTRIP &&
	       mm_check_applies(&out) &&
	       !mm_memory_proven(m, k->acc->name, mm_side_name(out.side), out.settings, r->now);
}

static void collect(struct run *run, const struct mm_memory *m)
{
	const struct mm_probe_run *r = run->r;
	for (size_t i = 0; i < r->sheet->n_accounts * 2; i++) {
		enum mm_side side = i % 2 == 0 ? MM_SIDE_INCOMING : MM_SIDE_OUTGOING;
		struct mm_check *k = &run->checks[run->n];
		mm_check_init(k, r, &r->sheet->accounts[i / 2], side);
		if (mm_check_applies(k) && is_wanted(r, m, k))
			run->n++;
	}
	run->n_known = mm_check_known(r, run->known, MM_PROBE_KNOWN_MAX);
}

static struct run *begin(const struct mm_probe_run *r)
{
	struct run *run = mm_arena_alloc(r->arena, 1, sizeof(*run));
	struct mm_memory m;
	run->r = r;
	mm_memory_load(r->state_dir, r->arena, &m);
	collect(run, &m);
	return run;
}

bool mm_probe_wanted(const struct mm_probe_run *r)
{
	return begin(r)->n > 0;
}

static void alive(void *ctx)
{
	const struct run *run = ctx;
	if (run->r->sink->alive != NULL)
		run->r->sink->alive(run->r->sink);
}

/* Nobody logs in with it any more, and this is why. */
static bool report_reverted(const struct run *run, struct mm_check *k)
{
	const struct mm_reverted *r = run->r->journal != NULL
					  ? mm_journal_reverted(run->r->journal, k->acc->name, k->side,
						run->r->sheet->revision, k->settings)
					  : NULL;
	if (r == NULL)
		return false;
	struct mm_login l = {.result = MM_LOGIN_FAILED,
	    .cls = r->cls,
	    .text = r->text,
	    .admin = r->admin,
	    .when = r->when,
	    .timing = {-1, -1, -1, -1, -1}};
	report(run, k, &l);
	return true;
}

static void find_credentials(struct run *run)
{
	for (size_t i = 0; i < run->n; i++) {
		struct mm_check *k = &run->checks[i];
		if (!mm_check_in_effect(k) && report_reverted(run, k))
			continue;
		if (!mm_check_in_effect(k)) {
			const char *text = "No mail program here has these settings in effect.";
			report_untested(run, k, "NOT_IN_EFFECT", text, text);
			continue;
		}
		mm_check_find(k, run->checks, i);
		alive(run);
	}
}

/* ---- the attempt budget */

static bool key_of(const struct mm_memory *m, const struct mm_check *k, struct mm_login_key *key)
{
	struct mm_login l = {.when = 1};
	const struct mm_secret *credential = mm_check_credential(k);
	if (credential == NULL || k->withheld)
		return false;
	mm_check_name(k, &l);
	mm_login_key(m, &l, credential, key);
	return true;
}

/* Also those that no mail program has in effect: a refusal of one is a refusal. */
static void find_places(struct run *run, const struct mm_memory *m)
{
	const struct mm_probe_run *r = run->r;
	for (size_t i = 0; i < r->sheet->n_accounts * 2; i++) {
		struct mm_check k;
		struct mm_login l = {.when = 1};
		mm_check_init(
		    &k, r, &r->sheet->accounts[i / 2], i % 2 == 0 ? MM_SIDE_INCOMING : MM_SIDE_OUTGOING);
		mm_check_name(&k, &l);
		if (l.host != NULL)
			mm_login_key(m, &l, NULL, &run->in_force[run->n_in_force++]);
	}
}

/* Is the very same thing asked in this round? Then this one waits for its
 * answer. (What says the same password to another port of the server goes into
 * the same round; the probe itself lets one wait for the other.) */
static bool has_rival(const struct run *run, const struct mm_memory *m, const struct mm_check *k,
    const struct mm_login_key *key)
{
	for (const struct mm_check *o = run->checks; o < k; o++) {
		struct mm_login_key other;
		if (o->state == MM_CHECK_ASKED && key_of(m, o, &other) && mm_streq(other.login, key->login) &&
		    mm_streq(other.place, key->place))
			return true;
	}
	return false;
}

/* What was true at the real attempt, with its time. */
static void report_remembered(struct run *run, const struct mm_memory *m, struct mm_check *k,
    const struct mm_login_key *key, const struct mm_rest *rest, const struct mm_too_soon *soon)
{
	struct mm_login l;
	mm_attempt_remembered(rest, soon, run->r->arena, &l);
	add_history(run, m, key, &l);
	report(run, k, &l);
}

/* The server is looked at all the same, without the password. */
static void withhold_password(
    struct run *run, struct mm_check *k, const struct mm_rest *rest, const struct mm_too_soon *soon)
{
	struct mm_login l = {.when = 1};
	struct mm_withheld w;
	mm_check_name(k, &l);
	mm_attempt_withheld(rest, soon, l.host, l.port, run->r->arena, &w);
	k->withheld = true;
	k->elsewhere = rest->broken_off ? NULL : mm_arena_strdup(run->r->arena, rest->t->cls);
	k->cls = MM_CLS_REFUSED_ELSEWHERE;
	k->text = w.text;
	k->admin = w.admin;
	k->fix = w.fix;
	k->step = w.step;
	k->state = MM_CHECK_ASKED;
}

static void admit(struct run *run, const struct mm_memory *m, struct mm_check *k)
{
	const struct mm_probe_run *r = run->r;
	struct mm_login_key key;
	struct mm_rest rest;
	struct mm_too_soon soon = {0, 0};
	if (!key_of(m, k, &key)) {
		k->state = MM_CHECK_ASKED;
		return;
	}
	if (has_rival(run, m, k, &key))
		return;
	bool here = mm_memory_refused(m, &key, r->now, &rest);
	bool rests =
	    here || mm_memory_refused_elsewhere(m, &key, run->in_force, run->n_in_force, r->now, &rest);
	if (rests && r->again)
		soon.next = mm_memory_again_at(m, &key, r->conf->probe.again_s, r->now, &soon.last);
	k->again = rests && r->again && soon.next <= r->now;
	if (!rests || k->again)
		k->state = MM_CHECK_ASKED;
	else if (here)
		report_remembered(run, m, k, &key, &rest, &soon);
	else
		withhold_password(run, k, &rest, &soon);
}

/* An attempt that cannot be written down could be repeated without end. */
static void withhold(struct run *run, const struct mm_err *why)
{
	const char *text = "The login is not tested, since it cannot be written down that it was.";
	for (size_t i = 0; i < run->n; i++) {
		struct mm_check *k = &run->checks[i];
		if (k->state != MM_CHECK_DONE && mm_check_credential(k) != NULL)
			report_untested(run, k, "NO_MEMORY", text,
			    mm_arena_printf(
				run->r->arena, "No password is presented without a record: %s.", why->text));
	}
}

static void write_down(struct run *run, struct mm_memory *m)
{
	struct mm_login_key key;
	for (size_t i = 0; i < run->n; i++) {
		const struct mm_check *k = &run->checks[i];
		if (k->state == MM_CHECK_ASKED && key_of(m, k, &key))
			mm_memory_begin(m, &key, run->r->now, k->again);
	}
}

/* All are judged by what was before this round, and then written down. */
static void choose(struct run *run)
{
	struct mm_memory m;
	struct mm_err err = MM_ERR_NONE;
	bool open = mm_memory_open(run->r->state_dir, run->r->arena, &m, &err) == 0;
	if (open && run->n_in_force == 0)
		find_places(run, &m);
	for (size_t i = 0; i < run->n; i++) {
		struct mm_check *k = &run->checks[i];
		if (k->state != MM_CHECK_WAITS)
			continue;
		if (open)
			admit(run, &m, k);
		else if (mm_check_credential(k) == NULL)
			k->state = MM_CHECK_ASKED;
	}
	if (open)
		write_down(run, &m);
	if (!open || mm_memory_close(&m, true, &err) != 0)
		withhold(run, &err);
}

/* Has another port taken it in this run? */
static bool works_elsewhere(const struct run *run, const struct mm_memory *m, const struct mm_login_key *key)
{
	for (size_t i = 0; i < run->n; i++) {
		struct mm_login_key other;
		if (run->checks[i].passed && key_of(m, &run->checks[i], &other) &&
		    mm_streq(other.login, key->login))
			return true;
	}
	return false;
}

/* Written as it was said; told with what was known before. */
static void remember(const struct run *run, const struct mm_check *k, struct mm_login *l)
{
	struct mm_memory m;
	struct mm_login_key key;
	/* what cannot be written stays begun, which is the safe side */
	if (mm_memory_open(run->r->state_dir, run->r->arena, &m, NULL) != 0)
		return;
	bool presented = key_of(&m, k, &key);
	const char *settings = run->r->trial ? NULL : k->settings;
	if (!presented && !k->withheld && l->result == MM_LOGIN_PASSED && mm_check_needs_credential(k)) {
		mm_login_key(&m, l, NULL, &key); /* by a ticket, which is nobody's secret */
		mm_memory_note(&m, l, settings, &key, false);
	}
	mm_memory_note(&m, l, settings, presented ? &key : NULL, presented && works_elsewhere(run, &m, &key));
	if (presented)
		add_history(run, &m, &key, l);
	mm_memory_close(&m, true, NULL);
}

static void take_back(const struct run *run)
{
	struct mm_memory m;
	struct mm_login_key key;
	if (mm_memory_open(run->r->state_dir, run->r->arena, &m, NULL) != 0)
		return;
	for (size_t i = 0; i < run->n; i++)
		if (run->checks[i].state == MM_CHECK_ASKED && key_of(&m, &run->checks[i], &key))
			mm_memory_undo(&m, &key);
	mm_memory_close(&m, true, NULL);
}

/* ---- the talk */

static int64_t add_record(struct run *run, const struct mm_secret *s)
{
	if (s == NULL)
		return -1;
	run->records[run->n_records++] = s;
	return (int64_t)run->n_records - 1;
}

/* The message of a round trip is looked for where this account's mail comes in. */
static int64_t partner(const struct run *run, const struct mm_check *k)
{
	for (size_t i = 0; i < run->n && k->level == MM_LEVEL_ROUNDTRIP; i++) {
		const struct mm_check *o = &run->checks[i];
		if (o->acc == k->acc && o->side == MM_SIDE_INCOMING && o->state == MM_CHECK_ASKED &&
		    o->cls == NULL)
			return (int64_t)i;
	}
	return -1;
}

static void encode_task(struct run *run, size_t i, struct mm_buf *out)
{
	const struct mm_check *k = &run->checks[i];
	struct mm_probe_task t;
	mm_check_task(k, run->known, run->n_known, &t);
	t.id = (int64_t)i;
	t.secret = k->withheld ? -1 : add_record(run, k->secret);
	t.certificate = add_record(run, k->certificate);
	t.retrieve = partner(run, k);
	mm_probe_task_encode(&t, out);
	mm_buf_addc(out, '\n');
}

static void retell_step(const struct mm_check *k, struct mm_login *l)
{
	struct mm_step *steps = mm_arena_alloc(k->r->arena, l->ladder.n_steps + 1, sizeof(*steps));
	for (size_t i = 0; i < l->ladder.n_steps; i++) {
		steps[i] = l->ladder.steps[i];
		if (steps[i].rung == MM_RUNG_LOGIN)
			steps[i].text = k->step;
	}
	l->ladder.steps = steps;
}

/* The probe knows only that nothing was handed to it; we know why. */
static void explain(const struct mm_check *k, struct mm_login *l)
{
	static const char *const lacking[] = {"NO_SECRET", "NO_TICKET", "NO_CLIENT_CERT", NULL};
	for (const char *const *w = lacking; *w != NULL; w++) {
		if (k->cls == NULL || l->result != MM_LOGIN_UNTESTED || !mm_streq(l->cls, *w))
			continue;
		l->cls = k->cls;
		l->text = k->text;
		l->admin = k->admin;
		if (k->fix != NULL)
			l->ladder.fix = k->fix;
		if (k->step != NULL)
			retell_step(k, l);
		return;
	}
}

/* The probe has kept the password from this port, for the answer of another. */
static void find_refusal(const struct run *run, struct mm_check *k)
{
	struct mm_memory m;
	struct mm_login_key key, other;
	mm_memory_load(run->r->state_dir, run->r->arena, &m);
	if (k->withheld || !mm_streq(k->answer, MM_CLS_REFUSED_ELSEWHERE) || !key_of(&m, k, &key))
		return;
	for (size_t i = 0; i < run->n; i++) {
		const struct mm_check *o = &run->checks[i];
		if (o != k && o->answer != NULL && key_of(&m, o, &other) && mm_streq(other.login, key.login))
			k->elsewhere = o->answer;
	}
}

static int take_answer(void *ctx, const char *line, size_t n, struct mm_err *err)
{
	struct run *run = ctx;
	struct mm_login l;
	int64_t id;
	run->ran = true;
	if (mm_probe_answer_decode(line, n, run->r->arena, &id, &l, err) != 0)
		return -1;
	if (id < 0 || (size_t)id >= run->n || run->checks[id].state != MM_CHECK_ASKED)
		return mm_err_set(err, MM_EX_FAILED, "the probe answers what it was not asked");
	struct mm_check *k = &run->checks[id];
	/* A lower level that was passed is not what was asked for. */
	if (l.level != k->level)
		return mm_err_set(err, MM_EX_FAILED, "the probe tested something else than it was asked");
	if (l.result == MM_LOGIN_PASSED && k->cls != NULL)
		return mm_err_set(err, MM_EX_FAILED, "the probe claims a login without a credential");
	explain(k, &l);
	mm_check_name(k, &l);
	k->passed = l.result == MM_LOGIN_PASSED;
	k->answer = mm_arena_strdup(run->r->arena, l.cls);
	find_refusal(run, k);
	remember(run, k, &l);
	report(run, k, &l);
	return 0;
}

static int talk(struct run *run, const struct mm_buf *tasks, struct mm_err *err)
{
	int seconds = run->r->sheet->check == MM_LEVEL_ROUNDTRIP ? MM_PROBE_TRIP_SECONDS : MM_PROBE_SECONDS;
	const struct mm_probe_pipe pipe = {.program = run->r->conf->probe.program,
	    .who = run->r->who,
	    .tasks = mm_buf_str(tasks),
	    .tasks_len = tasks->len,
	    .secrets = run->records,
	    .n_secrets = run->n_records,
	    .timeout_ms = seconds * 1000,
	    .line = take_answer,
	    .alive = alive,
	    .ran = &run->ran,
	    .ctx = run};
	return mm_probe_talk(&pipe, err);
}

/* One run of the probe. 1: there was nothing to ask. */
static int ask(struct run *run, struct mm_err *err)
{
	struct mm_buf tasks = MM_BUF_INIT(CHECKS_MAX * MM_PROBE_LINE_MAX);
	int rc = 1;
	run->n_records = 0;
	run->ran = true;
	for (size_t i = 0; i < run->n; i++)
		if (run->checks[i].state == MM_CHECK_ASKED)
			encode_task(run, i, &tasks);
	if (tasks.len > 0)
		rc = talk(run, &tasks, err);
	mm_buf_free(&tasks);
	if (!run->ran)
		take_back(run);
	for (size_t i = 0; i < run->n; i++) {
		const char *text = "The login test gave no answer.";
		if (run->checks[i].state == MM_CHECK_ASKED)
			report_untested(run, &run->checks[i], "PROBE_SILENT", text, text);
	}
	return rc;
}

static bool any_waits(const struct run *run)
{
	for (size_t i = 0; i < run->n; i++)
		if (run->checks[i].state == MM_CHECK_WAITS)
			return true;
	return false;
}

int mm_probe_run(const struct mm_probe_run *r, struct mm_err *err)
{
	struct run *run = begin(r);
	int rc = 0;
	find_credentials(run);
	/* each round settles at least one check: the first that waits has no rival */
	while (any_waits(run)) {
		struct mm_err why = MM_ERR_NONE;
		choose(run);
		if (ask(run, &why) < 0 && rc == 0) {
			rc = -1;
			if (err != NULL)
				*err = why;
		}
	}
	for (size_t i = run->n; i > 0; i--)
		mm_check_free(&run->checks[i - 1]);
	return rc;
}
