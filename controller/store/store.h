/*
 * The store: everything that the controller remembers, in one SQLite file.
 *
 * Nothing outside controller/store speaks SQL. Handles belong to one process
 * and one thread; a handle does not survive fork(). Several processes may
 * have the same file open: WAL mode, a busy timeout of MM_STORE_BUSY_MS, and
 * short BEGIN IMMEDIATE transactions.
 *
 * Conventions
 * - Functions return 0 or -1 with *err; look-ups return 1 for "not there".
 * - What a function reads into a struct lives in the arena that it was given.
 *   What an each() callback gets is valid during that call only.
 * - An each() callback returns 0 to go on; -1 (with *err set) ends the walk,
 *   which then returns -1. A callback may read from the store; it must not write.
 * - Every function that changes something for an admin appends to the audit
 *   log in the same transaction, under the name set by mm_store_set_who().
 * - Times are unix seconds by the controller's clock unless said otherwise.
 * - A report is evidence until MM_STALE_DAYS after it was collected.
 */
#ifndef MM_CONTROLLER_STORE_H
#define MM_CONTROLLER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/mem.h"
#include "schemas/report.h"
#include "schemas/seal.h"
#include "schemas/state.h"

#define MM_STORE_BUSY_MS 10000
#define MM_STORE_TEXT_MAX (16u * 1024u * 1024u) /* a policy with its includes */
#define MM_STALE_DAYS 7

struct mm_store;

/* ---- the file (store.c) */

/* Make a new store (0600); an existing one is an error. */
int mm_store_create(const char *path, struct mm_store **out, struct mm_err *err);
/* Open an existing store and bring it to this program's version. A store
 * of a newer program is refused and left untouched. */
int mm_store_open(const char *path, struct mm_store **out, struct mm_err *err);
void mm_store_close(struct mm_store *s); /* NULL is allowed; rolls back what is open */
/* Copy the whole store, consistent, while others write. The copy is 0600 and
 * appears under `path` only when it is complete; an existing file is refused. */
int mm_store_backup(struct mm_store *s, const char *path, struct mm_err *err);
int mm_store_version(const struct mm_store *s); /* number of the last migration */

void mm_store_set_who(struct mm_store *s, const char *who);       /* "alice (uid 1000)"; default "unknown" */
void mm_store_set_reason(struct mm_store *s, const char *reason); /* NULL: none; goes into audit entries */
/* For tests: a fixed clock; 0 = the real one. */
void mm_store_set_now(struct mm_store *s, int64_t now);
int64_t mm_store_now(const struct mm_store *s);

/* Transactions nest (inner ones are savepoints). All functions below are
 * atomic by themselves; put a pair around several calls to make them one, and
 * to pay for one disk flush instead of many (push: a batch of reports). */
int mm_store_begin(struct mm_store *s, struct mm_err *err);
int mm_store_commit(struct mm_store *s, struct mm_err *err); /* on failure the transaction is undone */
void mm_store_rollback(struct mm_store *s);

enum mm_put { MM_PUT_KEPT, MM_PUT_CHANGED, MM_PUT_ADDED };

/* ---- revisions (revisions.c) */

struct mm_revision {
	int64_t number; /* from 1 */
	int64_t parent; /* 0 = none */
	const char
	    *text; /* with the includes resolved (it says itself where its lines came from); NULL in each() */
	size_t len;
	const char *sha256; /* over text, hex */
	const char *author; /* for people */
	int64_t author_uid; /* -1 = unknown */
	int64_t time;
	const char *message; /* "" when none */
	const char *source;  /* file name as given at import */
	int64_t approvals;   /* rules.approvals of this text */
	int64_t needed;      /* approvals that it needs itself: see mm_store_revision_pushable() */
	int64_t n_approved;
	const char *approvers; /* "bob, carol"; "" when none */
	bool current;
	const char
	    *baseline; /* SHA-256 of the baseline that it is judged by; "" (or NULL) = none was stored */
};

/* The text of a compliance baseline, includes resolved, under its SHA-256; once. */
int mm_store_baseline_put(
    struct mm_store *s, const char *sha256, const char *name, const char *text, struct mm_err *err);
int mm_store_baseline_get(struct mm_store *s, const char *sha256, struct mm_arena *a, const char **name,
    const char **text, struct mm_err *err); /* 1 = not there */

