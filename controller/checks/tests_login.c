/* Tests of live logins: what was negotiated, seen and proven. */
#include <inttypes.h>
#include <string.h>

#include "common/text.h"
#include "controller/checks/tests.h"

#define DAY INT64_C(86400)

static bool has_tls(const struct mm_login *l)
{
	return l->tls.version != NULL;
}

static bool wants_none(const struct mm_login *l)
{
	return mm_streq(l->security, "none");
}

/* Nothing that a test could look at: no TLS was wanted, or none came about. */
static bool nothing_seen(const struct mm_login *l, struct mm_say *out)
{
	if (has_tls(l))
		return false;
	if (wants_none(l))
		mm_say(out, MM_OUT_NOT_APPLICABLE, "there is no TLS");
	else
		mm_sayf(out, MM_OUT_UNKNOWN, "no TLS session was seen%s%s", l->cls[0] != '\0' ? ": " : "",
		    l->cls);
	return true;
}

void mm_login_cleartext(const struct mm_look_login *l, struct mm_say *out)
{
	const struct mm_login *x = &l->row->l;
	if (wants_none(x)) {
		out->found = "none";
		mm_say(out, MM_OUT_FAILED, "the session is not encrypted");
	} else if (!nothing_seen(x, out)) {
		out->found = x->tls.version;
		mm_say(out, MM_OUT_COMPLIANT, "");
	}
}

void mm_login_cleartext_offered(const struct mm_look_login *l, struct mm_say *out)
{
	const struct mm_login *x = &l->row->l;
	out->wanted = "no";
	if (x->ladder.endpoint.cleartext_login == MM_NO) {
		out->found = "no";
		mm_say(out, MM_OUT_COMPLIANT, "");
	} else if (x->ladder.endpoint.cleartext_login == MM_YES) {
		out->found = "yes";
		mm_say(out, MM_OUT_FAILED, "the server offers a login before TLS");
	} else if (mm_streq(x->security, "tls") && has_tls(x)) {
		mm_say(out, MM_OUT_NOT_APPLICABLE, "TLS begins with the first byte");
	} else {
		mm_say(out, MM_OUT_UNKNOWN, "what the server offers before TLS was not seen");
	}
}

void mm_login_tls(const struct mm_look_login *l, struct mm_say *out)
{
	const struct mm_login *x = &l->row->l;
	if (nothing_seen(x, out))
		return;
	out->found = x->tls.version;
	if (mm_tls_number(x->tls.version) >= l->check->threshold)
		mm_say(out, MM_OUT_COMPLIANT, "");
	else
		mm_say(out, MM_OUT_FAILED, "the version of TLS that was negotiated is too old");
}

void mm_login_verified(const struct mm_look_login *l, struct mm_say *out)
{
	const struct mm_login *x = &l->row->l;
	bool about_cert = mm_starts_with(x->cls, "CERT_") || mm_streq(x->cls, "TLS_INTERCEPTED");
	if (x->result == MM_LOGIN_FAILED && about_cert) {
		out->found = x->cls;
		mm_say(out, MM_OUT_FAILED, x->admin[0] != '\0' ? x->admin : x->text);
	} else if (x->tls.name_match == MM_NO) {
		out->found = x->tls.san;
		mm_say(out, MM_OUT_FAILED, "the certificate is not of this host name");
	} else if (!nothing_seen(x, out)) {
		if (x->any && x->reached >= MM_LEVEL_TLS)
			mm_say(out, MM_OUT_COMPLIANT, "");
		else
			mm_say(out, MM_OUT_UNKNOWN, "the certificate was not verified");
	}
}

void mm_login_expiry(const struct mm_look_login *l, struct mm_say *out)
{
	const struct mm_login *x = &l->row->l;
	char d[MM_TIME_MAX], at[MM_TIME_MAX];
	int64_t left = x->tls.not_after - l->now;
	if (nothing_seen(x, out))
		return;
	if (x->tls.not_after == 0)
		mm_say(out, MM_OUT_UNKNOWN, "the server's certificate was not seen");
	else if (left <= 0)
		mm_sayf(
		    out, MM_OUT_FAILED, "the certificate expired on %s", mm_time_utc(x->tls.not_after, at));
	else if (left < l->check->threshold * DAY)
		mm_sayf(out, MM_OUT_FAILED, "the certificate expires on %s, in %s",
		    mm_time_utc(x->tls.not_after, at), mm_duration(left, d));
	else
		mm_say(out, MM_OUT_COMPLIANT, "");
}

void mm_login_sasl(const struct mm_look_login *l, struct mm_say *out)
{
	static const char *const hidden[] = {
	    "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "GSSAPI", "EXTERNAL", "APOP", NULL};
	const struct mm_login *x = &l->row->l;
	const char *m = x->ladder.endpoint.mechanism;
	bool secret_hidden = false;
	for (size_t i = 0; m != NULL && hidden[i] != NULL; i++)
		secret_hidden |= mm_streq_nocase(hidden[i], m);
	out->found = m;
	if (m == NULL)
		mm_say(out,
		    wants_none(x) && x->result == MM_LOGIN_PASSED ? MM_OUT_NOT_APPLICABLE : MM_OUT_UNKNOWN,
		    "no login was made");
	else if (has_tls(x) || secret_hidden)
		mm_say(out, MM_OUT_COMPLIANT, "");
	else
		mm_say(out, MM_OUT_FAILED, "the password or token travelled readable: there is no TLS");
}

void mm_login_proven(const struct mm_look_login *l, struct mm_say *out)
{
	const struct mm_login *x = &l->row->l;
	const char *why = x->admin[0] != '\0' ? x->admin : x->text;
	out->found = mm_result_name(x->result);
	switch (mm_login_verdict(x->result, x->cls).audit) {
	case MM_AUDIT_PASS:
		mm_say(out, MM_OUT_COMPLIANT, "");
		break;
	case MM_AUDIT_FAIL:
		mm_say(out, MM_OUT_FAILED, why);
		break;
	case MM_AUDIT_NOT_APPLICABLE:
		mm_say(out, MM_OUT_NOT_APPLICABLE, why);
		break;
	case MM_AUDIT_UNKNOWN:
	case MM_AUDIT_WAIVED:
	case MM_AUDIT_COUNT:
		mm_say(out, MM_OUT_UNKNOWN, why);
		break;
	}
}
