/* The ready-made policies load, and nothing of the language is missing in the
 * policy that shows every key, nor in the manual. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/text.h"
#include "controller/policy/resolve.h"
#include "tests/unit/policy_util.h"

static void load_ready(struct loaded *l, const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/policies/%s", MM_SOURCE_DIR, name);
	*l = (struct loaded){.arena = mm_arena_new()};
	mm_diags_init(&l->diags, l->arena);
	(void)mm_policy_load_file(path, NULL, l->arena, &l->policy, &l->diags);
	assert_string_equal(said(l), "");
	assert_non_null(l->policy);
}

struct ready {
	const char *file, *group;
	const char *in_host, *in_port, *in_security, *in_auth;
	const char *out_host, *out_port, *out_security;
};

/* As published by the providers. */
static const struct ready ready[] = {
    {"own-domain.conf", "staff", "imap.acme.example", "993", "tls", "password", "smtp.acme.example", "465",
	"tls"},
    {"own-domain.conf", "pop", "pop.acme.example", "995", "tls", "password", "smtp.acme.example", "587",
	"starttls"},
    {"google-workspace.conf", "staff", "imap.gmail.com", "993", "tls", "xoauth2", "smtp.gmail.com", "465",
	"tls"},
    {"google-workspace.conf", "pop", "pop.gmail.com", "995", "tls", "xoauth2", "smtp.gmail.com", "465",
	"tls"},
    {"microsoft-365.conf", "staff", "outlook.office365.com", "993", "tls", "xoauth2", "smtp.office365.com",
	"587", "starttls"},
    {"microsoft-365.conf", "pop", "outlook.office365.com", "995", "tls", "xoauth2", "smtp.office365.com",
	"587", "starttls"},
    {"fastmail.conf", "staff", "imap.fastmail.com", "993", "tls", "password", "smtp.fastmail.com", "465",
	"tls"},
    {"fastmail.conf", "pop", "pop.fastmail.com", "995", "tls", "password", "smtp.fastmail.com", "465", "tls"},
    {"all-keys.conf", "staff", "imap.acme.example", "993", "tls", "password", "smtp.acme.example", "587",
	"starttls"},
    {"all-keys.conf", "branch", "pop.berlin.acme.example", "995", "tls", "password", "smtp.acme.example",
	"587", "starttls"},
};

static void test_ready(void **state)
{
	static const struct mm_attr attrs[] = {{"site", "berlin"}};
	(void)state;
	for (size_t i = 0; i < sizeof(ready) / sizeof(*ready); i++) {
		const struct ready *x = &ready[i];
		const char *const groups[] = {x->group, NULL};
		const struct mm_subject u = {.login = "a",
		    .name = "A",
		    .address = "a@acme.example",
		    .attributes = attrs,
		    .n_attributes = 1,
		    .groups = groups};
		struct loaded l;
		struct mm_resolved *r;
		load_ready(&l, x->file);
		assert_int_equal(mm_resolve(l.policy, &u, NULL, 0, l.arena, &r, &l.diags), 0);
		assert_int_equal(r->n_accounts, 1);
		const struct mm_trail *set = r->accounts[0].set;
		assert_string_equal(set[MM_SET_IN_HOST].value, x->in_host);
		assert_string_equal(set[MM_SET_IN_PORT].value, x->in_port);
		assert_string_equal(set[MM_SET_IN_SECURITY].value, x->in_security);
		assert_string_equal(set[MM_SET_IN_AUTH].value, x->in_auth);
		assert_string_equal(set[MM_SET_OUT_HOST].value, x->out_host);
		assert_string_equal(set[MM_SET_OUT_PORT].value, x->out_port);
		assert_string_equal(set[MM_SET_OUT_SECURITY].value, x->out_security);
		unload(&l);
	}
}

/* ---- completeness */

static char *read_source(const char *name)
{
	char path[512];
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	snprintf(path, sizeof(path), "%s/%s", MM_SOURCE_DIR, name);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	for (int c; (c = getc(f)) != EOF;)
		mm_buf_addc(&b, (char)c);
	fclose(f);
	assert_true(mm_buf_ok(&b) && b.len > 0);
	return b.data;
}

