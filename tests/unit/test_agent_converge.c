/* The loop, with a made-up client on a real file system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/generations.h"
#include "common/text.h"
#include "converge_world.h"

#define W struct world *w = *state

static const char *const old_host[] = {"mail.old.example", NULL};

#define GOOD "[work]\nfrom=alice@acme.example\nprotocol=imap\nhost=imap.acme.example\nport=993\nuser=alice\n"

/* ---- making and keeping */

static void creates_in_an_existing_config(void **state)
{
	W;
	put_file(w, ".fakerc", "; mine\n[home]\nhost=x.test\n");
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_PENDING, MM_ACT_CREATED);
	expect(w, "home", "", MM_ST_UNMANAGED, MM_ACT_NONE);
	assert_non_null(strstr(get_file(w, ".fakerc"), "; mine\n[home]\nhost=x.test\n"));
	assert_non_null(strstr(get_file(w, ".fakerc"), "host=imap.acme.example"));
	assert_true(w->c.effect[0][MM_SIDE_INCOMING].in_effect);
	assert_int_equal(mm_collect_status(&w->found), MM_EX_OK);
}

static void second_run_writes_nothing(void **state)
{
	W;
	struct stat before, after;
	const char *journal = mm_arena_printf(w->a, "%s/journal.json", w->state);
	put_file(w, ".fakerc", "");
	apply(w);
	assert_int_equal(stat(journal, &before), 0);
	apply(w);
	expect(w, "work", "incoming.host", MM_ST_COMPLIANT, MM_ACT_NONE);
	assert_int_equal(stat(journal, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(w->c.changed, 0);
}

static void client_not_used(void **state)
{
	W;
	apply(w);
	assert_int_equal(settings_told(w), 0);
	assert_null(get_file(w, ".fakerc"));
	assert_int_equal(access(w->state, F_OK), -1);
}

static void create_always(void **state)
{
	W;
	w->sheet.create = MM_CREATE_ALWAYS;
	apply(w);
	expect(w, "work", "incoming.host", MM_ST_PENDING, MM_ACT_CREATED);
	assert_non_null(strstr(get_file(w, ".fakerc"), "host=imap.acme.example"));
}

static void create_never(void **state)
{
	W;
	w->sheet.create = MM_CREATE_NEVER;
	put_file(w, ".fakerc", "");
	apply(w);
	assert_int_equal(settings_told(w), 0);
	assert_string_equal(get_file(w, ".fakerc"), "");
	put_file(w, ".fakerc", "[w]\nfrom=alice@acme.example\nhost=imap.acme.example\nport=1\n");
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_UNMANAGED, MM_ACT_ADOPTED);
}

static void plan_writes_nothing(void **state)
{
	W;
	put_file(w, ".fakerc", "");
	assert_int_equal(run(w, MM_HOW_PLAN), 0);
	expect(w, "work", "incoming.host", MM_ST_PENDING, MM_ACT_WOULD_CHANGE);
	assert_string_equal(get_file(w, ".fakerc"), "");
	assert_int_equal(access(w->state, F_OK), -1);
	assert_int_equal(mm_collect_status(&w->found), MM_EX_DIFF);
	bool note = false;
	for (size_t i = 0; i < w->found.n_findings; i++)
		note |= mm_streq(w->found.findings[i].reason, "a password will be asked for");
	assert_true(note);
}

/* Once for an account, and no password where a ticket logs in. */
static void what_it_costs_is_said_once(void **state)
{
	W;
	unsigned all = 0, n = 0;
	put_file(w, ".fakerc", "");
	assert_int_equal(run(w, MM_HOW_PLAN), 0);
	for (size_t i = 0; i < w->found.n_findings; i++) {
		all |= w->found.findings[i].costs;
		n += w->found.findings[i].costs != 0;
	}
	assert_int_equal(all, MM_COST_PASSWORD | MM_COST_FETCH);
	assert_int_equal(n, 1);
}

static void a_ticket_asks_for_nothing(void **state)
{
	W;
	unsigned all = 0;
	put_file(w, ".fakerc", "");
	w->acc[0].want.v[MM_SET_IN_AUTH] = "gssapi";
	w->rule.setting_mode[MM_SET_IN_AUTH] = MM_MODE_IGNORE; /* the fake cannot be told */
	assert_int_equal(run(w, MM_HOW_PLAN), 0);
	for (size_t i = 0; i < w->found.n_findings; i++)
		all |= w->found.findings[i].costs;
	assert_int_equal(all, MM_COST_FETCH);
}

static void audit_run_writes_nothing(void **state)
{
	W;
	put_file(w, ".fakerc", "[w]\nfrom=alice@acme.example\nhost=imap.acme.example\nport=1\n");
	assert_int_equal(run(w, MM_HOW_AUDIT), 0);
	expect(w, "work", "incoming.port", MM_ST_PENDING, MM_ACT_NONE);
	assert_int_equal(mm_collect_status(&w->found), MM_EX_DIFF);
	assert_int_equal(access(w->state, F_OK), -1);
}

/* ---- drift */

static void drift_is_corrected(void **state)
{
	W;
	put_file(w, ".fakerc", "");
	apply(w);
	put_file(w, ".fakerc",
	    "[work]\nfrom=alice@acme.example\nprotocol=imap\nhost=imap.acme.example\nport=143\nuser=alice\n");
	apply(w);
	const struct mm_finding *f = finding(w, "work", "incoming.port");
	assert_int_equal(f->state, MM_ST_DRIFTED);
	assert_int_equal(f->action, MM_ACT_CORRECTED);
	assert_string_equal(f->found, "143");
	assert_string_equal(f->desired, "993");
	assert_int_equal(f->line, 5);
	expect(w, "work", "incoming.host", MM_ST_COMPLIANT, MM_ACT_NONE);
	assert_non_null(strstr(get_file(w, ".fakerc"), "port=993"));
}

static void policy_change_is_pending(void **state)
{
	W;
	put_file(w, ".fakerc", "");
	apply(w);
	w->acc[0].want.v[MM_SET_IN_PORT] = "1993";
	w->sheet.revision++;
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_PENDING, MM_ACT_CORRECTED);
}

