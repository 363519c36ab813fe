#include "agent/clients/mutt_url.h"

#include <string.h>

#include "agent/clients/folder.h"
#include "common/buf.h"
#include "common/text.h"

static const struct {
	const char *scheme, *protocol;
	bool tls;
} schemes[] = {
    {"imaps://", "imap", true},
    {"imap://", "imap", false},
    {"pops://", "pop3", true},
    {"pop://", "pop3", false},
    {"smtps://", "smtp", true},
    {"smtp://", "smtp", false},
};

static const char *decode(const char *s, size_t n, struct mm_arena *a)
{
	return mm_percent_decode(mm_arena_strndup(a, s, n), a);
}

/* [user[:password]@]host[:port], n bytes. */
static bool authority(const char *s, size_t n, struct mm_arena *a, struct mm_mutt_url *out)
{
	const char *at = n > 0 ? memrchr(s, '@', n) : NULL, *colon;
	size_t host;

	if (at != NULL) {
		size_t user = (size_t)(at - s);

		colon = memchr(s, ':', user);
		out->has_password = colon != NULL;
		out->user = decode(s, colon != NULL ? (size_t)(colon - s) : user, a);
		n -= user + 1;
		s = at + 1;
	}
	if (n > 0 && *s == '[') {
		const char *close = memchr(s, ']', n);

		if (close == NULL)
			return false;
		out->host = mm_arena_strndup(a, s + 1, (size_t)(close - s) - 1);
		host = (size_t)(close - s) + 1;
	} else {
		colon = n > 0 ? memchr(s, ':', n) : NULL;
		host = colon != NULL ? (size_t)(colon - s) : n;
		out->host = mm_arena_strndup(a, s, host);
	}
	if (host < n && s[host] == ':' && host + 1 < n)
		out->port = mm_arena_strndup(a, s + host + 1, n - host - 1);
	return out->host[0] != '\0';
}

static bool old_form(const char *s, struct mm_arena *a, struct mm_mutt_url *out)
{
	const char *close = strchr(s, '}');
	size_t n;

	if (s[0] != '{' || close == NULL)
		return false;
	n = strcspn(s + 1, "/}");
	out->protocol = "imap";
	out->tls = memmem(s, (size_t)(close - s), "/ssl", 4) != NULL;
	out->path = mm_arena_strdup(a, close + 1);
	return authority(s + 1, n, a, out);
}

bool mm_mutt_url_parse(const char *s, struct mm_arena *a, struct mm_mutt_url *out)
{
	*out = (struct mm_mutt_url){.path = ""};
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t skip = strlen(schemes[i].scheme), n;

		if (strncasecmp(s, schemes[i].scheme, skip) != 0)
			continue;
		out->protocol = schemes[i].protocol;
		out->tls = schemes[i].tls;
		n = strcspn(s + skip, "/");
		if (s[skip + n] == '/')
			out->path = mm_arena_strdup(a, s + skip + n + 1);
		return authority(s + skip, n, a, out);
	}
	return old_form(s, a, out);
}

bool mm_mutt_pop_host_parse(const char *s, struct mm_arena *a, struct mm_mutt_url *out)
{
	if (mm_mutt_url_parse(s, a, out))
		return mm_streq(out->protocol, "pop3");
	*out = (struct mm_mutt_url){.protocol = "pop3", .path = ""};
	return strchr(s, '/') == NULL && authority(s, strlen(s), a, out);
}

const char *mm_mutt_url_print(const struct mm_mutt_url *u, struct mm_arena *a)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	struct mm_buf b = MM_BUF_INIT(65536);
	const char *out;

	mm_buf_addf(&b, "%s%s://", mm_streq(u->protocol, "pop3") ? "pop" : u->protocol, u->tls ? "s" : "");
	for (const char *p = u->user != NULL ? u->user : ""; *p != '\0'; p++) {
		if (strchr(ok, *p) != NULL)
			mm_buf_addc(&b, *p);
		else
			mm_buf_addf(&b, "%%%02X", (unsigned char)*p);
	}
	if (u->user != NULL)
		mm_buf_addc(&b, '@');
	if (strchr(u->host, ':') != NULL)
		mm_buf_addf(&b, "[%s]", u->host);
	else
		mm_buf_adds(&b, u->host);
	mm_buf_addf(&b, ":%s/%s", u->port, u->path);
	out = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

const char *mm_mutt_mailbox(const char *from, struct mm_arena *a, const char **name)
{
	const char *open = strrchr(from, '<'), *close = open != NULL ? strchr(open, '>') : NULL;
	size_t n;

	*name = NULL;
	from += strspn(from, " \t");
	if (close == NULL) {
		n = strlen(from);
		while (n > 0 && (from[n - 1] == ' ' || from[n - 1] == '\t'))
			n--;
		return n > 0 ? mm_arena_strndup(a, from, n) : NULL;
	}
	n = (size_t)(open - from);
	while (n > 0 && (from[n - 1] == ' ' || from[n - 1] == '"'))
		n--;
	while (n > 0 && from[0] == '"') {
		from++;
		n--;
	}
	if (n > 0)
		*name = mm_arena_strndup(a, from, n);
	return mm_arena_strndup(a, open + 1, (size_t)(close - open) - 1);
}
