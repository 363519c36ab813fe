/* audit export, audit prune; and what `audit` can do. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/json.h"
#include "common/text.h"
#include "controller/audit/export.h"
#include "controller/audit/verify.h"
#include "controller/cmd_audit.h"
#include "controller/signkey.h"
#include "controller/witness.h"
#include "schemas/signing.h"

/* ---- export */

static int export_to(
    struct mm_ctl *c, const char *path, bool personal, bool *is_signed, int64_t *n, struct mm_err *err)
{
	struct mm_ctl_file o;
	struct mm_key *key = NULL;
	struct mm_err why = MM_ERR_NONE;
	if (mm_ctl_create(&o, path, 0600, err) != 0)
		return -1;
	/* That it was made stands in it, and a checkpoint behind that. */
	int rc = mm_store_audit(c->store, "audit.export", path, NULL, false, err);
	if (rc == 0)
		mm_witness_conclude(c);
	*is_signed = mm_signkey_load(c, &key, &why) == 0;
	if (rc == 0)
		rc = mm_audit_export(c->store, *is_signed ? key : NULL, personal, o.f, n, err);
	if (!*is_signed)
		fprintf(stderr, "mailmuster audit export: not signed as a whole: %s\n", why.text);
	mm_key_free(key);
	return mm_ctl_finish(&o, rc == 0, err);
}

int mm_audit_export_cmd(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false, without = false, is_signed = false;
	const char *reason = NULL;
	const struct mm_opt opts[] = {
	    {.name = "without-personal",
		.kind = MM_OPT_FLAG,
		.dest = &without,
		.help = "leave out what stands apart about people; the chain still holds"},
	    MM_OPT_REASON(&reason),
	    MM_OPT_JSON(&json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "audit export",
	    .operands = "FILE",
	    .about = "Write the whole log into one file, which openssl and a short script can verify\n"
		     "(mailmuster-verify-export), and mailmuster audit verify --export.",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	struct mm_err err = MM_ERR_NONE;
	int64_t n = 0;
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc >= 0)
		return rc;
	if (mm_ctl_open(c, &err) != 0)
		return mm_ctl_fail("audit export", &err);
	mm_store_set_reason(c->store, reason);
	if (export_to(c, argv[0], !without, &is_signed, &n, &err) != 0)
		return mm_ctl_fail("audit export", &err);
	if (json) {
		json_t *o = json_object();
		mm_json_set_str(o, "file", argv[0]);
		mm_json_set_int(o, "entries", n);
		mm_json_set_bool(o, "signed", is_signed);
		mm_ctl_json(o);
	} else {
		printf("%" PRId64 " entries written to %s\n", n, argv[0]);
	}
	return MM_EX_OK;
}

/* ---- prune */

/* What was tampered with is evidence: it is not thrown away. */
static int look_first(struct mm_ctl *c, struct mm_err *err)
{
	int64_t n;
	if (mm_audit_chain(c->store, &n, err) == 0)
		return 0;
	return mm_err_prefix(err, "nothing is pruned from a log that does not hold (audit verify)");
}

static int prune(struct mm_ctl *c, int64_t before, int64_t *n, struct mm_err *err)
{
	struct mm_key *key = NULL;
	if (look_first(c, err) != 0 || mm_signkey_load(c, &key, err) != 0)
		return -1;
	int rc = mm_store_audit_prune(c->store, before, key, n, err);
	mm_key_free(key);
	return rc;
}

#define DAY_S 86400 /* "before tomorrow" is all of today */

static int cmd_prune(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false;
	const char *reason = NULL, *before = NULL;
	const struct mm_opt opts[] = {
	    {.name = "before",
		.kind = MM_OPT_STRING,
		.dest = &before,
		.arg = "DATE",
		.help = "entries of this day (UTC) and later stay"},
	    MM_OPT_REASON(&reason),
	    MM_OPT_JSON(&json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "audit prune",
	    .operands = "--before DATE",
	    .about = "Remove old entries from the log. A signed anchor takes their place, so that the chain\n"
		     "still holds; that it was done, and up to where, is an entry itself.",
	    .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	int64_t when = 0, n = 0;
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc >= 0)
		return rc;
	if (before == NULL || mm_time_parse(before, &when) != 0)
		return mm_ctl_usage(
		    "audit prune", "--before needs a date: YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ");
	if (mm_ctl_open(c, &err) != 0)
		return mm_ctl_fail("audit prune", &err);
	if (when - mm_store_now(c->store) > DAY_S) { /* a year mistyped would take all of the record */
		mm_err_set(&err, MM_EX_USAGE, "--before %s is in the future", before);
		return mm_ctl_fail("audit prune", &err);
	}
	mm_store_set_reason(c->store, reason);
	if (prune(c, when, &n, &err) != 0)
		return mm_ctl_fail("audit prune", &err);
	if (json) {
		json_t *o = json_object();
		mm_json_set_int(o, "pruned", n);
		mm_ctl_json(o);
	} else {
		printf("%" PRId64 " entries pruned\n", n);
	}
	return MM_EX_OK;
}

static const struct mm_subcmd subs[] = {
    {"log", "[options]", "print the log", mm_audit_log},
    {"verify", "[--export FILE]", "was it changed?", mm_audit_verify},
    {"export", "FILE", "one file for an auditor", mm_audit_export_cmd},
    {"prune", "--before DATE", "remove old entries", cmd_prune},
    {NULL, NULL, NULL, NULL},
};

static int run(struct mm_ctl *c, int argc, char **argv)
{
	return mm_ctl_sub(c, "audit", subs, argc, argv);
}

const struct mm_cmd mm_cmd_audit = {"audit", "log|verify|export|prune", "who did what, and proof of it", run};
