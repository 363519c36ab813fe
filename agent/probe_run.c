#include "agent/probe_run.h"

#include <string.h>
#include <time.h>

#include "agent/probe_pipe.h"
#include "agent/remember.h"
#include "agent/secrets.h"
#include "common/text.h"
#include "schemas/probe.h"

struct check { /* one side of one account */
	const struct mm_account *acc;
	enum mm_side side;
	const char *cls, *text; /* why it is not tested; NULL = it is */
	struct mm_secret *secret;
	int64_t slot; /* index of its secret, -1 = none */
	char settings[MM_SHA256_HEX];
	char credential[MM_SHA256_HEX];
	bool answered;
};

struct run {
	const struct mm_probe_run *r;
	struct mm_memory memory;
	struct check checks[MM_SHEET_ACCOUNTS_MAX * 2];
	size_t n;
	const struct mm_secret *secrets[MM_SHEET_ACCOUNTS_MAX * 2];
	size_t n_secrets;
};

static enum mm_setting on(const struct check *k, enum mm_setting incoming)
{
	return k->side == MM_SIDE_INCOMING ? incoming : mm_setting_on_side(incoming, MM_SIDE_OUTGOING);
}

static const char *want(const struct check *k, enum mm_setting incoming)
{
	return k->acc->want.v[on(k, incoming)];
}

static const char *or_default(const struct check *k, enum mm_setting incoming)
{
	const char *v = want(k, incoming);
	return v != NULL ? v : mm_setting_def(on(k, incoming))->dflt;
}

/* ---- reporting */

static int port_of(const struct check *k)
{
	const char *v = want(k, MM_SET_IN_PORT);
	int64_t n = 0;
	if (v != NULL && mm_parse_int(v, 1, 65535, &n) == 0)
		return (int)n;
	return mm_default_port(or_default(k, MM_SET_IN_PROTOCOL), or_default(k, MM_SET_IN_SECURITY));
}

static const char *protocol_of(const struct check *k)
{
	const char *v = or_default(k, MM_SET_IN_PROTOCOL);
	if (v != NULL)
		return v;
	return k->side == MM_SIDE_INCOMING ? "imap" : "smtp";
}

/* Whatever the probe said, this is what was asked. */
static void name_login(const struct run *run, const struct check *k, struct mm_login *l)
{
	l->user = run->r->who->login;
	l->account = k->acc->name;
	l->side = mm_side_name(k->side);
	l->protocol = protocol_of(k);
	l->host = want(k, MM_SET_IN_HOST);
	l->port = port_of(k);
	l->security = or_default(k, MM_SET_IN_SECURITY);
	l->auth = or_default(k, MM_SET_IN_AUTH);
	l->username = want(k, MM_SET_IN_USERNAME) != NULL ? want(k, MM_SET_IN_USERNAME) : "";
	l->level = run->r->sheet->check;
	if (l->when == 0)
		l->when = run->r->now;
}

static void report_untested(const struct run *run, const struct check *k, const char *cls, const char *text)
{
	struct mm_login l = {.result = MM_LOGIN_UNTESTED,
	    .cls = cls,
	    .text = text,
	    .admin = text,
	    .timing = {-1, -1, -1, -1, -1}};
	name_login(run, k, &l);
	run->r->sink->login(run->r->sink, &l);
}

/* ---- what is to be tested */

static bool needs_secret(const struct run *run, const struct check *k)
{
	const char *auth = or_default(k, MM_SET_IN_AUTH);
	return run->r->sheet->check >= MM_LEVEL_LOGIN && !mm_streq(auth, "gssapi") &&
	       !mm_streq(auth, "none") && !mm_streq(auth, "external");
}

static void fetch_secret(struct run *run, struct check *k)
{
	const char *command = want(k, MM_SET_IN_PASSWORD_COMMAND);
	/* Both sides often share one command: ask once. */
	for (const struct check *o = run->checks; o < k; o++) {
		if (o->secret != NULL && mm_streq(want(o, MM_SET_IN_PASSWORD_COMMAND), command)) {
			k->slot = o->slot;
			memcpy(k->credential, o->credential, sizeof(k->credential));
			return;
		}
	}
	enum mm_credential got = mm_credential_get(run->r->conf, run->r->who, command, &k->secret);
	if (got != MM_CRED_FOUND) {
		k->cls = mm_credential_class(got);
		k->text = mm_credential_text(got);
		return;
	}
	mm_credential_hash(&run->memory, k->secret, k->credential);
	k->slot = (int64_t)run->n_secrets;
	run->secrets[run->n_secrets++] = k->secret;
}

static void decide(struct run *run, struct check *k)
{
	const struct mm_probe_run *r = run->r;
	if (!r->effect[k->acc - r->sheet->accounts][k->side].in_effect) {
		k->cls = "NOT_IN_EFFECT";
		k->text = "No mail program here has these settings in effect.";
		return;
	}
	if (needs_secret(run, k))
		fetch_secret(run, k);
	if (k->cls == NULL && r->sparing && k->credential[0] != '\0' &&
	    mm_memory_refused(
		&run->memory, k->acc->name, mm_side_name(k->side), k->settings, k->credential, r->now)) {
		k->cls = "REFUSED_BEFORE";
		k->text = "The server refused this password before; it is not presented again.";
	}
}

