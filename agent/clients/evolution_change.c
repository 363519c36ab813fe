/* Writing sources: an account, its identity, its transport. */
#include <string.h>

#include "agent/clients/evolution.h"
#include "agent/clients/goa.h"
#include "agent/clients/keys.h"
#include "common/text.h"

#define OURS "mailmuster-"
#define IDENTITY "-identity"
#define TRANSPORT "-transport"

struct part { /* one source as it is to become */
	const char *uid, *path;
	const struct mm_evo_source *now; /* NULL: to be made */
	struct mm_edit_list edits;
};

struct writer {
	struct mm_arena *a;
	struct mm_evo e;
	const char *base;  /* what new sources of this account are named after */
	const char *label; /* of new ones */
	struct part account, identity, transport;
};

static const char *path_of(const struct writer *w, const char *uid)
{
	return mm_arena_printf(w->a, "%s/%s" MM_EVO_SUFFIX, w->e.dir, uid);
}

static bool has_group(const struct part *p, const char *group)
{
	for (size_t i = 0; p->now != NULL && i < p->now->doc.n; i++)
		if (p->now->doc.items[i].kind == 'c' && strcmp(p->now->doc.items[i].section, group) == 0)
			return true;
	for (size_t i = 0; i < p->edits.n; i++)
		if (p->edits.v[i].op == MM_EDIT_SECTION_ADD && strcmp(p->edits.v[i].section, group) == 0)
			return true;
	return false;
}

static void want(
    const struct writer *w, struct part *p, const char *group, const char *key, const char *value)
{
	if (value == NULL)
		return;
	if (!has_group(p, group))
		mm_want_edit(&p->edits, w->a, MM_EDIT_SECTION_ADD, group, "", 's', NULL);
	mm_want_set(&p->edits, w->a, group, key, value);
}

static void start(const struct writer *w, struct part *p, const char *uid, const char *parent)
{
	p->uid = uid;
	p->path = path_of(w, uid);
	want(w, p, MM_EVO_DATA, "DisplayName", w->label);
	want(w, p, MM_EVO_DATA, "Enabled", "true");
	want(w, p, MM_EVO_DATA, "Parent", parent);
}

static void use(struct part *p, const struct mm_evo_source *now)
{
	p->now = now;
	p->uid = now->uid;
	p->path = now->path;
}

/* ---- the values */

static void write_server(const struct writer *w, struct part *p, const char *host, const char *port,
    const char *security, const char *auth, const char *user)
{
	want(w, p, MM_EVO_AUTH, "Host", host);
	want(w, p, MM_EVO_AUTH, "Method", auth);
	want(w, p, MM_EVO_AUTH, "Port", port);
	want(w, p, MM_EVO_AUTH, "User", user);
	want(w, p, MM_EVO_SECURITY, "Method", mm_evo_security(security));
}

/* The switch counts only with its path, and the path with its switch. */
static void write_real(struct writer *w, const char *folder, const char *key, const char *on)
{
	want(w, &w->account, MM_EVO_IMAP, key, folder);
	want(w, &w->account, MM_EVO_IMAP, on, folder != NULL ? "true" : NULL);
}

static void write_incoming(struct writer *w, const struct mm_values *v, const struct mm_values *full)
{
	const char *protocol = v->v[MM_SET_IN_PROTOCOL], *leave = v->v[MM_SET_IN_LEAVE_ON_SERVER];

	if (protocol != NULL)
		want(w, &w->account, MM_EVO_ACCOUNT, "BackendName",
		    strcmp(protocol, "imap") == 0 ? "imapx" : "pop");
	write_server(w, &w->account, v->v[MM_SET_IN_HOST], v->v[MM_SET_IN_PORT], v->v[MM_SET_IN_SECURITY],
	    mm_evo_auth(v->v[MM_SET_IN_AUTH], full->v[MM_SET_IN_PROTOCOL]), v->v[MM_SET_IN_USERNAME]);
	write_real(w, v->v[MM_SET_FOLDER_TRASH], "RealTrashPath", "UseRealTrashPath");
	write_real(w, v->v[MM_SET_FOLDER_JUNK], "RealJunkPath", "UseRealJunkPath");
	if (leave == NULL || !mm_streq(full->v[MM_SET_IN_PROTOCOL], "pop3"))
		return;
	want(w, &w->account, MM_EVO_POP, "KeepOnServer", strcmp(leave, "yes") == 0 ? "true" : "false");
	if (strcmp(leave, "yes") == 0)
		want(w, &w->account, MM_EVO_POP, "DeleteAfterDays", "0");
}

