/* Checks that need the whole policy: references, combinations, rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/policy_util.h"

/* Each case is the faultless policy with parts replaced; NULL: as it is.
 * Lines: 1 format, 2 `in`, 3 `out`, 4 accounts, 5 groups, 6 more. */
struct wrong {
	const char *in, *out, *accounts, *groups, *more;
	const char *want;
};

#define IN(x) "endpoints = { in = { " x " };\n"
#define IN_OK "protocol = \"imap\"; host = \"h.example\"; username = \"u\"; "
#define OUT(x) "out = { " x " }; };\n"
#define OUT_OK "protocol = \"smtp\"; host = \"h.example\"; username = \"u\"; "
#define ACC(x) "accounts = { work = { address = \"%{address}\"; " x " }; };\n"
#define ACC_OK "incoming = \"in\"; outgoing = \"out\"; "
#define GRP(x) "groups = { staff = { priority = 10; accounts = [ \"work\" ]; " x " }; };\n"

static const struct wrong wrongs[] = {
    /* values of settings */
    {.in = IN(IN_OK "port = 0;"),
	.want = "p.conf:2: endpoint in: port: 0 is not possible; write a number from 1 to 65535"},
    {.in = IN(IN_OK "port = 65536;"),
	.want = "p.conf:2: endpoint in: port: 65536 is not possible; write a number from 1 to 65535"},
    {.in = IN(IN_OK "port = 4294967297;"),
	.want = "p.conf:2: 4294967297 is out of range; write a smaller number"},
    {.in = IN(IN_OK "port = \"993\";"),
	.want = "p.conf:2: endpoint in: port is a text; write a number from 1 to 65535"},
    {.in = IN(IN_OK "security = \"ssl\";"),
	.want = "p.conf:2: endpoint in: security: ssl is not possible; write one of \"tls\", \"starttls\", "
		"\"none\""},
    {.in = IN("protocol = \"imap\"; username = \"u\"; host = \"h.example:993\";"),
	.want = "p.conf:2: endpoint in: host \"h.example:993\" holds a port; write host = \"h.example\" and "
		"port = 993"},
    {.in = IN("protocol = \"imap\"; username = \"u\"; host = \"imaps://h.example\";"),
	.want =
	    "p.conf:2: endpoint in: host \"imaps://h.example\" holds a scheme; write the host name alone"},
    {.in = IN("protocol = \"imap\"; username = \"u\"; host = \"h example\";"),
	.want = "p.conf:2: endpoint in: host: not a host name: \"h example\"; write a host name such as "
		"imap.acme.example"},
    {.in = IN("protocol = \"imap\"; username = \"a\\tb\"; host = \"h.example\";"),
	.want = "p.conf:2: endpoint in: username holds a control character; remove it"},
    {.in = IN("protocol = \"imap\"; username = \"%{logn}\"; host = \"h.example\";"),
	.want = "p.conf:2: endpoint in: username: unknown placeholder %{logn}; did you mean %{login}?"},
    {.in = IN("protocol = \"imap\"; username = \"%{attr.}\"; host = \"h.example\";"),
	.want =
	    "p.conf:2: endpoint in: username: unknown placeholder %{attr.}; known are login, name, address, "
	    "address.local, address.domain, attr.NAME"},
    {.in = IN("protocol = \"imap\"; username = \"50%\"; host = \"h.example\";"),
	.want = "p.conf:2: endpoint in: username: a percent sign alone; write %% for a percent sign, "
		"%{login} for a "
		"placeholder"},
    {.in = IN(IN_OK "auth = \"%{login}\";"),
	.want = "p.conf:2: endpoint in: auth: placeholders are not possible here; write one of \"password\", "
		"\"plain\", "
		"\"login\", \"cram-md5\", \"scram-sha-256\", \"gssapi\", \"xoauth2\", \"oauthbearer\", "
		"\"external\", \"none\""},
    {.in = IN(IN_OK "password_command = \"/usr/bin/pass\";"),
	.want = "p.conf:2: endpoint in: password_command is a text; write a list such as [ "
		"\"/usr/bin/pass\", \"show\", "
		"\"mail\" ]"},
    {.in = IN(IN_OK "password_command = [ \"pass\" ];"),
	.want = "p.conf:2: endpoint in: password_command: the program is not an absolute path without "
		"\"..\": \"pass\"; write "
		"a list such as [ \"/usr/bin/pass\", \"show\", \"mail\" ]"},
    {.in = IN(IN_OK "password_command = ( \"/bin/x\", 5 );"),
	.want = "p.conf:2: endpoint in: password_command is a number; write only texts into the list"},
    {.in = IN(IN_OK "password = \"hunter2\";"),
	.want = "p.conf:2: endpoint in: password: a policy never holds a secret; name a program that prints "
		"it with "
		"password_command"},
    {.in = IN(IN_OK "client_secret = \"hunter2\";"),
	.want = "p.conf:2: endpoint in: client_secret: a policy never holds a secret; name a program that "
		"prints it with "
		"password_command"},
    {.in = IN(IN_OK "leave_on_server = \"yes\";"),
	.want = "p.conf:2: endpoint in: leave_on_server is a text; write true or false, without quotes"},
    {.in = IN(IN_OK "ca_file = \"ca.pem\";"),
	.want = "p.conf:2: endpoint in: ca_file: not an absolute path without \"..\": \"ca.pem\"; write an "
		"absolute path"},
    {.in = IN(IN_OK "hosst = \"x\";"),
	.want = "p.conf:2: endpoint in: unknown key hosst; did you mean host?"},
    /* endpoints as a whole */
    {.in = IN("host = \"h.example\"; username = \"u\";"),
	.want = "p.conf:2: endpoint in has no protocol; write protocol = \"imap\", \"pop3\" or \"smtp\""},
    {.in = IN("protocol = \"http\"; host = \"h.example\"; username = \"u\";"),
	.want = "p.conf:2: endpoint in: protocol \"http\"; write imap, pop3 or smtp"},
    {.in = IN("protocol = \"imap\"; username = \"u\";"),
	.want = "p.conf:2: endpoint in has no host; write host = \"...\""},
    {.out = OUT(OUT_OK "leave_on_server = true;"),
	.want = "p.conf:3: endpoint out: leave_on_server is for incoming mail only; remove it"},
    {.in = IN(IN_OK "leave_on_server = true;"),
	.want = "p.conf:2: warning: endpoint in: leave_on_server has no effect with imap; remove it"},
    {.in = IN(IN_OK "security = \"none\";"),
	.want = "p.conf:2: endpoint in: security \"none\" sends passwords in cleartext; write \"tls\" or "
		"\"starttls\", or set "
		"rules.allow_cleartext = true"},
    {.in = IN(IN_OK "security = \"none\"; auth = \"xoauth2\";"),
	.more = "rules = { allow_cleartext = true; };",
	.want = "p.conf:2: endpoint in: auth \"xoauth2\" in cleartext gives the token away; write \"tls\""},
    {.in = IN(IN_OK "security = \"none\"; pin = \"sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\";"),
	.more = "rules = { allow_cleartext = true; tls_min = \"1.2\"; };",
	.want = "p.conf:2: warning: endpoint in: pin has no effect with security \"none\"; remove it"},
    {.in = IN(IN_OK "port = 143;"),
	.want = "p.conf:2: endpoint in: port 143 is cleartext until STARTTLS; write security = \"starttls\" "
		"with it"},
    {.out = OUT(OUT_OK "port = 25;"),
	.want = "p.conf:3: endpoint out: port 25 is cleartext until STARTTLS; write security = \"starttls\" "
		"with it"},
    {.out = OUT(OUT_OK "port = 587; security = \"tls\";"),
	.want = "p.conf:3: warning: endpoint out: security \"tls\" on port 587, which is the port of "
		"STARTTLS; is that meant?"},
    {.in = IN(IN_OK "port = 993; security = \"starttls\";"),
	.want = "p.conf:2: warning: endpoint in: security \"starttls\" on port 993, which is the port of "
		"implicit TLS; is that "
		"meant?"},
    {.in = IN(IN_OK "port = 995;"),
	.want = "p.conf:2: warning: endpoint in: port 995 is that of pop3, not of imap; is that meant?"},
    {.in = IN(IN_OK "tls_min = \"1.2\";"),
	.more = "rules = { tls_min = \"1.3\"; };",
	.want = "p.conf:2: endpoint in: tls_min \"1.2\" is below rules.tls_min \"1.3\"; raise it"},
    {.in = IN(IN_OK "auth = \"none\";"),
	.want =
	    "p.conf:2: endpoint in: incoming mail without a login is impossible; write auth = \"password\""},
    {.in = IN(IN_OK "auth = \"external\"; password_command = [ \"/bin/x\" ];"),
	.want = "p.conf:2: endpoint in: auth \"external\" uses no password; remove password_command or "
		"change auth"},
    {.out = OUT(OUT_OK "auth = \"gssapi\"; password_command = [ \"/bin/x\" ];"),
	.want = "p.conf:3: endpoint out: auth \"gssapi\" uses no password; remove password_command or change "
		"auth"},
    {.out = OUT(OUT_OK "auth = \"none\"; password_command = [ \"/bin/x\" ];"),
	.want =
	    "p.conf:3: warning: endpoint out: password_command has no effect with auth \"none\"; remove it"},
    {.in = IN(IN_OK "password_command = [ \"/bin/%{login}\" ];"),
	.want = "p.conf:2: endpoint in: password_command: the program must not hold a placeholder; write its "
		"path"},
    {.in = IN(IN_OK "password_command = [ \"/bin/echo\", \"x\" ];"),
	.want = "p.conf:2: endpoint in: password_command runs echo, so the secret stands in the policy; use "
		"a password store"},
    {.in = IN(IN_OK "password_command = [ \"/bin/sh\", \"-c\", \"pass %{name}\" ];"),
	.want = "p.conf:2: endpoint in: password_command: sh would run what a placeholder holds as code; "
		"call the program "
		"itself"},
    {.more = "",
	.out = "out = { " OUT_OK " }; spare = { " OUT_OK " }; };\n",
	.want = "p.conf:3: warning: endpoint spare is used by no account; remove it, or name it in one"},
    /* accounts */
    {.accounts = ACC("incoming = \"inn\"; outgoing = \"out\";"),
	.want = "p.conf:2: warning: endpoint in is used by no account; remove it, or name it in one\n"
		"p.conf:4: account work: incoming: no endpoint inn; did you mean in?"},
    {.accounts = ACC("incoming = \"in\"; outgoing = \"in\";"),
	.want = "p.conf:3: warning: endpoint out is used by no account; remove it, or name it in one\n"
		"p.conf:4: account work: outgoing: endpoint in is for incoming mail, which does not send; "
		"name an smtp endpoint"},
    {.accounts = ACC("incoming = \"out\"; outgoing = \"out\";"),
	.want = "p.conf:2: warning: endpoint in is used by no account; remove it, or name it in one\n"
		"p.conf:4: account work: incoming: endpoint out is smtp, which does not receive; name an "
		"imap or pop3 endpoint"},
    {.accounts = ACC("incoming = \"in\";"),
	.want = "p.conf:3: warning: endpoint out is used by no account; remove it, or name it in one\n"
		"p.conf:4: account work has no outgoing endpoint; write outgoing = \"NAME\""},
    {.accounts = "accounts = { work = { " ACC_OK " }; };\n",
	.want = "p.conf:4: account work has no address; write address = \"%{address}\""},
    {.accounts = ACC(ACC_OK "folder_sent = \"a//b\";"),
	.want = "p.conf:4: account work: folder_sent: not a mailbox name (an empty level, or \".\", or "
		"\"..\"): \"a//b\"; write the name of a mailbox such as \"Sent\" or \"INBOX/Sent\""},
    {.accounts = ACC(ACC_OK "folder_sent = \"a\\nb\";"),
	.want = "p.conf:4: account work: folder_sent holds a control character; remove it"},
    {.accounts = ACC(ACC_OK "folder_trash = \"inbox\";"),
	.want = "p.conf:4: account work: folder_trash: the inbox itself is no folder for this: \"inbox\"; "
		"write the name of a mailbox such as \"Sent\" or \"INBOX/Sent\""},
    {.accounts = ACC(ACC_OK "folder_sent = \"Mail\"; folder_trash = \"Mail\";"),
	.want = "p.conf:4: account work: folder_sent and folder_trash are one mailbox, \"Mail\"; mail "
		"programs empty some of them: name another"},
    {.accounts = ACC(ACC_OK "folder_sent = \"Mail\";"),
	.groups = GRP("override = { work = { account = { folder_junk = \"Mail\"; }; }; };"),
	.want = "p.conf:5: group staff: override of work: folder_sent and folder_junk are one mailbox, "
		"\"Mail\"; mail "
		"programs empty some of them: name another"},
    {.in = IN("protocol = \"pop3\"; host = \"h.example\"; username = \"u\"; "),
	.accounts = ACC(ACC_OK "folder_junk = \"Junk\";"),
	.want = "p.conf:4: warning: account work: folder_junk has no effect with pop3; remove it"},
    {.accounts = ACC(ACC_OK "renamed_from = \"work\";"),
	.want = "p.conf:4: account work: renamed_from work, which still exists; remove one of the two"},
    {.accounts = ACC(ACC_OK "renamed_from = \"Old Name\";"),
	.want = "p.conf:4: account work: renamed_from \"Old Name\" cannot have been a name; correct it"},
    {.accounts = ACC(ACC_OK "replaces = [ \"a.example\", \"b example\" ];"),
	.want = "p.conf:4: account work: replaces \"b example\" is no host name; write a name such as "
		"mail.old.example"},
    {.accounts = ACC(ACC_OK "real_name = \"\";"),
	.want = "p.conf:4: account work: real_name is empty; fill it in, or remove the line"},
    {.accounts = "accounts = { work = { address = \"%{address}\"; " ACC_OK
		 " }; Spare = { address = \"%{address}\"; " ACC_OK " }; };\n",
	.want = "p.conf:4: account Spare: a name has 1 to 32 of a-z, 0-9, - and _; choose another\n"
		"p.conf:4: warning: account Spare is given to nobody; name it in the accounts of a group"},
    {.accounts = "accounts = { work = { address = \"%{address}\"; " ACC_OK
		 " }; two = { address = \"%{address}\"; " ACC_OK " }; };\n",
	.groups = "groups = { staff = { priority = 1; accounts = [ \"work\",\n\"two\" ]; }; };\n",
	.want = "p.conf:6: group staff: accounts work and two have the same protocol, user name and host; a "
		"client would drop "
		"one, join them"},
    /* groups, hosts, users */
    {.groups = GRP("") "\n",
	.more = "users = ( { user = \"u\"; accounts = [ \"workx\" ]; } );",
	.want = "p.conf:7: user u: no account workx; did you mean work?"},
    {.groups = GRP("override = { wrk = { incoming = { port = 993; }; }; };"),
	.want = "p.conf:5: group staff: override: no account wrk; did you mean work?"},
    {.groups = GRP("override = { work = { incomin = { port = 993; }; }; };"),
	.want = "p.conf:5: group staff: override of work: unknown key incomin; did you mean incoming?"},
    {.groups = GRP("override = { work = { incoming = { prot = 993; }; }; };"),
	.want = "p.conf:5: group staff: override of work: incoming: unknown key prot; did you mean port?"},
    {.groups = GRP("override = { work = { unset = [ \"incoming.hots\" ]; }; };"),
	.want = "p.conf:5: group staff: override of work: unset: no setting has the id incoming.hots; write "
		"for example "
		"incoming.pin"},
    {.groups = GRP("override = { work = { unset = [ \"incoming.port\" ]; incoming = { port = 993; }; }; };"),
	.want = "p.conf:5: group staff: override of work: unset: incoming.port is given a value here as "
		"well; keep one of the "
		"two"},
    {.groups = GRP("override = { work = { incoming = { security = \"none\"; }; }; };"),
	.want = "p.conf:5: group staff: override of work: security \"none\" sends passwords in cleartext; "
		"write \"tls\" or "
		"\"starttls\", or set rules.allow_cleartext = true"},
    {.groups = GRP("override = { work = { outgoing = { port = 587; }; }; };"),
	.want = "p.conf:5: group staff: override of work: port 587 is cleartext until STARTTLS; write "
		"security = \"starttls\" "
		"with it"},
    {.groups = GRP("override = { work = { incoming = { tls_min = \"1.2\"; }; }; };"),
	.more = "rules = { tls_min = \"1.3\"; };",
	.want = "p.conf:5: group staff: override of work: tls_min \"1.2\" is below rules.tls_min \"1.3\"; "
		"raise it"},
    {.groups = GRP("override = { work = { incoming = { host = \"x.example\"; }; }; };"),
	.more = "final = [ \"incoming.host\" ];",
	.want = "p.conf:5: warning: group staff: override of work: incoming.host has no effect, p.conf:6 "
		"makes it final; remove "
		"one of the two"},
    {.groups = "groups = { };\n",
	.want = "p.conf:4: warning: account work is given to nobody; name it in the accounts of a group"},
};

