/*
 * himalaya: edited in place, in the account's table of config.toml, in the
 * words of the version that the file is written for (himalaya.h).
 *
 * Files: the first of $HIMALAYA_CONFIG, $XDG_CONFIG_HOME/himalaya/config.toml,
 * ~/.config/himalaya/config.toml, ~/.himalayarc. Without a key for encryption it
 * is TLS. Certificates are always verified from 1.0 on; before, `imap-insecure`
 * switches that off. In a file without accounts the version cannot be seen:
 * cargo's list of programs says it, or else nothing is added.
 */
#include "agent/clients/himalaya.h"

#include <string.h>

#include "agent/clients/clients.h"
#include "common/text.h"

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *named = r->env(r, "HIMALAYA_CONFIG");
	const char *paths[4];
	const char **dirs = mm_arena_alloc(r->arena, 2, sizeof(*dirs));
	size_t k = 0;
	int rc;

	(void)err;
	if (named != NULL && named[0] == '/')
		paths[k++] = mm_arena_strndup(r->arena, named, strcspn(named, ":"));
	paths[k++] = mm_config_path(r, "himalaya/config.toml");
	if (!mm_streq(paths[k - 1], mm_home_path(r, ".config/himalaya/config.toml")))
		paths[k++] = mm_home_path(r, ".config/himalaya/config.toml");
	paths[k++] = mm_home_path(r, ".himalayarc");
	rc = mm_find_first(r, "himalaya", paths, k, paths[0], create, places, n);
	dirs[0] = mm_path_dir(r->arena, paths[0]);
	if (*n > 0 && !(*places)[0].exists)
		(*places)[0].extra_dirs = dirs;
	return rc;
}

/* ---- reading */

/* 0.6-0.9 has its accounts at the root. */
static const char *accounts_of(const struct mm_doc *d, struct mm_arena *a)
{
	size_t n;

	mm_toml_tables(d, "accounts", a, &n);
	return n > 0 ? "accounts" : "";
}

static enum mm_himalaya_version version_of(const struct mm_toml_at *at, const char *prefix)
{
	if (prefix[0] != '\0')
		return mm_himalaya_version_of(at);
	return mm_toml_find(at, "backend") != NULL || mm_toml_find(at, "sender") != NULL ||
		       mm_toml_find(at, "imap-host") != NULL || mm_toml_find(at, "smtp-host") != NULL
		   ? MM_HIMALAYA_V0
		   : MM_HIMALAYA_NONE;
}

static const char *table_of(const char *prefix, const char *name, struct mm_arena *a)
{
	return prefix[0] != '\0' ? mm_arena_printf(a, "%s.%s", prefix, name) : name;
}

static const char *side_key(const struct mm_toml_at *at, const struct mm_himalaya_side *k, const char *rest)
{
	return mm_arena_printf(at->a, "%s%s", k->prefix, rest);
}

static enum mm_setting on(const struct mm_himalaya_side *k, enum mm_setting incoming)
{
	return mm_setting_on_side(incoming, k->side);
}

/* 0.6-0.9: TLS unless ssl = false; starttls = true is STARTTLS. */
static void see_v0_security(struct mm_seen_account *s, const struct mm_toml_at *at,
    const struct mm_himalaya_side *k, struct mm_view *out)
{
	struct mm_native ssl = mm_get_toml(at, side_key(at, k, "ssl"));
	struct mm_native starttls = mm_get_toml(at, side_key(at, k, "starttls"));
	struct mm_native insecure = mm_get_toml(at, side_key(at, k, "insecure"));

	if (mm_streq(starttls.text, "true"))
		mm_see(s, on(k, MM_SET_IN_SECURITY), starttls, "starttls");
	else
		mm_see(s, on(k, MM_SET_IN_SECURITY), ssl, mm_streq(ssl.text, "false") ? "none" : "tls");
	if (mm_streq(insecure.text, "true"))
		mm_trap_of(
		    at->a, out, MM_TRAP_NO_VERIFY, insecure, s, "does not verify the server's certificate.");
}