static const char *folder_uri(const struct writer *w, const char *folder)
{
	return folder != NULL ? mm_evo_folder_uri(w->account.uid, folder, w->a) : NULL;
}

static void write_identity(struct writer *w, const struct mm_values *v)
{
	want(w, &w->identity, MM_EVO_SUBMISSION, "SentFolder", folder_uri(w, v->v[MM_SET_FOLDER_SENT]));
	want(w, &w->identity, MM_EVO_COMPOSITION, "DraftsFolder", folder_uri(w, v->v[MM_SET_FOLDER_DRAFTS]));

	want(w, &w->identity, MM_EVO_IDENTITY, "Address", v->v[MM_SET_ADDRESS]);
	want(w, &w->identity, MM_EVO_IDENTITY, "Name", v->v[MM_SET_REAL_NAME]);
	want(w, &w->identity, MM_EVO_IDENTITY, "ReplyTo", v->v[MM_SET_REPLY_TO]);
	want(w, &w->identity, MM_EVO_IDENTITY, "Organization", v->v[MM_SET_ORGANISATION]);
}

static void write_transport(struct writer *w, const struct mm_values *v)
{
	if (v->v[MM_SET_OUT_PROTOCOL] != NULL)
		want(w, &w->transport, MM_EVO_TRANSPORT, "BackendName", "smtp");
	write_server(w, &w->transport, v->v[MM_SET_OUT_HOST], v->v[MM_SET_OUT_PORT],
	    v->v[MM_SET_OUT_SECURITY], mm_evo_auth(v->v[MM_SET_OUT_AUTH], "smtp"), v->v[MM_SET_OUT_USERNAME]);
}

static bool any_of(const struct mm_values *v, enum mm_side side)
{
	for (enum mm_setting s = 0; s < MM_SET_COUNT; s++)
		if (v->v[s] != NULL && mm_setting_def(s)->side == side)
			return true;
	return false;
}

/* ---- the three sources of an account */

static bool taken(const void *ctx, const char *base)
{
	const struct writer *w = ctx;
	size_t n = strlen(base);

	for (size_t i = 0; i < w->e.n; i++) {
		const char *uid = w->e.v[i].uid;

		if (strncmp(uid, base, n) == 0 &&
		    (uid[n] == '\0' || mm_streq(uid + n, IDENTITY) || mm_streq(uid + n, TRANSPORT)))
			return true;
	}
	return false;
}

static const char *free_base(const struct writer *w, const char *account)
{
	const char *base = mm_arena_printf(w->a, OURS "%s-1", account);

	for (int n = 2; taken(w, base); n++)
		base = mm_arena_printf(w->a, OURS "%s-%d", account, n);
	return base;
}

/* What is missing of a new source is taken from the whole account: without a
 * host or with the program's own security it would be another account. */
static struct mm_values completed(const struct mm_values *want_v, const struct mm_values *full)
{
	static const enum mm_setting needed[] = {MM_SET_IN_PROTOCOL, MM_SET_IN_HOST, MM_SET_IN_PORT,
	    MM_SET_IN_SECURITY, MM_SET_IN_AUTH, MM_SET_IN_USERNAME, MM_SET_OUT_PROTOCOL, MM_SET_OUT_HOST,
	    MM_SET_OUT_PORT, MM_SET_OUT_SECURITY, MM_SET_OUT_AUTH, MM_SET_OUT_USERNAME, MM_SET_ADDRESS};
	struct mm_values v = *want_v;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (v.v[needed[i]] == NULL)
			v.v[needed[i]] = full->v[needed[i]];
	return v;
}

