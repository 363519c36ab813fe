/* Reading a policy: grammar, types, numbers, includes, and what is kept. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/digest.h"
#include "common/text.h"
#include "controller/policy/scan.h"
#include "tests/unit/policy_util.h"

/* ---- what is wrong, as its line */

struct fault {
	const char *text; /* put behind "format = 1;\n", or alone if it begins with '!' */
	const char *want; /* all that is said */
};

static const struct fault faults[] = {
    /* grammar */
    {"groups = ", "p.conf:2: groups has no value; write groups = value;"},
    {"rules = { check \"login\"; };", "p.conf:2: unexpected '\"login\"' behind check; write check = value;"},
    {"rules = { check = ; };", "p.conf:2: unexpected ';'; a value must stand here, texts in double quotes"},
    {"\nrules = {\n check = \"login\";\n", "p.conf:3: '{' is never closed; add the missing '}'"},
    {"final = [ \"incoming.host\" };", "p.conf:2: '}' closes the '[' of p.conf:2; close that one first"},
    {"};", "p.conf:2: '}' closes nothing; remove it"},
    {"rules = { check = \"login; };", "p.conf:2: text is not closed on its line; end it with a double quote"},
    {"final = [ \"incoming.host\", ];",
	"p.conf:2: unexpected ']'; a value must stand here, texts in double quotes"},
    {"final = [ \"incoming.host\" \"x\" true ];", "p.conf:2: unexpected 'true'; separate elements with ,"},
    {"final = [ \"incoming.host\", 5 ];",
	"p.conf:2: unexpected '5'; a value must stand here, texts in double quotes"},
    {"final = [ { a = 1; } ];", "p.conf:2: unexpected '{'; a value must stand here, texts in double quotes"},
    {"rules = { 5 };", "p.conf:2: unexpected '5'; a name = value must stand here"},
    {"rules = { check = \"login\" \"\" 5 };", "p.conf:2: unexpected '5'; end the value before it with ;"},
    {"/* no end\n\n", "p.conf:2: comment is never closed; end it with */"},
    {"hosts = ((((((((((((((((( 1 )))))))))))))))));",
	"p.conf:2: nested deeper than 16 levels; a policy needs no more than 8"},
    {"x = y @include \"a\"", "p.conf:2: y is not a value; put it in double quotes, or write true or false\n"
			     "p.conf:2: unexpected '@include'; end the value before it with ;"},
    {"a*b = 1;", "p.conf:2: unexpected '*b' behind a; write a = value;"},
    /* bytes */
    {"# \x01\n", "p.conf:2: control character 0x01; remove it"},
    {"# \xff\xfe\n", "p.conf:2: invalid UTF-8; save the file as UTF-8"},
    {"organisation = { name = \"a\\x00b\"; };", "p.conf:2: control character in a text (\\x00); remove it"},
    {"organisation = { name = \"a\\nb\"; };",
	"p.conf:2: organisation: name holds a control character; remove it"},
    {"organisation = { name = \"a\\xffb\"; };",
	"p.conf:2: organisation: name is invalid UTF-8; save the file as UTF-8"},
    {"organisation = { name = \"a\xe2\x80\xae\"; };",
	"p.conf:2: warning: organisation: name holds a character that reorders text; look at it in an editor "
	"that shows "
	"it"},
    /* names */
    {"ruels = { };", "p.conf:2: unknown key ruels; did you mean rules?"},
    {"rules = { aprovals = 1; };", "p.conf:2: rules: unknown key aprovals; did you mean approvals?"},
    {"rules = { xyzzy = 1; };",
	"p.conf:2: rules: unknown key xyzzy; known are allow_cleartext, tls_min, check, approvals, discover"},
    {"rules = { };\nrules = { check = \"x\"; };",
	"p.conf:3: duplicate rules, first given at p.conf:2; keep one of the two"},
    {"rules = {\n approvals = 1;\n\n approvals = 2; };",
	"p.conf:5: duplicate approvals, first given at p.conf:3; keep one of the two"},
    {"final = [ \"incoming.host\",\n \"incoming.host\" ];",
	"p.conf:3: final: duplicate incoming.host; keep one of the two"},
    {"final = [ \"incoming.hots\"\n\n];",
	"p.conf:2: final: no setting has the id incoming.hots; did you mean incoming.host?"},
    {"final = [ \"zzzzzzzzzzzz\" ];",
	"p.conf:2: final: no setting has the id zzzzzzzzzzzz; write for example incoming.host"},
    {"abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij = 1;",
	"p.conf:2: name abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd: longer than 64 "
	"bytes, or one of "
	"more than 20000 in a group; shorten"},
    /* numbers */
    {"rules = { approvals = 4294967297; };", "p.conf:2: 4294967297 is out of range; write a smaller number"},
    {"rules = { approvals = 2147483648; };", "p.conf:2: 2147483648 is out of range; write a smaller number"},
    {"rules = { approvals = 0x1; };",
	"p.conf:2: 0x1 is not a plain decimal number; write digits only, or a text in double quotes"},
    {"rules = { approvals = 01; };",
	"p.conf:2: 01 is not a plain decimal number; write digits only, or a text in double quotes"},
    {"rules = { approvals = 1L; };",
	"p.conf:2: 1L is not a plain decimal number; write digits only, or a text in double quotes"},
    {"rules = { approvals = +1; };",
	"p.conf:2: +1 is not a plain decimal number; write digits only, or a text in double quotes"},
    {"rules = { tls_min = 1.2; };",
	"p.conf:2: 1.2 is not a plain decimal number; write digits only, or a text in double quotes"},
    {"rules = { approvals = 17; };",
	"p.conf:2: rules: approvals: 17 is out of range; write a number from 0 to 16"},
    {"rules = { approvals = -1; };",
	"p.conf:2: rules: approvals: -1 is out of range; write a number from 0 to 16"},
    {"groups = { g = { priority = 10000; }; };",
	"p.conf:2: group g: priority: 10000 is out of range; write a number from 0 to 9999"},
    /* types */
    {"rules = 5;", "p.conf:2: rules must be a block; write { name = value; ... }"},
    {"rules = { approvals = \"1\"; };", "p.conf:2: rules: approvals is a text; write a number"},
    {"rules = { allow_cleartext = 1; };",
	"p.conf:2: rules: allow_cleartext is a number; write true or false, without quotes"},
    {"rules = { check = true; };", "p.conf:2: rules: check is true or false; write a text in double quotes"},
    {"rules = { check = \"full\"; };",
	"p.conf:2: rules: check: \"full\" is not known; write reach, tls, login or roundtrip"},
    {"final = \"incoming.host\";", "p.conf:2: final is a text; write a list of texts: [ \"...\", \"...\" ]"},
    {"hosts = { };", "p.conf:2: hosts must be a list; write ( { host = \"name\"; ... }, ... )"},
    {"users = ( 5 );", "p.conf:2: element 1 of users must be a block; write { name = value; ... }"},
    {"users = ( { create = \"never\"; } );",
	"p.conf:2: element 1 of users has no user; write user = \"name\"; first"},
    {"users = ( { user = \"../x\"; } );",
	"p.conf:2: user \"../x\": a name has letters, digits, _ . @ and -; correct it"},
    {"users = ( { user = \"a\"; },\n { user = \"a\"; } );",
	"p.conf:3: duplicate user a, first given at p.conf:2; join the two"},
    {"groups = { g = { priority = 1; clients = 5; }; };",
	"p.conf:2: group g: clients must be a block; write { name = value; ... }"},
    {"groups = { g = { priority = 1; clients = { mutt = 5; }; }; };",
	"p.conf:2: group g: clients: mutt: write a mode (enforce, audit, default or ignore) or { mode = ...; "
	"scope = ...; settings = ...; }"},
    {"groups = { g = { priority = 1; clients = { mutt = { mode = \"off\"; }; }; }; };",
	"p.conf:2: group g: clients: mutt: mode: \"off\" is not known; write enforce, audit, default or "
	"ignore"},
    {"groups = { g = { priority = 1; clients = { mutt = { settings = { account = { zz = \"ignore\"; }; }; "
     "}; }; }; };",
	"p.conf:2: group g: clients: mutt: settings: account: unknown key zz; known are address, real_name, "
	"reply_to, organisation, folder_sent, folder_drafts, folder_trash, folder_junk"},
    {"groups = { g = { priority = 1; clients = { mutt = { scope = 1; }; }; }; };",
	"p.conf:2: group g: clients: mutt: scope is a number; write a text in double quotes"},
    {"groups = { g = { priority = 1; clients = { Mutt = \"audit\"; }; }; };",
	"p.conf:2: group g: clients: client Mutt: a name has 1 to 32 of a-z, 0-9, - and _; correct it"},
    {"groups = { g = { priority = 1; create = \"yes\"; }; };",
	"p.conf:2: group g: create: \"yes\" is not known; write existing, always or never"},
    {"groups = { g = { }; };", "p.conf:2: group g has no priority; write priority = 10; (higher wins)"},
    {"@include \"a.conf\"",
	"p.conf:2: @include \"a.conf\" is not possible here; import the policy from its folder"},
    {"@include a.conf", "p.conf:2: @include is malformed; write @include \"file.conf\" alone on its line"},
    /* the format */
    {"!", "p.conf:1: no format; write format = 1; in the first line"},
    {"!format = 2;",
	"p.conf:1: format 2 is not known to this version; write format = 1, or update mailmuster"},
};

