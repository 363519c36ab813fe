/*
 * Remarks beside the verdict, from what the test's own connection showed. A
 * remark never changes a verdict.
 */
#include <string.h>
#include <time.h>

#include "agent/probe/maker.h"

#define DAY 86400
#define SOON_DAYS 21
#define VERY_SOON_DAYS 7
#define SLOW_GREETING_MS 3000

struct notes {
	struct mm_maker m; /* its places are changed for each remark */
	struct mm_login *out;
	int64_t now;
};

static void add(struct notes *n, enum mm_cls cls, const char *detail)
{
	mm_note_add(&n->m, cls, detail, n->out);
}

void mm_note_add(const struct mm_maker *of, enum mm_cls cls, const char *detail, struct mm_login *out)
{
	struct mm_maker m = *of;
	struct mm_ladder *l = &out->ladder;
	const struct mm_cls_def *def = mm_cls_def(cls);
	if (l->n_notes == MM_NOTES_MAX)
		return;
	m.places.v[MM_PLACE_DETAIL] = detail;
	struct mm_note *list = mm_arena_alloc(m.mem, l->n_notes + 1, sizeof(*list));
	if (l->n_notes > 0)
		memcpy(list, l->notes, l->n_notes * sizeof(*list));
	list[l->n_notes] = (struct mm_note){
	    .cls = def->word,
	    .text = def->user[0] != '\0' ? mm_maker_sentence(&m, def->user) : "",
	    .admin = mm_maker_sentence(&m, def->admin),
	};
	if (def->fix != NULL)
		list[l->n_notes].admin =
		    mm_arena_printf(m.mem, "%s %s", list[l->n_notes].admin, mm_maker_sentence(&m, def->fix));
	l->notes = list;
	l->n_notes++;
}

/* ---- certificate */

static void note_expiry(struct notes *n, const struct mm_tls_watch *w)
{
	int64_t left = w->cert.not_after - n->now;
	if (left < 0 || left >= SOON_DAYS * DAY)
		return;
	const char *when = mm_arena_printf(n->m.mem, "in %lld days", (long long)(left / DAY));
	if (left < VERY_SOON_DAYS * DAY)
		when =
		    mm_arena_printf(n->m.mem, "within a week (%s)", left < DAY ? "today or tomorrow" : when);
	add(n, MM_CLS_CERT_EXPIRES_SOON, when);
}

static void note_weak(struct notes *n, const struct mm_tls_watch *w)
{
	for (size_t i = 0; i < w->n_links; i++) {
		const struct mm_chain_link *l = &w->links[i];
		if (!l->weak)
			continue;
		add(n, MM_CLS_CERT_WEAK_SOON,
		    mm_arena_printf(n->m.mem, "%s: %s, %s", l->subject, l->key, l->signature));
		return;
	}
}

/* Only of a certificate that was accepted: another one is the verdict. */
static void note_cert(struct notes *n, const struct mm_signals *s)
{
	const struct mm_tls_watch *w = s->tls;
	if (!w->done || !w->have_cert || w->trouble != MM_CERT_OK || s->end == MM_END_CERT ||
	    s->end == MM_END_PIN)
		return;
	note_expiry(n, w);
	if (!w->name_match)
		add(n, MM_CLS_CERT_NO_SAN, NULL);
	note_weak(n, w);
}

/* ---- dialog */

/* Refused for what it is, although it was offered (RFC 4954 4 and 6; RFC 5530
 * CANNOT; the ticket service knows no such server). */
static bool is_refused_by_kind(const struct notes *n, const struct mm_signals *s)
{
	const struct mm_dialog *d = s->dialog;
	enum mm_cls cls = n->m.cls;
	if (s->ep->auth->ticket && s->gss != NULL)
		return strcasestr(s->gss, "not found in Kerberos database") != NULL;
	if (d->auth_reply != MM_REPLY_NO)
		return false;
	return cls == MM_CLS_AUTH_MECH_NOT_OFFERED || cls == MM_CLS_AUTH_NEEDS_TLS ||
	       strcasestr(d->auth_text, "[CANNOT]") != NULL;
}

/* EXTERNAL takes the name from a certificate, and none was asked for in this
 * TLS session (RFC 4422 A). Where we had one, OpenSSL does not tell whether it was. */
static bool is_external_useless(const struct mm_signals *s)
{
	return s->tls->done && !s->tls->client_cert_asked && !s->ep->has_certificate &&
	       (s->dialog->mechs & MM_MECH_BIT(MM_MECH_EXTERNAL)) != 0;
}

/* Offered, and it cannot work; what is only likely, such as CRAM-MD5 over
 * hashed passwords, is said in the advice. */
