#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/discovered_policy.h"

#define WHO_SHOWN 5
#define OUTLIERS_SHOWN 40
#define FOREIGN_SHOWN 40

static void say(const char *s)
{
	struct mm_buf b = MM_BUF_INIT(65536);
	mm_printable(&b, s, strlen(s));
	fputs(mm_buf_str(&b), stdout);
	mm_buf_free(&b);
}

/* ---- what an outlier differs in */

static const char *differs(const struct mm_proposal *p, const struct mm_found_endpoint *e, struct mm_arena *a)
{
	const struct mm_found_endpoint *base = p->base[e->side];
	const char *side = mm_side_name(e->side), *all = "";
	if (!mm_streq(e->protocol, base->protocol))
		all = mm_arena_printf(a, "%s.protocol %s instead of %s", side, e->protocol, base->protocol);
	if (!mm_streq(e->host, base->host))
		all = mm_arena_printf(
		    a, "%s%s%s.host %s instead of %s", all, *all ? ", " : "", side, e->host, base->host);
	if (e->port != base->port)
		all = mm_arena_printf(
		    a, "%s%s%s.port %d instead of %d", all, *all ? ", " : "", side, e->port, base->port);
	if (!mm_streq(e->security, base->security))
		all = mm_arena_printf(a, "%s%s%s.security %s instead of %s", all, *all ? ", " : "", side,
		    e->security, base->security);
	return all;
}

struct outlier {
	const char *what;
	const struct mm_found_places *places;
};

struct outliers {
	struct outlier *items;
	size_t n, cap;
};

static void add(
    struct outliers *o, struct mm_arena *a, const char *what, const struct mm_found_places *places)
{
	*(struct outlier *)mm_arena_push(a, &o->items, &o->n, &o->cap, sizeof(*o->items)) =
	    (struct outlier){what, places};
}

static void add_votes(
    struct outliers *o, const struct mm_found_endpoint *e, enum mm_ballot b, struct mm_arena *a)
{
	const struct mm_vote *win = mm_proposed_value(e, b);
	for (size_t i = 0; win != NULL && i < e->votes[b].n; i++) {
		const struct mm_vote *v = &e->votes[b].items[i];
		const char *value = *v->value != '\0' ? v->value : "of their own";
		if (v != win)
			add(o, a,
			    mm_arena_printf(a, "%s.%s %s instead of %s", mm_side_name(e->side),
				mm_ballot_names[b], value, win->value),
			    &v->places);
	}
}

static void add_identity(
    struct outliers *o, const struct mm_proposal *p, enum mm_setting s, struct mm_arena *a)
{
	const struct mm_votes *v = mm_discovered_identity(p->d, s);
	const struct mm_vote *win = mm_votes_winner(v);
	for (size_t i = 0; win != NULL && i < v->n; i++)
		if (&v->items[i] != win)
			add(o, a,
			    mm_arena_printf(a, "%s %s instead of %s", mm_setting_def(s)->id,
				*v->items[i].value != '\0' ? v->items[i].value : "of their own", win->value),
			    &v->items[i].places);
}

static struct outliers gather(const struct mm_proposal *p, struct mm_arena *a)
{
	struct outliers o = {.n = 0};
	for (int side = MM_SIDE_INCOMING; side <= MM_SIDE_OUTGOING; side++) {
		size_t n;
		const struct mm_found_endpoint *const *list =
		    mm_discovered_endpoints(p->d, (enum mm_side)side, &n);
		for (size_t i = 0; i < n; i++) {
			if (mm_proposed_as(p, list[i]) == NULL)
				add(&o, a, differs(p, list[i], a), &list[i]->places);
			for (int b = 0; b < MM_BALLOT_COUNT && mm_proposed_as(p, list[i]) != NULL; b++)
				add_votes(&o, list[i], (enum mm_ballot)b, a);
		}
	}
	add_identity(&o, p, MM_SET_ADDRESS, a);
	add_identity(&o, p, MM_SET_REAL_NAME, a);
	return o;
}

/* ---- for people */

static bool is_set_up(const struct mm_found_client *c)
{
	return c->in_use + c->unused + c->accounts > 0;
}

