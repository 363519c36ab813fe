#include "agent/clients/thunderbird.h"

#include <string.h>

#include "agent/clients/clients.h"
#include "common/text.h"

/* ---- accounts */

const char *mm_tb_member(const char **p, struct mm_arena *a)
{
	const char *s = *p;
	size_t n;

	while (*s == ',')
		s++;
	n = strcspn(s, ",");
	*p = s + n;
	return n > 0 ? mm_arena_strndup(a, s, n) : NULL;
}

static bool in_list(const char *list, const char *key, struct mm_arena *a)
{
	const char *m;

	while ((m = mm_tb_member(&list, a)) != NULL)
		if (strcmp(m, key) == 0)
			return true;
	return false;
}

/* Of an identity that names no server, or of none, the default one counts;
 * a name that is not in the list is no server at all. */
static const char *smtp_of(const struct mm_tb_prefs *t, const char *identity)
{
	const char *list = mm_tb_text(t, "mail.smtpservers"), *first = list, *key = "";

	if (identity[0] != '\0')
		key = mm_tb_text(t, mm_tb_key(t->a, MM_TB_IDENTITY, identity, "smtpServer"));
	if (key[0] == '\0')
		key = mm_tb_text(t, "mail.smtp.defaultserver");
	if (key[0] == '\0') {
		key = mm_tb_member(&first, t->a);
		return key != NULL ? key : "";
	}
	return in_list(list, key, t->a) ? key : "";
}

/* No mail server: local folders, feeds, news, chat. */
static bool is_mail(const char *type)
{
	static const char *const others[] = {"", "none", "rss", "nntp", "im", NULL};

	for (size_t i = 0; others[i] != NULL; i++)
		if (strcmp(type, others[i]) == 0)
			return false;
	return true;
}

static bool load_account(const struct mm_tb_prefs *t, const char *key, struct mm_tb_account *out)
{
	const struct mm_tb_pref *p = mm_tb_find(t, mm_arena_printf(t->a, "mail.account.%s.server", key));
	const char *ids = mm_tb_text(t, mm_arena_printf(t->a, "mail.account.%s.identities", key)), *id;

	if (p == NULL || p->kind != 's' || p->value == NULL || p->value[0] == '\0')
		return false;
	*out = (struct mm_tb_account){.key = key, .server = p->value, .line = p->line};
	out->type = mm_tb_text(t, mm_tb_key(t->a, MM_TB_SERVER, out->server, "type"));
	id = mm_tb_member(&ids, t->a);
	out->identity = id != NULL ? id : "";
	out->smtp = smtp_of(t, out->identity);
	return is_mail(out->type);
}

static const char *server_text(const struct mm_tb_prefs *t, const struct mm_tb_account *acc, const char *name)
{
	return mm_tb_text(t, mm_tb_key(t->a, MM_TB_SERVER, acc->server, name));
}

/* Thunderbird loads the first of two such accounts and deletes the other. */
static bool is_same_server(
    const struct mm_tb_prefs *t, const struct mm_tb_account *x, const struct mm_tb_account *y)
{
	return strcmp(x->server, y->server) == 0 ||
	       (strcmp(x->type, y->type) == 0 &&
		   mm_streq_nocase(server_text(t, x, "hostname"), server_text(t, y, "hostname")) &&
		   strcmp(server_text(t, x, "userName"), server_text(t, y, "userName")) == 0);
}

static void list_trap(const struct mm_tb_prefs *t, struct mm_view *view, const char *key, const char *what)
{
	const struct mm_tb_pref *p = mm_tb_find(t, "mail.accountmanager.accounts");

	if (view != NULL && p != NULL)
		mm_add_trap(t->a, view, MM_TRAP_OTHER, p->path, p->line,
		    mm_arena_printf(t->a, "Account '%s' %s", key, what));
}

