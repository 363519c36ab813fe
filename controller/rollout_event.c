#include "controller/rollout_event.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/term.h"
#include "common/text.h"

static void say(enum mm_colour c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(enum mm_colour c, const char *fmt, ...)
{
	struct mm_buf raw = MM_BUF_INIT(65536), safe = MM_BUF_INIT((size_t)4 * 65536);
	bool on = mm_term_colour(stderr);
	va_list ap;
	va_start(ap, fmt);
	mm_buf_vaddf(&raw, fmt, ap);
	va_end(ap);
	mm_printable(&safe, mm_buf_str(&raw), raw.len);
	mm_progress_clear();
	fprintf(stderr, "%s%s%s\n", mm_colour_code(c, on), mm_buf_str(&safe),
	    c != MM_PLAIN ? mm_colour_code(MM_PLAIN, on) : "");
	mm_buf_free(&raw);
	mm_buf_free(&safe);
}

static void say_wave(const struct mm_rollout_state *st)
{
	struct mm_ro_count n;
	mm_ro_count(st->hosts, st->n, st->r.wave, &n);
	say(MM_BOLD, "rollout %lld: wave %lld of %lld, %lld host%s", (long long)st->r.id,
	    (long long)st->r.wave + 1, (long long)st->r.waves, (long long)n.hosts, n.hosts == 1 ? "" : "s");
}

void mm_rollout_event(const struct mm_rollout_state *st)
{
	const struct mm_rollout *r = &st->r;
	long long id = (long long)r->id, wave = (long long)r->wave + 1;
	char took[MM_TIME_MAX];
	switch (r->state) {
	case MM_RO_RUNNING:
		say_wave(st);
		break;
	case MM_RO_BAKING:
		if (st->terms.bake_s > 0)
			say(MM_PLAIN, "rollout %lld: wave %lld has settled, and bakes for %s", id, wave,
			    mm_duration(st->terms.bake_s, took));
		break;
	case MM_RO_PAUSED:
	case MM_RO_HALTED:
		say(r->state == MM_RO_HALTED ? MM_RED : MM_YELLOW, "rollout %lld: %s: %s", id,
		    mm_ro_state_name(r->state), *r->why != '\0' ? r->why : "by hand");
		break;
	case MM_RO_DONE:
	case MM_RO_ABORTED:
	case MM_RO_SUPERSEDED:
		say(r->state == MM_RO_DONE ? MM_GREEN : MM_YELLOW, "rollout %lld: %s", id,
		    mm_ro_state_name(r->state));
		break;
	case MM_RO_COUNT:
		break;
	}
}

void mm_rollout_event_host(const struct mm_rollout_host *h)
{
	if (h->state == MM_RH_OK || h->state == MM_RH_SUPERSEDED)
		return;
	say(h->state == MM_RH_UNREACHABLE ? MM_YELLOW : MM_RED, "  %s: %s: %s", h->host,
	    mm_rh_state_name(h->state), *h->text != '\0' ? h->text : h->outcome);
}

void mm_rollout_event_waits(const struct mm_rollout_state *st, const char *why)
{
	say(MM_PLAIN, "rollout %lld: %s", (long long)st->r.id, why);
}

void mm_rollout_event_left(const struct mm_rollout_state *st)
{
	say(MM_YELLOW,
	    "rollout %lld stays as it is, in wave %lld of %lld; it goes on with: mailmuster rollout resume "
	    "%lld (or mailmuster serve)",
	    (long long)st->r.id, (long long)st->r.wave + 1, (long long)st->r.waves, (long long)st->r.id);
}
