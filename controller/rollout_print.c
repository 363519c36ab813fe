#include "controller/rollout_print.h"

#include <stdio.h>
#include <string.h>

#include "common/term.h"
#include "common/text.h"
#include "controller/rollout/assign.h"
#include "controller/rollout_back.h"

static const char *coloured(enum mm_colour c)
{
	return mm_colour_code(c, mm_term_colour(stdout));
}

static enum mm_colour colour_of(enum mm_ro_state s)
{
	static const enum mm_colour colours[MM_RO_COUNT] = {[MM_RO_RUNNING] = MM_BOLD,
	    [MM_RO_BAKING] = MM_BOLD,
	    [MM_RO_PAUSED] = MM_YELLOW,
	    [MM_RO_HALTED] = MM_RED,
	    [MM_RO_DONE] = MM_GREEN,
	    [MM_RO_ABORTED] = MM_YELLOW,
	    [MM_RO_SUPERSEDED] = MM_DIM};
	return colours[s];
}

static void say(const char *s)
{
	struct mm_buf safe = MM_BUF_INIT((size_t)4 * 65536);
	mm_printable(&safe, s, strlen(s));
	fputs(mm_buf_str(&safe), stdout);
	mm_buf_free(&safe);
}

static void line(const char *label, const char *text)
{
	printf("%-10s ", label);
	say(text);
	putchar('\n');
}

const char *mm_rollout_revisions(int64_t first, int64_t last, struct mm_arena *a)
{
	return first == last
		   ? mm_arena_printf(a, "revision %lld", (long long)last)
		   : mm_arena_printf(a, "revisions %lld to %lld", (long long)first, (long long)last);
}

/* ---- what comes next */

/* The sentence has the time itself. */
static const char *how_long(int64_t until, int64_t now, struct mm_arena *a)
{
	char in[MM_TIME_MAX];
	return until <= now ? "now" : mm_arena_printf(a, "in %s", mm_duration(until - now, in));
}

static const char *by_whom(const struct mm_rollout_state *st, struct mm_arena *a)
{
	if (mm_rollout_is_driven(&st->r, mm_store_now(st->store)))
		return mm_arena_printf(a, "driven by %s", st->r.owner);
	return mm_arena_printf(
	    a, "nobody drives it: mailmuster rollout resume %lld, or mailmuster serve", (long long)st->r.id);
}

static const char *next_of_stopped(const struct mm_rollout_state *st, struct mm_arena *a)
{
	long long id = (long long)st->r.id;
	if (st->r.state == MM_RO_HALTED)
		return mm_arena_printf(a,
		    "nothing, until an admin acts: mailmuster rollout rollback %lld, retry %lld --failed, "
		    "resume %lld (what failed is then forgiven), or abort %lld",
		    id, id, id, id);
	if (*st->r.because != '\0' && !mm_streq(st->r.because, mm_ro_because_name(MM_ROB_NONE)))
		return mm_arena_printf(a,
		    "mailmuster rollout approve %lld lets the next wave begin; resume %lld looks again; "
		    "rollback %lld or abort %lld",
		    id, id, id, id);
	return mm_arena_printf(a, "mailmuster rollout resume %lld", id);
}

static const char *next_of_ended(const struct mm_rollout_state *st, struct mm_arena *a)
{
	struct mm_ro_count n;
	mm_ro_count(st->hosts, st->n, -1, &n);
	int64_t late = n.by[MM_RH_LATE] + n.by[MM_RH_UNREACHABLE];
	if (st->r.state == MM_RO_DONE && late > 0)
		return mm_arena_printf(a,
		    "%lld host%s will get it when %s (check-in, serve, or "
		    "mailmuster rollout retry %lld --unreachable)",
		    (long long)late, late == 1 ? "" : "s", late == 1 ? "it appears" : "they appear",
		    (long long)st->r.id);
	return "nothing";
}

