#include "schemas/state.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "common/err.h"

static const char *const state_names[MM_ST_COUNT] = {
    [MM_ST_COMPLIANT] = "compliant",
    [MM_ST_PENDING] = "pending",
    [MM_ST_DRIFTED] = "drifted",
    [MM_ST_REMOVED] = "removed",
    [MM_ST_UNMANAGED] = "unmanaged",
    [MM_ST_OVERRIDDEN] = "overridden",
    [MM_ST_UNSUPPORTED] = "unsupported",
    [MM_ST_DEFERRED] = "deferred",
    [MM_ST_UNCONFIRMED] = "unconfirmed",
    [MM_ST_UNKNOWN] = "unknown",
    [MM_ST_ERROR] = "error",
};

static const char *const action_names[MM_ACT_COUNT] = {
    [MM_ACT_NONE] = "none",
    [MM_ACT_WOULD_CHANGE] = "would-change",
    [MM_ACT_CREATED] = "created",
    [MM_ACT_ADOPTED] = "adopted",
    [MM_ACT_CORRECTED] = "corrected",
    [MM_ACT_REMOVED] = "removed",
    [MM_ACT_REPORTED] = "reported",
    [MM_ACT_REVERTED] = "reverted",
};

static const char *const audit_names[MM_AUDIT_COUNT] = {
    [MM_AUDIT_PASS] = "pass",
    [MM_AUDIT_FAIL] = "fail",
    [MM_AUDIT_UNKNOWN] = "unknown",
    [MM_AUDIT_NOT_APPLICABLE] = "notapplicable",
    [MM_AUDIT_WAIVED] = "waived",
};

static const char *const mode_names[MM_MODE_COUNT] = {
    [MM_MODE_ENFORCE] = "enforce",
    [MM_MODE_AUDIT] = "audit",
    [MM_MODE_DEFAULT] = "default",
    [MM_MODE_IGNORE] = "ignore",
};

static const char *const create_names[MM_CREATE_COUNT] = {
    [MM_CREATE_EXISTING] = "existing",
    [MM_CREATE_ALWAYS] = "always",
    [MM_CREATE_NEVER] = "never",
};

static const char *const reach_names[MM_REACH_COUNT] = {
    [MM_REACH_USER] = "user",
    [MM_REACH_SYSTEM] = "system",
};

static const char *const result_names[MM_LOGIN_COUNT] = {
    [MM_LOGIN_PASSED] = "passed",
    [MM_LOGIN_FAILED] = "failed",
    [MM_LOGIN_UNTESTED] = "untested",
};

static const char *const level_names[MM_LEVEL_COUNT] = {
    [MM_LEVEL_REACH] = "reach",
    [MM_LEVEL_TLS] = "tls",
    [MM_LEVEL_LOGIN] = "login",
    [MM_LEVEL_ROUNDTRIP] = "roundtrip",
};

static int find(const char *const *names, int n, const char *s)
{
	for (int i = 0; s != NULL && i < n; i++) {
		if (strcmp(names[i], s) == 0)
			return i;
	}
	return -1;
}

const char *mm_state_name(enum mm_state s)
{
	assert(s < MM_ST_COUNT);
	return state_names[s];
}

const char *mm_action_name(enum mm_action a)
{
	assert(a < MM_ACT_COUNT);
	return action_names[a];
}

const char *mm_cost_name(int bit)
{
	static const char *const names[MM_COST_COUNT] = {"password", "fetch"};

	assert(bit >= 0 && bit < MM_COST_COUNT);
	return names[bit];
}

const char *mm_audit_name(enum mm_audit a)
{
	assert(a < MM_AUDIT_COUNT);
	return audit_names[a];
}

const char *mm_mode_name(enum mm_mode m)
{
	assert(m < MM_MODE_COUNT);
	return mode_names[m];
}

const char *mm_create_name(enum mm_create c)
{
	assert(c < MM_CREATE_COUNT);
	return create_names[c];
}

const char *mm_result_name(enum mm_result r)
{
	assert(r < MM_LOGIN_COUNT);
	return result_names[r];
}

const char *mm_level_name(enum mm_level l)
{
	assert(l < MM_LEVEL_COUNT);
	return level_names[l];
}

int mm_state_by_name(const char *s)
{
	return find(state_names, MM_ST_COUNT, s);
}

int mm_action_by_name(const char *s)
{
	return find(action_names, MM_ACT_COUNT, s);
}

int mm_mode_by_name(const char *s)
{
	return find(mode_names, MM_MODE_COUNT, s);
}

int mm_create_by_name(const char *s)
{
	return find(create_names, MM_CREATE_COUNT, s);
}

const char *mm_reach_name(enum mm_reach r)
{
	assert(r < MM_REACH_COUNT);
	return reach_names[r];
}