static bool proven(const struct run *run, const struct check *k)
{
	return run->r->sparing &&
	       mm_memory_proven(&run->memory, k->acc->name, mm_side_name(k->side), k->settings, run->r->now);
}

static void collect(struct run *run)
{
	const struct mm_probe_run *r = run->r;
	for (size_t i = 0; i < r->sheet->n_accounts; i++) {
		for (int side = MM_SIDE_INCOMING; side < MM_SIDE_COUNT; side++) {
			struct check *k = &run->checks[run->n];
			*k = (struct check){
			    .acc = &r->sheet->accounts[i], .side = (enum mm_side)side, .slot = -1};
			if (!r->effect[i][side].present || want(k, MM_SET_IN_HOST) == NULL || port_of(k) == 0)
				continue;
			mm_settings_hash(k->acc, k->side, r->sheet->check, k->settings);
			if (!proven(run, k))
				run->n++;
		}
	}
}

bool mm_probe_wanted(const struct mm_probe_run *r)
{
	struct run *run = mm_arena_alloc(r->arena, 1, sizeof(*run));
	run->r = r;
	mm_memory_load(r->state_dir, r->arena, &run->memory);
	collect(run);
	return run->n > 0;
}

/* ---- the talk */

static void encode_task(const struct run *run, size_t i, struct mm_buf *out)
{
	const struct check *k = &run->checks[i];
	const struct mm_probe_task t = {.id = (int64_t)i,
	    .level = run->r->sheet->check,
	    .protocol = protocol_of(k),
	    .host = want(k, MM_SET_IN_HOST),
	    .security = or_default(k, MM_SET_IN_SECURITY),
	    .auth = or_default(k, MM_SET_IN_AUTH),
	    .username = want(k, MM_SET_IN_USERNAME),
	    .port = port_of(k),
	    .secret = k->slot,
	    .certificate = -1,
	    .retrieve = -1,
	    .tls_min =
		want(k, MM_SET_IN_TLS_MIN) != NULL ? want(k, MM_SET_IN_TLS_MIN) : run->r->sheet->tls_min,
	    .ca_file = want(k, MM_SET_IN_CA_FILE),
	    .pin = want(k, MM_SET_IN_PIN),
	    .sender = k->side == MM_SIDE_OUTGOING ? k->acc->want.v[MM_SET_ADDRESS] : NULL};
	mm_probe_task_encode(&t, out);
	mm_buf_addc(out, '\n');
}

static int take_answer(void *ctx, const char *line, size_t n, struct mm_err *err)
{
	struct run *run = ctx;
	struct mm_login l;
	int64_t id;
	if (mm_probe_answer_decode(line, n, run->r->arena, &id, &l, err) != 0)
		return -1;
	if (id < 0 || (size_t)id >= run->n || run->checks[id].answered || run->checks[id].cls != NULL)
		return mm_err_set(err, MM_EX_FAILED, "the probe answers what it was not asked");
	struct check *k = &run->checks[id];
	/* A lower level that was passed is not what was asked for. */
	if (l.level != run->r->sheet->check)
		return mm_err_set(err, MM_EX_FAILED, "the probe tested something else than it was asked");
	k->answered = true;
	name_login(run, k, &l);
	mm_memory_note(&run->memory, &l, k->settings, k->credential);
	run->r->sink->login(run->r->sink, &l);
	return 0;
}

static void alive(void *ctx)
{
	const struct run *run = ctx;
	if (run->r->sink->alive != NULL)
		run->r->sink->alive(run->r->sink);
}

static int ask(struct run *run, struct mm_err *err)
{
	struct mm_buf tasks = MM_BUF_INIT(MM_SHEET_ACCOUNTS_MAX * 2 * MM_PROBE_LINE_MAX);
	size_t asked = 0;
	int rc = 0;
	for (size_t i = 0; i < run->n; i++) {
		if (run->checks[i].cls != NULL)
			continue;
		encode_task(run, i, &tasks);
		asked++;
	}
	if (asked > 0) {
		const struct mm_probe_pipe pipe = {.program = run->r->conf->probe,
		    .who = run->r->who,
		    .tasks = mm_buf_str(&tasks),
		    .tasks_len = tasks.len,
		    .secrets = run->secrets,
		    .n_secrets = run->n_secrets,
		    .timeout_ms = MM_PROBE_SECONDS * 1000,
		    .line = take_answer,
		    .alive = alive,
		    .ctx = run};
		rc = mm_probe_talk(&pipe, err);
	}
	mm_buf_free(&tasks);
	return rc;
}

int mm_probe_run(const struct mm_probe_run *r, struct mm_err *err)
{
	struct run *run = mm_arena_alloc(r->arena, 1, sizeof(*run));
	run->r = r;
	mm_memory_load(r->state_dir, r->arena, &run->memory);
	collect(run);
	for (size_t i = 0; i < run->n; i++) {
		decide(run, &run->checks[i]);
		alive(run);
	}
	int rc = ask(run, err);
	for (size_t i = 0; i < run->n; i++) {
		struct check *k = &run->checks[i];
		if (k->cls != NULL)
			report_untested(run, k, k->cls, k->text);
		else if (!k->answered)
			report_untested(run, k, "PROBE_SILENT", "The login test gave no answer.");
		mm_secret_free(k->secret);
	}
	/* Only a convenience: a home that cannot be written to loses nothing by it. */
	mm_memory_save(&run->memory, NULL);
	return rc;
}
