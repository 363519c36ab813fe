/*
 * Messages that lie in a mailbox, and the error object of a token.
 *
 * The first byte chooses: 'M' a message, 'T' base64 of a challenge. Oracles: what is
 * taken for ours (and would be deleted) has our own header with an id of our
 * form, and nobody else's message is; what is said to people is printable.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "agent/probe/token_error.h"
#include "agent/probe/trip_message.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ID "mailmuster-1700000000-0123456789abcdef@ws7.acme.example"
#define ADDRESS "alice@acme.example"
#define NOW 1700000060

static bool holds(struct mm_span s, const char *word)
{
	return mm_span_find(s, word) != NULL;
}

static void check_message(struct mm_span m)
{
	char value[256], reason[128] = "";
	struct mm_trip_mark this_run = {.id = ID, .address = ADDRESS, .now = NOW};
	struct mm_trip_mark others = {.address = ADDRESS, .now = NOW + 100 * 86400};
	if (mm_trip_header(m, "Message-ID", value, sizeof(value)))
		assert(strlen(value) < sizeof(value) && strchr(value, '\n') == NULL);
	if (mm_trip_is_ours(&this_run, m))
		assert(holds(m, "1700000000") && holds(m, "0123456789abcdef"));
	if (mm_trip_is_ours(&others, m))
		assert(holds(m, "mailmuster-"));
	/* a bounce names the message that bounced */
	if (mm_trip_is_bounce(&this_run, m, reason, sizeof(reason)))
		assert(holds(m, "1700000000") && strlen(reason) < sizeof(reason));
	if (mm_trip_is_bounce(&others, m, reason, sizeof(reason)))
		assert(holds(m, "mailmuster-") && strlen(reason) < sizeof(reason));
	(void)mm_trip_may_be_bounce(m);
}

static void check_id(struct mm_span s)
{
	int64_t when = 0;
	if (mm_trip_id_parse(s, &when))
		assert(when >= 0 && memchr(s.p, '\n', s.n) == NULL && memchr(s.p, '"', s.n) == NULL);
}

static void check_token(const char *p, size_t n)
{
	char said[128] = "";
	if (mm_token_error(p, n, said, sizeof(said)))
		assert(strlen(said) < sizeof(said) && !mm_has_control(said));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct mm_span rest = {(const char *)data + 1, size - 1};
	if (data[0] == 'T')
		check_token(rest.p, rest.n);
	else
		check_message(rest);
	check_id(rest);
	return 0;
}