static void compose(const struct wrong *w, char *text, size_t n)
{
	snprintf(text, n, "%s%s%s%s%s%s", POLICY_HEAD, w->in != NULL ? w->in : POLICY_IN,
	    w->out != NULL ? w->out : POLICY_OUT, w->accounts != NULL ? w->accounts : POLICY_ACCOUNTS,
	    w->groups != NULL ? w->groups : POLICY_GROUPS, w->more != NULL ? w->more : "");
}

static void test_wrong(void **state)
{
	(void)state;
	int bad = 0;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++) {
		struct loaded l;
		char text[2048], want[1024];
		compose(&wrongs[i], text, sizeof(text));
		snprintf(want, sizeof(want), "%s\n", wrongs[i].want);
		load(&l, text);
		bad += differs(said(&l), want);
		assert_null(strstr(said(&l), "hunter2"));
		unload(&l);
	}
	assert_int_equal(bad, 0);
}

/* Combinations that are meant and must stay possible. */
static const struct wrong rights[] = {
    {.in = IN(IN_OK "port = 143; security = \"starttls\";")},
    {.in = IN(IN_OK "security = \"none\";"), .more = "rules = { allow_cleartext = true; };"},
    {.in = IN(IN_OK "port = 10993;")},
    {.in = IN("protocol = \"pop3\"; host = \"h.example\"; username = \"u\"; leave_on_server = false;")},
    {.in = IN(IN_OK "auth = \"external\";")},
    {.out = OUT("protocol = \"smtp\"; host = \"h.example\"; auth = \"none\";")},
    {.in = IN(IN_OK "password_command = [ \"/bin/sh\", \"-c\", \"pass mail\" ];")},
    {.in = IN(IN_OK "tls_min = \"1.3\";"), .more = "rules = { tls_min = \"1.3\"; };"},
    {.in = IN("protocol = \"imap\"; host = \"%{attr.site}.acme.example\"; username = \"100%%%{login}\";")},
    {.in = IN("protocol = \"imap\"; host = \"::1\"; username = \"`id`\\\"; $(x) | y\";")},
    {.accounts = "accounts = { work = { " ACC_OK " }; };\n",
	.groups = GRP("override = { work = { account = { address = \"%{login}@x.example\"; }; }; };")},
    {.groups = GRP("override = { work = { incoming = { port = 143; security = \"starttls\"; }; }; };")},
};

