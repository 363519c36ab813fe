/* mailmuster host keys: the pinned host keys, and known_hosts files as their
 * source. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/term.h"
#include "common/text.h"
#include "controller/cmd_enroll.h"
#include "controller/push/knownhosts.h"

/* ---- import */

struct import {
	struct mm_ctl *c;
	struct mm_arena *a;
	const char *file;
	struct mm_known_host *hosts;
	size_t n_hosts, cap;
	int64_t added, kept, changed;
	bool replace, json;
};

static int take_host(const struct mm_store_host *h, void *arg, struct mm_err *err)
{
	struct import *in = arg;
	struct mm_known_host *place =
	    mm_arena_push(in->a, &in->hosts, &in->n_hosts, &in->cap, sizeof(*place));
	(void)err;
	*place = (struct mm_known_host){.id = mm_arena_strdup(in->a, h->id),
	    .address = mm_arena_strdup(in->a, h->address),
	    .port = h->port};
	return 0;
}

struct same {
	const struct mm_sshkey *key;
	bool there, other;
};

static int compare(const struct mm_hostkey *k, void *arg, struct mm_err *err)
{
	struct same *s = arg;
	(void)err;
	if (!mm_streq(k->algorithm, s->key->type))
		return 0;
	if (k->len == s->key->len && memcmp(k->blob, s->key->blob, k->len) == 0)
		s->there = true;
	else
		s->other = true;
	return 0;
}

static int found(void *ctx, size_t i, const struct mm_sshkey *key, int line, struct mm_err *err)
{
	struct import *in = ctx;
	const char *host = in->hosts[i].id;
	struct same s = {.key = key};
	enum mm_put done;
	if (mm_store_hostkey_each(in->c->store, host, compare, &s, err) < 0)
		return -1;
	/* A pinned key is not replaced by a file that may be older. */
	if (s.other && !in->replace) {
		fprintf(stderr, "%s:%d: %s has another %s key pinned; --replace takes this one\n", in->file,
		    line, host, key->type);
		in->changed++;
		return 0;
	}
	char *source = mm_arena_printf(in->a, "known_hosts:%s:%d", in->file, line);
	struct mm_hostkey k = {
	    .host = host, .algorithm = key->type, .blob = key->blob, .len = key->len, .source = source};
	if (s.there) {
		in->kept++;
		return 0;
	}
	in->added++;
	return mm_store_hostkey_put(in->c->store, &k, &done, err);
}

static void skipped(void *ctx, int line, const char *why)
{
	const struct import *in = ctx;
	fprintf(stderr, "%s:%d: skipped: %s\n", in->file, line, why);
}

static void say(const struct import *in, const struct mm_known_stats *s)
{
	if (in->json) {
		json_t *o = json_object();
		mm_json_set_int(o, "added", in->added);
		mm_json_set_int(o, "kept", in->kept);
		mm_json_set_int(o, "different", in->changed);
		mm_json_set_int(o, "bad", (int64_t)s->bad);
		mm_json_set_int(o, "revoked", (int64_t)s->revoked);
		mm_json_set_int(o, "unusable", (int64_t)s->unusable);
		mm_json_set_int(o, "of_unknown_hosts", (int64_t)s->unknown);
		mm_ctl_json(o);
		return;
	}
	printf("%" PRId64 " added, %" PRId64 " kept, %" PRId64
	       " different, %zu bad, %zu revoked, %zu that cannot be pinned, "
	       "%zu of unknown hosts\n",
	    in->added, in->kept, in->changed, s->bad, s->revoked, s->unusable, s->unknown);
}

static int import_file(struct import *in, struct mm_err *err)
{
	static const struct mm_known_ops ops = {.found = found, .skipped = skipped};
	struct mm_buf text = MM_BUF_INIT(MM_KNOWNHOSTS_MAX);
	struct mm_known_stats stats = {0};
	int rc = mm_ctl_read(in->file, MM_KNOWNHOSTS_MAX, &text, err);
	if (rc == 0)
		rc = mm_store_host_each(in->c->store, NULL, take_host, in, err);
	if (rc == 0 && (rc = mm_store_begin(in->c->store, err)) == 0) {
		rc = mm_knownhosts_read(
		    mm_buf_str(&text), text.len, in->hosts, in->n_hosts, &ops, in, &stats, err);
		if (rc < 0)
			mm_store_rollback(in->c->store);
		else
			rc = mm_store_commit(in->c->store, err);
	}
	if (rc == 0)
		say(in, &stats);
	mm_buf_free(&text);
	return rc;
}

