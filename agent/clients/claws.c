/*
 * Claws Mail and Sylpheed: blocks of accountrc, edited in place.
 *
 * Files: ~/.claws-mail/accountrc, ~/.sylpheed-2.0/accountrc. Both programs
 * read it when they start and write the whole file anew when they end, so
 * that nothing is edited while one runs. Their keys have the same names and
 * other numbers behind them: the tables are never shared.
 *
 * Sources: src/prefs_account.c, src/account.c, src/common/ssl.c of Claws Mail
 * 4.1.1; libsylph/prefs_account.[ch] of Sylpheed 3.8; what the programs wrote
 * and how they logged in.
 */
#include <string.h>

#include "agent/clients/adapter.h"
#include "agent/clients/clients.h"
#include "agent/clients/gnutls.h"
#include "agent/formats/accountrc.h"
#include "common/text.h"

#define PREFIX "Account: "
#define NUMBER_MAX 99999

struct word {
	const char *number, *word;
	bool ours; /* also written; the others are only understood */
};

struct dialect {
	const char *label, *comm, *program, *dir;
	bool nocase;       /* keys in any case */
	bool versions;     /* config_version, and defaults that depend on it */
	bool mail_command; /* may send through a program instead */
	bool clear_password;
	bool gnutls; /* has a key for the TLS priorities */
	bool client_cert;
	const char *pop3, *pop3_too, *imap; /* numbers of `protocol` */
	const char *pop_auth_key;           /* switches APOP or OAuth2 on */
	const struct word *imap_auth, *smtp_auth;
};

static const struct word claws_imap_auth[] = {{"0", "auto", false}, {"1", "password", true},
    {"2", "cram-md5", true}, {"4", "anonymous", false}, {"8", "gssapi", true}, {"16", "digest-md5", false},
    {"32", "scram-sha-1", false}, {"64", "plain", true}, {"128", "login", true}, {"256", "xoauth2", false},
    {NULL, NULL, false}};
static const struct word claws_smtp_auth[] = {{"0", "auto", false}, {"1", "login", true},
    {"2", "cram-md5", true}, {"4", "digest-md5", false}, {"16", "plain", true}, {"32", "xoauth2", false},
    {NULL, NULL, false}};
static const struct word sylpheed_imap_auth[] = {{"0", "auto", false}, {"1", "password", true},
    {"2", "cram-md5", true}, {"4", "plain", true}, {"8", "xoauth2", false}, {NULL, NULL, false}};
static const struct word sylpheed_smtp_auth[] = {{"0", "auto", false}, {"1", "login", true},
    {"2", "cram-md5", true}, {"4", "digest-md5", false}, {"8", "plain", true}, {"16", "xoauth2", false},
    {NULL, NULL, false}};

static const struct dialect claws = {.label = "Claws Mail",
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
    .smtp_auth = claws_smtp_auth};
static const struct dialect sylpheed = {.label = "Sylpheed",
    .comm = "sylpheed",
    .program = "sylpheed",
    .dir = ".sylpheed-2.0",
    .clear_password = true,
    .pop3 = "0",
    .pop3_too = "1",
    .imap = "3",
    .pop_auth_key = "use_apop_auth",
    .imap_auth = sylpheed_imap_auth,
    .smtp_auth = sylpheed_smtp_auth};

/* ---- one block */

struct block {
	const struct dialect *d;
	const struct mm_doc *doc;
	const char *section, *path;
	bool imap, incoming;
	int version; /* config_version; 0 = not said */
};

static const struct mm_item *item(const struct block *b, const char *key)
{
	for (size_t i = b->doc->n; i-- > 0;) {
		const struct mm_item *it = &b->doc->items[i];

		if (it->kind != 'c' && strcmp(it->section, b->section) == 0 &&
		    (b->d->nocase ? mm_streq_nocase(it->key, key) : strcmp(it->key, key) == 0))
			return it;
	}
	return NULL;
}

static const char *text(const struct block *b, const char *key)
{
	const struct mm_item *it = item(b, key);

	return it != NULL && it->value[0] != '\0' ? it->value : NULL;
}