static void removed_setting_and_account(void **state)
{
	W;
	put_file(w, ".fakerc", "");
	apply(w);
	put_file(w, ".fakerc",
	    "[work]\nfrom=alice@acme.example\nprotocol=imap\nhost=imap.acme.example\nuser=alice\n");
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_REMOVED, MM_ACT_CORRECTED);
	put_file(w, ".fakerc", "; all gone\n");
	apply(w);
	expect(w, "work", "incoming.host", MM_ST_REMOVED, MM_ACT_CREATED);
	assert_non_null(strstr(get_file(w, ".fakerc"), "port=993"));
}

/* ---- modes */

static void audit_mode(void **state)
{
	W;
	w->rule.mode = MM_MODE_AUDIT;
	put_file(w, ".fakerc",
	    "[w]\nfrom=alice@acme.example\nhost=imap.acme.example\nport=1\nprotocol=imap\nuser=alice\n");
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_PENDING, MM_ACT_REPORTED);
	assert_non_null(strstr(get_file(w, ".fakerc"), "port=1\n"));
	put_file(w, ".fakerc", "");
	apply(w);
	expect(w, "work", "", MM_ST_PENDING, MM_ACT_REPORTED);
}

/* Nobody named the client: accounts that it does not have are no matter. */
static void unnamed_client(void **state)
{
	W;
	w->sheet.n_clients = 0;
	put_file(w, ".fakerc", "[home]\nhost=x.test\n");
	apply(w);
	assert_int_equal(mm_collect_status(&w->found), MM_EX_OK);
	put_file(w, ".fakerc", "[w]\nfrom=alice@acme.example\nhost=imap.acme.example\nport=1\n");
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_PENDING, MM_ACT_REPORTED);
}

static void default_mode(void **state)
{
	W;
	w->rule.setting_mode[MM_SET_IN_PORT] = MM_MODE_DEFAULT;
	put_file(w, ".fakerc", "");
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_PENDING, MM_ACT_CREATED);
	put_file(w, ".fakerc",
	    "[work]\nfrom=alice@acme.example\nprotocol=imap\nhost=imap.acme.example\nport=5\nuser=alice\n");
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_COMPLIANT, MM_ACT_NONE);
	assert_string_not_equal(finding(w, "work", "incoming.port")->reason, "");
	assert_non_null(strstr(get_file(w, ".fakerc"), "port=5\n"));
	/* Later policy changes do not overwrite the user's choice either. */
	w->acc[0].want.v[MM_SET_IN_PORT] = "1993";
	apply(w);
	assert_non_null(strstr(get_file(w, ".fakerc"), "port=5\n"));
	/* A value of the user's own is not what the login check was asked to prove. */
	assert_false(w->c.effect[0][MM_SIDE_INCOMING].in_effect);
}