/* Store a revision and make it the current one. Text and baseline equal to the current
 * revision's: nothing is stored, *kept is true, *number is the current one.
 * Uses text, len, author, author_uid, message, source, approvals, baseline.
 * `action` is the audit word: "policy.import" or "policy.rollback". */
int mm_store_revision_add(struct mm_store *s, const struct mm_revision *r, const char *action,
    int64_t *number, bool *kept, struct mm_err *err);
/* For the rollback of a rollout: the text of revision `of` once more, or (of = 0) one
 * that asks for nothing. It always gets a number of its own and is the current one. What
 * approved `of` approves it, too: MM_EX_NOPERM, and nothing is stored, when `of` has
 * fewer approvals than are needed now. Nothing needs none. A rule that held before holds for
 * what is imported next. Uses text, len, author, author_uid, message, source, approvals, baseline. */
int mm_store_revision_back(
    struct mm_store *s, const struct mm_revision *r, int64_t of, int64_t *number, struct mm_err *err);
/* number 0 = the current one. 1 = there is none. */
int mm_store_revision_get(
    struct mm_store *s, int64_t number, struct mm_arena *a, struct mm_revision *out, struct mm_err *err);
int mm_store_revision_current(struct mm_store *s, int64_t *number, struct mm_err *err); /* 0 = none yet */
/* Which was current at a time (0 = now), and since when. 1 = there was none. */
int mm_store_revision_at(struct mm_store *s, int64_t at, int64_t *number, int64_t *time, struct mm_err *err);
int mm_store_revision_each(struct mm_store *s,
    int (*cb)(const struct mm_revision *r, void *arg, struct mm_err *err), void *arg,
    struct mm_err *err); /* newest first */
/* Refused (MM_EX_NOPERM) for the author's uid; the same uid counts once. */
int mm_store_revision_approve(
    struct mm_store *s, int64_t number, const char *who, int64_t uid, struct mm_err *err);
/* May this revision be pushed? -1 with MM_EX_NOPERM and a sentence when
 * approvals are missing. A revision needs as many as its own rules.approvals
 * or those of the last revision that was pushable itself, whichever is more:
 * nobody lifts the rule alone. */
int mm_store_revision_pushable(struct mm_store *s, int64_t number, struct mm_err *err);

/* ---- users and groups (people.c) */

struct mm_store_attr {
	const char *name, *value;
};

struct mm_store_user {
	const char *login; /* mm_is_login() */
	const char *name;  /* "" when not known */
	const char *address;
	const struct mm_store_attr *attrs;
	size_t n_attrs;
	const char *const *groups; /* sorted; as get() and each() give it, ends with NULL */
	size_t n_groups;
};

/* Add or change. With `groups_too` the memberships become exactly u->groups
 * (groups are made as needed), else they stay. */
int mm_store_user_put(struct mm_store *s, const struct mm_store_user *u, bool groups_too, enum mm_put *done,
    struct mm_err *err);
int mm_store_user_get(
    struct mm_store *s, const char *login, struct mm_arena *a, struct mm_store_user *out, struct mm_err *err);
int mm_store_user_remove(struct mm_store *s, const char *login, struct mm_err *err); /* 1 = was not there */
/* In order of login. `group` NULL = all. */
int mm_store_user_each(struct mm_store *s, const char *group,
    int (*cb)(const struct mm_store_user *u, void *arg, struct mm_err *err), void *arg, struct mm_err *err);

struct mm_store_group {
	const char *name;
	const char *source; /* "manual", "csv" or "system" */
	int64_t members;
	int64_t synced; /* time of the last group sync, 0 = never */
};
int mm_store_group_put(
    struct mm_store *s, const char *name, const char *source, enum mm_put *done, struct mm_err *err);
int mm_store_group_get(
    struct mm_store *s, const char *name, struct mm_arena *a, struct mm_store_group *out, struct mm_err *err);
int mm_store_group_remove(
    struct mm_store *s, const char *name, struct mm_err *err); /* with its memberships; 1 = was not there */
int mm_store_group_each(struct mm_store *s,
    int (*cb)(const struct mm_store_group *g, void *arg, struct mm_err *err), void *arg, struct mm_err *err);
int mm_store_member_put(
    struct mm_store *s, const char *group, const char *login, enum mm_put *done, struct mm_err *err);
int mm_store_member_remove(
    struct mm_store *s, const char *group, const char *login, struct mm_err *err); /* 1 = was none */
