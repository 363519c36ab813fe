/*
 * What an agent tells: report heads, findings, logins. JSON bodies of
 * frames; schemas: schemas/json/{report,finding,login}.schema.json.
 *
 * A finding's identity is (host, user, client, path, account, setting); the
 * host is known from the report and not repeated in each finding.
 */
#ifndef MM_SCHEMAS_REPORT_H
#define MM_SCHEMAS_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/digest.h"
#include "common/err.h"
#include "common/mem.h"
#include "schemas/inventory.h"
#include "schemas/ladder.h"
#include "schemas/request.h"
#include "schemas/settings.h"
#include "schemas/state.h"

/* attested: collected by the agent running as root (or by the agent itself
 * in an unprivileged installation's receive); claimed: written by a user's
 * own login run and carried in the spool. */
enum mm_evidence { MM_EV_ATTESTED, MM_EV_CLAIMED };

struct mm_report_head {
	const char *id;         /* report id, hex; stored once however often it arrives */
	const char *host;       /* host id */
	const char *request_id; /* NULL for a login run */
	const char *op;         /* "apply", "plan", ..., "login" */
	enum mm_evidence evidence;
	int64_t epoch, serial; /* of the request that the agent holds; 0 = none */
	int64_t revision;
	int64_t collected; /* unix seconds, the workstation's clock */
	const char *agent; /* version */
	const char *user;  /* the one user of a login run; NULL = all users in the manifest */
	/* users this report covers completely: a finding of such a user that is
	 * not in the report has gone. NULL-terminated, may be empty. */
	const char *const *users;
	bool expired; /* the request in force has expired: settings stay, report is stale */
	/* What the host is; NULL = not said. An answer says it once, in its first report. */
	const struct mm_system *machine; /* "system" in JSON */
};

struct mm_finding {
	const char *user, *client, *path, *account; /* account may be "" (client or file as a whole) */
	const char *setting;                        /* id, or "" for the account/file as a whole */
	const char *desired, *found;                /* NULL = none; secrets never */
	int line;                                   /* in `path` or in `override_path`; 0 = none */
	const char *override_path;                  /* where the override is, or NULL */
	enum mm_state state;
	enum mm_action action;
	const char *reason; /* why, one sentence; "" when the state says it all */
	unsigned costs;     /* MM_COST_...: of all changes to this account, said with the first of them */
};

struct mm_tls_facts {
	const char *version, *cipher, *subject, *issuer, *san; /* NULL = no TLS, or not reached */
	int64_t not_before, not_after;
	/* The connection resumed the TLS session of another test, at the same address, and showed no
	 * certificate: these facts are of the handshake in full that made the session. */
	bool resumed;
	const char *key;         /* "RSA 2048", "EC prime256v1"; NULL = unknown, as all that follow */
	const char *signature;   /* "sha256WithRSAEncryption" */
	const char *fingerprint; /* SHA-256 of the certificate, hexadecimal */
	const char *pin;         /* of its key, "sha256//BASE64", as the setting pin is written */
	const char *offered;     /* protocol versions that the server accepts, "TLSv1.2 TLSv1.3" */
	const char *ocsp;        /* stapled (RFC 6066 8): "none", "good", "revoked", "unknown", "invalid" */
	enum mm_tri name_match;  /* do the subject alternative names hold the host (RFC 9525)? */
	const struct mm_cert_link *chain;
	size_t n_chain;
};

struct mm_timing { /* milliseconds; -1 = not reached */
	int dns, tcp, tls, greeting, login;
};

struct mm_login {
	const char *user, *account;
	const char *side; /* "incoming" or "outgoing" */
	const char *protocol, *host, *security, *auth, *username;
	int port;
	enum mm_level level;   /* asked for */
	enum mm_level reached; /* highest level that held; only meaningful with `any` */
	bool any;              /* at least `reach` held */
	enum mm_result result;
	const char *cls;         /* class of failure or of "untested", e.g. AUTH_REJECTED; "" when passed */
	const char *text;        /* for the user, one sentence */
	const char *admin;       /* for the admin, one sentence */
	const char *server_text; /* the server's last words, printable, at most 512 bytes; or NULL */
	struct mm_tls_facts tls;
	struct mm_timing timing;
	struct mm_ladder ladder;
	int64_t when;
};

