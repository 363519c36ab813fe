#include "controller/push_print.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/term.h"
#include "common/text.h"
#include "controller/preflight.h"

#define TROUBLES_SHOWN 20
#define PLACES_SHOWN 4
#define WHO_SHOWN 3
#define NAMES_SHOWN 5
#define REASON_COLUMN 7
#define HOSTS_SHOWN 20 /* of one class of failure */

static const char *coloured(enum mm_colour c)
{
	return mm_colour_code(c, mm_term_colour(stdout));
}

/* Texts of hosts go through mm_printable(). */
static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	struct mm_buf raw = MM_BUF_INIT(65536), safe = MM_BUF_INIT((size_t)4 * 65536);
	va_list ap;
	va_start(ap, fmt);
	mm_buf_vaddf(&raw, fmt, ap);
	va_end(ap);
	mm_printable(&safe, mm_buf_str(&raw), raw.len);
	fputs(mm_buf_str(&safe), stdout);
	mm_buf_free(&raw);
	mm_buf_free(&safe);
}

static size_t with_bit(const struct mm_push_summary *s, int bit)
{
	size_t n = 0;
	for (int c = 0; c < MM_PC_COUNT; c++)
		if (mm_push_class_def((enum mm_push_class)c)->exit_bit == bit)
			n += s->by_class[c];
	return n;
}

/* ---- hosts that failed, by class */

static void print_class(const struct mm_push_summary *s, enum mm_push_class c)
{
	const struct mm_push_class_def *d = mm_push_class_def(c);
	size_t shown = 0;
	/* Of hosts that a rollout has not come to its own lines tell. */
	if (s->by_class[c] == 0 || c == MM_PC_OK || (s->rolled && c == MM_PC_INTERRUPTED))
		return;
	printf("%s%s (%zu)%s\n", coloured(d->exit_bit == MM_EX_HOSTS_FAILED ? MM_RED : MM_YELLOW), d->label,
	    s->by_class[c], coloured(MM_PLAIN));
	for (size_t i = 0; i < s->n; i++) {
		const struct mm_host_result *r = &s->hosts[i];
		if (r->outcome.cls != c || shown++ >= HOSTS_SHOWN)
			continue;
		say("  %-16s %s", r->target->host.id, r->outcome.text);
		putchar('\n');
	}
	if (shown > HOSTS_SHOWN)
		printf("  ... and %zu more\n", shown - HOSTS_SHOWN);
}

/* The same of one account's settings, but for which setting it is? */
static bool same_trouble(const struct mm_trouble *a, const struct mm_trouble *b)
{
	size_t word = strcspn(a->what, " ");
	return !a->login && !b->login && mm_streq(a->host, b->host) && mm_streq(a->user, b->user) &&
	       mm_streq(a->client, b->client) && mm_streq(a->account, b->account) &&
	       mm_streq(a->text, b->text) && strncmp(a->what, b->what, word + 1) == 0;
}

static void print_trouble(const struct mm_trouble *t, size_t n)
{
	bool both = *t->client != '\0' && *t->account != '\0';
	say("  %s@%s  %s%s%s ", t->user, t->host, t->client, both ? " " : "", t->account);
	if (n > 1)
		say("%.*s, %zu settings: %s", (int)strcspn(t->what, " "), t->what, n, t->text);
	else
		say("%s: %s", t->what, t->text);
	putchar('\n');
}

/* Of what was only asked drift knows nothing. */
static bool is_stored(enum mm_op op)
{
	return op != MM_OP_PLAN && op != MM_OP_PREFLIGHT && op != MM_OP_DISCOVER;
}

static void print_troubles(const struct mm_push_summary *s)
{
	size_t told = 0;
	if (s->n_troubles == 0)
		return;
	printf("%sNot in order (%zu)%s\n", coloured(MM_YELLOW), s->n_troubles + s->more_troubles,
	    coloured(MM_PLAIN));
	for (size_t lines = 0; told < s->n_troubles && lines < TROUBLES_SHOWN; lines++) {
		const struct mm_trouble *t = &s->troubles[told];
		size_t n = 1;
		while (told + n < s->n_troubles && same_trouble(t, &t[n]))
			n++;
		print_trouble(t, n);
		told += n;
	}
	if (s->n_troubles + s->more_troubles > told)
		printf("  ... and %zu more: %s\n", s->n_troubles + s->more_troubles - told,
		    is_stored(s->op) ? "mailmuster drift" : "--json");
}

