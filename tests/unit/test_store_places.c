/*
 * The counts of the fleet come from summaries; here they are compared with a
 * count of the rows themselves, after everything that can change either: a
 * random history of reports (covering or not, direct or spooled, attested or
 * claimed), users and hosts that go, waivers, and time.
 */
#include "store_fixture.h"

#include "common/text.h"

#define HOSTS 5
#define USERS 4
#define DAY INT64_C(86400)

static uint64_t seed;

static unsigned draw(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % n);
}

static const char *const users[USERS] = {"alice", "bob", "carol", "dave"};
static const char *const hosts[HOSTS] = {"ws1", "ws2", "ws3", "ws4", "ws5"};
static const char *const settings[] = {
    "incoming.host", "incoming.port", "outgoing.host", "outgoing.port", "client.password", "file.mode"};
static const char *const clients[] = {"mutt", "thunderbird"};

/* ---- the count of the rows */

struct tally {
	char host[8], user[16]; /* the place at hand */
	struct mm_place p;
	struct mm_place all[HOSTS * USERS];
	char names[HOSTS * USERS][32];
	size_t n;
};

static int weight(enum mm_audit a)
{
	return a == MM_AUDIT_FAIL      ? 4
	       : a == MM_AUDIT_UNKNOWN ? 3
	       : a == MM_AUDIT_WAIVED  ? 2
				       : a == MM_AUDIT_PASS;
}

static struct mm_place *place(struct tally *t, const char *host, const char *user)
{
	char name[32];

	snprintf(name, sizeof(name), "%s %s", host, user);
	for (size_t i = 0; i < t->n; i++)
		if (mm_streq(t->names[i], name))
			return &t->all[i];
	assert_true(t->n < HOSTS * USERS);
	snprintf(t->names[t->n], sizeof(t->names[0]), "%s", name);
	t->all[t->n].worst = MM_AUDIT_NOT_APPLICABLE;
	return &t->all[t->n++];
}

static void add(struct mm_place *p, enum mm_audit audit, int64_t seen, bool stale, enum mm_evidence ev)
{
	if (weight(audit) > weight(p->worst))
		p->worst = audit;
	if (p->seen == 0 || seen < p->seen)
		p->seen = seen;
	p->stale |= stale;
	p->claimed |= ev == MM_EV_CLAIMED;
}

static int add_finding_row(const struct mm_finding_row *r, void *arg, struct mm_err *err)
{
	struct mm_place *p = place(arg, r->host, r->f.user);

	(void)err;
	p->settings++;
	p->settings_by[r->audit]++;
	if (r->stale)
		p->settings_stale++;
	else
		p->settings_state[r->f.state]++;
	add(p, r->audit, r->seen, r->stale, r->evidence);
	return 0;
}

static int add_login_row(const struct mm_login_row *r, void *arg, struct mm_err *err)
{
	struct mm_place *p = place(arg, r->host, r->l.user);

	(void)err;
	p->logins++;
	p->logins_by[r->audit]++;
	if (r->stale)
		p->logins_stale++;
	else
		p->logins_result[r->l.result]++;
	add(p, r->audit, r->seen, r->stale, r->evidence);
	return 0;
}

/* ---- against the summaries */

struct check {
	struct tally *t;
	struct mm_fleet sum;
	size_t n;
};

static void same(const struct mm_place *a, const struct mm_place *b)
{
	assert_int_equal(a->worst, b->worst);
	assert_int_equal(a->settings, b->settings);
	assert_int_equal(a->settings_stale, b->settings_stale);
	assert_memory_equal(a->settings_by, b->settings_by, sizeof(a->settings_by));
	assert_memory_equal(a->settings_state, b->settings_state, sizeof(a->settings_state));
	assert_int_equal(a->logins, b->logins);
	assert_int_equal(a->logins_stale, b->logins_stale);
	assert_memory_equal(a->logins_by, b->logins_by, sizeof(a->logins_by));
	assert_memory_equal(a->logins_result, b->logins_result, sizeof(a->logins_result));
	assert_int_equal(a->seen, b->seen);
	assert_int_equal(a->stale, b->stale);
	assert_int_equal(a->claimed, b->claimed);
}

