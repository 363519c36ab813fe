#include "agent/clients/stanzas.h"

#include <assert.h>
#include <string.h>

#include "agent/formats/msmtprc.h"
#include "common/text.h"

struct mm_stanza *mm_stanza_named(const struct mm_stanzas *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->v[i].name, name) == 0)
			return &c->v[i];
	return NULL;
}

bool mm_stanza_is_alias(const struct mm_stanza *s)
{
	return !s->has_keys && s->parents[0] != '\0';
}

static int key_index(const char *const *keys, const char *name)
{
	for (int k = 0; keys[k] != NULL; k++) {
		assert(k < MM_STANZA_KEYS_MAX);
		if (strcmp(keys[k], name) == 0)
			return k;
	}
	return -1;
}

struct mm_stanza mm_stanza_fresh(const struct mm_stanzas *c, const char *path, const char *const *keys)
{
	struct mm_stanza s = {.name = "", .parents = "", .path = path, .keys = keys};

	memcpy(s.dflt, c->dflt, sizeof(s.dflt));
	memcpy(s.dflt_unsure, c->unsure, sizeof(s.dflt_unsure));
	return s;
}

bool mm_stanza_given(struct mm_native v)
{
	return v.text != NULL && v.text[0] != '\0';
}

bool mm_stanza_on(struct mm_native v, bool dflt)
{
	return v.text == NULL ? dflt : strcmp(v.text, "off") != 0;
}

struct mm_native mm_stanza_get(const void *ctx, const char *key)
{
	const struct mm_stanza *s = ctx;
	int k = key_index(s->keys, key);
	const struct mm_item *it;

	if (k < 0)
		return (struct mm_native){.text = NULL};
	it = s->own[k] != NULL ? s->own[k] : s->dflt[k];
	return (struct mm_native){
	    .text = it != NULL ? it->value : NULL, .path = s->path, .line = it != NULL ? it->line : 0};
}

void mm_stanza_doubt(const struct mm_stanza *s, const char *key, bool open, struct mm_seen *seen)
{
	int k = key_index(s->keys, key);
	int line = k < 0 ? 0 : s->unsure[k];

	if (k >= 0 && line == 0 && s->own[k] == NULL)
		line = s->dflt_unsure[k];
	if (line == 0)
		return;
	/* A new line comes behind the doubt, one that stands here stays where it
	 * is; of several keys each has to be certain. */
	open = open && (s->own[k] == NULL || strcmp(s->own[k]->section, s->name) != 0);
	seen->unsure_open = open && (seen->unsure_path == NULL || seen->unsure_open);
	seen->unsure_path = s->path;
	seen->unsure_line = line;
	seen->unsure_why = "the output of a command is read there";
}

void mm_stanza_see_security(const struct mm_stanza *s, enum mm_setting security, enum mm_setting port,
    const char *protocol, struct mm_seen_account *acc)
{
	struct mm_native tls = mm_stanza_get(s, "tls"), st = mm_stanza_get(s, "tls_starttls");
	bool secure = mm_stanza_on(tls, false), implicit = secure && !mm_stanza_on(st, true);
	bool smtp = strcmp(protocol, "smtp") == 0;

	mm_see(acc, security, secure && st.text != NULL ? st : tls,
	    !secure    ? "none"
	    : implicit ? "tls"
		       : "starttls");
	mm_stanza_doubt(s, "tls", true, &acc->s[security]);
	if (secure)
		mm_stanza_doubt(s, "tls_starttls", true, &acc->s[security]);
	if (acc->s[port].value == NULL) /* 25 and not 587: what the program takes by itself */
		mm_see(acc, port, mm_stanza_get(s, "port"),
		    implicit ? (smtp ? "465" : "995") : (smtp ? "25" : "110"));
}

void mm_stanza_see_over(const struct mm_stanza *s, enum mm_setting command, enum mm_setting host,
    enum mm_setting port, const char *note, struct mm_seen_account *acc)
{
	struct mm_native password = mm_stanza_get(s, "password"), unix_socket = mm_stanza_get(s, "socket");

	mm_stanza_doubt(s, "password", false, &acc->s[command]);
	if (mm_stanza_given(password))
		mm_see_over(&acc->s[command], password, "password", note);
	if (mm_stanza_given(unix_socket)) {
		mm_see_over(&acc->s[host], unix_socket, "socket", NULL);
		mm_see_over(&acc->s[port], unix_socket, "socket", NULL);
	}
}

