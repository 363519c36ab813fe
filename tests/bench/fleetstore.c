/*
 * A store with a fleet in it, for measuring: `mm-bench-fleetstore FILE HOSTS [SECONDS]`.
 *
 * Everything goes in as the product puts it in (mm_store_report and its
 * neighbours), in batches of one transaction. A host has one user with ten
 * findings and two logins. What differs is drawn from a generator with a
 * fixed seed: 5 % of the findings are not as desired, 2 % of the logins
 * failed, 3 % of the hosts have been silent for ten days. SECONDS (0) is how
 * far apart the reports of one host and the next came in.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/text.h"
#include "controller/store/store.h"

#define BATCH 2000
#define DAY INT64_C(86400)

static uint64_t draw(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static bool once_in(uint64_t *seed, uint64_t n)
{
	return draw(seed) % n == 0;
}

struct client {
	const char *name, *path; /* below the home */
};

static const struct client clients[] = {
    {"thunderbird", ".thunderbird/x7k2p9qd.default-release/prefs.js"},
    {"thunderbird", ".thunderbird/x7k2p9qd.default-release/prefs.js"},
    {"thunderbird", ".thunderbird/x7k2p9qd.default-release/prefs.js"},
    {"evolution", ".config/evolution/sources/3f0c5b1e7f.source"},
    {"mutt", ".muttrc"},
};

static const struct {
	const char *setting, *desired, *wrong;
} settings[] = {
    {"incoming.host", "imap.acme.example", "mail.old.example"},
    {"incoming.port", "993", "143"},
    {"incoming.security", "tls", "starttls"},
    {"incoming.auth", "password", "cram-md5"},
    {"incoming.username", "%s@acme.example", "%s"},
    {"outgoing.host", "smtp.acme.example", "smtp.old.example"},
    {"outgoing.port", "465", "25"},
    {"outgoing.security", "tls", "none"},
    {"outgoing.auth", "password", "cram-md5"},
    {"outgoing.username", "%s@acme.example", "%s"},
};
#define N_SETTINGS (sizeof(settings) / sizeof(settings[0]))

struct one {
	struct mm_arena *a;
	uint64_t seed;
	int64_t now;
	const char *host, *user;
	const struct client *client;
	struct mm_finding f[N_SETTINGS];
	struct mm_login l[2];
};

static const char *with_user(struct one *o, const char *text)
{
	const char *at = strchr(text, '%');

	return at ? mm_arena_printf(o->a, "%s%s", o->user, at + 2) : text;
}

static void make_findings(struct one *o)
{
	const char *path = mm_arena_printf(o->a, "/home/%s/%s", o->user, o->client->path);

	for (size_t i = 0; i < N_SETTINGS; i++) {
		bool wrong = once_in(&o->seed, 20);
		bool audit = wrong && once_in(&o->seed, 3);

		o->f[i] = (struct mm_finding){.user = o->user,
		    .client = o->client->name,
		    .path = path,
		    .account = "work",
		    .setting = settings[i].setting,
		    .desired = with_user(o, settings[i].desired),
		    .found = with_user(o, wrong ? settings[i].wrong : settings[i].desired),
		    .line = (int)(12 + i),
		    .state = !wrong  ? MM_ST_COMPLIANT
			     : audit ? MM_ST_PENDING
				     : MM_ST_DRIFTED,
		    .action = wrong ? MM_ACT_REPORTED : MM_ACT_NONE,
		    .reason = audit ? "the policy only looks at this mail program" : ""};
	}
}

static struct mm_login login_of(struct one *o, bool in)
{
	bool failed = once_in(&o->seed, 50);

	return (struct mm_login){.user = o->user,
	    .account = "work",
	    .side = in ? "incoming" : "outgoing",
	    .protocol = in ? "imap" : "smtp",
	    .host = in ? "imap.acme.example" : "smtp.acme.example",
	    .security = "tls",
	    .auth = "password",
	    .username = mm_arena_printf(o->a, "%s@acme.example", o->user),
	    .port = in ? 993 : 465,
	    .level = MM_LEVEL_LOGIN,
	    .reached = failed ? MM_LEVEL_TLS : MM_LEVEL_LOGIN,
	    .any = true,
	    .result = failed ? MM_LOGIN_FAILED : MM_LOGIN_PASSED,
	    .cls = failed ? "AUTH_REJECTED" : "",
	    .text = failed ? "The server refused the password." : "",
	    .admin = failed ? "The server refused the password: reset it, or look for an old one." : "",
	    .server_text = failed ? "NO [AUTHENTICATIONFAILED] Authentication failed." : NULL,
	    .tls = {.version = once_in(&o->seed, 10) ? "TLSv1.2" : "TLSv1.3",
		.cipher = "TLS_AES_256_GCM_SHA384",
		.subject = "CN=mail.acme.example",
		.issuer = "C=US, O=Let's Encrypt, CN=R11",
		.san = "imap.acme.example, smtp.acme.example",
		.not_before = o->now - 30 * DAY,
		.not_after = o->now + 60 * DAY,
		.key = "RSA 2048",
		.signature = "sha256WithRSAEncryption",
		.fingerprint = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
		.pin = "sha256//a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s=",
		.name_match = MM_YES},
	    .timing = {.dns = 2, .tcp = 9, .tls = 21, .greeting = 4, .login = 33},
	    .when = o->now};
}