/* Every block with a key that is near to none: the answer lists all keys. */
static const char probe[] =
    "qqqqqqqqqqqq = 1;\norganisation = { qqqqqqqqqqqq = 1; };\n"
    "endpoints = { i = { protocol = \"imap\"; qqqqqqqqqqqq = 1; }; o = { protocol = \"smtp\"; qqqqqqqqqqqq = "
    "1; }; };\n"
    "accounts = { a = { qqqqqqqqqqqq = 1; }; };\n"
    "groups = { g = { qqqqqqqqqqqq = 1; override = { a = { qqqqqqqqqqqq = 1; account = { qqqqqqqqqqqq = 1; "
    "};\n"
    " incoming = { qqqqqqqqqqqq = 1; }; outgoing = { qqqqqqqqqqqq = 1; }; }; };\n"
    " clients = { c = { qqqqqqqqqqqq = 1; settings = { qqqqqqqqqqqq = 1; }; }; }; }; };\n"
    "hosts = ( { host = \"h\"; qqqqqqqqqqqq = 1; } );\nusers = ( { user = \"u\"; qqqqqqqqqqqq = 1; } );\n"
    "rules = { qqqqqqqqqqqq = 1; };\n"
    "audit = { qqqqqqqqqqqq = 1; tailor = ( { check = \"c\"; qqqqqqqqqqqq = 1; } ); };\n";

typedef bool mentions(const char *text, const char *key);

static size_t check_keys(const char *text, mentions *ok)
{
	static const char start[] = "known are ";
	struct loaded l;
	size_t lists = 0;
	load(&l, probe);
	for (size_t i = 0; i < l.diags.n; i++) {
		const char *p = strstr(l.diags.items[i].text, start);
		lists += p != NULL;
		for (p = p != NULL ? p + sizeof(start) - 1 : ""; *p != '\0';) {
			char key[64];
			size_t n = strcspn(p, ",");
			snprintf(key, sizeof(key), "%.*s", (int)n, p);
			if (!ok(text, key))
				fail_msg("the key %s is not mentioned", key);
			p += n + strspn(p + n, ", ");
		}
	}
	unload(&l);
	return lists;
}

#define BLOCKS 17 /* with qqqqqqqqqqqq above */

static bool assigned(const char *text, const char *key)
{
	char want[80];
	snprintf(want, sizeof(want), "%s = ", key);
	for (const char *p = strstr(text, want); p != NULL; p = strstr(p + 1, want))
		if (p == text || strchr(" \n\t{", p[-1]) != NULL)
			return true;
	return false;
}

static void test_all_keys(void **state)
{
	struct loaded l;
	(void)state;
	char *text = read_source("policies/all-keys.conf");
	assert_int_equal(check_keys(text, assigned), BLOCKS);
	free(text);
	load_ready(&l, "all-keys.conf");
	for (int s = 0; s < MM_SET_COUNT; s++) {
		bool set = false;
		for (size_t i = 0; i < l.policy->n_accounts; i++)
			set = set || l.policy->accounts[i].set.v[s].at.file != NULL;
		if (!set)
			fail_msg("%s is not shown", mm_setting_def((enum mm_setting)s)->id);
	}
	unload(&l);
}

/* As the argument of a mdoc macro, or in an example. */
static bool in_manual(const char *text, const char *key)
{
	char want[80];
	snprintf(want, sizeof(want), ".It Ic %s", key);
	for (const char *p = strstr(text, want); p != NULL; p = strstr(p + 1, want))
		if (strchr(" \n", p[strlen(want)]) != NULL)
			return true;
	return false;
}

static void test_manual(void **state)
{
	(void)state;
	char *text = read_source("packaging/man/mailmuster-policy.5");
	assert_int_equal(check_keys(text, in_manual), BLOCKS);
	for (int s = 0; s < MM_SET_COUNT; s++) {
		const struct mm_setting_def *d = mm_setting_def((enum mm_setting)s);
		for (size_t i = 0; d->words != NULL && d->words[i] != NULL; i++)
			if (strstr(text, d->words[i]) == NULL)
				fail_msg("the word %s of %s is not mentioned", d->words[i], d->id);
		if (!in_manual(text, d->key))
			fail_msg("%s is not mentioned", d->id);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ready),
	    cmocka_unit_test(test_all_keys),
	    cmocka_unit_test(test_manual),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
