#include "agent/probe/discover_run.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/probe/autoconfig.h"
#include "agent/probe/discover_ask.h"
#include "agent/probe/show.h"
#include "common/frame.h"
#include "common/sandbox.h"
#include "common/text.h"

#define OUT_MAX (256u * 1024u)

struct run {
	const struct mm_discover_opts *o;
	const struct mm_runner_opts *ro;
	struct mm_discovery d;
	struct mm_ask ask;
	char trouble[MM_ASK_FILES][512]; /* of a file that came and is not usable */
	struct mm_probe_task *tasks;
	size_t looked;
	struct mm_style style;
};

/* ---- what was published */

static void collect(struct run *r)
{
	for (size_t i = 0; i < MM_SRV_SERVICES; i++) {
		struct mm_srv_answer a;
		const struct mm_ask_srv *s = &r->ask.srv[i];
		if (s->code == 0 && mm_srv_parse(s->answer, s->n, r->d.mem, &a, NULL) == 0)
			mm_discovery_add_srv(&r->d, i, &a);
	}
	for (size_t i = 0; i < MM_ASK_FILES; i++) {
		const struct mm_ask_file *f = &r->ask.file[i];
		struct mm_err err = MM_ERR_NONE;
		if (f->body != NULL && mm_autoconfig_parse(f->body, f->n, &r->d, &err) != 0)
			snprintf(r->trouble[i], sizeof(r->trouble[i]), "%.*s", 511, err.text);
		else if (f->body == NULL && !f->absent)
			snprintf(r->trouble[i], sizeof(r->trouble[i]), "%s", f->trouble);
	}
	mm_discovery_add_standard(&r->d);
}

/* ---- a look at each, without credentials */

static int told(void *ctx, size_t job, const struct mm_login *l, struct mm_err *err)
{
	struct run *r = ctx;
	struct mm_candidate *c = &r->d.list[job];
	struct mm_arena *mem = r->d.mem;
	(void)err;
	r->looked++;
	c->looked = true;
	c->result = l->result;
	c->cls = mm_arena_strdup(mem, l->cls);
	c->text = l->result == MM_LOGIN_PASSED ? "" : mm_arena_strdup(mem, l->text);
	c->mechanisms = mm_arena_strdup(mem, l->ladder.endpoint.mechanisms);
	c->certificate = mm_arena_strdup(mem, l->tls.san);
	return 0;
}

static void tick(void *ctx)
{
	const struct run *r = ctx;
	mm_progress("%s: %zu of %zu servers looked at", r->d.domain, r->looked, r->d.n);
}

/* Without encryption only the greeting can be looked at; the task for it has
 * a login by no means, which is none. */
static void make_task(struct run *r, size_t i)
{
	const struct mm_candidate *c = &r->d.list[i];
	struct mm_probe_task *t = &r->tasks[i];
	*t = mm_probe_task_none;
	t->id = (int64_t)i + 1;
	t->level = mm_streq(c->security, "none") ? MM_LEVEL_REACH : MM_LEVEL_TLS;
	t->protocol = c->protocol;
	t->host = c->host;
	t->port = c->port;
	t->security = c->security;
	t->auth = "none";
	t->ca_file = r->o->ca_file;
	t->tls_min = r->o->tls_min;
}

static int look(struct run *r, struct mm_err *err)
{
	struct mm_job *jobs = mm_xcalloc(r->d.n + 1, sizeof(*jobs));
	r->tasks = mm_arena_alloc(r->d.mem, r->d.n + 1, sizeof(*r->tasks));
	for (size_t i = 0; i < r->d.n; i++) {
		make_task(r, i);
		jobs[i] = (struct mm_job){.task = &r->tasks[i]};
	}
	struct mm_engine_opts eo = {.limits = &r->ro->limits,
	    .gai = mm_gai_of(r->ro->family),
	    .per_server = r->ro->per_server,
	    .no_survey = true,
	    .told = told,
	    .tick = r->ro->progress ? tick : NULL,
	    .ctx = r};
	int rc = mm_engine_run(jobs, r->d.n, &eo, err);
	mm_progress_clear();
	free(jobs);
	return rc;
}