/* Empty and 0 are false, anything else is true (prefs_gtk.c). */
static bool flag(const struct block *b, const char *key, bool dflt)
{
	const struct mm_item *it = item(b, key);

	return it != NULL ? it->value[0] != '\0' && strcmp(it->value, "0") != 0 : dflt;
}

static const char *number(const struct block *b, const char *key, const char *dflt)
{
	const char *v = text(b, key);

	return v != NULL ? v : dflt;
}

static bool is_mail(const struct block *b)
{
	const char *p = number(b, "protocol", "0");

	return strcmp(p, b->d->pop3) == 0 || strcmp(p, b->d->pop3_too) == 0 || strcmp(p, b->d->imap) == 0;
}

static struct block open_block(
    const struct dialect *d, const struct mm_doc *doc, const char *section, const char *path)
{
	struct block b = {.d = d, .doc = doc, .section = section, .path = path};
	int64_t version = 0;

	b.incoming = is_mail(&b);
	b.imap = strcmp(number(&b, "protocol", "0"), d->imap) == 0;
	if (d->versions && mm_parse_int(number(&b, "config_version", "0"), 0, 1000, &version) == 0)
		b.version = (int)version;
	return b;
}

/* Claws Mail 4.3 turned TLS and the outgoing login on where nothing is said. */
static bool new_defaults(const struct block *b)
{
	return b->d->versions && b->version >= 5;
}

/* ---- reading */

static void put(
    const struct block *b, struct mm_seen_account *s, enum mm_setting id, const char *key, const char *value)
{
	const struct mm_item *it = item(b, key);

	s->s[id].value = value;
	s->s[id].from_default = it == NULL && value != NULL;
	s->s[id].path = it != NULL ? b->path : NULL;
	s->s[id].line = it != NULL ? it->line : 0;
}

static void put_text(const struct block *b, struct mm_seen_account *s, enum mm_setting id, const char *key)
{
	put(b, s, id, key, text(b, key));
}

static const char *security_word(const char *v)
{
	return strcmp(v, "1") == 0   ? "tls"
	       : strcmp(v, "2") == 0 ? "starttls"
	       : strcmp(v, "0") == 0 ? "none"
				     : v;
}

static const char *auth_word(const struct word *w, const char *v)
{
	for (; w->number != NULL; w++)
		if (strcmp(w->number, v) == 0)
			return w->word;
	return v;
}

/* The port counts only where its switch is on. */
static void see_port(const struct block *b, struct mm_seen_account *s, enum mm_setting id,
    const char *switch_key, const char *key, const char *dflt)
{
	if (flag(b, switch_key, false))
		put(b, s, id, key, number(b, key, dflt));
	else
		s->s[id] = (struct mm_seen){.value = dflt, .from_default = true};
}

static void see_tls(const struct block *b, struct mm_seen_account *s, enum mm_setting min,
    enum mm_setting cert, const char *cert_key)
{
	if (b->d->gnutls && flag(b, "gnutls_set_priority", false))
		put(b, s, min, "gnutls_priority", mm_gnutls_floor(text(b, "gnutls_priority")));
	else if (b->d->gnutls)
		s->s[min] = (struct mm_seen){.value = "1.2", .from_default = true};
	if (b->d->client_cert)
		put_text(b, s, cert, cert_key);
}

static void over(const struct block *b, struct mm_seen_account *s, enum mm_setting id, const char *key)
{
	const struct mm_item *it = item(b, key);

	s->s[id].over_path = b->path;
	s->s[id].over_line = it->line;
	s->s[id].over_by = key;
}

static void see_pop_auth(const struct block *b, struct mm_seen_account *s)
{
	bool other = flag(b, b->d->pop_auth_key, false);
	const char *word = "password";

	if (other)
		word = strcmp(number(b, "pop_auth_method", "0"), "2") == 0 ? "xoauth2" : "apop";
	else if (strcmp(number(b, "protocol", "0"), "1") == 0)
		word = "apop";
	put(b, s, MM_SET_IN_AUTH, other ? b->d->pop_auth_key : "protocol", word);
}

