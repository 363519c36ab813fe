/*
 * Commit-confirm when the process is killed, or a system call fails, at any
 * moment between the write and the verdict, and while a change is taken
 * back: the file is the old one or the new one, whole; the next session
 * comes to the same verdict; nothing stays on trial, nothing is tried again
 * with the same revision; and removal gives back the bytes from before.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/confirm.h"
#include "agent/trial.h"
#include "common/text.h"
#include "tests/fault/faults.h"
#include "tests/lib/testutil.h"
#include "tests/unit/converge_world.h"
#include "tests/unit/fake_client.h"

#define THEIRS                                                                                               \
	"; by hand\n[mine]\nfrom=alice@acme.example\nhost=mail.old.example\nport=143\nuser=al\ncolour=red\n"
#define NOW 1800000000

static const char *const old_host[] = {"mail.old.example", NULL};

static void want(struct world *w, int64_t revision, const char *host)
{
	w->sheet.revision = revision;
	w->acc[0].want.v[MM_SET_IN_HOST] = host;
}

/* The former settings have worked: written as the login check does it. */
static void remember(struct world *w)
{
	struct mm_memory m;
	struct mm_err err = MM_ERR_NONE;
	struct mm_login_key key;
	struct mm_secret *s = mm_secret_new();
	char settings[MM_SHA256_HEX];
	const struct mm_login l = {.user = "alice",
	    .account = "work",
	    .side = "incoming",
	    .protocol = "imap",
	    .host = "imap.acme.example",
	    .port = 993,
	    .security = "tls",
	    .auth = "password",
	    .username = "alice",
	    .cls = "",
	    .result = MM_LOGIN_PASSED,
	    .when = NOW - 60};
	assert_int_equal(mm_secret_set(s, "right", 5, &err), 0);
	assert_int_equal(mm_memory_open(w->state, w->a, &m, &err), 0);
	mm_login_key(&m, &l, s, &key);
	mm_side_hash(&w->sheet, &w->acc[0], MM_SIDE_INCOMING, settings);
	mm_memory_note(&m, &l, settings, &key, false);
	assert_int_equal(mm_memory_close(&m, true, &err), 0);
	mm_secret_free(s);
}

/* A session: converge, and decide by what the login said. */
static int session(struct world *w, enum mm_result result)
{
	const struct mm_client *const clients[] = {&mm_fake, NULL};
	struct mm_journal j;
	struct mm_err err = MM_ERR_NONE;
	struct mm_settled_list settled = {.n = 0};
	struct mm_outcome outcome[1][MM_SIDE_COUNT] = {0};
	struct mm_outcome *o = &outcome[0][MM_SIDE_INCOMING];
	if (mm_journal_load(w->state, w->a, &j, &err) != 0)
		return -1;
	if (mm_journal_recover(&j, mm_reader_text, mm_reader_new(w->a, &w->who)) > 0 &&
	    mm_journal_save(&j, &err) != 0)
		return -1;
	mm_collect_init(&w->found, w->a);
	w->c = (struct mm_converge){.arena = w->a,
	    .who = &w->who,
	    .clients = clients,
	    .sheet = &w->sheet,
	    .journal = &j,
	    .state_dir = w->state,
	    .run = "0123",
	    .now = NOW,
	    .how = MM_HOW_APPLY,
	    .sink = &w->found.sink};
	*o = (struct mm_outcome){.told = w->c.effect[0][MM_SIDE_INCOMING].in_effect,
	    .result = result,
	    .cls = result == MM_LOGIN_FAILED ? "CERT_EXPIRED" : "",
	    .text = "It failed.",
	    .admin = "It failed.",
	    .when = NOW};
	mm_side_hash(&w->sheet, &w->acc[0], MM_SIDE_INCOMING, o->settings);
	if (mm_converge(&w->c, &err) != 0)
		return -1;
	o->told = w->c.effect[0][MM_SIDE_INCOMING].in_effect;
	int rc = mm_confirm(&w->c, (const struct mm_outcome(*)[MM_SIDE_COUNT])outcome, &settled, &err);
	w->c.journal = NULL;
	return rc;
}

