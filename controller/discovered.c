#include "controller/discovered.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "schemas/discover.h"

#define BUCKETS 1024
#define CLIENTS_MAX 256
#define OTHERS "(others)"

const char *const mm_ballot_names[MM_BALLOT_COUNT] = {"auth", "username", "password_command", "ca_file"};

struct pending { /* the account whose findings are coming in */
	struct mm_arena *a;
	const char *host, *user, *client, *path, *account;
	const char *value[MM_SET_COUNT];
	struct mm_known_person person; /* its texts in `a` */
};

struct mm_discovered {
	struct mm_arena *a;
	struct pending now;
	struct mm_found_endpoint *endpoints[BUCKETS];
	size_t n_endpoints;
	struct mm_found_foreign *foreign[BUCKETS];
	size_t n_foreign;
	struct mm_found_client *clients;
	size_t n_clients, cap_clients;
	struct mm_found_group *groups;
	size_t n_groups, cap_groups;
	struct mm_votes *addresses, *names;
	size_t accounts, unusable;
};

struct mm_discovered *mm_discovered_new(void)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_discovered *d = mm_arena_alloc(a, 1, sizeof(*d));
	d->a = a;
	d->addresses = mm_arena_alloc(a, 1, sizeof(*d->addresses));
	d->names = mm_arena_alloc(a, 1, sizeof(*d->names));
	return d;
}

void mm_discovered_free(struct mm_discovered *d)
{
	if (d == NULL)
		return;
	mm_arena_free(d->now.a);
	mm_arena_free(d->a);
}

/* ---- templates */

static bool is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Literal text of a policy: % is written twice. */
static void add_literal(struct mm_buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '%')
			mm_buf_addc(b, '%');
		mm_buf_addc(b, s[i]);
	}
}

static const char *literal(const char *s, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(4 * MM_VALUE_MAX);
	add_literal(&b, s, strlen(s));
	return mm_buf_take(&b, a);
}

const char *mm_template_of(const char *text, const struct mm_known_person *p, struct mm_arena *a)
{
	const char *at = strrchr(text, '@'), *own = strrchr(p->address, '@');
	if (*p->address != '\0' && mm_streq_nocase(text, p->address))
		return "%{address}";
	if (mm_streq(text, p->login))
		return "%{login}";
	if (at != NULL) {
		const char *local = mm_arena_strndup(a, text, (size_t)(at - text));
		return mm_streq(local, p->login) ? mm_arena_printf(a, "%%{login}@%s", literal(at + 1, a))
						 : NULL;
	}
	if (own != NULL && mm_streq_nocase(text, mm_arena_strndup(a, p->address, (size_t)(own - p->address))))
		return "%{address.local}";
	return NULL;
}

/* Within an argument the names stand as words of their own. */
static bool is_here(const char *start, const char *at, const char *word)
{
	size_t n = strlen(word);
	return n > 0 && strncmp(at, word, n) == 0 && (at == start || !is_word_byte(at[-1])) &&
	       !is_word_byte(at[n]);
}

static const char *argument(const char *arg, const struct mm_known_person *p, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(4 * MM_VALUE_MAX);
	for (const char *s = arg; *s != '\0';) {
		if (is_here(arg, s, p->address)) {
			mm_buf_adds(&b, "%{address}");
			s += strlen(p->address);
		} else if (is_here(arg, s, p->login)) {
			mm_buf_adds(&b, "%{login}");
			s += strlen(p->login);
		} else {
			add_literal(&b, s++, 1);
		}
	}
	return mm_buf_take(&b, a);
}

/* The canonical text of an argument vector, with placeholders. */
static const char *command_template(const char *text, const struct mm_known_person *p, struct mm_arena *a)
{
	const char *const *argv;
	size_t n;
	if (mm_argv_parse(text, a, &argv, &n, NULL) != 0)
		return NULL;
	const char **out = mm_arena_alloc(a, n + 1, sizeof(*out));
	for (size_t i = 0; i < n; i++)
		out[i] = argument(argv[i], p, a);
	return mm_argv_text(out, a);
}

/* ---- counting */