static void see_incoming(const struct block *b, struct mm_seen_account *s)
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

static void see_outgoing(const struct block *b, struct mm_seen_account *s)
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
	put_text(
	    b, s, MM_SET_OUT_USERNAME, login && text(b, "smtp_user_id") == NULL ? "user_id" : "smtp_user_id");
	see_tls(b, s, MM_SET_OUT_TLS_MIN, MM_SET_OUT_CLIENT_CERT, "out_ssl_client_cert_file");
	if (b->d->mail_command && flag(b, "use_mail_command", false)) {
		over(b, s, MM_SET_OUT_HOST, "use_mail_command");
		over(b, s, MM_SET_OUT_PORT, "use_mail_command");
		over(b, s, MM_SET_OUT_SECURITY, "use_mail_command");
	}
}

static void see(const struct block *b, struct mm_seen_account *s)
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

static void traps(const struct block *b, struct mm_arena *a, struct mm_view *out)
{
	static const char *const passwords[] = {"password", "smtp_password"};

	for (size_t i = 0; b->d->clear_password && i < 2; i++)
		if (text(b, passwords[i]) != NULL)
			mm_add_trap(a, out, b->path, item(b, passwords[i])->line,
			    mm_arena_printf(a, "'%s' keeps its password in clear text in the file.",
				number(b, "account_name", b->section)));
}

static int load(struct mm_reader *r, const char *path, struct mm_doc *doc, struct mm_err *err)
{
	struct mm_text t;
	int rc = mm_read_text(r, path, &t, err);

	*doc = (struct mm_doc){0};
	if (rc > 0 && mm_format_accountrc.parse(t, r->arena, doc, err) != 0)
		return mm_err_prefix(err, "%s", path);
	return rc < 0 ? -1 : 0;
}

static bool is_account(const struct mm_item *it)
{
	return it->kind == 'c' && mm_starts_with(it->section, PREFIX);
}

static int read_place(struct mm_reader *r, const struct dialect *d, const struct mm_place *p,
    struct mm_view *out, struct mm_err *err)
{
	struct mm_doc doc;
	struct mm_doc *kept = mm_arena_alloc(r->arena, 1, sizeof(*kept));

	*out = (struct mm_view){0};
	if (load(r, p->path, &doc, err) != 0)
		return -1;
	*kept = doc;
	out->accounts = mm_arena_alloc(r->arena, doc.n + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < doc.n; i++) {
		struct block b = open_block(d, kept, doc.items[i].section, p->path);

		if (!is_account(&doc.items[i]) || (!b.incoming && text(&b, "smtp_server") == NULL))
			continue; /* news, or folders of this computer */
		see(&b, &out->accounts[out->n++]);
		traps(&b, r->arena, out);
	}
	return 0;
}

/* ---- places */

static int find(struct mm_reader *r, const struct dialect *d, bool create, struct mm_place **places,
    size_t *n, struct mm_err *err)
{
	const char *dir = mm_home_path(r, d->dir), *const * names;
	struct mm_place p = {
	    .path = mm_arena_printf(r->arena, "%s/accountrc", dir), .label = "", .in_use = true};

	*places = NULL;
	*n = 0;
	p.exists = mm_have_file(r, p.path);
	if (!p.exists && (!create || !r->program(r, d->program)))
		return 0;
	if (mm_running(r, d->comm))
		p.busy = mm_arena_printf(
		    r->arena, "%s is running, and would write its old settings back when it ends", d->label);
	else if (!p.exists && r->list(r, dir, &names, err) <= 0)
		p.busy = mm_arena_printf(r->arena,
		    "%s was never started: its first start makes the folders that an account needs",
		    d->label);
	mm_add_place(r->arena, places, n, &p);
	return 0;
}

/* ---- writing */

struct writer {
	struct mm_edit_list edits;
	struct mm_arena *a;
	struct block b; /* as it is now */
};

/* The key as it is spelled in the file, where it is there. */
static void want(struct writer *w, const char *key, const char *value)
{
	const struct mm_item *it = item(&w->b, key);

	if (value != NULL)
		mm_want_edit(
		    &w->edits, w->a, MM_EDIT_SET, w->b.section, it != NULL ? it->key : key, 's', value);
}