/* ---- for people */

static void add_sources(const struct mm_candidate *c, struct mm_buf *b)
{
	static const struct {
		unsigned bit;
		const char *word;
	} words[] = {
	    {MM_FOUND_SRV, "SRV"}, {MM_FOUND_AUTOCONFIG, "autoconfig"}, {MM_FOUND_STANDARD, "usual name"}};
	for (size_t i = 0; i < 3; i++)
		if ((c->found & words[i].bit) != 0)
			mm_buf_addf(b, "%s%s", b->len > 0 ? ", " : "", words[i].word);
}

/* Guesses that lead nowhere are nobody's news. */
static bool is_shown(const struct run *r, const struct mm_candidate *c)
{
	return r->ro->verbose || mm_candidate_works(c) || c->found != MM_FOUND_STANDARD;
}

static void add_row(const struct run *r, const struct mm_candidate *c, struct mm_table *t)
{
	bool ok = mm_candidate_works(c);
	bool chosen = c == mm_discovery_best(&r->d, true) || c == mm_discovery_best(&r->d, false);
	struct mm_buf found = MM_BUF_INIT(256);
	add_sources(c, &found);
	mm_table_cell(t, MM_GREEN, "%s", chosen ? "*" : " ");
	mm_table_cell(t, MM_PLAIN, "%s", c->protocol);
	mm_table_cell(t, MM_PLAIN, "%s", c->host);
	mm_table_cell(t, MM_PLAIN, "%d", c->port);
	mm_table_cell(t, MM_PLAIN, "%s", c->security);
	mm_table_cell(t, ok ? MM_GREEN : MM_RED, "%s", ok ? "answers" : c->cls);
	enum mm_trust trust = mm_candidate_trust(&r->d, c);
	mm_table_cell(t, trust == MM_TRUST_NONE ? MM_YELLOW : MM_PLAIN, "%s", mm_trust_word(trust));
	mm_table_cell(t, MM_PLAIN, "%s", mm_buf_str(&found));
	mm_buf_free(&found);
}

static void print_table(const struct run *r)
{
	static const char *const heads[] = {
	    " ", "PROTOCOL", "SERVER", "PORT", "SECURITY", "LOOK", "TRUST", "FOUND BY", NULL};
	struct mm_table *t = mm_table_new(heads);
	size_t rows = 0;
	for (size_t i = 0; i < r->d.n; i++) {
		if (!is_shown(r, &r->d.list[i]))
			continue;
		add_row(r, &r->d.list[i], t);
		rows++;
	}
	if (rows > 0)
		mm_table_print(t, stdout);
	mm_table_free(t);
}

static void say(const struct run *r, const char *text)
{
	struct mm_buf clean = MM_BUF_INIT(16384), b = MM_BUF_INIT(16384);
	mm_printable(&clean, text, strlen(text));
	mm_wrap(&b, mm_buf_str(&clean), 0, r->style.width);
	puts(mm_buf_str(&b));
	mm_buf_free(&b);
	mm_buf_free(&clean);
}

static void print_not_offered(const struct run *r)
{
	struct mm_buf b = MM_BUF_INIT(1024);
	for (size_t i = 0; i < MM_SRV_SERVICES; i++)
		if (r->d.not_offered[i])
			mm_buf_addf(&b, "%s %s over %s", b.len > 0 ? "," : "", mm_srv_services[i].protocol,
			    mm_srv_services[i].security);
	if (b.len > 0) {
		char *text =
		    mm_arena_printf(r->d.mem, "%s says that it does not offer%s.", r->d.domain, b.data);
		say(r, text);
	}
	mm_buf_free(&b);
}

static bool names_fail(const struct run *r)
{
	for (size_t i = 0; i < MM_SRV_SERVICES; i++)
		if (r->ask.srv[i].code != TRY_AGAIN)
			return false;
	return true;
}

