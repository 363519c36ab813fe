/*
 * For tests: evidence put into a store as if workstations had told it.
 *
 *   mkreports STORE < LINES
 *
 * Each line is a JSON object: "now" (unix seconds), "head", "findings" and
 * "logins" as schemas/json has them. What a decoder refuses is refused here.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "controller/store/store.h"

static int findings(const json_t *all, struct mm_arena *a, struct mm_finding *out, struct mm_err *err)
{
	size_t i;
	json_t *one;
	json_array_foreach(all, i, one)
	{
		struct mm_buf b = MM_BUF_INIT(1u << 20);
		mm_json_dump(one, &b);
		int rc = mm_finding_decode(mm_buf_str(&b), b.len, a, &out[i], err);
		mm_buf_free(&b);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int logins(const json_t *all, struct mm_arena *a, struct mm_login *out, struct mm_err *err)
{
	size_t i;
	json_t *one;
	json_array_foreach(all, i, one)
	{
		struct mm_buf b = MM_BUF_INIT(1u << 20);
		mm_json_dump(one, &b);
		int rc = mm_login_decode(mm_buf_str(&b), b.len, a, &out[i], err);
		mm_buf_free(&b);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int head(const json_t *line, struct mm_arena *a, struct mm_report_head *out, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	mm_json_dump(json_object_get(line, "head"), &b);
	int rc = mm_report_head_decode(mm_buf_str(&b), b.len, a, out, err);
	mm_buf_free(&b);
	return rc;
}

static int put(struct mm_store *s, const json_t *line, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	const json_t *f = json_object_get(line, "findings"), *l = json_object_get(line, "logins");
	size_t nf = json_array_size(f), nl = json_array_size(l);
	struct mm_finding *fs = mm_arena_alloc(a, nf + 1, sizeof(*fs));
	struct mm_login *ls = mm_arena_alloc(a, nl + 1, sizeof(*ls));
	struct mm_report_head h;
	bool fresh;
	int rc = head(line, a, &h, err);
	if (rc == 0)
		rc = findings(f, a, fs, err);
	if (rc == 0)
		rc = logins(l, a, ls, err);
	mm_store_set_now(s, json_integer_value(json_object_get(line, "now")));
	if (rc == 0)
		rc = mm_store_report(s,
		    &(struct mm_report_in){.head = &h,
			.findings = fs,
			.n_findings = nf,
			.logins = ls,
			.n_logins = nl,
			.direct = true},
		    &fresh, err);
	mm_arena_free(a);
	return rc;
}

int main(int argc, char **argv)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_store *s = NULL;
	char *text = NULL;
	size_t cap = 0;
	if (argc != 2)
		return MM_EX_USAGE;
	int rc = mm_store_open(argv[1], &s, &err);
	for (ssize_t n; rc == 0 && (n = getline(&text, &cap, stdin)) > 0;) {
		json_t *line = mm_json_load("line", text, (size_t)n, &err);
		rc = line != NULL ? put(s, line, &err) : -1;
		json_decref(line);
	}
	if (rc < 0)
		fprintf(stderr, "mkreports: %s\n", err.text);
	free(text);
	mm_store_close(s);
	return rc < 0 ? err.code : 0;
}
