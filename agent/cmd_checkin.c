/* mailmuster-agent checkin. */
#include <stdio.h>
#include <time.h>

#include "agent/checkin.h"
#include "agent/cmd.h"
#include "agent/receive.h"
#include "common/digest.h"
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

#define FIRST_PAUSE_S 5
#define LONGEST_PAUSE_S 600

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Between half of it and all of it: after an outage not everybody comes at once. */
static void pause_about(int64_t seconds)
{
	uint32_t r;
	mm_random(&r, sizeof(r));
	struct timespec t = {.tv_sec = seconds / 2 + (int64_t)(r % (uint32_t)(seconds - seconds / 2 + 1))};
	while (nanosleep(&t, &t) != 0)
		continue;
}

/* A controller that cannot be reached is asked again, ever less often. */
static int persist(const struct mm_conf *c, int hang, int wait, int64_t keep_trying,
    struct mm_checked_in *done, struct mm_err *err)
{
	int64_t end = now() + keep_trying, next = FIRST_PAUSE_S;
	int status;
	while ((status = mm_checkin(c, hang, wait, done, err)) == MM_EX_UNREACHABLE && now() + next <= end) {
		fprintf(
		    stderr, "mailmuster-agent: %s; tried again within %lld s\n", err->text, (long long)next);
		pause_about(next);
		next = 2 * next < LONGEST_PAUSE_S ? 2 * next : LONGEST_PAUSE_S;
		*err = MM_ERR_NONE;
	}
	return status;
}

int mm_cmd_checkin(int argc, char **argv, struct mm_err *err)
{
	struct mm_common_opts common = {.config = NULL};
	struct mm_checked_in done = {.reports = 0};
	int64_t hang = MM_RECEIVE_HANG_S, wait = MM_CHECKIN_WAIT_S, keep_trying = 0;
	const struct mm_opt opts[] = {{"timeout", 0, MM_OPT_INT, &wait, 1, 600, "SECONDS",
					  "how long the controller may keep us waiting"},
	    {"keep-trying", 0, MM_OPT_INT, &keep_trying, 0, 86400, "SECONDS",
		"for so long, a controller that cannot be reached is asked again, ever less often"},
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
	int status =
	    conf->checkin != NULL ? persist(conf, (int)hang, (int)wait, keep_trying, &done, err) : MM_EX_OK;
	if (common.json)
		print_json(conf, &done, status);
	else
		print(conf, &done);
	mm_conf_free(conf);
	return status;
}
