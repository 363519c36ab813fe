#include "controller/rollout/terms.h"

#include <assert.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"

#define SHARE_TEXT 24  /* "99.99%" and what is too long to be one */
#define TERM_MAX 1024  /* bytes of one term */
#define JSON_MAX 16384 /* of all of them */

struct term {
	const char *name;
	const char *form; /* what is allowed, for the error */
	int (*set)(struct mm_ro_terms *t, const char *value, const struct term *d);
	void (*get)(const struct mm_ro_terms *t, struct mm_buf *out, const struct term *d);
	size_t at; /* offset of the member, where one function serves several terms */
	int64_t min, max;
};

/* ---- one kind of value after the other; -1 = not of that form */

static int set_share_text(const char *text, size_t n, struct mm_share *out)
{
	char one[SHARE_TEXT];

	while (n > 0 && *text == ' ') {
		text++;
		n--;
	}
	while (n > 0 && text[n - 1] == ' ')
		n--;
	if (n >= sizeof(one))
		return -1;
	memcpy(one, text, n);
	one[n] = '\0';
	return mm_share_parse(one, out);
}

static int set_waves(struct mm_ro_terms *t, const char *value, const struct term *d)
{
	struct mm_share waves[MM_RO_WAVES_MAX];
	size_t n = 0;

	(void)d;
	for (;;) {
		size_t len = strcspn(value, ",");

		if (n == MM_RO_WAVES_MAX || set_share_text(value, len, &waves[n]) != 0 ||
		    waves[n].kind == MM_SHARE_ANY || waves[n].n == 0)
			return -1;
		n++;
		if (value[len] == '\0')
			break;
		value += len + 1;
	}
	memcpy(t->waves, waves, n * sizeof(waves[0]));
	t->n_waves = n;
	return 0;
}

static void get_waves(const struct mm_ro_terms *t, struct mm_buf *out, const struct term *d)
{
	(void)d;
	for (size_t i = 0; i < t->n_waves; i++) {
		if (i > 0)
			mm_buf_addc(out, ',');
		mm_share_print(&t->waves[i], out);
	}
}

static void *member(struct mm_ro_terms *t, const struct term *d)
{
	return (char *)t + d->at;
}

static const void *const_member(const struct mm_ro_terms *t, const struct term *d)
{
	return (const char *)t + d->at;
}

static int set_budget(struct mm_ro_terms *t, const char *value, const struct term *d)
{
	struct mm_budget_terms b;
	struct mm_budget_terms *out = member(t, d);
	size_t len = strcspn(value, "/");
	const char *rest = value[len] == '/' ? value + len + 1 : value;

	if (set_share_text(value, len, &b.wave) != 0 || set_share_text(rest, strlen(rest), &b.total) != 0)
		return -1;
	*out = b;
	return 0;
}

static void get_budget(const struct mm_ro_terms *t, struct mm_buf *out, const struct term *d)
{
	const struct mm_budget_terms *b = const_member(t, d);

	mm_share_print(&b->wave, out);
	mm_buf_addc(out, '/');
	mm_share_print(&b->total, out);
}

static int set_gate(struct mm_ro_terms *t, const char *value, const struct term *d)
{
	struct mm_share s;

	(void)d;
	if (mm_share_parse(value, &s) != 0 || s.kind == MM_SHARE_ANY ||
	    (s.kind == MM_SHARE_COUNT && s.n != 0))
		return -1;
	t->gate = (struct mm_share){.kind = MM_SHARE_PERCENT, .n = s.n};
	return 0;
}

static int set_minimum(struct mm_ro_terms *t, const char *value, const struct term *d)
{
	struct mm_share s;
	struct mm_share *out = member(t, d);

	if (mm_share_parse(value, &s) != 0 || s.kind == MM_SHARE_ANY)
		return -1;
	*out = s;
	return 0;
}

static void get_share(const struct mm_ro_terms *t, struct mm_buf *out, const struct term *d)
{
	mm_share_print(const_member(t, d), out);
}

static const struct {
	char letter;
	int64_t seconds;
} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

static int set_time(struct mm_ro_terms *t, const char *value, const struct term *d)
{
	char number[SHARE_TEXT];
	size_t n = strlen(value);
	int64_t factor = 1, v;
	int64_t *out = member(t, d);

	for (size_t i = 0; n > 0 && i < sizeof(units) / sizeof(units[0]); i++)
		if (value[n - 1] == units[i].letter) {
			factor = units[i].seconds;
			n--;
			break;
		}
	if (n >= sizeof(number))
		return -1;
	memcpy(number, value, n);
	number[n] = '\0';
	if (mm_parse_int(number, 0, d->max / factor, &v) != 0)
		return -1;
	*out = v * factor;
	return 0;
}

