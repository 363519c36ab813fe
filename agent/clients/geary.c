/*
 * Geary: geary.ini of each account, edited in place and never while it runs:
 * it writes an account's file anew when it starts and when the account changes.
 *
 * Files: $XDG_CONFIG_HOME/geary/account_NN/geary.ini. A folder whose file
 * names a goa_id is an account of GNOME Online Accounts; Gmail's and
 * Outlook's have servers of their own and log in by OAuth. Passwords are
 * looked up by server and login. IMAP and SMTP only.
 *
 * Sources: src/client/accounts/accounts-manager.vala, src/engine/api of Geary
 * 43.0, and what the program did.
 */
#include <string.h>

#include "agent/clients/adapter.h"
#include "agent/clients/clients.h"
#include "agent/clients/encword.h"
#include "agent/clients/folder.h"
#include "agent/clients/goa.h"
#include "agent/clients/mailurl.h"
#include "agent/formats/keyfile.h"
#include "common/text.h"

#define NO_POP3 "Geary has no POP3."
#define ACCOUNTS_MAX 99 /* numbers that are tried for a new one */

static const struct mm_word security_words[] = {
    {"transport", "tls"}, {"start-tls", "starttls"}, {"none", "none"}, {NULL, NULL}};
static const struct mm_word auth_words[] = {
    {"custom", "password"}, {"use-incoming", "password"}, {"none", "none"}, {NULL, NULL}};

/* ---- the files */

struct account {
	const char *dir, *path; /* "account_01", its geary.ini */
	struct mm_doc doc;
};

static const char *path_of(struct mm_reader *r, const char *top, const char *dir)
{
	return mm_arena_printf(r->arena, "%s/%s/geary.ini", top, dir);
}

static int load(struct mm_reader *r, const char *top, struct account **out, size_t *n, struct mm_err *err)
{
	const char *const *names, *const *inside;
	size_t cap = 0;
	int rc = r->list(r, top, &names, err);

	*out = NULL;
	*n = 0;
	for (size_t i = 0; rc > 0 && names[i] != NULL; i++) {
		struct account acc = {.dir = names[i], .path = path_of(r, top, names[i])};

		/* Beside the folders of accounts there are files, geary.css for one. */
		if (r->list(r, mm_arena_printf(r->arena, "%s/%s", top, names[i]), &inside, NULL) == 0 ||
		    !mm_have_file(r, acc.path))
			continue;
		if (mm_load_doc(r, acc.path, &mm_format_keyfile, &acc.doc, err) != 0)
			return -1;
		*(struct account *)mm_arena_push(r->arena, out, n, &cap, sizeof(**out)) = acc;
	}
	return rc < 0 ? -1 : 0;
}

static const char *text(const struct account *acc, const char *group, const char *key)
{
	return mm_keyfile_get(&acc->doc, group, key);
}

/* An account of its own, on servers that the file names. */
static bool is_mail(const struct account *acc)
{
	return text(acc, "Metadata", "goa_id") == NULL && text(acc, "Account", "service_provider") != NULL &&
	       mm_streq_nocase(text(acc, "Account", "service_provider"), "other") &&
	       !mm_streq_nocase(text(acc, "Metadata", "status"), "removed");
}

/* ---- reading */

struct side {
	const char *group;
	const char *port_tls, *port;
	enum mm_setting s_host, s_port, s_security, s_user, s_auth;
};

static const struct side incoming = {"Incoming", "993", "143", MM_SET_IN_HOST, MM_SET_IN_PORT,
    MM_SET_IN_SECURITY, MM_SET_IN_USERNAME, MM_SET_IN_AUTH};
static const struct side outgoing = {"Outgoing", "465", "587", MM_SET_OUT_HOST, MM_SET_OUT_PORT,
    MM_SET_OUT_SECURITY, MM_SET_OUT_USERNAME, MM_SET_OUT_AUTH};

static struct mm_native get(const struct account *acc, const char *group, const char *key)
{
	const struct mm_item *it = mm_keyfile_find(&acc->doc, group, key);

	if (it == NULL || it->kind != 's' || it->value[0] == '\0')
		return (struct mm_native){.text = NULL};
	return (struct mm_native){.text = it->value, .path = acc->path, .line = it->line};
}

