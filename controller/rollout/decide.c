#include "controller/rollout/decide.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"

#define RATE_S 60 /* a rate is logins in this time */

static const char *const because_names[MM_ROB_COUNT] = {
    [MM_ROB_NONE] = "",
    [MM_ROB_FLIGHT] = "in-flight",
    [MM_ROB_BAKE] = "bake",
    [MM_ROB_HOURS] = "hours",
    [MM_ROB_RATE] = "rate",
    [MM_ROB_JITTER] = "jitter",
    [MM_ROB_RETRY] = "retry",
    [MM_ROB_REPORTED] = "too-few-reported",
    [MM_ROB_TESTED] = "too-few-tested",
    [MM_ROB_APPROVAL] = "approval",
    [MM_ROB_BUDGET] = "budget",
    [MM_ROB_GATE] = "gate",
};

const char *mm_ro_because_name(enum mm_ro_because b)
{
	return because_names[b];
}

/* For people: why it waits; when that is over stands behind it. */
static const char *const wait_words[MM_ROB_COUNT] = {
    [MM_ROB_BAKE] = "bakes until",
    [MM_ROB_HOURS] = "the maintenance hours begin at",
    [MM_ROB_RATE] = "the servers' rate of logins is used up until",
    [MM_ROB_JITTER] = "jitter: the next host is due at",
    [MM_ROB_RETRY] = "the next unreachable host is due at",
};

struct view {
	const struct mm_ro_terms *t;
	const struct mm_ro_now *now;
	const struct mm_ro_host *hosts;
	size_t n;
	struct mm_ro_count all, wave;
	int64_t unsettled; /* hosts that the present wave still waits for */
	size_t *send, room;
	struct mm_ro_decision *d;
	/* logins of the last minute, by server, and when the oldest of them leaves it */
	int64_t *used, *frees;
	/* when something can be sent that cannot be sent now; INT64_MAX = never */
	int64_t later;
	enum mm_ro_because later_because;
};

