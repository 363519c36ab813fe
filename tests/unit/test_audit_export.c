/* Whatever is changed in an export is noticed, and the place named: 5,000 times at
 * random. The log itself: test_audit_judge.c. */
#include "audit_world.h"

static size_t lines_of(const struct mm_buf *b, size_t *starts, size_t max)
{
	size_t n = 0, at = 0;

	while (at < b->len && n < max) {
		starts[n++] = at;
		at = (size_t)((const char *)memchr(b->data + at, '\n', b->len - at) - b->data) + 1;
	}
	starts[n] = b->len;
	return n;
}

static void copy_lines(struct world *w, struct mm_buf *out, const size_t *s, size_t from, size_t to)
{
	mm_buf_add(out, w->export.data + s[from], s[to] - s[from]);
}

static void tamper_export(struct world *w, const size_t *s, size_t n, struct mm_buf *out)
{
	size_t a = rnd(w, n), b = rnd(w, n), at = rnd(w, w->export.len), low = a < b ? a : b,
	       high = a < b ? b : a;

	mm_buf_reset(out);
	switch (rnd(w, 6)) {
	case 0: /* a line is missing */
		copy_lines(w, out, s, 0, a);
		copy_lines(w, out, s, a + 1, n);
		return;
	case 1: /* a line stands twice */
		copy_lines(w, out, s, 0, a + 1);
		copy_lines(w, out, s, a, n);
		return;
	case 2: /* two lines change places */
		copy_lines(w, out, s, 0, low);
		if (low < high) {
			copy_lines(w, out, s, high, high + 1);
			copy_lines(w, out, s, low + 1, high);
			copy_lines(w, out, s, low, low + 1);
			copy_lines(w, out, s, high + 1, n);
		} else {
			copy_lines(w, out, s, low, n);
		}
		return;
	case 3: /* cut off */
		mm_buf_add(out, w->export.data, at);
		return;
	case 4: /* any byte */
		mm_buf_add(out, w->export.data, w->export.len);
		out->data[at] = (char)rnd(w, 256);
		return;
	default: /* a character for another */
		mm_buf_add(out, w->export.data, w->export.len);
		out->data[at] = "0123456789abcdef\n @:"[rnd(w, 20)];
		return;
	}
}

static void test_export_at_random(void **state)
{
	struct world *w = *state;
	static size_t starts[4096];
	size_t n = lines_of(&w->export, starts, 4095);
	struct mm_buf out = MM_BUF_INIT(1 << 22);
	const struct mm_audited *r;
	struct mm_judge *j;
	int done = 0;

	while (done < ROUNDS) {
		tamper_export(w, starts, n, &out);
		if (out.len == w->export.len && memcmp(mm_buf_str(&out), w->export.data, out.len) == 0)
			continue;
		write_file(w, mm_buf_str(&out), out.len);
		judge_export(w, &j, &r);
		if (r->n_faults == 0 || *r->faults[0].place == '\0') {
			write_file(w, mm_buf_str(&out), out.len);
			fail_msg("round %d: not found, see %s", done, w->path);
		}
		mm_judge_free(j);
		done++;
	}
	mm_buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_export_at_random, world_setup, world_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