static void ignored_setting_and_client(void **state)
{
	W;
	w->rule.setting_mode[MM_SET_IN_PORT] = MM_MODE_IGNORE;
	put_file(w, ".fakerc",
	    "[w]\nfrom=alice@acme.example\nhost=imap.acme.example\nport=1\nprotocol=imap\nuser=alice\n");
	apply(w);
	for (size_t i = 0; i < w->found.n_findings; i++)
		assert_string_not_equal(w->found.findings[i].setting, "incoming.port");
	w->rule.mode = MM_MODE_IGNORE;
	apply(w);
	assert_int_equal(settings_told(w), 0);
}

/* ---- adoption and removal */

#define THEIRS                                                                                               \
	"; by hand\n[mine]\nfrom=alice@acme.example\nhost=mail.old.example\nport=143\nuser=al\ncolour=red\n"

static void adoption_and_back(void **state)
{
	W;
	w->acc[0].replaces = old_host;
	put_file(w, ".fakerc", THEIRS);
	apply(w);
	expect(w, "work", "incoming.host", MM_ST_UNMANAGED, MM_ACT_ADOPTED);
	expect(w, "work", "incoming.protocol", MM_ST_PENDING, MM_ACT_CORRECTED);
	assert_non_null(strstr(get_file(w, ".fakerc"), "host=imap.acme.example"));
	assert_null(strstr(get_file(w, ".fakerc"), "[work]"));
	/* Drift and correction in between must not hide the first values. */
	w->acc[0].want.v[MM_SET_IN_PORT] = "994";
	apply(w);
	w->sheet.n_accounts = 0;
	apply(w);
	expect(w, "work", "", MM_ST_PENDING, MM_ACT_REMOVED);
	assert_string_equal(get_file(w, ".fakerc"), THEIRS);
}

static void other_accounts_are_not_adopted(void **state)
{
	W;
	w->acc[0].replaces = old_host;
	put_file(w, ".fakerc",
	    "[a]\nfrom=alice@home.example\nhost=mail.old.example\n[b]\nfrom=alice@acme.example\nhost=other."
	    "test\n");
	apply(w);
	expect(w, "a", "", MM_ST_UNMANAGED, MM_ACT_NONE);
	expect(w, "b", "", MM_ST_UNMANAGED, MM_ACT_NONE);
	assert_string_equal(finding(w, "a", "")->found, "home.example");
	expect(w, "work", "incoming.host", MM_ST_PENDING, MM_ACT_CREATED);
}

/* The user's newer value of an adopted account stays at removal. */
static void removal_respects_newer_values(void **state)
{
	W;
	w->acc[0].replaces = old_host;
	put_file(w, ".fakerc", THEIRS);
	apply(w);
	put_file(w, ".fakerc",
	    "; by "
	    "hand\n[mine]\nfrom=alice@acme.example\nhost=imap.acme.example\nport=7777\nuser=alice\ncolour="
	    "red\nprotocol=imap\n");
	w->sheet.n_accounts = 0;
	apply(w);
	const char *now = get_file(w, ".fakerc");
	assert_non_null(strstr(now, "port=7777\n"));
	assert_non_null(strstr(now, "host=mail.old.example\n"));
	assert_null(strstr(now, "protocol"));
}

static void removal_of_what_we_made(void **state)
{
	W;
	put_file(w, ".fakerc", "; mine\n[home]\nhost=x.test\n");
	apply(w);
	assert_non_null(get_file(w, ".fakerc.extra"));
	w->sheet.n_accounts = 0;
	apply(w);
	expect(w, "work", "", MM_ST_PENDING, MM_ACT_REMOVED);
	assert_string_equal(get_file(w, ".fakerc"), "; mine\n[home]\nhost=x.test\n");
	assert_null(get_file(w, ".fakerc.extra"));
	apply(w);
	assert_int_equal(mm_collect_status(&w->found), MM_EX_OK);
}

