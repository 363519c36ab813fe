#include "controller/endpoints.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/proc.h"
#include "common/text.h"
#include "controller/policy_store.h"
#include "schemas/probe.h"

#define PROGRAM "mailmuster-probe"
#define PROBE_MS (10 * 60 * 1000)
#define ANSWERS_MAX (64u << 20)

struct gathering {
	struct mm_store *store;
	struct mm_stored_policy p;
	struct mm_policy_endpoints *out;
	const char *const *users; /* sorted; NULL = everybody */
	size_t n_users;
	const struct mm_target *targets; /* NULL = wherever they are */
	size_t n_targets;
	struct mm_store_host *special; /* hosts that the policy says something of */
	size_t n_special, cap_special;
};

/* ---- one endpoint */

static const char *value(const struct mm_account *acc, enum mm_side side, enum mm_setting incoming)
{
	enum mm_setting s = side == MM_SIDE_INCOMING ? incoming : mm_setting_on_side(incoming, side);
	return acc->want.v[s] != NULL ? acc->want.v[s] : mm_setting_def(s)->dflt;
}

static bool same(const struct mm_policy_endpoint *x, const struct mm_policy_endpoint *y)
{
	return x->port == y->port && mm_streq(x->protocol, y->protocol) &&
	       mm_streq_nocase(x->host, y->host) && mm_streq(x->security, y->security) &&
	       mm_streq(x->tls_min, y->tls_min) && mm_streq(x->ca_file, y->ca_file) &&
	       mm_streq(x->pin, y->pin);
}

static const char *copy(struct mm_arena *a, const char *s)
{
	return s != NULL ? mm_arena_strdup(a, s) : NULL;
}

static struct mm_policy_endpoint *find_or_add(
    struct mm_policy_endpoints *list, const struct mm_policy_endpoint *e)
{
	for (size_t i = 0; i < list->n; i++)
		if (same(&list->items[i], e))
			return &list->items[i];
	struct mm_policy_endpoint *new =
	    mm_arena_push(list->a, &list->items, &list->n, &list->cap, sizeof(*new));
	*new = (struct mm_policy_endpoint){.protocol = copy(list->a, e->protocol),
	    .host = copy(list->a, e->host),
	    .security = copy(list->a, e->security),
	    .port = e->port,
	    .tls_min = copy(list->a, e->tls_min),
	    .ca_file = copy(list->a, e->ca_file),
	    .pin = copy(list->a, e->pin)};
	return new;
}

static void add_auth(struct mm_policy_endpoints *list, struct mm_policy_endpoint *e, const char *auth)
{
	for (size_t i = 0; i < e->n_auths; i++)
		if (mm_streq(e->auths[i], auth))
			return;
	if (e->n_auths < MM_ENDPOINT_AUTHS)
		e->auths[e->n_auths++] = mm_arena_strdup(list->a, auth);
}

static void add_side(
    struct gathering *g, const struct mm_sheet *sheet, const struct mm_account *acc, enum mm_side side)
{
	struct mm_policy_endpoint e = {.protocol = value(acc, side, MM_SET_IN_PROTOCOL),
	    .host = value(acc, side, MM_SET_IN_HOST),
	    .security = value(acc, side, MM_SET_IN_SECURITY),
	    .tls_min = value(acc, side, MM_SET_IN_TLS_MIN),
	    .ca_file = value(acc, side, MM_SET_IN_CA_FILE),
	    .pin = value(acc, side, MM_SET_IN_PIN)};
	const char *port = value(acc, side, MM_SET_IN_PORT);
	int64_t n = 0;
	if (e.host == NULL || e.protocol == NULL)
		return;
	if (port == NULL || mm_parse_int(port, 1, 65535, &n) != 0)
		n = mm_default_port(e.protocol, e.security);
	e.port = (int)n;
	if (e.tls_min == NULL)
		e.tls_min = sheet->tls_min;
	struct mm_policy_endpoint *place = find_or_add(g->out, &e);
	add_auth(g->out, place, value(acc, side, MM_SET_IN_AUTH));
	if (place->latest == NULL || !mm_streq(place->latest, sheet->user)) {
		place->people++;
		place->latest = mm_arena_strdup(g->out->a, sheet->user);
	}
}

/* ---- who */

static int compare(const void *x, const void *y)
{
	const char *const *a = x, *const *b = y;
	return strcmp(*a, *b);
}

static bool is_on(const struct mm_store_host *h, const char *login)
{
	return h->all_users ||
	       (h->n_users > 0 && bsearch(&login, h->users, h->n_users, sizeof(login), compare) != NULL);
}

static bool is_chosen(const struct gathering *g, const char *login)
{
	bool on = g->targets == NULL;
	if (g->users != NULL && bsearch(&login, g->users, g->n_users, sizeof(login), compare) == NULL)
		return false;
	for (size_t i = 0; i < g->n_targets && !on; i++)
		on = is_on(&g->targets[i].host, login);
	return on;
}

