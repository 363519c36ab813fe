/*
 * The transport over the system's ssh program, in a worker process of its
 * own kind. It serves what libssh2 cannot: hosts with hardened method lists,
 * and hosts behind a ProxyCommand.
 */
#ifndef MM_PUSH_SSHCMD_H
#define MM_PUSH_SSHCMD_H

/* The name under which a host's keys stand in the generated known_hosts file
 * (one file per host, so one name is enough). */
#define MM_HOSTKEY_ALIAS "mailmuster-pinned"

#endif
