#include "agent/clients/alpine_server.h"

#include <string.h>

#include "common/text.h"

static const char *unquoted(const char *s, struct mm_arena *a)
{
	size_t n = strlen(s);

	return n >= 2 && s[0] == '"' && s[n - 1] == '"' ? mm_arena_strndup(a, s + 1, n - 2) : s;
}

/* The end of a flag: quotes hide a slash. */
static size_t flag_length(const char *s, const char *stop)
{
	bool quoted = false;
	size_t n = 0;

	for (; s[n] != '\0' && (quoted || strchr(stop, s[n]) == NULL); n++)
		if (s[n] == '"')
			quoted = !quoted;
	return n;
}

bool mm_pine_server_parse(const char *s, const char *stop, struct mm_arena *a, struct mm_pine_server *out)
{
	size_t n = strcspn(s, mm_arena_printf(a, ":/%s", stop));

	*out = (struct mm_pine_server){.tail = ""};
	if (s[0] == '[') /* an address literal */
		n = strcspn(s, "]") + (strchr(s, ']') != NULL);
	out->host = mm_arena_strndup(a, s, n);
	s += n;
	if (*s == ':') {
		n = strspn(s + 1, "0123456789");
		out->port = mm_arena_strndup(a, s + 1, n);
		s += n + 1;
	}
	while (*s == '/') {
		n = flag_length(s + 1, stop[0] == '}' ? "/}" : "/,");
		if (out->n == MM_PINE_FLAGS_MAX)
			return false;
		out->flags[out->n++] = mm_arena_strndup(a, s + 1, n);
		s += n + 1;
	}
	if (*s != '\0' && strchr(stop, *s) == NULL)
		return false;
	out->tail = *s == '}' ? s + 1 : s;
	return out->host[0] != '\0';
}

const char *mm_pine_flag(const struct mm_pine_server *s, const char *name, struct mm_arena *a)
{
	size_t k = strlen(name);

	for (size_t i = 0; i < s->n; i++)
		if (mm_streq_nocase(mm_arena_strndup(a, s->flags[i], strcspn(s->flags[i], "=")), name))
			return s->flags[i][k] == '=' ? unquoted(s->flags[i] + k + 1, a) : "";
	return NULL;
}

bool mm_pine_is_pop3(const struct mm_pine_server *s, struct mm_arena *a)
{
	const char *service = mm_pine_flag(s, "service", a);

	return mm_pine_flag(s, "pop3", a) != NULL || (service != NULL && mm_streq_nocase(service, "pop3"));
}

const char *mm_pine_security(const struct mm_pine_server *s, struct mm_arena *a)
{
	if (mm_pine_flag(s, "ssl", a) != NULL)
		return "tls";
	if (mm_pine_flag(s, "tls", a) != NULL || mm_pine_flag(s, "starttls", a) != NULL)
		return "starttls";
	return mm_pine_flag(s, "notls", a) != NULL ? "none" : "starttls if offered";
}

bool mm_pine_is_security_flag(const char *flag)
{
	static const char *const all[] = {
	    "ssl", "tls", "starttls", "notls", "novalidate-cert", "tls1", "tls1_1", "tls1_2", "tls1_3"};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (mm_streq_nocase(all[i], flag))
			return true;
	return false;
}

const char *mm_pine_quoted(const char *user, struct mm_arena *a)
{
	return strpbrk(user, "/@,}:=\" ") != NULL ? mm_arena_printf(a, "\"%s\"", user) : user;
}
