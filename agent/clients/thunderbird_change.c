/*
 * Adding, changing and removing accounts. Thunderbird reads prefs.js once,
 * at its start; we are here only while it does not run.
 */
#include <string.h>

#include "agent/clients/thunderbird.h"
#include "agent/formats/prefsjs.h"
#include "common/text.h"

#define ACCOUNTS "mail.accountmanager.accounts"
#define DEFAULT_ACCOUNT "mail.accountmanager.defaultaccount"
#define SMTP_SERVERS "mail.smtpservers"
#define DEFAULT_SMTP "mail.smtp.defaultserver"

/* Our native keys: what comes before the account's name. */
enum stem { ACCOUNT, SERVER, IDENTITY, SMTP, STEM_COUNT };
static const struct {
	const char *unit, *key;
} stems[STEM_COUNT] = {[ACCOUNT] = {"account", "account_mm_"},
    [SERVER] = {"server", "server_mm_"},
    [IDENTITY] = {"identity", "id_mm_"},
    [SMTP] = {"smtpserver", "smtp_mm_"}};

struct writer {
	struct mm_arena *a;
	struct mm_tb_prefs t;
	struct mm_tb_account *accounts;
	size_t n;
	const struct mm_change *ch;
	struct mm_edit_list edits;
	bool suite;
};

static void set(struct writer *w, const char *key, char kind, const char *value)
{
	mm_want_edit(&w->edits, w->a, MM_EDIT_SET, "", key, kind, value);
}

static void set_in(
    struct writer *w, enum mm_tb_unit unit, const char *key, const char *name, char kind, const char *value)
{
	set(w, mm_tb_key(w->a, unit, key, name), kind, value);
}

static void drop(struct writer *w, const char *key)
{
	mm_want_edit(&w->edits, w->a, MM_EDIT_DELETE, "", key, 's', NULL);
}

static const char *native(const struct writer *w, enum stem stem, const char *name)
{
	return mm_arena_printf(w->a, "%s%s", stems[stem].key, name);
}

static const char *prefix(const struct writer *w, enum stem stem, const char *key)
{
	return mm_arena_printf(w->a, "mail.%s.%s.", stems[stem].unit, key);
}

static bool has_prefs(const struct writer *w, enum stem stem, const char *key)
{
	const char *begin = prefix(w, stem, key);
	size_t i = mm_tb_first(&w->t, begin);

	return i < w->t.n && mm_starts_with(w->t.v[i].key, begin);
}

static bool in_list(const struct writer *w, const char *list, const char *key)
{
	const char *m;

	while ((m = mm_tb_member(&list, w->a)) != NULL)
		if (strcmp(m, key) == 0)
			return true;
	return false;
}

static bool is_member(const struct writer *w, const char *list, const char *key)
{
	return in_list(w, mm_tb_text(&w->t, list), key);
}

/* Does a preference, but for this one, point to the element? */
static bool is_mentioned(const struct writer *w, const char *key, const char *but)
{
	for (size_t i = mm_tb_first(&w->t, "mail."); i < w->t.n; i++) {
		const struct mm_tb_pref *p = &w->t.v[i];

		if (p->kind == 's' && p->value != NULL && strstr(p->value, key) != NULL &&
		    strcmp(p->key, but) != 0 && in_list(w, p->value, key))
			return true;
	}
	return false;
}

static bool has_host(const struct writer *w, const char *smtp)
{
	return mm_tb_find(&w->t, mm_tb_key(w->a, MM_TB_SMTP, smtp, "hostname")) != NULL;
}

/* May we use this key, and know later that all of it was ours? When an
 * account is deleted in Thunderbird its outgoing server stays, whole and
 * without a use: that one is taken again. */
static bool is_free(const struct writer *w, enum stem stem, const char *name)
{
	const char *key = native(w, stem, name);

	if (is_mentioned(w, key, stem == SMTP ? SMTP_SERVERS : ""))
		return false;
	return !has_prefs(w, stem, key) || (stem == SMTP && has_host(w, key));
}

/* ---- may it be? */

static int check_host(const struct mm_values *v, enum mm_setting s, struct mm_err *err)
{
	const char *host = v->v[s];

	/* With a port or a blank in it Thunderbird crashes at each start, or drops the account. */
	if (host != NULL && (!mm_is_hostname(host) || (s == MM_SET_IN_HOST && strchr(host, ':') != NULL)))
		return mm_err_set(err, MM_EX_DATAERR, "'%s' is no server name for Thunderbird", host);
	return 0;
}

