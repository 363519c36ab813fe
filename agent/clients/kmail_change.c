/* Writing an account of KMail: its resource, its identity, its transport. */
#include <string.h>

#include "agent/clients/keys.h"
#include "agent/clients/kmail.h"
#include "agent/formats/keyfile.h"
#include "common/text.h"

#define INSTANCES "Instances"
#define COUNTERS "InstanceCounters"
#define INSTANCES_MAX 1000000

struct writer {
	struct mm_reader *r;
	struct mm_kmail k;
	const struct mm_kmail_account *now; /* NULL: a new one */
	struct mm_kmail_account a;
	const char *account, *label;
	bool new_identity, new_transport;
	struct mm_edit_list agents, config, rc, transports, identities;
};

static void want_rc(struct writer *w, const char *group, const char *key, const char *value)
{
	mm_kde_want(w->r, &w->a.rc, &w->rc, group, key, value);
}

static void want_identity(struct writer *w, const char *key, const char *value)
{
	mm_kde_want(w->r, &w->k.identities, &w->identities, w->a.identity, key, value);
}

static void want_transport(struct writer *w, const char *key, const char *value)
{
	mm_kde_want(w->r, &w->k.transports, &w->transports, w->a.transport, key, value);
}

/* ---- the values */

static const char *truth(bool yes)
{
	return yes ? "true" : "false";
}

static void write_imap(struct writer *w, const struct mm_values *v)
{
	const char *security = v->v[MM_SET_IN_SECURITY];

	want_rc(w, MM_KMAIL_NETWORK, "ImapServer", v->v[MM_SET_IN_HOST]);
	want_rc(w, MM_KMAIL_NETWORK, "ImapPort", v->v[MM_SET_IN_PORT]);
	want_rc(w, MM_KMAIL_NETWORK, "UserName", v->v[MM_SET_IN_USERNAME]);
	want_rc(w, MM_KMAIL_NETWORK, "Authentication", mm_kmail_auth(v->v[MM_SET_IN_AUTH], "imap", true));
	if (security != NULL)
		want_rc(w, MM_KMAIL_NETWORK, "Safety",
		    strcmp(security, "tls") == 0        ? "SSL"
		    : strcmp(security, "starttls") == 0 ? "STARTTLS"
							: "None");
}

static void write_leave(struct writer *w, const char *leave)
{
	static const char *const limits[] = {"leaveOnServerDays", "leaveOnServerCount", "leaveOnServerSize"};

	want_rc(w, MM_KMAIL_GENERAL, "leaveOnServer", truth(strcmp(leave, "yes") == 0));
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (mm_kmail_text(w->r, &w->a.rc, MM_KMAIL_GENERAL, limits[i]) != NULL)
			want_rc(w, MM_KMAIL_GENERAL, limits[i], "-1");
}

static void write_pop3(struct writer *w, const struct mm_values *v)
{
	const char *security = v->v[MM_SET_IN_SECURITY], *leave = v->v[MM_SET_IN_LEAVE_ON_SERVER];

	want_rc(w, MM_KMAIL_GENERAL, "host", v->v[MM_SET_IN_HOST]);
	want_rc(w, MM_KMAIL_GENERAL, "port", v->v[MM_SET_IN_PORT]);
	want_rc(w, MM_KMAIL_GENERAL, "login", v->v[MM_SET_IN_USERNAME]);
	want_rc(
	    w, MM_KMAIL_GENERAL, "authenticationMethod", mm_kmail_auth(v->v[MM_SET_IN_AUTH], "pop3", true));
	if (security != NULL) {
		want_rc(w, MM_KMAIL_GENERAL, "useSSL", truth(strcmp(security, "tls") == 0));
		want_rc(w, MM_KMAIL_GENERAL, "useTLS", truth(strcmp(security, "starttls") == 0));
	}
	if (leave != NULL)
		write_leave(w, leave);
}

static void write_identity(struct writer *w, const struct mm_values *v)
{
	want_identity(w, "Email Address", v->v[MM_SET_ADDRESS]);
	want_identity(w, "Name", v->v[MM_SET_REAL_NAME]);
	want_identity(w, "Reply-To Address", v->v[MM_SET_REPLY_TO]);
	want_identity(w, "Organization", v->v[MM_SET_ORGANISATION]);
}

