/*
 * A policy to start from, made of what the workstations have: what most have
 * becomes the endpoints and the account, a group whose members mostly have
 * something else an override; everybody else is an outlier.
 */
#ifndef MM_CONTROLLER_DISCOVERED_POLICY_H
#define MM_CONTROLLER_DISCOVERED_POLICY_H

#include <jansson.h>

#include "common/buf.h"
#include "controller/discovered.h"

struct mm_proposed_group {
	const char *name;
	size_t accounts;                                      /* seen of its members, both sides */
	const struct mm_found_endpoint *other[MM_SIDE_COUNT]; /* NULL: as everybody */
};

struct mm_proposal {
	struct mm_discovered *d;
	const char *domain;                                  /* of the organisation, "" = not known */
	const struct mm_found_endpoint *base[MM_SIDE_COUNT]; /* NULL: nobody has such a side */
	struct mm_proposed_group *groups;                    /* the biggest first */
	size_t n_groups, cap_groups;
};

/* In the arena. `domain` "" = the commonest of the addresses. */
void mm_propose(struct mm_discovered *d, const char *domain, struct mm_arena *a, struct mm_proposal *out);
/* The text of the policy; false when nothing was found that could stand in one. */
bool mm_proposal_text(const struct mm_proposal *p, struct mm_buf *out);
/* What stands in the policy of this setting; NULL: nothing. Command and CA file
 * only where more than half have them, of those whose program can. */
const struct mm_vote *mm_proposed_value(const struct mm_found_endpoint *e, enum mm_ballot b);
/* As what an endpoint stands in the proposal: the endpoint's name, or the
 * group's; NULL: those who have it are outliers. */
const char *mm_proposed_as(const struct mm_proposal *p, const struct mm_found_endpoint *e);

void mm_proposal_print(const struct mm_proposal *p); /* what was found; to stdout */
json_t *mm_proposal_json(const struct mm_proposal *p);

#endif
