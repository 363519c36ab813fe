/*
 * nmh: edited in place, the switches of inc (POP3) and send (SMTP), and the
 * mailbox that stands in From.
 *
 * File: $MH where it is an absolute path, else ~/.mh_profile. Switches are words parted
 * by blanks, without quotes, and may be cut short while they are unmistakable;
 * the last of several counts. `sendfrom-ADDRESS` and `sendfrom-DOMAIN` win over
 * `send`. inc deletes what it fetched without -notruncate; send hands mail to a
 * local program unless `-mts smtp` is there. Certificates and host names are
 * verified unless -nocertverify is there (nmh 1.8).
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/keys.h"
#include "agent/clients/mailurl.h"
#include "agent/formats/mhprofile.h"
#include "common/text.h"

#define WORDS_MAX 200

struct sw {
	const char *name;
	bool value;
};

/* All of them, for what is cut short. */
static const struct sw inc_switches[] = {{"audit", true}, {"noaudit", false}, {"changecur", false},
    {"nochangecur", false}, {"form", true}, {"format", true}, {"file", true}, {"silent", false},
    {"nosilent", false}, {"truncate", false}, {"notruncate", false}, {"width", true}, {"host", true},
    {"port", true}, {"user", true}, {"proxy", true}, {"sasl", false}, {"nosasl", false}, {"saslmech", true},
    {"authservice", true}, {"tls", false}, {"initialtls", false}, {"notls", false}, {"certverify", false},
    {"nocertverify", false}, {"snoop", false}, {NULL, false}};
static const struct sw send_switches[] = {{"alias", true}, {"draft", false}, {"draftfolder", true},
    {"draftmessage", true}, {"nodraftfolder", false}, {"filter", true}, {"nofilter", false},
    {"format", false}, {"noformat", false}, {"forward", false}, {"noforward", false}, {"mime", false},
    {"nomime", false}, {"msgid", false}, {"nomsgid", false}, {"messageid", true}, {"push", false},
    {"nopush", false}, {"verbose", false}, {"noverbose", false}, {"watch", false}, {"nowatch", false},
    {"mts", true}, {"sendmail", true}, {"server", true}, {"port", true}, {"sasl", false}, {"nosasl", false},
    {"saslmech", true}, {"authservice", true}, {"snoop", false}, {"user", true}, {"tls", false},
    {"initialtls", false}, {"notls", false}, {"certverify", false}, {"nocertverify", false}, {"width", true},
    {NULL, false}};

struct words { /* the words of one component */
	const char *v[WORDS_MAX];
	size_t n;
	const struct sw *switches;
	struct mm_arena *a;
	bool too_many;
};

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *own = r->env(r, "MH");
	const char *const paths[] = {own != NULL && own[0] == '/' ? own : mm_home_path(r, ".mh_profile")};
	const char **dirs;

	(void)err;
	mm_find_first(r, "inc", paths, 1, paths[0], create, places, n);
	if (*n == 0 && create && r->program(r, "mh/inc")) {
		struct mm_place p = {.path = paths[0], .label = "", .in_use = true};

		mm_add_place(r->arena, places, n, &p);
	}
	if (*n > 0 && !(*places)[0].exists) {
		dirs = mm_arena_alloc(r->arena, 2, sizeof(*dirs));
		dirs[0] = mm_home_path(r, "Mail");
		(*places)[0].extra_dirs = dirs;
	}
	return 0;
}

static void split(const char *text, const struct sw *switches, struct mm_arena *a, struct words *out)
{
	*out = (struct words){.switches = switches, .a = a};
	for (const char *p = text != NULL ? text : ""; *(p += strspn(p, " \t")) != '\0';) {
		size_t n = strcspn(p, " \t");

		out->too_many = out->n == WORDS_MAX;
		if (out->too_many)
			return;
		out->v[out->n++] = mm_arena_strndup(a, p, n);
		p += n;
	}
}

/* The switch that this word is, also cut short; NULL: none, or several. */
static const struct sw *switch_of(const struct sw *all, const char *word)
{
	const struct sw *found = NULL;

	if (word[0] != '-' || word[1] == '\0')
		return NULL;
	for (; all->name != NULL; all++) {
		if (mm_streq_nocase(all->name, word + 1))
			return all;
		if (strncasecmp(all->name, word + 1, strlen(word + 1)) == 0) {
			if (found != NULL)
				return NULL;
			found = all;
		}
	}
	return found;
}