/* Who is in which group, in order of login and group. */
int mm_store_membership_each(struct mm_store *s,
    int (*cb)(const char *login, const char *group, void *arg, struct mm_err *err), void *arg,
    struct mm_err *err);
int mm_store_group_synced(struct mm_store *s, const char *group, struct mm_err *err);

/* ---- hosts (hosts.c) */

struct mm_store_host {
	const char *id;            /* mm_is_login(); fixed at enrolment */
	const char *address;       /* SSH address; "" = same as id */
	int port;                  /* 22 */
	const char *account;       /* SSH account: "root", "mailmuster" ... */
	const char *proxy_command; /* NULL = none */
	const char *transport;     /* "libssh2" or "ssh" */
	const char *const *tags;   /* sorted */
	size_t n_tags;
	bool all_users;           /* users = "*": whoever has accounts */
	const char *const *users; /* sorted; empty with all_users */
	size_t n_users;
	const char *report_key; /* PEM of the host's own key, NULL before enrolment */
	int64_t enrolled;       /* 0 = not yet */
};

/* Add or change. report_key NULL and enrolled 0 leave what is stored. */
int mm_store_host_put(
    struct mm_store *s, const struct mm_store_host *h, enum mm_put *done, struct mm_err *err);
int mm_store_host_get(
    struct mm_store *s, const char *id, struct mm_arena *a, struct mm_store_host *out, struct mm_err *err);
int mm_store_host_remove(struct mm_store *s, const char *id,
    struct mm_err *err); /* with keys, push state, findings; 1 = was not there */
/* In order of id. `tag` NULL = all. */
int mm_store_host_each(struct mm_store *s, const char *tag,
    int (*cb)(const struct mm_store_host *h, void *arg, struct mm_err *err), void *arg, struct mm_err *err);

struct mm_hostkey {
	const char *host;
	const char *algorithm; /* "ssh-ed25519" */
	const void *blob;      /* the public key as SSH sends it */
	size_t len;
	const char *source; /* "enroll", "known_hosts:FILE:LINE", ... */
	int64_t added;
};
int mm_store_hostkey_put(
    struct mm_store *s, const struct mm_hostkey *k, enum mm_put *done, struct mm_err *err);
int mm_store_hostkey_remove(
    struct mm_store *s, const char *host, const char *algorithm /* NULL = all */, struct mm_err *err);
int mm_store_hostkey_each(struct mm_store *s, const char *host /* NULL = all */,
    int (*cb)(const struct mm_hostkey *k, void *arg, struct mm_err *err), void *arg, struct mm_err *err);

/* ---- serials (keys.c); signing keys: store_keys.h */

struct mm_serial {
	int64_t epoch, serial; /* serial = max(last + 1, unix time) */
};
/* Take the next serial of a host; it is stored before it is returned (when
 * the outermost transaction is committed: commit before sending). */
int mm_store_serial_take(
    struct mm_store *s, const char *host, const char *request_id, struct mm_serial *out, struct mm_err *err);

/* What was signed for a host during the last day: proof that a request which
 * a host has seen is one of ours. */
#define MM_ISSUED_KEPT_S 86400
struct mm_issued {
	const char *request_id;
	const char *op; /* mm_op_name() */
	int64_t revision;
};
int mm_store_issued_note(struct mm_store *s, const char *host, const struct mm_serial *serial,
    const struct mm_issued *what, struct mm_err *err);
/* 1 = none of ours, or too long ago. */
int mm_store_issued_get(struct mm_store *s, const char *host, const struct mm_serial *serial,
    struct mm_arena *a, struct mm_issued *out, struct mm_err *err);
/* How many requests other than `request_id` went to the host during the last
 * `seconds` and have no answer in the store: another run is under way. */
int mm_store_unanswered(struct mm_store *s, const char *host, const char *request_id, int64_t seconds,
    int64_t *n, struct mm_err *err);
/* 0: an answer to this request is stored, 1: none. */
int mm_store_answered(struct mm_store *s, const char *host, const char *request_id, struct mm_err *err);

/* ---- push state: one desired generation per host, no queue of commands (push.c) */