/* The identity that is there, when no other account has it, or one of our own. */
static void take_identity(struct writer *w)
{
	const struct mm_evo_source *now =
	    w->account.now != NULL ? mm_evo_identity(&w->e, w->account.now, w->a) : NULL;

	if (now != NULL && mm_evo_users(&w->e, MM_EVO_ACCOUNT, "IdentityUid", now->uid, w->a) <= 1) {
		use(&w->identity, now);
		return;
	}
	start(w, &w->identity, mm_arena_printf(w->a, "%s" IDENTITY, w->base), w->account.uid);
	want(w, &w->account, MM_EVO_ACCOUNT, "IdentityUid", w->identity.uid);
	if (now == NULL)
		return;
	/* What it said stays said. */
	want(w, &w->identity, MM_EVO_SUBMISSION, "TransportUid",
	    mm_evo_get(now, MM_EVO_SUBMISSION, "TransportUid", w->a));
	for (size_t i = 0; i < now->doc.n; i++) {
		const struct mm_item *it = &now->doc.items[i];

		if (it->kind == 's' && it->wins && strcmp(it->section, MM_EVO_IDENTITY) == 0)
			want(w, &w->identity, it->section, it->key, it->value);
	}
}

static void take_transport(struct writer *w)
{
	const struct mm_evo_source *id = w->identity.now;
	const struct mm_evo_source *now = id != NULL ? mm_evo_transport(&w->e, id, w->a) : NULL;

	/* In one source with its account it would have the same server. */
	if (now != NULL && now != w->account.now &&
	    mm_evo_users(&w->e, MM_EVO_SUBMISSION, "TransportUid", now->uid, w->a) <= 1) {
		use(&w->transport, now);
		return;
	}
	start(w, &w->transport, mm_arena_printf(w->a, "%s" TRANSPORT, w->base), w->account.uid);
	want(w, &w->identity, MM_EVO_SUBMISSION, "TransportUid", w->transport.uid);
}

static void set(struct writer *w, const struct mm_change *ch)
{
	bool out = any_of(ch->want, MM_SIDE_OUTGOING), id;
	struct mm_values v = *ch->want;

	/* These stand with the server. */
	v.v[MM_SET_FOLDER_TRASH] = v.v[MM_SET_FOLDER_JUNK] = NULL;
	id = any_of(&v, MM_SIDE_ACCOUNT);
	if (out || id)
		take_identity(w);
	if (out)
		take_transport(w);
	if ((id && w->identity.now == NULL) || (out && w->transport.now == NULL))
		v = completed(ch->want, ch->full);
	write_incoming(w, ch->want, ch->full);
	if (out || id)
		write_identity(w, w->identity.now == NULL ? &v : ch->want);
	if (out)
		write_transport(w, w->transport.now == NULL ? &v : ch->want);
}

static int add(struct mm_reader *r, struct writer *w, const struct mm_change *ch, struct mm_edits *out,
    struct mm_err *err)
{
	struct mm_values v = completed(ch->want, ch->full);

	if (v.v[MM_SET_IN_HOST] == NULL)
		return mm_err_set(err, MM_EX_DIFF, "Evolution has no accounts that only send");
	if (mm_goa_has(r, &v))
		return mm_err_set(err, MM_EX_DIFF, "GNOME Online Accounts brings this account to Evolution");
	start(w, &w->account, w->base, NULL);
	write_incoming(w, &v, ch->full);
	take_identity(w);
	write_identity(w, &v);
	if (v.v[MM_SET_OUT_HOST] != NULL) {
		take_transport(w);
		write_transport(w, &v);
	}
	out->key = w->base;
	out->note = "Evolution will ask for the password, once";
	out->costs = MM_COST_PASSWORD;
	return 0;
}

