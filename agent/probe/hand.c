#include "agent/probe/hand.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/probe/lint.h"
#include "agent/probe/suggest.h"
#include "agent/probe/url.h"
#include "common/text.h"

static bool wants_round_trip(const struct mm_hand_opts *o)
{
	return o->round_trip || mm_streq(o->level, "roundtrip");
}

static int choose_level(const struct mm_hand_opts *o, struct mm_probe_task *t, struct mm_err *err)
{
	int level = t->username != NULL || mm_streq(t->auth, "external") ? MM_LEVEL_LOGIN : MM_LEVEL_TLS;
	if (o->level != NULL)
		level = mm_level_by_name(o->level);
	if (level < 0)
		return mm_err_set(err, MM_EX_USAGE, "--level is one of reach, tls, login, roundtrip");
	if (wants_round_trip(o))
		level = mm_streq(t->protocol, "smtp") ? MM_LEVEL_ROUNDTRIP : MM_LEVEL_LOGIN;
	t->level = (enum mm_level)level;
	if (level < MM_LEVEL_LOGIN || mm_streq(t->auth, "none"))
		return 0;
	if (t->username == NULL && !mm_streq(t->auth, "external"))
		return mm_err_set(
		    err, MM_EX_USAGE, "a login needs a user name: %s://USER@%s", t->protocol, t->host);
	if (mm_streq(t->security, "none") && !o->allow_cleartext)
		return mm_err_set(err, MM_EX_USAGE,
		    "without encryption everybody on the way can read the password; --allow-cleartext sends "
		    "it");
	return 0;
}

static int check_words(const struct mm_hand_opts *o, struct mm_err *err)
{
	const char *const *w = mm_auth_words;
	while (*w != NULL && !mm_streq(*w, o->auth))
		w++;
	if (o->auth != NULL && *w == NULL)
		return mm_err_set(err, MM_EX_USAGE, "--auth: %s is not known", o->auth);
	w = mm_security_words;
	while (*w != NULL && !mm_streq(*w, o->security))
		w++;
	if (o->security != NULL && *w == NULL)
		return mm_err_set(err, MM_EX_USAGE, "--security is one of tls, starttls, none");
	if (o->tls_min != NULL && !mm_streq(o->tls_min, "1.2") && !mm_streq(o->tls_min, "1.3"))
		return mm_err_set(err, MM_EX_USAGE, "--tls-min is 1.2 or 1.3");
	if (o->pin != NULL && !mm_starts_with(o->pin, "sha256//"))
		return mm_err_set(err, MM_EX_USAGE, "--pin is sha256// and the key's digest in base64");
	if (o->ehlo != NULL && !mm_is_hostname(o->ehlo))
		return mm_err_set(err, MM_EX_USAGE, "--ehlo is a host name");
	if (o->address != NULL && (strchr(o->address, '@') == NULL || mm_has_control(o->address)))
		return mm_err_set(err, MM_EX_USAGE, "--address is a mail address");
	int sources = (o->password_fd >= 0) + (o->password_command != NULL) + (o->token_command != NULL);
	if (sources > 1)
		return mm_err_set(err, MM_EX_USAGE,
		    "--password-fd, --password-command and --token-command exclude each other");
	return 0;
}

int mm_hand_ca_file(const struct mm_hand_opts *o, struct mm_arena *mem, const char **out, struct mm_err *err)
{
	*out = NULL;
	if (o->ca_file == NULL)
		return 0;
	char *real = realpath(o->ca_file, NULL);
	if (real == NULL)
		return mm_err_sys(err, MM_EX_FAILED, "%s", o->ca_file);
	*out = mm_arena_strdup(mem, real);
	free(real);
	return 0;
}

/* The library's own default (krb5.conf(5), default_ccache_name) as Debian has it. */
static const char *ticket_cache(struct mm_arena *mem)
{
	const char *env = getenv("KRB5CCNAME");
	if (env != NULL && mm_starts_with(env, "FILE:"))
		env += strlen("FILE:");
	if (env != NULL && env[0] == '/')
		return mm_arena_strdup(mem, env);
	return mm_arena_printf(mem, "/tmp/krb5cc_%u", (unsigned)getuid());
}

/* ---- the hosts that are known to be right */

static void add_known(struct mm_probe_known *list, size_t *n, const char *protocol, const char *host,
    int port, const char *security)
{
	list[(*n)++] =
	    (struct mm_probe_known){.protocol = protocol, .host = host, .security = security, .port = port};
}

/* A bare host may have every usual port of the task's protocol. */
static int set_known(
    const struct mm_hand_opts *o, struct mm_arena *mem, struct mm_probe_task *t, struct mm_err *err)
{
	struct mm_probe_known *list = mm_arena_alloc(mem, MM_PROBE_KNOWN_MAX + 8, sizeof(*list));
	size_t n = 0;
	for (size_t i = 0; i < o->known.n; i++) {
		const char *item = o->known.items[i];
		struct mm_probe_task k;
		if (n > MM_PROBE_KNOWN_MAX - 2)
			return mm_err_set(err, MM_EX_USAGE, "--known is given too often");
		if (strstr(item, "://") != NULL) {
			if (mm_probe_url_parse(item, NULL, mem, &k, err) != 0)
				return mm_err_prefix(err, "--known");
			add_known(list, &n, k.protocol, k.host, k.port, k.security);
			continue;
		}
		if (!mm_is_hostname(item))
			return mm_err_set(err, MM_EX_USAGE, "--known: %s is no host name", item);
		for (const struct mm_pair *p = mm_pairs; p->protocol != NULL; p++)
			if (mm_streq(p->protocol, t->protocol))
				add_known(list, &n, p->protocol, item, p->port, p->security);
		if (mm_streq(t->host, item) && t->port != mm_default_port(t->protocol, t->security))
			add_known(list, &n, t->protocol, item, t->port, t->security);
	}
	t->known = list;
	t->n_known = n;
	return 0;
}

