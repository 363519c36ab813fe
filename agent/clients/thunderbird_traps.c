/*
 * What is wrong with a profile whatever the policy says: beside prefs.js
 * also cert_override.txt (security/manager/ssl/nsCertOverrideService.cpp) and
 * logins.json (toolkit/components/passwordmgr).
 */
#include <string.h>
#include <strings.h>

#include "agent/clients/keys.h"
#include "agent/clients/thunderbird.h"
#include "common/json.h"
#include "common/text.h"

struct look {
	struct mm_reader *r;
	struct mm_arena *a;
	const struct mm_tb_prefs *t;
	const char *prefs; /* path of prefs.js */
	struct mm_view *view;
};

static const char *beside(const struct look *l, const char *name)
{
	return mm_arena_printf(l->a, "%s/%s", mm_path_dir(l->a, l->prefs), name);
}

/* ---- accounts: what goes in clear, what is deleted */

/* At the setting, or at the account where a default is what is wrong. */
static void trap_at(const struct look *l, enum mm_trap_kind kind, const struct mm_tb_account *acc,
    const struct mm_seen *s, const char *text)
{
	mm_add_trap(l->a, l->view, kind, s->path != NULL ? s->path : l->prefs,
	    s->path != NULL ? s->line : acc->line, mm_arena_printf(l->a, "Account '%s' %s", acc->key, text))
	    ->key = acc->key;
}

static void look_at_security(
    const struct look *l, const struct mm_tb_account *acc, const struct mm_seen_account *seen, bool incoming)
{
	const struct mm_seen *s = &seen->s[incoming ? MM_SET_IN_SECURITY : MM_SET_OUT_SECURITY];
	const char *auth = seen->s[incoming ? MM_SET_IN_AUTH : MM_SET_OUT_AUTH].value;

	if (!mm_streq(s->value, "none"))
		return;
	trap_at(l, MM_TRAP_CLEAR, acc, s,
	    mm_arena_printf(l->a, "has no encryption for %s mail: %s in clear text.%s%s",
		incoming ? "incoming" : "outgoing",
		mm_streq(auth, "password") ? "the password goes" : "mail goes", s->note != NULL ? " " : "",
		s->note != NULL ? s->note : ""));
}

static void look_at_account(
    const struct look *l, const struct mm_tb_account *acc, const struct mm_seen_account *seen)
{
	bool pop = mm_streq(acc->type, "pop3");
	const struct mm_seen *leave = &seen->s[MM_SET_IN_LEAVE_ON_SERVER];

	/* Others (Exchange) speak HTTPS and have no such preference. */
	if (pop || mm_streq(acc->type, "imap"))
		look_at_security(l, acc, seen, true);
	if (seen->has_outgoing && mm_streq(seen->s[MM_SET_OUT_PROTOCOL].value, "smtp"))
		look_at_security(l, acc, seen, false);
	if (pop && mm_streq(leave->value, "no"))
		trap_at(
		    l, MM_TRAP_OTHER, acc, leave, "deletes fetched mail from the server (leave_on_server).");
}

/* ---- one floor for all */

static void look_at_floor(const struct look *l, const struct mm_view *view)
{
	const struct mm_seen *s = view->n > 0 ? &view->accounts[0].s[MM_SET_IN_TLS_MIN] : NULL;

	if (s != NULL && s->path != NULL && (mm_streq(s->value, "1.0") || mm_streq(s->value, "1.1")))
		mm_add_trap(l->a, l->view, MM_TRAP_OTHER, s->path, s->line,
		    mm_arena_printf(l->a,
			"All accounts take TLS %s, which Thunderbird itself refuses where nothing is set.",
			s->value));
}

/* ---- exceptions for certificates */

/* HOST:PORT, then a tab, or a colon and what site the exception is limited to. */
static bool is_for(const char *line, size_t n, const char *host, const char *port)
{
	size_t h, p;

	if (host == NULL || port == NULL || host[0] == '\0' || port[0] == '\0')
		return false;
	h = strlen(host);
	p = strlen(port);
	return n > h + 1 + p && strncasecmp(line, host, h) == 0 && line[h] == ':' &&
	       memcmp(line + h + 1, port, p) == 0 && (line[h + 1 + p] == ':' || line[h + 1 + p] == '\t');
}

static const struct mm_seen_account *whose(const struct mm_view *view, const char *line, size_t n)
{
	for (size_t i = 0; view->accounts != NULL && i < view->n; i++) {
		const struct mm_seen *s = view->accounts[i].s;

		if (is_for(line, n, s[MM_SET_IN_HOST].value, s[MM_SET_IN_PORT].value) ||
		    is_for(line, n, s[MM_SET_OUT_HOST].value, s[MM_SET_OUT_PORT].value))
			return &view->accounts[i];
	}
	return NULL;
}

static void look_at_exceptions(const struct look *l)
{
	const char *path = beside(l, "cert_override.txt"), *end, *tab;
	struct mm_err err = MM_ERR_NONE;
	struct mm_text text;
	int number = 1;

	if (mm_read_text(l->r, path, &text, &err) != 1)
		return;
	for (const char *p = text.p; p < text.p + text.n; p = end + 1, number++) {
		const struct mm_seen_account *acc;

		end = memchr(p, '\n', (size_t)(text.p + text.n - p));
		if (end == NULL)
			end = text.p + text.n;
		acc = whose(l->view, p, (size_t)(end - p));
		tab = memchr(p, '\t', (size_t)(end - p));
		if (tab != NULL && tab > p && tab[-1] == ':')
			tab--;
		if (acc == NULL)
			continue;
		const char *of = mm_arena_strndup(l->a, p, (size_t)((tab != NULL ? tab : end) - p));
		struct mm_trap *t = mm_add_trap(l->a, l->view, MM_TRAP_EXCEPTION, path, number,
		    mm_arena_printf(l->a,
			"Account '%s': a certificate of %s that fails verification is taken "
			"all the same, by an exception that was stored.",
			acc->key, of));
		t->key = acc->key;
		t->endpoint = of;
	}
}