static void want_port(struct writer *w, const char *switch_key, const char *key, const char *value)
{
	want(w, key, value);
	if (value != NULL)
		want(w, switch_key, "1");
}

static const char *security_number(const char *word)
{
	if (word == NULL)
		return NULL;
	return strcmp(word, "tls") == 0 ? "1" : strcmp(word, "starttls") == 0 ? "2" : "0";
}

static const char *auth_number(const struct word *w, const char *word)
{
	for (; word != NULL && w->number != NULL; w++)
		if (w->ours && strcmp(w->word, word) == 0)
			return w->number;
	return NULL;
}

static void write_incoming(struct writer *w, const struct mm_values *v, const struct mm_values *full)
{
	const struct dialect *d = w->b.d;
	bool imap = mm_streq(full->v[MM_SET_IN_PROTOCOL], "imap");
	const char *leave = v->v[MM_SET_IN_LEAVE_ON_SERVER];

	if (v->v[MM_SET_IN_PROTOCOL] != NULL)
		want(w, "protocol", imap ? d->imap : d->pop3);
	want(w, "receive_server", v->v[MM_SET_IN_HOST]);
	want(w, "user_id", v->v[MM_SET_IN_USERNAME]);
	want(w, imap ? "ssl_imap" : "ssl_pop", security_number(v->v[MM_SET_IN_SECURITY]));
	if (imap) {
		want_port(w, "set_imapport", "imap_port", v->v[MM_SET_IN_PORT]);
		want(w, "imap_auth_method", auth_number(d->imap_auth, v->v[MM_SET_IN_AUTH]));
	} else {
		want_port(w, "set_popport", "pop_port", v->v[MM_SET_IN_PORT]);
		if (v->v[MM_SET_IN_AUTH] != NULL) {
			want(w, d->pop_auth_key, "0");
			want(w, "protocol", d->pop3);
		}
	}
	if (leave != NULL && !imap)
		want(w, "remove_mail", strcmp(leave, "yes") == 0 ? "0" : "1");
	if (d->client_cert)
		want(w, "in_ssl_client_cert_file", v->v[MM_SET_IN_CLIENT_CERT]);
}

/* An empty name means the incoming one: where that one changes, the outgoing
 * one has to be said to stay what it is. */
static const char *outgoing_user(const struct writer *w, const struct mm_values *v)
{
	bool borrowed = text(&w->b, "smtp_user_id") == NULL && text(&w->b, "user_id") != NULL;

	if (v->v[MM_SET_OUT_USERNAME] != NULL || v->v[MM_SET_IN_USERNAME] == NULL || !borrowed)
		return v->v[MM_SET_OUT_USERNAME];
	return text(&w->b, "user_id");
}

static void write_outgoing(struct writer *w, const struct mm_values *v)
{
	const struct dialect *d = w->b.d;
	const char *auth = v->v[MM_SET_OUT_AUTH];

	want(w, "smtp_server", v->v[MM_SET_OUT_HOST]);
	want_port(w, "set_smtpport", "smtp_port", v->v[MM_SET_OUT_PORT]);
	want(w, "ssl_smtp", security_number(v->v[MM_SET_OUT_SECURITY]));
	if (auth != NULL) {
		want(w, "use_smtp_auth", strcmp(auth, "none") == 0 ? "0" : "1");
		want(w, "smtp_auth_method",
		    auth_number(d->smtp_auth, strcmp(auth, "password") == 0 ? "plain" : auth));
	}
	want(w, "smtp_user_id", outgoing_user(w, v));
	if (d->client_cert)
		want(w, "out_ssl_client_cert_file", v->v[MM_SET_OUT_CLIENT_CERT]);
}

