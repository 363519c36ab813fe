#include <string.h>
#include <time.h>

#include "agent/probe/trip_box.h"

/* Where to look, by SPECIAL-USE (RFC 6154). A message in the first two has
 * arrived; in the others there may be a copy to be removed. \All proves
 * nothing: some servers keep there what was sent through them, too. */
static const char *const special[MM_BOX_FOLDERS] = {NULL, "\\Junk", "\\All", "\\Sent", "\\Trash"};
enum { INBOX, JUNK };

enum stage { CAPABILITY, LIST, EXAMINE, SEARCH, FETCH, FETCH_BOUNCE, SELECT, STORE, EXPUNGE, VERIFY };

#define FIELDS "MESSAGE-ID X-MAILMUSTER-CHECK FROM AUTO-SUBMITTED CONTENT-TYPE"
#define BOUNCE_MAX 16384 /* bytes of a bounce that are read */
#define NEW_DAYS 2       /* what belongs to this run is not older */
#define OLD_DAYS 60      /* further back nobody wants to search through all headers */
#define SMALL 16384      /* bytes, with what servers add on the way */

static enum mm_box_state next_folder(struct mm_box *b, int64_t now);

#define SAY(box, next, now, ...)                                                                             \
	((box)->stage = (next), mm_chat_say((box)->chat, MM_REPLY_IMAP, (now), __VA_ARGS__), MM_BOX_PENDING)

/* ---- what the server can do, and where things are */

void mm_box_imap_pass(struct mm_box *b, int64_t now)
{
	b->folder = -1;
	if (!b->known)
		(void)SAY(b, CAPABILITY, now, "CAPABILITY");
	else
		(void)next_folder(b, now);
}

static enum mm_box_state capability(struct mm_box *b, struct mm_span reply, int64_t now)
{
	b->uidplus = mm_imap_has_capability(reply, "UIDPLUS");
	b->special = mm_imap_has_capability(reply, "SPECIAL-USE");
	b->known = true;
	mm_span_copy((struct mm_span){"INBOX", 5}, b->folders[INBOX], MM_BOX_FOLDER_MAX);
	if (b->special)
		return SAY(b, LIST, now, "LIST (SPECIAL-USE) \"\" \"*\"");
	/* the usual names; a server that has none of them says NO, and that is that */
	mm_span_copy((struct mm_span){"Junk", 4}, b->folders[JUNK], MM_BOX_FOLDER_MAX);
	return next_folder(b, now);
}

static enum mm_box_state list(struct mm_box *b, struct mm_span reply, int64_t now)
{
	for (int i = JUNK; i < MM_BOX_FOLDERS; i++)
		if (!mm_imap_special(reply, special[i], b->folders[i], MM_BOX_FOLDER_MAX))
			b->folders[i][0] = '\0';
	return next_folder(b, now);
}

/* ---- one folder */

/* A message that arrived is found by the first pass that looks for it; only
 * then, or when tidying up, are there copies to be removed elsewhere. */
static bool worth_a_look(const struct mm_box *b, int folder)
{
	bool everywhere = b->pass->mark.id == NULL || b->pass->found;
	return (everywhere || folder <= JUNK) && b->folders[folder][0] != '\0';
}

static enum mm_box_state next_folder(struct mm_box *b, int64_t now)
{
	do
		b->folder++;
	while (b->folder < MM_BOX_FOLDERS && !worth_a_look(b, b->folder));
	b->n_doomed = 0;
	if (b->folder == MM_BOX_FOLDERS)
		return MM_BOX_DONE;
	return SAY(b, EXAMINE, now, "EXAMINE \"%s\"", b->folders[b->folder]);
}

static void since(char text[16], int days)
{
	static const char *const months[] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t t = time(NULL) - days * 86400;
	struct tm tm;
	gmtime_r(&t, &tm);
	snprintf(text, 16, "%d-%s-%04u", tm.tm_mday, months[tm.tm_mon % 12],
	    (unsigned)(tm.tm_year + 1900) % 10000u);
}

/* Date and size first: servers know them without opening each message. */
static enum mm_box_state search(struct mm_box *b, bool bounces, int64_t now)
{
	const char *id = b->pass->mark.id, *unmarked = b->uidplus ? "" : "UNDELETED ";
	char day[16];
	b->bounces = bounces;
	since(day, id != NULL ? NEW_DAYS : OLD_DAYS);
	if (!bounces && id != NULL)
		return SAY(b, SEARCH, now,
		    "UID SEARCH SINCE %s SMALLER %d OR HEADER Message-ID \"%s\" HEADER X-Mailmuster-Check "
		    "\"%s\"",
		    day, SMALL, id, id);
	if (!bounces)
		return SAY(b, SEARCH, now,
		    "UID SEARCH %sSINCE %s SMALLER %d HEADER X-Mailmuster-Check \"mailmuster-\"", unmarked,
		    day, SMALL);
	if (id != NULL)
		return SAY(b, SEARCH, now,
		    "UID SEARCH SINCE %s OR FROM \"mailer-daemon\" HEADER Auto-Submitted \"auto-\" TEXT "
		    "\"%s\"",
		    day, id);
	return SAY(b, SEARCH, now,
	    "UID SEARCH %sSINCE %s FROM \"mailer-daemon\" TEXT \"X-Mailmuster-Check: mailmuster-\"", unmarked,
	    day);
}

