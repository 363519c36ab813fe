#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/audit/verify.h"
#include "controller/cmd_audit.h"
#include "controller/conf.h"

#define KEY_MAX 8192

struct asked {
	const char *export;
	struct mm_opt_list keys, witnesses;
	bool json;
};

/* ---- telling */

static json_t *faults_json(const struct mm_audited *r)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->n_faults; i++) {
		json_t *o = json_object();
		if (r->faults[i].seq > 0)
			mm_json_set_int(o, "entry", r->faults[i].seq);
		if (r->faults[i].line > 0)
			mm_json_set_int(o, "line", r->faults[i].line);
		mm_json_set_str(o, "place", r->faults[i].place);
		mm_json_set_str(o, "text", r->faults[i].text);
		if (json_array_append_new(list, o) != 0)
			mm_oom();
	}
	return list;
}

static void tell_json(const struct mm_audited *r)
{
	json_t *o = json_object(), *w = json_object(), *u = json_object(), *p = json_object(),
	       *n = json_object(), *e = json_object();
	mm_json_set_bool(o, "good", r->n_faults == 0);
	mm_json_set_int(o, "entries", r->entries);
	mm_json_set_int(o, "first", r->first);
	mm_json_set_int(o, "last", r->last);
	mm_json_set_int(o, "pruned", r->pruned);
	mm_json_set_int(o, "checkpoints", r->checkpoints);
	mm_json_set_int(o, "signing_keys", r->signing_keys);
	mm_json_set_int(w, "entry", r->witnessed);
	mm_json_set_int(w, "time", r->witnessed_time);
	mm_json_set_str(w, "by", r->witness);
	mm_json_set(o, "witnessed", w);
	mm_json_set_int(u, "entries", r->unwitnessed);
	mm_json_set_int(u, "since", r->since);
	mm_json_set(o, "unwitnessed", u);
	mm_json_set_int(p, "parts", r->personal);
	mm_json_set_int(p, "erased", r->erased);
	mm_json_set(o, "personal", p);
	mm_json_set_int(n, "entries", r->reports);
	mm_json_set_int(n, "signed", r->reports_signed);
	mm_json_set_int(n, "bad", r->reports_bad);
	mm_json_set_int(n, "key_unknown", r->reports_unknown);
	mm_json_set(o, "reports", n);
	mm_json_set_int(e, "places", r->evidence.places);
	mm_json_set_int(e, "not_vouched", r->evidence.unvouched);
	mm_json_set_int(e, "ended", r->evidence.ended);
	mm_json_set_int(e, "ended_not_vouched", r->evidence.ended_unvouched);
	mm_json_set_int(e, "reports", r->evidence.reports);
	mm_json_set_int(e, "reports_not_vouched", r->evidence.reports_unvouched);
	mm_json_set_int(e, "covered", r->evidence.covered);
	mm_json_set_int(e, "covered_not_vouched", r->evidence.covered_unvouched);
	mm_json_set_int(e, "waivers", r->evidence.waivers);
	mm_json_set_int(e, "waivers_not_vouched", r->evidence.waivers_unvouched);
	mm_json_set(o, "evidence", e);
	mm_json_set(o, "faults", faults_json(r));
	mm_json_set_int(o, "more_faults", (int64_t)r->more_faults);
	mm_ctl_json(o);
}

static void print_fault(const struct mm_fault *f)
{
	struct mm_buf b = MM_BUF_INIT(16384);
	bool colour = mm_term_colour(stdout);
	mm_printable(&b, f->place, strlen(f->place));
	mm_buf_adds(&b, ": ");
	mm_printable(&b, f->text, strlen(f->text));
	printf("%s%s%s\n", mm_colour_code(MM_RED, colour), mm_buf_str(&b), mm_colour_code(MM_PLAIN, colour));
	mm_buf_free(&b);
}

static void tell_vouched(const char *before, int64_t n, const char *after, int64_t unvouched, const char *why)
{
	if (n > 0)
		printf("%s%" PRId64 " %s: the log vouches for %" PRId64 "%s%s\n", before, n, after,
		    n - unvouched, unvouched > 0 ? ", not for the others: " : "", unvouched > 0 ? why : "");
}

static void tell_evidence(const struct mm_vouched *v)
{
	static const char unchanged[] = "no report has changed them since it does";
	tell_vouched(
	    "findings and login checks of ", v->places, "users on their hosts", v->unvouched, unchanged);
	tell_vouched(
	    "such that have ended, of ", v->ended, "users on their hosts", v->ended_unvouched, unchanged);
	tell_vouched("up to when ", v->covered, "users on their hosts are known completely",
	    v->covered_unvouched, "no report has come since it does, or its entry was pruned");
	tell_vouched("when ", v->reports, "reports came and whom they cover", v->reports_unvouched,
	    "they came before it did, or their entries were pruned");
	tell_vouched("", v->waivers, "waivers", v->waivers_unvouched, "their entries were pruned");
}