static const char *server_text(const struct writer *w, const struct mm_tb_account *acc, const char *name)
{
	return mm_tb_text(&w->t, mm_tb_key(w->a, MM_TB_SERVER, acc->server, name));
}

/* Of two accounts with the same type, user and server one would be deleted. */
static int check_unique(
    const struct writer *w, const struct mm_tb_account *self, const char *type, struct mm_err *err)
{
	const struct mm_values *want = w->ch->want, *full = w->ch->full;
	const char *host = want->v[MM_SET_IN_HOST], *user = want->v[MM_SET_IN_USERNAME];

	if (host == NULL)
		host = self != NULL ? server_text(w, self, "hostname") : full->v[MM_SET_IN_HOST];
	if (user == NULL)
		user = self != NULL ? server_text(w, self, "userName") : full->v[MM_SET_IN_USERNAME];
	for (size_t i = 0; i < w->n; i++) {
		const struct mm_tb_account *other = &w->accounts[i];

		if (other != self && mm_streq(other->type, type) &&
		    mm_streq_nocase(server_text(w, other, "hostname"), host) &&
		    mm_streq(server_text(w, other, "userName"), user != NULL ? user : ""))
			return mm_err_set(err, MM_EX_DIFF,
			    "account '%s' has this server and user name already; Thunderbird would delete "
			    "one "
			    "of the two",
			    other->key);
	}
	return 0;
}

static int check(const struct writer *w, const struct mm_tb_account *self, struct mm_err *err)
{
	const char *type = w->ch->want->v[MM_SET_IN_PROTOCOL];

	for (int whole = 0; whole <= (self == NULL ? 1 : 0); whole++) {
		const struct mm_values *v = whole ? w->ch->full : w->ch->want;

		if (check_host(v, MM_SET_IN_HOST, err) != 0 || check_host(v, MM_SET_OUT_HOST, err) != 0)
			return -1;
	}
	if (self == NULL && w->ch->full->v[MM_SET_IN_HOST] == NULL)
		return mm_err_set(err, MM_EX_DIFF, "Thunderbird has no accounts without incoming mail");
	if (self == NULL)
		type = w->ch->full->v[MM_SET_IN_PROTOCOL];
	if (self != NULL && type != NULL && !mm_streq(type, self->type))
		return mm_err_set(err, MM_EX_DIFF,
		    "this is a %s account, and Thunderbird cannot make %s of it without losing sight of its "
		    "mail; remove it in Thunderbird, then it is added anew",
		    self->type, type);
	return check_unique(w, self, self != NULL ? self->type : type, err);
}

/* ---- settings */

static int write_one(
    struct writer *w, const struct mm_tb_map *m, const char *key, const char *word, struct mm_err *err)
{
	const char *value = mm_tb_to_pref(m->s, word);

	if (value == NULL)
		return mm_err_set(
		    err, MM_EX_DATAERR, "%s: Thunderbird has no '%s'", mm_setting_def(m->s)->id, word);
	set_in(w, m->unit, key, m->name, m->kind, value);
	return 0;
}

/* A port that is not set follows the security, which is about to change. */
static const char *word_of(const struct writer *w, const struct mm_tb_map *m, const char *key, bool whole)
{
	const struct mm_values *want = w->ch->want, *full = w->ch->full;
	bool port = m->s == MM_SET_IN_PORT || m->s == MM_SET_OUT_PORT;
	enum mm_setting security = m->unit == MM_TB_SMTP ? MM_SET_OUT_SECURITY : MM_SET_IN_SECURITY;

	if (want->v[m->s] != NULL)
		return want->v[m->s];
	if (mm_tb_find(&w->t, mm_tb_key(w->a, m->unit, key, m->name)) != NULL)
		return NULL;
	return whole || (port && want->v[security] != NULL) ? full->v[m->s] : NULL;
}

/* With `whole` what the policy says goes also where nobody asked for it: a new
 * server needs all of its settings. */
static int write_unit(struct writer *w, enum mm_tb_unit unit, const char *key, bool whole, struct mm_err *err)
{
	for (const struct mm_tb_map *m = mm_tb_map; m->name[0] != '\0'; m++) {
		const char *word = m->unit == unit ? word_of(w, m, key, whole) : NULL;
		bool pop_only = m->s == MM_SET_IN_LEAVE_ON_SERVER;

		if (pop_only && !mm_streq(w->ch->full->v[MM_SET_IN_PROTOCOL], "pop3"))
			continue;
		if (word != NULL && write_one(w, m, key, word, err) != 0)
			return -1;
	}
	return 0;
}

