/*
 * Login checks of one user: which endpoints, with which credentials, and the
 * talk with mailmuster-probe.
 *
 * A side of an account is tested when some client has exactly what the
 * policy wants (struct mm_effect): the test then proves what is really in
 * use. Where a client has the account but not the settings, the login is
 * reported as untested; nothing is inferred. Each endpoint is tested once,
 * however many clients share it. The probe's answers are taken as claims of
 * a process that talks to strangers: names and endpoints come from the
 * sheet, never from the answer.
 *
 * Where the credential cannot be had, the endpoint is still looked at, and
 * the login is untested. A login that a server has refused is not tried
 * again (agent/remember.h): it is reported as it was, with the time of the
 * attempt. Of several checks that would say the same to the same server
 * one goes first, and the others only if it was not refused.
 */
#ifndef MM_AGENT_PROBE_RUN_H
#define MM_AGENT_PROBE_RUN_H

#include "agent/conf.h"
#include "agent/converge.h"

#define MM_PROBE_SECONDS 75       /* for a whole run of the probe */
#define MM_PROBE_TRIP_SECONDS 240 /* ... when messages have to arrive */

/* What a side's login said, for those who decide on changes (confirm.h). */
struct mm_outcome {
	bool told;
	enum mm_result result;
	const char *cls, *text, *admin;
	char settings[MM_SHA256_HEX]; /* with which it was asked (mm_settings_hash) */
	/* The password was withheld, because another port of the server has refused it: its class. */
	const char *elsewhere;
	char credential[MM_SHA256_HEX]; /* over what was to be presented, as in mm_login_key; "" = nothing */
	int64_t when;
};

struct mm_probe_run {
	struct mm_arena *arena;
	const struct mm_conf *conf;
	const struct mm_identity *who;
	const struct mm_sheet *sheet;
	const struct mm_effect (*effect)[MM_SIDE_COUNT]; /* per account of the sheet */
	const char *state_dir;                           /* the user's */
	int64_t now;
	bool sparing; /* a session: do not prove again what is fresh */
	bool again;   /* somebody says that the servers have changed: forget what they refused */
	bool survey;  /* look closely at the servers, without credentials */
	bool trial;   /* these settings are not in force: no proof of them is kept, only what was presented */
	bool prompt;  /* ask on the terminal for passwords that cannot be had otherwise */
	struct mm_sink *sink;
	const struct mm_journal *journal;            /* what was taken back; may be NULL */
	struct mm_outcome (*outcome)[MM_SIDE_COUNT]; /* out, per account of the sheet; may be NULL */
};

/* Is there anything that would be tested? Reads the memory only. */
bool mm_probe_wanted(const struct mm_probe_run *r);
/* Every login is reported to the sink; -1 when the probe could not be run
 * (the logins are then reported as untested). */
int mm_probe_run(const struct mm_probe_run *r, struct mm_err *err);

#endif