static void test_right(void **state)
{
	(void)state;
	int bad = 0;
	for (size_t i = 0; i < sizeof(rights) / sizeof(*rights); i++) {
		struct loaded l;
		char text[2048];
		compose(&rights[i], text, sizeof(text));
		load(&l, text);
		bad += differs(said(&l), "");
		unload(&l);
	}
	assert_int_equal(bad, 0);
}

static void test_all_listed(void **state)
{
	struct loaded l;
	(void)state;
	load(&l,
	    POLICY_HEAD IN(
		"protocol = \"imap\"; host = \"h:1\"; port = 70000; securitx = \"tls\";\n port = 4294967297;")
		OUT(OUT_OK "auth = maybe;")
		    ACC("incoming = \"in\"; outgoing = \"nix\";") "rules = 5;\nfinal = [ \"x.y\" ];");
	assert_int_equal(l.diags.errors, 9);
	assert_null(l.policy);
	unload(&l);
}

static void test_clients(void **state)
{
	static const char *const known[] = {"thunderbird", "mutt", NULL};
	const struct mm_policy_opts opts = {.known_clients = known};
	struct loaded l;
	(void)state;
	const char *text = POLICY_HEAD POLICY_IN POLICY_OUT POLICY_ACCOUNTS GRP(
	    "clients = { mut = \"enforce\"; mutt = \"audit\"; kmail = \"audit\"; };");
	load_n(&l, text, strlen(text), &opts);
	assert_string_equal(said(&l),
	    "p.conf:5: warning: group staff: clients: no adapter for the client mut; did you mean mutt?\n"
	    "p.conf:5: warning: group staff: clients: no adapter for the client kmail; hosts will "
	    "report it as unsupported\n");
	assert_non_null(l.policy);
	unload(&l);
}

