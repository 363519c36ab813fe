/*
 * aerc: edited in place, inside the account's section of accounts.conf.
 *
 * File: $XDG_CONFIG_HOME/aerc/accounts.conf, which aerc 0.14 refuses when it
 * is readable for others. `source` and `outgoing` are addresses with the
 * percent-encoded user name: imap:// is STARTTLS, required; smtp:// is plain
 * up to 0.14 unless `smtp-starttls = yes` stands beside it, and STARTTLS from
 * 0.15 on: both words together are right everywhere. A password in the address
 * wins over the command. There is no setting for certificates or TLS versions:
 * aerc (Go) takes the system's authorities and TLS 1.2 at least. Folders are
 * named as the server does, with its own separator of levels.
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/mailurl.h"
#include "agent/formats/inis.h"
#include "common/text.h"

static const struct mm_key table[] = {
    {.s = MM_SET_IN_PASSWORD_COMMAND, .key = "source-cred-cmd", .shell = true},
    {.s = MM_SET_OUT_PASSWORD_COMMAND, .key = "outgoing-cred-cmd", .shell = true},
    {.s = MM_SET_FOLDER_SENT, .key = "copy-to"},
    {.s = MM_SET_FOLDER_DRAFTS, .key = "postpone", .dflt = "Drafts"},
};
#define N_TABLE (sizeof(table) / sizeof(table[0]))

static const enum mm_setting in_url[] = {MM_SET_IN_PROTOCOL, MM_SET_IN_HOST, MM_SET_IN_PORT,
    MM_SET_IN_SECURITY, MM_SET_IN_AUTH, MM_SET_IN_USERNAME, MM_SET_NONE};
static const enum mm_setting out_url[] = {MM_SET_OUT_PROTOCOL, MM_SET_OUT_HOST, MM_SET_OUT_PORT,
    MM_SET_OUT_SECURITY, MM_SET_OUT_AUTH, MM_SET_OUT_USERNAME, MM_SET_NONE};
static const enum mm_setting sender[] = {MM_SET_ADDRESS, MM_SET_REAL_NAME, MM_SET_NONE};

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *const paths[] = {mm_config_path(r, "aerc/accounts.conf")};
	const char **dirs = mm_arena_alloc(r->arena, 2, sizeof(*dirs));
	int rc = mm_find_first(r, "aerc", paths, 1, paths[0], create, places, n);

	(void)err;
	dirs[0] = mm_path_dir(r->arena, paths[0]);
	if (*n > 0 && !(*places)[0].exists)
		(*places)[0].extra_dirs = dirs;
	return rc;
}

static bool is_yes(struct mm_native v)
{
	return v.text != NULL && mm_streq(mm_word_canon(mm_words_yes_no, v.text), "yes");
}

/* The mechanism's place is also that of "insecure". */
static const char *auth_of(const struct mm_mail_url *u)
{
	if (u->mechanism[0] == '\0' || mm_streq(u->mechanism, "insecure"))
		return "password";
	return u->mechanism;
}

/* All settings of that side are another program's. */
static void see_elsewhere(
    struct mm_seen_account *s, struct mm_native v, enum mm_side side, const char *by, const char *note)
{
	for (enum mm_setting i = 0; i < MM_SET_COUNT; i++)
		if (mm_setting_def(i)->side == side)
			mm_see_over(&s->s[i], v, by, note);
}

