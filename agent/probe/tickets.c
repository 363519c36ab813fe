#include "agent/probe/tickets.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_krb5.h>
#include <string.h>

#include "agent/probe/clock.h"
#include "agent/probe/errand.h"
#include "common/mem.h"

struct mm_ticket {
	struct mm_errand errand; /* its key is "imap@host" */
	mm_ticket_fetch *fetch;
	int64_t asked;
	bool here, slow;
	char why[MM_TICKET_WHY_MAX];
};

struct mm_tickets {
	struct mm_errands *errands;
	mm_ticket_fetch *fetch;
};

/* ---- the Kerberos library */

static void add_status(struct mm_buf *out, OM_uint32 status, int type)
{
	OM_uint32 minor, more = 0;
	do {
		gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
		if (gss_display_status(&minor, status, type, GSS_C_NO_OID, &more, &text) != GSS_S_COMPLETE)
			return;
		mm_buf_addf(out, "%s%.*s", out->len > 0 ? ". " : "", (int)text.length, (char *)text.value);
		gss_release_buffer(&minor, &text);
	} while (more != 0);
}

/* As libcurl puts them together. */
static void put_words(char *why, OM_uint32 major, OM_uint32 minor)
{
	struct mm_buf b = MM_BUF_INIT(1024);
	add_status(&b, major, GSS_C_GSS_CODE);
	if (minor != 0)
		add_status(&b, minor, GSS_C_MECH_CODE);
	snprintf(why, MM_TICKET_WHY_MAX, "%s", mm_buf_str(&b));
	mm_buf_free(&b);
}

/* The beginning of a login that is not gone on with. */
static bool fetch_by_gss(const char *service, char *why)
{
	OM_uint32 minor, ignored;
	gss_name_t name = GSS_C_NO_NAME;
	gss_ctx_id_t context = GSS_C_NO_CONTEXT;
	gss_buffer_desc token = GSS_C_EMPTY_BUFFER, text = {.length = strlen(service)};
	memcpy(&text.value, &service, sizeof(text.value)); /* it is only read */
	OM_uint32 major = gss_import_name(&minor, &text, GSS_C_NT_HOSTBASED_SERVICE, &name);
	if (!GSS_ERROR(major))
		major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, &context, name,
		    (gss_OID)gss_mech_krb5, GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG, 0,
		    GSS_C_NO_CHANNEL_BINDINGS, GSS_C_NO_BUFFER, NULL, &token, NULL, NULL);
	if (GSS_ERROR(major))
		put_words(why, major, minor);
	gss_release_buffer(&ignored, &token);
	gss_delete_sec_context(&ignored, &context, GSS_C_NO_BUFFER);
	gss_release_name(&ignored, &name);
	return !GSS_ERROR(major);
}

/* ---- in a thread */

static void fetch(struct mm_errand *e)
{
	struct mm_ticket *t = (void *)e;
	t->here = t->fetch(e->key, t->why);
	if (!t->here)
		return;
	/* what will libcurl's own call take? */
	int64_t again = mm_clock_ms();
	t->here = t->fetch(e->key, t->why);
	t->slow = mm_clock_ms() - again >= MM_TICKET_SLOW_MS;
}

/* ---- for the owner */

struct mm_tickets *mm_tickets_new(mm_ticket_fetch *fetcher, void (*wake)(void *ctx), void *ctx)
{
	struct mm_tickets *t = mm_xcalloc(1, sizeof(*t));
	const struct mm_errands_opts o = {.size = sizeof(struct mm_ticket),
	    .threads = MM_TICKET_THREADS,
	    .run = fetch,
	    .wake = wake,
	    .ctx = ctx};
	t->errands = mm_errands_new(&o);
	t->fetch = fetcher != NULL ? fetcher : fetch_by_gss;
	return t;
}

bool mm_tickets_free(struct mm_tickets *t)
{
	if (t == NULL)
		return true;
	bool busy = mm_errands_busy(t->errands);
	mm_errands_free(t->errands);
	free(t);
	return !busy;
}

/* The names that libcurl asks for (RFC 5034 5, RFC 9051 6.2.2, RFC 4954 4). */
static const char *service_of(enum mm_mail m)
{
	return m == MM_MAIL_POP3 ? "pop" : mm_mail_word(m);
}

struct mm_ticket *mm_tickets_ask(struct mm_tickets *t, const struct mm_endpoint *ep)
{
	bool is_new;
	struct mm_buf key = MM_BUF_INIT(1024);
	mm_buf_addf(&key, "%s@%s", service_of(ep->mail), ep->host);
	struct mm_ticket *of = (void *)mm_errands_find(t->errands, mm_buf_str(&key), &is_new);
	mm_buf_free(&key);
	if (!is_new)
		return of;
	of->fetch = t->fetch;
	of->asked = mm_clock_ms();
	if (!mm_errands_send(t->errands, &of->errand)) {
		snprintf(of->why, sizeof(of->why), "no thread could be started");
		mm_errands_settle(t->errands, &of->errand);
	}
	return of;
}

bool mm_ticket_answer(
    struct mm_tickets *t, const struct mm_ticket *of, int limit_ms, int64_t now, struct mm_ticket_answer *out)
{
	bool done = mm_errand_done(t->errands, &of->errand);
	if (!done && now < mm_ticket_wake(of, limit_ms))
		return false;
	*out = (struct mm_ticket_answer){.why = MM_TICKET_SILENT};
	if (done)
		*out = (struct mm_ticket_answer){.why = of->here ? NULL : of->why, .slow = of->slow};
	return true;
}

int64_t mm_ticket_wake(const struct mm_ticket *of, int limit_ms)
{
	return of->asked + limit_ms;
}
