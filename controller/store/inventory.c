/*
 * What the workstations said of themselves: the system they run, and the
 * mail programs that they have.
 */
#include "controller/store/internal.h"
#include "controller/store/store_rollout.h"

/* Columns: host os seen, and "client version" lines. */
static void from_row(struct mm_q *q, struct mm_arena *a, struct mm_inventory *i)
{
	size_t n = 0;
	const char *const *lines = mm_split_lines(a, mm_q_text(q, 3), &n);
	struct mm_inventory_client *c = mm_arena_alloc(a, n + 1, sizeof(*c));

	for (size_t k = 0; k < n; k++) {
		const char *blank = strchr(lines[k], ' ');

		c[k].name = blank ? mm_arena_strndup(a, lines[k], (size_t)(blank - lines[k])) : lines[k];
		c[k].version = blank ? blank + 1 : "";
	}
	*i = (struct mm_inventory){.host = mm_q_str(q, 0),
	    .os = mm_q_str(q, 1),
	    .clients = c,
	    .n_clients = n,
	    .seen = mm_q_int(q, 2)};
}

int mm_store_inventory(struct mm_store *s, const char *host,
    int (*cb)(const struct mm_inventory *i, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_inventory i;
	struct mm_arena *a;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_INVENTORY, err, "t", host))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		a = mm_arena_new();
		from_row(&q, a, &i);
		rc = cb(&i, arg, err);
		mm_arena_free(a);
		if (rc)
			break;
	}
	mm_q_done(&q);
	return rc;
}
