/*
 * The TOML editor for test_toml_tomllib.py: a JSON line {"text", "edit"} in,
 * a JSON line with the items and with the text after the edit out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/formats/toml.h"
#include "common/json.h"

static const char *member(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void add_items(const struct mm_doc *d, json_t *out)
{
	json_t *items = json_array();

	for (size_t i = 0; i < d->n; i++)
		json_array_append_new(items, json_pack("[s,s,s#,s]", d->items[i].section, d->items[i].key,
						 &d->items[i].kind, 1, d->items[i].value));
	mm_json_set(out, "items", items);
}

static void add_edit(const json_t *e, struct mm_text in, struct mm_arena *a, json_t *out)
{
	struct mm_buf b = MM_BUF_INIT(2 * MM_FORMAT_TEXT_MAX);
	struct mm_err err = MM_ERR_NONE;
	struct mm_edit edit = {.op = (enum mm_edit_op)mm_edit_op_by_name(member(e, "op")),
	    .section = member(e, "section"),
	    .key = member(e, "key"),
	    .value = member(e, "value"),
	    .kind = member(e, "kind")[0]};

	if (mm_format_toml.edit(in, &edit, 1, a, &b, &err) == 0)
		mm_json_set_str(out, "after", mm_buf_str(&b));
	else
		mm_json_set_str(out, "refused", err.text);
	mm_buf_free(&b);
}

static void answer(const char *line)
{
	struct mm_err err = MM_ERR_NONE;
	json_t *ask = mm_json_load("line", line, strlen(line), &err), *out = json_object();
	const char *text = member(ask, "text");
	struct mm_text in = {.p = text, .n = strlen(text)};
	struct mm_arena *a = mm_arena_new();
	struct mm_doc d;
	char *dump;

	if (mm_format_toml.parse(in, a, &d, &err) != 0) {
		mm_json_set_str(out, "error", err.text);
	} else {
		add_items(&d, out);
		add_edit(json_object_get(ask, "edit"), in, a, out);
	}
	dump = json_dumps(out, JSON_COMPACT);
	puts(dump);
	fflush(stdout);
	free(dump);
	json_decref(out);
	json_decref(ask);
	mm_arena_free(a);
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0)
		answer(line);
	free(line);
	return 0;
}
