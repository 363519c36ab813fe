/*
 * mailmuster group sync: memberships from the system's name service.
 *
 * A listing is not trusted: sssd and LDAP leave members out of large groups,
 * and a service that is half down gives half an answer. So each person is
 * asked about by name (getpwnam, getgrouplist); the group's own list only adds
 * names to ask about. An error of the service ends the sync, and an answer that
 * would take more than 5 % out of a group is refused unless it is allowed.
 */
#ifndef MM_CONTROLLER_GROUP_SYNC_H
#define MM_CONTROLLER_GROUP_SYNC_H

#include "controller/cmd.h"

#define MM_SYNC_REMOVE_PERCENT 5

int mm_group_sync(struct mm_ctl *c, int argc, char **argv);

#endif
