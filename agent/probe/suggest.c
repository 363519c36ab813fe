#include "agent/probe/suggest.h"

#include <idn2.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "common/text.h"

#define COST_MAX 4 /* two plain mistakes, or four of the fingers' */
#define COST_PLAIN 2
#define COST_NEAR 1

/* ---- cleaning */

/* Letters of other scripts that look like Latin ones, after lower-casing:
 * the Cyrillic and Greek ones of Unicode's confusables (UTS 39) that can
 * stand for a whole name. */
static const struct {
	uint32_t cp;
	char as;
} look_alikes[] = {{0x0430, 'a'}, {0x0435, 'e'}, {0x043e, 'o'}, {0x0440, 'p'}, {0x0441, 'c'}, {0x0443, 'y'},
    {0x0445, 'x'}, {0x0455, 's'}, {0x0456, 'i'}, {0x0458, 'j'}, {0x04bb, 'h'}, {0x0501, 'd'}, {0x051b, 'q'},
    {0x051d, 'w'}, {0x03b1, 'a'}, {0x03bf, 'o'}, {0x03c1, 'p'}, {0x03bd, 'v'}, {0x0131, 'i'}, {0x3002, '.'},
    {0xff0c, '.'}, {0xff61, '.'}, {0x00a0, ' '}, {0x2013, '-'}, {0x2010, '-'}, {0x2011, '-'}};

static char as_latin(uint32_t cp)
{
	/* full-width forms of ASCII: U+FF01 is '!' */
	if (cp >= 0xff01 && cp <= 0xff5e && cp != 0xff0c)
		return (char)(cp - 0xff01 + '!');
	for (size_t i = 0; i < sizeof(look_alikes) / sizeof(look_alikes[0]); i++)
		if (look_alikes[i].cp == cp)
			return look_alikes[i].as;
	return '\0';
}

static void fold(const char *s, size_t n, struct mm_buf *out)
{
	for (size_t at = 0; at < n;) {
		uint32_t cp = 0;
		size_t len = mm_utf8_next(s + at, n - at, &cp);
		char c = len == 1 ? s[at] : len > 1 ? as_latin(cp) : '\0';
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c != '\0')
			mm_buf_addc(out, c == ',' ? '.' : c);
		else
			mm_buf_add(out, s + at, len > 0 ? len : 1);
		at += len > 0 ? len : 1;
	}
}

/* imaps://alice@host:993/INBOX, with any of its parts missing: where is the host? */
static const char *host_part(const char *s, size_t *n)
{
	const char *sep = strstr(s, "://");
	if (sep != NULL)
		s = sep + 3;
	size_t end = strcspn(s, "/?#");
	for (size_t i = 0; i < end; i++)
		if (s[i] == '@') {
			s += i + 1;
			end -= i + 1;
			i = (size_t)-1;
		}
	s += strspn(s, " \t\r\n");
	end = strcspn(s, "/?# \t\r\n:;");
	while (end > 0 && s[end - 1] == '.')
		end--;
	*n = end;
	return s;
}

static bool is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

static bool to_a_label(const char *host, char out[MM_SUGGEST_MAX])
{
	char *a = NULL;
	bool ok = mm_is_utf8(host, strlen(host)) &&
		  idn2_to_ascii_8z(host, &a, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) == IDN2_OK &&
		  strlen(a) < MM_SUGGEST_MAX;
	if (ok)
		memcpy(out, a, strlen(a) + 1);
	idn2_free(a);
	return ok && mm_is_hostname(out);
}

bool mm_host_clean(const char *typed, char out[MM_SUGGEST_MAX])
{
	struct mm_buf b = MM_BUF_INIT(MM_SUGGEST_TYPED_MAX);
	size_t n = strlen(typed);
	bool ok = n <= MM_SUGGEST_TYPED_MAX;
	if (ok) {
		fold(typed, n, &b);
		const char *host = host_part(mm_buf_str(&b), &n);
		ok = mm_buf_ok(&b) && n > 0 && n < MM_SUGGEST_MAX;
		if (ok) {
			memcpy(out, host, n);
			out[n] = '\0';
		}
	}
	if (ok && !is_ascii(out)) {
		char u[MM_SUGGEST_MAX];
		memcpy(u, out, strlen(out) + 1);
		ok = to_a_label(u, out);
	}
	mm_buf_free(&b);
	return ok && mm_is_hostname(out);
}

/* ---- distance */

/* Neighbours on the keyboard, also where Y and Z are exchanged, and digits
 * that look like letters. */
