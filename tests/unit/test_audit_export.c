/*
 * Whatever is changed in an export is noticed, and the first place named is the
 * first that was changed: at random, MM_ROUNDS times (10,000: MM_ROUNDS=10000
 * bin/test_audit_export). The log itself: test_audit_judge.c.
 */
#include "audit_world.h"

#define LINES_MAX 4096

struct lines {
	const char *text;
	size_t starts[LINES_MAX + 1], n;
};

static void lines_of(const struct mm_buf *b, struct lines *l)
{
	const char *end;

	*l = (struct lines){.text = mm_buf_str(b)};
	for (size_t at = 0; at < b->len; at = end ? (size_t)(end - b->data) + 1 : b->len) {
		assert_true(l->n < LINES_MAX);
		l->starts[l->n++] = at;
		end = memchr(b->data + at, '\n', b->len - at);
	}
	l->starts[l->n] = b->len;
}

/* The head of the part in which line `i` lies. */
static size_t head_of(const struct lines *l, size_t i)
{
	i = i < l->n ? i : l->n - 1;
	while (i > 0 && l->text[l->starts[i]] != '@')
		i--;
	return i;
}

/* Where the next part begins. */
static size_t behind(const struct lines *l, size_t i)
{
	for (i++; i < l->n && l->text[l->starts[i]] != '@';)
		i++;
	return i;
}

/* The entry that the part of this head is about, 0 = none. */
static int64_t entry_at(const struct lines *l, size_t head)
{
	const char *p = l->text + l->starts[head], *number = strchr(p, ' ');
	int64_t seq = 0;

	if (strncmp(p, "@entry ", 7) == 0 || strncmp(p, "@personal ", 10) == 0 ||
	    strncmp(p, "@checkpoint ", 12) == 0 || strncmp(p, "@anchor ", 8) == 0)
		while (*++number >= '0' && *number <= '9')
			seq = 10 * seq + (*number - '0');
	return seq;
}

/* ---- what a forger does */

static void copy(struct mm_buf *out, const struct lines *l, size_t from, size_t to)
{
	mm_buf_add(out, l->text + l->starts[from], l->starts[to] - l->starts[from]);
}

/* Lines a to b and c to d change places. */
static void swap(struct mm_buf *out, const struct lines *l, size_t a, size_t b, size_t c, size_t d)
{
	copy(out, l, 0, a);
	copy(out, l, c, d);
	copy(out, l, b, c);
	copy(out, l, a, b);
	copy(out, l, d, l->n);
}

static void swap_any(struct world *w, const struct lines *l, bool parts, struct mm_buf *out)
{
	size_t a = rnd(w, l->n), b = rnd(w, l->n), low, high;

	if (parts) {
		a = head_of(l, a);
		b = head_of(l, b);
	}
	low = a < b ? a : b;
	high = a < b ? b : a;
	if (low < high)
		swap(out, l, low, parts ? behind(l, low) : low + 1, high, parts ? behind(l, high) : high + 1);
}

static size_t find_entry(const struct lines *l, int64_t seq)
{
	for (size_t i = 0; i < l->n; i++)
		if (strncmp(l->text + l->starts[i], "@entry ", 7) == 0 && entry_at(l, i) == seq)
			return i;
	fail_msg("entry %" PRId64 " is not there", seq);
	return 0;
}

/* One more, as whoever knows how would write it. */
static void insert_entry(struct world *w, const struct lines *l, struct mm_buf *out)
{
	int64_t k = w->pruned + 1 + (int64_t)rnd(w, (uint64_t)(w->last - w->pruned));
	size_t at = find_entry(l, k);
	char prev[MM_SHA256_HEX];
	struct mm_chain_entry e = {.seq = k,
	    .time = T0,
	    .who = "mallory",
	    .action = "user.add",
	    .object = "",
	    .detail = "{}",
	    .reason = "",
	    .apart = "",
	    .prev = prev,
	    .sha256 = prev};

	snprintf(prev, sizeof(prev), "%.64s", strchr(l->text + l->starts[at + 2], ':') + 1);
	copy(out, l, 0, at);
	char sum[MM_SHA256_HEX];
	mm_chain_hash(&e, sum);
	mm_buf_addf(out, "@entry %" PRId64 " %s\n", k, sum);
	mm_chain_text(&e, out);
	copy(out, l, at, l->n);
}

/* Another time in one entry, and everything behind it hashed anew. */
static void rehash(struct world *w, const struct lines *l, struct mm_buf *out)
{
	int64_t k = w->pruned + 1 + (int64_t)rnd(w, (uint64_t)(w->last - w->pruned));
	size_t at = find_entry(l, k), next;
	char sum[MM_SHA256_HEX] = "";
	struct mm_buf part = MM_BUF_INIT(1 << 20);

	copy(out, l, 0, at);
	for (; at < l->n; at = next) {
		next = behind(l, at);
		if (strncmp(l->text + l->starts[at], "@entry ", 7) != 0) {
			copy(out, l, at, next);
			continue;
		}
		mm_buf_reset(&part);
		copy(&part, l, at + 1, next);
		if (*sum)
			memcpy(strchr(strchr(part.data, '\n'), ':') + 1, sum, MM_SHA256_HEX - 1);
		else
			strstr(part.data, "\n10:")[4] ^= 1; /* the first digit of the time */
		mm_sha256_hex(part.data, part.len, sum);
		mm_buf_addf(out, "@entry %" PRId64 " %s\n", entry_at(l, at), sum);
		mm_buf_add(out, part.data, part.len);
	}
	mm_buf_free(&part);
}

