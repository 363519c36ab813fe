#include "controller/checks/tests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "controller/checks/baseline.h"

void mm_say(struct mm_say *out, enum mm_check_outcome o, const char *why)
{
	out->said = true;
	out->outcome = o;
	out->why = why;
}

void mm_sayf(struct mm_say *out, enum mm_check_outcome o, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(out->text, sizeof(out->text), fmt, ap);
	va_end(ap);
	mm_say(out, o, out->text);
}

static void good_if(struct mm_say *out, bool good, const char *why)
{
	mm_say(out, good ? MM_OUT_COMPLIANT : MM_OUT_FAILED, good ? "" : why);
}

int mm_tls_number(const char *version)
{
	if (version == NULL)
		return 0;
	const char *v = mm_starts_with(version, "TLSv") ? version + 4 : version;
	if (mm_streq(v, "1"))
		return 10;
	if (v[0] == '1' && v[1] == '.' && v[2] >= '0' && v[2] <= '9' && v[3] == '\0')
		return 10 + (v[2] - '0');
	return 0;
}

/* ---- settings, by what is in effect */

static void implicit_tls(const struct mm_look *l, struct mm_say *out)
{
	out->wanted = "tls";
	good_if(out, mm_streq(l->value, "tls"),
	    mm_streq(l->value, "starttls") ? "TLS begins with STARTTLS and not with the first byte"
					   : "TLS does not begin with the first byte");
}

/* "no" beside "TLS is required" would read as the opposite of what it says. */
static void cleartext_words(const char *value, struct mm_say *out)
{
	out->wanted = "never in clear";
	out->found = mm_streq(value, MM_FOUND_NO)              ? "never in clear"
		     : mm_streq(value, MM_FOUND_YES)           ? "in clear"
		     : mm_streq(value, MM_FOUND_OPPORTUNISTIC) ? "in clear where TLS is not offered"
							       : NULL;
}

static void starttls_required(const struct mm_look *l, struct mm_say *out)
{
	if (l->fact == MM_FACT_CLEARTEXT) {
		cleartext_words(l->value, out);
		if (!mm_streq(l->value, MM_FOUND_YES)) /* that is no-cleartext's */
			good_if(out, mm_streq(l->value, MM_FOUND_NO),
			    "TLS is used only if the server, or whoever stands between, offers it");
		return;
	}
	out->wanted = "tls or starttls";
	good_if(out, mm_streq(l->value, "tls") || mm_streq(l->value, "starttls"), "TLS is not required");
}

static void no_cleartext(const struct mm_look *l, struct mm_say *out)
{
	if (l->fact == MM_FACT_CLEARTEXT) {
		cleartext_words(l->value, out);
		good_if(out, mm_streq(l->value, MM_FOUND_NO),
		    mm_streq(l->value, MM_FOUND_YES) ? "a session is not encrypted"
						     : "a session may not be encrypted");
		return;
	}
	out->wanted = "tls or starttls";
	good_if(
	    out, mm_streq(l->value, "tls") || mm_streq(l->value, "starttls"), "the session is not encrypted");
}

static void tls_floor(const struct mm_look *l, struct mm_say *out)
{
	if (mm_streq(l->value, MM_FOUND_NO_TLS)) {
		mm_say(out, MM_OUT_NOT_APPLICABLE, "there is no TLS");
		return;
	}
	good_if(out, mm_tls_number(l->value) > 0 && mm_tls_number(l->value) >= l->check->threshold,
	    "the program accepts a version of TLS that is too old");
}

static bool is_plain(const char *auth)
{
	return mm_streq(auth, "password") || mm_streq(auth, "plain") || mm_streq(auth, "login") ||
	       mm_streq(auth, "xoauth2") || mm_streq(auth, "oauthbearer") || auth[0] == '\0';
}

/* Without TLS whoever listens has the password or the token. And where the
 * policy wants something better than a password, nothing less will do. */
static void sasl(const struct mm_look *l, struct mm_say *out)
{
	bool is_security = l->set == MM_SET_IN_SECURITY || l->set == MM_SET_OUT_SECURITY;
	if (is_security) {
		bool tls = mm_streq(l->value, "tls") || mm_streq(l->value, "starttls");
		good_if(out, tls || !is_plain(l->auth),
		    "the password or token travels readable: there is no TLS");
		return;
	}
	const char *desired = l->row->f.desired;
	if (desired == NULL || mm_streq(desired, "password") || mm_streq(desired, "plain") ||
	    mm_streq(desired, "login"))
		return;
	if (mm_verdict(l->row->f.state, l->row->f.action).audit == MM_AUDIT_FAIL)
		mm_sayf(out, MM_OUT_FAILED, "the policy demands %.64s", desired);
	else
		mm_say(out, MM_OUT_COMPLIANT, "");
}

