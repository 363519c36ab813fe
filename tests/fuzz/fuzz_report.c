/* Everything that an agent or the probe tells, chosen by the first byte:
 * h(ead) f(inding) l(ogin) o = hello, r(efused) e(nd) a(nswer) t(ask), and
 * v = one argument vector. What decodes, encodes to what decodes to the same;
 * what is told may be printed as it stands. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/frame.h"
#include "common/text.h"
#include "schemas/probe.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Decode and, if that worked, encode into `out`. */
typedef int turn_fn(const char *p, size_t n, struct mm_arena *a, struct mm_buf *out, struct mm_err *err);

static void printable(const char *s)
{
	assert(s == NULL || !mm_has_control(s));
}

static int turn_head(const char *p, size_t n, struct mm_arena *a, struct mm_buf *out, struct mm_err *err)
{
	struct mm_report_head h;
	if (mm_report_head_decode(p, n, a, &h, err) != 0)
		return -1;
	printable(h.agent);
	mm_report_head_encode(&h, out);
	return 0;
}

static void same_text(const char *x, const char *y)
{
	assert(mm_streq(x, y));
}

/* The short way and the shared texts read what the JSON parser reads. */
static void same_as_parsed(const char *p, size_t n, struct mm_arena *a, const struct mm_finding *f)
{
	struct mm_finding parsed, after;
	struct mm_err none = MM_ERR_NONE;
	assert(mm_finding_decode_parsed(p, n, a, &parsed, &none) == 0);
	assert(mm_finding_decode_after(p, n, a, f, &after, &none) == 0);
	const struct mm_finding *const two[] = {&parsed, &after};
	for (size_t i = 0; i < 2; i++) {
		same_text(f->user, two[i]->user);
		same_text(f->client, two[i]->client);
		same_text(f->path, two[i]->path);
		same_text(f->account, two[i]->account);
		same_text(f->setting, two[i]->setting);
		same_text(f->desired, two[i]->desired);
		same_text(f->found, two[i]->found);
		same_text(f->override_path, two[i]->override_path);
		same_text(f->reason, two[i]->reason);
		assert(f->line == two[i]->line && f->state == two[i]->state && f->action == two[i]->action &&
		       f->costs == two[i]->costs);
	}
}

static int turn_finding(const char *p, size_t n, struct mm_arena *a, struct mm_buf *out, struct mm_err *err)
{
	struct mm_finding f;
	if (mm_finding_decode(p, n, a, &f, err) != 0) {
		assert(mm_finding_decode_parsed(p, n, a, &f, NULL) != 0);
		return -1;
	}
	same_as_parsed(p, n, a, &f);
	printable(f.path);
	printable(f.account);
	printable(f.desired);
	printable(f.found);
	printable(f.override_path);
	printable(f.reason);
	assert(f.state < MM_ST_COUNT && f.action < MM_ACT_COUNT && f.line >= 0);
	mm_finding_encode(&f, out);
	return 0;
}

static void check_login(const struct mm_login *l)
{
	printable(l->username);
	printable(l->text);
	printable(l->admin);
	printable(l->server_text);
	printable(l->tls.subject);
	assert(l->side != NULL && l->cls != NULL && l->auth != NULL);
	assert(l->result != MM_LOGIN_PASSED || (l->any && l->reached >= l->level));
}

static int turn_login(const char *p, size_t n, struct mm_arena *a, struct mm_buf *out, struct mm_err *err)
{
	struct mm_login l;
	if (mm_login_decode(p, n, a, &l, err) != 0)
		return -1;
	check_login(&l);
	mm_login_encode(&l, out);
	return 0;
}

static int turn_answer(const char *p, size_t n, struct mm_arena *a, struct mm_buf *out, struct mm_err *err)
{
	struct mm_login l;
	int64_t id;
	if (mm_probe_answer_decode(p, n, a, &id, &l, err) != 0)
		return -1;
	check_login(&l);
	mm_probe_answer_encode(id, &l, out);
	return 0;
}

static int turn_task(const char *p, size_t n, struct mm_arena *a, struct mm_buf *out, struct mm_err *err)
{
	struct mm_probe_task t;
	if (mm_probe_task_decode(p, n, a, &t, err) != 0)
		return -1;
	printable(t.username);
	printable(t.ca_file);
	mm_probe_task_encode(&t, out);
	return 0;
}

static int turn_hello(const char *p, size_t n, struct mm_arena *a, struct mm_buf *out, struct mm_err *err)
{
	struct mm_hello h;
	if (mm_hello_decode(p, n, a, &h, err) != 0)
		return -1;
	mm_hello_encode(&h, out);
	return 0;
}

static int turn_refused(const char *p, size_t n, struct mm_arena *a, struct mm_buf *out, struct mm_err *err)
{
	struct mm_refused r;
	if (mm_refused_decode(p, n, a, &r, err) != 0)
		return -1;
	printable(r.text);
	mm_refused_encode(&r, out);
	return 0;
}

/* No input may pass for the end of an answer of one frame, but its own. */
static int turn_end(const char *p, size_t n, struct mm_arena *a, struct mm_buf *out, struct mm_err *err)
{
	struct mm_tally t;
	(void)a;
	mm_tally_init(&t);
	mm_tally_add(&t, 16, "{}", 2);
	if (mm_end_check(&t, p, n, err) != 0)
		return -1;
	mm_tally_init(&t);
	mm_tally_add(&t, 16, "{}", 2);
	mm_end_encode(&t, out);
	return 0;
}

static int turn_argv(const char *p, size_t n, struct mm_arena *a, struct mm_buf *out, struct mm_err *err)
{
	const char *const *argv;
	size_t count;
	if (mm_argv_parse(mm_arena_strndup(a, p, n), a, &argv, &count, err) != 0)
		return -1;
	assert(count >= 1 && count <= MM_ARGV_MAX && argv[0][0] == '/' && argv[count] == NULL);
	mm_buf_adds(out, mm_argv_text(argv, a));
	return 0;
}

static turn_fn *const turns[256] = {
    ['h'] = turn_head,
    ['f'] = turn_finding,
    ['l'] = turn_login,
    ['o'] = turn_hello,
    ['r'] = turn_refused,
    ['e'] = turn_end,
    ['a'] = turn_answer,
    ['t'] = turn_task,
    ['v'] = turn_argv,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	turn_fn *turn = size > 0 ? turns[data[0]] : NULL;
	if (turn == NULL)
		return 0;
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	struct mm_buf one = MM_BUF_INIT(4 * MM_FRAME_MAX), two = MM_BUF_INIT(4 * MM_FRAME_MAX);
	if (turn((const char *)data + 1, size - 1, a, &one, &err) == 0) {
		assert(mm_buf_ok(&one) && turn(one.data, one.len, a, &two, &err) == 0);
		assert(mm_streq(mm_buf_str(&one), mm_buf_str(&two)));
	} else {
		assert(err.code == MM_EX_DATAERR && err.text[0] != '\0');
	}
	mm_buf_free(&one);
	mm_buf_free(&two);
	mm_arena_free(a);
	return 0;
}
