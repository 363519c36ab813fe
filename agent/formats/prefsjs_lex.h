/* The tokens and statements of prefs.js with their places; see prefsjs.h. */
#ifndef MM_AGENT_FORMATS_PREFSJS_LEX_H
#define MM_AGENT_FORMATS_PREFSJS_LEX_H

#include "agent/formats/format.h"

struct mm_pref {           /* one statement */
	size_t from, to;   /* with its semicolon */
	size_t vfrom, vto; /* the value as spelled */
	const char *section, *key, *value;
	char kind;
	int line;
};

/* Every statement in order. With `defaults`, attributes are allowed. */
int mm_prefs_scan(struct mm_text in, bool defaults, struct mm_arena *a, struct mm_pref **out, size_t *n,
    struct mm_err *err);

#endif
