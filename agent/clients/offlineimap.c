/*
 * offlineimap 3: edited in place, inside the repository. IMAP only.
 *
 * Files: $XDG_CONFIG_HOME/offlineimap/config before ~/.offlineimaprc. A
 * repository of type IMAP or Gmail that an account names as remoterepository
 * is an account of ours. `ssl = no` with the usual `starttls` goes on in clear
 * text where the server offers none: there is no STARTTLS that is required.
 * Keys that end in "eval" are Python, and win; the password command is written
 * as such an expression, and no other one is looked into. Without sslcacertfile
 * or cert_fingerprint the program refuses to connect.
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/keys.h"
#include "agent/clients/pylist.h"
#include "agent/formats/inis.h"
#include "common/text.h"

#define EVAL_HEAD "__import__(\"subprocess\").check_output(["
#define EVAL_TAIL "], text=True).rstrip(\"\\n\")"
#define SYSTEM_CAS "OS-DEFAULT"

static const struct mm_word auth_words[] = {{"PLAIN, LOGIN", "password"}, {"LOGIN, PLAIN", "password"},
    {"LOGIN", "password"}, {"PLAIN", "plain"}, {"CRAM-MD5", "cram-md5"}, {"GSSAPI", "gssapi"},
    {"XOAUTH2", "xoauth2"}, {"GSSAPI, XOAUTH2, CRAM-MD5, PLAIN, LOGIN", "password"}, {NULL, NULL}};
static const struct mm_word floor_words[] = {
    {"tls1_2", "1.2"}, {"tls1_1", "1.0"}, {"tls1", "1.0"}, {"ssl23", "1.0"}, {NULL, NULL}};

static const struct mm_key table[] = {
    {.s = MM_SET_IN_HOST, .key = "remotehost"},
    {.s = MM_SET_IN_PORT, .key = "remoteport"},
    {.s = MM_SET_IN_USERNAME, .key = "remoteuser"},
    {.s = MM_SET_IN_AUTH, .key = "auth_mechanisms", .words = auth_words, .dflt = "password"},
    {.s = MM_SET_IN_TLS_MIN, .key = "ssl_version", .words = floor_words, .dflt = "1.0"},
    {.s = MM_SET_IN_CA_FILE, .key = "sslcacertfile"},
    {.s = MM_SET_IN_CLIENT_CERT, .key = "sslclientcert", .also = "sslclientkey"},
};
#define N_TABLE (sizeof(table) / sizeof(table[0]))

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *const paths[] = {
	    mm_config_path(r, "offlineimap/config"), mm_home_path(r, ".offlineimaprc")};

	(void)err;
	return mm_find_first(r, "offlineimap", paths, 2, paths[1], create, places, n);
}

static bool is_on(struct mm_native v, bool dflt)
{
	const char *word = v.text != NULL ? mm_word_canon(mm_words_yes_no, v.text) : NULL;

	return word != NULL ? mm_streq(word, "yes") : dflt;
}

static void see_evals(struct mm_seen_account *s, const struct mm_in_section *in)
{
	static const struct {
		enum mm_setting s;
		const char *key;
	} evals[] = {{MM_SET_IN_HOST, "remotehosteval"}, {MM_SET_IN_PORT, "remoteporteval"},
	    {MM_SET_IN_USERNAME, "remoteusereval"}};

	for (size_t i = 0; i < 3; i++) {
		struct mm_native v = mm_py_get(in, evals[i].key);

		if (v.text != NULL)
			mm_see_over(&s->s[evals[i].s], v, evals[i].key,
			    "This is Python, which is not run to find out.");
	}
}

#define TUNNEL_NOTE "A program makes the connection, to wherever it likes."

/* Programs through which it speaks with whom they like. */
static void see_tunnels(struct mm_seen_account *s, const struct mm_in_section *in)
{
	static const char *const keys[] = {"transporttunnel", "preauthtunnel"};

	for (size_t i = 0; i < 2; i++) {
		struct mm_native v = mm_py_get(in, keys[i]);

		if (v.text == NULL)
			continue;
		mm_see_over(&s->s[MM_SET_IN_HOST], v, keys[i], TUNNEL_NOTE);
		mm_see_over(&s->s[MM_SET_IN_PORT], v, keys[i], TUNNEL_NOTE);
		mm_see_over(&s->verify, v, keys[i], NULL);
		if (i == 1) /* logged in already, and nothing is encrypted by us */
			mm_see_over(&s->s[MM_SET_IN_SECURITY], v, keys[i], TUNNEL_NOTE);
	}
}

static void see_password(struct mm_seen_account *s, const struct mm_in_section *in, struct mm_arena *a)
{
	struct mm_native eval = mm_py_get(in, "remotepasseval"), pass = mm_py_get(in, "remotepass");
	const char *argv = eval.text != NULL ? mm_py_argv(eval.text, EVAL_HEAD, EVAL_TAIL, a) : NULL;

	mm_see(s, MM_SET_IN_PASSWORD_COMMAND, eval, argv != NULL ? argv : eval.text);
	if (eval.text == NULL && pass.text != NULL)
		mm_see(s, MM_SET_IN_PASSWORD_COMMAND, pass, NULL);
}

