/* The command that lists the mail programs and what is configured in them. */
#include <stdio.h>
#include <string.h>

#include "agent/clients/clients.h"
#include "agent/cmd.h"
#include "agent/modes.h"
#include "agent/reader.h"
#include "agent/routes/route.h"
#include "agent/userrun.h"
#include "agent/versions.h"
#include "common/json.h"
#include "common/term.h"
#include "common/text.h"

struct place {
	const struct mm_place *p;
	struct mm_view view;
	const char *trouble; /* NULL: it could be read */
	bool shared;         /* the system's, as this user gets it */
};

struct row { /* one program */
	const struct mm_client *cl;
	bool installed;
	const char *version; /* NULL: not known */
	struct place *places;
	size_t n, cap;
	const char *trouble;
};

/* ---- looking */

static const char *installed(struct mm_reader *r, const struct mm_client *cl)
{
	for (const char *const *p = cl->programs; *p != NULL; p++)
		if (r->program(r, *p))
			return *p;
	return NULL;
}

static void look(struct mm_reader *r, const struct mm_client *cl, struct row *out)
{
	struct mm_place *places = NULL;
	struct mm_err err = MM_ERR_NONE;
	*out = (struct row){.cl = cl, .installed = installed(r, cl) != NULL};
	if (cl->find(r, false, &places, &out->n, &err) != 0) {
		out->n = 0;
		out->trouble = mm_arena_strdup(r->arena, err.text);
		return;
	}
	out->cap = out->n + 1;
	out->places = mm_arena_alloc(r->arena, out->cap, sizeof(*out->places));
	for (size_t i = 0; i < out->n; i++) {
		struct place *p = &out->places[i];
		p->p = &places[i];
		err = MM_ERR_NONE;
		if (places[i].exists && cl->read(r, p->p, &p->view, &err) != 0) {
			p->view = (struct mm_view){.n = 0};
			p->trouble = mm_arena_strdup(r->arena, err.text);
		} else if (places[i].exists) {
			mm_modes_look(r, p->p, &p->view);
		}
	}
}

/* What the user's own files win over stands with those. */
static void keep_in_force(struct mm_view *view)
{
	for (size_t i = 0; i < view->n; i++)
		for (int s = 0; s < MM_SET_COUNT; s++)
			if (view->accounts[i].s[s].over_path != NULL)
				view->accounts[i].s[s] = (struct mm_seen){.value = NULL};
}

/* What the system's files give to this user, where there is anything: those
 * that are nobody's in particular, behind the places of his own. */
static void look_at_shared(struct mm_reader *r, struct row *out)
{
	const struct mm_route *route = mm_route_by_name(out->cl->name);
	struct mm_reader *shared = route != NULL ? mm_route_reader(route, r) : NULL;
	struct mm_place *places = NULL;
	struct mm_err err = MM_ERR_NONE;
	size_t n = 0;
	if (route == NULL || route->client->find(shared, false, &places, &n, &err) != 0)
		return;
	for (size_t i = 0; i < n; i++) {
		struct place p = {.p = &places[i], .shared = true};
		if (!places[i].exists)
			continue;
		if (route->client->read(shared, p.p, &p.view, &err) != 0) {
			p.view = (struct mm_view){.n = 0};
			p.trouble = mm_arena_strdup(r->arena, err.text);
		} else {
			mm_route_personal(&p.view, r->login, r->arena);
			/* a home that cannot be read is said of the place in it */
			if (route->home != NULL)
				route->home(r, &p.view, &err);
			keep_in_force(&p.view);
		}
		if (p.view.n > 0 || p.trouble != NULL)
			*(struct place *)mm_arena_push(
			    r->arena, &out->places, &out->n, &out->cap, sizeof(p)) = p;
	}
}