/* ---- taking away */

/* Is this one of the sources that we made for the account, and of which `base`? */
static bool is_ours(const char *uid, const char *account, const char *base)
{
	size_t n = strlen(OURS), len = strlen(account);

	if (base != NULL)
		return mm_starts_with(uid, base) &&
		       (uid[strlen(base)] == '\0' || mm_streq(uid + strlen(base), IDENTITY) ||
			   mm_streq(uid + strlen(base), TRANSPORT));
	if (!mm_starts_with(uid, OURS) || strncmp(uid + n, account, len) != 0 || uid[n + len] != '-')
		return false;
	uid += n + len + 1;
	n = strspn(uid, "0123456789");
	return n > 0 && (mm_streq(uid + n, IDENTITY) || mm_streq(uid + n, TRANSPORT));
}

/* The program put keys of its own into the source. */
static void take_away(struct writer *w, const struct mm_evo_source *s, struct mm_edits *out)
{
	struct mm_edit_list l = {.n = 0};

	for (size_t i = 0; i < s->doc.n; i++)
		if (s->doc.items[i].kind != 'c' && s->doc.items[i].wins)
			mm_want_edit(&l, w->a, MM_EDIT_DELETE, s->doc.items[i].section, s->doc.items[i].key,
			    's', NULL);
	for (size_t i = s->doc.n; i-- > 0;)
		if (s->doc.items[i].kind == 'c')
			mm_want_edit(
			    &l, w->a, MM_EDIT_SECTION_REMOVE, s->doc.items[i].section, "", 's', NULL);
	mm_want_file(out, w->a, s->path, &mm_format_keyfile, &l, 0);
}

/* Of an account that was there before, what we added to it: it says nothing
 * any more, now that our values are taken back. */
static bool is_spent(const struct mm_evo_source *s, struct mm_arena *a)
{
	return mm_evo_get(s, MM_EVO_TRANSPORT, "BackendName", a) == NULL &&
	       mm_evo_get(s, MM_EVO_IDENTITY, "Address", a) == NULL;
}

static void remove_all(struct writer *w, const struct mm_change *ch, struct mm_edits *out)
{
	const char *base = ch->created && mm_starts_with(ch->key, OURS) ? ch->key : NULL;

	for (size_t i = 0; i < w->e.n; i++) {
		const struct mm_evo_source *s = &w->e.v[i];

		if (is_ours(s->uid, ch->account, base) && (base != NULL || is_spent(s, w->a)))
			take_away(w, s, out);
	}
}

/* ---- the whole */

static void finish(struct writer *w, struct mm_edits *out)
{
	/* What is pointed to comes first. */
	struct part *const order[] = {&w->transport, &w->identity, &w->account};

	for (size_t i = 0; i < 3; i++)
		mm_want_file(out, w->a, order[i]->path, &mm_format_keyfile, &order[i]->edits,
		    order[i]->now == NULL ? 0600 : 0);
}

int mm_evo_change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct writer w = {.a = r->arena};
	const struct mm_evo_source *account;

	(void)now;
	*out = (struct mm_edits){.key = ch->key};
	if (mm_evo_load(r, p->path, &w.e, err) != 0)
		return -1;
	w.label = ch->label != NULL && ch->label[0] != '\0' ? ch->label : ch->account;
	if (ch->kind == MM_CHANGE_REMOVE) {
		remove_all(&w, ch, out);
		return 0;
	}
	w.base = free_base(&w, ch->account);
	if (ch->kind == MM_CHANGE_ADD) {
		if (add(r, &w, ch, out, err) != 0)
			return -1;
	} else {
		account = mm_evo_find(&w.e, ch->key);
		if (account == NULL)
			return mm_err_set(err, MM_EX_FAILED, "%s is not there", path_of(&w, ch->key));
		use(&w.account, account);
		set(&w, ch);
	}
	finish(&w, out);
	return 0;
}