static void add_place(
    struct mm_discovered *d, struct mm_found_places *list, const struct pending *x, const char *value)
{
	if (list->n++ >= MM_DISCOVERED_PLACES)
		return;
	struct mm_found_place *p = mm_arena_alloc(d->a, 1, sizeof(*p));
	*p = (struct mm_found_place){.host = mm_arena_strdup(d->a, x->host),
	    .user = mm_arena_strdup(d->a, x->user),
	    .client = mm_arena_strdup(d->a, x->client),
	    .value = mm_arena_strdup(d->a, value)};
	if (list->last != NULL)
		list->last->next = p;
	else
		list->first = p;
	list->last = p;
}

/* `value` NULL: it is the person's own. */
static void vote(struct mm_discovered *d, struct mm_votes *v, const char *value, const struct pending *x,
    const char *as_it_stands)
{
	const char *key = value != NULL ? value : "";
	size_t i = 0;
	while (i < v->n && !mm_streq(v->items[i].value, key))
		i++;
	if (i == MM_DISCOVERED_VOTES) {
		v->more++;
		return;
	}
	if (i == v->n)
		v->items[v->n++] = (struct mm_vote){.value = mm_arena_strdup(d->a, key)};
	v->items[i].n++;
	add_place(d, &v->items[i].places, x, as_it_stands);
}

const struct mm_vote *mm_votes_winner(const struct mm_votes *v)
{
	const struct mm_vote *best = NULL;
	for (size_t i = 0; i < v->n; i++)
		if (*v->items[i].value != '\0' && (best == NULL || v->items[i].n > best->n))
			best = &v->items[i];
	return best;
}

static uint32_t hash(const char *s, uint32_t h)
{
	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return (h ^ 0xffu) * 16777619u;
}

static struct mm_found_endpoint *endpoint_of(struct mm_discovered *d, const struct mm_found_endpoint *x)
{
	struct mm_found_endpoint **bucket =
	    &d->endpoints[hash(x->host, 2166136261u + (uint32_t)x->port) % BUCKETS];
	for (struct mm_found_endpoint *e = *bucket; e != NULL; e = e->next)
		if (e->side == x->side && e->port == x->port && mm_streq(e->host, x->host) &&
		    mm_streq(e->protocol, x->protocol) && mm_streq(e->security, x->security))
			return e;
	if (d->n_endpoints >= MM_DISCOVERED_CLUSTERS)
		return NULL;
	d->n_endpoints++;
	struct mm_found_endpoint *e = mm_arena_alloc(d->a, 1, sizeof(*e));
	*e = (struct mm_found_endpoint){.next = *bucket,
	    .side = x->side,
	    .protocol = mm_arena_strdup(d->a, x->protocol),
	    .host = mm_arena_strdup(d->a, x->host),
	    .security = mm_arena_strdup(d->a, x->security),
	    .port = x->port,
	    .votes = mm_arena_alloc(d->a, MM_BALLOT_COUNT, sizeof(*e->votes))};
	*bucket = e;
	return e;
}

static void count_group(struct mm_discovered *d, const char *group, const struct mm_found_endpoint *e)
{
	for (size_t i = 0; i < d->n_groups; i++)
		if (d->groups[i].endpoint == e && mm_streq(d->groups[i].group, group)) {
			d->groups[i].n++;
			return;
		}
	*(struct mm_found_group *)mm_arena_push(
	    d->a, &d->groups, &d->n_groups, &d->cap_groups, sizeof(*d->groups)) =
	    (struct mm_found_group){.group = mm_arena_strdup(d->a, group), .endpoint = e, .n = 1};
}

static struct mm_found_client *client_of(struct mm_discovered *d, const char *name)
{
	if (d->n_clients >= CLIENTS_MAX) /* so many are not known; a host has made them up */
		name = OTHERS;
	for (size_t i = 0; i < d->n_clients; i++)
		if (mm_streq(d->clients[i].name, name))
			return &d->clients[i];
	struct mm_found_client *c =
	    mm_arena_push(d->a, &d->clients, &d->n_clients, &d->cap_clients, sizeof(*c));
	*c = (struct mm_found_client){.name = mm_arena_strdup(d->a, name)};
	return c;
}

