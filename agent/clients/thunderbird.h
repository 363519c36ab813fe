/*
 * Thunderbird: what its three modules share.
 *
 *   thunderbird_profile.c  which folders are profiles, which one a plain start takes, how to make one
 *   thunderbird_map.c      numbers of its preferences <-> words of our settings
 *   thunderbird.c          the adapter: reading accounts, changing them
 */
#ifndef MM_AGENT_CLIENTS_THUNDERBIRD_H
#define MM_AGENT_CLIENTS_THUNDERBIRD_H

#include "agent/clients/client.h"

#endif
