/*
 * meli: edited in place, in the account's table of config.toml.
 *
 * File: $MELI_CONFIG, else $XDG_CONFIG_HOME/meli/config.toml, which is read
 * once, when meli starts. Without use_starttls it is STARTTLS on every port but
 * 993, both required; use_tls = false is no encryption at all. How mail is sent
 * stands in the account's send_mail (from 0.8.8 on), or in composing.send_mail of
 * the account or of the whole file: a command, or a table for SMTP, where
 * security "auto" is TLS on port 465 and STARTTLS on 587, and refused elsewhere.
 * Commands go to `sh -c`. 0.9 has them in server_password = { command = "..." }.
 *
 * Sources: meli.conf(5), melib/src/{imap/mod,smtp,conf}.rs and
 * meli/src/version_migrations of meli/meli. Not in Debian 12: no real program
 * proved it.
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/mailurl.h"
#include "agent/clients/sh.h"
#include "agent/clients/tomlkeys.h"
#include "common/text.h"

#define ACCOUNTS "accounts"

static const struct mm_word security_words[] = {
    {"tls", "tls"}, {"STARTTLS", "starttls"}, {"none", "none"}, {"auto", NULL}, {NULL, NULL}};
static const struct mm_word auth_words[] = {
    {"auto", "password"}, {"none", "none"}, {"xoauth2", "xoauth2"}, {NULL, NULL}};

static const struct mm_key in_keys[] = {
    {.s = MM_SET_IN_HOST, .key = "server_hostname"},
    {.s = MM_SET_IN_PORT, .key = "server_port", .dflt = "143", .kind = 'i'},
    {.s = MM_SET_IN_USERNAME, .key = "server_username"},
    {.s = MM_SET_IN_PASSWORD_COMMAND, .key = "server_password_command", .shell = true},
};
#define N_IN (sizeof(in_keys) / sizeof(in_keys[0]))

/* In the table of send_mail. */
static const struct mm_key out_keys[] = {
    {.s = MM_SET_OUT_HOST, .key = "hostname"},
    {.s = MM_SET_OUT_PORT, .key = "port", .kind = 'i'},
    {.s = MM_SET_OUT_SECURITY, .key = "security.type", .words = security_words},
    {.s = MM_SET_OUT_AUTH, .key = "auth.type", .words = auth_words},
    {.s = MM_SET_OUT_USERNAME, .key = "auth.username"},
    {.s = MM_SET_OUT_PASSWORD_COMMAND, .key = "auth.password.value", .shell = true},
};
#define N_OUT (sizeof(out_keys) / sizeof(out_keys[0]))

static const struct {
	enum mm_setting s;
	const char *usage;
} folders[] = {{MM_SET_FOLDER_SENT, "Sent"}, {MM_SET_FOLDER_DRAFTS, "Drafts"}, {MM_SET_FOLDER_TRASH, "Trash"},
    {MM_SET_FOLDER_JUNK, "Junk"}};
#define N_FOLDERS (sizeof(folders) / sizeof(folders[0]))

static const char *const names[][2] = {{"server_password_command", "server_password.command"}, {NULL, NULL}};

/* Files that the first one includes are looked at, and never written. */
static void add_included(struct mm_reader *r, const char *path, struct mm_place **places, size_t *n)
{
	struct mm_doc d;

	if (mm_load_doc(r, path, &mm_format_meli, &d, NULL) != 0)
		return;
	for (size_t i = 0; i < d.n; i++) {
		const struct mm_item *it = &d.items[i];
		struct mm_place p = {.label = "included", .exists = true, .path = it->value};

		if (it->kind != 'c' || !mm_streq(it->key, "include"))
			continue;
		if (mm_starts_with(it->value, "~/"))
			p.path = mm_home_path(r, it->value + 2);
		else if (it->value[0] != '/')
			p.path = mm_arena_printf(r->arena, "%s/%s", mm_path_dir(r->arena, path), it->value);
		if (mm_have_file(r, p.path))
			mm_add_place(r->arena, places, n, &p);
	}
}

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *named = r->env(r, "MELI_CONFIG"), *paths[2];
	const char **dirs = mm_arena_alloc(r->arena, 2, sizeof(*dirs));
	size_t k = 0;
	int rc;

	(void)err;
	if (named != NULL && named[0] == '/')
		paths[k++] = named;
	paths[k++] = mm_config_path(r, "meli/config.toml");
	rc = mm_find_first(r, "meli", paths, k, paths[0], create, places, n);
	dirs[0] = mm_path_dir(r->arena, paths[0]);
	if (*n > 0 && !(*places)[0].exists)
		(*places)[0].extra_dirs = dirs;
	if (*n > 0 && (*places)[0].exists)
		add_included(r, (*places)[0].path, places, n);
	return rc;
}

