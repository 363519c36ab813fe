/*
 * A source of passwords: one row in the table of secrets.c, one file. For
 * agent/secret_*.c only.
 */
#ifndef MM_AGENT_SECRET_SOURCE_H
#define MM_AGENT_SECRET_SOURCE_H

#include "agent/secrets.h"

struct mm_secret_source {
	const char *word; /* in the setting `credential` and in limits.credentials */
	/* Is there anything that could be asked? Looks, and asks nobody. */
	bool (*there)(const struct mm_finder *f, const struct mm_wish *w);
	/* Fills `s` with MM_CRED_FOUND; else says why in *why (may be left alone). */
	enum mm_credential (*get)(
	    const struct mm_finder *f, const struct mm_wish *w, struct mm_secret *s, const char **why);
};

extern const struct mm_secret_source mm_source_command, mm_source_service, mm_source_netrc, mm_source_systemd,
    mm_source_prompt;

/* Read a file of the user's, or of root's, into a secret, as far as it has
 * room. The file must be regular; `shared` are the permission bits that it
 * must not have (077: nobody else may even read it). */
enum mm_credential mm_secret_file(
    const struct mm_finder *f, const char *path, mode_t shared, struct mm_secret *s, const char **why);

#endif