static void see_login(struct mm_seen_account *s, const struct mm_toml_at *at,
    const struct mm_himalaya_side *k, struct mm_view *out)
{
	struct mm_native auth = k->auth != NULL ? mm_get_toml(at, k->auth) : (struct mm_native){.text = NULL};
	struct mm_native raw = mm_get_toml(at, k->raw), ring = mm_get_toml(at, k->keyring);
	struct mm_seen *command = &s->s[on(k, MM_SET_IN_PASSWORD_COMMAND)];
	const struct mm_item *it = mm_toml_find(at, k->keys[k->n_keys - 1].key);
	bool token = mm_streq(auth.text, "oauth2");
	struct mm_native method = mm_get_toml(at, side_key(at, k, "auth.method"));

	if (token)
		mm_see(s, on(k, MM_SET_IN_AUTH), auth, method.text != NULL ? method.text : "xoauth2");
	else
		mm_see(s, on(k, MM_SET_IN_AUTH), auth, "password");
	if (it != NULL)
		command->value = mm_toml_command(it, true, at->a);
	if (raw.text != NULL) {
		mm_see_over(command, raw, "raw", MM_HIMALAYA_RAW);
		mm_trap_of(
		    at->a, out, MM_TRAP_PASSWORD, raw, s, "keeps its password in clear text in the file.");
	} else if (ring.text != NULL) {
		mm_see_over(command, ring, "keyring", MM_HIMALAYA_KEYRING);
	}
}

static void see_side(struct mm_seen_account *s, const struct mm_toml_at *at, const struct mm_himalaya_side *k,
    struct mm_view *out)
{
	struct mm_native backend = mm_get_toml(at, k->backend), none = {.text = NULL};
	struct mm_native host = mm_get_toml(at, k->keys[0].key);
	enum mm_setting security = on(k, MM_SET_IN_SECURITY);
	bool in = k->side == MM_SIDE_INCOMING;

	if (backend.text == NULL && host.text == NULL)
		return;
	if (backend.text != NULL && !mm_streq(backend.text, k->protocol)) {
		mm_see_side_over(s, backend, k->side, "backend",
		    in ? "Mail is read where another program has put it; the setting is checked there."
		       : "Mail is handed to a program; the setting is checked in its configuration.");
		return;
	}
	*(in ? &s->has_incoming : &s->has_outgoing) = true;
	mm_see(s, in ? MM_SET_IN_PROTOCOL : MM_SET_OUT_PROTOCOL, backend.text != NULL ? backend : host,
	    k->protocol);
	mm_keys_see(k->keys, k->n_keys, mm_get_toml, at, at->a, s);
	if (k->encryption == NULL)
		see_v0_security(s, at, k, out);
	mm_see(s, on(k, MM_SET_IN_TLS_MIN), none, "1.2");
	see_login(s, at, k, out);
	if (mm_streq(s->s[security].value, "none"))
		mm_trap_of(at->a, out, MM_TRAP_CLEAR,
		    s->s[security].path != NULL
			? mm_get_toml(at, k->encryption != NULL ? k->encryption : side_key(at, k, "ssl"))
			: host,
		    s, in ? "fetches mail without encryption." : "sends mail without encryption.");
}

static void see(
    struct mm_seen_account *s, enum mm_himalaya_version version, struct mm_toml_at *at, struct mm_view *out)
{
	const struct mm_himalaya_words *w;
	const struct mm_item *name = mm_doc_find(at->doc, "", "display-name");

	if (version == MM_HIMALAYA_V2) {
		mm_himalaya_see_v2(s, at, out);
	} else {
		w = mm_himalaya_words(version);
		at->names = w->names;
		mm_keys_see(w->account, w->n_account, mm_get_toml, at, at->a, s);
		see_side(s, at, &w->in, out);
		see_side(s, at, &w->out, out);
	}
	if (s->s[MM_SET_REAL_NAME].value == NULL && name != NULL)
		mm_see(s, MM_SET_REAL_NAME,
		    (struct mm_native){.text = name->value, .path = at->path, .line = name->line},
		    name->value);
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	const char *const *names, *prefix;
	struct mm_doc d;
	size_t n;

	*out = (struct mm_view){0};
	if (mm_load_doc(r, p->path, &mm_format_toml, &d, err) != 0)
		return -1;
	prefix = accounts_of(&d, r->arena);
	names = mm_toml_tables(&d, prefix, r->arena, &n);
	out->accounts = mm_arena_alloc(r->arena, n + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < n; i++) {
		struct mm_toml_at at = {.doc = &d,
		    .section = table_of(prefix, names[i], r->arena),
		    .path = p->path,
		    .a = r->arena};
		enum mm_himalaya_version version = version_of(&at, prefix);
		struct mm_seen_account *s = &out->accounts[out->n];

		if (version == MM_HIMALAYA_NONE)
			continue;
		*s = (struct mm_seen_account){.key = names[i], .label = mm_toml_name(names[i], r->arena)};
		out->n++;
		see(s, version, &at, out);
	}
	return 0;
}

/* ---- writing */

struct writer {
	struct mm_toml_at at;
	struct mm_edit_list edits;
	const struct mm_change *ch;
	const struct mm_seen_account *now;
	enum mm_himalaya_version version;
};

