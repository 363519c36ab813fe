#include "controller/discovered_policy.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#define REPLACES_MAX 64 /* of one account, as the policy has it */
#define PRIORITY_STEP 10

/* ---- choosing */

static const struct mm_found_endpoint *majority(struct mm_discovered *d, enum mm_side side)
{
	size_t n;
	const struct mm_found_endpoint *const *list = mm_discovered_endpoints(d, side, &n);
	return n > 0 ? list[0] : NULL;
}

static struct mm_proposed_group *group_of(struct mm_proposal *p, const char *name, struct mm_arena *a)
{
	for (size_t i = 0; i < p->n_groups; i++)
		if (mm_streq(p->groups[i].name, name))
			return &p->groups[i];
	struct mm_proposed_group *g = mm_arena_push(a, &p->groups, &p->n_groups, &p->cap_groups, sizeof(*g));
	*g = (struct mm_proposed_group){.name = name};
	return g;
}

/* More than half of the accounts of a group on this side, more than one, and with the
 * same protocol: an override. */
static void choose_for_group(struct mm_proposal *p, struct mm_proposed_group *g, enum mm_side side)
{
	size_t n, all = 0;
	const struct mm_found_group *list = mm_discovered_groups(p->d, &n), *best = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!mm_streq(list[i].group, g->name) || list[i].endpoint->side != side)
			continue;
		all += list[i].n;
		if (best == NULL || list[i].n > best->n)
			best = &list[i];
	}
	if (best != NULL && best->n > 1 && best->endpoint != p->base[side] && 2 * best->n > all &&
	    mm_streq(best->endpoint->protocol, p->base[side]->protocol))
		g->other[side] = best->endpoint;
}

static int by_size(const void *x, const void *y)
{
	const struct mm_proposed_group *a = x, *b = y;
	if (a->accounts != b->accounts)
		return a->accounts > b->accounts ? -1 : 1;
	return strcmp(a->name, b->name);
}

static const char *commonest_domain(const struct mm_discovered *d, struct mm_arena *a)
{
	const struct mm_votes *v = mm_discovered_identity(d, MM_SET_ADDRESS);
	const struct mm_vote *best = NULL;
	for (size_t i = 0; i < v->n; i++)
		if (best == NULL || v->items[i].n > best->n)
			best = &v->items[i];
	const struct mm_found_place *p = best != NULL ? best->places.first : NULL;
	const char *at = p != NULL && p->value != NULL ? strrchr(p->value, '@') : NULL;
	return at != NULL && mm_is_hostname(at + 1) ? mm_arena_strdup(a, at + 1) : "";
}

void mm_propose(struct mm_discovered *d, const char *domain, struct mm_arena *a, struct mm_proposal *out)
{
	size_t n;
	const struct mm_found_group *uses = mm_discovered_groups(d, &n);
	*out = (struct mm_proposal){.d = d, .domain = *domain != '\0' ? domain : commonest_domain(d, a)};
	out->base[MM_SIDE_INCOMING] = majority(d, MM_SIDE_INCOMING);
	out->base[MM_SIDE_OUTGOING] = majority(d, MM_SIDE_OUTGOING);
	for (size_t i = 0; i < n; i++)
		group_of(out, uses[i].group, a)->accounts += uses[i].n;
	for (size_t i = 0; i < out->n_groups; i++) {
		choose_for_group(out, &out->groups[i], MM_SIDE_INCOMING);
		choose_for_group(out, &out->groups[i], MM_SIDE_OUTGOING);
	}
	if (out->n_groups > 0)
		qsort(out->groups, out->n_groups, sizeof(*out->groups), by_size);
}

const struct mm_vote *mm_proposed_value(const struct mm_found_endpoint *e, enum mm_ballot b)
{
	const struct mm_vote *v = mm_votes_winner(&e->votes[b]);
	bool optional = b == MM_BALLOT_COMMAND || b == MM_BALLOT_CA_FILE;
	size_t could = 0;
	for (size_t i = 0; i < e->n_uses; i++)
		could += e->uses[i].voted[b] > 0 ? e->uses[i].accounts : 0;
	return v != NULL && (!optional || 2 * v->n > could) ? v : NULL;
}

static const char *endpoint_name(const struct mm_found_endpoint *e)
{
	if (e->side == MM_SIDE_OUTGOING)
		return "submission";
	return mm_streq(e->protocol, "pop3") ? "pop_main" : "imap_main";
}

const char *mm_proposed_as(const struct mm_proposal *p, const struct mm_found_endpoint *e)
{
	if (e == p->base[e->side])
		return endpoint_name(e);
	for (size_t i = 0; i < p->n_groups; i++)
		if (p->groups[i].other[e->side] == e)
			return p->groups[i].name;
	return NULL;
}

