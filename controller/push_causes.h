/*
 * Login checks of many hosts, grouped by cause: the same outcome at the same
 * server is one entry with a count, however many people it concerns. Where
 * there was no server (host ""), the same text is.
 */
#ifndef MM_CONTROLLER_PUSH_CAUSES_H
#define MM_CONTROLLER_PUSH_CAUSES_H

#include <stddef.h>

#include "common/mem.h"
#include "schemas/report.h"

struct mm_cause_place {
	struct mm_cause_place *next;
	const char *host, *user;
};

struct mm_cause {
	struct mm_cause *next; /* in its bucket */
	enum mm_result result;
	const char *cls; /* "" when passed */
	const char *protocol, *server;
	int port;
	const char *text, *admin, *fix; /* of the first one */
	size_t logins;
	size_t users, hosts;                   /* distinct; known after mm_causes_sorted() */
	struct mm_cause_place *first, *latest; /* one for each user on each host */
	size_t n_places;
};

struct mm_causes;
struct mm_causes *mm_causes_new(struct mm_arena *a); /* lives in `a` */
/* Texts are copied. The logins of one user of one host come in one piece. */
void mm_causes_add(struct mm_causes *c, const char *host, const struct mm_login *l);
/* All of them: refused first, then what is not known, then what is right; each
 * with most logins first; places by host and user. In the arena. */
const struct mm_cause *const *mm_causes_sorted(struct mm_causes *c, size_t *n);

#endif