static void tamper_lines(struct world *w, const struct lines *l, struct mm_buf *out)
{
	size_t a = rnd(w, l->n), b = a + 1;

	if (rnd(w, 2)) { /* a whole part */
		a = head_of(l, a);
		b = behind(l, a);
	}
	switch (rnd(w, 3)) {
	case 0: /* missing */
		copy(out, l, 0, a);
		break;
	case 1: /* twice */
		copy(out, l, 0, b);
		copy(out, l, a, b);
		break;
	default: /* somewhere else as well */
		copy(out, l, 0, b);
		a = head_of(l, rnd(w, l->n));
		copy(out, l, a, behind(l, a));
		break;
	}
	copy(out, l, b, l->n);
}

static const char *tamper(struct world *w, const struct lines *l, struct mm_buf *out)
{
	size_t at = rnd(w, w->export.len);

	mm_buf_reset(out);
	switch (rnd(w, 10)) {
	case 0:
		swap_any(w, l, false, out);
		return "two lines swapped";
	case 1:
		swap_any(w, l, true, out);
		return "two parts swapped";
	case 2:
		mm_buf_add(out, l->text, at);
		return "cut off";
	case 3:
		insert_entry(w, l, out);
		return "an entry inserted";
	case 4:
		rehash(w, l, out);
		return "hashed anew";
	case 5:
	case 6:
		tamper_lines(w, l, out);
		return "lines missing or there twice";
	case 7:
		mm_buf_add(out, l->text, w->export.len);
		out->data[at] = (char)rnd(w, 256);
		return "a byte";
	default:
		mm_buf_add(out, l->text, w->export.len);
		out->data[at] = "0123456789abcdef\n @:"[rnd(w, 20)];
		return "a character";
	}
}

/* ---- what is said to it */

/* Is the first fault about the first line that is another? By its line: of the
 * part in which that lies, before or now; or by the entry of that part. */
static bool right_place(
    const struct world *w, const struct lines *was, const struct lines *is, const struct mm_fault *f)
{
	size_t first = 0,
	       whole = was->starts[was->n] < is->starts[is->n] ? was->starts[was->n] : is->starts[is->n];

	for (size_t i = 0; i < whole && was->text[i] == is->text[i]; i++)
		first += was->text[i] == '\n';
	int64_t line = (int64_t)first + 1, seq = entry_at(was, head_of(was, first)), to = 0;

	if (f->line == line || (f->line == (int64_t)head_of(was, first) + 1 && first < was->n) ||
	    f->line == (int64_t)head_of(is, first) + 1)
		return true;
	/* "entries 4 to 6": what was hashed anew lies between two checkpoints. */
	for (size_t i = 0; i < w->n_points && to < seq; i++)
		to = w->points[i].seq;
	return seq > 0 &&
	       (f->seq == seq || (strncmp(f->place, "entries ", 8) == 0 && f->seq <= seq && to >= seq));
}

static void at_random(struct world *w)
{
	static struct lines was, is;
	struct mm_buf out = MM_BUF_INIT(1 << 22);
	int64_t rounds = number_of("MM_ROUNDS", ROUNDS) / 2, done = 0;

	lines_of(&w->export, &was);
	while (done < rounds) {
		const struct mm_audited *r;
		struct mm_judge *j;
		const char *how = tamper(w, &was, &out);

		if (out.len == 0 || (out.len == w->export.len && memcmp(out.data, was.text, out.len) == 0))
			continue;
		lines_of(&out, &is);
		write_file(w, mm_buf_str(&out), out.len);
		judge_export(w, &j, &r);
		if (r->n_faults == 0 || !right_place(w, &was, &is, &r->faults[0])) {
			print_faults(r);
			fail_msg(
			    "round %" PRId64 " (%s): the place is not named, see %s", done, how, w->path);
		}
		mm_judge_free(j);
		done++;
	}
	mm_buf_free(&out);
}

static void well(struct world *w)
{
	const struct mm_audited *r;
	struct mm_judge *j;

	judge_export(w, &j, &r);
	print_faults(r);
	assert_int_equal(r->n_faults, 0);
	mm_judge_free(j);
}

static void test_at_random(void **state)
{
	well(*state);
	at_random(*state);
}

/* With an anchor, and of somebody who was erased. */
static void test_pruned_at_random(void **state)
{
	struct world *w = *state;

	ok(w->f, mm_store_user_erase(w->f->s, "user1", &w->f->err));
	ok(w->f, mm_store_audit_prune(w->f->s, T0 + 30, w->key, &w->pruned, &w->f->err));
	assert_true(w->pruned > 0);
	point(w);
	make_export(w, true);
	well(w);
	at_random(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_at_random, world_setup, world_teardown),
	    cmocka_unit_test_setup_teardown(test_pruned_at_random, world_setup, world_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