static bool wants(const struct writer *w, enum mm_tb_unit unit)
{
	for (const struct mm_tb_map *m = mm_tb_map; m->name[0] != '\0'; m++)
		if (m->unit == unit && w->ch->want->v[m->s] != NULL)
			return true;
	for (enum mm_setting s = MM_SET_FOLDER_SENT; s <= MM_SET_FOLDER_JUNK; s++)
		if (mm_tb_folder_unit(s) == unit && w->ch->want->v[s] != NULL)
			return true;
	return false;
}

/* One floor for all accounts: raised to what Thunderbird itself has, never lowered. */
static void write_tls_min(struct writer *w)
{
	const struct mm_tb_pref *min = mm_tb_find(&w->t, MM_TB_TLS_MIN);
	const struct mm_tb_pref *old = mm_tb_find(&w->t, MM_TB_TLS_DEPRECATED);
	int64_t n = 0;

	if (w->ch->want->v[MM_SET_IN_TLS_MIN] == NULL && w->ch->want->v[MM_SET_OUT_TLS_MIN] == NULL)
		return;
	if (old != NULL && mm_streq(old->value, "true"))
		set(w, MM_TB_TLS_DEPRECATED, 'b', "false");
	if (min != NULL && min->kind == 'i' && min->value != NULL
		? mm_parse_int(min->value, INT32_MIN, 2, &n) == 0
		: w->suite)
		set(w, MM_TB_TLS_MIN, 'i', "3");
}

/* ---- outgoing servers */

/* Ours is ours, whoever else makes use of it. */
static bool is_shared(const struct writer *w, const struct mm_tb_account *acc)
{
	for (size_t i = 0; i < w->n; i++)
		if (&w->accounts[i] != acc && strcmp(w->accounts[i].smtp, acc->smtp) == 0)
			return !mm_starts_with(acc->smtp, stems[SMTP].key);
	return false;
}

/* What the account has had so far, for what the policy does not say. */
static void copy_smtp(struct writer *w, const char *from, const char *to)
{
	for (const struct mm_tb_map *m = mm_tb_map; m->name[0] != '\0'; m++) {
		const struct mm_tb_pref *p =
		    m->unit == MM_TB_SMTP ? mm_tb_find(&w->t, mm_tb_key(w->a, MM_TB_SMTP, from, m->name))
					  : NULL;

		if (p != NULL && p->kind == m->kind && p->value != NULL && w->ch->want->v[m->s] == NULL)
			set_in(w, MM_TB_SMTP, to, m->name, m->kind, p->value);
	}
}

static int add_smtp(struct writer *w, const char *identity, const char *key, struct mm_err *err)
{
	if (write_unit(w, MM_TB_SMTP, key, true, err) != 0)
		return -1;
	set_in(w, MM_TB_SMTP, key, "description", 's', w->ch->label);
	mm_want_edit(&w->edits, w->a, MM_EDIT_LIST_ADD, "", SMTP_SERVERS, 's', key);
	set_in(w, MM_TB_IDENTITY, identity, "smtpServer", 's', key);
	return 0;
}

/* The server of somebody else's account is not ours to change. */
static int write_smtp(
    struct writer *w, const struct mm_tb_account *acc, const char *identity, struct mm_err *err)
{
	const char *key;

	if (acc->smtp[0] != '\0' && !is_shared(w, acc))
		return write_unit(w, MM_TB_SMTP, acc->smtp, false, err);
	key = native(w, SMTP, w->ch->account);
	if (!is_free(w, SMTP, w->ch->account))
		return mm_err_set(err, MM_EX_DIFF, "'%s' stands in the preferences already", key);
	if (add_smtp(w, identity, key, err) != 0)
		return -1;
	if (acc->smtp[0] != '\0')
		copy_smtp(w, acc->smtp, key);
	return 0;
}

/* ---- an account that is there */

static const struct mm_tb_account *find_account(const struct writer *w, const char *key)
{
	for (size_t i = 0; i < w->n; i++)
		if (mm_streq(w->accounts[i].key, key))
			return &w->accounts[i];
	return NULL;
}

static int give_identity(
    struct writer *w, const struct mm_tb_account *acc, const char **out, struct mm_err *err)
{
	const char *id = native(w, IDENTITY, w->ch->account);

	if (!is_free(w, IDENTITY, w->ch->account))
		return mm_err_set(err, MM_EX_DIFF, "'%s' stands in the preferences already", id);
	mm_want_edit(&w->edits, w->a, MM_EDIT_LIST_ADD, "",
	    mm_arena_printf(w->a, "mail.account.%s.identities", acc->key), 's', id);
	*out = id;
	return 0;
}

