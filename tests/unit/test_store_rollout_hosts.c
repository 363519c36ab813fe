/*
 * The hosts of rollouts in the store: a driver that is killed leaves nothing
 * behind that is lost; check-ins; what newer rollouts take over; lists.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rollout_fixture.h"

/* ---- a driver that is killed */

static void test_reclaim(void **state)
{
	struct fixture *f = *state;
	int64_t n = 0;

	ok(f, ro_claim(f, "h0", "r"));
	ok(f, mm_store_rollout_checkin(f->s, 1, "h1", "c", &f->err));
	assert_int_equal(
	    mm_store_rollout_reclaim(f->s, &ro_theirs, true, 0, 0, &n, &f->err), MM_ROLLOUT_LOST);
	/* A check-in has its own time. */
	ok(f, mm_store_rollout_reclaim(f->s, &ro_ours, true, T0, T0 + 500, &n, &f->err));
	assert_int_equal(n, 1);
	ro_is(f, 1, "h0", MM_RH_RELEASED);
	assert_true(ro_host(f, 1, "h0").touched);
	ro_is(f, 1, "h1", MM_RH_SENT);
	ok(f, ro_claim(f, "h0", "r2"));
	ok(f, mm_store_rollout_reclaim(f->s, &ro_ours, false, T0 + 1, T0 + 500, &n, &f->err));
	assert_int_equal(n, 1);
	ro_is(f, 1, "h0", MM_RH_SENT);
	ro_is(f, 1, "h1", MM_RH_UNREACHABLE);
	assert_int_equal(ro_host(f, 1, "h1").next_try, T0 + 500);
	/* Its answer comes after all. */
	ok(f, ro_land(f, "h1", "c", MM_RH_OK));
	ro_is(f, 1, "h1", MM_RH_OK);
	/* Late ones go back to the late lane. */
	ok(f, ro_land(f, "h0", "r2", MM_RH_UNREACHABLE));
	ok(f, mm_store_rollout_next(f->s, &ro_ours, &f->err));
	ok(f, ro_claim(f, "h0", "r3"));
	ok(f, mm_store_rollout_reclaim(f->s, &ro_ours, true, 0, 0, &n, &f->err));
	ro_is(f, 1, "h0", MM_RH_LATE);
}

/* A driver in a process of its own, until it is killed. */
static _Noreturn void drive(const char *path, int fd)
{
	struct mm_err err = MM_ERR_NONE;
	struct mm_store *s = NULL;
	int rc = mm_store_open(path, &s, &err);

	mm_store_set_now(s, T0);
	for (;;) {
		rc |= mm_store_begin(s, &err) | mm_store_rollout_claim(s, &ro_ours, "h0", "k0", &err) |
		      mm_store_commit(s, &err);
		if (rc != 0 || write(fd, "s", 1) != 1)
			_exit(1);
		/* The next step is under way when it dies. */
		(void)mm_store_begin(s, &err);
		(void)mm_store_rollout_claim(s, &ro_ours, "h1", "k1", &err);
		(void)mm_store_rollout_stop(s, &ro_ours, MM_RO_HALTED, "x", "x", &err);
		if (write(fd, "t", 1) != 1)
			_exit(1);
		pause();
	}
}

static void test_killed(void **state)
{
	struct fixture *f = *state;
	char seen[2] = "";
	int64_t n = 0;
	int fd[2], status;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	mm_store_close(f->s);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		drive(f->path, fd[1]);
	assert_int_equal(read(fd[0], &seen[0], 1), 1);
	assert_int_equal(read(fd[0], &seen[1], 1), 1);
	assert_memory_equal(seen, "st", 2);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fd[0]);
	close(fd[1]);
	ok(f, mm_store_open(f->path, &f->s, &f->err));
	/* Written down before it was sent; what was not committed never was. */
	ro_is(f, 1, "h0", MM_RH_SENT);
	ro_is(f, 1, "h1", MM_RH_RELEASED);
	assert_int_equal(ro_get(f, 1).state, MM_RO_RUNNING);
	mm_store_set_now(f->s, T0 + 59);
	assert_int_equal(mm_store_rollout_lease(f->s, &ro_theirs, 60, NULL, NULL, &f->err), MM_ROLLOUT_LOST);
	mm_store_set_now(f->s, T0 + 60);
	ok(f, mm_store_rollout_lease(f->s, &ro_theirs, 60, NULL, NULL, &f->err));
	ok(f, mm_store_rollout_reclaim(f->s, &ro_theirs, true, 0, 0, &n, &f->err));
	assert_int_equal(n, 1);
	ro_is(f, 1, "h0", MM_RH_RELEASED);
	ok(f, mm_store_rollout_claim(f->s, &ro_theirs, "h0", "k2", &f->err));
	/* The answer to the request of the dead is not that of ours. */
	assert_int_equal(ro_land(f, "h0", "k0", MM_RH_OK), 1);
	ok(f, ro_land(f, "h0", "k2", MM_RH_OK));
}