/* ---- reading */

/* Where the account's send_mail stands. */
struct sending {
	struct mm_toml_at at;  /* the table; its section is "" where there is none */
	struct mm_native line; /* a command, or the first thing in the table */
	bool is_command;
	bool global; /* [composing] of the whole file */
};

static struct mm_native first_in(const struct mm_toml_at *at)
{
	for (size_t i = 0; i < at->doc->n; i++) {
		const struct mm_item *it = &at->doc->items[i];

		if (mm_streq(it->section, at->section))
			return (struct mm_native){.text = it->value, .path = at->path, .line = it->line};
	}
	return (struct mm_native){.text = NULL};
}

static bool send_in(const struct mm_toml_at *base, const char *key, struct sending *out)
{
	struct mm_native command = mm_get_toml(base, key);

	out->at = *base;
	out->at.section =
	    mm_arena_printf(base->a, "%s%s%s", base->section, base->section[0] != '\0' ? "." : "", key);
	out->is_command = command.text != NULL;
	out->line = out->is_command ? command : first_in(&out->at);
	return out->line.text != NULL;
}

static struct sending sending_of(const struct mm_toml_at *account)
{
	struct mm_toml_at root = *account;
	struct sending s = {.global = false};

	root.section = "";
	if (send_in(account, "send_mail", &s) || send_in(account, "composing.send_mail", &s))
		return s;
	s.global = true;
	if (!send_in(&root, "composing.send_mail", &s))
		s.line.text = NULL;
	return s;
}

static void trap(const struct mm_toml_at *at, struct mm_view *out, enum mm_trap_kind kind,
    const struct mm_seen_account *s, struct mm_native v, const char *text)
{
	mm_trap_of(at->a, out, kind, v, s, text);
}

static void see_in_security(struct mm_seen_account *s, const struct mm_toml_at *at, struct mm_view *out)
{
	struct mm_native tls = mm_get_toml(at, "use_tls"), starttls = mm_get_toml(at, "use_starttls");
	struct mm_native blind = mm_get_toml(at, "danger_accept_invalid_certs");
	bool upgrade = starttls.text != NULL ? mm_streq(starttls.text, "true")
					     : !mm_streq(s->s[MM_SET_IN_PORT].value, "993");

	if (mm_streq(tls.text, "false")) {
		mm_see(s, MM_SET_IN_SECURITY, tls, "none");
		trap(at, out, MM_TRAP_CLEAR, s, tls, "fetches mail without encryption.");
	} else {
		mm_see(s, MM_SET_IN_SECURITY, starttls, upgrade ? "starttls" : "tls");
	}
	if (mm_streq(blind.text, "true"))
		trap(at, out, MM_TRAP_NO_VERIFY, s, blind, "does not verify the server's certificate.");
}

static void see_in(struct mm_seen_account *s, const struct mm_toml_at *at, struct mm_view *out)
{
	struct mm_native format = mm_get_toml(at, "format"), none = {.text = NULL};
	struct mm_native raw = mm_get_toml(at, "server_password"), token = mm_get_toml(at, "use_oauth2");

	if (!mm_streq_nocase(format.text, "imap")) {
		mm_see_side_over(s, format, MM_SIDE_INCOMING, "format",
		    "Mail is not fetched by IMAP; the setting is checked where it is.");
		return;
	}
	s->has_incoming = true;
	mm_see(s, MM_SET_IN_PROTOCOL, format, "imap");
	mm_keys_see(in_keys, N_IN, mm_get_toml, at, at->a, s);
	see_in_security(s, at, out);
	mm_see(s, MM_SET_IN_AUTH, token, mm_streq(token.text, "true") ? "xoauth2" : "password");
	if (mm_streq(token.text, "true"))
		mm_see_over(&s->s[MM_SET_IN_PASSWORD_COMMAND], token, "use_oauth2",
		    "The command has to spell the whole SASL answer, and not the token alone.");
	mm_see(s, MM_SET_IN_TLS_MIN, none, "1.2");
	if (raw.text == NULL)
		return;
	if (s->s[MM_SET_IN_PASSWORD_COMMAND].value == NULL)
		mm_see_over(&s->s[MM_SET_IN_PASSWORD_COMMAND], raw, "server_password",
		    "A password stands in the file.");
	trap(at, out, MM_TRAP_PASSWORD, s, raw, "keeps its password in clear text in the file.");
}