static void want(struct writer *w, const char *key, char kind, const char *value)
{
	mm_toml_want(&w->at, &w->edits, key, kind, value);
}

static void write_v0_security(struct writer *w, const struct mm_himalaya_side *k)
{
	const char *security = w->ch->want->v[on(k, MM_SET_IN_SECURITY)];
	bool starttls = mm_streq(security, "starttls");

	if (security == NULL)
		return;
	want(w, side_key(&w->at, k, "ssl"), 'b', mm_streq(security, "none") ? "false" : "true");
	if (starttls || mm_toml_yes(&w->at, side_key(&w->at, k, "starttls")))
		want(w, side_key(&w->at, k, "starttls"), 'b', starttls ? "true" : "false");
}

/* 1.x logs in with a password; tokens it gets by settings of its own. */
static int check_auth(const struct writer *w, const struct mm_himalaya_side *k, struct mm_err *err)
{
	const char *auth = w->ch->want->v[on(k, MM_SET_IN_AUTH)];
	const struct mm_item *it = k->auth != NULL ? mm_toml_find(&w->at, k->auth) : NULL;

	if (auth != NULL && !mm_streq(auth, "password"))
		return mm_err_set(err, MM_EX_DIFF,
		    "himalaya before 2.0 logs in with a password, in the way that it chooses itself.");
	if (auth != NULL && it != NULL && !mm_streq(it->value, k->auth_password))
		return mm_err_set(err, MM_EX_DIFF,
		    "The account logs in by OAuth, with many settings of its own: it is left as it is.");
	return 0;
}

static bool wants_side(const struct writer *w, const struct mm_himalaya_side *k)
{
	for (size_t i = 0; i < k->n_keys; i++)
		if (w->ch->want->v[k->keys[i].s] != NULL)
			return true;
	return false;
}

static int write_side(struct writer *w, const struct mm_himalaya_side *k, struct mm_err *err)
{
	struct mm_values v = *w->ch->want;
	size_t n = k->n_keys - 1; /* the last one is the command */

	if (check_auth(w, k, err) != 0)
		return -1;
	if (mm_toml_find(&w->at, k->backend) == NULL && wants_side(w, k))
		want(w, k->backend, 's', k->protocol);
	if (k->encryption == NULL)
		write_v0_security(w, k);
	if (mm_toml_keys_want(k->keys, n, &v, &w->at, &w->edits, err) != 0)
		return -1;
	if (w->version == MM_HIMALAYA_V1 && v.v[on(k, MM_SET_IN_AUTH)] != NULL)
		want(w, k->auth, 's', k->auth_password);
	if (mm_toml_find(&w->at, k->raw) != NULL || mm_toml_find(&w->at, k->keyring) != NULL)
		return 0; /* two of them are too many for himalaya */
	return mm_toml_keys_want(k->keys + n, 1, &v, &w->at, &w->edits, err);
}

static int write_words(struct writer *w, struct mm_err *err)
{
	const struct mm_himalaya_words *words = mm_himalaya_words(w->version);

	w->at.names = words->names;
	if (mm_toml_keys_want(words->account, words->n_account, w->ch->want, &w->at, &w->edits, err) != 0)
		return -1;
	return write_side(w, &words->in, err) != 0 ? -1 : write_side(w, &words->out, err);
}

/* The version of the accounts that are there; of none, what cargo says. */
static enum mm_himalaya_version version_for_new(struct mm_reader *r, const struct mm_doc *d, const char *path)
{
	const char *prefix = accounts_of(d, r->arena), *cargo = mm_cargo_version(r, "himalaya");
	const char *const *names;
	size_t n;

	names = mm_toml_tables(d, prefix, r->arena, &n);
	for (size_t i = 0; i < n; i++) {
		struct mm_toml_at at = {
		    .doc = d, .section = table_of(prefix, names[i], r->arena), .path = path, .a = r->arena};
		enum mm_himalaya_version v = version_of(&at, prefix);

		if (v != MM_HIMALAYA_NONE)
			return v;
	}
	if (cargo == NULL)
		return MM_HIMALAYA_NONE;
	return cargo[0] == '0'                                                ? MM_HIMALAYA_V0
	       : mm_starts_with(cargo, "1.") && strstr(cargo, "beta") == NULL ? MM_HIMALAYA_V1
	       : mm_starts_with(cargo, "2.")                                  ? MM_HIMALAYA_V2
									      : MM_HIMALAYA_NONE;
}

static bool one_is_default(const struct mm_doc *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (mm_streq(d->items[i].key, "default") && mm_streq(d->items[i].value, "true"))
			return true;
	return false;
}