/* The last one of the names (parted by blanks) that is there; its value, or "" for one without. */
static const char *last(const struct words *w, const char *names, const char **which)
{
	const char *out = NULL;

	for (size_t i = 0; i < w->n; i++) {
		const struct sw *s = switch_of(w->switches, w->v[i]);
		const char *at = s != NULL ? strstr(names, s->name) : NULL;
		size_t n = s != NULL ? strlen(s->name) : 0;

		while (at != NULL && ((at > names && at[-1] != ' ') || (at[n] != ' ' && at[n] != '\0')))
			at = strstr(at + 1, s->name);
		if (at != NULL) {
			out = !s->value ? "" : i + 1 < w->n ? w->v[i + 1] : NULL;
			if (which != NULL)
				*which = s->name;
		}
		i += s != NULL && s->value ? 1 : 0;
	}
	return out;
}

struct profile {
	struct mm_doc doc;
	const char *path;
	struct words inc, send;
	int inc_line, send_line;
};

/* The last switch lacks its value: nmh refuses it, and would take ours for one. */
static bool unfinished(const struct words *w)
{
	bool open = false;

	for (size_t i = 0; i < w->n; i++) {
		const struct sw *s = open ? NULL : switch_of(w->switches, w->v[i]);

		open = s != NULL && s->value;
	}
	return open;
}

static int load(struct mm_reader *r, const char *path, struct profile *out, struct mm_err *err)
{
	const struct mm_item *inc, *send;

	out->path = path;
	if (mm_load_doc(r, path, &mm_format_mhprofile, &out->doc, err) != 0)
		return -1;
	inc = mm_doc_find(&out->doc, "", "inc");
	send = mm_doc_find(&out->doc, "", "send");
	split(inc != NULL ? inc->value : NULL, inc_switches, r->arena, &out->inc);
	split(send != NULL ? send->value : NULL, send_switches, r->arena, &out->send);
	out->inc_line = inc != NULL ? inc->line : 0;
	out->send_line = send != NULL ? send->line : 0;
	if (unfinished(&out->inc) || unfinished(&out->send))
		return mm_err_set(err, MM_EX_DATAERR, "%s: a switch without its value; nmh refuses it", path);
	if (out->inc.too_many || out->send.too_many)
		return mm_err_set(err, MM_EX_DATAERR, "%s: more than %d switches", path, WORDS_MAX);
	return 0;
}

struct side {
	const struct words *w;
	struct mm_native at; /* its text is never NULL */
	struct mm_seen_account *s;
	bool in;
};

static void see(
    const struct side *x, enum mm_setting in, const char *names, const char *value, const char *dflt)
{
	enum mm_setting s = x->in ? in : mm_setting_on_side(in, MM_SIDE_OUTGOING);
	bool there = last(x->w, names, NULL) != NULL;

	mm_see(x->s, s, there ? x->at : (struct mm_native){.text = NULL}, value != NULL ? value : dflt);
}

static void see_auth(const struct side *x, struct mm_arena *a)
{
	const char *which = NULL, *mech = last(x->w, "saslmech", NULL), *auth;
	bool sasl = last(x->w, "sasl nosasl", &which) != NULL && mm_streq(which, "sasl");
	char *low;

	auth = sasl || x->in ? "password" : "none";
	if (sasl && mech != NULL) {
		auth = low = mm_arena_strdup(a, mech);
		for (; *low != '\0'; low++)
			*low = (char)(*low >= 'A' && *low <= 'Z' ? *low - 'A' + 'a' : *low);
	}
	see(x, MM_SET_IN_AUTH, "sasl nosasl saslmech", auth, NULL);
}

