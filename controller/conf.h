/*
 * controller.conf in the state folder: how this controller behaves towards
 * what is outside of it, in libconfig.
 *
 *   witness = { files = [ "/srv/audit/mailmuster.checkpoints" ];   # an auditor's; absolute paths
 *               syslog = true;                                     # false when absent
 *               hosts = true; };                                   # true when absent
 *
 *   export = { file = "/var/log/mailmuster/events.jsonl";               # events as JSON lines
 *              syslog = "tls://siem.acme.example:6514";                  # or tcp://, udp://
 *              syslog_ca_file = "/etc/ssl/certs/acme.pem";               # the system's when absent
 *              webhook = { url = "https://hooks.acme.example/mail";      # http:// to this machine only
 *                          secret_file = "/etc/mailmuster/webhook.key";  # 0600, at least 16 bytes
 *                          ca_file = "/etc/ssl/certs/acme.pem"; }; };
 *
 * The file need not be there. It must belong to root or to the running user
 * and must not be writable by others. What is not known is an error
 * (MM_EX_DATAERR) that names file and line. "@include" is refused.
 */
#ifndef MM_CONTROLLER_CONF_H
#define MM_CONTROLLER_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/mem.h"

#define MM_CTL_CONF_MAX (256u * 1024u)
#define MM_WITNESS_FILES 16

struct mm_witness_conf {
	const char *files[MM_WITNESS_FILES];
	size_t n_files;
	bool syslog;
	bool hosts; /* checkpoints travel with requests */
};

struct mm_export_conf { /* NULL = not set up */
	const char *file;
	const char *syslog, *syslog_ca_file;
	const char *webhook_url, *webhook_secret_file, *webhook_ca_file;
};

struct mm_ctl_conf {
	struct mm_witness_conf witness;
	struct mm_export_conf export;
};

/* An absent file gives what is usual. Texts live in `a`. */
int mm_ctl_conf_load(const char *path, struct mm_arena *a, struct mm_ctl_conf *out, struct mm_err *err);
/* The same from a text; `path` stands in messages. */
int mm_ctl_conf_parse(
    const char *path, const char *text, struct mm_arena *a, struct mm_ctl_conf *out, struct mm_err *err);

#endif