const char *mm_rollout_next_text(const struct mm_rollout_state *st, struct mm_arena *a)
{
	struct mm_ro_decision d;
	int64_t now = mm_store_now(st->store);
	if (st->r.state == MM_RO_PAUSED || st->r.state == MM_RO_HALTED)
		return next_of_stopped(st, a);
	if (st->r.state != MM_RO_RUNNING && st->r.state != MM_RO_BAKING)
		return next_of_ended(st, a);
	mm_rollout_state_ahead(st, &d);
	if (d.act == MM_ROA_WAIT && d.until > 0)
		return mm_arena_printf(a, "%s (%s); %s", d.text, how_long(d.until, now, a), by_whom(st, a));
	return mm_arena_printf(a, "%s; %s", d.text, by_whom(st, a));
}

/* ---- waves */

/* What hosts can be in, in this order; a column that nobody is in is left out. */
struct column {
	const char *head;
	enum mm_rh_state a, b; /* counted together */
	enum mm_colour colour;
};

static const struct column columns[] = {
    {"WAITING", MM_RH_WAITING, MM_RH_RELEASED, MM_DIM},
    {"SENT", MM_RH_SENT, MM_RH_SENT, MM_BOLD},
    {"OK", MM_RH_OK, MM_RH_OK, MM_GREEN},
    {"FAILED", MM_RH_FAILED, MM_RH_FAILED, MM_RED},
    {"LOGIN", MM_RH_LOGIN, MM_RH_LOGIN, MM_RED},
    {"REVERTED", MM_RH_REVERTED, MM_RH_REVERTED, MM_RED},
    {"UNREACHABLE", MM_RH_UNREACHABLE, MM_RH_LATE, MM_YELLOW},
    {"SUPERSEDED", MM_RH_SUPERSEDED, MM_RH_SUPERSEDED, MM_DIM},
};
#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static int64_t hosts_in(const struct mm_ro_count *n, const struct column *c)
{
	return n->by[c->a] + (c->b != c->a ? n->by[c->b] : 0);
}

static void cell(struct mm_table *t, int64_t n, enum mm_colour c)
{
	if (n > 0)
		mm_table_cell(t, c, "%lld", (long long)n);
	else
		mm_table_cell(t, MM_DIM, "-");
}

static void wave_row(struct mm_table *t, const struct mm_ro_count *all, const struct mm_ro_count *n,
    const char *name, bool present)
{
	mm_table_cell(t, present ? MM_BOLD : MM_PLAIN, "%s%s", name, present ? " *" : "");
	cell(t, n->hosts, MM_PLAIN);
	for (size_t i = 0; i < N_COLUMNS; i++)
		if (hosts_in(all, &columns[i]) > 0)
			cell(t, hosts_in(n, &columns[i]), columns[i].colour);
	if (n->users > 0)
		mm_table_cell(t, MM_PLAIN, "%lld of %lld tested (%lld user%s)", (long long)n->verified,
		    (long long)n->tested, (long long)n->users, n->users == 1 ? "" : "s");
	else
		mm_table_cell(t, MM_DIM, "-");
}

static void print_waves(const struct mm_rollout_state *st)
{
	const char *heads[N_COLUMNS + 4] = {"WAVE", "HOSTS"};
	size_t k = 2;
	struct mm_ro_count all, n;
	char name[32];
	bool open = st->r.state != MM_RO_DONE && st->r.state != MM_RO_SUPERSEDED;
	mm_ro_count(st->hosts, st->n, -1, &all);
	for (size_t i = 0; i < N_COLUMNS; i++)
		if (hosts_in(&all, &columns[i]) > 0)
			heads[k++] = columns[i].head;
	heads[k] = "VERIFIED";
	struct mm_table *t = mm_table_new(heads);
	for (int64_t w = 0; w < st->r.waves; w++) {
		mm_ro_count(st->hosts, st->n, w, &n);
		snprintf(name, sizeof(name), "%lld", (long long)w + 1);
		wave_row(t, &all, &n, name, open && w == st->r.wave);
	}
	if (st->r.waves > 1)
		wave_row(t, &all, &all, "all", false);
	mm_table_print(t, stdout);
	mm_table_free(t);
}

