/* One measurement a day, for the plots of reports. */
#ifndef MM_CONTROLLER_SAMPLING_H
#define MM_CONTROLLER_SAMPLING_H

#include "controller/cmd.h"

/* Judge the whole fleet by what the policy chose and keep the counts as
 * today's sample, unless the day has one already. */
int mm_sample_today(struct mm_ctl *c, struct mm_err *err);

#endif
