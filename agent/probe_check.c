#include "agent/probe_check.h"

#include <string.h>

#include "agent/trial.h"
#include "common/text.h"

static enum mm_setting on(enum mm_side side, enum mm_setting incoming)
{
	return side == MM_SIDE_INCOMING ? incoming : mm_setting_on_side(incoming, MM_SIDE_OUTGOING);
}

static const char *value(const struct mm_account *acc, enum mm_side side, enum mm_setting incoming)
{
	return acc->want.v[on(side, incoming)];
}

static const char *value_or_default(const struct mm_account *acc, enum mm_side side, enum mm_setting incoming)
{
	const char *v = value(acc, side, incoming);
	return v != NULL ? v : mm_setting_def(on(side, incoming))->dflt;
}

static const char *want(const struct mm_check *k, enum mm_setting incoming)
{
	return value(k->acc, k->side, incoming);
}

static const char *auth_of(const struct mm_check *k)
{
	return value_or_default(k->acc, k->side, MM_SET_IN_AUTH);
}

static const char *protocol(const struct mm_account *acc, enum mm_side side)
{
	const char *v = value_or_default(acc, side, MM_SET_IN_PROTOCOL);
	if (v != NULL)
		return v;
	return side == MM_SIDE_INCOMING ? "imap" : "smtp";
}

static int port(const struct mm_account *acc, enum mm_side side)
{
	const char *v = value(acc, side, MM_SET_IN_PORT);
	int64_t n = 0;
	if (v != NULL && mm_parse_int(v, 1, 65535, &n) == 0)
		return (int)n;
	return mm_default_port(protocol(acc, side), value_or_default(acc, side, MM_SET_IN_SECURITY));
}

void mm_check_init(
    struct mm_check *k, const struct mm_probe_run *r, const struct mm_account *acc, enum mm_side side)
{
	*k = (struct mm_check){.r = r, .acc = acc, .side = side, .level = mm_side_level(r->sheet, side)};
	mm_side_hash(r->sheet, acc, side, k->settings);
}

static const struct mm_effect *effect(const struct mm_check *k)
{
	return &k->r->effect[k->acc - k->r->sheet->accounts][k->side];
}

bool mm_check_applies(const struct mm_check *k)
{
	return effect(k)->present && want(k, MM_SET_IN_HOST) != NULL && port(k->acc, k->side) != 0;
}

bool mm_check_in_effect(const struct mm_check *k)
{
	return effect(k)->in_effect;
}

/* ---- credentials */

enum need { NEED_NOTHING, NEED_PASSWORD, NEED_TICKET, NEED_CERTIFICATE };

static enum need need(const struct mm_check *k)
{
	const char *auth = auth_of(k);
	if (k->level < MM_LEVEL_LOGIN || mm_streq(auth, "none"))
		return NEED_NOTHING;
	if (mm_streq(auth, "gssapi"))
		return NEED_TICKET;
	return mm_streq(auth, "external") ? NEED_CERTIFICATE : NEED_PASSWORD;
}

bool mm_check_needs_credential(const struct mm_check *k)
{
	return need(k) != NEED_NOTHING;
}

static void lacks(struct mm_check *k, enum mm_credential c, const char *admin)
{
	k->cls = mm_credential_class(c);
	k->text = mm_credential_text(c);
	k->admin = admin != NULL ? admin : k->text;
}

static struct mm_wish wish_of(const struct mm_check *k)
{
	return (struct mm_wish){.account = k->acc->name,
	    .side = k->side,
	    .protocol = protocol(k->acc, k->side),
	    .host = want(k, MM_SET_IN_HOST),
	    .username = want(k, MM_SET_IN_USERNAME),
	    .auth = auth_of(k),
	    .port = port(k->acc, k->side),
	    .command = want(k, MM_SET_IN_PASSWORD_COMMAND),
	    .source = want(k, MM_SET_IN_CREDENTIAL),
	    .client_cert = want(k, MM_SET_IN_CLIENT_CERT)};
}

/* Both sides often share one command: it is run once. */
static bool same_command(const struct mm_wish *a, const struct mm_wish *b)
{
	bool by_command = a->source == NULL || mm_streq(a->source, "auto") || mm_streq(a->source, "command");
	return by_command && a->command != NULL && mm_streq(a->command, b->command) &&
	       mm_streq(a->source != NULL ? a->source : "auto", b->source != NULL ? b->source : "auto");
}

static void find_password(struct mm_check *k, const struct mm_finder *f, const struct mm_wish *w,
    const struct mm_check *before, size_t n)
{
	struct mm_found found;
	for (size_t i = 0; i < n; i++) {
		struct mm_wish other = wish_of(&before[i]);
		if (before[i].secret != NULL && same_command(w, &other)) {
			k->secret = before[i].secret;
			return;
		}
	}
	enum mm_credential got = mm_credential_get(f, w, &found);
	if (got != MM_CRED_FOUND)
		lacks(k, got, found.admin);
	k->secret = found.secret;
	k->own_secret = found.secret != NULL;
}