void mm_stanza_traps(const struct mm_stanza *s, const char *clear, struct mm_arena *a, struct mm_view *out)
{
	struct mm_native check = mm_stanza_get(s, "tls_certcheck"), auth = mm_stanza_get(s, "auth"),
			 pw = mm_stanza_get(s, "password"), name = mm_stanza_get(s, "tls_host_override"),
			 proxy = mm_stanza_get(s, "proxy_host");

	if (!mm_stanza_on(check, true))
		mm_add_trap(a, out, MM_TRAP_NO_VERIFY, s->path, check.line,
		    mm_arena_printf(a, "Account '%s' does not verify the server's certificate.", s->name))
		    ->key = s->name;
	if (!mm_stanza_on(mm_stanza_get(s, "tls"), false) && mm_stanza_given(auth) &&
	    mm_among(clear, auth.text))
		mm_add_trap(a, out, MM_TRAP_CLEAR, s->path, auth.line,
		    mm_arena_printf(a, "Account '%s' sends the password in clear text.", s->name))
		    ->key = s->name;
	if (mm_stanza_given(name))
		mm_add_trap(a, out, MM_TRAP_CHAIN_ONLY, s->path, name.line,
		    mm_arena_printf(
			a, "Account '%s' takes a server's certificate for another name.", s->name))
		    ->key = s->name;
	if (mm_stanza_given(proxy))
		mm_add_trap(a, out, MM_TRAP_OTHER, s->path, proxy.line,
		    mm_arena_printf(a, "Account '%s' " MM_THROUGH_PROXY, s->name))
		    ->key = s->name;
	if (mm_stanza_given(pw))
		mm_add_trap(a, out, MM_TRAP_PASSWORD, s->path, pw.line,
		    mm_arena_printf(a, "Account '%s' keeps its password in clear text in the file.", s->name))
		    ->key = s->name;
	if (s->by_eval)
		mm_add_trap(a, out, MM_TRAP_OTHER, s->path, 0,
		    mm_arena_printf(a,
			"Account '%s' takes settings from the output of a command (eval), which is not run "
			"to find out.",
			s->name))
		    ->key = s->name;
}

void mm_stanza_want_security(
    const char *security, const char *section, struct mm_edit_list *l, struct mm_arena *a)
{
	if (security == NULL)
		return;
	mm_want_set(l, a, section, "tls", mm_streq(security, "none") ? "off" : "on");
	if (!mm_streq(security, "none"))
		mm_want_set(l, a, section, "tls_starttls", mm_streq(security, "starttls") ? "on" : "off");
}

/* Names parted by commas; blanks around them do not count. */
static const char *next_name(const char **p, struct mm_arena *a)
{
	const char *s = *p + strspn(*p, " \t,"), *e = s + strcspn(s, ",");

	*p = e;
	while (e > s && (e[-1] == ' ' || e[-1] == '\t'))
		e--;
	return e > s ? mm_arena_strndup(a, s, (size_t)(e - s)) : NULL;
}

struct load {
	struct mm_reader *r;
	const char *path, *label;
	const char *const *keys;
	struct mm_stanzas *c;
	struct mm_view *view;
	bool evals;
	int broken_line;
};

static void inherit(struct load *l, struct mm_stanza *s, int line)
{
	const char *p = s->parents, *from;

	while ((from = next_name(&p, l->r->arena)) != NULL) {
		const struct mm_stanza *parent = mm_stanza_named(l->c, from);

		if (parent == NULL || parent == s) {
			l->c->broken = mm_arena_printf(l->r->arena,
			    "Account '%s' inherits from '%s', which is not defined before it: %s refuses the "
			    "whole file.",
			    s->name, from, l->label);
			l->broken_line = line;
			if (l->evals) /* the output of a command may have defined it */
				mm_add_trap(l->r->arena, l->view, MM_TRAP_OTHER, l->path, line, l->c->broken);
			continue;
		}
		for (int k = 0; k < MM_STANZA_KEYS_MAX; k++)
			if (parent->own[k] != NULL || parent->unsure[k] != 0) {
				s->own[k] = parent->own[k];
				s->unsure[k] = parent->unsure[k];
			}
	}
}

