/*
 * A sheet: what one user must have on a workstation, resolved. JSON; schema:
 * schemas/json/sheet.schema.json. Settings travel as (id, value) rows, so
 * that an agent can meet an id it does not know and report it `unsupported`.
 *
 * The system's sheet is one, too: what everybody on a host gets from files
 * that are the system's. It stands in the request itself, its user is
 * MM_SYSTEM_USER, and where the login of whoever reads those files belongs
 * into a value there stands MM_SYSTEM_LOGIN.
 *
 * A client that gets its settings so has the scope "system" in the sheets of
 * its users, and its mode there is "audit": an agent of minor version 0 looks
 * only, and reports the row "system.clients", which it does not know, as
 * unsupported.
 */
#ifndef MM_SCHEMAS_SHEET_H
#define MM_SCHEMAS_SHEET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/mem.h"
#include "schemas/settings.h"
#include "schemas/state.h"

#define MM_SHEET_ACCOUNTS_MAX 64
#define MM_SHEET_CLIENTS_MAX 64
#define MM_REPLACES_MAX 64 /* host names of one account */
#define MM_ROWS_MAX 128    /* settings of one account or client, known or not */

#define MM_SYSTEM_USER "*"
/* Fit for every place that takes a login: no program quotes or changes it. */
#define MM_SYSTEM_LOGIN "mm--login--"

struct mm_unknown_row { /* a setting this build does not know */
	const char *id;
	const char *value;
};

struct mm_account {
	const char *name;            /* [a-z0-9_-]{1,32}, permanent */
	const char *label;           /* for people */
	const char *renamed_from;    /* or NULL */
	const char *const *replaces; /* host names, NULL-terminated, never NULL */
	struct mm_values want;       /* canonical; NULL = the policy does not say */
	const struct mm_unknown_row *unknown;
	size_t n_unknown;
	bool differs[MM_SET_COUNT]; /* the system's sheet: not the same for all users of the host */
};

struct mm_client_rule {
	const char *client; /* adapter name */
	enum mm_mode mode;
	/* Per setting, where it differs from `mode`; -1 = as `mode`. */
	int setting_mode[MM_SET_COUNT];
	enum mm_reach scope; /* system: not to be written into the user's files */
};

struct mm_sheet {
	const char *user; /* login */
	int64_t revision;
	const struct mm_account *accounts;
	size_t n_accounts;
	const struct mm_client_rule *clients; /* a client that is not named is MM_MODE_AUDIT */
	size_t n_clients;
	enum mm_create create;
	bool allow_cleartext;
	const char *tls_min; /* rules.tls_min, "1.2" or "1.3" */
	enum mm_level check; /* how far to prove */
};

/* What the sheet says of a client, or NULL. */
const struct mm_client_rule *mm_sheet_rule(const struct mm_sheet *s, const char *client);
bool mm_sheet_is_system(const struct mm_sheet *s);
/* A login, or MM_SYSTEM_USER: whom a sheet, a finding or a report can be about. */
bool mm_is_report_user(const char *s);
/* The mode of one setting of one client. */
enum mm_mode mm_sheet_mode(const struct mm_sheet *s, const char *client, enum mm_setting set);

/* Deterministic: the same sheet gives the same bytes (its hash is signed). */
void mm_sheet_encode(const struct mm_sheet *s, struct mm_buf *out);
/* Form and values are checked; values arrive canonical. A setting id that this
 * build does not know is kept in `unknown`; so is a value that it does not
 * understand, when the sheet's minor is newer than ours. Members that it does
 * not know are refused unless the minor is newer. Unknown major: MM_EX_NOPERM,
 * anything else MM_EX_DATAERR. */
int mm_sheet_decode(const char *json, size_t n, struct mm_arena *a, struct mm_sheet *out, struct mm_err *err);
/* As a member of another document. */
json_t *mm_sheet_json(const struct mm_sheet *s); /* a new reference */
int mm_sheet_from_json(const json_t *o, struct mm_arena *a, struct mm_sheet *out, struct mm_err *err);

#endif
