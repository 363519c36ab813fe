/*
 * What the workstations have, clustered as it comes in (schemas/discover.h):
 * equal settings are one entry with a count, however many people have them.
 * Memory grows with the number of different settings, not with hosts.
 *
 * Values that are each person's own are recognised by what the store knows of
 * the person: "alice@acme.example" becomes "%{address}". What is not
 * recognised, of a value that names somebody, is "own", and its text is kept
 * with the outlier only.
 */
#ifndef MM_CONTROLLER_DISCOVERED_H
#define MM_CONTROLLER_DISCOVERED_H

#include <stddef.h>

#include "common/mem.h"
#include "schemas/report.h"

#define MM_DISCOVERED_CLUSTERS 4096 /* different endpoints, and different foreign domains */
#define MM_DISCOVERED_VOTES 64      /* different values of one setting at one endpoint */
#define MM_DISCOVERED_PLACES 1000   /* named of one entry; all are counted */

struct mm_known_person { /* what the store knows of a login */
	const char *login, *name, *address;
	const char *const *groups;
	size_t n_groups;
};

struct mm_found_place {
	struct mm_found_place *next;
	const char *host, *user, *client;
	const char *value; /* of a vote: as it stands there */
};

struct mm_found_places {
	struct mm_found_place *first, *last;
	size_t n; /* counted; at most MM_DISCOVERED_PLACES are named */
};

/* Values of one setting at one endpoint. */
struct mm_vote {
	const char *value; /* template or literal, as a policy writes it; "" = own: it names the person */
	size_t n;
	struct mm_found_places places;
};

enum mm_ballot { MM_BALLOT_AUTH, MM_BALLOT_USERNAME, MM_BALLOT_COMMAND, MM_BALLOT_CA_FILE, MM_BALLOT_COUNT };
extern const char *const mm_ballot_names[MM_BALLOT_COUNT]; /* "auth", ... */

struct mm_votes {
	struct mm_vote items[MM_DISCOVERED_VOTES];
	size_t n;
	size_t more; /* votes for values beyond that */
};

/* Accounts of one program at an endpoint, and how many of them voted: what no
 * account of a program has, it most likely cannot hold. */
struct mm_found_use {
	const char *client;
	size_t accounts, voted[MM_BALLOT_COUNT];
};

struct mm_found_endpoint {
	struct mm_found_endpoint *next; /* in its bucket */
	enum mm_side side;
	const char *protocol, *host, *security; /* canonical */
	int port;
	size_t accounts;
	struct mm_votes *votes; /* MM_BALLOT_COUNT */
	struct mm_found_use *uses;
	size_t n_uses, cap_uses;
	struct mm_found_places places;
};

struct mm_found_group { /* accounts of the members of a group at an endpoint */
	const char *group;
	const struct mm_found_endpoint *endpoint;
	size_t n;
};

struct mm_found_client {
	const char *name;
	size_t in_use, unused, installed, accounts; /* configurations, and accounts in full */
};

struct mm_found_foreign { /* told by domain only */
	struct mm_found_foreign *next;
	const char *domain, *incoming, *outgoing; /* "" = none */
	size_t accounts;
};

struct mm_discovered;
struct mm_discovered *mm_discovered_new(void);
void mm_discovered_free(struct mm_discovered *d); /* NULL is allowed */
/* One finding of an answer; those of one account come in one piece. `p` is
 * the person, borrowed for the call. */
void mm_discovered_add(
    struct mm_discovered *d, const char *host, const struct mm_finding *f, const struct mm_known_person *p);
/* All answers are in. */
void mm_discovered_end(struct mm_discovered *d);

/* Afterwards; with most accounts first, in `d`. */
const struct mm_found_endpoint *const *mm_discovered_endpoints(
    struct mm_discovered *d, enum mm_side side, size_t *n);
const struct mm_found_foreign *const *mm_discovered_foreign(struct mm_discovered *d, size_t *n);
const struct mm_found_client *mm_discovered_clients(struct mm_discovered *d, size_t *n);
const struct mm_found_group *mm_discovered_groups(struct mm_discovered *d, size_t *n);
/* Addresses, real names: MM_SET_ADDRESS, MM_SET_REAL_NAME. */
const struct mm_votes *mm_discovered_identity(const struct mm_discovered *d, enum mm_setting s);
size_t mm_discovered_accounts(const struct mm_discovered *d); /* in full */
/* Endpoints that are none (no host name, no port), and clusters beyond the limit. */
size_t mm_discovered_unusable(const struct mm_discovered *d);

/* The value with most votes; own ones do not count. NULL: none. */
const struct mm_vote *mm_votes_winner(const struct mm_votes *v);

/* `text` as a template of this person, or NULL when it is none. In `a`. */
const char *mm_template_of(const char *text, const struct mm_known_person *p, struct mm_arena *a);

#endif
