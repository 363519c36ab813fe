/*
 * One pass over the incoming mailbox of a round trip: find the messages that
 * a mark describes (trip_message.h) and their bounces, and remove exactly
 * these. By IMAP in the inbox, the folder for junk, and those in which a
 * server keeps copies; by POP3 among the newest messages.
 *
 * IMAP: folders are looked at with EXAMINE; SELECT comes only where something
 * is to be removed, since it takes the "recent" mark from all. Removed is by
 * UID EXPUNGE (RFC 4315) and never by EXPUNGE, which would take along what the
 * user has marked; where the server lacks UIDPLUS, ours is only marked.
 * POP3: DELE counts when QUIT was answered with +OK (RFC 1939 6).
 */
#ifndef MM_AGENT_PROBE_TRIP_BOX_H
#define MM_AGENT_PROBE_TRIP_BOX_H

#include "agent/probe/chat.h"
#include "agent/probe/proven.h"
#include "agent/probe/trip_message.h"

#define MM_BOX_FOLDERS 5
#define MM_BOX_FOLDER_MAX MM_PROVEN_FOLDER
#define MM_BOX_LOOK 20  /* candidates that are looked at, newest first */
#define MM_BOX_TIDY 100 /* ... by POP3 when tidying up: it has no search */

/* What a pass is to look for, and what it found. */
struct mm_box_pass {
	struct mm_trip_mark mark;
	bool found, junk; /* the message, and where */
	char folder[MM_BOX_FOLDER_MAX];
	bool bounced;
	char reason[MM_PROVEN_TEXT];
	int removed;
	bool left_over; /* something could not be removed */
	char left_in[MM_BOX_FOLDER_MAX];
	char trouble[MM_PROVEN_TEXT]; /* why the pass could not be made */
};

enum mm_box_state { MM_BOX_PENDING, MM_BOX_DONE, MM_BOX_TROUBLE };

struct mm_box {
	struct mm_chat *chat;
	struct mm_box_pass *pass;
	int stage;
	/* IMAP, for the whole connection */
	bool known, uidplus, special;
	char folders[MM_BOX_FOLDERS][MM_BOX_FOLDER_MAX]; /* "" = there is none */
	/* the folder at hand */
	int folder;
	char uidvalidity[16];
	bool bounces; /* of the two searches */
	uint32_t list[MM_BOX_TIDY], doomed[2 * MM_BOX_LOOK];
	size_t n_list, at, n_doomed;
	/* POP3 */
	int64_t messages;
};

/* The chat's talk has logged in. For IMAP the same box serves pass after
 * pass; a POP3 connection is over after one, and `first` says that it is to
 * be seen whether it can be searched at all. */
void mm_box_begin(struct mm_box *b, struct mm_chat *chat); /* a new connection */
void mm_box_pass(struct mm_box *b, struct mm_box_pass *pass, int64_t now);
enum mm_box_state mm_box_go(struct mm_box *b, int64_t now);

/* trip_imap.c, trip_pop3.c */
void mm_box_imap_pass(struct mm_box *b, int64_t now);
enum mm_box_state mm_box_imap_reply(struct mm_box *b, int64_t now);
void mm_box_pop3_pass(struct mm_box *b, int64_t now);
enum mm_box_state mm_box_pop3_reply(struct mm_box *b, int64_t now);
enum mm_box_state mm_box_fail(struct mm_box *b, const char *what, struct mm_span words);
/* A message that was found: note what it means; is it to be removed? */
bool mm_box_take(struct mm_box *b, struct mm_span message);
bool mm_box_take_bounce(struct mm_box *b, struct mm_span message);

#endif
