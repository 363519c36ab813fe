#include "agent/probe/srv.h"

#include <arpa/nameser.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#define SRV_FIXED 6 /* priority, weight, port */

const struct mm_srv_service mm_srv_services[MM_SRV_SERVICES] = {
    {"_imaps._tcp", "imap", "tls"},
    {"_imap._tcp", "imap", "starttls"},
    {"_pop3s._tcp", "pop3", "tls"},
    {"_pop3._tcp", "pop3", "starttls"},
    {"_submissions._tcp", "smtp", "tls"},
    {"_submission._tcp", "smtp", "starttls"},
};

static int number(const unsigned char *p)
{
	return (p[0] << 8) | p[1];
}

static const char *host_of(const char *name, struct mm_arena *mem)
{
	size_t n = strlen(name);
	if (n > 0 && name[n - 1] == '.')
		n--;
	char *host = mm_arena_strndup(mem, name, n);
	for (char *s = host; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
	return mm_is_hostname(host) ? host : NULL;
}

/* `seen` counts the records that say ".". */
static void take(
    const ns_msg *m, const ns_rr *rr, struct mm_arena *mem, struct mm_srv_answer *out, size_t *seen)
{
	char name[NS_MAXDNAME];
	if (ns_rr_type(*rr) != ns_t_srv || ns_rr_class(*rr) != ns_c_in || ns_rr_rdlen(*rr) <= SRV_FIXED)
		return;
	const unsigned char *p = ns_rr_rdata(*rr);
	if (ns_name_uncompress(ns_msg_base(*m), ns_msg_end(*m), p + SRV_FIXED, name, sizeof(name)) < 0)
		return;
	if (name[0] == '\0' || strcmp(name, ".") == 0) {
		++*seen;
		return;
	}
	const char *host = host_of(name, mem);
	int port = number(p + 4);
	if (host == NULL || port == 0 || out->n == MM_SRV_MAX)
		return;
	out->srv[out->n++] =
	    (struct mm_srv){.host = host, .port = port, .priority = number(p), .weight = number(p + 2)};
}

static int by_worth(const void *a, const void *b)
{
	const struct mm_srv *x = a, *y = b;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	int rc = strcmp(x->host, y->host);
	return rc != 0 ? rc : (x->port > y->port) - (x->port < y->port);
}

int mm_srv_parse(
    const unsigned char *p, size_t n, struct mm_arena *mem, struct mm_srv_answer *out, struct mm_err *err)
{
	ns_msg m;
	struct mm_srv_answer a = {.n = 0};
	size_t dots = 0;
	if (n > MM_SRV_ANSWER_MAX || ns_initparse(p, (int)n, &m) < 0)
		return mm_err_set(err, MM_EX_DATAERR, "the name server's answer is damaged");
	int count = ns_msg_count(m, ns_s_an);
	for (int i = 0; i < count; i++) {
		ns_rr rr;
		if (ns_parserr(&m, ns_s_an, i, &rr) < 0)
			return mm_err_set(err, MM_EX_DATAERR, "the name server's answer is damaged");
		take(&m, &rr, mem, &a, &dots);
	}
	a.not_offered = dots > 0 && a.n == 0;
	a.dnssec = ns_msg_getflag(m, ns_f_ad) != 0;
	qsort(a.srv, a.n, sizeof(a.srv[0]), by_worth);
	*out = a;
	return 0;
}