static size_t look_at_all(struct mm_reader *r, const char *only, struct row **out)
{
	size_t n = 0, all = 0;
	while (mm_clients[all] != NULL)
		all++;
	struct row *rows = mm_arena_alloc(r->arena, all + 1, sizeof(*rows));
	struct mm_version *v = mm_arena_alloc(r->arena, all + 1, sizeof(*v));
	for (size_t i = 0; i < all; i++) {
		if (only != NULL && !mm_streq(mm_clients[i]->name, only))
			continue;
		look(r, mm_clients[i], &rows[n]);
		look_at_shared(r, &rows[n]);
		v[n].package =
		    mm_clients[i]->package != NULL ? mm_clients[i]->package : mm_clients[i]->programs[0];
		n++;
	}
	mm_versions_find(MM_DPKG_STATUS, v, n, r->arena);
	for (size_t i = 0; i < n; i++)
		rows[i].version = rows[i].installed ? v[i].version : NULL;
	*out = rows;
	return n;
}

static const char *use_word(const struct place *p)
{
	return p->shared ? "for everybody" : p->p->in_use ? "in use" : "not in use";
}

/* ---- for machines */

static json_t *setting_json(enum mm_setting s, const struct mm_seen *x)
{
	json_t *o = json_object();
	mm_json_set_str(o, "setting", mm_setting_def(s)->id);
	mm_json_set_str(o, "value", x->value);
	mm_json_set_bool(o, "default", x->from_default);
	mm_json_set_str(o, "path", x->path);
	if (x->path != NULL)
		mm_json_set_int(o, "line", x->line);
	if (x->over_path != NULL) {
		mm_json_set_str(o, "overridden_by", x->over_by);
		mm_json_set_str(o, "override_path", x->over_path);
		mm_json_set_int(o, "override_line", x->over_line);
	}
	if (x->unsure_path != NULL) {
		mm_json_set_str(o, "unsure", x->unsure_why);
		mm_json_set_str(o, "unsure_path", x->unsure_path);
		mm_json_set_int(o, "unsure_line", x->unsure_line);
	}
	mm_json_set_str(o, "note", x->note);
	return o;
}

static void append(json_t *list, json_t *stolen)
{
	if (json_array_append_new(list, stolen) != 0)
		mm_oom();
}

static bool is_seen(const struct mm_seen *x)
{
	return x->value != NULL || x->over_path != NULL || x->unsure_path != NULL;
}

static json_t *account_json(const struct mm_seen_account *acc)
{
	json_t *o = json_object(), *list = json_array();
	mm_json_set_str(o, "account", acc->key);
	mm_json_set_str(o, "label", acc->label);
	for (int s = 0; s < MM_SET_COUNT; s++)
		if (is_seen(&acc->s[s]))
			append(list, setting_json((enum mm_setting)s, &acc->s[s]));
	mm_json_set(o, "settings", list);
	return o;
}

static json_t *place_json(const struct place *p)
{
	json_t *o = json_object(), *accounts = json_array(), *traps = json_array();
	mm_json_set_str(o, "path", p->p->path);
	mm_json_set_str(o, "label", p->p->label);
	mm_json_set_str(o, "use", use_word(p));
	mm_json_set_str(o, "busy", p->p->busy);
	mm_json_set_str(o, "trouble", p->trouble);
	for (size_t i = 0; i < p->view.n; i++)
		append(accounts, account_json(&p->view.accounts[i]));
	mm_json_set(o, "accounts", accounts);
	for (size_t i = 0; i < p->view.n_traps; i++) {
		if (p->view.traps[i].quiet)
			continue;
		json_t *t = json_object();
		mm_json_set_str(t, "kind", mm_trap_kind_names[p->view.traps[i].kind]);
		mm_json_set_str(t, "path", p->view.traps[i].path);
		mm_json_set_int(t, "line", p->view.traps[i].line);
		mm_json_set_str(t, "text", p->view.traps[i].text);
		append(traps, t);
	}
	mm_json_set(o, "warnings", traps);
	return o;
}