/* One floor for both sides: the higher of the two is as good as either. */
static void write_floor(struct writer *w, const struct mm_values *v, const struct mm_values *full)
{
	const char *in = full->v[MM_SET_IN_TLS_MIN], *out = full->v[MM_SET_OUT_TLS_MIN];
	const char *min = mm_streq(in, "1.3") || mm_streq(out, "1.3") ? "1.3" : "1.2";

	if (!w->b.d->gnutls || (v->v[MM_SET_IN_TLS_MIN] == NULL && v->v[MM_SET_OUT_TLS_MIN] == NULL))
		return;
	want(w, "gnutls_set_priority", "1");
	want(w, "gnutls_priority", mm_gnutls_priorities(min));
}

static void write_account(struct writer *w, const struct mm_values *v, const struct mm_values *full)
{
	want(w, "name", v->v[MM_SET_REAL_NAME]);
	want(w, "address", v->v[MM_SET_ADDRESS]);
	want(w, "organization", v->v[MM_SET_ORGANISATION]);
	if (v->v[MM_SET_REPLY_TO] != NULL) {
		want(w, "set_autoreplyto", "1");
		want(w, "auto_replyto", v->v[MM_SET_REPLY_TO]);
	}
	if (full->v[MM_SET_IN_HOST] != NULL)
		write_incoming(w, v, full);
	write_outgoing(w, v);
	write_floor(w, v, full);
}

static int64_t highest(const struct mm_doc *doc, const char *prefix, int64_t most)
{
	for (size_t i = 0; i < doc->n; i++) {
		int64_t no;

		if (mm_starts_with(doc->items[i].section, prefix) &&
		    mm_parse_int(doc->items[i].section + strlen(prefix), 0, NUMBER_MAX, &no) == 0 &&
		    no > most)
			most = no;
	}
	return most;
}

/* A number that nothing hangs on: Claws Mail finds passwords by it, also
 * those of an account that was removed. */
static int new_section(
    struct mm_reader *r, const struct writer *w, const char *path, const char **out, struct mm_err *err)
{
	const char *store = mm_arena_printf(r->arena, "%s/passwordstorerc", mm_path_dir(r->arena, path));
	int64_t most = highest(w->b.doc, PREFIX, 0);
	struct mm_doc secrets;

	if (w->b.d->versions) {
		if (load(r, store, &secrets, err) != 0)
			return -1;
		most = highest(&secrets, "account:", most);
	}
	if (most >= NUMBER_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "%s: no free account number", path);
	*out = mm_arena_printf(r->arena, PREFIX "%lld", (long long)most + 1);
	return 0;
}

static int add(
    struct mm_reader *r, struct writer *w, const struct mm_change *ch, const char *path, struct mm_err *err)
{
	bool first = highest(w->b.doc, PREFIX, 0) == 0;
	const char *label = ch->label != NULL && ch->label[0] != '\0' ? ch->label : ch->account;

	if (new_section(r, w, path, &w->b.section, err) != 0)
		return -1;
	mm_want_edit(&w->edits, w->a, MM_EDIT_SECTION_ADD, w->b.section, "", 's', NULL);
	want(w, "account_name", label);
	if (first)
		want(w, "is_default", "1");
	if (w->b.d->versions) {
		want(w, "config_version", "4");
		want(w, "ssl_certs_auto_accept", "1"); /* of certificates that are valid */
	}
	return 0;
}

/* The program put some ninety keys of its own into the block. */
static void take_away(struct writer *w)
{
	for (size_t i = 0; i < w->b.doc->n; i++) {
		const struct mm_item *it = &w->b.doc->items[i];

		if (it->kind != 'c' && it->wins && strcmp(it->section, w->b.section) == 0)
			mm_want_edit(&w->edits, w->a, MM_EDIT_DELETE, it->section, it->key, 's', NULL);
	}
	mm_want_edit(&w->edits, w->a, MM_EDIT_SECTION_REMOVE, w->b.section, "", 's', NULL);
}