/* Whoever leaves all groups has a sheet without accounts and clients. */
static void removal_without_rules(void **state)
{
	W;
	put_file(w, ".fakerc", "");
	apply(w);
	w->sheet.n_accounts = w->sheet.n_clients = 0;
	apply(w);
	expect(w, "work", "", MM_ST_PENDING, MM_ACT_REMOVED);
	assert_string_equal(get_file(w, ".fakerc"), "");
}

static void audit_keeps_what_policy_drops(void **state)
{
	W;
	put_file(w, ".fakerc", "");
	apply(w);
	w->sheet.n_accounts = 0;
	w->rule.mode = MM_MODE_AUDIT;
	apply(w);
	expect(w, "work", "", MM_ST_PENDING, MM_ACT_REPORTED);
	assert_non_null(strstr(get_file(w, ".fakerc"), "[work]"));
}

static void removal_never_brings_cleartext_back(void **state)
{
	W;
	w->acc[0].want.v[MM_SET_IN_SECURITY] = "tls";
	put_file(w, ".fakerc", "[mine]\nfrom=alice@acme.example\nhost=imap.acme.example\nsecurity=none\n");
	apply(w);
	expect(w, "work", "incoming.security", MM_ST_UNMANAGED, MM_ACT_ADOPTED);
	w->sheet.n_accounts = 0;
	apply(w);
	expect(w, "work", "", MM_ST_UNMANAGED, MM_ACT_NONE);
	assert_non_null(strstr(get_file(w, ".fakerc"), "security=tls"));
	/* It is the user's own from here on: said once, and left alone. */
	w->sheet.allow_cleartext = true;
	apply(w);
	assert_non_null(strstr(get_file(w, ".fakerc"), "security=tls"));
}

static void renamed_account(void **state)
{
	W;
	put_file(w, ".fakerc", "");
	apply(w);
	w->acc[0].name = "office";
	w->acc[0].renamed_from = "work";
	apply(w);
	expect(w, "office", "incoming.host", MM_ST_COMPLIANT, MM_ACT_NONE);
	assert_null(strstr(get_file(w, ".fakerc"), "[office]"));
}

static void two_accounts_on_one_host(void **state)
{
	W;
	w->sheet.n_accounts = 2;
	w->acc[1].want.v[MM_SET_IN_USERNAME] = "team";
	put_file(w, ".fakerc", "");
	apply(w);
	apply(w);
	expect(w, "work", "incoming.username", MM_ST_COMPLIANT, MM_ACT_NONE);
	expect(w, "team", "incoming.username", MM_ST_COMPLIANT, MM_ACT_NONE);
	w->sheet.n_accounts = 1;
	apply(w);
	expect(w, "team", "", MM_ST_PENDING, MM_ACT_REMOVED);
	expect(w, "work", "incoming.username", MM_ST_COMPLIANT, MM_ACT_NONE);
	assert_null(strstr(get_file(w, ".fakerc"), "team"));
}

/* ---- what stands in the way */

static void hook_wins(void **state)
{
	W;
	put_file(w, ".fakerc",
	    "[w]\nfrom=alice@acme.example\nprotocol=imap\nhost=imap.acme.example\nport=1\nuser=x\nhook_port="
	    "1143\n");
	apply(w);
	const struct mm_finding *f = finding(w, "work", "incoming.port");
	assert_int_equal(f->state, MM_ST_OVERRIDDEN);
	assert_int_equal(f->line, 7);
	assert_non_null(f->override_path);
	expect(w, "work", "incoming.username", MM_ST_UNMANAGED, MM_ACT_ADOPTED);
	assert_non_null(strstr(get_file(w, ".fakerc"), "port=1\n"));
	assert_false(w->c.effect[0][MM_SIDE_INCOMING].in_effect);
}

/* What wins is what is desired: nothing is wrong. */
static void hook_agrees(void **state)
{
	W;
	const char *text = "[w]\nfrom=alice@acme.example\nprotocol=imap\nhost=imap.acme.example\nuser=alice\n"
			   "port=1\nhook_port=993\n";
	put_file(w, ".fakerc", text);
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_OVERRIDDEN, MM_ACT_NONE);
	put_file(w, ".fakerc", mm_arena_printf(w->a, "%sholds=yes\n", text));
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_COMPLIANT, MM_ACT_NONE);
	assert_non_null(strstr(get_file(w, ".fakerc"), "port=1\n"));
}

