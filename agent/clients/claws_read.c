#include "agent/clients/claws.h"

#include <string.h>

#include "agent/clients/adapter.h"
#include "agent/clients/gnutls.h"
#include "agent/clients/keys.h"
#include "agent/formats/accountrc.h"
#include "common/text.h"

static const struct mm_claws_word claws_imap_auth[] = {{"0", "auto", false}, {"1", "password", true},
    {"2", "cram-md5", true}, {"4", "anonymous", false}, {"8", "gssapi", true}, {"16", "digest-md5", false},
    {"32", "scram-sha-1", false}, {"64", "plain", true}, {"128", "login", true}, {"256", "xoauth2", false},
    {NULL, NULL, false}};
static const struct mm_claws_word claws_smtp_auth[] = {{"0", "auto", false}, {"1", "login", true},
    {"2", "cram-md5", true}, {"4", "digest-md5", false}, {"16", "plain", true}, {"32", "xoauth2", false},
    {NULL, NULL, false}};
static const struct mm_claws_word sylpheed_imap_auth[] = {{"0", "auto", false}, {"1", "password", true},
    {"2", "cram-md5", true}, {"4", "plain", true}, {"8", "xoauth2", false}, {NULL, NULL, false}};
static const struct mm_claws_word sylpheed_smtp_auth[] = {{"0", "auto", false}, {"1", "login", true},
    {"2", "cram-md5", true}, {"4", "digest-md5", false}, {"8", "plain", true}, {"16", "xoauth2", false},
    {NULL, NULL, false}};

const struct mm_claws_dialect mm_claws = {.label = "Claws Mail",
    .unverified = "skip_ssl_cert_check",
    .comm = "claws-mail",
    .program = "claws-mail",
    .dir = ".claws-mail",
    .nocase = true,
    .versions = true,
    .mail_command = true,
    .gnutls = true,
    .client_cert = true,
    .pop3 = "0",
    .pop3_too = "0",
    .imap = "1",
    .pop_auth_key = "use_pop_auth",
    .imap_auth = claws_imap_auth,
    .smtp_auth = claws_smtp_auth,
    .proxy = "use_proxy",
    .certs = "certs"};
const struct mm_claws_dialect mm_sylpheed = {.label = "Sylpheed",
    .comm = "sylpheed",
    .program = "sylpheed",
    .dir = ".sylpheed-2.0",
    .clear_password = true,
    .pop3 = "0",
    .pop3_too = "1",
    .imap = "3",
    .pop_auth_key = "use_apop_auth",
    .imap_auth = sylpheed_imap_auth,
    .smtp_auth = sylpheed_smtp_auth,
    .trusted = "trust.crt",
    .proxy = "use_socks"};

/* ---- one block */

const struct mm_item *mm_claws_item(const struct mm_claws_block *b, const char *key)
{
	for (size_t i = b->doc->n; i-- > 0;) {
		const struct mm_item *it = &b->doc->items[i];

		if (it->kind != 'c' && strcmp(it->section, b->section) == 0 &&
		    (b->d->nocase ? mm_streq_nocase(it->key, key) : strcmp(it->key, key) == 0))
			return it;
	}
	return NULL;
}

const char *mm_claws_text(const struct mm_claws_block *b, const char *key)
{
	const struct mm_item *it = mm_claws_item(b, key);

	return it != NULL && it->value[0] != '\0' ? it->value : NULL;
}

/* Empty and 0 are false, anything else is true (prefs_gtk.c). */
static bool flag(const struct mm_claws_block *b, const char *key, bool dflt)
{
	const struct mm_item *it = mm_claws_item(b, key);

	return it != NULL ? it->value[0] != '\0' && strcmp(it->value, "0") != 0 : dflt;
}

static const char *number(const struct mm_claws_block *b, const char *key, const char *dflt)
{
	const char *v = mm_claws_text(b, key);

	return v != NULL ? v : dflt;
}

static bool is_mail(const struct mm_claws_block *b)
{
	const char *p = number(b, "protocol", "0");

	return strcmp(p, b->d->pop3) == 0 || strcmp(p, b->d->pop3_too) == 0 || strcmp(p, b->d->imap) == 0;
}

struct mm_claws_block mm_claws_open(
    const struct mm_claws_dialect *d, const struct mm_doc *doc, const char *section, const char *path)
{
	struct mm_claws_block b = {.d = d, .doc = doc, .section = section, .path = path};
	int64_t version = 0;

	b.incoming = is_mail(&b);
	b.imap = strcmp(number(&b, "protocol", "0"), d->imap) == 0;
	if (d->versions && mm_parse_int(number(&b, "config_version", "0"), 0, 1000, &version) == 0)
		b.version = (int)version;
	return b;
}