static void see_out_security(struct mm_seen_account *s, const struct sending *m, struct mm_view *out)
{
	struct mm_native word = mm_get_toml(&m->at, "security.type");
	struct mm_native blind = mm_get_toml(&m->at, "security.danger_accept_invalid_certs");
	const char *port = s->s[MM_SET_OUT_PORT].value;

	if (s->s[MM_SET_OUT_SECURITY].value == NULL)
		mm_see(s, MM_SET_OUT_SECURITY, word,
		    mm_streq(port, "465")   ? "tls"
		    : mm_streq(port, "587") ? "starttls"
					    : NULL);
	if (mm_streq(s->s[MM_SET_OUT_SECURITY].value, "none"))
		trap(&m->at, out, MM_TRAP_CLEAR, s, word, "sends mail without encryption.");
	if (mm_streq(blind.text, "true"))
		trap(&m->at, out, MM_TRAP_NO_VERIFY, s, blind,
		    "does not verify the certificate of the server that it sends by.");
}

static void see_out_password(struct mm_seen_account *s, const struct sending *m, struct mm_view *out)
{
	struct mm_seen *command = &s->s[MM_SET_OUT_PASSWORD_COMMAND];
	struct mm_native raw = mm_get_toml(&m->at, "auth.password");
	struct mm_native kind = mm_get_toml(&m->at, "auth.password.type");

	if (mm_streq_nocase(kind.text, "raw"))
		raw = mm_get_toml(&m->at, "auth.password.value");
	if (raw.text == NULL)
		return;
	*command = (struct mm_seen){.value = NULL};
	mm_see_over(command, raw, "password", "A password stands in the file.");
	trap(&m->at, out, MM_TRAP_PASSWORD, s, raw,
	    "keeps the password of outgoing mail in clear text in the file.");
}

static void see_out(struct mm_seen_account *s, const struct mm_toml_at *at, struct mm_view *out)
{
	struct sending m = sending_of(at);
	struct mm_native none = {.text = NULL};

	if (m.line.text == NULL)
		return;
	if (m.is_command) {
		mm_see_side_over(s, m.line, MM_SIDE_OUTGOING, "send_mail, which hands mail to a program,",
		    "Mail is handed to a program; the setting is checked in its configuration.");
		return;
	}
	s->has_outgoing = true;
	mm_see(s, MM_SET_OUT_PROTOCOL, mm_get_toml(&m.at, "hostname"), "smtp");
	mm_keys_see(out_keys, N_OUT, mm_get_toml, &m.at, at->a, s);
	see_out_security(s, &m, out);
	see_out_password(s, &m, out);
	mm_see(s, MM_SET_OUT_TLS_MIN, none, "1.2");
}

static const char *mailboxes_of(const struct mm_toml_at *at)
{
	return mm_arena_printf(at->a, "%s.mailboxes", at->section);
}

/* The mailbox with that usage, or NULL. */
static const struct mm_item *mailbox_with(const struct mm_toml_at *at, const char *usage, const char **name)
{
	const char *prefix = mailboxes_of(at);
	size_t n = strlen(prefix);

	for (size_t i = 0; i < at->doc->n; i++) {
		const struct mm_item *it = &at->doc->items[i];

		if (mm_streq(it->key, "usage") && mm_streq_nocase(it->value, usage) &&
		    mm_starts_with(it->section, prefix) && it->section[n] == '.') {
			*name = mm_toml_name(it->section + n + 1, at->a);
			return it;
		}
	}
	return NULL;
}