static bool near_keys(char a, char b)
{
	static const char *const rows[] = {"1234567890-", "qwertyuiop", "asdfghjkl", "zxcvbnm,."};
	static const char *const pairs[] = {"yz", "1l", "1i", "0o", "il", "-_", "tz", "zu", "yx", "ys", NULL};
	for (const char *const *p = pairs; *p != NULL; p++)
		if (((*p)[0] == a && (*p)[1] == b) || ((*p)[0] == b && (*p)[1] == a))
			return true;
	int row[2] = {-1, -1}, column[2] = {0, 0};
	for (int r = 0; r < 4; r++) {
		const char *x = strchr(rows[r], a), *y = strchr(rows[r], b);
		if (x != NULL) {
			row[0] = r;
			column[0] = (int)(x - rows[r]);
		}
		if (y != NULL) {
			row[1] = r;
			column[1] = (int)(y - rows[r]);
		}
	}
	if (row[0] < 0 || row[1] < 0)
		return false;
	int down = row[1] - row[0], right = column[1] - column[0];
	/* the row below is shifted by half a key to the right */
	return (down == 0 && abs(right) == 1) || (down == 1 && (right == 0 || right == -1)) ||
	       (down == -1 && (right == 0 || right == 1));
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int replace_cost(char a, char b)
{
	if (a == b)
		return 0;
	return near_keys(a, b) ? COST_NEAR : COST_PLAIN;
}

static int distance(const char *a, size_t na, const char *b, size_t nb)
{
	int rows[3][MM_SUGGEST_MAX];
	if (na >= MM_SUGGEST_MAX || nb >= MM_SUGGEST_MAX ||
	    (na > nb ? na - nb : nb - na) * COST_PLAIN > COST_MAX)
		return COST_MAX + 1;
	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = (int)j * COST_PLAIN;
	for (size_t i = 1; i <= na; i++) {
		int *now = rows[i % 3];
		const int *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
		now[0] = (int)i * COST_PLAIN;
		for (size_t j = 1; j <= nb; j++) {
			now[j] = least(last[j], now[j - 1]) + COST_PLAIN;
			now[j] = least(now[j], last[j - 1] + replace_cost(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + COST_NEAR);
		}
	}
	return rows[na % 3][nb];
}

/* ---- is it the same name, mistyped, or another name? */

static const struct {
	const char *word;
	int kind; /* names of one kind are taken for each other */
} services[] = {{"imap", 1}, {"imaps", 1}, {"imap4", 1}, {"pop", 2}, {"pop3", 2}, {"pop3s", 2}, {"smtp", 3},
    {"smtps", 3}, {"submission", 3}, {"mail", 4}, {"mx", 5}, {"www", 6}};

const char *mm_behind_service(const char *host)
{
	size_t n = strcspn(host, ".");
	/* not "mail.example": a top-level domain is nobody's */
	if (host[n] == '\0' || strchr(host + n + 1, '.') == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (strlen(services[i].word) == n && strncasecmp(services[i].word, host, n) == 0)
			return host + n + 1;
	return NULL;
}

static const char *const standard[] = {"imap", "pop", "pop3", "smtp", "mail", "submission"};

static int service_kind(const char *host)
{
	size_t n = strcspn(host, ".");
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (strlen(services[i].word) == n && memcmp(services[i].word, host, n) == 0)
			return services[i].kind;
	return 0;
}

/* A short label that differs in half of its letters is another one, and so is
 * another top-level domain: example.net is no typo for example.test. */
static int label_limit(size_t na, size_t nb, bool last)
{
	size_t longer = na > nb ? na : nb;
	if (last)
		return longer <= 2 ? COST_NEAR : COST_PLAIN;
	return longer > 2 ? (int)longer : COST_PLAIN;
}

static size_t labels(const char *s)
{
	size_t n = 1;
	for (; *s != '\0'; s++)
		n += *s == '.';
	return n;
}

static bool same_name(const char *a, const char *b)
{
	int x = service_kind(a), y = service_kind(b);
	if (x != 0 && y != 0 && x != y)
		return false;
	if (labels(a) != labels(b))
		return true;
	for (;;) {
		size_t na = strcspn(a, "."), nb = strcspn(b, ".");
		bool last = a[na] == '\0' || b[nb] == '\0';
		if (distance(a, na, b, nb) > label_limit(na, nb, last))
			return false;
		if (last)
			return true;
		a += na + 1;
		b += nb + 1;
	}
}

struct search {
	const char *typed; /* cleaned */
	struct mm_suggestion best;
	bool tie, found, exact;
};

/* Candidates come in the order of their worth: the first of equals wins only
 * against one of less worth (`known` NULL). */
static void consider(struct search *s, const char *host, const struct mm_probe_known *known)
{
	size_t n = strlen(host);
	if (n >= MM_SUGGEST_MAX)
		return;
	if (strcmp(s->typed, host) == 0)
		s->exact = true;
	int cost = distance(s->typed, strlen(s->typed), host, n);
	if (cost > COST_MAX || !same_name(s->typed, host))
		return;
	bool same = s->found && strcmp(s->best.host, host) == 0;
	bool weaker = s->found && known == NULL && s->best.known != NULL;
	if (s->found && (same || cost > s->best.cost || (cost == s->best.cost && weaker)))
		return;
	s->tie = s->found && cost == s->best.cost;
	s->found = true;
	memcpy(s->best.host, host, n + 1);
	s->best.known = known;
	s->best.cost = cost;
}

/* "imap" for imap.acme.example: the policy's only host that begins so. */
static void consider_short(struct search *s, const struct mm_probe_known *known, size_t n_known)
{
	size_t n = strlen(s->typed);
	for (size_t i = 0; i < n_known; i++) {
		const char *h = known[i].host;
		size_t len = strlen(h);
		if (strncmp(h, s->typed, n) != 0 || h[n] != '.' || len >= MM_SUGGEST_MAX ||
		    (s->found && strcmp(s->best.host, h) == 0))
			continue;
		s->tie = s->found;
		s->found = true;
		memcpy(s->best.host, h, len + 1);
		s->best.known = &known[i];
		s->best.cost = COST_MAX;
	}
}

static bool conclude(const struct search *s, struct mm_suggestion *out)
{
	if (!s->found || s->tie)
		return false;
	*out = s->best;
	return true;
}

bool mm_suggest_host(const char *typed, const struct mm_probe_known *known, size_t n_known,
    const char *domain, struct mm_suggestion *out)
{
	char clean[MM_SUGGEST_MAX], own[MM_SUGGEST_MAX];
	struct search s = {.typed = clean};
	if (typed == NULL || !mm_host_clean(typed, clean))
		return false;
	for (size_t i = 0; i < n_known; i++) {
		if (mm_streq_nocase(typed, known[i].host))
			return false;
		consider(&s, known[i].host, &known[i]);
	}
	if (!s.found && strchr(clean, '.') == NULL)
		consider_short(&s, known, n_known);
	bool in_policy = s.found;
	if (domain != NULL && mm_host_clean(domain, own)) {
		struct search t = s;
		t.exact = false;
		for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++) {
			char host[MM_SUGGEST_MAX + 16];
			snprintf(host, sizeof(host), "%s.%s", standard[i], own);
			consider(&t, host, NULL);
		}
		/* a standard name written right is no mistake, though the policy may have a better one */
		if (!t.exact || strcmp(typed, clean) != 0)
			s = t;
		else if (!in_policy)
			return false;
	}
	return conclude(&s, out);
}

bool mm_suggest_domain(
    const char *address, const struct mm_probe_known *known, size_t n_known, struct mm_suggestion *out)
{
	char clean[MM_SUGGEST_MAX];
	struct search s = {.typed = clean};
	const char *at = address != NULL ? strrchr(address, '@') : NULL;
	if (at == NULL || !mm_host_clean(at + 1, clean))
		return false;
	for (size_t i = 0; i < n_known; i++) {
		const char *host = known[i].host, *dot = strchr(host, '.');
		consider(&s, host, &known[i]);
		if (dot != NULL && strchr(dot + 1, '.') != NULL)
			consider(&s, dot + 1, &known[i]);
	}
	return !(s.exact && strcmp(at + 1, clean) == 0) && conclude(&s, out);
}

/* ---- user name and password */

const char *mm_suggest_username(const char *username, const char *tmpl, const char *address)
{
	if (username == NULL || username[0] == '\0')
		return NULL;
	size_t n = strlen(username);
	if (username[0] == ' ' || username[n - 1] == ' ')
		return "The user name begins or ends with a blank.";
	bool whole = strchr(username, '@') != NULL;
	if (tmpl != NULL && strstr(tmpl, "%{address}") != NULL && !whole)
		return "The policy expects the full address as user name.";
	if (tmpl != NULL && strchr(tmpl, '@') == NULL && strstr(tmpl, "%{address}") == NULL && whole)
		return "The policy expects a user name without @ and domain.";
	if (tmpl != NULL || address == NULL)
		return NULL;
	if (whole && !mm_streq_nocase(username, address))
		return "The user name is an address, but not the one of this account.";
	const char *at = strrchr(address, '@');
	if (!whole && at != NULL && (size_t)(at - address) == n && memcmp(address, username, n) == 0)
		return "The user name is the address without its domain; many servers want the full address.";
	return NULL;
}

const char *mm_password_oddity(const char *password, size_t n)
{
	bool high = false;
	if (n == 0)
		return "is empty";
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)password[i];
		if (c == '\r' || c == '\n')
			return "contains a line break";
		if (c < 0x20 || c == 0x7f)
			return "contains a control character";
		high = high || c >= 0x80;
	}
	if (password[0] == ' ' || password[n - 1] == ' ')
		return "begins or ends with a blank";
	if (high && !mm_is_utf8(password, n))
		return "is not UTF-8, which is what servers expect";
	for (size_t at = 0; high && at < n;) {
		uint32_t cp = 0;
		at += mm_utf8_next(password + at, n - at, &cp);
		/* combining marks: what NFC would have joined (RFC 8265 4.2.2) */
		if (cp >= 0x300 && cp <= 0x36f)
			return "has accents written as separate characters (NFD), where servers expect NFC";
		if (cp == 0xa0 || cp == 0x200b || cp == 0xfeff)
			return "contains an invisible character, as copying from a web page leaves it";
	}
	return high ? "contains letters outside ASCII, which not all servers take alike" : NULL;
}