static void print_remarks(const struct run *r)
{
	bool unproven = false;
	print_not_offered(r);
	for (size_t i = 0; i < r->d.n; i++)
		unproven = unproven || (is_shown(r, &r->d.list[i]) &&
					   mm_candidate_trust(&r->d, &r->d.list[i]) == MM_TRUST_NONE);
	if (unproven)
		say(r,
		    mm_arena_printf(r->d.mem,
			"Unproven: the name service leads out of %s, and neither DNSSEC, nor the web server "
			"of %s, "
			"nor the server's certificate vouches for it. Ask before you use it (RFC 6186, 6).",
			r->d.domain, r->d.domain));
	if (r->d.refused_cleartext > 0)
		say(r, mm_arena_printf(r->d.mem,
			   "%zu published without encryption left out; --allow-cleartext takes them in.",
			   r->d.refused_cleartext));
	for (size_t i = 0; i < MM_ASK_FILES; i++)
		if (r->trouble[i][0] != '\0')
			say(r, mm_arena_printf(r->d.mem, "%s: %s", r->ask.file[i].url, r->trouble[i]));
	if (names_fail(r))
		say(r, "The name service did not answer: what was published could not be asked for.");
}

static void print_text(const struct run *r)
{
	struct mm_buf b = MM_BUF_INIT(OUT_MAX);
	bool in = mm_discovery_best(&r->d, true) != NULL, out = mm_discovery_best(&r->d, false) != NULL;
	print_table(r);
	print_remarks(r);
	if (!in || !out)
		say(r, mm_arena_printf(r->d.mem, "No %s server of %s was found that answers with encryption.",
			   in    ? "outgoing"
			   : out ? "incoming"
				 : "mail",
			   r->d.domain));
	mm_discovery_fragment(&r->d, &b);
	if (b.len > 0)
		printf("\n# %s, for a policy; nobody has logged in yet\n%s", r->d.domain, mm_buf_str(&b));
	mm_buf_free(&b);
	fflush(stdout);
}

static int print_json(const struct run *r, struct mm_err *err)
{
	struct mm_buf b = MM_BUF_INIT(OUT_MAX);
	for (size_t i = 0; i < r->d.n; i++) {
		mm_candidate_json(&r->d, &r->d.list[i], &b);
		mm_buf_addc(&b, '\n');
	}
	int rc = mm_write_all(STDOUT_FILENO, mm_buf_str(&b), b.len, err);
	mm_buf_free(&b);
	return rc;
}

/* ---- all of it */

static int enter(const struct run *r, struct mm_err *err)
{
	const char *paths[] = {r->o->ca_file, NULL};
	struct mm_sandbox_opts so = {.read_paths = paths};
	mm_raise_file_limit();
	if (mm_curl_init(err) != 0)
		return -1;
	return mm_sandbox_enter(MM_SANDBOX_PROBE, &so, err);
}

static int discover(struct run *r, struct mm_err *err)
{
	if (enter(r, err) != 0)
		return err->code;
	if (r->ro->progress)
		mm_progress("asking what %s publishes", r->d.domain);
	if (mm_ask_all(r->d.domain, r->o->ca_file, r->ro->family, &r->ask, err) != 0)
		return err->code;
	collect(r);
	if (look(r, err) != 0)
		return err->code;
	mm_discovery_rank(&r->d);
	if (r->ro->json && print_json(r, err) != 0)
		return err->code;
	if (!r->ro->json)
		print_text(r);
	bool both = mm_discovery_best(&r->d, true) != NULL && mm_discovery_best(&r->d, false) != NULL;
	return both ? MM_EX_OK : MM_EX_FAILED;
}

int mm_discover_run(
    const char *what, const struct mm_discover_opts *o, const struct mm_runner_opts *ro, struct mm_err *err)
{
	struct mm_arena *mem = mm_arena_new();
	struct run r = {.o = o, .ro = ro, .style = mm_style_of(stdout)};
	int rc = mm_discovery_begin(&r.d, what, mem, err) == 0 ? 0 : err->code;
	r.d.allow_cleartext = o->allow_cleartext;
	if (rc == 0)
		rc = discover(&r, err);
	mm_ask_free(&r.ask);
	mm_arena_free(mem);
	return rc;
}