static void see_source(struct mm_seen_account *s, const struct mm_in_section *in, struct mm_arena *a)
{
	struct mm_native v = mm_get_in_section(in, "source");
	struct mm_mail_url u;
	bool tls;

	if (v.text == NULL)
		return;
	if (!mm_mail_url_parse(v.text, a, &u) || !mm_starts_with(u.scheme, "imap")) {
		see_elsewhere(s, v, MM_SIDE_INCOMING, "source, which names local mail,",
		    "Mail is read where another program has put it; the setting is checked there.");
		return;
	}
	tls = mm_streq(u.scheme, "imaps");
	s->has_incoming = true;
	mm_see(s, MM_SET_IN_PROTOCOL, v, "imap");
	mm_see(s, MM_SET_IN_HOST, v, u.host);
	mm_see(s, MM_SET_IN_PORT, v, u.port != NULL ? u.port : tls ? "993" : "143");
	mm_see(s, MM_SET_IN_SECURITY, v,
	    tls                                 ? "tls"
	    : mm_streq(u.mechanism, "insecure") ? "none"
						: "starttls");
	mm_see(s, MM_SET_IN_AUTH, v, auth_of(&u));
	mm_see(s, MM_SET_IN_USERNAME, v, u.user);
	mm_see(s, MM_SET_IN_TLS_MIN, (struct mm_native){.text = NULL}, "1.2");
	if (u.has_password)
		mm_see_over(&s->s[MM_SET_IN_PASSWORD_COMMAND], v, "source",
		    "A password stands in the address; aerc then never runs the command.");
}

static void see_outgoing(struct mm_seen_account *s, const struct mm_in_section *in, struct mm_arena *a)
{
	struct mm_native v = mm_get_in_section(in, "outgoing"), st = mm_get_in_section(in, "smtp-starttls");
	struct mm_mail_url u;
	bool tls;

	if (v.text == NULL)
		return;
	if (!mm_mail_url_parse(v.text, a, &u) || !mm_starts_with(u.scheme, "smtp")) {
		see_elsewhere(s, v, MM_SIDE_OUTGOING, "outgoing, which hands mail to a program,",
		    "Mail is handed to a program; the setting is checked in its configuration.");
		return;
	}
	tls = mm_streq(u.scheme, "smtps");
	s->has_outgoing = true;
	mm_see(s, MM_SET_OUT_PROTOCOL, v, "smtp");
	mm_see(s, MM_SET_OUT_HOST, v, u.host);
	mm_see(s, MM_SET_OUT_PORT, v, u.port != NULL ? u.port : tls ? "465" : "587");
	mm_see(s, MM_SET_OUT_SECURITY, !tls && st.text != NULL ? st : v,
	    tls          ? "tls"
	    : is_yes(st) ? "starttls"
			 : "none");
	mm_see(s, MM_SET_OUT_AUTH, v, mm_streq(u.mechanism, "plain") ? "password" : auth_of(&u));
	mm_see(s, MM_SET_OUT_USERNAME, v, u.user);
	mm_see(s, MM_SET_OUT_TLS_MIN, (struct mm_native){.text = NULL}, "1.2");
	if (u.has_password)
		mm_see_over(&s->s[MM_SET_OUT_PASSWORD_COMMAND], v, "outgoing",
		    "A password stands in the address; aerc then never runs the command.");
}

static void see(struct mm_seen_account *s, const struct mm_in_section *in, struct mm_arena *a)
{
	struct mm_native from = mm_get_in_section(in, "from");
	const char *name = NULL, *address = from.text != NULL ? mm_mailbox_parse(from.text, a, &name) : NULL;

	*s = (struct mm_seen_account){.key = in->section, .label = in->section};
	mm_see(s, MM_SET_ADDRESS, from, address);
	mm_see(s, MM_SET_REAL_NAME, from, name);
	mm_keys_see(table, N_TABLE, mm_get_in_section, in, a, s);
	see_source(s, in, a);
	see_outgoing(s, in, a);
}

static void trap(struct mm_view *out, enum mm_trap_kind kind, struct mm_arena *a,
    const struct mm_in_section *in, int line, const char *text)
{
	mm_add_trap(a, out, kind, in->path, line, mm_arena_printf(a, "Account '%s' %s", in->section, text))
	    ->key = in->section;
}

