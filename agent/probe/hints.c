#include "agent/probe/hints.h"

#include "agent/probe/lint.h"
#include "agent/probe/suggest.h"
#include "common/text.h"

struct hint {
	const struct mm_probe_task *t;
	const struct mm_secret *secret;
	struct mm_buf *out;
};

/* A phrase as a sentence. */
static void sentence(const struct hint *h, const char *begin, const char *phrase)
{
	char first = phrase[0];
	if (begin[0] == '\0' && first >= 'a' && first <= 'z')
		mm_buf_addf(h->out, "%c%s. ", first - 'a' + 'A', phrase + 1);
	else
		mm_buf_addf(h->out, "%s%s. ", begin, phrase);
}

static void about_host(const struct hint *h)
{
	struct mm_buf b = MM_BUF_INIT(2048);
	if (h->t->host != NULL && mm_lint_hostname(h->t->host, &b))
		sentence(h, "The server name: ", mm_buf_str(&b));
	mm_buf_free(&b);
}

static void about_port(const struct hint *h)
{
	struct mm_buf b = MM_BUF_INIT(1024);
	if (mm_lint_pair(h->t->protocol, h->t->port, h->t->security, &b))
		sentence(h, "", mm_buf_str(&b));
	mm_buf_free(&b);
}

static void about_login(const struct hint *h)
{
	const char *name = mm_suggest_username(h->t->username, NULL, h->t->address);
	const char *odd = h->secret != NULL
			      ? mm_password_oddity(mm_secret_bytes(h->secret), mm_secret_len(h->secret))
			      : NULL;
	if (name != NULL)
		mm_buf_addf(h->out, "%s ", name);
	if (odd != NULL)
		sentence(h, "The password ", odd);
}

static void about_address(const struct hint *h)
{
	struct mm_suggestion s;
	const char *address = h->t->sender != NULL ? h->t->sender : h->t->address;
	if (mm_suggest_domain(address, h->t->known, h->t->n_known, &s))
		mm_buf_addf(h->out, "Is the domain of the address %s? ", s.host);
}

void mm_hints(
    enum mm_cls cls, const struct mm_probe_task *t, const struct mm_secret *secret, struct mm_buf *out)
{
	static void (*const about[MM_CLS_COUNT])(const struct hint *) = {
	    [MM_CLS_BAD_HOST_SYNTAX] = about_host,
	    [MM_CLS_CONN_REFUSED] = about_port,
	    [MM_CLS_CONN_TIMEOUT] = about_port,
	    [MM_CLS_NO_GREETING] = about_port,
	    [MM_CLS_WRONG_PROTOCOL] = about_port,
	    [MM_CLS_TLS_TO_PLAIN_PORT] = about_port,
	    [MM_CLS_PLAIN_TO_TLS_PORT] = about_port,
	    [MM_CLS_STARTTLS_NOT_OFFERED] = about_port,
	    [MM_CLS_AUTH_NOT_OFFERED] = about_port,
	    [MM_CLS_AUTH_REJECTED] = about_login,
	    [MM_CLS_AUTH_UNCLEAR] = about_login,
	    [MM_CLS_SENDER_REJECTED] = about_address,
	    [MM_CLS_RCPT_REJECTED] = about_address,
	};
	const struct hint h = {t, secret, out};
	if (about[cls] != NULL)
		about[cls](&h);
}
