#include "agent/probe/dialog.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "agent/probe/reply.h"
#include "agent/probe/token_error.h"
#include "common/text.h"

struct text {
	const char *p;
	size_t n;
};

void mm_dialog_init(struct mm_dialog *d, enum mm_mail mail)
{
	*d = (struct mm_dialog){.mail = mail};
}

static struct text line_text(const char *line, size_t n)
{
	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
		n--;
	return (struct text){line, n};
}

static bool begins(struct text t, const char *word)
{
	size_t n = strlen(word);
	return t.n >= n && strncasecmp(t.p, word, n) == 0;
}

static struct text skip(struct text t, size_t n)
{
	n = n < t.n ? n : t.n;
	return (struct text){t.p + n, t.n - n};
}

/* The next word; `t` then begins behind it. */
static struct text take_word(struct text *t)
{
	while (t->n > 0 && t->p[0] == ' ')
		*t = skip(*t, 1);
	struct text w = {t->p, 0};
	while (w.n < t->n && t->p[w.n] != ' ')
		w.n++;
	*t = skip(*t, w.n);
	return w;
}

static bool is_word(struct text w, const char *word)
{
	return w.n == strlen(word) && strncasecmp(w.p, word, w.n) == 0;
}

static bool contains(struct text t, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i + n <= t.n; i++)
		if (strncasecmp(t.p + i, word, n) == 0)
			return true;
	return false;
}

static void copy(char *to, size_t size, struct text t)
{
	size_t n = t.n < size - 1 ? t.n : size - 1;
	memcpy(to, t.p, n);
	to[n] = '\0';
}

static void append_auth_text(struct mm_dialog *d, struct text t)
{
	size_t have = strlen(d->auth_text);
	if (have + 2 >= sizeof(d->auth_text))
		return;
	if (have > 0)
		d->auth_text[have++] = ' ';
	copy(d->auth_text + have, sizeof(d->auth_text) - have, t);
}

/* 100..599, or 0 when the line does not begin like an SMTP reply. */
static int smtp_code(struct text t)
{
	if (t.n < 3 || t.p[0] < '1' || t.p[0] > '5' || !isdigit((unsigned char)t.p[1]) ||
	    !isdigit((unsigned char)t.p[2]))
		return 0;
	if (t.n > 3 && t.p[3] != ' ' && t.p[3] != '-')
		return 0;
	return (t.p[0] - '0') * 100 + (t.p[1] - '0') * 10 + (t.p[2] - '0');
}

static bool smtp_is_last(struct text t)
{
	return t.n == 3 || t.p[3] == ' ';
}

/* ---- greeting */

/* Which protocol greets like this? -1: none. FTP says 220 too. */
static int greeting_mail(struct text t)
{
	if (begins(t, "* OK") || begins(t, "* PREAUTH") || begins(t, "* BYE"))
		return MM_MAIL_IMAP;
	if (begins(t, "+OK") || begins(t, "-ERR"))
		return MM_MAIL_POP3;
	int code = smtp_code(t);
	if ((code == 220 && !contains(t, "FTP")) || code == 421 || code == 554)
		return MM_MAIL_SMTP;
	return -1;
}

static enum mm_greeting own_greeting(struct text t)
{
	if (begins(t, "* PREAUTH"))
		return MM_GREETING_PREAUTH;
	if (begins(t, "* BYE") || begins(t, "-ERR") || begins(t, "421") || begins(t, "554"))
		return MM_GREETING_REFUSED;
	return MM_GREETING_OK;
}

static void take_greeting(struct mm_dialog *d, struct text t)
{
	int mail = greeting_mail(t);
	/* A mail server of our protocol may refuse with any of its codes. */
	if (mail < 0 && d->mail == MM_MAIL_SMTP && smtp_code(t) >= 400)
		d->greeting = MM_GREETING_REFUSED;
	else if (mail < 0)
		d->greeting = MM_GREETING_STRANGE;
	else if (mail == (int)d->mail)
		d->greeting = own_greeting(t);
	else
		d->greeting = MM_GREETING_OTHER_MAIL;
	if (d->greeting == MM_GREETING_OTHER_MAIL)
		d->greeting_mail = (enum mm_mail)mail;
	d->starttls_masked = d->mail == MM_MAIL_SMTP && contains(t, "****");
	const char *stamp = memchr(t.p, '<', t.n);
	d->apop_stamp = d->mail == MM_MAIL_POP3 && stamp != NULL &&
			memchr(stamp, '>', t.n - (size_t)(stamp - t.p)) != NULL;
}

/* ---- capabilities */

