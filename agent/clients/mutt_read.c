/* What mutt's variables and hooks say, as settings. */
#include <string.h>

#include "agent/clients/folder.h"
#include "agent/clients/keys.h"
#include "agent/clients/mutt.h"
#include "agent/clients/mutt_later.h"
#include "agent/clients/sh.h"
#include "agent/formats/muttrc.h"
#include "common/text.h"

struct look {                          /* one reading */
	const struct mm_mutt_state *s; /* everything */
	struct mm_mutt_state own;      /* our own file alone */
	struct mm_arena *a;
	struct mm_view *out;
	struct mm_seen_account *acc;
	struct mm_mutt_incoming in;
	struct mm_mutt_url smtp;
	bool has_smtp;
	struct mm_mutt_later later;
	struct mm_mutt_doubt whole; /* it may not be this file at all */
};

/* ---- where the servers are */

static const char *text_of(const struct mm_mutt_state *s, const char *name)
{
	const char *t = mm_mutt_text(s, name, "");

	return t != NULL ? t : "";
}

struct mm_mutt_incoming mm_mutt_incoming(const struct mm_mutt_state *s, struct mm_arena *a)
{
	struct mm_mutt_incoming in = {0};
	const char *names[] = {"spoolfile", "folder"};

	for (size_t i = 0; i < 2; i++)
		if (mm_mutt_url_parse(text_of(s, names[i]), a, &in.url) &&
		    !mm_streq(in.url.protocol, "smtp")) {
			in.var = names[i];
			return in;
		}
	if (mm_mutt_pop_host_parse(text_of(s, "pop_host"), a, &in.url))
		in.var = "pop_host";
	return in;
}

const struct mm_mutt_var *mm_mutt_handed_on(const struct mm_mutt_state *s)
{
	const struct mm_mutt_var *v = mm_mutt_get(s, "sendmail");
	const char *url = mm_mutt_text(s, "smtp_url", "");

	if (v == NULL || v->kind != 's' || url == NULL || url[0] != '\0')
		return NULL;
	return strstr(v->text, "msmtp") != NULL ? v : NULL;
}

/* ---- what wins, and what might */

static void overridden(struct mm_seen *seen, const char *path, int line, const char *by)
{
	if (seen->over_path != NULL)
		return;
	seen->over_path = path;
	seen->over_line = line;
	seen->over_by = by;
}

/* A later line of the user's, or a hook, that sets the variable otherwise. */
static void look_for_override(const struct look *l, struct mm_seen *seen, const char *var)
{
	const struct mm_mutt_var *own = mm_mutt_get(&l->own, var), *now = mm_mutt_get(l->s, var);
	const struct mm_mutt_var *reset = mm_mutt_reset(l->s, var);
	const struct mm_mutt_hook *h;

	if (own != NULL && now != NULL && strcmp(own->path, now->path) != 0 &&
	    (own->kind != now->kind || strcmp(own->text, now->text) != 0))
		overridden(seen, now->path, now->line, "a later line of the user's");
	if (own != NULL && reset != NULL && seen->over_path == NULL) {
		overridden(seen, reset->path, reset->line, "a later line of the user's");
		seen->over_holds = true;
	}
	if (strcmp(var, "from") == 0 || strcmp(var, "realname") == 0) {
		h = mm_mutt_later_from(&l->later, var[0] == 'r');
		if (h != NULL)
			overridden(seen, h->path, h->line, "my_hdr From");
	}
	h = mm_mutt_later_sets(&l->later, var);
	if (h != NULL)
		overridden(seen, h->path, h->line, h->name);
}

static void unsure(struct mm_seen *seen, const struct mm_mutt_doubt *d)
{
	if (seen->unsure_path != NULL)
		return;
	seen->unsure_path = d->path;
	seen->unsure_line = d->line;
	seen->unsure_why = d->why;
}

/* Can what we know of the variable be trusted? */
static void look_for_doubt(const struct look *l, struct mm_seen *seen, const char *var)
{
	const struct mm_mutt_var *own = mm_mutt_get(&l->own, var), *now = mm_mutt_get(l->s, var);
	const struct mm_mutt_doubt *read = mm_mutt_doubt(l->s, var),
				   *later = mm_mutt_later_doubt(&l->later, var);
	struct mm_mutt_doubt value = {.why = "it cannot be seen what value is set there"};
	bool password = mm_ends_with(var, "_pass");

	if (l->whole.path != NULL)
		later = &l->whole;
	if (later != NULL)
		unsure(seen, later);
	if (read == NULL && now != NULL && !password && (now->kind == '?' || now->kind == 'e')) {
		value.path = now->path;
		value.line = now->line;
		value.seq = now->seq;
		read = &value;
	}
	if (read == NULL)
		return;
	unsure(seen, read);
	/* What we write is read where our block stands, or at the end when there is none yet. */
	seen->unsure_open |=
	    later == NULL && own == NULL && (l->s->own_seq == 0 || read->seq < l->s->own_seq);
}