static bool is_target(const struct gathering *g, const char *host)
{
	for (size_t i = 0; i < g->n_targets; i++)
		if (mm_streq(g->targets[i].host.id, host))
			return true;
	return g->targets == NULL;
}

/* `host` NULL: as it is on all hosts of which the policy says nothing. */
static int add_sheet(struct gathering *g, const struct mm_subject *who, const char *host, struct mm_arena *a,
    size_t *accounts, struct mm_err *err)
{
	struct mm_resolved *r;
	struct mm_diags d;
	mm_diags_init(&d, a);
	if (mm_resolve(g->p.policy, who, host, 0, a, &r, &d) != 0) {
		mm_diags_err(&d, err);
		return mm_err_prefix(err, "user %s", who->login);
	}
	const struct mm_sheet sheet = mm_resolve_sheet(r, g->out->revision, a);
	for (size_t i = 0; i < sheet.n_accounts; i++) {
		add_side(g, &sheet, &sheet.accounts[i], MM_SIDE_INCOMING);
		add_side(g, &sheet, &sheet.accounts[i], MM_SIDE_OUTGOING);
	}
	*accounts += sheet.n_accounts;
	return 0;
}

static int take_user(const struct mm_store_user *u, void *arg, struct mm_err *err)
{
	struct gathering *g = arg;
	size_t accounts = 0;
	if (!is_chosen(g, u->login))
		return 0;
	struct mm_arena *a = mm_arena_new();
	const struct mm_subject who = mm_subject_of(u, a);
	int rc = add_sheet(g, &who, NULL, a, &accounts, err);
	for (size_t i = 0; i < g->n_special && rc == 0; i++)
		if (is_on(&g->special[i], u->login) && is_target(g, g->special[i].id))
			rc = add_sheet(g, &who, g->special[i].id, a, &accounts, err);
	g->out->people += accounts > 0;
	mm_arena_free(a);
	return rc;
}

static int find_special(struct gathering *g, struct mm_err *err)
{
	const struct mm_scopes *hosts = &g->p.policy->hosts;
	for (size_t i = 0; i < hosts->n; i++) {
		struct mm_store_host h;
		int rc = mm_store_host_get(g->store, hosts->items[i].name.text, g->out->a, &h, err);
		if (rc < 0)
			return -1;
		if (rc == 0)
			*(struct mm_store_host *)mm_arena_push(
			    g->out->a, &g->special, &g->n_special, &g->cap_special, sizeof(h)) = h;
	}
	return 0;
}

int mm_endpoints_gather(struct mm_store *s, const struct mm_selection *sel, struct mm_arena *a,
    struct mm_policy_endpoints *out, struct mm_err *err)
{
	struct gathering g = {.store = s, .out = out};
	struct mm_target *targets;
	*out = (struct mm_policy_endpoints){.a = a};
	int rc = mm_policy_stored(s, 0, a, &g.p, err);
	if (rc != 0)
		return rc < 0 ? -1
			      : mm_err_set(err, MM_EX_FAILED,
				    "there is no policy yet; run: mailmuster policy import FILE");
	out->revision = g.p.revision.number;
	if (sel->users.n + sel->groups.n > 0) {
		if (mm_select_users(s, sel, a, &g.users, &g.n_users, err) != 0)
			return -1;
		if (g.n_users == 0) /* groups without members */
			return 0;
	}
	if (sel->hosts.n + sel->tags.n > 0) {
		if (mm_select(s, sel, a, &targets, &g.n_targets, err) != 0)
			return -1;
		g.targets = targets;
	}
	if (find_special(&g, err) != 0)
		return -1;
	return mm_store_user_each(s, NULL, take_user, &g, err);
}

/* ---- what is offered */

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);
	for (const char *p = words; *p != '\0'; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");
		if (len == n && strncasecmp(p, word, n) == 0)
			return true;
		p += len;
	}
	return false;
}

enum mm_tri mm_endpoint_offers(const struct mm_login *seen, const char *auth)
{
	static const struct {
		const char *auth, *mechanism;
	} names[] = {{"plain", "PLAIN"}, {"login", "LOGIN"}, {"cram-md5", "CRAM-MD5"},
	    {"scram-sha-256", "SCRAM-SHA-256"}, {"gssapi", "GSSAPI"}, {"xoauth2", "XOAUTH2"},
	    {"oauthbearer", "OAUTHBEARER"}, {"external", "EXTERNAL"}};
	const char *m = seen->ladder.endpoint.mechanisms, *caps = seen->ladder.endpoint.capabilities;
	if (mm_streq(auth, "none"))
		return MM_YES;
	if (m == NULL)
		return MM_UNKNOWN;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (mm_streq(names[i].auth, auth))
			return has_word(m, names[i].mechanism) ? MM_YES : MM_NO;
	/* "password": whatever carries it; IMAP and POP3 know a way without SASL. */
	if (has_word(m, "PLAIN") || has_word(m, "LOGIN"))
		return MM_YES;
	if (mm_streq(seen->protocol, "smtp") || caps == NULL)
		return mm_streq(seen->protocol, "smtp") ? MM_NO : MM_UNKNOWN;
	if (mm_streq(seen->protocol, "imap"))
		return has_word(caps, "LOGINDISABLED") ? MM_NO : MM_YES;
	return has_word(caps, "USER") ? MM_YES : MM_NO;
}