static void see_side(const struct side *x, struct mm_arena *a)
{
	const char *which = NULL, *host = last(x->w, x->in ? "host" : "server", NULL);
	const char *port = last(x->w, "port", NULL), *tls = last(x->w, "tls initialtls notls", &which);
	const char *security = mm_streq(which, "initialtls") ? "tls"
			       : mm_streq(which, "tls")      ? "starttls"
							     : "none";

	if (!x->in && tls == NULL && mm_streq(port, "465"))
		security = "tls";
	see(x, MM_SET_IN_PROTOCOL, "", x->in ? "pop3" : "smtp", NULL);
	see(x, MM_SET_IN_HOST, x->in ? "host" : "server", host, NULL);
	see(x, MM_SET_IN_PORT, "port", port, x->in ? "110" : "587");
	if (x->in && port == NULL && mm_streq(security, "tls"))
		see(x, MM_SET_IN_PORT, "port", NULL, "995");
	see(x, MM_SET_IN_SECURITY, "tls initialtls notls", security, NULL);
	see(x, MM_SET_IN_USERNAME, "user", last(x->w, "user", NULL), NULL);
	see(x, MM_SET_IN_TLS_MIN, "", "1.1", NULL);
	see_auth(x, a);
}

static void see_mailbox(const struct profile *p, struct mm_seen_account *s, struct mm_arena *a)
{
	struct mm_in_section in = {.doc = &p->doc, .section = "", .path = p->path};
	struct mm_native box = mm_get_in_section(&in, "local-mailbox");
	const char *name = NULL, *address = box.text != NULL ? mm_mailbox_parse(box.text, a, &name) : NULL;

	mm_see(s, MM_SET_ADDRESS, box, address);
	mm_see(s, MM_SET_REAL_NAME, box, name);
}

/* Switches for one sender win over those for all. */
static void see_overrides(const struct profile *p, struct mm_seen_account *s, struct mm_arena *a)
{
	static const struct {
		enum mm_setting s;
		const char *names;
	} rows[] = {{MM_SET_OUT_HOST, "server"}, {MM_SET_OUT_PORT, "port"}, {MM_SET_OUT_USERNAME, "user"},
	    {MM_SET_OUT_SECURITY, "tls initialtls notls"}, {MM_SET_OUT_AUTH, "sasl nosasl saslmech"}};
	const char *address = s->s[MM_SET_ADDRESS].value, *at = address != NULL ? strchr(address, '@') : NULL;

	for (size_t i = 0; at != NULL && i < p->doc.n; i++) {
		const struct mm_item *it = &p->doc.items[i];
		const char *whom = mm_starts_with(it->key, "sendfrom-") ? it->key + 9 : "";
		struct words w;

		if (!mm_streq_nocase(whom, address) && !mm_streq_nocase(whom, at + 1))
			continue;
		split(it->value, send_switches, a, &w);
		for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
			if (last(&w, rows[k].names, NULL) != NULL)
				mm_see_over(&s->s[rows[k].s],
				    (struct mm_native){.text = "", .path = p->path, .line = it->line},
				    it->key, "Switches for this sender win over those of send.");
	}
}

static void trap(struct mm_arena *a, struct mm_view *out, enum mm_trap_kind kind, const struct profile *p,
    int line, bool on, const char *text)
{
	if (on)
		mm_add_trap(a, out, kind, p->path, line, text);
}

static void side_traps(const struct profile *p, const struct side *x, struct mm_arena *a, struct mm_view *out)
{
	const char *cert = NULL, *name = x->in ? "inc" : "send";
	enum mm_setting security = x->in ? MM_SET_IN_SECURITY : MM_SET_OUT_SECURITY;

	last(x->w, "certverify nocertverify", &cert);
	trap(a, out, MM_TRAP_NO_VERIFY, p, x->at.line, mm_streq(cert, "nocertverify"),
	    mm_arena_printf(a, "%s does not verify the server's certificate (-nocertverify).", name));
	trap(a, out, MM_TRAP_CLEAR, p, x->at.line, mm_streq(x->s->s[security].value, "none"),
	    mm_arena_printf(a, "%s does without encryption.", name));
	trap(a, out, MM_TRAP_OTHER, p, x->at.line, last(x->w, "proxy", NULL) != NULL,
	    mm_arena_printf(a, "%s %s", name, MM_THROUGH_PROXY));
}

