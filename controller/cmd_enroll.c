/* mailmuster host enroll: pin the host's key, install and configure the
 * agent, let the controller in - all with the admin's own SSH login. */
#include "controller/cmd_enroll.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/json.h"
#include "common/proc.h"
#include "common/text.h"
#include "controller/enroll_checkin.h"
#include "controller/enroll_limits.h"
#include "controller/enroll_remote.h"
#include "controller/enroll_script.h"
#include "controller/store/store_keys.h"
#include "schemas/signing.h"

#define AGENT "/usr/bin/mailmuster-agent"
#define CONFIG "/etc/mailmuster/agent.conf"

struct enroll_opts {
	const char *address, *login, *account, *fingerprint, *identity, *install, *agent, *config, *host_key,
	    *reason;
	int64_t port;
	struct mm_opt_list domains, programs, clients;
	struct mm_checkin_opts checkin;
	bool force, json;
};

struct enrolling {
	struct mm_ctl *c;
	const struct enroll_opts *o;
	struct mm_arena *a;
	struct mm_store_host host;
	struct mm_remote remote;
	struct mm_sshkey key; /* the one that is pinned */
	char fingerprint[MM_FINGERPRINT_MAX];
	bool pinned_before;
	/* what the script said */
	const char *installed, *version, *conf, *login, *report_key, *checkin_key;
	struct mm_enroll_checkin checkin;
};

/* ---- the host key */

struct pinned {
	struct mm_arena *a;
	struct mm_sshkey keys[MM_SSHKEYS_MAX];
	size_t n;
};

static int take_pinned(const struct mm_hostkey *k, void *arg, struct mm_err *err)
{
	struct pinned *p = arg;
	if (p->n == MM_SSHKEYS_MAX)
		return 0;
	return mm_sshkey_from_blob(k->blob, k->len, p->a, &p->keys[p->n++], err);
}

/* --host-key FILE: brought by other means than the network. */
static int key_from_file(struct enrolling *e, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(65536);
	int rc = mm_ctl_read(e->o->host_key, 65536, &text, err);
	if (rc == 0)
		rc = mm_sshkey_parse(mm_buf_str(&text), e->a, &e->key, err);
	if (rc != 0)
		mm_err_prefix(err, "%s", e->o->host_key);
	mm_buf_free(&text);
	return rc;
}

static bool yes(void)
{
	char line[16] = "";
	return fgets(line, sizeof(line), stdin) != NULL && (mm_streq(line, "yes\n") || mm_streq(line, "yes"));
}

/* Nothing says that this key is the right one: only a person can. */
static int ask(struct enrolling *e, struct mm_err *err)
{
	mm_sshkey_fingerprint(e->key.blob, e->key.len, e->fingerprint);
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return mm_err_set(err, MM_EX_NOPERM,
		    "%s shows the key %s %s; compare it on the host (ssh-keygen -lf "
		    "/etc/ssh/ssh_host_ed25519_key.pub) and "
		    "say --fingerprint %s",
		    e->host.id, e->key.type, e->fingerprint, e->fingerprint);
	fprintf(stderr,
	    "%s (%s port %d) shows the key\n    %s %s\nCompare it with what the host itself says:\n"
	    "    ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\nIs it the same? (yes/no) ",
	    e->host.id, e->host.address, e->host.port, e->key.type, e->fingerprint);
	if (!yes())
		return mm_err_set(
		    err, MM_EX_NOPERM, "%s is not enrolled: the host key was not confirmed", e->host.id);
	return 0;
}

static int by_fingerprint(
    struct enrolling *e, const struct pinned *p, const struct mm_sshkey *keys, size_t n, struct mm_err *err)
{
	char fp[MM_FINGERPRINT_MAX] = "";
	for (size_t i = 0; i < n; i++) {
		mm_sshkey_fingerprint(keys[i].blob, keys[i].len, fp);
		if (mm_streq(fp, e->o->fingerprint)) {
			e->key = keys[i];
			e->pinned_before = mm_sshkey_pinned(p->keys, p->n, keys[i].blob, keys[i].len);
			return 0;
		}
	}
	mm_sshkey_fingerprint(keys[0].blob, keys[0].len, fp);
	return mm_err_set(err, MM_EX_NOPERM,
	    "the host key of %s is not the one you named: it shows %s %s, you said %s", e->host.id,
	    keys[0].type, fp, e->o->fingerprint);
}

