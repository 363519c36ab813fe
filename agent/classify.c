#include "agent/classify.h"

#include <assert.h>
#include <stddef.h>

enum mm_state mm_classify(enum mm_setting s, const char *applied, const char *found, const char *desired)
{
	assert(desired != NULL);
	if (found != NULL && mm_setting_satisfies(s, found, desired))
		return MM_ST_COMPLIANT;
	if (applied == NULL)
		return found == NULL ? MM_ST_PENDING : MM_ST_UNMANAGED;
	if (found == NULL)
		return MM_ST_REMOVED;
	return mm_setting_equal(s, applied, found) ? MM_ST_PENDING : MM_ST_DRIFTED;
}

#define OWN_CHOICE "the user's own value, which the policy allows"

struct mm_decision mm_decide(enum mm_state state, enum mm_mode mode)
{
	struct mm_decision d = {.state = state, .action = MM_ACT_NONE, .reason = ""};
	if (state == MM_ST_COMPLIANT)
		return d;
	switch (mode) {
	case MM_MODE_ENFORCE:
		d.write = true;
		break;
	case MM_MODE_DEFAULT:
		/* Written once: afterwards only a change of the policy counts. */
		if (state == MM_ST_PENDING) {
			d.write = true;
		} else {
			d.state = MM_ST_COMPLIANT;
			d.reason = OWN_CHOICE;
		}
		break;
	case MM_MODE_AUDIT:
		/* The account was recognised as the policy's: its difference counts. */
		if (state == MM_ST_UNMANAGED)
			d.state = MM_ST_PENDING;
		d.action = MM_ACT_REPORTED;
		break;
	case MM_MODE_IGNORE:
	case MM_MODE_COUNT:
		assert(mode == MM_MODE_AUDIT);
		break;
	}
	return d;
}

enum mm_state mm_trouble_state(enum mm_file_trouble t)
{
	switch (t) {
	case MM_FILE_OWNER:
	case MM_FILE_LINK:
	case MM_FILE_READONLY:
	case MM_FILE_CHANGED:
		return MM_ST_DEFERRED;
	case MM_FILE_OK:
	case MM_FILE_ABSENT:
	case MM_FILE_TYPE:
	case MM_FILE_TOO_BIG:
	case MM_FILE_SYSTEM:
		break;
	}
	return MM_ST_ERROR;
}
