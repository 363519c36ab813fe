/*
 * A small log with everything in it, its witness, and an export of it, for the
 * tests of the judge. The seed of what is done at random is printed; MM_SEED
 * takes another.
 */
#ifndef MM_TESTS_AUDIT_WORLD_H
#define MM_TESTS_AUDIT_WORLD_H

#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"
#include "controller/audit/export.h"
#include "controller/audit/verify.h"
#include "controller/store/internal.h"
#include "controller/store/store_keys.h"
#include "store_fixture.h"

#define ROUNDS 2000 /* for the log, and for the export; MM_ROUNDS takes another number */
#define POINTS_MAX 16

struct world {
	struct fixture *f;
	struct mm_key *key, *host_key;
	struct mm_buf pem, host_pem;
	struct mm_checkpoint points[POINTS_MAX]; /* as the witness has them */
	size_t n_points;
	int64_t last, pruned;
	uint64_t random;
	struct mm_buf export;
	char path[160];
};

/* splitmix64: the same everywhere. */
static inline uint64_t rnd(struct world *w, uint64_t n)
{
	uint64_t z = (w->random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % n;
}

/* ---- a small log with everything in it */

static inline void point(struct world *w)
{
	ok(w->f, mm_store_checkpoint_make(w->f->s, w->key, true, &w->points[w->n_points], &w->f->err));
	w->last = w->points[w->n_points++].seq;
}

static inline void signed_report(struct world *w, const char *id)
{
	struct made m;
	struct mm_seal seal;
	struct mm_buf text = MM_BUF_INIT(MM_STATEMENT_MAX);

	make_report(&m, id, "alice");
	add_finding(&m, "alice", "incoming.host", MM_ST_DRIFTED, id);
	memset(seal.sha256, 'a', MM_SHA256_HEX - 1);
	seal.sha256[MM_SHA256_HEX - 1] = '\0';
	memcpy(seal.key, mm_key_id(w->host_key), sizeof(seal.key));
	mm_report_statement(&m.head, m.head.evidence, seal.sha256, &text);
	ok(w->f, mm_sign(w->host_key, mm_buf_str(&text), text.len, seal.sig, &w->f->err));
	mm_buf_free(&text);
	m.in.seal = &seal;
	assert_true(store_report(w->f, &m));
}

static inline void key_of(struct fixture *f, struct mm_key **k, struct mm_buf *pem)
{
	*pem = MM_BUF_INIT(4096);
	ok(f, mm_key_generate(k, &f->err));
	ok(f, mm_key_public_pem(*k, pem, &f->err));
}

static inline void fill(struct world *w)
{
	struct fixture *f = w->f;
	struct mm_store_host h;
	enum mm_put done;
	int64_t epoch;
	char name[16];

	key_of(f, &w->key, &w->pem);
	key_of(f, &w->host_key, &w->host_pem);
	ok(f, mm_store_key_add(f->s, mm_key_id(w->key), mm_buf_str(&w->pem), &epoch, &f->err));
	ok(f, mm_store_host_get(f->s, "ws1", f->a, &h, &f->err));
	h.report_key = mm_buf_str(&w->host_pem);
	ok(f, mm_store_host_put(f->s, &h, &done, &f->err));
	add_revision(f, "one", 5, 1);
	ok(f, mm_store_revision_approve(f->s, 1, "bob", 6, &f->err));
	for (int i = 0; i < 3; i++) {
		mm_store_set_now(f->s, T0 + 60 * i);
		snprintf(name, sizeof(name), "user%d", i);
		add_user(f, name, "u@acme.example", NULL);
		snprintf(name, sizeof(name), "r%d", i);
		signed_report(w, name);
		mm_store_set_reason(f->s, i % 2 ? "a reason" : NULL);
		point(w);
	}
}

static inline void write_file(struct world *w, const char *p, size_t n)
{
	FILE *out = fopen(w->path, "we");

	assert_non_null(out);
	assert_int_equal(fwrite(p, 1, n, out), n);
	assert_int_equal(fclose(out), 0);
}

static inline void make_export(struct world *w, bool personal)
{
	FILE *out;
	char chunk[4096];
	size_t got;
	int64_t n;

	snprintf(w->path, sizeof(w->path), "%s/export", w->f->dir);
	out = fopen(w->path, "w+e");
	assert_non_null(out);
	ok(w->f, mm_audit_export(w->f->s, w->key, personal, out, &n, &w->f->err));
	assert_int_equal(n, w->last - w->pruned);
	mm_buf_free(&w->export);
	w->export = MM_BUF_INIT(1 << 22);
	rewind(out);
	while ((got = fread(chunk, 1, sizeof(chunk), out)) > 0)
		mm_buf_add(&w->export, chunk, got);
	fclose(out);
}

static inline int64_t number_of(const char *name, int64_t otherwise)
{
	const char *text = getenv(name);

	if (text)
		assert_int_equal(mm_parse_int(text, 0, INT64_MAX, &otherwise), 0);
	return otherwise;
}

static inline int world_setup(void **state)
{
	struct world *w = mm_xcalloc(1, sizeof(*w));
	int64_t v = number_of("MM_SEED", 20261123);

	people_setup(state);
	w->f = *state;
	*state = w;
	w->random = (uint64_t)v;
	print_message("seed %" PRId64 "\n", v);
	fill(w);
	make_export(w, true);
	return 0;
}

static inline int world_teardown(void **state)
{
	struct world *w = *state;

	unlink(w->path);
	mm_key_free(w->key);
	mm_key_free(w->host_key);
	mm_buf_free(&w->pem);
	mm_buf_free(&w->host_pem);
	mm_buf_free(&w->export);
	*state = w->f;
	free(w);
	return store_teardown(state);
}

/* ---- judging */

static inline struct mm_judge *new_judge(struct world *w, bool witnessed)
{
	struct mm_judge *j = mm_judge_new();

	ok(w->f, mm_judge_signer(j, mm_buf_str(&w->pem), true, &w->f->err));
	for (size_t i = 0; witnessed && i < w->n_points; i++)
		mm_judge_checkpoint(j, &w->points[i], "auditor");
	return j;
}

static inline void print_faults(const struct mm_audited *r)
{
	for (size_t i = 0; i < r->n_faults; i++)
		print_message("  %s: %s\n", r->faults[i].place, r->faults[i].text);
}

static inline void judge_store(struct world *w, struct mm_judge **j, const struct mm_audited **r)
{
	*j = new_judge(w, true);
	ok(w->f, mm_judge_store(*j, w->f->s, true, &w->f->err));
	*r = mm_judge_end(*j);
}

static inline void judge_export(struct world *w, struct mm_judge **j, const struct mm_audited **r)
{
	*j = new_judge(w, true);
	ok(w->f, mm_judge_export(*j, w->path, &w->f->err));
	*r = mm_judge_end(*j);
}

#endif
