/*
 * Findings on the wire. A report has dozens of each user, of which most are
 * plain (plain.h): these are read without a tree. What one says is what the
 * JSON parser would have read, which tests/fuzz/fuzz_report.c compares.
 */
#include <limits.h>
#include <string.h>

#include "common/text.h"
#include "schemas/plain.h"
#include "schemas/wire.h"

#define FORM_MAX 512 /* bytes of a text that has a form, as in wire.c */
#define WORD_MAX 64
#define COSTS_MAX 16
#define COST_WORD_MAX 32 /* bytes */

static bool is_setting_or_empty(const char *s)
{
	return mm_streq(s, "") || mm_wire_is_setting_id(s);
}

/* ---- members */

enum member {
	M_USER,
	M_CLIENT,
	M_PATH,
	M_ACCOUNT,
	M_SETTING,
	M_DESIRED,
	M_FOUND,
	M_OVERRIDE_PATH,
	M_REASON,
	M_TEXTS, /* how many of the above */
	M_LINE = M_TEXTS,
	M_STATE,
	M_ACTION,
	M_COUNT
};

static const struct {
	const char *name;
	size_t max;
	mm_wire_form *form; /* NULL = any text */
	bool needed;
	const char *dflt;
} members[M_COUNT] = {
    [M_USER] = {"user", FORM_MAX, mm_is_report_user, true, NULL},
    [M_CLIENT] = {"client", FORM_MAX, mm_wire_is_client, true, NULL},
    [M_PATH] = {"path", MM_REPORT_PATH_MAX, NULL, false, ""},
    [M_ACCOUNT] = {"account", MM_REPORT_NAME_MAX, NULL, false, ""},
    [M_SETTING] = {"setting", FORM_MAX, is_setting_or_empty, false, ""},
    [M_DESIRED] = {"desired", MM_VALUE_MAX, NULL, false, NULL},
    [M_FOUND] = {"found", MM_VALUE_MAX, NULL, false, NULL},
    [M_OVERRIDE_PATH] = {"override_path", MM_REPORT_PATH_MAX, NULL, false, NULL},
    [M_REASON] = {"reason", MM_REPORT_TEXT_MAX, NULL, false, ""},
    [M_LINE] = {"line", 0, NULL, false, NULL},
    [M_STATE] = {"state", WORD_MAX, NULL, true, NULL},
    [M_ACTION] = {"action", WORD_MAX, NULL, true, NULL},
};

static const char **text_of(struct mm_finding *f, int i)
{
	const char **const at[M_TEXTS] = {&f->user, &f->client, &f->path, &f->account, &f->setting,
	    &f->desired, &f->found, &f->override_path, &f->reason};
	return at[i];
}

/* ---- encoding */

static void put_costs(json_t *o, unsigned costs)
{
	const char *words[MM_COST_COUNT];
	size_t n = 0;

	for (int i = 0; i < MM_COST_COUNT; i++)
		if ((costs & 1u << i) != 0)
			words[n++] = mm_cost_name(i);
	if (n > 0)
		mm_wire_put_strings(o, "costs", words, n, COST_WORD_MAX);
}

void mm_finding_encode(const struct mm_finding *f, struct mm_buf *out)
{
	json_t *o = json_object();
	mm_json_set_str(o, "user", f->user);
	mm_json_set_str(o, "client", f->client);
	mm_wire_put(o, "path", f->path, MM_REPORT_PATH_MAX);
	mm_wire_put(o, "account", f->account, MM_REPORT_NAME_MAX);
	mm_json_set_str(o, "setting", f->setting);
	mm_wire_put(o, "desired", f->desired, MM_VALUE_MAX);
	mm_wire_put(o, "found", f->found, MM_VALUE_MAX);
	if (f->line > 0)
		mm_json_set_int(o, "line", f->line);
	mm_wire_put(o, "override_path", f->override_path, MM_REPORT_PATH_MAX);
	mm_json_set_str(o, "state", mm_state_name(f->state));
	mm_json_set_str(o, "action", mm_action_name(f->action));
	mm_wire_put(o, "reason", f->reason, MM_REPORT_TEXT_MAX);
	put_costs(o, f->costs);
	mm_wire_finish(o, out);
}

/* ---- decoding with the JSON parser */

/* A newer agent may know more of them. */
static int read_costs(const json_t *o, struct mm_arena *a, unsigned *costs, struct mm_err *err)
{
	const char *const *words;
	size_t n;

	if (mm_wire_strings(o, "costs", COSTS_MAX, COST_WORD_MAX, NULL, a, &words, &n, err) != 0)
		return -1;
	for (size_t k = 0; k < n; k++)
		for (int i = 0; i < MM_COST_COUNT; i++)
			if (mm_streq(words[k], mm_cost_name(i)))
				*costs |= 1u << i;
	return 0;
}

static int read_text(const json_t *o, int i, struct mm_arena *a, struct mm_finding *f, struct mm_err *err)
{
	const char **out = text_of(f, i);
	if (members[i].form == NULL)
		return mm_wire_str_opt(o, members[i].name, members[i].max, members[i].dflt, a, out, err);
	if (mm_wire_form_str(o, members[i].name, members[i].form, !members[i].needed, a, out, err) != 0)
		return -1;
	if (*out == NULL)
		*out = members[i].dflt;
	return 0;
}

