/*
 * `mailmuster-agent checkin`: the workstation calls the controller. It
 * carries what waits in the users' spools, and does what a signed request
 * asks of it, over one connection of the system's ssh:
 *
 *   agent -> controller   magic HELLO (REPORT FINDING* LOGIN*)* END
 *   controller -> agent   magic ENVELOPE SHEET* REQUEST_END
 *   agent -> controller   the answer, exactly as from `receive`
 *
 * The spooled reports stay where they are: only an acknowledgement inside a
 * signed request deletes them, so a check-in that breaks off loses nothing.
 * The controller is believed no more than in `receive`.
 */
#ifndef MM_AGENT_CHECKIN_H
#define MM_AGENT_CHECKIN_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/conf.h"

/* Seconds: for ssh as a whole; and that the controller takes, by default, to
 * let us in, to take more of our reports, to make its request, and to end. */
#define MM_CHECKIN_LIFE_S 1200
#define MM_CHECKIN_WAIT_S 120

struct mm_checked_in {
	size_t reports; /* that were carried */
	bool asked;     /* a request came and was answered */
};

/* `c` has a check-in. The exit status: that of mm_receive() when a request
 * came; MM_EX_UNREACHABLE when the controller could not be reached or went
 * away; MM_EX_NOPERM when it refuses this host. `err` is set unless all is
 * said by the status. `hang_s`: as in struct mm_receive. */
int mm_checkin(
    const struct mm_conf *c, int hang_s, int wait_s, struct mm_checked_in *out, struct mm_err *err);

#endif
