/* What the adapters cannot express, in sentences; and the table of clients. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/clients/client.h"
#include "common/text.h"

static const char *reason(
    const char *client, enum mm_setting s, const char *value, enum mm_setting other, const char *v)
{
	struct mm_values all = {{NULL}};

	all.v[s] = value;
	if (other != MM_SET_NONE)
		all.v[other] = v;
	return mm_client_cannot(mm_client_by_name(client), s, value, &all);
}

static void sentence(const char *s)
{
	assert_non_null(s);
	assert_true(isupper((unsigned char)s[0]) || mm_starts_with(s, "msmtp") || mm_starts_with(s, "mutt"));
	assert_true(mm_ends_with(s, "."));
}

static void msmtp(void **state)
{
	char long_command[600];

	(void)state;
	memset(long_command, 'x', sizeof(long_command));
	long_command[sizeof(long_command) - 1] = '\0';
	sentence(reason("msmtp", MM_SET_REAL_NAME, "A", MM_SET_NONE, NULL));
	sentence(reason("msmtp", MM_SET_OUT_PIN, "sha256//x", MM_SET_NONE, NULL));
	sentence(reason("msmtp", MM_SET_OUT_PASSWORD_COMMAND, long_command, MM_SET_NONE, NULL));
	assert_null(reason("msmtp", MM_SET_OUT_PASSWORD_COMMAND, "[\"/bin/x\"]", MM_SET_NONE, NULL));
	for (size_t i = 0; mm_auth_words[i] != NULL; i++)
		assert_null(reason("msmtp", MM_SET_OUT_AUTH, mm_auth_words[i], MM_SET_NONE, NULL));
}

static void mutt(void **state)
{
	static const char *const both[] = {"mutt", "neomutt"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const char *c = both[i];

		sentence(reason(c, MM_SET_REPLY_TO, "a@b", MM_SET_NONE, NULL));
		sentence(reason(c, MM_SET_ORGANISATION, "x", MM_SET_NONE, NULL));
		sentence(reason(c, MM_SET_IN_PIN, "sha256//x", MM_SET_NONE, NULL));
		sentence(reason(c, MM_SET_IN_AUTH, "none", MM_SET_NONE, NULL));
		sentence(reason(c, MM_SET_IN_AUTH, "xoauth2", MM_SET_NONE, NULL));
		sentence(reason(c, MM_SET_OUT_TLS_MIN, "1.3", MM_SET_IN_TLS_MIN, "1.2"));
		sentence(reason(c, MM_SET_OUT_CA_FILE, "/a", MM_SET_IN_CA_FILE, "/b"));
		sentence(reason(c, MM_SET_OUT_SECURITY, "none", MM_SET_IN_SECURITY, "starttls"));
		sentence(reason(c, MM_SET_OUT_SECURITY, "starttls", MM_SET_IN_SECURITY, "none"));
		assert_null(reason(c, MM_SET_OUT_SECURITY, "starttls", MM_SET_IN_SECURITY, "tls"));
		assert_null(reason(c, MM_SET_OUT_TLS_MIN, "1.3", MM_SET_NONE, NULL));
		assert_null(reason(c, MM_SET_OUT_AUTH, "none", MM_SET_NONE, NULL));
		assert_null(reason(c, MM_SET_IN_AUTH, "password", MM_SET_NONE, NULL));
	}
}

/* Folders: no business of who only fetches or sends, none with POP3, and names that a client cannot hold. */
static void folders(void **state)
{
	static const char *const one_sided[] = {
	    "msmtp", "git", "emacs", "mpop", "fetchmail", "getmail", "fdm", "mbsync", "offlineimap", NULL};

	(void)state;
	for (size_t i = 0; one_sided[i] != NULL; i++)
		assert_ptr_equal(reason(one_sided[i], MM_SET_FOLDER_SENT, "Sent", MM_SET_NONE, NULL),
		    MM_CLIENT_NOT_ITS_BUSINESS);
	for (size_t c = 0; mm_clients[c] != NULL; c++)
		if (mm_clients[c]->incoming && mm_clients[c]->outgoing)
			sentence(reason(
			    mm_clients[c]->name, MM_SET_FOLDER_SENT, "Sent", MM_SET_IN_PROTOCOL, "pop3"));
	sentence(reason("mutt", MM_SET_FOLDER_JUNK, "Junk", MM_SET_NONE, NULL));
	assert_null(reason("mutt", MM_SET_FOLDER_SENT, "a`b", MM_SET_NONE, NULL));
	sentence(reason("neomutt", MM_SET_FOLDER_SENT, "a`b", MM_SET_NONE, NULL));
	assert_null(reason("neomutt", MM_SET_FOLDER_SENT, "Entw\xc3\xbcrfe/A & B", MM_SET_NONE, NULL));
	sentence(reason("thunderbird", MM_SET_FOLDER_TRASH, "M\xc3\xbcll", MM_SET_NONE, NULL));
	assert_null(reason("thunderbird", MM_SET_FOLDER_SENT, "M\xc3\xbcll", MM_SET_NONE, NULL));
	sentence(reason("kmail", MM_SET_FOLDER_SENT, "Sent", MM_SET_NONE, NULL));
	sentence(reason("goa", MM_SET_FOLDER_SENT, "Sent", MM_SET_NONE, NULL));
}

