#include "controller/report/json_rows.h"

#include "common/json.h"
#include "common/json_text.h"
#include "common/text.h"

void mm_row_set_time(json_t *o, const char *key, int64_t t)
{
	char buf[MM_TIME_MAX];
	if (t > 0)
		mm_json_set_str(o, key, mm_time_utc(t, buf));
	else
		mm_json_set(o, key, json_null());
}

void mm_row_set_text(json_t *o, const char *key, const char *s)
{
	if (s != NULL)
		mm_json_set_str(o, key, s);
	else
		mm_json_set(o, key, json_null());
}

static json_t *remark_json(const struct mm_remark_row *r)
{
	json_t *o = json_object();
	mm_json_set_str(o, "protocol", r->protocol);
	mm_json_set_str(o, "server", r->server);
	mm_json_set_int(o, "port", r->port);
	mm_json_set_str(o, "class", r->cls);
	mm_json_set_str(o, "admin", r->admin);
	mm_json_set_int(o, "users", r->users);
	mm_json_set_int(o, "hosts", r->hosts);
	mm_row_set_time(o, "seen", r->seen);
	mm_json_set_bool(o, "stale", r->stale);
	return o;
}

json_t *mm_waiver_json(const struct mm_waiver *w)
{
	json_t *o = json_object();
	mm_json_set_int(o, "id", w->id);
	mm_json_set_str(o, "host", w->host);
	mm_json_set_str(o, "user", w->user);
	mm_json_set_str(o, "group", w->group);
	mm_json_set_str(o, "client", w->client);
	mm_json_set_str(o, "account", w->account);
	mm_json_set_str(o, "check", w->check);
	mm_json_set_str(o, "reason", w->reason);
	mm_json_set_str(o, "owner", w->owner);
	mm_json_set_str(o, "added_by", w->added_by);
	mm_row_set_time(o, "added", w->added);
	mm_row_set_time(o, "until", w->until);
	mm_row_set_time(o, "removed", w->removed);
	return o;
}

void mm_row_text(struct mm_buf *b, enum mm_section sec, union mm_report_row row)
{
	switch (sec) {
	case MM_SEC_PLACES:
		mm_place_text(b, row.place);
		break;
	case MM_SEC_DIFFERENCES:
	case MM_SEC_ALL_FINDINGS:
		mm_finding_text(b, row.finding);
		break;
	case MM_SEC_LOGINS:
	case MM_SEC_ALL_LOGINS:
		mm_login_text(b, row.login);
		break;
	case MM_SEC_REMARKS:
		mm_json_put(b, NULL, remark_json(row.remark));
		break;
	case MM_SEC_WAIVERS:
		mm_json_put(b, NULL, mm_waiver_json(row.waiver));
		break;
	case MM_SEC_HOSTS:
		mm_host_text(b, row.host);
		break;
	case MM_SEC_CHECKS:
		mm_json_put(b, NULL, mm_check_json(row.sum));
		break;
	case MM_SEC_RESULTS:
	case MM_SEC_ALL_RESULTS:
		mm_check_result_text(b, row.result);
		break;
	case MM_SEC_CHECK_CHANGES:
		mm_json_put(b, NULL, mm_check_change_json(row.check_change));
		break;
	case MM_SEC_CHANGES:
		mm_change_text(b, row.change);
		break;
	case MM_SEC_CERTS:
	case MM_SEC_SAMPLES:
	case MM_SEC_COUNT:
		mm_json_put_null(b, NULL);
		break;
	}
}

void mm_row_print(FILE *f, enum mm_section sec, union mm_report_row row, int64_t n)
{
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	mm_row_text(&b, sec, row);
	fputs(n > 0 ? ",\n" : "\n", f);
	fputs(mm_buf_str(&b), f);
	mm_buf_free(&b);
}

const char *mm_section_key(enum mm_section sec)
{
	static const char *const key[MM_SEC_COUNT] = {
	    [MM_SEC_PLACES] = "places",
	    [MM_SEC_DIFFERENCES] = "differences",
	    [MM_SEC_LOGINS] = "logins_not_passed",
	    [MM_SEC_REMARKS] = "remarks",
	    [MM_SEC_WAIVERS] = "waivers",
	    [MM_SEC_HOSTS] = "hosts",
	    [MM_SEC_ALL_FINDINGS] = "findings",
	    [MM_SEC_ALL_LOGINS] = "logins",
	    [MM_SEC_CHECKS] = "checks",
	    [MM_SEC_RESULTS] = "not_compliant",
	    [MM_SEC_ALL_RESULTS] = "results",
	    [MM_SEC_CHECK_CHANGES] = "changes_by_check",
	    [MM_SEC_CHANGES] = "changes",
	};
	return key[sec];
}