/* What the host shows must be what is pinned, what --fingerprint says, or
 * what a person confirms. */
static int find_key(struct enrolling *e, struct mm_err *err)
{
	struct mm_sshkey shown[MM_SSHKEYS_MAX];
	struct pinned p = {.a = e->a};
	size_t n;
	if (e->o->host_key != NULL)
		return key_from_file(e, err);
	if (mm_store_hostkey_each(e->c->store, e->host.id, take_pinned, &p, err) < 0)
		return -1;
	/* Behind a ProxyCommand nothing can be scanned; ssh itself will compare. */
	if (p.n > 0 && e->remote.proxy_command != NULL && e->o->fingerprint == NULL) {
		e->key = p.keys[0];
		e->pinned_before = true;
		return 0;
	}
	if (e->remote.proxy_command != NULL)
		return mm_err_set(err, MM_EX_FAILED,
		    "%s is behind a ProxyCommand: give its key with --host-key FILE", e->host.id);
	if (mm_remote_scan(&e->remote, e->a, shown, &n, err) < 0)
		return -1;
	if (e->o->fingerprint != NULL)
		return by_fingerprint(e, &p, shown, n, err);
	for (size_t i = 0; i < n; i++)
		if (mm_sshkey_pinned(p.keys, p.n, shown[i].blob, shown[i].len)) {
			e->key = shown[i];
			e->pinned_before = true;
			return 0;
		}
	e->key = shown[0];
	if (p.n == 0)
		return ask(e, err);
	char old[MM_FINGERPRINT_MAX], new[MM_FINGERPRINT_MAX];
	mm_sshkey_fingerprint(p.keys[0].blob, p.keys[0].len, old);
	mm_sshkey_fingerprint(shown[0].blob, shown[0].len, new);
	return mm_err_set(err, MM_EX_NOPERM,
	    "the host key of %s has changed: pinned is %s, it shows %s. If the host was reinstalled, say "
	    "--fingerprint with "
	    "the new one",
	    e->host.id, old, new);
}

/* ---- the remote part */

static void keep(const char **place, struct enrolling *e, const char *value)
{
	*place = mm_arena_strdup(e->a, value);
}

static int take_line(struct enrolling *e, const char *line, struct mm_err *err)
{
	static const char *const words[] = {"installed ", "agent ", "conf ", "login ", "key ", "checkin "};
	const char **places[] = {
	    &e->installed, &e->version, &e->conf, &e->login, &e->report_key, &e->checkin_key};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (mm_starts_with(line, words[i]))
			keep(places[i], e, line + strlen(words[i]));
	(void)err;
	return 0;
}

/* The host's report key must be one. */
static int check_report_key(struct enrolling *e, struct mm_err *err)
{
	struct mm_buf pem = MM_BUF_INIT(8192);
	struct mm_key *k = NULL;
	int rc = -1;
	if (e->report_key == NULL || mm_unbase64(e->report_key, strlen(e->report_key), &pem) < 0 ||
	    !mm_buf_ok(&pem))
		mm_err_set(err, MM_EX_FAILED, "%s: the agent did not tell its report key", e->host.id);
	else if (mm_key_from_public_pem(mm_buf_str(&pem), pem.len, &k, err) < 0)
		mm_err_prefix(err, "%s: report key", e->host.id);
	else
		rc = 0;
	if (rc == 0)
		keep(&e->report_key, e, mm_buf_str(&pem));
	mm_key_free(k);
	mm_buf_free(&pem);
	return rc;
}

