/*
 * An endpoint looked at closely, once, without credentials: every address by
 * itself, every version of TLS, and the stapled OCSP answer. What it finds
 * are facts and remarks; the verdicts are those of the tests.
 *
 * That a version is not offered is said only where the server, having
 * accepted the connection, refused the handshake by an alert; or by closing,
 * where a handshake that held before holds again afterwards, so that it was
 * the version and not the connection that it did not want. `offered` is told
 * only when all four are known.
 */
#ifndef MM_AGENT_PROBE_SURVEY_H
#define MM_AGENT_PROBE_SURVEY_H

#include "agent/probe/line.h"
#include "agent/probe/maker.h"

#define MM_SURVEY_VERSIONS 4
#define MM_SURVEY_LINES (MM_ADDRS_MAX + MM_SURVEY_VERSIONS)

struct mm_survey {
	struct mm_endpoint ep; /* without anything to log in by */
	CURLM *multi;
	const struct mm_limits *limits;
	const struct mm_trace *trace; /* NULL: nobody looks on */
	struct mm_name_answer name;
	struct mm_line address[MM_ADDRS_MAX];
	bool address_done[MM_ADDRS_MAX];
	bool want_tls;
	size_t version; /* that is under way; MM_SURVEY_VERSIONS: the control */
	bool closed;    /* a handshake was ended without an alert */
	struct mm_line line;
	enum mm_tri offers[MM_SURVEY_VERSIONS];
	const char *ocsp; /* as in struct mm_tls_watch */
	char ocsp_text[96];
	bool done;
};

/* `tls`: the server was seen to speak it. The name's addresses outlive the
 * survey, which must not move. */
void mm_survey_begin(struct mm_survey *s, CURLM *multi, const struct mm_limits *limits,
    const struct mm_endpoint *ep, const struct mm_name_answer *name, bool tls, const struct mm_trace *trace,
    int64_t now);
void mm_survey_step(struct mm_survey *s, int64_t now);
size_t mm_survey_poll(const struct mm_survey *s, struct pollfd *fds, size_t max);
int64_t mm_survey_wake(const struct mm_survey *s, int64_t now);
void mm_survey_end(struct mm_survey *s);

/* Put what was found into an answer for `m->task`. */
void mm_survey_tell(const struct mm_survey *s, const struct mm_maker *m, struct mm_login *out);

#endif
