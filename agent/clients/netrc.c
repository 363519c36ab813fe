/*
 * ~/.netrc: names of users, looked at for those who keep passwords there.
 *
 * curl, fetchmail, nmh, s-nail, msmtp and others find a password there by the
 * server's name and the user's. An entry of the policy's server gets the
 * policy's user name; no entry is made, moved to another server or removed, because
 * nobody but the person knows its password, and none is looked at. Which entry is for what cannot
 * be seen: `netrc` is about the servers that mail comes from, `netrc_smtp` about those
 * that it goes to. Names of machines are the person's business: an entry's own
 * name here is a hash of it.
 */
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/clients/keys.h"
#include "agent/formats/netrc_file.h"
#include "common/digest.h"
#include "common/text.h"

/* There is nothing to create: without the file there is no place. */
static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	const char *own = r->env(r, "NETRC");
	const char *const paths[] = {own != NULL && own[0] == '/' ? own : mm_home_path(r, ".netrc")};

	(void)create;
	(void)err;
	return mm_find_first(r, "", paths, 1, paths[0], false, places, n);
}

static const char *key_of(const char *section, struct mm_arena *a)
{
	char sum[MM_SHA256_HEX];

	mm_sha256_hex(section, strlen(section), sum);
	return mm_arena_printf(a, "entry-%.12s", sum);
}

static void see(struct mm_seen_account *acc, const struct mm_doc *d, const struct mm_item *machine,
    const char *path, bool in, struct mm_arena *a)
{
	const struct mm_item *login = mm_doc_find(d, machine->section, "login");
	struct mm_native at = {.text = "", .path = path, .line = machine->line};
	struct mm_native name = {.text = login != NULL ? login->value : NULL,
	    .path = path,
	    .line = login != NULL ? login->line : machine->line};

	*acc = (struct mm_seen_account){
	    .key = key_of(machine->section, a), .has_incoming = in, .has_outgoing = !in, .quiet = true};
	acc->label = mm_arena_strndup(a, machine->section, strcspn(machine->section, "\n"));
	mm_see(acc, in ? MM_SET_IN_HOST : MM_SET_OUT_HOST, at, acc->label);
	if (name.text != NULL && strchr(name.text, '@') != NULL)
		mm_see(acc, MM_SET_ADDRESS, name, name.text);
	mm_see(acc, in ? MM_SET_IN_USERNAME : MM_SET_OUT_USERNAME, name, name.text);
}

static int read_side(
    struct mm_reader *r, const struct mm_place *p, bool in, struct mm_view *out, struct mm_err *err)
{
	const struct mm_item *secret = NULL;
	struct mm_doc d;

	*out = (struct mm_view){0};
	if (mm_load_doc(r, p->path, &mm_format_netrc, &d, err) != 0)
		return -1;
	out->accounts = mm_arena_alloc(r->arena, d.n + 1, sizeof(*out->accounts));
	for (size_t i = 0; i < d.n; i++) {
		const struct mm_item *it = &d.items[i];

		if (mm_streq(it->key, "machine") && it->section[0] != '\0')
			see(&out->accounts[out->n++], &d, it, p->path, in, r->arena);
		if (mm_streq(it->key, "password") && secret == NULL)
			secret = it;
	}
	if (secret != NULL)
		mm_add_trap(r->arena, out, MM_TRAP_PASSWORD, p->path, secret->line,
		    "A password stands in clear text in the file.");
	return 0;
}

static int read_incoming(
    struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	return read_side(r, p, true, out, err);
}

static int read_outgoing(
    struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	return read_side(r, p, false, out, err);
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	struct mm_edit_list l = {.v = NULL};
	const char *login = NULL;
	struct mm_doc d;

	(void)now;
	*out = (struct mm_edits){.key = ch->key};
	if (ch->kind == MM_CHANGE_REMOVE)
		return 0;
	if (ch->kind == MM_CHANGE_ADD)
		return mm_err_set(err, MM_EX_DIFF,
		    "there is no entry for this server and user: only the person can make one, with the "
		    "password");
	login = ch->want->v[MM_SET_IN_USERNAME] != NULL ? ch->want->v[MM_SET_IN_USERNAME]
							: ch->want->v[MM_SET_OUT_USERNAME];
	if (mm_load_doc(r, p->path, &mm_format_netrc, &d, err) != 0)
		return -1;
	for (size_t i = 0; login != NULL && i < d.n; i++)
		if (mm_streq(d.items[i].key, "machine") &&
		    mm_streq(key_of(d.items[i].section, r->arena), ch->key))
			mm_want_set(&l, r->arena, d.items[i].section, "login", login);
	mm_want_file(out, r->arena, p->path, &mm_format_netrc, &l, 0);
	return 0;
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	(void)value;
	(void)all;
	if (s == MM_SET_IN_HOST || s == MM_SET_OUT_HOST)
		return "No entry is made here, or moved to another server: only the person knows its "
		       "password.";
	return s == MM_SET_IN_USERNAME || s == MM_SET_OUT_USERNAME ? NULL : MM_CLIENT_NOT_ITS_BUSINESS;
}

const struct mm_client mm_client_netrc = {
    .name = "netrc",
    .label = "netrc, incoming",
    .programs = (const char *const[]){"curl", "fetchmail", "ftp", NULL},
    .incoming = true,
    .evidence = MM_EVIDENCE_PASSWORD,
    .unsupported = unsupported,
    .find = find,
    .read = read_incoming,
    .change = change,
};

const struct mm_client mm_client_netrc_smtp = {
    .name = "netrc_smtp",
    .label = "netrc, outgoing",
    .programs = (const char *const[]){"curl", "fetchmail", "ftp", NULL},
    .outgoing = true,
    .evidence = MM_EVIDENCE_PASSWORD,
    .unsupported = unsupported,
    .find = find,
    .read = read_outgoing,
    .change = change,
};
