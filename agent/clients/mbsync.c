/*
 * mbsync (isync): edited in place, inside IMAPAccount or, where the account's
 * data stand there, inside IMAPStore. IMAP only.
 *
 * File: ~/.mbsyncrc (isync 1.4.4 knows no other); isync 1.5 also has
 * $XDG_CONFIG_HOME/isyncrc, and calls SSLType and SSLVersions TLSType and
 * TLSVersions, which 1.4 refuses: a file's own word is kept. Of two sections
 * with one name the first counts, silently. The deprecated UseIMAPS,
 * RequireSSL and UseTLSv1 do not go together with SSLType and SSLVersions.
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/keys.h"
#include "agent/clients/sh.h"
#include "agent/formats/mbsyncrc.h"
#include "common/text.h"

static const struct mm_key table[] = {
    {.s = MM_SET_IN_PORT, .key = "Port"},
    {.s = MM_SET_IN_USERNAME, .key = "User"},
    {.s = MM_SET_IN_CA_FILE, .key = "CertificateFile"},
    {.s = MM_SET_IN_CLIENT_CERT, .key = "ClientCertificate", .also = "ClientKey"},
};
#define N_TABLE (sizeof(table) / sizeof(table[0]))

static const struct mm_word security_words[] = {
    {"IMAPS", "tls"}, {"STARTTLS", "starttls"}, {"None", "none"}, {NULL, NULL}};
/* LOGIN is the command of the protocol, not SASL's. */
static const struct mm_word auth_words[] = {{"*", "password"}, {"LOGIN", "password"},
    {"PLAIN LOGIN", "password"}, {"LOGIN PLAIN", "password"}, {"PLAIN", "plain"}, {"CRAM-MD5", "cram-md5"},
    {"SCRAM-SHA-256", "scram-sha-256"}, {"GSSAPI", "gssapi"}, {"XOAUTH2", "xoauth2"},
    {"OAUTHBEARER", "oauthbearer"}, {"EXTERNAL", "external"}, {NULL, NULL}};
static const struct mm_word floor_words[] = {{"TLSv1.2 TLSv1.3", "1.2"}, {"TLSv1.3", "1.3"},
    {"TLSv1.3 TLSv1.2", "1.2"}, {"TLSv1.2", "1.2"}, {NULL, NULL}};
/* Each of them makes mbsync refuse a section that has SSLType or SSLVersions. */
static const char *const deprecated[] = {
    "RequireSSL", "UseIMAPS", "UseSSLv2", "UseSSLv3", "UseTLSv1", "UseTLSv1.1", "UseTLSv1.2", NULL};

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *const paths[] = {mm_home_path(r, ".mbsyncrc"), mm_config_path(r, "isyncrc")};
	int rc = mm_find_first(r, "mbsync", paths, 2, paths[0], create, places, n);
	const char **dirs;

	(void)err;
	if (*n == 0 || !create)
		return rc;
	dirs = mm_arena_alloc(r->arena, 2, sizeof(*dirs));
	dirs[0] = mm_home_path(r, "Mail");
	(*places)[0].extra_dirs = dirs;
	return rc;
}

static struct mm_native get(const struct mm_in_section *in, const char *key, const char *other)
{
	struct mm_native v = mm_get_in_section(in, key);

	return v.text == NULL && other != NULL ? mm_get_in_section(in, other) : v;
}

static bool yes(struct mm_native v)
{
	return v.text != NULL && mm_streq(mm_word_canon(mm_words_yes_no, v.text), "yes");
}

/* "imaps:host", "imaps://host" of former days. */
static const char *plain_host(const char *text, bool *imaps)
{
	*imaps = mm_starts_with(text, "imaps:");
	if (*imaps || mm_starts_with(text, "imap:"))
		text = strchr(text, ':') + 1;
	return mm_starts_with(text, "//") ? text + 2 : text;
}

static void see_server(struct mm_seen_account *s, const struct mm_in_section *in)
{
	struct mm_native host = get(in, "Host", NULL), type = get(in, "SSLType", "TLSType");
	struct mm_native use = get(in, "UseIMAPS", NULL), require = get(in, "RequireSSL", NULL);
	bool imaps = false;
	const char *name = host.text != NULL ? plain_host(host.text, &imaps) : NULL, *word;

	mm_see(s, MM_SET_IN_HOST, host, name);
	word = type.text != NULL ? mm_word_canon(security_words, type.text) : imaps ? "tls" : "starttls";
	if (type.text == NULL && use.text != NULL) {
		type = use;
		word = yes(use) || imaps ? "tls" : "starttls";
	}
	if (mm_streq(word, "starttls") && require.text != NULL && !yes(require)) {
		type = require;
		word = "none"; /* encrypted where the server likes to */
	}
	if (type.text == NULL && imaps)
		type = host;
	mm_see(s, MM_SET_IN_SECURITY, type, word != NULL ? word : type.text);
	if (s->s[MM_SET_IN_PORT].value == NULL)
		mm_see(s, MM_SET_IN_PORT, (struct mm_native){.text = NULL},
		    mm_streq(word, "tls") ? "993" : "143");
}