/* Claws Mail 4.3 turned TLS and the outgoing login on where nothing is said. */
static bool new_defaults(const struct mm_claws_block *b)
{
	return b->d->versions && b->version >= 5;
}

/* ---- reading */

static void put(const struct mm_claws_block *b, struct mm_seen_account *s, enum mm_setting id,
    const char *key, const char *value)
{
	const struct mm_item *it = mm_claws_item(b, key);

	s->s[id].value = value;
	s->s[id].from_default = it == NULL && value != NULL;
	s->s[id].path = it != NULL ? b->path : NULL;
	s->s[id].line = it != NULL ? it->line : 0;
}

static void put_text(
    const struct mm_claws_block *b, struct mm_seen_account *s, enum mm_setting id, const char *key)
{
	put(b, s, id, key, mm_claws_text(b, key));
}

static const char *security_word(const char *v)
{
	return strcmp(v, "1") == 0   ? "tls"
	       : strcmp(v, "2") == 0 ? "starttls"
	       : strcmp(v, "0") == 0 ? "none"
				     : v;
}

static const char *auth_word(const struct mm_claws_word *w, const char *v)
{
	for (; w->number != NULL; w++)
		if (strcmp(w->number, v) == 0)
			return w->word;
	return v;
}

/* The port counts only where its switch is on. */
static void see_port(const struct mm_claws_block *b, struct mm_seen_account *s, enum mm_setting id,
    const char *switch_key, const char *key, const char *dflt)
{
	if (flag(b, switch_key, false))
		put(b, s, id, key, number(b, key, dflt));
	else
		s->s[id] = (struct mm_seen){.value = dflt, .from_default = true};
}

/* IMAP is libetpan's, which takes GnuTLS's own priorities whatever stands there. */
static void see_tls(const struct mm_claws_block *b, struct mm_seen_account *s, enum mm_setting min,
    enum mm_setting cert, const char *cert_key)
{
	bool heeds = min == MM_SET_OUT_TLS_MIN || !b->imap;

	if (b->d->gnutls && heeds && flag(b, "gnutls_set_priority", false))
		put(b, s, min, "gnutls_priority", mm_gnutls_floor(mm_claws_text(b, "gnutls_priority")));
	else if (b->d->gnutls)
		s->s[min] = (struct mm_seen){.value = "1.0", .from_default = true}; /* NORMAL */
	if (b->d->client_cert)
		put_text(b, s, cert, cert_key);
}

static void over(
    const struct mm_claws_block *b, struct mm_seen_account *s, enum mm_setting id, const char *key)
{
	const struct mm_item *it = mm_claws_item(b, key);

	s->s[id].over_path = b->path;
	s->s[id].over_line = it->line;
	s->s[id].over_by = key;
}

static void see_pop_auth(const struct mm_claws_block *b, struct mm_seen_account *s)
{
	bool other = flag(b, b->d->pop_auth_key, false);
	const char *word = "password";

	if (other)
		word = strcmp(number(b, "pop_auth_method", "0"), "2") == 0 ? "xoauth2" : "apop";
	else if (strcmp(number(b, "protocol", "0"), "1") == 0)
		word = "apop";
	put(b, s, MM_SET_IN_AUTH, other ? b->d->pop_auth_key : "protocol", word);
}

const struct mm_claws_folder mm_claws_folders[] = {
    {MM_SET_FOLDER_SENT, "set_sent_folder", "sent_folder"},
    {MM_SET_FOLDER_DRAFTS, "set_draft_folder", "draft_folder"},
    {MM_SET_FOLDER_TRASH, "set_trash_folder", "trash_folder"},
    {MM_SET_NONE, NULL, NULL},
};

const char *mm_claws_folder_root(const char *label, struct mm_arena *a)
{
	return mm_arena_printf(a, "#imap/%s/", label);
}

/* Names of folders are in UTF-8, levels parted by slashes; what is elsewhere is shown as it stands. */
static void see_folders(const struct mm_claws_block *b, struct mm_seen_account *s, struct mm_arena *a)
{
	const char *root = mm_claws_folder_root(number(b, "account_name", ""), a);

	for (const struct mm_claws_folder *f = mm_claws_folders; f->on != NULL; f++) {
		const char *value = flag(b, f->on, false) ? mm_claws_text(b, f->key) : NULL;

		if (value != NULL)
			put(b, s, f->s, f->key, mm_starts_with(value, root) ? value + strlen(root) : value);
	}
}

