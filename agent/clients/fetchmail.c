/*
 * fetchmail: edited in place, the options of one user of one poll entry.
 *
 * File: $FETCHMAILHOME/fetchmailrc where that is set, else
 * $HOME_ETC/.fetchmailrc, else ~/.fetchmailrc; refused by the program when
 * others may read it. There is no password command: it asks, or finds the
 * password in ~/.netrc. Without `keep` it deletes what it fetched, also by
 * IMAP. Without `ssl`, STARTTLS is required unless `sslproto` is empty
 * (6.4). The name of an entry is also the name under which it remembers what
 * was seen: another server is written as `via`.
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/mailurl.h"
#include "agent/formats/fetchmailrc.h"
#include "common/text.h"

static const struct mm_word protocol_words[] = {{"imap", "imap"}, {"pop3", "pop3"}, {NULL, NULL}};
/* Read by name, written as numbers. */
static const struct mm_word port_words[] = {{"143", "143"}, {"993", "993"}, {"110", "110"}, {"995", "995"},
    {"imap", "143"}, {"imaps", "993"}, {"pop3", "110"}, {"pop3s", "995"}, {NULL, NULL}};
static const struct mm_word auth_words[] = {
    {"any", "password"}, {"password", "password"}, {"kerberos_v5", "gssapi"}, {NULL, NULL}};
static const struct mm_word floor_words[] = {{"tls1.2+", "1.2"}, {"tls1.3+", "1.3"}, {"tls1.2", "1.2"},
    {"tls1.3", "1.3"}, {"auto", "1.0"}, {"tls1+", "1.0"}, {"tls1.1+", "1.0"}, {"ssl23", "1.0"}, {"", "1.0"},
    {NULL, NULL}};

/* The server's options, then the user's. */
static const struct mm_key server_table[] = {
    {.s = MM_SET_IN_PROTOCOL, .key = "proto", .words = protocol_words},
    {.s = MM_SET_IN_HOST, .key = "via"},
    {.s = MM_SET_IN_PORT, .key = "port", .words = port_words},
    {.s = MM_SET_IN_AUTH, .key = "auth", .words = auth_words, .dflt = "password"},
};
static const struct mm_key user_table[] = {
    {.s = MM_SET_IN_USERNAME, .key = "user"},
    {.s = MM_SET_IN_LEAVE_ON_SERVER, .key = "keep", .dflt = "no"},
    {.s = MM_SET_IN_TLS_MIN, .key = "sslproto", .words = floor_words, .dflt = "1.0"},
    {.s = MM_SET_IN_CA_FILE, .key = "sslcertfile"},
    {.s = MM_SET_IN_CLIENT_CERT, .key = "sslcert", .also = "sslkey"},
};
#define N_SERVER (sizeof(server_table) / sizeof(server_table[0]))
#define N_USER (sizeof(user_table) / sizeof(user_table[0]))

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *own = r->env(r, "FETCHMAILHOME"), *etc = r->env(r, "HOME_ETC");
	const char *paths[1];

	(void)err;
	if (own != NULL && own[0] == '/')
		paths[0] = mm_arena_printf(r->arena, "%s/fetchmailrc", own);
	else if (etc != NULL && etc[0] == '/')
		paths[0] = mm_arena_printf(r->arena, "%s/.fetchmailrc", etc);
	else
		paths[0] = mm_home_path(r, ".fetchmailrc");
	return mm_find_first(r, "fetchmail", paths, 1, paths[0], create, places, n);
}

/* One user of one entry. */
struct look {
	const struct mm_doc *doc;
	const char *path;
	const char *server; /* sections */
	const char *user;
};

static struct mm_native one(const struct look *l, const char *section, const char *key)
{
	struct mm_in_section in = {.doc = l->doc, .section = section, .path = l->path};

	return mm_get_in_section(&in, key);
}