/* ---- budgets and gate */

static void allowed(struct mm_table *t, int64_t burnt, const struct mm_share *s, int64_t whole)
{
	int64_t n = mm_share_of(s, whole);
	if (s->kind == MM_SHARE_ANY)
		mm_table_cell(t, MM_PLAIN, "%lld of any", (long long)burnt);
	else
		mm_table_cell(
		    t, burnt > n ? MM_RED : MM_PLAIN, "%lld of %lld allowed", (long long)burnt, (long long)n);
}

static void print_budgets(const struct mm_rollout_state *st)
{
	char wave[32];
	snprintf(wave, sizeof(wave), "IN WAVE %lld", (long long)st->r.wave + 1);
	const char *const heads[] = {"BUDGET", wave, "IN ALL", NULL};
	struct mm_table *t = mm_table_new(heads);
	struct mm_ro_count here, all;
	mm_ro_count(st->hosts, st->n, st->r.wave, &here);
	mm_ro_count(st->hosts, st->n, -1, &all);
	for (int b = 0; b < MM_BUDGET_COUNT; b++) {
		mm_table_cell(t, MM_PLAIN, "%s", mm_budget_words((enum mm_budget)b));
		allowed(t, here.burnt[b], &st->terms.budgets[b].wave, here.hosts);
		allowed(t, all.burnt[b], &st->terms.budgets[b].total, all.hosts);
	}
	putchar('\n');
	mm_table_print(t, stdout);
	mm_table_free(t);
}