static void print_clients(const struct mm_proposal *p)
{
	static const char *const heads[] = {"CLIENT", "IN USE", "BESIDE IT", "NOT SET UP", "ACCOUNTS", NULL};
	struct mm_table *t = mm_table_new(heads);
	size_t n;
	const struct mm_found_client *list = mm_discovered_clients(p->d, &n);
	size_t shown = 0, missing = 0;
	for (size_t i = 0; i < n; i++) {
		if (!is_set_up(&list[i]))
			continue;
		shown++;
		mm_table_cell(t, MM_BOLD, "%s", list[i].name);
		mm_table_cell(t, MM_PLAIN, "%zu", list[i].in_use);
		mm_table_cell(t, MM_PLAIN, "%zu", list[i].unused);
		mm_table_cell(t, MM_PLAIN, "%zu", list[i].installed);
		mm_table_cell(t, MM_PLAIN, "%zu", list[i].accounts);
	}
	if (shown > 0)
		mm_table_print(t, stdout);
	mm_table_free(t);
	for (size_t i = 0; i < n; i++) {
		if (is_set_up(&list[i]))
			continue;
		fputs(missing++ == 0 ? "Set up by nobody: " : ", ", stdout);
		say(list[i].name);
	}
	if (missing > 0)
		putchar('\n');
}

static void endpoint_row(struct mm_table *t, const struct mm_proposal *p, const struct mm_found_endpoint *e)
{
	const struct mm_vote *name = mm_votes_winner(&e->votes[MM_BALLOT_USERNAME]);
	const char *as = mm_proposed_as(p, e);
	mm_table_cell(t, MM_BOLD, "%s %s:%d %s", e->protocol, e->host, e->port, e->security);
	mm_table_cell(t, MM_PLAIN, "%zu", e->accounts);
	mm_table_cell(t, MM_PLAIN, "%s", name != NULL ? name->value : "-");
	mm_table_cell(t, as != NULL ? MM_GREEN : MM_YELLOW, "%s", as != NULL ? as : "outlier");
}

static void print_endpoints(const struct mm_proposal *p)
{
	static const char *const heads[] = {"ENDPOINT", "ACCOUNTS", "USER NAME", "PROPOSED AS", NULL};
	struct mm_table *t = mm_table_new(heads);
	size_t total = 0;
	for (int side = MM_SIDE_INCOMING; side <= MM_SIDE_OUTGOING; side++) {
		size_t n;
		const struct mm_found_endpoint *const *list =
		    mm_discovered_endpoints(p->d, (enum mm_side)side, &n);
		for (size_t i = 0; i < n; i++)
			endpoint_row(t, p, list[i]);
		total += n;
	}
	if (total > 0) {
		putchar('\n');
		mm_table_print(t, stdout);
	} else {
		puts("\nNo account of the organisation was found.");
	}
	mm_table_free(t);
}

static void print_outliers(const struct mm_proposal *p)
{
	struct mm_arena *a = mm_arena_new();
	struct outliers o = gather(p, a);
	if (o.n > 0)
		printf("\nOutliers (%zu)\n", o.n);
	for (size_t i = 0; i < o.n && i < OUTLIERS_SHOWN; i++) {
		size_t n = 0;
		printf("  %zu x  ", o.items[i].places->n);
		say(o.items[i].what);
		fputs(": ", stdout);
		for (const struct mm_found_place *w = o.items[i].places->first; w != NULL && n < WHO_SHOWN;
		     w = w->next)
			say(mm_arena_printf(
			    a, "%s%s@%s %s", n++ > 0 ? ", " : "", w->user, w->host, w->client));
		if (o.items[i].places->n > n)
			printf(" and %zu more", o.items[i].places->n - n);
		putchar('\n');
	}
	if (o.n > OUTLIERS_SHOWN)
		printf("  ... and %zu more: --json\n", o.n - OUTLIERS_SHOWN);
	mm_arena_free(a);
}

static void print_foreign(const struct mm_proposal *p)
{
	static const char *const heads[] = {"OTHER ACCOUNTS", "INCOMING", "OUTGOING", "ACCOUNTS", NULL};
	struct mm_table *t = mm_table_new(heads);
	size_t n;
	const struct mm_found_foreign *const *list = mm_discovered_foreign(p->d, &n);
	for (size_t i = 0; i < n && i < FOREIGN_SHOWN; i++) {
		mm_table_cell(t, MM_PLAIN, "%s", *list[i]->domain != '\0' ? list[i]->domain : "-");
		mm_table_cell(t, MM_PLAIN, "%s", *list[i]->incoming != '\0' ? list[i]->incoming : "-");
		mm_table_cell(t, MM_PLAIN, "%s", *list[i]->outgoing != '\0' ? list[i]->outgoing : "-");
		mm_table_cell(t, MM_PLAIN, "%zu", list[i]->accounts);
	}
	if (n > 0) {
		putchar('\n');
		mm_table_print(t, stdout);
	}
	if (n > FOREIGN_SHOWN)
		printf("... and %zu more: --json\n", n - FOREIGN_SHOWN);
	mm_table_free(t);
}

