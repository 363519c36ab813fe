/*
 * s-nail (mailx): edited in place, the variables of ~/.mailrc; a new account is a
 * block of its own, `account NAME {`, which is entered at the file's end where
 * nothing else is set up.
 *
 * Server and user stand in addresses (inbox, mta); STARTTLS is smtp-use-starttls
 * and the like, without which the login goes in clear. There is no password command but
 * netrc-pipe, whose output is read like a netrc (s_nail_pipe.c); what was read is
 * kept when another account is entered, so a new account forgets it first. Without
 * `hold` read mail is moved from the server into ~/mbox.
 */
#include "agent/clients/s_nail.h"

#include <string.h>

#include "agent/clients/clients.h"
#include "agent/formats/mailrc.h"
#include "common/text.h"

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *own = r->env(r, "MAILRC");
	const char *const paths[] = {own != NULL && own[0] == '/' ? own : mm_home_path(r, ".mailrc")};

	(void)err;
	return mm_find_first(r, "s-nail", paths, 1, paths[0], create, places, n);
}

struct file {
	const char *path;
	bool v15;
	struct mm_edit_list edits;
};

struct writer {
	struct mm_snail_files f;
	struct mm_snail_env env;
	struct mm_arena *a;
	const struct mm_change *ch;
	const struct mm_seen_account *now; /* NULL: a new one */
	const char *section, *path;
	bool file_v15, v15;
	struct file *files;
	size_t n_files, cap_files;
};

static struct mm_edit_list *edits_of(struct writer *w, const char *path, bool v15)
{
	struct file *f;

	for (size_t i = 0; i < w->n_files; i++)
		if (mm_streq(w->files[i].path, path))
			return &w->files[i].edits;
	f = mm_arena_push(w->a, &w->files, &w->n_files, &w->cap_files, sizeof(*w->files));
	*f = (struct file){.path = path, .v15 = v15};
	return &f->edits;
}

static bool is_own(const struct writer *w, const struct mm_snail_var *v)
{
	return v != NULL && mm_streq(v->set->section, w->section) &&
	       mm_starts_with(v->set->path, w->f.r->home);
}

static void edit(struct writer *w, enum mm_edit_op op, const struct mm_snail_var *v, const char *name,
    char kind, const char *value)
{
	bool own = v != NULL && is_own(w, v);

	mm_want_edit(edits_of(w, own ? v->set->path : w->path, own ? v->set->v15 : w->file_v15), w->a, op,
	    w->section, name, kind, value);
}

/* `v`: what the variable is now, or NULL. */
static void put(struct writer *w, const struct mm_snail_var *v, const char *name, const char *value)
{
	edit(w, MM_EDIT_SET, v, v != NULL ? v->name : name, 's', value);
}

static void flag(struct writer *w, const struct mm_snail_var *v, const char *name, bool on)
{
	if (on && v == NULL)
		edit(w, MM_EDIT_SET, v, name, 'b', "yes");
	else if (!on && is_own(w, v))
		edit(w, MM_EDIT_DELETE, v, v->name, 's', NULL);
	else if (!on && v != NULL) /* it stands for all accounts */
		edit(w, MM_EDIT_SET, NULL, v->name, 'b', "no");
}

/* ---- one side */

struct side {
	struct mm_snail_side was;
	struct mm_mail_url url; /* as it will be */
	const char *protocol, *user;
	bool in, moved;
};

static enum mm_setting at(const struct side *s, enum mm_setting in)
{
	return s->in ? in : mm_setting_on_side(in, MM_SIDE_OUTGOING);
}

static const char *joined(const struct writer *w, const struct side *s, enum mm_setting in)
{
	return mm_joined(w->ch, w->now, at(s, in));
}

static const char *scheme(const struct side *s, const char *security)
{
	static const char *const names[][3] = {{"imap", "imap", "imaps"}, {"pop3", "pop3", "pop3s"},
	    {"smtp", "smtp", "smtps"}, {"submission", "submission", "submissions"}};
	bool submission = s->was.var != NULL && mm_starts_with(s->was.url.scheme, "submission");
	const char *family = submission ? "submission" : s->protocol;

	for (size_t i = 0; i < 4; i++)
		if (mm_streq(names[i][0], family))
			return names[i][mm_streq(security, "tls") ? 2 : 1];
	return family;
}

