#include "agent/facts.h"

#include <string.h>

#include "agent/clients/tlsfloor.h"
#include "agent/modes.h"
#include "agent/place.h"
#include "agent/routes/route.h"
#include "common/text.h"

/* ---- the worst of several */

static size_t rank(enum mm_fact f, const char *found)
{
	const char *const *words = mm_fact_words(f);
	size_t i = 0;
	while (words[i] != NULL && !mm_streq(words[i], found))
		i++;
	return i;
}

/* What is unknown is worse than what is well, and better than what is not. */
static bool is_worse(const struct mm_fact_row *now, const struct mm_fact_row *x)
{
	if (x->found == NULL || now->found == NULL)
		return x->found == NULL ? now->found == NULL || now->well : !x->well;
	return rank(now->fact, x->found) > rank(now->fact, now->found);
}

static void take(struct mm_fact_row *now, const char *found, const char *path, int line, const char *reason)
{
	struct mm_fact_row x = {.fact = now->fact,
	    .found = found,
	    .well = found != NULL && rank(now->fact, found) <= rank(now->fact, mm_fact_desired(now->fact)),
	    .path = path,
	    .line = line,
	    .reason = reason};
	if (is_worse(now, &x))
		*now = x;
}

static struct mm_fact_row well(enum mm_fact f)
{
	return (struct mm_fact_row){.fact = f, .found = mm_fact_desired(f), .well = true, .reason = ""};
}

/* ---- what cannot be known */

static void take_doubt(struct mm_fact_row *now, const struct mm_seen *s, struct mm_arena *a)
{
	if (s->unsure_path != NULL)
		take(now, NULL, s->unsure_path, s->unsure_line, mm_unsure_reason(a, s));
	else if (s->over_path != NULL && !s->over_holds)
		take(now, NULL, s->over_path, s->over_line,
		    mm_arena_printf(
			a, "%s may win here", s->over_by != NULL ? s->over_by : "something else"));
}

static bool is_about(const struct mm_trap *t, const struct mm_seen_account *acc)
{
	return t->key == NULL || mm_streq(t->key, acc->key);
}

/* ---- sides */

static const struct side {
	enum mm_setting protocol, security, command, tls_min;
} sides[] = {{MM_SET_IN_PROTOCOL, MM_SET_IN_SECURITY, MM_SET_IN_PASSWORD_COMMAND, MM_SET_IN_TLS_MIN},
    {MM_SET_OUT_PROTOCOL, MM_SET_OUT_SECURITY, MM_SET_OUT_PASSWORD_COMMAND, MM_SET_OUT_TLS_MIN}};

static bool has_side(const struct mm_seen_account *acc, size_t i)
{
	return i == 0 ? acc->has_incoming : acc->has_outgoing;
}

/* Adapters say "starttls if offered", "starttls, or none" where it is not
 * required, and "tls, with any certificate". */
static const char *cleartext_of(
    const struct mm_view *view, const struct mm_seen_account *acc, const struct side *side)
{
	const char *p = acc->s[side->protocol].value, *v = acc->s[side->security].value;
	if (v == NULL || !(mm_streq(p, "imap") || mm_streq(p, "pop3") || mm_streq(p, "smtp")))
		return NULL;
	if (mm_starts_with(v, "tls"))
		return MM_FOUND_NO;
	for (size_t i = 0; i < view->n_traps; i++)
		if (view->traps[i].kind == MM_TRAP_OPPORTUNISTIC && is_about(&view->traps[i], acc))
			return MM_FOUND_OPPORTUNISTIC;
	if (strcmp(v, "none") == 0)
		return MM_FOUND_YES;
	if (!mm_starts_with(v, "starttls"))
		return NULL;
	return strstr(v, "offered") != NULL || strstr(v, "none") != NULL ? MM_FOUND_OPPORTUNISTIC
									 : MM_FOUND_NO;
}

#define NO_SUCH_SECURITY "what this account speaks, or how it is encrypted, is not known here"

