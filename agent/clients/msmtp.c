/*
 * msmtp: edited in place, inside the account.
 *
 * Files: ~/.msmtprc, else $XDG_CONFIG_HOME/msmtp/config (src/msmtp.c of
 * 1.8.23, seen with strace). Accounts inherit what was set explicitly, in
 * order; `defaults` counts for the accounts behind it.
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/gnutls.h"
#include "agent/clients/stanzas.h"
#include "agent/formats/msmtprc.h"
#include "common/text.h"

static const char *const keys[] = {"host", "port", "tls", "tls_starttls", "auth", "user", "passwordeval",
    "password", "from", "auto_from", "protocol", "tls_trust_file", "tls_priorities", "tls_certcheck",
    "tls_cert_file", "tls_key_file", "socket", "tls_host_override", "proxy_host", NULL};

static const struct mm_word trust_words[] = {{"system", NULL}, {NULL, NULL}};

static const struct mm_key table[] = {
    {.s = MM_SET_OUT_HOST, .key = "host"},
    {.s = MM_SET_OUT_PORT, .key = "port"},
    {.s = MM_SET_OUT_USERNAME, .key = "user"},
    {.s = MM_SET_OUT_PASSWORD_COMMAND, .key = "passwordeval", .shell = true},
    {.s = MM_SET_ADDRESS, .key = "from"},
    {.s = MM_SET_OUT_CA_FILE, .key = "tls_trust_file", .words = trust_words},
    {.s = MM_SET_OUT_CLIENT_CERT, .key = "tls_cert_file", .also = "tls_key_file"},
};
#define N_TABLE (sizeof(table) / sizeof(table[0]))

/* What else a setting is made of: written or not, it may be set otherwise. */
static const struct {
	enum mm_setting s;
	const char *key;
} made_of[] = {
    {MM_SET_OUT_PROTOCOL, "protocol"},
    {MM_SET_OUT_AUTH, "auth"},
    {MM_SET_OUT_TLS_MIN, "tls_priorities"},
    {MM_SET_OUT_CLIENT_CERT, "tls_key_file"},
};

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *const paths[] = {mm_home_path(r, ".msmtprc"), mm_config_path(r, "msmtp/config")};

	(void)err;
	return mm_find_first(r, "msmtp", paths, 2, paths[0], create, places, n);
}

/* ---- reading */

/* auth and, where TLS is off, what it means then: "on" never sends a
 * password in clear, "plain" does. */
static const char *auth_word(struct mm_native v, bool secure)
{
	if (v.text == NULL || strcmp(v.text, "off") == 0)
		return "none";
	if (v.text[0] == '\0' || strcmp(v.text, "on") == 0)
		return "password";
	return !secure && strcmp(v.text, "plain") == 0 ? "password" : v.text;
}

/* Certificate and key may lie in two files; ours is one with both. */
static void see_client_cert(struct mm_seen_account *s, const struct mm_stanza *acc, struct mm_arena *a)
{
	struct mm_native cert = mm_stanza_get(acc, "tls_cert_file"), key = mm_stanza_get(acc, "tls_key_file");
	const char *k = mm_stanza_given(key) ? key.text : NULL;

	if (mm_stanza_given(cert) && !mm_streq(cert.text, k))
		mm_see(s, MM_SET_OUT_CLIENT_CERT, cert,
		    mm_arena_printf(a, "%s, with the key in %s", cert.text, k != NULL ? k : "no file"));
}

static void look_for_doubt(struct mm_seen_account *s, const struct mm_stanza *acc)
{
	mm_stanza_doubt(acc, "tls_certcheck", false, &s->verify);
	mm_stanza_doubt(acc, "tls_host_override", false, &s->verify);
	for (size_t i = 0; i < N_TABLE; i++)
		mm_stanza_doubt(acc, table[i].key, true, &s->s[table[i].s]);
	for (size_t i = 0; i < sizeof(made_of) / sizeof(made_of[0]); i++)
		mm_stanza_doubt(acc, made_of[i].key, true, &s->s[made_of[i].s]);
}

static void see(struct mm_seen_account *s, const struct mm_stanza *acc, struct mm_arena *a)
{
	struct mm_native auth = mm_stanza_get(acc, "auth"), floor = mm_stanza_get(acc, "tls_priorities");
	struct mm_native proto = mm_stanza_get(acc, "protocol"), from = mm_stanza_get(acc, "auto_from");

	*s = (struct mm_seen_account){.key = acc->name, .label = acc->name, .has_outgoing = true};
	mm_keys_see(table, N_TABLE, mm_stanza_get, acc, a, s);
	mm_see(s, MM_SET_OUT_PROTOCOL, proto, proto.text != NULL ? proto.text : "smtp");
	mm_stanza_see_security(acc, MM_SET_OUT_SECURITY, MM_SET_OUT_PORT, "smtp", s);
	mm_see(s, MM_SET_OUT_AUTH, auth, auth_word(auth, mm_stanza_on(mm_stanza_get(acc, "tls"), false)));
	mm_see(s, MM_SET_OUT_TLS_MIN, floor, mm_gnutls_floor(floor.text));
	see_client_cert(s, acc, a);
	mm_stanza_see_over(acc, MM_SET_OUT_PASSWORD_COMMAND, MM_SET_OUT_HOST, MM_SET_OUT_PORT,
	    "A password stands in the file; msmtp then never runs the command.", s);
	if (from.text != NULL && mm_stanza_on(from, false))
		mm_see_over(&s->s[MM_SET_ADDRESS], from, "auto_from", NULL);
	look_for_doubt(s, acc);
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	struct mm_stanzas c;

	*out = (struct mm_view){0};
	if (mm_stanzas_load(r, p->path, keys, "msmtp", &c, out, err) != 0)
		return -1;
	out->accounts = mm_arena_alloc(r->arena, c.n + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < c.n; i++) {
		if (mm_stanza_is_alias(&c.v[i]))
			continue;
		see(&out->accounts[out->n++], &c.v[i], r->arena);
		mm_stanza_traps(&c.v[i], "plain login", r->arena, out);
	}
	return 0;
}

