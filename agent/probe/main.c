/*
 * mailmuster-probe: see DESIGN.md, "Programs", and schemas/probe.h. Reads all
 * tasks, goes into its sandbox, and only then speaks with anybody.
 */
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/probe/discover_run.h"
#include "agent/probe/hand.h"
#include "agent/probe/input.h"
#include "agent/probe/runner.h"
#include "common/cli.h"
#include "common/proc.h"

struct options {
	struct mm_hand_opts hand;
	int64_t password_fd, timeout_s, connect_s, answer_s, login_s, trip_s, per_server;
	bool v4, v6, no_survey, verbose;
	bool json, help, version;
	bool by_hand;
	const char *discover;
	bool hung; /* see runner.h */
};

static int limit_ms(int64_t own, int64_t all, int usual)
{
	return own > 0 ? (int)own * 1000 : all > 0 ? (int)all * 1000 : usual;
}

static struct mm_runner_opts runner_opts(const struct options *o)
{
	struct mm_runner_opts r = {.limits = mm_limits_default,
	    .per_server = (size_t)o->per_server,
	    .family = o->v4 == o->v6 ? AF_UNSPEC
		      : o->v4        ? AF_INET
				     : AF_INET6,
	    .no_survey = o->no_survey,
	    .json = o->json,
	    .progress = o->by_hand && !o->verbose,
	    .verbose = o->verbose};
	r.limits.dial_ms = limit_ms(o->connect_s, o->timeout_s, r.limits.dial_ms);
	r.limits.answer_ms = limit_ms(o->answer_s, o->timeout_s, r.limits.answer_ms);
	r.limits.login_ms = limit_ms(o->login_s, o->timeout_s, r.limits.login_ms);
	r.limits.trip_ms = limit_ms(o->trip_s, 0, r.limits.trip_ms);
	return r;
}

/* By hand the results speak; to the agent every answer is a good answer. */
static int verdict(const struct options *o, const struct mm_tally_of_tests *sum)
{
	if (!o->by_hand)
		return MM_EX_OK;
	return sum->failed > 0 || sum->untested > 0 ? MM_EX_DIFF : MM_EX_OK;
}

static int test(struct options *o, char *const *urls, size_t n, int secret_fd, struct mm_err *err)
{
	struct mm_arena *mem = mm_arena_new();
	struct mm_input in;
	struct mm_tally_of_tests sum = {.passed = 0};
	const struct mm_runner_opts ro = runner_opts(o);
	o->hand.password_fd = (int)o->password_fd;
	int rc = o->by_hand ? mm_hand_tasks(urls, n, &o->hand, mem, &in, err)
			    : mm_input_read(STDIN_FILENO, secret_fd, mem, &in, err);
	if (rc == 0) {
		rc = mm_runner_run(&in, &ro, &sum, err);
		mm_input_free(&in);
	}
	mm_arena_free(mem);
	o->hung = sum.hung;
	return rc == 0 ? verdict(o, &sum) : err->code;
}

static const char usage[] = "mailmuster-probe [OPTIONS] SCHEME://[USER@]HOST[:PORT]...\n"
			    "       mailmuster-probe --discover ADDRESS\n"
			    "       mailmuster-probe < TASKS 3< SECRETS";
static const char about[] =
    "Logs in to mail servers and says what is wrong. SCHEME is imaps, pop3s, smtps or submissions for TLS,\n"
    "imap, pop3, smtp or submission for STARTTLS, which is then required (imap+starttls says it aloud).\n"
    "Without USER the login is left out. A user name may be an address: imaps://alice@acme.example@HOST.\n"
    "Status: 0 all passed, 2 a test failed or could not be made, 1 no test was made, 64 wrong usage.";

static int discover(struct options *o, int operands, struct mm_err *err)
{
	o->by_hand = true;
	struct mm_runner_opts ro = runner_opts(o);
	struct mm_discover_opts d = {.tls_min = o->hand.tls_min, .allow_cleartext = o->hand.allow_cleartext};
	struct mm_arena *mem = mm_arena_new();
	int rc = operands > 0 ? mm_err_set(err, MM_EX_USAGE, "--discover takes an address and nothing else")
			      : mm_hand_ca_file(&o->hand, mem, &d.ca_file, err);
	rc = rc == 0 ? mm_discover_run(o->discover, &d, &ro, err) : err->code;
	mm_arena_free(mem);
	return rc;
}

static int act(
    struct options *o, const struct mm_opt *opts, int argc, char **argv, int secret_fd, struct mm_err *err)
{
	if (o->help) {
		mm_cli_help(usage, about, opts);
		return 0;
	}
	if (o->version) {
		puts("mailmuster-probe " MM_VERSION);
		return 0;
	}
	if (o->discover != NULL)
		return discover(o, argc, err);
	o->by_hand = argc > 0;
	if (!o->by_hand && isatty(STDIN_FILENO)) {
		mm_err_set(err, MM_EX_USAGE, "no address given; --help says more");
		return err->code;
	}
	o->json = o->json || !o->by_hand;
	return test(o, argv, (size_t)argc, secret_fd, err);
}

#define MAX_SECONDS 600