/* Does the program take this one, after those before it? */
static bool is_taken(const struct mm_tb_prefs *t, const struct mm_tb_account *v, size_t n,
    const struct mm_tb_account *acc, struct mm_view *view)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(v[i].key, acc->key) == 0)
			return false;
		if (is_same_server(t, &v[i], acc)) {
			list_trap(t, view, acc->key,
			    mm_arena_printf(t->a,
				"has the same server and user as '%s': Thunderbird deletes one of them.",
				v[i].key));
			return false;
		}
	}
	return true;
}

void mm_tb_accounts(const struct mm_tb_prefs *t, struct mm_tb_account **v, size_t *n, struct mm_view *view)
{
	const char *p = mm_tb_text(t, "mail.accountmanager.accounts"), *key;
	size_t cap = 0;

	*v = NULL;
	*n = 0;
	while ((key = mm_tb_member(&p, t->a)) != NULL) {
		struct mm_tb_account acc;

		if (strpbrk(key, " \t") != NULL)
			list_trap(t, view, key, "stands with a blank in the list: Thunderbird drops it.");
		else if (load_account(t, key, &acc) && is_taken(t, *v, *n, &acc, view))
			*(struct mm_tb_account *)mm_arena_push(t->a, v, n, &cap, sizeof(**v)) = acc;
	}
}

/* ---- one setting */

struct reader {
	const struct mm_tb_prefs *t;
	const struct mm_tb_account *acc;
	struct mm_seen_account *out;
	bool suite;
};

/* A preference of the wrong type counts as not set. */
static bool counts(const struct mm_tb_pref *p, char kind)
{
	return p != NULL && p->value != NULL && p->kind == kind;
}

static void put(struct mm_seen *s, const struct mm_tb_pref *p, const char *value)
{
	s->value = value;
	if (p == NULL || value == NULL) {
		s->from_default = value != NULL;
		return;
	}
	s->path = p->path;
	s->line = p->line;
}

static void put_winner(struct mm_seen *s, const struct mm_tb_pref *p)
{
	if (p == NULL || p->layer <= MM_TB_PREFS)
		return;
	s->over_path = p->path;
	s->over_line = p->line;
	s->over_by = mm_tb_layer_name(p->layer);
	s->over_holds = true;
}

static const char *unit_key(const struct mm_tb_account *acc, enum mm_tb_unit unit)
{
	return unit == MM_TB_SERVER ? acc->server : unit == MM_TB_IDENTITY ? acc->identity : acc->smtp;
}

/* What the program still does for profiles of long ago. */
static const char *old_security(
    struct reader *r, bool incoming, const struct mm_tb_pref **p, const char **note)
{
	const struct mm_tb_pref *secure =
	    mm_tb_find(r->t, mm_tb_key(r->t->a, MM_TB_SERVER, r->acc->server, "isSecure"));
	const struct mm_tb_pref *version = mm_tb_find(r->t, "mail.ui-rdf.version");
	int64_t n = 0;

	if (incoming && *p == NULL && counts(secure, 'b') && mm_streq(secure->value, "true")) {
		*p = secure;
		return "tls";
	}
	if (!r->suite && *p != NULL && mm_streq((*p)->value, "1") && counts(version, 'i') &&
	    mm_parse_int(version->value, 1, 43, &n) == 0) {
		*note = "Thunderbird turns this into required STARTTLS when it next starts.";
		return "starttls";
	}
	return NULL;
}

static const char *word_of(
    struct reader *r, const struct mm_tb_map *m, const struct mm_tb_pref **p, const char **note)
{
	bool port = m->s == MM_SET_IN_PORT || m->s == MM_SET_OUT_PORT;
	const char *word;
	int64_t n = 0;

