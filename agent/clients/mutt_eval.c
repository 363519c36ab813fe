#include "agent/clients/mutt_eval.h"

#include <string.h>

#include "agent/clients/adapter.h"
#include "agent/formats/muttrc.h"
#include "common/text.h"

/* neomutt's names -> mutt's, which neomutt takes, too. */
static const struct {
	const char *neo, *name;
} renamed[] = {
    {"real_name", "realname"}, {"spool_file", "spoolfile"}, {"pop_check_interval", "pop_checkinterval"}};

static const char *canonical(const char *name)
{
	for (size_t i = 0; i < sizeof(renamed) / sizeof(renamed[0]); i++)
		if (strcmp(renamed[i].neo, name) == 0)
			return renamed[i].name;
	return name;
}

static struct mm_mutt_var *slot(const struct mm_mutt_state *s, const char *name)
{
	for (size_t i = s->n_vars; i-- > 0;)
		if (strcmp(s->vars[i].name, name) == 0)
			return &s->vars[i];
	return NULL;
}

const struct mm_mutt_var *mm_mutt_get(const struct mm_mutt_state *s, const char *name)
{
	const struct mm_mutt_var *v = slot(s, name);

	return v != NULL && v->kind != 'd' ? v : NULL;
}

const struct mm_mutt_var *mm_mutt_reset(const struct mm_mutt_state *s, const char *name)
{
	const struct mm_mutt_var *v = slot(s, name);

	return v != NULL && v->kind == 'd' ? v : NULL;
}

const struct mm_mutt_doubt *mm_mutt_doubt(const struct mm_mutt_state *s, const char *name)
{
	const struct mm_mutt_var *v = slot(s, name);

	if (s->behind.path != NULL && (v == NULL || v->seq < s->behind.seq))
		return &s->behind;
	return v != NULL && v->maybe.path != NULL ? &v->maybe : NULL;
}

const char *mm_mutt_text(const struct mm_mutt_state *s, const char *name, const char *dflt)
{
	const struct mm_mutt_var *v = mm_mutt_get(s, name);

	if (v == NULL)
		return dflt;
	return v->kind == 's' ? v->text : v->kind == 'n' ? "" : NULL;
}

static void assign(
    struct mm_mutt_state *s, const char *name, char kind, const char *text, const char *path, int line)
{
	struct mm_mutt_var *v = slot(s, name);

	if (s->cond.path != NULL && v != NULL && !mm_streq(path, s->own)) {
		/* No other than without the condition, or perhaps another. */
		if (v->kind != kind || !mm_streq(v->text, text))
			v->maybe = s->cond;
		return;
	}
	if (v == NULL)
		v = mm_arena_push(s->r->arena, &s->vars, &s->n_vars, &s->cap_vars, sizeof(*v));
	*v = (struct mm_mutt_var){.name = name,
	    .kind = kind,
	    .text = text,
	    .path = path,
	    .line = line,
	    .seq = ++s->seq,
	    .maybe = s->cond};
}

static void reset(struct mm_mutt_state *s, const char *name, const char *path, int line)
{
	bool all = strcmp(name, "all") == 0;

	for (size_t i = 0; all && i < s->n_vars; i++)
		assign(s, s->vars[i].name, 'd', "", path, line);
	if (!all)
		assign(s, name, 'd', "", path, line);
	else if (s->cond.path == NULL)
		s->behind.path = NULL;
}

/* From here on anything may be set otherwise. */
static void doubt(struct mm_mutt_state *s, const char *path, int line, const char *why)
{
	s->behind = (struct mm_mutt_doubt){.path = path, .line = line, .why = why, .seq = ++s->seq};
}

static void trap(struct mm_mutt_state *s, const char *path, int line, const char *text)
{
	struct mm_trap *t = mm_arena_push(s->r->arena, &s->traps, &s->n_traps, &s->cap_traps, sizeof(*t));

	*t = (struct mm_trap){.path = path, .line = line, .text = text};
}