static void test_faults(void **state)
{
	(void)state;
	int bad = 0;
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		struct loaded l;
		char text[1024];
		bool alone = faults[i].text[0] == '!';
		snprintf(text, sizeof(text), "%s%s", alone ? "" : "format = 1;\n",
		    faults[i].text + (alone ? 1 : 0));
		load(&l, text);
		char want[1024];
		snprintf(want, sizeof(want), "%s\n", faults[i].want);
		bad += differs(said(&l), want);
		bad += (l.policy == NULL) != (strstr(want, "warning") == NULL);
		unload(&l);
	}
	assert_int_equal(bad, 0);
}

static void test_error_code(void **state)
{
	(void)state;
	struct loaded l;
	struct mm_err err = MM_ERR_NONE;
	load(&l, "rules = { approvals = 99; tls_min = 1.2; };");
	assert_int_equal(mm_diags_err(&l.diags, &err), -1);
	assert_int_equal(err.code, MM_EX_DATAERR);
	assert_non_null(strstr(err.text, "(and 2 more)"));
	unload(&l);
	load(&l, POLICY_BASE);
	assert_int_equal(mm_diags_err(&l.diags, &err), 0);
	unload(&l);
}

static void test_nul(void **state)
{
	(void)state;
	struct loaded l;
	load_n(&l, "format = 1;\n\0 rules = 5;", 24, NULL);
	assert_string_equal(said(&l), "p.conf:2: control character 0x00; remove it\n");
	unload(&l);
}

