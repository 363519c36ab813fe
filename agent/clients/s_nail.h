/*
 * What a mailrc comes to in s-nail, without running any of it.
 *
 * ~/.mailrc ($MAILRC) is read after /etc/s-nail.rc. The last of several values
 * counts; files that `source` names are read where it stands. An account's
 * lines count when it is entered, on top of what stands outside of accounts;
 * what is set outside behind that counts again. Tried against s-nail 14.9.24.
 */
#ifndef MM_AGENT_CLIENTS_S_NAIL_H
#define MM_AGENT_CLIENTS_S_NAIL_H

#include "agent/clients/keys.h"
#include "agent/clients/mailurl.h"

#define MM_SNAIL_NOBODY                                                                                      \
	"null" /* what is in effect when no account is entered; the program's own name for it */

struct mm_snail_event {      /* one thing that happens while files are read */
	const char *account; /* in its lines; NULL: outside */
	const char *name;    /* a variable; MM_MAILRC_ENTER; NULL: something that cannot be looked into */
	const char *value;   /* NULL: unset */
	char kind;           /* as in struct mm_item */
	const char *path;
	int line;
	const char *section; /* as the editor has it */
	bool perhaps;        /* under a condition */
	bool v15;            /* its file is read with v15-compat set */
};

struct mm_snail_account {
	const char *name, *path;
	bool v15;
};

struct mm_snail_files {
	struct mm_reader *r;
	struct mm_view *view; /* for traps; NULL: none are wanted */
	const char *main;
	struct mm_snail_event *events;
	size_t n, cap;
	struct mm_snail_account *accounts;
	size_t n_accounts, cap_accounts;
	const char *entered; /* NULL: no account */
	size_t entered_at;   /* its event */
	unsigned count;
};

struct mm_snail_var {             /* what a variable is in the end */
	const char *name, *value; /* value: NULL: cannot be known */
	const struct mm_snail_event *set;
	bool after; /* outside, behind the entering of the account */
	size_t step;
};

struct mm_snail_env {
	struct mm_snail_files *f;
	const char *account; /* MM_SNAIL_NOBODY outside */
	struct mm_snail_var *v;
	size_t n, cap;
	const struct mm_snail_event *opaque; /* the last thing that could not be looked into, or NULL */
	size_t steps, opaque_step;
	bool v15; /* v15-compat */
};

int mm_snail_load(struct mm_snail_files *f, struct mm_reader *r, const char *path, struct mm_view *view,
    struct mm_err *err);
struct mm_snail_env mm_snail_env(struct mm_snail_files *f, const char *account);
const struct mm_snail_var *mm_snail_get(const struct mm_snail_env *e, const char *name);
/* NAME-USER@HOST:PORT, NAME-HOST:PORT, NAME: the first that is set. */
const struct mm_snail_var *mm_snail_chain(
    const struct mm_snail_env *e, const char *name, const char *user, const struct mm_mail_url *u);

/* A server as a variable has it. */
struct mm_snail_side {
	bool in;
	const struct mm_snail_var *var; /* NULL: none */
	struct mm_mail_url url;
	bool refused;                /* the program does not take this address */
	bool program;                /* mail is handed to a program */
	const char *protocol, *port; /* imap, pop3, smtp; never NULL */
	const char *user;            /* NULL: not given */
	const struct mm_snail_var *user_var;
};
struct mm_snail_side mm_snail_side(const struct mm_snail_env *e, bool in);

/* The output of password commands as a netrc, and back. */
struct mm_snail_secret {
	const char *host, *user, *argv;
};
const char *mm_snail_pipe(const struct mm_snail_secret *v, size_t n, struct mm_arena *a, struct mm_err *err);
/* argv for this login, a whole command line for what we did not write; NULL: it has none. */
const char *mm_snail_from_pipe(const char *pipe, const char *host, const char *user, struct mm_arena *a);

int mm_snail_read(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err);
/* MinProtocol and Certificate of tls-config-pairs, or NULL. */
const char *mm_snail_pair(const char *pairs, const char *name, struct mm_arena *a);

/* The list with that pair in it. */
const char *mm_snail_set_pair(const char *pairs, const char *name, const char *value, struct mm_arena *a);

extern const struct mm_word mm_snail_auth[], mm_snail_floor[];

#endif
