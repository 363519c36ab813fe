/* The grammar of ~/.netrc. What the agent makes of the file is tested end to end. */
#include <string.h>

#include "agent/netrc.h"
#include "common/buf.h"
#include "tests/lib/testutil.h"

/* "" for an empty password, NULL for none, "?" for a text that is no netrc */
static void expect(const char *text, const char *machine, const char *login, const char *password)
{
	struct mm_secret *s = mm_secret_new();
	int rc = mm_netrc_find(text, machine, login, s);
	if (rc != 1)
		assert_int_equal(mm_secret_len(s), 0);
	const char *got = rc < 0 ? "?" : rc == 0 ? NULL : mm_secret_bytes(s);
	if ((got == NULL) != (password == NULL) || (got != NULL && strcmp(got, password) != 0))
		fail_msg("%s: got %s, want %s", text, got != NULL ? got : "none",
		    password != NULL ? password : "none");
	mm_secret_free(s);
}

static void test_entries(void **state)
{
	(void)state;
	expect("machine h login u password p", "h", "u", "p");
	expect("machine h\nlogin u\npassword p\n", "H", "u", "p");
	expect("machine h login u password p", "h", "U", NULL);
	expect("machine h password p login u", "h", "u", "p");
	expect("machine h login u account a password p", "h", "u", "p");
	expect("machine h login u password one machine h login u password two", "h", "u", "one");
	expect("machine h login v password x\r\nmachine h login u password p\r\n", "h", "u", "p");
	expect("machine g login u password x machine h login u", "h", "u", NULL);
	expect("machine h login u machine g login u password x", "h", "u", NULL);
	expect("machine h login u password \"\"", "h", "u", "");
	expect("", "h", "u", NULL);
	expect(" \t\r\n", "h", "u", NULL);
}

static void test_default(void **state)
{
	(void)state;
	expect("machine g login u password x default login u password p", "h", "u", "p");
	expect("default login v password p", "h", "u", NULL);
	/* nobody's password is guessed to be this user's */
	expect("default password p", "h", "u", NULL);
	expect("machine h password p", "h", "u", NULL);
}

static void test_quotes_and_comments(void **state)
{
	(void)state;
	expect("machine h login \"a b\" password \"p \\\"q\\\" \\\\ \\t\"", "h", "a b", "p \"q\" \\ \t");
	expect("# machine h login u password x\nmachine h login u password p#1", "h", "u", "p#1");
	/* a keyword in quotation marks is none */
	expect("\"machine\" h login u password p", "h", "u", NULL);
	expect("machine h \"login\" u password p", "h", "u", NULL);
	expect("machine h login u password machine", "h", "u", "machine");
	expect("machine h login u password \"open", "h", "u", "?");
	expect("machine h login u password \"p\\", "h", "u", "?");
}

static void test_macros(void **state)
{
	(void)state;
	expect("macdef m\nmachine h login u password x\n\nmachine h login u password p", "h", "u", "p");
	expect("macdef m\r\nmachine h login u password x\r\n\r\nmachine h login u password p", "h", "u", "p");
	expect("machine h login u password p\nmacdef init\ncd /x", "h", "u", "p");
	expect("macdef", "h", "u", "?");
}

static void test_no_netrc(void **state)
{
	(void)state;
	static const char *const bad[] = {"machine", "machine h login", "machine h login u password",
	    "machine h login u password p account", NULL};
	for (const char *const *t = bad; *t != NULL; t++)
		expect(*t, "h", "u", "?");
	expect("<html><body>", "h", "u", NULL);
	expect("machine h port 25 login u password p", "h", "u", "p");
}

static void test_limits(void **state)
{
	(void)state;
	struct mm_buf b = MM_BUF_INIT(8192);
	mm_buf_adds(&b, "machine h login u password ");
	for (int i = 0; i < 1024; i++)
		mm_buf_addc(&b, 'x');
	struct mm_secret *s = mm_secret_new();
	assert_int_equal(mm_netrc_find(mm_buf_str(&b), "h", "u", s), 1);
	assert_int_equal(mm_secret_len(s), 1024);
	mm_secret_free(s);
	mm_buf_addc(&b, 'x');
	expect(mm_buf_str(&b), "h", "u", "?");
	mm_buf_free(&b);
	s = mm_secret_new_max(3);
	assert_int_equal(mm_netrc_find("machine h login u password four", "h", "u", s), -1);
	assert_int_equal(mm_secret_len(s), 0);
	mm_secret_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_entries), cmocka_unit_test(test_default),
	    cmocka_unit_test(test_quotes_and_comments), cmocka_unit_test(test_macros),
	    cmocka_unit_test(test_no_netrc), cmocka_unit_test(test_limits)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
