/* The fleet in parts: each is taken once, all in one state of the store, and whoever dies is told of. */
#include "store_fixture.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/text.h"
#include "controller/report/parts.h"
#include "controller/store/view.h"

#define PARTS 12

struct seen {
	const char *text; /* in the arena of whoever made it */
	pid_t by;
	int64_t hosts, here; /* of the fleet, of this part */
};

struct job {
	pid_t parent;
	const char *path;
	struct seen *seen;             /* shared */
	atomic_int *begun;             /* shared: parts that the others [1] and the parent [0] have begun */
	enum { FINE, DIE, FAIL } what; /* that the others do */
};

static int count_host(const struct mm_host_row *h, void *arg, struct mm_err *err)
{
	(void)h;
	(void)err;
	++*(int64_t *)arg;
	return 0;
}

static int work(struct mm_store *s, size_t part, struct mm_arena *a, void *arg, struct mm_err *err)
{
	struct job *j = arg;
	char from[16], to[16];
	bool other = getpid() != j->parent;
	atomic_fetch_add(&j->begun[other], 1);
	if (other && j->what == DIE)
		raise(SIGKILL);
	if (other && j->what == FAIL)
		return mm_err_set(err, MM_EX_DATAERR, "part %zu is bad", part);
	/* Neither does all alone. */
	while (j->what == FINE && atomic_load(&j->begun[!other]) == 0)
		sched_yield();
	snprintf(from, sizeof(from), "h%03zu", part * 10);
	snprintf(to, sizeof(to), "h%03zu", part * 10 + 9);
	struct seen *x = &j->seen[part];
	mm_store_part(s, from, to);
	int rc = mm_store_host_rows(s, NULL, count_host, &x->here, err);
	mm_store_part(s, NULL, NULL);
	if (rc != 0 || mm_store_hosts_count(s, &x->hosts, err) != 0)
		return -1;
	x->text = mm_arena_printf(a, "part %zu", part);
	x->by = getpid();
	return 0;
}

static struct mm_parts *prepare(struct fixture *f, struct job *j)
{
	char id[16];
	for (int i = 0; i < PARTS * 10; i++) {
		snprintf(id, sizeof(id), "h%03d", i);
		add_host(f, id, NULL);
	}
	struct mm_parts *p = mm_parts_new(2);
	assert_non_null(p);
	j->parent = getpid();
	j->seen = mm_arena_alloc(mm_parts_arena(p), PARTS, sizeof(*j->seen));
	j->begun = mm_arena_alloc(mm_parts_arena(p), 2, sizeof(*j->begun));
	return p;
}

static void no_child_is_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_each_part_once(void **state)
{
	struct fixture *f = *state;
	struct job j = {.what = FINE};
	struct mm_parts *p = prepare(f, &j);
	struct mm_store *writer = NULL;
	int64_t hosts = 0;
	ok(f, mm_parts_start(p, f->s, PARTS, work, &j, &f->err));
	/* Written while they work: nobody sees it. */
	ok(f, mm_store_open(f->path, &writer, &f->err));
	struct fixture other = {.s = writer};
	add_host(&other, "h0005", NULL);
	mm_store_close(writer);
	ok(f, mm_parts_finish(p, f->a, &f->err));
	bool by_me = false, by_another = false;
	for (size_t i = 0; i < PARTS; i++) {
		char want[16];
		snprintf(want, sizeof(want), "part %zu", i);
		assert_string_equal(j.seen[i].text, want);
		assert_int_equal(j.seen[i].hosts, PARTS * 10);
		assert_int_equal(j.seen[i].here, 10);
		by_me |= j.seen[i].by == j.parent;
		by_another |= j.seen[i].by != j.parent;
	}
	assert_true(by_me);
	assert_true(by_another);
	mm_store_view_end(f->s);
	ok(f, mm_store_hosts_count(f->s, &hosts, &f->err));
	assert_int_equal(hosts, PARTS * 10 + 1);
	mm_parts_free(p);
	no_child_is_left();
}

static void test_one_that_dies(void **state)
{
	struct fixture *f = *state;
	struct job j = {.what = DIE};
	struct mm_parts *p = prepare(f, &j);
	ok(f, mm_parts_start(p, f->s, PARTS, work, &j, &f->err));
	while (atomic_load(&j.begun[1]) == 0)
		sched_yield();
	assert_int_equal(mm_parts_finish(p, f->a, &f->err), -1);
	assert_int_equal(f->err.code, MM_EX_FAILED);
	assert_non_null(strstr(f->err.text, "was ended by signal 9"));
	mm_store_view_end(f->s);
	mm_parts_free(p);
	no_child_is_left();
}

static void test_one_that_fails(void **state)
{
	struct fixture *f = *state;
	struct job j = {.what = FAIL};
	struct mm_parts *p = prepare(f, &j);
	ok(f, mm_parts_start(p, f->s, PARTS, work, &j, &f->err));
	while (atomic_load(&j.begun[1]) == 0)
		sched_yield();
	assert_int_equal(mm_parts_finish(p, f->a, &f->err), -1);
	assert_int_equal(f->err.code, MM_EX_DATAERR);
	assert_non_null(strstr(f->err.text, "is bad"));
	mm_store_view_end(f->s);
	mm_parts_free(p);
	no_child_is_left();
}

/* Whoever gives up takes the others along. */
static void test_given_up(void **state)
{
	struct fixture *f = *state;
	struct job j = {.what = FINE};
	struct mm_parts *p = prepare(f, &j);
	ok(f, mm_parts_start(p, f->s, PARTS, work, &j, &f->err));
	mm_parts_free(p);
	no_child_is_left();
	mm_store_view_end(f->s);
}

static void test_the_store_is_another(void **state)
{
	struct fixture *f = *state;
	char aside[256];
	ok(f, mm_store_let_go(f->s, &f->err));
	snprintf(aside, sizeof(aside), "%s.aside", f->path);
	assert_int_equal(rename(f->path, aside), 0);
	struct mm_store *s = NULL;
	ok(f, mm_store_create(f->path, &s, &f->err));
	mm_store_close(s);
	assert_int_equal(mm_store_reconnect(f->s, &f->err), -1);
	assert_non_null(strstr(f->err.text, "another store has taken its place"));
	assert_int_equal(rename(aside, f->path), 0);
	ok(f, mm_store_reconnect(f->s, &f->err));
}

static void test_how_many(void **state)
{
	(void)state;
	cpu_set_t all, one;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	assert_int_equal(mm_parts_processes(0), 1);
	assert_int_equal(mm_parts_processes(MM_PARTS_HOSTS - 1), 1);
	int cpus = CPU_COUNT(&all);
	assert_int_equal(mm_parts_processes(1000000), cpus > MM_PARTS_PROCESSES ? MM_PARTS_PROCESSES : cpus);
	CPU_ZERO(&one);
	for (size_t i = 0; CPU_COUNT(&one) == 0; i++)
		if (CPU_ISSET(i, &all))
			CPU_SET(i, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(mm_parts_processes(1000000), 1);
	assert_null(mm_parts_new(1));
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_each_part_once, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_one_that_dies, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_one_that_fails, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_given_up, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_the_store_is_another, store_setup, store_teardown),
	    cmocka_unit_test(test_how_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