/* A connection may need a certificate beside the password. */
static void find_certificate(
    struct mm_check *k, const struct mm_finder *f, const struct mm_wish *w, enum need needed)
{
	struct mm_found found;
	if (w->client_cert == NULL && needed != NEED_CERTIFICATE)
		return;
	enum mm_credential got = mm_client_cert_get(f, w, &found);
	if (got != MM_CRED_FOUND)
		lacks(k, got, found.admin);
	k->certificate = found.secret;
}

static void find_ticket(struct mm_check *k, const struct mm_finder *f)
{
	const char *admin = NULL;
	enum mm_credential got = mm_ticket_get(f, &k->ccache, &admin);
	if (got != MM_CRED_FOUND)
		lacks(k, got, admin);
}

void mm_check_find(struct mm_check *k, const struct mm_check *before, size_t n)
{
	const struct mm_finder f = {
	    .arena = k->r->arena, .conf = k->r->conf, .who = k->r->who, .prompt = k->r->prompt};
	const struct mm_wish w = wish_of(k);
	enum need needed = need(k);
	if (needed == NEED_NOTHING)
		return;
	find_certificate(k, &f, &w, needed);
	if (k->cls == NULL && needed == NEED_PASSWORD)
		find_password(k, &f, &w, before, n);
	else if (k->cls == NULL && needed == NEED_TICKET)
		find_ticket(k, &f);
	if (k->cls == NULL)
		return;
	/* half of what is needed is of no use, and does not leave the house */
	mm_check_free(k);
}

void mm_check_free(struct mm_check *k)
{
	if (k->own_secret)
		mm_secret_free(k->secret);
	mm_secret_free(k->certificate);
	k->secret = k->certificate = NULL;
	k->own_secret = false;
	k->ccache = NULL;
}

const struct mm_secret *mm_check_credential(const struct mm_check *k)
{
	return k->secret != NULL ? k->secret : k->certificate;
}

/* ---- the task */

void mm_check_name(const struct mm_check *k, struct mm_login *l)
{
	const char *user = want(k, MM_SET_IN_USERNAME);
	l->user = k->r->who->login;
	l->account = k->acc->name;
	l->side = mm_side_name(k->side);
	l->protocol = protocol(k->acc, k->side);
	l->host = want(k, MM_SET_IN_HOST);
	l->port = port(k->acc, k->side);
	l->security = value_or_default(k->acc, k->side, MM_SET_IN_SECURITY);
	l->auth = auth_of(k);
	l->username = user != NULL ? user : "";
	l->level = k->level;
	if (l->when == 0)
		l->when = k->r->now;
}

void mm_check_task(
    const struct mm_check *k, const struct mm_probe_known *known, size_t n_known, struct mm_probe_task *out)
{
	const struct mm_probe_conf *conf = &k->r->conf->probe;
	const char *tls_min = want(k, MM_SET_IN_TLS_MIN);
	*out = mm_probe_task_none;
	out->level = k->level;
	out->protocol = protocol(k->acc, k->side);
	out->host = want(k, MM_SET_IN_HOST);
	out->port = port(k->acc, k->side);
	out->security = value_or_default(k->acc, k->side, MM_SET_IN_SECURITY);
	out->auth = auth_of(k);
	out->username = want(k, MM_SET_IN_USERNAME);
	out->tls_min = tls_min != NULL ? tls_min : k->r->sheet->tls_min;
	out->ca_file = want(k, MM_SET_IN_CA_FILE);
	out->pin = want(k, MM_SET_IN_PIN);
	out->address = k->acc->want.v[MM_SET_ADDRESS];
	out->sender = k->side == MM_SIDE_OUTGOING ? out->address : NULL;
	out->ehlo = conf->ehlo;
	out->ccache = k->ccache;
	out->connect_s = conf->connect_s;
	out->answer_s = conf->answer_s;
	out->login_s = conf->login_s;
	out->survey = k->r->survey;
	out->known = known;
	out->n_known = n_known;
}

_Static_assert(MM_PROBE_KNOWN_MAX >= MM_SHEET_ACCOUNTS_MAX * 2, "what is not known gets no credentials");

static bool is_listed(const struct mm_probe_known *list, size_t n, const struct mm_probe_known *k)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].port == k->port && mm_streq(list[i].protocol, k->protocol) &&
		    mm_streq_nocase(list[i].host, k->host) && mm_streq(list[i].security, k->security))
			return true;
	return false;
}

size_t mm_check_known(const struct mm_probe_run *r, struct mm_probe_known *out, size_t max)
{
	size_t n = 0;
	for (size_t i = 0; i < r->sheet->n_accounts * 2 && n < max; i++) {
		const struct mm_account *acc = &r->sheet->accounts[i / 2];
		enum mm_side side = i % 2 == 0 ? MM_SIDE_INCOMING : MM_SIDE_OUTGOING;
		const char *host = value(acc, side, MM_SET_IN_HOST);
		if (host == NULL || port(acc, side) == 0)
			continue;
		struct mm_probe_known k = {.protocol = protocol(acc, side),
		    .host = host,
		    .security = value_or_default(acc, side, MM_SET_IN_SECURITY),
		    .port = port(acc, side)};
		if (!is_listed(out, n, &k))
			out[n++] = k;
	}
	return n;
}
