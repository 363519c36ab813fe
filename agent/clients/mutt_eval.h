/*
 * What mutt or neomutt would know after reading its configuration, found by
 * reading: includes are followed, variables expanded where they are set, the
 * last one wins. No command is run: a value that comes from one has the
 * command instead, and what cannot be seen without running one (the output
 * that is sourced, a condition) is remembered as a doubt about the variables
 * that are not set again behind it.
 *
 * Not doubted: that what is sourced from a command before our block defines a
 * hook or a header line. Everybody who keeps his passwords in an encrypted
 * file would be unknown for ever.
 */
#ifndef MM_AGENT_CLIENTS_MUTT_EVAL_H
#define MM_AGENT_CLIENTS_MUTT_EVAL_H

#include "agent/clients/client.h"

#define MM_MUTT_FILES_MAX 64 /* files read for one configuration */
#define MM_MUTT_DEPTH_MAX 10

struct mm_mutt_doubt {    /* something that may set variables unseen */
	const char *path; /* NULL: there is none */
	int line;
	const char *why; /* "the output of a command is read there" */
	unsigned seq;    /* its turn among all that was read */
};

struct mm_mutt_var {
	const char *name; /* mutt's own name */
	char kind;        /* 's' text is known; 'e' text is the command whose output it is; '?' not known;
			     'n' unset; 'd' reset to what is built in */
	const char *text;
	const char *path; /* where it was set last */
	int line;
	unsigned seq;
	struct mm_mutt_doubt maybe; /* it was set under a condition */
};

struct mm_mutt_hook {        /* what happens later: *-hook, my_hdr, push, exec; and macro, bind */
	const char *name;    /* "account-hook", "my_hdr", ... */
	const char *pattern; /* NULL for my_hdr and hooks without one; of macro and bind: the keys */
	const char *command; /* of push: the keys */
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
	unsigned seq;
	struct mm_mutt_doubt behind; /* the last that may set anything */
	const char *own;             /* NULL, or the file that is believed under a condition, too */
	unsigned own_seq;            /* when it had been read; 0: it was not */
	struct mm_mutt_doubt cond;   /* the condition under which is being read */
	int conditions;              /* how many of them within each other */
	bool cond_finish;            /* neomutt: whether the rest of the file is read depends on one */
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
/* NULL when it was never set, or reset. Names as in mutt. */
const struct mm_mutt_var *mm_mutt_get(const struct mm_mutt_state *s, const char *name);
/* Where it was reset, if that is the last that was done to it; else NULL. */
const struct mm_mutt_var *mm_mutt_reset(const struct mm_mutt_state *s, const char *name);
/* What may have set it since it was set last, or NULL. */
const struct mm_mutt_doubt *mm_mutt_doubt(const struct mm_mutt_state *s, const char *name);
/* The text where it is known; `dflt` where it is not set. NULL: not known. */
const char *mm_mutt_text(const struct mm_mutt_state *s, const char *name, const char *dflt);

#endif