static struct mm_native get(const void *ctx, const char *key)
{
	const struct look *l = ctx;
	const char *const sections[] = {l->user, l->server, "defaults\t0", "defaults"};
	struct mm_native v = {.text = NULL};

	for (size_t i = 0; i < 4 && v.text == NULL; i++)
		v = one(l, sections[i], key);
	return v;
}

static bool yes(struct mm_native v)
{
	return mm_streq(v.text, "yes");
}

/* "pop.acme.example", and "pop.acme.example#2" for its second user. */
static const char *account_key(const struct look *l, struct mm_arena *a)
{
	const char *number = strrchr(l->user, '\t') + 1;
	char *key = mm_streq(number, "1") ? mm_arena_strdup(a, l->server)
					  : mm_arena_printf(a, "%s#%s", l->server, number);

	for (char *p = key; *p != '\0'; p++)
		if (*p == '\n')
			*p = '/';
	return key;
}

static const char *host_of(const struct look *l, struct mm_arena *a)
{
	return mm_arena_strndup(a, l->server, strcspn(l->server, "\n"));
}

#define PLUGIN_NOTE "A program makes the connection, to wherever it likes."

/* Where certificates are not verified and no protocol is asked for, it goes on
 * in clear when the server offers no STARTTLS (tried with 6.4.37). */
static bool insists(const struct look *l)
{
	return !mm_streq(get(l, "sslcertck").text, "no") || get(l, "sslfingerprint").text != NULL ||
	       get(l, "sslproto").text != NULL;
}

static const char *security_of(const struct look *l)
{
	if (yes(get(l, "ssl")))
		return "tls";
	if (mm_streq(get(l, "sslproto").text, ""))
		return "none";
	return insists(l) ? "starttls" : "starttls if offered";
}

/* The word of an entry that is fetched only when the command line names it. */
static struct mm_native skipped(const struct look *l)
{
	for (size_t i = 0; i < l->doc->n; i++) {
		const struct mm_item *it = &l->doc->items[i];

		if (it->kind == 'c' && strcmp(it->section, l->server) == 0 && mm_streq(it->value, "skip"))
			return (struct mm_native){.text = it->value, .path = l->path, .line = it->line};
	}
	return (struct mm_native){.text = NULL};
}

static void see(struct mm_seen_account *s, const struct look *l, struct mm_arena *a)
{
	struct mm_native ssl = get(l, "ssl"), proto = get(l, "sslproto"), via = get(l, "via");
	struct mm_native plugin = get(l, "plugin");
	const char *security = security_of(l);
	int port;

	*s = (struct mm_seen_account){.key = account_key(l, a), .has_incoming = true};
	s->label = s->key;
	mm_keys_see(server_table, N_SERVER, get, l, a, s);
	mm_keys_see(user_table, N_USER, get, l, a, s);
	if (via.text == NULL)
		mm_see(s, MM_SET_IN_HOST, one(l, l->user, "user"), host_of(l, a));
	mm_see(s, MM_SET_IN_SECURITY, ssl.text != NULL ? ssl : proto, security);
	port = s->s[MM_SET_IN_PROTOCOL].value != NULL ? mm_default_port(s->s[MM_SET_IN_PROTOCOL].value,
							    mm_streq(security, "tls") ? security : "starttls")
						      : 0;
	if (s->s[MM_SET_IN_PORT].value == NULL && port > 0)
		mm_see(s, MM_SET_IN_PORT, (struct mm_native){.text = NULL}, mm_arena_printf(a, "%d", port));
	if (plugin.text != NULL && plugin.text[0] != '\0') {
		mm_see_over(&s->s[MM_SET_IN_HOST], plugin, "plugin", PLUGIN_NOTE);
		mm_see_over(&s->s[MM_SET_IN_PORT], plugin, "plugin", PLUGIN_NOTE);
		mm_see_over(&s->verify, plugin, "plugin", NULL);
	}
	if (skipped(l).text != NULL)
		mm_see_all_over(s, skipped(l), "skip, by which it is never polled by itself,");
}

