#include "controller/push/kexinit.h"

#include <string.h>

#include "controller/push/sshbuf.h"

#define KEXINIT 20
#define COOKIE 16
#define LISTED_MAX 160 /* bytes of a host's list that are worth repeating */

struct list {
	const char *p;
	size_t n;
};

/* Is any name of `ours` in the other list? Names are separated by commas. */
static bool in_common(const char *ours, struct list theirs)
{
	for (const char *o = ours; *o != '\0';) {
		size_t n = strcspn(o, ",");
		for (const char *t = theirs.p, *end = theirs.p + theirs.n; t < end;) {
			const char *comma = memchr(t, ',', (size_t)(end - t));
			size_t tn = comma != NULL ? (size_t)(comma - t) : (size_t)(end - t);
			if (tn == n && memcmp(o, t, n) == 0)
				return true;
			t += tn + 1;
		}
		o += n + (o[n] == ',' ? 1 : 0);
	}
	return false;
}

/* The payload of the first packet behind the line that begins with "SSH-". */
static int find_payload(const struct mm_buf *raw, struct mm_ssh_reader *out)
{
	const char *p = mm_buf_str(raw), *end = p + raw->len;
	bool banner = false;
	while (!banner) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			return -1;
		banner = (size_t)(nl - p) >= 4 && memcmp(p, "SSH-", 4) == 0;
		p = nl + 1;
	}
	struct mm_ssh_reader r = {(const unsigned char *)p, (size_t)(end - p)};
	const unsigned char *packet;
	size_t n;
	if (mm_ssh_read_string(&r, &packet, &n) < 0 || n < 2 + COOKIE || packet[1] != KEXINIT)
		return -1;
	*out = (struct mm_ssh_reader){packet + 2 + COOKIE, n - 2 - COOKIE};
	return 0;
}

static void say(struct mm_buf *why, const char *kind, struct list theirs, const char *ours)
{
	mm_buf_addf(why, "no %s in common: the host offers %.*s%s, the SSH library here can %s", kind,
	    (int)(theirs.n < LISTED_MAX ? theirs.n : LISTED_MAX), theirs.p,
	    theirs.n > LISTED_MAX ? "..." : "", ours);
}

enum mm_kex_verdict mm_kexinit_explain(const struct mm_buf *raw, const char *hostkeys, struct mm_buf *why)
{
	/* The order of RFC 4253, 7.1. */
	const struct {
		const char *kind, *ours;
	} kinds[] = {{"key exchange", MM_SSH2_KEX}, {"host key algorithm", hostkeys},
	    {"cipher", MM_SSH2_CRYPT}, {"cipher", MM_SSH2_CRYPT}, {"MAC", MM_SSH2_MAC}, {"MAC", MM_SSH2_MAC}};
	struct mm_ssh_reader r;
	struct list keys = {0};
	bool other_key = false;
	if (find_payload(raw, &r) < 0)
		return MM_KEX_UNKNOWN;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const unsigned char *p;
		struct list theirs;
		if (mm_ssh_read_string(&r, &p, &theirs.n) < 0)
			return MM_KEX_UNKNOWN;
		theirs.p = (const char *)p;
		if (in_common(kinds[i].ours, theirs))
			continue;
		if (i != 1) {
			say(why, kinds[i].kind, theirs, kinds[i].ours);
			return MM_KEX_NOTHING_IN_COMMON;
		}
		other_key = true;
		keys = theirs;
	}
	if (!other_key)
		return MM_KEX_UNKNOWN;
	mm_buf_addf(why, "%.*s", (int)(keys.n < LISTED_MAX ? keys.n : LISTED_MAX), keys.p);
	return MM_KEX_OTHER_HOSTKEY;
}