static bool unproven(const struct mm_cause *g)
{
	return g->result != MM_LOGIN_FAILED && mm_login_verdict(g->result, g->cls).exit_bit != MM_EX_OK;
}

/* Each refused login stands above; of what was not proven the causes. */
static void print_unproven(const struct mm_push_summary *s)
{
	size_t n, total = 0, shown = 0;
	const struct mm_cause *const *list = mm_causes_sorted(s->causes, &n);
	for (size_t i = 0; i < n; i++)
		if (unproven(list[i]))
			total += list[i]->logins;
	if (total == 0)
		return;
	printf("%sLogins that are not proven (%zu)%s\n", coloured(MM_YELLOW), total, coloured(MM_PLAIN));
	for (size_t i = 0; i < n && shown < TROUBLES_SHOWN; i++) {
		const struct mm_cause *g = list[i];
		if (!unproven(g))
			continue;
		shown++;
		say("  %zu x  %s %s:%d  %s: %s", g->logins, g->protocol, g->server, g->port, g->cls,
		    *g->admin != '\0' ? g->admin : g->text);
		say("  (%s@%s%s)", g->first->user, g->first->host, g->n_places > 1 ? " ..." : "");
		putchar('\n');
	}
}

/* ---- login checks by cause */

static void who_cell(struct mm_table *t, const struct mm_cause *g)
{
	struct mm_buf b = MM_BUF_INIT(4096);
	size_t n = 0;
	for (const struct mm_cause_place *p = g->first; p != NULL && n < WHO_SHOWN; p = p->next, n++)
		mm_buf_addf(&b, "%s%s@%s", n > 0 ? ", " : "", p->user, p->host);
	if (g->n_places > n)
		mm_buf_addf(&b, " and %zu more", g->n_places - n);
	mm_table_cell(t, MM_PLAIN, "%s", mm_buf_str(&b));
	mm_buf_free(&b);
}

static void print_reason(const char *label, const char *text)
{
	struct mm_buf safe = MM_BUF_INIT((size_t)4 * 65536), out = MM_BUF_INIT((size_t)4 * 65536);
	if (*text == '\0')
		return;
	mm_printable(&safe, text, strlen(text));
	mm_wrap(&out, mm_buf_str(&safe), REASON_COLUMN,
	    isatty(STDOUT_FILENO) == 1 ? (size_t)mm_term_width(stdout) : 0);
	printf("  %-*s%s\n", REASON_COLUMN - 2, label, mm_buf_str(&out));
	mm_buf_free(&safe);
	mm_buf_free(&out);
}

/* Sentences are too long for a table: cause and fix of what was not proven. */
static void print_reasons(const struct mm_cause *const *list, size_t n)
{
	size_t shown = 0;
	for (size_t i = 0; i < n && shown < TROUBLES_SHOWN; i++) {
		const struct mm_cause *g = list[i];
		/* The hosts that have not answered follow with their reasons. */
		if (mm_login_verdict(g->result, g->cls).exit_bit == MM_EX_OK ||
		    mm_streq(g->cls, MM_CLS_NOT_ANSWERED))
			continue;
		shown++;
		printf("\n%s", coloured(MM_BOLD));
		if (*g->server != '\0')
			say("%s, %s:%d", g->cls, g->server, g->port);
		else
			say("%s", g->cls);
		printf("%s\n", coloured(MM_PLAIN));
		print_reason("why", *g->admin != '\0' ? g->admin : g->text);
		print_reason("fix", g->fix);
	}
	if (n > 0)
		putchar('\n');
}