static int run_script(struct enrolling *e, const struct mm_enrolment *how, struct mm_err *err)
{
	struct mm_buf script = MM_BUF_INIT(2 * MM_ENROLL_DEB_MAX), out = MM_BUF_INIT(MM_REMOTE_OUTPUT_MAX);
	int status = -1, rc;
	mm_enroll_script(how, &script);
	rc = mm_buf_ok(&script) ? mm_remote_script(&e->remote, script.data, script.len, &out, &status, err)
				: mm_err_set(err, MM_EX_FAILED, "the package is too large");
	for (char *at = out.data, *line; rc == 0 && at != NULL && (line = strsep(&at, "\n")) != NULL;)
		if (mm_starts_with(line, "mm:"))
			rc = take_line(e, line + 3, err);
	mm_buf_free(&script);
	mm_buf_free(&out);
	return rc == 0 ? check_report_key(e, err) : -1;
}

static int read_small(const char *path, struct mm_arena *a, const char **out, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(16384);
	int rc = mm_ctl_read(path, 16384, &b, err);
	if (rc == 0) {
		char *text = mm_arena_strdup(a, mm_buf_str(&b));
		text[strcspn(text, "\r\n")] = '\0';
		*out = text;
	}
	mm_buf_free(&b);
	return rc;
}

static int set_up_agent(struct enrolling *e, struct mm_err *err)
{
	struct mm_enrolment how = {.host = e->host.id,
	    .account = e->host.account,
	    .agent = e->o->agent,
	    .config = e->o->config,
	    .checkin = e->o->checkin.destination != NULL ? &e->checkin : NULL,
	    .force = e->o->force};
	struct mm_store_key signing;
	struct mm_buf deb = MM_BUF_INIT(MM_ENROLL_DEB_MAX);
	char *ssh_key = mm_ctl_path(e->c, "keys/ssh.pub");
	int rc = mm_store_key_current(e->c->store, e->a, &signing, err);
	if (rc == 1)
		rc = mm_err_set(err, MM_EX_FAILED, "there is no signing key; run: mailmuster init");
	how.signing_key = rc == 0 ? signing.pem : NULL;
	if (rc == 0)
		rc = read_small(ssh_key, e->a, &how.ssh_key, err);
	if (rc == 0)
		rc = mm_enroll_limits(
		    e->c->store, &e->o->domains, &e->o->programs, &e->o->clients, e->a, &how, err);
	if (rc == 0 && e->o->install != NULL) {
		rc = mm_ctl_read(e->o->install, MM_ENROLL_DEB_MAX, &deb, err);
		how.deb = &deb;
	}
	if (rc == 0)
		rc = run_script(e, &how, err);
	free(ssh_key);
	mm_buf_free(&deb);
	return rc;
}

/* ---- before and after */

static int host_of(struct enrolling *e, const char *id, struct mm_err *err)
{
	const struct enroll_opts *o = e->o;
	struct mm_store_host *h = &e->host;
	*h = (struct mm_store_host){
	    .address = "", .port = 22, .account = "root", .transport = "libssh2", .all_users = true};
	if (mm_store_host_get(e->c->store, id, e->a, h, err) < 0)
		return -1;
	h->id = id;
	if (o->address != NULL)
		h->address = o->address;
	if (*h->address == '\0')
		h->address = id;
	if (o->port != 0)
		h->port = (int)o->port;
	if (o->account != NULL)
		h->account = o->account;
	if (!mm_is_login(id) || !mm_is_hostname(h->address) || h->address[0] == '-' ||
	    !mm_is_login(h->account))
		return mm_err_set(
		    err, MM_EX_USAGE, "\"%s\", \"%s\" or \"%s\" is no name", id, h->address, h->account);
	e->remote = (struct mm_remote){.host = id,
	    .address = h->address,
	    .port = h->port,
	    .login = o->login != NULL ? o->login : "root",
	    .identity = o->identity,
	    .proxy_command = h->proxy_command,
	    .keys = &e->key,
	    .n_keys = 1};
	if (!mm_is_login(e->remote.login))
		return mm_err_set(err, MM_EX_USAGE, "\"%s\" is no account name", e->remote.login);
	return 0;
}

/* The key first: a host whose enrolment fails later has its key pinned, and
 * the next attempt need not ask again. */