static int check_place(const struct mm_place *p, void *arg, struct mm_err *err)
{
	struct check *c = arg;
	char name[32];

	(void)err;
	snprintf(name, sizeof(name), "%s %s", p->host, p->user);
	for (size_t i = 0; i < c->t->n; i++)
		if (mm_streq(c->t->names[i], name))
			same(&c->t->all[i], p);
	c->n++;
	c->sum.places_by[p->worst]++;
	c->sum.settings += p->settings;
	c->sum.logins += p->logins;
	/* What is shown as the reason is a row with that verdict. */
	if (p->worst == MM_AUDIT_FAIL || p->worst == MM_AUDIT_WAIVED)
		assert_true((p->finding && p->finding->audit == p->worst) ||
			    (p->login && p->login->audit == p->worst));
	return 0;
}

struct host_sums {
	int64_t settings[MM_AUDIT_COUNT], logins[MM_AUDIT_COUNT], stale;
};

static int add_host_row(const struct mm_host_row *r, void *arg, struct mm_err *err)
{
	struct host_sums *h = arg;

	(void)err;
	for (int i = 0; i < MM_AUDIT_COUNT; i++) {
		h->settings[i] += r->settings[i];
		h->logins[i] += r->logins_by[i];
	}
	h->stale += r->logins_stale;
	return 0;
}

static void compare(struct fixture *f, const struct mm_evidence_filter *filter)
{
	struct tally t = {.n = 0};
	struct check c = {.t = &t};
	struct host_sums h = {0};
	struct mm_fleet fleet;
	struct mm_place total = {.settings = 0};

	ok(f, mm_store_findings(f->s, filter, add_finding_row, &t, &f->err));
	ok(f, mm_store_logins(f->s, filter, add_login_row, &t, &f->err));
	ok(f, mm_store_places(f->s, filter, check_place, &c, &f->err));
	assert_int_equal(c.n, t.n);
	ok(f, mm_store_fleet(f->s, filter, &fleet, &f->err));
	for (size_t i = 0; i < t.n; i++) {
		total.settings_stale += t.all[i].settings_stale;
		total.logins_stale += t.all[i].logins_stale;
		for (int k = 0; k < MM_AUDIT_COUNT; k++) {
			total.settings_by[k] += t.all[i].settings_by[k];
			total.logins_by[k] += t.all[i].logins_by[k];
		}
	}
	assert_int_equal(fleet.settings, c.sum.settings);
	assert_int_equal(fleet.logins, c.sum.logins);
	assert_int_equal(fleet.settings_stale, total.settings_stale);
	assert_int_equal(fleet.logins_stale, total.logins_stale);
	assert_memory_equal(fleet.settings_by, total.settings_by, sizeof(total.settings_by));
	assert_int_equal(fleet.places_by[MM_AUDIT_FAIL], c.sum.places_by[MM_AUDIT_FAIL]);
	assert_int_equal(fleet.places_by[MM_AUDIT_PASS], c.sum.places_by[MM_AUDIT_PASS]);
	assert_int_equal(fleet.places_by[MM_AUDIT_WAIVED], c.sum.places_by[MM_AUDIT_WAIVED]);
	assert_int_equal(
	    fleet.places_by[MM_AUDIT_UNKNOWN] - fleet.places_unheard, c.sum.places_by[MM_AUDIT_UNKNOWN]);
	ok(f, mm_store_host_rows(f->s, filter, add_host_row, &h, &f->err));
	assert_memory_equal(h.settings, total.settings_by, sizeof(h.settings));
	assert_memory_equal(h.logins, total.logins_by, sizeof(h.logins));
	assert_int_equal(h.stale, total.logins_stale);
}

/* ---- what happens */

static void random_finding(struct made *m, const char *user)
{
	struct mm_finding *v = add_finding(m, user, settings[draw(6)],
	    draw(3) ? MM_ST_COMPLIANT : (enum mm_state)draw(MM_ST_COUNT), draw(2) ? "right" : "wrong");

	v->client = clients[draw(2)];
	v->action = v->state == MM_ST_COMPLIANT ? MM_ACT_NONE : (enum mm_action)draw(MM_ACT_COUNT);
	v->line = (int)draw(3);
}