	if ((m->s == MM_SET_IN_SECURITY || m->s == MM_SET_OUT_SECURITY) &&
	    (word = old_security(r, m->s == MM_SET_IN_SECURITY, p, note)) != NULL)
		return word;
	if (*p == NULL || (port && (mm_parse_int((*p)->value, INT32_MIN, INT32_MAX, &n) != 0 || n <= 0)))
		return NULL;
	word = mm_tb_to_word(m->s, (*p)->value, r->t->a, note);
	return word[0] != '\0' ? word : NULL;
}

static void see(struct reader *r, const struct mm_tb_map *m)
{
	bool outgoing = m->unit == MM_TB_SMTP;
	const char *key = unit_key(r->acc, m->unit), *note = NULL, *word;
	const struct mm_tb_pref *own = mm_tb_find(r->t, mm_tb_key(r->t->a, m->unit, key, m->name)), *p = own;
	struct mm_seen *s = &r->out->s[m->s];

	if (!counts(p, m->kind))
		p = mm_tb_find(r->t, mm_tb_key(r->t->a, m->unit, "default", m->name));
	if (!counts(p, m->kind))
		p = NULL;
	word = word_of(r, m, &p, &note);
	if (word == NULL) {
		p = NULL;
		word = mm_tb_default(m->s, outgoing ? "smtp" : r->acc->type,
		    r->out->s[outgoing ? MM_SET_OUT_SECURITY : MM_SET_IN_SECURITY].value);
	}
	put(s, p, word);
	put_winner(s, own);
	s->note = note;
	if (own != NULL && own->value != NULL && own->kind != m->kind)
		s->note = mm_arena_printf(r->t->a,
		    "%s:%d: %s is of the wrong type there, so Thunderbird ignores it.", own->path, own->line,
		    own->key);
}

static void see_tls_min(struct reader *r, enum mm_setting id)
{
	const struct mm_tb_pref *p = mm_tb_find(r->t, MM_TB_TLS_MIN);
	const struct mm_tb_pref *old = mm_tb_find(r->t, MM_TB_TLS_DEPRECATED);
	struct mm_seen *s = &r->out->s[id];
	const char *note;

	bool deprecated = counts(old, 'b') && mm_streq(old->value, "true");

	if (deprecated)
		put(s, old, "1.0");
	else if (counts(p, 'i'))
		put(s, p, mm_tb_to_word(id, p->value, r->t->a, &note));
	else if (!r->suite)
		put(s, NULL, mm_tb_default(id, "", ""));
	put_winner(s, deprecated ? old : p);
}

/* SeaMonkey: the name that a server or user was given later. */
static void see_real(struct reader *r)
{
	static const struct {
		enum mm_setting s;
		const char *name;
	} real[] = {{MM_SET_IN_HOST, "realhostname"}, {MM_SET_IN_USERNAME, "realuserName"}};

	for (size_t i = 0; i < 2; i++) {
		const struct mm_tb_pref *p =
		    mm_tb_find(r->t, mm_tb_key(r->t->a, MM_TB_SERVER, r->acc->server, real[i].name));
		struct mm_seen *s = &r->out->s[real[i].s];

		if (!counts(p, 's') || p->value[0] == '\0')
			continue;
		put(s, p, p->value);
		s->over_path = p->path;
		s->over_line = p->line;
		s->over_by = real[i].name;
		s->over_holds = true;
	}
}

static void see_soft_starttls(struct reader *r)
{
	static const enum mm_setting ids[] = {MM_SET_IN_SECURITY, MM_SET_OUT_SECURITY};
	static const char *const names[] = {"socketType", "try_ssl"};

	for (size_t i = 0; i < 2; i++) {
		enum mm_tb_unit unit = i == 0 ? MM_TB_SERVER : MM_TB_SMTP;
		const struct mm_tb_pref *p =
		    mm_tb_find(r->t, mm_tb_key(r->t->a, unit, unit_key(r->acc, unit), names[i]));

		if (counts(p, 'i') && mm_streq(p->value, "1"))
			r->out->s[ids[i]].note =
			    "SeaMonkey encrypts only where the server offers STARTTLS, which anybody on the "
			    "way can suppress.";
	}
}

