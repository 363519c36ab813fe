#include "controller/report/xccdf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "controller/report/about.h"
#include "controller/report/spool.h"
#include "controller/report/xml.h"

/* How a check went on a workstation: what makes two of them alike. All of one
 * width, so that a row of them can be compared as bytes. */
struct cell {
	int64_t outcome; /* enum mm_check_outcome + 1; 0 = there was nothing to look at */
	int64_t claimed, stale, never;
	int64_t waiver, waiver_expired;
};

/* The same, with what is summed up over the workstations that are alike. */
struct count {
	int64_t objects, bad; /* bad: those with the outcome of the cell */
	int64_t oldest;
};

struct group {
	uint64_t hash;
	char id[MM_UUID_LEN];
	struct cell *cells;
	struct count *counts;
	const char **waivers; /* the sentence of each, or NULL */
	const char **first;   /* of what is not well: the first object and what is wrong with it, or NULL */
};

struct mm_xccdf {
	const struct mm_report_meta *m;
	struct mm_xccdf_use use;
	struct mm_arena *arena, *host_arena;
	struct mm_spool *spool; /* the targets of group i in stream i; the rest in MM_XCCDF_GROUPS */
	struct group *groups;
	size_t n, cap, n_checks;
	struct group now; /* the workstation at hand */
	struct mm_buf host;
	bool any;
};

static void new_host(struct mm_xccdf *x, const char *host)
{
	mm_arena_free(x->host_arena);
	x->host_arena = mm_arena_new();
	size_t n = x->n_checks + 1;
	x->now = (struct group){
	    .cells = mm_arena_alloc(x->host_arena, n, sizeof(struct cell)),
	    .counts = mm_arena_alloc(x->host_arena, n, sizeof(struct count)),
	    .waivers = mm_arena_alloc(x->host_arena, n, sizeof(char *)),
	    .first = mm_arena_alloc(x->host_arena, n, sizeof(char *)),
	};
	mm_buf_reset(&x->host);
	mm_buf_adds(&x->host, host);
	x->any = true;
}

struct mm_xccdf *mm_xccdf_new(const struct mm_report_meta *m, const struct mm_xccdf_use *use)
{
	struct mm_xccdf *x = mm_xcalloc(1, sizeof(*x));
	x->m = m;
	x->use = *use;
	x->arena = mm_arena_new();
	x->spool = mm_spool_new();
	x->n_checks = m->baseline != NULL ? m->baseline->n : 0;
	x->host = MM_BUF_INIT(1u << 16);
	return x;
}

void mm_xccdf_free(struct mm_xccdf *x)
{
	if (x == NULL)
		return;
	mm_spool_free(x->spool);
	mm_arena_free(x->arena);
	mm_arena_free(x->host_arena);
	mm_buf_free(&x->host);
	free(x);
}

int mm_xccdf_failed(const struct mm_xccdf *x)
{
	return mm_spool_failed(x->spool);
}

/* ---- one workstation */

static int badness(int64_t outcome_1)
{
	static const int rank[MM_OUT_COUNT + 1] = {
	    [MM_OUT_NOT_APPLICABLE + 1] = 1,
	    [MM_OUT_COMPLIANT + 1] = 2,
	    [MM_OUT_WAIVED + 1] = 3,
	    [MM_OUT_DEFERRED + 1] = 4,
	    [MM_OUT_UNKNOWN + 1] = 5,
	    [MM_OUT_DRIFTED + 1] = 6,
	    [MM_OUT_FAILED + 1] = 7,
	};
	return rank[outcome_1];
}

/* "alice on ws1, mutt, work: found 25, wanted 465, in /home/alice/.msmtprc:3" */
static void said_of(const struct mm_check_result *r, struct mm_buf *out)
{
	struct mm_buf sentence = MM_BUF_INIT(1u << 16);
	mm_check_result_sentence(r, &sentence);
	mm_check_result_of(r, out);
	if (sentence.len > 0)
		mm_buf_addf(out, ": %s", mm_buf_str(&sentence));
	if (r->path != NULL && r->path[0] != '\0')
		mm_buf_addf(out, ", in %s", r->path);
	if (r->path != NULL && r->path[0] != '\0' && r->line > 0)
		mm_buf_addf(out, ":%d", r->line);
	mm_buf_free(&sentence);
}