static int read_finding(const json_t *o, struct mm_arena *a, struct mm_finding *f, struct mm_err *err)
{
	int state = 0, action = 0;
	int64_t line = 0;
	for (int i = 0; i < M_TEXTS; i++)
		if (read_text(o, i, a, f, err) != 0)
			return -1;
	if (mm_json_int_opt(o, "line", 0, INT_MAX, 0, &line, err) != 0 ||
	    mm_wire_word(o, "state", mm_state_by_name, &state, err) != 0 ||
	    mm_wire_word(o, "action", mm_action_by_name, &action, err) != 0 ||
	    read_costs(o, a, &f->costs, err) != 0)
		return -1;
	f->line = (int)line;
	f->state = (enum mm_state)state;
	f->action = (enum mm_action)action;
	return 0;
}

int mm_finding_decode_parsed(
    const char *json, size_t n, struct mm_arena *a, struct mm_finding *out, struct mm_err *err)
{
	json_t *o = mm_wire_load("finding", json, n, err);
	if (o == NULL)
		return -1;
	struct mm_finding f = {.user = NULL};
	int rc = read_finding(o, a, &f, err);
	if (rc == 0)
		*out = f;
	else
		mm_err_prefix(err, "finding");
	json_decref(o);
	return rc;
}

/* ---- decoding of what is plain */

/* Members come in one order mostly: `from` is where to look first. */
static int member_of(const struct mm_plain *m, int from)
{
	for (int k = 0; k < M_COUNT; k++) {
		int i = (from + k) % M_COUNT;
		if (strncmp(members[i].name, m->name, m->name_len) == 0 &&
		    members[i].name[m->name_len] == '\0')
			return i;
	}
	return -1;
}

/* Each where it belongs; false when one is strange, or stands twice. */
static bool sort(
    const char *json, size_t n, struct mm_plain room[M_COUNT], const struct mm_plain *at[M_COUNT])
{
	int count = mm_plain_read(json, n, room, M_COUNT), i = -1;
	for (int k = 0; k < count; k++) {
		i = member_of(&room[k], i + 1);
		if (i < 0 || at[i] != NULL || (room[k].text == NULL) != (i == M_LINE))
			return false;
		at[i] = &room[k];
	}
	return count > 0;
}

static bool same(const char *s, const struct mm_plain *m)
{
	return s != NULL && !m->escaped && strncmp(s, m->text, m->len) == 0 && s[m->len] == '\0';
}

static bool plain_text(
    const struct mm_plain *m, int i, struct mm_arena *a, const struct mm_finding *last, struct mm_finding *f)
{
	struct mm_finding before = last != NULL ? *last : (struct mm_finding){.user = NULL};
	const char **out = text_of(f, i), *known = *text_of(&before, i);
	*out = members[i].dflt;
	if (m == NULL)
		return !members[i].needed;
	if (m->len > members[i].max)
		return false;
	if (i == M_FOUND && same(f->desired, m))
		known = f->desired;
	if (same(known, m)) {
		*out = known;
		return true;
	}
	*out = mm_plain_copy(m, a);
	return members[i].form == NULL || members[i].form(*out);
}

static int plain_word(const struct mm_plain *m, int (*by_name)(const char *))
{
	char word[WORD_MAX + 1];
	if (m == NULL || m->len > WORD_MAX || m->escaped)
		return -1;
	memcpy(word, m->text, m->len);
	word[m->len] = '\0';
	return by_name(word);
}

static bool decode_plain(
    const char *json, size_t n, struct mm_arena *a, const struct mm_finding *last, struct mm_finding *out)
{
	struct mm_plain room[M_COUNT];
	const struct mm_plain *at[M_COUNT] = {NULL};
	struct mm_finding f = {.user = NULL};
	if (!sort(json, n, room, at))
		return false;
	int state = plain_word(at[M_STATE], mm_state_by_name);
	int action = plain_word(at[M_ACTION], mm_action_by_name);
	int64_t line = at[M_LINE] != NULL ? at[M_LINE]->number : 0;
	if (state < 0 || action < 0 || line > INT_MAX)
		return false;
	for (int i = 0; i < M_TEXTS; i++)
		if (!plain_text(at[i], i, a, last, &f))
			return false;
	f.line = (int)line;
	f.state = (enum mm_state)state;
	f.action = (enum mm_action)action;
	*out = f;
	return true;
}

int mm_finding_decode_after(const char *json, size_t n, struct mm_arena *a, const struct mm_finding *last,
    struct mm_finding *out, struct mm_err *err)
{
	return decode_plain(json, n, a, last, out) ? 0 : mm_finding_decode_parsed(json, n, a, out, err);
}

int mm_finding_decode(
    const char *json, size_t n, struct mm_arena *a, struct mm_finding *out, struct mm_err *err)
{
	return mm_finding_decode_after(json, n, a, NULL, out, err);
}
