/* What was seen of server, certificate and time, beside the verdict. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "agent/probe/maker.h"
#include "agent/probe/redact.h"

static const char *text_or_null(const struct mm_maker *m, const char *s)
{
	return s[0] != '\0' ? mm_arena_strdup(m->mem, s) : NULL;
}

/* ---- TLS */

static void put_chain(const struct mm_maker *m, const struct mm_tls_watch *w, struct mm_tls_facts *out)
{
	struct mm_cert_link *chain =
	    w->n_links > 0 ? mm_arena_alloc(m->mem, w->n_links, sizeof(*chain)) : NULL;
	for (size_t i = 0; i < w->n_links && i < MM_CHAIN_FACTS_MAX; i++) {
		const struct mm_chain_link *l = &w->links[i];
		chain[out->n_chain++] = (struct mm_cert_link){
		    .subject = mm_arena_strdup(m->mem, l->subject),
		    .issuer = mm_arena_strdup(m->mem, l->issuer),
		    .key = mm_arena_strdup(m->mem, l->key),
		    .signature = mm_arena_strdup(m->mem, l->signature),
		    .not_after = l->not_after,
		};
	}
	out->chain = chain;
	out->key = out->n_chain > 0 ? chain[0].key : NULL;
	out->signature = out->n_chain > 0 ? chain[0].signature : NULL;
}

struct mm_tls_facts mm_facts_tls(const struct mm_maker *m)
{
	struct mm_tls_facts out = {.version = NULL};
	const struct mm_tls_watch *w = m->a->signals.tls;
	if (w == NULL)
		return out;
	out.version = text_or_null(m, w->version);
	out.cipher = text_or_null(m, w->cipher);
	out.resumed = w->resumed;
	out.subject = text_or_null(m, w->cert.subject);
	out.issuer = text_or_null(m, w->cert.issuer);
	out.san = text_or_null(m, w->cert.san);
	out.not_before = w->cert.not_before;
	out.not_after = w->cert.not_after;
	out.fingerprint = text_or_null(m, w->fingerprint);
	out.pin = text_or_null(m, w->pin);
	if (w->have_cert)
		out.name_match = w->name_match ? MM_YES : MM_NO;
	put_chain(m, w, &out);
	return out;
}

/* ---- endpoint */

static const char *address_text(const struct mm_maker *m, const struct mm_addr *a)
{
	char text[MM_ADDR_TEXT_MAX];
	return mm_arena_strdup(m->mem, mm_addr_text(a, text));
}

/* Only those that got their turn: the first that answers ends the race. */
static void put_addresses(const struct mm_maker *m, struct mm_endpoint_facts *out)
{
	const struct mm_dial *d = &m->a->line.dial;
	if (d->n == 0)
		return;
	struct mm_address_facts *list = mm_arena_alloc(m->mem, d->n, sizeof(*list));
	for (size_t i = 0; i < d->n && i < MM_ADDRESS_FACTS_MAX; i++)
		list[out->n_addresses++] = (struct mm_address_facts){
		    .ip = address_text(m, &d->addrs[i]),
		    .ms = d->ms[i],
		    .error = d->error[i] != 0 ? mm_arena_strdup(m->mem, strerror(d->error[i])) : "",
		};
	out->addresses = list;
}

static const char *mechanism(const struct mm_dialog *d)
{
	if (!d->auth_sent)
		return NULL;
	return mm_dialog_mech(d, d->used);
}

/* A list of words is longer than what mm_maker_clean() takes, and printable
 * already. */
static const char *words(const struct mm_maker *m, const char *list)
{
	const struct mm_secret *s = m->a->secret;
	bool reveals = s != NULL && mm_reveals(list, strlen(list), mm_secret_bytes(s), mm_secret_len(s));
	return mm_arena_strdup(m->mem, reveals ? MM_REDACT_WITHHELD : list);
}

struct mm_endpoint_facts mm_facts_endpoint(const struct mm_maker *m)
{
	struct mm_endpoint_facts out = {.greeting = NULL};
	const struct mm_dialog *d = m->a->signals.dialog;
	put_addresses(m, &out);
	if (d == NULL)
		return out;
	out.greeting = mm_maker_clean(m, d->first);
	out.mechanism = mechanism(d);
	out.cleartext_login = mm_dialog_cleartext(d);
	if (!d->caps_heard)
		return out;
	out.capabilities = words(m, d->caps);
	out.mechanisms = words(m, d->mech_names);
	out.size = d->size;
	return out;
}

/* ---- mailbox */

struct mm_mailbox_facts mm_facts_mailbox(const struct mm_maker *m)
{
	const struct mm_mailbox_seen *b = &m->a->after.mailbox.seen;
	return (struct mm_mailbox_facts){
	    .has_messages = b->has_messages,
	    .messages = b->messages,
	    .has_quota = b->quota.storage,
	    .quota_used = b->quota.used,
	    .quota_limit = b->quota.limit,
	};
}

/* ---- round trip */

struct mm_trip_facts mm_facts_trip(const struct mm_maker *m)
{
	static const char *const words[] = {[MM_TRIP_ARRIVED] = "arrived",
	    [MM_TRIP_BOUNCED] = "bounced",
	    [MM_TRIP_NOT_SEEN] = "not-seen",
	    [MM_TRIP_UNTESTED] = NULL};
	const struct mm_trip_seen *t = &m->a->signals.trip;
	struct mm_trip_facts out = {.state = words[t->state]};
	if (t->state != MM_TRIP_ARRIVED)
		return out;
	if (t->junk)
		out.state = "junk";
	out.folder = mm_maker_clean(m, t->folder);
	out.delay_ms = t->delay_ms;
	return out;
}

/* ---- time */

static int span(int64_t from, int64_t to)
{
	return from != 0 && to >= from ? (int)(to - from) : -1;
}

/* The greeting follows TLS, or the connection where STARTTLS comes later. */
struct mm_timing mm_facts_timing(const struct mm_attempt *a)
{
	struct mm_timing t = {
	    a->signals.gai == 0 ? a->dns_ms : -1, a->signals.dialled ? a->tcp_ms : -1, -1, -1, -1};
	const struct mm_talk *k = a->line.talk;
	if (k == NULL)
		return t;
	int64_t before = k->tls_done != 0 && k->tls_done <= k->greeted ? k->tls_done : k->began;
	t.tls = span(k->tls_began, k->tls_done);
	t.greeting = span(before, k->greeted);
	t.login = span(k->auth_began, k->auth_done);
	return t;
}
