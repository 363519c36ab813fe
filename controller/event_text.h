/*
 * Events in the two forms in which other systems take them: one JSON object
 * (schemas/json/event.schema.json), and one message as RFC 5424 has it. Both
 * say the same; texts of workstations stay data in both.
 */
#ifndef MM_CONTROLLER_EVENT_TEXT_H
#define MM_CONTROLLER_EVENT_TEXT_H

#include <jansson.h>

#include "common/buf.h"
#include "controller/store/events.h"

/* How loud: words and numbers of RFC 5424, 6.2.1. */
enum mm_loudness { MM_LOUD_WARNING = 4, MM_LOUD_NOTICE = 5, MM_LOUD_INFO = 6 };
enum mm_loudness mm_event_loudness(const struct mm_event *e);
/* "1234", "1234.f77", "1234.l5": the same whenever the event is told. */
#define MM_EVENT_ID_MAX 64
void mm_event_id(const struct mm_event *e, char out[MM_EVENT_ID_MAX]);
/* One sentence for people. */
void mm_event_sentence(const struct mm_event *e, struct mm_buf *out);

/* A new reference. */
json_t *mm_event_json(const struct mm_event *e, const char *fleet);

/* Facility "log audit" (13). The structured data's id is "mailmuster@32473":
 * 32473 is the enterprise number that RFC 5612 sets aside, since we have none.
 * `host`: ours. At most MM_SYSLOG_BYTES, cut between characters. */
#define MM_SYSLOG_BYTES 8192
void mm_event_syslog(const struct mm_event *e, const char *fleet, const char *host, struct mm_buf *out);
/* The same for whoever has no event: MSGID, and what is said. */
void mm_syslog_line(enum mm_loudness loud, int64_t time, const char *host, const char *msgid,
    const char *data, const char *text, struct mm_buf *out);

#endif
