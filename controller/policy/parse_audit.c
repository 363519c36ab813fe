/* The audit block of a policy. */
#include <string.h>

#include "controller/policy/parse.h"

#define THRESHOLD_MAX 100000

static void read_check(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	mm_parse_text(p, s, what, &((struct mm_ptailor *)into)->check);
}

static void read_severity(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	mm_parse_text(p, s, what, &((struct mm_ptailor *)into)->severity);
}

static void read_threshold(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_ptailor *t = into;
	t->threshold_at = mm_parse_at(p, s);
	mm_parse_number(p, s, what, 0, THRESHOLD_MAX, &t->threshold);
}

static void read_off(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_ptailor *t = into;
	if (config_setting_type(s) == CONFIG_TYPE_STRING)
		mm_parse_text(p, s, what, &t->off);
	else if (!mm_parse_bad(s))
		mm_diag_error(p->diags, mm_parse_at(p, s),
		    "%s needs a reason; write off = \"why nobody looks at it\"", what);
}

static void one(struct mm_parser *p, config_setting_t *x, struct mm_paudit *audit, const char *what)
{
	static const struct mm_key keys[] = {{"check", read_check}, {"severity", read_severity},
	    {"threshold", read_threshold}, {"off", read_off}, {NULL, NULL}};
	struct mm_ptailor *t = mm_arena_push(p->arena, &audit->tailor, &audit->n, &audit->cap, sizeof(*t));
	*t = (struct mm_ptailor){.threshold = -1};
	mm_parse_keys(p, x, keys, t, what);
	if (t->check.at.file == NULL)
		mm_diag_error(p->diags, mm_parse_at(p, x),
		    "%s: check is missing; write for example check = \"certificate-expiry\"", what);
}

static void read_tailor(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	if (!config_setting_is_list(s)) {
		if (!mm_parse_bad(s))
			mm_diag_error(p->diags, mm_parse_at(p, s),
			    "%s must be a list of blocks; write ( { check = ...; } )", what);
		return;
	}
	for (int i = 0; i < config_setting_length(s); i++) {
		config_setting_t *x = config_setting_get_elem(s, (unsigned)i);
		if (!mm_parse_bad(x) && mm_parse_is_block(p, x, what))
			one(p, x, into, what);
	}
}

/* The name is that of a file. */
static void read_baseline(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct mm_said *name = &((struct mm_paudit *)into)->baseline;
	if (mm_parse_text(p, s, what, name) != 0)
		return;
	size_t n = strspn(name->text, "abcdefghijklmnopqrstuvwxyz0123456789-");
	if (name->text[n] != '\0' || n > 64)
		mm_diag_error(p->diags, name->at,
		    "%s \"%s\" is no name of a baseline; write for example rfc8314", what, name->text);
}

void mm_parse_audit(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	static const struct mm_key keys[] = {
	    {"baseline", read_baseline}, {"tailor", read_tailor}, {NULL, NULL}};
	struct mm_policy *pol = into;
	if (mm_parse_is_block(p, s, what))
		mm_parse_keys(p, s, keys, &pol->audit, what);
}