static void would_not_take_effect(void **state)
{
	W;
	const char *text =
	    "[work]\nstubborn=yes\nhook_from=alice@acme.example\nhook_host=imap.acme.example\n";
	put_file(w, ".fakerc", text);
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_ERROR, MM_ACT_NONE);
	assert_string_equal(get_file(w, ".fakerc"), text);
	assert_int_equal(mm_collect_status(&w->found), MM_EX_FAILED);
}

/* One account that cannot be written does not hold up the other. */
static void trouble_of_one_account_only(void **state)
{
	W;
	w->sheet.n_accounts = 2;
	put_file(w, ".fakerc",
	    "[work]\nstubborn=yes\nhook_from=alice@acme.example\nhook_host=imap.acme.example\n");
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_ERROR, MM_ACT_NONE);
	expect(w, "team", "incoming.port", MM_ST_PENDING, MM_ACT_CREATED);
	assert_non_null(strstr(get_file(w, ".fakerc"), "[team]"));
}

static void unsupported(void **state)
{
	W;
	w->acc[0].want.v[MM_SET_IN_TLS_MIN] = "1.3";
	put_file(w, ".fakerc", "");
	apply(w);
	expect(w, "work", "incoming.tls_min", MM_ST_UNSUPPORTED, MM_ACT_NONE);
	expect(w, "work", "incoming.port", MM_ST_PENDING, MM_ACT_CREATED);
}

/* A program may keep something by itself: no finding, and no hindrance. */
static void not_its_business(void **state)
{
	W;
	w->acc[0].want.v[MM_SET_IN_CA_FILE] = "/etc/ssl/acme.crt";
	put_file(w, ".fakerc", "");
	apply(w);
	for (size_t i = 0; i < w->found.n_findings; i++)
		assert_string_not_equal(w->found.findings[i].setting, "incoming.ca_file");
	expect(w, "work", "incoming.port", MM_ST_PENDING, MM_ACT_CREATED);
	apply(w);
	assert_int_equal(mm_collect_status(&w->found), MM_EX_OK);
	assert_true(w->c.effect[0][MM_SIDE_INCOMING].in_effect);
}

/* What a client cannot set may be right all the same, or better than asked for. */
static void already_as_good(void **state)
{
	W;
	w->acc[0].want.v[MM_SET_IN_TLS_MIN] = "1.2";
	put_file(w, ".fakerc", "[work]\nfrom=alice@acme.example\nhost=imap.acme.example\nfloor=1.3\n");
	apply(w);
	expect(w, "work", "incoming.tls_min", MM_ST_COMPLIANT, MM_ACT_NONE);
	assert_true(w->c.effect[0][MM_SIDE_INCOMING].in_effect);
	w->acc[0].want.v[MM_SET_IN_TLS_MIN] = "1.3";
	apply(w);
	expect(w, "work", "incoming.tls_min", MM_ST_COMPLIANT, MM_ACT_NONE);
	put_file(w, ".fakerc", "[work]\nfrom=alice@acme.example\nhost=imap.acme.example\nfloor=1.2\n");
	apply(w);
	expect(w, "work", "incoming.tls_min", MM_ST_UNSUPPORTED, MM_ACT_NONE);
}

/* An account without the security that is wanted is not made at all. */
static void unsupported_security(void **state)
{
	W;
	w->acc[0].want.v[MM_SET_IN_SECURITY] = "starttls";
	put_file(w, ".fakerc", "");
	apply(w);
	expect(w, "work", "incoming.security", MM_ST_UNSUPPORTED, MM_ACT_NONE);
	expect(w, "work", "incoming.port", MM_ST_UNSUPPORTED, MM_ACT_NONE);
	assert_string_equal(get_file(w, ".fakerc"), "");
}

/* The program goes on with another security and another port: a login with the
 * policy's proves nothing about it. */
