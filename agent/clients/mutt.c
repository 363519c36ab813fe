/*
 * mutt and neomutt: an own file, sourced by a managed block at the end of the
 * user's.
 *
 * What the user wrote stays as it is; ours comes last and wins. Taking ours
 * away brings his values back. One account is managed: mutt knows accounts
 * only as hooks that change global variables, password included, and a second
 * one beside an account of the user's would hand passwords to the wrong
 * server as soon as a hook of his is missing.
 */
#include "agent/clients/mutt.h"

#include <string.h>

#include "agent/clients/adapter.h"
#include "agent/clients/clients.h"
#include "common/text.h"

/* Seen with strace; mutt tries each name with its version first. */
static const char *const mutt_files[] = {"~/.muttrc", "~/.mutt/muttrc", "XDG/mutt/muttrc", NULL};
static const char *const neomutt_files[] = {"XDG/neomutt/neomuttrc", "XDG/neomutt/muttrc",
    "XDG/mutt/neomuttrc", "XDG/mutt/muttrc", "~/.neomutt/neomuttrc", "~/.neomutt/muttrc", "~/.mutt/neomuttrc",
    "~/.mutt/muttrc", "~/.neomuttrc", "~/.muttrc", NULL};

static const struct mm_mutt_kind mutt_kind = {
    .name = "mutt", .program = "mutt", .own = "mailmuster/mutt.rc", .block = "", .files = mutt_files};
static const struct mm_mutt_kind neomutt_kind = {.name = "neomutt",
    .program = "neomutt",
    .neomutt = true,
    .own = "mailmuster/neomutt.rc",
    .block = "neomutt",
    .files = neomutt_files};

const char *mm_mutt_own_path(struct mm_reader *r, const struct mm_mutt_kind *k)
{
	return k->own[0] == '/' ? k->own : mm_config_path(r, k->own);
}

const char *mm_mutt_file_path(struct mm_reader *r, const char *name)
{
	return name[0] == '~' ? mm_home_path(r, name + 2) : mm_config_path(r, name + 4);
}

static const char *const *own_dirs(struct mm_reader *r, const struct mm_mutt_kind *k)
{
	const char **v = mm_arena_alloc(r->arena, 3, sizeof(*v));

	v[1] = mm_path_dir(r->arena, mm_mutt_own_path(r, k));
	v[0] = mm_path_dir(r->arena, v[1]);
	return (const char *const *)v;
}

static int find(
    struct mm_reader *r, const struct mm_mutt_kind *k, bool create, struct mm_place **places, size_t *n)
{
	struct mm_place p = {.label = "", .in_use = true, .exists = true};

	*places = NULL;
	*n = 0;
	p.extra_dirs = own_dirs(r, k);
	for (size_t i = 0; k->files[i] != NULL; i++) {
		p.path = mm_mutt_file_path(r, k->files[i]);
		if (!mm_have_file(r, p.path))
			continue;
		mm_add_place(r->arena, places, n, &p);
		p.in_use = false;
	}
	/* The user of neomutt alone has it installed; ~/.muttrc may be mutt's. */
	if (*n > 0 && k->neomutt && !r->program(r, k->program))
		*n = 0;
	if (*n == 0 && create && r->program(r, k->program)) {
		p = (struct mm_place){.label = "", .in_use = true, .extra_dirs = own_dirs(r, k)};
		p.path = mm_home_path(r, k->neomutt ? ".neomuttrc" : ".muttrc");
		mm_add_place(r->arena, places, n, &p);
	}
	return 0;
}

static int find_mutt(
    struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	(void)err;
	return find(r, &mutt_kind, create, places, n);
}

static int find_neomutt(
    struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	(void)err;
	return find(r, &neomutt_kind, create, places, n);
}

static int read_mutt(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	return mm_mutt_read(r, &mutt_kind, p, out, err);
}

static int read_neomutt(
    struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	return mm_mutt_read(r, &neomutt_kind, p, out, err);
}

static int change_mutt(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *c, struct mm_edits *out, struct mm_err *err)
{
	return mm_mutt_change(r, &mutt_kind, p, now, c, out, err);
}

