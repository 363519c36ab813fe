#include "agent/held.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/frame.h"
#include "common/json.h"
#include "common/text.h"

#define STATE_MAX (64u * 1024u)
#define INT_TOP INT64_MAX
#define SYSTEM_NAME "+system" /* no login begins so */

static const char *file_of(const struct mm_conf *c, struct mm_arena *a, const char *name)
{
	return mm_arena_printf(a, "%s/%s", c->state_dir, name);
}

/* Folders that every user of the host must be able to pass through. */
static int make_dir(const struct mm_conf *c, const char *path, struct mm_err *err)
{
	mode_t mode = c->hostwide ? 0711 : 0700;
	struct stat st;
	if (mm_mkdirs(path, mode, err) != 0)
		return -1;
	if (stat(path, &st) != 0 || st.st_uid != geteuid())
		return mm_err_set(err, MM_EX_NOPERM, "%s belongs to another user", path);
	if ((st.st_mode & 07777) != mode && chmod(path, mode) != 0)
		return mm_err_sys(err, MM_EX_FAILED, "cannot set the mode of %s", path);
	return 0;
}

int mm_held_prepare(const struct mm_conf *c, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	int rc = make_dir(c, c->state_dir, err);
	if (rc == 0)
		rc = make_dir(c, file_of(c, a, "sheets"), err);
	mm_arena_free(a);
	return rc;
}

/* ---- JSON of the two structs */

static json_t *held_json(const struct mm_held *h)
{
	json_t *o = json_object();
	mm_json_set_str(o, "request_id", h->request_id);
	mm_json_set_int(o, "epoch", h->epoch);
	mm_json_set_int(o, "serial", h->serial);
	mm_json_set_int(o, "revision", h->revision);
	mm_json_set_int(o, "issued", h->issued);
	mm_json_set_int(o, "expires", h->expires);
	return o;
}

static int held_parse(const json_t *o, struct mm_arena *a, struct mm_held *h, struct mm_err *err)
{
	const char *id;
	if (mm_json_str_opt(o, "request_id", MM_ID_LEN, &id, err) != 0 ||
	    mm_json_int(o, "epoch", 0, INT_TOP, &h->epoch, err) != 0 ||
	    mm_json_int(o, "serial", 0, INT_TOP, &h->serial, err) != 0 ||
	    mm_json_int(o, "revision", 0, INT_TOP, &h->revision, err) != 0 ||
	    mm_json_int(o, "issued", 0, INT_TOP, &h->issued, err) != 0 ||
	    mm_json_int(o, "expires", 0, INT_TOP, &h->expires, err) != 0)
		return -1;
	h->request_id = mm_arena_strdup(a, id);
	return 0;
}

/* ---- held.json */

static int state_parse(const json_t *o, struct mm_arena *a, struct mm_held_state *s, struct mm_err *err)
{
	int64_t version;
	const char *digest, *key;
	const json_t *held;
	if (mm_json_int(o, "version", 1, 1, &version, err) != 0 ||
	    mm_json_int(o, "epoch", 0, INT_TOP, &s->last.epoch, err) != 0 ||
	    mm_json_int(o, "serial", 0, INT_TOP, &s->last.serial, err) != 0 ||
	    mm_json_str(o, "digest", MM_SHA256_HEX - 1, &digest, err) != 0 ||
	    mm_json_str_opt(o, "key", MM_SHA256_HEX - 1, &key, err) != 0 ||
	    mm_json_object(o, "held", true, &held, err) != 0)
		return -1;
	memcpy(s->last.digest, digest, strlen(digest) + 1);
	if (key != NULL)
		memcpy(s->last.key, key, strlen(key) + 1);
	return held != NULL ? held_parse(held, a, &s->held, err) : 0;
}

int mm_held_load(const struct mm_conf *c, struct mm_arena *a, struct mm_held_state *out, struct mm_err *err)
{
	const char *path = file_of(c, a, "held.json");
	struct mm_held_state s = {.held = {.request_id = NULL}};
	struct mm_buf text = MM_BUF_INIT(STATE_MAX);
	int rc = 0;
	if (access(path, F_OK) != 0 && errno == ENOENT) {
		*out = s;
		return 0;
	}
	/* What cannot be read must not count as "nothing seen yet": that would
	 * open the door to replays. */
	rc = mm_file_read_own(path, STATE_MAX, true, &text, err);
	json_t *o = rc == 0 ? mm_json_load(path, text.data, text.len, err) : NULL;
	if (o == NULL)
		rc = -1;
	else if (state_parse(o, a, &s, err) != 0)
		rc = mm_err_prefix(err, "%s", path);
	json_decref(o);
	mm_buf_free(&text);
	if (rc == 0)
		*out = s;
	return rc;
}