/* Through a tunnel it speaks with a program: to no host that we know, and
 * without any TLS of its own. */
static void look_for_tunnel(struct look *l, enum mm_side side)
{
	static const enum mm_setting lost[] = {
	    MM_SET_IN_HOST, MM_SET_IN_PORT, MM_SET_IN_SECURITY, MM_SET_IN_TLS_MIN};
	const struct mm_mutt_var *v = mm_mutt_get(l->s, "tunnel");
	const struct mm_mutt_hook *h = mm_mutt_later_sets(&l->later, "tunnel");
	bool on = v != NULL && v->kind != 'n' && v->text[0] != '\0';

	if (!on && h == NULL)
		return;
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
		overridden(&l->acc->s[mm_setting_on_side(lost[i], side)], on ? v->path : h->path,
		    on ? v->line : h->line, "a tunnel");
}

/* Our file names the server twice: for the inbox, and for the other folders. */
static void look_for_other_server(struct look *l)
{
	static const char *const names[] = {"spoolfile", "folder"};
	struct mm_seen *seen = &l->acc->s[MM_SET_IN_HOST];
	struct mm_mutt_url u;

	for (size_t i = 0; i < 2; i++) {
		const struct mm_mutt_hook *h = mm_mutt_later_sets(&l->later, names[i]);

		if (h != NULL)
			overridden(seen, h->path, h->line, h->name);
	}
	if (strcmp(l->in.var, "folder") == 0) /* an inbox that is not known would come before it */
		look_for_doubt(l, seen, "spoolfile");
	for (size_t i = 0; i < 2; i++) {
		const struct mm_mutt_var *own = mm_mutt_get(&l->own, names[i]),
					 *now = mm_mutt_get(l->s, names[i]);

		if (own == NULL || now == NULL || strcmp(own->path, now->path) == 0 ||
		    (mm_mutt_url_parse(text_of(l->s, names[i]), l->a, &u) &&
			mm_streq(u.host, l->in.url.host) && mm_streq(u.port, l->in.url.port) &&
			mm_streq(u.user, l->in.url.user) && u.tls == l->in.url.tls))
			continue;
		overridden(seen, now->path, now->line, "a later line of the user's");
	}
}

/* ---- settings */

static struct mm_seen *put(struct look *l, enum mm_setting id, const char *var, const char *value)
{
	const struct mm_mutt_var *v = mm_mutt_get(l->s, var);
	struct mm_seen *seen = &l->acc->s[id];

	seen->value = value;
	seen->from_default = v == NULL && value != NULL;
	seen->path = v != NULL ? v->path : NULL;
	seen->line = v != NULL ? v->line : 0;
	if (var[0] != '\0') {
		look_for_override(l, seen, var);
		look_for_doubt(l, seen, var);
	}
	return seen;
}

static bool flag(const struct mm_mutt_state *s, const char *name, bool dflt)
{
	const struct mm_mutt_var *v = mm_mutt_get(s, name);

	if (v == NULL)
		return dflt;
	return v->kind == 's' && (mm_streq_nocase(v->text, "yes") || mm_streq_nocase(v->text, "ask-yes"));
}

/* The setting hangs on this variable, too. */
static void also(struct look *l, enum mm_setting id, const char *var)
{
	const struct mm_mutt_hook *h = mm_mutt_later_sets(&l->later, var);

	if (h != NULL)
		overridden(&l->acc->s[id], h->path, h->line, h->name);
}

