#include "converge_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/text.h"
#include "fake_client.h"
#include "schemas/facts.h"

static const char *const none[] = {NULL};

int mm_world_setup(void **state)
{
	struct world *w = mm_xcalloc(1, sizeof(*w));
	w->a = mm_arena_new();
	/* In memory where that is possible: every run flushes to the disk many times. */
	memcpy(w->home, "/dev/shm/mm-conv-XXXXXX", 24);
	if (mkdtemp(w->home) == NULL) {
		memcpy(w->home, "/tmp/mm-conv-XXXXXX", 20);
		assert_non_null(mkdtemp(w->home));
	}
	w->state = mm_arena_printf(w->a, "%s/.local/state/x", w->home);
	w->who = (struct mm_identity){.login = "alice", .uid = geteuid(), .gid = getegid(), .home = w->home};
	for (int i = 0; i < 2; i++) {
		w->acc[i] =
		    (struct mm_account){.name = i == 0 ? "work" : "team", .label = "Work", .replaces = none};
		w->acc[i].want.v[MM_SET_ADDRESS] = i == 0 ? "alice@acme.example" : "team@acme.example";
		w->acc[i].want.v[MM_SET_IN_PROTOCOL] = "imap";
		w->acc[i].want.v[MM_SET_IN_HOST] = "imap.acme.example";
		w->acc[i].want.v[MM_SET_IN_PORT] = "993";
		w->acc[i].want.v[MM_SET_IN_USERNAME] = "alice";
	}
	w->rule = (struct mm_client_rule){.client = "fake", .mode = MM_MODE_ENFORCE};
	for (int s = 0; s < MM_SET_COUNT; s++)
		w->rule.setting_mode[s] = -1;
	w->sheet = (struct mm_sheet){.user = "alice",
	    .revision = 3,
	    .accounts = w->acc,
	    .n_accounts = 1,
	    .clients = &w->rule,
	    .n_clients = 1,
	    .create = MM_CREATE_EXISTING,
	    .tls_min = "1.2"};
	*state = w;
	return 0;
}

static int unlink_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int mm_world_teardown(void **state)
{
	struct world *w = *state;
	assert_int_equal(nftw(w->home, unlink_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
	mm_arena_free(w->a);
	free(w);
	return 0;
}

void put_file(struct world *w, const char *name, const char *text)
{
	struct mm_err err;
	assert_int_equal(
	    mm_write_own(mm_arena_printf(w->a, "%s/%s", w->home, name), text, strlen(text), 0600, &err), 0);
}

const char *get_file(struct world *w, const char *name)
{
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	struct mm_err err;
	if (mm_file_read_own(mm_arena_printf(w->a, "%s/%s", w->home, name), 1u << 20, false, &b, &err) != 0)
		return NULL;
	const char *s = mm_arena_strdup(w->a, mm_buf_str(&b));
	mm_buf_free(&b);
	return s;
}

int run(struct world *w, enum mm_how how)
{
	const struct mm_client *const clients[] = {w->client != NULL ? w->client : &mm_fake, NULL};
	struct mm_journal j;
	struct mm_err err = MM_ERR_NONE;
	if (mm_journal_load(w->state, w->a, &j, &err) != 0)
		return -1;
	if (mm_journal_recover(&j, mm_reader_text, mm_reader_new(w->a, &w->who)) > 0 && how == MM_HOW_APPLY &&
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
	    .now = 1800000000,
	    .how = how,
	    .sink = &w->found.sink};
	return mm_converge(&w->c, &err);
}

void apply(struct world *w)
{
	assert_int_equal(run(w, MM_HOW_APPLY), 0);
}

size_t settings_told(const struct world *w)
{
	size_t n = 0;
	for (size_t i = 0; i < w->found.n_findings; i++)
		n += !mm_is_fact(w->found.findings[i].setting);
	return n;
}

const struct mm_finding *finding(struct world *w, const char *account, const char *setting)
{
	const struct mm_finding *got = NULL;
	for (size_t i = 0; i < w->found.n_findings; i++) {
		const struct mm_finding *f = &w->found.findings[i];
		if (!mm_streq(f->account, account) || !mm_streq(f->setting, setting))
			continue;
		if (got != NULL)
			fail_msg("two findings for %s %s", account, setting);
		got = f;
	}
	if (got == NULL)
		fail_msg("no finding for %s %s", account, setting);
	return got;
}

void expect(struct world *w, const char *account, const char *setting, enum mm_state st, enum mm_action act)
{
	const struct mm_finding *f = finding(w, account, setting);
	if (f->state != st || f->action != act)
		fail_msg("%s %s: %s %s (%s)", account, setting, mm_state_name(f->state),
		    mm_action_name(f->action), f->reason);
}
