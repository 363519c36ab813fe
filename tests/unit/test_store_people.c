/* Users, groups, hosts, host keys. */
#include "store_fixture.h"

#include "common/text.h"

static void test_user_put(void **state)
{
	struct fixture *f = *state;
	const char *groups[] = {"sales", "staff"};
	struct mm_store_attr attrs[] = {{"room", "12"}, {"phone", "34"}};
	struct mm_store_user u = {.login = "alice.smith",
	    .name = "Alice `id`\"; $(x) | y",
	    .address = "alice@acme.example",
	    .attrs = attrs,
	    .n_attrs = 2,
	    .groups = groups,
	    .n_groups = 2};
	struct mm_store_user got;
	enum mm_put done;

	ok(f, mm_store_user_put(f->s, &u, true, &done, &f->err));
	assert_int_equal(done, MM_PUT_ADDED);
	ok(f, mm_store_user_get(f->s, "alice.smith", f->a, &got, &f->err));
	assert_string_equal(got.name, u.name);
	assert_int_equal(got.n_attrs, 2);
	assert_string_equal(got.attrs[0].name, "phone");
	assert_int_equal(got.n_groups, 2);
	assert_string_equal(got.groups[1], "staff");
	assert_null(got.groups[2]);
	ok(f, mm_store_user_put(f->s, &u, true, &done, &f->err));
	assert_int_equal(done, MM_PUT_KEPT);
	u.n_groups = 1;
	ok(f, mm_store_user_put(f->s, &u, false, &done, &f->err));
	assert_int_equal(done, MM_PUT_KEPT); /* groups were not asked about */
	ok(f, mm_store_user_put(f->s, &u, true, &done, &f->err));
	assert_int_equal(done, MM_PUT_CHANGED);
	u.n_attrs = 1;
	ok(f, mm_store_user_put(f->s, &u, true, &done, &f->err));
	assert_int_equal(done, MM_PUT_CHANGED);
	ok(f, mm_store_user_get(f->s, "alice.smith", f->a, &got, &f->err));
	assert_int_equal(got.n_attrs, 1);
	assert_int_equal(got.n_groups, 1);
	assert_int_equal(mm_store_user_get(f->s, "alice", f->a, &got, &f->err), 1);
}

static void test_bad_names(void **state)
{
	struct fixture *f = *state;
	struct mm_store_user u = {.login = "../x", .name = "", .address = ""};
	enum mm_put done;

	assert_int_equal(mm_store_user_put(f->s, &u, false, &done, &f->err), -1);
	assert_int_equal(f->err.code, MM_EX_DATAERR);
	assert_int_equal(mm_store_group_put(f->s, "-rf", "manual", &done, &f->err), -1);
	assert_int_equal(f->err.code, MM_EX_DATAERR);
	/* A bad group undoes the whole user. */
	u.login = "alice";
	u.groups = (const char *[]){"ok", "a b"};
	u.n_groups = 2;
	assert_int_equal(mm_store_user_put(f->s, &u, true, &done, &f->err), -1);
	assert_int_equal(mm_store_user_get(f->s, "alice", f->a, &u, &f->err), 1);
	assert_int_equal(count_audit(f), 0);
}

static int names(const struct mm_store_user *u, void *arg, struct mm_err *err)
{
	(void)err;
	mm_buf_addf(arg, "%s,", u->login);
	return 0;
}

static void expect_members(struct fixture *f, const char *group, const char *want)
{
	struct mm_buf b = MM_BUF_INIT(1000);

	ok(f, mm_store_user_each(f->s, group, names, &b, &f->err));
	assert_string_equal(mm_buf_str(&b), want);
	mm_buf_free(&b);
}

static void test_groups(void **state)
{
	struct fixture *f = *state;
	struct mm_store_group g;
	enum mm_put done;

	add_user(f, "bob", "", "staff");
	add_user(f, "alice", "", "staff");
	add_user(f, "carol", "", NULL);
	expect_members(f, NULL, "alice,bob,carol,");
	expect_members(f, "staff", "alice,bob,");
	ok(f, mm_store_member_put(f->s, "staff", "carol", &done, &f->err));
	assert_int_equal(done, MM_PUT_ADDED);
	ok(f, mm_store_member_put(f->s, "staff", "carol", &done, &f->err));
	assert_int_equal(done, MM_PUT_KEPT);
	assert_int_equal(mm_store_member_put(f->s, "staff", "dave", &done, &f->err), -1);
	ok(f, mm_store_member_remove(f->s, "staff", "bob", &f->err));
	assert_int_equal(mm_store_member_remove(f->s, "staff", "bob", &f->err), 1);
	expect_members(f, "staff", "alice,carol,");
	ok(f, mm_store_group_put(f->s, "staff", "system", &done, &f->err));
	assert_int_equal(done, MM_PUT_CHANGED);
	ok(f, mm_store_group_synced(f->s, "staff", &f->err));
	ok(f, mm_store_group_get(f->s, "staff", f->a, &g, &f->err));
	assert_int_equal(g.members, 2);
	assert_string_equal(g.source, "system");
	assert_int_equal(g.synced, T0);
	ok(f, mm_store_group_remove(f->s, "staff", &f->err));
	assert_int_equal(mm_store_group_remove(f->s, "staff", &f->err), 1);
	assert_int_equal(mm_store_group_get(f->s, "staff", f->a, &g, &f->err), 1);
	expect_members(f, NULL, "alice,bob,carol,");
}