static struct mm_stanza *open_account(struct load *l, const char *name)
{
	struct mm_stanza *s = mm_arena_push(l->r->arena, &l->c->v, &l->c->n, &l->c->cap, sizeof(*l->c->v));

	*s = mm_stanza_fresh(l->c, l->path, l->keys);
	s->name = name;
	return s;
}

/* One line of a command's output stands here in truth. */
static void doubt(int *unsure, int line)
{
	for (int k = 0; k < MM_STANZA_KEYS_MAX; k++)
		unsure[k] = line;
}

static void take_item(struct load *l, const struct mm_item *it)
{
	bool dflt = it->section[0] == '\0', header = it->kind == 'c';
	struct mm_stanza *s = dflt ? NULL : mm_stanza_named(l->c, it->section);
	int k = header ? -1 : key_index(l->keys, it->key);

	if (!dflt && s == NULL)
		s = open_account(l, it->section);
	if (header && s != NULL) {
		s->parents = it->value;
		inherit(l, s, it->line);
	} else if (s != NULL) {
		s->has_keys = true;
		s->by_eval = s->by_eval || strcmp(it->key, "eval") == 0;
	}
	if (!header && strcmp(it->key, "eval") == 0) {
		l->evals = true;
		doubt(s != NULL ? s->unsure : l->c->unsure, it->line);
	}
	if (k < 0)
		return;
	*(s != NULL ? &s->own[k] : &l->c->dflt[k]) = it;
	(s != NULL ? s->unsure : l->c->unsure)[k] = 0;
}

int mm_stanzas_load(struct mm_reader *r, const char *path, const char *const *keys, const char *label,
    struct mm_stanzas *out, struct mm_view *view, struct mm_err *err)
{
	struct load l = {.r = r, .path = path, .label = label, .keys = keys, .c = out, .view = view};
	struct mm_doc d;

	*out = (struct mm_stanzas){.v = NULL, .n = 0};
	if (mm_load_doc(r, path, &mm_format_msmtprc, &d, err) != 0)
		return -1;
	for (size_t i = 0; i < d.n; i++)
		take_item(&l, &d.items[i]);
	if (out->broken != NULL && !l.evals)
		return mm_err_set(err, MM_EX_DATAERR, "%s: line %d: %s", path, l.broken_line, out->broken);
	return 0;
}

static bool taken(const void *ctx, const char *name)
{
	return mm_stanza_named(ctx, name) != NULL;
}

const char *mm_stanza_add(
    const struct mm_stanzas *c, const struct mm_change *ch, struct mm_edit_list *l, struct mm_arena *a)
{
	const char *key = mm_free_name(ch->account, taken, c, a);

	mm_want_edit(l, a, MM_EDIT_SECTION_ADD, key, "", 's', NULL);
	return key;
}

void mm_stanza_add_default(const struct mm_stanzas *c, const struct mm_change *ch, const char *key,
    struct mm_edit_list *l, struct mm_arena *a)
{
	if (ch->index == 0 && mm_stanza_named(c, "default") == NULL && strcmp(key, "default") != 0)
		mm_want_edit(l, a, MM_EDIT_SECTION_ADD, "default", "", 's', key);
}

static bool is_default_alias(const struct mm_stanza *s)
{
	return strcmp(s->name, "default") == 0 && !s->has_keys;
}

int mm_stanza_remove(const struct mm_stanzas *c, const char *key, struct mm_edit_list *l, struct mm_arena *a,
    struct mm_err *err)
{
	for (size_t i = 0; i < c->n; i++) {
		const char *p = c->v[i].parents, *name;

		if (is_default_alias(&c->v[i]))
			continue;
		while ((name = next_name(&p, a)) != NULL)
			if (strcmp(name, key) == 0)
				return mm_err_set(err, MM_EX_FAILED,
				    "account '%s' cannot be removed: account '%s' inherits from it", key,
				    c->v[i].name);
	}
	for (size_t i = 0; i < c->n; i++)
		if (is_default_alias(&c->v[i]) && strcmp(c->v[i].parents, key) == 0)
			mm_want_edit(l, a, MM_EDIT_SECTION_REMOVE, "default", "", 's', NULL);
	return 0;
}