/* $name: the environment first, then what is set (init.c, both programs). */
static char expand_variable(struct mm_mutt_state *s, const char *name, struct mm_buf *b)
{
	const char *env = s->r->env(s->r, name);
	const struct mm_mutt_var *v = mm_mutt_get(s, canonical(name));

	if (env == NULL && strcmp(name, "HOME") == 0)
		env = s->r->home;
	if (env == NULL && strcmp(name, "USER") == 0)
		env = s->r->login;
	if (env != NULL) {
		mm_buf_adds(b, env);
		return 's';
	}
	if ((v != NULL && v->kind != 's' && v->kind != 'n') || mm_mutt_doubt(s, canonical(name)) != NULL)
		return '?';
	/* It may be in the environment that the user will have, or built in. */
	if (v == NULL && !mm_starts_with(name, "my_"))
		return '?';
	if (v != NULL && v->kind == 's')
		mm_buf_adds(b, v->text);
	else if (v == NULL && s->neomutt)
		mm_buf_addf(b, "$%s", name);
	return 's';
}

/* Kind 's', 'e' or '?'; the text is what is known of it. */
static char expand(struct mm_mutt_state *s, const struct mm_mutt_word *w, const char **text)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	char kind = 's';

	if (w->kind == 'e') {
		*text = w->parts[0].text;
		return 'e';
	}
	for (size_t i = 0; i < w->n_parts; i++) {
		const struct mm_mutt_part *p = &w->parts[i];

		if (p->kind == 'l')
			mm_buf_adds(&b, p->text);
		else if (p->kind == '`' || expand_variable(s, p->text, &b) == '?')
			kind = '?';
	}
	*text = kind == 's' ? mm_arena_strdup(s->r->arena, mm_buf_str(&b)) : w->text;
	mm_buf_free(&b);
	return kind;
}

/* Folders are taken relative to `folder` at the moment they are set (init.c,
 * DT_PATH): a later change of `folder` does not move them. */
static const char *expand_folder(struct mm_mutt_state *s, const char *name, const char *text)
{
	static const char *const folders[] = {"spoolfile", "record", "postponed", "trash", "mbox", NULL};
	const char *base = mm_mutt_text(s, "folder", "~/Mail");
	size_t n;

	if ((text[0] != '+' && text[0] != '=') || base == NULL)
		return text;
	for (size_t i = 0; folders[i] != NULL; i++)
		if (strcmp(folders[i], name) == 0) {
			n = strlen(base);
			return mm_arena_printf(
			    s->r->arena, "%s%s%s", base, n > 0 && base[n - 1] == '/' ? "" : "/", text + 1);
		}
	return text;
}

static bool is_yes(const struct mm_mutt_state *s, const char *name)
{
	const char *t = mm_mutt_text(s, name, "no");

	return t != NULL && mm_streq_nocase(t, "yes");
}

static void run_set(struct mm_mutt_state *s, const struct mm_mutt_set *set, const char *path, int line)
{
	const char *name = canonical(set->name), *text = "";
	char kind = 's';

	switch (set->op) {
	case '=':
		kind = expand(s, &set->value, &text);
		if (kind == 's')
			text = expand_folder(s, name, text);
		break;
	case 'y':
		text = "yes";
		break;
	case 'n':
		kind = 'n';
		text = "no";
		break;
	case '!':
		text = is_yes(s, name) ? "no" : "yes";
		break;
	case 'r':
		reset(s, name, path, line);
		return;
	case '+':
		kind = '?';
		break;
	default:
		return;
	}
	assign(s, name, kind, text, path, line);
}

/* What a distribution's own file reads through a helper: eval_folder() does. */
static bool is_distributions(const char *text, const char *from)
{
	return (mm_streq(from, "/etc/Muttrc") && mm_streq(text, "/usr/lib/mutt/source-muttrc.d|")) ||
	       (mm_streq(from, "/etc/neomuttrc") &&
		   mm_streq(text, "/usr/libexec/neomutt/source-neomuttrc.d|"));
}

/* A file that is included: what is wrong with it is no reason to see nothing. */
static void include(struct mm_mutt_state *s, const char *path, const char *from, int line)
{
	struct mm_err err = MM_ERR_NONE;

	if (mm_mutt_eval_file(s, path, &err) == 0)
		return;
	trap(
	    s, from, line, mm_arena_printf(s->r->arena, "What is included here was not read: %s.", err.text));
	doubt(s, from, line, "a file that cannot be read is included there");
}

/* A relative path: neomutt takes it from the file that has it, mutt from
 * where it was started, which is the home for those with whom it works. */
static void include_relative(struct mm_mutt_state *s, const char *text, const char *from, int line)
{
	struct mm_arena *a = s->r->arena;
	const char *path = mm_arena_printf(a, "%s/%s", s->neomutt ? mm_path_dir(a, from) : s->r->home, text);

	if (s->neomutt || mm_have_file(s->r, path))
		include(s, path, from, line);
	else
		doubt(s, from, line, "a file is included whose folder depends on where mutt is started");
}