struct mm_push_state {
	const char *host;
	int64_t revision;       /* wanted */
	int64_t done_revision;  /* last that the host answered for, 0 = none */
	bool pending;           /* wanted and not answered */
	const char *op;         /* of the last attempt, "" = none yet */
	const char *request_id; /* of the last attempt, "" = none yet */
	int64_t queued;         /* when this revision was wanted */
	int64_t attempts;       /* since it was wanted */
	int64_t last_attempt;   /* 0 = none */
	int64_t next_retry;     /* not before; 0 = at once */
	const char
	    *outcome;     /* class, the push's own word: "ok", "unreachable", "hostkey" ... "" = none yet */
	const char *text; /* one sentence */
	bool unreachable; /* the last attempt did not reach the host: nothing was refused */
};

/* Want this revision on this host: resets attempts and retry time. It stands in the audit log as
 * "push", with whoever approved the revision, the rollout (0: none), the SHA-256 of the plan (NULL). */
int mm_store_push_want(struct mm_store *s, const char *host, int64_t revision, int64_t rollout,
    const char *plan, struct mm_err *err);
/* Record an attempt: uses host, revision (tried), op, request_id, outcome,
 * text, unreachable, next_retry, and pending (still owed?). Counts the
 * attempt. Of another op than "apply" nothing is recorded; a wish for a
 * newer revision that came meanwhile stays pending, and what another process
 * has settled meanwhile does not become pending again. */
int mm_store_push_result(struct mm_store *s, const struct mm_push_state *r, struct mm_err *err);
int mm_store_push_get(
    struct mm_store *s, const char *host, struct mm_arena *a, struct mm_push_state *out, struct mm_err *err);
enum mm_push_which { MM_PUSH_ALL, MM_PUSH_PENDING, MM_PUSH_DUE /* pending and its time has come */ };
int mm_store_push_each(struct mm_store *s, enum mm_push_which which,
    int (*cb)(const struct mm_push_state *p, void *arg, struct mm_err *err), void *arg, struct mm_err *err);

/* ---- reports coming in (reports.c) */

struct mm_report_in {
	const struct mm_report_head *head;
	const struct mm_finding *findings;
	size_t n_findings;
	const struct mm_login *logins;
	size_t n_logins;
	/* The answer to a request, as it happens: its evidence is of now. False
	 * for what a spool or a check-in carried: of head->collected, but never
	 * of the future. */
	bool direct;
	int64_t checkpoint;         /* that the host has handed back, and that is ours; 0 = none */
	const struct mm_seal *seal; /* as it came, not verified; NULL: not signed */
};

/* Store a decoded report in one transaction. *fresh is false when this
 * (host, id) is known already: nothing changes, and it will be acknowledged
 * (again). Evidence that is older than what the store has for a user is kept
 * as a report but changes no interval of that user. A head of an unknown host is an error
 * (MM_EX_DATAERR). The head's host must have been checked by the caller
 * against the host that was spoken to. */
int mm_store_report(struct mm_store *s, const struct mm_report_in *in, bool *fresh, struct mm_err *err);

/* The signature of a stored report (seals.c). It is not verified where reports
 * come in, but later: SSH has said already who speaks. */
enum mm_seal_state {
	MM_SEAL_NONE,      /* not signed */
	MM_SEAL_UNCHECKED, /* signed; nobody has looked yet */
	MM_SEAL_GOOD,
	MM_SEAL_BAD,     /* does not hold, or not by a key of that host */
	MM_SEAL_MISSING, /* not signed, by a host that has signed before */
	MM_SEAL_COUNT
};
const char *mm_seal_name(enum mm_seal_state s);
struct mm_seal_row {
	const char *host, *id; /* of the report */
	enum mm_evidence evidence;
	int64_t received;
	enum mm_seal_state state;
};
/* Look at what nobody has looked at yet, at most `max` reports (0: all), oldest first;
 * *n = how many, *bad = of them bad. */
int mm_store_seals_check(struct mm_store *s, int64_t max, int64_t *n, int64_t *bad, struct mm_err *err);
/* Those that are bad or missing and were received at `since` or later. */
int mm_store_seals_bad(struct mm_store *s, int64_t since,
    int (*cb)(const struct mm_seal_row *r, void *arg, struct mm_err *err), void *arg, struct mm_err *err);
/* Has this host ever sent a signed report? */
int mm_store_host_signs(struct mm_store *s, const char *host, bool *signs, struct mm_err *err);
/* How many reports are in which state; reads all of them. */
int mm_store_seals_count(struct mm_store *s, int64_t n[MM_SEAL_COUNT], struct mm_err *err);
/* Every report key of a host, or of all (NULL): public parts in PEM. */
int mm_store_report_keys(struct mm_store *s, const char *host,
    int (*cb)(const char *host, const char *pem, void *arg, struct mm_err *err), void *arg,
    struct mm_err *err);

