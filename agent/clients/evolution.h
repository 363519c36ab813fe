/*
 * The sources of evolution-data-server: one key file an object, linked by
 * UIDs, which are the names of the files. Shared by the parts of the adapter.
 *
 * Sources: evolution-source-registry-autoconfig.c, e-source*.c of
 * evolution-data-server 3.46.4, and what the programs did.
 */
#ifndef MM_AGENT_CLIENTS_EVOLUTION_H
#define MM_AGENT_CLIENTS_EVOLUTION_H

#include "agent/clients/adapter.h"
#include "agent/formats/keyfile.h"

#define MM_EVO_SUFFIX ".source"
#define MM_EVO_DATA "Data Source"
#define MM_EVO_ACCOUNT "Mail Account"
#define MM_EVO_IDENTITY "Mail Identity"
#define MM_EVO_SUBMISSION "Mail Submission"
#define MM_EVO_TRANSPORT "Mail Transport"
#define MM_EVO_AUTH "Authentication"
#define MM_EVO_SECURITY "Security"
#define MM_EVO_POP "Pop Backend"
#define MM_EVO_IMAP "Imapx Backend"
#define MM_EVO_COMPOSITION "Mail Composition"

struct mm_evo_source {
	const char *uid, *path;
	struct mm_doc doc;
	const struct mm_doc *template; /* of the administrator, with another revision than this copy: its
					  keys come over it at the registry's next start; or NULL */
	const char *template_path;
	/* Where something stands that takes this whole source out of our hands, or NULL. */
	const char *over_path;
	int over_line;
	const char *over_by;
	bool over_holds; /* what stands here is in effect all the same */
};

struct mm_evo {
	const char *dir;
	struct mm_evo_source *v;
	size_t n;
};

/* The user's sources, and the administrator's that are not copied there yet.
 * A file that the program cannot read either is passed over, unless it holds
 * mail settings: then it is an error. */
int mm_evo_load(struct mm_reader *r, const char *dir, struct mm_evo *out, struct mm_err *err);
/* NULL where there is none, or uid is NULL. */
const struct mm_evo_source *mm_evo_find(const struct mm_evo *e, const char *uid);
/* What an account names as its identity, and that one as its transport (by
 * default itself), or NULL. */
const struct mm_evo_source *mm_evo_identity(
    const struct mm_evo *e, const struct mm_evo_source *account, struct mm_arena *a);
const struct mm_evo_source *mm_evo_transport(
    const struct mm_evo *e, const struct mm_evo_source *identity, struct mm_arena *a);
/* A value as the program has it: without blanks at its ends, NULL where it is empty or unreadable. */
const char *mm_evo_get(const struct mm_evo_source *s, const char *group, const char *key, struct mm_arena *a);
/* "imapx" or "pop": an account on a server that is ours to look at. */
bool mm_evo_is_mail(const struct mm_evo_source *s, struct mm_arena *a);
/* How many identities send through this transport, or accounts have this identity. */
size_t mm_evo_users(
    const struct mm_evo *e, const char *group, const char *key, const char *uid, struct mm_arena *a);
bool mm_evo_is_false(const char *value);

/* Certificates that were accepted by hand, as traps of the accounts on their hosts. */
void mm_evo_exceptions(struct mm_reader *r, struct mm_view *view);

/* "folder://UID/": what the program puts before the path of a folder, which is
 * percent-encoded UTF-8 (camel-url.c). */
const char *mm_evo_folder_root(const char *uid, struct mm_arena *a);
const char *mm_evo_folder_uri(const char *uid, const char *folder, struct mm_arena *a);

int mm_evo_change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err);
/* The program's word for a security or a way of logging in, or NULL. */
const char *mm_evo_security(const char *canon);
const char *mm_evo_auth(const char *canon, const char *protocol);

#endif
