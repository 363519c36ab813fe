#include <libgen.h>
#include <string.h>

#include "common/text.h"
#include "controller/policy/check.h"

/* The rows of a side have the same names on both. */
static enum mm_setting row(const struct mm_judge *j, const char *key)
{
	return mm_setting_by_key(j->side, key);
}

static const struct mm_pvalue *said(const struct mm_judge *j, const char *key)
{
	enum mm_setting s = row(j, key);
	return s != MM_SET_NONE ? j->v[s] : NULL;
}

static const char *text(const struct mm_judge *j, const char *key)
{
	const struct mm_pvalue *v = said(j, key);
	enum mm_setting s = row(j, key);
	if (v != NULL && v->text != NULL)
		return v->text;
	return s != MM_SET_NONE ? mm_setting_def(s)->dflt : NULL;
}

static bool is(const struct mm_judge *j, const char *key, const char *word)
{
	return mm_streq(text(j, key), word);
}

static struct mm_origin at(const struct mm_judge *j, const char *key)
{
	const struct mm_pvalue *v = said(j, key);
	return v != NULL ? v->at : (struct mm_origin){NULL, 0};
}

/* Is a trouble of these two rows to be reported at all? */
static bool counts(const struct mm_judge *j, const char *key1, const char *key2)
{
	enum mm_setting a = row(j, key1), b = row(j, key2);
	if (j->only == NULL)
		return true;
	return (a != MM_SET_NONE && j->v[a] == &j->only->v[a]) ||
	       (b != MM_SET_NONE && j->v[b] == &j->only->v[b]);
}

struct port_use {
	const char *port, *protocol, *security;
};

/* RFC 8314 7.3 and RFC 5321 (25). */
static const struct port_use ports[] = {{"993", "imap", "tls"}, {"143", "imap", "starttls"},
    {"995", "pop3", "tls"}, {"110", "pop3", "starttls"}, {"465", "smtp", "tls"}, {"587", "smtp", "starttls"},
    {"25", "smtp", "starttls"}};

static void check_port(const struct mm_judge *j, struct mm_diags *d)
{
	const struct port_use *u = NULL;
	const struct mm_pvalue *port = said(j, "port"), *security = said(j, "security");
	for (size_t i = 0; port != NULL && i < sizeof(ports) / sizeof(*ports); i++)
		if (mm_streq(ports[i].port, port->text))
			u = &ports[i];
	if (u == NULL || !counts(j, "port", "security"))
		return;
	bool implicit = mm_streq(u->security, "tls");
	if (security == NULL && !implicit)
		mm_diag_error(d, port->at,
		    "%s: port %s is cleartext until STARTTLS; write security = \"starttls\" with it", j->what,
		    u->port);
	else if (!j->errors_only && implicit != is(j, "security", "tls"))
		mm_diag_warn(d, port->at,
		    "%s: security \"%s\" on port %s, which is the port of %s; is that meant?", j->what,
		    text(j, "security"), u->port, implicit ? "implicit TLS" : "STARTTLS");
	else if (!j->errors_only && text(j, "protocol") != NULL && !is(j, "protocol", u->protocol))
		mm_diag_warn(d, port->at, "%s: port %s is that of %s, not of %s; is that meant?", j->what,
		    u->port, u->protocol, text(j, "protocol"));
}

static void check_cleartext(const struct mm_judge *j, struct mm_diags *d)
{
	if (!is(j, "security", "none") || !counts(j, "security", "auth"))
		return;
	if (!j->rules->allow_cleartext)
		mm_diag_error(d, at(j, "security"),
		    "%s: security \"none\" sends passwords in cleartext; write \"tls\" or \"starttls\", or "
		    "set "
		    "rules.allow_cleartext = true",
		    j->what);
	else if (is(j, "auth", "xoauth2") || is(j, "auth", "oauthbearer"))
		mm_diag_error(d, at(j, "security"),
		    "%s: auth \"%s\" in cleartext gives the token away; write \"tls\"", j->what,
		    text(j, "auth"));
}

/* Put there by the rule, not written by a person? */
static bool same_place(struct mm_origin x, struct mm_origin y)
{
	return x.line == y.line && mm_streq(x.file, y.file);
}

static void check_tls(const struct mm_judge *j, struct mm_diags *d)
{
	static const char *const keys[] = {"tls_min", "ca_file", "pin"};
	const struct mm_pvalue *floor = said(j, "tls_min");
	if (floor != NULL && floor->text != NULL && counts(j, "tls_min", "tls_min") &&
	    strcmp(floor->text, j->rules->tls_min) < 0)
		mm_diag_error(d, floor->at, "%s: tls_min \"%s\" is below rules.tls_min \"%s\"; raise it",
		    j->what, floor->text, j->rules->tls_min);
	if (j->errors_only || !is(j, "security", "none"))
		return;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const struct mm_pvalue *v = said(j, keys[i]);
		if (v != NULL && v->text != NULL && !same_place(v->at, j->rules->tls_min_at) &&
		    counts(j, keys[i], "security"))
			mm_diag_warn(d, v->at, "%s: %s has no effect with security \"none\"; remove it",
			    j->what, keys[i]);
	}
}