#define SYS(x) GRP("clients = { " x " };")
#define NAMED_ACC(name)                                                                                      \
	"accounts = { work = { address = \"%{address}\"; real_name = \"" name "\"; " ACC_OK "}; };\n"

static const struct mm_known_route routes[] = {{"msmtp", false, NULL}, {"mutt", true, NULL},
    {"kmail", false, "Akonadi reads the list in a new home only"}, {NULL, false, NULL}};

static void check_scope(const char *accounts, const char *group, const char *want)
{
	const struct mm_policy_opts opts = {.known_routes = routes};
	struct loaded l;
	struct mm_buf b = MM_BUF_INIT(65536);
	mm_buf_addf(&b, "%s%s%s%s%s", POLICY_HEAD, POLICY_IN, POLICY_OUT, accounts, group);
	load_n(&l, mm_buf_str(&b), b.len, &opts);
	assert_string_equal(said(&l), want);
	assert_int_equal(l.policy == NULL, want[0] != '\0');
	if (l.policy != NULL)
		assert_true(mm_policy_has_hostwide(l.policy));
	unload(&l);
	mm_buf_free(&b);
}

/* What one file for everybody can hold, and what not. */
static void test_scope(void **state)
{
	(void)state;
	check_scope(NAMED_ACC("%{name}"), SYS("msmtp = { mode = \"enforce\"; scope = \"system\"; };"), "");
	check_scope(NAMED_ACC("The staff"), SYS("mutt = { mode = \"enforce\"; scope = \"system\"; };"), "");
	check_scope(NAMED_ACC("%{name}"),
	    SYS("mutt = { mode = \"enforce\"; scope = \"system\"; settings = { account = { real_name = "
		"\"ignore\"; }; }; };"),
	    "");
	check_scope(NAMED_ACC("%{name}"), SYS("mutt = { mode = \"enforce\"; scope = \"system\"; };"),
	    "p.conf:5: group staff: clients: mutt: scope is system, but account.real_name of account work "
	    "(p.conf:4) differs from user to user and one file holds it for all; write settings = { account "
	    "= { real_name = \"ignore\"; }; }; or scope = \"user\"\n");
	check_scope(POLICY_ACCOUNTS, SYS("claws = { mode = \"enforce\"; scope = \"system\"; };"),
	    "p.conf:5: group staff: clients: claws: this client cannot be set up through the system's files; "
	    "write scope = \"user\" (those that can: msmtp, mutt)\n");
	check_scope(POLICY_ACCOUNTS, SYS("kmail = { mode = \"enforce\"; scope = \"system\"; };"),
	    "p.conf:5: group staff: clients: kmail: this client cannot be set up through the system's files: "
	    "Akonadi reads the list in a new home only; write scope = \"user\" (those that can: msmtp, "
	    "mutt)\n");
	check_scope(POLICY_ACCOUNTS, SYS("msmtp = { mode = \"enforce\"; scope = \"all\"; };"),
	    "p.conf:5: group staff: clients: msmtp: scope: \"all\" is not known; write user or system\n");
	check_scope(POLICY_ACCOUNTS,
	    POLICY_GROUPS "users = ( { user = \"a\"; clients = { msmtp = { scope = \"system\"; }; }; } );\n",
	    "p.conf:6: user a: clients: msmtp: one user cannot decide for the whole host; write scope = "
	    "\"system\" in a group or a host\n");
}

/* A stored revision loads although a check would refuse it today; what its
 * language does not allow stays refused. */
static void test_stored(void **state)
{
	const struct mm_policy_opts opts = {.stored = true};
	struct loaded l;
	(void)state;
	const char *text = POLICY_HEAD IN(IN_OK "auth = \"none\";") POLICY_OUT POLICY_ACCOUNTS POLICY_GROUPS;
	load_n(&l, text, strlen(text), &opts);
	assert_non_null(l.policy);
	assert_int_equal(l.diags.warnings, 1);
	unload(&l);
	text = POLICY_HEAD IN(IN_OK "port = 0;") POLICY_OUT POLICY_ACCOUNTS POLICY_GROUPS;
	load_n(&l, text, strlen(text), &opts);
	assert_null(l.policy);
	unload(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_wrong),
	    cmocka_unit_test(test_right),
	    cmocka_unit_test(test_all_listed),
	    cmocka_unit_test(test_clients),
	    cmocka_unit_test(test_scope),
	    cmocka_unit_test(test_stored),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