static void traps(
    const struct look *l, const struct mm_seen_account *s, struct mm_arena *a, struct mm_view *out)
{
	const struct {
		struct mm_native at;
		bool on;
		const char *text;
		enum mm_trap_kind kind;
	} t[] = {
	    {get(l, "password"), get(l, "password").text != NULL,
		"keeps its password in clear text in the file.", MM_TRAP_PASSWORD},
	    {get(l, "sslcertck"), mm_streq(get(l, "sslcertck").text, "no"),
		"does not verify the server's certificate (no sslcertck).", MM_TRAP_NO_VERIFY},
	    {get(l, "sslcommonname"),
		get(l, "sslcommonname").text != NULL && get(l, "sslcommonname").text[0] != '\0',
		"takes the certificate of another name (sslcommonname).", MM_TRAP_CHAIN_ONLY},
	    {get(l, "sslcertck"), mm_streq(s->s[MM_SET_IN_SECURITY].value, "starttls if offered"),
		"goes on in clear text where the server offers no TLS (no sslcertck, and no "
		"sslproto).",
		MM_TRAP_OPPORTUNISTIC},
	    {get(l, "sslproto"), mm_streq(s->s[MM_SET_IN_SECURITY].value, "none"),
		"goes on in clear text where the server offers no TLS (empty sslproto).",
		MM_TRAP_OPPORTUNISTIC},
	    {get(l, "keep"), !yes(get(l, "keep")), "deletes fetched mail from the server (no `keep`).",
		MM_TRAP_OTHER},
	    {get(l, "flush"), yes(get(l, "flush")), "deletes old mail from the server (`flush`).",
		MM_TRAP_OTHER},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (t[i].on)
			mm_add_trap(a, out, t[i].kind, l->path, t[i].at.line,
			    mm_arena_printf(a, "'%s' %s", s->key, t[i].text))
			    ->key = s->key;
}

/* Is this item the name of a user? Then what it belongs to. */
static bool is_account(const struct mm_doc *d, const struct mm_item *it, struct look *l, struct mm_arena *a)
{
	const char *tab = strchr(it->section, '\t');

	if (it->kind == 'c' || strcmp(it->key, "user") != 0 || tab == NULL ||
	    mm_starts_with(it->section, "defaults\t"))
		return false;
	l->doc = d;
	l->user = it->section;
	l->server = mm_arena_strndup(a, it->section, (size_t)(tab - it->section));
	return true;
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	struct look l = {.path = p->path};
	struct mm_doc d;

	*out = (struct mm_view){0};
	if (mm_load_doc(r, p->path, &mm_format_fetchmailrc, &d, err) != 0)
		return -1;
	out->accounts = mm_arena_alloc(r->arena, d.n + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < d.n; i++) {
		if (!is_account(&d, &d.items[i], &l, r->arena))
			continue;
		see(&out->accounts[out->n], &l, r->arena);
		traps(&l, &out->accounts[out->n++], r->arena, out);
	}
	return 0;
}

struct writer {
	struct mm_edit_list edits;
	struct mm_arena *a;
	const struct mm_change *ch;
	struct look at;
};

static void write_tls(struct writer *w)
{
	const struct mm_values *v = w->ch->want, *full = w->ch->full;
	const char *security = v->v[MM_SET_IN_SECURITY], *floor = v->v[MM_SET_IN_TLS_MIN], *proto = NULL;
	bool ssl = mm_streq(security, "tls"), none = mm_streq(full->v[MM_SET_IN_SECURITY], "none");

	if (security != NULL && ssl != yes(get(&w->at, "ssl")))
		mm_want_set(&w->edits, w->a, w->at.user, "ssl", ssl ? "yes" : "no");
	if (floor != NULL && !none)
		proto = mm_word_native(floor_words, floor);
	else if (security != NULL && none)
		proto = "";
	else if (security != NULL && !ssl && (!insists(&w->at) || mm_streq(get(&w->at, "sslproto").text, "")))
		proto = "auto";
	mm_want_set(&w->edits, w->a, w->at.user, "sslproto", proto);
}

static int write_account(struct writer *w, struct mm_err *err)
{
	struct mm_values v = *w->ch->want;
	bool keep = w->ch->kind == MM_CHANGE_ADD || v.v[MM_SET_IN_LEAVE_ON_SERVER] != NULL;

	v.v[MM_SET_IN_TLS_MIN] = v.v[MM_SET_IN_LEAVE_ON_SERVER] = NULL;
	if (get(&w->at, "via").text == NULL && mm_streq_nocase(v.v[MM_SET_IN_HOST], host_of(&w->at, w->a)))
		v.v[MM_SET_IN_HOST] = NULL; /* the name of the entry says so */
	if (mm_keys_want(server_table, N_SERVER, &v, w->at.server, &w->edits, w->a, err) != 0 ||
	    mm_keys_want(user_table, N_USER, &v, w->at.user, &w->edits, w->a, err) != 0)
		return -1;
	if (keep)
		mm_want_set(&w->edits, w->a, w->at.user, "keep", "yes");
	write_tls(w);
	return 0;
}

static bool taken(const void *ctx, const char *name)
{
	const struct mm_doc *d = ctx;

	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].kind == 'c' && strcmp(d->items[i].section, name) == 0)
			return true;
	return mm_streq(name, "defaults");
}