static void print_causes(const struct mm_push_summary *s)
{
	static const char *const heads[] = {
	    "RESULT", "CLASS", "SERVER", "LOGINS", "PEOPLE", "HOSTS", "WHO", NULL};
	static const enum mm_colour colours[] = {[MM_AUDIT_PASS] = MM_GREEN,
	    [MM_AUDIT_FAIL] = MM_RED,
	    [MM_AUDIT_UNKNOWN] = MM_YELLOW,
	    [MM_AUDIT_NOT_APPLICABLE] = MM_DIM};
	struct mm_table *t = mm_table_new(heads);
	size_t n;
	const struct mm_cause *const *list = mm_causes_sorted(s->causes, &n);
	for (size_t i = 0; i < n; i++) {
		const struct mm_cause *g = list[i];
		mm_table_cell(
		    t, colours[mm_login_verdict(g->result, g->cls).audit], "%s", mm_result_name(g->result));
		mm_table_cell(t, MM_PLAIN, "%s", *g->cls != '\0' ? g->cls : "-");
		if (*g->server != '\0')
			mm_table_cell(t, MM_PLAIN, "%s %s:%d", g->protocol, g->server, g->port);
		else
			mm_table_cell(t, MM_DIM, "-");
		mm_table_cell(t, MM_PLAIN, "%zu", g->logins);
		mm_table_cell(t, MM_PLAIN, "%zu", g->users);
		mm_table_cell(t, MM_PLAIN, "%zu", g->hosts);
		who_cell(t, g);
	}
	if (n > 0)
		mm_table_print(t, stdout);
	else if (s->by_class[MM_PC_OK] > 0)
		puts("There was nothing to log in to.");
	mm_table_free(t);
	print_reasons(list, n);
}

/* ---- preflight */

static void print_people(const struct mm_push_summary *s)
{
	const struct mm_preflight_people p = mm_preflight_count(s);
	if (p.all == 0) {
		printf(
		    "Nobody who was asked about has an account in revision %lld.\n", (long long)s->revision);
	} else {
		printf("%sThe settings of revision %lld work for %zu of %zu %s.%s", coloured(MM_BOLD),
		    (long long)s->revision, p.works, p.all, p.all == 1 ? "person" : "people",
		    coloured(MM_PLAIN));
		if (p.fails > 0)
			printf(" %sFor %zu they do not.%s", coloured(MM_RED), p.fails, coloured(MM_PLAIN));
		if (p.unknown > 0)
			printf(" %sOf %zu it is not known.%s", coloured(MM_YELLOW), p.unknown,
			    coloured(MM_PLAIN));
		putchar('\n');
	}
	if (p.open_hosts > 0)
		printf("Whoever logs in at %zu host%s without an answer is not counted.\n", p.open_hosts,
		    p.open_hosts == 1 ? "" : "s");
	putchar('\n');
}

/* ---- plans */

static void print_value(const char *v, bool differs)
{
	if (differs)
		fputs("(each its own)", stdout);
	else
		say("%s", v != NULL ? v : "(none)");
}

static void print_places(const struct mm_change *g)
{
	size_t n = 0;
	fputs("      ", stdout);
	for (const struct mm_change_place *p = g->first; p != NULL && n < PLACES_SHOWN; p = p->next, n++)
		say("%s%s@%s", n > 0 ? ", " : "", p->user, p->host);
	if (g->count > n)
		printf(" and %zu more", g->count - n);
	if (g->count == 1 && g->first != NULL) {
		say("  %s", g->first->path);
		if (g->first->line > 0)
			printf(":%d", g->first->line);
	}
	putchar('\n');
}

static void print_change(const struct mm_change *g)
{
	if (mm_change_removes(g)) {
		say("  %zu x  %s: the account %s is taken away", g->count, g->client, g->account);
		say(" (%s)", g->reason);
	} else {
		say("  %zu x  %s %s %s: ", g->count, g->client, g->account, g->setting);
		print_value(g->found, g->found_differs);
		printf(" %s->%s ", coloured(MM_BOLD), coloured(MM_PLAIN));
		print_value(g->desired, g->desired_differs);
	}
	putchar('\n');
}

static void print_count(size_t n, const char *what)
{
	printf("%zu %s%s", n, what, n == 1 ? "" : "s");
}

