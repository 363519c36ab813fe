/*
 * Evolution: the sources of evolution-data-server, edited in place.
 *
 * Files: $XDG_CONFIG_HOME/evolution/sources/UID.source. An account is three
 * of them: [Mail Account] names its identity, that one its transport. The
 * registry watches the folder and takes every change up within seconds; what
 * is open stays as it is until it is opened anew. So nothing has to be
 * stopped or told: its method Reload makes it no sooner. Passwords hang on the UIDs, which are therefore
 * permanent.
 *
 * Accounts that come from GNOME Online Accounts or another collection, and
 * those of the administrator's templates, are only looked at: the finding
 * says where they are changed.
 */
#include "agent/clients/evolution.h"

#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/folder.h"
#include "agent/clients/keys.h"
#include "common/text.h"

static const struct mm_word security_words[] = {{"none", "none"}, {"ssl-on-alternate-port", "tls"},
    {"starttls-on-standard-port", "starttls"}, {NULL, NULL}};
static const struct mm_word auth_words[] = {
    {"PLAIN", "plain"}, {"LOGIN", "login"}, {"CRAM-MD5", "cram-md5"}, {"GSSAPI", "gssapi"}, {NULL, NULL}};

const char *mm_evo_security(const char *canon)
{
	return canon != NULL ? mm_word_native(security_words, canon) : NULL;
}

/* IMAP4rev2 has PLAIN everywhere inside TLS; POP3 has USER and PASS. */
const char *mm_evo_auth(const char *canon, const char *protocol)
{
	if (canon == NULL)
		return NULL;
	if (mm_streq(canon, "none"))
		return mm_streq(protocol, "smtp") ? "none" : NULL;
	if (mm_streq(canon, "password"))
		return mm_streq(protocol, "pop3") ? "none" : "PLAIN";
	return mm_word_native(auth_words, canon);
}

/* ---- reading */

struct look {
	struct mm_arena *a;
	struct mm_reader *r;
	const struct mm_evo_source *account, *s;
	struct mm_seen_account *acc;
};

/* ${USER} is known; every other variable is the business of the program's session. */
static const char *expand(const struct look *l, const char *text, bool *sure)
{
	const char *at = text != NULL ? strstr(text, "${USER}") : NULL;

	while (at != NULL) {
		text = mm_arena_printf(l->a, "%.*s%s%s", (int)(at - text), text, l->r->login, at + 7);
		at = strstr(text, "${USER}");
	}
	*sure = text == NULL || strstr(text, "${") == NULL;
	return text;
}

static void set_over(struct mm_seen *seen, const struct mm_evo_source *s)
{
	seen->over_path = s->over_path;
	seen->over_line = s->over_line;
	seen->over_by = s->over_by;
	seen->over_holds = s->over_holds;
}

static struct mm_evo_source as_template(const struct mm_evo_source *s)
{
	return (struct mm_evo_source){.doc = *s->template, .path = s->template_path};
}

/* The value as it stands, and what else has a say. */
static const char *get(const struct look *l, const char *group, const char *key, struct mm_seen *seen)
{
	const struct mm_evo_source *s = l->s;
	const struct mm_item *it = mm_keyfile_find(&s->doc, group, key);
	const char *value = mm_evo_get(s, group, key, l->a);
	bool sure = true;

	*seen = (struct mm_seen){.path = it != NULL ? s->path : NULL, .line = it != NULL ? it->line : 0};
	if (s->template != NULL && mm_keyfile_find(s->template, group, key) != NULL) {
		struct mm_evo_source t = as_template(s);

		it = mm_keyfile_find(s->template, group, key);
		value = mm_evo_get(&t, group, key, l->a);
		*seen = (struct mm_seen){.path = t.path,
		    .line = it->line,
		    .over_path = t.path,
		    .over_line = it->line,
		    .over_by = "the administrator's template",
		    .over_holds = true};
	}
	if (seen->over_path != NULL || mm_streq(s->over_by, "the administrator's template"))
		value = expand(l, value, &sure);
	if (s->over_path != NULL)
		set_over(seen, s);
	if (l->account->over_path != NULL)
		set_over(seen, l->account);
	seen->over_holds = seen->over_holds && sure;
	return value;
}

static void put(const struct look *l, enum mm_setting id, const char *group, const char *key)
{
	struct mm_seen seen;

	seen.value = get(l, group, key, &seen);
	if (seen.value == NULL && seen.path != NULL && seen.over_path == NULL)
		seen.path = NULL; /* empty or unreadable: not set */
	l->acc->s[id] = seen;
}