static void run_source(struct mm_mutt_state *s, const struct mm_mutt_cmd *c, const char *from, int line)
{
	for (size_t i = 0; i < c->n_words; i++) {
		const char *text;
		char kind = expand(s, &c->words[i], &text);

		if (kind == 's' && (text[0] == '\0' || is_distributions(text, from)))
			continue;
		if (kind == 's' && mm_ends_with(text, "|")) {
			trap(s, from, line,
			    "Settings come from the output of a command here; it is not run to find out.");
			doubt(s, from, line, "the output of a command is read there");
		} else if (kind != 's' || strchr("=+^!<>@-", text[0]) != NULL ||
			   (text[0] == '~' && text[1] != '/')) {
			trap(s, from, line, "Which file is included here is not known.");
			doubt(s, from, line, "which file is included there is not known");
		} else if (text[0] == '/' || text[0] == '~') {
			include(s, text[0] == '/' ? text : mm_home_path(s->r, text + 2), from, line);
		} else {
			include_relative(s, text, from, line);
		}
	}
}

/* neomutt's hooks on its own coming, going and waiting. */
static bool is_bare_hook(const char *name)
{
	return strcmp(name, "startup-hook") == 0 || strcmp(name, "timeout-hook") == 0 ||
	       strcmp(name, "shutdown-hook") == 0;
}

static void keep_hook(struct mm_mutt_state *s, const struct mm_mutt_cmd *c, const char *path, int line)
{
	bool bare = is_bare_hook(c->name), header = bare || strcmp(c->name, "my_hdr") == 0;
	struct mm_mutt_hook *h;

	if (c->n_words == 0 || (!header && c->n_words < 2) || (bare && !s->neomutt))
		return;
	h = mm_arena_push(s->r->arena, &s->hooks, &s->n_hooks, &s->cap_hooks, sizeof(*h));
	*h = (struct mm_mutt_hook){.name = c->name, .path = path, .line = line};
	if (!header)
		expand(s, &c->words[0], &h->pattern);
	expand(s, &c->words[c->n_words - 1], &h->command);
}

/* Keys that mutt is to type, and what keys may mean. */
static void keep_keys(struct mm_mutt_state *s, const struct mm_mutt_cmd *c, const char *path, int line)
{
	bool keys = strcmp(c->name, "push") != 0 && strcmp(c->name, "exec") != 0;
	size_t first = keys ? 2 : 0; /* behind the menu and the key */

	for (size_t i = first; i < c->n_words; i++) {
		struct mm_mutt_hook *h =
		    mm_arena_push(s->r->arena, &s->hooks, &s->n_hooks, &s->cap_hooks, sizeof(*h));

		*h = (struct mm_mutt_hook){.name = c->name, .path = path, .line = line};
		if (keys)
			expand(s, &c->words[1], &h->pattern);
		if (expand(s, &c->words[i], &h->command) != 's')
			h->command = ":"; /* anything */
		if (keys)
			return;
	}
}

static void run_command(struct mm_mutt_state *s, const struct mm_mutt_cmd *c, const char *path, int line);

/* neomutt: `ifdef NAME COMMAND`. Which names there are depends on how it was
 * built: the command may be run, or not. */
static void run_condition(struct mm_mutt_state *s, const struct mm_mutt_cmd *c, const char *path, int line)
{
	struct mm_mutt_doubt outer = s->cond;
	struct mm_mutt_cmd *v;
	const char *text;
	size_t n;

	if (c->n_words < 2)
		return;
	if (outer.path == NULL)
		s->cond = (struct mm_mutt_doubt){
		    .path = path, .line = line, .why = "it depends on a condition there", .seq = ++s->seq};
	if (s->conditions >= MM_MUTT_DEPTH_MAX || expand(s, &c->words[1], &text) != 's' ||
	    mm_muttrc_scan((struct mm_text){.p = text, .n = strlen(text)}, s->r->arena, &v, &n, NULL) != 0) {
		doubt(s, path, line, "a command under a condition there is not known");
		n = 0;
	}
	s->conditions++;
	for (size_t i = 0; i < n && !s->cond_finish; i++) {
		if (strcmp(v[i].name, "finish") == 0)
			s->cond_finish = true;
		else
			run_command(s, &v[i], path, line);
	}
	s->conditions--;
	if (!s->cond_finish)
		s->cond = outer;
}

