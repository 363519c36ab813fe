#include "agent/attempts.h"

#include <ctype.h>

#include "common/text.h"

#define AGAIN "\"mailmuster-agent verify --again\""

/* As people write it. */
static const char *minute(struct mm_arena *a, int64_t t)
{
	char full[MM_TIME_MAX];
	mm_time_utc(t, full);
	return mm_arena_printf(a, "%.10s %.5s UTC", full, full + 11);
}

static bool is_asked(const struct mm_too_soon *s)
{
	return s->next != 0;
}

/* When it is tried again; goes on in a sentence. */
static const char *when_again(const struct mm_rest *r, const struct mm_too_soon *soon, struct mm_arena *a)
{
	if (is_asked(soon))
		return mm_arena_printf(a,
		    "it was presented again on %s because somebody asked for it, and is not before %s",
		    minute(a, soon->last), minute(a, soon->next));
	if (r->until == INT64_MAX)
		return "it is not presented again until it or the settings change";
	return mm_arena_printf(a, "it is not tried again before %s", minute(a, r->until));
}

/* How somebody who has mended it gets it tried. */
static const char *how_again(const struct mm_rest *r, const struct mm_too_soon *soon, struct mm_arena *a)
{
	if (is_asked(soon))
		return mm_arena_printf(
		    a, "If it was mended on the server, run " AGAIN " after %s.", minute(a, soon->next));
	if (r->until == INT64_MAX)
		return "Another password or other settings are tried with the next run; if it was mended on "
		       "the server, run " AGAIN ".";
	return mm_arena_printf(
	    a, "It is tried again after %s, or at once with " AGAIN ".", minute(a, r->until));
}

static void broken_off(
    const struct mm_rest *r, const struct mm_too_soon *soon, struct mm_arena *a, struct mm_login *out)
{
	out->result = MM_LOGIN_UNTESTED;
	out->cls = "TEST_BROKEN_OFF";
	out->text = mm_arena_printf(a, "The login is not tested: the last test was broken off on %s; %s.",
	    minute(a, r->t->begun), when_again(r, soon, a));
	out->admin = out->text;
	out->ladder.fix = how_again(r, soon, a);
}

void mm_attempt_remembered(
    const struct mm_rest *r, const struct mm_too_soon *soon, struct mm_arena *a, struct mm_login *out)
{
	const struct mm_tried *t = r->t;
	*out = (struct mm_login){.result = MM_LOGIN_FAILED, .cls = t->cls, .timing = {-1, -1, -1, -1, -1}};
	if (r->broken_off) {
		broken_off(r, soon, a, out);
		return;
	}
	const char *when = minute(a, t->when), *again = when_again(r, soon, a);
	out->text = mm_arena_printf(a, "%s That was on %s; %s.", t->text, when, again);
	out->admin = is_asked(soon)
			 ? mm_arena_printf(a, "%s Refused on %s; %s.", t->admin, when, again)
			 : mm_arena_printf(a, "%s Refused on %s; %s, or until somebody runs " AGAIN ".",
			       t->admin, when, again);
	out->ladder.fix =
	    mm_arena_printf(a, "%s%s%s", t->fix, t->fix[0] != '\0' ? " " : "", how_again(r, soon, a));
	out->when = t->when;
}

static const char *capitals(struct mm_arena *a, const char *s)
{
	char *up = mm_arena_strdup(a, s);
	for (char *c = up; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	return up;
}

void mm_attempt_withheld(const struct mm_rest *r, const struct mm_too_soon *soon, const char *host, int port,
    struct mm_arena *a, struct mm_withheld *out)
{
	const struct mm_tried *t = r->t;
	const char *where = mm_arena_printf(a, "port %d (%s)", t->k.port, capitals(a, t->k.protocol));
	const char *when = minute(a, r->broken_off ? t->begun : t->when), *again = when_again(r, soon, a);
	if (r->broken_off)
		out->text = mm_arena_printf(a,
		    "The login is not tested: the test of the same password on %s was broken off on %s; %s.",
		    where, when, again);
	else
		out->text = mm_arena_printf(a,
		    "The login is not tested, because the same server refused the same password on %s. That "
		    "was on %s; %s.",
		    where, when, again);
	out->admin = mm_arena_printf(a,
	    "%s %s on %s (%s), on %s. A second wrong password could lock the account, so it was not "
	    "presented on port %d; %s.",
	    host, r->broken_off ? "gave no answer to the same password" : "refused the same password", where,
	    r->broken_off ? "broken off" : t->cls, when, port, again);
	out->fix = mm_arena_printf(a, "%s%sWhat is mended for %s is tried here, too. %s", t->fix,
	    t->fix[0] != '\0' ? " " : "", where, how_again(r, soon, a));
	out->step = mm_arena_printf(a, "not tried: refused on port %d", t->k.port);
}

void mm_attempt_history(enum mm_history h, int64_t when, struct mm_arena *a, struct mm_login *l)
{
	static const struct {
		const char *said, *after, *fix;
	} words[] = {
	    [MM_NEVER_WORKED] = {"These settings are not known to have worked here before.", NULL, NULL},
	    [MM_THIS_WORKED] = {"This password worked until ",
		": it was changed on the server since, or the account is locked.",
		"Store the new password; if it was not changed, have the account unlocked."},
	    [MM_ANOTHER_WORKED] = {"Another password worked until ",
		": what is stored now is not that one, and is not accepted.",
		"Store the password that is valid now."},
	};
	const char *said = words[h].said;
	if (words[h].after != NULL)
		said = mm_arena_printf(a, "%s%s%s", said, minute(a, when), words[h].after);
	l->text = mm_arena_printf(a, "%s %s", l->text, said);
	l->admin = mm_arena_printf(a, "%s %s", l->admin, said);
	if (words[h].fix != NULL)
		l->ladder.fix = words[h].fix;
}
