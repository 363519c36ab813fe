#include "fake_client.h"

#include <string.h>

#include "agent/formats/ini.h"
#include "common/text.h"

static const struct {
	enum mm_setting set;
	const char *key;
} keys[] = {{MM_SET_ADDRESS, "from"}, {MM_SET_REAL_NAME, "name"}, {MM_SET_IN_PROTOCOL, "protocol"},
    {MM_SET_IN_HOST, "host"}, {MM_SET_IN_PORT, "port"}, {MM_SET_IN_SECURITY, "security"},
    {MM_SET_IN_USERNAME, "user"}, {MM_SET_IN_TLS_MIN, "floor"}};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static const char *unsupported(enum mm_setting s, const char *value, const struct mm_values *all)
{
	(void)all;
	if (s == MM_SET_IN_CA_FILE)
		return MM_CLIENT_NOT_ITS_BUSINESS;
	if (s == MM_SET_IN_AUTH || s == MM_SET_IN_TLS_MIN)
		return "the fake knows no such thing";
	if (s == MM_SET_IN_SECURITY && mm_streq(value, "starttls"))
		return "the fake has no STARTTLS";
	return NULL;
}

static int find(struct mm_reader *r, bool create, struct mm_place **places, size_t *n, struct mm_err *err)
{
	struct mm_place *p = mm_arena_alloc(r->arena, 2, sizeof(*p));
	struct mm_text t;
	enum mm_file_trouble why;
	p[0].path = mm_arena_printf(r->arena, "%s/.fakerc", r->home);
	int got = r->file(r, p[0].path, &t, &why, err);
	p[0].exists = got != 0;
	p[0].in_use = true;
	p[0].label = "";
	if (r->file(r, mm_arena_printf(r->arena, "%s/.fake-busy", r->home), &t, &why, err) > 0)
		p[0].busy = "Fake is running";
	*n = got != 0 || create ? 1 : 0;
	p[1].path = mm_arena_printf(r->arena, "%s/.fakerc-old", r->home);
	p[1].label = "old";
	if (*n == 1 && r->file(r, p[1].path, &t, &why, err) > 0) {
		p[1].exists = true;
		(*n)++;
	}
	*places = p;
	return 0;
}

static void seen(struct mm_arena *a, const struct mm_doc *d, const char *path, struct mm_seen_account *acc)
{
	acc->has_incoming = true;
	for (size_t i = 0; i < N_KEYS; i++) {
		const struct mm_item *it = mm_doc_find(d, acc->key, keys[i].key);
		struct mm_seen *s = &acc->s[keys[i].set];
		if (it != NULL && mm_doc_find(d, acc->key, "stubborn") == NULL)
			*s = (struct mm_seen){.value = it->value, .path = path, .line = it->line};
		const struct mm_item *hook =
		    mm_doc_find(d, acc->key, mm_arena_printf(a, "hook_%s", keys[i].key));
		s->over_holds = mm_doc_find(d, acc->key, "holds") != NULL;
		if (hook != NULL) {
			s->value = hook->value;
			s->over_path = path;
			s->over_line = hook->line;
			s->over_by = "a hook";
		}
		const struct mm_item *unseen =
		    mm_doc_find(d, acc->key, mm_arena_printf(a, "unseen_%s", keys[i].key));
		if (unseen == NULL || (it != NULL && it->line > unseen->line))
			continue;
		s->unsure_path = path;
		s->unsure_line = unseen->line;
		s->unsure_why = "a command is run there";
		s->unsure_open = mm_streq(unseen->value, "open");
	}
}

static int read_place(struct mm_reader *r, const struct mm_place *p, struct mm_view *out, struct mm_err *err)
{
	struct mm_text t;
	struct mm_doc d;
	enum mm_file_trouble why;
	struct mm_view v = {.n = 0};
	size_t cap = 0;
	int got = r->file(r, p->path, &t, &why, err);
	if (got < 0 || (got > 0 && mm_format_ini.parse(t, r->arena, &d, err) != 0))
		return -1;
	for (size_t i = 0; got > 0 && i < d.n; i++) {
		if (d.items[i].kind != 'c')
			continue;
		struct mm_seen_account *acc = mm_arena_push(r->arena, &v.accounts, &v.n, &cap, sizeof(*acc));
		memset(acc, 0, sizeof(*acc));
		acc->key = d.items[i].section;
		seen(r->arena, &d, p->path, acc);
	}
	*out = v;
	return 0;
}

static void want(
    struct mm_edit *e, enum mm_edit_op op, const char *section, const char *key, const char *value)
{
	*e = (struct mm_edit){.op = op, .section = section, .key = key, .value = value, .kind = 's'};
}

/* Does writing make it certain? */
static bool is_open(const struct mm_view *v, const char *key, enum mm_setting s)
{
	for (size_t i = 0; i < v->n; i++)
		if (mm_streq(v->accounts[i].key, key))
			return v->accounts[i].s[s].unsure_open;
	return false;
}

static int change(struct mm_reader *r, const struct mm_place *p, const struct mm_view *now,
    const struct mm_change *c, struct mm_edits *out, struct mm_err *err)
{
	struct mm_file_edit *f = mm_arena_alloc(r->arena, 2, sizeof(*f));
	struct mm_edit *e = mm_arena_alloc(r->arena, 2 * N_KEYS + 1, sizeof(*e));
	const char *key = c->kind == MM_CHANGE_ADD ? c->account : c->key;
	size_t n = 0;
	(void)err;
	*out = (struct mm_edits){.key = key};
	if (c->kind == MM_CHANGE_REMOVE)
		return 0;
	if (c->kind == MM_CHANGE_ADD)
		want(&e[n++], MM_EDIT_SECTION_ADD, key, "", NULL);
	for (size_t i = 0; i < N_KEYS; i++) {
		if (c->want->v[keys[i].set] == NULL)
			continue;
		want(&e[n++], MM_EDIT_SET, key, keys[i].key, c->want->v[keys[i].set]);
		if (is_open(now, key, keys[i].set))
			want(&e[n++], MM_EDIT_DELETE, key,
			    mm_arena_printf(r->arena, "unseen_%s", keys[i].key), NULL);
	}
	f[0] = (struct mm_file_edit){
	    .path = p->path, .format = &mm_format_ini, .edits = e, .n = n, .create_mode = 0600};
	out->files = f;
	out->n = 1;
	if (c->kind == MM_CHANGE_ADD) {
		struct mm_edit *x = mm_arena_alloc(r->arena, 2, sizeof(*x));
		want(&x[0], MM_EDIT_SECTION_ADD, key, "", NULL);
		want(&x[1], MM_EDIT_SET, key, "added", "yes");
		f[1] = (struct mm_file_edit){.path = mm_arena_printf(r->arena, "%s.extra", p->path),
		    .format = &mm_format_ini,
		    .edits = x,
		    .n = 2,
		    .create_mode = 0600};
		out->n = 2;
		out->note = "a password will be asked for";
		out->costs = MM_COST_PASSWORD | MM_COST_FETCH;
	}
	return 0;
}

static const char *const programs[] = {"sh", NULL};

const struct mm_client mm_fake = {.name = "fake",
    .label = "Fake",
    .programs = programs,
    .incoming = true,
    .outgoing = false,
    .unsupported = unsupported,
    .find = find,
    .read = read_place,
    .change = change};
