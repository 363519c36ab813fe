/* mailmuster who: whose settings have this value? The reverse of explain. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/cmd.h"
#include "controller/policy_store.h"
#include "schemas/facts.h"

struct who {
	enum mm_setting setting;
	const char *pattern;
	bool observed, desired, json;
	struct mm_evidence_filter filter;

	json_t *seen, *want;                     /* rows */
	json_t *seen_users, *hosts, *want_users; /* sets: names as keys */
	int64_t stale, users, unresolved;
	int64_t unreadable; /* places of which nobody knows what they hold */
	struct mm_fleet fleet;

	struct mm_store *store;
	struct mm_stored_policy policy;
	struct mm_store_host *special; /* hosts that the policy says something of */
	size_t n_special, cap_special;
	struct mm_arena *a;
	int64_t now;
};

static bool matches(const struct who *w, const char *value)
{
	bool nocase = (mm_setting_def(w->setting)->flags & MM_SETF_NOCASE) != 0;

	return value != NULL && fnmatch(w->pattern, value, nocase ? FNM_CASEFOLD : 0) == 0;
}

static void name(json_t *set, const char *member)
{
	json_object_set_new(set, member, json_true());
}

/* ---- what the workstations said */

static int take_seen(const struct mm_finding_row *r, void *arg, struct mm_err *err)
{
	struct who *w = arg;
	const char *value = mm_finding_now(&r->f);
	json_t *o;

	(void)err;
	if (mm_setting_by_id(r->f.setting) != w->setting)
		return 0;
	w->unreadable += value == NULL && (r->f.state == MM_ST_UNKNOWN || r->f.state == MM_ST_ERROR ||
					      r->f.state == MM_ST_DEFERRED);
	if (!matches(w, value))
		return 0;
	o = json_object();
	mm_json_set_str(o, "user", r->f.user);
	mm_json_set_str(o, "host", r->host);
	mm_json_set_str(o, "client", r->f.client);
	mm_json_set_str(o, "account", r->f.account);
	mm_json_set_str(o, "value", value);
	mm_json_set_str(o, "path", r->f.path);
	if (r->f.line)
		mm_json_set_int(o, "line", r->f.line);
	mm_json_set_str(o, "state", mm_state_name(r->f.state));
	mm_json_set_int(o, "seen", r->seen);
	mm_json_set_bool(o, "stale", r->stale);
	json_array_append_new(w->seen, o);
	name(w->seen_users, r->f.user);
	name(w->hosts, r->host);
	w->stale += r->stale;
	return 0;
}

/* ---- what the policy says */

static void want_row(struct who *w, const struct mm_resolved *r, const struct mm_resolved_account *acc,
    const char *host, json_t *except)
{
	const struct mm_trail *t = &acc->set[w->setting];
	json_t *o = json_object();

	mm_json_set_str(o, "user", r->user);
	mm_json_set_str(o, "host", host);
	if (except != NULL && json_array_size(except) > 0)
		json_object_set(o, "except", except);
	mm_json_set_str(o, "account", acc->account->name.text);
	mm_json_set_str(o, "value", t->value);
	if (t->winner != NULL) {
		mm_json_set_str(o, "layer", mm_layer_name(t->winner->layer));
		mm_json_set_str(o, "path", t->winner->at.file);
		if (t->winner->at.line > 0)
			mm_json_set_int(o, "line", t->winner->at.line);
	}
	json_array_append_new(w->want, o);
	name(w->want_users, r->user);
}

static struct mm_resolved *resolve(
    struct who *w, const struct mm_subject *u, const char *host, struct mm_arena *a)
{
	struct mm_resolved *r;
	struct mm_diags d;

	mm_diags_init(&d, a);
	return mm_resolve(w->policy.policy, u, host, 0, a, &r, &d) == 0 ? r : NULL;
}

static bool has_user(const struct mm_store_host *h, const char *login)
{
	for (size_t i = 0; !h->all_users && i < h->n_users; i++)
		if (strcmp(h->users[i], login) == 0)
			return true;
	return h->all_users;
}

