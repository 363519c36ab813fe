/* mailmuster discover: what mail programs do the workstations have, and how are
 * they set up? A policy to start from. */
#include <stdlib.h>

#include "common/json.h"
#include "common/text.h"
#include "controller/discovered_policy.h"
#include "controller/enroll_limits.h"
#include "controller/policy_store.h"
#include "controller/push_cmd.h"
#include "controller/push_print.h"

#define POLICY_MAX (1u << 20)

struct listener {
	struct mm_store *store;
	struct mm_discovered *d;
	struct mm_arena *a; /* of the person that was spoken of last */
	struct mm_known_person person;
};

/* Whom the store does not know has a login and nothing else. */
static void meet(struct listener *l, const char *login)
{
	struct mm_store_user u;
	struct mm_arena *a = mm_arena_new();
	l->person = (struct mm_known_person){.login = mm_arena_strdup(a, login), .name = "", .address = ""};
	if (mm_store_user_get(l->store, login, a, &u, NULL) == 0) {
		l->person.name = u.name;
		l->person.address = u.address;
		l->person.groups = u.groups;
		l->person.n_groups = u.n_groups;
	}
	mm_arena_free(l->a);
	l->a = a;
}

static void hear(void *ctx, const char *host, const struct mm_finding *f)
{
	struct listener *l = ctx;
	if (l->a == NULL || !mm_streq(l->person.login, f->user))
		meet(l, f->user);
	mm_discovered_add(l->d, host, f, &l->person);
}

/* ---- what may be told */

struct domains {
	const char **items;
	size_t n, cap;
};

static void add_domain(struct domains *list, struct mm_arena *a, const char *name)
{
	if (mm_is_hostname(name))
		*(const char **)mm_arena_push(a, &list->items, &list->n, &list->cap, sizeof(*list->items)) =
		    name;
}

static int add_known(struct mm_store *s, const struct mm_policy *p, struct mm_arena *a, struct domains *list,
    struct mm_err *err)
{
	const struct mm_opt_list none = {.n = 0};
	struct mm_enrolment known = {.domains = NULL};
	if (mm_enroll_limits(s, &none, &none, &none, a, &known, err) != 0)
		return -1;
	for (const char *const *d = known.domains; *d != NULL; d++)
		add_domain(list, a, *d);
	for (size_t i = 0; i < p->n_accounts; i++)
		for (size_t k = 0; k < p->accounts[i].replaces.n; k++)
			add_domain(list, a, p->accounts[i].replaces.items[k].text);
	return 0;
}

/* Where there is no policy yet, the admin names the organisation's domains. */
static int what_to_ask(struct mm_ctl *c, const struct mm_opt_list *named, struct mm_push_how *how,
    struct mm_discover_ask *ask, const char **domain, struct mm_arena *a, struct mm_err *err)
{
	struct mm_stored_policy p = {.policy = NULL};
	struct domains list = {.n = 0};
	int rc = mm_ctl_open(c, err);
	if (rc == 0)
		rc = mm_policy_stored(c->store, 0, a, &p, err);
	if (rc < 0)
		return -1;
	how->no_policy = rc == 1;
	if (how->no_policy && named->n == 0)
		return mm_err_set(err, MM_EX_USAGE,
		    "there is no policy yet that knows the organisation's domains: say --domain DOMAIN");
	if (!how->no_policy && named->n > 0)
		return mm_err_set(err, MM_EX_USAGE,
		    "which domains are known says the policy: organisation, endpoints, replaces");
	for (size_t i = 0; i < named->n; i++) {
		if (!mm_is_hostname(named->items[i]))
			return mm_err_set(err, MM_EX_USAGE, "\"%s\" is no domain", named->items[i]);
		add_domain(&list, a, named->items[i]);
	}
	if (p.policy != NULL && add_known(c->store, p.policy, a, &list, err) != 0)
		return -1;
	*domain = named->n > 0                                        ? named->items[0]
		  : p.policy != NULL && p.policy->domain.text != NULL ? p.policy->domain.text
								      : "";
	*ask = (struct mm_discover_ask){.domains = list.items,
	    .n_domains = list.n,
	    .all = p.policy != NULL && p.policy->rules.discover_all};
	return 0;
}

/* ---- what came of it */