static void write_transport(struct writer *w, const struct mm_values *v)
{
	const char *security = v->v[MM_SET_OUT_SECURITY], *auth = v->v[MM_SET_OUT_AUTH];

	if (v->v[MM_SET_OUT_PROTOCOL] != NULL)
		want_transport(w, "identifier", "SMTP");
	want_transport(w, "host", v->v[MM_SET_OUT_HOST]);
	want_transport(w, "port", v->v[MM_SET_OUT_PORT]);
	want_transport(w, "user", v->v[MM_SET_OUT_USERNAME]);
	if (security != NULL)
		want_transport(w, "encryption",
		    strcmp(security, "tls") == 0        ? "SSL"
		    : strcmp(security, "starttls") == 0 ? "TLS"
							: "None");
	if (auth == NULL)
		return;
	want_transport(w, "auth", truth(strcmp(auth, "none") != 0));
	want_transport(w, "authtype", mm_kmail_auth(auth, "smtp", false));
}

static bool any_of(const struct mm_values *v, enum mm_side side)
{
	for (enum mm_setting s = 0; s < MM_SET_COUNT; s++)
		if (v->v[s] != NULL && mm_setting_def(s)->side == side)
			return true;
	return false;
}

/* ---- new objects */

/* Passwords hang on these numbers, also those of objects that are gone: like
 * the program's own they come from the whole range. */
static const char *new_number(
    struct mm_reader *r, const struct mm_kde_file *f, const char *prefix, const char *key, const char *name)
{
	uint32_t h = 2166136261u;
	size_t n;
	const char *const *g = mm_kde_groups(r, f, prefix, &n);

	for (const char *p = name; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	for (;; h++) {
		const char *number = mm_arena_printf(r->arena, "%u", (h & 0x3fffffffu) + 1);
		size_t i = 0;

		while (
		    i < n && !mm_streq(mm_kmail_text(r, f, g[i], key), number) && !mm_ends_with(g[i], number))
			i++;
		if (i == n)
			return number;
	}
}

static const char *new_identity_group(const struct writer *w)
{
	size_t n, k;
	const char *const *g = mm_kde_groups(w->r, &w->k.identities, MM_KMAIL_IDENTITY, &n);

	for (unsigned number = 0;; number++) {
		const char *name = mm_arena_printf(w->r->arena, MM_KMAIL_IDENTITY "%u", number);

		for (k = 0; k < n && strcmp(g[k], name) != 0; k++)
			continue;
		if (k == n)
			return name;
	}
}

static bool is_empty(struct mm_reader *r, const struct mm_kde_file *f, const char *prefix)
{
	size_t n;

	mm_kde_groups(r, f, prefix, &n);
	return n == 0;
}

static size_t users_of_identity(const struct writer *w, const char *group)
{
	size_t n = 0;

	for (size_t i = 0; i < w->k.n; i++)
		n += mm_streq(w->k.v[i].identity, group) ? 1 : 0;
	return n;
}

static size_t users_of_transport(const struct writer *w, const char *group)
{
	size_t n, users = 0;
	const char *const *g = mm_kde_groups(w->r, &w->k.identities, MM_KMAIL_IDENTITY, &n);

	for (size_t i = 0; i < n; i++)
		users += mm_streq(mm_kmail_transport(w->r, &w->k, g[i]), group) ? 1 : 0;
	return users;
}

/* What it said of a person stays said. */
static void copy_identity(struct writer *w, const char *from)
{
	const struct mm_kde_file *f = &w->k.identities;

	for (size_t i = 0; from != NULL && i < f->v[f->n - 1].doc.n; i++) {
		const struct mm_item *it = &f->v[f->n - 1].doc.items[i];

		if (it->kind == 's' && it->wins && strcmp(it->section, from) == 0 &&
		    strcmp(it->key, "Identity") != 0 && strcmp(it->key, "uoid") != 0 &&
		    strchr(it->key, '[') == NULL)
			want_identity(w, it->key, it->value);
	}
}

/* POP3 accounts have no identity of their own: it is the one with their user
 * name as its address, or the default one. */
static bool can_bind(const struct writer *w, const struct mm_values *full)
{
	return w->a.imap || is_empty(w->r, &w->k.identities, MM_KMAIL_IDENTITY) ||
	       mm_streq_nocase(full->v[MM_SET_IN_USERNAME], full->v[MM_SET_ADDRESS]);
}

static int take_identity(struct writer *w, const struct mm_values *full, struct mm_err *err)
{
	const char *was = w->now != NULL ? w->now->identity : NULL, *number;

	if (was != NULL && users_of_identity(w, was) <= 1)
		return 0;
	if (!can_bind(w, full))
		return mm_err_set(err, MM_EX_DIFF,
		    "KMail ties no identity to a POP3 account, and the one that it has is used by others");
	w->new_identity = true;
	number = new_number(w->r, &w->k.identities, MM_KMAIL_IDENTITY, "uoid", w->account);
	w->a.identity = new_identity_group(w);
	want_identity(w, "Identity", w->label);
	want_identity(w, "uoid", number);
	copy_identity(w, was);
	if (is_empty(w->r, &w->k.identities, MM_KMAIL_IDENTITY))
		mm_kde_want(
		    w->r, &w->k.identities, &w->identities, MM_KMAIL_GENERAL, "Default Identity", number);
	if (w->a.imap) {
		want_rc(w, MM_KMAIL_CACHE, "AccountIdentity", number);
		want_rc(w, MM_KMAIL_CACHE, "UseDefaultIdentity", "false");
	}
	return 0;
}

static void take_transport(struct writer *w)
{
	const char *was = !w->new_identity && w->now != NULL ? w->now->transport : NULL, *number;
	const char *kind = was != NULL ? mm_kmail_text(w->r, &w->k.transports, was, "identifier") : NULL;

	if (was != NULL && users_of_transport(w, was) <= 1 && (kind == NULL || strcmp(kind, "SMTP") == 0))
		return;
	w->new_transport = true;
	number = new_number(w->r, &w->k.transports, MM_KMAIL_TRANSPORT, "id", w->account);
	w->a.transport = mm_arena_printf(w->r->arena, MM_KMAIL_TRANSPORT "%s", number);
	want_transport(w, "id", number);
	want_transport(w, "name", w->label);
	want_transport(w, "storepass", "true");
	if (is_empty(w->r, &w->k.transports, MM_KMAIL_TRANSPORT))
		mm_kde_want(
		    w->r, &w->k.transports, &w->transports, MM_KMAIL_GENERAL, "default-transport", number);
	want_identity(w, "Transport", number);
}

/* What is missing of a new object is taken from the whole account. */
static struct mm_values completed(const struct mm_values *want, const struct mm_values *full, bool all)
{
	static const enum mm_setting needed[] = {MM_SET_OUT_PROTOCOL, MM_SET_OUT_HOST, MM_SET_OUT_PORT,
	    MM_SET_OUT_SECURITY, MM_SET_OUT_AUTH, MM_SET_OUT_USERNAME, MM_SET_ADDRESS, MM_SET_IN_PROTOCOL,
	    MM_SET_IN_HOST, MM_SET_IN_PORT, MM_SET_IN_SECURITY, MM_SET_IN_AUTH, MM_SET_IN_USERNAME};
	struct mm_values v = *want;