static void worst(struct mm_xccdf *x, size_t at, const struct mm_check_result *r)
{
	struct cell *c = &x->now.cells[at];
	c->outcome = (int64_t)r->outcome + 1;
	c->stale = r->stale;
	c->never = r->seen == 0;
	c->waiver = r->waiver.id;
	c->waiver_expired = r->waiver.id != 0 && r->waiver.expired;
	x->now.counts[at].bad = 0;
	struct mm_buf b = MM_BUF_INIT(1u << 16);
	mm_waiver_sentence(&r->waiver, &b);
	x->now.waivers[at] = r->waiver.id != 0 ? mm_arena_strdup(x->host_arena, mm_buf_str(&b)) : NULL;
	x->now.first[at] = NULL;
	if (r->outcome != MM_OUT_COMPLIANT && r->outcome != MM_OUT_NOT_APPLICABLE) {
		mm_buf_reset(&b);
		said_of(r, &b);
		x->now.first[at] = mm_arena_strdup(x->host_arena, mm_buf_str(&b));
	}
	mm_buf_free(&b);
}

static void close_host(struct mm_xccdf *x);

void mm_xccdf_add(struct mm_xccdf *x, const struct mm_check_result *r)
{
	if (r->check->index >= x->n_checks)
		return;
	if (!x->any || !mm_streq(mm_buf_str(&x->host), r->host)) {
		close_host(x);
		new_host(x, r->host);
	}
	size_t at = r->check->index;
	struct cell *c = &x->now.cells[at];
	struct count *n = &x->now.counts[at];
	if (badness((int64_t)r->outcome + 1) > badness(c->outcome))
		worst(x, at, r);
	c->claimed |= r->evidence == MM_EV_CLAIMED;
	n->objects++;
	n->bad += c->outcome == (int64_t)r->outcome + 1;
	if (r->seen > 0 && (n->oldest == 0 || r->seen < n->oldest))
		n->oldest = r->seen;
}

/* ---- TestResults */

static const char *xccdf_result(int64_t outcome_1)
{
	static const char *const v[MM_OUT_COUNT + 1] = {
	    [MM_OUT_COMPLIANT + 1] = "pass",
	    [MM_OUT_DRIFTED + 1] = "fail",
	    [MM_OUT_FAILED + 1] = "fail",
	    [MM_OUT_UNKNOWN + 1] = "unknown",
	    [MM_OUT_WAIVED + 1] = "informational",
	    [MM_OUT_DEFERRED + 1] = "notchecked",
	    [MM_OUT_NOT_APPLICABLE + 1] = "notapplicable",
	};
	return v[outcome_1];
}

/* A waiver stands here and in no <override>: where one result of a TestResult
 * has that, the rules of OpenSCAP 1.3.7 refuse all results that have none. */
static void words(struct mm_buf *b, const struct group *g, size_t at)
{
	const struct cell *c = &g->cells[at];
	const struct count *n = &g->counts[at];
	mm_buf_addf(b, "<message severity=\"info\">%s%s%s: %" PRId64 " of %" PRId64 " objects; evidence %s",
	    mm_outcome_name((enum mm_check_outcome)(c->outcome - 1)), c->stale ? ", STALE" : "",
	    c->never ? ", never seen" : "", n->bad, n->objects,
	    c->claimed ? "claimed (some of it at least)" : "attested");
	if (g->first[at] != NULL) {
		mm_buf_adds(b, n->bad > 1 ? "; the first: " : "; ");
		mm_xml_text(b, g->first[at]);
	}
	if (g->waivers[at] != NULL) {
		mm_buf_adds(b, "; ");
		mm_xml_text(b, g->waivers[at]);
	}
	mm_buf_adds(b, "</message>");
}

static void rule_result(const struct mm_xccdf *x, struct mm_buf *b, const struct group *g, size_t at)
{
	const struct cell *c = &g->cells[at];
	char t[MM_TIME_MAX];
	mm_buf_addf(b, "<rule-result idref=\"xccdf_mailmuster_rule_%s\"", x->m->baseline->checks[at].id);
	if (g->counts[at].oldest > 0)
		mm_xml_attr(b, "time", mm_time_utc(g->counts[at].oldest, t));
	mm_xml_attr(b, "severity", mm_xccdf_severity(x->m->baseline->checks[at].severity));
	mm_buf_addf(b, "><result>%s</result>", xccdf_result(c->outcome));
	words(b, g, at);
	mm_buf_adds(b, "<check system=\"urn:mailmuster:check\"/></rule-result>\n");
}

