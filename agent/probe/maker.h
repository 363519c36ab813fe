/*
 * An answer in the making: what its parts (answer.c, facts.c, steps.c,
 * notes.c) share. Internal to agent/probe. Every text from outside goes
 * through mm_maker_clean(), so that no answer can hold the password.
 */
#ifndef MM_AGENT_PROBE_MAKER_H
#define MM_AGENT_PROBE_MAKER_H

#include "agent/probe/attempt.h"
#include "agent/probe/sentence.h"
#include "common/mem.h"

struct mm_maker {
	const struct mm_attempt *a; /* NULL: never begun */
	const struct mm_probe_task *task;
	struct mm_arena *mem;
	enum mm_cls cls;
	struct mm_places places;
};

/* Fit for printing and without the password; NULL when there is nothing. */
const char *mm_maker_clean(const struct mm_maker *m, const char *s);
const char *mm_maker_sentence(const struct mm_maker *m, const char *tmpl);
const char *mm_maker_date(const struct mm_maker *m, int64_t t);

/* A maker without an attempt: for what was found beside it. */
void mm_maker_begin(struct mm_maker *m, const struct mm_probe_task *task, struct mm_arena *mem);

/* words.c. What the server said about the outcome, without the tag of our
 * command; NULL: nothing, or its last word was about something else. */
const char *mm_words_server(const struct mm_maker *m);
/* How the server broke its protocol; libcurl has words for programmers only. */
const char *mm_words_breach(const struct mm_maker *m);
/* What an [ALERT] wants the user to read, in the line. */
const char *mm_words_alert(const char *line);
/* Beside the rung that did not hold; the places are filled. May be NULL. */
const char *mm_words_broken(const struct mm_maker *m);
const char *mm_words_openssl(const struct mm_maker *m, const char *error);

/* advice.c: what to do, or "". */
const char *mm_advice_make(const struct mm_maker *m);

/* facts.c */
struct mm_tls_facts mm_facts_tls(const struct mm_maker *m);
struct mm_endpoint_facts mm_facts_endpoint(const struct mm_maker *m);
struct mm_mailbox_facts mm_facts_mailbox(const struct mm_maker *m);
struct mm_trip_facts mm_facts_trip(const struct mm_maker *m);
struct mm_timing mm_facts_timing(const struct mm_attempt *a);

/* steps.c: the rungs that were asked for, up to the one that did not hold. */
void mm_steps_make(const struct mm_maker *m, struct mm_login *out);
/* The same of a task that did not get as far as the network. */
void mm_steps_refuse(const struct mm_maker *m, struct mm_login *out);

/* notes.c: remarks that need no other connection than the test's own. */
void mm_note_add(const struct mm_maker *m, enum mm_cls cls, const char *detail, struct mm_login *out);
void mm_notes_make(const struct mm_maker *m, struct mm_login *out);

#endif