static void see_person(struct mm_seen_account *s, const struct mm_toml_at *at)
{
	struct mm_native identity = mm_get_toml(at, "identity"), label = mm_get_toml(at, "display_name");
	const char *name = NULL, *address;

	address = identity.text != NULL ? mm_mailbox_parse(identity.text, at->a, &name) : NULL;
	mm_see(s, MM_SET_ADDRESS, identity, address);
	if (label.text != NULL)
		mm_see(s, MM_SET_REAL_NAME, label, label.text);
	else
		mm_see(s, MM_SET_REAL_NAME, identity, name);
	for (size_t i = 0; i < N_FOLDERS; i++) {
		const struct mm_item *it = mailbox_with(at, folders[i].usage, &name);

		if (it != NULL)
			mm_see(s, folders[i].s,
			    (struct mm_native){.text = it->value, .path = at->path, .line = it->line}, name);
	}
}

static struct mm_toml_at account_at(
    const struct mm_doc *d, const char *name, const char *path, struct mm_arena *a)
{
	return (struct mm_toml_at){.doc = d,
	    .section = mm_arena_printf(a, ACCOUNTS ".%s", name),
	    .path = path,
	    .a = a,
	    .names = names};
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	const char *const *tables;
	struct mm_doc d;
	size_t n;

	*out = (struct mm_view){0};
	if (mm_load_doc(r, p->path, &mm_format_meli, &d, err) != 0)
		return -1;
	tables = mm_toml_tables(&d, ACCOUNTS, r->arena, &n);
	out->accounts = mm_arena_alloc(r->arena, n + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < n; i++) {
		struct mm_toml_at at = account_at(&d, tables[i], p->path, r->arena);
		struct mm_seen_account *s = &out->accounts[out->n];

		if (mm_toml_find(&at, "format") == NULL)
			continue;
		*s = (struct mm_seen_account){.key = tables[i], .label = mm_toml_name(tables[i], r->arena)};
		out->n++;
		see_person(s, &at);
		see_in(s, &at, out);
		see_out(s, &at, out);
	}
	return 0;
}

/* ---- writing */

struct writer {
	struct mm_toml_at at;
	struct mm_edit_list edits;
	const struct mm_change *ch;
	const struct mm_seen_account *now;
	bool is_new; /* an account for meli 0.9 */
};

static void want(struct writer *w, const char *key, char kind, const char *value)
{
	mm_toml_want(&w->at, &w->edits, key, kind, value);
}

/* Is this meli one that has the command in server_password (from 0.9 on)? */
static bool is_new(struct mm_reader *r, const struct mm_doc *d)
{
	const char *data = r->env(r, "XDG_DATA_HOME"), *cargo, *v;
	struct mm_text t;

	for (size_t i = 0; i < d->n; i++) {
		if (mm_streq(d->items[i].key, "server_password_command"))
			return false;
		if (mm_ends_with(d->items[i].section, ".server_password"))
			return true;
	}
	if (data == NULL || data[0] != '/')
		data = mm_home_path(r, ".local/share");
	cargo = mm_cargo_version(r, "meli");
	v = cargo != NULL ? cargo : "";
	if (mm_read_text(r, mm_arena_printf(r->arena, "%s/meli/.version", data), &t, NULL) == 1 && t.n > 0)
		v = mm_arena_strndup(r->arena, t.p, t.n);
	return v[0] != '\0' && !(mm_starts_with(v, "0.") && v[2] < '9') && !mm_starts_with(v, "alpha");
}

static void write_in_security(struct writer *w)
{
	const char *security = w->ch->want->v[MM_SET_IN_SECURITY];
	bool clear = mm_streq(security, "none");

	if (security == NULL)
		return;
	if (clear || mm_streq(mm_get_toml(&w->at, "use_tls").text, "false"))
		want(w, "use_tls", 'b', clear ? "false" : "true");
	if (!clear)
		want(w, "use_starttls", 'b', mm_streq(security, "starttls") ? "true" : "false");
}

static int write_in_command(struct writer *w, const char *command, struct mm_err *err)
{
	const char *line = command != NULL ? mm_sh_line(command, w->at.a, err) : NULL;

	if (command == NULL)
		return 0;
	if (line == NULL)
		return -1;
	want(w, w->is_new ? "server_password.command" : "server_password_command", 's', line);
	return 0;
}

