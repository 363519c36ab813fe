/*
 * getmail 6: edited in place; one file is one account.
 *
 * Files: in $XDG_CONFIG_HOME/getmail where that folder exists, else in
 * ~/.getmail: getmailrc, and where that is missing every file but those that
 * begin with a dot or "oldmail-" or end in ".json". `type` joins protocol and
 * security; there is no STARTTLS (6.18). Without `ca_certs` no certificate is
 * verified: it is always written. `password` wins over `password_command`,
 * which is a Python tuple. Mail is deleted only where [options] says so.
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/keys.h"
#include "agent/clients/pylist.h"
#include "agent/formats/inis.h"
#include "common/text.h"

#define ACCOUNT "retriever"
#define SYSTEM_CAS "/etc/ssl/certs/ca-certificates.crt"

static const struct mm_word floor_words[] = {{"tlsv1_2", "1.2"}, {"tlsv1_3", "1.3"}, {"sslv23", "1.0"},
    {"tlsv1", "1.0"}, {"tlsv1_1", "1.0"}, {NULL, NULL}};

static const struct mm_key table[] = {
    {.s = MM_SET_IN_HOST, .key = "server"},
    {.s = MM_SET_IN_PORT, .key = "port"},
    {.s = MM_SET_IN_USERNAME, .key = "username"},
    {.s = MM_SET_IN_CA_FILE, .key = "ca_certs"},
    {.s = MM_SET_IN_TLS_MIN, .key = "ssl_version", .words = floor_words, .dflt = "1.0"},
    {.s = MM_SET_IN_CLIENT_CERT, .key = "certfile", .also = "keyfile"},
};
#define N_TABLE (sizeof(table) / sizeof(table[0]))

static bool is_config(const char *name)
{
	return name[0] != '.' && !mm_starts_with(name, "oldmail-") && !mm_ends_with(name, ".json");
}

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *dir = mm_config_path(r, "getmail"), *const *names = NULL, **paths, **dirs, *usual;
	size_t count = 0, known = 0;

	if (r->list(r, dir, &names, err) != 1) {
		dir = mm_home_path(r, ".getmail");
		if (r->list(r, dir, &names, err) != 1)
			names = NULL;
	}
	while (names != NULL && names[count] != NULL)
		count++;
	paths = mm_arena_alloc(r->arena, count + 1, sizeof(*paths));
	usual = mm_arena_printf(r->arena, "%s/getmailrc", dir);
	if (mm_have_file(r, usual))
		paths[known++] = usual;
	for (size_t i = 0; i < count && !mm_have_file(r, usual); i++)
		if (is_config(names[i]))
			paths[known++] = mm_arena_printf(r->arena, "%s/%s", dir, names[i]);
	mm_find_first(r, "getmail", paths, known, usual, create, places, n);
	dirs = mm_arena_alloc(r->arena, 2, sizeof(*dirs));
	dirs[0] = dir;
	if (*n == 1 && !(*places)[0].exists)
		(*places)[0].extra_dirs = dirs;
	return 0;
}

static struct mm_native option(const struct mm_in_section *in, const char *key)
{
	struct mm_in_section options = {.doc = in->doc, .section = "options", .path = in->path};

	return mm_get_in_section(&options, key);
}

static bool yes(struct mm_native v)
{
	return v.text != NULL && mm_streq(mm_word_canon(mm_words_yes_no, v.text), "yes");
}

static bool deletes_later(const struct mm_in_section *in)
{
	struct mm_native after = option(in, "delete_after");

	return after.text != NULL && !mm_streq(after.text, "0");
}

static void see_type(struct mm_seen_account *s, const struct mm_in_section *in, struct mm_arena *a)
{
	struct mm_native v = mm_get_in_section(in, "type");
	bool tls = v.text != NULL && strstr(v.text, "SSL") != NULL;
	const char *protocol = v.text == NULL                   ? NULL
			       : strstr(v.text, "IMAP") != NULL ? "imap"
			       : strstr(v.text, "POP3") != NULL ? "pop3"
								: NULL;

	mm_see(s, MM_SET_IN_PROTOCOL, v, protocol != NULL ? protocol : v.text);
	mm_see(s, MM_SET_IN_SECURITY, v, tls ? "tls" : "none");
	if (s->s[MM_SET_IN_PORT].value == NULL && protocol != NULL)
		mm_see(s, MM_SET_IN_PORT, (struct mm_native){.text = NULL},
		    mm_arena_printf(a, "%d", mm_default_port(protocol, tls ? "tls" : "none")));
}

static void see(struct mm_seen_account *s, const struct mm_in_section *in, struct mm_arena *a)
{
	struct mm_native command = mm_get_in_section(in, "password_command"), cram, token;
	struct mm_native password = mm_get_in_section(in, "password");
	const char *argv = command.text != NULL ? mm_py_argv(command.text, "(", ")", a) : NULL;

	*s = (struct mm_seen_account){.key = ACCOUNT, .label = in->path, .has_incoming = true};
	mm_keys_see(table, N_TABLE, mm_get_in_section, in, a, s);
	see_type(s, in, a);
	mm_see(s, MM_SET_IN_PASSWORD_COMMAND, command, argv != NULL ? argv : command.text);
	cram = mm_get_in_section(in, "use_cram_md5");
	token = mm_get_in_section(in, "use_xoauth2");
	mm_see(s, MM_SET_IN_AUTH, yes(cram) ? cram : token,
	    yes(cram)    ? "cram-md5"
	    : yes(token) ? "xoauth2"
			 : "password");
	mm_see(s, MM_SET_IN_LEAVE_ON_SERVER, option(in, deletes_later(in) ? "delete_after" : "delete"),
	    yes(option(in, "delete")) || deletes_later(in) ? "no" : "yes");
	if (password.text != NULL)
		mm_see_over(&s->s[MM_SET_IN_PASSWORD_COMMAND], password, "password",
		    "A password stands in the file; getmail then never runs the command.");
}

static void traps(
    const struct mm_in_section *in, const struct mm_seen_account *s, struct mm_arena *a, struct mm_view *out)
{
	struct mm_native password = mm_get_in_section(in, "password"), after = option(in, "delete_after");
	const struct mm_seen *security = &s->s[MM_SET_IN_SECURITY];

	if (password.text != NULL)
		mm_add_trap(a, out, MM_TRAP_PASSWORD, in->path, password.line,
		    "The password stands in clear text in the file.")
		    ->key = s->key;
	if (mm_streq(security->value, "none"))
		mm_add_trap(a, out, MM_TRAP_CLEAR, in->path, security->line,
		    "This type of retriever uses no encryption: the password is sent in clear text.")
		    ->key = s->key;
	else if (mm_get_in_section(in, "ca_certs").text == NULL)
		mm_add_trap(a, out, MM_TRAP_NO_VERIFY, in->path, security->line,
		    "Without ca_certs getmail does not verify the server's certificate.")
		    ->key = s->key;
	if (mm_get_in_section(in, "ssl_cert_hostname").text != NULL)
		mm_add_trap(a, out, MM_TRAP_CHAIN_ONLY, in->path,
		    mm_get_in_section(in, "ssl_cert_hostname").line,
		    "The certificate of another name is taken (ssl_cert_hostname).")
		    ->key = s->key;
	if (yes(option(in, "delete")))
		mm_add_trap(a, out, MM_TRAP_OTHER, in->path, option(in, "delete").line,
		    "Fetched mail is deleted from the server.")
		    ->key = s->key;
	if (deletes_later(in))
		mm_add_trap(a, out, MM_TRAP_OTHER, in->path, after.line,
		    "Mail is deleted from the server after a number of days (delete_after).")
		    ->key = s->key;
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	struct mm_doc d;
	struct mm_in_section in = {.doc = &d, .section = ACCOUNT, .path = p->path};

	*out = (struct mm_view){0};
	if (mm_load_doc(r, p->path, &mm_format_pyini, &d, err) != 0)
		return -1;
	for (size_t i = 0; i < d.n && out->n == 0; i++) {
		if (d.items[i].kind != 'c' || strcmp(d.items[i].section, ACCOUNT) != 0)
			continue;
		out->accounts = mm_arena_alloc(r->arena, 1, sizeof(*out->accounts));
		out->n = 1;
		see(out->accounts, &in, r->arena);
		traps(&in, out->accounts, r->arena, out);
	}
	return 0;
}

struct writer {
	struct mm_edit_list edits;
	struct mm_arena *a;
	const struct mm_change *ch;
	struct mm_in_section in;
};

static void want(struct writer *w, const char *section, const char *key, const char *value)
{
	mm_want_set(&w->edits, w->a, section, key, value);
}

/* "Simple", "Multidrop" or "BrokenUIDL" stays where the protocol does. */
static const char *type_of(const struct writer *w)
{
	static const char *const kinds[] = {"Multidrop", "BrokenUIDL", NULL};
	const char *old = mm_get_in_section(&w->in, "type").text, *kind = "Simple";
	const char *protocol = mm_streq(w->ch->full->v[MM_SET_IN_PROTOCOL], "imap") ? "IMAP" : "POP3";

	for (size_t i = 0; old != NULL && kinds[i] != NULL; i++)
		if (mm_starts_with(old, kinds[i]) && strstr(old, protocol) != NULL)
			kind = kinds[i];
	return mm_arena_printf(w->a, "%s%s%sRetriever", kind, protocol,
	    mm_streq(w->ch->full->v[MM_SET_IN_SECURITY], "tls") ? "SSL" : "");
}