int mm_held_save(const struct mm_conf *c, const struct mm_held_state *s, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_buf text = MM_BUF_INIT(STATE_MAX);
	json_t *o = json_object();
	mm_json_set_int(o, "version", 1);
	mm_json_set_int(o, "epoch", s->last.epoch);
	mm_json_set_int(o, "serial", s->last.serial);
	mm_json_set_str(o, "digest", s->last.digest);
	mm_json_set_str(o, "key", s->last.key[0] != '\0' ? s->last.key : NULL);
	if (s->held.request_id != NULL)
		mm_json_set(o, "held", held_json(&s->held));
	mm_json_dump(o, &text);
	json_decref(o);
	mm_buf_addc(&text, '\n');
	int rc = mm_write_own(file_of(c, a, "held.json"), mm_buf_str(&text), text.len, 0600, err);
	mm_buf_free(&text);
	mm_arena_free(a);
	return rc;
}

/* ---- sheets */

/* A login may not lead out of the folder: mm_is_login() allows no slash and
 * no leading dot. */
static const char *sheet_path(const struct mm_conf *c, struct mm_arena *a, const char *user)
{
	if (mm_streq(user, MM_SYSTEM_USER))
		user = SYSTEM_NAME;
	else if (!mm_is_login(user))
		return NULL;
	return mm_arena_printf(a, "%s/sheets/%s", c->state_dir, user);
}

int mm_held_drop_sheet(const struct mm_conf *c, const char *user, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	const char *path = sheet_path(c, a, user);
	int rc = 0;
	if (path != NULL && unlink(path) != 0 && errno != ENOENT)
		rc = mm_err_sys(err, MM_EX_FAILED, "cannot remove %s", path);
	mm_arena_free(a);
	return rc;
}

int mm_held_put_sheet(const struct mm_conf *c, const struct mm_held *h, const char *user, uid_t uid,
    gid_t gid, const char *bytes, size_t len, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_buf text = MM_BUF_INIT(MM_FRAME_MAX + STATE_MAX);
	const char *path = sheet_path(c, a, user);
	json_t *o = held_json(h);
	mm_json_dump(o, &text);
	json_decref(o);
	mm_buf_addc(&text, '\n');
	mm_buf_add(&text, bytes, len);
	int rc = path == NULL ? mm_err_set(err, MM_EX_DATAERR, "%s is not a login", user) : 0;
	if (rc == 0)
		rc = mm_write_own(path, mm_buf_str(&text), text.len, 0400, err);
	if (rc == 0 && geteuid() == 0 && uid != 0 && lchown(path, uid, gid) != 0)
		rc = mm_err_sys(err, MM_EX_FAILED, "cannot give %s to its user", path);
	mm_buf_free(&text);
	mm_arena_free(a);
	return rc;
}

/* Root reads what belongs to a user here; the user reads own. */
static int read_sheet_file(const struct mm_conf *c, const char *path, struct mm_buf *text, struct mm_err *err)
{
	struct stat st;
	enum mm_file_trouble why;
	if (lstat(path, &st) != 0)
		return errno == ENOENT || errno == EACCES ? 0 : mm_err_sys(err, MM_EX_FAILED, "%s", path);
	return mm_file_read(c->state_dir, path, st.st_uid, MM_FRAME_MAX + STATE_MAX, text, NULL, &why, err) ==
		       0
		   ? 1
		   : -1;
}