static const char *term(const struct mm_rollout_state *st, const char *name, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(4096);
	mm_ro_terms_get(&st->terms, name, &b);
	const char *out = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

static void print_gate(const struct mm_rollout_state *st, struct mm_arena *a)
{
	struct mm_ro_count n;
	mm_ro_count(st->hosts, st->n, st->r.wave, &n);
	printf("\nGate of wave %lld: ", (long long)st->r.wave + 1);
	if (n.tested > 0)
		printf("%lld of %lld tested users verified (%.1f %%; at least %s)", (long long)n.verified,
		    (long long)n.tested, 100.0 * (double)n.verified / (double)n.tested, term(st, "gate", a));
	else
		printf("no user tested");
	printf("; %lld of %lld users tested (at least %s); %lld of %lld hosts answered (at least %s)\n",
	    (long long)n.tested, (long long)n.users, term(st, "min_tested", a), (long long)n.answered,
	    (long long)n.hosts, term(st, "min_reported", a));
}

static void print_terms(const struct mm_rollout_state *st, struct mm_arena *a)
{
	printf("Terms:");
	for (const char *const *name = mm_ro_term_names; *name != NULL; name++) {
		const char *value = term(st, *name, a);
		if (*value != '\0' && !mm_streq(value, "no"))
			printf(" %s=%s", *name,
			    strchr(value, ' ') != NULL ? mm_arena_printf(a, "\"%s\"", value) : value);
	}
	putchar('\n');
}

/* ---- hosts */

struct listing {
	struct mm_table *t;
	bool all, several; /* revisions */
	size_t n, max;
};

static bool is_bad(const struct mm_rollout_host *h)
{
	return h->state == MM_RH_FAILED || h->state == MM_RH_LOGIN || h->state == MM_RH_REVERTED ||
	       h->state == MM_RH_UNREACHABLE || h->state == MM_RH_LATE;
}

static int list_host(const struct mm_rollout_host *h, void *arg, struct mm_err *err)
{
	struct listing *l = arg;
	bool off = h->state == MM_RH_UNREACHABLE || h->state == MM_RH_LATE;
	(void)err;
	if ((!l->all && !is_bad(h)) || l->n++ >= l->max)
		return 0;
	mm_table_cell(l->t, MM_PLAIN, "%s", h->host);
	mm_table_cell(l->t, MM_PLAIN, "%lld", (long long)h->wave + 1);
	mm_table_cell(l->t,
	    !is_bad(h) ? MM_PLAIN
	    : off      ? MM_YELLOW
		       : MM_RED,
	    "%s%s", mm_rh_state_name(h->state), h->forgiven ? " (forgiven)" : "");
	if (l->several)
		mm_table_cell(l->t, MM_PLAIN, "%lld", (long long)h->revision);
	mm_table_cell(l->t, MM_PLAIN, "%s", *h->text != '\0' ? h->text : h->outcome);
	return 0;
}

static int print_hosts(const struct mm_rollout_state *st, bool all, struct mm_err *err)
{
	static const char *const heads[] = {"HOST", "WAVE", "STATE", "WHAT", NULL};
	static const char *const several[] = {"HOST", "WAVE", "STATE", "REVISION", "WHAT", NULL};
	bool many = st->r.first != st->r.revision;
	struct listing l = {.t = mm_table_new(many ? several : heads),
	    .all = all,
	    .several = many,
	    .max = all ? SIZE_MAX : MM_ROLLOUT_HOSTS_SHOWN};
	int rc = mm_store_rollout_hosts(st->store, st->r.id, 0, list_host, &l, err);
	if (rc == 0 && l.n > 0) {
		putchar('\n');
		mm_table_print(l.t, stdout);
		if (l.n > l.max)
			printf("... and %zu more: mailmuster rollout show %lld --hosts\n", l.n - l.max,
			    (long long)st->r.id);
	}
	mm_table_free(l.t);
	return rc;
}

/* ---- the whole */

static void print_head(const struct mm_rollout_state *st, struct mm_arena *a)
{
	const struct mm_rollout *r = &st->r;
	char at[MM_TIME_MAX], took[MM_TIME_MAX];
	enum mm_ro_state state;
	int64_t by;
	printf("%sRollout %lld: %s to %lld host%s", coloured(MM_BOLD), (long long)r->id,
	    mm_rollout_revisions(r->first, r->revision, a), (long long)r->hosts, r->hosts == 1 ? "" : "s");
	if (r->kind == MM_ROLLOUT_ROLLBACK)
		printf(", taking back rollout %lld", (long long)r->of);
	printf("%s (", coloured(MM_PLAIN));
	say(r->selection);
	puts(")");
	line("Begun", mm_arena_printf(a, "%s by %s%s%s", mm_time_utc(r->created, at), r->who,
			  *r->reason != '\0' ? ": " : "", r->reason));
	printf("%-10s %s%s%s", "State", coloured(colour_of(r->state)), mm_ro_state_name(r->state),
	    coloured(MM_PLAIN));
	printf(" since %s", mm_duration(mm_store_now(st->store) - r->changed, took));
	if (*r->why != '\0') {
		fputs(": ", stdout);
		say(r->why);
	}
	putchar('\n');
	line("Next", mm_rollout_next_text(st, a));
	if (mm_rollout_taken_back(st->store, r->id, &by, &state, NULL) == 0)
		line("Taken back", mm_arena_printf(a, "by rollout %lld, which is %s", (long long)by,
				       mm_ro_state_name(state)));
	putchar('\n');
}

int mm_rollout_print(const struct mm_rollout_state *st, bool all, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	print_head(st, a);
	print_waves(st);
	print_budgets(st);
	print_gate(st, a);
	print_terms(st, a);
	mm_arena_free(a);
	return print_hosts(st, all, err);
}

void mm_rollout_print_made(const struct mm_rollout_made *m, int64_t first, int64_t revision)
{
	struct mm_buf b = MM_BUF_INIT(65536);
	struct mm_arena *a = mm_arena_new();
	mm_buf_addf(&b, "rollout %lld: %s to %lld host%s in %zu wave%s\n", (long long)m->id,
	    mm_rollout_revisions(first, revision, a), (long long)m->plan.hosts, m->plan.hosts == 1 ? "" : "s",
	    m->plan.n_waves, m->plan.n_waves == 1 ? "" : "s");
	mm_arena_free(a);
	mm_ro_worst_print(&m->terms, &m->plan, &m->worst, &b);
	fputs(mm_buf_str(&b), stderr);
	mm_buf_free(&b);
}