static void random_login(struct made *m, const char *user)
{
	enum mm_result result = (enum mm_result)draw(MM_LOGIN_COUNT);
	struct mm_login *l = add_login(
	    m, user, result, result == MM_LOGIN_FAILED ? draw(2) ? "AUTH_REJECTED" : "TLS_FAILED" : "");

	l->side = draw(2) ? "incoming" : "outgoing";
	l->port = draw(5) ? 993 : 143;
	if (result != MM_LOGIN_PASSED)
		l->any = false;
}

static void random_report(struct fixture *f, int64_t now, int step)
{
	struct made m;
	char id[16];
	const char *user = users[draw(USERS)];
	unsigned covered = draw(3);

	snprintf(id, sizeof(id), "r%d", step);
	make_report(&m, id, user);
	m.head.host = hosts[draw(HOSTS)];
	m.head.evidence = draw(3) ? MM_EV_ATTESTED : MM_EV_CLAIMED;
	m.head.user = draw(2) ? user : NULL;
	m.in.direct = draw(3) > 0;
	m.head.collected = now - (int64_t)draw(12) * DAY;
	if (covered == 0)
		m.users[0] = NULL;
	for (unsigned i = draw(8); i > 0; i--)
		random_finding(&m, draw(5) ? user : users[draw(USERS)]);
	for (unsigned i = draw(3); i > 0; i--)
		random_login(&m, draw(5) ? user : users[draw(USERS)]);
	store_report(f, &m);
}

static void random_waiver(struct fixture *f, int64_t now)
{
	struct mm_waiver w = {.host = draw(3) ? "" : hosts[draw(HOSTS)],
	    .user = draw(3) ? "" : users[draw(USERS)],
	    .group = draw(4) ? "" : "staff",
	    .client = draw(4) ? "" : clients[draw(2)],
	    .account = draw(3) ? "" : "work",
	    .check = draw(2)   ? ""
		     : draw(2) ? MM_CHECK_LOGIN
			       : settings[draw(4)],
	    .reason = "why",
	    .owner = "bob",
	    .until = now + (int64_t)(1 + draw(10)) * DAY};
	int64_t id;

	if (draw(4) == 0)
		(void)mm_store_waiver_remove(f->s, (int64_t)draw(4), &f->err);
	ok(f, mm_store_waiver_add(f->s, &w, &id, &f->err));
}

static void random_removal(struct fixture *f)
{
	if (draw(2)) {
		const char *host = hosts[draw(HOSTS)];

		assert_int_equal(mm_store_host_remove(f->s, host, &f->err), 0);
		add_host(f, host, draw(2) ? NULL : users[draw(USERS)]);
	} else {
		const char *user = users[draw(USERS)];

		assert_int_equal(mm_store_user_remove(f->s, user, &f->err), 0);
		add_user(f, user, "x@acme.example", draw(2) ? "staff" : NULL);
	}
}

static void a_history(struct fixture *f, int steps)
{
	int64_t now = T0;

	for (int i = 0; i < USERS; i++)
		add_user(f, users[i], "x@acme.example", i % 2 ? "staff" : NULL);
	for (int i = 0; i < HOSTS; i++)
		add_host(f, hosts[i], i % 2 ? NULL : users[i % USERS]);
	for (int step = 0; step < steps; step++) {
		now += draw(4) ? 3600 : (int64_t)draw(9) * DAY;
		mm_store_set_now(f->s, now);
		if (draw(10) == 0)
			random_waiver(f, now);
		else if (draw(25) == 0)
			random_removal(f);
		else
			random_report(f, now, step);
		compare(f,
		    &(struct mm_evidence_filter){.stale_after = draw(2) ? 0 : (int64_t)(1 + draw(20)) * DAY});
		if (step % 4 == 0) {
			compare(f, &(struct mm_evidence_filter){.client = clients[draw(2)]});
			compare(
			    f, &(struct mm_evidence_filter){.group = "staff", .user = users[draw(USERS)]});
			compare(f, &(struct mm_evidence_filter){.at = now - (int64_t)draw(20) * DAY});
		}
	}
}

static void test_summary_is_the_recount(void **state)
{
	struct fixture *f = *state;

	for (uint64_t i = 1; i <= 4; i++) {
		seed = i * UINT64_C(0x9e3779b97f4a7c15);
		a_history(f, 80);
		store_teardown(state);
		store_setup(state);
		f = *state;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_summary_is_the_recount, store_setup, store_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