static int save(const struct mm_proposal *p, const char *path, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(POLICY_MAX);
	struct mm_ctl_file o;
	int rc = 0;
	if (!mm_proposal_text(p, &text))
		rc = mm_err_set(err, MM_EX_FAILED,
		    "%s is not written: no account was found that a policy could be made of", path);
	if (rc == 0)
		rc = mm_ctl_create(&o, path, 0600, err);
	if (rc == 0) {
		bool ok = fputs(mm_buf_str(&text), o.f) != EOF;
		if (!ok)
			mm_err_sys(err, MM_EX_FAILED, "cannot write %s", path);
		rc = mm_ctl_finish(&o, ok, err);
	}
	mm_buf_free(&text);
	return rc;
}

static void print(const struct mm_push_summary *s, const struct mm_proposal *p, bool json)
{
	if (json) {
		mm_push_print_json(s, "discovered", mm_proposal_json(p));
		return;
	}
	mm_proposal_print(p);
	mm_push_print(s);
}

static int discover(struct mm_ctl *c, struct mm_push_cmd *o, const struct mm_opt_list *named)
{
	struct mm_arena *a = mm_arena_new();
	struct listener l = {.d = mm_discovered_new()};
	struct mm_discover_ask ask = {.all = false};
	struct mm_push_summary s = {0};
	struct mm_proposal p;
	struct mm_err err = MM_ERR_NONE;
	const char *domain = "";
	int status;
	o->how.discover = &ask;
	o->how.hear = hear;
	o->how.hear_ctx = &l;
	o->how.progress = true;
	o->how.reason = o->reason;
	int rc = what_to_ask(c, named, &o->how, &ask, &domain, a, &err);
	l.store = c->store;
	if (rc == 0 && o->out != NULL)
		rc = mm_ctl_can_create(o->out, &err);
	if (rc == 0)
		rc = mm_push_run_op(c, &o->sel, &o->how, &s, &err);
	if (rc != 0) {
		status = err.code == MM_EX_USAGE ? mm_ctl_usage("discover", err.text)
						 : mm_ctl_fail("discover", &err);
	} else {
		mm_discovered_end(l.d);
		mm_propose(l.d, domain, a, &p);
		print(&s, &p, o->json);
		status = s.exit_status;
		if (o->out != NULL && save(&p, o->out, &err) != 0)
			status = mm_ctl_fail("discover", &err);
	}
	if (s.arena != NULL)
		mm_push_summary_free(&s);
	o->how.discover = NULL;
	o->how.hear_ctx = NULL;
	mm_discovered_free(l.d);
	mm_arena_free(l.a);
	mm_arena_free(a);
	return status;
}

static int run_discover(struct mm_ctl *c, int argc, char **argv)
{
	struct mm_push_cmd o = {.how = {.op = MM_OP_DISCOVER}};
	struct mm_opt_list domains = {.n = 0};
	const struct mm_opt opts[] = {
	    MM_SELECTION_OPTS(&o.sel),
	    {.name = "domain",
		.kind = MM_OPT_LIST,
		.dest = &domains,
		.arg = "DOMAIN",
		.help = "where there is no policy yet: a domain of the organisation; may be repeated"},
	    {.name = "out",
		.letter = 'o',
		.kind = MM_OPT_STRING,
		.dest = &o.out,
		.arg = "FILE",
		.help = "write the proposed policy there"},
	    MM_PUSH_CMD_OPTS(&o),
	    MM_OPT_REASON(&o.reason),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "discover",
	    .operands = "--all | --host HOST ... [--out FILE] [options]",
	    .about =
		"Ask the hosts which mail programs people have and how these are set up, and propose a\n"
		"policy: what most have becomes endpoints and account, what a group mostly has an override\n"
		"of the group; everybody else is listed as an outlier, with what differs. Nothing is\n"
		"changed, run or stored. Accounts of domains that the policy does not know are told by\n"
		"domain only (rules.discover), as is what lies outside of a host's own limits; passwords\n"
		"are never told. Exit status: 2 something could not be read, 4 hosts failed,\n"
		"8 unreachable; they add up.",
	    .opts = opts};
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc < 0)
		rc = discover(c, &o, &domains);
	mm_cli_free(opts);
	return rc;
}

extern const struct mm_cmd mm_cmd_discover;
const struct mm_cmd mm_cmd_discover = {
    "discover", "--all|--host HOST", "what is set up out there? propose a policy", run_discover};