static int add_host(struct mm_store *s, struct one *o, int64_t i, struct mm_err *err)
{
	const char *tag = mm_arena_printf(o->a, "site%" PRId64, i % 7);
	const char *group = i % 10 < 7 ? "staff" : i % 10 < 9 ? "sales" : "engineering";
	struct mm_store_host h = {.id = o->host,
	    .address = mm_arena_printf(o->a, "%s.acme.example", o->host),
	    .port = 22,
	    .account = "root",
	    .transport = "libssh2",
	    .tags = &tag,
	    .n_tags = 1,
	    .users = &o->user,
	    .n_users = 1};
	struct mm_store_user u = {.login = o->user,
	    .name = mm_arena_printf(o->a, "Person %" PRId64, i),
	    .address = mm_arena_printf(o->a, "%s@acme.example", o->user),
	    .groups = &group,
	    .n_groups = 1};
	enum mm_put done;

	if (mm_store_user_put(s, &u, true, &done, err) || mm_store_host_put(s, &h, &done, err) ||
	    mm_store_push_want(s, o->host, 1, 0, NULL, err))
		return -1;
	return mm_store_push_result(s,
	    &(struct mm_push_state){.host = o->host,
		.revision = 1,
		.op = "apply",
		.request_id = o->host,
		.outcome = "ok",
		.text = ""},
	    err);
}

static int add_report(struct mm_store *s, struct one *o, struct mm_err *err)
{
	const char *const users[] = {o->user, NULL};
	struct mm_report_head head = {
	    .id = mm_arena_printf(o->a, "%016" PRIx64 "%016" PRIx64, draw(&o->seed), draw(&o->seed)),
	    .host = o->host,
	    .request_id = o->host,
	    .op = "apply",
	    .epoch = 1,
	    .serial = 1,
	    .revision = 1,
	    .collected = o->now,
	    .agent = MM_VERSION,
	    .users = users};
	struct mm_report_in in = {.head = &head,
	    .findings = o->f,
	    .n_findings = N_SETTINGS,
	    .logins = o->l,
	    .n_logins = 2,
	    .direct = true};
	bool fresh;

	make_findings(o);
	o->l[0] = login_of(o, true);
	o->l[1] = login_of(o, false);
	return mm_store_report(s, &in, &fresh, err);
}

static int one_host(struct mm_store *s, struct one *o, int64_t i, int64_t now, struct mm_err *err)
{
	int rc;

	o->a = mm_arena_new();
	o->host = mm_arena_printf(o->a, "ws-%06" PRId64, i);
	o->user = mm_arena_printf(o->a, "u%06" PRId64, i);
	o->client = &clients[draw(&o->seed) % (sizeof(clients) / sizeof(clients[0]))];
	o->now = draw(&o->seed) % 100 < 3 ? now - 10 * DAY : now;
	mm_store_set_now(s, o->now);
	rc = add_host(s, o, i, err) || add_report(s, o, err) ? -1 : 0;
	mm_arena_free(o->a);
	return rc;
}

static int first_revision(struct mm_store *s, struct mm_err *err)
{
	static const char text[] = "format = 1;\n";
	struct mm_revision r = {
	    .text = text, .len = sizeof(text) - 1, .author = "bench", .message = "", .source = "bench.conf"};
	int64_t number;
	bool kept;

	return mm_store_revision_add(s, &r, "policy.import", &number, &kept, err);
}

static int fill(struct mm_store *s, int64_t hosts, int64_t apart, struct mm_err *err)
{
	struct one o = {.seed = UINT64_C(0x9e3779b97f4a7c15)};
	int64_t now = (int64_t)time(NULL) - 60 - apart * hosts;

	mm_store_set_who(s, "bench (uid 0)");
	mm_store_set_now(s, now - 30 * DAY);
	if (first_revision(s, err))
		return -1;
	for (int64_t i = 0; i < hosts; i++) {
		if (i % BATCH == 0 && mm_store_begin(s, err))
			return -1;
		if (one_host(s, &o, i, now + apart * i, err))
			return -1;
		if ((i % BATCH == BATCH - 1 || i == hosts - 1) && mm_store_commit(s, err))
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_store *s = NULL;
	int64_t hosts = 0, apart = 0;
	int rc;

	if (argc < 3 || mm_parse_int(argv[2], 1, 10000000, &hosts) ||
	    (argc > 3 && mm_parse_int(argv[3], 0, 86400, &apart))) {
		fprintf(stderr, "usage: mm-bench-fleetstore FILE HOSTS [SECONDS]\n");
		return 64;
	}
	rc = mm_store_create(argv[1], &s, &err);
	if (!rc)
		rc = fill(s, hosts, apart, &err);
	mm_store_close(s);
	if (rc)
		fprintf(stderr, "mm-bench-fleetstore: %s\n", err.text);
	return rc ? 1 : 0;
}