static bool plan_side(struct writer *w, struct side *s, bool in)
{
	const char *security, *port;

	*s = (struct side){.in = in, .was = mm_snail_side(&w->env, in)};
	s->protocol = joined(w, s, MM_SET_IN_PROTOCOL);
	s->user = joined(w, s, MM_SET_IN_USERNAME);
	security = joined(w, s, MM_SET_IN_SECURITY);
	port = joined(w, s, MM_SET_IN_PORT);
	if (s->protocol == NULL || joined(w, s, MM_SET_IN_HOST) == NULL || (w->now != NULL && s->was.program))
		return false;
	if (port == NULL)
		port = mm_arena_printf(w->a, "%d", mm_default_port(s->protocol, security));
	s->url = (struct mm_mail_url){.scheme = scheme(s, security),
	    .mechanism = "",
	    .host = joined(w, s, MM_SET_IN_HOST),
	    .port = port,
	    .rest = ""};
	if (w->now != NULL && s->was.var != NULL && mm_streq(s->was.protocol, s->protocol))
		s->url.rest = s->was.url.rest;
	else if (mm_streq(s->protocol, "imap"))
		s->url.rest = "/INBOX";
	if (in || w->v15)
		s->url.user = s->user;
	return true;
}

/* True: it is another one now. */
static bool write_url(struct writer *w, const struct side *s)
{
	static const enum mm_setting parts[] = {
	    MM_SET_IN_PROTOCOL, MM_SET_IN_HOST, MM_SET_IN_PORT, MM_SET_IN_SECURITY, MM_SET_IN_USERNAME};
	const char *name = s->was.var != NULL ? s->was.var->name : s->in ? "inbox" : "mta";
	bool any = s->was.refused;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		any |= w->ch->want->v[at(s, parts[i])] != NULL;
	if (!any && w->v15 == w->env.v15)
		return false;
	if (w->now != NULL && s->was.var != NULL && s->was.var->value != NULL &&
	    mm_streq(s->was.var->value, mm_mail_url_print(&s->url, w->a)))
		return false;
	put(w, s->was.var != NULL ? s->was.var : mm_snail_get(&w->env, name), name,
	    mm_mail_url_print(&s->url, w->a));
	if (!s->in && !w->v15 && s->user != NULL)
		put(w, s->was.user_var, "smtp-auth-user", s->user);
	return true;
}

/* The variable of a chain that will count. A new one is for this server alone when the other side wants
 * another value. */
static void put_chain(struct writer *w, const struct side *s, const char *name, const char *value, bool alone)
{
	const struct mm_snail_var *v = mm_snail_chain(&w->env, name, s->user, &s->url);

	if (v != NULL && mm_streq(v->value, value) && !v->after)
		return;
	if (alone && (v == NULL || mm_streq(v->name, name))) {
		name = mm_arena_printf(w->a, "%s-%s:%s", name, s->url.host, s->url.port);
		v = NULL;
	}
	put(w, v, name, value);
}

