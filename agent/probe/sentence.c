#include "agent/probe/sentence.h"

#include <string.h>

static const char *const names[MM_PLACE_COUNT] = {
    [MM_PLACE_HOST] = "host",
    [MM_PLACE_PORT] = "port",
    [MM_PLACE_PROTOCOL] = "protocol",
    [MM_PLACE_OTHER] = "other",
    [MM_PLACE_SECURITY] = "security",
    [MM_PLACE_DETAIL] = "detail",
    [MM_PLACE_MS] = "ms",
    [MM_PLACE_SERVER] = "server",
    [MM_PLACE_SUBJECT] = "subject",
    [MM_PLACE_ISSUER] = "issuer",
    [MM_PLACE_SAN] = "san",
    [MM_PLACE_CHAIN] = "chain",
    [MM_PLACE_FINGERPRINT] = "fingerprint",
    [MM_PLACE_PIN] = "pin",
    [MM_PLACE_BAD_SUBJECT] = "bad_subject",
    [MM_PLACE_NOT_BEFORE] = "not_before",
    [MM_PLACE_NOT_AFTER] = "not_after",
    [MM_PLACE_MECH] = "mech",
    [MM_PLACE_WANTED] = "wanted",
    [MM_PLACE_OFFERED] = "offered",
    [MM_PLACE_SENDER] = "sender",
};

static int find(const char *s, size_t n)
{
	for (int i = 0; i < MM_PLACE_COUNT; i++)
		if (strlen(names[i]) == n && memcmp(names[i], s, n) == 0)
			return i;
	return -1;
}

/* What stands in a place is from outside: its own end of sentence goes, so
 * that none stands twice. */
static void add_value(struct mm_buf *out, const char *v, bool ends)
{
	size_t n = v != NULL ? strlen(v) : 0;
	if (n == 0) {
		mm_buf_adds(out, "nothing");
		return;
	}
	if (ends && v[n - 1] == '.')
		n--;
	mm_buf_add(out, v, n);
}

int mm_sentence(const char *tmpl, const struct mm_places *p, struct mm_buf *out)
{
	for (const char *s = tmpl; *s != '\0';) {
		if (*s != '{') {
			mm_buf_addc(out, *s++);
			continue;
		}
		const char *end = strchr(s, '}');
		int place = end != NULL ? find(s + 1, (size_t)(end - s - 1)) : -1;
		if (place < 0)
			return -1;
		add_value(out, p->v[place], end[1] == '.');
		s = end + 1;
	}
	return 0;
}
