/* Shared by mutt.c (the adapters), mutt_read.c and mutt_change.c. */
#ifndef MM_AGENT_CLIENTS_MUTT_H
#define MM_AGENT_CLIENTS_MUTT_H

#include "agent/clients/client.h"
#include "agent/clients/mutt_eval.h"
#include "agent/clients/mutt_url.h"

/* The one account that is managed: what the variables say outside of hooks. */
#define MM_MUTT_KEY "main"

/* A variable of our own: the user name for sending while no login is wanted.
 * In smtp_url it would make mutt log in. */
#define MM_MUTT_IDLE_USER "my_smtp_user"

struct mm_mutt_kind { /* what differs between the two programs */
	const char *name, *program;
	bool neomutt;
	const char *own;          /* own file below the configuration folder, or absolute */
	const char *block;        /* name of the managed block */
	const char *const *files; /* in the order of search; "~/" or "XDG/" in front; NULL-terminated */
};

struct mm_mutt_incoming { /* which variable says where mail is read */
	const char *var;  /* NULL: no server */
	struct mm_mutt_url url;
};

/* The variable of a folder role, or NULL. */
const char *mm_mutt_folder_var(enum mm_setting s);
const char *mm_mutt_own_path(struct mm_reader *r, const struct mm_mutt_kind *k);
/* A name of k->files as a path. */
const char *mm_mutt_file_path(struct mm_reader *r, const char *name);
/* The variable with the command for tokens that goes with "imap_authenticators" and its like. */
const char *mm_mutt_token_command(const char *authenticators);
/* The server that mail is read from. */
struct mm_mutt_incoming mm_mutt_incoming(const struct mm_mutt_state *s, struct mm_arena *a);
/* Mail is handed to msmtp: where that is said, or NULL. */
const struct mm_mutt_var *mm_mutt_handed_on(const struct mm_mutt_state *s);

int mm_mutt_read(struct mm_reader *r, const struct mm_mutt_kind *k, const struct mm_place *p,
    struct mm_view *out, struct mm_err *err);
int mm_mutt_change(struct mm_reader *r, const struct mm_mutt_kind *k, const struct mm_place *p,
    const struct mm_view *now, const struct mm_change *c, struct mm_edits *out, struct mm_err *err);

#endif