static void traps(
    const struct mm_seen_account *s, const struct mm_in_section *in, struct mm_arena *a, struct mm_view *out)
{
	static const enum mm_setting commands[] = {MM_SET_IN_PASSWORD_COMMAND, MM_SET_OUT_PASSWORD_COMMAND};
	struct mm_native outgoing = mm_get_in_section(in, "outgoing");

	for (size_t i = 0; i < 2; i++) {
		const struct mm_seen *c = &s->s[commands[i]];

		if (c->over_path != NULL && strlen(c->over_by) < 9) /* source, outgoing: an address */
			trap(out, MM_TRAP_PASSWORD, a, in, c->over_line,
			    "keeps its password in clear text in the file.");
	}
	if (mm_streq(s->s[MM_SET_IN_SECURITY].value, "none"))
		trap(out, MM_TRAP_CLEAR, a, in, s->s[MM_SET_IN_SECURITY].line,
		    "fetches mail without encryption (imap+insecure).");
	if (mm_streq(s->s[MM_SET_OUT_SECURITY].value, "none"))
		trap(out, MM_TRAP_CLEAR, a, in, outgoing.line,
		    "sends mail without encryption: smtp:// without smtp-starttls is plain in aerc up to "
		    "0.14.");
}

/* Every section is one. */
static bool is_account(const struct mm_doc *d, const struct mm_item *header)
{
	(void)d;
	return strcmp(header->section, "DEFAULT") != 0;
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
	    .format = &mm_format_goini, .is_account = is_account, .see = see_all};
	struct mm_doc d;

	return mm_read_sections(r, p, &how, &d, out, err);
}

struct writer {
	struct mm_edit_list edits;
	struct mm_arena *a;
	const char *section;
	const struct mm_change *ch;
	const struct mm_seen_account *now;
};

static const char *joined(const struct writer *w, enum mm_setting s)
{
	return mm_joined(w->ch, w->now, s);
}

static void want(struct writer *w, const char *key, const char *value)
{
	mm_want_set(&w->edits, w->a, w->section, key, value);
}

static bool write_source(struct writer *w, const struct mm_doc *d)
{
	const char *security = joined(w, MM_SET_IN_SECURITY), *auth = joined(w, MM_SET_IN_AUTH);
	const struct mm_item *old = mm_doc_find(d, w->section, "source");
	struct mm_mail_url u = {.rest = ""};

	if (!mm_wants_any(w->ch, in_url))
		return false;
	if (old == NULL || !mm_mail_url_parse(old->value, w->a, &u))
		u.rest = "";
	u.scheme = mm_streq(security, "tls") ? "imaps" : "imap";
	u.mechanism = mm_streq(security, "none")      ? "insecure"
		      : mm_streq(auth, "oauthbearer") ? "oauthbearer"
		      : mm_streq(auth, "xoauth2")     ? "xoauth2"
						      : "";
	u.user = joined(w, MM_SET_IN_USERNAME);
	u.host = joined(w, MM_SET_IN_HOST);
	u.port = joined(w, MM_SET_IN_PORT);
	want(w, "source", mm_mail_url_print(&u, w->a));
	return u.has_password;
}

static bool write_outgoing(struct writer *w, const struct mm_doc *d)
{
	const char *security = joined(w, MM_SET_OUT_SECURITY), *auth = joined(w, MM_SET_OUT_AUTH);
	const struct mm_item *old = mm_doc_find(d, w->section, "outgoing");
	struct mm_mail_url u = {.rest = ""};

	if (!mm_wants_any(w->ch, out_url))
		return false;
	if (old == NULL || !mm_mail_url_parse(old->value, w->a, &u))
		u.rest = "";
	u.scheme = mm_streq(security, "tls") ? "smtps" : "smtp";
	u.mechanism = mm_streq(auth, "password") ? (mm_streq(u.mechanism, "plain") ? "plain" : "") : auth;
	u.user = mm_streq(auth, "none") ? NULL : joined(w, MM_SET_OUT_USERNAME);
	u.host = joined(w, MM_SET_OUT_HOST);
	u.port = joined(w, MM_SET_OUT_PORT);
	want(w, "outgoing", mm_mail_url_print(&u, w->a));
	if (mm_streq(security, "starttls"))
		want(w, "smtp-starttls", "yes");
	else if (mm_streq(security, "none") && mm_doc_find(d, w->section, "smtp-starttls") != NULL)
		want(w, "smtp-starttls", "no");
	return u.has_password;
}

