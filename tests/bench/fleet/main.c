/*
 * mm-bench-fleet: a fleet of simulated workstations behind one SSH server.
 *
 *   mm-bench-fleet --hosts N --port P --state FILE --host-key FILE --user-key FILE [...]
 *
 * Prints "ready" when connections are taken, and serves until it is ended.
 * What the hosts remember lies in the state file (world.h).
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cli.h"
#include "common/proc.h"
#include "tests/bench/fleet/server.h"

#define SHARDS_MAX 16

struct options {
	int64_t hosts, port, shards, seed, answer_ms;
	int64_t percent[MM_SIM_KINDS];
	const char *state, *host_key, *user_key, *keep;
};

static int parse(struct options *o, int argc, char **argv, struct mm_err *err)
{
	const struct mm_opt opts[] = {
	    {"hosts", 0, MM_OPT_INT, &o->hosts, 1, MM_SIM_HOSTS_MAX, "N", "how many"},
	    {"port", 0, MM_OPT_INT, &o->port, 1024, 65533, "P", "the base port; two more follow it"},
	    {"shards", 0, MM_OPT_INT, &o->shards, 1, SHARDS_MAX, "N", "processes"},
	    {"seed", 0, MM_OPT_INT, &o->seed, 0, INT64_MAX, "N", "who is of which kind"},
	    {"answer-ms", 0, MM_OPT_INT, &o->answer_ms, 0, 60000, "N", "how long an agent works"},
	    {"down", 0, MM_OPT_INT, &o->percent[MM_SIM_DOWN], 0, 100, "PERCENT", "refuse connections"},
	    {"hang", 0, MM_OPT_INT, &o->percent[MM_SIM_HANG], 0, 100, "PERCENT", "connect and say nothing"},
	    {"deaf", 0, MM_OPT_INT, &o->percent[MM_SIM_DEAF], 0, 100, "PERCENT", "answer no SYN"},
	    {"broken", 0, MM_OPT_INT, &o->percent[MM_SIM_BROKEN], 0, 100, "PERCENT", "logins break"},
	    {"no-session", 0, MM_OPT_INT, &o->percent[MM_SIM_NO_SESSION], 0, 100, "PERCENT", "nobody there"},
	    {"lost", 0, MM_OPT_INT, &o->percent[MM_SIM_LOST], 0, 100, "PERCENT", "first answers get lost"},
	    {"state", 0, MM_OPT_STRING, &o->state, 0, 0, "FILE", "made here"},
	    {"host-key", 0, MM_OPT_STRING, &o->host_key, 0, 0, "FILE", "private SSH key of all hosts"},
	    {"user-key", 0, MM_OPT_STRING, &o->user_key, 0, 0, "FILE", "public SSH key of the controller"},
	    {"keep", 0, MM_OPT_STRING, &o->keep, 0, 0, "FILE", "the last request that host 0 was sent"},
	    {.name = NULL},
	};
	if (mm_cli_parse(opts, &argc, argv, err) < 0)
		return -1;
	if (argc > 0 || o->hosts == 0 || o->port == 0 || !o->state || !o->host_key || !o->user_key)
		return mm_err_set(
		    err, MM_EX_USAGE, "--hosts, --port, --state, --host-key and --user-key are needed");
	return 0;
}

static int make_world(const struct options *o, struct mm_sim_world *w, struct mm_err *err)
{
	struct mm_sim_plan plan = {
	    .hosts = (uint32_t)o->hosts, .port = (uint32_t)o->port, .seed = (uint64_t)o->seed};
	for (size_t k = 0; k < MM_SIM_KINDS; k++)
		plan.percent[k] = (uint32_t)o->percent[k];
	return mm_sim_world_new(o->state, &plan, w, err);
}

static void raise_files(void)
{
	struct rlimit l;
	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int shard(const struct mm_sim_server *server, const char *name)
{
	struct mm_err err = MM_ERR_NONE;
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)mm_sim_serve(server, &err);
	fprintf(stderr, "%s: %s\n", name, err.text);
	return 1;
}

static int run(const struct options *o, const char *name, struct mm_err *err)
{
	struct mm_sim_world w;
	int listeners[SHARDS_MAX];
	if (make_world(o, &w, err) < 0)
		return -1;
	for (int64_t i = 0; i < o->shards; i++)
		if ((listeners[i] = mm_sim_listen((uint32_t)o->port, false, err)) < 0)
			return -1;
	if (mm_sim_listen((uint32_t)o->port + 2, true, err) < 0)
		return -1;
	for (int64_t i = 0; i < o->shards; i++) {
		const struct mm_sim_server server = {.world = &w,
		    .host_key = o->host_key,
		    .user_key = o->user_key,
		    .listener = listeners[i],
		    .answer_ms = (unsigned)o->answer_ms,
		    .keep = o->keep};
		pid_t pid = fork();
		if (pid < 0)
			return mm_err_sys(err, MM_EX_FAILED, "fork");
		if (pid == 0)
			_exit(shard(&server, name));
	}
	puts("ready");
	fflush(stdout);
	/* A process that ends is one too few. */
	(void)wait(NULL);
	return mm_err_set(err, MM_EX_FAILED, "a server process ended");
}

int main(int argc, char **argv)
{
	struct mm_err err = MM_ERR_NONE;
	struct options o = {.shards = sysconf(_SC_NPROCESSORS_ONLN), .seed = 1};
	mm_process_init();
	raise_files();
	if (o.shards > SHARDS_MAX)
		o.shards = SHARDS_MAX;
	if (parse(&o, argc - 1, argv + 1, &err) == 0)
		(void)run(&o, argv[0], &err);
	fprintf(stderr, "%s: %s\n", argv[0], err.text);
	return err.code != 0 ? err.code : 1;
}
