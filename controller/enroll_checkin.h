/*
 * `host enroll --checkin`: what a workstation needs to call the controller.
 *
 * On the host: an SSH key of its own, the controller's host key in a
 * known_hosts of its own beside agent.conf, the block `checkin` in agent.conf,
 * the timer started. Here: one line for authorized_keys that lets this key
 * do one thing, `mailmuster checkin` for this host.
 */
#ifndef MM_CONTROLLER_ENROLL_CHECKIN_H
#define MM_CONTROLLER_ENROLL_CHECKIN_H

#include "controller/cmd.h"
#include "controller/push/sshkey.h"

#define MM_CHECKIN_KEY "/var/lib/mailmuster-agent/ssh_key" /* on the host; its public half beside it */

/* As the options give it. */
struct mm_checkin_opts {
	const char
	    *destination; /* ACCOUNT@HOST[:PORT], [HOST]:PORT for an address with colons; NULL = none */
	const char *known_hosts;     /* file with the controller's host key; NULL = ask it (ssh-keyscan) */
	const char *authorized_keys; /* file that gets the line; NULL = it is printed */
};

struct mm_enroll_checkin {
	const char *account, *host; /* of the destination */
	int port;
	struct mm_sshkey keys[MM_SSHKEYS_MAX]; /* the controller's host keys */
	size_t n_keys;
	bool scanned;                         /* they came over the network */
	char fingerprint[MM_FINGERPRINT_MAX]; /* of the first one */
	const char *blob;                     /* the host's own public key, in base64 */
	const char *line;                     /* for authorized_keys, without newline */
	const char *written;                  /* "kept" or "written"; NULL = not asked for */
};

/* The destination and the controller's host keys; texts in `a`. */
int mm_enroll_checkin_prepare(
    const struct mm_checkin_opts *o, struct mm_arena *a, struct mm_enroll_checkin *k, struct mm_err *err);
/* The block for agent.conf, which lies at `config` on the host. One line: an
 * enrolment without --checkin finds it by that and keeps it. */
void mm_enroll_checkin_conf(const struct mm_enroll_checkin *k, const char *config, struct mm_buf *out);
/* The controller's keys as lines of known_hosts. */
void mm_enroll_checkin_known(const struct mm_enroll_checkin *k, struct mm_buf *out);
/* The host has told its public key: make the line, and put it into the file
 * if there is one (an older line for the same host or the same key goes). */
int mm_enroll_checkin_finish(const struct mm_ctl *c, const struct mm_checkin_opts *o, const char *host,
    const char *public_key, struct mm_arena *a, struct mm_enroll_checkin *k, struct mm_err *err);

#endif