/* Whatever a client cannot hold, it says in a sentence; and the words of both sides fit together. */
static void all_clients(void **state)
{
	static const char *const values[] = {"imap", "pop3", "smtp", "tls", "starttls", "none", "1.2", "1.3",
	    "yes", "no", "993", "/a/b", "[\"/bin/x\"]", "h.example", NULL};

	(void)state;
	for (size_t c = 0; mm_clients[c] != NULL; c++)
		for (enum mm_setting s = 0; s < MM_SET_COUNT; s++)
			for (size_t v = 0; values[v] != NULL; v++) {
				const char *why =
				    reason(mm_clients[c]->name, s, values[v], MM_SET_NONE, NULL);

				if (why != NULL && why != MM_CLIENT_NOT_ITS_BUSINESS)
					assert_true(mm_ends_with(why, "."));
			}
}

/* Programs that only fetch are never told to delete, and say what they lack. */
static void fetchers(void **state)
{
	static const char *const names[] = {"mpop", "fetchmail", "getmail", NULL};

	(void)state;
	for (size_t i = 0; names[i] != NULL; i++) {
		assert_non_null(reason(names[i], MM_SET_IN_LEAVE_ON_SERVER, "no", MM_SET_NONE, NULL));
		assert_null(reason(names[i], MM_SET_IN_LEAVE_ON_SERVER, "yes", MM_SET_NONE, NULL));
		assert_non_null(reason(names[i], MM_SET_ADDRESS, "a@b", MM_SET_NONE, NULL));
	}
	assert_non_null(reason("mpop", MM_SET_IN_PROTOCOL, "imap", MM_SET_NONE, NULL));
	assert_non_null(reason("mbsync", MM_SET_IN_PROTOCOL, "pop3", MM_SET_NONE, NULL));
	assert_non_null(reason("fetchmail", MM_SET_IN_PASSWORD_COMMAND, "[\"/x\"]", MM_SET_NONE, NULL));
	assert_non_null(reason("getmail", MM_SET_IN_SECURITY, "starttls", MM_SET_NONE, NULL));
	assert_non_null(reason("offlineimap", MM_SET_IN_SECURITY, "starttls", MM_SET_NONE, NULL));
	assert_non_null(reason("git", MM_SET_OUT_PASSWORD_COMMAND, "[\"/x\"]", MM_SET_NONE, NULL));
	assert_non_null(reason("aerc", MM_SET_IN_AUTH, "xoauth2", MM_SET_IN_SECURITY, "starttls"));
	assert_null(reason("aerc", MM_SET_IN_AUTH, "xoauth2", MM_SET_IN_SECURITY, "tls"));
}

/* Read only: a reason for everything, and no edit at all. */
static void mailspring(void **state)
{
	const struct mm_client *cl = mm_client_by_name("mailspring");
	static const enum mm_change_kind kinds[] = {MM_CHANGE_ADD, MM_CHANGE_SET};
	struct mm_change ch = {.account = "work", .key = "8f1a2b3c"};
	struct mm_edits out;

	(void)state;
	for (enum mm_setting s = 0; s < MM_SET_COUNT; s++)
		assert_non_null(cl->unsupported(s, "x", &(struct mm_values){{NULL}}));
	sentence(reason("mailspring", MM_SET_IN_HOST, "h.example", MM_SET_NONE, NULL));
	for (size_t i = 0; i < 2; i++) {
		struct mm_err err = MM_ERR_NONE;

		ch.kind = kinds[i];
		assert_int_equal(cl->change(NULL, NULL, NULL, &ch, &out, &err), -1);
		assert_int_equal(err.code, MM_EX_DIFF);
		assert_non_null(strstr(err.text, "Mailspring"));
		assert_int_equal(out.n, 0);
	}
	ch.kind = MM_CHANGE_REMOVE;
	assert_int_equal(cl->change(NULL, NULL, NULL, &ch, &out, NULL), 0);
	assert_int_equal(out.n, 0);
}

static void table(void **state)
{
	const char *const *names = mm_client_names();
	size_t n = 0;

	(void)state;
	for (; mm_clients[n] != NULL; n++) {
		assert_string_equal(names[n], mm_clients[n]->name);
		assert_ptr_equal(mm_client_by_name(names[n]), mm_clients[n]);
		assert_true(mm_clients[n]->incoming || mm_clients[n]->outgoing);
		assert_non_null(mm_clients[n]->programs[0]);
	}
	assert_null(names[n]);
	assert_null(mm_client_by_name("no-such-client"));
	assert_null(mm_client_by_name(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(msmtp), cmocka_unit_test(mutt),
	    cmocka_unit_test(table), cmocka_unit_test(folders), cmocka_unit_test(all_clients),
	    cmocka_unit_test(fetchers), cmocka_unit_test(mailspring)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