/* Report ids that the host may forget, oldest first, at most `max`; NULL-terminated.
 * `request_id`: the request that carries them. They are dropped when an answer to
 * that request is stored. */
int mm_store_acks(struct mm_store *s, const char *host, const char *request_id, size_t max,
    struct mm_arena *a, const char *const **ids, size_t *n, struct mm_err *err);

/* ---- reading evidence (evidence.c) */

/* The waiver that reaches furthest of those that a row falls under. */
struct mm_waiver_of {
	int64_t id; /* 0 = none */
	int64_t until;
	bool expired; /* it is too late: the row counts as what it is */
	const char *owner, *reason;
};

struct mm_finding_row {
	const char *host;
	struct mm_finding f;
	int64_t since;      /* since when it is in this state with this desired value */
	int64_t first_seen; /* of this very interval */
	int64_t seen;       /* newest evidence for it */
	int64_t closed;     /* 0 = it still holds */
	enum mm_evidence evidence;
	int64_t revision; /* policy revision that the agent compared with */
	bool stale;       /* open, but the evidence is too old */
	bool expired;     /* the request in force on the host had expired */
	struct mm_waiver_of waiver;
	enum mm_audit audit; /* the verdict, with staleness and waiver */
};

struct mm_login_row {
	const char *host;
	struct mm_login
	    l; /* latest evidence of this interval; l.when = when it was tried (workstation's clock) */
	int64_t since; /* since when it is in this result with this class */
	int64_t seen;
	int64_t closed;
	int64_t last_passed; /* with this very endpoint, security, auth and user name; 0 = never */
	enum mm_evidence evidence;
	bool stale;
	struct mm_waiver_of waiver;
	enum mm_audit audit;
};

struct mm_evidence_filter {
	const char *host, *user, *client, *account, *setting, *tag, *group; /* NULL = any */
	bool differences;    /* findings whose verdict is fail or unknown; logins whose verdict is */
	bool facts;          /* facts, too (schemas/facts.h); also when `setting` is one */
	bool history;        /* closed intervals too */
	bool lean;           /* logins without what each run measures anew: timing, steps, addresses,
				mailbox, round trip */
	int64_t at;          /* as it stood at this time; 0 = now */
	int64_t stale_after; /* seconds; 0 = MM_STALE_DAYS days */
};

/* In order of host, user, client, path, account, setting (logins: host, user,
 * account, side), then time. NULL filter = everything open. */
int mm_store_findings(struct mm_store *s, const struct mm_evidence_filter *f,
    int (*cb)(const struct mm_finding_row *r, void *arg, struct mm_err *err), void *arg, struct mm_err *err);
int mm_store_logins(struct mm_store *s, const struct mm_evidence_filter *f,
    int (*cb)(const struct mm_login_row *r, void *arg, struct mm_err *err), void *arg, struct mm_err *err);

/* One user on one host: the unit that people ask about, and that is compliant or not. */
struct mm_place {
	const char *host, *user;
	enum mm_audit worst;                 /* of its findings and logins; stale evidence is unknown */
	int64_t settings;                    /* open findings */
	int64_t settings_by[MM_AUDIT_COUNT]; /* by verdict; stale ones are unknown */
	int64_t settings_state[MM_ST_COUNT]; /* of fresh evidence */
	int64_t settings_stale;
	int64_t logins;
	int64_t logins_result[MM_LOGIN_COUNT]; /* of fresh evidence */
	int64_t logins_by[MM_AUDIT_COUNT];     /* by verdict; stale ones are unknown */
	int64_t logins_stale;
	int64_t seen; /* oldest evidence of the place */
	bool stale;   /* some of it is too old */
	bool claimed; /* some of it is what the user's own run claimed */
	/* The first of those that differ most, NULL = none differs. */
	const struct mm_finding_row *finding;
	const struct mm_login_row *login;
};
/* Those with a finding or a login, in order of host, user. Counts come from
 * summaries that are kept with the evidence: rows are read where they differ. */
int mm_store_places(struct mm_store *s, const struct mm_evidence_filter *f,
    int (*cb)(const struct mm_place *p, void *arg, struct mm_err *err), void *arg, struct mm_err *err);