/* ---- proxies: mail goes through SOCKS, and wherever a script says */

static void look_at_proxy(const struct look *l)
{
	const struct mm_tb_pref *type = mm_tb_find(l->t, "network.proxy.type");
	bool manual = type != NULL && mm_streq(type->value, "1"),
	     script = type != NULL && mm_streq(type->value, "2");

	if (l->view->n > 0 && ((manual && mm_tb_text(l->t, "network.proxy.socks")[0] != '\0') ||
				  (script && mm_tb_text(l->t, "network.proxy.autoconfig_url")[0] != '\0')))
		mm_add_trap(l->a, l->view, MM_TRAP_OTHER, type->path, type->line,
		    mm_arena_printf(l->a, "Thunderbird %s", MM_THROUGH_PROXY));
}

/* ---- passwords that are left over */

/* The account of mail.server.KEY.password; a server for sending is nobody's alone. */
static const char *owner_of(const struct look *l, const char *pref)
{
	size_t head = strlen("mail.server.");
	const char *server = mm_starts_with(pref, "mail.server.")
				 ? mm_arena_strndup(l->a, pref + head, strcspn(pref + head, "."))
				 : NULL;

	for (size_t i = 0; server != NULL && i < l->view->n; i++) {
		const char *key = l->view->accounts[i].key;

		if (mm_streq(mm_tb_text(l->t, mm_arena_printf(l->a, "mail.account.%s.server", key)), server))
			return key;
	}
	return "";
}

/* Of programs of long ago, and of people's scripts: Thunderbird does not read it. */
static void look_at_clear_passwords(const struct look *l)
{
	for (size_t i = mm_tb_first(l->t, "mail."); i < l->t->n; i++) {
		const struct mm_tb_pref *p = &l->t->v[i];
		bool server =
		    mm_starts_with(p->key, "mail.server.") || mm_starts_with(p->key, "mail.smtpserver.");

		if (server && mm_ends_with(p->key, ".password") && p->kind == 's' && p->value != NULL &&
		    p->value[0] != '\0')
			mm_add_trap(l->a, l->view, MM_TRAP_PASSWORD, p->path, p->line,
			    mm_arena_printf(l->a, "%s keeps a password in clear text in the file.", p->key))
			    ->key = owner_of(l, p->key);
	}
}

/* Is there a server of this name, used or not? */
static bool is_known(const struct look *l, const char *unit, const char *host)
{
	const char *begin = mm_arena_printf(l->a, "mail.%s.", unit);

	for (size_t i = mm_tb_first(l->t, begin); i < l->t->n && mm_starts_with(l->t->v[i].key, begin); i++)
		if (mm_ends_with(l->t->v[i].key, ".hostname") && mm_streq_nocase(l->t->v[i].value, host))
			return true;
	return false;
}

static const char *left_over(const struct look *l, const char *origin)
{
	static const struct {
		const char *scheme, *unit;
	} kinds[] = {{"imap://", "server"}, {"mailbox://", "server"}, {"smtp://", "smtpserver"}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (mm_starts_with(origin, kinds[i].scheme))
			return is_known(l, kinds[i].unit, origin + strlen(kinds[i].scheme)) ? NULL : origin;
	return NULL;
}

/* Changing a server's name outside of Thunderbird leaves the old password. */
static void look_at_logins(const struct look *l)
{
	const char *path = beside(l, "logins.json"), *last = "";
	struct mm_err err = MM_ERR_NONE;
	struct mm_text text;
	const json_t *login;
	json_t *doc;
	size_t i;

	if (mm_read_text(l->r, path, &text, &err) != 1)
		return;
	doc = mm_json_load("logins.json", text.p, text.n, &err);
	json_array_foreach(json_object_get(doc, "logins"), i, login)
	{
		const char *origin = json_string_value(json_object_get(login, "hostname"));

		origin = origin != NULL ? left_over(l, origin) : NULL;
		if (origin == NULL || mm_streq(origin, last))
			continue;
		last = mm_arena_strdup(l->a, origin);
		mm_add_trap(l->a, l->view, MM_TRAP_OTHER, path, 0,
		    mm_arena_printf(
			l->a, "A password for %s is still kept, and no account has this server.", last));
	}
	json_decref(doc);
}

void mm_tb_look_for_traps(struct mm_reader *r, const char *prefs_path, const struct mm_tb_prefs *t,
    const struct mm_tb_account *accounts, struct mm_view *view)
{
	struct look l = {.r = r, .a = r->arena, .t = t, .prefs = prefs_path, .view = view};

	for (size_t i = 0; i < view->n; i++)
		look_at_account(&l, &accounts[i], &view->accounts[i]);
	look_at_floor(&l, view);
	look_at_exceptions(&l);
	look_at_proxy(&l);
	look_at_clear_passwords(&l);
	look_at_logins(&l);
}