static void write_tls(struct writer *w, const struct side *s, const struct side *other)
{
	const char *ca = joined(w, s, MM_SET_IN_CA_FILE), *min = joined(w, s, MM_SET_IN_TLS_MIN);
	const char *cert = joined(w, s, MM_SET_IN_CLIENT_CERT);
	const struct mm_snail_var *v = mm_snail_chain(&w->env, "tls-config-pairs", s->user, &s->url);
	const struct mm_snail_var *verify = mm_snail_chain(&w->env, "tls-verify", s->user, &s->url);
	const char *pairs = v != NULL ? v->value : NULL;
	const char *floor = mm_snail_pair(pairs, "MinProtocol", w->a);

	if (ca != NULL && !mm_streq(ca, w->now != NULL ? w->now->s[at(s, MM_SET_IN_CA_FILE)].value : NULL))
		put_chain(w, s, "tls-ca-file", ca,
		    other != NULL && !mm_streq(ca, joined(w, other, MM_SET_IN_CA_FILE)));
	if (min != NULL && (floor == NULL || !mm_streq(mm_word_canon(mm_snail_floor, floor), min)))
		pairs = mm_snail_set_pair(pairs, "MinProtocol", mm_word_native(mm_snail_floor, min), w->a);
	if (cert != NULL && !mm_streq(mm_snail_pair(pairs, "Certificate", w->a), cert))
		pairs = mm_snail_set_pair(pairs, "Certificate", cert, w->a);
	if (pairs != NULL && (v == NULL || !mm_streq(pairs, v->value)))
		put_chain(w, s, "tls-config-pairs", pairs,
		    other != NULL && (!mm_streq(min, joined(w, other, MM_SET_IN_TLS_MIN)) ||
					 !mm_streq(cert, joined(w, other, MM_SET_IN_CLIENT_CERT))));
	if (w->now == NULL ? s->in || other == NULL
			   : verify != NULL && w->ch->want->v[at(s, MM_SET_IN_SECURITY)] != NULL)
		put(w, verify, "tls-verify", "strict");
}

static void write_side(struct writer *w, struct side *s, const struct side *other)
{
	const char *starttls = mm_arena_printf(w->a, "%s-use-starttls", s->protocol);
	const char *name = mm_arena_printf(w->a, "%s-auth", s->protocol),
		   *auth = joined(w, s, MM_SET_IN_AUTH);
	const char *word =
	    mm_streq(auth, "password") ? (mm_streq(s->protocol, "imap") ? "login" : "plain") : auth;
	const struct mm_snail_var *v = mm_snail_chain(&w->env, name, s->user, &s->url);
	const char *dflt = mm_streq(s->protocol, "imap") ? "login" : s->in || w->v15 ? "plain" : "none";
	const char *cur = v != NULL && v->value != NULL ? v->value : dflt;
	bool choice = mm_streq(auth, "password") && mm_among("plain login", cur);

	s->moved = write_url(w, s);
	if (!mm_streq(joined(w, s, MM_SET_IN_SECURITY), "tls"))
		flag(w, mm_snail_chain(&w->env, starttls, s->user, &s->url), starttls,
		    mm_streq(joined(w, s, MM_SET_IN_SECURITY), "starttls"));
	if (word != NULL && !choice && !mm_streq_nocase(cur, word))
		put(w, v, name, word);
	write_tls(w, s, other);
	if (s->in && (w->now == NULL || w->ch->want->v[MM_SET_IN_LEAVE_ON_SERVER] != NULL))
		flag(w, mm_snail_get(&w->env, "hold"), "hold", true);
}

/* ---- passwords */

static void add_secret(struct writer *w, const struct side *s, struct mm_snail_secret *v, size_t *n)
{
	const char *argv = s->protocol != NULL ? joined(w, s, MM_SET_IN_PASSWORD_COMMAND) : NULL;

	if (argv != NULL && s->user != NULL)
		v[(*n)++] = (struct mm_snail_secret){.host = s->url.host, .user = s->user, .argv = argv};
}

