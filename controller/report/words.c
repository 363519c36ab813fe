#include "controller/report/report.h"

#include <inttypes.h>

#include "common/text.h"

const char *mm_section_title(enum mm_section s)
{
	static const char *const title[MM_SEC_COUNT] = {
	    [MM_SEC_PLACES] = "Who has the settings of the policy, and can log in",
	    [MM_SEC_DIFFERENCES] = "What differs",
	    [MM_SEC_LOGINS] = "Who cannot log in, and why",
	    [MM_SEC_REMARKS] = "What needs attention on the servers",
	    [MM_SEC_WAIVERS] = "What was waived, and until when",
	    [MM_SEC_HOSTS] = "Workstations",
	    [MM_SEC_CERTS] = "Certificates",
	    [MM_SEC_SAMPLES] = "Over time",
	    [MM_SEC_ALL_FINDINGS] = "Settings",
	    [MM_SEC_ALL_LOGINS] = "Logins",
	    [MM_SEC_CHECKS] = "Checks",
	    [MM_SEC_RESULTS] = "What is not compliant",
	    [MM_SEC_ALL_RESULTS] = "Results",
	    [MM_SEC_CHECK_CHANGES] = "What changed, by check",
	    [MM_SEC_CHANGES] = "What changed",
	};
	return title[s];
}

const char *mm_age(int64_t now, int64_t then, char *buf)
{
	if (then == 0)
		return "never";
	char d[MM_TIME_MAX];
	int n = snprintf(buf, MM_TIME_MAX, "%s ago", mm_duration(now > then ? now - then : 0, d));
	return n > 0 && n < MM_TIME_MAX ? buf : "long ago";
}

static const char *what(const struct mm_finding *f)
{
	enum mm_setting s = mm_setting_by_id(f->setting);
	return s != MM_SET_NONE ? mm_setting_def(s)->label : f->setting;
}

void mm_finding_sentence(const struct mm_finding_row *r, struct mm_buf *out)
{
	const struct mm_finding *f = &r->f;
	mm_buf_addf(out, "%s: ", f->client);
	if (f->setting[0] != '\0') {
		mm_buf_addf(out, "%s is %s", what(f), f->found != NULL ? f->found : "not set");
		if (f->desired != NULL && !mm_streq(f->desired, f->found))
			mm_buf_addf(out, ", should be %s", f->desired);
		mm_buf_addf(out, " (%s)", mm_state_name(f->state));
	} else {
		mm_buf_addf(
		    out, "%s%s%s", f->account, f->account[0] != '\0' ? " " : "", mm_state_name(f->state));
	}
	if (f->reason[0] != '\0')
		mm_buf_addf(out, ": %s", f->reason);
}

const char *mm_login_held(const struct mm_login *l)
{
	if (l->any)
		return mm_level_name(l->reached);
	/* whatever was tried has a ladder, and be it of one rung */
	if (l->ladder.n_steps == 0)
		return l->result == MM_LOGIN_FAILED ? "not looked at again" : "not looked at";
	return "nothing";
}

void mm_login_sentence(const struct mm_login_row *r, struct mm_buf *out)
{
	const struct mm_login *l = &r->l;
	mm_buf_addf(out, "%s login to %s:%d %s", l->protocol, l->host, l->port, mm_result_name(l->result));
	if (l->text[0] != '\0')
		mm_buf_addf(out, ": %s", l->text);
}

void mm_waiver_sentence(const struct mm_waiver_of *w, struct mm_buf *out)
{
	char until[MM_TIME_MAX];
	if (w->id == 0)
		return;
	mm_buf_addf(out, "%swaiver %" PRId64 " of %s %s %s", out->len > 0 ? "; " : "", w->id, w->owner,
	    w->expired ? "EXPIRED on" : "until", mm_time_utc(w->until, until));
	mm_buf_addf(out, ": %s", w->reason);
}

void mm_waiver_scope(const struct mm_waiver *w, struct mm_buf *out)
{
	const struct {
		const char *what, *value;
	} part[] = {{"user", w->user}, {"group", w->group}, {"host", w->host}, {"client", w->client},
	    {"account", w->account}, {"check", w->check}};
	const char *comma = "";
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		if (part[i].value[0] == '\0')
			continue;
		mm_buf_addf(out, "%s%s %s", comma, part[i].what, part[i].value);
		comma = ", ";
	}
}
