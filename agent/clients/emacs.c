/*
 * Emacs: an own file of settings, loaded by one line at the end of the user's
 * init file. The outgoing side and the identity (smtpmail); what reads mail in
 * Emacs is the user's own program.
 *
 * Init file: the first of ~/.emacs.el, ~/.emacs, ~/.emacs.d/init.el and
 * $XDG_CONFIG_HOME/emacs/init.el (Emacs 28.2). One counts as a mail program's
 * only when it speaks of mail. Nothing is run to find out what it does: what is
 * set behind our line is reported as winning, what is set within other forms
 * (hooks, use-package, functions) as unsure. Without smtpmail-stream-type
 * STARTTLS is used only where the server offers it; certificates that cannot be
 * verified are a question to the user unless gnutls-verify-error is t.
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/gnutls.h"
#include "agent/clients/keys.h"
#include "agent/formats/elisp.h"
#include "common/text.h"

static const struct mm_word protocol_words[] = {{"'smtpmail-send-it", "smtp"}, {NULL, NULL}};
static const struct mm_word security_words[] = {{"'ssl", "tls"}, {"'tls", "tls"}, {"'starttls", "starttls"},
    {"'plain", "none"}, {"nil", "none"}, {NULL, NULL}};
static const struct mm_word auth_words[] = {{"'(plain login cram-md5)", "password"},
    {"'(cram-md5 plain login)", "password"}, {"'(cram-md5 login plain)", "password"}, {"'(plain)", "plain"},
    {"'(login)", "login"}, {"'(cram-md5)", "cram-md5"}, {"'(xoauth2)", "xoauth2"}, {NULL, NULL}};

static const struct mm_key table[] = {
    {.s = MM_SET_ADDRESS, .key = "user-mail-address"},
    {.s = MM_SET_REAL_NAME, .key = "user-full-name"},
    {.s = MM_SET_ORGANISATION, .key = "message-user-organization"},
    {.s = MM_SET_OUT_PROTOCOL,
	.key = "send-mail-function",
	.also = "message-send-mail-function",
	.words = protocol_words,
	.kind = 'v'},
    {.s = MM_SET_OUT_HOST, .key = "smtpmail-smtp-server"},
    {.s = MM_SET_OUT_PORT, .key = "smtpmail-smtp-service", .dflt = "25", .kind = 'i'},
    {.s = MM_SET_OUT_SECURITY,
	.key = "smtpmail-stream-type",
	.words = security_words,
	.dflt = "none",
	.kind = 'v'},
    {.s = MM_SET_OUT_USERNAME, .key = "smtpmail-smtp-user"},
    {.s = MM_SET_OUT_AUTH,
	.key = "smtpmail-auth-supported",
	.words = auth_words,
	.dflt = "password",
	.kind = 'v'},
};
#define N_TABLE (sizeof(table) / sizeof(table[0]))

static const char floor_key[] = "gnutls-algorithm-priority", verify_key[] = "gnutls-verify-error",
		  level_key[] = "network-security-level", nsm_key[] = "nsm-settings-file";
#define EMACS_KEY "emacs"

static const char *own_path(struct mm_reader *r)
{
	return mm_config_path(r, "mailmuster/emacs.el");
}

/* As the line says it: without its ending, ~ where it is below the home. */
static const char *own_name(struct mm_reader *r)
{
	const char *path = own_path(r);
	size_t home = strlen(r->home), n = strlen(path) - strlen(".el");

	if (strncmp(path, r->home, home) == 0 && path[home] == '/')
		return mm_arena_printf(r->arena, "~%.*s", (int)(n - home), path + home);
	return mm_arena_strndup(r->arena, path, n);
}

static bool speaks_of_mail(struct mm_reader *r, const char *path)
{
	static const char *const words[] = {
	    "smtpmail", "user-mail-address", "message-send-mail", "gnus", "mu4e", "mailmuster/emacs", NULL};
	struct mm_text t;

	for (size_t i = 0; mm_read_text(r, path, &t, NULL) == 1 && words[i] != NULL; i++)
		if (t.n > 0 && memmem(t.p, t.n, words[i], strlen(words[i])) != NULL)
			return true;
	return false;
}

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *const paths[] = {mm_home_path(r, ".emacs.el"), mm_home_path(r, ".emacs"),
	    mm_home_path(r, ".emacs.d/init.el"), mm_config_path(r, "emacs/init.el")};
	const char **dirs = mm_arena_alloc(r->arena, 4, sizeof(*dirs));
	int rc = mm_find_first(r, "emacs", paths, 4, paths[2], create, places, n);

	(void)err;
	if (*n > 1)
		*n = 1; /* the others are not read at all */
	if (*n > 0 && (*places)[0].exists && !create && !speaks_of_mail(r, (*places)[0].path))
		*n = 0;
	dirs[0] = mm_home_path(r, ".emacs.d"); /* where it notes certificates, too */
	dirs[2] = mm_path_dir(r->arena, own_path(r));
	dirs[1] = mm_path_dir(r->arena, dirs[2]);
	if (*n > 0)
		(*places)[0].extra_dirs = dirs;
	return rc;
}

