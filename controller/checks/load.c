/* From libconfig's tree to struct mm_baseline. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "controller/checks/baseline.h"
#include "controller/checks/tests.h"
#include "controller/policy/parse.h"
#include "controller/policy/scan.h"

#define ID_MAX 40
#define THRESHOLD_MAX 100000

struct library {
	struct mm_check *v;
	struct mm_origin *at;
	size_t n, cap, n_at, cap_at;
};

/* What a baseline says of one check. */
struct chosen {
	struct mm_said check;
	int severity; /* -1 = as it comes */
	int threshold;
	struct mm_said_list controls;
};

struct baseline_in {
	struct library lib;
	struct mm_said id, title, framework, version, href;
	struct chosen *v;
	size_t n, cap;
	bool seen;
};

static bool is_id(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");
	return n > 0 && n <= ID_MAX && s[n] == '\0';
}

static int text_of(struct mm_parser *p, config_setting_t *s, const char *what, const char **out)
{
	struct mm_said t;
	if (mm_parse_text(p, s, what, &t) != 0)
		return -1;
	*out = t.text;
	return 0;
}

static void read_severity(struct mm_parser *p, config_setting_t *s, const char *what, int *out)
{
	mm_parse_word(p, s, what, mm_severity_by_name, "info, low, medium, high or critical", out);
}

/* Each entry of a list of blocks goes to use(). */
static void each_block(struct mm_parser *p, config_setting_t *s, void *into, const char *what,
    void (*use)(struct mm_parser *p, config_setting_t *x, void *into, const char *what))
{
	if (!config_setting_is_list(s)) {
		if (!mm_parse_bad(s))
			mm_diag_error(p->diags, mm_parse_at(p, s),
			    "%s must be a list of blocks; write ( { ... }, { ... } )", what);
		return;
	}
	for (int i = 0; i < config_setting_length(s); i++) {
		config_setting_t *x = config_setting_get_elem(s, (unsigned)i);
		if (!mm_parse_bad(x) && mm_parse_is_block(p, x, what))
			use(p, x, into, what);
	}
}

/* ---- one check of the library */

struct check_in {
	struct mm_check *c;
	struct mm_rule_ref *refs;
	struct mm_fix *fixes;
	size_t cap_refs, cap_fixes;
};

static void ref_document(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	text_of(p, s, what, &((struct mm_rule_ref *)into)->document);
}

static void ref_section(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	text_of(p, s, what, &((struct mm_rule_ref *)into)->section);
}

static void ref_words(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	text_of(p, s, what, &((struct mm_rule_ref *)into)->words);
}

static void one_ref(struct mm_parser *p, config_setting_t *x, void *into, const char *what)
{
	static const struct mm_key keys[] = {
	    {"document", ref_document}, {"section", ref_section}, {"words", ref_words}, {NULL, NULL}};
	struct check_in *in = into;
	struct mm_rule_ref *r = mm_arena_push(p->arena, &in->refs, &in->c->n_refs, &in->cap_refs, sizeof(*r));
	*r = (struct mm_rule_ref){.document = "", .section = "", .words = ""};
	mm_parse_keys(p, x, keys, r, what);
	in->c->refs = in->refs;
	if (r->document[0] == '\0' || r->words[0] == '\0')
		mm_diag_error(p->diags, mm_parse_at(p, x), "%s: a reference needs document and words", what);
}

static void check_refs(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	each_block(p, s, into, what, one_ref);
}

/* fixes = { any = "..."; mutt = "..."; } */
static void check_fixes(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct check_in *in = into;
	if (!mm_parse_is_block(p, s, what))
		return;
	for (int i = 0; i < config_setting_length(s); i++) {
		config_setting_t *x = config_setting_get_elem(s, (unsigned)i);
		const char *client = config_setting_name(x), *text;
		if (mm_parse_skip(x) ||
		    text_of(p, x, mm_arena_printf(p->scratch, "%s: %s", what, client), &text))
			continue;
		struct mm_fix *f =
		    mm_arena_push(p->arena, &in->fixes, &in->c->n_fixes, &in->cap_fixes, sizeof(*f));
		*f = (struct mm_fix){mm_streq(client, "any") ? "" : mm_arena_strdup(p->arena, client), text};
		in->c->fixes = in->fixes;
	}
}