static void get_time(const struct mm_ro_terms *t, struct mm_buf *out, const struct term *d)
{
	const int64_t *v = const_member(t, d);

	for (size_t i = 0; *v != 0 && i < sizeof(units) / sizeof(units[0]); i++)
		if (*v % units[i].seconds == 0) {
			mm_buf_addf(out, "%lld%c", (long long)(*v / units[i].seconds), units[i].letter);
			return;
		}
	mm_buf_addc(out, '0');
}

static int set_number(struct mm_ro_terms *t, const char *value, const struct term *d)
{
	return mm_parse_int(value, d->min, d->max, member(t, d));
}

static void get_number(const struct mm_ro_terms *t, struct mm_buf *out, const struct term *d)
{
	const int64_t *v = const_member(t, d);

	mm_buf_addf(out, "%lld", (long long)*v);
}

static int set_bool(struct mm_ro_terms *t, const char *value, const struct term *d)
{
	bool *out = member(t, d);

	if (!mm_streq(value, "yes") && !mm_streq(value, "no"))
		return -1;
	*out = mm_streq(value, "yes");
	return 0;
}

static void get_bool(const struct mm_ro_terms *t, struct mm_buf *out, const struct term *d)
{
	const bool *v = const_member(t, d);

	mm_buf_adds(out, *v ? "yes" : "no");
}

/* For an error of its own, mm_ro_terms_set() asks hours.c directly. */
static int set_hours(struct mm_ro_terms *t, const char *value, const struct term *d)
{
	(void)d;
	return mm_hours_parse(value, &t->hours, NULL);
}

static void get_hours(const struct mm_ro_terms *t, struct mm_buf *out, const struct term *d)
{
	(void)d;
	mm_hours_print(&t->hours, out);
}

/* ---- the terms */

#define BUDGET_FORM "N, N% or any, or two of them as WAVE/TOTAL, such as 5%/2%"
#define TIME_FORM "a time such as 90s, 10m, 2h or 1d, up to 30d"
#define MINIMUM_FORM "N or N%"
#define BOOL_FORM "yes or no"
#define AT(m) .at = offsetof(struct mm_ro_terms, m)
#define TIME(m) .form = TIME_FORM, .set = set_time, .get = get_time, AT(m), .max = MM_RO_TIME_MAX
#define BUDGET(b) .form = BUDGET_FORM, .set = set_budget, .get = get_budget, AT(budgets[b])
#define MINIMUM(m) .form = MINIMUM_FORM, .set = set_minimum, .get = get_share, AT(m)
#define YES_NO(m) .form = BOOL_FORM, .set = set_bool, .get = get_bool, AT(m)
#define NUMBER(m) .set = set_number, .get = get_number, AT(m)

static const struct term terms[] = {
    {.name = "waves",
	.form = "up to 32 sizes, N or N% and not 0, parted by commas, such as 1,5%,25%,100%",
	.set = set_waves,
	.get = get_waves},
    {.name = "failed", BUDGET(MM_BUDGET_FAILED)},
    {.name = "login", BUDGET(MM_BUDGET_LOGIN)},
    {.name = "unreachable", BUDGET(MM_BUDGET_UNREACHABLE)},
    {.name = "gate", .form = "N% or 0", .set = set_gate, .get = get_share, AT(gate)},
    {.name = "min_tested", MINIMUM(min_tested)},
    {.name = "min_reported", MINIMUM(min_reported)},
    {.name = "bake", TIME(bake_s)},
    {.name = "approve", YES_NO(approve)},
    {.name = "window", .form = "a number from 1 to 4096", NUMBER(window), .min = 1, .max = MM_RO_WINDOW_MAX},
    {.name = "hours", .set = set_hours, .get = get_hours},
    {.name = "jitter", TIME(jitter_s)},
    {.name = "rate", .form = "a number from 0 to 1000000", NUMBER(rate), .max = 1000000},
    {.name = "sticky", YES_NO(sticky)},
};
#define N_TERMS (sizeof(terms) / sizeof(terms[0]))

const char *const mm_ro_term_names[] = {"waves", "failed", "login", "unreachable", "gate", "min_tested",
    "min_reported", "bake", "approve", "window", "hours", "jitter", "rate", "sticky", NULL};

