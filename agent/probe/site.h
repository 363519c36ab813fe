/*
 * An endpoint as all of its tests share it: one look without credentials
 * before several logins, one survey, one search for what would work instead.
 * Answers that such a look may add to wait for it here. Internal to the
 * engine.
 */
#ifndef MM_AGENT_PROBE_SITE_H
#define MM_AGENT_PROBE_SITE_H

#include "agent/probe/attempt.h"
#include "agent/probe/pace.h"
#include "agent/probe/scout.h"
#include "agent/probe/survey.h"

#define MM_SITE_FDS (MM_SURVEY_LINES + MM_SCOUT_FDS)

struct mm_once;
struct mm_ticket;

struct mm_server { /* one host and port */
	const char *host;
	int port;
	struct mm_name *name;
	int64_t asked;
	struct mm_pace pace;
	bool alive;              /* a connection came about */
	int dead_errno, dead_ms; /* none did, and this is why */
};

struct mm_test {
	size_t job;
	bool is_look; /* the site's look before its tests; no job */
	struct mm_endpoint ep;
	struct mm_limits limits;
	struct mm_site *site;
	struct mm_once *once;       /* what it has in common with others; NULL: nothing */
	struct mm_ticket *ticket;   /* that the login needs; NULL: none */
	const char *no_ticket;      /* why there is none */
	struct mm_test *next;       /* in the queue */
	struct mm_attempt *attempt; /* while it runs */
};

struct mm_answer { /* that waits for what is still being looked at */
	size_t job;
	const struct mm_probe_task *task;
	struct mm_arena *mem;
	struct mm_login login;
	struct mm_answer *next;
};

enum mm_site_state {
	MM_SITE_NEW,
	MM_SITE_LOOKING, /* nobody may log in yet */
	MM_SITE_OPEN,
	MM_SITE_SHUT, /* the look failed: its answer is everybody's */
};

struct mm_site {
	struct mm_server *server;
	struct mm_endpoint ep;            /* without anything to log in by */
	const struct mm_probe_task *task; /* of its first test */
	const struct mm_trace *trace;     /* likewise; NULL: nobody looks on */
	const struct mm_limits *limits;
	size_t tests;
	enum mm_site_state state;
	bool held;                    /* a connection got as far as it should */
	bool queued;                  /* in `next_waiting` */
	struct mm_test *first, *last; /* waiting */
	struct mm_test *look;
	/* what is looked at besides; NULL: not begun */
	bool wants_survey, followed, following;
	struct mm_survey *survey;
	struct mm_scout *scout;
	struct mm_answer *answers, *last_answer;
	struct mm_sessions *sessions; /* of TLS, shared by its tests */
	struct mm_site *next_waiting, *next_following, *next_all;
};

/* May two tests share what is seen of the endpoint? Order for tsearch(). */
int mm_site_compare(const void *a, const void *b);
void mm_site_enqueue(struct mm_site *s, struct mm_test *t);
struct mm_test *mm_site_dequeue(struct mm_site *s);
/* Is a look without credentials worth a connection of its own? */
bool mm_site_wants_look(const struct mm_site *s);

/* May its tests resume each other's TLS sessions (sessions.h)? */
bool mm_site_shares_sessions(const struct mm_site *s);

/* After its first connection, which ended as `cls`: look further where that
 * is worth it. True: the site is `following` now. */
bool mm_site_follow(struct mm_site *s, const struct mm_attempt *a, enum mm_cls cls, CURLM *multi,
    struct mm_resolver *resolver, int64_t now);
/* Go on; false when there is nothing more to see. */
bool mm_site_step(struct mm_site *s, int64_t now);
size_t mm_site_poll(const struct mm_site *s, struct pollfd *fds, size_t max);
int64_t mm_site_wake(const struct mm_site *s, int64_t now);
/* Put what was found into an answer. */
void mm_site_tell(
    const struct mm_site *s, const struct mm_probe_task *task, struct mm_arena *mem, struct mm_login *out);
/* After all of its tests. */
void mm_site_end(struct mm_site *s);

#endif