static const struct mm_resolved_account *same_account(
    const struct mm_resolved *r, const struct mm_paccount *acc)
{
	for (size_t i = 0; i < r->n_accounts; i++)
		if (r->accounts[i].account == acc)
			return &r->accounts[i];
	return NULL;
}

/* Hosts on which it is otherwise than everywhere else: as rows of their own
 * where it matches there only, as exceptions where it does not. */
static void look_at_hosts(struct who *w, const struct mm_subject *u, const struct mm_resolved *general,
    json_t *const *except, struct mm_arena *a)
{
	for (size_t i = 0; i < w->n_special; i++) {
		const struct mm_store_host *h = &w->special[i];
		const struct mm_resolved *r = has_user(h, u->login) ? resolve(w, u, h->id, a) : NULL;

		for (size_t k = 0; r != NULL && k < general->n_accounts; k++) {
			const struct mm_resolved_account *acc = same_account(r, general->accounts[k].account);

			if (acc == NULL || !matches(w, acc->set[w->setting].value))
				json_array_append_new(except[k], json_string(h->id));
		}
		for (size_t k = 0; r != NULL && k < r->n_accounts; k++) {
			const struct mm_resolved_account *acc = same_account(general, r->accounts[k].account);

			if (matches(w, r->accounts[k].set[w->setting].value) &&
			    (acc == NULL || !matches(w, acc->set[w->setting].value)))
				want_row(w, r, &r->accounts[k], h->id, NULL);
		}
	}
}

static int take_user(const struct mm_store_user *u, void *arg, struct mm_err *err)
{
	struct who *w = arg;
	struct mm_arena *a = mm_arena_new();
	struct mm_subject s = mm_subject_of(u, a);
	struct mm_resolved *r = resolve(w, &s, NULL, a);
	json_t **except;

	(void)err;
	w->users++;
	if (r == NULL) {
		w->unresolved++;
		mm_arena_free(a);
		return 0;
	}
	except = mm_arena_alloc(a, r->n_accounts + 1, sizeof(json_t *));
	for (size_t i = 0; i < r->n_accounts; i++)
		except[i] = json_array();
	look_at_hosts(w, &s, r, except, a);
	for (size_t i = 0; i < r->n_accounts; i++) {
		if (matches(w, r->accounts[i].set[w->setting].value))
			want_row(w, r, &r->accounts[i], NULL, except[i]);
		json_decref(except[i]);
	}
	mm_arena_free(a);
	return 0;
}

static int ask_policy(struct who *w, struct mm_err *err)
{
	int rc = mm_policy_stored(w->store, 0, w->a, &w->policy, err);

	if (rc == 1)
		return mm_err_set(
		    err, MM_EX_FAILED, "there is no policy yet; run: mailmuster policy import FILE");
	for (size_t i = 0; rc == 0 && i < w->policy.policy->hosts.n; i++) {
		struct mm_store_host h;

		rc = mm_store_host_get(w->store, w->policy.policy->hosts.items[i].name.text, w->a, &h, err);
		if (rc == 0)
			*(struct mm_store_host *)mm_arena_push(
			    w->a, &w->special, &w->n_special, &w->cap_special, sizeof(h)) = h;
		rc = rc == 1 ? 0 : rc; /* not enrolled: nobody has anything there */
	}
	return rc != 0 ? -1 : mm_store_user_each(w->store, NULL, take_user, w, err);
}

/* ---- printing */

static const char *member(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "-";
}

static void place(struct mm_table *t, const json_t *o)
{
	json_int_t line = json_integer_value(json_object_get(o, "line"));

	if (line > 0)
		mm_table_cell(t, MM_PLAIN, "%s:%lld", member(o, "path"), (long long)line);
	else
		mm_table_cell(t, MM_PLAIN, "%s", member(o, "path"));
}

