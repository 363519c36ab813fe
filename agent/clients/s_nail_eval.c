/* Reading mailrc files one into the other, and what variables come to. */
#include <string.h>

#include "agent/clients/s_nail.h"
#include "agent/formats/mailrc.h"
#include "agent/formats/mailrc_lex.h"
#include "common/text.h"

#define FILES_MAX 16
#define EVENTS_MAX 4096 /* each costs a look at each variable */
#define SYSTEM_FILE "/etc/s-nail.rc"

static int walk(struct mm_snail_files *f, const char *path, bool v15, bool perhaps, struct mm_err *err);

static struct mm_snail_event *event(
    struct mm_snail_files *f, const char *path, const struct mm_item *it, bool v15)
{
	struct mm_snail_event *e = mm_arena_push(f->r->arena, &f->events, &f->n, &f->cap, sizeof(*f->events));
	bool perhaps = mm_starts_with(it->section, "\n?");
	const char *account = it->section + (perhaps ? 2 : 0);

	*e = (struct mm_snail_event){.account = account[0] != '\0' ? account : NULL,
	    .section = it->section,
	    .kind = it->kind,
	    .path = path,
	    .line = it->line,
	    .perhaps = perhaps,
	    .v15 = v15};
	return e;
}

/* A later account of a name takes the place of an earlier one. */
static void open_account(struct mm_snail_files *f, const char *name, const char *path, bool v15)
{
	for (size_t i = 0; i < f->n; i++)
		if (mm_streq(f->events[i].account, name))
			f->events[i].account = "";
	for (size_t i = 0; i < f->n_accounts; i++)
		if (mm_streq(f->accounts[i].name, name)) {
			f->accounts[i] = (struct mm_snail_account){.name = name, .path = path, .v15 = v15};
			return;
		}
	*(struct mm_snail_account *)mm_arena_push(f->r->arena, &f->accounts, &f->n_accounts, &f->cap_accounts,
	    sizeof(*f->accounts)) = (struct mm_snail_account){.name = name, .path = path, .v15 = v15};
}

static void trap(struct mm_snail_files *f, const char *path, int line, const char *text)
{
	if (f->view != NULL)
		mm_add_trap(f->r->arena, f->view, MM_TRAP_OTHER, path, line, text);
}

static bool is_account(const struct mm_snail_files *f, const char *name)
{
	for (size_t i = 0; i < f->n_accounts; i++)
		if (mm_streq(f->accounts[i].name, name))
			return true;
	return mm_streq_nocase(name, MM_SNAIL_NOBODY);
}

static int take_source(
    struct mm_snail_files *f, const char *path, const struct mm_item *it, bool v15, struct mm_err *err)
{
	const char *name = it->value;
	size_t n = strlen(name);

	if (n > 0 && name[n - 1] == '|') {
		event(f, path, it, v15);
		return 0;
	}
	if (name[0] == '~' && name[1] == '/')
		name = mm_home_path(f->r, name + 2);
	else if (mm_starts_with(name, "$HOME/"))
		name = mm_home_path(f->r, name + 6);
	if (name[0] != '/' || strpbrk(name, "$*?[") != NULL || f->count >= FILES_MAX) {
		event(f, path, it, v15);
		trap(f, path, it->line, "A file that is read here cannot be looked at.");
		return 0;
	}
	if (!mm_have_file(f->r, name)) {
		if (!mm_streq(it->key, "source_if"))
			trap(f, path, it->line, "A file that is to be read here is not there.");
		return 0;
	}
	return walk(f, name, mm_streq(it->key, "source-v15"), it->section[0] != '\0', err);
}

static int take_command(
    struct mm_snail_files *f, const char *path, const struct mm_item *it, bool v15, struct mm_err *err)
{
	static const char opaque[] = "call call_if xcall eval read readsh readall commandalias vput";

	if (mm_streq(it->key, "account") && it->section[0] != '\0' && it->value[0] == '\0')
		open_account(f, it->section, path, v15);
	else if (mm_streq(it->key, "source") || mm_streq(it->key, "source-v15") ||
		 mm_streq(it->key, "source_if"))
		return take_source(f, path, it, v15, err);
	else if (it->key[0] != '\0' && mm_among(opaque, it->key))
		event(f, path, it, v15);
	return 0;
}

static int take_item(
    struct mm_snail_files *f, const char *path, const struct mm_item *it, bool v15, struct mm_err *err)
{
	struct mm_snail_event *e;

