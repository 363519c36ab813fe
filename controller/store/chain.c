#include "controller/store/chain.h"

#include <string.h>

#include "controller/store/internal.h"

static void put(struct mm_buf *b, const char *text)
{
	mm_buf_addf(b, "%zu:", strlen(text));
	mm_buf_adds(b, text);
	mm_buf_addc(b, '\n');
}

static void put_number(struct mm_buf *b, int64_t v)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)v);
	put(b, text);
}

void mm_chain_text(const struct mm_chain_entry *e, struct mm_buf *out)
{
	mm_buf_adds(out, MM_CHAIN_FORMAT "\n");
	put(out, e->prev);
	put_number(out, e->seq);
	put_number(out, e->time);
	put(out, e->who);
	put(out, e->action);
	put(out, e->object);
	put(out, e->detail);
	put(out, e->reason);
	put(out, e->apart);
}

void mm_chain_apart_text(const struct mm_chain_entry *e, struct mm_buf *out)
{
	put(out, e->salt);
	put(out, e->p_object);
	put(out, e->p_detail);
}

void mm_chain_hash(const struct mm_chain_entry *e, char out[MM_SHA256_HEX])
{
	struct mm_buf b = MM_BUF_INIT(SIZE_MAX / 2);

	mm_chain_text(e, &b);
	mm_sha256_hex(b.data, b.len, out);
	mm_buf_free(&b);
}

void mm_chain_apart(const char *salt, const char *object, const char *detail, char out[MM_SHA256_HEX])
{
	const struct mm_chain_entry e = {.salt = salt, .p_object = object, .p_detail = detail};
	struct mm_buf b = MM_BUF_INIT(SIZE_MAX / 2);

	mm_chain_apart_text(&e, &b);
	mm_sha256_hex(b.data, b.len, out);
	mm_buf_free(&b);
}

/* Columns: MM_SQL_AUDIT_EACH. */
static struct mm_chain_entry from_row(struct mm_q *q)
{
	return (struct mm_chain_entry){.seq = mm_q_int(q, 0),
	    .time = mm_q_int(q, 1),
	    .who = mm_q_str(q, 2),
	    .action = mm_q_str(q, 3),
	    .object = mm_q_str(q, 4),
	    .detail = mm_q_str(q, 5),
	    .reason = mm_q_str(q, 6),
	    .apart = mm_q_str(q, 7),
	    .prev = mm_q_str(q, 8),
	    .sha256 = mm_q_str(q, 9),
	    .salt = mm_q_text(q, 10),
	    .p_object = mm_q_str(q, 11),
	    .p_detail = mm_q_str(q, 12)};
}

int mm_store_chain_each(struct mm_store *s, int64_t after,
    int (*cb)(const struct mm_chain_entry *e, void *arg, struct mm_err *err), void *arg, struct mm_err *err)
{
	struct mm_chain_entry e;
	struct mm_q q;
	int rc;

	if (mm_q_start(s, &q, MM_SQL_AUDIT_EACH, err, "i", after))
		return -1;
	while ((rc = mm_q_step(&q, err)) == 1) {
		e = from_row(&q);
		if ((rc = cb(&e, arg, err)))
			break;
	}
	mm_q_done(&q);
	return rc;
}
