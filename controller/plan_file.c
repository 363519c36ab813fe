#include "controller/plan_file.h"

#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "controller/push_print.h"
#include "schemas/wire.h"

static json_t *hosts_json(const struct mm_push_summary *s, json_t *missing)
{
	json_t *hosts = json_object();

	for (size_t i = 0; i < s->n; i++) {
		const struct mm_host_result *r = &s->hosts[i];
		json_t *o;

		if (r->outcome.cls != MM_PC_OK) {
			json_array_append_new(missing, json_string(r->target->host.id));
			continue;
		}
		o = json_object();
		mm_json_set_str(o, "expect", r->plan);
		mm_json_set_int(o, "changes", (int64_t)r->changes);
		json_object_set_new(hosts, r->target->host.id, o);
	}
	return hosts;
}

int mm_plan_file_write(
    const char *path, const struct mm_push_summary *s, const char *sha256, int64_t now, struct mm_err *err)
{
	struct mm_ctl_file o;
	json_t *plan = json_object(), *missing = json_array();
	bool ok;

	mm_json_set_int(plan, "format", MM_PLAN_FORMAT);
	mm_json_set_int(plan, "revision", s->revision);
	mm_json_set_str(plan, "sha256", sha256);
	mm_json_set_int(plan, "made", now);
	mm_json_set(plan, "reach", mm_push_reach_json(s));
	mm_json_set(plan, "hosts", hosts_json(s, missing));
	mm_json_set_bool(plan, "complete", json_array_size(missing) == 0);
	mm_json_set(plan, "missing", missing);
	mm_json_set(plan, "changes", mm_push_changes_json(s));
	if (mm_ctl_create(&o, path, 0600, err) != 0) {
		json_decref(plan);
		return -1;
	}
	ok = json_dumpf(plan, o.f, JSON_INDENT(1)) == 0 && fputc('\n', o.f) != EOF;
	json_decref(plan);
	if (!ok)
		mm_err_sys(err, MM_EX_FAILED, "cannot write %s", path);
	return mm_ctl_finish(&o, ok, err);
}

/* ---- reading */

static int read_hosts(const json_t *o, struct mm_arena *a, struct mm_plan_file *p, struct mm_err *err)
{
	const json_t *hosts;
	const char **names, *host, *expect;
	json_t *v, *by_host = json_object();

	p->by_host = by_host;
	if (mm_json_object(o, "hosts", false, &hosts, err) != 0)
		return -1;
	names = mm_arena_alloc(a, json_object_size(hosts) + 1, sizeof(*names));
	json_object_foreach(json_object_get(o, "hosts"), host, v)
	{
		if (!mm_is_login(host))
			return mm_err_set(err, MM_EX_DATAERR, "\"hosts\": \"%.80s\" is no host", host);
		if (mm_json_str(v, "expect", MM_SHA256_HEX, &expect, err) != 0)
			return mm_err_prefix(err, "\"hosts\": %s", host);
		if (!mm_wire_is_sha256(expect))
			return mm_err_set(
			    err, MM_EX_DATAERR, "\"hosts\": %s: \"expect\" is no SHA-256", host);
		json_object_set_new(by_host, host, json_string(expect));
		names[p->n_hosts++] = mm_arena_strdup(a, host);
	}
	p->hosts = names;
	return 0;
}

static int read_plan(const json_t *o, struct mm_arena *a, struct mm_plan_file *p, struct mm_err *err)
{
	int64_t format;
	const json_t *reach;
	const char *sha256;

	if (mm_json_int(o, "format", 1, INT64_MAX, &format, err) != 0)
		return -1;
	if (format != MM_PLAN_FORMAT)
		return mm_err_set(err, MM_EX_DATAERR, "a plan of format %lld; this version knows %d",
		    (long long)format, MM_PLAN_FORMAT);
	if (mm_json_int(o, "revision", 1, INT64_MAX, &p->revision, err) != 0 ||
	    mm_json_str(o, "sha256", MM_SHA256_HEX, &sha256, err) != 0 ||
	    mm_json_int(o, "made", 0, INT64_MAX, &p->made, err) != 0 ||
	    mm_json_bool_opt(o, "complete", false, &p->complete, err) != 0 ||
	    mm_json_object(o, "reach", false, &reach, err) != 0 ||
	    mm_json_int(reach, "removals", 0, INT64_MAX, &p->removals, err) != 0)
		return -1;
	p->sha256 = mm_arena_strdup(a, sha256);
	return read_hosts(o, a, p, err);
}

int mm_plan_file_read(const char *path, struct mm_arena *a, struct mm_plan_file *out, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(MM_PLAN_FILE_MAX);
	json_t *o = NULL;
	int rc = -1;

	*out = (struct mm_plan_file){.revision = 0};
	if (mm_ctl_read(path, MM_PLAN_FILE_MAX, &text, err) == 0)
		o = mm_json_load(path, mm_buf_str(&text), text.len, err);
	if (o != NULL)
		mm_sha256_hex(mm_buf_str(&text), text.len, out->file_sha256);
	if (o != NULL)
		rc = read_plan(o, a, out, err) == 0 ? 0 : mm_err_prefix(err, "%s: not a plan", path);
	json_decref(o);
	mm_buf_free(&text);
	return rc;
}

void mm_plan_file_free(struct mm_plan_file *p)
{
	json_decref(p->by_host);
	p->by_host = NULL;
}

const char *mm_plan_file_of(const void *plan, const char *host)
{
	return json_string_value(json_object_get(((const struct mm_plan_file *)plan)->by_host, host));
}