static void run_command(struct mm_mutt_state *s, const struct mm_mutt_cmd *c, const char *path, int line)
{
	for (size_t i = 0; i < c->n_sets; i++)
		run_set(s, &c->sets[i], path, s->conditions > 0 ? line : line + c->sets[i].line - c->line);
	if (strcmp(c->name, "source") == 0)
		run_source(s, c, path, line);
	else if (strcmp(c->name, "my_hdr") == 0 || mm_ends_with(c->name, "-hook"))
		keep_hook(s, c, path, line);
	else if (strcmp(c->name, "push") == 0 || strcmp(c->name, "exec") == 0 ||
		 strcmp(c->name, "macro") == 0 || strcmp(c->name, "bind") == 0)
		keep_keys(s, c, path, line);
	else if (!s->neomutt)
		return;
	else if (strcmp(c->name, "finish") == 0)
		s->finished = true;
	else if (strcmp(c->name, "ifdef") == 0 || strcmp(c->name, "ifndef") == 0)
		run_condition(s, c, path, line);
	else if (strcmp(c->name, "lua") == 0 || strcmp(c->name, "lua-source") == 0)
		doubt(s, path, line, "a program in Lua is run there");
}

int mm_mutt_eval_text(
    struct mm_mutt_state *s, struct mm_text text, const char *path, int line, struct mm_err *err)
{
	struct mm_mutt_cmd *v;
	size_t n;
	struct mm_mutt_doubt outer = s->cond;

	if (mm_muttrc_scan(text, s->r->arena, &v, &n, err) != 0)
		return mm_err_prefix(err, "%s", path);
	for (size_t i = 0; i < n && !s->finished; i++) {
		run_command(s, &v[i], path, line > 0 ? line : v[i].line);
		s->cond_finish = false; /* the condition stays for the rest of the file */
	}
	s->finished = false;
	s->cond = outer;
	return 0;
}

static bool is_reading(const struct mm_mutt_state *s, const char *path)
{
	for (int i = 0; i < s->depth; i++)
		if (strcmp(s->reading[i], path) == 0)
			return true;
	return false;
}

int mm_mutt_eval_file(struct mm_mutt_state *s, const char *path, struct mm_err *err)
{
	struct mm_text text;
	int rc;

	if (is_reading(s, path)) {
		trap(s, path, 0, "The file includes itself.");
		doubt(s, path, 0, "the file includes itself");
		return 0;
	}
	if (s->depth >= MM_MUTT_DEPTH_MAX || s->files >= MM_MUTT_FILES_MAX) {
		trap(s, path, 0, "Too many files are included; the rest was not read.");
		doubt(s, path, 0, "the file was not read, since too many are included");
		return 0;
	}
	rc = mm_read_text(s->r, path, &text, err);
	if (rc <= 0)
		return rc;
	s->files++;
	s->reading[s->depth++] = path;
	rc = mm_mutt_eval_text(s, text, path, 0, err);
	s->depth--;
	if (mm_streq(path, s->own))
		s->own_seq = ++s->seq;
	return rc;
}

/* /etc/Muttrc reads its folder through a helper program of Debian's. */
static int eval_folder(struct mm_mutt_state *s, const char *dir, struct mm_err *err)
{
	const char *const *names;
	int rc = s->r->list(s->r, dir, &names, NULL);

	if (rc <= 0)
		return 0;
	for (size_t i = 0; names[i] != NULL; i++)
		if (mm_ends_with(names[i], ".rc") &&
		    mm_mutt_eval_file(s, mm_arena_printf(s->r->arena, "%s/%s", dir, names[i]), err) != 0)
			return -1;
	return 0;
}

int mm_mutt_eval(struct mm_mutt_state *s, const char *path, struct mm_err *err)
{
	const char *global = s->neomutt ? "/etc/neomuttrc" : "/etc/Muttrc";
	const char *folder = s->neomutt ? "/etc/neomuttrc.d" : "/etc/Muttrc.d";

	if (mm_mutt_eval_file(s, global, err) != 0 || eval_folder(s, folder, err) != 0)
		return -1;
	s->n_traps = 0; /* the system's own ways are no news */
	if (mm_streq(mm_path_dir(s->r->arena, path), folder))
		return 0; /* one of these, in its turn */
	return mm_mutt_eval_file(s, path, err);
}