/* ---- writing */

static void quoted(struct mm_buf *b, const char *s)
{
	mm_buf_addc(b, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			mm_buf_addc(b, '\\');
		mm_buf_addc(b, *s);
	}
	mm_buf_addc(b, '"');
}

static void member(struct mm_buf *b, const char *key, const char *value)
{
	mm_buf_addf(b, " %s = ", key);
	quoted(b, value);
	mm_buf_addc(b, ';');
}

static void put_command(struct mm_buf *b, const char *text)
{
	struct mm_arena *a = mm_arena_new();
	const char *const *argv;
	size_t n;
	if (mm_argv_parse(text, a, &argv, &n, NULL) == 0) {
		mm_buf_adds(b, "\n    password_command = [");
		for (size_t i = 0; i < n; i++) {
			mm_buf_adds(b, i > 0 ? ", " : " ");
			quoted(b, argv[i]);
		}
		mm_buf_adds(b, " ];");
	}
	mm_arena_free(a);
}

static void put_endpoint(struct mm_buf *b, const struct mm_found_endpoint *e)
{
	const struct mm_vote *auth = mm_proposed_value(e, MM_BALLOT_AUTH),
			     *name = mm_proposed_value(e, MM_BALLOT_USERNAME),
			     *command = mm_proposed_value(e, MM_BALLOT_COMMAND),
			     *ca = mm_proposed_value(e, MM_BALLOT_CA_FILE);
	mm_buf_addf(b, "  # %zu account%s it\n  %s = {\n   ", e->accounts,
	    e->accounts == 1 ? " has" : "s have", endpoint_name(e));
	member(b, "protocol", e->protocol);
	member(b, "host", e->host);
	mm_buf_addf(b, " port = %d;", e->port);
	member(b, "security", e->security);
	mm_buf_adds(b, "\n   ");
	member(b, "auth", auth != NULL ? auth->value : "password");
	member(b, "username", name != NULL ? name->value : "%{address}");
	if (ca != NULL)
		member(b, "ca_file", ca->value);
	if (command != NULL)
		put_command(b, command->value);
	mm_buf_adds(b, "\n  };\n");
}

/* Servers that some still have: their accounts are taken over, not doubled. */
static void put_replaces(const struct mm_proposal *p, struct mm_buf *b)
{
	const char *hosts[REPLACES_MAX];
	size_t n = 0;
	for (int side = MM_SIDE_INCOMING; side <= MM_SIDE_OUTGOING; side++) {
		size_t count;
		const struct mm_found_endpoint *const *list =
		    mm_discovered_endpoints(p->d, (enum mm_side)side, &count);
		for (size_t i = 0; i < count && n < REPLACES_MAX; i++) {
			bool known = false;
			for (int s = MM_SIDE_INCOMING; s <= MM_SIDE_OUTGOING; s++)
				known = known ||
					(p->base[s] != NULL && mm_streq(p->base[s]->host, list[i]->host));
			for (size_t k = 0; k < n; k++)
				known = known || mm_streq(hosts[k], list[i]->host);
			if (!known && mm_proposed_as(p, list[i]) == NULL)
				hosts[n++] = list[i]->host;
		}
	}
	if (n == 0)
		return;
	mm_buf_adds(b, "\n    replaces = [");
	for (size_t i = 0; i < n; i++) {
		mm_buf_adds(b, i > 0 ? ", " : " ");
		quoted(b, hosts[i]);
	}
	mm_buf_adds(b, " ];");
}

static void put_account(const struct mm_proposal *p, struct mm_buf *b)
{
	const struct mm_vote *address = mm_votes_winner(mm_discovered_identity(p->d, MM_SET_ADDRESS));
	mm_buf_adds(b, "accounts = {\n  work = {\n   ");
	member(b, "label", *p->domain != '\0' ? p->domain : "Mail");
	member(b, "address", address != NULL ? address->value : "%{address}");
	member(b, "real_name", "%{name}");
	put_replaces(p, b);
	mm_buf_adds(b, "\n   ");
	if (p->base[MM_SIDE_INCOMING] != NULL)
		member(b, "incoming", endpoint_name(p->base[MM_SIDE_INCOMING]));
	if (p->base[MM_SIDE_OUTGOING] != NULL)
		member(b, "outgoing", endpoint_name(p->base[MM_SIDE_OUTGOING]));
	mm_buf_adds(b, "\n  };\n};\n\n");
}

