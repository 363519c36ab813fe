/* What to do: the class's own fix, and what was probably meant. */
#include <string.h>

#include "agent/probe/hints.h"
#include "agent/probe/maker.h"
#include "agent/probe/suggest.h"
#include "common/text.h"

/* Without an answer the kernel gives a neighbour up after 3 s. */
#define REJECTED_MS 1000
#define MM_DIGESTS                                                                                           \
	(MM_MECH_BIT(MM_MECH_CRAM_MD5) | MM_MECH_BIT(MM_MECH_DIGEST_MD5) | MM_MECH_BIT(MM_MECH_APOP))

static bool is_about_the_name(enum mm_cls cls)
{
	return cls == MM_CLS_NOT_IN_POLICY || cls == MM_CLS_DNS_NO_SUCH_NAME ||
	       cls == MM_CLS_DNS_NO_ADDRESS || cls == MM_CLS_BAD_HOST_SYNTAX ||
	       cls == MM_CLS_CERT_NAME_MISMATCH;
}

/* Of the user's address, or of a user name that is one; NULL: not known. */
static const char *domain_of(const struct mm_probe_task *t)
{
	const char *const texts[] = {t->address, t->sender, t->username};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *at = texts[i] != NULL ? strrchr(texts[i], '@') : NULL;
		if (at != NULL && at[1] != '\0')
			return at + 1;
	}
	return NULL;
}

static const char *meant(const struct mm_maker *m)
{
	const struct mm_probe_task *t = m->task;
	struct mm_suggestion s;
	if (!is_about_the_name(m->cls) || t->host == NULL ||
	    !mm_suggest_host(t->host, t->known, t->n_known, domain_of(t), &s))
		return NULL;
	return mm_arena_printf(m->mem, "Did you mean %s%s?", s.host,
	    s.known != NULL ? "" : ", the usual name in the domain of the address");
}

/* A refusal for good is about this address (RFC 5321 4.2.1): later is no better. */
static const char *fix_of(const struct mm_maker *m)
{
	const struct mm_dialog *d = m->a != NULL ? m->a->signals.dialog : NULL;
	if (m->cls == MM_CLS_SERVER_REFUSES && d != NULL && d->first[0] == '5')
		return "Ask who runs {host} why the address of this computer is blocked (a block list?).";
	if (m->cls == MM_CLS_HOST_UNREACHABLE && m->a != NULL)
		return m->a->tcp_ms < REJECTED_MS ? "Allow port {port} to {host} in the firewall."
						  : "Bring the machine {host} up, or correct its address.";
	return mm_cls_def(m->cls)->fix;
}

/* What only the talk tells. */
static const char *talk_hint(const struct mm_maker *m)
{
	const struct mm_signals *s = &m->a->signals;
	if (m->cls == MM_CLS_AUTH_REJECTED && (MM_MECH_BIT(s->dialog->used) & MM_DIGESTS) != 0)
		return mm_arena_printf(m->mem,
		    "A server that stores passwords as hashes refuses %s with the right password, too: try "
		    "auth "
		    "plain over TLS. ",
		    mm_mech_name(s->dialog->used));
	/* refused or dropped by it, and not by the server */
	if (s->between_words != NULL && (m->cls == MM_CLS_SERVER_REFUSES || m->cls == MM_CLS_CONN_DROPPED))
		return mm_arena_printf(
		    m->mem, "These are the words of %s: switch its mail scanning off. ", s->between_words);
	if (m->cls == MM_CLS_CERT_UNKNOWN_CA && s->tls->chain == 1 && s->tls->issuer_url[0] != '\0')
		return mm_arena_printf(m->mem,
		    "The certificate between seems to be missing; its issuer publishes it at %s. ",
		    s->tls->issuer_url);
	return "";
}

const char *mm_advice_make(const struct mm_maker *m)
{
	const char *tmpl = fix_of(m);
	const char *fix = tmpl != NULL ? mm_maker_sentence(m, tmpl) : "";
	const char *name = meant(m);
	struct mm_buf hints = MM_BUF_INIT(4096);
	mm_hints(m->cls, m->task, m->a != NULL ? m->a->secret : NULL, &hints);
	const char *all = mm_arena_printf(m->mem, "%s%s%s%s%s", name != NULL ? name : "",
	    name != NULL ? " " : "", mm_buf_str(&hints), m->a != NULL ? talk_hint(m) : "", fix);
	mm_buf_free(&hints);
	return all;
}