	if (mm_starts_with(it->section, "\n="))
		return 0;
	if (it->kind == 'c')
		return take_command(f, path, it, v15, err);
	e = event(f, path, it, v15);
	e->name = it->key;
	e->value = it->kind == 'b' && mm_streq(it->value, "no") ? NULL : it->kind == 'b' ? "" : it->value;
	if (mm_streq(it->key, MM_MAILRC_ENTER) && !is_account(f, it->value)) {
		trap(f, path, it->line, "This account is not defined: s-nail does not enter it.");
	} else if (mm_streq(it->key, MM_MAILRC_ENTER)) {
		f->entered = mm_streq_nocase(it->value, MM_SNAIL_NOBODY) ? NULL : it->value;
		f->entered_at = f->n - 1;
	}
	return 0;
}

static int walk(struct mm_snail_files *f, const char *path, bool v15, bool perhaps, struct mm_err *err)
{
	struct mm_doc d;
	size_t first = f->n;

	f->count++;
	if (mm_load_doc(f->r, path, v15 ? &mm_format_mailrc_v15 : &mm_format_mailrc, &d, err) != 0)
		return -1;
	for (size_t i = 0; i < d.n; i++)
		if (take_item(f, path, &d.items[i], v15, err) != 0)
			return -1;
	if (f->n > EVENTS_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "%s: more than %d settings", path, EVENTS_MAX);
	for (size_t i = first; perhaps && i < f->n; i++)
		f->events[i].perhaps = true;
	return 0;
}

int mm_snail_load(
    struct mm_snail_files *f, struct mm_reader *r, const char *path, struct mm_view *view, struct mm_err *err)
{
	*f = (struct mm_snail_files){.r = r, .view = view, .main = path};
	if (mm_have_file(r, SYSTEM_FILE) && walk(f, SYSTEM_FILE, false, false, err) != 0)
		return -1;
	return walk(f, path, false, false, err);
}

/* ---- variables */

const struct mm_snail_var *mm_snail_get(const struct mm_snail_env *e, const char *name)
{
	for (size_t i = 0; i < e->n; i++)
		if (mm_streq(e->v[i].name, name))
			return &e->v[i];
	return NULL;
}

static const char *lookup(const void *ctx, const char *name)
{
	const struct mm_snail_env *e = ctx;
	const struct mm_snail_var *v = mm_snail_get(e, name);

	if (v != NULL)
		return v->set->perhaps ? NULL : v->value;
	return mm_streq(name, "HOME") ? e->f->r->home : NULL;
}

static void carry_out(struct mm_snail_env *e, const struct mm_snail_event *ev, bool after)
{
	struct mm_arena *a = e->f->r->arena;
	struct mm_snail_var *v = NULL;

	e->steps++;
	if (ev->name == NULL) {
		e->opaque = ev;
		e->opaque_step = e->steps;
		return;
	}
	if (ev->name[0] == ':')
		return;
	for (size_t i = 0; i < e->n; i++)
		if (mm_streq(e->v[i].name, ev->name))
			v = &e->v[i];
	if (ev->value == NULL && !ev->perhaps) {
		if (v != NULL)
			*v = e->v[--e->n];
		return;
	}
	if (v == NULL)
		v = mm_arena_push(a, &e->v, &e->n, &e->cap, sizeof(*e->v));
	*v = (struct mm_snail_var){
	    .name = ev->name, .value = ev->value, .set = ev, .after = after, .step = e->steps};
	if (ev->kind == 'v')
		v->value = mm_mailrc_decode(ev->value, true, lookup, e, a);
}

static void carry_out_account(struct mm_snail_env *e)
{
	for (size_t i = 0; i < e->f->n; i++)
		if (mm_streq(e->f->events[i].account, e->account))
			carry_out(e, &e->f->events[i], false);
}

struct mm_snail_env mm_snail_env(struct mm_snail_files *f, const char *account)
{
	struct mm_snail_env e = {.f = f, .account = account};
	bool entered = f->entered != NULL && mm_streq(f->entered, account);
	const struct mm_snail_var *v15;

	for (size_t i = 0; i < f->n; i++) {
		if (entered && i == f->entered_at)
			carry_out_account(&e);
		if (f->events[i].account == NULL)
			carry_out(&e, &f->events[i], entered && i > f->entered_at);
	}
	if (!entered)
		carry_out_account(&e);
	v15 = mm_snail_get(&e, "v15-compat");
	e.v15 = v15 != NULL;
	return e;
}

const struct mm_snail_var *mm_snail_chain(
    const struct mm_snail_env *e, const char *name, const char *user, const struct mm_mail_url *u)
{
	struct mm_arena *a = e->f->r->arena;
	const char *host = u->port != NULL ? mm_arena_printf(a, "%s:%s", u->host, u->port) : u->host;
	const struct mm_snail_var *v = NULL;

	if (user != NULL)
		v = mm_snail_get(e, mm_arena_printf(a, "%s-%s@%s", name, user, host));
	if (v == NULL)
		v = mm_snail_get(e, mm_arena_printf(a, "%s-%s", name, host));
	return v != NULL ? v : mm_snail_get(e, name);
}
