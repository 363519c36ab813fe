/*
 * Convergence when the process is killed, or a system call fails, at any
 * moment: each config file is the old one or the new one, whole; the next
 * run puts everything right; and removal gives back the bytes from before,
 * so nothing of what was owned was forgotten on the way.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/text.h"
#include "tests/fault/faults.h"
#include "tests/lib/testutil.h"
#include "tests/unit/converge_world.h"

#define THEIRS                                                                                               \
	"; by hand\n[mine]\nfrom=alice@acme.example\nhost=mail.old.example\nport=143\nuser=al\ncolour=red\n"
#define OTHER "; by hand\n[home]\nhost=x.test\n"

static const char *const old_host[] = {"mail.old.example", NULL};

struct scene {
	const char *name;
	const char *text;    /* of .fakerc at first */
	bool applied_before; /* the fault comes in the run after a first one */
	size_t accounts;     /* that the faulty run wants */
	const char *port;
};

static const struct scene scenes[] = {
    {"an account is made", OTHER, false, 1, "993"},
    {"an account is adopted", THEIRS, false, 1, "993"},
    {"the policy changed", THEIRS, true, 1, "994"},
    {"what was made is removed", OTHER, true, 0, "993"},
    {"what was adopted is put back", THEIRS, true, 0, "993"},
};

/* The texts that a file may have: before the faulty run, and after a good one. */
struct allowed {
	struct mm_arena *arena;
	const char *rc[2], *extra[2];
};

static void want(struct world *w, size_t accounts, const char *port)
{
	w->acc[0].replaces = old_host;
	w->acc[0].want.v[MM_SET_IN_PORT] = port;
	w->sheet.n_accounts = accounts;
}

static struct world *begin(const struct scene *s)
{
	void *state = NULL;
	assert_int_equal(mm_world_setup(&state), 0);
	struct world *w = state;
	put_file(w, ".fakerc", s->text);
	if (s->applied_before) {
		want(w, 1, "993");
		apply(w);
	}
	want(w, s->accounts, s->port);
	return w;
}

static void end(struct world *w)
{
	void *state = w;
	assert_int_equal(mm_world_teardown(&state), 0);
}

static void look(struct world *w, struct allowed *a, int i)
{
	a->rc[i] = mm_arena_strdup(a->arena, get_file(w, ".fakerc"));
	a->extra[i] = mm_arena_strdup(a->arena, get_file(w, ".fakerc.extra"));
}

static bool is_one_of(const char *s, const char *const texts[2])
{
	return mm_streq(s, texts[0]) || mm_streq(s, texts[1]);
}

/* How many calls a good run makes, and what the files may look like. */
static size_t rehearse(const struct scene *s, struct allowed *a)
{
	const struct mm_fault count = {.kind = MM_FAULT_COUNT};
	struct world *w = begin(s);
	*a = (struct allowed){.arena = mm_arena_new()};
	look(w, a, 0);
	mm_fault_arm(&count);
	apply(w);
	size_t n = mm_fault_disarm();
	look(w, a, 1);
	end(w);
	assert_true(n > 10);
	return n;
}

static void check_after(struct world *w, const struct scene *s, const struct allowed *a, size_t at)
{
	if (!is_one_of(get_file(w, ".fakerc"), a->rc) || !is_one_of(get_file(w, ".fakerc.extra"), a->extra))
		fail_msg("%s, call %zu: neither old nor new: %s", s->name, at, get_file(w, ".fakerc"));
	/* A reference without what it refers to would break the program: here the
	 * second file is made first and goes last. */
	if (s->accounts == 1 && !s->applied_before && s->text[0] == OTHER[0] &&
	    mm_streq(get_file(w, ".fakerc"), a->rc[1]) && get_file(w, ".fakerc.extra") == NULL &&
	    a->extra[1] != NULL)
		fail_msg("%s, call %zu: the first file was written before the second was there", s->name, at);
	apply(w);
	if (!mm_streq(get_file(w, ".fakerc"), a->rc[1]) ||
	    !mm_streq(get_file(w, ".fakerc.extra"), a->extra[1]))
		fail_msg("%s, call %zu: the next run did not put it right: %s", s->name, at,
		    get_file(w, ".fakerc"));
	assert_int_equal(mm_collect_status(&w->found), MM_EX_OK);
	want(w, 0, "993");
	apply(w);
	if (!mm_streq(get_file(w, ".fakerc"), s->text) || get_file(w, ".fakerc.extra") != NULL)
		fail_msg("%s, call %zu: removal left: %s", s->name, at, get_file(w, ".fakerc"));
}

static void kill_at(struct world *w, size_t at)
{
	const struct mm_fault f = {.kind = MM_FAULT_KILL, .at = at};
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		mm_fault_arm(&f);
		run(w, MM_HOW_APPLY);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void killed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		struct allowed a;
		size_t n = rehearse(&scenes[i], &a);
		for (size_t at = 1; at <= n; at++) {
			struct world *w = begin(&scenes[i]);
			kill_at(w, at);
			/* The texts name no folder, so those of the rehearsal hold here, too. */
			check_after(w, &scenes[i], &a, at);
			end(w);
		}
		mm_arena_free(a.arena);
	}
}

static void failed(void **state)
{
	static const int errors[] = {ENOSPC, EIO, EROFS};
	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		struct allowed a;
		size_t n = rehearse(&scenes[i], &a);
		for (size_t at = 1; at <= n; at++) {
			const struct mm_fault f = {.kind = MM_FAULT_FAIL, .at = at, .error = errors[at % 3]};
			struct world *w = begin(&scenes[i]);
			mm_fault_arm(&f);
			run(w, MM_HOW_APPLY);
			mm_fault_disarm();
			check_after(w, &scenes[i], &a, at);
			end(w);
		}
		mm_arena_free(a.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {MM_TEST(killed), MM_TEST(failed)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