static int pin(struct enrolling *e, struct mm_err *err)
{
	struct mm_hostkey k = {.host = e->host.id,
	    .algorithm = e->key.type,
	    .blob = e->key.blob,
	    .len = e->key.len,
	    .source = e->o->host_key != NULL ? "file" : "enroll"};
	enum mm_put done;
	if (mm_store_begin(e->c->store, err) < 0)
		return -1;
	if (mm_store_host_put(e->c->store, &e->host, &done, err) == 0 &&
	    (e->pinned_before || mm_store_hostkey_remove(e->c->store, e->host.id, NULL, err) >= 0) &&
	    mm_store_hostkey_put(e->c->store, &k, &done, err) == 0)
		return mm_store_commit(e->c->store, err);
	mm_store_rollback(e->c->store);
	return -1;
}

static int finish(struct enrolling *e, struct mm_err *err)
{
	enum mm_put done;
	e->host.report_key = e->report_key;
	e->host.enrolled = mm_store_now(e->c->store);
	if (mm_store_begin(e->c->store, err) < 0)
		return -1;
	json_t *d = json_object();
	struct mm_buf text = MM_BUF_INIT(8192);
	mm_json_set_str(d, "host_key", e->fingerprint);
	mm_json_set_str(d, "account", e->host.account);
	mm_json_set_str(d, "agent", e->version);
	mm_json_dump(d, &text);
	json_decref(d);
	int rc = mm_store_host_put(e->c->store, &e->host, &done, err);
	if (rc == 0)
		rc = mm_store_audit(e->c->store, "host.enroll", e->host.id, mm_buf_str(&text), false, err);
	mm_buf_free(&text);
	if (rc == 0)
		return mm_store_commit(e->c->store, err);
	mm_store_rollback(e->c->store);
	return -1;
}

static int enroll(struct enrolling *e, const char *id, struct mm_err *err)
{
	if (mm_ctl_open(e->c, err) != 0 || host_of(e, id, err) < 0)
		return -1;
	mm_store_set_reason(e->c->store, e->o->reason);
	const struct mm_checkin_opts *k = &e->o->checkin;
	if (k->destination != NULL && mm_enroll_checkin_prepare(k, e->a, &e->checkin, err) < 0)
		return -1;
	if (find_key(e, err) < 0)
		return -1;
	mm_sshkey_fingerprint(e->key.blob, e->key.len, e->fingerprint);
	if (pin(e, err) < 0 || set_up_agent(e, err) < 0)
		return -1;
	if (k->destination != NULL &&
	    mm_enroll_checkin_finish(e->c, k, id, e->checkin_key, e->a, &e->checkin, err) < 0)
		return -1;
	return finish(e, err);
}

/* A key that came over the network is shown: only a person can compare it. */
static void say_checkin(const struct enrolling *e)
{
	const struct mm_enroll_checkin *k = &e->checkin;
	if (k->line == NULL)
		return;
	printf("%s  checks in with %s@%s port %d, host key %s %s%s\n", e->host.id, k->account, k->host,
	    k->port, k->keys[0].type, k->fingerprint, k->scanned ? " as it shows now: compare it" : "");
	if (k->written != NULL)
		printf("%s  %s %s\n", e->host.id, e->o->checkin.authorized_keys, k->written);
	else
		printf("%s  line for authorized_keys of %s:\n%s\n", e->host.id, k->account, k->line);
}

static void say(const struct enrolling *e)
{
	if (e->o->json) {
		json_t *o = json_object();
		mm_json_set_str(o, "host", e->host.id);
		mm_json_set_str(o, "host_key", e->fingerprint);
		mm_json_set_str(o, "agent", e->version);
		mm_json_set_str(o, "installed", e->installed);
		mm_json_set_str(o, "conf", e->conf);
		mm_json_set_str(o, "login", e->login);
		if (e->checkin.line != NULL) {
			mm_json_set_str(o, "checkin_host_key", e->checkin.fingerprint);
			mm_json_set_str(o, "checkin_authorized_key", e->checkin.line);
			mm_json_set_str(o, "checkin_authorized_keys", e->checkin.written);
		}
		mm_ctl_json(o);
		return;
	}
	printf("%s  host key %s %s%s\n", e->host.id, e->key.type, e->fingerprint,
	    e->pinned_before ? ", as pinned" : ", pinned");
	printf("%s  agent %s%s%s, %s %s, login as %s %s\n", e->host.id, e->version != NULL ? e->version : "?",
	    e->installed != NULL ? " installed: " : "", e->installed != NULL ? e->installed : "",
	    e->o->config, e->conf != NULL ? e->conf : "?", e->host.account,
	    e->login != NULL ? e->login : "?");
	say_checkin(e);
}