static void print_all_json(const struct row *rows, size_t n)
{
	struct mm_buf out = MM_BUF_INIT(1u << 26);
	json_t *all = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *o = json_object(), *places = json_array();
		mm_json_set_str(o, "client", rows[i].cl->name);
		mm_json_set_str(o, "label", rows[i].cl->label);
		mm_json_set_bool(o, "installed", rows[i].installed);
		mm_json_set_str(o, "version", rows[i].version);
		mm_json_set_str(o, "trouble", rows[i].trouble);
		for (size_t k = 0; k < rows[i].n; k++)
			append(places, place_json(&rows[i].places[k]));
		mm_json_set(o, "configs", places);
		append(all, o);
	}
	mm_json_dump(all, &out);
	json_decref(all);
	printf("%s\n", mm_buf_str(&out));
	mm_buf_free(&out);
}

/* ---- for people */

static const char *accounts_of(const struct place *p, struct mm_arena *a)
{
	const char *all = "";
	for (size_t i = 0; i < p->view.n; i++)
		all = mm_arena_printf(a, "%s%s%s", all, i > 0 ? ", " : "", p->view.accounts[i].key);
	return all;
}

static void overview_row(struct mm_table *t, const struct row *row, const struct place *p, struct mm_arena *a)
{
	const char *trouble = p != NULL ? p->trouble : row->trouble;
	const char *version = row->version != NULL ? row->version : row->installed ? "yes" : "no";
	mm_table_cell(t, MM_BOLD, "%s", row->cl->name);
	mm_table_cell(t, row->installed ? MM_PLAIN : MM_DIM, "%s", version);
	mm_table_cell(t, MM_PLAIN, "%s", p == NULL ? "not used" : use_word(p));
	mm_table_cell(t, MM_PLAIN, "%s", p != NULL ? p->p->path : "");
	mm_table_cell(t, MM_PLAIN, "%s", p != NULL ? accounts_of(p, a) : "");
	mm_table_cell(t, trouble != NULL ? MM_RED : MM_PLAIN, "%s",
	    trouble != NULL                   ? trouble
	    : p != NULL && p->p->busy != NULL ? p->p->busy
					      : "");
}

static void overview(const struct row *rows, size_t n, struct mm_arena *a)
{
	static const char *const heads[] = {"CLIENT", "INSTALLED", "USE", "CONFIG", "ACCOUNTS", "NOTE", NULL};
	struct mm_table *t = mm_table_new(heads);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < rows[i].n; k++)
			overview_row(t, &rows[i], &rows[i].places[k], a);
		if (rows[i].n == 0)
			overview_row(t, &rows[i], NULL, a);
	}
	mm_table_print(t, stdout);
	mm_table_free(t);
}

static const char *where(const struct mm_seen *x, struct mm_arena *a)
{
	if (x->over_path != NULL)
		return mm_arena_printf(a, "overridden by %s, %s:%d", x->over_by, x->over_path, x->over_line);
	if (x->unsure_path != NULL)
		return mm_arena_printf(
		    a, "not certain: %s, %s:%d", x->unsure_why, x->unsure_path, x->unsure_line);
	if (x->path != NULL)
		return mm_arena_printf(a, "%s:%d", x->path, x->line);
	return x->from_default ? "the program's default" : "";
}

/* A password command may be long, and where it stands is of more interest. */
#define VALUE_MAX 48

static const char *shortened(const char *value, struct mm_arena *a)
{
	size_t n = VALUE_MAX - 3;
	if (value == NULL)
		return "-";
	if (strlen(value) <= VALUE_MAX)
		return value;
	while (n > 0 && ((unsigned char)value[n] & 0xc0u) == 0x80u)
		n--; /* not within a character */
	return mm_arena_printf(a, "%.*s...", (int)n, value);
}