static int set_account(struct writer *w, struct mm_edits *out, struct mm_err *err)
{
	const struct mm_tb_account *acc = find_account(w, w->ch->key);
	const struct mm_values *want = w->ch->want;
	const char *identity;

	if (acc == NULL)
		return mm_err_set(err, MM_EX_FAILED, "account '%s' is not there any more", w->ch->key);
	if (check(w, acc, err) != 0 || write_unit(w, MM_TB_SERVER, acc->server, false, err) != 0)
		return -1;
	identity = acc->identity;
	if (identity[0] == '\0' && (wants(w, MM_TB_IDENTITY) || wants(w, MM_TB_SMTP)) &&
	    give_identity(w, acc, &identity, err) != 0)
		return -1;
	if (write_unit(w, MM_TB_IDENTITY, identity, identity != acc->identity, err) != 0)
		return -1;
	if (wants(w, MM_TB_SMTP) && write_smtp(w, acc, identity, err) != 0)
		return -1;
	mm_tb_write_folders(&w->t, acc, w->ch, acc->server, identity, &w->edits);
	write_tls_min(w);
	if (want->v[MM_SET_IN_HOST] != NULL || want->v[MM_SET_IN_USERNAME] != NULL ||
	    want->v[MM_SET_OUT_HOST] != NULL || want->v[MM_SET_OUT_USERNAME] != NULL) {
		out->note = "Thunderbird will ask the user for the password again.";
		out->costs = MM_COST_PASSWORD;
	}
	return 0;
}

/* ---- a new account */

static const char *free_name(const struct writer *w)
{
	const char *name = w->ch->account;

	for (int i = 2; !is_free(w, ACCOUNT, name) || !is_free(w, SERVER, name) ||
			!is_free(w, IDENTITY, name) || !is_free(w, SMTP, name);
	     i++)
		name = mm_arena_printf(w->a, "%s-%d", w->ch->account, i);
	return name;
}

/* Accounts come before the local folders. */
static const char *local_folders(const struct writer *w)
{
	const char *p = mm_tb_text(&w->t, ACCOUNTS), *m;

	while ((m = mm_tb_member(&p, w->a)) != NULL) {
		const char *server = mm_tb_text(&w->t, mm_arena_printf(w->a, "mail.account.%s.server", m));

		if (strcmp(mm_tb_text(&w->t, mm_tb_key(w->a, MM_TB_SERVER, server, "type")), "none") == 0)
			return m;
	}
	return "";
}

/* Beside what the policy says: what the program's own wizard writes, and what
 * it needs so that its settings page can save before the first start. */
static int write_server(struct writer *w, const char *key, struct mm_err *err)
{
	if (write_unit(w, MM_TB_SERVER, key, true, err) != 0)
		return -1;
	set_in(w, MM_TB_SERVER, key, "name", 's', w->ch->label);
	set_in(w, MM_TB_SERVER, key, "login_at_startup", 'b', "true");
	set_in(w, MM_TB_SERVER, key, "check_new_mail", 'b', "true");
	set_in(w, MM_TB_SERVER, key, "storeContractID", 's', "@mozilla.org/msgstore/berkeleystore;1");
	/* Where nothing is set mail is deleted from the server once it was fetched. */
	if (mm_streq(w->ch->full->v[MM_SET_IN_PROTOCOL], "pop3") &&
	    w->ch->full->v[MM_SET_IN_LEAVE_ON_SERVER] == NULL)
		set_in(w, MM_TB_SERVER, key, "leave_on_server", 'b', "true");
	return 0;
}

/* The first of its kind is the default one; with others it is not ours to say. */
static void write_defaults(struct writer *w, const char *key, const char *smtp)
{
	if (w->n == 0)
		set(w, DEFAULT_ACCOUNT, 's', key);
	if (smtp != NULL && mm_tb_text(&w->t, SMTP_SERVERS)[0] == '\0')
		set(w, DEFAULT_SMTP, 's', smtp);
}

static int add_account(struct writer *w, struct mm_edits *out, struct mm_err *err)
{
	const char *name = free_name(w), *smtp = NULL;
	const char *key = native(w, ACCOUNT, name), *server = native(w, SERVER, name);
	const char *identity = native(w, IDENTITY, name);

	if (check(w, NULL, err) != 0 || write_server(w, server, err) != 0 ||
	    write_unit(w, MM_TB_IDENTITY, identity, true, err) != 0)
		return -1;
	if (w->ch->full->v[MM_SET_OUT_HOST] != NULL) {
		smtp = native(w, SMTP, name);
		if (add_smtp(w, identity, smtp, err) != 0)
			return -1;
	}
	mm_tb_write_folders(&w->t, NULL, w->ch, server, identity, &w->edits);
	write_tls_min(w);
	set(w, mm_arena_printf(w->a, "mail.account.%s.server", key), 's', server);
	set(w, mm_arena_printf(w->a, "mail.account.%s.identities", key), 's', identity);
	mm_want_edit(&w->edits, w->a, MM_EDIT_LIST_ADD, local_folders(w), ACCOUNTS, 's', key);
	write_defaults(w, key, smtp);
	out->key = key;
	out->note = "Thunderbird will ask the user for the password once.";
	out->costs = MM_COST_PASSWORD;
	return 0;
}

