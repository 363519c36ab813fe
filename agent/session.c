#include "agent/session.h"

#include <pwd.h>
#include <time.h>
#include <unistd.h>

#include "agent/hostwide.h"
#include "agent/trust.h"
#include "agent/userrun.h"

/* In a host-wide installation the home is the user database's, as root's
 * runs see it; else it is the environment's. */
static int who_are_we(const struct mm_conf *c, struct mm_session *s, struct mm_err *err)
{
	const struct passwd *pw = getpwuid(geteuid());
	if (!c->hostwide || pw == NULL)
		return mm_identity_self(c->login, s->a, &s->who, err);
	const char *name = mm_arena_strdup(s->a, pw->pw_name);
	if (mm_identity_of(name, s->a, &s->who, err) <= 0)
		return mm_err_set(err, MM_EX_FAILED, "cannot look up the user %s", name);
	s->who.session = true;
	return 0;
}

static int load(struct mm_session *s, struct mm_err *err)
{
	if (who_are_we(s->conf, s, err) != 0)
		return -1;
	s->state_dir = mm_conf_user_state(s->conf, s->who.home, s->a);
	int got = mm_held_get_sheet(s->conf, s->who.login, s->a, &s->held, &s->sheet, err);
	if (got > 0 && mm_trust_limits(s->conf, &s->sheet, err) != 0)
		return -1;
	return got;
}

int mm_session_open(const struct mm_conf *c, struct mm_session *s, struct mm_err *err)
{
	*s = (struct mm_session){.conf = c, .a = mm_arena_new(), .now = time(NULL)};
	int got = load(s, err);
	if (got < 0)
		mm_session_close(s);
	return got;
}

int mm_session_open_hostwide(const struct mm_conf *c, struct mm_session *s, struct mm_err *err)
{
	if (!c->hostwide || geteuid() != 0)
		return mm_err_set(err, MM_EX_NOPERM, "only root can change the system's files");
	*s = (struct mm_session){.conf = c, .a = mm_arena_new(), .now = time(NULL)};
	s->who = mm_hostwide_identity();
	s->state_dir = mm_hostwide_state(c, s->a);
	return 0;
}

void mm_session_close(struct mm_session *s)
{
	mm_arena_free(s->a);
}