static void test_user_remove(void **state)
{
	struct fixture *f = *state;
	struct mm_store_host h;

	add_user(f, "alice", "", "staff");
	add_host(f, "ws1", "alice");
	ok(f, mm_store_user_remove(f->s, "alice", &f->err));
	assert_int_equal(mm_store_user_remove(f->s, "alice", &f->err), 1);
	expect_members(f, "staff", "");
	ok(f, mm_store_host_get(f->s, "ws1", f->a, &h, &f->err));
	assert_int_equal(h.n_users, 0);
	assert_false(h.all_users);
}

static int hosts(const struct mm_store_host *h, void *arg, struct mm_err *err)
{
	(void)err;
	mm_buf_addf(arg, "%s,", h->id);
	return 0;
}

static void test_hosts(void **state)
{
	struct fixture *f = *state;
	const char *tags[] = {"floor2", "lab"};
	const char *users[] = {"bob", "alice"};
	struct mm_store_host h = {.id = "ws1",
	    .address = "10.0.0.1",
	    .port = 2222,
	    .account = "mm",
	    .proxy_command = "ssh -W %h:%p gate",
	    .transport = "ssh",
	    .tags = tags,
	    .n_tags = 2,
	    .users = users,
	    .n_users = 2};
	struct mm_store_host got;
	struct mm_buf b = MM_BUF_INIT(1000);
	enum mm_put done;

	ok(f, mm_store_host_put(f->s, &h, &done, &f->err));
	assert_int_equal(done, MM_PUT_ADDED);
	ok(f, mm_store_host_put(f->s, &h, &done, &f->err));
	assert_int_equal(done, MM_PUT_KEPT);
	h.report_key = "PEM";
	h.enrolled = T0;
	ok(f, mm_store_host_put(f->s, &h, &done, &f->err));
	assert_int_equal(done, MM_PUT_CHANGED);
	h.report_key = NULL;
	h.enrolled = 0;
	h.n_tags = 1;
	ok(f, mm_store_host_put(f->s, &h, &done, &f->err));
	ok(f, mm_store_host_get(f->s, "ws1", f->a, &got, &f->err));
	assert_string_equal(got.report_key, "PEM");
	assert_int_equal(got.enrolled, T0);
	assert_int_equal(got.port, 2222);
	assert_string_equal(got.proxy_command, "ssh -W %h:%p gate");
	assert_int_equal(got.n_users, 2);
	assert_string_equal(got.users[0], "alice");
	assert_int_equal(got.n_tags, 1);
	add_host(f, "ws0", NULL);
	ok(f, mm_store_host_each(f->s, NULL, hosts, &b, &f->err));
	assert_string_equal(mm_buf_str(&b), "ws0,ws1,");
	mm_buf_reset(&b);
	ok(f, mm_store_host_each(f->s, "floor2", hosts, &b, &f->err));
	assert_string_equal(mm_buf_str(&b), "ws1,");
	mm_buf_free(&b);
}

static void test_bad_hosts(void **state)
{
	struct fixture *f = *state;
	const struct mm_store_host good = {
	    .id = "ws1", .address = "", .port = 22, .account = "root", .transport = "ssh"};
	struct mm_store_host bad[7];
	enum mm_put done;

	for (size_t i = 0; i < 7; i++)
		bad[i] = good;
	bad[0].id = "-oProxyCommand=x";
	bad[1].address = "host:22";
	bad[2].port = 0;
	bad[3].port = 65536;
	bad[4].account = "-l";
	bad[5].transport = "telnet";
	bad[6].proxy_command = "a\nb";
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(mm_store_host_put(f->s, &bad[i], &done, &f->err), -1);
		assert_int_equal(f->err.code, MM_EX_DATAERR);
	}
	ok(f, mm_store_host_put(f->s, &good, &done, &f->err));
}

static int count_key(const struct mm_hostkey *k, void *arg, struct mm_err *err)
{
	(void)err;
	assert_int_equal(k->len, 3);
	++*(int *)arg;
	return 0;
}

static void test_hostkeys(void **state)
{
	struct fixture *f = *state;
	struct mm_hostkey k = {
	    .host = "ws1", .algorithm = "ssh-ed25519", .blob = "a\0b", .len = 3, .source = "enroll"};
	enum mm_put done;
	int n = 0;

	assert_int_equal(mm_store_hostkey_put(f->s, &k, &done, &f->err), -1); /* no such host */
	add_host(f, "ws1", NULL);
	add_host(f, "ws2", NULL);
	ok(f, mm_store_hostkey_put(f->s, &k, &done, &f->err));
	assert_int_equal(done, MM_PUT_ADDED);
	ok(f, mm_store_hostkey_put(f->s, &k, &done, &f->err));
	assert_int_equal(done, MM_PUT_KEPT);
	k.blob = "a\0c";
	ok(f, mm_store_hostkey_put(f->s, &k, &done, &f->err));
	assert_int_equal(done, MM_PUT_CHANGED);
	k.host = "ws2";
	ok(f, mm_store_hostkey_put(f->s, &k, &done, &f->err));
	ok(f, mm_store_hostkey_each(f->s, "ws1", count_key, &n, &f->err));
	assert_int_equal(n, 1);
	ok(f, mm_store_hostkey_each(f->s, NULL, count_key, &n, &f->err));
	assert_int_equal(n, 3);
	ok(f, mm_store_hostkey_remove(f->s, "ws1", "ssh-ed25519", &f->err));
	assert_int_equal(mm_store_hostkey_remove(f->s, "ws1", NULL, &f->err), 1);
	k.len = 0;
	assert_int_equal(mm_store_hostkey_put(f->s, &k, &done, &f->err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_user_put, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_bad_names, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_groups, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_user_remove, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_hosts, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_bad_hosts, store_setup, store_teardown),
	    cmocka_unit_test_setup_teardown(test_hostkeys, store_setup, store_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