static int write_account(struct writer *w, struct mm_err *err)
{
	const struct mm_values *v = w->ch->want;
	const char *command = v->v[MM_SET_IN_PASSWORD_COMMAND], *auth = v->v[MM_SET_IN_AUTH];
	bool type = v->v[MM_SET_IN_PROTOCOL] != NULL || v->v[MM_SET_IN_SECURITY] != NULL;

	if (type)
		want(w, ACCOUNT, "type", type_of(w));
	if (mm_keys_want(table, N_TABLE, v, ACCOUNT, &w->edits, w->a, err) != 0)
		return -1;
	if (v->v[MM_SET_IN_CA_FILE] == NULL && mm_get_in_section(&w->in, "ca_certs").text == NULL &&
	    mm_streq(w->ch->full->v[MM_SET_IN_SECURITY], "tls"))
		want(w, ACCOUNT, "ca_certs", SYSTEM_CAS);
	if (auth != NULL && (mm_streq(auth, "cram-md5") || yes(mm_get_in_section(&w->in, "use_cram_md5"))))
		want(w, ACCOUNT, "use_cram_md5", mm_streq(auth, "cram-md5") ? "true" : "false");
	if (auth != NULL && (mm_streq(auth, "xoauth2") || yes(mm_get_in_section(&w->in, "use_xoauth2"))))
		want(w, ACCOUNT, "use_xoauth2", mm_streq(auth, "xoauth2") ? "true" : "false");
	if (command == NULL)
		return 0;
	command = mm_py_list(command, "(", ")", w->a, err);
	want(w, ACCOUNT, "password_command", command);
	return command != NULL ? 0 : -1;
}

