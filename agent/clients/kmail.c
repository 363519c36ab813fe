/*
 * KMail: resources of Akonadi, transports and identities, edited in place.
 *
 * Files below $XDG_CONFIG_HOME: akonadi/agentsrc says which resources there
 * are, each has its INSTANCErc; mailtransports, emailidentities. A resource
 * names its identity, or means the default one, and an identity its transport.
 * Each part of Akonadi reads its own when it starts and writes only what
 * somebody changed in it, so that they may be edited while it runs; then that
 * part is told to start anew. agentsrc alone Akonadi keeps in memory: with a
 * new account it is waited for. With a window of KMail open nothing is edited.
 */
#include "agent/clients/kmail.h"

#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/keys.h"
#include "agent/formats/keyfile.h"
#include "common/text.h"

#define AGENT_TYPE "\\AgentType"

/* Their places are the numbers that resources have. */
static const struct mm_word auth_words[] = {{"LOGIN", "login"}, {"PLAIN", "plain"}, {"CRAM_MD5", "cram-md5"},
    {"DIGEST_MD5", "digest-md5"}, {"GSSAPI", "gssapi"}, {"NTLM", "ntlm"}, {"APOP", "apop"},
    {"CLEAR", "password"}, {"ANONYMOUS", "anonymous"}, {"XOAUTH2", "xoauth2"}, {NULL, NULL}};
#define AUTH_COUNT 10
#define AUTH_XOAUTH2 9
static const char *const auth_numbers[AUTH_COUNT] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
static const struct mm_word encryption_words[] = {
    {"None", "none"}, {"SSL", "tls"}, {"TLS", "starttls"}, {NULL, NULL}};

const char *mm_kmail_auth(const char *canon, const char *protocol, bool number)
{
	if (mm_streq(canon, "password") && !mm_streq(protocol, "pop3"))
		canon = "plain";
	for (size_t i = 0; canon != NULL && i < AUTH_COUNT; i++)
		if (strcmp(auth_words[i].canon, canon) == 0)
			return number ? auth_numbers[i] : auth_words[i].native;
	return NULL;
}

const char *mm_kmail_text(
    struct mm_reader *r, const struct mm_kde_file *f, const char *group, const char *key)
{
	const char *text = mm_kde_get(r, f, group, key).text;

	return text != NULL && text[0] != '\0' ? text : NULL;
}

/* ---- finding what belongs together */

static const char *by_number(
    struct mm_reader *r, const struct mm_kde_file *f, const char *prefix, const char *key, const char *number)
{
	size_t n;
	const char *const *g = mm_kde_groups(r, f, prefix, &n);

	for (size_t i = 0; number != NULL && i < n; i++)
		if (mm_streq(mm_kmail_text(r, f, g[i], key), number))
			return g[i];
	return NULL;
}

/* The one that the key of [General] names, else the first. */
static const char *default_of(struct mm_reader *r, const struct mm_kde_file *f, const char *prefix,
    const char *number_key, const char *default_key)
{
	size_t n;
	const char *const *g = mm_kde_groups(r, f, prefix, &n);
	const char *found =
	    by_number(r, f, prefix, number_key, mm_kmail_text(r, f, MM_KMAIL_GENERAL, default_key));

	return found != NULL ? found : g[0];
}

const char *mm_kmail_transport(struct mm_reader *r, const struct mm_kmail *k, const char *identity)
{
	const char *id = identity != NULL ? mm_kmail_text(r, &k->identities, identity, "Transport") : NULL;
	const char *found = by_number(r, &k->transports, MM_KMAIL_TRANSPORT, "id", id);

	return found != NULL ? found
			     : default_of(r, &k->transports, MM_KMAIL_TRANSPORT, "id", "default-transport");
}

/* The resource's own, else the one whose address the user name is (replies
 * get the identity to whose address was written), else the default one. */