static int write_secrets(struct writer *w, const struct side *in, const struct side *out, struct mm_err *err)
{
	static const enum mm_setting parts[] = {
	    MM_SET_IN_PASSWORD_COMMAND, MM_SET_OUT_PASSWORD_COMMAND, MM_SET_NONE};
	const struct mm_snail_var *pipe = mm_snail_get(&w->env, "netrc-pipe");
	const struct side *sides[] = {in, out};
	struct mm_snail_secret v[2];
	const char *text;
	/* A password that stood in an address, or in a variable with its name, goes with the address. */
	bool moved = w->v15 && ((in != NULL && in->moved) || (out != NULL && out->moved));
	size_t n = 0;

	if (in != NULL)
		add_secret(w, in, v, &n);
	if (out != NULL)
		add_secret(w, out, v, &n);
	if (n == 0 || (!moved && !mm_wants_any(w->ch, parts)))
		return 0;
	if (n == 2 && mm_streq_nocase(v[0].host, v[1].host) && mm_streq(v[0].user, v[1].user)) {
		if (!mm_streq(v[0].argv, v[1].argv))
			return mm_err_set(err, MM_EX_DIFF,
			    "s-nail knows passwords by server and user: it cannot have two for one");
		n = 1;
	}
	text = mm_snail_pipe(v, n, w->a, err);
	if (text == NULL)
		return -1;
	for (size_t i = 0; i < 2; i++) {
		const struct side *s = sides[i];

		if (s != NULL && mm_snail_chain(&w->env, "netrc-lookup", s->user, &s->url) == NULL) {
			edit(w, MM_EDIT_SET, NULL, "netrc-lookup", 'b', "yes");
			break;
		}
	}
	put(w, pipe, "netrc-pipe", text);
	if (w->section[0] != '\0')
		edit(w, MM_EDIT_SET, NULL, MM_MAILRC_NETRC, 's', "clear");
	return 0;
}

/* ---- the account */

/* A password command, and a user name in an address, are for v15-compat alone. */
static int choose_compat(struct writer *w, struct mm_err *err)
{
	const struct mm_values *v = w->ch->want;

	w->v15 = w->env.v15 || w->now == NULL;
	if (w->now == NULL) {
		mm_want_edit(edits_of(w, w->path, w->file_v15), w->a, MM_EDIT_SET, w->section, "v15-compat",
		    's', "yes");
	} else if (!w->v15 &&
		   (v->v[MM_SET_IN_PASSWORD_COMMAND] != NULL || v->v[MM_SET_OUT_PASSWORD_COMMAND] != NULL)) {
		if (w->section[0] == '\0' && w->f.n_accounts > 0)
			return mm_err_set(err, MM_EX_DIFF,
			    "a password command needs v15-compat, which would change the other accounts "
			    "here");
		edit(w, MM_EDIT_SET, NULL, "v15-compat", 'b', "yes");
		w->v15 = true;
	}
	return 0;
}

static int write_account(struct writer *w, struct mm_err *err)
{
	static const enum mm_setting sender[] = {MM_SET_ADDRESS, MM_SET_REAL_NAME, MM_SET_NONE};
	struct side in, out;
	bool has_in, has_out;

	if (choose_compat(w, err) != 0)
		return -1;
	if (mm_wants_any(w->ch, sender))
		put(w, mm_snail_get(&w->env, "from"), "from",
		    mm_mailbox_print(mm_joined(w->ch, w->now, MM_SET_ADDRESS),
			mm_joined(w->ch, w->now, MM_SET_REAL_NAME), w->a));
	if (w->ch->want->v[MM_SET_REPLY_TO] != NULL)
		put(w, mm_snail_get(&w->env, "reply-to"), "reply-to", w->ch->want->v[MM_SET_REPLY_TO]);
	has_in = plan_side(w, &in, true);
	has_out = plan_side(w, &out, false);
	if (has_in)
		write_side(w, &in, has_out ? &out : NULL);
	if (has_out)
		write_side(w, &out, has_in ? &in : NULL);
	return write_secrets(w, has_in ? &in : NULL, has_out ? &out : NULL, err);
}

static bool taken(const void *ctx, const char *name)
{
	const struct mm_snail_files *f = ctx;

	for (size_t i = 0; i < f->n_accounts; i++)
		if (mm_streq_nocase(f->accounts[i].name, name))
			return true;
	return mm_streq_nocase(name, MM_SNAIL_NOBODY);
}

static void add(struct writer *w, struct mm_edits *out)
{
	struct mm_snail_env nobody = mm_snail_env(&w->f, MM_SNAIL_NOBODY);
	struct mm_snail_side in = mm_snail_side(&nobody, true), smtp = mm_snail_side(&nobody, false);

	w->section = out->key = mm_free_name(w->ch->account, taken, &w->f, w->a);
	mm_want_edit(edits_of(w, w->path, w->file_v15), w->a, MM_EDIT_SECTION_ADD, w->section, "", 's', NULL);
	if (w->ch->index == 0 && w->f.entered == NULL && in.var == NULL && smtp.var == NULL && !smtp.program)
		mm_want_edit(edits_of(w, w->path, w->file_v15), w->a, MM_EDIT_SET, "", MM_MAILRC_ENTER, 's',
		    w->section);
	else
		out->note = mm_arena_printf(w->a, "This account is entered by `account %s`, or s-nail -A %s.",
		    w->section, w->section);
}

