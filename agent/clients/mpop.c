/*
 * mpop: edited in place, inside the account. POP3 only.
 *
 * Files: ~/.mpoprc, else $XDG_CONFIG_HOME/mpop/config (mpop 1.4.18; there is
 * no file of the system). Without `keep on` mpop deletes what it fetched from
 * the server; without `delivery` it refuses to run, so a new account gets
 * both. `auth on` never sends a password in clear text, `auth user` does.
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/gnutls.h"
#include "agent/clients/stanzas.h"
#include "agent/formats/msmtprc.h"
#include "common/text.h"

static const char *const keys[] = {"host", "port", "tls", "tls_starttls", "auth", "user", "passwordeval",
    "password", "tls_trust_file", "tls_priorities", "tls_certcheck", "keep", "delivery", "tls_cert_file",
    "tls_key_file", "socket", "tls_host_override", "proxy_host", NULL};

static const struct mm_word trust_words[] = {{"system", NULL}, {NULL, NULL}};

static const struct mm_key table[] = {
    {.s = MM_SET_IN_HOST, .key = "host"},
    {.s = MM_SET_IN_PORT, .key = "port"},
    {.s = MM_SET_IN_USERNAME, .key = "user"},
    {.s = MM_SET_IN_PASSWORD_COMMAND, .key = "passwordeval", .shell = true},
    {.s = MM_SET_IN_CA_FILE, .key = "tls_trust_file", .words = trust_words},
    {.s = MM_SET_IN_CLIENT_CERT, .key = "tls_cert_file", .also = "tls_key_file"},
    {.s = MM_SET_IN_LEAVE_ON_SERVER, .key = "keep", .dflt = "no"},
};
#define N_TABLE (sizeof(table) / sizeof(table[0]))

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *const paths[] = {mm_home_path(r, ".mpoprc"), mm_config_path(r, "mpop/config")};

	(void)err;
	return mm_find_first(r, "mpop", paths, 2, paths[0], create, places, n);
}

static const char *auth_word(struct mm_native v, bool secure)
{
	if (!mm_stanza_given(v) || strcmp(v.text, "on") == 0)
		return "password";
	return strcmp(v.text, "user") == 0 || (!secure && strcmp(v.text, "plain") == 0) ? "password" : v.text;
}

/* What else a setting is made of: written or not, it may be set otherwise. */
static const struct {
	enum mm_setting s;
	const char *key;
	bool open;
} made_of[] = {
    {MM_SET_IN_AUTH, "auth", true},
    {MM_SET_IN_TLS_MIN, "tls_priorities", true},
    {MM_SET_IN_CLIENT_CERT, "tls_key_file", true},
};

static void look_for_doubt(struct mm_seen_account *s, const struct mm_stanza *acc)
{
	mm_stanza_doubt(acc, "tls_certcheck", false, &s->verify);
	mm_stanza_doubt(acc, "tls_host_override", false, &s->verify);
	for (size_t i = 0; i < N_TABLE; i++)
		mm_stanza_doubt(acc, table[i].key, true, &s->s[table[i].s]);
	for (size_t i = 0; i < sizeof(made_of) / sizeof(made_of[0]); i++)
		mm_stanza_doubt(acc, made_of[i].key, made_of[i].open, &s->s[made_of[i].s]);
}

static void see(struct mm_seen_account *s, const struct mm_stanza *acc, struct mm_arena *a)
{
	struct mm_native auth = mm_stanza_get(acc, "auth"), keep = mm_stanza_get(acc, "keep");
	struct mm_native floor = mm_stanza_get(acc, "tls_priorities");

	*s = (struct mm_seen_account){.key = acc->name, .label = acc->name, .has_incoming = true};
	mm_keys_see(table, N_TABLE, mm_stanza_get, acc, a, s);
	mm_see(s, MM_SET_IN_LEAVE_ON_SERVER, keep, mm_stanza_on(keep, false) ? "yes" : "no");
	mm_see(s, MM_SET_IN_PROTOCOL, (struct mm_native){.text = NULL}, "pop3");
	mm_stanza_see_security(acc, MM_SET_IN_SECURITY, MM_SET_IN_PORT, "pop3", s);
	mm_see(s, MM_SET_IN_AUTH, auth, auth_word(auth, mm_stanza_on(mm_stanza_get(acc, "tls"), false)));
	mm_see(s, MM_SET_IN_TLS_MIN, floor, mm_gnutls_floor(floor.text));
	mm_stanza_see_over(acc, MM_SET_IN_PASSWORD_COMMAND, MM_SET_IN_HOST, MM_SET_IN_PORT,
	    "A password stands in the file; mpop then never runs the command.", s);
	look_for_doubt(s, acc);
}