static enum mm_box_state examined(struct mm_box *b, struct mm_span reply, bool ok, int64_t now)
{
	struct mm_span v;
	if (!ok && b->folder == INBOX)
		return mm_box_fail(b, "the inbox cannot be opened", reply);
	if (!ok)
		return next_folder(b, now);
	b->uidvalidity[0] = '\0';
	if (mm_imap_code(reply, "UIDVALIDITY", &v))
		mm_span_copy(v, b->uidvalidity, sizeof(b->uidvalidity));
	return search(b, false, now);
}

static void put_set(const struct mm_box *b, struct mm_buf *out)
{
	for (size_t i = 0; i < b->n_doomed; i++)
		mm_buf_addf(out, "%s%u", i > 0 ? "," : "", b->doomed[i]);
}

static enum mm_box_state say_set(
    struct mm_box *b, int stage, int64_t now, const char *before, const char *after)
{
	struct mm_buf set = MM_BUF_INIT(1024);
	put_set(b, &set);
	mm_chat_say(b->chat, MM_REPLY_IMAP, now, "%s %s%s", before, mm_buf_str(&set), after);
	mm_buf_free(&set);
	b->stage = stage;
	return MM_BOX_PENDING;
}

/* All candidates of the folder were looked at. */
static enum mm_box_state looked(struct mm_box *b, int64_t now)
{
	/* a bounce comes to the inbox, or is taken for junk */
	if (!b->bounces && b->folder <= JUNK)
		return search(b, true, now);
	if (b->n_doomed == 0)
		return next_folder(b, now);
	return SAY(b, SELECT, now, "SELECT \"%s\"", b->folders[b->folder]);
}

static enum mm_box_state fetch_next(struct mm_box *b, int64_t now)
{
	if (b->at == b->n_list)
		return looked(b, now);
	return SAY(b, FETCH, now, "UID FETCH %u (UID BODY.PEEK[HEADER.FIELDS (" FIELDS ")])", b->list[b->at]);
}

static void doom(struct mm_box *b)
{
	for (size_t i = 0; i < b->n_doomed; i++)
		if (b->doomed[i] == b->list[b->at])
			return;
	b->doomed[b->n_doomed++] = b->list[b->at];
}

static void remember_folder(struct mm_box *b, bool before)
{
	if (before || !b->pass->found || b->pass->mark.id == NULL)
		return;
	mm_span_copy((struct mm_span){b->folders[b->folder], strlen(b->folders[b->folder])}, b->pass->folder,
	    sizeof(b->pass->folder));
	b->pass->junk = b->folder == JUNK;
}

static enum mm_box_state fetched(struct mm_box *b, struct mm_span reply, int64_t now)
{
	struct mm_span m;
	bool before = b->pass->found;
	if (mm_imap_fetched(reply, b->list[b->at], &m)) {
		if (b->stage == FETCH && b->bounces && mm_trip_may_be_bounce(m))
			return SAY(b, FETCH_BOUNCE, now, "UID FETCH %u (UID BODY.PEEK[]<0.%d>)",
			    b->list[b->at], BOUNCE_MAX);
		if (b->stage == FETCH_BOUNCE ? mm_box_take_bounce(b, m) : !b->bounces && mm_box_take(b, m))
			doom(b);
	}
	remember_folder(b, before);
	b->at++;
	return fetch_next(b, now);
}

/* ---- removing */

static enum mm_box_state left(struct mm_box *b, int64_t now)
{
	b->pass->left_over = true;
	memcpy(b->pass->left_in, b->folders[b->folder], MM_BOX_FOLDER_MAX);
	return next_folder(b, now);
}

/* The numbers are those of the messages that were looked at only if the
 * folder is still the same (RFC 9051 2.3.1.1). */
static enum mm_box_state selected(struct mm_box *b, struct mm_span reply, bool ok, int64_t now)
{
	struct mm_span v;
	bool same = mm_imap_code(reply, "UIDVALIDITY", &v) && v.n > 0 && mm_span_is(v, b->uidvalidity);
	if (!ok || !same || mm_imap_code(reply, "READ-ONLY", &v))
		return left(b, now);
	return say_set(b, STORE, now, "UID STORE", " +FLAGS.SILENT (\\Deleted)");
}

static enum mm_box_state stored(struct mm_box *b, bool ok, int64_t now)
{
	if (!ok || !b->uidplus)
		return left(b, now);
	return say_set(b, EXPUNGE, now, "UID EXPUNGE", "");
}

static enum mm_box_state verified(struct mm_box *b, struct mm_span reply, bool ok, int64_t now)
{
	uint32_t still;
	if (!ok || mm_imap_search(reply, &still, 1) > 0)
		return left(b, now);
	b->pass->removed += (int)b->n_doomed;
	return next_folder(b, now);
}

enum mm_box_state mm_box_imap_reply(struct mm_box *b, int64_t now)
{
	struct mm_span reply = mm_chat_reply(b->chat), text;
	bool ok = mm_imap_ok(reply, b->chat->tag, &text);
	switch ((enum stage)b->stage) {
	case CAPABILITY:
		return capability(b, reply, now);
	case LIST:
		return list(b, reply, now);
	case EXAMINE:
		return examined(b, ok ? reply : text, ok, now);
	case SEARCH:
		b->at = 0;
		b->n_list = ok ? mm_imap_search(reply, b->list, MM_BOX_LOOK) : 0;
		return fetch_next(b, now);
	case FETCH:
	case FETCH_BOUNCE:
		return fetched(b, reply, now);
	case SELECT:
		return selected(b, reply, ok, now);
	case STORE:
		return stored(b, ok, now);
	case EXPUNGE:
		return say_set(b, VERIFY, now, "UID SEARCH UID", "");
	case VERIFY:
		return verified(b, reply, ok, now);
	}
	return MM_BOX_TROUBLE;
}