static void see_identity(struct look *l)
{
	const char *env = l->s->r->env(l->s->r, "EMAIL"), *name = NULL;
	const char *from = mm_mutt_text(l->s, "from", env != NULL ? env : "");
	const char *real = mm_mutt_text(l->s, "realname", NULL);
	const struct mm_mutt_var *header = mm_mutt_get(l->s, "use_from");

	put(l, MM_SET_ADDRESS, "from", from != NULL ? mm_mutt_mailbox(from, l->a, &name) : NULL);
	if (header != NULL && !flag(l->s, "use_from", true))
		overridden(&l->acc->s[MM_SET_ADDRESS], header->path, header->line, "use_from=no");
	also(l, MM_SET_ADDRESS, "use_from");
	if (flag(l->s, "reverse_name", false))
		l->acc->s[MM_SET_ADDRESS].note =
		    "With reverse_name an answer comes from the address that was written to.";
	if (name != NULL)
		put(l, MM_SET_REAL_NAME, "from", name);
	else
		put(l, MM_SET_REAL_NAME, "realname", real != NULL && real[0] != '\0' ? real : NULL);
}

static void trap_clear(struct look *l, enum mm_setting id)
{
	const struct mm_seen *s = &l->acc->s[id];

	mm_add_trap(l->a, l->out, mm_streq(s->value, "none") ? MM_TRAP_CLEAR : MM_TRAP_OPPORTUNISTIC, s->path,
	    s->line,
	    mm_arena_printf(l->a,
		"The password for %s mail goes in clear text where the server offers no TLS, or none is "
		"asked for "
		"(ssl_force_tls, ssl_starttls).",
		mm_side_name(mm_setting_def(id)->side)));
}

static void see_security(struct look *l, enum mm_setting id, const struct mm_mutt_url *u, const char *var)
{
	bool force = flag(l->s, "ssl_force_tls", true), offered = flag(l->s, "ssl_starttls", true);

	if (u->tls)
		put(l, id, var, "tls");
	else if (force)
		put(l, id, var, "starttls");
	else
		put(l, id, mm_mutt_get(l->s, "ssl_force_tls") != NULL ? "ssl_force_tls" : var,
		    offered ? "starttls, if offered" : "none");
	if (!u->tls) {
		also(l, id, "ssl_force_tls");
		look_for_doubt(l, &l->acc->s[id], "ssl_force_tls");
	}
	if (!u->tls && !force)
		trap_clear(l, id);
	if (!u->tls && offered && !force)
		l->acc->s[id].note =
		    "With ssl_force_tls=no the password goes in clear when the server offers no TLS.";
}

/* What may say otherwise of the certificates; what is said of them is a trap. */
static void see_verify(struct look *l, const char *var)
{
	const struct mm_mutt_hook *h = mm_mutt_later_sets(&l->later, var);

	look_for_doubt(l, &l->acc->verify, var);
	if (h != NULL)
		mm_see_unsure(&l->acc->verify, (struct mm_native){.path = h->path, .line = h->line},
		    "it is set otherwise later");
}

static const char *auth_word(const struct mm_mutt_state *s, const char *var)
{
	const char *t = mm_mutt_text(s, var, "");
	const char *token = mm_mutt_text(s, mm_mutt_token_command(var), "");

	if (t == NULL)
		return NULL;
	/* With a command for tokens it is tried first. */
	if (t[0] == '\0' && token != NULL && token[0] != '\0')
		return "oauthbearer";
	if (t[0] == '\0' || mm_streq_nocase(t, "plain:login") || mm_streq_nocase(t, "login:plain"))
		return "password";
	return t;
}

static const char *lower(const char *s, struct mm_arena *a)
{
	char *out = mm_arena_strdup(a, s);

	for (char *p = out; p != NULL && *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return out;
}

static void see_password(
    struct look *l, enum mm_setting id, const char *var, const struct mm_mutt_url *u, const char *url_var)
{
	const struct mm_mutt_var *v = mm_mutt_get(l->s, var), *url = mm_mutt_get(l->s, url_var);
	bool clear = v != NULL && v->kind == 's' && v->text[0] != '\0';

	put(l, id, var, v != NULL && v->kind == 'e' ? mm_sh_from_backtick(v->text, l->a) : NULL);
	if (clear)
		mm_add_trap(l->a, l->out, MM_TRAP_PASSWORD, v->path, v->line,
		    "The password stands in clear text in the file.");
	if (u->has_password && url != NULL) {
		mm_add_trap(l->a, l->out, MM_TRAP_PASSWORD, url->path, url->line,
		    "The password stands in clear text in an address.");
		overridden(&l->acc->s[id], url->path, url->line, "the password in the address");
	}
}

static const char *tls_min(const struct mm_mutt_state *s, const char **var)
{
	static const struct {
		const char *name, *version;
		bool dflt;
	} v[] = {{"ssl_use_sslv2", "ssl2", false}, {"ssl_use_sslv3", "ssl3", false},
	    {"ssl_use_tlsv1", "1.0", false}, {"ssl_use_tlsv1_1", "1.1", false},
	    {"ssl_use_tlsv1_2", "1.2", true}, {"ssl_use_tlsv1_3", "1.3", true}};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		*var = v[i].name;
		if (flag(s, v[i].name, v[i].dflt))
			return v[i].version;
	}
	return NULL;
}