static void see_incoming(const struct mm_claws_block *b, struct mm_seen_account *s)
{
	const char *ssl = b->imap ? "ssl_imap" : "ssl_pop";
	const char *v = number(b, ssl, new_defaults(b) ? "1" : "0");
	bool tls = strcmp(v, "1") == 0;

	s->has_incoming = true;
	put(b, s, MM_SET_IN_PROTOCOL, "protocol", b->imap ? "imap" : "pop3");
	put_text(b, s, MM_SET_IN_HOST, "receive_server");
	put_text(b, s, MM_SET_IN_USERNAME, "user_id");
	put(b, s, MM_SET_IN_SECURITY, ssl, security_word(v));
	if (b->imap) {
		see_port(b, s, MM_SET_IN_PORT, "set_imapport", "imap_port", tls ? "993" : "143");
		put(b, s, MM_SET_IN_AUTH, "imap_auth_method",
		    auth_word(b->d->imap_auth, number(b, "imap_auth_method", "0")));
	} else {
		see_port(b, s, MM_SET_IN_PORT, "set_popport", "pop_port", tls ? "995" : "110");
		see_pop_auth(b, s);
		put(b, s, MM_SET_IN_LEAVE_ON_SERVER, "remove_mail",
		    flag(b, "remove_mail", true) ? "no" : "yes");
	}
	see_tls(b, s, MM_SET_IN_TLS_MIN, MM_SET_IN_CLIENT_CERT, "in_ssl_client_cert_file");
	if (flag(b, "set_tunnelcmd", false)) {
		over(b, s, MM_SET_IN_HOST, "set_tunnelcmd");
		over(b, s, MM_SET_IN_PORT, "set_tunnelcmd");
		over(b, s, MM_SET_IN_SECURITY, "set_tunnelcmd");
	}
}

static void see_outgoing(const struct mm_claws_block *b, struct mm_seen_account *s)
{
	const char *v = number(b, "ssl_smtp", new_defaults(b) ? "1" : "0");
	bool login = flag(b, "use_smtp_auth", new_defaults(b));

	s->has_outgoing = true;
	s->s[MM_SET_OUT_PROTOCOL] = (struct mm_seen){.value = "smtp", .from_default = true};
	put_text(b, s, MM_SET_OUT_HOST, "smtp_server");
	put(b, s, MM_SET_OUT_SECURITY, "ssl_smtp", security_word(v));
	see_port(b, s, MM_SET_OUT_PORT, "set_smtpport", "smtp_port", strcmp(v, "1") == 0 ? "465" : "25");
	if (login)
		put(b, s, MM_SET_OUT_AUTH, "smtp_auth_method",
		    auth_word(b->d->smtp_auth, number(b, "smtp_auth_method", "0")));
	else
		put(b, s, MM_SET_OUT_AUTH, "use_smtp_auth", "none");
	put_text(b, s, MM_SET_OUT_USERNAME,
	    login && mm_claws_text(b, "smtp_user_id") == NULL ? "user_id" : "smtp_user_id");
	see_tls(b, s, MM_SET_OUT_TLS_MIN, MM_SET_OUT_CLIENT_CERT, "out_ssl_client_cert_file");
	if (b->d->mail_command && flag(b, "use_mail_command", false)) {
		over(b, s, MM_SET_OUT_HOST, "use_mail_command");
		over(b, s, MM_SET_OUT_PORT, "use_mail_command");
		over(b, s, MM_SET_OUT_SECURITY, "use_mail_command");
	}
}

static void see(const struct mm_claws_block *b, struct mm_seen_account *s)
{
	s->key = b->section;
	s->label = number(b, "account_name", b->section);
	put_text(b, s, MM_SET_ADDRESS, "address");
	put_text(b, s, MM_SET_REAL_NAME, "name");
	put_text(b, s, MM_SET_ORGANISATION, "organization");
	if (flag(b, "set_autoreplyto", false))
		put_text(b, s, MM_SET_REPLY_TO, "auto_replyto");
	if (b->incoming)
		see_incoming(b, s);
	see_outgoing(b, s);
}

/* At the key, or at the block where a default is what is wrong. */
static void trap_at(const struct mm_claws_block *b, const struct mm_seen_account *s, enum mm_setting id,
    struct mm_arena *a, struct mm_view *out, enum mm_trap_kind kind, const char *text)
{
	const struct mm_seen *seen = &s->s[id];
	struct mm_native at = {.path = b->path, .line = seen->line};

	for (size_t i = 0; at.line == 0 && i < b->doc->n; i++)
		if (strcmp(b->doc->items[i].section, b->section) == 0)
			at.line = b->doc->items[i].line;
	mm_trap_of(a, out, kind, at, s, text);
}

static void look_at_security(const struct mm_claws_block *b, const struct mm_seen_account *s,
    enum mm_setting security, enum mm_setting auth, struct mm_arena *a, struct mm_view *out)
{
	const char *how = s->s[auth].value;
	bool clear = how != NULL && mm_among("password plain login", how);