/* ---- accounts */

bool mm_hand_same_account(const struct mm_probe_task *a, const struct mm_probe_task *b)
{
	if (a->username == NULL || !mm_streq(a->username, b->username))
		return false;
	if (mm_streq_nocase(a->host, b->host) || strchr(a->username, '@') != NULL)
		return true;
	const char *x = mm_behind_service(a->host), *y = mm_behind_service(b->host);
	return x != NULL && y != NULL && mm_streq_nocase(x, y);
}

static bool is_incoming(const struct mm_probe_task *t)
{
	return !mm_streq(t->protocol, "smtp");
}

/* The incoming address in which the message of this outgoing one is looked
 * for: of the same account, IMAP before POP3; else the only one there is. */
static const struct mm_probe_task *find_incoming(const struct mm_input *in, const struct mm_probe_task *out)
{
	const struct mm_probe_task *best = NULL, *only = NULL;
	size_t incoming = 0, outgoing = 0;
	for (size_t i = 0; i < in->n; i++) {
		const struct mm_probe_task *t = &in->tasks[i];
		incoming += is_incoming(t);
		outgoing += !is_incoming(t);
		only = is_incoming(t) ? t : only;
		if (is_incoming(t) && mm_hand_same_account(t, out) &&
		    (best == NULL || mm_streq(t->protocol, "imap")))
			best = t;
	}
	if (best == NULL && incoming == 1 && outgoing == 1)
		best = only;
	return best;
}

static int pair_up(struct mm_input *in, struct mm_err *err)
{
	size_t outgoing = 0;
	for (size_t i = 0; i < in->n; i++) {
		struct mm_probe_task *t = &in->tasks[i];
		if (t->level != MM_LEVEL_ROUNDTRIP)
			continue;
		const struct mm_probe_task *with = find_incoming(in, t);
		if (with == NULL)
			return mm_err_set(err, MM_EX_USAGE,
			    "a round trip over %s needs the incoming server of the same account: "
			    "imaps://%s@HOST",
			    t->host, t->username != NULL ? t->username : "USER");
		if (t->address == NULL)
			return mm_err_set(
			    err, MM_EX_USAGE, "a round trip needs the address that it goes to: --address");
		t->retrieve = with->id;
		outgoing++;
	}
	return outgoing > 0 ? 0
			    : mm_err_set(err, MM_EX_USAGE,
				  "a round trip needs an outgoing server: smtp+starttls://USER@HOST:587");
}

/* ---- tasks */

static int add_task(const char *url, const struct mm_hand_opts *o, const char *ca, struct mm_arena *mem,
    struct mm_input *out, struct mm_err *err)
{
	struct mm_probe_task *t = &out->tasks[out->n];
	*t = mm_probe_task_none;
	t->id = (int64_t)out->n + 1;
	t->tls_min = o->tls_min;
	t->ca_file = ca;
	t->pin = o->pin;
	t->ehlo = o->ehlo;
	t->survey = true;
	t->auth = o->auth != NULL ? o->auth : o->token_command != NULL ? "xoauth2" : "password";
	if (mm_probe_url_parse(url, o->security, mem, t, err) != 0 || choose_level(o, t, err) != 0 ||
	    set_known(o, mem, t, err) != 0)
		return -1;
	bool whole = t->username != NULL && strchr(t->username, '@') != NULL;
	t->address = o->address != NULL ? o->address : whole ? t->username : NULL;
	if (!is_incoming(t))
		t->sender = t->address;
	if (mm_streq(t->auth, "gssapi"))
		t->ccache = ticket_cache(mem);
	out->n++;
	return 0;
}

int mm_hand_tasks(char *const *urls, size_t n, const struct mm_hand_opts *o, struct mm_arena *mem,
    struct mm_input *out, struct mm_err *err)
{
	const char *ca;
	*out = (struct mm_input){.n = 0};
	if (check_words(o, err) != 0 || mm_hand_ca_file(o, mem, &ca, err) != 0)
		return -1;
	out->tasks = mm_arena_alloc(mem, n, sizeof(*out->tasks));
	/* one of each task, and a certificate for all */
	out->secrets = mm_xcalloc(n + 1, sizeof(struct mm_secret *));
	out->uses = mm_xcalloc(n + 1, sizeof(*out->uses));
	int rc = 0;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = add_task(urls[i], o, ca, mem, out, err);
	if (rc == 0 && wants_round_trip(o))
		rc = pair_up(out, err);
	if (rc == 0)
		rc = mm_hand_secrets(o, out, err);
	if (rc != 0)
		mm_input_free(out);
	return rc;
}