/* The two files as Emacs reads them: ours in the place of its line. */
struct state {
	struct mm_reader *r;
	const char *path, *own;
	struct mm_doc init, ours;
	size_t at; /* index of our line in the init file; its end where there is none */
	bool loaded;
};

static int load(struct mm_reader *r, const char *path, struct state *s, struct mm_err *err)
{
	const char *line = mm_arena_printf(r->arena, "load %s", own_name(r));

	*s = (struct state){.r = r, .path = path, .own = own_path(r)};
	if (mm_load_doc(r, path, &mm_format_elisp, &s->init, err) != 0 ||
	    mm_load_doc(r, s->own, &mm_format_elisp, &s->ours, err) != 0)
		return -1;
	s->at = s->init.n;
	for (size_t i = 0; i < s->init.n; i++)
		if (s->init.items[i].kind != 'c' && strcmp(s->init.items[i].key, line) == 0) {
			s->at = i;
			s->loaded = true;
		}
	return 0;
}

static bool sets(const struct mm_item *it, const char *key)
{
	return strcmp(it->key, key) == 0 || (it->key[0] == '\'' && strcmp(it->key + 1, key) == 0);
}

static const struct mm_item *last_in(const struct mm_doc *d, size_t from, size_t to, const char *key)
{
	const struct mm_item *found = NULL;

	for (size_t i = from; i < to; i++)
		if (d->items[i].section[0] == '\0' && sets(&d->items[i], key))
			found = &d->items[i];
	return found;
}

static struct mm_native native(const struct mm_item *it, const char *path)
{
	if (it == NULL)
		return (struct mm_native){.text = NULL};
	return (struct mm_native){.text = it->value, .path = path, .line = it->line};
}

static struct mm_native get(const void *ctx, const char *key)
{
	const struct state *s = ctx;
	const struct mm_item *behind = last_in(&s->init, s->at, s->init.n, key);
	const struct mm_item *ours = s->loaded ? last_in(&s->ours, 0, s->ours.n, key) : NULL;

	if (behind != NULL)
		return native(behind, s->path);
	return ours != NULL ? native(ours, s->own) : native(last_in(&s->init, 0, s->at, key), s->path);
}

static void doubt(const struct state *s, struct mm_seen *seen, const char *key)
{
	const struct mm_item *behind = s->loaded ? last_in(&s->init, s->at, s->init.n, key) : NULL;

	if (behind != NULL) {
		mm_see_over(seen, native(behind, s->path), "a later assignment",
		    "It stands behind the line that loads our file.");
		seen->over_holds = true;
	}
	for (size_t i = 0; i < s->init.n; i++) {
		const struct mm_item *it = &s->init.items[i];
		bool file = i > s->at && (strcmp(it->key, "load") == 0 || strcmp(it->key, "load-file") == 0);

		if (!file && (it->section[0] == '\0' || !sets(it, key)))
			continue;
		seen->unsure_path = s->path;
		seen->unsure_line = it->line;
		seen->unsure_why =
		    file ? "a file is loaded there" : "it is set within another form, which may run later";
	}
}