/* A version below the floor that is switched on later. */
static void look_below(struct look *l, enum mm_setting min)
{
	static const char *const v[] = {
	    "ssl_use_tlsv1", "ssl_use_tlsv1_1", "ssl_use_tlsv1_2", "ssl_use_tlsv1_3"};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		look_for_doubt(l, &l->acc->s[min], v[i]);
		if (flag(l->s, v[i], i > 1))
			return;
		also(l, min, v[i]);
	}
}

static void see_client_cert(struct look *l, enum mm_setting cert)
{
	const char *file = mm_mutt_text(l->s, "ssl_client_cert", "");

	put(l, cert, "ssl_client_cert", file != NULL && file[0] != '\0' ? file : NULL);
}

static void see_tls(struct look *l, enum mm_setting min, enum mm_setting ca)
{
	const char *var, *version = tls_min(l->s, &var),
			 *file = mm_mutt_text(l->s, "ssl_ca_certificates_file", "");

	put(l, min, var, version);
	look_below(l, min);
	put(l, ca, "ssl_ca_certificates_file", file != NULL && file[0] != '\0' ? file : NULL);
	if (l->acc->s[ca].path != NULL && mm_starts_with(l->acc->s[ca].path, "/etc/"))
		l->acc->s[ca].from_default = true; /* the distribution's */
}

const char *mm_mutt_folder_var(enum mm_setting s)
{
	return s == MM_SET_FOLDER_SENT     ? "record"
	       : s == MM_SET_FOLDER_DRAFTS ? "postponed"
	       : s == MM_SET_FOLDER_TRASH  ? "trash"
					   : NULL;
}

/* An address on the server that mail is read from (paths are percent-encoded
 * there, url.c); what is elsewhere is shown as it stands. */
static const char *folder_name(const struct look *l, const char *text)
{
	const struct mm_mutt_url *in = &l->in.url;
	struct mm_mutt_url u;

	if (!mm_mutt_url_parse(text, l->a, &u) || !mm_streq(u.protocol, in->protocol) ||
	    !mm_streq_nocase(u.host, in->host) ||
	    (u.user != NULL && !mm_streq(u.user, l->acc->s[MM_SET_IN_USERNAME].value)))
		return text;
	return mm_percent_decode(u.path, l->a);
}

/* Where a copy of everything goes, whatever `record` says. */
static void look_for_copies(struct look *l)
{
	static const char *const all[] = {".", ".*", "~A"};
	const struct mm_mutt_var *copy = mm_mutt_get(l->s, "copy");
	struct mm_seen *seen = &l->acc->s[MM_SET_FOLDER_SENT];

	for (size_t i = 0; i < l->s->n_hooks; i++) {
		const struct mm_mutt_hook *h = &l->s->hooks[i];

		if (strcmp(h->name, "fcc-hook") != 0 && strcmp(h->name, "fcc-save-hook") != 0)
			continue;
		for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
			if (mm_streq(h->pattern, all[k]))
				overridden(seen, h->path, h->line, h->name);
	}
	if (copy != NULL && !flag(l->s, "copy", true))
		overridden(seen, copy->path, copy->line, "copy, which keeps none,");
}

static void see_folders(struct look *l)
{
	for (enum mm_setting s = MM_SET_FOLDER_SENT; s <= MM_SET_FOLDER_TRASH; s++) {
		const char *var = mm_mutt_folder_var(s), *text = mm_mutt_text(l->s, var, "");

		put(l, s, var, text != NULL && text[0] != '\0' ? folder_name(l, text) : NULL);
	}
	look_for_copies(l);
}