static void put_clients(const struct mm_proposal *p, struct mm_buf *b)
{
	size_t n, shown = 0;
	const struct mm_found_client *list = mm_discovered_clients(p->d, &n);
	mm_buf_adds(b, "    clients = {");
	for (size_t i = 0; i < n; i++)
		if (list[i].accounts > 0 && mm_is_account_name(list[i].name))
			mm_buf_addf(
			    b, "%s%s = \"enforce\";", shown++ % 4 == 3 ? "\n      " : " ", list[i].name);
	mm_buf_adds(b, " };\n");
}

static void put_override(
    const struct mm_proposal *p, const struct mm_proposed_group *g, enum mm_side side, struct mm_buf *b)
{
	const struct mm_found_endpoint *e = g->other[side], *base = p->base[side];
	if (e == NULL)
		return;
	mm_buf_addf(b, " %s = {", mm_side_name(side));
	if (!mm_streq(e->host, base->host))
		member(b, "host", e->host);
	if (e->port != base->port)
		mm_buf_addf(b, " port = %d;", e->port);
	if (!mm_streq(e->security, base->security))
		member(b, "security", e->security);
	mm_buf_adds(b, " };");
}

static void put_group(
    const struct mm_proposal *p, const struct mm_proposed_group *g, int priority, struct mm_buf *b)
{
	mm_buf_adds(b, "  ");
	mm_buf_addf(b, "%s = {\n    priority = %d;\n    accounts = [ \"work\" ];\n", g->name, priority);
	put_clients(p, b);
	if (g->other[MM_SIDE_INCOMING] != NULL || g->other[MM_SIDE_OUTGOING] != NULL) {
		mm_buf_adds(b, "    override = { work = {");
		put_override(p, g, MM_SIDE_INCOMING, b);
		put_override(p, g, MM_SIDE_OUTGOING, b);
		mm_buf_adds(b, " }; };\n");
	}
	mm_buf_adds(b, "  };\n");
}

/* A group's name that libconfig can take as a key. */
static bool is_key(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
	return s[n] == '\0' && ((s[0] >= 'a' && s[0] <= 'z') || (s[0] >= 'A' && s[0] <= 'Z'));
}

static void put_groups(const struct mm_proposal *p, struct mm_buf *b)
{
	const struct mm_proposed_group everybody = {.name = "everybody"};
	int priority = 0;
	mm_buf_adds(b, "groups = {\n");
	for (size_t i = 0; i < p->n_groups && priority + PRIORITY_STEP < 9999; i++) {
		if (is_key(p->groups[i].name))
			put_group(p, &p->groups[i], priority += PRIORITY_STEP, b);
		else
			mm_buf_addf(
			    b, "  # the group %s cannot stand here: its name is no key\n", p->groups[i].name);
	}
	if (priority == 0) {
		mm_buf_adds(b, "  # nobody whose settings were seen is in a group: mailmuster group add "
			       "everybody LOGIN ...\n");
		put_group(p, &everybody, PRIORITY_STEP, b);
	}
	mm_buf_adds(b, "};\n\n");
}

static bool is_clear(const struct mm_found_endpoint *e)
{
	return e != NULL && mm_streq(e->security, "none");
}

bool mm_proposal_text(const struct mm_proposal *p, struct mm_buf *b)
{
	bool clear = is_clear(p->base[MM_SIDE_INCOMING]) || is_clear(p->base[MM_SIDE_OUTGOING]);
	for (size_t i = 0; i < p->n_groups; i++)
		clear = clear || is_clear(p->groups[i].other[MM_SIDE_INCOMING]) ||
			is_clear(p->groups[i].other[MM_SIDE_OUTGOING]);
	if (p->base[MM_SIDE_INCOMING] == NULL && p->base[MM_SIDE_OUTGOING] == NULL)
		return false;
	mm_buf_addf(b,
	    "# Proposed by mailmuster discover from %zu accounts: what most of them have.\n"
	    "# Read it, change it, then: mailmuster policy check FILE, policy import FILE, plan --all.\n"
	    "format = 1;\n",
	    mm_discovered_accounts(p->d));
	if (*p->domain != '\0') {
		mm_buf_adds(b, "organisation = {");
		member(b, "name", p->domain);
		member(b, "domain", p->domain);
		mm_buf_adds(b, " };\n");
	}
	mm_buf_adds(b, "\nendpoints = {\n");
	for (int side = MM_SIDE_INCOMING; side <= MM_SIDE_OUTGOING; side++)
		if (p->base[side] != NULL)
			put_endpoint(b, p->base[side]);
	mm_buf_adds(b, "};\n\n");
	put_account(p, b);
	put_groups(p, b);
	if (clear)
		mm_buf_adds(b, "# Passwords go over the network in clear there: mend the servers first.\n");
	mm_buf_addf(b, "rules = { allow_cleartext = %s; tls_min = \"1.2\"; check = \"login\"; };\n",
	    clear ? "true" : "false");
	return mm_buf_ok(b);
}
