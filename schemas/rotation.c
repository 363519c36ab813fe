#include "schemas/rotation.h"

#include <string.h>

#include "common/text.h"
#include "schemas/wire.h"

#define BASE64_MAX 128

void mm_rotation_statement(const struct mm_rotation *r, struct mm_buf *out)
{
	mm_buf_addf(out, "mailmuster-key-1\nfleet %s\nepoch %lld\ntime %lld\nformer %s\nkey %s\n", r->fleet,
	    (long long)r->epoch, (long long)r->time, r->former, r->key);
}

int mm_rotation_sign(
    struct mm_rotation *r, const struct mm_key *former, const struct mm_key *fresh, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(MM_STATEMENT_MAX);
	memcpy(r->former, mm_key_id(former), sizeof(r->former));
	memcpy(r->key, mm_key_id(fresh), sizeof(r->key));
	mm_key_public_raw(fresh, r->public);
	mm_rotation_statement(r, &text);
	int rc = mm_sign(former, mm_buf_str(&text), text.len, r->sig, err);
	if (rc == 0)
		rc = mm_sign(fresh, mm_buf_str(&text), text.len, r->proof, err);
	mm_buf_free(&text);
	return rc;
}

int mm_rotation_verify(
    const struct mm_rotation *r, const struct mm_key *former, struct mm_key **fresh, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(MM_STATEMENT_MAX);
	struct mm_key *k = NULL;
	if (!mm_streq(r->former, mm_key_id(former)))
		return mm_err_set(err, MM_EX_NOPERM, "rotation: signed by another key, %.16s...", r->former);
	if (mm_key_from_public_raw(r->public, &k, err) != 0)
		return -1;
	mm_rotation_statement(r, &text);
	int rc = mm_streq(mm_key_id(k), r->key)
		     ? mm_verify(former, mm_buf_str(&text), text.len, r->sig, err)
		     : mm_err_set(err, MM_EX_NOPERM, "the new key is another than the one it is said to be");
	if (rc == 0)
		rc = mm_verify(k, mm_buf_str(&text), text.len, r->proof, err);
	mm_buf_free(&text);
	if (rc == 0)
		*fresh = k;
	else
		mm_key_free(k);
	return rc == 0 ? 0 : mm_err_prefix(err, "rotation to key %.16s...", r->key);
}

/* ---- JSON */

static void put_bytes(json_t *o, const char *name, const unsigned char *p, size_t n)
{
	struct mm_buf b = MM_BUF_INIT(BASE64_MAX);
	mm_base64(p, n, &b);
	mm_json_set_str(o, name, mm_buf_str(&b));
	mm_buf_free(&b);
}

json_t *mm_rotation_json(const struct mm_rotation *r)
{
	json_t *o = json_object();
	mm_json_set_str(o, "fleet", r->fleet);
	mm_json_set_int(o, "epoch", r->epoch);
	mm_json_set_int(o, "time", r->time);
	mm_json_set_str(o, "former", r->former);
	mm_json_set_str(o, "key", r->key);
	put_bytes(o, "public", r->public, sizeof(r->public));
	put_bytes(o, "sig", r->sig, sizeof(r->sig));
	put_bytes(o, "proof", r->proof, sizeof(r->proof));
	return o;
}

static int read_bytes(const json_t *o, const char *name, unsigned char *out, size_t n, struct mm_err *err)
{
	const char *s;
	struct mm_buf b = MM_BUF_INIT(BASE64_MAX);
	if (mm_json_str(o, name, BASE64_MAX, &s, err) != 0)
		return -1;
	bool good = mm_unbase64(s, strlen(s), &b) == 0 && b.len == n;
	if (good)
		memcpy(out, b.data, n);
	mm_buf_free(&b);
	return good ? 0 : mm_err_set(err, MM_EX_DATAERR, "\"%s\": not %zu bytes in base64", name, n);
}

static int read_form(
    const json_t *o, const char *name, mm_wire_form *form, char *out, size_t size, struct mm_err *err)
{
	const char *s;
	if (mm_json_str(o, name, size, &s, err) != 0)
		return -1;
	if (!form(s))
		return mm_err_set(err, MM_EX_DATAERR, "\"%s\": malformed", name);
	memcpy(out, s, strlen(s) + 1);
	return 0;
}

static int read_members(const json_t *o, struct mm_rotation *r, struct mm_err *err)
{
	if (!json_is_object(o))
		return mm_err_set(err, MM_EX_DATAERR, "not an object");
	if (read_form(o, "fleet", mm_wire_is_id, r->fleet, sizeof(r->fleet), err) != 0 ||
	    mm_json_int(o, "epoch", 2, MM_WIRE_INT_MAX, &r->epoch, err) != 0 ||
	    mm_json_int(o, "time", 0, MM_WIRE_INT_MAX, &r->time, err) != 0 ||
	    read_form(o, "former", mm_wire_is_sha256, r->former, sizeof(r->former), err) != 0 ||
	    read_form(o, "key", mm_wire_is_sha256, r->key, sizeof(r->key), err) != 0 ||
	    read_bytes(o, "public", r->public, sizeof(r->public), err) != 0 ||
	    read_bytes(o, "sig", r->sig, sizeof(r->sig), err) != 0 ||
	    read_bytes(o, "proof", r->proof, sizeof(r->proof), err) != 0)
		return -1;
	return 0;
}

int mm_rotation_read(const json_t *o, struct mm_rotation *out, struct mm_err *err)
{
	struct mm_rotation r;
	memset(&r, 0, sizeof(r)); /* it is handed on as bytes */
	if (read_members(o, &r, err) != 0)
		return mm_err_prefix(err, "rotation");
	*out = r;
	return 0;
}

int mm_rotation_decode(const char *json, size_t n, struct mm_rotation *out, struct mm_err *err)
{
	json_t *o = mm_wire_load("rotation", json, n, err);
	if (o == NULL)
		return -1;
	int rc = mm_rotation_read(o, out, err);
	json_decref(o);
	return rc;
}

bool mm_rotation_well_formed(const struct mm_rotation *r)
{
	return memchr(r->fleet, '\0', sizeof(r->fleet)) != NULL && mm_wire_is_id(r->fleet) &&
	       memchr(r->former, '\0', sizeof(r->former)) != NULL && mm_wire_is_sha256(r->former) &&
	       memchr(r->key, '\0', sizeof(r->key)) != NULL && mm_wire_is_sha256(r->key) && r->epoch >= 2 &&
	       r->epoch <= MM_WIRE_INT_MAX && r->time >= 0 && r->time <= MM_WIRE_INT_MAX;
}