/* Reasons of findings that the controller tells from others. */
#define MM_REASON_RELEASED "no longer in the policy; its former values were cleartext and are not put back"
#define MM_REASON_NO_SUCH_USER "there is no such user on this host"

/* Encoding cleans every text (control characters become '?', bytes that are
 * not UTF-8 become U+FFFD) and cuts it to its limit, so that what a user wrote
 * into a config file cannot spoil a report. Decoding refuses what is not
 * clean: a decoded text may be printed as it stands. It ignores members that
 * it does not know, gives "" for an absent text unless NULL is said above,
 * and accepts any setting id. A login that says "passed" without having
 * reached the level that was asked for is refused. Errors: MM_EX_DATAERR. */
#define MM_REPORT_PATH_MAX 4096 /* bytes */
#define MM_REPORT_NAME_MAX 320  /* user names, host names, names of accounts as found */
#define MM_REPORT_TEXT_MAX 1024 /* sentences, names in certificates */
#define MM_SERVER_TEXT_MAX 512
void mm_report_head_encode(const struct mm_report_head *h, struct mm_buf *out);
void mm_finding_encode(const struct mm_finding *f, struct mm_buf *out);
void mm_login_encode(const struct mm_login *l, struct mm_buf *out);
int mm_report_head_decode(
    const char *json, size_t n, struct mm_arena *a, struct mm_report_head *out, struct mm_err *err);
int mm_finding_decode(
    const char *json, size_t n, struct mm_arena *a, struct mm_finding *out, struct mm_err *err);
/* The same; texts that are as in `last` (NULL = none) are not copied but
 * shared with it, so it must live in `a`, too. */
int mm_finding_decode_after(const char *json, size_t n, struct mm_arena *a, const struct mm_finding *last,
    struct mm_finding *out, struct mm_err *err);
/* The same without the short way for what is plain: for tests. */
int mm_finding_decode_parsed(
    const char *json, size_t n, struct mm_arena *a, struct mm_finding *out, struct mm_err *err);
int mm_login_decode(const char *json, size_t n, struct mm_arena *a, struct mm_login *out, struct mm_err *err);

/* Only "tls" and what schemas/ladder.h says, of an object that need not have anything else. */
int mm_login_facts_decode(
    const char *json, size_t n, struct mm_arena *a, struct mm_login *out, struct mm_err *err);

struct mm_hello {
	const char *agent; /* version */
	int major, minor;
	const char *host;
};
void mm_hello_encode(const struct mm_hello *h, struct mm_buf *out);
int mm_hello_decode(const char *json, size_t n, struct mm_arena *a, struct mm_hello *out, struct mm_err *err);

struct mm_refused {
	int code;
	const char *reason, *text;
	int64_t epoch, serial; /* of a replay: the newest request that was seen; 0 = not told */
};
void mm_refused_encode(const struct mm_refused *r, struct mm_buf *out);
int mm_refused_decode(
    const char *json, size_t n, struct mm_arena *a, struct mm_refused *out, struct mm_err *err);

/* Running count and hash of an answer, the same on both sides. */
struct mm_tally {
	struct mm_sha256_ctx *sha;
	int64_t frames;
};
void mm_tally_init(struct mm_tally *t);
void mm_tally_add(
    struct mm_tally *t, uint16_t type, const void *body, size_t len); /* skips KEEPALIVE and END */
void mm_tally_free(struct mm_tally *t);
void mm_end_encode(struct mm_tally *t, struct mm_buf *out); /* finishes the tally */
json_t *mm_end_json(struct mm_tally *t);                    /* the same, for members more (schemas/seal.h) */
int mm_end_check(struct mm_tally *t, const char *json, size_t n, struct mm_err *err); /* finishes the tally */

#endif