/* ---- check-ins, and what a host is to have */

static struct mm_rollout_offer offer(struct fixture *f, const char *name)
{
	struct mm_rollout_offer o = {.rollout = -1};

	ok(f, mm_store_rollout_offer(f->s, name, &o, &f->err));
	return o;
}

static void test_checkin_keeps_to_the_window(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mm_store_rollout_checkin(f->s, 1, "h2", "c", &f->err), 1);
	ok(f, mm_store_rollout_next(f->s, &ro_ours, &f->err));
	ok(f, mm_store_rollout_checkin(f->s, 1, "h2", "c", &f->err));
	assert_true(ro_host(f, 1, "h2").by_checkin);
	assert_true(offer(f, "h3").claimable);
	ok(f, ro_claim(f, "h0", "r"));
	/* Two are in flight. */
	assert_false(offer(f, "h3").claimable);
	assert_int_equal(mm_store_rollout_checkin(f->s, 1, "h3", "c", &f->err), 1);
	ok(f, ro_land(f, "h0", "r", MM_RH_OK));
	ok(f, mm_store_rollout_checkin(f->s, 1, "h3", "c", &f->err));
	assert_int_equal(mm_store_rollout_checkin(f->s, 1, "h3", "c", &f->err), 1);
}

static void test_offer(void **state)
{
	struct fixture *f = *state;
	struct mm_rollout_offer o = offer(f, "h0");

	assert_int_equal(o.rollout, 1);
	assert_int_equal(o.revision, 5);
	assert_int_equal(o.state, MM_RH_RELEASED);
	assert_true(o.claimable);
	assert_int_equal(o.held, 0);
	/* Not its turn. */
	o = offer(f, "h2");
	assert_int_equal(o.rollout, 0);
	assert_int_equal(o.revision, 0);
	assert_false(o.claimable);
	assert_int_equal(o.held, 5);
	assert_int_equal(o.held_by, 1);
	assert_int_equal(offer(f, "stranger").held, 0);
	/* Paused: who has it keeps it, the others are held. */
	ro_send_and_land(f, "h0", MM_RH_OK);
	ok(f, mm_store_rollout_pause(f->s, 1, &f->err));
	assert_int_equal(offer(f, "h0").revision, 5);
	o = offer(f, "h1");
	assert_int_equal(o.revision, 0);
	assert_int_equal(o.held, 5);
	/* A newer rollout that has it waiting: the older revision stays released to it. */
	assert_int_equal(ro_create(f, 6, 0, HOSTS), 2);
	o = offer(f, "h0");
	assert_int_equal(o.revision, 6);
	assert_true(o.claimable);
	assert_int_equal(offer(f, "h2").held, 6);
	ok(f, mm_store_rollout_abort(f->s, 2, false, &f->err));
	assert_int_equal(offer(f, "h0").revision, 5);
	assert_int_equal(offer(f, "h2").held, 0);
	assert_int_equal(offer(f, "h2").revision, 0);
}

static void test_newer_rollout_takes_over(void **state)
{
	struct fixture *f = *state;
	int64_t seq;

	ro_send_and_land(f, "h0", MM_RH_OK);
	ok(f, ro_claim(f, "h1", "r"));
	seq = ro_get(f, 1).seq;
	/* It has only h1 .. h3: the older one keeps the rest. */
	assert_int_equal(ro_create(f, 6, 1, 3), 2);
	assert_true(ro_get(f, 1).seq > seq);
	ro_is(f, 1, "h0", MM_RH_OK);
	ro_is(f, 1, "h1", MM_RH_SENT);
	ro_is(f, 1, "h2", MM_RH_SUPERSEDED);
	ro_is(f, 1, "h3", MM_RH_SUPERSEDED);
	ro_is(f, 1, "h4", MM_RH_WAITING);
	ro_is(f, 2, "h1", MM_RH_RELEASED);
	assert_int_equal(ro_get(f, 1).state, MM_RO_RUNNING);
	ok(f, ro_land(f, "h1", "r", MM_RH_OK));
	assert_int_equal(ro_create(f, 7, 4, 2), 3);
	assert_int_equal(ro_get(f, 1).state, MM_RO_SUPERSEDED);
	assert_string_equal(ro_get(f, 1).why, "rollout 3 has taken over what was left");
	assert_int_equal(ro_get(f, 2).state, MM_RO_RUNNING);
}

