#include "schemas/plan.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

struct user {
	const char *login;
	struct mm_sha256_ctx *sha;
};

struct mm_plan_digest {
	struct mm_arena *a;
	json_t *index; /* login -> number of the user */
	struct user *users;
	size_t n, cap, changes;
};

struct mm_plan_digest *mm_plan_digest_new(void)
{
	struct mm_plan_digest *d = mm_xcalloc(1, sizeof(*d));

	d->a = mm_arena_new();
	d->index = json_object();
	return d;
}

static struct user *user_of(struct mm_plan_digest *d, const char *login)
{
	const json_t *at = json_object_get(d->index, login);
	struct user *u;

	if (at != NULL)
		return &d->users[json_integer_value(at)];
	json_object_set_new(d->index, login, json_integer((json_int_t)d->n));
	u = mm_arena_push(d->a, &d->users, &d->n, &d->cap, sizeof(*u));
	*u = (struct user){.login = mm_arena_strdup(d->a, login), .sha = mm_sha256_begin()};
	return u;
}

/* With its length in front, so that texts cannot run into each other; no text
 * is another one than an empty text. */
static void add(struct mm_sha256_ctx *sha, const char *s)
{
	size_t n = s != NULL ? strlen(s) : 0;
	struct mm_buf b = MM_BUF_INIT(32);

	if (s != NULL)
		mm_buf_addf(&b, "%zu:", n);
	else
		mm_buf_adds(&b, "-:");
	mm_sha256_add(sha, b.data, b.len);
	if (n > 0)
		mm_sha256_add(sha, s, n);
	mm_buf_free(&b);
}

void mm_plan_digest_add(struct mm_plan_digest *d, const struct mm_finding *f)
{
	const char *const texts[] = {
	    f->client, f->path, f->account, f->setting, f->found, f->desired, mm_state_name(f->state)};
	struct user *u;

	if (f->action != MM_ACT_WOULD_CHANGE)
		return;
	u = user_of(d, f->user);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		add(u->sha, texts[i]);
	d->changes++;
}

static int by_login(const void *x, const void *y)
{
	const struct user *a = x, *b = y;

	return strcmp(a->login, b->login);
}

size_t mm_plan_digest_end(struct mm_plan_digest *d, char hex[MM_SHA256_HEX])
{
	struct mm_sha256_ctx *all = mm_sha256_begin();
	uint8_t one[MM_SHA256_LEN];
	size_t changes = d->changes;

	if (d->n > 0)
		qsort(d->users, d->n, sizeof(*d->users), by_login);
	for (size_t i = 0; i < d->n; i++) {
		add(all, d->users[i].login);
		mm_sha256_end(d->users[i].sha, one);
		mm_sha256_add(all, one, sizeof(one));
	}
	mm_sha256_end(all, one);
	mm_hex(one, sizeof(one), hex);
	json_decref(d->index);
	mm_arena_free(d->a);
	free(d);
	return changes;
}
