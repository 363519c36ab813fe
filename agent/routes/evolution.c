/*
 * Evolution for everybody: templates of evolution-data-server's own autoconfig
 * (evolution-source-registry-autoconfig.c of 3.46.4, with the program). At the
 * start of a user's registry each template becomes a source of the user's; one
 * whose revision is another than the copy's comes over it again, and with a
 * template its copies go. What the user changes in a copy holds until then.
 *
 * The login is ${USER}, which the registry replaces when it copies.
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/evolution.h"
#include "agent/clients/keys.h"
#include "agent/routes/route.h"
#include "common/buf.h"
#include "common/digest.h"
#include "common/text.h"

#define FOLDER "/etc/xdg/evolution-data-server/autoconfig"
#define GROUP "Autoconfig"
#define REVISION "Revision"
#define LOGIN "${USER}"

static const char *const dirs[] = {FOLDER, NULL};

/* ---- as a client */

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *const *names;
	const struct mm_place p = {.path = FOLDER, .label = "", .exists = true, .in_use = true};
	(void)create;
	*places = NULL;
	*n = 0;
	if (r->program(r, "evolution") || r->list(r, FOLDER, &names, err) == 1)
		mm_add_place(r->arena, places, n, &p);
	return 0;
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	return mm_client_evolution.read(r, p, out, err);
}

/* Another one with everything that changes, and never the one that is there. */
static const char *revision_of(struct mm_reader *r, const struct mm_file_edit *f)
{
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	struct mm_doc d;
	struct mm_err none;
	char hex[MM_SHA256_HEX];
	int64_t n = 0;
	const char *now = NULL;
	if (mm_load_doc(r, f->path, f->format, &d, &none) == 0)
		now = mm_keyfile_get(&d, GROUP, REVISION);
	mm_buf_addf(&b, "%s\n", now != NULL ? now : "");
	for (size_t i = 0; i < f->n; i++)
		mm_buf_addf(&b, "%s/%s=%s\n", f->edits[i].section,
		    f->edits[i].key != NULL ? f->edits[i].key : "",
		    f->edits[i].value != NULL ? f->edits[i].value : "");
	mm_sha256_hex(mm_buf_str(&b), b.len, hex);
	mm_buf_free(&b);
	for (size_t i = 0; i < 7; i++)
		n = n * 16 + (hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
	return mm_arena_printf(r->arena, "%lld", (long long)n + 1);
}

static bool has_group(struct mm_reader *r, const struct mm_file_edit *f)
{
	struct mm_doc d;
	struct mm_err none;
	if (mm_load_doc(r, f->path, f->format, &d, &none) != 0)
		return false;
	for (size_t i = 0; i < d.n; i++)
		if (d.items[i].kind == 'c' && mm_streq(d.items[i].section, GROUP))
			return true;
	return false;
}

static void mark(struct mm_reader *r, struct mm_file_edit *f)
{
	struct mm_edit_list l = {0};
	if (f->n == 0)
		return;
	const char *revision = revision_of(r, f);
	for (size_t i = 0; i < f->n; i++)
		mm_want_edit(&l, r->arena, f->edits[i].op, f->edits[i].section, f->edits[i].key,
		    f->edits[i].kind, f->edits[i].value);
	if (!has_group(r, f))
		mm_want_edit(&l, r->arena, MM_EDIT_SECTION_ADD, GROUP, "", 's', NULL);
	mm_want_set(&l, r->arena, GROUP, REVISION, revision);
	f->edits = l.v;
	f->n = l.n;
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct mm_change plain = *ch;
	if (ch->label != NULL && strstr(ch->label, "${") != NULL)
		plain.label = ch->account;
	if (mm_client_evolution.change(r, p, now, &plain, out, err) != 0)
		return -1;
	for (size_t i = 0; i < out->n; i++) {
		if (out->files[i].create_mode != 0)
			out->files[i].create_mode = 0644;
		if (ch->kind != MM_CHANGE_REMOVE)
			mark(r, &out->files[i]);
	}
	return 0;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	const char *why = mm_route_no_login(s, value);
	if (why == NULL && strstr(value, "${") != NULL)
		why = "\"${\" would be taken for a variable here.";
	return why != NULL ? why : mm_client_evolution.unsupported(s, value, all);
}

/* ---- the user's copies */

static int home(struct mm_reader *user, struct mm_view *view, struct mm_err *err)
{
	const char *copies = mm_config_path(user, "evolution/sources");
	const struct mm_place p = {.path = copies, .label = "", .exists = true, .in_use = true};
	struct mm_view own;
	size_t n = strlen(copies);
	if (mm_client_evolution.read(user, &p, &own, err) != 0)
		return -1;
	for (size_t i = 0; i < view->n; i++) {
		const struct mm_seen_account *copy = mm_seen_named(&own, view->accounts[i].key);
		for (int s = 0; copy != NULL && s < MM_SET_COUNT; s++) {
			const struct mm_seen *mine = &copy->s[s];
			if (mine->path != NULL && strncmp(mine->path, copies, n) == 0)
				mm_route_won(
				    &view->accounts[i].s[s], mine, mine->path, "the user's own copy");
		}
	}
	return 0;
}

const struct mm_client mm_route_client_evolution = {
    .name = "evolution",
    .label = "Evolution",
    .programs = (const char *const[]){"evolution", NULL},
    .incoming = true,
    .outgoing = true,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};

const struct mm_route mm_route_evolution = {
    .client = &mm_route_client_evolution,
    .dirs = dirs,
    .login = LOGIN,
    .whole = true,
    .home = home,
};