static void check_auth(const struct mm_judge *j, struct mm_diags *d)
{
	const struct mm_pvalue *cmd = said(j, "password_command");
	bool has = cmd != NULL && cmd->text != NULL;
	if (is(j, "auth", "none") && j->side == MM_SIDE_INCOMING && counts(j, "auth", "auth"))
		mm_diag_error(d, at(j, "auth"),
		    "%s: incoming mail without a login is impossible; write auth = \"password\"", j->what);
	if (!has || !counts(j, "auth", "password_command"))
		return;
	if (is(j, "auth", "external") || is(j, "auth", "gssapi"))
		mm_diag_error(d, cmd->at,
		    "%s: auth \"%s\" uses no password; remove password_command or change auth", j->what,
		    text(j, "auth"));
	else if (is(j, "auth", "none") && !j->errors_only)
		mm_diag_warn(
		    d, cmd->at, "%s: password_command has no effect with auth \"none\"; remove it", j->what);
}

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

static bool one_of(const char *word, const char *const *list)
{
	while (*list != NULL && !mm_streq(*list, word))
		list++;
	return *list != NULL;
}

/* The program is fixed, prints no secret of the policy, and no shell reads
 * what is put in for a placeholder. */
static void check_command(const struct mm_judge *j, struct mm_diags *d)
{
	static const char *const printers[] = {"echo", "printf", NULL};
	static const char *const shells[] = {
	    "sh", "bash", "dash", "zsh", "ksh", "mksh", "fish", "env", "eval", NULL};
	const struct mm_pvalue *cmd = said(j, "password_command");
	const char *const *argv;
	size_t n;
	if (cmd == NULL || cmd->text == NULL || !counts(j, "password_command", "password_command"))
		return;
	struct mm_arena *a = mm_arena_new();
	if (mm_argv_parse(cmd->text, a, &argv, &n, NULL) == 0) {
		if (cmd->template && strchr(argv[0], '%') != NULL)
			mm_diag_error(d, cmd->at,
			    "%s: password_command: the program must not hold a placeholder; write its path",
			    j->what);
		if (one_of(base(argv[0]), printers))
			mm_diag_error(d, cmd->at,
			    "%s: password_command runs %s, so the secret stands in the policy; use a "
			    "password store",
			    j->what, base(argv[0]));
		if (cmd->template && one_of(base(argv[0]), shells))
			mm_diag_error(d, cmd->at,
			    "%s: password_command: %s would run what a placeholder holds as code; call the "
			    "program itself",
			    j->what, base(argv[0]));
	}
	mm_arena_free(a);
}

static void check_pop3(const struct mm_judge *j, struct mm_diags *d)
{
	const struct mm_pvalue *v = said(j, "leave_on_server");
	if (v != NULL && v->text != NULL && is(j, "protocol", "imap") && !j->errors_only &&
	    counts(j, "leave_on_server", "protocol"))
		mm_diag_warn(d, v->at, "%s: leave_on_server has no effect with imap; remove it", j->what);
}

void mm_check_values(const struct mm_judge *j, struct mm_diags *d)
{
	check_port(j, d);
	check_cleartext(j, d);
	check_tls(j, d);
	check_auth(j, d);
	check_command(j, d);
	check_pop3(j, d);
}

static bool is_mine(const struct mm_judge *j, enum mm_setting s)
{
	return j->only == NULL || j->v[s] == &j->only->v[s];
}

static const char *folder(const struct mm_judge *j, enum mm_setting s)
{
	return j->v[s] != NULL ? j->v[s]->text : NULL;
}

/* Clients empty the trash and the junk, and offer drafts as unfinished: none
 * of them may be what another role keeps. */
static void check_shared(const struct mm_judge *j, enum mm_setting a, struct mm_diags *d)
{
	for (enum mm_setting b = MM_SET_FOLDER_SENT; b < a; b++)
		if (mm_streq(folder(j, a), folder(j, b)) && (is_mine(j, a) || is_mine(j, b)))
			mm_diag_error(d, j->v[a]->at,
			    "%s: %s and %s are one mailbox, \"%s\"; mail programs empty some of them: name "
			    "another",
			    j->what, mm_setting_def(b)->key, mm_setting_def(a)->key, folder(j, a));
}

void mm_check_folders(const struct mm_judge *j, struct mm_diags *d)
{
	const struct mm_pvalue *protocol = j->v[MM_SET_IN_PROTOCOL];
	bool pop3 = protocol != NULL && mm_streq(protocol->text, "pop3");
	for (enum mm_setting s = MM_SET_FOLDER_SENT; s <= MM_SET_FOLDER_JUNK; s++) {
		if (folder(j, s) == NULL)
			continue;
		check_shared(j, s, d);
		if (pop3 && !j->errors_only && is_mine(j, s))
			mm_diag_warn(d, j->v[s]->at, "%s: %s has no effect with pop3; remove it", j->what,
			    mm_setting_def(s)->key);
	}
}