static void section(struct writer *w, const char *name)
{
	mm_want_edit(&w->edits, w->a, MM_EDIT_SECTION_ADD, name, "", 's', NULL);
}

static int add(struct writer *w, const struct mm_view *now, struct mm_err *err)
{
	struct mm_in_section to = {.doc = w->in.doc, .section = "destination", .path = w->in.path};

	if (now != NULL && now->n > 0)
		return mm_err_set(
		    err, MM_EX_DIFF, "getmail keeps one account in a file, and this one has another");
	section(w, ACCOUNT);
	if (write_account(w, err) != 0)
		return -1;
	if (mm_get_in_section(&to, "type").text == NULL) {
		section(w, "destination");
		want(w, "destination", "type", "Mboxrd");
		want(w, "destination", "path", "~/mbox");
	}
	section(w, "options");
	want(w, "options", "delete", "false");
	return 0;
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct mm_doc d;
	struct writer w = {.a = r->arena, .ch = ch, .in = {.doc = &d, .section = ACCOUNT, .path = p->path}};
	bool keep = ch->kind == MM_CHANGE_SET && ch->want->v[MM_SET_IN_LEAVE_ON_SERVER] != NULL;
	int rc = 0;

	*out = (struct mm_edits){.key = ACCOUNT};
	if (ch->kind == MM_CHANGE_REMOVE)
		return 0;
	if (mm_load_doc(r, p->path, &mm_format_pyini, &d, err) != 0)
		return -1;
	rc = ch->kind == MM_CHANGE_ADD ? add(&w, now, err) : write_account(&w, err);
	if (rc == 0 && keep) {
		section(&w, "options");
		want(&w, "options", "delete", "false");
		if (deletes_later(&w.in))
			want(&w, "options", "delete_after", "0");
	}
	if (rc == 0)
		mm_want_file(
		    out, r->arena, p->path, &mm_format_pyini, &w.edits, ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	return rc;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const struct mm_cannot rows[] = {MM_CANNOT_IDENTITY,
	    {MM_SET_IN_SECURITY, "tls none", "getmail 6 has no STARTTLS."},
	    {MM_SET_IN_PIN, NULL, "getmail can pin a certificate, not a public key."},
	    {MM_SET_IN_TLS_MIN, "1.2", "getmail has no setting for TLS 1.3 alone."},
	    {MM_SET_IN_LEAVE_ON_SERVER, "yes", MM_FETCHER_NEVER_DELETES},
	    {MM_SET_IN_AUTH, "password cram-md5 xoauth2", "getmail does not log in in this way."},
	    {MM_SET_NONE, NULL, NULL}};

	(void)all;
	return mm_cannot(rows, s, value);
}

const struct mm_client mm_client_getmail = {
    .name = "getmail",
    .label = "getmail 6",
    .programs = (const char *const[]){"getmail", NULL},
    .incoming = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_OPENSSL,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
