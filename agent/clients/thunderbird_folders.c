/*
 * Folder roles. Sent mail and drafts are preferences of the identity, with the
 * address of the folder (imap://USER@HOST/PATH, the user percent-encoded, the
 * path as IMAP has it on the wire, and no byte of it escaped) and a picker's mode
 * that says "another folder" ("1"; with "0" the settings page writes its own
 * back). Trash is a path alone, of the server; junk an address, which counts with
 * moveTargetMode 1. Nothing here moves or empties anything by itself.
 *
 * Sources: MailUtils, nsImapMailFolder.cpp, nsMsgUtils.cpp (escapes),
 * nsSpamSettings.cpp; what 153.7.0esr makes of them.
 */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "agent/clients/folder.h"
#include "agent/clients/thunderbird.h"
#include "common/text.h"

static const struct row {
	enum mm_setting s;
	enum mm_tb_unit unit;
	const char *name;
	const char *mode; /* what else has to be 1, or NULL */
	char kind;        /* of the mode */
	bool address;
} rows[] = {
    {MM_SET_FOLDER_SENT, MM_TB_IDENTITY, "fcc_folder", "fcc_folder_picker_mode", 's', true},
    {MM_SET_FOLDER_DRAFTS, MM_TB_IDENTITY, "draft_folder", "drafts_folder_picker_mode", 's', true},
    {MM_SET_FOLDER_TRASH, MM_TB_SERVER, "trash_folder_name", NULL, 0, false},
    {MM_SET_FOLDER_JUNK, MM_TB_SERVER, "spamActionTargetFolder", "moveTargetMode", 'i', true},
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* Only folder settings come here. */
static const struct row *row_of(enum mm_setting s)
{
	size_t i = 0;

	while (i + 1 < N_ROWS && rows[i].s != s)
		i++;
	assert(rows[i].s == s);
	return &rows[i];
}

enum mm_tb_unit mm_tb_folder_unit(enum mm_setting s)
{
	return row_of(s)->unit;
}

static const char *server_text(const struct mm_tb_prefs *t, const char *server, const char *name)
{
	return mm_tb_text(t, mm_tb_key(t->a, MM_TB_SERVER, server, name));
}

/* nsINetUtil's set XALPHAS. */
static const char *root(struct mm_arena *a, const char *host, const char *user)
{
	return mm_arena_printf(a, "imap://%s@%s/", mm_percent(user, "*-._", a), host);
}

static const char *below(const char *uri, const char *root)
{
	const char *at = strchr(root, '@'), *p = strchr(uri, '@');
	size_t user, host;

	if (at == NULL || p == NULL)
		return NULL;
	user = (size_t)(at - root);
	host = strlen(at);
	/* The host in any case. */
	if ((size_t)(p - uri) != user || strncmp(uri, root, user) != 0 || strncasecmp(p, at, host) != 0)
		return NULL;
	return p + host;
}

/* Names of servers that speak UTF-8 stand as they are; older versions escaped. */
static const char *path_of(const char *escaped, struct mm_arena *a)
{
	const char *wire = mm_percent_decode(escaped, a), *name = mm_mutf7_decode(wire, a);

	return name != NULL ? name : wire;
}

const char *mm_tb_folder(const struct mm_tb_prefs *t, const struct mm_tb_account *acc, enum mm_setting s,
    const struct mm_tb_pref **p, const struct mm_tb_pref **off)
{
	const struct row *row = row_of(s);
	const char *key = row->unit == MM_TB_SERVER ? acc->server : acc->identity, *path;
	const struct mm_tb_pref *found = mm_tb_find(t, mm_tb_key(t->a, row->unit, key, row->name));
	const struct mm_tb_pref *mode = mm_tb_find(t, mm_tb_key(t->a, row->unit, key, "moveTargetMode"));
	const struct mm_tb_pref *fcc = mm_tb_find(t, mm_tb_key(t->a, row->unit, key, "fcc"));

	*off = s == MM_SET_FOLDER_SENT && fcc != NULL && mm_streq(fcc->value, "false") ? fcc : NULL;
	if (found == NULL || found->kind != 's' || found->value == NULL || found->value[0] == '\0' ||
	    (s == MM_SET_FOLDER_JUNK && (mode == NULL || !mm_streq(mode->value, "1"))))
		return NULL;
	*p = found;
	if (!row->address)
		return found->value;
	path = below(found->value,
	    root(t->a, server_text(t, acc->server, "hostname"), server_text(t, acc->server, "userName")));
	return path != NULL && path[0] != '\0' ? path_of(path, t->a) : found->value;
}

/* ---- writing */

struct writer {
	const struct mm_tb_prefs *t;
	const struct mm_tb_account *acc;
	const struct mm_change *ch;
	const char *server, *identity;
	struct mm_edit_list *l;
};

/* What will be there when all is written. */
static const char *will_be(const struct writer *w, enum mm_setting s, const char *name)
{
	const char *now = w->acc != NULL ? server_text(w->t, w->server, name) : "";

	if (w->ch->want->v[s] != NULL)
		return w->ch->want->v[s];
	if (now[0] != '\0')
		return now;
	return w->ch->full->v[s] != NULL ? w->ch->full->v[s] : "";
}

static const char *wanted(const struct writer *w, const struct row *row)
{
	const struct mm_values *want = w->ch->want, *full = w->ch->full;
	bool moves = want->v[MM_SET_IN_HOST] != NULL || want->v[MM_SET_IN_USERNAME] != NULL;
	const struct mm_tb_pref *p = NULL, *off;

	if (want->v[row->s] != NULL)
		return want->v[row->s];
	if (w->acc == NULL)
		return full->v[row->s];
	if (!moves || !row->address || full->v[row->s] == NULL ||
	    (row->unit == MM_TB_IDENTITY && w->acc->identity[0] == '\0'))
		return NULL;
	return mm_streq(mm_tb_folder(w->t, w->acc, row->s, &p, &off), full->v[row->s]) ? full->v[row->s]
										       : NULL;
}

static void write_row(const struct writer *w, const struct row *row, const char *folder)
{
	const char *key = row->unit == MM_TB_SERVER ? w->server : w->identity;
	const char *host = will_be(w, MM_SET_IN_HOST, "hostname"),
		   *user = will_be(w, MM_SET_IN_USERNAME, "userName");
	struct mm_arena *a = w->t->a;

	if (row->address)
		folder = mm_arena_printf(a, "%s%s", root(a, host, user), mm_mutf7(folder, a));
	mm_want_edit(w->l, a, MM_EDIT_SET, "", mm_tb_key(a, row->unit, key, row->name), 's', folder);
	if (row->mode != NULL)
		mm_want_edit(
		    w->l, a, MM_EDIT_SET, "", mm_tb_key(a, row->unit, key, row->mode), row->kind, "1");
}

void mm_tb_write_folders(const struct mm_tb_prefs *t, const struct mm_tb_account *acc,
    const struct mm_change *ch, const char *server, const char *identity, struct mm_edit_list *l)
{
	struct writer w = {.t = t, .acc = acc, .ch = ch, .server = server, .identity = identity, .l = l};

	for (size_t i = 0; i < N_ROWS; i++) {
		const char *folder =
		    mm_streq(ch->full->v[MM_SET_IN_PROTOCOL], "imap") ? wanted(&w, &rows[i]) : NULL;

		if (folder != NULL)
			write_row(&w, &rows[i], folder);
	}
}
