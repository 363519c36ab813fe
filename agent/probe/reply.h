/*
 * Replies of IMAP, POP3 and SMTP servers to commands after the login, as
 * pure functions over bytes: where one ends, and what stands in it. Nothing
 * here allocates, and every length is that of the bytes that are there.
 *
 * Sources: RFC 9051 and RFC 3501 (IMAP; literals in 4.3), RFC 9208 (QUOTA),
 * RFC 6154 (SPECIAL-USE), RFC 1939 (POP3), RFC 5321 4.2 and RFC 3463 (SMTP).
 */
#ifndef MM_AGENT_PROBE_REPLY_H
#define MM_AGENT_PROBE_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MM_REPLY_MAX (64u * 1024u) /* bytes of one reply, literals included */

struct mm_span {
	const char *p;
	size_t n;
};

enum mm_reply_kind { MM_REPLY_IMAP, MM_REPLY_POP3, MM_REPLY_POP3_LINES, MM_REPLY_SMTP };

/* ---- where a reply ends */

struct mm_reply_scan {
	enum mm_reply_kind kind;
	const char *tag; /* IMAP: of the command */
	size_t at;       /* everything before was looked at */
	size_t begun;    /* where the line that is being read begins */
};
enum mm_scan { MM_SCAN_MORE, MM_SCAN_DONE, MM_SCAN_BROKEN };
/* May be called again with the same bytes and more of them. MM_SCAN_DONE:
 * `at` is the length of the reply. MM_SCAN_BROKEN: this becomes no reply, or
 * one of more than MM_REPLY_MAX bytes. */
enum mm_scan mm_reply_scan(struct mm_reply_scan *s, const char *p, size_t n);

/* ---- IMAP */

/* Does this piece of a line end in {123} or {123+}, with CR LF or without? */
bool mm_imap_literal(struct mm_span piece, int64_t *len);
/* The next line without its CR LF, with the literals in it; false at the end. */
bool mm_imap_line(struct mm_span *rest, struct mm_span *line);

enum mm_token_kind { MM_TOKEN_END, MM_TOKEN_ATOM, MM_TOKEN_STRING, MM_TOKEN_OPEN, MM_TOKEN_CLOSE };
struct mm_token {
	enum mm_token_kind kind;
	struct mm_span text; /* a quoted string still has its backslashes */
};
/* An atom reaches to the next blank or parenthesis; one with brackets, such
 * as BODY[HEADER.FIELDS (FROM)], to the blank behind them. */
struct mm_token mm_imap_token(struct mm_span *line);

/* OK is true; `text` is what follows the tag ("NO [LIMIT] ..."), or empty. */
bool mm_imap_ok(struct mm_span reply, const char *tag, struct mm_span *text);
/* "* 17 EXISTS"; false when there is none. */
bool mm_imap_exists(struct mm_span reply, int64_t *out);
/* "* BYE ...": the server takes its leave, whatever else it says (RFC 9051 7.1.5). */
bool mm_imap_bye(struct mm_span reply, struct mm_span *line);
/* "* OK [CODE value]": the value of a response code, in any line. */
bool mm_imap_code(struct mm_span reply, const char *code, struct mm_span *value);
/* Is this word in a CAPABILITY line or response code? */
bool mm_imap_has_capability(struct mm_span reply, const char *word);

/* The resource that is fuller of all quota roots (RFC 9208 5.1): STORAGE in
 * KiB, MESSAGE in messages. */
struct mm_quota {
	bool storage, messages; /* which are known */
	int64_t used, limit;    /* STORAGE */
	int64_t count, count_limit;
};
#define MM_QUOTA_NEAR 95 /* percent */
bool mm_imap_quota(struct mm_span reply, struct mm_quota *out);
bool mm_quota_near(const struct mm_quota *q);

/* Up to `max` UIDs of "* SEARCH", the highest of them all, descending. */
size_t mm_imap_search(struct mm_span reply, uint32_t *uids, size_t max);
/* The folder with this attribute ("\Junk") of a LIST reply, in a form that can be put
 * between quotation marks; false when there is none that can be named. */
bool mm_imap_special(struct mm_span reply, const char *attribute, char *name, size_t size);
/* The text that a FETCH of one message brought, and its UID. */
bool mm_imap_fetched(struct mm_span reply, uint32_t uid, struct mm_span *body);

/* ---- POP3 */

/* "+OK 3 1200": the first number. */
bool mm_pop3_number(struct mm_span reply, int64_t *out);
bool mm_pop3_ok(struct mm_span reply);
/* Does CAPA list this word? */
bool mm_pop3_has_capability(struct mm_span reply, const char *word);

/* ---- SMTP */

struct mm_smtp_reply {
	int code;       /* 250; 0 = there is none */
	int status[3];  /* 5.7.1; all 0 = the server says none */
	char text[512]; /* all lines without code and status, joined by blanks, cut */
};
/* False also where the lines have different codes (RFC 5321 4.2.1). */
bool mm_smtp_reply(struct mm_span reply, struct mm_smtp_reply *out);

/* ---- any */

bool mm_span_is(struct mm_span s, const char *word);          /* in any case */
bool mm_span_begins(struct mm_span s, const char *word);      /* in any case */
const char *mm_span_find(struct mm_span s, const char *word); /* in any case; NULL */
/* Copy, cut to `size` - 1 bytes. */
void mm_span_copy(struct mm_span s, char *to, size_t size);
struct mm_span mm_span_skip(struct mm_span s, size_t n); /* without the first n bytes */
struct mm_span mm_span_chomp(struct mm_span s);          /* without CR and LF at its end */
/* The next line without its CR LF; empty at the end. */
struct mm_span mm_span_line(struct mm_span *rest);
/* Digits and nothing else, at most 15. */
bool mm_span_number(struct mm_span s, int64_t *out);

#endif
