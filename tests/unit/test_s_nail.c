/* s-nail's password commands and TLS words; what a netrc does not give out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "agent/clients/s_nail.h"
#include "agent/formats/mailrc.h"
#include "agent/formats/mailrc_lex.h"
#include "agent/formats/netrc_file.h"
#include "common/text.h"

static void pipes(void **state)
{
	static const struct mm_snail_secret v[] = {
	    {"imap.acme.example", "al\"ice \\ `id` $(x)|y;z", "[\"/bin/x\",\"it's |f a b;\",\"\"]"},
	    {"smtp.acme.example", "alice", "[\"/usr/bin/pass\",\"show\",\"smtp/alice\"]"}};
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	const char *pipe = mm_snail_pipe(v, 2, a, &err);

	(void)state;
	assert_non_null(pipe);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(mm_snail_from_pipe(pipe, v[i].host, v[i].user, a), v[i].argv);
	assert_null(mm_snail_from_pipe(pipe, "smtp.acme.example", "bob", a));
	assert_null(mm_snail_from_pipe(pipe, "smtp.acme.example", NULL, a));
	/* somebody else's, whatever it looks like */
	assert_string_equal(
	    mm_snail_from_pipe("/usr/bin/gpg -qd x", "h", "u", a), "[\"/usr/bin/gpg\",\"-qd\",\"x\"]");
	assert_non_null(strstr(mm_snail_from_pipe("cat x | y", "h", "u", a), "/bin/sh"));
	mm_arena_free(a);
}

static void pipes_that_cannot_be(void **state)
{
	static const char *const users[] = {"default", "login", "password", "machine", "account", "macdef"};
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	char *big = mm_arena_alloc(a, 3001, 1);
	struct mm_snail_secret many[32];

	(void)state;
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		const struct mm_snail_secret v = {"h", users[i], "[\"/bin/x\"]"};

		assert_null(mm_snail_pipe(&v, 1, a, &err));
		assert_int_equal(err.code, MM_EX_DIFF);
	}
	memset(big, 'a', 3000);
	for (size_t i = 0; i < 32; i++)
		many[i] = (struct mm_snail_secret){"h", big, "[\"/bin/x\"]"};
	assert_null(mm_snail_pipe(many, 32, a, &err));
	assert_int_equal(err.code, MM_EX_DATAERR);
	mm_arena_free(a);
}

static void pairs(void **state)
{
	struct mm_arena *a = mm_arena_new();
	static const char list[] = "CipherString=A:B\\,C, minprotocol = TLSv1.1 ,Certificate*=~/c.pem";

	(void)state;
	assert_null(mm_snail_pair(NULL, "MinProtocol", a));
	assert_null(mm_snail_pair(list, "Min", a));
	assert_string_equal(mm_snail_pair(list, "CipherString", a), "A:B\\,C");
	assert_string_equal(mm_snail_pair(list, "Certificate", a), "~/c.pem");
	assert_string_equal(mm_snail_set_pair(NULL, "MinProtocol", "TLSv1.3", a), "MinProtocol=TLSv1.3");
	assert_string_equal(mm_snail_set_pair(list, "MinProtocol", "TLSv1.3", a),
	    "CipherString=A:B\\,C,Certificate*=~/c.pem,MinProtocol=TLSv1.3");
	mm_arena_free(a);
}

static int scans(const char *text, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_mailrc m;
	int rc = mm_mailrc_scan((struct mm_text){.p = text, .n = strlen(text)}, false, a, &m, err);

	mm_arena_free(a);
	return rc;
}

static void limits(void **state)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	struct mm_err err = MM_ERR_NONE;

	(void)state;
	for (int i = 0; i < MM_MAILRC_IFS_MAX; i++)
		mm_buf_adds(&b, "if r\n");
	for (int i = 0; i < MM_MAILRC_IFS_MAX; i++)
		mm_buf_adds(&b, "endif\n");
	assert_int_equal(scans(mm_buf_str(&b), &err), 0);
	assert_int_equal(scans(mm_arena_printf(a, "if r\n%sendif\n", mm_buf_str(&b)), &err), -1);
	assert_int_equal(err.code, MM_EX_DATAERR);
	mm_buf_reset(&b);
	for (int i = 0; i < MM_MAILRC_ACCOUNTS_MAX; i++)
		mm_buf_addf(&b, "account a%d {\n}\n", i);
	assert_int_equal(scans(mm_buf_str(&b), &err), 0);
	mm_buf_adds(&b, "account z {\n}\n");
	assert_int_equal(scans(mm_buf_str(&b), &err), -1);
	assert_int_equal(scans("endif\n", &err), -1);
	assert_int_equal(scans("account a {\nset x\n", &err), -1);
	assert_int_equal(scans("set a=b \\", &err), -1);
	mm_buf_free(&b);
	mm_arena_free(a);
}

