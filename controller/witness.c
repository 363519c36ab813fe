#include "controller/witness.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/frame.h"
#include "common/json.h"
#include "common/text.h"
#include "controller/conf.h"
#include "controller/outside.h"
#include "controller/signkey.h"
#include "schemas/seal.h"

#define LINE_BYTES 2048
#define PRIORITY (13 * 8 + 5) /* RFC 5424 6.2.1: facility "log audit", severity "notice" */

struct conclusion {
	struct mm_ctl *c;
	struct mm_arena *a;
	struct mm_ctl_conf conf;
	struct mm_checkpoint point;
	const char *line; /* of JSON, with its newline */
	int64_t taken;
	struct mm_buf trouble; /* what did not work, "; " between */
};

static void say_trouble(struct conclusion *k, const struct mm_err *err)
{
	mm_buf_addf(&k->trouble, "%s%s", k->trouble.len > 0 ? "; " : "", err->text);
}

/* ---- the system's log */

/* In the form of syslog(3): journald and rsyslog, which listen there, take RFC
 * 5424's header for text. */
static int to_syslog(struct conclusion *k, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(LINE_BYTES);
	mm_buf_addf(
	    &b, "<%d>mailmuster[%d]: %.*s", PRIORITY, (int)getpid(), (int)strlen(k->line) - 1, k->line);
	int rc = mm_outside_log(mm_buf_str(&b), err);
	mm_buf_free(&b);
	return rc;
}

/* ---- the checkpoint */

/* 1: none is to be made. */
static int make(struct conclusion *k, struct mm_err *err)
{
	struct mm_key *key = NULL;
	int rc = mm_signkey_load(k->c, &key, err);
	if (rc == 0)
		rc = mm_store_checkpoint_make(k->c->store, key, k->conf.witness.hosts, &k->point, err);
	mm_key_free(key);
	return rc < 0 ? mm_err_prefix(err, "no checkpoint of the audit log can be signed") : rc;
}

static const char *line_of(struct conclusion *k)
{
	struct mm_buf b = MM_BUF_INIT(LINE_BYTES);
	json_t *o = json_object(), *c = mm_checkpoint_json(&k->point);
	mm_json_set_str(o, "type", "mailmuster-checkpoint-1");
	json_object_update(o, c);
	json_decref(c);
	mm_json_dump(o, &b);
	json_decref(o);
	mm_buf_addc(&b, '\n');
	return mm_buf_take(&b, k->a);
}

static void hand_out(struct conclusion *k)
{
	const struct mm_witness_conf *w = &k->conf.witness;
	struct mm_err err = MM_ERR_NONE;
	k->line = line_of(k);
	for (size_t i = 0; i < w->n_files; i++) {
		if (mm_outside_append("witness file", w->files[i], k->line, strlen(k->line), &err) == 0)
			k->taken++;
		else
			say_trouble(k, &err);
	}
	if (w->syslog) {
		if (to_syslog(k, &err) == 0)
			k->taken++;
		else
			say_trouble(k, &err);
	}
	if (k->taken > 0 && mm_store_checkpoint_taken(k->c->store, k->point.seq, k->taken, &err) != 0)
		say_trouble(k, &err);
}

/* Once for each new trouble; how often it came stands in the store. */
static void tell(struct conclusion *k)
{
	struct mm_buf before = MM_BUF_INIT(16384), times = MM_BUF_INIT(64);
	struct mm_store *s = k->c->store;
	const char *now = mm_buf_str(&k->trouble);
	int64_t n = 0;
	if (mm_store_note_get(s, MM_WITNESS_TROUBLE, &before, NULL) == 0 &&
	    mm_store_note_get(s, MM_WITNESS_TROUBLES, &times, NULL) == 0 &&
	    mm_parse_int(mm_buf_str(&times), 0, INT64_MAX - 1, &n) != 0)
		n = 0;
	bool same = mm_streq(mm_buf_str(&before), now);
	if (*now != '\0' && !same)
		fprintf(stderr, "mailmuster: %s\n", now);
	if (*now != '\0' || !same) {
		mm_buf_reset(&times);
		mm_buf_addf(&times, "%" PRId64, *now != '\0' ? n + 1 : 0);
		(void)mm_store_note_set(s, MM_WITNESS_TROUBLES, mm_buf_str(&times), NULL);
	}
	if (!same)
		(void)mm_store_note_set(s, MM_WITNESS_TROUBLE, now, NULL);
	mm_buf_free(&before);
	mm_buf_free(&times);
}

void mm_witness_conclude(struct mm_ctl *c)
{
	struct conclusion k = {.c = c, .trouble = MM_BUF_INIT(8192)};
	struct mm_err err = MM_ERR_NONE;
	if (c->store == NULL || mm_store_appended(c->store) == 0)
		return;
	k.a = mm_arena_new();
	char *path = mm_ctl_path(c, "controller.conf");
	int rc = mm_ctl_conf_load(path, k.a, &k.conf, &err);
	free(path);
	if (rc == 0)
		rc = make(&k, &err);
	if (rc == 0)
		hand_out(&k);
	else if (rc < 0)
		say_trouble(&k, &err);
	/* Workstations need not know; the next command that an admin gives says it. */
	if (!c->remote)
		tell(&k);
	mm_buf_free(&k.trouble);
	mm_arena_free(k.a);
}