/* Without a port, or with 0, the program takes the usual one. */
static void see_port(const struct account *acc, const struct side *side, const char *security,
    const char *auth, struct mm_seen_account *seen)
{
	struct mm_native port = get(acc, side->group, "port");
	const char *dflt = mm_streq(security, "tls") ? side->port_tls : side->port;

	if (side == &outgoing && !mm_streq(security, "tls") && mm_streq(auth, "none"))
		dflt = "25";
	if (port.text != NULL && strcmp(port.text, "0") != 0)
		mm_see(seen, side->s_port, port, port.text);
	else
		mm_see(seen, side->s_port, (struct mm_native){.text = NULL}, dflt);
}

/* A word that Geary does not know is no value: it leaves the account out. */
static const char *known(const struct mm_word *words, struct mm_native v, struct mm_arena *a)
{
	const char *word = v.text != NULL ? mm_word_canon(words, v.text) : NULL;

	return word != NULL || v.text == NULL ? word
					      : mm_arena_printf(a, "'%s', which Geary does not know", v.text);
}

static void see_side(
    const struct account *acc, const struct side *side, struct mm_arena *a, struct mm_seen_account *seen)
{
	struct mm_native host = get(acc, side->group, "host"), user = get(acc, side->group, "login");
	struct mm_native security = get(acc, side->group, "transport_security");
	struct mm_native how = get(acc, side->group, "credentials");
	const char *word = known(security_words, security, a), *auth = known(auth_words, how, a);

	if (side == &outgoing && mm_streq_nocase(how.text, "use-incoming"))
		user = get(acc, "Incoming", "login");
	if (mm_streq(auth, "none"))
		user = (struct mm_native){.text = NULL};
	mm_see(seen, side->s_host, host, host.text);
	mm_see(seen, side->s_security, security, word);
	mm_see(seen, side->s_auth, how, auth);
	mm_see(seen, side->s_user, user, user.text);
	see_port(acc, side, word, auth, seen);
}

static const char *const *senders(const struct account *acc, struct mm_arena *a, size_t *n)
{
	const struct mm_item *it = mm_keyfile_find(&acc->doc, "Account", "sender_mailboxes");

	*n = 0;
	return it != NULL ? mm_keyfile_list(it, a, n) : NULL;
}

/* "phrase <address>", as the program writes it: the phrase may be of several kinds of words. */
static const char *sender(const char *text, struct mm_arena *a, const char **name)
{
	const char *open = strrchr(text, '<'), *end = open;

	*name = NULL;
	if (open == NULL)
		return text;
	while (end > text && strchr(" \t", end[-1]) != NULL)
		end--;
	if (end > text)
		*name = mm_encwords_decode(mm_arena_strndup(a, text, (size_t)(end - text)), a);
	return mm_arena_strndup(a, open + 1, strcspn(open + 1, ">"));
}

/* The first of them is the sender. */
static void see_identity(const struct account *acc, struct mm_arena *a, struct mm_seen_account *seen)
{
	const struct mm_item *it = mm_keyfile_find(&acc->doc, "Account", "sender_mailboxes");
	const char *name = NULL, *address = NULL;
	struct mm_native v = {.text = NULL};
	size_t n;
	const char *const *list = senders(acc, a, &n);

	if (n > 0) {
		address = sender(list[0], a, &name);
		v = (struct mm_native){.text = it->value, .path = acc->path, .line = it->line};
	}
	mm_see(seen, MM_SET_ADDRESS, v, address);
	mm_see(seen, MM_SET_REAL_NAME, v, name);
}

/* [Folders]: the steps of a path; an empty list leaves the choice to the server. */
static const struct {
	enum mm_setting s;
	const char *key;
} folders[] = {{MM_SET_FOLDER_SENT, "sent_folder"}, {MM_SET_FOLDER_DRAFTS, "drafts_folder"},
    {MM_SET_FOLDER_TRASH, "trash_folder"}, {MM_SET_FOLDER_JUNK, "junk_folder"}};
#define N_FOLDERS (sizeof(folders) / sizeof(folders[0]))

