#include "schemas/request.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/text.h"
#include "schemas/proto.h"
#include "schemas/seal.h"
#include "schemas/settings.h"
#include "schemas/wire.h"

#define OP_ARG_MAX 1024

static const char *const op_names[MM_OP_COUNT] = {
    [MM_OP_APPLY] = "apply",
    [MM_OP_PLAN] = "plan",
    [MM_OP_STATUS] = "status",
    [MM_OP_PREFLIGHT] = "preflight",
    [MM_OP_VERIFY] = "verify",
    [MM_OP_RESTORE] = "restore",
    [MM_OP_DISCOVER] = "discover",
};

static const char *const members[] = {"proto", "op", "id", "host", "epoch", "serial", "revision", "issued",
    "expires", "manifest", "ack", "op_args", "system", "expect", "checkpoint", NULL};

const char *mm_op_name(enum mm_op op)
{
	assert(op < MM_OP_COUNT);
	return op_names[op];
}

int mm_op_by_name(const char *s)
{
	for (int i = 0; s != NULL && i < MM_OP_COUNT; i++) {
		if (strcmp(op_names[i], s) == 0)
			return i;
	}
	return -1;
}

int mm_restore_generation(const char *arg, int64_t *number)
{
	size_t n = strlen(MM_RESTORE_GENERATION);
	return strncmp(arg, MM_RESTORE_GENERATION, n) == 0 ? mm_parse_int(arg + n, 1, MM_WIRE_INT_MAX, number)
							   : -1;
}

void mm_request_encode(const struct mm_request *r, struct mm_buf *out)
{
	json_t *o = json_object();
	int minor = r->checkpoint != NULL ? 2 : r->hostwide != NULL ? 1 : 0;
	mm_wire_put_proto(o, r->major, r->minor < minor ? minor : r->minor);
	mm_json_set_str(o, "op", mm_op_name(r->op));
	mm_json_set_str(o, "id", r->id);
	mm_json_set_str(o, "host", r->host);
	mm_json_set_int(o, "epoch", r->epoch);
	mm_json_set_int(o, "serial", r->serial);
	mm_json_set_int(o, "revision", r->revision);
	mm_json_set_int(o, "issued", r->issued);
	mm_json_set_int(o, "expires", r->expires);
	json_t *manifest = json_object();
	for (size_t i = 0; i < r->n_manifest; i++)
		mm_json_set_str(manifest, r->manifest[i].user, r->manifest[i].sha256);
	mm_json_set(o, "manifest", manifest);
	mm_wire_put_strings(o, "ack", r->ack, r->n_ack, MM_ID_LEN);
	if (r->n_op_args > 0)
		mm_wire_put_strings(o, "op_args", r->op_args, r->n_op_args, OP_ARG_MAX);
	mm_json_set_str(o, "expect", r->expect);
	if (r->hostwide != NULL)
		mm_json_set(o, "system", mm_sheet_json(r->hostwide));
	if (r->checkpoint != NULL)
		mm_json_set(o, "checkpoint", mm_checkpoint_json(r->checkpoint));
	mm_wire_finish(o, out);
}

static int read_op(const json_t *o, enum mm_op *op, struct mm_err *err)
{
	const char *word;
	if (mm_json_str(o, "op", 64, &word, err) != 0)
		return -1;
	int v = mm_op_by_name(word);
	if (v < 0)
		return mm_err_set(err, MM_EX_USAGE, "unknown op \"%s\"", word);
	*op = (enum mm_op)v;
	return 0;
}

static int read_numbers(const json_t *o, struct mm_request *r, struct mm_err *err)
{
	if (mm_json_int(o, "epoch", 0, MM_WIRE_INT_MAX, &r->epoch, err) != 0 ||
	    mm_json_int(o, "serial", 0, MM_WIRE_INT_MAX, &r->serial, err) != 0 ||
	    mm_json_int(o, "revision", 0, MM_WIRE_INT_MAX, &r->revision, err) != 0 ||
	    mm_json_int(o, "issued", 0, MM_WIRE_INT_MAX, &r->issued, err) != 0 ||
	    mm_json_int(o, "expires", 0, MM_WIRE_INT_MAX, &r->expires, err) != 0)
		return -1;
	if (r->expires < r->issued)
		return mm_err_set(err, MM_EX_DATAERR, "\"expires\": before \"issued\"");
	return 0;
}