/* A password that stood in an address for another server goes with it: then the command is needed. */
static int write_account(struct writer *w, const struct mm_doc *d, struct mm_err *err)
{
	struct mm_values commands = {{NULL}};

	if (mm_wants_any(w->ch, sender))
		want(w, "from",
		    mm_mailbox_print(joined(w, MM_SET_ADDRESS), joined(w, MM_SET_REAL_NAME), w->a));
	for (size_t i = 0; i < N_TABLE; i++)
		commands.v[table[i].s] = w->ch->want->v[table[i].s];
	if (write_source(w, d))
		commands.v[MM_SET_IN_PASSWORD_COMMAND] = w->ch->full->v[MM_SET_IN_PASSWORD_COMMAND];
	if (write_outgoing(w, d))
		commands.v[MM_SET_OUT_PASSWORD_COMMAND] = w->ch->full->v[MM_SET_OUT_PASSWORD_COMMAND];
	return mm_keys_want(table, N_TABLE, &commands, w->section, &w->edits, w->a, err);
}

static bool taken(const void *ctx, const char *name)
{
	return mm_streq(name, "default") || mm_seen_named(ctx, name) != NULL;
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct writer w = {.a = r->arena, .section = ch->key, .ch = ch, .now = mm_seen_named(now, ch->key)};
	struct mm_doc d;

	*out = (struct mm_edits){.key = ch->key};
	if (ch->kind == MM_CHANGE_REMOVE)
		return 0;
	if (mm_load_doc(r, p->path, &mm_format_goini, &d, err) != 0)
		return -1;
	if (ch->kind == MM_CHANGE_ADD) {
		w.section = out->key = mm_free_name(ch->account, taken, now, w.a);
		mm_want_edit(&w.edits, w.a, MM_EDIT_SECTION_ADD, w.section, "", 's', NULL);
	}
	if (write_account(&w, &d, err) != 0)
		return -1;
	mm_want_file(
	    out, r->arena, p->path, &mm_format_goini, &w.edits, ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	return 0;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const char no_ca[] =
	    "aerc takes the system's certificate authorities; it has no setting for others.";
	static const struct mm_cannot rows[] = {
	    {MM_SET_REPLY_TO, NULL, "aerc has no Reply-To of an account."},
	    {MM_SET_ORGANISATION, NULL, "aerc has no Organization of an account."},
	    {MM_SET_FOLDER_TRASH, NULL, "aerc has no folder for deleted mail."},
	    {MM_SET_FOLDER_JUNK, NULL, "aerc has no folder for junk."},
	    {MM_SET_IN_PROTOCOL, "imap", "aerc fetches mail from servers by IMAP only."},
	    MM_CANNOT_PAIR(CA_FILE, no_ca), MM_CANNOT_PAIR(PIN, "aerc cannot pin a server's key."),
	    MM_CANNOT_PAIR(CLIENT_CERT, "aerc has no client certificates."),
	    {MM_SET_IN_TLS_MIN, "1.2", "aerc has no setting for TLS versions; 1.2 is its floor."},
	    {MM_SET_OUT_TLS_MIN, "1.2", "aerc has no setting for TLS versions; 1.2 is its floor."},
	    {MM_SET_IN_LEAVE_ON_SERVER, NULL, MM_CLIENT_NOT_ITS_BUSINESS},
	    {MM_SET_IN_AUTH, "password oauthbearer xoauth2", "aerc does not log in to IMAP in this way."},
	    {MM_SET_OUT_AUTH, "password login oauthbearer xoauth2 none",
		"aerc does not log in to SMTP in this way."},
	    {MM_SET_NONE, NULL, NULL}};

	if (s == MM_SET_IN_AUTH && !mm_streq(value, "password") &&
	    !mm_streq(all->v[MM_SET_IN_SECURITY], "tls"))
		return "aerc uses tokens over TLS from the first byte only.";
	if (s == MM_SET_FOLDER_SENT && strchr(value, ',') != NULL)
		return "aerc takes a comma for the end of a folder's name.";
	return mm_cannot(rows, s, value);
}

const struct mm_client mm_client_aerc = {
    .name = "aerc",
    .label = "aerc",
    .programs = (const char *const[]){"aerc", NULL},
    .incoming = true,
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