static void print_want(const struct who *w)
{
	static const char *const heads[] = {"USER", "HOST", "ACCOUNT", "VALUE", "FROM", NULL};
	struct mm_table *t = mm_table_new(heads);
	size_t i;
	json_t *o;

	json_array_foreach(w->want, i, o)
	{
		const json_t *except = json_object_get(o, "except");
		struct mm_buf b = MM_BUF_INIT(65536);

		mm_buf_adds(&b, json_object_get(o, "host") != NULL ? member(o, "host") : "any");
		for (size_t k = 0; k < json_array_size(except); k++)
			mm_buf_addf(&b, "%s%s", k == 0 ? " but " : ", ",
			    json_string_value(json_array_get(except, k)));
		mm_table_cell(t, MM_PLAIN, "%s", member(o, "user"));
		mm_table_cell(t, MM_PLAIN, "%s", mm_buf_str(&b));
		mm_table_cell(t, MM_PLAIN, "%s", member(o, "account"));
		mm_table_cell(t, MM_PLAIN, "%s", member(o, "value"));
		place(t, o);
		mm_buf_free(&b);
	}
	mm_table_print(t, stdout);
	mm_table_free(t);
}

static void print_seen(const struct who *w)
{
	static const char *const heads[] = {
	    "USER", "HOST", "CLIENT", "ACCOUNT", "VALUE", "STATE", "SEEN", "WHERE", NULL};
	static const char *const keys[] = {"user", "host", "client", "account", "value", "state"};
	struct mm_table *t = mm_table_new(heads);
	char age[MM_TIME_MAX];
	size_t i;
	json_t *o;

	json_array_foreach(w->seen, i, o)
	{
		bool stale = json_is_true(json_object_get(o, "stale"));

		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			mm_table_cell(t, MM_PLAIN, "%s", member(o, keys[k]));
		mm_table_cell(t, stale ? MM_YELLOW : MM_PLAIN, "%s ago%s",
		    mm_duration(w->now - json_integer_value(json_object_get(o, "seen")), age),
		    stale ? ", stale" : "");
		place(t, o);
	}
	mm_table_print(t, stdout);
	mm_table_free(t);
}

/* Nobody was seen, but not everybody was looked at? */
static bool in_the_dark(const struct who *w)
{
	return w->observed && w->fleet.hosts_never + w->fleet.hosts_stale + w->unreadable > 0;
}

static void print_unknown(const struct who *w)
{
	long long never = (long long)w->fleet.hosts_never, stale = (long long)w->fleet.hosts_stale;
	if (never + stale > 0)
		printf("Of %lld of %lld hosts it is not known: %lld never reported, %lld not lately.\n",
		    never + stale, (long long)w->fleet.hosts, never, stale);
	if (w->unreadable > 0)
		printf("In %lld place%s it could not be read; mailmuster drift says why.\n",
		    (long long)w->unreadable, w->unreadable == 1 ? "" : "s");
}

static void print(const struct who *w)
{
	size_t want = json_object_size(w->want_users), users = json_object_size(w->seen_users);
	size_t hosts = json_object_size(w->hosts);

	if (w->desired) {
		printf("Desired for %zu of %lld user%s%s\n", want, (long long)w->users,
		    w->users == 1 ? "" : "s", want > 0 ? ":" : "");
		if (want > 0)
			print_want(w);
		if (w->unresolved > 0)
			printf("For %lld more the policy cannot be worked out; mailmuster policy check says "
			       "why.\n",
			    (long long)w->unresolved);
	}
	if (w->desired && w->observed)
		putchar('\n');
	if (w->observed) {
		printf("Observed with %zu user%s on %zu host%s%s\n", users, users == 1 ? "" : "s", hosts,
		    hosts == 1 ? "" : "s", users > 0 ? ":" : "");
		if (users > 0)
			print_seen(w);
		if (w->stale > 0)
			printf("%lld of %zu values are old: the host has not reported lately.\n",
			    (long long)w->stale, json_array_size(w->seen));
		print_unknown(w);
	}
}