static int write_in(struct writer *w, struct mm_err *err)
{
	const struct mm_item *port = mm_toml_find(&w->at, "server_port");
	struct mm_values v = *w->ch->want;

	if (mm_toml_find(&w->at, "server_password") != NULL || mm_toml_yes(&w->at, "use_oauth2"))
		v.v[MM_SET_IN_PASSWORD_COMMAND] = NULL; /* see the notes of see_in() */
	if (port != NULL && port->kind == 's') {        /* in quotes it is as good */
		want(w, "server_port", 's', v.v[MM_SET_IN_PORT]);
		v.v[MM_SET_IN_PORT] = NULL;
	}
	if (mm_toml_keys_want(in_keys, N_IN - 1, &v, &w->at, &w->edits, err) != 0)
		return -1;
	write_in_security(w);
	return write_in_command(w, v.v[MM_SET_IN_PASSWORD_COMMAND], err);
}

static bool wants_out(const struct writer *w)
{
	for (size_t i = 0; i < N_OUT; i++)
		if (w->ch->want->v[out_keys[i].s] != NULL)
			return true;
	return false;
}

/* The table of the whole file is for all accounts: this one gets its own. */
static int write_out(struct writer *w, struct mm_err *err)
{
	struct sending m = sending_of(&w->at);
	struct mm_values v = *w->ch->want;
	bool fresh = m.line.text == NULL || m.global;

	if (!wants_out(w) || (m.is_command && !m.global))
		return 0;
	if (m.is_command && w->ch->kind != MM_CHANGE_ADD)
		return 0;
	if (fresh) {
		bool old = m.line.text != NULL;

		for (size_t i = 0; i < N_OUT; i++)
			v.v[out_keys[i].s] = mm_joined(w->ch, w->now, out_keys[i].s);
		m.at = w->at;
		m.at.section = mm_arena_printf(
		    w->at.a, "%s.%s", w->at.section, old ? "composing.send_mail" : "send_mail");
	}
	if (mm_toml_find(&m.at, "auth.password") != NULL ||
	    mm_streq_nocase(mm_get_toml(&m.at, "auth.password.type").text, "raw"))
		v.v[MM_SET_OUT_PASSWORD_COMMAND] = NULL;
	if (mm_streq(v.v[MM_SET_OUT_AUTH], "none"))
		v.v[MM_SET_OUT_USERNAME] = v.v[MM_SET_OUT_PASSWORD_COMMAND] = NULL;
	if (mm_toml_keys_want(out_keys, N_OUT - 1, &v, &m.at, &w->edits, err) != 0)
		return -1;
	if (v.v[MM_SET_OUT_PASSWORD_COMMAND] != NULL)
		mm_toml_want(&m.at, &w->edits, "auth.password.type", 's', "command_eval");
	return mm_toml_keys_want(out_keys + N_OUT - 1, 1, &v, &m.at, &w->edits, err);
}

static int write_folders(struct writer *w, struct mm_err *err)
{
	for (size_t i = 0; i < N_FOLDERS; i++) {
		const char *folder = w->ch->want->v[folders[i].s], *spelled, *old;
		const struct mm_item *now = mailbox_with(&w->at, folders[i].usage, &old);

		if (folder == NULL || (now != NULL && mm_streq(old, folder)))
			continue;
		spelled = mm_toml_spell_name(folder, w->at.a);
		if (spelled == NULL)
			return mm_err_set(err, MM_EX_DIFF, "'%s' cannot be the name of a mailbox", folder);
		if (now != NULL)
			mm_want_edit(&w->edits, w->at.a, MM_EDIT_SET, now->section, now->key, 's', "Normal");
		mm_want_edit(&w->edits, w->at.a, MM_EDIT_SET,
		    mm_arena_printf(w->at.a, "%s.%s", mailboxes_of(&w->at), spelled), "usage", 's',
		    folders[i].usage);
	}
	return 0;
}

static bool is_taken(const void *ctx, const char *name)
{
	const struct mm_toml_at *at = ctx;
	const char *const *tables;
	size_t n;

	tables = mm_toml_tables(at->doc, ACCOUNTS, at->a, &n);
	for (size_t i = 0; i < n; i++)
		if (mm_streq(tables[i], name))
			return true;
	return false;
}

