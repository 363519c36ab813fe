#include "agent/clients/mutt_later.h"

#include <regex.h>
#include <string.h>

#include "agent/clients/adapter.h"
#include "common/text.h"

struct mm_mutt_ran { /* a hook that concerns the account, and what it leaves behind */
	const struct mm_mutt_hook *h;
	bool header; /* my_hdr: nothing was run */
	struct mm_mutt_state after;
};

/* ---- would it run? */

static bool matches(const char *pattern, const char *subject)
{
	bool negated = pattern[0] == '!';
	regex_t re;
	bool hit;

	if (negated)
		pattern += 1 + strspn(pattern + 1, " \t");
	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	hit = regexec(&re, subject, 0, NULL, 0) == 0;
	regfree(&re);
	return hit != negated;
}

/* As mutt writes it for account-hook: without a port that is the usual one. */
static bool matches_server(const char *pattern, const struct mm_mutt_url *u, struct mm_arena *a)
{
	struct mm_mutt_url bare;
	const char *with, *without;

	if (u == NULL)
		return false;
	bare = *u;
	bare.path = "";
	if (bare.port == NULL)
		bare.port = "";
	with = mm_mutt_url_print(&bare, a);
	bare.user = NULL;
	without = mm_mutt_url_print(&bare, a);
	if (matches(pattern, with) || matches(pattern, without))
		return true;
	with = mm_arena_printf(a, "%.*s/", (int)(strrchr(with, ':') - with), with);
	return matches(pattern, with);
}

static bool folder_matches(const struct mm_mutt_later *l, const char *pattern)
{
	const char *folder = mm_mutt_text(l->s, "folder", ""), *spool = mm_mutt_text(l->s, "spoolfile", "");

	if (pattern[0] == '=' || pattern[0] == '+' || folder == NULL || spool == NULL)
		return true;
	/* The bare name of a folder: it may be one of this server. */
	if (strpbrk(pattern, ":/.@~!") == NULL)
		return true;
	if (spool[0] == '=' || spool[0] == '+')
		spool = mm_arena_printf(l->s->r->arena, "%s/%s", folder, spool + 1);
	return matches(pattern, spool) || matches(pattern, folder);
}

/* Hooks whose second half are commands of mutt's: the others convert, sort
 * and save. */