/* ---- what is right */

static void test_accepts(void **state)
{
	static const char *const texts[] = {"format = 1;", "format : 1", "\xef\xbb\xbf\x66ormat = 1;\r\n",
	    "format = 1, rules = { check = \"lo\" \"gin\" }",
	    "/* a\n @include \"x\" */ format = 1; // c\n# \"\n",
	    "format = 1; organisation = { name = \"\\\"#//\"; };",
	    "format = 1; rules = { allow_cleartext = TRUE; approvals = 16; }; final = [];",
	    "format = 1; organisation = { name = \"@include \\\"/etc/passwd\\\"\"; };"};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct loaded l;
		load(&l, texts[i]);
		assert_string_equal(said(&l), "");
		assert_non_null(l.policy);
		unload(&l);
	}
}

static const char full[] =
    "format = 1;\n"
    "organisation = { name = \"Acme\"; domain = \"acme.example\"; };\n" POLICY_IN POLICY_OUT
    "accounts = { work = { label = \"L\"; address = \"%{address}\"; incoming = \"in\";\n"
    "  outgoing = \"out\"; replaces = [ \"a.example\",\n  \"b.example\"\n ]; renamed_from = \"old\"; }; };\n"
    "groups = { zeta = { priority = 7; accounts = [ \"work\" ]; create = \"always\";\n"
    "   override = { work = { incoming = { port = 1993; }; unset = [ \"outgoing.username\" ];\n"
    "       outgoing = { auth = \"none\"; }; }; };\n"
    "   clients = { mutt = { mode = \"enforce\"; settings = {\n"
    "      account = { real_name = \"ignore\"; }; }; }; }; };\n"
    "  alpha = { priority = 3; }; };\n"
    "hosts = ( { host = \"h1\"; create = \"never\"; } );\n"
    "users = ( { user = \"u1\"; accounts = [ \"work\" ]; } );\n"
    "final = [ \"incoming.host\" ];\n"
    "rules = { allow_cleartext = true; tls_min = \"1.3\"; check = \"tls\"; approvals = 2; };\n";