static void say(struct view *v, enum mm_ro_act act, enum mm_ro_because because, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void say(struct view *v, enum mm_ro_act act, enum mm_ro_because because, const char *fmt, ...)
{
	va_list ap;

	v->d->act = act;
	v->d->because = because;
	va_start(ap, fmt);
	vsnprintf(v->d->text, sizeof(v->d->text), fmt, ap);
	va_end(ap);
}

static const char *plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

static const char *is_are(int64_t n)
{
	return n == 1 ? "is" : "are";
}

/* ---- budgets */

static bool exceeds(struct view *v, enum mm_budget b, bool total)
{
	const struct mm_budget_terms *terms = &v->t->budgets[b];
	const struct mm_ro_count *c = total ? &v->all : &v->wave;
	int64_t allowed = mm_share_of(total ? &terms->total : &terms->wave, c->hosts);
	int64_t burnt = c->burnt[b];

	if (burnt <= allowed)
		return false;
	v->d->budget = b;
	char where[64] = "";
	if (!total)
		(void)snprintf(where, sizeof(where), " of wave %lld", (long long)v->now->wave + 1);
	say(v, MM_ROA_HALT, MM_ROB_BUDGET, "%lld of %lld host%s%s %s, %lld %s allowed%s", (long long)burnt,
	    (long long)c->hosts, plural(c->hosts), where, mm_budget_clause(b, burnt), (long long)allowed,
	    is_are(allowed), total ? " in the whole rollout" : "");
	return true;
}

static bool over_budget(struct view *v)
{
	for (int b = 0; b < MM_BUDGET_COUNT; b++) {
		/* After the end there is no present wave, only hosts that come late. */
		if (v->now->state != MM_RO_DONE && exceeds(v, (enum mm_budget)b, false))
			return true;
		if (exceeds(v, (enum mm_budget)b, true))
			return true;
	}
	return false;
}

/* ---- whom to send it to */

static void not_yet(struct view *v, int64_t when, enum mm_ro_because because)
{
	if (when < v->later) {
		v->later = when;
		v->later_because = because;
	}
}

static void measure_rates(struct view *v)
{
	if (v->t->rate == 0 || v->now->n_servers == 0)
		return;
	v->used = mm_xcalloc(v->now->n_servers, sizeof(*v->used));
	v->frees = mm_xcalloc(v->now->n_servers, sizeof(*v->frees));
	for (size_t i = 0; i < v->n; i++) {
		const struct mm_ro_host *h = &v->hosts[i];

		if (h->sent <= v->now->now - RATE_S)
			continue;
		for (size_t k = 0; k < h->n_loads; k++) {
			unsigned server = h->loads[k].server;

			v->used[server] += h->loads[k].logins;
			if (v->frees[server] == 0 || h->sent + RATE_S < v->frees[server])
				v->frees[server] = h->sent + RATE_S;
		}
	}
}

/* A host with more logins than the rate goes when its servers are idle: it could never go else. */
static bool within_rate(struct view *v, const struct mm_ro_host *h)
{
	if (v->used == NULL)
		return true;
	for (size_t k = 0; k < h->n_loads; k++) {
		int64_t used = v->used[h->loads[k].server];

		if (used > 0 && used + h->loads[k].logins > v->t->rate) {
			not_yet(v, v->frees[h->loads[k].server], MM_ROB_RATE);
			return false;
		}
	}
	for (size_t k = 0; k < h->n_loads; k++) {
		v->used[h->loads[k].server] += h->loads[k].logins;
		if (v->frees[h->loads[k].server] == 0)
			v->frees[h->loads[k].server] = v->now->now + RATE_S;
	}
	return true;
}

/* Order of service: who is new, then who was unreachable, then who is late. -1 = nobody for now. */
#define N_CLASSES 3

static int class_of(const struct mm_ro_host *h)
{
	switch (h->state) {
	case MM_RH_RELEASED:
		return 0;
	case MM_RH_UNREACHABLE:
		return 1;
	case MM_RH_LATE:
		return 2;
	default:
		return -1;
	}
}

static bool due(struct view *v, const struct mm_ro_host *h)
{
	int64_t now = v->now->now, begin = v->now->wave_since + h->not_before;

	if (h->next_try > now) {
		not_yet(v, h->next_try, MM_ROB_RETRY);
		return false;
	}
	if (h->state == MM_RH_RELEASED && h->wave == v->now->wave && begin > now) {
		not_yet(v, begin, MM_ROB_JITTER);
		return false;
	}
	return true;
}

struct candidate {
	const struct mm_ro_host *h;
	size_t index;
};

static int by_place(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;

	if (a->h->wave != b->h->wave)
		return a->h->wave < b->h->wave ? -1 : 1;
	if (a->h->rank != b->h->rank)
		return a->h->rank < b->h->rank ? -1 : 1;
	return 0;
}

/* Hosts mostly come in their order already: sort only when they do not. */
static void put_in_order(struct candidate *c, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (by_place(&c[i - 1], &c[i]) > 0) {
			qsort(c, n, sizeof(*c), by_place);
			return;
		}
}

static size_t choose_class(struct view *v, int cls, struct candidate *buf, size_t room)
{
	size_t n = 0, sent = 0;

	for (size_t i = 0; i < v->n; i++)
		if (class_of(&v->hosts[i]) == cls && due(v, &v->hosts[i]))
			buf[n++] = (struct candidate){.h = &v->hosts[i], .index = i};
	put_in_order(buf, n);
	for (size_t i = 0; i < n && sent < room; i++)
		if (within_rate(v, buf[i].h))
			v->send[v->d->n_send + sent++] = buf[i].index;
	return sent;
}

/* Fills in whom to send it to; what has to wait leaves its time in `later`. */
static void choose(struct view *v)
{
	int64_t flight = v->all.by[MM_RH_SENT], open = mm_hours_next(&v->t->hours, v->now->now);
	size_t room = flight < v->t->window ? (size_t)(v->t->window - flight) : 0;
	int64_t waiting = v->all.by[MM_RH_RELEASED] + v->all.by[MM_RH_UNREACHABLE] + v->all.by[MM_RH_LATE];
	struct candidate *buf;

	if (open > v->now->now) {
		if (waiting > 0)
			not_yet(v, open, MM_ROB_HOURS);
		return;
	}
	if (room > v->room)
		room = v->room;
	if (room == 0 || waiting == 0)
		return;
	measure_rates(v);
	buf = mm_xcalloc(v->n, sizeof(*buf));
	for (int cls = 0; cls < N_CLASSES; cls++)
		v->d->n_send += choose_class(v, cls, buf, room - v->d->n_send);
	free(buf);
	free(v->used);
	free(v->frees);
}

static bool sends(struct view *v)
{
	if (v->d->n_send == 0)
		return false;
	say(v, MM_ROA_SEND, MM_ROB_NONE, "%zu host%s, %lld in flight", v->d->n_send,
	    v->d->n_send == 1 ? "" : "s", (long long)v->all.by[MM_RH_SENT]);
	return true;
}

/* ---- waiting */

static void wait_until(struct view *v, int64_t until, enum mm_ro_because because)
{
	char when[MM_TIME_MAX];
	int64_t flight = v->all.by[MM_RH_SENT];

	v->d->until = until;
	if (until == 0)
		say(v, MM_ROA_WAIT, MM_ROB_FLIGHT, "%lld host%s in flight", (long long)flight,
		    plural(flight));
	else if (flight > 0)
		say(v, MM_ROA_WAIT, because, "%s %s, %lld host%s in flight", wait_words[because],
		    mm_time_utc(until, when), (long long)flight, plural(flight));
	else
		say(v, MM_ROA_WAIT, because, "%s %s", wait_words[because], mm_time_utc(until, when));
}

/* For something to land, or for what can be sent later. */
static void wait_on(struct view *v)
{
	wait_until(v, v->later == INT64_MAX ? 0 : v->later, v->later_because);
}

static void rest(struct view *v, const char *what)
{
	if (v->all.by[MM_RH_SENT] > 0) {
		wait_until(v, 0, MM_ROB_FLIGHT);
		return;
	}
	say(v, MM_ROA_REST, v->later == INT64_MAX ? MM_ROB_NONE : v->later_because, "%s", what);
	v->d->until = v->later == INT64_MAX ? 0 : v->later;
}

/* ---- the end of a wave */

/* Too few reports or tests to say anything. */
static bool inconclusive(struct view *v)
{
	const struct mm_ro_count *c = &v->wave;
	int64_t hosts = mm_share_need(&v->t->min_reported, c->hosts);
	int64_t users = mm_share_need(&v->t->min_tested, c->users);

	if (hosts > c->hosts)
		hosts = c->hosts;
	if (users > c->users && c->users > 0)
		users = c->users;
	if (c->answered < hosts) {
		say(v, MM_ROA_PAUSE, MM_ROB_REPORTED,
		    "inconclusive: %lld of %lld host%s of wave %lld have answered, %lld are wanted",
		    (long long)c->answered, (long long)c->hosts, plural(c->hosts),
		    (long long)v->now->wave + 1, (long long)hosts);
		return true;
	}
	if (c->tested < users) {
		say(v, MM_ROA_PAUSE, MM_ROB_TESTED,
		    "inconclusive: the logins of %lld of %lld user%s of wave %lld were tested, %lld are "
		    "wanted",
		    (long long)c->tested, (long long)c->users, plural(c->users), (long long)v->now->wave + 1,
		    (long long)users);
		return true;
	}
	return false;
}

static bool gate_fails(struct view *v)
{
	const struct mm_ro_count *c = &v->wave;
	struct mm_buf share = MM_BUF_INIT(64);

	if (c->verified * 100 * MM_PERCENT >= v->t->gate.n * c->tested)
		return false;
	mm_share_print(&v->t->gate, &share);
	say(v, MM_ROA_HALT, MM_ROB_GATE,
	    "gate: %lld of %lld tested user%s of wave %lld are verified, %s are wanted",
	    (long long)c->verified, (long long)c->tested, plural(c->tested), (long long)v->now->wave + 1,
	    mm_buf_str(&share));
	mm_buf_free(&share);
	return true;
}

static void finish(struct view *v, bool let_through)
{
	char text[MM_RO_TEXT];

	if (!let_through && gate_fails(v))
		return;
	mm_ro_done_text(&v->all, text);
	say(v, MM_ROA_DONE, MM_ROB_NONE, "%s", text);
}

void mm_ro_done_text(const struct mm_ro_count *c, char out[MM_RO_TEXT])
{
	(void)snprintf(out, MM_RO_TEXT,
	    "%lld of %lld host%s %s answered, %lld not reached yet; %lld of %lld tested user%s verified",
	    (long long)c->answered, (long long)c->hosts, plural(c->hosts), c->hosts == 1 ? "has" : "have",
	    (long long)(c->hosts - c->answered), (long long)c->verified, (long long)c->tested,
	    plural(c->tested));
}

static void next_wave(struct view *v)
{
	int64_t open = mm_hours_next(&v->t->hours, v->now->now);

	/* An open wave may be fetched by its hosts. */
	if (open > v->now->now) {
		wait_until(v, open, MM_ROB_HOURS);
		return;
	}
	v->d->wave = v->now->wave + 1;
	say(v, MM_ROA_NEXT, MM_ROB_NONE, "wave %lld of %lld begins", (long long)v->d->wave + 1,
	    (long long)v->now->n_waves);
}

static void settled(struct view *v)
{
	const struct mm_ro_now *now = v->now;
	bool let_through = now->approved >= now->wave || v->wave.hosts == 0;
	int64_t end = now->bake_since + v->t->bake_s;

	if (now->wave + 1 >= now->n_waves) {
		finish(v, let_through);
		return;
	}
	if (let_through) {
		next_wave(v);
		return;
	}
	if (now->state == MM_RO_RUNNING && v->t->bake_s > 0) {
		say(v, MM_ROA_BAKE, MM_ROB_BAKE, "wave %lld of %lld has settled", (long long)now->wave + 1,
		    (long long)now->n_waves);
		return;
	}
	if (now->state == MM_RO_BAKING && now->now < end) {
		bool sooner = v->later < end;
		wait_until(v, sooner ? v->later : end, sooner ? v->later_because : MM_ROB_BAKE);
		return;
	}
	if (inconclusive(v) || gate_fails(v))
		return;
	if (v->t->approve)
		say(v, MM_ROA_PAUSE, MM_ROB_APPROVAL, "wave %lld of %lld waits for an approval",
		    (long long)now->wave + 2, (long long)now->n_waves);
	else
		next_wave(v);
}

/* ---- the decision */

/* Who is late holds up nothing. */
static int64_t unsettled(const struct view *v)
{
	int64_t n = 0;

	for (size_t i = 0; i < v->n; i++) {
		const struct mm_ro_host *h = &v->hosts[i];

		if (!h->late && h->wave <= v->now->wave &&
		    (h->state == MM_RH_WAITING || h->state == MM_RH_RELEASED || h->state == MM_RH_SENT))
			n++;
	}
	return n;
}

static void decide(struct view *v)
{
	switch (v->now->state) {
	case MM_RO_RUNNING:
	case MM_RO_BAKING:
	case MM_RO_DONE:
		break;
	default:
		rest(v, mm_ro_state_name(v->now->state));
		return;
	}
	if (over_budget(v))
		return;
	choose(v);
	if (sends(v))
		return;
	if (v->now->state == MM_RO_DONE)
		rest(v, "done");
	else if (v->unsettled > 0)
		wait_on(v);
	else
		settled(v);
}

void mm_ro_decide(const struct mm_ro_terms *t, const struct mm_ro_now *now, const struct mm_ro_host *hosts,
    size_t n, size_t *send, size_t room, struct mm_ro_decision *out)
{
	struct mm_ro_decision d = {.act = MM_ROA_REST};
	struct view v = {.t = t,
	    .now = now,
	    .hosts = hosts,
	    .n = n,
	    .send = send,
	    .room = room,
	    .d = &d,
	    .later = INT64_MAX};

	mm_ro_count(hosts, n, -1, &v.all);
	mm_ro_count(hosts, n, now->wave, &v.wave);
	v.unsettled = unsettled(&v);
	decide(&v);
	*out = d;
}