int main(int argc, char **argv)
{
	/* before anything else is opened: is descriptor 3 ours? */
	int secret_fd = fcntl(MM_PROBE_SECRET_FD, F_GETFD) >= 0 ? MM_PROBE_SECRET_FD : -1;
	mm_process_init();
	mm_no_core();
	setlocale(LC_CTYPE, "");
	struct options o = {.password_fd = -1};
	struct mm_err err = MM_ERR_NONE;
	const struct mm_opt opts[] = {
	    {"security", 0, MM_OPT_STRING, &o.hand.security, 0, 0, "WORD", "tls, starttls or none"},
	    {"auth", 0, MM_OPT_STRING, &o.hand.auth, 0, 0, "WORD",
		"how to log in: password (default), plain, xoauth2, gssapi, external, ..."},
	    {"level", 0, MM_OPT_STRING, &o.hand.level, 0, 0, "LEVEL",
		"how far to go: reach, tls, login or roundtrip"},
	    {"round-trip", 0, MM_OPT_FLAG, &o.hand.round_trip, 0, 0, NULL,
		"send a message, find it, and remove it again"},
	    {"address", 0, MM_OPT_STRING, &o.hand.address, 0, 0, "ADDRESS",
		"your own, where the user name is none"},
	    {"password-fd", 0, MM_OPT_INT, &o.password_fd, 0, 1023, "N",
		"read the password from descriptor N"},
	    {"password-command", 0, MM_OPT_STRING, &o.hand.password_command, 0, 0, "COMMAND",
		"its first line is the password"},
	    {"token-command", 0, MM_OPT_STRING, &o.hand.token_command, 0, 0, "COMMAND",
		"its first line is an OAuth 2 token"},
	    {"client-cert", 0, MM_OPT_STRING, &o.hand.client_cert, 0, 0, "FILE",
		"certificate and key of yours, PEM"},
	    {"ca-file", 0, MM_OPT_STRING, &o.hand.ca_file, 0, 0, "FILE",
		"trust the CAs in FILE and no others"},
	    {"tls-min", 0, MM_OPT_STRING, &o.hand.tls_min, 0, 0, "VERSION",
		"lowest TLS version: 1.2 (default) or 1.3"},
	    {"pin", 0, MM_OPT_STRING, &o.hand.pin, 0, 0, "PIN", "sha256//BASE64 of the server's public key"},
	    {"allow-cleartext", 0, MM_OPT_FLAG, &o.hand.allow_cleartext, 0, 0, NULL,
		"send the password without encryption where --security is none"},
	    {"known", 0, MM_OPT_LIST, &o.hand.known, 0, 0, "HOST",
		"a right server: others get no password, and typing mistakes are found; may be repeated"},
	    {"ehlo", 0, MM_OPT_STRING, &o.hand.ehlo, 0, 0, "NAME", "how to introduce oneself to SMTP"},
	    {"ipv4", '4', MM_OPT_FLAG, &o.v4, 0, 0, NULL, "IPv4 only"},
	    {"ipv6", '6', MM_OPT_FLAG, &o.v6, 0, 0, NULL, "IPv6 only"},
	    {"timeout", 0, MM_OPT_INT, &o.timeout_s, 1, MAX_SECONDS, "S", "seconds for each step"},
	    {"connect-timeout", 0, MM_OPT_INT, &o.connect_s, 1, MAX_SECONDS, "S", "... for the connection"},
	    {"answer-timeout", 0, MM_OPT_INT, &o.answer_s, 1, MAX_SECONDS, "S",
		"... for each answer of the server"},
	    {"login-timeout", 0, MM_OPT_INT, &o.login_s, 1, MAX_SECONDS, "S",
		"... for the answer to the login"},
	    {"round-trip-timeout", 0, MM_OPT_INT, &o.trip_s, 1, MAX_SECONDS, "S",
		"... for the message of a round trip to arrive"},
	    {"per-server", 0, MM_OPT_INT, &o.per_server, 1, 256, "N", "connections to a server at a time"},
	    {"discover", 0, MM_OPT_STRING, &o.discover, 0, 0, "ADDRESS",
		"find the servers of a mail address, or of a domain"},
	    {"no-survey", 0, MM_OPT_FLAG, &o.no_survey, 0, 0, NULL,
		"leave out the look at each endpoint's addresses and TLS versions"},
	    {"verbose", 'v', MM_OPT_FLAG, &o.verbose, 0, 0, NULL,
		"the conversation as well, passwords masked"},
	    {"json", 0, MM_OPT_FLAG, &o.json, 0, 0, NULL, "one JSON object a line"},
	    {"help", 'h', MM_OPT_FLAG, &o.help, 0, 0, NULL, "this text"},
	    {"version", 'V', MM_OPT_FLAG, &o.version, 0, 0, NULL, "the version"},
	    {NULL, 0, MM_OPT_FLAG, NULL, 0, 0, NULL, NULL},
	};
	int n = argc - 1;
	int rc = mm_cli_parse(opts, &n, argv + 1, &err) == 0 ? act(&o, opts, n, argv + 1, secret_fd, &err)
							     : err.code;
	if (err.text[0] != '\0')
		fprintf(stderr, "mailmuster-probe: %s\n", err.text);
	mm_cli_free(opts);
	if (o.hung)
		_exit(rc);
	return rc;
}