/* One word more in a list of words; `join` stands for the spaces inside of it. */
static void add_word(char *list, size_t size, struct text w, char join)
{
	size_t have = strlen(list);
	if (w.n == 0 || have + w.n + 2 > size)
		return;
	if (have > 0)
		list[have++] = ' ';
	for (size_t i = 0; i < w.n; i++) {
		char c = w.p[i] == ' ' ? join : w.p[i];
		list[have++] = c > ' ' && c < 0x7f ? c : '?';
	}
	list[have] = '\0';
}

/* "AUTH PLAIN LOGIN" as "AUTH=PLAIN,LOGIN" */
static void add_line(struct mm_dialog *d, struct text t)
{
	size_t before = strlen(d->caps);
	add_word(d->caps, sizeof(d->caps), t, ',');
	char *comma = strchr(d->caps + before, ',');
	if (comma != NULL)
		*comma = '=';
}

static void take_mechs(struct mm_dialog *d, struct text t)
{
	for (struct text w = take_word(&t); w.n > 0; w = take_word(&t)) {
		enum mm_mech m = mm_mech_by_name(w.p, w.n);
		if (m == MM_MECH_OTHER || (d->mechs & MM_MECH_BIT(m)) == 0)
			add_word(d->mech_names, sizeof(d->mech_names), w, '?');
		d->mechs |= MM_MECH_BIT(m);
		d->plus_in_clear = d->plus_in_clear || (!d->tls && contains(w, "-PLUS"));
	}
}

static void take_capability(struct mm_dialog *d, struct text w)
{
	if (is_word(w, "STARTTLS") || is_word(w, "STLS")) {
		d->starttls_offered = true;
		d->starttls_odd_case = memcmp(w.p, w.n == 4 ? "STLS" : "STARTTLS", w.n) != 0;
	} else if (begins(w, "XXXX")) {
		d->starttls_masked = true;
	} else if (is_word(w, "LOGINDISABLED")) {
		d->login_disabled = true;
	} else if (begins(w, "AUTH=")) {
		take_mechs(d, skip(w, 5));
	}
}

static void forget_offer(struct mm_dialog *d)
{
	d->mechs = 0;
	d->login_disabled = false;
	d->caps_heard = false;
	d->size = 0;
	d->caps[0] = d->mech_names[0] = '\0';
}

static void imap_untagged(struct mm_dialog *d, struct text t)
{
	t = skip(t, 2);
	if (!is_word(take_word(&t), "CAPABILITY"))
		return;
	forget_offer(d);
	d->caps_heard = true;
	for (struct text w = take_word(&t); w.n > 0; w = take_word(&t)) {
		take_capability(d, w);
		add_word(d->caps, sizeof(d->caps), w, '?');
	}
}

static void pop3_capability(struct mm_dialog *d, struct text t)
{
	d->caps_heard = true;
	if (t.n == 1 && t.p[0] == '.')
		return;
	add_line(d, t);
	struct text w = take_word(&t);
	if (is_word(w, "SASL"))
		take_mechs(d, t);
	else if (is_word(w, "USER"))
		d->mechs |= MM_MECH_BIT(MM_MECH_COMMAND);
	else
		take_capability(d, w);
}

static int64_t number(struct text t)
{
	char digits[20];
	int64_t n = 0;
	struct text w = take_word(&t);
	copy(digits, sizeof(digits), w);
	return w.n < sizeof(digits) && mm_parse_int(digits, 0, INT64_MAX, &n) == 0 ? n : 0;
}

/* The first line is the server's name, RFC 5321 4.1.1.1; only some say an
 * extension there, and then libcurl reads it too. */
static void smtp_capability(struct mm_dialog *d, struct text t)
{
	bool first = !d->caps_heard;
	d->caps_heard = true;
	t = skip(t, 4);
	if (!first)
		add_line(d, t);
	struct text w = take_word(&t);
	if (is_word(w, "AUTH"))
		take_mechs(d, t);
	else if (is_word(w, "SIZE"))
		d->size = number(t);
	else
		take_capability(d, w);
}

/* ---- the reply to a login */

static void auth_end(struct mm_dialog *d, enum mm_reply r)
{
	d->auth_reply = r;
	d->auth_open = false;
}

/* The error object of OAuth, in a challenge that has to be answered before the
 * refusal comes. */
static void take_challenge(struct mm_dialog *d, struct text t)
{
	if (mm_token_error(t.p, t.n, d->token_text, sizeof(d->token_text)))
		d->token_error = true;
}

/* Is this the reply to the open command? Then `t` begins behind its tag. */
static bool take_tag(const struct mm_dialog *d, struct text *t)
{
	size_t n = strlen(d->tag);
	if (n == 0 || t->n <= n || memcmp(t->p, d->tag, n) != 0 || t->p[n] != ' ')
		return false;
	*t = skip(*t, n + 1);
	return true;
}