int mm_reach_by_name(const char *s)
{
	return find(reach_names, MM_REACH_COUNT, s);
}

int mm_result_by_name(const char *s)
{
	return find(result_names, MM_LOGIN_COUNT, s);
}

int mm_level_by_name(const char *s)
{
	return find(level_names, MM_LEVEL_COUNT, s);
}

/* The cells of the table below. */
#define OK_PASS                                                                                              \
	{                                                                                                    \
		MM_EX_OK, MM_AUDIT_PASS                                                                      \
	}
#define OK_SKIP                                                                                              \
	{                                                                                                    \
		MM_EX_OK, MM_AUDIT_NOT_APPLICABLE                                                            \
	}
#define DIFF_FAIL                                                                                            \
	{                                                                                                    \
		MM_EX_DIFF, MM_AUDIT_FAIL                                                                    \
	}
#define DIFF_UNKN                                                                                            \
	{                                                                                                    \
		MM_EX_DIFF, MM_AUDIT_UNKNOWN                                                                 \
	}
#define ERR_UNKN                                                                                             \
	{                                                                                                    \
		MM_EX_FAILED, MM_AUDIT_UNKNOWN                                                               \
	}

/* State = what was found, action = what was done about it. A difference that
 * was corrected is as desired now. What cannot be seen or expressed is never
 * a pass, whatever was done: an override still wins, an unsupported setting
 * is still not there. A change that was taken back is a difference. */
/* clang-format off */
static const struct mm_verdict verdicts[MM_ST_COUNT][MM_ACT_COUNT] = {
    /*                        none       would-chg  created    adopted    corrected  removed    reported   reverted */
    [MM_ST_COMPLIANT]   = { OK_PASS,   DIFF_FAIL, OK_PASS,   OK_PASS,   OK_PASS,   OK_PASS,   DIFF_FAIL, DIFF_FAIL },
    [MM_ST_PENDING]     = { DIFF_FAIL, DIFF_FAIL, OK_PASS,   OK_PASS,   OK_PASS,   OK_PASS,   DIFF_FAIL, DIFF_FAIL },
    [MM_ST_DRIFTED]     = { DIFF_FAIL, DIFF_FAIL, OK_PASS,   OK_PASS,   OK_PASS,   OK_PASS,   DIFF_FAIL, DIFF_FAIL },
    [MM_ST_REMOVED]     = { DIFF_FAIL, DIFF_FAIL, OK_PASS,   OK_PASS,   OK_PASS,   OK_PASS,   DIFF_FAIL, DIFF_FAIL },
    [MM_ST_UNMANAGED]   = { OK_SKIP,   DIFF_FAIL, OK_PASS,   OK_PASS,   OK_PASS,   OK_PASS,   OK_SKIP,   DIFF_FAIL },
    [MM_ST_OVERRIDDEN]  = { DIFF_FAIL, DIFF_FAIL, DIFF_FAIL, DIFF_FAIL, DIFF_FAIL, DIFF_FAIL, DIFF_FAIL, DIFF_FAIL },
    [MM_ST_UNSUPPORTED] = { DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_FAIL },
    [MM_ST_DEFERRED]    = { DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_FAIL },
    [MM_ST_UNCONFIRMED] = { DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_FAIL },
    [MM_ST_UNKNOWN]     = { DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_UNKN, DIFF_FAIL },
    [MM_ST_ERROR]       = { ERR_UNKN,  ERR_UNKN,  ERR_UNKN,  ERR_UNKN,  ERR_UNKN,  ERR_UNKN,  ERR_UNKN,  ERR_UNKN  },
};
/* clang-format on */

struct mm_verdict mm_verdict(enum mm_state s, enum mm_action a)
{
	assert(s < MM_ST_COUNT && a < MM_ACT_COUNT);
	return verdicts[s][a];
}

/* Classes of "untested" that mean: there is nothing that could be tested. */
static const char *const nothing_to_test[] = {"NO_LOGIN_WANTED", "NO_TLS_WANTED"};

struct mm_verdict mm_login_verdict(enum mm_result r, const char *cls)
{
	static const struct mm_verdict by_result[MM_LOGIN_COUNT] = {
	    [MM_LOGIN_PASSED] = OK_PASS, [MM_LOGIN_FAILED] = DIFF_FAIL, [MM_LOGIN_UNTESTED] = DIFF_UNKN};
	static const struct mm_verdict nothing = OK_SKIP;
	assert(r < MM_LOGIN_COUNT);
	int n = (int)(sizeof(nothing_to_test) / sizeof(nothing_to_test[0]));
	return r == MM_LOGIN_UNTESTED && find(nothing_to_test, n, cls) >= 0 ? nothing : by_result[r];
}