static void account_rows(
    struct mm_table *t, const struct row *row, const struct mm_seen_account *acc, struct mm_arena *a)
{
	for (int s = 0; s < MM_SET_COUNT; s++) {
		const struct mm_seen *x = &acc->s[s];
		if (!is_seen(x))
			continue;
		mm_table_cell(t, MM_PLAIN, "%s", row->cl->name);
		mm_table_cell(t, MM_BOLD, "%s", acc->key);
		mm_table_cell(t, MM_PLAIN, "%s", mm_setting_def((enum mm_setting)s)->id);
		mm_table_cell(t, MM_PLAIN, "%s", shortened(x->value, a));
		mm_table_cell(t, x->over_path != NULL || x->unsure_path != NULL ? MM_YELLOW : MM_DIM, "%s",
		    where(x, a));
	}
}

static void settings(const struct row *rows, size_t n, struct mm_arena *a)
{
	static const char *const heads[] = {"CLIENT", "ACCOUNT", "SETTING", "VALUE", "WHERE", NULL};
	struct mm_table *t = mm_table_new(heads);
	bool any = false;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < rows[i].n; k++)
			for (size_t m = 0; m < rows[i].places[k].view.n; m++) {
				account_rows(t, &rows[i], &rows[i].places[k].view.accounts[m], a);
				any = true;
			}
	if (any) {
		printf("\n");
		mm_table_print(t, stdout);
	}
	mm_table_free(t);
}

static void warnings(const struct row *rows, size_t n)
{
	bool any = false;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < rows[i].n; k++)
			for (size_t m = 0; m < rows[i].places[k].view.n_traps; m++) {
				const struct mm_trap *trap = &rows[i].places[k].view.traps[m];
				struct mm_buf b = MM_BUF_INIT(65536);
				if (trap->quiet)
					continue;
				mm_printable(&b, trap->path, strlen(trap->path));
				if (trap->line > 0)
					mm_buf_addf(&b, ":%d", trap->line);
				mm_buf_adds(&b, ": ");
				mm_printable(&b, trap->text, strlen(trap->text));
				printf("%s%s\n", any ? "" : "\n", mm_buf_str(&b));
				mm_buf_free(&b);
				any = true;
			}
}

/* Who runs this; agent.conf says it where the system does not know. It need
 * not be there: to look, nobody has to be enrolled. */
static int who_am_i(
    const struct mm_common_opts *common, struct mm_arena *a, struct mm_identity *who, struct mm_err *err)
{
	struct mm_conf *conf = NULL;
	if (mm_cmd_conf(common, &conf, common->config != NULL ? err : NULL) != 0 && common->config != NULL)
		return -1;
	const char *login = conf != NULL && conf->login != NULL ? mm_arena_strdup(a, conf->login) : NULL;
	mm_conf_free(conf);
	return mm_identity_self(login, a, who, err);
}

int mm_cmd_clients(int argc, char **argv, struct mm_err *err)
{
	struct mm_common_opts common = {.config = NULL};
	const struct mm_opt opts[] = {MM_COMMON_OPTS(common)};
	struct mm_identity who;
	int rc = mm_cmd_parse(opts, &common, "mailmuster-agent clients [CLIENT] [--json]",
	    "Lists the mail programs that are known, and what is configured in them for you.", 1, &argc, argv,
	    err);
	if (rc != 0)
		return rc > 0 ? MM_EX_OK : err->code;
	const char *only = argc == 1 ? argv[0] : NULL;
	if (only != NULL && mm_client_by_name(only) == NULL)
		return mm_err_set(err, MM_EX_FAILED, "there is no client \"%s\"", only), MM_EX_FAILED;
	struct mm_arena *a = mm_arena_new();
	rc = who_am_i(&common, a, &who, err);
	if (rc == 0) {
		struct row *rows;
		size_t n = look_at_all(mm_reader_new(a, &who), only, &rows);
		if (common.json) {
			print_all_json(rows, n);
		} else {
			overview(rows, n, a);
			settings(rows, n, a);
			warnings(rows, n);
		}
	}
	mm_arena_free(a);
	return rc == 0 ? MM_EX_OK : err->code;
}
