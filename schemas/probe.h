/*
 * The talk with mailmuster-probe: JSON lines in, JSON lines out, secrets on a
 * descriptor of their own. Schemas: schemas/json/probe-{task,answer}.schema.json.
 *
 * A task line on standard input, one per endpoint and user:
 *   {"id":1,"level":"login","protocol":"imap","host":"h","port":993,
 *    "security":"tls","auth":"password","username":"alice","secret":0,
 *    "tls_min":"1.2","ca_file":"/etc/...","pin":"sha256//...",
 *    "sender":"alice@acme.example"}
 * `secret` is the index of a record on descriptor 3 (absent: none, then level
 * login is answered "untested"). Records: length(u32 big-endian) bytes.
 * End of file on standard input ends the list; answers stream as they come,
 * each the JSON of a login frame without user and account, plus "id".
 */
#ifndef MM_SCHEMAS_PROBE_H
#define MM_SCHEMAS_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/mem.h"
#include "schemas/report.h"

#define MM_PROBE_SECRET_FD 3
#define MM_PROBE_TASKS_MAX 65536
#define MM_PROBE_LINE_MAX (64u * 1024u)

struct mm_probe_task {
	int64_t id;
	enum mm_level level;
	const char *protocol, *host, *security, *auth, *username;
	int port;
	int64_t secret;                               /* index, -1 = none */
	const char *tls_min, *ca_file, *pin, *sender; /* NULL = not set */
};

/* One line without the newline. */
void mm_probe_task_encode(const struct mm_probe_task *t, struct mm_buf *out);
int mm_probe_task_decode(
    const char *json, size_t n, struct mm_arena *a, struct mm_probe_task *out, struct mm_err *err);
/* In an answer user and account of the login are "". */
void mm_probe_answer_encode(int64_t id, const struct mm_login *l, struct mm_buf *out);
int mm_probe_answer_decode(
    const char *json, size_t n, struct mm_arena *a, int64_t *id, struct mm_login *out, struct mm_err *err);

#endif
