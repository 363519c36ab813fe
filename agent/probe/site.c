#include "agent/probe/site.h"

#include <string.h>
#include <strings.h>

#include "common/text.h"

/* ---- its tests */

static int compare_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int compare_int(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* A client certificate is shown in the handshake: what is seen with one
 * holds for nobody else. */
static int compare_endpoints(const struct mm_endpoint *x, const struct mm_endpoint *y)
{
	int rc = strcasecmp(x->host, y->host);
	rc = rc != 0 ? rc : compare_int(x->port, y->port);
	rc = rc != 0 ? rc : compare_int(x->mail, y->mail);
	rc = rc != 0 ? rc : compare_int(x->security, y->security);
	rc = rc != 0 ? rc : compare_int(x->tls_min, y->tls_min);
	rc = rc != 0 ? rc : compare_text(x->ca_file, y->ca_file);
	rc = rc != 0 ? rc : compare_text(x->pin, y->pin);
	rc = rc != 0 ? rc : compare_text(x->ehlo, y->ehlo);
	return rc != 0 ? rc : compare_int(x->level == MM_LEVEL_REACH, y->level == MM_LEVEL_REACH);
}

int mm_site_compare(const void *a, const void *b)
{
	const struct mm_site *x = a, *y = b;
	int rc = compare_endpoints(&x->ep, &y->ep);
	if (rc == 0 && (x->ep.has_certificate || y->ep.has_certificate))
		rc = compare_int(x->task->id, y->task->id);
	return rc;
}

void mm_site_enqueue(struct mm_site *s, struct mm_test *t)
{
	t->site = s;
	t->next = NULL;
	if (s->last != NULL)
		s->last->next = t;
	else
		s->first = t;
	s->last = t;
	s->tests++;
}

struct mm_test *mm_site_dequeue(struct mm_site *s)
{
	struct mm_test *t = s->first;
	if (t == NULL)
		return NULL;
	s->first = t->next;
	if (s->first == NULL)
		s->last = NULL;
	return t;
}

/* libcurl itself stops before the login where anything before it fails: a
 * single test is its own look. */
bool mm_site_wants_look(const struct mm_site *s)
{
	return s->tests > 1 && s->ep.level > MM_LEVEL_REACH;
}

bool mm_site_shares_sessions(const struct mm_site *s)
{
	return s->tests > 1 && s->ep.security != MM_SEC_NONE && !s->ep.has_certificate;
}

/* ---- looking further */

static bool speaks_tls(const struct mm_attempt *a)
{
	const struct mm_tls_watch *w = a->signals.tls;
	return w != NULL && a->ep.security != MM_SEC_NONE && (w->done || w->have_cert || w->alert_in >= 0);
}

bool mm_site_follow(struct mm_site *s, const struct mm_attempt *a, enum mm_cls cls, CURLM *multi,
    struct mm_resolver *resolver, int64_t now)
{
	bool survey = s->wants_survey && a->signals.dialled;
	if (s->followed)
		return false;
	s->followed = true;
	if (survey && (speaks_tls(a) || a->name.n > 1)) {
		s->survey = mm_xcalloc(1, sizeof(*s->survey));
		mm_survey_begin(s->survey, multi, s->limits, &s->ep, &a->name, speaks_tls(a), s->trace, now);
	}
	if (mm_scout_helps(cls)) {
		s->scout = mm_xcalloc(1, sizeof(*s->scout));
		mm_scout_begin(s->scout, multi, resolver, s->limits, s->task, &s->ep, s->trace, now);
	}
	s->following = s->survey != NULL || s->scout != NULL;
	return s->following;
}

bool mm_site_step(struct mm_site *s, int64_t now)
{
	if (s->survey != NULL && !s->survey->done)
		mm_survey_step(s->survey, now);
	if (s->scout != NULL && !s->scout->done)
		mm_scout_step(s->scout, now);
	s->following = (s->survey != NULL && !s->survey->done) || (s->scout != NULL && !s->scout->done);
	return s->following;
}

size_t mm_site_poll(const struct mm_site *s, struct pollfd *fds, size_t max)
{
	size_t n = s->survey != NULL ? mm_survey_poll(s->survey, fds, max) : 0;
	return n + (s->scout != NULL ? mm_scout_poll(s->scout, fds + n, max - n) : 0);
}

int64_t mm_site_wake(const struct mm_site *s, int64_t now)
{
	int64_t a = s->survey != NULL ? mm_survey_wake(s->survey, now) : INT64_MAX;
	int64_t b = s->scout != NULL ? mm_scout_wake(s->scout, now) : INT64_MAX;
	return a < b ? a : b;
}

static void tell_other_way(const struct mm_site *s, const struct mm_maker *m, struct mm_login *out)
{
	struct mm_buf b = MM_BUF_INIT(1024);
	if (mm_scout_tell(s->scout, &s->ep, &b) && mm_buf_ok(&b))
		out->ladder.fix = mm_arena_printf(
		    m->mem, "%s%s%s", mm_buf_str(&b), out->ladder.fix[0] != '\0' ? " " : "", out->ladder.fix);
	mm_buf_free(&b);
}

void mm_site_tell(
    const struct mm_site *s, const struct mm_probe_task *task, struct mm_arena *mem, struct mm_login *out)
{
	struct mm_maker m;
	if (s->survey == NULL && s->scout == NULL)
		return;
	mm_maker_begin(&m, task, mem);
	if (s->survey != NULL && out->any)
		mm_survey_tell(s->survey, &m, out);
	if (s->scout != NULL && out->result == MM_LOGIN_FAILED &&
	    !(out->any && out->reached >= MM_LEVEL_LOGIN))
		tell_other_way(s, &m, out);
}

void mm_site_end(struct mm_site *s)
{
	if (s->survey != NULL)
		mm_survey_end(s->survey);
	if (s->scout != NULL)
		mm_scout_end(s->scout);
	free(s->survey);
	free(s->scout);
	s->survey = NULL;
	s->scout = NULL;
	mm_sessions_end(&s->sessions);
}