static void traps(const struct mm_stanza *acc, struct mm_arena *a, struct mm_view *out)
{
	struct mm_native keep = mm_stanza_get(acc, "keep");

	mm_stanza_traps(acc, "user plain login", a, out);
	if (!mm_stanza_on(keep, false))
		mm_add_trap(a, out, MM_TRAP_OTHER, acc->path, keep.line,
		    mm_arena_printf(
			a, "Account '%s' deletes fetched mail from the server (no 'keep on').", acc->name))
		    ->key = acc->name;
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	struct mm_stanzas c;

	*out = (struct mm_view){0};
	if (mm_stanzas_load(r, p->path, keys, "mpop", &c, out, err) != 0)
		return -1;
	out->accounts = mm_arena_alloc(r->arena, c.n + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < c.n; i++) {
		if (mm_stanza_is_alias(&c.v[i]))
			continue;
		see(&out->accounts[out->n++], &c.v[i], r->arena);
		traps(&c.v[i], r->arena, out);
	}
	return 0;
}

struct writer {
	struct mm_edit_list edits;
	struct mm_arena *a;
	const char *section;
};

static void want(struct writer *w, const char *key, const char *value)
{
	mm_want_set(&w->edits, w->a, w->section, key, value);
}

static void write_security(struct writer *w, const struct mm_values *v, const struct mm_values *full)
{
	const char *security = v->v[MM_SET_IN_SECURITY], *auth = v->v[MM_SET_IN_AUTH];

	mm_stanza_want_security(security, w->section, &w->edits, w->a);
	/* What "password" becomes depends on whether there is TLS. */
	if (auth == NULL && security != NULL && mm_streq(full->v[MM_SET_IN_AUTH], "password"))
		auth = "password";
	if (mm_streq(auth, "password"))
		auth = mm_streq(full->v[MM_SET_IN_SECURITY], "none") ? "user" : "on";
	want(w, "auth", auth);
}

static int write_account(
    struct writer *w, const struct mm_values *v, const struct mm_values *full, struct mm_err *err)
{
	struct mm_values plain = *v;

	plain.v[MM_SET_IN_LEAVE_ON_SERVER] = NULL;
	if (mm_keys_want(table, N_TABLE, &plain, w->section, &w->edits, w->a, err) != 0)
		return -1;
	write_security(w, v, full);
	if (v->v[MM_SET_IN_LEAVE_ON_SERVER] != NULL)
		want(w, "keep", "on");
	if (v->v[MM_SET_IN_TLS_MIN] != NULL)
		want(w, "tls_priorities", mm_gnutls_priorities(v->v[MM_SET_IN_TLS_MIN]));
	return 0;
}

static int add(struct writer *w, const struct mm_stanzas *c, const char *path, const struct mm_change *ch,
    struct mm_edits *out, struct mm_err *err)
{
	struct mm_stanza fresh = mm_stanza_fresh(c, path, keys);

	w->section = out->key = mm_stanza_add(c, ch, &w->edits, w->a);
	if (write_account(w, ch->want, ch->full, err) != 0)
		return -1;
	if (ch->want->v[MM_SET_IN_LEAVE_ON_SERVER] == NULL)
		want(w, "keep", "on");
	if (mm_stanza_get(&fresh, "delivery").text == NULL)
		want(w, "delivery", "maildir ~/Maildir");
	mm_stanza_add_default(c, ch, w->section, &w->edits, w->a);
	return 0;
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct writer w = {.a = r->arena, .section = ch->key};
	struct mm_view ignored = {0};
	struct mm_stanzas c;
	int rc = 0;

	(void)now;
	*out = (struct mm_edits){.key = ch->key};
	if (mm_stanzas_load(r, p->path, keys, "mpop", &c, &ignored, err) != 0)
		return -1;
	if (c.broken != NULL)
		return mm_err_set(err, MM_EX_FAILED, "%s: %s", p->path, c.broken);
	if (ch->kind == MM_CHANGE_ADD)
		rc = add(&w, &c, p->path, ch, out, err);
	else if (ch->kind == MM_CHANGE_SET)
		rc = write_account(&w, ch->want, ch->full, err);
	else if (ch->created)
		rc = mm_stanza_remove(&c, ch->key, &w.edits, r->arena, err);
	if (rc == 0)
		mm_want_file(out, r->arena, p->path, &mm_format_msmtprc, &w.edits,
		    ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	return rc;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	static const struct mm_cannot rows[] = {MM_CANNOT_IDENTITY,
	    {MM_SET_IN_PROTOCOL, "pop3", "mpop speaks POP3 only."},
	    {MM_SET_IN_PIN, NULL, "mpop can pin a certificate, not a public key."},
	    {MM_SET_IN_AUTH,
		"password plain login cram-md5 scram-sha-256 gssapi xoauth2 oauthbearer external",
		"mpop does not fetch mail without authentication."},
	    {MM_SET_IN_LEAVE_ON_SERVER, "yes", MM_FETCHER_NEVER_DELETES}, {MM_SET_NONE, NULL, NULL}};

	(void)all;
	if (s == MM_SET_IN_PASSWORD_COMMAND && strlen(value) > MM_MSMTPRC_LINE_MAX - 60)
		return "The password command is too long: mpop takes lines of at most 499 bytes.";
	return mm_cannot(rows, s, value);
}

const struct mm_client mm_client_mpop = {
    .name = "mpop",
    .label = "mpop",
    .programs = (const char *const[]){"mpop", NULL},
    .incoming = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_GNUTLS,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