static void unsupported_is_not_in_effect(void **state)
{
	W;
	w->acc[0].want.v[MM_SET_IN_SECURITY] = "starttls";
	put_file(w, ".fakerc",
	    "[w]\nfrom=alice@acme.example\nprotocol=imap\nhost=imap.acme.example\nport=1\nuser=alice\n");
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_UNSUPPORTED, MM_ACT_NONE);
	assert_true(w->c.effect[0][MM_SIDE_INCOMING].present);
	assert_false(w->c.effect[0][MM_SIDE_INCOMING].in_effect);
}

static void busy(void **state)
{
	W;
	put_file(w, ".fakerc",
	    "[w]\nfrom=alice@acme.example\nprotocol=imap\nhost=imap.acme.example\nport=1\nuser=alice\n");
	put_file(w, ".fake-busy", "");
	apply(w);
	expect(w, "work", "incoming.port", MM_ST_DEFERRED, MM_ACT_NONE);
	assert_string_equal(finding(w, "work", "incoming.port")->reason, "Fake is running");
	expect(w, "work", "incoming.host", MM_ST_COMPLIANT, MM_ACT_NONE);
	assert_non_null(strstr(get_file(w, ".fakerc"), "port=1\n"));
}

static void place_not_in_use(void **state)
{
	W;
	put_file(w, ".fakerc", GOOD);
	put_file(w, ".fakerc-old", "[w]\nfrom=alice@acme.example\nhost=imap.acme.example\nport=1\n");
	apply(w);
	bool seen = false;
	for (size_t i = 0; i < w->found.n_findings; i++) {
		const struct mm_finding *f = &w->found.findings[i];
		if (!mm_ends_with(f->path, "-old") || !mm_streq(f->setting, "incoming.port"))
			continue;
		seen = true;
		assert_int_equal(f->state, MM_ST_UNMANAGED);
	}
	assert_true(seen);
	assert_non_null(strstr(get_file(w, ".fakerc-old"), "port=1\n"));
}

static void malformed_file(void **state)
{
	W;
	put_file(w, ".fakerc", "[work\nhost=x\n");
	apply(w);
	assert_int_equal(settings_told(w), 1);
	expect(w, "", "", MM_ST_ERROR, MM_ACT_NONE);
	assert_string_equal(get_file(w, ".fakerc"), "[work\nhost=x\n");
}

static void older_revision(void **state)
{
	W;
	put_file(w, ".fakerc", "");
	apply(w);
	w->sheet.revision = 2;
	w->acc[0].want.v[MM_SET_IN_PORT] = "1";
	apply(w);
	assert_int_equal(settings_told(w), 1);
	expect(w, "", "", MM_ST_DEFERRED, MM_ACT_NONE);
	assert_non_null(strstr(get_file(w, ".fakerc"), "port=993"));
}

static void unknown_setting(void **state)
{
	W;
	const struct mm_unknown_row row = {.id = "account.signature", .value = "--"};
	w->acc[0].unknown = &row;
	w->acc[0].n_unknown = 1;
	put_file(w, ".fakerc", GOOD);
	apply(w);
	expect(w, "work", "account.signature", MM_ST_UNSUPPORTED, MM_ACT_NONE);
}

#define T(f) cmocka_unit_test_setup_teardown(f, mm_world_setup, mm_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(creates_in_an_existing_config), T(second_run_writes_nothing),
	    T(client_not_used), T(create_always), T(create_never), T(plan_writes_nothing),
	    T(what_it_costs_is_said_once), T(a_ticket_asks_for_nothing), T(audit_run_writes_nothing),
	    T(drift_is_corrected), T(policy_change_is_pending), T(removed_setting_and_account), T(audit_mode),
	    T(unnamed_client), T(default_mode), T(ignored_setting_and_client), T(adoption_and_back),
	    T(other_accounts_are_not_adopted), T(removal_respects_newer_values), T(removal_of_what_we_made),
	    T(removal_without_rules), T(audit_keeps_what_policy_drops),
	    T(removal_never_brings_cleartext_back), T(renamed_account), T(two_accounts_on_one_host),
	    T(hook_wins), T(hook_agrees), T(would_not_take_effect), T(trouble_of_one_account_only),
	    T(unsupported), T(not_its_business), T(already_as_good), T(unsupported_security),
	    T(unsupported_is_not_in_effect), T(busy), T(place_not_in_use), T(malformed_file),
	    T(older_revision), T(unknown_setting)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
