#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/spool.h"
#include "common/file.h"
#include "common/text.h"
#include "schemas/proto.h"

struct world {
	struct mm_arena *a;
	char dir[64];
	/* of what mm_spool_read() handed over: */
	size_t reports, findings, logins;
	struct mm_finding f[16];
};

static int setup(void **state)
{
	struct world *w = mm_xcalloc(1, sizeof(*w));
	w->a = mm_arena_new();
	memcpy(w->dir, "/tmp/mm-spoo-XXXXXX", 20);
	assert_non_null(mkdtemp(w->dir));
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

static int teardown(void **state)
{
	struct world *w = *state;
	assert_int_equal(nftw(w->dir, unlink_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
	mm_arena_free(w->a);
	free(w);
	return 0;
}

#define W struct world *w = *state

static const char *const own[] = {"alice", NULL};

static struct mm_report_head head(int64_t collected)
{
	return (struct mm_report_head){.host = "ws1",
	    .op = "login",
	    .evidence = MM_EV_CLAIMED,
	    .collected = collected,
	    .agent = "1",
	    .user = "alice",
	    .users = own};
}

static const char *add(
    struct world *w, const char *setting, enum mm_state st, enum mm_action act, size_t padding)
{
	static int64_t clock = 1000;
	struct mm_spool_report r;
	struct mm_err err = MM_ERR_NONE;
	char *pad = mm_arena_alloc(w->a, padding + 1, 1);
	memset(pad, 'x', padding);
	mm_spool_begin(&r, head(clock++));
	const struct mm_finding f = {.user = "alice",
	    .client = "mutt",
	    .path = "/h/.muttrc",
	    .account = "work",
	    .setting = setting,
	    .found = pad,
	    .state = st,
	    .action = act,
	    .reason = ""};
	r.sink.finding(&r.sink, &f);
	const struct mm_login l = {.user = "alice",
	    .account = "work",
	    .side = "incoming",
	    .protocol = "imap",
	    .host = "h.test",
	    .port = 993,
	    .security = "tls",
	    .auth = "password",
	    .username = "a",
	    .cls = "",
	    .text = "",
	    .admin = "",
	    .result = MM_LOGIN_PASSED,
	    .any = true};
	r.sink.login(&r.sink, &l);
	char *id = mm_arena_strdup(w->a, r.id);
	if (mm_spool_commit(&r, w->dir, &err) != 0)
		fail_msg("%s", err.text);
	return id;
}

static int take(void *ctx, const struct mm_frame *f, struct mm_err *err)
{
	struct world *w = ctx;
	w->reports += f->type == MM_FT_REPORT;
	w->logins += f->type == MM_FT_LOGIN;
	if (f->type == MM_FT_FINDING && w->findings < 16)
		assert_int_equal(mm_finding_decode(f->body, f->len, w->a, &w->f[w->findings++], err), 0);
	return 0;
}

static size_t count(struct world *w, const char *const **ids)
{
	size_t n = 0;
	struct mm_err err;
	assert_int_equal(mm_spool_list(w->dir, w->a, ids, &n, &err), 0);
	return n;
}

static void there_and_back(void **state)
{
	W;
	const char *const *ids;
	struct mm_err err = MM_ERR_NONE;
	assert_int_equal(count(w, &ids), 0);
	const char *id = add(w, "incoming.port", MM_ST_DRIFTED, MM_ACT_CORRECTED, 0);
	assert_int_equal(count(w, &ids), 1);
	assert_string_equal(ids[0], id);
	assert_int_equal(mm_spool_read(w->dir, id, take, w, &err), 0);
	assert_int_equal(w->reports, 1);
	assert_int_equal(w->logins, 1);
	assert_int_equal(w->findings, 1);
	assert_string_equal(w->f[0].setting, "incoming.port");
}

static void stays_until_acknowledged(void **state)
{
	W;
	const char *const *ids;
	const char *one = add(w, "incoming.port", MM_ST_COMPLIANT, MM_ACT_NONE, 0);
	const char *two = add(w, "incoming.port", MM_ST_COMPLIANT, MM_ACT_NONE, 0);
	const char *const acks[] = {"00000000000000000000000000000000", "../../../etc/passwd", one, NULL};
	mm_spool_acknowledge(w->dir, acks, 3);
	assert_int_equal(count(w, &ids), 1);
	assert_string_equal(ids[0], two);
}

static void cut_short_or_altered(void **state)
{
	W;
	struct mm_err err;
	const char *id = add(w, "incoming.port", MM_ST_COMPLIANT, MM_ACT_NONE, 0);
	const char *path = mm_arena_printf(w->a, "%s/spool/%s.frames", w->dir, id);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "Z", 1, 60), 1);
	assert_int_equal(mm_spool_read(w->dir, id, take, w, &err), -1);
	assert_int_equal(ftruncate(fd, st.st_size - 3), 0);
	assert_int_equal(mm_spool_read(w->dir, id, take, w, &err), -1);
	close(fd);
	/* Nothing of a bad report was handed over. */
	assert_int_equal(w->reports + w->findings + w->logins, 0);
}

static void full_by_number(void **state)
{
	W;
	const char *const *ids;
	struct mm_err err = MM_ERR_NONE;
	add(w, "incoming.host", MM_ST_DRIFTED, MM_ACT_CORRECTED, 0);
	for (int i = 0; i < MM_SPOOL_FILES + 3; i++)
		add(w, "incoming.port", MM_ST_COMPLIANT, MM_ACT_NONE, 0);
	assert_int_equal(count(w, &ids), MM_SPOOL_FILES);
	assert_int_equal(mm_spool_read(w->dir, ids[0], take, w, &err), 0);
	/* The deed of the oldest survived, and it is said that reports were folded. */
	bool deed = false, said = false;
	for (size_t i = 0; i < w->findings; i++) {
		deed |= mm_streq(w->f[i].setting, "incoming.host") && w->f[i].action == MM_ACT_CORRECTED;
		said |= mm_streq(w->f[i].client, MM_CLIENT_AGENT) && w->f[i].state == MM_ST_UNKNOWN;
	}
	assert_true(deed);
	assert_true(said);
	assert_int_equal(w->logins, 5); /* of all five that were folded */
}

static void full_by_bytes(void **state)
{
	W;
	const char *const *ids;
	size_t bytes = 0, n;
	for (int i = 0; i < 40; i++) {
		struct mm_spool_report r;
		struct mm_err err = MM_ERR_NONE;
		static char pad[16000];
		memset(pad, 'x', sizeof(pad) - 1);
		mm_spool_begin(&r, head(i));
		for (int k = 0; k < 20; k++) {
			const struct mm_finding f = {.user = "alice",
			    .client = "mutt",
			    .path = "/h",
			    .account = mm_arena_printf(w->a, "a%d", k),
			    .setting = "",
			    .found = pad,
			    .reason = ""};
			r.sink.finding(&r.sink, &f);
		}
		assert_int_equal(mm_spool_commit(&r, w->dir, &err), 0);
	}
	n = count(w, &ids);
	for (size_t i = 0; i < n; i++) {
		struct stat st;
		assert_int_equal(stat(mm_arena_printf(w->a, "%s/spool/%s.frames", w->dir, ids[i]), &st), 0);
		bytes += (size_t)st.st_size;
	}
	assert_true(bytes <= MM_SPOOL_BYTES);
	assert_true(n > 5);
}

static void too_large_a_report(void **state)
{
	W;
	const char *const *ids;
	struct mm_spool_report r;
	struct mm_err err = MM_ERR_NONE;
	static char pad[16000];
	memset(pad, 'x', sizeof(pad) - 1);
	mm_spool_begin(&r, head(1));
	for (int i = 0; i < 300; i++) {
		const struct mm_finding f = {.user = "alice",
		    .client = "c",
		    .path = "",
		    .account = "",
		    .setting = "",
		    .found = pad,
		    .reason = ""};
		r.sink.finding(&r.sink, &f);
	}
	assert_int_equal(mm_spool_commit(&r, w->dir, &err), -1);
	assert_int_equal(count(w, &ids), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(there_and_back), T(stays_until_acknowledged),
	    T(cut_short_or_altered), T(full_by_number), T(full_by_bytes), T(too_large_a_report)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
