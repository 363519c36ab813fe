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

const struct mm_mutt_var *mm_mutt_get(const struct mm_mutt_state *s, const char *name)
{
	for (size_t i = s->n_vars; i-- > 0;)
		if (strcmp(s->vars[i].name, name) == 0)
			return &s->vars[i];
	return NULL;
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
	struct mm_mutt_var *v = NULL;

	for (size_t i = 0; i < s->n_vars; i++)
		if (strcmp(s->vars[i].name, name) == 0)
			v = &s->vars[i];
	if (v == NULL)
		v = mm_arena_push(s->r->arena, &s->vars, &s->n_vars, &s->cap_vars, sizeof(*v));
	*v = (struct mm_mutt_var){.name = name, .kind = kind, .text = text, .path = path, .line = line};
}

static void forget(struct mm_mutt_state *s, const char *name)
{
	size_t w = 0;

	for (size_t i = 0; i < s->n_vars; i++)
		if (strcmp(name, "all") != 0 && strcmp(s->vars[i].name, name) != 0)
			s->vars[w++] = s->vars[i];
	s->n_vars = w;
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
	if (v != NULL && v->kind != 's' && v->kind != 'n')
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
		forget(s, name);
		return;
	case '+':
		kind = '?';
		break;
	default:
		return;
	}
	assign(s, name, kind, text, path, line);
}

/* `source WORD` as seen from the file `from`. NULL: a command, or not known. */
static const char *source_path(struct mm_mutt_state *s, const struct mm_mutt_word *w, const char *from)
{
	struct mm_arena *a = s->r->arena;
	const char *text;

	if (expand(s, w, &text) != 's' || text[0] == '\0' || mm_ends_with(text, "|"))
		return NULL;
	if (text[0] == '~' && text[1] == '/')
		return mm_home_path(s->r, text + 2);
	if (text[0] == '/')
		return text;
	return mm_arena_printf(a, "%s/%s", s->neomutt ? mm_path_dir(a, from) : s->r->home, text);
}

static int run_source(
    struct mm_mutt_state *s, const struct mm_mutt_cmd *c, const char *from, int line, struct mm_err *err)
{
	for (size_t i = 0; i < c->n_words; i++) {
		const char *path = source_path(s, &c->words[i], from);

		if (path == NULL)
			trap(s, from, line,
			    "Settings come from the output of a command here; it is not run to find out.");
		else if (mm_mutt_eval_file(s, path, err) != 0)
			return -1;
	}
	return 0;
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

static int run_command(
    struct mm_mutt_state *s, const struct mm_mutt_cmd *c, const char *path, int line, struct mm_err *err)
{
	for (size_t i = 0; i < c->n_sets; i++)
		run_set(s, &c->sets[i], path, line + c->sets[i].line - c->line);
	if (strcmp(c->name, "source") == 0)
		return run_source(s, c, path, line, err);
	if (strcmp(c->name, "my_hdr") == 0 || mm_ends_with(c->name, "-hook"))
		keep_hook(s, c, path, line);
	if (s->neomutt && strcmp(c->name, "finish") == 0)
		s->finished = true;
	return 0;
}

int mm_mutt_eval_text(
    struct mm_mutt_state *s, struct mm_text text, const char *path, int line, struct mm_err *err)
{
	struct mm_mutt_cmd *v;
	size_t n;
	int rc = 0;

	if (mm_muttrc_scan(text, s->r->arena, &v, &n, err) != 0)
		return mm_err_prefix(err, "%s", path);
	for (size_t i = 0; i < n && rc == 0 && !s->finished; i++)
		rc = run_command(s, &v[i], path, line > 0 ? line : v[i].line, err);
	s->finished = false;
	return rc;
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
		return 0;
	}
	if (s->depth >= MM_MUTT_DEPTH_MAX || s->files >= MM_MUTT_FILES_MAX) {
		trap(s, path, 0, "Too many files are included; the rest was not read.");
		return 0;
	}
	rc = mm_read_text(s->r, path, &text, err);
	if (rc <= 0)
		return rc;
	s->files++;
	s->reading[s->depth++] = path;
	rc = mm_mutt_eval_text(s, text, path, 0, err);
	s->depth--;
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

	if (mm_mutt_eval_file(s, global, err) != 0 ||
	    eval_folder(s, s->neomutt ? "/etc/neomuttrc.d" : "/etc/Muttrc.d", err) != 0)
		return -1;
	s->n_traps = s->n_hooks = 0; /* the system's own ways are no news */
	return mm_mutt_eval_file(s, path, err);
}
