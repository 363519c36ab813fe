#include "agent/discover.h"

#include <string.h>

#include "agent/clients/clients.h"
#include "agent/versions.h"
#include "common/text.h"

struct looking {
	const struct mm_discover_ask *ask;
	const struct mm_conf *conf;
	const struct mm_identity *who;
	struct mm_sink *sink;
	struct mm_arena *a;
	struct mm_reader *r;
	const struct mm_client *cl;
	const struct mm_place *place;
	size_t foreign; /* accounts of this place that are told by domain only */
};

static void tell(const struct looking *l, const char *account, const char *setting, const char *found,
    int line, const char *reason, enum mm_state state)
{
	const struct mm_finding f = {.user = l->who->login,
	    .client = l->cl->name,
	    .path = l->place != NULL ? l->place->path : "",
	    .account = account,
	    .setting = setting,
	    .found = found,
	    .line = line,
	    .state = state,
	    .action = MM_ACT_NONE,
	    .reason = reason != NULL ? reason : ""};
	l->sink->finding(l->sink, &f);
}

/* ---- whose business is it? */

/* Both must say so: the signed request, and this host's own limits. */
static bool is_known(const struct looking *l, const char *host)
{
	return host != NULL && *host != '\0' && mm_discover_knows(l->ask, host) &&
	       mm_conf_allows_host(l->conf, host);
}

static const char *domain_of(const char *address)
{
	const char *at = address != NULL ? strrchr(address, '@') : NULL;
	return at != NULL && at[1] != '\0' ? at + 1 : NULL;
}

static const char *value(const struct mm_seen_account *acc, enum mm_setting s)
{
	return acc->s[s].value;
}

/* The domain of the address; of what has none that of the user name. */
static const char *account_domain(const struct mm_seen_account *acc)
{
	static const enum mm_setting places[] = {MM_SET_ADDRESS, MM_SET_IN_USERNAME, MM_SET_OUT_USERNAME};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *d = domain_of(value(acc, places[i]));
		if (d != NULL)
			return d;
	}
	return NULL;
}

/* ---- one account */

static bool may_tell_command(const struct looking *l, const char *command)
{
	const char *const *argv;
	size_t n;
	return mm_argv_parse(command, l->a, &argv, &n, NULL) == 0 && n > 0 &&
	       mm_conf_allows_program(l->conf, argv[0]);
}

/* An address of another domain is not ours to tell; of a name the server may know it, that is all. */
static const char *curtailed(const struct looking *l, const char *v)
{
	const char *d = domain_of(v);
	return d == NULL || is_known(l, d) ? v : mm_arena_printf(l->a, "@%s", d);
}

static bool is_name(enum mm_setting s)
{
	return s == MM_SET_ADDRESS || s == MM_SET_IN_USERNAME || s == MM_SET_OUT_USERNAME;
}

static void tell_setting(
    const struct looking *l, const struct mm_seen_account *acc, enum mm_setting s, bool own_address)
{
	const struct mm_seen *x = &acc->s[s];
	const char *v = x->value, *id = mm_setting_def(s)->id;
	if (v == NULL && x->unsure_path == NULL)
		return;
	if (s == MM_SET_REAL_NAME && !own_address)
		return;
	if ((s == MM_SET_IN_PASSWORD_COMMAND || s == MM_SET_OUT_PASSWORD_COMMAND) &&
	    (v == NULL || !may_tell_command(l, v)))
		return;
	if (x->unsure_path != NULL)
		tell(l, acc->key, id, NULL, x->unsure_line, x->unsure_why, MM_ST_UNKNOWN);
	else
		tell(l, acc->key, id, is_name(s) ? curtailed(l, v) : v, x->line,
		    x->from_default ? MM_DISCOVER_DEFAULT : "", MM_ST_UNMANAGED);
}

static void tell_in_full(const struct looking *l, const struct mm_seen_account *acc)
{
	static const enum mm_setting told[] = {MM_SET_ADDRESS, MM_SET_REAL_NAME, MM_SET_IN_PROTOCOL,
	    MM_SET_IN_HOST, MM_SET_IN_PORT, MM_SET_IN_SECURITY, MM_SET_IN_AUTH, MM_SET_IN_USERNAME,
	    MM_SET_IN_PASSWORD_COMMAND, MM_SET_IN_TLS_MIN, MM_SET_IN_CA_FILE, MM_SET_OUT_PROTOCOL,
	    MM_SET_OUT_HOST, MM_SET_OUT_PORT, MM_SET_OUT_SECURITY, MM_SET_OUT_AUTH, MM_SET_OUT_USERNAME,
	    MM_SET_OUT_PASSWORD_COMMAND, MM_SET_OUT_TLS_MIN, MM_SET_OUT_CA_FILE};
	bool own = is_known(l, account_domain(acc));
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		tell_setting(l, acc, told[i], own);
}

