/*
 * agent.conf: what this workstation lets a controller do, in libconfig.
 *
 *   host = "ws1";                                  # host id, fixed at enrolment
 *   keys = [ "/etc/mailmuster/controller.pub" ];   # files, or PEM texts themselves
 *   limits = { domains = [ "acme.example" ];       # endpoint hosts: these and all below; "*" = any
 *              password_programs = [ "/usr/bin/pass" ];   # none when absent
 *              clients = [ "mutt", "msmtp" ];      # all when absent
 *              credentials = [ "command", "netrc" ]; };   # where passwords may be taken from;
 *                                                  # all of mm_credential_words when absent
 *   state_dir = "/var/lib/mailmuster-agent";
 *   probe = { program = "/usr/bin/mailmuster-probe";   # the one beside the agent when absent
 *             ehlo = "ws1.acme.example";             # its address when absent
 *             connect = 8; answer = 20; login = 30;  # time limits in seconds
 *             again = 1800; };                       # seconds between two tries of a refused password
 *                                                    # that somebody asks for
 *   probe = "/usr/bin/mailmuster-probe";           # the same with the program alone
 *   report_key = "/var/lib/mailmuster-agent/report.key";
 *   deferral_days = 14;                            # so long a change may wait, for a program that runs, say
 *   login = "alice";                               # an installation for one user, without root
 *   checkin = { destination = "mailmuster@admin.example"; port = 22;   # where reports are carried to
 *               identity = "/var/lib/mailmuster-agent/ssh_key";        # state_dir/ssh_key when absent
 *               known_hosts = "/etc/mailmuster/known_hosts"; };        # beside agent.conf when absent
 *
 * The file must belong to root or to the running user and must not be
 * writable by group or others, nor must the key files. What is not known is
 * an error (code MM_EX_DATAERR) that names file and line. "@include" is
 * refused: libconfig opens any file named there.
 */
#ifndef MM_AGENT_CONF_H
#define MM_AGENT_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/mem.h"
#include "schemas/signing.h"

#define MM_CONF_MAX (256u * 1024u) /* bytes of agent.conf and of each key file */
#define MM_PROBE_LIMIT_MAX 600     /* seconds */
#define MM_AGAIN_MIN 60            /* seconds, of probe.again */
#define MM_AGAIN_MAX (7 * 86400)
#define MM_AGAIN_USUAL 1800  /* servers count wrong passwords over so long, or less, before they lock */
#define MM_DEFERRAL_USUAL 14 /* days */
#define MM_DEFERRAL_MAX 365
#define MM_CONF_SYSTEM "/etc/mailmuster/agent.conf"

/* Where `mailmuster-agent checkin` goes. The texts are fit for a command line
 * of ssh: a plain account and host name, and paths without characters that
 * ssh_config(5) would expand. */
struct mm_checkin_conf {
	const char *account, *host; /* the two halves of the destination */
	int port;
	const char *identity, *known_hosts;
};

/* How login checks are made; 0 and NULL: as the probe has it. */
struct mm_probe_conf {
	const char *program; /* absolute path, never NULL once placed */
	const char *ehlo;
	int connect_s, answer_s, login_s;
	int again_s; /* never 0 */
};

struct mm_conf {
	struct mm_arena *arena;
	const char *path; /* of the file itself */
	const char *host;
	const char *login; /* NULL, or the one user whom this installation serves */
	bool hostwide;     /* installed by root, for all users of the host */
	struct mm_key *keys[MM_KEYS_MAX];
	size_t n_keys;
	const char *const *domains;     /* NULL-terminated, never NULL */
	const char *const *programs;    /* NULL-terminated, never NULL */
	const char *const *clients;     /* NULL = all */
	const char *const *credentials; /* NULL = all */
	const char *state_dir;
	struct mm_probe_conf probe;
	const char *report_key;
	int deferral_days;                     /* after which what is put off counts as failed; never 0 */
	const struct mm_checkin_conf *checkin; /* NULL = none is set up */
};

/* `path` NULL: /etc/mailmuster/agent.conf as root; else the user's own
 * $XDG_CONFIG_HOME/mailmuster/agent.conf when there is one, else root's.
 * `home` is the running user's. Free with mm_conf_free(). */
int mm_conf_load(const char *path, const char *home, struct mm_conf **out, struct mm_err *err);
/* The same from a text; `path` stands in messages. For tests. */
int mm_conf_parse(const char *path, const char *text, struct mm_conf **out, struct mm_err *err);
void mm_conf_free(struct mm_conf *c);

/* The limits. A domain allows itself and every name that ends in a dot and
 * itself, without regard to case; an address literal only itself. */
bool mm_conf_allows_host(const struct mm_conf *c, const char *host);
bool mm_conf_allows_program(const struct mm_conf *c, const char *program);
bool mm_conf_allows_client(const struct mm_conf *c, const char *client);
/* Words for limits.credentials, NULL-terminated: "command", "secret-service",
 * "netrc", "systemd", "ticket" (Kerberos), "client-cert". */
extern const char *const mm_credential_words[];
bool mm_conf_allows_credential(const struct mm_conf *c, const char *word);

/* Where this user's own state lies: journal, generations, spool, lock. Under
 * `home` for a host-wide installation (root does not know the user's
 * environment), else the installation's own folder. In `a`. */
const char *mm_conf_user_state(const struct mm_conf *c, const char *home, struct mm_arena *a);

#endif