/* What is over stays as it was. */
static void test_done_is_not_superseded(void **state)
{
	struct fixture *f = *state;

	for (int wave = 0; wave < 3; wave++) {
		ro_send_and_land(f, ro_names[2 * wave], MM_RH_OK);
		ro_send_and_land(f, ro_names[2 * wave + 1], wave < 2 ? MM_RH_OK : MM_RH_UNREACHABLE);
		if (wave < 2)
			ok(f, mm_store_rollout_next(f->s, &ro_ours, &f->err));
	}
	ok(f, mm_store_rollout_done(f->s, &ro_ours, "", &f->err));
	ro_create(f, 6, 0, HOSTS);
	assert_int_equal(ro_get(f, 1).state, MM_RO_DONE);
	ro_is(f, 1, "h5", MM_RH_SUPERSEDED);
	ro_is(f, 1, "h4", MM_RH_OK);
}

static void test_overtaken(void **state)
{
	struct fixture *f = *state;
	int64_t n = 9;

	ok(f, mm_store_rollout_overtaken(f->s, "h2", 4, &n, &f->err));
	assert_int_equal(n, 0);
	ro_is(f, 1, "h2", MM_RH_WAITING);
	ok(f, mm_store_rollout_overtaken(f->s, "h2", 5, &n, &f->err));
	assert_int_equal(n, 1);
	ro_is(f, 1, "h2", MM_RH_SUPERSEDED);
	/* In flight, or answered: left as it is. */
	ok(f, ro_claim(f, "h0", "r"));
	ok(f, mm_store_rollout_overtaken(f->s, "h0", 9, NULL, &f->err));
	ro_is(f, 1, "h0", MM_RH_SENT);
	/* An answer that comes when it is another's already. */
	ok(f, ro_land(f, "h0", "r", MM_RH_UNREACHABLE));
	ok(f, mm_store_rollout_overtaken(f->s, "h0", 9, NULL, &f->err));
	assert_int_equal(ro_land(f, "h0", "r", MM_RH_OK), 1);
	ro_is(f, 1, "h0", MM_RH_SUPERSEDED);
	assert_true(ro_host(f, 1, "h0").touched);
}

static void test_removed_host_holds_up_nothing(void **state)
{
	struct fixture *f = *state;

	ok(f, mm_store_host_remove(f->s, "h1", &f->err));
	ro_is(f, 1, "h1", MM_RH_SUPERSEDED);
	assert_string_equal(ro_host(f, 1, "h1").text, "it was removed from the inventory");
}

/* ---- lists */

struct seen {
	char text[256];
	int64_t most;
};

static int list_host(const struct mm_rollout_host *h, void *arg, struct mm_err *err)
{
	struct seen *s = arg;
	size_t n = strlen(s->text);

	(void)err;
	snprintf(s->text + n, sizeof(s->text) - n, "%s=%s ", h->host, mm_rh_state_name(h->state));
	if (h->seq > s->most)
		s->most = h->seq;
	return 0;
}

static void test_changes_since(void **state)
{
	struct fixture *f = *state;
	struct seen all = {.text = ""}, some = {.text = ""}, due = {.text = ""};

	ok(f, mm_store_rollout_hosts(f->s, 1, 0, list_host, &all, &f->err));
	assert_string_equal(all.text, "h0=released h1=released h2=waiting h3=waiting h4=waiting h5=waiting ");
	ok(f, mm_store_rollout_hosts(f->s, 1, all.most, list_host, &some, &f->err));
	assert_string_equal(some.text, "");
	ok(f, mm_store_rollout_checkin(f->s, 1, "h1", "c", &f->err));
	ro_send_and_land(f, "h0", MM_RH_UNREACHABLE);
	ok(f, mm_store_rollout_hosts(f->s, 1, all.most, list_host, &some, &f->err));
	assert_string_equal(some.text, "h1=sent h0=unreachable ");
	assert_int_equal(some.most, ro_get(f, 1).seq);
	ok(f, mm_store_rollout_due(f->s, 1, 10, list_host, &due, &f->err));
	assert_string_equal(due.text, "");
	ok(f, mm_store_rollout_next(f->s, &ro_ours, &f->err));
	mm_store_set_now(f->s, T0 + 60);
	ok(f, mm_store_rollout_due(f->s, 1, 2, list_host, &due, &f->err));
	assert_string_equal(due.text, "h0=late h2=released ");
}