static const char *floor_of(const char *versions)
{
	static const char *const old[] = {"SSLv3", "TLSv1.1", "TLSv1", NULL};
	const char *word = versions != NULL ? mm_word_canon(floor_words, versions) : "1.0";

	for (size_t i = 0; word == NULL && old[i] != NULL; i++)
		if (strcasestr(versions, old[i]) != NULL && !mm_streq_nocase(versions, "TLSv1.3"))
			word = "1.0";
	return word != NULL ? word : versions;
}

static void see_password(struct mm_seen_account *s, const struct mm_in_section *in, struct mm_arena *a)
{
	struct mm_native command = get(in, "PassCmd", NULL), pass = get(in, "Pass", NULL);
	struct mm_native user = get(in, "UserCmd", NULL), tunnel = get(in, "Tunnel", NULL);
	const char *line = command.text;

	if (line != NULL && line[0] == '+')
		line++;
	mm_see(s, MM_SET_IN_PASSWORD_COMMAND, command, line != NULL ? mm_sh_argv(line, a) : NULL);
	if (pass.text != NULL)
		mm_see_over(&s->s[MM_SET_IN_PASSWORD_COMMAND], pass, "Pass",
		    "A password stands in the file; mbsync takes no command beside it.");
	if (user.text != NULL)
		mm_see_over(&s->s[MM_SET_IN_USERNAME], user, "UserCmd",
		    "The user name is the output of a command, which is not run to find out.");
	if (tunnel.text == NULL)
		return;
	mm_see_over(&s->verify, tunnel, "Tunnel", NULL);
	mm_see_over(&s->s[MM_SET_IN_HOST], tunnel, "Tunnel",
	    "mbsync speaks with the program that Tunnel names, not with Host.");
}

static void see(struct mm_seen_account *s, const struct mm_in_section *in, struct mm_arena *a)
{
	struct mm_native auth = get(in, "AuthMechs", "AuthMech"), v;
	const char *word = auth.text != NULL ? mm_word_canon(auth_words, auth.text) : "password";

	*s = (struct mm_seen_account){.key = in->section, .label = in->section, .has_incoming = true};
	mm_keys_see(table, N_TABLE, mm_get_in_section, in, a, s);
	mm_see(s, MM_SET_IN_PROTOCOL, (struct mm_native){.text = NULL}, "imap");
	see_server(s, in);
	mm_see(s, MM_SET_IN_AUTH, auth, word != NULL ? word : auth.text);
	see_password(s, in, a);
	v = get(in, "SSLVersions", "SSLVersion");
	if (v.text == NULL)
		v = get(in, "TLSVersions", NULL);
	mm_see(s, MM_SET_IN_TLS_MIN, v, floor_of(v.text));
}

static void traps(
    const struct mm_seen_account *s, const struct mm_in_section *in, struct mm_arena *a, struct mm_view *out)
{
	struct mm_native pass = get(in, "Pass", NULL);
	const struct mm_seen *security = &s->s[MM_SET_IN_SECURITY];

	if (pass.text != NULL)
		mm_add_trap(a, out, MM_TRAP_PASSWORD, in->path, pass.line,
		    mm_arena_printf(a, "%s keeps its password in clear text in the file.", in->section))
		    ->key = in->section;
	if (mm_streq(security->value, "none") && get(in, "Tunnel", NULL).text == NULL)
		mm_add_trap(a, out, MM_TRAP_CLEAR, in->path, security->line,
		    mm_arena_printf(a,
			"%s does without encryption: mbsync sends the password in clear text where the "
			"server lets it.",
			in->section))
		    ->key = in->section;
}