static void put_word(
    const struct look *l, enum mm_setting id, const char *group, const char *key, const char *value)
{
	struct mm_seen seen;

	if (get(l, group, key, &seen) == NULL)
		seen.path = NULL;
	seen.value = value;
	seen.from_default = seen.path == NULL && value != NULL;
	l->acc->s[id] = seen;
}

/* Missing is none; a word that the program does not know counts as STARTTLS. */
static const char *security_of(const char *method)
{
	const char *word = method != NULL ? mm_word_canon(security_words, method) : "none";

	return word != NULL ? word : "starttls";
}

static const char *auth_of(const char *method, bool smtp, struct mm_arena *a)
{
	const char *word;
	char *lower;

	if (method == NULL || mm_streq_nocase(method, "none"))
		return smtp ? "none" : "password";
	word = mm_word_canon(auth_words, method);
	if (word != NULL)
		return word;
	lower = mm_arena_strdup(a, method);
	for (char *p = lower; *p != '\0'; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
	return lower;
}

static void see_server(const struct look *l, const enum mm_setting *id, bool smtp)
{
	struct mm_seen seen;
	const char *method = get(l, MM_EVO_AUTH, "Method", &seen);
	const char *security = get(l, MM_EVO_SECURITY, "Method", &seen);

	put(l, id[0], MM_EVO_AUTH, "Host");
	put(l, id[1], MM_EVO_AUTH, "Port");
	put_word(l, id[2], MM_EVO_SECURITY, "Method", security_of(security));
	put_word(l, id[3], MM_EVO_AUTH, "Method", auth_of(method, smtp, l->a));
	put(l, id[4], MM_EVO_AUTH, "User");
}

static void see_leave(const struct look *l)
{
	struct mm_seen seen;
	const char *keep = get(l, MM_EVO_POP, "KeepOnServer", &seen), *days;
	struct mm_seen after;

	if (!mm_streq(keep, "true") && !mm_streq(keep, "1")) {
		put_word(l, MM_SET_IN_LEAVE_ON_SERVER, MM_EVO_POP, "KeepOnServer", "no");
		return;
	}
	days = get(l, MM_EVO_POP, "DeleteAfterDays", &after);
	if (days != NULL && strcmp(days, "0") != 0)
		put_word(l, MM_SET_IN_LEAVE_ON_SERVER, MM_EVO_POP, "DeleteAfterDays", "no");
	else
		put_word(l, MM_SET_IN_LEAVE_ON_SERVER, MM_EVO_POP, "KeepOnServer", "yes");
}

/* Trash and junk are paths on the server, each with its switch. */
static void put_real(const struct look *l, enum mm_setting id, const char *key, const char *on)
{
	struct mm_seen seen;
	const char *used = get(l, MM_EVO_IMAP, on, &seen);

	if (mm_streq(used, "true") || mm_streq(used, "1"))
		put(l, id, MM_EVO_IMAP, key);
}

static void see_incoming(const struct look *l)
{
	static const enum mm_setting id[] = {
	    MM_SET_IN_HOST, MM_SET_IN_PORT, MM_SET_IN_SECURITY, MM_SET_IN_AUTH, MM_SET_IN_USERNAME};
	struct mm_seen seen;
	bool imap = mm_streq(get(l, MM_EVO_ACCOUNT, "BackendName", &seen), "imapx");

	l->acc->has_incoming = true;
	put_word(l, MM_SET_IN_PROTOCOL, MM_EVO_ACCOUNT, "BackendName", imap ? "imap" : "pop3");
	see_server(l, id, false);
	if (!imap) {
		see_leave(l);
		return;
	}
	put_real(l, MM_SET_FOLDER_TRASH, "RealTrashPath", "UseRealTrashPath");
	put_real(l, MM_SET_FOLDER_JUNK, "RealJunkPath", "UseRealJunkPath");
}

/* What camel_url_encode() leaves as it is; of a UID also not these: ":;@/". */
#define PLAIN_IN_UID "!$&'()*+,-.=?_~"
#define PLAIN_IN_PATH PLAIN_IN_UID ":;@/"

const char *mm_evo_folder_root(const char *uid, struct mm_arena *a)
{
	return mm_arena_printf(a, "folder://%s/", mm_percent(uid, PLAIN_IN_UID, a));
}

const char *mm_evo_folder_uri(const char *uid, const char *folder, struct mm_arena *a)
{
	return mm_arena_printf(a, "%s%s", mm_evo_folder_root(uid, a), mm_percent(folder, PLAIN_IN_PATH, a));
}

/* Of another account, or of this computer: as it stands. */
static void put_folder(const struct look *l, enum mm_setting id, const char *group, const char *key)
{
	const char *root = mm_evo_folder_root(l->account->uid, l->a), *value;

	put(l, id, group, key);
	value = l->acc->s[id].value;
	if (value != NULL && mm_starts_with(value, root))
		l->acc->s[id].value = mm_percent_decode(value + strlen(root), l->a);
}

static void see_identity(const struct look *l)
{
	struct mm_seen use, *sent = &l->acc->s[MM_SET_FOLDER_SENT];
	const char *used = get(l, MM_EVO_SUBMISSION, "UseSentFolder", &use);

	put(l, MM_SET_ADDRESS, MM_EVO_IDENTITY, "Address");
	put(l, MM_SET_REAL_NAME, MM_EVO_IDENTITY, "Name");
	put(l, MM_SET_REPLY_TO, MM_EVO_IDENTITY, "ReplyTo");
	put(l, MM_SET_ORGANISATION, MM_EVO_IDENTITY, "Organization");
	if (!mm_streq(l->acc->s[MM_SET_IN_PROTOCOL].value, "imap"))
		return;
	put_folder(l, MM_SET_FOLDER_SENT, MM_EVO_SUBMISSION, "SentFolder");
	put_folder(l, MM_SET_FOLDER_DRAFTS, MM_EVO_COMPOSITION, "DraftsFolder");
	if (used != NULL && mm_evo_is_false(used) && sent->over_path == NULL)
		mm_see_over(sent, (struct mm_native){.path = use.path, .line = use.line},
		    "UseSentFolder, which keeps no copies,", NULL);
}

static void see_transport(const struct look *l)
{
	static const enum mm_setting id[] = {
	    MM_SET_OUT_HOST, MM_SET_OUT_PORT, MM_SET_OUT_SECURITY, MM_SET_OUT_AUTH, MM_SET_OUT_USERNAME};
	struct mm_seen seen;
	const char *backend = get(l, MM_EVO_TRANSPORT, "BackendName", &seen);

	l->acc->has_outgoing = true;
	put_word(l, MM_SET_OUT_PROTOCOL, MM_EVO_TRANSPORT, "BackendName", backend);
	if (mm_streq(
		backend, "smtp")) /* else it is a program that sends, and what stands here means nothing */
		see_server(l, id, true);
}

/* ---- silent traps */

static void trap(struct mm_view *out, enum mm_trap_kind kind, const struct mm_evo_source *s,
    struct mm_arena *a, const char *group, const char *key, const char *text)
{
	const struct mm_item *it = mm_keyfile_find(&s->doc, group, key);

	mm_add_trap(a, out, kind, s->path, it != NULL ? it->line : 0, text);
}

static void server_traps(
    const struct mm_evo_source *s, const char *label, struct mm_arena *a, struct mm_view *out)
{
	const char *method = mm_evo_get(s, MM_EVO_SECURITY, "Method", a);
	const char *port = mm_evo_get(s, MM_EVO_AUTH, "Port", a);
	const struct mm_item *host = mm_keyfile_find(&s->doc, MM_EVO_AUTH, "Host");

	if (method == NULL)
		mm_add_trap(a, out, MM_TRAP_CLEAR, s->path, host != NULL ? host->line : 0,
		    mm_arena_printf(a,
			"'%s' says nothing of encryption, which means none: the password goes in clear text.",
			label));
	else if (mm_streq_nocase(method, "none"))
		trap(out, MM_TRAP_CLEAR, s, a, MM_EVO_SECURITY, "Method",
		    mm_arena_printf(
			a, "'%s' does without encryption: the password goes in clear text.", label));
	else if (mm_word_canon(security_words, method) == NULL)
		trap(out, MM_TRAP_OTHER, s, a, MM_EVO_SECURITY, "Method",
		    mm_arena_printf(
			a, "'%s' has a security that the program does not know: it takes STARTTLS.", label));
	if (port == NULL || strcmp(port, "0") == 0)
		mm_add_trap(a, out, MM_TRAP_OTHER, s->path, host != NULL ? host->line : 0,
		    mm_arena_printf(a, "'%s' names no port: the program cannot connect.", label));
	for (size_t i = 0; i < s->doc.n; i++)
		if (s->doc.items[i].kind == 'u' && s->doc.items[i].wins)
			mm_add_trap(a, out, MM_TRAP_OTHER, s->path, s->doc.items[i].line,
			    mm_arena_printf(a, "'%s': the program cannot read the value of %s.", label,
				s->doc.items[i].key));
}

static void see(struct look l, const struct mm_evo *e, const struct mm_evo_source *s, struct mm_view *out)
{
	const char *label = mm_evo_get(s, MM_EVO_DATA, "DisplayName", l.a);

	l.account = l.s = s;
	l.acc = &out->accounts[out->n++];
	*l.acc = (struct mm_seen_account){.key = s->uid, .label = label != NULL ? label : s->uid};
	see_incoming(&l);
	mm_trap_deletes(l.a, out, l.acc, s->path);
	server_traps(s, l.acc->label, l.a, out);
	l.s = mm_evo_identity(e, s, l.a);
	if (l.s == NULL)
		return;
	see_identity(&l);
	l.s = mm_evo_transport(e, l.s, l.a);
	if (l.s == NULL)
		return;
	see_transport(&l);
	if (mm_streq(l.acc->s[MM_SET_OUT_PROTOCOL].value, "smtp"))
		server_traps(l.s, l.acc->label, l.a, out);
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	struct mm_evo e;

	*out = (struct mm_view){0};
	if (mm_evo_load(r, p->path, &e, err) != 0)
		return -1;
	out->accounts = mm_arena_alloc(r->arena, e.n + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < e.n; i++)
		if (mm_evo_is_mail(&e.v[i], r->arena))
			see((struct look){.a = r->arena, .r = r}, &e, &e.v[i], out);
	mm_evo_exceptions(r, out);
	return 0;
}

/* ---- places */

/* Every GNOME session makes the folder, with sources for what is on this
 * computer: who has an account on a server uses the program. */
static bool in_use(const struct mm_evo *e, struct mm_arena *a)
{
	static const char *const local[] = {
	    "local", "vfolder", "rss", "none", "maildir", "mbox", "mh", "spool", "spooldir"};

	for (size_t i = 0; i < e->n; i++) {
		const char *backend = mm_evo_get(&e->v[i], MM_EVO_ACCOUNT, "BackendName", a);
		bool far = backend != NULL;

		for (size_t k = 0; far && k < sizeof(local) / sizeof(local[0]); k++)
			far = strcmp(backend, local[k]) != 0;
		if (far)
			return true;
	}
	return false;
}

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	struct mm_place p = {
	    .path = mm_config_path(r, "evolution/sources"), .label = "", .in_use = true, .exists = true};
	struct mm_evo e;
	struct mm_err trouble = MM_ERR_NONE;

	(void)err;
	*places = NULL;
	*n = 0;
	/* What cannot be read is told by read(). */
	if (mm_evo_load(r, p.path, &e, &trouble) == 0)
		p.exists = in_use(&e, r->arena);
	if (p.exists || (create && r->program(r, "evolution")))
		mm_add_place(r->arena, places, n, &p);
	return 0;
}