static struct mm_fact_row cleartext(
    const struct mm_view *view, const struct mm_seen_account *acc, struct mm_arena *a)
{
	struct mm_fact_row row = well(MM_FACT_CLEARTEXT);
	for (size_t i = 0; i < 2; i++) {
		const struct mm_seen *s = &acc->s[sides[i].security];
		if (!has_side(acc, i))
			continue;
		const char *word = cleartext_of(view, acc, &sides[i]);
		take_doubt(&row, s, a);
		if (acc->verify.over_path != NULL && acc->verify.unsure_path == NULL) /* a tunnel */
			take_doubt(&row, &acc->verify, a);
		take(&row, word, s->path, s->line,
		    word == NULL                                      ? NO_SUCH_SECURITY
		    : s->note != NULL && !mm_streq(word, MM_FOUND_NO) ? s->note
								      : "");
	}
	return row;
}

/* ---- certificates */

static const char *const verify_words[MM_TRAP_KIND_COUNT] = {
    [MM_TRAP_NO_VERIFY] = MM_FOUND_NO,
    [MM_TRAP_CHAIN_ONLY] = MM_FOUND_CHAIN_ONLY,
    [MM_TRAP_NO_DATES] = MM_FOUND_NO_DATES,
};

static struct mm_fact_row certificate_check(
    const struct mm_view *view, const struct mm_seen_account *acc, struct mm_arena *a)
{
	struct mm_fact_row row = well(MM_FACT_CERT_CHECK);
	take_doubt(&row, &acc->verify, a);
	for (size_t i = 0; i < 2; i++) {
		const struct mm_seen *s = &acc->s[sides[i].security];
		if (!has_side(acc, i))
			continue;
		const char *word = cleartext_of(view, acc, &sides[i]);
		take_doubt(&row, s, a);
		if (word == NULL)
			take(&row, NULL, s->path, s->line, NO_SUCH_SECURITY);
		else if (mm_streq(word, MM_FOUND_YES))
			take(&row, MM_FOUND_NO_TLS, s->path, s->line, "");
	}
	for (size_t i = 0; i < view->n_traps; i++) {
		const struct mm_trap *t = &view->traps[i];
		if (verify_words[t->kind] != NULL && is_about(t, acc))
			take(&row, verify_words[t->kind], t->path, t->line, t->text);
	}
	return row;
}

/* ---- versions of TLS */

static void floor_of_side(struct mm_fact_row *row, const struct mm_client *cl, const struct mm_seen *s,
    struct mm_reader *r, struct mm_arena *a)
{
	struct mm_tls_floor f;
	const struct mm_tls_own own = {.version = s->value, .set = s->path != NULL};
	take_doubt(row, s, a);
	mm_tls_floor(r, cl->tls, &own, &f);
	bool is_own = f.path == NULL && s->value != NULL;
	take(row, f.version, is_own ? s->path : f.path, is_own ? s->line : f.line,
	    f.version == NULL                     ? f.why
	    : strcmp(f.version, "1.2") >= 0       ? ""
	    : (is_own ? s->path : f.path) != NULL ? "it is allowed there"
	    : cl->tls == MM_TLS_OWN               ? "the program takes it where nothing forbids it"
						  : "the system's library takes it, and nothing forbids it");
}

static struct mm_fact_row lowest_version(const struct mm_client *cl, const struct mm_view *view,
    const struct mm_seen_account *acc, struct mm_reader *r, struct mm_arena *a)
{
	struct mm_fact_row row = {
	    .fact = MM_FACT_TLS_MIN, .found = MM_FOUND_NO_TLS, .well = true, .reason = ""};
	for (size_t i = 0; i < 2; i++) {
		const struct mm_seen *s = &acc->s[sides[i].security];
		const char *word = has_side(acc, i) ? cleartext_of(view, acc, &sides[i]) : MM_FOUND_YES;
		if (word == NULL)
			take(&row, NULL, s->path, s->line, NO_SUCH_SECURITY);
		else if (!mm_streq(word, MM_FOUND_YES))
			floor_of_side(&row, cl, &acc->s[sides[i].tls_min], r, a);
	}
	return row;
}