	if (mm_streq(s->s[security].value, "none") && s->s[security].over_path == NULL)
		trap_at(b, s, security, a, out, MM_TRAP_CLEAR,
		    mm_arena_printf(a, "has no encryption for %s mail%s.",
			mm_side_name(mm_setting_def(security)->side),
			clear ? ": the password goes in clear text" : ""));
}

static void traps(
    const struct mm_claws_block *b, const struct mm_seen_account *s, struct mm_arena *a, struct mm_view *out)
{
	static const char *const passwords[] = {"password", "smtp_password"};

	look_at_security(b, s, MM_SET_IN_SECURITY, MM_SET_IN_AUTH, a, out);
	look_at_security(b, s, MM_SET_OUT_SECURITY, MM_SET_OUT_AUTH, a, out);
	if (mm_streq(s->s[MM_SET_IN_LEAVE_ON_SERVER].value, "no"))
		trap_at(b, s, MM_SET_IN_LEAVE_ON_SERVER, a, out, MM_TRAP_OTHER,
		    "deletes fetched mail from the server (remove_mail).");
	if (flag(b, b->d->proxy, false))
		mm_trap_of(a, out, MM_TRAP_OTHER,
		    (struct mm_native){.path = b->path, .line = mm_claws_item(b, b->d->proxy)->line}, s,
		    MM_THROUGH_PROXY);
	for (size_t i = 0; b->d->clear_password && i < 2; i++)
		if (mm_claws_text(b, passwords[i]) != NULL)
			mm_add_trap(a, out, MM_TRAP_PASSWORD, b->path, mm_claws_item(b, passwords[i])->line,
			    mm_arena_printf(a, "'%s' keeps its password in clear text in the file.",
				number(b, "account_name", b->section)))
			    ->key = s->key;
}

int mm_claws_load(struct mm_reader *r, const char *path, struct mm_doc *doc, struct mm_err *err)
{
	struct mm_text t;
	int rc = mm_read_text(r, path, &t, err);

	*doc = (struct mm_doc){0};
	if (rc > 0 && mm_format_accountrc.parse(t, r->arena, doc, err) != 0)
		return mm_err_prefix(err, "%s", path);
	return rc < 0 ? -1 : 0;
}

/* A preference for all accounts, in the program's other file. */
static void look_at_common(
    struct mm_reader *r, const struct mm_claws_dialect *d, const struct mm_place *p, struct mm_view *out)
{
	const char *path = mm_arena_printf(r->arena, "%s/clawsrc", mm_path_dir(r->arena, p->path));
	struct mm_err err = MM_ERR_NONE;
	struct mm_doc doc;

	if (out->n == 0 || mm_claws_load(r, path, &doc, &err) != 0)
		return;
	for (size_t i = 0; i < doc.n; i++)
		if (doc.items[i].wins && mm_streq_nocase(doc.items[i].key, d->unverified) &&
		    doc.items[i].value != NULL && !mm_streq(doc.items[i].value, "0") &&
		    doc.items[i].value[0] != '\0')
			mm_add_trap(r->arena, out, MM_TRAP_NO_VERIFY, path, doc.items[i].line,
			    mm_arena_printf(r->arena, "%s does not verify servers' certificates (%s).",
				d->label, d->unverified));
}

static bool is_account(const struct mm_item *it)
{
	return it->kind == 'c' && mm_starts_with(it->section, MM_CLAWS_PREFIX);
}

int mm_claws_read(struct mm_reader *r, const struct mm_claws_dialect *d, const struct mm_place *p,
    struct mm_view *out, struct mm_err *err)
{
	struct mm_doc doc;
	struct mm_doc *kept = mm_arena_alloc(r->arena, 1, sizeof(*kept));

	*out = (struct mm_view){0};
	if (mm_claws_load(r, p->path, &doc, err) != 0)
		return -1;
	*kept = doc;
	out->accounts = mm_arena_alloc(r->arena, doc.n + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < doc.n; i++) {
		struct mm_claws_block b = mm_claws_open(d, kept, doc.items[i].section, p->path);

		if (!is_account(&doc.items[i]) || (!b.incoming && mm_claws_text(&b, "smtp_server") == NULL))
			continue; /* news, or folders of this computer */
		see(&b, &out->accounts[out->n]);
		if (b.imap)
			see_folders(&b, &out->accounts[out->n], r->arena);
		traps(&b, &out->accounts[out->n++], r->arena, out);
	}
	if (d->unverified != NULL)
		look_at_common(r, d, p, out);
	if (d->trusted != NULL)
		mm_trap_accepted(r, out,
		    mm_arena_printf(r->arena, "%s/%s", mm_path_dir(r->arena, p->path), d->trusted),
		    MM_PEM_MARK, d->label);
	if (d->certs != NULL)
		mm_claws_certs(
		    r, mm_arena_printf(r->arena, "%s/%s", mm_path_dir(r->arena, p->path), d->certs), out);
	return 0;
}
