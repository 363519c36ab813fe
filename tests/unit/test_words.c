/* schemas/json/words.schema.json says exactly what our tables say: every word,
 * every setting id, their defaults, ranges and labels. When a table changes,
 * this test prints the file as it has to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "schemas/facts.h"
#include "schemas/proto.h"
#include "schemas/report.h"
#include "schemas/settings.h"

#define FOLDER MM_SOURCE_DIR "/schemas/json/"

static json_t *word_enum(json_t *list)
{
	json_t *o = json_object();
	mm_json_set(o, "enum", list);
	return o;
}

static void add(json_t *list, const char *word)
{
	assert_int_equal(json_array_append_new(list, json_string(word)), 0);
}

static json_t *words_of(const char *const *words)
{
	json_t *list = json_array();
	for (size_t i = 0; words[i] != NULL; i++)
		add(list, words[i]);
	return word_enum(list);
}

/* The enums' names, as functions of int. */
#define NAMER(type)                                                                                          \
	static const char *name_of_##type(int i)                                                             \
	{                                                                                                    \
		return mm_##type##_name((enum mm_##type)i);                                                  \
	}
NAMER(side)
NAMER(op)
NAMER(state)
NAMER(action)
NAMER(audit)
NAMER(mode)
NAMER(create)
NAMER(reach)
NAMER(result)
NAMER(level)

static json_t *names_of(const char *(*name)(int), int n)
{
	json_t *list = json_array();
	for (int i = 0; i < n; i++)
		add(list, name(i));
	return word_enum(list);
}

static json_t *setting_ids(void)
{
	json_t *list = json_array();
	for (int s = 0; s < MM_SET_COUNT; s++)
		add(list, mm_setting_def((enum mm_setting)s)->id);
	return word_enum(list);
}

/* Facts: what `found` can be. */
static json_t *fact_schema(void)
{
	json_t *o = json_object(), *properties = json_object();
	for (int f = 0; f < MM_FACT_COUNT; f++) {
		const char *const *words = mm_fact_words((enum mm_fact)f);
		json_t *one = words != NULL ? words_of(words) : json_object();
		mm_json_set_str(one, "title", mm_fact_label((enum mm_fact)f));
		mm_json_set_str(one, "type", "string");
		mm_json_set(properties, mm_fact_id((enum mm_fact)f), one);
	}
	mm_json_set_str(o, "description", "id of a fact -> what is found");
	mm_json_set_str(o, "type", "object");
	mm_json_set(o, "properties", properties);
	return o;
}

static const char *const type_notes[] = {
    [MM_TYPE_TEXT] = "UTF-8 without control characters, no blank at either end",
    [MM_TYPE_ADDRESS] = "local@domain, domain in lower case",
    [MM_TYPE_HOST] = "host name in lower case, or address literal; no port, no brackets",
    [MM_TYPE_INT] = "decimal, without leading zeros",
    [MM_TYPE_WORD] = "one of the words",
    [MM_TYPE_BOOL] = "yes or no",
    [MM_TYPE_ARGV] = "compact JSON array of strings, the first an absolute path",
    [MM_TYPE_PATH] = "absolute path without ..",
    [MM_TYPE_PIN] = "sha256//BASE64, several separated by ;",
    [MM_TYPE_FOLDER] = "IMAP mailbox in UTF-8, levels parted by /, not the inbox itself",
};

/* A setting's canonical value: always a string. */
static json_t *setting_schema(const struct mm_setting_def *d)
{
	static const char *const yes_no[] = {"yes", "no", NULL};
	json_t *o = json_object();
	mm_json_set_str(o, "title", d->label);
	mm_json_set_str(o, "description", d->help);
	mm_json_set_str(o, "$comment", type_notes[d->type]);
	mm_json_set_str(o, "type", "string");
	if (d->type == MM_TYPE_WORD || d->type == MM_TYPE_BOOL)
		json_object_update_new(o, words_of(d->type == MM_TYPE_BOOL ? yes_no : d->words));
	if (d->type == MM_TYPE_INT) {
		mm_json_set_str(o, "pattern", "^(0|-?[1-9][0-9]*)$");
		mm_json_set_int(o, "x-minimum", d->min);
		mm_json_set_int(o, "x-maximum", d->max);
	} else if (d->words == NULL && d->type != MM_TYPE_BOOL) {
		bool whole = d->type == MM_TYPE_ARGV || d->type == MM_TYPE_PIN;
		mm_json_set_int(o, "maxLength", whole ? MM_VALUE_MAX : d->max);
	}
	mm_json_set_str(o, "default", d->dflt);
	mm_json_set_bool(o, "x-required", (d->flags & MM_SETF_REQUIRED) != 0);
	mm_json_set_bool(o, "x-placeholders", (d->flags & MM_SETF_TEMPLATE) != 0);
	return o;
}

static json_t *settings_schema(void)
{
	json_t *o = json_object(), *properties = json_object();
	for (int s = 0; s < MM_SET_COUNT; s++) {
		const struct mm_setting_def *d = mm_setting_def((enum mm_setting)s);
		mm_json_set(properties, d->id, setting_schema(d));
	}
	mm_json_set_str(o, "description", "setting id -> canonical value");
	mm_json_set_str(o, "type", "object");
	mm_json_set(o, "properties", properties);
	return o;
}

