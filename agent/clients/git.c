/*
 * git send-email: [sendemail] of the user's configuration, edited in place.
 *
 * Files: $XDG_CONFIG_HOME/git/config, then ~/.gitconfig, which wins; the
 * latter is written where it is there. [sendemail "NAME"] is an identity that
 * takes over what it does not set itself. smtpencryption is `tls` (STARTTLS)
 * or `ssl`, in lower case: anything else means clear text, and git says "Sent".
 * There is no password command but git's own credential helpers. Included
 * files make all of it uncertain, unless they say nothing of it.
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/mailurl.h"
#include "agent/formats/inis.h"
#include "common/text.h"

#define BASE "sendemail"

static const struct mm_word security_words[] = {{"ssl", "tls"}, {"tls", "starttls"}, {NULL, NULL}};
static const struct mm_word auth_words[] = {{"PLAIN LOGIN", "password"}, {"PLAIN", "plain"},
    {"LOGIN", "login"}, {"CRAM-MD5", "cram-md5"}, {"SCRAM-SHA-256", "scram-sha-256"}, {"XOAUTH2", "xoauth2"},
    {"OAUTHBEARER", "oauthbearer"}, {"GSSAPI", "gssapi"}, {"EXTERNAL", "external"}, {"none", "none"},
    {NULL, NULL}};

static const struct mm_key table[] = {
    {.s = MM_SET_OUT_HOST, .key = "smtpserver"},
    {.s = MM_SET_OUT_PORT, .key = "smtpserverport"},
    {.s = MM_SET_OUT_USERNAME, .key = "smtpuser"},
    {.s = MM_SET_OUT_AUTH, .key = "smtpauth", .words = auth_words, .dflt = "password"},
    {.s = MM_SET_OUT_CA_FILE, .key = "smtpsslcertpath"},
};
#define N_TABLE (sizeof(table) / sizeof(table[0]))

struct files { /* the one that wins first */
	struct mm_doc doc[2];
	const char *path[2];
	const char *section;
};

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *const paths[] = {mm_home_path(r, ".gitconfig"), mm_config_path(r, "git/config")};

	(void)err;
	return mm_find_first(r, "git", paths, 2, paths[0], create, places, n);
}

static int load(struct mm_reader *r, const struct mm_place *p, struct files *f, struct mm_err *err)
{
	const char *home = mm_home_path(r, ".gitconfig"), *xdg = mm_config_path(r, "git/config");

	*f = (struct files){.path = {p->path, mm_streq(p->path, home) ? xdg : home}};
	if (mm_load_doc(r, f->path[0], &mm_format_gitconfig, &f->doc[0], err) != 0)
		return -1;
	return p->in_use ? mm_load_doc(r, f->path[1], &mm_format_gitconfig, &f->doc[1], err) : 0;
}

static struct mm_native in_files(const struct files *f, const char *section, const char *key)
{
	struct mm_native v = {.text = NULL};

	for (size_t i = 0; i < 2 && v.text == NULL; i++) {
		struct mm_in_section in = {.doc = &f->doc[i], .section = section, .path = f->path[i]};

		v = mm_get_in_section(&in, key);
	}
	return v;
}

static struct mm_native get(const void *ctx, const char *key)
{
	const struct files *f = ctx;
	struct mm_native v = in_files(f, f->section, key);

	return v.text == NULL ? in_files(f, BASE, key) : v;
}

static void see_sender(struct mm_seen_account *s, const struct files *f, struct mm_arena *a)
{
	struct mm_native from = get(f, "from"), name, email;
	const char *real = NULL;

	if (from.text != NULL) {
		mm_see(s, MM_SET_ADDRESS, from, mm_mailbox_parse(from.text, a, &real));
		mm_see(s, MM_SET_REAL_NAME, from, real);
		return;
	}
	name = in_files(f, "user", "name");
	email = in_files(f, "user", "email");
	mm_see(s, MM_SET_ADDRESS, email, email.text);
	mm_see(s, MM_SET_REAL_NAME, name, name.text);
}

