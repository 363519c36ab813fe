#include "agent/clients/alpine_from.h"

#include <string.h>
#include <strings.h>

#include "agent/clients/keys.h"
#include "common/text.h"

#define FROM "from:"
#define BLANKS " \t"

/* To the comma behind the entry, or the end. */
static size_t entry_len(const char *p)
{
	bool quoted = false;
	size_t n = 0;

	for (; p[n] != '\0' && (quoted || p[n] != ','); n++)
		quoted ^= p[n] == '"';
	return n;
}

/* The first From: where it starts and how long it is; false without one. */
static bool find(const char *list, const char **entry, size_t *n)
{
	for (const char *p = list; p != NULL && *p != '\0';) {
		p += strspn(p, BLANKS);
		*entry = p;
		*n = entry_len(p);
		if (strncasecmp(p, FROM, strlen(FROM)) == 0)
			return true;
		p += *n;
		p += *p == ',';
	}
	return false;
}

const char *mm_pine_from(const char *list, struct mm_arena *a)
{
	const char *entry;
	size_t n, skip = strlen(FROM);

	if (!find(list, &entry, &n))
		return NULL;
	skip += strspn(entry + skip, BLANKS);
	while (n > skip && strchr(BLANKS, entry[n - 1]) != NULL)
		n--;
	return n > skip ? mm_arena_strndup(a, entry + skip, n - skip) : NULL;
}

const char *mm_pine_with_from(const char *list, const char *mailbox, struct mm_arena *a)
{
	const char *entry;
	size_t n;

	if (find(list, &entry, &n))
		return mm_arena_printf(a, "%.*sFrom: %s%s", (int)(entry - list), list, mailbox, entry + n);
	return list == NULL || list[0] == '\0' ? mm_arena_printf(a, "From: %s", mailbox)
					       : mm_arena_printf(a, "From: %s,%s", mailbox, list);
}

bool mm_pine_forbids_from(const char *features)
{
	static const char word[] = "allow-changing-from";
	bool forbids = false;

	for (const char *p = features; p != NULL && *p != '\0';) {
		p += strspn(p, BLANKS);
		size_t n = strcspn(p, "," BLANKS);
		if (n == strlen(word) + 3 && strncasecmp(p, "no-", 3) == 0 &&
		    strncasecmp(p + 3, word, strlen(word)) == 0)
			forbids = true;
		else if (n == strlen(word) && strncasecmp(p, word, n) == 0)
			forbids = false;
		p += n;
		p += strspn(p, BLANKS ",");
	}
	return forbids;
}

#define SEALED "-----BEGIN PKCS7-----"
#define LOCKED_KEY "-----BEGIN ENCRYPTED PRIVATE KEY-----"

static bool begins_with(struct mm_reader *r, const char *path, const char *mark)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_text t;
	return mm_read_text(r, path, &t, &err) == 1 && t.n > strlen(mark) &&
	       memcmp(t.p, mark, strlen(mark)) == 0;
}

/* The key to it lies beside Alpine's other ones, and opens with what the user types at each start. */
static bool is_locked(struct mm_reader *r)
{
	const char *folder = mm_home_path(r, ".alpine-smime/.pwd");
	const char *const *names;
	struct mm_err err = MM_ERR_NONE;
	size_t n = 0;
	if (r->list(r, folder, &names, &err) != 1)
		return false;
	for (; *names != NULL; names++) {
		if (!mm_ends_with(*names, ".key"))
			continue;
		if (!begins_with(r, mm_arena_printf(r->arena, "%s/%s", folder, *names), LOCKED_KEY))
			return false;
		n++;
	}
	return n > 0;
}

void mm_pine_passfile(struct mm_reader *r, struct mm_seen_account *acc)
{
	static const enum mm_setting sides[] = {MM_SET_IN_PASSWORD_COMMAND, MM_SET_OUT_PASSWORD_COMMAND};
	const struct mm_native at = {.path = mm_home_path(r, ".pine-passfile")};
	struct mm_err err = MM_ERR_NONE;
	struct mm_text t;

	if (mm_read_text(r, at.path, &t, &err) != 1 || t.n == 0)
		return;
	bool sealed = begins_with(r, at.path, SEALED);
	if (sealed && is_locked(r))
		return;
	for (size_t i = 0; i < 2; i++)
		mm_see_unsure(&acc->s[sides[i]], at,
		    sealed
			? "passwords are kept there encrypted, and whether the key to them is, is not known"
			: "passwords are kept there, and not encrypted in a way that is known here");
}