static void tell(const struct mm_audited *r)
{
	char when[MM_TIME_MAX];
	for (size_t i = 0; i < r->n_faults; i++)
		print_fault(&r->faults[i]);
	if (r->more_faults > 0)
		printf("and %" PRId64 " more\n", r->more_faults);
	if (r->pruned > 0)
		printf("entries up to %" PRId64 " were pruned; what is left begins behind them\n", r->pruned);
	printf("%" PRId64 " entries, %s\n", r->entries,
	    r->n_faults == 0 ? "every hash is right" : "and something is wrong");
	printf("%" PRId64 " checkpoints agree\n", r->checkpoints);
	if (r->signing_keys > 1)
		printf("%" PRId64 " signing keys, one after the other\n", r->signing_keys);
	if (r->witnessed > 0)
		printf("witnessed up to entry %" PRId64 " of %s, by %s\n", r->witnessed,
		    mm_time_utc(r->witnessed_time, when), r->witness);
	else
		printf("no witness outside has seen any of it\n");
	if (r->unwitnessed > 0)
		printf("%" PRId64 " entries since %s are not witnessed\n", r->unwitnessed,
		    mm_time_utc(r->since, when));
	printf("%" PRId64 " reports: %" PRId64 " signed by their host, %" PRId64 " of them bad, %" PRId64
	       " by a key that is not known here\n",
	    r->reports, r->reports_signed, r->reports_bad, r->reports_unknown);
	tell_evidence(&r->evidence);
	if (r->erased > 0)
		printf("%" PRId64 " of %" PRId64 " personal parts were erased\n", r->erased, r->personal);
}

/* ---- asking */

static int take_key(struct mm_judge *j, const char *path, struct mm_err *err)
{
	struct mm_buf pem = MM_BUF_INIT(KEY_MAX);
	int rc = mm_ctl_read(path, KEY_MAX, &pem, err);
	if (rc == 0)
		rc = mm_judge_signer(j, mm_buf_str(&pem), true, err);
	if (rc != 0)
		mm_err_prefix(err, "--key %s", path);
	mm_buf_free(&pem);
	return rc;
}

/* The files that controller.conf names, as far as they are there and may be read. */
static int take_own_witnesses(struct mm_ctl *c, struct mm_judge *j, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_ctl_conf conf;
	char *path = mm_ctl_path(c, "controller.conf");
	int rc = mm_ctl_conf_load(path, a, &conf, err);
	free(path);
	for (size_t i = 0; rc == 0 && i < conf.witness.n_files; i++)
		if (access(conf.witness.files[i], R_OK) == 0)
			rc = mm_judge_witness_file(j, conf.witness.files[i], err);
	mm_arena_free(a);
	return rc;
}

static int look(struct mm_ctl *c, struct mm_judge *j, const struct asked *q, struct mm_err *err)
{
	int64_t n, bad;
	for (size_t i = 0; i < q->keys.n; i++)
		if (take_key(j, q->keys.items[i], err) != 0)
			return -1;
	for (size_t i = 0; i < q->witnesses.n; i++)
		if (mm_judge_witness_file(j, q->witnesses.items[i], err) != 0)
			return -1;
	if (q->export != NULL)
		return mm_judge_export(j, q->export, err);
	if (mm_ctl_open(c, err) != 0 || take_own_witnesses(c, j, err) != 0 ||
	    mm_store_seals_check(c->store, 0, &n, &bad, err) != 0)
		return -1;
	return mm_judge_store(j, c->store, true, err);
}

int mm_audit_verify(struct mm_ctl *c, int argc, char **argv)
{
	struct asked q = {.export = NULL};
	const struct mm_opt opts[] = {
	    {.name = "export",
		.kind = MM_OPT_STRING,
		.dest = &q.export,
		.arg = "FILE",
		.help = "an export instead of the store here"},
	    {.name = "witness",
		.kind = MM_OPT_LIST,
		.dest = &q.witnesses,
		.arg = "FILE",
		.help = "checkpoints that an auditor has kept; may be given several times"},
	    {.name = "key",
		.kind = MM_OPT_LIST,
		.dest = &q.keys,
		.arg = "FILE",
		.help = "the controller's public key, from somewhere else; only it and those that it leads "
			"to, by "
			"rotation, count then; may be given several times"},
	    MM_OPT_JSON(&q.json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "audit verify",
	    .operands = "[options]",
	    .about =
		"Was anything in the record changed, removed, reordered or inserted? Names the place; exit\n"
		"status 2 then. What no witness outside has seen can be written anew without a trace:\n"
		"that is said, too.",
	    .opts = opts};
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc >= 0)
		return rc;
	struct mm_judge *j = mm_judge_new();
	rc = look(c, j, &q, &err);
	const struct mm_audited *r = mm_judge_end(j);
	if (rc == 0 && q.json)
		tell_json(r);
	else if (rc == 0)
		tell(r);
	rc = rc != 0 ? mm_ctl_fail("audit verify", &err) : r->n_faults > 0 ? MM_EX_DIFF : MM_EX_OK;
	mm_judge_free(j);
	mm_cli_free(opts);
	return rc;
}