static void see(struct mm_seen_account *s, const struct files *f, struct mm_arena *a)
{
	struct mm_native server = get(f, "smtpserver"), how = get(f, "smtpencryption");
	const char *security = "none";

	*s = (struct mm_seen_account){.key = f->section, .label = f->section};
	see_sender(s, f, a);
	if (server.text != NULL && server.text[0] == '/') {
		for (enum mm_setting i = MM_SET_OUT_PROTOCOL; i < MM_SET_COUNT; i++)
			mm_see_over(&s->s[i], server, "smtpserver, which hands mail to a program,",
			    "Mail is handed to a program; the setting is checked in its configuration.");
		return;
	}
	s->has_outgoing = true;
	mm_keys_see(table, N_TABLE, get, f, a, s);
	/* Words that differ in case mean nothing to git. */
	for (const struct mm_word *w = security_words; how.text != NULL && w->native != NULL; w++)
		if (strcmp(w->native, how.text) == 0)
			security = w->canon;
	mm_see(s, MM_SET_OUT_PROTOCOL, (struct mm_native){.text = NULL}, "smtp");
	mm_see(s, MM_SET_OUT_SECURITY, how, security);
	if (s->s[MM_SET_OUT_PORT].value == NULL)
		mm_see(s, MM_SET_OUT_PORT, (struct mm_native){.text = NULL},
		    mm_streq(security, "tls") ? "465" : "25");
}

static void traps(
    const struct files *f, const struct mm_seen_account *s, struct mm_arena *a, struct mm_view *out)
{
	struct mm_native how = get(f, "smtpencryption"), pass = in_files(f, f->section, "smtppass");
	struct mm_native ca = get(f, "smtpsslcertpath");

	if (s->has_outgoing && how.text != NULL && mm_streq(s->s[MM_SET_OUT_SECURITY].value, "none"))
		mm_add_trap(a, out, MM_TRAP_CLEAR, how.path, how.line,
		    mm_arena_printf(a,
			"smtpEncryption = %s means clear text to git: only `tls` and `ssl` in lower case "
			"count.",
			how.text))
		    ->key = s->key;
	if (pass.text != NULL)
		mm_add_trap(a, out, MM_TRAP_PASSWORD, pass.path, pass.line,
		    "smtpPass keeps the password in clear text in the file.")
		    ->key = s->key;
	if (ca.text != NULL && ca.text[0] == '\0')
		mm_add_trap(a, out, MM_TRAP_NO_VERIFY, ca.path, ca.line,
		    "An empty smtpSslCertPath switches the verification of certificates off.")
		    ->key = s->key;
}

static bool is_include(const struct mm_item *it)
{
	return it->kind != 'c' && mm_starts_with(it->section, "include") && mm_streq(it->key, "path");
}

/* "~/more", or beside the file that includes it. NULL: another user's home. */
static const char *included_path(struct mm_reader *r, const char *from, const char *path)
{
	if (mm_starts_with(path, "~/"))
		return mm_home_path(r, path + 2);
	if (path[0] == '~' || path[0] == '%')
		return NULL;
	if (path[0] == '/')
		return path;
	return mm_arena_printf(r->arena, "%.*s/%s", (int)(strrchr(from, '/') - from), from, path);
}

/* Whether its condition holds is not known; that it says nothing of ours may be. */
static bool may_matter(struct mm_reader *r, const char *from, const char *path)
{
	const char *full = included_path(r, from, path);
	struct mm_doc d;

	if (full == NULL || mm_load_doc(r, full, &mm_format_gitconfig, &d, NULL) != 0)
		return true;
	for (size_t i = 0; i < d.n; i++)
		if (mm_starts_with(d.items[i].section, BASE) || mm_streq(d.items[i].section, "user") ||
		    is_include(&d.items[i]))
			return true;
	return false;
}

/* Which of its values it replaces depends on the order: none is certain. */
static void doubt(struct mm_view *out, const char *path, int line)
{
	for (size_t i = 0; i < out->n; i++)
		for (int s = 0; s < MM_SET_COUNT; s++) {
			struct mm_seen *seen = &out->accounts[i].s[s];

			if (seen->value == NULL && seen->over_path == NULL)
				continue;
			seen->unsure_path = path;
			seen->unsure_line = line;
			seen->unsure_why = "a file is included there";
		}
}