static void test_accounts_kept(void **state)
{
	struct loaded l;
	(void)state;
	load(&l, full);
	assert_string_equal(said(&l), "");
	const struct mm_policy *p = l.policy;
	assert_string_equal(p->organisation.text, "Acme");
	assert_int_equal(p->domain.at.line, 2);
	const struct mm_endpoint *e = mm_policy_endpoint(p, "out");
	assert_non_null(e);
	assert_int_equal(e->side, MM_SIDE_OUTGOING);
	assert_string_equal(e->set.v[MM_SET_OUT_HOST].text, "smtp.acme.example");
	const struct mm_paccount *a = mm_policy_account(p, "work");
	assert_string_equal(a->set.v[MM_SET_IN_HOST].text, "imap.acme.example");
	assert_int_equal(a->set.v[MM_SET_IN_HOST].at.line, 3);
	assert_true(a->set.v[MM_SET_ADDRESS].template);
	assert_int_equal(a->replaces.n, 2);
	assert_int_equal(a->replaces.items[0].at.line, 6);
	assert_int_equal(a->replaces.items[1].at.line, 7);
	assert_string_equal(a->renamed_from.text, "old");
	assert_null(mm_policy_account(p, "nobody"));
	unload(&l);
}

static void test_scopes_kept(void **state)
{
	struct loaded l;
	(void)state;
	load(&l, full);
	const struct mm_policy *p = l.policy;
	const struct mm_scope *g = mm_scope_find(&p->groups, "zeta");
	assert_non_null(g);
	assert_int_equal(g->priority, 7);
	assert_int_equal(g->create, MM_CREATE_ALWAYS);
	const struct mm_override *o = mm_scope_override(g, "work");
	assert_string_equal(o->set->v[MM_SET_IN_PORT].text, "1993");
	assert_int_equal(o->set->v[MM_SET_IN_PORT].at.line, 10);
	assert_null(o->set->v[MM_SET_OUT_USERNAME].text);
	assert_string_equal(o->set->v[MM_SET_OUT_USERNAME].at.file, "p.conf");
	const struct mm_pclient *c = mm_scope_client(g, "mutt");
	assert_int_equal(c->mode.mode, MM_MODE_ENFORCE);
	assert_int_equal(c->setting[MM_SET_REAL_NAME].mode, MM_MODE_IGNORE);
	assert_int_equal(c->setting[MM_SET_REAL_NAME].at.line, 13);
	assert_int_equal(c->setting[MM_SET_ADDRESS].mode, -1);
	assert_int_equal(mm_scope_find(&p->hosts, "h1")->create, MM_CREATE_NEVER);
	assert_int_equal(mm_scope_find(&p->users, "u1")->accounts.n, 1);
	assert_int_equal(p->final[MM_SET_IN_HOST].line, 17);
	assert_null(p->final[MM_SET_OUT_HOST].file);
	assert_true(p->rules.allow_cleartext);
	assert_string_equal(p->rules.tls_min, "1.3");
	assert_int_equal(p->rules.check, MM_LEVEL_TLS);
	assert_int_equal(p->rules.approvals, 2);
	assert_null(mm_scope_find(&p->groups, NULL));
	unload(&l);
}

/* ---- includes */

struct folder {
	char path[64];
};

static void put(const struct folder *f, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	FILE *out = fopen(path, "w");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static int make_folder(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	snprintf(f->path, sizeof(f->path), "/tmp/mm-policy-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	char sub[128];
	snprintf(sub, sizeof(sub), "%s/people", f->path);
	assert_int_equal(mkdir(sub, 0700), 0);
	*state = f;
	return 0;
}

static int drop_folder(void **state)
{
	static const char *const names[] = {"main.conf", "sales.conf", "link.conf", "people/a.conf",
	    "people/link", "people/loop.conf", "linked", "fifo", "people", "."};
	struct folder *f = *state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[256];
		snprintf(path, sizeof(path), "%s/%s", f->path, names[i]);
		if (unlink(path) != 0)
			(void)rmdir(names[i][0] == '.' ? f->path : path);
	}
	free(f);
	return 0;
}

static void load_folder(struct loaded *l, const struct folder *f)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/main.conf", f->path);
	*l = (struct loaded){.arena = mm_arena_new()};
	mm_diags_init(&l->diags, l->arena);
	(void)mm_policy_load_file(path, NULL, l->arena, &l->policy, &l->diags);
	l->diags.folder = "";
}

