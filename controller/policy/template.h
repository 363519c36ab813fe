/*
 * Placeholders in the values of a policy:
 *   %{login} %{name} %{address} %{address.local} %{address.domain}
 *   %{attr.NAME} and %% for a percent sign.
 * Values are data: what is put in is never looked at again.
 */
#ifndef MM_POLICY_TEMPLATE_H
#define MM_POLICY_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/mem.h"
#include "schemas/settings.h"

#define MM_EXPANDED_MAX 16384 /* bytes of one expanded value */

struct mm_attr {
	const char *name;
	const char *value;
};

/* The person that a policy is resolved for. */
struct mm_subject {
	const char *login;
	const char *login_text; /* what %{login} becomes; NULL: the login */
	const char *name;       /* real name; NULL or "" when not known */
	const char *address;    /* main address; NULL or "" when not known */
	const struct mm_attr *attributes;
	size_t n_attributes;
	const char *const *groups; /* names, NULL-terminated; may be NULL */
};

/* Is there any '%', that is: would expanding change the text or fail? */
bool mm_template_is(const char *text);
/* The error says which placeholder is wrong and what to write. */
int mm_template_check(const char *text, struct mm_err *err);
/* The error says which property the person lacks. */
int mm_template_expand(
    const char *text, const struct mm_subject *u, struct mm_arena *a, const char **out, struct mm_err *err);
/* The same for a value of a setting: each argument of a list by itself. The
 * result is not canonical yet. */
int mm_template_expand_value(enum mm_setting s, const char *text, const struct mm_subject *u,
    struct mm_arena *a, const char **out, struct mm_err *err);

#endif
