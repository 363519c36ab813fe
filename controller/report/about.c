#include "controller/report/about.h"

#include <inttypes.h>
#include <string.h>

#include "common/text.h"

struct list {
	struct mm_arena *arena;
	struct mm_about *v;
	size_t n;
};

static void add(struct list *l, const char *name, const char *value)
{
	if (value != NULL && value[0] != '\0' && l->n < MM_ABOUT_MAX)
		l->v[l->n++] = (struct mm_about){.name = name, .value = value};
}

static void add_int(struct list *l, const char *name, int64_t v)
{
	add(l, name, mm_arena_printf(l->arena, "%" PRId64, v));
}

static void add_time(struct list *l, const char *name, int64_t t)
{
	char buf[MM_TIME_MAX];
	if (t > 0)
		add(l, name, mm_arena_strdup(l->arena, mm_time_utc(t, buf)));
}

size_t mm_report_about(const struct mm_report_meta *m, struct mm_arena *a, struct mm_about out[MM_ABOUT_MAX])
{
	struct list l = {.arena = a, .v = out};
	const struct mm_fleet *f = &m->fleet;
	add(&l, "generator", mm_arena_printf(a, "mailmuster %s", m->version));
	add(&l, "fleet", m->fleet_id);
	add_time(&l, "as-of", f->now);
	add_int(&l, "policy-revision", m->revision.number);
	add(&l, "policy-sha256", m->revision.sha256);
	if (m->baseline != NULL) {
		add(&l, "baseline", m->baseline->id);
		add(&l, "baseline-version", m->baseline->version);
		add(&l, "baseline-sha256", m->baseline->sha256);
	}
	add_int(&l, "stale-after-seconds", f->stale_after);
	add_int(&l, "hosts", f->hosts);
	add_int(&l, "hosts-fresh", f->hosts_fresh);
	add_int(&l, "hosts-stale", f->hosts_stale);
	add_int(&l, "hosts-never", f->hosts_never);
	add_int(&l, "waivers-in-force", m->waivers);
	add_int(&l, "waivers-expired", m->waivers_expired);
	add_int(&l, "witness-alarms", f->alarms);
	add_int(&l, "reports-bad-signature", f->seals_bad);
	add_time(&l, "oldest-evidence", f->oldest_seen);
	add_time(&l, "newest-evidence", f->newest_seen);
	add(&l, "only-host", m->filter.host);
	add(&l, "only-user", m->filter.user);
	add(&l, "only-group", m->filter.group);
	add(&l, "only-tag", m->filter.tag);
	add(&l, "only-client", m->filter.client);
	return l.n;
}

void mm_report_uuid(const struct mm_report_meta *m, const char *const *parts, char out[MM_UUID_LEN])
{
	struct mm_buf b = MM_BUF_INIT(1u << 16);
	for (; *parts != NULL; parts++)
		mm_buf_add(&b, *parts, strlen(*parts) + 1); /* the NUL tells "a", "bc" from "ab", "c" */
	mm_uuid5(m->fleet_id, mm_buf_str(&b), b.len, out);
	mm_buf_free(&b);
}

const char *mm_evidence_name(enum mm_evidence e)
{
	return e == MM_EV_CLAIMED ? "claimed" : "attested";
}

/* "; " between sentences. */
static void part(struct mm_buf *out, size_t start)
{
	if (out->len > start)
		mm_buf_adds(out, "; ");
}

static void when(struct mm_buf *out, size_t start, const char *what, int64_t t)
{
	char buf[MM_TIME_MAX];
	if (t <= 0)
		return;
	part(out, start);
	mm_buf_addf(out, "%s %s", what, mm_time_utc(t, buf));
}

void mm_result_words(const struct mm_check_result *r, struct mm_buf *out)
{
	size_t start = out->len;
	struct mm_buf sentence = MM_BUF_INIT(1u << 16);
	mm_check_result_sentence(r, &sentence);
	mm_buf_adds(out, mm_buf_str(&sentence));
	mm_buf_free(&sentence);
	if (r->path != NULL && r->path[0] != '\0') {
		part(out, start);
		mm_buf_addf(out, "in %s", r->path);
		if (r->line > 0)
			mm_buf_addf(out, ":%d", r->line);
	}
	if (r->fix[0] != '\0') {
		part(out, start);
		mm_buf_addf(out, "to do: %s", r->fix);
	}
	when(out, start, "since", r->since);
	part(out, start);
	if (r->seen > 0)
		mm_buf_addf(out, "evidence %s", mm_evidence_name(r->evidence));
	else
		mm_buf_adds(out, "never seen");
	when(out, start, "seen", r->seen);
	if (r->stale)
		when(out, start, "STALE since", r->expires);
	if (r->waiver.id != 0) {
		struct mm_buf w = MM_BUF_INIT(1u << 16);
		mm_waiver_sentence(&r->waiver, &w);
		part(out, start);
		mm_buf_adds(out, mm_buf_str(&w));
		mm_buf_free(&w);
	}
}

void mm_sum_words(const struct mm_check_sum *s, struct mm_buf *out)
{
	mm_check_sum_words(s, out);
	if (s->results > 0)
		mm_buf_addf(out, "; evidence: %" PRId64 " attested, %" PRId64 " claimed",
		    s->results - s->claimed, s->claimed);
}

void mm_check_sources(const struct mm_check *c, struct mm_buf *out)
{
	size_t start = out->len;
	for (size_t i = 0; i < c->n_refs; i++) {
		mm_buf_adds(out, out->len > start ? ", " : "");
		mm_buf_adds(out, c->refs[i].document);
		if (c->refs[i].section[0] != '\0')
			mm_buf_addf(out, " section %s", c->refs[i].section);
	}
	for (size_t i = 0; i < c->n_controls; i++)
		mm_buf_addf(out, "%s%s %s", out->len > start ? ", " : "", c->controls[i].framework,
		    c->controls[i].id);
}
