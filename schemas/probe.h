/*
 * The talk with mailmuster-probe: JSON lines in, JSON lines out, secrets on a
 * descriptor of their own. Schemas: schemas/json/probe-{task,answer}.schema.json.
 *
 * A task line on standard input, one per endpoint and user:
 *   {"id":1,"level":"login","protocol":"imap","host":"h","port":993,
 *    "security":"tls","auth":"password","username":"alice","secret":0,
 *    "tls_min":"1.2","ca_file":"/etc/...","pin":"sha256//...",
 *    "sender":"alice@acme.example","address":"alice@acme.example",
 *    "ehlo":"ws7.acme.example","retrieve":0,"certificate":1,"ccache":"/tmp/...",
 *    "timeouts":{"connect":8,"answer":20,"login":30,"roundtrip":120},
 *    "survey":true,
 *    "known":[{"protocol":"imap","host":"h","port":993,"security":"tls"}]}
 * `secret` is the index of a record on descriptor 3 (absent: none, then level
 * login is answered "untested"), `certificate` that of a PEM with a client certificate
 * and its key. Level roundtrip is for SMTP: the message is looked for with the
 * incoming task whose id is `retrieve`. `known` are the endpoints of the
 * signed policy: a suggestion is made from them, and a look without
 * credentials goes only to them; credentials for another host are not used.
 * `survey`: look closely at the endpoint, without credentials: every address,
 * every TLS version, OCSP. Records: length(u32 big-endian) bytes.
 * End of file on standard input ends the list; answers stream as they come,
 * each the JSON of a login frame without user and account, plus "id".
 */
#ifndef MM_SCHEMAS_PROBE_H
#define MM_SCHEMAS_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/mem.h"
#include "schemas/report.h"

#define MM_PROBE_SECRET_FD 3
#define MM_PROBE_TASKS_MAX 65536
#define MM_PROBE_LINE_MAX (128u * 1024u)
#define MM_PROBE_KNOWN_MAX 128 /* both sides of every account of a sheet */

struct mm_probe_known { /* an endpoint that the policy names */
	const char *protocol, *host, *security;
	int port;
};

struct mm_probe_task {
	int64_t id;
	enum mm_level level;
	const char *protocol, *host, *security, *auth, *username;
	int port;
	int64_t secret;                               /* index, -1 = none */
	const char *tls_min, *ca_file, *pin, *sender; /* NULL = not set */
	const char *address;                          /* the user's own; NULL = not known */
	const char *ehlo;                 /* name in EHLO (RFC 5321 4.1.1.1); NULL = this host's */
	const char *ccache;               /* Kerberos ticket cache, a path; NULL = none */
	int64_t certificate;              /* index, -1 = none */
	int64_t retrieve;                 /* id of the incoming task, -1 = none */
	int connect_s, answer_s, login_s; /* time limits, seconds; 0 = the usual */
	int trip_s;                       /* likewise: how long a round trip is waited for */
	bool survey;                      /* look closely at the endpoint */
	const struct mm_probe_known *known;
	size_t n_known;
};
/* Everything unset; a task begins with it, since 0 is an index. */
extern const struct mm_probe_task mm_probe_task_none;

/* One line without the newline. */
void mm_probe_task_encode(const struct mm_probe_task *t, struct mm_buf *out);
int mm_probe_task_decode(
    const char *json, size_t n, struct mm_arena *a, struct mm_probe_task *out, struct mm_err *err);
/* In an answer user and account of the login are "". */
void mm_probe_answer_encode(int64_t id, const struct mm_login *l, struct mm_buf *out);
int mm_probe_answer_decode(
    const char *json, size_t n, struct mm_arena *a, int64_t *id, struct mm_login *out, struct mm_err *err);

#endif
