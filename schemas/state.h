/*
 * Findings in words: states, actions, enforcement, and the one table that
 * says what each means for an exit status and for an audit.
 *
 * The names are part of the contract: they stand in frames, in the store, in
 * every report.
 */
#ifndef MM_SCHEMAS_STATE_H
#define MM_SCHEMAS_STATE_H

#include <stdbool.h>

enum mm_state {
	MM_ST_COMPLIANT,   /* as desired */
	MM_ST_PENDING,     /* an intended change that is not made yet */
	MM_ST_DRIFTED,     /* somebody changed what we had applied */
	MM_ST_REMOVED,     /* somebody removed what we had applied */
	MM_ST_UNMANAGED,   /* there, but neither ours nor adopted */
	MM_ST_OVERRIDDEN,  /* right in the file, but something else wins */
	MM_ST_UNSUPPORTED, /* the client or this agent cannot express it */
	MM_ST_DEFERRED,    /* cannot be looked at or changed now (running, locked, home away) */
	MM_ST_UNCONFIRMED, /* changed, not yet proven by a login */
	MM_ST_UNKNOWN,     /* no evidence, or too old */
	MM_ST_ERROR,       /* reading or writing failed; the file is untouched */
	MM_ST_COUNT
};

enum mm_action {
	MM_ACT_NONE,
	MM_ACT_WOULD_CHANGE,
	MM_ACT_CREATED,
	MM_ACT_ADOPTED,
	MM_ACT_CORRECTED,
	MM_ACT_REMOVED,
	MM_ACT_REPORTED, /* a difference that the policy says only to report */
	MM_ACT_REVERTED,
	MM_ACT_COUNT
};

/* What a change costs the person: bits. */
#define MM_COST_PASSWORD 0x1u /* the mail program will ask for the password */
#define MM_COST_FETCH 0x2u    /* it fetches the mail anew */
#define MM_COST_COUNT 2
const char *mm_cost_name(int bit); /* of bit 0, 1 ... */

enum mm_audit {
	MM_AUDIT_PASS,
	MM_AUDIT_FAIL,
	MM_AUDIT_UNKNOWN,
	MM_AUDIT_NOT_APPLICABLE,
	MM_AUDIT_WAIVED, /* fails or is unknown, and a waiver in force accepts it; only the store says so */
	MM_AUDIT_COUNT
};

enum mm_mode { MM_MODE_ENFORCE, MM_MODE_AUDIT, MM_MODE_DEFAULT, MM_MODE_IGNORE, MM_MODE_COUNT };
/* Whose files a client's settings go to: each user's own, or the system's. */
enum mm_reach { MM_REACH_USER, MM_REACH_SYSTEM, MM_REACH_COUNT };
enum mm_create { MM_CREATE_EXISTING, MM_CREATE_ALWAYS, MM_CREATE_NEVER, MM_CREATE_COUNT };

enum mm_result { MM_LOGIN_PASSED, MM_LOGIN_FAILED, MM_LOGIN_UNTESTED, MM_LOGIN_COUNT };
enum mm_level { MM_LEVEL_REACH, MM_LEVEL_TLS, MM_LEVEL_LOGIN, MM_LEVEL_ROUNDTRIP, MM_LEVEL_COUNT };

const char *mm_state_name(enum mm_state s);
const char *mm_action_name(enum mm_action a);
const char *mm_audit_name(enum mm_audit a); /* pass, fail, unknown, notapplicable, waived */
const char *mm_mode_name(enum mm_mode m);
const char *mm_create_name(enum mm_create c);
const char *mm_reach_name(enum mm_reach r); /* user, system */
const char *mm_result_name(enum mm_result r);
const char *mm_level_name(enum mm_level l);
/* -1 when the word is not one of them. */
int mm_state_by_name(const char *s);
int mm_action_by_name(const char *s);
int mm_mode_by_name(const char *s);
int mm_create_by_name(const char *s);
int mm_reach_by_name(const char *s);
int mm_result_by_name(const char *s);
int mm_level_by_name(const char *s);

/* The table: a state and what was done about it -> exit bit (MM_EX_OK or
 * MM_EX_DIFF or MM_EX_FAILED) and audit result. */
struct mm_verdict {
	int exit_bit;
	enum mm_audit audit;
};
struct mm_verdict mm_verdict(enum mm_state s, enum mm_action a);
/* The same for a login check. What was not tested proves nothing: unknown,
 * and a difference; but where the policy wants no login (or no TLS), the
 * class says so and there is nothing to prove. `cls` may be NULL. */
struct mm_verdict mm_login_verdict(enum mm_result r, const char *cls);

#endif
