#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/clients/mutt_url.h"

struct url_case {
	const char *in, *protocol;
	bool tls;
	const char *user, *host, *port, *path, *printed; /* printed: with port 1 where there is none */
};

static void same(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void urls(void **state)
{
	static const struct url_case cases[] = {
	    {"imaps://alice@h.example:993/INBOX", "imap", true, "alice", "h.example", "993", "INBOX",
		"imaps://alice@h.example:993/INBOX"},
	    {"imap://h", "imap", false, NULL, "h", NULL, "", "imap://h:1/"},
	    {"IMAPS://a@b@h/x/y", "imap", true, "a@b", "h", NULL, "x/y", "imaps://a%40b@h:1/x/y"},
	    {"pops://a%40b%20c@h:995", "pop3", true, "a@b c", "h", "995", "", "pops://a%40b%20c@h:995/"},
	    {"smtp://alice:secret@h:587/", "smtp", false, "alice", "h", "587", "", "smtp://alice@h:587/"},
	    {"smtps://u@[2001:db8::1]:465", "smtp", true, "u", "2001:db8::1", "465", "",
		"smtps://u@[2001:db8::1]:465/"},
	    {"{h:143}INBOX", "imap", false, NULL, "h", "143", "INBOX", "imap://h:143/INBOX"},
	    {"{alice@h/ssl}", "imap", true, "alice", "h", NULL, "", "imaps://alice@h:1/"},
	    {"imap://a%zz%4@h", "imap", false, "a%zz%4", "h", NULL, "", "imap://a%25zz%254@h:1/"},
	};
	static const char *const none[] = {"", "~/Mail", "/var/mail/x", "imap://", "imap:///x", "http://h",
	    "{h", "imap://[::1", "imap://a@", "+INBOX"};
	struct mm_arena *a = mm_arena_new();
	struct mm_mutt_url u;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct url_case *c = &cases[i];

		assert_true(mm_mutt_url_parse(c->in, a, &u));
		assert_string_equal(u.protocol, c->protocol);
		assert_int_equal(u.tls, c->tls);
		same(u.user, c->user);
		assert_string_equal(u.host, c->host);
		same(u.port, c->port);
		assert_string_equal(u.path, c->path);
		assert_int_equal(u.has_password, strstr(c->in, "secret") != NULL);
		if (u.port == NULL)
			u.port = "1";
		assert_string_equal(mm_mutt_url_print(&u, a), c->printed);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(mm_mutt_url_parse(none[i], a, &u));
	mm_arena_free(a);
}

static void pop_hosts(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_mutt_url u;

	(void)state;
	assert_true(mm_mutt_pop_host_parse("alice:pw@pop.example:110", a, &u));
	assert_string_equal(u.user, "alice");
	assert_string_equal(u.host, "pop.example");
	assert_string_equal(u.port, "110");
	assert_true(u.has_password);
	assert_true(mm_mutt_pop_host_parse("pops://pop.example", a, &u));
	assert_true(u.tls);
	assert_false(mm_mutt_pop_host_parse("", a, &u));
	assert_false(mm_mutt_pop_host_parse("imap://x", a, &u));
	mm_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(urls), cmocka_unit_test(pop_hosts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
