#include "controller/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "controller/store/internal.h"

static int latest(void)
{
	int n = 0;

	for (const struct mm_migration *m = mm_migrations; m->name; m++)
		n = m->number;
	return n;
}

static int pragma_int(struct mm_store *s, const char *sql, int *out, struct mm_err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = -1;

	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		*out = sqlite3_column_int(st, 0);
		rc = 0;
	} else {
		mm_q_fail(s, sql, err);
	}
	sqlite3_finalize(st);
	return rc;
}

static int exec(struct mm_store *s, const char *what, const char *sql, struct mm_err *err)
{
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL))
		return mm_q_fail(s, what, err);
	return 0;
}

static int migrate_one(struct mm_store *s, const struct mm_migration *m, struct mm_err *err)
{
	char pragma[64];
	int have = 0;
	int rc = -1;

	if (exec(s, "migration", "BEGIN IMMEDIATE", err))
		return -1;
	if (pragma_int(s, "PRAGMA user_version", &have, err))
		goto out;
	/* Another process may have done it while we waited for the lock. */
	if (have < m->number) {
		snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", m->number);
		if (exec(s, m->name, m->sql, err) || exec(s, m->name, pragma, err))
			goto out;
	}
	rc = exec(s, m->name, "COMMIT", err);
out:
	if (rc)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

static int migrate(struct mm_store *s, struct mm_err *err)
{
	int have = 0;

	if (pragma_int(s, "PRAGMA user_version", &have, err))
		return -1;
	for (const struct mm_migration *m = mm_migrations; m->name; m++)
		if (m->number > have && migrate_one(s, m, err))
			return -1;
	return 0;
}

/* Is this a store, and of a program not newer than this one? Nothing has been
 * written when this fails. */
static int recognise(struct mm_store *s, const char *path, bool fresh, struct mm_err *err)
{
	int app = 0, version = 0;

	if (fresh)
		return 0;
	if (pragma_int(s, "PRAGMA application_id", &app, err) ||
	    pragma_int(s, "PRAGMA user_version", &version, err))
		return mm_err_prefix(err, "%s", path);
	if (app != MM_STORE_APP_ID || version < 1)
		return mm_err_set(err, MM_EX_DATAERR, "%s: this is not a Mailmuster store", path);
	if (version > latest())
		return mm_err_set(err, MM_EX_DATAERR,
		    "%s: the store has version %d, this program knows up to %d; use the newer mailmuster",
		    path, version, latest());
	return 0;
}

/* A push and the walks of a report read forwards: twice as large a cache gains
 * neither of them anything that can be measured. */
static const char setup_sql[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
    "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -600";

/* One thread works with it, and nobody asks how much memory it takes: without
 * a lock around each allocation. Once SQLite runs this changes nothing. */
static void configure(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int mm_store_connect(struct mm_store *s, const char *path, bool fresh, struct mm_err *err)
{
	char app[64];

	configure();
	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL))
		return mm_err_set(err, MM_EX_FAILED, "%s: %s", path, sqlite3_errmsg(s->db));
	sqlite3_busy_timeout(s->db, MM_STORE_BUSY_MS);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	snprintf(app, sizeof(app), "PRAGMA application_id = %d", MM_STORE_APP_ID);
	if (recognise(s, path, fresh, err) || exec(s, "settings", setup_sql, err) ||
	    (fresh && exec(s, "settings", app, err)) || migrate(s, err))
		return -1;
	return 0;
}

static int open_file(const char *path, bool fresh, struct mm_store **out, struct mm_err *err)
{
	struct mm_store *s = mm_xcalloc(1, sizeof(*s));

	mm_store_set_who(s, "unknown");
	if (mm_store_connect(s, path, fresh, err)) {
		mm_store_close(s);
		return -1;
	}
	*out = s;
	return 0;
}

int mm_store_open(const char *path, struct mm_store **out, struct mm_err *err)
{
	struct stat st;

	if (lstat(path, &st))
		return mm_err_sys(err, MM_EX_FAILED, "%s", path);
	if (!S_ISREG(st.st_mode))
		return mm_err_set(err, MM_EX_FAILED, "%s: not a regular file", path);
	return open_file(path, false, out, err);
}

/* An empty file of ours under a temporary name; what an earlier run left goes. */
static int make_empty(const char *path, struct mm_err *err)
{
	int fd;

	if (unlink(path) && errno != ENOENT)
		return mm_err_sys(err, MM_EX_FAILED, "%s", path);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return mm_err_sys(err, MM_EX_FAILED, "%s", path);
	close(fd);
	return 0;
}

static int sync_path(const char *path, int flags, struct mm_err *err)
{
	int fd = open(path, flags | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) ? mm_err_sys(err, MM_EX_FAILED, "%s", path) : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

/* Give a complete file its name; never over an existing one. */
static int publish(const char *temp, const char *path, struct mm_err *err)
{
	char *folder;
	char *slash;
	int rc;

	if (sync_path(temp, O_RDONLY, err))
		return -1;
	if (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE))
		return mm_err_sys(err, MM_EX_FAILED, "%s", path);
	folder = mm_xstrdup(path);
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder ? 1 : 0] = '\0';
	rc = sync_path(slash ? folder : ".", O_RDONLY | O_DIRECTORY, err);
	free(folder);
	return rc;
}