static int change(struct mm_reader *r, const struct dialect *d, const struct mm_place *p,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct writer w = {.a = r->arena};
	struct mm_doc doc;

	*out = (struct mm_edits){.key = ch->key};
	if (load(r, p->path, &doc, err) != 0)
		return -1;
	w.b = open_block(d, &doc, ch->key != NULL ? ch->key : "", p->path);
	if (ch->kind == MM_CHANGE_REMOVE) {
		if (ch->created)
			take_away(&w);
	} else {
		if (ch->kind == MM_CHANGE_ADD && add(r, &w, ch, p->path, err) != 0)
			return -1;
		write_account(&w, ch->want, ch->full);
		out->key = w.b.section;
	}
	mm_want_file(
	    out, r->arena, p->path, &mm_format_accountrc, &w.edits, ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	return 0;
}

/* ---- what it cannot hold */

static const char *no_auth(
    const struct dialect *d, enum mm_setting s, const char *v, const struct mm_values *all)
{
	bool in = s == MM_SET_IN_AUTH, pop = in && !mm_streq(all->v[MM_SET_IN_PROTOCOL], "imap");

	if (strcmp(v, "password") == 0 || (!in && strcmp(v, "none") == 0))
		return NULL;
	if (!pop && auth_number(in ? d->imap_auth : d->smtp_auth, v) != NULL)
		return NULL;
	return "The program cannot be set to this way of logging in.";
}

static const char *unsupported(
    const struct dialect *d, enum mm_setting s, const char *v, const struct mm_values *all)
{
	switch (s) {
	case MM_SET_IN_PASSWORD_COMMAND:
	case MM_SET_OUT_PASSWORD_COMMAND:
		return MM_CLIENT_NOT_ITS_BUSINESS;
	case MM_SET_IN_AUTH:
	case MM_SET_OUT_AUTH:
		return no_auth(d, s, v, all);
	case MM_SET_IN_CA_FILE:
	case MM_SET_OUT_CA_FILE:
		return "The program trusts the system's authorities and has no setting for others.";
	case MM_SET_IN_PIN:
	case MM_SET_OUT_PIN:
		return "The program cannot pin a public key.";
	case MM_SET_IN_TLS_MIN:
	case MM_SET_OUT_TLS_MIN:
		return d->gnutls ? NULL : "The program has no setting for it: the system's OpenSSL decides.";
	case MM_SET_IN_CLIENT_CERT:
	case MM_SET_OUT_CLIENT_CERT:
		return d->client_cert ? NULL : "The program has no client certificates.";
	case MM_SET_IN_LEAVE_ON_SERVER:
		return mm_streq(all->v[MM_SET_IN_PROTOCOL], "imap") ? MM_CLIENT_NOT_ITS_BUSINESS : NULL;
	default:
		return NULL;
	}
}

/* ---- the two programs */

#define PROGRAM(name_)                                                                                       \
	static int name_##_find(                                                                             \
	    struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)       \
	{                                                                                                    \
		return find(r, &name_, create, places, n, err);                                              \
	}                                                                                                    \
	static int name_##_read(                                                                             \
	    struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)          \
	{                                                                                                    \
		return read_place(r, &name_, p, out, err);                                                   \
	}                                                                                                    \
	static int name_##_change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,  \
	    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)                            \
	{                                                                                                    \
		(void)now;                                                                                   \
		return change(r, &name_, p, ch, out, err);                                                   \
	}                                                                                                    \
	static const char *name_##_unsupported(                                                              \
	    enum mm_setting s, const char *v, const struct mm_values *all)                                   \
	{                                                                                                    \
		return unsupported(&name_, s, v, all);                                                       \
	}

PROGRAM(claws)
PROGRAM(sylpheed)

const struct mm_client mm_client_claws = {
    .name = "claws",
    .label = "Claws Mail",
    .programs = (const char *const[]){"claws-mail", NULL},
    .incoming = true,
    .outgoing = true,
    .unsupported = claws_unsupported,
    .find = claws_find,
    .read = claws_read,
    .change = claws_change,
};

const struct mm_client mm_client_sylpheed = {
    .name = "sylpheed",
    .label = "Sylpheed",
    .programs = (const char *const[]){"sylpheed", NULL},
    .incoming = true,
    .outgoing = true,
    .unsupported = sylpheed_unsupported,
    .find = sylpheed_find,
    .read = sylpheed_read,
    .change = sylpheed_change,
};
