/*
 * Replies after the login: where one ends, and what stands in it.
 *
 * The first byte chooses the kind. Oracles: read byte by byte, a reply ends
 * where it ends when read at once; what is handed out lies inside what came;
 * numbers are never negative; a folder's name can stand between quotation marks.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "agent/probe/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TAG "MM1"
#define UIDS 8

static bool inside(struct mm_span whole, struct mm_span part)
{
	return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

/* The whole text, or what of it is the first reply. */
static struct mm_span check_end(enum mm_reply_kind kind, struct mm_span all)
{
	struct mm_reply_scan once = {.kind = kind, .tag = TAG}, slow = once;
	enum mm_scan a = mm_reply_scan(&once, all.p, all.n), b = MM_SCAN_MORE;
	for (size_t n = 0; n <= all.n && b == MM_SCAN_MORE; n++)
		b = mm_reply_scan(&slow, all.p, n);
	assert(a != MM_SCAN_DONE || (once.at <= all.n && once.at <= MM_REPLY_MAX));
	assert(a == b && (a != MM_SCAN_DONE || once.at == slow.at));
	return a == MM_SCAN_DONE ? (struct mm_span){all.p, once.at} : all;
}

static void check_tokens(struct mm_span reply)
{
	struct mm_span rest = reply, line;
	size_t lines = 0;
	for (; mm_imap_line(&rest, &line); lines++) {
		assert(inside(reply, line) && inside(reply, rest) && lines <= reply.n);
		struct mm_token t;
		size_t tokens = 0;
		for (; (t = mm_imap_token(&line)).kind != MM_TOKEN_END; tokens++)
			assert(inside(reply, t.text) && tokens <= reply.n);
	}
}

static void check_folder(struct mm_span reply)
{
	char name[128];
	if (!mm_imap_special(reply, "\\Junk", name, sizeof(name)))
		return;
	assert(name[0] != '\0' && strlen(name) < sizeof(name) && strpbrk(name, "\r\n") == NULL);
	for (const char *p = name; *p != '\0'; p++) {
		assert(*p != '"');
		if (*p == '\\') {
			p++;
			assert(*p != '\0');
		}
	}
}

static void check_imap(struct mm_span reply)
{
	struct mm_span text = {"", 0};
	int64_t n = 0;
	uint32_t uids[UIDS];
	struct mm_quota q = {.used = 0};
	mm_imap_ok(reply, TAG, &text);
	assert(inside(reply, text));
	if (mm_imap_exists(reply, &n))
		assert(n >= 0);
	if (mm_imap_code(reply, "UIDVALIDITY", &text))
		assert(inside(reply, text));
	if (mm_imap_quota(reply, &q))
		assert((q.storage && q.used >= 0 && q.limit >= 0) ||
		       (q.messages && q.count >= 0 && q.count_limit >= 0));
	size_t found = mm_imap_search(reply, uids, UIDS);
	assert(found <= UIDS);
	for (size_t i = 1; i < found; i++)
		assert(uids[i - 1] >= uids[i]);
	if (mm_imap_fetched(reply, 7, &text))
		assert(inside(reply, text));
	(void)mm_imap_has_capability(reply, "UIDPLUS");
	check_folder(reply);
	check_tokens(reply);
}

static void check_smtp(struct mm_span reply)
{
	struct mm_smtp_reply r;
	if (!mm_smtp_reply(reply, &r))
		return;
	assert(r.code >= 100 && r.code <= 999 && memchr(r.text, '\0', sizeof(r.text)) != NULL);
	assert(r.status[0] >= 0 && r.status[1] >= 0 && r.status[2] >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	int64_t n;
	enum mm_reply_kind kind = (enum mm_reply_kind)(data[0] % 4);
	struct mm_span all = {(const char *)data + 1, size - 1};
	struct mm_span reply = all.n <= 2048 ? check_end(kind, all) : all;
	if (kind == MM_REPLY_IMAP) {
		check_imap(reply);
	} else if (kind == MM_REPLY_SMTP) {
		check_smtp(reply);
	} else if (mm_pop3_ok(reply) && mm_pop3_number(reply, &n)) {
		assert(n >= 0);
		(void)mm_pop3_has_capability(reply, "UIDL");
	}
	return 0;
}