/* `identity` may hold the name too. */
static void write_person(struct writer *w)
{
	static const enum mm_setting person[] = {MM_SET_ADDRESS, MM_SET_REAL_NAME, MM_SET_NONE};
	const char *identity = mm_get_toml(&w->at, "identity").text;

	if (identity == NULL || strchr(identity, '<') == NULL) {
		want(w, "identity", 's', w->ch->want->v[MM_SET_ADDRESS]);
		want(w, "display_name", 's', w->ch->want->v[MM_SET_REAL_NAME]);
	} else if (mm_wants_any(w->ch, person)) {
		want(w, "identity", 's',
		    mm_mailbox_print(mm_joined(w->ch, w->now, MM_SET_ADDRESS),
			mm_joined(w->ch, w->now, MM_SET_REAL_NAME), w->at.a));
		if (mm_toml_find(&w->at, "display_name") != NULL)
			want(w, "display_name", 's', w->ch->want->v[MM_SET_REAL_NAME]);
	}
}

static int write_account(struct writer *w, struct mm_err *err)
{
	write_person(w);
	if (write_in(w, err) != 0 || write_out(w, err) != 0)
		return -1;
	return write_folders(w, err);
}

static void start_account(struct mm_reader *r, struct writer *w, struct mm_edits *out)
{
	out->key = mm_free_name(w->ch->account, is_taken, &w->at, r->arena);
	w->at = account_at(w->at.doc, out->key, w->at.path, r->arena);
	w->is_new = is_new(r, w->at.doc);
	mm_want_edit(&w->edits, r->arena, MM_EDIT_SECTION_ADD, w->at.section, "", 's', NULL);
	want(w, "root_mailbox", 's', "INBOX");
	want(w, "format", 's', "imap");
	want(w, "subscribed_mailboxes", 'u', "[\"*\"]");
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct mm_doc d;
	struct writer w = {.ch = ch, .now = mm_seen_named(now, ch->key)};

	*out = (struct mm_edits){.key = ch->key};
	if (ch->kind == MM_CHANGE_REMOVE)
		return 0;
	if (mm_load_doc(r, p->path, &mm_format_meli, &d, err) != 0)
		return -1;
	w.at = account_at(&d, ch->key != NULL ? ch->key : "", p->path, r->arena);
	if (ch->kind == MM_CHANGE_ADD)
		start_account(r, &w, out);
	if (write_account(&w, err) != 0)
		return -1;
	mm_want_file(out, r->arena, p->path, &mm_format_meli, &w.edits, ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	if (out->n > 0 && mm_running(r, "meli"))
		out->note = "meli is running, and takes this over when it is started again.";
	return 0;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const char no_ca[] =
	    "meli takes the system's certificate authorities; it has no setting for others.";
	static const struct mm_cannot rows[] = {
	    {MM_SET_REPLY_TO, NULL, "meli has no Reply-To of an account."},
	    {MM_SET_ORGANISATION, NULL, "meli has no Organization of an account."},
	    {MM_SET_IN_PROTOCOL, "imap", "meli fetches mail from servers by IMAP, not by POP3."},
	    {MM_SET_IN_CA_FILE, NULL, no_ca}, {MM_SET_OUT_CA_FILE, NULL, no_ca},
	    {MM_SET_IN_PIN, NULL, "meli cannot pin a server's key."},
	    {MM_SET_OUT_PIN, NULL, "meli cannot pin a server's key."},
	    {MM_SET_IN_CLIENT_CERT, NULL, "meli has no client certificates."},
	    {MM_SET_OUT_CLIENT_CERT, NULL, "meli has no client certificates."},
	    {MM_SET_IN_TLS_MIN, "1.2", "meli has no setting for TLS versions; 1.2 is its floor."},
	    {MM_SET_OUT_TLS_MIN, "1.2", "meli has no setting for TLS versions; 1.2 is its floor."},
	    {MM_SET_IN_LEAVE_ON_SERVER, NULL, MM_CLIENT_NOT_ITS_BUSINESS},
	    {MM_SET_IN_AUTH, "password",
		"meli logs in to IMAP with a password; for tokens it wants a command that spells the whole "
		"SASL "
		"answer."},
	    {MM_SET_OUT_AUTH, "password none",
		"meli logs in to SMTP with a password; for tokens it wants a command that spells the whole "
		"SASL "
		"answer."},
	    {MM_SET_NONE, NULL, NULL}};

	(void)all;
	return mm_cannot(rows, s, value);
}

const struct mm_client mm_client_meli = {
    .name = "meli",
    .label = "meli",
    .programs = (const char *const[]){"meli", NULL},
    .incoming = true,
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