static void see_folders(const struct account *acc, struct mm_arena *a, struct mm_seen_account *seen)
{
	for (size_t i = 0; i < N_FOLDERS; i++) {
		const struct mm_item *it = mm_keyfile_find(&acc->doc, "Folders", folders[i].key);
		size_t n = 0;
		const char *const *steps = it != NULL ? mm_keyfile_list(it, a, &n) : NULL;
		const char *path = n > 0 ? steps[0] : NULL;

		for (size_t k = 1; k < n; k++)
			path = mm_arena_printf(a, "%s/%s", path, steps[k]);
		if (path != NULL)
			mm_see(seen, folders[i].s,
			    (struct mm_native){.text = it->value, .path = acc->path, .line = it->line}, path);
	}
}

static void switched_off(const struct account *acc, struct mm_seen_account *seen)
{
	struct mm_native status = get(acc, "Metadata", "status");

	if (mm_streq_nocase(status.text, "disabled"))
		mm_see_all_over(seen, status, "status=disabled");
}

static void traps(
    const struct account *acc, const struct mm_seen_account *seen, struct mm_arena *a, struct mm_view *out)
{
	static const char *const needed[] = {"host", "transport_security", "credentials"};
	const struct side *const sides[] = {&incoming, &outgoing};

	for (size_t i = 0; i < 2; i++) {
		const struct mm_seen *security = &seen->s[sides[i]->s_security];

		if (mm_streq(security->value, "none"))
			mm_add_trap(a, out, MM_TRAP_CLEAR, acc->path, security->line,
			    mm_arena_printf(a,
				"[%s] of '%s' does without encryption: the password goes in clear text.",
				sides[i]->group, seen->label))
			    ->key = seen->key;
		for (size_t k = 0; k < sizeof(needed) / sizeof(needed[0]); k++)
			if (mm_keyfile_get(&acc->doc, sides[i]->group, needed[k]) == NULL)
				mm_add_trap(a, out, MM_TRAP_OTHER, acc->path, 0,
				    mm_arena_printf(a,
					"[%s] has no %s that can be read: Geary leaves the account out.",
					sides[i]->group, needed[k]))
				    ->key = seen->key;
	}
}

/* pinned-certs/HOST.pem: what a person accepted for ever
 * (application-certificate-manager.vala). */
static void exceptions(struct mm_reader *r, struct mm_view *out)
{
	static const char suffix[] = ".pem";
	const char *dir = mm_data_path(r, "geary/pinned-certs");
	struct mm_err err = MM_ERR_NONE;
	const char *const *names;

	if (out->n == 0 || r->list(r, dir, &names, &err) != 1)
		return;
	for (; *names != NULL; names++) {
		struct mm_native at = {.path = mm_arena_printf(r->arena, "%s/%s", dir, *names)};

		if (mm_ends_with(*names, suffix))
			mm_trap_exception(r->arena, out, at,
			    mm_arena_strndup(r->arena, *names, strlen(*names) - (sizeof(suffix) - 1)));
	}
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	struct account *v;
	size_t n;

	*out = (struct mm_view){0};
	if (load(r, p->path, &v, &n, err) != 0)
		return -1;
	out->accounts = mm_arena_alloc(r->arena, n + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < n; i++) {
		struct mm_seen_account *seen = &out->accounts[out->n];
		const char *label = text(&v[i], "Account", "label");

		if (!is_mail(&v[i]))
			continue;
		*seen = (struct mm_seen_account){.key = v[i].dir,
		    .label = label != NULL ? label : v[i].dir,
		    .has_incoming = true,
		    .has_outgoing = true};
		mm_see(seen, MM_SET_IN_PROTOCOL, (struct mm_native){.text = NULL}, "imap");
		mm_see(seen, MM_SET_OUT_PROTOCOL, (struct mm_native){.text = NULL}, "smtp");
		see_identity(&v[i], r->arena, seen);
		see_side(&v[i], &incoming, r->arena, seen);
		see_side(&v[i], &outgoing, r->arena, seen);
		see_folders(&v[i], r->arena, seen);
		switched_off(&v[i], seen);
		traps(&v[i], seen, r->arena, out);
		out->n++;
	}
	exceptions(r, out);
	return 0;
}

