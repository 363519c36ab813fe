/*
 * mutt and neomutt for everybody: a file of ours among those that the
 * system's configuration reads (/etc/Muttrc by Debian's helper, all of
 * /etc/Muttrc.d in the order of names). What the user's own files set comes
 * later and wins (mutt 2.2.12, neomutt 20220429, with the programs).
 *
 * The login is ${USER}: both replace it when the line is read, within a
 * command the shell does it as well as they.
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/mutt.h"
#include "agent/clients/sh.h"
#include "agent/routes/route.h"
#include "common/text.h"

#define LOGIN "${USER}"

static const char *const no_files[] = {NULL};
static const struct mm_mutt_kind mutt_kind = {.name = "mutt",
    .program = "mutt",
    .own = "/etc/Muttrc.d/zz-mailmuster.rc",
    .block = "",
    .files = no_files};
static const struct mm_mutt_kind neomutt_kind = {.name = "neomutt",
    .program = "neomutt",
    .neomutt = true,
    .own = "/etc/neomuttrc.d/zz-mailmuster.rc",
    .block = "neomutt",
    .files = no_files};

static const char *const mutt_dirs[] = {"/etc/Muttrc.d/zz-mailmuster.rc", NULL};
static const char *const neomutt_dirs[] = {"/etc/neomuttrc.d/zz-mailmuster.rc", NULL};

/* ---- as clients */

static int find_mutt(
    struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	(void)create;
	(void)err;
	return mm_route_place(r, mutt_kind.program, mutt_kind.own, places, n);
}

static int find_neomutt(
    struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	(void)create;
	(void)err;
	return mm_route_place(r, neomutt_kind.program, neomutt_kind.own, places, n);
}

/* Where a file that is read behind ours has the last word. */
static void see_later(struct mm_view *v, const char *own)
{
	size_t folder = (size_t)(strrchr(own, '/') - own) + 1;
	for (int s = 0; s < MM_SET_COUNT && v->n > 0; s++) {
		struct mm_seen *seen = &v->accounts[0].s[s];
		if (seen->path == NULL || strncmp(seen->path, own, folder) != 0 ||
		    strcmp(seen->path, own) <= 0)
			continue;
		seen->over_path = seen->path;
		seen->over_line = seen->line;
		seen->over_by = "a file that is read later";
		seen->over_holds = true;
	}
}

static int read_mutt(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	if (mm_mutt_read(r, &mutt_kind, p, out, err) != 0)
		return -1;
	see_later(out, mutt_kind.own);
	return 0;
}

static int read_neomutt(
    struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	if (mm_mutt_read(r, &neomutt_kind, p, out, err) != 0)
		return -1;
	see_later(out, neomutt_kind.own);
	return 0;
}

static void for_everybody(struct mm_edits *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->files[i].create_mode != 0)
			e->files[i].create_mode = 0644;
}

static int change_mutt(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *c, struct mm_edits *out, struct mm_err *err)
{
	int rc = mm_mutt_change(r, &mutt_kind, p, now, c, out, err);
	if (rc == 0)
		for_everybody(out);
	return rc;
}

static int change_neomutt(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *c, struct mm_edits *out, struct mm_err *err)
{
	int rc = mm_mutt_change(r, &neomutt_kind, p, now, c, out, err);
	if (rc == 0)
		for_everybody(out);
	return rc;
}

/* What goes in base64 is not looked into by anybody. */
static bool is_hidden(enum mm_setting s, const char *value)
{
	struct mm_arena *a = mm_arena_new();
	const char *line = mm_setting_def(s)->type == MM_TYPE_ARGV ? mm_sh_line(value, a, NULL) : NULL;
	bool hidden =
	    line != NULL && strstr(line, MM_SYSTEM_LOGIN) != NULL && strpbrk(line, "\\$`'\"") != NULL;
	mm_arena_free(a);
	return hidden;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	const char *why = mm_route_no_login(s, value);
	if (why != NULL)
		return why;
	if (is_hidden(s, value))
		return "A command with a login in it has to do without blanks, quotes, $ and \\ in its "
		       "arguments "
		       "here.";
	return mm_client_mutt.unsupported(s, value, all);
}

/* ---- the user's own files */

static bool is_systems(const struct mm_seen *s)
{
	return s->path == NULL || mm_starts_with(s->path, "/etc/");
}

/* Everything read as the program does, the system's files first. */
static int home(const struct mm_route *route, const struct mm_client *cl, struct mm_reader *user,
    struct mm_view *view, struct mm_err *err)
{
	struct mm_reader *r = mm_route_reader(route, user);
	struct mm_place *places;
	struct mm_view own;
	size_t n;
	if (cl->find(user, false, &places, &n, err) != 0)
		return -1;
	if (n == 0 || view->n == 0)
		return 0;
	if (cl->read(r, &places[0], &own, err) != 0)
		return -1;
	mm_route_personal(&own, user->login, user->arena);
	for (int s = 0; s < MM_SET_COUNT && own.n > 0; s++) {
		struct mm_seen *mine = &own.accounts[0].s[s], *shared = &view->accounts[0].s[s];
		if (!is_systems(mine)) {
			mm_route_won(shared, mine, places[0].path, "the user's own file");
		} else if (mine->over_path != NULL && !mm_starts_with(mine->over_path, "/etc/")) {
			const char *value = shared->value;
			*shared = *mine;
			shared->value = mine->over_holds ? mine->value : value;
		} else if (mine->unsure_path != NULL) {
			shared->unsure_path = mine->unsure_path;
			shared->unsure_line = mine->unsure_line;
			shared->unsure_why = mine->unsure_why;
		}
	}
	return 0;
}

static int home_mutt(struct mm_reader *user, struct mm_view *view, struct mm_err *err)
{
	return home(&mm_route_mutt, &mm_client_mutt, user, view, err);
}

static int home_neomutt(struct mm_reader *user, struct mm_view *view, struct mm_err *err)
{
	return home(&mm_route_neomutt, &mm_client_neomutt, user, view, err);
}

const struct mm_client mm_route_client_mutt = {
    .name = "mutt",
    .label = "mutt",
    .programs = (const char *const[]){"mutt", NULL},
    .incoming = true,
    .outgoing = true,
    .unsupported = unsupported,
    .find = find_mutt,
    .read = read_mutt,
    .change = change_mutt,
};

const struct mm_client mm_route_client_neomutt = {
    .name = "neomutt",
    .label = "NeoMutt",
    .programs = (const char *const[]){"neomutt", NULL},
    .incoming = true,
    .outgoing = true,
    .unsupported = unsupported,
    .find = find_neomutt,
    .read = read_neomutt,
    .change = change_neomutt,
};

const struct mm_route mm_route_mutt = {
    .client = &mm_route_client_mutt,
    .dirs = mutt_dirs,
    .login = LOGIN,
    .home = home_mutt,
};

const struct mm_route mm_route_neomutt = {
    .client = &mm_route_client_neomutt,
    .dirs = neomutt_dirs,
    .login = LOGIN,
    .home = home_neomutt,
};
