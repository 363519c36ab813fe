#include "controller/signkey.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/text.h"

#define LOCK "init.lock" /* init makes the first key under it */
#define LOCK_MS 10000
#define TRIES 3

/* ---- files */

static int sync_folder(struct mm_ctl *c, struct mm_err *err)
{
	char *path = mm_ctl_path(c, "keys");
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0 || fsync(fd))
		rc = mm_err_sys(err, MM_EX_FAILED, "%s", path);
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

/* Whoever was faster has done the same. */
static int take_name(struct mm_ctl *c, struct mm_err *err)
{
	char *next = mm_ctl_path(c, MM_SIGNKEY_NEXT), *path = mm_ctl_path(c, MM_SIGNKEY);
	int rc = 0;

	if (rename(next, path) && errno != ENOENT)
		rc = mm_err_sys(err, MM_EX_FAILED, "%s", path);
	free(next);
	free(path);
	return rc ? rc : sync_folder(c, err);
}

/* 0: it is there and is this key, 1: it is not. */
static int is_key(struct mm_ctl *c, const char *name, const char *id, struct mm_key **out, struct mm_err *err)
{
	char *path = mm_ctl_path(c, name);
	struct mm_key *k = NULL;
	int rc = mm_key_load_private(path, &k, err);

	if (!rc && !mm_streq(mm_key_id(k), id))
		rc = mm_err_set(err, MM_EX_NOPERM, "%s is %.16s, not the key in use, which is %.16s", path,
		    mm_key_id(k), id);
	free(path);
	if (rc)
		mm_key_free(k);
	else
		*out = k;
	return rc ? 1 : 0;
}

int mm_signkey_settle(struct mm_ctl *c, const char *id, struct mm_err *err)
{
	struct mm_key *k = NULL;

	if (is_key(c, MM_SIGNKEY_NEXT, id, &k, NULL))
		return 0;
	mm_key_free(k);
	return take_name(c, err);
}

/* ---- the key in use */

/* 1: sign.pem is not the key that the store knew a moment ago. */
static int load(struct mm_ctl *c, struct mm_key **out, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_store_key known;
	int rc = mm_store_key_current(c->store, a, &known, err);

	if (rc == 1)
		rc = mm_err_set(err, MM_EX_FAILED, "there is no signing key; run: mailmuster init");
	else if (rc == 0)
		rc = is_key(c, MM_SIGNKEY, known.id, out, err);
	if (rc == 1 && mm_signkey_settle(c, known.id, err))
		rc = -1;
	mm_arena_free(a);
	return rc;
}

int mm_signkey_load(struct mm_ctl *c, struct mm_key **out, struct mm_err *err)
{
	int rc = 1;

	/* A rotation may take place between the two looks. */
	for (int i = 0; i < TRIES && rc == 1; i++)
		rc = load(c, out, err);
	return rc ? -1 : 0;
}

/* ---- a new one */

/* What a rotation that was killed has left, and the store never heard of. */
static int sweep(struct mm_ctl *c, const char *id, struct mm_err *err)
{
	char *next = mm_ctl_path(c, MM_SIGNKEY_NEXT);
	int rc = mm_signkey_settle(c, id, err);

	if (!rc && unlink(next) && errno != ENOENT)
		rc = mm_err_sys(err, MM_EX_FAILED, "%s", next);
	free(next);
	return rc;
}

static int make(struct mm_ctl *c, struct mm_key **out, struct mm_err *err)
{
	char *next = mm_ctl_path(c, MM_SIGNKEY_NEXT);
	struct mm_key *k = NULL;
	int rc = mm_key_generate(&k, err);

	if (!rc)
		rc = mm_key_save_private(k, next, err);
	if (!rc)
		rc = sync_folder(c, err);
	free(next);
	if (rc)
		mm_key_free(k);
	else
		*out = k;
	return rc;
}

/* Nobody signs for it: what is stolen would not be believed. */
static int add_unsigned(
    struct mm_ctl *c, const struct mm_key *fresh, struct mm_signkey_rotated *r, struct mm_err *err)
{
	struct mm_buf pem = MM_BUF_INIT(4096);
	int rc = mm_key_public_pem(fresh, &pem, err);

	if (!rc)
		rc = mm_store_key_add(c->store, mm_key_id(fresh), mm_buf_str(&pem), &r->epoch, err);
	mm_buf_free(&pem);
	return rc;
}

static int add_signed(struct mm_ctl *c, const struct mm_key *former, const struct mm_key *fresh,
    struct mm_signkey_rotated *r, struct mm_err *err)
{
	struct mm_rotation x;
	int rc = mm_store_key_rotate(c->store, former, fresh, &x, err);

	if (!rc)
		r->epoch = x.epoch;
	return rc;
}

static int rotate(struct mm_ctl *c, bool compromised, struct mm_signkey_rotated *r, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_store_key known;
	struct mm_key *fresh = NULL, *here = NULL;
	int rc = mm_store_key_current(c->store, a, &known, err);

	if (rc == 1)
		rc = mm_err_set(err, MM_EX_FAILED, "there is no signing key; run: mailmuster init");
	if (!rc)
		rc = sweep(c, known.id, err);
	/* Before anything is made: a key that lies apart is rotated where it lies. */
	if (!rc && !compromised)
		rc = mm_signkey_load(c, &here, err);
	if (!rc)
		rc = make(c, &fresh, err);
	if (!rc) {
		snprintf(r->former, sizeof(r->former), "%s", known.id);
		snprintf(r->key, sizeof(r->key), "%s", mm_key_id(fresh));
		rc = compromised ? add_unsigned(c, fresh, r, err) : add_signed(c, here, fresh, r, err);
		/* If it failed, nobody knows whether the store has it: the next one sweeps. */
		rc = rc ? -1 : take_name(c, err);
	}
	mm_key_free(here);
	mm_key_free(fresh);
	mm_arena_free(a);
	return rc;
}

int mm_signkey_rotate(struct mm_ctl *c, bool compromised, struct mm_signkey_rotated *out, struct mm_err *err)
{
	struct mm_signkey_rotated r = {.epoch = 0};
	char *path = mm_ctl_path(c, LOCK);
	int lock = mm_lock_file(path, LOCK_MS, err), rc = lock < 0 ? -1 : rotate(c, compromised, &r, err);

	free(path);
	if (lock >= 0)
		close(lock);
	if (!rc)
		*out = r;
	return rc;
}
