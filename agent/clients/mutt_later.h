/*
 * What changes mutt's variables after its files have been read: hooks, header
 * lines (my_hdr), and keys that it types itself (push, exec), which may be
 * commands.
 */
#ifndef MM_AGENT_CLIENTS_MUTT_LATER_H
#define MM_AGENT_CLIENTS_MUTT_LATER_H

#include "agent/clients/mutt_eval.h"
#include "agent/clients/mutt_url.h"

#define MM_MUTT_LATER_MAX 512     /* hooks that are followed, with those that they define */
#define MM_MUTT_LATER_DEPTH_MAX 3 /* hooks that define hooks */

struct mm_mutt_ran;

struct mm_mutt_later {
	const struct mm_mutt_state *s;       /* what was read */
	const struct mm_mutt_url *in, *smtp; /* the servers; NULL: none */
	struct mm_mutt_ran *ran;
	size_t n, cap;
	struct mm_mutt_doubt keys; /* may set anything */
};

/* Follow them all; `s`, `in` and `smtp` are given. */
void mm_mutt_later(struct mm_mutt_later *l);
/* What sets the variable otherwise later, or NULL; its name says how. */
const struct mm_mutt_hook *mm_mutt_later_sets(const struct mm_mutt_later *l, const char *var);
/* The header line that says another address (or name), or NULL. */
const struct mm_mutt_hook *mm_mutt_later_from(const struct mm_mutt_later *l, bool name);
/* What may set the variable later, or NULL. */
const struct mm_mutt_doubt *mm_mutt_later_doubt(const struct mm_mutt_later *l, const char *var);
/* Passwords that stand in clear in what happens later: traps. */
void mm_mutt_later_passwords(const struct mm_mutt_state *s, struct mm_view *out);

#endif