struct taken {
	const struct mm_doc *d;
	const char *prefix;
	struct mm_arena *a;
};

static bool is_taken(const void *ctx, const char *name)
{
	const struct taken *t = ctx;
	const char *const *names;
	size_t n;

	names = mm_toml_tables(t->d, t->prefix, t->a, &n);
	for (size_t i = 0; i < n; i++)
		if (mm_streq(names[i], name))
			return true;
	return mm_doc_find(t->d, t->prefix, name) != NULL;
}

static int start_account(struct mm_reader *r, struct writer *w, struct mm_edits *out, struct mm_err *err)
{
	const struct mm_doc *d = w->at.doc;
	struct taken t = {.d = d, .a = r->arena};

	w->version = version_for_new(r, d, w->at.path);
	if (w->version == MM_HIMALAYA_NONE)
		return mm_err_set(err, MM_EX_DIFF,
		    "The file has no account yet that shows which version of himalaya reads it, and each has "
		    "keys of its own.");
	t.prefix = w->version == MM_HIMALAYA_V0 ? "" : "accounts";
	out->key = mm_free_name(w->ch->account, is_taken, &t, r->arena);
	w->at.section = table_of(t.prefix, out->key, r->arena);
	mm_want_edit(&w->edits, r->arena, MM_EDIT_SECTION_ADD, w->at.section, "", 's', NULL);
	if (w->ch->index == 0 && !one_is_default(d))
		want(w, "default", 'b', "true");
	return 0;
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct mm_doc d;
	struct writer w = {
	    .at = {.doc = &d, .path = p->path, .a = r->arena}, .ch = ch, .now = mm_seen_named(now, ch->key)};
	const char *prefix;

	*out = (struct mm_edits){.key = ch->key};
	if (ch->kind == MM_CHANGE_REMOVE)
		return 0;
	if (mm_load_doc(r, p->path, &mm_format_toml, &d, err) != 0)
		return -1;
	if (ch->kind == MM_CHANGE_ADD) {
		if (start_account(r, &w, out, err) != 0)
			return -1;
	} else {
		prefix = accounts_of(&d, r->arena);
		w.at.section = table_of(prefix, ch->key, r->arena);
		w.version = version_of(&w.at, prefix);
	}
	if ((w.version == MM_HIMALAYA_V2 ? mm_himalaya_write_v2(&w.at, ch, w.now, &w.edits, err)
					 : write_words(&w, err)) != 0)
		return -1;
	mm_want_file(out, r->arena, p->path, &mm_format_toml, &w.edits, ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	return 0;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const char no_ca[] =
	    "himalaya takes the system's certificate authorities; only version 2 has a "
	    "setting for others, which is not written here.";
	static const char login[] = "himalaya does not log in in this way.";
	static const struct mm_cannot rows[] = {
	    {MM_SET_REPLY_TO, NULL, "himalaya has no Reply-To of an account."},
	    {MM_SET_ORGANISATION, NULL, "himalaya has no Organization of an account."},
	    {MM_SET_FOLDER_JUNK, NULL, "himalaya has no role for a folder of junk mail."},
	    {MM_SET_IN_PROTOCOL, "imap", "himalaya fetches mail from servers by IMAP only."},
	    {MM_SET_IN_CA_FILE, NULL, no_ca}, {MM_SET_OUT_CA_FILE, NULL, no_ca},
	    {MM_SET_IN_PIN, NULL, "himalaya cannot pin a server's key."},
	    {MM_SET_OUT_PIN, NULL, "himalaya cannot pin a server's key."},
	    {MM_SET_IN_CLIENT_CERT, NULL, "himalaya has no client certificates."},
	    {MM_SET_OUT_CLIENT_CERT, NULL, "himalaya has no client certificates."},
	    {MM_SET_IN_TLS_MIN, "1.2", "himalaya has no setting for TLS versions; 1.2 is its floor."},
	    {MM_SET_OUT_TLS_MIN, "1.2", "himalaya has no setting for TLS versions; 1.2 is its floor."},
	    {MM_SET_IN_LEAVE_ON_SERVER, NULL, MM_CLIENT_NOT_ITS_BUSINESS},
	    {MM_SET_IN_AUTH, "password plain login scram-sha-256 oauthbearer xoauth2", login},
	    {MM_SET_OUT_AUTH, "password plain login scram-sha-256 oauthbearer xoauth2", login},
	    {MM_SET_NONE, NULL, NULL}};

	(void)all;
	return mm_cannot(rows, s, value);
}

const struct mm_client mm_client_himalaya = {
    .name = "himalaya",
    .label = "himalaya",
    .programs = (const char *const[]){"himalaya", NULL},
    .incoming = true,
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