/* ---- one account */

static enum mm_setting on(enum mm_side side, enum mm_setting incoming)
{
	return side == MM_SIDE_INCOMING ? incoming : mm_setting_on_side(incoming, side);
}

/* What a policy could say, too; NULL: not set, or no such value. */
static const char *canonical(const struct pending *x, enum mm_side side, enum mm_setting incoming)
{
	enum mm_setting s = on(side, incoming);
	const char *out;
	return x->value[s] != NULL && mm_setting_canon(s, x->value[s], x->a, &out, NULL) == 0 ? out : NULL;
}

static const char *protocol_of(const struct pending *x, enum mm_side side)
{
	const char *v = canonical(x, side, MM_SET_IN_PROTOCOL);
	return v != NULL ? v : side == MM_SIDE_INCOMING ? "imap" : "smtp";
}

static struct mm_found_use *use_of(struct mm_discovered *d, struct mm_found_endpoint *e, const char *client)
{
	const char *name = client_of(d, client)->name;
	for (size_t i = 0; i < e->n_uses; i++)
		if (mm_streq(e->uses[i].client, name))
			return &e->uses[i];
	struct mm_found_use *u = mm_arena_push(d->a, &e->uses, &e->n_uses, &e->cap_uses, sizeof(*u));
	*u = (struct mm_found_use){.client = name};
	return u;
}

/* The templates of what is no template of the person are NULL: their own. */
static const char *template_for(const struct pending *x, enum mm_ballot b, const char *v)
{
	switch (b) {
	case MM_BALLOT_USERNAME:
		return mm_template_of(v, &x->person, x->a);
	case MM_BALLOT_COMMAND:
		return command_template(v, &x->person, x->a);
	case MM_BALLOT_CA_FILE:
		return literal(v, x->a);
	default:
		return v;
	}
}

static void cast_votes(struct mm_discovered *d, struct mm_found_endpoint *e, const struct pending *x)
{
	static const enum mm_setting settings[MM_BALLOT_COUNT] = {[MM_BALLOT_AUTH] = MM_SET_IN_AUTH,
	    [MM_BALLOT_USERNAME] = MM_SET_IN_USERNAME,
	    [MM_BALLOT_COMMAND] = MM_SET_IN_PASSWORD_COMMAND,
	    [MM_BALLOT_CA_FILE] = MM_SET_IN_CA_FILE};
	struct mm_found_use *use = use_of(d, e, x->client);
	use->accounts++;
	for (int b = 0; b < MM_BALLOT_COUNT; b++) {
		bool names = b == MM_BALLOT_USERNAME || b == MM_BALLOT_COMMAND;
		const char *v =
		    names ? x->value[on(e->side, settings[b])] : canonical(x, e->side, settings[b]);
		if (v == NULL)
			continue;
		use->voted[b]++;
		vote(d, &e->votes[b], template_for(x, (enum mm_ballot)b, v), x, v);
	}
}

static void take_side(struct mm_discovered *d, const struct pending *x, enum mm_side side)
{
	struct mm_found_endpoint key = {.side = side,
	    .protocol = protocol_of(x, side),
	    .host = canonical(x, side, MM_SET_IN_HOST),
	    .security = canonical(x, side, MM_SET_IN_SECURITY)};
	const char *port = canonical(x, side, MM_SET_IN_PORT);
	int64_t n = 0;
	if (x->value[on(side, MM_SET_IN_HOST)] == NULL)
		return; /* the program has no such side */
	if (key.security == NULL)
		key.security = mm_setting_def(on(side, MM_SET_IN_SECURITY))->dflt;
	if (key.security == NULL)
		key.security = "none";
	if (port != NULL && mm_parse_int(port, 1, 65535, &n) == 0)
		key.port = (int)n;
	else
		key.port = mm_default_port(key.protocol, key.security);
	struct mm_found_endpoint *e = key.host != NULL && key.port != 0 ? endpoint_of(d, &key) : NULL;
	if (e == NULL) {
		d->unusable++;
		return;
	}
	e->accounts++;
	add_place(d, &e->places, x, NULL);
	cast_votes(d, e, x);
	for (size_t i = 0; i < x->person.n_groups; i++)
		count_group(d, x->person.groups[i], e);
}