static void see(struct mm_seen_account *s, const struct mm_in_section *in, struct mm_arena *a)
{
	struct mm_native ssl = mm_py_get(in, "ssl"), ca = mm_py_get(in, "sslcacertfile");
	bool gmail = mm_streq_nocase(mm_py_get(in, "type").text, "gmail"), tls = is_on(ssl, true);

	*s = (struct mm_seen_account){.key = in->section, .label = in->section, .has_incoming = true};
	mm_keys_see(table, N_TABLE, mm_py_get, in, a, s);
	mm_see(s, MM_SET_IN_PROTOCOL, mm_py_get(in, "type"), "imap");
	mm_see(s, MM_SET_IN_SECURITY, ssl, tls ? "tls" : "none");
	if (s->s[MM_SET_IN_HOST].value == NULL && gmail)
		mm_see(s, MM_SET_IN_HOST, mm_py_get(in, "type"), "imap.gmail.com");
	if (s->s[MM_SET_IN_PORT].value == NULL)
		mm_see(s, MM_SET_IN_PORT, (struct mm_native){.text = NULL}, tls ? "993" : "143");
	if (mm_streq(ca.text, SYSTEM_CAS))
		mm_see(s, MM_SET_IN_CA_FILE, ca, NULL);
	see_password(s, in, a);
	see_evals(s, in);
	see_tunnels(s, in);
}

static void traps(const struct mm_in_section *in, struct mm_arena *a, struct mm_view *out)
{
	struct mm_native ssl = mm_py_get(in, "ssl"), pass = mm_py_get(in, "remotepass");

	if (pass.text != NULL)
		mm_add_trap(a, out, MM_TRAP_PASSWORD, in->path, pass.line,
		    mm_arena_printf(a, "[%s] keeps its password in clear text in the file.", in->section))
		    ->key = in->section;
	/* imapserver.py: without ssl it begins TLS with nothing to verify by. */
	if (!is_on(ssl, true)) {
		struct mm_trap *t = mm_add_trap(a, out, MM_TRAP_NO_VERIFY, in->path, ssl.line,
		    "Without ssl offlineimap does not verify the server's certificate.");
		t->key = in->section;
		t->quiet = true;
	}
	if (!is_on(ssl, true) && is_on(mm_py_get(in, "starttls"), true))
		mm_add_trap(a, out, MM_TRAP_OPPORTUNISTIC, in->path, ssl.line,
		    mm_arena_printf(a,
			"[%s] goes on in clear text where the server offers no STARTTLS (ssl = no).",
			in->section))
		    ->key = in->section;
}

/* A remote repository: IMAP by its type. */
static bool is_account(const struct mm_doc *d, const struct mm_item *header)
{
	const struct mm_item *type;

	if (!mm_starts_with(header->section, "Repository "))
		return false;
	type = mm_doc_find(d, header->section, "type");
	if (type == NULL)
		type = mm_doc_find(d, "DEFAULT", "type");
	return type != NULL &&
	       (mm_streq_nocase(type->value, "imap") || mm_streq_nocase(type->value, "gmail"));
}

static void see_all(
    struct mm_seen_account *s, const struct mm_in_section *in, struct mm_arena *a, struct mm_view *out)
{
	see(s, in, a);
	traps(in, a, out);
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	static const struct mm_sections how = {
	    .format = &mm_format_pyini_percent, .is_account = is_account, .see = see_all};
	struct mm_doc d;

	if (mm_read_sections(r, p, &how, &d, out, err) != 0)
		return -1;
	for (size_t i = 0; i < d.n && out->n > 0; i++)
		if (d.items[i].wins &&
		    (strcmp(d.items[i].key, "proxy") == 0 || strcmp(d.items[i].key, "authproxy") == 0))
			mm_add_trap(r->arena, out, MM_TRAP_OTHER, p->path, d.items[i].line,
			    mm_arena_printf(r->arena, "'%s' " MM_THROUGH_PROXY, d.items[i].section));
	return 0;
}

struct writer {
	struct mm_edit_list edits;
	struct mm_arena *a;
	struct mm_in_section in;
};

static void want(struct writer *w, const char *section, const char *key, const char *value)
{
	mm_want_set(&w->edits, w->a, section, key, value);
}

static int write_account(
    struct writer *w, const struct mm_values *v, const struct mm_values *full, struct mm_err *err)
{
	const char *security = v->v[MM_SET_IN_SECURITY], *command = v->v[MM_SET_IN_PASSWORD_COMMAND];
	const char *section = w->in.section;