static bool is_named(const char *list, const char *endpoint)
{
	size_t n = strlen(endpoint);
	for (const char *p = list; p != NULL && (p = strcasestr(p, endpoint)) != NULL; p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == '\0' || p[n] == ' '))
			return true;
	return false;
}

static struct mm_fact_row certificate_exception(
    const struct mm_view *view, const struct mm_seen_account *acc, struct mm_arena *a)
{
	struct mm_fact_row row = well(MM_FACT_CERT_EXCEPTION);
	for (size_t i = 0; i < view->n_traps; i++) {
		const struct mm_trap *t = &view->traps[i];
		const char *endpoint = t->endpoint != NULL ? t->endpoint : MM_FOUND_ANY;
		if (t->kind != MM_TRAP_EXCEPTION || !is_about(t, acc))
			continue;
		if (row.well)
			row = (struct mm_fact_row){.fact = row.fact,
			    .found = endpoint,
			    .path = t->path,
			    .line = t->line,
			    .reason = t->text};
		else if (!is_named(row.found, endpoint))
			row.found = mm_arena_printf(a, "%s %s", row.found, endpoint);
	}
	const struct mm_seen *doubt = &acc->exceptions;
	if (row.well && doubt->unsure_path != NULL)
		row = (struct mm_fact_row){.fact = row.fact,
		    .path = doubt->unsure_path,
		    .line = doubt->unsure_line,
		    .reason = doubt->unsure_why};
	return row;
}

/* ---- passwords */

static struct mm_fact_row password(
    const struct mm_view *view, const struct mm_seen_account *acc, struct mm_arena *a)
{
	struct mm_fact_row row = well(MM_FACT_PASSWORD);
	for (size_t i = 0; i < 2; i++)
		if (has_side(acc, i) && acc->s[sides[i].command].unsure_path != NULL)
			take_doubt(&row, &acc->s[sides[i].command], a);
	for (size_t i = 0; i < view->n_traps; i++) {
		const struct mm_trap *t = &view->traps[i];
		if (t->kind == MM_TRAP_PASSWORD && is_about(t, acc))
			take(&row, t->key != NULL || view->n == 1 ? MM_FOUND_IN_CLEAR : NULL, t->path,
			    t->line, t->text);
	}
	return row;
}

size_t mm_facts_of_place(const struct mm_client *cl, const struct mm_view *view, struct mm_fact_row *out)
{
	bool told = view->n == 1 && !view->accounts[0].quiet;
	*out = well(MM_FACT_PASSWORD);
	for (size_t i = 0; i < view->n_traps; i++) {
		const struct mm_trap *t = &view->traps[i];
		if (t->kind == MM_TRAP_PASSWORD && (t->key == NULL ? !told : t->key[0] == '\0'))
			take(out, MM_FOUND_IN_CLEAR, t->path, t->line, t->text);
	}
	/* Where every password belongs to an account, they say it. */
	return (cl->evidence & MM_EVIDENCE_PASSWORD) != 0 &&
		       (!out->well || view->n == 0 || view->accounts[0].quiet)
		   ? 1
		   : 0;
}

size_t mm_facts_of_account(const struct mm_client *cl, const struct mm_view *view,
    const struct mm_seen_account *acc, struct mm_reader *r, struct mm_arena *a, struct mm_fact_row *out)
{
	size_t n = 0;
	if (acc->quiet || !(acc->has_incoming || acc->has_outgoing))
		return 0;
	if ((cl->evidence & MM_EVIDENCE_PASSWORD) != 0)
		out[n++] = password(view, acc, a);
	if ((cl->evidence & MM_EVIDENCE_VERIFY) != 0) {
		out[n++] = certificate_check(view, acc, a);
		out[n++] = cleartext(view, acc, a);
		out[n++] = lowest_version(cl, view, acc, r, a);
	}
	if ((cl->evidence & MM_EVIDENCE_EXCEPTIONS) != 0)
		out[n++] = certificate_exception(view, acc, a);
	return n;
}

/* ---- as findings */

