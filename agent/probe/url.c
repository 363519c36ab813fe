#include "agent/probe/url.h"

#include <string.h>
#include <strings.h>

#include "common/digest.h"
#include "common/text.h"

static const struct scheme {
	const char *word, *protocol, *security;
	bool fixed; /* the scheme says the security, nothing else may */
} schemes[] = {
    {"imaps", "imap", "tls", true},
    {"imap+starttls", "imap", "starttls", true},
    {"imap", "imap", "starttls", false},
    {"pop3s", "pop3", "tls", true},
    {"pop3+starttls", "pop3", "starttls", true},
    {"pop3", "pop3", "starttls", false},
    {"smtps", "smtp", "tls", true},
    {"submissions", "smtp", "tls", true},
    {"smtp+starttls", "smtp", "starttls", true},
    {"submission", "smtp", "starttls", false},
    {"smtp", "smtp", "starttls", false},
    {NULL, NULL, NULL, false},
};

static const struct scheme *find_scheme(const char *s, size_t n)
{
	const struct scheme *sc = schemes;
	while (sc->word != NULL && (strlen(sc->word) != n || strncasecmp(sc->word, s, n) != 0))
		sc++;
	return sc->word != NULL ? sc : NULL;
}

static int usage(struct mm_err *err, const char *what)
{
	return mm_err_set(err, MM_EX_USAGE, "%s; wanted is SCHEME://[USER@]HOST[:PORT]", what);
}

/* %XX; a NUL or another control character is no part of a name. */
static int decode_user(const char *s, size_t n, struct mm_arena *a, const char **out, struct mm_err *err)
{
	char *to = mm_arena_alloc(a, n + 1, 1);
	*out = to;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];
		if (c == ':')
			return usage(err, "no password in the address, it is asked for");
		if (c == '%') {
			char hex[3] = {0};
			memcpy(hex, s + i + 1, n - i - 1 < 2 ? n - i - 1 : 2);
			if (mm_unhex(hex, &c, 1) != 0)
				return usage(err, "the user name has a % without two hexadecimal digits");
			i += 2;
		}
		if ((unsigned char)c < ' ' || c == 0x7f)
			return usage(err, "the user name has a control character");
		*to++ = c;
	}
	return 0;
}

/* HOST, HOST:PORT, [V6], [V6]:PORT; port 0 = none was given. */
static int split_host(const char *s, struct mm_arena *a, const char **host, int *port, struct mm_err *err)
{
	const char *end;
	if (s[0] == '[') {
		end = strchr(s, ']');
		if (end == NULL)
			return usage(err, "the address has no closing bracket");
		*host = mm_arena_strndup(a, s + 1, (size_t)(end - s - 1));
		end++;
	} else {
		end = s + strcspn(s, ":");
		*host = mm_arena_strndup(a, s, (size_t)(end - s));
	}
	int64_t n = 0;
	if (strpbrk(end, "/?#") != NULL || strpbrk(*host, "/?#") != NULL)
		return usage(err, "a folder or a path is no part of the address");
	if (*end != '\0' && (*end != ':' || mm_parse_int(end + 1, 1, 65535, &n) != 0))
		return usage(err, "the port is not a number from 1 to 65535");
	*port = (int)n;
	return **host != '\0' ? 0 : usage(err, "the server name is missing");
}

/* Typed without "://": a mail address, or only a host. */
static int no_scheme(const char *s, struct mm_err *err)
{
	static const char *const likely[][2] = {
	    {"smtp", "submissions"}, {"submission", "submissions"}, {"pop", "pop3s"}, {"", "imaps"}};
	if (strchr(s, '@') != NULL && strpbrk(s, "/: ") == NULL)
		return mm_err_set(
		    err, MM_EX_USAGE, "%s is a mail address; its servers are found with --discover %s", s, s);
	if (!mm_is_hostname(s))
		return usage(err, "this is not an address of a mail server");
	size_t i = 0;
	while (!mm_starts_with(s, likely[i][0]))
		i++;
	return mm_err_set(err, MM_EX_USAGE, "a scheme is missing; did you mean %s://%s?", likely[i][1], s);
}

int mm_probe_url_parse(
    const char *url, const char *security, struct mm_arena *a, struct mm_probe_task *out, struct mm_err *err)
{
	const char *sep = strstr(url, "://");
	if (strlen(url) > MM_URL_MAX)
		return usage(err, "this is not an address of a mail server");
	if (sep == NULL)
		return no_scheme(url, err);
	const struct scheme *sc = find_scheme(url, (size_t)(sep - url));
	if (sc == NULL)
		return usage(err, "the scheme is none of imap, imaps, pop3, pop3s, smtp, smtps, submission,"
				  " submissions");
	if (security != NULL && sc->fixed && !mm_streq(security, sc->security))
		return usage(err, "--security contradicts the scheme");
	const char *sec = security != NULL ? security : sc->security;
	const char *rest = sep + 3, *user = NULL, *host;
	const char *at = strrchr(rest, '@');
	if (at != NULL && decode_user(rest, (size_t)(at - rest), a, &user, err) != 0)
		return -1;
	int port;
	const char *place = at != NULL ? at + 1 : rest;
	size_t len = strlen(place);
	if (len > 0 && place[len - 1] == '/')
		len--;
	if (split_host(mm_arena_strndup(a, place, len), a, &host, &port, err) != 0)
		return -1;
	out->protocol = sc->protocol;
	out->security = sec;
	out->host = host;
	out->port = port != 0 ? port : mm_default_port(sc->protocol, sec);
	out->username = user != NULL && user[0] != '\0' ? user : NULL;
	return 0;
}