/* ---- what it cannot hold */

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const struct mm_cannot rows[] = {MM_CANNOT_PAIR(PASSWORD_COMMAND, MM_CLIENT_NOT_ITS_BUSINESS),
	    {MM_SET_IN_AUTH, "password plain login cram-md5 gssapi",
		"Evolution cannot be set to this way of logging in from outside."},
	    {MM_SET_OUT_AUTH, "password plain login cram-md5 gssapi none",
		"Evolution cannot be set to this way of logging in from outside."},
	    MM_CANNOT_PAIR(
		CA_FILE, "Evolution trusts the system's authorities and has no setting for others."),
	    MM_CANNOT_PAIR(PIN, "Evolution cannot pin a public key."),
	    MM_CANNOT_PAIR(TLS_MIN, "Evolution has no setting for it: the system's GnuTLS decides."),
	    MM_CANNOT_PAIR(CLIENT_CERT, "Evolution has no client certificates for mail."),
	    {MM_SET_NONE, NULL, NULL}};

	if (s == MM_SET_IN_LEAVE_ON_SERVER)
		return mm_streq(all->v[MM_SET_IN_PROTOCOL], "imap") ? MM_CLIENT_NOT_ITS_BUSINESS : NULL;
	return mm_cannot(rows, s, value);
}

const struct mm_client mm_client_evolution = {
    .name = "evolution",
    .label = "Evolution",
    .programs = (const char *const[]){"evolution", NULL},
    .incoming = true,
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_GIO,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = mm_evo_change,
};