static void check_id(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct check_in *in = into;
	const char *id;
	if (text_of(p, s, what, &id) != 0)
		return;
	if (is_id(id))
		in->c->id = id;
	else
		mm_diag_error(p->diags, mm_parse_at(p, s),
		    "%s: \"%s\" is no id; write 1 to %d of a-z, 0-9 and -", what, id, ID_MAX);
}

static void check_title(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	text_of(p, s, what, &((struct check_in *)into)->c->title);
}

static void check_rationale(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	text_of(p, s, what, &((struct check_in *)into)->c->rationale);
}

static void check_severity(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	int v;
	if (mm_parse_word(p, s, what, mm_severity_by_name, "info, low, medium, high or critical", &v) == 0)
		((struct check_in *)into)->c->severity = (enum mm_severity)v;
}

static void check_test(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	struct check_in *in = into;
	const char *names[MM_TESTS_MAX + 1], *test, *near;
	if (text_of(p, s, what, &test) != 0)
		return;
	mm_test_names(names);
	near = mm_nearest(test, names);
	if (mm_test_by_name(test) != NULL)
		in->c->test = test;
	else
		mm_diag_error(p->diags, mm_parse_at(p, s), "%s: there is no test %s%s%s%s", what, test,
		    near != NULL ? "; did you mean " : "", near != NULL ? near : "", near != NULL ? "?" : "");
}

static void check_threshold(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	int v;
	if (mm_parse_number(p, s, what, 0, THRESHOLD_MAX, &v) == 0)
		((struct check_in *)into)->c->threshold = v;
}

static void complete(struct mm_parser *p, const struct library *lib, const struct mm_check *c,
    struct mm_origin at, const char *what)
{
	const char *missing = c->id == NULL          ? "id"
			      : c->title == NULL     ? "title"
			      : c->rationale == NULL ? "rationale"
			      : c->test == NULL      ? "test"
						     : NULL;
	if (missing != NULL && p->diags->errors == 0)
		mm_diag_error(p->diags, at, "%s: %s is missing", what, missing);
	for (size_t i = 0; i + 1 < lib->n && c->id != NULL; i++)
		if (mm_streq(lib->v[i].id, c->id))
			mm_diag_error(
			    p->diags, at, "%s: %s is there already; choose another id", what, c->id);
}

static void one_check(struct mm_parser *p, config_setting_t *x, void *into, const char *what)
{
	static const struct mm_key keys[] = {{"id", check_id}, {"title", check_title},
	    {"rationale", check_rationale}, {"severity", check_severity}, {"test", check_test},
	    {"threshold", check_threshold}, {"refs", check_refs}, {"fixes", check_fixes}, {NULL, NULL}};
	struct library *lib = &((struct baseline_in *)into)->lib;
	struct mm_check c = {.severity = MM_SEV_MEDIUM};
	struct check_in in = {.c = &c};
	if (lib->n >= MM_CHECKS_MAX) {
		mm_diag_error(p->diags, mm_parse_at(p, x), "more than %d checks", MM_CHECKS_MAX);
		return;
	}
	mm_parse_keys(p, x, keys, &in, what);
	struct mm_check *v = mm_arena_push(p->arena, &lib->v, &lib->n, &lib->cap, sizeof(*v));
	struct mm_origin *at = mm_arena_push(p->arena, &lib->at, &lib->n_at, &lib->cap_at, sizeof(*at));
	*v = c;
	*at = mm_parse_at(p, x);
	complete(p, lib, v, *at, what);
}

static void read_library(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	each_block(p, s, into, what, one_check);
}

/* ---- the baseline */

static void chosen_check(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	mm_parse_text(p, s, what, &((struct chosen *)into)->check);
}

static void chosen_severity(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	read_severity(p, s, what, &((struct chosen *)into)->severity);
}

