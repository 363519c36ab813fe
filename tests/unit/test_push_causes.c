#include "controller/push_causes.h"

#include "tests/lib/testutil.h"

static struct mm_login login(const char *user, enum mm_result result, const char *cls, int port)
{
	return (struct mm_login){.user = user,
	    .account = "work",
	    .side = "incoming",
	    .protocol = "imap",
	    .host = "imap.acme.example",
	    .port = port,
	    .result = result,
	    .cls = cls,
	    .text = "for the user",
	    .admin = "for the admin"};
}

static void add(struct mm_causes *c, const char *host, struct mm_login l)
{
	mm_causes_add(c, host, &l);
}

static void grouped_and_in_order(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_causes *c = mm_causes_new(a);
	size_t n;

	(void)state;
	add(c, "ws1", login("alice", MM_LOGIN_PASSED, "", 993));
	add(c, "ws1", login("bob", MM_LOGIN_PASSED, "", 993));
	add(c, "ws1", login("carol", MM_LOGIN_PASSED, "", 993));
	add(c, "ws1", login("alice", MM_LOGIN_UNTESTED, "NO_SECRET", 993));
	add(c, "ws2", login("alice", MM_LOGIN_UNTESTED, "NO_SECRET", 993));
	add(c, "ws2", login("alice", MM_LOGIN_UNTESTED, "NO_SECRET", 993));
	add(c, "ws2", login("bob", MM_LOGIN_FAILED, "AUTH_REJECTED", 993));
	add(c, "ws2", login("bob", MM_LOGIN_FAILED, "AUTH_REJECTED", 143));
	add(c, "ws1", login("dan", MM_LOGIN_FAILED, "AUTH_REJECTED", 143));
	add(c, "ws1", login("dan", MM_LOGIN_UNTESTED, "NO_LOGIN_WANTED", 993));
	const struct mm_cause *const *list = mm_causes_sorted(c, &n);
	assert_int_equal(n, 5);
	assert_int_equal(list[0]->port, 143);
	assert_int_equal(list[0]->users, 2);
	assert_int_equal(list[0]->hosts, 2);
	assert_string_equal(list[0]->admin, "for the admin");
	/* In order of hosts, however they came. */
	assert_string_equal(list[0]->first->host, "ws1");
	assert_string_equal(list[0]->first->next->host, "ws2");
	assert_null(list[0]->first->next->next);
	assert_int_equal(list[1]->port, 993);
	assert_string_equal(list[2]->cls, "NO_SECRET");
	assert_int_equal(list[2]->logins, 3);
	assert_int_equal(list[2]->users, 1);
	assert_int_equal(list[2]->hosts, 2);
	assert_int_equal(list[2]->n_places, 2);
	assert_string_equal(list[2]->first->next->host, "ws2");
	assert_string_equal(list[3]->cls, "NO_LOGIN_WANTED");
	assert_int_equal(list[4]->result, MM_LOGIN_PASSED);
	assert_int_equal(list[4]->logins, 3);
	mm_arena_free(a);
}

static void nothing(void **state)
{
	struct mm_arena *a = mm_arena_new();
	size_t n = 7;

	(void)state;
	assert_non_null(mm_causes_sorted(mm_causes_new(a), &n));
	assert_int_equal(n, 0);
	mm_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(grouped_and_in_order), cmocka_unit_test(nothing)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