	for (size_t i = 0; i < (all ? sizeof(needed) / sizeof(needed[0]) : 7); i++)
		if (v.v[needed[i]] == NULL)
			v.v[needed[i]] = full->v[needed[i]];
	return v;
}

static int write_account(struct writer *w, const struct mm_change *ch, struct mm_err *err)
{
	bool out = any_of(ch->want, MM_SIDE_OUTGOING), id = any_of(ch->want, MM_SIDE_ACCOUNT);
	struct mm_values v = completed(ch->want, ch->full, ch->kind == MM_CHANGE_ADD);
	const struct mm_values *in = ch->kind == MM_CHANGE_ADD ? &v : ch->want;

	if (ch->kind == MM_CHANGE_ADD)
		out = v.v[MM_SET_OUT_HOST] != NULL;
	if ((out || id) && take_identity(w, ch->full, err) != 0)
		return -1;
	if (out)
		take_transport(w);
	if (w->a.imap)
		write_imap(w, in);
	else
		write_pop3(w, in);
	if (out || id)
		write_identity(w, w->new_identity ? &v : ch->want);
	if (out)
		write_transport(w, w->new_transport ? &v : ch->want);
	return 0;
}

/* ---- a new resource */

static void want_agent(struct writer *w, const char *section, const char *key, const char *value)
{
	bool there = false;

	for (size_t i = 0; i < w->k.agents.n; i++)
		there = there || strcmp(w->k.agents.items[i].section, section) == 0;
	if (!there)
		mm_want_edit(&w->agents, w->r->arena, MM_EDIT_SECTION_ADD, section, "", 's', NULL);
	mm_want_set(&w->agents, w->r->arena, section, key, value);
}

/* In Qt's ini an umlaut, a comma or a quote is something else than it is here. */
static bool is_plain(const char *s)
{
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.")] == '\0';
}

static int new_instance(struct writer *w, const char *type, struct mm_err *err)
{
	const char *key = mm_arena_printf(w->r->arena, "%s\\InstanceCounter", type), *path;
	const struct mm_item *it = mm_keyfile_find(&w->k.agents, COUNTERS, key);
	int64_t n = 0;

	if (it != NULL && mm_parse_int(it->value, 0, INSTANCES_MAX, &n) != 0)
		return mm_err_set(
		    err, MM_EX_DATAERR, "%s: line %d: not a number", w->k.agents_path, it->line);
	for (;; n++) {
		w->a.instance = mm_arena_printf(w->r->arena, "%s_%lld", type, (long long)n);
		path = mm_config_path(w->r, mm_arena_printf(w->r->arena, "%src", w->a.instance));
		if (mm_keyfile_find(&w->k.agents, INSTANCES,
			mm_arena_printf(w->r->arena, "%s\\AgentType", w->a.instance)) == NULL &&
		    !mm_have_file(w->r, path))
			break;
	}
	want_agent(w, INSTANCES, mm_arena_printf(w->r->arena, "%s\\AgentType", w->a.instance), type);
	want_agent(w, COUNTERS, key, mm_arena_printf(w->r->arena, "%lld", (long long)n + 1));
	return mm_kde_load(w->r, mm_arena_printf(w->r->arena, "%src", w->a.instance), &w->a.rc, err);
}

static int add(struct writer *w, const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	const char *label = is_plain(w->label) ? w->label : w->account;

	if (ch->full->v[MM_SET_IN_HOST] == NULL)
		return mm_err_set(err, MM_EX_DIFF, "KMail has no accounts that only send");
	if (mm_running(w->r, "akonadi_control")) {
		out->later =
		    "Akonadi is running, and would lose a new account: it is made before the next login";
		return mm_err_set(err, MM_EX_FAILED, "%s", out->later);
	}
	w->a.imap = mm_streq(ch->full->v[MM_SET_IN_PROTOCOL], "imap");
	if (new_instance(w, w->a.imap ? MM_KMAIL_IMAP : MM_KMAIL_POP3, err) != 0)
		return -1;
	mm_want_edit(&w->config, w->r->arena, MM_EDIT_SECTION_ADD, "Agent", "", 's', NULL);
	mm_want_set(&w->config, w->r->arena, "Agent", "Name", label);
	out->key = w->a.instance;
	out->note = "KMail will ask for the password, once";
	out->costs = MM_COST_PASSWORD;
	return 0;
}

static int use(struct writer *w, const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	for (size_t i = 0; i < w->k.n; i++)
		if (strcmp(w->k.v[i].instance, ch->key) == 0)
			w->now = &w->k.v[i];
	if (w->now == NULL)
		return mm_err_set(err, MM_EX_FAILED, "%s: %s is not there", w->k.agents_path, ch->key);
	if (ch->want->v[MM_SET_IN_PROTOCOL] != NULL)
		return mm_err_set(err, MM_EX_DIFF, "in KMail an account cannot change between IMAP and POP3");
	w->a = *w->now;
	if (w->a.imap && (ch->want->v[MM_SET_IN_HOST] != NULL || ch->want->v[MM_SET_IN_USERNAME] != NULL)) {
		out->note = "Akonadi fetches the folders of the account anew when it is started again";
		out->costs = MM_COST_FETCH;
	} else if (mm_running(w->r, "akonadi_control"))
		out->note =
		    "a running Akonadi is told of it over the session's bus; where there is none it takes "
		    "effect at the next login";
	return 0;
}

/* ---- taking away */

static const char *config_path(const struct writer *w)
{
	return mm_arena_printf(
	    w->r->arena, "%s/agent_config_%s", mm_path_dir(w->r->arena, w->k.agents_path), w->a.instance);
}

/* What the program added to an object that says nothing any more. */
static void take_spent(struct writer *w, const struct mm_kde_file *f, struct mm_edit_list *l,
    const char *prefix, const char *number, const char *what)
{
	size_t n;
	const char *const *g = mm_kde_groups(w->r, f, prefix, &n);
	const struct mm_doc *own = &f->v[f->n - 1].doc; /* a lock hides what stands there */

	for (size_t i = 0; i < n; i++)
		if (mm_doc_find(own, g[i], number) == NULL && mm_doc_find(own, g[i], what) == NULL)
			mm_kde_take_away(w->r, f, l, g[i]);
}

static int take_away(struct writer *w, const struct mm_change *ch, struct mm_err *err)
{
	struct mm_kde_file config = {.path = NULL};
	struct mm_kde_layer layer = {.path = NULL};

	take_spent(w, &w->k.transports, &w->transports, MM_KMAIL_TRANSPORT, "id", "host");
	take_spent(w, &w->k.identities, &w->identities, MM_KMAIL_IDENTITY, "uoid", "Email Address");
	if (!ch->created)
		return 0;
	w->a.instance = ch->key;
	if (mm_kde_load(w->r, mm_arena_printf(w->r->arena, "%src", ch->key), &w->a.rc, err) != 0)
		return -1;
	mm_kde_take_away(w->r, &w->a.rc, &w->rc, NULL);
	layer.path = config.path = config_path(w);
	if (mm_load_doc(w->r, layer.path, &mm_format_keyfile, &layer.doc, err) != 0)
		return -1;
	config.v = &layer;
	config.n = 1;
	mm_kde_take_away(w->r, &config, &w->config, NULL);
	return 0;
}

/* ---- what runs */

/* Each part of Akonadi reads its files when it starts, and is only started
 * anew when it has nothing to do. */
static void tell(struct writer *w, struct mm_edits *out, const char *method, const char *instance)
{
	struct mm_need need = {.kind = MM_NEED_CALL,
	    .service = "org.freedesktop.Akonadi.Control",
	    .path = "/AgentManager",
	    .interface = "org.freedesktop.Akonadi.AgentManager",
	    .method = method,
	    .arg = instance,
	    .failed = "Akonadi could not be told of it: it takes effect at the next login"};
	struct mm_need *all = mm_arena_alloc(w->r->arena, out->n_needs + 1, sizeof(*all));

	for (size_t i = 0; i < out->n_needs; i++)
		all[i] = out->needs[i];
	all[out->n_needs] = need;
	out->needs = all;
	out->n_needs++;
}

/* An account that is new is not there: Akonadi has no list of its files. */
static void tell_all(struct writer *w, const struct mm_change *ch, struct mm_edits *out)
{
	bool remove = ch->kind == MM_CHANGE_REMOVE;

	if (ch->kind == MM_CHANGE_ADD)
		return;
	if (remove && ch->created)
		tell(w, out, "removeAgentInstance", ch->key);
	else if (remove || w->rc.n > 0)
		tell(w, out, "restartAgentInstance", ch->key);
	if (remove || w->transports.n > 0)
		tell(w, out, "restartAgentInstance", MM_KMAIL_SENDER);
}

/* ---- the whole */

int mm_kmail_change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct writer w = {.r = r, .account = ch->account};
	int rc;