static void chosen_threshold(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	mm_parse_number(p, s, what, 0, THRESHOLD_MAX, &((struct chosen *)into)->threshold);
}

static void chosen_controls(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	mm_parse_list(p, s, what, &((struct chosen *)into)->controls);
}

static void one_chosen(struct mm_parser *p, config_setting_t *x, void *into, const char *what)
{
	static const struct mm_key keys[] = {{"check", chosen_check}, {"severity", chosen_severity},
	    {"threshold", chosen_threshold}, {"controls", chosen_controls}, {NULL, NULL}};
	struct baseline_in *in = into;
	struct chosen c = {.severity = -1, .threshold = -1};
	mm_parse_keys(p, x, keys, &c, what);
	if (c.check.text == NULL) {
		if (c.check.at.file == NULL)
			mm_diag_error(p->diags, mm_parse_at(p, x), "%s: check is missing", what);
		return;
	}
	for (size_t i = 0; i < in->n; i++)
		if (mm_streq(in->v[i].check.text, c.check.text))
			mm_diag_error(
			    p->diags, c.check.at, "%s: %s is selected twice; keep one", what, c.check.text);
	*(struct chosen *)mm_arena_push(p->arena, &in->v, &in->n, &in->cap, sizeof(c)) = c;
}

static void base_id(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	mm_parse_text(p, s, what, &((struct baseline_in *)into)->id);
}

static void base_title(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	mm_parse_text(p, s, what, &((struct baseline_in *)into)->title);
}

static void base_framework(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	mm_parse_text(p, s, what, &((struct baseline_in *)into)->framework);
}

static void base_version(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	mm_parse_text(p, s, what, &((struct baseline_in *)into)->version);
}

static void base_href(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	mm_parse_text(p, s, what, &((struct baseline_in *)into)->href);
}

static void base_select(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	each_block(p, s, into, what, one_chosen);
}

static void read_baseline(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	static const struct mm_key keys[] = {{"id", base_id}, {"title", base_title},
	    {"framework", base_framework}, {"version", base_version}, {"href", base_href},
	    {"select", base_select}, {NULL, NULL}};
	((struct baseline_in *)into)->seen = true;
	if (mm_parse_is_block(p, s, what))
		mm_parse_keys(p, s, keys, into, what);
}

static void read_format(struct mm_parser *p, config_setting_t *s, void *into, const char *what)
{
	int format = 0;
	(void)into;
	if (mm_parse_number(p, s, what, 1, INT32_MAX, &format) == 0 && format != MM_BASELINE_FORMAT)
		mm_diag_error(p->diags, mm_parse_at(p, s),
		    "format %d is not known to this version; write format = %d", format, MM_BASELINE_FORMAT);
}

static void parse(struct mm_parser *p, const char *clean, struct baseline_in *in)
{
	static const struct mm_key keys[] = {
	    {"format", read_format}, {"baseline", read_baseline}, {"checks", read_library}, {NULL, NULL}};
	config_t cfg;
	config_init(&cfg);
	if (config_read_string(&cfg, clean) != CONFIG_TRUE) {
		int line = config_error_line(&cfg);
		mm_diag_error(p->diags, mm_source_at(p->src, line > 0 ? (size_t)line : 1),
		    "%s; compare with mailmuster-baseline(5)", config_error_text(&cfg));
	} else {
		config_setting_t *root = config_root_setting(&cfg);
		mm_parse_keys(p, root, keys, in, "");
		if (config_setting_get_member(root, "format") == NULL)
			mm_diag_error(p->diags, mm_source_at(p->src, 1), "no format; write format = %d;",
			    MM_BASELINE_FORMAT);
	}
	config_destroy(&cfg);
}

/* ---- putting both together */

static const struct mm_check *in_library(const struct library *lib, const char *id)
{
	for (size_t i = 0; i < lib->n; i++)
		if (mm_streq(lib->v[i].id, id))
			return &lib->v[i];
	return NULL;
}