static void approved_servers(const struct mm_look *l, struct mm_say *out)
{
	bool good = mm_verdict(l->row->f.state, l->row->f.action).audit == MM_AUDIT_PASS;
	good_if(out, good, "the server is not the one that the policy names");
}

/* ---- whole rows: by verdict */

static void as_desired(const struct mm_look *l, struct mm_say *out)
{
	const struct mm_finding *f = &l->row->f;
	switch (mm_verdict(f->state, f->action).audit) {
	case MM_AUDIT_PASS:
		mm_say(out, MM_OUT_COMPLIANT, "");
		break;
	case MM_AUDIT_FAIL:
		mm_say(out, MM_OUT_FAILED, f->reason);
		break;
	case MM_AUDIT_UNKNOWN:
		mm_say(out, f->state == MM_ST_DEFERRED ? MM_OUT_DEFERRED : MM_OUT_UNKNOWN, f->reason);
		break;
	case MM_AUDIT_NOT_APPLICABLE:
	case MM_AUDIT_WAIVED:
	case MM_AUDIT_COUNT:
		break;
	}
}

static void unmanaged(const struct mm_look *l, struct mm_say *out)
{
	const struct mm_finding *f = &l->row->f;
	if (f->account[0] == '\0')
		return;
	if (l->fact == MM_FACT_UNMANAGED_ACCOUNT || (f->setting[0] == '\0' && f->state == MM_ST_UNMANAGED))
		mm_say(out, MM_OUT_FAILED, "no policy knows this account");
	else if (l->set != MM_SET_NONE && f->state != MM_ST_UNMANAGED)
		mm_say(out, MM_OUT_COMPLIANT, "");
}

/* ---- facts */

static void password(const struct mm_look *l, struct mm_say *out)
{
	out->wanted = MM_FOUND_NO;
	good_if(out, mm_streq(l->value, MM_FOUND_NO), "a password stands readable in a file");
}

static void verified(const struct mm_look *l, struct mm_say *out)
{
	out->wanted = MM_FOUND_YES;
	if (mm_streq(l->value, MM_FOUND_NO_TLS))
		mm_say(out, MM_OUT_NOT_APPLICABLE, "there is no TLS, and no certificate");
	else
		good_if(out, mm_streq(l->value, MM_FOUND_YES),
		    mm_streq(l->value, MM_FOUND_CHAIN_ONLY) ? "the host name is not compared"
		    : mm_streq(l->value, MM_FOUND_NO_DATES) ? "an expired certificate is accepted"
							    : "the certificate is not verified");
}

static void exception(const struct mm_look *l, struct mm_say *out)
{
	out->wanted = MM_FOUND_NONE;
	good_if(out, mm_streq(l->value, MM_FOUND_NONE), "somebody has accepted a certificate by hand");
}

static void file_access(const struct mm_look *l, struct mm_say *out)
{
	const char *desired = l->row->f.desired;
	char *end;
	if (l->fact == MM_FACT_FILE_OWNER) {
		good_if(
		    out, desired != NULL && mm_streq(l->value, desired), "the file belongs to somebody else");
		return;
	}
	unsigned long mode = strtoul(l->value, &end, 8);
	unsigned long most = desired != NULL ? strtoul(desired, NULL, 8) : 0600;
	if (l->value[0] == '\0' || *end != '\0')
		mm_say(out, MM_OUT_UNKNOWN, "the agent told no file mode");
	else
		good_if(out, (mode & ~most & 0666ul) == 0, "others may read or change the file");
}

/* ---- the table */

#define IDS(...)                                                                                             \
	(const char *const[])                                                                                \
	{                                                                                                    \
		__VA_ARGS__, NULL                                                                            \
	}
#define SECURITY "incoming.security", "outgoing.security"
#define NOT_LOOKED                                                                                           \
	"the agent has not looked: it is older than this check, or could not read the program's files"