/* ---- places */

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	struct mm_place p = {.path = mm_config_path(r, "geary"), .label = "", .in_use = true, .exists = true};
	struct mm_err trouble = MM_ERR_NONE;
	struct account *v;
	size_t count;

	(void)err;
	*places = NULL;
	*n = 0;
	/* What cannot be read is told by read(). */
	if (load(r, p.path, &v, &count, &trouble) == 0)
		p.exists = count > 0;
	if (!p.exists && (!create || !r->program(r, "geary")))
		return 0;
	if (mm_running(r, "geary"))
		p.busy = "Geary is running, and would write its old settings back";
	mm_add_place(r->arena, places, n, &p);
	return 0;
}

/* ---- writing */

struct writer {
	struct mm_arena *a;
	struct mm_edit_list edits;
	const struct account *acc; /* as it is; NULL: a new one */
	const struct mm_seen_account *now;
	bool asks; /* the password is looked up by what changes */
};

static void add_group(struct writer *w, const char *group)
{
	for (size_t i = 0; w->acc != NULL && i < w->acc->doc.n; i++)
		if (strcmp(w->acc->doc.items[i].section, group) == 0)
			return;
	mm_want_edit(&w->edits, w->a, MM_EDIT_SECTION_ADD, group, "", 's', NULL);
}

static void want(struct writer *w, const char *group, const char *key, const char *value)
{
	mm_want_set(&w->edits, w->a, group, key, value);
}

/* Quoted where that is all it takes; else as encoded words, in which nothing
 * is special, neither to the address nor to the list. */
static const char *mailbox(struct writer *w, const char *address, const char *name)
{
	bool plain = name == NULL || (strpbrk(name, "\"\\;") == NULL && strstr(name, "  ") == NULL);

	for (const char *p = name; plain && p != NULL && *p != '\0'; p++)
		plain = (unsigned char)*p < 0x80;
	return plain ? mm_mailbox_print(address, name, w->a)
		     : mm_arena_printf(w->a, "%s <%s>", mm_encwords(name, w->a), address);
}

static void write_identity(struct writer *w, const struct mm_change *ch)
{
	const char *address = mm_joined(ch, w->now, MM_SET_ADDRESS);
	const char *name = ch->want->v[MM_SET_REAL_NAME], *value;
	const char *const *old = NULL;
	const char **list;
	size_t n = 0;
	char kind;

	if (ch->want->v[MM_SET_ADDRESS] == NULL && ch->want->v[MM_SET_REAL_NAME] == NULL && w->now != NULL)
		return;
	if (name == NULL && w->now != NULL)
		name = w->now->s[MM_SET_REAL_NAME].value;
	if (w->acc != NULL)
		old = senders(w->acc, w->a, &n);
	n = n > 0 ? n : 1;
	list = mm_arena_alloc(w->a, n, sizeof(*list));
	for (size_t i = 1; i < n; i++)
		list[i] = old[i];
	list[0] = mailbox(w, address, name);
	add_group(w, "Account");
	value = mm_keyfile_list_text(list, n, w->a, &kind);
	mm_want_edit(&w->edits, w->a, MM_EDIT_SET, "Account", "sender_mailboxes", kind, value);
}

/* "use-incoming" borrows the login of the other side: where one of them
 * changes, both are said. */
static void write_login(struct writer *w, const struct side *side, const struct mm_values *v)
{
	const char *auth = v->v[side->s_auth], *user = v->v[side->s_user];
	bool borrowed = w->acc != NULL && side == &outgoing &&
			mm_streq_nocase(text(w->acc, "Outgoing", "credentials"), "use-incoming");

	if (borrowed && user == NULL && auth == NULL && v->v[MM_SET_IN_USERNAME] != NULL)
		user = w->now != NULL ? w->now->s[MM_SET_OUT_USERNAME].value : NULL;
	if (mm_streq(auth, "none")) {
		want(w, side->group, "credentials", "none");
		return;
	}
	if (auth == NULL && user == NULL)
		return;
	if (auth != NULL || borrowed)
		want(w, side->group, "credentials", "custom");
	want(w, side->group, "login", user);
	w->asks = w->asks || user != NULL;
}

