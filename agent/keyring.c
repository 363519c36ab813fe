#include "agent/keyring.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/json.h"
#include "common/text.h"

#define FILE_MAX (MM_KEYS_MAX * MM_ROTATIONS_MAX * MM_STATEMENT_MAX)

struct mm_keyring {
	struct mm_arena *a;
	struct mm_key *keys[MM_KEYS_MAX];
	size_t n_keys;
	struct mm_rotation *taken; /* each leads on from a key of agent.conf, in order */
	size_t n_taken, cap_taken;
	bool changed;
};

static struct mm_key *copy_of(const struct mm_key *k)
{
	unsigned char raw[MM_KEY_RAW];
	struct mm_key *copy = NULL;
	mm_key_public_raw(k, raw);
	if (mm_key_from_public_raw(raw, &copy, NULL) != 0)
		mm_oom();
	return copy;
}

struct mm_keyring *mm_keyring_new(const struct mm_conf *c)
{
	struct mm_keyring *r = mm_xcalloc(1, sizeof(*r));
	r->a = mm_arena_new();
	for (; r->n_keys < c->n_keys; r->n_keys++)
		r->keys[r->n_keys] = copy_of(c->keys[r->n_keys]);
	return r;
}

void mm_keyring_free(struct mm_keyring *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n_keys; i++)
		mm_key_free(r->keys[i]);
	mm_arena_free(r->a);
	free(r);
}

size_t mm_keyring_count(const struct mm_keyring *r)
{
	return r->n_keys;
}

bool mm_keyring_changed(const struct mm_keyring *r)
{
	return r->changed;
}

bool mm_keyring_knows(const struct mm_keyring *r, const char *id)
{
	for (size_t i = 0; i < r->n_keys; i++)
		if (mm_streq(mm_key_id(r->keys[i]), id))
			return true;
	for (size_t i = 0; i < r->n_taken; i++)
		if (mm_streq(r->taken[i].former, id))
			return true;
	return false;
}

static void note(struct mm_keyring *r, const struct mm_rotation *x)
{
	*(struct mm_rotation *)mm_arena_push(r->a, &r->taken, &r->n_taken, &r->cap_taken, sizeof(*x)) = *x;
}

/* ---- what was taken before */

/* Of a key that agent.conf does not name any more: nothing. */
static int take_again(struct mm_keyring *r, const struct mm_rotation *x, struct mm_err *err)
{
	for (size_t i = 0; i < r->n_keys; i++) {
		struct mm_key *fresh;
		if (!mm_streq(mm_key_id(r->keys[i]), x->former))
			continue;
		if (mm_rotation_verify(x, r->keys[i], &fresh, err) != 0)
			return -1;
		mm_key_free(r->keys[i]);
		r->keys[i] = fresh;
		note(r, x);
		return 0;
	}
	return 0;
}

static int parse(struct mm_keyring *r, const char *text, struct mm_err *err)
{
	struct mm_rotation x;
	for (const char *s = text; *s != '\0';) {
		size_t n = strcspn(s, "\n");
		if (mm_rotation_decode(s, n, &x, err) != 0 || take_again(r, &x, err) != 0)
			return -1;
		s += n + (s[n] == '\n');
	}
	return 0;
}

static const char *path_of(const struct mm_conf *c, struct mm_arena *a)
{
	return mm_arena_printf(a, "%s/keys", c->state_dir);
}

int mm_keyring_load(const struct mm_conf *c, struct mm_keyring **out, struct mm_err *err)
{
	struct mm_keyring *r = mm_keyring_new(c);
	struct mm_buf text = MM_BUF_INIT(FILE_MAX);
	const char *path = path_of(c, r->a);
	int rc = 0;
	if (access(path, F_OK) == 0 || errno != ENOENT)
		rc = mm_file_read_own(path, FILE_MAX, true, &text, err);
	if (rc == 0 && parse(r, mm_buf_str(&text), err) != 0)
		rc = mm_err_prefix(err, "%s", path);
	mm_buf_free(&text);
	if (rc == 0)
		*out = r;
	else
		mm_keyring_free(r);
	return rc;
}

int mm_keyring_save(struct mm_keyring *r, const struct mm_conf *c, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(FILE_MAX);
	for (size_t i = 0; i < r->n_taken; i++) {
		json_t *o = mm_rotation_json(&r->taken[i]);
		mm_json_dump(o, &text);
		json_decref(o);
		mm_buf_addc(&text, '\n');
	}
	int rc = mm_buf_ok(&text) ? mm_write_own(path_of(c, r->a), mm_buf_str(&text), text.len, 0600, err)
				  : mm_err_set(err, MM_EX_FAILED, "too many rotations of keys to keep");
	mm_buf_free(&text);
	if (rc == 0)
		r->changed = false;
	return rc;
}

/* ---- what comes now */

static const struct mm_rotation *leading_on(const struct mm_envelope_raw *raw, const char *id)
{
	for (size_t i = 0; i < raw->n_rotations; i++)
		if (mm_streq(raw->rotations[i].former, id))
			return &raw->rotations[i];
	return NULL;
}

/* From one key of the ring to the one that has signed the envelope. The way is
 * as long as the list at most: it may lead round in a circle. */
static int follow(struct mm_keyring *r, size_t slot, const struct mm_envelope_raw *raw, const char *type,
    char keyid[MM_SHA256_HEX])
{
	const struct mm_rotation *way[MM_ROTATIONS_MAX];
	struct mm_key *at = copy_of(r->keys[slot]), *next;
	for (size_t n = 0; n < raw->n_rotations; at = next) {
		way[n] = leading_on(raw, mm_key_id(at));
		if (way[n] == NULL || mm_rotation_verify(way[n], at, &next, NULL) != 0)
			break;
		mm_key_free(at);
		n++;
		if (mm_envelope_verify(raw, type, &next, 1, keyid, NULL) != 0)
			continue;
		for (size_t i = 0; i < n; i++)
			note(r, way[i]);
		mm_key_free(r->keys[slot]);
		r->keys[slot] = next;
		r->changed = true;
		return 0;
	}
	mm_key_free(at);
	return -1;
}

/* A request by a key that was replaced here deserves to be called that. */
static const struct mm_rotation *by_former(const struct mm_keyring *r, const struct mm_envelope_raw *raw)
{
	for (size_t i = 0; i < raw->n; i++)
		for (size_t k = 0; k < r->n_taken; k++)
			if (mm_streq(raw->sigs[i].keyid, r->taken[k].former))
				return &r->taken[k];
	return NULL;
}

int mm_keyring_verify(struct mm_keyring *r, const struct mm_envelope_raw *raw, const char *type,
    char keyid[MM_SHA256_HEX], struct mm_err *err)
{
	char when[MM_TIME_MAX];
	if (mm_envelope_verify(raw, type, r->keys, r->n_keys, keyid, err) == 0)
		return 0;
	for (size_t i = 0; i < r->n_keys; i++)
		if (follow(r, i, raw, type, keyid) == 0)
			return 0;
	const struct mm_rotation *x = by_former(r, raw);
	if (x != NULL)
		return mm_err_set(err, MM_EX_NOPERM,
		    "envelope: signed by key %.16s..., which was replaced by %.16s... at %s", x->former,
		    x->key, mm_time_utc(x->time, when));
	return -1;
}
