/*
 * CSV from outside: reading ends, lines only grow, what is given is text
 * without control characters, and written again with every field in quotes it
 * reads as the same records.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/text.h"
#include "controller/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct mm_csv_record *r, int last)
{
	if (r->line <= last || r->n == 0 || r->n > MM_CSV_FIELDS_MAX)
		abort();
	for (size_t i = 0; i < r->n; i++)
		if (mm_has_control(r->field[i]) || strlen(r->field[i]) > MM_CSV_FIELD_MAX)
			abort();
}

static void write_record(const struct mm_csv_record *r, struct mm_buf *out)
{
	for (size_t i = 0; i < r->n; i++) {
		mm_buf_adds(out, i ? ",\"" : "\"");
		for (const char *p = r->field[i]; *p; p++)
			mm_buf_adds(out, *p == '"' ? "\"\"" : (char[]){*p, '\0'});
		mm_buf_addc(out, '"');
	}
	mm_buf_adds(out, "\r\n");
}

/* All good records of a text, in one writing; counts the bad ones. */
static size_t rewrite(const char *text, size_t len, struct mm_arena *a, struct mm_buf *out)
{
	struct mm_csv_record r;
	struct mm_csv c;
	size_t bad = 0;
	int last = 0, rc;

	mm_csv_init(&c, text, len);
	while ((rc = mm_csv_next(&c, a, &r, NULL)) != 0) {
		if (rc > 0) {
			check(&r, last);
			write_record(&r, out);
		}
		bad += rc < 0;
		last = r.line;
	}
	return bad;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mm_buf once = MM_BUF_INIT(64u << 20), twice = MM_BUF_INIT(64u << 20);
	struct mm_arena *a = mm_arena_new();

	rewrite((const char *)data, size, a, &once);
	if (once.len > 0 && (rewrite(once.data, once.len, a, &twice) != 0 || once.len != twice.len ||
				memcmp(once.data, twice.data, once.len) != 0))
		abort();
	mm_buf_free(&once);
	mm_buf_free(&twice);
	mm_arena_free(a);
	return 0;
}
