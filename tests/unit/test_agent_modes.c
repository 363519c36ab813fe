/* Files that others may read or write are named with their mode; what is put off is deferred. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/clients/clients.h"
#include "agent/clients/keys.h"
#include "common/file.h"
#include "common/text.h"
#include "converge_world.h"

#define W struct world *w = *state
#define RC "IMAPStore s\nHost imap.acme.example\nUser alice\n"

static const char *path(struct world *w, const char *name)
{
	return mm_arena_printf(w->a, "%s/%s", w->home, name);
}

/* All traps of the run; "" without any. */
static const char *traps(struct world *w, const char *text, mode_t mode)
{
	w->client = mm_client_by_name("mbsync");
	w->rule = (struct mm_client_rule){.client = "mbsync", .mode = MM_MODE_AUDIT};
	put_file(w, ".mbsyncrc", text);
	assert_int_equal(chmod(path(w, ".mbsyncrc"), mode), 0);
	assert_int_equal(run(w, MM_HOW_AUDIT), 0);
	for (size_t i = 0; i < w->found.n_findings; i++)
		if (w->found.findings[i].account[0] == '\0')
			return w->found.findings[i].reason;
	return "";
}

static void nobody_else(void **state)
{
	W;

	assert_null(strstr(traps(w, RC "SSLType IMAPS\nPass x\n", 0600), "Others"));
	assert_null(strstr(traps(w, RC "SSLType IMAPS\nPassCmd \"cat x\"\n", 0644), "Others"));
	assert_null(strstr(traps(w, RC "SSLType IMAPS\nPass x\n", 0711), "Others"));
}

static void may_be_written(void **state)
{
	static const mode_t modes[] = {0620, 0602, 0664, 0666, 0777};
	W;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		const char *said = traps(w, RC "SSLType IMAPS\n", modes[i]);

		assert_non_null(strstr(said, path(w, ".mbsyncrc: Others may write")));
		assert_non_null(strstr(said, mm_arena_printf(w->a, "(mode %04o)", modes[i])));
		assert_null(strstr(said, "Others may read"));
	}
}

static void may_be_read(void **state)
{
	static const mode_t modes[] = {0640, 0604, 0644};
	W;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		const char *said = traps(w, RC "SSLType IMAPS\nPass geheim\n", modes[i]);

		assert_non_null(strstr(said, "Others may read this file"));
		assert_non_null(strstr(said, mm_arena_printf(w->a, "(mode %04o)", modes[i])));
		assert_null(strstr(said, "geheim"));
		assert_null(strstr(said, "Others may write"));
	}
	assert_non_null(strstr(traps(w, RC "Pass x\n", 0666), "Others may write"));
	assert_non_null(strstr(traps(w, RC "Pass x\n", 0666), "Others may read"));
}

/* The file behind a link is the one that counts. */
static void behind_a_link(void **state)
{
	W;

	assert_int_equal(mkdir(path(w, "dotfiles"), 0700), 0);
	put_file(w, "dotfiles/rc", RC);
	assert_int_equal(chmod(path(w, "dotfiles/rc"), 0666), 0);
	assert_int_equal(symlink("dotfiles/rc", path(w, ".mpoprc")), 0);
	w->client = mm_client_by_name("mpop");
	w->rule = (struct mm_client_rule){.client = "mpop", .mode = MM_MODE_AUDIT};
	put_file(w, "dotfiles/rc", "account a\nhost imap.acme.example\nuser alice\n");
	assert_int_equal(chmod(path(w, "dotfiles/rc"), 0666), 0);
	assert_int_equal(run(w, MM_HOW_AUDIT), 0);
	assert_non_null(strstr(finding(w, "", "")->reason, ".mpoprc: Others may write"));
}

static void other_owner(void **state)
{
	W;

	if (geteuid() != 0)
		skip();
	w->client = mm_client_by_name("mbsync");
	w->rule = (struct mm_client_rule){.client = "mbsync", .mode = MM_MODE_AUDIT};
	put_file(w, ".mbsyncrc", RC);
	assert_int_equal(chown(path(w, ".mbsyncrc"), 4711, 4711), 0);
	assert_int_equal(run(w, MM_HOW_AUDIT), 0);
	assert_non_null(strstr(finding(w, "", "")->reason, "belongs to user number 4711"));
	assert_string_equal(finding(w, "", "")->path, path(w, ".mbsyncrc"));
}

/* ---- put off */

static int later(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *c, struct mm_edits *out, struct mm_err *err)
{
	(void)r, (void)p, (void)now, (void)c;
	*out = (struct mm_edits){.later = "its service is running, and would lose it"};
	return mm_err_set(err, MM_EX_FAILED, "%s", out->later);
}

static void put_off(void **state)
{
	static struct mm_client slow;
	W;

	slow = *mm_client_by_name("mpop");
	slow.change = later;
	w->client = &slow;
	w->rule.client = "mpop";
	w->acc[0].want.v[MM_SET_IN_PROTOCOL] = "pop3";
	put_file(w, ".mpoprc", "account a\nhost imap.acme.example\nport 1\nuser alice\n");
	for (int how = MM_HOW_APPLY; how <= MM_HOW_PLAN; how++) {
		assert_int_equal(run(w, (enum mm_how)how), 0);
		expect(w, "work", "incoming.port", MM_ST_DEFERRED, MM_ACT_NONE);
		assert_string_equal(
		    finding(w, "work", "incoming.port")->reason, "its service is running, and would lose it");
		assert_int_equal(mm_collect_status(&w->found), MM_EX_DIFF);
	}
	assert_int_equal(w->c.changed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(nobody_else, mm_world_setup, mm_world_teardown),
	    cmocka_unit_test_setup_teardown(may_be_written, mm_world_setup, mm_world_teardown),
	    cmocka_unit_test_setup_teardown(may_be_read, mm_world_setup, mm_world_teardown),
	    cmocka_unit_test_setup_teardown(behind_a_link, mm_world_setup, mm_world_teardown),
	    cmocka_unit_test_setup_teardown(other_owner, mm_world_setup, mm_world_teardown),
	    cmocka_unit_test_setup_teardown(put_off, mm_world_setup, mm_world_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
