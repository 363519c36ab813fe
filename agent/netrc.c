#include "agent/netrc.h"

#include <stdbool.h>
#include <string.h>

#include "agent/formats/netrc_lex.h"
#include "common/text.h"

/* A word that has to be there behind a keyword. */
static int value(struct mm_netrc_lexer *l)
{
	return mm_netrc_next(l) > 0 ? 0 : -1;
}

struct entry {
	bool open; /* the machine is the one that is looked for */
	bool login_fits, has_password;
};

static bool is_ours(const struct entry *e)
{
	return e->open && e->login_fits && e->has_password;
}

static int take_machine(struct mm_netrc_lexer *l, const char *machine, struct entry *e)
{
	if (value(l) != 0)
		return -1;
	*e = (struct entry){.open = mm_streq_nocase(l->word, machine)};
	return 0;
}

static int take_login(struct mm_netrc_lexer *l, const char *login, struct entry *e)
{
	if (value(l) != 0)
		return -1;
	e->login_fits = strcmp(l->word, login) == 0;
	return 0;
}

static int take_password(struct mm_netrc_lexer *l, struct entry *e, struct mm_secret *out)
{
	if (value(l) != 0)
		return -1;
	if (!e->open)
		return 0;
	e->has_password = true;
	return mm_secret_set(out, l->word, l->len, NULL);
}

static bool begins_entry(const struct mm_netrc_lexer *l)
{
	return mm_netrc_is(l, "machine") || mm_netrc_is(l, "default");
}

static int take(
    struct mm_netrc_lexer *l, const char *machine, const char *login, struct entry *e, struct mm_secret *out)
{
	if (mm_netrc_is(l, "machine"))
		return take_machine(l, machine, e);
	if (mm_netrc_is(l, "default")) {
		*e = (struct entry){.open = true};
		return 0;
	}
	if (mm_netrc_is(l, "login"))
		return take_login(l, login, e);
	if (mm_netrc_is(l, "password"))
		return take_password(l, e, out);
	if (mm_netrc_is(l, "account"))
		return value(l);
	/* others have words of their own (port); everybody skips what they do not know */
	return mm_netrc_is(l, "macdef") ? mm_netrc_skip_macro(l) : 0;
}

static int search(struct mm_netrc_lexer *l, const char *machine, const char *login, struct mm_secret *out)
{
	struct entry e = {.open = false};
	int rc;
	while ((rc = mm_netrc_next(l)) > 0) {
		/* an entry ends where the next begins */
		if (begins_entry(l) && is_ours(&e))
			return 1;
		if (take(l, machine, login, &e, out) != 0)
			return -1;
	}
	return rc < 0 ? -1 : is_ours(&e);
}

int mm_netrc_find(const char *text, const char *machine, const char *login, struct mm_secret *out)
{
	struct mm_netrc_lexer l = {.p = text};
	int rc = search(&l, machine, login, out);
	explicit_bzero(&l, sizeof(l));
	if (rc != 1)
		mm_secret_set(out, "", 0, NULL);
	return rc;
}
