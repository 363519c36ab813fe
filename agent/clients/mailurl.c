#include "agent/clients/mailurl.h"

#include <string.h>

#include "agent/clients/folder.h"
#include "agent/clients/mutt_url.h"
#include "common/text.h"

static const char *lower(const char *s, size_t n, struct mm_arena *a)
{
	char *p = mm_arena_strndup(a, s, n);

	for (char *c = p; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return p;
}

/* The host and user part has one grammar everywhere: it is read as mutt reads that of imap://. */
bool mm_mail_url_parse(const char *s, struct mm_arena *a, struct mm_mail_url *out)
{
	const char *colon = strstr(s, "://"), *plus, *server;
	struct mm_mutt_url u;
	size_t n;

	if (colon == NULL || strpbrk(s, " \t") != NULL)
		return false;
	server = colon + 3;
	n = strcspn(server, "/?");
	plus = memchr(s, '+', (size_t)(colon - s));
	if (!mm_mutt_url_parse(mm_arena_printf(a, "imap://%.*s", (int)n, server), a, &u))
		return false;
	*out = (struct mm_mail_url){.scheme = lower(s, (size_t)((plus != NULL ? plus : colon) - s), a),
	    .mechanism = plus != NULL ? lower(plus + 1, (size_t)(colon - plus) - 1, a) : "",
	    .user = u.user,
	    .has_password = u.has_password,
	    .host = u.host,
	    .port = u.port,
	    .rest = mm_arena_strdup(a, server + n)};
	return true;
}

const char *mm_mail_url_print(const struct mm_mail_url *u, struct mm_arena *a)
{
	bool literal = strchr(u->host, ':') != NULL;
	struct mm_buf b = MM_BUF_INIT(65536);
	const char *out;

	mm_buf_addf(&b, "%s%s%s://", u->scheme, u->mechanism[0] != '\0' ? "+" : "", u->mechanism);
	if (u->user != NULL)
		mm_buf_addf(&b, "%s@", mm_percent(u->user, "-._~", a));
	mm_buf_addf(&b, "%s%s%s", literal ? "[" : "", u->host, literal ? "]" : "");
	if (u->port != NULL)
		mm_buf_addf(&b, ":%s", u->port);
	mm_buf_adds(&b, u->rest);
	out = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

/* The inside of a quoted string that begins behind s[0]; *end is behind the closing quote. */
static const char *quoted(const char *s, struct mm_arena *a, const char **end)
{
	char *p = mm_arena_alloc(a, strlen(s) + 1, 1), *w = p;

	for (s++; *s != '\0' && *s != '"'; s++) {
		if (*s == '\\' && s[1] != '\0')
			s++;
		*w++ = *s;
	}
	*end = *s == '"' ? s + 1 : s;
	return p;
}

const char *mm_mailbox_parse(const char *s, struct mm_arena *a, const char **name)
{
	const char *end, *inside;

	s += strspn(s, " \t");
	if (s[0] != '"')
		return mm_mutt_mailbox(s, a, name);
	inside = quoted(s, a, &end);
	end += strspn(end, " \t");
	if (end[0] != '<' || strchr(end, '>') == NULL)
		return mm_mutt_mailbox(s, a, name);
	*name = inside[0] != '\0' ? inside : NULL;
	return mm_arena_strndup(a, end + 1, strcspn(end + 1, ">"));
}

const char *mm_mailbox_print(const char *address, const char *name, struct mm_arena *a)
{
	char *p, *w;

	if (name == NULL || name[0] == '\0')
		return address;
	if (strpbrk(name, "()<>[]:;@\\,.\"'`=?") == NULL && name[0] != ' ' && name[strlen(name) - 1] != ' ')
		return mm_arena_printf(a, "%s <%s>", name, address);
	p = w = mm_arena_alloc(a, 2 * strlen(name) + 1, 1);
	for (; *name != '\0'; name++) {
		if (*name == '"' || *name == '\\')
			*w++ = '\\';
		*w++ = *name;
	}
	return mm_arena_printf(a, "\"%s\" <%s>", p, address);
}

const char *mm_joined(const struct mm_change *ch, const struct mm_seen_account *now, enum mm_setting s)
{
	if (ch->want->v[s] != NULL)
		return ch->want->v[s];
	if (now != NULL && now->s[s].value != NULL)
		return now->s[s].value;
	return ch->full->v[s];
}

bool mm_wants_any(const struct mm_change *ch, const enum mm_setting *s)
{
	for (; *s != MM_SET_NONE; s++)
		if (ch->want->v[*s] != NULL)
			return true;
	return false;
}
