/*
 * One login check: a side of an account, what it is to be tested with, and
 * the task that says so to the probe. For agent/probe_run.c.
 */
#ifndef MM_AGENT_PROBE_CHECK_H
#define MM_AGENT_PROBE_CHECK_H

#include "agent/probe_run.h"
#include "agent/remember.h"
#include "agent/secrets.h"
#include "common/digest.h"
#include "schemas/probe.h"

enum mm_check_state {
	MM_CHECK_WAITS,
	MM_CHECK_ASKED, /* in this round of the probe */
	MM_CHECK_DONE,  /* reported */
};

struct mm_check {
	const struct mm_probe_run *r;
	const struct mm_account *acc;
	enum mm_side side;
	enum mm_level level; /* of this side: a round trip begins at the outgoing one */
	enum mm_check_state state;
	char settings[MM_SHA256_HEX];
	/* what it is tested with; borrowed when `own` is false */
	struct mm_secret *secret, *certificate;
	bool own_secret;
	const char *ccache;
	bool withheld;         /* there is a password, and it is not presented */
	const char *answer;    /* the class of what the probe said; NULL = nothing yet */
	const char *elsewhere; /* withheld, because another port of the server refused it: its class */
	bool again;            /* it is presented because somebody asked for it */
	bool passed;
	/* why there is no credential, or none is presented; NULL = there is, or none is needed */
	const char *cls, *text, *admin;
	const char *fix, *step; /* NULL = the probe's own */
};

void mm_check_init(
    struct mm_check *k, const struct mm_probe_run *r, const struct mm_account *acc, enum mm_side side);
/* There is something to be tested: some client has it, and a server is named. */
bool mm_check_applies(const struct mm_check *k);
/* Some client has exactly what is desired. */
bool mm_check_in_effect(const struct mm_check *k);

/* Get password, token, ticket, certificate; `before` are the `n` checks whose
 * password may serve again. */
void mm_check_find(struct mm_check *k, const struct mm_check *before, size_t n);
/* Secrets are wiped. */
void mm_check_free(struct mm_check *k);

/* What a server would see of the credential: the secret, or else the
 * certificate; NULL: nothing that could be refused to others (a ticket is
 * no password that one could guess wrong). */
const struct mm_secret *mm_check_credential(const struct mm_check *k);
/* Does the way to log in need more than the user name? */
bool mm_check_needs_credential(const struct mm_check *k);

/* Whatever the probe said, this is what was asked. */
void mm_check_name(const struct mm_check *k, struct mm_login *l);
/* `secret`, `certificate` and `retrieve` are left to the caller. */
void mm_check_task(
    const struct mm_check *k, const struct mm_probe_known *known, size_t n_known, struct mm_probe_task *out);
/* All endpoints of the sheet, each once, at most `max`; returns how many. */
size_t mm_check_known(const struct mm_probe_run *r, struct mm_probe_known *out, size_t max);

#endif