static void imap_auth(struct mm_dialog *d, struct text t)
{
	if (begins(t, "+")) {
		take_challenge(d, skip(t, 2));
		return;
	}
	if (begins(t, "* CAPABILITY"))
		return;
	bool last = take_tag(d, &t);
	append_auth_text(d, t);
	if (!last)
		return;
	struct text w = take_word(&t);
	d->auth_bad = is_word(w, "BAD");
	auth_end(d, is_word(w, "OK") ? MM_REPLY_OK : MM_REPLY_NO);
}

static void pop3_auth(struct mm_dialog *d, struct text t)
{
	bool ok = mm_pop3_ok((struct mm_span){t.p, t.n});
	if (ok && d->user_open) {
		d->user_open = false;
		d->auth_open = false;
		d->auth_sent = false;
	} else if (ok) {
		append_auth_text(d, t);
		auth_end(d, MM_REPLY_OK);
	} else if (begins(t, "+")) {
		take_challenge(d, skip(t, 2));
	} else {
		append_auth_text(d, t);
		if (begins(t, "-ERR"))
			auth_end(d, MM_REPLY_NO);
	}
}

static void smtp_auth(struct mm_dialog *d, struct text t)
{
	int code = smtp_code(t);
	if (code == 334) {
		take_challenge(d, skip(t, 4));
		return;
	}
	append_auth_text(d, t);
	if (code == 0)
		return;
	/* RFC 5321 4.2.1: the same on all lines */
	d->auth_mixed = d->auth_mixed || (d->auth_code != 0 && d->auth_code != code);
	d->auth_code = code;
	if (!smtp_is_last(t))
		return;
	auth_end(d, code == 235 ? MM_REPLY_OK : MM_REPLY_NO);
}

/* ---- all lines of the server */

static void imap_in(struct mm_dialog *d, struct text t)
{
	if (begins(t, "* "))
		imap_untagged(d, t);
	else if (d->starttls_sent && !d->tls && !begins(t, "+")) {
		take_word(&t);
		d->starttls_refused = !is_word(take_word(&t), "OK");
	}
}

static void pop3_in(struct mm_dialog *d, struct text t)
{
	if (begins(t, "-ERR"))
		d->starttls_refused = d->starttls_refused || (d->starttls_sent && !d->tls);
	else if (!begins(t, "+"))
		pop3_capability(d, t);
}

static void smtp_in(struct mm_dialog *d, struct text t)
{
	int code = smtp_code(t);
	if (d->starttls_sent && !d->tls)
		d->starttls_refused = code != 220;
	else if (code == 250 && d->ehlo_sent && !d->helo_sent)
		smtp_capability(d, t);
}

/* Only data hold literals; a status is a line, whatever it ends in. */
static bool may_hold_literal(struct text t)
{
	static const char *const status[] = {"* OK", "* NO", "* BAD", "* BYE", "* PREAUTH", NULL};
	for (const char *const *s = status; *s != NULL; s++)
		if (begins(t, *s))
			return false;
	return begins(t, "* ");
}

/* What stands in a literal is no line, however much it looks like an answer. */
static bool is_literal(struct mm_dialog *d, const char *line, size_t n)
{
	bool was = d->inside;
	if (was && d->literal >= (int64_t)n) {
		d->literal -= (int64_t)n;
		return true;
	}
	struct mm_span rest = {line, n};
	if (was)
		rest = mm_span_skip(rest, (size_t)d->literal);
	d->inside = (was || may_hold_literal(line_text(line, n))) && mm_imap_literal(rest, &d->literal);
	return was;
}

void mm_dialog_in(struct mm_dialog *d, const char *line, size_t n)
{
	static void (*const auth[])(struct mm_dialog *, struct text) = {imap_auth, pop3_auth, smtp_auth};
	static void (*const plain[])(struct mm_dialog *, struct text) = {imap_in, pop3_in, smtp_in};
	struct text t = line_text(line, n);
	if (d->lines < UINT32_MAX)
		d->lines++;
	if (t.n > 0)
		copy(d->last, sizeof(d->last), t);
	if (d->lines == 1)
		copy(d->first, sizeof(d->first), t);
	if (d->mail == MM_MAIL_IMAP && is_literal(d, line, n))
		return;
	if (d->mail == MM_MAIL_IMAP && d->alert[0] == '\0' && contains(t, "[ALERT]"))
		copy(d->alert, sizeof(d->alert), t);
	if (d->mail == MM_MAIL_IMAP && d->lines > 1 && begins(t, "* BYE"))
		copy(d->bye, sizeof(d->bye), t);
	if (d->greeting == MM_GREETING_NONE)
		take_greeting(d, t);
	else if (d->auth_open)
		auth[d->mail](d, t);
	else if (d->auth_reply == MM_REPLY_NONE)
		plain[d->mail](d, t);
}

