#include "agent/checkpoints.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/json.h"
#include "common/text.h"

#define FILE_MAX (MM_CHECKPOINTS_KEPT * 4 * MM_STATEMENT_MAX)

struct kept {
	struct mm_checkpoint c[MM_CHECKPOINTS_KEPT + 1];
	size_t n;
};

static void push(struct kept *k, const struct mm_checkpoint *c)
{
	k->c[k->n++] = *c;
	if (k->n > MM_CHECKPOINTS_KEPT)
		memmove(k->c, k->c + 1, --k->n * sizeof(k->c[0]));
}

static int load(const char *path, struct kept *k, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(FILE_MAX);
	int rc = 0;
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return 0;
	if (mm_file_read_own(path, FILE_MAX, false, &text, err) != 0)
		rc = -1;
	for (const char *s = mm_buf_str(&text); rc == 0 && *s != '\0';) {
		struct mm_checkpoint c;
		size_t n = strcspn(s, "\n");
		/* A spoiled line is no reason to be no witness any more. */
		if (mm_checkpoint_decode(s, n, &c, NULL) == 0)
			push(k, &c);
		s += n + (s[n] == '\n');
	}
	mm_buf_free(&text);
	return rc;
}

static int save(const char *path, const struct kept *k, struct mm_err *err)
{
	struct mm_buf text = MM_BUF_INIT(FILE_MAX);
	for (size_t i = 0; i < k->n; i++) {
		json_t *o = mm_checkpoint_json(&k->c[i]);
		mm_json_dump(o, &text);
		json_decref(o);
		mm_buf_addc(&text, '\n');
	}
	int rc = mm_write_own(path, mm_buf_str(&text), text.len, 0600, err);
	mm_buf_free(&text);
	return rc;
}

int mm_checkpoints_keep(const struct mm_conf *c, const struct mm_checkpoint *now,
    struct mm_checkpoint *newest, struct mm_err *err)
{
	struct mm_arena *a = mm_arena_new();
	const char *path = mm_arena_printf(a, "%s/checkpoints", c->state_dir);
	struct kept *k = mm_arena_alloc(a, 1, sizeof(*k));
	int rc = load(path, k, err);
	const struct mm_checkpoint *last = rc == 0 && k->n > 0 ? &k->c[k->n - 1] : NULL;
	if (rc == 0 && now != NULL &&
	    (last == NULL || !mm_streq(last->fleet, now->fleet) || now->seq > last->seq)) {
		push(k, now);
		rc = save(path, k, err);
	}
	if (rc == 0 && k->n > 0)
		*newest = k->c[k->n - 1];
	else if (rc == 0)
		rc = 1;
	mm_arena_free(a);
	return rc;
}