static const char *identity_of(
    struct mm_reader *r, const struct mm_kmail *k, const struct mm_kmail_account *a)
{
	const char *own = a->imap ? mm_kmail_text(r, &a->rc, MM_KMAIL_CACHE, "AccountIdentity") : NULL;
	const char *user = mm_kmail_text(
	    r, &a->rc, a->imap ? MM_KMAIL_NETWORK : MM_KMAIL_GENERAL, a->imap ? "UserName" : "login");
	const char *found = NULL;
	size_t n;
	const char *const *g = mm_kde_groups(r, &k->identities, MM_KMAIL_IDENTITY, &n);

	if (own != NULL && !mm_kde_true(mm_kmail_text(r, &a->rc, MM_KMAIL_CACHE, "UseDefaultIdentity"), true))
		found = by_number(r, &k->identities, MM_KMAIL_IDENTITY, "uoid", own);
	for (size_t i = 0; found == NULL && user != NULL && i < n; i++)
		if (mm_streq_nocase(mm_kmail_text(r, &k->identities, g[i], "Email Address"), user))
			found = g[i];
	return found != NULL ? found
			     : default_of(r, &k->identities, MM_KMAIL_IDENTITY, "uoid", "Default Identity");
}

static bool is_instance(const char *name)
{
	return name[0] != '\0' && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static bool is_oauth(struct mm_reader *r, const struct mm_kmail_account *a)
{
	const char *v = mm_kmail_text(r, &a->rc, a->imap ? MM_KMAIL_NETWORK : MM_KMAIL_GENERAL,
	    a->imap ? "Authentication" : "authenticationMethod");

	return mm_streq(v, auth_numbers[AUTH_XOAUTH2]);
}

static int load_account(struct mm_reader *r, struct mm_kmail *k, const struct mm_item *it, struct mm_err *err)
{
	struct mm_kmail_account *a = &k->v[k->n];
	size_t n = strlen(it->key), end = sizeof(AGENT_TYPE) - 1;

	if (it->kind == 'c' || !it->wins || strcmp(it->section, "Instances") != 0 ||
	    !mm_ends_with(it->key, AGENT_TYPE))
		return 0;
	*a = (struct mm_kmail_account){.instance = mm_arena_strndup(r->arena, it->key, n - end),
	    .imap = strcmp(it->value, MM_KMAIL_IMAP) == 0,
	    .line = it->line};
	if (!is_instance(a->instance) || (!a->imap && strcmp(it->value, MM_KMAIL_POP3) != 0))
		return 0;
	if (mm_kde_load(r, mm_arena_printf(r->arena, "%src", a->instance), &a->rc, err) != 0)
		return -1;
	if (is_oauth(r, a)) /* a token of the browser's: not ours */
		return 0;
	a->identity = identity_of(r, k, a);
	a->transport = mm_kmail_transport(r, k, a->identity);
	k->n++;
	return 0;
}

int mm_kmail_load(struct mm_reader *r, const char *agents_path, struct mm_kmail *out, struct mm_err *err)
{
	*out = (struct mm_kmail){.agents_path = agents_path};
	if (mm_load_doc(r, agents_path, &mm_format_keyfile, &out->agents, err) != 0 ||
	    mm_kde_load(r, "mailtransports", &out->transports, err) != 0 ||
	    mm_kde_load(r, "emailidentities", &out->identities, err) != 0)
		return -1;
	out->v = mm_arena_alloc(r->arena, out->agents.n + 1, sizeof(*out->v));
	for (size_t i = 0; i < out->agents.n; i++)
		if (load_account(r, out, &out->agents.items[i], err) != 0)
			return -1;
	return 0;
}

/* ---- reading */

struct look {
	struct mm_reader *r;
	const struct mm_kde_file *f;
	const char *group;
	struct mm_seen_account *acc;
	struct mm_view *out;
};

static struct mm_kde_value get(const struct look *l, const char *key)
{
	return mm_kde_get(l->r, l->f, l->group, key);
}

static void put_text(const struct look *l, enum mm_setting s, const char *key)
{
	struct mm_kde_value v = get(l, key);

	if (v.text != NULL && v.text[0] == '\0')
		v.text = NULL;
	mm_kde_see(&l->acc->s[s], &v, v.text);
}

static bool is_number(const char *text)
{
	return text != NULL && text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static void put_port(const struct look *l, enum mm_setting s, const char *key, const char *dflt)
{
	struct mm_kde_value v = get(l, key);

	mm_kde_see(&l->acc->s[s], &v, is_number(v.text) ? v.text : dflt);
}

static void trap(const struct look *l, enum mm_trap_kind kind, const struct mm_kde_value *v, const char *text)
{
	mm_add_trap(l->r->arena, l->out, kind, v->path != NULL ? v->path : l->f->path, v->line,
	    mm_arena_printf(l->r->arena, "'%s' %s", l->acc->label, text))
	    ->key = l->acc->key;
}

#define CLEAR_TEXT "does without encryption: the password goes in clear text."

static void put_number_auth(const struct look *l, enum mm_setting s, const char *key, size_t dflt)
{
	struct mm_kde_value v = get(l, key);
	size_t i = 0;

	while (i < AUTH_COUNT && !mm_streq(v.text, auth_numbers[i]))
		i++;
	mm_kde_see(&l->acc->s[s], &v, auth_words[i < AUTH_COUNT ? i : dflt].canon);
}

static void see_imap(const struct look *l)
{
	struct mm_kde_value v = get(l, "Safety");
	/* The program compares the letters. */
	const char *word = v.text == NULL                    ? "tls"
			   : strcmp(v.text, "SSL") == 0      ? "tls"
			   : strcmp(v.text, "STARTTLS") == 0 ? "starttls"
							     : "none";

	mm_kde_see(&l->acc->s[MM_SET_IN_PROTOCOL], &(struct mm_kde_value){.text = NULL}, "imap");
	put_text(l, MM_SET_IN_HOST, "ImapServer");
	put_port(l, MM_SET_IN_PORT, "ImapPort", "993");
	put_text(l, MM_SET_IN_USERNAME, "UserName");
	put_number_auth(l, MM_SET_IN_AUTH, "Authentication", 1);
	mm_kde_see(&l->acc->s[MM_SET_IN_SECURITY], &v, word);
	if (strcmp(word, "none") == 0)
		trap(l, MM_TRAP_CLEAR, &v,
		    mm_streq_nocase(v.text, "none")
			? CLEAR_TEXT
			: "has a Safety that the program does not know, which means no encryption.");
}

static void see_leave(const struct look *l)
{
	static const char *const limits[] = {"leaveOnServerDays", "leaveOnServerCount", "leaveOnServerSize"};
	struct mm_kde_value v = get(l, "leaveOnServer");
	bool leave = mm_kde_true(v.text, false);

	for (size_t i = 0; leave && i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct mm_kde_value limit = get(l, limits[i]);

		if (is_number(limit.text) && strcmp(limit.text, "0") != 0) {
			v = limit;
			leave = false;
		}
	}
	mm_kde_see(&l->acc->s[MM_SET_IN_LEAVE_ON_SERVER], &v, leave ? "yes" : "no");
	if (!leave)
		trap(l, MM_TRAP_OTHER, &v, "deletes fetched mail from the server (leaveOnServer).");
}

static void see_pop3(const struct look *l)
{
	struct mm_kde_value ssl = get(l, "useSSL"), tls = get(l, "useTLS");
	bool is_ssl = mm_kde_true(ssl.text, false), is_tls = mm_kde_true(tls.text, false);

	mm_kde_see(&l->acc->s[MM_SET_IN_PROTOCOL], &(struct mm_kde_value){.text = NULL}, "pop3");
	put_text(l, MM_SET_IN_HOST, "host");
	put_port(l, MM_SET_IN_PORT, "port", "110");
	put_text(l, MM_SET_IN_USERNAME, "login");
	put_number_auth(l, MM_SET_IN_AUTH, "authenticationMethod", 7);
	mm_kde_see(&l->acc->s[MM_SET_IN_SECURITY], is_tls && !is_ssl ? &tls : &ssl,
	    is_ssl   ? "tls"
	    : is_tls ? "starttls"
		     : "none");
	if (!is_ssl && !is_tls)
		trap(l, MM_TRAP_CLEAR, &ssl, CLEAR_TEXT);
	see_leave(l);
}

static void see_identity(struct look l, const struct mm_kmail *k, const char *group)
{
	l.f = &k->identities;
	l.group = group;
	put_text(&l, MM_SET_ADDRESS, "Email Address");
	put_text(&l, MM_SET_REAL_NAME, "Name");
	put_text(&l, MM_SET_REPLY_TO, "Reply-To Address");
	put_text(&l, MM_SET_ORGANISATION, "Organization");
}

/* A word without regard to case, or its number; anything else is the default. */
static const char *word_of(const struct mm_word *w, const char *text, const char *dflt)
{
	const char *word = text != NULL ? mm_word_canon(w, text) : NULL;

	for (size_t i = 0; word == NULL && text != NULL && w[i].native != NULL && i < AUTH_COUNT; i++)
		if (strcmp(text, auth_numbers[i]) == 0)
			word = w[i].canon;
	return word != NULL ? word : dflt;
}

static void see_smtp_auth(const struct look *l)
{
	struct mm_kde_value on = get(l, "auth"), type = get(l, "authtype");

	if (!mm_kde_true(on.text, false)) {
		mm_kde_see(&l->acc->s[MM_SET_OUT_AUTH], &on, "none");
		return;
	}
	mm_kde_see(&l->acc->s[MM_SET_OUT_AUTH], type.text != NULL ? &type : &on,
	    word_of(auth_words, type.text, "plain"));
	if (type.text != NULL && word_of(auth_words, type.text, NULL) == NULL)
		trap(l, MM_TRAP_OTHER, &type,
		    "has an authtype that the program does not know: it takes PLAIN.");
}

static void see_transport(struct look l, const struct mm_kmail *k, const char *group)
{
	struct mm_kde_value v, password;

	l.f = &k->transports;
	l.group = group;
	v = get(&l, "identifier");
	l.acc->has_outgoing = true;
	mm_kde_see(&l.acc->s[MM_SET_OUT_PROTOCOL], &v,
	    v.text == NULL || strcmp(v.text, "SMTP") == 0 ? "smtp" : v.text);
	if (v.text != NULL && strcmp(v.text, "SMTP") != 0)
		return; /* another kind: nothing else of it means anything here */
	put_text(&l, MM_SET_OUT_HOST, "host");
	put_port(&l, MM_SET_OUT_PORT, "port", "25");
	put_text(&l, MM_SET_OUT_USERNAME, "user");
	see_smtp_auth(&l);
	v = get(&l, "encryption");
	mm_kde_see(&l.acc->s[MM_SET_OUT_SECURITY], &v, word_of(encryption_words, v.text, "none"));
	if (strcmp(l.acc->s[MM_SET_OUT_SECURITY].value, "none") == 0)
		trap(&l, MM_TRAP_CLEAR, &v, CLEAR_TEXT);
	password = get(&l, "password");
	if (password.text != NULL && password.text[0] != '\0')
		trap(&l, MM_TRAP_PASSWORD, &password,
		    "keeps its password in the file, where anybody can make it out.");
}

static const char *label_of(struct mm_reader *r, const struct mm_kmail *k, const struct mm_kmail_account *a)
{
	const char *path = mm_arena_printf(
	    r->arena, "%s/agent_config_%s", mm_path_dir(r->arena, k->agents_path), a->instance);
	struct mm_doc d;
	struct mm_err err;
	const char *name = mm_load_doc(r, path, &mm_format_keyfile, &d, &err) == 0
			       ? mm_keyfile_get(&d, "Agent", "Name")
			       : NULL;

	return name != NULL && name[0] != '\0' ? name : a->instance;
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	struct mm_kmail *k = mm_arena_alloc(r->arena, 1, sizeof(*k));

	*out = (struct mm_view){0};
	if (mm_kmail_load(r, p->path, k, err) != 0)
		return -1;
	out->accounts = mm_arena_alloc(r->arena, k->n + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < k->n; i++) {
		const struct mm_kmail_account *a = &k->v[i];
		struct look l = {.r = r,
		    .f = &a->rc,
		    .group = a->imap ? MM_KMAIL_NETWORK : MM_KMAIL_GENERAL,
		    .acc = &out->accounts[out->n++],
		    .out = out};

		*l.acc = (struct mm_seen_account){
		    .key = a->instance, .label = label_of(r, k, a), .has_incoming = true};
		if (a->imap)
			see_imap(&l);
		else
			see_pop3(&l);
		if (a->identity != NULL)
			see_identity(l, k, a->identity);
		if (a->transport != NULL)
			see_transport(l, k, a->transport);
	}
	mm_kmail_exceptions(r, out);
	return 0;
}

/* ---- places */

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	struct mm_place p = {
	    .path = mm_config_path(r, "akonadi/agentsrc"), .label = "", .in_use = true, .exists = true};
	struct mm_kmail k;
	struct mm_err trouble = MM_ERR_NONE;
	const char **dirs = mm_arena_alloc(r->arena, 2, sizeof(*dirs));

	(void)err;
	*places = NULL;
	*n = 0;
	dirs[0] = mm_path_dir(r->arena, p.path);
	p.extra_dirs = dirs;
	/* What cannot be read is told by read(). Akonadi alone also serves calendars. */
	if (mm_kmail_load(r, p.path, &k, &trouble) == 0)
		p.exists = k.n > 0;
	if (mm_running(r, "kmail") || mm_running(r, "kontact"))
		p.busy = "KMail is running, and may write its old settings back";
	if (p.exists || (create && r->program(r, "kmail")))
		mm_add_place(r->arena, places, n, &p);
	return 0;
}

/* ---- what it cannot hold */

#define NO_AUTH "KMail cannot be set to this way of logging in from outside."
#define NO_CA "KMail trusts the system's authorities and has no setting for others."
#define NO_PIN "KMail cannot pin a public key."
#define NO_FLOOR "KMail has no setting for it: the system's OpenSSL decides."
#define NO_CERT "KMail has no client certificates for mail."

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const struct mm_cannot rows[] = {MM_CANNOT_PAIR(PASSWORD_COMMAND, MM_CLIENT_NOT_ITS_BUSINESS),
	    MM_CANNOT_FOLDERS("KMail names folders by numbers of its own database (Akonadi), which nobody "
			      "knows from outside."),
	    {MM_SET_IN_AUTH, "password plain login cram-md5 gssapi", NO_AUTH},
	    {MM_SET_OUT_AUTH, "password plain login cram-md5 gssapi none", NO_AUTH},
	    MM_CANNOT_PAIR(CA_FILE, NO_CA), MM_CANNOT_PAIR(PIN, NO_PIN), MM_CANNOT_PAIR(TLS_MIN, NO_FLOOR),
	    MM_CANNOT_PAIR(CLIENT_CERT, NO_CERT), {MM_SET_NONE, NULL, NULL}};

	if (s == MM_SET_IN_LEAVE_ON_SERVER)
		return mm_streq(all->v[MM_SET_IN_PROTOCOL], "imap") ? MM_CLIENT_NOT_ITS_BUSINESS : NULL;
	return mm_cannot(rows, s, value);
}

const struct mm_client mm_client_kmail = {
    .name = "kmail",
    .label = "KMail",
    .programs = (const char *const[]){"kmail", NULL},
    .incoming = true,
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_QT,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = mm_kmail_change,
};