static void tell(struct mm_place_run *p, const char *account, const char *path, const char *desired,
    const struct mm_fact_row *row)
{
	bool where = !row->well || row->fact == MM_FACT_TLS_MIN;
	const struct mm_finding f = {.user = p->c->who->login,
	    .client = p->client->name,
	    .path = path,
	    .account = account,
	    .setting = mm_fact_id(row->fact),
	    .desired = row->found != NULL ? desired : NULL,
	    .found = row->found,
	    .line = where ? row->line : 0,
	    .override_path = !where || row->path == NULL || mm_streq(row->path, path) ? NULL : row->path,
	    .state = row->found == NULL ? MM_ST_UNKNOWN
		     : row->well        ? MM_ST_COMPLIANT
					: MM_ST_UNMANAGED,
	    .action = row->found == NULL || row->well ? MM_ACT_NONE : MM_ACT_REPORTED,
	    .reason = row->reason};
	p->c->sink->finding(p->c->sink, &f);
}

static void tell_account(struct mm_place_run *p, const struct mm_client *cl, const struct mm_view *view,
    const struct mm_seen_account *acc, const char *name, bool known)
{
	struct mm_fact_row rows[MM_FACT_COUNT];
	size_t n = mm_facts_of_account(cl, view, acc, p->base, p->c->arena, rows);
	for (size_t i = 0; i < n; i++) {
		if (!known && rows[i].found != NULL) {
			rows[i].reason = "";
			if (rows[i].fact == MM_FACT_CERT_EXCEPTION && !rows[i].well)
				rows[i].found = MM_FOUND_ANY;
		}
		tell(p, name, p->place->path, mm_fact_desired(rows[i].fact), &rows[i]);
	}
}

/* What this program itself calls it; never the name of one of the policy's. */
static const char *name_of(struct mm_place_run *p, const struct mm_seen_account *acc)
{
	for (size_t i = 0; i < p->c->sheet->n_accounts; i++)
		if (mm_streq(p->c->sheet->accounts[i].name, acc->key))
			return mm_arena_printf(p->c->arena, "%s (not the policy's)", acc->key);
	return acc->key;
}

static void tell_unmanaged(
    struct mm_place_run *p, const struct mm_view *view, const struct mm_seen_account *acc)
{
	const char *address = acc->s[MM_SET_ADDRESS].value,
		   *at = address != NULL ? strrchr(address, '@') : NULL;
	const struct mm_fact_row row = {
	    .fact = MM_FACT_UNMANAGED_ACCOUNT, .found = at != NULL ? at + 1 : "", .reason = ""};
	const char *name = name_of(p, acc);
	tell(p, name, p->place->path, NULL, &row);
	tell_account(p, p->client, view, acc, name, false);
}

static const struct mm_seen_account *named(const struct mm_view *view, const char *key)
{
	for (size_t i = 0; key != NULL && i < view->n; i++)
		if (mm_streq(view->accounts[i].key, key))
			return &view->accounts[i];
	return NULL;
}

static void tell_managed(struct mm_place_run *p, const struct mm_client *cl, const struct mm_view *view)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct mm_seen_account *acc = named(view, p->todo[i].key);
		if (p->todo[i].m.acc != NULL && acc != NULL)
			tell_account(p, cl, view, acc, p->todo[i].m.acc->name, true);
	}
}

static const struct mm_client *users_own(const struct mm_place_run *p)
{
	for (size_t i = 0; p->c->clients[i] != NULL; i++)
		if (mm_streq(p->c->clients[i]->name, p->client->name))
			return p->c->clients[i];
	return NULL;
}

/* Those of the policy's accounts that are in this view, and were not told yet. */
static void tell_seen(
    struct mm_place_run *p, const struct mm_client *cl, const struct mm_view *view, bool *told)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct mm_seen_account *acc = named(view, p->todo[i].key);
		if (told[i] || p->todo[i].m.acc == NULL || acc == NULL)
			continue;
		told[i] = true;
		tell_account(p, cl, view, acc, p->todo[i].m.acc->name, true);
	}
}