static void write_side(struct writer *w, const struct side *side, const struct mm_values *v)
{
	const char *port = v->v[side->s_port], *security = v->v[side->s_security];

	if (v->v[side->s_host] == NULL && port == NULL && security == NULL && v->v[side->s_auth] == NULL &&
	    v->v[side->s_user] == NULL && (side == &incoming || v->v[MM_SET_IN_USERNAME] == NULL))
		return;
	/* A port that is not said hangs on the other two. */
	if (port == NULL && (security != NULL || v->v[side->s_auth] != NULL) && w->now != NULL)
		port = w->now->s[side->s_port].value;
	add_group(w, side->group);
	write_login(w, side, v);
	want(w, side->group, "host", v->v[side->s_host]);
	want(w, side->group, "port", port);
	if (security != NULL)
		want(w, side->group, "transport_security", mm_word_native(security_words, security));
	w->asks = w->asks || v->v[side->s_host] != NULL;
}

static void write_folders(struct writer *w, const struct mm_values *v)
{
	for (size_t i = 0; i < N_FOLDERS; i++) {
		const char *folder = v->v[folders[i].s], *text;
		const char *steps[MM_FOLDER_LEVELS_MAX];
		char kind;

		if (folder == NULL)
			continue;
		text = mm_keyfile_list_text(steps, mm_folder_levels(folder, steps, w->a), w->a, &kind);
		add_group(w, "Folders");
		mm_want_edit(&w->edits, w->a, MM_EDIT_SET, "Folders", folders[i].key, kind, text);
	}
}

/* Neither a folder of settings nor one of data may be there: a former
 * account's mail would turn up in the new one. */
static const char *new_dir(struct mm_reader *r, const char *top)
{
	const char *data = mm_data_path(r, "geary"), *const * names;
	struct mm_err err;

	for (int i = 1; i <= ACCOUNTS_MAX; i++) {
		const char *dir = mm_arena_printf(r->arena, "account_%02d", i);

		if (!mm_have_file(r, path_of(r, top, dir)) &&
		    r->list(r, mm_arena_printf(r->arena, "%s/%s", data, dir), &names, &err) == 0)
			return dir;
	}
	return NULL;
}

static int add(struct mm_reader *r, struct writer *w, const char *top, const struct mm_change *ch,
    struct mm_edits *out, struct mm_err *err)
{
	static const enum mm_setting needed[] = {MM_SET_IN_HOST, MM_SET_IN_PORT, MM_SET_IN_SECURITY,
	    MM_SET_IN_AUTH, MM_SET_IN_USERNAME, MM_SET_OUT_HOST, MM_SET_OUT_PORT, MM_SET_OUT_SECURITY,
	    MM_SET_OUT_AUTH, MM_SET_OUT_USERNAME};
	const char *label = ch->label != NULL && ch->label[0] != '\0' ? ch->label : ch->account;
	struct mm_values v = *ch->want;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (v.v[needed[i]] == NULL)
			v.v[needed[i]] = ch->full->v[needed[i]];
	if (v.v[MM_SET_IN_HOST] == NULL || v.v[MM_SET_OUT_HOST] == NULL)
		return mm_err_set(
		    err, MM_EX_DIFF, "such an account fetches mail and sends it: both are needed");
	if (mm_goa_has(r, ch->full))
		return mm_err_set(err, MM_EX_DIFF, "GNOME Online Accounts brings this account to Geary");
	out->key = new_dir(r, top);
	if (out->key == NULL)
		return mm_err_set(err, MM_EX_DATAERR, "%s: no free account number", top);
	add_group(w, "Metadata");
	want(w, "Metadata", "version", "1");
	want(w, "Metadata", "status", "enabled");
	mm_want_edit(&w->edits, w->a, MM_EDIT_SECTION_ADD, "Account", "", 's', NULL);
	want(w, "Account", "label", label);
	want(w, "Account", "service_provider", "other");
	write_identity(w, ch);
	write_side(w, &incoming, &v);
	want(w, "Incoming", "remember_password", "true");
	write_side(w, &outgoing, &v);
	want(w, "Outgoing", "remember_password", "true");
	write_folders(w, &v);
	return 0;
}