static json_t *expected(void)
{
	static const char *const refusals[] = {MM_REFUSED_PROTOCOL, MM_REFUSED_MALFORMED,
	    MM_REFUSED_SIGNATURE, MM_REFUSED_HOST, MM_REFUSED_REPLAY, MM_REFUSED_EXPIRED, MM_REFUSED_MANIFEST,
	    MM_REFUSED_LIMITS, MM_REFUSED_OP, MM_REFUSED_DISABLED, MM_REFUSED_MOVED, MM_REFUSED_BUSY, NULL};
	static const char *const evidence[] = {"attested", "claimed", NULL};
	static const char *const protocols[] = {"imap", "pop3", "smtp", NULL};
	json_t *o = json_object(), *defs = json_object();
	mm_json_set_str(o, "$schema", "https://json-schema.org/draft/2020-12/schema");
	mm_json_set_str(o, "$id", "urn:mailmuster:v1:words");
	mm_json_set_str(o, "title", "Words");
	mm_json_set_str(
	    o, "description", "The words and the settings of the contract; the other schemas refer to them.");
	mm_json_set(defs, "side", names_of(name_of_side, MM_SIDE_COUNT));
	mm_json_set(defs, "op", names_of(name_of_op, MM_OP_COUNT));
	mm_json_set(defs, "state", names_of(name_of_state, MM_ST_COUNT));
	mm_json_set(defs, "action", names_of(name_of_action, MM_ACT_COUNT));
	mm_json_set(defs, "audit", names_of(name_of_audit, MM_AUDIT_COUNT));
	mm_json_set(defs, "mode", names_of(name_of_mode, MM_MODE_COUNT));
	mm_json_set(defs, "create", names_of(name_of_create, MM_CREATE_COUNT));
	mm_json_set(defs, "scope", names_of(name_of_reach, MM_REACH_COUNT));
	mm_json_set(defs, "result", names_of(name_of_result, MM_LOGIN_COUNT));
	mm_json_set(defs, "level", names_of(name_of_level, MM_LEVEL_COUNT));
	mm_json_set(defs, "evidence", words_of(evidence));
	mm_json_set(defs, "protocol", words_of(protocols));
	mm_json_set(defs, "security", words_of(mm_security_words));
	mm_json_set(defs, "auth", words_of(mm_auth_words));
	mm_json_set(defs, "tls_min", words_of(mm_setting_def(MM_SET_IN_TLS_MIN)->words));
	mm_json_set(defs, "refused", words_of(refusals));
	mm_json_set(defs, "setting", setting_ids());
	mm_json_set(defs, "settings", settings_schema());
	mm_json_set(defs, "facts", fact_schema());
	mm_json_set(o, "$defs", defs);
	return o;
}

static void words_are_those_of_the_tables(void **state)
{
	(void)state;
	json_error_t e;
	json_t *want = expected();
	json_t *have = json_load_file(FOLDER "words.schema.json", JSON_REJECT_DUPLICATES, &e);
	bool equal = have != NULL && json_equal(have, want);
	if (!equal) {
		json_dumpf(want, stdout, JSON_INDENT(2));
		puts("");
	}
	json_decref(want);
	json_decref(have);
	if (!equal)
		fail_msg("words.schema.json differs from the tables: the text above is what it has to be");
}

/* Protocols in logins are those that the settings allow, on one side or the other. */
static void protocols_are_those_of_the_settings(void **state)
{
	(void)state;
	json_t *both = json_array();
	const enum mm_setting sides[] = {MM_SET_IN_PROTOCOL, MM_SET_OUT_PROTOCOL};
	for (size_t i = 0; i < 2; i++) {
		const char *const *words = mm_setting_def(sides[i])->words;
		for (size_t k = 0; words[k] != NULL; k++)
			add(both, words[k]);
	}
	json_t *want = expected();
	const json_t *protocol = json_object_get(json_object_get(want, "$defs"), "protocol");
	assert_true(json_equal(json_object_get(protocol, "enum"), both));
	json_decref(both);
	json_decref(want);
}

/* Every reference in every schema leads to words that exist. */
static void check_refs(const json_t *j, const json_t *defs)
{
	static const char prefix[] = "urn:mailmuster:v1:words#/$defs/";
	const char *ref = json_string_value(json_object_get(j, "$ref"));
	/* a request holds whole ones */
	if (ref != NULL && strcmp(ref, "urn:mailmuster:v1:sheet") != 0 &&
	    strcmp(ref, "urn:mailmuster:v1:checkpoint") != 0) {
		assert_memory_equal(ref, prefix, sizeof(prefix) - 1);
		if (json_object_get(defs, ref + sizeof(prefix) - 1) == NULL)
			fail_msg("%s does not exist", ref);
	}
	for (size_t i = 0; i < json_array_size(j); i++)
		check_refs(json_array_get(j, i), defs);
	union {
		const json_t *in;
		json_t *out;
	} o = {.in = j};
	const char *key;
	json_t *value;
	json_object_foreach(o.out, key, value)
	{
		check_refs(value, defs);
	}
}

static void references_hold(void **state)
{
	(void)state;
	static const char *const names[] = {"envelope", "request", "sheet", "report", "finding", "login",
	    "hello", "refused", "end", "probe-task", "probe-answer"};
	json_t *words = expected();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct mm_buf path = MM_BUF_INIT(4096);
		mm_buf_addf(&path, "%s%s.schema.json", FOLDER, names[i]);
		json_t *j = json_load_file(mm_buf_str(&path), JSON_REJECT_DUPLICATES, NULL);
		if (j == NULL)
			fail_msg("%s does not load", mm_buf_str(&path));
		mm_buf_reset(&path);
		mm_buf_addf(&path, "urn:mailmuster:v1:%s", names[i]);
		assert_string_equal(json_string_value(json_object_get(j, "$id")), mm_buf_str(&path));
		check_refs(j, json_object_get(words, "$defs"));
		json_decref(j);
		mm_buf_free(&path);
	}
	json_decref(words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_are_those_of_the_tables),
	    cmocka_unit_test(protocols_are_those_of_the_settings),
	    cmocka_unit_test(references_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