/* ---- asking */

/* Beside us, or where packages put it. */
static const char *find_program(struct mm_arena *a, struct mm_err *err)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n > 0) {
		self[n] = '\0';
		char *slash = strrchr(self, '/');
		const char *beside =
		    mm_arena_printf(a, "%.*s/" PROGRAM, slash != NULL ? (int)(slash - self) : 0, self);
		if (access(beside, X_OK) == 0)
			return beside;
	}
	if (access("/usr/bin/" PROGRAM, X_OK) == 0)
		return "/usr/bin/" PROGRAM;
	mm_err_set(
	    err, MM_EX_FAILED, PROGRAM " is not installed here; it comes with the package mailmuster-agent");
	return NULL;
}

static void encode(const struct mm_policy_endpoints *e, const char *ca_file, struct mm_buf *out)
{
	for (size_t i = 0; i < e->n; i++) {
		const struct mm_policy_endpoint *p = &e->items[i];
		struct mm_probe_task t = mm_probe_task_none;
		t.id = (int64_t)i;
		t.level = MM_LEVEL_TLS;
		t.protocol = p->protocol;
		t.host = p->host;
		t.port = p->port;
		t.security = p->security;
		t.auth = p->auths[0];
		t.tls_min = p->tls_min;
		t.ca_file = p->ca_file != NULL && ca_file != NULL ? ca_file : p->ca_file;
		t.pin = p->pin;
		t.survey = true;
		mm_probe_task_encode(&t, out);
		mm_buf_addc(out, '\n');
	}
}

static void judge(struct mm_policy_endpoint *p)
{
	const struct mm_login *l = &p->seen;
	bool reached =
	    l->result == MM_LOGIN_PASSED || mm_login_verdict(l->result, l->cls).exit_bit == MM_EX_OK;
	bool known = true;
	for (size_t i = 0; i < p->n_auths && reached; i++) {
		enum mm_tri offered = mm_endpoint_offers(l, p->auths[i]);
		if (offered == MM_NO && p->lacking == NULL)
			p->lacking = p->auths[i];
		known = known && offered != MM_UNKNOWN;
	}
	p->ok = reached && known && p->lacking == NULL;
}

static int take_line(struct mm_policy_endpoints *e, const char *line, size_t n, struct mm_err *err)
{
	struct mm_login l;
	int64_t id;
	if (mm_probe_answer_decode(line, n, e->a, &id, &l, err) != 0)
		return -1;
	if (id < 0 || (size_t)id >= e->n || e->items[id].answered || l.level != MM_LEVEL_TLS)
		return mm_err_set(err, MM_EX_FAILED, PROGRAM " answers what it was not asked");
	e->items[id].answered = true;
	e->items[id].seen = l;
	judge(&e->items[id]);
	return 0;
}

static int take_all(struct mm_policy_endpoints *e, const struct mm_buf *out, struct mm_err *err)
{
	const char *p = mm_buf_str(out), *end = p + out->len;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = nl != NULL ? (size_t)(nl - p) : (size_t)(end - p);
		if (n > 0 && take_line(e, p, n, err) != 0)
			return -1;
		p += n + (nl != NULL ? 1 : 0);
	}
	return 0;
}

int mm_endpoints_probe(struct mm_policy_endpoints *e, const char *ca_file, struct mm_err *err)
{
	const char *program = find_program(e->a, err);
	const char *const argv[] = {program, NULL};
	struct mm_buf tasks = MM_BUF_INIT((size_t)MM_PROBE_TASKS_MAX * 4096), out = MM_BUF_INIT(ANSWERS_MAX),
		      said = MM_BUF_INIT(4096);
	struct mm_run_result res;
	int rc = program != NULL ? 0 : -1;
	if (rc == 0 && e->n > MM_PROBE_TASKS_MAX)
		rc = mm_err_set(err, MM_EX_FAILED, "more than %d endpoints: choose people with --group",
		    MM_PROBE_TASKS_MAX);
	if (rc == 0 && e->n > 0) {
		encode(e, ca_file, &tasks);
		const struct mm_run r = {.argv = argv,
		    .stdin_data = mm_buf_str(&tasks),
		    .stdin_len = tasks.len,
		    .timeout_ms = PROBE_MS};
		rc = mm_run(&r, &out, &said, &res, err);
		if (rc == 0 && (res.how != MM_RUN_EXITED || res.status != 0))
			rc = mm_err_set(err, MM_EX_FAILED, PROGRAM " failed: %s", mm_buf_str(&said));
	}
	if (rc == 0)
		rc = take_all(e, &out, err);
	mm_buf_free(&tasks);
	mm_buf_free(&out);
	mm_buf_free(&said);
	return rc;
}