	if (mm_keys_want(table, N_TABLE, v, section, &w->edits, w->a, err) != 0)
		return -1;
	if (security != NULL) {
		want(w, section, "ssl", mm_streq(security, "tls") ? "yes" : "no");
		if (mm_streq(security, "none"))
			want(w, section, "starttls", "no");
	}
	if (v->v[MM_SET_IN_TLS_MIN] != NULL) /* the version counts only with it */
		want(w, section, "tls_level", "tls_secure");
	if (v->v[MM_SET_IN_CA_FILE] == NULL && mm_streq(full->v[MM_SET_IN_SECURITY], "tls") &&
	    mm_get_in_section(&w->in, "sslcacertfile").text == NULL &&
	    mm_get_in_section(&w->in, "cert_fingerprint").text == NULL)
		want(w, section, "sslcacertfile", SYSTEM_CAS);
	if (command == NULL)
		return 0;
	command = mm_py_list(command, EVAL_HEAD, EVAL_TAIL, w->a, err);
	want(w, section, "remotepasseval", command);
	return command != NULL ? 0 : -1;
}

static void part(struct writer *w, const char *name, const char *const (*rows)[2])
{
	mm_want_edit(&w->edits, w->a, MM_EDIT_SECTION_ADD, name, "", 's', NULL);
	for (; (*rows)[0] != NULL; rows++)
		want(w, name, (*rows)[0], (*rows)[1]);
}

static bool taken(const void *ctx, const char *name)
{
	const struct mm_doc *d = ctx;

	for (size_t i = 0; i < d->n; i++) {
		const char *blank = strchr(d->items[i].section, ' ');

		if (blank != NULL && strncmp(blank + 1, name, strlen(name)) == 0)
			return true;
	}
	return false;
}

/* An account, its two repositories, and its name in the list of accounts. */
static int add(struct writer *w, const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	const char *name = mm_free_name(ch->account, taken, w->in.doc, w->a);
	const char *remote = mm_arena_printf(w->a, "%s-remote", name),
		   *local = mm_arena_printf(w->a, "%s-local", name);
	const char *folder = mm_arena_printf(w->a, "~/Mail/%s", name);
	struct mm_in_section general = {.doc = w->in.doc, .section = "general", .path = w->in.path};
	const char *list = mm_get_in_section(&general, "accounts").text;

	mm_want_edit(&w->edits, w->a, MM_EDIT_SECTION_ADD, "general", "", 's', NULL);
	want(w, "general", "accounts",
	    list != NULL && list[0] != '\0' ? mm_arena_printf(w->a, "%s, %s", list, name) : name);
	part(w, mm_arena_printf(w->a, "Account %s", name),
	    (const char *const[][2]){{"localrepository", local}, {"remoterepository", remote}, {NULL}});
	part(w, mm_arena_printf(w->a, "Repository %s", local),
	    (const char *const[][2]){{"type", "Maildir"}, {"localfolders", folder}, {NULL}});
	w->in.section = out->key = mm_arena_printf(w->a, "Repository %s", remote);
	part(w, out->key, (const char *const[][2]){{"type", "IMAP"}, {NULL}});
	return write_account(w, ch->want, ch->full, err);
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct mm_doc d;
	struct writer w = {.a = r->arena, .in = {.doc = &d, .section = ch->key, .path = p->path}};
	int rc = 0;

	(void)now;
	*out = (struct mm_edits){.key = ch->key};
	if (ch->kind == MM_CHANGE_REMOVE)
		return 0;
	if (mm_load_doc(r, p->path, &mm_format_pyini_percent, &d, err) != 0)
		return -1;
	rc = ch->kind == MM_CHANGE_ADD ? add(&w, ch, out, err) : write_account(&w, ch->want, ch->full, err);
	if (rc == 0)
		mm_want_file(out, r->arena, p->path, &mm_format_pyini_percent, &w.edits,
		    ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	return rc;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const struct mm_cannot rows[] = {MM_CANNOT_IDENTITY,
	    {MM_SET_IN_PROTOCOL, "imap", "offlineimap speaks IMAP only."},
	    {MM_SET_IN_SECURITY, "tls none",
		"offlineimap goes on in clear text where the server offers no STARTTLS; it cannot require "
		"it."},
	    {MM_SET_IN_PIN, NULL, "offlineimap can pin a certificate, not a public key."},
	    {MM_SET_IN_TLS_MIN, "1.2", "offlineimap has no setting for TLS 1.3 alone."},
	    {MM_SET_IN_LEAVE_ON_SERVER, NULL, MM_CLIENT_NOT_ITS_BUSINESS},
	    {MM_SET_IN_AUTH, "password plain cram-md5 gssapi xoauth2",
		"offlineimap does not log in in this way."},
	    {MM_SET_NONE, NULL, NULL}};

	(void)all;
	return mm_cannot(rows, s, value);
}

const struct mm_client mm_client_offlineimap = {
    .name = "offlineimap",
    .label = "OfflineIMAP",
    .programs = (const char *const[]){"offlineimap", NULL},
    .incoming = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_OPENSSL,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
