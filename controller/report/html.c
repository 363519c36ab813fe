#include "controller/report/html.h"

#include <inttypes.h>
#include <string.h>

#include "common/digest.h"
#include "common/text.h"
#include "controller/report/report.h"

void mm_html_head(FILE *f, const char *title)
{
	struct mm_buf hash = MM_BUF_INIT(128);
	uint8_t sha[MM_SHA256_LEN];
	mm_sha256(mm_html_style, strlen(mm_html_style), sha);
	mm_base64(sha, sizeof(sha), &hash);
	fprintf(f,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
	    "'sha256-%s'; base-uri 'none'; form-action 'none'\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<meta name=\"referrer\" content=\"no-referrer\">\n<title>",
	    mm_buf_str(&hash));
	mm_html_text(f, title);
	fprintf(f, "</title>\n<style>%s</style>\n</head>\n<body>\n", mm_html_style);
	mm_buf_free(&hash);
}

/* Controls drive terminals, and what turns the direction of text around lies about it. */
static bool unfit(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || mm_is_bidi(cp);
}

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* Unicode has code points that are no characters; a page that holds one is not valid. */
static bool no_character(uint32_t cp)
{
	return (cp >= 0xfdd0 && cp <= 0xfdef) || (cp & 0xfffe) == 0xfffe;
}

void mm_html_text(FILE *f, const char *s)
{
	for (size_t n; *s != '\0'; s += n) {
		uint32_t cp = 0;
		n = mm_utf8_next(s, strnlen(s, 4), &cp);
		if (n == 0 || unfit(cp) || no_character(cp)) {
			n = n > 0 ? n : 1;
			fputs("\xef\xbf\xbd", f);
		} else if (entity(*s) != NULL) {
			fputs(entity(*s), f);
		} else {
			fwrite(s, 1, n, f);
		}
	}
}

void mm_html_in(FILE *f, const char *tag, const char *s)
{
	fprintf(f, "<%s>", tag);
	mm_html_text(f, s);
	fprintf(f, "</%.*s>", (int)strcspn(tag, " "), tag);
}

/* ---- numbers and times */

const char *mm_html_digits(int64_t n, char *buf)
{
	char plain[MM_HTML_DIGITS];
	int len = snprintf(plain, sizeof(plain), "%" PRId64, n), at = 0;
	for (int i = 0; i < len; i++) {
		if (i > 0 && plain[i - 1] != '-' && (len - i) % 3 == 0)
			buf[at++] = ',';
		buf[at++] = plain[i];
	}
	buf[at] = '\0';
	return buf;
}

void mm_html_count(FILE *f, int64_t n)
{
	char buf[MM_HTML_DIGITS];
	fputs(mm_html_digits(n, buf), f);
}

void mm_html_counted(FILE *f, int64_t n, const char *one, const char *many)
{
	mm_html_count(f, n);
	fprintf(f, " %s", n == 1 ? one : many);
}

void mm_html_badge(FILE *f, const char *mark, const char *word)
{
	fprintf(f, "<span class=\"badge b-%s\">", mark);
	mm_html_text(f, word);
	fputs("</span>", f);
}

void mm_html_age(FILE *f, int64_t now, int64_t t)
{
	char age[MM_TIME_MAX * 2], utc[MM_TIME_MAX];
	if (t == 0) {
		fputs("never", f);
		return;
	}
	fprintf(
	    f, "<time datetime=\"%s\" title=\"%s\">%s</time>", mm_time_utc(t, utc), utc, mm_age(now, t, age));
}

void mm_html_time(FILE *f, int64_t t)
{
	char utc[MM_TIME_MAX];
	if (t == 0) {
		fputs("never", f);
		return;
	}
	mm_time_utc(t, utc);
	fprintf(f, "<time datetime=\"%s\">%.10s %.5s UTC</time>", utc, utc, utc + 11);
}

void mm_html_day(FILE *f, int64_t t)
{
	char utc[MM_TIME_MAX];
	if (t == 0) {
		fputs("never", f);
		return;
	}
	mm_time_utc(t, utc);
	fprintf(f, "<time datetime=\"%s\">%.10s</time>", utc, utc);
}

/* ---- tables */

static bool of_numbers(const char *head)
{
	return *head == '#';
}

static const char *word(const char *head)
{
	return head + (of_numbers(head) ? 1 : 0);
}

void mm_html_table(
    struct mm_html_table *t, FILE *f, const char *label, const char *const *heads, bool stacked)
{
	*t = (struct mm_html_table){.f = f, .heads = heads};
	fputs("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"", f);
	mm_html_text(f, label);
	fprintf(f, "\">\n<table%s><thead><tr>", stacked ? " class=\"stack\"" : "");
	for (size_t i = 0; heads[i] != NULL; i++)
		fprintf(f, "<th scope=\"col\"%s>%s</th>", of_numbers(heads[i]) ? " class=\"n\"" : "",
		    word(heads[i]));
	fputs("</tr></thead>\n<tbody>\n", f);
}

void mm_html_row(struct mm_html_table *t, const char *mark)
{
	t->col = 0;
	if (mark != NULL)
		fprintf(t->f, "<tr class=\"%s\">", mark);
	else
		fputs("<tr>", t->f);
}

static void end_cell(struct mm_html_table *t)
{
	if (t->col > 0)
		fputs(t->col == 1 ? "</th>" : "</td>", t->f);
}

FILE *mm_html_cell(struct mm_html_table *t)
{
	const char *head = t->heads[t->col];
	end_cell(t);
	if (t->col++ == 0)
		fputs("<th scope=\"row\">", t->f);
	else
		fprintf(t->f, "<td data-h=\"%s\"%s>", word(head), of_numbers(head) ? " class=\"n\"" : "");
	return t->f;
}

void mm_html_cell_text(struct mm_html_table *t, const char *s)
{
	mm_html_text(mm_html_cell(t), s);
}

void mm_html_row_end(struct mm_html_table *t)
{
	end_cell(t);
	fputs("</tr>\n", t->f);
}

void mm_html_table_end(struct mm_html_table *t)
{
	fputs("</tbody></table></div>\n", t->f);
}