static void test_include(void **state)
{
	const struct folder *f = *state;
	struct loaded l;
	put(f, "main.conf", "format = 1;\n@include \"people/a.conf\"\nrules = { approvals = 3; };\n");
	put(f, "people/a.conf", "\norganisation = {\n  name = \"Acme\"; @x");
	load_folder(&l, f);
	assert_string_equal(said(&l), "people/a.conf:3: unexpected '@x'; a name = value must stand here\n");
	unload(&l);
	put(f, "people/a.conf", "\norganisation = {\n  name = \"Acme\"; };");
	load_folder(&l, f);
	assert_string_equal(said(&l), "");
	assert_string_equal(l.policy->organisation.at.file, "people/a.conf");
	assert_int_equal(l.policy->organisation.at.line, 3);
	assert_string_equal(l.policy->rules.approvals_at.file, "main.conf");
	assert_int_equal(l.policy->rules.approvals_at.line, 3);
	assert_string_equal(l.policy->text,
	    "format = 1;\n#@line 1 \"people/a.conf\"\n\norganisation = {\n"
	    "  name = \"Acme\"; };\n#@line 3 \"main.conf\"\nrules = { approvals = 3; };\n");
	/* The stored text gives the same policy with the same places and the same hash. */
	struct loaded again = {.arena = mm_arena_new()};
	mm_diags_init(&again.diags, again.arena);
	assert_int_equal(mm_policy_load_text("main.conf", l.policy->text, l.policy->len, NULL, again.arena,
			     &again.policy, &again.diags),
	    0);
	assert_string_equal(again.policy->organisation.at.file, "people/a.conf");
	assert_int_equal(again.policy->organisation.at.line, 3);
	assert_int_equal(again.policy->rules.approvals_at.line, 3);
	assert_string_equal(mm_policy_sha256(again.policy), mm_policy_sha256(l.policy));
	unload(&again);
	unload(&l);
}

static void test_plain_hash(void **state)
{
	(void)state;
	struct loaded l;
	char hex[MM_SHA256_HEX];
	load(&l, POLICY_BASE);
	mm_sha256_hex(POLICY_BASE, strlen(POLICY_BASE), hex);
	assert_string_equal(l.policy->text, POLICY_BASE);
	assert_string_equal(mm_policy_sha256(l.policy), hex);
	unload(&l);
}

static void test_include_escapes(void **state)
{
	const struct folder *f = *state;
	char target[128], path[256];
	static const struct fault cases[] = {
	    {"@include \"/etc/passwd\"", "main.conf:2: @include \"/etc/passwd\" lies outside the policy's "
					 "folder; name a file below it"},
	    {"  @include \"../x.conf\"",
		"main.conf:2: @include \"../x.conf\" has an empty, \".\" or \"..\" part in its path; "
		"name a file below the policy's folder"},
	    {"@include \"people/../x.conf\"",
		"main.conf:2: @include \"people/../x.conf\" has an empty, \".\" or \"..\" part "
		"in its path; name a file below the policy's folder"},
	    {"@include \"link.conf\"",
		"main.conf:2: @include \"link.conf\" is reached through a symbolic link or is no file; "
		"use a plain file below the policy's folder"},
	    {"@include \"linked/a.conf\"",
		"main.conf:2: @include \"linked/a.conf\" is reached through a symbolic link or is "
		"no file; use a plain file below the policy's folder"},
	    {"@include \"people\"",
		"main.conf:2: @include \"people\" is not a regular file; name a plain file"},
	    {"@include \"fifo\"", "main.conf:2: @include \"fifo\" is not a regular file; name a plain file"},
	    {"@include \"none.conf\"", "main.conf:2: @include \"none.conf\" does not exist; check the name"},
	    {"@include \"main.conf\"",
		"main.conf:2: @include \"main.conf\" includes itself; break the circle"},
	    {"@include \"people/loop.conf\"",
		"people/loop.conf:1: @include \"main.conf\" includes itself; break the circle"},
	    {"@include \"a.conf\" x = 1;",
		"main.conf:2: @include is malformed; write @include \"file.conf\" alone on its line"},
	    {"@include \"a\\x41.conf\"",
		"main.conf:2: @include is malformed; write @include \"file.conf\" alone on its line"},
	};
	put(f, "people/a.conf", "rules = { };");
	put(f, "people/loop.conf", "@include \"main.conf\"\n");
	snprintf(target, sizeof(target), "%s/people/a.conf", f->path);
	snprintf(path, sizeof(path), "%s/link.conf", f->path);
	assert_int_equal(symlink(target, path), 0);
	snprintf(path, sizeof(path), "%s/linked", f->path);
	assert_int_equal(symlink("people", path), 0);
	snprintf(path, sizeof(path), "%s/fifo", f->path);
	assert_int_equal(mkfifo(path, 0600), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct loaded l;
		char text[256], want[256];
		snprintf(text, sizeof(text), "format = 1;\n%s\n", cases[i].text);
		put(f, "main.conf", text);
		load_folder(&l, f);
		snprintf(want, sizeof(want), "%s\n", cases[i].want);
		assert_string_equal(said(&l), want);
		assert_null(l.policy);
		unload(&l);
	}
}

