#include "agent/formats/fetchmailrc_lex.h"

#include <string.h>

#include "common/text.h"

/* clang-format off */
static const struct mm_fm_word words[] = {
	{"and", NULL, MM_FM_NOISE, false}, {"with", NULL, MM_FM_NOISE, false}, {"has", NULL, MM_FM_NOISE, false},
	{"wants", NULL, MM_FM_NOISE, false}, {"options", NULL, MM_FM_NOISE, false}, {"here", NULL, MM_FM_WHERE, false},
	{"there", NULL, MM_FM_WHERE, false}, {"poll", NULL, MM_FM_POLL, false}, {"server", "poll", MM_FM_POLL, false},
	{"skip", "skip", MM_FM_POLL, false}, {"defaults", NULL, MM_FM_DEFAULTS, false}, {"set", NULL, MM_FM_SET, false},
	{"no", NULL, MM_FM_NO, false}, {"user", "user", MM_FM_USER, false}, {"username", "user", MM_FM_USER, false},
	{"via", NULL, MM_FM_ONE, true}, {"proto", "proto", MM_FM_ONE, true}, {"protocol", "proto", MM_FM_ONE, true},
	{"port", "port", MM_FM_ONE, true}, {"service", "port", MM_FM_ONE, true}, {"auth", "auth", MM_FM_ONE, true},
	{"authenticate", "auth", MM_FM_ONE, true}, {"timeout", NULL, MM_FM_ONE, true}, {"interval", NULL, MM_FM_ONE, true},
	{"envelope", NULL, MM_FM_LIST, true}, {"qvirtual", NULL, MM_FM_ONE, true}, {"principal", NULL, MM_FM_ONE, true},
	{"esmtpname", NULL, MM_FM_ONE, true}, {"esmtppassword", NULL, MM_FM_ONE, true}, {"plugin", NULL, MM_FM_ONE, true},
	{"plugout", NULL, MM_FM_ONE, true}, {"interface", NULL, MM_FM_ONE, true}, {"monitor", NULL, MM_FM_ONE, true},
	{"netsec", NULL, MM_FM_ONE, true}, {"badheader", NULL, MM_FM_ONE, true}, {"bad-header", "badheader", MM_FM_ONE, true},
	{"retrieve-error", NULL, MM_FM_ONE, true}, {"aka", NULL, MM_FM_LIST, true}, {"localdomains", NULL, MM_FM_LIST, true},
	{"dns", NULL, MM_FM_FLAG, true}, {"uidl", NULL, MM_FM_FLAG, true}, {"checkalias", NULL, MM_FM_FLAG, true},
	{"tracepolls", NULL, MM_FM_FLAG, true},
	{"password", "password", MM_FM_ONE, false}, {"pass", "password", MM_FM_ONE, false}, {"is", NULL, MM_FM_LIST, false},
	{"to", NULL, MM_FM_LIST, false}, {"remotefolder", "folder", MM_FM_LIST, false}, {"folder", "folder", MM_FM_LIST, false},
	{"smtphost", NULL, MM_FM_LIST, false}, {"smtp", "smtphost", MM_FM_LIST, false}, {"fetchdomains", NULL, MM_FM_LIST, false},
	{"smtpaddress", NULL, MM_FM_ONE, false}, {"smtpname", NULL, MM_FM_ONE, false}, {"antispam", NULL, MM_FM_LIST, false},
	{"spamresponse", "antispam", MM_FM_LIST, false}, {"mda", NULL, MM_FM_ONE, false}, {"bsmtp", NULL, MM_FM_ONE, false},
	{"lmtp", NULL, MM_FM_FLAG, false}, {"preconnect", NULL, MM_FM_ONE, false}, {"postconnect", NULL, MM_FM_ONE, false},
	{"properties", NULL, MM_FM_ONE, false}, {"limit", NULL, MM_FM_ONE, false}, {"warnings", NULL, MM_FM_ONE, false},
	{"fetchlimit", NULL, MM_FM_ONE, false}, {"fetchsizelimit", NULL, MM_FM_ONE, false}, {"fastuidl", NULL, MM_FM_ONE, false},
	{"batchlimit", NULL, MM_FM_ONE, false}, {"expunge", NULL, MM_FM_ONE, false}, {"sslkey", NULL, MM_FM_ONE, false},
	{"sslcert", NULL, MM_FM_ONE, false}, {"sslproto", NULL, MM_FM_ONE, false}, {"sslcertfile", NULL, MM_FM_ONE, false},
	{"sslcertpath", NULL, MM_FM_ONE, false}, {"sslcommonname", NULL, MM_FM_ONE, false},
	{"sslfingerprint", NULL, MM_FM_ONE, false}, {"ssl", NULL, MM_FM_FLAG, false}, {"sslcertck", NULL, MM_FM_FLAG, false},
	{"keep", NULL, MM_FM_FLAG, false}, {"flush", NULL, MM_FM_FLAG, false}, {"limitflush", NULL, MM_FM_FLAG, false},
	{"fetchall", NULL, MM_FM_FLAG, false}, {"rewrite", NULL, MM_FM_FLAG, false}, {"stripcr", NULL, MM_FM_FLAG, false},
	{"forcecr", NULL, MM_FM_FLAG, false}, {"pass8bits", NULL, MM_FM_FLAG, false}, {"dropstatus", NULL, MM_FM_FLAG, false},
	{"dropdelivered", NULL, MM_FM_FLAG, false}, {"mimedecode", NULL, MM_FM_FLAG, false}, {"idle", NULL, MM_FM_FLAG, false},
};
/* clang-format on */