/* NULL: refused, and nothing is given out. */
static const char *edited(const char *text, struct mm_edit e, struct mm_arena *a)
{
	struct mm_text in = {.p = text, .n = strlen(text)};
	struct mm_err err = MM_ERR_NONE;
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	const char *out = NULL;

	if (mm_format_mailrc.edit(in, &e, 1, a, &b, &err) == 0) {
		out = mm_arena_strndup(a, mm_buf_str(&b), b.len);
	} else {
		assert_int_equal(err.code, MM_EX_DATAERR);
		assert_non_null(strstr(err.text, "change it by hand"));
		assert_int_equal(b.len, 0);
	}
	mm_buf_free(&b);
	return out;
}

/* What an edit would do besides is seen before anything is written. */
static void edits_that_would_do_more(void **state)
{
	static const struct {
		const char *text, *key, *value, *out; /* value NULL: delete; out NULL: refused */
	} v[] = {
	    {"set a=1 b=2 \\\n  c=3 # x\n", "b", NULL, "set a=1 \\\n  c=3 # x\n"},
	    {"wysh set a=1; set b=2;\n", "a", NULL, "set b=2;\n"},
	    {"set v15-compat=y\nset a=b\n", "v15-compat", NULL, "set a=b\n"},
	    {"set v15-compat=y\nset a=$b\n", "v15-compat", NULL, NULL},
	    {"set v15-compat=y\nset a='b\\'\n", "v15-compat", NULL, NULL},
	    {"set v15-compat=\nset a=b;c\n", "v15-compat", "y", NULL},
	    {"set v15-compat=\nset a=it's\n", "v15-compat", "y", NULL},
	    {"set v15-compat=\nset a=b\n", "v15-compat", "y", "set v15-compat=y\nset a=b\n"},
	    {"set v15-compat=a;\\eb's\nt\naccy\nset v15-compat=b\\eb's\nt\nacc d\"\n", "v15-compat", NULL,
		NULL},
	};
	struct mm_arena *a = mm_arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		const char *out = edited(v[i].text,
		    (struct mm_edit){.op = v[i].value != NULL ? MM_EDIT_SET : MM_EDIT_DELETE,
			.section = "",
			.key = v[i].key,
			.value = v[i].value,
			.kind = 's'},
		    a);

		if (v[i].out == NULL)
			assert_null(out);
		else
			assert_string_equal(out, v[i].out);
	}
	mm_arena_free(a);
}

static void no_password_given_out(void **state)
{
	static const char text[] =
	    "machine h login a password geheim account konto\ndefault password geheim\n";
	struct mm_arena *a = mm_arena_new();
	struct mm_err err = MM_ERR_NONE;
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	struct mm_doc d;

	(void)state;
	assert_int_equal(mm_format_netrc.parse((struct mm_text){text, sizeof(text) - 1}, a, &d, &err), 0);
	assert_int_equal(d.n, 6);
	for (size_t i = 0; i < d.n; i++)
		assert_true(mm_streq(d.items[i].value, "") || mm_streq(d.items[i].value, "a"));
	for (int i = 0; i <= MM_NETRC_ENTRIES_MAX; i++)
		mm_buf_adds(&b, "machine h\n");
	assert_int_equal(mm_format_netrc.parse((struct mm_text){mm_buf_str(&b), b.len}, a, &d, &err), -1);
	assert_int_equal(err.code, MM_EX_DATAERR);
	mm_buf_free(&b);
	mm_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(pipes), cmocka_unit_test(pipes_that_cannot_be),
	    cmocka_unit_test(pairs), cmocka_unit_test(limits), cmocka_unit_test(no_password_given_out),
	    cmocka_unit_test(edits_that_would_do_more)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