/* Else send hands mail to a local program, and its other switches mean nothing. */
static bool by_smtp(const struct profile *p)
{
	const char *mts = last(&p->send, "mts", NULL);

	return mts != NULL && mm_streq_nocase(mts, "smtp");
}

/* Below the folder of mail, where it is not absolute; ~/.netrc is looked at by itself. */
static void look_at_credentials(
    struct mm_reader *r, struct mm_view *out, const char *name, struct mm_native at)
{
	while (*name == ' ')
		name++;
	if (mm_starts_with(name, "~/"))
		name = mm_home_path(r, name + 2);
	if (name[0] == '/')
		mm_trap_kept(r, out, name, "password", "nmh");
	else if (*name != '\0')
		mm_see_unsure(&out->accounts[0].s[MM_SET_IN_PASSWORD_COMMAND], at,
		    "which file that is depends on the folder of mail");
}

static void traps(const struct profile *p, struct mm_reader *r, struct mm_view *out)
{
	struct mm_arena *a = r->arena;
	const struct mm_item *box = mm_doc_find(&p->doc, "", "credentials");

	for (size_t i = 0; i < p->doc.n; i++)
		trap(a, out, MM_TRAP_OTHER, p, p->doc.items[i].line,
		    strchr(p->doc.items[i].key, '\n') != NULL,
		    mm_arena_printf(a, "A second %.*s: nmh takes the first.",
			(int)strcspn(p->doc.items[i].key, "\n"), p->doc.items[i].key));
	trap(a, out, MM_TRAP_OTHER, p, box != NULL ? box->line : 0,
	    box != NULL && mm_starts_with(box->value, "file-nopermcheck:"),
	    "Others may read the file with the passwords (file-nopermcheck).");
	if (box != NULL && strchr(box->value, ':') != NULL)
		look_at_credentials(r, out, strchr(box->value, ':') + 1,
		    (struct mm_native){.path = p->path, .line = box->line});
	trap(a, out, MM_TRAP_OTHER, p, p->send_line, last(&p->send, "server", NULL) != NULL && !by_smtp(p),
	    "-server means nothing without -mts smtp: send hands mail to a local program.");
}

static int read_place(struct mm_reader *r, const struct mm_place *pl, struct mm_view *out, struct mm_err *err)
{
	struct profile p;
	struct mm_seen_account *s = mm_arena_alloc(r->arena, 1, sizeof(*s));
	struct side in = {.w = &p.inc, .s = s, .in = true}, send = {.w = &p.send, .s = s};
	const char *keep = NULL;

	*out = (struct mm_view){.accounts = s};
	if (load(r, pl->path, &p, err) != 0)
		return -1;
	in.at = (struct mm_native){.text = "", .path = p.path, .line = p.inc_line};
	send.at = (struct mm_native){.text = "", .path = p.path, .line = p.send_line};
	*s = (struct mm_seen_account){.key = "nmh", .label = "nmh"};
	s->has_incoming = last(&p.inc, "host", NULL) != NULL;
	s->has_outgoing = last(&p.send, "server", NULL) != NULL && by_smtp(&p);
	see_mailbox(&p, s, r->arena);
	if (s->has_incoming) {
		see_side(&in, r->arena);
		last(&p.inc, "truncate notruncate", &keep);
		see(&in, MM_SET_IN_LEAVE_ON_SERVER, "truncate notruncate",
		    mm_streq(keep, "notruncate") ? "yes" : "no", NULL);
		side_traps(&p, &in, r->arena, out);
		trap(r->arena, out, MM_TRAP_OTHER, &p, p.inc_line, !mm_streq(keep, "notruncate"),
		    "inc deletes fetched mail from the server (no -notruncate).");
	}
	if (s->has_outgoing) {
		see_side(&send, r->arena);
		side_traps(&p, &send, r->arena, out);
	}
	see_overrides(&p, s, r->arena);
	out->n = s->has_incoming || s->has_outgoing ? 1 : 0;
	traps(&p, r, out);
	return 0;
}

/* ---- changing */