/* ---- lines of the client */

static void auth_begin(struct mm_dialog *d, enum mm_mech how)
{
	d->auth_sent = true;
	d->auth_open = true;
	d->used = how;
	d->auth_reply = MM_REPLY_NONE;
	d->auth_code = 0;
	d->auth_text[0] = '\0';
}

static void imap_out(struct mm_dialog *d, struct text t)
{
	struct text tag = take_word(&t);
	struct text verb = take_word(&t);
	struct text arg = take_word(&t);
	bool sasl = is_word(verb, "AUTHENTICATE");
	if (is_word(verb, "STARTTLS"))
		d->starttls_sent = true;
	if (!sasl && !is_word(verb, "LOGIN"))
		return;
	copy(d->tag, sizeof(d->tag), tag);
	auth_begin(d, sasl ? mm_mech_by_name(arg.p, arg.n) : MM_MECH_COMMAND);
}

/* USER opens a login that only PASS completes: a refusal of the name counts,
 * its acceptance does not. */
static void pop3_out(struct mm_dialog *d, struct text t)
{
	struct text verb = take_word(&t);
	struct text arg = take_word(&t);
	if (is_word(verb, "STLS"))
		d->starttls_sent = true;
	else if (is_word(verb, "USER") || is_word(verb, "PASS"))
		auth_begin(d, MM_MECH_COMMAND);
	else if (is_word(verb, "APOP"))
		auth_begin(d, MM_MECH_APOP);
	else if (is_word(verb, "AUTH") && arg.n > 0)
		auth_begin(d, mm_mech_by_name(arg.p, arg.n));
	d->user_open = is_word(verb, "USER");
}

static void smtp_out(struct mm_dialog *d, struct text t)
{
	struct text verb = take_word(&t);
	struct text arg = take_word(&t);
	if (is_word(verb, "STARTTLS"))
		d->starttls_sent = true;
	else if (is_word(verb, "EHLO"))
		d->ehlo_sent = true;
	else if (is_word(verb, "HELO"))
		d->helo_sent = true;
	else if (is_word(verb, "AUTH"))
		auth_begin(d, mm_mech_by_name(arg.p, arg.n));
}

void mm_dialog_out(struct mm_dialog *d, const char *line, size_t n)
{
	static void (*const out[])(struct mm_dialog *, struct text) = {imap_out, pop3_out, smtp_out};
	/* The answer to a challenge is not a command, whatever it looks like. */
	if (!d->auth_open)
		out[d->mail](d, line_text(line, n));
}

enum mm_tri mm_dialog_cleartext(const struct mm_dialog *d)
{
	static const unsigned ways =
	    MM_MECH_BIT(MM_MECH_PLAIN) | MM_MECH_BIT(MM_MECH_LOGIN) | MM_MECH_BIT(MM_MECH_COMMAND);
	if (d->tls)
		return d->cleartext_login;
	if (!d->caps_heard)
		return MM_UNKNOWN;
	/* IMAP has LOGIN unless it says that it has not (RFC 9051 6.2.3) */
	bool command = d->mail == MM_MAIL_IMAP && !d->login_disabled;
	return command || (d->mechs & ways) != 0 ? MM_YES : MM_NO;
}

void mm_dialog_tls(struct mm_dialog *d)
{
	/* with TLS from the beginning nothing is said before it */
	d->cleartext_login = d->lines > 0 ? mm_dialog_cleartext(d) : MM_UNKNOWN;
	d->disabled_before_tls = d->login_disabled;
	d->tls = true;
	forget_offer(d);
	d->alert[0] = '\0'; /* anybody could have said it */
	d->ehlo_sent = false;
}

const char *mm_dialog_mech(const struct mm_dialog *d, enum mm_mech m)
{
	if (m != MM_MECH_COMMAND)
		return mm_mech_name(m);
	return d->mail == MM_MAIL_POP3 ? "USER and PASS" : "LOGIN command";
}

bool mm_dialog_logged_in(const struct mm_dialog *d)
{
	return d->auth_sent && !d->auth_open && d->auth_reply == MM_REPLY_OK && !d->auth_early &&
	       !d->auth_mixed && d->bye[0] == '\0' && d->greeting == MM_GREETING_OK;
}

bool mm_dialog_hopeless(const struct mm_dialog *d)
{
	return d->greeting == MM_GREETING_OTHER_MAIL || d->greeting == MM_GREETING_STRANGE ||
	       d->lines > MM_DIALOG_LINES;
}