static void see_incoming(struct look *l)
{
	const struct mm_mutt_url *u = &l->in.url;
	bool pop = mm_streq(u->protocol, "pop3");
	const char *var = l->in.var, *user = pop ? "pop_user" : "imap_user",
		   *name = mm_mutt_text(l->s, user, ""),
		   *login = pop ? "" : mm_mutt_text(l->s, "imap_login", "");

	l->acc->has_incoming = true;
	put(l, MM_SET_IN_PROTOCOL, var, u->protocol);
	put(l, MM_SET_IN_HOST, var, u->host);
	put(l, MM_SET_IN_PORT, var,
	    u->port != NULL ? u->port
	    : pop           ? (u->tls ? "995" : "110")
	    : u->tls        ? "993"
			    : "143");
	see_security(l, MM_SET_IN_SECURITY, u, var);
	put(l, MM_SET_IN_AUTH, pop ? "pop_authenticators" : "imap_authenticators",
	    lower(auth_word(l->s, pop ? "pop_authenticators" : "imap_authenticators"), l->a));
	if (login == NULL || login[0] != '\0') /* mutt/account.c: it comes before all others */
		put(l, MM_SET_IN_USERNAME, "imap_login", login);
	else if (u->user != NULL)
		put(l, MM_SET_IN_USERNAME, var, u->user);
	else
		put(l, MM_SET_IN_USERNAME, user, name != NULL && name[0] != '\0' ? name : l->s->r->login);
	if (!pop)
		also(l, MM_SET_IN_USERNAME, "imap_login");
	see_password(l, MM_SET_IN_PASSWORD_COMMAND, pop ? "pop_pass" : "imap_pass", u, var);
	see_tls(l, MM_SET_IN_TLS_MIN, MM_SET_IN_CA_FILE);
	see_client_cert(l, MM_SET_IN_CLIENT_CERT);
	look_for_tunnel(l, MM_SIDE_INCOMING);
	look_for_other_server(l);
	if (!pop)
		see_folders(l);
	put(l, MM_SET_IN_LEAVE_ON_SERVER, pop ? "pop_delete" : "",
	    pop && flag(l->s, "pop_delete", false) ? "no" : "yes");
	if (pop && flag(l->s, "pop_delete", false))
		mm_add_trap(l->a, l->out, MM_TRAP_OTHER, l->acc->s[MM_SET_IN_LEAVE_ON_SERVER].path,
		    l->acc->s[MM_SET_IN_LEAVE_ON_SERVER].line,
		    "Fetched mail is deleted from the server (pop_delete).");
}

static void see_sender(struct look *l)
{
	const char *user = l->s->neomutt ? mm_mutt_text(l->s, "smtp_user", "") : "";
	const char *idle = mm_mutt_text(l->s, MM_MUTT_IDLE_USER, "");
	const char *var = l->smtp.user != NULL ? "smtp_url" : "smtp_user";

	if (l->smtp.user != NULL)
		user = l->smtp.user;
	if (user != NULL && user[0] != '\0') {
		put(l, MM_SET_OUT_USERNAME, var, user);
		put(l, MM_SET_OUT_AUTH, "smtp_authenticators",
		    lower(auth_word(l->s, "smtp_authenticators"), l->a));
		return;
	}
	put(l, MM_SET_OUT_USERNAME, MM_MUTT_IDLE_USER, idle != NULL && idle[0] != '\0' ? idle : NULL);
	put(l, MM_SET_OUT_AUTH, "smtp_url", "none"); /* without a name it does not log in */
}

static void see_outgoing(struct look *l)
{
	const struct mm_mutt_url *u = &l->smtp;

	l->acc->has_outgoing = true;
	put(l, MM_SET_OUT_PROTOCOL, "smtp_url", "smtp");
	put(l, MM_SET_OUT_HOST, "smtp_url", u->host);
	put(l, MM_SET_OUT_PORT, "smtp_url", u->port != NULL ? u->port : u->tls ? "465" : "25");
	see_security(l, MM_SET_OUT_SECURITY, u, "smtp_url");
	see_sender(l);
	see_password(l, MM_SET_OUT_PASSWORD_COMMAND, "smtp_pass", u, "smtp_url");
	see_tls(l, MM_SET_OUT_TLS_MIN, MM_SET_OUT_CA_FILE);
	see_client_cert(l, MM_SET_OUT_CLIENT_CERT);
	look_for_tunnel(l, MM_SIDE_OUTGOING);
}

static void see_handed_on(struct look *l, const struct mm_mutt_var *v)
{
	l->acc->has_outgoing = true;
	for (int i = MM_SET_OUT_PROTOCOL; i < MM_SET_COUNT; i++) {
		l->acc->s[i].note = "Mail is handed to msmtp; the setting is checked in its configuration.";
		overridden(&l->acc->s[i], v->path, v->line, "sendmail, which hands mail to msmtp,");
	}
}