static const struct term *find(const char *name)
{
	for (size_t i = 0; i < N_TERMS; i++)
		if (mm_streq(terms[i].name, name))
			return &terms[i];
	return NULL;
}

int mm_ro_terms_set(struct mm_ro_terms *t, const char *name, const char *value, struct mm_err *err)
{
	const struct term *d = find(name);

	if (d == NULL) {
		const char *near = mm_nearest(name, mm_ro_term_names);
		return mm_err_set(err, MM_EX_USAGE, "a rollout has no term \"%s\"%s%s%s", name,
		    near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
		    near != NULL ? "\"?" : "");
	}
	if (strlen(value) > TERM_MAX)
		return mm_err_set(err, MM_EX_USAGE, "%s: the text is longer than %d bytes", name, TERM_MAX);
	if (d->set == set_hours)
		return mm_hours_parse(value, &t->hours, err);
	if (d->set(t, value, d) != 0)
		return mm_err_set(err, MM_EX_USAGE, "%s \"%s\": give %s", name, value, d->form);
	return 0;
}

void mm_ro_terms_get(const struct mm_ro_terms *t, const char *name, struct mm_buf *out)
{
	const struct term *d = find(name);

	if (d != NULL)
		d->get(t, out, d);
}

void mm_ro_terms_default(struct mm_ro_terms *t)
{
	static const struct {
		const char *name, *value;
	} defaults[] = {{"waves", "1,5%,25%,100%"}, {"failed", "5%/2%"}, {"login", "2%/1%"},
	    {"unreachable", "any"}, {"gate", "95%"}, {"min_tested", "1"}, {"min_reported", "50%"},
	    {"bake", "10m"}, {"window", "100"}};

	*t = (struct mm_ro_terms){.n_waves = 0};
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		int rc = mm_ro_terms_set(t, defaults[i].name, defaults[i].value, NULL);
		assert(rc == 0);
		(void)rc;
	}
}

void mm_ro_terms_json(const struct mm_ro_terms *t, struct mm_buf *out)
{
	struct mm_buf one = MM_BUF_INIT(JSON_MAX);
	json_t *o = json_object();

	for (size_t i = 0; i < N_TERMS; i++) {
		mm_buf_reset(&one);
		terms[i].get(t, &one, &terms[i]);
		mm_json_set_str(o, terms[i].name, mm_buf_str(&one));
	}
	mm_json_dump(o, out);
	json_decref(o);
	mm_buf_free(&one);
}

static int from_object(const json_t *o, struct mm_ro_terms *t, struct mm_err *err)
{
	const char *value;

	if (mm_json_only(o, mm_ro_term_names, err) != 0)
		return -1;
	for (size_t i = 0; i < N_TERMS; i++)
		if (mm_json_str_opt(o, terms[i].name, TERM_MAX, &value, err) != 0 ||
		    (value != NULL && mm_ro_terms_set(t, terms[i].name, value, err) != 0))
			return -1;
	return 0;
}

int mm_ro_terms_from_json(const char *json, size_t n, struct mm_ro_terms *out, struct mm_err *err)
{
	struct mm_ro_terms t;
	json_t *o = mm_json_load("terms of a rollout", json, n, err);
	int rc;

	if (o == NULL)
		return -1;
	mm_ro_terms_default(&t);
	rc =
	    json_is_object(o) ? from_object(o, &t, err) : mm_err_set(err, MM_EX_DATAERR, "not a JSON object");
	json_decref(o);
	if (rc == 0) {
		*out = t;
		return 0;
	}
	if (err != NULL)
		err->code = MM_EX_DATAERR;
	return mm_err_prefix(err, "terms of a rollout");
}

/* ---- budgets */

static const char *const budget_words[MM_BUDGET_COUNT] = {
    [MM_BUDGET_FAILED] = "failed",
    [MM_BUDGET_LOGIN] = "with a failed login check",
    [MM_BUDGET_UNREACHABLE] = "unreachable",
};

const char *mm_budget_name(enum mm_budget b)
{
	return mm_ro_term_names[1 + b];
}

const char *mm_budget_clause(enum mm_budget b, int64_t n)
{
	static const char *const clauses[MM_BUDGET_COUNT][2] = {
	    [MM_BUDGET_FAILED] = {"failed", "failed"},
	    [MM_BUDGET_LOGIN] = {"has a failed login check", "have a failed login check"},
	    [MM_BUDGET_UNREACHABLE] = {"is unreachable", "are unreachable"},
	};
	return clauses[b][n != 1];
}

const char *mm_budget_words(enum mm_budget b)
{
	return budget_words[b];
}
