/*
 * Which other port or security would have worked? Looks without credentials
 * at the other usual pairs of the same host, and at what the policy names for
 * the protocol, all at once; one works that greets, and shows a certificate
 * that the settings accept. Never one without encryption.
 */
#ifndef MM_AGENT_PROBE_SCOUT_H
#define MM_AGENT_PROBE_SCOUT_H

#include "agent/probe/line.h"
#include "agent/probe/resolve.h"

#define MM_SCOUT_MAX 8
#define MM_SCOUT_FDS (MM_SCOUT_MAX * MM_ADDRS_MAX)

struct mm_scout_look {
	struct mm_endpoint ep;
	struct mm_name *name;
	struct mm_name_answer at;
	struct mm_line line;
	bool begun, done;
	bool works;
};

struct mm_scout {
	CURLM *multi;
	struct mm_resolver *resolver;
	struct mm_limits limits;
	const struct mm_trace *trace; /* NULL: nobody looks on */
	int64_t asked;
	struct mm_scout_look look[MM_SCOUT_MAX];
	size_t n;
	bool done;
};

/* Could another pair help against this? */
bool mm_scout_helps(enum mm_cls cls);
/* What to look at: at most MM_SCOUT_MAX endpoints, the settings' own not
 * among them. `ep` is what `t` was linted to. */
size_t mm_scout_places(const struct mm_probe_task *t, const struct mm_endpoint *ep, struct mm_endpoint *out);

void mm_scout_begin(struct mm_scout *s, CURLM *multi, struct mm_resolver *resolver,
    const struct mm_limits *limits, const struct mm_probe_task *t, const struct mm_endpoint *ep,
    const struct mm_trace *trace, int64_t now);
void mm_scout_step(struct mm_scout *s, int64_t now);
size_t mm_scout_poll(const struct mm_scout *s, struct pollfd *fds, size_t max);
int64_t mm_scout_wake(const struct mm_scout *s, int64_t now);
void mm_scout_end(struct mm_scout *s);

/* "Port 143 of h answers with STARTTLS; the settings say port 993 with TLS."
 * The best that works; false when none does. */
bool mm_scout_tell(const struct mm_scout *s, const struct mm_endpoint *ep, struct mm_buf *out);

#endif
