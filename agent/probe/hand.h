/*
 * For people: the addresses of a command line become tasks, and the password
 * is asked for, read from a descriptor, or comes from a command.
 */
#ifndef MM_AGENT_PROBE_HAND_H
#define MM_AGENT_PROBE_HAND_H

#include "agent/probe/input.h"
#include "common/cli.h"

struct mm_hand_opts {
	const char *security, *level, *auth; /* NULL: as the address says, and the usual */
	const char *tls_min, *ca_file, *pin; /* NULL: none */
	const char *address;                 /* the user's own; NULL: the user name, where it is one */
	const char *ehlo;                    /* NULL: the usual */
	const char *client_cert;             /* a PEM file with certificate and key; NULL: none */
	const char *password_command, *token_command;
	struct mm_opt_list known; /* hosts, or SCHEME://HOST[:PORT] */
	bool round_trip, allow_cleartext;
	int password_fd; /* -1: ask on the terminal */
};

/* One task per address; those that log in get the index of a secret. Nobody
 * is asked for a password before all addresses are right, nor twice for one account. */
int mm_hand_tasks(char *const *urls, size_t n, const struct mm_hand_opts *o, struct mm_arena *mem,
    struct mm_input *out, struct mm_err *err);

/* The CA file as an absolute path; NULL: none. */
int mm_hand_ca_file(const struct mm_hand_opts *o, struct mm_arena *mem, const char **out, struct mm_err *err);

/* Two tasks that are of one account, so that one password is for both: the
 * same host, or hosts that differ only in imap., smtp. and the like, and the
 * same user name. */
bool mm_hand_same_account(const struct mm_probe_task *a, const struct mm_probe_task *b);

/* hand_secret.c: get the secrets of all tasks that need one. */
int mm_hand_secrets(const struct mm_hand_opts *o, struct mm_input *io, struct mm_err *err);
/* A command line as words: blanks separate, ' and " hold together, \ takes the
 * next character as it is; nothing is expanded. NULL-terminated, in the
 * arena. Errors: MM_EX_USAGE for an open quotation or no word at all. */
int mm_hand_words(const char *line, struct mm_arena *mem, const char *const **out, struct mm_err *err);

#endif
