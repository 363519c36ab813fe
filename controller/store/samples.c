#include "controller/store/internal.h"
#include "controller/store/store_samples.h"

#define DAY INT64_C(86400)

static int put_one(
    struct mm_store *s, int64_t day, int64_t taken, const struct mm_sample *v, struct mm_err *err)
{
	int n = mm_q_run(s, MM_SQL_SAMPLE_PUT, err, "ittitiiiiiiiii", day, v->dimension, v->name, taken,
	    v->baseline, v->revision, v->compliant, v->drifted, v->failed, v->unknown, v->waived, v->deferred,
	    v->notapplicable, v->stale);

	return n < 0 ? -1 : 0;
}

static int put_all(struct mm_store *s, const struct mm_sample *v, size_t n, struct mm_err *err)
{
	int64_t taken = mm_store_now(s), day = taken - taken % DAY;

	if (mm_q_run(s, MM_SQL_SAMPLES_CLEAR, err, "i", day) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (put_one(s, day, taken, &v[i], err))
			return -1;
	return 0;
}

int mm_store_samples_put(struct mm_store *s, const struct mm_sample *v, size_t n, struct mm_err *err)
{
	if (n > MM_SAMPLES_A_DAY)
		return mm_err_set(
		    err, MM_EX_DATAERR, "%zu samples are more than a day may have (%d)", n, MM_SAMPLES_A_DAY);
	if (mm_store_begin(s, err))
		return -1;
	return mm_store_end(s, put_all(s, v, n, err), err);
}

int mm_store_samples_taken(struct mm_store *s, int64_t *taken, struct mm_err *err)
{
	int64_t now = mm_store_now(s);

	*taken = 0;
	return mm_q_one(s, taken, MM_SQL_SAMPLES_TAKEN, err, "i", now - now % DAY) < 0 ? -1 : 0;
}

static void from_row(struct mm_q *q, struct mm_sample *v)
{
	*v = (struct mm_sample){.day = mm_q_int(q, 0),
	    .dimension = mm_q_str(q, 1),
	    .name = mm_q_str(q, 2),
	    .taken = mm_q_int(q, 3),
	    .baseline = mm_q_str(q, 4),
	    .revision = mm_q_int(q, 5),
	    .compliant = mm_q_int(q, 6),
	    .drifted = mm_q_int(q, 7),
	    .failed = mm_q_int(q, 8),
	    .unknown = mm_q_int(q, 9),
	    .waived = mm_q_int(q, 10),
	    .deferred = mm_q_int(q, 11),
	    .notapplicable = mm_q_int(q, 12),
	    .stale = mm_q_int(q, 13)};
}

int mm_store_samples_each(struct mm_store *s, int64_t from, int64_t until,
    int (*cb)(const struct mm_sample *v, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_sample v;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_SAMPLES_EACH, err, "ii", from, until))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		from_row(&q, &v);
		if ((rc = cb(&v, arg, err)))
			break;
	}
	mm_q_done(&q);
	return rc;
}