static void print_names(const char *before, const char *const *names, size_t max)
{
	size_t n = 0;
	for (; names[n] != NULL; n++)
		if (n < max)
			say("%s%s", n == 0 ? before : ", ", names[n]);
	if (n > max)
		printf(" and %zu more", n - max);
}

/* How far it goes, before what it is. */
static void print_reach(const struct mm_push_summary *s, size_t different)
{
	static const char *const costs[MM_COST_COUNT] = {
	    "will be asked for a password", "will fetch the mail anew"};
	struct mm_changes_sum sum = mm_changes_sum(s->changes);
	fputs(coloured(MM_BOLD), stdout);
	print_count(sum.changes, "change");
	printf(", %zu different, for ", different);
	print_count(sum.users, "user");
	fputs(" on ", stdout);
	print_count(sum.hosts, "host");
	print_names(": ", sum.clients, SIZE_MAX);
	if (sum.n_servers > 0) {
		fputs("; ", stdout);
		print_count(sum.n_servers, "mail server");
		print_names(": ", sum.servers, NAMES_SHOWN);
	}
	printf("%s\n", coloured(MM_PLAIN));
	if (sum.removals > 0) {
		printf("%s", coloured(MM_RED));
		print_count(sum.removals, "account");
		printf(" would be taken away%s\n", coloured(MM_PLAIN));
	}
	for (int i = 0; i < MM_COST_COUNT; i++) {
		if (sum.n_paying[i] == 0)
			continue;
		printf("%s", coloured(MM_YELLOW));
		print_count(sum.n_paying[i], "user");
		printf(" %s", costs[i]);
		print_names(": ", sum.paying[i], NAMES_SHOWN);
		printf("%s\n", coloured(MM_PLAIN));
	}
}

static void print_changes(const struct mm_push_summary *s)
{
	size_t n;
	const struct mm_change *const *list = mm_changes_sorted(s->changes, &n);
	if (n == 0) {
		/* Silence is not agreement. */
		if (s->by_class[MM_PC_OK] == s->n)
			puts("Nothing would change.");
		else if (s->by_class[MM_PC_OK] > 0)
			puts("Nothing would change on the hosts that answered.");
		return;
	}
	print_reach(s, n);
	for (size_t i = 0; i < n; i++) {
		print_change(list[i]);
		print_places(list[i]);
	}
}

/* ---- the summary */

static void add_count(struct mm_buf *b, int64_t n, const char *word)
{
	if (n > 0)
		mm_buf_addf(b, "%s%lld %s", b->len > 0 ? ", " : "", (long long)n, word);
}

static void print_sums(const struct mm_push_summary *s)
{
	struct {
		int64_t actions[MM_ACT_COUNT], logins[MM_LOGIN_COUNT], spooled;
	} sum = {0};
	struct mm_buf b = MM_BUF_INIT(1024);
	for (size_t i = 0; i < s->n; i++) {
		const struct mm_host_result *r = &s->hosts[i];
		for (int k = 0; k < MM_ACT_COUNT; k++)
			sum.actions[k] += r->actions[k];
		for (int k = 0; k < MM_LOGIN_COUNT; k++)
			sum.logins[k] += r->logins[k];
		sum.spooled += r->spooled;
	}
	for (int k = MM_ACT_NONE + 1; k < MM_ACT_COUNT; k++)
		add_count(&b, sum.actions[k], mm_action_name((enum mm_action)k));
	add_count(&b, sum.actions[MM_ACT_NONE], "left as they are");
	if (s->op == MM_OP_RESTORE && sum.actions[MM_ACT_REVERTED] == 0 && s->by_class[MM_PC_OK] > 0)
		puts("Nothing was taken back.");
	if (b.len > 0)
		printf("Settings: %s\n", mm_buf_str(&b));
	mm_buf_reset(&b);
	for (int k = 0; k < MM_LOGIN_COUNT; k++)
		add_count(&b, sum.logins[k], mm_result_name((enum mm_result)k));
	if (b.len > 0)
		printf("Logins: %s\n", mm_buf_str(&b));
	if (sum.spooled > 0)
		printf("Reports of login runs that came along: %lld\n", (long long)sum.spooled);
	mm_buf_free(&b);
}

