#include "agent/probe/show.h"

#include <langinfo.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"

#define TEXT_MAX 65536u
#define LABEL_COLUMN 6
#define LABEL_WIDTH 9 /* with the blank behind it */
#define RUNG_TEXT_COLUMN 26

struct mm_style mm_style_of(FILE *f)
{
	bool tty = isatty(fileno(f)) == 1;
	return (struct mm_style){.colour = mm_term_colour(f),
	    .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	    .width = tty ? (size_t)mm_term_width(f) : 0};
}

const char *mm_style_colour(const struct mm_style *s, enum mm_colour c)
{
	return mm_colour_code(c, s->colour);
}

struct page {
	const struct mm_style *s;
	struct mm_buf *out;
};

static void painted(const struct page *p, enum mm_colour c, const char *text)
{
	mm_buf_addf(p->out, "%s%s%s", mm_style_colour(p->s, c), text, mm_style_colour(p->s, MM_PLAIN));
}

/* Text from outside, from the column where we stand on. */
static void put(const struct page *p, const char *text, size_t column)
{
	struct mm_buf clean = MM_BUF_INIT(TEXT_MAX);
	mm_printable(&clean, text, strlen(text));
	mm_wrap(p->out, mm_buf_str(&clean), column, p->s->width);
	mm_buf_free(&clean);
}

static void labelled(const struct page *p, const char *label, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	mm_buf_addf(p->out, "%*s", LABEL_COLUMN, "");
	painted(p, MM_DIM, label);
	size_t n = strlen(label) < LABEL_WIDTH ? LABEL_WIDTH - strlen(label) : 1;
	mm_buf_addf(p->out, "%*s", (int)n, "");
	put(p, text, LABEL_COLUMN + LABEL_WIDTH);
	mm_buf_addc(p->out, '\n');
}

/* ---- the ladder */

static const struct {
	const char *utf8, *ascii;
	enum mm_colour colour;
} ticks[MM_STEP_COUNT] = {
    [MM_STEP_HELD] = {"\u2713", "+", MM_GREEN},
    [MM_STEP_FAILED] = {"\u2717", "x", MM_RED},
    [MM_STEP_UNTESTED] = {"\u00b7", "-", MM_YELLOW},
};

static void tick(const struct page *p, enum mm_step_state state)
{
	mm_buf_adds(p->out, "  ");
	painted(p, ticks[state].colour, p->s->utf8 ? ticks[state].utf8 : ticks[state].ascii);
}

/* The list of capabilities in an IMAP greeting is machines' talk. */
static const char *short_greeting(const char *text, struct mm_buf *b)
{
	const char *open = strstr(text, "[CAPABILITY "), *end = open != NULL ? strchr(open, ']') : NULL;
	if (end == NULL)
		return text;
	mm_buf_add(b, text, (size_t)(open - text));
	mm_buf_adds(b, end[1] == ' ' ? end + 2 : end + 1);
	return mm_buf_str(b);
}

static void show_step(const struct page *p, const struct mm_step *st)
{
	char ms[32] = "";
	struct mm_buf b = MM_BUF_INIT(TEXT_MAX);
	const char *text = st->text != NULL ? st->text : "";
	if (st->ms >= 0)
		snprintf(ms, sizeof(ms), "%d ms", st->ms);
	if (st->rung == MM_RUNG_GREETING)
		text = short_greeting(text, &b);
	tick(p, st->state);
	mm_buf_addf(p->out, " %-10s%10s", mm_rung_name(st->rung), ms);
	if (text[0] != '\0')
		mm_buf_adds(p->out, "  ");
	put(p, text, RUNG_TEXT_COLUMN);
	mm_buf_addc(p->out, '\n');
	mm_buf_free(&b);
}

/* A line below a rung. */
static void below(const struct page *p, const char *label, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	mm_buf_addf(p->out, "%*s%s", RUNG_TEXT_COLUMN, "", mm_style_colour(p->s, MM_DIM));
	struct mm_buf b = MM_BUF_INIT(TEXT_MAX);
	mm_buf_addf(&b, "%s%s%s", label, label[0] != '\0' ? " " : "", text);
	put(p, mm_buf_str(&b), RUNG_TEXT_COLUMN);
	mm_buf_free(&b);
	mm_buf_addf(p->out, "%s\n", mm_style_colour(p->s, MM_PLAIN));
}

static void show_tls(const struct page *p, const struct mm_login *l)
{
	const struct mm_tls_facts *t = &l->tls;
	if (t->subject == NULL && t->san == NULL)
		return;
	below(p, "", t->cipher);
	if (t->resumed)
		below(p, "", "resumed: the certificate was seen by another test of this run");
	below(p, "certificate for", t->san != NULL && t->san[0] != '\0' ? t->san : t->subject);
	below(p, "issued by", t->issuer);
	if (!p->s->verbose)
		return;
	below(p, "SHA-256", t->fingerprint);
	below(p, "key", t->key);
	below(p, "pin", t->pin);
	below(p, "signature", t->signature);
	below(p, "versions", t->offered);
	below(p, "OCSP", t->ocsp);
	for (size_t i = 1; i < t->n_chain; i++)
		below(p, "chain", t->chain[i].subject);
}