static void see(struct mm_seen_account *acc, const struct state *s)
{
	struct mm_native floor = get(s, floor_key);

	*acc = (struct mm_seen_account){.key = EMACS_KEY, .label = EMACS_KEY};
	mm_keys_see(table, N_TABLE, get, s, s->r->arena, acc);
	for (size_t i = 0; i < N_TABLE; i++)
		doubt(s, &acc->s[table[i].s], table[i].key);
	mm_see(acc, MM_SET_OUT_TLS_MIN, floor, mm_gnutls_floor(floor.text));
	doubt(s, &acc->s[MM_SET_OUT_TLS_MIN], floor_key);
	doubt(s, &acc->verify, level_key);
	doubt(s, &acc->exceptions, nsm_key);
	if (get(s, nsm_key).text != NULL)
		mm_see_unsure(&acc->exceptions, get(s, nsm_key), "exceptions are stored in another file");
	acc->has_outgoing = acc->s[MM_SET_OUT_HOST].value != NULL;
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	struct mm_seen_account *acc = mm_arena_alloc(r->arena, 1, sizeof(*acc));
	struct mm_native verify, type, level;
	struct state s;

	*out = (struct mm_view){.accounts = acc};
	if (load(r, p->path, &s, err) != 0)
		return -1;
	see(acc, &s);
	out->n = acc->has_outgoing ? 1 : 0;
	verify = get(&s, verify_key);
	type = get(&s, "smtpmail-stream-type");
	if (type.text == NULL) /* said of the server then */
		type = (struct mm_native){
		    .path = acc->s[MM_SET_OUT_HOST].path, .line = acc->s[MM_SET_OUT_HOST].line};
	level = get(&s, level_key);
	if (mm_streq(level.text, "'low"))
		mm_add_trap(r->arena, out, MM_TRAP_NO_VERIFY, level.path, level.line,
		    "Emacs does not verify servers' certificates (network-security-level is low).");
	if (mm_streq(verify.text, "nil"))
		mm_add_trap(r->arena, out, MM_TRAP_OTHER, verify.path, verify.line,
		    "Emacs goes on with a certificate that cannot be verified when the user says so "
		    "(gnutls-verify-error is nil).");
	if (out->n > 0 && (type.text == NULL || mm_streq(type.text, "nil")))
		mm_add_trap(r->arena, out, MM_TRAP_OPPORTUNISTIC, type.path, type.line,
		    "Without smtpmail-stream-type mail goes in clear text where the server offers no TLS.");
	mm_trap_accepted(r, out, mm_home_path(r, ".emacs.d/network-security.data"), ":conditions (", "Emacs");
	mm_trap_accepted(r, out, mm_config_path(r, "emacs/network-security.data"), ":conditions (", "Emacs");
	mm_trap_kept(r, out, mm_home_path(r, ".authinfo"), "password ", "Emacs (auth-sources)");
	return 0;
}

static int write_own(
    struct mm_reader *r, const struct mm_change *ch, struct mm_edit_list *l, struct mm_err *err)
{
	const char *floor = ch->want->v[MM_SET_OUT_TLS_MIN];

	if (mm_keys_want(table, N_TABLE, ch->want, "", l, r->arena, err) != 0)
		return -1;
	if (floor != NULL)
		mm_want_set(l, r->arena, "", floor_key, mm_gnutls_priorities(floor));
	if (ch->want->v[MM_SET_OUT_SECURITY] != NULL)
		mm_want_edit(l, r->arena, MM_EDIT_SET, "", verify_key, 'v', "t");
	return 0;
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct mm_edit_list own = {.v = NULL}, line = {.v = NULL};

	*out = (struct mm_edits){.key = EMACS_KEY};
	if (ch->kind == MM_CHANGE_REMOVE)
		return 0;
	if (ch->kind == MM_CHANGE_ADD && now->n > 0)
		return mm_err_set(err, MM_EX_DIFF,
		    "Emacs is set up for another account here (%s), and smtpmail has one",
		    now->accounts[0].s[MM_SET_OUT_HOST].value);
	if (write_own(r, ch, &own, err) != 0)
		return -1;
	mm_want_file(out, r->arena, own_path(r), &mm_format_elisp, &own, 0600);
	if (own.n > 0)
		mm_want_set(&line, r->arena, "", mm_arena_printf(r->arena, "load %s", own_name(r)), "t t");
	mm_want_file(out, r->arena, p->path, &mm_format_elisp, &line, ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	out->note = "Emacs asks for the password, or finds it in ~/.authinfo; what runs takes it over at its "
		    "next start.";
	return 0;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const struct mm_cannot rows[] = {
	    {MM_SET_REPLY_TO, NULL, "Emacs knows this only as a header line of the user's own."},
	    {MM_SET_OUT_PASSWORD_COMMAND, NULL,
		"Emacs has no password command that is not Lisp: it asks, or finds the password in "
		"~/.authinfo."},
	    {MM_SET_OUT_CA_FILE, NULL,
		"Mailmuster leaves the list of authorities to Emacs, which takes the system's."},
	    {MM_SET_OUT_PIN, NULL, "Emacs cannot be told a public key."},
	    {MM_SET_OUT_CLIENT_CERT, NULL, "Emacs takes client certificates from ~/.authinfo only."},
	    {MM_SET_OUT_AUTH, "password plain login cram-md5 xoauth2",
		"smtpmail does not log in in this way."},
	    {MM_SET_NONE, NULL, NULL}};

	(void)all;
	return mm_cannot(rows, s, value);
}

const struct mm_client mm_client_emacs = {
    .name = "emacs",
    .label = "Emacs",
    .programs = (const char *const[]){"emacs", NULL},
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_GNUTLS,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