static void look_for_includes(const struct files *f, struct mm_reader *r, struct mm_view *out)
{
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < f->doc[i].n; k++) {
			const struct mm_item *it = &f->doc[i].items[k];

			if (!is_include(it) || !may_matter(r, f->path[i], it->value))
				continue;
			mm_add_trap(r->arena, out, MM_TRAP_OTHER, f->path[i], it->line,
			    "A file is included here: what it says may win.");
			doubt(out, f->path[i], it->line);
		}
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	struct files f;

	*out = (struct mm_view){0};
	if (load(r, p, &f, err) != 0)
		return -1;
	out->accounts = mm_arena_alloc(r->arena, f.doc[0].n + f.doc[1].n + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < f.doc[i].n; k++) {
			const struct mm_item *it = &f.doc[i].items[k];

			f.section = it->section;
			if (it->kind != 'c' || mm_seen_named(out, it->section) != NULL ||
			    (strcmp(it->section, BASE) != 0 && !mm_starts_with(it->section, BASE ".")) ||
			    get(&f, "smtpserver").text == NULL)
				continue;
			see(&out->accounts[out->n], &f, r->arena);
			traps(&f, &out->accounts[out->n++], r->arena, out);
		}
	if (out->n > 0)
		look_for_includes(&f, r, out);
	mm_trap_kept(r, out, mm_home_path(r, ".git-credentials"), "smtp://", "git (credential-store)");
	mm_trap_kept(r, out, mm_config_path(r, "git/credentials"), "smtp://", "git (credential-store)");
	return 0;
}

static bool taken(const void *ctx, const char *name)
{
	const struct mm_view *now = ctx;

	for (size_t i = 0; now != NULL && i < now->n; i++)
		if (mm_streq(now->accounts[i].key, name))
			return true;
	return false;
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	static const enum mm_setting sender[] = {MM_SET_ADDRESS, MM_SET_REAL_NAME, MM_SET_NONE};
	const struct mm_seen_account *old = mm_seen_named(now, ch->key);
	const char *section = ch->key,
		   *security = ch->kind != MM_CHANGE_REMOVE ? ch->want->v[MM_SET_OUT_SECURITY] : NULL;
	struct mm_edit_list l = {.n = 0};

	*out = (struct mm_edits){.key = section};
	if (ch->kind == MM_CHANGE_REMOVE)
		return 0;
	if (ch->kind == MM_CHANGE_ADD && now != NULL && now->n > 0 && !now->accounts[0].has_outgoing)
		return mm_err_set(err, MM_EX_DIFF,
		    "git hands mail to a program here, in whose configuration the account belongs");
	if (ch->kind == MM_CHANGE_ADD) {
		section =
		    now == NULL || now->n == 0 ? BASE : mm_arena_printf(r->arena, BASE ".%s", ch->account);
		section = out->key = mm_free_name(section, taken, now, r->arena);
	}
	/* The other file may have it already. */
	mm_want_edit(&l, r->arena, MM_EDIT_SECTION_ADD, section, "", 's', NULL);
	if (mm_keys_want(table, N_TABLE, ch->want, section, &l, r->arena, err) != 0)
		return -1;
	if (security != NULL)
		mm_want_set(
		    &l, r->arena, section, "smtpencryption", mm_word_native(security_words, security));
	if (security != NULL && mm_streq(security, "none"))
		mm_want_set(&l, r->arena, section, "smtpencryption", "none");
	if (mm_wants_any(ch, sender))
		mm_want_set(&l, r->arena, section, "from",
		    mm_mailbox_print(
			mm_joined(ch, old, MM_SET_ADDRESS), mm_joined(ch, old, MM_SET_REAL_NAME), r->arena));
	mm_want_file(out, r->arena, p->path, &mm_format_gitconfig, &l, ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	return 0;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const struct mm_cannot rows[] = {
	    {MM_SET_REPLY_TO, NULL, "Reply-To is an option of git send-email here."},
	    {MM_SET_ORGANISATION, NULL, "git send-email has no Organization header."},
	    {MM_SET_OUT_PASSWORD_COMMAND, NULL,
		"git send-email has no password command of its own: it asks git's credential helpers."},
	    {MM_SET_OUT_TLS_MIN, NULL, "git send-email has no setting for TLS versions."},
	    {MM_SET_OUT_PIN, NULL, "git send-email cannot pin a server's key."},
	    {MM_SET_OUT_CLIENT_CERT, NULL, "git send-email has no client certificates here."},
	    {MM_SET_NONE, NULL, NULL}};

	(void)all;
	return mm_cannot(rows, s, value);
}

const struct mm_client mm_client_git = {
    .name = "git",
    .label = "git send-email",
    .programs = (const char *const[]){"git", NULL},
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_OPENSSL,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
