#include "controller/query.h"

#include <string.h>

#include "common/text.h"

#define STAMP (sizeof("2026-11-23T10:00:00") - 1)

/* "+01:00" behind a stamp, in seconds. */
static int offset_of(const char *s, int64_t *out)
{
	char hours[3] = "", minutes[3] = "";
	int64_t h, m;

	if ((*s != '+' && *s != '-') || strlen(s) != 6 || s[3] != ':')
		return -1;
	memcpy(hours, s + 1, 2);
	memcpy(minutes, s + 4, 2);
	if (mm_parse_int(hours, 0, 23, &h) || mm_parse_int(minutes, 0, 59, &m))
		return -1;
	*out = (*s == '-' ? -1 : 1) * (h * 3600 + m * 60);
	return 0;
}

static int with_offset(const char *text, int64_t *out)
{
	char stamp[STAMP + 2];
	int64_t offset, local;

	if (strlen(text) != STAMP + 6 || offset_of(text + STAMP, &offset))
		return -1;
	memcpy(stamp, text, STAMP);
	memcpy(stamp + STAMP, "Z", 2);
	if (mm_time_parse(stamp, &local))
		return -1;
	*out = local - offset;
	return 0;
}

static int read_time(const char *text, const char *day, int64_t now, int64_t *out, struct mm_err *err)
{
	int64_t t;

	if (mm_time_parse(text, &t) && with_offset(text, &t))
		return mm_err_set(err, MM_EX_USAGE,
		    "'%s' is no date: write 2026-11-23 (the %s of that day, UTC) or 2026-11-23T10:00:00Z",
		    text, day);
	if (!strchr(text, 'T')) {
		t += 86399;
		if (t > now && t - 86399 <= now)
			t = now;
	}
	if (t > now)
		return mm_err_set(err, MM_EX_USAGE, "%s is in the future", text);
	if (t < 1)
		return mm_err_set(err, MM_EX_USAGE, "%s is before there was anything", text);
	*out = t;
	return 0;
}

int mm_query_time(const char *text, int64_t now, int64_t *out, struct mm_err *err)
{
	return read_time(text, "end", now, out, err);
}

int mm_query_since(const char *text, int64_t now, int64_t *out, struct mm_err *err)
{
	if (read_time(text, "beginning", now, out, err))
		return -1;
	return strchr(text, 'T') ? 0 : mm_time_parse(text, out);
}

int mm_query_open(struct mm_ctl *c, struct mm_query *q, const struct mm_opt *opts, const char *name,
    const char *about, int argc, char **argv, bool *go)
{
	struct mm_err err = MM_ERR_NONE;
	char usage[128];
	*go = false;
	snprintf(usage, sizeof(usage), "mailmuster %s [options]", name);
	if (mm_cli_parse(opts, &argc, argv, &err) < 0)
		return mm_ctl_fail(name, &err);
	if (q->help) {
		mm_cli_help(usage, about, opts);
		return MM_EX_OK;
	}
	if (argc > 0)
		return mm_ctl_usage(name, "takes no operands, only options");
	q->f.stale_after = q->stale_days * 86400;
	if (mm_ctl_open(c, &err) < 0)
		return mm_ctl_fail(name, &err);
	if (q->as_of && mm_query_time(q->as_of, mm_store_now(c->store), &q->f.at, &err) < 0)
		return mm_ctl_fail(name, &err);
	if (mm_query_names(c->store, &q->f, &err) < 0)
		return mm_ctl_fail(name, &err);
	*go = true;
	return MM_EX_OK;
}