/* Revision 3 is there and proven; revision 4 names another server. */
static struct world *begin(bool written)
{
	void *state = NULL;
	assert_int_equal(mm_world_setup(&state), 0);
	struct world *w = state;
	put_file(w, ".fakerc", THEIRS);
	w->acc[0].replaces = old_host;
	w->sheet.check = MM_LEVEL_LOGIN;
	want(w, 3, "imap.acme.example");
	assert_int_equal(session(w, MM_LOGIN_PASSED), 0);
	remember(w);
	want(w, 4, "imap2.acme.example");
	if (written)
		assert_int_equal(session(w, MM_LOGIN_UNTESTED), 0);
	return w;
}

static void end(struct world *w)
{
	void *state = w;
	assert_int_equal(mm_world_teardown(&state), 0);
}

static void journal_now(struct world *w, struct mm_journal *j)
{
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(mm_journal_load(w->state, w->a, j, &err), 0);
}

static void check_after(struct world *w, enum mm_result result, const char *const texts[2], size_t at)
{
	struct mm_journal j;
	const char *now = get_file(w, ".fakerc");
	if (!mm_streq(now, texts[0]) && !mm_streq(now, texts[1]))
		fail_msg("call %zu: neither old nor new: %s", at, now);
	for (int i = 0; i < 2; i++) /* the second one has nothing left to do */
		assert_int_equal(session(w, result), 0);
	now = get_file(w, ".fakerc");
	journal_now(w, &j);
	assert_int_equal(j.rows.n, 1);
	assert_null(j.rows.r[0].trial[MM_SIDE_INCOMING]);
	/* What is taken back already when the server is mended stays so, until somebody says so. */
	bool back = mm_streq(now, texts[0]);
	if (result == MM_LOGIN_FAILED && !back)
		fail_msg("call %zu: was not taken back: %s", at, now);
	assert_true(back || mm_streq(now, texts[1]));
	assert_int_equal(j.n_reverted, back ? 1 : 0);
	w->sheet.n_accounts = 0;
	assert_int_equal(session(w, MM_LOGIN_UNTESTED), 0);
	w->sheet.n_accounts = 1;
	if (!mm_streq(get_file(w, ".fakerc"), THEIRS))
		fail_msg("call %zu: removal left: %s", at, get_file(w, ".fakerc"));
}

/* How many calls the session makes that takes the change back. */
static size_t rehearse(bool written, const char *texts[2], struct mm_arena *a)
{
	const struct mm_fault count = {.kind = MM_FAULT_COUNT};
	struct world *w = begin(true);
	texts[1] = mm_arena_strdup(a, get_file(w, ".fakerc"));
	end(w);
	w = begin(written);
	mm_fault_arm(&count);
	assert_int_equal(session(w, MM_LOGIN_FAILED), 0);
	size_t n = mm_fault_disarm();
	texts[0] = mm_arena_strdup(a, get_file(w, ".fakerc"));
	end(w);
	assert_string_not_equal(texts[0], texts[1]);
	assert_non_null(strstr(texts[0], "host=imap.acme.example"));
	assert_true(n > 10);
	return n;
}

static void kill_at(struct world *w, size_t at)
{
	const struct mm_fault f = {.kind = MM_FAULT_KILL, .at = at};
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		mm_fault_arm(&f);
		session(w, MM_LOGIN_FAILED);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void everywhere(bool written, bool killed, enum mm_result then)
{
	static const int errors[] = {ENOSPC, EIO, EROFS};
	struct mm_arena *a = mm_arena_new();
	const char *texts[2];
	size_t n = rehearse(written, texts, a);
	for (size_t at = 1; at <= n; at++) {
		const struct mm_fault f = {.kind = MM_FAULT_FAIL, .at = at, .error = errors[at % 3]};
		struct world *w = begin(written);
		if (killed) {
			kill_at(w, at);
		} else {
			mm_fault_arm(&f);
			session(w, MM_LOGIN_FAILED);
			mm_fault_disarm();
		}
		check_after(w, then, texts, at);
		end(w);
	}
	mm_arena_free(a);
}

static void killed_with_the_write(void **state)
{
	(void)state;
	everywhere(false, true, MM_LOGIN_FAILED);
}

static void killed_and_then_mended(void **state)
{
	(void)state;
	everywhere(true, true, MM_LOGIN_PASSED);
}

static void failed(void **state)
{
	(void)state;
	everywhere(true, false, MM_LOGIN_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    MM_TEST(killed_with_the_write), MM_TEST(killed_and_then_mended), MM_TEST(failed)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