/* What makes mbsync refuse the file, or means nothing. */
static void look_around(const struct mm_doc *d, const char *path, struct mm_arena *a, struct mm_view *out)
{
	static const char *const inside[] = {"Host", "Port", "User", "UserCmd", "Pass", "PassCmd", "SSLType",
	    "SSLVersions", "AuthMechs", NULL};

	for (size_t i = 0; i < d->n; i++) {
		const struct mm_item *it = &d->items[i];
		const char *copy = strchr(it->section, '\n');

		if (it->kind == 'c' && copy != NULL)
			mm_add_trap(a, out, MM_TRAP_OTHER, path, it->line,
			    mm_arena_printf(a, "A second %.*s: mbsync takes the first and says nothing.",
				(int)(copy - it->section), it->section));
		for (size_t k = 0; it->kind != 'c' && it->section[0] == '\0' && inside[k] != NULL; k++)
			if (strcmp(it->key, inside[k]) == 0)
				mm_add_trap(a, out, MM_TRAP_OTHER, path, it->line,
				    mm_arena_printf(a,
					"%s stands behind an empty line, which ends the section: mbsync "
					"refuses the whole file.",
					it->key));
	}
}

static bool is_account(const struct mm_doc *d, const struct mm_item *header)
{
	static const char *const keys[] = {"Host", "Tunnel", "User", "UserCmd", NULL};

	if (strchr(header->section, '\n') != NULL)
		return false;
	if (mm_starts_with(header->section, "IMAPAccount "))
		return true;
	for (size_t i = 0; mm_starts_with(header->section, "IMAPStore ") && keys[i] != NULL; i++)
		if (mm_doc_find(d, header->section, keys[i]) != NULL)
			return true;
	return false;
}

static void see_all(
    struct mm_seen_account *s, const struct mm_in_section *in, struct mm_arena *a, struct mm_view *out)
{
	see(s, in, a);
	traps(s, in, a, out);
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	static const struct mm_sections how = {
	    .format = &mm_format_mbsyncrc, .is_account = is_account, .see = see_all};
	struct mm_doc d;

	if (mm_read_sections(r, p, &how, &d, out, err) != 0)
		return -1;
	look_around(&d, p->path, r->arena, out);
	return 0;
}

struct writer {
	struct mm_edit_list edits;
	struct mm_arena *a;
	const struct mm_doc *doc;
	const char *section;
};

static bool has(const struct writer *w, const char *key)
{
	return mm_doc_find(w->doc, w->section, key) != NULL;
}

static void want(struct writer *w, const char *key, const char *value)
{
	mm_want_set(&w->edits, w->a, w->section, key, value);
}

static void drop(struct writer *w, const char *key)
{
	if (has(w, key))
		mm_want_edit(&w->edits, w->a, MM_EDIT_DELETE, w->section, key, 's', NULL);
}

/* The word that this file has for it, else the one of isync 1.4. */
static const char *own_word(const struct writer *w, const char *usual, const char *newer)
{
	for (size_t i = 0; i < w->doc->n; i++)
		if (strcmp(w->doc->items[i].key, "TLSType") == 0 ||
		    strcmp(w->doc->items[i].key, "TLSVersions") == 0)
			return newer;
	return usual;
}

static void write_tls(struct writer *w, const struct mm_values *v, const struct mm_values *full)
{
	const char *security = v->v[MM_SET_IN_SECURITY], *floor = v->v[MM_SET_IN_TLS_MIN];
	const char *host = v->v[MM_SET_IN_HOST];
	bool any = security != NULL || floor != NULL, plain = true;

	for (size_t i = 0; any && deprecated[i] != NULL; i++) {
		plain = plain && !has(w, deprecated[i]);
		drop(w, deprecated[i]);
	}
	/* What those said must be said anew. */
	if (security == NULL && !plain)
		security = full->v[MM_SET_IN_SECURITY];
	if (host == NULL && security != NULL && has(w, "Host"))
		host = full->v[MM_SET_IN_HOST];
	want(w, "Host", host);
	if (security != NULL)
		want(w, own_word(w, "SSLType", "TLSType"), mm_word_native(security_words, security));
	if (floor != NULL)
		want(w, has(w, "SSLVersion") ? "SSLVersion" : own_word(w, "SSLVersions", "TLSVersions"),
		    mm_word_native(floor_words, floor));
}

static int write_account(
    struct writer *w, const struct mm_values *v, const struct mm_values *full, struct mm_err *err)
{
	const char *command = v->v[MM_SET_IN_PASSWORD_COMMAND], *auth = v->v[MM_SET_IN_AUTH];

	write_tls(w, v, full);
	if (mm_keys_want(table, N_TABLE, v, w->section, &w->edits, w->a, err) != 0)
		return -1;
	if (auth != NULL || (v->v[MM_SET_IN_SECURITY] != NULL && has(w, "AuthMechs"))) {
		auth = mm_word_native(auth_words, auth != NULL ? auth : full->v[MM_SET_IN_AUTH]);
		/* Without TLS `*` stands for what is secure by itself. */
		if (mm_streq(auth, "*") && mm_streq(full->v[MM_SET_IN_SECURITY], "none"))
			auth = "LOGIN";
		want(w, has(w, "AuthMech") ? "AuthMech" : "AuthMechs", auth);
	}
	if (command == NULL)
		return 0;
	command = mm_sh_line(command, w->a, err);
	want(w, "PassCmd", command);
	return command != NULL ? 0 : -1;
}