static void take_foreign(struct mm_discovered *d, const struct pending *x)
{
	const char *address = x->value[MM_SET_ADDRESS], *in = x->value[MM_SET_IN_HOST],
		   *out = x->value[MM_SET_OUT_HOST];
	const char *at = address != NULL ? strrchr(address, '@') : NULL, *domain = at != NULL ? at + 1 : "";
	in = in != NULL ? in : "";
	out = out != NULL ? out : "";
	struct mm_found_foreign **bucket = &d->foreign[hash(domain, hash(in, 2166136261u)) % BUCKETS];
	struct mm_found_foreign *f = *bucket;
	while (f != NULL &&
	       !(mm_streq(f->domain, domain) && mm_streq(f->incoming, in) && mm_streq(f->outgoing, out)))
		f = f->next;
	if (f == NULL && d->n_foreign >= MM_DISCOVERED_CLUSTERS) {
		d->unusable++;
		return;
	}
	if (f == NULL) {
		f = mm_arena_alloc(d->a, 1, sizeof(*f));
		*f = (struct mm_found_foreign){.next = *bucket,
		    .domain = mm_arena_strdup(d->a, domain),
		    .incoming = mm_arena_strdup(d->a, in),
		    .outgoing = mm_arena_strdup(d->a, out)};
		*bucket = f;
		d->n_foreign++;
	}
	f->accounts++;
}

static void finish_account(struct mm_discovered *d)
{
	struct pending *x = &d->now;
	const char *address = x->value[MM_SET_ADDRESS], *name = x->value[MM_SET_REAL_NAME];
	if (x->a == NULL)
		return;
	if (strncmp(x->account, MM_DISCOVER_FOREIGN, strlen(MM_DISCOVER_FOREIGN)) == 0) {
		take_foreign(d, x);
	} else {
		d->accounts++;
		client_of(d, x->client)->accounts++;
		take_side(d, x, MM_SIDE_INCOMING);
		take_side(d, x, MM_SIDE_OUTGOING);
		if (address != NULL && *address != '@')
			vote(d, d->addresses, mm_template_of(address, &x->person, x->a), x, address);
		if (name != NULL)
			vote(d, d->names,
			    *x->person.name != '\0' && mm_streq(name, x->person.name) ? "%{name}" : NULL, x,
			    name);
	}
	mm_arena_free(x->a);
	*x = (struct pending){.a = NULL};
}

static void begin_account(
    struct mm_discovered *d, const char *host, const struct mm_finding *f, const struct mm_known_person *p)
{
	struct mm_arena *a = mm_arena_new();
	const char **groups = mm_arena_alloc(a, p->n_groups + 1, sizeof(*groups));
	for (size_t i = 0; i < p->n_groups; i++)
		groups[i] = mm_arena_strdup(a, p->groups[i]);
	d->now = (struct pending){.a = a,
	    .host = mm_arena_strdup(a, host),
	    .user = mm_arena_strdup(a, f->user),
	    .client = mm_arena_strdup(a, f->client),
	    .path = mm_arena_strdup(a, f->path),
	    .account = mm_arena_strdup(a, f->account),
	    .person = {.login = mm_arena_strdup(a, p->login),
		.name = mm_arena_strdup(a, p->name),
		.address = mm_arena_strdup(a, p->address),
		.groups = groups,
		.n_groups = p->n_groups}};
}

static bool same_account(const struct pending *x, const char *host, const struct mm_finding *f)
{
	return x->a != NULL && mm_streq(x->account, f->account) && mm_streq(x->path, f->path) &&
	       mm_streq(x->client, f->client) && mm_streq(x->user, f->user) && mm_streq(x->host, host);
}

static void count_configuration(struct mm_discovered *d, const struct mm_finding *f)
{
	struct mm_found_client *c = client_of(d, f->client);
	c->in_use += mm_streq(f->reason, MM_DISCOVER_IN_USE);
	c->unused += mm_streq(f->reason, MM_DISCOVER_UNUSED);
	c->installed += mm_streq(f->reason, MM_DISCOVER_INSTALLED);
}