	(void)now;
	*out = (struct mm_edits){.key = ch->key};
	if (mm_kmail_load(r, p->path, &w.k, err) != 0)
		return -1;
	w.label = ch->label != NULL && ch->label[0] != '\0' ? ch->label : ch->account;
	if (ch->kind == MM_CHANGE_REMOVE)
		rc = take_away(&w, ch, err);
	else
		rc = ch->kind == MM_CHANGE_ADD ? add(&w, ch, out, err) : use(&w, ch, out, err);
	if (rc == 0 && ch->kind != MM_CHANGE_REMOVE)
		rc = write_account(&w, ch, err);
	if (rc != 0)
		return -1;
	tell_all(&w, ch, out);
	/* What is pointed to comes first. */
	mm_want_file(out, r->arena, w.k.transports.path, &mm_format_kconfig, &w.transports, 0600);
	mm_want_file(out, r->arena, w.k.identities.path, &mm_format_kconfig, &w.identities, 0600);
	mm_want_file(out, r->arena, w.a.rc.path, &mm_format_kconfig, &w.rc, 0600);
	if (w.config.n > 0)
		mm_want_file(out, r->arena, config_path(&w), &mm_format_keyfile, &w.config, 0600);
	mm_want_file(out, r->arena, w.k.agents_path, &mm_format_keyfile, &w.agents, 0600);
	return 0;
}