static int read_manifest(const json_t *o, struct mm_arena *a, struct mm_request *r, struct mm_err *err)
{
	const json_t *map;
	if (mm_json_object(o, "manifest", false, &map, err) != 0)
		return -1;
	size_t count = json_object_size(map), i = 0;
	if (count > MM_MANIFEST_MAX)
		return mm_err_set(err, MM_EX_DATAERR, "\"manifest\": more than %d users", MM_MANIFEST_MAX);
	struct mm_manifest_entry *entries = mm_arena_alloc(a, count + 1, sizeof(*entries));
	const char *user;
	json_t *value;
	json_object_foreach(json_object_get(o, "manifest"), user, value)
	{
		const char *hash = json_string_value(value);
		if (!mm_is_login(user))
			return mm_err_set(
			    err, MM_EX_DATAERR, "\"manifest\": malformed login \"%.80s\"", user);
		if (!mm_wire_is_sha256(hash))
			return mm_err_set(err, MM_EX_DATAERR, "\"manifest\": %s: not a SHA-256 in hex", user);
		entries[i].user = mm_arena_strdup(a, user);
		memcpy(entries[i].sha256, hash, MM_SHA256_HEX);
		i++;
	}
	r->manifest = entries;
	r->n_manifest = count;
	return 0;
}

static int read_system(const json_t *o, struct mm_arena *a, struct mm_request *r, struct mm_err *err)
{
	const json_t *o_sheet = json_object_get(o, "system");
	struct mm_sheet *sheet = mm_arena_alloc(a, 1, sizeof(*sheet));
	if (o_sheet == NULL)
		return 0;
	if (mm_sheet_from_json(o_sheet, a, sheet, err) != 0)
		return mm_err_prefix(err, "\"system\"");
	if (!mm_sheet_is_system(sheet))
		return mm_err_set(err, MM_EX_DATAERR, "\"system\": a sheet of the user %s", sheet->user);
	r->hostwide = sheet;
	return 0;
}

static int read_checkpoint(const json_t *o, struct mm_arena *a, struct mm_request *r, struct mm_err *err)
{
	const json_t *point;
	struct mm_checkpoint *c;
	if (mm_json_object(o, "checkpoint", true, &point, err) != 0)
		return -1;
	if (point == NULL)
		return 0;
	c = mm_arena_alloc(a, 1, sizeof(*c));
	r->checkpoint = c;
	return mm_checkpoint_read(point, c, err);
}

static int read_members(const json_t *o, struct mm_arena *a, struct mm_request *r, struct mm_err *err)
{
	if (mm_wire_proto(o, &r->major, &r->minor, err) != 0 ||
	    mm_wire_known(o, r->major, r->minor, members, err) != 0 || read_op(o, &r->op, err) != 0 ||
	    mm_wire_form_str(o, "id", mm_wire_is_id, false, a, &r->id, err) != 0 ||
	    mm_wire_form_str(o, "host", mm_is_login, false, a, &r->host, err) != 0 ||
	    read_numbers(o, r, err) != 0 || read_manifest(o, a, r, err) != 0)
		return -1;
	if (mm_wire_strings(o, "ack", MM_ACK_MAX, MM_ID_LEN, mm_wire_is_id, a, &r->ack, &r->n_ack, err) != 0)
		return -1;
	if (mm_wire_form_str(o, "expect", mm_wire_is_sha256, true, a, &r->expect, err) != 0)
		return -1;
	if (mm_wire_strings(
		o, "op_args", MM_OP_ARGS_MAX, OP_ARG_MAX, NULL, a, &r->op_args, &r->n_op_args, err) != 0)
		return -1;
	return read_checkpoint(o, a, r, err) == 0 ? read_system(o, a, r, err) : -1;
}

int mm_request_decode(
    const char *json, size_t n, struct mm_arena *a, struct mm_request *out, struct mm_err *err)
{
	json_t *o = mm_wire_load("request", json, n, err);
	if (o == NULL)
		return -1;
	struct mm_request r = {.major = 0};
	int rc = read_members(o, a, &r, err);
	if (rc == 0)
		*out = r;
	else
		mm_err_prefix(err, "request");
	json_decref(o);
	return rc;
}