static void test_include_limits(void **state)
{
	const struct folder *f = *state;
	struct loaded l;
	struct mm_buf b = MM_BUF_INIT(1u << 16);
	mm_buf_adds(&b, "format = 1;\n");
	for (int i = 0; i <= MM_POLICY_FILES_MAX; i++)
		mm_buf_adds(&b, "@include \"sales.conf\"\n");
	put(f, "sales.conf", "# nothing\n");
	put(f, "main.conf", mm_buf_str(&b));
	load_folder(&l, f);
	assert_string_equal(said(&l),
	    "main.conf:66: @include \"sales.conf\": more than 64 files or 8 levels; join some of them\n");
	unload(&l);
	mm_buf_free(&b);
}

static void test_no_file(void **state)
{
	const struct folder *f = *state;
	struct loaded l;
	load_folder(&l, f);
	assert_string_equal(said(&l), "main.conf: does not exist; check the name\n");
	unload(&l);
}

static void test_too_big(void **state)
{
	(void)state;
	struct loaded l;
	size_t n = MM_POLICY_TEXT_MAX + 1;
	char *text = malloc(n);
	assert_non_null(text);
	memset(text, '\n', n);
	load_n(&l, text, n, NULL);
	assert_string_equal(
	    said(&l), "p.conf: the policy is larger than 8 MiB; split it or import users as CSV\n");
	unload(&l);
	free(text);
}

/* ---- ready-made policies */

static void test_many_diags(void **state)
{
	(void)state;
	struct loaded l;
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	mm_buf_adds(&b, "format = 1;\n");
	for (int i = 0; i < MM_DIAGS_MAX + 10; i++)
		mm_buf_addf(&b, "x%d = 1;\n", i);
	load(&l, mm_buf_str(&b));
	assert_int_equal(l.diags.n, MM_DIAGS_MAX);
	assert_int_equal(l.diags.errors, MM_DIAGS_MAX + 10);
	assert_int_equal(l.diags.dropped, 10);
	json_t *j = mm_diags_json(&l.diags);
	assert_int_equal(json_array_size(j), MM_DIAGS_MAX);
	assert_string_equal(json_string_value(json_object_get(json_array_get(j, 0), "severity")), "error");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(j, 0), "line")), 2);
	json_decref(j);
	mm_buf_free(&b);
	unload(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_faults),
	    cmocka_unit_test(test_error_code),
	    cmocka_unit_test(test_nul),
	    cmocka_unit_test(test_accepts),
	    cmocka_unit_test(test_accounts_kept),
	    cmocka_unit_test(test_scopes_kept),
	    cmocka_unit_test_setup_teardown(test_include, make_folder, drop_folder),
	    cmocka_unit_test(test_plain_hash),
	    cmocka_unit_test_setup_teardown(test_include_escapes, make_folder, drop_folder),
	    cmocka_unit_test_setup_teardown(test_include_limits, make_folder, drop_folder),
	    cmocka_unit_test_setup_teardown(test_no_file, make_folder, drop_folder),
	    cmocka_unit_test(test_too_big),
	    cmocka_unit_test(test_many_diags),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