/* ---- removal: our edits are undone already */

/* What Thunderbird added to an element of ours, its folders' names among it. */
static void drop_leftovers(struct writer *w, enum stem stem, const char *name)
{
	const char *begin = prefix(w, stem, native(w, stem, name));

	for (size_t i = mm_tb_first(&w->t, begin); i < w->t.n && mm_starts_with(w->t.v[i].key, begin); i++)
		if (w->t.v[i].layer == MM_TB_PREFS)
			drop(w, w->t.v[i].key);
}

/* Names that lead nowhere now: with a default server that does not exist
 * nothing could be sent. */
static void drop_dangling(struct writer *w, const char *account, const char *smtp)
{
	if (mm_streq(mm_tb_text(&w->t, DEFAULT_ACCOUNT), account))
		drop(w, DEFAULT_ACCOUNT);
	if (mm_streq(mm_tb_text(&w->t, DEFAULT_SMTP), smtp))
		drop(w, DEFAULT_SMTP);
	for (size_t i = mm_tb_first(&w->t, "mail."); i < w->t.n; i++) {
		const struct mm_tb_pref *p = &w->t.v[i];

		if (p->layer != MM_TB_PREFS || p->kind != 's')
			continue;
		if ((mm_ends_with(p->key, ".smtpServer") && mm_streq(p->value, smtp)) ||
		    (mm_ends_with(p->key, ".deferred_to_account") && mm_streq(p->value, account)))
			drop(w, p->key);
	}
}

/* An outgoing server that is still listed, or has a host, is none that we
 * made: ours is undone. */
static void remove_account(struct writer *w)
{
	const char *name = w->ch->account, *smtp, *account = NULL;

	if (w->ch->created && mm_starts_with(w->ch->key, stems[ACCOUNT].key)) {
		name = w->ch->key + strlen(stems[ACCOUNT].key);
		account = w->ch->key;
		drop_leftovers(w, ACCOUNT, name);
		drop_leftovers(w, SERVER, name);
	}
	if (account != NULL || !is_mentioned(w, native(w, IDENTITY, name), ""))
		drop_leftovers(w, IDENTITY, name);
	smtp = native(w, SMTP, name);
	if (is_member(w, SMTP_SERVERS, smtp) || has_host(w, smtp))
		smtp = NULL;
	else
		drop_leftovers(w, SMTP, name);
	drop_dangling(w, account, smtp);
}

/* A profile that we made stays when Thunderbird has taken it into use. */
static int keep_profile(
    struct mm_reader *r, const struct mm_place *p, struct mm_edits *out, struct mm_err *err)
{
	const struct mm_tb_profile *profile = p->priv;
	struct mm_text text;
	struct mm_doc d;

	if (!profile->by_us || mm_read_text(r, p->path, &text, err) <= 0)
		return 0;
	if (mm_format_prefsjs.parse(text, r->arena, &d, err) != 0)
		return -1;
	return d.n > 0 ? mm_tb_list_profile(r, profile, out, err) : 0;
}

int mm_tb_change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	const struct mm_tb_profile *profile = p->priv;
	struct writer w = {.a = r->arena, .ch = ch, .suite = profile->suite};
	bool add = ch->kind == MM_CHANGE_ADD;
	int rc = 0;

	(void)now;
	*out = (struct mm_edits){.key = ch->key};
	if (mm_tb_load(r, p->path, profile->machine, &w.t, NULL, err) != 0)
		return -1;
	mm_tb_accounts(&w.t, &w.accounts, &w.n, NULL);
	if (ch->kind == MM_CHANGE_REMOVE)
		remove_account(&w);
	else
		rc = add ? add_account(&w, out, err) : set_account(&w, out, err);
	if (rc != 0)
		return -1;
	mm_want_file(out, r->arena, p->path, &mm_format_prefsjs, &w.edits, add ? 0600 : 0);
	if (add && !p->exists)
		return mm_tb_list_profile(r, profile, out, err);
	return ch->kind == MM_CHANGE_REMOVE ? keep_profile(r, p, out, err) : 0;
}