static int cmd_import(struct mm_ctl *c, int argc, char **argv)
{
	struct import in = {.c = c, .a = mm_arena_new()};
	const char *reason = NULL;
	const struct mm_opt opts[] = {
	    MM_OPT_REASON(&reason),
	    {.name = "replace",
		.kind = MM_OPT_FLAG,
		.dest = &in.replace,
		.help = "keys of the file replace pinned ones of their type"},
	    MM_OPT_JSON(&in.json),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "host keys import",
	    .operands = "FILE",
	    .about = "Pin the keys of a known_hosts file (plain or hashed) for the hosts of the inventory. "
		     "Keys marked\n"
		     "@revoked are refused; certificate authorities and wildcards are skipped with a word.",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc < 0) {
		in.file = argv[0];
		rc = mm_ctl_open(c, &err);
		if (rc == 0) {
			mm_store_set_reason(c->store, reason);
			rc = import_file(&in, &err);
		}
		rc = rc != 0 ? mm_ctl_fail("host keys import", &err) : MM_EX_OK;
		if (rc == MM_EX_OK && in.changed > 0)
			rc = MM_EX_DIFF;
	}
	mm_arena_free(in.a);
	return rc;
}

/* ---- list, remove */

static int row(const struct mm_hostkey *k, void *arg, struct mm_err *err)
{
	char fp[MM_FINGERPRINT_MAX];
	(void)err;
	mm_sshkey_fingerprint(k->blob, k->len, fp);
	mm_table_cell(arg, MM_PLAIN, "%s", k->host);
	mm_table_cell(arg, MM_PLAIN, "%s", k->algorithm);
	mm_table_cell(arg, MM_PLAIN, "%s", fp);
	mm_table_cell(arg, MM_DIM, "%s", k->source);
	return 0;
}

static int json_row(const struct mm_hostkey *k, void *arg, struct mm_err *err)
{
	char fp[MM_FINGERPRINT_MAX];
	json_t *o = json_object();
	(void)err;
	mm_sshkey_fingerprint(k->blob, k->len, fp);
	mm_json_set_str(o, "host", k->host);
	mm_json_set_str(o, "algorithm", k->algorithm);
	mm_json_set_str(o, "fingerprint", fp);
	mm_json_set_str(o, "source", k->source);
	mm_json_set_int(o, "added", k->added);
	json_array_append_new(arg, o);
	return 0;
}

static int list(struct mm_ctl *c, const char *host, bool json, struct mm_err *err)
{
	static const char *const heads[] = {"host", "algorithm", "fingerprint", "source", NULL};
	if (mm_ctl_open(c, err) != 0)
		return -1;
	if (json) {
		json_t *l = json_array();
		int rc = mm_store_hostkey_each(c->store, host, json_row, l, err);
		mm_ctl_json(l);
		return rc;
	}
	struct mm_table *t = mm_table_new(heads);
	int rc = mm_store_hostkey_each(c->store, host, row, t, err);
	mm_table_print(t, stdout);
	mm_table_free(t);
	return rc;
}

static int cmd_list(struct mm_ctl *c, int argc, char **argv)
{
	bool json = false;
	const struct mm_opt opts[] = {MM_OPT_JSON(&json), {.name = NULL}};
	const struct mm_args args = {.what = "host keys list",
	    .operands = "[HOST]",
	    .about = "List the pinned host keys.",
	    .opts = opts,
	    .max = 1};
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc < 0)
		rc = list(c, argc > 0 ? argv[0] : NULL, json, &err) != 0 ? mm_ctl_fail("host keys list", &err)
									 : MM_EX_OK;
	return rc;
}

static int cmd_remove(struct mm_ctl *c, int argc, char **argv)
{
	const char *reason = NULL;
	const struct mm_opt opts[] = {MM_OPT_REASON(&reason), {.name = NULL}};
	const struct mm_args args = {.what = "host keys remove",
	    .operands = "HOST [ALGORITHM]",
	    .about = "Forget pinned keys of a host: it is not served until new ones are pinned.",
	    .opts = opts,
	    .min = 1,
	    .max = 2};
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc >= 0)
		return rc;
	if (mm_ctl_open(c, &err) != 0)
		return mm_ctl_fail("host keys remove", &err);
	mm_store_set_reason(c->store, reason);
	rc = mm_store_hostkey_remove(c->store, argv[0], argc > 1 ? argv[1] : NULL, &err);
	if (rc == 1)
		mm_err_set(&err, MM_EX_FAILED, "no such key is pinned for %s", argv[0]);
	return rc != 0 ? mm_ctl_fail("host keys remove", &err) : MM_EX_OK;
}

int mm_cmd_host_keys(struct mm_ctl *c, int argc, char **argv)
{
	static const struct mm_subcmd subs[] = {
	    {"import", "FILE", "pin the keys of a known_hosts file", cmd_import},
	    {"list", "[HOST]", "list pinned keys", cmd_list},
	    {"remove", "HOST [ALGORITHM]", "forget pinned keys", cmd_remove},
	    {NULL, NULL, NULL, NULL},
	};
	return mm_ctl_sub(c, "host keys", subs, argc, argv);
}