void mm_proposal_print(const struct mm_proposal *p)
{
	print_clients(p);
	print_endpoints(p);
	print_outliers(p);
	print_foreign(p);
	if (mm_discovered_unusable(p->d) > 0)
		printf("\nLeft out: %zu servers that are none, or one kind too many\n",
		    mm_discovered_unusable(p->d));
	putchar('\n');
}

/* ---- for machines */

static json_t *places_json(const struct mm_found_places *list)
{
	json_t *o = json_array();
	for (const struct mm_found_place *w = list->first; w != NULL; w = w->next) {
		json_t *e = json_object();
		mm_json_set_str(e, "host", w->host);
		mm_json_set_str(e, "user", w->user);
		mm_json_set_str(e, "client", w->client);
		json_array_append_new(o, e);
	}
	return o;
}

static json_t *endpoint_json(const struct mm_proposal *p, const struct mm_found_endpoint *e)
{
	json_t *o = json_object();
	mm_json_set_str(o, "side", mm_side_name(e->side));
	mm_json_set_str(o, "protocol", e->protocol);
	mm_json_set_str(o, "host", e->host);
	mm_json_set_int(o, "port", e->port);
	mm_json_set_str(o, "security", e->security);
	mm_json_set_int(o, "accounts", (int64_t)e->accounts);
	mm_json_set_str(o, "proposed_as", mm_proposed_as(p, e));
	for (int b = 0; b < MM_BALLOT_COUNT; b++) {
		const struct mm_vote *v = mm_votes_winner(&e->votes[b]);
		mm_json_set_str(o, mm_ballot_names[b], v != NULL ? v->value : NULL);
	}
	return o;
}

static json_t *clients_json(const struct mm_proposal *p)
{
	json_t *all = json_array();
	size_t n;
	const struct mm_found_client *list = mm_discovered_clients(p->d, &n);
	for (size_t i = 0; i < n; i++) {
		json_t *o = json_object();
		mm_json_set_str(o, "client", list[i].name);
		mm_json_set_int(o, "in_use", (int64_t)list[i].in_use);
		mm_json_set_int(o, "beside_it", (int64_t)list[i].unused);
		mm_json_set_int(o, "not_set_up", (int64_t)list[i].installed);
		mm_json_set_int(o, "accounts", (int64_t)list[i].accounts);
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *foreign_json(const struct mm_proposal *p)
{
	json_t *all = json_array();
	size_t n;
	const struct mm_found_foreign *const *list = mm_discovered_foreign(p->d, &n);
	for (size_t i = 0; i < n; i++) {
		json_t *o = json_object();
		mm_json_set_str(o, "domain", list[i]->domain);
		mm_json_set_str(o, "incoming", list[i]->incoming);
		mm_json_set_str(o, "outgoing", list[i]->outgoing);
		mm_json_set_int(o, "accounts", (int64_t)list[i]->accounts);
		json_array_append_new(all, o);
	}
	return all;
}

json_t *mm_proposal_json(const struct mm_proposal *p)
{
	json_t *o = json_object(), *endpoints = json_array(), *outliers = json_array();
	struct mm_arena *a = mm_arena_new();
	struct mm_buf text = MM_BUF_INIT(1u << 20);
	for (int side = MM_SIDE_INCOMING; side <= MM_SIDE_OUTGOING; side++) {
		size_t n;
		const struct mm_found_endpoint *const *list =
		    mm_discovered_endpoints(p->d, (enum mm_side)side, &n);
		for (size_t i = 0; i < n; i++)
			json_array_append_new(endpoints, endpoint_json(p, list[i]));
	}
	struct outliers found = gather(p, a);
	for (size_t i = 0; i < found.n; i++) {
		json_t *x = json_object();
		mm_json_set_str(x, "differs", found.items[i].what);
		mm_json_set_int(x, "accounts", (int64_t)found.items[i].places->n);
		mm_json_set(x, "places", places_json(found.items[i].places));
		json_array_append_new(outliers, x);
	}
	mm_json_set_int(o, "accounts", (int64_t)mm_discovered_accounts(p->d));
	mm_json_set(o, "clients", clients_json(p));
	mm_json_set(o, "endpoints", endpoints);
	mm_json_set(o, "outliers", outliers);
	mm_json_set(o, "others", foreign_json(p));
	mm_json_set_int(o, "left_out", (int64_t)mm_discovered_unusable(p->d));
	mm_json_set_str(o, "policy", mm_proposal_text(p, &text) ? mm_buf_str(&text) : NULL);
	mm_buf_free(&text);
	mm_arena_free(a);
	return o;
}