static bool runs_commands(const char *name)
{
	static const char *const names[] = {"account-hook", "folder-hook", "send-hook", "send2-hook",
	    "reply-hook", "message-hook", "startup-hook", "timeout-hook"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* Would this hook run for the account at all? */
static bool concerns(const struct mm_mutt_later *l, const struct mm_mutt_hook *h)
{
	struct mm_arena *a = l->s->r->arena;

	if (!runs_commands(h->name))
		return false;
	if (h->pattern == NULL)
		return true;
	if (strcmp(h->name, "account-hook") == 0)
		return matches_server(h->pattern, l->in, a) || matches_server(h->pattern, l->smtp, a);
	return strcmp(h->name, "folder-hook") != 0 || folder_matches(l, h->pattern);
}

/* ---- keys */

/* Can these keys be the beginning of a command that sets something? */
static bool enters_command(const char *keys)
{
	return strchr(keys, ':') != NULL || strcasestr(keys, "enter-command") != NULL;
}

/* Is it nothing but names of functions and keys: "<limit>", "<f2>"? */
static bool only_names(const char *keys, const char *other_than)
{
	while (*keys == '<') {
		size_t n = strcspn(keys, ">");

		if (keys[n] != '>' ||
		    (strlen(other_than) == n + 1 && strncasecmp(keys, other_than, n + 1) == 0))
			return false;
		keys += n + 1;
	}
	return *keys == '\0';
}

/* Keys of the user's own mean what his macros say. */
static bool types_commands(const struct mm_mutt_later *l, const struct mm_mutt_hook *h)
{
	if (enters_command(h->command))
		return true;
	if (strcmp(h->name, "exec") == 0)
		return false;
	for (size_t i = 0; i < l->s->n_hooks; i++) {
		const struct mm_mutt_hook *m = &l->s->hooks[i];

		if ((strcmp(m->name, "macro") == 0 || strcmp(m->name, "bind") == 0) &&
		    enters_command(m->command) && !only_names(h->command, m->pattern))
			return true;
	}
	return false;
}

/* ---- running them */

static void anything(struct mm_mutt_later *l, const struct mm_mutt_hook *h, const char *why)
{
	if (l->keys.path == NULL)
		l->keys = (struct mm_mutt_doubt){.path = h->path, .line = h->line, .why = why};
}

static void follow(struct mm_mutt_later *l, const struct mm_mutt_hook *h, int depth);

static void run(struct mm_mutt_later *l, const struct mm_mutt_hook *h, int depth)
{
	struct mm_arena *a = l->s->r->arena;
	struct mm_mutt_state t = *l->s;
	struct mm_text text = {.p = h->command, .n = strlen(h->command)};

	t.vars = mm_arena_alloc(a, t.n_vars + 1, sizeof(*t.vars));
	t.cap_vars = t.n_vars;
	if (t.n_vars > 0)
		memcpy(t.vars, l->s->vars, t.n_vars * sizeof(*t.vars));
	t.hooks = NULL;
	t.traps = NULL;
	t.n_hooks = t.cap_hooks = t.n_traps = t.cap_traps = 0;
	t.files = 0;
	if (mm_mutt_eval_text(&t, text, h->path, h->line, NULL) != 0) {
		anything(l, h, "what a hook does there cannot be read");
		return;
	}
	*(struct mm_mutt_ran *)mm_arena_push(a, &l->ran, &l->n, &l->cap, sizeof(*l->ran)) =
	    (struct mm_mutt_ran){.h = h, .after = t};
	for (size_t i = 0; i < t.n_hooks; i++)
		follow(l, &t.hooks[i], depth + 1);
}

static void follow(struct mm_mutt_later *l, const struct mm_mutt_hook *h, int depth)
{
	bool keys = strcmp(h->name, "push") == 0 || strcmp(h->name, "exec") == 0;

	if (keys && types_commands(l, h))
		anything(l, h, "keys are typed there that may be commands");
	if (keys)
		return;
	if (strcmp(h->name, "my_hdr") == 0)
		*(struct mm_mutt_ran *)mm_arena_push(l->s->r->arena, &l->ran, &l->n, &l->cap,
		    sizeof(*l->ran)) = (struct mm_mutt_ran){.h = h, .header = true};
	else if (!concerns(l, h))
		return;
	else if (depth >= MM_MUTT_LATER_DEPTH_MAX || l->n >= MM_MUTT_LATER_MAX)
		anything(l, h, "there are more hooks than can be followed");
	else
		run(l, h, depth);
}

void mm_mutt_later(struct mm_mutt_later *l)
{
	for (size_t i = 0; i < l->s->n_hooks; i++)
		follow(l, &l->s->hooks[i], 0);
}

/* ---- what comes of it */

/* The variable as a hook leaves it, where the hook touched it. */
static const struct mm_mutt_var *touched(const struct mm_mutt_ran *x, unsigned before, const char *var)
{
	const struct mm_mutt_var *v = mm_mutt_get(&x->after, var);

	if (v == NULL)
		v = mm_mutt_reset(&x->after, var);
	return v != NULL && v->seq > before ? v : NULL;
}

const struct mm_mutt_hook *mm_mutt_later_sets(const struct mm_mutt_later *l, const char *var)
{
	const struct mm_mutt_var *now = mm_mutt_get(l->s, var);

	for (size_t i = l->n; i-- > 0;) {
		const struct mm_mutt_ran *x = &l->ran[i];
		const struct mm_mutt_var *v = x->header ? NULL : touched(x, l->s->seq, var);

		if (v == NULL || v->maybe.path != NULL || (v->kind == 'd' && now == NULL))
			continue;
		if (now == NULL || now->kind != v->kind || v->kind == '?' || strcmp(v->text, now->text) != 0)
			return x->h;
	}
	return NULL;
}

const struct mm_mutt_doubt *mm_mutt_later_doubt(const struct mm_mutt_later *l, const char *var)
{
	for (size_t i = l->n; i-- > 0;) {
		const struct mm_mutt_doubt *d =
		    l->ran[i].header ? NULL : mm_mutt_doubt(&l->ran[i].after, var);

		if (d != NULL && d->seq > l->s->seq)
			return d;
	}
	return l->keys.path != NULL ? &l->keys : NULL;
}

/* Does the header line "From: ..." say something else? */
static bool other_from(const struct mm_mutt_state *s, const char *line, bool name)
{
	const char *said_name, *said, *ours_name, *ours, *from = mm_mutt_text(s, "from", "");

	if (strncasecmp(line, "From:", 5) != 0)
		return false;
	said = mm_mutt_mailbox(line + 5, s->r->arena, &said_name);
	ours = mm_mutt_mailbox(from != NULL ? from : "", s->r->arena, &ours_name);
	if (ours_name == NULL)
		ours_name = mm_mutt_text(s, "realname", "");
	return name ? said_name != NULL && !mm_streq(said_name, ours_name) : !mm_streq_nocase(said, ours);
}

const struct mm_mutt_hook *mm_mutt_later_from(const struct mm_mutt_later *l, bool name)
{
	for (size_t i = l->n; i-- > 0;)
		if (l->ran[i].header && other_from(l->s, l->ran[i].h->command, name))
			return l->ran[i].h;
	return NULL;
}

/* NAME=VALUE with a value that no command and no variable gives. */
static bool sets_in_clear(const char *command, const char *name)
{
	const char *at = command != NULL ? strstr(command, name) : NULL;

	if (at == NULL)
		return false;
	at += strlen(name);
	at += strspn(at, " ");
	if (*at++ != '=')
		return false;
	at += strspn(at, " \\\"'");
	return *at != '\0' && *at != '`' && *at != '$' && *at != ';';
}

void mm_mutt_later_passwords(const struct mm_mutt_state *s, struct mm_view *out)
{
	static const char *const names[] = {"imap_pass", "pop_pass", "smtp_pass"};

	for (size_t i = 0; i < s->n_hooks; i++)
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			if (sets_in_clear(s->hooks[i].command, names[k]))
				mm_add_trap(s->r->arena, out, MM_TRAP_PASSWORD, s->hooks[i].path,
				    s->hooks[i].line, "A password stands in clear text in the file.");
}
