/* mailmuster-agent checkin. */
#include <stdio.h>

#include "agent/checkin.h"
#include "agent/cmd.h"
#include "agent/receive.h"
#include "common/json.h"

static void print_json(const struct mm_conf *c, const struct mm_checked_in *d, int status)
{
	struct mm_buf out = MM_BUF_INIT(1u << 16);
	json_t *o = json_object();
	mm_json_set_bool(o, "set_up", c->checkin != NULL);
	if (c->checkin != NULL) {
		mm_json_set_str(o, "account", c->checkin->account);
		mm_json_set_str(o, "controller", c->checkin->host);
		mm_json_set_int(o, "port", c->checkin->port);
		mm_json_set_int(o, "reports", (int64_t)d->reports);
		mm_json_set_bool(o, "asked", d->asked);
	}
	mm_json_set_int(o, "status", status);
	mm_json_dump(o, &out);
	json_decref(o);
	printf("%s\n", mm_buf_str(&out));
	mm_buf_free(&out);
}

static void print(const struct mm_conf *c, const struct mm_checked_in *d)
{
	if (c->checkin == NULL)
		printf("no check-in is set up\n");
	else if (d->asked)
		printf("checked in with %s@%s: %zu spooled report%s carried, the request was answered\n",
		    c->checkin->account, c->checkin->host, d->reports, d->reports == 1 ? "" : "s");
}

int mm_cmd_checkin(int argc, char **argv, struct mm_err *err)
{
	struct mm_common_opts common = {.config = NULL};
	struct mm_checked_in done = {.reports = 0};
	int64_t hang = MM_RECEIVE_HANG_S, wait = MM_CHECKIN_WAIT_S;
	const struct mm_opt opts[] = {{"timeout", 0, MM_OPT_INT, &wait, 1, 600, "SECONDS",
					  "how long the controller may keep us waiting"},
	    {"worker-timeout", 0, MM_OPT_INT, &hang, 1, 3600, "SECONDS",
		"give a user's run up when it shows no life"},
	    MM_COMMON_OPTS(common)};
	struct mm_conf *conf;
	int rc = mm_cmd_parse(opts, &common, "mailmuster-agent checkin [OPTION...]",
	    "Carries waiting reports to the controller and does what it has signed for this host.", 0, &argc,
	    argv, err);
	if (rc > 0)
		return MM_EX_OK;
	if (rc < 0 || mm_cmd_conf(&common, &conf, err) != 0)
		return err->code != 0 ? err->code : MM_EX_FAILED;
	int status = conf->checkin != NULL ? mm_checkin(conf, (int)hang, (int)wait, &done, err) : MM_EX_OK;
	if (common.json)
		print_json(conf, &done, status);
	else
		print(conf, &done);
	mm_conf_free(conf);
	return status;
}