/* One line per host: for the status table and the report's host list. */
struct mm_host_row {
	const char *host, *address;
	const char *const *tags;
	size_t n_tags;
	int64_t seen;                     /* newest evidence, 0 = never reported */
	int64_t received;                 /* when the last report arrived */
	const char *agent;                /* its version, "" */
	int64_t revision;                 /* that the host's agent holds, 0 = none */
	bool expired;                     /* its request has expired */
	bool stale;                       /* reported once, but too long ago */
	int64_t users;                    /* with evidence */
	int64_t settings[MM_AUDIT_COUNT]; /* open findings by enum mm_audit; those of stale hosts count as
					     unknown */
	int64_t logins[MM_LOGIN_COUNT];   /* by result; of fresh evidence */
	int64_t logins_stale;
	int64_t logins_by[MM_AUDIT_COUNT]; /* by verdict (enum mm_audit); stale ones are unknown */
	struct mm_push_state push;         /* host "" when it was never pushed to */
};
int mm_store_host_rows(struct mm_store *s,
    const struct mm_evidence_filter *f /* host, tag, user, group, stale_after */,
    int (*cb)(const struct mm_host_row *r, void *arg, struct mm_err *err), void *arg, struct mm_err *err);

/* The fleet in numbers. Every count has its whole beside it. */
struct mm_fleet {
	int64_t now, stale_after;
	int64_t revision, revision_time;                      /* current; 0 = none */
	int64_t hosts, hosts_fresh, hosts_stale, hosts_never; /* hosts = sum of the three */
	int64_t hosts_current;                                /* fresh and on the current revision */
	int64_t hosts_pending, hosts_refused,
	    hosts_unreachable;  /* by push state; refused = every other failure */
	int64_t users;          /* in the store */
	int64_t users_seen;     /* of them, with evidence on some host */
	int64_t places;         /* (host, user) pairs with evidence, or listed for the host by name */
	int64_t places_unheard; /* of them, without any evidence yet: unknown */
	int64_t places_by[MM_AUDIT_COUNT]; /* worst audit result of their findings and logins; stale ones are
					      unknown */
	int64_t places_stale;
	int64_t settings;                    /* open findings */
	int64_t settings_by[MM_AUDIT_COUNT]; /* by verdict (enum mm_audit); stale ones are unknown */
	int64_t settings_state[MM_ST_COUNT]; /* of fresh evidence */
	int64_t settings_stale;
	int64_t logins;
	int64_t logins_result[MM_LOGIN_COUNT]; /* of fresh evidence */
	int64_t logins_stale;
	int64_t reports;   /* ever received */
	int64_t alarms;    /* checkpoints that hosts have seen and our log does not have */
	int64_t seals_bad; /* reports of the whole store received within stale_after whose signature is bad or
			      missing */
	int64_t oldest_seen, newest_seen; /* over hosts that have reported */
};
/* Of the filter's hosts, users, groups and tags, and settings of its client;
 * revision and reports are those of the store. NULL = everything. */
int mm_store_fleet(
    struct mm_store *s, const struct mm_evidence_filter *f, struct mm_fleet *out, struct mm_err *err);

/* ---- waivers (waivers.c): a difference that somebody accepts for a while
 *
 * It covers what fails or is unknown and falls under every part of its scope;
 * never what is stale: nobody can accept what was not seen. */

#define MM_CHECK_LOGIN "login" /* a waiver's check: every login check */

struct mm_waiver {
	int64_t id;
	const char *host, *user, *group, *client, *account; /* "" = any; one at least is not */
	const char *check; /* a setting's or a check's id, MM_CHECK_LOGIN, or "" = any */
	const char *reason, *owner, *added_by;
	int64_t added, until;
	int64_t removed; /* 0 = it was not */
};
/* Takes host to until; *id is its number. An entry in the audit log. */
int mm_store_waiver_add(struct mm_store *s, const struct mm_waiver *w, int64_t *id, struct mm_err *err);
/* It ends now. 1 = there is none of this number, or it was removed before. */
int mm_store_waiver_remove(struct mm_store *s, int64_t id, struct mm_err *err);
/* In order of number; `all`: those that were removed, too. */
int mm_store_waiver_each(struct mm_store *s, bool all,
    int (*cb)(const struct mm_waiver *w, void *arg, struct mm_err *err), void *arg, struct mm_err *err);

/* ---- the audit log (audit.c) */