#define TEXT(option, member, argument, text)                                                                 \
	{                                                                                                    \
		.name = (option), .kind = MM_OPT_STRING, .dest = &o.member, .arg = (argument),               \
		.help = (text)                                                                               \
	}
#define LIST(option, member, argument, text)                                                                 \
	{                                                                                                    \
		.name = (option), .kind = MM_OPT_LIST, .dest = &o.member, .arg = (argument), .help = (text)  \
	}
#define FLAG(option, member, text)                                                                           \
	{                                                                                                    \
		.name = (option), .kind = MM_OPT_FLAG, .dest = &o.member, .help = (text)                     \
	}

int mm_cmd_host_enroll(struct mm_ctl *c, int argc, char **argv)
{
	struct enroll_opts o = {.agent = AGENT, .config = CONFIG};
	const struct mm_opt opts[] = {
	    TEXT("address", address, "NAME", "SSH address (default: as stored, else the host id)"),
	    {.name = "port",
		.kind = MM_OPT_INT,
		.dest = &o.port,
		.min = 1,
		.max = 65535,
		.arg = "N",
		.help = "SSH port"},
	    TEXT("user", login, "NAME",
		"your own login there (root); another one needs sudo without a password"),
	    TEXT("identity", identity, "FILE", "your SSH key, if your ssh does not find it by itself"),
	    TEXT("fingerprint", fingerprint, "SHA256:...", "the host key must be this one: nothing is asked"),
	    TEXT("host-key", host_key, "FILE", "the host's public key, brought by other means"),
	    TEXT("account", account, "NAME",
		"the controller logs in as (root), else as NAME with one sudo rule"),
	    TEXT("install", install, "DEB", "install this package if the host has another version or none"),
	    LIST("allow-domain", domains, "DOMAIN",
		"servers that may be configured there (default: the policy's)"),
	    LIST("allow-program", programs, "PATH",
		"password programs that may be named (default: the policy's)"),
	    LIST("allow-client", clients, "CLIENT", "mail programs that may be touched (default: all)"),
	    TEXT("checkin", checkin.destination, "ACCOUNT@HOST[:PORT]",
		"the host calls the controller there, with an SSH key of its own"),
	    TEXT("checkin-known-hosts", checkin.known_hosts, "FILE",
		"the controller's host key (default: as it shows it now)"),
	    TEXT("checkin-authorized-keys", checkin.authorized_keys, "FILE",
		"let the host's key in there (default: print the line)"),
	    TEXT("agent", agent, "PATH", "the agent's place on the host"),
	    TEXT("config", config, "PATH", "its configuration's place on the host"),
	    FLAG("force", force, "take over a host that is enrolled under another id"),
	    TEXT("reason", reason, "TEXT", "for the audit log"),
	    FLAG("json", json, "print JSON"),
	    {.name = NULL},
	};
	const struct mm_args args = {.what = "host enroll",
	    .operands = "HOST [options]",
	    .about = "Take a workstation into the fleet, with your own SSH login: pin its host key, install "
		     "and limit the\n"
		     "agent, make its report key, let the controller in. Running it again changes only what "
		     "is not right.",
	    .opts = opts,
	    .min = 1,
	    .max = 1};
	struct mm_err err = MM_ERR_NONE;
	int rc = mm_ctl_args(&args, &argc, argv);
	if (rc < 0) {
		struct enrolling e = {.c = c, .o = &o, .a = mm_arena_new()};
		rc = enroll(&e, argv[0], &err) < 0 ? mm_ctl_fail("host enroll", &err) : MM_EX_OK;
		if (rc == MM_EX_OK)
			say(&e);
		mm_arena_free(e.a);
	}
	mm_cli_free(opts);
	return rc;
}