static int locate(struct writer *w, const struct mm_doc *d, const char *key, struct mm_err *err)
{
	for (size_t i = 0; i < d->n; i++)
		if (is_account(d, &d->items[i], &w->at, w->a) && mm_streq(account_key(&w->at, w->a), key))
			return 0;
	return mm_err_set(err, MM_EX_FAILED, "'%s' is not in the file", key);
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct writer w = {.a = r->arena, .ch = ch, .at = {.path = p->path}};
	struct mm_doc d;

	(void)now;
	*out = (struct mm_edits){.key = ch->key};
	if (ch->kind == MM_CHANGE_REMOVE)
		return 0;
	if (mm_load_doc(r, p->path, &mm_format_fetchmailrc, &d, err) != 0)
		return -1;
	w.at.doc = &d;
	if (ch->kind == MM_CHANGE_ADD) {
		const char *name = ch->want->v[MM_SET_IN_HOST];

		w.at.server = out->key =
		    mm_free_name(name == NULL || taken(&d, name) ? ch->account : name, taken, &d, w.a);
		w.at.user = mm_arena_printf(w.a, "%s\t1", w.at.server);
		mm_want_edit(&w.edits, w.a, MM_EDIT_SECTION_ADD, out->key, "", 's', NULL);
	} else if (locate(&w, &d, ch->key, err) != 0) {
		return -1;
	}
	if (write_account(&w, err) != 0)
		return -1;
	mm_want_file(
	    out, r->arena, p->path, &mm_format_fetchmailrc, &w.edits, ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	return 0;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const struct mm_cannot rows[] = {MM_CANNOT_IDENTITY,
	    {MM_SET_IN_PASSWORD_COMMAND, NULL,
		"fetchmail has no password command: it asks, or finds the password in ~/.netrc."},
	    {MM_SET_IN_PIN, NULL, "fetchmail can pin the MD5 of a certificate, not a public key."},
	    {MM_SET_IN_LEAVE_ON_SERVER, "yes", MM_FETCHER_NEVER_DELETES},
	    {MM_SET_IN_AUTH, "password cram-md5 gssapi external", "fetchmail does not log in in this way."},
	    {MM_SET_NONE, NULL, NULL}};

	(void)all;
	return mm_cannot(rows, s, value);
}

const struct mm_client mm_client_fetchmail = {
    .name = "fetchmail",
    .label = "fetchmail",
    .programs = (const char *const[]){"fetchmail", NULL},
    .incoming = true,
    .evidence = MM_EVIDENCE_ALL,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
