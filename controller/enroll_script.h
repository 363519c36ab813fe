/*
 * The shell script that enrols a host, made of fixed text and of data that
 * goes through here-documents and single quotes only. Running it again
 * changes nothing that is right already.
 *
 * It prints lines "mm:WORD VALUE": installed VERSION, agent VERSION, conf
 * kept|written, login kept|written, key BASE64 (the host's public report key),
 * checkin TYPE BASE64 (its public SSH key, when a check-in is set up).
 */
#ifndef MM_CONTROLLER_ENROLL_SCRIPT_H
#define MM_CONTROLLER_ENROLL_SCRIPT_H

#include <stddef.h>

#include "common/buf.h"
#include "common/cli.h"
#include "common/err.h"
#include "controller/enroll_checkin.h"

#define MM_ENROLL_DEB_MAX ((size_t)32 * 1024 * 1024)
/* Exit statuses of the script. */
#define MM_ENROLL_NO_AGENT 90
#define MM_ENROLL_OTHER_HOST 91

struct mm_enrolment {
	const char *host;        /* id */
	const char *account;     /* for the controller's logins: "root" or another */
	const char *agent;       /* path of the program on the host */
	const char *config;      /* path of agent.conf on the host */
	const char *signing_key; /* public, PEM */
	const char *ssh_key;     /* the controller's public SSH key, one line */
	const char *const *domains, *const *programs,
					*const *clients; /* NULL-terminated; clients NULL = all */
	const struct mm_buf *deb;                        /* NULL = do not install */
	const struct mm_enroll_checkin *checkin;         /* NULL = as it is */
	bool force; /* take over a host that is enrolled under another id */
};

/* The text of agent.conf. */
void mm_enroll_conf(const struct mm_enrolment *e, struct mm_buf *out);
void mm_enroll_script(const struct mm_enrolment *e, struct mm_buf *out);
/* 'text' with quotes for sh. */
void mm_sh_quote(const char *s, struct mm_buf *out);

#endif