/* How many passed of those that count: what is unknown counts, and did not pass. */
static void score(const struct mm_xccdf *x, struct mm_buf *b, const struct group *g)
{
	int64_t passed = 0, whole = 0;
	for (size_t i = 0; i < x->n_checks; i++) {
		int64_t o = g->cells[i].outcome;
		if (o == 0 || o == (int64_t)MM_OUT_NOT_APPLICABLE + 1 || o == (int64_t)MM_OUT_WAIVED + 1)
			continue;
		whole++;
		passed += o == (int64_t)MM_OUT_COMPLIANT + 1;
	}
	mm_buf_addf(b,
	    "<score system=\"urn:xccdf:scoring:flat-unweighted\" maximum=\"%" PRId64 "\">%" PRId64
	    "</score>\n",
	    whole, passed);
}

static void test_result_head(const struct mm_xccdf *x, struct mm_buf *b, const char *id)
{
	const struct mm_report_meta *m = x->m;
	char now[MM_TIME_MAX];
	if (x->use.before != NULL)
		x->use.before(b, id);
	mm_buf_addf(b,
	    "<TestResult xmlns=\"" MM_XCCDF_NS "\" id=\"xccdf_mailmuster_testresult_%s\" end-time=\"%s\""
	    " test-system=\"urn:mailmuster:%s\">\n",
	    id, mm_time_utc(m->fleet.now, now), m->version);
	if (x->use.before != NULL)
		mm_buf_addf(b, "<benchmark id=\"xccdf_mailmuster_benchmark_%s\" href=\"#benchmark\"/>\n",
		    m->baseline != NULL ? m->baseline->id : "none");
	mm_xml_elem(b, "title", m->title);
}

static void facts(const struct mm_xccdf *x, struct mm_buf *b)
{
	struct mm_arena *a = mm_arena_new();
	struct mm_about about[MM_ABOUT_MAX];
	size_t n = mm_report_about(x->m, a, about);
	mm_buf_adds(b, "<target-facts>\n");
	for (size_t i = 0; i < n; i++) {
		if (mm_starts_with(about[i].name, "hosts") || mm_starts_with(about[i].name, "waivers") ||
		    mm_ends_with(about[i].name, "-evidence"))
			continue; /* of the whole fleet: they stand in the benchmark */
		mm_buf_addf(b, "<fact name=\"urn:mailmuster:%s\">", about[i].name);
		mm_xml_text(b, about[i].value);
		mm_buf_adds(b, "</fact>\n");
	}
	mm_buf_adds(b, "</target-facts>\n");
	mm_arena_free(a);
}

static void test_result_rest(const struct mm_xccdf *x, struct mm_buf *b, const struct group *g)
{
	facts(x, b);
	for (size_t i = 0; i < x->n_checks; i++)
		if (g->cells[i].outcome != 0)
			rule_result(x, b, g, i);
	score(x, b, g);
	mm_buf_adds(b, "</TestResult>\n");
	mm_buf_adds(b, x->use.after != NULL ? x->use.after : "");
}

static void target(struct mm_buf *b, const char *host)
{
	mm_xml_elem(b, "target", host[0] != '\0' ? host : "the fleet");
	mm_buf_addc(b, '\n');
}

/* ---- groups */

static uint64_t hash_of(const struct mm_xccdf *x)
{
	const unsigned char *p = (const unsigned char *)x->now.cells;
	uint64_t h = 14695981039346656037u; /* FNV-1a */
	for (size_t i = 0; i < x->n_checks * sizeof(struct cell); i++)
		h = (h ^ p[i]) * 1099511628211u;
	/* the fleet's own checks are no workstation's */
	return mm_buf_str(&x->host)[0] == '\0' ? ~h : h;
}

static struct group *find(struct mm_xccdf *x, uint64_t hash)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->groups[i].hash == hash &&
		    memcmp(x->groups[i].cells, x->now.cells, x->n_checks * sizeof(struct cell)) == 0)
			return &x->groups[i];
	return NULL;
}

static void *copy(struct mm_arena *a, const void *p, size_t n, size_t size)
{
	void *v = mm_arena_alloc(a, n + 1, size);
	memcpy(v, p, n * size);
	return v;
}

