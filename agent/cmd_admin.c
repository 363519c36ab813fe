/* The commands of whoever owns the installation: disable, enable, key. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/cmd.h"
#include "agent/held.h"
#include "common/json.h"
#include "common/text.h"

static int status_of(const struct mm_err *err)
{
	return err->code != 0 ? err->code : MM_EX_FAILED;
}

static int parse_until(const char *s, int64_t *out, struct mm_err *err)
{
	if (mm_time_parse(s, out) == 0)
		return 0;
	return mm_err_set(
	    err, MM_EX_USAGE, "--until: \"%s\" is neither YYYY-MM-DD nor YYYY-MM-DDTHH:MM:SSZ", s);
}

static int set_disabled(const struct mm_common_opts *common, const struct mm_disabled *d, struct mm_err *err)
{
	struct mm_conf *conf;
	if (mm_cmd_conf(common, &conf, err) != 0)
		return status_of(err);
	int rc;
	if (conf->hostwide && geteuid() != 0) {
		rc = mm_err_set(err, MM_EX_NOPERM,
		    "the agent serves the whole host: only root can switch it off or on; try sudo");
	} else {
		rc = mm_held_prepare(conf, err);
		if (rc == 0)
			rc = mm_disabled_set(conf, d, err);
	}
	mm_conf_free(conf);
	return rc == 0 ? MM_EX_OK : status_of(err);
}

int mm_cmd_disable(int argc, char **argv, struct mm_err *err)
{
	struct mm_common_opts common = {.config = NULL};
	const char *until = NULL;
	struct mm_disabled d = {.reason = NULL, .since = time(NULL)};
	const struct mm_opt opts[] = {
	    {"reason", 0, MM_OPT_STRING, &d.reason, 0, 0, "TEXT", "what the controller is told"},
	    {"until", 0, MM_OPT_STRING, &until, 0, 0, "DATE", "on again by itself (UTC)"},
	    MM_COMMON_OPTS(common)};
	int rc = mm_cmd_parse(opts, &common, "mailmuster-agent disable --reason TEXT [--until DATE]",
	    "Refuses every request of the controller, and changes nothing at logins.", 0, &argc, argv, err);
	if (rc != 0)
		return rc > 0 ? MM_EX_OK : status_of(err);
	if (d.reason == NULL || d.reason[0] == '\0' || mm_has_control(d.reason) ||
	    !mm_is_utf8(d.reason, strlen(d.reason)) || strlen(d.reason) > 1024)
		return mm_err_set(err, MM_EX_USAGE, "--reason is missing, or no plain text"), MM_EX_USAGE;
	if (until != NULL && parse_until(until, &d.until, err) != 0)
		return MM_EX_USAGE;
	return set_disabled(&common, &d, err);
}

int mm_cmd_enable(int argc, char **argv, struct mm_err *err)
{
	struct mm_common_opts common = {.config = NULL};
	const struct mm_opt opts[] = {MM_COMMON_OPTS(common)};
	int rc = mm_cmd_parse(
	    opts, &common, "mailmuster-agent enable", "Obeys the controller again.", 0, &argc, argv, err);
	if (rc != 0)
		return rc > 0 ? MM_EX_OK : status_of(err);
	return set_disabled(&common, NULL, err);
}

/* ---- key */

static int load_or_make(const struct mm_conf *c, struct mm_key **out, struct mm_err *err)
{
	if (access(c->report_key, F_OK) == 0 || errno != ENOENT)
		return mm_key_load_private(c->report_key, out, err);
	if (mm_held_prepare(c, err) != 0 || mm_key_generate(out, err) != 0)
		return -1;
	if (mm_key_save_private(*out, c->report_key, err) == 0)
		return 0;
	mm_key_free(*out);
	return -1;
}

static int print_key(const struct mm_key *k, bool json, struct mm_err *err)
{
	struct mm_buf pem = MM_BUF_INIT(4096), out = MM_BUF_INIT(16384);
	int rc = mm_key_public_pem(k, &pem, err);
	if (rc == 0 && json) {
		json_t *o = json_object();
		mm_json_set_str(o, "id", mm_key_id(k));
		mm_json_set_str(o, "public", mm_buf_str(&pem));
		mm_json_dump(o, &out);
		json_decref(o);
		printf("%s\n", mm_buf_str(&out));
	} else if (rc == 0) {
		printf("%s", mm_buf_str(&pem));
	}
	mm_buf_free(&out);
	mm_buf_free(&pem);
	return rc;
}

int mm_cmd_key(int argc, char **argv, struct mm_err *err)
{
	struct mm_common_opts common = {.config = NULL};
	const struct mm_opt opts[] = {MM_COMMON_OPTS(common)};
	struct mm_conf *conf;
	struct mm_key *key;
	int rc = mm_cmd_parse(opts, &common, "mailmuster-agent key [--json]",
	    "Prints this host's public report key; makes it when there is none.", 0, &argc, argv, err);
	if (rc != 0)
		return rc > 0 ? MM_EX_OK : status_of(err);
	if (mm_cmd_conf(&common, &conf, err) != 0)
		return status_of(err);
	rc = load_or_make(conf, &key, err);
	if (rc == 0) {
		rc = print_key(key, common.json, err);
		mm_key_free(key);
	}
	mm_conf_free(conf);
	return rc == 0 ? MM_EX_OK : status_of(err);
}