static int list_count(const struct mm_rollout_count *c, void *arg, struct mm_err *err)
{
	struct seen *s = arg;
	size_t n = strlen(s->text);

	(void)err;
	snprintf(s->text + n, sizeof(s->text) - n, "%d:%d ok%d late%d users%d/%d/%d/%d; ", (int)c->wave,
	    (int)c->hosts, (int)c->by[MM_RH_OK], (int)c->late, (int)c->users, (int)c->tested,
	    (int)c->verified, (int)c->failed);
	return 0;
}

static void test_counts(void **state)
{
	struct fixture *f = *state;
	struct seen s = {.text = ""};

	ro_send_and_land(f, "h0", MM_RH_OK);
	ro_send_and_land(f, "h1", MM_RH_UNREACHABLE);
	ok(f, mm_store_rollout_next(f->s, &ro_ours, &f->err));
	ro_send_and_land(f, "h2", MM_RH_LOGIN);
	ro_send_and_land(f, "h3", MM_RH_OK);
	ok(f, mm_store_rollout_counts(f->s, 1, list_count, &s, &f->err));
	assert_string_equal(s.text, "0:2 ok1 late1 users6/4/3/1; 1:2 ok1 late0 users6/4/3/1; "
				    "2:2 ok0 late0 users0/0/0/0; -1:6 ok2 late1 users12/8/6/2; ");
}

static int list_rollout(const struct mm_rollout *r, void *arg, struct mm_err *err)
{
	struct seen *s = arg;
	size_t n = strlen(s->text);

	(void)err;
	snprintf(s->text + n, sizeof(s->text) - n, "%d=%s ", (int)r->id, mm_ro_state_name(r->state));
	return 0;
}

static void test_each(void **state)
{
	struct fixture *f = *state;
	struct seen all = {.text = ""}, live = {.text = ""};
	struct mm_rollout r;

	ok(f, ro_claim(f, "h0", "r"));
	ok(f, mm_store_rollout_abort(f->s, 1, false, &f->err));
	ro_create(f, 6, 2, 2);
	ro_create(f, 7, 4, 2);
	ok(f, mm_store_rollout_pause(f->s, 3, &f->err));
	ok(f, mm_store_rollout_each(f->s, false, list_rollout, &all, &f->err));
	assert_string_equal(all.text, "3=paused 2=running 1=aborted ");
	/* The aborted one still has a host in flight. */
	ok(f, mm_store_rollout_each(f->s, true, list_rollout, &live, &f->err));
	assert_string_equal(live.text, "2=running 1=aborted ");
	ok(f, mm_store_rollout_last(f->s, f->a, &r, &f->err));
	assert_int_equal(r.id, 3);
}

static void test_large(void **state)
{
	struct fixture *f = *state;
	struct mm_rollout r = {.revision = 8,
	    .selection = "",
	    .terms = "{}",
	    .seed = "s",
	    .waves = 2,
	    .window = 100,
	    .kind = MM_ROLLOUT_ROLLBACK,
	    .of = 1};
	struct mm_rollout_member *m = mm_arena_alloc(f->a, 20000, sizeof(*m));
	struct mm_rollout_lease l = {.rollout = 2, .owner = "me"};
	struct seen s = {.text = ""};
	int64_t id = 0;

	for (size_t i = 0; i < 20000; i++)
		m[i] =
		    (struct mm_rollout_member){mm_arena_printf(f->a, "big%05zu", i), i >= 100, (int64_t)i, 0};
	ok(f, mm_store_rollout_create(f->s, &r, m, 20000, &id, &f->err));
	assert_int_equal(ro_get(f, id).kind, MM_ROLLOUT_ROLLBACK);
	assert_int_equal(ro_get(f, id).of, 1);
	ok(f, mm_store_rollout_lease(f->s, &l, 60, NULL, NULL, &f->err));
	ok(f, mm_store_rollout_next(f->s, &l, &f->err));
	ok(f, mm_store_begin(f->s, &f->err));
	for (size_t i = 0; i < 20000; i++)
		assert_int_equal(mm_store_rollout_claim(f->s, &l, m[i].host, "r", &f->err), 0);
	ok(f, mm_store_commit(f->s, &f->err));
	ok(f, mm_store_rollout_counts(f->s, id, list_count, &s, &f->err));
	assert_non_null(strstr(s.text, "-1:20000 ok0"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, ro_setup, store_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(test_reclaim), T(test_killed),
	    T(test_checkin_keeps_to_the_window), T(test_offer), T(test_newer_rollout_takes_over),
	    T(test_done_is_not_superseded), T(test_overtaken), T(test_removed_host_holds_up_nothing),
	    T(test_changes_since), T(test_counts), T(test_each), T(test_large)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
