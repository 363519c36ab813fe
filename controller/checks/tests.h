/*
 * The tests: what looks at evidence, by name. Inside controller/checks.
 *
 * A test says of one piece of evidence how it is; the engine (walk.c) knows
 * what is stale, waived or missing, and folds what was said of one account into
 * one result: the worst wins. A new test is one function and one row here; a
 * new check with an old test is data.
 */
#ifndef MM_CONTROLLER_CHECKS_TESTS_H
#define MM_CONTROLLER_CHECKS_TESTS_H

#include "controller/checks/check.h"
#include "controller/store/walk.h"
#include "schemas/facts.h"

#define MM_TESTS_MAX 48

/* What one result is about. */
enum mm_test_scope {
	MM_SCOPE_ACCOUNT, /* an account in a client */
	MM_SCOPE_CLIENT,  /* a client of a user */
	MM_SCOPE_LOGIN,   /* an account, whichever client */
	MM_SCOPE_HOST,
	MM_SCOPE_FLEET,
};

/* What a test says. */
struct mm_say {
	bool said; /* false: this piece of evidence is not its business */
	enum mm_check_outcome outcome;
	const char *found, *wanted; /* NULL = as the row has it */
	const char *why;            /* a sentence, or `text`; "" */
	char text[512];
	int64_t seen; /* of a fleet's test: when its evidence was collected */
};
void mm_say(struct mm_say *out, enum mm_check_outcome o, const char *why);
void mm_sayf(struct mm_say *out, enum mm_check_outcome o, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A finding as tests see it. `set` is MM_SET_NONE for the account as a whole
 * and for facts, `fact` is MM_FACT_NONE for settings. */
struct mm_look {
	const struct mm_check *check;
	const struct mm_finding_row *row;
	enum mm_setting set;
	enum mm_fact fact;
	const char *value; /* in effect, never NULL: of settings and facts */
	const char *auth;  /* of the same side of the same account, "" = not told */
};

struct mm_look_login {
	const struct mm_check *check;
	const struct mm_login_row *row;
	int64_t now;
};

struct mm_look_host {
	const struct mm_check *check;
	const struct mm_walk_host *host;
	int64_t now, stale_after;
	int64_t revision; /* current */
};

struct mm_look_fleet {
	const struct mm_check *check;
	struct mm_store *store;
	const struct mm_evidence_filter *filter;
	struct mm_arena *a;
	struct mm_revision revision; /* current; number 0 = none */
	int64_t now, stale_after;
};

struct mm_test {
	const char *name;
	enum mm_test_scope scope;
	const char *units; /* what its results are counted in, plural; "" of the fleet */
	/* Settings and facts that finding() looks at; NULL-terminated. "*" = all settings
	 * and accounts as a whole, with no value but the row itself. */
	const char *const *looks_at;
	/* Said where a configured account (client) has none of them; NULL: silence says nothing. */
	const char *unseen;
	/* Settings count only where an older agent told no fact: that holds both, and what the
	 * program does without a setting. */
	bool fact_decides;
	bool unseen_speaks; /* ... only of programs that talk with servers themselves */
	void (*finding)(const struct mm_look *l, struct mm_say *out);
	void (*login)(const struct mm_look_login *l, struct mm_say *out);
	void (*host)(const struct mm_look_host *l, struct mm_say *out);
	int (*fleet)(const struct mm_look_fleet *l, struct mm_say *out, struct mm_err *err);
};

const struct mm_test *mm_test_by_name(const char *name); /* NULL */
/* All names; room for MM_TESTS_MAX + 1, ends with NULL. */
void mm_test_names(const char **out);

/* "TLSv1.3" and "1.3" are 13; 0 = no version of TLS that is known. */
int mm_tls_number(const char *version);

/* ---- tests_login.c */
void mm_login_cleartext(const struct mm_look_login *l, struct mm_say *out);
void mm_login_cleartext_offered(const struct mm_look_login *l, struct mm_say *out);
void mm_login_tls(const struct mm_look_login *l, struct mm_say *out);
void mm_login_verified(const struct mm_look_login *l, struct mm_say *out);
void mm_login_expiry(const struct mm_look_login *l, struct mm_say *out);
void mm_login_sasl(const struct mm_look_login *l, struct mm_say *out);
void mm_login_proven(const struct mm_look_login *l, struct mm_say *out);

/* ---- tests_fleet.c */
void mm_host_inventory(const struct mm_look_host *l, struct mm_say *out);
void mm_host_policy(const struct mm_look_host *l, struct mm_say *out);
int mm_fleet_generations(const struct mm_look_fleet *l, struct mm_say *out, struct mm_err *err);
int mm_fleet_tested(const struct mm_look_fleet *l, struct mm_say *out, struct mm_err *err);
int mm_fleet_approved(const struct mm_look_fleet *l, struct mm_say *out, struct mm_err *err);
int mm_fleet_record(const struct mm_look_fleet *l, struct mm_say *out, struct mm_err *err);
int mm_fleet_fresh(const struct mm_look_fleet *l, struct mm_say *out, struct mm_err *err);
int mm_fleet_integrity(const struct mm_look_fleet *l, struct mm_say *out, struct mm_err *err);

#endif