static void show_addresses(const struct page *p, const struct mm_endpoint_facts *e)
{
	bool many = e->n_addresses > 1;
	for (size_t i = 0; i < e->n_addresses && many && p->s->verbose; i++) {
		const struct mm_address_facts *a = &e->addresses[i];
		struct mm_buf b = MM_BUF_INIT(1024);
		if (a->error[0] != '\0')
			mm_buf_addf(&b, "%s: %s", a->ip, a->error);
		else if (a->ms >= 0)
			mm_buf_addf(&b, "%s: %d ms", a->ip, a->ms);
		below(p, "", mm_buf_str(&b));
		mm_buf_free(&b);
	}
}

static void show_greeting(const struct page *p, const struct mm_endpoint_facts *e)
{
	if (!p->s->verbose)
		return;
	below(p, "offers", e->capabilities);
	below(p, "logins", e->mechanisms);
}

static bool is_blank(const struct mm_step *st)
{
	return st->state == MM_STEP_UNTESTED && (st->text == NULL || st->text[0] == '\0');
}

/* What was not come to, in one line. */
static void show_untested(const struct page *p, const struct mm_login *l)
{
	struct mm_buf b = MM_BUF_INIT(1024);
	for (size_t i = 0; i < l->ladder.n_steps; i++)
		if (is_blank(&l->ladder.steps[i]))
			mm_buf_addf(&b, "%s%s",
			    b.len > 0 ? ", " : "not tested: ", mm_rung_name(l->ladder.steps[i].rung));
	if (b.len > 0) {
		tick(p, MM_STEP_UNTESTED);
		mm_buf_addc(p->out, ' ');
		put(p, b.data, 4);
		mm_buf_addc(p->out, '\n');
	}
	mm_buf_free(&b);
}

static void show_steps(const struct page *p, const struct mm_login *l)
{
	for (size_t i = 0; i < l->ladder.n_steps; i++) {
		const struct mm_step *st = &l->ladder.steps[i];
		if (is_blank(st))
			continue;
		show_step(p, st);
		if (st->rung == MM_RUNG_TCP)
			show_addresses(p, &l->ladder.endpoint);
		else if (st->rung == MM_RUNG_TLS)
			show_tls(p, l);
		else if (st->rung == MM_RUNG_GREETING)
			show_greeting(p, &l->ladder.endpoint);
	}
	show_untested(p, l);
}

/* ---- the verdict */

static const char *security_label(const char *word)
{
	return mm_streq(word, "tls") ? "TLS" : mm_streq(word, "starttls") ? "STARTTLS" : "no encryption";
}

static void show_head(const struct page *p, const struct mm_login *l)
{
	struct mm_buf b = MM_BUF_INIT(4096), clean = MM_BUF_INIT(8192);
	for (const char *s = l->protocol; *s != '\0'; s++)
		mm_buf_addc(&b, *s >= 'a' && *s <= 'z' ? (char)(*s - 'a' + 'A') : *s);
	if (l->username[0] != '\0')
		mm_buf_addf(&b, " %s at", l->username);
	mm_buf_addf(&b, " %s port %d, %s", l->host, l->port, security_label(l->security));
	mm_printable(&clean, mm_buf_str(&b), b.len);
	painted(p, MM_BOLD, mm_buf_str(&clean));
	mm_buf_addc(p->out, '\n');
	mm_buf_free(&clean);
	mm_buf_free(&b);
}

static void show_verdict(const struct page *p, const struct mm_login *l)
{
	static const struct {
		const char *word;
		enum mm_colour c;
	} verdicts[MM_LOGIN_COUNT] = {
	    [MM_LOGIN_PASSED] = {"PASSED", MM_GREEN},
	    [MM_LOGIN_FAILED] = {"FAILED", MM_RED},
	    [MM_LOGIN_UNTESTED] = {"UNTESTED", MM_YELLOW},
	};
	mm_buf_adds(p->out, "  ");
	painted(p, verdicts[l->result].c, verdicts[l->result].word);
	if (l->result == MM_LOGIN_PASSED) {
		mm_buf_addf(p->out, "  %s\n", mm_level_name(l->level));
	} else {
		mm_buf_adds(p->out, "  ");
		put(p, l->cls, 2);
		mm_buf_addc(p->out, '\n');
		labelled(p, "user", l->text);
		labelled(p, "admin", l->admin);
		labelled(p, "fix", l->ladder.fix);
		labelled(p, "server", l->server_text);
	}
}

static void show_note(const struct page *p, const struct mm_note *n)
{
	mm_buf_adds(p->out, "  ");
	painted(p, MM_YELLOW, "!");
	mm_buf_addc(p->out, ' ');
	put(p, n->cls, 4);
	mm_buf_addc(p->out, '\n');
	labelled(p, "user", n->text);
	labelled(p, "admin", n->admin);
}

void mm_show_login(const struct mm_login *l, const struct mm_style *s, struct mm_buf *out)
{
	struct page p = {.s = s, .out = out};
	show_head(&p, l);
	show_steps(&p, l);
	show_verdict(&p, l);
	for (size_t i = 0; i < l->ladder.n_notes; i++)
		show_note(&p, &l->ladder.notes[i]);
}

void mm_show_summary(
    size_t passed, size_t failed, size_t untested, const struct mm_style *s, struct mm_buf *out)
{
	struct page p = {.s = s, .out = out};
	char text[128];
	size_t all = passed + failed + untested;
	if (all < 2)
		return;
	snprintf(text, sizeof(text), "%zu of %zu passed", passed, all);
	painted(&p, passed == all ? MM_GREEN : MM_BOLD, text);
	if (failed > 0)
		mm_buf_addf(out, ", %zu failed", failed);
	if (untested > 0)
		mm_buf_addf(out, ", %zu not tested", untested);
	mm_buf_addc(out, '\n');
}