static void take_away(struct writer *w)
{
	const struct mm_doc *d = &w->acc->doc;

	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].kind != 'c' && d->items[i].wins)
			mm_want_edit(
			    &w->edits, w->a, MM_EDIT_DELETE, d->items[i].section, d->items[i].key, 's', NULL);
	for (size_t i = d->n; i-- > 0;)
		if (d->items[i].kind == 'c')
			mm_want_edit(
			    &w->edits, w->a, MM_EDIT_SECTION_REMOVE, d->items[i].section, "", 's', NULL);
}

static int set(struct writer *w, const struct mm_view *now, const struct mm_change *ch, const char *path,
    struct mm_err *err)
{
	w->now = mm_seen_named(now, ch->key);
	if (w->now == NULL)
		return mm_err_set(err, MM_EX_FAILED, "%s is not there", path);
	write_identity(w, ch);
	write_side(w, &incoming, ch->want);
	write_side(w, &outgoing, ch->want);
	write_folders(w, ch->want);
	return 0;
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct writer w = {.a = r->arena};
	struct account acc = {.dir = ch->key};
	int rc = 0;

	*out = (struct mm_edits){.key = ch->key};
	if (ch->kind != MM_CHANGE_REMOVE && mm_streq(ch->full->v[MM_SET_IN_PROTOCOL], "pop3"))
		return mm_err_set(err, MM_EX_DIFF, NO_POP3);
	if (ch->kind == MM_CHANGE_ADD) {
		rc = add(r, &w, p->path, ch, out, err);
	} else {
		acc.path = path_of(r, p->path, ch->key);
		w.acc = &acc;
		if (mm_load_doc(r, acc.path, &mm_format_keyfile, &acc.doc, err) != 0)
			return -1;
		if (ch->kind == MM_CHANGE_SET)
			rc = set(&w, now, ch, acc.path, err);
		else if (ch->created)
			take_away(&w);
	}
	if (rc != 0)
		return -1;
	if (w.asks) {
		out->note = "Geary will ask for the password, which it keeps by server and login";
		out->costs = MM_COST_PASSWORD;
	}
	mm_want_file(out, r->arena, path_of(r, p->path, out->key), &mm_format_keyfile, &w.edits,
	    ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	return 0;
}

/* ---- what it cannot hold */

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const struct mm_cannot rows[] = {MM_CANNOT_PAIR(PASSWORD_COMMAND, MM_CLIENT_NOT_ITS_BUSINESS),
	    {MM_SET_IN_LEAVE_ON_SERVER, NULL, MM_CLIENT_NOT_ITS_BUSINESS},
	    {MM_SET_IN_PROTOCOL, "imap", NO_POP3}, {MM_SET_REPLY_TO, NULL, "Geary has no reply address."},
	    {MM_SET_ORGANISATION, NULL, "Geary has no organisation."},
	    {MM_SET_IN_AUTH, "password", "Geary leaves no choice of the way to log in."},
	    {MM_SET_OUT_AUTH, "password none", "Geary leaves no choice of the way to log in."},
	    MM_CANNOT_PAIR(CA_FILE, "Geary trusts the system's authorities and has no setting for others."),
	    MM_CANNOT_PAIR(PIN, "Geary cannot pin a public key by a setting."),
	    MM_CANNOT_PAIR(TLS_MIN, "Geary has no setting for it: the system's GnuTLS decides."),
	    MM_CANNOT_PAIR(CLIENT_CERT, "Geary has no client certificates."), {MM_SET_NONE, NULL, NULL}};

	if (s == MM_SET_OUT_USERNAME && mm_streq(all->v[MM_SET_OUT_AUTH], "none"))
		return MM_CLIENT_NOT_ITS_BUSINESS;
	if (s == MM_SET_REAL_NAME && (strpbrk(value, "\"\\") != NULL || strstr(value, "=?") != NULL))
		return "Geary takes quotation marks, backslashes and encoded words out of a name.";
	return mm_cannot(rows, s, value);
}

const struct mm_client mm_client_geary = {
    .name = "geary",
    .label = "Geary",
    .programs = (const char *const[]){"geary", NULL},
    .incoming = true,
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_GIO,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