void mm_discovered_add(
    struct mm_discovered *d, const char *host, const struct mm_finding *f, const struct mm_known_person *p)
{
	enum mm_setting s = mm_setting_by_id(f->setting);
	if (!same_account(&d->now, host, f))
		finish_account(d);
	if (*f->account == '\0') {
		count_configuration(d, f);
		return;
	}
	if (d->now.a == NULL)
		begin_account(d, host, f, p);
	/* Which file of certificates a program has built in, a policy need not say. */
	bool built_in =
	    mm_streq(f->reason, MM_DISCOVER_DEFAULT) && (s == MM_SET_IN_CA_FILE || s == MM_SET_OUT_CA_FILE);
	if (s != MM_SET_NONE && f->found != NULL && !built_in)
		d->now.value[s] = mm_arena_strdup(d->now.a, f->found);
}

/* ---- afterwards */

void mm_discovered_end(struct mm_discovered *d)
{
	finish_account(d);
}

static int by_accounts(const void *x, const void *y)
{
	const struct mm_found_endpoint *a = *(const struct mm_found_endpoint *const *)x,
				       *b = *(const struct mm_found_endpoint *const *)y;
	if (a->accounts != b->accounts)
		return a->accounts > b->accounts ? -1 : 1;
	int rc = strcmp(a->host, b->host);
	return rc != 0 ? rc : a->port != b->port ? a->port - b->port : strcmp(a->security, b->security);
}

const struct mm_found_endpoint *const *mm_discovered_endpoints(
    struct mm_discovered *d, enum mm_side side, size_t *n)
{
	const struct mm_found_endpoint **list = mm_arena_alloc(d->a, d->n_endpoints + 1, sizeof(*list));
	*n = 0;
	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct mm_found_endpoint *e = d->endpoints[i]; e != NULL; e = e->next)
			if (e->side == side)
				list[(*n)++] = e;
	if (*n > 0)
		qsort(list, *n, sizeof(*list), by_accounts);
	return list;
}

static int by_count(const void *x, const void *y)
{
	const struct mm_found_foreign *a = *(const struct mm_found_foreign *const *)x,
				      *b = *(const struct mm_found_foreign *const *)y;
	if (a->accounts != b->accounts)
		return a->accounts > b->accounts ? -1 : 1;
	int rc = strcmp(a->domain, b->domain);
	rc = rc != 0 ? rc : strcmp(a->incoming, b->incoming);
	return rc != 0 ? rc : strcmp(a->outgoing, b->outgoing);
}

const struct mm_found_foreign *const *mm_discovered_foreign(struct mm_discovered *d, size_t *n)
{
	const struct mm_found_foreign **list = mm_arena_alloc(d->a, d->n_foreign + 1, sizeof(*list));
	*n = 0;
	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct mm_found_foreign *f = d->foreign[i]; f != NULL; f = f->next)
			list[(*n)++] = f;
	if (*n > 0)
		qsort(list, *n, sizeof(*list), by_count);
	return list;
}

static int by_client(const void *x, const void *y)
{
	const struct mm_found_client *a = x, *b = y;
	return strcmp(a->name, b->name);
}

const struct mm_found_client *mm_discovered_clients(struct mm_discovered *d, size_t *n)
{
	if (d->n_clients > 0)
		qsort(d->clients, d->n_clients, sizeof(*d->clients), by_client);
	*n = d->n_clients;
	return d->clients;
}

const struct mm_found_group *mm_discovered_groups(struct mm_discovered *d, size_t *n)
{
	*n = d->n_groups;
	return d->groups;
}

const struct mm_votes *mm_discovered_identity(const struct mm_discovered *d, enum mm_setting s)
{
	return s == MM_SET_ADDRESS ? d->addresses : d->names;
}

size_t mm_discovered_accounts(const struct mm_discovered *d)
{
	return d->accounts;
}

size_t mm_discovered_unusable(const struct mm_discovered *d)
{
	return d->unusable;
}