/* Such an account is loaded and not shown: whatever else is right, the user
 * does not have it. */
static void see_hidden(struct reader *r)
{
	static const struct {
		const char *name, *value;
	} hides[] = {{"valid", "false"}, {"hidden", "true"}};

	for (size_t i = 0; i < 2; i++) {
		const struct mm_tb_pref *p =
		    mm_tb_find(r->t, mm_tb_key(r->t->a, MM_TB_SERVER, r->acc->server, hides[i].name));
		struct mm_seen *s = &r->out->s[MM_SET_IN_PROTOCOL];

		if (!counts(p, 'b') || !mm_streq(p->value, hides[i].value))
			continue;
		s->over_path = p->path;
		s->over_line = p->line;
		s->over_by = mm_arena_printf(
		    r->t->a, "%s = %s (the account is not shown)", hides[i].name, hides[i].value);
		s->over_holds = false;
	}
}

static void see_folder(struct reader *r, enum mm_setting id)
{
	const struct mm_tb_pref *p = NULL, *off = NULL;
	const char *folder = mm_tb_folder(r->t, r->acc, id, &p, &off);
	struct mm_seen *s = &r->out->s[id];

	put(s, p, folder);
	put_winner(s, p);
	if (off == NULL)
		return;
	s->over_path = off->path;
	s->over_line = off->line;
	s->over_by = "fcc = false (no copies are kept)";
	s->over_holds = false;
}

static void see_account(struct reader *r)
{
	const char *label = server_text(r->t, r->acc, "name");

	r->out->key = r->acc->key;
	r->out->label = label[0] != '\0' ? label : r->acc->key;
	r->out->has_incoming = true;
	r->out->has_outgoing = r->acc->smtp[0] != '\0';
	/* The map has the security behind the port, which depends on it. */
	for (int pass = 0; pass < 2; pass++)
		for (const struct mm_tb_map *m = mm_tb_map; m->name[0] != '\0'; m++) {
			bool security = m->s == MM_SET_IN_SECURITY || m->s == MM_SET_OUT_SECURITY;

			if (security == (pass == 0) && unit_key(r->acc, m->unit)[0] != '\0')
				see(r, m);
		}
	see_tls_min(r, MM_SET_IN_TLS_MIN);
	if (r->out->has_outgoing)
		see_tls_min(r, MM_SET_OUT_TLS_MIN);
	for (enum mm_setting s = MM_SET_FOLDER_SENT; s <= MM_SET_FOLDER_JUNK; s++)
		if (mm_streq(r->acc->type, "imap") && unit_key(r->acc, mm_tb_folder_unit(s))[0] != '\0')
			see_folder(r, s);
	see_hidden(r);
	if (r->suite) {
		see_real(r);
		see_soft_starttls(r);
	}
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	const struct mm_tb_profile *profile = p->priv;
	struct mm_tb_account *acc;
	struct mm_tb_prefs t;
	size_t n;

	*out = (struct mm_view){0};
	if (mm_tb_load(r, p->path, profile->machine, &t, out, err) != 0)
		return -1;
	mm_tb_accounts(&t, &acc, &n, out);
	out->accounts = mm_arena_alloc(r->arena, n + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < n; i++) {
		struct reader one = {
		    .t = &t, .acc = &acc[i], .out = &out->accounts[out->n++], .suite = profile->suite};

		see_account(&one);
	}
	mm_tb_look_for_traps(r, p->path, &t, acc, out);
	return 0;
}

const struct mm_client mm_client_thunderbird = {
    .name = "thunderbird",
    .label = "Thunderbird",
    .programs = (const char *const[]){"thunderbird", NULL},
    .incoming = true,
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .unsupported = mm_tb_unsupported,
    .find = mm_tb_find_places,
    .read = read_place,
    .change = mm_tb_change,
};