/* A question about logins: all of them are shown. */
static bool by_cause(const struct mm_push_summary *s)
{
	return s->op == MM_OP_VERIFY || s->op == MM_OP_PREFLIGHT;
}

/* Not a difference, and not what one expects. */
static void print_released(const struct mm_push_summary *s)
{
	bool one = s->released == 1;
	if (s->released == 0)
		return;
	say("%zu account%s stay%s, though no longer in the policy: %s former values are cleartext, and are "
	    "not put back "
	    "(%s%s)",
	    s->released, one ? "" : "s", one ? "s" : "", one ? "its" : "their", s->released_here,
	    one ? "" : " ...");
	putchar('\n');
}

/* What becomes of the hosts that were not served. */
static void print_left(const struct mm_push_summary *s)
{
	size_t moved = 0, left = s->n - s->by_class[MM_PC_OK] - s->by_class[MM_PC_SUPERSEDED];
	if (s->op != MM_OP_APPLY || s->rolled)
		return;
	for (size_t i = 0; i < s->n; i++)
		moved += mm_ended_moved(&s->hosts[i].outcome);
	if (moved > 0)
		printf("%zu host%s moved on since the plan was made: nothing was changed there. Plan again\n",
		    moved, moved == 1 ? " has" : "s have");
	if (left > moved)
		puts("What is left is pending: mailmuster push --pending");
}

void mm_push_print(const struct mm_push_summary *s)
{
	if (s->n == 0 && s->op == MM_OP_APPLY) {
		puts("Nothing is pending.");
		return;
	}
	if (s->op == MM_OP_PLAN)
		print_changes(s);
	if (s->op == MM_OP_PREFLIGHT)
		print_people(s);
	if (by_cause(s))
		print_causes(s);
	for (int c = 0; c < MM_PC_COUNT; c++)
		print_class(s, (enum mm_push_class)c);
	print_troubles(s);
	print_released(s);
	if (!by_cause(s))
		print_unproven(s);
	if (s->op != MM_OP_PLAN && s->op != MM_OP_PREFLIGHT && s->op != MM_OP_DISCOVER)
		print_sums(s);
	/* Of the whole rollout its own lines tell: others may have answered before. */
	if (s->rolled)
		printf("%s%zu host%s answered in this run%s", coloured(MM_BOLD), s->by_class[MM_PC_OK],
		    s->by_class[MM_PC_OK] == 1 ? "" : "s", coloured(MM_PLAIN));
	else
		printf("%s%zu of %zu hosts answered%s",
		    coloured(s->by_class[MM_PC_OK] == s->n ? MM_GREEN : MM_BOLD), s->by_class[MM_PC_OK], s->n,
		    coloured(MM_PLAIN));
	size_t failed = with_bit(s, MM_EX_HOSTS_FAILED), unreachable = with_bit(s, MM_EX_UNREACHABLE);
	if (failed > 0)
		printf(", %zu failed", failed);
	if (unreachable > 0)
		printf(", %zu unreachable", unreachable);
	if (s->by_class[MM_PC_SUPERSEDED] > 0)
		printf(", %zu served by another run", s->by_class[MM_PC_SUPERSEDED]);
	if (s->by_class[MM_PC_INTERRUPTED] > 0 && !s->rolled)
		printf(", %zu not served: stopped", s->by_class[MM_PC_INTERRUPTED]);
	/* A verify is about what each host holds. */
	printf(" (%s, ", mm_op_name(s->op));
	if (s->op != MM_OP_VERIFY && s->op != MM_OP_DISCOVER && s->op != MM_OP_RESTORE)
		printf("revision %lld, ", (long long)s->revision);
	printf("%.1f s)\n", (double)s->took_ms / 1000);
	print_left(s);
	if (s->stats.few_files && s->stats.parallel < MM_PUSH_PARALLEL / 4)
		printf(
		    "The limit of open files allows only %u hosts at once (ulimit -n)\n", s->stats.parallel);
}
