#include "controller/store/view.h"

#include <sys/stat.h>

#include "common/text.h"
#include "controller/store/internal.h"

int mm_store_let_go(struct mm_store *s, struct mm_err *err)
{
	const char *path = sqlite3_db_filename(s->db, "main");
	struct stat st;

	if (s->depth > 0 || !path || stat(path, &st))
		return mm_err_set(err, MM_EX_FAILED, "store: the connection cannot be given up now");
	free(s->path);
	s->path = mm_xstrdup(path);
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	mm_store_disconnect(s);
	return 0;
}

int mm_store_reconnect(struct mm_store *s, struct mm_err *err)
{
	struct stat st;

	if (stat(s->path, &st))
		return mm_err_sys(err, MM_EX_FAILED, "%s", s->path);
	if (st.st_dev != s->dev || st.st_ino != s->ino)
		return mm_err_set(
		    err, MM_EX_FAILED, "%s: another store has taken its place; try again", s->path);
	return mm_store_connect(s, s->path, false, err);
}

int64_t mm_store_fix_now(struct mm_store *s)
{
	int64_t before = s->fixed_now;

	mm_store_set_now(s, mm_store_now(s));
	return before;
}

int mm_store_view(struct mm_store *s, struct mm_err *err)
{
	int64_t pinned;

	if (mm_q_run(s, MM_SQL_VIEW, err, "") < 0)
		return -1;
	s->depth++;
	/* The view is of the time of its first read. */
	if (!mm_store_data_version(s, &pinned, err))
		return 0;
	mm_store_view_end(s);
	return -1;
}

void mm_store_view_end(struct mm_store *s)
{
	mm_store_rollback(s);
}

int mm_store_data_version(struct mm_store *s, int64_t *out, struct mm_err *err)
{
	return mm_q_one(s, out, MM_SQL_DATA_VERSION, err, "") < 0 ? -1 : 0;
}

int mm_store_hosts_count(struct mm_store *s, int64_t *out, struct mm_err *err)
{
	return mm_q_one(s, out, MM_SQL_HOST_COUNT, err, "") < 0 ? -1 : 0;
}

int mm_store_host_nth(struct mm_store *s, int64_t n, struct mm_arena *a, const char **out, struct mm_err *err)
{
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_HOST_NTH, err, "i", n))
		return -1;
	rc = mm_q_step(&q, err);
	if (rc == 1)
		*out = mm_arena_strdup(a, mm_q_str(&q, 0));
	mm_q_done(&q);
	return rc < 0 ? -1 : !rc;
}

void mm_store_part(struct mm_store *s, const char *from, const char *to)
{
	free(s->part_from);
	free(s->part_to);
	s->part_from = from ? mm_xstrdup(from) : NULL;
	s->part_to = to ? mm_xstrdup(to) : NULL;
}