static void no_such_check(struct mm_parser *p, const struct library *lib, const struct mm_said *id)
{
	const char **ids = mm_arena_alloc(p->scratch, lib->n + 1, sizeof(*ids));
	for (size_t i = 0; i < lib->n; i++)
		ids[i] = lib->v[i].id;
	const char *near = mm_nearest(id->text, ids);
	mm_diag_error(p->diags, id->at, "there is no check %s%s%s%s", id->text,
	    near != NULL ? "; did you mean " : "", near != NULL ? near : "", near != NULL ? "?" : "");
}

static void join(struct mm_parser *p, const struct baseline_in *in, struct mm_baseline *b)
{
	struct mm_check *checks = mm_arena_alloc(p->arena, in->n, sizeof(*checks));
	for (size_t i = 0; i < in->n; i++) {
		const struct chosen *sel = &in->v[i];
		const struct mm_check *from = in_library(&in->lib, sel->check.text);
		struct mm_control *controls =
		    mm_arena_alloc(p->arena, sel->controls.n + 1, sizeof(*controls));
		if (from == NULL) {
			no_such_check(p, &in->lib, &sel->check);
			continue;
		}
		struct mm_check *c = &checks[b->n];
		*c = *from;
		if (sel->severity >= 0)
			c->severity = (enum mm_severity)sel->severity;
		if (sel->threshold >= 0)
			c->threshold = sel->threshold;
		for (size_t k = 0; k < sel->controls.n; k++)
			controls[k] = (struct mm_control){b->framework, sel->controls.items[k].text};
		c->controls = controls;
		c->n_controls = sel->controls.n;
		c->index = b->n++;
	}
	b->checks = checks;
}

static const char *or_empty(const struct mm_said *s)
{
	return s->text != NULL ? s->text : "";
}

/* `before`: errors in `d` before its source was read. */
static int load(const struct mm_source *src, struct mm_arena *a, size_t before,
    const struct mm_baseline **out, struct mm_diags *d)
{
	struct mm_baseline *b = mm_arena_alloc(a, 1, sizeof(*b));
	char *sha256 = mm_arena_alloc(a, 1, MM_SHA256_HEX);
	struct baseline_in in = {.seen = false};
	struct mm_parser p = {.src = src, .arena = a, .scratch = mm_arena_new(), .diags = d};
	struct mm_buf clean = MM_BUF_INIT(4 * MM_POLICY_TEXT_MAX);
	mm_sha256_hex(src->text, src->len, sha256);
	if (mm_scan(src, p.scratch, &clean, d) == 0) {
		assert(mm_buf_ok(&clean)); /* the scanner adds a few bytes per token */
		parse(&p, mm_buf_str(&clean), &in);
		*b = (struct mm_baseline){.id = or_empty(&in.id),
		    .title = or_empty(&in.title),
		    .framework = or_empty(&in.framework),
		    .version = or_empty(&in.version),
		    .href = or_empty(&in.href),
		    .sha256 = sha256};
		if (d->errors == before && (b->id[0] == '\0' || b->title[0] == '\0' || in.n == 0))
			mm_diag_error(d, mm_source_at(src, 1),
			    "baseline needs an id, a title and at least one check in select");
		if (d->errors == before)
			join(&p, &in, b);
	}
	mm_buf_free(&clean);
	mm_arena_free(p.scratch);
	mm_diags_sort(d);
	if (d->errors > before)
		return -1;
	*out = b;
	return 0;
}

int mm_baseline_load_file(const char *path, struct mm_arena *a, const struct mm_baseline **out,
    struct mm_said *text, struct mm_diags *d)
{
	struct mm_source src;
	size_t before = d->errors;
	if (mm_source_file(path, a, &src, d) != 0 || load(&src, a, before, out, d) != 0)
		return -1;
	if (text != NULL)
		*text = (struct mm_said){src.text, {src.name, 1}};
	return 0;
}

int mm_baseline_load_text(const char *name, const char *text, struct mm_arena *a,
    const struct mm_baseline **out, struct mm_diags *d)
{
	struct mm_source src;
	size_t before = d->errors;
	if (mm_source_text(name, text, strlen(text), a, &src, d) != 0)
		return -1;
	return load(&src, a, before, out, d);
}