static int change_neomutt(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *c, struct mm_edits *out, struct mm_err *err)
{
	return mm_mutt_change(r, &neomutt_kind, p, now, c, out, err);
}

static bool one_of(const char *s, const char *const *v)
{
	for (; *v != NULL; v++)
		if (mm_streq(s, *v))
			return true;
	return false;
}

static const char *auth_reason(enum mm_setting s, const char *value)
{
	static const char *const known[] = {
	    "password", "plain", "login", "cram-md5", "scram-sha-256", "gssapi", NULL};

	if (one_of(value, known))
		return NULL;
	if (mm_streq(value, "none"))
		return s == MM_SET_OUT_AUTH ? NULL : "mutt always logs in to a mailbox server.";
	return "Mailmuster does not set up this kind of login in mutt.";
}

/* The two sides share the variables behind these settings. */
static bool sides_differ(enum mm_setting in, enum mm_setting out, const struct mm_values *all)
{
	return all->v[in] != NULL && all->v[out] != NULL && !mm_streq(all->v[in], all->v[out]);
}

static bool mixed(const struct mm_values *all, const char *x, const char *y)
{
	return mm_streq(all->v[MM_SET_IN_SECURITY], x) && mm_streq(all->v[MM_SET_OUT_SECURITY], y);
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	switch (s) {
	case MM_SET_REPLY_TO:
	case MM_SET_ORGANISATION:
		return "mutt knows this only as a header line of the user's own (my_hdr).";
	case MM_SET_FOLDER_JUNK:
		return "mutt has no folder for junk.";
	case MM_SET_IN_PIN:
	case MM_SET_OUT_PIN:
		return "mutt cannot pin a public key.";
	case MM_SET_IN_AUTH:
	case MM_SET_OUT_AUTH:
		return auth_reason(s, value);
	case MM_SET_OUT_TLS_MIN:
		return sides_differ(MM_SET_IN_TLS_MIN, s, all)
			   ? "mutt has one TLS floor for all servers, and it is that of the mailbox server."
			   : NULL;
	case MM_SET_OUT_CA_FILE:
		return sides_differ(MM_SET_IN_CA_FILE, s, all)
			   ? "mutt has one CA file for all servers, and it is that of the mailbox server."
			   : NULL;
	case MM_SET_OUT_CLIENT_CERT:
		return sides_differ(MM_SET_IN_CLIENT_CERT, s, all)
			   ? "mutt has one client certificate for all servers, and it is that of the mailbox "
			     "server."
			   : NULL;
	case MM_SET_OUT_SECURITY:
		return mixed(all, "starttls", "none") || mixed(all, "none", "starttls")
			   ? "mutt cannot require STARTTLS of one server and do without for the other."
			   : NULL;
	default:
		return NULL;
	}
}

/* It takes addresses apart twice (url.c), and these are no part of one. */
static const char *unsupported_by_neomutt(enum mm_setting s, const char *value, const struct mm_values *all)
{
	if (mm_mutt_folder_var(s) != NULL && strpbrk(value, "\"`|\\{}#<>^?") != NULL)
		return "NeoMutt cannot hold the address of a folder of this name.";
	return unsupported(s, value, all);
}

const struct mm_client mm_client_mutt = {
    .name = "mutt",
    .label = "mutt",
    .programs = (const char *const[]){"mutt", NULL},
    .incoming = true,
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_GNUTLS,
    .unsupported = unsupported,
    .find = find_mutt,
    .read = read_mutt,
    .change = change_mutt,
};

const struct mm_client mm_client_neomutt = {
    .name = "neomutt",
    .label = "NeoMutt",
    .programs = (const char *const[]){"neomutt", NULL},
    .incoming = true,
    .outgoing = true,
    .evidence = MM_EVIDENCE_ALL,
    .tls = MM_TLS_GNUTLS,
    .unsupported = unsupported_by_neomutt,
    .find = find_neomutt,
    .read = read_neomutt,
    .change = change_neomutt,
};
