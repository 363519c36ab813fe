/*
 * What mutt or neomutt would know after reading its configuration, found by
 * reading: includes are followed, variables expanded where they are set, the
 * last one wins. No command is run: a value that comes from one has the
 * command instead.
 */
#ifndef MM_AGENT_CLIENTS_MUTT_EVAL_H
#define MM_AGENT_CLIENTS_MUTT_EVAL_H

#include "agent/clients/client.h"

#define MM_MUTT_FILES_MAX 64 /* files read for one configuration */
#define MM_MUTT_DEPTH_MAX 10

struct mm_mutt_var {
	const char *name; /* mutt's own name */
	char kind;        /* 's' text is known; 'e' text is the command whose output it is; '?' not known;
			     'n' unset */
	const char *text;
	const char *path; /* where it was set last */
	int line;
};

struct mm_mutt_hook {        /* *-hook, my_hdr and macros that set something */
	const char *name;    /* "account-hook", "my_hdr", ... */
	const char *pattern; /* NULL for my_hdr and hooks without one */
	const char *command;
	const char *path;
	int line;
};

struct mm_mutt_state {
	struct mm_reader *r;
	bool neomutt;
	struct mm_mutt_var *vars;
	size_t n_vars, cap_vars;
	struct mm_mutt_hook *hooks;
	size_t n_hooks, cap_hooks;
	struct mm_trap *traps;
	size_t n_traps, cap_traps;
	int files, depth;
	const char *reading[MM_MUTT_DEPTH_MAX]; /* the files that include each other now */
	bool finished; /* neomutt: a `finish` was met at the top of the file that is read */
};

/* The system's files, then `path`. */
int mm_mutt_eval(struct mm_mutt_state *s, const char *path, struct mm_err *err);
/* One file more. */
int mm_mutt_eval_file(struct mm_mutt_state *s, const char *path, struct mm_err *err);
/* Commands in a text that came from `path`, as of a hook. */
int mm_mutt_eval_text(
    struct mm_mutt_state *s, struct mm_text text, const char *path, int line, struct mm_err *err);
/* NULL when it was never set. Names as in mutt. */
const struct mm_mutt_var *mm_mutt_get(const struct mm_mutt_state *s, const char *name);
/* The text where it is known; `dflt` where it is not set. NULL: not known. */
const char *mm_mutt_text(const struct mm_mutt_state *s, const char *name, const char *dflt);

#endif