static void print_json(const struct who *w)
{
	json_t *o = json_object();

	mm_json_set_str(o, "setting", mm_setting_def(w->setting)->id);
	mm_json_set_str(o, "value", w->pattern);
	if (w->desired) {
		mm_json_set_int(o, "revision", w->policy.revision.number);
		mm_json_set_int(o, "users", w->users);
		mm_json_set_int(o, "unresolved", w->unresolved);
		json_object_set(o, "desired", w->want);
	}
	if (w->observed) {
		json_t *hosts = json_object();

		json_object_set(o, "observed", w->seen);
		mm_json_set_int(hosts, "all", w->fleet.hosts);
		mm_json_set_int(hosts, "never_reported", w->fleet.hosts_never);
		mm_json_set_int(hosts, "stale", w->fleet.hosts_stale);
		mm_json_set(o, "hosts", hosts);
		mm_json_set_int(o, "unreadable", w->unreadable);
	}
	mm_ctl_json(o);
}

static int who(struct mm_ctl *c, struct who *w, struct mm_err *err)
{
	if (mm_ctl_open(c, err))
		return -1;
	w->store = c->store;
	w->now = mm_store_now(c->store);
	w->filter.setting = mm_setting_def(w->setting)->id;
	if ((w->desired && ask_policy(w, err)) ||
	    (w->observed && mm_store_findings(c->store, &w->filter, take_seen, w, err)) ||
	    (w->observed && mm_store_fleet(c->store, NULL, &w->fleet, err)))
		return -1;
	if (w->json)
		print_json(w);
	else
		print(w);
	return 0;
}

/* SETTING=VALUE */
static int question(struct who *w, const char *text, struct mm_arena *a, struct mm_err *err)
{
	const char *eq = strchr(text, '=');

	if (eq == NULL || eq[1] == '\0')
		return mm_err_set(
		    err, MM_EX_USAGE, "\"%s\" is not SETTING=VALUE, as in incoming.host=old.example", text);
	w->setting = mm_setting_by_id(mm_arena_strndup(a, text, (size_t)(eq - text)));
	w->pattern = eq + 1;
	if (w->setting == MM_SET_NONE)
		return mm_err_set(err, MM_EX_USAGE,
		    "there is no setting \"%.*s\"; mailmuster-policy(5) lists them", (int)(eq - text), text);
	return 0;
}

static int finish(struct mm_ctl *c, struct who *w, const char *text)
{
	struct mm_err err = MM_ERR_NONE;
	int rc;

	if (question(w, text, w->a, &err))
		return mm_ctl_usage("who", err.text);
	if (!w->desired && !w->observed)
		w->desired = w->observed = true;
	w->seen = json_array();
	w->want = json_array();
	w->seen_users = json_object();
	w->want_users = json_object();
	w->hosts = json_object();
	rc = who(c, w, &err)                                           ? mm_ctl_fail("who", &err)
	     : json_array_size(w->seen) + json_array_size(w->want) > 0 ? MM_EX_OK
	     : in_the_dark(w)                                          ? MM_EX_UNREACHABLE
								       : MM_EX_FAILED;
	json_decref(w->seen);
	json_decref(w->want);
	json_decref(w->seen_users);
	json_decref(w->want_users);
	json_decref(w->hosts);
	return rc;
}

static int run(struct mm_ctl *c, int argc, char **argv)
{
	struct who w = {0};
	const struct mm_opt opts[] = {
	    {.name = "desired", .kind = MM_OPT_FLAG, .dest = &w.desired, .help = "what the policy says"},
	    {.name = "observed",
		.kind = MM_OPT_FLAG,
		.dest = &w.observed,
		.help = "what the workstations last reported"},
	    {.name = "client",
		.kind = MM_OPT_STRING,
		.dest = &w.filter.client,
		.arg = "CLIENT",
		.help = "observed in this mail program"},
	    MM_OPT_JSON(&w.json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "who",
	    .operands = "SETTING=VALUE [--desired] [--observed]",
	    .about =
		"Who has this value: by the policy, and in the mail programs as last reported; without an\n"
		"option, both. In VALUE * stands for anything. Exit status 1 when there is nobody, 8 when\n"
		"nobody was seen but hosts have not reported, or not lately.",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	int rc = mm_ctl_args(&args, &argc, argv);

	if (rc >= 0)
		return rc;
	w.a = mm_arena_new();
	rc = finish(c, &w, argv[0]);
	mm_arena_free(w.a);
	return rc;
}

const struct mm_cmd mm_cmd_who = {"who", "SETTING=VALUE", "whose settings have a value?", run};