/* What the system's files give: as the program sees it that this user runs,
 * with his own exceptions and whatever of his wins, if it is only that he has
 * no configuration yet; else as it stands in those files, where they are all
 * that the program reads of these accounts. */
static void tell_provided(struct mm_place_run *p)
{
	const struct mm_client *cl = users_own(p);
	const struct mm_route *route = mm_route_by_name(p->client->name);
	struct mm_place *places = NULL;
	bool *told = mm_arena_alloc(p->c->arena, p->n + 1, sizeof(*told));
	struct mm_view view;
	size_t n = 0;
	bool has_own = false;
	if (cl == NULL || cl->find(p->base, true, &places, &n, NULL) != 0)
		return;
	for (size_t i = 0; i < n; i++) {
		has_own |= places[i].exists;
		if (!places[i].in_use)
			continue;
		if (cl->read(p->base, &places[i], &view, NULL) != 0)
			return;
		tell_seen(p, cl, &view, told);
	}
	if (route != NULL && (route->whole || (route->whole_at_first && !has_own)))
		tell_seen(p, cl, &p->view, told);
}

static void tell_unknown(struct mm_place_run *p, const struct mm_view *view)
{
	for (size_t i = 0; i < p->view.n; i++) {
		const struct mm_seen_account *acc = &p->view.accounts[i];
		if (!p->claimed[i] && !acc->quiet && !mm_place_is_shared(p, acc))
			tell_unmanaged(p, view, acc);
	}
}

/* ---- files */

static const char *owner_name(const struct mm_place_run *p, uid_t uid)
{
	if (uid == 0)
		return "root";
	return uid == p->c->who->uid ? p->c->who->login : mm_arena_printf(p->c->arena, "%u", (unsigned)uid);
}

static bool is_below_home(const struct mm_place_run *p, const char *path)
{
	size_t n = strlen(p->c->who->home);
	return strncmp(path, p->c->who->home, n) == 0 && path[n] == '/';
}

/* Of the system's files only what is wrong is told: they are the same for all. */
static void tell_file(struct mm_place_run *p, const char *path, bool secret, const struct stat *st)
{
	unsigned mode = (unsigned)st->st_mode & 07777u;
	bool below = is_below_home(p, path), place = mm_streq(path, p->place->path);
	struct mm_fact_row row = {.fact = MM_FACT_FILE_MODE,
	    .found = mm_arena_printf(p->c->arena, "%04o", mode),
	    .well = (mode & (secret ? 066u : 022u)) == 0,
	    .reason = ""};
	if (below || place || !row.well)
		tell(p, "", path, secret ? "0600" : "0644", &row);
	row = (struct mm_fact_row){.fact = MM_FACT_FILE_OWNER,
	    .found = owner_name(p, st->st_uid),
	    .well = st->st_uid == p->c->who->uid || (st->st_uid == 0 && !below),
	    .reason = ""};
	if (below || place || !row.well)
		tell(p, "", path, below ? p->c->who->login : "root", &row);
}

static void tell_files(struct mm_place_run *p, const struct mm_view *view)
{
	size_t n;
	const struct mm_config_file *v = mm_modes_files(p->base, p->place, view, &n);
	struct stat st;
	for (size_t i = 0; i < n; i++)
		if (mm_reader_stat(p->base, v[i].path, &st))
			tell_file(p, v[i].path, v[i].secret, &st);
}

void mm_facts_report(struct mm_place_run *p)
{
	const struct mm_view *view = p->after != NULL ? p->after : &p->view;
	struct mm_fact_row row;
	if (p->read_only || !p->place->exists)
		return;
	if (p->provided) {
		tell_provided(p);
		return;
	}
	tell_managed(p, p->client, view);
	tell_unknown(p, view);
	if (mm_facts_of_place(p->client, view, &row) > 0)
		tell(p, "", p->place->path, mm_fact_desired(row.fact), &row);
	tell_files(p, view);
}

void mm_facts_unread(struct mm_place_run *p)
{
	struct stat st;
	if (!p->read_only && !p->provided && stat(p->place->path, &st) == 0 && S_ISREG(st.st_mode))
		tell_file(p, p->place->path, false, &st);
}
