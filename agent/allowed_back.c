#include "agent/allowed_back.h"

#include <string.h>

#include "common/text.h"

static const char *forbidden_program(const struct mm_converge *c, const char *command)
{
	const char *const *argv;
	size_t n;
	if (command == NULL || c->conf == NULL || mm_argv_parse(command, c->arena, &argv, &n, NULL) != 0 ||
	    mm_conf_allows_program(c->conf, argv[0]))
		return NULL;
	return mm_arena_printf(
	    c->arena, "this host's limits do not allow %s, which stood there before", argv[0]);
}

struct side {
	enum mm_side side;
	const struct mm_seen_account *now, *then;
};

/* What would come back; NULL: it is there now, or there was nothing. */
static const char *comes_back(const struct side *b, enum mm_setting incoming)
{
	enum mm_setting s =
	    b->side == MM_SIDE_INCOMING ? incoming : mm_setting_on_side(incoming, MM_SIDE_OUTGOING);
	const char *then = b->then->s[s].value;
	return b->now != NULL && mm_streq(then, b->now->s[s].value) ? NULL : then;
}

const char *mm_forbidden_back(const struct mm_converge *c, enum mm_side side,
    const struct mm_seen_account *now, const struct mm_seen_account *then)
{
	const struct side b = {side, now, then};
	const char *security = comes_back(&b, MM_SET_IN_SECURITY);
	const char *floor = comes_back(&b, MM_SET_IN_TLS_MIN);
	const char *host = comes_back(&b, MM_SET_IN_HOST);
	if (!c->sheet->allow_cleartext && mm_streq(security, "none"))
		return "the former settings were cleartext, which the policy forbids";
	if (floor != NULL && c->sheet->tls_min != NULL && strcmp(floor, c->sheet->tls_min) < 0)
		return mm_arena_printf(c->arena,
		    "the former settings allowed TLS %s, and the policy demands %s", floor,
		    c->sheet->tls_min);
	if (host != NULL && c->conf != NULL && !mm_conf_allows_host(c->conf, host))
		return mm_arena_printf(
		    c->arena, "the former server %s is not within this host's limits", host);
	return forbidden_program(c, comes_back(&b, MM_SET_IN_PASSWORD_COMMAND));
}