static void tell_host(
    const struct looking *l, const struct mm_seen_account *acc, const char *key, enum mm_setting s)
{
	const char *v = value(acc, s);
	if (v != NULL && mm_is_hostname(v))
		tell(l, key, mm_setting_def(s)->id, v, 0, NULL, MM_ST_UNMANAGED);
}

static void tell_domains(struct looking *l, const struct mm_seen_account *acc)
{
	const char *key = mm_arena_printf(l->a, MM_DISCOVER_FOREIGN "%zu", ++l->foreign);
	const char *d = account_domain(acc);
	if (d != NULL && mm_is_hostname(d))
		tell(l, key, mm_setting_def(MM_SET_ADDRESS)->id, mm_arena_printf(l->a, "@%s", d), 0, NULL,
		    MM_ST_UNMANAGED);
	tell_host(l, acc, key, MM_SET_IN_HOST);
	tell_host(l, acc, key, MM_SET_OUT_HOST);
}

static void tell_account(struct looking *l, const struct mm_seen_account *acc)
{
	if (acc->quiet)
		return;
	if (is_known(l, account_domain(acc)) || is_known(l, value(acc, MM_SET_IN_HOST)) ||
	    is_known(l, value(acc, MM_SET_OUT_HOST)))
		tell_in_full(l, acc);
	else if (value(acc, MM_SET_IN_HOST) != NULL || value(acc, MM_SET_OUT_HOST) != NULL ||
		 account_domain(acc) != NULL)
		tell_domains(l, acc);
}

/* ---- one program */

static void look_at_place(struct looking *l, const struct mm_place *p, const char *version)
{
	struct mm_view view = {.n = 0};
	struct mm_err err = MM_ERR_NONE;
	l->place = p;
	l->foreign = 0;
	if (l->cl->read(l->r, p, &view, &err) != 0) {
		tell(l, "", "", NULL, 0, mm_arena_strdup(l->a, err.text), MM_ST_ERROR);
		return;
	}
	tell(l, "", "", version, 0, p->in_use ? MM_DISCOVER_IN_USE : MM_DISCOVER_UNUSED, MM_ST_UNMANAGED);
	for (size_t i = 0; i < view.n && p->in_use; i++)
		tell_account(l, &view.accounts[i]);
}

static bool is_installed(struct mm_reader *r, const struct mm_client *cl)
{
	for (const char *const *p = cl->programs; *p != NULL; p++)
		if (r->program(r, *p))
			return true;
	return false;
}

static void look_at_client(struct looking *l, const char *version)
{
	struct mm_place *places = NULL;
	struct mm_err err = MM_ERR_NONE;
	size_t n = 0, there = 0;
	l->place = NULL;
	if (l->cl->find(l->r, false, &places, &n, &err) != 0) {
		tell(l, "", "", NULL, 0, mm_arena_strdup(l->a, err.text), MM_ST_ERROR);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (!places[i].exists)
			continue;
		there++;
		look_at_place(l, &places[i], version);
	}
	l->place = NULL;
	if (there == 0 && is_installed(l->r, l->cl))
		tell(l, "", "", version, 0, MM_DISCOVER_INSTALLED, MM_ST_UNMANAGED);
}

void mm_discover_user(const struct mm_discover_ask *ask, const struct mm_conf *conf,
    const struct mm_identity *who, struct mm_sink *sink)
{
	struct looking l = {.ask = ask, .conf = conf, .who = who, .sink = sink, .a = mm_arena_new()};
	size_t n = 0;
	while (mm_clients[n] != NULL)
		n++;
	struct mm_version *v = mm_arena_alloc(l.a, n + 1, sizeof(*v));
	for (size_t i = 0; i < n; i++)
		v[i].package =
		    mm_clients[i]->package != NULL ? mm_clients[i]->package : mm_clients[i]->programs[0];
	mm_versions_find(MM_DPKG_STATUS, v, n, l.a);
	l.r = mm_reader_new(l.a, who);
	for (size_t i = 0; i < n; i++) {
		l.cl = mm_clients[i];
		look_at_client(&l, v[i].version);
		if (sink->alive != NULL)
			sink->alive(sink);
	}
	mm_arena_free(l.a);
}