/* ---- writing */

struct writer {
	struct mm_edit_list edits;
	struct mm_arena *a;
	const char *section;
};

static const char *auth_value(const struct mm_values *v, const struct mm_values *full)
{
	const char *auth = v->v[MM_SET_OUT_AUTH];

	/* What "password" becomes depends on whether there is TLS. */
	if (auth == NULL && v->v[MM_SET_OUT_SECURITY] != NULL &&
	    mm_streq(full->v[MM_SET_OUT_AUTH], "password"))
		auth = "password";
	if (mm_streq(auth, "password"))
		return mm_streq(full->v[MM_SET_OUT_SECURITY], "none") ? "plain" : "on";
	return mm_streq(auth, "none") ? "off" : auth;
}

/* The protocol is said only where it is not what msmtp does by itself. */
static bool protocol_is_said(const struct mm_stanzas *c, const char *path, const struct mm_change *ch)
{
	struct mm_stanza fresh = mm_stanza_fresh(c, path, keys);
	const struct mm_stanza *now = ch->kind == MM_CHANGE_SET ? mm_stanza_named(c, ch->key) : NULL;
	struct mm_seen seen = {.value = NULL};

	now = now != NULL ? now : &fresh;
	mm_stanza_doubt(now, "protocol", false, &seen);
	return mm_stanza_get(now, "protocol").text != NULL || seen.unsure_path != NULL;
}

static int write_account(struct writer *w, const struct mm_stanzas *c, const char *path,
    const struct mm_change *ch, struct mm_err *err)
{
	const struct mm_values *v = ch->want;
	const char *min = v->v[MM_SET_OUT_TLS_MIN];

	if (mm_keys_want(table, N_TABLE, v, w->section, &w->edits, w->a, err) != 0)
		return -1;
	mm_stanza_want_security(v->v[MM_SET_OUT_SECURITY], w->section, &w->edits, w->a);
	mm_want_set(&w->edits, w->a, w->section, "auth", auth_value(v, ch->full));
	if (min != NULL)
		mm_want_set(&w->edits, w->a, w->section, "tls_priorities", mm_gnutls_priorities(min));
	if (protocol_is_said(c, path, ch))
		mm_want_set(&w->edits, w->a, w->section, "protocol", v->v[MM_SET_OUT_PROTOCOL]);
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
	if (mm_stanzas_load(r, p->path, keys, "msmtp", &c, &ignored, err) != 0)
		return -1;
	if (c.broken != NULL)
		return mm_err_set(err, MM_EX_FAILED, "%s: %s", p->path, c.broken);
	if (ch->kind == MM_CHANGE_ADD)
		w.section = out->key = mm_stanza_add(&c, ch, &w.edits, w.a);
	if (ch->kind != MM_CHANGE_REMOVE)
		rc = write_account(&w, &c, p->path, ch, err);
	else if (ch->created)
		rc = mm_stanza_remove(&c, ch->key, &w.edits, w.a, err);
	if (ch->kind == MM_CHANGE_ADD)
		mm_stanza_add_default(&c, ch, w.section, &w.edits, w.a);
	if (rc == 0)
		mm_want_file(out, r->arena, p->path, &mm_format_msmtprc, &w.edits,
		    ch->kind == MM_CHANGE_ADD ? 0600 : 0);
	return rc;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	(void)all;
	if (s == MM_SET_REAL_NAME || s == MM_SET_REPLY_TO || s == MM_SET_ORGANISATION)
		return "msmtp sends the header that the mail program wrote; it has no setting for this.";
	if (s == MM_SET_OUT_PIN)
		return "msmtp can pin a certificate, not a public key.";
	if (s == MM_SET_OUT_PASSWORD_COMMAND && strlen(value) > MM_MSMTPRC_LINE_MAX - 60)
		return "The password command is too long: msmtp takes lines of at most 499 bytes.";
	return NULL;
}

const struct mm_client mm_client_msmtp = {
    .name = "msmtp",
    .label = "msmtp",
    .programs = (const char *const[]){"msmtp", NULL},
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_GNUTLS,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
