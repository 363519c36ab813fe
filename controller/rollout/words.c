#include "controller/rollout/words.h"

#include "common/text.h"

static const char *const states[MM_RO_COUNT] = {
    [MM_RO_RUNNING] = "running",
    [MM_RO_BAKING] = "baking",
    [MM_RO_PAUSED] = "paused",
    [MM_RO_HALTED] = "halted",
    [MM_RO_DONE] = "done",
    [MM_RO_ABORTED] = "aborted",
    [MM_RO_SUPERSEDED] = "superseded",
};

static const char *const host_states[MM_RH_COUNT] = {
    [MM_RH_WAITING] = "waiting",
    [MM_RH_RELEASED] = "released",
    [MM_RH_SENT] = "sent",
    [MM_RH_OK] = "ok",
    [MM_RH_FAILED] = "failed",
    [MM_RH_UNREACHABLE] = "unreachable",
    [MM_RH_LOGIN] = "login",
    [MM_RH_LATE] = "late",
    [MM_RH_SUPERSEDED] = "superseded",
    [MM_RH_REVERTED] = "reverted",
};

static int by_name(const char *const *names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (mm_streq(names[i], name))
			return i;
	return -1;
}

const char *mm_ro_state_name(enum mm_ro_state s)
{
	return states[s];
}

int mm_ro_state_by_name(const char *name)
{
	return by_name(states, MM_RO_COUNT, name);
}

bool mm_ro_state_live(enum mm_ro_state s)
{
	return s == MM_RO_RUNNING || s == MM_RO_BAKING || s == MM_RO_DONE;
}

const char *mm_rh_state_name(enum mm_rh_state s)
{
	return host_states[s];
}

int mm_rh_state_by_name(const char *name)
{
	return by_name(host_states, MM_RH_COUNT, name);
}

bool mm_rh_answered(enum mm_rh_state s)
{
	return s == MM_RH_OK || s == MM_RH_FAILED || s == MM_RH_LOGIN || s == MM_RH_REVERTED;
}