/* Entering an account that is gone would be an error at each start. */
static void remove_account(struct writer *w)
{
	if (w->ch->created && mm_streq(w->f.entered, w->ch->key) &&
	    mm_starts_with(w->f.events[w->f.entered_at].path, w->f.r->home))
		mm_want_edit(edits_of(w, w->f.events[w->f.entered_at].path, w->f.events[w->f.entered_at].v15),
		    w->a, MM_EDIT_DELETE, "", MM_MAILRC_ENTER, 's', NULL);
}

static void aim(struct writer *w)
{
	bool nobody = mm_streq(w->ch->key, MM_SNAIL_NOBODY);

	w->section = nobody || w->ch->key == NULL ? "" : w->ch->key;
	w->path = w->f.main;
	for (size_t i = 0; !nobody && i < w->f.n_accounts; i++)
		if (mm_streq(w->f.accounts[i].name, w->ch->key)) {
			w->path = w->f.accounts[i].path;
			w->file_v15 = w->f.accounts[i].v15;
		}
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct writer w = {
	    .a = r->arena, .ch = ch, .now = ch->key != NULL ? mm_seen_named(now, ch->key) : NULL};

	*out = (struct mm_edits){.key = ch->key};
	if (mm_snail_load(&w.f, r, p->path, NULL, err) != 0)
		return -1;
	aim(&w);
	w.env = mm_snail_env(&w.f, ch->key != NULL ? ch->key : MM_SNAIL_NOBODY);
	if (ch->kind == MM_CHANGE_REMOVE) {
		remove_account(&w);
	} else {
		if (ch->kind == MM_CHANGE_SET && w.now == NULL)
			return mm_err_set(err, MM_EX_FAILED, "'%s' is not in the file", ch->key);
		if (ch->kind == MM_CHANGE_ADD)
			add(&w, out);
		if (write_account(&w, err) != 0)
			return -1;
	}
	for (size_t i = 0; i < w.n_files; i++)
		mm_want_file(out, r->arena, w.files[i].path,
		    w.files[i].v15 ? &mm_format_mailrc_v15 : &mm_format_mailrc, &w.files[i].edits,
		    ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	return 0;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const char no_mech[] = "s-nail does not log in in this way.";
	static const struct mm_cannot rows[] = {
	    {MM_SET_ORGANISATION, NULL, "s-nail writes no Organization header."},
	    MM_CANNOT_FOLDERS("Folders are not set here."),
	    {MM_SET_IN_PIN, NULL, "s-nail can pin a whole certificate, not a public key."},
	    {MM_SET_OUT_PIN, NULL, "s-nail can pin a whole certificate, not a public key."},
	    {MM_SET_IN_LEAVE_ON_SERVER, "yes", MM_FETCHER_NEVER_DELETES},
	    {MM_SET_OUT_AUTH, "none password plain login cram-md5 gssapi oauthbearer external", no_mech},
	    {MM_SET_NONE, NULL, NULL}};
	bool pop = mm_streq(all->v[MM_SET_IN_PROTOCOL], "pop3");

	if (s == MM_SET_IN_AUTH)
		return mm_among(pop ? "password plain gssapi oauthbearer external"
				    : "password login cram-md5 gssapi oauthbearer external",
			   value)
			   ? NULL
			   : no_mech;
	return mm_cannot(rows, s, value);
}

const struct mm_client mm_client_s_nail = {
    .name = "s_nail",
    .label = "s-nail",
    .programs = (const char *const[]){"s-nail", NULL},
    .incoming = true,
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_OPENSSL,
    .unsupported = unsupported,
    .find = find,
    .read = mm_snail_read,
    .change = change,
};