static void note_mechs(struct notes *n, const struct mm_signals *s)
{
	const struct mm_dialog *d = s->dialog;
	enum mm_mech tried = s->ep->auth->ticket ? MM_MECH_GSSAPI : d->used;
	if ((d->mechs & MM_MECH_BIT(tried)) != 0 && is_refused_by_kind(n, s))
		add(n, MM_CLS_MECH_UNUSABLE, mm_dialog_mech(d, tried));
	if (is_external_useless(s))
		add(n, MM_CLS_MECH_UNUSABLE, mm_mech_name(MM_MECH_EXTERNAL));
	if (d->plus_in_clear)
		add(n, MM_CLS_MECH_UNUSABLE, "channel binding (-PLUS) without TLS");
}

/* Once: not where the verdict tells it. */
static void note_alert(struct notes *n, const char *line)
{
	const char *words = line[0] != '\0' ? mm_maker_clean(&n->m, mm_words_alert(line)) : NULL;
	const char *told = n->out->result != MM_LOGIN_PASSED ? n->out->server_text : NULL;
	if (words == NULL || (told != NULL && strstr(told, words) != NULL))
		return;
	n->m.places.v[MM_PLACE_SERVER] = words;
	add(n, MM_CLS_SERVER_ALERT, NULL);
}

static void note_dialog(struct notes *n, const struct mm_signals *s)
{
	const struct mm_dialog *d = s->dialog;
	note_alert(n, d->alert);
	if (n->m.a->ep.security == MM_SEC_STARTTLS && mm_dialog_cleartext(d) == MM_YES)
		add(n, MM_CLS_CLEARTEXT_LOGIN, NULL);
	note_mechs(n, s);
	if (n->out->timing.greeting >= SLOW_GREETING_MS) {
		n->m.places.v[MM_PLACE_MS] = mm_arena_printf(n->m.mem, "%d", n->out->timing.greeting);
		add(n, MM_CLS_SLOW_GREETING, NULL);
	}
}

static const char *quota_text(const struct notes *n, const struct mm_quota *q)
{
	if (q->storage && q->used >= q->limit / 100 * MM_QUOTA_NEAR)
		return mm_arena_printf(n->m.mem, "%lld of %lld KiB", (long long)q->used, (long long)q->limit);
	return mm_arena_printf(
	    n->m.mem, "%lld of %lld messages", (long long)q->count, (long long)q->count_limit);
}

static void note_trip(struct notes *n, const struct mm_trip_seen *t)
{
	if (t->state == MM_TRIP_ARRIVED && t->junk)
		add(n, MM_CLS_TRIP_JUNK, mm_maker_clean(&n->m, t->folder));
	if (t->left_over)
		add(n, MM_CLS_TRIP_LEFT_OVER, mm_maker_clean(&n->m, t->left_in));
}

/* Not where the verdict says it. */
static void note_between(struct notes *n, const struct mm_signals *s)
{
	const char *cert = n->m.cls != MM_CLS_TLS_INTERCEPTED ? s->between_cert : NULL;
	if (cert != NULL)
		add(n, MM_CLS_PROXY_SEEN,
		    mm_arena_printf(n->m.mem, "%s: the server's certificate is of its making", cert));
	else if (s->between_words != NULL && n->m.cls != MM_CLS_STARTTLS_STRIPPED)
		add(n, MM_CLS_PROXY_SEEN,
		    mm_arena_printf(n->m.mem, "%s: the greeting is its own", s->between_words));
}

static void note_after(struct notes *n, const struct mm_after *a)
{
	const struct mm_mailbox_seen *b = &a->mailbox.seen;
	const struct mm_sender_seen *s = &a->sender.seen;
	note_alert(n, b->alert);
	if (mm_quota_near(&b->quota))
		add(n, MM_CLS_OVERQUOTA, quota_text(n, &b->quota));
	note_trip(n, &n->m.a->signals.trip);
	if (!s->run || mm_cls_def(s->cls)->severity != MM_SEV_REMARK)
		return;
	n->m.places.v[MM_PLACE_SERVER] = mm_maker_clean(&n->m, s->said);
	add(n, s->cls, n->m.places.v[MM_PLACE_SERVER]);
}

void mm_notes_make(const struct mm_maker *m, struct mm_login *out)
{
	struct notes n = {.m = *m, .out = out, .now = (int64_t)time(NULL)};
	const struct mm_signals *s = &m->a->signals;
	if (s->dialog == NULL)
		return;
	note_cert(&n, s);
	note_dialog(&n, s);
	note_between(&n, s);
	note_after(&n, &m->a->after);
}
