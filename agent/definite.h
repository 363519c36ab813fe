/*
 * Which failures of a login are the doing of the settings, so that a change
 * may be taken back for them.
 *
 * One row for each class of outcome (agent/probe/classes.h). Where it is not
 * certain that other settings would help (names that do not resolve, silence,
 * a busy server, somebody in between), a change stays.
 */
#ifndef MM_AGENT_DEFINITE_H
#define MM_AGENT_DEFINITE_H

#include <stddef.h>

enum mm_definite {
	MM_DEFINITE_NO,     /* says nothing about the settings, or nothing certain */
	MM_DEFINITE_YES,    /* certificate, name, encryption or way to log in: these settings cannot work */
	MM_DEFINITE_SECRET, /* ... if the very same secret was taken with the former settings */
};

struct mm_definite_row {
	const char *cls;
	enum mm_definite how;
};

/* A class that is not in the table is MM_DEFINITE_NO. */
enum mm_definite mm_definite(const char *cls);
/* For the test that no class is missing. */
const struct mm_definite_row *mm_definite_rows(size_t *n);

#endif