static void take_out(struct words *w, const char *names)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct sw *s = switch_of(w->switches, w->v[i]);
		struct words one = {.v = {w->v[i], ""}, .n = 2, .switches = w->switches};
		bool two = s != NULL && s->value && i + 1 < w->n;

		if (s == NULL || last(&one, names, NULL) == NULL) {
			w->v[n++] = w->v[i];
			if (two)
				w->v[n++] = w->v[i + 1];
		}
		i += two ? 1 : 0;
	}
	w->n = n;
}

/* One switch, in place of all of its family; where it stands already it stays. */
static int put(struct words *w, const char *family, const char *name, const char *value, struct mm_err *err)
{
	const char *which = NULL, *has = last(w, family, &which);

	if (has != NULL && mm_streq(which, name) && (value == NULL || mm_streq(has, value)))
		return 0;
	take_out(w, family);
	if (w->n + 2 > WORDS_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "more than %d switches", WORDS_MAX);
	w->v[w->n++] = mm_arena_printf(w->a, "-%s", name);
	if (value != NULL)
		w->v[w->n++] = value;
	return 0;
}

static const char *joined(const struct words *w)
{
	struct mm_buf b = MM_BUF_INIT(MM_MHPROFILE_LINE_MAX + 1);
	const char *out;

	for (size_t i = 0; i < w->n; i++)
		mm_buf_addf(&b, "%s%s", i > 0 ? " " : "", w->v[i]);
	out = mm_buf_ok(&b) ? mm_arena_strdup(w->a, mm_buf_str(&b)) : "";
	mm_buf_free(&b);
	return out;
}

static const char *at(const struct mm_values *v, bool in, enum mm_setting s)
{
	return v->v[in ? s : mm_setting_on_side(s, MM_SIDE_OUTGOING)];
}

static int put_auth(struct words *w, bool in, const char *auth, struct mm_err *err)
{
	bool sasl = !(in && mm_streq(auth, "password")) && !mm_streq(auth, "none");

	take_out(w, "authservice");
	if (!sasl || mm_streq(auth, "password"))
		take_out(w, "saslmech");
	if (!sasl) {
		take_out(w, "sasl nosasl");
		return 0;
	}
	if (put(w, "sasl nosasl", "sasl", NULL, err) != 0)
		return -1;
	return mm_streq(auth, "password") ? 0 : put(w, "saslmech", "saslmech", auth, err);
}

static int put_side(struct words *w, bool in, const struct mm_values *v, struct mm_err *err)
{
	const char *host = at(v, in, MM_SET_IN_HOST), *port = at(v, in, MM_SET_IN_PORT);
	const char *user = at(v, in, MM_SET_IN_USERNAME), *auth = at(v, in, MM_SET_IN_AUTH);
	const char *security = at(v, in, MM_SET_IN_SECURITY);
	const char *word = mm_streq(security, "tls")    ? "initialtls"
			   : mm_streq(security, "none") ? "notls"
							: "tls";
	int rc = 0;

	if (at(v, in, MM_SET_IN_PROTOCOL) != NULL && !in)
		rc |= put(w, "mts", "mts", "smtp", err);
	if (host != NULL)
		rc |= put(w, in ? "host" : "server", in ? "host" : "server", host, err);
	if (port != NULL)
		rc |= put(w, "port", "port", port, err);
	if (user != NULL)
		rc |= put(w, "user", "user", user, err);
	if (security != NULL) {
		rc |= put(w, "tls initialtls notls", word, NULL, err);
		take_out(w, "nocertverify");
	}
	if (auth != NULL)
		rc |= put_auth(w, in, auth, err);
	return rc;
}

static void want_words(
    struct mm_edit_list *l, struct mm_arena *a, const char *key, const struct words *w, const char *before)
{
	const char *text = joined(w);

	if (!mm_streq(text, before))
		mm_want_set(l, a, "", key, text);
}