int mm_held_get_sheet(const struct mm_conf *c, const char *user, struct mm_arena *a, struct mm_held *h,
    struct mm_sheet *sheet, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(MM_FRAME_MAX + STATE_MAX);
	const char *path = sheet_path(c, a, user);
	int rc = path != NULL ? read_sheet_file(c, path, &text, err) : 0;
	if (rc <= 0)
		goto out;
	const char *nl = memchr(text.data, '\n', text.len);
	size_t head = nl != NULL ? (size_t)(nl - text.data) : text.len;
	json_t *o = mm_json_load(path, text.data, head, err);
	if (o == NULL || nl == NULL || held_parse(o, a, h, err) != 0 ||
	    mm_sheet_decode(nl + 1, text.len - head - 1, a, sheet, err) != 0)
		rc = nl == NULL ? mm_err_set(err, MM_EX_DATAERR, "%s is cut short", path)
				: mm_err_prefix(err, "%s", path);
	else if (!mm_streq(sheet->user, user))
		rc = mm_err_set(err, MM_EX_DATAERR, "%s is the sheet of %s", path, sheet->user);
	json_decref(o);
out:
	mm_buf_free(&text);
	return rc;
}

static int by_name(const void *x, const void *y)
{
	const char *const *a = x, *const *b = y;
	return strcmp(*a, *b);
}

int mm_held_users(
    const struct mm_conf *c, struct mm_arena *a, const char *const **out, size_t *n, struct mm_err *err)
{
	const char *dir = file_of(c, a, "sheets");
	const char **list = NULL;
	size_t count = 0;
	DIR *d = opendir(dir);
	if (d == NULL && errno != ENOENT)
		return mm_err_sys(err, MM_EX_FAILED, "cannot list %s", dir);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		const char *name = mm_streq(e->d_name, SYSTEM_NAME) ? MM_SYSTEM_USER : e->d_name;
		if (!mm_is_report_user(name))
			continue;
		list = mm_xrealloc(list, count + 2, sizeof(*list));
		list[count++] = mm_arena_strdup(a, name);
	}
	if (d != NULL)
		closedir(d);
	const char **kept = mm_arena_alloc(a, count + 1, sizeof(*kept));
	if (count > 0) {
		qsort(list, count, sizeof(*list), by_name);
		memcpy(kept, list, count * sizeof(*list));
	}
	free(list);
	*out = kept;
	*n = count;
	return 0;
}

bool mm_held_expired(const struct mm_held *h, int64_t now)
{
	return h->request_id != NULL && now > h->expires;
}

/* ---- switched off */

int mm_disabled_get(
    const struct mm_conf *c, int64_t now, struct mm_arena *a, struct mm_disabled *out, struct mm_err *err)
{
	const char *path = file_of(c, a, "disabled.json");
	struct mm_buf text = MM_BUF_INIT(STATE_MAX);
	const char *reason;
	if (access(path, F_OK) != 0)
		return 0;
	json_t *o = NULL;
	int rc = mm_file_read_own(path, STATE_MAX, false, &text, err);
	if (rc == 0 && (o = mm_json_load(path, text.data, text.len, err)) == NULL)
		rc = -1;
	if (rc == 0 && (mm_json_str(o, "reason", 1024, &reason, err) != 0 ||
			   mm_json_int(o, "since", 0, INT_TOP, &out->since, err) != 0 ||
			   mm_json_int(o, "until", 0, INT_TOP, &out->until, err) != 0))
		rc = mm_err_prefix(err, "%s", path);
	if (rc == 0) {
		out->reason = mm_arena_strdup(a, reason);
		rc = out->until == 0 || now < out->until;
	}
	json_decref(o);
	mm_buf_free(&text);
	return rc;
}

int mm_disabled_set(const struct mm_conf *c, const struct mm_disabled *d, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_buf text = MM_BUF_INIT(STATE_MAX);
	const char *path = file_of(c, a, "disabled.json");
	int rc = 0;
	if (d == NULL) {
		if (unlink(path) != 0 && errno != ENOENT)
			rc = mm_err_sys(err, MM_EX_FAILED, "cannot remove %s", path);
	} else {
		json_t *o = json_object();
		mm_json_set_str(o, "reason", d->reason);
		mm_json_set_int(o, "since", d->since);
		mm_json_set_int(o, "until", d->until);
		mm_json_dump(o, &text);
		json_decref(o);
		/* Every user's login run must be able to read it. */
		rc = mm_write_own(path, mm_buf_str(&text), text.len, 0644, err);
	}
	mm_buf_free(&text);
	mm_arena_free(a);
	return rc;
}