static bool taken(const void *ctx, const char *name)
{
	const struct mm_doc *d = ctx;
	size_t n = strlen(name);

	for (size_t i = 0; i < d->n; i++) {
		const char *s = d->items[i].section, *blank = strchr(s, ' ');

		if (blank != NULL && strncmp(blank + 1, name, n) == 0 &&
		    (blank[1 + n] == '\0' || mm_streq(blank + 1 + n, "-remote") ||
			mm_streq(blank + 1 + n, "-local")))
			return true;
	}
	return false;
}

static void part(struct writer *w, const char *section, const char *const (*rows)[2])
{
	mm_want_edit(&w->edits, w->a, MM_EDIT_SECTION_ADD, section, "", 's', NULL);
	for (; (*rows)[0] != NULL; rows++)
		mm_want_set(&w->edits, w->a, section, (*rows)[0], (*rows)[1]);
}

/* An account alone does nothing: a store, a place below ~/Mail, and a channel
 * that deletes nothing on either side. */
static int add(struct writer *w, const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	const char *name = mm_free_name(ch->account, taken, w->doc, w->a);
	const char *remote = mm_arena_printf(w->a, "%s-remote", name);
	const char *local = mm_arena_printf(w->a, "%s-local", name);
	const char *inbox = mm_arena_printf(w->a, "~/Mail/%s/INBOX", name);
	const char *far = mm_arena_printf(w->a, ":%s:", remote),
		   *near = mm_arena_printf(w->a, ":%s:%s/", local, name);

	w->section = out->key = mm_arena_printf(w->a, "IMAPAccount %s", name);
	mm_want_edit(&w->edits, w->a, MM_EDIT_SECTION_ADD, out->key, "", 's', NULL);
	if (write_account(w, ch->want, ch->full, err) != 0)
		return -1;
	part(w, mm_arena_printf(w->a, "IMAPStore %s", remote),
	    (const char *const[][2]){{"Account", name}, {NULL}});
	part(w, mm_arena_printf(w->a, "MaildirStore %s", local),
	    (const char *const[][2]){
		{"Path", "~/Mail/"}, {"Inbox", inbox}, {"SubFolders", "Verbatim"}, {NULL}});
	part(w, mm_arena_printf(w->a, "Channel %s", name),
	    (const char *const[][2]){{"Far", far}, {"Near", near}, {"Patterns", "INBOX *"},
		{"Create", "Near"}, {"Remove", "None"}, {"Expunge", "None"}, {NULL}});
	return 0;
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct mm_doc d;
	struct writer w = {.a = r->arena, .section = ch->key, .doc = &d};
	int rc = 0;

	(void)now;
	*out = (struct mm_edits){.key = ch->key};
	if (mm_load_doc(r, p->path, &mm_format_mbsyncrc, &d, err) != 0)
		return -1;
	if (ch->kind == MM_CHANGE_ADD)
		rc = add(&w, ch, out, err);
	else if (ch->kind == MM_CHANGE_SET)
		rc = write_account(&w, ch->want, ch->full, err);
	if (rc == 0)
		mm_want_file(out, r->arena, p->path, &mm_format_mbsyncrc, &w.edits,
		    ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	return rc;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const struct mm_cannot rows[] = {MM_CANNOT_IDENTITY,
	    {MM_SET_IN_PROTOCOL, "imap", "mbsync speaks IMAP only."},
	    {MM_SET_IN_PIN, NULL, "mbsync can pin a certificate, not a public key."},
	    {MM_SET_IN_LEAVE_ON_SERVER, NULL, MM_CLIENT_NOT_ITS_BUSINESS},
	    {MM_SET_IN_AUTH, "password plain cram-md5 scram-sha-256 gssapi xoauth2 oauthbearer external",
		"mbsync has no such mechanism; LOGIN is the command of IMAP there."},
	    {MM_SET_NONE, NULL, NULL}};

	(void)all;
	if (s == MM_SET_IN_PASSWORD_COMMAND && strlen(value) > MM_MBSYNCRC_LINE_MAX / 2)
		return "The password command is too long for a line of mbsync's configuration.";
	return mm_cannot(rows, s, value);
}

const struct mm_client mm_client_mbsync = {
    .name = "mbsync",
    .label = "mbsync (isync)",
    .programs = (const char *const[]){"mbsync", NULL},
    .package = "isync",
    .incoming = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_OPENSSL,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