static int write_profile(struct mm_reader *r, struct profile *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edit_list *l, struct mm_err *err)
{
	static const enum mm_setting mailbox[] = {MM_SET_ADDRESS, MM_SET_REAL_NAME, MM_SET_NONE};
	const struct mm_seen_account *s = now->n > 0 ? &now->accounts[0] : NULL;
	const char *inc = joined(&p->inc), *send = joined(&p->send);
	bool keep = ch->kind == MM_CHANGE_ADD || ch->want->v[MM_SET_IN_LEAVE_ON_SERVER] != NULL;

	if (mm_doc_find(&p->doc, "", "path") == NULL)
		mm_want_set(l, r->arena, "", "path", "Mail");
	if (mm_wants_any(ch, mailbox))
		mm_want_set(l, r->arena, "", "local-mailbox",
		    mm_mailbox_print(
			mm_joined(ch, s, MM_SET_ADDRESS), mm_joined(ch, s, MM_SET_REAL_NAME), r->arena));
	if (mm_streq(ch->full->v[MM_SET_IN_PROTOCOL], "pop3")) {
		if (put_side(&p->inc, true, ch->want, err) != 0)
			return -1;
		if (keep && put(&p->inc, "truncate notruncate", "notruncate", NULL, err) != 0)
			return -1;
	}
	if (put_side(&p->send, false, ch->want, err) != 0)
		return -1;
	want_words(l, r->arena, "inc", &p->inc, inc);
	want_words(l, r->arena, "send", &p->send, send);
	return 0;
}

static int change(struct mm_reader *r, const struct mm_place *pl, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct mm_edit_list l = {.v = NULL};
	struct profile p;

	*out = (struct mm_edits){.key = "nmh"};
	if (ch->kind == MM_CHANGE_REMOVE)
		return 0;
	if (ch->kind == MM_CHANGE_ADD && now->n > 0)
		return mm_err_set(
		    err, MM_EX_DIFF, "nmh is set up for another account here, and it has one of each server");
	if (load(r, pl->path, &p, err) != 0 || write_profile(r, &p, now, ch, &l, err) != 0)
		return -1;
	out->note = "nmh asks for the password, or finds it in the file that its profile names.";
	mm_want_file(out, r->arena, pl->path, &mm_format_mhprofile, &l, ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	return 0;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const char no_command[] = "nmh has no password command: it asks, or finds the password in the "
					 "file that `credentials` names.";
	static const char no_ca[] = "nmh takes the system's certificates, and no other file.";
	static const char no_tls[] =
	    "nmh takes TLS 1.1 and newer, and has no setting for it: the system's OpenSSL has one.";
	static const char no_mech[] = "nmh does not log in in this way.";
	static const struct mm_cannot rows[] = {
	    {MM_SET_REPLY_TO, NULL, "nmh knows this only from the user's own templates."},
	    {MM_SET_ORGANISATION, NULL, "nmh knows this only from the user's own templates."},
	    MM_CANNOT_FOLDERS("nmh keeps mail in folders of its own on this machine."),
	    MM_CANNOT_PAIR(PASSWORD_COMMAND, no_command), MM_CANNOT_PAIR(CA_FILE, no_ca),
	    MM_CANNOT_PAIR(TLS_MIN, no_tls), MM_CANNOT_PAIR(PIN, "nmh cannot pin a public key."),
	    MM_CANNOT_PAIR(CLIENT_CERT, "nmh has no client certificates."),
	    {MM_SET_IN_LEAVE_ON_SERVER, "yes", MM_FETCHER_NEVER_DELETES},
	    {MM_SET_IN_AUTH, "password plain login cram-md5 scram-sha-256 gssapi", no_mech},
	    {MM_SET_OUT_AUTH, "none password plain login cram-md5 scram-sha-256 gssapi", no_mech},
	    {MM_SET_NONE, NULL, NULL}};

	if (mm_setting_def(s)->side == MM_SIDE_INCOMING && !mm_streq(all->v[MM_SET_IN_PROTOCOL], "pop3"))
		return "nmh fetches mail by POP3 only.";
	if ((s == MM_SET_IN_USERNAME || s == MM_SET_OUT_USERNAME) &&
	    (strpbrk(value, " \t") != NULL || value[0] == '-' || strlen(value) > MM_MHPROFILE_LINE_MAX / 4))
		return "nmh parts its switches by blanks and has no quotes: it cannot hold this user name.";
	return mm_cannot(rows, s, value);
}

const struct mm_client mm_client_nmh = {
    .name = "nmh",
    .label = "nmh",
    .programs = (const char *const[]){"inc", "mh/inc", NULL},
    .package = "nmh",
    .incoming = true,
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_OPENSSL,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