/* clang-format off */
static const struct mm_test tests[] = {
    {.name = "implicit-tls", .scope = MM_SCOPE_ACCOUNT, .units = "accounts", .looks_at = IDS(SECURITY), .finding = implicit_tls},
    {.name = "starttls-required", .scope = MM_SCOPE_ACCOUNT, .units = "accounts", .looks_at = IDS(SECURITY, "client.cleartext"), .finding = starttls_required},
    {.name = "no-cleartext", .scope = MM_SCOPE_ACCOUNT, .units = "accounts and logins", .looks_at = IDS(SECURITY, "client.cleartext"), .finding = no_cleartext, .login = mm_login_cleartext},
    {.name = "cleartext-offered", .scope = MM_SCOPE_LOGIN, .units = "logins", .login = mm_login_cleartext_offered},
    {.name = "tls-floor", .scope = MM_SCOPE_ACCOUNT, .units = "accounts", .looks_at = IDS("client.tls_min", "incoming.tls_min", "outgoing.tls_min"), .unseen = NOT_LOOKED, .unseen_speaks = true, .fact_decides = true, .finding = tls_floor},
    {.name = "tls-negotiated", .scope = MM_SCOPE_LOGIN, .units = "logins", .login = mm_login_tls},
    {.name = "certificate-verified", .scope = MM_SCOPE_ACCOUNT, .units = "accounts and logins", .looks_at = IDS("client.certificate_check"), .unseen = NOT_LOOKED, .unseen_speaks = true, .finding = verified, .login = mm_login_verified},
    {.name = "certificate-exception", .scope = MM_SCOPE_ACCOUNT, .units = "accounts", .looks_at = IDS("client.certificate_exception"), .unseen = NOT_LOOKED, .unseen_speaks = true, .finding = exception},
    {.name = "certificate-expiry", .scope = MM_SCOPE_LOGIN, .units = "logins", .login = mm_login_expiry},
    {.name = "sasl-mechanism", .scope = MM_SCOPE_ACCOUNT, .units = "accounts and logins", .looks_at = IDS(SECURITY, "incoming.auth", "outgoing.auth"), .finding = sasl, .login = mm_login_sasl},
    {.name = "password-in-clear", .scope = MM_SCOPE_ACCOUNT, .units = "accounts", .looks_at = IDS("client.password"), .unseen = NOT_LOOKED, .finding = password},
    {.name = "file-mode", .scope = MM_SCOPE_CLIENT, .units = "mail programs", .looks_at = IDS("file.mode", "file.owner"), .unseen = NOT_LOOKED, .finding = file_access},
    {.name = "approved-servers", .scope = MM_SCOPE_ACCOUNT, .units = "accounts", .looks_at = IDS("incoming.host", "outgoing.host"), .finding = approved_servers},
    {.name = "unmanaged-account", .scope = MM_SCOPE_ACCOUNT, .units = "accounts", .looks_at = IDS("*", "client.unmanaged_account"), .finding = unmanaged},
    {.name = "settings-as-desired", .scope = MM_SCOPE_ACCOUNT, .units = "accounts", .looks_at = IDS("*"), .finding = as_desired},
    {.name = "login-proven", .scope = MM_SCOPE_LOGIN, .units = "logins", .login = mm_login_proven},
    {.name = "inventory", .scope = MM_SCOPE_HOST, .units = "workstations", .host = mm_host_inventory},
    {.name = "policy-current", .scope = MM_SCOPE_HOST, .units = "workstations", .host = mm_host_policy},
    {.name = "generations-kept", .scope = MM_SCOPE_FLEET, .units = "", .fleet = mm_fleet_generations},
    {.name = "change-tested", .scope = MM_SCOPE_FLEET, .units = "", .fleet = mm_fleet_tested},
    {.name = "change-approved", .scope = MM_SCOPE_FLEET, .units = "", .fleet = mm_fleet_approved},
    {.name = "audit-record", .scope = MM_SCOPE_FLEET, .units = "", .fleet = mm_fleet_record},
    {.name = "monitoring-fresh", .scope = MM_SCOPE_FLEET, .units = "", .fleet = mm_fleet_fresh},
    {.name = "policy-integrity", .scope = MM_SCOPE_FLEET, .units = "", .fleet = mm_fleet_integrity},
};
/* clang-format on */
#define N_TESTS (sizeof(tests) / sizeof(tests[0]))
_Static_assert(N_TESTS <= MM_TESTS_MAX, "MM_TESTS_MAX");

const struct mm_test *mm_test_by_name(const char *name)
{
	for (size_t i = 0; i < N_TESTS; i++)
		if (mm_streq(tests[i].name, name))
			return &tests[i];
	return NULL;
}

void mm_test_names(const char **out)
{
	for (size_t i = 0; i < N_TESTS; i++)
		out[i] = tests[i].name;
	out[N_TESTS] = NULL;
}

const char *mm_check_unit(const struct mm_check *c)
{
	const struct mm_test *t = mm_test_by_name(c->test);
	return t != NULL ? t->units : "";
}