static char *temp_name(const char *path)
{
	size_t n = strlen(path) + sizeof(".partial");
	char *t = mm_xcalloc(1, n);

	snprintf(t, n, "%s.partial", path);
	return t;
}

int mm_store_create(const char *path, struct mm_store **out, struct mm_err *err)
{
	char *temp = temp_name(path);
	struct mm_store *s = NULL;
	int rc = -1;

	if (access(path, F_OK) == 0) {
		mm_err_set(err, MM_EX_FAILED, "%s: exists already", path);
		goto out;
	}
	if (make_empty(temp, err) || open_file(temp, true, &s, err))
		goto out;
	mm_store_close(s); /* the last connection folds the write-ahead log into the file */
	if (publish(temp, path, err))
		goto out;
	rc = open_file(path, false, out, err);
out:
	if (rc)
		unlink(temp);
	free(temp);
	return rc;
}

void mm_store_disconnect(struct mm_store *s)
{
	for (size_t i = 0; i < MM_SQL_COUNT; i++) {
		sqlite3_finalize(s->cache[i]);
		s->cache[i] = NULL;
	}
	if (s->depth > 0)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close(s->db);
	s->db = NULL;
	s->depth = 0;
}

void mm_store_close(struct mm_store *s)
{
	if (!s)
		return;
	mm_store_disconnect(s);
	free(s->path);
	free(s->part_from);
	free(s->part_to);
	free(s->who);
	free(s->reason);
	free(s);
}

static int copy_pages(struct mm_store *s, const char *temp, struct mm_err *err)
{
	sqlite3 *db = NULL;
	sqlite3_backup *b = NULL;
	int rc = sqlite3_open_v2(temp, &db, SQLITE_OPEN_READWRITE, NULL);

	if (!rc)
		b = sqlite3_backup_init(db, "main", s->db, "main");
	if (b) {
		for (int waited = 0; waited < MM_STORE_BUSY_MS; waited += 50) {
			rc = sqlite3_backup_step(b, -1);
			if (rc != SQLITE_BUSY && rc != SQLITE_LOCKED)
				break;
			sqlite3_sleep(50);
		}
		sqlite3_backup_finish(b);
	}
	/* A copy stands alone: no write-ahead log beside it. */
	if (rc == SQLITE_DONE)
		rc = sqlite3_exec(db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL) ? SQLITE_ERROR
											: SQLITE_DONE;
	if (rc != SQLITE_DONE)
		mm_err_set(err, MM_EX_FAILED, "%s: %s", temp, sqlite3_errmsg(db));
	sqlite3_close(db);
	return rc == SQLITE_DONE ? 0 : -1;
}

int mm_store_backup(struct mm_store *s, const char *path, struct mm_err *err)
{
	char *temp = temp_name(path);
	int rc = -1;

	if (access(path, F_OK) == 0) {
		mm_err_set(err, MM_EX_FAILED, "%s: exists already", path);
		goto out;
	}
	if (make_empty(temp, err))
		goto out;
	if (!copy_pages(s, temp, err) && !publish(temp, path, err))
		rc = mm_store_audit(s, "backup", path, NULL, false, err);
	if (rc)
		unlink(temp);
out:
	free(temp);
	return rc;
}

int mm_store_version(const struct mm_store *s)
{
	(void)s;
	return latest(); /* open brings every store to it */
}

void mm_store_set_who(struct mm_store *s, const char *who)
{
	free(s->who);
	s->who = mm_xstrdup(who);
}

void mm_store_set_reason(struct mm_store *s, const char *reason)
{
	free(s->reason);
	s->reason = reason ? mm_xstrdup(reason) : NULL;
	/* An entry of the audit log is made of lines. */
	for (char *c = s->reason; c && *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
}

void mm_store_set_now(struct mm_store *s, int64_t now)
{
	s->fixed_now = now;
}

int64_t mm_store_now(const struct mm_store *s)
{
	return s->fixed_now ? s->fixed_now : (int64_t)time(NULL);
}

int mm_store_begin(struct mm_store *s, struct mm_err *err)
{
	if (mm_q_run(s, s->depth ? MM_SQL_SAVEPOINT : MM_SQL_BEGIN, err, "") < 0)
		return -1;
	s->depth++;
	return 0;
}

int mm_store_commit(struct mm_store *s, struct mm_err *err)
{
	if (mm_q_run(s, s->depth > 1 ? MM_SQL_RELEASE : MM_SQL_COMMIT, err, "") < 0) {
		mm_store_rollback(s);
		return -1;
	}
	s->depth--;
	return 0;
}

void mm_store_rollback(struct mm_store *s)
{
	if (s->depth > 1) {
		mm_q_run(s, MM_SQL_ROLLBACK_TO, NULL, "");
		mm_q_run(s, MM_SQL_RELEASE, NULL, "");
	} else {
		mm_q_run(s, MM_SQL_ROLLBACK, NULL, "");
	}
	s->depth--;
}

int mm_store_end(struct mm_store *s, int rc, struct mm_err *err)
{
	if (!rc)
		return mm_store_commit(s, err);
	mm_store_rollback(s);
	return -1;
}

int mm_store_join(struct mm_store *s, bool *own, struct mm_err *err)
{
	*own = s->depth == 0;
	return *own ? mm_store_begin(s, err) : 0;
}

int mm_store_leave(struct mm_store *s, bool own, int rc, struct mm_err *err)
{
	if (own)
		return mm_store_end(s, rc, err);
	return rc ? -1 : 0;
}