struct mm_audit_entry {
	int64_t seq; /* from 1, without gaps */
	int64_t time;
	const char *who;
	const char *action;        /* "policy.import", "user.add", "report" ... */
	const char *object;        /* revision, login, host ...; NULL = erased */
	const char *detail;        /* JSON object as text; NULL = erased */
	const char *reason;        /* "" when none */
	bool personal;             /* object and detail stand apart and may be erased */
	const char *prev, *sha256; /* hex */
};

/* Append. `detail` may be NULL ("{}"). With `personal` object and detail
 * are stored apart, and the chain holds a salted hash of them only. */
int mm_store_audit(struct mm_store *s, const char *action, const char *object, const char *detail,
    bool personal, struct mm_err *err);
/* Entries with seq > after, oldest first. */
int mm_store_audit_each(struct mm_store *s, int64_t after,
    int (*cb)(const struct mm_audit_entry *e, void *arg, struct mm_err *err), void *arg, struct mm_err *err);

/* ---- checkpoints of the log (checkpoints.c) */

struct mm_checkpoint_row {
	struct mm_checkpoint c;
	int64_t witnesses; /* outside that took it: files, the system's log */
	bool hosts;        /* it goes out with requests */
};
int mm_store_fleet_id(struct mm_store *s, char out[MM_ID_LEN], struct mm_err *err);
/* Entries that this handle has appended since it made a checkpoint. */
int64_t mm_store_appended(const struct mm_store *s);
/* Sign the log as it stands. 1: it is empty, or has this checkpoint already. */
int mm_store_checkpoint_make(
    struct mm_store *s, const struct mm_key *k, bool hosts, struct mm_checkpoint *out, struct mm_err *err);
int mm_store_checkpoint_taken(struct mm_store *s, int64_t seq, int64_t witnesses, struct mm_err *err);
int mm_store_checkpoint_newest(
    struct mm_store *s, struct mm_checkpoint_row *out, struct mm_err *err); /* 1 = none */
/* Oldest first. */
int mm_store_checkpoint_each(struct mm_store *s,
    int (*cb)(const struct mm_checkpoint_row *r, void *arg, struct mm_err *err), void *arg,
    struct mm_err *err);
/* A host hands back what it has seen. *alarm is NULL when our log has that, else a
 * sentence about the host; one that we have signed indeed is kept as an alarm,
 * with an entry in the log. */
int mm_store_checkpoint_heard(struct mm_store *s, const char *host, const struct mm_checkpoint *c,
    struct mm_arena *a, const char **alarm, struct mm_err *err);
struct mm_alarm {
	const char *host, *text, *body; /* body: the checkpoint as JSON */
	int64_t seq, heard;
};
int mm_store_alarm_each(struct mm_store *s,
    int (*cb)(const struct mm_alarm *al, void *arg, struct mm_err *err), void *arg, struct mm_err *err);
/* The newest one that any host has handed back, and how many hosts have handed
 * back one at all. 0: none. */
int mm_store_checkpoint_hosts(struct mm_store *s, int64_t *newest, int64_t *hosts, struct mm_err *err);
/* Where the log begins when older entries were pruned: a checkpoint of the last
 * one that is gone. 1: nothing was pruned. */
int mm_store_anchor(struct mm_store *s, struct mm_checkpoint *out, struct mm_err *err);
/* Rows of revisions, approvals, reports and waivers against the entries that tell of them. */
struct mm_vouched; /* chain.h; counted into */
int mm_store_rows_check(struct mm_store *s, struct mm_vouched *v,
    int (*cb)(const char *place, const char *text, void *arg, struct mm_err *err), void *arg,
    struct mm_err *err);
/* Remove the entries before `before`, never the last one; *n = how many. The anchor is
 * signed with `k`. An entry. */
int mm_store_audit_prune(
    struct mm_store *s, int64_t before, const struct mm_key *k, int64_t *n, struct mm_err *err);
/* What stands in the log and in the evidence about a person: the parts of entries
 * that stand apart, findings, logins. An entry that does not name the person. */
int mm_store_user_erase(struct mm_store *s, const char *login, struct mm_err *err);
/* Notes of a command to its successors; *out stays as it is when there is none. */
int mm_store_note_get(struct mm_store *s, const char *name, struct mm_buf *out, struct mm_err *err);
int mm_store_note_set(struct mm_store *s, const char *name, const char *text, struct mm_err *err);

#endif
