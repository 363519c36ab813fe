#include "agent/probe/lint.h"

#include <string.h>

#include "agent/probe/suggest.h"
#include "common/text.h"

/* ---- names */

static bool has_port(const char *s)
{
	size_t n = strlen(s);
	size_t digits = 0;
	while (digits < n && s[n - 1 - digits] >= '0' && s[n - 1 - digits] <= '9')
		digits++;
	/* one colon only: several are an IPv6 address */
	return digits > 0 && digits < n && s[n - 1 - digits] == ':' && strchr(s, ':') == s + n - 1 - digits;
}

static bool has_blank_edge(const char *s)
{
	size_t n = strlen(s);
	return n > 0 && (strchr(" \t\r\n", s[0]) != NULL || strchr(" \t\r\n", s[n - 1]) != NULL);
}

static bool has_high(const char *s)
{
	while (*s != '\0' && (unsigned char)*s < 0x80)
		s++;
	return *s != '\0';
}

static void phrase(struct mm_buf *out, bool wrong, const char *text)
{
	if (wrong)
		mm_buf_addf(out, "%s%s", out->len > 0 ? "; " : "", text);
}

bool mm_lint_hostname(const char *typed, struct mm_buf *out)
{
	char clean[MM_SUGGEST_MAX];
	size_t begin = out->len, n = strlen(typed);
	struct mm_buf b = MM_BUF_INIT(1024);
	const char *rest = strstr(typed, "://");
	if (typed[0] == '\0' || mm_is_hostname(typed))
		return false;
	phrase(&b, has_blank_edge(typed), "it begins or ends with a blank");
	phrase(&b, rest != NULL, "it begins with a scheme, as an address in a browser does");
	rest = rest != NULL ? rest + 3 : typed;
	phrase(&b, strchr(rest, '@') != NULL, "it holds an @, as a mail address does");
	phrase(&b, strchr(rest, ',') != NULL, "it holds a comma where a dot belongs");
	phrase(&b, has_port(typed) || (strchr(rest, ':') != NULL && strchr(rest, ':') == strrchr(rest, ':')),
	    "the port is part of it, and has a place of its own");
	phrase(&b, strchr(rest, '/') != NULL, "it holds a slash");
	phrase(&b, n > 1 && typed[n - 1] == '.', "it ends with a dot");
	phrase(&b, has_high(typed), "it holds letters that are not ASCII");
	if (b.len > 0)
		mm_buf_add(out, b.data, b.len);
	if (b.len > 0 && mm_host_clean(typed, clean))
		mm_buf_addf(out, "; meant is perhaps %s", clean);
	mm_buf_free(&b);
	return out->len > begin;
}

/* ---- protocol, port and security */

const struct mm_pair mm_pairs[] = {
    {"imap", 993, "tls"},
    {"imap", 143, "starttls"},
    {"pop3", 995, "tls"},
    {"pop3", 110, "starttls"},
    {"smtp", 465, "tls"},
    {"smtp", 587, "starttls"},
    {NULL, 0, NULL},
};

static const struct mm_pair *by_port(int port)
{
	const struct mm_pair *p = mm_pairs;
	while (p->protocol != NULL && p->port != port)
		p++;
	return p->protocol != NULL ? p : NULL;
}

static const struct mm_pair *usual(const char *protocol, const char *security)
{
	const struct mm_pair *p = mm_pairs;
	while (p->protocol != NULL && !(mm_streq(p->protocol, protocol) && mm_streq(p->security, security)))
		p++;
	return p->protocol != NULL ? p : NULL;
}

static const char *words(const char *security)
{
	return mm_streq(security, "tls") ? "TLS from the beginning" : "STARTTLS";
}

static const char *label(const char *protocol)
{
	return mm_streq(protocol, "imap") ? "IMAP" : mm_streq(protocol, "pop3") ? "POP3" : "SMTP";
}

bool mm_lint_pair(const char *protocol, int port, const char *security, struct mm_buf *out)
{
	const struct mm_pair *here = by_port(port), *there = usual(protocol, security);
	if (mm_streq(protocol, "smtp") && port == 25) {
		mm_buf_adds(out, "port 25 is for mail between servers; programs send by port 465 (TLS from "
				 "the beginning) or 587 (STARTTLS)");
		return true;
	}
	if (here == NULL || (mm_streq(here->protocol, protocol) && mm_streq(here->security, security)))
		return false;
	/* no encryption on the port of STARTTLS is the old way, and the policy's to allow */
	if (mm_streq(here->protocol, protocol) && there == NULL && mm_streq(here->security, "starttls"))
		return false;
	mm_buf_addf(out, "port %d is for %s with %s", port, label(here->protocol), words(here->security));
	if (there != NULL)
		mm_buf_addf(out, "; %s with %s is on port %d", label(protocol), words(security), there->port);
	return true;
}