static bool parts(char c)
{
	return strchr(" \t\r\n\v\f:;,=", c) != NULL;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

static char number(const char **p, int base, int max)
{
	int v = 0;

	for (int k = 0; k < max && digit(**p) < base; k++)
		v = v * base + digit(*(*p)++);
	return (char)(v & 0xff);
}

static const char *unescape(const char *s, struct mm_arena *a)
{
	static const char from[] = "ntbr", to[] = "\n\t\b\r";
	char *p = mm_arena_strdup(a, s), *w = p;

	while (*s != '\0') {
		const char *k;

		if (s[0] != '\\' || s[1] == '\0') {
			*w++ = *s++;
			continue;
		}
		s++;
		k = strchr(from, *s);
		if (*s == 'x') {
			s++;
			*w++ = number(&s, 16, 2);
		} else if (digit(*s) < 8) {
			*w++ = number(&s, 8, 3);
		} else {
			*w++ = k != NULL ? to[k - from] : *s;
			s++;
		}
	}
	*w = '\0';
	return p;
}

const char *mm_fm_quote(const char *s, struct mm_arena *a)
{
	struct mm_buf b = MM_BUF_INIT(MM_FORMAT_TEXT_MAX);
	const char *out;

	mm_buf_addc(&b, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			mm_buf_addf(&b, "\\x%02x", (unsigned char)*s);
		else
			mm_buf_addc(&b, *s);
	}
	mm_buf_addc(&b, '"');
	out = mm_arena_strdup(a, mm_buf_str(&b));
	mm_buf_free(&b);
	return out;
}

int mm_fm_next_token(struct mm_text in, size_t *pos, struct mm_arena *a, struct mm_fm_token *out)
{
	size_t i = *pos, from;

	while (i < in.n && (parts(in.p[i]) || in.p[i] == '#'))
		i = in.p[i] == '#' ? mm_line_next(in, i) : i + 1;
	if (i == in.n)
		return 0;
	*out = (struct mm_fm_token){.from = i, .quoted = in.p[i] == '"' || in.p[i] == '\''};
	from = out->quoted ? i + 1 : i;
	if (out->quoted) {
		char q = in.p[i++];

		while (i < in.n && in.p[i] != q)
			i++;
		if (i == in.n)
			return -1;
	} else {
		while (i < in.n && !parts(in.p[i]))
			i++;
	}
	out->text = mm_text_dup(in, from, i, a);
	if (out->quoted)
		out->text = unescape(out->text, a);
	*pos = out->to = out->quoted ? i + 1 : i;
	return out->to == in.n || parts(in.p[out->to]) ? 1 : -1;
}

const struct mm_fm_word *mm_fm_keyword(const struct mm_fm_token *t)
{
	for (size_t i = 0; !t->quoted && i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].word[0] == t->text[0] && strcmp(words[i].word, t->text) == 0)
			return &words[i];
	return NULL;
}

const struct mm_fm_word *mm_fm_by_key(const char *key)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].form >= MM_FM_USER && words[i].form != MM_FM_WHERE &&
		    strcmp(words[i].key != NULL ? words[i].key : words[i].word, key) == 0)
			return &words[i];
	return NULL;
}

/* "nokeep" is "no keep" in one word. */
const struct mm_fm_word *mm_fm_negated(const struct mm_fm_token *t)
{
	struct mm_fm_token rest = *t;

	if (t->quoted || !mm_starts_with(t->text, "no"))
		return NULL;
	rest.text += 2;
	return mm_fm_keyword(&rest) != NULL && mm_fm_keyword(&rest)->form == MM_FM_FLAG ? mm_fm_keyword(&rest)
											: NULL;
}

bool mm_fm_is_bare(const char *s)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

	return s[0] != '\0' && s[strspn(s, ok)] == '\0' &&
	       mm_fm_keyword(&(struct mm_fm_token){.text = s}) == NULL &&
	       mm_fm_negated(&(struct mm_fm_token){.text = s}) == NULL;
}