/* The cells name the group, so that it has the same name tomorrow. */
static void name(const struct mm_xccdf *x, struct group *g, const char *host)
{
	struct mm_buf b = MM_BUF_INIT(1u << 20);
	const struct cell *c = g->cells;
	for (size_t i = 0; i < x->n_checks; i++)
		if (c[i].outcome != 0)
			mm_buf_addf(&b,
			    "%s=%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ";",
			    x->m->baseline->checks[i].id, c[i].outcome, c[i].claimed, c[i].stale, c[i].never,
			    c[i].waiver, c[i].waiver_expired);
	MM_REPORT_UUID(x->m, g->id, "xccdf", host != NULL ? host : "", mm_buf_str(&b));
	mm_buf_free(&b);
}

static struct group *add_group(struct mm_xccdf *x, uint64_t hash)
{
	struct group *g = mm_arena_push(x->arena, &x->groups, &x->n, &x->cap, sizeof(*g));
	size_t n = x->n_checks;
	*g = (struct group){
	    .hash = hash,
	    .cells = copy(x->arena, x->now.cells, n, sizeof(struct cell)),
	    .counts = mm_arena_alloc(x->arena, n + 1, sizeof(struct count)),
	    .waivers = mm_arena_alloc(x->arena, n + 1, sizeof(char *)),
	    .first = mm_arena_alloc(x->arena, n + 1, sizeof(char *)),
	};
	for (size_t i = 0; i < n; i++) {
		g->waivers[i] = mm_arena_strdup(x->arena, x->now.waivers[i]);
		g->first[i] = mm_arena_strdup(x->arena, x->now.first[i]);
	}
	name(x, g, mm_buf_str(&x->host)[0] == '\0' ? "the fleet" : NULL);
	return g;
}

static void join(struct mm_xccdf *x, struct group *g)
{
	for (size_t i = 0; i < x->n_checks; i++) {
		struct count *to = &g->counts[i];
		const struct count *from = &x->now.counts[i];
		to->objects += from->objects;
		to->bad += from->bad;
		if (from->oldest > 0 && (to->oldest == 0 || from->oldest < to->oldest))
			to->oldest = from->oldest;
	}
	struct mm_buf b = MM_BUF_INIT(1u << 16);
	target(&b, mm_buf_str(&x->host));
	mm_spool_add(x->spool, (size_t)(g - x->groups), mm_buf_str(&b), b.len);
	mm_buf_free(&b);
}

/* There are too many ways to fare: this workstation stands alone. */
static void alone(struct mm_xccdf *x)
{
	struct mm_buf b = MM_BUF_INIT(4u << 20);
	name(x, &x->now, mm_buf_str(&x->host));
	test_result_head(x, &b, x->now.id);
	target(&b, mm_buf_str(&x->host));
	test_result_rest(x, &b, &x->now);
	mm_spool_add(x->spool, MM_XCCDF_GROUPS, mm_buf_str(&b), b.len);
	mm_buf_free(&b);
}

static void close_host(struct mm_xccdf *x)
{
	if (!x->any)
		return;
	uint64_t hash = hash_of(x);
	struct group *g = find(x, hash);
	const char *id = x->now.id;
	if (g == NULL && x->n < MM_XCCDF_GROUPS)
		g = add_group(x, hash);
	if (g != NULL) {
		join(x, g);
		id = g->id;
	} else {
		alone(x);
	}
	if (x->use.target != NULL)
		x->use.target(mm_buf_str(&x->host), id, x->use.arg);
	x->any = false;
}

void mm_xccdf_finish(struct mm_xccdf *x)
{
	close_host(x);
	if (x->n > 0)
		return;
	new_host(x, "");
	close_host(x);
}

void mm_xccdf_results(struct mm_xccdf *x, FILE *f)
{
	struct mm_buf b = MM_BUF_INIT(4u << 20);
	for (size_t i = 0; i < x->n; i++) {
		mm_buf_reset(&b);
		test_result_head(x, &b, x->groups[i].id);
		fputs(mm_buf_str(&b), f);
		mm_spool_pour(x->spool, i, f);
		mm_buf_reset(&b);
		test_result_rest(x, &b, &x->groups[i]);
		fputs(mm_buf_str(&b), f);
	}
	mm_spool_pour(x->spool, MM_XCCDF_GROUPS, f);
	mm_buf_free(&b);
}
