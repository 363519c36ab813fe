#include "agent/clients/thunderbird.h"

#include "agent/clients/adapter.h"
#include "agent/clients/clients.h"

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	(void)r, (void)create, (void)err;
	*places = NULL;
	*n = 0;
	return 0;
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	(void)r, (void)p, (void)err;
	*out = (struct mm_view){0};
	return 0;
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *ch, struct mm_edits *out, struct mm_err *err)
{
	(void)r, (void)now;
	*out = (struct mm_edits){.key = ch->key};
	return mm_err_set(err, MM_EX_FAILED, "%s: cannot be changed", p->path);
}

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	(void)s, (void)value, (void)all;
	return NULL;
}

const struct mm_client mm_client_thunderbird = {
    .name = "thunderbird",
    .label = "Thunderbird",
    .programs = (const char *const[]){"thunderbird", NULL},
    .incoming = true,
    .outgoing = true,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change,
};