/* What the user accepted for always is in certificate_file, also where nothing is said of it. */
static void look_for_accepted(struct look *l, const char *label)
{
	const char *file = mm_mutt_text(l->s, "certificate_file", "~/.mutt_certificates");

	if (mm_starts_with(file, "~/"))
		file = mm_home_path(l->s->r, file + 2);
	if (file != NULL && file[0] == '/')
		mm_trap_accepted(l->s->r, l->out, file, MM_PEM_MARK, label);
}

static void traps(struct look *l)
{
	static const struct {
		const char *var, *text;
		bool bad;
		enum mm_trap_kind kind;
	} v[] = {{"ssl_verify_host", "The name in the server's certificate is not verified.", false,
		     MM_TRAP_CHAIN_ONLY},
	    {"ssl_verify_dates", "Expired certificates are accepted.", false, MM_TRAP_NO_DATES},
	    {"ssl_verify_partial_chains", "Certificates without a complete chain are accepted.", true,
		MM_TRAP_OTHER}};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		const struct mm_mutt_var *var = mm_mutt_get(l->s, v[i].var);

		if (var != NULL && flag(l->s, v[i].var, !v[i].bad) == v[i].bad)
			mm_add_trap(l->a, l->out, v[i].kind, var->path, var->line, v[i].text);
	}
	mm_mutt_later_passwords(l->s, l->out);
	for (size_t i = 0; i < l->s->n_traps; i++)
		mm_add_trap(l->a, l->out, MM_TRAP_OTHER, l->s->traps[i].path, l->s->traps[i].line,
		    l->s->traps[i].text);
}

/* mutt looks for each of its files with its own version behind the name, and
 * then without; which version there is can only be asked by running it. */
static void look_for_other_file(struct look *l, const struct mm_mutt_kind *k, const struct mm_place *p)
{
	for (size_t i = 0; !k->neomutt && k->files[i] != NULL && l->whole.path == NULL; i++) {
		const char *const *names;
		const char *path = mm_mutt_file_path(l->s->r, k->files[i]);
		const char *dir = mm_path_dir(l->a, path), *base = strrchr(path, '/') + 1;
		size_t n = strlen(base);
		bool listed = l->s->r->list(l->s->r, dir, &names, NULL) > 0;

		for (; listed && *names != NULL; names++)
			if (strncmp(*names, base, n) == 0 && (*names)[n] == '-' && (*names)[n + 1] >= '0' &&
			    (*names)[n + 1] <= '9')
				l->whole.path = mm_arena_printf(l->a, "%s/%s", dir, *names);
		l->whole.why = "mutt of that version reads that file instead";
		if (mm_streq(path, p->path))
			return;
	}
}

int mm_mutt_read(struct mm_reader *r, const struct mm_mutt_kind *k, const struct mm_place *p,
    struct mm_view *out, struct mm_err *err)
{
	struct mm_mutt_state s = {.r = r, .neomutt = k->neomutt, .own = mm_mutt_own_path(r, k)};
	struct look l = {.s = &s, .own = {.r = r, .neomutt = k->neomutt}, .a = r->arena, .out = out};
	const struct mm_mutt_var *handed;

	*out = (struct mm_view){0};
	if (mm_mutt_eval(&s, p->path, err) != 0 ||
	    mm_mutt_eval_file(&l.own, mm_mutt_own_path(r, k), err) != 0)
		return -1;
	l.acc = mm_arena_alloc(r->arena, 1, sizeof(*l.acc));
	l.in = mm_mutt_incoming(&s, r->arena);
	l.has_smtp = mm_mutt_url_parse(text_of(&s, "smtp_url"), r->arena, &l.smtp);
	handed = mm_mutt_handed_on(&s);
	l.later = (struct mm_mutt_later){
	    .s = &s, .in = l.in.var != NULL ? &l.in.url : NULL, .smtp = l.has_smtp ? &l.smtp : NULL};
	mm_mutt_later(&l.later);
	look_for_other_file(&l, k, p);
	traps(&l);
	if (l.in.var == NULL && !l.has_smtp && handed == NULL)
		return 0; /* no server: no account */
	l.acc->key = MM_MUTT_KEY;
	l.acc->label = "";
	see_identity(&l);
	see_verify(&l, "ssl_verify_host");
	see_verify(&l, "ssl_verify_dates");
	if (l.in.var != NULL)
		see_incoming(&l);
	if (l.has_smtp)
		see_outgoing(&l);
	else if (handed != NULL)
		see_handed_on(&l, handed);
	out->accounts = l.acc;
	out->n = 1;
	look_for_accepted(&l, k->neomutt ? "NeoMutt" : "mutt");
	return 0;
}
